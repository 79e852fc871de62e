"""CityGML: real files against independent counts, small hand-made ones against known answers, hostile ones."""

# ruff: noqa: E501 - XML is easier to check in one line

from __future__ import annotations

import gzip
import json
import random
import re
import threading
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from geo import crs
from geo.formats import citygml_xml
from geo.formats.citygml import FORMAT, CityGmlOptions
from geo.formats.citygml_box import box_filter
from geo.formats.citygml_model import load
from geo.formats.citygml_place import north_comes_first, reference
from geo.formats.citygml_values import colour_of, unit_of, value_of
from geo.formats.contract import HEAD_BYTES, MapBox, ReadOptions
from geo.model import Cancelled, Feedback, Field, Frame, Instances, Issue, Layer, Mesh, MissingCrs, UserError

E0, N0 = 229_000.0, 435_500.0
FRAME = crs.make_frame("EPSG:5186", E0, N0)
URN = "urn:ogc:def:crs:EPSG::5186"
SPACES = {
    "2.0": """xmlns="http://www.opengis.net/citygml/2.0" xmlns:core="http://www.opengis.net/citygml/2.0"
  xmlns:bldg="http://www.opengis.net/citygml/building/2.0" xmlns:gen="http://www.opengis.net/citygml/generics/2.0"
  xmlns:app="http://www.opengis.net/citygml/appearance/2.0" xmlns:veg="http://www.opengis.net/citygml/vegetation/2.0"
  xmlns:tran="http://www.opengis.net/citygml/transportation/2.0" xmlns:con="http://www.opengis.net/citygml/building/2.0"
  xmlns:uro="https://www.geospatial.jp/iur/uro/3.1" xmlns:gml="http://www.opengis.net/gml"
  xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dem="http://www.opengis.net/citygml/relief/2.0" """,
    "3.0": """xmlns="http://www.opengis.net/citygml/3.0" xmlns:core="http://www.opengis.net/citygml/3.0"
  xmlns:bldg="http://www.opengis.net/citygml/building/3.0" xmlns:gen="http://www.opengis.net/citygml/generics/3.0"
  xmlns:con="http://www.opengis.net/citygml/construction/3.0" xmlns:gml="http://www.opengis.net/gml/3.2"
  xmlns:app="http://www.opengis.net/citygml/appearance/3.0" xmlns:xlink="http://www.w3.org/1999/xlink" """,
}
CORNERS = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1))
FACES = {
    "GroundSurface": [(0, 3, 2, 1)],
    "RoofSurface": [(4, 5, 6, 7)],
    "WallSurface": [(0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)],
}
SIZE = (10.0, 8.0, 6.0)
VOLUME = 480.0


def corner(number: int, x: float = 0.0, y: float = 0.0, z: float = 30.0) -> tuple[float, float, float]:
    a, b, c = CORNERS[number]
    return E0 + x + a * SIZE[0], N0 + y + b * SIZE[1], z + c * SIZE[2]


def positions(ring: tuple[int, ...], *, north_first: bool = True, **at: float) -> str:
    points = [corner(number, **at) for number in (*ring, ring[0])]
    return " ".join(f"{y} {x} {z}" if north_first else f"{x} {y} {z}" for x, y, z in points)


def polygon(text: str, own: str = "", tag: str = "Polygon") -> str:
    mark = f' gml:id="{own}"' if own else ""
    ring = f"<gml:LinearRing><gml:posList>{text}</gml:posList></gml:LinearRing>"
    return f"<gml:{tag}{mark}><gml:exterior>{ring}</gml:exterior></gml:{tag}>"


def member(content: str) -> str:
    return f"<gml:surfaceMember>{content}</gml:surfaceMember>"


def href(name: str) -> str:
    return f'<gml:surfaceMember xlink:href="#{name}"/>'


def shell(content: str) -> str:
    inner = f"<gml:CompositeSurface>{content}</gml:CompositeSurface>"
    return f"<gml:Solid><gml:exterior>{inner}</gml:exterior></gml:Solid>"


def box_faces(prefix: str = "", **at: Any) -> str:
    rings = [ring for rings in FACES.values() for ring in rings]
    return "".join(
        member(polygon(positions(ring, **at), f"{prefix}{k}" if prefix else "")) for k, ring in enumerate(rings)
    )


def building(content: str, own: str = "a", tag: str = "bldg:Building") -> str:
    return f'<core:cityObjectMember><{tag} gml:id="{own}">{content}</{tag}></core:cityObjectMember>'


def box(own: str = "a", lod: int = 1, **at: Any) -> str:
    return building(f"<bldg:lod{lod}Solid>{shell(box_faces(**at))}</bldg:lod{lod}Solid>", own)


def linked_box(own: str = "a", turn: str = "") -> str:
    """Thematic surfaces with polygons, and a solid that only points to them; `turn` names one written inside out."""
    surfaces, links = "", ""
    for name, rings in FACES.items():
        for ring in rings:
            key = f"{own}{ring[0]}{ring[1]}{ring[2]}"
            is_turned = name == turn
            text = positions(ring[::-1] if is_turned else ring)
            surfaces += f'<bldg:boundedBy><bldg:{name} gml:id="s{key}"><bldg:lod2MultiSurface><gml:MultiSurface>'
            surfaces += f"{member(polygon(text, key))}</gml:MultiSurface></bldg:lod2MultiSurface></bldg:{name}></bldg:boundedBy>"
            base = (
                f'<gml:OrientableSurface orientation="-"><gml:baseSurface xlink:href="#{key}"/></gml:OrientableSurface>'
            )
            links += member(base) if is_turned else href(key)
    return building(f"<bldg:lod2Solid>{shell(links)}</bldg:lod2Solid>{surfaces}", own)


def city(content: str, srs: str | None = URN, version: str = "2.0") -> str:
    name = f' srsName="{srs}"' if srs else ""
    envelope = f'<gml:boundedBy><gml:Envelope{name} srsDimension="3"><gml:lowerCorner>0 0 0</gml:lowerCorner>'
    envelope += "<gml:upperCorner>1 1 1</gml:upperCorner></gml:Envelope></gml:boundedBy>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<core:CityModel {SPACES[version]}>{envelope}{content}</core:CityModel>'


