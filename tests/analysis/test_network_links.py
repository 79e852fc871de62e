"""Traces that go on from the street into a building, and nodes of a storey, on networks worked by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from analysis.contract import Result
from analysis.registry import get
from analysis.run import execute
from geo.model import Column, ElementTable, Layer, Lines, Style
from geo.model import conventions as words
from tests.tiny import tiny_frame
from tests.tiny_pipes import point_layer

MAIN = ("main", [(0.0, 0.0, -2.0), (20.0, 0.0, -2.0)])
SERVICE = ("service", [(10.0, 0.0, -2.0), (10.0, 9.0, -2.0)])
INDOOR = [
    ("entry", [(10.0, 9.4, -2.0), (10.0, 12.0, -2.0)]),
    ("riser", [(10.0, 12.0, -2.0), (10.0, 12.0, 15.0)]),
    ("branch", [(10.0, 12.0, 15.0), (14.0, 12.0, 15.0)]),
]


def pipe_layer(name: str, stratum: str, lines: list[tuple[str, list[tuple[float, float, float]]]]) -> Layer:
    ids = [line for line, _ in lines]
    offsets = np.cumsum([0, *(len(points) for _, points in lines)]).astype(np.int32)
    vertices = np.array([point for _, points in lines for point in points])
    columns = {words.UTILITY: Column(np.array(["water"] * len(ids), dtype=object))}
    shape = Lines(vertices, offsets, np.arange(len(ids), dtype=np.int32))
    return Layer(name, name, "utility", shape, ElementTable(ids, columns), stratum=stratum)  # type: ignore[arg-type]


def taps(stratum: str = "indoor") -> Layer:
    made = point_layer(
        "taps",
        [(14.0, 12.0, 3.0), (14.0, 12.0, 15.0)],
        ["tap 1F", "tap 5F"],
        utility=["water"] * 2,
        node=["service"] * 2,
    )
    return dataclasses.replace(made, stratum=stratum)  # type: ignore[arg-type]


def link(status: str = "ok", kind: str = "riser", element: str = "entry") -> Layer:
    texts = {
        words.LINK: kind,
        words.STATUS: status,
        words.FROM_LAYER: "street",
        words.FROM_NODE: "service",
        words.TO_LAYER: "inside",
        words.TO_NODE: element,
    }
    columns = {name: Column(np.array([text], dtype=object)) for name, text in texts.items()}
    shape = Lines(np.array([[10.0, 9.0, -2.0], [10.0, 9.4, -2.0]]), np.array([0, 2]), np.array([0]))
    return Layer("links", "links", "link", shape, ElementTable(["l1"], columns), style=Style(visible=False))


def traced(*layers: Layer, start: str = "main") -> tuple[Result, set[str], set[str]]:
    street = pipe_layer("street", "underground", [MAIN, SERVICE])
    inside = dataclasses.replace(pipe_layer("inside", "indoor", INDOOR), style=Style(visible=False))
    found = execute(get("utility.trace"), layers=[street, inside, *layers], frame=tiny_frame(), params={"start": start})
    tables = {
        table.id: set(table.columns["element"].values.tolist()) for table in found.tables if "element" in table.columns
    }
    return found, tables["traced_pipes"], tables["traced_nodes"]


def codes(result: Result) -> set[str]:
    return {issue.code for issue in result.issues}


def test_a_trace_follows_a_sound_riser_from_the_main_to_the_tap() -> None:
    found, pipes, nodes = traced(taps(), link())
    assert pipes == {"main", "service", "entry", "riser", "branch"}
    assert nodes == {"tap 5F"}  # the tap below stands on another storey
    assert found.summary["farthest"].value == pytest.approx(9 + 2.6 + 17 + 4)  # from the middle of the main
    assert "utility.links_followed" in codes(found)


def test_the_way_back_leads_from_the_tap_to_the_street() -> None:
    _, pipes, _ = traced(taps(), link(), start="tap 5F")
    assert {"main", "service"} <= pipes


@pytest.mark.parametrize(
    ("joint", "said"),
    [
        (link(status="broken"), "utility.links_broken"),
        (link(kind="entrance"), ""),
        (link(element="a wall"), ""),
    ],
)
def test_what_joins_no_two_pipes_is_not_followed(joint: Layer, said: str) -> None:
    found, pipes, nodes = traced(taps(), joint)
    assert pipes == {"main", "service"}
    assert nodes == set()
    assert ("utility.links_broken" in codes(found)) == bool(said)
    assert "utility.links_followed" not in codes(found)


def test_without_links_a_trace_ends_at_the_wall() -> None:
    _, pipes, _ = traced(taps())
    assert pipes == {"main", "service"}


def test_a_manhole_of_the_street_joins_at_any_height_and_a_tap_does_not() -> None:
    _, _, tall = traced(taps("underground"), link())
    assert tall == {"tap 1F", "tap 5F"}


def test_the_links_that_the_program_finds_are_those_that_the_trace_follows() -> None:
    street = pipe_layer("street", "underground", [MAIN, SERVICE])
    inside = pipe_layer("inside", "indoor", INDOOR)
    made = execute(get("links.worlds"), layers=[street, inside], frame=tiny_frame(), params={})
    _, pipes, _ = traced(taps(), made.layers[0])
    assert "branch" in pipes
