"""Seeing the underground: the form of pipes, the x-ray hole, picking, the trench, the section drawing."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTreeXml

import numpy as np
import pytest

from app.theme import theme_named
from app.view.camera import Camera, looking, project
from app.view.pipe_picking import capsule_distances, pipe_hit
from app.view.sweep import Sweep, paths_of, swept_boxes, swept_tubes
from app.view.xray import XRay
from geo.model import Column, ElementTable, Instances, Layer, Lines, Points, UserError
from tests.app.view_scene import FRAME, box, buildings, ground, need_graphics, trees

SIZE = (240, 180)
ABOVE = looking(np.array([0.0, 0.0, -2.0]), azimuth=0.0, pitch=-60.0, distance=60.0)
HOLE = XRay((0.0, 0.0), 8.0, 13.0)


def lines_of(*polylines: list[tuple[float, float, float]]) -> Lines:
    counts = [len(points) for points in polylines]
    return Lines(
        np.concatenate([np.array(p, float) for p in polylines]), np.cumsum([0, *counts]), np.arange(len(counts))
    )


def pipes(lines: Lines, kinds: list[str], diameter: list[float], **columns: list[object]) -> Layer:
    count = len(kinds)
    table = {"utility": Column(np.array(kinds, object)), "diameter": Column(np.array(diameter, float), "m")}
    table |= {name: Column(np.array(values)) for name, values in columns.items()}
    return Layer(
        "pipes", "Pipes", "utility", lines, ElementTable([f"p{k}" for k in range(count)], table), stratum="underground"
    )


def water() -> Layer:
    """A water main of one metre, two metres below the ground, along x."""
    return pipes(lines_of([(-30, 0, -2), (30, 0, -2)]), ["water"], [1.0])


def swept(lines: Lines, radius: float, sides: int = 12) -> Sweep:
    nothing = np.full(len(lines.line_element), np.nan)
    return swept_tubes(paths_of(lines, np.full(len(nothing), radius), nothing, nothing), sides=sides)


def area_and_volume(sweep: Sweep) -> tuple[float, float]:
    a, b, c = (sweep.vertices[sweep.faces[:, k]].astype(float) for k in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2), float((a * np.cross(b, c)).sum() / 6)


# -- the form


@pytest.mark.parametrize(
    ("line", "length"),
    [
        ([(0, 0, 0), (10, 0, 0)], 10),
        ([(0, 0, 0), (10, 0, 0), (10, 5, 0)], 15),
        ([(0, 0, 0), (10, 0, 0), (10, 5, 0), (10, 5, 4)], 19),  # the last leg is upright
        ([(0, 0, 0), (0, 0, 9)], 9),
    ],
)
def test_a_mitred_tube_has_the_area_and_volume_of_its_length(line, length) -> None:
    sides, radius = 12, 0.5
    around = 2 * sides * radius * math.sin(math.pi / sides)
    section = sides / 2 * radius**2 * math.sin(2 * math.pi / sides)
    area, volume = area_and_volume(swept(lines_of(line), radius, sides))
    assert area == pytest.approx(around * length + 2 * section, rel=1e-5)
    assert volume == pytest.approx(section * length, rel=1e-5)  # positive: faces look outward


def test_sharp_bends_and_lines_of_no_length_leave_no_nonsense() -> None:
    lines = lines_of(
        [(0, 0, 0), (10, 0, 0), (1, 0.1, 0), (1, 0.1, 0)],
        [(3, 3, 3), (3, 3, 3)],
        [(0, 0, 0), (float("nan"), 0, 0), (0, 4, 0)],
        [(5, 5, 0), (9, 5, 0), (5, 5, 0)],
    )
    sweep = swept(lines, 0.2)
    assert np.isfinite(sweep.vertices).all()
    assert set(sweep.trace[:, 0].astype(int)) == {0, 2, 3}
    low, high = sweep.vertices.min(axis=0), sweep.vertices.max(axis=0)
    assert (low >= -0.41).all()  # no mitre reaches far out
    assert (high <= (10.41, 5.41, 0.41)).all()


def test_every_corner_of_a_tube_lies_at_its_radius() -> None:
    rng = np.random.default_rng(4)
    line = np.cumsum(rng.normal(size=(40, 3)) * (8, 8, 3), axis=0)
    sweep = swept(lines_of(line.tolist()), 0.3)
    start, stop = line[:-1], line[1:]
    unit = (stop - start) / np.linalg.norm(stop - start, axis=1, keepdims=True)
    offset = sweep.vertices[:, None].astype(float) - start
    apart = np.linalg.norm(offset - (offset * unit).sum(axis=2)[..., None] * unit, axis=2)
    assert np.abs(apart - 0.3).min(axis=1).max() < 2e-5  # on the cylinder about one of the axes


def test_a_tunnel_keeps_its_roof_level() -> None:
    lines = lines_of([(0, 0, -3), (10, 0, -3), (10, 10, -3)])
    one = np.ones(1)
    sweep = swept_boxes(paths_of(lines, one, 1.5 * one, 1.2 * one))
    assert sorted({round(float(z), 4) for z in sweep.vertices[:, 2]}) == [-4.2, -1.8]


# -- picking


def test_distances_to_capsules_agree_with_marching_along_the_ray() -> None:
    rng = np.random.default_rng(7)
    start, stop = rng.normal(size=(300, 3)) * 4, rng.normal(size=(300, 3)) * 4
    radius = rng.uniform(0.1, 2.0, 300)
    origin, direction = np.array([0.0, -20.0, 3.0]), np.array([0.1, 1.0, -0.15])
    direction /= np.linalg.norm(direction)
    met = capsule_distances(origin, direction, start, stop, radius)[:, 0]
    place = np.linspace(0, 45, 45_001)
    points = origin + place[:, None] * direction
    for k in range(0, 300, 6):
        axis = stop[k] - start[k]
        share = np.clip((points - start[k]) @ axis / (axis @ axis), 0, 1)
        inside = np.linalg.norm(points - start[k] - share[:, None] * axis, axis=1) <= radius[k]
        if inside.any():
            assert met[k] == pytest.approx(place[inside.argmax()], abs=2e-3)
        else:
            assert np.isinf(met[k])


def test_a_ray_hits_the_pipe_and_what_runs_in_a_tunnel_before_the_tunnel() -> None:
    lines = lines_of([(-30, 0, -4), (30, 0, -4)], [(-30, 0.3, -4.5), (30, 0.3, -4.5)], [(-30, 8, -4), (30, 8, -4)])
    layer = pipes(
        lines, ["tunnel", "heat", "gas"], [np.nan, 0.4, 0.2], width=[3.0, np.nan, np.nan], height=[2.4, np.nan, np.nan]
    )
    down = np.array([0.0, 0.0, -1.0])
    hit = pipe_hit(layer, np.array([2.0, 0.3, 50.0]), down, pixel=1e-4, reach=(1.7, 7.0))
    assert hit is not None
    assert (hit.element, hit.distance) == (1, pytest.approx(54.3))
    beside = pipe_hit(layer, np.array([2.0, 1.0, 50.0]), down, pixel=1e-4, reach=(1.7, 7.0))
    assert beside is not None
    assert beside.element == 0
    assert pipe_hit(layer, np.array([2.0, 5.0, 50.0]), down, pixel=1e-4, reach=(1.7, 7.0)) is None


def picked(layers: list[Layer], point: tuple[float, float, float], xray: XRay | None, camera: Camera = ABOVE) -> str:
    from app.view.picking import Picker

    picker = Picker(lambda work, done: done(work()))
    picker.prepare(layers)
    pixel = project(camera, np.array([point], float), SIZE)[0][0]
    hits = picker.pick(camera, tuple(pixel), SIZE, layers=layers, xray=xray)
    return f"{hits[0].ref.layer_id}/{hits[0].ref.element_id}" if hits else ""


def test_picking_means_the_pipe_through_the_hole_and_the_ground_without_it() -> None:
    layers = [ground(), buildings([box(-6, -6, size=(12, 3, 8))]), water()]
    assert picked(layers, (0, 0, -2), None) != "pipes/p0"
    assert picked(layers, (5, 0, -2), HOLE) == "pipes/p0"
    assert picked(layers, (0, 0, -2), HOLE) == "pipes/p0"  # through a building of glass
    assert picked(layers, (17, 0, 0), HOLE) == "ground/"  # the ground is whole there


# -- pixels


@pytest.fixture
def _graphics() -> None:
    need_graphics()


def drawn(*layers: Layer, camera: Camera = ABOVE, **more: object) -> np.ndarray:
    from app.view.offscreen import render_picture

    picture = render_picture(
        layers,
        FRAME,
        size=SIZE,
        view=camera,
        theme=theme_named("light"),
        legend=False,
        north=False,
        scale=False,
        **more,
    )
    return np.asarray(picture).astype(float)


def seen(pixels: np.ndarray, point: tuple[float, float, float], camera: Camera = ABOVE) -> np.ndarray:
    x, y = project(camera, np.array([point], float), SIZE)[0][0]
    return pixels[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2].mean(axis=(0, 1))


def is_blue(colour: np.ndarray) -> bool:
    return bool(colour[2] > colour[0] + 50)


@pytest.mark.gl
@pytest.mark.usefixtures("_graphics")
def test_the_pipe_shows_through_the_hole_only() -> None:
    closed, opened = drawn(ground(), water()), drawn(ground(), water(), xray=HOLE)
    place = (1.0, 0.0, -1.5)
    assert not is_blue(seen(closed, place))
    assert is_blue(seen(opened, place))
    assert not is_blue(seen(opened, (17.0, 0.0, -1.5)))
    floor = seen(opened, (0.0, 7.0, -6.0))
    assert floor.mean() < 110  # the dark floor of the pit


@pytest.mark.gl
@pytest.mark.usefixtures("_graphics")
def test_buildings_in_the_hole_are_glass_and_trees_are_gone() -> None:
    tower = buildings([box(-5, -9, size=(10, 4, 9))])
    wood = trees(3)
    middle = wood.geometry.transform.copy()
    middle[1, 1, 3] = -4.0  # before the pipe
    wood = wood.with_(geometry=Instances(wood.geometry.shapes, wood.geometry.shape, middle, wood.geometry.element))
    pixels = drawn(ground(), tower, wood, water(), xray=HOLE)
    assert is_blue(seen(pixels, (0.0, 0.0, -1.5)))  # behind the building
    assert not is_blue(seen(drawn(ground(), tower, wood, water(), xray=HOLE.at((0.0, 60.0))), (0.0, 0.0, -1.5)))


@pytest.mark.gl
@pytest.mark.usefixtures("_graphics")
def test_from_below_the_ground_hides_no_pipe() -> None:
    camera = looking(np.array([0.0, 0.0, -2.0]), azimuth=0.0, pitch=40.0, distance=40.0)
    pixels = drawn(ground(), water(), camera=camera)
    assert is_blue(seen(pixels, (1.0, 0.0, -2.4), camera))


@pytest.mark.gl
@pytest.mark.usefixtures("_graphics")
def test_a_trench_opens_the_ground_inside_it() -> None:
    from app.view.trench import Trench

    pixels = drawn(ground(), water(), trench=Trench((2.0, -12.0), (2.0, 12.0), 6.0, 5.0))
    assert is_blue(seen(pixels, (2.0, 0.0, -1.5)))
    assert not is_blue(seen(pixels, (12.0, 0.0, -1.5)))


@pytest.mark.gl
@pytest.mark.usefixtures("_graphics")
def test_far_pipes_are_lines_in_the_same_colour_and_hidden_ones_are_gone() -> None:
    far = looking(np.array([0.0, 0.0, -2.0]), azimuth=0.0, pitch=-60.0, distance=3000.0)
    cable = pipes(lines_of([(-300, 0, -2), (300, 0, -2)], [(-300, 90, -2), (300, 90, -2)]), ["gas", "gas"], [0.1, 0.1])
    pixels = drawn(cable, camera=far)
    hidden = drawn(cable.with_(style=cable.style.__class__(hidden=frozenset({"p1"}))), camera=far)
    assert seen(pixels, (0, 90, -2), far)[2] < seen(pixels, (0, 45, -2), far)[2] - 40  # yellow on a pale sky
    assert seen(hidden, (0, 90, -2), far)[2] > seen(pixels, (0, 90, -2), far)[2] + 40
    assert seen(hidden, (0, 0, -2), far)[2] == pytest.approx(seen(pixels, (0, 0, -2), far)[2], abs=3)


@pytest.mark.gl
@pytest.mark.usefixtures("_graphics")
def test_pipes_close_under_the_ground_do_not_shine_through_it_from_far_off() -> None:
    rows = np.linspace(-900.0, 900.0, 37)
    lines = lines_of(*([(-900, float(y), -0.8), (900, float(y), -0.8)] for y in rows))
    shallow = pipes(lines, ["water"] * len(rows), [0.3] * len(rows))
    far = looking(np.zeros(3), azimuth=20.0, pitch=-38.0, distance=4_400.0)
    bare = drawn(ground(1000.0, 50.0), camera=far)
    covered = drawn(ground(1000.0, 50.0), shallow, camera=far)
    assert np.abs(covered - bare).max() < 30
    assert (np.abs(drawn(shallow, camera=far) - bare).max(axis=2) > 30).mean() > 0.05  # they are there


@pytest.mark.gl
@pytest.mark.usefixtures("_graphics")
def test_shafts_stand_from_their_bottom_to_the_ground() -> None:
    table = {"node": ["manhole"], "utility": ["sewage"]}
    columns = {name: Column(np.array(values, object)) for name, values in table.items()}
    columns |= {"ground": Column(np.array([0.0]), "m"), "invert": Column(np.array([-4.0]), "m")}
    layer = Layer("nodes", "Nodes", "utility", Points(np.array([[0.0, 0.0, -4.0]]), np.zeros(1)),
                  ElementTable(["m1"], columns), stratum="underground")  # fmt: skip
    pixels, bare = drawn(ground(), layer, xray=HOLE), drawn(ground(), xray=HOLE)
    for z in (-3.5, -2.0, -0.5):
        assert np.abs(seen(pixels, (0, -0.4, z)) - seen(bare, (0, -0.4, z))).max() > 25, z


# -- what is said and drawn


def test_the_hover_text_says_kind_size_cover_and_how_it_is_known() -> None:
    from app.view.pipe_text import label_text, pipe_text

    layer = pipes(lines_of([(0, 0, -2), (9, 0, -2)]), ["gas"], [0.2], cover=[1.25], depth_quality=["assumed"])
    assert pipe_text(layer, 0) == "Gas · Ø200 mm · cover 1.25 m (assumed)"
    assert label_text(layer, 0) == "G Ø200 mm ↧1.25 m?"
    assert pipe_text(ground(), 0) == ""


def test_the_section_drawing_has_true_ellipses_and_covers() -> None:
    from app.section_drawing import section_drawing

    slanting = pipes(
        lines_of([(-10, -10, -3), (10, 10, -3)], [(0, -20, -1.5), (0, 20, -1.5)]), ["water", "gas"], [1.0, 0.4]
    )
    drawing = section_drawing([ground(), slanting], (-8.0, 0.0), (12.0, 0.0))
    water_main, gas = sorted(drawing.pipes, key=lambda pipe: pipe.height)
    assert water_main.along == pytest.approx(8.0)
    assert water_main.half_width == pytest.approx(0.5 * math.sqrt(2))  # met at 45 degrees
    assert water_main.half_height == pytest.approx(0.5)
    assert water_main.cover == pytest.approx(2.5)
    assert (gas.along, gas.half_width, gas.cover) == (pytest.approx(8.0), pytest.approx(0.2), pytest.approx(1.3))
    with pytest.raises(UserError, match="too short"):
        section_drawing([ground(), slanting], (0.0, 0.0), (0.1, 0.0))


def test_the_section_meets_a_building_in_its_outline() -> None:
    from app.section_drawing import mesh_cut

    edges = mesh_cut(box(-5, -5, size=(10, 10, 8)), np.array([-20.0, 0.0]), np.array([1.0, 0.0]), 40.0)
    assert edges[..., 0].min() == pytest.approx(15.0)
    assert edges[..., 0].max() == pytest.approx(25.0)
    length = np.linalg.norm(edges[:, 1] - edges[:, 0], axis=1).sum()
    assert length == pytest.approx(2 * 10 + 2 * 8)


def test_the_drawing_is_sound_xml_with_hostile_names() -> None:
    from app.section_drawing import section_drawing
    from app.section_svg import section_svg

    layer = pipes(lines_of([(0, -20, -1.5), (0, 20, -1.5)]), ["gas"], [0.4], material=['<PE> & "x"'])
    svg = section_svg(section_drawing([ground(), layer], (-8.0, 0.0), (12.0, 0.0)), frame=FRAME)
    root = ElementTreeXml.fromstring(svg)
    assert '<PE> & "x"' in [element.text for element in root.iter()]
    assert sum(element.tag.endswith("ellipse") for element in root.iter()) == 1


@pytest.mark.gl
@pytest.mark.usefixtures("_graphics")
def test_a_section_plane_cuts_pipes() -> None:
    from app.look import ClipPlane, Section

    pixels = drawn(water(), section=Section(planes=(ClipPlane((0.0, 0.0, 0.0), (1.0, 0.0, 0.0)),)))
    assert is_blue(seen(pixels, (-8.0, 0.0, -1.6)))
    assert not is_blue(seen(pixels, (8.0, 0.0, -1.6)))


@pytest.mark.gl
@pytest.mark.usefixtures("_graphics")
def test_a_town_may_change_while_one_looks_through_the_ground() -> None:
    from vtkmodules.vtkRenderingCore import vtkRenderWindow

    from app.view.stage import Stage

    window = vtkRenderWindow()
    window.SetOffScreenRendering(True)
    stage = Stage(window, theme=theme_named("light"), quality="fast")  # of a window that has no size yet
    houses = buildings([box(-5, -9, size=(10, 4, 9))])
    for layer in (ground(), houses, water()):
        stage.add(layer)
    stage.set_camera(ABOVE)
    stage.set_xray(HOLE)
    more = buildings([box(-5 + 30 * k, -9, size=(10, 4, 9)) for k in range(4)])
    stage.change(more, "data")
    stage.change(houses, "data")
    stage.remove("pipes")
    stage.set_xray(None)
    stage.render()
    stage.release()
    window.Finalize()