def save(folder: Path, text: str | bytes, name: str = "city.gml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(path: Path, frame: Frame = FRAME, *, lod: str = "highest", axes: str = "auto", **options: Any) -> list[Layer]:
    own = CityGmlOptions(lod=lod, axes=axes)  # type: ignore[arg-type]
    return FORMAT.read(path, frame, ReadOptions(own=own, **options), Feedback())


def only(folder: Path, text: str, **options: Any) -> Layer:
    layers = read(save(folder, text), **options)
    assert len(layers) == 1, [layer.id for layer in layers]
    return layers[0]


def mesh_of(layer: Layer) -> Mesh:
    assert isinstance(layer.geometry, Mesh)
    return layer.geometry


def codes(layer: Layer) -> dict[str, int]:
    return {one.code: one.count for one in layer.issues}


def issue(layer: Layer, code: str) -> Issue:
    return next(one for one in layer.issues if one.code == code)


def volumes(layer: Layer) -> NDArray[np.float64]:
    """Signed volume of each element by the divergence theorem, from a corner of its own."""
    mesh = mesh_of(layer)
    origin = np.zeros((len(layer.table), 3))
    origin[mesh.face_element] = mesh.vertices[mesh.faces[:, 0]]
    a = mesh.vertices[mesh.faces[:, 0]] - origin[mesh.face_element]
    return np.bincount(mesh.face_element, np.einsum("ij,ij->i", a, mesh.face_cross) / 6, minlength=len(layer.table))


def field_of(layer: Layer, name: str) -> Field:
    found = layer.field_named(name)
    assert found is not None
    return found


def assert_is_box(layer: Layer) -> None:
    bounds = mesh_of(layer).bounds
    assert bounds is not None
    assert np.allclose(bounds.low, (0.0, 0.0, 30.0), atol=1e-6)
    assert np.allclose(bounds.high, (10.0, 8.0, 36.0), atol=1e-6)
    assert np.allclose(volumes(layer), VOLUME, rtol=1e-9)


# --- real files -----------------------------------------------------------------------------------------------------

KOMATSU = "city/plateau_komatsu_54363371_bldg_6697.gml"
LYON = "city/Opera-Lyon_CityGML3_LOD2.gml"
NAGAOKA = "utilities/plateau_nagaoka/"
# file, version, system, some counts that are known, rectangle west south east north that must hold the file [degrees]
REAL: list[tuple[str, str, str, dict[str, int], tuple[float, float, float, float]]] = [
    (KOMATSU, "2.0", "EPSG:6697", {"Building": 192, "GroundSurface": 31}, (136.38, 36.30, 136.41, 36.32)),
    ("city/plateau_shinjuku_53394517_bldg_6697.gml", "2.0", "EPSG:6697", {"Building": 1}, (139.716, 35.678, 139.719, 35.680)),
    ("city/plateau_suginami_53394503_tran_6697.gml", "2.0", "EPSG:6697", {"Road": 1, "TrafficArea": 2, "AuxiliaryTrafficArea": 3}, (139.66, 35.67, 139.67, 35.68)),
    ("city/plateau_tsukuba_54401008_veg_6697.gml", "2.0", "EPSG:6697", {"PlantCover": 3, "SolitaryVegetationObject": 3}, (140.10, 36.08, 140.12, 36.09)),
    ("city/plateau_tamana_49303414_brid_6697.gml", "2.0", "EPSG:6697", {"Bridge": 3}, (130.56, 32.92, 130.57, 32.93)),
    ("city/plateau_takeshiba_53393690_tun_6697.gml", "2.0", "EPSG:6697", {"Tunnel": 1, "HollowSpace": 2}, (139.74, 35.66, 139.76, 35.67)),
    (LYON, "3.0", "EPSG:3946", {"Building": 1, "RoofSurface": 1, "WallSurface": 2}, (4.835, 45.767, 4.838, 45.769)),
    ("terrain/plateau_yokosuka_523965_dem_6697.gml", "2.0", "EPSG:6697", {"ReliefFeature": 2, "TINRelief": 2}, (139.68, 35.19, 139.70, 35.21)),
    (NAGAOKA + "08EE753_unf_10169_sewer.gml", "2.0", "EPSG:10169", {"SewerPipe": 158, "Manhole": 52}, (138.7, 37.4, 138.8, 37.5)),
    (NAGAOKA + "08EE753_unf_10169_water.gml", "2.0", "EPSG:10169", {"WaterPipe": 21, "Handhole": 11}, (138.7, 37.4, 138.8, 37.5)),
    (NAGAOKA + "08EE752_unf_10169_water.gml", "2.0", "EPSG:10169", {"WaterPipe": 237, "Handhole": 152}, (138.7, 37.4, 138.8, 37.5)),
    (NAGAOKA + "08EE753_unf_10169_lv.gml", "2.0", "EPSG:10169", {"Pipe": 74, "Manhole": 99}, (138.7, 37.4, 138.8, 37.5)),
    ("utilities/citygml_ade/Testfeld1_UtilityNetworkADE.gml", "2.0", "EPSG:25832", {"Network": 1, "Node": 18}, (7.0, 52.0, 7.2, 52.2)),
]  # fmt: skip
READABLE = [one for one in REAL if "water" not in one[0] and "_lv" not in one[0] and "Testfeld" not in one[0]]


def frame_for(path: Path) -> Frame:
    info = FORMAT.inspect(path)
    assert info.crs is not None
    assert info.bounds is not None
    low, high = np.array(info.bounds[:3]), np.array(info.bounds[3:])
    x, y = ((low + high) / 2)[:2]
    project = crs.project_crs_for(info.crs, x, y)
    east, north = crs.transform(x, y, info.crs, project)
    return crs.make_frame(project, float(east), float(north))


def written_positions(path: Path) -> NDArray[np.float64]:
    """All positions of a file by a pattern over its text: no XML, no reader of ours."""
    found = re.findall(r"<gml:pos(?:List)?[^>]*>([^<]*)<", path.read_text(encoding="utf-8-sig"))
    return np.array([float(value) for text in found for value in text.split()]).reshape(-1, 3)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "version", "system", "known", "around"), REAL, ids=[one[0].split("/")[-1] for one in REAL]
)
def test_real_file_is_described_as_its_text_says(
    shared_data: Path, name: str, version: str, system: str, known: dict[str, int], around: tuple[float, ...]
) -> None:
    path = shared_data / name
    head = path.open("rb").read(HEAD_BYTES)
    assert FORMAT.sniff(path, head)
    info = FORMAT.inspect(path)
    assert (info.format, info.version, info.crs) == ("citygml", version, system)
    assert known.items() <= info.counts.items()
    opened = Counter(re.findall(r"<\w+:(\w+)[ >]", path.read_text(encoding="utf-8-sig")))
    assert {key: opened[key] for key in info.counts} == dict(info.counts)
    points = written_positions(path)
    if "6697" in system or "10169" in system:
        points = points[:, [1, 0, 2]]
    assert info.bounds is not None
    assert np.allclose(info.bounds, [*points.min(axis=0), *points.max(axis=0)], rtol=0, atol=1e-9)
    longitude, latitude = crs.to_lonlat(*np.array(info.bounds).reshape(2, 3).T[:2], system)
    west, south, east, north = around
    assert west < longitude.min() < longitude.max() < east
    assert south < latitude.min() < latitude.max() < north
    assert not {"city.outside_area", "city.not_degrees"} & {one.code for one in info.issues}


@pytest.mark.data
@pytest.mark.parametrize("name", [one[0] for one in READABLE], ids=[one[0].split("/")[-1] for one in READABLE])
def test_real_file_is_read_where_it_lies(shared_data: Path, name: str) -> None:
    path = shared_data / name
    frame = frame_for(path)
    layers = read(path, frame)
    info = FORMAT.inspect(path)
    assert info.bounds is not None
    assert layers
    for layer in layers:
        if layer.id in ("pipes", "nodes"):
            continue  # test_citygml_utility.py
        mesh = mesh_of(layer)
        assert set(mesh.face_element.tolist()) == set(range(len(layer.table)))
        assert (mesh.face_area > 0).all()
        assert mesh.vertices[:, 2].min() >= info.bounds[2] - 1e-9
        assert mesh.vertices[:, 2].max() <= info.bounds[5] + 1e-9
        east, north, _ = frame.to_map(mesh.vertices).T
        x, y = crs.transform(east, north, frame.crs, info.crs or "")
        assert (info.bounds[0] - 1e-6 <= x).all()
        assert (x <= info.bounds[3] + 1e-6).all()
        assert (info.bounds[1] - 1e-6 <= y).all()
        assert (y <= info.bounds[4] + 1e-6).all()


@pytest.mark.data
def test_plateau_blocks_have_the_volume_of_their_footprint(shared_data: Path) -> None:
    """Level 1 of PLATEAU is the roof outline of level 0 times the height: area by Shapely, height from the text."""
    from shapely import Polygon

    path = shared_data / KOMATSU
    frame = frame_for(path)
    (layer,) = read(path, frame, lod="1")
    assert len(layer.table) == 192
    found = dict(zip(layer.table.ids.tolist(), volumes(layer).tolist(), strict=True))
    assert min(found.values()) > 0
    text = path.read_text(encoding="utf-8-sig")
    checked = 0
    for part in text.split("<bldg:Building gml:id=")[1:]:
        name = part.split('"')[1]
        outline = np.array(re.findall(r"lod0RoofEdge>.*?posList>([^<]*)<", part, re.S)[0].split(), float).reshape(-1, 3)
        solid = re.findall(r"<bldg:lod1Solid>(.*?)</bldg:lod1Solid>", part, re.S)[0]
        z = [float(v) for text in re.findall(r"posList>([^<]*)<", solid) for v in text.split()[2::3]]
        east, north = crs.transform(outline[:, 1], outline[:, 0], "EPSG:6697", frame.crs)
        expected = Polygon(np.stack([east, north], axis=1)).area * (max(z) - min(z))
        assert found[name] == pytest.approx(expected, rel=1e-3)
        checked += 1
    assert checked == 192


