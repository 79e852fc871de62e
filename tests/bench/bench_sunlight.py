"""Speed of the sun tracing, as ratios measured in this one run.

``python -m tests.bench.bench_sunlight [--quick]`` prints

1. tracing: rays per second of `sun_time` over those of a bare Embree loop on the same rays (target >= 0.8);
2. whole study: time of ``sunlight.hours`` over the time that bare loop needs for its rays (target <= 1.5);
3. Radiance: rays per second of processor time over those of ``rtrace`` on the same scene and rays (target >= 10), and
   the share of rays with the same answer (target >= 99.9 %). Needs the development dependency pyradiance.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np

from analysis.kernels import sun
from analysis.kernels.rays import SURFACE_OFFSET, Occluder, sun_time
from analysis.registry import get
from analysis.threads import thread_count
from geo.crs import make_frame
from geo.model import Feedback, Frame, Grid, Layer, Mesh, merge_meshes
from geo.model.geometry import Floats
from tests.tiny import box_mesh

HALF = 500.0  # [m] half the width of the district of the benchmark
BUILDINGS = 700
INSTANTS = 49
RUNS = 3  # best of


class Score(NamedTuple):
    """One line of the report."""

    name: str
    value: float
    target: str
    met: bool


class District(NamedTuple):
    """Boxes on a rolling terrain."""

    frame: Frame
    terrain: Layer
    buildings: Layer

    @property
    def meshes(self) -> list[Mesh]:
        """Terrain and buildings as triangles."""
        grid, boxes = self.terrain.geometry, self.buildings.geometry
        if not isinstance(grid, Grid) or not isinstance(boxes, Mesh):
            raise TypeError("the district of the benchmark is a grid and a mesh")
        return [grid.surface(), boxes]


def district() -> District:
    """A square kilometre with 700 buildings of 6 to 75 m, the same every time."""
    rng = np.random.default_rng(1)
    at = rng.uniform(-HALF, HALF, (BUILDINGS, 2))
    boxes = [
        (float(x), float(y), -5.0, float(rng.uniform(10, 40)), float(rng.uniform(8, 16)), float(rng.uniform(11, 80)))
        for x, y in at
    ]
    mesh, _ = box_mesh(boxes)
    axis = np.arange(-HALF - 50, HALF + 51, 2.0)
    heights = 3 * np.sin(axis / 90)[None, :] + 3 * np.cos(axis / 110)[:, None]
    return District(
        make_frame("EPSG:5186", 229_110.0, 435_795.0),
        Layer("terrain", "Terrain", "terrain", Grid(heights, axis[0], axis[0], 2.0)),
        Layer("buildings", "Buildings", "building", mesh),
    )


def instants(frame: Frame) -> tuple[Floats, Floats]:
    """49 directions towards the sun (grid north) from 08:00 to 17:00 on the winter solstice, and their weights [h]."""
    found = sun.times_of_day(date(2026, 12, 22), 8.0, 17.0, 9 * 60 / INSTANTS, frame.longitude)
    place = sun.sun_position(found.times, frame.longitude, frame.latitude)
    return sun.sun_vectors(frame.grid_azimuth(place.azimuth), place.apparent_elevation), found.weights


def ground(count: int, terrain: Layer) -> Floats:
    """About `count` points on the terrain in rows."""
    from analysis.kernels.sampling import ground_points

    grid = terrain.geometry
    if not isinstance(grid, Grid):
        raise TypeError("a terrain is a grid")
    cell = 2 * HALF / np.sqrt(count)
    return ground_points(grid, float(cell), (-HALF, -HALF), (HALF, HALF)).points


def bare_loop(city: District, points: Floats, ways: Floats) -> float:
    """Seconds of Embree alone through embreex: one call per instant and thread on ready arrays, nothing kept."""
    occluder = Occluder(city.meshes, bundles=False)
    scene = occluder._one_by_one
    starts = occluder.local32(points + [0, 0, SURFACE_OFFSET])
    singles = np.ascontiguousarray(ways, dtype=np.float32)
    parts = [p for p in np.array_split(starts, thread_count()) if len(p)]

    def work(part: np.ndarray) -> None:
        for k in range(len(singles)):
            scene.run(part, singles[k : k + 1], query="OCCLUDED")

    began = time.perf_counter()
    with ThreadPoolExecutor(len(parts)) as pool:
        list(pool.map(work, parts))
    return time.perf_counter() - began


def tracing(city: District, count: int) -> list[Score]:
    """Ratio 1."""
    occluder = Occluder(city.meshes)
    ways, weights = instants(city.frame)
    points = ground(count, city.terrain)
    rays = len(points) * len(ways)
    raw, ours = [], []
    for _ in range(RUNS):  # in turns: a machine that slows down slows both
        raw.append(bare_loop(city, points, ways))
        began = time.perf_counter()
        sun_time(occluder, points, ways, weights)
        ours.append(time.perf_counter() - began)
    ratio = min(raw) / min(ours)
    return [
        Score("bare Embree loop, Mray/s", rays / min(raw) / 1e6, "", True),
        Score("sun_time, Mray/s", rays / min(ours) / 1e6, "", True),
        Score("tracing / bare loop", ratio, ">= 0.8", ratio >= 0.8),
    ]


def whole_study(city: District, count: int) -> list[Score]:
    """Ratio 2: everything from layers to result layers, ground only, 49 instants."""
    item = get("sunlight.hours")
    cell = float(2 * HALF / np.sqrt(count))
    params = item.params(
        start=8.0, stop=17.0, step=9 * 60 / INSTANTS, ground_cell=max(cell, 0.5), facades=False, margin=0.0
    )
    inputs = item.inputs(frame=city.frame, terrain=city.terrain, blockers=(city.buildings,), trees=(), relief=())
    ways, _ = instants(city.frame)
    points = ground(count, city.terrain)
    raw, ours, rays = [], [], 0
    for _ in range(RUNS):
        raw.append(bare_loop(city, points, ways) / (len(points) * len(ways)))
        began = time.perf_counter()
        result = item.run(inputs, params, Feedback())
        ours.append(time.perf_counter() - began)
        rays = int(result.summary["rays"].value or 0)
    ratio = min(ours) / (min(raw) * rays)
    return [
        Score("whole study, s", min(ours), "", True),
        Score("whole study, million rays", rays / 1e6, "", True),
        Score("whole study / bare loop", ratio, "<= 1.5", ratio <= 1.5),
    ]


def radiance(city: District, count: int) -> list[Score]:
    """Ratio 3: rtrace answers the distance to the first surface; 1e10 means none."""
    found = importlib.util.find_spec("pyradiance")
    if found is None or found.origin is None:
        return [Score("Radiance: pyradiance is not installed", float("nan"), "", False)]
    binaries = Path(found.origin).parent / "bin"
    mesh = merge_meshes(city.meshes)
    occluder = Occluder([mesh])
    ways, _ = instants(city.frame)
    rng = np.random.default_rng(2)
    points = ground(count, city.terrain)
    points = points[np.sort(rng.choice(len(points), min(count, len(points)), replace=False))]
    starts = occluder.local32(points + [0, 0, SURFACE_OFFSET])
    singles = np.ascontiguousarray(ways[:: max(1, len(ways) // 7)], dtype=np.float32)
    occluder.blocked(starts[:16], singles[:1])  # compiled before the clock runs
    began = time.thread_time()
    ours = np.concatenate([occluder.blocked(starts, singles[k : k + 1]) for k in range(len(singles))])
    our_time = time.thread_time() - began
    rays = np.concatenate([np.hstack([starts, np.broadcast_to(way, starts.shape)]) for way in singles])
    with tempfile.TemporaryDirectory() as folder:
        octree = _octree(mesh, occluder.centre, Path(folder), binaries)
        # -av and -aa 0 -ab 0: no ambient light; -oL: distance to the first surface; one process, as one core of ours
        command = [
            str(binaries / "rtrace"),
            "-h",
            "-ff",
            "-oL",
            "-ab",
            "0",
            "-dt",
            "0",
            "-dc",
            "0",
            "-lr",
            "0",
            str(octree),
        ]
        answer, their_time = _timed(command, rays, binaries)
        their_time -= _timed(command, rays[:1], binaries)[1]  # loading the octree is not tracing
    theirs = answer < 1e9
    same, faster = float((theirs == ours).mean()), their_time / our_time
    return [
        Score("rtrace, Mray/s on one core", len(rays) / their_time / 1e6, "", True),
        Score("ours, Mray/s on one core", len(rays) / our_time / 1e6, "", True),
        Score("faster than rtrace", faster, ">= 10", faster >= 10),
        Score("same answer, %", 100 * same, ">= 99.9", same >= 0.999),
    ]


def _timed(command: list[str], rays: np.ndarray, binaries: Path) -> tuple[np.ndarray, float]:
    """Distances along rays (n, 6) and the seconds of processor time the program took."""
    environment = {**os.environ, "RAYPATH": f".:{binaries.parent / 'lib'}"}
    began = sum(os.times()[2:4])
    done = subprocess.run(command, input=rays.astype(np.float32).tobytes(), capture_output=True, env=environment)
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace"))
    return np.frombuffer(done.stdout, dtype=np.float32), sum(os.times()[2:4]) - began


def _octree(mesh: Mesh, centre: Floats, folder: Path, binaries: Path) -> Path:
    """The scene as Radiance polygons of the material that costs Radiance least, about the same centre."""
    corners = (mesh.vertices - centre)[mesh.faces].reshape(-1, 9)
    lines = ["void glow grey 0 0 4 1 1 1 0"]
    lines += [f"grey polygon f{k} 0 0 9 " + " ".join(f"{v:.5f}" for v in row) for k, row in enumerate(corners)]
    scene, octree = folder / "scene.rad", folder / "scene.oct"
    scene.write_text("\n".join(lines) + "\n")
    with octree.open("wb") as out:
        subprocess.run([str(binaries / "oconv"), "-n", "8", "-r", "65536", str(scene)], stdout=out, check=True)
    return octree


def main(quick: bool = False) -> None:
    """Measure and print; `quick` takes a tenth of the points."""
    city = district()
    points = 100_000 if quick else 1_000_000
    scores = tracing(city, points) + whole_study(city, points) + radiance(city, 20_000 if quick else 100_000)
    sys.stdout.write(f"sunlight.hours on {thread_count()} cores, {points:,} points x {INSTANTS} instants\n")
    for score in scores:
        verdict = f"  {score.target}  {'met' if score.met else 'NOT MET'}" if score.target else ""
        sys.stdout.write(f"  {score.name:<32}{score.value:>10.3f}{verdict}\n")


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
