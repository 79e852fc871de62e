"""The wind solver against simpleFoam of OpenFOAM on the same cells, one core each, and against the memory."""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path

import numpy as np

from analysis.wind.crew import Crew
from analysis.wind.flow import Heading, Solver
from analysis.wind.levels import Settings, Solved, solve
from analysis.wind.profile import Inflow, log_inflow
from analysis.wind.tunnel import Tunnel
from app.cases.wind_tunnels import site_tunnels
from app.openfoam.answer import Answer, read_answer, read_log
from app.openfoam.case import make_case, write_case
from app.openfoam.dictionaries import Plan
from app.openfoam.programs import Installed, find_openfoam, run_foam
from geo.model import Feedback
from tests.bench.bench_wind import ITERATION_BYTES, district, triad

CELL, SIDE, QUICK_SIDE = 8.0, 800.0, 400.0
MOST, QUICK_MOST = 400, 60  # iterations of OpenFOAM
STEPS = 30  # of ours, for the time of one
HEIGHT = 4.0  # [m] of the map that both are compared on
SPENT = re.compile(r"^ExecutionTime = ([0-9.]+) s", re.MULTILINE)


def main(quick: bool = False) -> None:
    """Print the figures."""
    levels = site_tunnels(district(QUICK_SIDE if quick else SIDE), CELL)
    tunnel, wind = levels[-1], log_inflow(250.0, speed=5.0, height=10.0, roughness=0.3)
    cells = int(np.prod(tunnel.shape))
    print(f"{cells / 1e6:.2f} million cells, one core each")
    mine = own_iteration(tunnel, wind)
    with Crew(1) as crew:
        bandwidth = triad(crew)
    share = ITERATION_BYTES * cells / mine / bandwidth
    of_triad = f"{share:.1%} of the triad ({bandwidth / 1e9:.0f} GB/s)"
    print(f"  ours: {mine / cells * 1e9:.0f} ns per cell and iteration = {of_triad}")
    installed = find_openfoam()
    if not isinstance(installed, Installed):
        print(f"  OpenFOAM: {installed.text}")
        return
    began = time.perf_counter()
    solved = solve(levels, wind, settings=Settings(map_height=HEIGHT, threads=1), feedback=Feedback())
    whole = time.perf_counter() - began
    answer, each, total = theirs(tunnel, wind, installed, QUICK_MOST if quick else MOST)
    print(f"  OpenFOAM v{installed.version}: {each / cells * 1e9:.0f} ns per cell and iteration")
    print(f"  time of an iteration: {each / mine:.1f} times ours (at least 10)")
    settled = "" if answer.converged else " and not yet there"
    print(f"  to a settled map: ours {whole:.0f} s ({solved.iterations}), OpenFOAM {total:.0f} s "
          f"({answer.iterations[-1]} iterations{settled}): {total / whole:.1f} times (at least 5)")  # fmt: skip
    print(f"  maps at {HEIGHT:g} m: {agreement(solved, answer)}")


def own_iteration(tunnel: Tunnel, wind: Inflow) -> float:
    """Shortest time of one iteration on one thread [s]."""
    with Crew(1) as crew:
        solver = Solver(tunnel, wind, Heading.of(tunnel, wind.wind_from), crew)
        times = []
        for _ in range(STEPS):
            began = time.perf_counter()
            solver.iterate()
            times.append(time.perf_counter() - began)
    return min(times)


def theirs(tunnel: Tunnel, wind: Inflow, installed: Installed, most: int) -> tuple[Answer, float, float]:
    """OpenFOAM's answer, its shortest time of ten iterations over ten, and the whole time of calculation [s]."""
    case = make_case(tunnel, wind, Plan(iterations=most, residual=1e-4, rough_wall=installed.rough_wall))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "case"
        write_case(case, folder, Feedback())
        log = run_foam(["simpleFoam"], folder, installed, Feedback())
        spent = np.array([float(found) for found in SPENT.findall(log.read_text(encoding="utf-8", errors="replace"))])
        answer = read_answer(folder, tunnel=tunnel, mesh=case.mesh, wind=wind, told=read_log(folder))
    ten = min(10, len(spent) - 1)
    return answer, float((spent[ten:] - spent[:-ten]).min()) / ten, float(spent[-1])


def agreement(ours: Solved, other: Answer) -> str:
    """Correlation of the scalar speeds of both maps, and how much slower ours is."""
    mine, foreign = (flow.map_at(HEIGHT).scalar_speed.astype(float) for flow in (ours, other))
    known = np.isfinite(mine) & np.isfinite(foreign)
    correlation = np.corrcoef(mine[known], foreign[known])[0, 1]
    return f"correlation {correlation:.3f}, ours {1 - mine[known].mean() / foreign[known].mean():+.1%} slower"


if __name__ == "__main__":
    main()
