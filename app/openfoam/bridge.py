"""Headless. The study of one wind by OpenFOAM: the same grid and wind as the program's own, the same maps as answer.

The study ``wind.field`` is run with another engine, so that its results are recorded, compared and reported as its
own; the engine stands among the key figures and in a note.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from analysis.contract import Analysis, Inputs, Quantity, Result
from analysis.params import Params
from analysis.registry import get
from analysis.run import check_params, choose_inputs
from analysis.studies.wind_field import ASSUMPTIONS, FieldParams, map_layers, space_layers, summary
from analysis.wind.declaration import CityInputs
from analysis.wind.geometry import EXPOSURE_ROUGHNESS, Built, build_tunnel
from analysis.wind.profile import Inflow, log_inflow
from app.leftovers import temporary_folder
from app.openfoam.answer import TIME, Answer, Told, read_answer, read_log, residual_chart
from app.openfoam.case import NOTE, Case, make_case, write_case
from app.openfoam.dictionaries import Plan
from app.openfoam.programs import Installed, needed_openfoam, run_foam
from geo.model import Feedback, Frame, Issue, Layer, UserError

STUDY = "wind.field"
LARGEST_NOTE = 1_000_000  # [bytes]
# What of the study's key figures is of its own engine alone.
OWN_FIGURES = ("change", "divergence", "settled", "iterations")


class Prepared(NamedTuple):
    """A case that can be written, and what it was made of."""

    case: Case
    built: Built
    wind: Inflow
    params: FieldParams


def prepare(inputs: Inputs, params: Params, plan: Plan, feedback: Feedback) -> Prepared:
    """The grid, the wind and the case of a study."""
    city, asked = cast(CityInputs, inputs), cast(FieldParams, params)
    feedback.step(0.0, "making the grid")
    grid_from = float(city.frame.grid_azimuth(np.array([asked.wind_from % 360.0]))[0])
    built = build_tunnel(city, asked, feedback.part(0.0, 0.9), wind_from=np.array([grid_from]))
    wind = log_inflow(grid_from, speed=asked.speed, height=10.0, roughness=EXPOSURE_ROUGHNESS[asked.exposure])
    note = {"study": STUDY, "params": asked.model_dump(mode="json")}
    feedback.step(0.92, "making the mesh")
    return Prepared(make_case(built.finest, wind, plan, note=note), built, wind, asked)


def write_project_case(
    target: Path,
    *,
    layers: Sequence[Layer],
    frame: Frame,
    params: Mapping[str, object],
    plan: Plan,
    feedback: Feedback,
    chosen: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Issue, ...]:
    """Write the case of a study on some layers; returns what is doubtful about it."""
    study = get(STUDY)
    checked = check_params(study, params)
    inputs, _ = choose_inputs(study, layers, frame, chosen)
    prepared = prepare(inputs, checked, plan, feedback.part(0.0, 0.5))
    write_case(prepared.case, target, feedback.part(0.5, 1.0))
    return (*prepared.built.issues, *tree_issues(prepared))


def running_study(plan: Plan, folder: Path | None = None) -> Analysis:
    """The study with OpenFOAM as its engine.

    Parameters
    ----------
    folder : Path or None
        Where the case is written and stays; None: it is removed afterwards.
    """

    def work(inputs: Inputs, params: Params, feedback: Feedback) -> Result:
        installed = needed_openfoam()
        check_cores(plan.cores, installed)
        mine = plan._replace(rough_wall=installed.rough_wall)
        prepared = prepare(inputs, params, mine, feedback.part(0.0, 0.1))
        with _kept(folder) as place:
            write_case(prepared.case, place, feedback.part(0.1, 0.15))
            run_case(place, mine, installed, feedback.part(0.15, 0.92))
            return result_of(prepared, place, f"OpenFOAM {installed.version}", feedback.part(0.92, 1.0))

    return dataclasses.replace(get(STUDY), run=work)


def reading_study(folder: Path) -> tuple[Analysis, dict[str, Any]]:
    """The study that brings back a case calculated elsewhere, and the parameters it was written with."""
    note = read_note(folder)
    try:
        plan = Plan(**note["plan"])
    except TypeError as error:
        raise _foreign(folder) from error

    def work(inputs: Inputs, params: Params, feedback: Feedback) -> Result:
        prepared = prepare(inputs, params, plan, feedback.part(0.0, 0.6))
        if prepared.case.note["mesh"] != note["mesh"]:
            raise UserError(
                f"The case in {folder.name} is of another grid.",
                "The project, its visible layers or the program have changed since the case was written.",
                "Show the same layers and alternative as then, or write and run the case again.",
                code="openfoam.other_grid",
                values={"name": folder.name},
            )
        return result_of(prepared, folder, "OpenFOAM", feedback.part(0.6, 1.0))

    return dataclasses.replace(get(STUDY), run=work), dict(note["params"])


def read_note(folder: Path) -> dict[str, Any]:
    """What was noted when the case was written. Raises `UserError` for a folder that the program has not written."""
    path = folder / NOTE
    try:
        if path.stat().st_size > LARGEST_NOTE:
            raise _foreign(folder)
        note = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _foreign(folder) from error
    wanted = {"mesh": str, "params": dict, "plan": dict}
    if not isinstance(note, dict) or not all(isinstance(note.get(name), kind) for name, kind in wanted.items()):
        raise _foreign(folder)
    return note


def _foreign(folder: Path) -> UserError:
    return UserError(
        f"{folder} is not a case that this program has written.",
        f"Its {NOTE} is missing or damaged.",
        "Give the folder of the case, unpacked, after it has run.",
        code="openfoam.foreign",
        values={"path": str(folder), "note": NOTE},
    )


@contextmanager
def _kept(folder: Path | None) -> Iterator[Path]:
    """The folder of a case: the one asked for, or one that is removed at the end."""
    if folder is not None:
        yield folder
        return
    place = temporary_folder("read")
    try:
        yield place / "case"
    finally:
        shutil.rmtree(place, ignore_errors=True)


def check_cores(cores: int, installed: Installed) -> None:
    """Raise `UserError` for more cores than there are, or more than one without MPI."""
    most = os.cpu_count() or 1
    if not installed.has_mpi and cores > 1:
        raise UserError(
            "OpenFOAM cannot use several cores here.",
            "mpirun, decomposePar or reconstructPar is not installed.",
            "Take one core, or install Open MPI.",
            code="openfoam.no_mpi",
        )
    if not 1 <= cores <= most:
        raise UserError(
            f"{cores} cores cannot be used.",
            f"This machine has {most}.",
            f"Give a number from 1 to {most}.",
            code="openfoam.cores",
            values={"cores": cores, "most": most},
        )


def run_case(folder: Path, plan: Plan, installed: Installed, feedback: Feedback) -> None:
    """Calculate a case in its folder, on one core or several."""

    def fraction_of(line: str) -> float | None:
        found = TIME.match(line)
        return None if found is None else int(found[1]) / plan.iterations

    if plan.cores == 1:
        run_foam(["simpleFoam"], folder, installed, feedback, fraction_of=fraction_of)
        return
    run_foam(["decomposePar", "-force"], folder, installed, feedback.part(0.0, 0.05))
    start = ["mpirun", "-np", str(plan.cores), "simpleFoam", "-parallel"]
    run_foam(start, folder, installed, feedback.part(0.05, 0.95), fraction_of=fraction_of)
    run_foam(["reconstructPar", "-latestTime"], folder, installed, feedback.part(0.95, 1.0))


# ---- the result -----------------------------------------------------------------------------------------------------


def result_of(prepared: Prepared, folder: Path, engine: str, feedback: Feedback) -> Result:
    """Maps, key figures and doubts of a calculated case."""
    params, wind, tunnel = prepared.params, prepared.wind, prepared.built.finest
    feedback.step(0.1, "reading the result")
    told = read_log(folder)
    answer = read_answer(folder, tunnel=tunnel, mesh=prepared.case.mesh, wind=wind, told=told)
    check_answer(answer)
    feedback.step(0.5, "drawing the map")
    layers = list(map_layers(answer, wind, params.cell, params.height))
    if params.space:
        layers += space_layers(answer, params, feedback.part(0.5, 1.0))
    plan = prepared.case.plan
    return Result(
        layers=tuple(layers),
        summary=figures(answer, told, wind, params.height, f"{engine}, {plan.model}"),
        charts=(residual_chart(told),) if told.residuals else (),
        issues=(*prepared.built.issues, *tree_issues(prepared), *engine_issues(engine, plan, told)),
        assumptions=ASSUMPTIONS if plan.model == "kEpsilon" else (),
    )


def check_answer(answer: Answer) -> None:
    """Raise `UserError` for a flow that has run away."""
    fields = answer.fields()
    top = float(np.max(answer.wind.speed(np.linspace(0.0, float(answer.tunnel.z[-1]), 200))))
    fastest = max(float(np.abs(part).max()) for part in fields[:3])
    if fastest > 5.0 * top:
        raise UserError(
            "The calculation of OpenFOAM has run away.",
            f"The fastest air has {fastest:.3g} m/s; the wind enters with {top:.3g} m/s at most.",
            "Look at the geometry, or take another cell size.",
            code="openfoam.runaway",
            values={"speed": fastest, "most": top},
        )


def figures(answer: Answer, told: Told, wind: Inflow, height: float, engine: str) -> dict[str, Quantity]:
    """Key figures: those of the study, and how OpenFOAM has settled."""
    found = {name: value for name, value in summary(answer, wind, height).items() if name not in OWN_FIGURES}
    found["engine"] = Quantity(engine, "")
    if told.iterations:
        found["settled"] = Quantity("yes" if told.converged else "no", "")
        found["residual"] = Quantity(float(f"{told.largest:.3g}"), "1")
        found["iterations"] = Quantity(told.iterations, "1")
        found["cost"] = Quantity(round(answer.cost), "ns")
    return found


def engine_issues(engine: str, plan: Plan, told: Told) -> list[Issue]:
    """Which program has calculated, and whether it had settled."""
    model = {"kEpsilon": "k-epsilon", "kOmegaSST": "k-omega SST"}[plan.model]
    values: dict[str, Any] = {"engine": engine, "model": model}
    issues = [Issue("openfoam.engine", f"Calculated by {engine}, {model}, on the same grid.", "note", values=values)]
    if told.iterations and not told.converged:
        message = f"OpenFOAM stopped after {told.iterations} iterations with residuals up to {told.largest:.2g}."
        values = {"iterations": told.iterations, "residual": told.largest}
        issues.append(Issue("openfoam.not_settled", message, "doubt", values=values))
    return issues


def tree_issues(prepared: Prepared) -> list[Issue]:
    """Trees are left out of the case."""
    if prepared.built.finest.leaf_area is None:
        return []
    cells = int((prepared.built.finest.leaf_area > 0).sum())
    message = f"Trees are left out of the OpenFOAM case: {cells} cells with leaves are taken as open air."
    return [Issue("openfoam.no_trees", message, "doubt", cells)]
