"""Rays against triangles with Embree: what blocks the sun, and for how long each point is lit.

Rays go in bundles of 16 straight to Embree's library (`embree`), or one by one through embreex where that is not
found; both give the same answers.

Embree works in float32. The scene is therefore moved to its own centre first: within 2 km of it coordinates step by
0.12 mm, within 30 km by 2 mm. A ray starts `SURFACE_OFFSET` in front of its surface so that it does not meet it again.

References
----------
I. Wald et al., Embree: a kernel framework for efficient CPU ray tracing. ACM Trans. Graph. 33(4), 2014.
doi:10.1145/2601097.2601199
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels import embree
from analysis.threads import thread_count
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
ORDER_CELL = 0.5  # [m] of the order in which points are traced


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
    feedback : Feedback, optional
    bundles : bool
        False: through embreex alone (the reference of the tests).
    """

    def __init__(
        self,
        meshes: Sequence[Mesh],
        centre: Floats | None = None,
        feedback: Feedback | None = None,
        *,
        bundles: bool = True,
    ) -> None:
        meshes = [mesh for mesh in meshes if len(mesh.faces)]
        self.centre = np.asarray(centre if centre is not None else _middle(meshes), dtype=np.float64)
        self.face_count = sum(len(mesh.faces) for mesh in meshes)
        feedback = feedback or Feedback()
        found = embree.library() if bundles else None
        self.packets: embree.PacketScene | None = None
        self._single: EmbreeScene | None = None
        if found is not None:
            feedback.step(0.0, "preparing the obstacles")
            self.packets = embree.PacketScene(found, [(self.local32(mesh.vertices), mesh.faces) for mesh in meshes])
            sizes = [len(mesh.faces) for mesh in meshes]
            self._first_face = np.cumsum([0, *sizes[:-1]], dtype=np.int64)
        else:
            self._single, self._first_face = self._build_single(meshes, feedback)
        feedback.step(1.0, "preparing the obstacles")

    def _build_single(self, meshes: Sequence[Mesh], feedback: Feedback) -> tuple[EmbreeScene, NDArray[np.int64]]:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        scene = EmbreeScene(robust=True)  # no ray slips through the seam of two triangles
        starts, done = [], 0
        for mesh in meshes:
            vertices = self.local32(mesh.vertices)
            for piece in range(0, len(mesh.faces), BUILD_FACES):
                feedback.step(done / self.face_count, "preparing the obstacles")
                faces = mesh.faces[piece : piece + BUILD_FACES]
                used, renumbered = np.unique(faces, return_inverse=True)
                TriangleMesh(scene, vertices[used], renumbered.reshape(-1, 3).astype(np.int32))
                starts.append(done)
                done += len(faces)
        if done:  # the first query builds the tree; threads must find it ready
            scene.run(np.zeros((1, 3), np.float32), np.array([[0, 0, 1]], np.float32), query="OCCLUDED")
        return scene, np.array(starts, dtype=np.int64)

    def local32(self, points: Floats) -> Singles:
        """Points (n, 3) [local m] as float32 about the centre, as the queries below want their origins."""
        return np.ascontiguousarray(np.asarray(points, dtype=np.float64) - self.centre, dtype=np.float32)

    def blocked(self, origins32: Singles, ways32: Singles, reach: float = FAR) -> Bools:
        """(n,) whether something lies within `reach` [m]. Origins from `local32`; one direction or one per origin."""
        if self.face_count == 0 or len(origins32) == 0:
            return np.zeros(len(origins32), dtype=bool)
        if self.packets is not None:
            return self.packets.blocked(origins32, ways32, reach)
        return np.asarray(self._one_by_one.run(origins32, ways32, dists=reach, query="OCCLUDED") == 0)

    @property
    def _one_by_one(self) -> EmbreeScene:
        if self._single is None:
            raise RuntimeError("this scene is traced in bundles")
        return self._single

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
        starts = self.local32(origins)
        if self.packets is not None:
            distance, mesh, face = self.packets.first_hit(starts, ways, reach)
        else:
            found = self._one_by_one.run(starts, ways, dists=reach, output=True)
            distance, mesh, face = found["tfar"], found["geomID"].astype(np.int64), found["primID"].astype(np.int64)
        none = mesh < 0
        number = np.where(none, -1, self._first_face[np.where(none, 0, mesh)] + face)
        return Hits(np.where(none, np.inf, distance.astype(np.float64)), number)


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
    stop = np.zeros(1, dtype=np.uint8)

    def work(part: slice) -> int:
        order = _neighbours_together(points[part])
        facing = None if normals is None else normals[part][order]
        shift = SURFACE_OFFSET * (facing if facing is not None else np.array([0.0, 0.0, 1.0]))
        starts = occluder.local32(points[part][order] + shift)
        found = (np.zeros(len(order)), np.zeros(len(order)))
        trace = _block if occluder.packets is None else _bundled_block
        rays = trace(occluder, starts, facing, towards_sun, weights, found, stop)
        total[part][order], longest[part][order] = found
        return rays

    rays = _in_threads(work, _slices(len(points), BLOCK_POINTS), threads or thread_count(), stop, feedback)
    return SunTime(total, longest, rays)


