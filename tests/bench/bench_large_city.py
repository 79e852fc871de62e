"""A city of 100,000 buildings and the largest real one: reading, cache, memory, picking, draws, pictures.

Every figure is measured in a process of its own, so that its peak memory is its own. Needs OpenGL, software will do.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.bench_cityjson import city

COUNT, QUICK_COUNT = 100_000, 10_000
SIZE = (1280, 800)
REAL = ("DenHaag_01.city.json", "mamre_lod1.city.json")
MEGA = 1e6


def _line(text: str, value: str, target: str = "", *, met: bool = True) -> None:
    verdict = f"  target {target}: {'met' if met else 'NOT MET'}" if target else ""
    print(f"  {text:<36}{value:>12}{verdict}", flush=True)


def _peak() -> int:
    """Most memory this process has had [bytes]; getrusage would also count what the bench that started it had."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


def measure_parse(path: Path) -> None:
    """The plain parse of the same file."""
    import json

    data = path.read_bytes()
    started = time.perf_counter()
    json.loads(data)
    _keep("parse", time.perf_counter() - started)
    _line("json.loads", f"{_kept('parse'):.2f} s")


def measure_first(path: Path) -> None:
    """The first read through the importer, and the memory it takes and leaves."""
    from app.importer import import_files
    from geo.model import Mesh

    _warm(import_files)
    before = _resident()
    started = time.perf_counter()
    imported = import_files([path], frame=None)
    first = time.perf_counter() - started
    _keep("first", first)
    meshes = [layer.geometry for layer in imported.layers if isinstance(layer.geometry, Mesh)]
    own = sum(mesh.vertices.nbytes + mesh.faces.nbytes + mesh.face_element.nbytes for mesh in meshes)
    _keep("own", own)
    kept = _resident() - before
    above = _peak() - before
    ratio = first / _kept("parse")
    _line("elements", f"{sum(len(layer.table) for layer in imported.layers):,}")
    _line("first read / parse", f"{ratio:.2f} x", "<= 3", met=ratio <= 3)
    _line("geometry, kept", f"{own / MEGA:.1f}, {kept / MEGA:.1f} MB")
    _line("kept memory / geometry", f"{kept / own:.1f} x", "<= 6", met=kept <= 6 * own)
    _line("peak above start / geometry", f"{above / own:.1f} x")


def measure_second(path: Path) -> None:
    """The second read, from the cache."""
    from app.importer import import_files
    from app.layer_cache import cache_folder

    _warm(import_files)
    before = _resident()
    started = time.perf_counter()
    imported = import_files([path], frame=None)
    second = time.perf_counter() - started
    kept, own = _resident() - before, _kept("own")
    cached = sum(file.stat().st_size for file in cache_folder().rglob("*.layers"))
    share = second / _kept("first")
    _line("second read / first", f"{100 * share:.0f} %", "<= 10", met=share <= 0.1)
    _line("second read, cached copy", f"{second:.2f} s, {cached / MEGA:.0f} MB")
    _line("kept memory / geometry", f"{kept / own:.1f} x", "<= 6", met=kept <= 6 * own)
    del imported


def _keep(name: str, value: float) -> None:
    """Remember a figure for the processes that follow."""
    Path(os.environ["TWIN_CACHE"], f"{name}.figure").write_text(repr(float(value)))


def _kept(name: str) -> float:
    return float(Path(os.environ["TWIN_CACHE"], f"{name}.figure").read_text())


def _warm(read: Callable[..., object]) -> None:
    """Load every module that reading needs: they are no part of a file's time."""
    with tempfile.TemporaryDirectory() as folder:
        tiny = Path(folder) / "tiny.city.json"
        tiny.write_bytes(city(3))
        read([tiny], frame=None)


