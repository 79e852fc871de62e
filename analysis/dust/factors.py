"""What a calibration found, given to other studies of dust: a factor for each group of sources."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from analysis.dust.sources import Emission
from geo.model import Issue, Layer, UserError

GROUP, FACTOR = "group", "factor"  # columns of the table "factors" of a calibration
MOST = 1000.0
PART = re.compile(r"^(?P<group>.+?)\s*[=:]\s*(?P<factor>[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)$")


def read_factors(text: str) -> dict[str, float]:
    """Factors in a parameter's text such as ``"roads=1.4; site=0.8"``. Raises `UserError`."""
    found: dict[str, float] = {}
    for part in (piece.strip() for piece in re.split(r"[;\n]", text)):
        if not part:
            continue
        match = PART.match(part)
        if match is None:
            raise _wrong(part, "it is not of the form group=factor")
        found[match["group"].strip()] = _checked(part, float(match["factor"]))
    return found


def factors_text(factors: Mapping[str, float]) -> str:
    """The text `read_factors` reads, to be copied into a parameter."""
    return "; ".join(f"{group}={factor:.4g}" for group, factor in factors.items())


def factors_of(text: str, layer: Layer | None) -> dict[str, float]:
    """Factors of a calibration's table and of a parameter's text; the text counts where both name a group."""
    return {**(table_factors(layer) if layer is not None else {}), **read_factors(text)}


def table_factors(layer: Layer) -> dict[str, float]:
    """Factors of the table "factors" of a calibration. Raises `UserError` for another table."""
    group, factor = layer.table.columns.get(GROUP), layer.table.columns.get(FACTOR)
    if group is None or factor is None or not factor.is_number:
        raise UserError(
            f"{layer.name} holds no factors of sources.",
            f"A calibration's table has the columns {GROUP} and {FACTOR}.",
            "Choose the table of strengths that a calibration made, or none.",
            code="dust.factors.no_columns",
            values={"layer": layer.name},
        )
    pairs = zip(group.values.tolist(), np.asarray(factor.values, dtype=np.float64).tolist(), strict=True)
    return {str(name): _checked(str(name), value) for name, value in pairs}


def scaled(emissions: Sequence[Emission], factors: Mapping[str, float], issues: list[Issue]) -> tuple[Emission, ...]:
    """Emissions times the factors of their groups; what changed, and factors of groups that are not here, are told."""
    groups = [one.group for one in emissions]
    changed = {group: factor for group, factor in factors.items() if group in groups and factor != 1.0}
    unknown = [group for group in factors if group not in groups]
    if changed:
        text = factors_text(changed)
        message = f"Sources are taken times these factors: {text}."
        issues.append(Issue("dust.factors.taken", message, "note", len(changed), values={"factors": text}))
    if unknown:
        message = (
            f"No sources are called {', '.join(unknown)}: these factors change nothing (groups: {', '.join(groups)})."
        )
        values = {"unknown": ", ".join(unknown), "groups": ", ".join(groups)}
        issues.append(Issue("dust.factors.unknown", message, "doubt", len(unknown), values=values))
    return tuple(
        one._replace(strength=one.strength * changed[one.group], lost=one.lost * changed[one.group])
        if one.group in changed
        else one
        for one in emissions
    )


def _checked(part: str, factor: float) -> float:
    if not 0.0 <= factor <= MOST:
        raise _wrong(part, f"a factor lies between 0 and {MOST:g}")
    return factor


def _wrong(part: str, reason: str) -> UserError:
    return UserError(
        f"The factor '{part}' cannot be used.",
        f"Of the factors of sources, {reason}.",
        "Write groups and factors as a calibration prints them: roads=1.4; site=0.8.",
        code="dust.factors.wrong",
        values={"part": part, "reason": reason},
    )
