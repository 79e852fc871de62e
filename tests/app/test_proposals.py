"""A building of a file as a proposal: read, fitted by two points in the window, counted, moved, undone, kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.registry import get
from analysis.run import execute
from app.alternatives import BASE, layers_of, switch_alternative
from app.commands import AddLayers
from app.mass_edit import body_of
from app.plot_figures import PlotStudy, plot_setup
from app.project_file import load, open_document, save
from app.proposal_actions import proposals_of
from app.proposal_read import read_proposal
from app.proposals import proposal_of
from geo.model import ElementRef, Feedback
from tests.app import tiny_city
from tests.app.test_mass_tool import still  # noqa: F401  fixture
from tests.app.test_massing_figures import lots
from tests.app.window_hands import settle

FACES = "f 1 3 2\nf 1 4 3\nf 5 6 7\nf 5 7 8\nf 1 2 6\nf 1 6 5\nf 2 3 7\nf 2 7 6\nf 3 4 8\nf 3 8 7\nf 4 1 5\nf 4 5 8\n"
PLACES = np.array([(10.0, 10.0, 22.0), (10.0, 30.0, 22.4)])  # north, 20 m apart


@pytest.fixture
def box_file(tmp_path: Path) -> Path:
    """A solid of 20 m x 10 m x 12 m, far from its own zero point."""
    corners = [(100.0 + x, 50.0 + y, z) for z in (0.0, 12.0) for x, y in ((0, 0), (20, 0), (20, 10), (0, 10))]
    path = tmp_path / "library.obj"
    path.write_text("".join(f"v {x} {y} {z}\n" for x, y, z in corners) + FACES)
    return path


def placed(window: Any, qtbot: Any, path: Path) -> Any:
    """The dialog with the building put up at the two places."""
    actions = proposals_of(window)
    job = actions.read(path)
    qtbot.waitUntil(lambda: job.is_over and actions.dialog is not None, timeout=30_000)
    actions.dialog.plan.choose(*corners_of_edge(actions.dialog.plan, 20.0))
    actions._on_places(PLACES)
    return actions


def corners_of_edge(plan: Any, length: float) -> tuple[int, int]:
    """The lower one of the edges of a length, from west to east."""
    ring = plan._ring
    pairs = [(k, (k + 1) % len(ring)) for k in range(len(ring))]
    long = [p for p in pairs if abs(np.hypot(*(ring[p[1]] - ring[p[0]])) - length) < 0.01]
    first, second = min(long, key=lambda p: ring[p[0]][1])
    return (first, second) if ring[first][0] < ring[second][0] else (second, first)


def test_a_file_is_read_without_its_place_and_measured(box_file: Path) -> None:
    read = read_proposal(box_file, tiny_city.frame(), Feedback())
    low, high = read.model.mesh.vertices.min(axis=0), read.model.mesh.vertices.max(axis=0)
    assert low == pytest.approx([-10.0, -5.0, 0.0], abs=1e-4)
    assert high == pytest.approx([10.0, 5.0, 12.0], abs=1e-4)
    assert (read.model.closed, read.told, read.storeys) == (True, "estimate", 0)
    assert read.floor_area == pytest.approx(4 * 200.0)  # 12 m: four storeys of 3 m, cut from the volume


def test_two_points_put_it_up_and_undo_takes_it_away(still: Any, qtbot: Any, box_file: Path) -> None:  # noqa: F811
    actions = placed(still, qtbot, box_file)
    (alternative,) = still.document.alternatives.items
    (one,) = alternative.proposals
    assert (one.turn_deg, one.scale) == (pytest.approx(90.0), 1.0)
    layer = still.document.scene[one.layer_id]
    box = layer.geometry.bounds
    # The long lower edge lies along the two places, and the building to the west of it: points 1 and 2 go north.
    assert box.low[:2] == pytest.approx((0.0, 10.0), abs=1e-4)
    assert box.high[:2] == pytest.approx((10.0, 30.0), abs=1e-4)
    ground = float(still.document.scene["ground"].geometry.sample(0.0, 10.0))
    assert box.low[2] == pytest.approx(ground, abs=1e-3)  # on its lowest corner
    assert "20.00" in actions.dialog.told.text()
    actions.dialog.on_ground.setChecked(False)
    actions.dialog.level_edit.set_value(30.0)
    assert still.document.scene[one.layer_id].geometry.bounds.low[2] == pytest.approx(30.0, abs=1e-3)
    actions.dialog.reject()
    still.actions_["undo"].trigger()  # all that was done in the dialog is one step
    assert one.layer_id not in still.document.scene
    assert not still.document.alternatives.items
    still.actions_["redo"].trigger()
    assert one.layer_id in still.document.scene


def test_distances_that_differ_are_refused_with_both_numbers(still: Any, qtbot: Any, box_file: Path) -> None:  # noqa: F811
    actions = placed(still, qtbot, box_file)
    before = still.document.history.state
    actions._on_places(np.array([(10.0, 10.0, 22.0), (10.0, 50.0, 22.4)]))
    assert still.document.history.state == before
    assert "40.00" in actions.dialog.told.text()
    actions.dialog.fit_size.setChecked(True)
    assert actions.proposal.scale == pytest.approx(2.0)
    assert actions.proposal.height == pytest.approx(24.0)


def test_it_takes_the_place_of_the_building_it_stands_on(still: Any, qtbot: Any, box_file: Path) -> None:  # noqa: F811
    actions = placed(still, qtbot, box_file)
    # On Dogwood: 20 m x 14 m at (30, 30).
    actions._on_places(np.array([(30.0, 32.0, 22.0), (50.0, 32.0, 22.0)]))
    changes = still.document.alternatives.items[0].changes
    assert [ref.element_id for ref in changes] == ["B4"]
    actions.dialog.make_room.setChecked(False)
    assert not still.document.alternatives.items[0].changes


def test_it_is_moved_in_hand_and_counts_in_the_figures(still: Any, qtbot: Any, box_file: Path) -> None:  # noqa: F811
    still.document.do(AddLayers((lots(),)))
    actions = placed(still, qtbot, box_file)
    actions.dialog.storeys_edit.set_value(3)
    actions.dialog.area_edit.set_value(555.0)
    actions._take()
    settle(still, qtbot)
    tool, ref = still.masses.tool, ElementRef(actions.proposal.layer_id, actions.proposal.id)
    assert tool.body.ref == ref
    assert not still.masses.bar.edits["height"].isEnabled()
    still.masses._on_typed(tool.body.snapped(tool.change.__class__(move=(4.0, 0.0, 0.0), height_factor=2.0)), "east")
    now = proposal_of(still.document, ref)
    assert (now.x - actions.proposal.x, now.height) == (pytest.approx(4.0), pytest.approx(12.0))
    setup = plot_setup(still.document, body_of(still.document, ref))
    plot = PlotStudy(setup, Feedback()).move(tool.change.__class__(), Feedback())
    assert (plot.id, plot.storeys) == ("P4", 16)  # Dogwood is higher
    assert plot.floor_area == pytest.approx(555.0 + 20.0 * 14.0 * 16)
    study = get("site.figures")
    done = execute(study, layers=tuple(still.document.scene), frame=still.document.scene.frame, params={"plot": "P4"})
    assert done.summary["floor_area"].value == pytest.approx(555.0 + 20.0 * 14.0 * 16)
    still.masses.finish()


def test_one_that_stands_is_asked_for_again_and_fitted_anew(still: Any, qtbot: Any, box_file: Path) -> None:  # noqa: F811
    actions = placed(still, qtbot, box_file)
    actions._on_places(np.array([(30.0, 32.0, 22.0), (50.0, 32.0, 22.0)]))  # B4 made room for it
    actions.dialog.reject()
    (before,) = still.document.alternatives.items[0].proposals
    state = still.document.history.state
    still.document.selection.set([ElementRef(before.layer_id, before.id)])
    still.actions_["mass_edit"].trigger()
    qtbot.waitUntil(lambda: actions.dialog is not None, timeout=30_000)
    dialog = actions.dialog
    assert still.document.history.state == state  # asking changes nothing
    assert dialog.on_ground.isChecked()
    assert not dialog.fit_size.isChecked()
    dialog.plan.choose(1, 2)  # other points of it are where they are: it stays
    dialog.storeys_edit.set_value(4)
    (now,) = still.document.alternatives.items[0].proposals
    assert (now.x, now.y, now.base, now.turn_deg) == pytest.approx(
        (before.x, before.y, before.base, before.turn_deg), abs=1e-6
    )
    assert (now.id, now.storeys) == (before.id, 4)
    dialog.plan.choose(*corners_of_edge(dialog.plan, 20.0))
    actions._on_places(PLACES)
    (moved,) = still.document.alternatives.items[0].proposals
    assert moved.turn_deg == pytest.approx(90.0)
    assert not still.document.alternatives.items[0].changes  # what had made room is back
    dialog.reject()
    still.actions_["undo"].trigger()
    still.actions_["undo"].trigger()
    assert still.document.alternatives.items[0].proposals == (before,)


def test_sun_and_shadow_count_it_only_in_its_alternative(still: Any, qtbot: Any, box_file: Path) -> None:  # noqa: F811
    placed(still, qtbot, box_file).dialog.reject()
    alternative = still.document.alternatives.items[0]
    params = {"facades": False, "step": 60.0, "ground_cell": 5.0}
    means = []
    for key in (BASE, alternative.id):
        layers = layers_of(still.document, key)
        done = execute(get("sunlight.hours"), layers=layers, frame=still.document.scene.frame, params=params)
        means.append(done.summary["ground_mean"].value)
    assert means[1] < means[0]
    still.document.do(switch_alternative(still.document, BASE))
    assert not any(layer.id.startswith("alternative-") for layer in still.document.scene)


def test_it_is_kept_with_the_project_without_its_file(
    still: Any,  # noqa: F811
    qtbot: Any,
    box_file: Path,
    tmp_path: Path,
) -> None:
    placed(still, qtbot, box_file).dialog.reject()
    project = tmp_path / "plan.twin"
    save(still.document, project)
    box_file.unlink()
    document, _ = open_document(project)
    (one,) = document.alternatives.items[0].proposals
    (before,) = still.document.alternatives.items[0].proposals
    assert one.model.id == before.model.id
    assert document.scene[one.layer_id].geometry.bounds.high[:2] == pytest.approx((10.0, 30.0), abs=1e-4)
    save(document, project)  # the kept shape is not thrown away by saving again
    (kept,) = (tmp_path / "plan.results").glob("proposal-*.layers")
    kept.unlink()
    lost = load(project)
    assert [issue.code for issue in lost.issues if "proposal" in issue.code] == ["project.proposal_lost"]
    assert lost.alternatives[0].proposals == ()


def test_colours_of_the_file_come_along_and_are_kept(
    still: Any,  # noqa: F811
    qtbot: Any,
    shared_data: Path,
    tmp_path: Path,
) -> None:
    actions = proposals_of(still)
    job = actions.read(shared_data / "ifc" / "AC20-FZK-Haus.ifc")
    qtbot.waitUntil(lambda: job.is_over and actions.dialog is not None, timeout=60_000)
    plan = actions.dialog.plan
    actions._on_places(np.array([(10.0, 10.0, 22.0), (10.0, 10.0 + plan.length, 22.4)]))
    actions.dialog.reject()
    settle(still, qtbot)
    (one,) = still.document.alternatives.items[0].proposals
    field = still.document.scene[one.layer_id].field_named("colour")
    assert len(field.values) == len(one.model.mesh.faces)
    assert len(np.unique(field.values[field.values >= 0])) >= 3
    drawn = still.viewport.stage._layers[one.layer_id].face_colours()
    assert len(np.unique(drawn, axis=0)) >= 3
    project = tmp_path / "plan.twin"
    save(still.document, project)
    document, _ = open_document(project)
    np.testing.assert_array_equal(document.scene[one.layer_id].field_named("colour").values, field.values)
    assert document.alternatives.items[0].proposals[0].model.id == one.model.id


def test_an_ifc_tells_its_storeys_and_floor_area(shared_data: Path) -> None:
    """FZK-Haus states 120.75 m2 gross for each of its two storeys."""
    read = read_proposal(shared_data / "ifc" / "AC20-FZK-Haus.ifc", tiny_city.frame(), Feedback())
    assert (read.storeys, read.told, read.model.closed) == (2, "file", False)
    assert read.floor_area == pytest.approx(241.5, abs=0.1)
    assert np.ptp(read.model.mesh.vertices, axis=0) == pytest.approx([13.0, 11.0, 6.52], abs=0.05)
    assert read.model.ground == pytest.approx(0.2, abs=0.01)
