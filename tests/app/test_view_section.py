"""Sections: what is cut away is neither seen nor picked, cut faces are poché and belong to their elements."""

from __future__ import annotations

import numpy as np
import pytest

from app.look import ClipPlane, Section, SectionBox, StoreyCut
from app.theme import theme_named
from app.view import camera as cameras
from app.view.camera import Camera, plan_of, project, ray
from app.view.cutting import build_caps, cut_segments, filled_polygons
from app.view.furniture import scale_bar
from app.view.picking import Picker
from app.view.section import pit_of
from geo.model import Bounds, ElementTable, Layer, Lines, Mesh, merge_meshes
from tests.app.house import WALL, house, rooms
from tests.app.view_scene import box, need_graphics

LIGHT = theme_named("light")
SIZE = (240, 180)
FIRST = Section(storey=StoreyCut(frozenset({"house", "rooms"}), 0.0, 1.2))
WALLS = 2 * 8 * WALL + (12 - 2 * WALL) * WALL + 2 * 5.1 * WALL
SURFACE = Bounds((-6.0, -4.0, 0.0), (6.0, 4.0, 6.3))


def above(level: float = 0.0) -> Camera:
    return plan_of(SURFACE, level=level, aspect=SIZE[0] / SIZE[1])


def pixel_of(camera: Camera, *point: float) -> tuple[float, float]:
    places, _ = project(camera, np.array([point]), SIZE)
    return float(places[0, 0]), float(places[0, 1])


def drawn(section: Section, camera: Camera, layers: list[Layer]) -> np.ndarray:
    need_graphics()
    from app.view.offscreen import render_pixels

    return render_pixels(layers, size=SIZE, view=camera, theme=LIGHT, quality="fast", section=section)[0]


def colour_at(pixels: np.ndarray, place: tuple[float, float]) -> np.ndarray:
    return pixels[round(place[1]), round(place[0])].astype(int)


def picked(section: Section, camera: Camera, place: tuple[float, float], layers: list[Layer]) -> str:
    picker = Picker(lambda work, done: done(work()))
    picker.prepare(layers)
    caps = build_caps(layers, section)
    pit = pit_of(section.storey) if section.storey else None
    hits = picker.pick(camera, place, SIZE, layers=layers, section=section, caps=caps, trench=pit)
    return hits[0].ref.element_id if hits else ""


# -- numbers


def test_kept_part_of_a_ray_is_one_stretch() -> None:
    section = Section(
        planes=(ClipPlane((0.0, 0.0, 5.0), (0.0, 0.0, 2.0)),), storey=StoreyCut(frozenset({"a"}), 1.0, 1.0)
    )
    down = np.array([0.0, 0.0, -1.0])
    assert section.stretch("other", np.array([0.0, 0.0, 9.0]), down) == (4.0, np.inf)
    assert section.stretch("a", np.array([0.0, 0.0, 9.0]), down) == (7.0, np.inf)
    assert section.stretch("a", np.array([0.0, 0.0, 9.0]), -down) is None
    level = section.stretch("a", np.array([0.0, 0.0, 1.5]), np.array([1.0, 0.0, 0.0]))
    assert level == (0.0, np.inf)


def test_box_keeps_its_inside_only() -> None:
    section = Section(box=SectionBox((0.0, 0.0, 0.0), (1.0, 2.0, 3.0)))
    points = np.array([[0.5, 1.0, 1.0], [-0.1, 1.0, 1.0], [0.5, 2.1, 1.0], [0.5, 1.0, 3.1]])
    assert section.keeps("any", points).tolist() == [True, False, False, False]


def test_more_planes_than_a_driver_promises_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 6"):
        Section(box=SectionBox((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)), storey=StoreyCut(frozenset(), 0.0))


def filled_area(mesh: Mesh, height: float) -> float:
    pieces, _ = cut_segments(mesh, ClipPlane((0.0, 0.0, height), (0.0, 0.0, 1.0)))
    return sum(polygon.area for polygon in filled_polygons(pieces[:, :, :2]))


def test_cut_of_a_tube_leaves_its_hole_open() -> None:
    outer, hole = box(0, 0, size=(4, 4, 2)), box(1, 1, size=(2, 2, 2))
    turned = Mesh(hole.vertices, hole.faces[:, ::-1], hole.face_element)
    tube = merge_meshes([outer, turned])
    assert filled_area(tube, 1.0) == pytest.approx(16.0 - 4.0)


def test_cut_of_overlapping_solids_is_their_union() -> None:
    both = merge_meshes([box(0, 0, size=(4, 4, 2)), box(2, 2, size=(4, 4, 2))])
    assert filled_area(both, 1.0) == pytest.approx(16.0 + 16.0 - 4.0)


