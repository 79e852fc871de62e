"""What an excavation would hit: exact distances to every pipe, widened by what is not known of its place."""

from __future__ import annotations

from analysis.contract import Reference, Result, Table, analysis
from analysis.excavation.declaration import ExcavationInputs, ExcavationParams
from geo.model import Feedback, Grid, Issue, Layer, UserError

ERICSON_2005 = Reference(
    "ericson-2005", "C. Ericson: Real-Time Collision Detection. Morgan Kaufmann, 2005, chapter 5.1."
)
UNDERGROUND_SAFETY = Reference(
    "underground-safety",
    "지하안전관리에 관한 특별법: 굴착깊이 20 m 이상 지하안전평가, 10 m 이상 20 m 미만 소규모 지하안전평가.",
)
CITY_GAS = Reference("city-gas-30-3", "도시가스사업법 제30조의3: 굴착공사 전 도시가스배관 매설상황 확인(EOCS).")


def foreign_pipes(inputs: ExcavationInputs, issues: list[Issue]) -> tuple[Layer, ...]:
    """The pipes without those of the models themselves: a building does not hit its own risers."""
    files = {layer.source.path for layer in inputs.models if layer.source.path}
    own = [layer for layer in inputs.pipes if layer.source.path in files]
    if own:
        text = f"{len(own)} layers of pipes belong to the models themselves and are not checked."
        issues.append(Issue("excavation.own_pipes", text, "note", count=len(own)))
    return tuple(layer for layer in inputs.pipes if layer.source.path not in files)


@analysis(
    id="utility.excavation",
    title="Excavation check",
    description=(
        "Every pipe that an excavation would cut, come too near to or may do so, with owner, distance, clearance, "
        "depth quality and hand-dig zone, and what the law asks for at that depth."
    ),
    version=1,
    inputs=ExcavationInputs,
    params=ExcavationParams,
    references=(ERICSON_2005, UNDERGROUND_SAFETY, CITY_GAS),
)
def utility_excavation(inputs: ExcavationInputs, params: ExcavationParams, feedback: Feedback) -> Result:
    """Check excavations against pipes."""
    from analysis.excavation import outcome
    from analysis.excavation.check import check, widths_of
    from analysis.excavation.pits import pits_of
    from analysis.excavation.rules import rules
    from analysis.network.pipes import pipes_of

    issues: list[Issue] = []
    feedback.step(0.0, "reading the pipes")
    pipes = pipes_of(foreign_pipes(inputs, issues), issues)
    if len(pipes) == 0:
        raise UserError(
            "The layers hold no pipe.",
            "They are empty, or no line in them has a length and finite coordinates.",
            "Choose a layer with pipes.",
            code="utility.no_pipes",
        )
    feedback.step(0.1, "reading the excavations")
    limits = rules()
    pits = pits_of(inputs, params, issues, feedback.part(0.1, 0.2))
    widths = widths_of(pipes, params, limits, issues)
    found = check(pipes, pits, widths, feedback.part(0.2, 0.9))
    feedback.step(0.9, "writing the result")
    columns = outcome.finding_columns(pipes, pits, found, widths, inputs.frame)
    ground = inputs.terrain.geometry if inputs.terrain is not None else None
    grid = ground if isinstance(ground, Grid) else None
    return Result(
        layers=outcome.layers_of(pipes, pits, found, widths, columns, limits, grid),
        summary=outcome.summary(pits, found),
        tables=(
            Table("affected_list", "Pipes at excavations", columns),
            outcome.pit_table(pits, found, inputs.frame, limits),
        ),
        issues=(*outcome.law(pits, pipes, found, limits), *issues),
        assumptions=outcome.ASSUMPTIONS,
    )
