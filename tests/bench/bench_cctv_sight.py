"""Speed of the lines of sight, as ratios measured in this one run.

``python -m tests.bench cctv_sight [--quick]`` prints

1. tracing: lines per second of `trace` (search by cells, facing, tracing, compressed rows) over those of bare bundles
   of 16 rays given ready-made to Embree in as many threads (target >= 0.8);
2. the same against embreex' own call with all rays in one array (its usual way), one thread each;
3. one camera that moves: time over that of the matrix of 500 poles (target <= 1/300), and 50 cameras scored again
   (target 0.2 s);
4. memory: peak of a fresh process for 2,000 poles x 100,000 targets (target <= 2 GB), and the size of the rows.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from analysis.cctv.cameras import Camera
from analysis.cctv.catalogue import catalogue
from analysis.cctv.seen import PlanScore
from analysis.cctv.sight import SightScene, sight_scene, trace
from analysis.cctv.targets import SURFACE_SHIFT, Targets, ground_targets
from analysis.kernels.rays import Occluder
from analysis.threads import thread_count
from geo.model import Layer, Mesh
from tests.bench.bench_sunlight import HALF, district

REACH = 100.0  # [m]
POLES, TARGETS = 2000, 100_000
QUICK = 8  # times smaller
CITY = Path(__file__).resolve().parents[3] / "shared" / "data" / "city" / "3-20-DELFSHAVEN.city.json"
RUNS = 3  # best of


def city() -> tuple[list[Layer], float, np.ndarray]:
    """Layers, height of the ground and middle: a real city file where it lies beside the project, else boxes."""
    if CITY.is_file():
        from app.importer import import_files

        layers = [layer for layer in import_files([CITY], frame=None).layers if layer.theme == "building"]
        box = layers[0].geometry.bounds  # type: ignore[union-attr]
        if box is None:
            raise RuntimeError("the city is empty")
        return layers, box.low[2] + 0.5, np.array(box.centre[:2])
    made = district()
    return [made.buildings], 0.0, np.zeros(2)


def lay_out(quick: bool) -> tuple[SightScene, np.ndarray, Targets]:
    """Scene, poles and targets in the middle of the city."""
    layers, ground, middle = city()
    rng = np.random.default_rng(1)
    shrink = QUICK if quick else 1
    half = 330.0 if CITY.is_file() else HALF
    poles = np.column_stack(
        [rng.uniform(-half, half, (POLES // shrink, 2)) + middle, np.full(POLES // shrink, ground + 5.0)]
    )
    spots = rng.uniform(-half, half, (TARGETS // shrink, 2)) + middle
    targets = ground_targets(np.column_stack([spots, np.full(len(spots), ground)]), cell=1.0)
    return sight_scene(layers), poles, targets


def rays_of(poles: np.ndarray, targets: Targets, occluder: Occluder) -> list[tuple[np.ndarray, np.ndarray]]:
    """Origins and ways of every line within reach, ready for Embree, pole by pole."""
    out = []
    for pole in poles:
        away = targets.xyz - pole
        length = np.sqrt((away**2).sum(axis=1))
        near = (length <= REACH) & (length > SURFACE_SHIFT)
        ways = (away[near] * (1.0 - SURFACE_SHIFT / length[near])[:, None]).astype(np.float32)
        out.append((np.repeat(occluder.local32(pole[None]), len(ways), axis=0), ways))
    return out


def best(work: object) -> float:
    """Seconds of the best of some runs."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()  # type: ignore[operator]
        times.append(time.perf_counter() - started)
    return min(times)


