"""Utility networks of CityGML: PLATEAU and the UtilityNetwork ADE as pipes and nodes."""

# ruff: noqa: E501 - XML is easier to check in one line

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from geo.crs import make_frame
from geo.formats.citygml import FORMAT, CityGmlOptions, read
from geo.formats.contract import MapBox, ReadOptions
from geo.model import Feedback, Frame, Grid, Layer, Lines, Points
from geo.model import conventions as words
from geo.pipe_axis import axis_of

NAGAOKA = "utilities/plateau_nagaoka/"
FRAME = make_frame("EPSG:6676", 21500.0, 157000.0)  # Japan Plane Rectangular VIII without its heights


def layers_by_id(path: Path, frame: Frame = FRAME, **options: object) -> dict[str, Layer]:
    return {layer.id: layer for layer in read(path, frame, ReadOptions(**options), Feedback())}  # type: ignore[arg-type]


def texts(layer: Layer, column: str) -> list[object]:
    return layer.table.columns[column].values.tolist()


@pytest.mark.data
def test_axes_lie_where_the_file_says_northing_first(shared_data: Path) -> None:
    path = shared_data / (NAGAOKA + "08EE752_unf_10169_water.gml")
    pipes = layers_by_id(path)["pipes"]
    text = path.read_text(encoding="utf-8")
    name = str(pipes.table.ids[0])
    block = text[text.index(f'gml:id="{name}"') :]
    listed = re.search(r"<gml:posList>([^<]*)<", block)
    assert listed is not None
    said = np.array(listed[1].split(), dtype=float).reshape(-1, 3)
    shape = pipes.geometry
    assert isinstance(shape, Lines)
    mine = shape.vertices[shape.offsets[0] : shape.offsets[1]]
    assert np.allclose(FRAME.to_map(mine)[[0, -1], :2], said[[0, -1], 1::-1], atol=1e-6)


@pytest.mark.data
def test_depth_counts_from_the_terrain_and_is_marked_assumed(shared_data: Path) -> None:
    path = shared_data / (NAGAOKA + "08EE753_unf_10169_lv.gml")
    ground = Grid(np.full((40, 40), 123.0), -1000.0, -1000.0, 100.0)
    found = layers_by_id(path, terrain=ground)
    pipes, nodes = found["pipes"], found["nodes"]
    shape, points = pipes.geometry, nodes.geometry
    assert isinstance(shape, Lines)
    assert isinstance(points, Points)
    assert set(texts(pipes, words.UTILITY)) == {"power"}
    assert set(texts(pipes, words.DEPTH_QUALITY)) == {"assumed"}
    assert np.allclose(shape.vertices[:, 2], 123.0 - 1.0)  # KEC 334.1: 1.0 m below roads
    assert np.allclose(points.vertices[:, 2], 123.0)
    assert set(texts(pipes, words.INSTALLED)) >= {"2006"}


@pytest.mark.data
def test_bodies_give_axes_with_true_heights(shared_data: Path) -> None:
    found = layers_by_id(shared_data / (NAGAOKA + "08EE753_unf_10169_sewer.gml"))
    pipes, bodies = found["pipes"], found["utility"]
    derived = np.array(texts(pipes, words.DERIVED), dtype=bool)
    assert derived.sum() == 20
    shape, mesh = pipes.geometry, bodies.geometry
    assert isinstance(shape, Lines)
    heights = np.array(texts(pipes, words.HEIGHT), dtype=float)
    row = bodies.table.index
    for number in np.flatnonzero(derived & np.isfinite(heights)):
        body = mesh.vertices[np.unique(mesh.faces[mesh.face_element == row[str(pipes.table.ids[number])]])]  # type: ignore[union-attr]
        line = shape.vertices[shape.offsets[number] : shape.offsets[number + 1]]
        half = heights[number] / 2 + 0.01
        assert body[:, 2].min() + 0.5 * half <= line[:, 2].min()
        assert line[:, 2].max() <= body[:, 2].max() - 0.5 * half
    assert set(np.array(texts(pipes, words.DEPTH_QUALITY))[derived]) == {"register"}
    assert set(texts(pipes, words.UTILITY)) == {"storm"}
    manholes = found["nodes"]
    depth = np.array(texts(manholes, words.GROUND), dtype=float) - np.array(texts(manholes, words.INVERT), dtype=float)
    assert np.isfinite(depth).sum() == 18
    assert np.allclose(depth[np.isfinite(depth)], 1.35, atol=0.002)  # every body of a manhole is 1.35 m high


