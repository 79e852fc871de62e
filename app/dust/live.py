"""Headless. What a purifier in hand brings: at once a bound, then exactly wind by wind, then solved in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.contract import Analysis
from analysis.dust.catalogue import purifiers
from analysis.registry import get
from analysis.run import check_params, choose_inputs
from app.document import Document
from app.dust.edit import PurifierRow, purifier_layers, purifier_rows
from app.shown_runs import Run, runs_of
from geo.model import ElementRef, Feedback, Frame, Layer, UserError

if TYPE_CHECKING:
    from analysis.dust.near_field import OwnFlow, Setting
    from analysis.dust.run import CaseFields, Prepared
    from analysis.dust.unit import Ports
    from analysis.dust.winds import Case

STUDIES = ("dust.dispersion", "dust.siting")
DISPERSION = STUDIES[0]


@dataclass(frozen=True, eq=False)
class PlanSetup:
    """What the figures begin with: the newest run of dust, its parameters and layers.

    Attributes
    ----------
    run : Run
    analysis : Analysis
    params : mapping
    chosen : mapping
    layers : tuple of Layer
    frame : Frame
    key : object
        Equal while only purifiers differ.
    """

    run: Run
    analysis: Analysis
    params: Mapping[str, Any]
    chosen: Mapping[str, Sequence[str]]
    layers: tuple[Layer, ...]
    frame: Frame
    key: object


@dataclass(frozen=True)
class WindAnswer:
    """One wind.

    Attributes
    ----------
    sector : int
        Of 16, clockwise from north, where it comes from.
    speed : float [m/s]
    share : float
        Of the time.
    before : float [ug/m3]
        Mean over the people without purifiers.
    benefit : float [ug/m3]
        By which that mean falls.
    own_air : float
        Concentration that is taken in over that without the purifier; NaN while only the bound is known.
    """

    sector: int
    speed: float
    share: float
    before: float
    benefit: float
    own_air: float = float("nan")

    @property
    def is_exact(self) -> bool:
        """Whether it was solved around the purifier; else it is an upper bound."""
        return bool(np.isfinite(self.own_air))


@dataclass(frozen=True)
class Answer:
    """What one purifier brings where it stands.

    Attributes
    ----------
    ref : ElementRef
    winds : tuple of WindAnswer
        The most frequent first.
    """

    ref: ElementRef
    winds: tuple[WindAnswer, ...]

    @property
    def benefit(self) -> float:
        """Mean over the winds [ug/m3]; an upper bound until all are exact."""
        return sum(one.share * one.benefit for one in self.winds)

    @property
    def before(self) -> float:
        """Mean over the people and winds without purifiers [ug/m3]."""
        return sum(one.share * one.before for one in self.winds)

    @property
    def percent(self) -> float:
        """Of `before`."""
        return 100.0 * self.benefit / self.before if self.before > 0.0 else 0.0

    @property
    def exact(self) -> int:
        """Winds that are solved."""
        return sum(one.is_exact for one in self.winds)

    @property
    def own_air(self) -> float:
        """Mean over the solved winds, NaN before the first."""
        solved = [one for one in self.winds if one.is_exact]
        time = sum(one.share for one in solved)
        return sum(one.share * one.own_air for one in solved) / time if time else float("nan")

    def with_wind(self, number: int, wind: WindAnswer) -> Answer:
        """One wind is known better."""
        return replace(self, winds=(*self.winds[:number], wind, *self.winds[number + 1 :]))


@dataclass(frozen=True)
class Solved:
    """All purifiers together, solved in full under some of the winds.

    Attributes
    ----------
    units : int
    benefits : dict of int to float [ug/m3]
        By number of the wind.
    shares : tuple of float
        Of all winds.
    """

    units: int
    benefits: Mapping[int, float]
    shares: tuple[float, ...]

    @property
    def is_whole(self) -> bool:
        """Whether all winds are solved."""
        return len(self.benefits) == len(self.shares)

    @property
    def benefit(self) -> float:
        """Mean over the winds that are solved [ug/m3]."""
        time = sum(self.shares[number] for number in self.benefits)
        return sum(self.shares[k] * value for k, value in self.benefits.items()) / time if time else 0.0


def newest_run(layers: Sequence[Layer]) -> Run | None:
    """The newest run of a study that leaves fields of dust."""
    return next((run for run in runs_of(tuple(layers)) if run.analysis_id in STUDIES), None)


def setup_of(document: Document, run: Run) -> PlanSetup:
    """What a plan begins with. Raises `UserError` where there is no scene."""
    frame = document.scene.frame
    if frame is None:
        raise UserError("There is no scene.", "Nothing is open.", "Open a project.", code="live.no_scene")
    chosen: dict[str, list[str]] = {}
    for item in run.record["provenance"]["inputs"]:
        if item["layer"] in document.scene and item["input"] != "purifiers":
            chosen.setdefault(item["input"], []).append(item["layer"])
    layers = tuple(document.scene)
    given = {name for names in chosen.values() for name in names}
    key = (run.id, tuple((layer.id, id(layer.geometry), id(layer.table)) for layer in layers if layer.id in given))
    return PlanSetup(run, get(run.analysis_id), dict(run.record["provenance"]["params"]), chosen, layers, frame, key)


class ReductionPlan:
    """Dust under every wind, before any purifier, and what clean air is worth everywhere.

    Attributes
    ----------
    prepared : Prepared
    settings : tuple of Setting
        By wind, the most frequent first.
    before : tuple of float [ug/m3]
        Mean over the people, by wind.
    cases : tuple of Case
    """

    def __init__(self, prepared: Prepared, made: Sequence[tuple[Setting, float, Case]]) -> None:
        self.prepared = prepared
        self.settings = tuple(setting for setting, _before, _case in made)
        self.before = tuple(before for _setting, before, _case in made)
        self.cases = tuple(case for _setting, _before, case in made)

    @classmethod
    def begin(cls, setup: PlanSetup, feedback: Feedback) -> ReductionPlan:
        """From what the run has left for the session; what is missing is calculated."""
        from analysis.dust.run import each_case, prepare

        inputs: Any = choose_inputs(setup.analysis, setup.layers, setup.frame, setup.chosen)[0]
        params: Any = check_params(setup.analysis, setup.params)
        prepared = prepare(inputs, params, feedback.part(0.0, 0.3), sources_needed=False)
        made = []
        for fields in each_case(prepared, feedback.part(0.3, 1.0), adjoint=True):
            concentration = fields.total(prepared.outside.value)
            made.append((_setting(prepared, fields, concentration), prepared.exposure.mean(concentration), fields.case))
        made.sort(key=lambda one: -one[0].share)
        return cls(prepared, made)

    @property
    def shares(self) -> tuple[float, ...]:
        """Of the time, by wind."""
        return tuple(setting.share for setting in self.settings)

    def ports(self, row: PurifierRow) -> Ports:
        """Cells of a purifier. Raises `UserError` where it cannot stand."""
        from analysis.dust.unit import PlacedUnit, ports_of

        model = purifiers().get(row.model)
        if model is None:
            raise UserError(
                f"The catalogue has no model {row.model or '?'}.",
                "Without its flow and efficiency nothing can be said of what it brings.",
                "Choose a model in its properties.",
                code="purifier.no_model",
                values={"model": row.model or "?"},
            )
        unit = PlacedUnit(model, row.place[0], row.place[1], row.towards, name=row.name)
        return ports_of(unit, self.prepared.winds.tunnel, self.prepared.size)

    def screened(self, ref: ElementRef, ports: Ports) -> Answer:
        """The upper bound under every wind: some multiplications, no waiting."""
        from analysis.dust.near_field import bound

        found = [
            WindAnswer(case.sector, case.speed, setting.share, before, bound(setting, ports))
            for setting, before, case in zip(self.settings, self.before, self.cases, strict=True)
        ]
        return Answer(ref, tuple(found))

    def own_flow(self, ports: Ports) -> OwnFlow:
        """The purifier's own air around the walls, the same under every wind."""
        from analysis.dust.near_field import box_around, own_flow

        faces = self.settings[0].faces
        return own_flow(faces, (ports,), box_around((ports,), faces.shape))

    def solved_around(self, number: int, ports: Ports, own: OwnFlow) -> WindAnswer:
        """One wind exactly, from the box around the purifier."""
        from analysis.dust.near_field import box_benefit

        setting, case = self.settings[number], self.cases[number]
        found = box_benefit(setting, ports, own=own, grow=False)
        own_air = float(found.own_air[0])
        return WindAnswer(case.sector, case.speed, setting.share, self.before[number], found.benefit, own_air)

    def resolved(self, units: Sequence[Ports], feedback: Feedback, answers: dict[int, float]) -> Solved:
        """The whole grid with all these purifiers, wind by wind, the most frequent first.

        answers : dict
            Filled while it works, by number of the wind [ug/m3].
        """
        from analysis.dust.units import resolve
        from analysis.wind.crew import Crew

        weights = self.prepared.exposure.on(self.prepared.shape)
        count = len(self.settings)
        with Crew() as crew:
            for number, (setting, case) in enumerate(zip(self.settings, self.cases, strict=True)):
                feedback.step(number / count, f"solving wind {number + 1} of {count} in full")
                balanced = setting._replace(faces=self.prepared.winds.faces(case.sector))
                part = feedback.part(number / count, (number + 1) / count)
                answers[number] = resolve(balanced, units, crew, part).benefit(weights)
        return Solved(len(units), dict(answers), self.shares)