def _resident() -> int:
    """Memory of this process that is in use at this moment [bytes]; what was freed is given back first."""
    import ctypes
    import gc

    gc.collect()
    with contextlib.suppress(AttributeError, OSError):  # a C library without it
        ctypes.CDLL(None).malloc_trim(0)
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def measure_drawing(path: Path) -> None:
    """Preparing, first picture, frames, draws and picks."""
    import numpy as np
    from vtkmodules.vtkRenderingCore import vtkRenderWindow

    from app.importer import import_files
    from app.theme import theme_named
    from app.view import camera as cameras
    from app.view.actors import prepare
    from app.view.picking import Picker
    from app.view.sky import build_sky_inputs
    from app.view.stage import Stage

    layers = import_files([path], frame=None).layers
    window = vtkRenderWindow()
    window.SetOffScreenRendering(True)
    window.SetSize(*SIZE)
    stage = Stage(window, theme=theme_named("light"), quality="fast")
    started = time.perf_counter()
    prepared = [prepare(layer) for layer in layers]
    beside = time.perf_counter() - started
    started = time.perf_counter()
    for layer, data in zip(layers, prepared, strict=True):
        stage.add(layer, data)
    main_thread = time.perf_counter() - started
    box = stage.home_bounds()
    if box is None:
        raise RuntimeError("the city has no extent")
    whole = cameras.view_of(box, "iso", aspect=SIZE[0] / SIZE[1], points=stage.home_points())
    near = cameras.looking(np.array(box.centre), azimuth=30.0, pitch=-35.0, distance=350.0)
    first = _frame(stage, window, whole)
    _line("arrays made beside the main thread", f"{beside:.2f} s")
    _line("actors made on the main thread", f"{main_thread:.2f} s", "<= 0.2", met=main_thread <= 0.2)
    _line("first frame of the whole city", f"{first:.2f} s")
    whole_frame = min(_frame(stage, window, whole) for _ in range(3))
    _frame(stage, window, near)
    near_frame = min(_frame(stage, window, near) for _ in range(3))
    _line("frame whole, zoomed in", f"{whole_frame * 1e3:.0f}, {near_frame * 1e3:.0f} ms")
    _line("zoomed in / whole", f"{near_frame / whole_frame:.2f} x")
    _line("actors", str(stage.actor_count), "<= 200", met=stage.actor_count <= 200)
    started = time.perf_counter()
    changed = layers[0].with_(style=type(layers[0].style)(hidden=frozenset(list(layers[0].table.ids[:100]))))
    stage.change(changed, "style")
    _line("hide 100 elements", f"{(time.perf_counter() - started) * 1e3:.0f} ms")
    started = time.perf_counter()
    stage.set_sky(build_sky_inputs(layers))
    _line("light, beside the main thread", f"{time.perf_counter() - started:.2f} s")
    started = time.perf_counter()
    picker = Picker(lambda work, done: done(work()))
    picker.prepare(layers)
    _line("search structure, beside", f"{time.perf_counter() - started:.2f} s")
    picks = []
    for camera in (whole, near):
        for x in range(100, SIZE[0], 200):
            started = time.perf_counter()
            picker.pick(camera, (x, SIZE[1] / 2), SIZE, layers=layers)
            picks.append(time.perf_counter() - started)
    _line("slowest of the picks", f"{max(picks) * 1e3:.1f} ms", "< 50", met=max(picks) < 0.05)
    _line("peak memory", f"{_peak() / MEGA:.0f} MB")
    stage.release()
    window.Finalize()


def _frame(stage: object, window: object, camera: object) -> float:
    started = time.perf_counter()
    stage.set_camera(camera)  # type: ignore[attr-defined]
    stage.render()  # type: ignore[attr-defined]
    window.WaitForCompletion()  # type: ignore[attr-defined]
    return time.perf_counter() - started


def _apart(path: Path, cache: Path) -> None:
    """Each measure in a process of its own."""
    cache.mkdir(parents=True, exist_ok=True)
    for function in ("measure_parse", "measure_first", "measure_second", "measure_drawing"):
        code = "from pathlib import Path; import tests.bench.bench_large_city as bench; "
        code += f"bench.{function}(Path({str(path)!r}))"
        subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "TWIN_CACHE": str(cache)})


def main(quick: bool = False) -> None:
    """Measure the generated and the real city."""
    count = QUICK_COUNT if quick else COUNT
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "city.city.json"
        path.write_bytes(city(count))
        print(f"generated, {count:,} buildings, {path.stat().st_size / MEGA:.0f} MB", flush=True)
        _apart(path, folder / "cache")
        for real in _real_cities():
            print(f"{real.name}, {real.stat().st_size / MEGA:.0f} MB", flush=True)
            _apart(real, folder / real.name)


def _real_cities() -> list[Path]:
    """The largest real files, where the reference data are."""
    from tests.conftest import DATA

    folder = DATA / "city"
    return [folder / name for name in REAL if (folder / name).exists()]


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
