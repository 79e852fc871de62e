"""What a user does while something runs: nothing of it lands in the wrong place, and nothing is left running."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QDate, Qt
from PySide6.QtWidgets import QMessageBox

from analysis.contract import Result
from app import project_file
from app.commands import AddLayers, RemoveLayers, Together
from app.document import Document
from app.import_requests import ImportRequest
from app.jobs import JobState
from app.language import language
from app.main_window import MainWindow
from geo.model import Column, ElementRef, ElementTable, Feedback, Layer, Points
from tests.app import tiny_city
from tests.app.window_hands import made_analysis, settle

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]
WAIT_MS = 60_000


class Gate:
    """A study that waits until it is let go, and then answers with one layer of points."""

    def __init__(self) -> None:
        self.started, self.free = threading.Event(), threading.Event()
        self.analysis = made_analysis(self._run)

    def _run(self, _inputs: Any, _params: Any, feedback: Feedback) -> Result:
        self.started.set()
        while not self.free.wait(0.01):
            feedback.step(0.5, "waiting")
        points = Points([(0.0, 0.0, 30.0)], [0])
        return Result((Layer("answer", "Answer", "result", points),), {})


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.free.set()


@pytest.fixture
def bugs(city: MainWindow) -> Iterator[list[str]]:
    """What was reported as a mistake of the program."""
    found: list[str] = []
    city.bench.notices.install_hooks()
    city.bench.notices.bug_found.connect(found.append)
    yield found
    city.bench.notices.bug_found.disconnect(found.append)
    city.bench.notices.remove_hooks()
    assert not found


def begin(city: MainWindow, gate: Gate, qtbot: Any) -> Any:
    job = city.bench.run(gate.analysis, {})
    qtbot.waitUntil(gate.started.is_set, timeout=WAIT_MS)
    return job


def end(city: MainWindow, gate: Gate, qtbot: Any, job: Any) -> None:
    gate.free.set()
    qtbot.waitUntil(lambda: job.is_over, timeout=WAIT_MS)
    settle(city, qtbot)


def results(city: MainWindow) -> list[str]:
    return [layer.id for layer in city.document.scene if layer.theme == "result"]


def press(kind: QMessageBox.ButtonRole, window: MainWindow) -> None:
    box = next(box for box in window.findChildren(QMessageBox) if box.isVisible())
    next(button for button in box.buttons() if box.buttonRole(button) == kind).click()


def project(folder: Path, name: str, layer: Layer) -> Path:
    document = Document(tiny_city.frame())
    document.scene.add(layer)
    project_file.save(document.snapshot(), folder / name)
    return folder / name


def test_the_answer_for_one_project_does_not_come_into_another(
    city: MainWindow, gate: Gate, bugs: list[str], tmp_path: Path, qtbot: Any
) -> None:
    other = project(tmp_path, "other.twin", tiny_city.terrain())
    job = begin(city, gate, qtbot)
    city.files.open_project(other)
    press(QMessageBox.ButtonRole.DestructiveRole, city)
    qtbot.waitUntil(lambda: city.document.name == "other", timeout=WAIT_MS)
    end(city, gate, qtbot, job)
    assert [layer.id for layer in city.document.scene] == ["ground"]
    assert not city.document.modified


def test_nor_into_a_new_project(city: MainWindow, gate: Gate, bugs: list[str], qtbot: Any) -> None:
    job = begin(city, gate, qtbot)
    city.files.ask_new()
    press(QMessageBox.ButtonRole.DestructiveRole, city)
    end(city, gate, qtbot, job)
    assert len(city.document.scene) == 0
    assert city.document.scene.frame is None
    assert city.stack.currentWidget() is city.start_page


def test_an_import_for_one_project_does_not_come_into_another(
    city: MainWindow, bugs: list[str], tmp_path: Path, qtbot: Any
) -> None:
    files = tiny_city.write_files(tmp_path)
    city.bench.import_all([ImportRequest(path) for path in files])
    city.bench.new_project()
    settle(city, qtbot)
    assert len(city.document.scene) == 0


def test_of_two_projects_opened_at_once_the_second_is_shown(
    city: MainWindow, gate: Gate, bugs: list[str], tmp_path: Path, qtbot: Any
) -> None:
    one = project(tmp_path, "one.twin", tiny_city.terrain())
    two = project(tmp_path, "two.twin", tiny_city.buildings())
    job = begin(city, gate, qtbot)
    city.document.mark_saved(tmp_path / "kept.twin")
    city.files.open_project(one)
    city.files.open_project(two)
    end(city, gate, qtbot, job)
    assert city.document.name == "two"
    assert [layer.id for layer in city.document.scene] == ["houses"]


def test_closing_the_window_ends_what_runs(city: MainWindow, gate: Gate, bugs: list[str], qtbot: Any) -> None:
    job = begin(city, gate, qtbot)
    city.close()
    press(QMessageBox.ButtonRole.DestructiveRole, city)
    assert not city.isVisible()
    alive = [thread.name for thread in threading.enumerate() if thread.name.startswith("job ")]
    assert not alive
    qtbot.wait(50)
    assert not results(city)
    assert not job.is_over or job.state is not JobState.DONE


def test_the_language_changes_while_a_study_runs(city: MainWindow, gate: Gate, bugs: list[str], qtbot: Any) -> None:
    job = begin(city, gate, qtbot)
    city.set_language("ko")
    qtbot.wait(150)
    city.set_language("en")
    city.set_language("ko")
    end(city, gate, qtbot, job)
    assert language.code == "ko"
    assert results(city)


def test_undo_while_the_layer_is_studied(city: MainWindow, gate: Gate, bugs: list[str], qtbot: Any) -> None:
    job = begin(city, gate, qtbot)
    city.document.history.undo()  # the import of everything
    assert len(city.document.scene) == 0
    end(city, gate, qtbot, job)
    assert not results(city)  # there is no city any more that it could lie in
    city.document.history.redo()
    assert len(city.document.scene) == 2


def test_of_two_first_imports_the_second_comes_into_the_place_of_the_first(
    window: MainWindow, tmp_path: Path, qtbot: Any
) -> None:
    """Read at the same time, each for an empty project, they lie where they belong to each other."""
    terrain, houses = tiny_city.write_files(tmp_path)
    houses.write_text(houses.read_text().replace("[22", "[23"))  # ten kilometres to the east
    window.bench.import_all([ImportRequest(terrain)])
    window.bench.import_all([ImportRequest(houses)])
    qtbot.waitUntil(lambda: len(window.document.scene) == 2, timeout=WAIT_MS)
    settle(window, qtbot)
    east = {layer.kind: layer.geometry.bounds.low[0] for layer in window.document.scene}
    ground = east.pop("terrain")
    assert next(iter(east.values())) - ground == pytest.approx(10_000.0 - 60.0 + 100.0, abs=6.0)


def test_the_table_follows_a_layer_of_the_same_name_with_fewer_rows(
    city: MainWindow, bugs: list[str], qtbot: Any
) -> None:
    city.show_table("houses")
    settle(city, qtbot)
    assert city.table.model.rowCount() == 4
    layer = city.document.scene["houses"]
    fewer = layer.with_(
        geometry=tiny_city.box(*tiny_city.PLACES[0]),
        table=ElementTable(["B1"], {"name": Column(np.array(["Elm"], dtype=object))}),
        fields=(),
    )
    city.document.do(Together((RemoveLayers(("houses",)), AddLayers((fewer,))), "add_layers"))
    city.document.selection.set([ElementRef("houses", "B1")])
    city.table.show_selection()  # asked for by the selection, at times before the table has been filled again
    settle(city, qtbot)
    assert city.table.model.rowCount() == 1
    city.document.history.undo()
    city.document.selection.set([ElementRef("houses", "B4")])
    settle(city, qtbot)
    assert city.table.model.rowCount() == 4
    assert list(city.table.selected_rows()) == [3]


def test_the_last_day_is_played_to_its_end_and_no_further(city: MainWindow, bugs: list[str], qtbot: Any) -> None:
    timeline = city.timeline
    timeline.date_edit.setDate(QDate(9999, 12, 31))
    last = timeline.day
    assert last.year < 3000  # no sun is known beyond
    timeline.set_day(timeline.date_edit.maximumDate().toPython())
    timeline.set_minute(24 * 60 - 1)
    timeline._advance()
    assert timeline.day == timeline.date_edit.maximumDate().toPython()
    timeline.date_edit.setDate(QDate(1, 1, 1))
    assert timeline.day.year > 1800


def test_a_menu_that_outlives_the_window_does_nothing(city: MainWindow, bugs: list[str], qtbot: Any) -> None:
    city.document.mark_saved(Path("kept.twin"))
    city.close()
    assert not city.isVisible()
    for key in ("open", "undo", "run", "layer_remove", "walk", "report"):
        city.actions_[key].setEnabled(True)
        city.actions_[key].trigger()


def test_a_question_that_outlives_the_window_does_nothing(city: MainWindow, bugs: list[str], tmp_path: Path) -> None:
    """It was asked while the project was being saved to be closed."""
    city.files.open_project(tmp_path / "other.twin")
    city.document.mark_saved(tmp_path / "kept.twin")
    city.close()
    assert not city.isVisible()
    box = next(iter(city.findChildren(QMessageBox)))
    next(one for one in box.buttons() if box.buttonRole(one) == QMessageBox.ButtonRole.DestructiveRole).click()
    assert len(city.document.scene) == 2


def test_a_layer_is_removed_while_it_is_studied(city: MainWindow, gate: Gate, bugs: list[str], qtbot: Any) -> None:
    job = begin(city, gate, qtbot)
    city.document.selection.set([ElementRef("houses", "B1")])
    city.document.do(RemoveLayers(("houses",)))
    end(city, gate, qtbot, job)
    assert results(city)
    qtbot.keyClick(city.viewport, Qt.Key.Key_Escape)
    while city.document.history.undo_title:
        city.document.history.undo()
    assert len(city.document.scene) == 0
