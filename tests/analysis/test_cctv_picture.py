"""What a camera is computed to see against the picture that the program draws from its place, pixel for pixel.

The picture is drawn off screen by the renderer of the window. A target lies in it where `optics.project` puts it; the
depth buffer there says whether the picture shows the target or something before it. Compared with lines of sight.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from analysis.cctv.optics import View, axes, in_view, project, view_at
from analysis.cctv.sight import sight_scene, trace
from analysis.cctv.targets import Targets, facade_targets, ground_targets, join
from analysis.kernels.rays import Occluder
from geo.model import Layer, Mesh
from tests.tiny import buildings, terrain

pytestmark = pytest.mark.gl

SIZE = (1920, 1080)
NEAR, FAR = 0.1, 600.0  # [m] clipping planes of the picture
SLACK = 0.05  # [m] of depth
AGREE, REACH = 0.999, 300.0


class Compared(NamedTuple):
    """Of all targets in the picture: share on which both agree, and number that differ away from any edge."""

    count: int
    agree: float
    off_edges: int
    seen: float


def depth_picture(layers: list[Layer], view: View) -> np.ndarray:
    """(height, width) depth along the optical axis [m] as the renderer of the window draws it, top row first."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkFloatArray
    from vtkmodules.vtkRenderingCore import vtkRenderWindow

    from app.theme import theme_named
    from app.view.camera import Camera
    from app.view.stage import Stage

    window = vtkRenderWindow()
    window.SetOffScreenRendering(True)
    window.SetMultiSamples(0)
    window.SetSize(view.pixels_wide, view.pixels_high)
    stage = Stage(window, theme=theme_named("light"), quality="fast")
    try:
        for layer in layers:
            stage.add(layer)
        forward = axes(view)[0]
        position = np.array(view.position)
        vertical = 2.0 * np.degrees(np.arctan(view.tan_half_height))
        stage.set_camera(Camera(tuple(position.tolist()), tuple((position + 10 * forward).tolist()), vertical))
        stage.scene.GetActiveCamera().SetClippingRange(NEAR, FAR)
        window.Render()
        found = vtkFloatArray()
        window.GetZbufferData(0, 0, view.pixels_wide - 1, view.pixels_high - 1, found)
        buffer = vtk_to_numpy(found).reshape(view.pixels_high, view.pixels_wide)[::-1].astype(np.float64)
    finally:
        stage.release()
        window.Finalize()
    return NEAR * FAR / (FAR - buffer * (FAR - NEAR))


def compared(layers: list[Layer], view: View, targets: Targets) -> Compared:
    depth = depth_picture(layers, view)
    sight = trace(sight_scene(layers, season="none"), np.array([view.position]), targets, REACH)
    by_rays = np.zeros(len(targets), dtype=bool)
    by_rays[sight.idx] = True
    away = targets.xyz - np.array(view.position)
    facing = ~((targets.normal * away).sum(axis=1) >= 0)
    here = in_view(view, targets.xyz) & facing & (np.linalg.norm(away, axis=1) < REACH)
    u, v, z = project(view, targets.xyz[here])
    col, row = (np.clip(np.floor(p).astype(int), 0, n - 1) for p, n in ((u, view.pixels_wide), (v, view.pixels_high)))
    around = np.stack(
        [
            depth[np.clip(row + i, 0, view.pixels_high - 1), np.clip(col + j, 0, view.pixels_wide - 1)]
            for i in (-1, 0, 1)
            for j in (-1, 0, 1)
        ]
    )
    rays, picture = by_rays[here], depth[row, col] >= z - SLACK
    possible = np.where(rays, (around >= z - SLACK).any(axis=0), (around < z - SLACK).any(axis=0))
    return Compared(int(here.sum()), float((rays == picture).mean()), int((~possible).sum()), float(rays.mean()))


def view_from(position: tuple[float, float, float], pan: float, tilt: float, focal_px: float) -> View:
    return view_at(position, pan, tilt, 0.0, focal_px=focal_px, pixels=SIZE)


def ground_around(layers: list[Layer], height: np.ndarray | float, centre: np.ndarray, half: float, cell: float):  # noqa: ANN201
    """Points on open ground around a place; those under a building are left out."""
    side = np.arange(-half, half, cell)
    x, y = (part.ravel() for part in np.meshgrid(centre[0] + side + 0.37, centre[1] + side + 0.41))
    points = np.column_stack([x, y, np.full(len(x), height)])
    walls = Occluder([layer.geometry for layer in layers if layer.theme == "building"])
    return points[~walls.occluded(points + [0, 0, 0.1], np.array([[0.0, 0.0, 1.0]]), 500.0)]


