"""Corners of a footprint put on parcels and angles, lengths typed, and how it is switched off."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from app.commands import AddLayers
from app.massing_snap import FootprintSnap, at_length, corners_of, plan_segments
from app.view.draw_tool import plan_area
from app.view.typed_edge import TypedEdge, longer, plan_angle, typed_edge, typed_text
from geo.model import ElementTable, Layer, Lines, Mesh
from tests.app.test_mass_tool import pixel, still  # noqa: F401  fixture
from tests.app.window_hands import settle

SQUARE = np.array([[-30.0, -30.0], [10.0, -30.0], [10.0, 10.0], [-30.0, 10.0], [-30.0, -30.0]])


def parcels(rings: tuple[np.ndarray, ...] = (SQUARE,)) -> Layer:
    points = np.concatenate([np.column_stack([ring, np.full(len(ring), 21.0)]) for ring in rings])
    offsets = np.cumsum([0, *(len(ring) for ring in rings)])
    shape = Lines(points, offsets, np.arange(len(rings)))
    return Layer("lots", "Lots", "parcel", shape, ElementTable([f"P{k}" for k in range(len(rings))], {}))


def snap(edges: np.ndarray) -> FootprintSnap:
    """Ten pixels to the metre, seen from straight above."""
    return FootprintSnap(edges, lambda _x, _y: 20.0, lambda points: points[:, :2] * 10.0)


def ask(edges: np.ndarray, drawn: list[tuple[float, float]], x: float, y: float) -> Any:
    points = np.array([(*place, 20.0) for place in drawn]).reshape(-1, 3)
    return snap(edges)(np.array([x, y, 20.0]), points, (x * 10.0, y * 10.0))


def test_corners_come_before_edges_and_far_things_are_left_alone() -> None:
    edges = plan_segments([parcels()])
    assert ask(edges, [], -29.2, -29.5).kind == "corner"
    np.testing.assert_allclose(ask(edges, [], -29.2, -29.5).point, (-30.0, -30.0, 20.0))
    found = ask(edges, [], -10.0, -29.3)
    assert found.kind == "edge"
    np.testing.assert_allclose(found.point, (-10.0, -30.0, 20.0))
    assert ask(edges, [], -10.0, -10.0) is None
    assert ask(edges, [], 12.0, -30.5) is None  # beyond the end of an edge


def test_right_angle_parallel_and_the_closing_corner() -> None:
    none = np.zeros((0, 2, 2))
    drawn = [(0.0, 0.0), (20.0, 0.0)]
    found = ask(none, drawn, 20.6, 14.0)
    assert found.kind == "right"
    np.testing.assert_allclose(found.point[:2], (20.0, 14.0))
    assert ask(none, drawn, 35.0, 0.4).kind == "parallel"
    last = ask(none, [*drawn, (20.0, 14.0)], 0.5, 14.3)
    assert last.kind == "meeting"  # square to the last edge, and to the first
    np.testing.assert_allclose(last.point[:2], (0.0, 14.0), atol=1e-9)
    turned = ask(none, [(0.0, 0.0), (10.0, 10.0)], 4.5, 16.0)
    assert turned.kind == "right"
    np.testing.assert_allclose((turned.point[:2] - 10.0) @ (1.0, 1.0), 0.0, atol=1e-9)


def test_the_first_edge_may_follow_the_parcel_edge_it_starts_on() -> None:
    found = ask(plan_segments([parcels()]), [(-10.0, -30.0)], -10.4, -12.0)
    assert found.kind == "right"
    np.testing.assert_allclose(found.point[:2], (-10.0, -12.0))


def test_edges_of_lines_of_meshes_and_of_what_is_shown() -> None:
    two = parcels((SQUARE, SQUARE + 100.0))
    assert len(plan_segments([two])) == 8  # none from one parcel to the next
    assert len(plan_segments([two.with_(style=replace(two.style, visible=False))])) == 0
    corners = np.column_stack([SQUARE[:4], np.zeros(4)])
    mesh = Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]], np.int32), np.zeros(2, np.int32))
    area = Layer("area", "Area", "parcel", mesh, ElementTable(["P"], {}))
    edges = plan_segments([area])
    assert len(edges) == 4  # not the diagonal
    assert np.hypot(*(edges[:, 1] - edges[:, 0]).T) == pytest.approx(40.0)


def test_a_point_along_a_straight_edge_is_no_corner() -> None:
    ring = np.array([[0.0, 0.0], [10.0, 0.0], [20.0, 0.1], [20.0, 20.0], [0.0, 20.0], [0.0, 0.0]])
    found = corners_of(plan_segments([parcels((ring,))]))
    assert sorted(map(tuple, found.tolist())) == [(0.0, 0.0), (0.0, 20.0), (20.0, 0.1), (20.0, 20.0)]
    assert len(corners_of(np.zeros((0, 2, 2)))) == 0


def test_a_length_along_a_line() -> None:
    np.testing.assert_allclose(at_length(np.zeros(3), np.array([3.0, 4.0, 9.0]), 10.0), (6.0, 8.0, 0.0))
    assert at_length(np.ones(3), np.ones(3), 10.0) is None


def test_a_block_drawn_with_typed_lengths(still: Any, qtbot: Any) -> None:  # noqa: F811
    window = still
    window.document.do(AddLayers((parcels(),)))
    window.actions_["view_top"].trigger()
    settle(window, qtbot)
    window.actions_["mass_new"].trigger()
    tool, view = window.viewport._drawing, window.viewport
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=pixel(window, (-30.0, -30.0, 21.4)) + QPoint(4, -3))
    np.testing.assert_allclose(tool.points[0, :2], (-30.0, -30.0), atol=1e-6)
    camera = view.camera
    for toward, length in (((0.0, -30.0), "20"), ((-10.0, 0.0), "12.5"), ((-40.0, -17.5), "20")):
        QTest.mouseMove(view, pixel(window, (*toward, 21.5)))
        qtbot.wait(80)
        QTest.keyClicks(view, length)
        assert tool.typed == length
        QTest.keyClick(view, Qt.Key.Key_Return)
    assert view.camera == camera  # digits are no views while one draws
    np.testing.assert_allclose(
        tool.points[:, :2], [(-30.0, -30.0), (-10.0, -30.0), (-10.0, -17.5), (-30.0, -17.5)], atol=1e-6
    )
    QTest.keyClick(view, Qt.Key.Key_Return)
    asked = window.masses.dialog
    assert asked._area == pytest.approx(250.0)
    asked.reject()


def test_what_is_typed_is_a_length_an_angle_or_both() -> None:
    text = ""
    for sign in "-12,5.<<-3.0.-":  # no sign first, one point each, one angle
        text = longer(text, sign)
    assert text == "12.5<-3.0"
    assert typed_edge(text) == TypedEdge(12.5, -3.0)
    assert typed_edge("7") == TypedEdge(7.0, None)
    assert typed_edge("<45") == TypedEdge(None, 45.0)
    assert typed_edge(".") == typed_edge("0<") == typed_edge("<-") == TypedEdge()
    assert (typed_text("7"), typed_text("7<"), typed_text("<9")) == ("[7] m", "[7] m ∠ []°", "∠ [9]°")
    start = np.array([1.0, 2.0, 9.0])
    np.testing.assert_allclose(typed_edge("10<90").end(start, np.zeros(3)), (1.0, 12.0, 9.0), atol=1e-9)
    # An angle alone: the cursor says how far.
    np.testing.assert_allclose(typed_edge("<0").end(start, np.array([5.0, 8.0, 0.0])), (5.0, 2.0, 9.0))
    assert plan_angle(start, start + np.array([0.0, -1.0, 0.0])) == 270.0


def test_an_edge_drawn_at_a_typed_angle(still: Any, qtbot: Any) -> None:  # noqa: F811
    window = still
    window.actions_["view_top"].trigger()
    settle(window, qtbot)
    window.actions_["mass_new"].trigger()
    tool, view = window.viewport._drawing, window.viewport
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=pixel(window, (-20.0, -20.0, 21.5)))
    first = tool.points[0]
    QTest.mouseMove(view, pixel(window, (0.0, 10.0, 22.0)))
    QTest.keyClicks(view, "12.5")
    QTest.keyClick(view, Qt.Key.Key_Tab)  # on to the angle, not to another widget
    assert tool.typed == "12.5<"
    assert window.focusWidget() is view
    QTest.keyClicks(view, "30")
    assert tool.overlay._text(tool.shown).startswith("[12.5] m ∠ [30]°")
    QTest.keyClick(view, Qt.Key.Key_Return)
    np.testing.assert_allclose(tool.points[1, :2] - first[:2], (12.5 * np.sqrt(0.75), 6.25), atol=1e-6)
    tool.cancel()


def test_shift_switches_it_off_and_escape_takes_digits_back_first(still: Any, qtbot: Any) -> None:  # noqa: F811
    window = still
    window.document.do(AddLayers((parcels(),)))
    window.actions_["view_top"].trigger()
    settle(window, qtbot)
    window.actions_["mass_new"].trigger()
    tool, view = window.viewport._drawing, window.viewport
    beside = pixel(window, (-30.0, -30.0, 21.4)) + QPoint(5, 4)
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, pos=beside)
    assert np.hypot(*(tool.points[0, :2] + 30.0)) > 0.1
    QTest.keyClicks(view, "7")
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert (tool.typed, tool.active) == ("", True)
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert not tool.active


def test_other_drawings_stay_as_they_are(still: Any) -> None:  # noqa: F811
    tool = still.viewport.start_drawing("polygon", lambda _points: None)
    QTest.mouseClick(still.viewport, Qt.MouseButton.LeftButton, pos=QPoint(400, 400))
    assert tool.snap is None
    assert not tool._takes("7")
    tool.cancel()
    still.actions_["mass_new"].trigger()
    tool = still.viewport._drawing
    QTest.mouseClick(still.viewport, Qt.MouseButton.LeftButton, pos=QPoint(400, 400))
    QTest.keyClick(still.viewport, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    assert tool.typed == ""  # a command is no length
    tool.cancel()
    assert plan_area(np.zeros((2, 3))) == 0.0
