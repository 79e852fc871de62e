"""Films of the wind: particles drift from frame to frame, the same each time; without a wind it is said."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from app.film import Filmed, make_film
from app.film_wind import FEWEST, MOST, particle_count, wind_text, wind_volume
from app.language import language
from app.view.camera import looking, project
from geo.model import Feedback, Layer, UserError
from tests.app.test_film import FRAME, decoded, left_in, small
from tests.app.test_wind_view import run_of, wind_map, wind_space
from tests.app.view_scene import ground, need_graphics

ABOVE = looking(np.zeros(3), azimuth=0.0, pitch=-88.0, distance=160.0)


def hidden(layer: Layer) -> Layer:
    return layer.with_(style=dataclasses.replace(layer.style, visible=False))


def filmed() -> Filmed:
    return Filmed((ground(), hidden(wind_space(speed=6.0))), FRAME, view=ABOVE, theme="dark")


@pytest.mark.gl
def test_particles_drift_where_there_is_wind_and_films_repeat(tmp_path: Path) -> None:
    need_graphics()
    plan = small(kind="wind", fps=12, seconds=0.5, size=(480, 360))
    one = decoded(make_film(plan, filmed(), tmp_path / "a.mp4", Feedback()))
    two = decoded(make_film(plan, filmed(), tmp_path / "b.mp4", Feedback()))
    assert len(one) == 6
    apart = np.abs(np.array(one).astype(int) - np.array(two))
    assert apart.max() <= 12, "but for what the encoder rounds"
    moving = np.abs(one[2].astype(int) - one[3]).max(axis=2) > 25
    x, y = project(ABOVE, np.array([[-40.0, -30.0, 30.0], [40.0, 30.0, 30.0]]), plan.size)[0].T
    air = np.zeros_like(moving)
    air[round(y.min()) : round(y.max()) + 1, round(x.min()) : round(x.max()) + 1] = True
    assert moving[air].mean() > 0.01
    assert moving[~air][: 300 * 100].mean() < 0.1 * moving[air].mean(), "nothing moves beside the wind"


@pytest.mark.gl
def test_a_film_without_a_wind_says_what_to_run_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        make_film(small(kind="wind"), Filmed((ground(), wind_map()), FRAME, view=ABOVE), tmp_path / "a.mp4", Feedback())
    assert caught.value.code == "film.no_wind"
    assert left_in(tmp_path) == []


def test_the_wind_that_is_filmed_is_the_one_that_is_shown() -> None:
    def of(name: str, started: str) -> tuple[Layer, Layer]:
        chart = run_of(wind_map(), wind_from=270.0, run=name, started=started)
        space = run_of(hidden(wind_space()), wind_from=270.0, run=name, started=started)
        return chart, space

    old, new = of("old", "2026-01-01T00:00:00+00:00"), of("new", "2026-01-02T00:00:00+00:00")
    assert wind_volume([*old, *new]).id == new[1].id, "the newest of several that are shown"
    assert wind_volume([*old, hidden(new[0]), new[1]]).id == old[1].id, "that of the map in the picture"
    seen = new[1].with_(style=dataclasses.replace(new[1].style, visible=True))
    assert wind_volume([*old, hidden(new[0]), seen]).id == seen.id


def test_what_is_said_of_it() -> None:
    layer = run_of(wind_space(), wind_from=315.0, run="a", started="2026-01-01")
    assert wind_text(layer, 8.4) == "wind from 315° · 8 times faster"
    language.set("ko")
    assert "315°에서" in wind_text(layer, 8.4)
    assert wind_text(wind_space(), 20.0) == "20배 빠르게"
    assert particle_count((64, 64)) == FEWEST
    assert particle_count((3840, 2160)) == MOST
    assert FEWEST < particle_count((1280, 720)) < MOST


def test_the_dialog_keeps_results_in_a_film_of_the_wind(qtbot: object, screen: None) -> None:
    from PySide6.QtCore import QDate

    from app.film_dialog import FilmDialog

    dialog = FilmDialog(title="", day=QDate(2026, 6, 1), minute=720)
    dialog.kind.setCurrentIndex(dialog.kind.findData("wind"))
    assert dialog.films_wind
    assert not dialog.plain.isEnabled()
    assert dialog.hour.isEnabled()
    assert dialog.plan().kind == "wind"
    dialog.kind.setCurrentIndex(dialog.kind.findData("year"))
    assert dialog.plain.isEnabled()
    dialog.deleteLater()
