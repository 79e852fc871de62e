"""Clashes: where elements of two groups run into each other, or come nearer than a clearance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.contract import Inputs, Reference, Result, analysis, layer_input
from analysis.params import Params, choice, quantity
from geo.model import Feedback, Layer

ERICSON_2005 = Reference("ericson-2005", "C. Ericson: Real-Time Collision Detection. Morgan Kaufmann, 2005.")
LAUTERBACH_2009 = Reference(
    "lauterbach-2009",
    "C. Lauterbach et al.: Fast BVH construction on GPUs. Computer Graphics Forum 28(2), 2009.",
    "10.1111/j.1467-8659.2009.01377.x",
)
GROUP_HELP = (
    "Classes with * for any letters, separated by commas; also column=value and layer=name, joined by &: "
    "IfcWall* & storey=1F."
)


class ClashParams(Params):
    """What a user can set for ``bim.clash``."""

    first: str = choice(
        "First group", default="IfcPipe*, IfcDuct*, IfcCable*, IfcFlow*, IfcEnergyConversion*", help=GROUP_HELP
    )
    second: str = choice("Second group", default="IfcWall*, IfcSlab*, IfcBeam*, IfcColumn*", help=GROUP_HELP)
    mode: Literal["hard", "clearance"] = choice(
        "What counts", default="hard", help="hard: elements share space. clearance: also those nearer than that."
    )
    clearance: float = quantity("Clearance", "m", default=0.05, ge=0.001, le=5)
    tolerance: float = quantity(
        "Tolerance", "m", default=0.01, ge=0, le=0.5, help="Shared parts that are not thicker are contacts."
    )


@dataclass(frozen=True)
class ClashInputs(Inputs):
    """Models that are held against each other."""

    models: tuple[Layer, ...] = layer_input(
        "Building models", kind=("mesh", "instances"), theme="bim", many=True, hidden=True
    )


@analysis(
    id="bim.clash",
    title="Clashes",
    description=(
        "Where elements of two groups of building models run into each other, or come nearer than a clearance: "
        "pipes and walls, ducts and beams, one model and another."
    ),
    version=1,
    inputs=ClashInputs,
    params=ClashParams,
    references=(ERICSON_2005, LAUTERBACH_2009),
    headline=("mode", "tolerance"),
)
def bim_clash(inputs: ClashInputs, params: ClashParams, feedback: Feedback) -> Result:
    """Find the clashes."""
    from analysis.bim_check.bodies import bodies_of
    from analysis.bim_check.clash_outcome import result_of
    from analysis.bim_check.groups import in_group
    from analysis.bim_check.judge import judge, pairs_near

    feedback.step(0.0, "collecting the elements")
    bodies = bodies_of(inputs.models)
    first, second = in_group(bodies, params.first), in_group(bodies, params.second)
    clearance = params.clearance if params.mode == "clearance" else 0.0
    feedback.step(0.1, "looking for neighbours")
    pairs = pairs_near(bodies, first, second, reach=clearance)
    judged = judge(bodies, pairs, feedback.part(0.15, 0.95), tolerance=params.tolerance, clearance=clearance)
    feedback.step(0.95, "putting the clashes together")
    counts = (int(first.sum()), int(second.sum()))
    return result_of(bodies, judged, inputs.frame, tolerance=params.tolerance, clearance=clearance, counts=counts)
