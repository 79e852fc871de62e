"""The viewport driven like a person drives it: mouse, wheel, keys; asked for the document and for pixels."""

from __future__ import annotations

import numpy as np
import pytest

from app.document import Document
from app.theme import theme_named
from geo.model import ElementRef, Style
from tests.app.view_scene import FRAME, ground, need_graphics, sun_grid, town

pytestmark = pytest.mark.gl
WIDTH, HEIGHT = 320, 240


@pytest.fixture
def document() -> Document:
    return Document(FRAME)


@pytest.fixture
def viewport(document, screen, qtbot):
    need_graphics()
    from app.view.camera import looking
    from app.view.viewport import Viewport

    widget = Viewport(document, theme=theme_named("light"), quality="fast")
    widget.resize(WIDTH, HEIGHT)
    document.scene.add(ground())
    document.scene.add(town())
    widget.show()
    qtbot.waitExposed(widget)
    widget.set_camera(looking(np.zeros(3), azimuth=0.0, pitch=-60.0, distance=300.0))
    settle(widget, qtbot)
    yield widget
    widget.close()
    widget.deleteLater()


def settle(widget, qtbot) -> None:
    """Wait until the light is made and the frame is drawn."""
    qtbot.waitUntil(lambda: not widget._sky_timer.isActive() and not widget.canvas.stale, timeout=20_000)


def place(widget, point):
    from PySide6.QtCore import QPoint

    from app.view.camera import project

    x, y = project(widget.camera, np.array([point], dtype=float), (widget.width(), widget.height()))[0][0]
    return QPoint(round(x), round(y))


def pixels(widget) -> np.ndarray:
    image = widget.grab().toImage().convertToFormat(widget.grab().toImage().Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(float)


def left_click(qtbot, widget, point, *, control: bool = False) -> None:
    from PySide6.QtCore import Qt

    keys = Qt.KeyboardModifier.ControlModifier if control else Qt.KeyboardModifier.NoModifier
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, keys, place(widget, point))


def drag(qtbot, widget, button, start, stop, *, keys=None) -> None:
    from PySide6.QtCore import QEvent, QPointF, Qt
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication

    keys = keys or Qt.KeyboardModifier.NoModifier

    def send(kind, at, which, held) -> None:
        point = QPointF(*at)
        event = QMouseEvent(kind, point, QPointF(widget.mapToGlobal(point.toPoint())), which, held, keys)
        QApplication.sendEvent(widget, event)

    send(QEvent.Type.MouseButtonPress, start, button, button)
    for share in np.linspace(0, 1, 9)[1:]:
        at = tuple(np.array(start) + share * (np.array(stop) - start))
        send(QEvent.Type.MouseMove, at, Qt.MouseButton.NoButton, button)
    send(QEvent.Type.MouseButtonRelease, stop, button, Qt.MouseButton.NoButton)


def test_a_click_selects_the_building_under_it(viewport, document, qtbot) -> None:
    picked = []
    viewport.picked.connect(lambda ref, point: picked.append((ref, point)))
    left_click(qtbot, viewport, (-30, 0, 20))
    assert document.selection.items == (ElementRef("blocks", "b0"),)
    np.testing.assert_allclose(picked[-1][1], (-30, 0, 20), atol=1.0)
    left_click(qtbot, viewport, (30, 0, 10), control=True)
    assert document.selection.items == (ElementRef("blocks", "b0"), ElementRef("blocks", "b1"))
    left_click(qtbot, viewport, (-30, 0, 20), control=True)
    assert document.selection.items == (ElementRef("blocks", "b1"),)
    left_click(qtbot, viewport, (0, -60, 0))
    assert document.selection.items == ()
    assert picked[-1][0].layer_id == "ground"


def test_the_selection_is_seen(viewport, document, qtbot) -> None:
    at = place(viewport, (-30, 0, 20))
    before = pixels(viewport)[at.y(), at.x()]
    document.selection.set([ElementRef("blocks", "b0")])
    settle(viewport, qtbot)
    after = pixels(viewport)[at.y(), at.x()]
    assert after[0] - after[1] > before[0] - before[1] + 40  # tinted magenta


def test_a_hidden_element_disappears(viewport, document, qtbot) -> None:
    at = place(viewport, (-30, 0, 20))
    before = pixels(viewport)[at.y(), at.x()]
    layer = document.scene["blocks"]
    document.scene.replace(layer.with_(style=Style(hidden=frozenset({"b0"}))), "style")
    settle(viewport, qtbot)
    assert np.abs(pixels(viewport)[at.y(), at.x()] - before).max() > 10
    left_click(qtbot, viewport, (-30, 0, 20))
    assert document.selection.items == ()
    document.scene.remove("blocks")
    settle(viewport, qtbot)
    assert viewport.stage.actor_count == 1


