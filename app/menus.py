"""Menus and toolbar of the main window, made from the table of actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from app.actions import MENUS, TOOLBAR
from app.language import tr
from app.widgets.wording import say
from geo.model import ElementRef

if TYPE_CHECKING:
    from app.main_window import MainWindow

LAYOUTS = ("plan", "build", "operate")
IN_THE_PICTURE = (
    "layer_zoom",
    "layer_only",
    "layer_remove",
    "storey_here",
    "section_box",
    "edit_excavation",
    "camera_fly",
    "camera_switch",
    "camera_remove",
    "purifier_fly",
    "purifier_switch",
    "purifier_remove",
    "dust_source_edit",
    "dust_traffic",
    "place_model",
    "topics_of_selection",
    "select_none",
    "view_home",
)


def make_menus(window: MainWindow) -> QMenu:
    """Fill the menu bar; returns the menu of recent projects."""
    recent = say(QMenu(window), "menu.recent")
    recent.aboutToShow.connect(lambda: _fill_recent(window, recent))
    for menu_id, entries in MENUS:
        menu = say(QMenu(window), f"menu.{menu_id}")
        menu.setObjectName(f"menu_{menu_id}")
        _fill_menu(window, menu, entries, recent=recent)
        window.menuBar().addMenu(menu)
    return recent


def _fill_menu(window: MainWindow, menu: QMenu, entries: Sequence[object], *, recent: QMenu) -> None:
    for entry in entries:
        if entry is None:
            menu.addSeparator()
        elif entry == "@recent":
            menu.addMenu(recent)
        elif entry == "@panels":
            for panel in window.panels.values():
                if panel is not window.table:  # has an entry of its own, with a key
                    menu.addAction(panel.toggleViewAction())
        elif isinstance(entry, tuple):
            child = say(QMenu(menu), f"menu.{entry[0]}")
            _fill_menu(window, child, entry[1], recent=recent)
            menu.addMenu(child)
        else:
            menu.addAction(window.actions_[str(entry)])


def _fill_recent(window: MainWindow, menu: QMenu) -> None:
    menu.clear()
    for path in window.settings.recent:
        menu.addAction(str(path)).triggered.connect(lambda _checked=False, p=path: window.files.open_project(p))
    if menu.isEmpty():
        menu.addAction(tr("menu.recent.none")).setEnabled(False)


def make_toolbar(window: MainWindow) -> QToolBar:
    """Layouts on the left, the search on the right, the rest between them."""
    bar = QToolBar(window)
    bar.setObjectName("toolbar")
    bar.setMovable(False)
    bar.setIconSize(QSize(20, 20))
    say(bar, "toolbar.title")
    for name in LAYOUTS:
        button = QToolButton()
        button.setObjectName("layout_button")
        button.setDefaultAction(window.actions_[f"layout_{name}"])
        bar.addWidget(button)
    bar.addSeparator()
    for entry in TOOLBAR:
        if entry is None:
            bar.addSeparator()
        else:
            bar.addAction(window.actions_[entry])
    spacer = QWidget()
    spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    bar.addWidget(spacer)
    search = QToolButton()
    search.setDefaultAction(window.actions_["search"])
    search.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    bar.addWidget(search)
    window.addToolBar(bar)
    return bar


def show_context_menu(window: MainWindow, ref: ElementRef | None, place: QPoint) -> None:
    """What can be done with what lies under the pointer in the picture."""
    from app.hatch_switch import add_hatch_switch
    from app.point_window import add_point_values
    from app.study_here import add_studies

    menu = QMenu(window)
    for action_id in IN_THE_PICTURE:
        if window.actions_[action_id].isEnabled():
            menu.addAction(window.actions_[action_id])
    window.masses.add_to_menu(menu, ref)
    add_studies(window, menu, ref)
    add_point_values(window, menu, place)
    for layer in window.document.scene:
        if layer.style.visible:
            add_hatch_switch(menu, window.document, layer, named=True)
    menu.aboutToHide.connect(menu.deleteLater)
    menu.popup(place)
