"""Findings of the checks of shapes as pins, tables and figures."""

from __future__ import annotations

import numpy as np

from analysis.bim_check.findings import CHECKS, Finding, columns_of
from analysis.contract import Quantity, Result, Table
from geo.model import Column, ElementTable, Field, Issue, Layer, Points, Style

ASSUMPTIONS = (
    "Two elements lie twice where their boxes, their surface and its middle are the same within the tolerance.",
    "Whether a room has a door and a way out is taken from the walking network of the model, walked on foot.",
    "Widths of doors are those stated in the model; doors without one are not judged.",
)
RENAMED = {"entity": "class", "check": "model_check"}
SEVERITY = {
    "duplicate": "error", "overlap": "warning", "no_door": "warning", "no_way_out": "error", "narrow_door": "warning",
    "far": "warning",
}  # fmt: skip
UNITS = {"measured": "m", "limit": "m"}


def result_of(items: list[Finding], *, elements: int, rooms: int, doors: int, issues: list[Issue]) -> Result:
    """Everything the study returns."""
    columns = {name: Column(values, UNITS.get(name, "")) for name, values in columns_of(items).items()}
    columns = {RENAMED.get(name, name): column for name, column in columns.items()}
    columns["severity"] = Column(np.array([SEVERITY[item.check] for item in items], dtype=object))
    counts = {check: sum(item.check == check for item in items) for check in CHECKS}
    return Result(
        layers=_pins(items, columns),
        summary={
            "findings": Quantity(len(items), "1"),
            **{check: Quantity(count, "1") for check, count in counts.items()},
            "elements": Quantity(elements, "1"),
            "rooms": Quantity(rooms, "1"),
            "doors": Quantity(doors, "1"),
        },
        tables=(Table("findings", "Findings", columns),),
        issues=tuple(issues),
        assumptions=ASSUMPTIONS,
    )


def _pins(items: list[Finding], columns: dict[str, Column]) -> tuple[Layer, ...]:
    """A pin at each finding."""
    if not items:
        return ()
    present = [check for check in CHECKS if any(item.check == check for item in items)]
    codes = np.array([present.index(item.check) for item in items], dtype=np.int64)
    field = Field("model_check", "1", "element", codes, tuple(present), ramp="classes")
    shape = Points(np.array([item.point for item in items]), np.arange(len(items), dtype=np.int32))
    table = ElementTable([f"finding-{k + 1}" for k in range(len(items))], columns)
    return (
        Layer("pins", "Findings", "result", shape, table, (field,), Style(colour_by="model_check"), stratum="indoor"),
    )
