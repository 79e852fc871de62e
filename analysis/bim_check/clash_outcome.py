"""Clashes as pins, tables and figures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.bim_check.bodies import Bodies
from analysis.bim_check.judge import Judged
from analysis.contract import Quantity, Result, Table
from geo.model import Column, ElementTable, Field, Frame, Issue, Layer, Points, Style, unique_rows

# open: surfaces cross, but a body is not closed, so the depth is not known.
SORTS = ("near", "open", "hard")
SEVERITY = {"near": "warning", "open": "warning", "hard": "error"}
ASSUMPTIONS = (
    "The depth of a clash is the width of the part that both elements share, measured along the main faces of both "
    "and the axes; its volume is an estimate from 81 rays.",
    "Contacts and shared parts up to the tolerance are no clash; a pipe in a sleeve is one only where it runs through "
    "the material of the wall.",
    "Elements are compared as they are drawn: openings are cut out, round shapes have the facets of the model.",
)


def sorts_of(judged: Judged, *, tolerance: float, clearance: float) -> NDArray[np.int64]:
    """(p,) the sort of each pair by `SORTS`, -1 for no clash."""
    sort = np.full(len(judged.pairs), -1, dtype=np.int64)
    if clearance > 0.0:
        sort[judged.distance < clearance] = SORTS.index("near")
    sort[np.isnan(judged.depth)] = SORTS.index("open")
    sort[np.nan_to_num(judged.depth) > tolerance] = SORTS.index("hard")
    return sort


def result_of(
    bodies: Bodies,
    judged: Judged,
    frame: Frame,
    *,
    tolerance: float,
    clearance: float,
    counts: tuple[int, int],
) -> Result:
    """Everything the study returns; `counts` are the elements of the two groups."""
    sort = sorts_of(judged, tolerance=tolerance, clearance=clearance)
    chosen = np.flatnonzero(sort >= 0)
    names = bodies.id
    depth = np.nan_to_num(judged.depth[chosen])
    keys = (names[judged.pairs[chosen, 1]].astype(str), names[judged.pairs[chosen, 0]].astype(str))
    chosen = chosen[np.lexsort((*keys, judged.distance[chosen], -depth, -sort[chosen]))]
    columns = _columns(bodies, judged, sort, chosen, frame)
    pins = _pins(judged, sort, chosen, columns)
    return Result(
        layers=pins,
        summary=_summary(judged, sort, counts),
        tables=(Table("clashes", "Clashes", columns), _by_class(bodies, judged, chosen)),
        issues=_issues(sort),
        assumptions=ASSUMPTIONS,
    )


def _columns(
    bodies: Bodies, judged: Judged, sort: NDArray[np.int64], chosen: NDArray[np.int64], frame: Frame
) -> dict[str, Column]:
    first, second = judged.pairs[chosen, 0], judged.pairs[chosen, 1]
    classes, names, storeys, ids = (bodies.texts(name) for name in ("class", "name", "storey", ""))
    place = judged.point[chosen] + np.asarray(frame.origin)
    distance = judged.distance[chosen]
    return {
        "clash": Column(np.array(SORTS, dtype=object)[sort[chosen]]),
        "severity": Column(np.array([SEVERITY[SORTS[k]] for k in sort[chosen].tolist()], dtype=object)),
        "depth": Column(judged.depth[chosen], "m"),
        "distance": Column(np.where(np.isfinite(distance), distance, 0.0), "m"),
        "volume": Column(judged.volume[chosen], "m3"),
        "first": Column(ids[first]),
        "first_class": Column(classes[first]),
        "first_name": Column(names[first]),
        "second": Column(ids[second]),
        "second_class": Column(classes[second]),
        "second_name": Column(names[second]),
        "storey": Column(np.where(storeys[first] != "", storeys[first], storeys[second])),
        "easting": Column(place[:, 0], "m"),
        "northing": Column(place[:, 1], "m"),
        "z": Column(place[:, 2], "m"),
    }


def _pins(
    judged: Judged, sort: NDArray[np.int64], chosen: NDArray[np.int64], columns: dict[str, Column]
) -> tuple[Layer, ...]:
    """A pin at each clash."""
    if len(chosen) == 0:
        return ()
    present = sorted(set(sort[chosen].tolist()))
    codes = np.array([present.index(code) for code in sort[chosen].tolist()], dtype=np.int64)
    field = Field("clash", "1", "element", codes, tuple(SORTS[k] for k in present), ramp="classes")
    shape = Points(judged.point[chosen], np.arange(len(chosen), dtype=np.int32))
    table = ElementTable([f"clash-{k + 1}" for k in range(len(chosen))], columns)
    return (Layer("pins", "Clashes", "result", shape, table, (field,), Style(colour_by="clash"), stratum="indoor"),)


def _by_class(bodies: Bodies, judged: Judged, chosen: NDArray[np.int64]) -> Table:
    classes = bodies.texts("class").astype(str)
    pairs = np.stack([classes[judged.pairs[chosen, k]] for k in (0, 1)], axis=1).reshape(-1, 2)
    known = set(map(tuple, pairs.tolist()))
    turned = np.array([b < a and (b, a) in known for a, b in pairs.tolist()], dtype=np.bool_)
    pairs[turned] = pairs[turned][:, ::-1]  # within one group: door and wall is the same as wall and door
    found, _, number, count = unique_rows(pairs)
    depth = np.zeros(len(found))
    np.maximum.at(depth, number, np.nan_to_num(judged.depth[chosen]))
    order = np.argsort(-count, kind="stable")
    return Table(
        "by_class",
        "Clashes by class",
        {
            "first_class": Column(found[order, 0].astype(object)),
            "second_class": Column(found[order, 1].astype(object)),
            "clashes": Column(count[order], "1"),
            "deepest": Column(depth[order], "m"),
        },
    )


def _summary(judged: Judged, sort: NDArray[np.int64], counts: tuple[int, int]) -> dict[str, Quantity]:
    depth = np.nan_to_num(judged.depth[sort == SORTS.index("hard")])
    return {
        "clashes": Quantity(int((sort >= 0).sum()), "1"),
        "hard": Quantity(int((sort == SORTS.index("hard")).sum()), "1"),
        "near": Quantity(int((sort == SORTS.index("near")).sum()), "1"),
        "deepest": Quantity(round(float(depth.max()), 4) if len(depth) else 0.0, "m"),
        "first": Quantity(counts[0], "1"),
        "second": Quantity(counts[1], "1"),
        "pairs": Quantity(len(judged.pairs), "1"),
    }


def _issues(sort: NDArray[np.int64]) -> tuple[Issue, ...]:
    count = int((sort == SORTS.index("open")).sum())
    if not count:
        return ()
    text = f"In {count} clashes a body is not closed: surfaces cross, but how deep is not known."
    return (Issue("bim.clash.open", text, "doubt", count=count),)
