"""The sample district: the files are right by independent readers, and the same seed gives the same district."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import shapely

from app.sample import SampleFiles, is_complete, make_sample
from app.sample.solids import Pitched, Stack, Strip, height, rectangle, surfaces
from geo.crs import canonical, vertical_name
from geo.model import Cancelled, Feedback, UserError

SITE_AREA = 2_741_000.0


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleFiles:
    start, cpu = time.perf_counter(), time.process_time()
    files = make_sample(tmp_path_factory.mktemp("district") / "sample")
    used = time.process_time() - cpu
    print(f"\nsample district made in {time.perf_counter() - start:.1f} s ({used:.1f} s of one core)")
    assert used < 60.0
    return files


@pytest.fixture(scope="session")
def city(sample: SampleFiles) -> dict:
    return json.loads((sample.folder / "buildings.city.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def vertices(city: dict) -> np.ndarray:
    move = city["transform"]
    return np.array(city["vertices"]) * move["scale"] + move["translate"]


def shell(building: dict) -> list[list[list[int]]]:
    return building["geometry"][0]["boundaries"][0]


def faces_of(building: dict, kind: str) -> Iterator[list[list[int]]]:
    meaning = building["geometry"][0]["semantics"]
    for face, number in zip(shell(building), meaning["values"][0], strict=True):
        if meaning["surfaces"][number]["type"] == kind:
            yield face


@pytest.fixture(scope="session")
def footprints(city: dict, vertices: np.ndarray) -> list[shapely.Polygon]:
    found = []
    for building in city["CityObjects"].values():
        (ground,) = faces_of(building, "GroundSurface")
        rings = [vertices[ring][:, :2] for ring in ground]
        found.append(shapely.Polygon(rings[0], rings[1:]))
    return found


def layer(path: Path, name: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    import pyogrio

    meta, _, shapes, columns = pyogrio.raw.read(path, layer=name)
    assert meta["crs"] == "EPSG:5186"
    return shapely.from_wkb(shapes), dict(zip(meta["fields"], columns, strict=True))


@pytest.fixture(scope="session")
def boundary(sample: SampleFiles) -> shapely.Polygon:
    return layer(sample.boundary, "boundary")[0][0]


# Counts and areas


def test_site_has_the_planned_area_and_place(boundary: shapely.Polygon) -> None:
    assert boundary.area == pytest.approx(SITE_AREA, rel=0.01)
    assert boundary.contains(shapely.Point(229_110, 435_795))


def test_buildings_and_dwellings(city: dict) -> None:
    rows = [building["attributes"] for building in city["CityObjects"].values()]
    assert len(rows) >= 1_200
    assert 9_000 <= sum(row["dwellings"] for row in rows) <= 9_730
    names = " ".join(row["name"] for row in rows)
    for word in ("초등학교 본관", "중학교 본관", "고등학교 본관"):
        assert names.count(word) == 2
    for word in ("종합병원", "시립도서관", "컨벤션센터", "데이터센터", "수직농장", "유치원", "합호서원 강당", "음악당"):
        assert word in names
    assert len({row["name"] for row in rows}) == len(rows)


def test_every_building_has_a_parcel(sample: SampleFiles, city: dict, footprints: list[shapely.Polygon]) -> None:
    shapes, columns = layer(sample.folder / "parcels.gpkg", "parcels")
    parcels = dict(zip(columns["id"], shapes, strict=True))
    assert len(parcels) == len(shapes)
    assert np.allclose(columns["area"], shapely.area(shapes), atol=0.1)
    for building, footprint in zip(city["CityObjects"].values(), footprints, strict=True):
        assert parcels[building["attributes"]["parcel"]].buffer(0.01).contains(footprint)


def test_parcels_do_not_overlap(sample: SampleFiles) -> None:
    shapes, _ = layer(sample.folder / "parcels.gpkg", "parcels")
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))[first < second]
    assert shared.max(initial=0.0) < 0.5


# Buildings


def test_buildings_do_not_overlap(footprints: list[shapely.Polygon]) -> None:
    assert all(shape.is_valid for shape in footprints)
    first, second = shapely.STRtree(footprints).query(footprints, predicate="intersects")
    assert not (first < second).any()


def test_solids_are_closed_and_face_outward(city: dict, vertices: np.ndarray) -> None:
    for key, building in city["CityObjects"].items():
        edges: Counter[tuple[int, int]] = Counter()
        volume, origin = 0.0, vertices[shell(building)[0][0][0]]
        for ring in itertools.chain.from_iterable(shell(building)):
            edges.update(zip(ring, [*ring[1:], ring[0]], strict=True))
            points = vertices[ring] - origin
            volume += np.cross(points[1:-1], points[2:]).sum(axis=0) @ points[0] / 6
        assert all(count == 1 and edges[b, a] == 1 for (a, b), count in edges.items()), key
        assert volume > 0, key


def test_faces_are_flat(city: dict, vertices: np.ndarray) -> None:
    for key, building in city["CityObjects"].items():
        for face in shell(building):
            points = vertices[face[0]] - vertices[face[0][0]]
            normal = np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0)
            assert np.abs(points @ normal).max() / np.linalg.norm(normal) < 0.01, key


def test_height_is_that_of_the_geometry(city: dict, vertices: np.ndarray) -> None:
    for building in city["CityObjects"].values():
        z = vertices[list(itertools.chain.from_iterable(itertools.chain.from_iterable(shell(building))))][:, 2]
        assert np.ptp(z) == pytest.approx(building["attributes"]["height"], abs=0.011)
        assert z.min() == pytest.approx(building["attributes"]["ground_height"], abs=0.002)


def test_a_storey_has_a_plausible_height(city: dict) -> None:
    for building in city["CityObjects"].values():
        row = building["attributes"]
        if "아파트" in row["use"]:
            assert 2.8 <= row["height"] / row["storeys_above"] <= 4.2, row["name"]
            assert 5 <= row["storeys_above"] <= 25


@pytest.fixture(scope="session")
def ground(sample: SampleFiles):  # noqa: ANN201 - a function of map coordinates
    import rasterio
    from scipy.ndimage import map_coordinates

    with rasterio.open(sample.folder / "terrain.tif") as file:
        values, bounds = file.read(1), file.bounds

    def height_at(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        cols, rows = (np.asarray(x) - bounds.left) / 2.0, (bounds.top - np.asarray(y)) / 2.0
        return map_coordinates(values, [rows - 0.5, cols - 0.5], order=1)

    return height_at


def test_buildings_stand_on_level_ground(city: dict, footprints: list[shapely.Polygon], ground) -> None:  # noqa: ANN001
    for building, footprint in zip(city["CityObjects"].values(), footprints, strict=True):
        outline = np.array(footprint.exterior.segmentize(2.0).coords)
        heights = ground(outline[:, 0], outline[:, 1])
        base = building["attributes"]["ground_height"]
        assert base <= heights.min(), building["attributes"]["name"]
        assert heights.max() - base < 1.5, building["attributes"]["name"]


# Terrain, streets, trees


def test_terrain(sample: SampleFiles) -> None:
    import rasterio

    with rasterio.open(sample.folder / "terrain.tif") as file:
        values = file.read(1)
        assert canonical(file.crs.to_wkt()) == "EPSG:5186"
        assert vertical_name(file.crs.to_wkt()) == "KVD1964 height"
        assert file.res == (2.0, 2.0)
        assert file.tags()["VERTICAL_DATUM"] == "KVD1964"
        assert file.dtypes == ("float32",)
    assert np.isfinite(values).all()
    assert 13.0 < values.min() < 15.0
    assert 70.0 < values.max() < 105.0
    steps = np.hypot(*np.gradient(values, 2.0))
    assert np.percentile(steps, 50) < 0.06
    assert np.percentile(steps, 99.9) < 0.8


def test_nothing_stands_on_a_street(sample: SampleFiles, footprints: list[shapely.Polygon]) -> None:
    lines, columns = layer(sample.folder / "roads.gpkg", "centrelines")
    streets = shapely.buffer(lines, columns["width"] / 2 - 0.05)
    assert len(shapely.STRtree(footprints).query(streets, predicate="intersects")[0]) == 0
    assert {"ring", "brt", "collector", "local", "lane"} <= set(columns["class"])
    assert lines[columns["class"] == "ring"][0].length > 4_000


def test_trees_stand_free(sample: SampleFiles, footprints: list[shapely.Polygon], ground) -> None:  # noqa: ANN001
    points, columns = layer(sample.folder / "trees.gpkg", "trees")
    assert 5_000 <= len(points) <= 12_000
    assert len(shapely.STRtree(footprints).query(points, predicate="intersects")[0]) == 0
    lines, roads = layer(sample.folder / "roads.gpkg", "centrelines")
    carriageways = shapely.buffer(lines, roads["carriageway"] / 2)
    assert len(shapely.STRtree(carriageways).query(points, predicate="intersects")[0]) == 0
    at = ground(shapely.get_x(points), shapely.get_y(points))
    assert np.allclose(at, columns["ground_height"], atol=0.02)
    assert (columns["crown_diameter"] < columns["height"] * 1.3).all()


def test_orthophoto(sample: SampleFiles) -> None:
    import rasterio

    path = sample.folder / "orthophoto.tif"
    assert path.stat().st_size < 15e6
    with rasterio.open(path) as file, rasterio.open(sample.folder / "terrain.tif") as terrain:
        assert file.crs.to_epsg() == 5186
        assert file.res == (1.0, 1.0)
        assert file.bounds == terrain.bounds
        assert file.overviews(1)
        pixels = file.read(out_shape=(3, 220, 240))
    assert 90 < pixels.mean() < 190
    assert pixels.std() > 10


# The detailed building


def test_house_lies_on_its_lot(
    sample: SampleFiles,
    boundary: shapely.Polygon,
    footprints: list[shapely.Polygon],
    ground,  # noqa: ANN001
) -> None:
    import ifcopenshell
    import ifcopenshell.util.geolocation as geolocation

    model = ifcopenshell.open(sample.folder / "house.ifc")
    assert model.schema == "IFC4"
    assert model.by_type("IfcProjectedCRS")[0].Name == "EPSG:5186"
    corners = [geolocation.auto_xyz2enh(model, x, y, 0.0) for x, y in ((0, 0), (30, 0), (30, 18), (0, 18))]
    house = shapely.Polygon([corner[:2] for corner in corners])
    assert house.area == pytest.approx(540.0, rel=1e-6)
    assert boundary.contains(house)
    assert min(house.distance(other) for other in footprints) > 5.0
    level = ground(np.array([house.centroid.x]), np.array([house.centroid.y]))[0]
    assert corners[0][2] == pytest.approx(level + 0.15, abs=0.02)


def test_house_is_a_complete_model(sample: SampleFiles) -> None:
    import ifcopenshell
    import ifcopenshell.util.element as element
    import ifcopenshell.validate

    model = ifcopenshell.open(sample.folder / "house.ifc")
    log = ifcopenshell.validate.json_logger()
    ifcopenshell.validate.validate(model, log)
    assert log.statements == []
    assert [s.Name for s in model.by_type("IfcBuildingStorey")] == ["B1", "1F", "2F", "3F", "RF"]
    assert 300 <= len(model.by_type("IfcElement")) <= 700
    guids = [root.GlobalId for root in model.by_type("IfcRoot")]
    assert len(set(guids)) == len(guids)
    for window in model.by_type("IfcWindow"):
        assert window.FillsVoids
        assert element.get_type(window) is not None
    wall = model.by_type("IfcWall")[0]
    assert {"FireRating", "LoadBearing", "ThermalTransmittance"} <= set(element.get_psets(wall)["Pset_WallCommon"])
    assert {space.LongName for space in model.by_type("IfcSpace")} >= {
        "로비",
        "북카페",
        "종합자료실",
        "다목적강당",
        "기계실",
    }
    assert all(element.get_container(column) for column in model.by_type("IfcColumn"))


def test_nothing_runs_through_anything_else_in_the_house(sample: SampleFiles) -> None:
    import ifcopenshell
    import ifcopenshell.geom
    import trimesh

    manifold3d = pytest.importorskip("manifold3d")

    model = ifcopenshell.open(sample.folder / "house.ifc")
    settings = ifcopenshell.geom.settings()
    settings.set("use-world-coords", True)
    kinds = ("IfcWall", "IfcColumn", "IfcBeam", "IfcSlab", "IfcStairFlight", "IfcTransportElement", "IfcFurniture")
    wanted = [product for kind in kinds for product in model.by_type(kind)]
    bodies = []
    for found in ifcopenshell.geom.iterator(settings, model, 1, include=wanted):
        points = np.array(found.geometry.verts).reshape(-1, 3)
        mesh = trimesh.Trimesh(points, np.array(found.geometry.faces).reshape(-1, 3))
        solid = manifold3d.Manifold(manifold3d.Mesh(mesh.vertices.astype(np.float32), mesh.faces.astype(np.uint32)))
        bodies.append((model.by_id(found.id).Name, points.min(axis=0), points.max(axis=0), solid))
    assert len(bodies) == len(wanted)
    for (name, low, high, solid), (other, low2, high2, solid2) in itertools.combinations(bodies, 2):
        if (low < high2 - 0.01).all() and (low2 < high - 0.01).all():
            assert (solid ^ solid2).volume() < 0.002, (name, other)


# What it says of itself, and how it is made


def test_it_says_that_it_is_synthetic(sample: SampleFiles, city: dict) -> None:
    import ifcopenshell
    import pyogrio
    import rasterio

    said = [(sample.folder / "README.txt").read_text(encoding="utf-8"), city["metadata"]["title"]]
    for name in ("terrain.tif", "orthophoto.tif"):
        with rasterio.open(sample.folder / name) as file:
            said.append(file.tags()["TIFFTAG_IMAGEDESCRIPTION"])
    for path in [p for p in sample.paths if p.suffix == ".gpkg"] + [sample.boundary]:
        for name, _ in pyogrio.list_layers(path):
            said.append(pyogrio.read_info(path, layer=name)["layer_metadata"]["DESCRIPTION"])
    said.append(ifcopenshell.open(sample.folder / "house.ifc").by_type("IfcProject")[0].Description)
    for text in said:
        assert "합성" in text
        assert "synthetic" in text.lower()


def test_the_same_seed_gives_the_same_files(sample: SampleFiles, tmp_path: Path) -> None:
    from app.sample import buildings, house, roads, terrain, trees
    from app.sample.district import plan_district

    feedback = Feedback()
    plan = plan_district(sample.seed, feedback)
    ground = terrain.build(plan, sample.seed, feedback)
    buildings.write(buildings.city_json(plan, ground, feedback), tmp_path / "buildings.city.json")
    house.write(plan, ground, tmp_path / "house.ifc", seed=sample.seed, feedback=feedback)
    roads.write_parcels(plan, tmp_path / "parcels.gpkg")
    trees.write(trees.plant(plan, ground, sample.seed, feedback), tmp_path / "trees.gpkg")
    terrain.write(ground, tmp_path / "terrain.tif")
    for made in tmp_path.iterdir():
        assert made.read_bytes() == (sample.folder / made.name).read_bytes(), made.name


def test_a_complete_sample_is_used_again(sample: SampleFiles) -> None:
    before = {path: path.stat().st_mtime_ns for path in sample.paths}
    start = time.perf_counter()
    again = make_sample(sample.folder)
    assert again == sample
    assert {path: path.stat().st_mtime_ns for path in again.paths} == before
    assert time.perf_counter() - start < 2.0
    assert not is_complete(sample.folder, seed=sample.seed + 1)


def test_a_damaged_sample_is_not_taken_for_complete(sample: SampleFiles, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(sample.folder, copy)
    assert is_complete(copy)
    (copy / "terrain.tif").write_bytes(b"II*\0")
    assert not is_complete(copy)
    (copy / "sample.json").write_text("[1, 2]", encoding="utf-8")
    assert not is_complete(copy)


def test_stopping_leaves_nothing(tmp_path: Path) -> None:
    asked = itertools.count()
    with pytest.raises(Cancelled):
        make_sample(tmp_path / "sample", feedback=Feedback(is_cancelled=lambda: next(asked) > 20))
    assert list(tmp_path.iterdir()) == []


def test_other_peoples_files_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        make_sample(tmp_path)
    assert caught.value.code == "sample.foreign"
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "mine"


def test_a_place_that_cannot_be_written_is_said_calmly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        make_sample(tmp_path / "file" / "sample")
    assert caught.value.code == "sample.not_written"


def test_the_normal_readers_take_it(sample: SampleFiles, city: dict) -> None:
    from app.importer import import_files

    imported = import_files(sample.paths, frame=None)
    assert imported.frame.crs == "EPSG:5186"
    themes = {found.theme: found for found in imported.layers}
    assert {"terrain", "orthophoto", "building", "road", "parcel", "water", "tree", "bim", "space"} <= set(themes)
    assert len(themes["building"].table) == len(city["CityObjects"])
    assert len(sample.replaced) == 3
    assert set(sample.replaced) <= set(themes["building"].table.ids)
    assert not [issue for issue in imported.issues if issue.severity != "note"]


# Shapes


@pytest.mark.parametrize(
    ("form", "volume"),
    [
        (Pitched(rectangle(3, 4, 12, 8, 25), 6.0, 9.0, "gable"), 12 * 8 * 6 + 12 * 8 * 3 / 2),
        # A hip of equal slopes: the prism of the ridge's length and a pyramid of the rest.
        (Pitched(rectangle(0, 0, 12, 8, 25), 6.0, 9.0, "hip"), 12 * 8 * 6 + 4 * 8 * 3 / 2 + 8 * 8 * 3 / 3),
        (Pitched(rectangle(0, 0, 12, 8, -70), 6.0, 9.0, "shed"), 12 * 8 * 7.5),
        (Pitched(rectangle(0, 0, 24, 8, 10), 4.0, 6.0, "multi", 3), 24 * 8 * 5),
        (Stack(shapely.box(0, 0, 20, 10), 9.0, (Stack(shapely.box(2, 2, 8, 8), 12.0),)), 20 * 10 * 9 + 36 * 3),
        (
            Stack(shapely.box(0, 0, 20, 20).difference(shapely.box(8, 8, 12, 12)), 9.0, parapet=1.0),
            384 * 9 + (400 - 19.5**2) + (4.5**2 - 16),
        ),
        (
            Strip(
                np.array([[0, 0], [20, 0], [40, 0]]), np.array([[0, 12], [20, 12], [40, 12]]), (30.0, 36.0),
                (None, shapely.box(25, 4, 30, 8)), 4.0,
            ),
            20 * 12 * 66 + 5 * 4 * 4,
        ),
    ],
)  # fmt: skip
def test_shapes_enclose_their_volume(form: Pitched | Stack | Strip, volume: float) -> None:
    total, top = 0.0, 0.0
    for _, rings in surfaces(form, 20.0):
        for ring in rings:
            points = ring - [0, 0, 20.0]
            total += np.cross(points[1:-1], points[2:]).sum(axis=0) @ points[0] / 6
            top = max(top, points[:, 2].max())
    assert total == pytest.approx(volume, rel=1e-9)
    assert top == pytest.approx(height(form))


# Cameras


def test_cameras_are_models_of_the_catalogue_above_the_ground(sample: SampleFiles) -> None:
    from analysis.cctv.cameras import cameras_of
    from analysis.cctv.catalogue import catalogue
    from app.importer import import_files

    found = import_files([sample.folder / "terrain.tif", sample.folder / "cctv.gpkg"], frame=None).layers
    ground = next(one.geometry for one in found if one.theme == "terrain")
    (placed,) = (one for one in found if one.theme == "camera")
    cameras, issues = cameras_of(placed, catalogue())
    assert not issues
    assert len(cameras) == len(placed.table) >= 24
    assert {camera.model.kind for camera in cameras} == {"fixed", "dome", "ptz", "multi", "fisheye"}
    assert {camera.mount for camera in cameras} == {"pole", "ceiling"}
    place = np.array([camera.position for camera in cameras])
    above = place[:, 2] - ground.sample(place[:, 0], place[:, 1])
    poles = np.array([camera.mount == "pole" for camera in cameras])
    assert above[poles].min() > 2.5
    assert above[poles].max() < 8.0
    assert above.min() < 0.0  # one hangs in a basement
