"""Picking by rays: the right building, through what is hidden, on the ground, on lines and points."""

from __future__ import annotations

import numpy as np
import pytest

from app.view.camera import looking, project
from app.view.creases import crease_edges
from app.view.picking import Picker, grid_distance
from app.view.probe import element_hit, hover_info
from app.view.sky import build_sky_inputs
from geo.model import ElementTable, Grid, Layer, Lines, Mesh, Points, Style
from tests.app.view_scene import FRAME, box, buildings, ground, sun_grid, town, trees

SIZE = (400, 300)


def picker_of(*layers: Layer) -> Picker:
    picker = Picker(lambda work, done: done(work()))
    picker.prepare(layers)
    return picker


def at(camera, point):
    return tuple(project(camera, np.array([point]), SIZE)[0][0])


@pytest.fixture
def above():
    return looking(np.zeros(3), azimuth=0.0, pitch=-60.0, distance=300.0)


def test_a_ray_meets_the_right_building(above) -> None:
    layers = (ground(), town())
    picker = picker_of(*layers)
    for point, expected in (((-30.0, 0.0, 20.0), "b0"), ((30.0, 0.0, 10.0), "b1")):
        hit = element_hit(picker.pick(above, at(above, point), SIZE, layers=layers))
        assert hit.ref.element_id == expected
        np.testing.assert_allclose(hit.point, point, atol=0.01)


def test_a_hidden_building_is_looked_through(above) -> None:
    layers = (ground(), town(hidden=frozenset({"b0"})))
    picker = picker_of(*layers)
    hit = element_hit(picker.pick(above, at(above, (-30.0, 0.0, 20.0)), SIZE, layers=layers))
    assert hit.ref.layer_id == "ground"
    assert hit.point[2] == pytest.approx(0.0, abs=0.01)
    invisible = (ground(), town(visible=False))
    hit = element_hit(picker_of(*invisible).pick(above, at(above, (-30.0, 0.0, 20.0)), SIZE, layers=invisible))
    assert hit.layer.id == "ground"


def test_the_sky_is_nothing() -> None:
    low = looking(np.zeros(3), azimuth=0.0, pitch=-4.0, distance=300.0)
    layers = (ground(), town())
    assert picker_of(*layers).pick(low, (200.0, 3.0), SIZE, layers=layers) == []
    assert hover_info([], layers, frame=FRAME) is None


def test_trees_points_and_lines_can_be_hit(above) -> None:
    points = Layer(
        "sensors", "Sensors", "sensor", Points(np.array([[0.0, 40.0, 3.0]]), np.zeros(1)), ElementTable(["s0"])
    )
    line = Lines(np.array([[-80.0, 70.0, 0.5], [80.0, 70.0, 0.5]]), np.array([0, 2]), np.zeros(1))
    lines = Layer("road", "Road", "road", line, ElementTable(["r0"]))
    layers = (ground(), town(), trees(5), points, lines)
    picker = picker_of(*layers)
    for point, expected in (((0.0, -60.0, 6.0), "t2"), ((0.0, 40.0, 3.0), "s0"), ((33.0, 70.0, 0.5), "r0")):
        hit = element_hit(picker.pick(above, at(above, point), SIZE, layers=layers))
        assert hit.ref.element_id == expected


def test_a_point_behind_a_building_is_not_hit() -> None:
    low = looking(np.array([-30.0, 0.0, 5.0]), azimuth=0.0, pitch=-6.0, distance=150.0)
    sensor = Layer("s", "S", "sensor", Points(np.array([[-30.0, 40.0, 2.0]]), np.zeros(1)), ElementTable(["s0"]))
    layers = (town(), sensor)
    hit = element_hit(picker_of(*layers).pick(low, at(low, (-30.0, 40.0, 2.0)), SIZE, layers=layers))
    assert hit.ref.element_id == "b0"


def test_the_probe_tells_value_place_and_unit(above) -> None:
    layers = (ground(), town(), sun_grid(7.25))
    hits = picker_of(*layers).pick(above, at(above, (0.0, 0.0, 0.0)), SIZE, layers=layers)
    info = hover_info(hits, layers, frame=FRAME)
    assert (info.value, info.unit) == ("7.25", "h")
    assert info.value_text == "Hours of direct sun 7.25 h"
    assert info.easting == pytest.approx(FRAME.origin[0], abs=0.1)
    assert (info.longitude, info.latitude) == pytest.approx((127.325, 36.52), abs=0.01)


def test_a_result_cell_gives_the_value_and_its_wall_the_element(above) -> None:
    from geo.model import Field

    city = town()
    values = np.arange(len(city.geometry.faces), dtype=float)
    cells = Layer(
        "roofs",
        "Roofs",
        "result",
        city.geometry,
        city.table,
        (Field("sun_hours", "h", "face", values),),
        Style(colour_by="sun_hours"),
    )
    layers = (ground(), city, cells)
    hits = picker_of(*layers).pick(above, at(above, (-30.5, 0.0, 20.0)), SIZE, layers=layers)
    assert element_hit(hits).layer.id == "blocks"
    assert hover_info(hits, layers, frame=FRAME).value in ("8", "9")  # the two triangles of the first roof


def test_a_slope_is_met_where_it_is() -> None:
    rows = np.arange(200)
    grid = Grid(np.broadcast_to(rows[:, None] * 0.5, (200, 200)), 0.0, 0.0, 1.0)  # rises 0.5 m a metre northward
    origin, direction = np.array([100.0, -50.0, 60.0]), np.array([0.0, 1.0, 0.0])
    distance = grid_distance(grid, origin, direction)
    assert distance == pytest.approx(170.0, abs=0.05)
    assert grid_distance(grid, origin, np.array([0.0, -1.0, 0.0])) is None


def test_creases_of_a_box_are_its_twelve_edges() -> None:
    mesh = box(0, 0, size=(10, 10, 5))
    pairs, elements = crease_edges(mesh)
    assert len(pairs) == 12
    assert (elements == 0).all()
    assert len(crease_edges(mesh, feet=False)[0]) == 8
    loose = Mesh(mesh.vertices[mesh.faces].reshape(-1, 3), np.arange(36).reshape(-1, 3), np.zeros(12))
    assert len(crease_edges(loose)[0]) == 12  # the same for corners that are not shared


def test_the_light_knows_ground_roofs_and_shade() -> None:
    inputs = build_sky_inputs([ground(), town()])

    def cell(x: float, y: float) -> tuple[int, int]:
        return round((y - inputs.y0) / inputs.cell), round((x - inputs.x0) / inputs.cell)

    assert inputs.surface[cell(-30, 0)] == pytest.approx(20.0)
    assert inputs.surface[cell(30, 0)] == pytest.approx(10.0)
    assert inputs.ground[cell(-30, 0)] == pytest.approx(0.0)
    assert inputs.ground_view[cell(-17, 0)] < 0.75 < inputs.ground_view[cell(-60, 50)]
    assert inputs.roof_view[cell(-30, 0)] > 0.95
    hidden = build_sky_inputs([ground(), town(hidden=frozenset({"b0"}))])
    assert hidden.surface[round(-hidden.y0 / hidden.cell), round((-30 - hidden.x0) / hidden.cell)] == 0.0
    assert build_sky_inputs([]) is None
    assert build_sky_inputs([buildings([box(0, 0, size=(5, 5, 5))], visible=False)]) is None
