"""A morning at the air office: traffic of the ring road, a site drawn on the ground, and the dust map of the spring."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialogButtonBox

from app.commands import AddLayers
from app.importer import import_files
from app.main_window import MainWindow
from app.sample import buildings, dust_air, dust_files, dust_measured, dust_names, roads
from app.sample.district import plan_district
from app.sample.dust_plan import DustPlan, plan_dust
from app.sample.plan import CENTRE, Ground, Plan
from app.shown_runs import Run
from app.view.camera import looking
from geo.model import ElementRef, Feedback, Frame, Grid, Layer
from tests.app.test_camera_window import pixel
from tests.app.test_person_wind import click, rest, runs, until
from tests.app.view_scene import need_graphics

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]
SEED = 51
LEVEL = 20.0  # [m] of the ground, which is flat here
# The north of the district: the ring road, the site, three of the stations; west, south, east, north [m].
CORNER = (-20.0, 380.0, 760.0, 850.0)
NEAR = (0, 1, 2, 7, 8)  # stations: two in the country, beside the ring road, two beside the site
RING_TRAFFIC, RING_WEIGHT = 36_000.0, 3.0
PATIENCE = 400.0  # [s] other things may run on the machine
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


def test_from_the_first_source_to_the_dust_map(desk: MainWindow, town: Town) -> None:
    window = desk
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
