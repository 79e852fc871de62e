"""From the city's layers to places with people: homes, schools, stops, parks, streets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.dust.city import lines_of, plan_triangles
from analysis.dust.columns import numbers_of, texts_of, titles_of
from analysis.dust.people import Place
from analysis.dust.rules import RULES
from geo.model import Instances, Issue, Layer, Lines, Mesh, Points
from geo.model import conventions as words
from resources import load_json

Floats = NDArray[np.float64]

STEP = 4.0  # [m] between the points of a place
HOME, STREET, OTHER = "home", "street", "other"
USE_COLUMNS = ("use", "usage", "function", "용도", "주용도")
FLOOR_AREA = ("floor_area", "gross_floor_area", "연면적")
STOREYS = ("storeys_above", "storeys", "지상층수")


def places_of(people_layers: Sequence[Layer], buildings: Sequence[Layer], issues: list[Issue]) -> tuple[Place, ...]:
    """Places of the named layers; homes of the buildings where no named layer has homes.

    People of a building are those it states, else by its dwellings, else by the floor area of homes. Places that state
    no people are kept with none: tables name them, the mean does not count them.
    """
    found = [place for layer in people_layers for place in _named(layer, issues)]
    if not any(place.group == HOME and place.persons > 0.0 for place in found):
        found += [place for layer in buildings for place in _homes(layer, issues)]
    return tuple(found)


def streets_of(roads: Sequence[Layer]) -> tuple[Place, ...]:
    """Streets as places without people, for tables; pieces of one name are one street."""
    found: dict[str, list[Floats]] = {}
    for layer in roads:
        spots = spots_of(layer)
        for row, name in enumerate(titles_of(layer)):
            if row in spots:
                found.setdefault(name, []).append(spots[row])
    return tuple(Place(STREET, name, np.concatenate(parts), 0.0) for name, parts in found.items())


def _named(layer: Layer, issues: list[Issue]) -> list[Place]:
    persons, hours = _persons(layer, issues), numbers_of(layer, words.HOURS_A_DAY, "h")
    groups = texts_of(layer, (words.PLACE_GROUP,))
    names, spots = titles_of(layer), spots_of(layer)
    wrong = int((persons < 0.0).sum() + ((hours < 0.0) | (hours > 24.0)).sum())
    if wrong:
        message = f"{wrong} places of {layer.name} have people below zero or hours outside 0 to 24: counted as none."
        issues.append(Issue("dust.people_wrong", message, "doubt", wrong, values={"layer": layer.name}))
    hours = np.where((hours >= 0.0) & (hours <= 24.0), hours, np.where(np.isnan(hours), 24.0, 0.0))
    counted = np.maximum(np.nan_to_num(persons), 0.0)
    unknown = int(np.isnan(persons).sum())
    if unknown:
        message = f"{unknown} places of {layer.name} say no number of people: listed, but not counted in means."
        issues.append(Issue("dust.people_unknown", message, "note", unknown, values={"layer": layer.name}))
    return [
        Place(groups[row] or OTHER, names[row], spots[row], float(counted[row]), float(hours[row]))
        for row in range(len(layer.table))
        if row in spots
    ]


def _persons(layer: Layer, issues: list[Issue]) -> Floats:
    """(n,) people of each element: as stated, else by its dwellings; NaN where neither is said."""
    rule = load_json(RULES)["people"]
    persons = numbers_of(layer, words.PERSONS, "1")
    dwellings = numbers_of(layer, words.DWELLINGS, "1")
    by_dwellings = np.isnan(persons) & np.isfinite(dwellings)
    if by_dwellings.any():
        each = rule["per_dwelling"]
        count = int((by_dwellings & (dwellings > 0)).sum())
        message = f"{count} places of {layer.name} have dwellings and no people: {each:g} a dwelling were taken."
        issues.append(Issue("dust.people_by_dwellings", message, "note", count, values={"each": each}))
        persons = np.where(by_dwellings, dwellings * each, persons)
    return persons


def _homes(layer: Layer, issues: list[Issue]) -> list[Place]:
    persons = _persons(layer, issues)
    unknown = np.isnan(persons)
    area = _living_area(layer)
    by_area = unknown & (area > 0.0)
    if by_area.any():
        each = load_json(RULES)["people"]["floor_area_per_person_m2"]
        persons = np.where(by_area, area / each, persons)
        count = int(by_area.sum())
        message = f"{count} homes of {layer.name} say neither people nor dwellings: {each:g} m2 of floor for each."
        issues.append(Issue("dust.people_by_area", message, "doubt", count, values={"each": each}))
    lived = np.flatnonzero(persons > 0.0)
    if len(lived) == 0:
        return []
    spots, names = spots_of(layer), titles_of(layer)
    return [Place(HOME, names[row], spots[row], float(persons[row])) for row in lived.tolist() if row in spots]


def _living_area(layer: Layer) -> Floats:
    """(n,) floor area of buildings whose use says that people live there [m2]; NaN for others."""
    homes = load_json(RULES)["people"]["residential"]
    lived = np.array([any(word in use.lower() for word in homes) for use in texts_of(layer, USE_COLUMNS)], dtype=bool)
    out = np.full(len(layer.table), np.nan)
    if not lived.any():
        return out
    stated = next((numbers_of(layer, name, "m2") for name in FLOOR_AREA if name in layer.table.columns), out)
    storeys = next((numbers_of(layer, name, "1") for name in STOREYS if name in layer.table.columns), out)
    plan = np.array([_plan_area(layer, row) for row in range(len(out))]) if isinstance(layer.geometry, Mesh) else out
    return np.where(lived, np.where(stated > 0.0, stated, plan * storeys), np.nan)


def _plan_area(layer: Layer, row: int) -> float:
    column = layer.table.columns.get("footprint_area")
    return float(numbers_of(layer, "footprint_area", "m2")[row]) if column is not None else np.nan


def spots_of(layer: Layer) -> dict[int, Floats]:
    """Points (n, 2) all over each element of a layer [local m], by its row; none for elements without place."""
    shape = layer.geometry
    if isinstance(shape, Mesh):
        return {row: over(triangles) for row, triangles in plan_triangles(shape).items()}
    if isinstance(shape, Lines):
        return {row: np.concatenate([_along(line) for line in lines]) for row, lines in lines_of(shape).items()}
    if isinstance(shape, Points):
        return _each(shape.element, shape.vertices[:, :2])
    if isinstance(shape, Instances):
        return _each(shape.element, shape.transform[:, :2, 3])
    return {}


def _each(element: NDArray[np.int32], points: Floats) -> dict[int, Floats]:
    order = np.argsort(element, kind="stable")
    rows, first = np.unique(element[order], return_index=True)
    return dict(zip(rows.tolist(), np.split(np.asarray(points, dtype=np.float64)[order], first[1:]), strict=True))


def over(triangles: Floats) -> Floats:
    """Middles of small parts of triangles (m, 3, 3), about `STEP` apart; one point at least."""
    out = []
    corners = triangles[:, :, :2]
    side = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
    steps = np.clip(np.ceil(side / STEP), 1, 200).astype(np.int64)
    for count in np.unique(steps).tolist():
        a, b = np.indices((count, count)).reshape(2, -1)
        parts = np.concatenate(
            [np.column_stack([a, b])[a + b < count] + 1 / 3, np.column_stack([a, b])[a + b < count - 1] + 2 / 3]
        )
        share = parts / count
        weights = np.column_stack([share, 1.0 - share.sum(axis=1)])
        out.append((weights[None] @ corners[steps == count]).reshape(-1, 2))
    return np.concatenate(out)


def _along(line: Floats) -> Floats:
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line[:, :2], axis=0).T))])
    at = np.linspace(0.0, along[-1], int(np.ceil(along[-1] / STEP)) + 1)
    return np.column_stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)])
