"""Pipe networks worked by hand: what is joined, where water goes, what a valve shuts off."""

from __future__ import annotations

import json
from pathlib import Path

import networkx
import numpy as np
import pytest

from analysis.contract import Result
from analysis.kernels.network import Nodes, Polylines, build_network
from analysis.kernels.network_health import KINDS, find_faults
from analysis.kernels.network_search import Spot, flow_from_sources, reach, shortest_path
from analysis.registry import get
from analysis.run import execute
from geo.model import Column, Layer, UserError
from tests.tiny import tiny_frame
from tests.tiny_pipes import line_layer, nodes, pipes, point_layer

Line = list[tuple[float, float, float]]


def polylines(*lines: Line, group: list[int] | None = None) -> Polylines:
    offsets = np.cumsum([0, *(len(line) for line in lines)])
    vertices = np.array([p for line in lines for p in line], dtype=float).reshape(-1, 3)
    return Polylines(vertices, offsets, np.array(group or [0] * len(lines), dtype=np.int64))


def points(*places: tuple[float, float, float]) -> Nodes:
    return Nodes(np.array(places, dtype=float).reshape(-1, 3), np.zeros(len(places), np.int64))


def net(shape: Polylines, at: Nodes | None = None, tolerance: float = 0.1):  # noqa: ANN201
    return build_network(shape, at or points(), tolerance=tolerance, height_tolerance=1.0)


def run(analysis: str, layers: list[Layer], **params: object) -> Result:
    return execute(get(analysis), layers=layers, frame=tiny_frame(), params=params)


def column(result: Result, table: str, name: str) -> list[object]:
    return next(t for t in result.tables if t.id == table).columns[name].values.tolist()


def code_of(result: Result) -> set[str]:
    return {issue.code for issue in result.issues}


# Topology


def test_ends_within_the_tolerance_are_joined_and_others_not() -> None:
    shape = polylines([(0, 0, 0), (10, 0, 0)], [(10.09, 0, 0), (20, 0, 0)], [(20.2, 0, 0), (30, 0, 0)])
    found = net(shape)
    assert found.of_end[0, 1] == found.of_end[1, 0]
    assert found.of_end[1, 1] != found.of_end[2, 0]
    assert sorted(found.parts().tolist()) == [0, 0, 0, 1, 1]


def test_an_end_on_a_pipe_splits_it() -> None:
    found = net(polylines([(0, 0, 0), (10, 0, 0)], [(4, 0.05, 0), (4, 8, 0)]))
    assert len(found.line) == 3
    assert found.length[found.line == 0].tolist() == [4.0, 6.0]
    assert found.degree()[found.of_end[1, 0]] == 3


def test_two_pipes_that_cross_are_joined_only_by_a_node() -> None:
    shape = polylines([(0, 0, 0), (10, 0, 0)], [(5, -5, 0), (5, 5, 0)])
    assert len(net(shape).line) == 2
    joined = net(shape, points((5, 0, 0)))
    assert len(joined.line) == 4
    assert set(joined.parts().tolist()) == {0}


def test_a_node_joins_pipes_at_any_height_and_ends_alone_do_not() -> None:
    shape = polylines([(0, 0, 5), (10, 0, 5)], [(10, 0, 2), (20, 0, 2)])
    assert net(shape).of_end[0, 1] != net(shape).of_end[1, 0]
    joined = net(shape, points((10, 0, 8)))
    assert joined.of_end[0, 1] == joined.of_end[1, 0] == joined.of_node[0]


def test_different_utilities_do_not_meet() -> None:
    shape = polylines([(0, 0, 0), (10, 0, 0)], [(10, 0, 0), (20, 0, 0)], group=[0, 1])
    assert net(shape).of_end[0, 1] != net(shape).of_end[1, 0]


def test_a_node_that_the_data_name_is_taken_from_afar() -> None:
    shape, at = polylines([(0, 0, 0), (10, 0, 0)], [(13, 0, 0), (20, 0, 0)]), points((11, 0, 0))
    stated = np.array([[-1, 0], [0, -1]])
    found = build_network(shape, at, tolerance=0.1, height_tolerance=1.0, stated=stated)
    assert found.of_end[0, 1] == found.of_end[1, 0] == found.of_node[0]


