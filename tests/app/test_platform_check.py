"""A machine without screen or libraries gets one clear message, not an abort."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.platform_check import LINUX_LIBRARIES, check_window, missing_packages
from geo.model import UserError


def absent(*names: str) -> object:
    def load(library: str) -> object:
        if library in names:
            raise OSError(f"{library}: cannot open shared object file")
        return object()

    return load


def test_missing_libraries_are_named_as_packages() -> None:
    loader = absent("libEGL.so.1", "libxcb-cursor.so.0")
    assert missing_packages(loader, platform="linux") == ["libegl1", "libxcb-cursor0", "libgl1-mesa-dri"]
    with pytest.raises(UserError) as caught:
        check_window({"DISPLAY": ":0"}, loader=loader, platform="linux")
    assert "sudo apt-get install -y libegl1 libxcb-cursor0" in caught.value.todo


def test_no_screen_is_said_before_qt_starts() -> None:
    with pytest.raises(UserError) as caught:
        check_window({}, loader=absent(), platform="linux")
    assert caught.value.code == "window.display"
    check_window({"WAYLAND_DISPLAY": "wayland-0"}, loader=absent(), platform="linux")


def test_other_systems_are_not_asked_for_debian_packages() -> None:
    assert missing_packages(absent(*LINUX_LIBRARIES), platform="win32") == []
    check_window({}, loader=absent(*LINUX_LIBRARIES), platform="darwin")


def test_the_check_itself_needs_no_qt() -> None:
    code = "import app.platform_check, sys; sys.exit('PySide6' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
