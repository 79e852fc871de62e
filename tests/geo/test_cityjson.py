"""CityJSON: real city models against independent counts, small hand-made ones against known answers, broken ones."""

from __future__ import annotations

import copy
import gzip
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from geo import crs
from geo.formats import city_objects, cityjson_file, cityjson_text
from geo.formats.city_objects import crs_text
from geo.formats.cityjson import FORMAT, CityJsonOptions
from geo.formats.contract import HEAD_BYTES, MapBox, ReadOptions
from geo.model import Cancelled, Feedback, Field, Frame, Issue, Layer, Mesh, MissingCrs, UserError

E0, N0 = 229_000.0, 435_500.0
FRAME = crs.make_frame("EPSG:5186", E0, N0)
KOREA = {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/5186"}
CORNERS = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]]
BOX_SURFACES = [[[0, 3, 2, 1]], [[4, 5, 6, 7]], [[0, 1, 5, 4]], [[1, 2, 6, 5]], [[2, 3, 7, 6]], [[3, 0, 4, 7]]]


def box_vertices(x: float, y: float, z: float, size: tuple[float, float, float]) -> list[list[int]]:
    """Corners of a box in millimetres from the local origin."""
    return [[round(1000 * (o + c * s)) for o, c, s in zip((x, y, z), corner, size, strict=True)] for corner in CORNERS]


def solid(first: int = 0, lod: str = "1", **more: Any) -> dict[str, Any]:
    shell = [[[first + i for i in ring] for ring in surface] for surface in BOX_SURFACES]
    return {"type": "Solid", "lod": lod, "boundaries": [shell], **more}


def city(objects: dict[str, Any], vertices: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "CityJSON",
        "version": "2.0",
        "metadata": dict(KOREA),
        "transform": {"scale": [0.001] * 3, "translate": [E0, N0, 0.0]},
        "CityObjects": objects,
        "vertices": vertices,
        **more,
    }


def three_boxes() -> dict[str, Any]:
    """Boxes of 10 x 8 x 6, 20 m apart."""
    vertices = [v for k in range(3) for v in box_vertices(20.0 * k, 0, 30, (10, 8, 6))]
    return city({name: {"type": "Building", "geometry": [solid(8 * k)]} for k, name in enumerate("abc")}, vertices)


def save(folder: Path, document: Any, name: str = "city.city.json") -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def read(path: Path, frame: Frame = FRAME, *, lod: str = "highest", **options: Any) -> list[Layer]:
    own = CityJsonOptions(lod=lod)  # type: ignore[arg-type]
    return FORMAT.read(path, frame, ReadOptions(own=own, **options), Feedback())


def only(folder: Path, document: Any, **options: Any) -> Layer:
    layers = read(save(folder, document), **options)
    assert len(layers) == 1
    return layers[0]


def issue(layer: Layer, code: str) -> Issue:
    found = [one for one in layer.issues if one.code == code]
    assert len(found) == 1, [one.code for one in layer.issues]
    return found[0]


def mesh_of(layer: Layer) -> Mesh:
    assert isinstance(layer.geometry, Mesh)
    return layer.geometry


def volumes(layer: Layer) -> NDArray[np.float64]:
    """Signed volume of each element by the divergence theorem, from a corner of its own."""
    mesh = mesh_of(layer)
    origin = np.zeros((len(layer.table), 3))
    origin[mesh.face_element] = mesh.vertices[mesh.faces[:, 0]]
    a = mesh.vertices[mesh.faces[:, 0]] - origin[mesh.face_element]
    return np.bincount(mesh.face_element, np.einsum("ij,ij->i", a, mesh.face_cross) / 6, minlength=len(layer.table))


def triangles(mesh: Mesh) -> NDArray[np.float64]:
    """Corner coordinates of all triangles in an order of their own [mm]."""
    corner = np.rint(mesh.vertices[mesh.faces] * 1000).reshape(-1, 9)
    return corner[np.lexsort(corner.T)]


def surface_counts(layer: Layer) -> dict[str, int]:
    surface = layer.field_named("surface")
    assert surface is not None
    assert len(surface.values) == len(mesh_of(layer).faces)
    return dict(Counter(surface.categories[code] for code in surface.values.tolist()))


# --- real files -----------------------------------------------------------------------------------------------------

REAL = {
    "3-20-DELFSHAVEN": ("2.0", "EPSG:28992", ""),
    "DenHaag_01": ("1.0", "EPSG:7415", "NAP height"),
    "delft_3dfier": ("1.0", "EPSG:7415", "NAP height"),
    "mamre_lod1": ("2.0", "EPSG:32734", ""),
}


def real(shared_data: Path, name: str) -> tuple[Path, Frame]:
    path = shared_data / "city" / f"{name}.city.json"
    info = FORMAT.inspect(path)
    assert info.crs is not None
    assert info.bounds is not None
    x, y = (info.bounds[0] + info.bounds[3]) / 2, (info.bounds[1] + info.bounds[4]) / 2
    return path, crs.make_frame(info.crs, x, y, vertical=info.vertical)


@pytest.mark.parametrize("name", REAL)
def test_real_file_describes_itself(shared_data: Path, name: str) -> None:
    path = shared_data / "city" / f"{name}.city.json"
    head = path.open("rb").read(HEAD_BYTES)
    assert FORMAT.sniff(path, head)
    info = FORMAT.inspect(path)
    plain = json.loads(path.read_bytes())
    assert (info.version, info.crs, info.vertical) == REAL[name]
    assert info.counts == Counter(item["type"] for item in plain["CityObjects"].values())
    if name != "mamre_lod1":  # see test_vertices_translated_twice
        np.testing.assert_allclose(info.bounds, plain["metadata"]["geographicalExtent"], atol=0.01)
        assert info.issues == ()


def rings_of(boundaries: Any) -> list[Any]:
    """Surfaces of boundaries of any depth, the slow and obvious way."""
    if boundaries and isinstance(boundaries[0][0], int):
        return [boundaries]
    return [surface for inner in boundaries for surface in rings_of(inner)]


