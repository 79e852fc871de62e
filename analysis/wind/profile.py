"""The wind that enters the tunnel: mean speed, turbulence and its dissipation over height; log law, power law, table.

Richards, P. J. and Hoxey, R. P. (1993), J. Wind Eng. Ind. Aerodyn. 46-47, 145-153, doi:10.1016/0167-6105(93)90124-7.
Tominaga, Y. et al. (2008), J. Wind Eng. Ind. Aerodyn. 96, 1749-1761, doi:10.1016/j.jweia.2008.02.058.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.model import UserError

Floats = NDArray[np.float64]
Curve = Callable[[Floats], Floats]

KAPPA = 0.41
ROOT_C_MU = 0.3
LEAST_K, LEAST_E = 1e-6, 1e-8
LEAST_PRODUCTION = 0.1  # dissipation of a table or power law is at least this share of the log law's for its k


@dataclass(frozen=True)
class Inflow:
    """A wind.

    Attributes
    ----------
    wind_from : float
        Where it comes from, clockwise from grid north [degrees].
    speed, energy, dissipation : callable(heights above ground [m]) -> values
        Mean speed [m/s], turbulent kinetic energy k [m2/s2], its dissipation [m2/s3].
    reference_speed, reference_height : float [m/s, m]
        What the profile was scaled with.
    """

    wind_from: float
    speed: Curve
    energy: Curve
    dissipation: Curve
    reference_speed: float
    reference_height: float


def log_inflow(wind_from: float, *, speed: float, height: float, roughness: float) -> Inflow:
    """Log law in equilibrium: ``U = u*/kappa ln((z + z0)/z0)``, ``k = u*^2/0.3``, ``e = u*^3/(kappa (z + z0))``.

    speed : float [m/s] at height [m] above ground; roughness : float, z0 [m].
    """
    _check(speed, height, roughness)
    friction = KAPPA * speed / np.log((height + roughness) / roughness)

    def mean(z: Floats) -> Floats:
        return np.asarray(friction / KAPPA * np.log((np.maximum(z, 0.0) + roughness) / roughness))

    def energy(z: Floats) -> Floats:
        return np.full(np.shape(z), friction**2 / ROOT_C_MU)

    def dissipation(z: Floats) -> Floats:
        return np.asarray(friction**3 / (KAPPA * (np.maximum(z, 0.0) + roughness)))

    return Inflow(wind_from, mean, energy, dissipation, speed, height)


def power_inflow(
    wind_from: float, *, speed: float, height: float, exponent: float, gradient_height: float, lowest: float
) -> Inflow:
    """Power law with the turbulence intensity of KDS 41 12 00, ``I = 0.1 (max(z, zb)/Zg)^(-a - 0.05)``.

    ``k = (I U)^2``, ``e = 0.3 k dU/dz``. Constant above the gradient height.

    speed : float [m/s] at height [m] above ground. gradient_height, lowest : float, Zg and zb [m].
    """
    _check(speed, height, 0.01)

    def mean(z: Floats) -> Floats:
        return np.asarray(speed * (np.clip(z, 0.0, gradient_height) / height) ** exponent)

    def energy(z: Floats) -> Floats:
        intensity = 0.1 * (np.clip(z, lowest, gradient_height) / gradient_height) ** (-exponent - 0.05)
        return np.asarray(np.maximum((intensity * mean(z)) ** 2, LEAST_K))

    def dissipation(z: Floats) -> Floats:
        level = np.clip(z, 0.01, gradient_height)
        slope = np.where(np.asarray(z) < gradient_height, exponent * mean(level) / level, 0.0)
        return _dissipation(np.asarray(z, float), energy(z), slope)

    return Inflow(wind_from, mean, energy, dissipation, speed, height)


def table_inflow(
    wind_from: float, *, heights: ArrayLike, speeds: ArrayLike, energies: ArrayLike, roughness: float,
    reference_height: float,
) -> Inflow:  # fmt: skip
    """Measured profile: speed and k linear in the logarithm of height, ``e = 0.3 k dU/dz``.

    Below the first height the speed follows the log law through it and k is constant; above the last both are
    constant.

    heights : (n,) [m], rising. speeds : (n,) [m/s]. energies : (n,) [m2/s2]. roughness : float, z0 below [m].
    """
    z, u, k = (np.asarray(values, float) for values in (heights, speeds, energies))
    good = len(z) >= 2 and len(z) == len(u) == len(k) and np.all(np.diff(z) > 0) and z[0] > 0
    if not (good and np.isfinite([z, u, k]).all() and (u > 0).all() and (k >= 0).all()):
        raise UserError(
            "The table of the inflow cannot be used.",
            "It needs at least two rising heights above ground, each with a speed and a turbulent energy.",
            "Correct the table.",
            code="wind.bad_table",
        )
    slopes = np.maximum(np.gradient(u, z), 0.0)

    def mean(level: Floats) -> Floats:
        level = np.maximum(level, 0.0)
        low = u[0] * np.log((level + roughness) / roughness) / np.log((z[0] + roughness) / roughness)
        return np.asarray(np.where(level < z[0], low, np.interp(np.log(np.maximum(level, 1e-9)), np.log(z), u)))

    def energy(level: Floats) -> Floats:
        return np.asarray(np.maximum(np.interp(np.log(np.maximum(level, 1e-9)), np.log(z), k), LEAST_K))

    def dissipation(level: Floats) -> Floats:
        level = np.maximum(level, 0.0)
        near = u[0] / np.log((z[0] + roughness) / roughness) / (level + roughness)
        slope = np.where(level < z[0], near, np.interp(level, z, slopes))
        return _dissipation(level, energy(level), slope)

    return Inflow(
        wind_from, mean, energy, dissipation, float(mean(np.asarray(reference_height, float))), reference_height
    )


def _dissipation(z: Floats, energy: Floats, slope: Floats) -> Floats:
    """``0.3 k dU/dz``, kept from vanishing where the speed no longer grows."""
    least = LEAST_PRODUCTION * ROOT_C_MU**1.5 * energy**1.5 / (KAPPA * np.maximum(z, 0.01))
    return np.asarray(np.maximum(np.maximum(ROOT_C_MU * energy * slope, least), LEAST_E))


def _check(speed: float, height: float, roughness: float) -> None:
    if not (speed > 0 and height > 0 and roughness > 0):
        raise UserError(
            "The wind cannot be used.",
            f"Its speed ({speed:g} m/s), height ({height:g} m) and roughness ({roughness:g} m) must be above zero.",
            "Give a wind that blows.",
            code="wind.no_wind",
            values={"speed": speed, "height": height, "roughness": roughness},
        )
