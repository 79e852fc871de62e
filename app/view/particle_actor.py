"""Drifting particles in the picture: one actor of short lines that fade towards their tails."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkRenderingCore import vtkActor

from app.view.layer_actors import unlit_actor
from app.view.particle_paint import ParticlePaint
from app.view.particles import Particles
from app.view.polydata import segments, set_point_colours

WIDTH = 2.0  # pixels
WHITE, DARK = (255, 255, 255), (18, 46, 78)
FADE = 1.4  # power by which a tail fades
LEAST_ALPHA = 0.45  # of the slowest particle's head
PULL = 0.0005  # of the distance: heads on a slice are not cut by it


class ParticleTrails:
    """The actor of particles.

    Parameters
    ----------
    particles : Particles
    ink : (r, g, b)
        `WHITE` over coloured maps and in the dark, `DARK` over a light city.
    paint : ParticlePaint, optional
        Colours by the air they drift through, instead of the ink.
    """

    def __init__(
        self, particles: Particles, *, ink: tuple[int, int, int] = WHITE, paint: ParticlePaint | None = None
    ) -> None:
        self.particles, self.ink, self.paint = particles, ink, paint
        self._shape = (0, 0)
        self._places: NDArray[np.float32] = np.zeros((0, 3), np.float32)
        self.actor: vtkActor = unlit_actor(segments(self._places, np.zeros((0, 2), np.int32)), pull=PULL)
        self.actor.GetProperty().SetLineWidth(WIDTH)
        self.actor.ForceTranslucentOn()
        self.actor.UseBoundsOff()
        self._fast = max(float(np.percentile(np.linalg.norm(particles.wind.velocity, axis=-1), 98.0)), 1e-3)
        self.update()

    def go_on(self, seconds: float) -> None:
        """Drift for some seconds of a film and draw."""
        self.particles.step(seconds)
        self.update()

    def update(self) -> None:
        """Draw the particles where they are now."""
        tail, count = self.particles.pace.shape
        if self._shape != (tail, count):
            self._shape = (tail, count)
            number = np.arange(tail * count, dtype=np.int32).reshape(tail, count)
            pairs = np.stack([number[:-1], number[1:]], axis=-1).reshape(-1, 2)
            self._places = np.zeros((tail * count, 3), np.float32)
            self._data = segments(self._places, pairs)
            self.actor.GetMapper().SetInputData(self._data)
        self._places[:] = self.particles.path.reshape(-1, 3)
        set_point_colours(self._data, self._colours())
        self._data.GetPoints().Modified()
        self._data.Modified()

    def _colours(self) -> NDArray[np.uint8]:
        """(tail * count, 4): the ink, clearer towards the end of the tail and where the wind is weak."""
        tail, count = self.particles.pace.shape
        fade = np.linspace(1.0, 0.0, tail, dtype=np.float32) ** FADE
        strength = LEAST_ALPHA + (1.0 - LEAST_ALPHA) * np.clip(self.particles.pace / self._fast, 0.0, 1.0)
        colours = np.empty((tail, count, 4), dtype=np.uint8)
        if self.paint is None:
            colours[..., :3] = self.ink
        else:
            colours[..., :3] = self.paint.colours(self.particles.path.reshape(-1, 3), self.ink).reshape(tail, count, 3)
        colours[..., 3] = 255.0 * strength * fade[:, None]
        return colours.reshape(-1, 4)
