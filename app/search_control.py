"""The search box of a window: what it can command, and what happens with what was chosen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence

from analysis.registry import analysis_ids
from app.element_search import get_ready
from app.finding import Found
from app.language import tr
from app.search import SearchBox
from geo.model import ElementRef

if TYPE_CHECKING:
    from app.main_window import MainWindow

ZOOMED_AT_MOST = 50  # of more elements found their whole layer is shown


def make_search(window: MainWindow) -> SearchBox:
    """The box, not yet open."""
    return SearchBox(
        window.document,
        commands=lambda: commands_of(window),
        select=lambda refs: select_found(window, refs),
        go_to=window.bench.look_at,
        open_room=window.show_room,
        memory=window.settings,
        theme=lambda: window.bench.theme,
        parent=window,
    )


def open_search(window: MainWindow, box: SearchBox) -> None:
    """Open the box, and prepare in a job what it will look through."""
    box.open_over(window)
    layers = list(window.document.scene)
    window.bench.jobs.submit(
        lambda feedback: get_ready(layers, feedback), title=tr("job.table"), key="search", shown=False
    )


def commands_of(window: MainWindow) -> list[Found]:
    """Analyses, saved viewpoints and actions that can be chosen now."""
    from app.actions import ACTIONS

    found = [
        Found(
            tr(f"{analysis_id}.title"),
            tr("panel.analyses"),
            partial(_open_study, window, analysis_id),
            key=f"command:{analysis_id}",
            icon="play",
        )
        for analysis_id in analysis_ids()
    ]
    for view in window.document.viewpoints.items:
        act = partial(window.viewpoints.go_to, view.id)
        found.append(Found(view.name, tr("search.view"), act, "view", key=f"view:{view.id}"))
    for spec in ACTIONS:
        action = window.actions_[spec.id]
        if action.isEnabled() and spec.id != "search":
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            title = action.text().replace("…", "")
            found.append(Found(title, keys, partial(window.perform, spec), key=f"command:{spec.id}", icon=spec.icon))
    return found


def _open_study(window: MainWindow, analysis_id: str) -> None:
    """A study that was looked for by its name has the keys at once: Tab goes on into its form."""
    window.show_analysis(analysis_id)
    window.analyses.choice.setFocus(Qt.FocusReason.TabFocusReason)


def select_found(window: MainWindow, refs: list[ElementRef]) -> None:
    """Select elements and fly there."""
    window.document.selection.set(refs)
    window.bench.zoom_to(refs if len(refs) <= ZOOMED_AT_MOST else [ElementRef(refs[0].layer_id)])
