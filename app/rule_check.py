"""Headless. Every rule of the plot under a building in hand: measured, limit, verdict, article, and where it is broken.

Coverage, floor area and height come from the figures of the plot; the setback for sunlight is judged anew on what lies
around the plot, with the parameters of the last run of its study.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.registry import get
from analysis.run import check_params, choose_inputs
from analysis.site_figures import rules as site_rules
from analysis.site_figures.plots import PlotFigures
from analysis.studies.sunlight_setback import judge
from analysis.sunlight_setback.bodies import Body as SetbackBody
from analysis.sunlight_setback.bodies import read_bodies
from analysis.sunlight_setback.declaration import SetbackInputs, SetbackParams
from analysis.sunlight_setback.findings import RULES, Finding
from analysis.sunlight_setback.rules import rulebook
from app.document import Document
from app.mass_edit import Body
from app.plot_figures import Elements, LocalCity, PlotSetup, held_layer, plot_setup
from app.shown_runs import runs_of
from geo.alternatives import Change
from geo.model import Feedback, Issue, Layer, Mesh

Floats = NDArray[np.float64]

SETBACK = "sunlight.setback"
REACH = 155.0  # [m] around the plot: the study looks 150 m across roads and parks
RANK = {"breaks": 0, "needs_review": 1, "cannot_tell": 2, "ok": 3}  # the worst first


@dataclass(frozen=True)
class RuleLine:
    """One rule on one plot, at the worst of its places.

    Attributes
    ----------
    rule, verdict, reason : str
        Keys of the translations ``class.rule.*``, ``class.verdict.*`` and ``class.reason.*`` (or empty).
    measured, limit : float [unit]
        NaN where there is none.
    at_least : bool
        Whether the limit is a least value (a distance), else a greatest one.
    places : int
        Where it is broken or needs review.
    building, other, plot : str
    start, stop : (3,) float [local m] or None
        The part of the building, and what its distance is measured to.
    """

    rule: str
    verdict: str
    reason: str
    measured: float
    limit: float
    unit: str
    at_least: bool
    article: str
    source: str
    verified: bool
    edition: str
    places: int
    building: str
    other: str
    plot: str
    start: tuple[float, float, float] | None = None
    stop: tuple[float, float, float] | None = None


def lines_of_figures(plot: PlotFigures) -> list[RuleLine]:
    """Coverage, floor area ratio, and height where the plot has a limit of height."""
    units, names = ("%", "%", "m"), ("coverage", "floor_area", "height")
    return [
        RuleLine(
            name, verdict, "", float(value), float(cap.limit), unit, False, cap.article, cap.source, cap.verified,
            site_rules.edition(), int(verdict == "breaks"), "", "", plot.id,
        )
        for name, verdict, value, cap, unit in zip(names, plot.verdicts, plot.measured, plot.caps, units, strict=True)
        if name != "height" or math.isfinite(cap.limit)
    ]  # fmt: skip


def setback_setup(document: Document, body: Body) -> PlotSetup | None:
    """What the setback begins with; None where there are no figures of plots either."""
    setup = plot_setup(document, body)
    if setup is None:
        return None
    run = next((run for run in runs_of(setup.layers) if run.analysis_id == SETBACK), None)
    params: Mapping[str, Any] = dict(run.record["provenance"]["params"]) if run is not None else {}
    return replace(setup, params=params)


class RuleStudy:
    """The setback that follows; one job at a time may use it. Raises `UserError` where the scene has no parcels."""

    def __init__(self, setup: PlotSetup, feedback: Feedback) -> None:
        study = get(SETBACK)
        params, (inputs, _) = check_params(study, setup.params), choose_inputs(study, setup.layers, setup.frame)
        if not isinstance(inputs, SetbackInputs) or not isinstance(params, SetbackParams):
            raise TypeError("sunlight.setback has other inputs than it declares")
        self._body, self._params, self._inputs = setup.body, params, inputs
        self._city = LocalCity(setup.body, inputs.parcels, inputs.buildings)
        self._roads = [Elements.of(layer) for layer in inputs.roads]
        self._known: tuple[tuple[str, ...], list[SetbackBody]] = ((), [])
        feedback.step(1.0, "measuring the plots")

    def move(self, change: Change, feedback: Feedback) -> tuple[RuleLine, ...]:
        """The rules of the plot with the building after a change; none where nothing of it is left."""
        own = held_layer(self._body, change)
        mesh = own.geometry
        if not isinstance(mesh, Mesh) or len(mesh.faces) == 0:
            return ()
        box = np.stack([mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)])[None, :, :2]
        parcels, buildings = self._city.near(box, reach=REACH)
        if not parcels:
            return ()
        around = box + np.array([[[-2 * REACH], [2 * REACH]]])
        roads = [one.only(rows) for one in self._roads if len(rows := one.under(around))]
        inputs = replace(self._inputs, parcels=tuple(parcels), buildings=(own, *buildings), roads=tuple(roads))
        heard: list[Issue] = []
        name = self._body.ref.element_id
        bodies = [*read_bodies((own,), self._params, rulebook(), heard, feedback.part(0.0, 0.02))]
        others = self._others(buildings, feedback.part(0.02, 0.2))
        bodies += [one if one.name != name else one._replace(name=f"{name}#2") for one in others]  # of another layer
        rest = feedback.part(0.2, 1.0)
        found, city, _, _ = judge(inputs, self._params, heard, rest, building=name, bodies=bodies)
        plot = next((plot for plot in city.plots if any(city.bodies[k].name == name for k in plot.bodies)), None)
        mine = [item for item in found.items if plot is not None and item.plot == plot.id] or [
            item for item in found.items if item.building == name
        ]
        return lines_of_findings(mine)

    def _others(self, buildings: Sequence[Layer], feedback: Feedback) -> list[SetbackBody]:
        """The buildings around, read once while they are the same ones."""
        key = tuple(f"{layer.id}#{name}" for layer in buildings for name in layer.table.ids)
        if self._known[0] != key or not key:
            self._known = key, read_bodies(buildings, self._params, rulebook(), [], feedback)
        return self._known[1]


def lines_of_findings(items: Sequence[Finding]) -> tuple[RuleLine, ...]:
    """One line for each rule that was judged: its worst place."""
    lines = []
    for rule in RULES:
        mine = [item for item in items if item.rule == rule]
        if mine:
            lines.append(_line(min(mine, key=_worst_first), mine))
    return tuple(lines)


def _worst_first(item: Finding) -> tuple[int, float]:
    return RANK[item.verdict], -item.shortage if math.isfinite(item.shortage) else math.inf


def _line(worst: Finding, mine: Sequence[Finding]) -> RuleLine:
    places = sum(item.verdict in ("breaks", "needs_review") for item in mine)
    known = all(math.isfinite(value) for value in worst.start)
    known_stop = known and all(math.isfinite(value) for value in worst.stop)
    return RuleLine(
        worst.rule, worst.verdict, worst.reason, worst.measured, worst.required, "m", True, worst.article,
        worst.source, worst.verified, rulebook().edition, places, worst.building, worst.other, worst.plot,
        worst.start if known else None, worst.stop if known_stop else None,
    )  # fmt: skip
