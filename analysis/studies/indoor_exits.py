"""Ways out: how far every room is from an exit, which has none, and where a wheelchair cannot pass."""

from __future__ import annotations

from analysis.contract import Result, Table, analysis
from analysis.indoor.declaration import (
    ACCESS_ACT,
    DIJKSTRA_1959,
    RIMEA,
    WEIDMANN_1993,
    ExitsInputs,
    ExitsParams,
)
from analysis.indoor.exits import ways_out
from analysis.indoor.exits_outcome import (
    ASSUMPTIONS,
    exit_table,
    exits_issues,
    exits_summary,
    narrow_doors,
    room_columns,
    room_layer,
)
from analysis.indoor.network import building_walks, drop_high_exits
from analysis.indoor.route_outcome import unverified_rules
from analysis.indoor.rules import rules
from geo.model import Column, Feedback


@analysis(
    id="indoor.exits",
    title="Ways out",
    description=(
        "The nearest exit of every room, its distance and time, rooms without a way out, rooms a wheelchair cannot "
        "leave, doors too narrow, and rooms too far from a stair."
    ),
    version=1,
    inputs=ExitsInputs,
    params=ExitsParams,
    references=(DIJKSTRA_1959, WEIDMANN_1993, RIMEA, ACCESS_ACT),
    headline=("profile",),
)
def indoor_exits(inputs: ExitsInputs, params: ExitsParams, feedback: Feedback) -> Result:
    """Judge the rooms of all buildings."""
    limits = rules()
    feedback.step(0.0, "joining the networks")
    walks = building_walks(inputs.networks, inputs.rooms)
    drop_high_exits(walks, params.high_exit)
    feedback.step(0.3, "finding the ways out")
    found = ways_out(walks, limits.profiles[params.profile], limits, deduct=params.deduct)
    feedback.step(0.8, "colouring the rooms")
    columns = room_columns(walks, found, params.walking_distance)
    narrow, narrow_table = narrow_doors(walks, limits, params.deduct)
    rooms = room_layer(walks, found, columns, inputs.rooms)
    feedback.step(1.0, "done")
    return Result(
        layers=(rooms,) if narrow is None else (rooms, narrow),
        summary=exits_summary(walks, found, len(narrow_table), params.walking_distance),
        tables=(
            Table("room_list", "Rooms and their exits", {"room": Column(rooms.table.ids), **columns}),
            exit_table(walks, found),
            narrow_table,
        ),
        issues=(*walks.issues, *exits_issues(walks, found, params.walking_distance), unverified_rules(limits)),
        assumptions=ASSUMPTIONS,
    )
