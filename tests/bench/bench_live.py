"""Speed of following a moved building, as ratios to the full studies measured in this one run.

``python -m tests.bench live [--quick]`` makes the sample district, drags a tower of middling height by 5 and 50 m and
prints the seconds a move takes, what share of the full run that is, and what is kept in memory:

1. ``sunlight.hours``, 1.28 million points at 49 instants (target: a move in less than a second);
2. ``sunlight.rights``, 9,500 windows at 481 marks (target: a move in less than a second);
3. memory for ten million points on the ground (target: at most 4 GB).

After the moves the live result is compared with the full run on the changed scene: it must be the same to the bit.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from analysis.contract import Result
from analysis.kernels.rays import Occluder
from analysis.kernels.swept import SunBits
from analysis.registry import get
from analysis.run import choose_inputs
from analysis.sunlight.live import LiveHours
from analysis.sunlight_rights.live import LiveRights
from analysis.threads import thread_count
from app.demo import sample_project
from app.project_file import open_document
from geo.model import ElementRef, Feedback, Frame, Layer, Mesh
from tests.analysis.test_rays import box

STEPS = (5.0, 50.0)  # [m]
TALL = 0.9  # share of the buildings lower than the tower
LIMIT = 1.0  # [s]


class Score(NamedTuple):
    """One line of the report."""

    name: str
    value: float
    target: str = ""
    met: bool = True


def district() -> tuple[list[Layer], Frame]:
    """The layers of the sample district, without results."""
    with tempfile.TemporaryDirectory() as folder:
        document, _ = open_document(sample_project(Path(folder) / "sample", Feedback()), Feedback())
        return [layer for layer in document.scene if layer.theme != "result"], document.scene.frame


def tower(layers: list[Layer]) -> ElementRef:
    """A building higher than nine of ten, in the middle of the district: every side of it has neighbours."""
    layer = next(item for item in layers if item.theme == "building")
    mesh = layer.geometry
    if not isinstance(mesh, Mesh):
        raise TypeError("the buildings of the sample are a mesh")
    count = len(layer.table)
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    for corner in range(3):
        np.minimum.at(low, mesh.face_element, mesh.vertices[mesh.faces[:, corner]])
        np.maximum.at(high, mesh.face_element, mesh.vertices[mesh.faces[:, corner]])
    height = high[:, 2] - low[:, 2]
    middle = (low + high)[:, :2] / 2
    away = np.hypot(*(middle - np.median(middle, axis=0)).T)
    row = min(np.flatnonzero(height > np.quantile(height, TALL)), key=lambda k: float(away[k]))
    return ElementRef(layer.id, str(layer.table.ids[row]))


def moved(mesh: Mesh, east: float) -> Mesh:
    """The same triangles further east."""
    return Mesh(mesh.vertices + [east, 0.0, 0.0], mesh.faces, mesh.face_element)


def drag(live: LiveHours | LiveRights, step: float, count: int = 6) -> float:
    """Median seconds of a move when a building is dragged to and fro by `step` [m]."""
    mesh = next(iter(live.splits.values())).mesh
    taken = []
    for number in range(count):
        began = time.perf_counter()
        live.move(moved(mesh, step if number % 2 == 0 else 0.0))
        taken.append(time.perf_counter() - began)
    live.move(moved(mesh, step))
    return float(np.median(taken[1:]))


def same(live: Result, full: Result) -> bool:
    """Whether every number of every layer and table agrees to the bit."""

    def equal(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
        return a.tolist() == b.tolist() if b.dtype == object else np.array_equal(a, b, equal_nan=b.dtype.kind == "f")

    fields = [
        equal(f.values, g.values)
        for a, b in zip(live.layers, full.layers, strict=True)
        for f, g in zip(a.fields, b.fields, strict=True)
    ]
    columns = [
        equal(a.columns[name].values, column.values)
        for a, b in zip(live.tables, full.tables, strict=True)
        for name, column in b.columns.items()
    ]
    return all(fields) and all(columns) and live.summary == full.summary


def study(name: str, begin: Callable[..., Any], layers: list[Layer], frame: Frame, ref: ElementRef) -> list[Score]:
    """Moves of one study against its full run."""
    item = get(name)
    inputs, params = choose_inputs(item, layers, frame)[0], item.params()
    live = begin(inputs, params, ref)
    seconds = [drag(live, step) for step in STEPS]
    result = live.result()
    began = time.perf_counter()
    full = item.run(live.inputs, params, Feedback())
    whole = time.perf_counter() - began
    scores = [Score(f"{name}: full run, s", whole)]
    for step, took in zip(STEPS, seconds, strict=True):
        scores.append(Score(f"{name}: move by {step:g} m, s", took, f"< {LIMIT:g}", took < LIMIT))
        scores.append(Score(f"{name}: full run / move", whole / took))
    if isinstance(live, LiveHours):
        scores.append(Score(f"{name}: kept, MB", live.nbytes / 1e6))
    equal = same(result, full)
    return [*scores, Score(f"{name}: same to the bit", float(equal), "= 1", equal)]


def memory(count: int) -> list[Score]:
    """Bits of many points: what they keep, and the most the process has held (one instant costs as 64)."""
    side = int(np.sqrt(count))
    x, y = np.meshgrid(np.arange(side, dtype=np.float64), np.arange(side, dtype=np.float64))
    points = np.column_stack([x.ravel(), y.ravel(), np.zeros(side * side)])
    bits = SunBits(Occluder([box(40, 40, 60, at=(side / 2, side / 2, 0))]), points, np.array([[0.0, -0.8, 0.6]]))
    kept = bits.nbytes + points.nbytes + 3 * 8 * len(points)  # and hours, longest runs, numbers in the grid
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return [
        Score(f"{len(points) / 1e6:.0f} million points: kept, GB", kept / 1e9, "<= 4", kept < 4e9),
        Score("most memory of this process, GB", most, "<= 4", most < 4),
    ]


def main(quick: bool = False) -> None:
    """Measure and print; `quick` takes a tenth of the points for the memory."""
    layers, frame = district()
    ref = tower(layers)
    scores = study("sunlight.hours", LiveHours.begin, layers, frame, ref)
    scores += study("sunlight.rights", LiveRights.begin, layers, frame, ref)
    scores += memory(1_000_000 if quick else 10_000_000)
    sys.stdout.write(f"dragging {ref.element_id} on {thread_count()} cores\n")
    for score in scores:
        verdict = f"  {score.target}  {'met' if score.met else 'NOT MET'}" if score.target else ""
        sys.stdout.write(f"  {score.name:<40}{score.value:>10.3f}{verdict}\n")


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
