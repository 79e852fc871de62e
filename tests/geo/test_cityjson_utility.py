"""Utility networks written as CityJSON and read again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from geo.crs import make_frame
from geo.formats.cityjson import FORMAT
from geo.formats.contract import MapBox, ReadOptions
from geo.model import Column, ElementTable, Feedback, Issue, Layer, Lines, Mesh, Points, Style
from geo.model import conventions as words

FRAME = make_frame("EPSG:5186", 229_000.0, 435_500.0)


def texts(*values: str | None) -> Column:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return Column(column)


def pipes(layer_id: str = "pipes", stratum: str = "underground") -> Layer:
    vertices = np.array(
        [[0, 0, 18.5], [10, 0, 18.25], [10, 5, 18.0], [20, 5, 17.5], [30, 5, 17.5], [30, 9, 17.0]], float
    )
    columns = {
        words.UTILITY: texts("water", "sewage"),
        words.DIAMETER: Column(np.array([0.3, np.nan]), "m"),
        words.OWNER: texts("세종시", None),
        words.DERIVED: Column(np.array([True, False])),
        "number": Column(np.array([7, 8])),
        "all unknown": Column(np.full(2, np.nan), "m"),
        "object_type": texts("SewerPipe", "SewerPipe"),
    }
    # the second element is in two parts
    shape = Lines(vertices, np.array([0, 2, 4, 6]), np.array([0, 1, 1]))
    return Layer(
        layer_id, "하수관", "utility", shape, ElementTable(["a", "b"], columns), style=Style(visible=False),
        stratum=stratum,  # type: ignore[arg-type]
    )  # fmt: skip


def nodes() -> Layer:
    columns = {words.NODE: texts("manhole"), words.GROUND: Column(np.array([20.0]), "m")}
    return Layer(
        "nodes", "맨홀", "utility", Points(np.array([[10.0, 0.0, 20.0]]), np.array([0])), ElementTable(["a"], columns),
        stratum="underground",
    )  # fmt: skip


def box() -> Layer:
    corners = np.array([[x, y, z] for z in (0.0, 3.0) for y in (0.0, 4.0) for x in (0.0, 5.0)])
    faces = np.array([[0, 2, 1], [1, 2, 3], [4, 5, 6], [5, 7, 6], [0, 1, 4], [1, 5, 4], [2, 6, 3], [3, 6, 7], [0, 4, 2],
                      [2, 4, 6], [1, 3, 5], [3, 7, 5]])  # fmt: skip
    return Layer("house", "house", "building", Mesh(corners, faces, np.zeros(12, np.int32)), ElementTable(["a"]))


def written(path: Path, *layers: Layer) -> dict[str, Layer]:
    assert FORMAT.write is not None
    FORMAT.write(path, list(layers), FRAME, Feedback())
    return {layer.id: layer for layer in FORMAT.read(path, FRAME, ReadOptions(), Feedback())}


def same(found: Layer, given: Layer) -> None:
    assert (found.name, found.theme, found.stratum, found.style.visible) == (
        given.name, given.theme, given.stratum, given.style.visible,
    )  # fmt: skip
    assert found.table.ids.tolist() == given.table.ids.tolist()
    assert list(found.table.columns) == list(given.table.columns)
    for name, column in given.table.columns.items():
        mine = found.table.columns[name]
        assert (mine.unit, mine.values.dtype.kind) == (column.unit, column.values.dtype.kind), name
        if column.values.dtype.kind == "f":
            assert np.array_equal(mine.values, column.values, equal_nan=True)
        else:
            assert mine.values.tolist() == column.values.tolist()
    one, other = found.geometry, given.geometry
    assert type(one) is type(other)
    assert np.allclose(one.vertices, other.vertices, atol=0.0006)  # type: ignore[union-attr]
    if isinstance(one, Lines) and isinstance(other, Lines):
        assert one.offsets.tolist() == other.offsets.tolist()
        assert one.line_element.tolist() == other.line_element.tolist()


@pytest.mark.parametrize("name", ["net.city.json", "net.city.jsonl", "net.city.json.gz"])
def test_networks_come_back_as_they_were(tmp_path: Path, name: str) -> None:
    street, inside, manholes = pipes(), pipes("mep_lines", "indoor"), nodes()
    found = written(tmp_path / name, street, box(), inside, manholes)
    for given in (street, inside, manholes):
        same(found[given.id], given)
    assert len(found["building"].table) == 1  # the house beside them


def test_the_file_is_cityjson_with_an_extension_beside_it(tmp_path: Path) -> None:
    written(tmp_path / "net.city.json", pipes(), nodes())
    document = json.loads((tmp_path / "net.city.json").read_text(encoding="utf-8"))
    named = document["extensions"]["UtilityNetwork"]
    schema = json.loads((tmp_path / named["url"]).read_text(encoding="utf-8"))
    assert schema["type"] == "CityJSONExtension"
    assert schema["version"] == named["version"]
    kinds = {data["type"] for data in document["CityObjects"].values()}
    assert kinds == set(schema["extraCityObjects"]) == {"+UtilityPipe", "+UtilityNode"}
    assert {key for key in document if key.startswith("+")} == set(schema["extraRootProperties"])
    line = document["CityObjects"]["b"]["geometry"][0]
    assert (line["type"], [len(part) for part in line["boundaries"]]) == ("MultiLineString", [2, 2])
    info = FORMAT.inspect(tmp_path / "net.city.json")
    assert dict(info.counts) == {"+UtilityPipe": 2, "+UtilityNode": 1}


def test_only_what_touches_a_rectangle(tmp_path: Path) -> None:
    path = tmp_path / "net.city.json"
    written(path, pipes())
    east, north, _ = FRAME.origin
    options = ReadOptions(box=MapBox(east + 19.0, north + 4.0, east + 40.0, north + 20.0))
    (part,) = FORMAT.read(path, FRAME, options, Feedback())
    assert part.table.ids.tolist() == ["b"]


def test_damaged_lines_keep_their_row_and_are_told(tmp_path: Path) -> None:
    path = tmp_path / "net.city.json"
    written(path, pipes())
    document = json.loads(path.read_text(encoding="utf-8"))
    for bad in ([[0, 99999]], [["x", 1]], [[0]], 7, [[-1, 0]], None):
        document["CityObjects"]["a"]["geometry"][0]["boundaries"] = bad
        path.write_text(json.dumps(document), encoding="utf-8")
        (found,) = FORMAT.read(path, FRAME, ReadOptions(), Feedback())
        assert found.table.ids.tolist() == ["a", "b"]
        assert isinstance(found.geometry, Lines)
        assert set(found.geometry.line_element.tolist()) == {1}
        if bad not in (7, None):
            assert [i.elements for i in found.issues if i.code == "cityjson.bad_network"] == [("a",)]


def test_other_lines_are_told_and_not_written(tmp_path: Path) -> None:
    road = pipes("road").with_(theme="road", name="roads")
    said: list[Issue] = []

    class Listening(Feedback):
        def note(self, issue: Issue) -> None:
            said.append(issue)

    assert FORMAT.write is not None
    FORMAT.write(tmp_path / "net.city.json", [pipes(), road], FRAME, Listening())
    assert [issue.code for issue in said] == ["cityjson.not_written"]
