"""The start of the program, and the sample district in the window: first picture, longest stall of a sun study.

Needs a screen (``xvfb-run -a`` will do) and makes the sample district first if it is not there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT_MS = 300_000
ROUNDS = 5


IMPORTS = "import PySide6.QtWidgets, pyvista"
PLOTTER = "import PySide6.QtWidgets, pyvistaqt"
WINDOW = """
import gc
gc.disable()  # as the program does
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from app.document import Document
from app.language import language
from app.main_window import MainWindow
from app.settings import Settings
application = QApplication([])
settings = Settings()
settings.apply()
language.set(settings.language)
window = MainWindow(Document(), settings)
window.show()
application.processEvents()
"""
COMPLETE = """
while not window.is_furnished:
    application.processEvents()
"""


def cold_start() -> None:
    """Processes that end when the imports are done or the window is up; compiled code is on the disk already."""
    with tempfile.TemporaryDirectory(prefix="twin-start-") as folder:
        found = {"imports": IMPORTS, "plotter": PLOTTER, "window": WINDOW, "complete": WINDOW + COMPLETE}
        turns = [{name: _seconds(code, folder) for name, code in found.items()} for _ in range(ROUNDS + 1)][1:]
    best = {name: min(turn[name] for turn in turns) for name in found}
    print(
        f"import of PySide6 and PyVista   {best['imports']:6.2f} s; with its window (pyvistaqt) {best['plotter']:.2f} s"
    )
    for name, what in (("window", "a window that answers"), ("complete", "the picture's tools too")):
        first, second = (best[name] / best[other] for other in ("imports", "plotter"))
        print(f"program to {what:24} {best[name]:5.2f} s = {first:.2f} x, {second:.2f} x")


def _seconds(code: str, folder: str) -> float:
    timed = f"import time\nbegan = time.perf_counter()\n{code}\nprint(time.perf_counter() - began, flush=True)\n"
    timed += "import os\nos._exit(0)"
    around = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    around |= {"PYTHONPYCACHEPREFIX": folder, "XDG_CONFIG_HOME": folder}
    done = subprocess.run([sys.executable, "-c", timed], check=True, env=around, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def main(quick: bool = False) -> None:
    """Measure in a process of its own."""
    cold_start()
    code = f"from tests.bench.bench_window import measure; measure(quick={quick})"
    subprocess.run([sys.executable, "-c", code], check=True)


def measure(*, quick: bool) -> None:
    """Open the sample project, run `sunlight.hours`, print the figures."""
    from PySide6.QtCore import QEventLoop, QTimer
    from PySide6.QtWidgets import QApplication

    from analysis.registry import get
    from app.demo import sample_project
    from app.document import Document
    from app.jobs import StallMeter
    from app.layer_cache import cache_folder
    from app.main_window import MainWindow
    from app.settings import Settings
    from geo.model import Feedback

    project: Path = cache_folder() / "bench" / "hapgang.twin"
    if not project.exists():
        sample_project(project.parent, Feedback())

    application = QApplication.instance() or QApplication([])
    settings = tempfile.TemporaryDirectory(prefix="twin-settings-")
    window = MainWindow(Document(), Settings(Path(settings.name) / "settings.ini"))
    window.resize(900, 600)
    window.show()
    while not window.is_furnished:  # as the program does before it opens anything
        application.processEvents()

    loop = QEventLoop()
    QTimer.singleShot(LIMIT_MS, loop.quit)
    meter = StallMeter(window)
    opening = time.perf_counter()
    meter.start()
    job = window.bench.open_project(project)
    job.ended.connect(lambda *_: loop.quit())
    loop.exec()
    application.processEvents()
    print(f"project to first picture        {time.perf_counter() - opening:6.2f} s, longest stall {meter.stop():.2f} s")

    meter.start()
    running = time.perf_counter()
    params = {"ground_cell": 8.0, "facade_spacing": 8.0} if quick else {}
    run = window.bench.run(get("sunlight.hours"), params)
    if run is None:
        raise RuntimeError("the project did not open")
    stalls = [0.0]
    run.progressed.connect(lambda: stalls.append(meter.longest_s))
    run.ended.connect(lambda *_: loop.quit())
    loop.exec()
    elapsed, shown_stall = time.perf_counter() - running, meter.stop()
    frame = time.perf_counter()
    window.grab()
    print(f"sunlight.hours in the window    {elapsed:6.2f} s, longest stall {stalls[-1]:.2f} s while it ran")
    drawn = time.perf_counter() - frame
    print(f"result into the scene           longest stall {shown_stall:.2f} s; one frame takes {drawn:.2f} s")
    window.release()
    settings.cleanup()
    application.quit()


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
