"""The findings as pins, pipes in the colour of their worst finding, tables and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.contract import Quantity, Result, Table
from analysis.network.outcome import unique_ids
from analysis.network.pipes import PipeSet
from analysis.utility_check.findings import Finding, Findings
from analysis.utility_check.rules import CHECKS, SEVERITIES, CheckRules
from geo.model import Column, ElementTable, Field, Issue, Layer, Lines, Points, Style

if TYPE_CHECKING:
    from analysis.studies.utility_check import CheckInputs

UNDER_DOUBT = ("sound", "note", "warning", "error")


def result_of(
    found: Findings, inputs: CheckInputs, rules: CheckRules, issues: list[Issue], assumptions: tuple[str, ...]
) -> Result:
    """Everything the study returns."""
    items = found.in_order()
    pipes = found.pipes
    columns = _columns(items, pipes)
    pins = _pins(items, columns)
    return Result(
        layers=(_coloured(items, pipes), *pins),
        summary=_summary(items, pipes),
        tables=(Table("findings", "Findings", columns), _by_check(items)),
        issues=(*issues, *_missing_inputs(inputs), *_unjudged(found), *_unverified(items, rules)),
        assumptions=assumptions,
    )


def _columns(items: list[Finding], pipes: PipeSet) -> dict[str, Column]:
    line = np.array([item.line for item in items], dtype=np.int64)
    names = np.array([layer.name for layer in pipes.layers] or [""], dtype=object)
    return {
        "check": Column(np.array([item.check for item in items], dtype=object)),
        "severity": Column(np.array([item.severity for item in items], dtype=object)),
        "element": Column(pipes.id[line]),
        "utility": Column(pipes.utility[line]),
        "measured": Column(np.array([item.measured for item in items], dtype=np.float64), "m"),
        "limit": Column(np.array([item.limit for item in items], dtype=np.float64), "m"),
        "other": Column(np.array([item.other for item in items], dtype=object)),
        "depth_quality": Column(pipes.quality[line]),
        "layer": Column(names[pipes.layer[line]]),
        "owner": Column(pipes.owner[line]),
        "source": Column(np.array([item.source for item in items], dtype=object)),
        "verified": Column(np.array([item.verified for item in items], dtype=bool)),
    }


def _pins(items: list[Finding], columns: dict[str, Column]) -> tuple[Layer, ...]:
    """One pin for each finding."""
    if not items:
        return ()
    points = np.array([item.point for item in items], dtype=np.float64)
    codes = np.array([CHECKS.index(item.check) for item in items], dtype=np.int64)
    grave = np.array([UNDER_DOUBT.index(item.severity) for item in items], dtype=np.int64)
    fields = (
        Field("severity", "1", "element", grave, UNDER_DOUBT, ramp="severity"),
        Field("check", "1", "element", codes, CHECKS, ramp="classes"),
    )
    ids = unique_ids(
        [f"{item.check}:{element}" for item, element in zip(items, columns["element"].values, strict=True)]
    )
    shape = Points(points, np.arange(len(points), dtype=np.int32))
    style = Style(colour_by="severity")
    return (
        Layer("pins", "Findings", "result", shape, ElementTable(ids, columns), fields, style, stratum="underground"),
    )


def _coloured(items: list[Finding], pipes: PipeSet) -> Layer:
    """All pipes in the colour of their worst finding."""
    worst = np.zeros(len(pipes), dtype=np.int64)
    count = np.zeros(len(pipes), dtype=np.int64)
    for item in items:
        worst[item.line] = max(worst[item.line], UNDER_DOUBT.index(item.severity))
        count[item.line] += 1
    columns = {
        "element": Column(pipes.id),
        "utility": Column(pipes.utility),
        "diameter": Column(pipes.diameter, "m"),
        "findings": Column(count, "1"),
        "worst": Column(np.array(UNDER_DOUBT, dtype=object)[worst]),
    }
    field = Field("worst", "1", "element", worst, UNDER_DOUBT, ramp="severity")
    shape = Lines(pipes.vertices, pipes.offsets.astype(np.int32), np.arange(len(pipes), dtype=np.int32))
    table = ElementTable(unique_ids(pipes.id.tolist()), columns)
    style = Style(colour_by="worst")
    return Layer(
        "pipes", "Pipes by their worst finding", "result", shape, table, (field,), style, stratum="underground"
    )


def _by_check(items: list[Finding]) -> Table:
    count = np.array([sum(item.check == check for item in items) for check in CHECKS], dtype=np.int64)
    return Table(
        "by_check",
        "Findings by check",
        {"check": Column(np.array(CHECKS, dtype=object)), "findings": Column(count, "1")},
    )


def _summary(items: list[Finding], pipes: PipeSet) -> dict[str, Quantity]:
    doubtful = {item.line for item in items if item.severity != "note"}
    counts = {f"{name}s": sum(item.severity == name for item in items) for name in SEVERITIES}
    return {
        "pipes": Quantity(len(pipes), "1"),
        **{name: Quantity(value, "1") for name, value in counts.items()},
        "doubtful_pipes": Quantity(len(doubtful), "1"),
        "doubtful_share": Quantity(round(100.0 * len(doubtful) / max(len(pipes), 1), 2), "%"),
    }


def _missing_inputs(inputs: CheckInputs) -> list[Issue]:
    out = []
    if inputs.terrain is None:
        text = "Without a terrain covers are not known: depths are not checked."
        out.append(Issue("utility.check.no_terrain", text, "doubt"))
    if not inputs.roads:
        text = "Without roads it is not checked whether pipes leave them; covers are held to the rules outside roads."
        out.append(Issue("utility.check.no_roads", text, "doubt"))
    if not inputs.solids:
        text = "Without buildings it is not checked whether pipes run through them."
        out.append(Issue("utility.check.no_solids", text, "doubt"))
    return out


def _unjudged(found: Findings) -> list[Issue]:
    count = found.unjudged.get("separation", 0)
    if not count:
        return []
    text = (
        f"{count} pairs of pipes come near one another, but a depth is only assumed: whether they are too near is open."
    )
    return [Issue("utility.check.cannot_tell", text, "doubt", count=count)]


def _unverified(items: list[Finding], rules: CheckRules) -> list[Issue]:
    count = sum(not item.verified for item in items)
    if not count:
        return []
    text = (
        f"{count} findings rest on limits whose source was not read (edition {rules.edition} of the program's rules); "
        "compare them with the rules in force before acting on them."
    )
    values = {"edition": rules.edition}
    return [Issue("utility.check.unverified", text, "doubt", count=count, values=values)]
