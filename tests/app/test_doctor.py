"""Files in the wrong place: what is said about them, and that the repair brings every corner to its true place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.cli import run_command_line
from app.document import Document
from app.import_report import import_report, write_import_report
from app.importer import Imported, ImportOptions, diagnose, examine, import_files
from app.language import error_texts, issue_text, language
from app.project_file import open_document, save
from geo import crs as coordinates
from geo.doctor import MESSAGES
from geo.doctor import examine as examine_place
from geo.model import Issue, UserError
from tests.tiny import write_city_json, write_terrain_tif

Change = Callable[[np.ndarray], np.ndarray]
CENTIMETRE = 0.01


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def project(tmp_path: Path) -> Imported:
    """Terrain and the two buildings where they belong."""
    return import_files(
        [write_terrain_tif(tmp_path / "t.tif"), write_city_json(tmp_path / "true.city.json")], frame=None
    )


def to(crs: str) -> Change:
    """True coordinates written in another system."""

    def change(points: np.ndarray) -> np.ndarray:
        x, y = coordinates.transform(points[:, 0], points[:, 1], "EPSG:5186", crs)
        return np.column_stack([x, y, points[:, 2]])

    return change


def exchanged(points: np.ndarray) -> np.ndarray:
    return points[:, [1, 0, 2]]


def write_wrong(path: Path, said: str | None, *changes: Change) -> Path:
    """The two buildings with coordinates as a mistake would leave them, under the system `said`."""
    write_city_json(path, crs=said)
    data = json.loads(path.read_text(encoding="utf-8"))
    scale, start = np.array(data["transform"]["scale"]), np.array(data["transform"]["translate"])
    points = np.array(data["vertices"]) * scale + start
    for change in changes:
        points = change(points)
    fine = np.where(np.abs(points).max(axis=0) < 200, 1e-10, 1e-4)
    fine[2] = 1e-4
    start = np.floor(points.min(axis=0))
    data["transform"] = {"scale": fine.tolist(), "translate": start.tolist()}
    data["vertices"] = np.round((points - start) / fine).astype(np.int64).tolist()
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def corners(imported: Imported, name: str = "building") -> np.ndarray:
    return next(layer.geometry.vertices for layer in imported.layers if layer.theme == name)


def farthest(found: np.ndarray, true: np.ndarray) -> float:
    """Largest distance of a true corner from the nearest found one [m]."""
    return float(np.linalg.norm(found[None] - true[:, None], axis=2).min(axis=1).max())


def raised(points: np.ndarray) -> np.ndarray:
    return points + (0.0, 0.0, 24.5)


WRONG: list[tuple[str, str | None, tuple[Change, ...], str, str]] = [
    ("axes", "EPSG:5186", (exchanged,), "swap-axes", "doctor.axes"),
    ("latlon", "EPSG:4326", (to("EPSG:4326"), exchanged), "swap-axes", "doctor.axes"),
    ("degrees", "EPSG:5186", (to("EPSG:4326"),), "degrees", "doctor.degrees"),
    ("both", "EPSG:5186", (to("EPSG:4326"), exchanged), "degrees+swap-axes", "doctor.degrees"),
    ("metres", "EPSG:4326", (), "crs:EPSG:5186", "doctor.metres_as_degrees"),
    ("belt", "EPSG:5186", (to("EPSG:5181"),), "crs:EPSG:5181", "doctor.belt_origin"),
    ("unified", "EPSG:5186", (to("EPSG:5179"),), "crs:EPSG:5179", "doctor.system"),
    ("zone", "EPSG:32651", (to("EPSG:32652"),), "utm-zone:52n", "doctor.utm_zone"),
    ("millimetres", "EPSG:5186", (lambda p: p * 1000.0,), "metres", "doctor.millimetres"),
    ("none", None, (), "crs:EPSG:5186", "doctor.missing_crs"),
    ("none_old", None, (to("EPSG:5181"),), "crs:EPSG:5181", "doctor.missing_crs"),
    ("ellipsoid", "EPSG:5186", (raised,), "height-offset:-24.5", "doctor.ellipsoid_height"),
]


@pytest.mark.parametrize(("name", "said", "changes", "repair", "code"), WRONG, ids=[case[0] for case in WRONG])
def test_the_repair_on_offer_brings_every_corner_home(
    name: str, said: str | None, changes: tuple[Change, ...], repair: str, code: str, tmp_path: Path, project: Imported
) -> None:
    wrong = write_wrong(tmp_path / f"{name}.city.json", said, *changes)
    _, found = diagnose(wrong, frame=project.frame, layers=project.layers)
    assert (found[0].code, found[0].repair and found[0].repair.name) == (code, repair)
    repaired = import_files(
        [wrong], frame=project.frame, layers=project.layers, options=ImportOptions(repairs=(repair,))
    )
    assert farthest(corners(repaired), corners(project)) < CENTIMETRE
    notes = {issue.code: issue for issue in repaired.issues}
    assert notes["doctor.repaired"].values["repairs"] == repair.replace("+", ", ")
    assert not any(issue.code.startswith("doctor.") and issue.severity != "note" for issue in repaired.issues)


def test_the_same_repair_fixes_a_project_of_its_own(tmp_path: Path, project: Imported) -> None:
    wrong = write_wrong(tmp_path / "axes.city.json", "EPSG:5186", exchanged)
    alone = import_files([wrong], frame=None, options=ImportOptions(repairs=("swap-axes",)))
    assert alone.frame.crs == "EPSG:5186"
    assert (
        farthest(corners(alone) + np.array(alone.frame.origin), corners(project) + np.array(project.frame.origin))
        < 0.01
    )


def test_local_coordinates_come_to_the_project_origin(tmp_path: Path, project: Imported) -> None:
    for name, factor, repair in (("m", 1.0, "far-origin"), ("mm", 1000.0, "metres+far-origin")):
        local = write_wrong(
            tmp_path / f"{name}.city.json", "EPSG:5186", lambda p, f=factor: (p - (229_000.0, 435_500.0, 0.0)) * f
        )
        _, found = diagnose(local, frame=project.frame, layers=project.layers)
        if factor == 1.0:
            assert found[0].repair is not None
            assert found[0].repair.name == repair
        placed = import_files([local], frame=project.frame, options=ImportOptions(repairs=(repair,)))
        box = placed.layers[0].geometry.bounds
        assert box.centre[:2] == pytest.approx((0.0, 0.0), abs=0.002)
        assert box.size == pytest.approx((55.0, 35.0, 30.0), abs=0.002)


def test_a_terrain_on_the_old_false_northing_is_repaired_too(tmp_path: Path, project: Imported) -> None:
    import rasterio

    tif = write_terrain_tif(tmp_path / "old.tif", height=31.0)
    with rasterio.open(tif, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as file:
        a, b, c, d, e, f = tuple(file.transform)[:6]
        file.transform = rasterio.Affine(a, b, c, d, e, f - 100_000.0)
    _, found = diagnose(tif, frame=project.frame, layers=project.layers)
    assert found[0].repair is not None
    assert found[0].repair.name == "crs:EPSG:5181"
    assert found[-1].code == "doctor.height_offset"  # 11 m higher than the project's own
    repaired = import_files([tif], frame=project.frame, options=ImportOptions(repairs=("crs:EPSG:5181",)))
    grid = repaired.layers[0].geometry
    truth = next(layer.geometry for layer in project.layers if layer.kind == "terrain")
    assert grid.bounds.centre[:2] == pytest.approx(truth.bounds.centre[:2], abs=0.5)
    assert grid.sample(0.0, 0.0) == pytest.approx(31.0)


@pytest.mark.parametrize("crs", ["EPSG:5186", "EPSG:4326"])
def test_rasters_are_shifted_too(crs: str, tmp_path: Path, project: Imported) -> None:
    import rasterio

    tif, warped = write_terrain_tif(tmp_path / "t.tif"), tmp_path / "w.tif"
    with rasterio.open(tif) as source:
        place = source.transform
        west, south = coordinates.transform(place.c, place.f - 162.0, "EPSG:5186", crs)
        east, north = coordinates.transform(place.c + 162.0, place.f, "EPSG:5186", crs)
        steps = ((float(east) - float(west)) / 81, (float(north) - float(south)) / 81)
        values = np.where(np.arange(81) < 40, 20.0, 30.0) * np.ones((81, 1))
        profile = {"width": 81, "height": 81, "count": 1, "dtype": "float64", "crs": crs}
        there = rasterio.Affine(steps[0], 0.0, float(west), 0.0, -steps[1], float(north))
        with rasterio.open(warped, "w", driver="GTiff", transform=there, **profile) as target:
            target.write(values, 1)
    edges = []
    for repairs in ((), ("shift:30,0",)):
        grid = import_files([warped], frame=project.frame, options=ImportOptions(repairs=repairs)).layers[0].geometry
        row = grid.values[grid.values.shape[0] // 2]
        edges.append(grid.x[np.flatnonzero(row > 25.0)[0]])
    assert edges[1] - edges[0] == pytest.approx(30.0, abs=grid.cell)


def test_doubts_and_repairs_are_the_same_after_opening_again(tmp_path: Path, project: Imported) -> None:
    document = Document()
    document.scene.set_frame(project.frame)
    for layer in project.layers:
        document.scene.add(layer)
    wrong = write_wrong(tmp_path / "belt.city.json", "EPSG:5186", to("EPSG:5181"), lambda p: p + (0, 0, 24.5))
    high = write_wrong(tmp_path / "high.city.json", "EPSG:5186", raised)
    fix = ImportOptions(repairs=("crs:EPSG:5181", "height-offset:-24.5"))
    for path, options in ((wrong, fix), (high, ImportOptions())):
        for layer in import_files([path], frame=project.frame, layers=tuple(document.scene), options=options).layers:
            document.scene.add(layer)
    save(document, tmp_path / "city.twin")
    again, _ = open_document(tmp_path / "city.twin")
    for layer in document.scene:
        other = again.scene[layer.id]
        assert [issue.as_dict() for issue in other.issues] == [issue.as_dict() for issue in layer.issues]
        if layer.kind == "mesh":
            np.testing.assert_array_equal(other.geometry.vertices, layer.geometry.vertices)
    doubtful = again.scene[next(layer.id for layer in again.scene if "high" in layer.id)]
    assert [issue.code for issue in doubtful.issues if issue.severity == "doubt"] == ["doctor.ellipsoid_height"]
    write_wrong(high, "EPSG:5186")
    changed, _ = open_document(tmp_path / "city.twin")  # another file by the same name is asked anew
    assert not [i for layer in changed.scene for i in layer.issues if i.code == "doctor.ellipsoid_height"]


# ---- the command line -----------------------------------------------------------------------------------------------


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = run_command_line(["--lang", "en", *map(str, arguments)])
    out = capsys.readouterr()
    return code, out.out, out.err


def test_info_offers_what_import_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    city, tif = tmp_path / "city.twin", write_terrain_tif(tmp_path / "t.tif")
    assert told(capsys, "import", city, tif, write_city_json(tmp_path / "b.city.json"))[0] == 0
    wrong = write_wrong(tmp_path / "belt.city.json", "EPSG:5186", to("EPSG:5181"))
    code, out, _ = told(capsys, "info", wrong, "--project", city, "--json")
    said = json.loads(out)
    assert code == 0
    assert said["issues"][-1]["code"] == "doctor.belt_origin"
    name = said["repairs"][0]["repair"]
    assert said["repairs"][0]["lat"] == pytest.approx(36.517, abs=0.01)
    code, out, _ = told(capsys, "import", city, wrong, "--repair", name, "--json")
    assert code == 0
    assert any(issue["code"] == "doctor.repaired" for issue in json.loads(out)["issues"])
    assert "--repair crs:EPSG:5181" in told(capsys, "info", wrong, "--project", city)[1]


@pytest.mark.parametrize(
    ("said", "changes", "advice"),
    [
        ("EPSG:5186", (to("EPSG:4326"),), "--repair degrees"),
        ("EPSG:4326", (), "--repair crs:EPSG:5186"),
        (None, (), "--repair crs:EPSG:5186"),
        ("EPSG:4326", (to("EPSG:4326"), exchanged), "--repair swap-axes"),
    ],
)
def test_an_error_names_the_repair_in_both_languages(
    said: str | None, changes: tuple[Change, ...], advice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = write_wrong(tmp_path / "x.city.json", said, *changes)
    code, _, err = told(capsys, "import", tmp_path / "new.twin", wrong)
    assert code == 2
    assert advice in err
    with pytest.raises(UserError) as caught:
        import_files([wrong], frame=None)
    language.set("ko")
    assert advice in error_texts(caught.value)[2]
    name = advice.split()[-1]
    assert told(capsys, "import", tmp_path / "new.twin", wrong, "--repair", name)[0] == 0


def test_a_repair_nobody_knows_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    city = write_city_json(tmp_path / "b.city.json")
    code, _, err = told(capsys, "import", tmp_path / "new.twin", city, "--repair", "magic")
    assert code == 2
    assert "magic" in err
    assert "swap-axes" in err
    assert not (tmp_path / "new.twin").exists()


def test_every_finding_has_korean_words_with_the_same_figures() -> None:
    language.set("ko")
    for code, message in MESSAGES.items():
        fields = {
            "crs",
            "here",
            "there",
            "to",
            "east",
            "north",
            "share",
            "metres",
            "height",
            "reach",
            "count",
            "remedy",
        }
        text = issue_text(Issue(code, message, values=dict.fromkeys(fields, "1")))
        assert text != message
        assert "{" not in text


# ---- no false alarms ------------------------------------------------------------------------------------------------

REAL = {
    "city/DenHaag_01.city.json": [],
    "city/delft_3dfier.city.json": [],
    "city/3-20-DELFSHAVEN.city.json": [],
    "city/mamre_lod1.city.json": [],
    "city/plateau_komatsu_54363371_bldg_6697.gml": [],
    "city/Opera-Lyon_CityGML3_LOD2.gml": [],
    "city/kr_footprint-with-height.geojson": [],
    "city/kr_topomap_36914093/N3A_B0010000.shp": [],
    "city/kr_topomap_36914093/N3L_A0020000.shp": [],
    "terrain/bangkok_dem_1arcsec.tif": [],
    "terrain/bangkok_satellite_10m.tif": [],
    "terrain/Goteborg_SWEREF99_1200.zip": [],
    "utilities/ky4_junctions.geojson": [],
    "utilities/plateau_nagaoka/08EE753_unf_10169_sewer.gml": [],
    # UTM zone 32 south with northings of 15 million: beyond its area on paper, yet where it says (10,000 km added).
    "solar/cea_zurich/zone.shp": [],
    "solar/cea_zurich/terrain.tif": [],
    "ifc/Duplex_A_20110907_georeferenced.ifc": [],
    # True findings: no system named (Dutch data), and a GeoJSON of metres that by its standard means degrees.
    "terrain/ahn3_cropped_1.laz": ["doctor.missing_crs_none"],
    "solar/solweig_gustav_adolfs/poi.geojson": ["doctor.metres_as_degrees"],
}


@pytest.mark.data
@pytest.mark.parametrize("name", REAL)
def test_real_files_raise_no_false_alarm(name: str, shared_data: Path) -> None:
    info = examine(shared_data / name)
    assert [finding.code for finding in examine_place(info, info.crs, None)] == REAL[name]


@pytest.mark.data
def test_real_buildings_on_the_old_datum_are_recognised(tmp_path: Path, shared_data: Path) -> None:
    """2536 buildings of Pohang; every second one comes as another survey, on the Bessel datum, read as GRS 80."""
    import pyogrio
    import shapely

    source = shared_data / "city/kr_topomap_36914093/N3A_B0010000.shp"
    there = import_files([source], frame=None)
    _, _, shapes, _ = pyogrio.raw.read(source)
    random = np.random.default_rng(1)

    def bessel(points: np.ndarray) -> np.ndarray:
        moved = points + random.normal(0.0, 0.3, 2)
        return np.column_stack(coordinates.transform(moved[:, 0], moved[:, 1], "EPSG:5187", "EPSG:5176"))

    kept = [shapely.transform(shape, bessel) for shape in shapely.from_wkb(shapes)[::2]]
    wrong = tmp_path / "houses.gpkg"
    geometry = np.array(shapely.to_wkb(kept), dtype=object)
    pyogrio.raw.write(
        wrong, geometry=geometry, field_data=[np.arange(len(kept))], fields=["id"], geometry_type="Unknown",
        crs="EPSG:5183", driver="GPKG",
    )  # fmt: skip
    options = ImportOptions(kind="building")
    _, found = diagnose(wrong, frame=there.frame, layers=there.layers, options=options)
    assert (found[0].code, found[0].repair and found[0].repair.name) == ("doctor.shifted_datum", "crs:EPSG:5176")
    fixed = ImportOptions(kind="building", repairs=("crs:EPSG:5176",))
    repaired = import_files([wrong], frame=there.frame, layers=there.layers, options=fixed)
    assert not any(issue.code.startswith("doctor.shifted") for issue in repaired.issues)
    gap = np.median(corners(repaired)[:2000, None, :2] - corners(there)[None, :1, :2], axis=0)
    assert np.isfinite(gap).all()
    nearest = np.array([np.linalg.norm(corners(there)[:, :2] - p, axis=1).min() for p in corners(repaired)[:400:4, :2]])
    assert float(np.median(nearest)) < 1.0


# ---- the import report -------------------------------------------------------------------------


def broken_city(path: Path) -> Path:
    """One good building and one without a roof."""
    write_city_json(path)
    data = json.loads(path.read_text(encoding="utf-8"))
    data["CityObjects"]["b1"]["geometry"][0]["boundaries"][0].pop(1)
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_the_report_names_each_object_and_its_fault(tmp_path: Path) -> None:
    imported = import_files([broken_city(tmp_path / "b.city.json")], frame=None)
    described: dict[str, Any] = import_report(imported.layers)["layers"][0]
    assert (described["validity"]["elements"], described["validity"]["valid"]) == (2, 1)
    faults = {
        fault["code"]: (fault["val3dity"], fault["count"], fault["objects"])
        for fault in described["validity"]["faults"]
    }
    assert faults == {"open_edge": (302, 4, 1)}
    assert [item["id"] for item in described["objects"]] == ["b1"]


def test_the_report_is_written_as_page_and_as_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    city = broken_city(tmp_path / "b<script>.city.json")
    for name in ("r.html", "r.json"):
        assert told(capsys, "import", tmp_path / f"{name}.twin", city, "--report", tmp_path / name)[0] == 0
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["layers"][0]["objects"][0]["id"] == "b1"
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "302" in page
    assert "b1" in page
    assert "<script" not in page
    with pytest.raises(UserError) as caught:
        write_import_report((), tmp_path / "r.docx")
    assert caught.value.code == "import_report.suffix"


@pytest.mark.data
def test_validity_of_real_city_models(shared_data: Path) -> None:
    """Mamre is made of valid solids throughout; Rotterdam's open ones are those whose own polygons leave edges open."""
    mamre = import_report(import_files([shared_data / "city/mamre_lod1.city.json"], frame=None).layers)
    buildings = next(layer for layer in mamre["layers"] if layer["theme"] == "building")
    assert (buildings["validity"]["valid"], buildings["validity"]["elements"]) == (2344, 2344)
    rotterdam = import_report(import_files([shared_data / "city/3-20-DELFSHAVEN.city.json"], frame=None).layers)
    faults = {fault["code"]: fault["objects"] for fault in rotterdam["layers"][0]["validity"]["faults"]}
    assert faults["open_edge"] == open_objects(shared_data / "city/3-20-DELFSHAVEN.city.json") == 807


