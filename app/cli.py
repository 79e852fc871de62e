"""Headless. The command line: arguments, exit codes, progress on a terminal.

Exit codes: 0 done; 2 the input or the user is at fault; 1 a fault of the program; 130 cancelled.
"""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from geo.model import Cancelled, Feedback, UserError

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

DONE, BUG, USER, CANCELLED = 0, 1, 2, 130
BAR_WIDTH = 30
COMMANDS = (
    *("demo", "info", "import", "list", "run", "rerun", "validate", "check", "render", "report", "convert"),
    *("film", "georeference", "openfoam", "cctv", "desktop-entry"),
)


class _Parser(argparse.ArgumentParser):
    """Argument errors in the program's own form: what, why, what to do."""

    def error(self, message: str) -> NoReturn:
        raise UserError(
            "The command line is not complete.",
            f"{message[:1].upper()}{message[1:]}.",
            f"See '{self.prog} --help'.",
            code="cli.usage",
            values={"reason": message, "prog": self.prog},
        )


def program_version() -> str:
    """Version of the installed program."""
    try:
        return version("sejong-twin")
    except PackageNotFoundError:
        return "0 (not installed)"


def build_parser() -> argparse.ArgumentParser:
    """All commands and their arguments."""
    parser = _Parser(
        prog="twin",
        description="Sejong Twin: a city digital twin on a desk. Without a command the window opens.",
        epilog="Exit codes: 0 done, 2 wrong input, 1 fault of the program, 130 cancelled.",
    )
    parser.add_argument("--version", action="version", version=f"twin {program_version()}")
    parser.add_argument("--lang", choices=("en", "ko"), help="language of messages, pictures and reports")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    _add_projects(commands)
    _add_runs(commands)
    _add_pages(commands)
    _add_conversion(commands)
    _add_desktop(commands)
    return parser


def _add_projects(commands: Commands) -> None:
    """Making projects and looking into them."""
    demo = commands.add_parser("demo", help="generate the sample district and run the main job on it")
    demo.add_argument("--out", default="demo", metavar="DIR", help="folder for project, results and report")
    demo.add_argument("--headless", action="store_true", help="no window, even if there is a display")

    info = commands.add_parser("info", help="say what a file or project holds")
    info.add_argument("file", metavar="FILE|PROJECT")
    info.add_argument("--project", metavar="PROJECT", help="also compare the file with what this project holds")
    info.add_argument("--crs", metavar="EPSG:n", help="look at the file as if it were in this coordinate system")
    _add_json(info)

    load = commands.add_parser("import", help="read files into a project, which is made if there is none")
    load.add_argument("project", metavar="PROJECT")
    load.add_argument("files", nargs="+", metavar="FILE")
    load.add_argument("--kind", metavar="K", help="what the data are: building, road, tree, terrain, ...")
    load.add_argument("--crs", metavar="EPSG:n", help="coordinate system of the files, over their own")
    load.add_argument("--project-crs", metavar="EPSG:n", help="coordinate system of a new project")
    load.add_argument(
        "--repair",
        action="append",
        default=[],
        dest="repairs",
        metavar="NAME",
        help="repair the place of the files, as 'twin info' names it: swap-axes, degrees, metres, crs:EPSG:n, ...",
    )
    load.add_argument("--report", metavar="FILE.html|.json", help="what was dropped or changed, and geometry checks")
    _add_set(load, "option=value", "an option of the file format")
    _add_json(load)

    listing = commands.add_parser("list", help="list analyses, formats, or the layers of a project")
    listing.add_argument("what", choices=("analyses", "formats", "layers"))
    listing.add_argument("project", nargs="?", metavar="PROJECT")
    _add_json(listing)