@pytest.mark.parametrize("name", REAL)
def test_real_file_keeps_every_object_and_its_area(shared_data: Path, name: str) -> None:
    path, frame = real(shared_data, name)
    plain = json.loads(path.read_bytes())
    layers = read(path, frame)
    with_geometry = [key for key, item in plain["CityObjects"].items() if item.get("geometry")]
    assert sorted(i for layer in layers for i in layer.table) == sorted(with_geometry)
    vertices = np.array(plain["vertices"], dtype=float) * plain.get("transform", {}).get("scale", 1)
    expected = 0.0
    for key in with_geometry:
        for surface in rings_of(plain["CityObjects"][key]["geometry"][0]["boundaries"]):
            sizes = []
            for ring in surface:
                p = vertices[ring] - vertices[ring[0]]
                sizes.append(np.linalg.norm(np.cross(p, np.roll(p, -1, axis=0)).sum(axis=0)) / 2)
            expected += sizes[0] - sum(sizes[1:])
    found = sum(mesh_of(layer).face_area.sum() for layer in layers)
    # surfaces are plane to a centimetre or so, and triangles follow every bump
    assert found == pytest.approx(expected, rel=2e-4)


def test_the_hague_ridge_heights_agree_with_the_attributes(shared_data: Path) -> None:
    layers = read(*real(shared_data, "DenHaag_01"))
    building = next(layer for layer in layers if layer.theme == "building")
    terrain = next(layer for layer in layers if layer.theme == "terrain")
    assert (len(building.table), len(terrain.table), terrain.kind) == (1990, 1, "mesh")
    assert Counter(building.table.columns["object_type"].values.tolist()) == {"BuildingPart": 1653, "Building": 337}
    mesh = mesh_of(building)
    top = np.full(len(building.table), -np.inf)
    np.maximum.at(top, mesh.face_element, mesh.vertices[mesh.faces, 2].max(axis=1))
    ridge = building.table.columns["AbsoluteRidgeHeight"].values
    assert np.abs(top - ridge).max() < 0.0015


def test_the_hague_roofs_slope_as_the_file_says(shared_data: Path) -> None:
    """The file gives Slope = elevation of each roof's normal, even for overhanging parts that look down."""
    path, frame = real(shared_data, "DenHaag_01")
    building = next(layer for layer in read(path, frame) if layer.theme == "building")
    plain = json.loads(path.read_bytes())["CityObjects"]
    mesh, surface = mesh_of(building), building.field_named("surface")
    assert surface is not None
    cross = np.where((surface.values == 0)[:, None], mesh.face_cross, 0.0)
    # roofs are plane only to decimetres; the sum over the triangles is what the file's own figure stands for
    total = np.stack([np.bincount(mesh.face_element, cross[:, k]) for k in range(3)], axis=1)
    found = np.degrees(np.arcsin(total[:, 2] / np.linalg.norm(total, axis=1)))
    said = np.full(len(building.table), np.nan)
    for row, key in enumerate(building.table.ids):
        surfaces = plain[key]["geometry"][0]["semantics"]["surfaces"]
        roofs = [one["Slope"] for one in surfaces if one["type"] == "RoofSurface"]
        said[row] = roofs[0] if len(roofs) == 1 else np.nan
    known = np.isfinite(said)
    assert known.sum() > 1000
    assert np.abs(found - said)[known].max() < 0.6


@pytest.mark.parametrize(("name", "solids"), [("DenHaag_01", 1990), ("mamre_lod1", 2344)])
def test_solids_are_closed_and_face_outward(shared_data: Path, name: str, solids: int) -> None:
    building = next(layer for layer in read(*real(shared_data, name)) if layer.theme == "building")
    mesh = mesh_of(building)
    rest = np.stack([np.bincount(mesh.face_element, mesh.face_cross[:, k]) for k in range(3)], axis=1)
    closed = np.linalg.norm(rest, axis=1) < 1e-6 * np.bincount(mesh.face_element, 2 * mesh.face_area)
    assert len(closed) == solids
    assert closed.sum() >= solids - 2  # two parts of one house in The Hague have crossing rings in the file
    assert (volumes(building) > 0).all()


def test_one_file_with_many_themes(shared_data: Path) -> None:
    layers = read(*real(shared_data, "delft_3dfier"))
    found = {layer.id: (layer.theme, len(layer.table)) for layer in layers}
    assert found == {
        "building": ("building", 160),
        "road": ("road", 143),
        "water": ("water", 3),
        "bridge": ("other", 3),
        "plant_cover": ("other", 126),
        "land_use": ("other", 81),
        "other": ("other", 54),
    }
    assert issue(layers[0], "city.open_solid").count == 160  # 3dfier leaves out the floor
    assert set(surface_counts(layers[0])) == {"roof", "wall"}


def test_vertices_translated_twice(shared_data: Path) -> None:
    """The Mamre file holds full coordinates and a translation on top: taken twice, the village lies in Libya."""
    path, frame = real(shared_data, "mamre_lod1")
    assert frame.latitude == pytest.approx(-33.51, abs=0.02)
    assert frame.longitude == pytest.approx(18.47, abs=0.03)
    building = read(path, frame)[0]
    assert issue(building, "cityjson.translated_twice").severity == "doubt"
    mesh = mesh_of(building)
    low, high = np.full(2344, np.inf), np.full(2344, -np.inf)
    np.minimum.at(low, mesh.face_element, mesh.vertices[mesh.faces, 2].min(axis=1))
    np.maximum.at(high, mesh.face_element, mesh.vertices[mesh.faces, 2].max(axis=1))
    assert np.median(np.abs(low - building.table.columns["ground_height"].values)) < 0.01
    assert np.median(np.abs(high - building.table.columns["roof_height"].values)) < 0.01


