"""Colouring, search, results, notices and the import of many files in the real window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QListWidgetItem

from analysis.contract import Quantity, Result
from app import project_file
from app.import_dialog import ImportDialog
from app.import_requests import ImportRequest, read_requests
from app.main_window import MainWindow
from app.search import SearchBox, parse_place
from geo.model import Cancelled, ElementRef, Feedback, Frame, Layer, UserError
from tests.app import tiny_city
from tests.app.window_hands import WaitParams, click, made_analysis, settle

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]


def pick(box: QComboBox, data: str) -> None:
    """Choose in a box as a click does."""
    box.setCurrentIndex(box.findData(data))
    box.activated.emit(box.currentIndex())


# ---- colouring ----------------------------------------------------------------------------------------------------


def test_classes_are_chosen_and_undone_one_by_one(city: MainWindow) -> None:
    city.document.selection.set([ElementRef("houses")])
    form = city.layers.colouring

    def style() -> tuple[str, str, int, str]:
        now = city.document.scene["houses"].style
        return now.colour_by, now.method, now.classes, now.ramp

    pick(form.by_box, "height")
    assert not form.classes_box.isEnabled()
    pick(form.method_box, "quantiles")
    form.classes_box.setValue(3)
    pick(form.ramp_box, "wind")
    assert style() == ("height", "quantiles", 3, "wind")
    pick(form.by_box, "name")
    assert style() == ("name", "", 0, "")
    assert form.method_box.currentData() == "unique"
    city.actions_["undo"].trigger()
    assert style() == ("height", "quantiles", 3, "wind")
    assert (form.method_box.currentData(), form.classes_box.value()) == ("quantiles", 3)
    form.reset_button.click()
    assert style() == ("", "", 0, "")
    for _ in range(5):
        city.actions_["undo"].trigger()
    assert style() == ("", "", 0, "")


def test_the_context_menu_of_a_column_colours_the_layer(city: MainWindow, qtbot: Any) -> None:
    city.show_table("houses")
    qtbot.waitUntil(lambda: city.table.model.rowCount() == 4, timeout=5_000)
    city.table.colour_by("height")
    assert city.document.scene["houses"].style.colour_by == "height"


# ---- search -------------------------------------------------------------------------------------------------------


def search(window: MainWindow, words: str) -> SearchBox:
    """The box with what it found."""
    window.open_search()
    assert window._search is not None
    window._search.line.setText(words)
    return window._search


def titles(box: SearchBox) -> list[str]:
    return [box.list.item(row).text() for row in range(box.list.count())]


def test_a_condition_offers_to_select_what_fulfils_it(city: MainWindow, qtbot: Any) -> None:
    box = search(city, "height>20")
    row = next(n for n, text in enumerate(titles(box)) if text.startswith("Select 3 elements of Houses"))
    box.list.setCurrentRow(row)
    qtbot.keyClick(box.line, Qt.Key.Key_Return)
    assert city.document.selection.of_layer("houses") == ("B2", "B3", "B4")
    settle(city, qtbot)


def test_a_line_says_which_value_it_was_found_by(city: MainWindow, qtbot: Any) -> None:
    box = search(city, "36")
    qtbot.waitUntil(lambda: any("Height: 36" in text for text in titles(box)), timeout=5_000)
    (line,) = (text for text in titles(box) if "Height: 36" in text)
    assert line.startswith("Cedar")
    assert " m · Houses" in line
    box.line.setText("height > 40")
    qtbot.waitUntil(lambda: any("Height: 48" in text for text in titles(box)), timeout=5_000)
    (line,) = (text for text in titles(box) if "Height: 48" in text)
    assert line.startswith("Dogwood")
    box.hide()
    settle(city, qtbot)


def test_initial_consonants_find_layers_and_commands(city: MainWindow, qtbot: Any) -> None:
    city.set_language("ko")
    box = search(city, "ㅅㅅㅍ")
    assert any(text.startswith("속성 표") for text in titles(box))
    box.hide()
    settle(city, qtbot)


@pytest.mark.parametrize(
    "text",
    [
        "36.52 127.325",
        "127.325, 36.52",
        "36°31'12\"N 127°19'30\"E",
        "127°19'30\"E, 36°31'12\"N",
        "N36.52 E127.325",
        "북위 36도 31분 12초 동경 127도 19분 30초",
        "36°31.2' 127°19.5'",
        "229109.66 435794.97",
        "435794.97, 229109.66",
    ],
)
def test_one_place_written_in_many_ways(text: str) -> None:
    east, north = parse_place(text, tiny_city.frame()) or (0.0, 0.0)
    assert (east, north) == pytest.approx((229109.664, 435794.975), abs=0.02)


@pytest.mark.parametrize("text", ["36°71'12\"N 127°19'30\"E", "height>50", "동 12 3", "E127", "36.5", "1 2 3", "°", ""])
def test_what_is_no_place_is_none(text: str) -> None:
    assert parse_place(text, tiny_city.frame()) is None


# ---- results, notices ---------------------------------------------------------------------------------------------


def test_figures_of_a_part_stand_under_its_name(city: MainWindow, qtbot: Any) -> None:
    def answer(inputs: Any, params: WaitParams, feedback: Feedback) -> Result:
        mark = Layer("mark", "Mark", "result", tiny_city.terrain().geometry)
        parts = {f"roofs_{name}": Quantity(value, "h") for name, value in (("mean", 3.0), ("low", 1.0), ("high", 5.0))}
        return Result((mark,), {"area": Quantity(1234.5, "m2"), **parts})

    city.bench.run(made_analysis(answer), {"rounds": 7})
    qtbot.waitUntil(lambda: bool(city.results.cards))
    labels = [label.text() for label in city.results.cards[0].findChildren(QLabel)]
    assert "Roofs" in labels
    assert labels.index("Roofs") > labels.index("1,234.5 m²")
    settle(city, qtbot)


def test_a_notice_does_not_move_the_picture(city: MainWindow, qtbot: Any) -> None:
    before = city.viewport.geometry()
    city.bench.notices.report(UserError("What.", "Why " * 60, "Todo."))
    qtbot.wait(50)
    assert city.viewport.geometry() == before
    area = city.notice_area
    assert area.isVisible()
    assert city.centralWidget().rect().contains(area.geometry())
    for label in area.cards[-1].findChildren(QLabel):
        assert label.height() >= label.heightForWidth(label.width())
    city.resize(700, 500)
    qtbot.wait(50)
    assert city.centralWidget().rect().contains(area.geometry())
    area.clear()
    assert not area.isVisible()


def test_a_recovery_copy_can_be_discarded(city: MainWindow, qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    city.bench.autosave()
    settle(city, qtbot)
    monkeypatch.setattr(project_file, "_is_alive", lambda _path: False)
    (copy,) = project_file.recoverable()
    city.files.offer_recovery()
    card = city.notice_area.cards[-1]
    click(qtbot, next(b for b in card.findChildren(QAbstractButton) if b.text() == "Discard"))
    assert not copy.exists()
    assert not city.notice_area.cards
    city.files.offer_recovery()
    assert not city.notice_area.cards


# ---- many files ---------------------------------------------------------------------------------------------------


def ten_files(folder: Path) -> list[Path]:
    """Eight good ones, one that is no data at all, and one that breaks only when it is read."""
    tif, houses = tiny_city.write_files(folder)
    good = [tif]
    for number in range(7):
        copy = folder / f"houses{number}.geojson"
        copy.write_bytes(houses.read_bytes())
        good.append(copy)
    broken = folder / "broken.tif"
    broken.write_bytes(tif.read_bytes()[:400])
    nonsense = folder / "nonsense.xyz"
    nonsense.write_bytes(b"\x00\x01\x02" * 50)
    return [broken, *good, nonsense]


def test_ten_files_in_one_dialog_and_a_bad_one_does_not_stop_the_others(
    window: MainWindow,
    qtbot: Any,
    tmp_path: Path,
) -> None:
    window.files.open_paths(ten_files(tmp_path))
    settle(window, qtbot)
    dialog = window.findChild(ImportDialog)
    assert dialog.list.count() == 10
    rows: list[QListWidgetItem] = [dialog.list.item(row) for row in range(10)]
    assert sum("cannot be read" in row.text() for row in rows) >= 1
    assert dialog.import_button.isEnabled()
    click(qtbot, dialog.import_button)
    settle(window, qtbot)
    assert len(window.document.scene) == 8
    window.actions_["undo"].trigger()
    assert len(window.document.scene) == 0
    window.actions_["redo"].trigger()


class TestManyRequests:
    """What the job does with files of which one breaks while it is read."""

    def requests(self, folder: Path) -> list[ImportRequest]:
        tif, houses = tiny_city.write_files(folder)
        gone = folder / "gone.geojson"
        return [ImportRequest(path) for path in (gone, houses, tif)]

    def test_the_others_come_in_and_the_bad_one_is_named(self, tmp_path: Path) -> None:
        read = read_requests(self.requests(tmp_path), None, (), together=False, feedback=Feedback())
        assert {layer.theme for layer in read.layers} == {"terrain", "building"}
        assert read.layers[0].theme == "terrain"
        assert isinstance(read.frame, Frame)
        assert [path.name for path, _ in read.failures] == ["gone.geojson"]

    def test_each_file_is_counted_and_cancelling_leaves_nothing(self, tmp_path: Path) -> None:
        said: list[str] = []
        fractions: list[float] = []

        def hear(fraction: float, message: str) -> None:
            said.append(message)
            fractions.append(fraction)

        read_requests(self.requests(tmp_path), None, (), together=False, feedback=Feedback(hear))
        assert any(text.startswith("1/3") and "ground.tif" in text for text in said)
        assert any(text.startswith("2/3") and "houses.geojson" in text for text in said)
        assert fractions == sorted(fractions)
        stopped = Feedback(hear, lambda: fractions[-1] > 0.4)
        fractions.append(0.0)
        with pytest.raises(Cancelled):
            read_requests(self.requests(tmp_path), None, (), together=False, feedback=stopped)

    def test_all_or_none_when_the_user_wants(self, tmp_path: Path) -> None:
        with pytest.raises(UserError):
            read_requests(self.requests(tmp_path), None, (), together=True, feedback=Feedback())


def test_what_could_not_be_imported_is_told(window: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    tif, houses = tiny_city.write_files(tmp_path)
    window.bench.import_all([ImportRequest(tif), ImportRequest(houses), ImportRequest(tmp_path / "gone.tif")])
    settle(window, qtbot)
    assert len(window.document.scene) == 2
    assert any("gone.tif was not imported" in card.text for card in window.notice_area.cards)


@pytest.mark.parametrize("code", ["en", "ko"])
def test_texts_of_the_table_are_in_both_languages(code: str) -> None:
    from app.language import texts

    other = "ko" if code == "en" else "en"
    from resources import load_json

    own = {i for i in load_json(f"translations/{code}/table.json") if not i.startswith("error.")}
    assert own <= set(texts(other))


# ---- started with a file --------------------------------------------------------------------------------------------


@pytest.fixture
def started(qapp: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Starts the program as the command line does; `look` is called with the window once nothing runs any more."""
    from PySide6.QtWidgets import QApplication

    from app import settings, window_main

    preferences = settings.Settings(tmp_path / "settings.ini")
    preferences.quality, preferences.language = "fast", "en"
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(settings, "Settings", lambda: preferences)
    monkeypatch.setattr(window_main, "_log_to_file", lambda: None)

    def start(path: Path, look: Callable[[MainWindow], None]) -> None:
        def work() -> int:
            (made,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible()]
            qtbot.wait(200)
            settle(made, qtbot)
            look(made)
            made.document.history.clear()
            made.document.clear()
            made.close()
            made.deleteLater()
            return 0

        monkeypatch.setattr(QApplication, "exec", staticmethod(work))
        assert window_main.run_window(path) == 0

    return start


