"""Privacy masks hide all of what is private, whatever the camera, and only ever cover more than was asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.cctv.cameras import Camera
from analysis.cctv.catalogue import catalogue
from analysis.cctv.mask_shapes import mask_polygons, simplified, slack
from analysis.cctv.masks import Pieces, clipped_quads, hidden, masks_of
from analysis.cctv.optics import NEAREST, View, in_view, view_at
from analysis.cctv.privacy import find
from analysis.cctv.private import Private
from analysis.cctv.sight import sight_scene
from geo.model import Feedback
from tests.tiny import buildings, terrain

WIDE, HIGH = 1920, 1080


def view(
    pan: float = 0.0, tilt: float = 0.0, *, roll: float = 0.0, focal: float = 960.0, fisheye: bool = False
) -> View:
    size = (2000, 2000) if fisheye else (WIDE, HIGH)
    return view_at((0.0, 0.0, 5.0), pan, tilt, roll, focal_px=focal, pixels=size, equidistant=fisheye)


def window(centre: tuple[float, float, float], facing: float, wide: float = 2.0, high: float = 1.5) -> np.ndarray:
    """(4, 3) corners of an upright window that faces an azimuth [deg]."""
    turn = np.radians(facing)
    along = np.array([np.cos(turn), -np.sin(turn), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    middle = np.array(centre)
    return np.array(
        [middle + x * wide / 2 * along + y * high / 2 * up for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    )


def pieces_of(quads: np.ndarray) -> Pieces:
    """Each quad a piece with 81 points on it."""
    share = np.linspace(0.0, 1.0, 9)
    a, b = (part.ravel() for part in np.meshgrid(share, share))
    points = [
        (1 - a)[:, None] * ((1 - b)[:, None] * q[0] + b[:, None] * q[3])
        + a[:, None] * ((1 - b)[:, None] * q[1] + b[:, None] * q[2])
        for q in quads
    ]
    owner = np.repeat(np.arange(len(quads)), len(a))
    return Pieces(quads, np.arange(len(quads)), np.concatenate(points), np.full((len(owner), 3), np.nan), owner)


def all_visible(pieces: Pieces) -> np.ndarray:
    return np.ones(len(pieces.points), dtype=bool)


def assert_hidden(where: View, pieces: Pieces, most: int = 8, corners: int = 16) -> None:
    masks = masks_of(where, pieces, all_visible(pieces), most_masks=most, most_corners=corners)
    pictured = in_view(where, pieces.points)
    assert hidden(where, masks, pieces.points[pictured]).all()
    assert len(masks.polygons) <= most
    for polygon in masks.polygons:
        assert 3 <= len(polygon) <= max(corners, 4)
        assert shapely.Polygon(polygon).is_valid
        assert (polygon >= -1e-6).all()
        assert (polygon <= np.array([where.pixels_wide, where.pixels_high]) + 1e-6).all()


# --- clipping


def test_a_window_partly_behind_the_camera_does_not_fold_over() -> None:
    """A wall along the line of sight, from 3 m behind the lens to 3 m before it, 1 m to the right."""
    quad = window((1.0, 0.0, 5.0), 270.0, wide=6.0, high=2.0)
    pieces = pieces_of(quad[None])
    (part,) = clipped_quads(view(), quad[None])
    assert (part[:, 2] >= NEAREST - 1e-12).all()
    assert_hidden(view(), pieces)
    masks = masks_of(view(), pieces, all_visible(pieces), most_masks=8, most_corners=16)
    (polygon,) = masks.polygons
    # It is seen from x/z = 1/3 (its far end, u = 960 + 320) to the right edge; nothing of it lies to the left.
    assert polygon[:, 0].min() == pytest.approx(960 + 320 - slack(WIDE), abs=1.0)
    assert polygon[:, 0].max() == pytest.approx(WIDE)


def test_a_window_wholly_behind_or_beside_needs_no_mask() -> None:
    for centre in ((0.0, -10.0, 5.0), (50.0, 5.0, 5.0), (0.0, 10.0, 60.0)):
        pieces = pieces_of(window(centre, 180.0)[None])
        assert masks_of(view(), pieces, all_visible(pieces), most_masks=8, most_corners=16).polygons == ()


def test_a_window_across_the_border_is_masked_to_the_border() -> None:
    """At 10 m and f = 960 px a metre is 96 px; the left half of the window lies outside."""
    pieces = pieces_of(window((-10.0, 10.0, 5.0), 180.0)[None])
    masks = masks_of(view(), pieces, all_visible(pieces), most_masks=8, most_corners=16)
    (polygon,) = masks.polygons
    gap = slack(WIDE)
    assert polygon.min(axis=0) == pytest.approx([0.0, 540 - 72 - gap], abs=0.01)
    assert polygon.max(axis=0) == pytest.approx([96.0 + gap, 540 + 72 + gap], abs=0.01)
    assert masks.share == pytest.approx((96 + gap) * (144 + 2 * gap) / (WIDE * HIGH), rel=1e-6)


def test_a_camera_within_a_private_room_is_masked_all_over() -> None:
    from analysis.cctv.private_rooms import BOX_FACES

    corners = np.array([[x, y, z] for x in (-2.0, 2.0) for y in (-2.0, 2.0) for z in (4.0, 7.0)])
    quads = corners[BOX_FACES]
    point = np.array([[0.5, 1.0, 5.0]])
    pieces = Pieces(quads, np.zeros(6, np.int64), point, np.full((1, 3), np.nan), np.zeros(1, np.int64))
    for where in (view(), view(33.0, 20.0), view(tilt=90.0, fisheye=True, focal=636.0)):
        masks = masks_of(where, pieces, np.ones(1, dtype=bool), most_masks=8, most_corners=16)
        least = 1.0 if not where.equidistant else np.pi / 4
        assert masks.share >= least - 1e-9


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    pan=st.floats(0, 360),
    tilt=st.floats(-30, 90),
    roll=st.floats(-20, 20),
    focal=st.sampled_from([500.0, 960.0, 4000.0]),
    limits=st.sampled_from([(8, 16), (4, 4), (24, 4), (1, 4), (3, 8)]),
)
def test_masks_hide_every_point_of_random_windows(
    seed: int, pan: float, tilt: float, roll: float, focal: float, limits: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    quads = np.array(
        [
            window(tuple(rng.uniform((-25, -25, 0), (25, 25, 15))), rng.uniform(0, 360), *rng.uniform(0.3, 4.0, 2))
            for _ in range(rng.integers(1, 25))
        ]
    )
    assert_hidden(view(pan, tilt, roll=roll, focal=focal), pieces_of(quads), *limits)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), tilt=st.sampled_from([90.0, 60.0, 0.0]))
def test_masks_of_a_fisheye_hide_every_point(seed: int, tilt: float) -> None:
    rng = np.random.default_rng(seed)
    quads = np.array(
        [
            window(tuple(rng.uniform((-12, -12, 0), (12, 12, 9))), rng.uniform(0, 360), *rng.uniform(0.3, 4.0, 2))
            for _ in range(6)
        ]
    )
    quads = quads[np.linalg.norm(quads.mean(axis=1) - [0.0, 0.0, 5.0], axis=1) > 3.0]
    if len(quads):
        assert_hidden(view(tilt=tilt, fisheye=True, focal=636.0), pieces_of(quads))


# --- shapes


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 100_000), corners=st.sampled_from([4, 5, 8, 16]), most=st.sampled_from([1, 2, 8]))
def test_simplification_never_uncovers(seed: int, corners: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    patches = []
    for _ in range(rng.integers(1, 30)):
        middle, size = rng.uniform((0, 0), (WIDE, HIGH)), rng.uniform(2, 150)
        patches.append(np.clip(middle + rng.uniform(-size, size, (4, 2)), (0, 0), (WIDE, HIGH)))
    found = mask_polygons(patches, (WIDE, HIGH), most_masks=most, most_corners=corners)
    assert len(found) <= most
    assert max(len(polygon) for polygon in found) <= corners
    covered = shapely.union_all([shapely.Polygon(polygon) for polygon in found])
    asked = shapely.union_all([shapely.convex_hull(shapely.multipoints(patch)) for patch in patches])
    assert shapely.covers(shapely.buffer(covered, 1e-6), asked)
    near = shapely.intersection(shapely.buffer(asked, 0.9 * slack(WIDE)), shapely.box(0, 0, WIDE, HIGH))
    assert shapely.covers(shapely.buffer(covered, 1e-6), near), "slack for a camera that sways"


def test_a_star_becomes_a_few_corners_outside_of_it() -> None:
    turns = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radius = np.where(np.arange(40) % 2 == 0, 200.0, 90.0)
    star = shapely.Polygon(np.column_stack([500 + radius * np.cos(turns), 500 + radius * np.sin(turns)]))
    frame = shapely.box(0, 0, 1000, 1000)
    for most in (4, 7, 16, 30):
        simple = simplified(star, most, frame)
        assert len(simple.exterior.coords) - 1 <= most
        assert shapely.covers(shapely.buffer(simple, 1e-6), star)
    assert simplified(star, 40, frame).equals(star), "what the camera can take stays as it is"


# --- in a scene


def one_window(quad: np.ndarray, normal: tuple[float, float, float]) -> Private:
    pieces = pieces_of(quad[None])
    pieces = pieces._replace(point_normal=np.tile(np.array(normal), (len(pieces.points), 1)))
    text = np.array(["w"], dtype=object)
    flat = np.zeros(1, dtype=np.int64)
    return Private(text, text, flat.astype(np.int8), np.zeros(1, bool), text, quad.mean(axis=0)[None], flat, pieces)


def test_a_window_across_a_street_behind_a_box_is_not_masked() -> None:
    model = catalogue()["bullet-2mp"]
    camera = Camera("c", "c", model, (0.0, 0.0, 23.0), 0.0, 0.0, 0.0, model.focal_min_mm)
    private = one_window(window((0.0, 30.0, 23.0), 180.0), (0.0, -1.0, 0.0))
    ground = terrain()
    for boxes, seen in (([(-10.0, 40.0, 20.0, 20.0, 5.0, 9.0)], 1), ([(-10.0, 10.0, 20.0, 20.0, 5.0, 9.0)], 0)):
        scene = sight_scene([ground, buildings(boxes)])
        (one,) = find([camera], private, scene, least_density=1.0, reach=100.0, feedback=Feedback())
        assert len(one.seen.item) == seen
        assert one.mask_count == seen
        if seen:
            f_px = model.focal_px(model.focal_min_mm)
            assert one.seen.density[0] == pytest.approx(f_px / 30.0, rel=1e-6)
            assert one.seen.hidden.all()


def test_a_window_seen_from_behind_its_wall_or_too_faintly_is_not_masked() -> None:
    model = catalogue()["bullet-2mp"]
    camera = Camera("c", "c", model, (0.0, 0.0, 23.0), 0.0, 0.0, 0.0, model.focal_min_mm)
    scene = sight_scene([terrain()])
    away = one_window(window((0.0, 30.0, 23.0), 0.0), (0.0, 1.0, 0.0))
    (one,) = find([camera], away, scene, least_density=1.0, reach=100.0, feedback=Feedback())
    assert len(one.seen.item) == 0
    faint = one_window(window((0.0, 30.0, 23.0), 180.0), (0.0, -1.0, 0.0))
    density = model.focal_px(model.focal_min_mm) / 30.0
    for least, count in ((density * 1.01, 0), (density * 0.99, 1)):
        (one,) = find([camera], faint, scene, least_density=least, reach=100.0, feedback=Feedback())
        assert len(one.seen.item) == count


def test_each_preset_has_masks_of_its_own() -> None:
    model = catalogue()["ptz-2mp-30x"]
    focal = model.focal_min_mm
    camera = Camera("c", "c", model, (0.0, 0.0, 23.0), 180.0, 0.0, 0.0, focal, presets=((0.0, 0.0, 2 * focal),))
    private = one_window(window((0.0, 30.0, 23.0), 180.0), (0.0, -1.0, 0.0))
    (one,) = find([camera], private, sight_scene([terrain()]), least_density=1.0, reach=100.0, feedback=Feedback())
    home, preset = one.masks
    assert home.polygons == ()
    assert len(preset.polygons) == 1
    assert one.seen.density[0] == pytest.approx(model.focal_px(2 * focal) / 30.0, rel=1e-6)


def test_masks_hide_every_window_that_cameras_of_a_real_city_see(shared_data: Path) -> None:
    """Thirty cameras in the streets of Delfshaven look at windows made along all facades of homes."""
    from analysis.cctv.cameras import camera_layer
    from analysis.cctv.privacy import placed, points_as_targets, scene_for_privacy
    from analysis.cctv.privacy_declaration import PrivacyInputs, PrivacyParams
    from analysis.cctv.private import private_of
    from analysis.cctv.sight import trace
    from app.importer import import_files

    path = next(shared_data.glob("*/3-20-DELFSHAVEN.city.json"))
    imported = import_files([path], frame=None)
    layers = tuple(la for la in imported.layers if la.theme == "building" and la.kind == "mesh")
    low, high = np.array(layers[0].geometry.bounds.low), np.array(layers[0].geometry.bounds.high)
    rng = np.random.default_rng(3)
    model = catalogue()["bullet-4mp"]
    spots = rng.uniform(low[:2] + 0.3 * (high - low)[:2], high[:2] - 0.3 * (high - low)[:2], (60, 2))
    cameras = [
        Camera(f"c{k}", f"c{k}", model, (x, y, low[2] + 6.0), rng.uniform(0, 360), 5.0, 0.0, model.focal_min_mm)
        for k, (x, y) in enumerate(spots.tolist())
    ]
    issues: list = []
    inputs = PrivacyInputs(imported.frame, (camera_layer(cameras),), layers, layers, None, (), ())
    private = private_of(inputs, PrivacyParams(), issues, Feedback())
    scene = scene_for_privacy(
        layers, cameras, reach=120.0, doors_open=True, trees_hide=False, issues=issues, feedback=Feedback()
    )
    standing = placed(cameras, scene, issues)[:30]
    plan = find(standing, private, scene, least_density=1.0, reach=120.0, feedback=Feedback())
    targets = points_as_targets(private.pieces)
    sight = trace(scene, [camera.position for camera in standing], targets, 120.0)
    looked = bare = 0
    for number, one in enumerate(plan):
        points = targets.xyz[sight.row(number)[0]]
        mine = points[in_view(one.views[0], points)]
        looked += len(mine)
        bare += int((~hidden(one.views[0], one.masks[0], mine)).sum())
    assert len(private) > 5000
    assert looked > 300
    assert bare == 0
    assert sum(one.mask_count for one in plan) > 10


def test_what_a_mask_hides_no_longer_counts_as_seen() -> None:
    """A wall of points 30 m ahead: masked in the left half of the picture, only the right half is left."""
    from analysis.cctv.mask_tables import masks_of_cameras, polygon_text
    from analysis.cctv.seen import PlanScore
    from analysis.cctv.targets import ground_targets
    from geo.model import Column, ElementTable, Layer

    model = catalogue()["bullet-2mp"]
    camera = Camera("c", "c", model, (0.0, 0.0, 23.0), 0.0, 0.0, 0.0, model.focal_min_mm)
    x = np.linspace(-9.5, 9.5, 20)
    points = np.column_stack([x, np.full(20, 30.0), np.full(20, 21.4)])
    targets = ground_targets(points, cell=1.0)
    left = np.array([[0.0, 0.0], [model.pixels_wide / 2, 0.0], [model.pixels_wide / 2, 2000.0], [0.0, 2000.0]])
    columns = {
        "camera": Column(np.array(["c"], dtype=object)),
        "view": Column(np.array([1], dtype=np.int64)),
        "polygon": Column(np.array([polygon_text(left)], dtype=object)),
    }
    issues: list = []
    table = Layer("masks", "Masks", "result", None, ElementTable(["0"], columns))
    masks = masks_of_cameras([table], [camera], issues)
    scene = sight_scene([terrain()])
    plain = PlanScore(scene, targets, [camera], least=1.0)
    masked = PlanScore(scene, targets, [camera], least=1.0, masks=masks)
    assert (plain.score().density > 0).all()
    assert np.array_equal(masked.score().density > 0, targets.xyz[:, 0] > 0)
    assert [issue.code for issue in issues] == ["cctv.masked"]
    turned = camera.with_(pan=1.0)
    masked.set_camera(0, turned)
    assert np.array_equal(masked.score().density, PlanScore(scene, targets, [turned], least=1.0).score().density), (
        "a mask is a promise about one direction"
    )