@pytest.mark.data
def test_plateau_buildings_at_their_highest_level(shared_data: Path) -> None:
    path = shared_data / KOMATSU
    (layer,) = read(path, frame_for(path))
    assert Counter(layer.table.columns["lod"].values.tolist()) == {"1": 161, "2": 31}
    assert (volumes(layer) > 0).all()
    assert "city.open_solid" not in codes(layer)
    row = layer.table.row_at(0)
    assert row["class"] == "3001"
    assert row["bldgDataQualityAttribute.lod1HeightType"] == "2"
    assert layer.table.columns["measuredHeight"].unit == "m"
    assert layer.table.columns["bldgDisasterRiskAttribute.depth"].unit == "m"
    heights = np.asarray(layer.table.columns["measuredHeight"].values, float)
    assert 1.5 < np.nanmin(heights) < np.nanmax(heights) < 40.0
    tall = np.array(
        [np.ptp(mesh_of(layer).vertices[mesh_of(layer).faces[mesh_of(layer).face_element == k], 2]) for k in range(192)]
    )
    assert np.nanmedian(np.abs(tall - heights)) < 1.0
    assert codes(layer)["citygml.textures"] == 31
    assert "storeysAboveGround" not in layer.table.columns
    assert codes(layer)["citygml.unknown_values"] == 192


@pytest.mark.data
def test_road_is_its_traffic_areas_once(shared_data: Path) -> None:
    path = shared_data / "city/plateau_suginami_53394503_tran_6697.gml"
    frame = frame_for(path)
    (lanes,) = read(path, frame)
    assert Counter(lanes.table.columns["object_type"].values.tolist()) == {"TrafficArea": 2, "AuxiliaryTrafficArea": 3}
    assert set(lanes.table.columns["function"].values.tolist()) <= {"1000", "1020", "2000", "2020", "3000"}
    (road,) = read(path, frame, lod="1")
    assert road.table.columns["object_type"].values.tolist() == ["Road"]
    assert mesh_of(lanes).face_area.sum() == pytest.approx(mesh_of(road).face_area.sum(), rel=0.02)


@pytest.mark.data
def test_strata_and_themes_of_real_files(shared_data: Path) -> None:
    wanted = {
        "city/plateau_takeshiba_53393690_tun_6697.gml": [("tunnel", "other", "underground")],
        "city/plateau_tsukuba_54401008_veg_6697.gml": [
            ("tree", "tree", "outdoor"),
            ("plant_cover", "other", "outdoor"),
        ],
        "city/plateau_tamana_49303414_brid_6697.gml": [("bridge", "other", "outdoor")],
        "terrain/plateau_yokosuka_523965_dem_6697.gml": [("terrain", "terrain", "outdoor")],
        NAGAOKA + "08EE753_unf_10169_sewer.gml": [
            ("utility", "utility", "underground"),
            ("pipes", "utility", "underground"),
            ("nodes", "utility", "underground"),
        ],
    }
    for name, parts in wanted.items():
        layers = read(shared_data / name, frame_for(shared_data / name))
        assert [(layer.id, layer.theme, layer.stratum) for layer in layers] == parts
        if name.startswith(NAGAOKA):
            assert [len(layer.table) for layer in layers] == [38, 158, 52]
            assert "city.dropped" not in codes(layers[0])


@pytest.mark.data
def test_colours_are_those_of_the_materials(shared_data: Path) -> None:
    path = shared_data / "city/plateau_tamana_49303414_brid_6697.gml"
    (layer,) = read(path, frame_for(path))
    colour = field_of(layer, "colour")
    text = path.read_text(encoding="utf-8-sig")
    said = {colour_of(one) for one in re.findall(r"<app:diffuseColor>([^<]*)<", text)}
    assert set(colour.values.tolist()) == said
    assert len(colour.values) == len(mesh_of(layer).faces)


# --- geometry -------------------------------------------------------------------------------------------------------


def test_plain_box(tmp_path: Path) -> None:
    layer = only(tmp_path, city(box()))
    assert_is_box(layer)
    assert len(mesh_of(layer).vertices) == 8
    assert len(mesh_of(layer).faces) == 12
    assert layer.table.ids.tolist() == ["a"]
    assert layer.issues == ()
    assert layer.source.part == layer.id == "building"
    assert dict(Counter(field_of(layer, "surface").values.tolist())) == {0: 2, 1: 8, 2: 2}


@pytest.mark.parametrize("turn", ["", "WallSurface", "RoofSurface"])
def test_solid_of_links_has_semantics_and_orientation(tmp_path: Path, turn: str) -> None:
    layer = only(tmp_path, city(linked_box(turn=turn)))
    assert_is_box(layer)
    assert len(mesh_of(layer).faces) == 12
    surface = field_of(layer, "surface")
    up = mesh_of(layer).face_normal[:, 2]
    assert (up[surface.values == 0] > 0.99).all()
    assert (up[surface.values == 2] < -0.99).all()
    assert not {"city.open_solid", "city.inverted", "citygml.unresolved"} & set(codes(layer))


def test_copies_beside_thematic_surfaces_are_drawn_once(tmp_path: Path) -> None:
    linked = linked_box()
    copied = linked.replace(
        linked[linked.index("<bldg:lod2Solid>") : linked.index("</bldg:lod2Solid>")],
        f"<bldg:lod2Solid>{shell(box_faces())}",
    )
    layer = only(tmp_path, city(copied))
    assert_is_box(layer)
    assert len(mesh_of(layer).faces) == 12
    assert dict(Counter(field_of(layer, "surface").values.tolist())) == {0: 2, 1: 8, 2: 2}


def test_inside_out_solid_is_turned_and_said(tmp_path: Path) -> None:
    rings = [ring[::-1] for rings in FACES.values() for ring in rings]
    faces = "".join(member(polygon(positions(ring))) for ring in rings)
    layer = only(tmp_path, city(building(f"<bldg:lod1Solid>{shell(faces)}</bldg:lod1Solid>")))
    assert_is_box(layer)
    assert codes(layer)["city.inverted"] == 1


def test_holes_other_patches_and_old_positions(tmp_path: Path) -> None:
    outer, inner = "0 0 0 0 10 0 10 10 0 10 0 0 0 0 0", "2 2 0 4 2 0 4 4 0 2 4 0 2 2 0"
    shifted = [
        " ".join(str(float(v) + o) for v, o in zip(t.split(), [N0, E0, 5.0] * 5, strict=True)) for t in (outer, inner)
    ]
    hole = f"<gml:interior><gml:LinearRing><gml:posList>{shifted[1]}</gml:posList></gml:LinearRing></gml:interior>"
    with_hole = polygon(shifted[0]).replace("</gml:Polygon>", hole + "</gml:Polygon>")
    triples = np.array(shifted[0].split(), float).reshape(-1, 3)
    singles = "".join(f"<gml:pos>{a} {b} {c + 10}</gml:pos>" for a, b, c in triples)
    old = " ".join(f"{a},{b},{c + 20}" for a, b, c in triples)
    faces = member(with_hole)
    faces += member(
        f"<gml:Polygon><gml:exterior><gml:LinearRing>{singles}</gml:LinearRing></gml:exterior></gml:Polygon>"
    )
    faces += member(
        f"<gml:Polygon><gml:exterior><gml:LinearRing><gml:coordinates>{old}</gml:coordinates></gml:LinearRing></gml:exterior></gml:Polygon>"
    )
    patch = f"<gml:Surface><gml:patches>{polygon(shifted[0], tag='PolygonPatch')}</gml:patches></gml:Surface>"
    surface = (
        f"<bldg:lod2MultiSurface><gml:MultiSurface>{faces}{member(patch)}</gml:MultiSurface></bldg:lod2MultiSurface>"
    )
    layer = only(tmp_path, city(building(surface)))
    mesh = mesh_of(layer)
    assert mesh.face_area.sum() == pytest.approx(96.0 + 100.0 + 100.0 + 100.0)
    assert sorted(set(mesh.vertices[:, 2].tolist())) == [5.0, 15.0, 25.0]


