"""Headless. ``twin desktop-entry``: the program in the menu of a Linux desktop, for this user, and out of it again.

The files follow the desktop entry and icon theme specifications of freedesktop.org and lie under
``$XDG_DATA_HOME``, which is ``~/.local/share`` unless it is set to an absolute path.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import resources
from app.language import tr
from geo.model import Feedback, UserError

NAME = "sejong-twin"
ENTRY = f"applications/{NAME}.desktop"
# Where each picture of the package goes; 48 is the size that every icon theme must have.
ICONS: Mapping[str, str] = {
    "icons/app.svg": f"icons/hicolor/scalable/apps/{NAME}.svg",
    "desktop/icon-48.png": f"icons/hicolor/48x48/apps/{NAME}.png",
    "desktop/icon-256.png": f"icons/hicolor/256x256/apps/{NAME}.png",
}
DONE = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("--remove", action="store_true", help="take it out of the menu again")


def desktop_entry(args: argparse.Namespace, feedback: Feedback) -> int:
    """``twin desktop-entry``."""
    from app.cli_output import say

    check_platform()
    folder = data_folder()
    if args.remove:
        removed = remove(folder)
        for path in removed:
            say(tr("desktop.removed", path=path))
        if not removed:
            say(tr("desktop.nothing", folder=folder))
        return DONE
    for path in install(folder, program_command()):
        say(tr("cli.written", path=path))
    return DONE


def check_platform(platform: str = sys.platform) -> None:
    """Refuse where menus are made in other ways. Raises `UserError`."""
    if platform in ("win32", "cygwin", "darwin"):
        raise UserError(
            "There are no desktop entries on this system.",
            "Desktop entries belong to the desktops of Linux; Windows and macOS keep their menus in other ways.",
            "On Windows make a shortcut to twin.exe, on macOS an alias of twin.",
            code="desktop.platform",
        )


def data_folder(environment: Mapping[str, str] | None = None) -> Path:
    """The user's data folder. A relative ``XDG_DATA_HOME`` counts as not set, as the specification asks."""
    wanted = Path((os.environ if environment is None else environment).get("XDG_DATA_HOME", ""))
    return wanted if wanted.is_absolute() else Path.home() / ".local" / "share"


def program_command() -> list[str]:
    """What starts this very program: the bundle, the command that was called, or the one beside this Python."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    called = Path(sys.argv[0])
    beside = Path(sys.executable).with_name("twin")
    for candidate in (called, beside):
        if candidate.name == "twin" and candidate.is_file() and os.access(candidate, os.X_OK):
            return [str(candidate.absolute())]
    found = shutil.which("twin")
    if found is None:
        raise UserError(
            "The program is not installed.",
            "A menu needs a command that it can start, and there is no 'twin' beside this Python or on the path.",
            "Install it first: pip install . or make setup.",
            code="desktop.command",
        )
    return [str(Path(found).absolute())]


def install(folder: Path, command: Sequence[str]) -> list[Path]:
    """Write entry and icons under a data folder; what was there under these names is replaced.

    Parameters
    ----------
    folder : Path
        The user's data folder.
    command : sequence of str
        Program and arguments that open the window.

    Returns
    -------
    list of Path
        The files written.
    """
    contents = {ENTRY: entry_text(command).encode()}
    contents |= {place: resources.path(name).read_bytes() for name, place in ICONS.items()}
    written = [folder / place for place in contents]
    try:
        for path, content in zip(written, contents.values(), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return written


def remove(folder: Path) -> list[Path]:
    """Delete what `install` wrote, and nothing else; gives the files that were there."""
    removed = []
    try:
        for place in (ENTRY, *ICONS.values()):
            path = folder / place
            if path.is_file():
                path.unlink()
                removed.append(path)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return removed


def entry_text(command: Sequence[str]) -> str:
    """The desktop entry with the command that starts this installation."""
    template = resources.path(f"desktop/{NAME}.desktop").read_text(encoding="utf-8")
    line = "Exec=" + " ".join(quoted(word) for word in command) + " %f"
    return "".join(f"{line if row.startswith('Exec=') else row}\n" for row in template.splitlines())


def quoted(word: str) -> str:
    r"""One word of an ``Exec`` line, quoted as the specification asks.

    Inside quotes ``"``, `````, ``$`` and ``\`` take a backslash; then, as in every text of an entry, each backslash
    is written twice; a per cent sign is written twice so that it is no field code.
    """
    if any(ord(letter) < 0x20 for letter in word):
        raise UserError(
            "The program lies in a folder that a menu cannot name.",
            "The name has a line break or another control character.",
            "Install the program in another folder.",
            code="desktop.folder",
        )
    escaped = "".join(f"\\{letter}" if letter in '"`$\\' else letter for letter in word)
    return '"' + escaped.replace("\\", "\\\\").replace("%", "%%") + '"'


def _unwritable(folder: Path, error: OSError) -> UserError:
    return UserError(
        f"The menu entry in {folder} could not be changed.",
        error.strerror or str(error),
        "Check the rights of the folder, or set XDG_DATA_HOME to another one.",
        code="desktop.unwritable",
        values={"folder": str(folder), "reason": error.strerror or str(error)},
    )
