"""The model panel in the real window, driven like a person; readers that die, files that go missing or change."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QModelIndex, Qt

from app.commands import AddLayers
from app.importer import import_files
from app.layer_cache import file_digest
from app.main_window import MainWindow
from app.model_service import ModelService
from app.model_tree import found_branches, model_tree
from app.model_view import ModelView
from bim.hierarchy import Branch, Hierarchy
from geo.model import Cancelled, Feedback, UserError
from tests.app.window_hands import settle

WAIT_MS = 60_000
CLICK_S = 0.05  # the time in which a warm reader has to answer
HOUSE = "AC20-FZK-Haus.ifc"


@pytest.fixture
def house_file(shared_data: Path, tmp_path: Path) -> Path:
    """A copy of a real house, which a test may move."""
    return Path(shutil.copyfile(shared_data / "ifc" / HOUSE, tmp_path / HOUSE))


@pytest.fixture
def house(window: MainWindow, qtbot: Any, house_file: Path) -> MainWindow:
    """The window with the house imported and its tree and index there."""
    done = import_files([house_file], frame=None)
    window.bench.do(AddLayers(tuple(done.layers), frame=done.frame))
    window.bench.document_opened.emit()
    window.show_panel("model")
    desk = window.bench.models
    qtbot.waitUntil(lambda: bool(desk.paths()) and desk.known(desk.paths()[0]).index is not None, timeout=WAIT_MS)
    settle(window, qtbot)
    return window


def item(window: MainWindow, *titles: str) -> QModelIndex:
    """The item of the tree that a path of titles leads to."""
    model, index = window.model.items, QModelIndex()
    for title in titles:
        found = [model.index(row, 0, index) for row in range(model.rowCount(index))]
        index = next(child for child in found if str(model.data(child)) == title)
    return index


def click_item(window: MainWindow, qtbot: Any, index: QModelIndex) -> None:
    view = window.model.view
    view.scrollTo(index)
    place = view.visualRect(index).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def shown_properties(window: MainWindow, qtbot: Any) -> dict[str, str]:
    qtbot.waitUntil(lambda: window.properties.bim.answer is not None, timeout=WAIT_MS)
    return window.properties.texts()


def drawn(window: MainWindow) -> set[str]:
    """Ids of the elements in the picture."""
    found = set()
    for layer in window.document.scene:
        if layer.style.visible:
            found |= set(layer.table.index) - layer.style.hidden
    return found


@pytest.mark.gl
@pytest.mark.usefixtures("screen")
def test_a_person_finds_a_room_and_reads_its_properties(house: MainWindow, qtbot: Any) -> None:
    house.resize(1366, 768)
    storey = ("Gelaende", "FZK-Haus", "Erdgeschoss")
    house.model.view.expand(item(house, *storey))
    house.model.view.expand(item(house, *storey, "Room"))
    rooms = item(house, *storey, "Room")
    titles = [str(house.model.items.data(house.model.items.index(n, 0, rooms))) for n in range(6)]
    kitchen = next(title for title in titles if "Küche" in title)
    click_item(house, qtbot, item(house, *storey, "Room", kitchen))
    (ref,) = house.document.selection.items
    assert "Küche" in kitchen
    texts = shown_properties(house, qtbot)
    assert texts["Class"] == "Room (IfcSpace)"
    assert texts["Storey"] == "Erdgeschoss"
    area = next(value for name, value in texts.items() if name == "NetFloorArea")
    assert area.endswith(" m²")
    house.properties.bim.search.setText("NetFloorArea")
    tree = house.properties.tree
    rows = [group.child(n) for g in range(tree.topLevelItemCount()) if (group := tree.topLevelItem(g))
            for n in range(group.childCount())]  # fmt: skip
    left = [row.text(0) for row in rows if not row.isHidden()]
    assert "NetFloorArea" in left
    assert all("NetFloorArea" in name for name in left)
    assert ref.element_id not in drawn(house)  # rooms are off until one is asked for
    house.model.items.setData(item(house, *storey, "Room", kitchen), None, Qt.ItemDataRole.CheckStateRole)
    room_layer = house.document.scene[ref.layer_id]
    assert set(room_layer.table.index) & drawn(house) == {ref.element_id}
    house.document.history.undo()
    assert ref.element_id not in drawn(house)


@pytest.mark.gl
@pytest.mark.usefixtures("screen")
def test_what_is_selected_in_the_picture_is_marked_in_the_tree(house: MainWindow, qtbot: Any) -> None:
    panel = house.model
    wall = next(i for i, name in enumerate(panel.desk.known(panel.path).hierarchy.names) if name == "Wand-Int-ERDG-3")
    element = panel.desk.known(panel.path).hierarchy.ids[wall]
    house.document.selection.set(panel.model_view().refs([element]))
    qtbot.waitUntil(lambda: len(panel.view.selectionModel().selectedRows()) == 1, timeout=5_000)
    marked = panel.view.selectionModel().selectedRows()[0]
    assert panel.items.data(marked) == "Wand-Int-ERDG-3"
    assert panel.items.data(marked.parent()) == "Wall"
    texts = shown_properties(house, qtbot)
    assert texts["Leichtbeton 102890359"] == "0.240 m"
    assert texts["Height"] == "2.50 m"


@pytest.mark.gl
@pytest.mark.usefixtures("screen")
def test_filter_isolate_colour_and_undo(house: MainWindow, qtbot: Any, house_file: Path) -> None:
    panel, everything = house.model, drawn(house)
    qtbot.keyClicks(panel.filter.line, "Height > 2.6 and class = wall")
    panel.filter.line.completer().popup().hide()
    qtbot.keyClick(panel.filter.line, Qt.Key.Key_Return)
    chosen = set(panel.chosen())
    assert 0 < len(chosen) < 13
    assert f"{len(chosen)} of 93" in panel.filter.found.text()
    qtbot.mouseClick(panel.filter.isolate, Qt.MouseButton.LeftButton)
    assert drawn(house) == chosen
    box, partly = Qt.ItemDataRole.CheckStateRole, Qt.CheckState.PartiallyChecked
    qtbot.waitUntil(lambda: panel.items.data(item(house, "Gelaende"), box) == partly, timeout=5_000)
    house.document.history.undo()
    assert drawn(house) == everything
    panel.hide_chosen()
    assert drawn(house) == everything - chosen
    panel.show_all()
    assert drawn(house) == everything
    panel.fade_others()
    veiled = {element for layer in panel.model_view().layers for element in layer.style.faded}
    assert everything - veiled == chosen
    house.document.history.undo()
    assert not any(layer.style.faded for layer in panel.model_view().layers)
    qtbot.mouseClick(panel.filter.colour, Qt.MouseButton.LeftButton)
    layer = next(la for la in house.document.scene if la.style.colour_by == "Height")
    assert layer.table.columns["Height"].unit == "m"
    heights = np.asarray(layer.table.columns["Height"].values, dtype=np.float64)
    assert {layer.table.ids[row] for row in np.flatnonzero(heights > 2.6)} >= chosen
    house.document.history.undo()
    assert all("Height" not in la.table.columns and not la.style.colour_by for la in panel.model_view().layers)
    panel.colour_by("Height")
    target = house_file.with_name("coloured.twin")
    house.bench.save(target)
    settle(house, qtbot)
    house.files.open_project(target)
    settle(house, qtbot)
    qtbot.waitUntil(lambda: any("Height" in la.table.columns for la in panel.model_view().layers), timeout=WAIT_MS)
    assert not house.document.modified
    panel.filter.set_condition("Heigth > 2")
    assert "Height" in panel.filter.found.text()  # named as the one that was meant


@pytest.mark.gl
@pytest.mark.usefixtures("screen")
def test_a_missing_file_is_told_in_the_panel_and_a_dead_reader_is_replaced(
    house: MainWindow, qtbot: Any, house_file: Path
) -> None:
    panel = house.model
    walls = panel.model_view().refs(panel.model_view().layers[0].table.ids[:3])
    house.document.selection.set(walls[:1])
    shown_properties(house, qtbot)
    reader = house.bench.models.service.reader(house_file)
    assert reader is not None
    told: list[str] = []
    house.bench.notices.posted.connect(lambda notice: told.append(notice.words()[0]))
    os.kill(reader.process_id, signal.SIGKILL)
    house.document.selection.set(walls[1:2])
    shown_properties(house, qtbot)
    assert any("started again" in text for text in told)
    house_file.unlink()
    house.document.selection.set(walls[2:3])
    tree = house.properties.tree
    wanted = "is not where it was"
    qtbot.waitUntil(
        lambda: any(wanted in tree.topLevelItem(n).text(0) for n in range(tree.topLevelItemCount())), timeout=WAIT_MS
    )


# ---- without a window ---------------------------------------------------------------------------------------------


def test_a_warm_reader_answers_a_click_at_once_even_while_it_indexes(house_file: Path, tmp_path: Path) -> None:
    import threading

    service, digest = ModelService(), file_digest(house_file)
    try:
        trees = service.ask(house_file, "trees", {}, feedback=Feedback(), digest=digest)
        asked = trees["ids"][5:45]
        took = []
        for element in asked:
            begun = time.perf_counter()
            answer = service.ask(house_file, "properties", {"id": element}, feedback=Feedback(), digest=digest)
            took.append(time.perf_counter() - begun)
            assert answer["id"] == element
        assert float(np.median(took)) < CLICK_S
        out = tmp_path / "index.npz"
        indexing = threading.Thread(
            target=lambda: service.ask(house_file, "index", {"out": str(out)}, feedback=Feedback())
        )
        indexing.start()
        while indexing.is_alive():
            service.ask(house_file, "properties", {"id": asked[0]}, feedback=Feedback())
        indexing.join()
        assert out.exists()
        assert service.deaths == 0
        assert service.close_unused(unused_s=0.0) == 1
        assert service.ask(house_file, "schema", {}, feedback=Feedback()) == "IFC4"
    finally:
        service.close()
    with pytest.raises(Cancelled):
        service.ask(house_file, "schema", {}, feedback=Feedback())


def test_a_changed_file_and_a_cancelled_question(house_file: Path) -> None:
    service, digest = ModelService(), file_digest(house_file)
    try:
        with pytest.raises(Cancelled):
            service.ask(house_file, "index", {"out": "x"}, feedback=Feedback(None, lambda: True))
        house_file.write_bytes(house_file.read_bytes().replace(b"Wand-Int", b"Wall-Int"))
        with pytest.raises(UserError) as error:
            service.ask(house_file, "schema", {}, feedback=Feedback(), digest=digest)
        assert error.value.code == "model.changed"
        house_file.write_bytes(b"ISO-10303-21; nothing")
        with pytest.raises(UserError) as error:
            service.ask(house_file, "schema", {}, feedback=Feedback())
        assert error.value.code.startswith("ifc.")
    finally:
        service.close()


def test_every_word_of_the_panel_is_there_in_both_languages() -> None:
    from app.language import texts
    from app.panels.model import BUTTONS
    from bim.hierarchy import TREES
    from resources import load_json

    own = set(load_json("translations/en/model.json"))
    assert own <= set(texts("ko"))
    kinds = ("attributes", "set", "quantities", "type", "materials", "classification", "place", "systems", "relations")
    wanted = {f"model.by.{name}" for name in TREES} | {tip for _, tip, _ in BUTTONS}
    wanted |= {f"model.group.{kind}" for kind in kinds}
    titles = ("hide_elements", "show_elements", "isolate_elements", "fade_others", "colour_property")
    wanted |= {f"command.{title}" for title in titles}
    assert wanted <= set(texts("en"))
    assert wanted <= set(texts("ko"))
    codes = ("no_element", "missing", "changed", "reader_died", "index_broken")
    codes += ("query", "query_name", "query_number", "query_unit")
    assert {f"error.model.{code}.{part}" for code in codes for part in ("what", "why", "todo")} <= set(texts("ko"))


def tower(storeys: int, each: int) -> Hierarchy:
    """A site with storeys full of walls."""
    count = storeys * each
    branches = [Branch("IfcSite", "Site")]
    for storey in range(storeys):
        branches.append(Branch("IfcBuildingStorey", f"Level {storey}", f"s{storey}", 0))
        branches.append(
            Branch("class", "IfcWall", "", len(branches) - 1, -1, list(range(storey * each, (storey + 1) * each)))
        )
    ids = [f"id{n}" for n in range(count)]
    return Hierarchy(ids, ["IfcWall"] * count, [f"Wall {n}" for n in range(count)], {"storey": branches})


def test_sixty_thousand_elements_open_and_search_without_a_wait() -> None:
    from app.panels.model_items import ModelItems

    hierarchy = tower(20, 3000)
    begun = time.perf_counter()
    tree = model_tree(hierarchy.trees["storey"])
    items = ModelItems()
    everything = np.ones(60_000, dtype=np.bool_)
    items.set_tree(hierarchy, tree, shaped=everything, drawn=everything)
    opened = time.perf_counter() - begun
    site = items.index(0, 0)
    level = items.index(7, 0, site)
    walls = items.index(0, 0, level)
    assert (items.rowCount(), items.rowCount(site), items.rowCount(walls)) == (1, 20, 3000)
    leaf = items.index(1234, 0, walls)
    assert items.data(leaf) == f"Wall {7 * 3000 + 1234}"
    assert items.parent(leaf) == walls
    assert items.index_of_place(int(tree.places_of(7 * 3000 + 1234)[0])) == leaf
    drawn_now = everything.copy()
    drawn_now[7 * 3000] = False
    begun = time.perf_counter()
    items.set_states(everything, drawn_now)
    restated = time.perf_counter() - begun
    assert items.data(level, Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.PartiallyChecked
    assert items.data(items.index(6, 0, site), Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
    found = found_branches(hierarchy.trees["storey"], hierarchy, "Wall 5999")
    assert [branch.name for branch in found] == ["Site", "Level 1", "IfcWall", "Level 19", "IfcWall"]
    assert sum(len(branch.rows) for branch in found) == 11  # 5999 and 59990 to 59999
    assert opened < 0.5
    assert restated < 0.1


def test_rooms_count_only_where_nothing_else_is() -> None:
    from app.panels.model_items import ModelItems

    branches = [Branch("IfcBuildingStorey", "EG", "s"), Branch("class", "IfcSpace", "", 0, -1, [0])]
    branches.append(Branch("class", "IfcWall", "", 0, -1, [1]))
    hierarchy = Hierarchy(["room", "wall"], ["IfcSpace", "IfcWall"], ["", ""], {"storey": branches})
    items = ModelItems()
    shaped = np.array([True, True])
    items.set_tree(hierarchy, model_tree(branches), shaped=shaped, drawn=np.array([False, True]))
    storey = items.index(0, 0)
    assert items.data(storey, Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
    assert items.data(items.index(0, 0, storey), Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Unchecked
    assert ModelView(()).show_all() is None