@pytest.mark.data
def test_only_what_touches_a_rectangle(shared_data: Path) -> None:
    path = shared_data / (NAGAOKA + "08EE753_unf_10169_lv.gml")
    every = layers_by_id(path)["pipes"]
    shape = every.geometry
    assert isinstance(shape, Lines)
    east, north, _ = FRAME.to_map(shape.vertices[[0]])[0]
    box = MapBox(east - 20, north - 20, east + 20, north + 20)
    part = layers_by_id(path, box=box)["pipes"]
    assert 0 < len(part.table) < len(every.table)
    assert str(every.table.ids[0]) in part.table.index
    assert isinstance(part.geometry, Lines)
    assert len(part.geometry.line_element) == len(part.table)


@pytest.mark.data
def test_the_user_may_say_what_a_network_carries(shared_data: Path) -> None:
    path = shared_data / "utilities/citygml_ade/Testfeld1_UtilityNetworkADE.gml"
    frame = make_frame("EPSG:25832", 368400.0, 5774900.0)
    found = layers_by_id(path, frame, own=CityGmlOptions(utility="gas"))
    assert set(texts(found["pipes"], words.UTILITY)) == {"gas"}
    nodes = set(found["nodes"].table.ids.tolist())
    ends = set(texts(found["pipes"], words.FROM_NODE)) | set(texts(found["pipes"], words.TO_NODE))
    assert ends == nodes
    assert len(nodes) == 18


ADE = """<core:CityModel xmlns:core="http://www.opengis.net/citygml/2.0" xmlns:gml="http://www.opengis.net/gml"
 xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:u="http://www.citygml.org/ade/utility/0.9.3">
<gml:boundedBy><gml:Envelope srsName="EPSG:25832" srsDimension="3"><gml:lowerCorner>368400 5774900 0</gml:lowerCorner>
<gml:upperCorner>368500 5775000 9</gml:upperCorner></gml:Envelope></gml:boundedBy>
<core:cityObjectMember><u:Network gml:id="net"><gml:name>fresh water</gml:name>
<u:component><u:RoundPipe gml:id="pipe"><u:exteriorDiameter uom="m">0.3</u:exteriorDiameter>
<u:topoGraph><u:FeatureGraph gml:id="g1"><u:linkMember><u:InteriorFeatureLink gml:id="l1"><u:realization>
<gml:LineString><gml:posList>368410 5774910 2 368420 5774910 2</gml:posList></gml:LineString></u:realization>
<u:start xlink:href="#a"/><u:end xlink:href="#b"/></u:InteriorFeatureLink></u:linkMember>
<u:nodeMember><u:Node gml:id="a"><u:realization><gml:Point><gml:pos>368410 5774910 2</gml:pos></gml:Point>
</u:realization></u:Node></u:nodeMember><u:nodeMember>
<u:Node gml:id="b"><u:realization><gml:Point><gml:pos>368420 5774910 2
</gml:pos>
</gml:Point></u:realization></u:Node></u:nodeMember></u:FeatureGraph></u:topoGraph></u:RoundPipe></u:component>
<u:topoGraph><u:NetworkGraph gml:id="ng"><u:featureGraphMember><u:FeatureGraph gml:id="g2"><u:nodeMember>
<u:Node gml:id="c"><u:realization><gml:Point><gml:pos>368420 5774912 2</gml:pos></gml:Point></u:realization></u:Node>
</u:nodeMember><u:nodeMember><u:Node gml:id="d"><u:realization><gml:Point><gml:pos>368420 5774912 2</gml:pos>
</gml:Point></u:realization></u:Node></u:nodeMember></u:FeatureGraph></u:featureGraphMember>
<u:linkMember><u:InterFeatureLink gml:id="x1"><u:start xlink:href="#b"/><u:end xlink:href="#c"/></u:InterFeatureLink>
</u:linkMember><u:linkMember><u:InterFeatureLink gml:id="x2"><u:start xlink:href="#c"/><u:end xlink:href="#d"/>
</u:InterFeatureLink></u:linkMember></u:NetworkGraph></u:topoGraph></u:Network></core:cityObjectMember>
</core:CityModel>"""


