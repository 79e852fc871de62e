"""Styles from layer to layer: changed limits, colours and names, copies, and files that are not to be trusted."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from app.style_edit import OWN, brought_to, class_rows, join_class, lacking, split_class, with_colour, with_limit
from app.style_file import StyleEntry, load_style, read_style, save_style, style_text
from geo.model import Column, ElementTable, Layer, Style, UserError
from tests.app.view_scene import box, buildings

RICH = Style(
    opacity=0.5,
    colour_by="height",
    method="breaks",
    breaks=(0.0, 10.0, 50.0),
    class_colours=(("1", "#ff8800"),),
    class_titles=(("0", "낮은 건물"),),
    ramp="cividis",
    reversed=True,
    label_by="name",
    labelled=True,
    title="높이",
)


def houses(style: Style, heights: tuple[float, ...] = (5.0, 15.0, 25.0, 35.0, 60.0)) -> Layer:
    layer = buildings([box(30 * k, 0, size=(20, 20, 10)) for k in range(len(heights))])
    names = np.array([f"집 {k}" for k in range(len(heights))], dtype=object)
    columns = {"height": Column(np.array(heights), "m"), "name": Column(names)}
    return layer.with_(table=ElementTable(layer.table.ids, columns), style=style)


def changed(layer: Layer, style: Style) -> Layer:
    return layer.with_(style=style)


def test_a_moved_limit_makes_the_limits_the_users_own_and_cannot_pass_its_neighbours() -> None:
    layer = houses(Style(colour_by="height", method="equal", classes=3, range=(0.0, 60.0)))
    assert [(row.low, row.high, row.count) for row in class_rows(layer)] == [(0, 20, 2), (20, 40, 2), (40, 60, 1)]
    moved = changed(layer, with_limit(layer.style, layer, 1, 30.0))
    assert moved.style.method == "breaks"
    assert [(row.low, row.high, row.count) for row in class_rows(moved)] == [(0, 30, 3), (30, 40, 1), (40, 60, 1)]
    for wrong in (-5.0, 40.0, 99.0, float("nan")):
        assert with_limit(moved.style, moved, 1, wrong) == moved.style


def test_classes_are_halved_and_joined_with_their_colours() -> None:
    layer = houses(Style(colour_by="height", method="breaks", breaks=(0.0, 20.0, 60.0)))
    layer = changed(layer, with_colour(layer.style, "1", "#123456"))
    halved = changed(layer, split_class(layer.style, layer, 0))
    assert [row.high for row in class_rows(halved)] == [10.0, 20.0, 60.0]
    assert class_rows(halved)[2].colour == "#123456"  # it has moved up with its class
    joined = changed(halved, join_class(halved.style, halved, 0))
    assert joined.style == layer.style
    assert join_class(layer.style, layer, 1) == layer.style  # there is no next one


def test_single_values_have_colours_by_name_and_no_limits() -> None:
    layer = houses(Style(colour_by="name"))
    layer = changed(layer, with_colour(layer.style, "집 2", "#0000ff"))
    rows = {row.key: row for row in class_rows(layer)}
    assert rows["집 2"].colour == "#0000ff"
    assert np.isnan(rows["집 2"].low)
    assert with_limit(layer.style, layer, 0, 1.0) == layer.style


def test_a_style_goes_to_another_layer_without_what_is_that_layers_own() -> None:
    target = houses(Style(visible=False, hidden=frozenset({"b1"})))
    pasted = brought_to(RICH, target)
    assert pasted == dataclasses.replace(RICH, visible=False, hidden=frozenset({"b1"}))
    bare = target.with_(table=ElementTable(target.table.ids, {"use": Column(np.arange(5.0), "m")}))
    assert lacking(RICH, bare) == ["height", "name"]
    left = brought_to(RICH, bare)
    assert (left.colour_by, left.label_by, left.labelled, left.breaks) == ("", "", False, ())
    assert left.opacity == 0.5


def test_what_is_saved_is_what_is_read(tmp_path) -> None:
    path = tmp_path / "모양.twinstyle"
    save_style(path, dataclasses.replace(RICH, visible=False, hidden=frozenset({"a"})))
    assert load_style(path) == RICH
    assert set(StyleEntry.model_fields) == {part.name for part in dataclasses.fields(Style)} - set(OWN)


@pytest.mark.parametrize(
    "change",
    [
        {"opacity": 7},
        {"colour": "red"},
        {"method": "__import__('os')"},
        {"breaks": [3, 1, 2]},
        {"breaks": [0, float("inf")]},
        {"range": [5, 5]},
        {"ramp": "../../etc/passwd"},
        {"class_colours": [["0", "javascript:"]]},
        {"label_size": 100000},
        {"surprise": 1},
        {"classes": 10**6},
    ],
)
def test_a_style_with_wrong_values_is_refused_whole(change: dict[str, object]) -> None:
    said = json.loads(style_text(RICH))
    said["style"].update(change)
    with pytest.raises(UserError, match="not a style") as caught:
        read_style(json.dumps(said), name="x.twinstyle")
    assert caught.value.code == "style.broken"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "[" * 100_000, '{"format": "sejong-twin-style", "version": 99}', "\0"]
)
def test_what_is_no_style_is_said_to_be_none(text: str) -> None:
    with pytest.raises(UserError, match="not a style"):
        read_style(text, name="clipboard")
