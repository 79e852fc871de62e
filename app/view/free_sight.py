"""From which side an opened storey is seen: other buildings should not stand between it and the eye."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from app.storeys import element_boxes
from app.view.camera import Camera, fitted
from geo.model import Bounds, Layer, Mesh

Floats = NDArray[np.float64]

TURN = 15.0  # degrees between the sides that are tried
NEAR = 400.0  # metres: buildings beyond cannot hide a storey that is looked into from above
TOUCHING = 0.5  # metres inside the opened building that belong to it


def boxes_of(layers: Iterable[Layer]) -> Floats:
    """(n, 6) boxes around what is drawn of the buildings of a town, element by element [local m]."""
    found = [np.zeros((0, 6))]
    for layer in layers:
        if layer.theme not in ("building", "bim") or not layer.style.visible or not isinstance(layer.geometry, Mesh):
            continue
        if layer.theme == "bim":
            box = layer.geometry.bounds
            found += [np.array([[*box.low, *box.high]])] if box is not None else []
            continue
        boxes = element_boxes(layer)
        shown = np.ones(len(boxes), dtype=np.bool_)
        shown[[layer.table.index[k] for k in layer.style.hidden if k in layer.table.index]] = False
        found.append(boxes[shown & np.isfinite(boxes[:, 0])])
    return np.concatenate(found)


def others(boxes: Floats, building: Bounds) -> Floats:
    """The boxes near a building without those in it."""
    low, high = np.array(building.low), np.array(building.high)
    inside = (boxes[:, :2] < high[:2] - TOUCHING).all(axis=1) & (boxes[:, 3:5] > low[:2] + TOUCHING).all(axis=1)
    near = (boxes[:, :2] < high[:2] + NEAR).all(axis=1) & (boxes[:, 3:5] > low[:2] - NEAR).all(axis=1)
    return np.asarray(boxes[near & ~inside])


def free_view(
    target: Bounds, boxes: Floats, *, azimuth: float, pitches: Sequence[float], aspect: float, margin: float = 1.15
) -> Camera:
    """A camera on a box from the side and height that least is in the way of, as near to an azimuth as may be.

    Parameters
    ----------
    boxes : (n, 6)
        What may stand in the way [local m].
    azimuth : float
        Toward which the user looks now [degrees].
    pitches : sequence of float [degrees]
        In the order in which they are wished for.
    """
    points = _points(target)
    turns = sorted(np.arange(-180.0 + TURN, 180.0 + TURN, TURN).tolist(), key=abs)
    best: tuple[int, Camera] | None = None
    for pitch in pitches:
        for turn in turns:
            camera = fitted(target, azimuth=(azimuth + turn) % 360.0, pitch=pitch, aspect=aspect, margin=margin)
            hidden = hidden_points(points, np.array(camera.position), boxes)
            if best is None or hidden < best[0]:
                best = hidden, camera
            if hidden == 0:
                return camera
    if best is None:
        raise ValueError("no pitch to look with")
    return best[1]


def hidden_points(points: Floats, eye: Floats, boxes: Floats) -> int:
    """How many of the points (k, 3) are not seen from an eye (3,) because a box (n, 6) is between [count]."""
    way = eye - points[:, None]
    way = np.where(np.abs(way) < 1e-9, 1e-9, way)
    first = (boxes[None, :, :3] - points[:, None]) / way
    last = (boxes[None, :, 3:] - points[:, None]) / way
    enter = np.minimum(first, last).max(axis=2)
    leave = np.maximum(first, last).min(axis=2)
    return int(((enter < leave) & (leave > 0.0) & (enter < 1.0)).any(axis=1).sum())


def _points(box: Bounds) -> Floats:
    """The four corners, the middles of the sides and the middle of the top of a box (9, 3)."""
    x, y = ((box.low[k], box.centre[k], box.high[k]) for k in (0, 1))
    return np.array([[a, b, box.high[2]] for a in x for b in y])
