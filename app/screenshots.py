"""Pictures of the real window on the sample district, for the README and the manual: ``make screenshots``."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from app.commands import SetStyle
from app.demo import ANALYSIS, WINTER_DAY, sample_project
from app.document import Document
from app.jobs import Job
from app.main_window import MainWindow
from app.runs import run_on_project
from app.screenshot_cctv import CAMERAS
from app.screenshot_dig import DIGS
from app.screenshot_views import VIEWS
from app.settings import Settings
from geo.model import Bounds, Feedback

SIZE = (1366, 768)
PATIENCE_MS = 300_000
REACH = 260.0  # metres around the middle of the district
BUILDINGS = "buildings-building"
LOOK_MS = 100
JPEG_QUALITY = 88
SETTLE_MS = 6_000  # light and shadow are made in a job; software rendering needs a few frames


@dataclass(frozen=True)
class Shot:
    """One picture: file name, language, theme, and whether results are shown."""

    name: str
    language: str
    theme: str
    results: bool


SHOTS = (
    Shot("window-light-en-plain", "en", "light", False),
    Shot("window-light-ko-plain", "ko", "light", False),
    Shot("window-light-ko-results", "ko", "light", True),
    Shot("window-light-en-results", "en", "light", True),
    Shot("window-dark-en-results", "en", "dark", True),
    Shot("window-dark-ko-plain", "ko", "dark", False),
)


def main(arguments: list[str] | None = None) -> int:
    """Make all pictures into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="twin-screenshots-") as folder:
        project = sample_project(Path(folder), Feedback())
        run_on_project(ANALYSIS, project, params={"day": WINTER_DAY})
        _photograph(project, out)
    return 0


def _photograph(project: Path, out: Path) -> None:
    application = QApplication.instance() or QApplication(sys.argv[:1])
    window = MainWindow(Document(), Settings())
    window.resize(*SIZE)
    window.show()
    _wait(SETTLE_MS // 3)
    window.set_language("en")
    window.grab().save(str(out / "window-start.png"))
    _until_over(window.bench.open_project(project))
    middle = window.bench.document.scene[BUILDINGS].geometry
    if middle is not None and middle.bounds is not None:
        window.viewport.fit(_close_up(middle.bounds))
    for shot in SHOTS:
        window.set_language(shot.language)
        window.bench.set_theme(shot.theme)
        _show_results(window, shot.results)
        _wait(SETTLE_MS)
        window.grab().save(str(out / f"{shot.name}.png"))
    _show_results(window, False)
    for view in (*CAMERAS, *DIGS, *VIEWS):
        window.set_language(view.language)
        window.bench.set_theme(view.theme)
        view.prepare(window, _until)
        _wait(SETTLE_MS)
        _save_small(window.grab().toImage(), out / f"{view.name}.jpg")
    window.release()
    application.quit()


def _close_up(whole: Bounds) -> Bounds:
    """A part in the middle, near enough to see roofs and windows."""
    x, y, z = whole.centre
    return Bounds((x - REACH, y - REACH, whole.low[2]), (x + REACH, y + REACH, z))


def _show_results(window: MainWindow, shown: bool) -> None:
    """Results on or off, as a user's undoable change."""
    for layer in window.bench.document.scene:
        if layer.theme == "result" and layer.style.visible != shown:
            window.bench.do(SetStyle(layer.id, dataclasses.replace(layer.style, visible=shown)))


def _save_small(image: QImage, path: Path) -> None:
    """A picture for the manual, as JPEG: scenes full of detail are large as PNG."""
    image.save(str(path.with_suffix(".jpg")), "JPG", JPEG_QUALITY)


def _until(condition: Callable[[], bool]) -> None:
    timer = QTimer()

    def prepare(loop: QEventLoop) -> None:
        timer.timeout.connect(lambda: loop.quit() if condition() else None)
        timer.start(LOOK_MS)

    _loop(prepare, PATIENCE_MS)
    timer.stop()


def _until_over(job: Job) -> None:
    _loop(lambda loop: job.ended.connect(lambda *_: loop.quit()), PATIENCE_MS)


def _wait(milliseconds: int) -> None:
    _loop(lambda loop: None, milliseconds)


def _loop(prepare: Callable[[QEventLoop], object], milliseconds: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    prepare(loop)
    loop.exec()


if __name__ == "__main__":
    raise SystemExit(main())
