"""A building put up once more beside itself, and a mass whose storeys, name and use are changed later."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.alternatives import change_elements, set_mass
from app.mass_edit import Ground, footing
from app.massing_copy import GAP, copied_mass, outline_ring
from geo.alternatives import MASSES, Change, Mass
from geo.model import ElementRef, UserError
from tests.app.test_mass_tool import BIRCH, TOWER, pixel, still, take  # noqa: F401  fixture
from tests.app.window_hands import settle

BLOCK = Mass("mass-1", ((-20.0, -20.0), (0.0, -20.0), (0.0, 0.0), (-20.0, 0.0)), 21.5, 6, 3.5, "별동", "업무시설")


def masses(window: Any) -> tuple[Mass, ...]:
    return window.document.alternatives.items[0].masses


def test_a_building_is_copied_as_it_stands_now(still: Any) -> None:  # noqa: F811
    still.document.do(change_elements(still.document, {TOWER: Change(turn_deg=90.0, height_factor=0.5)}, name="A"))
    copy = copied_mass(still.document, TOWER)
    ring = np.array(copy.mass.ring)
    assert np.ptp(ring, axis=0) == pytest.approx([14.0, 20.0])  # turned
    assert (copy.mass.height, copy.mass.storeys) == (pytest.approx(24.0), 8)
    assert copy.doubts == ("storeys",)  # the data have no storeys: taken from the height
    assert ring[:, 0].min() == pytest.approx(47.0 + GAP)
    assert copy.mass.base == pytest.approx(footing(Ground(still.document), ring, 0.0))
    assert copy.mass.name == "Copy of Dogwood"


def test_ctrl_d_takes_the_copy_in_hand_and_undo_takes_it_away(still: Any) -> None:  # noqa: F811
    take(still, BIRCH)
    action = still.actions_["mass_copy"]
    assert action.shortcut().toString() == "Ctrl+D"
    action.trigger()
    assert still.masses.tool.body.ref == ElementRef(MASSES, "mass-1")
    action.trigger()  # the copy once more
    assert [mass.id for mass in masses(still)] == ["mass-1", "mass-2"]
    first, second = masses(still)
    assert second.ring[0][0] - first.ring[0][0] == pytest.approx(20.0 + GAP)
    assert (second.storeys, second.storey_height) == (first.storeys, first.storey_height)
    still.actions_["undo"].trigger()
    still.actions_["undo"].trigger()
    assert still.masses.tool is None
    assert MASSES not in still.document.scene


def test_the_copy_goes_where_nothing_stands(still: Any) -> None:  # noqa: F811
    """Birch is 20 m x 14 m at (40, -50): a block east of it sends the copy north."""
    wall = Mass("wall", ((62.0, -60.0), (90.0, -60.0), (90.0, -36.0), (62.0, -36.0)), 20.0, 3, 3.0)
    still.document.do(set_mass(still.document, wall, name="A"))
    ring = np.array(copied_mass(still.document, BIRCH).mass.ring)
    assert tuple(ring.min(axis=0)) == pytest.approx((40.0, -50.0 + 14.0 + GAP))


def test_a_court_is_told_and_the_outer_ring_kept() -> None:
    import shapely

    from geo.buildings import clean_areas, extrude

    court = shapely.Polygon([(0, 0), (20, 0), (20, 20), (0, 20)], [[(5, 5), (5, 15), (15, 15), (15, 5)]])
    mesh, _ = extrude(clean_areas(np.array([court], dtype=object)).polygons, [0.0], [9.0])
    ring, whole = outline_ring(mesh.vertices[mesh.faces])
    assert not whole
    assert len(ring) == 4
    assert np.ptp(ring, axis=0) == pytest.approx([20.0, 20.0])


def test_storeys_name_and_use_are_changed_later_and_undone(still: Any, qtbot: Any) -> None:  # noqa: F811
    still.document.do(set_mass(still.document, BLOCK, name="A"))
    settle(still, qtbot)
    assert not still.actions_["mass_edit"].isEnabled()
    tool = take(still, ElementRef(MASSES, "mass-1"))
    QTest.mouseDClick(still.viewport, Qt.MouseButton.LeftButton, pos=pixel(still, tool.top))
    asked = still.masses.dialog
    assert (asked.storeys, asked.storey_height, asked.name, asked.use) == (6, 3.5, "별동", "업무시설")
    asked.storeys_edit.set_value(12)
    asked.storey_height_edit.set_value(3.0)
    asked.name_edit.setText("본관")
    asked.use_edit.setText("공동주택")
    asked.accept()
    (mass,) = masses(still)
    assert (mass.storeys, mass.storey_height, mass.name, mass.use) == (12, 3.0, "본관", "공동주택")
    assert mass.ring == BLOCK.ring
    assert still.masses.tool.body.mass == mass  # still in hand
    still.actions_["undo"].trigger()
    assert masses(still) == (BLOCK,)


def test_the_menu_offers_the_dialog_for_masses_only(still: Any) -> None:  # noqa: F811
    from PySide6.QtWidgets import QMenu

    still.document.do(set_mass(still.document, BLOCK, name="A"))
    for ref, offered in ((TOWER, False), (ElementRef(MASSES, "mass-1"), True)):
        menu = QMenu(still)
        still.masses.add_to_menu(menu, ref)
        texts = [action.text() for action in menu.actions()]
        assert "Copy beside itself" in texts
        assert ("Change mass…" in texts) == offered
        menu.deleteLater()


def test_a_wall_alone_has_no_plan_to_copy() -> None:
    upright = np.array([[(0.0, 0.0, 0.0), (5.0, 0.0, 0.0), (0.0, 0.0, 3.0)]])
    with pytest.raises(UserError, match="no plan"):
        outline_ring(upright)


def test_uses_of_the_scene_are_offered_and_known_by_the_rules(still: Any, qtbot: Any) -> None:  # noqa: F811
    from analysis.site_figures.rules import is_home
    from app.massing_uses import uses_of

    still.document.do(set_mass(still.document, BLOCK, name="A"))
    settle(still, qtbot)
    assert uses_of(still.document.scene)[0] == "업무시설"
    take(still, ElementRef(MASSES, "mass-1"))
    still.actions_["mass_edit"].trigger()
    edit = still.masses.dialog.use_edit
    QTest.keyClick(edit, Qt.Key.Key_Down)
    popup = edit.completer().popup()
    assert popup.isVisible()
    words = [popup.model().index(row, 0).data() for row in range(popup.model().rowCount())]
    assert words[:2] == ["업무시설", "Apartments"]
    assert is_home(words[1])
    QTest.keyClick(popup, Qt.Key.Key_Down)
    QTest.keyClick(popup, Qt.Key.Key_Down)
    QTest.keyClick(popup, Qt.Key.Key_Return)
    assert edit.text() == "Apartments"
    still.masses.dialog.accept()
    assert masses(still)[0].use == "Apartments"
