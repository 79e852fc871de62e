"""No text of the window is cut off, covered or left in the other language: found by geometry, in every panel.

The second font is that of a display scaled to 125 %; Qt takes the font of a program once, so it is tried by a process
of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QDate, QPointF, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QDialog, QWidget

from analysis.registry import analyses
from app import appearance
from app.about import AboutDialog
from app.alternatives import SetAlternatives
from app.device_dialog import DeviceDialog
from app.dust.source_edit import SourceValues
from app.dust_source_dialog import SourceDialog, TrafficDialog
from app.excavation_dialog import ExcavationDialog
from app.film_dialog import FilmDialog
from app.help_window import HelpWindow
from app.import_dialog import ImportDialog
from app.language import LANGUAGES
from app.legend_editor import LegendEditor
from app.main_window import MainWindow
from app.mass_dialog import MassDialog
from app.massing_trees import TreeDialog
from app.notices import BugDialog
from app.openfoam_dialog import OpenFoamDialog
from app.picture_dialog import PictureDialog
from app.place_dialog import PlaceDialog
from app.plan_dialog import PlanDialog
from app.point_window import PointWindow
from app.project_file import MissingSource
from app.relink_dialog import RelinkDialog
from app.report_builder import ReportBuilder
from app.settings_dialog import SettingsDialog
from app.theme import theme_named
from app.topic_dialog import TopicDialog
from app.view.legend import Legend
from app.view.overlay import legend_size, paint_legend
from bim.bcf.model import Topic
from geo.alternatives import Alternative
from geo.model import Layer
from geo.pose import Pose
from tests.app import tiny_city
from tests.app.text_fit import (
    Fault,
    faults_of_fit,
    faults_of_language,
    faults_of_painting,
    is_foreign,
    painted_texts,
    texts_of_actions,
)
from tests.app.window_hands import settle

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]

SMALL = (1366, 768)
ROUNDS, ROUND_MS = 15, 80
LARGER_FONT = "TWIN_TEST_FONT_PERCENT"
appearance.BASE_POINT_SIZE *= float(os.environ.get(LARGER_FONT, "100")) / 100.0
# Names, units and file types that Korean writes in Latin letters too.
LATIN = (
    "BIM IFC IDS BCF CCTV EPSG KST EPW LOD PM PM10 PM25 pm10 pm25 UTC GPU CPU MB GB KRW min kWh lx px NEN AIJ BRE ID "
    "GeoTIFF CityJSON GeoPackage glTF GLB CSV PDF HTML PNG MP4 GIF OpenFOAM FOAM SVG DXF XLSX Tiles Lawson Davenport "
    "English Ctrl Shift Alt Esc Apache SPDX MIT BSD LGPL GPL FAR BCR EN ISO IEC mm cm km ha kW dB hPa SST HD Full"
)
ALLOWED = frozenset(LATIN.split())


@pytest.fixture
def small(city: MainWindow, qtbot: Any) -> MainWindow:
    """The window with four boxes, as large as a common small screen."""
    city.resize(*SMALL)
    city.reset_layout()
    settle(city, qtbot)
    return city


def data_of(window: MainWindow) -> frozenset[str]:
    """What the layers on show call themselves; their names are in no language of the program."""
    names = {layer.name for layer in window.document.scene}
    columns = {name for layer in window.document.scene if layer.table is not None for name in layer.table.columns}
    return frozenset(names | columns | {"Alder", "Birch", "Cedar", "Dogwood", "English", "한국어"})


def faults(root: QWidget, window: MainWindow, code: str, qtbot: Any) -> list[str]:
    """What is wrong once all is laid out: forms that fold their lines take a few rounds of the event loop."""
    found: list[Fault] = []
    for _ in range(ROUNDS):
        qtbot.wait(ROUND_MS)
        found = faults_of_fit(root) + faults_of_language(root, code, ALLOWED, data_of(window))
        if not found:
            break
    return sorted({str(fault) for fault in found})


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_start_page_fits(window: MainWindow, qtbot: Any, code: str) -> None:
    window.resize(*SMALL)
    window.set_language(code)
    assert faults(window, window, code, qtbot) == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_layouts_and_panels_fit(small: MainWindow, qtbot: Any, code: str) -> None:
    small.set_language(code)
    found = []
    for layout in ("plan", "build", "operate"):
        small.set_layout(layout)
        found += faults(small, small, code, qtbot)
    small.set_layout("plan")
    for name, panel in small.panels.items():
        small.show_panel(name)
        found += faults(panel, small, code, qtbot)
    assert sorted(set(found)) == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_forms_of_all_studies_fit(small: MainWindow, qtbot: Any, code: str) -> None:
    small.set_language(code)
    found = []
    for name in analyses():
        small.show_analysis(name)
        found += [f"{name}: {fault}" for fault in faults(small.analyses, small, code, qtbot)]
    assert found == []


def buildings_of(window: MainWindow) -> Layer:
    """The first layer of buildings."""
    return next(layer for layer in window.document.scene if layer.theme == "building")


DIALOGS: dict[str, Callable[[MainWindow], QDialog]] = {
    "about": AboutDialog,
    "settings": SettingsDialog,
    "openfoam": OpenFoamDialog,
    "help": HelpWindow,
    "device": lambda w: DeviceDialog(room="101", parent=w),
    "excavation": lambda w: ExcavationDialog(name="1", area=120.0, parent=w),
    "film": lambda w: FilmDialog(title="1", day=QDate(2026, 12, 22), minute=720, parent=w),
    "tree": TreeDialog,
    "plan": lambda w: PlanDialog(parent=w),
    "report": lambda w: ReportBuilder(w.document, parent=w),
    "mass": lambda w: MassDialog(np.array([[0.0, 0], [20, 0], [20, 15], [0, 15]]), name="1", parent=w),
    "place": lambda w: PlaceDialog("1", Pose(229_100.0, 435_800.0, 20.0, 15.0), "", parent=w),
    "source": lambda w: SourceDialog(
        SourceValues(name="1", group="2", kind="site", active_share=0.5), area=400.0, parent=w
    ),
    "traffic": lambda w: TrafficDialog(count=3, traffic=12_000.0, weight=0.1, parent=w),
    "relink": lambda w: RelinkDialog(
        [MissingSource("/data/a.tif", "geotiff", ("ground",), {})], Path("/data"), parent=w
    ),
    "bug": lambda w: BugDialog("", parent=w),
    "picture": lambda w: PictureDialog(w.viewport.size(), w.settings, w),
    "topic": lambda w: TopicDialog(Topic(guid="1", title="1", type="Issue"), author="1", is_new=True, parent=w),
    "legend": lambda w: LegendEditor(w.document, buildings_of(w), choices=[("1", "height")], parent=w),
    "point": lambda w: PointWindow(w, np.array([50.0, 50.0, 20.0])),
}


@pytest.mark.parametrize("code", LANGUAGES)
def test_dialogs_fit(small: MainWindow, qtbot: Any, code: str) -> None:
    small.set_language(code)
    found = []
    for name, make in DIALOGS.items():
        dialog = make(small)
        dialog.show()
        found += [f"{name}: {fault}" for fault in faults(dialog, small, code, qtbot)]
        if dialog.width() > SMALL[0] or dialog.height() > SMALL[1]:
            found.append(f"{name} is larger than the screen: {dialog.size().toTuple()}")
        dialog.close()
        dialog.deleteLater()
    assert found == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_was_measured_fits(small: MainWindow, qtbot: Any, code: str) -> None:
    small.set_language(code)
    found = []
    line = np.array([[20.0, 20, 21], [80, 60, 22], [90, 90, 20]])
    for tell, points in (
        (small.measuring._tell_line, line),
        (small.measuring._tell_area, line),
        (small.measuring._tell_profile, line),
        (small.measuring._tell_sight, line[:2]),
    ):
        tell(points)
        settle(small, qtbot)
        assert small.measuring.shown is not None
        found += [f"{tell.__name__}: {fault}" for fault in faults(small.measuring.shown, small, code, qtbot)]
        small.measuring.shown.close()
    assert found == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_search_and_two_pictures_fit(small: MainWindow, qtbot: Any, code: str) -> None:
    small.set_language(code)
    small.open_search()
    assert small._search is not None
    found = []
    for text in ("", "a", "1"):
        small._search.line.setText(text)
        qtbot.wait(300)
        found += [f"search: {fault}" for fault in faults_of_fit(small._search)]  # most of its words are data
    small._search.hide()
    small.document.do(SetAlternatives((Alternative("a-1", "Alder"),), ""))
    settle(small, qtbot)
    small.comparing.open(swiped=True)
    settle(small, qtbot)
    assert small.comparing.shown is not None
    found += [f"two pictures: {fault}" for fault in faults(small.comparing.shown, small, code, qtbot)]
    small.comparing.release()
    settle(small, qtbot)
    assert found == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_import_dialog_fits(small: MainWindow, qtbot: Any, tmp_path: Path, code: str) -> None:
    small.set_language(code)
    small.files.open_paths(tiny_city.write_files(tmp_path))
    settle(small, qtbot)
    dialog = small.findChild(ImportDialog)
    assert dialog is not None
    found = []
    for row in range(dialog.list.count()):
        dialog.list.setCurrentRow(row)
        qtbot.wait(100)
        found += [str(fault) for fault in faults_of_fit(dialog)]
    dialog.reject()
    settle(small, qtbot)
    assert found == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_commands_are_in_the_language_of_the_window(window: MainWindow, code: str) -> None:
    window.set_language(code)
    allowed = {"English", "한국어"}
    texts = [text for text in texts_of_actions(window.actions_) if text not in allowed]
    assert [text for text in texts if is_foreign(text, code, ALLOWED)] == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_painted_cards_hold_their_texts(small: MainWindow, qtbot: Any, code: str) -> None:
    small.set_language(code)
    with painted_texts() as drawn:
        for name in ("height", "name"):
            small.show_table("houses")
            small.table.colour_by(name)
            settle(small, qtbot)
            drawn.clear()
            small.viewport.repaint()
            qtbot.wait(100)
            assert [str(fault) for fault in faults_of_painting(drawn)] == []


@pytest.mark.parametrize("subtitle", ["2026-12-22 · one day · 10 min · made 2026-11-21", "2026-12-22 · 하루"])
def test_a_legend_is_as_wide_as_what_it_says(qapp: Any, subtitle: str) -> None:
    ramp = np.zeros((256, 3), np.uint8)
    legend = Legend(
        "Hours of direct sun", subtitle, "h", ramp=ramp, low=0.0, high=10.0, ticks=((0.0, "0"), (10.0, "10 h"))
    )
    size = legend_size(legend)
    picture = QImage(size.toSize(), QImage.Format.Format_RGB32)
    with painted_texts() as drawn:
        painter = QPainter(picture)
        paint_legend(painter, QRectF(QPointF(0.0, 0.0), size), legend, theme=theme_named("light"))
        painter.end()
    assert subtitle in {one.text for one in drawn}
    assert [str(fault) for fault in faults_of_painting(drawn)] == []


def test_the_finder_finds_what_is_cut(qtbot: Any, screen: None) -> None:
    from PySide6.QtWidgets import QLabel, QPushButton

    root = QWidget()
    qtbot.addWidget(root)
    root.resize(300, 200)
    label, button, good = QLabel("A long label", root), QPushButton("전체 보기", root), QLabel("Short", root)
    label.setGeometry(0, 0, 20, 20)
    button.setGeometry(280, 60, 100, 30)
    good.setGeometry(0, 120, 200, 30)
    root.show()
    assert [(fault.kind, fault.text) for fault in faults_of_fit(root)] == [
        ("cut", "A long label"),
        ("outside", "전체 보기"),
    ]
    assert [f.text for f in faults_of_language(root, "en", ALLOWED, frozenset())] == ["전체 보기"]
    assert {f.text for f in faults_of_language(root, "ko", ALLOWED, frozenset())} == {"A long label", "Short"}


@pytest.mark.skipif(LARGER_FONT in os.environ, reason="this is that process")
def test_everything_fits_with_a_larger_font() -> None:
    environment = {**os.environ, LARGER_FONT: "125"}
    environment.pop("PYTEST_XDIST_WORKER", None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "fit", str(Path(__file__))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=1500)
    assert done.returncode == 0, done.stdout[-6000:]