def open_objects(path: Path) -> int:
    """Objects with an edge that only one polygon of the file has, counted from its text."""
    data = json.loads(path.read_text(encoding="utf-8"))
    count = 0
    for item in data["CityObjects"].values():
        edges: dict[frozenset[tuple[int, ...]], int] = {}
        for ring in (ring for surface in item["geometry"][0]["boundaries"] for ring in surface):
            for a, b in zip(ring, [*ring[1:], ring[0]], strict=True):
                edge = frozenset((tuple(data["vertices"][a]), tuple(data["vertices"][b])))
                edges[edge] = edges.get(edge, 0) + (len(edge) == 2)
        count += 1 in edges.values()
    return count


# ---- the window --------------------------------------------------------------------------------


def test_the_window_repairs_with_one_click(tmp_path: Path, project: Imported, screen: None, qtbot: Any) -> None:
    from app.import_dialog import ImportDialog, examine_all
    from app.theme import theme_named
    from geo.model import Feedback

    files = [
        write_wrong(tmp_path / "belt.city.json", "EPSG:5186", to("EPSG:5181")),
        write_wrong(tmp_path / "degrees.city.json", "EPSG:5186", to("EPSG:4326")),
        write_wrong(tmp_path / "high.city.json", "EPSG:5186", raised),
        write_wrong(tmp_path / "none.city.json", None),
    ]
    examined = examine_all(files, project.frame, Feedback(), project.layers)
    dialog = ImportDialog(
        examined, frame=project.frame, project=(228_900, 435_400, 229_100, 435_600), theme=theme_named("light")
    )
    qtbot.addWidget(dialog)
    assert [page.is_ready for page in dialog.pages] == [True, False, True, False]
    assert [page.repairs for page in dialog.pages] == [(), (), (), ()]  # nothing is chosen for the user
    assert not dialog.import_button.isEnabled()
    for page, name in zip(
        dialog.pages, ("crs:EPSG:5181", "degrees", "height-offset:-24.5", "crs:EPSG:5186"), strict=True
    ):
        page.doctor[0].buttons[name].click()
        assert page.repairs == (name,)
    assert dialog.import_button.isEnabled()
    assert dialog.pages[0].sketch._before is not None
    for request in dialog.requests:
        repaired = import_files([request.path], frame=project.frame, layers=project.layers, options=request.options)
        assert farthest(corners(repaired), corners(project)) < CENTIMETRE
    dialog.pages[0].doctor[0].buttons[""].click()
    assert dialog.pages[0].repairs == ()
    page = dialog.pages[3]
    page.crs_box.setEditText("5187")  # the user's word replaces the repair
    assert page.repairs == ()
    assert page.request().options.crs == "EPSG:5187"


def test_the_window_saves_the_import_report(tmp_path: Path, project: Imported, screen: None, qtbot: Any) -> None:
    from app.notices import Notices
    from app.settings import Settings
    from app.workbench import Workbench

    document = Document()
    document.scene.set_frame(project.frame)
    for layer in project.layers:
        document.scene.add(layer)
    bench = Workbench(document, Settings(), notices=Notices())
    bench.write_import_report(tmp_path / "report.html")
    qtbot.waitUntil(lambda: (tmp_path / "report.html").exists() and not bench.jobs.busy, timeout=20_000)
    assert "true.city.json" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert bench.close()
