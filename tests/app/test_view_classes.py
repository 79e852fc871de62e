"""Colour by attribute: numbers and texts sorted into classes, their colours and what the legend says."""

from __future__ import annotations

import gc
import json
import weakref

import numpy as np
import pytest

from app.classes import MOST_CLASSES, classed, styled
from app.colour import ClassedField, category_colours, class_colours, field_colours, ramp
from app.compare_view_scale import with_common_scale
from app.language import language
from app.report import _legends
from app.theme import theme_named
from app.view.legend import class_name, legend_of, plain_field, shown_field
from geo.model import Column, ElementTable, Field, Layer, Points, Style
from geo.store import style_from_dict, style_to_dict
from tests.app.view_scene import box, buildings

LIGHT = theme_named("light")


def numbers(values, **more) -> Field:
    return Field("height", "m", "element", np.asarray(values, dtype=float), **more)


def houses(columns: dict[str, Column], **style: object) -> Layer:
    count = len(next(iter(columns.values())).values)
    layer = buildings([box(30 * k, 0, size=(20, 20, 10)) for k in range(count)])
    return layer.with_(table=ElementTable(layer.table.ids, columns), style=Style(**style))


def test_quantiles_hold_as_many_values_each() -> None:
    values = np.random.default_rng(3).lognormal(2, 1, 10_000)
    field = classed(numbers(values), method="quantiles", classes=4)
    assert isinstance(field, ClassedField)
    np.testing.assert_allclose(np.bincount(field.values), 2500, atol=2)
    assert field.limits[0] == values.min()
    assert field.limits[-1] == values.max()


def test_equal_classes_have_the_same_width_and_hold_their_values() -> None:
    field = classed(numbers([0.0, 9.99, 10.0, 25.0, 40.0]), method="equal", classes=4)
    np.testing.assert_allclose(np.diff(field.limits), 10.0)
    assert field.values.tolist() == [0, 0, 1, 2, 3]  # the greatest belongs to the last class
    assert field.categories[0] == "0 – 10"


def test_many_equal_values_make_fewer_quantiles() -> None:
    field = classed(numbers([3.0] * 90 + [5.0] * 10), method="quantiles", classes=5)
    assert len(field.categories) == len(field.limits) - 1 <= 2
    one = classed(numbers([7.0, 7.0]), method="equal", classes=3)
    assert one.values.tolist() == [0, 0]


@pytest.mark.parametrize("method", ["quantiles", "equal", "unique"])
def test_missing_values_are_grey_whatever_the_method(method: str) -> None:
    field = classed(numbers([1.0, np.nan, 2.0, np.inf, 3.0]), method=method, classes=3)
    colours, known = field_colours(field, LIGHT)
    assert known.tolist() == [True, False, True, False, True]
    assert tuple(colours[1]) == LIGHT.rgb("missing")
    assert len({tuple(c) for c in colours[[0, 2, 4]]}) == 3


def test_nothing_but_missing_values_stays_as_it_is() -> None:
    field = classed(numbers([np.nan, np.nan]), method="quantiles")
    assert not field_colours(field, LIGHT)[1].any()


def test_ordered_classes_take_their_colours_from_the_ramp() -> None:
    field = classed(numbers(np.arange(100.0)), method="equal", classes=5, ramp="cividis")
    np.testing.assert_array_equal(category_colours(field)[[0, -1]], ramp("cividis")[[0, -1]])
    usual = classed(numbers(np.arange(100.0)), method="equal", classes=5)
    np.testing.assert_array_equal(category_colours(usual)[[0, -1]], ramp("viridis")[[0, -1]])


def test_rare_texts_share_the_last_class() -> None:
    texts = np.array([f"t{k:02d}" for k in range(40) for _ in range(40 - k)], dtype=object)
    layer = houses({"use": Column(texts[:3])})
    layer = layer.with_(
        table=ElementTable([str(k) for k in range(len(texts))], {"use": Column(texts)}), style=Style(colour_by="use")
    )
    field = shown_field(layer)
    assert len(field.categories) == MOST_CLASSES + 1
    assert field.categories[:3] == ("t00", "t01", "t02")
    assert int((field.values == MOST_CLASSES).sum()) == sum(40 - k for k in range(MOST_CLASSES, 40))
    colours = category_colours(field)
    assert len({tuple(c) for c in colours}) == MOST_CLASSES + 1
    language.set("en")
    assert legend_of(layer).classes[-1][0] == "others"
    language.set("ko")
    assert legend_of(layer).classes[-1][0] == "그 밖"
    assert shown_field(layer) is field  # sorted once


