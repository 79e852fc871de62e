"""A purifier that stands somewhere: the cells it takes air from and the cells it lets clean air out into."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.catalogue import Purifier
from analysis.dust.sources import columns_of
from analysis.wind.domain import Axes
from analysis.wind.tunnel import AIR, BUILDING, GROUND, Tunnel
from geo.model import UserError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


class PlacedUnit(NamedTuple):
    """A purifier at a place.

    Attributes
    ----------
    model : Purifier
    x, y : float [local m]
        Middle of the body.
    towards_deg : float
        Where the clean air leaves, clockwise from grid north [degrees]; the intake is on the other side.
    on_roof : bool
        Heights count from the roof below instead of from the ground. Without it a place in a building is refused.
    name : str
    """

    model: Purifier
    x: float
    y: float
    towards_deg: float = 0.0
    on_roof: bool = False
    name: str = ""


class Ports(NamedTuple):
    """Where a unit meets the air of a grid, for one size of dust.

    Attributes
    ----------
    intake, outlet : (n,), (m,) int64
        Flat numbers in (nz, ny, nx), rising, each once.
    intake_weight, outlet_weight : (n,), (m,) float64
        By volume, each sum 1.
    flow : float [m3/s]
    efficiency : float
        Share of the dust taken in that is kept, 0 to 1.
    """

    intake: Indices
    intake_weight: Floats
    outlet: Indices
    outlet_weight: Floats
    flow: float
    efficiency: float

    def in_wind(self, ratio: float) -> Ports:
        """The unit that stands for this one where the wind is `ratio` times the one the faces hold.

        As with `Particle.in_wind`, everything is divided by the ratio: in weak wind the same unit counts for more.
        """
        return self._replace(flow=self.flow / ratio)

    def at_intake(self, values: NDArray[np.floating]) -> float:
        """Mean of a field (nz, ny, nx) over the intake."""
        return float(self.intake_weight @ values.reshape(-1)[self.intake].astype(np.float64))

    def at_outlet(self, values: NDArray[np.floating]) -> float:
        """Mean of a field (nz, ny, nx) over the outlet."""
        return float(self.outlet_weight @ values.reshape(-1)[self.outlet].astype(np.float64))

    @property
    def key(self) -> tuple[bytes, bytes, bytes, bytes, float, float]:
        """Equal for units that act alike."""
        return (
            self.intake.tobytes(), self.intake_weight.tobytes(), self.outlet.tobytes(), self.outlet_weight.tobytes(),
            self.flow, self.efficiency,
        )  # fmt: skip


def ports_of(unit: PlacedUnit, tunnel: Tunnel, size: str) -> Ports:
    """Cells of a placed unit. Raises `UserError` where it cannot stand.

    Intake and outlet are squares as wide as the body, at least one cell, in the layer of their height: while a unit is
    moved their weights pass from cell to cell without jumps. Heights are the real ones; where the cells cannot tell
    intake and outlet apart, the outlet is moved by one cell in the direction in which it blows, or upwards.

    Parameters
    ----------
    size : str
        ``pm10`` or ``pm25``.
    """
    model, foot = unit.model, _foot(unit, tunnel)
    azimuth_rad = math.radians(unit.towards_deg)
    forth = np.array([math.sin(azimuth_rad), math.cos(azimuth_rad)])
    middle = np.array([unit.x, unit.y])
    half = 0.5 * model.width * forth
    intake = _square(unit, middle - half, foot + model.intake_height, "intake", tunnel)
    outlet = _square(unit, middle + half, foot + model.outlet_height, "outlet", tunnel)
    if np.intersect1d(intake[0], outlet[0]).size:
        outlet = _apart(unit, intake[0], middle, forth, foot, tunnel)
    return Ports(*intake, *outlet, model.flow, model.efficiency[size])


def is_on_roof(x: float, y: float, height: float, tunnel: Tunnel) -> bool:
    """Whether a foot at a place and height of the scene [local m] is meant to be on the roof below it.

    So it is over a building where the roof is nearer than the ground.
    """
    ix, iy, inside = columns_of(np.array([[x, y]]), tunnel)
    column = tunnel.solid[:, iy[0], ix[0]]
    ground = int(np.argmin(column == GROUND))
    if not inside[0] or column[ground] != BUILDING:
        return False
    roof = int(np.flatnonzero(column != AIR)[-1]) + 1
    return height - tunnel.base > 0.5 * float(tunnel.z[ground] + tunnel.z[roof])


def _foot(unit: PlacedUnit, tunnel: Tunnel) -> float:
    """Height of what the unit stands on, from the tunnel's base [m]."""
    if not (math.isfinite(unit.x) and math.isfinite(unit.y) and math.isfinite(unit.towards_deg)):
        raise _outside(unit)
    ix, iy, inside = columns_of(np.array([[unit.x, unit.y]]), tunnel)
    if not inside[0]:
        raise _outside(unit)
    column = tunnel.solid[:, iy[0], ix[0]]
    layer = int(np.argmin(column == GROUND))
    if column[layer] == BUILDING and not unit.on_roof:
        raise _in_building(unit)
    if unit.on_roof:
        solid = np.flatnonzero(column != AIR)
        layer = int(solid[-1]) + 1 if len(solid) else 0
    if layer >= len(column):
        raise _no_air(unit, "foot")
    return float(tunnel.z[layer])


