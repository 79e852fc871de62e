"""Manholes, valves, hydrants, poles: small solids at the nodes of a utility network, up to the ground."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from app.utility_kinds import kind_colours
from app.view.instances import InstancesActors, tiled_instances
from app.view.legend import shown_field
from app.view.shader import Finish
from app.view.tiles import TiledMesh
from geo.model import Instances, Layer, Mesh, Points
from geo.model.conventions import DIAMETER, GROUND, INVERT, NODE, UTILITY, UTILITY_NODES

Floats = NDArray[np.float64]

MOST_NODES = 20_000  # beyond it they are a cloud of points
ROUND = 14  # sides
LID, BODY = 1, 0  # slots of colour
LID_TONE = 0.55  # how far a lid goes toward white
SHAFTS = frozenset({"manhole", "handhole", "valve", "meter"})  # reach from their bottom to the ground
ON_GROUND = frozenset({"hydrant", "pole"})  # stand on the ground
LEAST_SHAFT = 0.4  # metres
LID_LIFT = 0.02  # metres that a lid lies over the ground, to be seen
WIDE = {"manhole": 0.62, "handhole": 0.45}  # metres of radius where the file says nothing
LARGEST_SHAFT = 3.0


def node_instances(layer: Layer) -> Instances:
    """Shapes of the nodes of a layer, each in its place; pure."""
    if not isinstance(layer.geometry, Points):
        raise TypeError(f"{layer.kind} is not points")
    places, element = layer.geometry.vertices, layer.geometry.element
    kinds = _kinds(layer)[element]
    bottom, top = _levels(layer, places, element)
    radius = _radii(layer)[element]
    shape = np.zeros(len(places), dtype=np.int32)
    scale = np.ones((len(places), 3))
    foot = places[:, 2].copy()
    for number, kind in enumerate(UTILITY_NODES):
        mine = kinds == kind
        shape[mine] = number
        if kind in SHAFTS:
            foot[mine] = bottom[mine]
            scale[mine, 2] = np.maximum(top - bottom, LEAST_SHAFT)[mine] + LID_LIFT
        elif kind in ON_GROUND:
            foot[mine] = top[mine]
        if kind in WIDE:
            scale[mine, :2] = np.where(np.isfinite(radius), radius, WIDE[kind])[mine, None]
    transform = np.zeros((len(places), 3, 4))
    for axis in range(3):
        transform[:, axis, axis] = scale[:, axis]
    transform[:, :2, 3], transform[:, 2, 3] = places[:, :2], foot
    known = np.isfinite(transform).all(axis=(1, 2))
    return Instances(_shapes(), shape[known], transform[known], element[known])


def _kinds(layer: Layer) -> NDArray[np.object_]:
    column = layer.table.columns.get(NODE)
    count = max(len(layer.table), 1 + int(layer.geometry.element.max(initial=-1)))  # type: ignore[union-attr]
    kinds = np.full(count, "other", dtype=object)
    if column is not None:
        kinds[: len(column.values)] = [str(v) if str(v) in UTILITY_NODES else "other" for v in column.values]
    return kinds


def _number_column(layer: Layer, name: str, count: int) -> Floats:
    column = layer.table.columns.get(name)
    found = np.full(count, np.nan)
    if column is not None and column.is_number:
        found[: len(column.values)] = column.values.astype(np.float64)
    return found


def _levels(layer: Layer, places: Floats, element: NDArray[np.int32]) -> tuple[Floats, Floats]:
    """Bottom and ground (n,) of each node [local m]: as the columns say, else its own height."""
    count = max(len(layer.table), 1 + int(element.max(initial=-1)))
    bottom, top = (_number_column(layer, name, count)[element] for name in (INVERT, GROUND))
    bottom = np.where(np.isfinite(bottom), bottom, places[:, 2])
    return bottom, np.where(np.isfinite(top), top, places[:, 2])


def _radii(layer: Layer) -> Floats:
    """(elements,) radius of shafts [m]; NaN where none is said or it cannot be."""
    count = max(len(layer.table), 1 + int(layer.geometry.element.max(initial=-1)))  # type: ignore[union-attr]
    radius = _number_column(layer, DIAMETER, count) / 2
    return np.where((radius > 0.1) & (radius < LARGEST_SHAFT), radius, np.nan)


class NodesActors(InstancesActors):
    """The nodes of a network."""

    @staticmethod
    def prepare(layer: Layer) -> TiledMesh:
        """The solids, by tiles."""
        return tiled_instances(node_instances(layer))

    def finish(self) -> Finish:
        """Lit as if the ground were not there."""
        return Finish(smooth=False, face_texture=True, buried=True)

    def face_colours(self) -> NDArray[np.uint8]:
        """Each in the colour of its kind of utility, lids lighter; with a field, the field."""
        slot, element = self._tiled.slot, self._tiled.element
        if shown_field(self.layer) is not None or slot is None:
            return super().face_colours()
        base = np.empty((max(len(self.layer.table), 1 + int(element.max(initial=0))), 3), dtype=np.float64)
        base[:] = self.plain_rgb()
        if UTILITY in self.layer.table.columns and not self.layer.style.colour:
            by_kind = kind_colours(self.layer, self.look.theme)
            base[: len(by_kind)] = by_kind
        lid = base + LID_TONE * (255.0 - base)
        tones = np.clip(np.concatenate([base, lid]), 0, 255).astype(np.uint8)  # few elements, very many faces
        return tones[element + np.where(slot == LID, len(base), 0)]


# -- shapes: foot at z = 0

Profile = tuple[tuple[float, float], ...]  # (radius, height)


def turned(profile: Profile, *, sides: int = ROUND, slot: int = BODY) -> Mesh:
    """A profile turned about the vertical, closed at its ends."""
    angle = 2 * math.pi * np.arange(sides) / sides
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    vertices = np.concatenate(
        [np.column_stack([max(radius, 1e-4) * ring, np.full(sides, height)]) for radius, height in profile]
    )
    one = np.arange(sides)
    two = (one + 1) % sides
    faces = []
    for level in range(len(profile) - 1):
        a, b = level * sides + one, level * sides + two
        faces += [np.stack([a, b, b + sides], 1), np.stack([a, b + sides, a + sides], 1)]
    fan = np.arange(1, sides - 1)
    top = (len(profile) - 1) * sides
    faces += [np.stack([0 * fan, fan + 1, fan], 1), np.stack([top + 0 * fan, top + fan, top + fan + 1], 1)]
    joined = np.concatenate(faces).astype(np.int32)
    return Mesh(vertices, joined, np.full(len(joined), slot, np.int32))


def _joined(*parts: Mesh) -> Mesh:
    start = np.cumsum([0, *(len(part.vertices) for part in parts[:-1])])
    return Mesh(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.faces + s for part, s in zip(parts, start, strict=True)]).astype(np.int32),
        np.concatenate([part.face_element for part in parts]),
    )


def _shaft(sides: int) -> Mesh:
    """A body of one metre, its lid a little wider."""
    return _joined(
        turned(((1.0, 0.0), (1.0, 0.97)), sides=sides), turned(((1.06, 0.97), (1.06, 1.0)), sides=sides, slot=LID)
    )


def _valve() -> Mesh:
    """Two cones tip to tip, and a thin stem of one metre to the ground."""
    stem = turned(((0.05, 0.0), (0.05, 1.0)), sides=8)
    cap = turned(((0.16, 0.985), (0.16, 1.0)), sides=10, slot=LID)
    wheel = turned(((0.30, 0.0), (0.0, 0.1), (0.30, 0.2)), sides=10)
    return _joined(wheel, stem, cap)


def _ball(radius: float) -> Mesh:
    steps = np.linspace(0.0, math.pi, 7)
    return turned(tuple((radius * math.sin(s), -radius * math.cos(s)) for s in steps), sides=10)


@cache
def _shapes() -> tuple[Mesh, ...]:
    """The shape of each kind of node, in the order of `UTILITY_NODES`."""
    makers: dict[str, Callable[[], Mesh]] = {
        "manhole": lambda: _shaft(ROUND),
        "handhole": lambda: _shaft(4),
        "valve": _valve,
        "meter": lambda: _joined(
            turned(((0.25, 0.0), (0.25, 0.97)), sides=4), turned(((0.27, 0.97), (0.27, 1.0)), sides=4, slot=LID)
        ),
        "hydrant": lambda: _joined(
            turned(((0.16, 0.0), (0.16, 0.75))), turned(((0.22, 0.75), (0.22, 0.82), (0.1, 1.0)), slot=LID)
        ),
        "pole": lambda: turned(((0.16, -1.2), (0.10, 9.0)), sides=8),
        "pump": lambda: turned(((0.9, -0.6), (0.9, 0.6), (0.4, 1.0))),
        "tank": lambda: turned(((2.2, -1.5), (2.2, 1.5)), sides=24),
        "reservoir": lambda: turned(((4.0, -2.0), (4.0, 2.0)), sides=28),
        "outfall": lambda: turned(((0.7, -0.5), (0.35, 0.5))),
    }
    return tuple(makers.get(kind, lambda: _ball(0.24))() for kind in UTILITY_NODES)