def test_the_theme_changes_picture_and_cards(viewport, document, qtbot) -> None:
    document.scene.add(sun_grid())
    settle(viewport, qtbot)
    light = pixels(viewport)
    viewport.set_theme(theme_named("dark"))
    settle(viewport, qtbot)
    dark = pixels(viewport)
    assert light[2, WIDTH // 2].mean() > dark[2, WIDTH // 2].mean() + 80
    card = viewport.cards.legend.geometry()
    assert viewport.cards.legend.isVisible()
    assert light[card.top() + 4, card.left() + 20].mean() > dark[card.top() + 4, card.left() + 20].mean() + 120


def test_the_sun_moves_the_shadow(viewport, qtbot) -> None:
    place_ = place(viewport, (-30, 27, 0))
    viewport.set_sun(180.0, 40.0)
    settle(viewport, qtbot)
    shaded = pixels(viewport)[place_.y(), place_.x()].mean()
    viewport.set_sun(0.0, 40.0)
    settle(viewport, qtbot)
    assert pixels(viewport)[place_.y(), place_.x()].mean() > shaded + 20
    viewport.set_sun(None)


def test_the_wheel_zooms_to_the_cursor(viewport) -> None:
    from PySide6.QtCore import QPoint, QPointF, Qt
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    at = place(viewport, (30, 0, 10))
    before = viewport.camera
    event = QWheelEvent(
        QPointF(at),
        QPointF(viewport.mapToGlobal(at)),
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, event)
    after = place(viewport, (30, 0, 10))
    assert abs(after.x() - at.x()) <= 1
    assert abs(after.y() - at.y()) <= 1
    assert viewport.camera.distance < before.distance * 0.8


def test_dragging_orbits_and_moves(viewport, qtbot) -> None:
    from PySide6.QtCore import Qt

    before, at = viewport.camera, place(viewport, (-30, 0, 20))
    drag(qtbot, viewport, Qt.MouseButton.LeftButton, (at.x(), at.y()), (at.x() + 60, at.y() - 20))
    assert viewport.camera.azimuth != pytest.approx(before.azimuth, abs=5)
    assert abs(place(viewport, (-30, 0, 20)).x() - at.x()) <= 2  # the point under the press stays
    turned, at = viewport.camera, place(viewport, (0, -40, 0))
    drag(qtbot, viewport, Qt.MouseButton.MiddleButton, (at.x(), at.y()), (at.x() + 40, at.y() - 30))
    assert viewport.camera.azimuth == pytest.approx(turned.azimuth)
    moved = place(viewport, (0, -40, 0))
    assert (abs(moved.x() - at.x() - 40), abs(moved.y() - at.y() + 30)) <= (2, 2)


def test_a_drag_is_not_a_click(viewport, document, qtbot) -> None:
    from PySide6.QtCore import Qt

    at = place(viewport, (-30, 0, 20))
    drag(qtbot, viewport, Qt.MouseButton.LeftButton, (at.x(), at.y()), (at.x() + 50, at.y()))
    assert document.selection.items == ()


def test_right_click_asks_for_the_menu(viewport, qtbot) -> None:
    from PySide6.QtCore import Qt

    asked = []
    viewport.context_requested.connect(lambda ref, where: asked.append(ref))
    qtbot.mouseClick(viewport, Qt.MouseButton.RightButton, pos=place(viewport, (30, 0, 10)))
    assert asked == [ElementRef("blocks", "b1")]


def test_hovering_tells_the_value(viewport, document, qtbot) -> None:
    document.scene.add(sun_grid(7.25))
    settle(viewport, qtbot)
    with qtbot.waitSignal(viewport.hovered, timeout=5000) as told:
        qtbot.mouseMove(viewport, place(viewport, (0, -50, 0)))
    info = told.args[0]
    assert (info.value, info.unit) == ("7.25", "h")
    assert info.northing == pytest.approx(FRAME.origin[1] - 50, abs=2)
    assert viewport.cards.hover.isVisible()


def test_keys_and_views(viewport, document, qtbot) -> None:
    from PySide6.QtCore import Qt

    document.selection.set([ElementRef("blocks", "b0")])
    qtbot.keyClick(viewport, Qt.Key.Key_Escape)
    assert len(document.selection) == 0
    azimuth = viewport.camera.azimuth
    qtbot.keyClick(viewport, Qt.Key.Key_Right)
    assert viewport.camera.azimuth != pytest.approx(azimuth)
    viewport.set_view("top")
    assert viewport.camera.pitch < -85
    viewport.zoom_to([ElementRef("blocks", "b1")])
    at = place(viewport, (30, 0, 5))
    assert abs(at.x() - WIDTH / 2) < 40
    assert abs(at.y() - HEIGHT / 2) < 40


def test_double_click_zooms(viewport, qtbot) -> None:
    from PySide6.QtCore import Qt

    before = viewport.camera.distance
    qtbot.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=place(viewport, (30, 0, 10)))
    assert viewport.camera.distance < before * 0.7


@pytest.mark.parametrize("size", [(640, 400), (200, 500)])
def test_a_picture_of_any_size_with_its_cards(viewport, document, qtbot, size) -> None:
    document.scene.add(sun_grid())
    settle(viewport, qtbot)
    image = viewport.grab_picture(*size)
    assert (image.width(), image.height()) == size
    colours = {image.pixelColor(x, y).name() for x in range(0, size[0], 7) for y in range(0, size[1], 7)}
    assert len(colours) > 50
    settle(viewport, qtbot)
    assert pixels(viewport).std() > 10  # the window itself is as it was


def test_work_is_handed_to_the_queue_and_late_answers_are_dropped(document, screen, qtbot) -> None:
    need_graphics()
    from app.view.viewport import Viewport

    queue = []
    widget = Viewport(
        document, theme=theme_named("dark"), quality="fast", submit=lambda work, done: queue.append((work, done))
    )
    widget.resize(160, 120)
    document.scene.add(ground())
    document.scene.add(town())
    widget.show()
    qtbot.waitExposed(widget)
    qtbot.waitUntil(lambda: len(queue) >= 2, timeout=10_000)
    assert widget._hits(place(widget, (-30, 0, 20)).toPointF())[0].layer.id == "ground"  # not ready: passed over
    results = [(work(), done) for work, done in queue]
    widget.close()
    for result, done in results:
        done(result)  # after the widget has gone: nothing happens
    widget.deleteLater()


def test_the_legend_speaks_korean(viewport, document, qtbot) -> None:
    from app.language import language

    document.scene.add(sun_grid())
    language.set("ko")
    assert viewport.cards.legend.legend.title == "일조시간"
