"""Speed of irradiation and sky view, as ratios measured in this one run.

``python -m tests.bench.bench_irradiation [--quick]`` prints

1. Radiance: processor time per point of ``rfluxmtx`` (rcontrib) for the matrix of sky patches alone, over that of the
   whole year of `sunlight.irradiation` on the same points and patches, sun included (target >= 20 at Radiance's usual
   1,000 rays a point); beside it the ratio at the number of rays that ours has, and the error of the sky view of both
   against 4,096 directions. Needs the development dependency pyradiance.
2. grouped sun against exact sun: time, and the difference of the sums of a year;
3. UMEP: processor time of its sky view factor on a raster over that of `sky_view_horizon` on the same raster on one
   core (target >= 5), and over that of rays.
   Needs the package umep, which is not a dependency: set ``TWIN_UMEP`` to the folder it was installed into.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from analysis.irradiation.sky import YearSky, year_sky
from analysis.irradiation.weather import hours_of
from analysis.kernels.horizon import sky_view_horizon
from analysis.kernels.irradiance import dome_factor, exposure, sky_patches
from analysis.kernels.rays import SURFACE_OFFSET, Occluder
from analysis.kernels.sampling import face_cells
from analysis.kernels.sky import sky_view_rays
from analysis.sunlight_sky.view import sky_directions
from geo.model import Grid, Mesh, merge_meshes
from geo.model.geometry import Floats
from tests.bench.bench_sunlight import District, Score, _octree, district, ground
from tests.tiny_weather import weather_layers

SKY = """#@rfluxmtx h=u u=Y
void glow below 0 0 4 1 1 1 0
below source earth 0 0 4 0 0 -1 180
#@rfluxmtx h=r1 u=Y
void glow above 0 0 4 1 1 1 0
above source heaven 0 0 4 0 0 1 180
"""
USUAL_RAYS = 1000  # -ad of a daylight matrix of patches


class Bench(NamedTuple):
    """Points with normals in a district, and the sky of a year over it."""

    mesh: Mesh
    occluder: Occluder
    points: Floats
    normals: Floats
    year: YearSky
    finer: YearSky


def bench(count: int) -> Bench:
    """About `count` points, half on the ground, half on roofs and facades."""
    city: District = district()
    boxes = city.buildings.geometry
    if not isinstance(boxes, Mesh):
        raise TypeError("the buildings of the benchmark are a mesh")
    mesh = merge_meshes(city.meshes)
    level = ground(count // 2, city.terrain)
    area = float(boxes.face_area.sum())
    cells = face_cells(boxes, float(np.sqrt(area / (count // 2))))
    points = np.concatenate([level, cells.points])
    normals = np.concatenate([np.tile([0.0, 0.0, 1.0], (len(level), 1)), cells.normals])
    station, hours = weather_layers()
    weather = hours_of([hours], [station], city.frame, "auto", [])
    year, finer = (year_sky(weather, city.frame, [], division=division) for division in (1, 2))
    return Bench(mesh, Occluder([mesh]), points, normals, year, finer)


def ours(case: Bench, year: YearSky, threads: int = 1) -> tuple[Floats, float, int]:
    """Sums of a year (n,), seconds of processor time, rays."""
    exposure(case.occluder, None, case.points[:64], case.normals[:64], year.sky, year.patches, np.ones(12))
    began = time.process_time()
    found = exposure(
        case.occluder, None, case.points, case.normals, year.sky, year.patches, np.ones(12), threads=threads
    )
    return found.months.sum(axis=1, dtype=np.float64), time.process_time() - began, found.rays


def sky_view(case: Bench, rows: np.ndarray, ways: Floats, weights: Floats, factor: Floats | None) -> Floats:
    """View factor of the even dome (n,) by rays in given directions."""
    starts = case.points[rows] + SURFACE_OFFSET * case.normals[rows]
    seen = np.zeros(len(rows))
    for way, weight in zip(ways, weights, strict=True):
        cosine = case.normals[rows] @ way
        facing = np.flatnonzero(cosine > 1e-4)
        free = ~case.occluder.occluded(starts[facing], way[None])
        seen[facing] += cosine[facing] * free * weight / np.pi
    return seen if factor is None else seen * factor


def radiance(case: Bench, sample: int) -> list[Score]:
    """Ratio 1."""
    found = importlib.util.find_spec("pyradiance")
    if found is None or found.origin is None:
        return [Score("Radiance: pyradiance is not installed", float("nan"), "", False)]
    binaries = Path(found.origin).parent / "bin"
    _, seconds, rays = ours(case, case.year)
    each = seconds / len(case.points)
    _, finer_seconds, _ = ours(case, case.finer)
    sky_only = case.year._replace(sky=_without_sun(case.year))
    _, sky_seconds, sky_rays = ours(case, sky_only)
    rows = np.sort(np.random.default_rng(3).choice(len(case.points), sample, replace=False))
    fine = sky_directions(4096)
    exact = sky_view(case, rows, fine, np.full(4096, 2 * np.pi / 4096), None)
    patches = sky_patches()
    mine = sky_view(case, rows, patches.ways, patches.solid_angle, dome_factor(case.normals[rows], patches))
    scores = [
        Score("ours, whole year, us a point", 1e6 * each, "", True),
        Score("ours, whole year, 577 patches, us a point", 1e6 * finer_seconds / len(case.points), "", True),
        Score("ours, rays a point", rays / len(case.points), "", True),
        Score("ours, Mray/s on one core", rays / seconds / 1e6, "", True),
        Score("ours, patches only, us a point", 1e6 * sky_seconds / len(case.points), "", True),
        Score("ours, error of the sky view (rms)", _rms(mine, exact), "", True),
    ]
    with tempfile.TemporaryDirectory() as folder:
        octree = _octree(case.mesh, case.occluder.centre, Path(folder), binaries)
        starts = case.points[rows] + SURFACE_OFFSET * case.normals[rows] - case.occluder.centre
        for count in (USUAL_RAYS, round(sky_rays / len(case.points))):
            view, their_seconds = _matrix(octree, starts, case.normals[rows], count, binaries)
            theirs = their_seconds / sample
            name = f"rfluxmtx, {count} rays a point"
            ratio = theirs / each
            target = ">= 20" if count == USUAL_RAYS else ""
            scores += [
                Score(f"{name}, us a point", 1e6 * theirs, "", True),
                Score(f"{name}, error of the sky view", _rms(view, exact), "", True),
                Score(f"{name} / our whole year", ratio, target, ratio >= 20 or not target),
                Score(f"{name} / our whole year, 577 patches", theirs * len(case.points) / finer_seconds, "", True),
                Score(f"{name} / our patches", theirs / (sky_seconds / len(case.points)), "", True),
            ]
    return scores


def _without_sun(year: YearSky):  # noqa: ANN202
    count = len(year.patches.ways)
    entries = int(year.sky.start[count])
    return year.sky._replace(
        ways=year.sky.ways[:count],
        start=year.sky.start[: count + 1],
        column=year.sky.column[:entries],
        vector=year.sky.vector[:entries],
    )


def _rms(found: Floats, exact: Floats) -> float:
    return float(np.sqrt(np.mean((found - exact) ** 2)))


def _matrix(octree: Path, starts: Floats, normals: Floats, count: int, binaries: Path) -> tuple[Floats, float]:
    """Sky view factor (n,) from Radiance's matrix of 145 patches, and the processor time it took."""
    sky = octree.with_name("sky.rad")
    sky.write_text(SKY)
    environment = {**os.environ, "RAYPATH": f".:{binaries.parent / 'lib'}", "PATH": f"{binaries}:{os.environ['PATH']}"}
    command = ["rfluxmtx", "-h", "-faf", "-I+", "-ab", "1", "-ad", str(count), "-lw", str(0.5 / count), "-n", "1"]
    command += ["-y", str(len(starts)), "-", str(sky), "-i", str(octree)]

    def run(rows: np.ndarray) -> tuple[bytes, float]:
        began = sum(os.times()[2:4])
        text = "\n".join(" ".join(f"{v:.5f}" for v in row) for row in rows) + "\n"
        at = command.index("-y") + 1
        own = [*command[:at], str(len(rows)), *command[at + 1 :]]
        done = subprocess.run(own, input=text.encode(), capture_output=True, env=environment)
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        return done.stdout, sum(os.times()[2:4]) - began

    rows = np.hstack([starts, normals])
    _, loading = run(rows[:1])
    answer, seconds = run(rows)
    matrix = np.frombuffer(answer, dtype=np.float32).reshape(len(starts), -1, 3)[:, :, 0]
    return matrix[:, 2:].sum(axis=1) / np.pi, seconds - loading  # the first is the earth, the second below the horizon


