"""Headless. Films of the wind: which volume drives the particles, how many there are, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.language import tr
from app.numbers import number_text
from geo.model import Layer, UserError

if TYPE_CHECKING:
    from app.theme import Theme
    from app.view.particle_actor import ParticleTrails

SEED = 7
PER_MEGAPIXEL = 2200  # particles on a million pixels
FEWEST, MOST = 400, 9000
WARMING_FRAMES = 15  # before the first picture, so that it has tails already


def wind_volume(layers: Sequence[Layer]) -> Layer:
    """The wind that is filmed: a volume that is shown, else that of a map that is shown, else the newest.

    Raises
    ------
    UserError
        No wind in space among the layers.
    """
    from app.view.particles import has_wind

    found = [layer for layer in layers if has_wind(layer)]
    if not found:
        raise UserError(
            "There is no wind to film.",
            "Particles drift with the wind in space, and no result has one.",
            "Run the study of the wind of one direction with wind in space, or choose another sort of film.",
            code="film.no_wind",
        )
    shown = {_run(layer) for layer in layers if layer.theme == "result" and layer.style.visible} - {""}
    return max(found, key=lambda layer: (layer.style.visible, _run(layer) in shown, _started(layer)))


def _run(layer: Layer) -> str:
    return str(layer.source.provenance.get("run", ""))


def _made(layer: Layer) -> dict[str, Any]:
    """How the run of a layer came about; empty for others."""
    found: Any = layer.source.provenance.get("provenance")
    return dict(found or {})


def _started(layer: Layer) -> str:
    return str(_made(layer).get("started", ""))


def particle_count(size: tuple[int, int]) -> int:
    """As many as a picture of (width, height) [pixels] bears."""
    return min(max(round(PER_MEGAPIXEL * size[0] * size[1] / 1e6), FEWEST), MOST)


def trails_of(layers: Sequence[Layer], *, size: tuple[int, int], theme: Theme, fps: int) -> ParticleTrails:
    """Particles with their tails, the same each time."""
    from app.view.particle_actor import DARK, WHITE, ParticleTrails
    from app.view.particles import Particles, wind_of

    layer = wind_volume(layers)
    wind = wind_of(layer)
    if wind is None:
        raise UserError(
            "There is no wind to film.",
            f"{layer.name} has no air.",
            "Choose another result.",
            code="film.no_air",
            values={"layer": layer.name},
        )
    maps = any(one.theme == "result" and one.kind == "grid" and one.style.visible for one in layers)
    particles = Particles(wind, count=particle_count(size), seed=SEED)
    for _ in range(WARMING_FRAMES):
        particles.step(1.0 / fps)
    return ParticleTrails(particles, ink=WHITE if maps or theme.is_dark else DARK)


def wind_text(layer: Layer, hurry: float) -> str:
    """Direction and speed of a wind, as far as its run says, and how much faster the particles are.

    hurry : float
        Seconds of wind in one second of the film.
    """
    params = dict(_made(layer).get("params") or {})
    parts = [tr("film.wind.from", degrees=number_text(params["wind_from"]))] if "wind_from" in params else []
    if "speed" in params:
        parts.append(f"{number_text(params['speed'])} m/s")
    parts.append(tr("film.wind.hurry", times=f"{hurry:.0f}"))
    return " · ".join(parts)
