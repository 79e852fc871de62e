"""Purifiers as signs: an eight-sided body on the ground and an arrow where the clean air leaves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.dust.catalogue import purifiers
from app.dust.edit import is_proposal, is_purifiers, purifier_row, purifier_rows
from app.view.symbols import MOST_SYMBOLS, SymbolActors, faces_of_quads
from geo.model import Layer, Points

Floats = NDArray[np.float64]

ROLE_OF_STATE = {"existing": "purifier", "planned": "accent", "off": "missing"}
SIDES = 8
RADIUS, HEIGHT, CAP = 0.27, 1.0, 0.84  # of a sign of height 1: half width, height, where the cap begins
ARROW = 0.30  # height of the arrow over the foot
ABOVE, UNKNOWN = 0.5, 1.5  # [m] of the sign over the highest opening, and of a model nobody knows


def _body() -> tuple[list[tuple[float, float, float]], list[tuple[int, int, int, int]], list[float]]:
    """Corners, quads and tones of the body: walls, a lighter slanting cap, a flat top."""
    corner = 2.0 * np.pi * (np.arange(SIDES) + 0.5) / SIDES
    rings = ((RADIUS, 0.0), (RADIUS, CAP), (0.6 * RADIUS, HEIGHT))
    points = [(float(r * np.cos(a)), float(r * np.sin(a)), z) for r, z in rings for a in corner]
    quads, tones = [], []
    for level, tone in ((0, 0.86), (1, 1.12)):
        for side in range(SIDES):
            after = (side + 1) % SIDES
            low, high = level * SIDES, (level + 1) * SIDES
            quads.append((low + side, low + after, high + after, high + side))
            tones.append(tone * (0.82 + 0.18 * float(np.cos(corner[side]))))
    top = 2 * SIDES
    quads += [(top + k, top + k + 1, top + k + 2, top) for k in range(1, SIDES - 2, 2)]
    tones += [1.25] * len(range(1, SIDES - 2, 2))
    return points, quads, tones


def _arrow(first: int) -> tuple[list[tuple[float, float, float]], list[tuple[int, int, int, int]]]:
    """A flat arrow forward, thick enough to be seen from the side; `first` is the number of its first corner."""
    outline = [(0.30, 0.09), (0.72, 0.09), (0.72, 0.24), (1.15, 0.0), (0.72, -0.24), (0.72, -0.09), (0.30, -0.09)]
    points = [(x, y, ARROW + side) for side in (-0.05, 0.05) for x, y in outline]
    quads = []
    for low in (first, first + 7):
        quads += [(low, low + 1, low + 5, low + 6), (low + 2, low + 3, low + 4, low + 2)]
    for k in range(7):
        after = (k + 1) % 7
        quads.append((first + k, first + after, first + 7 + after, first + 7 + k))
    return points, quads


_BODY_POINTS, _BODY_QUADS, _BODY_TONES = _body()
_ARROW_POINTS, _ARROW_QUADS = _arrow(len(_BODY_POINTS))


def is_purifier_symbols(layer: Layer) -> bool:
    """Whether a layer is drawn as signs of purifiers: the user's own, or proposed."""
    shown = is_purifiers(layer) or is_proposal(layer)
    return shown and isinstance(layer.geometry, Points) and len(layer.geometry.vertices) <= MOST_SYMBOLS


class PurifierSymbols(SymbolActors):
    """One sign for each purifier."""

    shape = np.array([*_BODY_POINTS, *_ARROW_POINTS])
    faces = faces_of_quads([*_BODY_QUADS, *_ARROW_QUADS])
    tones = np.repeat(np.array([*_BODY_TONES, *([1.3] * len(_ARROW_QUADS))]), 2)
    pixels = 34.0

    def signs(self) -> tuple[NDArray[np.int64], Floats, Floats]:
        """Foot and direction of each purifier; forward is where the clean air leaves."""
        rows = purifier_rows(self.layer)
        number = self.layer.table.index
        turn_rad = np.radians([row.towards for row in rows])
        east, north, none = np.sin(turn_rad), np.cos(turn_rad), np.zeros(len(rows))
        axes = np.stack(
            [
                np.column_stack([east, north, none]),
                np.column_stack([-north, east, none]),
                np.tile([0.0, 0.0, 1.0], (len(rows), 1)),
            ],
            axis=1,
        )
        return (
            np.array([number[row.id] for row in rows], dtype=np.int64),
            np.array([row.place for row in rows]).reshape(-1, 3),
            axes.reshape(-1, 3, 3),
        )

    def roles(self, numbers: NDArray[np.int64]) -> list[str]:
        """By state."""
        rows = [purifier_row(self.layer, number) for number in numbers.tolist()]
        return [ROLE_OF_STATE.get(row.state if row is not None else "", "purifier") for row in rows]

    def lengths(self, numbers: NDArray[np.int64]) -> Floats:
        """As tall as the thing itself, where the catalogue has it [m]."""
        known = purifiers()
        rows = [purifier_row(self.layer, number) for number in numbers.tolist()]
        models = [known.get(row.model) if row is not None else None for row in rows]
        return np.array([max(m.intake_height, m.outlet_height) + ABOVE if m else UNKNOWN for m in models])
