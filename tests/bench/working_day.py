"""What a person does in a day, done with mouse events and the window's own actions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog

from app.main_window import MainWindow
from app.view.camera import project
from geo.model import ElementRef
from tests.bench.gaps import GapWatch

MOVE_MS = 30
PARTS = ("look", "find", "sun", "masses", "dress", "studies", "modes", "out")
PATIENCE_S = 300.0
NONE, LEFT, MIDDLE = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton


START_PAGE_MS = 6000


def pump(milliseconds: int) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


class WorkingDay:
    """One person at one window.

    Parameters
    ----------
    path : Path
        The project, a copy to work in.
    short : bool
        Fewer steps of the hand, and shorter rests between two things.
    """

    def __init__(self, window: MainWindow, path: Path, watch: GapWatch, *, short: bool) -> None:
        self.window, self.path, self.watch = window, path, watch
        self.rest_ms, self.steps = (250, 10) if short else (900, 40)
        self.done = 0
        self.tells = short

    # ---- the day

    def open(self) -> None:
        """Come in, look at the start page and open the project."""
        self._act("look at the start page", lambda: pump(START_PAGE_MS))
        self._act("open the project", lambda: self._job(self.window.bench.open_project(self.path)), settle=True)

    def work(self, *, first: bool, parts: Sequence[str] = PARTS) -> None:
        """Everything once, in the order of a day; what takes its own program only in the first round."""
        for part in parts:
            getattr(self, f"_{part}")()
        if first and "out" in parts:
            report = self.path.with_name("report.html")
            self._act("report", lambda: self._job(self.window.bench.write_report(report)))

    def _sun(self) -> None:
        self._act("sun slider", self._slide_the_sun)

    def _dress(self) -> None:
        self._act("dark theme", self._trigger("theme_dark"))
        self._act("light theme", self._trigger("theme_light"))
        self._act("Korean", lambda: self.window.set_language("ko"))
        self._act("English", lambda: self.window.set_language("en"))

    def _out(self) -> None:
        self._act("save", lambda: self._job(self.window.bench.save(self.path)))
        self._act("picture", self._picture)

    def _look(self) -> None:
        middle = self._middle()
        self._act("orbit", lambda: self._drag(LEFT, middle, middle + QPoint(160, 40)))
        self._act("pan", lambda: self._drag(MIDDLE, middle, middle + QPoint(-120, 60)))
        self._act("zoom in", lambda: self._wheel(middle, 5))
        self._act("orbit near", lambda: self._drag(LEFT, middle, middle + QPoint(-160, -30)))
        self._act("zoom out", lambda: self._wheel(middle, -5))
        self._act("home", self._trigger("view_home"))

    def _find(self) -> None:
        window = self.window
        self._act("hover", lambda: self._hover(self._middle()))
        self._act("select a building", lambda: window.document.selection.set([self._building()]))
        self._act("open the table", self._trigger("table"))
        self._act("filter the table", lambda: self._type(window.table.filter_line, "height > 20"))
        self._act("close the table", self._trigger("table"))
        self._act("open the search", self._trigger("search"))
        self._act("search", self._search)
        self._act("select nothing", window.document.selection.clear)

    def _masses(self) -> None:
        window, ref = self.window, self._building()
        window.document.selection.set([ref])
        self._act("zoom to a building", lambda: window.viewport.zoom_to([ref]), settle=True)
        self._act("take a mass", self._trigger("mass_move"))
        self._act("drag a mass", self._drag_the_mass)
        self._act("let go of the mass", self._let_go)
        self._act("end moving", window.masses.finish, settle=True)
        self._act("undo", self._trigger("undo"), settle=True)
        self._act("home again", self._trigger("view_home"))

    def _studies(self) -> None:
        from analysis.registry import get

        window = self.window
        study, params = get("sunlight.hours"), {"ground_cell": 8.0, "facade_spacing": 8.0}
        self._act("run sun hours", lambda: self._job(window.bench.run(study, params)))
        again = {**params, "ground_cell": 10.0}
        self._act("run sun hours again", lambda: self._job(window.bench.run(study, again)), settle=True)
        runs = self._runs()
        self._act("switch the result", lambda: window.bench.show_run(runs[0]))
        self._act("switch it back", lambda: window.bench.show_run(runs[-1]))
        self._act("compare", lambda: window.comparing.open_runs(runs[0].id, runs[-1].id), settle=True)
        self._act("close the comparison", window.comparing.release)
        self._act("undo the study", self._trigger("undo"))
        self._act("undo the study before", self._trigger("undo"))

    def _modes(self) -> None:
        for name, action in (("section plane", "section"), ("x-ray", "xray"), ("storeys", "storeys")):
            self._act(name, self._trigger(action), settle=True)
            if action == "section":
                self._act(
                    "section plane moved", lambda: [self._pause(lambda k=k: self._move_plane(k)) for k in range(6)]
                )
            middle = self._middle()
            self._act(f"orbit with {name}", lambda m=middle: self._drag(LEFT, m, m + QPoint(60, 10)))
            self._act(f"leave {name}", self._leave(action))
        self._act("home at the end", self._trigger("view_home"))

    # ---- one thing

    def _act(self, name: str, do: Callable[[], object], *, settle: bool = False) -> None:
        self.watch.doing = name
        began = time.perf_counter()
        do()
        pump(self.rest_ms)
        if settle:
            self._settle()
        self.done += 1
        seconds, mine = time.perf_counter() - began, [gap for gap in self.watch.gaps if gap.doing == name]
        print(f"{seconds:6.1f} s, longest gap {self.watch.longest.get(name, 0.0):5.2f} s  {name}", flush=True)
        if self.tells and mine:
            print("      " + max(mine, key=lambda gap: gap.wall_s).text(), flush=True)

    def _settle(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while self.window.bench.jobs.busy and time.monotonic() < until:
            pump(50)
        pump(self.rest_ms)

    def _job(self, job: Any) -> None:
        if job is None:
            raise RuntimeError(f"{self.watch.doing}: nothing was started")
        until = time.monotonic() + PATIENCE_S
        while not job.is_over and time.monotonic() < until:
            pump(50)

    def _trigger(self, action: str) -> Callable[[], None]:
        return self.window.actions_[action].trigger

    def _leave(self, action: str) -> Callable[[], None]:
        def leave() -> None:
            if action == "xray":
                self.window.actions_["xray"].trigger()
            else:
                self.window.modes.leave()

        return leave

    def _move_plane(self, step: int) -> None:
        with suppress(AttributeError):  # only while the plane is there
            self.window.modes.move_plane(2.0 * step)

    # ---- the hand

    def _middle(self) -> QPoint:
        view = self.window.viewport
        return QPoint(view.width() // 2, int(view.height() * 0.55))

    def _send(self, kind: QEvent.Type, place: QPoint, button: Any, held: Any) -> None:
        view, at = self.window.viewport, QPointF(place)
        none = Qt.KeyboardModifier.NoModifier
        QApplication.sendEvent(view, QMouseEvent(kind, at, view.mapToGlobal(at), button, held, none))

    def _drag(self, button: Any, start: QPoint, stop: QPoint, *, release: bool = True) -> None:
        self._send(QEvent.Type.MouseButtonPress, start, button, button)
        for step in range(1, self.steps + 1):
            self._send(QEvent.Type.MouseMove, start + (stop - start) * (step / self.steps), NONE, button)
            pump(MOVE_MS)
        if release:
            self._send(QEvent.Type.MouseButtonRelease, stop, button, NONE)

    def _wheel(self, place: QPoint, notches: int) -> None:
        view, at = self.window.viewport, QPointF(place)
        for _ in range(abs(notches)):
            turn = QPoint(0, 120 if notches > 0 else -120)
            phase, none = Qt.ScrollPhase.NoScrollPhase, Qt.KeyboardModifier.NoModifier
            event = QWheelEvent(at, view.mapToGlobal(at), QPoint(), turn, NONE, none, phase, False)
            QApplication.sendEvent(view, event)
            pump(120)

    def _hover(self, place: QPoint) -> None:
        for step in range(10):
            self._send(QEvent.Type.MouseMove, place + QPoint(12 * step, 3 * step), NONE, NONE)
            pump(80)

    def _type(self, box: Any, text: str) -> None:
        for count in range(1, len(text) + 1):
            box.setText(text[:count])
            box.textEdited.emit(box.text())
            pump(60)
        box.returnPressed.emit()
        pump(300)
        box.setText("")
        box.returnPressed.emit()

    def _pause(self, do: Callable[[], object]) -> None:
        do()
        pump(120)

    # ---- parts of the day

    def _building(self) -> ElementRef:
        """The tallest building of the block layer."""
        layer = max(
            (one for one in self.window.document.scene if one.theme == "building" and one.kind == "mesh"),
            key=lambda one: len(one.table.ids),
        )
        mesh: Any = layer.geometry
        highest = int(mesh.face_element[np.argmax(mesh.vertices[mesh.faces[:, 0], 2])])
        return ElementRef(layer.id, layer.table.ids[highest])

    def _search(self) -> None:
        box: Any = self.window._search
        for text in _growing("building"):
            box.line.setText(text)
            pump(80)
        box.hide()

    def _slide_the_sun(self) -> None:
        for minute in np.linspace(8 * 60, 17 * 60, self.steps).round().astype(int).tolist():
            self.window.timeline.set_minute(minute)
            pump(MOVE_MS)

    def _drag_the_mass(self) -> None:
        tool = self.window.masses.tool
        if tool is None:
            raise RuntimeError("no mass was taken")
        view = self.window.viewport
        places, _ = project(view.camera, tool.top[None], (view.width(), view.height()))
        start = QPoint(round(places[0, 0]), round(places[0, 1]) + 4)
        # The edge of a roof may stand before its middle: look for the place where the hand takes the body.
        spots = [start + QPoint(dx, dy) for dy in range(0, 120, 8) for dx in (0, -12, 12, -30, 30)]
        self._from = next((spot for spot in spots if tool.part_at(QPointF(spot)) == "body"), start)
        self._drag(LEFT, self._from, self._from + QPoint(90, 25), release=False)

    def _let_go(self) -> None:
        self._send(QEvent.Type.MouseButtonRelease, self._from + QPoint(90, 25), LEFT, NONE)
        self._settle()

    def _runs(self) -> list[Any]:
        from app.shown_runs import runs_of

        return list(runs_of(tuple(self.window.document.scene)))

    def _picture(self) -> None:
        target = self.path.with_name("picture.png")
        before = QFileDialog.getSaveFileName
        QFileDialog.getSaveFileName = lambda *_args, **_named: (str(target), "")  # type: ignore[method-assign,assignment]
        QTimer.singleShot(600, self._accept_dialog)
        try:
            self.window.actions_["picture"].trigger()
            until = time.monotonic() + PATIENCE_S
            while not target.exists() and time.monotonic() < until:
                pump(50)
        finally:
            QFileDialog.getSaveFileName = before  # type: ignore[method-assign]

    def _accept_dialog(self) -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, QDialog):
            dialog.accept()


def _growing(text: str) -> Iterable[str]:
    return (text[:count] for count in range(1, len(text) + 1))