def walls_of(mesh: Mesh, spacing: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points scattered on the upright faces of a mesh, and their normals."""
    rng = np.random.default_rng(seed)
    upright = np.flatnonzero((np.abs(mesh.face_normal[:, 2]) < 0.1) & (mesh.face_area > 0.05))
    count = np.maximum(1, (mesh.face_area[upright] / spacing**2).astype(int))
    face = np.repeat(upright, count)
    a, b = rng.random((2, len(face)))
    over = a + b > 1
    a[over], b[over] = 1 - a[over], 1 - b[over]
    corner = mesh.vertices[mesh.faces[face]]
    points = corner[:, 0] + a[:, None] * (corner[:, 1] - corner[:, 0]) + b[:, None] * (corner[:, 2] - corner[:, 0])
    return points, mesh.face_normal[face]


@pytest.mark.parametrize(("pan", "tilt", "focal"), [(20.0, 12.0, 960.0), (75.0, 20.0, 1600.0), (40.0, 30.0, 900.0)])
def test_boxes(pan: float, tilt: float, focal: float) -> None:
    layers = [terrain(), buildings()]
    targets = join(
        [
            ground_targets(ground_around(layers, 20.0, np.zeros(2), 75.0, 0.7), cell=0.7),
            facade_targets(*walls_of(layers[1].geometry, 0.5), cell_area=0.25),
        ]
    )
    found = compared(layers, view_from((-25.0, -40.0, 26.0), pan, tilt, focal), targets)
    assert found.count > 2000
    assert 0.2 < found.seen < 0.999
    assert found.agree >= AGREE
    assert found.off_edges == 0


def test_a_picture_that_is_turned_or_zoomed_wrongly_is_told() -> None:
    """The comparison can fail: half a degree of pan, or two per cent of the focal length, break it."""
    layers = [terrain(), buildings()]
    points = ground_around(layers, 20.0, np.zeros(2), 75.0, 0.7)
    targets = join(
        [ground_targets(points, cell=0.7), facade_targets(*walls_of(layers[1].geometry, 0.5), cell_area=0.2)]
    )
    right = view_from((-25.0, -40.0, 26.0), 20.0, 12.0, 960.0)
    depth = depth_picture(layers, right)
    for wrong in (view_from(right.position, 20.5, 12.0, 960.0), view_from(right.position, 20.0, 12.0, 980.0)):
        u, v, z = project(wrong, targets.xyz)
        inside = in_view(wrong, targets.xyz)
        row, col = np.floor(v[inside]).astype(int), np.floor(u[inside]).astype(int)
        sight = trace(sight_scene(layers, season="none"), np.array([right.position]), targets, REACH)
        rays = np.isin(np.flatnonzero(inside), sight.idx)
        assert ((depth[row, col] >= z[inside] - SLACK) == rays).mean() < 0.995


@pytest.mark.parametrize(("name", "number"), [("DenHaag_01.city.json", 3), ("3-20-DELFSHAVEN.city.json", 3)])
def test_a_real_city(shared_data: Path, name: str, number: int) -> None:
    from analysis.cctv.candidates import poles_on_facades
    from app.importer import import_files

    layers = [each for each in import_files([shared_data / "city" / name], frame=None).layers if each.kind == "mesh"]
    houses = [layer for layer in layers if layer.theme == "building"]
    walls = Occluder([layer.geometry for layer in houses])
    level = float(np.percentile(np.concatenate([layer.geometry.vertices[:, 2] for layer in houses]), 5))
    poles, _ = poles_on_facades(houses, lambda x, y: np.full(len(x), level), occluder=walls)
    middle = np.median(poles.xyz[:, :2], axis=0)
    near = np.argsort(np.hypot(*(poles.xyz[:, :2] - middle).T))[:: max(1, len(poles) // (4 * number))][:number]
    points, normal = (np.concatenate(part) for part in zip(*(walls_of(h.geometry, 2.0) for h in houses), strict=True))
    # Points of walls that another wall stands right before cannot be told apart with 5 cm of slack.
    free = ~walls.occluded(points + 0.02 * normal, normal, 4 * SLACK)
    points, normal = points[free], normal[free]
    total = wrong = off_edges = 0
    for pole in near.tolist():
        position = poles.xyz[pole]
        close = np.hypot(*(points[:, :2] - position[:2]).T) < 120.0
        targets = join(
            [
                ground_targets(ground_around(houses, level, position, 60.0, 1.0), cell=1.0),
                facade_targets(points[close], normal[close], cell_area=1.0),
            ]
        )
        view = view_from(tuple(position.tolist()), float(poles.sector_middle[pole]), 12.0, 960.0)
        found = compared(houses, view, targets)
        off_edges += found.off_edges
        total += found.count
        wrong += round(found.count * (1.0 - found.agree))
    assert total > 1500
    # In a real file one point in ten thousand may lie in a slit thinner than the slack.
    assert off_edges <= 1e-4 * total
    assert wrong <= (1.0 - AGREE) * total
