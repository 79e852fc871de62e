"""Plots and houses for the rule of setback."""

from __future__ import annotations

import numpy as np

from analysis.contract import Result
from analysis.registry import get
from analysis.run import execute
from geo.model import Column, ElementTable, Frame, Layer, Mesh
from tests.tiny import box_mesh

Box = tuple[float, float, float, float, float, float]


GROUND = 20.0


# Two plots, the southern one 40 m wide and 60 m deep; its northern boundary at y = 60.
SOUTH = ((0.0, 0.0), (40.0, 0.0), (40.0, 60.0), (0.0, 60.0))


NORTH = ((0.0, 60.0), (40.0, 60.0), (40.0, 120.0), (0.0, 120.0))


PLAN_NORTH = Frame("EPSG:5186", (229_000.0, 435_500.0, 0.0), 127.3, 36.5, convergence_deg=0.0)


def houses(boxes: list[Box], uses: list[str] | None = None) -> Layer:
    mesh, _ = box_mesh(boxes)
    said = {} if uses is None else {"use": Column(np.array(uses, dtype=object))}
    return Layer("b", "B", "building", mesh, ElementTable([f"b{k}" for k in range(len(boxes))], said))


def road(south: float, north: float, width: float, *, theme: str = "road") -> Layer:
    corners = np.array([[-50, south, 20], [90, south, 20], [90, north, 20], [-50, north, 20]], dtype=float)
    mesh = Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]]), np.zeros(2, np.int32))
    return Layer("r", "R", theme, mesh, ElementTable(["r"], {"width": Column(np.array([width]), "m")}))


def run(layers: list[Layer], frame: Frame = PLAN_NORTH, **params: object) -> Result:
    return execute(get("sunlight.setback"), layers=layers, frame=frame, params=params)


def rows(result: Result, rule: str = "north", building: str = "b0") -> list[dict[str, object]]:
    table = next(t for t in result.tables if t.id == "findings")
    named = [dict(zip(table.columns, row, strict=True)) for row in table.rows()]
    return [row for row in named if row["rule"] == rule and row["building"] == building]


def only(result: Result, rule: str = "north", building: str = "b0") -> dict[str, object]:
    found = rows(result, rule, building)
    assert len(found) == 1
    return found[0]


def layer_of(result: Result, part: str) -> Layer | None:
    return next((layer for layer in result.layers if layer.source.part == part), None)


TALL = [(10, 30, GROUND, 20, 20, 50)]  # 10 m from its boundary; 25 m are asked for


FLATS = "공동주택(아파트)"


WIDE = ((0.0, 0.0), (200.0, 0.0), (200.0, 200.0), (0.0, 200.0))
