"""Headless. Which elements of a model are drawn, and the commands that hide, isolate and fade them.

A model is all layers read from one IFC file. An element is drawn when its layer is visible and the element is not in
the layer's hidden ones; rooms lie in a layer that is not visible until somebody asks for a room.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.commands import Command, ReplaceLayer, SetStyle, Together
from geo.model import Column, ElementRef, Layer, Scene, Style

READER = "ifc"
MADE_OF_IT = ("network", "link", "result")  # layers made of a model rather than elements of it
OWN_COLUMNS = ("class", "name", "storey", "elevation", "type", "long_name", "area", "stated_area")  # of the reader
MARK = " (IFC)"
NONE: frozenset[str] = frozenset()
Mask = NDArray[np.bool_]


def is_model_layer(layer: Layer) -> bool:
    """Whether a layer was read from an IFC file and has elements."""
    is_read = layer.source.reader == READER and bool(layer.source.path)
    return is_read and len(layer.table) > 0 and layer.theme not in MADE_OF_IT


def model_paths(scene: Scene) -> list[Path]:
    """The IFC files of a scene, in the order of their layers."""
    return list(dict.fromkeys(Path(layer.source.path) for layer in scene if is_model_layer(layer)))


@dataclass(frozen=True)
class ModelView:
    """The layers of one model at this moment."""

    layers: tuple[Layer, ...]

    @staticmethod
    def of(scene: Scene, path: Path) -> ModelView:
        """The layers of a file."""
        return ModelView(tuple(la for la in scene if is_model_layer(la) and Path(la.source.path) == path))

    @property
    def digest(self) -> str:
        """Digest of the file's content when it was read."""
        return self.layers[0].source.digest if self.layers else ""

    def refs(self, ids: Iterable[str]) -> list[ElementRef]:
        """References to those of the elements that have a shape."""
        left, found = list(ids), []
        for layer in self.layers:
            index = layer.table.index
            found += [ElementRef(layer.id, element) for element in left if element in index]
            if len(self.layers) > 1:
                left = [element for element in left if element not in index]
        return found

    def states(self, ids: Sequence[str]) -> tuple[Mask, Mask]:
        """(n,) which elements have a shape, and which are drawn."""
        shaped, drawn = np.zeros(len(ids), dtype=np.bool_), np.zeros(len(ids), dtype=np.bool_)
        for layer in self.layers:
            index, hidden = layer.table.index, layer.style.hidden
            mine = np.fromiter((element in index for element in ids), dtype=np.bool_, count=len(ids))
            shaped |= mine
            if layer.style.visible:
                if hidden:
                    mine &= np.fromiter((element not in hidden for element in ids), dtype=np.bool_, count=len(ids))
                drawn |= mine
        return shaped, drawn

    # ---- commands -----------------------------------------------------------------------------------------------

    def show(self, ids: Iterable[str]) -> Command | None:
        """Draw elements. In a layer that was not visible only these appear."""
        wanted, steps = set(ids), []
        for layer in self.layers:
            mine = wanted.intersection(layer.table.index)
            if not mine:
                continue
            before = layer.style.hidden if layer.style.visible else frozenset(layer.table.index)
            steps.append((layer, dataclasses.replace(layer.style, visible=True, hidden=before - mine)))
        return _together(steps, "show_elements")

    def hide(self, ids: Iterable[str]) -> Command | None:
        """Do not draw elements."""
        wanted, steps = set(ids), []
        for layer in self.layers:
            mine = frozenset(wanted.intersection(layer.table.index))
            if layer.style.visible and mine:
                steps.append((layer, dataclasses.replace(layer.style, hidden=layer.style.hidden | mine)))
        return _together(steps, "hide_elements")

    def isolate(self, ids: Iterable[str]) -> Command | None:
        """Draw these elements only. Layers of the model that hold none of them and are not visible stay so."""
        wanted, steps = set(ids), []
        for layer in self.layers:
            everything = frozenset(layer.table.index)
            mine = everything & wanted
            if mine or layer.style.visible:
                steps.append((layer, dataclasses.replace(layer.style, visible=True, hidden=everything - mine)))
        return _together(steps, "isolate_elements")

    def show_all(self) -> Command | None:
        """As it was imported: every element but the rooms, none of them faded."""
        steps = [
            (layer, dataclasses.replace(layer.style, visible=layer.theme != "space", hidden=NONE, faded=NONE))
            for layer in self.layers
        ]
        return _together(steps, "show_elements")

    def fade_others(self, ids: Iterable[str]) -> Command | None:
        """Draw only a veil of every other element of the model."""
        wanted, steps = set(ids), []
        for layer in self.layers:
            mine = wanted.intersection(layer.table.index)
            faded = frozenset(layer.table.index).difference(mine)
            hidden = layer.style.hidden - mine if layer.style.visible else faded
            visible = layer.style.visible or bool(mine)
            steps.append((layer, dataclasses.replace(layer.style, visible=visible, faded=faded, hidden=hidden)))
        return _together(steps, "fade_others")

    def coloured(self, ids: Sequence[str], values: NDArray[np.generic], *, name: str, unit: str) -> Command | None:
        """Add a property as a column and colour by it.

        Parameters
        ----------
        ids : (n,)
            Elements that the values belong to.
        values : (n,) float64 or object
        """
        made = [with_property(layer, ids, values, name=name, unit=unit) for layer in self.layers]
        steps = tuple(ReplaceLayer(layer, "data", "colour_property") for layer in made if layer is not None)
        return Together(steps, "colour_property") if steps else None


def with_property(
    layer: Layer, ids: Sequence[str], values: NDArray[np.generic], *, name: str, unit: str
) -> Layer | None:
    """A layer with a property as a column, coloured by it; None where none of its elements has a value."""
    row_of = {element: row for row, element in enumerate(ids)}
    rows = [row_of.get(element, row_of.get(element.partition("#")[0], -1)) for element in layer.table.ids.tolist()]
    column = _column(values, np.array(rows, dtype=np.int64), unit)
    if column is None:
        return None
    key = f"{name}{MARK}" if name in OWN_COLUMNS else name
    style = layer.style.coloured_by(key)
    return layer.with_(table=layer.table.with_columns({key: column}), style=style)


def property_of(column: str) -> str:
    """The property that a column was made of by `with_property`."""
    return column.removesuffix(MARK)


def _column(values: NDArray[np.generic], rows: NDArray[np.int64], unit: str) -> Column | None:
    """The values of a layer's elements, or None where none has one."""
    taken = values[np.maximum(rows, 0)].copy()
    if taken.dtype == object:
        taken[rows < 0] = None
        return Column(taken, unit) if any(value is not None for value in taken) else None
    taken[rows < 0] = np.nan
    return Column(taken, unit) if bool(np.isfinite(taken.astype(np.float64)).any()) else None


def _together(steps: list[tuple[Layer, Style]], title: str) -> Command | None:
    changes = tuple(SetStyle(layer.id, style, title) for layer, style in steps if style != layer.style)
    return Together(changes, title) if changes else None
