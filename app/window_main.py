"""Starts the window: Qt application, preferences, language, theme, log file, hooks for what nobody caught."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from app.leftovers import sweep
from app.platform_check import check_window
from app.read_ahead import read_ahead

if TYPE_CHECKING:
    from app.main_window import MainWindow

LOG_BYTES = 1_000_000
WARM_UP_MS = 400


def run_window(path: Path | None, *, argv: Sequence[str] | None = None) -> int:
    """Open the window, on a project or on a file to import, and stay until it is closed.

    Raises `UserError` when this machine has no screen or lacks system libraries.
    """
    gc.disable()  # what is imported and made until all tools are there stays: looking for rubbish in it takes a tenth
    check_window()
    _log_to_file()
    sweep()
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from app.document import Document
    from app.language import language
    from app.main_window import MainWindow
    from app.settings import Settings
    from app.tour import offer_tour

    application = QApplication.instance() or QApplication([*(sys.argv[:1] or ["twin"]), *(argv or ())])
    application.setApplicationName("Sejong Twin")
    application.setDesktopFileName("sejong-twin")
    settings = Settings()
    settings.apply()
    language.set(settings.language)
    window = MainWindow(Document(), settings)
    window.bench.notices.install_hooks()
    window.show()
    settle_in(window, alone=True)
    if path is not None:
        window.when_furnished(lambda: window.files.open_paths([path]))
    else:
        QTimer.singleShot(0, window, lambda: offer_tour(window))
    QTimer.singleShot(WARM_UP_MS, window, window.files.offer_recovery)
    try:
        return int(application.exec())
    finally:
        window.bench.notices.remove_hooks()
        window.release()
        _collect_all()


def settle_in(window: MainWindow, *, alone: bool = False) -> None:
    """Have what the window would wait for later read and imported beside it.

    alone : bool
        Nothing but this window lives in the program: what is there when its tools and imports are is never looked
        through for rubbish again, which takes most of such a search. Not once a project is open, which is to go again.
    """
    from PySide6.QtCore import QTimer

    from app.early_imports import EarlyImports
    from app.language import tr

    def imported() -> None:
        if alone and not len(window.document.scene):
            gc.freeze()

    def begin() -> None:
        EarlyImports(window).over.connect(imported)

    if alone:
        window.furnished.connect(gc.freeze)
    window.bench.jobs.submit(read_ahead, title=tr("job.view"), shown=False)
    QTimer.singleShot(WARM_UP_MS, window, begin)


def _collect_all() -> None:
    gc.unfreeze()
    gc.enable()  # the window did, unless it could not be made


def log_folder() -> Path:
    """Where the log is written."""
    from platformdirs import user_log_path

    return user_log_path("sejong-twin")


def _log_to_file() -> None:
    """Keep a log on disk; a disk that cannot be written does not stop the program."""
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    try:
        log_folder().mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(log_folder() / "twin.log", maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8")
    except OSError as error:
        logging.getLogger(__name__).warning("no log file: %s", error)
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
