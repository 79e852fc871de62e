"""A network of 100,000 segments: preparing, drawing near and far, hiding, picking, moving the x-ray hole.

The peer of a frame is the same scene with the same network as plain lines. Needs OpenGL, software will do.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from geo.model import Column, ElementTable, Grid, Layer, Lines, Style

SIZE = (1280, 800)
VERTICES = 11  # of a pipe
SPAN = 3000.0  # metres
FRAMES = 7


def network(segments: int) -> Layer:
    """Pipes of ten segments along random ways, one to four metres below a plain."""
    rng = np.random.default_rng(11)
    count = segments // (VERTICES - 1)
    heading = rng.uniform(0, 2 * np.pi, (count, 1)) + np.cumsum(rng.normal(0, 0.25, (count, VERTICES)), axis=1)
    steps = 8.0 * np.stack([np.cos(heading), np.sin(heading), np.zeros_like(heading)], axis=2)
    start = np.concatenate([rng.uniform(-SPAN / 2, SPAN / 2, (count, 2)), rng.uniform(-4, -1, (count, 1))], axis=1)
    points = start[:, None] + np.cumsum(steps, axis=1)
    lines = Lines(points.reshape(-1, 3), np.arange(0, count * VERTICES + 1, VERTICES), np.arange(count))
    kinds = np.array(["water", "sewage", "gas", "power", "telecom"], dtype=object)[rng.integers(0, 5, count)]
    columns = {"utility": Column(kinds), "diameter": Column(rng.choice([0.1, 0.2, 0.3, 0.6], count), "m")}
    table = ElementTable([f"p{k}" for k in range(count)], columns)
    return Layer("pipes", "Pipes", "utility", lines, table, stratum="underground")


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _line(text: str, value: str) -> None:
    print(f"  {text:<52}{value:>14}", flush=True)


def main(*, quick: bool) -> None:
    """Print the figures."""
    from vtkmodules.vtkRenderingCore import vtkRenderWindow

    from app.theme import theme_named
    from app.view.actors import prepare
    from app.view.camera import looking
    from app.view.pipe_picking import pipe_hit
    from app.view.stage import Stage
    from app.view.xray import XRay

    segments = 20_000 if quick else 100_000
    pipes = network(segments)
    ground = Layer("ground", "Ground", "terrain", Grid(np.zeros((301, 301)), -SPAN / 2, -SPAN / 2, SPAN / 300))
    plain = pipes.with_(id="plain", theme="network")
    views = {
        "all of it": looking(np.zeros(3), azimuth=20.0, pitch=-45.0, distance=4500.0),
        "a quarter": looking(np.zeros(3), azimuth=20.0, pitch=-45.0, distance=400.0),
        "a street": looking(np.zeros(3), azimuth=20.0, pitch=-38.0, distance=90.0),
    }
    prepared = prepare(pipes)
    _line(f"axes and tiles of {segments:,} segments", f"{_timed(lambda: prepare(pipes)) * 1e3:.0f} ms")

    def stage_of(layer: Layer, made: object = None) -> tuple[Stage, vtkRenderWindow]:
        window = vtkRenderWindow()
        window.SetOffScreenRendering(True)
        window.SetSize(*SIZE)
        stage = Stage(window, theme=theme_named("light"), quality="fast")
        stage.add(ground)
        stage.add(layer, made)
        return stage, window

    def frame(stage: Stage, window: vtkRenderWindow) -> float:
        times = []
        for _ in range(FRAMES):
            times.append(_timed(lambda: (stage.render(), window.WaitForCompletion())))
        return float(np.median(times))

    (tubes, first), (lines, second) = stage_of(pipes, prepared), stage_of(plain)
    _line("draws of the network", f"{tubes.actor_count - 1}")
    for name, camera in views.items():
        for stage in (tubes, lines):
            stage.set_xray(XRay.of_radius((0.0, 0.0), 0.3 * camera.distance))
        build = _timed(lambda c=camera: tubes.set_camera(c))
        lines.set_camera(camera)
        here, peer = frame(tubes, first), frame(lines, second)
        _line(f"{name}: triangles made for it", f"{build * 1e3:.0f} ms")
        _line(f"{name}: frame against plain lines", f"{here / peer:.2f} x ({here * 1e3:.0f} ms)")
    step = [XRay.of_radius((float(x), 0.0), 30.0) for x in range(1, 21)]
    _line("moving the hole by a metre", f"{_timed(lambda: [tubes.set_xray(x) for x in step]) / 20 * 1e3:.1f} ms")
    hidden = pipes.with_(style=Style(hidden=frozenset(f"p{k}" for k in range(0, len(pipes.table), 3))))
    _line("hiding a third of the pipes", f"{_timed(lambda: tubes.change(hidden, 'style')) * 1e3:.0f} ms")
    rng = np.random.default_rng(3)
    rays = rng.normal(size=(50, 3)) * (0.2, 0.2, 0.0) + (0.0, 0.3, -1.0)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    eye = np.array([0.0, -200.0, 600.0])
    picks = _timed(lambda: [pipe_hit(pipes, eye, ray, pixel=6e-4, reach=(1.7, 7.0)) for ray in rays])
    _line("a pick", f"{picks / len(rays) * 1e3:.1f} ms")
    for stage, window in ((tubes, first), (lines, second)):
        stage.release()
        window.Finalize()
