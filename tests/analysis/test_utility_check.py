"""Truth checks of pipes: each planted error is found where it is, and a sound network has no finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from analysis.contract import Result
from analysis.registry import get
from analysis.run import execute
from geo.model import Column, ElementTable, Grid, Issue, Layer, Lines, Points, Style
from geo.model import conventions as words
from tests.tiny import buildings, tiny_frame

GROUND = 20.0
Pipe = tuple[str, str, Sequence[tuple[float, float, float]], Mapping[str, object]]


def ground() -> Layer:
    return Layer("ground", "Ground", "terrain", Grid(np.full((101, 101), GROUND), -100.0, -100.0, 2.0))


def street() -> Layer:
    """Along x, 20 m wide."""
    lines = Lines(np.array([[-100.0, 0, GROUND], [100.0, 0, GROUND]]), np.array([0, 2]), np.array([0]))
    return Layer("road", "Road", "road", lines, ElementTable(["r"], {"width": Column(np.array([20.0]), "m")}))


def network(pipes: Sequence[Pipe]) -> Layer:
    points = np.concatenate([np.array(course, dtype=float) for _, _, course, _ in pipes])
    offsets = np.concatenate([[0], np.cumsum([len(course) for _, _, course, _ in pipes])])

    def column(name: str, missing: object, kind: object) -> np.ndarray:
        return np.array([more.get(name, missing) for *_, more in pipes], dtype=kind)  # type: ignore[call-overload]

    columns = {
        words.UTILITY: Column(np.array([utility for _, utility, _, _ in pipes], dtype=object)),
        words.DIAMETER: Column(column("diameter", 0.2, float), "m"),
        words.DEPTH_QUALITY: Column(column("quality", "measured", object)),
        words.INVERT_UP: Column(column("up", np.nan, float), "m"),
        words.INVERT_DOWN: Column(column("down", np.nan, float), "m"),
    }
    table = ElementTable([name for name, *_ in pipes], columns)
    lines = Lines(points, offsets.astype(np.int32), np.arange(len(pipes), dtype=np.int32))
    return Layer("pipes", "Pipes", "utility", lines, table, style=Style(), stratum="underground")


def level(y: float, cover: float, x0: float = -60.0, x1: float = 60.0, size: float = 0.2) -> list[tuple[float, ...]]:
    z = GROUND - cover - size / 2
    return [(x0, y, z), (x1, y, z)]


SOUND: list[Pipe] = [
    ("w1", "water", level(-6.0, 1.5), {}),
    ("g1", "gas", level(-3.0, 1.5), {}),
    ("s1", "sewage", [(-60, 3, 16.1), (0, 3, 15.9)], {"up": 16.0, "down": 15.8, "diameter": 0.3}),
    ("s2", "sewage", [(0, 3, 15.9), (60, 3, 15.7)], {"up": 15.8, "down": 15.6, "diameter": 0.3}),
    ("t1", "telecom", level(7.0, 1.2), {}),
]


def check(pipes: Sequence[Pipe], *others: Layer) -> Result:
    layers = [network(pipes), ground(), street(), *others]
    return execute(get("utility.check"), layers=layers, frame=tiny_frame(), params={})


def told(result: Result) -> dict[tuple[str, str], float]:
    """Measured value by (check, pipe)."""
    table = next(table for table in result.tables if table.id == "findings")
    names = [str(c) for c in table.columns]
    rows = [dict(zip(names, row, strict=True)) for row in table.rows()]
    return {(str(row["check"]), str(row["element"])): float(str(row["measured"])) for row in rows}


def test_a_sound_network_has_no_finding() -> None:
    result = check(SOUND)
    assert told(result) == {}
    assert result.summary["doubtful_pipes"].value == 0


PLANTED: list[tuple[str, Pipe, float]] = [
    ("depth_missing", ("x", "water", level(-8.0, 1.5), {"quality": "assumed"}), np.nan),
    ("depth_range", ("x", "gas", level(-8.0, 15.0), {}), 15.0),
    ("cover_low", ("x", "gas", level(-8.0, 0.9), {}), 0.9),
    ("floating", ("x", "water", level(-8.0, -0.4), {}), -0.4),
    ("uphill", ("x", "storm", [(-60, 9, 17.0), (60, 9, 17.1)], {"up": 16.9, "down": 17.0}), 0.1),
    ("shrinks", ("x", "sewage", [(60, 3, 15.7), (90, 3, 15.5)], {"up": 15.6, "down": 15.5, "diameter": 0.2}), 0.2),
    ("duplicate", ("x", "water", level(-6.02, 1.5, 10.0, 60.0), {}), np.nan),
    ("separation", ("x", "power", [(10, -9, 18.15), (10, 9, 18.15)], {"diameter": 0.1}), 0.1),
    ("outside_road", ("x", "water", level(40.0, 1.5), {}), 120.0),
]


@pytest.mark.parametrize(("check_id", "pipe", "measured"), PLANTED, ids=[row[0] for row in PLANTED])
def test_each_planted_error_is_found_and_measured(check_id: str, pipe: Pipe, measured: float) -> None:
    findings = told(check([*SOUND, pipe]))
    pairs = {"separation": "g1", "duplicate": "x"}
    mine = {key: value for key, value in findings.items() if key[0] == check_id}
    assert set(mine) <= {(check_id, "x"), (check_id, pairs.get(check_id, "x")), (check_id, "w1")}
    assert mine
    value = next(iter(mine.values()))
    assert value == pytest.approx(measured, abs=0.02, nan_ok=True)
    others = {key for key in findings if key[0] != check_id}
    assert others <= {("separation", "x")}, "an error of one sort must not be told as another"


def test_a_main_under_a_house_is_found_and_its_connection_is_not() -> None:
    house = buildings([(20.0, 20.0, GROUND, 20.0, 12.0, 9.0)])
    through = ("through", "water", [(30.0, 6.0, 18.4), (30.0, 50.0, 18.4)], {})
    connection = ("service", "water", [(25.0, -6.0, 18.4), (25.0, 21.5, 18.4)], {"diameter": 0.05})
    findings = told(check([*SOUND[:1], through, connection], house))
    assert findings[("crosses_building", "through")] == pytest.approx(12.0, abs=2.1)
    assert ("crosses_building", "service") not in findings
    assert ("outside_road", "service") not in findings


def test_a_tunnel_may_hold_pipes() -> None:
    tunnel = network([("tunnel", "tunnel", level(0.0, 2.5, size=3.0), {"diameter": 3.0})])
    inside = network([("w", "water", level(0.3, 3.5), {}), ("p", "power", level(-0.8, 3.5), {})])
    result = execute(
        get("utility.check"),
        layers=[tunnel, inside.with_(id="inside"), ground(), street()],
        frame=tiny_frame(),
        params={},
    )
    assert not {key for key in told(result) if key[0] == "separation"}


def test_what_cannot_be_told_is_said() -> None:
    crossing: Pipe = ("x", "power", [(10, -9, 18.35), (10, 9, 18.35)], {"quality": "assumed", "diameter": 0.1})
    result = check([*SOUND, crossing])
    codes = {issue.code: issue.count for issue in result.issues}
    assert codes["utility.check.cannot_tell"] >= 1
    assert ("separation", "g1") not in told(result)
    bare = execute(get("utility.check"), layers=[network(SOUND)], frame=tiny_frame(), params={})
    assert {"utility.check.no_terrain", "utility.check.no_roads", "utility.check.no_solids"} <= {
        issue.code for issue in bare.issues
    }


def test_turned_by_ninety_degrees_the_findings_are_the_same() -> None:
    """Roads given as areas, pipes and all turned: nothing depends on the axes."""
    pipes = [*SOUND, PLANTED[2][1], PLANTED[8][1]]
    turned = [(n, u, [(-y, x, z) for x, y, z in course], more) for n, u, course, more in pipes]
    lines = Lines(np.array([[0, -100.0, GROUND], [0, 100.0, GROUND]]), np.array([0, 2]), np.array([0]))
    road = Layer("road", "Road", "road", lines, ElementTable(["r"], {"width": Column(np.array([20.0]), "m")}))
    first = told(check(pipes))
    second = told(
        execute(get("utility.check"), layers=[network(turned), ground(), road], frame=tiny_frame(), params={})
    )
    assert first.keys() == second.keys()


def test_nodes_of_service_excuse_a_pipe_outside_the_road() -> None:
    service: Pipe = ("x", "water", [(0.0, -6.0, 18.4), (0.0, -60.0, 18.4)], {})
    node = Layer(
        "nodes",
        "Nodes",
        "utility",
        Points(np.array([[0.0, -60.0, 20.0]]), np.array([0])),
        ElementTable(["n"], {words.NODE: Column(np.array(["service"], dtype=object))}),
        stratum="underground",
    )
    assert ("outside_road", "x") in told(check([*SOUND, service]))
    assert ("outside_road", "x") not in told(check([*SOUND, service], node))


def test_a_connection_in_two_pieces_to_a_small_house_may_leave_the_road() -> None:
    """The house is narrower than the distance at which ends count as near; the pipe has a chamber on its way."""
    hut = buildings([(24.0, 30.0, GROUND, 3.0, 3.0, 3.0)])
    near = ("near", "water", [(25.5, 22.0, 18.4), (25.5, 30.0, 18.4)], {"diameter": 0.05})
    far = ("far", "water", [(25.5, -6.0, 18.4), (25.5, 22.0, 18.4)], {"diameter": 0.05})
    findings = told(check([*SOUND[:1], near, far], hut))
    assert not {key for key in findings if key[0] == "outside_road"}
    alone = told(check([*SOUND[:1], far], hut))
    assert ("outside_road", "far") in alone


def test_the_content_of_a_tunnel_has_no_cover_of_its_own() -> None:
    tunnel = network([("tunnel", "tunnel", level(0.0, 4.0, size=3.0), {"diameter": 3.0})])
    inside = network([("p", "power", level(-0.8, 5.0), {})])
    layers = [tunnel, inside.with_(id="inside"), ground(), street()]
    result = execute(get("utility.check"), layers=layers, frame=tiny_frame(), params={})
    assert told(result) == {}
    bare = execute(get("utility.check"), layers=[inside, ground(), street()], frame=tiny_frame(), params={})
    assert set(told(bare)) == {("depth_range", "p")}


def test_depths_that_the_reader_took_in_another_unit_are_told() -> None:
    doubt = Issue("utility.cover_other_unit", "1 depths are in another unit.", "doubt", 1, ("w1",))
    layers = [network(SOUND).with_(issues=(doubt,)), ground(), street()]
    result = execute(get("utility.check"), layers=layers, frame=tiny_frame(), params={})
    assert set(told(result)) == {("depth_range", "w1")}
