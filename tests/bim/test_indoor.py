"""The walking network of real models against their known figures, and of a small model made here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.sample.ifc_model import IfcModel
from bim.elements import read_storeys
from bim.formats.ifc import FORMAT
from bim.indoor import Indoors, find_indoors
from bim.indoor_climbs import flight_ends
from bim.placement import IfcOptions
from bim.schema import open_model
from geo.crs import make_frame
from geo.formats.contract import ReadOptions
from geo.model import Feedback, Lines, Points

FRAME = make_frame("EPSG:5186", 229_000.0, 435_500.0)
FZK, DUPLEX, OFFICE = "AC20-FZK-Haus.ifc", "Duplex_A_20110907_georeferenced.ifc", "Office_A_20110811.ifc"
LARGE, TALL = "BIMWhale_LargeBuilding.ifc", "BIMWhale_TallBuilding.ifc"


def found_in(path: Path) -> Indoors:
    model = open_model(path)
    found = find_indoors(model.file, None, read_storeys(model.file, model.metres_per_unit), Feedback())
    assert found is not None
    return found


@pytest.fixture(scope="module")
def indoors(shared_data: Path) -> Callable[[str], Indoors]:
    known: dict[str, Indoors] = {}

    def find(name: str) -> Indoors:
        if name not in known:
            known[name] = found_in(shared_data / "ifc" / name)
        return known[name]

    return find


def exits_of(found: Indoors) -> int:
    return sum(node.node == "exit" for node in found.network.nodes.values())


@pytest.mark.parametrize(
    ("name", "rooms", "doors", "stated", "agreeing", "reached", "exits"),
    [
        (FZK, 7, 5, 5, 5, 7, 2),
        (DUPLEX, 21, 14, 14, 13, 20, 4),
        (OFFICE, 99, 102, 93, 93, 98, 6),
        (LARGE, 8, 18, 0, 0, 8, 10),
        (TALL, 3, 5, 0, 0, 3, 3),
    ],
)
def test_rooms_reach_an_exit(
    indoors: Callable[[str], Indoors], name: str, rooms: int, doors: int, stated: int, agreeing: int, reached: int,
    exits: int,
) -> None:  # fmt: skip
    found = indoors(name)
    out = found.network.reach_exit()
    assert (len(found.cells), found.doors.doors) == (rooms, doors)
    assert (found.doors.stated, found.doors.agreeing) == (stated, agreeing)
    assert sum(cell.id in out for cell in found.cells) == reached
    assert exits_of(found) == exits


def test_what_has_no_way_out_is_named(indoors: Callable[[str], Indoors]) -> None:
    for name, label in ((DUPLEX, "R301 Roof"), (OFFICE, "124 ELEV")):
        found = indoors(name)
        issue = next(issue for issue in found.network.issues if issue.code == "indoor.no_way_out")
        assert [cell.label for cell in found.cells if cell.id in issue.elements] == [label]


def test_partitions_are_no_doors_and_stated_doors_are_not_derived(indoors: Callable[[str], Indoors]) -> None:
    assert len(indoors(OFFICE).doors.furniture) == 9
    assert not any(passage.derived for passage in indoors(FZK).doors.passages)
    assert all(passage.derived for passage in indoors(LARGE).doors.passages)
    opened = [n for n in indoors(FZK).network.nodes.values() if n.node == "landing"]
    assert len(opened) == 3  # by virtual elements of the file
    assert not any(node.derived for node in opened)


@pytest.mark.parametrize(("name", "differ"), [(FZK, 0), (LARGE, 0), (TALL, 0), (DUPLEX, 21), (OFFICE, 99)])
def test_floors_equal_the_stated_areas_or_are_listed(indoors: Callable[[str], Indoors], name: str, differ: int) -> None:
    """Revit's area reaches to the middle of the walls; every other model agrees within 1 %."""
    issues = [issue for issue in indoors(name).issues if issue.code == "indoor.area_differs"]
    assert sum(issue.count for issue in issues) == differ


def test_edges_join_their_nodes_and_stay_inside_the_rooms(indoors: Callable[[str], Indoors]) -> None:
    import shapely

    found = indoors(OFFICE)
    cells = {cell.id: cell for cell in found.cells}
    outside = 0.0
    for edge in found.network.edges:
        for id, point in ((edge.start, edge.line[0]), (edge.end, edge.line[-1])):
            assert np.allclose(found.network.nodes[id].point, point)
        if edge.room and len(edge.line) > 4:
            inner = shapely.LineString(edge.line[2:-2, :2]) if len(edge.line) > 5 else None
            if inner is not None:
                outside += inner.difference(cells[edge.room].floor.buffer(0.05)).length
    assert outside == pytest.approx(0.0, abs=1e-6)


