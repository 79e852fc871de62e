"""Wind of a weather station carried over to the site: through the height where the ground is no longer felt."""

from __future__ import annotations

import math
from typing import NamedTuple

STATION_HEIGHT = 10.0  # [m] of anemometers, and of the wind in a weather file
BLENDING_HEIGHT = 60.0  # [m] where two roughnesses feel the same wind


class Category(NamedTuple):
    """A terrain category of KDS 41 12 00:2022 (지표면조도구분).

    Attributes
    ----------
    exponent : float
        Of the power law.
    gradient_height : float [m]
        Above it the ground is not felt (Zg).
    constant_height : float [m]
        Below it the profile is constant in the code (zb).
    factor : float
        Of the exposure coefficient ``Kzr = factor z^exponent``.
    """

    exponent: float
    gradient_height: float
    constant_height: float
    factor: float


CATEGORIES = {
    "A": Category(0.33, 550.0, 20.0, 0.22),
    "B": Category(0.22, 450.0, 15.0, 0.45),
    "C": Category(0.15, 350.0, 10.0, 0.71),
    "D": Category(0.10, 250.0, 5.0, 0.98),
}


def power_factor(station: str, site: str, *, site_height: float, station_height: float = STATION_HEIGHT) -> float:
    """Speed at `site_height` [m] over the site, over that of the station.

    ``(Zg_m / z_m)^a_m (z / Zg_s)^a_s``: the power law up to the gradient height of the station's terrain category and
    down from that of the site's; the same wind blows at both.

    >>> round(power_factor("C", "C", site_height=10.0), 6)
    1.0
    """
    met, here = CATEGORIES[station], CATEGORIES[site]
    up = (met.gradient_height / station_height) ** met.exponent
    height = min(site_height, here.gradient_height)
    return float(up * (height / here.gradient_height) ** here.exponent)


def log_factor(
    station_roughness: float,
    site_roughness: float,
    *,
    site_height: float,
    station_height: float = STATION_HEIGHT,
    blending_height: float = BLENDING_HEIGHT,
    displacement: float = 0.0,
) -> float:
    """The same by two logarithmic profiles that meet at a blending height [m] (Wieringa 1986).

    station_roughness, site_roughness : float [m]
        Roughness lengths z0. displacement : float [m] of the site.
    """
    if site_height - displacement <= site_roughness:
        return 0.0
    up = math.log(blending_height / station_roughness) / math.log(station_height / station_roughness)
    top = math.log(max(blending_height - displacement, 2.0 * site_roughness) / site_roughness)
    return up * math.log((site_height - displacement) / site_roughness) / top


def exposure_coefficient(category: str, height: float) -> float:
    """Kzr of KDS 41 12 00:2022 at a height [m]; 1 at 10 m over category C up to the code's rounding."""
    here = CATEGORIES[category]
    return float(here.factor * min(max(height, here.constant_height), here.gradient_height) ** here.exponent)


def turbulence_intensity(category: str, height: float) -> float:
    """I_H of KDS 41 12 00:2022: ``0.1 (max(H, zb) / Zg)^(-alpha - 0.05)``."""
    here = CATEGORIES[category]
    return float(0.1 * (max(height, here.constant_height) / here.gradient_height) ** (-here.exponent - 0.05))
