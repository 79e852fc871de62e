"""Headless. Figures of the one plot under a building in hand, as `site.figures` has them, wherever it is moved.

What lies near is cut out of the scene for every place: the parcels under the building, the buildings on these, and the
parcels under those, so that plots are joined as they are in the study of the whole scene.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.registry import get
from analysis.run import check_params, choose_inputs
from analysis.site_figures.declaration import FiguresInputs, FiguresParams
from analysis.site_figures.plots import PlotFigures, figures_of
from app.document import Document
from app.mass_edit import Body, moved_mass
from app.shown_runs import runs_of
from geo.alternatives import MADE, Change, changed_layer, mass_layer
from geo.model import Column, ElementTable, Feedback, Frame, Issue, Layer, Lines, Mesh
from geo.proposals import proposal_layer

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

FIGURES = "site.figures"
MARGIN = 0.5  # [m] around boxes in plan
ROUNDS = 2  # parcels, buildings on them, parcels under those


@dataclass(frozen=True)
class PlotSetup:
    """The scene around a building in hand.

    Attributes
    ----------
    body : Body
    layers : tuple of Layer
        As they are shown.
    frame : Frame
    params : mapping
        Of the last run of the study, for all plots.
    """

    body: Body
    layers: tuple[Layer, ...]
    frame: Frame
    params: Mapping[str, Any]


def plot_setup(document: Document, body: Body) -> PlotSetup | None:
    """What the figures begin with; None where the scene has no place or the body is no building of the city."""
    frame = document.scene.frame
    if frame is None or (body.layer.theme != "building" and body.proposal is None):
        return None
    run = next((run for run in runs_of(tuple(document.scene)) if run.analysis_id == FIGURES), None)
    params = dict(run.record["provenance"]["params"]) if run is not None else {}
    return PlotSetup(body, tuple(document.scene), frame, {**params, "plot": ""})


class LocalCity:
    """Parcels and buildings that are found by place; the building in hand is in none of them.

    Parameters
    ----------
    parcels, buildings : sequence of Layer
    """

    def __init__(self, body: Body, parcels: Sequence[Layer], buildings: Sequence[Layer]) -> None:
        self._body = body
        self._parcels = [Elements.of(layer) for layer in parcels]
        self._buildings = [Elements.of(self._others(layer)) for layer in buildings]

    def _others(self, layer: Layer) -> Layer:
        """A layer without the building in hand; its row stays."""
        mesh = layer.geometry
        if layer.id != self._body.ref.layer_id or not isinstance(mesh, Mesh):
            return layer
        kept = mesh.face_element != self._body.row
        return layer.with_(geometry=Mesh(mesh.vertices, mesh.faces[kept], mesh.face_element[kept]), fields=())

    def near(self, boxes: Floats, *, reach: float = 0.0) -> tuple[list[Layer], list[Layer]]:
        """Parcels under boxes (k, 2, 2) and `reach` [m] around, the buildings on these, and the parcels of those."""
        buildings: list[Rows] = []
        parcels = [elements.under(boxes) for elements in self._parcels]
        if reach > 0.0 and any(len(rows) for rows in parcels):
            plots = [elements.boxes[rows] for elements, rows in zip(self._parcels, parcels, strict=True)]
            boxes = np.concatenate([boxes, *plots])
            boxes = np.stack([boxes[:, 0].min(axis=0) - reach, boxes[:, 1].max(axis=0) + reach])[None]
            parcels = [elements.under(boxes) for elements in self._parcels]
        for _ in range(ROUNDS):
            plots = [elements.boxes[rows] for elements, rows in zip(self._parcels, parcels, strict=True)]
            buildings = [elements.under(np.concatenate(plots)) for elements in self._buildings]
            stand = [elements.boxes[rows] for elements, rows in zip(self._buildings, buildings, strict=True)]
            parcels = [elements.under(np.concatenate([boxes, *stand])) for elements in self._parcels]
        chosen = [elements.only(rows) for elements, rows in zip(self._parcels, parcels, strict=True) if len(rows)]
        return chosen, [
            elements.only(rows) for elements, rows in zip(self._buildings, buildings, strict=True) if len(rows)
        ]


class PlotStudy:
    """Figures that follow; one job at a time may use it. Raises `UserError` where the scene has no parcels."""

    def __init__(self, setup: PlotSetup, feedback: Feedback) -> None:
        study = get(FIGURES)
        params, (inputs, _) = check_params(study, setup.params), choose_inputs(study, setup.layers, setup.frame)
        if not isinstance(inputs, FiguresInputs) or not isinstance(params, FiguresParams):
            raise TypeError("site.figures has other inputs than it declares")
        self._body, self._params, self._inputs = setup.body, params, inputs
        self._plot = ""
        self._city = LocalCity(setup.body, inputs.parcels, inputs.buildings)
        feedback.step(1.0, "measuring the plots")

    def move(self, change: Change, feedback: Feedback) -> PlotFigures | None:
        """Figures of the plot with the building after a change; None where it stands on no plot."""
        own = held_layer(self._body, change)
        mesh = own.geometry
        if not isinstance(mesh, Mesh) or len(mesh.faces) == 0:
            return None
        box = np.stack([mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)])[None, :, :2]
        parcels, buildings = self._city.near(box)
        if not parcels:
            return None
        inputs = replace(self._inputs, parcels=tuple(parcels), buildings=(own, *buildings))
        plot = self._measured(inputs, self._plot, feedback) if self._plot else None
        plot = plot or self._measured(inputs, "", feedback)
        self._plot = plot.id if plot is not None else ""
        return plot

    def _measured(self, inputs: FiguresInputs, plot_id: str, feedback: Feedback) -> PlotFigures | None:
        """Figures of the plot the building stands on, looked for on one plot first: it mostly stays where it is."""
        heard: list[Issue] = []
        found = figures_of(inputs, self._params.model_copy(update={"plot": plot_id}), heard, feedback)
        # The building in hand is read first: no other has its name.
        name = self._body.ref.element_id
        return next((plot for plot in found if name in plot.buildings), None)


def held_layer(body: Body, change: Change) -> Layer:
    """The building in hand alone, with what its table says after a change."""
    if body.mass is not None:
        return mass_layer([moved_mass(body.mass, change)])
    if body.proposal is not None:
        return proposal_layer(body.moved(change), reader=MADE)
    alone = only_rows(body.layer, np.array([body.row]))
    return changed_layer(alone, {0: change}) if not change.is_nothing else alone


@dataclass(frozen=True, eq=False)
class Elements:
    """A layer whose elements are found by place. A detailed model is one thing.

    Attributes
    ----------
    layer : Layer
    boxes : (n, 2, 2) float [local m]
        Lowest and highest x and y of each element; NaN where nothing is drawn.
    """

    layer: Layer
    boxes: Floats

    @staticmethod
    def of(layer: Layer) -> Elements:
        """Measure the elements of a layer."""
        points, element = _points_of(layer)
        if layer.theme == "bim":
            element = np.zeros(len(element), dtype=np.int64)
        count = max(len(layer.table), int(element.max()) + 1 if len(element) else 0)
        boxes = np.full((count, 2, 2), np.nan)
        order = np.argsort(element, kind="stable")
        rows, start = np.unique(element[order], return_index=True)
        if len(rows):
            boxes[rows, 0] = np.minimum.reduceat(points[order], start)
            boxes[rows, 1] = np.maximum.reduceat(points[order], start)
        return Elements(layer, boxes)

    def under(self, boxes: Floats) -> Rows:
        """Rows whose box meets one of (k, 2, 2) boxes."""
        met = np.zeros(len(self.boxes), dtype=bool)
        for low, high in boxes:
            met |= ((self.boxes[:, 0] <= high + MARGIN) & (self.boxes[:, 1] >= low - MARGIN)).all(axis=1)
        return np.flatnonzero(met)

    def only(self, rows: Rows) -> Layer:
        """The layer with these elements alone."""
        return self.layer if self.layer.theme == "bim" else only_rows(self.layer, rows)


def _points_of(layer: Layer) -> tuple[Floats, Rows]:
    """(n, 2) corners and the element of each."""
    shape = layer.geometry
    if isinstance(shape, Mesh):
        corners = shape.vertices[shape.faces.ravel(), :2]
        return corners, np.repeat(shape.face_element, 3).astype(np.int64)
    if isinstance(shape, Lines):
        return shape.vertices[:, :2], np.repeat(shape.line_element, np.diff(shape.offsets)).astype(np.int64)
    return np.zeros((0, 2)), np.zeros(0, dtype=np.int64)


def only_rows(layer: Layer, rows: Sequence[int] | Rows) -> Layer:
    """A layer with some of its elements, numbered anew; without fields."""
    chosen = np.asarray(rows, dtype=np.int64)
    shape = layer.geometry
    told = chosen[chosen < len(layer.table)]
    columns = {
        name: Column(np.asarray(column.values)[told], column.unit, column.title)
        for name, column in layer.table.columns.items()
    }
    table = ElementTable([str(layer.table.ids[row]) for row in told], columns)
    number = np.full(max(int(chosen.max(initial=-1)) + 1, len(layer.table)), -1, dtype=np.int32)
    number[chosen] = np.arange(len(chosen), dtype=np.int32)
    if isinstance(shape, Mesh):
        shape = _some_faces(shape, number)
    elif isinstance(shape, Lines):
        shape = _some_lines(shape, number)
    return replace(layer, geometry=shape, table=table, fields=())


def _some_faces(mesh: Mesh, number: NDArray[np.int32]) -> Mesh:
    now = np.where(mesh.face_element < len(number), number[np.minimum(mesh.face_element, len(number) - 1)], -1)
    kept = now >= 0
    used, place = np.unique(mesh.faces[kept], return_inverse=True)
    return Mesh(mesh.vertices[used], place.reshape(-1, 3).astype(np.int32), now[kept].astype(np.int32))


def _some_lines(lines: Lines, number: NDArray[np.int32]) -> Lines:
    now = np.where(lines.line_element < len(number), number[np.minimum(lines.line_element, len(number) - 1)], -1)
    kept = np.flatnonzero(now >= 0)
    length = np.diff(lines.offsets)
    offsets = np.concatenate([[0], np.cumsum(length[kept])]).astype(np.int32)
    return Lines(lines.vertices[np.repeat(now >= 0, length)], offsets, now[kept].astype(np.int32))
