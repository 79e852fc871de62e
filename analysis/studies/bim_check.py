"""Model check by geometry: what lies twice, rooms that overlap or have no way out, narrow doors, stray elements."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.contract import Inputs, Reference, Result, analysis, layer_input
from analysis.params import Params, quantity
from geo.model import Feedback, Issue, Layer

ERICSON_2005 = Reference("ericson-2005", "C. Ericson: Real-Time Collision Detection. Morgan Kaufmann, 2005.")
ACCESS_ACT = Reference(
    "access-act", "장애인·노인·임산부 등의 편의증진 보장에 관한 법률 시행규칙 별표1 (출입구 통과유효폭 0.9 m)"
)


class CheckParams(Params):
    """What a user can set for ``bim.check``."""

    tolerance: float = quantity(
        "Same place within", "m", default=0.002, ge=0.0001, le=0.1, help="For elements that lie twice."
    )
    overlap: float = quantity(
        "Rooms may share", "m", default=0.05, ge=0, le=1, help="Thickness of what two rooms share before it is told."
    )
    door_width: float = quantity("Least width of a door", "m", default=0.9, ge=0.3, le=3)
    far: float = quantity(
        "Farther from the rest than", "m", default=300.0, ge=10, le=100_000, help="From the middle of the model."
    )


@dataclass(frozen=True)
class CheckInputs(Inputs):
    """What is checked."""

    models: tuple[Layer, ...] = layer_input(
        "Building models and rooms", kind=("mesh", "instances"), theme=("bim", "space"), many=True, hidden=True
    )
    networks: tuple[Layer, ...] = layer_input(
        "Walking networks (places and ways)",
        kind=("points", "lines"),
        theme="network",
        many=True,
        optional=True,
        hidden=True,
    )


@analysis(
    id="bim.check",
    title="Model check by geometry",
    description=(
        "Finds elements that lie twice, rooms that overlap, rooms without a door or a way out, doors that are too "
        "narrow, and elements far from the rest of their model."
    ),
    version=1,
    inputs=CheckInputs,
    params=CheckParams,
    references=(ERICSON_2005, ACCESS_ACT),
    headline=("door_width",),
)
def bim_check(inputs: CheckInputs, params: CheckParams, feedback: Feedback) -> Result:
    """Check the shapes of models."""
    import numpy as np

    from analysis.bim_check.bodies import bodies_of
    from analysis.bim_check.findings import (
        Findings,
        find_closed_rooms,
        find_duplicates,
        find_far,
        find_narrow_doors,
        find_overlaps,
    )
    from analysis.bim_check.outcome import result_of
    from analysis.indoor.network import building_walks
    from analysis.indoor.rules import rules

    feedback.step(0.0, "collecting the elements")
    bodies = bodies_of(inputs.models)
    found = Findings(bodies)
    is_room = np.array([layer.theme == "space" for layer in inputs.models] or [False], dtype=np.bool_)[bodies.layer]
    feedback.step(0.1, "looking for elements that lie twice")
    find_duplicates(found, tolerance=params.tolerance)
    feedback.step(0.3, "looking for stray elements")
    find_far(found, far=params.far)
    find_overlaps(found, is_room, feedback.part(0.4, 0.8), tolerance=params.overlap)
    feedback.step(0.8, "looking for rooms without a way out")
    issues, doors = [], 0
    if inputs.networks:
        walks = building_walks(inputs.networks, [layer for layer in inputs.models if layer.theme == "space"])
        issues += walks.issues
        doors = len(walks.of_kind("door"))
        find_closed_rooms(found, walks, rules())
        find_narrow_doors(found, walks, width=params.door_width)
    else:
        text = "Without a walking network doors and ways out are not checked."
        issues.append(Issue("bim.check.no_network", text, "doubt"))
    feedback.step(0.95, "putting the findings together")
    return result_of(
        found.in_order(),
        elements=int((~is_room).sum()),
        rooms=int(is_room.sum()),
        doors=doors,
        issues=issues,
    )
