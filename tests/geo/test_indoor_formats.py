"""IndoorGML, IMDF and OpenStreetMap plans: published counts, deliberate faults, round trips, hostile text."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from geo.crs import make_frame, project_crs_for, transform
from geo.formats import imdf, indoor_osm, indoorgml
from geo.formats.contract import HEAD_BYTES, Format, ReadOptions
from geo.formats.indoor_json import PlanOptions
from geo.formats.indoor_osm import levels_of
from geo.model import Feedback, Frame, Layer, UserError
from tests.tiny import tiny_frame
from tests.tiny_indoor import house

FRAME = tiny_frame()
FJK, PNU, EDITOR = "FJK-Haus_IndoorGML_1_0_3.gml", "PNU-bldg201_3d_v103.gml", "InEditor_example_1.gml"


def opened(form: Format, path: Path, frame: Frame = FRAME, own: object = None) -> dict[str, Layer]:
    assert form.sniff(path, path.read_bytes()[:HEAD_BYTES])
    layers = form.read(path, frame, ReadOptions(own=own), Feedback())  # type: ignore[arg-type]
    return {layer.id: layer for layer in layers}


def codes(layers: dict[str, Layer]) -> set[str]:
    return {issue.code for layer in layers.values() for issue in layer.issues}


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        (FJK, {"cells": 14, "network_nodes": 14, "network_edges": 30}),
        (PNU, {"cells": 80, "boundaries": 184, "network_nodes": 80, "network_edges": 186}),
        (EDITOR, {"cells": 10, "boundaries": 24, "network_nodes": 10, "network_edges": 20}),
    ],
)
def test_indoorgml_counts(shared_data: Path, name: str, counts: dict[str, int]) -> None:
    path = shared_data / "indoor" / name
    layers = opened(indoorgml.FORMAT, path)
    assert {part: len(layer.table) for part, layer in layers.items()} == counts
    info = indoorgml.FORMAT.inspect(path)
    assert info.place_is_weak
    assert info.counts["State"] == counts["network_nodes"]
    nodes = layers["network_nodes"].table
    assert set(layers["network_edges"].table.columns["from"].values) <= set(nodes.ids)
    assert set(nodes.columns["room"].values) <= {*layers["cells"].table.ids, ""}


@pytest.mark.parametrize(
    ("name", "code", "others"),
    [
        ("igml_v1.gml", "", {"indoorgml.cells_overlap", "indoorgml.state_outside", "indoorgml.dual_links"}),
        ("igml_701.gml", "indoorgml.cells_overlap", {"indoorgml.state_outside", "indoorgml.dual_links"}),
        ("igml_702.gml", "indoorgml.state_outside", {"indoorgml.cells_overlap", "indoorgml.dual_links"}),
        ("igml_703_1.gml", "indoorgml.dual_links", {"indoorgml.cells_overlap"}),
    ],
)
def test_deliberate_faults_are_named_and_the_file_opens(
    shared_data: Path, name: str, code: str, others: set[str]
) -> None:
    path = shared_data / "indoor" / "val3dity" / name
    layers = opened(indoorgml.FORMAT, path)
    assert len(layers["cells"].table) >= 1
    assert not code or code in codes(layers)
    assert not others & codes(layers)
    assert (code in {issue.code for issue in indoorgml.FORMAT.inspect(path).issues}) == bool(code)


def test_placing_by_hand(shared_data: Path) -> None:
    """The zero point lands where it is said, turned clockwise and scaled."""
    path = shared_data / "indoor" / "val3dity" / "igml_v1.gml"
    own = indoorgml.IndoorGmlOptions(
        at_east=FRAME.origin[0] + 50, at_north=FRAME.origin[1] - 20, at_height=7.0, rotation_deg=90.0, scale=0.1
    )
    box = opened(indoorgml.FORMAT, path, own=own)["cells"].geometry.bounds  # type: ignore[union-attr]
    # A cube of 10 m whose north edge turns to the east.
    assert np.allclose(box.low, (50.0, -30.0, 7.0))  # type: ignore[union-attr]
    assert np.allclose(box.high, (60.0, -20.0, 17.0))  # type: ignore[union-attr]


def test_any_house_written_as_indoorgml_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "house.indoorgml"
    layers = [layer for layer in house() if layer.theme != "road"]
    indoorgml.FORMAT.write(path, layers, FRAME, Feedback())  # type: ignore[misc]
    back = opened(indoorgml.FORMAT, path)
    by_theme = {layer.id.split("-")[-1]: layer for layer in layers}
    for old, new in (("spaces", "cells"), ("network_nodes", "network_nodes"), ("network_edges", "network_edges")):
        before, after = by_theme[old], back[new]
        assert len(after.table) == len(before.table)
        for side in ("low", "high"):
            ours, theirs = getattr(before.geometry.bounds, side), getattr(after.geometry.bounds, side)  # type: ignore[union-attr]
            assert np.allclose(ours, theirs, atol=1e-3)
    nodes, edges = back["network_nodes"].table, back["network_edges"].table
    assert list(nodes.ids) == list(by_theme["network_nodes"].table.ids)
    assert list(nodes.columns["node"].values) == list(by_theme["network_nodes"].table.columns["node"].values)
    assert list(edges.columns["way"].values) == list(by_theme["network_edges"].table.columns["way"].values)
    widths = [table.columns["width"].values for table in (nodes, by_theme["network_nodes"].table)]
    assert np.allclose(widths[0], widths[1], equal_nan=True)
    assert not codes(back) & {"indoorgml.dual_links", "indoorgml.state_outside", "indoorgml.cells_overlap"}
    with pytest.raises(UserError) as caught:
        indoorgml.FORMAT.write(path, house()[3:], FRAME, Feedback())  # type: ignore[misc]
    assert caught.value.code == "indoorgml.nothing_to_write"


HEAD = '<?xml version="1.0"?>{}<IndoorFeatures xmlns="http://www.opengis.net/indoorgml/1.0/core" '
HEAD += 'xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:xlink="http://www.w3.org/1999/xlink">'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (HEAD.format('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>') + "&a;</IndoorFeatures>", "entities"),
        (HEAD.format("") + "<primalSpaceFeatures>", "damaged"),
        (HEAD.format("") + "</IndoorFeatures>", "no_geometry"),
        (
            HEAD.format("")
            + "<stateMember><State gml:id='s'><geometry><gml:Point><gml:pos>nan x 3</gml:pos></gml:Point></geometry>"
            "</State></stateMember></IndoorFeatures>",
            "no_geometry",
        ),
    ],
)
def test_hostile_text_is_refused(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "x.gml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        opened(indoorgml.FORMAT, path)
    assert caught.value.code == f"indoorgml.{code}"


def cell(id: str, kind: str, x: float, dual: str) -> str:
    ring = "".join(f"<gml:pos>{x + a} {b} 0</gml:pos>" for a, b in ((0, 0), (4, 0), (4, 4), (0, 4), (0, 0)))
    return (
        f"<cellSpaceMember><{kind} gml:id='{id}'><cellSpaceGeometry><Geometry2D><gml:Polygon><gml:exterior>"
        f"<gml:LinearRing>{ring}</gml:LinearRing></gml:exterior></gml:Polygon></Geometry2D></cellSpaceGeometry>"
        f"<duality xlink:href='#{dual}'/></{kind}></cellSpaceMember>"
    )


def state(id: str, x: float, dual: str = "") -> str:
    link = f"<duality xlink:href='#{dual}'/>" if dual else ""
    return (
        f"<stateMember><State gml:id='{id}'>{link}<geometry><gml:Point><gml:pos>{x} 2 0</gml:pos></gml:Point>"
        "</geometry></State></stateMember>"
    )


def test_anchors_layers_and_their_joints(tmp_path: Path) -> None:
    """An anchor space is the way out; a second layer (Wi-Fi cells, say) is joined to the first."""
    text = (
        HEAD.format("")
        + "<primalSpaceFeatures><PrimalSpaceFeatures>"
        + cell("C1", "GeneralSpace", 0, "S1")
        + cell("C2", "AnchorSpace", 4, "S2")
        + "</PrimalSpaceFeatures></primalSpaceFeatures><multiLayeredGraph><MultiLayeredGraph><spaceLayers>"
        + "<spaceLayerMember><SpaceLayer gml:id='L1'><nodes>"
        + state("S1", 2, "C1")
        + state("S2", 6, "C2")
        + "</nodes><edges><transitionMember><Transition gml:id='T1'><connects xlink:href='#S1'/><connects "
        + "xlink:href='#S2'/></Transition></transitionMember></edges></SpaceLayer></spaceLayerMember>"
        + "<spaceLayerMember><SpaceLayer gml:id='L2'><nodes>"
        + state("W1", 3)
        + "</nodes></SpaceLayer></spaceLayerMember></spaceLayers><interEdges><interLayerConnectionMember>"
        + "<InterLayerConnection gml:id='J1'><typeOfTopoExpression>CONTAINS</typeOfTopoExpression>"
        + "<interConnects xlink:href='#S1'/><interConnects xlink:href='#W1'/></InterLayerConnection>"
        + "</interLayerConnectionMember></interEdges></MultiLayeredGraph></multiLayeredGraph></IndoorFeatures>"
    )
    path = tmp_path / "two.gml"
    path.write_text(text, encoding="utf-8")
    assert indoorgml.FORMAT.inspect(path).counts["InterLayerConnection"] == 1
    layers = opened(indoorgml.FORMAT, path)
    kind = dict(
        zip(layers["network_nodes"].table.ids, layers["network_nodes"].table.columns["node"].values, strict=True)
    )
    assert kind == {"S1": "room", "S2": "exit", "W1": "landing"}
    assert "indoorgml.no_exits" not in codes(layers)
    assert layers["network_edges"].table.row("S1>S2#0")["length"] == pytest.approx(4.0)
    joint = layers["interlayer"]
    assert joint.table.row("J1")["topology"] == "CONTAINS"
    assert joint.geometry.bounds.size[0] == pytest.approx(1.0)  # type: ignore[union-attr]


def test_cut_file_is_an_error_a_user_can_read(shared_data: Path, tmp_path: Path) -> None:
    data = (shared_data / "indoor" / FJK).read_bytes()
    for share in (0.3, 0.9):
        path = tmp_path / "cut.gml"
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(UserError):
            opened(indoorgml.FORMAT, path)


# --- plans


def frame_at(lon: float, lat: float) -> Frame:
    crs = project_crs_for("EPSG:4326", lon, lat)
    east, north = transform(lon, lat, "EPSG:4326", crs)
    return make_frame(crs, float(east), float(north))


def test_imdf_venue(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "indoor" / "imdf_spbstu"
    info = imdf.FORMAT.inspect(folder / "unit.geojson")
    assert (info.counts["unit"], info.counts["opening"], info.counts["level"]) == (144, 142, 3)
    frame = frame_at(30.3737, 60.0073)
    layers = opened(imdf.FORMAT, folder / "unit.geojson", frame)
    rooms = layers["rooms"].table
    assert len(rooms) == 144
    assert set(rooms.columns["storey"].values) == {"0", "2"}
    doors = [kind for kind in layers["network_nodes"].table.columns["node"].values if kind == "door"]
    assert len(doors) == 138  # four of the 142 openings join nothing, which is said
    assert {"indoor.doors_nowhere", "indoor.storey_height_assumed"} <= codes(layers)
    packed = tmp_path / "venue.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in folder.glob("*.geojson"):
            archive.write(file, f"venue/{file.name}")
    assert len(opened(imdf.FORMAT, packed, frame)["rooms"].table) == 144
    alone = tmp_path / "unit.geojson"
    shutil.copy(folder / "unit.geojson", alone)
    with pytest.raises(UserError) as caught:
        opened(imdf.FORMAT, alone, frame)
    assert caught.value.code == "imdf.incomplete"


def test_osm_plan(shared_data: Path) -> None:
    path = shared_data / "indoor" / "osm_gare-de-l-est.geojson"
    layers = opened(indoor_osm.FORMAT, path, frame_at(2.36, 48.878), PlanOptions(storey_height=5.0))
    assert len(layers["rooms"].table) == 108
    low = layers["rooms"].table.columns["elevation"].values
    assert set(np.round(low, 3)) == {-5.0, 0.0}
    assert {"indoor_osm.no_level", "indoor_osm.other_features"} <= codes(layers)
    assert not indoor_osm.FORMAT.sniff(path, b'{"type": "FeatureCollection", "features": []}')


def square(x: float, y: float, size: float = 1e-4) -> dict[str, object]:
    ring = [(x, y), (x + size, y), (x + size, y + size), (x, y + size), (x, y)]
    return {"type": "Polygon", "coordinates": [ring]}


def test_osm_area_on_two_levels_and_a_door(tmp_path: Path) -> None:
    features = [
        {"type": "Feature", "id": "w1", "properties": {"indoor": "room", "level": "-1;0", "stairs": "yes"},
         "geometry": square(127.0, 37.0)},
        {"type": "Feature", "id": "w2", "properties": {"indoor": "room", "level": "0"},
         "geometry": square(127.0001, 37.0)},
        {"type": "Feature", "id": "n1", "properties": {"door": "yes", "level": "0", "width": "0.95 m"},
         "geometry": {"type": "Point", "coordinates": [127.0001, 37.00005]}},
        {"type": "Feature", "id": "bad", "properties": None, "geometry": {"type": "Polygon", "coordinates": "x"}},
    ]  # fmt: skip
    path = tmp_path / "plan.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    layers = opened(indoor_osm.FORMAT, path, frame_at(127.0, 37.0))
    assert list(layers["rooms"].table.ids) == ["w1@-1", "w1@0", "w2"]
    nodes = layers["network_nodes"].table
    door = nodes.row("n1@0")
    assert (door["node"], door["width"]) == ("door", pytest.approx(0.95))
    ways = list(layers["network_edges"].table.columns["way"].values)
    assert ways.count("stair") == 1


@pytest.mark.parametrize(
    ("text", "levels"),
    [("-1;0", [-1, 0]), ("0-2", [0, 1, 2]), ("-2--1", [-2, -1]), ("1", [1]), ("0.5", [0.5]), ("", []), ("x", []),
     (None, []), ("0;0", [0])],
)  # fmt: skip
def test_levels(text: object, levels: list[float]) -> None:
    assert levels_of(text) == levels
