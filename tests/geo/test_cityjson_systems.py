"""CityJSON: coordinate systems, units, height datums, sequences, recognition."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geo import crs
from geo.formats.city_objects import crs_text
from geo.formats.cityjson import FORMAT
from geo.formats.contract import HEAD_BYTES, MapBox
from geo.model import MissingCrs, UserError
from tests.geo.cityjson_files import (
    CORNERS,
    E0,
    N0,
    TEMPLATES,
    box_vertices,
    city,
    instance,
    issue,
    mesh_of,
    only,
    read,
    save,
    solid,
    three_boxes,
    triangles,
    volumes,
)


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
