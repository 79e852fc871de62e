"""Headless. Taking layers out of the scene; of those that an alternative makes, its masses, trees and proposals go."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from app.alternatives import change_shown
from app.commands import Command, RemoveLayers, Together
from app.document import Document
from geo.alternatives import MADE, MASSES, TREES, Alternative


def take_out(document: Document, layer_ids: Sequence[str]) -> Command:
    """The step that takes layers out of the scene.

    A layer that the alternative on show makes would be made again: what it is made of leaves the alternative instead.
    """
    made = [one for one in layer_ids if document.scene[one].source.reader == MADE]
    rest = tuple(one for one in layer_ids if one not in made)
    if not made or document.alternatives.get(document.alternatives.active) is None:
        return RemoveLayers(tuple(layer_ids))
    emptied = change_shown(document, lambda one: without_made(one, made), "remove_layers", name="")
    return Together((emptied, RemoveLayers(rest)), "remove_layers") if rest else emptied


def without_made(alternative: Alternative, layer_ids: Collection[str]) -> Alternative:
    """The alternative without what some of the layers it makes hold."""
    return replace(
        alternative,
        masses=() if MASSES in layer_ids else alternative.masses,
        trees=() if TREES in layer_ids else alternative.trees,
        proposals=tuple(one for one in alternative.proposals if one.layer_id not in layer_ids),
    )
