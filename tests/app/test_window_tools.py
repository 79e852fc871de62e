"""The start page comes first, the picture and its tools after it, in short turns or when one of them is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from app import window_tools
from app.main_window import MainWindow
from tests.app import tiny_city
from tests.app.window_hands import WAIT_MS, settle


def test_a_window_is_up_before_its_picture_and_gets_it_by_itself(bare: MainWindow, qtbot: Any) -> None:
    assert not bare.is_furnished
    assert "viewport" not in bare.__dict__
    assert bare.stack.currentWidget() is bare.start_page
    assert bare.actions_["open"].isEnabled()
    assert not bare.actions_["view_home"].isEnabled()
    bare.show()
    with qtbot.waitSignal(bare.furnished, timeout=WAIT_MS):
        pass
    assert bare.is_furnished
    assert set(bare.__dict__) >= window_tools.NAMES
    assert bare.analyses.form is not None
    qtbot.waitUntil(lambda: bare.furnishing.are_over, timeout=WAIT_MS)


def test_whoever_asks_for_a_tool_has_all_of_them(bare: MainWindow) -> None:
    assert not bare.masses.active
    assert bare.is_furnished
    with pytest.raises(AttributeError, match="no_such_tool"):
        bare.no_such_tool  # noqa: B018


def test_what_comes_into_the_scene_is_drawn_by_a_window_that_had_no_picture(bare: MainWindow, qtbot: Any) -> None:
    tiny_city.fill(bare.document)
    bare.bench.document_opened.emit()
    bare.show()
    settle(bare, qtbot)
    assert bare.is_furnished
    assert bare.stack.currentWidget() is bare.viewport
    assert {layer.id for layer in bare.viewport.stage.layers} == {layer.id for layer in bare.document.scene}
    assert bare.actions_["view_home"].isEnabled()


def test_theme_and_language_chosen_meanwhile_reach_the_tools(bare: MainWindow, qtbot: Any) -> None:
    bare.show()
    bare.bench.set_theme("dark")
    bare.set_language("ko")
    with qtbot.waitSignal(bare.furnished, timeout=WAIT_MS):
        pass
    qtbot.waitUntil(lambda: bare.dressing.are_over, timeout=WAIT_MS)
    assert bare.viewport.theme.is_dark
    assert bare.layers.windowTitle() != "Scene"
    assert bare.modes.bar.isHidden()


def test_a_window_closed_before_it_is_furnished_never_is(bare: MainWindow, qtbot: Any) -> None:
    bare.show()
    bare.close()
    qtbot.wait(window_tools.FURNISH_MS * 3)
    assert not bare.is_furnished
    with pytest.raises(AttributeError):
        bare.viewport  # noqa: B018


def test_what_cannot_be_made_is_told_once_and_nothing_is_built_on_it(
    bare: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def missing(name: str) -> None:
        tried.append(name)
        raise ImportError("libGL.so.1: cannot open shared object file")

    monkeypatch.setattr(window_tools.importlib, "import_module", missing)
    with pytest.raises(ImportError, match="libGL"):
        bare.furnish()
    with pytest.raises(RuntimeError, match="there is no viewport"):
        bare.viewport  # noqa: B018
    assert tried == [window_tools.LIBRARIES[0]]
    bare.refresh_state()  # the window itself goes on
    assert bare.actions_["quit"].isEnabled()


def test_what_is_asked_of_the_start_page_waits_for_the_tools(bare: MainWindow, qtbot: Any) -> None:
    done: list[bool] = []
    bare.show()
    bare.when_furnished(lambda: done.append(bare.is_furnished))
    assert done == []
    with qtbot.waitSignal(bare.furnished, timeout=WAIT_MS):
        pass
    bare.when_furnished(lambda: done.append(bare.is_furnished))
    assert done == [True, True]
    bare.furnished.emit()
    assert done == [True, True]


def test_a_window_that_is_not_shown_is_furnished_for_what_is_asked(bare: MainWindow) -> None:
    done: list[bool] = []
    bare.when_furnished(lambda: done.append(bare.is_furnished))
    assert done == [True]
