"""Results that are out of date: flagged, worked out anew in order, coarse first, replaced, stopped, undone."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.provenance import InputDigest
from analysis.registry import get
from analysis.run import execute, out_of_date
from app.alternatives import add_alternative, set_mass, variant_of
from app.commands import AddLayers
from app.document import Document
from app.refresh import Task, coarse_params, replace_run, tasks_of, work_of
from app.shown_runs import Run, runs_of
from geo.alternatives import Mass
from geo.model import ElementTable, Feedback, Layer, Mesh, Source
from tests.app import tiny_city
from tests.app.window_hands import WAIT_MS, settle

BLOCK = Mass("mass-1", ((0.0, 0.0), (12.0, 0.0), (12.0, 12.0), (0.0, 12.0)), 20.0, 20, 3.0)
HOURS = {"step": 30.0, "ground_cell": 10.0, "facades": False, "margin": 0.0}


def run_into(document: Document, study: str, params: dict[str, Any]) -> Run:
    """Run a study on what is shown."""
    shown = variant_of(document, document.alternatives.active)
    layers = tuple(document.scene)
    done = execute(get(study), layers=layers, frame=document.scene.frame, params=params, variant=shown)
    document.do(AddLayers(done.layers))
    return runs_of(done.layers)[0]


@pytest.fixture
def document() -> Document:
    made = Document(tiny_city.frame())
    made.do(AddLayers((tiny_city.terrain(), tiny_city.buildings())))
    return made


def fake_run(study: str, run_id: str, inputs: dict[str, str], seconds: float = 1.0) -> Run:
    provenance = {
        "analysis": study,
        "params": {},
        "inputs": [InputDigest(input=k, layer=v, name=v, digest="").model_dump() for k, v in inputs.items()],
        "duration_s": seconds,
        "started": "2026-01-01T00:00:00",
        "alternative": "",
    }
    record = {"run": run_id, "provenance": provenance}
    layer = Layer(f"{run_id}-map", "m", "result", None, ElementTable([]), source=Source(part="map", provenance=record))
    return Run(run_id, record, (layer,))


def test_a_mass_put_up_since_makes_a_result_out_of_date(document: Document) -> None:
    run = run_into(document, "sunlight.hours", HOURS)
    assert out_of_date(run.record, tuple(document.scene)) == []
    document.do(set_mass(document, BLOCK, name="A"))
    assert out_of_date(run.record, tuple(document.scene)) == ["New masses"]


def test_winds_come_before_dust_and_what_stands_on_results_after_them(document: Document) -> None:
    runs = [
        fake_run("dust.dispersion", "dust", {"strengths": "calibrated-map"}, 2.0),
        fake_run("dust.calibrate", "calibrated", {}, 9.0),
        fake_run("compare.results", "difference", {"before": "wind-map", "after": "dust-map"}, 0.1),
        fake_run("wind.field", "wind", {}, 60.0),
        fake_run("sunlight.hours", "sun", {}, 5.0),
    ]
    document.do(AddLayers(tuple(layer for run in runs for layer in run.layers)))
    order = [task.run.id for task in tasks_of(document, {run.id: ["x"] for run in runs})]
    assert order == ["sun", "wind", "calibrated", "dust", "difference"]
    only = tasks_of(document, {run.id: ["x"] for run in runs}, only=["wind.field"])
    assert [task.run.id for task in only] == ["wind"]


def test_a_first_look_has_coarser_cells_within_what_they_may_be() -> None:
    study = get("sunlight.hours")
    params = {"step": 30.0, "ground_cell": 2.0, "ground": True}
    assert coarse_params(study, params) == {"step": 60.0, "ground_cell": 6.0, "ground": True}
    assert coarse_params(study, {"step": 60.0}) is None  # no coarser than it may be
    slow, quick = fake_run("wind.field", "w", {}, 60.0), fake_run("wind.field", "w", {}, 1.0)
    slow.record["provenance"]["params"] |= {"cell": 4.0, "thoroughness": "usual"}
    assert Task(slow, get("wind.field")).coarse == {"cell": 8.0, "thoroughness": "preview"}
    assert Task(quick, get("wind.field")).coarse is None


def test_the_new_result_has_the_same_settings_and_looks_and_the_new_mass_in_it(document: Document) -> None:
    document.do(add_alternative(document, "A"))
    run = run_into(document, "sunlight.hours", HOURS)
    document.do(set_mass(document, BLOCK, name="A"))
    (task,) = tasks_of(document, {run.id: ["New masses"]})
    work = work_of(document, task, {})
    result = work.run(task.params, Feedback())
    assert result.provenance.params == run.record["provenance"]["params"]
    assert "alternative-masses" in {item.layer for item in result.provenance.inputs}
    step, renamed = replace_run(document.scene, run, result.layers)
    before = [layer.id for layer in document.scene]
    document.do(step)
    (now,) = runs_of(tuple(document.scene))
    assert now.id != run.id
    assert set(renamed) == {layer.id for layer in run.layers}
    assert now.record["summary"]["ground_mean"]["value"] < run.record["summary"]["ground_mean"]["value"]
    document.history.undo()
    assert [layer.id for layer in document.scene] == before


# ---- in the window


def run_here(window: Any, qtbot: Any) -> Run:
    job = window.bench.run(get("sunlight.hours"), HOURS)
    qtbot.waitUntil(lambda: job.is_over, timeout=WAIT_MS)
    settle(window, qtbot)
    return runs_of(tuple(window.document.scene))[0]


def make_stale(window: Any, qtbot: Any) -> None:
    houses = window.document.scene["houses"]
    mesh = houses.geometry
    higher = Mesh(mesh.vertices * [1, 1, 1.2], mesh.faces, mesh.face_element)
    window.document.scene.replace(houses.with_(geometry=higher), "data")
    qtbot.waitUntil(lambda: any(window.bench.stale.values()), timeout=WAIT_MS)


def test_one_button_refreshes_and_one_undo_brings_the_old_back(city: Any, qtbot: Any) -> None:
    first = run_here(city, qtbot)
    bar, action = city.results.refresh_bar, city.actions_["refresh_results"]
    assert not bar.button.isEnabled()
    assert not action.isEnabled()
    make_stale(city, qtbot)
    qtbot.waitUntil(action.isEnabled, timeout=WAIT_MS)
    assert bar.button.isEnabled()
    assert "1" in bar.told.text()
    action.trigger()
    assert city.results.refresher.running
    qtbot.waitUntil(lambda: not city.results.refresher.running, timeout=WAIT_MS)
    settle(city, qtbot)
    (now,) = runs_of(tuple(city.document.scene))
    assert now.id != first.id
    qtbot.waitUntil(lambda: not any(city.bench.stale.values()), timeout=WAIT_MS)
    assert not bar.button.isEnabled()
    city.actions_["undo"].trigger()
    assert [run.id for run in runs_of(tuple(city.document.scene))] == [first.id]


def test_a_study_with_its_switch_on_follows_by_itself_and_off_it_does_not(city: Any, qtbot: Any) -> None:
    first = run_here(city, qtbot)
    make_stale(city, qtbot)
    settle(city, qtbot)
    assert [run.id for run in runs_of(tuple(city.document.scene))] == [first.id]  # off at first
    city.results.refresher.set_on_release("sunlight.hours", True)
    qtbot.waitUntil(lambda: runs_of(tuple(city.document.scene))[0].id != first.id, timeout=WAIT_MS)
    settle(city, qtbot)
    assert city.settings.refreshed_on_release == {"sunlight.hours"}


def test_a_slow_one_is_seen_coarse_first_and_can_be_stopped(city: Any, qtbot: Any, monkeypatch: Any) -> None:
    first = run_here(city, qtbot)
    make_stale(city, qtbot)
    monkeypatch.setattr("app.refresh.COARSE_FROM", 0.0)
    seen: list[tuple[str, float]] = []
    city.bench.result_previewed.connect(
        lambda _key, layers: seen.extend((layer.source.part, layer.geometry.cell) for layer in layers)
    )
    refresher = city.results.refresher
    refresher.refresh()
    assert refresher.total == 2
    qtbot.waitUntil(lambda: bool(seen), timeout=WAIT_MS)
    assert seen[0][1] == pytest.approx(30.0)  # three times the cells
    assert [run.id for run in runs_of(tuple(city.document.scene))] == [first.id]
    refresher.cancel()
    qtbot.waitUntil(lambda: not refresher.running, timeout=WAIT_MS)
    settle(city, qtbot)
    assert not city.viewport.has_preview


def test_nothing_is_lost_where_a_result_cannot_be_worked_out(city: Any, qtbot: Any) -> None:
    first = run_here(city, qtbot)
    make_stale(city, qtbot)
    city.document.scene.remove("ground")
    city.document.scene.remove("houses")
    qtbot.waitUntil(lambda: any(city.bench.stale.values()), timeout=WAIT_MS)
    city.results.refresher.refresh()
    qtbot.waitUntil(lambda: not city.results.refresher.running, timeout=WAIT_MS)
    settle(city, qtbot)
    assert [run.id for run in runs_of(tuple(city.document.scene))] == [first.id]


def test_what_an_alternative_lacks_is_worked_out_beside_the_base(city: Any, qtbot: Any) -> None:
    first = run_here(city, qtbot)
    city.document.do(set_mass(city.document, BLOCK, name="A"))
    alternative = city.document.alternatives.items[0]
    panel = city.panels["compare"]
    city.results.refresher.complete(["sunlight.hours"])
    qtbot.waitUntil(lambda: not city.results.refresher.running, timeout=WAIT_MS)
    settle(city, qtbot)
    runs = {run.alternative: run for run in runs_of(tuple(city.document.scene))}
    assert set(runs) == {"", alternative.id}
    assert runs[""].id == first.id
    assert not any(layer.style.visible for layer in runs[alternative.id].layers)
    qtbot.waitUntil(lambda: panel.study.count() == 2, timeout=WAIT_MS)
    panel.study.setCurrentIndex(0)  # all studies
    assert panel.again.isEnabled()
    assert panel.table.columnCount() == 3
    city.actions_["undo"].trigger()
    assert [run.id for run in runs_of(tuple(city.document.scene))] == [first.id]
