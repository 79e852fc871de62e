"""Headless. What becomes of the manifest of an older project: one function for each version, to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Manifest = dict[str, Any]


def _each(said: object, change: Callable[[Manifest], Manifest]) -> object:
    return [change(one) if isinstance(one, dict) else one for one in said] if isinstance(said, list) else said


def _with_podiums_and_trees(manifest: Manifest) -> Manifest:
    """Masses of before had one footprint on all storeys; no tree was planted. What is no list stays, to be refused."""

    def plain(mass: Manifest) -> Manifest:
        return {"podium_storeys": 0, "inset": 0.0, **mass}

    def grown(one: Manifest) -> Manifest:
        return {"trees": [], **one, "masses": _each(one.get("masses"), plain)}

    alternatives = _each(manifest.get("alternatives"), grown)
    return {**manifest, "version": 4, "alternatives": alternatives}


def _with_proposals(manifest: Manifest) -> Manifest:
    """No building of a file was put up in an alternative. What is no list stays, to be refused."""
    said = manifest.get("alternatives")
    grown = (
        [{"proposals": [], **one} if isinstance(one, dict) else one for one in said] if isinstance(said, list) else said
    )
    return {**manifest, "version": 6, "alternatives": grown, "proposal_models": []}


# Upgrade functions by the version they start from; each returns the manifest of the next version.
UPGRADES: dict[int, Callable[[Manifest], Manifest]] = {
    1: lambda manifest: {**manifest, "version": 2, "topics": []},
    2: lambda manifest: {**manifest, "version": 3, "alternatives": [], "alternative": ""},
    3: _with_podiums_and_trees,
    4: lambda manifest: {**manifest, "version": 5, "viewpoints": []},
    5: _with_proposals,
}