def test_cut_through_corners_of_a_slab_is_closed() -> None:
    """The plane passes exactly through vertices: the outline must not fall apart."""
    slab = box(0, 0, size=(4, 4, 1))
    assert filled_area(slab, 0.0) in (0.0, pytest.approx(16.0))
    assert filled_area(slab, 1.0) in (0.0, pytest.approx(16.0))


def test_caps_of_a_storey_have_the_area_of_the_walls_and_their_elements() -> None:
    layer = house()
    (cap,) = build_caps([layer], FIRST)
    corners = cap.vertices[cap.faces]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    assert areas[~cap.is_light].sum() == pytest.approx(WALLS)
    assert areas[cap.is_light].sum() == pytest.approx(0.1)
    names = {str(layer.table.ids[row]) for row in cap.element}
    assert names == {"west1", "east1", "north1", "south-a1", "south-b1", "door1"}
    assert np.allclose(cap.vertices[:, 2], 1.2)


def test_floor_plate_only_where_there_is_no_floor() -> None:
    plates = [c for c in build_caps([house(slab=False)], FIRST) if not c.layer_id]
    assert len(plates) == 1
    low, high = plates[0].vertices.min(axis=0), plates[0].vertices.max(axis=0)
    assert low[:2] == pytest.approx([-6, -4], abs=0.02)
    assert high[:2] == pytest.approx([6, 4], abs=0.02)
    assert not [c for c in build_caps([house()], FIRST) if not c.layer_id]


# -- picking


def test_cut_wall_is_picked_at_its_cut_and_nothing_above_it() -> None:
    layers = [house()]
    camera = above()
    assert picked(Section(), camera, pixel_of(camera, 0.0, 0.0, 0.0), layers) == "roof"
    assert picked(FIRST, camera, pixel_of(camera, 0.0, 0.0, 0.0), layers) == "slab1"
    assert picked(FIRST, camera, pixel_of(camera, -5.8, 0.0, 0.0), layers) == "west1"
    assert picked(FIRST, camera, pixel_of(camera, 0.0, -3.8, 0.0), layers) == "door1"


def test_lines_above_the_cut_are_not_picked() -> None:
    lines = Lines(np.array([[-3.0, 0.0, 5.0], [3.0, 0.0, 5.0]]), np.array([0, 2]), np.array([0], np.int32))
    pipe = Layer("pipe", "Pipe", "bim", lines, table=ElementTable(["p"]))
    section = Section(storey=StoreyCut(frozenset({"house", "pipe"}), 0.0, 1.2))
    camera = above()
    place = pixel_of(camera, 0.0, 0.0, 0.0)
    assert picked(Section(), camera, place, [house(), pipe]) == "p"
    assert picked(section, camera, place, [house(), pipe]) == "slab1"


# -- pixels


def test_cut_away_roof_shows_the_floor_and_cut_walls_are_poche() -> None:
    camera = above()
    middle, wall = (pixel_of(camera, x, 0.5, 1.2) for x in (2.0, -5.8))
    opened = drawn(FIRST, camera, [house()])
    whole = drawn(Section(), camera, [house()])
    assert np.abs(colour_at(opened, wall) - LIGHT.rgb("poche")).max() <= 6
    assert np.abs(colour_at(whole, wall) - LIGHT.rgb("poche")).max() > 60
    assert np.abs(colour_at(opened, middle) - LIGHT.rgb("indoor_floor")).max() <= 45


def test_floor_plate_is_drawn_for_a_storey_without_a_slab() -> None:
    camera = above()
    pixels = drawn(FIRST, camera, [house(slab=False)])
    assert np.abs(colour_at(pixels, pixel_of(camera, 2.0, 0.5, 0.0)) - LIGHT.rgb("indoor_floor")).max() <= 45


def test_plane_shows_the_inside_and_caps_it() -> None:
    """Looked at from the south at a house whose southern half is cut away."""
    section = Section(planes=(ClipPlane((0.0, 0.0, 0.0), (0.0, -1.0, 0.0)),))
    camera = Camera((0.0, -60.0, 3.0), (0.0, 0.0, 3.0), 12.0)
    pixels = drawn(section, camera, [house()])
    assert np.abs(colour_at(pixels, pixel_of(camera, -5.8, 0.0, 1.5)) - LIGHT.rgb("poche")).max() <= 6
    assert np.abs(colour_at(pixels, pixel_of(camera, 1.5, 0.0, 6.15)) - LIGHT.rgb("poche")).max() <= 6
    assert colour_at(pixels, pixel_of(camera, 0.0, 3.6, 1.5)).min() > 90  # the wall at the back


