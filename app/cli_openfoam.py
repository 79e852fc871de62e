"""Headless. ``twin openfoam``: a wind study as a case of OpenFOAM; its run and its result, here or from elsewhere."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from app.cli_output import DONE, emit, finish_bar, open_project, print_issues, say, settings_of
from app.document import Document
from app.language import tr
from app.numbers import quantity_text
from app.openfoam.dictionaries import MODELS, Plan
from geo.model import Feedback, Frame, Issue, Layer, UserError

if TYPE_CHECKING:
    from analysis.contract import Analysis, Quantity, Variant


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("project", metavar="PROJECT")
    parser.add_argument("--out", metavar="CASE.zip|DIR", help="where the case is written: a zip file or a new folder")
    parser.add_argument("--run", action="store_true", help="calculate it here and keep the result in the project")
    parser.add_argument("--read", metavar="DIR", help="bring back a case that was calculated elsewhere")
    parser.add_argument("--cores", type=int, default=1, metavar="N", help="more than one: by MPI")
    parser.add_argument("--model", choices=MODELS, default="kEpsilon", help="turbulence model")
    parser.add_argument("--iterations", type=int, default=1000, metavar="N", help="at most")
    parser.add_argument("--residual", type=float, default=1e-5, metavar="R", help="below it the calculation ends")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="settings",
        metavar="name=value",
        help="a parameter of wind.field, or an input with the ids of its layers",
    )
    parser.add_argument("--alternative", metavar="NAME", help="of this alternative ('base': without any changes)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout and nothing else")


def openfoam(args: argparse.Namespace, feedback: Feedback) -> int:
    """``twin openfoam``."""
    from app.openfoam.bridge import check_cores, reading_study, running_study
    from app.openfoam.programs import needed_openfoam

    if args.read:
        if args.out or args.run or args.settings:
            raise _usage("--read stands alone: what was calculated is noted in the case")
        study, params = reading_study(Path(args.read))
        return _run(args, study, Settings(params, {}), feedback)
    if not args.out and not args.run:
        raise _usage("--out, --run or --read is needed")
    plan, settings = plan_of(args), _settings(args)
    if not args.run:
        return _write(args, plan, settings, feedback)
    check_cores(plan.cores, needed_openfoam())  # what is missing is said before the work
    target = Path(args.out) if args.out else None
    if target is not None and target.suffix.lower() == ".zip":
        _write(args, plan, settings, feedback.part(0.0, 0.1), told=False)
        return _run(args, running_study(plan), settings, feedback.part(0.1, 1.0), (target,))
    return _run(args, running_study(plan, target), settings, feedback, () if target is None else (target,))


class Settings(NamedTuple):
    """Parameters of the study, and the layers named for its inputs."""

    params: dict[str, Any]
    chosen: dict[str, list[str]]


def plan_of(args: argparse.Namespace) -> Plan:
    """How the case is calculated."""
    if not (1 <= args.iterations <= 100_000 and 0.0 < args.residual < 1.0 and 1 <= args.cores <= 4096):
        raise _usage("--iterations is 1 to 100000, --residual between 0 and 1, --cores 1 to 4096")
    return Plan(model=args.model, iterations=args.iterations, residual=args.residual, cores=args.cores)


def _settings(args: argparse.Namespace) -> Settings:
    from analysis.contract import describe_inputs
    from analysis.registry import get
    from app.openfoam.bridge import STUDY

    inputs = {spec.name for spec in describe_inputs(get(STUDY).inputs)}
    settings = Settings({}, {})
    for name, value in settings_of(args.settings).items():
        if name in inputs:
            settings.chosen[name] = [piece.strip() for piece in value.split(",") if piece.strip()]
        else:
            settings.params[name] = value
    return settings


class _Scene(NamedTuple):
    """What a case is made of, and the project it comes from."""

    document: Document
    frame: Frame
    variant: Variant
    layers: tuple[Layer, ...]


def _scene(args: argparse.Namespace, feedback: Feedback) -> _Scene:
    from app.alternatives import BASE, scenes_of
    from app.runs import BASE_NAME

    document, _ = open_project(args.project, feedback)
    if document.scene.frame is None:
        raise UserError(
            f"{Path(args.project).name} is empty.",
            "An analysis needs at least one layer.",
            "Import files first: twin import PROJECT FILE...",
            code="run.empty_project",
            values={"name": Path(args.project).name},
        )
    wanted = None
    if args.alternative:
        name = str(args.alternative)
        wanted = [BASE if name == BASE_NAME else document.alternatives.named(name).id]
    variant, layers = scenes_of(document, wanted)[0]
    return _Scene(document, document.scene.frame, variant, tuple(layers))


def _write(args: argparse.Namespace, plan: Plan, settings: Settings, feedback: Feedback, *, told: bool = True) -> int:
    from app.openfoam.bridge import write_project_case

    started, target = time.perf_counter(), Path(args.out)
    scene = _scene(args, feedback.part(0.0, 0.2))
    issues = write_project_case(
        target,
        layers=scene.layers,
        frame=scene.frame,
        params=settings.params,
        chosen=settings.chosen,
        plan=plan,
        feedback=feedback.part(0.2, 1.0),
    )
    if told:
        finish_bar()
        _tell(args, {}, issues, (target,), started)
    return DONE


def _run(
    args: argparse.Namespace, study: Analysis, settings: Settings, feedback: Feedback, outputs: Sequence[Path] = ()
) -> int:
    from analysis.run import execute
    from app.project_file import save
    from app.shown_runs import show_result, with_free_ids

    started = time.perf_counter()
    scene = _scene(args, feedback.part(0.0, 0.1))
    result = execute(
        study,
        layers=scene.layers,
        frame=scene.frame,
        params=settings.params,
        chosen=settings.chosen,
        feedback=feedback.part(0.1, 0.95),
        variant=scene.variant,
    )
    shown = with_free_ids(scene.document.scene, result.layers)
    scene.document.do(show_result(scene.document.scene, shown))
    save(scene.document, Path(args.project))
    finish_bar()
    _tell(args, result.summary, result.issues, outputs, started)
    return DONE


def _tell(
    args: argparse.Namespace,
    summary: Mapping[str, Quantity],
    issues: Sequence[Issue],
    outputs: Sequence[Path],
    started: float,
) -> None:
    from app.openfoam.bridge import STUDY

    if args.json:
        emit(
            {
                "summary": {name: {"value": q.value, "unit": q.unit} for name, q in summary.items()},
                "outputs": [str(path) for path in outputs],
                "issues": [issue.as_dict() for issue in issues],
                "elapsed_s": round(time.perf_counter() - started, 3),
            }
        )
        return
    for name, quantity in summary.items():
        say(f"  {tr(f'{STUDY}.summary.{name}', name)}: {quantity_text(quantity.value, quantity.unit)}")
    print_issues(issues)
    for path in outputs:
        say(tr("cli.written", path=path))


def _usage(reason: str) -> UserError:
    return UserError(
        "The command line is not complete.",
        f"{reason}.",
        "See 'twin openfoam --help'.",
        code="cli.usage",
        values={"reason": reason, "prog": "twin openfoam"},
    )