def test_started_with_a_data_file_the_import_is_prepared(started: Callable[..., None], tmp_path: Path) -> None:
    seen = []

    def look(made: MainWindow) -> None:
        dialog = made.findChild(ImportDialog)
        seen.append(dialog is not None and dialog.isVisible() and dialog.list.item(0).text())
        dialog.reject()

    for path in tiny_city.write_files(tmp_path):
        started(path, look)
    assert seen == ["ground.tif", "houses.geojson"]


def test_a_project_with_results_opens_with_its_results_in_front(started: Callable[..., None], tmp_path: Path) -> None:
    from analysis.registry import analyses
    from app.commands import AddLayers
    from app.document import Document
    from app.importer import import_files
    from app.runs import run_on_project

    document = Document()
    imported = import_files(tiny_city.write_files(tmp_path), frame=None)
    document.do(AddLayers(imported.layers, frame=imported.frame))
    project = tmp_path / "city.twin"
    project_file.save(document, project)
    assert "sunlight.hours" in analyses()
    run_on_project("sunlight.hours", project, params={"step": 60, "ground_cell": 20, "facade_spacing": 10})
    seen: list[tuple[bool, int]] = []

    def look(made: MainWindow) -> None:
        seen.append((not made.results.visibleRegion().isEmpty(), len(made.results.cards)))

    started(project, look)
    assert seen == [(True, 1)]
