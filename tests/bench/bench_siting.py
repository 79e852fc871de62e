"""Speed and gap of the siting engine on two real districts, and its memory.

``python -m tests.bench.bench_siting [--quick] [--hard]`` prints, on Delfshaven and The Hague of the reference data,

1. the exact finish on written-out candidates (24 a pole), with the time to a proven gap of 1 %;
2. column generation over 1,944 ways of looking at 1,000 poles, 50,000 targets, 30 cameras: <= 1 % proven in 60 s;
3. ``--hard``: the same on 2,000 poles and 100,000 targets in 120 s with cameras of 8 MP that see 20 px/m, so that a
   plan sees about half of all and cameras overlap heavily: <= 3 %;
4. the most memory of the process (<= 2 GB).

Beside the time on the wall stands that of the processor: the first counts on a computer that has nothing else to do.

Bounds are proven against every camera on these poles with this grid of pan, tilt and zoom.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from analysis.cctv.candidates import poles_on_facades
from analysis.cctv.catalogue import CameraModel
from analysis.cctv.poles import Poles, drop_blocked, fine_grid
from analysis.cctv.pricing import CameraPricer, wanted
from analysis.cctv.sight import Sight, blocked_poles, sight_scene, trace
from analysis.cctv.targets import Targets, ground_targets
from analysis.kernels.rays import Occluder
from analysis.siting.matrix import columns_of
from analysis.siting.plan import Plan
from analysis.siting.solve import solve_coverage
from app.importer import import_files
from geo.model import Layer, Mesh
from tests.conftest import DATA

FILES = {"Delfshaven": "3-20-DELFSHAVEN.city.json", "The Hague": "DenHaag_01.city.json"}
# Of the prototype the targets were set with: 2 MP, 2.8 to 12 mm.
MODEL = CameraModel("bench", "2 MP, 2.8-12 mm", "fixed", 5.6, 3.15, 1920, 1080, 2.8, 12.0, reach_m=100.0)
# Where cameras overlap heavily: 8 MP, 3.6 to 16 mm, at the least class.
WIDE = CameraModel("wide", "8 MP, 3.6-16 mm", "fixed", 7.2, 4.05, 3840, 2160, 3.6, 16.0, reach_m=100.0)
CAMERAS = 30
STEP = 2.0  # [m] between targets


class Scene(NamedTuple):
    """Poles and targets of a district and which see which."""

    name: str
    poles: Poles
    targets: Targets
    sight: Sight
    need: float
    traced: float


def buildings_of(name: str) -> list[Layer]:
    """Layers of buildings of one of the districts."""
    found = import_files([Path(DATA) / "city" / FILES[name]], frame=None).layers
    return [layer for layer in found if isinstance(layer.geometry, Mesh) and layer.theme == "building"]


def scene_of(name: str, poles: int, targets: int, need: float) -> Scene:
    """A number of places on walls and of points of the open ground."""
    layers = buildings_of(name)
    meshes = [layer.geometry for layer in layers if isinstance(layer.geometry, Mesh)]
    occluder = Occluder(meshes)
    ground = _ground(meshes)
    places, _ = poles_on_facades(layers, ground, occluder=occluder)
    scene = sight_scene(layers, season="none")
    places, _ = drop_blocked(places, blocked_poles(scene, places.xyz))
    points, half, middle = _open_ground(meshes, occluder, ground, targets)
    places = places.kept((np.abs(places.xyz[:, :2] - middle) < half).all(axis=1))
    chosen = np.sort(np.random.default_rng(1).choice(len(places), min(poles, len(places)), replace=False))
    places = places.kept(chosen)
    wanted_targets = ground_targets(points, cell=STEP)
    began = time.perf_counter()
    sight = trace(scene, places.xyz, wanted_targets, MODEL.reach_m)
    return Scene(name, places, wanted_targets, sight, need, time.perf_counter() - began)


def _ground(meshes: list[Mesh]):  # noqa: ANN202
    """Height of the ground: that of the foot of the nearest building."""
    from scipy.spatial import cKDTree

    feet = []
    for mesh in meshes:
        count = int(mesh.face_element.max()) + 1
        low = np.full(count, np.inf)
        corners = mesh.vertices[mesh.faces]
        np.minimum.at(low, mesh.face_element, corners[:, :, 2].min(axis=1))
        middle = np.zeros((count, 3))
        np.add.at(middle, mesh.face_element, np.c_[corners[:, :, :2].mean(axis=1), np.ones(len(corners))])
        good = middle[:, 2] > 0
        feet.append(np.c_[middle[good, :2] / middle[good, 2:], low[good]])
    known = np.concatenate(feet)
    tree = cKDTree(known[:, :2])
    return lambda x, y: known[tree.query(np.c_[x, y])[1], 2]


def _open_ground(meshes: list[Mesh], occluder: Occluder, ground, count: int):  # noqa: ANN001, ANN202
    """About `count` points 2 m apart with the sky above in a square about the middle of the buildings."""
    middle = np.median(np.concatenate([mesh.vertices[:, :2] for mesh in meshes]), axis=0)
    half = np.sqrt(2.0 * count)
    for _ in range(6):
        side = np.arange(-half, half, STEP)
        x, y = (part.ravel() for part in np.meshgrid(middle[0] + side, middle[1] + side))
        points = np.c_[x, y, ground(x, y) + 0.05]
        open_sky = ~occluder.occluded(points, np.array([[0.0, 0.0, 1.0]]), 300.0)
        found = int(open_sky.sum())
        if abs(found / count - 1) < 0.01:
            break
        half *= np.sqrt(count / found)
    return points[open_sky], half, middle


def pricer_of(scene: Scene, model: CameraModel = MODEL) -> CameraPricer:
    """All ways of looking."""
    return CameraPricer(scene.poles, scene.sight, wanted(scene.targets.xyz, scene.need), [fine_grid(model)])


class Clock:
    """Time on the wall and of the processor."""

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        """Seconds since it was made."""
        return time.perf_counter() - self._wall, time.process_time() - self._processor


def report(
    text: str, plan: Plan, seconds: tuple[float, float], weight: int, target: str = "", *, met: bool = True
) -> None:
    """One line: value, bound, gap, how it ended, when it was within 1 %."""
    within = next((m.seconds for m in plan.history if m.bound - m.value <= 0.01 * m.bound), float("nan"))
    verdict = f"  {target}: {'met' if met else 'NOT MET'}" if target else ""
    print(
        f"  {text:<44} value {plan.value / 100:>9,.0f} ({plan.value / weight:.1%} seen)"
        f"  bound {plan.bound / 100:>9,.0f}  gap {plan.gap:.2%}  {plan.stopped}, {seconds[0]:.1f} s"
        f" ({seconds[1]:.1f} s of processor), 1 % after {within:.1f} s{verdict}",
        flush=True,
    )


def written_out(scene: Scene, seconds: float) -> Plan:
    """24 candidates a pole, all written out."""
    pricer = pricer_of(scene)
    site, number = pricer.coarse(pans=12, tilts=(15.0,), focals=2)
    began = time.perf_counter()
    columns = pricer.columns(site, number)
    made = time.perf_counter() - began
    clock = Clock()
    plan = solve_coverage(columns, scene.targets.weight, count=CAMERAS, seconds=seconds, gap=0.0)
    taken = clock.read()
    first = plan.history[0].seconds if plan.history else float("nan")
    report(f"{scene.name} {len(scene.poles)} x 24, {len(columns.idx):,} entries", plan, taken, _weight(scene))
    print(f"    written out in {made:.1f} s; first plan after {first:.2f} s", flush=True)
    return plan


def generated(scene: Scene, seconds: float, gap: float, target: str, model: CameraModel = MODEL) -> Plan:
    """All ways of looking, by column generation."""
    pricer = pricer_of(scene, model)
    clock = Clock()
    nothing = columns_of([], len(scene.targets))
    plan = solve_coverage(nothing, scene.targets.weight, count=CAMERAS, pricer=pricer, seconds=seconds, gap=gap)
    taken = clock.read()
    limit = float(target.strip("<= %")) / 100
    report(
        f"{scene.name} {len(scene.poles)} x {pricer.candidates}, {len(scene.targets):,} targets", plan, taken,
        _weight(scene), target, met=plan.gap <= limit,
    )  # fmt: skip
    print(f"    {len(plan.columns):,} columns written out, lines of sight in {scene.traced:.1f} s", flush=True)
    return plan


def _weight(scene: Scene) -> int:
    return int(scene.targets.weight.sum())


def main(quick: bool = False, hard: bool = False) -> None:
    """Print the figures."""
    for name in FILES:
        need = 80.0
        scene = scene_of(name, 500, 20_000, need)
        written_out(scene, 20.0)
        if quick:
            generated(scene, 15.0, 0.01, "<= 3 %")
            continue
        scene = scene_of(name, 1_000, 50_000, need)
        written_out(scene, 30.0)
        generated(scene, 60.0, 0.01, "<= 1 %")
        if hard:
            generated(scene_of(name, 2_000, 100_000, 20.0), 120.0, 0.005, "<= 3 %", WIDE)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"  most memory of the process: {most:.2f} GB  <= 2 GB: {'met' if most <= 2 else 'NOT MET'}")


if __name__ == "__main__":
    main("--quick" in sys.argv, "--hard" in sys.argv)
