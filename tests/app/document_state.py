"""What undoing everything has to bring back."""

from __future__ import annotations

from app.document import Document
from geo.model.digest import layer_digest


def state_of(document: Document) -> dict[str, object]:
    """All that undoing has to bring back."""
    kept = document.alternatives
    return {
        **{
            f"layer {layer.id}": (layer_digest(layer), layer.name, layer.theme, repr(layer.style))
            for layer in document.scene
        },
        "alternatives": kept.items,
        "active": kept.active,
        "base": {key: layer_digest(layer) for key, layer in kept.base.items()},
        "topics": tuple(document.topics),
        "viewpoints": tuple(document.viewpoints),
    }


def difference(one: dict[str, object], other: dict[str, object]) -> list[str]:
    """Names of what differs."""
    return [key for key in sorted({*one, *other}) if one.get(key) != other.get(key)]
