"""What an installation brings: the entry in the menu of a desktop, its icons, and every data file in the wheel."""

from __future__ import annotations

import configparser
import os
import re
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import app
import resources
from app.desktop_entry import (
    ENTRY,
    ICONS,
    NAME,
    check_platform,
    data_folder,
    entry_text,
    install,
    program_command,
    quoted,
    remove,
)
from app.language import error_texts, language
from geo.model import UserError

ROOT = Path(app.__file__).parents[1]
PACKAGES = ("app", "geo", "bim", "analysis", "resources")
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="desktop entries are of Linux")


def entry_of(text: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser["Desktop Entry"]


def unquoted(line: str) -> list[str]:
    """An Exec line as a desktop reads it: first the text's own backslashes, then the words, then the field codes."""
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', line.replace("\\\\", "\\"))
    return [re.sub(r'\\(["`$\\])', r"\1", word).replace("%%", "%") for word in words]


def test_the_entry_says_what_the_specification_asks_in_both_languages() -> None:
    entry = entry_of(entry_text(["/opt/twin"]))
    assert (entry["Type"], entry["Icon"], entry["Terminal"]) == ("Application", NAME, "false")
    assert entry["Exec"].endswith(" %f")
    assert entry["Categories"].endswith(";")
    for key in ("Name", "GenericName", "Comment", "Keywords"):
        assert entry[key].isascii()
        assert not entry[f"{key}[ko]"].isascii()
    assert entry["StartupWMClass"] == NAME
    assert f'setDesktopFileName("{NAME}")' in (ROOT / "app" / "window_main.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "word",
    ["/opt/twin", "/home/김 철수/my twin", '/a"b', "/cost$HOME", "/back\\slash", "/`id`", "/100%/twin", "/it's; rm"],
)
def test_any_folder_survives_the_quoting(word: str) -> None:
    assert unquoted(entry_of(entry_text([word]))["Exec"]) == [word]


def test_a_line_break_in_a_folder_cannot_add_lines_to_the_entry() -> None:
    with pytest.raises(UserError, match="cannot name"):
        quoted("/opt/x\nExec=evil")


def test_installed_twice_and_removed_leaves_what_was_there(tmp_path: Path) -> None:
    other = tmp_path / "applications" / "other.desktop"
    other.parent.mkdir()
    other.write_text("[Desktop Entry]\n")
    assert install(tmp_path, ["/old/twin"]) == install(tmp_path, ["/new/twin"])
    assert unquoted(entry_of((tmp_path / ENTRY).read_text(encoding="utf-8"))["Exec"]) == ["/new/twin"]
    assert len(remove(tmp_path)) == 1 + len(ICONS)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [other]
    assert remove(tmp_path) == []


def test_the_data_folder_follows_the_specification() -> None:
    assert data_folder({"XDG_DATA_HOME": "/data/me"}) == Path("/data/me")
    for environment in ({}, {"XDG_DATA_HOME": ""}, {"XDG_DATA_HOME": "relative/folder"}):
        assert data_folder(environment) == Path.home() / ".local" / "share"


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_elsewhere_it_is_refused_with_what_to_do(platform: str) -> None:
    with pytest.raises(UserError) as caught:
        check_platform(platform)
    assert "shortcut" in caught.value.todo
    before = language.code
    try:
        language.set("ko")
        assert "바로 가기" in error_texts(caught.value)[2]
    finally:
        language.set(before)


def test_a_folder_that_cannot_be_written_is_a_users_error(tmp_path: Path) -> None:
    (tmp_path / "applications").write_text("a file in the way")
    with pytest.raises(UserError, match="could not be changed"):
        install(tmp_path, ["/opt/twin"])


def test_the_command_is_that_of_this_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called = tmp_path / "twin"
    called.write_text("#!/bin/sh\n")
    called.chmod(called.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "argv", [str(called)])
    assert program_command() == [str(called)]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert program_command() == [sys.executable]


def test_no_command_at_all_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "pytest")])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="not installed"):
        program_command()


@on_linux
def test_the_command_line_installs_and_removes(tmp_path: Path) -> None:
    twin = tmp_path / "bin" / "twin"
    twin.parent.mkdir()
    twin.write_text("#!/bin/sh\n")
    twin.chmod(0o755)
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path / "data"), "PATH": str(twin.parent)}

    def run(*more: str) -> str:
        command = [sys.executable, "-m", "app", "--lang", "en", "desktop-entry", *more]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run().count("Written:") == 1 + len(ICONS)
    assert Path(unquoted(entry_of((tmp_path / "data" / ENTRY).read_text(encoding="utf-8"))["Exec"])[0]).name == "twin"
    assert run("--remove").count("Removed:") == 1 + len(ICONS)
    assert "Nothing to remove" in run("--remove")


@pytest.mark.parametrize("size", [48, 256])
def test_icons_are_drawn_from_the_programs_own_picture(size: int) -> None:
    from PySide6.QtCore import QByteArray
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    def pixels(image: QImage) -> np.ndarray:
        image = image.convertToFormat(QImage.Format.Format_RGBA8888)
        return np.frombuffer(image.constBits(), np.uint8).reshape(size, size, 4).astype(int)

    shipped = QImage.fromData(resources.path(f"desktop/icon-{size}.png").read_bytes())
    assert (shipped.width(), shipped.height()) == (size, size)
    drawn = QImage(size, size, QImage.Format.Format_ARGB32)
    drawn.fill(0)
    painter = QPainter(drawn)
    QSvgRenderer(QByteArray(resources.path("icons/app.svg").read_bytes())).render(painter)
    painter.end()
    assert np.abs(pixels(shipped) - pixels(drawn)).mean() < 2.0


def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    """A table, page or translation that is left out of the wheel fails only after `pip install`, on another machine."""
    wheel_builder = pytest.importorskip("hatchling.builders.wheel")
    if not (ROOT / "pyproject.toml").is_file():
        pytest.skip("an installed program, no source tree")
    (wheel,) = wheel_builder.WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        scripts = next(archive.read(name).decode() for name in archive.namelist() if name.endswith("entry_points.txt"))
    tree = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and not {"__pycache__", ".mypy_cache", ".ruff_cache"} & set(path.parts)
    }
    assert tree - held == set()
    assert held - tree == set()
    assert "twin = app.__main__:main" in scripts