def _add_runs(commands: Commands) -> None:
    """Running studies and checks."""
    from app.cli_openfoam import add_arguments as add_openfoam_arguments

    run = commands.add_parser("run", help="run an analysis on a project")
    run.add_argument("analysis", metavar="ANALYSIS")
    run.add_argument("project", metavar="PROJECT")
    _add_set(run, "name=value", "a parameter, or an input with the ids of its layers")
    run.add_argument("--params", metavar="FILE.json", help="parameters from a JSON file")
    run.add_argument("--alternative", metavar="NAME", help="run on this alternative ('base': without any changes)")
    run.add_argument("--out", metavar="DIR", help="folder for GeoTIFF, meshes, tables and a picture")
    _add_json(run)

    rerun = commands.add_parser("rerun", help="repeat a run from its result.json")
    rerun.add_argument("result", metavar="RESULT.json")
    rerun.add_argument("--out", metavar="DIR", help="folder for the new outputs")
    _add_json(rerun)

    validate = commands.add_parser("validate", help="run a measured or reference case and score it")
    validate.add_argument("case", metavar="CASE")
    validate.add_argument("--plots", metavar="FOLDER", help="write the scores (JSON) and scatter plots (SVG) there")
    _add_json(validate)

    _add_check(commands.add_parser("check", help="check a building model by the rules of an IDS file"))

    add_openfoam_arguments(commands.add_parser("openfoam", help="a wind study as an OpenFOAM case, and back"))


def _add_pages(commands: Commands) -> None:
    """Pictures, films and reports."""
    from app.cli_cctv import add_arguments as add_cctv_arguments
    from app.cli_film import add_arguments as add_film_arguments
    from app.cli_report import add_arguments as add_report_arguments

    render = commands.add_parser("render", help="draw a project into a picture")
    render.add_argument("project", metavar="PROJECT")
    render.add_argument("--out", required=True, metavar="FILE.png")
    render.add_argument("--view", default="iso", metavar="iso|top|LAYER", help="iso, top, or the id of a layer")
    render.add_argument("--size", default="1280x800", metavar="WxH")
    render.add_argument("--theme", default="light", choices=("light", "dark"))
    render.add_argument("--storey", metavar="NAME", help="open the buildings at a storey: its name, or B1, 1, 2, RF")
    render.add_argument("--cut", type=float, default=1.2, metavar="METRES", help="height of the cut above its floor")
    render.add_argument("--xray", type=float, metavar="METRES", help="radius of a hole to see the underground through")
    render.add_argument("--sun", metavar="DATETIME", help="local clock time for the shadows, e.g. 2026-12-22T12:00")

    add_report_arguments(commands.add_parser("report", help="write a report of a project as a web page or PDF"))

    add_film_arguments(commands.add_parser("film", help="film the sun of a day or a year, or the view all around"))
    add_cctv_arguments(commands.add_parser("cctv", help="installation plan of cameras; cameras into and out of files"))


def _add_conversion(commands: Commands) -> None:
    """Files into other files."""
    convert = commands.add_parser("convert", help="convert a file, or what a project shows, into another format")
    convert.add_argument("input", metavar="IN", help="a file or a project")
    convert.add_argument("output", metavar="OUT")
    convert.add_argument("--crs", metavar="EPSG:n", help="coordinate system of the output")
    convert.add_argument("--from-crs", metavar="EPSG:n", help="coordinate system of the input, over its own")
    place = commands.add_parser("georeference", help="write a copy of an IFC file that says where it stands")
    place.add_argument("input", metavar="IN.ifc")
    place.add_argument("output", metavar="OUT.ifc")
    place.add_argument("--crs", required=True, metavar="EPSG:n", help="projected coordinate system")
    place.add_argument("--at", required=True, metavar="E,N[,H]", help="where the model's zero point lies [m]")
    place.add_argument(
        "--rotation", type=float, default=0.0, metavar="DEG", help="clockwise turn of the model's y axis"
    )
    place.add_argument("--vertical", metavar="NAME", help="height datum")


