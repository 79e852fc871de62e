"""CityGML: attributes and their types, coordinate systems, boxes of interest, packed files."""

# ruff: noqa: E501 - XML is easier to check in one line

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest

from geo import crs
from geo.formats import citygml_xml
from geo.formats.citygml import FORMAT
from geo.formats.citygml_box import box_filter
from geo.formats.citygml_model import load
from geo.formats.citygml_place import north_comes_first, reference
from geo.formats.citygml_values import colour_of, unit_of, value_of
from geo.formats.contract import HEAD_BYTES, MapBox, ReadOptions
from geo.model import Cancelled, Feedback, Issue, Layer, MissingCrs
from tests.geo.citygml_files import (
    E0,
    FRAME,
    N0,
    URN,
    VOLUME,
    assert_is_box,
    box,
    box_faces,
    building,
    city,
    codes,
    href,
    linked_box,
    member,
    mesh_of,
    only,
    polygon,
    positions,
    read,
    save,
    shell,
    volumes,
)


def issue(layer: Layer, code: str) -> Issue:
    return next(one for one in layer.issues if one.code == code)


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
