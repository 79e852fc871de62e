"""Headless. The steps that move a model to another pose and let the blocks it replaces make room."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from app.commands import Command, ReplaceLayer, SetStyle, Together
from geo.model import Frame, Layer, Mesh
from geo.overlap import covered_shares
from geo.pose import Pose, moved, pose_of

REPLACED = 0.5  # share of a footprint from which on a model stands for the building


def model_layers(layers: Sequence[Layer], of: Layer) -> list[Layer]:
    """All layers that were read from the same file by the same reading."""
    return [
        layer for layer in layers if layer.source.path == of.source.path and layer.source.options == of.source.options
    ]


def replaced_buildings(model: Sequence[Layer], layers: Sequence[Layer]) -> dict[str, frozenset[str]]:
    """Ids of the buildings that a model stands on, by the layer they belong to."""
    bodies = [layer.geometry for layer in model if layer.theme in ("bim", "space") and isinstance(layer.geometry, Mesh)]
    own = {layer.id for layer in model}
    found: dict[str, set[str]] = {}
    for body in bodies:
        for layer in layers:
            if layer.theme != "building" or layer.id in own:
                continue
            shares = covered_shares(body, layer)
            covered = {str(layer.table.ids[row]) for row in (shares >= REPLACED).nonzero()[0]}
            found.setdefault(layer.id, set()).update(covered)
    return {layer_id: frozenset(ids) for layer_id, ids in found.items() if ids}


def place_model(
    model: Sequence[Layer], layers: Sequence[Layer], after: Pose, frame: Frame, *, make_room: bool
) -> tuple[Together, int]:
    """One step that puts a model elsewhere; blocks hidden for its old place show again.

    Returns
    -------
    step : Together
    hidden : int
        Buildings that make room at the new place.
    """
    known = pose_of(model)
    if known is None:
        raise ValueError("a model without a pose cannot be moved")
    new = [moved(layer, known[0], after, frame) for layer in model]
    steps: list[Command] = [ReplaceLayer(layer, "data") for layer in new]
    before = replaced_buildings(model, layers)
    now = replaced_buildings(new, layers) if make_room else {}
    for layer in layers:
        hidden = (layer.style.hidden - before.get(layer.id, frozenset())) | now.get(layer.id, frozenset())
        if hidden != layer.style.hidden:
            steps.append(SetStyle(layer.id, dataclasses.replace(layer.style, hidden=hidden)))
    return Together(tuple(steps), "place_model"), sum(len(ids) for ids in now.values())