def test_two_dimensional_rings_lie_at_zero_and_that_is_said(tmp_path: Path) -> None:
    flat = polygon(f"{N0} {E0} {N0} {E0 + 10} {N0 + 10} {E0 + 10} {N0} {E0}").replace(
        "posList>", 'posList srsDimension="2">', 1
    )
    surface = f"<bldg:lod0FootPrint><gml:MultiSurface>{member(flat)}</gml:MultiSurface></bldg:lod0FootPrint>"
    layer = only(tmp_path, city(building(surface)))
    assert mesh_of(layer).face_area.sum() == pytest.approx(50.0)
    assert codes(layer)["citygml.flat"] == 1


def test_level_of_detail(tmp_path: Path) -> None:
    levels = "".join(f"<bldg:lod{k}Solid>{shell(box_faces(z=30.0 + 10 * k))}</bldg:lod{k}Solid>" for k in (1, 3))
    path = save(tmp_path, city(building(levels) + box("b", lod=1, x=50.0)))
    for wanted, height, told in (
        ("highest", 60.0, "3"),
        ("3", 60.0, "3"),
        ("2", 40.0, "1"),
        ("1", 40.0, "1"),
        ("0", 40.0, "1"),
    ):
        (layer,) = read(path, lod=wanted)
        mesh = mesh_of(layer)
        assert mesh.vertices[mesh.faces[mesh.face_element == 0], 2].min() == height
        assert layer.table.row("a")["lod"] == told
    assert "city.lod_other" in codes(layer)


def test_repeated_shape_stands_at_its_reference_point(tmp_path: Path) -> None:
    square = polygon("0 0 0 1 0 0 1 1 0 0 1 0 0 0 0")
    shape = f'<gml:MultiSurface gml:id="leaf">{member(square)}</gml:MultiSurface>'

    def tree(own: str, inner: str, east: float, matrix: str = "2 0 0 0 0 2 0 0 0 0 2 3 0 0 0 1") -> str:
        point = (
            f"<core:referencePoint><gml:Point><gml:pos>{N0} {E0 + east} 30</gml:pos></gml:Point></core:referencePoint>"
        )
        implicit = f"<core:ImplicitGeometry><core:transformationMatrix>{matrix}</core:transformationMatrix>{inner}{point}</core:ImplicitGeometry>"
        return building(
            f"<veg:lod2ImplicitRepresentation>{implicit}</veg:lod2ImplicitRepresentation>",
            own,
            "veg:SolitaryVegetationObject",
        )

    first = f"<core:relativeGMLGeometry>{shape}</core:relativeGMLGeometry>"
    linked = '<core:relativeGMLGeometry xlink:href="#leaf"/>'
    trees = tree("t1", first, 0) + tree("t2", linked, 100) + tree("t3", linked, 200, "1 2 3")
    layer = only(tmp_path, city(trees))
    assert layer.theme == "tree"
    assert isinstance(layer.geometry, Instances)
    assert len(layer.geometry.shapes) == 1
    assert layer.table.ids.tolist() == ["t1", "t2"]
    baked = layer.geometry.baked()
    assert np.allclose(baked.bounds, ((0, 0, 33), (102, 2, 33)), atol=1e-6)
    assert codes(layer)["city.dropped_template"] == 1


def test_rooms_are_indoors_and_parts_know_their_building(tmp_path: Path) -> None:
    room = f'<bldg:interiorRoom><bldg:Room gml:id="r"><bldg:lod4Solid>{shell(box_faces())}</bldg:lod4Solid></bldg:Room></bldg:interiorRoom>'
    part = f'<bldg:consistsOfBuildingPart><bldg:BuildingPart gml:id="p"><bldg:lod1Solid>{shell(box_faces(x=20.0))}</bldg:lod1Solid></bldg:BuildingPart></bldg:consistsOfBuildingPart>'
    layers = read(save(tmp_path, city(building("<bldg:usage>1010</bldg:usage>" + part + room))))
    assert [(layer.id, layer.theme, layer.stratum) for layer in layers] == [
        ("building", "building", "outdoor"),
        ("indoor", "space", "indoor"),
    ]
    row = layers[0].table.row("p")
    assert (row["parent"], row["usage"], row["object_type"]) == ("a", "1010", "BuildingPart")


def test_furniture_indoors_and_windows(tmp_path: Path) -> None:
    chair = polygon(positions((0, 1, 2, 3)))
    furniture = f'<bldg:interiorFurniture><bldg:BuildingFurniture gml:id="f"><bldg:lod4Geometry><gml:MultiSurface>{member(chair)}</gml:MultiSurface></bldg:lod4Geometry></bldg:BuildingFurniture></bldg:interiorFurniture>'
    room = f'<bldg:interiorRoom><bldg:Room gml:id="r"><bldg:lod4Solid>{shell(box_faces())}</bldg:lod4Solid>{furniture}</bldg:Room></bldg:interiorRoom>'
    pane = f"<bldg:opening><bldg:Window><bldg:lod3MultiSurface><gml:MultiSurface>{member(polygon(positions((0, 1, 5, 4))))}</gml:MultiSurface></bldg:lod3MultiSurface></bldg:Window></bldg:opening>"
    wall = f"<bldg:boundedBy><bldg:WallSurface><bldg:lod3MultiSurface><gml:MultiSurface>{member(polygon(positions((1, 2, 6, 5))))}</gml:MultiSurface></bldg:lod3MultiSurface>{pane}</bldg:WallSurface></bldg:boundedBy>"
    path = save(tmp_path, city(building(wall + room)))
    assert FORMAT.inspect(path).counts == {
        "Building": 1,
        "WallSurface": 1,
        "Window": 1,
        "Room": 1,
        "BuildingFurniture": 1,
    }
    layers = {layer.id: layer for layer in read(path)}
    assert {key: (layer.theme, layer.stratum) for key, layer in layers.items()} == {
        "building": ("building", "outdoor"),
        "indoor": ("space", "indoor"),
        "indoor_furniture": ("furniture", "indoor"),
    }
    semantic = field_of(layers["building"], "semantic")
    assert (
        sorted(semantic.categories[code] for code in semantic.values.tolist()) == ["WallSurface"] * 2 + ["Window"] * 2
    )
    assert set(field_of(layers["building"], "surface").values.tolist()) == {1}


def test_version_three(tmp_path: Path) -> None:
    surfaces = ""
    for name, rings in FACES.items():
        faces = "".join(member(polygon(positions(ring))) for ring in rings)
        surfaces += f"<core:boundary><con:{name}><core:lod2MultiSurface><gml:MultiSurface>{faces}</gml:MultiSurface></core:lod2MultiSurface></con:{name}></core:boundary>"
    height = '<con:height><con:Height><con:status>measured</con:status><con:value uom="m">6.0</con:value></con:Height></con:height>'
    generic = "<core:genericAttribute><gen:IntAttribute><gen:name>households</gen:name><gen:value>12</gen:value></gen:IntAttribute></core:genericAttribute>"
    path = save(tmp_path, city(building(generic + surfaces + height), version="3.0"))
    assert FORMAT.inspect(path).counts == {"Building": 1, "GroundSurface": 1, "RoofSurface": 1, "WallSurface": 1}
    (layer,) = read(path)
    assert_is_box(layer)
    row = layer.table.row_at(0)
    assert (row["height"], row["height.status"], row["households"]) == (6.0, "measured", 12)
    assert layer.table.columns["height"].unit == "m"


