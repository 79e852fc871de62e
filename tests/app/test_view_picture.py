"""Pictures without a window: asked for pixels, not compared with files."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from app.theme import theme_named
from app.view.camera import Camera, looking, project
from geo.model import ElementTable, Field, Grid, Image, Layer, Lines, Points, Style, UserError
from tests.app.view_scene import FRAME, box, buildings, ground, need_graphics, sun_grid, town, trees

pytestmark = pytest.mark.gl
SIZE = (240, 180)
ABOVE = looking(np.zeros(3), azimuth=0.0, pitch=-60.0, distance=300.0)
SOUTH_SUN = (180.0, 40.0)


@pytest.fixture(autouse=True, scope="module")
def _graphics() -> None:
    need_graphics()


def drawn(*layers: Layer, camera: Camera = ABOVE, theme: str = "light", quality: str = "normal", sun=SOUTH_SUN):
    from app.view.offscreen import render_picture

    picture = render_picture(
        layers,
        FRAME,
        size=SIZE,
        view=camera,
        theme=theme_named(theme),
        sun=sun,
        legend=False,
        north=False,
        scale=False,
        quality=quality,
    )
    return np.asarray(picture).astype(float)


def seen(pixels, point, camera: Camera = ABOVE):
    x, y = project(camera, np.array([point], dtype=float), SIZE)[0][0]
    return pixels[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2].mean(axis=(0, 1))


@pytest.fixture(scope="module")
def plain():
    return drawn(ground(), town())


def test_a_lit_roof_is_brighter_than_a_shaded_court() -> None:
    walls = [box(-20, -20, size=(40, 6, 25)), box(-20, 14, size=(40, 6, 25)), box(-20, -14, size=(6, 28, 25))]
    pixels = drawn(ground(), buildings([*walls, box(14, -14, size=(6, 28, 25))]))
    roof, court, field = (seen(pixels, p).mean() for p in ((0, 17, 25), (0, 2, 0), (70, -60, 0)))
    assert roof > field > court + 30


def test_the_shadow_lies_on_the_side_away_from_the_sun(plain) -> None:
    assert seen(plain, (-30, 27, 0)).mean() < seen(plain, (-30, -27, 0)).mean() - 20
    north_sun = drawn(ground(), town(), sun=(0.0, 40.0))
    assert seen(north_sun, (-30, -27, 0)).mean() < seen(north_sun, (-30, 45, 0)).mean() - 20


def test_at_night_nothing_casts_a_shadow() -> None:
    night = drawn(ground(), town(), sun=(270.0, -10.0))
    assert abs(seen(night, (-30, 30, 0)).mean() - seen(night, (60, -50, 0)).mean()) < 25


def test_a_hidden_element_and_its_shadow_disappear(plain) -> None:
    without = drawn(ground(), town(hidden=frozenset({"b0"})))
    assert np.abs(seen(plain, (-30, 0, 20)) - seen(without, (-30, 0, 20))).max() > 15
    np.testing.assert_allclose(seen(without, (-30, 27, 0)), seen(without, (60, -50, 0)), atol=8)
    np.testing.assert_allclose(seen(without, (30, 0, 10)), seen(plain, (30, 0, 10)), atol=3)  # the other one stays


def test_the_theme_changes_the_background() -> None:
    camera = looking(np.zeros(3), azimuth=0.0, pitch=-4.0, distance=300.0)
    light, dark = (drawn(town(), camera=camera, theme=name)[3, SIZE[0] // 2] for name in ("light", "dark"))
    assert light.mean() > 190
    assert dark.mean() < 60


def test_a_result_is_draped_over_the_ground() -> None:
    pixels = drawn(ground(), town(), sun_grid(12.0))
    red, _green, blue = seen(pixels, (0, -50, 0))
    assert red > blue + 60  # the yellow end of the ramp
    low = drawn(ground(), town(), sun_grid(0.0))
    red, _green, blue = seen(low, (0, -50, 0))
    assert blue > red + 30


def test_no_data_shows_the_ground() -> None:
    values = np.full((41, 41), 12.0)
    values[:, :20] = np.nan
    layer = sun_grid()
    field = Field("sun_hours", "h", "cell", values, ramp="sun_hours", range=(0, 12))
    layer = layer.with_(geometry=Grid(values, -100, -100, 5.0), fields=(field,))
    pixels, bare = drawn(ground(), layer), drawn(ground())
    np.testing.assert_allclose(seen(pixels, (-50, -50, 0)), seen(bare, (-50, -50, 0)), atol=4)
    assert np.abs(seen(pixels, (50, -50, 0)) - seen(bare, (50, -50, 0))).max() > 30


def test_a_photograph_lies_the_right_way_up() -> None:
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:20, :, 0] = 255  # the south is red
    pixels[20:, :, 2] = 255
    photo = Layer("photo", "Photo", "orthophoto", Image(pixels, -97.5, -97.5, 5.0))
    picture = drawn(ground(), photo)
    south, north = seen(picture, (0, -60, 0)), seen(picture, (0, 60, 0))
    assert south[0] > south[2] + 60
    assert north[2] > north[0] + 60


def test_a_grid_without_terrain_is_drawn_flat() -> None:
    red, _green, blue = seen(drawn(sun_grid(12.0)), (0, -50, 0))
    assert red > blue + 60


def test_walls_take_the_colours_of_a_face_field() -> None:
    city = town()
    field = Field(
        "sun_hours", "h", "face", np.where(city.geometry.face_element == 0, 0.0, 12.0), ramp="sun_hours", range=(0, 12)
    )
    cells = Layer("cells", "Cells", "result", city.geometry, city.table, (field,), Style(colour_by="sun_hours"))
    pixels = drawn(ground(), city, cells)
    shade, sun = seen(pixels, (-30, 0, 20)), seen(pixels, (30, 0, 10))
    assert shade[2] > shade[0] + 20
    assert sun[0] > sun[2] + 60


def test_model_colours_are_kept_but_muted() -> None:
    layer = buildings([box(-20, -20, size=(40, 40, 10))])
    red = Field("colour", "1", "face", np.full(12, 0xC00000, np.int64))
    layer = Layer("model", "Model", "bim", layer.geometry, layer.table, (red,))
    colour = seen(drawn(layer), (0, 0, 10))
    assert colour[0] > colour[1] + 50
    assert colour[1] > 40


def test_lines_points_and_trees_are_there() -> None:
    line = Lines(np.array([[-80.0, 70.0, 0.5], [80.0, 70.0, 0.5]]), np.array([0, 2]), np.zeros(1))
    lines = Layer("pipe", "Pipe", "utility", line, ElementTable(["p"]))
    point = Layer("s", "S", "sensor", Points(np.array([[0.0, 40.0, 3.0]]), np.zeros(1)), ElementTable(["s"]))
    bare, full = drawn(ground()), drawn(ground(), lines, point, trees(5))
    for place in ((0, 70, 0.5), (0, 40, 3), (0, -60, 6)):
        assert np.abs(seen(full, place) - seen(bare, place)).max() > 12, place


def test_a_road_shows_over_the_ground_from_far_away() -> None:
    road = box(-100, -52, size=(200, 8, 0.02), z=0.03)
    layer = Layer("road", "Road", "road", road, ElementTable(["r"]))
    far = looking(np.array([0.0, -48.0, 0.0]), azimuth=30.0, pitch=-25.0, distance=400.0)
    bare, with_road = drawn(ground(), camera=far), drawn(ground(), layer, camera=far)
    for x in (-40.0, -15.0, 0.0, 21.0, 44.0):
        assert np.abs(seen(with_road, (x, -48, 0.05), far) - seen(bare, (x, -48, 0.05), far)).max() > 10


@pytest.mark.parametrize("quality", ["fast", "fine"])
def test_every_quality_shows_the_same_town(quality: str, plain) -> None:
    pixels = drawn(ground(), town(), quality=quality)
    assert np.abs(pixels - plain).mean() < 14
    assert seen(pixels, (-30, 27, 0)).mean() < seen(pixels, (-30, -27, 0)).mean() - 15


def test_cards_are_painted_and_views_are_found() -> None:
    from app.view.offscreen import render_picture

    theme, layers = theme_named("light"), (ground(), town(), sun_grid())
    with_cards = np.asarray(render_picture(layers, FRAME, size=(640, 400), theme=theme))
    without = np.asarray(
        render_picture(layers, FRAME, size=(640, 400), theme=theme, legend=False, north=False, scale=False)
    )
    assert np.abs(with_cards[8:60, 8:150].astype(int) - without[8:60, 8:150]).max() > 40
    assert np.abs(with_cards[-60:-8, -120:].astype(int) - without[-60:-8, -120:]).max() > 40
    for view in ("top", "blocks"):
        assert np.asarray(render_picture(layers, FRAME, size=(64, 48), view=view, theme=theme)).std() > 3


def test_mistakes_are_told_calmly() -> None:
    from app.view.offscreen import render_picture

    with pytest.raises(UserError, match="no layer 'nonsense'"):
        render_picture((town(),), FRAME, size=(64, 48), view="nonsense", theme=theme_named("light"))
    with pytest.raises(UserError, match="nothing to draw"):
        render_picture((), FRAME, size=(64, 48), theme=theme_named("light"))


def test_a_picture_needs_no_qt() -> None:
    code = "import sys, app.view.offscreen; sys.exit(any(m.startswith(('PySide6', 'pyvista')) for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_micro_sign_is_drawn_whatever_the_font() -> None:
    """A unit without it would be wrong by a million."""
    from app.view import painted

    with_sign = painted._Sheet(80.0, 20.0, 1.0)
    with_sign.text(2.0, 2.0, "\u00b5", size=12, colour=(0, 0, 0))
    assert np.asarray(with_sign.image)[:, :, 3].any()
    assert with_sign.text_width("\u00b5g/m\u00b3", 12) > with_sign.text_width("g/m\u00b3", 12)
