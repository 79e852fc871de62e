"""A slow scene is drawn in parts: the same picture, counted instead of timed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.theme import theme_named
from app.view import frames, slices
from geo.model import ElementRef
from tests.app.test_view_viewport import document, pixels, settle, viewport  # noqa: F401  fixtures
from tests.app.view_scene import ground, need_graphics, town, trees

pytestmark = pytest.mark.gl


@pytest.fixture
def slow(viewport: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: F811
    """The town as if it took long to draw, each thing in a part of its own."""
    monkeypatch.setattr(frames, "SLOW_FACES", 0)
    monkeypatch.setattr(slices, "SLICE_S", 0.0)
    viewport.canvas.software = True
    viewport.document.scene.add(trees(9))
    settle(viewport, qtbot)
    viewport.redraw()
    at_rest(viewport, qtbot)
    return viewport


def at_rest(viewport: Any, qtbot: Any) -> None:  # noqa: F811
    """Until the finished frame is on the screen."""
    qtbot.waitUntil(lambda: not (viewport.canvas.stale or viewport.frames.busy), timeout=20_000)


def drawn_at_once(viewport: Any, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:  # noqa: F811
    with monkeypatch.context() as patch:
        patch.setattr(viewport.frames, "is_slow", lambda: False)
        viewport.redraw()
        return pixels(viewport)


@pytest.fixture
def slow_at_once(document: Any, screen: None, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: F811
    """A viewport that was never drawn at once."""
    from app.view.viewport import Viewport

    need_graphics()
    monkeypatch.setattr(frames, "SLOW_FACES", 0)
    widget = Viewport(document, theme=theme_named("light"))
    widget.resize(420, 300)
    document.scene.add(ground())
    document.scene.add(town())
    widget.show()
    qtbot.waitExposed(widget)
    widget.canvas.software = True
    widget.redraw()
    yield widget
    widget.close()
    widget.deleteLater()


def test_a_scene_that_is_slow_from_the_start_is_seen_on_the_screen(slow_at_once: Any, qtbot: Any) -> None:
    """Frames in parts are shown from a buffer that VTK makes for the first frame that is shown at once."""
    at_rest(slow_at_once, qtbot)
    image = slow_at_once.canvas.grabFramebuffer()
    colours = {image.pixel(x, y) for x in range(0, image.width(), 20) for y in range(0, image.height(), 20)}
    assert len(colours) > 5


def test_in_parts_it_is_the_same_picture(slow: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    slow.document.selection.set([ElementRef("blocks", "b0")])
    at_rest(slow, qtbot)
    before = slow.frames.parts
    in_parts = pixels(slow)
    assert slow.frames.parts == before  # the finished frame was there already
    assert before >= 4
    np.testing.assert_array_equal(in_parts, drawn_at_once(slow, monkeypatch))


def test_what_one_sees_through_is_there_with_occlusion(slow: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.commands import SetStyle
    from geo.model import Style

    slow.set_quality("fine")
    at_rest(slow, qtbot)
    solid = pixels(slow)
    slow.document.do(SetStyle("blocks", Style(opacity=0.4), "style"))
    settle(slow, qtbot)
    slow.redraw()
    at_rest(slow, qtbot)
    in_parts = pixels(slow)
    at_once = drawn_at_once(slow, monkeypatch)
    np.testing.assert_allclose(in_parts, at_once, atol=2)
    slow.document.do(SetStyle("blocks", Style(opacity=1.0, visible=False), "style"))
    settle(slow, qtbot)
    slow.redraw()
    at_rest(slow, qtbot)
    without = pixels(slow)
    for other in (solid, without):  # it is glass: neither solid nor gone
        assert (np.abs(in_parts - other).max(axis=2) > 8).mean() > 0.02


def test_a_moving_camera_shows_the_last_frame_and_then_the_right_one(
    slow: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.view.camera import orbit

    started, quick, parts = slow.frames.whole, slow.frames.quick, slow.frames.parts
    monkeypatch.setattr(slow.frames._timer, "start", lambda: None)  # no time for a better frame
    slow.set_camera(orbit(slow.camera, np.zeros(3), turn=4.0, tilt=0.0))
    qtbot.waitUntil(lambda: slow.frames.quick > quick, timeout=20_000)
    assert (slow.frames.whole, slow.frames.parts) == (started, parts)
    stood_in = np.asarray(shown(slow))
    finished = pixels(slow)  # whoever takes the picture away gets a finished one
    assert slow.frames.parts > parts
    np.testing.assert_array_equal(finished, drawn_at_once(slow, monkeypatch))
    apart = np.abs(stood_in - finished[: stood_in.shape[0], : stood_in.shape[1]]).max(axis=2)
    assert (apart > 40).mean() < 0.12  # the stand-in shows the town from about where it is seen


def test_after_a_jump_the_last_frame_stays_until_the_right_one_is_there(
    slow: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.view.camera import looking

    last, quick = np.asarray(shown(slow)), slow.frames.quick
    with monkeypatch.context() as patch:
        patch.setattr(slow.frames._timer, "start", lambda: None)  # no time for a better frame
        slow.set_camera(looking(np.array([30.0, 20.0, 5.0]), azimuth=200.0, pitch=-20.0, distance=8.0))
        qtbot.waitUntil(lambda: slow.frames.quick > quick, timeout=20_000)
        np.testing.assert_array_equal(shown(slow), last)
    slow.redraw()
    at_rest(slow, qtbot)
    assert np.abs(np.asarray(shown(slow)) - last).max() > 60
    np.testing.assert_array_equal(pixels(slow), drawn_at_once(slow, monkeypatch))


def shown(viewport: Any) -> np.ndarray:  # noqa: F811
    """What is in the buffer that the screen shows."""
    from app.view.stage import read_pixels

    viewport.canvas.makeCurrent()
    found = read_pixels(viewport.stage.window).astype(float)
    viewport.canvas.doneCurrent()
    return found


def test_marks_and_a_mass_in_hand_do_not_draw_the_scene_anew(slow: Any, qtbot: Any) -> None:
    from app.view.ghost import Ghost

    layer = slow.document.scene["blocks"]
    ghost = Ghost(slow.stage, ElementRef("blocks", "b0"), layer.geometry)
    slow.redraw()
    at_rest(slow, qtbot)
    parts, quick, before = slow.frames.parts, slow.frames.quick, pixels(slow)
    ghost.move(
        type(layer.geometry)(
            layer.geometry.vertices + (0.0, 30.0, 0.0), layer.geometry.faces, layer.geometry.face_element
        )
    )
    slow.redraw(scene=False)
    qtbot.waitUntil(lambda: slow.frames.quick > quick, timeout=20_000)
    slow.document.selection.set([ElementRef("blocks", "b1")])
    at_rest(slow, qtbot)
    assert slow.frames.parts == parts
    assert np.abs(pixels(slow) - before).max() > 60  # and yet it has moved
    ghost.release()
    assert slow.stage.moving == []


def test_a_change_while_a_frame_is_drawn_is_seen_in_the_end(
    slow: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = slow.frames.parts
    slow.redraw()
    qtbot.waitUntil(lambda: slow.frames.parts > parts, timeout=20_000)
    slow.set_theme(theme_named("dark"))
    slow.resize(300, 220)
    at_rest(slow, qtbot)
    np.testing.assert_array_equal(pixels(slow), drawn_at_once(slow, monkeypatch))


def test_a_scene_that_becomes_slow_while_the_window_grows_is_drawn_all_the_same(
    viewport: Any,  # noqa: F811
    qtbot: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    viewport.canvas.software = True
    viewport.redraw()
    at_rest(viewport, qtbot)
    monkeypatch.setattr(frames, "SLOW_FACES", 0)
    viewport.resize(viewport.width() + 40, viewport.height() + 30)  # the last frame was of another size
    viewport.redraw()
    at_rest(viewport, qtbot)
    np.testing.assert_array_equal(pixels(viewport), drawn_at_once(viewport, monkeypatch))


def test_what_is_large_and_new_is_made_ready_before_it_is_drawn(
    slow: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.view import warm_up

    crumbs: list[frozenset[str]] = []
    steps_of = warm_up.steps_of

    def noted(prop: Any, brought: set[str]) -> list[frozenset[str]]:
        found = steps_of(prop, brought)
        crumbs.extend(found)
        return found

    monkeypatch.setattr(slices, "steps_of", noted)
    monkeypatch.setattr(warm_up, "MANY_FACES", 1)
    monkeypatch.setattr(warm_up, "MANY_TEXELS", 1)
    slow.frames.costs.forget()  # as if nothing had been drawn
    slow.redraw()
    at_rest(slow, qtbot)
    assert frozenset() in crumbs  # the shader alone
    assert frozenset({"skyTex"}) in crumbs  # then the light
    np.testing.assert_array_equal(pixels(slow), drawn_at_once(slow, monkeypatch))


def test_with_occlusion_in_parts_it_is_the_same_picture(slow: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    slow.set_quality("fine")
    slow.redraw()
    parts = slow.frames.parts
    at_rest(slow, qtbot)
    assert slow.frames.parts - parts >= 3  # what is new is drawn by itself before all of it together
    np.testing.assert_array_equal(pixels(slow), drawn_at_once(slow, monkeypatch))


def test_a_picture_in_parts_is_the_one_at_once(slow: Any, qtbot: Any) -> None:
    from app.view.camera import orbit

    at_once, size = slow.grab_picture(500, 330), tuple(slow.stage.window.GetSize())
    at_rest(slow, qtbot)
    seen = np.asarray(shown(slow))
    taken: list[Any] = []
    slow.pictures.later(500, 330, taken.append)
    slow.set_camera(orbit(slow.camera, np.zeros(3), turn=40.0, tilt=0.0))  # the person goes on
    assert not taken
    qtbot.waitUntil(lambda: bool(taken), timeout=20_000)
    np.testing.assert_allclose(_array(taken[0]), _array(at_once), atol=2)  # letters are mixed in another order
    at_rest(slow, qtbot)
    assert tuple(slow.stage.window.GetSize()) == size
    assert np.abs(shown(slow) - seen).max() > 60  # the window shows where the camera is now


def _array(image: Any) -> np.ndarray:
    image = image.convertToFormat(image.Format.Format_RGB888)
    return np.array(image.constBits(), dtype=np.int64).reshape(image.height(), image.bytesPerLine())


def test_a_picture_is_given_up_when_the_window_closes(slow: Any) -> None:
    taken: list[Any] = []
    slow.pictures.later(500, 330, taken.append)
    slow.shutdown()
    assert taken == [None]


def test_a_picture_that_fails_gives_the_window_back(slow: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_under: Any = None) -> None:
        raise MemoryError("no room for the picture")

    taken: list[Any] = []
    slow.pictures.later(500, 330, taken.append)
    work = slow.pictures._work
    monkeypatch.setattr(work._frame, "draw_next", fail)
    with pytest.raises(MemoryError):
        work.finish()
    assert taken == [None]
    assert not slow.canvas.is_held
    slow.redraw()
    at_rest(slow, qtbot)


def test_a_small_scene_is_drawn_at_once(viewport: Any, qtbot: Any) -> None:  # noqa: F811
    viewport.canvas.software = True
    viewport.redraw()  # for the first time perhaps in parts: shaders are compiled
    at_rest(viewport, qtbot)
    parts, whole = viewport.frames.parts, viewport.frames.whole
    viewport.redraw()
    at_rest(viewport, qtbot)
    assert viewport.frames.parts == parts
    assert viewport.frames.whole == whole + 1


def test_the_relief_of_a_plane_lies_on_the_plane() -> None:
    from vtkmodules.vtkRenderingCore import vtkCamera

    from app.view.kept_frame import relief_of

    camera = vtkCamera()
    camera.SetPosition(0.0, -100.0, 100.0)
    camera.SetFocalPoint(0.0, 0.0, 0.0)
    camera.SetViewUp(0.0, 0.0, 1.0)
    camera.SetClippingRange(20.0, 2000.0)
    height, width = 60, 90
    matrix = camera.GetCompositeProjectionTransformMatrix(width / height, -1.0, 1.0)
    forward = np.array([[matrix.GetElement(row, col) for col in range(4)] for row in range(4)])
    x, y = np.meshgrid((np.arange(width) + 0.5) / width * 2 - 1, (np.arange(height) + 0.5) / height * 2 - 1)
    back = np.linalg.inv(forward)

    def at(depth: float) -> np.ndarray:
        points = np.stack([x, y, np.full_like(x, 2 * depth - 1), np.ones_like(x)], axis=-1) @ back.T
        return points[..., :3] / points[..., 3:]

    near, far = at(0.0), at(1.0)
    level = near + (far - near) * (near[..., 2] / (near[..., 2] - far[..., 2]))[..., None]  # z = 0
    clip = np.concatenate([level, np.ones((*x.shape, 1))], axis=-1) @ forward.T
    depths = ((clip[..., 2] / clip[..., 3] + 1) / 2).astype(np.float32)
    points, quads, places = relief_of(depths, camera)
    assert np.abs(points[:, 2]).max() < 0.05
    assert len(quads) > 100
    assert places.min() >= 0.0
    assert places.max() <= 1.0
    assert np.ptp(points[:, 0]) > 1.8 * np.ptp(level[..., 0])  # the rim goes on beyond the picture
