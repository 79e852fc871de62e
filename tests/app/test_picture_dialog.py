"""Pictures of any size: chosen in a dialog, drawn at that size, with or without legend and scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QFileDialog

from app.jobs import JobState
from app.main_window import MainWindow
from app.picture_dialog import PictureDialog, paper_size, save_picture
from app.view import picture_work
from tests.app.view_scene import need_graphics
from tests.app.window_hands import WAIT_MS, settle


def test_a_page_of_paper_has_its_pixels() -> None:
    assert paper_size("a4") == (3508, 2480)
    assert paper_size("a3") == (4961, 3508)


def ask(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, target: Path, *, size: tuple[int, int], cards: bool
) -> str:
    """Save a picture as a person does; returns what the dialog said of its size on paper."""
    said: list[str] = []

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, PictureDialog)
        dialog.size_.setCurrentIndex(dialog.size_.findData("custom"))
        dialog.width_.set_value(size[0])
        dialog.height_.set_value(size[1])
        dialog.cards.setChecked(cards)
        said.append(dialog.printed.text())
        dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Save).click()

    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_a, **_k: (str(target), ""))
    QTimer.singleShot(0, answer)
    window.actions_["picture"].trigger()
    return said[0]


def test_the_picture_has_the_size_that_was_asked_for(
    city: MainWindow, qtbot: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    need_graphics()
    said = ask(city, monkeypatch, tmp_path / "with.png", size=(1200, 600), cards=True)
    assert said.startswith("10.2 × 5.1 cm")
    qtbot.waitUntil((tmp_path / "with.png").exists, timeout=WAIT_MS)
    settle(city, qtbot)
    ask(city, monkeypatch, tmp_path / "without.jpg", size=(1200, 600), cards=False)
    qtbot.waitUntil((tmp_path / "without.jpg").exists, timeout=WAIT_MS)
    settle(city, qtbot)
    with Image.open(tmp_path / "with.png") as full, Image.open(tmp_path / "without.jpg") as bare:
        assert full.size == bare.size == (1200, 600)
        assert full.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        differs = np.abs(np.asarray(full.convert("RGB"), int) - np.asarray(bare.convert("RGB"), int)).max(axis=2) > 60
    assert differs[:, 900:].sum() > 200  # north arrow and scale bar stand on one only
    assert differs[200:400, 400:700].mean() < 0.02  # the scene is the same
    dialog = PictureDialog(city.viewport.size(), city.settings, city)
    assert dialog.size_.currentData() == "custom"
    assert dialog.chosen_size == (1200, 600)
    assert not dialog.cards.isChecked()
    dialog.deleteLater()
    settle(city, qtbot)


def test_drawing_is_a_job_that_can_be_stopped(
    city: MainWindow, qtbot: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    need_graphics()
    view, target = city.viewport, tmp_path / "large.png"
    view.canvas.software = True
    monkeypatch.setattr(picture_work, "PAUSE_MS", 500)  # a large city takes as long
    job = save_picture(city, target, (1600, 900), cards=True)
    qtbot.waitUntil(lambda: job.message == "drawing", timeout=WAIT_MS)
    assert view.canvas.is_held
    job.cancel()
    qtbot.waitUntil(lambda: job.is_over, timeout=WAIT_MS)
    assert job.state is JobState.CANCELLED
    assert not view.canvas.is_held
    assert not target.exists()
    job = save_picture(city, target, (800, 450), cards=False)
    settle(city, qtbot)
    assert job.state is JobState.DONE
    assert target.exists()


def test_a_picture_that_was_given_up_says_so(city: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    need_graphics()
    city.viewport.canvas.software = True
    told: list[Any] = []
    city.bench.notices.posted.connect(told.append)
    job = save_picture(city, tmp_path / "large.png", (1600, 900), cards=True)
    city.viewport.pictures.give_up()  # as a change of the window's own buffer does
    qtbot.waitUntil(lambda: job.is_over, timeout=WAIT_MS)
    assert job.state is JobState.FAILED
    assert not (tmp_path / "large.png").exists()
    assert [notice.words()[2] for notice in told if notice.severity == "error"] == ["Save it again."]
    settle(city, qtbot)
