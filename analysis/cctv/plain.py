"""The height of the ground where there is no terrain, and what it was taken from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.places import entrance_places
from analysis.sunlight.city import mesh_of
from geo.model import Bounds, Issue, Layer, Mesh

Floats = NDArray[np.float64]

CODES = {
    "buildings": ("cctv.flat_ground_buildings", "the middle of the lowest points of the buildings there"),
    "exits": ("cctv.flat_ground_exits", "the height of the exits of the models there"),
    "lowest": ("cctv.flat_ground", "the lowest point of what stands there"),
}


def plain_level(solid: Sequence[Layer], ways: Sequence[Layer], box: Bounds | None) -> tuple[float, str]:
    """Height [local m] of a plain, and from what: a key of `CODES`.

    Buildings of a city stand on the ground: the median of their lowest points is not led astray by the foundation or
    the cellar of one of them. Models of buildings reach below the ground; their exits lie on it.

    Parameters
    ----------
    solid : sequence of Layer
        Buildings and models.
    ways : sequence of Layer
        Walking networks of models.
    box : Bounds or None
        Only what lies within counts, where anything does.
    """
    city = [_lowest(mesh_of(layer), box) for layer in solid if layer.theme == "building"]
    low, here = (np.concatenate([np.zeros(0), *(part[k] for part in city)]) for k in (0, 1))
    if len(low):
        return float(np.median(low[here > 0] if np.any(here) else low)), "buildings"
    exits = entrance_places(ways)[0]
    if len(exits):
        return float(np.median(exits[:, 2])), "exits"
    bounds = [mesh.bounds for mesh in (mesh_of(layer) for layer in solid) if mesh.bounds is not None]
    return min((one.low[2] for one in bounds), default=0.0), "lowest"


def tell_plain(level: float, source: str, issues: list[Issue]) -> None:
    """Say that there is no terrain, and what was taken instead."""
    code, what = CODES[source]
    text = f"No terrain: the ground is taken as a plain at {level:.2f} m, {what}."
    issues.append(Issue(code, text, "doubt", values={"height": round(level, 2)}))


def _lowest(mesh: Mesh, box: Bounds | None) -> tuple[Floats, NDArray[np.bool_]]:
    """Lowest points of the elements, and which of them reach into the box."""
    if len(mesh.faces) == 0:
        return np.zeros(0), np.zeros(0, dtype=bool)
    corners: Floats = mesh.vertices[mesh.faces]
    low = np.full(int(mesh.face_element.max()) + 1, np.inf)
    np.minimum.at(low, mesh.face_element, corners[:, :, 2].min(axis=1))
    here = np.full(len(low), box is None)
    if box is not None:
        plan = corners[:, :, :2]
        within = np.all((plan >= box.low[:2]) & (plan <= box.high[:2]), axis=2)
        inside = np.any(within, axis=1)
        here[mesh.face_element[inside]] = True
    used = np.isfinite(low)
    return low[used], here[used]