def _setting(prepared: Prepared, fields: CaseFields, concentration: Any) -> Setting:
    """What purifiers are placed into under one wind; the air as it is kept, without a copy."""
    from analysis.dust.faces import Faces
    from analysis.dust.near_field import Setting

    case, tunnel = fields.case, prepared.winds.tunnel
    air: Any = prepared.winds.airs[case.sector]  # float32 will do: only boxes are read
    adjoint = fields.adjoint
    if adjoint is None:
        raise ValueError("the adjoint was asked for")
    faces = Faces(tunnel.x, tunnel.y, tunnel.z, air.viscosity > 0.0, air.viscosity, air.east, air.north, air.up)
    return Setting(
        faces, concentration, adjoint.values, case.ratio, prepared.particle, prepared.mixing, prepared.leaf_area,
        case.share,
    )  # fmt: skip


def active_rows(document: Document, instead: tuple[ElementRef, PurifierRow] | None = None) -> list[PurifierRow]:
    """The user's purifiers that run, one of them as it is being moved."""
    found = []
    for layer in purifier_layers(document.scene):
        for row in purifier_rows(layer):
            moved = instead is not None and instead[0] == ElementRef(layer.id, row.id)
            found.append(instead[1] if moved and instead is not None else row)
    return [row for row in found if row.is_on]
