"""Saved viewpoints: what comes back, undo, order and names, the project file, damaged ones."""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QLineEdit

from app import project_file
from app.commands import SetStyle
from app.document import Document
from app.look import ClipPlane, SectionBox
from app.main_window import MainWindow
from app.view import camera as cameras
from app.viewpoints import (
    OpenStorey,
    SavedView,
    add_viewpoint,
    order_viewpoints,
    viewpoints_from_list,
    viewpoints_to_list,
)
from geo.model import Issue
from tests.app import tiny_city
from tests.app.view_scene import need_graphics
from tests.app.window_hands import settle

CAMERA = cameras.looking(np.array([10.0, 20.0, 30.0]), azimuth=75.0, pitch=-30.0, distance=180.0)
FULL = SavedView(
    "v1",
    "회의 시점",
    CAMERA,
    date(2026, 12, 22),
    9 * 60 + 30,
    planes=(ClipPlane((1.0, 2.0, 3.0), (0.0, 1.0, 0.0)),),
    box=None,
    storey=OpenStorey(frozenset({"a", "b"}), "B1", 1.4, True),
    visible=frozenset({"houses"}),
    invisible=frozenset({"ground"}),
    picture=b"\xff\xd8 picture",
)


def test_everything_of_a_viewpoint_is_in_the_project(tmp_path: Path) -> None:
    document = Document()
    tiny_city.fill(document)
    boxed = dataclasses.replace(FULL, id="v2", name="box", planes=(), box=SectionBox((0.0, 0.0, 0.0), (1.0, 2.0, 3.0)))
    document.do(add_viewpoint(document, FULL))
    document.do(add_viewpoint(document, boxed))
    path = tmp_path / "city.twin"
    project_file.save(document.snapshot(), path)
    opened, _ = project_file.open_document(path)
    assert opened.viewpoints.items == (FULL, boxed)
    assert not opened.modified
    opened.clear()
    assert len(opened.viewpoints) == 0


def test_a_project_of_before_has_none(tmp_path: Path) -> None:
    document = Document()
    tiny_city.fill(document)
    path = tmp_path / "city.twin"
    project_file.save(document, path)
    manifest = json.loads(path.read_text(encoding="utf-8"))
    del manifest["viewpoints"]
    manifest["version"] = 4
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert project_file.load(path).viewpoints == ()


@pytest.mark.parametrize(
    "damage",
    [
        {"camera": None},
        {"camera": {"position": [0, 0], "focus": [0, 0, 0], "fov": 30, "parallel_height": 0}},
        {"camera": {"position": [float("nan"), 0, 0], "focus": [0, 0, 0], "fov": 30, "parallel_height": 0}},
        {"planes": [{"point": [0, 0, 0], "normal": [0, 0, 0]}]},
        {"day": "yesterday"},
        {"visible": 3},
    ],
)
def test_a_damaged_viewpoint_is_told_and_the_others_come(damage: dict[str, Any]) -> None:
    good, bad = viewpoints_to_list([FULL, FULL])
    issues: list[Issue] = []
    assert viewpoints_from_list([bad | damage, good], issues) == (FULL,)
    assert [issue.code for issue in issues] == ["project.viewpoint_lost"]
    assert issues[0].values["name"] == "회의 시점"


def test_a_damaged_picture_costs_only_the_picture() -> None:
    (entry,) = viewpoints_to_list([FULL])
    assert viewpoints_from_list([entry | {"picture": "!"}], []) == (dataclasses.replace(FULL, picture=b""),)


def test_order_is_undone() -> None:
    document = Document()
    for name in "abc":
        document.do(add_viewpoint(document, dataclasses.replace(FULL, id=name, name=name)))
    document.do(order_viewpoints(document, ["c", "a"]))
    assert [view.name for view in document.viewpoints] == ["c", "a", "b"]
    document.history.undo()
    assert [view.name for view in document.viewpoints] == ["a", "b", "c"]
    assert document.viewpoints.free_name("View") == "View 1"


# ---- the window


def type_name(window: MainWindow, qtbot: Any, name: str) -> None:
    """Type over the name that is being edited."""
    qtbot.wait(50)
    (edit,) = [edit for edit in window.viewpoints.panel.list.findChildren(QLineEdit) if edit.isVisible()]
    edit.selectAll()
    qtbot.keyClicks(edit, name)
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    QApplication.processEvents()


