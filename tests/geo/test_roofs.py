"""Pitched roofs: closed, looking outward, of the volume their formula gives; and footprints that say eave and ridge."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
import trimesh

from geo import buildings, roofs
from geo.crs import make_frame
from geo.formats import vector
from geo.formats.contract import ReadOptions
from geo.model import Feedback, Layer, Mesh

SEJONG = make_frame("EPSG:5186", 229_000, 435_500)
LONG, WIDE, EAVE, RIDGE = 20.0, 8.0, 6.0, 9.0
RISE = RIDGE - EAVE
BODY = LONG * WIDE * EAVE
HIP_ENDS = WIDE * WIDE * RISE / 3
INSET = WIDE / 4  # of the gables of a hip-and-gable roof that begin at half the rise
VOLUMES = {
    "gable": BODY + LONG * WIDE * RISE / 2,
    "hip": BODY + (LONG - WIDE) * WIDE * RISE / 2 + HIP_ENDS,
    "pyramid": BODY + LONG * WIDE * RISE / 3,
    "hip-and-gable": BODY + (LONG - 2 * INSET) * WIDE * RISE / 2 + 2 * RISE * (INSET**2 - 2 * INSET**3 / (3 * WIDE)),
}


def turned(x: float, y: float, degrees: float = 0.0, long: float = LONG, wide: float = WIDE) -> shapely.Polygon:
    box = shapely.box(x, y, x + long, y + wide)
    return shapely.orient_polygons(shapely.affinity.rotate(box, degrees), exterior_cw=False)


def solid(mesh: Mesh, element: int) -> trimesh.Trimesh:
    """One element, its equal corners joined: closed only if every edge has its two faces."""
    found = trimesh.Trimesh(mesh.vertices, mesh.faces[mesh.face_element == element], process=False)
    found.merge_vertices()
    return found


@pytest.mark.parametrize("degrees", [0.0, 37.0, 120.0])
def test_every_roof_is_closed_and_has_the_volume_of_its_formula(degrees: float) -> None:
    plans = np.array([turned(40.0 * k, 5.0, degrees) for k in range(4)], object)
    corners, fits = roofs.rectangles(plans)
    assert fits.all()
    names = np.array(list(VOLUMES), object)
    mesh, codes = roofs.roofed(corners, 10.0, EAVE, RIDGE, names)
    found = buildings.volume(mesh, 4)
    for row, name in enumerate(names):
        body = solid(mesh, row)
        assert body.is_watertight, name
        assert body.is_winding_consistent, name
        assert found[row] == pytest.approx(VOLUMES[name], rel=1e-9), name
        assert body.bounds[:, 2] == pytest.approx([10.0, 10.0 + RIDGE])
    up = mesh.face_normal[:, 2]
    assert (up[codes == buildings.ROOF] > 0.1).all()
    assert (up[codes == buildings.GROUND] < -0.99).all()
    np.testing.assert_allclose(up[codes == buildings.WALL], 0.0, atol=1e-9)
    plan_of_roofs = (mesh.face_area * up)[codes == buildings.ROOF].sum()
    assert plan_of_roofs == pytest.approx(4 * LONG * WIDE)


def test_hip_over_a_square_is_a_pyramid_and_other_plans_carry_none() -> None:
    square = turned(0, 0, 20.0, 10.0, 10.0)
    bent = shapely.Polygon([(0, 0), (20, 0), (20, 5), (8, 5), (8, 12), (0, 12)])
    skew = shapely.Polygon([(0, 0), (20, 0), (14, 8), (6, 8)])
    holed = shapely.Polygon(turned(0, 0).exterior, [shapely.box(8, 3, 10, 5).exterior.coords[::-1]])
    corners, fits = roofs.rectangles(np.array([square, bent, skew, holed], object))
    assert fits.tolist() == [True, False, False, False]
    mesh, _ = roofs.roofed(corners[:1], 0.0, 3.0, 6.0, np.array(["hip"], object))
    assert solid(mesh, 0).is_watertight
    assert buildings.volume(mesh, 1)[0] == pytest.approx(10 * 10 * 3 + 10 * 10 * 3 / 3)


def footprints(path: Path, shapes: list, columns: dict[str, list]) -> Layer:
    moved = shapely.transform(np.array(shapes, object), lambda c: c + (229_000, 435_500))
    data = [np.array(values, dtype=object if isinstance(values[0], str) else float) for values in columns.values()]
    pyogrio.raw.write(
        str(path), shapely.to_wkb(moved), data, list(columns), crs="EPSG:5186", geometry_type="Polygon", driver="GPKG"
    )
    (layer,) = vector.read(path, SEJONG, ReadOptions(kind="building"), Feedback())
    return layer


def test_footprints_with_eave_and_ridge_get_their_roofs(tmp_path: Path) -> None:
    bent = shapely.Polygon([(0, 60), (20, 60), (20, 65), (8, 65), (8, 72), (0, 72)])
    shapes = [*(turned(40.0 * k, 0.0, 15.0 * k) for k in range(6)), bent]
    layer = footprints(
        tmp_path / "houses.gpkg",
        shapes,
        {
            "처마높이": [EAVE] * 6 + [5.0],
            "용마루높이": [RIDGE] * 4 + [4.0, RIDGE, 8.0],
            "지붕형태": ["맞배지붕", "우진각", "팔작지붕", "", "맞배", "평지붕", "박공"],
        },
    )
    assert isinstance(layer.geometry, Mesh)
    found = buildings.volume(layer.geometry, 7)
    expected = [VOLUMES["gable"], VOLUMES["hip"], VOLUMES["hip-and-gable"], VOLUMES["gable"], BODY, BODY, bent.area * 5]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert all(solid(layer.geometry, row).is_watertight for row in range(7))
    used = layer.table.columns["roof_used"].values.tolist()
    assert used == ["gable", "hip", "hip-and-gable", "gable", "flat", "flat", "flat"]
    issues = {issue.code: issue.count for issue in layer.issues}
    assert issues["roofs.shape_assumed"] == 1
    assert issues["roofs.upside_down"] == issues["roofs.no_rectangle"] == 1


def test_height_and_rise_of_openstreetmap_make_a_roof_and_unknown_shapes_are_told(tmp_path: Path) -> None:
    layer = footprints(
        tmp_path / "osm.gpkg",
        [turned(0, 0), turned(40, 0), turned(80, 0)],
        {"height": [RIDGE] * 3, "roof:height": [RISE, RISE, np.nan], "roof:shape": ["hipped", "mansard", "gabled"]},
    )
    assert isinstance(layer.geometry, Mesh)
    found = buildings.volume(layer.geometry, 3)
    np.testing.assert_allclose(found, [VOLUMES["hip"], LONG * WIDE * RIDGE, LONG * WIDE * RIDGE])
    issues = {issue.code: issue.count for issue in layer.issues}
    assert issues["roofs.shape_unknown"] == issues["roofs.no_heights"] == 1


def test_only_a_shape_or_absurd_heights_change_nothing(tmp_path: Path) -> None:
    layer = footprints(
        tmp_path / "bad.gpkg",
        [turned(0, 0), turned(40, 0), turned(80, 0)],
        {"eave_height": [np.nan, -3.0, 1e9], "ridge_height": [np.inf, 5.0, 2e9], "roof_type": ["gable"] * 3},
    )
    assert isinstance(layer.geometry, Mesh)
    np.testing.assert_allclose(buildings.volume(layer.geometry, 3), LONG * WIDE * np.array([3.0, 5.0, 3.0]))