def test_material_colours_and_textures(tmp_path: Path) -> None:
    faces = box_faces("f")
    whole = f'<gml:MultiSurface gml:id="all">{faces}</gml:MultiSurface>'
    material = "<app:surfaceDataMember><app:X3DMaterial><app:diffuseColor>{}</app:diffuseColor><app:target>#{}</app:target></app:X3DMaterial></app:surfaceDataMember>"
    texture = "<app:surfaceDataMember><app:ParameterizedTexture><app:imageURI>../../etc/passwd</app:imageURI></app:ParameterizedTexture></app:surfaceDataMember>"
    looks = f"<app:appearanceMember><app:Appearance><app:theme>rgb</app:theme>{material.format('1 0 0.5', 'all')}{material.format('0 0 1', 'f1')}{texture}</app:Appearance></app:appearanceMember>"
    text = city(building(f"<bldg:lod2MultiSurface>{whole}</bldg:lod2MultiSurface>") + looks)
    layer = only(tmp_path, text)
    colour = field_of(layer, "colour")
    roof = mesh_of(layer).face_normal[:, 2] > 0.99
    assert set(colour.values[roof].tolist()) == {0x0000FF}
    assert set(colour.values[~roof].tolist()) == {0xFF0080}
    assert codes(layer)["citygml.textures"] == 1


# --- attributes -----------------------------------------------------------------------------------------------------


def test_attributes(tmp_path: Path) -> None:
    attributes = """<gml:name>시청</gml:name><core:creationDate>2024-03-15</core:creationDate>
    <gen:stringAttribute name="code"><gen:value>007</gen:value></gen:stringAttribute>
    <gen:measureAttribute name="area"><gen:value uom="#m2">12.50</gen:value></gen:measureAttribute>
    <gen:genericAttributeSet name="set"><gen:intAttribute name="n"><gen:value>3</gen:value></gen:intAttribute></gen:genericAttributeSet>
    <bldg:class codeSpace="x.xml">3001</bldg:class><bldg:function>1000</bldg:function><bldg:function>1010</bldg:function>
    <bldg:yearOfConstruction>1987</bldg:yearOfConstruction><bldg:measuredHeight uom="urn:ogc:def:uom:UCUM::m">5.5</bldg:measuredHeight>
    <bldg:storeysAboveGround>9999</bldg:storeysAboveGround>
    <uro:buildingDetailAttribute><uro:BuildingDetailAttribute><uro:totalFloorArea uom="m2">100</uro:totalFloorArea>
      <uro:buildingStructureType codeSpace="y.xml">611</uro:buildingStructureType></uro:BuildingDetailAttribute></uro:buildingDetailAttribute>
    """
    inside = building(attributes + f"<bldg:lod1Solid>{shell(box_faces())}</bldg:lod1Solid>")
    layer = only(tmp_path, city(inside))
    row = layer.table.row_at(0)
    expected = {
        "name": "시청",
        "creationDate": "2024-03-15",
        "code": "007",
        "area": 12.5,
        "set.n": 3,
        "class": "3001",
        "function": "1000",
        "function.2": "1010",
        "yearOfConstruction": 1987,
        "measuredHeight": 5.5,
        "buildingDetailAttribute.totalFloorArea": 100,
        "buildingDetailAttribute.buildingStructureType": "611",
    }
    assert {key: row[key] for key in expected} == expected
    assert "storeysAboveGround" not in row
    assert (
        layer.table.columns["area"].unit == layer.table.columns["buildingDetailAttribute.totalFloorArea"].unit == "m2"
    )
    assert layer.table.columns["measuredHeight"].unit == "m"


def test_small_words() -> None:
    assert [value_of(t) for t in ("12", "-1.5", "007", "1e3", "1234567890123456", "nan", "1_0")] == [
        12,
        -1.5,
        "007",
        1000.0,
        "1234567890123456",
        "nan",
        "1_0",
    ]
    assert [unit_of(t) for t in ("#m", "m", "urn:adv:uom:m", "m2", "metre")] == ["m", "m", "m", "m2", "m"]
    assert [colour_of(t) for t in ("1 0 0", "2 0 0", "1 0", "x", None)] == [0xFF0000, None, None, None, None]


# --- coordinate systems ---------------------------------------------------------------------------------------------


def test_spellings_of_a_system() -> None:
    definitions = {
        "urn:ogc:def:crs:EPSG::6697": "EPSG:6697",
        "urn:ogc:def:crs:EPSG:9.0:6697": "EPSG:6697",
        "http://www.opengis.net/def/crs/EPSG/0/6697": "EPSG:6697",
        "https://www.opengis.net/def/crs/EPSG/0/10169": "EPSG:10169",
        "urn:ogc:def:crs,crs:EPSG::25832,crs:EPSG::5783": "EPSG:25832+5783",
    }
    short = {
        "EPSG:25832": "EPSG:25832",
        "epsg:25832": "EPSG:25832",
        "http://www.opengis.net/gml/srs/epsg.xml#25832": "EPSG:25832",
        "urn:adv:crs:ETRS89_UTM32*DE_DHHN92_NH": "EPSG:25832+5783",
        "urn:adv:crs:DE_DHDN_3GK3": "EPSG:31467",
        "urn:adv:crs:ETRS89_UTM33": "EPSG:25833",
        "urn:ogc:def:crs:OGC:1.3:CRS84": "EPSG:4326",
    }
    for names, by_definition in ((definitions, True), (short, False)):
        for name, expected in names.items():
            found = reference(name)
            assert found is not None
            assert found == (expected, by_definition), name
    assert reference(None) is None
    assert [north_comes_first(one) for one in ("EPSG:6697", "EPSG:10169", "EPSG:5186", "EPSG:25832", "EPSG:3946")] == [
        True,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("srs", "north_first", "axes", "doubt"),
    [
        (URN, True, "auto", ""),
        ("http://www.opengis.net/def/crs/EPSG/0/5186", True, "auto", ""),
        ("EPSG:5186", False, "auto", ""),
        ("EPSG:5186", True, "auto", "citygml.axes_concluded"),
        (URN, False, "auto", "city.outside_area"),
        (URN, False, "east_first", ""),
        ("EPSG:5186", True, "north_first", ""),
    ],
)
def test_order_of_axes(tmp_path: Path, srs: str, north_first: bool, axes: str, doubt: str) -> None:
    layer = only(tmp_path, city(box(north_first=north_first), srs), axes=axes)
    assert set(codes(layer)) >= ({doubt} if doubt else set())
    if doubt == "city.outside_area":
        bounds = mesh_of(layer).bounds
        assert bounds is not None
        assert abs(bounds.low[0]) > 100_000
    else:
        assert_is_box(layer)


def test_latitude_first_under_a_short_name_is_noticed(tmp_path: Path) -> None:
    longitude, latitude = crs.to_lonlat(
        np.array([E0, E0 + 10, E0 + 10, E0]), np.array([N0, N0, N0 + 10, N0]), "EPSG:5186"
    )
    for first, second, doubt in ((latitude, longitude, True), (longitude, latitude, False)):
        text = " ".join(f"{a:.10f} {b:.10f} 30" for a, b in zip(first, second, strict=True))
        surface = f"<bldg:lod1MultiSurface><gml:MultiSurface>{member(polygon(text))}</gml:MultiSurface></bldg:lod1MultiSurface>"
        layer = only(tmp_path, city(building(surface), "EPSG:4326"))
        assert np.allclose(mesh_of(layer).bounds, ((0, 0, 30), (10, 10, 30)), atol=1e-3)
        assert ("citygml.axes_concluded" in codes(layer)) is doubt


