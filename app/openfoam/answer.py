"""Headless. What OpenFOAM has calculated: the last time of a case on the grid of the tunnel, and how it settled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Chart, Series
from analysis.wind.flow import Flow, Heading
from analysis.wind.levels import Kept, Solved
from analysis.wind.openfoam_mesh import Mesh, as_fields
from analysis.wind.profile import Inflow
from analysis.wind.sample import Fields
from analysis.wind.tunnel import Tunnel
from app.openfoam.foam_files import read_field
from geo.model import UserError

Floats = NDArray[np.float64]

LOG = "log.simpleFoam"
TIME = re.compile(r"^Time = (\d+)")
RESIDUAL = re.compile(r"Solving for (\w+), Initial residual = ([0-9.eE+-]+)")
CONVERGED = re.compile(r"SIMPLE solution converged in (\d+) iterations")
SPENT = re.compile(r"^ExecutionTime = ([0-9.]+) s")


class Told(NamedTuple):
    """What the solver's log tells.

    Attributes
    ----------
    iterations : int
    converged : bool
        Whether the residuals asked for were reached.
    seconds : float
        Of calculation.
    residuals : mapping of field -> (iterations,) float64
        Of the first solution for each field in each iteration.
    """

    iterations: int
    converged: bool
    seconds: float
    residuals: dict[str, Floats]

    @property
    def largest(self) -> float:
        """The largest residual at the end."""
        return max((float(values[-1]) for values in self.residuals.values() if len(values)), default=float("nan"))


@dataclass(frozen=True)
class Answer(Solved):
    """A wind that another program has calculated: only the values of cells, no state to go on from."""

    values: Fields | None = None

    def fields(self, levels: int | None = None) -> Fields:
        """Cell-centred values in the tunnel's own axes, of the lowest levels or all."""
        if self.values is None:
            raise ValueError("an answer without values")
        return Fields(*(part[:levels] for part in self.values))


def read_answer(folder: Path, *, tunnel: Tunnel, mesh: Mesh, wind: Inflow, told: Told) -> Answer:
    """The last time of a case. Raises `UserError` where there is none or it is damaged."""
    last = last_time(folder)
    velocity = read_field(_stored(last, "U"), cells=len(mesh.cells))
    energy = read_field(_stored(last, "k"), cells=len(mesh.cells))
    if velocity.ndim != 2 or energy.ndim != 1:
        raise _no_result(folder)
    none = np.zeros((0, 0, 0), np.float32)
    kept = Kept(Flow(*[none] * 7), tunnel, Heading.of(tunnel, wind.wind_from))
    cost = 1e9 * told.seconds / max(told.iterations * len(mesh.cells), 1)
    return Answer(
        tunnel, kept, wind, float("nan"), float("nan"), (told.iterations,), told.converged, cost, mesh.sealed,
        values=as_fields(mesh, velocity, np.maximum(energy, 0.0)),
    )  # fmt: skip


def last_time(folder: Path) -> Path:
    """Folder of the last time that was written."""
    try:
        times = [(float(path.name), path) for path in folder.iterdir() if re.fullmatch(r"\d+(\.\d+)?", path.name)]
    except OSError as error:
        raise _no_result(folder) from error
    done = [(time, path) for time, path in times if time > 0.0 and path.is_dir()]
    if not done:
        raise _no_result(folder)
    return max(done)[1]


def _stored(folder: Path, name: str) -> Path:
    packed = folder / f"{name}.gz"
    return packed if packed.is_file() else folder / name


def _no_result(folder: Path) -> UserError:
    return UserError(
        f"{folder} holds no result of OpenFOAM.",
        "There is no folder of a time after 0 with velocity and turbulent energy.",
        "Run the case first; results of several cores are joined by reconstructPar.",
        code="openfoam.no_result",
        values={"path": str(folder)},
    )


def read_log(folder: Path) -> Told:
    """What the log of the solver tells; nothing where there is none."""
    try:
        text = (folder / LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    return told_by(text)


def told_by(text: str) -> Told:
    """What the text of a log tells."""
    iterations, seconds, is_first = 0, 0.0, set[str]()
    residuals: dict[str, list[float]] = {}
    for line in text.splitlines():
        if found := TIME.match(line):
            iterations, is_first = int(found[1]), set()
        elif (found := RESIDUAL.search(line)) and found[1] not in is_first:
            is_first.add(found[1])
            residuals.setdefault(found[1], []).append(float(found[2]))
        elif found := SPENT.match(line):
            seconds = float(found[1])
    series = {name: np.array(values) for name, values in residuals.items()}
    return Told(iterations, CONVERGED.search(text) is not None, seconds, series)


def residual_chart(told: Told) -> Chart:
    """How the residuals fell, as powers of ten."""
    series = tuple(
        Series(name, np.arange(1, len(values) + 1, dtype=np.float64), np.log10(np.maximum(values, 1e-12)))
        for name, values in told.residuals.items()
    )
    return Chart("residuals", "How OpenFOAM settled", "Iteration", "1", "Residual, power of ten", "1", series)
