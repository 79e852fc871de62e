"""The result of a way: its line, the list of steps, key figures, and what was taken for granted."""

from __future__ import annotations

import numpy as np

from analysis.contract import Quantity, Table
from analysis.indoor.declaration import RouteParams
from analysis.indoor.network import Walks
from analysis.indoor.places import Stand
from analysis.indoor.rules import Rules
from analysis.indoor.steps import Route
from geo.model import Column, ElementTable, Field, Issue, Layer, Lines, Style, UserError
from geo.model.conventions import STOREY, WAYS

LIFT_OVER_FLOOR = 0.05  # [m] the line is drawn this far over the floor
FAR_FROM_WAY = 5.0  # [m]

ASSUMPTIONS = (
    "Everybody walks alone: no queues at doors and on stairs.",
    "Inside a room the way goes straight from door to door around corners and columns, but furniture is not seen.",
    "Widths of doors are those the model states; doors are open to everybody.",
    "The lift comes after the usual waiting time and goes without stops.",
)


def route_layer(route: Route, part: str, name: str) -> Layer:
    """The way as lines, one element for each step."""
    lines = [step.line + [0.0, 0.0, LIFT_OVER_FLOOR] for step in route.steps]
    offsets = np.concatenate([[0], np.cumsum([len(line) for line in lines])]).astype(np.int32)
    count = len(route.steps)
    geometry = Lines(np.concatenate(lines), offsets, np.arange(count, dtype=np.int32))
    seconds = np.cumsum([step.seconds for step in route.steps])
    codes = np.array([WAYS.index(step.way) if step.way in WAYS else -1 for step in route.steps], dtype=np.int8)
    fields = (
        Field("way", "1", "element", codes, categories=WAYS),
        Field("arrival", "s", "element", seconds),
    )
    table = ElementTable([str(k + 1) for k in range(count)], _columns(route))
    return Layer(part, name, "result", geometry, table, fields, style=Style(colour_by="way"), stratum="indoor")


def _columns(route: Route) -> dict[str, Column]:
    steps = route.steps
    length = np.array([step.length for step in steps])
    seconds = np.array([step.seconds for step in steps])
    texts = {
        "instruction": [step.text for step in steps],
        "way": [step.way for step in steps],
        "through": [step.through for step in steps],
        "into": [step.into for step in steps],
        STOREY: [step.storey for step in steps],
    }
    columns = {name: Column(np.array(values, dtype=object)) for name, values in texts.items()}
    return columns | {
        "length": Column(length, "m"),
        "rise": Column(np.array([step.rise for step in steps]), "m"),
        "seconds": Column(seconds, "s"),
        "width": Column(np.array([step.width for step in steps]), "m"),
        "total_length": Column(np.cumsum(length), "m"),
        "total_seconds": Column(np.cumsum(seconds), "s"),
    }


def step_table(route: Route) -> Table:
    """The list of steps."""
    number = Column(np.arange(1, len(route.steps) + 1))
    return Table("steps", "Steps of the way", {"step": number, **_columns(route)})


def route_summary(walks: Walks, route: Route, out: Route | None, profile: str) -> dict[str, Quantity]:
    """Key figures."""
    doors = [k for k in route.nodes if walks.node[k] == "door"]
    widths = np.array([walks.width[k] for k in doors])
    known = widths[np.isfinite(widths)]
    figures = {
        "start": Quantity(walks.name[route.nodes[0]], ""),
        "goal": Quantity(walks.name[route.nodes[-1]], ""),
        "profile": Quantity(profile, ""),
        "length": Quantity(round(route.length, 2), "m"),
        "time": Quantity(round(route.seconds, 1), "s"),
        "climb": Quantity(round(route.climb, 2), "m"),
        "descent": Quantity(round(route.descent, 2), "m"),
        "doors": Quantity(len(doors), "1"),
    }
    if len(known):
        figures["narrowest"] = Quantity(round(float(known.min()), 3), "m")
    if out is not None:
        figures |= {
            "exit": Quantity(walks.name[out.nodes[-1]], ""),
            "exit_length": Quantity(round(out.length, 2), "m"),
            "exit_time": Quantity(round(out.seconds, 1), "s"),
        }
    return figures


def no_way(walks: Walks, start: int, goal: int | None, profile: str) -> UserError:
    """What to say where there is no way."""
    end = walks.name[goal] if goal is not None else "an exit"
    return UserError(
        f"There is no way from {walks.name[start]} to {end}.",
        f"For the profile {profile} the network has no connection: stairs only, doors too narrow, ramps too steep, or "
        "rooms that no door joins.",
        "Try another profile, or look at the study of exits for the rooms without a way out.",
        code="indoor.no_way",
        values={"start": walks.name[start], "goal": end, "profile": profile},
    )


def said(
    walks: Walks, route: Route, stands: tuple[Stand | None, ...], params: RouteParams, limits: Rules
) -> tuple[Issue, ...]:
    """What was decided for the user, and what is doubtful about this way."""
    issues = list(walks.issues)
    for stand in stands:
        if stand is not None and stand.away > FAR_FROM_WAY:
            issues.append(
                Issue(
                    "indoor.place_away",
                    f"A place named lies {stand.away:.0f} m from {walks.name[stand.node]}, where the way ends.",
                    severity="doubt",
                    values={"away": f"{stand.away:.0f}", "name": walks.name[stand.node]},
                )
            )
    unknown = [walks.id[k] for k in route.nodes if walks.node[k] == "door" and not np.isfinite(walks.width[k])]
    if unknown and params.profile == "wheelchair":
        issues.append(
            Issue(
                "indoor.width_unknown",
                f"{len(unknown)} doors of the way have no stated width; they were taken for wide enough.",
                severity="doubt",
                count=len(unknown),
                elements=tuple(unknown[:200]),
            )
        )
    issues.append(unverified_rules(limits))
    return tuple(issues)


def unverified_rules(limits: Rules) -> Issue:
    """Which figures are not checked against their source."""
    return Issue(
        "indoor.unverified",
        f"Speeds and limits of {limits.edition}; not checked against the original text: "
        + "; ".join(limits.unverified)
        + ".",
        count=len(limits.unverified),
        values={"edition": limits.edition},
    )