@pytest.mark.parametrize("name", ["DenHaag_01", "delft_3dfier"])
@pytest.mark.parametrize("ending", ["city.json", "city.jsonl.gz"])
def test_real_file_survives_a_round_trip(shared_data: Path, tmp_path: Path, name: str, ending: str) -> None:
    path, frame = real(shared_data, name)
    before = read(path, frame)
    copy_path = tmp_path / f"copy.{ending}"
    assert FORMAT.write is not None
    FORMAT.write(copy_path, before, frame, Feedback())
    info = FORMAT.inspect(copy_path)
    assert (info.version, info.crs, info.vertical) == ("2.0", REAL[name][1], "NAP height")
    assert info.counts == FORMAT.inspect(path).counts
    after = {layer.id: layer for layer in read(copy_path, frame)}
    for layer in before:
        twin = after[layer.id]
        np.testing.assert_array_equal(triangles(mesh_of(layer)), triangles(mesh_of(twin)))
        assert set(twin.table) == set(layer.table)
        assert set(twin.table.columns) == set(layer.table.columns)
        for element in layer.table.ids[:: max(1, len(layer.table) // 40)]:
            assert repr(twin.table.row(element)) == repr(layer.table.row(element))
        if layer.theme == "building":
            assert surface_counts(twin) == surface_counts(layer)


def test_box_of_a_real_file_gives_what_touches_it(shared_data: Path) -> None:
    path, frame = real(shared_data, "3-20-DELFSHAVEN")
    whole = read(path, frame)[0]
    e, n = frame.origin[:2]
    part = read(path, frame, box=MapBox(e - 50, n - 50, e + 50, n + 50))[0]
    mesh = mesh_of(whole)
    corners = mesh.vertices[mesh.faces, :2]
    low, high = np.full((853, 2), np.inf), np.full((853, 2), -np.inf)
    np.minimum.at(low, mesh.face_element, corners.min(axis=1))
    np.maximum.at(high, mesh.face_element, corners.max(axis=1))
    touching = ((low <= 50) & (high >= -50)).all(axis=1)
    assert 0 < touching.sum() < 853
    assert set(part.table) == set(whole.table.ids[touching])
    assert read(path, frame, box=MapBox(0, 0, 1, 1)) == []


# --- geometry and meaning -------------------------------------------------------------------------------------------


def test_a_box_is_where_and_as_large_as_the_file_says(tmp_path: Path) -> None:
    layer = only(tmp_path, three_boxes())
    mesh = mesh_of(layer)
    assert list(layer.table) == ["a", "b", "c"]
    assert mesh.bounds is not None
    np.testing.assert_allclose(mesh.bounds, ([0, 0, 30], [50, 8, 36]), atol=1e-9)
    np.testing.assert_allclose(volumes(layer), 480.0, rtol=1e-9)
    assert surface_counts(layer) == {"roof": 6, "wall": 24, "ground": 6}
    assert (layer.id, layer.name, layer.theme, layer.source.part) == ("building", "city", "building", "building")


def test_inverted_solid_is_turned_and_said(tmp_path: Path) -> None:
    document = three_boxes()
    shell = document["CityObjects"]["b"]["geometry"][0]["boundaries"][0]
    for surface in shell:
        surface[0].reverse()
    layer = only(tmp_path, document)
    assert (volumes(layer) > 0).all()
    assert issue(layer, "city.inverted").elements == ("b",)
    assert surface_counts(layer) == {"roof": 6, "wall": 24, "ground": 6}


def test_inner_shell_is_a_cavity_and_hole_is_a_hole(tmp_path: Path) -> None:
    vertices = box_vertices(0, 0, 0, (10, 10, 10)) + box_vertices(2, 2, 2, (3, 3, 3))
    geometry = solid()
    geometry["boundaries"].append([[[8 + i for i in ring[::-1]] for ring in s] for s in BOX_SURFACES])
    layer = only(tmp_path, city({"a": {"type": "Building", "geometry": [geometry]}}, vertices))
    assert volumes(layer)[0] == pytest.approx(1000 - 27)
    flat = [[0, 0, 0], [9000, 0, 0], [9000, 9000, 0], [0, 9000, 0], [2000, 2000, 0], [2000, 5000, 0], [6000, 2000, 0]]
    plaza = {"type": "MultiSurface", "lod": "1", "boundaries": [[[0, 1, 2, 3], [4, 5, 6]]]}
    layer = only(tmp_path, city({"s": {"type": "TransportSquare", "geometry": [plaza]}}, flat))
    assert layer.theme == "road"
    assert mesh_of(layer).face_area.sum() == pytest.approx(81 - 6)


def test_semantics_of_the_file_come_before_the_direction_of_a_face(tmp_path: Path) -> None:
    surfaces = [{"type": "GroundSurface"}, {"type": "RoofSurface"}, {"type": "WallSurface"}, {"type": "Window"}]
    told = solid(semantics={"surfaces": surfaces, "values": [[0, 1, 2, 3, 1, None]]})
    document = city({"a": {"type": "Building", "geometry": [told]}}, box_vertices(0, 0, 0, (4, 4, 4)))
    layer = only(tmp_path, document)
    assert surface_counts(layer) == {"ground": 2, "roof": 4, "wall": 6}
    exact = layer.field_named("semantic")
    assert exact is not None
    named = Counter(exact.categories[code] if code >= 0 else None for code in exact.values.tolist())
    assert named == {"GroundSurface": 2, "RoofSurface": 4, "WallSurface": 2, "Window": 2, None: 2}


@pytest.mark.parametrize("values", [None, [None], [[0, 1]], [[9] * 6], [["x"] * 6], [[-1] * 6], 5, [[0.5] * 6]])
def test_semantics_that_do_not_fit_are_replaced_by_directions(tmp_path: Path, values: Any) -> None:
    semantics = {"surfaces": [{"type": "RoofSurface"}, {"type": "WallSurface"}], "values": values}
    document = city({"a": {"type": "Building", "geometry": [solid(semantics=semantics)]}}, CORNERS_MM)
    layer = only(tmp_path, document)
    assert surface_counts(layer) == {"roof": 2, "wall": 8, "ground": 2}
    if values is not None and values != [None]:
        assert issue(layer, "city.semantics").elements == ("a",)


CORNERS_MM = box_vertices(0, 0, 0, (5, 5, 5))


@pytest.mark.parametrize(
    ("wanted", "volume", "doubt"),
    [("highest", 64.0, False), ("2", 64.0, False), ("2.2", 64.0, False), ("1", 27.0, False), ("3", 64.0, True),
     ("1.2", 27.0, True), ("0", 27.0, True)],
)  # fmt: skip
def test_level_of_detail(tmp_path: Path, wanted: str, volume: float, doubt: bool) -> None:
    vertices = box_vertices(0, 0, 0, (3, 3, 3)) + box_vertices(0, 0, 0, (4, 4, 4))
    geometry = [solid(0, "1"), solid(8, "2.2")]
    layer = only(tmp_path, city({"a": {"type": "Building", "geometry": geometry}}, vertices), lod=wanted)
    assert volumes(layer)[0] == pytest.approx(volume)
    assert layer.table.row("a")["lod"] == ("2.2" if volume == 64.0 else "1")
    assert any(one.code == "city.lod_other" for one in layer.issues) is doubt


def test_footprint_is_used_only_where_there_is_nothing_better(tmp_path: Path) -> None:
    vertices = box_vertices(0, 0, 0, (3, 3, 3)) + box_vertices(20, 0, 0, (4, 4, 4))
    flat = {"type": "MultiSurface", "lod": 0, "boundaries": [[[0, 1, 2, 3]]]}
    other = {"type": "MultiSurface", "lod": "0.1", "boundaries": [[[8, 9, 10, 11]]]}
    objects = {
        "a": {"type": "Building", "geometry": [flat, solid(0, "1.3")]},
        "b": {"type": "Building", "geometry": [other]},
    }
    layer = only(tmp_path, city(objects, vertices))
    assert layer.table.columns["lod"].values.tolist() == ["1.3", "0.1"]
    assert "LoD 0.1: 1" in issue(layer, "city.lod_mixed").message


def test_parts_inherit_and_know_their_parent(tmp_path: Path) -> None:
    document = three_boxes()
    objects = document["CityObjects"]
    objects["a"] |= {"type": "BuildingPart", "parents": ["p"], "attributes": {"storeys": 4}}
    objects["b"] |= {"type": "BuildingPart", "parents": ["p"]}
    objects["p"] = {"type": "Building", "children": ["a", "b"], "attributes": {"storeys": 9, "use": "학교"}}
    layer = only(tmp_path, document)
    assert list(layer.table) == ["a", "b", "c"]
    table = layer.table.columns
    assert table["parent"].values.tolist() == ["p", "p", None]
    np.testing.assert_array_equal(table["storeys"].values, [4.0, 9.0, np.nan])
    assert table["use"].values.tolist() == ["학교", "학교", None]


def test_objects_that_are_their_own_ancestors_are_refused(tmp_path: Path) -> None:
    document = three_boxes()
    objects = document["CityObjects"]
    objects["a"]["parents"], objects["b"]["parents"] = ["b"], ["a"]
    with pytest.raises(UserError) as caught:
        only(tmp_path, document)
    assert caught.value.code == "cityjson.cyclic_parent"
    assert "a -> b -> a" in caught.value.why


def test_missing_parents_are_said_and_harm_nothing(tmp_path: Path) -> None:
    document = three_boxes()
    document["CityObjects"]["c"]["parents"] = ["nobody"]
    layer = only(tmp_path, document)
    assert issue(layer, "city.parent_missing").elements == ("c",)
    assert len(layer.table) == 3
    assert FORMAT.write is not None
    FORMAT.write(tmp_path / "again.city.jsonl", [layer], FRAME, Feedback())
    assert len(read(tmp_path / "again.city.jsonl")[0].table) == 3


def test_columns_have_the_type_of_their_values(tmp_path: Path) -> None:
    document = three_boxes()
    rows = [
        {
            "height": 3,
            "year": 1999,
            "ok": True,
            "known": True,
            "mixed": 1,
            "deep": {"a": [1]},
            "lod": "x",
            "big": 2**60,
        },
        {"height": 4.5, "year": 2001, "ok": False, "mixed": "1a", "big": 1, "gone": None},
        {"height": None, "year": 2025, "ok": True, "mixed": None, "big": 2},
    ]
    for item, row in zip(document["CityObjects"].values(), rows, strict=True):
        item["attributes"] = row
    layer = only(tmp_path, document)
    values = {name: column.values for name, column in layer.table.columns.items()}
    np.testing.assert_array_equal(values["height"], [3.0, 4.5, np.nan])
    assert values["year"].dtype.kind == "i"
    assert values["ok"].tolist() == [True, False, True]
    assert values["known"].tolist() == ["true", None, None]
    assert values["mixed"].tolist() == ["1", "1a", None]
    assert values["deep"].tolist() == ['{"a":[1]}', None, None]
    assert values["lod"].tolist() == ["1", "1", "1"]
    assert values["lod (attribute)"].tolist() == ["x", None, None]
    assert values["big"].tolist() == [str(2**60), "1", "2"]
    assert FORMAT.write is not None
    FORMAT.write(tmp_path / "again.city.json", [layer], FRAME, Feedback())
    again = read(tmp_path / "again.city.json")[0]
    for element in "abc":
        row, twin = layer.table.row(element), again.table.row(element)
        assert {k: repr(v) for k, v in twin.items()} == {k: repr(v) for k, v in row.items() if k != "gone"}
    written = json.loads((tmp_path / "again.city.json").read_bytes())["CityObjects"]["a"]["attributes"]
    assert written["deep"] == {"a": [1]}
    assert written["known"] is True
    assert written["lod"] == "x"


TEMPLATES = {
    "templates": [{"type": "MultiSurface", "lod": "2", "boundaries": BOX_SURFACES}],
    "vertices-templates": [[c[0] - 0.5, c[1] - 0.5, c[2] * 1.0] for c in CORNERS],
}
# a quarter turn to the left, twice as high, 3 m further along the template's x
MATRIX = [0, -1, 0, 3, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]


def instance(anchor: int = 0, **more: Any) -> dict[str, Any]:
    geometry = {"type": "GeometryInstance", "template": 0, "boundaries": [anchor], "transformationMatrix": list(MATRIX)}
    return {"type": "SolitaryVegetationObject", "geometry": [geometry | more]}


def test_templates_become_instances_in_their_place(tmp_path: Path) -> None:
    vertices = [[10_000, 20_000, 5_000], [50_000, 20_000, 6_000]]
    document = city({"t": instance(0), "u": instance(1)}, vertices, **{"geometry-templates": TEMPLATES})
    layer = only(tmp_path, document)
    assert (layer.kind, layer.theme, len(layer.table), layer.table.row("t")["lod"]) == ("instances", "tree", 2, "2")
    assert layer.geometry is not None
    assert layer.geometry.bounds is not None
    np.testing.assert_allclose(layer.geometry.bounds, ([12.5, 19.5, 5], [53.5, 20.5, 8]), atol=1e-9)
    near = MapBox(E0 + 53, N0, E0 + 60, N0 + 30)
    assert list(only(tmp_path, document, box=near).table) == ["u"]
    # the same through another coordinate system: turned by the difference of the grid norths, nothing stretched
    other = crs.make_frame("EPSG:5187", *(float(v) for v in crs.transform(E0, N0, "EPSG:5186", "EPSG:5187")))
    moved = only(tmp_path, document, frame=other)
    matrix = moved.geometry.transform[0]  # type: ignore[union-attr]
    assert np.linalg.det(matrix[:, :3]) == pytest.approx(2.0, rel=2e-3)
    turn = np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])) - 90.0
    assert turn == pytest.approx(other.convergence_deg - FRAME.convergence_deg, abs=0.01)