def _square(unit: PlacedUnit, place: Floats, height: float, which: str, tunnel: Tunnel) -> tuple[Indices, Floats]:
    """Cells of air in a square around a place and their shares of its volume."""
    layer = int(np.searchsorted(tunnel.z, height, side="right")) - 1
    nz, ny, nx = tunnel.shape
    if not 0 <= layer < nz:
        raise _no_air(unit, which)
    at = Axes(tunnel.turn_deg, tunnel.pivot).to_tunnel(place[None, :])[0]
    first, along_x = _overlap(tunnel.x, float(at[0]), unit.model.width)
    low, along_y = _overlap(tunnel.y, float(at[1]), unit.model.width)
    weight = along_y[:, None] * along_x[None, :]
    rows, columns = low + np.arange(len(along_y)), first + np.arange(len(along_x))
    weight = weight * (tunnel.solid[layer][np.ix_(rows, columns)] == AIR)
    total = float(weight.sum())
    if total <= 0.0:
        raise _no_air(unit, which)
    cell = (layer * ny + rows[:, None]) * nx + columns[None, :]
    kept = weight > 1e-9 * total
    return cell[kept].astype(np.int64), np.asarray(weight[kept] / weight[kept].sum())


def _overlap(faces: Floats, middle: float, width: float) -> tuple[int, Floats]:
    """First cell and lengths of the cells' parts in an interval, at least one cell wide and inside the grid."""
    here = int(np.clip(np.searchsorted(faces, middle, side="right") - 1, 0, len(faces) - 2))
    half = 0.5 * max(width, float(faces[here + 1] - faces[here]))
    part = np.clip(faces[1:], middle - half, middle + half) - np.clip(faces[:-1], middle - half, middle + half)
    inside = np.flatnonzero(part > 0.0)
    if len(inside) == 0:
        return here, np.ones(1)
    return int(inside[0]), part[inside[0] : inside[-1] + 1]


def _apart(
    unit: PlacedUnit, intake: Indices, middle: Floats, forth: Floats, foot: float, tunnel: Tunnel
) -> tuple[Indices, Floats]:
    """An outlet that shares no cell with the intake: one or two cells ahead, else in the layers above."""
    ix, iy, _ = columns_of(middle[None, :], tunnel)
    wide = max(float(tunnel.x[ix[0] + 1] - tunnel.x[ix[0]]), float(tunnel.y[iy[0] + 1] - tunnel.y[iy[0]]))
    step = max(wide, unit.model.width)
    height = foot + unit.model.outlet_height
    layer = int(np.searchsorted(tunnel.z, height, side="right")) - 1
    higher = [float(0.5 * (tunnel.z[k] + tunnel.z[k + 1])) for k in range(layer + 1, min(layer + 3, tunnel.shape[0]))]
    tries = [(middle + ahead * step * forth, height) for ahead in (1.0, 1.5, 2.0, 2.5)]
    tries += [(middle, above) for above in higher]
    for place, at in tries:
        try:
            found = _square(unit, place, at, "outlet", tunnel)
        except UserError:
            continue  # a wall: the next place is tried
        if not np.intersect1d(intake, found[0]).size:
            return found
    raise _no_air(unit, "outlet")


def _called(unit: PlacedUnit) -> str:
    return unit.name or unit.model.name


def _outside(unit: PlacedUnit) -> UserError:
    return UserError(
        f"The purifier {_called(unit)} is outside the calculated wind.",
        "Its place is not on the grid of the wind, so nothing is known about the air there.",
        "Move it into the calculated area, or calculate the wind around it.",
        code="dust.unit.outside",
        values={"unit": _called(unit)},
    )


def _in_building(unit: PlacedUnit) -> UserError:
    return UserError(
        f"The purifier {_called(unit)} stands inside a building.",
        "Its place is covered by a building in the grid of the wind.",
        "Move it to open ground, or say that it stands on the roof.",
        code="dust.unit.in_building",
        values={"unit": _called(unit)},
    )


def _no_air(unit: PlacedUnit, which: str) -> UserError:
    return UserError(
        f"The purifier {_called(unit)} has no air at its {which}.",
        "The cells at that height are walls or lie outside the grid of the wind.",
        "Move or turn it, or calculate the wind on smaller cells.",
        code="dust.unit.no_air",
        values={"unit": _called(unit), "part": which},
    )
