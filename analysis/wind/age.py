"""Age of the air: how long it has been over the study area when it reaches a place, in the frozen wind.

``u . grad(age) = div(nut / 0.7 grad(age)) + 1`` over the study area, without the 1 elsewhere, and 0 where air enters
the tunnel (Hang, J., Sandberg, M. and Li, Y. (2009), Building and Environment 44, 1880-1896,
doi:10.1016/j.buildenv.2009.01.004; Sandberg, M. (1981), Building and Environment 16, 123-135). Counting over the study
area alone keeps the age from depending on how large the tunnel was made.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind.flow import GHOSTS
from analysis.wind.levels import Solved
from analysis.wind.sample import Fields, at_height
from analysis.wind.tunnel import Tunnel
from geo.model import Feedback

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]

ROUND = ((True, True), (False, False), (True, False), (False, True))  # (east, north) of four sweeps
MOST_ROUNDS = 60
SETTLED = 1e-3  # change of the ages over the study area in a round, over their mean
INNER = (slice(GHOSTS, -GHOSTS),) * 3


class Age(NamedTuple):
    """Age of the air [s].

    Attributes
    ----------
    values : (nz + 4, ny + 4, nx + 4) float64
        In the solver's mirror, with ghosts; 0 in solids.
    rounds : int
        Of four sweeps each.
    change : float
        Root mean square change in the last round over the mean.
    """

    values: Floats
    rounds: int
    change: float


def age_of_air(
    solved: Solved, feedback: Feedback, *, everywhere: bool = False, start: Age | None = None, settled: float = SETTLED
) -> Age:
    """Solve for the age.

    everywhere : count the time over the whole tunnel, not over the study area only.
    start : an earlier one on the same grid.
    """
    from analysis.kernels.wind_scalar import sweep

    kept = solved.kept
    cell, face = _per_metre(kept.tunnel)
    source = _counted(kept.tunnel, everywhere)
    value = np.zeros(kept.flow.nut.shape) if start is None else start.values.copy()
    value[kept.flow.nut <= 0.0] = 0.0
    watched = (
        slice(GHOSTS, -GHOSTS),
        *(slice(part.start + GHOSTS, part.stop + GHOSTS) for part in _study(kept.tunnel)),
    )
    count, change = 0, np.inf
    while count < MOST_ROUNDS and change > settled:
        feedback.step(count / MOST_ROUNDS, "age of the air")
        before = value[watched].copy()
        for east, north in ROUND:
            sweep(*kept.flow[:3], kept.flow.nut, source, cell, face, east, north, value)
        count += 1
        change = _change(before, value[watched])
    feedback.step(1.0, "age of the air")
    return Age(value, count, change)


def age_at(age: Age, solved: Solved, height: float) -> Singles:
    """(ny, nx) age at a height above ground [m] in the tunnel's own axes, NaN inside buildings."""
    values = age.values[INNER]
    heading = solved.kept.heading
    turned: Singles = values[:, :: -1 if heading.flip_y else 1, :: -1 if heading.flip_x else 1].astype(np.float32)
    nothing = np.zeros_like(turned)
    return at_height(Fields(nothing, nothing, nothing, turned), solved.tunnel, height).k


def _change(before: Floats, after: Floats) -> float:
    """Root mean square change where air has an age, over the mean."""
    aged = after > 0.0
    if not aged.any():
        return 0.0
    return float(np.sqrt(np.mean((after - before)[aged] ** 2)) / after[aged].mean())


def _study(tunnel: Tunnel) -> tuple[slice, slice]:
    """Rows and columns that touch the study area."""
    low_x, low_y, high_x, high_y = tunnel.study
    columns = np.clip([np.searchsorted(tunnel.x, low_x, "right") - 1, np.searchsorted(tunnel.x, high_x)], 0, None)
    rows = np.clip([np.searchsorted(tunnel.y, low_y, "right") - 1, np.searchsorted(tunnel.y, high_y)], 0, None)
    return slice(int(rows[0]), int(rows[1])), slice(int(columns[0]), int(columns[1]))


def _counted(tunnel: Tunnel, everywhere: bool) -> Floats:
    """(ny, nx) share of each column that lies over the study area."""
    if everywhere:
        return np.ones(tunnel.shape[1:])
    shares = []
    for faces, low, high in (
        (tunnel.x, tunnel.study[0], tunnel.study[2]),
        (tunnel.y, tunnel.study[1], tunnel.study[3]),
    ):
        inside = np.minimum(faces[1:], high) - np.maximum(faces[:-1], low)
        shares.append(np.clip(inside / np.diff(faces), 0.0, 1.0))
    return np.asarray(shares[1][:, None] * shares[0][None, :])


def _per_metre(tunnel: Tunnel) -> tuple[tuple[Floats, Floats, Floats], tuple[Floats, Floats, Floats]]:
    """One over the widths of the cells and over the distances of their centres, along x, y, z, ghosts too."""
    cell, face = [], []
    for faces in (tunnel.x, tunnel.y, tunnel.z):
        width = np.pad(np.diff(faces), GHOSTS, mode="edge")
        between = np.concatenate([width[:1], 0.5 * (width[1:] + width[:-1])])
        cell.append(1.0 / width)
        face.append(1.0 / between)
    return (cell[0], cell[1], cell[2]), (face[0], face[1], face[2])
