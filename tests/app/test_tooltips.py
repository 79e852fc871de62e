"""Every button says what it does, also to who cannot see it, in both languages; empty panels say what they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTabBar,
    QToolButton,
)

from app.language import LANGUAGES, texts

if TYPE_CHECKING:
    from app.main_window import MainWindow

QT_PARTS = (QTabBar, QAbstractSpinBox, QComboBox, QLineEdit)  # their buttons are made and named by Qt


def buttons(window: MainWindow) -> list[QAbstractButton]:
    """All that are not parts of another control."""
    found = window.findChildren(QAbstractButton)
    own = [one for one in found if not one.objectName().startswith("qt_")]
    return [one for one in own if not isinstance(one.parentWidget(), QT_PARTS)]


def where(button: QAbstractButton) -> str:
    parent = button.parentWidget()
    return f"{button.text()!r} {button.property('text_id')} in {type(parent).__name__} {parent.objectName()}"


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_button_has_a_tooltip_and_a_name(city: MainWindow, code: str) -> None:
    city.set_language(code)
    named = buttons(city)
    assert len(named) > 80
    plain = [one for one in named if not isinstance(one, QCheckBox)]  # those have their words beside them
    assert [where(one) for one in plain if not one.toolTip()] == []
    assert [where(one) for one in named if not (one.accessibleName() or one.text())] == []


def test_tooltips_are_in_the_language_of_the_window(city: MainWindow) -> None:
    told = {}
    for code in LANGUAGES:
        city.set_language(code)
        told[code] = {id(one): one.toolTip() for one in buttons(city) if one.property("tip_id")}
    ids = {one.property("tip_id") for one in buttons(city) if one.property("tip_id")}
    assert all(ids <= set(texts(code)) for code in LANGUAGES)
    assert not [tip for key, tip in told["ko"].items() if told["en"].get(key) == tip and any(map(str.islower, tip))]


@pytest.mark.parametrize("code", LANGUAGES)
def test_buttons_of_the_toolbar_tell_their_keys(city: MainWindow, code: str) -> None:
    city.set_language(code)
    shown = [one for one in city.toolbar.findChildren(QToolButton) if one.defaultAction() is not None]
    assert len(shown) > 15
    for button in shown:
        keys = button.defaultAction().shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        assert button.toolTip()
        assert keys in button.toolTip()


@pytest.mark.parametrize("code", LANGUAGES)
def test_empty_panels_say_what_they_are_for(window: MainWindow, code: str) -> None:
    window.set_language(code)
    window.furnish()
    for name, panel in window.panels.items():
        if name == "timeline":
            continue  # never empty: its controls are grey
        panel.show()
        labels = [label.text() for label in panel.findChildren(QLabel) if not label.isHidden()]
        hints = [edit.placeholderText() for edit in panel.findChildren(QPlainTextEdit)]
        assert max(map(len, [*labels, *hints]), default=0) > 8, name
