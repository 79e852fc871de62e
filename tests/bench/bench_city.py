"""A city of 10,000 buildings: file to first picture, with peak memory and the number of actors."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.bench_cityjson import city

COUNT, QUICK_COUNT = 10_000, 2_000
SIZE = (1280, 800)


def measure(path: Path) -> None:
    """Read and draw in this (fresh) process and print the figures."""
    import orjson
    from vtkmodules.vtkRenderingCore import vtkRenderWindow

    from app.importer import import_files
    from app.theme import theme_named
    from app.view import camera as cameras
    from app.view.sky import DEFAULT_SUN, build_sky_inputs
    from app.view.stage import Stage

    started = time.perf_counter()
    orjson.loads(path.read_bytes())
    parsed = time.perf_counter()
    imported = import_files([path], frame=None)
    read = time.perf_counter()
    window = vtkRenderWindow()
    window.SetOffScreenRendering(True)
    window.SetSize(*SIZE)
    stage = Stage(window, theme=theme_named("light"))
    for layer in imported.layers:
        stage.add(layer)
    box = stage.home_bounds()
    if box is None:
        raise RuntimeError("the city has no extent")
    stage.set_camera(cameras.view_of(box, "iso", aspect=SIZE[0] / SIZE[1]))
    stage.render()
    window.WaitForCompletion()
    drawn = time.perf_counter()
    stage.set_sky(build_sky_inputs(imported.layers))
    stage.set_sun(*DEFAULT_SUN)
    stage.render()
    window.WaitForCompletion()
    lit = time.perf_counter()
    mesh_bytes = sum(
        layer.geometry.vertices.nbytes + layer.geometry.faces.nbytes  # type: ignore[union-attr]
        for layer in imported.layers
        if layer.kind == "mesh"
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"parse alone (orjson)      {parsed - started:6.2f} s")
    print(f"read to layers            {read - parsed:6.2f} s = {(read - parsed) / (parsed - started):.1f} x the parse")
    print(f"layers to first picture   {drawn - read:6.2f} s")
    print(f"light and shadow on it    {lit - drawn:6.2f} s")
    print(f"file to first picture     {drawn - parsed:6.2f} s")
    print(f"actors                    {stage.actor_count}")
    print(f"peak memory               {peak / 1e6:.0f} MB, geometry alone {mesh_bytes / 1e6:.0f} MB")
    stage.release()
    window.Finalize()


def main(quick: bool = False) -> None:
    """Measure in a process of its own, so that the peak memory is the city's."""
    count = QUICK_COUNT if quick else COUNT
    print(f"{count} buildings")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "city.city.json"
        path.write_bytes(city(count))
        code = f"from pathlib import Path; from tests.bench.bench_city import measure; measure(Path({str(path)!r}))"
        subprocess.run([sys.executable, "-c", code], check=True)


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
