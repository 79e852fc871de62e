"""Where the docks stand in each of the three layouts."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMainWindow

from app.panels.panel import Panel
from app.settings import LayoutName

# Docks on show; the others are closed but can be opened from the menu.
DOCKS_OF_LAYOUT: Mapping[LayoutName, tuple[str, ...]] = {
    "plan": (
        "layers",
        "model",
        "alternatives",
        "properties",
        "camera",
        "purifier",
        "analyses",
        "results",
        "compare",
        "timeline",
        "jobs",
        "log",
    ),
    "build": ("layers", "model", "checks", "topics", "properties", "analyses", "results", "timeline", "jobs", "log"),
    "operate": (
        "layers",
        "model",
        "viewpoints",
        "properties",
        "camera",
        "purifier",
        "analyses",
        "results",
        "timeline",
        "jobs",
        "log",
    ),
}
FRONT: Mapping[LayoutName, tuple[str, ...]] = {
    "plan": ("layers", "properties", "analyses", "timeline"),
    "build": ("layers", "properties", "analyses", "timeline"),
    "operate": ("layers", "properties", "results", "timeline"),
}
# The study a layout begins with; from then on it is the one that was chosen there last.
STUDY: Mapping[LayoutName, str] = {
    "plan": "sunlight.hours",
    "build": "construction.progress",
    "operate": "cctv.coverage",
}
LEFT_WIDTH, RIGHT_WIDTH, BOTTOM_HEIGHT = 276, 328, 108
UPPER_HEIGHT, LOWER_HEIGHT = 230, 300


def arrange(window: QMainWindow, panels: Mapping[str, Panel], name: LayoutName) -> None:
    """Put every dock in its place and show those of the layout."""
    left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
    bottom = Qt.DockWidgetArea.BottomDockWidgetArea
    for panel in panels.values():
        panel.setFloating(False)
        window.removeDockWidget(panel)
    window.addDockWidget(left, panels["layers"])
    window.addDockWidget(right, panels["properties"])
    window.addDockWidget(right, panels["analyses"])
    window.addDockWidget(bottom, panels["timeline"])
    window.splitDockWidget(panels["properties"], panels["analyses"], Qt.Orientation.Vertical)
    window.tabifyDockWidget(panels["layers"], panels["model"])
    window.tabifyDockWidget(panels["model"], panels["checks"])
    window.tabifyDockWidget(panels["checks"], panels["topics"])
    window.tabifyDockWidget(panels["topics"], panels["viewpoints"])
    window.tabifyDockWidget(panels["viewpoints"], panels["alternatives"])
    window.tabifyDockWidget(panels["properties"], panels["camera"])
    window.tabifyDockWidget(panels["camera"], panels["purifier"])
    window.tabifyDockWidget(panels["analyses"], panels["results"])
    window.tabifyDockWidget(panels["timeline"], panels["compare"])
    window.tabifyDockWidget(panels["compare"], panels["jobs"])
    window.tabifyDockWidget(panels["jobs"], panels["log"])
    window.tabifyDockWidget(panels["log"], panels["table"])
    for panel_name, panel in panels.items():
        panel.setVisible(panel_name in DOCKS_OF_LAYOUT[name])
    for panel_name in FRONT[name]:
        panels[panel_name].raise_()
    horizontal, vertical = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
    window.resizeDocks([panels["layers"], panels["properties"]], [LEFT_WIDTH, RIGHT_WIDTH], horizontal)
    window.resizeDocks([panels["properties"], panels["analyses"]], [UPPER_HEIGHT, LOWER_HEIGHT], vertical)
    window.resizeDocks([panels["timeline"]], [BOTTOM_HEIGHT], vertical)
