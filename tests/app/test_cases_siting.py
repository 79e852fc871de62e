"""Covering problems as validation cases: known optima are reached, damaged files are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cases import find_case, siting_orlib
from geo.model import Feedback, UserError

SMALL = "3 4\n2 1 1 3\n2\n1 2\n2\n2 3\n2\n1 4\n"
RAIL = "3 4\n2 2 1 3\n1 2 1 2\n1 1 2\n3 1 3\n"


def run(path: Path):  # noqa: ANN201
    case = find_case(path)
    return case, case.run(path, Feedback())


def test_san_francisco(shared_data: Path) -> None:
    case, result = run(shared_data / "cctv" / "sf_locate")
    assert case.id == "covering.service"
    assert result.passed
    assert result.metrics["cover_sites"] == 8
    assert result.metrics["coverage_value"] == result.metrics["coverage_bound"] == 875_247
    assert result.metrics["median_distance"] == pytest.approx(2_848_268_129.71, abs=0.01)
    assert result.metrics["centre_distance"] == pytest.approx(7_403.06, abs=0.005)
    assert result.metrics["centre_bound"] == result.metrics["centre_distance"]


@pytest.mark.parametrize(("name", "cost"), [("scp42", 512), ("scp51", 253)])
def test_known_optima(shared_data: Path, name: str, cost: int) -> None:
    case, result = run(shared_data / "cctv" / "orlib" / f"{name}.txt")
    assert case.id == "covering.orlib"
    assert result.passed
    assert result.metrics[f"{name}_cost"] == result.metrics[f"{name}_bound"] == cost


def test_a_cover_nobody_proves_quickly(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(siting_orlib, "SECONDS", 3.0)
    _, result = run(shared_data / "cctv" / "orlib" / "scpclr10.txt")
    assert result.passed
    assert result.metrics["scpclr10_cost"] == 25
    assert 10 <= result.metrics["scpclr10_bound"] <= 25


@pytest.mark.slow
def test_all_known_optima(shared_data: Path) -> None:
    _, result = run(shared_data / "cctv" / "orlib")
    assert result.passed
    assert {name: result.metrics[f"{name}_cost"] for name in ("scp41", "scp45", "scp61", "scpa1", "scpe1")} == {
        "scp41": 429, "scp45": 512, "scp61": 138, "scpa1": 253, "scpe1": 5,
    }  # fmt: skip


@pytest.mark.parametrize("text", [SMALL, RAIL])
def test_unknown_files_of_both_layouts(tmp_path: Path, text: str) -> None:
    path = tmp_path / "scpmine.txt"
    path.write_text(text)
    case, result = run(path)
    assert case.id == "covering.orlib"
    assert not result.limits
    # The first column (cost 2) has rows 1 and 3, the second and third (cost 1 each) have row 2.
    assert result.metrics["scpmine_cost"] == result.metrics["scpmine_bound"] == 3


@pytest.mark.parametrize(
    "text",
    [
        "3 4\n1 1 1 1\n2\n1 9\n2\n2 3\n1\n1\n",
        "3 4\n1 1 1 1\n2\n1 2\n",
        "2 2\n1 1\n1\n1\n0\n",
        "2 2\n1 1\n1\n1\n1\n2\n7 7\n",
    ],
)
def test_damaged_covers_are_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "scpmine.txt"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        run(path)
    assert caught.value.code == "case.orlib_damaged"


@pytest.mark.parametrize("rows", ["5,a,x,1\n6,b,x,2\n", "5,a,x,1\n6,a,y,1\n7,b,x,1\n", "far,a,x,1\n", "-5,a,x,1\n", ""])
def test_damaged_tables_are_told(tmp_path: Path, rows: str) -> None:
    (tmp_path / "t.csv").write_text("distance,name,DestinationName,demand\n" + rows)
    with pytest.raises(UserError) as caught:
        run(tmp_path)
    assert caught.value.code == "case.service_damaged"


def test_other_tables_are_solved_without_limits(tmp_path: Path) -> None:
    pairs = [(1000, "a", "x", 5), (9000, "a", "y", 7), (9000, "b", "x", 5), (1000, "b", "y", 7)]
    text = "\n".join(",".join(map(str, pair)) for pair in pairs)
    (tmp_path / "t.csv").write_text("distance,name,DestinationName,demand\n" + text + "\n")
    _, result = run(tmp_path)
    assert not result.limits
    assert result.metrics["cover_sites"] == 2
    assert result.metrics["coverage_value"] == 12
    assert result.metrics["median_distance"] == 12_000
