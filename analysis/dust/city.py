"""From the city's layers to sources of dust: traffic on roads, building sites, yards and stacks.

Nothing is invented: an element that says neither a strength nor what one can be derived from is left out and told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust import rules
from analysis.dust.columns import numbers_of, texts_of, titles_of
from analysis.dust.rules import Size
from analysis.dust.sources import LEAST_WIDTH, Source, area_source, point_source, road_source
from geo.model import Issue, Layer, Lines, Mesh, Points, unique_rows
from geo.model import conventions as words
from resources import load_json

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

ROADS = "roads"  # group of roads that name none
WIDTH_USED = "width_used"  # [m] of the surface a reader drew for a line
STRENGTH: dict[Size, str] = {"pm10": words.STRENGTH_PM10, "pm25": words.STRENGTH_PM25}
FLAT = 0.2  # upward part of the normal of a triangle from which it belongs to the plan of a site
LEAST_AREA = 1e-6  # [m2]


class _Road(NamedTuple):
    """What the roads of a layer say, one value each; NaN where they do not."""

    strength: Floats  # [ug/s]
    traffic: Floats  # [1/d]
    weight: Floats  # [t]
    silt: Floats  # [g/m2]
    width: Floats  # [m]
    group: list[str]
    name: list[str]


def sources_of(
    roads: Sequence[Layer],
    emission_layers: Sequence[Layer],
    size: Size,
    cell: float,
    issues: list[Issue],
    *,
    traffic: float = 0.0,
) -> tuple[Source, ...]:
    """All sources the layers state or let derive. Raises `UserError` for units nobody knows.

    Parameters
    ----------
    cell : float [m]
        Of the grid: sources are spread over two cells at least.
    traffic : float [1/d]
        Taken for carriageways without a count; 0 leaves those out. Said either way.
    """
    found: list[Source] = []
    for layer in roads:
        found += _of_roads(layer, size, cell, issues, traffic)
    for layer in emission_layers:
        found += _of_emission(layer, size, cell, issues)
    return tuple(found)


# --- roads


def _of_roads(layer: Layer, size: Size, cell: float, issues: list[Issue], assumed: float) -> list[Source]:
    said = _road_columns(layer, size, issues)
    counted = np.isfinite(said.traffic) | np.isfinite(said.strength)
    drivable = ~(numbers_of(layer, words.CARRIAGEWAY, "m") <= 0.0)  # paths say a carriageway of nothing
    taken = ~counted & drivable & (assumed > 0.0)
    _tell_uncounted(layer, int((~counted & drivable).sum()), assumed, issues)
    said.traffic[taken] = assumed
    rows = np.flatnonzero(counted | taken)
    _tell_assumed(layer, said, rows, issues)
    return list(_road_sources(layer, said, rows, size, cell))


def _road_columns(layer: Layer, size: Size, issues: list[Issue]) -> _Road:
    # The carriageway makes the dust, not the pavements beside it; else the width that was drawn.
    carriageway = numbers_of(layer, words.CARRIAGEWAY, "m")
    drawn = numbers_of(layer, WIDTH_USED, "m")
    width = np.where(carriageway > 0.0, carriageway, np.where(drawn > 0.0, drawn, np.nan))
    return _Road(
        numbers_of(layer, STRENGTH[size], "ug/s", issues),
        numbers_of(layer, words.TRAFFIC, "1/d"),
        numbers_of(layer, words.VEHICLE_WEIGHT, "t"),
        numbers_of(layer, words.SILT, "g/m2"),
        width,
        [text or ROADS for text in texts_of(layer, (words.SOURCE_GROUP,))],
        titles_of(layer),
    )


def _road_sources(layer: Layer, said: _Road, rows: Indices, size: Size, cell: float) -> Iterator[Source]:
    usual = float(load_json(rules.RULES)["road_zone"]["carriageway_m"])
    shape = layer.geometry
    pieces = _lines_of(shape) if isinstance(shape, Lines) else _triangles_of(shape) if isinstance(shape, Mesh) else {}
    for row in rows.tolist():
        mine = pieces.get(row)
        if mine is None:
            continue
        width = float(said.width[row]) if np.isfinite(said.width[row]) else usual
        group, name = said.group[row], said.name[row]
        if isinstance(shape, Lines):
            length = float(sum(_length(line) for line in mine))
            if length <= 0.0:
                continue
            each = _per_metre(said, row, size, length)
            for line in mine:
                yield road_source(group, name, line, width=width, per_metre=each, cell=cell)
        else:
            drawn = float(numbers_of(layer, WIDTH_USED, "m")[row])
            yield _drawn_road(group, name, np.concatenate(mine), said, row, size, cell, drawn)


def _drawn_road(
    group: str, name: str, triangles: Floats, said: _Road, row: int, size: Size, cell: float, drawn: float
) -> Source:
    """A road that is a surface: its length is its area over the width it was drawn with, or that of its outline."""
    area = _plan_area(triangles)
    whole = float(area.sum())
    if whole <= LEAST_AREA:
        return Source(group, name, np.zeros((0, 2)), 0.0, 0.0, 0.0)
    length = whole / drawn if drawn > 0.0 else _outline_length(triangles, whole)
    per_area = _per_metre(said, row, size, length) * length / whole
    return _widened(area_source(group, name, triangles, per_area=per_area, cell=cell), whole / length, cell)


def _widened(source: Source, width: float, cell: float) -> Source:
    """Samples of a band narrower than two cells, spread to that width: sharper sources make the scheme undershoot."""
    lacking = LEAST_WIDTH * cell - width
    if lacking <= 0.0:
        return source
    side = np.array([-0.375, -0.125, 0.125, 0.375]) * lacking
    across, along = np.meshgrid(side, side)
    around = np.column_stack([across.ravel(), along.ravel()])
    return source._replace(points=(source.points[:, None, :] + around[None, :, :]).reshape(-1, 2))


def _outline_length(triangles: Floats, area: float) -> float:
    """Length of a band from its area and the length of its outline: ``L W = A``, ``2 (L + W) = P`` [m]."""
    corners = np.round(triangles[:, :, :2], 4)
    edges = np.concatenate([corners[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
    turned = edges[:, 0, 0] * 1e6 + edges[:, 0, 1] > edges[:, 1, 0] * 1e6 + edges[:, 1, 1]
    edges[turned] = edges[turned][:, ::-1]
    found = unique_rows(edges.reshape(-1, 4))
    single = edges[found.first[found.times == 1]]
    half = 0.5 * float(np.hypot(*(single[:, 1] - single[:, 0]).T).sum())
    return 0.5 * (half + np.sqrt(max(half * half - 4.0 * area, 0.0))) if half > 0.0 else float(np.sqrt(area))


def _per_metre(said: _Road, row: int, size: Size, length: float) -> float:
    """Emission of a road [ug/(s m)]: as stated, else whirled up by its traffic."""
    if np.isfinite(said.strength[row]):
        return float(said.strength[row]) / length
    traffic = float(said.traffic[row])
    silt = float(said.silt[row]) if np.isfinite(said.silt[row]) else rules.silt_loading(max(traffic, 0.0))
    weight = float(said.weight[row]) if np.isfinite(said.weight[row]) else _usual_weight()
    if silt < 0.0 or weight <= 0.0:
        return np.nan  # refused by name when the sources are laid on the cells
    return rules.road_emission(rules.paved_road(size, silt, mean_weight=weight), traffic)


def _usual_weight() -> float:
    return float(load_json(rules.RULES)["paved_road"]["mean_weight_t"])


def _tell_uncounted(layer: Layer, count: int, assumed: float, issues: list[Issue]) -> None:
    if count == 0:
        return
    values = {"layer": layer.name, "roads": len(layer.table), "traffic": round(assumed)}
    if assumed > 0.0:
        message = f"{count} of {len(layer.table)} roads of {layer.name} have no count; {assumed:g} a day taken."
        issues.append(Issue("dust.traffic_assumed", message, "doubt", count, values=values))
    else:
        message = f"{count} of {len(layer.table)} roads of {layer.name} have no count of traffic and were left out."
        issues.append(Issue("dust.no_traffic", message, "doubt", count, values=values))


def _tell_assumed(layer: Layer, said: _Road, rows: Indices, issues: list[Issue]) -> None:
    """What was taken from the rules because the roads do not say it."""
    derived = rows[~np.isfinite(said.strength[rows])]
    usual = float(load_json(rules.RULES)["road_zone"]["carriageway_m"])
    for code, values, text, taken in (
        ("dust.silt_assumed", said.silt, "the silt is that of roads with such traffic", 0.0),
        ("dust.weight_assumed", said.weight, "vehicles weigh {taken:g} t on average", _usual_weight()),
        ("dust.width_assumed", said.width, "carriageways are {taken:g} m wide", usual),
    ):
        count = int(np.isnan(values[rows if code == "dust.width_assumed" else derived]).sum())
        if count:
            message = f"{count} roads of {layer.name} do not say it: {text.format(taken=taken)}."
            issues.append(Issue(code, message, "note", count, values={"layer": layer.name, "taken": taken}))


# --- sites, yards, stacks


def _of_emission(layer: Layer, size: Size, cell: float, issues: list[Issue]) -> list[Source]:
    strength = numbers_of(layer, STRENGTH[size], "ug/s", issues)
    active = numbers_of(layer, words.ACTIVE_SHARE, "1")
    height = numbers_of(layer, words.SOURCE_HEIGHT, "m")
    kinds = [text if text in words.SOURCE_KINDS else "other" for text in texts_of(layer, (words.SOURCE_KIND,))]
    groups = [text or kind for text, kind in zip(texts_of(layer, (words.SOURCE_GROUP,)), kinds, strict=True)]
    names, traffic = titles_of(layer), numbers_of(layer, words.TRAFFIC, "1/d")
    shape = layer.geometry
    pieces = _pieces(shape)
    found, unknown, unsaid = [], [], 0
    for row in range(len(layer.table)):
        if row not in pieces:
            continue
        per_area = np.nan
        if not np.isfinite(strength[row]) and kinds[row] == "construction" and isinstance(shape, Mesh):
            share = active[row] if np.isfinite(active[row]) else 1.0
            unsaid += int(not np.isfinite(active[row]))
            per_area = rules.construction_emission(size, share_active=float(share))
        elif not np.isfinite(strength[row]) and not (np.isfinite(traffic[row]) and isinstance(shape, Lines)):
            unknown.append(names[row])
            continue
        found += _element(shape, pieces[row], groups[row], names[row], strength[row], per_area, height[row], cell)
    if isinstance(shape, Lines) and np.isfinite(traffic).any():
        rows = np.flatnonzero(np.isfinite(traffic) & ~np.isfinite(strength))
        found += _road_sources(layer, _road_columns(layer, size, []), rows, size, cell)
    _tell_unknown(layer, unknown, size, issues)
    if unsaid:
        message = f"{unsaid} building sites of {layer.name} do not say how much is worked on: all of it was taken."
        issues.append(Issue("dust.active_assumed", message, "doubt", unsaid, values={"layer": layer.name}))
    if isinstance(shape, Points) and (low := int(np.isnan(height).sum())):
        top = load_json(rules.RULES)["road_zone"]["top_m"]
        message = f"{low} points of {layer.name} say no height: they emit from the ground to {top:g} m."
        issues.append(Issue("dust.height_assumed", message, "note", low, values={"layer": layer.name, "top": top}))
    return found


def _element(
    shape: object,
    pieces: list[Floats],
    group: str,
    name: str,
    strength: float,
    per_area: float,
    height: float,
    cell: float,
) -> list[Source]:
    if isinstance(shape, Mesh):
        triangles = np.concatenate(pieces)
        area = float(_plan_area(triangles).sum())
        if not np.isfinite(per_area):
            per_area = float(strength) / area if area > LEAST_AREA else 0.0
        made = area_source(group, name, triangles, per_area=per_area, cell=cell)
        return [_widened(made, float(np.sqrt(area)), cell)]
    if isinstance(shape, Lines):
        if not np.isfinite(strength):
            return []  # a road: made from its traffic
        length = sum(_length(line) for line in pieces)
        each = float(strength) / length if length > 0.0 else 0.0
        return [road_source(group, name, line, width=0.0, per_metre=each, cell=cell) for line in pieces]
    share = float(strength) / len(pieces)
    return [_point(group, name, spot, float(height), share, cell) for spot in pieces]


def _point(group: str, name: str, spot: Floats, height: float, strength: float, cell: float) -> Source:
    made = point_source(group, name, spot, height=max(height, 0.0), strength=strength, cell=cell)
    if np.isfinite(height):
        return made
    return made._replace(low=0.0, high=float(load_json(rules.RULES)["road_zone"]["top_m"]))


def _tell_unknown(layer: Layer, unknown: list[str], size: Size, issues: list[Issue]) -> None:
    if not unknown:
        return
    message = (
        f"{len(unknown)} sources of {layer.name} do not say how strong they are ({STRENGTH[size]}) and were left out, "
        f"such as {unknown[0]}."
    )
    values = {"layer": layer.name, "source": unknown[0], "column": STRENGTH[size]}
    issues.append(Issue("dust.unknown_strength", message, "doubt", len(unknown), values=values))


# --- shapes


def _pieces(shape: object) -> dict[int, list[Floats]]:
    if isinstance(shape, Mesh):
        return _triangles_of(shape)
    if isinstance(shape, Lines):
        return _lines_of(shape)
    found: dict[int, list[Floats]] = {}
    if isinstance(shape, Points):
        for row, spot in zip(shape.element.tolist(), shape.vertices, strict=True):
            found.setdefault(row, []).append(spot[:2])
    return found


def _lines_of(shape: Lines) -> dict[int, list[Floats]]:
    found: dict[int, list[Floats]] = {}
    for number, row in enumerate(shape.line_element.tolist()):
        line = shape.vertices[shape.offsets[number] : shape.offsets[number + 1]]
        if len(line) > 1:
            found.setdefault(row, []).append(line)
    return found


def _triangles_of(shape: Mesh) -> dict[int, list[Floats]]:
    """Triangles (m, 3, 3) of each element that lie in its plan: those that look up, all where none does."""
    found: dict[int, list[Floats]] = {}
    order = np.argsort(shape.face_element, kind="stable")
    rows, first = np.unique(shape.face_element[order], return_index=True)
    for row, faces in zip(rows.tolist(), np.split(order, first[1:]), strict=True):
        up = shape.face_normal[faces][:, 2]
        lying = up > FLAT if (up > FLAT).any() else np.abs(up) > FLAT
        if lying.any():
            found[row] = [shape.vertices[shape.faces[faces[lying]]]]
    return found


def plan_triangles(shape: Mesh) -> dict[int, Floats]:
    """Triangles (m, 3, 3) of each element's plan, by its row."""
    return {row: pieces[0] for row, pieces in _triangles_of(shape).items()}


def lines_of(shape: Lines) -> dict[int, list[Floats]]:
    """Lines (n, 3) of each element, by its row."""
    return _lines_of(shape)


def _plan_area(triangles: Floats) -> Floats:
    (ax, ay), (bx, by) = (triangles[:, corner, :2].T - triangles[:, 0, :2].T for corner in (1, 2))
    return np.asarray(0.5 * np.abs(ax * by - ay * bx))


def _length(line: Floats) -> float:
    return float(np.hypot(*np.diff(line[:, :2], axis=0).T).sum())
