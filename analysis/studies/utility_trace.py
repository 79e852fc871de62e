"""Follow a pipe network upstream, downstream, or to everything that is connected."""

from __future__ import annotations

from analysis.contract import Result, analysis
from analysis.network.declaration import DIJKSTRA_1959, TARJAN_1974, TraceInputs, TraceParams
from geo.model import Feedback


@analysis(
    id="utility.trace",
    title="Trace a pipe network",
    description="What lies upstream or downstream of a pipe, or is connected with it, with distances along the pipes.",
    version=1,
    inputs=TraceInputs,
    params=TraceParams,
    references=(DIJKSTRA_1959, TARJAN_1974),
    headline=("direction",),
)
def utility_trace(inputs: TraceInputs, params: TraceParams, feedback: Feedback) -> Result:
    """Trace a network."""
    from analysis.network.trace import trace

    return trace(inputs, params, feedback)
