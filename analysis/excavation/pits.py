"""The excavations of layers and parameters as closed solids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.excavation.declaration import ExcavationInputs, ExcavationParams
from analysis.excavation.solids import (
    Sheet,
    crosses_itself,
    extents,
    hull_sheet,
    is_closed,
    merged,
    prism,
    ring_sheet,
    round_sheet,
    sheet_area,
    square_sheet,
    turned,
)
from analysis.places import read_places
from geo.model import Feedback, Grid, Instances, Issue, Layer, Lines, Mesh, Points, UserError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

HEADROOM = 1.0  # [m] above the highest ground: all that lies over a floor is dug away
TREES_A_STEP = 200  # between two looks whether the user wants to stop
FLAT = 0.05  # [m] a mesh lower than this is an outline, not a solid


class Pit(NamedTuple):
    """One excavation.

    Attributes
    ----------
    name : str
    solid : (t, 3, 3) float64 [local m]
        What is checked: closed triangles, a little higher than the ground.
    shown : (t, 3, 3) float64 [local m]
        What is drawn.
    depth : float [m]
        From the highest ground at its rim to its lowest point.
    bottom : float [local m]
    volume : float [m3]
        Between the ground and the bottom; NaN for solids of a model.
    short, long : float [m]
        Sides of the smallest rectangle around it in plan.
    closed : bool
        False: the solid is not closed, pipes wholly inside it cannot be told.
    """

    name: str
    solid: Floats
    shown: Floats
    depth: float
    bottom: float
    volume: float
    short: float
    long: float
    closed: bool


def pits_of(
    inputs: ExcavationInputs, params: ExcavationParams, issues: list[Issue], feedback: Feedback | None = None
) -> list[Pit]:
    """All excavations. Raises `UserError` when there is none."""
    ground = inputs.terrain.geometry if inputs.terrain is not None else None
    grid = ground if isinstance(ground, Grid) else None
    pits: list[Pit] = []
    lost: list[str] = []
    for layer in inputs.excavations:
        for name, pit in _layer_pits(layer, grid, params, issues):
            (pits.append(pit) if pit is not None else lost.append(name))
    for layer in inputs.models:
        pits += _model_pits(layer, grid, params, issues)
    for layer in inputs.trees:
        pits += _tree_pits(layer, grid, params, issues, feedback or Feedback())
    if params.outline.strip():
        pits.append(_outline_pit(inputs, params, grid))
    if lost:
        text = f"{len(lost)} excavations enclose no area, or their outline crosses itself; they were left out."
        issues.append(Issue("excavation.unusable", text, "error", count=len(lost), elements=tuple(lost[:50])))
    if not pits:
        raise UserError(
            "There is no excavation.",
            "No layer of excavations has a usable outline or solid, and no outline is given.",
            "Draw or import an excavation, choose a model or trees, or give the corners of an outline.",
            code="excavation.none",
        )
    open_solids = [pit.name for pit in pits if not pit.closed]
    if open_solids:
        text = f"{len(open_solids)} solids are not closed: a pipe wholly inside one would not be found as a hit."
        issues.append(
            Issue("excavation.open_solid", text, "doubt", count=len(open_solids), elements=tuple(open_solids[:50]))
        )
    return pits


def _layer_pits(
    layer: Layer, grid: Grid | None, params: ExcavationParams, issues: list[Issue]
) -> Iterator[tuple[str, Pit | None]]:
    shape = layer.geometry
    without = 0
    for row, name in enumerate(_names(layer)):
        depth = _number(layer, "depth", row)
        if isinstance(shape, Mesh):
            mesh = _element(shape, row)
            if mesh is not None and is_closed(mesh[1]) and float(np.ptp(mesh[0][:, 2])) > FLAT:
                yield str(name), _solid_pit(str(name), *mesh, grid, depth)
                continue
        found = _sheet(layer, row)
        if found is None:
            yield str(name), None
            continue
        without += not depth > 0
        yield str(name), sheet_pit(str(name), found[0], found[1], grid, depth if depth > 0 else params.depth)
    if without:
        text = f"{without} excavations of {layer.name} say no depth; {params.depth:g} m is taken."
        values = {"layer": layer.name, "depth": f"{params.depth:g}"}
        issues.append(Issue("excavation.depth_assumed", text, "doubt", count=without, values=values))


def _names(layer: Layer) -> list[str]:
    """What people call each excavation: the column ``name``, else the id; a name that comes again is no name."""
    column = layer.table.columns.get("name")
    said = column.values if column is not None and not column.is_number else [""] * len(layer.table)
    once = len(set(said)) == len(said)
    return [str(name) if name and once else str(element) for name, element in zip(said, layer.table.ids, strict=True)]


def _number(layer: Layer, name: str, row: int) -> float:
    column = layer.table.columns.get(name)
    return float(np.asarray(column.values)[row]) if column is not None and column.is_number else float("nan")


def _element(mesh: Mesh, row: int) -> tuple[Floats, Indices] | None:
    faces = mesh.faces[mesh.face_element == row].astype(np.int64)
    if len(faces) == 0:
        return None
    used, number = np.unique(faces, return_inverse=True)
    return merged(mesh.vertices[used], number.reshape(-1, 3))


def _sheet(layer: Layer, row: int) -> tuple[Sheet, Floats] | None:
    """Outline of an element in plan, and the height of the file at each of its points."""
    shape = layer.geometry
    if isinstance(shape, Mesh):
        mesh = _element(shape, row)
        if mesh is None:
            return None
        sheet = turned(Sheet(mesh[0][:, :2], mesh[1]))
        return (sheet, mesh[0][:, 2]) if len(sheet.faces) else None
    if isinstance(shape, Lines):
        rings = [
            shape.vertices[shape.offsets[k] : shape.offsets[k + 1]] for k in np.flatnonzero(shape.line_element == row)
        ]
        if not rings or any(crosses_itself(ring[:, :2]) for ring in rings):
            return None
        found = ring_sheet([ring[:, :2] for ring in rings])
        return None if found is None else (found, np.full(len(found.points), float(rings[0][:, 2].max())))
    if isinstance(shape, Points):
        point = shape.vertices[shape.element == row]
        diameter, width = _number(layer, "diameter", row), _number(layer, "width", row)
        if len(point) == 0 or not (diameter > 0 or width > 0):
            return None
        hole = round_sheet(point[0, :2], diameter) if diameter > 0 else square_sheet(point[0, :2], width)
        return hole, np.full(len(hole.points), point[0, 2])
    return None


def sheet_pit(
    name: str,
    sheet: Sheet,
    heights: Floats,
    grid: Grid | None,
    depth: float,
    *,
    sides: tuple[float, float] | None = None,
) -> Pit:
    """An upright pit under an outline: its floor lies `depth` [m] under the highest ground of its corners.

    sides : (short, long) [m], optional
        Of the smallest rectangle around it, where they are known.
    """
    ground = _ground(sheet.points, heights, grid)
    bottom = float(ground.max()) - depth
    mean = ground[sheet.faces].mean(axis=1)
    volume = float((sheet_area(sheet) * np.maximum(mean - bottom, 0.0)).sum())
    return Pit(
        name,
        prism(sheet, bottom, float(ground.max()) + HEADROOM),
        prism(sheet, bottom, np.maximum(ground, bottom + 0.01)),
        depth,
        bottom,
        volume,
        *(sides or extents(sheet.points)),
        closed=True,
    )


def _ground(points: Floats, heights: Floats, grid: Grid | None) -> Floats:
    if grid is None:
        return heights
    seen = grid.sample(points[:, 0], points[:, 1])
    return np.where(np.isfinite(seen), seen, heights)


def _solid_pit(name: str, vertices: Floats, faces: Indices, grid: Grid | None, depth: float) -> Pit:
    low, high = float(vertices[:, 2].min()), float(vertices[:, 2].max())
    if not depth > 0:
        depth = float(_ground(vertices[:, :2], np.full(len(vertices), high), grid).max()) - low
    triangles = vertices[faces]
    volume = abs(float(np.einsum("ti,ti->", triangles[:, 0], np.cross(triangles[:, 1], triangles[:, 2])))) / 6.0
    return Pit(name, triangles, triangles, depth, low, volume, *extents(vertices[:, :2]), closed=True)


def _model_pits(layer: Layer, grid: Grid | None, params: ExcavationParams, issues: list[Issue]) -> list[Pit]:
    mesh = layer.geometry
    if not isinstance(mesh, Mesh) or len(mesh.faces) == 0:
        return []
    if params.model == "solids":
        found = []
        for row in np.unique(mesh.face_element):
            name = str(layer.table.ids[row]) if row < len(layer.table) else f"{layer.id}/{row}"
            part = _element(mesh, int(row))
            if part is not None and len(part[1]):
                pit = _solid_pit(name, *part, grid, float("nan"))
                found.append(pit._replace(closed=is_closed(part[1]), volume=float("nan")))
        return found
    used = mesh.vertices[np.unique(mesh.faces)]
    ground = _ground(used[:, :2], np.full(len(used), float(used[:, 2].max())), grid)
    below = used[used[:, 2] < ground - FLAT]
    sheet = hull_sheet(below[:, :2]) if len(below) >= 3 else None
    if sheet is None:
        text = f"Nothing of {layer.name} lies below the ground: it is no excavation."
        issues.append(Issue("excavation.not_below", text, "doubt", values={"layer": layer.name}))
        return []
    text = f"{layer.name} is taken as one upright pit around all of it that lies below the ground."
    issues.append(Issue("excavation.model_pit", text, "note", values={"layer": layer.name}))
    heights = np.full(len(sheet.points), float(ground.max()))
    top = float(_ground(sheet.points, heights, grid).max())
    return [sheet_pit(layer.name, sheet, heights, grid, top - float(below[:, 2].min()))]


def _tree_pits(
    layer: Layer, grid: Grid | None, params: ExcavationParams, issues: list[Issue], feedback: Feedback
) -> list[Pit]:
    """A round pit under each tree; its diameter from the column ``pit``, else as the user says."""
    shape = layer.geometry
    if isinstance(shape, Instances):
        places, element = shape.transform[:, :, 3], shape.element
    elif isinstance(shape, Points):
        places, element = shape.vertices, shape.element
    else:
        return []
    pits: list[Pit] = []
    names = _names(layer)
    for place, row in zip(places, element, strict=True):
        if len(pits) % TREES_A_STEP == 0:
            feedback.step(len(pits) / len(places), "reading the excavations")
        own = _number(layer, "pit", int(row))
        wide = own if own > 0 else params.tree_pit
        sheet = round_sheet(place[:2], wide)
        name = names[row] if row < len(names) else f"{layer.id}/{row}"
        heights = np.full(len(sheet.points), place[2])
        pits.append(sheet_pit(name, sheet, heights, grid, params.tree_pit_depth, sides=(wide, wide)))
    values = {"layer": layer.name, "diameter": f"{params.tree_pit:g}", "depth": f"{params.tree_pit_depth:g}"}
    text = f"{len(pits)} trees of {layer.name}: pits {params.tree_pit:g} m wide and {params.tree_pit_depth:g} m deep."
    issues.append(Issue("excavation.tree_pits", text, "note", count=len(pits), values=values))
    return pits


def _outline_pit(inputs: ExcavationInputs, params: ExcavationParams, grid: Grid | None) -> Pit:
    places = read_places(params.outline, inputs.pipes, inputs.frame)
    ring = np.array([place.point for place in places])
    sheet = ring_sheet([ring[:, :2]]) if len(ring) >= 3 and not crosses_itself(ring[:, :2]) else None
    if sheet is None:
        raise UserError(
            "The outline encloses no area.",
            "It needs three corners or more that do not lie on one line, and its sides must not cross.",
            "Name the corners in order around the excavation.",
            code="excavation.outline",
        )
    ground = _ground(ring[:, :2], ring[:, 2], grid)
    if not np.isfinite(ground).any():
        raise UserError(
            "The height of the ground at the outline is not known.",
            "There is no terrain there, and the corners are given without a height.",
            "Import a terrain, or give each corner as easting, northing, height.",
            code="excavation.no_ground",
        )
    heights = np.where(np.isfinite(ground), ground, np.nanmax(ground))
    return sheet_pit("outline", sheet, np.full(len(sheet.points), float(heights.max())), grid, params.depth)
