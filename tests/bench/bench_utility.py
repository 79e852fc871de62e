"""Speed of the pipe network and excavation kernels over 100,000 segments, as ratios measured in this one run.

``python -m tests.bench.bench_utility [--quick]`` prints

1. topology: time to join the pipes over one ``cKDTree`` of their ends with all pairs (SciPy, the peer);
2. trace: time of a search over everything that is connected, over SciPy's ``dijkstra`` on the same graph;
3. excavation: time of a check after the index is built, over one pass of NumPy over the boxes of all segments; and the
   greatest difference to brute force on a random sample of segments;
4. absolute times beside the limits set for them (1 s, 0.2 s, 0.2 s).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from analysis.kernels.capsules import CapsuleIndex, Pipes, inside_solids
from analysis.kernels.distances import segment_triangle
from analysis.kernels.network import Nodes, Polylines, build_network
from analysis.kernels.network_search import flow_from_sources, reach
from tests.tiny import box_mesh

SEGMENTS, QUICK_SEGMENTS = 100_000, 20_000
SPACING = 30.0  # [m] between the streets of the made city
RUNS = 5  # best of
SAMPLE = 400


def best(work: Callable[[], object]) -> float:
    """Best time of several runs [s], after one to compile."""
    work()
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def city(count: int) -> Polylines:
    """A grid of streets with one pipe per block, drawn to within a centimetre, the same every time."""
    side = int(np.sqrt(count / 2))
    x, y = np.meshgrid(np.arange(side) * SPACING, np.arange(side) * SPACING)
    places = np.column_stack([x.ravel(), y.ravel(), 18.0 + 0.001 * x.ravel()])
    number = np.arange(side * side).reshape(side, side)
    across = np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()])
    along = np.column_stack([number[:-1].ravel(), number[1:].ravel()])
    ends = np.concatenate([across, along])
    rng = np.random.default_rng(1)
    vertices = places[ends.ravel()] + rng.normal(0, 0.003, (2 * len(ends), 3))
    return Polylines(vertices, np.arange(0, 2 * len(ends) + 1, 2), np.zeros(len(ends), np.int64))


def report(name: str, took: float, peer: float, limit: float) -> None:
    """One line."""
    print(f"{name:34s} {took * 1000:8.1f} ms = {took / peer:6.2f} x the peer; limit {limit * 1000:.0f} ms")


def main(quick: bool = False) -> None:
    """Print the figures."""
    pipes = city(QUICK_SEGMENTS if quick else SEGMENTS)
    print(f"{pipes.number} segments")
    nothing = Nodes(np.zeros((0, 3)), np.zeros(0, np.int64))

    def topology() -> object:
        return build_network(pipes, nothing, tolerance=0.1, height_tolerance=1.0)

    def pairs() -> object:
        return cKDTree(pipes.vertices).query_pairs(0.1, output_type="ndarray")

    report("topology", best(topology), best(pairs), 1.0)
    network = build_network(pipes, nothing, tolerance=0.1, height_tolerance=1.0)
    count = len(network.place)
    graph = coo_matrix((network.length, (network.tail, network.head)), shape=(count, count)).tocsr()
    peer = best(lambda: dijkstra(graph, directed=False, indices=0))
    report("trace of all that is connected", best(lambda: reach(network, np.array([0]))), peer, 0.2)
    report(
        "way of the flow, two sources", best(lambda: flow_from_sources(network, np.array([0, count - 1]))), peer, 0.2
    )
    excavation(pipes)


def excavation(pipes: Polylines) -> None:
    """The check of one site and of 500 tree pits."""
    rng = np.random.default_rng(2)
    a, b = pipes.vertices[0::2], pipes.vertices[1::2]
    radius = rng.uniform(0.05, 0.6, len(a))
    solids = Pipes.round(a, b, radius)
    started = time.perf_counter()
    index = CapsuleIndex(solids)
    print(f"{'index built':34s} {(time.perf_counter() - started) * 1000:8.1f} ms")
    middle = float(a[:, 0].max()) / 2
    site, _ = box_mesh([(middle, middle, 5.0, 180.0, 120.0, 20.0)])
    spots = rng.uniform(0, a[:, :2].max(axis=0), (500, 2))
    pits, _ = box_mesh([(float(x), float(y), 16.0, 1.2, 1.2, 6.0) for x, y in spots])
    low, high = index.pipes.boxes()
    peer = best(lambda: ((low < 1.0) & (high > 0.0)).all(axis=1).sum())
    for name, mesh in (("excavation of one site", site), ("500 tree pits", pits)):
        triangles, solid = mesh.vertices[mesh.faces], mesh.face_element.astype(np.int64)

        def check(triangles: np.ndarray = triangles, solid: np.ndarray = solid) -> object:
            inside_solids(index.pipes.a, triangles, solid)
            return index.near_solids(triangles, solid, reach=1.0)

        report(name, best(check), peer, 0.2)
        found = index.near_solids(triangles, solid, reach=1.0)
        print(f"{'':34s} {len(found.piece)} pairs; largest difference to brute force {worst(index, found, mesh):.1e} m")


def worst(index: CapsuleIndex, found: object, mesh: object) -> float:
    """Largest difference to every triangle of every solid, over a sample of the pairs and of all segments."""
    triangles, solid = mesh.vertices[mesh.faces], mesh.face_element  # type: ignore[attr-defined]
    ours = dict(zip(zip(found.solid.tolist(), found.piece.tolist(), strict=True), found.distance, strict=True))  # type: ignore[attr-defined]
    rng = np.random.default_rng(3)
    keys = list(ours)
    sample = [keys[k] for k in rng.integers(0, len(keys), SAMPLE)]
    sample += list(
        zip(
            rng.integers(0, int(solid.max()) + 1, SAMPLE).tolist(),
            rng.integers(0, len(index), SAMPLE).tolist(),
            strict=True,
        )
    )
    far = 0.0
    for key in sample:
        k, n = key
        gap = min(segment_triangle(index.pipes.a[n], index.pipes.b[n], t) for t in triangles[solid == k])
        gap -= index.pipes.radius[n]
        if gap <= 1.0 or key in ours:
            far = max(far, abs(ours.get(key, np.inf) - gap))
    return far


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
