"""Pictures of the real window on the sample district, for the README and the manual: ``make screenshots``.

All pictures go into a folder; the few that the README and the manual show are written, small, beside these.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEventLoop, QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication, QDialog

from app.demo import sample_project
from app.document import Document
from app.jobs import Job
from app.main_window import MainWindow
from app.screenshot_scenes import SCENES, SceneShot, tidy
from app.settings import Settings
from app.theme import Theme
from geo.model import Feedback

SIZES = ((1366, 768), (1920, 1080))
THEMES = ("light", "dark")
LANGUAGES = ("ko", "en")
AUTHOR = "Sejong Twin"
PATIENCE_MS = 600_000
LOOK_MS = 100
QUALITY, SMALL_QUALITY = 88, 82
SETTLE_MS = 6_000  # light and shadow are made in a job; software rendering needs a few frames
ROOT = Path(__file__).resolve().parents[1]
README = ROOT / ".github" / "pictures"
HELP = ROOT / "resources" / "help"
README_WIDTH, HELP_WIDTH = 1200, 640
BAR_HEIGHT, BAR_EDGE = 32, 12  # pixels of the bar with a dialog's title, and left of the title
# Pictures of the README: scene, theme, language. Those of the manual are light, in the language of the page.
IN_README = (
    ("sun", "light", "ko"),
    ("massing", "light", "en"),
    ("underground", "light", "ko"),
    ("indoor", "light", "en"),
    ("camera", "light", "ko"),
)
NOT_IN_HELP = ("start", "settings", "overview", "search", "camera")


@dataclass(frozen=True)
class Way:
    """How a picture is taken."""

    size: tuple[int, int]
    theme: str
    language: str

    def file_name(self, scene: str) -> str:
        """Name without ending."""
        return f"{scene}-{self.language}-{self.theme}-{self.size[0]}x{self.size[1]}"


def main(arguments: list[str] | None = None) -> int:
    """Make all pictures into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--project", type=Path, help="a project of the sample district; else one is generated")
    parser.add_argument("--only", nargs="*", choices=[scene.name for scene in SCENES], help="these scenes only")
    parser.add_argument("--few", action="store_true", help="light theme and small screen only")
    parser.add_argument("--keep", action="store_true", help="write those of the README and the manual too")
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    scenes = [scene for scene in SCENES if not chosen.only or scene.name in chosen.only]
    photographer = _Photographer(chosen.out, list(_ways(chosen.few)), keep=chosen.keep)
    with tempfile.TemporaryDirectory(prefix="twin-screenshots-") as folder:
        project = chosen.project or sample_project(Path(folder), Feedback())
        photographer.take_all(project, scenes, Path(folder) / "settings.ini")
    return 0


def _ways(few: bool) -> Iterator[Way]:
    sizes, themes = (SIZES[:1], THEMES[:1]) if few else (SIZES, THEMES)
    for size, theme, language in itertools.product(sizes, themes, LANGUAGES):
        yield Way(size, theme, language)


class _Photographer:
    def __init__(self, out: Path, ways: list[Way], *, keep: bool) -> None:
        self._out, self._ways, self._keep = out, ways, keep

    def take_all(self, project: Path, scenes: list[SceneShot], preferences: Path) -> None:
        application = QApplication.instance() or QApplication(sys.argv[:1])
        settings = Settings(preferences)
        settings.author = AUTHOR
        window = MainWindow(Document(), settings)
        window.show()
        _wait(SETTLE_MS // 3)
        for scene in sorted(scenes, key=lambda one: not one.empty):
            if not scene.empty and not len(window.document.scene):
                _until_over(window.bench.open_project(project))
            for way in self._ways:
                self._take(window, scene, way)
        tidy(window)
        window.document.history.clear()
        window.release()
        application.quit()

    def _take(self, window: MainWindow, scene: SceneShot, way: Way) -> None:
        tidy(window)
        window.resize(*way.size)
        window.bench.set_theme(way.theme)
        window.set_language(way.language)
        _wait(LOOK_MS)
        scene.prepare(window, _until)
        _until(lambda: not window.bench.jobs.busy)
        _wait(SETTLE_MS)
        window.notice_area.clear()
        picture = _picture(window)
        picture.save(str(self._out / f"{way.file_name(scene.name)}.jpg"), "JPG", QUALITY)
        if self._keep and way.size == SIZES[0]:
            self._write_kept(picture, scene.name, way)

    def _write_kept(self, picture: QImage, scene: str, way: Way) -> None:
        if way.theme == "light" and scene not in NOT_IN_HELP:
            _save_small(picture, HELP / way.language / "pictures" / f"{scene}.jpg", HELP_WIDTH)
        if (scene, way.theme, way.language) in IN_README:
            _save_small(picture, README / f"{scene}.jpg", README_WIDTH)


def _picture(window: MainWindow) -> QImage:
    """The window with the dialogs over it; a window of its own alone."""
    shown = [dialog for dialog in window.findChildren(QDialog) if dialog.isVisible() and dialog.isWindow()]
    for dialog in shown:
        if dialog.windowType() == Qt.WindowType.Window:
            dialog.resize(window.size())
            _wait(SETTLE_MS)
            return dialog.grab().toImage()
    picture = window.grab().toImage()
    painter = QPainter(picture)
    for dialog in shown:
        inside = dialog.mapToGlobal(QPoint(0, 0)) - window.mapToGlobal(QPoint(0, 0))
        free = window.size() - dialog.size()
        at_most = QPoint(max(free.width(), 0), max(free.height(), 0))
        bar = BAR_HEIGHT if dialog.windowType() == Qt.WindowType.Dialog and dialog.windowTitle() else 0
        place = QPoint(min(max(inside.x(), 0), at_most.x()), min(max(inside.y(), bar), max(at_most.y(), bar)))
        painter.drawPixmap(place, dialog.grab())
        _draw_frame(painter, QRect(place, dialog.size()), dialog.windowTitle() if bar else "", window.bench.theme)
    painter.end()
    return picture


def _draw_frame(painter: QPainter, inside: QRect, title: str, theme: Theme) -> None:
    """A bar with the title over a dialog, where it has one, and a hairline around both: no desktop draws them here."""
    whole = inside.adjusted(0, -BAR_HEIGHT if title else 0, 0, 0)
    if title:
        bar = QRect(whole.topLeft(), inside.topRight() - QPoint(0, 1))
        painter.fillRect(bar, QColor(theme["card"]))
        painter.setPen(QColor(theme["ink"]))
        painter.drawText(bar.adjusted(BAR_EDGE, 0, -BAR_EDGE, 0), Qt.AlignmentFlag.AlignVCenter, title)
    painter.setPen(QColor(theme["card_line"]))
    painter.drawRect(whole.adjusted(0, 0, -1, -1))


def _save_small(picture: QImage, path: Path, width: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    small = picture.scaledToWidth(width, Qt.TransformationMode.SmoothTransformation)
    small.save(str(path), "JPG", SMALL_QUALITY)


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
