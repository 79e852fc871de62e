"""A day at city hall: find a place, look at cameras and air there, shut a valve, and bring it all into papers."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from app.language import tr
from app.main_window import MainWindow
from app.relink_dialog import RelinkDialog
from app.run_texts import figure_text, notes_of, summary_title
from app.search import SearchBox
from app.shown_runs import Run
from app.view.camera import looking, project
from app.words import field_name
from geo.model import ElementRef
from tests.app.city_files import ADDRESS, LIBRARY, SCHOOL, write_quarter
from tests.app.test_person_builder import answer, card_button, menu_of, push
from tests.app.test_person_underground import LEVEL, SOUTH, WEST, drop, layer_of, local, look_at
from tests.app.test_person_wind import rest, study, until
from tests.app.view_scene import need_graphics
from tests.app.window_hands import click, settle

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]
RAW = re.compile(r"\b[a-z]+_[a-z_]+\b")  # how the program's own ids look
AIR = {"directions": "one", "cell": 10.0, "size": 110.0, "thoroughness": "preview", "band": "none", "space": False}


@pytest.fixture
def hall(window: MainWindow, qtbot: Any, tmp_path: Path) -> MainWindow:
    """The layout for operation, in Korean on a laptop, with the files of the offices dropped on it."""
    need_graphics()
    window.set_language("ko")
    window.resize(1366, 768)
    window.masses.live.wanted = False  # the sun is another day's work
    push(window, qtbot, "layout_operate")
    (tmp_path / "자료").mkdir()
    drop(window, write_quarter(tmp_path / "자료"))
    settle(window, qtbot)
    click(qtbot, window.files.import_dialog.import_button)
    settle(window, qtbot)
    return window


def find(window: MainWindow, qtbot: Any, words: str, *, line: str = "") -> None:
    """Type into the search box and take the first line, or the first that contains some text."""
    window.actions_["search"].trigger()
    box = window.findChild(SearchBox)
    assert box is not None
    box.line.setText(words)  # Hangul comes from an input method, not from single keys

    def row() -> int:
        texts = [box.list.item(number).text() for number in range(box.list.count())]
        return next((number for number, text in enumerate(texts) if line in text), -1)

    until(lambda: row() >= 0 and box._found != [])
    for _ in range(row()):
        qtbot.keyClick(box.line, Qt.Key.Key_Down)
    qtbot.keyClick(box.line, Qt.Key.Key_Return)
    settle(window, qtbot)


def chosen(window: MainWindow) -> str:
    """The name of what is selected, as the properties show it."""
    window.properties.refresh()
    return str(window.properties.texts().get("이름", ""))


def away(window: MainWindow) -> None:
    window.document.selection.clear()
    window.viewport.set_camera(looking(local(window, 0.0, 0.0, LEVEL), azimuth=40.0, pitch=-30.0, distance=900.0))


def unread(run: Run) -> list[str]:
    """What a result says in ids instead of words."""
    said = [
        f"{summary_title(run, name)} {figure_text(run, name, item)}" for name, item in run.record["summary"].items()
    ]
    said += notes_of(run)
    said += [field_name(key, column.title) for layer in run.layers for key, column in layer.table.columns.items()]
    return [text for text in said if RAW.search(text)]


def test_places_are_found_by_initials_id_address_and_coordinates(hall: MainWindow, qtbot: Any) -> None:
    window = hall
    for words, line, name in (
        ("ㅎㄱㅊㄷㅎㄱ", SCHOOL, SCHOOL),
        ("합강로 14", LIBRARY, LIBRARY),
        ("CAM-02", "", "카메라 02"),
    ):
        away(window)
        find(window, qtbot, words, line=line)
        assert chosen(window) == name, words
        assert window.viewport.camera.distance < 300.0, "it is flown to"
    away(window)
    find(window, qtbot, f"{WEST + 60:.0f} {SOUTH + 60:.0f}")
    size = (window.viewport.width(), window.viewport.height())
    seen = project(window.viewport.camera, local(window, 60.0, 60.0, LEVEL)[None, :], size)[0][0]
    assert seen == pytest.approx((size[0] / 2, size[1] / 2), abs=0.15 * size[1]), "the ground there is near the middle"
    away(window)
    find(window, qtbot, ADDRESS)
    assert chosen(window) == SCHOOL
    find(window, qtbot, "ㅎㄱㅊ ㅊㅈㅅ", line="합강초 측정소")
    assert window.document.selection.items[0].layer_id == layer_of(window, "air_stations").id


def test_cameras_air_and_a_burst_pipe_end_in_papers(
    hall: MainWindow, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = hall
    # What the cameras see, and the first blind spot in the list.
    window.actions_["cctv_coverage"].trigger()
    until(lambda: bool(window.results.cards) and not window.bench.jobs.busy)
    coverage = window.results.cards[0].run
    assert coverage.analysis_id == "cctv.coverage"
    assert not unread(coverage)
    window.actions_["cctv_blind"].trigger()
    settle(window, qtbot)
    assert window.table.layer_box.currentData() == window.cctv.blind_spots()
    # Dust of one wind: figures, doubts and columns are in words.
    air = study(window, "dust.dispersion", area=f"{WEST + 60},{SOUTH + 60}", **AIR)
    assert not unread(air)
    parts = {field_name(key) for layer in air.layers for key in layer.table.columns}
    assert "국지도로에서 온 먼지" in parts
    # A pipe has burst: the menu offers first what concerns pipes; the valves to close are in the picture.
    look_at(window, 35.0, 60.0)
    window.actions_["xray"].trigger()
    rest(window)
    menu = menu_of(window, qtbot, local(window, 35.0, 60.0, LEVEL - 1.3))
    studies = next(action.menu() for action in menu.actions() if action.menu() is not None)
    titles = [action.text() for action in studies.actions()]
    assert all(title.startswith(("관", "굴착", "파손")) for title in titles[:4]), titles
    isolate = next(action for action in studies.actions() if action.text() == tr("utility.isolation.title"))
    menu.close()
    isolate.trigger()
    settle(window, qtbot)
    isolation = window.results.cards[0].run
    assert isolation.analysis_id == "utility.isolation"
    valves = next(layer for layer in isolation.layers if layer.kind == "points")
    assert set(valves.table.columns["element"].values) == {"V2"}, "beyond V1 there is nothing to shut off"
    assert window.viewport.cards.legend.isVisible()
    # The papers: one run as a PDF, its files in a folder, the buildings as a GeoPackage.
    answer(monkeypatch, tmp_path / "단수.pdf")
    click(qtbot, card_button(window, tr("results.pdf")))
    qtbot.waitUntil((tmp_path / "단수.pdf").exists, timeout=60_000)
    settle(window, qtbot)
    out = tmp_path / "결과"
    out.mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_a, **_k: str(out))
    window.files.ask_export(air)
    settle(window, qtbot)
    assert len(list(out.rglob("*.tif"))) >= 1
    tables = list(out.rglob("*.csv"))
    assert tables
    assert list(csv.reader(tables[0].open(encoding="utf-8-sig", newline="")))
    answer(monkeypatch, tmp_path / "건물.gpkg")
    window.document.selection.set([ElementRef(layer_of(window, "buildings").id)])
    window.actions_["export_layers"].trigger()
    qtbot.waitUntil((tmp_path / "건물.gpkg").exists, timeout=60_000)
    settle(window, qtbot)
    assert not [card for card in window.notice_area.cards if card.notice.severity == "error"]


def test_a_project_whose_many_files_have_moved_is_opened_again(hall: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    window = hall
    target = tmp_path / "합강.twin"
    window.bench.save(target)
    settle(window, qtbot)
    count = len(window.document.scene)
    window.actions_["new"].trigger()
    (tmp_path / "자료").rename(tmp_path / "옮긴 자료")
    window.files.open_project(target)
    settle(window, qtbot)
    dialog = window.findChild(RelinkDialog)
    assert dialog is not None
    assert len(dialog._missing) >= 7
    assert dialog.height() <= 560, "the buttons stay on a small screen"
    assert dialog.open_button.isVisible()
    first = dialog._missing[0].path
    dialog.set_place(first, tmp_path / "옮긴 자료" / Path(first).name)
    assert len(dialog.relinked) == len(dialog._missing), "the others are found beside it"
    click(qtbot, dialog.open_button)
    settle(window, qtbot)
    assert len(window.document.scene) == count
