"""Roads: centre lines with a width become strips on the ground."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.model import Feedback, Grid, Mesh
from geo.terrain import drape_areas

Floats = NDArray[np.float64]
LIFT = 0.05  # [m] above the terrain, so that the two surfaces do not flicker
NARROWEST, WIDEST = 0.5, 150.0  # [m]; a width outside is no carriageway but a code or an error
USUAL_WIDTH = 6.0  # [m] two lanes without a centre reserve
# Usual carriageway widths [m] by the class words of OpenStreetMap and of Korean road data. They are assumptions for
# drawing, kept with an issue on the layer, and not a statement about the road.
CLASS_WIDTHS = {
    "motorway": 23.0,
    "trunk": 18.0,
    "primary": 14.0,
    "secondary": 11.0,
    "tertiary": 8.0,
    "residential": 6.0,
    "living_street": 5.0,
    "unclassified": 6.0,
    "service": 4.0,
    "pedestrian": 4.0,
    "track": 3.0,
    "cycleway": 2.5,
    "path": 1.5,
    "footway": 2.0,
    "steps": 2.0,
    "고속": 23.0,
    "국도": 18.0,
    "지방도": 11.0,
    "광로": 40.0,
    "대로": 25.0,
    "중로": 15.0,
    "소로": 8.0,
    "골목": 4.0,
}


def width_of_class(word: object) -> float:
    """Usual width [m] of a road class word; NaN for a word that is not known."""
    text = str(word or "").strip().lower().removesuffix("_link")
    if text in CLASS_WIDTHS:
        return CLASS_WIDTHS[text]
    return next((width for key, width in CLASS_WIDTHS.items() if not key.isascii() and key in text), float("nan"))


def strips(
    lines: NDArray[np.object_],
    width: ArrayLike,
    terrain: Grid | None,
    *,
    lift: float = LIFT,
    deck: Floats | None = None,
    feedback: Feedback | None = None,
) -> tuple[Mesh, NDArray[np.bool_]]:
    """Strips along centre lines, draped on the terrain.

    Parameters
    ----------
    lines : (n,) shapely LineStrings or MultiLineStrings in local metres
    width : (n,) float [m]
        Full width of the carriageway.
    terrain : Grid or None
    lift : float [m]
        Height above the ground.
    deck : (n,) float [local m], optional
        Height of the carriageway of bridges, which lie level at it; NaN = on the ground.

    Returns
    -------
    mesh : Mesh
        `face_element` is the index of the line. Ends are round, so that crossings close without wedges.
    grounded : (n,) bool
        Whether there was ground under the whole strip.
    """
    import shapely

    half = np.broadcast_to(np.asarray(width, dtype=np.float64), len(lines)) / 2
    areas = shapely.buffer(lines, half, quad_segs=3)
    flat = None if deck is None else deck - lift  # said heights are those of the surface itself
    return drape_areas(areas, terrain, lift=lift, flat=flat, feedback=feedback)
