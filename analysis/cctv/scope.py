"""From which class a view counts, and where cameras and all they can reach lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.cctv.cameras import Camera, reach_of
from analysis.cctv.classes import Edition
from analysis.cctv.declaration import AUTO, SightParams
from geo.model import Bounds, UserError


def class_from(params: SightParams, edition: Edition, *, otherwise: int = 0) -> int:
    """Place of the class from which a view counts; `otherwise` where none is named."""
    if params.view_class == AUTO:
        return otherwise
    try:
        return edition.number(params.view_class)
    except KeyError:
        raise UserError(
            f"The edition of {edition.year} has no class called {params.view_class}.",
            f"Its classes are {', '.join(edition.names)}.",
            "Choose one of them, or auto.",
            code="cctv.class_of_edition",
            values={"edition": edition.year, "name": params.view_class, "classes": ", ".join(edition.names)},
        ) from None


def sight_box(cameras: Sequence[Camera], around: float, least: float) -> Bounds:
    """Where cameras and all they can reach lie.

    Parameters
    ----------
    around : float [m]
        At least so far about each.
    least : float [1/m]
        Pixels per metre from which a view counts.
    """
    places = np.array([camera.position for camera in cameras])
    reach = max(max(reach_of(camera.model, least) for camera in cameras), around)
    low, high = places.min(axis=0) - reach, places.max(axis=0) + reach
    return Bounds(tuple(low.tolist()), tuple(high.tolist()))
