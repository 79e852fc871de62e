"""Films, read back: frames, size, where the shadow falls in them; stopping and full disks; the window's own way."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.sunlight_shadow.trace import STATES
from app.film import Filmed, FilmPlan, film_steps, make_film, shots_of
from app.film_writer import FilmWriter, open_writer
from app.pictures import sun_at
from app.view.camera import Camera, looking, project
from geo.crs import make_frame
from geo.model import Cancelled, Feedback, Field, Grid, Layer, Source, Style, UserError
from tests.app.view_scene import FRAME, box, buildings, ground, need_graphics

DAY = dt.date(2026, 12, 22)
SIZE = (320, 240)
ABOVE = looking(np.zeros(3), azimuth=0.0, pitch=-88.0, distance=330.0)


def small(**more: Any) -> FilmPlan:
    return FilmPlan(**{"day": DAY, "size": SIZE, "fps": 5, "seconds": 1.0, **more})


def tower(camera: Camera = ABOVE) -> Filmed:
    """A tower of 12 x 12 x 40 m on a plain, its middle at the origin."""
    return Filmed((ground(), buildings([box(-6, -6, size=(12, 12, 40))])), FRAME, view=camera)


def decoded(path: Path) -> list[np.ndarray]:
    import av

    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


# ---- which frames there are ---------------------------------------------------------------------------------------


def test_a_day_goes_from_sunrise_to_sunset() -> None:
    frame = make_frame("EPSG:5186", 229_000.0, 435_800.0)
    shots = shots_of(small(seconds=20, step_min=1), frame)
    assert len(shots) == 100
    # 07:39:36 and 17:19:02 by the almanac
    for shot, clock in ((shots[0], dt.time(7, 39, 36)), (shots[-1], dt.time(17, 19, 2))):
        assert abs(shot.moment - dt.datetime.combine(DAY, clock)) < dt.timedelta(seconds=61)
    altitude = [shot.sun[1] for shot in shots]
    assert max(altitude) == pytest.approx(30.1, abs=0.1)
    for shot in shots[::25]:
        assert shot.sun == pytest.approx(sun_at(frame, shot.moment))


def test_the_clock_of_a_day_goes_in_whole_steps() -> None:
    shots = shots_of(small(seconds=20, step_min=30), FRAME)
    assert {shot.moment.minute for shot in shots} == {0, 30}
    assert len(set(shots)) < len(shots)  # frames between two steps are alike and drawn once


def test_a_year_has_all_its_days_at_one_hour() -> None:
    shots = shots_of(small(kind="year", fps=25, seconds=14.6, hour=12.5), FRAME)
    assert len(shots) == 365
    assert [shot.moment.timetuple().tm_yday for shot in shots] == list(range(1, 366))
    assert {(shot.moment.hour, shot.moment.minute) for shot in shots} == {(12, 30)}
    assert shots[171].sun[1] > 76 > 31 > shots[355].sun[1]


def test_once_around_ends_before_it_begins_again() -> None:
    shots = shots_of(small(kind="turn", fps=10, seconds=3.6), FRAME)
    assert [shot.turn for shot in shots] == pytest.approx(list(range(0, 360, 10)))


def test_a_day_without_sun_is_refused() -> None:
    with pytest.raises(UserError) as caught:
        shots_of(small(), make_frame("EPSG:32633", 500_000.0, 8_700_000.0))
    assert caught.value.code == "film.no_sun"


@pytest.mark.parametrize(
    ("wrong", "name"),
    [({"size": (20, 20)}, "size"), ({"fps": 0}, "fps"), ({"seconds": 1e6}, "seconds"), ({"step_min": 0.0}, "step")],
)
def test_impossible_films_are_refused(wrong: dict[str, Any], name: str) -> None:
    with pytest.raises(UserError) as caught:
        small(**wrong)
    assert caught.value.values["wrong"] == name


# ---- files --------------------------------------------------------------------------------------------------------


@pytest.fixture
def noise() -> Iterator[np.ndarray]:
    return iter(np.random.default_rng(1).integers(0, 255, (60, 240, 320, 3), dtype=np.uint8))


@pytest.mark.parametrize("fps", [7, 30])
def test_a_gif_keeps_its_frames_colours_and_time(tmp_path: Path, fps: int) -> None:
    from PIL import Image, ImageSequence

    target = tmp_path / "a.gif"
    writer = open_writer(target, size=(64, 48), fps=fps)
    colours = [(230, 40, 40), (40, 200, 60), (30, 60, 220), (250, 250, 250)]
    for colour in colours:
        picture = np.full((48, 64, 3), colour, dtype=np.uint8)
        picture[:8, :8] = (1, 2, 3)
        writer.add(picture)
    writer.finish()
    with Image.open(target) as film:
        assert (film.n_frames, film.size, film.info["loop"]) == (4, (64, 48), 0)
        frames = [(frame.convert("RGB"), frame.info["duration"]) for frame in ImageSequence.Iterator(film)]
    for (frame, _), colour in zip(frames, colours, strict=True):
        assert np.abs(np.subtract(frame.getpixel((40, 30)), colour)).max() <= 2
        assert np.abs(np.subtract(frame.getpixel((2, 2)), (1, 2, 3))).max() <= 2
    assert sum(time for _, time in frames) == pytest.approx(4000 / fps, abs=10)


def test_an_mp4_keeps_its_frames_colours_and_time(tmp_path: Path) -> None:
    import av

    target = tmp_path / "a.mp4"
    writer = open_writer(target, size=(320, 240), fps=12)
    colours = [(200, 60, 60), (60, 170, 90), (40, 80, 190)]
    for colour in colours:
        writer.add(np.full((240, 320, 3), colour, dtype=np.uint8))
    writer.finish()
    with av.open(str(target)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.average_rate, float(stream.duration * stream.time_base)) == (Fraction(12), 0.25)
        found = [
            frame.reformat(format="rgb24", src_colorspace="ITU709").to_ndarray() for frame in container.decode(stream)
        ]
    assert len(found) == 3
    for frame, colour in zip(found, colours, strict=True):
        assert np.abs(frame[120, 160].astype(int) - colour).max() <= 5
    assert target.read_bytes().find(b"moov") < target.read_bytes().find(b"mdat")  # plays while it loads


def write_all(writer: FilmWriter, pictures: Iterator[np.ndarray]) -> None:
    for picture in pictures:
        writer.add(picture)
    writer.finish()


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, suffix: str, noise: Iterator[np.ndarray]) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    writer = open_writer(tmp_path / f"a{suffix}", size=(320, 240), fps=10)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        with pytest.raises(UserError) as caught:
            write_all(writer, noise)
        assert caught.value.code == "film.write"
        writer.abort()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert left_in(tmp_path) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for target, code in (
        (tmp_path / "file" / "a.mp4", "film.write"),
        (tmp_path / "a.avi", "film.suffix"),
        (tmp_path / "a", "film.suffix"),
    ):
        with pytest.raises(UserError) as caught:
            open_writer(target, size=SIZE, fps=5)
        assert caught.value.code == code
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(UserError) as caught:
        open_writer(tmp_path / "folder.mp4", size=SIZE, fps=5)
    assert caught.value.code == "film.write"
    assert sorted(left_in(tmp_path)) == ["file", "folder.mp4"]


# ---- pictures -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def graphics() -> None:
    need_graphics()


@pytest.fixture(scope="module")
def day_film(tmp_path_factory: pytest.TempPathFactory, graphics: None) -> Path:
    return make_film(small(step_min=1.0, title="탑"), tower(), tmp_path_factory.mktemp("film") / "day.mp4", Feedback())


def darkness(pixels: np.ndarray, point: tuple[float, float]) -> float:
    x, y = project(ABOVE, np.array([(*point, 0.0)]), SIZE)[0][0]
    return 255.0 - float(pixels[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2].mean())


@pytest.mark.gl
def test_the_shadow_lies_where_the_sun_says(day_film: Path) -> None:
    """In each frame with a sun: dark 20 m and 30 m away from it, light to the sides and on the sunny side."""
    frames, shots = decoded(day_film), shots_of(small(step_min=1.0), FRAME)
    assert len(frames) == len(shots) == 5
    assert all(frame.shape == (240, 320, 3) for frame in frames)
    for frame, shot in list(zip(frames, shots, strict=True))[1:-1]:
        azimuth_rad = np.radians(float(FRAME.grid_azimuth(shot.sun[0])) + 180.0)
        away = np.array([np.sin(azimuth_rad), np.cos(azimuth_rad)])
        side = np.array([away[1], -away[0]])
        for reach in (20.0, 30.0):
            dark = darkness(frame, tuple(away * reach))
            for other in (away * reach + side * 22, away * reach - side * 22, -away * reach):
                assert dark > darkness(frame, tuple(other)) + 25, (shot, reach)


@pytest.mark.gl
def test_morning_and_noon_differ_and_the_caption_too(day_film: Path) -> None:
    frames = [frame.astype(int) for frame in decoded(day_film)]
    middle = np.abs(frames[1] - frames[2])[60:180, 80:240]
    assert (middle.max(axis=2) > 40).mean() > 0.02
    caption = np.abs(frames[1] - frames[2])[200:, 100:220]
    assert (caption.max(axis=2) > 60).any()


@pytest.mark.gl
def test_once_around_the_north_arrow_turns_and_the_view(tmp_path: Path, graphics: None) -> None:
    leaning = looking(np.zeros(3), azimuth=0.0, pitch=-30.0, distance=200.0)
    filmed = Filmed((ground(), buildings([box(20, -6, size=(12, 12, 40))])), FRAME, view=leaning)
    film = make_film(small(kind="turn", fps=4), filmed, tmp_path / "turn.gif", Feedback())
    from PIL import Image, ImageSequence

    with Image.open(film) as found:
        frames = [np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(found)]
    assert len(frames) == 4
    red = [np.argwhere((f[:60, 250:, 0] > 150) & (f[:60, 250:, 1] < 110)).mean(axis=0) for f in frames]
    # looking north the needle points up; looking east (a quarter on) north is to the left, and so on
    assert red[0][0] < red[2][0] - 3
    assert red[1][1] < red[3][1] - 3


@pytest.mark.gl
def test_maps_of_shadows_follow_the_clock_of_a_film(tmp_path: Path, graphics: None) -> None:
    """A map that is all sun at eight and all new shadow at sixteen: the ground turns from yellow to red."""
    names = ("2026-12-22 0800", "2026-12-22 1600")
    codes = zip(names, (0, 4), strict=True)
    maps = [Field(n, "1", "cell", np.full((41, 41), code, np.int8), STATES, "shadow") for n, code in codes]
    source = Source(part="g", provenance={"provenance": {"analysis": "sunlight.shadow"}})
    grid = Grid(np.zeros((41, 41)), -100, -100, 5.0)
    layer = Layer("g", "G", "result", grid, fields=tuple(maps), style=Style(colour_by=names[1]), source=source)
    filmed = Filmed((ground(), layer), FRAME, view=ABOVE)
    frames = decoded(make_film(small(seconds=1.8), filmed, tmp_path / "a.mp4", Feedback()))
    (red, green, _), (later_red, later_green, _) = (frames[k][100:140, 140:180].mean(axis=(0, 1)) for k in (2, 6))
    assert green > 0.8 * red
    assert later_green < 0.5 * later_red
    assert [layer.id for layer in filmed.plain().layers] == ["ground"]


@pytest.mark.gl
def test_a_stopped_film_leaves_no_file(tmp_path: Path, graphics: None) -> None:
    seen = [0.0]
    feedback = Feedback(lambda fraction, _: seen.append(fraction), lambda: seen[-1] > 0.4)
    with pytest.raises(Cancelled):
        make_film(small(), tower(), tmp_path / "a.mp4", feedback)
    assert left_in(tmp_path) == []
    steps = film_steps(small(), tower(), tmp_path / "b.gif")
    for _ in range(8):
        next(steps)
    assert len(left_in(tmp_path)) == 1
    steps.close()
    assert left_in(tmp_path) == []


@pytest.mark.gl
def test_a_film_replaces_the_old_one_only_when_it_is_whole(tmp_path: Path, graphics: None) -> None:
    target = tmp_path / "a.mp4"
    target.write_bytes(b"old")
    steps = film_steps(small(), tower(), target)
    for _ in range(6):
        next(steps)
    steps.close()
    assert target.read_bytes() == b"old"
    make_film(small(seconds=0.4), tower(), target, Feedback())
    assert len(decoded(target)) == 2


@pytest.mark.gl
def test_the_command_line_films_a_project(tmp_path: Path, graphics: None, capsys: pytest.CaptureFixture[str]) -> None:
    from app.cli import run_command_line
    from app.commands import AddLayers
    from app.document import Document
    from app.project_file import save
    from tests.app import tiny_city

    document = Document()
    document.do(AddLayers((tiny_city.terrain(),), frame=tiny_city.frame()))
    project, target = tmp_path / "p.twin", tmp_path / "p.mp4"
    save(document, project)
    options = ["--size", "322x241", "--fps", "4", "--seconds", "1", "--kind", "year", "--day", "2026-01-01", "--json"]
    assert run_command_line(["film", str(project), "--out", str(target), *options]) == 0
    assert json.loads(capsys.readouterr().out)["size"] == [322, 240]
    frames = decoded(target)
    assert (len(frames), frames[0].shape) == (4, (240, 322, 3))
    for wrong in (["--day", "yesterday"], ["--size", "big"], ["--seconds", "-1"]):
        assert run_command_line(["film", str(project), "--out", str(target), *wrong]) == 2
