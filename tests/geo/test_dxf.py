"""DXF drawings: places, meanings, heights, blocks, units, and hostile files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import ezdxf
import numpy as np
import pytest

from app.importer import ImportOptions, import_files
from geo import buildings
from geo.crs import make_frame
from geo.formats import dxf
from geo.formats.contract import MapBox, ReadOptions
from geo.model import Feedback, Grid, Layer, Lines, Mesh, MissingCrs, Points, UserError
from tests.geo.damage import damaged_bytes, survives, survives_damage

SEJONG = make_frame("EPSG:5186", 229_000, 435_500)
EAST, NORTH = 229_000.0, 435_500.0
PLACED = ReadOptions(crs="EPSG:5186")


def new(version: str = "R2010", unit: int = 6) -> Any:
    document = ezdxf.new(version)
    document.header["$INSUNITS"] = unit
    return document


def corners(x: float, y: float, long: float, wide: float) -> list[tuple[float, float]]:
    x, y = x + EAST, y + NORTH
    return [(x, y), (x + long, y), (x + long, y + wide), (x, y + wide)]


def town(version: str = "R2010", unit: int = 6) -> Any:
    """Two buildings, a road, a contour that comes round, a spot height, a name, a hatch with a hole, a face."""
    document = new(version, unit)
    space = document.modelspace()
    space.add_lwpolyline(corners(0, 0, 20, 10), close=True, dxfattribs={"layer": "건물", "thickness": 12.0})
    open_end = corners(40, 0, 20, 10)
    space.add_lwpolyline([*open_end, open_end[0]], dxfattribs={"layer": "B0014110"})
    space.add_line((EAST, NORTH + 50), (EAST + 100, NORTH + 50), dxfattribs={"layer": "도로중심선"})
    space.add_lwpolyline(corners(0, 100, 50, 50), close=True, dxfattribs={"layer": "F0017111", "elevation": 45.0})
    space.add_point((EAST + 10, NORTH + 120, 47.3), dxfattribs={"layer": "F0027217"})
    space.add_text("한솔동 주민센터", dxfattribs={"layer": "주기", "insert": (EAST + 5, NORTH + 5)})
    hatch = space.add_hatch(dxfattribs={"layer": "구역"})
    hatch.paths.add_polyline_path(corners(0, 200, 40, 40), is_closed=True)
    hatch.paths.add_polyline_path(corners(10, 210, 10, 10), is_closed=True, flags=16)
    space.add_3dface(
        [(EAST, NORTH, 1), (EAST + 10, NORTH, 1), (EAST + 10, NORTH + 10, 2), (EAST, NORTH + 10, 2)],
        dxfattribs={"layer": "terrain tin"},
    )
    space.add_arc((EAST, NORTH - 50), 10, 0, 180, dxfattribs={"layer": "기타"})
    return document


def saved(document: Any, path: Path, encoding: str | None = None) -> Path:
    document.saveas(path, encoding=encoding)
    return path


def layers(path: Path, **options: object) -> dict[str, Layer]:
    found = dxf.FORMAT.read(path, SEJONG, ReadOptions(**{"crs": "EPSG:5186", **options}), Feedback())
    return {layer.id: layer for layer in found}


def codes(found: dict[str, Layer]) -> dict[str, int]:
    return {issue.code: issue.count for layer in found.values() for issue in layer.issues}


def test_a_town_is_built_by_the_names_of_its_layers(tmp_path: Path) -> None:
    found = layers(saved(town(), tmp_path / "town.dxf"))
    house = found["building"]
    assert house.theme == "building"
    assert isinstance(house.geometry, Mesh)
    np.testing.assert_allclose(buildings.volume(house.geometry, 2), [20 * 10 * 12, 20 * 10 * 3])
    assert house.table.columns["layer"].values.tolist() == ["건물", "B0014110"]
    assert house.geometry.bounds is not None
    assert house.geometry.bounds.low[:2] == pytest.approx((0, 0))
    road = found["road"]
    assert (road.theme, road.kind) == ("road", "mesh")
    contour = found["contour"]
    assert isinstance(contour.geometry, Lines)
    assert set(contour.geometry.vertices[:, 2]) == {45.0}
    assert len(contour.geometry.vertices) == 5
    spot = found["spot height"]
    assert isinstance(spot.geometry, Points)
    np.testing.assert_allclose(spot.geometry.vertices, [[10, 120, 47.3]])
    names = found["other/points"]
    assert names.table.columns["text"].values.tolist() == ["한솔동 주민센터"]
    np.testing.assert_allclose(names.geometry.vertices[:, :2], [[5, 5]])
    faces = next(layer for key, layer in found.items() if key.endswith("/faces"))
    assert isinstance(faces.geometry, Mesh)
    assert faces.geometry.face_area.sum() == pytest.approx(10 * np.hypot(10, 1))
    arc = found["other/lines"].geometry
    assert isinstance(arc, Lines)
    reach = np.hypot(arc.vertices[:, 0], arc.vertices[:, 1] + 50)
    assert (arc.vertices[:, 1] >= -50 - 1e-9).all()
    np.testing.assert_allclose(reach, 10, atol=0.2)


def test_a_hatch_keeps_its_hole(tmp_path: Path) -> None:
    path = saved(town(), tmp_path / "town.dxf")
    own = dxf.DxfOptions(layer="구역")
    found = layers(path, own=own, kind="water")
    (area,) = [layer for layer in found.values() if layer.kind == "mesh"]
    assert isinstance(area.geometry, Mesh)
    assert area.geometry.face_area.sum() == pytest.approx(40 * 40 - 10 * 10)
    with pytest.raises(UserError) as told:
        layers(path, own=dxf.DxfOptions(layer="없음"))
    assert told.value.code == "vector.no_such_layer"


@pytest.mark.parametrize(("version", "encoding"), [("R2000", "cp949"), ("R2007", None), ("R12", "cp949")])
def test_old_drawings_with_korean_code_page(tmp_path: Path, version: str, encoding: str | None) -> None:
    document = new(version)
    if encoding:
        document.encoding = encoding
        document.header["$DWGCODEPAGE"] = "ANSI_949"
    document.modelspace().add_text("가람동", dxfattribs={"insert": (EAST, NORTH), "layer": "글자"})
    path = saved(document, tmp_path / "old.dxf")
    if encoding:
        assert "가람동".encode("cp949") in path.read_bytes()
    (layer,) = layers(path).values()
    assert layer.table.columns["text"].values.tolist() == ["가람동"]
    assert layer.table.columns["layer"].values.tolist() == ["글자"]


def test_binary_drawings_are_read(tmp_path: Path) -> None:
    path = tmp_path / "binary.dxf"
    with path.open("wb") as file:
        town().write(file, fmt="bin")
    assert dxf.FORMAT.sniff(path, path.read_bytes()[:4096])
    assert "building" in layers(path)


def test_units(tmp_path: Path) -> None:
    document = new(unit=4)
    east, north = EAST * 1000, NORTH * 1000
    box = [(east, north), (east + 20_000, north), (east + 20_000, north + 10_000), (east, north + 10_000)]
    document.modelspace().add_lwpolyline(box, close=True, dxfattribs={"layer": "건물", "thickness": 9_000})
    path = saved(document, tmp_path / "mm.dxf")
    found = layers(path)
    assert "dxf.unit" in codes(found)
    geometry = found["building"].geometry
    assert isinstance(geometry, Mesh)
    assert buildings.volume(geometry, 1)[0] == pytest.approx(20 * 10 * 9)
    info = dxf.inspect(path)
    assert info.bounds is not None
    assert info.bounds[:2] == pytest.approx((EAST, NORTH))
    # a header of millimetres over metres of a map is the usual slip of templates
    found = layers(saved(town(unit=4), tmp_path / "slip.dxf"))
    assert "dxf.unit_not_believed" in codes(found)
    assert found["building"].geometry.bounds.low[:2] == pytest.approx((0, 0))
    assert dxf.scale_of(4, "auto", 30_000).metres == 0.001
    assert dxf.scale_of(4, "m", 3e8).metres == 1.0


def test_without_a_system_the_user_is_asked(tmp_path: Path) -> None:
    path = saved(town(), tmp_path / "town.dxf")
    assert dxf.inspect(path).crs is None
    with pytest.raises(MissingCrs):
        dxf.FORMAT.read(path, SEJONG, ReadOptions(), Feedback())
    imported = import_files([path], frame=None, options=ImportOptions(crs="EPSG:5186"))
    assert imported.frame.crs == "EPSG:5186"
    assert {layer.source.reader for layer in imported.layers} == {"dxf"}


def test_a_box_and_a_terrain(tmp_path: Path) -> None:
    path = saved(town(), tmp_path / "town.dxf")
    ground = Grid(np.full((60, 60), 30.0), -100.0, -100.0, 10.0)
    found = layers(path, box=MapBox(EAST - 5, NORTH - 5, EAST + 25, NORTH + 15), terrain=ground)
    house = found["building"]
    assert len(house.table) == 1
    assert isinstance(house.geometry, Mesh)
    assert house.geometry.vertices[:, 2].min() == 30.0
    assert "contour" not in found


def test_blocks_are_taken_apart_where_they_stand(tmp_path: Path) -> None:
    document = new()
    block = document.blocks.new("HOUSE")
    block.add_lwpolyline([(0, 0), (4, 0), (4, 2), (0, 2)], close=True, dxfattribs={"thickness": 5.0})
    space = document.modelspace()
    attributes = {"layer": "건물", "rotation": 90, "xscale": 2, "yscale": 2}
    space.add_blockref("HOUSE", (EAST + 50, NORTH), dxfattribs=attributes)
    space.add_blockref("HOUSE", (EAST, NORTH + 100), dxfattribs={"layer": "건물", "row_count": 3, "row_spacing": 10})
    space.add_blockref("HOUSE", (EAST, NORTH + 200), dxfattribs={"layer": "수목"})
    path = saved(document, tmp_path / "blocks.dxf")
    found = layers(path)
    house = found["building"]
    assert len(house.table) == 4
    assert house.table.columns["block"].values.tolist() == ["HOUSE"] * 4
    points = house.geometry.vertices[house.geometry.faces[house.geometry.face_element == 0]].reshape(-1, 3)
    np.testing.assert_allclose([points[:, :2].min(axis=0), points[:, :2].max(axis=0)], [[46, 0], [50, 8]], atol=1e-9)
    assert found["tree"].kind == "instances"
    assert len(layers(path, own=dxf.DxfOptions(explode_blocks=False))["building"].table) == 2


# --- hostile


def test_blocks_within_blocks_without_end_are_stopped(tmp_path: Path) -> None:
    document = new()
    for level in range(12):
        block = document.blocks.new(f"B{level}")
        for _ in range(8):
            if level:
                block.add_blockref(f"B{level - 1}", (0, 0))
            else:
                block.add_point((EAST, NORTH))
    document.modelspace().add_blockref("B11", (0, 0))
    path = saved(document, tmp_path / "bomb.dxf")
    with pytest.raises(UserError) as told:
        layers(path)
    assert told.value.code == "dxf.too_many_blocks"


def test_a_block_within_itself_and_a_giant_array(tmp_path: Path) -> None:
    document = new()
    block = document.blocks.new("SELF")
    block.add_point((EAST, NORTH))
    block.add_blockref("SELF", (1, 1))
    document.modelspace().add_blockref("SELF", (0, 0))
    found = layers(saved(document, tmp_path / "self.dxf"))
    assert codes(found)["dxf.block_cycles"] == 1
    document.modelspace().add_blockref(
        "SELF", (0, 0), dxfattribs={"row_count": 30_000, "column_count": 30_000, "row_spacing": 1, "column_spacing": 1}
    )
    with pytest.raises(UserError):
        layers(saved(document, tmp_path / "array.dxf"))


def test_a_dwg_with_a_wrong_name_is_named(tmp_path: Path) -> None:
    path = tmp_path / "plan.dxf"
    path.write_bytes(b"AC1027\0\0\0\0" + bytes(range(256)) * 10)
    assert dxf.FORMAT.sniff(path, path.read_bytes()[:100])
    for act in (dxf.inspect, lambda p: dxf.FORMAT.read(p, SEJONG, PLACED, Feedback())):
        with pytest.raises(UserError) as told:
            act(path)
        assert told.value.code == "dxf.is_dwg"


def test_nothing_to_draw_and_absurd_numbers(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        layers(saved(new(), tmp_path / "empty.dxf"))
    document = new()
    space = document.modelspace()
    space.add_line((float("nan"), 0), (1, 1))
    space.add_lwpolyline([(EAST, NORTH)] * 5, close=True)
    space.add_circle((EAST, NORTH), float("inf"))
    space.add_point((EAST, NORTH))
    found = layers(saved(document, tmp_path / "absurd.dxf"))
    assert codes(found)["dxf.bad_entities"] >= 2
    space.add_point((1e300, 1e300))
    far = codes(layers(saved(document, tmp_path / "far.dxf")))
    assert far["dxf.bad_entities"] == codes(found)["dxf.bad_entities"] + 1


def test_one_stray_point_does_not_lose_the_drawing(tmp_path: Path) -> None:
    document = town()
    document.modelspace().add_point((9e9, 9e9), dxfattribs={"layer": "기타"})
    path = saved(document, tmp_path / "stray.dxf")
    frame = make_frame("EPSG:32652", 350_000, 4_037_000)
    found = dxf.FORMAT.read(path, frame, PLACED, Feedback())
    assert {layer.id: len(layer.table) for layer in found}["building"] == 2
    assert codes({layer.id: layer for layer in found})["dxf.far_entities"] == 1


def test_a_drawing_cut_short_keeps_what_it_has_or_says_so(tmp_path: Path) -> None:
    text = io.StringIO()
    town("R2000").write(text)
    data = text.getvalue().encode("cp949")
    path = tmp_path / "cut.dxf"
    outcomes = set()
    for part in (0.2, 0.5, 0.8, 0.95, 0.99):
        path.write_bytes(data[: int(part * len(data))])
        outcomes.add(survives(dxf.FORMAT, path, SEJONG, PLACED))
    assert "refused" in outcomes


def test_damaged_drawings_are_read_or_refused(tmp_path: Path) -> None:
    text = io.StringIO()
    town("R2000").write(text)
    data = text.getvalue().encode("cp949")
    start = data.index(b"ENTITIES") - 20
    path = tmp_path / "hurt.dxf"

    def make(seed: int) -> bytes:
        """Half of the damage anywhere, half among the entities."""
        return damaged_bytes(data, seed) if seed % 2 else data[:start] + damaged_bytes(data[start:], seed // 2)

    found = survives_damage(dxf.FORMAT, path, make, SEJONG, count=200, options=PLACED)
    assert found["refused"] > 5
    assert found["read"] > 20
