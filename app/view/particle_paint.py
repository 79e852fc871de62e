"""What particles are coloured by: the dust of the air they drift through."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.colour import field_range, value_colours
from app.theme import Theme
from app.view.legend import shown_field
from app.view.particles import has_wind
from app.volume_view import volume_field
from geo.model import Layer, Volume

DUST = "ug/m3"


def dust_volume(layers: Sequence[Layer]) -> Layer | None:
    """The newest visible volume of dust, or None."""
    found = [layer for layer in layers if layer.style.visible and isinstance(layer.geometry, Volume)]
    dusty = [layer for layer in found if volume_field(layer, shown_field(layer)).unit == DUST]
    return dusty[-1] if dusty else None


def wind_volume(layers: Sequence[Layer], wanted: Layer) -> Layer | None:
    """The volume whose wind moves particles in `wanted`: its own, else for dust the newest there is."""
    if has_wind(wanted):
        return wanted
    if dust_volume([wanted]) is None:
        return None
    winds = [layer for layer in layers if has_wind(layer)]
    return winds[-1] if winds else None


class ParticlePaint:
    """Colours of a volume's field at places.

    Parameters
    ----------
    layer : Layer
        A volume; the field that it shows.
    """

    def __init__(self, layer: Layer, theme: Theme) -> None:
        volume = layer.geometry
        if not isinstance(volume, Volume):
            raise TypeError(f"{layer.kind} is not a volume")
        field = volume_field(layer, shown_field(layer))
        values = np.asarray(field.values, dtype=np.float32).reshape(-1)
        self._colours, self._known = value_colours(values, ramp_name=field.ramp, limits=field_range(field), theme=theme)
        self._shape = np.array(volume.values.shape[::-1])
        self._start = np.array([volume.x0, volume.y0, volume.z0])
        self._cell = np.array([volume.cell, volume.cell, volume.cell_z])

    def colours(self, points: NDArray[np.float64], ink: tuple[int, int, int]) -> NDArray[np.uint8]:
        """(n, 3) of points (n, 3) [local m]; the ink where the field has no value."""
        place = np.floor((points - self._start) / self._cell + 0.5).astype(np.int64)
        inside = ((place >= 0) & (place < self._shape)).all(axis=1)
        place = np.where(inside[:, None], place, 0)
        number = (place[:, 2] * self._shape[1] + place[:, 1]) * self._shape[0] + place[:, 0]
        known = inside & self._known[number]
        return np.where(known[:, None], self._colours[number], np.array(ink, dtype=np.uint8)).astype(np.uint8)
