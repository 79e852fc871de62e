"""Candidates: every model on every place in every direction of its outlet, and the units that are there already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.dust.catalogue import Purifier, purifiers
from analysis.dust.columns import texts_of, titles_of
from analysis.dust.siting_declaration import DustSitingInputs, DustSitingParams
from analysis.dust.siting_places import Sites
from analysis.dust.unit import PlacedUnit, Ports, is_on_roof, ports_of
from analysis.wind.tunnel import Tunnel
from geo.model import Feedback, Issue, Layer, Points, UserError
from geo.model import conventions as words

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Units that could be placed.

    Attributes
    ----------
    units : tuple of PlacedUnit
    ports : tuple of Ports
        Of the calculated wind.
    site : (n,) int64
        Row of `Sites`; units of one site exclude each other.
    """

    units: tuple[PlacedUnit, ...]
    ports: tuple[Ports, ...]
    site: Indices

    def __len__(self) -> int:
        return len(self.units)

    @property
    def xy(self) -> Floats:
        """(n, 2) [local m]."""
        return np.array([(one.x, one.y) for one in self.units]).reshape(-1, 2)

    @property
    def cost(self) -> Floats:
        """(n,) [KRW]."""
        return np.array([one.model.cost for one in self.units])


def models_of(params: DustSitingParams) -> tuple[Purifier, ...]:
    """The models asked for. Raises `UserError` for one that is not in the catalogue."""
    known = purifiers()
    wanted = [name.strip() for name in params.models.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        raise UserError(
            f"The model {unknown[0]} is not in the catalogue." if unknown else "No model of purifier was named.",
            f"The catalogue holds {', '.join(known)}.",
            "Name one of these, or several separated by commas.",
            code="dust.siting.model" if unknown else "dust.siting.no_model",
            values={"model": unknown[0] if unknown else "", "known": ", ".join(known)},
        )
    return tuple(known[name] for name in dict.fromkeys(wanted))


def affordable(models: Sequence[Purifier], budget: float) -> tuple[Purifier, ...]:
    """Models that the budget buys one of; 0 for no limit. Raises `UserError` where it buys none."""
    kept = tuple(model for model in models if budget == 0.0 or model.cost <= budget)
    if not kept:
        cheapest = min(models, key=lambda model: model.cost)
        raise UserError(
            "The budget buys nothing.",
            f"It is {budget:,.0f} KRW; the cheapest model chosen, {cheapest.name}, costs {cheapest.cost:,.0f} KRW.",
            "Raise the budget, or choose a cheaper model.",
            code="dust.siting.budget",
            values={"budget": round(budget), "cheapest": round(cheapest.cost), "model": cheapest.name},
        )
    return kept


def candidates_of(
    sites: Sites,
    models: Sequence[Purifier],
    params: DustSitingParams,
    tunnel: Tunnel,
    issues: list[Issue],
    feedback: Feedback,
) -> Candidates:
    """All models on all sites; sites where one has no air at its intake or outlet are left out. Raises `UserError`."""
    size, turns = params.size_class, int(params.turns)
    units, ports, rows, blocked, last = [], [], [], 0, ""
    for row, (x, y) in enumerate(sites.xy.tolist()):
        if row % 200 == 0:
            feedback.step(row / len(sites.xy), "looking for places")
        for model in models:
            for turn in range(turns):
                angle = (params.towards + turn * 360.0 / turns) % 360.0
                unit = PlacedUnit(model, x, y, angle, bool(sites.on_roof[row]), str(sites.name[row]))
                try:
                    found = ports_of(unit, tunnel, size)
                except UserError as error:
                    blocked, last = blocked + 1, error.why
                    continue
                units.append(unit)
                ports.append(found)
                rows.append(row)
    if not units:
        raise UserError(
            "No model fits on any of the places.",
            f"At all {len(sites.xy)} places intake or outlet would be in a wall. {last}",
            "Choose other ground or a smaller model, or calculate on smaller cells.",
            code="dust.siting.no_air",
            values={"places": len(sites.xy)},
        )
    if blocked:
        message = f"{blocked} of {blocked + len(units)} units would have a wall at intake or outlet and were left out."
        issues.append(Issue("dust.siting.blocked", message, "note", blocked))
    return Candidates(tuple(units), tuple(ports), np.array(rows, dtype=np.int64))


class Intakes:
    """Cells from which all candidates take in: laid out once, a field then takes one sparse product."""

    def __init__(self, candidates: Candidates, cells: int) -> None:
        from scipy.sparse import csr_matrix

        ports = candidates.ports
        ends = np.concatenate([[0], np.cumsum([len(one.intake) for one in ports])])
        numbers = np.concatenate([one.intake for one in ports])
        weights = np.concatenate([one.intake_weight for one in ports])
        self._matrix = csr_matrix((weights, numbers, ends), shape=(len(ports), cells))

    def mean(self, values: NDArray[np.floating]) -> Floats:
        """(n,) mean of a field (nz, ny, nx) over each intake."""
        return np.asarray(self._matrix @ values.reshape(-1).astype(np.float64))


def with_existing(
    candidates: Candidates, inputs: DustSitingInputs, params: DustSitingParams, tunnel: Tunnel, issues: list[Issue]
) -> tuple[Candidates, tuple[int, ...]]:
    """The candidates with the purifiers that are there behind them, and the numbers of those."""
    if not params.existing:
        return candidates, ()
    units, ports, lost = [], [], []
    for unit in existing_units(inputs.purifiers, tunnel, issues):
        try:
            ports.append(ports_of(unit, tunnel, params.size_class))
            units.append(unit)
        except UserError:
            lost.append(unit.name)
    if lost:
        message = f"{len(lost)} purifiers that are there lie in walls or outside and were left out, such as {lost[0]}."
        issues.append(Issue("dust.siting.existing_lost", message, "doubt", len(lost), values={"unit": lost[0]}))
    if units:
        message = f"{len(units)} purifiers that are there run: all is told on top of them."
        issues.append(Issue("dust.siting.existing", message, "note", len(units)))
    first, site = len(candidates), int(candidates.site.max()) + 1
    more = Candidates(
        (*candidates.units, *units), (*candidates.ports, *ports),
        np.concatenate([candidates.site, site + np.arange(len(units))]).astype(np.int64),
    )  # fmt: skip
    return more, tuple(range(first, first + len(units)))


def existing_units(layers: Sequence[Layer], tunnel: Tunnel, issues: list[Issue]) -> tuple[PlacedUnit, ...]:
    """Purifiers of the layers that stand and run; a model nobody knows is left out and told."""
    known, found, unknown = purifiers(), [], []
    for layer in layers:
        if not isinstance(layer.geometry, Points):
            continue
        models = texts_of(layer, (words.PURIFIER_MODEL,))
        states = texts_of(layer, (words.PURIFIER_STATE,))
        angles = _angles(layer)
        names = titles_of(layer)
        for row, spot in zip(layer.geometry.element.tolist(), layer.geometry.vertices.tolist(), strict=True):
            if states[row] != "existing":
                continue
            if models[row] not in known:
                unknown.append(names[row])
                continue
            x, y, z = spot
            on_roof = is_on_roof(x, y, z, tunnel)
            found.append(PlacedUnit(known[models[row]], x, y, float(angles[row]), on_roof, names[row]))
    if unknown:
        message = f"{len(unknown)} purifiers that are there have no model of the catalogue, such as {unknown[0]}."
        issues.append(Issue("dust.siting.existing_model", message, "doubt", len(unknown), values={"unit": unknown[0]}))
    return tuple(found)


def _angles(layer: Layer) -> Floats:
    """(n,) where each outlet looks [degrees]; north where it is not said."""
    column = layer.table.columns.get(words.OUTLET_TOWARDS)
    if column is None or not column.is_number:
        return np.zeros(len(layer.table))
    return np.nan_to_num(column.values.astype(np.float64))