def grouping(case: Bench, sample: int) -> list[Score]:
    """Ratio 2: the same points with a ray for every instant."""
    city = district()
    station, hours = weather_layers()
    weather = hours_of([hours], [station], city.frame, "auto", [])
    rows = np.sort(np.random.default_rng(4).choice(len(case.points), sample, replace=False))
    part = case._replace(points=case.points[rows], normals=case.normals[rows])
    finest, _, _ = ours(part, year_sky(weather, city.frame, [], exact=True, parts=6, division=2))
    scores: list[Score] = []
    exact = np.zeros(0)
    for name, year in (
        ("exact", year_sky(weather, city.frame, [], exact=True)),
        ("grouped", case.year),
        ("grouped, 577 patches", case.finer),
        ("grouped, one instant an hour", year_sky(weather, city.frame, [], parts=1)),
    ):
        sums, seconds, _ = ours(part, year)
        lit = finest > 20.0  # [kWh/m2]; boxes of this district stand in each other, and hidden cells get nothing
        off = np.abs(sums[lit] / finest[lit] - 1.0)
        if name == "exact":
            exact = sums
        elif name == "grouped":
            apart = np.abs(sums[lit] / np.maximum(exact[lit], 1.0) - 1.0)
            scores += [
                Score("grouped from exact: median, %", 100 * float(np.median(apart)), "", True),
                Score("grouped from exact: 95th percentile, %", 100 * float(np.percentile(apart, 95)), "", True),
            ]
        scores += [
            Score(f"{name}: directions", len(year.sky.ways), "", True),
            Score(f"{name}: us a point", 1e6 * seconds / sample, "", True),
            Score(f"{name}: median difference, %", 100 * float(np.median(off)), "", True),
            Score(f"{name}: 95th percentile, %", 100 * float(np.percentile(off, 95)), "", True),
            Score(f"{name}: difference of the sum, %", 100 * float(sums.sum() / finest.sum() - 1.0), "", True),
        ]
    return scores


