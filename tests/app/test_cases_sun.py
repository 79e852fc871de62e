"""Irradiation against Daysim, sun and shade at measured sites; and damaged cases."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from app.cases import find_case
from app.cases.solweig_sun import score
from app.language import texts
from geo.model import Feedback, UserError


def test_irradiation_of_zurich_against_daysim(shared_data: Path) -> None:
    folder = shared_data / "solar" / "cea_zurich"
    seen: list[float] = []
    case = find_case(folder)
    result = case.run(folder, Feedback(lambda fraction, _: seen.append(fraction)))
    assert case.id == "sun.irradiation"
    assert result.passed
    assert result.metrics["worst_difference_percent"] < 5.0
    # means that were published with the data: roof 1081, south 722 (walls) and 736 (windows) kWh/m2
    assert result.metrics["B1000_roof"] == pytest.approx(1081, rel=0.02)
    assert result.metrics["B1000_south"] == pytest.approx(728, rel=0.04)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@pytest.mark.parametrize(("name", "least", "hours"), [("kronenhuset", 1.0, 9), ("gustav_adolfs", 0.93, 30)])
def test_sun_and_shade_at_measured_sites(shared_data: Path, name: str, least: float, hours: int) -> None:
    folder = shared_data / "solar" / f"solweig_{name}"
    case = find_case(folder)
    result = case.run(folder, Feedback())
    assert case.id == "sun.measured"
    assert result.metrics["agreement"] >= least
    assert result.metrics["hours"] == hours
    assert result.passed


def test_score_of_hours() -> None:
    found = score(np.array([1.0, 0.0, 0.6, 1.0]), np.array([0.9, 0.1, 0.4, 0.2]))
    assert found["agreement"] == 0.5
    assert found["clear_agreement"] == pytest.approx(2 / 3)
    assert found["lit_rmse"] == pytest.approx(np.sqrt((0.01 + 0.01 + 0.04 + 0.64) / 4))


@pytest.mark.parametrize(
    ("folder", "file", "text"),
    [
        ("cea_zurich", "B1000_radiation.csv", "roofs_top_kW,roofs_top_m2\nmuch,little\n"),
        ("cea_zurich", "B1000_radiation.csv", "nothing\n"),
        ("cea_zurich", "zone.shp", "no shapes"),
        ("cea_zurich", "weather.epw", "LOCATION,here\n"),
        ("solweig_kronenhuset", "measurements_kr.csv", "hour,Kdown\nnoon,1\n"),
        ("solweig_kronenhuset", "measurements_kr.csv", "hour,Kdown\n"),
        ("solweig_kronenhuset", "MetFile_Prepared.txt", "%iy id\n2005\n"),
        ("solweig_kronenhuset", "DSM_KR.tif", "no raster"),
    ],
)
def test_damaged_folders_are_refused(shared_data: Path, tmp_path: Path, folder: str, file: str, text: str) -> None:
    copy = tmp_path / folder
    shutil.copytree(shared_data / "solar" / folder, copy)
    (copy / file).chmod(0o644)
    (copy / file).write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        find_case(copy).run(copy, Feedback())
    assert caught.value.code in ("case.cea_damaged", "case.solweig_damaged", "epw.damaged")
    assert f"error.{caught.value.code}.what" in texts("ko")