def test_templates_of_buildings_are_written_out_as_surfaces(tmp_path: Path) -> None:
    tower = instance(8) | {"type": "Building"}
    document = three_boxes() | {"geometry-templates": TEMPLATES}
    document["CityObjects"]["t"] = tower
    layer = only(tmp_path, document)
    np.testing.assert_allclose(volumes(layer), [480, 480, 480, 2], rtol=1e-9)
    assert surface_counts(layer) == {"roof": 8, "wall": 32, "ground": 8}
    assert issue(layer, "city.baked").count == 1


# --- coordinates ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("urn:ogc:def:crs:EPSG::7415", "EPSG:7415"),
        ("urn:ogc:def:crs:EPSG:6.9:28992", "EPSG:28992"),
        ("urn:ogc:def:crs,crs:EPSG::5186,crs:EPSG::5193", "EPSG:5186+5193"),
        ("https://www.opengis.net/def/crs/EPSG/0/5186", "EPSG:5186"),
        ("http://www.opengis.net/def/crs/EPSG/0/5186", "EPSG:5186"),
        ("http://www.opengis.net/def/crs/EPSG/9.9.1/5186", "EPSG:5186"),
        ("http://www.opengis.net/gml/srs/epsg.xml#25832", "EPSG:25832"),
        (
            "https://www.opengis.net/def/crs-compound?1=http://www.opengis.net/def/crs/EPSG/0/5186"
            "&2=http://www.opengis.net/def/crs/EPSG/0/5193",
            "EPSG:5186+5193",
        ),
        ("EPSG:5186", "EPSG:5186"),
        ("epsg:5186", "EPSG:5186"),
        ("EPSG:5186+5193", "EPSG:5186+5193"),
        ("EPSG:5186+EPSG:5193", "EPSG:5186+EPSG:5193"),
        ("5186", "EPSG:5186"),
        (5186, "EPSG:5186"),
        ({"epsg": 5186}, "EPSG:5186"),
        ("", None),
        (None, None),
        (True, None),
    ],
)
def test_spellings_of_a_coordinate_system(text: Any, expected: str | None) -> None:
    assert crs_text({"referenceSystem": text}) == expected
    if expected:
        assert crs.crs_of(expected).name
    assert crs_text({"crs": {"epsg": 7415}}) == "EPSG:7415"