def test_connections_that_the_data_name_outweigh_the_drawing() -> None:
    """An end drawn past its node makes no loop, and a named pipe that runs over a named node is not cut there."""
    shape = polylines([(0, 0, 0), (10.5, 0, 0)], [(5, 0, 0), (5, 9, 0)], [(2, 0, 0), (2, 5, 0)])
    at = points((0, 0, 0), (10, 0, 0), (5, 0, 0), (5, 9, 0))
    stated = np.array([[0, 1], [2, 3], [-1, -1]])
    found = build_network(shape, at, tolerance=0.1, height_tolerance=1.0, stated=stated)
    assert found.line.tolist() == [0, 0, 1, 2]  # only the branch without names joins in the middle
    assert found.length[found.line == 0].tolist() == [2.0, 8.5]


def test_a_thousand_ends_at_one_spot_are_one_junction() -> None:
    turn = np.linspace(0, 6, 1000)
    lines = [[(0.0, 0.0, 0.0), (10 * np.cos(t), 10 * np.sin(t), 0.0)] for t in turn]
    found = net(polylines(*lines), tolerance=0.01)
    assert found.degree().max() == 1000


def test_broken_connections_are_told_apart() -> None:
    shape = polylines(
        [(0, 0, 0), (10, 0, 0)],
        [(10.3, 0, 0), (20, 0, 0)],  # gap of 0.3 m, tolerance 0.1
        [(5, 0, 4), (5, 9, 4)],  # ends 4 m above the first
        [(50, 0, 0), (60, 0, 0)],
        [(50, 0, 0), (60, 0, 0)],  # drawn twice
    )
    faults = find_faults(net(shape), shape, points(), tolerance=0.1, height_tolerance=1.0)
    found = {
        (KINDS[k], int(line), int(other)) for k, line, other in zip(faults.kind, faults.line, faults.other, strict=True)
    }
    assert {("gap", 0, 1), ("gap", 1, 0), ("height_gap", 2, 0), ("overlap", 4, 3)} <= found
    gap = faults.size[faults.kind == KINDS.index("gap")]
    assert gap == pytest.approx([0.3, 0.3])
    assert sum(kind == "dangling" for kind, _, _ in found) == 3  # start of 0, end of 1, far end of 2


def test_a_pipe_that_ends_on_itself_is_a_loop() -> None:
    found = net(polylines([(0, 0, 0), (10, 0, 0), (10, 10, 0), (5, 10, 0), (5, 0, 0)]))
    assert found.degree().max() == 3
    assert sorted(found.length.tolist()) == [5.0, 30.0]


# Searches


def grid_lines(rows: int, cols: int) -> Polylines:
    lines: list[Line] = []
    for r in range(rows):
        for c in range(cols):
            if c + 1 < cols:
                lines.append([(c, r, 0), (c + 1, r, 0)])
            if r + 1 < rows:
                lines.append([(c, r, 0), (c, r + 1, 0)])
    return polylines(*lines)


def test_distances_and_bridges_agree_with_networkx_on_random_networks() -> None:
    rng = np.random.default_rng(3)
    for _ in range(15):
        spots = rng.uniform(0, 100, (25, 2))
        ends = {tuple(sorted(rng.choice(25, 2, replace=False).tolist())) for _ in range(30)}
        lines = [[(*spots[a], 0.0), (*spots[b], 0.0)] for a, b in sorted(ends)]
        found = net(polylines(*lines), tolerance=1e-6)
        graph = networkx.MultiGraph()
        graph.add_edges_from(
            (int(a), int(b), k, {"w": float(w)})
            for k, (a, b, w) in enumerate(zip(found.tail, found.head, found.length, strict=True))
        )
        start = int(found.tail[0])
        theirs = networkx.single_source_dijkstra_path_length(graph, start, weight="w")
        ours = reach(found, np.array([start])).distance
        assert {j for j in range(len(ours)) if np.isfinite(ours[j])} == set(theirs)
        assert all(ours[j] == pytest.approx(d) for j, d in theirs.items())
        bridges = {frozenset(e[:2]) for e in networkx.bridges(networkx.Graph(graph))} if len(graph) else set()
        certain, _ = flow_from_sources(found, np.array([start]))
        mine = np.flatnonzero(np.isfinite(ours[found.tail]))
        assert {frozenset((int(found.tail[e]), int(found.head[e]))) for e in mine if certain[e]} == {
            b for b in bridges if b <= set(theirs)
        }


