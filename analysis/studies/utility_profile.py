"""The longitudinal profile of a run of pipes."""

from __future__ import annotations

from analysis.contract import Result, analysis
from analysis.network.declaration import DIJKSTRA_1959, ProfileInputs, ProfileParams
from geo.model import Feedback


@analysis(
    id="utility.profile",
    title="Longitudinal profile of pipes",
    description=(
        "Ground, top of pipe, invert, slope and cover along a run of pipes, with everything that crosses it, as a "
        "chart and as a table by station."
    ),
    version=1,
    inputs=ProfileInputs,
    params=ProfileParams,
    references=(DIJKSTRA_1959,),
    headline=("step",),
)
def utility_profile(inputs: ProfileInputs, params: ProfileParams, feedback: Feedback) -> Result:
    """Draw the profile."""
    from analysis.network.profile import profile

    return profile(inputs, params, feedback)
