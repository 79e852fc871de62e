"""Shut off a broken pipe: which valves to close and who loses the supply."""

from __future__ import annotations

from analysis.contract import Result, analysis
from analysis.network.declaration import DIJKSTRA_1959, WALSKI_1993, IsolationParams, NetworkInputs
from geo.model import Feedback


@analysis(
    id="utility.isolation",
    title="Shut off a broken pipe",
    description="The nearest valves that shut a broken pipe off, what is shut off with it, and who loses the supply.",
    version=1,
    inputs=NetworkInputs,
    params=IsolationParams,
    references=(WALSKI_1993, DIJKSTRA_1959),
)
def utility_isolation(inputs: NetworkInputs, params: IsolationParams, feedback: Feedback) -> Result:
    """Shut off a pipe."""
    from analysis.network.isolation import isolation

    return isolation(inputs, params, feedback)
