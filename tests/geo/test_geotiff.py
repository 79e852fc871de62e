"""GeoTIFF and ASCII grid against rasterio's and pyproj's own answers, and against hostile files."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from rasterio.transform import Affine
from scipy import ndimage

from geo.crs import make_frame
from geo.formats import asciigrid, geotiff
from geo.formats.contract import MapBox, ReadOptions
from geo.formats.raster import RasterOptions, moved
from geo.model import Cancelled, Feedback, Frame, Grid, Image, Layer, MissingCrs, UserError


def from_origin(west: float, north: float, width: float, height: float) -> Affine:
    return Affine(width, 0.0, west, 0.0, -height, north)


BANGKOK = make_frame("EPSG:32647", 670_000, 1_517_000)
SEJONG = make_frame("EPSG:5186", 229_000, 435_500)


def save(path: Path, values: np.ndarray, transform: Affine, crs: str | None, **more: object) -> Path:
    planes = values if values.ndim == 3 else values[None]
    profile = {"count": len(planes), "height": planes.shape[1], "width": planes.shape[2], "dtype": planes.dtype}
    with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=transform, **profile, **more) as file:
        file.write(planes)
    return path


def read(path: Path, frame: Frame, **options: object) -> Layer:
    return geotiff.read(path, frame, ReadOptions(**options), Feedback())[0]


def grid_of(layer: Layer) -> Grid:
    assert isinstance(layer.geometry, Grid)
    return layer.geometry


def test_terrain_in_the_projects_crs_is_taken_over_bit_for_bit(shared_data: Path) -> None:
    path = shared_data / "solar/solweig_kronenhuset/DEM_KR.tif"
    grid = grid_of(read(path, make_frame("EPSG:3007", 147_800, 6_398_600)))
    with rasterio.open(path) as file:
        values = file.read(1).astype(np.float64)
        rng = np.random.default_rng(1)
        rows, cols = rng.integers(0, file.height, 500), rng.integers(0, file.width, 500)
        east, north = rasterio.transform.xy(file.transform, rows, cols)
    assert grid.cell == 1.0
    np.testing.assert_array_equal(
        grid.sample(np.array(east) - 147_800, np.array(north) - 6_398_600), values[rows, cols]
    )


def test_terrain_in_degrees_lies_where_pyproj_says(shared_data: Path) -> None:
    """Bangkok, 1 arc second: each source cell centre, moved by pyproj, finds its own height in the grid."""
    path = shared_data / "terrain/bangkok_dem_1arcsec.tif"
    layer = read(path, BANGKOK)
    grid = grid_of(layer)
    assert layer.kind == "terrain"
    assert 29.9 < grid.cell < 31.0
    with rasterio.open(path) as file:
        values = file.read(1, masked=True).astype(np.float64).filled(np.nan)
        rows, cols = np.meshgrid(np.arange(file.height), np.arange(file.width), indexing="ij")
        lon, lat = moved(file.transform, cols + 0.5, rows + 0.5)
    east, north = Transformer.from_crs(4326, 32647, always_xy=True).transform(lon, lat)
    found = grid.sample(east - 670_000, north - 1_517_000)
    both = np.isfinite(found) & np.isfinite(values)
    assert both.sum() > 0.98 * np.isfinite(values).sum()
    error = (found - values)[both]
    assert abs(error.mean()) < 0.02  # a shift of one cell would leave the mean, so look at the correlation too
    shifted = np.roll(values, 1, axis=0)
    fine = both & np.isfinite(shifted)
    assert np.abs((found - values)[fine]).mean() < 0.5 * np.abs((found - shifted)[fine]).mean()


def test_picture_and_terrain_of_one_place_overlap(shared_data: Path) -> None:
    terrain = read(shared_data / "terrain/bangkok_dem_1arcsec.tif", BANGKOK).geometry.bounds
    layer = read(shared_data / "terrain/bangkok_satellite_10m.tif", BANGKOK)
    assert isinstance(layer.geometry, Image)
    with rasterio.open(shared_data / "terrain/bangkok_satellite_10m.tif") as file:
        pixels = file.read()
        known = pixels.any(axis=0)
    mine = np.moveaxis(layer.geometry.pixels, -1, 0)[:, ::-1]
    np.testing.assert_array_equal(mine[:, known], pixels[:, known])
    assert terrain.low[0] < layer.geometry.bounds.high[0]
    assert terrain.high[0] > layer.geometry.bounds.low[0]
    assert (layer.geometry.x0 + 670_000, layer.geometry.y0 + 1_517_000) == (667_675.0, 1_514_785.0)


@pytest.mark.parametrize(
    ("archive", "member", "crs", "shape"),
    [
        ("Goteborg_SWEREF99_1200.zip", "Goteborg_SWEREF99_1200/DEM_KRbig.tif", "EPSG:3007", None),
        ("London_BNG.zip", "London_BNG/dem_barb_1m_tif.tif", "EPSG:27700", (601, 651)),
    ],
)
def test_terrain_from_the_umep_samples(
    shared_data: Path, tmp_path: Path, archive: str, member: str, crs: str, shape: tuple[int, int] | None
) -> None:
    with zipfile.ZipFile(shared_data / "terrain" / archive) as file:
        path = Path(file.extract(member, tmp_path))
    with rasterio.open(path) as file:
        west, south, *_ = file.bounds
        expected = file.read(1, masked=True).astype(np.float64).filled(np.nan)
    grid = grid_of(read(path, make_frame(crs, round(west), round(south)), crs=crs))
    assert grid.values.shape == (shape or expected.shape)
    np.testing.assert_array_equal(grid.values[::-1], np.where(np.abs(expected) > 9000, np.nan, expected))


def test_a_northing_of_fifteen_million_is_no_reason_to_refuse(shared_data: Path) -> None:
    path = shared_data / "solar/cea_zurich/terrain.tif"
    info = geotiff.inspect(path)
    assert info.crs == "EPSG:32732"
    assert info.counts == {"bands": 1, "rows": 31, "cols": 27}
    assert grid_of(read(path, make_frame("EPSG:32732", 463_000, 15_225_000))).values.shape == (31, 27)


def test_slope_survives_another_belt_and_a_turned_raster(tmp_path: Path) -> None:
    """A plane rising east in EPSG:5186, stored turned by 30 degrees in EPSG:5187, comes back as that plane."""
    cos, sin = np.cos(np.radians(30)), np.sin(np.radians(30))
    turned = Affine(2 * cos, 2 * sin, 49_900, 2 * sin, -2 * cos, 435_700)
    rows, cols = np.meshgrid(np.arange(200) + 0.5, np.arange(200) + 0.5, indexing="ij")
    x, y = moved(turned, cols, rows)
    east, north = Transformer.from_crs(5187, 5186, always_xy=True).transform(x, y)
    path = save(tmp_path / "turned.tif", 0.1 * (east - 229_000) + 0.02 * (north - 435_500), turned, "EPSG:5187")
    grid = grid_of(read(path, SEJONG))
    assert grid.cell == 2.0
    assert (229_000 + grid.x0 - 1) % 2 == pytest.approx(0, abs=1e-6)  # cells lie on multiples of their side
    xx, yy = np.meshgrid(grid.x, grid.y)
    good = grid.is_finite
    assert good.sum() == pytest.approx(200 * 200, rel=0.03)
    error = np.abs(grid.values - (0.1 * xx + 0.02 * yy))
    inside = ndimage.binary_erosion(good, iterations=3)
    assert inside.sum() > 30_000
    assert error[inside].max() < 1e-4
    assert error[good].max() < 0.2  # the rim has fewer neighbours to weigh


def test_no_data_in_every_shape_becomes_nan(tmp_path: Path) -> None:
    values = np.full((40, 50), 30.0, np.float32)
    values[:10], values[30, 7], values[20, 20] = -9999.0, 32767.0, np.nan
    layer = read(
        save(tmp_path / "a.tif", values, from_origin(229_000, 436_000, 5, 5), "EPSG:5186", nodata=-9999), SEJONG
    )
    grid = grid_of(layer)
    assert (~grid.is_finite).sum() == 10 * 50 + 2
    assert np.isnan(grid.values[-1]).all(), "row 0 of the file is north"
    assert grid.values[np.isfinite(grid.values)].tolist() == [30.0] * (40 * 50 - 502)
    codes = {issue.code: issue for issue in layer.issues}
    assert codes["raster.absurd_heights"].count == 1
    assert codes["raster.no_data"].count == 502


def test_holes_do_not_bleed_into_their_neighbours_when_moved(tmp_path: Path) -> None:
    values = np.full((60, 60), 25, np.int16)
    values[20:30, 20:30] = -32768  # not declared as no data
    path = save(tmp_path / "a.tif", values, from_origin(127.325, 36.52, 1 / 3600, 1 / 3600), "EPSG:4326")
    grid = grid_of(read(path, SEJONG))
    assert set(np.unique(grid.values[grid.is_finite]).round(6)) == {25.0}
    assert np.isnan(grid.values).any()


def test_heights_in_feet(tmp_path: Path) -> None:
    values = np.full((4, 4), 100.0, np.float32)
    plane = from_origin(2_000_000, 500_000, 10, 10)
    frame = make_frame("EPSG:32617", 300_000, 4_400_000)
    path = save(tmp_path / "feet.tif", values, plane, "EPSG:2264+6360")  # NAVD88 height (ftUS)
    assert grid_of(read(path, frame)).values[1, 1] == pytest.approx(100 * 1200 / 3937)
    silent = read(save(tmp_path / "silent.tif", values, plane, "EPSG:2264"), frame)
    assert "raster.height_unit_assumed" in {issue.code for issue in silent.issues}
    said = read(tmp_path / "silent.tif", frame, own=RasterOptions(height_unit="ft"))
    assert grid_of(said).values[1, 1] == pytest.approx(30.48)


def test_a_large_file_is_thinned_and_says_so(tmp_path: Path) -> None:
    values = np.add.outer(np.zeros(600, np.float32), np.arange(600, dtype=np.float32))
    path = save(tmp_path / "a.tif", values, from_origin(229_000, 436_000, 1, 1), "EPSG:5186")
    layer = read(path, SEJONG, own=RasterOptions(max_cells=10_000))
    grid = grid_of(layer)
    assert grid.values.size <= 10_000
    assert grid.cell == 6.0
    assert "raster.coarser" in {issue.code for issue in layer.issues}
    np.testing.assert_allclose(grid.values[0], grid.x - 0.5, atol=0.01)  # mean of 0..5 lies at x = 3


def test_overviews_are_used_for_a_coarse_look(tmp_path: Path) -> None:
    """The overviews are left stale on purpose: a coarse read that shows their values has not read the whole file."""
    path = save(
        tmp_path / "a.tif", np.full((512, 512), 10, np.float32), from_origin(229_000, 436_000, 1, 1), "EPSG:5186",
        tiled=True, blockxsize=64, blockysize=64,
    )  # fmt: skip
    with rasterio.open(path, "r+") as file:
        file.build_overviews([2, 4, 8])
    with rasterio.open(path, "r+") as file:
        file.write(np.full((512, 512), 20, np.float32), 1)
    assert geotiff.inspect(path).details["overviews"] == [2, 4, 8]
    assert np.unique(grid_of(read(path, SEJONG)).values).tolist() == [20.0]
    coarse = grid_of(read(path, SEJONG, own=RasterOptions(max_cells=4096)))
    assert np.unique(coarse.values).tolist() == [10.0]


def test_pictures_of_every_sort(tmp_path: Path) -> None:
    plane, rng = from_origin(229_000, 436_000, 1, 1), np.random.default_rng(0)
    codes = rng.integers(0, 3, (30, 40)).astype(np.uint8)
    with rasterio.open(save(tmp_path / "palette.tif", codes, plane, "EPSG:5186"), "r+") as file:
        file.write_colormap(1, {0: (255, 0, 0, 255), 1: (0, 255, 0, 255), 2: (0, 0, 255, 255)})
    picture = read(tmp_path / "palette.tif", SEJONG).geometry
    np.testing.assert_array_equal(picture.pixels[::-1], np.eye(3, dtype=np.uint8)[codes] * 255)
    rgba = rng.integers(1, 255, (4, 30, 40)).astype(np.uint8)
    rgba[3] = np.where(np.arange(40) < 20, 255, 0)
    path = save(tmp_path / "rgba.tif", rgba, plane, "EPSG:5186", photometric="RGB", alpha="YES")
    layer = read(path, SEJONG)
    np.testing.assert_array_equal(layer.geometry.pixels[::-1, :20], np.moveaxis(rgba[:3, :, :20], 0, -1))
    assert set(np.unique(layer.geometry.pixels[:, 20:])) == {geotiff.NO_PICTURE}
    deep = np.linspace(300, 4000, 3 * 30 * 40).reshape(3, 30, 40).astype(np.uint16)
    layer = read(save(tmp_path / "deep.tif", deep, plane, "EPSG:5186"), SEJONG)
    assert np.ptp(layer.geometry.pixels) == 255
    assert "raster.stretched" in {issue.code for issue in layer.issues}


def test_classes_are_not_passed_off_as_heights(shared_data: Path) -> None:
    path = shared_data / "solar/solweig_kronenhuset/landcover_KR.tif"
    frame = make_frame("EPSG:3007", 147_800, 6_398_600)
    assert "raster.looks_like_classes" in {issue.code for issue in read(path, frame).issues}
    values = read(path, frame, own=RasterOptions(content="values"))
    assert (values.kind, values.theme) == ("grid", "other")
    heights = read(shared_data / "solar/solweig_kronenhuset/DSM_KR.tif", frame)
    assert {issue.code for issue in heights.issues} >= {"raster.surface_model"}


def test_a_box_reads_a_window_only(tmp_path: Path) -> None:
    values = np.arange(500 * 400, dtype=np.float32).reshape(500, 400) / 100
    path = save(tmp_path / "a.tif", values, from_origin(229_000, 436_000, 1, 1), "EPSG:5186")
    whole, part = (
        grid_of(read(path, SEJONG)),
        grid_of(read(path, SEJONG, box=MapBox(229_100, 435_800, 229_120, 435_830))),
    )
    assert part.values.shape == (34, 24)
    assert part.sample(110, 315) == whole.sample(110, 315)
    assert geotiff.read(path, SEJONG, ReadOptions(box=MapBox(0, 0, 9, 9)), Feedback()) == []


def test_written_grid_and_picture_read_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(50, 9, (300, 280)).astype(np.float32).astype(np.float64)
    values[3, 4] = np.nan
    grid = Grid(values, 12.5, -7.5, 2.0)
    geotiff.write_grid(tmp_path / "hours.tif", grid, SEJONG, description="Hours of sun", unit="h")
    with rasterio.open(tmp_path / "hours.tif") as file:
        assert (file.crs.to_epsg(), file.units[0], file.descriptions[0]) == (5186, "h", "Hours of sun")
        assert file.profile["compress"] == "deflate"
        assert file.profile["tiled"]
        row, col = file.index(229_012.5, 435_492.5)
        assert file.read(1)[row, col] == values[0, 0], "the south-west cell lies at the south-west"
    again = grid_of(read(tmp_path / "hours.tif", SEJONG))
    np.testing.assert_array_equal(again.values, values)
    assert (again.x0, again.y0, again.cell) == (12.5, -7.5, 2.0)
    pixels = rng.integers(0, 255, (20, 30, 3)).astype(np.uint8)
    layer = Layer("p", "p", "orthophoto", Image(pixels, 0.5, 0.5, 1.0))
    geotiff.write(tmp_path / "p.tif", [layer], SEJONG, Feedback())
    np.testing.assert_array_equal(read(tmp_path / "p.tif", SEJONG).geometry.pixels, pixels)


def test_an_unwritable_folder_is_the_users_matter(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        geotiff.write_grid(tmp_path / "absent" / "a.tif", Grid(np.zeros((2, 2)), 0, 0, 1), SEJONG)
    assert caught.value.code == "file.not_written"


def test_ascii_grid_needs_to_be_told_its_crs(shared_data: Path) -> None:
    path = shared_data / "solar/solweig_kronenhuset/CDSM_KR.asc"
    assert asciigrid.sniff(path, path.read_bytes()[:4096])
    frame = make_frame("EPSG:3007", 147_800, 6_398_600)
    with pytest.raises(MissingCrs):
        asciigrid.read(path, frame, ReadOptions(), Feedback())
    layer = asciigrid.read(path, frame, ReadOptions(crs="EPSG:3007"), Feedback())[0]
    lines = path.read_text().splitlines()
    first = next(k for k, line in enumerate(lines) if line[:1].isdigit() or line[:1] in " -")
    north_row = np.array(lines[first].split(), dtype=np.float64)
    mine = grid_of(layer).values[-1]
    np.testing.assert_allclose(mine[np.isfinite(mine)], north_row[np.isfinite(mine)])


def lying_header(path: Path) -> Path:
    """A TIFF of some bytes whose header claims 100,000 x 100,000 float32 cells."""
    side, strip = 100_000, 200
    tags = [(256, 4, side), (257, 4, side), (258, 3, 32), (259, 3, 1), (262, 3, 1), (273, 4, strip), (277, 3, 1),
            (278, 4, side), (279, 4, 2**32 - 1), (339, 3, 3)]  # fmt: skip
    body = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    body += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags) + struct.pack("<I", 0)
    path.write_bytes(body.ljust(400, b"\0"))
    return path


def hostile(tmp_path: Path) -> dict[str, Path]:
    plane = from_origin(229_000, 436_000, 1, 1)
    good = save(tmp_path / "good.tif", np.random.default_rng(0).random((200, 200)), plane, "EPSG:5186", compress="lzw")
    files = {name: tmp_path / f"{name}.tif" for name in ("empty", "text", "cut", "half", "absent")}
    files["empty"].write_bytes(b"")
    files["text"].write_text("x y z\n1 2 3\n" * 100)
    files["cut"].write_bytes(good.read_bytes()[:300])
    files["half"].write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    nothing = np.full((5, 5), -9999.0)
    files["no data"] = save(tmp_path / "n.tif", nothing, plane, "EPSG:5186", nodata=-9999)
    files["complex"] = save(tmp_path / "c.tif", np.ones((5, 5), np.complex64), plane, "EPSG:5186")
    files["no crs"] = save(tmp_path / "o.tif", np.ones((5, 5)), plane, None)
    files["metres as degrees"] = save(tmp_path / "d.tif", np.ones((5, 5)), plane, "EPSG:4326")
    files["no place"] = save(tmp_path / "i.tif", np.ones((5, 5)), Affine.identity(), "EPSG:5186")
    files["all absurd"] = save(tmp_path / "s.tif", np.full((5, 5), 1e20), plane, "EPSG:5186")
    return files


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_each_hostile_file_is_one_calm_error(tmp_path: Path) -> None:
    for name, path in hostile(tmp_path).items():
        with pytest.raises(UserError) as caught:
            geotiff.read(path, SEJONG, ReadOptions(), Feedback())
        assert isinstance(caught.value, MissingCrs) == (name == "no crs"), name


def test_a_header_that_claims_forty_gigabytes_is_not_believed(tmp_path: Path) -> None:
    path = lying_header(tmp_path / "liar.tif")
    assert geotiff.sniff(path, path.read_bytes())
    with pytest.raises(UserError):
        geotiff.read(path, SEJONG, ReadOptions(crs="EPSG:5186"), Feedback())
    with rasterio.open(
        tmp_path / "sparse.tif", "w", driver="GTiff", width=100_000, height=100_000, count=1, dtype="float32",
        crs="EPSG:5186", transform=from_origin(229_000, 436_000, 1, 1), SPARSE_OK=True, tiled=True, bigtiff=True,
        blockxsize=4096, blockysize=4096,
    ):  # fmt: skip
        pass
    with pytest.raises(UserError) as caught:
        geotiff.read(tmp_path / "sparse.tif", SEJONG, ReadOptions(), Feedback())
    assert caught.value.code == "raster.claims_too_much"
    assert geotiff.inspect(tmp_path / "sparse.tif").issues[0].code == "raster.header_claim"


def test_a_stop_is_heard_while_reading(shared_data: Path) -> None:
    path = shared_data / "terrain/bangkok_dem_1arcsec.tif"
    with pytest.raises(Cancelled):
        geotiff.read(path, BANGKOK, ReadOptions(), Feedback(is_cancelled=lambda: True))


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_random_damage_gives_layers_or_a_calm_error(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((32, 32)).astype(np.float32)
    whole = save(tmp_path / "a.tif", values, from_origin(229_000, 436_000, 1, 1), "EPSG:5186", compress="deflate")
    data, rng, path = whole.read_bytes(), np.random.default_rng(7), tmp_path / "b.tif"
    for _ in range(60):
        broken = bytearray(data)
        reach = len(data) if rng.random() < 0.3 else 600  # mostly the header, where it hurts
        for place in rng.integers(0, min(reach, len(data)), rng.integers(1, 6)):
            broken[place] = rng.integers(0, 256)
        path.write_bytes(bytes(broken[: rng.integers(8, len(broken) + 1)] if rng.random() < 0.3 else broken))
        try:
            layers = geotiff.read(path, SEJONG, ReadOptions(own=RasterOptions(max_cells=100_000)), Feedback())
        except UserError:
            continue
        assert all(isinstance(layer, Layer) for layer in layers)


def test_written_grids_are_cloud_optimised(tmp_path: Path) -> None:
    from geo.crs import make_frame
    from geo.formats.geotiff import write_grid
    from geo.model import Grid

    values = np.random.default_rng(1).random((700, 900))
    write_grid(tmp_path / "a.tif", Grid(values, 0.0, 0.0, 1.0), make_frame("EPSG:5186", 229_000, 435_500), unit="h")
    with rasterio.open(tmp_path / "a.tif") as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.overviews(1)
        assert file.units == ("h",)
        np.testing.assert_allclose(file.read(1)[::-1], values, atol=1e-6)
