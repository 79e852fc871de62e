"""Drawing in the picture with the mouse: points, ends, taking back, cancelling."""

from __future__ import annotations

import numpy as np
import pytest

from tests.app.test_view_viewport import document, place, viewport  # noqa: F401  fixtures

pytestmark = pytest.mark.gl


def click(qtbot, widget, *points) -> None:
    from PySide6.QtCore import Qt

    for point in points:
        qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=place(widget, point))


def press(qtbot, widget, name: str) -> None:
    from PySide6.QtCore import Qt

    qtbot.keyClick(widget, getattr(Qt.Key, f"Key_{name}"))


def test_a_polygon_is_drawn_on_the_ground(viewport, qtbot) -> None:  # noqa: F811
    drawn: list[np.ndarray] = []
    tool = viewport.start_drawing("polygon", drawn.append)
    corners = [(-60.0, -60.0, 0.0), (-20.0, -60.0, 0.0), (-20.0, -30.0, 0.0)]
    click(qtbot, viewport, *corners[:2])
    press(qtbot, viewport, "Return")
    assert not drawn  # two corners are no polygon
    click(qtbot, viewport, (50.0, 50.0, 0.0))
    press(qtbot, viewport, "Backspace")
    click(qtbot, viewport, corners[2])
    press(qtbot, viewport, "Return")
    assert not tool.active
    np.testing.assert_allclose(drawn[0], corners, atol=1.2)
    assert len(viewport.document.selection) == 0


def test_two_points_end_by_themselves_and_stand_on_roofs(viewport, qtbot) -> None:  # noqa: F811
    drawn: list[np.ndarray] = []
    viewport.start_drawing("two_points", drawn.append)
    click(qtbot, viewport, (-30.0, 0.0, 20.0), (60.0, -60.0, 0.0))
    np.testing.assert_allclose(drawn[0][:, 2], (20.0, 0.0), atol=0.1)


def test_escape_gives_nothing_and_the_next_drawing_ends_the_last(viewport, qtbot) -> None:  # noqa: F811
    ends: list[str] = []
    viewport.start_drawing("polyline", lambda _points: ends.append("done"), on_cancel=lambda: ends.append("first"))
    viewport.start_drawing("polyline", lambda _points: ends.append("done"), on_cancel=lambda: ends.append("second"))
    assert ends == ["first"]
    click(qtbot, viewport, (0.0, -60.0, 0.0), (20.0, -60.0, 0.0))
    press(qtbot, viewport, "Escape")
    assert ends == ["first", "second"]


def test_a_double_click_ends_a_line_without_a_point_twice(viewport, qtbot) -> None:  # noqa: F811
    from PySide6.QtCore import Qt

    drawn: list[np.ndarray] = []
    viewport.start_drawing("polyline", drawn.append)
    click(qtbot, viewport, (0.0, -60.0, 0.0), (20.0, -60.0, 0.0))
    qtbot.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=place(viewport, (20.0, -60.0, 0.0)))
    assert drawn[0].shape == (2, 3)


def test_measures_are_closed_forms() -> None:
    from app.view.draw_tool import measure_text, plan_area, plan_length

    square = np.array([[0, 0, 5], [3, 0, 9], [3, 4, 5], [0, 4, 5]], dtype=float) + (1e6, 2e6, 0)
    assert plan_length(square) == pytest.approx(10.0)
    assert plan_area(square) == pytest.approx(12.0)
    assert measure_text("polygon", square) == "12 m² · 14 m"
    assert measure_text("two_points", square[:2]) == "3 m · Δ 4 m"