def test_geometries_in_another_system_are_brought_together(tmp_path: Path) -> None:
    east, north = crs.transform(
        np.array([E0, E0 + 10, E0 + 10]), np.array([N0, N0, N0 + 10]), "EPSG:5186", "EPSG:32652"
    )
    text = " ".join(f"{x:.6f} {y:.6f} 30" for x, y in zip([*east, east[0]], [*north, north[0]], strict=True))
    other = f'<bldg:lod1MultiSurface><gml:MultiSurface srsName="urn:ogc:def:crs:EPSG::32652">{member(polygon(text))}</gml:MultiSurface></bldg:lod1MultiSurface>'
    layer = only(tmp_path, city(building(other, "b") + box(x=50.0)))
    mesh = mesh_of(layer)
    triangle = mesh.vertices[mesh.faces[mesh.face_element == 0]].reshape(-1, 3)
    assert np.allclose(triangle.min(axis=0), (0, 0, 30), atol=1e-3)
    assert np.allclose(triangle.max(axis=0), (10, 10, 30), atol=1e-3)
    assert mesh.vertices[mesh.faces[mesh.face_element == 1], 0].min() == pytest.approx(50.0)
    assert issue(layer, "citygml.mixed_crs").severity == "doubt"


def test_missing_and_named_systems(tmp_path: Path) -> None:
    path = save(tmp_path, city(box(north_first=False), None))
    assert FORMAT.inspect(path).crs is None
    with pytest.raises(MissingCrs):
        read(path)
    (layer,) = read(path, crs="EPSG:5186")
    assert_is_box(layer)
    wrong = save(tmp_path, city(box(), "urn:ogc:def:crs:EPSG::5181"), "wrong.gml")
    (layer,) = read(wrong, crs="EPSG:5186")
    assert_is_box(layer)
    unknown = save(tmp_path, city(box(north_first=False), "urn:x:local"), "unknown.gml")
    assert FORMAT.inspect(unknown).crs is None
    (layer,) = read(unknown, crs="EPSG:5186")
    assert_is_box(layer)


def test_system_named_only_by_an_object_or_a_geometry(tmp_path: Path) -> None:
    named = f'gml:id="a"><gml:boundedBy><gml:Envelope srsName="{URN}"/></gml:boundedBy>'
    by_object = city(box(), None).replace('gml:id="a">', named)
    by_geometry = city(box(), None).replace("<gml:Solid>", f'<gml:Solid srsName="{URN}">')
    for text in (by_object, by_geometry):
        path = save(tmp_path, text)
        assert FORMAT.inspect(path).crs == "EPSG:5186"
        assert_is_box(read(path)[0])


def test_ellipsoid_heights_are_named(tmp_path: Path) -> None:
    longitude, latitude = crs.to_lonlat(np.array([E0, E0 + 10, E0 + 10]), np.array([N0, N0, N0 + 10]), "EPSG:5186")
    text = " ".join(
        f"{b:.10f} {a:.10f} 55" for a, b in zip([*longitude, longitude[0]], [*latitude, latitude[0]], strict=True)
    )
    surface = (
        f"<bldg:lod1MultiSurface><gml:MultiSurface>{member(polygon(text))}</gml:MultiSurface></bldg:lod1MultiSurface>"
    )
    path = save(tmp_path, city(building(surface), "http://www.opengis.net/def/crs/EPSG/0/4979"))
    info = FORMAT.inspect(path)
    assert info.vertical == "ellipsoid"
    (layer,) = read(path)
    assert np.allclose(mesh_of(layer).bounds, ((0, 0, 55), (10, 10, 55)), atol=1e-3)


# --- containers, parts of a file ------------------------------------------------------------------------------------


def test_packed_files(tmp_path: Path) -> None:
    text = city(box()).encode()
    packed = save(tmp_path, gzip.compress(text), "city.gml.gz")
    with zipfile.ZipFile(tmp_path / "tiles.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("udx/a.gml", text)
        archive.writestr("udx/b.gml", city(box("b", x=50.0)))
        archive.writestr("codelists/x.xml", "<gml:Dictionary/>")
        archive.writestr("../../evil.txt", "x")
    for path, count in ((packed, 1), (tmp_path / "tiles.zip", 2)):
        assert FORMAT.sniff(path, path.open("rb").read(HEAD_BYTES))
        assert FORMAT.inspect(path).counts == {"Building": count}
        (layer,) = read(path)
        assert np.allclose(volumes(layer), [VOLUME] * count)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "x")
    assert not FORMAT.sniff(tmp_path / "other.zip", b"PK\x03\x04")


def test_only_what_touches_the_box(tmp_path: Path) -> None:
    path = save(tmp_path, city("".join(box(f"b{k}", x=50.0 * k) for k in range(4))))
    (layer,) = read(path, box=MapBox(E0 + 45, N0, E0 + 105, N0 + 5))
    assert layer.table.ids.tolist() == ["b1", "b2"]
    assert read(path, box=MapBox(E0 + 5000, N0, E0 + 5001, N0 + 5)) == []


def test_what_is_far_from_the_box_is_forgotten_at_once(tmp_path: Path) -> None:
    path = save(tmp_path, city("".join(box(f"b{k}", x=50.0 * k) for k in range(4))))
    keep = box_filter(MapBox(E0 + 45, N0, E0 + 105, N0 + 5), FRAME, None)
    model = load(path, keep=keep)
    assert [item.id for item in model.objects] == ["b1", "b2"]
    assert (len(model.surfaces), model.skipped) == (12, 2)
    # degrees, and the order of the axes not yet known
    longitude, latitude = crs.to_lonlat(np.array([E0 + 50.0, E0 + 5000.0]), np.array([N0, N0]), "EPSG:5186")
    for name, swap in (("EPSG:4326", False), ("urn:ogc:def:crs:EPSG::4326", True)):
        points = np.stack([latitude, longitude] if swap else [longitude, latitude], axis=1)
        assert [keep(points[[k]], name) for k in (0, 1)] == [True, False]
    assert keep(np.array([[0.0, 0.0]]), None)


def test_links_out_of_the_box_are_followed(tmp_path: Path) -> None:
    far = building(
        f'<bldg:lod1MultiSurface><gml:MultiSurface gml:id="far">{member(polygon(positions((4, 5, 6, 7), x=9000.0)))}</gml:MultiSurface></bldg:lod1MultiSurface>',
        "z",
    )
    near = building(
        f"<bldg:lod1MultiSurface><gml:MultiSurface>{member(polygon(positions((4, 5, 6, 7))))}{href('far')}</gml:MultiSurface></bldg:lod1MultiSurface>"
    )
    (layer,) = read(save(tmp_path, city(far + near)), box=MapBox(E0, N0, E0 + 5, N0 + 5))
    assert layer.table.ids.tolist() == ["a"]
    assert mesh_of(layer).face_area.sum() == pytest.approx(160.0)
    assert "citygml.unresolved" not in codes(layer)


def test_cancel_and_progress(tmp_path: Path) -> None:
    path = save(tmp_path, city("".join(box(f"b{k}", x=20.0 * k) for k in range(50))))
    with pytest.raises(Cancelled):
        FORMAT.read(path, FRAME, ReadOptions(), Feedback(is_cancelled=lambda: True))
    seen: list[float] = []
    FORMAT.read(path, FRAME, ReadOptions(), Feedback(on_progress=lambda fraction, message: seen.append(fraction)))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_same_file_gives_the_same_layers(tmp_path: Path) -> None:
    path = save(tmp_path, city(box() + linked_box("b")))
    (first,), (second,) = read(path), read(path)
    assert np.array_equal(mesh_of(first).vertices, mesh_of(second).vertices)
    assert np.array_equal(mesh_of(first).faces, mesh_of(second).faces)


