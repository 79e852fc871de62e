"""Themes, ramps, ranges, ticks and what a legend says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from app.colour import class_colours, field_colours, field_range, nice_ticks, number_text, ramp, ramp_names
from app.language import language
from app.theme import theme_named
from app.view.camera import looking
from app.view.furniture import CLASS_ROW, is_synthetic, scale_bar
from app.view.legend import legend_for, legend_of, lines_of, shown_field
from app.view.overlay import legend_size
from app.view.painted import paint_legend
from geo.model import Column, ElementTable, Field, Style
from tests.app.view_scene import sun_grid, town


def luminance(colour: tuple[int, int, int]) -> float:
    linear = [(c / 255 / 12.92) if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: tuple[int, int, int], second: tuple[int, int, int]) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_a_theme_can_be_read(name: str) -> None:
    theme = theme_named(name)
    assert contrast(theme.rgb("ink"), theme.rgb("card")) > 12
    assert contrast(theme.rgb("soft_ink"), theme.rgb("card")) > 4.5
    assert contrast(theme.rgb("selection"), theme.rgb("halo")) > 3  # magenta on its white halo shows on any ramp
    assert theme_named("light").colours.keys() == theme.colours.keys()


def test_an_unknown_theme_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown theme"):
        theme_named("purple")


@pytest.mark.parametrize("name", ["sun_hours", "viridis", "wind", "cividis"])
def test_sequential_ramps_grow_lighter_all_the_way(name: str) -> None:
    light = [luminance(tuple(int(v) for v in colour)) for colour in ramp(name)]
    assert np.all(np.diff(light) > -0.004)
    assert light[-1] - light[0] > 0.4


def test_a_diverging_ramp_is_centred_on_zero() -> None:
    field = Field("change", "h", "element", np.array([-1.0, 0.0, 4.0]), ramp="difference")
    assert field_range(field) == (-4.0, 4.0)
    colours, known = field_colours(field, theme_named("light"))
    assert known.all()
    assert min(colours[1]) > 190  # the neutral middle


def test_every_ramp_has_256_colours() -> None:
    assert {"sun_hours", "difference", "viridis", "wind", "height"} <= set(ramp_names())
    assert all(ramp(name).shape == (256, 3) for name in ramp_names())


def test_missing_values_have_the_missing_colour() -> None:
    theme = theme_named("light")
    colours, known = field_colours(Field("x", "m", "element", np.array([1.0, np.nan, 3.0])), theme)
    assert known.tolist() == [True, False, True]
    assert tuple(colours[1]) == theme.rgb("missing")
    classes = Field("c", "1", "element", np.array([0, -1, 1]), categories=("a", "b"))
    assert field_colours(classes, theme)[1].tolist() == [True, False, True]
    assert len({tuple(c) for c in class_colours(10)}) == 10


def test_constant_and_empty_fields_have_a_range() -> None:
    assert field_range(Field("x", "m", "element", np.array([5.0, 5.0]))) == (5.0, 6.0)
    assert field_range(Field("x", "m", "element", np.array([np.nan]))) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0.0, 12.0, [0, 2, 4, 6, 8, 10, 12]), (-4.0, 4.0, [-4, -2, 0, 2, 4]), (0.0, 0.7, [0, 0.2, 0.4, 0.6])],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert nice_ticks(low, high) == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (3.14159, "3.14"),
        (12.0, "12"),
        (1234.5, "1,234"),
        (0.0234, "0.023"),
        (-7.5, "-7.5"),
        (float("nan"), "–"),
    ],
)
def test_numbers_for_people(value: float, text: str) -> None:
    assert number_text(value) == text


def test_a_legend_follows_the_language() -> None:
    layer = sun_grid()
    assert legend_of(layer).title == "Hours of direct sun"
    language.set("ko")
    assert legend_of(layer).title == "일조시간"
    assert legend_of(layer).unit == "시간"
    assert [text for _value, text in legend_of(layer).ticks][-1] == "12"


def test_a_result_has_the_legend_before_other_layers() -> None:
    layer = town(colour_by="storeys")
    layer = layer.with_(table=ElementTable(["b0", "b1"], {"storeys": Column(np.array([7.0, 3.0]))}))
    assert legend_for([layer]).title == "Storeys"
    assert legend_for([sun_grid(), layer]).title == "Hours of direct sun"
    hidden = sun_grid().with_(style=Style(visible=False, colour_by="sun_hours"))
    assert legend_for([hidden, layer]).title == "Storeys"
    assert legend_for([town()]) is None


def test_colour_by_a_text_column_makes_classes() -> None:
    layer = town(colour_by="use").with_(
        table=ElementTable(["b0", "b1"], {"use": Column(np.array(["school", "house"], dtype=object))})
    )
    assert [text for text, _colour in legend_of(layer).classes] == ["house", "school"]
    assert shown_field(town(colour_by="nonsense")) is None


def test_a_ramp_says_what_has_no_value_and_both_cards_have_room_for_it() -> None:
    whole = town(colour_by="storeys").with_(table=ElementTable(["b0", "b1"], {"storeys": Column(np.array([7.0, 3.0]))}))
    partly = whole.with_(table=ElementTable(["b0", "b1"], {"storeys": Column(np.array([7.0, np.nan]))}))
    assert legend_of(whole).missing == ""
    assert legend_of(partly).missing == "no value"
    assert legend_of(partly.with_(style=replace(partly.style, missing="#102030"))).missing_colour == (16, 32, 48)
    theme = theme_named("light")
    sizes = [legend_size(legend_of(layer)).height() for layer in (whole, partly)]
    assert sizes[1] - sizes[0] == CLASS_ROW + 6
    pictures = [
        paint_legend(Image.new("RGB", (420, 320), "white"), legend_of(layer), theme=theme, factor=1.0)
        for layer in (whole, partly)
    ]
    grey = [np.all(np.abs(np.asarray(p).astype(int) - theme.rgb("missing")) < 3, axis=2).sum() for p in pictures]
    assert grey[1] - grey[0] > 100  # the swatch


def test_synthetic_data_say_so() -> None:
    assert not is_synthetic([town()])
    assert is_synthetic([town().with_(name="합성 자료 건물")])
    assert not is_synthetic([town(visible=False).with_(name="합성 자료 건물")])


def test_the_scale_bar_is_round_and_true() -> None:
    camera = looking(np.zeros(3), azimuth=0.0, pitch=-60.0, distance=500.0)
    bar = scale_bar(camera, 800)
    assert bar.metres in (10.0, 20.0, 50.0)
    assert 40 < bar.pixels <= 150
    assert scale_bar(looking(np.zeros(3), azimuth=0.0, pitch=-10.0, distance=500.0), 800) is None


def test_a_long_subtitle_is_parted_where_its_parts_are() -> None:
    def ten_each(text: str) -> float:
        return 10.0 * len(text)

    assert lines_of("", 100.0, ten_each) == ()
    assert lines_of("a · b", 100.0, ten_each) == ("a · b",)
    assert lines_of("PM10 · a year · 20 m · made today", 150.0, ten_each) == ("PM10 · a year", "20 m", "made today")
    assert lines_of("one · two · three · four", 50.0, ten_each) == ("one", "two", "three", "four")
    assert lines_of("a part that is too wide · b", 50.0, ten_each) == ("a part that is too wide", "b")
