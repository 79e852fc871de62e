"""The layers of ``cctv.coverage``: classes on the ground, in rooms, on facades, at doors, of plates; blind spots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.blind_spots import BlindSpot
from analysis.cctv.classes import Edition
from analysis.cctv.looked_at import LookedAt
from analysis.cctv.seen import Score
from analysis.cctv.targets import ENTRANCE, FACADE, GROUND, PLATE, ROOM
from analysis.kernels.inside import Raster
from geo.model import Column, ElementTable, Field, Grid, Layer, Lines, Mesh, Points, Style

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

UNSEEN = "unseen"
RAMP = "sight"
ABOVE = 0.15  # [m] over floor and ground at which cells are drawn


class Values:
    """What was found for each target, by the names of the fields."""

    def __init__(self, score: Score, edition: Edition) -> None:
        self.edition = edition
        self.names = (UNSEEN, *edition.names)
        self.classes = {
            "view_class": edition.classify(score.density) + 1,
            "night_class": edition.classify(score.night) + 1,
            "face_class": edition.classify(score.square) + 1,
            "reachable_class": edition.classify(score.reachable) + 1,
        }
        self.density = score.density.astype(np.float64)
        self.views = score.views.astype(np.float64)

    def fields(self, on: Any, spread: Any) -> tuple[Field, ...]:
        """Fields on a geometry; `spread(values, missing)` lays the values of targets on it."""
        top = float(self.edition.limits[-2])
        most = max(1.0, float(self.views.max(initial=0.0)))
        maps = tuple(
            Field(name, "1", on, spread(codes.astype(np.int8), -1), categories=self.names, ramp=RAMP)
            for name, codes in self.classes.items()
        )
        return (
            *maps,
            Field("pixel_density", "1/m", on, spread(self.density, np.nan), ramp="viridis", range=(0.0, top)),
            Field("camera_views", "1", on, spread(self.views, np.nan), ramp="viridis", range=(0.0, most)),
        )


def ground_layer(looked: LookedAt, values: Values) -> Layer | None:
    """Cells of the ground."""
    mine = looked.targets.kind == GROUND
    raster = looked.raster
    if raster is None or not mine.any():
        return None
    cell = looked.targets.number[mine]

    def spread(found: NDArray[Any], missing: float) -> NDArray[Any]:
        out = np.full(raster.shape[0] * raster.shape[1], missing, dtype=found.dtype)
        out[cell] = found[mine]
        return out.reshape(raster.shape)

    fields = values.fields("cell", spread)
    grid = Grid(spread(values.density, np.nan), raster.x0, raster.y0, raster.cell, z=looked.level)
    style = Style(colour_by="view_class")
    return Layer("ground", "What cameras see of the ground", "result", grid, fields=fields, style=style)


def room_layer(looked: LookedAt, values: Values) -> Layer | None:
    """Cells of the floors of rooms as squares; its elements are the rooms."""
    rooms = looked.rooms
    mine = looked.targets.kind == ROOM
    if rooms is None or not mine.any():
        return None
    cell = looked.targets.number[mine]
    mesh = squares(rooms.points[cell], rooms.cell, rooms.room[cell])
    fields = values.fields("face", lambda found, _: np.repeat(found[mine], 2))
    ids = [f"{layer.id}#{layer.table.ids[row]}" if row < len(layer.table) else f"{layer.id}-{row}"
           for layer, row in rooms.rooms]  # fmt: skip
    table = ElementTable(ids, {"room": Column(np.array(rooms.names, dtype=object))})
    return Layer(
        "rooms", "What cameras see of rooms", "result", mesh, table, fields=fields, style=Style(colour_by="view_class"),
        stratum="indoor",
    )  # fmt: skip


def squares(points: Floats, size: float, element: NDArray[Any]) -> Mesh:
    """Level squares (two triangles each) around points (n, 3) [local m], a little above them."""
    half = size / 2.0
    corner = np.array([[-half, -half, ABOVE], [half, -half, ABOVE], [half, half, ABOVE], [-half, half, ABOVE]])
    vertices = (points[:, None, :] + corner[None]).reshape(-1, 3)
    first = 4 * np.arange(len(points))[:, None]
    faces = np.concatenate([first + [0, 1, 2], first + [0, 2, 3]], axis=1).reshape(-1, 3)
    return Mesh(vertices, faces.astype(np.int32), np.repeat(element, 2).astype(np.int32))


def facade_layer(looked: LookedAt, values: Values) -> Layer | None:
    """Cells of walls; its elements are the buildings."""
    cells = looked.facades
    mine = np.flatnonzero(looked.targets.kind == FACADE)
    if cells is None or len(mine) == 0:
        return None
    place = np.full(len(cells.area), -1, dtype=np.int64)
    place[looked.targets.number[mine]] = mine
    of_face = place[cells.cell_of_face]
    used, element = np.unique(cells.mesh.face_element, return_inverse=True)
    mesh = Mesh(cells.mesh.vertices, cells.mesh.faces, element.astype(np.int32))
    fields = values.fields("face", lambda found, _: found[of_face])
    names = np.empty(int(cells.element.max()) + 1, dtype=object)
    names[cells.element[looked.targets.number[mine]]] = np.array(looked.targets.areas, dtype=object)[
        looked.targets.area[mine]
    ]
    table = ElementTable([f"wall-{k}" for k in used.tolist()], {"building": Column(names[used])})
    style = Style(colour_by="view_class")
    return Layer("facades", "What cameras see of facades", "result", mesh, table, fields=fields, style=style)


def point_layers(looked: LookedAt, values: Values) -> list[Layer]:
    """Faces at entrances, and number plates."""
    titles = {ENTRANCE: ("entrances", "Faces at entrances"), PLATE: ("plates", "Number plates")}
    return [
        _points(looked, values, np.flatnonzero(looked.targets.kind == kind), *names) for kind, names in titles.items()
        if (looked.targets.kind == kind).any()
    ]  # fmt: skip


def _points(looked: LookedAt, values: Values, mine: NDArray[np.int64], part: str, title: str) -> Layer:
    names = np.array(looked.targets.areas, dtype=object)[looked.targets.area[mine]]
    table = ElementTable([f"{part}-{k}" for k in range(len(mine))], {"name": Column(names)})
    fields = values.fields("point", lambda found, _: found[mine])
    points = Points(looked.targets.xyz[mine], np.arange(len(mine), dtype=np.int32))
    return Layer(part, title, "result", points, table, fields=fields, style=Style(colour_by="face_class"))


def blind_layers(spots: Sequence[BlindSpot], raster: Raster | None, height: Any) -> list[Layer]:
    """Blind spots as cells, and the longest unseen ways as lines; `height(x, y)` is that of the ground.

    Both begin hidden: the map of classes has what is unseen in its own colour, and over it these would be a second
    scale that its legend does not tell.
    """
    if raster is None or not spots:
        return []
    cells = np.concatenate([spot.cells for spot in spots])
    cols = raster.shape[1]
    x, y = raster.x0 + raster.cell * (cells % cols), raster.y0 + raster.cell * (cells // cols)
    element = np.repeat(np.arange(len(spots)), [len(spot.cells) for spot in spots])
    mesh = squares(np.column_stack([x, y, height(x, y)]), raster.cell, element)
    area = np.array([spot.area for spot in spots])
    length = np.array([spot.length for spot in spots])
    ids = [f"blind-{k + 1}" for k in range(len(spots))]
    names = np.array(
        [f"{k + 1} · {spot.address}" if spot.address else str(k + 1) for k, spot in enumerate(spots)], object
    )
    columns = {
        "name": Column(names),
        "address": Column(np.array([spot.address for spot in spots], dtype=object)),
        "area": Column(area, "m2"),
        "unseen_path": Column(length, "m"),
    }
    field = Field("blind_area", "m2", "element", area, ramp="exposure")
    blind = Layer(
        "blind_areas", "Blind spots", "result", mesh, ElementTable(ids, columns), fields=(field,),
        style=Style(visible=False, colour_by="blind_area", opacity=0.6),
    )  # fmt: skip
    walked = [k for k, spot in enumerate(spots) if len(spot.path) > 1]
    if not walked:
        return [blind]
    points = np.concatenate([spots[k].path for k in walked])
    offsets = np.concatenate([[0], np.cumsum([len(spots[k].path) for k in walked])]).astype(np.int32)
    vertices = np.column_stack([points, height(points[:, 0], points[:, 1]) + 1.0])
    lines = Lines(vertices, offsets, np.arange(len(walked), dtype=np.int32))
    known = {"name": Column(names[walked]), "unseen_path": Column(length[walked], "m")}
    table = ElementTable([ids[k] for k in walked], known)
    path_field = Field("unseen_path", "m", "element", length[walked], ramp="exposure")
    paths = Layer(
        "unseen_paths", "Longest unseen ways", "result", lines, table, fields=(path_field,),
        style=Style(visible=False, colour_by="unseen_path"),
    )  # fmt: skip
    return [blind, paths]