def test_no_coordinate_system_is_asked_for_and_can_be_named(tmp_path: Path) -> None:
    document = three_boxes()
    document["metadata"] = {}
    path = save(tmp_path, document)
    assert FORMAT.inspect(path).crs is None
    with pytest.raises(MissingCrs):
        read(path)
    assert len(read(path, crs="EPSG:5186")[0].table) == 3
    document["metadata"] = {"referenceSystem": "somewhere nice"}
    path = save(tmp_path, document)
    assert "city.crs_unreadable" in [one.code for one in FORMAT.inspect(path).issues]
    with pytest.raises(UserError, match="somewhere nice"):
        read(path)


def test_degrees_are_reprojected_and_heights_kept(tmp_path: Path) -> None:
    longitude, latitude = (float(v) for v in crs.to_lonlat(E0, N0, "EPSG:5186"))
    vertices = [[longitude + 1e-4 * c[0], latitude + 1e-4 * c[1], 30.0 + c[2]] for c in CORNERS]
    document = city({"a": {"type": "Building", "geometry": [solid()]}}, vertices)
    document |= {"metadata": {"referenceSystem": "urn:ogc:def:crs:OGC:1.3:CRS84"}, "version": "1.0"}
    del document["transform"]
    layer = only(tmp_path, document)
    low, high = mesh_of(layer).bounds or ((), ())
    east, north = crs.transform(longitude + 1e-4, latitude + 1e-4, "EPSG:4326", "EPSG:5186")
    np.testing.assert_allclose(low, [0, 0, 30], atol=0.06)  # grid convergence lowers a corner by some centimetres
    np.testing.assert_allclose(high, [east - E0, north - N0, 31], atol=0.06)
    # the same numbers in a metric system are a mistake, and metres in a geographic one as well
    with pytest.raises(UserError) as caught:
        read(save(tmp_path, document), crs="EPSG:5186")
    assert caught.value.code == "city.degrees"
    with pytest.raises(UserError) as caught:
        read(save(tmp_path, three_boxes()), crs="EPSG:4326")
    assert caught.value.code == "city.not_degrees"


def test_coordinates_at_the_origin_or_far_off_are_doubted(tmp_path: Path) -> None:
    document = three_boxes()
    document["transform"]["translate"] = [0, 0, 0]
    path = save(tmp_path, document)
    assert issue(read(path)[0], "city.near_origin").severity == "doubt"
    assert "city.near_origin" in [one.code for one in FORMAT.inspect(path).issues]
    document["transform"]["translate"] = [N0, E0 + 5e6, 0]
    assert issue(only(tmp_path, document), "city.outside_area").severity == "doubt"


def test_a_building_at_another_end_of_the_world_is_doubted(tmp_path: Path) -> None:
    document = three_boxes()
    document["vertices"][8:16] = [[x - 1000 * E0, y - 1000 * N0, z] for x, y, z in document["vertices"][8:16]]
    layer = only(tmp_path, document)
    assert issue(layer, "city.far_away").elements == ("b",)


def test_feet_become_metres(tmp_path: Path) -> None:
    """EPSG:2263 is in US survey feet, EPSG:6360 are heights in them."""
    foot = 1200.0 / 3937.0
    frame = crs.make_frame("EPSG:32118", 300_000.0, 60_000.0)  # the same projection in metres
    east, north = (float(v) for v in crs.transform(300_000.0, 60_000.0, "EPSG:32118", "EPSG:2263"))
    document = city({"a": {"type": "Building", "geometry": [solid()]}}, box_vertices(0, 0, 100, (10, 20, 30)))
    document["CityObjects"]["t"] = instance(4) | {"type": "Building"}
    document |= {"geometry-templates": TEMPLATES}
    document["transform"]["translate"] = [east, north, 0]
    document["metadata"]["referenceSystem"] = "EPSG:2263+6360"
    layer = only(tmp_path, document, frame=frame)
    np.testing.assert_allclose(volumes(layer) / foot**3, [6000, 2], rtol=1e-6)
    low, _ = mesh_of(layer).bounds or ((), ())
    assert low[2] == pytest.approx(100 * foot, abs=1e-9)


def test_lines_beside_a_solid_are_said(tmp_path: Path) -> None:
    document = three_boxes()
    document["CityObjects"]["b"]["geometry"].append({"type": "MultiLineString", "lod": "0", "boundaries": [[0, 1]]})
    layer = only(tmp_path, document)
    assert issue(layer, "city.geometry_ignored").elements == ("b",)
    assert len(layer.table) == 3