def test_shortest_path_between_places_inside_pipes() -> None:
    found = net(grid_lines(3, 3))
    first = int(np.flatnonzero((found.place[found.tail] == 0).all(axis=1) & (found.place[found.head][:, 0] == 1))[0])
    path = shortest_path(found, Spot(-1, first, 0.25), Spot(-1, first, 0.75))
    assert path is not None
    assert path.length == 0.5
    corner = int(np.flatnonzero((found.place[:, :2] == 2).all(axis=1))[0])
    path = shortest_path(found, Spot(-1, first, 0.25), Spot(corner))
    assert path is not None
    assert path.length == pytest.approx(3.75)
    assert np.abs(path.stop - path.start).sum() == pytest.approx(3.75)
    assert path.start[0] == 0.25


# Trace


def ladder(**columns: object) -> list[Layer]:
    """R -a- J1 -b- J2 -c- E with a second way d from J1 to J2: b and d are a loop, a and c are not."""
    lines: list[Line] = [
        [(0, 0, 0), (10, 0, 0)],
        [(10, 0, 0), (20, 0, 0)],
        [(30, 0, 0), (20, 0, 0)],  # drawn against the flow
        [(10, 0, 0), (15, 5, 0), (20, 0, 0)],
    ]
    layer = line_layer("net", lines, list("abcd"), utility=["water"] * 4, diameter=[0.1] * 4)
    return [layer, point_layer("at", [(0, 0, 0)], ["R"], node=["tank"], utility=["water"], status=[""])]


def test_pressure_flow_is_certain_only_outside_loops() -> None:
    down = run("utility.trace", ladder(), start="a", direction="downstream")
    assert column(down, "traced_pipes", "element") == ["a"]
    assert "utility.direction_unknown" in code_of(down)
    up = run("utility.trace", ladder(), start="c", direction="upstream")
    assert column(up, "traced_pipes", "element") == ["c"]
    chosen = run("utility.trace", ladder(), start="a", direction="downstream", unknown="shortest")
    assert set(column(chosen, "traced_pipes", "element")) == set("abcd")
    assert "utility.direction_shortest" in code_of(chosen)


def test_two_sources_leave_the_way_between_them_unknown() -> None:
    layers = ladder()
    layers[1] = point_layer(
        "at", [(0, 0, 0), (30, 0, 0)], ["R", "P"], node=["tank", "pump"], utility=["water"] * 2, status=[""] * 2
    )
    down = run("utility.trace", layers, start="R", direction="downstream")
    assert down.summary["pipes"].value == 0
    assert "utility.direction_unknown" in code_of(down)


def tree(quality: str, levels: tuple[float, ...] = (5, 4, 3, 2)) -> list[Layer]:
    """Sewers x and y meet at M and run on in z to the outfall; w leaves M on the level."""
    a, b, m, o = levels
    lines: list[Line] = [
        [(0, 10, a), (10, 0, m)],
        [(10, 0, m), (0, -10, b)],  # drawn upward
        [(10, 0, m), (30, 0, o)],
        [(10, 0, m), (10, 30, m)],
    ]
    return [
        line_layer(
            "sewers", lines, list("xyzw"), utility=["sewage"] * 4, depth_quality=[quality] * 4, diameter=[0.3] * 4
        )
    ]


def test_sewers_run_by_the_fall_of_a_measured_axis() -> None:
    up = run("utility.trace", tree("measured"), start="z", direction="upstream")
    assert set(column(up, "traced_pipes", "element")) == {"x", "y", "z"}
    assert next(i for i in up.issues if i.code == "utility.direction_unknown").elements == ("w",)
    down = run("utility.trace", tree("measured"), start="x", direction="downstream")
    assert set(column(down, "traced_pipes", "element")) == {"x", "z"}
    assert set(column(down, "traced_pipes", "direction")) == {"slope"}


def test_an_assumed_depth_says_nothing_of_the_flow() -> None:
    with pytest.raises(UserError) as caught:
        run("utility.trace", tree("assumed"), start="z", direction="upstream")
    assert caught.value.code == "utility.trace_nothing"
    drawn = run("utility.trace", tree("assumed"), start="z", direction="upstream", unknown="drawn")
    assert set(column(drawn, "traced_pipes", "element")) == {"x", "z"}
    assert "utility.direction_drawn" in code_of(drawn)


