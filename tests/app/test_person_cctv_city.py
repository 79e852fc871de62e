"""The CCTV office of a real city: a file of its buildings without terrain or roads, and a house model among them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QPointF

from analysis.cctv.cameras import views_of
from analysis.cctv.optics import project as picture_of
from app.cctv.edit import camera_rows
from app.commands import AddLayers
from app.importer import import_files
from app.main_window import MainWindow
from app.view.camera import looking
from bim.georeference_write import write_georeferenced
from geo.crs import make_frame
from geo.model import ElementRef
from geo.pose import Pose
from tests.app.test_camera_window import drag, pixel, put, row
from tests.app.test_person_wind import rest, runs, study, until
from tests.app.view_scene import need_graphics

pytestmark = [pytest.mark.gl, pytest.mark.data, pytest.mark.usefixtures("screen")]
CRS, EAST, NORTH, FLOOR, TURN = "EPSG:28992", 91_176.0, 435_711.0, 0.3, 20.0  # an open yard between two streets
YARD = (91_182.0, 435_716.0)
AROUND = 110.0  # [m]
FEW = {  # a small search: what is tested is the way through it
    "around": 40.0,
    "ground_cell": 4.0,
    "count": 3,
    "most_places": 30,
    "pan_step": 30.0,
    "tilt_step": 10.0,
    "zooms": 2,
    "seconds": 8.0,
    "keep": "none",
}


def part_of(city: Path, path: Path) -> Path:
    """The buildings around the yard, as they are in the file of the whole quarter."""
    data = json.loads(city.read_text(encoding="utf-8"))
    scale, shift = (np.array(data["transform"][name]) for name in ("scale", "translate"))
    places = np.array(data["vertices"]) * scale + shift
    near = np.hypot(*(places[:, :2] - YARD).T) < AROUND

    def touches(part: Any) -> bool:
        return any(touches(inner) for inner in part) if isinstance(part, list) else bool(near[part])

    data["CityObjects"] = {
        name: one
        for name, one in data["CityObjects"].items()
        if any(touches(shape["boundaries"]) for shape in one.get("geometry", ()))
    }
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


@pytest.fixture
def desk(window: MainWindow, shared_data: Path, tmp_path: Path) -> MainWindow:
    """Delfshaven in Rotterdam, and a house that its file puts into Karlsruhe, set among it."""
    need_graphics()
    window.resize(1500, 900)
    window.masses.live.wanted = False  # the sun is another day's work
    house = tmp_path / "house.ifc"
    frame = make_frame(CRS, EAST, NORTH)
    write_georeferenced(
        shared_data / "ifc" / "AC20-FZK-Haus.ifc", house, pose=Pose(EAST, NORTH, FLOOR, TURN), frame=frame
    )
    city = part_of(shared_data / "city" / "3-20-DELFSHAVEN.city.json", tmp_path / "delfshaven.city.json")
    imported = import_files([city, house], frame=None)
    window.document.do(AddLayers(imported.layers, frame=imported.frame))
    rest(window)
    return window


def local(window: MainWindow, east: float, north: float, height: float) -> np.ndarray:
    frame = window.document.scene.frame
    assert frame is not None
    return np.asarray(frame.to_local(np.array([[east, north, height]]))[0])


def middle_of_the_bedroom(window: MainWindow) -> np.ndarray:
    rooms = next(layer for layer in window.document.scene if layer.theme == "space")
    number = list(rooms.table.columns["name"].values).index("Schlafzimmer")
    mesh: Any = rooms.geometry
    mine = mesh.vertices[mesh.faces[mesh.face_element == number]].reshape(-1, 3)
    return np.asarray((mine.min(axis=0) + mine.max(axis=0)) / 2.0)


def test_a_day_with_a_real_city(desk: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    window, cameras = desk, desk.cameras
    middle = local(window, *YARD, 0.0)
    window.viewport.set_camera(looking(middle + [0.0, 0.0, 8.0], azimuth=300.0, pitch=-40.0, distance=70.0))
    rest(window)
    # A mast on the open ground of a city without terrain stands on the level of its buildings.
    ref = put(window, qtbot, local(window, 91_202.0, 435_716.0, 0.0))
    placed = row(window, ref)
    assert placed.mount == "pole"
    assert cameras.height_of(placed) == pytest.approx(cameras.placing.bar.pole, abs=0.01)
    assert placed.place[2] == pytest.approx(cameras.placing.bar.pole, abs=0.05)
    # It is turned by its handle toward the bedroom, and the figures follow.
    bed = middle_of_the_bedroom(window)
    way = bed - np.array(placed.place)
    toward = float(np.degrees(np.arctan2(way[0], way[1]))) % 360.0
    aim = cameras.gizmo.middle + cameras.gizmo.radius * cameras.gizmo.way(toward, 0.0)
    drag(window, cameras.gizmo.knob("pan"), QPointF(pixel(window, aim)))
    assert abs((row(window, ref).pan - toward + 180.0) % 360.0 - 180.0) < 3.0
    until(lambda: cameras.live.answer is not None and cameras.live.resting)
    assert cameras.live.answer.own > 0.0
    # The program sites three cameras on walls, there being no roads: value, bound and gap.
    siting = study(window, "cctv.siting", site=f"{YARD[0]},{YARD[1]}", **FEW)
    value, bound, gap = (float(siting.record["summary"][name]["value"]) for name in ("value", "bound", "gap"))
    assert 0.0 < value <= bound + 1e-9 <= 100.0
    assert gap == pytest.approx(100.0 * (bound - value) / bound, abs=0.02)
    plan = next(layer for layer in siting.layers if layer.theme == "camera")
    assert {found.mount for found in camera_rows(plan)} == {"facade"}
    assert len(camera_rows(plan)) == 3
    # The real windows of the house are private; what the camera sees of the bedroom lies behind a mask.
    window.document.selection.set([ref])
    window.actions_["cctv_privacy"].trigger()
    until(lambda: any(run.analysis_id == "cctv.privacy" for run in runs(window)))
    rest(window)
    bedroom = seen_by(window)["private_kind"] == "bedroom"
    assert set(seen_by(window)["hidden"][bedroom]) == {"yes"}
    hidden = hidden_windows(window, ref)
    assert [name for name in hidden if name.startswith("house/")]  # those of the IFC file
    assert [name for name in hidden if not name.startswith("house/")]  # and of the homes across the yard
    # Papers: the plan as PDF, the cameras as IFC.
    window.cctv.write_document(tmp_path / "plan.pdf", statements={"purpose": "crime"})
    window.cctv.write_cameras(tmp_path / "cameras.ifc")
    rest(window)
    assert (tmp_path / "plan.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "plan.pdf").stat().st_size > 100_000
    assert "IFCAUDIOVISUALAPPLIANCE(" in (tmp_path / "cameras.ifc").read_text(encoding="utf-8")
    window.document.selection.clear()


def hidden_windows(window: MainWindow, ref: ElementRef) -> list[str]:
    """Ids of the windows the report calls masked in this camera's picture; their middles lie in the masks shown."""
    import shapely

    until(lambda: len(window.cameras.panel.view.masks) > 0)
    run = next(run for run in runs(window) if run.analysis_id == "cctv.privacy")
    layer = next(layer for layer in run.layers if "private_state" in layer.table.columns)
    columns = {name: column.values for name, column in layer.table.columns.items()}
    mine = (columns["private_state"] == "masked") & (columns["best_camera"] == row(window, ref).name)
    mesh: Any = layer.geometry
    chosen = [k for k in np.flatnonzero(mine).tolist() if (mesh.face_element == k).any()]
    middles = np.array([mesh.vertices[mesh.faces[mesh.face_element == k]].reshape(-1, 3).mean(axis=0) for k in chosen])
    camera = window.cameras.camera_of(row(window, ref))
    assert camera is not None
    (view,) = views_of(camera)
    u, v, depth = picture_of(view, middles)
    across, down = u / view.pixels_wide, v / view.pixels_high
    inside = (depth > 0) & (across > 0) & (across < 1) & (down > 0) & (down < 1)
    masks = shapely.union_all([shapely.Polygon(mask) for mask in window.cameras.panel.view.masks])
    assert shapely.covers(masks, shapely.points(across[inside], down[inside])).all()
    return [str(layer.table.ids[k]) for k, kept in zip(chosen, inside.tolist(), strict=True) if kept]


def seen_by(window: MainWindow) -> dict[str, np.ndarray]:
    run = next(run for run in runs(window) if run.analysis_id == "cctv.privacy")
    table = next(layer for layer in run.layers if layer.id.endswith("-seen")).table
    return {name: column.values for name, column in table.columns.items()}
