"""Headless. Says before Qt starts what a window needs and this machine lacks, instead of letting Qt abort."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Mapping

from geo.model import UserError

# Library that the Qt "xcb" platform or VTK loads -> Debian/Ubuntu package that brings it.
LINUX_LIBRARIES: Mapping[str, str] = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
}
# Not a library that can be loaded by name, but without it there is no OpenGL on a machine without a graphics driver.
SOFTWARE_DRIVER_PACKAGE = "libgl1-mesa-dri"

Loader = Callable[[str], object]


def missing_packages(loader: Loader = ctypes.CDLL, *, platform: str = sys.platform) -> list[str]:
    """Debian packages of the libraries that cannot be loaded; empty away from Linux."""
    if not platform.startswith("linux"):
        return []
    missing = [package for library, package in LINUX_LIBRARIES.items() if not _loads(library, loader)]
    if "libgl1" in missing or "libegl1" in missing:
        missing.append(SOFTWARE_DRIVER_PACKAGE)
    return missing


def _loads(library: str, loader: Loader) -> bool:
    try:
        loader(library)
    except OSError:
        return False
    return True


def has_display(environment: Mapping[str, str] | None = None, *, platform: str = sys.platform) -> bool:
    """Whether there is a screen to open a window on."""
    environment = os.environ if environment is None else environment
    if not platform.startswith("linux"):
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def check_window(
    environment: Mapping[str, str] | None = None, *, loader: Loader = ctypes.CDLL, platform: str = sys.platform
) -> None:
    """Raise `UserError` when no window can open here, naming what to install or set."""
    missing = missing_packages(loader, platform=platform)
    if missing:
        packages = " ".join(missing)
        raise UserError(
            "The window cannot open: system libraries are missing.",
            f"The display libraries of these packages were not found: {packages}.",
            f"Install them: sudo apt-get install -y {packages}",
            code="window.libraries",
            values={"packages": packages},
        )
    if not has_display(environment, platform=platform):
        raise UserError(
            "The window cannot open: there is no screen.",
            "Neither DISPLAY nor WAYLAND_DISPLAY is set, so this session has no graphical desktop.",
            "Start it from a desktop, use 'xvfb-run -a twin', or work without a window: 'twin --help'.",
            code="window.display",
        )
