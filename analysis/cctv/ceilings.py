"""Places for cameras under the ceilings of rooms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.plan_shapes import outline_of, walk_around, within
from analysis.cctv.poles import Poles, join_poles, make_poles, no_poles, thinned
from geo.model import Feedback, Issue, Layer, Mesh
from geo.model.conventions import ROOM_HEIGHT

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

CEILING_GRID = 4.0  # [m]
CEILING_INSET = 0.3  # [m]
CEILING_DROP = 0.1  # [m] below the slab


def poles_on_ceilings(
    rooms: Sequence[Layer],
    *,
    chosen: Sequence[Bools] | None = None,
    grid: float = CEILING_GRID,
    inset: float = CEILING_INSET,
    drop: float = CEILING_DROP,
    cost: float = 0.0,
    feedback: Feedback | None = None,
) -> tuple[Poles, tuple[Issue, ...]]:
    """Ceilings of rooms: corners and a grid, `inset` [m] from the walls and `drop` [m] below the slab.

    Parameters
    ----------
    rooms : sequence of Layer
        Meshes of rooms (theme ``space``).
    chosen : sequence of (elements,) bool, optional
        Which rooms of each layer.
    """
    feedback = feedback or Feedback()
    parts: list[Poles] = []
    narrow = 0
    for number, layer in enumerate(rooms):
        mesh = layer.geometry
        if not isinstance(mesh, Mesh) or len(mesh.faces) == 0:
            continue
        order = np.argsort(mesh.face_element, kind="stable")
        rows, starts = np.unique(mesh.face_element[order], return_index=True)
        for place, (row, faces) in enumerate(zip(rows.tolist(), np.split(order, starts[1:]), strict=True)):
            if place % 50 == 0:
                feedback.step((number + place / len(rows)) / len(rooms), "looking at the ceilings")
            if chosen is not None and not chosen[number][row]:
                continue
            poles = _under_ceiling(layer, mesh, row, faces, grid=grid, inset=inset, drop=drop, cost=cost)
            narrow += len(poles) == 0
            parts.append(poles)
    issues: tuple[Issue, ...] = ()
    if narrow:
        message = f"{narrow} rooms are too narrow or too low for a camera under the ceiling."
        issues = (Issue("cctv.candidates.narrow_rooms", message, "note", narrow, values={"count": narrow}),)
    return join_poles(parts), issues


def _under_ceiling(
    layer: Layer, mesh: Mesh, row: int, faces: NDArray[np.int64], *, grid: float, inset: float, drop: float, cost: float
) -> Poles:
    """Places in one room."""
    import shapely

    corners = mesh.vertices[mesh.faces[faces]]
    low, high = _levels(layer, row, corners)
    if not high - low > 2.0 * drop:
        return no_poles()
    area = outline_of(corners)
    walk = walk_around(area, np.inf, offset=inset, inward=True)
    free = shapely.buffer(area, -inset)
    if free.is_empty:
        return no_poles()
    west, south, east, north = free.bounds
    x, y = np.meshgrid(_even(west, east, grid), _even(south, north, grid))
    inner = np.column_stack([x.ravel(), y.ravel()])
    inner = inner[within(free, inner)]
    middle = np.degrees(np.arctan2(walk.outward[:, 0], walk.outward[:, 1]))
    # In a corner of 90 degrees the walls leave 90 degrees free: all turns of the axis within them.
    half = np.clip(90.0 + walk.turn / 2.0, 0.0, 180.0)
    z = high - drop
    name = str(layer.table.ids[row]) if row < len(layer.table) else layer.id
    height = z - low
    return thinned(
        join_poles(
            [
                make_poles(
                    np.column_stack([walk.xy, np.full(len(walk.xy), z)]), "ceiling", height=height, mount="ceiling",
                    sector=(middle, half), cost=cost, name=name,
                ),
                make_poles(
                    np.column_stack([inner, np.full(len(inner), z)]), "ceiling", height=height, mount="ceiling",
                    cost=cost, name=name,
                ),
            ]
        ),
        inset,
    )  # fmt: skip


def _levels(layer: Layer, row: int, corners: Floats) -> tuple[float, float]:
    """Floor and ceiling of a room [local m]: of its body, or of its table where the body is flat."""
    low, high = float(corners[..., 2].min()), float(corners[..., 2].max())
    if high - low > 0.5:
        return low, high
    height = layer.table.columns.get(ROOM_HEIGHT)
    if height is None or not height.is_number or row >= len(layer.table):
        return low, high
    return low, low + float(height.values[row])


def _even(low: float, high: float, step: float) -> Floats:
    """Middles of equal parts no longer than `step`."""
    parts = max(1, int(np.ceil((high - low) / step - 1e-9)))
    return np.asarray(low + (high - low) * (np.arange(parts) + 0.5) / parts)
