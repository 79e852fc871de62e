"""A day at the air office: sources, the dust map, three purifiers, the honest page, a month of sensors, calibration."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialogButtonBox

from app.commands import AddLayers
from app.dust.edit import purifier_rows
from app.importer import import_files
from app.main_window import MainWindow
from app.sample import buildings, dust_air, dust_files, dust_measured, dust_names, roads
from app.sample.district import plan_district
from app.sample.dust_plan import DustPlan, plan_dust
from app.sample.plan import CENTRE, Ground, Plan
from app.shown_runs import Run
from app.view.camera import looking
from geo.model import ElementRef, Feedback, Frame, Grid, Layer
from tests.app.test_camera_window import pixel, send
from tests.app.test_person_wind import click, drop, rest, runs, until
from tests.app.view_scene import need_graphics

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]
SEED = 51
LEVEL = 20.0  # [m] of the ground, which is flat here
# The north of the district: the ring road, the site, three of the stations; west, south, east, north [m].
CORNER = (-20.0, 380.0, 760.0, 850.0)
NEAR = (0, 1, 2, 7, 8)  # stations: two in the country, beside the ring road, two beside the site
RING_TRAFFIC, RING_WEIGHT = 36_000.0, 3.0
PATIENCE = 240.0  # [s] other things may run on the machine
COARSE = {"cell": 25.0, "thoroughness": "preview", "directions": "strongest8", "season": "spring"}


class Town(NamedTuple):
    """Where its files lie and what is in them."""

    folder: Path
    plan: Plan
    dust: DustPlan


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """A corner of the sample on level ground, without the sources that a person draws."""
    folder = tmp_path_factory.mktemp("town")
    plan = plan_district(SEED, Feedback())
    dust = plan_dust(plan, SEED)
    inside = [b for b in plan.buildings if _holds(CORNER, b.form.polygon.centroid)]
    ground = Ground(np.full((3, 3), LEVEL), -2000.0, -2000.0, 2000.0)
    city = buildings.city_json(dataclasses.replace(plan, buildings=inside), ground, Feedback())
    buildings.write(city, folder / "buildings.city.json")
    roads.write_roads(plan, folder / "roads.gpkg", traffic=dust.traffic)
    near = tuple(dust.stations[number] for number in NEAR)
    dust_files.write_people(dust, folder / dust_names.PEOPLE)
    dust_files.write_stations(dust._replace(stations=near), folder / dust_names.STATIONS)
    wind = dust_air.make_wind(SEED)
    dust_measured.write_weather(wind, folder / dust_names.WEATHER)
    air = dust_air.measured(plan, dust, wind, first="2025-03-01", last="2025-03-31", seed=SEED)
    dust_measured.write_air(air, dust.stations, NEAR, folder / dust_names.MONTH)
    return Town(folder, plan, dust)


def _holds(corner: tuple[float, float, float, float], place: Any) -> bool:
    return bool(corner[0] < place.x < corner[2] and corner[1] < place.y < corner[3])


@pytest.fixture
def desk(window: MainWindow, town: Town) -> MainWindow:
    """The window with the town in it."""
    need_graphics()
    names = ("buildings.city.json", "roads.gpkg", dust_names.PEOPLE, dust_names.STATIONS, dust_names.WEATHER)
    read = import_files([town.folder / name for name in names], frame=None)
    assert read.frame is not None
    window.document.do(AddLayers((level_ground(read.frame), *read.layers), frame=read.frame))
    window.bench.document_opened.emit()
    window.masses.live.wanted = False  # the sun is another day's work
    window.resize(1366, 768)
    rest(window)
    return window


def level_ground(frame: Frame) -> Layer:
    west, south, _ = local(frame, (-1300.0, -1300.0))
    return Layer("ground", "Ground", "terrain", Grid(np.full((131, 131), LEVEL - frame.origin[2]), west, south, 20.0))


def local(frame: Frame, place: tuple[float, float]) -> tuple[float, float, float]:
    """A place of the plan in the scene."""
    east, north, level = frame.origin
    return place[0] + CENTRE[0] - east, place[1] + CENTRE[1] - north, LEVEL - level


def area(frame: Frame) -> str:
    """The corner of the town as the form of a study takes it."""
    west, south, east, north = CORNER
    return f"{west + CENTRE[0]:.0f},{south + CENTRE[1]:.0f};{east + CENTRE[0]:.0f},{north + CENTRE[1]:.0f}"


def give_traffic(window: MainWindow) -> None:
    """The ring road, chosen by its name, gets its count of vehicles."""
    layer = window.document.scene["roads-centrelines"]
    ring = layer.table.columns["name"].values == "외곽순환로"
    window.document.selection.set([ElementRef(layer.id, str(key)) for key in layer.table.ids[ring]])
    window.actions_["dust_traffic"].trigger()
    dialog = window.dust.sources.traffic_dialog
    assert dialog is not None
    dialog.traffic_edit.set_value(RING_TRAFFIC)
    dialog.weight_edit.set_value(RING_WEIGHT)
    click(dialog.buttons.button(QDialogButtonBox.StandardButton.Ok))
    rest(window)
    columns = window.document.scene["roads-centrelines"].table.columns
    assert (columns["traffic"].values[ring] == RING_TRAFFIC).all()
    assert (columns["traffic"].values[~ring] == layer.table.columns["traffic"].values[~ring]).all()


def draw_site(window: MainWindow, town: Town) -> Layer:
    """The outline of the construction site clicked on the ground from above, and what is done there."""
    frame, ring = window.document.scene.frame, town.dust.site.minimum_rotated_rectangle
    assert frame is not None
    middle = np.array(local(frame, (ring.centroid.x, ring.centroid.y)))
    window.viewport.set_camera(looking(middle, azimuth=0.0, pitch=-89.0, distance=420.0))
    rest(window)
    window.actions_["dust_site"].trigger()
    for corner in list(ring.exterior.coords)[:-1]:
        QTest.mouseClick(window.viewport, Qt.MouseButton.LeftButton, pos=pixel(window, local(frame, corner[:2])))
    QTest.keyClick(window.viewport, Qt.Key.Key_Return)
    dialog = window.dust.sources.dialog
    assert dialog is not None
    dialog.group_edit.setText("construction")
    dialog.share_edit.set_value(12.0)
    click(dialog.buttons.button(QDialogButtonBox.StandardButton.Ok))
    rest(window)
    (site,) = (layer for layer in window.document.scene if layer.theme == "emission")
    assert site.table.columns["source_kind"].values.tolist() == ["construction"]
    return site


def choose_people(window: MainWindow, analysis_id: str) -> None:
    window.show_analysis(analysis_id)
    (choice,) = (one for one in window.analyses.inputs if one.spec.name == "people")
    choice.choose(["people"])


def figure(run: Run, name: str) -> float:
    return float(run.record["summary"][name]["value"])


def map_of(run: Run) -> Layer:
    return next(layer for layer in run.layers if layer.kind == "grid")


def field(layer: Layer, name: str) -> np.ndarray:
    (found,) = (one for one in layer.fields if one.name == name)
    return np.asarray(found.values, dtype=np.float64)


def run_study(window: MainWindow, analysis_id: str, **params: object) -> Run:
    """A study of the corner, with the people named."""
    frame, panel, before = window.document.scene.frame, window.analyses, len(runs(window))
    assert frame is not None
    choose_people(window, analysis_id)
    assert panel.form is not None
    panel.form.set_values({"area": area(frame), **COARSE, **params})
    told: list[Any] = []
    window.bench.notices.posted.connect(told.append)
    click(panel.run_button)
    until(lambda: len(runs(window)) > before or any(one.severity == "error" for one in told), seconds=PATIENCE)
    assert len(runs(window)) > before, [one.words() for one in told]
    rest(window)
    return runs(window)[0]


def drag_to(window: MainWindow, start: QPointF, stop: QPointF) -> None:
    """Drag with the button still held."""
    send(window, QEvent.Type.MouseButtonPress, start)
    for share in (0.3, 0.7, 1.0):
        send(window, QEvent.Type.MouseMove, start + (stop - start) * share)


def steady(window: MainWindow) -> None:
    """Until the figures beside the purifier rest."""
    until(lambda: window.dust.live.resting and not window.bench.jobs.busy, seconds=PATIENCE)


def drag_one(window: MainWindow, layer: Layer) -> None:
    """The first planned purifier goes twenty metres: a bound at once, every wind, then the whole grid."""
    dust = window.dust
    ref = ElementRef(layer.id, str(layer.table.ids[0]))
    before = purifier_rows(layer)[0]
    foot = np.array(before.place)
    window.viewport.set_camera(looking(foot, azimuth=0.0, pitch=-75.0, distance=150.0))
    window.document.selection.set([ref])
    until(lambda: dust.gizmo is not None)
    until(lambda: dust.live.answer is not None, seconds=PATIENCE)
    steady(window)
    start = dust.gizmo.knob("body")
    stop = QPointF(pixel(window, foot + [-20.0, 0.0, 0.0]))
    drag_to(window, start, stop)
    held = dust.live.answer
    assert held is not None
    assert "µg/m³" in dust.live.text_for(ref)
    assert dust.live.first_seconds < 5.0  # a tenth of a second where nothing else runs
    send(window, QEvent.Type.MouseButtonRelease, stop)
    until(lambda: dust.live.solved is not None and dust.live.resting, seconds=PATIENCE)
    after = purifier_rows(window.document.scene[layer.id])[0]
    assert after.place[0] == pytest.approx(before.place[0] - 20.0, abs=2.0)


def test_from_the_first_source_to_held_out_stations(desk: MainWindow, town: Town, tmp_path: Path) -> None:
    window, scene = desk, desk.document.scene
    at_first, state = [layer.id for layer in scene], window.document.history.state
    give_traffic(window)
    draw_site(window, town)

    # The dust map: what comes from outside and from each group of sources, and who breathes it.
    dispersion = run_study(window, "dust.dispersion", band="none", space=False)
    chart = map_of(dispersion)
    assert {"concentration", "from_ring_road", "from_construction"} <= {one.name for one in chart.fields}
    total, outside = field(chart, "concentration"), field(chart, "background")
    parts = sum(field(chart, one.name) for one in chart.fields if one.name.startswith("from_"))
    known = np.isfinite(total)
    assert np.abs(total - outside - parts)[known].max() < 0.01 * np.nanmax(total)
    assert np.nanmax(field(chart, "from_construction")) > np.nanmax(field(chart, "from_ring_road")) > 0.5
    assert window.viewport.cards.legend.legend is not None

    # Three towers where the program would put them; the sentence that they bring little comes before all figures.
    siting = run_study(window, "dust.siting", count=3, boxes=4, schmidt_band=False)
    assert figure(siting, "units") == 3
    assert 0.0 < figure(siting, "reduction") < 1.0
    first = siting.issues[0]
    assert first.code.startswith("dust.honesty.")
    window.actions_["dust_take_over"].trigger()
    own = scene[window.document.selection.items[0].layer_id]
    assert [row.state for row in purifier_rows(own)] == ["planned"] * 3
    drag_one(window, own)

    # The page that says so.
    job = window.bench.write_report(tmp_path / "report.html")
    until(lambda: job.is_over, seconds=PATIENCE)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    verdict = first.message.split(":")[0]
    assert verdict in text
    assert text.index(verdict) < text.index("Units at most")

    # A month of sensors; the ring road and the site as they are, and stations left out that say how good the map is.
    drop(window, town.folder / dust_names.MONTH)
    assert any(layer.kind == "table" and "pm10" in layer.table.columns for layer in scene)
    calibration = run_study(window, "dust.calibrate", hint=False)
    summary = calibration.record["summary"]
    assert {"held_out_bias", "held_out_error", "held_out_fac2", "held_out_correlation"} <= set(summary)
    assert summary["accepted"]["value"] == "yes"
    assert window.results.cards[0].run.id == calibration.id
    stations = next(layer for layer in calibration.layers if layer.kind == "points")
    assert "residual" in {one.name for one in stations.fields} | set(stations.table.columns)

    # All of it is undone.
    window.document.selection.clear()
    while window.document.history.state != state:
        window.document.history.undo()
    assert [layer.id for layer in scene] == at_first
    rest(window)
    until(lambda: window.dust.gizmo is None)
