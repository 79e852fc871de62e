"""Real models with every kind of harm, and copies written where nothing can be written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bim.georeference_write import write_georeferenced
from geo.crs import make_frame
from geo.model import UserError
from geo.pose import Pose
from tests.hostile import harmed

FRAME = make_frame("EPSG:5186", 229_000.0, 435_500.0)
POSE = Pose(229_000.0, 435_500.0, 20.0, 10.0)


@pytest.mark.parametrize("count", [11, pytest.param(110, marks=pytest.mark.slow)])
def test_no_harm_surprises_the_reader(
    tmp_path: Path, shared_data: Path, outcomes_in_child: Callable[[list[Path], int], dict[str, list[str]]], count: int
) -> None:
    data = (shared_data / "ifc" / "geolocation-mapconversion.ifc").read_bytes()
    paths = [tmp_path / f"모형 {seed}.ifc" for seed in range(count)]
    for seed, path in enumerate(paths):
        path.write_bytes(harmed(data, 100 + seed))
    found = outcomes_in_child(paths, 30)
    assert len(found) == count
    assert not {name: what for name, what in found.items() if any(o.startswith("BUG") for o in what)}


def test_a_copy_that_cannot_be_written_is_said_and_leaves_nothing(tmp_path: Path, shared_data: Path) -> None:
    source = shared_data / "ifc" / "geolocation-mapconversion.ifc"
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.ifc").mkdir()
    for target in (tmp_path / "none" / "o.ifc", tmp_path / "file" / "o.ifc", tmp_path / "folder.ifc"):
        with pytest.raises(UserError) as caught:
            write_georeferenced(source, target, pose=POSE, frame=FRAME)
        assert caught.value.code == "ifc.copy_not_written"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["file", "folder.ifc"]


def test_a_full_disk_keeps_the_copy_of_before(
    tmp_path: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = shared_data / "ifc" / "geolocation-mapconversion.ifc", tmp_path / "집 모형.ifc"
    write_georeferenced(source, target, pose=POSE, frame=FRAME)
    before = target.read_bytes()

    def cut_short(_file: object, copy: str) -> None:
        Path(copy).write_bytes(before[: len(before) // 2])

    monkeypatch.setattr("ifcopenshell.file.write", cut_short)
    with pytest.raises(UserError, match="not whole"):
        write_georeferenced(source, target, pose=POSE, frame=FRAME)
    assert target.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == [target.name]
