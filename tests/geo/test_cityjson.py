"""CityJSON: shapes, semantics, levels of detail, parts, columns and templates of small models."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geo import crs
from geo.formats.cityjson import FORMAT
from geo.formats.contract import MapBox
from geo.model import Feedback, UserError
from tests.geo.cityjson_files import (
    BOX_SURFACES,
    E0,
    FRAME,
    N0,
    TEMPLATES,
    box_vertices,
    city,
    instance,
    issue,
    mesh_of,
    only,
    read,
    solid,
    surface_counts,
    three_boxes,
    volumes,
)


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