def _in_threads(
    work: Callable[[slice], int], parts: list[slice], workers: int, stop: NDArray[np.uint8], feedback: Feedback
) -> int:
    """Sum of `work` over all parts; progress and stopping through `feedback`, `stop` tells the threads."""
    done, total = 0, 0
    with ThreadPoolExecutor(workers) as pool:
        running: list[Future[int]] = []
        try:
            for part in [*parts, *[None] * len(parts)]:
                if part is not None:
                    running.append(pool.submit(work, part))
                # a short queue: a stop then leaves only a few blocks to wait for
                if running and (part is None or len(running) > 2 * workers):
                    total += running.pop(0).result()
                    done += 1
                feedback.step(done / len(parts), "tracing the sun")
        finally:
            stop[0] = 1
    feedback.step(1.0, "tracing the sun")
    return total


def _neighbours_together(points: Floats) -> NDArray[np.int64]:
    """(n,) order along a Z-curve of half metres: rays of one bundle then go through the same boxes of the tree."""
    if len(points) == 0:
        return np.zeros(0, dtype=np.int64)
    cells = ((points - points.min(axis=0)) / ORDER_CELL).astype(np.uint64) & np.uint64(0x1FFFFF)
    code = np.zeros(len(points), dtype=np.uint64)
    for axis in range(3):
        code |= _spread_bits(cells[:, axis]) << np.uint64(axis)
    return np.argsort(code, kind="stable")


def _spread_bits(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Two zero bits after each of the 21 lower bits (Morton 1966)."""
    for shift, mask in (
        (32, 0x1F00000000FFFF),
        (16, 0x1F0000FF0000FF),
        (8, 0x100F00F00F00F00F),
        (4, 0x10C30C30C30C30C3),
        (2, 0x1249249249249249),
    ):
        value = (value | (value << np.uint64(shift))) & np.uint64(mask)
    return value


def _bundled_block(
    occluder: Occluder,
    starts: Singles,
    facing: Floats | None,
    towards_sun: Floats,
    weights: Floats,
    out: tuple[Floats, Floats],
    stop: NDArray[np.uint8],
) -> int:
    """As `_block`, in bundles."""
    if occluder.packets is None:
        raise RuntimeError("this scene is not traced in bundles")
    return occluder.packets.sun_block(starts, facing, towards_sun, weights, out, stop)


def _block(
    occluder: Occluder,
    starts: Singles,
    facing: Floats | None,
    towards_sun: Floats,
    weights: Floats,
    out: tuple[Floats, Floats],
    stop: NDArray[np.uint8],
) -> int:
    """Sum the time of one block of points into `out` (total, longest); the number of rays traced."""
    total, longest = out
    ways = np.ascontiguousarray(towards_sun, dtype=np.float32)
    run = np.zeros(len(starts))
    rays = 0
    for instant, weight in enumerate(weights):
        if stop[0]:
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
