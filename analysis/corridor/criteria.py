"""Criteria of the literature for a ventilation lane (Luftleitbahn), each passed, failed, or not to be told.

Mayer, H., Beckroege, W. and Matzarakis, A. (1994), UVP-report 5, 265-268; VDI 3787 Part 5 (2003). They are figures of
the literature, not of a law, and were made for lanes through whole cities.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.corridor.lanes import WIDEST, Lane

Floats = NDArray[np.float64]

PASS, FAIL, UNKNOWN = "pass", "fail", "cannot tell"
ROUGHNESS = 0.5  # [m]
LENGTH = 1000.0  # [m]
WIDTH = 50.0  # [m]
WIDTH_OVER_HEIGHT, BETTER = 2.0, 4.0
OBSTACLE_WIDTH = 0.1  # of the lane's
OBSTACLE_HEIGHT = 10.0  # [m]
MOSTLY = 0.95  # of the course along which a ratio must hold
ENDS = 0.95  # of the area's length: the lane goes on beyond it

NAMES = (
    "roughness",
    "length",
    "width",
    "width_twice_height",
    "width_four_heights",
    "obstacle_width",
    "obstacle_height",
)


class Judged(NamedTuple):
    """Figures of a lane and what each criterion says of it, in the order of `NAMES`."""

    roughness: float
    width_over_height: float
    obstacle_share: float
    obstacle_height: float
    verdicts: tuple[str, ...]

    @property
    def passed(self) -> int:
        """How many criteria."""
        return sum(verdict == PASS for verdict in self.verdicts)

    @property
    def failed(self) -> int:
        """How many criteria."""
        return sum(verdict == FAIL for verdict in self.verdicts)


def judge(lane: Lane, roughness: Floats, *, form_cell: float, area_length: float) -> Judged:
    """Hold a lane against the criteria.

    Parameters
    ----------
    roughness : (n,) float [m]
        Of the raster's cell below each place of the lane; NaN unknown.
    form_cell : float [m]
        Width of those cells: of a narrower lane they take in the blocks beside it.
    area_length : float [m]
        Of the area along the wind.
    """
    known = roughness[np.isfinite(roughness)]
    z0 = float(known.mean()) if len(known) else float("nan")
    walled = lane.sides.height.max(axis=0) > 0.0
    ratio = np.where(walled, lane.sides.width / np.maximum(lane.sides.height.max(axis=0), 1e-9), np.inf)
    share, height = _obstacles(lane)
    return Judged(
        z0,
        float(ratio.min()),
        share,
        height,
        (
            _rough(z0, lane.width, form_cell),
            PASS if lane.length >= LENGTH else _long(lane.length, area_length),
            _verdict(lane.least_width >= WIDTH),
            _verdict(float((ratio >= WIDTH_OVER_HEIGHT).mean()) >= MOSTLY),
            _verdict(float((ratio >= BETTER).mean()) >= MOSTLY),
            _verdict(share <= OBSTACLE_WIDTH),
            _verdict(height <= OBSTACLE_HEIGHT),
        ),
    )


def _verdict(holds: bool) -> str:
    return PASS if holds else FAIL


def _rough(z0: float, width: float, form_cell: float) -> str:
    """A rough cell that is wider than the lane says nothing of the lane itself."""
    if np.isnan(z0):
        return UNKNOWN
    if z0 <= ROUGHNESS:
        return PASS
    return FAIL if width >= form_cell else UNKNOWN


def _long(length: float, area_length: float) -> str:
    """A lane that runs through the whole of a short area may go on beyond it."""
    return UNKNOWN if length >= ENDS * area_length and area_length < LENGTH else FAIL


def _obstacles(lane: Lane) -> tuple[float, float]:
    """How far buildings stand into the usual width, as a share of it, and the height of the highest of them [m]."""
    usual = np.minimum(np.median(lane.sides.distance, axis=1), WIDEST)[:, None]
    into = np.maximum(usual - lane.sides.distance, 0.0)
    share = into.sum(axis=0) / max(float(usual.sum()), 1e-9)
    stands = into > OBSTACLE_WIDTH * float(usual.sum())
    height = float(lane.sides.height[stands].max()) if stands.any() else 0.0
    return float(share.max()), height