def _add_desktop(commands: Commands) -> None:
    """The program among the programs of this machine."""
    from app.desktop_entry import add_arguments

    add_arguments(commands.add_parser("desktop-entry", help="put the program into the menu of a Linux desktop"))


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL.ifc")
    parser.add_argument(
        "rules", metavar="RULES.ids", help="a file, or basic or fire_access for the program's own rules"
    )
    parser.add_argument("--out", metavar="FILE.html", help="write a report; its first 100 failures of each rule")
    parser.add_argument("--csv", metavar="FILE.csv", help="write all failures")
    parser.add_argument("--limit", type=float, default=600.0, metavar="SECONDS", help="stop after this time")
    parser.add_argument("--any-version", action="store_true", help="also check rules written for other schemas")
    _add_json(parser)


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout and nothing else")


def _add_set(parser: argparse.ArgumentParser, form: str, what: str) -> None:
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar=form, help=what)


class _Interrupt:
    """Ctrl+C asks the work to stop; a second one stops at once."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


def _progress_bar(fraction: float, message: str) -> None:
    filled = int(BAR_WIDTH * fraction)
    bar = "#" * filled + "-" * (BAR_WIDTH - filled)
    sys.stderr.write(f"\r[{bar}] {100 * fraction:3.0f} %  {message[:60]:<60}")
    sys.stderr.flush()


def run_command_line(argv: Sequence[str]) -> int:
    """Run one command; every error ends in an exit code and a message on stderr."""
    interrupt = _Interrupt()
    previous = signal.getsignal(signal.SIGINT)
    on_terminal = sys.stderr.isatty()
    try:
        arguments = list(argv)
        if arguments and not arguments[0].startswith("-") and arguments[0] not in COMMANDS:
            return _open_window(arguments)
        parsed = build_parser().parse_args(arguments)
        _choose_language(parsed.lang)
        if parsed.command is None:
            return _open_window([])
        signal.signal(signal.SIGINT, interrupt)
        feedback = Feedback(_progress_bar if on_terminal else None, lambda: interrupt.asked)
        return _command(parsed.command)(parsed, feedback)
    except UserError as error:
        return _tell(error, on_terminal)
    except (Cancelled, KeyboardInterrupt):
        sys.stderr.write(_line("cli.cancelled", on_terminal))
        return CANCELLED
    except BrokenPipeError:
        return DONE
    except Exception:  # noqa: BLE001 - the last stop of a fault of the program
        sys.stderr.write(_line("cli.bug", on_terminal))
        traceback.print_exc()
        return BUG
    finally:
        signal.signal(signal.SIGINT, previous)


def _command(name: str) -> Callable[[argparse.Namespace, Feedback], int]:
    from app import cli_commands

    return cli_commands.COMMANDS[name]


def _choose_language(wanted: str | None) -> None:
    from app.language import language, system_language

    language.set(wanted or system_language())


def _open_window(arguments: Sequence[str]) -> int:
    """Open the window, on a project or on files to import."""
    from pathlib import Path

    from app.platform_check import check_window

    _choose_language(None)
    for argument in arguments:
        if not Path(argument).exists():
            raise UserError(
                f"'{argument}' is neither a command nor a file.",
                f"Commands are: {', '.join(COMMANDS)}.",
                "See 'twin --help'.",
                code="cli.neither",
                values={"argument": argument, "commands": ", ".join(COMMANDS)},
            )
    check_window()
    from app.window_main import run_window

    return run_window(Path(arguments[0]) if arguments else None)


def _tell(error: UserError, on_terminal: bool) -> int:
    from app.language import error_texts

    what, why, todo = error_texts(error)
    sys.stderr.write(("\n" if on_terminal else "") + f"{what}\n  {why}\n  {todo}\n")
    return USER


def _line(text_id: str, on_terminal: bool) -> str:
    from app.language import tr

    return ("\n" if on_terminal else "") + tr(text_id) + "\n"
