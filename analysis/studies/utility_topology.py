"""The health of a pipe network: what is connected, and which connections look broken."""

from __future__ import annotations

from analysis.contract import Result, analysis
from analysis.network.declaration import TARJAN_1974, NetworkInputs, TopologyParams
from geo.model import Feedback


@analysis(
    id="utility.topology",
    title="Connections of a pipe network",
    description=(
        "Which pipes are connected, into how many parts the network falls, and which connections look broken: ends "
        "that nearly meet, loose ends and nodes, pipes drawn twice."
    ),
    version=1,
    inputs=NetworkInputs,
    params=TopologyParams,
    references=(TARJAN_1974,),
    headline=("tolerance",),
)
def utility_topology(inputs: NetworkInputs, params: TopologyParams, feedback: Feedback) -> Result:
    """Check the connections of a network."""
    from analysis.network.topology import topology

    return topology(inputs, params, feedback)
