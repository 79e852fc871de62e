"""Scenes for the wind tunnel: blocks, hills, trees, real cities."""

from __future__ import annotations

import numpy as np

from analysis.wind.declaration import CityInputs, TunnelParams
from analysis.wind.geometry import Built, build_tunnel
from analysis.wind.tunnel import BUILDING, Tunnel
from geo.model import Feedback, Grid, Layer, Mesh
from geo.trees import plant
from tests.tiny import box_mesh, buildings, tiny_frame

Box = tuple[float, float, float, float, float, float]


def inputs_of(
    boxes: list[Box] | None = None, *, layers: tuple[Layer, ...] = (), ground: Layer | None = None,
    trees: tuple[Layer, ...] = (),
) -> CityInputs:  # fmt: skip
    given = (buildings(boxes),) if boxes else ()
    return CityInputs(tiny_frame(), terrain=ground, relief=(), buildings=(*given, *layers), trees=trees)


def flat(height: float = 0.0, half: float = 900.0) -> Layer:
    return relief(np.full((int(half / 10) + 1, int(half / 10) + 1), height), -half, 20.0)


def relief(values: np.ndarray, start: float, cell: float) -> Layer:
    return Layer("terrain", "Terrain", "terrain", Grid(values, start, start, cell))


def build(inputs: CityInputs, **params: object) -> Built:
    given = {"size": 100.0, "cell": 4.0, "leaves": "summer", **params}
    return build_tunnel(inputs, TunnelParams(**given), Feedback())


def codes(built: Built) -> set[str]:
    return {issue.code for issue in built.issues}


def mesh_layer(mesh: Mesh, theme: str = "building") -> Layer:
    return Layer("m", "Mesh", theme, mesh)


def built_volume(tunnel: Tunnel) -> float:
    cell = np.diff(tunnel.z)[:, None, None] * np.diff(tunnel.y)[None, :, None] * np.diff(tunnel.x)[None, None, :]
    return float((cell * (tunnel.solid == BUILDING)).sum())


BLOCK: list[Box] = [(-20.0, -20.0, 0.0, 40.0, 40.0, 20.0)]


CITY: list[Box] = [
    (-70.0, -50.0, 0.0, 20.0, 36.0, 15.0), (-42.0, -50.0, 0.0, 10.0, 10.0, 33.0), (-18.0, -30.0, 0.0, 30.0, 12.0, 21.0),
    (26.0, -14.0, 0.0, 14.0, 60.0, 27.0), (-50.0, 14.0, 0.0, 44.0, 16.0, 9.0), (50.0, 34.0, 0.0, 20.0, 16.0, 12.0),
]  # fmt: skip


def oblique(boxes: list[Box], angle: float) -> Layer:
    mesh, _ = box_mesh(boxes)
    a = np.radians(angle)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    return mesh_layer(Mesh(mesh.vertices @ turn.T, mesh.faces, mesh.face_element))


def tree_layer(points: list[tuple[float, float, float]], height: float = 10.0, crown: float = 6.0) -> Layer:
    planted = plant(np.array(points), np.full(len(points), height), crown=np.full(len(points), crown))
    return Layer("trees", "Trees", "tree", planted)
