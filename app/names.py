"""Headless. Names of layers for people: those the program gave are translated, those the user gave are left alone."""

from __future__ import annotations

from app.language import tr
from geo.model import Layer

SEPARATORS = (" – ", ": ")


def layer_title(layer: Layer) -> str:
    """The name of a layer in the current language. Of ``"file – buildings"`` the second half is translated."""
    whole = tr(f"name.{layer.name}", "")
    if whole:
        return whole
    for separator in SEPARATORS:
        head, found, tail = layer.name.rpartition(separator)
        if found:
            return f"{head}{separator}{tr(f'name.{tail}', tail)}"
    return layer.name
