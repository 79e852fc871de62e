"""What is said about a pipe or a node beside the pointer and on its label: kind, size, cover and its source."""

from __future__ import annotations

import math

from app.colour import number_text
from app.language import tr
from app.utility_kinds import is_network, kind_codes, utility_kinds
from geo.model import Layer
from geo.model.conventions import COVER, DEPTH_QUALITY, DIAMETER, HEIGHT, MATERIAL, NODE, WIDTH


def kind_name(kind: str) -> str:
    """A kind of utility in the user's language."""
    return tr(f"utility.{kind}", kind)


def pipe_text(layer: Layer, row: int) -> str:
    """One line about an element of a network; empty for other layers.

    Cover is only said together with how it is known.
    """
    if not is_network(layer) or not 0 <= row < len(layer.table):
        return ""
    values = layer.table.row_at(row)
    parts = [kind_name(list(utility_kinds())[kind_codes(layer)[row]])]
    node = values.get(NODE)
    if node:
        parts.append(tr(f"node.{node}", str(node)))
    size = size_text(values)
    if size:
        parts.append(size)
    cover = _number(values.get(COVER))
    if cover is not None:
        quality = str(values.get(DEPTH_QUALITY) or "")
        known = f" ({tr(f'depth.{quality}', quality)})" if quality else ""
        parts.append(f"{tr('view.pipe.cover', 'cover')} {number_text(cover)} m{known}")
    return " · ".join(parts)


def label_text(layer: Layer, row: int) -> str:
    """The short text of a label in the picture: letter of the kind, size, material, cover."""
    values = layer.table.row_at(row)
    kind = list(utility_kinds().values())[kind_codes(layer)[row]]
    parts = [kind.symbol, size_text(values), str(values.get(MATERIAL) or "")]
    cover = _number(values.get(COVER))
    if cover is not None:
        doubt = "?" if str(values.get(DEPTH_QUALITY) or "") == "assumed" else ""
        parts.append(f"↧{number_text(cover)} m{doubt}")
    return " ".join(part for part in parts if part)


def size_text(values: dict[str, object]) -> str:
    """Diameter in millimetres, or width and height of a box in metres."""
    diameter, width, height = (_number(values.get(name)) for name in (DIAMETER, WIDTH, HEIGHT))
    if width is not None and height is not None:
        return f"□{number_text(width)}×{number_text(height)} m"
    return f"Ø{number_text(round(1000 * diameter))} mm" if diameter is not None else ""


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return None
