"""Rays against triangles with Embree: what blocks the sun, and for how long each point is lit.

Embree works in float32. The scene is therefore moved to its own centre first: within 2 km of it coordinates step by
0.12 mm, within 30 km by 2 mm. A ray starts `SURFACE_OFFSET` in front of its surface so that it does not meet it again.

References
----------
I. Wald et al., Embree: a kernel framework for efficient CPU ray tracing. ACM Trans. Graph. 33(4), 2014.
doi:10.1145/2601097.2601199
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import Feedback, Mesh

if TYPE_CHECKING:
    from embreex.rtcore_scene import EmbreeScene

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Bools = NDArray[np.bool_]

SURFACE_OFFSET = 0.01  # [m] well above the float32 step, well below any building part
BLOCK_POINTS = 8192  # points of one task: about 50 ms for 60 instants, so that a stop is heard at once
BUILD_FACES = 40_000  # faces handed over at a time: the hand-over keeps the interpreter for itself (about 50 ms)
FAR = 1e30  # [m]


class Hits(NamedTuple):
    """First hits of rays: distance (n,) [m], inf for none; face (n,) int64 of the merged mesh, -1 for none."""

    distance: Floats
    face: NDArray[np.int64]


class SunTime(NamedTuple):
    """Time in the sun per point: total and longest unbroken run (n,) [h]; number of rays traced."""

    total: Floats
    longest: Floats
    rays: int


class Occluder:
    """Triangles that block rays.

    Parameters
    ----------
    meshes : sequence of Mesh
        Local metres. Faces are numbered through in this order.
    centre : (3,) float, optional [local m]
        Where float32 is finest; the middle of the box of all meshes when not given.
    """

    def __init__(self, meshes: Sequence[Mesh], centre: Floats | None = None, feedback: Feedback | None = None) -> None:
        from embreex.rtcore_scene import EmbreeScene

        self._meshes = [mesh for mesh in meshes if len(mesh.faces)]
        self.centre = np.asarray(centre if centre is not None else _middle(self._meshes), dtype=np.float64)
        self.face_count = sum(len(mesh.faces) for mesh in self._meshes)
        # robust: no ray slips through the seam of two triangles
        self._scene: EmbreeScene = EmbreeScene(robust=True)
        self._first_face = self._build(feedback or Feedback())
        self._commit()

    def _build(self, feedback: Feedback) -> NDArray[np.int64]:
        from embreex.mesh_construction import TriangleMesh

        starts, done = [], 0
        for mesh in self._meshes:
            vertices = self.local32(mesh.vertices)
            for piece in range(0, len(mesh.faces), BUILD_FACES):
                feedback.step(done / self.face_count, "preparing the obstacles")
                faces = mesh.faces[piece : piece + BUILD_FACES]
                used, renumbered = np.unique(faces, return_inverse=True)
                TriangleMesh(self._scene, vertices[used], renumbered.reshape(-1, 3).astype(np.int32))
                starts.append(done)
                done += len(faces)
        return np.array(starts, dtype=np.int64)

    def _commit(self) -> None:
        """The tree is built by the first query; threads must find it ready."""
        if self.face_count:
            self._scene.run(np.zeros((1, 3), np.float32), np.array([[0, 0, 1]], np.float32), query="OCCLUDED")

    def local32(self, points: Floats) -> Singles:
        """Points (n, 3) [local m] as float32 about the centre, as the queries below want their origins."""
        return np.ascontiguousarray(np.asarray(points, dtype=np.float64) - self.centre, dtype=np.float32)

    def blocked(self, origins32: Singles, directions32: Singles, reach: float = FAR) -> Bools:
        """(n,) whether something lies within `reach` [m]. Origins from `local32`; one direction or one per origin."""
        if self.face_count == 0 or len(origins32) == 0:
            return np.zeros(len(origins32), dtype=bool)
        return np.asarray(self._scene.run(origins32, directions32, dists=reach, query="OCCLUDED") == 0)

    def occluded(self, origins: Floats, directions: Floats, reach: float = FAR, *, threads: int | None = None) -> Bools:
        """(n,) whether something lies between each origin [local m] and `reach` [m] along its direction.

        Parameters
        ----------
        origins : (n, 3) float [local m]
        directions : (n, 3) or (1, 3) float, unit vectors
        """
        starts, ways = self.local32(origins), np.ascontiguousarray(directions, dtype=np.float32).reshape(-1, 3)
        out = np.zeros(len(starts), dtype=bool)

        def work(part: slice) -> None:
            out[part] = self.blocked(starts[part], ways if len(ways) == 1 else ways[part], reach)

        with ThreadPoolExecutor(threads or thread_count()) as pool:
            list(pool.map(work, _slices(len(starts), BLOCK_POINTS * 16)))
        return out

    def first_hit(self, origins: Floats, directions: Floats, reach: float = FAR) -> Hits:
        """The nearest face along each ray. Same arguments as `occluded`."""
        count = len(origins)
        if self.face_count == 0 or count == 0:
            return Hits(np.full(count, np.inf), np.full(count, -1, dtype=np.int64))
        ways = np.ascontiguousarray(directions, dtype=np.float32).reshape(-1, 3)
        found = self._scene.run(self.local32(origins), ways, dists=reach, output=True)
        mesh, face = found["geomID"].astype(np.int64), found["primID"].astype(np.int64)
        none = mesh < 0
        number = np.where(none, -1, self._first_face[np.where(none, 0, mesh)] + face)
        return Hits(np.where(none, np.inf, found["tfar"].astype(np.float64)), number)


def thread_count() -> int:
    """Cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def sun_time(
    occluder: Occluder,
    points: Floats,
    towards_sun: Floats,
    weights: Floats,
    *,
    normals: Floats | None = None,
    threads: int | None = None,
    feedback: Feedback | None = None,
) -> SunTime:
    """Hours in the sun of each point.

    Parameters
    ----------
    points : (n, 3) float [local m]
        On the surface; rays start `SURFACE_OFFSET` along the normal (upwards without normals).
    towards_sun : (t, 3) float
        Unit vectors towards the sun, in order of time.
    weights : (t,) float [h]
        Time each direction stands for.
    normals : (n, 3) float, optional
        Outward unit normals. A surface turned away from the sun (n . s <= 0) is dark without a ray.
    threads : int, optional
        The result is the same bit for bit for any number: a point's sum is made by one thread in order of time.
    """
    feedback = feedback or Feedback()
    total, longest = np.zeros(len(points)), np.zeros(len(points))
    ways = np.ascontiguousarray(towards_sun, dtype=np.float32)
    stop = threading.Event()
    rays = 0

    def work(part: slice) -> int:
        facing = None if normals is None else normals[part]
        shift = SURFACE_OFFSET * (facing if facing is not None else np.array([0.0, 0.0, 1.0]))
        starts = occluder.local32(points[part] + shift)
        return _block(occluder, starts, facing, towards_sun, ways, weights, (total[part], longest[part]), stop)

    workers = threads or thread_count()
    parts = _slices(len(points), BLOCK_POINTS)
    with ThreadPoolExecutor(workers) as pool:
        running: list[Future[int]] = []
        try:
            for number, part in enumerate(parts):
                # a short queue: a stop then leaves only a few blocks to wait for
                running.append(pool.submit(work, part))
                if len(running) > 2 * workers:
                    rays += running.pop(0).result()
                feedback.step(max(0, number - len(running)) / len(parts), "tracing the sun")
            for left, task in enumerate(running):
                rays += task.result()
                feedback.step((len(parts) - len(running) + left + 1) / len(parts), "tracing the sun")
        finally:
            stop.set()
    feedback.step(1.0, "tracing the sun")
    return SunTime(total, longest, rays)


