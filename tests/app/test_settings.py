"""Settings: each holds at once and the next time; what the environment says stays; copies are thrown away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QFileDialog

from analysis.threads import processors, thread_count
from app.language import language, tr
from app.layer_cache import cache_folder, cache_size, limit_bytes
from app.settings import PictureChoice, Settings
from app.settings_dialog import SettingsDialog


@pytest.fixture
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing said by the environment; put back afterwards."""
    for name in ("TWIN_THREADS", "TWIN_CACHE_GB", "TWIN_CACHE"):
        monkeypatch.setenv(name, "")


@pytest.mark.usefixtures("_plain_environment")
def test_threads_and_cache_are_taken_over(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "s.ini")
    assert thread_count() == processors()
    settings.threads, settings.cache_limit, settings.cache_folder = 1, 7, tmp_path / "copies"
    settings.apply()
    assert thread_count() == 1
    assert limit_bytes() == 7 << 30
    assert cache_folder() == tmp_path / "copies"
    settings.threads, settings.cache_folder = 0, None
    settings.apply()
    assert thread_count() == processors()
    assert cache_folder() != tmp_path / "copies"
    again = Settings(tmp_path / "s.ini")
    assert (again.threads, again.cache_limit, again.cache_folder) == (0, 7, None)


def test_how_pictures_are_saved_is_kept_and_nonsense_is_not(tmp_path: Path) -> None:
    path = tmp_path / "s.ini"
    assert Settings(path).picture == PictureChoice()
    chosen = PictureChoice("custom", 1200, 600, cards=False)
    Settings(path).picture = chosen
    assert Settings(path).picture == chosen
    for nonsense in ("custom 1e9 -5 no", "custom", "a b c d e", "custom 12 ² yes", "custom 9999999999 9 no"):
        path.write_text(f"[General]\npicture={nonsense}\n", encoding="utf-8")
        assert Settings(path).picture == PictureChoice()


@pytest.mark.usefixtures("_plain_environment")
def test_who_starts_the_program_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "given"))
    settings = Settings(tmp_path / "s.ini")
    settings.cache_folder = tmp_path / "own"
    settings.apply()
    assert cache_folder() == tmp_path / "given"


@pytest.mark.parametrize("said", ["-3", "many", "1.5", ""])
def test_nonsense_counts_as_nothing(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_THREADS", said)
    assert thread_count() == processors()


def test_never_more_threads_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_THREADS", "9999")
    assert thread_count() == processors()


def test_a_person_changes_settings(window: Any, qtbot: Any, tmp_path: Path, monkeypatch: Any) -> None:
    for name in ("TWIN_THREADS", "TWIN_CACHE_GB"):
        monkeypatch.setenv(name, "")
    window.actions_["settings"].trigger()
    dialog = window.findChild(SettingsDialog)
    assert dialog is not None
    assert dialog.isVisible()
    dialog.language.setCurrentIndex(0)
    dialog.language.activated.emit(0)
    assert language.code == dialog.language.itemData(0)[0]
    assert dialog.windowTitle() == tr("action.settings").rstrip("…")
    index = dialog.theme.findText(tr("action.theme_dark"))
    dialog.theme.setCurrentIndex(index)
    dialog.theme.activated.emit(index)
    assert window.bench.theme.name == "dark"
    dialog.threads.setValue(1)
    assert thread_count() == 1
    dialog.autosave.setValue(7)
    assert window.settings.autosave_minutes == 7
    copies = cache_folder() / "layers"
    copies.mkdir(parents=True, exist_ok=True)
    (copies / "a.layers").write_bytes(bytes(3 << 20))
    dialog.clear()
    assert cache_size() < 1 << 20
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_a, **_k: str(tmp_path / "other"))
    dialog.ask_folder()
    assert window.settings.cache_folder == tmp_path / "other"
    dialog.accept()
