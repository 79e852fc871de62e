"""What the comparison of a design with a scan gives: layers, table, chart and figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.construction.as_built import STATES, SURFACES, Comparison, Judgement, weighted_quantile
from analysis.construction.design import OPEN, Design, Places
from analysis.contract import Chart, Quantity, Series, Table
from analysis.kernels.sampling import FaceCells
from geo.model import Column, ElementTable, Field, Layer, Style

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

# Colours of states and of places: each is also told in words by the legend, the table and a click.
STATE_COLOURS = ("#3a7d44", "#e0b13a", "#c0392b", "#6a3d9a", "#c9ced6", "#8d979e")
SURFACE_COLOURS = ("#3a7d44", "#cf6f1a", "#2f4b7c", "#e4d9a8", "#c9ced6", "#b7a8c9", "#8d979e")
UNSEEN = (STATES.index("missing"), STATES.index("cannot_tell"))  # what a neighbour shows says nothing of the others
SHIFTS = ("shift_east", "shift_north", "shift_up")
TEXTS = ("name", "class", "storey")
SHOWN = 2.0  # tolerances: so far the colours of the distance reach
# What is worst comes first in the table.
WORST_FIRST = ("missing", "deviating", "partly", "cannot_tell", "built", "covered")
BINS = 61


def layers_of(
    models: Sequence[Layer], design: Design, places: Places, found: Comparison, told: Judgement, *, tolerance: float
) -> tuple[Layer, ...]:
    """One layer for each model that has elements near the scan: its surface in cells."""
    layers: list[Layer] = []
    for number in np.unique(design.layer).tolist():
        rows = np.flatnonzero(design.layer == number)
        chosen = design.layer[places.cells.element] == number
        cells = _renumbered(places.cells.kept(chosen), rows)
        layers.append(_layer(models[number], cells, rows, chosen, design, found, told, tolerance, len(layers) + 1))
    return tuple(layers)


def _renumbered(cells: FaceCells, rows: Rows) -> FaceCells:
    """Cells whose elements are the rows of their own layer."""
    own = np.searchsorted(rows, cells.mesh.face_element).astype(np.int32)
    mesh = type(cells.mesh)(cells.mesh.vertices, cells.mesh.faces, own)
    return cells._replace(mesh=mesh)


def _layer(
    model: Layer,
    cells: FaceCells,
    rows: Rows,
    chosen: NDArray[np.bool_],
    design: Design,
    found: Comparison,
    told: Judgement,
    tolerance: float,
    number: int,
) -> Layer:
    reach = SHOWN * tolerance
    face = cells.cell_of_face
    distance, lod = found.distance[chosen][face], found.lod[chosen][face]
    fields = [
        Field("as_built", "1", "element", told.state[rows], categories=STATES),
        Field("as_built_surface", "1", "face", found.surface[chosen][face], categories=SURFACES),
    ]
    if np.isfinite(distance).any():
        range_ = (-reach, reach)
        fields.insert(0, Field("deviation", "m", "face", distance, ramp="difference", range=range_))
        fields.append(Field("lod95", "m", "face", lod))
    colours = dict(zip(SURFACES, SURFACE_COLOURS, strict=True)) | dict(zip(STATES, STATE_COLOURS, strict=True))
    style = Style(colour_by=fields[0].name, class_colours=tuple(colours.items()), edges=False)
    table = ElementTable(model.table.ids[design.row[rows]], columns_of((model,), design, told, rows))
    return Layer(f"as-built-{number}", f"{model.name} – As built", "result", cells.mesh, table, tuple(fields), style)


def columns_of(models: Sequence[Layer], design: Design, told: Judgement, rows: Rows) -> dict[str, Column]:
    """Columns of the elements in `rows`; `models` are all of them, or the one that all rows are of."""
    columns = {name: Column(_texts(models, design, rows, name)) for name in TEXTS}
    columns = {name: column for name, column in columns.items() if any(column.values)}
    return columns | {
        "as_built": Column(np.array([STATES[code] for code in told.state[rows]], dtype=object)),
        "within_share": Column(100.0 * told.within[rows], "%"),
        "measured_share": Column(100.0 * told.seen[rows], "%"),
        "mean_deviation": Column(told.offset[rows], "m"),
        "deviation_95": Column(told.offset_95[rows], "m"),
        "lod95": Column(told.lod[rows], "m"),
        **{name: Column(told.shift[rows, axis], "m") for axis, name in enumerate(SHIFTS)},
        "scan_points": Column(told.points[rows]),
        "bare_share": Column(np.where(np.isin(told.state[rows], UNSEEN), 100.0 * told.bare[rows], np.nan), "%"),
    }


def _texts(models: Sequence[Layer], design: Design, rows: Rows, name: str) -> NDArray[np.object_]:
    out = np.full(len(rows), "", dtype=object)
    for number, model in enumerate(models):
        column = model.table.columns.get(name)
        mine = design.layer[rows] == number if len(models) > 1 else np.ones(len(rows), dtype=bool)
        if column is not None and column.values.dtype == object:
            out[mine] = [text or "" for text in column.values[design.row[rows[mine]]]]
    return out


def element_table(models: Sequence[Layer], design: Design, told: Judgement) -> Table:
    """All elements, the worst first: by state, then by the distance."""
    rank = np.array([WORST_FIRST.index(name) for name in STATES])[told.state]
    rows = np.lexsort((np.arange(len(rank)), -np.nan_to_num(told.offset_95), rank))
    ids = np.empty(len(design), dtype=object)
    for number, model in enumerate(models):
        mine = design.layer == number
        ids[mine] = model.table.ids[design.row[mine]]
    return Table(
        "elements", "Design and as built", {"element": Column(ids[rows]), **columns_of(models, design, told, rows)}
    )


def chart_of(places: Places, found: Comparison, *, tolerance: float) -> Chart:
    """How the measured surface shares out over the distance."""
    at = np.isfinite(found.distance)
    reach = max(SHOWN * tolerance, float(np.abs(found.distance[at]).max(initial=0.0)))
    edges = np.linspace(-reach, reach, BINS + 1)
    area = np.histogram(found.distance[at], edges, weights=places.cells.area[at])[0]
    share = 100.0 * area / max(area.sum(), 1e-9)
    line = Series("measured", (edges[1:] + edges[:-1]) / 2, share, role="area", base=np.zeros(BINS))
    top = float(share.max(initial=1.0))
    limits = [
        Series(name, np.full(2, value), np.array([0.0, top]), role="dashed")
        for name, value in (("lower", -tolerance), ("upper", tolerance))
    ]
    return Chart("distances", "Distances", "Scan minus design", "m", "Measured surface", "%", (line, *limits))


def summary_of(
    places: Places, found: Comparison, told: Judgement, *, registration: float, points: int
) -> dict[str, Quantity]:
    """Key figures."""
    area, at = places.cells.area, np.isfinite(found.distance)
    may_be_seen, measured = float(area[places.kind == OPEN].sum()), float(area[at].sum())
    out = {"elements": Quantity(len(told.state), "1")}
    out |= {name: Quantity(int((told.state == number).sum()), "1") for number, name in enumerate(STATES)}
    if may_be_seen > 0:
        out["seen_share"] = Quantity(100.0 * measured / may_be_seen, "%")
    if measured > 0:
        size = np.abs(found.distance)
        within = float(area[found.surface == SURFACES.index("within")].sum())
        significant = float(area[at & (size > found.lod)].sum())
        out |= {
            "within_share": Quantity(100.0 * within / measured, "%"),
            "significant_share": Quantity(100.0 * significant / measured, "%"),
            "mean_deviation": Quantity(float(area[at] @ found.distance[at]) / measured, "m"),
            "deviation_95": Quantity(weighted_quantile(size, area, 0.95), "m"),
            "lod95": Quantity(float(area[at] @ found.lod[at]) / measured, "m"),
        }
    return out | {"registration": Quantity(registration, "m"), "scan_points": Quantity(points, "1")}
