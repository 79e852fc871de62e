"""One way for all studies of dust: from layers and parameters to winds, cases and what the dust is in each of them.

Concentrations are linear in what emits: ``c = background * share + one part per group``, and the exposure
``J = sum w c`` of any emission follows from one transposed solution. Answers are kept for the session where there is
room, each by its own right side: after a change of one group only that group is solved anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust import rules
from analysis.dust.borders import Balance, background, balance, negative_share
from analysis.dust.city import sources_of
from analysis.dust.classes import WindClass, WindClasses, wind_classes
from analysis.dust.declaration import ITERATIONS, MONTHS, DustInputs, DustParams
from analysis.dust.faces import Faces
from analysis.dust.factors import factors_of, scaled
from analysis.dust.homes import places_of
from analysis.dust.operator import LEAST_MIXING, Mixing, Operator, Particle, make_operator
from analysis.dust.outside import Background, background_of
from analysis.dust.people import Exposure, Place, exposure
from analysis.dust.solver import Transport
from analysis.dust.sources import Emission, Source, emissions
from analysis.dust.winds import Case, Winds, blow, cases_of, one_case, sector_of, site_factor
from analysis.wind import climate, domain
from analysis.wind.crew import Crew
from analysis.wind.tunnel import Tunnel
from geo.model import Feedback, Issue, UserError

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

STRONGEST = 8  # directions of the choice "strongest8"
KEPT_SHARE = 0.25  # of the free memory that one answer may take to be kept
SHARE, ADJOINT = "share", "adjoint"  # names of answers besides the groups
NO_BALANCE = Balance(0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Prepared:
    """All that is known before dust is calculated.

    Attributes
    ----------
    winds : Winds
    cases : tuple of Case
        The largest share first; shares add up to 1.
    classes : WindClasses or None
        None for one wind that was chosen.
    size : {"pm10", "pm25"}
    particle : Particle
    mixing : Mixing
    leaf_area : (nz, ny, nx) float32 or None
        Leaf area density [1/m], times what leaves take over what the ground takes.
    emissions : tuple of Emission
        By group; empty only where `prepare` was told that none is needed.
    places : tuple of Place
    exposure : Exposure
    outside : Background
    issues : tuple of Issue
        All of winds, sources, people and background.
    """

    winds: Winds
    cases: tuple[Case, ...]
    classes: WindClasses | None
    size: rules.Size
    particle: Particle
    mixing: Mixing
    leaf_area: Singles | None
    emissions: tuple[Emission, ...]
    places: tuple[Place, ...]
    exposure: Exposure
    outside: Background
    issues: tuple[Issue, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups of sources."""
        return tuple(one.group for one in self.emissions)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Cells: (nz, ny, nx)."""
        return self.winds.tunnel.shape

    def with_schmidt(self, schmidt: float) -> Prepared:
        """The same city with another turbulent Schmidt number."""
        return replace(self, mixing=self.mixing._replace(schmidt=schmidt))

    def operator(self, case: Case, faces: Faces | None = None) -> Operator:
        """The equations of a case: with the faces of its sector, for sources and flows divided by its ratio.

        ``(L(u) + vd / s) c = S / s``, s = ``case.ratio``: `Faces` hold the air of the calculated wind. In float32.
        """
        return make_operator(
            self.winds.faces(case.sector) if faces is None else faces,
            mixing=self.mixing,
            particle=self.particle.in_wind(case.ratio),
            leaf_area=self.leaf_area,
        )


class Answer(NamedTuple):
    """Solution for one right side.

    Attributes
    ----------
    values : (nz, ny, nx) float32
        0 in solids.
    balance : Balance
        In the calculated wind: times the case's ratio it is that of the case [ug/s].
    negative : float
        Share of the mass below zero.
    iterations : int
    """

    values: Singles
    balance: Balance
    negative: float
    iterations: int


class CaseFields(NamedTuple):
    """Dust in one case.

    Attributes
    ----------
    case : Case
    share : Answer
        What is left of the background at each place, 1 outside.
    parts : tuple of Answer
        Of each group [ug/m3], in the order of `Prepared.emissions`, with the strengths and the speed of the case.
    adjoint : Answer or None
        ``lambda`` of the transposed equations of the case [s/m3]: an emission of e ug/s at a place changes the
        exposure by ``lambda e / case.ratio``.
    """

    case: Case
    share: Answer
    parts: tuple[Answer, ...]
    adjoint: Answer | None

    def increment(self) -> Singles:
        """(nz, ny, nx) what the city adds [ug/m3]."""
        out = np.zeros_like(self.share.values)
        for part in self.parts:
            out += part.values
        return out

    def total(self, outside: float) -> Singles:
        """(nz, ny, nx) concentration [ug/m3] for a background [ug/m3]."""
        return np.asarray(self.share.values * np.float32(outside) + self.increment(), dtype=np.float32)


def prepare(inputs: DustInputs, params: DustParams, feedback: Feedback, *, sources_needed: bool = True) -> Prepared:
    """Winds, cases, sources on the cells, people and background. Raises `UserError`.

    sources_needed : bool
        Whether a city without any source is refused.
    """
    issues: list[Issue] = []
    feedback.step(0.0, "reading the sources")
    size = params.size_class
    given = sources_of(inputs.roads, inputs.sources, size, params.cell, issues, traffic=params.traffic)
    if not given and sources_needed:
        raise _no_sources(inputs)
    places = places_of(inputs.people, inputs.buildings, issues)
    sectors, directions, classes = _winds_wanted(inputs, params, issues)
    laid: list[_Laid] = []

    def lay(tunnel: Tunnel) -> None:
        laid.append(_lay(inputs, params, given, places, tunnel, issues))

    winds = blow(
        inputs, params, sectors, feedback.part(0.02, 1.0), iterations=ITERATIONS[params.thoroughness],
        station_exposure=params.station_exposure, directions=directions, ready=lay,
    )  # fmt: skip
    if classes is None:
        cases = one_case(winds, sectors[0], params.speed)
    else:
        cases = cases_of(classes, winds, banded=params.banded)
    particle, leaf_area = _particle(size, winds.tunnel.leaf_area)
    feedback.step(1.0, "winds are ready")
    return Prepared(
        winds, cases, classes, size, particle, Mixing(params.schmidt, LEAST_MIXING), leaf_area, laid[0].emissions,
        places, laid[0].people, laid[0].outside, (*issues, *winds.issues),
    )  # fmt: skip


class _Laid(NamedTuple):
    """What stands on the cells."""

    emissions: tuple[Emission, ...]
    people: Exposure
    outside: Background


def _lay(
    inputs: DustInputs,
    params: DustParams,
    given: Sequence[Source],
    places: Sequence[Place],
    tunnel: Tunnel,
    issues: list[Issue],
) -> _Laid:
    made = emissions(given, tunnel, issues) if given else ()
    made = scaled(made, factors_of(params.factors, inputs.calibration), issues)
    people = exposure(places, tunnel, issues, height=params.height)
    outside = background_of(
        params.background, inputs.measurements, inputs.stations, params.size_class, issues,
        months=MONTHS[params.season], times=_times(params),
    )  # fmt: skip
    return _Laid(made, people, outside)


def _particle(size: rules.Size, leaf_area: Singles | None) -> tuple[Particle, Singles | None]:
    """Speeds of a size class, and leaves that take as much of it as its own speed on leaves says."""
    one = rules.size_classes()[size]
    if leaf_area is not None:
        leaf_area = np.asarray(leaf_area * np.float32(one.leaf_deposition / one.deposition), dtype=np.float32)
    return Particle(one.settling, one.deposition), leaf_area


# --- winds


def _winds_wanted(
    inputs: DustInputs, params: DustParams, issues: list[Issue]
) -> tuple[list[int], dict[int, float] | None, WindClasses | None]:
    """Sectors in the order of their shares; for one wind its true direction; else the classes."""
    if params.directions == "one":
        sector = sector_of(params.wind_from)
        return [sector], {sector: params.wind_from % 360.0}, None
    layer = climate.weather_layer(inputs.weather)
    if layer is None:
        raise UserError(
            "There is no weather with wind.",
            "Dust is a mean over the winds of the chosen months, and no layer says how often they blow.",
            "Import a weather file (EPW) or an hourly table of the KMA, or choose one wind.",
            code="dust.no_weather",
        )
    hours = climate.hours_of(layer)
    times = _times(params)
    lacks_months = params.season != "year" and not (hours.month > 0).any()
    if lacks_months or (times is not None and not (hours.hour > 0).any()):
        message = f"{layer.name} does not say months and hours: all of it was taken."
        issues.append(Issue("dust.no_times", message, "doubt", values={"layer": layer.name}))
    chosen = climate.season(hours, MONTHS[params.season], times)
    classes = wind_classes(chosen, issues, factor=site_factor(params, params.station_exposure))
    share = sector_share(classes.classes)
    order = sorted(share, key=lambda sector: (-share[sector], sector))
    if params.directions == "strongest8" and len(order) > STRONGEST:
        order, classes = order[:STRONGEST], _only(classes, order[:STRONGEST], issues)
    return order, None, classes


def sector_share(classes: Sequence[WindClass]) -> dict[int, float]:
    """Share of the time of each sector."""
    share: dict[int, float] = {}
    for one in classes:
        share[one.sector] = share.get(one.sector, 0.0) + one.share
    return share


def _only(classes: WindClasses, sectors: list[int], issues: list[Issue]) -> WindClasses:
    kept = [one for one in classes.classes if one.sector in sectors]
    total = sum(one.share for one in kept)
    percent = round(100.0 * (1.0 - total), 1)
    message = f"Only the {len(sectors)} strongest directions were calculated; {percent:g} % of the time is left out."
    values = {"count": len(sectors), "percent": percent}
    issues.append(Issue("dust.strongest_only", message, "doubt", values=values))
    return classes._replace(classes=tuple(one._replace(share=one.share / total) for one in kept))


def _times(params: DustParams) -> tuple[int, int] | None:
    return None if params.first_hour == 0 and params.last_hour == 24 else (params.first_hour, params.last_hour)


def _no_sources(inputs: DustInputs) -> UserError:
    return UserError(
        "Nothing in this scene emits dust.",
        "No road has a count of traffic (or a strength), and no layer holds sources: a map would show the background.",
        "Give roads a column 'traffic' (vehicles a day), name an assumed traffic, or draw sources of dust.",
        code="dust.no_sources",
        values={"roads": len(inputs.roads), "layers": len(inputs.sources)},
    )


# --- cases


def fields_of(
    prepared: Prepared, case: Case, feedback: Feedback, *, adjoint: bool = False, crew: Crew | None = None
) -> CaseFields:
    """Dust of one case: solved, or taken from those kept of this session."""
    if crew is None:
        with Crew() as own:
            return fields_of(prepared, case, feedback, adjoint=adjoint, crew=own)
    return _Bench(prepared, case, crew).fields(feedback, adjoint)


def each_case(
    prepared: Prepared, feedback: Feedback, *, adjoint: bool = False, cases: Sequence[Case] | None = None
) -> Iterator[CaseFields]:
    """Dust of the cases one after the other, those of one direction together (its air is balanced once)."""
    wanted = list(prepared.cases if cases is None else cases)
    order = list(dict.fromkeys(case.sector for case in wanted))
    wanted.sort(key=lambda case: order.index(case.sector))
    faces: dict[int, Faces] = {}
    with Crew() as crew:
        for number, case in enumerate(wanted):
            name = climate.sector_name(case.sector, 16)
            text = f"dust in wind from {name}, {number + 1} of {len(wanted)}"
            feedback.step(number / len(wanted), text)
            bench = _Bench(prepared, case, crew, faces.get(case.sector))
            part = feedback.part(number / len(wanted), (number + 1) / len(wanted))
            found = bench.fields(_said(part, text, feedback), adjoint)
            faces = {case.sector: bench.known_faces} if bench.known_faces is not None else {}
            yield found


def _said(part: Feedback, text: str, whole: Feedback) -> Feedback:
    return Feedback(lambda fraction, _: part.step(fraction, text), lambda: whole.cancelled, kept=whole.kept)


class _Bench:
    """Where the equations of one case are solved; they are made only when an answer is missing."""

    def __init__(self, prepared: Prepared, case: Case, crew: Crew, faces: Faces | None = None) -> None:
        self._prepared, self._case, self._crew = prepared, case, crew
        self.known_faces = faces
        self._operator: Operator | None = None
        self._transports: dict[bool, Transport] = {}

    def fields(self, feedback: Feedback, adjoint: bool) -> CaseFields:
        """All answers of the case."""
        prepared, case = self._prepared, self._case
        count = len(prepared.emissions) + 1 + int(adjoint)
        feedback.step(0.0, "dust: balancing the air")
        share = self._answer(SHARE, None, feedback.part(0.0, 1.0 / count))
        parts = []
        for number, one in enumerate(prepared.emissions):
            part = feedback.part((number + 1) / count, (number + 2) / count)
            parts.append(self._part(one, part))
        back = self._adjoint(feedback.part((count - 1) / count, 1.0)) if adjoint else None
        return CaseFields(case, share, tuple(parts), back)

    def _part(self, one: Emission, feedback: Feedback) -> Answer:
        """Concentration of a group: the answer for one ug/s of it is kept, whatever its strength."""
        total = float(one.strength.sum())
        if total == 0.0:
            return Answer(np.zeros(self._prepared.shape, np.float32), NO_BALANCE, 0.0, 0)
        # Rounded, so that other strengths of the same pattern find the same answer, bit for bit.
        unit = one._replace(strength=np.round(one.strength / total, 12))
        found = self._answer(("source", _digest(unit.cell, unit.strength)), unit, feedback)
        scale = total / self._case.ratio
        balanced = Balance(*(scale * part for part in found.balance))
        return found._replace(values=found.values * np.float32(scale), balance=balanced)

    def _answer(self, name: Hashable, one: Emission | None, feedback: Feedback) -> Answer:
        """Concentration from a group, or the share of the background where there is none."""
        kept = self._kept(name, feedback)
        if kept is not None:
            return kept
        operator, shape = self._equations(), self._prepared.shape
        emitted = np.zeros(shape) if one is None else one.on(shape)
        right = background(operator) if one is None else emitted
        found = self._transport(transpose=False).solve(right, feedback)
        whole = balance(operator, found.values, emitted, 1.0 if one is None else 0.0)
        negative = negative_share(found.values, operator.faces.volumes())
        return self._keep(name, Answer(found.values, whole, negative, found.iterations), feedback)

    def _adjoint(self, feedback: Feedback) -> Answer:
        people = self._prepared.exposure
        name = (ADJOINT, _digest(people.cell, people.weight))
        kept = self._kept(name, feedback)
        if kept is not None:
            return kept
        found = self._transport(transpose=True).solve(people.on(self._prepared.shape), feedback)
        return self._keep(name, Answer(found.values, NO_BALANCE, 0.0, found.iterations), feedback)

    def _equations(self) -> Operator:
        if self._operator is None:
            if self.known_faces is None:
                self.known_faces = self._prepared.winds.faces(self._case.sector)
            self._operator = self._prepared.operator(self._case, self.known_faces)
        return self._operator

    def _transport(self, *, transpose: bool) -> Transport:
        """One at a time: each has a hierarchy of its own."""
        if transpose not in self._transports:
            self._transports = {transpose: Transport(self._equations(), self._crew, transpose=transpose)}
        return self._transports[transpose]

    def _key(self, name: Hashable) -> Hashable:
        prepared, case = self._prepared, self._case
        wind_from = round(prepared.winds.grid_from[case.sector], 6)
        leaves = "" if prepared.leaf_area is None else _digest(prepared.leaf_area)
        return (
            "dust answer", prepared.winds.city, wind_from, round(case.ratio, 9), prepared.particle, prepared.mixing,
            leaves, name,
        )  # fmt: skip

    def _kept(self, name: Hashable, feedback: Feedback) -> Answer | None:
        if feedback.kept is None or not self._prepared.winds.city:
            return None
        found: Answer | None = feedback.kept.get(self._key(name))
        return found

    def _keep(self, name: Hashable, answer: Answer, feedback: Feedback) -> Answer:
        answer.values.flags.writeable = False
        store, size = feedback.kept, answer.values.nbytes
        if store is not None and self._prepared.winds.city and size <= KEPT_SHARE * (domain.free_memory() or np.inf):
            store.put(self._key(name), answer, size=size)
        return answer


def _digest(*arrays: NDArray[np.generic]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for a in arrays:
        digest.update(np.ascontiguousarray(a).data)
    return digest.hexdigest()
