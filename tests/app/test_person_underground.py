"""The underground as a person meets it in the window: from the map and its register to the list before the dig."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6")

import shapely
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QDialogButtonBox, QMenu

from app.main_window import MainWindow
from app.shown_runs import runs_of
from app.study_here import start_hits
from app.view.camera import looking, project
from app.view.pins import is_pins
from app.view.result_tubes import copies_pipes
from geo.model import Layer
from tests.app.view_scene import need_graphics
from tests.app.window_hands import click, settle

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]

WEST, SOUTH = 229_000.0, 435_500.0
LEVEL = 30.0  # [m] the ground is flat
SEWERS = ("S1", "S2", "S3")


def write_town(folder: Path) -> list[Path]:
    """Flat ground, a water main with its register, a sewer that falls to the south, two trees beside the main."""
    import pyogrio
    import rasterio
    from rasterio.transform import from_origin

    ground = folder / "dem.tif"
    with rasterio.open(
        ground, "w", driver="GTiff", width=60, height=60, count=1, dtype="float32", crs="EPSG:5186",
        transform=from_origin(WEST, SOUTH + 120, 2, 2),
    ) as raster:  # fmt: skip
        raster.write(np.full((60, 60), LEVEL, dtype=np.float32), 1)

    def write(name: str, shapes: list[shapely.Geometry], columns: dict[str, list[object]], kind: str) -> Path:
        values = [np.array(v, dtype=object if isinstance(v[0], str) else None) for v in columns.values()]
        shapefile = name.endswith(".shp")
        pyogrio.raw.write(
            str(folder / name), shapely.to_wkb(np.array(shapes, dtype=object)), values, list(columns),
            driver="ESRI Shapefile" if shapefile else "GeoJSON", crs="EPSG:5186", geometry_type=kind,
            encoding="CP949" if shapefile else None,
        )  # fmt: skip
        return folder / name

    def line(*points: tuple[float, float]) -> shapely.LineString:
        return shapely.LineString([(WEST + x, SOUTH + y) for x, y in points])

    main = [line((10, 60), (60, 60)), line((60, 60), (110, 60))]
    water = write("WTL_PIPE_LM.shp", main, {"관리번호": ["W1", "W2"], "구경": [200, 200]}, "LineString")
    stretch = [line((66, 110 - 30 * k), (66, 80 - 30 * k)) for k in range(3)]
    inverts = {"시점관저고": [27.0, 26.7, 26.4], "종점관저고": [26.7, 26.4, 26.1]}
    sewer = write("SWL_PIPE_LM.shp", stretch, {"관리번호": list(SEWERS), "구경": [300.0] * 3, **inverts}, "LineString")
    points = [shapely.Point(WEST + x, SOUTH + 60.4) for x in (30.0, 90.0)]
    trees = write("trees.geojson", points, {"height": [7.0, 7.0], "crown": [4.0, 4.0]}, "Point")
    return [ground, water, write_register(folder / "상수대장.xlsx"), sewer, trees]


def write_register(path: Path) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["관리번호", "심도", "관재질", "관리기관"])
    for row in (["W1", 1.2, "DCIP", "상수도사업소"], ["W2", 0.3, "PE", "상수도사업소"]):
        book.active.append(row)
    book.save(path)
    return path


def drop(window: MainWindow, paths: list[Path]) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place, none = QPointF(300, 300), Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(place, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, none))


def layer_of(window: MainWindow, name: str) -> Layer:
    return next(layer for layer in window.document.scene if name in layer.id)


def local(window: MainWindow, x: float, y: float, z: float) -> np.ndarray:
    origin = window.document.scene.frame.origin
    return np.array([WEST + x - origin[0], SOUTH + y - origin[1], z])


def look_at(window: MainWindow, x: float, y: float) -> None:
    focus = local(window, x, y, LEVEL)
    window.viewport.set_camera(looking(focus, azimuth=0.0, pitch=-75.0, distance=60.0))


def press(qtbot: Any, window: MainWindow, *points: np.ndarray, button: Qt.MouseButton) -> None:
    viewport = window.viewport
    places = project(viewport.camera, np.array(points), (viewport.width(), viewport.height()))[0]
    for x, y in places:
        qtbot.mouseClick(viewport, button, pos=QPoint(round(x), round(y)))


@pytest.fixture
def dropped(window: MainWindow, qtbot: Any, tmp_path: Path) -> MainWindow:
    """The town, dropped on the window and imported."""
    need_graphics()
    window.resize(1366, 768)
    drop(window, write_town(tmp_path))
    settle(window, qtbot)
    dialog = window.files.import_dialog
    pages = {page.examined.path.name: page for page in dialog.pages}
    assert pages["WTL_PIPE_LM.shp"].examined.register.matched == 2
    assert pages["상수대장.xlsx"].examined.register_of == ("WTL_PIPE_LM.shp",)
    assert pages["WTL_PIPE_LM.shp"].options_form.values()["join"] == "상수대장.xlsx"
    click(qtbot, dialog.import_button)
    settle(window, qtbot)
    return window


def test_from_the_map_to_the_list_before_the_dig(dropped: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    window, scene = dropped, dropped.document.scene
    water = layer_of(window, "wtl_pipe")
    assert water.table.columns["cover"].values == pytest.approx([1.2, 0.3], abs=1e-6)
    assert any("pipes lie under" in card.notice.words()[0] for card in window.notice_area.cards)

    # Look through the ground and click a pipe.
    look_at(window, 45.0, 60.0)
    window.actions_["xray"].trigger()
    assert not any("pipes lie under" in card.notice.words()[0] for card in window.notice_area.cards)
    press(qtbot, window, local(window, 45.0, 60.0, LEVEL - 1.3), button=Qt.MouseButton.LeftButton)
    assert [ref.element_id for ref in window.document.selection.items] == ["W1"]
    window.properties.refresh()
    said = window.properties.texts()
    assert said["Diameter"] == "200 mm"
    assert "Water" in said.values()

    # Trace downstream by the menu of the right button; the ground was closed before.
    look_at(window, 66.0, 95.0)
    press(qtbot, window, local(window, 66.0, 95.0, 26.95), button=Qt.MouseButton.RightButton)
    menu = next(w for w in window.findChildren(QMenu) if w.isVisible())
    studies = next(action.menu() for action in menu.actions() if action.menu() is not None)
    trace = next(action for action in studies.actions() if action.text().lower().endswith("downstream"))
    window.actions_["xray"].trigger()
    menu.close()
    trace.trigger()
    settle(window, qtbot)
    traced = layer_of(window, "-trace")
    assert set(traced.table.columns["element"].values) == set(SEWERS)
    assert copies_pipes(traced)
    assert window.viewport.xray_work.xray is not None, "a result under the ground opens it"

    # The findings: one sign each, and a row of the table leads there.
    window.show_analysis("utility.check")
    click(qtbot, window.analyses.run_button)
    settle(window, qtbot)
    pins = next(layer for layer in scene if is_pins(layer))
    low = list(pins.table.columns["element"].values).index("W2")
    card = window.results.cards[0]
    card.table_asked.emit(card.run)
    settle(window, qtbot)
    window.table.view.selectRow(low)
    settle(window, qtbot)
    click(qtbot, window.table.buttons["table.zoom"])
    assert [ref.element_id for ref in window.document.selection.items] == [pins.table.ids[low]]
    assert window.viewport.camera.distance < 120.0

    # A pit of 12 m drawn over the main, checked, undone.
    window.notice_area.clear()
    look_at(window, 60.0, 60.0)
    window.actions_["draw_excavation"].trigger()
    corners = [local(window, x, y, LEVEL) for x, y in ((52, 55), (64, 55), (64, 65), (52, 65))]
    press(qtbot, window, *corners, button=Qt.MouseButton.LeftButton)
    qtbot.keyClick(window.viewport, Qt.Key.Key_Return)
    window.drawing.dialog.depth_edit.set_value(12.0)
    window.drawing.dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok).click()
    settle(window, qtbot)
    window.show_analysis("utility.excavation")
    click(qtbot, window.analyses.run_button)
    settle(window, qtbot)
    hit = layer_of(window, "-affected")
    verdicts = dict(zip(hit.table.columns["element"].values, hit.table.columns["class"].values, strict=True))
    assert verdicts["W1"] == verdicts["W2"] == "hard"
    assert set(hit.table.columns["excavation"].values) == {"Excavation 1"}
    run = runs_of(list(scene))[0]
    assert "excavation.small_assessment" in {issue.code for issue in run.issues}

    # Saved and opened again, everything is there.
    target = tmp_path / "dig.twin"
    window.bench.save(target)
    settle(window, qtbot)
    names = {(layer.theme, layer.name, layer.kind) for layer in scene}
    window.actions_["new"].trigger()
    window.files.open_project(target)
    settle(window, qtbot)
    assert {(layer.theme, layer.name, layer.kind) for layer in window.document.scene} == names
    assert len(runs_of(list(window.document.scene))) == 3


def test_what_trees_would_hit_is_two_clicks(dropped: MainWindow, qtbot: Any) -> None:
    window = dropped
    start_hits(window, layer_of(window, "trees"))
    settle(window, qtbot)
    hit = layer_of(window, "-affected")
    verdicts = dict(zip(hit.table.columns["element"].values, hit.table.columns["class"].values, strict=True))
    assert verdicts["W2"] == "hard"  # 0.3 m of cover under a pit of 1 m
    assert set(hit.table.columns["element"].values) <= {"W1", "W2"}
    window.actions_["undo"].trigger()
    assert not runs_of(list(window.document.scene))
