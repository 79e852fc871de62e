"""A working day in small in the real window on the sample district: the five worst gaps of the event loop.

``python -m tests.bench.bench_working_day [--short] [--project FILE]``. Needs a screen (``xvfb-run -a``). A user's
hand moves in steps of some 30 ms, as a mouse does, and rests between two things; the long script goes through the day
again until ten minutes are over.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

LONG_S = 600.0
LONGEST_S = 0.2  # that the window may keep its user waiting
PATIENCE_S = 240.0


def main(quick: bool = False) -> None:
    """Measure in a process of its own."""
    code = f"from tests.bench.bench_working_day import measure; measure(short={quick})"
    subprocess.run([sys.executable, "-c", code], check=True)


def sample() -> Path:
    """The sample project, made once."""
    from app.demo import sample_project
    from app.layer_cache import cache_folder
    from geo.model import Feedback

    project = cache_folder() / "bench" / "hapgang.twin"
    if not project.exists():
        sample_project(project.parent, Feedback())
    return project


def measure(*, short: bool, project: Path | None = None, size: tuple[int, int] = (1366, 768), parts: str = "") -> None:
    """Work through the day and print what held it up."""
    from PySide6.QtWidgets import QApplication

    from app.document import Document
    from app.main_window import MainWindow
    from app.settings import Settings
    from app.window_main import settle_in
    from tests.bench.gaps import GapWatch
    from tests.bench.working_day import PARTS, WorkingDay

    application = QApplication.instance() or QApplication([])
    original = project or sample()
    with tempfile.TemporaryDirectory(prefix="twin-day-") as folder:
        copy = Path(shutil.copytree(original.parent, Path(folder) / "day", dirs_exist_ok=True)) / original.name
        window = MainWindow(Document(), Settings(Path(folder) / "settings.ini"))
        window.resize(*size)
        window.show()
        settle_in(window, alone=True)
        watch = GapWatch([window.viewport.stage.window])
        day = WorkingDay(window, copy, watch, short=short)
        watch.start()
        before = _stolen_s()
        began = time.perf_counter()
        day.open()
        rounds = 0
        while rounds == 0 or (not short and time.perf_counter() - began < LONG_S):
            day.work(first=rounds == 0, parts=parts.split(",") if parts else PARTS)
            rounds += 1
        watch.stop()
        taken = None if before is None else (_stolen_s() or 0.0) - before
        _tell(watch, time.perf_counter() - began, day, taken)
        window.release()
    application.quit()


def _stolen_s() -> float | None:
    """Seconds that other guests of the machine had its processors since it started; None where that is not told."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
        return int(fields[8]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def _tell(watch: Any, seconds: float, day: Any, stolen: float | None) -> None:
    width, height = day.window.viewport.width(), day.window.viewport.height()
    print(f"{seconds:.0f} s of work in {day.done} acts, picture {width} x {height}, {watch.frames} frames drawn")
    print(f"{len(watch.gaps)} gaps above 0.2 s, {sum(gap.wall_s for gap in watch.gaps):.1f} s in all")
    if stolen is not None:
        print(f"the host took the processors away for {stolen:.1f} s (steal, all processors)")
    starved = sum(gap.all_s < LONGEST_S for gap in watch.gaps)
    print(f"in {starved} of them all threads together worked less than 0.2 s: the machine did not let the program run")
    acts = Counter(gap.doing for gap in watch.gaps)
    print("by act: " + ", ".join(f"{act} {count}" for act, count in acts.most_common()) + "; the five worst:")
    for gap in watch.worst():
        print("  " + gap.text())
    own = [f"{gap.cpu_s:.2f}" for gap in sorted(watch.gaps, key=lambda gap: -gap.cpu_s)[:5]]
    print(f"longest work of the main thread itself in a gap: {', '.join(own) or 'none'} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", "--quick", action="store_true", help="once through the day")
    parser.add_argument("--project", type=Path, help="another project than the sample district")
    parser.add_argument("--size", default="1366x768", help="of the window")
    parser.add_argument(
        "--parts", default="", help="of the day, with commas: look, find, sun, masses, dress, studies, modes, out"
    )
    chosen = parser.parse_args()
    width, height = (int(part) for part in chosen.size.split("x"))
    measure(short=chosen.short, project=chosen.project, size=(width, height), parts=chosen.parts)
