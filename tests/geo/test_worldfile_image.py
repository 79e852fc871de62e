"""JPEG and PNG with world files: right place, right way up, never a guessed place, and hostile files."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from geo.crs import crs_of, make_frame
from geo.formats.contract import ReadOptions
from geo.formats.raster import RasterOptions
from geo.formats.worldfile_image import FORMAT
from geo.model import Feedback, Image, MissingCrs, UserError
from tests.geo.damage import damaged_bytes, survives_damage

SEJONG = make_frame("EPSG:5186", 229_000, 435_500)
NORTH_UP = (0.5, 0.0, 0.0, -0.5, 229_000.25, 435_599.75)
PLACED = ReadOptions(crs="EPSG:5186")


def picture(path: Path, world: str, numbers: tuple[float, ...] = NORTH_UP, size: tuple[int, int] = (200, 300)) -> Path:
    """Red in the north-west, blue in the south-east."""
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[: size[0] // 2, : size[1] // 2] = (255, 0, 0)
    pixels[size[0] // 2 :, size[1] // 2 :] = (0, 0, 255)
    Picture.fromarray(pixels).save(path, **({"quality": 95} if path.suffix != ".png" else {}))
    path.with_suffix(world).write_text("\n".join(map(str, numbers)) + "\n")
    return path


def image_of(path: Path, options: ReadOptions = PLACED) -> Image:
    (layer,) = FORMAT.read(path, SEJONG, options, Feedback())
    assert (layer.theme, layer.kind) == ("orthophoto", "image")
    assert isinstance(layer.geometry, Image)
    return layer.geometry


@pytest.mark.parametrize(("suffix", "world"), [(".jpg", ".jgw"), (".png", ".pgw"), (".jpg", ".wld"), (".jpeg", ".JGW")])
def test_pixels_lie_where_the_world_file_says(tmp_path: Path, suffix: str, world: str) -> None:
    image = image_of(picture(tmp_path / f"air{suffix}", world))
    assert image.pixels.shape == (200, 300, 3)
    assert (image.x0, image.y0, image.cell) == pytest.approx((0.25, 0.25, 0.5))
    north_west, south_east = image.pixels[150, 50], image.pixels[50, 250]
    np.testing.assert_allclose(north_west, (255, 0, 0), atol=12)
    np.testing.assert_allclose(south_east, (0, 0, 255), atol=12)


def test_a_turned_picture_is_laid_straight(tmp_path: Path) -> None:
    """Columns run north, rows run east: a quarter turn."""
    image = image_of(picture(tmp_path / "turned.png", ".pgw", (0.0, 0.5, 0.5, 0.0, 229_000.25, 435_500.25)))
    assert image.pixels.shape[:2] == (300, 200)
    np.testing.assert_array_equal(image.pixels[50, 50], (255, 0, 0))
    np.testing.assert_array_equal(image.pixels[250, 150], (0, 0, 255))


def test_without_a_system_the_user_is_asked_and_a_prj_answers(tmp_path: Path) -> None:
    path = picture(tmp_path / "air.jpg", ".jgw")
    with pytest.raises(MissingCrs):
        FORMAT.read(path, SEJONG, ReadOptions(), Feedback())
    assert FORMAT.inspect(path).crs is None
    path.with_suffix(".prj").write_text("nonsense")
    with pytest.raises(MissingCrs):
        FORMAT.read(path, SEJONG, ReadOptions(), Feedback())
    path.with_suffix(".prj").write_text(crs_of("EPSG:5186").to_wkt("WKT1_ESRI"))
    assert FORMAT.inspect(path).crs == "EPSG:5186"
    assert image_of(path, ReadOptions()).x0 == pytest.approx(0.25)


def test_a_picture_without_a_world_file_says_so(tmp_path: Path) -> None:
    path = picture(tmp_path / "air.jpg", ".jgw")
    path.with_suffix(".jgw").unlink()
    for act in (FORMAT.inspect, lambda p: FORMAT.read(p, SEJONG, PLACED, Feedback())):
        with pytest.raises(UserError) as told:
            act(path)
        assert told.value.code == "picture.no_world_file"


@pytest.mark.parametrize("numbers", [(0, 0, 0, 0, 0, 0), ("x",) * 6, (1,), ("nan",) * 6, (0.5, 0, 0, -0.5, "inf", 0)])
def test_a_world_file_of_nonsense_is_refused(tmp_path: Path, numbers: tuple) -> None:
    path = picture(tmp_path / "air.png", ".pgw", numbers)
    with pytest.raises(UserError):
        FORMAT.read(path, SEJONG, PLACED, Feedback())


@pytest.mark.parametrize(("suffix", "world"), [(".jpg", ".jgw"), (".png", ".pgw")])
def test_large_pictures_are_read_coarser(tmp_path: Path, suffix: str, world: str) -> None:
    path = picture(tmp_path / f"large{suffix}", world, size=(3000, 4000))
    small = ReadOptions(crs="EPSG:5186", own=RasterOptions(max_cells=100_000))
    (layer,) = FORMAT.read(path, SEJONG, small, Feedback())
    assert isinstance(layer.geometry, Image)
    assert layer.geometry.pixels.size <= 300_000
    assert "raster.coarser" in {issue.code for issue in layer.issues}
    np.testing.assert_allclose(layer.geometry.pixels[-10, 10], (255, 0, 0), atol=12)


def test_grey_clear_and_indexed_pictures(tmp_path: Path) -> None:
    for mode in ("L", "LA", "RGBA", "P", "1", "I;16"):
        path = tmp_path / f"{mode.replace(';', '')}.png"
        grey = Picture.fromarray(np.tile(np.arange(100, dtype=np.uint8) * 2, (60, 1)))
        wide = Picture.fromarray(np.tile(np.arange(100, dtype=np.uint16) * 600, (60, 1)))
        (wide if mode == "I;16" else grey.convert(mode)).save(path)
        path.with_suffix(".pgw").write_text("\n".join(map(str, NORTH_UP)))
        assert image_of(path).pixels.shape == (60, 100, 3), mode


def test_a_bomb_and_damaged_pictures_are_refused_or_read(tmp_path: Path) -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    bomb = tmp_path / "bomb.png"
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    bomb.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b""))
    bomb.with_suffix(".pgw").write_text("\n".join(map(str, NORTH_UP)))
    with pytest.raises(UserError):
        FORMAT.read(bomb, SEJONG, PLACED, Feedback())
    for suffix, world in ((".jpg", ".jgw"), (".png", ".pgw")):
        path = picture(tmp_path / f"hurt{suffix}", world, size=(40, 60))
        data = path.read_bytes()
        found = survives_damage(
            FORMAT, path, lambda seed, d=data: damaged_bytes(d, seed), SEJONG, count=100, options=PLACED
        )
        assert found["refused"] > 10
