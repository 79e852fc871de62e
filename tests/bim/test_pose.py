"""A model is moved in the scene, opens again where it was put, and is written as a georeferenced copy."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from bim.formats.ifc import FORMAT
from bim.georeference_write import write_georeferenced
from bim.placement import IfcOptions
from geo.crs import make_frame
from geo.formats.contract import ReadOptions
from geo.model import Feedback, Layer, Mesh, UserError
from geo.overlap import covered_shares
from geo.pose import Pose, moved, pose_of, two_point_pose
from tests.tiny import buildings

FRAME = make_frame("EPSG:5186", 229100.0, 435800.0)


def read(path: Path, **own: object) -> list[Layer]:
    return FORMAT.read(path, FRAME, ReadOptions(own=IfcOptions(**own)), Feedback())  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["AC20-FZK-Haus.ifc", "BIMWhale_TallBuilding.ifc"])
def test_a_moved_model_opens_again_where_it_was_put(shared_data: Path, name: str) -> None:
    path = shared_data / "ifc" / name
    before = read(path, placement="scene")
    pose, said = pose_of(before)  # type: ignore[misc]
    assert int(str(said["level"])) == 20
    after = Pose(229180.25, 435912.5, 31.0, 213.7)
    shown = [moved(layer, pose, after, FRAME) for layer in before]
    again = read(path, **shown[0].source.options["own"])  # type: ignore[arg-type]
    for mine, theirs in zip(shown, again, strict=True):
        if isinstance(mine.geometry, Mesh):
            np.testing.assert_allclose(mine.geometry.vertices, theirs.geometry.vertices, atol=1e-6)  # type: ignore[union-attr]
    assert dataclasses.astuple(pose_of(again)[0]) == pytest.approx(dataclasses.astuple(after))  # type: ignore[index]


def test_two_points_fix_shift_and_turn() -> None:
    pose = Pose(229100.0, 435800.0, 10.0, 0.0)
    model = np.array([[5.0, 0.0, 10.0], [25.0, 0.0, 10.0]])
    ground = np.array([[100.0, 50.0, 40.0], [100.0, 70.5, 43.0]])  # along grid north, half a metre longer
    after, misfit = two_point_pose(pose, FRAME, model, ground)
    assert misfit == pytest.approx(0.5)
    assert after.rotation_deg == pytest.approx(270.0)  # the model's x axis now points north
    # The zero point was 5 m west of the first point along the model's x axis: now 5 m south of it.
    np.testing.assert_allclose(after.local(FRAME), [100.0, 45.0, 40.0], atol=1e-9)


def test_one_point_twice_is_refused() -> None:
    with pytest.raises(UserError) as told:
        two_point_pose(Pose(0, 0, 0, 0), FRAME, np.zeros((2, 3)), np.ones((2, 3)))
    assert told.value.code == "pose.one_point"


@pytest.mark.parametrize("name", ["AC20-FZK-Haus.ifc", "Duplex_A_20110907_georeferenced.ifc", "Duplex_Electrical.ifc"])
def test_the_copy_says_where_it_stands(shared_data: Path, tmp_path: Path, name: str) -> None:
    pose = Pose(229180.25, 435912.5, 31.0, 213.7)
    target = tmp_path / "copy.ifc"
    source = shared_data / "ifc" / name
    untouched = source.read_bytes()
    write_georeferenced(source, target, pose=pose, frame=FRAME)
    assert source.read_bytes() == untouched
    found = pose_of(read(target))
    assert found is not None
    assert found[1]["level"] == 50
    got = found[0]
    assert (got.east, got.north, got.height) == pytest.approx((pose.east, pose.north, pose.height), abs=1e-3)
    assert got.rotation_deg == pytest.approx(pose.rotation_deg, abs=1e-6)


def test_the_original_is_never_replaced(shared_data: Path) -> None:
    source = shared_data / "ifc" / "AC20-FZK-Haus.ifc"
    with pytest.raises(UserError) as told:
        write_georeferenced(source, source, pose=Pose(0, 0, 0, 0), frame=FRAME)
    assert told.value.code == "ifc.copy_on_itself"


def test_the_block_a_model_stands_on_is_found() -> None:
    # Boxes: west, south, base, width, depth, height as the tiny city has them.
    city = buildings([(0, 0, 0, 20, 10, 12), (40, 0, 0, 20, 10, 12), (18, 0, 0, 20, 10, 12)])
    model = buildings([(1, 1, 0, 18, 8, 30)]).geometry
    shares = covered_shares(model, city)  # type: ignore[arg-type]
    assert shares[0] > 0.8
    assert shares[1] == 0.0
    assert shares[2] < 0.2
