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
    """Names of what differs, with the parts of a layer that do."""
    return [
        f"{key}: {_parts(one.get(key), other.get(key))}"
        for key in sorted({*one, *other})
        if one.get(key) != other.get(key)
    ]


def _parts(one: object, other: object) -> str:
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        return "; ".join(f"{a!s:.300} became {b!s:.300}" for a, b in zip(one, other, strict=True) if a != b)
    return f"{one!s:.300} became {other!s:.300}"
