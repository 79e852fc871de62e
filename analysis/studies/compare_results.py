"""Two results of one study side by side: what differs, where, and by how much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.compare.differences import CHANGE, UNCHANGED, differences, figure_table, table_of_differences, with_scale
from analysis.compare.pairs import paired_layers
from analysis.compare.settling import settling_issues
from analysis.contract import Inputs, Quantity, Reference, Result, Table, analysis, layer_input
from analysis.params import Params, quantity
from geo.model import Feedback, Issue, Layer, UserError

KINDS = ("grid", "mesh", "table")
HARROWER_BREWER_2003 = Reference(
    "harrower-brewer-2003",
    "M. Harrower, C. A. Brewer: ColorBrewer.org: an online tool for selecting colour schemes for maps (diverging "
    "schemes, a neutral middle for no change). The Cartographic Journal 40(1), 2003.",
    "10.1179/000870403235002042",
)


class CompareParams(Params):
    """How differences are shown."""

    scale: float = quantity(
        "End of the colour scale",
        "1",
        default=0.0,
        ge=0.0,
        le=1e9,
        help="In the unit of what is shown, the same for gains and losses; 0: as far as the differences reach. "
        "Give several comparisons one scale to look at them side by side.",
    )


@dataclass(frozen=True)
class CompareInputs(Inputs):
    """The layers of two runs."""

    before: tuple[Layer, ...] = layer_input("Result before", kind=KINDS, theme="result", many=True, named=True)
    after: tuple[Layer, ...] = layer_input("Result after", kind=KINDS, theme="result", many=True, named=True)


@analysis(
    id="compare.results",
    title="Difference of two results",
    description=(
        "What another alternative, another day or another setting changes: after minus before for every cell, face and "
        "row that both results have, on one colour scale, and for the key figures."
    ),
    version=1,
    inputs=CompareInputs,
    params=CompareParams,
    references=(HARROWER_BREWER_2003,),
)
def compare_results(inputs: CompareInputs, params: CompareParams, feedback: Feedback) -> Result:
    """Compare the layers of two runs of one study."""
    before, after = record_of_side(inputs.before, "before"), record_of_side(inputs.after, "after")
    study = str(after["provenance"]["analysis"])
    if before["provenance"]["analysis"] != study:
        raise UserError(
            "These results are of different studies.",
            f"One is of {before['provenance']['analysis']}, the other of {study}.",
            "Choose two results of the same study.",
            code="compare.other_study",
            values={"before": str(before["provenance"]["analysis"]), "after": study},
        )
    issues: list[Issue] = [*other_conditions(before, after), *settling_issues(before, after)]
    layers, tables = [], [figure_table(before, after, study)]
    compared = changed = gained = lost = 0
    pairs = paired_layers(inputs.before, inputs.after)
    for number, (one, other) in enumerate(pairs):
        feedback.step(number / max(1, len(pairs)), "comparing")
        if (rows := table_of_differences(one, other)) is not None:
            tables.append(rows)
        if other.geometry is None:
            continue
        layer, pairing = differences(one, other)
        if layer is None:
            issues.append(_not_compared(other, apart=pairing is None))
            continue
        layers.append(layer)
        shown = np.asarray(layer.field_named(layer.style.colour_by).values)  # type: ignore[union-attr]
        compared += len(pairing.here) if pairing is not None else 0
        if shown.dtype.kind == "f":
            changed += int((np.abs(np.nan_to_num(shown)) > CHANGE).sum())
            gained += int((shown > CHANGE).sum())
            lost += int((shown < -CHANGE).sum())
        else:
            stayed = layer.field_named(layer.style.colour_by).categories.index(UNCHANGED)  # type: ignore[union-attr]
            changed += int(((shown >= 0) & (shown != stayed)).sum())
    if not layers and all(len(table) == 0 for table in tables):
        raise UserError(
            "These results have nothing in common that could be compared.",
            "They have no layers, rows or key figures of the same sort.",
            "Choose two results of the same study on the same area.",
            code="compare.nothing",
        )
    summary = {
        "compared": Quantity(compared, "1"),
        "changed": Quantity(changed, "1"),
        "gained": Quantity(gained, "1"),
        "lost": Quantity(lost, "1"),
    }
    return Result(
        layers=with_scale(layers, params.scale),
        summary=summary,
        tables=tuple(table for table in tables if _worth(table)),
        issues=tuple(issues),
        assumptions=(
            "A difference is the value after minus the value before; blue is less, orange is more.",
            "Faces of one element belong together in their order; where an element has others, by their place.",
            "Cells and elements that only one of the results has are left out.",
        ),
    )


def _worth(table: Table) -> bool:
    return len(table) > 0


def record_of_side(layers: tuple[Layer, ...], side: str) -> Mapping[str, Any]:
    """The record of the one run that the layers of a side are of."""
    records = {str(layer.source.provenance.get("run")): layer.source.provenance for layer in layers}
    if len(records) != 1 or "provenance" not in next(iter(records.values())):
        raise UserError(
            "The layers of a side must be of one run.",
            f"The side '{side}' has layers of {len(records)} runs." if layers else f"The side '{side}' is empty.",
            "Choose the layers of one result on each side.",
            code="compare.mixed_runs",
            values={"side": side, "count": len(records)},
        )
    return next(iter(records.values()))


def other_conditions(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Issue]:
    """Parameters and versions that differ: the difference shows their effect too."""
    one, other = before["provenance"], after["provenance"]
    names = [name for name, value in other["params"].items() if one["params"].get(name) != value]
    issues = []
    if names:
        said = ", ".join(f"{name}: {one['params'].get(name)} / {other['params'].get(name)}" for name in names)
        message = f"The two runs differ in their parameters too ({said})."
        issues.append(Issue("compare.other_params", message, "doubt", values={"params": said}))
    if one["version"] != other["version"]:
        message = f"The two runs were made by versions {one['version']} and {other['version']} of the study."
        values = {"before": one["version"], "after": other["version"]}
        issues.append(Issue("compare.other_version", message, "doubt", values=values))
    return issues


def _not_compared(layer: Layer, *, apart: bool) -> Issue:
    reason = "its cells or faces are others" if apart else "it has no numbers or classes that both have"
    message = f"{layer.name} could not be compared: {reason}."
    return Issue("compare.not_compared", message, "doubt", values={"layer": layer.name})