def test_other_height_datum_is_doubted(tmp_path: Path) -> None:
    document = three_boxes()
    document["metadata"]["referenceSystem"] = "urn:ogc:def:crs,crs:EPSG::5186,crs:EPSG::5193"
    path = save(tmp_path, document)
    assert FORMAT.inspect(path).vertical == "KVD1964 height"
    frame = crs.make_frame("EPSG:5186", E0, N0, vertical="NAP height")
    assert issue(read(path, frame)[0], "crs.vertical_differs").values == {
        "file": "KVD1964 height",
        "project": "NAP height",
    }
    same = crs.make_frame("EPSG:5186", E0, N0, vertical="KVD1964 height")
    assert read(path, same)[0].issues == ()


# --- packing, sequences ---------------------------------------------------------------------------------------------


def sequence() -> list[str]:
    whole = three_boxes()
    header = {**whole, "CityObjects": {}, "vertices": []}
    lines = [header]
    for k, name in enumerate("abc"):
        item = {"type": "Building", "geometry": [solid()], "attributes": {"n": k}}
        feature = {"type": "CityJSONFeature", "id": name, "CityObjects": {name: item}}
        lines.append(feature | {"vertices": box_vertices(20.0 * k, 0, 30, (10, 8, 6))})
    return [json.dumps(line) for line in lines]


@pytest.mark.parametrize("packed", [False, True])
def test_sequence_is_the_same_city(tmp_path: Path, packed: bool) -> None:
    text = ("\n".join(sequence()) + "\n\n").encode()
    path = tmp_path / ("city.city.jsonl" + ".gz" * packed)
    path.write_bytes(gzip.compress(text) if packed else text)
    assert FORMAT.sniff(path, path.read_bytes()[:HEAD_BYTES])
    info = FORMAT.inspect(path)
    assert (info.title, info.counts, info.crs) == ("CityJSONSeq", {"Building": 3}, "EPSG:5186")
    layer = read(path)[0]
    whole = only(tmp_path, three_boxes())
    np.testing.assert_array_equal(triangles(mesh_of(layer)), triangles(mesh_of(whole)))
    near = MapBox(E0 + 19, N0, E0 + 31, N0 + 2)
    assert list(read(path, box=near)[0].table) == ["b"]


def test_cut_sequence_keeps_its_whole_lines(tmp_path: Path) -> None:
    text = "\n".join(sequence())
    layer = read(save(tmp_path, text[:-300], "city.city.jsonl"))[0]
    assert list(layer.table) == ["a", "b"]
    assert issue(layer, "city.dropped").elements == ("line 4",)
    lines = sequence()
    layer = read(save(tmp_path, "\n".join([*lines, lines[1]]), "city.city.jsonl"))[0]
    assert issue(layer, "city.dropped").values == {"reasons": {"duplicate_id": 1}}
    with pytest.raises(UserError) as caught:
        read(save(tmp_path, "\n".join(lines[1:]), "city.city.jsonl"))
    assert caught.value.code == "cityjson.no_header"


def test_sniff_looks_at_bytes(tmp_path: Path) -> None:
    def says(text: str | bytes) -> bool:
        path = tmp_path / "some.file"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return FORMAT.sniff(path, path.read_bytes()[:HEAD_BYTES])

    whole = json.dumps(three_boxes())
    assert says(whole)
    assert says(whole[:40])
    assert says(b"\xef\xbb\xbf" + whole.encode())
    assert says(gzip.compress(whole.encode()))
    late = three_boxes()
    late = {"vertices": late["vertices"] * 100, **{k: v for k, v in late.items() if k != "vertices"}}
    late = {k: late[k] for k in ("vertices", "metadata", "transform", "CityObjects", "version", "type")}
    assert says(json.dumps(late))
    assert not says("")
    assert not says("{}")
    assert not says('{"type": "FeatureCollection", "features": [{"note": "\\"type\\": \\"CityJSON\\""}]}')
    assert not says(b"\x1f\x8b\x08broken")
    assert not says(b"II*\x00" + bytes(500))
    assert not FORMAT.sniff(tmp_path / "absent", b"{")


# --- bad input ------------------------------------------------------------------------------------------------------


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """A function that sets (or with ``...`` deletes) a member of a document, the steps separated by slashes."""

    def apply(document: dict[str, Any]) -> None:
        *steps, last = [int(step) if step.isdigit() else step for step in path.split("/")]
        holder: Any = document
        for step in steps:
            holder = holder[step]
        if value is ...:
            del holder[last]
        else:
            holder[last] = value

    return apply


GEOMETRY = "CityObjects/b/geometry/0"


@pytest.mark.parametrize(
    ("where", "value", "reason"),
    [
        ("CityObjects/b", 7, "bad_object"),
        ("CityObjects/b/type", ..., "bad_object"),
        ("CityObjects/b/geometry", "solid", "bad_geometry"),
        (f"{GEOMETRY}/type", "Blob", "no_surfaces"),
        (f"{GEOMETRY}/type", "MultiPoint", "no_surfaces"),
        (f"{GEOMETRY}/type", "MultiSurface", "bad_geometry"),
        (f"{GEOMETRY}/type", "MultiSolid", "bad_geometry"),
        (f"{GEOMETRY}/boundaries", ..., "no_surfaces"),
        (f"{GEOMETRY}/boundaries", 5, "bad_geometry"),
        (f"{GEOMETRY}/boundaries", "0123", "bad_geometry"),
        (f"{GEOMETRY}/boundaries/0/3", None, "bad_geometry"),
        (f"{GEOMETRY}/boundaries/0/3/0", "123", "bad_geometry"),
        (f"{GEOMETRY}/boundaries/0/3/0/1", 1.5, "bad_geometry"),
        (f"{GEOMETRY}/boundaries/0/3/0/1", "3", "bad_geometry"),
        (f"{GEOMETRY}/boundaries/0/3/0/1", 2**70, "bad_geometry"),
        (f"{GEOMETRY}/boundaries/0/3/0/1", 24, "vertex_range"),
        (f"{GEOMETRY}/boundaries/0/3/0/1", -1, "vertex_range"),
        (f"{GEOMETRY}/boundaries", [[[[8, 8, 9]]]], "no_area"),
        ("vertices/9", [1, 2], "vertex_invalid"),
        ("vertices/9", None, "vertex_invalid"),
        ("vertices/9", ["1", 2, 3], "vertex_invalid"),
        ("vertices/9", [float("nan"), 0, 0], "vertex_invalid"),
        ("vertices/9", [1e308, 0, 1e308], "vertex_invalid"),
        ("vertices/9", [1e300, 0, 0], "outside_crs"),
        (GEOMETRY, instance()["geometry"][0], "template"),
    ],
)
def test_one_bad_object_is_left_out_and_the_others_stay(tmp_path: Path, where: str, value: Any, reason: str) -> None:
    document = three_boxes()
    change(where, value)(document)
    path = save(tmp_path, json.dumps(document).replace("1e+308", "1e400"))
    layer = read(path)[0]
    assert list(layer.table) == ["a", "c"]
    np.testing.assert_allclose(volumes(layer), 480.0)
    dropped = issue(layer, "city.dropped")
    assert (dropped.count, dropped.severity, dropped.elements) == (1, "error", ("b",))
    assert dropped.values == {"reasons": {reason: 1}}
    issue(layer, f"city.dropped_{reason}")
    FORMAT.inspect(path)