def test_links_take_the_attributes_of_their_pipe_and_join_by_their_nodes(tmp_path: Path) -> None:
    path = tmp_path / "net.gml"
    path.write_text(ADE, encoding="utf-8")
    found = layers_by_id(path, make_frame("EPSG:25832", 368400.0, 5774900.0))
    pipes = found["pipes"]
    assert pipes.table.ids.tolist() == ["l1", "x1"]  # x2 joins two nodes at one place
    assert texts(pipes, words.DIAMETER)[0] == 0.3
    assert set(texts(pipes, words.UTILITY)) == {"water"}
    assert (texts(pipes, words.FROM_NODE), texts(pipes, words.TO_NODE)) == (["a", "b"], ["b", "c"])
    shape = pipes.geometry
    assert isinstance(shape, Lines)
    assert np.allclose(shape.vertices[2:], [[20, 10, 2], [20, 12, 2]])
    assert [issue.count for issue in pipes.issues if issue.code == "citygml.links_without_course"] == [1]


def test_a_line_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "net.gml"
    path.write_text(ADE.replace("368420 5774910 2</gml:posList>", "</gml:posList>"), encoding="utf-8")
    layers = read(path, make_frame("EPSG:25832", 368400.0, 5774900.0), ReadOptions(), Feedback())
    told = {issue.code: issue.elements for layer in layers for issue in layer.issues}
    assert told["citygml.bad_line"] == ("l1",)


def tube(points: list[list[float]], radius: float, sides: int) -> tuple[np.ndarray, np.ndarray]:
    """A closed tube around a bent course in the plane x, z."""
    course = np.array(points)
    turn = np.arange(sides) * 2 * np.pi / sides
    rings = []
    for number, at in enumerate(course):
        way = course[min(number + 1, len(course) - 1)] - course[max(number - 1, 0)]
        way /= np.linalg.norm(way)
        up = np.cross(way, [0.0, 1.0, 0.0])
        rings.append(at + radius * (np.cos(turn)[:, None] * np.array([0.0, 1.0, 0.0]) + np.sin(turn)[:, None] * up))
    faces = []
    for ring in range(len(course) - 1):
        for side in range(sides):
            a, b = ring * sides + side, ring * sides + (side + 1) % sides
            faces += [[a, b, a + sides], [b, b + sides, a + sides]]
    last = (len(course) - 1) * sides
    for side in range(1, sides - 1):
        faces += [[0, side + 1, side], [last, last + side, last + side + 1]]
    return np.concatenate(rings), np.array(faces)


def test_axis_of_a_bent_tube_runs_through_its_sections() -> None:
    course = [[0.0, 0.0, 0.0], [5.0, 0.0, 0.0], [8.0, 0.0, 2.0], [8.0, 0.0, 9.0]]
    found = axis_of(*tube(course, 0.25, 12))
    assert found.is_swept
    points = found.points if np.linalg.norm(found.points[0]) < 1 else found.points[::-1]
    assert np.allclose(points, course, atol=1e-3)
    assert found.diameter == pytest.approx(0.5, abs=1e-3)


def test_axis_of_a_short_fat_pipe_needs_its_direction() -> None:
    vertices, faces = tube([[0.0, 0.0, 0.0], [0.2, 0.0, 0.0]], 1.0, 24)
    found = axis_of(vertices, faces, direction=np.array([1.0, 0.0, 0.0]))
    assert np.allclose(np.sort(found.points[:, 0]), [0.0, 0.2])
    assert np.allclose(found.points[:, 1:], 0.0, atol=1e-9)
    assert found.diameter == pytest.approx(2.0)


def test_the_format_has_the_option_of_the_kind_of_utility() -> None:
    assert FORMAT.options is not None
    assert "utility" in FORMAT.options.model_fields
