"""Point clouds: a real one against counts from its README and a city model made from it; thinning; damaged files."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from geo import crs
from geo.formats import pointcloud as reader
from geo.formats.cityjson import FORMAT as CITYJSON
from geo.formats.contract import MapBox, ReadOptions
from geo.formats.pointcloud import FORMAT, PointCloudOptions
from geo.model import Cancelled, Feedback, Grid, Layer, Mesh, MissingCrs, Points, UserError
from geo.pointcloud import building_heights, cell_values, ground_grid
from tests.geo.copc import write_copc
from tests.geo.damage import damaged_bytes, survives_damage
from tests.tiny import tiny_frame

DUTCH = crs.make_frame("EPSG:28992", 84_800.0, 447_400.0)
CLASS_COUNTS = {1: 196_137, 2: 195_988, 6: 246_753, 9: 267, 26: 1_365}  # as published with the file


def read(path: Path, frame: Any = None, **options: Any) -> list[Layer]:
    return FORMAT.read(path, frame or tiny_frame(), ReadOptions(**options), Feedback())


def cloud(path: Path, count: int = 2_000, *, seed: int = 0, version: str = "1.2", **more: Any) -> np.ndarray:
    """A LAS or LAZ file with points over 100 x 100 m; returns them in map coordinates."""
    import laspy

    header = laspy.LasHeader(point_format=more.pop("point_format", 3), version=version)
    header.scales, header.offsets = [0.001] * 3, [229_000.0, 435_500.0, 0.0]
    if "crs" in more:
        from pyproj import CRS

        header.add_crs(CRS.from_user_input(more.pop("crs")))
    las = laspy.LasData(header)
    rng = np.random.default_rng(seed)
    xyz = np.round(rng.uniform([229_000, 435_500, 10], [229_100, 435_600, 30], (count, 3)), 3)
    las.x, las.y, las.z = xyz.T
    las.classification = more.pop("classification", np.full(count, 2, np.uint8))
    for name, values in more.items():
        setattr(las, name, values)
    las.write(path)
    return xyz


@pytest.fixture(scope="module")
def delft(shared_data: Path) -> tuple[np.ndarray, np.ndarray, Grid]:
    """Points, classes and terrain of the real cloud."""
    own = PointCloudOptions(ground_cell=0.5)
    points, ground = read(shared_data / "terrain" / "ahn3_cropped_1.laz", DUTCH, crs="EPSG:7415", own=own)
    assert isinstance(points.geometry, Points)
    assert isinstance(ground.geometry, Grid)
    field = points.field_named("class")
    assert field is not None
    return points.geometry.vertices, field.values, ground.geometry


def test_a_header_without_a_system_asks(shared_data: Path) -> None:
    path = shared_data / "terrain" / "ahn3_cropped_1.laz"
    assert "crs.not_said" in {issue.code for issue in FORMAT.inspect(path).issues}
    with pytest.raises(MissingCrs):
        read(path, DUTCH)


def test_real_counts_by_class_and_extent(delft: tuple[np.ndarray, np.ndarray, Grid], shared_data: Path) -> None:
    points, classes, _ = delft
    codes, counts = np.unique(classes, return_counts=True)
    assert dict(zip(codes.tolist(), counts.tolist(), strict=True)) == CLASS_COUNTS
    on_map = DUTCH.to_map(points)
    info = FORMAT.inspect(shared_data / "terrain" / "ahn3_cropped_1.laz")
    assert info.bounds is not None
    np.testing.assert_allclose([*on_map.min(axis=0), *on_map.max(axis=0)], info.bounds, atol=1e-6)
    assert info.counts == {"points": 640_510}


def test_terrain_holds_its_own_ground_points(delft: tuple[np.ndarray, np.ndarray, Grid]) -> None:
    points, classes, grid = delft
    ground = points[classes == 2]
    away = grid.sample(ground[:, 0], ground[:, 1]) - ground[:, 2]
    assert abs(np.median(away)) < 0.01
    assert np.percentile(np.abs(away), 95) < 0.15
    assert np.nanmin(grid.values) > -1.5
    assert np.nanmax(grid.values) < 3.0


def test_heights_agree_with_the_city_model_made_from_it(
    delft: tuple[np.ndarray, np.ndarray, Grid], shared_data: Path
) -> None:
    """The 3dfier model of the same streets took a low percentile of the points of each footprint as its roof."""
    layers = CITYJSON.read(shared_data / "city" / "delft_3dfier.city.json", DUTCH, ReadOptions(), Feedback())
    model = next(layer for layer in layers if layer.theme == "building").geometry
    assert isinstance(model, Mesh)
    count = int(model.face_element.max()) + 1
    footprints, roof, floor = np.empty(count, object), np.zeros(count), np.zeros(count)
    for row in range(count):
        faces = model.face_element == row
        flat = model.vertices[model.faces[faces & (model.face_normal[:, 2] > 0.9)]]
        footprints[row] = shapely.union_all(shapely.polygons(flat[:, :, :2]))
        heights = model.vertices[model.faces[faces], 2]
        roof[row], floor[row] = heights.max(), heights.min()
    found = building_heights(footprints, delft[0], delft[1], ground=delft[2], percentiles=(5.0, 50.0, 99.0))
    low, high = delft[0][:, :2].min(axis=0) + 2, delft[0][:, :2].max(axis=0) - 2
    whole = shapely.within(footprints, shapely.box(*low, *high)) & (shapely.area(footprints) > 20)
    whole &= np.isfinite(found.heights[:, 0])
    assert whole.sum() > 90
    difference = found.heights[whole, 0] + found.ground[whole] - roof[whole]
    assert abs(np.median(difference)) < 0.1
    assert np.median(np.abs(difference)) < 0.2
    assert abs(np.median(found.ground[whole] - floor[whole])) < 0.1
    assert (found.heights[whole, 2] >= found.heights[whole, 1]).all()
    assert 4 < np.median(found.heights[whole, 2]) < 15  # Dutch terraced houses


def test_system_in_the_header_and_position_to_the_millimetre(tmp_path: Path) -> None:
    xyz = cloud(tmp_path / "a.laz", version="1.4", point_format=6, crs="EPSG:5186")
    (layer,) = read(tmp_path / "a.laz")
    assert isinstance(layer.geometry, Points)
    np.testing.assert_allclose(tiny_frame().to_map(layer.geometry.vertices), xyz, atol=1e-6)
    assert FORMAT.inspect(tmp_path / "a.laz").crs == "EPSG:5186"
    assert len(layer.table) == 1


def test_other_system_and_feet(tmp_path: Path) -> None:
    """Heights of a system whose heights are in US survey feet become metres."""
    cloud(tmp_path / "a.las", count=10)
    frame = crs.make_frame("EPSG:32618", 480_000.0, 4_500_000.0)
    metres = FORMAT.read(tmp_path / "a.las", frame, ReadOptions(crs="EPSG:2272"), Feedback())[0].geometry
    feet = FORMAT.read(tmp_path / "a.las", frame, ReadOptions(crs="EPSG:2272+6360"), Feedback())[0].geometry
    assert isinstance(metres, Points)
    assert isinstance(feet, Points)
    np.testing.assert_allclose(feet.vertices[:, 2], metres.vertices[:, 2] * 1200 / 3937, rtol=1e-9)


def test_ellipsoidal_heights_are_doubted(tmp_path: Path) -> None:
    cloud(tmp_path / "a.laz", version="1.4", point_format=6, crs="EPSG:4979")
    assert "crs.ellipsoid_heights" in {issue.code for issue in FORMAT.inspect(tmp_path / "a.laz").issues}


def test_colours_of_8_and_16_bits(tmp_path: Path) -> None:
    for factor in (1, 256):
        rgb = {name: np.full(50, value * factor, np.uint16) for name, value in
               (("red", 200), ("green", 100), ("blue", 7))}  # fmt: skip
        cloud(tmp_path / "c.las", count=50, **rgb)
        (layer,) = read(tmp_path / "c.las", crs="EPSG:5186")
        colour = layer.field_named("colour")
        assert colour is not None
        assert set(colour.values.tolist()) == {0xC86407}


def test_noise_and_withheld_points_are_left_out_and_said(tmp_path: Path) -> None:
    classes = np.repeat(np.array([2, 7, 6, 5], np.uint8), 25)
    withheld = np.zeros(100, bool)
    withheld[:10] = True
    cloud(tmp_path / "n.las", count=100, classification=classes, withheld=withheld)
    (layer,) = read(tmp_path / "n.las", crs="EPSG:5186")
    field = layer.field_named("class")
    assert field is not None
    assert [field.categories[k] for k in (2, 5, 6)] == ["ground", "high vegetation", "building"]
    assert len(field.values) == 65
    assert {i.code: i.count for i in layer.issues} == {"pointcloud.noise": 25, "pointcloud.withheld": 10}
    (noise,) = read(tmp_path / "n.las", crs="EPSG:5186", own=PointCloudOptions(classes=(7,)))
    assert isinstance(noise.geometry, Points)
    assert len(noise.geometry.vertices) == 25


@pytest.mark.parametrize("limit", [1_000, 1_500, 4_999, 5_000])
def test_thinning_is_even_bounded_and_said(tmp_path: Path, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "CHUNK", 333)
    xyz = cloud(tmp_path / "t.las", count=5_000)
    (layer,) = read(tmp_path / "t.las", crs="EPSG:5186", own=PointCloudOptions(max_points=limit))
    assert isinstance(layer.geometry, Points)
    kept = len(layer.geometry.vertices)
    assert limit / 2 < kept <= limit
    step = round(5_000 / kept)
    np.testing.assert_allclose(tiny_frame().to_map(layer.geometry.vertices), xyz[::step], atol=1e-6)
    issues = {issue.code: issue for issue in layer.issues}
    assert ("pointcloud.thinned" in issues) == (kept < 5_000)
    if kept < 5_000:
        assert issues["pointcloud.thinned"].count == 5_000 - kept


def test_many_points_in_little_memory(tmp_path: Path) -> None:
    """Twelve million points of a LAS file with room for 100 000 take less than a tenth of the file."""
    import tracemalloc

    path = tmp_path / "big.las"
    cloud(path, count=1_000)
    raw = path.read_bytes()
    offset, record = struct.unpack_from("<I", raw, 96)[0], struct.unpack_from("<H", raw, 105)[0]
    head = bytearray(raw[:offset])
    count = 12_000_000
    struct.pack_into("<I", head, 107, count)
    with path.open("wb") as stream:
        stream.write(head)
        for _ in range(count // 200_000):
            stream.write(raw[offset : offset + 1_000 * record] * 200)
    options = ReadOptions(crs="EPSG:5186", own=PointCloudOptions(max_points=100_000))
    tracemalloc.start()
    try:
        (layer,) = FORMAT.read(path, tiny_frame(), options, Feedback())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(layer.geometry, Points)
    assert len(layer.geometry.vertices) == 100_000
    assert peak < 0.25 * count * record
    assert peak < 120e6


def test_box_is_exact_and_thinning_counts_inside_it(tmp_path: Path) -> None:
    xyz = cloud(tmp_path / "b.laz", count=5_000)
    box = MapBox(229_020.0, 435_510.0, 229_060.0, 435_590.0)
    (layer,) = read(tmp_path / "b.laz", crs="EPSG:5186", box=box)
    inside = (xyz[:, 0] >= box.west) & (xyz[:, 0] <= box.east) & (xyz[:, 1] >= box.south) & (xyz[:, 1] <= box.north)
    assert isinstance(layer.geometry, Points)
    np.testing.assert_allclose(tiny_frame().to_map(layer.geometry.vertices), xyz[inside], atol=1e-6)
    assert read(tmp_path / "b.laz", crs="EPSG:5186", box=MapBox(0, 0, 1, 1)) == []


def test_copc_whole_and_by_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The box opens only nodes that touch it: reading the whole file would go through the chunked reader."""
    path = tmp_path / "c.copc.laz"
    xyz = write_copc(path, low=(229_000.0, 435_500.0, 10.0), side=100.0)
    assert FORMAT.inspect(path).title == "COPC"

    def found(**options: Any) -> np.ndarray:
        (layer,) = read(path, crs="EPSG:5186", **options)
        assert isinstance(layer.geometry, Points)
        points = tiny_frame().to_map(layer.geometry.vertices)
        return points[np.lexsort(points.T)]

    np.testing.assert_allclose(found(), xyz[np.lexsort(xyz.T)], atol=1e-6)
    box = MapBox(229_005.0, 435_505.0, 229_045.0, 435_530.0)
    inside = (xyz[:, 0] >= box.west) & (xyz[:, 0] <= box.east) & (xyz[:, 1] >= box.south) & (xyz[:, 1] <= box.north)
    monkeypatch.setattr("laspy.LasReader.chunk_iterator", None)
    np.testing.assert_allclose(found(box=box), xyz[inside][np.lexsort(xyz[inside].T)], atol=1e-6)
    assert read(path, crs="EPSG:5186", box=MapBox(0, 0, 1, 1)) == []