def tracing(scene: SightScene, poles: np.ndarray, targets: Targets) -> None:
    """The first two figures."""
    trace(scene, poles[:4], targets, REACH)  # compiles
    packets = scene.opaque.packets
    if packets is None:
        print("Embree's library was not found beside embreex; nothing to compare")
        return
    rays = rays_of(poles, targets, scene.opaque)
    blocks = [
        (np.concatenate([o for o, _ in rays[k : k + 64]]), np.concatenate([w for _, w in rays[k : k + 64]]))
        for k in range(0, len(rays), 64)
    ]
    count = sum(len(ways) for _, ways in blocks)

    def bare() -> None:
        with ThreadPoolExecutor(thread_count()) as pool:
            list(pool.map(lambda block: packets.blocked(block[0], block[1], 1.0), blocks))

    raw, ours = best(bare), best(lambda: trace(scene, poles, targets, REACH))
    found = trace(scene, poles, targets, REACH)
    share = len(found.idx) / max(1, found.rays)
    print(f"lines of sight: {found.rays:,} ({count:,} bare), {100 * share:.0f} % free")
    print(f"bare bundles   {count / raw / 1e6:6.2f} M/s\nvisibility step {found.rays / ours / 1e6:5.2f} M/s")
    print(f"ratio {found.rays / ours / (count / raw):.2f} (target >= 0.8)")
    from embreex.mesh_construction import TriangleMesh
    from embreex.rtcore_scene import EmbreeScene

    single = EmbreeScene(robust=True)
    for _, mesh in scene.obstacles.opaque:
        TriangleMesh(single, scene.opaque.local32(mesh.vertices), mesh.faces.astype(np.int32))
    some = blocks[: max(1, len(blocks) // 4)]
    single.run(*some[0], dists=1.0, query="OCCLUDED")
    usual = best(lambda: [single.run(o, w, dists=1.0, query="OCCLUDED") for o, w in some])
    alone = best(lambda: trace(scene, poles[: 64 * len(some)], targets, REACH, threads=1))
    print(f"one thread against embreex' own call: {usual / alone:.2f} times as fast")


def moving(scene: SightScene, poles: np.ndarray, targets: Targets) -> None:
    """The third figure."""
    some = poles[:500]
    matrix = best(lambda: trace(scene, some, targets, REACH))
    one = best(lambda: [trace(scene, some[k : k + 1], targets, REACH) for k in range(20)]) / 20
    print(
        f"one camera over the matrix of {len(some)} poles: 1/{matrix / one:.0f} (target <= 1/300), {1e3 * one:.2f} ms"
    )
    models = list(catalogue().values())
    cameras = [
        Camera(
            str(k),
            "",
            models[k % len(models)],
            tuple(poles[k]),
            10.0 * k,
            20.0,
            0.0,
            models[k % len(models)].focal_min_mm,
        )
        for k in range(50)
    ]
    plan = PlanScore(scene, targets, cameras, least=20.0)
    plan.score()

    def drag() -> None:
        x, y, z = plan.cameras[7].position
        plan.set_camera(7, plan.cameras[7].with_(position=(x + 0.1, y, z)))
        plan.score()

    print(f"50 cameras scored again after a move: {best(drag):.3f} s (target < 0.2 s)")


def memory() -> None:
    """In a process of its own."""
    scene, poles, targets = lay_out(quick=False)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    found = trace(scene, poles, targets, REACH)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    rows = (found.ptr.nbytes + found.idx.nbytes + found.through.nbytes) / 1e6
    print(
        f"memory for {len(poles):,} x {len(targets):,}: peak {peak:.2f} GB "
        f"(before tracing {before:.2f}), rows {rows:.1f} MB"
    )
    print(f"pairs seen {len(found.idx):,} of {len(poles) * len(targets):,} (target <= 2 GB)")


def main(quick: bool) -> None:
    """Print the figures."""
    scene, poles, targets = lay_out(quick)
    faces = sum(len(mesh.faces) for _, mesh in scene.obstacles.opaque if isinstance(mesh, Mesh))
    print(f"{faces:,} triangles, {len(poles):,} poles, {len(targets):,} targets, {thread_count()} threads")
    tracing(scene, poles, targets)
    moving(scene, poles, targets)
    if not quick:
        sys.stdout.flush()
        subprocess.run([sys.executable, "-c", f"from {__name__} import memory; memory()"], check=True)


if __name__ == "__main__":
    main("--quick" in sys.argv)