def test_flat_surface_in_a_good_building_is_only_noted(tmp_path: Path) -> None:
    document = three_boxes()
    document["CityObjects"]["b"]["geometry"][0]["boundaries"][0].append([[8, 9, 8]])
    layer = only(tmp_path, document)
    assert issue(layer, "city.degenerate").elements == ("b",)
    np.testing.assert_allclose(volumes(layer), 480.0)


@pytest.mark.parametrize(
    ("where", "value", "code"),
    [
        ("vertices", ..., "no_vertices"),
        ("vertices", {"0": 1}, "no_vertices"),
        ("vertices", [], "nothing"),
        ("CityObjects", ..., "no_objects"),
        ("CityObjects", [1], "no_objects"),
        ("CityObjects", {}, "nothing"),
        ("type", "FeatureCollection", "not_cityjson"),
        ("type", ..., "not_cityjson"),
        ("transform/scale", [0, 0, 0], "bad_transform"),
        ("transform/scale", [1e30, 1, 1], "bad_transform"),
        ("transform/scale", [-0.001, 0.001, 0.001], "bad_transform"),
        ("transform/scale", [0.001, 0.001], "bad_transform"),
        ("transform/scale", ["1", "1", "1"], "bad_transform"),
        ("transform/translate", ..., "bad_transform"),
        ("transform/translate", [1e300, 0, 0], "bad_transform"),
        ("transform", 5, "bad_transform"),
    ],
)
def test_unusable_files_say_what_why_and_what_to_do(tmp_path: Path, where: str, value: Any, code: str) -> None:
    document = three_boxes()
    change(where, value)(document)
    with pytest.raises(UserError) as caught:
        read(save(tmp_path, document))
    error = caught.value
    assert error.code == f"cityjson.{code}"
    assert error.what
    assert error.why
    assert error.todo


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"  \n\n ", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (json.dumps(three_boxes())[:700].encode(), "not_json"),
        (b"solid ascii\nfacet normal", "not_json"),
        (bytes(range(256)) * 40, "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'{"type":"CityJSON","vertices":' + b"[" * 5000 + b"NaN" + b"]" * 5000 + b"}", "not_json"),
        (b"[1, 2, 3]", "not_cityjson"),
        (b'"CityJSON"', "not_cityjson"),
        (gzip.compress(json.dumps(three_boxes()).encode())[:200], "unreadable"),
        (b"\x1f\x8bbroken", "unreadable"),
    ],
)
def test_bytes_that_are_no_city_model(tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "city.city.json"
    path.write_bytes(data)
    for use in (read, FORMAT.inspect):
        with pytest.raises(UserError) as caught:
            use(path)
        assert caught.value.code == f"cityjson.{code}"


def test_packed_gigabytes_are_refused_before_they_fill_the_memory(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(cityjson_text, "MAX_BYTES", 100_000)
    path = tmp_path / "city.city.json.gz"
    path.write_bytes(gzip.compress(b'{"type":"CityJSON", "vertices":[\n' + b" " * 10_000_000))
    with pytest.raises(UserError) as caught:
        read(path)
    assert caught.value.code == "cityjson.too_large"
    with pytest.raises(UserError) as caught:
        read(tmp_path / "absent.city.json")
    assert caught.value.code == "cityjson.unreadable"


def test_korean_text_in_another_encoding_costs_only_the_text(tmp_path: Path) -> None:
    document = three_boxes()
    document["CityObjects"]["a"]["attributes"] = {"name": "세종"}
    path = tmp_path / "city.city.json"
    path.write_bytes(json.dumps(document, ensure_ascii=False).encode("cp949"))
    layer = read(path)[0]
    assert len(layer.table) == 3
    assert issue(layer, "cityjson.not_utf8").count > 0


def test_other_versions_are_read_with_a_doubt(tmp_path: Path) -> None:
    layer = only(tmp_path, three_boxes() | {"version": "3.1"})
    assert issue(layer, "cityjson.version").values == {"version": "3.1"}


def rich_document() -> dict[str, Any]:
    document = three_boxes() | {"geometry-templates": copy.deepcopy(TEMPLATES)}
    objects = document["CityObjects"]
    objects["t"] = instance(4)
    objects["a"]["attributes"] = {"n": 1, "deep": {"x": [1, None]}}
    objects["b"] |= {"type": "BuildingPart", "parents": ["a"], "address": [{"city": "Sejong"}]}
    semantics = {"surfaces": [{"type": "RoofSurface"}], "values": [[0, None, 0, 0, 0, 0]]}
    objects["c"]["geometry"][0]["semantics"] = semantics
    return document


JUNK = [None, True, -1, 10**30, 1.5, "", "x", [], {}, [[]], [None], {"type": 1}, float("nan"), [1e300] * 3]


def mutated(document: Any, chance: random.Random) -> None:
    """Replace, remove or repeat a member somewhere in the tree."""
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, value in members:
            places.append((node, key))
            walk(value)

    walk(document)
    # most members are numbers of vertices; go for the structure as often
    inner = [place for place in places if isinstance(place[0][place[1]], (list, dict))]
    holder, key = chance.choice(inner if chance.random() < 0.6 else places)
    what = chance.random()
    if what < 0.2:
        del holder[key]
    elif what < 0.3 and isinstance(holder, list):
        holder.insert(0, copy.deepcopy(holder[key]))
    else:
        holder[key] = copy.deepcopy(chance.choice(JUNK))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", range(6))
def test_damaged_files_give_layers_or_a_user_error(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    survived = 0
    for _ in range(60):
        document = rich_document()
        for _ in range(chance.randint(1, 4)):
            mutated(document, chance)
        path = save(tmp_path, document)
        try:
            FORMAT.inspect(path)
            layers = read(path, lod=chance.choice(["highest", "0", "2.2"]))
            survived += 1
            assert all(np.isfinite(mesh_of(layer).vertices).all() for layer in layers if layer.kind == "mesh")
        except UserError as error:
            assert error.todo  # noqa: PT017
    assert survived > 15


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", range(3))
def test_damaged_bytes_give_layers_or_a_user_error(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    text = json.dumps(rich_document()).encode()
    path = tmp_path / "city.city.json"
    for _ in range(40):
        data = bytearray(text)
        for _ in range(chance.randint(1, 5)):
            data[chance.randrange(len(data))] = chance.choice(b'0123456789[]{}",:-e. \xff')
        path.write_bytes(data)
        try:
            read(path)
        except UserError as error:
            assert error.todo  # noqa: PT017


# --- feedback and writing -------------------------------------------------------------------------------------------


def test_the_word_of_the_user_counts_for_objects_that_say_nothing(tmp_path: Path) -> None:
    document = three_boxes()
    for name, kind in (("a", "GenericCityObject"), ("b", "+Shed"), ("c", "Road")):
        document["CityObjects"][name]["type"] = kind
    layers = {layer.id: layer for layer in read(save(tmp_path, document), kind="building")}
    assert (layers["other"].theme, layers["road"].theme) == ("building", "road")
    assert surface_counts(layers["other"]) == {"roof": 4, "wall": 16, "ground": 4}
    assert read(save(tmp_path, document))[1].theme == "other"


def test_a_damaged_neighbour_does_not_move_the_trees(tmp_path: Path) -> None:
    """Objects fall out at different stages; what is placed must stay with its own element."""
    document = three_boxes() | {"geometry-templates": TEMPLATES}
    objects = {"bad": {"type": "Building", "geometry": [solid(900)]}, "t": instance(4), **document["CityObjects"]}
    objects["late"] = instance(999)
    document["CityObjects"] = objects
    for box in (None, MapBox(E0, N0, E0 + 5, N0 + 5)):
        layers = {layer.id: layer for layer in read(save(tmp_path, document), box=box)}
        assert list(layers["tree"].table) == ["t"]
        tree = layers["tree"].geometry
        assert tree is not None
        np.testing.assert_allclose(tree.bounds, ([2.5, -0.5, 36], [3.5, 0.5, 38]), atol=1e-9)
        assert list(layers["building"].table) == (["a", "b", "c"] if box is None else ["a"])
        assert issue(layers["building"], "city.dropped").count == 2


def test_progress_is_told_and_reading_can_be_cancelled(tmp_path: Path) -> None:
    path = save(tmp_path, three_boxes())
    seen: list[float] = []
    FORMAT.read(path, FRAME, ReadOptions(), Feedback(on_progress=lambda done, _: seen.append(done)))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) > 6
    with pytest.raises(Cancelled):
        FORMAT.read(path, FRAME, ReadOptions(), Feedback(is_cancelled=lambda: len(seen) > 0))


def test_layers_of_other_sources_are_written_as_what_they_mean(tmp_path: Path) -> None:
    whole = mesh_of(only(tmp_path, three_boxes()))
    surface = Field("surface", "1", "face", np.zeros(len(whole.faces), np.int8), categories=("roof", "wall"))
    plain = only(tmp_path, three_boxes())
    bare = type(plain.table)(plain.table.ids, {})
    house = plain.with_(table=bare, fields=(surface,))
    road = plain.with_(id="road", theme="road", table=bare, fields=())
    path = tmp_path / "written.city.json"
    assert FORMAT.write is not None
    FORMAT.write(path, [house, road], FRAME, Feedback())
    written = json.loads(path.read_bytes())
    assert Counter(item["type"] for item in written["CityObjects"].values()) == {"Building": 3, "Road": 3}
    assert written["metadata"]["referenceSystem"] == "https://www.opengis.net/def/crs/EPSG/0/5186"
    assert written["CityObjects"]["a"]["geometry"][0]["type"] == "Solid"
    layers = {layer.id: layer for layer in read(path)}
    assert set(surface_counts(layers["building"])) == {"roof"}
    assert list(layers["road"].table) == ["a-2", "b-2", "c-2"]
    np.testing.assert_array_equal(triangles(mesh_of(layers["road"])), triangles(whole))


def test_writing_failures_leave_nothing_behind(tmp_path: Path) -> None:
    layer = only(tmp_path, three_boxes())
    assert FORMAT.write is not None
    with pytest.raises(UserError) as caught:
        FORMAT.write(tmp_path / "no" / "folder.city.json", [layer], FRAME, Feedback())
    assert caught.value.code == "cityjson.unwritable"
    with pytest.raises(UserError) as caught:
        FORMAT.write(tmp_path / "x.city.json", [], FRAME, Feedback())
    assert caught.value.code == "cityjson.nothing_to_write"
    empty = layer.with_(geometry=Mesh(np.zeros((0, 3)), np.zeros((0, 3), np.int32), np.zeros(0, np.int32)), fields=())
    FORMAT.write(tmp_path / "empty.city.json", [empty], FRAME, Feedback())
    assert FORMAT.inspect(tmp_path / "empty.city.json").counts == {"Building": 3}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["city.city.json", "empty.city.json"]


AREAS = ("city", "cityjson", "utility_formats")


def test_korean_texts_exist_for_every_code() -> None:
    root = Path(cityjson_file.__file__).resolve().parents[2]
    texts = [json.loads((root / f"resources/translations/ko/{area}.json").read_text("utf-8")) for area in AREAS]
    korean = {key: text for part in texts for key, text in part.items()}
    source = "".join(p.read_text(encoding="utf-8") for p in sorted((root / "geo/formats").glob("city[_j]*.py")))
    for code in sorted(set(_codes(source))):
        assert {f"issue.{code}", f"error.{code}.what"} & set(korean), code
    for reason in city_objects.REASONS:
        assert f"issue.city.dropped_{reason}" in korean


def _codes(source: str) -> list[str]:
    import re

    return re.findall(r'"((?:cityjson|city|crs)\.(?!unknown|city|json)[a-z_0-9]+)"', source)
