"""Labels of elements: where they hang, which are written, none over another, and that they are in the picture."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QSize

from app.main_window import MainWindow
from app.theme import theme_named
from app.view import camera as cameras
from app.view.label_places import MOST_LABELS, anchors_of, is_labelled, label_column, label_text, placed
from app.view.label_sight import sight_of
from geo.model import Bounds, Column, ElementTable, Layer, Lines, Points, Style
from tests.app.view_scene import box, buildings
from tests.app.window_hands import settle

SIZE = (800, 600)
LABELLED = Style(labelled=True, label_by="name")


def measure(text: str, letters: int) -> tuple[float, float]:
    return 0.6 * letters * len(text), 1.3 * letters


def named(layer: Layer, names: list[str | None], **style: object) -> Layer:
    table = ElementTable([f"e{k}" for k in range(len(names))], {"name": Column(np.array(names, dtype=object))})
    return layer.with_(table=table, style=Style(**{"labelled": True, "label_by": "name", **style}))


def houses(count: int, gap: float = 40.0, **style: object) -> Layer:
    side = int(np.ceil(np.sqrt(count)))
    boxes = [box(gap * (k % side), gap * (k // side), size=(20, 20, 10)) for k in range(count)]
    return named(buildings(boxes), [f"집 {k}" for k in range(count)], **style)


def from_above(layer: Layer, pitch: float = -60.0) -> cameras.Camera:
    assert layer.geometry is not None
    bounds = layer.geometry.bounds
    assert isinstance(bounds, Bounds)
    return cameras.fitted(bounds, azimuth=10.0, pitch=pitch, aspect=SIZE[0] / SIZE[1])


def test_a_label_hangs_over_the_middle_of_the_roof() -> None:
    layer = houses(3)
    anchors = anchors_of(layer)
    assert anchors.rows.tolist() == [0, 1, 2]
    low, high = layer.geometry.bounds.low, layer.geometry.bounds.high
    assert (anchors.points[:, 2] > high[2]).all()
    np.testing.assert_allclose(anchors.points[0, :2], np.array(low[:2]) + 10.0)


def test_a_label_of_a_pipe_is_at_the_middle_of_its_longest_piece() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 5, 0], [4, 5, 0], [14, 5, 0]], dtype=float)
    lines = Lines(vertices, np.array([0, 2, 5]), np.array([0, 0], dtype=np.int32))
    layer = named(Layer("p", "p", "utility", lines), ["관"])
    np.testing.assert_allclose(anchors_of(layer).points, [[7.0, 5.0, 0.0]])


def test_labels_of_points_hang_at_them_and_a_table_has_none() -> None:
    points = Points(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.arange(2, dtype=np.int32))
    layer = named(Layer("s", "s", "sensor", points), ["가", "나"])
    np.testing.assert_allclose(anchors_of(layer).points, points.vertices)
    assert not is_labelled(layer.with_(geometry=None))
    assert not is_labelled(layer.with_(style=Style(label_by="name")))


def test_no_label_lies_over_another_and_there_are_not_too_many() -> None:
    layer = houses(900, gap=25.0)
    labels = placed([layer], from_above(layer), SIZE, measure)
    assert 10 < len(labels) <= MOST_LABELS
    edges = np.array([(one.left, one.top, one.left + one.width, one.top + one.height) for one in labels])
    for number, (left, top, right, bottom) in enumerate(edges):
        others = np.delete(edges, number, axis=0)
        over = (others[:, 0] < right) & (others[:, 2] > left) & (others[:, 1] < bottom) & (others[:, 3] > top)
        assert not over.any()
    assert edges.min() >= 0


def test_hidden_missing_and_far_elements_have_no_label() -> None:
    layer = named(houses(4), ["가", None, "다", "라"], hidden=frozenset({"e2"}))
    view = from_above(layer)
    assert {one.text for one in placed([layer], view, SIZE, measure)} == {"가", "라"}
    near = layer.with_(style=Style(labelled=True, label_by="name", label_reach=1.0))
    assert placed([near], view, SIZE, measure) == []


def test_what_is_kept_free_stays_free() -> None:
    layer = houses(4)
    view = from_above(layer)
    assert placed([layer], view, SIZE, measure, kept=[(0.0, 0.0, *map(float, SIZE))]) == []


def test_a_house_behind_another_has_no_label() -> None:
    tall, low = box(0, 0, size=(60, 10, 60)), box(20, 40, size=(10, 10, 5))
    layer = named(buildings([tall, low]), ["앞", "뒤"])
    south = cameras.looking(np.array([25.0, 0.0, 10.0]), azimuth=0.0, pitch=-8.0, distance=420.0)
    assert {one.text for one in placed([layer], south, SIZE, measure)} == {"앞", "뒤"}
    sight = sight_of(south, [layer])
    assert {one.text for one in placed([layer], south, SIZE, measure, sight=sight)} == {"앞"}


def test_numbers_are_written_with_their_unit() -> None:
    layer = houses(2).with_(table=ElementTable(["a", "b"], {"h": Column(np.array([12.5, np.nan]), "m")}))
    layer = layer.with_(style=Style(labelled=True, label_by="h"))
    column = label_column(layer)
    assert column is not None
    assert label_text(column, 0) == "12.5 m"
    assert label_text(column, 1) == ""


def test_ten_thousand_houses_are_labelled_within_a_tenth_of_a_second() -> None:
    layer = houses(10_000, gap=25.0)
    view = from_above(layer)
    placed([layer], view, SIZE, measure)
    took = []
    for _ in range(3):
        start = time.thread_time()
        placed([layer], view, SIZE, measure)
        took.append(time.thread_time() - start)
    assert min(took) < 0.1


def test_labels_are_painted_in_pictures_without_a_window() -> None:
    from PIL import Image

    from app.view.painted_labels import paint_labels

    layer = houses(4)
    view = from_above(layer)
    bare = Image.new("RGB", SIZE, (120, 120, 120))
    said = paint_labels(bare.copy(), [layer], view, theme=theme_named("light"), factor=1.0)
    assert np.any(np.asarray(said) != np.asarray(bare))
    silent = layer.with_(style=Style())
    assert paint_labels(bare, [silent], view, theme=theme_named("light"), factor=1.0) is bare


# ---- in the window --------------------------------------------------------------------------------------------------


def test_labels_are_switched_on_seen_undone_and_exported(city: MainWindow, qtbot: Any) -> None:
    labels = city.modes.labelling.labels
    city.document.selection.set([_ref()])
    box_ = city.layers.look.label_box
    box_.setCurrentIndex(box_.findData("name"))
    box_.activated.emit(box_.currentIndex())
    assert city.document.scene["houses"].style == LABELLED
    qtbot.waitUntil(lambda: {one.text for one in labels.labels} == {"Alder", "Birch", "Cedar", "Dogwood"})
    assert labels.isVisible()
    painted = labels.grab().toImage()
    assert not painted.isNull()
    with_labels = city.viewport.grab_picture(640, 400)
    before = labels.labels[0].left
    city.viewport.set_view("top")
    qtbot.waitUntil(lambda: bool(labels.labels) and labels.labels[0].left != before)
    city.actions_["undo"].trigger()
    qtbot.waitUntil(lambda: not labels.isVisible())
    assert labels.labels == []
    assert not city.document.scene["houses"].style.labelled
    city.actions_["label_layer"].trigger()
    assert city.document.scene["houses"].style == LABELLED
    assert with_labels.size() == QSize(640, 400)


@pytest.mark.parametrize(("name", "command"), [("edges", "set_style"), ("shaded", "set_style")])
def test_edges_and_shade_are_of_each_layer(city: MainWindow, qtbot: Any, name: str, command: str) -> None:
    city.document.selection.set([_ref()])
    settle(city, qtbot)
    with_all = city.viewport.grab_picture(300, 200)
    button = getattr(city.layers.look, f"{name}_box")
    assert button.isVisible()
    button.click()
    assert getattr(city.document.scene["houses"].style, name) is False
    assert city.document.history.undo_title == command
    settle(city, qtbot)
    assert city.viewport.grab_picture(300, 200) != with_all
    city.actions_["undo"].trigger()
    assert getattr(city.document.scene["houses"].style, name) is True


def _ref() -> Any:
    from geo.model import ElementRef

    return ElementRef("houses")
