"""How far a map of the wind can be trusted: cells to the height of the neighbouring building and across the gap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.wind.tunnel import BUILDING, GROUND, Tunnel

Singles = NDArray[np.float32]
Codes = NDArray[np.int8]

QUANTITATIVE, COMPARATIVE, INDICATIVE = 0, 1, 2  # codes of `trust`
TRUST = ("quantitative", "comparative", "indicative")
# What the solver reached on the wind tunnel cases of the Architectural Institute of Japan: said by every study of wind.
CHECKED = (
    "Checked on AIJ cases A and C (all gates held; hit rates 0.58 to 0.88) and E, dense low houses in two to three "
    "cells (speeds a fifth too low, correlation 0.4 to 0.8 by direction): compare there, do not quote."
)
MANY_CELLS = 10.0  # AIJ guideline: the grid is fine enough from here; no promise of the values
FEW_CELLS = 5.0
MOST = 30  # cells: more say nothing new
REACH = 2.0  # heights of a building within which its own resolution counts


def resolution(tunnel: Tunnel) -> Singles:
    """(ny, nx) cells: the lesser of those to the height of the nearest building and those across the open space.

    NaN inside buildings; `MOST` where neither limits. A building counts within two heights of itself; its height is
    measured in cells of the plan, the larger ones.
    """
    from analysis.kernels.voxelise import open_runs

    built = (tunnel.solid == BUILDING).any(axis=0)
    across = open_runs(~built, MOST)
    least = np.minimum(across, _cells_to_height(tunnel, built))
    return np.where(built, np.float32(np.nan), least).astype(np.float32)


def _cells_to_height(tunnel: Tunnel, built: NDArray[np.bool_]) -> Singles:
    """Height of the nearest building in cells, `MOST` further than two heights from it.

    Heights are taken in whole cells of the finest size. Of two buildings equally far the lower one counts.
    """
    from scipy.ndimage import distance_transform_edt

    dx, dy = np.diff(tunnel.x), np.diff(tunnel.y)
    cell, least = np.maximum(dx[None, :], dy[:, None]), float(min(dx.min(), dy.min()))
    level = np.minimum(np.floor(building_height(tunnel) / least + 1e-6), MANY_CELLS)
    nearest, out = np.full(built.shape, np.inf), np.full(built.shape, float(MOST))
    for cells in np.unique(level[built]):
        away = distance_transform_edt(~(built & (level == cells)))
        closer = away < nearest - 1e-9
        nearest[closer] = away[closer]
        height = cells * least
        found = np.where(away * cell <= REACH * height + cell, height / cell, MOST)
        out[closer] = found[closer]
    return out.astype(np.float32)


def building_height(tunnel: Tunnel) -> NDArray[np.float64]:
    """(ny, nx) height of the highest solid cell of a building above the ground [m], 0 where there is none."""
    built = tunnel.solid == BUILDING
    top = np.where(built, tunnel.z[1:, None, None], 0.0).max(axis=0)
    ground = np.where(tunnel.solid == GROUND, tunnel.z[1:, None, None], 0.0).max(axis=0)
    return np.asarray(np.where(built.any(axis=0), np.maximum(top - ground, 0.0), 0.0))


def trust(cells: Singles) -> Codes:
    """Classes of `resolution`: 0 quantitative (10 and more), 1 comparative (5 to 9), 2 indicative; -1 in buildings."""
    found = np.where(cells >= MANY_CELLS, QUANTITATIVE, np.where(cells >= FEW_CELLS, COMPARATIVE, INDICATIVE))
    return np.where(np.isnan(cells), -1, found).astype(np.int8)


def indicative_share(tunnel: Tunnel, cells: Singles) -> float:
    """Share of the open columns of the study area with fewer than five cells, 0 to 1."""
    mx, my = 0.5 * (tunnel.x[1:] + tunnel.x[:-1]), 0.5 * (tunnel.y[1:] + tunnel.y[:-1])
    x_low, y_low, x_high, y_high = tunnel.study
    inside = ((mx > x_low) & (mx < x_high))[None, :] & ((my > y_low) & (my < y_high))[:, None]
    codes = trust(cells)[inside]
    known = codes >= 0
    return float((codes[known] == INDICATIVE).mean()) if known.any() else 0.0