def test_selection_is_cut_with_its_element() -> None:
    need_graphics()
    from vtkmodules.vtkRenderingCore import vtkRenderWindow

    from app.view.stage import Stage, read_pixels
    from geo.model import ElementRef

    window = vtkRenderWindow()
    window.SetOffScreenRendering(True)
    window.SetSize(*SIZE)
    stage = Stage(window, theme=LIGHT, quality="fast")
    try:
        stage.add(house())
        stage.select([ElementRef("house", "roof")])
        stage.set_camera(above())
        stage.render()
        assert _magenta(read_pixels(window)) > 1000
        stage.set_section(FIRST)
        stage.render()
        assert _magenta(read_pixels(window)) == 0
        stage.set_section(Section())
        stage.render()
        assert _magenta(read_pixels(window)) > 1000
    finally:
        stage.release()
        window.Finalize()


def _magenta(pixels: np.ndarray) -> int:
    red, green, blue = (pixels[..., channel].astype(int) for channel in range(3))
    return int(((red - green > 40) & (blue - green > 15)).sum())


def test_rooms_show_their_floors_in_an_opened_storey() -> None:
    import dataclasses

    layer = rooms()
    coloured = layer.with_(style=dataclasses.replace(layer.style, colour="#ff0000"))
    camera = above()
    pixels = drawn(FIRST, camera, [house(), coloured])
    red, green, _ = colour_at(pixels, pixel_of(camera, 2.0, 0.5, 0.0))
    assert red - green > 50


def test_ground_over_a_basement_is_left_out_of_picture_and_picking() -> None:
    """A level terrain at the height of the cut: only a pit shows the floor below it."""
    from tests.app.view_scene import ground

    terrain = ground()
    raised = terrain.with_(geometry=type(terrain.geometry)(terrain.geometry.values + 2.0, -100.0, -100.0, 5.0))
    layers = [house(), raised]
    pit = StoreyCut(frozenset({"house"}), 0.0, 1.2, pit=(-6.5, -4.5, 6.5, 4.5))
    camera = above()
    place = pixel_of(camera, 2.0, 0.5, 1.2)
    closed, opened = (drawn(section, camera, layers) for section in (FIRST, Section(storey=pit)))
    assert np.abs(colour_at(opened, place) - LIGHT.rgb("indoor_floor")).max() <= 45
    assert np.abs(colour_at(opened, place) - colour_at(closed, place)).max() > 60
    assert np.abs(colour_at(opened, pixel_of(camera, -5.8, 0.5, 1.2)) - LIGHT.rgb("poche")).max() <= 6
    assert picked(FIRST, camera, place, layers) == ""
    assert picked(Section(storey=pit), camera, place, layers) == "slab1"


# -- plans


def test_parallel_camera_agrees_with_itself() -> None:
    camera = above()
    for place in ((10.0, 20.0), (120.0, 90.0), (239.0, 1.0)):
        origin, direction = ray(camera, place, SIZE)
        back, _ = project(camera, (origin + 37.0 * direction)[None], SIZE)
        assert back[0] == pytest.approx(place, abs=1e-9)


def test_zoom_in_a_plan_holds_the_point_under_the_cursor() -> None:
    camera = above()
    point = np.array([3.0, -2.0, 0.0])
    nearer = cameras.zoom(camera, point, notches=3)
    assert nearer.parallel_height == pytest.approx(camera.parallel_height * cameras.ZOOM_NOTCH**3)
    assert pixel_of(nearer, *point) == pytest.approx(pixel_of(camera, *point), abs=1e-9)


def test_pan_in_a_plan_keeps_the_grabbed_point_under_the_cursor() -> None:
    camera = above()
    point = np.array([3.0, -2.0, 0.0])
    moved = cameras.pan(camera, point, (50.0, 60.0), SIZE)
    assert pixel_of(moved, *point) == pytest.approx((50.0, 60.0), abs=1e-9)


def test_scale_bar_of_a_plan_is_exact() -> None:
    camera = above()
    bar = scale_bar(camera, SIZE[1])
    assert bar is not None
    a, b = pixel_of(camera, 0.0, 0.0, 0.0), pixel_of(camera, bar.metres, 0.0, 3.0)
    assert b[0] - a[0] == pytest.approx(bar.pixels, abs=1e-9)


def test_drawn_plan_is_to_scale() -> None:
    """The outer walls in the picture are 12 m wide at the scale of the camera."""
    camera = above()
    pixels = drawn(FIRST, camera, [house()]).astype(int)
    row = pixels[round(pixel_of(camera, 0.0, 1.0, 0.0)[1])]
    dark = np.flatnonzero(np.abs(row - LIGHT.rgb("poche")).max(axis=1) <= 12)
    per_metre = SIZE[1] / camera.parallel_height
    assert dark.max() - dark.min() + 1 == pytest.approx(12 * per_metre, abs=2.5)
