"""LandXML surfaces made here, with closed-form heights; damaged and hostile files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geo.crs import make_frame
from geo.formats.contract import HEAD_BYTES, MapBox, ReadOptions
from geo.formats.landxml import FORMAT, LandXmlOptions
from geo.model import Feedback, Frame, Grid, Layer, Mesh, MissingCrs, UserError
from geo.tin import grid_of_tin
from tests.geo.damage import damaged_bytes, survives_damage
from tests.tiny import tiny_frame

METRIC = '<Units><Metric linearUnit="meter"/></Units>'
SYSTEM = '<CoordinateSystem epsgCode="5186"/>'
POINTS = ((1, 0, 0), (2, 100, 0), (7, 100, 100), (9, 0, 100))  # id, east, north from the frame's origin
FACES = "<F>1 2 7</F><F>1 7 9</F>"


def height(east: float, north: float) -> float:
    return 10.0 + 0.1 * east + 0.05 * north


def document(
    *,
    units: str = METRIC,
    system: str = SYSTEM,
    faces: str = FACES,
    scale: float = 1.0,
    extra: str = "",
    head: str = "",
) -> str:
    frame = tiny_frame()
    points = "".join(
        f'<P id="{k}">{(frame.origin[1] + n) / scale!r} {(frame.origin[0] + e) / scale!r} {height(e, n) / scale!r}</P>'
        for k, e, n in POINTS
    )
    return (
        f'<?xml version="1.0"?>{head}<LandXML xmlns="http://www.landxml.org/schema/LandXML-1.2" version="1.2">'
        f'{units}{system}<Surfaces><Surface name="EG"><Definition surfType="TIN"><Pnts>{points}{extra}</Pnts>'
        f"<Faces>{faces}</Faces></Definition></Surface></Surfaces></LandXML>"
    )


def save(folder: Path, text: str) -> Path:
    path = folder / "s.xml"
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path, frame: Frame | None = None, **options: object) -> list[Layer]:
    return FORMAT.read(path, frame or tiny_frame(), ReadOptions(**options), Feedback())  # type: ignore[arg-type]


def test_northing_stands_first(tmp_path: Path) -> None:
    (layer,) = read(save(tmp_path, document()))
    assert (layer.theme, layer.kind, layer.source.part) == ("terrain", "mesh", "EG")
    assert isinstance(layer.geometry, Mesh)
    vertices = layer.geometry.vertices
    np.testing.assert_allclose(vertices[:, 2], height(vertices[:, 0], vertices[:, 1]), atol=1e-9)
    assert layer.geometry.bounds is not None
    np.testing.assert_allclose(layer.geometry.bounds.high, (100, 100, 25))
    assert (layer.geometry.face_normal[:, 2] > 0).all()


def test_inspect_gives_easting_first(tmp_path: Path) -> None:
    info = FORMAT.inspect(save(tmp_path, document()))
    assert info.crs == "EPSG:5186"
    assert info.bounds == (229_000.0, 435_500.0, 10.0, 229_100.0, 435_600.0, 25.0)
    assert info.counts == {"surfaces": 1, "points": 4, "faces": 2}


@pytest.mark.parametrize(("unit", "metres"), [("foot", 0.3048), ("USSurveyFoot", 1200 / 3937), ("inch", 0.0254)])
def test_imperial_units_become_metres(tmp_path: Path, unit: str, metres: float) -> None:
    units = f'<Units><Imperial linearUnit="{unit}"/></Units>'
    (layer,) = read(save(tmp_path, document(units=units, scale=metres)))
    assert layer.geometry is not None
    assert layer.geometry.bounds is not None
    np.testing.assert_allclose(layer.geometry.bounds.high, (100, 100, 25), atol=1e-6)


def test_foot_in_a_system_of_survey_feet_is_the_systems_foot(tmp_path: Path) -> None:
    """Programs write ``foot`` for both; two millionths would move Pennsylvania by a metre."""
    text = document(units='<Units><Imperial linearUnit="foot"/></Units>', system='<CoordinateSystem epsgCode="2271"/>')
    for wrong, right in (("229000", "1968500"), ("229100", "1968600"), ("435500", "600000"), ("435600", "600100")):
        text = text.replace(wrong, right)
    frame = make_frame("EPSG:32618", 480_000.0, 4_500_000.0)
    (layer,) = read(save(tmp_path, text), frame)
    assert layer.geometry is not None
    from geo import crs

    east, north = crs.transform(1_968_500.0, 600_000.0, "EPSG:2271", "EPSG:32618")
    corner = frame.to_map(layer.geometry.vertices[:1])[0]  # type: ignore[union-attr]
    np.testing.assert_allclose(corner[:2], [float(east), float(north)], atol=1e-3)


def test_invisible_faces_stay_out(tmp_path: Path) -> None:
    (layer,) = read(save(tmp_path, document(faces='<F>1 2 7</F><F i="1">1 7 9</F>')))
    assert isinstance(layer.geometry, Mesh)
    assert len(layer.geometry.faces) == 1
    assert [(issue.code, issue.count) for issue in layer.issues] == [("landxml.hidden", 1)]


def test_bad_points_and_faces_are_counted_not_fatal(tmp_path: Path) -> None:
    faces = FACES + "<F>1 2 99</F><F>1 1 2</F><F>1 2</F><F>a b c</F>"
    extra = '<P id="50">1 2</P><P id="51">nan 2 3</P><P id="52">x</P><P id="53">inf 1 1</P>'
    (layer,) = read(save(tmp_path, document(faces=faces, extra=extra)))
    assert isinstance(layer.geometry, Mesh)
    assert len(layer.geometry.faces) == 2
    assert {issue.code: issue.count for issue in layer.issues} == {"landxml.points": 4, "landxml.faces": 4}


def test_as_grid_is_the_plane(tmp_path: Path) -> None:
    (layer,) = read(save(tmp_path, document()), own=LandXmlOptions(as_grid=5.0))
    assert layer.kind == "terrain"
    assert isinstance(layer.geometry, Grid)
    xx, yy = np.meshgrid(layer.geometry.x, layer.geometry.y)
    assert layer.geometry.values.shape == (21, 21)
    np.testing.assert_allclose(layer.geometry.values, height(xx, yy), atol=1e-9)


def test_grid_of_a_tin_leaves_holes_open_and_shared_edges_closed() -> None:
    ring = np.array([[0, 0], [12, 0], [12, 12], [0, 12], [4, 4], [8, 4], [8, 8], [4, 8]], float)
    faces = [[0, 1, 5], [0, 5, 4], [1, 2, 6], [1, 6, 5], [2, 3, 7], [2, 7, 6], [3, 0, 4], [3, 4, 7]]
    grid = grid_of_tin(np.column_stack([ring, ring[:, 0]]), np.array(faces), cell=1.0)
    xx, yy = np.meshgrid(grid.x, grid.y)
    hole = (np.abs(xx - 6) < 2) & (np.abs(yy - 6) < 2)
    assert np.isnan(grid.values[hole]).all()
    np.testing.assert_allclose(grid.values[~hole], xx[~hole])


def test_box_keeps_what_touches_it(tmp_path: Path) -> None:
    box = MapBox(229_090.0, 435_501.0, 229_099.0, 435_505.0)
    (layer,) = read(save(tmp_path, document()), box=box)
    assert isinstance(layer.geometry, Mesh)
    assert read(save(tmp_path, document()), box=MapBox(0.0, 0.0, 1.0, 1.0)) == []


def test_without_a_system_it_asks(tmp_path: Path) -> None:
    path = save(tmp_path, document(system='<CoordinateSystem name="Local grid"/>'))
    with pytest.raises(MissingCrs):
        read(path)
    (layer,) = read(path, crs="EPSG:5186")
    assert "landxml.crs_in_words" in {issue.code for issue in layer.issues}


def test_exchanged_axes_are_doubted_and_can_be_set_right(tmp_path: Path) -> None:
    text = document()
    for _, e, n in POINTS:
        text = text.replace(f"{435_500.0 + n!r} {229_000.0 + e!r}", f"{229_000.0 + e!r} {435_500.0 + n!r}", 1)
    (layer,) = read(save(tmp_path, text))
    assert "landxml.order" in {issue.code for issue in layer.issues}
    (layer,) = read(save(tmp_path, text), own=LandXmlOptions(order="easting first"))
    assert layer.geometry is not None
    assert layer.geometry.bounds is not None
    np.testing.assert_allclose(layer.geometry.bounds.high, (100, 100, 25))


BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
LEAK = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("head", [BOMB, LEAK, '<!DOCTYPE x SYSTEM "http://example.org/x.dtd">', " " * 5000 + BOMB])
def test_document_types_are_refused(tmp_path: Path, head: str) -> None:
    path = save(tmp_path, document(head=head, extra='<P id="3">&a; 1 1</P>'))
    with pytest.raises(UserError) as caught:
        read(path)
    assert caught.value.code == "xml.doctype"
    assert "root:" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "<LandXML", "<LandXML/>", "<other/>", "<LandXML><Surfaces><Surface/></Surfaces></LandXML>", "plain text"],
)
def test_files_without_a_surface_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError):
        read(save(tmp_path, text), crs="EPSG:5186")


def test_sniff_in_utf16_and_with_comments(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    for data in (document().encode(), document().encode("utf-16"), b"<!-- LandXML --><LandXML>"):
        assert FORMAT.sniff(path, data[:HEAD_BYTES])
    for data in (b"<gml:CityModel><!-- LandXML -->", b"{}", b"\xff\xd8"):
        assert not FORMAT.sniff(path, data)


def test_damaged_files(tmp_path: Path) -> None:
    data = document(extra='<P id="50">435520 229050 12</P>').encode()
    options = ReadOptions(crs="EPSG:5186")
    found = survives_damage(
        FORMAT, tmp_path / "d.xml", lambda seed: damaged_bytes(data, seed), tiny_frame(), count=120, options=options
    )
    assert found["refused"] > 10
    # Wrong numbers in a well-formed file reach deeper than broken markup.
    words = [b"435500.0", b"229100.0", b"10.0", b"5186", b'id="7"', b"1 2 7", b"meter", b'version="1.2"']
    wrong = [b"", b"nan", b"1e308", b"-1", b"\xed\x95\x9c", b"0", b"1 2", b"99999999999999999999"]
    cases = [data.replace(word, bad) for word in words for bad in wrong]
    survives_damage(FORMAT, tmp_path / "d.xml", cases.__getitem__, tiny_frame(), count=len(cases), options=options)
