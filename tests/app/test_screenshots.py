"""Pictures that are kept are those that pages show, and dialogs in them have a title."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QRect
from PySide6.QtGui import QImage, QPainter

from app.help_pages import PAGES, page
from app.language import LANGUAGES, language
from app.screenshot_scenes import SCENES
from app.screenshots import BAR_HEIGHT, IN_README, NOT_IN_HELP, _draw_frame
from app.theme import THEME_NAMES, theme_named


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_picture_that_is_kept_is_on_a_page(code: str) -> None:
    with language.spoken(code):
        shown = {name for each in PAGES for name in re.findall(r"\(pictures/(\w+)\.jpg\)", page(each))}
    names = {scene.name for scene in SCENES}
    assert set(NOT_IN_HELP) | {name for name, _, _ in IN_README} <= names
    assert shown == names - set(NOT_IN_HELP)


@pytest.mark.parametrize("name", THEME_NAMES)
def test_a_dialog_has_a_bar_with_its_title_and_a_hairline(qapp: object, name: str) -> None:
    picture = QImage(200, 140, QImage.Format.Format_RGB32)
    picture.fill(0x7F7F7F)
    inside, theme = QRect(20, 60, 160, 60), theme_named(name)
    painter = QPainter(picture)
    _draw_frame(painter, inside, "Report", theme)
    painter.end()
    top = inside.top() - BAR_HEIGHT
    assert picture.pixelColor(inside.left(), top).name() == theme["card_line"]
    assert picture.pixelColor(inside.right(), inside.bottom()).name() == theme["card_line"]
    assert picture.pixelColor(inside.right() - 3, top + 3).name() == theme["card"]
    written = {picture.pixelColor(x, y).name() for x in range(25, 90) for y in range(top + 4, inside.top() - 4)}
    assert len(written) > 2
    assert picture.pixelColor(100, 90).name() == "#7f7f7f"
