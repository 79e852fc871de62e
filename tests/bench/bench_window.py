"""The window on the sample district: time to the first picture, longest stall while the sun study runs.

Needs a screen (``xvfb-run -a`` will do) and makes the sample district first if it is not there.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

LIMIT_MS = 300_000


def main(quick: bool = False) -> None:
    """Measure in a process of its own."""
    code = f"from tests.bench.bench_window import measure; measure(quick={quick})"
    subprocess.run([sys.executable, "-c", code], check=True)


def measure(*, quick: bool) -> None:
    """Open the sample project, run `sunlight.hours`, print the figures."""
    imports = time.perf_counter()
    import pyvista  # noqa: F401
    from PySide6.QtCore import QEventLoop, QTimer
    from PySide6.QtWidgets import QApplication

    imported = time.perf_counter()
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
    started = time.perf_counter()
    window = MainWindow(Document(), Settings())
    window.resize(900, 600)
    window.show()
    application.processEvents()
    shown = time.perf_counter()
    print(f"import of PySide6 and PyVista   {imported - imports:6.2f} s")
    print(
        f"window up                       {shown - started:6.2f} s = {(shown - started) / (imported - imports):.2f} x"
    )

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
    application.quit()


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