def test_memory_of_elements_is_given_back(tmp_path: Path) -> None:
    """While the last object is taken in, the ones before it are gone from the tree."""
    path = save(tmp_path, city("".join(box(f"b{k}") for k in range(300))))
    entry = citygml_xml.documents(path)[0]
    left = [
        len(element.getparent())
        for event, element in citygml_xml.elements(entry, 1, lambda fraction, message: None, citygml_xml.Hints())
        if event == "member"
    ]
    assert len(left) == 300
    # a chunk of the text is parsed ahead, the rest is cleared
    assert left[-1] <= 2


# --- hostile and broken ---------------------------------------------------------------------------------------------


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read(path)
    with pytest.raises(UserError):
        FORMAT.inspect(path)
    return caught.value.code


def test_entities_are_refused(tmp_path: Path) -> None:
    secret = save(tmp_path, "secret", "secret.txt")
    model = city(box())
    start = model.index("<core:CityModel")
    outside = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>'
    laughs = (
        "<!DOCTYPE x [<!ENTITY a0 'ha'>"
        + "".join(f"<!ENTITY a{k} '{f'&a{k - 1};' * 10}'>" for k in range(1, 12))
        + "]>"
    )
    far = '<!DOCTYPE x SYSTEM "http://192.0.2.1/x.dtd">'
    for number, text in enumerate((outside, laughs, far)):
        hostile = model[:start] + text + model[start:].replace('gml:id="a">', 'gml:id="a"><gml:name>&e;</gml:name>')
        for encoding in ("utf-8", "utf-16"):
            path = save(tmp_path, hostile.replace("UTF-8", encoding).encode(encoding), f"{number}{encoding}.gml")
            assert refused(path) == "citygml.entities"
    late = model[:start] + " " * 70_000 + outside + model[start:]
    assert refused(save(tmp_path, late, "late.gml")) in ("citygml.entities", "citygml.not_xml")


def test_undeclared_entity_and_depth(tmp_path: Path) -> None:
    assert (
        refused(save(tmp_path, city(box()).replace('gml:id="a">', 'gml:id="a"><gml:name>&e;</gml:name>')))
        == "citygml.not_xml"
    )
    control = city(box()).replace('gml:id="a">', 'gml:id="a"><gml:name>a\x08b</gml:name>')
    assert refused(save(tmp_path, control)) == "citygml.not_xml"
    deep = "<gen:x>" * 5000 + "</gen:x>" * 5000
    assert refused(save(tmp_path, city(building(deep)))) == "citygml.not_xml"
    nested = "<gml:surfaceMember><gml:CompositeSurface>" * 100
    closed = nested + member(polygon(positions((0, 1, 2, 3)))) + "</gml:CompositeSurface></gml:surfaceMember>" * 100
    layer = only(
        tmp_path,
        city(building(f"<bldg:lod1MultiSurface><gml:MultiSurface>{closed}</gml:MultiSurface></bldg:lod1MultiSurface>")),
    )
    assert mesh_of(layer).face_area.sum() == pytest.approx(80.0)


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(citygml_xml, "SMALL", 1 << 20)
    text = city(box()).encode()
    bomb = text.replace(b"</core:CityModel>", b" " * (8 << 20) + b"</core:CityModel>")
    assert refused(save(tmp_path, gzip.compress(bomb), "bomb.gml.gz")) == "citygml.bomb"
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.gml", bomb)
    assert refused(tmp_path / "bomb.zip") == "citygml.bomb"


