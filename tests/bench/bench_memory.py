"""Memory of the window after opening and closing a project again and again: what is not given back is a leak.

The first opening pays for libraries, compiled kernels and shaders that stay; the figure is what the window holds after
the last closing over what it held after the first. Needs a screen (``xvfb-run -a``).
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROUNDS = 10
PATIENCE_S = 300.0


def main(quick: bool = False) -> None:
    """Measure in a process of its own."""
    code = f"from tests.bench.bench_memory import measure; measure(rounds={3 if quick else ROUNDS})"
    subprocess.run([sys.executable, "-c", code], check=True)


def measure(*, rounds: int = ROUNDS, project: Path | None = None, names: bool = False) -> None:
    """Open and close the project, and print what stays."""
    import psutil
    from PySide6.QtWidgets import QApplication

    from app.document import Document
    from app.main_window import MainWindow
    from app.memory import REST_MS
    from app.settings import Settings
    from tests.bench.bench_working_day import sample
    from tests.bench.working_day import pump

    application = QApplication.instance() or QApplication([])
    process, path = psutil.Process(), project or sample()
    folder = tempfile.TemporaryDirectory(prefix="twin-memory-")
    window = MainWindow(Document(), Settings(Path(folder.name) / "settings.ini"))
    window.resize(1100, 700)
    window.show()
    pump(300)
    held: list[float] = []
    before: Counter[str] = Counter()
    for number in range(rounds):
        window.bench.open_project(path)
        until = time.monotonic() + PATIENCE_S
        pump(300)
        while (window.bench.jobs.busy or window.viewport.frames.busy) and time.monotonic() < until:
            pump(100)
        opened = process.memory_info().rss / 2**20
        window.bench.new_project()
        while window.bench.jobs.busy and time.monotonic() < until:
            pump(100)
        gc.collect()
        pump(REST_MS + 500)  # the program gives back what is free when it has come to rest
        while window.bench.jobs.busy and time.monotonic() < until:
            pump(100)
        held.append(process.memory_info().rss / 2**20)
        shared = getattr(process.memory_info(), "shared", 0) / 2**20
        print(
            f"round {number + 1:2d}: open {opened:6.0f} MB, closed {held[-1]:6.0f} MB, "
            f"{held[-1] - shared:6.0f} MB of it the program's own and the rest pages of files",
            flush=True,
        )
        if names:
            now = Counter(type(one).__name__ for one in gc.get_objects())
            print("   ", dict((now - before).most_common(12)), flush=True)
            before = now
    print(f"after {rounds} projects {held[-1] / held[0]:.3f} of what was held after the first")
    window.release()
    folder.cleanup()
    application.quit()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--project", type=Path, help="another project than the sample district")
    parser.add_argument("--names", action="store_true", help="say of which kinds of objects there are more")
    chosen = parser.parse_args()
    measure(rounds=chosen.rounds, project=chosen.project, names=chosen.names)
