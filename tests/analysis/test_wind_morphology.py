"""Built share, frontal area by direction and roughness of a city."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.registry import get
from analysis.run import execute
from analysis.wind import morphology, voxels
from analysis.wind.terrain import Ground
from geo.model import Column, ElementTable, Feedback, Grid, Layer, Mesh, UserError
from tests.tiny import box_mesh, buildings, terrain, tiny_frame

Box = tuple[float, float, float, float, float, float]
STUDY = "wind.morphology"


def form(
    boxes: list[Box], wind_from: list[float], *, cell: float = 100.0, fine: float = 1.0, turn: float = 0.0,
    low: float = -50.0, high: float = 50.0,
) -> morphology.Form:  # fmt: skip
    mesh, _ = box_mesh(boxes)
    a = np.radians(turn)
    matrix = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    mesh = Mesh(mesh.vertices @ matrix.T, mesh.faces, mesh.face_element)
    solids = voxels.solids_of([Layer("m", "M", "building", mesh)])
    cells = morphology.cells_over(np.full(2, low), np.full(2, high), cell)
    opposite = [*wind_from, *(angle + 180.0 for angle in wind_from)]
    return morphology.form_of(
        solids, Ground(plain=0.0), cells, opposite, fine=fine, podium=15.0, feedback=Feedback()
    )  # fmt: skip


BOX: list[Box] = [(-10.0, -20.0, 0.0, 20.0, 40.0, 30.0)]


@pytest.mark.parametrize("angle", [0.0, 22.5, 45.0, 67.5, 90.0])
def test_frontal_area_of_a_box_is_its_projection(angle: float) -> None:
    """Width across the wind from `angle`: 20 |cos| + 40 |sin|; the same from the other side."""
    found = form(BOX, [angle])
    a = np.radians(angle)
    width = 20.0 * abs(np.cos(a)) + 40.0 * abs(np.sin(a))
    np.testing.assert_allclose(found.frontal.sum(axis=(1, 2)), width * 30.0 / 1e4, rtol=0.03)
    np.testing.assert_allclose(found.podium.sum(axis=(1, 2)), width * 15.0 / 1e4, rtol=0.03)
    assert found.built.sum() == pytest.approx(20 * 40 / 1e4)
    assert found.height.max() == pytest.approx(30.0)


def test_frontal_area_turns_with_the_city() -> None:
    straight, turned = form(BOX, [30.0, 75.0]), form(BOX, [20.0, 65.0], turn=10.0)
    np.testing.assert_allclose(turned.frontal, straight.frontal, rtol=0.03)


def test_what_a_neighbour_touches_is_no_wall() -> None:
    """Two blocks wall to wall, two with a gap between them, and a lower one in front of a higher."""
    alone = form([(-10.0, -10.0, 0.0, 20.0, 20.0, 20.0)], [270.0]).frontal.sum(axis=(1, 2))
    joined = form([(-10.0, -10.0, 0.0, 10.0, 20.0, 20.0), (0.0, -10.0, 0.0, 10.0, 20.0, 20.0)], [270.0])
    apart = form([(-30.0, -10.0, 0.0, 20.0, 20.0, 20.0), (10.0, -10.0, 0.0, 20.0, 20.0, 20.0)], [270.0])
    lower = form([(-20.0, -10.0, 0.0, 20.0, 20.0, 8.0), (0.0, -10.0, 0.0, 20.0, 20.0, 20.0)], [270.0])
    np.testing.assert_allclose(joined.frontal.sum(axis=(1, 2)), alone)
    np.testing.assert_allclose(apart.frontal.sum(axis=(1, 2)), 2 * alone)
    np.testing.assert_allclose(lower.frontal.sum(axis=(1, 2)), alone)


def test_walls_count_where_they_face_the_wind() -> None:
    """A box across four cells of 25 m: wind from the west meets its west wall, from the east its east wall."""
    found = form([(-20.0, -5.0, 0.0, 40.0, 10.0, 12.0)], [270.0], cell=25.0)
    west, east = found.frontal.sum(axis=1)
    assert west[:2].sum() == pytest.approx(10 * 12 / 625)
    assert west[2:].sum() == 0.0
    assert east[2:].sum() == pytest.approx(10 * 12 / 625)
    assert east[:2].sum() == 0.0


def test_a_cubic_array_has_its_textbook_densities() -> None:
    """Cubes of 10 m every 20 m: lambda_p = lambda_f = 0.25, and Macdonald's values for staggered arrays."""
    cubes: list[Box] = [(x, y, 0.0, 10.0, 10.0, 10.0) for x in range(-95, 100, 20) for y in range(-95, 100, 20)]
    found = form(cubes, [0.0], low=-100.0, high=100.0, cell=200.0)
    assert found.built[0, 0] == pytest.approx(0.25)
    np.testing.assert_allclose(found.frontal, 0.25)
    rough = morphology.macdonald(found.built, found.frontal[0], found.height, ground=0.01)
    share = 1 + 4.43**-0.25 * (0.25 - 1)
    length = (1 - share) * np.exp(-((0.5 * 1.2 / 0.16 * (1 - share) * 0.25) ** -0.5))
    assert rough.displacement[0, 0] == pytest.approx(10 * share)
    assert rough.length[0, 0] == pytest.approx(10 * length)
    assert share == pytest.approx(0.483, abs=0.001)
    assert length == pytest.approx(0.123, abs=0.003)  # their figure 6: a little above 0.12 at 0.25