def test_colours_of_classes_can_be_told_apart_by_the_colour_blind() -> None:
    """Red-green blindness as Viénot, Brettel and Mollon (1999) model it; every two of twelve stay apart."""
    to_cone = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]])
    blind = np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]])  # without green cones
    linear = (class_colours(MOST_CLASSES) / 255.0) ** 2.2
    seen = np.clip(linear @ (np.linalg.inv(to_cone) @ blind @ to_cone).T, 0, 1) ** (1 / 2.2) * 255
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=2)
    assert apart[np.triu_indices(MOST_CLASSES, 1)].min() > 12


def test_the_legend_says_limits_unit_and_missing_values() -> None:
    heights = Column(np.array([5.0, 15.0, np.nan, 25.0]), "m")
    layer = houses({"height": heights}, colour_by="height", method="equal", classes=2)
    legend = legend_of(layer)
    assert legend.title.endswith("(m)")
    assert [text for text, _colour in legend.classes] == ["5 – 15", "15 – 25"]
    assert legend.missing
    assert legend.ramp is None
    assert plain_field(layer).values[3] == 25.0  # under the cursor the number itself is shown
    assert legend_of(layer.with_(style=Style(colour_by="height"))).ramp is not None


def test_single_values_of_a_number_column() -> None:
    layer = houses({"year": Column(np.array([1990, 2004, 1990]))}, colour_by="year", method="unique")
    assert [text for text, _colour in legend_of(layer).classes] == ["1990", "2004"]


def test_points_can_be_coloured_by_their_height() -> None:
    z = np.linspace(0, 50, 1000)
    points = Points(np.stack([z, z, z], axis=1), np.zeros(1000, np.int32))
    layer = Layer("p", "P", "other", points, style=Style(colour_by="height"))
    assert legend_of(layer).high == pytest.approx(50, rel=0.02)
    assert shown_field(layer) is shown_field(layer)


def test_codes_beyond_the_palette_do_not_share_a_colour_while_few_occur() -> None:
    field = Field("code", "1", "point", np.array([2, 14, 26]), tuple(f"c{k}" for k in range(30)))
    assert len({tuple(c) for c in field_colours(field, LIGHT)[0]}) == 3
    survey = Field("class", "1", "point", np.array([2, 6]), ("x", "y", "ground", "l", "m", "h", "building"))
    ground, roof = field_colours(survey, LIGHT)[0].astype(int)
    assert roof[0] > roof[1] + 60  # buildings red, ground brown
    assert abs(ground - roof).max() > 30


def test_a_style_keeps_its_classes_and_old_styles_still_open() -> None:
    style = Style(colour_by="height", method="quantiles", classes=7, ramp="cividis", hidden=frozenset({"a"}))
    assert style_from_dict(style_to_dict(style)) == style
    old = {"visible": True, "opacity": 0.5, "colour": "", "colour_by": "x", "hidden": []}
    assert style_from_dict(old) == Style(opacity=0.5, colour_by="x")


# ---- what the user says of classes ---------------------------------------------------------------------------------


def test_own_limits_make_the_classes_and_leave_out_what_lies_outside() -> None:
    field = styled(numbers([0.0, 5.0, 10.0, 30.0, 31.0, np.nan]), Style(method="breaks", breaks=(2.0, 10.0, 30.0)))
    assert isinstance(field, ClassedField)
    assert field.values.tolist() == [-1, 0, 1, 1, -1, -1]
    assert field.categories == ("2 – 10", "10 – 30")
    assert styled(numbers([1.0]), Style(method="breaks", breaks=(5.0,))).categories == ()  # one limit is no class


def test_colours_and_names_of_classes_go_into_the_legend_and_the_picture() -> None:
    texts = np.array(["shop", "home", "home", None], dtype=object)
    style = {"colour_by": "use", "class_colours": (("home", "#102030"),), "class_titles": (("shop", "가게"),)}
    layer = houses({"use": Column(texts)}, missing="#ff00ff", title="쓰임", **style)
    legend, field = legend_of(layer), shown_field(layer)
    assert legend is not None
    assert field is not None
    assert legend.title == "쓰임"
    assert legend.layer_id == layer.id
    assert dict(legend.classes)["home"] == (0x10, 0x20, 0x30)
    assert [text for text, _ in legend.classes] == ["home", "가게"]
    assert legend.missing_colour == (255, 0, 255)
    colours, known = field_colours(field, LIGHT)
    assert colours[1].tolist() == [0x10, 0x20, 0x30]
    assert colours[3].tolist() == [255, 0, 255]
    assert known.tolist() == [True, True, True, False]


