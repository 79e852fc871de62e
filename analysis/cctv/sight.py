"""Lines of sight between poles and targets through the whole scene, glass and crowns of trees as they are by season.

A line is shared by every pan, tilt and lens of a camera: turning or zooming it traces nothing. Opaque things and those
that light passes are two scenes; only lines that pass the first are asked in the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.cctv.obstacles import OPAQUE_THEMES, Obstacles, Season, obstacles_of
from analysis.cctv.targets import SURFACE_SHIFT, Cells, Targets
from analysis.kernels import embree
from analysis.kernels.rays import Occluder
from analysis.threads import thread_count
from geo.model import Bounds, Feedback, Issue, Layer

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

BLOCK_POLES = 64
LEAST_LIGHT = 0.5  # share of the light that must come through glass and crowns for a target to count as seen
WALL_CLEARANCE = 0.05  # [m] a lens nearer than this to a surface sits in it
GRID_STEP = 64.0  # [m] the middle about which float32 counts lies on multiples of it: it stays when a building moves
FAULTS = ("", "inside", "underground", "touching")
OK, INSIDE, UNDERGROUND, TOUCHING = range(4)
MOSTLY_INSIDE = 4  # of six looks along the axes, those that meet a solid from behind


@dataclass(frozen=True, eq=False)
class Sight:
    """Which targets each pole sees (compressed rows).

    Attributes
    ----------
    ptr : (p + 1,) int64
    idx : (k,) int32
        Targets of pole i: ``idx[ptr[i] : ptr[i + 1]]``, ascending.
    through : (k,) uint8
        1 where the line goes through glass or a crown.
    rays : int
        Lines that were traced.
    """

    ptr: Indices
    idx: NDArray[np.int32]
    through: NDArray[np.uint8]
    rays: int = 0

    def __len__(self) -> int:
        return len(self.ptr) - 1

    def row(self, pole: int) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """Targets one pole sees, and which of them through glass or crowns."""
        part = slice(int(self.ptr[pole]), int(self.ptr[pole + 1]))
        return self.idx[part], self.through[part]


@dataclass(frozen=True, eq=False)
class SightScene:
    """What lines of sight meet.

    Attributes
    ----------
    opaque : Occluder
    translucent : Occluder or None
        Panes and crowns as one mesh.
    obstacles : Obstacles
        What they were made from.
    least_light : float
    """

    opaque: Occluder
    translucent: Occluder | None
    obstacles: Obstacles
    least_light: float = LEAST_LIGHT


def sight_scene(
    layers: Sequence[Layer],
    *,
    season: Season = "summer",
    pane: float | None = None,
    leaf_density: float = 0.0,
    least_light: float = LEAST_LIGHT,
    box: Bounds | None = None,
    centre: ArrayLike | None = None,
    issues: list[Issue] | None = None,
    feedback: Feedback | None = None,
) -> SightScene:
    """Hand the layers of a scene to Embree, sorted by what light passes.

    Parameters
    ----------
    layers : sequence of Layer
        Terrain, buildings, models, furniture, trees, and rooms (where a room lies, the terrain is cut away).
    season : {"summer", "winter", "none"}
        Of the crowns; ``"none"`` leaves trees out.
    pane : float, optional
        Share of light that passes a pane; that of the data file when not given, 0 for opaque (a lit room at night).
    leaf_density : float [1/m]
        Leaf area density within crowns in leaf; 0: each crown lets one share through, whatever the way in it.
    box : Bounds, optional
        All poles and targets lie within; what stands wholly outside its plan is left out.
    centre : (3,) float, optional [local m]
        Where float32 is finest.
    """
    feedback = feedback or Feedback()
    found = obstacles_of(
        layers, season=season, pane=pane, leaf_density=leaf_density, box=box,
        issues=issues if issues is not None else [], feedback=feedback.part(0.0, 0.5),
    )  # fmt: skip
    middle = _middle_of(layers) if centre is None else centre
    return scene_of(found, least_light=least_light, centre=middle, feedback=feedback.part(0.5, 1.0))


def scene_of(
    obstacles: Obstacles, *, least_light: float = LEAST_LIGHT, centre: ArrayLike | None = None,
    feedback: Feedback | None = None,
) -> SightScene:  # fmt: skip
    """The scene of obstacles that were sorted before."""
    feedback = feedback or Feedback()
    boxes = [mesh.bounds for _, mesh in obstacles.opaque]
    middle = _rounded(boxes) if centre is None else np.asarray(centre, dtype=np.float64)
    opaque = Occluder([mesh for _, mesh in obstacles.opaque], middle, feedback.part(0.0, 0.8))
    clear = obstacles.translucent
    translucent = Occluder([clear.mesh], middle, feedback.part(0.8, 1.0)) if len(clear.mesh.faces) else None
    return SightScene(opaque, translucent, obstacles, least_light)


def _middle_of(layers: Sequence[Layer]) -> Floats:
    """Of all that is given, whatever part of it is near: the same wherever the cameras stand."""
    themes = (*OPAQUE_THEMES, "terrain")
    return _rounded([layer.geometry.bounds for layer in layers if layer.geometry is not None and layer.theme in themes])


def _rounded(boxes: Sequence[Bounds | None]) -> Floats:
    whole = Bounds.union(box for box in boxes if box is not None)
    return np.zeros(3) if whole is None else np.round(np.array(whole.centre) / GRID_STEP) * GRID_STEP


def trace(
    scene: SightScene,
    poles: ArrayLike,
    targets: Targets,
    reach: float | Floats,
    feedback: Feedback | None = None,
    *,
    threads: int | None = None,
) -> Sight:
    """Which targets each pole sees.

    Parameters
    ----------
    poles : (p, 3) float [local m]
        Places of lenses.
    reach : float or (p,) float [m]
        Targets further away are not looked at.
    threads : int, optional
        The result is the same bit for bit for any number: each pole is traced by one thread.
    """
    feedback = feedback or Feedback()
    lenses = np.ascontiguousarray(poles, dtype=np.float64).reshape(-1, 3)
    far = np.broadcast_to(np.asarray(reach, dtype=np.float64), (len(lenses),))
    cells = targets.cells
    size = min(BLOCK_POLES, max(1, len(lenses) // (4 * thread_count())))  # few poles: still work for every thread
    blocks = [np.arange(k, min(k + size, len(lenses))) for k in range(0, len(lenses), size)]
    if len(blocks) == 1:  # one camera that is dragged: no thread to wait for
        feedback.step(0.0, "tracing lines of sight")
        return _joined([_trace_block(scene, lenses, far, targets, cells)])
    found: list[_Block] = []
    with ThreadPoolExecutor(threads or thread_count()) as pool:
        running: list[Future[_Block]] = []
        try:
            for block in [*blocks, *[None] * len(blocks)]:
                if block is not None:
                    running.append(pool.submit(_trace_block, scene, lenses[block], far[block], targets, cells))
                # a short queue: a stop then leaves only a few blocks to wait for
                if running and (block is None or len(running) > 2 * thread_count()):
                    found.append(running.pop(0).result())
                feedback.step(len(found) / len(blocks), "tracing lines of sight")
        finally:
            for future in running:
                future.cancel()
    feedback.step(1.0, "tracing lines of sight")
    return _joined(found)


@dataclass(frozen=True, eq=False)
class _Block:
    count: Indices
    idx: NDArray[np.int32]
    through: NDArray[np.uint8]
    rays: int


def _joined(blocks: Sequence[_Block]) -> Sight:
    if not blocks:
        return Sight(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.uint8))
    ptr = np.concatenate([[0], np.cumsum(np.concatenate([block.count for block in blocks]))])
    idx, through = (np.concatenate([getattr(block, name) for block in blocks]) for name in ("idx", "through"))
    return Sight(ptr.astype(np.int64), idx, through, sum(block.rays for block in blocks))


def _trace_block(scene: SightScene, poles: Floats, reach: Floats, targets: Targets, cells: Cells) -> _Block:
    rows = [_trace_pole(scene, pole, float(far), targets, cells) for pole, far in zip(poles, reach, strict=True)]
    count = np.array([len(places) for places, _, _ in rows], dtype=np.int64)
    places, through = (np.concatenate([row[k] for row in rows]) for k in range(2))
    return _Block(count, places, through, sum(row[2] for row in rows))


def _trace_pole(
    scene: SightScene, pole: Floats, reach: float, targets: Targets, cells: Cells
) -> tuple[NDArray[np.int32], NDArray[np.uint8], int]:
    from analysis.kernels import sight

    room = np.empty(sight.near(cells.start, cells.grid, pole, reach), dtype=np.int32)
    if scene.opaque.packets is None:
        return _trace_singly(scene, pole, reach, targets, room)
    packets = scene.opaque.packets
    bundle, lanes = embree._bundle(embree.RAY_HIT_ROWS)
    count, rays = sight.visible(
        packets.found.occluded16, packets.handle, packets.found.arguments, pole, scene.opaque.centre, reach,
        targets.xyz, targets.normal, cells.start, cells.grid, SURFACE_SHIFT, bundle, lanes, room,
    )  # fmt: skip
    places = room[:count].copy()
    light = np.ones(count)
    clear = scene.translucent
    if clear is not None and clear.packets is not None and count:
        made = scene.obstacles.translucent
        found = clear.packets.found
        sight.through(
            (found.occluded16, found.intersect16), clear.packets.handle, found.arguments, pole, clear.centre,
            targets.xyz, SURFACE_SHIFT, made.mesh.face_element, made.share, made.extinction, bundle, lanes, places,
            light,
        )  # fmt: skip
    kept = light >= scene.least_light
    return places[kept], (light[kept] < 1.0).astype(np.uint8), int(rays)


def _trace_singly(
    scene: SightScene, pole: Floats, reach: float, targets: Targets, room: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.uint8], int]:
    """As `_trace_pole` through embreex alone, where its library is not found: panes and crowns count as opaque."""
    away = targets.xyz - pole
    length = np.sqrt((away**2).sum(axis=1))
    facing = ~((targets.normal * away).sum(axis=1) >= 0.0)
    asked = np.flatnonzero((length <= reach) & (length >= WALL_CLEARANCE) & facing)
    ways = (away[asked] * (1.0 - SURFACE_SHIFT / length[asked])[:, None]).astype(np.float32)
    origins = np.broadcast_to(scene.opaque.local32(pole[None]), ways.shape).copy()
    blocked = scene.opaque.blocked(origins, ways, 1.0)
    if scene.translucent is not None:
        blocked |= scene.translucent.blocked(origins, ways, 1.0)
    places = asked[~blocked].astype(np.int32)
    return places, np.zeros(len(places), np.uint8), len(asked)


def retrace(
    scene: SightScene,
    before: Sight,
    poles: ArrayLike,
    targets: Targets,
    reach: float | Floats,
    boxes: Sequence[Bounds],
) -> tuple[Sight, int]:
    """The sight of the same poles in a scene that differs only within some boxes.

    Parameters
    ----------
    scene : SightScene
        As it is now; float32 must count about the same centre as before.
    before : Sight
        As it was traced in the scene before the change.
    boxes : sequence of Bounds
        Around what moved, where it was and where it is.

    Returns
    -------
    sight : Sight
        Equal to one traced anew.
    pairs : int
        Lines that were traced again: those that meet a box (slab test).
    """
    lenses = np.ascontiguousarray(poles, dtype=np.float64).reshape(-1, 3)
    far = np.broadcast_to(np.asarray(reach, dtype=np.float64), (len(lenses),))
    rows: list[_Block] = []
    for number, (pole, limit) in enumerate(zip(lenses, far, strict=True)):
        idx, through = before.row(number)
        away = targets.xyz - pole
        met = np.flatnonzero((away**2).sum(axis=1) <= limit * limit)
        met = met[segments_meet(pole, away[met], boxes)]
        if len(met):
            some = targets.taken(met)
            places, clear, rays = _trace_pole(scene, pole, float(limit), some, some.cells)
            kept = ~np.isin(idx, met, assume_unique=True)
            idx = np.concatenate([idx[kept], met[places].astype(np.int32)])
            order = np.argsort(idx, kind="stable")
            idx, through = idx[order], np.concatenate([through[kept], clear])[order]
        rows.append(_Block(np.array([len(idx)], dtype=np.int64), idx, through, len(met)))
    made = _joined(rows)
    return made, made.rays


def segments_meet(start: Floats, ways: Floats, boxes: Sequence[Bounds]) -> Bools:
    """(n,) whether the segments from `start` along `ways` (n, 3) meet one of some boxes (slab test)."""
    out = np.zeros(len(ways), dtype=bool)
    for box in boxes:
        low, high = np.array(box.low) - start, np.array(box.high) - start
        within = (low <= 0.0) & (high >= 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            one, other = low / ways, high / ways
        level = ways == 0.0  # along a slab: always within it or never
        near = np.where(level, np.where(within, -np.inf, np.inf), np.minimum(one, other))
        far = np.where(level, np.where(within, np.inf, -np.inf), np.maximum(one, other))
        out |= near.max(axis=1).clip(0.0, None) <= far.min(axis=1).clip(None, 1.0)
    return out


def pole_faults(scene: SightScene, poles: ArrayLike) -> NDArray[np.int8]:
    """(p,) why no camera can be at each place: `OK`, `INSIDE` a solid, `UNDERGROUND` or `TOUCHING` a surface."""
    lenses = np.ascontiguousarray(poles, dtype=np.float64).reshape(-1, 3)
    out = np.zeros(len(lenses), dtype=np.int8)
    if not len(scene.obstacles.normal):  # nothing stands anywhere
        return out
    near = np.zeros(len(lenses), dtype=bool)
    for way in _ways_around():
        near |= scene.opaque.occluded(lenses, way[None], WALL_CLEARANCE)
    out[near] = TOUCHING
    behind = np.zeros(len(lenses), dtype=np.int64)
    under = np.zeros(len(lenses), dtype=bool)
    for axis in range(3):
        for sign in (-1.0, 1.0):
            way = np.zeros((1, 3))
            way[0, axis] = sign
            face = scene.opaque.first_hit(lenses, way).face
            hit = face >= 0
            from_behind = hit & (scene.obstacles.normal[face, axis] * sign > 0)
            behind += from_behind & scene.obstacles.solid[face]
            if axis == 2 and sign > 0:
                under = from_behind & scene.obstacles.ground[face]
    out[behind >= MOSTLY_INSIDE] = INSIDE
    out[under] = UNDERGROUND
    return out


def in_crowns(scene: SightScene, poles: ArrayLike) -> Bools:
    """(p,) places within a crown: up and down a face is met from within."""
    lenses = np.ascontiguousarray(poles, dtype=np.float64).reshape(-1, 3)
    out = np.ones(len(lenses), dtype=bool)
    if scene.translucent is None:
        return ~out
    normal = scene.obstacles.translucent.mesh.face_cross[:, 2]
    for sign in (-1.0, 1.0):
        face = scene.translucent.first_hit(lenses, np.array([[0.0, 0.0, sign]])).face
        out &= (face >= 0) & (normal[face] * sign > 0)
    return out


def _ways_around() -> Floats:
    """(26, 3) unit vectors to the neighbours of a cube."""
    steps = np.array(
        [(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if x or y or z], dtype=float
    )
    return np.asarray(steps / np.linalg.norm(steps, axis=1, keepdims=True))


def blocked_poles(scene: SightScene, poles: ArrayLike) -> Bools:
    """(p,) whether a place is inside a solid, under ground, or within 5 cm of a surface."""
    return np.asarray(pole_faults(scene, poles) != OK)