def umep(size: int) -> list[Score]:
    """Ratio 3."""
    folder = os.environ.get("TWIN_UMEP", "")
    if not folder:
        return [Score("UMEP: set TWIN_UMEP to measure it", float("nan"), "", True)]
    sys.path.append(folder)
    from umep.functions.svf_functions import svfForProcessing153

    raster = raster_of(district(), size)
    raster = raster - raster.min()  # UMEP takes what lies beyond the edge for zero
    vegetation = np.zeros_like(raster)
    began = time.process_time()
    theirs = svfForProcessing153(raster, vegetation, vegetation, 1.0, 0, float(raster.max() - raster.min()))
    their_time = time.process_time() - began
    heights = Grid(np.ascontiguousarray(raster[::-1]), 0.0, 0.0, 1.0)
    sky_view_horizon(heights, azimuths=1)  # compiled before the clock runs
    began = time.process_time()
    view = sky_view_horizon(heights, threads=1)
    our_time = time.process_time() - began
    began = time.process_time()
    mesh = heights.surface()
    traced = sky_view_rays(Occluder([mesh]), mesh.vertices, threads=1).reshape(raster.shape)
    ray_time = time.process_time() - began
    expected = np.asarray(theirs["svf"], dtype=np.float64)[::-1]
    ratio = their_time / our_time
    return [
        Score(f"UMEP sky view, {size} x {size} cells, s", their_time, "", True),
        Score("ours from horizons on one core, s", our_time, "", True),
        Score("faster than UMEP", ratio, ">= 5", ratio >= 5),
        Score("difference from UMEP (rms)", _rms(view, expected), "", True),
        Score("ours by rays on one core, s", ray_time, "", True),
        Score("rays: faster than UMEP", their_time / ray_time, "", True),
        Score("rays: difference from UMEP (rms)", _rms(traced, expected), "", True),
    ]


def raster_of(city: District, size: int) -> Floats:
    """Heights of the middle of the district, a cell of one metre, row 0 in the north."""
    axis = np.arange(size) - size / 2 + 0.5
    x, y = np.meshgrid(axis, axis[::-1])
    top = np.stack([x.ravel(), y.ravel(), np.full(x.size, 500.0)], axis=1)
    distance = Occluder(city.meshes).first_hit(top, np.array([[0.0, 0.0, -1.0]])).distance
    return (500.0 - distance).reshape(size, size)


def main(quick: bool = False) -> None:
    """Measure and print; `quick` takes a tenth of the points."""
    count = 20_000 if quick else 200_000
    case = bench(count)
    scores = radiance(case, 500 if quick else 4000) + grouping(case, 2000 if quick else 10_000)
    scores += umep(150 if quick else 300)
    sys.stdout.write(f"sunlight.irradiation, {len(case.points):,} points\n")
    for score in scores:
        verdict = f"  {score.target}  {'met' if score.met else 'NOT MET'}" if score.target else ""
        sys.stdout.write(f"  {score.name:<52}{score.value:>12.4f}{verdict}\n")


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
