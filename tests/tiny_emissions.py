"""Layers for dust in the tiny city: roads with traffic, sites, stacks, places with people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from geo.model import Column, ElementTable, Layer, Lines, Mesh, Points, Source

Values = Mapping[str, tuple[Sequence[object], str]]


def _columns(values: Values) -> dict[str, Column]:
    out = {}
    for name, (given, unit) in values.items():
        is_text = any(isinstance(value, str) for value in given)
        out[name] = Column(np.array(given, dtype=object if is_text else float), unit)
    return out


def road_lines(lines: Sequence[Sequence[tuple[float, float]]], values: Values, *, theme: str = "road") -> Layer:
    """Centre lines, one element each."""
    points = np.array([[x, y, 20.0] for line in lines for x, y in line])
    offsets = np.cumsum([0] + [len(line) for line in lines])
    shape = Lines(points, offsets.astype(np.int32), np.arange(len(lines), dtype=np.int32))
    table = ElementTable([f"r{k}" for k in range(len(lines))], _columns(values))
    return Layer("roads", "Roads", theme, shape, table, source=Source(part="roads"))


def squares(corners: Sequence[tuple[float, float, float]], values: Values, *, theme: str = "emission") -> Layer:
    """Level squares (x, y of the south-west corner, side), one element each."""
    vertices, faces = [], []
    for number, (x, y, side) in enumerate(corners):
        vertices += [(x, y, 20.0), (x + side, y, 20.0), (x + side, y + side, 20.0), (x, y + side, 20.0)]
        faces += [[4 * number + k for k in (0, 1, 2)], [4 * number + k for k in (0, 2, 3)]]
    shape = Mesh(np.array(vertices), np.array(faces, np.int32), np.repeat(np.arange(len(corners), dtype=np.int32), 2))
    table = ElementTable([f"q{k}" for k in range(len(corners))], _columns(values))
    return Layer("sites", "Sites", theme, shape, table, source=Source(part="sites"))


def spots(places: Sequence[tuple[float, float]], values: Values, *, theme: str = "emission") -> Layer:
    """Points on the ground."""
    points = np.array([[x, y, 20.0] for x, y in places])
    table = ElementTable([f"p{k}" for k in range(len(places))], _columns(values))
    shape = Points(points, np.arange(len(places), dtype=np.int32))
    return Layer("spots", "Spots", theme, shape, table, source=Source(part="spots"))