def test_damaged_copc(tmp_path: Path) -> None:
    path = tmp_path / "d.copc.laz"
    write_copc(path, count=300, low=(229_000.0, 435_500.0, 10.0), side=100.0)
    data = path.read_bytes()
    box = MapBox(229_005.0, 435_505.0, 229_045.0, 435_530.0)
    survives_damage(
        FORMAT, path, lambda seed: damaged_bytes(data, seed), tiny_frame(), count=90,
        options=ReadOptions(crs="EPSG:5186", box=box),
    )  # fmt: skip


def test_las_cut_short_gives_what_is_there(tmp_path: Path) -> None:
    xyz = cloud(tmp_path / "s.las", count=1_000)
    data = (tmp_path / "s.las").read_bytes()
    (tmp_path / "s.las").write_bytes(data[: len(data) // 2])
    (layer,) = read(tmp_path / "s.las", crs="EPSG:5186")
    assert isinstance(layer.geometry, Points)
    kept = len(layer.geometry.vertices)
    assert 480 < kept < 500
    np.testing.assert_allclose(tiny_frame().to_map(layer.geometry.vertices), xyz[:kept], atol=1e-6)
    assert next(i for i in layer.issues if i.code == "pointcloud.cut_short").count == 1_000 - kept


def test_laz_cut_short_is_refused(tmp_path: Path) -> None:
    cloud(tmp_path / "s.laz", count=1_000)
    data = (tmp_path / "s.laz").read_bytes()
    (tmp_path / "s.laz").write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError) as caught:
        read(tmp_path / "s.laz", crs="EPSG:5186")
    assert caught.value.code == "pointcloud.damaged"


@pytest.mark.parametrize(
    ("place", "layout", "value"),
    [
        (96, "<I", 2**32 - 1),  # the points begin beyond the file
        (100, "<I", 2**32 - 1),  # four thousand million header records
        (105, "<H", 0),  # points of no bytes
        (107, "<I", 0),  # no points
        (131, "<d", float("nan")),  # scale
        (131, "<d", 0.0),
        (155, "<d", float("inf")),  # offset
        (94, "<H", 3),  # header of three bytes
    ],
)
def test_lying_headers_are_refused(tmp_path: Path, place: int, layout: str, value: float) -> None:
    cloud(tmp_path / "h.las", count=100)
    data = bytearray((tmp_path / "h.las").read_bytes())
    struct.pack_into(layout, data, place, value)
    (tmp_path / "h.las").write_bytes(data)
    with pytest.raises(UserError):
        read(tmp_path / "h.las", crs="EPSG:5186")


def test_a_chunk_table_of_thousand_millions_is_refused(tmp_path: Path) -> None:
    cloud(tmp_path / "c.laz", count=100)
    data = bytearray((tmp_path / "c.laz").read_bytes())
    table = struct.unpack_from("<q", data, struct.unpack_from("<I", data, 96)[0])[0]
    struct.pack_into("<I", data, table + 4, 2**31)
    (tmp_path / "c.laz").write_bytes(data)
    with pytest.raises(UserError) as caught:
        read(tmp_path / "c.laz", crs="EPSG:5186")
    assert caught.value.code == "pointcloud.damaged"


@pytest.mark.parametrize(
    ("name", "options"), [("m.las", {}), ("m.laz", {}), ("n.laz", {"version": "1.4", "point_format": 7})]
)
def test_damaged_files(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    cloud(tmp_path / name, count=300, **options)
    data = (tmp_path / name).read_bytes()
    found = survives_damage(
        FORMAT, tmp_path / name, lambda seed: damaged_bytes(data, seed), tiny_frame(), count=90,
        options=ReadOptions(crs="EPSG:5186"),
    )  # fmt: skip
    assert found["refused"] > 5


@pytest.mark.parametrize("data", [b"LASF", b"LASF" + b"\0" * 400, b"LASF" + b"\xff" * 400])
def test_heads_without_a_body_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.las").write_bytes(data)
    with pytest.raises(UserError):
        FORMAT.inspect(tmp_path / "x.las")


def test_reading_can_be_stopped(tmp_path: Path) -> None:
    cloud(tmp_path / "a.las")
    with pytest.raises(Cancelled):
        FORMAT.read(tmp_path / "a.las", tiny_frame(), ReadOptions(crs="EPSG:5186"), Feedback(is_cancelled=lambda: True))


def test_cell_statistics_by_hand() -> None:
    points = np.array([[0, 0, 1], [0.2, 0.1, 9], [-0.4, 0.3, 2], [2, 0, 5.0], [2.1, 0, 7]])
    expected = {"lowest": [1, np.nan, 5], "highest": [9, np.nan, 7], "median": [2, np.nan, 6]}
    for statistic, values in expected.items():
        grid, count = cell_values(points, cell=1.0, statistic=statistic)  # type: ignore[arg-type]
        np.testing.assert_array_equal(grid.values, [values])
        assert (grid.x0, grid.y0) == (0.0, 0.0)
        np.testing.assert_array_equal(count, [[3, 0, 2]])


def test_ground_below_a_house_is_bridged_and_its_height_found() -> None:
    """A plane with a house of 8 m: ground points around it, roof points over it, one stray antenna."""
    x, y = (values.ravel() for values in np.meshgrid(np.arange(0, 60, 0.5), np.arange(0, 60, 0.5)))
    under = (x > 20) & (x < 40) & (y > 25) & (y < 35)
    z = 0.1 * x + np.where(under, 8.0, 0.0)
    points = np.column_stack([x, y, z])
    points = np.concatenate([points, [[30.0, 30.0, 60.0]]])
    classes = np.append(np.where(under, 6, 2), 6)
    found = ground_grid(points, classes, cell=1.0)
    assert found.filled > 100
    assert found.grid.is_finite.all()
    assert found.grid.sample(30.0, 30.0) == pytest.approx(3.0, abs=0.25)
    footprints = np.array([shapely.box(20, 25, 40, 35), shapely.box(0, 0, 5, 5), shapely.Polygon()], dtype=object)
    heights = building_heights(footprints, points, classes, ground=found.grid, percentiles=(50.0, 99.0))
    assert heights.ground[0] == pytest.approx(2.0, abs=0.11)
    assert heights.heights[0, 0] == pytest.approx(9.0, abs=0.2)  # middle of a roof that follows the slope
    assert heights.heights[0, 1] < 12.0  # the antenna does not count
    assert np.isnan(heights.heights[1:]).all()
    assert heights.count.tolist()[1:] == [0, 0]


def test_terrain_is_made_of_all_points_however_few_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "CHUNK", 999)
    monkeypatch.setattr("geo.pointcloud.MOST_WAITING", 500)
    xyz = cloud(tmp_path / "g.las", count=20_000)
    grids = []
    for limit in (1_000, 100_000):
        own = PointCloudOptions(max_points=limit, ground_cell=5.0)
        points, ground = read(tmp_path / "g.las", crs="EPSG:5186", own=own)
        assert isinstance(ground.geometry, Grid)
        grids.append(ground.geometry)
    np.testing.assert_allclose(grids[0].values, grids[1].values, atol=1e-9)
    local = xyz - [229_000, 435_500, 0]
    mine = (np.abs(local[:, 0] - 50) < 2.5) & (np.abs(local[:, 1] - 30) < 2.5)
    assert grids[0].sample(50.0, 30.0) == pytest.approx(local[mine, 2].mean(), abs=1e-6)


def test_no_ground_points_no_terrain() -> None:
    with pytest.raises(UserError) as caught:
        ground_grid(np.zeros((3, 3)), np.array([6, 6, 1]), cell=1.0)
    assert caught.value.code == "pointcloud.no_class"
    with pytest.raises(UserError) as caught:
        ground_grid(np.array([[0, 0, 0], [1e6, 1e6, 0.0]]), np.array([2, 2]), cell=0.1)
    assert caught.value.code == "pointcloud.too_fine"


@pytest.mark.data
def test_footprints_take_their_heights_from_a_cloud(shared_data: Path, tmp_path: Path) -> None:
    """Real footprints in Delft (a 3dfier model's) with the heights of the airborne survey over them."""
    import json

    from app.importer import ImportOptions, import_files

    model = json.loads((shared_data / "city/delft_3dfier.city.json").read_text())
    features = []
    for name, thing in model["CityObjects"].items():
        if thing["type"] != "Building":
            continue
        rings = [ring for geometry in thing["geometry"] for shell in geometry["boundaries"] for ring in shell]
        flat = [r for face in rings for r in (face if isinstance(face[0], list) else [face])]
        levels = [(min(model["vertices"][i][2] for i in ring), ring) for ring in flat if len(ring) > 2]
        roof = max(levels, key=lambda pair: pair[0])[1]
        points = [model["vertices"][i][:2] for i in roof]
        geometry = {"type": "Polygon", "coordinates": [[*points, points[0]]]}
        features.append({"type": "Feature", "id": name, "properties": {}, "geometry": geometry})
    path = tmp_path / "footprints.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    own = {"cloud": str(shared_data / "terrain/ahn3_cropped_1.laz"), "cloud_crs": "EPSG:28992"}
    options = ImportOptions(crs="EPSG:28992", kind="building", own=own)
    table = import_files([path], frame=None, options=options).layers[0].table
    measured = table.columns["height_from"].values == "points"
    heights = table.columns["height_used"].values[measured].astype(float)
    assert measured.sum() >= 60
    assert 6.0 < np.median(heights) < 16.0
    assert heights.max() < 60.0


@pytest.mark.parametrize(("text", "classes"), [("", ()), ("()", ()), ("2, 6", (2, 6)), ("(2, 6)", (2, 6)), ("9", (9,))])
def test_classes_are_read_from_the_text_of_a_form(text: str, classes: tuple[int, ...]) -> None:
    assert PointCloudOptions(classes=text).classes == classes  # type: ignore[arg-type]


def test_a_class_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="classes"):
        PointCloudOptions(classes="ground")  # type: ignore[arg-type]
