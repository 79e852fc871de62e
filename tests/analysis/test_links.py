"""Links between worlds: found where they are, tested by rules, broken ones named with the reason."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from analysis.contract import Result
from analysis.registry import get
from analysis.run import execute
from geo.model import Column, ElementTable, Grid, Layer, Lines, Points
from geo.model import conventions as words
from tests.tiny import buildings, tiny_frame

GROUND = 20.0
HOUSE = (0.0, 20.0, GROUND, 20.0, 12.0, 9.0)  # x, y, z, width, depth, height


def texts(*values: str) -> Column:
    return Column(np.array(values, dtype=object))


def ground() -> Layer:
    return Layer("ground", "Ground", "terrain", Grid(np.full((101, 101), GROUND), -100.0, -100.0, 2.0))


def road() -> Layer:
    lines = Lines(np.array([[-90.0, 0, GROUND], [90.0, 0, GROUND]]), np.array([0, 2]), np.array([0]))
    return Layer("road", "Road", "road", lines, ElementTable(["main street"], {"width": Column(np.array([10.0]), "m")}))


def pipes(name: str, stratum: str, courses: Sequence[tuple[str, str, Sequence[tuple[float, float, float]]]]) -> Layer:
    points = np.concatenate([np.array(course, dtype=float) for *_, course in courses])
    offsets = np.concatenate([[0], np.cumsum([len(course) for *_, course in courses])]).astype(np.int32)
    table = ElementTable(
        [pipe for pipe, *_ in courses],
        {
            words.UTILITY: texts(*(kind for _, kind, _ in courses)),
            words.DIAMETER: Column(np.full(len(courses), 0.1), "m"),
        },
    )
    lines = Lines(points, offsets, np.arange(len(courses), dtype=np.int32))
    return Layer(name, name, "utility", lines, table, stratum=stratum)  # type: ignore[arg-type]


def places(*nodes: tuple[str, str, tuple[float, float, float]]) -> Layer:
    table = ElementTable([name for name, *_ in nodes], {words.NODE: texts(*(kind for _, kind, _ in nodes))})
    shape = Points(np.array([point for *_, point in nodes]), np.arange(len(nodes), dtype=np.int32))
    return Layer("places", "Places", "network", shape, table, stratum="indoor")


def found(*layers: Layer) -> tuple[Result, dict[tuple[str, str, str], tuple[str, str, float]]]:
    """Result, and status, reason and gap by (link, from, to)."""
    result = execute(get("links.worlds"), layers=[ground(), road(), *layers], frame=tiny_frame(), params={})
    table = next(table for table in result.tables if table.id == "links")
    names = list(table.columns)
    rows = [dict(zip(names, row, strict=True)) for row in table.rows()]
    return result, {
        (str(r["link"]), str(r["from"]), str(r["to"])): (str(r["status"]), str(r["why"]), float(str(r["gap"])))
        for r in rows
    }


def test_a_service_reaches_its_wall_or_falls_short() -> None:
    street = pipes(
        "water",
        "underground",
        [
            ("main", "water", [(-50, -3, 18.4), (5, -3, 18.4), (50, -3, 18.4)]),
            ("good", "water", [(5, -3, 18.4), (5, 19.7, 18.4)]),
            ("short", "water", [(15, -3, 18.4), (15, 17.0, 18.4)]),
        ],
    )
    _, links = found(street, buildings([HOUSE]))
    assert links[("service_connection", "good", "b0")] == ("ok", "", pytest.approx(0.3))
    assert links[("service_connection", "short", "b0")] == ("broken", "short_of_wall", pytest.approx(3.0))
    assert not [key for key in links if key[1] == "main" and key[2] == "b0"]


def test_a_building_without_what_it_needs_is_named() -> None:
    street = pipes(
        "net",
        "underground",
        [("w", "water", [(-50, -3, 18.4), (50, -3, 18.4)]), ("s", "sewage", [(-50, 3, 16.4), (50, 3, 16.0)])],
    )
    service = pipes("service", "underground", [("ws", "water", [(5, -3, 18.4), (5, 19.9, 18.4)])])
    result, links = found(street, service, buildings([HOUSE, (0.0, 95.0, GROUND, 4.0, 4.0, 3.0)]))
    missing = {(key[2], value[1]) for key, value in links.items() if value[1].startswith("no_")}
    assert missing == {("b0", "no_sewage")}  # the other house lies beyond reach of any main
    assert result.summary["broken"].value == 1


def test_entrances_steps_balconies_and_far_doors() -> None:
    nodes = places(
        ("door", "exit", (5.0, 20.0, GROUND + 0.1)),
        ("steps", "exit", (8.0, 20.0, GROUND + 1.0)),
        ("balcony", "exit", (8.0, 20.0, GROUND + 6.0)),
        ("far", "exit", (5.0, 80.0, GROUND)),
        ("inner", "door", (6.0, 25.0, GROUND)),
    )
    result, links = found(nodes)
    assert links[("entrance", "door", "main street")] == ("ok", "", pytest.approx(15.0))
    assert links[("entrance", "steps", "main street")][:2] == ("broken", "step")
    assert links[("entrance", "far", "main street")][:2] == ("broken", "too_far")
    assert len(links) == 3
    assert {issue.code: issue.count for issue in result.issues}["links.balconies"] == 1


def test_a_ramp_that_leads_to_no_parking_is_broken() -> None:
    nodes = places(
        ("top", "exit", (5.0, 8.0, GROUND)),
        ("low", "ramp", (5.0, 30.0, GROUND - 4.0)),
        ("bay", "room", (5.0, 35.0, GROUND - 4.0)),
    )
    way = Lines(
        np.array([[5.0, 8, GROUND], [5, 30, GROUND - 4], [5, 30, GROUND - 4], [5, 35, GROUND - 4]]),
        np.array([0, 2, 4]),
        np.array([0, 1]),
    )
    table = ElementTable(
        ["r", "o"],
        {words.FROM_NODE: texts("top", "low"), words.TO_NODE: texts("low", "bay"), words.WAY: texts("ramp", "opening")},
    )
    edges = Layer("edges", "Edges", "network", way, table, stratum="indoor")
    for name, status in (("주차장 B1", ("ok", "")), ("Storage", ("broken", "no_parking"))):
        room = buildings([HOUSE])
        other = buildings([(0.0, 30.0, GROUND - 4, 10.0, 10.0, 3.0)])
        rooms = room.with_(
            id="rooms", theme="space", table=ElementTable(["bay"], {words.ROOM_NAME: texts(name)}), fields=()
        )
        garage = other.with_(
            id="garage", theme="space", table=ElementTable(["g"], {words.ROOM_NAME: texts("주차장")}), fields=()
        )
        _, links = found(nodes, edges, rooms, garage)
        assert links[("parking_ramp", "top", "main street")][:2] == status


def test_the_street_meets_the_riser() -> None:
    street = pipes(
        "street",
        "underground",
        [("ws", "water", [(5, -3, 18.4), (5, 20.2, 18.4)]), ("g", "gas", [(9, -3, 18), (9, 20, 18)])],
    )
    inside = pipes(
        "inside",
        "indoor",
        [("riser", "water", [(5, 20.5, 18.4), (5, 25, 18.4)]), ("gi", "gas", [(9, 23, 18), (9, 25, 18)])],
    )
    _, links = found(street, inside, buildings([HOUSE]))
    assert links[("riser", "ws", "riser")] == ("ok", "", pytest.approx(0.3))
    assert links[("riser", "g", "gi")] == ("broken", "do_not_meet", pytest.approx(3.0))


def test_a_road_may_be_an_area() -> None:
    area = buildings([(-90.0, -5.0, GROUND - 0.2, 180.0, 10.0, 0.2)])
    surface = area.with_(id="surface", theme="road", fields=())
    result = execute(
        get("links.worlds"),
        layers=[ground(), surface, places(("door", "exit", (5.0, 20.0, GROUND)), ("far", "exit", (5.0, 70.0, GROUND)))],
        frame=tiny_frame(),
        params={},
    )
    table = next(table for table in result.tables if table.id == "links")
    status = dict(zip(table.columns["from"].values, table.columns["status"].values, strict=True))
    gap = dict(zip(table.columns["from"].values, table.columns["gap"].values, strict=True))
    assert status == {"door": "ok", "far": "broken"}
    assert gap["door"] == pytest.approx(15.0)


def test_a_gate_for_cars_leads_down_the_ramp_and_a_shop_door_does_not() -> None:
    nodes = places(
        ("gate", "exit", (5.0, 8.0, GROUND)),
        ("shop", "exit", (15.0, 8.0, GROUND)),
        ("shop_door", "door", (15.0, 9.0, GROUND)),
        ("top", "ramp", (5.0, 9.0, GROUND)),
        ("low", "ramp", (5.0, 30.0, GROUND - 4.0)),
        ("bay", "room", (5.0, 35.0, GROUND - 4.0)),
    )
    width = Column(np.array([5.4, 1.8, 1.8, 5.5, 5.5, np.nan]), "m")
    nodes = nodes.with_(table=nodes.table.with_columns({words.CLEAR_WIDTH: width}))
    pairs = [("gate", "top", "outside"), ("shop", "shop_door", "outside"), ("shop_door", "top", "walk")]
    pairs += [("top", "low", "ramp"), ("low", "bay", "walk")]
    line = np.zeros((2 * len(pairs), 3))
    offsets = np.arange(0, 2 * len(pairs) + 1, 2)
    columns = {
        words.FROM_NODE: texts(*(a for a, _, _ in pairs)),
        words.TO_NODE: texts(*(b for _, b, _ in pairs)),
        words.WAY: texts(*(way for *_, way in pairs)),
    }
    table = ElementTable([f"e{k}" for k in range(len(pairs))], columns)
    edges = Layer("edges", "Edges", "network", Lines(line, offsets, np.arange(len(pairs))), table, stratum="indoor")
    rooms = buildings([HOUSE]).with_(
        id="rooms", theme="space", table=ElementTable(["bay"], {words.ROOM_NAME: texts("주차장")}), fields=()
    )
    _, links = found(nodes, edges, rooms)
    assert {key[:2] for key in links} == {("parking_ramp", "gate"), ("entrance", "shop")}
    assert links[("parking_ramp", "gate", "main street")][:2] == ("ok", "")
