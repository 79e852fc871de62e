"""Headless. Sensors, cameras and equipment set into the scene by hand, each with the room it stands in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.commands import AddLayers, Command, ReplaceLayer
from geo.model import Column, ElementTable, Layer, Mesh, Points, Scene
from geo.model.conventions import ROOM, ROOM_NAME, STOREY

Floats = NDArray[np.float64]
KINDS = ("sensor", "camera", "equipment")
LAYER = "devices"
ABOVE_FLOOR = 0.05  # [m] a point clicked on a floor lies in the room above it


def room_at(layers: Sequence[Layer], point: Floats) -> tuple[str, str, str]:
    """Id, name and storey of the room a point (3,) lies in; three empty texts outside all rooms."""
    from analysis.kernels.capsules import points_inside

    asked = np.array([[point[0], point[1], point[2] + ABOVE_FLOOR]])
    for layer in layers:
        shape = layer.geometry
        if layer.theme != "space" or not isinstance(shape, Mesh) or len(shape.faces) == 0:
            continue
        corners = shape.vertices[shape.faces]
        low, high = corners.min(axis=1), corners.max(axis=1)
        near = np.zeros((len(layer.table), 6))
        near[:, :3], near[:, 3:] = np.inf, -np.inf
        np.minimum.at(near[:, :3], shape.face_element, low)
        np.maximum.at(near[:, 3:], shape.face_element, high)
        inside = (near[:, :3] <= asked[0]).all(axis=1) & (near[:, 3:] >= asked[0]).all(axis=1)
        for row in np.flatnonzero(inside):
            if points_inside(asked, corners[shape.face_element == row])[0]:
                return str(layer.table.ids[row]), _said(layer, ROOM_NAME, row), _said(layer, STOREY, row)
    return "", "", ""


def _said(layer: Layer, name: str, row: int) -> str:
    column = layer.table.columns.get(name)
    value = column.values[row] if column is not None else None
    return "" if value is None else str(value)


def add_device(scene: Scene, point: Floats, *, kind: str, name: str, height: float) -> Command:
    """The step that sets a device.

    Parameters
    ----------
    point : (3,) float [local m]
        On the floor, the ground or a wall.
    kind : one of `KINDS`
    height : float [m]
        Above the point.
    """
    room, room_name, storey = room_at(tuple(scene), point)
    row = {"kind": kind, "name": name, ROOM: room, "room_name": room_name, STOREY: storey}
    place = np.asarray(point, dtype=np.float64) + np.array([0.0, 0.0, height])
    before = scene.get(LAYER)
    if before is None or not isinstance(before.geometry, Points):
        return AddLayers((_layer([f"{kind}-1"], place[None], [row]),), title="add_device")
    rows = [*(_row(before, k) for k in range(len(before.table))), row]
    ids = [*map(str, before.table.ids), _free_id(before, kind)]
    after = _layer(ids, np.vstack([before.geometry.vertices, place]), rows)
    return ReplaceLayer(after.with_(style=before.style, name=before.name), "data", "add_device")


def remove_devices(layer: Layer, ids: Sequence[str]) -> Command:
    """The step that takes devices away."""
    if not isinstance(layer.geometry, Points):
        raise TypeError("devices are points")
    keep = [k for k, device in enumerate(layer.table.ids) if device not in set(ids)]
    rows = [_row(layer, k) for k in keep]
    after = _layer([str(layer.table.ids[k]) for k in keep], layer.geometry.vertices[keep], rows)
    return ReplaceLayer(after.with_(style=layer.style, name=layer.name), "data", "remove_device")


def _row(layer: Layer, k: int) -> dict[str, str]:
    return {name: str(value) for name, value in layer.table.row_at(k).items()}


def _free_id(layer: Layer, kind: str) -> str:
    number = 1
    while f"{kind}-{number}" in layer.table.index:
        number += 1
    return f"{kind}-{number}"


def _layer(ids: Sequence[str], points: Floats, rows: Sequence[dict[str, str]]) -> Layer:
    names = ("kind", "name", ROOM, "room_name", STOREY)
    columns = {name: Column(np.array([row[name] for row in rows], dtype=object)) for name in names}
    shape = Points(points, np.arange(len(ids), dtype=np.int32))
    return Layer(LAYER, "Devices", "sensor", shape, ElementTable(ids, columns))
