"""What the random user does with mouse and keys, in panels, with files, and at odd times."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from shiboken6 import isValid

from analysis.registry import analyses
from app.actions import ACTIONS
from geo.model import ElementRef
from tests.app.monkey_answers import MODIFIERS, Answers, ask_menu, pump

KEYS = (
    *(Qt.Key.Key_Escape, Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Delete, Qt.Key.Key_Backspace),
    *(Qt.Key.Key_Tab, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp),
    *(Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_Space, Qt.Key.Key_W, Qt.Key.Key_A, Qt.Key.Key_S, Qt.Key.Key_D),
    *(Qt.Key.Key_Q, Qt.Key.Key_E, Qt.Key.Key_R, Qt.Key.Key_G, Qt.Key.Key_5, Qt.Key.Key_Plus, Qt.Key.Key_Minus),
    *(Qt.Key.Key_Period, Qt.Key.Key_Comma, Qt.Key.Key_Enter, Qt.Key.Key_F2, Qt.Key.Key_Menu),
)
HANDLED = {"camera", "purifier", "road", "excavation", "emission", "bim", "building", "sensor", "tree"}
LONGEST_RUN_S = 5.0


class Hands(Answers):
    """All that can be done; each without a result, whatever comes of it."""

    # ---- actions of the window --------------------------------------------------

    def act(self) -> None:
        """Something of the table of actions; what was done seldom comes sooner."""
        self._act_of(self._able())

    def _able(self) -> list[str]:
        return [key for key, a in self.window.actions_.items() if a.isEnabled() and not self.is_never_done(a)]

    def _act_of(self, able: list[str]) -> None:
        key = self.random.choices(able, self.marks.weights([f"action {one}" for one in able]))[0]
        action = self.window.actions_[key]
        self.say(key)
        action.trigger()
        drawing = getattr(self.window.viewport, "_drawing", None)
        if drawing is not None and drawing.active and self.random.random() < 0.7:
            pump(10)
            self.draw()

    def draw(self) -> None:
        """Some points in the picture, and an end: by a double click, a key, or none at all."""
        view, left, none = self.window.viewport, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        count = self.random.randint(1, 5)
        self.say(f"drawn with {count} points")
        self.marks.hit("draw")
        for _ in range(count):
            place = self.place_in(view)
            QTest.mouseMove(view, place)
            QTest.mouseClick(view, left, none, place)
            pump(10)
            if self.random.random() < 0.15:
                QTest.keyClicks(view, self.random.choice(("12.5", "8", "90", "0", "-3", "1e9")))
                QTest.keyClick(view, self.random.choice((Qt.Key.Key_Return, Qt.Key.Key_Tab, Qt.Key.Key_Backspace)))
        how = self.random.choice(("double", "return", "escape", "nothing", "menu"))
        if how == "double":
            QTest.mouseDClick(view, left, none, self.place_in(view))
        elif how == "menu":
            QTest.mouseClick(view, Qt.MouseButton.RightButton, none, self.place_in(view))
        elif how != "nothing":
            QTest.keyClick(view, Qt.Key.Key_Return if how == "return" else Qt.Key.Key_Escape)

    def shortcut(self) -> None:
        """Keys of an action, wherever the focus is."""
        specs = [s for s in ACTIONS if s.shortcut and not self.is_never_done(self.window.actions_[s.id])]
        spec = self.random.choice(specs)
        keys = self.window.actions_[spec.id].shortcut()
        where = self._focus() if self.random.random() < 0.5 else self.window
        self.say(f"{spec.shortcut} {type(where).__name__}")
        self.marks.hit("shortcut")
        QTest.keyClick(where, keys[0].key(), keys[0].keyboardModifiers())

    def menu_bar(self) -> None:
        """Open a menu of the bar; the answers choose in it."""
        menus = [m for action in self.window.menuBar().actions() if isinstance(m := action.menu(), QMenu)]
        menu = self.random.choice(menus)
        self.say(menu.objectName())
        self.marks.hit(f"menu bar {menu.objectName()}")
        menu.popup(self.window.mapToGlobal(QPoint(20, 20)))
        pump(10)

    # ---- mouse and keys --------------------------------------------------

    def mouse(self) -> None:
        """A click, a double click, a drag, a wheel in the picture."""
        if self.window.viewport.isVisible():
            self._point(self.window.viewport)

    def touch(self) -> None:
        """The same anywhere in any window."""
        windows = [w for w in QApplication.topLevelWidgets() if w.isVisible()]
        if not windows:
            return
        window = self.random.choice([*windows, self.window]) if self.window.isVisible() else windows[0]
        place = self.place_in(window)
        self._point(window.childAt(place) or window)

    def _point(self, where: QWidget) -> None:
        start, end = self.place_in(where), self.place_in(where)
        button = self.random.choice(
            [Qt.MouseButton.LeftButton] * 5 + [Qt.MouseButton.RightButton] * 2 + [Qt.MouseButton.MiddleButton]
        )
        keys = self.random.choice(MODIFIERS)
        kind = self.random.choice(("click", "click", "click", "double", "drag", "drag", "wheel", "move", "menu"))
        self.say(f"{type(where).__name__} {kind} {button.name} {keys.name} {start.toTuple()} {end.toTuple()}")
        self.marks.hit(f"mouse {kind} {button.name}" if kind in ("click", "drag") else f"mouse {kind}")
        if kind == "double":
            QTest.mouseDClick(where, button, keys, start)
        elif kind == "click":
            QTest.mouseMove(where, start)
            QTest.mouseClick(where, button, keys, start)
        elif kind == "wheel":
            for _ in range(self.random.randint(1, 6)):
                if isValid(where):
                    turn_wheel(where, start, self.random.choice((120, -120, 600, -600)), keys)
        elif kind == "move":
            QTest.mouseMove(where, start)
            pump(self.random.choice((5, 150)))
        elif kind == "menu":
            ask_menu(where, start)
        else:
            self._drag(where, button, keys, start, end)

    def _drag(
        self, where: QWidget, button: Qt.MouseButton, keys: Qt.KeyboardModifier, start: QPoint, end: QPoint
    ) -> None:
        QTest.mousePress(where, button, keys, start)
        escapes = self.random.random() < 0.1
        for part in (0.1, 0.3, 0.7, 1.0):
            if not isValid(where):
                return
            move_held(where, button, keys, start + (end - start) * part)
            pump(5)
            if escapes and isValid(where):
                QTest.keyClick(where, Qt.Key.Key_Escape)
        if isValid(where):
            QTest.mouseRelease(where, button, keys, end)

    def _focus(self) -> QWidget:
        return QApplication.focusWidget() or self.window.viewport

    def key(self) -> None:
        """A key for the picture or for what has the focus; at times held for a while."""
        key, modifier = self.random.choice(KEYS), self.random.choice(MODIFIERS)
        where = self._focus() if self.random.random() < 0.4 else self.window.viewport
        self.say(f"{key.name} {modifier.name} {type(where).__name__}")
        self.marks.hit("key")
        if self.random.random() < 0.3:
            QTest.keyPress(where, key, modifier)
            pump(self.random.choice((30, 150)))
            if isValid(where):
                QTest.keyRelease(where, key, modifier)
        else:
            QTest.keyClick(where, key, modifier)

    def escape(self) -> None:
        """Escape, wherever one is."""
        self.marks.hit("escape")
        QTest.keyClick(self._focus(), Qt.Key.Key_Escape)

    def context(self) -> None:
        """The menu over the picture."""
        view = self.window.viewport
        if view.isVisible():
            QTest.mouseClick(view, Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier, self.place_in(view))

    # ---- panels and windows --------------------------------------------------

    def poke(self) -> None:
        """Something in a panel or in a window that is open."""
        windows = [w for w in QApplication.topLevelWidgets() if w.isVisible() and w is not self.window]
        shown = [panel for panel in self.window.panels.values() if not panel.visibleRegion().isEmpty()]
        place = self.random.choice([*shown, *windows, *windows, self.window.centralWidget(), self.window])
        self.say(place.objectName() or type(place).__name__)
        self.poke_inside(place, self.random.choice((1, 1, 2)))

    def hide_or_show(self) -> None:
        """A panel: to the front, away, out of the window or back into it."""
        name = self.random.choice(sorted(self.window.panels))
        panel, luck = self.window.panels[name], self.random.random()
        self.say(name)
        if panel.isVisible() and luck < 0.2:
            panel.hide()
        elif panel.isVisible() and luck < 0.35:
            panel.setFloating(not panel.isFloating())
            self.marks.hit("panel floats")
        else:
            self.window.show_panel(name)

    def size(self) -> None:
        """Another size of the window, or away and back."""
        kind = self.random.choice(("size", "size", "maximize", "minimize", "close another"))
        self.say(kind)
        self.marks.hit(f"window {kind}")
        if kind == "size":
            self.window.showNormal()
            self.window.resize(self.random.randint(400, 1100), self.random.randint(300, 750))
        elif kind == "maximize":
            self.window.showMaximized()
            pump(50)
            self.window.showNormal()
        elif kind == "minimize":
            self.window.showMinimized()
            pump(30)
            self.window.showNormal()
        else:
            for other in QApplication.topLevelWidgets():
                if other.isVisible() and other is not self.window and other.isWindow():
                    other.close()
                    return

    def select(self) -> None:
        """Elements and layers, as lists and search do."""
        layers = [layer for layer in self.window.document.scene if layer.table is not None]
        refs = []
        for layer in self.random.sample(layers, min(len(layers), self.random.randint(0, 3))):
            ids = list(layer.table.ids)
            refs += [ElementRef(layer.id, self.random.choice(ids) if ids and self.random.random() < 0.8 else "")]
        if layers and self.random.random() < 0.5:  # one thing, and what can be done with it
            layer = self.random.choices(layers, [4.0 if one.theme in HANDLED else 1.0 for one in layers])[0]
            refs = [ElementRef(layer.id, self.random.choice(list(layer.table.ids)))] if len(layer.table) else []
        self.say(str(refs))
        before = set(self._able())
        self.window.document.selection.set(refs)
        if self.random.random() < 0.6:  # what this can be used for, before anything else
            able = self._able()
            new = [key for key in able if key not in before]
            self._act_of(new if new and self.random.random() < 0.8 else able)

    def undo(self) -> None:
        """A few steps back and forth."""
        history = self.window.document.history
        for _ in range(self.random.randint(1, 6)):
            back = self.random.random() < 0.6
            self.say(str(history.undo_title if back else history.redo_title))
            self.window.actions_["undo" if back else "redo"].trigger()

    # ---- studies and files --------------------------------------------------

    def study(self) -> None:
        """Fill a form at random, run it, and perhaps stop it or wait for it."""
        names = sorted(analyses())
        name = self.random.choices(names, self.marks.weights([f"study {n}" for n in names]))[0]
        self.say(name)
        self.marks.hit(f"study {name}")
        self.window.show_analysis(name)
        panel = self.window.analyses
        if panel.form is not None:
            self.poke_inside(panel.form, self.random.choice((0, 0, 1, 2, 3)))
        self.window.run_analysis()
        luck = self.random.random()
        pump(self.random.choice((5, 50, 400)))
        if luck < 0.15:
            until = time.monotonic() + LONGEST_RUN_S
            while panel.job is not None and time.monotonic() < until:
                pump(100)
            self.marks.hit("study waited for")
        elif luck < 0.7:
            self.say("cancelled")
            self.marks.hit("study cancelled")
            panel.cancel()

    def drop(self) -> None:
        """Files dropped on the window."""
        paths = [self.old_file() for _ in range(self.random.choice((1, 1, 2, 3)))]
        self.say(", ".join(path.name for path in paths))
        self.marks.hit("drop files")
        target = self.window.checks if self.random.random() < 0.15 else self.window
        drop_on(target, [str(path) for path in paths])
        pump(self.random.choice((30, 300)))

    def odd_time(self) -> None:
        """Something that disturbs what runs."""
        deeds: dict[str, Callable[[], object]] = {
            "two projects": self._two_projects,
            "language": lambda: self.window.set_language(self.random.choice(("en", "ko"))),
            "undo": self.window.document.history.undo,
            "delete the layer": self._delete_a_layer,
            "save": lambda: self.window.actions_["save"].trigger(),
            "new": lambda: self.window.actions_["new"].trigger(),
            "close": self.window.close,
        }
        names = sorted(analyses())
        self.window.show_analysis(self.random.choice(names))
        self.window.run_analysis()
        pump(self.random.choice((5, 60, 200)))
        self.answer()
        deed = self.random.choice(sorted(deeds))
        self.say(deed)
        self.marks.hit(f"while a study runs: {deed}")
        deeds[deed]()
        pump(self.random.choice((5, 100)))

    def _two_projects(self) -> None:
        projects = sorted(self.folder.glob("*.twin"))
        for path in self.random.choices(projects, k=2):
            self.window.files.open_project(path)
            pump(self.random.choice((0, 10, 60)))
            self.answer()

    def _delete_a_layer(self) -> None:
        layers = list(self.window.document.scene)
        if layers:
            self.window.document.selection.set([ElementRef(self.random.choice(layers).id)])
            self.window.actions_["layer_remove"].trigger()

    def is_never_done(self, action: QAction) -> bool:
        """Nothing is left alone."""
        return False


def turn_wheel(widget: QWidget, place: QPoint, angle: int, keys: Qt.KeyboardModifier) -> None:
    """A turn of the wheel [1/8 deg]."""
    event = QWheelEvent(
        QPointF(place), QPointF(widget.mapToGlobal(place)), QPoint(), QPoint(0, angle),
        Qt.MouseButton.NoButton, keys, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def move_held(widget: QWidget, button: Qt.MouseButton, keys: Qt.KeyboardModifier, place: QPoint) -> None:
    """Moves the mouse with a button held."""
    there = QPointF(place)
    event = QMouseEvent(
        QEvent.Type.MouseMove, there, QPointF(widget.mapToGlobal(place)), Qt.MouseButton.NoButton, button, keys
    )
    QApplication.sendEvent(widget, event)


def drop_on(widget: QWidget, paths: list[str]) -> None:
    """Drag files over a widget and let go."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path) for path in paths])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # there is no other way to make one
        over = QDragEnterEvent(QPoint(20, 20), Qt.DropAction.CopyAction, data, left, none)
    QApplication.sendEvent(widget, over)
    if over.isAccepted():
        QApplication.sendEvent(widget, QDropEvent(QPointF(20, 20), Qt.DropAction.CopyAction, data, left, none))