def test_a_person_saves_a_view_and_comes_back_to_it(city: MainWindow, qtbot: Any) -> None:
    need_graphics()
    window, panel = city, city.viewpoints.panel
    window.viewport.set_camera(CAMERA)
    window.timeline.set_day(date(2026, 12, 22))
    window.timeline.set_minute(570)
    plane = ClipPlane((0.0, 0.0, 30.0), (0.0, 1.0, 0.0))
    window.modes.show_plane(plane)
    window.modes.move_plane(4.0)
    houses = window.document.scene["houses"]
    qtbot.wait(100)
    window.actions_["viewpoint_save"].trigger()
    type_name(window, qtbot, "North side")
    assert [view.name for view in window.document.viewpoints] == ["North side"]
    image = QImage.fromData(window.document.viewpoints.items[0].picture)
    assert (image.width(), image.height()) == (192, 120)
    colours = {image.pixel(x, y) for x in range(0, 192, 8) for y in range(0, 120, 8)}
    assert len(colours) > 10  # a picture and not an empty frame
    # elsewhere
    window.modes.leave()
    window.viewport.set_view("top")
    window.timeline.set_minute(900)
    window.bench.do(SetStyle("houses", dataclasses.replace(houses.style, visible=False)))
    before = len(window.document.history._done)
    item = panel.list.item(0)
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=panel.list.visualItemRect(item).center())
    assert window.viewport.camera == CAMERA
    assert (window.timeline.day, window.timeline.minute) == (date(2026, 12, 22), 570)
    assert window.viewport.section_work.section.planes == (plane.moved(4.0),)
    assert window.modes.mode == "plane"
    assert window.document.scene["houses"].style.visible
    assert len(window.document.history._done) == before + 1
    window.document.history.undo()
    assert not window.document.scene["houses"].style.visible
    settle(window, qtbot)


def test_names_order_renewal_and_removal_are_steps(city: MainWindow, qtbot: Any) -> None:
    need_graphics()
    window, panel = city, city.viewpoints.panel
    for name in ("one", "two"):
        window.viewpoints.save()
        type_name(window, qtbot, name)
    names = lambda: [view.name for view in window.document.viewpoints]  # noqa: E731
    qtbot.waitUntil(lambda: panel.list.count() == 2, timeout=3000)
    assert names() == ["one", "two"]
    panel.up_button.click()
    assert names() == ["two", "one"]
    window.document.history.undo()
    assert names() == ["one", "two"]
    qtbot.wait(20)
    assert panel.list.model().moveRow(panel.list.rootIndex(), 0, panel.list.rootIndex(), 2)  # what a drag does
    assert names() == ["two", "one"]
    qtbot.wait(20)
    panel.list.setCurrentRow(0)
    window.viewport.set_camera(CAMERA)
    panel.renew_button.click()
    assert window.document.viewpoints.items[0].camera == CAMERA
    assert names() == ["two", "one"]
    qtbot.wait(20)
    qtbot.keyClick(panel.list, Qt.Key.Key_Delete)
    assert names() == ["one"]
    window.document.history.undo()
    assert names() == ["two", "one"]
    window.viewpoints.panel.list.item(0).setText("   ")
    assert names() == ["two", "one"]
    qtbot.waitUntil(lambda: panel.list.item(0).text() == "two", timeout=3000)


def test_a_box_comes_back_and_an_open_section_goes(city: MainWindow, qtbot: Any) -> None:
    need_graphics()
    window = city
    plain = window.viewpoints.view_here("plain")
    box = SectionBox((-70.0, -70.0, 0.0), (0.0, 0.0, 60.0))
    window.modes.show_box(box)
    boxed = window.viewpoints.view_here("boxed")
    for view in (plain, boxed):
        window.bench.do(add_viewpoint(window.document, view))
    window.viewpoints.go_to(plain.id)
    assert not window.viewport.section_work.section.is_open
    window.viewpoints.go_to(boxed.id)
    assert window.viewport.section_work.section.box == box
    settle(window, qtbot)
