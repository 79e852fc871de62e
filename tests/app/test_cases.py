"""Validation cases: found by content, scored, and calm about damaged files."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from analysis.contract import describe_inputs, describe_params
from analysis.registry import get
from analysis.sunlight.outcome import ASSUMPTIONS
from app.cases import cases, find_case
from app.cases.contract import CaseResult, at_least, at_most, keeps
from app.cases.solar_golden import NEEDED
from app.language import texts
from geo.model import Feedback, UserError


def write_case(path: Path, **changes: object) -> Path:
    """A small case whose expected results are right for a flat field."""
    arrays: dict[str, object] = {
        "input_dsm": np.zeros((30, 40), np.float32),
        "svf_total": np.ones((30, 40), np.float32),
        "shadow_morning_bldg_sh": np.ones((30, 40), np.uint8),
        "shadow_noon_bldg_sh": np.ones((30, 40), np.uint8),
        "morning_azimuth_altitude": np.array([90.0, 30.0]),
        "noon_azimuth_altitude": np.array([180.0, 60.0]),
        "scale": np.array(1.0),
    }
    arrays.update(changes)
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


def test_umep_shadows_and_sky_view(shared_data: Path) -> None:
    path = shared_data / "solar" / "umep_golden" / "umep_shadow_svf.npz"
    seen: list[float] = []
    case = find_case(path)
    result = case.run(path, Feedback(lambda fraction, _: seen.append(fraction)))
    assert case.id == "sun.golden"
    assert result.kind == "sun"
    assert result.passed
    assert result.metrics["shadow_agreement"] == 1.0
    assert result.metrics["svf_rmse"] < 1e-4
    assert result.metrics["shadow_agreement_rays"] > 0.9995
    assert result.metrics["sunlit_share_morning"] == pytest.approx(0.58734, abs=1e-5)
    assert result.metrics["sunlit_share_noon"] == pytest.approx(0.79069, abs=1e-5)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    json.dumps([dict(result.metrics), {name: dict(limit) for name, limit in result.limits.items()}])


def test_content_counts_not_the_name(tmp_path: Path) -> None:
    path = write_case(tmp_path / "case.npz").rename(tmp_path / "no suffix")
    assert find_case(path).run(path, Feedback()).passed


def test_wrong_expectations_fail(tmp_path: Path) -> None:
    dark = np.ones((30, 40), np.uint8)
    dark[:3] = 0
    path = write_case(tmp_path / "case.npz", shadow_noon_bldg_sh=dark)
    result = find_case(path).run(path, Feedback())
    assert not result.passed
    assert result.metrics["shadow_agreement"] == pytest.approx(1 - 0.05)


@pytest.mark.parametrize(
    "changes",
    [
        {"noon_azimuth_altitude": None},
        {"svf_total": np.ones((30, 41), np.float32)},
        {"input_dsm": np.full((30, 40), np.nan)},
        {"input_dsm": np.zeros(30)},
        {"input_dsm": np.array([[object()]], dtype=object)},
        {"noon_azimuth_altitude": np.array([180.0, -3.0])},
        {"scale": np.array(0.0)},
    ],
)
def test_damaged_cases_are_user_errors(tmp_path: Path, changes: dict[str, object]) -> None:
    path = write_case(tmp_path / "case.npz", **changes)
    with pytest.raises(UserError) as caught:
        find_case(path).run(path, Feedback())
    assert caught.value.code == "case.solar_damaged"


def test_half_an_array_is_a_user_error(tmp_path: Path) -> None:
    path = tmp_path / "case.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name in NEEDED:
            archive.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00")
    with pytest.raises(UserError):
        find_case(path).run(path, Feedback())


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut"])
def test_other_files_are_no_case(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "case.npz"
    path.write_bytes(content)
    for place in (path, tmp_path):
        with pytest.raises(UserError) as caught:
            find_case(place)
        assert caught.value.code == "case.unknown"


def test_a_missing_path(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        find_case(tmp_path / "none")
    assert caught.value.code == "case.missing"


def test_limits() -> None:
    assert keeps(0.5, at_least(0.5))
    assert keeps(0.5, at_most(0.5))
    assert not keeps(0.4, at_least(0.5))
    assert not keeps(float("nan"), at_most(0.5))
    assert not CaseResult("sun", {}, {"missing": at_least(0.0)}).passed
    assert cases()


def test_every_message_of_the_sun_study_has_korean_words() -> None:
    root = Path(__file__).resolve().parents[2]
    files = [*(root / "analysis" / "sunlight").glob("*.py"), root / "analysis" / "studies" / "sunlight_hours.py"]
    codes = {code for file in files for code in re.findall(r'"(sunlight\.[a-z_]+)"', file.read_text(encoding="utf-8"))}
    codes -= {"sunlight.hours"}
    codes |= {"sunlight.hidden_facades", "sunlight.hidden_roofs"}
    korean = texts("ko")
    assert len(codes) > 12
    assert [c for c in sorted(codes) if f"issue.{c}" not in korean and f"error.{c}.what" not in korean] == []
    study = get("sunlight.hours")
    names = [info.name for info in describe_params(study.params)] + [
        f"input.{spec.name}" for spec in describe_inputs(study.inputs)
    ]
    assert [name for name in names if f"sunlight.hours.{name}" not in korean] == []
    assert all(f"sunlight.hours.assumption.{number}" in korean for number in range(len(ASSUMPTIONS)))