def test_roughness_at_its_ends() -> None:
    built, frontal = np.array([0.0, 0.0, 1.0, 0.15]), np.array([0.0, 0.1, 0.3, 0.15])
    rough = morphology.macdonald(built, frontal, np.array([0.0, 10.0, 10.0, 10.0]), ground=0.03)
    assert rough.displacement[0] == 0.0
    assert rough.length[0] == 0.03
    assert rough.displacement[2] == pytest.approx(10.0)
    assert rough.length[2] == 0.03, "covered all over it is smooth again"
    assert np.isfinite(rough.length).all()
    assert rough.length[3] > rough.length[2]


def run(layers: list[Layer], **params: object):  # noqa: ANN201
    return execute(get(STUDY), layers=layers, frame=tiny_frame(), params=params)


def weather(*directions: float) -> Layer:
    count = 6000
    wind_from = np.resize(np.array(directions), count)
    columns = {"wind_speed": Column(np.full(count, 4.0), "m/s"), "wind_from": Column(wind_from, "deg")}
    return Layer("hours", "Hours", "other", None, ElementTable([str(k) for k in range(count)], columns))


def test_the_rose_weighs_the_directions() -> None:
    """A slab 60 m long from west to east: a wind from the north meets it all, one from the west its end."""
    slab = buildings([(-30.0, -5.0, 20.0, 60.0, 10.0, 15.0)])
    north = run([terrain(), slab, weather(0.0, 359.5, 0.5)])
    west = run([terrain(), slab, weather(270.0)])
    evenly = run([terrain(), slab])
    assert float(north.summary["frontal_index"].value) > 3 * float(west.summary["frontal_index"].value)  # type: ignore[arg-type]
    assert {issue.code for issue in evenly.issues} >= {"wind.no_weather"}
    assert "wind.no_weather" not in {issue.code for issue in north.issues}
    assert north.summary["most_frontal"].value in ("N", "S", "NNW", "SSE", "NNE", "SSW")
    assert north.summary["least_frontal"].value in ("E", "W")
    assert north.tables[0].columns["wind_share"].values[0] == pytest.approx(100.0)


def test_heights_count_from_the_ground_and_not_from_the_sea() -> None:
    low = run([terrain(height=20.0), buildings()], raster=1.0)
    high = run(
        [
            terrain(height=320.0),
            buildings([(-10.0, -10.0, 320.0, 20.0, 12.0, 30.0), (30.0, 10.0, 320.0, 15.0, 15.0, 9.0)]),
        ],
        raster=1.0,
    )
    for name in ("mean_height", "frontal_index", "built_share"):
        assert low.summary[name].value == high.summary[name].value
    assert low.summary["mean_height"].value == pytest.approx(
        (20 * 12 * 30 + 15 * 15 * 9) / (20 * 12 + 15 * 15), rel=0.03
    )


def test_area_by_place_and_by_corners() -> None:
    frame = tiny_frame()
    e, n = frame.origin[:2]
    one = run([terrain(), buildings()], area="b1", size=100.0, cell=25.0).layers[0].geometry
    assert isinstance(one, Grid)
    assert one.values.shape == (4, 4)
    assert one.x0 == pytest.approx(37.5 - 37.5)
    two = run([terrain(), buildings()], area=f"{e}, {n}; {e + 50}, {n + 75}", cell=25.0).layers[0].geometry
    assert isinstance(two, Grid)
    assert two.values.shape == (3, 2)


def test_no_buildings_and_too_fine_rasters_are_users_errors() -> None:
    with pytest.raises(UserError) as caught:
        run([terrain()])
    assert caught.value.code == "wind.morphology.no_buildings"
    far = buildings([(0.0, 0.0, 20.0, 10.0, 10.0, 5.0), (30_000.0, 30_000.0, 20.0, 10.0, 10.0, 5.0)])
    with pytest.raises(UserError) as caught:
        run([terrain(), far], raster=0.5)
    assert caught.value.code == "wind.morphology.too_fine"


def test_every_field_has_a_korean_name() -> None:
    from resources import load_json

    korean = load_json("translations/ko/wind_morphology.json")
    result = run([terrain(), buildings()])
    assert all(f"field.{field.name}" in korean for field in result.layers[0].fields)
    assert all(f"field.{name}" in korean for name in result.tables[0].columns)
    assert all(f"{STUDY}.summary.{name}" in korean for name in result.summary)
    assert all(f"{STUDY}.assumption.{k}" in korean for k in range(len(result.assumptions)))


def test_a_real_city_in_korea(shared_data: Path) -> None:
    """The built share of the raster is the area of the footprints, of which some lie on others, joined."""
    import shapely

    from tests.analysis.test_wind_domain_ground import read_city

    layers = read_city(shared_data / "city" / "kr_footprint-with-height.geojson")
    result = run(layers, directions="8", cell=50.0)
    corners = voxels.solids_of(layers).triangles[:, :, :2]
    footprints = shapely.union_all(
        shapely.polygons(np.concatenate([corners, corners[:, :1]], axis=1)).tolist(), grid_size=0.001
    )
    grid = result.layers[0].geometry
    assert isinstance(grid, Grid)
    share = 100.0 * footprints.area / (grid.values.size * grid.cell**2)
    assert result.summary["built_share"].value == pytest.approx(share, rel=0.01)
