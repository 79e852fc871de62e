"""Ways through a house whose distances are known by hand, and the routing kernel against brute force."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from analysis.contract import Result
from analysis.indoor.rules import rules
from analysis.kernels.routing import make_graph, reversed_graph, shortest, way_to
from analysis.registry import get
from analysis.run import execute
from geo.model import ElementTable, Layer, Lines, UserError
from geo.model.table import Column
from tests.tiny import box_mesh, tiny_frame
from tests.tiny_indoor import house, network, roads, rooms

RULES = rules()


def route(layers: list[Layer] | None = None, **params: object) -> Result:
    return execute(get("indoor.route"), layers=layers or house(), frame=tiny_frame(), params=params)


def exits(layers: list[Layer] | None = None, **params: object) -> Result:
    return execute(get("indoor.exits"), layers=layers or [*network(), rooms()], frame=tiny_frame(), params=params)


def table(result: Result, name: str) -> dict[str, list[object]]:
    found = next(t for t in result.tables if t.id == name)
    return {key: column.values.tolist() for key, column in found.columns.items()}


# --- the kernel


def brute_force(count: int, arcs: list[tuple[int, int, float]]) -> np.ndarray:
    """Floyd and Warshall, as plain as can be."""
    total = np.full((count, count), np.inf)
    np.fill_diagonal(total, 0.0)
    for a, b, cost in arcs:
        total[a, b] = min(total[a, b], cost)
    for k in range(count):
        for i in range(count):
            for j in range(count):
                total[i, j] = min(total[i, j], total[i, k] + total[k, j])
    return total


@pytest.mark.parametrize("seed", range(5))
def test_kernel_agrees_with_brute_force(seed: int) -> None:
    random = np.random.default_rng(seed)
    tail, head = random.integers(0, 12, 40), random.integers(0, 12, 40)
    cost = random.integers(1, 9, 40).astype(float)
    cost[random.random(40) < 0.1] = np.inf
    graph = make_graph(12, tail, head, cost)
    wanted = brute_force(12, list(zip(tail.tolist(), head.tolist(), cost.tolist(), strict=True)))
    sources = np.array([0, 5])
    tree = shortest(graph, sources)
    assert np.allclose(tree.cost, wanted[sources].min(axis=0))
    for goal in range(12):
        nodes, arcs = way_to(graph, tree, goal)
        if not np.isfinite(tree.cost[goal]):
            assert len(nodes) == 0
            continue
        assert nodes[0] in sources
        assert cost[arcs].sum() == pytest.approx(tree.cost[goal])
        assert [(tail[a], head[a]) for a in arcs] == list(pairwise(nodes.tolist()))
    back = shortest(reversed_graph(graph), np.array([3]))
    assert np.allclose(back.cost, wanted[:, 3])


def test_kernel_refuses_negative_costs() -> None:
    with pytest.raises(ValueError, match="negative"):
        make_graph(2, np.array([0]), np.array([1]), np.array([-1.0]))


# --- ways


def test_shortest_way_is_the_one_known_by_hand() -> None:
    """A0 to B0: 5 m to the door, 5 m to the middle of C, 5 m to the door, 5 m into B."""
    result = route(start="A0", goal="B0")
    assert result.summary["length"].value == pytest.approx(20.0)
    assert result.summary["time"].value == pytest.approx(20.0 / RULES.profiles["walk"].level, abs=0.05)
    assert result.summary["doors"].value == 2
    assert result.summary["narrowest"].value == pytest.approx(0.8)
    # The exit: 5 m to the door, along the diagonal of 5 x 5 m to the front door, 1 m out.
    assert result.summary["exit_length"].value == pytest.approx(5.0 + np.sqrt(50.0) + 1.0, abs=0.01)


def test_stairs_and_lift_follow_the_profile() -> None:
    going_up = route(start="A0", goal="A1")
    steps = table(going_up, "steps")
    assert "stair" in steps["way"]
    walk = RULES.profiles["walk"]
    flat = 5.0 + 5.0 + np.hypot(1, 4) + np.hypot(1, 3) + 5.0 + 5.0
    stair = max(7.0, 4.0 * RULES.going) / walk.stair_up
    assert going_up.summary["time"].value == pytest.approx(flat / walk.level + stair, abs=0.1)
    assert going_up.summary["climb"].value == pytest.approx(4.0)
    chair = route(start="A0", goal="A1", profile="wheelchair")
    assert {"stair"} & set(table(chair, "steps")["way"]) == set()
    speed = RULES.profiles["wheelchair"].level
    way = 5.0 + 5.0 + 2 * np.hypot(3, 4) + 5.0 + 5.0
    lift = RULES.waiting + RULES.doors + 4.0 / RULES.lift_speed
    assert chair.summary["time"].value == pytest.approx(way / speed + lift, abs=0.1)
    fire = route(start="A1", goal="A0", profile="evacuation")
    assert "lift" not in table(fire, "steps")["way"]


def test_narrow_door_stops_a_wheelchair() -> None:
    with pytest.raises(UserError) as caught:
        route(start="A0", goal="B0", profile="wheelchair")
    assert caught.value.code == "indoor.no_way"
    # A door of 1.0 m with its frame taken off is too narrow as well.
    with pytest.raises(UserError):
        route(start="A0", goal="C0", profile="wheelchair", deduct=0.15)


@pytest.mark.parametrize(
    ("start", "code"), [("", "indoor.no_start"), ("nowhere", "run.no_place"), ("B1", "indoor.no_way")]
)
def test_what_cannot_be_answered_is_said(start: str, code: str) -> None:
    with pytest.raises(UserError) as caught:
        route(start=start, goal="A0")
    assert caught.value.code == code


def test_empty_goal_is_the_nearest_exit_and_balconies_are_none() -> None:
    result = route(start="A1")
    assert result.summary["goal"].value == "front:exit"
    assert "indoor.high_exits" in {issue.code for issue in result.issues}
    up = route(start="A1", high_exit=10.0)
    assert up.summary["goal"].value == "balcony:exit"


def test_one_way_leads_from_the_street_to_a_room() -> None:
    """From the west end of the road (65 m), 20 m to the exit, 1 m, the diagonal, and 5 m."""
    origin = tiny_frame().origin
    result = route(start=f"{origin[0] - 50:.3f}, {origin[1] - 21:.3f}, 20", goal="A0")
    assert result.summary["length"].value == pytest.approx(65.0 + 20.0 + 1.0 + np.sqrt(50.0) + 5.0, abs=0.02)
    assert "indoor.exits_joined" in {issue.code for issue in result.issues}
    assert table(result, "steps")["way"][0] == "outside"


def test_links_go_before_straight_joins() -> None:
    line = Lines(np.array([(15.0, -21.0, 20.0), (40.0, -10.0, 20.0), (15.0, -1.2, 20.0)]), [0, 3], [0])
    columns = {"link": Column(np.array(["entrance"], dtype=object)), "status": Column(np.array(["ok"], dtype=object))}
    link = Layer("links", "Links", "link", line, ElementTable(["L1"], columns))
    origin = tiny_frame().origin
    start = f"{origin[0] - 50:.3f}, {origin[1] - 21:.3f}, 20"
    result = route([*network(), rooms(), roads(), link], start=start, goal="A0")
    assert "indoor.exits_joined" not in {issue.code for issue in result.issues}
    detour = np.hypot(25, 11) + np.hypot(25, 8.8) + 0.2
    assert result.summary["length"].value == pytest.approx(65.0 + detour + 1.0 + np.sqrt(50.0) + 5.0, abs=0.05)


def test_steps_read_as_directions_and_their_lines_join_up() -> None:
    result = route(start="A0", goal="B0")
    steps = table(result, "steps")
    assert steps["instruction"] == [
        "cross A0, 5.0 m",
        "through dA0 into C0, 10.0 m",
        "through dB0 into B0, 5.0 m",
    ]
    shape = next(layer.geometry for layer in result.layers if layer.name == "Way")
    assert isinstance(shape, Lines)
    inner = shape.offsets[1:-1]
    assert np.allclose(shape.vertices[inner], shape.vertices[inner - 1])
    assert steps["total_length"][-1] == pytest.approx(20.0)


def test_a_way_by_way_of_places_is_its_parts_one_after_another() -> None:
    there, back = route(start="A0", goal="B0"), route(start="B0", goal="A0")
    result = route(start="A0", via="B0; A0", goal="B0")
    parts = [r.summary["length"].value for r in (there, back, there)]
    assert result.summary["length"].value == pytest.approx(sum(parts), abs=0.05)
    assert table(result, "steps")["total_length"][-1] == pytest.approx(sum(parts), abs=0.05)
    out = route(start="A0", via="B0")
    assert out.summary["length"].value == pytest.approx(
        there.summary["length"].value + route(start="B0").summary["length"].value, abs=0.05
    )


def test_who_stands_in_the_street_is_shown_no_way_out() -> None:
    origin = tiny_frame().origin
    street = route(start=f"{origin[0] - 50:.3f}, {origin[1] - 21:.3f}, 20", goal="A0")
    assert [layer.name for layer in street.layers if layer.kind == "lines"] == ["Way"]
    assert "exit" not in street.summary
    assert "exit" in route(start="A0", goal="B0").summary


# --- ways out


def test_rooms_by_their_exits() -> None:
    result = exits()
    rows = table(result, "room_list")
    by_room = {room: row for row, room in enumerate(rows["room"])}
    assert rows["distance"][by_room["A0"]] == pytest.approx(5.0 + np.sqrt(50.0) + 1.0)
    assert rows["distance"][by_room["C0"]] == pytest.approx(6.0)
    assert np.isnan(rows["distance"][by_room["B1"]])
    assert rows["state"][by_room["B1"]] == "no way out"
    assert rows["exit"][by_room["A1"]] == "front:exit"
    # B0 lies behind the narrow door; A1 comes down by the lift.
    assert not rows["wheelchair"][by_room["B0"]]
    assert rows["wheelchair"][by_room["A1"]]
    assert result.summary["without_way"].value == 1
    assert result.summary["not_by_wheelchair"].value == 2
    assert table(result, "narrow_doors")["door"] == ["dB0"]
    coloured = result.layers[0]
    assert coloured.kind == "mesh"
    field = coloured.field_named("distance")
    assert field is not None
    assert len(field.values) == len(coloured.geometry.faces) == 6 * 12  # type: ignore[union-attr]


def test_walking_distance_is_judged_to_the_stair() -> None:
    rows = table(exits(walking_distance=9.0), "room_list")
    state = dict(zip(rows["room"], rows["state"], strict=True))
    assert state["A0"] == "far"  # 12.07 m to the exit
    assert state["C1"] == "way out"  # 3.2 m to the stair


def test_without_rooms_points_are_coloured_and_without_network_it_says_so() -> None:
    assert exits(network()).layers[0].kind == "points"
    with pytest.raises(UserError) as caught:
        exits(network()[:1])
    assert caught.value.code == "indoor.no_network"


def test_turning_the_house_changes_no_distance() -> None:
    turn = np.radians(33.0)
    matrix = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    turned = [
        layer.with_(geometry=type(layer.geometry)(layer.geometry.vertices @ matrix.T + 400.0, *_rest(layer)))
        for layer in network()
    ]
    assert exits(turned).summary["longest"] == exits(network()).summary["longest"]


def _rest(layer: Layer) -> tuple[np.ndarray, ...]:
    shape = layer.geometry
    return (shape.offsets, shape.line_element) if isinstance(shape, Lines) else (shape.element,)  # type: ignore[union-attr]


def test_road_areas_are_walked_and_pulled_straight() -> None:
    """A carriageway 6 m wide, 100 m long, then 60 m to the north, to the door of the house: no zigzag is left."""
    mesh, _ = box_mesh([(-85.0, -24.0, 19.9, 103.0, 6.0, 0.1), (12.0, -24.0, 19.9, 6.0, 20.0, 0.1)])
    area = Layer("roads", "Roads", "road", mesh, ElementTable(["r1", "r2"]))
    origin = tiny_frame().origin
    start = f"{origin[0] - 80:.3f}, {origin[1] - 21:.3f}, 20"
    result = route([*network(), rooms(), area], start=start, goal="A0")
    assert "indoor.road_areas" in {issue.code for issue in result.issues}
    inside = 1.0 + np.sqrt(50.0) + 5.0
    shortest_way = np.hypot(92.0, 3.0) + np.hypot(3.0, 17.0)  # around the inner corner (12, -18) to the exit
    assert result.summary["length"].value == pytest.approx(shortest_way + inside, rel=0.03)