def test_a_closed_valve_stops_a_trace() -> None:
    layers = [pipes(), nodes()]
    shut = nodes().table.columns["status"].values.copy()
    shut[1] = "closed"
    table = layers[1].table.with_columns({"status": type(layers[1].table.columns["status"])(shut)})
    layers[1] = layers[1].with_(table=table)
    assert set(column(run("utility.trace", layers, start="w1"), "traced_pipes", "element")) == {"w1"}
    free = run("utility.trace", layers, start="w1", closed_valves=False)
    assert set(column(free, "traced_pipes", "element")) == {"w1", "w2", "w3"}
    with pytest.raises(UserError) as caught:
        run("utility.path", layers, origin="R", target="H")
    assert caught.value.code == "utility.no_path"


# Isolation


def ring_main(closed: str = "") -> list[Layer]:
    """Tank T feeds a ring of four pipes r1..r4 with valves V1..V4 at its corners but one; services hang on stubs.

    T - f - A;  ring A -r1- B -r2- C -r3- D -r4- A.  Valves at 1 m from A on r1 and r4, in B and in D.
    Service S2 on r2 (stub s2), S3 on r3 (stub s3); C has no valve. S9 hangs on B behind its own valve.
    """
    lines: list[Line] = [
        [(-20, 0, 0), (0, 0, 0)],
        [(0, 0, 0), (10, 0, 0)],
        [(10, 0, 0), (10, 10, 0)],
        [(10, 10, 0), (0, 10, 0)],
        [(0, 10, 0), (0, 0, 0)],
        [(10, 5, 0), (15, 5, 0)],
        [(5, 10, 0), (5, 15, 0)],
        [(15, 5, 0), (20, 5, 0)],
    ]
    ids = ["f", "r1", "r2", "r3", "r4", "s2", "s3", "s9"]
    places = [(-20, 0, 0), (1, 0, 0), (10, 0, 0), (0, 10, 0), (0, 1, 0), (15, 5, 0), (5, 15, 0), (20, 5, 0)]
    names = ["T", "V1", "V2", "V3", "V4", "VS", "S3", "S9"]
    kinds = ["tank", "valve", "valve", "valve", "valve", "valve", "service", "service"]
    status = [
        "closed" if name == closed else ("open" if kind == "valve" else "")
        for name, kind in zip(names, kinds, strict=True)
    ]
    return [
        line_layer("ring", lines, ids, utility=["water"] * 8, diameter=[0.2] * 8),
        point_layer("at", places, names, node=kinds, utility=["water"] * 8, status=status),
    ]


def valves(result: Result) -> dict[str, str]:
    return dict(zip(column(result, "valve_list", "element"), column(result, "valve_list", "action"), strict=True))


def test_a_break_in_the_ring_closes_the_nearest_valves() -> None:
    result = run("utility.isolation", ring_main(), broken="r2")
    assert valves(result) == {"V2": "close", "V3": "close", "VS": "close"}
    feeds = dict(zip(column(result, "valve_list", "element"), column(result, "valve_list", "feeding"), strict=True))
    assert feeds == {"V2": True, "V3": True, "VS": False}
    lost = dict(zip(column(result, "customer_list", "element"), column(result, "customer_list", "part"), strict=True))
    assert lost == {"S3": "isolated", "S9": "cut off"}
    assert result.summary["isolated_length"].value == pytest.approx(10 + 10 + 5 + 5)
    assert result.summary["cut_off_length"].value == pytest.approx(5)


def test_a_closed_valve_stays_closed_and_cuts_the_other_way_round() -> None:
    result = run("utility.isolation", ring_main("V3"), broken="r1", whole=False)
    # Between V1 and V2: with V3 shut nothing reaches r2, r3 and their services any more.
    assert valves(result) == {"V1": "close", "V2": "close"}
    lost = dict(zip(column(result, "customer_list", "element"), column(result, "customer_list", "part"), strict=True))
    assert lost == {"S3": "cut off", "S9": "cut off"}
    other = run("utility.isolation", ring_main(), broken="r4", whole=False)
    assert valves(other) == {"V3": "close", "V4": "close"}
    assert column(other, "customer_list", "element") == []  # r3 and its service are fed through V2


