"""The picture of a camera, drawn by the graphics library, shows the targets that the lines of sight call seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.cctv.optics import View, axes, half_fields, in_view, project, view_at
from analysis.cctv.sight import sight_scene, trace
from analysis.cctv.targets import ground_targets
from geo.model import Layer, Mesh

NEAR, FAR = 0.1, 600.0  # [m] of the depth buffer
SLACK = 0.05  # [m] of depth
SIZE = (1920, 1080)


def depth_picture(mesh: Mesh, view: View) -> NDArray[np.float64]:
    """Depth along the optical axis of each pixel [m], top row first, from the depth buffer of VTK."""
    import pyvista
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkRenderingCore import (
        vtkActor,
        vtkPolyDataMapper,
        vtkRenderer,
        vtkRenderWindow,
        vtkWindowToImageFilter,
    )

    faces = np.column_stack([np.full(len(mesh.faces), 3), mesh.faces]).ravel()
    # about the lens, so that the float32 of the graphics card counts in millimetres
    body = pyvista.PolyData((mesh.vertices - view.position).astype(np.float32), faces)
    mapper, actor, renderer, window = vtkPolyDataMapper(), vtkActor(), vtkRenderer(), vtkRenderWindow()
    mapper.SetInputData(body)
    actor.SetMapper(mapper)
    renderer.AddActor(actor)
    window.SetOffScreenRendering(True)
    window.SetMultiSamples(0)
    window.SetSize(*SIZE)
    window.AddRenderer(renderer)
    forward, _, up = axes(view)
    camera = renderer.GetActiveCamera()
    camera.SetPosition(0.0, 0.0, 0.0)
    camera.SetFocalPoint(*forward)
    camera.SetViewUp(*up)
    camera.SetViewAngle(2.0 * half_fields(view)[1])
    camera.SetClippingRange(NEAR, FAR)
    window.Render()
    grab = vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.SetInputBufferTypeToZBuffer()
    grab.ReadFrontBufferOff()
    grab.Update()
    buffer = vtk_to_numpy(grab.GetOutput().GetPointData().GetScalars()).reshape(SIZE[::-1])[::-1].astype(np.float64)
    window.Finalize()
    return np.asarray(NEAR * FAR / (FAR - buffer * (FAR - NEAR)))


def views(layer: Layer) -> Iterator[tuple[View, NDArray[np.float64]]]:
    """Cameras between the houses of a city, and points on its ground around each."""
    mesh = layer.geometry
    assert isinstance(mesh, Mesh)
    assert mesh.bounds is not None
    rng = np.random.default_rng(11)
    ground = mesh.bounds.low[2] + 1.0
    for number in range(6):
        place = np.array([*(np.array(mesh.bounds.centre)[:2] + rng.uniform(-150, 150, 2)), ground + 22.0])
        view = view_at(place, 60.0 * number, 18.0, 0.0, focal_px=1400.0, pixels=SIZE)
        spots = np.column_stack([place[:2] + rng.uniform(-140, 140, (12_000, 2)), np.full(12_000, ground)])
        yield view, spots


def test_picture_and_lines_of_sight_agree(shared_data: Path) -> None:
    from app.importer import import_files
    from app.view.offscreen import graphics_problem

    path = shared_data / "city" / "3-20-DELFSHAVEN.city.json"
    if not path.is_file():
        pytest.skip("no such city")
    if graphics_problem():
        pytest.skip("no graphics")
    layer = next(layer for layer in import_files([path], frame=None).layers if layer.theme == "building")
    scene = sight_scene([layer])
    agree = clear = total = seen = 0
    for view, spots in views(layer):
        targets = ground_targets(spots, cell=1.0)
        mask = np.zeros(len(targets), dtype=bool)
        mask[trace(scene, [view.position], targets, 400.0).row(0)[0]] = True
        depth = depth_picture(layer.geometry, view)  # type: ignore[arg-type]
        pictured = np.flatnonzero(in_view(view, targets.xyz))
        u, v, z = project(view, targets.xyz[pictured])
        col = np.clip(np.floor(u).astype(int), 0, SIZE[0] - 1)
        row = np.clip(np.floor(v).astype(int), 0, SIZE[1] - 1)
        free = depth[row, col] >= z - SLACK
        same = free == mask[pictured]
        # at a silhouette the point may lie on either side within its pixel: one of the neighbours then agrees
        around = np.zeros(len(pictured), dtype=bool)
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                r, c = np.clip(row + down, 0, SIZE[1] - 1), np.clip(col + right, 0, SIZE[0] - 1)
                around |= (depth[r, c] >= z - SLACK) == mask[pictured]
        agree, clear, total = agree + int(same.sum()), clear + int(around.sum()), total + len(pictured)
        seen += int(mask[pictured].sum())
    assert total > 5000
    assert 0.2 < seen / total < 0.9
    assert agree / total >= 0.999
    assert clear == total
    print(f"\n{total} targets in 6 pictures: {100 * agree / total:.3f} % agree")
