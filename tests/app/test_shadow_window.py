"""Shadow maps that follow the clock, dates of the seasons, step keys, and a film made in the real window."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QEventLoop, QTimer

from analysis.registry import get
from analysis.run import execute
from app.commands import SetStyle
from app.film import FilmPlan
from app.film_dialog import FilmDialog, FilmMaker, begin_film
from app.jobs import StallMeter
from app.language import language
from app.main_window import MainWindow
from app.shadow_instants import instants_of, nearest
from app.shown_runs import show_result
from app.view.legend import legend_of
from app.view.timed_maps import TimedMaps
from geo.model import Column, ElementTable, Layer, Lines, Source
from tests.app.window_hands import settle

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]
DAY = date(2026, 12, 22)
PARAMS = {"start": 9, "stop": 15, "interval": 120, "step": 60, "ground_cell": 4, "facades": False, "outlines": "none"}


def wait_for(maker: FilmMaker) -> list[bool]:
    """Until the film has ended; the event loop runs freely."""
    ended: list[bool] = []
    loop = QEventLoop()
    maker.ended.connect(lambda made: (ended.append(made), loop.quit()))
    QTimer.singleShot(90_000, loop.quit)
    loop.exec()
    return ended


@pytest.fixture
def shadows(city: MainWindow, qtbot: Any) -> MainWindow:
    """The window with a shadow study of the city in it."""
    scene = city.document.scene
    result = execute(get("sunlight.shadow"), layers=tuple(scene), frame=scene.frame, params=PARAMS)
    city.document.do(show_result(scene, result.layers))
    settle(city, qtbot)
    return city


def test_the_map_of_the_time_is_shown(shadows: MainWindow, qtbot: Any) -> None:
    scene, timeline, viewport = shadows.document.scene, shadows.timeline, shadows.viewport
    ground = next(layer.id for layer in scene if layer.theme == "result" and layer.kind == "grid")
    kept, steps, state = scene[ground], shadows.document.history.undo_title, shadows.document.modified

    def drawn() -> str:
        return str(viewport.stage.drawn(ground).style.colour_by)

    assert drawn() == "shadow_hours"
    timeline.set_day(DAY)
    timeline.set_minute(11 * 60 + 20)
    assert drawn() == "2026-12-22 1100"
    timeline.set_minute(14 * 60 + 30)
    assert drawn() == "2026-12-22 1500"
    timeline.set_minute(20 * 60)  # no map of the evening: the last one stays
    assert drawn() == "2026-12-22 1500"
    # The time on show belongs to the picture: nothing is changed in the scene, nothing to save or to undo.
    assert scene[ground] is kept
    assert (shadows.document.history.undo_title, shadows.document.modified) == (steps, state)
    (seen,) = [layer for layer in viewport.seen if layer.id == ground]
    legend = legend_of(seen)
    assert legend is not None
    assert [name for name, _ in legend.classes] == ["sun", "shadow"]
    assert viewport.cards.legend.legend == legend
    language.set("ko")
    assert [name for name, _ in legend_of(seen).classes] == ["양지", "그림자"]
    # What a person chooses to colour by is drawn until the time moves again.
    shadows.bench.do(SetStyle(ground, replace(kept.style, colour_by="shadow_hours", opacity=0.9)))
    settle(shadows, qtbot)
    assert drawn() == "shadow_hours"


def test_outlines_of_other_instants_are_hidden() -> None:
    names = np.array(["2026-12-22 0900", "2026-12-22 1200"], dtype=object)
    lines = Lines(np.zeros((4, 3)), np.array([0, 2, 4]), np.array([0, 1]))
    source = Source(part="outlines", provenance={"provenance": {"analysis": "sunlight.shadow"}})
    table = ElementTable(["a 09", "a 12"], {"instant": Column(names)})
    layer = Layer("outlines", "Outlines", "result", lines, table, source=source)
    maps = TimedMaps()
    for minute, hidden in ((12 * 60 + 15, "a 09"), (9 * 60, "a 12")):
        (shown,) = maps.show([layer], DAY, minute)
        assert shown.style.hidden == {hidden}
        assert maps.over([layer]) == (shown,)
        assert maps.show([layer], DAY, minute) == []  # drawn already
    maps.forget(layer.id)
    assert maps.over([layer]) == (layer,)


def test_a_day_without_maps_changes_nothing(shadows: MainWindow) -> None:
    scene = shadows.document.scene
    ground = next(layer for layer in scene if layer.theme == "result" and layer.kind == "grid")
    assert TimedMaps().show(tuple(scene), date(2026, 6, 21), 12 * 60) == []
    assert list(instants_of(ground, DAY).values()) == [540, 660, 780, 900]
    assert nearest({"a": 540, "b": 660}, 599) == "a"
    assert nearest({"a": 540, "b": 660}, 721) == ""


def test_seasons_speed_and_step_keys(city: MainWindow, qtbot: Any) -> None:
    timeline = city.timeline
    timeline.set_day(date(2026, 5, 1))
    settle(city, qtbot)
    assert timeline.season_text.text() == ""
    timeline.season_menu.aboutToShow.emit()
    names = [action.text() for action in timeline.season_menu.actions()]
    assert names == [
        "March equinox 03-20",
        "June solstice 06-21",
        "September equinox 09-23",
        "December solstice 12-22",
    ]
    timeline.season_menu.actions()[3].trigger()
    settle(city, qtbot)
    assert timeline.day == DAY
    assert timeline.season_text.text() == "December solstice"
    timeline.set_minute(600)
    city.actions_["step_on"].trigger()
    city.actions_["step_on"].trigger()
    city.actions_["step_back"].trigger()
    assert timeline.minute == 605
    timeline.speed.setCurrentIndex(4)
    timeline._advance()
    assert timeline.minute == 635


def test_a_film_is_made_while_the_window_lives(city: MainWindow, tmp_path: Path, qtbot: Any) -> None:
    import av

    settle(city, qtbot)
    meter = StallMeter(city)
    meter.start()
    plan = FilmPlan(day=DAY, size=(320, 240), fps=5, seconds=2.0, title="하루")
    maker = begin_film(city, plan, tmp_path / "day.mp4", plain=True)
    assert maker is not None
    assert wait_for(maker) == [True]
    print(f"longest stall while a film was made: {meter.stop() * 1000:.0f} ms")
    assert meter.worked_s < 0.5  # the frames are drawn elsewhere
    with av.open(str(tmp_path / "day.mp4")) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) == 10
    assert np.abs(frames[2].astype(int) - frames[5]).max() > 60
    city.viewport.redraw()
    settle(city, qtbot)
    assert city.viewport.grab_picture(200, 150).width() == 200  # the window draws as before


def test_stop_and_a_closed_window_leave_no_file(city: MainWindow, tmp_path: Path, qtbot: Any) -> None:
    settle(city, qtbot)
    plan = FilmPlan(day=DAY, size=(320, 240), fps=5, seconds=20.0)
    for stop in (FilmMaker.reject, lambda _maker: city.hide()):
        maker = begin_film(city, plan, tmp_path / "films" / "a.mp4", plain=False)
        assert maker is not None
        QTimer.singleShot(1500, lambda made=maker, how=stop: how(made))
        assert wait_for(maker) == [False]
        qtbot.waitUntil(lambda: not city.bench.jobs.busy, timeout=20_000)
        assert not list((tmp_path / "films").iterdir())
        assert not list(Path(tempfile.gettempdir()).glob(f"twin-film-{os.getpid()}-*"))
    city.show()


def test_an_unwritable_place_is_told(city: MainWindow, tmp_path: Path, qtbot: Any) -> None:
    settle(city, qtbot)
    (tmp_path / "file").touch()
    told: list[Any] = []
    city.bench.notices.posted.connect(told.append)
    maker = begin_film(city, FilmPlan(day=DAY, size=(320, 240)), tmp_path / "file" / "a.mp4", plain=True)
    assert maker is not None
    assert wait_for(maker) == [False]
    assert told[-1].severity == "error"


def test_the_dialog_gives_the_film_asked_for(city: MainWindow) -> None:
    from PySide6.QtCore import QDate

    dialog = FilmDialog(title="합강", day=QDate(2026, 12, 22), minute=600, parent=city)
    assert dialog.step.isEnabled()
    assert not dialog.hour.isEnabled()
    plan = dialog.plan()
    assert (plan.kind, plan.day, plan.size, plan.frames, plan.title) == ("day", DAY, (1920, 1080), 300, "합강")
    dialog.kind.setCurrentIndex(1)
    dialog.size_.setCurrentIndex(3)
    assert dialog.hour.isEnabled()
    assert dialog.width_.isEnabled()
    plan = dialog.plan()
    assert (plan.kind, plan.hour, plan.size) == ("year", 10.0, (1600, 900))
    dialog.deleteLater()


def test_a_driver_that_crashes_takes_the_film_and_nothing_else(
    city: MainWindow, tmp_path: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(city, qtbot)
    monkeypatch.setattr(sys, "executable", "/bin/false" if os.path.exists("/bin/false") else "/usr/bin/false")
    told: list[Any] = []
    city.bench.notices.posted.connect(told.append)
    maker = begin_film(city, FilmPlan(day=DAY, size=(320, 240)), tmp_path / "a.mp4", plain=True)
    assert maker is not None
    assert wait_for(maker) == [False]
    assert told[-1].severity == "error"
    assert "exit status 1" in told[-1].words()[1]
    assert not (tmp_path / "a.mp4").exists()
