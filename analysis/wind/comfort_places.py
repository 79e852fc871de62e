"""Comfort at places: entrances, crossings, benches, parks; layers the user names, and the doors to the open."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.places import element_points
from analysis.wind import comfort_outcome as outcome
from analysis.wind import honesty
from geo.model import Column, ElementTable, Field, Frame, Issue, Layer, Lines, Mesh, Points, Style
from geo.model import conventions as words

if TYPE_CHECKING:
    from analysis.wind.comfort import Assessment, Scheme

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

STEP = 2.0  # [m] between the points of an area or a line
MOST_STEPS = 400
REACH = 3.0  # cells from a place to the nearest open ground
LEAST_REACH = 6.0  # [m]
FLAT = 1e-6  # [m2] less is a wall seen from above
MOST_PLACES = 5000
EXIT = "exit"
NAME_COLUMNS = ("name", "title", "label", "이름", "명칭")


class Spot(NamedTuple):
    """A place: its name, the layer it is of, and (n, 2) points all over it [local m]."""

    name: str
    sort: str
    points: Floats


def places_of(places: tuple[Layer, ...], networks: tuple[Layer, ...], issues: list[Issue]) -> list[Spot]:
    """Every element of the named layers, and the doors of walking networks that lead to the open."""
    found = [spot for layer in places for spot in _elements(layer, range(min(len(layer.table), MOST_PLACES)))]
    for layer in networks:
        if layer not in places:
            found += _elements(layer, _exits(layer))
    left_out = sum(max(len(layer.table) - MOST_PLACES, 0) for layer in places)
    if left_out:
        message = f"{left_out} places were left out: a layer may have {MOST_PLACES}."
        issues.append(Issue("wind.comfort.many_places", message, "doubt", left_out, values={"most": MOST_PLACES}))
    return found


def _exits(layer: Layer) -> list[int]:
    """Rows of the nodes through which people step into the open."""
    column = layer.table.columns.get(words.NODE)
    if column is None:
        return []
    return [row for row, value in enumerate(column.values.tolist()) if value == EXIT]


def _elements(layer: Layer, rows: range | list[int]) -> list[Spot]:
    shape = layer.geometry
    if shape is None:
        return []
    name = next((layer.table.columns[key] for key in NAME_COLUMNS if key in layer.table.columns), None)
    out = []
    for row in rows:
        if isinstance(shape, Mesh):
            points = _over(shape.vertices[shape.faces[shape.face_element == row]][:, :, :2])
        elif isinstance(shape, Lines):
            points = _along(shape, row)
        else:
            points = element_points(layer, row)[:, :2]
        if len(points):
            title = None if name is None else name.values[row]
            out.append(Spot(str(title) if title else str(layer.table.ids[row]), layer.name, points))
    return out


def _over(triangles: Floats) -> Floats:
    """Points all over triangles (n, 3, 2), about `STEP` apart, none on their borders."""
    if len(triangles) == 0:
        return np.zeros((0, 2))
    a, b = (triangles[:, corner] - triangles[:, 0] for corner in (1, 2))
    lying = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) > FLAT
    triangles = triangles[lying] if lying.any() else triangles  # walls have no area of their own
    sides = np.linalg.norm(triangles - np.roll(triangles, 1, axis=1), axis=2).max(axis=1)
    steps = np.clip(np.ceil(sides / STEP), 1, MOST_STEPS).astype(np.int64)
    out = []
    for count in np.unique(steps):
        a, b = np.indices((count, count)).reshape(2, -1)
        # Middles of the small triangles, those that stand and those that hang between them.
        thirds = [np.column_stack([a, b])[a + b < count] + 1 / 3, np.column_stack([a, b])[a + b < count - 1] + 2 / 3]
        share = np.concatenate(thirds) / count
        share = np.column_stack([share, 1.0 - share.sum(axis=1)])
        out.append((share[None] @ triangles[steps == count]).reshape(-1, 2))
    return np.concatenate(out)


def _along(shape: Lines, row: int) -> Floats:
    """Points along the lines of an element."""
    out = []
    for line in np.flatnonzero(shape.line_element == row):
        corners = shape.vertices[shape.offsets[line] : shape.offsets[line + 1], :2]
        length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
        at = np.linspace(0.0, length[-1], int(np.ceil(length[-1] / STEP)) + 1)
        out.append(np.column_stack([np.interp(at, length, corners[:, axis]) for axis in (0, 1)]))
    return np.concatenate(out) if out else np.zeros((0, 2))


def cells_of(spots: list[Spot], found: outcome.Outcome) -> list[Indices]:
    """Numbers of the known cells each place lies on; for one beside open ground the nearest, none if far away."""
    from scipy.spatial import cKDTree

    ground = found.ground
    where = ground.where
    rows, columns = where.inside.shape
    number = np.full(where.inside.size, -1, dtype=np.int64)
    number[ground.cells] = np.arange(len(ground))
    tree = cKDTree(ground.points[:, :2])
    out = []
    for spot in spots:
        column = np.rint((spot.points[:, 0] - where.x0) / where.cell).astype(np.int64)
        row = np.rint((spot.points[:, 1] - where.y0) / where.cell).astype(np.int64)
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        mine = number[row[inside] * columns + column[inside]]
        mine = np.unique(mine[mine >= 0])
        if len(mine) == 0:
            reach = max(REACH * where.cell, LEAST_REACH)
            near, nearest = tree.query(0.5 * (spot.points.min(axis=0) + spot.points.max(axis=0)))
            mine = np.array([nearest] if near <= reach else [], dtype=np.int64)
        out.append(mine)
    return out


def place_layer(spots: list[Spot], found: outcome.Outcome, frame: Frame, issues: list[Issue]) -> Layer | None:
    """Points with what the schemes say of each place; None if there is none in the study area."""
    if not spots:
        return None
    cells = cells_of(spots, found)
    kept = [(spot, mine) for spot, mine in zip(spots, cells, strict=True) if len(mine)]
    if len(kept) < len(spots):
        message = f"{len(spots) - len(kept)} places lie outside the study area or have no open ground near them."
        issues.append(Issue("wind.comfort.places_outside", message, "note", len(spots) - len(kept)))
    if not kept:
        return None
    columns = _columns(kept, found, frame)
    points = found.ground.points
    middles = np.array([points[mine].mean(axis=0) for _, mine in kept])
    middles[:, 2] += found.height
    count = len(kept)
    table = ElementTable([f"place-{number}" for number in range(count)], columns)
    rule, judged = found.schemes[0]
    codes = np.array([_worst(judged, mine) for _, mine in kept], dtype=np.int8)
    field = Field(f"comfort_{rule.id}", "1", "element", codes, categories=rule.classes, ramp=outcome.RAMP)
    shape = Points(middles, np.arange(count, dtype=np.int32))
    return Layer(
        "places", "Comfort at places", "result", shape, table, (field,), style=Style(colour_by=f"comfort_{rule.id}")
    )


def _worst(judged: Assessment, cells: Indices) -> int:
    return int(judged.comfort[cells].max())


def _columns(kept: list[tuple[Spot, Indices]], found: outcome.Outcome, frame: Frame) -> dict[str, Column]:
    """One value for each place."""
    ratio, speed = outcome.weighted_ratio(found), outcome.mean_speed(found)
    worst_from, trust = outcome.worst_direction(found), found.ground.trust_of_cells()
    points = found.ground.points

    def each(values: Floats) -> NDArray[np.float64]:
        return np.array([float(values[mine].mean()) for _, mine in kept])

    def texts(values: list[str]) -> Column:
        return Column(np.array(values, dtype=object))

    columns = {
        "name": texts([spot.name for spot, _ in kept]),
        "place_layer": texts([spot.sort for spot, _ in kept]),
        "easting": Column(each(points[:, 0]) + frame.origin[0], "m"),
        "northing": Column(each(points[:, 1]) + frame.origin[1], "m"),
        "place_area": Column(np.array([len(mine) for _, mine in kept]) * found.ground.where.cell**2, "m2"),
    }
    for rule, judged in found.schemes:
        columns |= _scheme_columns(rule, judged, kept)
    rule, judged = found.schemes[0]
    at = [int(mine[np.argmax(judged.exceedance[mine])]) for _, mine in kept]
    columns |= {
        "weighted_ratio": Column(each(ratio), "1"),
        "mean_speed_of_year": Column(each(speed), "m/s"),
        "worst_direction": texts([found.names[worst_from[cell]] if worst_from[cell] >= 0 else "" for cell in at]),
        "trust": texts([honesty.TRUST[int(trust[mine].max())] for _, mine in kept]),
    }
    for activity, verdicts in rule.activities.items():
        columns[f"suits_{activity}"] = texts([verdicts[_worst(judged, mine)] for _, mine in kept])
    return columns


def _scheme_columns(rule: Scheme, judged: Assessment, kept: list[tuple[Spot, Indices]]) -> dict[str, Column]:
    """Worst class of the place's cells, the highest exceedance, the worst danger."""
    classes = [rule.classes[_worst(judged, mine)] for _, mine in kept]
    highest = [float(judged.exceedance[mine].max()) for _, mine in kept]
    out = {
        f"comfort_{rule.id}": Column(np.array(classes, dtype=object)),
        f"exceedance_{rule.id}": Column(np.array(highest), "%"),
    }
    if rule.dangers:
        names = (outcome.NO_DANGER, *(limit.name for limit in rule.dangers))
        danger = [names[int(judged.danger[mine].max())] for _, mine in kept]
        out[f"danger_{rule.id}"] = Column(np.array(danger, dtype=object))
    return out
