"""CityJSON: broken, hostile and damaged files, writing, and the words for what is wrong."""

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

from geo.formats import city_objects, cityjson_file, cityjson_text
from geo.formats.cityjson import FORMAT
from geo.formats.contract import MapBox, ReadOptions
from geo.model import Cancelled, Feedback, Field, Mesh, UserError
from tests.geo.cityjson_files import (
    E0,
    FRAME,
    N0,
    TEMPLATES,
    instance,
    issue,
    mesh_of,
    only,
    read,
    save,
    solid,
    surface_counts,
    three_boxes,
    triangles,
    volumes,
)


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