def test_a_source_without_a_valve_is_said() -> None:
    result = run("utility.isolation", ring_main(), broken="f")
    assert valves(result) == {"V1": "close", "V4": "close", "T": "shut down source"}
    assert "utility.source_inside" in code_of(result)


def test_only_the_piece_at_the_place_is_shut_off_when_it_is_known() -> None:
    origin = tiny_frame().origin
    place = f"{origin[0] + 0.5}, {origin[1]}"  # on r1 before V1
    result = run("utility.isolation", ring_main(), broken=place)
    assert valves(result) == {"V1": "close", "V4": "close", "T": "shut down source"}
    part = run("utility.isolation", ring_main(), broken="r1", whole=False)
    assert valves(part) == {"V1": "close", "V2": "close"}
    whole = run("utility.isolation", ring_main(), broken="r1")
    assert valves(whole) == {"V2": "close", "V4": "close", "T": "shut down source"}


def test_a_node_cannot_break_and_a_far_place_is_no_pipe() -> None:
    for place, code in (("T", "utility.not_a_pipe"), ("0, 0", "utility.far_place"), ("", "utility.no_place")):
        with pytest.raises(UserError) as caught:
            run("utility.isolation", ring_main(), broken=place)
        assert caught.value.code == code


def test_the_network_kept_from_the_last_question_is_never_a_stale_one() -> None:
    layers = [pipes(), nodes()]
    first = run("utility.isolation", layers, broken="w2")
    again = run("utility.isolation", layers, broken="w2")
    assert column(first, "isolated_pipes", "length") == column(again, "isolated_pipes", "length")
    assert code_of(first) == code_of(again)
    shut = layers[1].table.columns["status"].values.copy()
    shut[1] = "closed"
    table = layers[1].table.with_columns({"status": Column(shut)})
    changed = run("utility.isolation", [layers[0], layers[1].with_(table=table)], broken="w2")
    assert changed.summary["already_closed"].value == 1
    loose = run("utility.topology", layers, tolerance=0.001)
    assert loose.summary["parts"].value == 3


# A real network


def test_joining_by_place_finds_the_connections_that_the_file_names(shared_data: Path) -> None:
    """1156 pipes of a real water network: ends that name one junction meet, others do not."""
    folder = shared_data / "utilities"
    features = json.loads((folder / "ky4_pipes.geojson").read_text())["features"]
    junctions = json.loads((folder / "ky4_junctions.geojson").read_text())["features"]
    lines = [[(*p[:2], 0.0) for p in f["geometry"]["coordinates"]] for f in features]
    at = points(*((*f["geometry"]["coordinates"][:2], 0.0) for f in junctions))
    found = net(polylines(*lines), at, tolerance=0.01)
    spots: dict[str, set[int]] = {}
    names: dict[int, set[str]] = {}
    for feature, ends in zip(features, found.of_end.tolist(), strict=True):
        for side, junction in zip(("start", "end"), ends, strict=True):
            name = feature["properties"][f"{side}_node_name"]
            spots.setdefault(name, set()).add(junction)
            names.setdefault(junction, set()).add(name)
    assert len(spots) == 964
    assert all(len(found_at) == 1 for found_at in spots.values())
    assert sum(len(named) > 1 for named in names.values()) == 2  # two pairs of junctions have one place
    assert set(found.parts().tolist()) == {0}


# Hostile layers


def test_unusable_pipes_are_said_and_the_rest_is_used() -> None:
    lines: list[Line] = [[(0, 0, 0), (10, 0, 0)], [(1, 1, 0), (1, 1, 0)], [(0, np.nan, 0), (1, 0, 0)], [(5, 5, 5)]]
    layer = line_layer("bad", lines, list("abcd"), utility=["water"] * 4)
    result = run("utility.topology", [layer])
    issue = next(i for i in result.issues if i.code == "utility.unusable")
    assert set(issue.elements) == {"b", "c", "d"}
    assert result.summary["pipes"].value == 1
    with pytest.raises(UserError) as caught:
        run("utility.topology", [line_layer("none", lines[1:], list("bcd"), utility=["water"] * 3)])
    assert caught.value.code == "utility.no_pipes"