def test_layers_of_a_model_have_the_words_of_the_conventions(shared_data: Path) -> None:
    layers = {layer.id: layer for layer in FORMAT.read(shared_data / "ifc" / FZK, FRAME, ReadOptions(), Feedback())}
    spaces, nodes, edges = layers["spaces"], layers["network_nodes"], layers["network_edges"]
    assert isinstance(nodes.geometry, Points)
    assert isinstance(edges.geometry, Lines)
    row = dict(zip(spaces.table.columns["name"].values, range(7), strict=True))
    kitchen = spaces.table.row_at(row["Küche"])
    assert kitchen["number"] == "6"
    assert kitchen["area"] == pytest.approx(16.31, abs=0.01)
    assert kitchen["height"] == pytest.approx(2.5)
    assert set(edges.table.columns["from"].values) <= set(nodes.table.ids)
    assert {"Küche", "Flur"} <= {str(name).split(" ", 1)[-1] for name in nodes.table.columns["name"].values}
    box = spaces.geometry.bounds  # type: ignore[union-attr]
    points = nodes.geometry.vertices[[kind == "room" for kind in nodes.table.columns["node"].values]]
    assert (points >= np.array(box.low) - 0.01).all()  # type: ignore[union-attr]
    assert (points <= np.array(box.high) + 0.01).all()  # type: ignore[union-attr]
    own = IfcOptions(network=False)
    plain = FORMAT.read(shared_data / "ifc" / FZK, FRAME, ReadOptions(own=own), Feedback())
    assert "network_nodes" not in {layer.id for layer in plain}


# --- a model made here: two storeys of hall and room, a lift in a shaft without a room, turned by 33 degrees


def small_house(path: Path, *, turn_deg: float = 33.0) -> Path:
    model = IfcModel("small", "")
    model.style("grey", (200, 200, 200))
    turn = np.radians(turn_deg)
    axis = (float(np.cos(turn)), float(np.sin(turn)))
    file = model.file
    site = file.create_entity("IfcSite", model.guid(), ObjectPlacement=model.placement((0, 0, 0), x_axis=axis))
    building = file.create_entity(
        "IfcBuilding", model.guid(), ObjectPlacement=model.placement((0, 0, 0), to=site.ObjectPlacement)
    )
    model.aggregate(model.project, [site])
    model.aggregate(site, [building])
    storeys = []
    for level in range(2):
        place = model.placement((0, 0, 3.0 * level), to=building.ObjectPlacement)
        storey = file.create_entity("IfcBuildingStorey", model.guid(), Name=f"{level}F", ObjectPlacement=place)
        storeys.append(storey)
        _storey(model, storey, level)
    cabin = model.shape([(model.block(0, 0, 0, 1.6, 1.6, 2.2), "grey")])
    model.product(
        "IfcTransportElement", "lift", storeys[0], cabin, at=(6.4, 0.2, 0.0), attributes={"PredefinedType": "ELEVATOR"}
    )
    model.aggregate(building, storeys)
    model.write(path, seed=1)
    return path


def _storey(model: IfcModel, storey: object, level: int) -> None:
    """Hall (0..4, 0..4), room (4.2..6, 0..4 ) east of it, shaft (6.2..8.2, 0..2) east of the room."""
    for name, x, width in (("hall", 0.0, 4.0), ("room", 4.2, 1.8)):
        body = model.shape([(model.block(x, 0.0, 0.0, width, 4.0, 2.7), "grey")])
        model.product("IfcSpace", f"{name}{level}", storey, body)  # type: ignore[arg-type]
    _door(model, storey, "inner", (4.0, 1.5), (0.2, 0.9))
    _door(model, storey, "lift door", (6.0, 0.5), (0.2, 0.9))
    if level == 0:
        _door(model, storey, "front", (1.0, -0.2), (1.0, 0.2))


def _door(model: IfcModel, storey: object, name: str, at: tuple[float, float], size: tuple[float, float]) -> None:
    body = model.shape([(model.block(0.0, 0.0, 0.0, size[0], size[1], 2.1), "grey")])
    attributes = {"OverallWidth": max(size), "OverallHeight": 2.1}
    model.product("IfcDoor", name, storey, body, at=(*at, 0.0), attributes=attributes)  # type: ignore[arg-type]


@pytest.mark.parametrize("turn_deg", [0.0, 33.0, 90.0])
def test_small_house_with_a_lift(tmp_path: Path, turn_deg: float) -> None:
    found = found_in(small_house(tmp_path / "small.ifc", turn_deg=turn_deg))
    network = found.network
    assert {cell.label for cell in found.cells} <= network.reach_exit() | {c.label for c in found.cells}
    assert all(cell.id in network.reach_exit() for cell in found.cells)
    assert exits_of(found) == 1  # the landing doors of the lift lead to no exit
    lift = [edge for edge in network.edges if edge.way == "lift"]
    assert len(lift) == 1
    assert lift[0].length == pytest.approx(3.0)
    inner = next(node for node in network.nodes.values() if node.name == "inner")
    assert inner.width == pytest.approx(0.9)


def test_ends_of_a_flight() -> None:
    steps = np.array([(0.3 * k, y, 0.17 * (k + j)) for k in range(10) for y in (0.0, 1.2) for j in (0, 1)])
    ends = flight_ends(steps)
    assert ends is not None
    low, high = ends
    assert low[1] == high[1] == pytest.approx(0.6)
    assert (low[2], high[2]) == pytest.approx((0.0, 1.7))
    assert high[0] - low[0] > 2.0
    assert flight_ends(np.zeros((4, 3))) is None