def test_other_xml_and_cut_files(tmp_path: Path) -> None:
    model = city(box())
    assert refused(save(tmp_path, model[: len(model) // 2])) == "citygml.not_xml"
    assert refused(save(tmp_path, gzip.compress(model.encode())[:-200], "cut.gml.gz")) in (
        "citygml.unreadable",
        "citygml.not_xml",
    )
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.gml", model)
    cut = save(tmp_path, (tmp_path / "x.zip").read_bytes()[:-60], "cut.zip")
    assert refused(cut) == "citygml.unreadable"
    foreign = model.replace("http://www.opengis.net/citygml/2.0", "http://example.com/city")
    path = save(tmp_path, foreign, "foreign.gml")
    assert refused(path) == "citygml.not_citygml"
    for text in (
        b"",
        b"<a/>",
        b"<core:CityModel",
        b"\x1f\x8b junk",
        b"PK\x03\x04 junk",
        b'{"type": "CityJSON"}',
        b"\xff\xfe\x00",
    ):
        path = save(tmp_path, text, "junk.gml")
        assert not FORMAT.sniff(path, text)
        with pytest.raises(UserError):
            read(path)
    with pytest.raises(UserError) as caught:
        read(tmp_path / "absent.gml")
    assert caught.value.code == "citygml.unreadable"


def test_many_equal_names_end_soon(tmp_path: Path) -> None:
    functions = "<bldg:function>1</bldg:function>" * 30_000
    crowd = "".join(building("", "same") for _ in range(30_000))
    layer = only(tmp_path, city(crowd + building(functions + f"<bldg:lod1Solid>{shell(box_faces())}</bldg:lod1Solid>")))
    assert codes(layer)["citygml.many_attributes"] == 1
    assert codes(layer)["citygml.duplicate_id"] == 29_999


def test_wrong_and_foreign_encodings(tmp_path: Path) -> None:
    text = city(building(f"<gml:name>똠방시청</gml:name><bldg:lod1Solid>{shell(box_faces())}</bldg:lod1Solid>"))
    cases = [
        (text.replace("UTF-8", "cp949").encode("cp949"), "똠방시청", ""),
        (text.replace("UTF-8", "utf-16").encode("utf-16"), "똠방시청", ""),
        (text.encode("cp949"), "똠방시청", "CP949"),
        (text.replace("UTF-8", "windows-949").encode("cp949"), "똠방시청", "CP949"),
        (text.replace("UTF-8", "windows-949").encode(), "똠방시청", "UTF-8"),
        (text.encode().replace("방".encode(), b"\xff\xff\xff"), "똠���시청", "UTF-8"),
    ]
    for number, (data, name, used) in enumerate(cases):
        path = save(tmp_path, data, f"{number}.gml")
        assert FORMAT.sniff(path, data[:HEAD_BYTES])
        (layer,) = read(path)
        assert layer.table.row_at(0)["name"] == name
        assert_is_box(layer)
        assert [one.values["encoding"] for one in layer.issues if one.code == "citygml.encoding"] == (
            [used] if used else []
        )


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    good = member(polygon(positions((4, 5, 6, 7)), "p"))
    a = f'<gml:MultiSurface gml:id="A">{good}{href("B")}{href("A")}{href("p")}</gml:MultiSurface>'
    b = f'<gml:MultiSurface gml:id="B">{href("A")}{href("B")}{href("lost")}</gml:MultiSurface>'
    text = city(
        building(f"<bldg:lod1MultiSurface>{a}</bldg:lod1MultiSurface>")
        + building(f"<bldg:lod1MultiSurface>{b}</bldg:lod1MultiSurface>", "b")
    )
    layer = only(tmp_path, text)
    mesh = mesh_of(layer)
    assert np.bincount(mesh.face_element, mesh.face_area).tolist() == pytest.approx([80.0, 80.0])
    assert codes(layer)["citygml.unresolved"] == 1


def test_links_that_double_stay_small(tmp_path: Path) -> None:
    """Forty groups that each point twice to the next would be 10^12 surfaces."""
    groups = "".join(
        building(
            f'<bldg:lod1MultiSurface><gml:MultiSurface gml:id="g{k}">{href(f"g{k + 1}") * 2}</gml:MultiSurface></bldg:lod1MultiSurface>',
            f"b{k}",
        )
        for k in range(40)
    )
    last = building(
        f'<bldg:lod1MultiSurface><gml:MultiSurface gml:id="g40">{member(polygon(positions((4, 5, 6, 7))))}</gml:MultiSurface></bldg:lod1MultiSurface>',
        "z",
    )
    layer = only(tmp_path, city(groups + last))
    assert len(mesh_of(layer).faces) == 2 * 41


@pytest.mark.parametrize("wrong", ["NaN", "INF", "-INF", "1e400", "abc", "", "1 2"])
def test_one_bad_ring_costs_one_surface(tmp_path: Path, wrong: str) -> None:
    text = city(box() + box("b", x=50.0))
    spot = text.index("<gml:posList>") + len("<gml:posList>")
    broken = text[:spot] + wrong + " " + text[text.index(" ", spot) + 1 :]
    layer = only(tmp_path, broken)
    assert layer.table.ids.tolist() == ["a", "b"]
    assert codes(layer)["citygml.bad_surface"] == 1
    assert len(mesh_of(layer).faces) == 22
    assert volumes(layer)[1] == pytest.approx(VOLUME)


def test_far_and_impossible_coordinates(tmp_path: Path) -> None:
    text = city(box() + box("far", x=9e8) + box("b", x=50.0))
    layer = only(tmp_path, text)
    assert layer.table.ids.tolist() == ["a", "b"]
    assert codes(layer)["city.dropped_outside_crs"] == 1


def test_strange_structures_survive(tmp_path: Path) -> None:
    pieces = [
        "<bldg:lod1Solid/>",
        "<bldg:lod1Solid><gml:Solid/></bldg:lod1Solid>",
        "<bldg:lod2MultiSurface><gml:MultiSurface><gml:surfaceMember/></gml:MultiSurface></bldg:lod2MultiSurface>",
        "<bldg:lod2MultiSurface><gml:MultiSurface><gml:surfaceMember><gml:Polygon/></gml:surfaceMember></gml:MultiSurface></bldg:lod2MultiSurface>",
        "<bldg:lod2MultiSurface><gml:MultiSurface><gml:surfaceMember><gml:Polygon><gml:interior/></gml:Polygon></gml:surfaceMember></gml:MultiSurface></bldg:lod2MultiSurface>",
        "<bldg:boundedBy><bldg:WallSurface/></bldg:boundedBy><bldg:boundedBy/>",
        "<bldg:lod2ImplicitRepresentation><core:ImplicitGeometry/></bldg:lod2ImplicitRepresentation>",
        "<gen:stringAttribute/><gen:genericAttributeSet/><core:externalReference/>",
        "<app:appearance><app:Appearance><app:surfaceDataMember/></app:Appearance></app:appearance>",
        "text between <!-- comment --> <?pi x?> &amp;",
    ]
    whole = (
        "".join(building(piece, f"x{k}") for k, piece in enumerate(pieces)) + box() + box() + "<core:cityObjectMember/>"
    )
    anonymous = box("q").replace(' gml:id="q"', "")
    layer = only(tmp_path, city(whole + anonymous))
    assert layer.table.ids.tolist() == ["a", "a-2", "Building-13"]
    assert codes(layer)["citygml.duplicate_id"] == 1
    assert codes(layer)["citygml.without_id"] == 1
    assert np.allclose(volumes(layer), VOLUME)


def test_degrees_in_a_metric_system_and_the_reverse(tmp_path: Path) -> None:
    degrees = f"<bldg:lod1MultiSurface><gml:MultiSurface>{member(polygon('36.5 127.3 1 36.501 127.3 1 36.501 127.301 1 36.5 127.3 1'))}</gml:MultiSurface></bldg:lod1MultiSurface>"
    path = save(tmp_path, city(building(degrees)))
    with pytest.raises(UserError) as caught:
        read(path)
    assert caught.value.code == "city.degrees"
    assert "city.degrees" in {one.code for one in FORMAT.inspect(path).issues}
    metres = save(tmp_path, city(box(), "urn:ogc:def:crs:EPSG::4326"), "metres.gml")
    with pytest.raises(UserError) as caught:
        read(metres)
    assert caught.value.code == "city.not_degrees"


def mutated(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(out))
        match chance.randrange(6):
            case 0:
                out[place] = chance.randrange(256)
            case 1:
                del out[place : place + chance.randrange(1, 60)]
            case 2:
                out[place:place] = out[place - 40 : place]
            case 3:
                # numbers within text keep the XML whole, so that the mutation reaches the reader
                found = re.search(rb"\d+\.\d+", bytes(out[place : place + 4000]))
                if found:
                    words = (b"NaN", b"1e308", b"-0", b"x", b"", b"9" * 40)
                    out[place + found.start() : place + found.end()] = chance.choice(words)
            case 4:
                names = [b"posList", b"exterior", b"interior", b"Polygon", b"Solid", b"surfaceMember", b"LinearRing"]
                old, new = chance.sample(names, 2)
                out = bytearray(bytes(out).replace(old, new, -1 if chance.random() < 0.5 else 2))
            case _:
                found = re.search(rb'(gml:id|href|srsName|uom)="[^"]*"', bytes(out[place : place + 4000]))
                if found:
                    out[place + found.start() : place + found.end()] = chance.choice(
                        (b"", b'gml:id="x"', b'xlink:href="#x"', b'srsName="EPSG:4326"')
                    )
        if not out:
            return b"<"
    return bytes(out)


def survives(path: Path, frame: Frame, outcome: list[str]) -> None:
    """Note for each way of opening whether it worked, was refused calmly, or failed."""
    for action in (lambda: FORMAT.inspect(path), lambda: FORMAT.read(path, frame, ReadOptions(), Feedback())):
        try:
            action()
        except UserError as error:
            outcome.append(error.code)
        except BaseException as error:  # noqa: BLE001 - a thread has nobody else to tell
            outcome.append(f"CRASH {error!r}")
        else:
            outcome.append("read")


@pytest.mark.data
@pytest.mark.parametrize("name", [one[0] for one in REAL], ids=[one[0].split("/")[-1] for one in REAL])
def test_damaged_files_never_crash_or_hang(shared_data: Path, tmp_path: Path, name: str) -> None:
    data = (shared_data / name).read_bytes()
    if len(data) > 300_000:
        # the beginning with a proper end: a file of the same kind that is read sixty times in a few seconds
        end = data.find(b"</core:cityObjectMember>", 150_000)
        end = len(data) if end < 0 or end > 500_000 else end + len(b"</core:cityObjectMember>")
        data = data[:end] + (b"" if end == len(data) else b"</core:CityModel>")
    frame = frame_for(save(tmp_path, data, "whole.gml"))
    chance = random.Random(20261121)
    seen: Counter[str] = Counter()
    for number in range(60):
        path = save(tmp_path, mutated(data, chance), f"{number}.gml")
        outcome: list[str] = []
        worker = threading.Thread(target=survives, args=(path, frame, outcome))
        worker.start()
        worker.join(30.0)
        assert not worker.is_alive(), number
        assert len(outcome) == 2
        assert not [told for told in outcome if told.startswith("CRASH")], (number, outcome)
        seen.update(outcome)
        path.unlink()
    # the damage reached the reader, not only the parser
    assert seen["read"] > 10


def test_korean_texts_exist_for_every_code() -> None:
    root = Path(citygml_xml.__file__).resolve().parents[2]
    texts = [
        json.loads((root / f"resources/translations/ko/{area}.json").read_text("utf-8"))
        for area in ("city", "citygml", "utility_formats")
    ]
    korean = {key: text for part in texts for key, text in part.items()}
    source = "".join(p.read_text(encoding="utf-8") for p in sorted((root / "geo/formats").glob("citygml*.py")))
    for code in sorted(set(re.findall(r'"(citygml\.(?!org)[a-z_0-9]+)"', source))):
        assert {f"issue.{code}", f"error.{code}.what"} & set(korean), code
    for option in CityGmlOptions.model_fields:
        assert {f"format.citygml.{option}", f"format.citygml.{option}.help"} <= set(korean)
