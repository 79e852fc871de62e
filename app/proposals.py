"""Headless. The commands that put up, change and take away buildings of files in an alternative."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace

from app.alternatives import SetAlternatives, base_layers, change_shown
from app.document import Document
from geo.alternatives import Alternative, Change
from geo.model import ElementRef
from geo.overlap import covered_shares
from geo.proposals import PREFIX, Proposal

REPLACED = 0.5  # share of a footprint from which on a proposal stands in the place of a building


def proposal_of(document: Document, ref: ElementRef | None) -> Proposal | None:
    """The proposal of the alternative shown that an element is."""
    alternative = document.alternatives.get(document.alternatives.active)
    if ref is None or not ref.layer_id.startswith(PREFIX) or alternative is None:
        return None
    return next((one for one in alternative.proposals if one.layer_id == ref.layer_id), None)


def set_proposal(
    document: Document,
    proposal: Proposal,
    *,
    name: str,
    drag: str = "",
    room: Iterable[ElementRef] = (),
    back: Iterable[ElementRef] = (),
) -> SetAlternatives:
    """The step that puts up a proposal, or changes the one with its id, in the alternative shown.

    room : iterable of ElementRef
        Buildings of the base that are taken away in the same step.
    back : iterable of ElementRef
        Buildings that had made room for it where it stood before, and come back.
    """

    def change(alternative: Alternative) -> Alternative:
        made = alternative.with_proposal(proposal)
        for refs, removed in ((back, False), (room, True)):
            for ref in refs:
                made = made.changed(ref, replace(made.changes.get(ref, Change()), removed=removed))
        return made

    return change_shown(document, change, "set_proposal", name=name, drag=drag)


def remove_proposal(document: Document, proposal_id: str, *, name: str) -> SetAlternatives:
    """The step that takes a proposal away; buildings that made room for it stay away until they are put back."""
    return change_shown(document, lambda one: one.without_proposal(proposal_id), "remove_proposal", name=name)


def replaced_by(document: Document, proposal: Proposal) -> list[ElementRef]:
    """Buildings of the base that a proposal stands on; not those that the alternative has moved."""
    mesh = proposal.placed
    shown = document.alternatives.get(document.alternatives.active)
    moved = {ref for ref, change in shown.changes.items() if not change.removed} if shown is not None else set()
    found = []
    for layer in base_layers(document):
        if layer.theme == "building" and layer.kind == "mesh":
            rows = (covered_shares(mesh, layer) >= REPLACED).nonzero()[0]
            found += [ElementRef(layer.id, str(layer.table.ids[row])) for row in rows]
    return [ref for ref in found if ref not in moved]


def free_proposal_id(document: Document) -> str:
    """An id that no proposal of any alternative has."""
    taken = {one.id for item in document.alternatives.items for one in item.proposals}
    return next(f"proposal-{number}" for number in itertools.count(1) if f"proposal-{number}" not in taken)
