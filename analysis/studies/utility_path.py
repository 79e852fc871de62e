"""The shortest way along pipes between two places."""

from __future__ import annotations

from analysis.contract import Result, analysis
from analysis.network.declaration import DIJKSTRA_1959, NetworkInputs, PathParams
from geo.model import Feedback


@analysis(
    id="utility.path",
    title="Way along pipes",
    description="The shortest way along pipes from one place to another, with its length and the nodes on it.",
    version=1,
    inputs=NetworkInputs,
    params=PathParams,
    references=(DIJKSTRA_1959,),
)
def utility_path(inputs: NetworkInputs, params: PathParams, feedback: Feedback) -> Result:
    """Find the way."""
    from analysis.network.path import path

    return path(inputs, params, feedback)