def test_colours_of_ordered_classes_go_by_their_number() -> None:
    style = Style(method="equal", classes=4, class_colours=(("1", "#010203"),), class_titles=(("3", "high"),))
    field = styled(numbers(np.arange(41.0)), style)
    assert category_colours(field)[1].tolist() == [1, 2, 3]
    assert class_name(field, 3) == "high"
    np.testing.assert_array_equal(category_colours(field)[0], ramp("viridis")[0])


def test_a_ramp_turns_round_and_has_the_ends_it_is_given() -> None:
    layer = houses({"h": Column(np.array([0.0, 50.0, 100.0]), "m")}, colour_by="h", reversed=True, range=(50.0, 100.0))
    legend, field = legend_of(layer), shown_field(layer)
    assert legend is not None
    assert field is not None
    assert (legend.low, legend.high) == (50.0, 100.0)
    np.testing.assert_array_equal(legend.ramp, ramp("viridis")[::-1])
    colours, _known = field_colours(field, LIGHT)
    np.testing.assert_array_equal(colours[0], ramp("viridis")[-1])  # below the low end
    np.testing.assert_array_equal(colours[2], ramp("viridis")[0])


def test_another_attribute_forgets_what_was_said_of_the_classes_of_before() -> None:
    said = {"class_colours": (("home", "#102030"),), "range": (0.0, 1.0), "breaks": (1.0, 2.0)}
    style = Style(colour_by="use", opacity=0.4, **said)
    other = style.coloured_by("height")
    assert other == Style(colour_by="height", opacity=0.4)


def test_styles_with_everything_survive_a_project_and_bad_colours_do_not() -> None:
    style = Style(
        colour_by="h",
        method="breaks",
        breaks=(0.0, 1.5, 9.0),
        range=(0.0, 9.0),
        class_colours=(("0", "#aabbcc"),),
        class_titles=(("0", "낮음"),),
        missing="#000000",
        label_by="h",
        labelled=True,
        label_reach=250.0,
        edges=False,
        shaded=False,
        reversed=True,
    )
    assert style_from_dict(json.loads(json.dumps(style_to_dict(style)))) == style
    for wrong in ({"class_colours": [["0", "red; }"]]}, {"missing": "#12"}, {"range": [1]}, {"breaks": ["x"]}):
        with pytest.raises(ValueError):
            style_from_dict(wrong)


def test_reports_and_comparisons_have_the_legend_of_the_picture() -> None:
    style = Style(
        colour_by="speed", method="breaks", breaks=(0.0, 2.0, 9.0), class_colours=(("1", "#ff0000"),), title="바람"
    )

    def result(layer_id: str, values: list[float]) -> Layer:
        layer = houses({"n": Column(np.arange(float(len(values))))})
        field = Field("speed", "m/s", "element", np.array(values))
        return layer.with_(id=layer_id, theme="result", fields=(field,), style=style)

    first, second = result("a", [0.5, 5.0]), result("b", [1.0, 8.0])
    (said,) = _legends([first])
    assert said["title"] == "바람"
    assert said["classes"][1] == {"text": "2 – 9", "colour": "#ff0000"}
    left, right = with_common_scale([first], [second])
    legends = [legend_of(layer) for (layer,) in (left, right)]
    assert legends[0] is not None
    assert legends[1] is not None
    assert legends[0].classes == legends[1].classes
    assert legends[0].classes[1][1] == (255, 0, 0)
    assert legends[0].title == "바람"
    plain = result("c", [1.0, 3.0]).with_(style=Style(colour_by="speed", range=(0.0, 4.0), reversed=True))
    (ramp_said,) = _legends([plain])
    assert (ramp_said["low"], ramp_said["high"]) == ("0", "4")
    assert ramp_said["colours"][0] == "#fde725"


@pytest.mark.parametrize("texts", [["a", "b", "a"], [f"kind {k}" for k in range(60)]])
def test_a_layer_that_is_gone_leaves_no_field_behind(texts: list[str]) -> None:
    """Neither where few texts are their own classes nor where they are put together."""
    layer = houses({"use": Column(np.array(texts, dtype=object))}, colour_by="use")
    assert shown_field(layer) is shown_field(layer)
    plain = weakref.ref(plain_field(layer))
    assert plain() is not None
    del layer
    gc.collect()
    assert plain() is None