def _block(
    occluder: Occluder,
    starts: Singles,
    facing: Floats | None,
    towards_sun: Floats,
    ways: Singles,
    weights: Floats,
    out: tuple[Floats, Floats],
    stop: threading.Event,
) -> int:
    """Sum the time of one block of points into `out` (total, longest); the number of rays traced."""
    total, longest = out
    run = np.zeros(len(starts))
    rays = 0
    for instant, weight in enumerate(weights):
        if stop.is_set():
            break
        way = ways[instant : instant + 1]
        if facing is None:
            lit = ~occluder.blocked(starts, way)
            rays += len(starts)
        else:
            sun = towards_sun[instant]  # written out: a matrix product may differ in the last bit between machines
            lit = facing[:, 0] * sun[0] + facing[:, 1] * sun[1] + facing[:, 2] * sun[2] > 0.0
            turned = np.flatnonzero(lit)
            lit[turned] = ~occluder.blocked(starts[turned], way)
            rays += len(turned)
        gain = lit * weight
        total += gain
        run += gain
        run *= lit
        np.maximum(longest, run, out=longest)
    return rays


def _slices(count: int, size: int) -> list[slice]:
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def _middle(meshes: Iterable[Mesh]) -> Floats:
    boxes = [np.array(box) for box in _boxes(meshes)]
    if not boxes:
        return np.zeros(3)
    return (np.min([b[0] for b in boxes], axis=0) + np.max([b[1] for b in boxes], axis=0)) / 2  # type: ignore[no-any-return]


def _boxes(meshes: Iterable[Mesh]) -> Iterator[object]:
    return (mesh.bounds for mesh in meshes if mesh.bounds is not None)
