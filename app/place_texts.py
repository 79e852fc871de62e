"""Headless. Elements and points of the scene as the texts that place parameters take."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.places import SEPARATOR
from geo.model import ElementRef, Frame, Layer


def places_text(refs: Sequence[ElementRef], layers: Sequence[Layer]) -> str:
    """Selected elements; the layer is named with those whose id occurs in several layers."""
    return f"{SEPARATOR} ".join(_element_text(ref, layers) for ref in refs if ref.element_id)


def _element_text(ref: ElementRef, layers: Sequence[Layer]) -> str:
    # Results repeat the ids of what they are about, and are no place to start from.
    holders = sum(ref.element_id in layer.table.index for layer in layers if layer.theme != "result")
    return ref.element_id if holders == 1 else f"{ref.layer_id}#{ref.element_id}"


def point_text(point: Sequence[float], frame: Frame) -> str:
    """A local point as easting, northing, height."""
    east, north, height = (float(a) + b for a, b in zip(point, frame.origin, strict=True))
    return f"{east:.2f}, {north:.2f}, {height:.2f}"
