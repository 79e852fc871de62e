"""Truth checks of a pipe network: depths, courses, sizes, distances and what the pipes run through."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.contract import Inputs, Reference, Result, analysis, layer_input
from analysis.network.declaration import HEIGHT_TOLERANCE, TOLERANCE
from analysis.params import Params, quantity
from geo.model import Feedback, Grid, Issue, Layer

GUIDE = Reference(
    "underground-quality",
    "국토교통부 지하공간통합지도 구축·운영 규정 (심도 오류, 구조물 관통, 도로 이탈); "
    "limits in rules/utility_check.json.",
)
KGS_FS551 = Reference(
    "kgs-fs551", "KGS FS551: 도시가스 배관의 매설깊이와 이격거리 (cover and clear distance of gas pipes)."
)


class CheckParams(Params):
    """What a user can set for ``utility.check``."""

    step: float = quantity("Step along the pipes", "m", default=2.0, ge=0.25, le=20)
    road_margin: float = quantity(
        "Beyond the kerb",
        "m",
        default=0.5,
        ge=0,
        le=10,
        help="A pipe this far outside the road still counts as inside.",
    )
    tolerance: float = TOLERANCE
    height_tolerance: float = HEIGHT_TOLERANCE


@dataclass(frozen=True)
class CheckInputs(Inputs):
    """Pipes and what they are checked against."""

    pipes: tuple[Layer, ...] = layer_input("Pipes and cables", kind="lines", theme="utility", many=True)
    nodes: tuple[Layer, ...] = layer_input(
        "Manholes, valves and other nodes", kind="points", theme="utility", many=True, optional=True
    )
    terrain: Layer | None = layer_input("Terrain", kind="terrain", optional=True)
    roads: tuple[Layer, ...] = layer_input("Roads", kind=("mesh", "lines"), theme="road", many=True, optional=True)
    solids: tuple[Layer, ...] = layer_input(
        "Buildings, basements, tunnels", kind="mesh", theme=("building", "bim"), many=True, optional=True
    )


ASSUMPTIONS = (
    "Pipes are straight between their vertices; covers are taken to the terrain as it is now.",
    "A gravity pipe runs in the direction in which it is drawn unless its inverts say otherwise.",
    "A pipe that ends within 6 m of a building, or at a service node or meter, is a connection and may leave the road.",
    "Distances to pipes of which the depth is only assumed are not judged.",
)


@analysis(
    id="utility.check",
    title="Truth checks of pipes",
    description=(
        "Finds pipes whose depth is missing or cannot be, that run uphill, shrink downstream, lie twice, lie too near "
        "to one another, leave the road, float above the ground or run through a building."
    ),
    version=2,
    inputs=CheckInputs,
    params=CheckParams,
    references=(GUIDE, KGS_FS551),
)
def utility_check(inputs: CheckInputs, params: CheckParams, feedback: Feedback) -> Result:
    """Check a network."""
    from analysis.network.built import build
    from analysis.utility_check.apart import check_separation
    from analysis.utility_check.course import (
        check_buildings,
        check_duplicates,
        check_roads,
        check_sizes,
        check_slopes,
        connections,
    )
    from analysis.utility_check.depth import check_depths
    from analysis.utility_check.findings import Findings
    from analysis.utility_check.outcome import result_of
    from analysis.utility_check.rules import rules
    from analysis.utility_check.stations import covers, road_widths, stations_of

    issues: list[Issue] = []
    limits = rules()
    built = build(
        inputs.pipes, inputs.nodes, issues, feedback.part(0.0, 0.3),
        tolerance=params.tolerance, height_tolerance=params.height_tolerance, join="utility",
    )  # fmt: skip
    pipes, found = built.pipes, Findings(built.pipes)
    stations = stations_of(pipes, params.step)
    ground = inputs.terrain.geometry if inputs.terrain is not None else None
    cover = covers(pipes, stations, ground if isinstance(ground, Grid) else None)
    feedback.step(0.35, "looking for roads")
    width = road_widths(inputs.roads, stations.point, margin=params.road_margin)
    feedback.step(0.45, "checking depths")
    check_depths(found, pipes, stations, cover, width, limits)
    feedback.step(0.55, "checking slopes and sizes")
    check_slopes(found, built, limits)
    check_sizes(found, built, limits)
    feedback.step(0.65, "looking for pipes that lie twice")
    check_duplicates(found, pipes, stations, limits)
    feedback.step(0.75, "measuring distances")
    check_separation(found, pipes, limits)
    feedback.step(0.85, "looking for roads and buildings")
    if inputs.roads:
        check_roads(found, pipes, stations, width, connections(pipes, built, inputs.solids), limits)
    if inputs.solids:
        check_buildings(found, pipes, stations, inputs.solids, limits)
    feedback.step(0.95, "putting the findings together")
    return result_of(found, inputs, limits, issues, ASSUMPTIONS)
