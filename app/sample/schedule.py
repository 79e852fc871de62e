"""A construction schedule of the mixed-use building: storey by storey, reported to a day in the middle of the work.

Everything in it is made up. The frame rises from below, the outside follows it, then the inside; from one storey on the
frame was poured late and all above it waits.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

FIRST_DAY = date(2026, 3, 2)
REPORTED = date(2026, 11, 20)  # to this day the actual days are known
STOREY_DAYS = 18  # from the frame of one storey to that of the next
LATE_FROM, LATE_DAYS = "6F", 16  # the storey whose frame was late, and by how much
COLUMNS = ("GUID", "Storey", "TaskName", "PlannedStart", "PlannedFinish", "ActualStart", "ActualFinish")


class Trade(NamedTuple):
    """Work of one kind on a storey: what it builds, and its days from the start of that storey's frame."""

    name: str
    classes: frozenset[str]
    begins: int
    days: int


TRADES = (
    Trade(
        "골조 Frame",
        frozenset({"IfcColumn", "IfcSlab", "IfcStair", "IfcRamp", "IfcWall", "IfcMember"}),
        0,
        16,
    ),
    Trade("외벽 창호 Facade", frozenset({"IfcWindow", "IfcCurtainWall", "IfcRailing"}), 40, 20),
    Trade("설비 Services", frozenset(), 45, 25),  # all that the others do not build
    Trade("마감 Finishes", frozenset({"IfcDoor", "IfcCovering", "IfcSanitaryTerminal", "IfcFurniture"}), 75, 30),
)


SERVICES = TRADES[2]
TRADE_OF = {name: trade for trade in TRADES for name in trade.classes}


class Task(NamedTuple):
    """One row: an element, its storey and trade, planned and actual days; None where nothing is reported."""

    guid: str
    storey: str
    trade: str
    start: date
    finish: date
    began: date | None
    done: date | None


def write(model: Path, path: Path) -> None:
    """Write the schedule of a model as a table (CSV, UTF-8 with its mark)."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for task in tasks_of(model):
            days = (task.start, task.finish, task.began, task.done)
            rows.writerow(
                [task.guid, task.storey, task.trade, *("" if day is None else day.isoformat() for day in days)]
            )


def tasks_of(model: Path) -> Iterator[Task]:
    """The tasks of all elements that a trade builds, storey by storey from below."""
    import ifcopenshell

    file = ifcopenshell.open(str(model))
    storeys = sorted(file.by_type("IfcBuildingStorey"), key=lambda one: one.Elevation)
    late = False
    for number, storey in enumerate(storeys):
        late = late or storey.Name == LATE_FROM
        built = [one for relation in storey.ContainsElements for one in relation.RelatedElements]
        parts = {
            str(one.GlobalId): TRADE_OF.get(whole.is_a(), SERVICES) for whole in built for one in _with_parts(whole)
        }
        for trade in TRADES:
            start = FIRST_DAY + timedelta(days=number * STOREY_DAYS + trade.begins)
            finish = start + timedelta(days=trade.days)
            began, done = _reported(start, finish, LATE_DAYS if late else 0)
            for guid in sorted(guid for guid, its in parts.items() if its is trade):
                yield Task(guid, str(storey.Name), trade.name, start, finish, began, done)


def _with_parts(whole: Any) -> list[Any]:
    """An element and what it is put together from: the flights of a stair."""
    return [whole, *(part for relation in whole.IsDecomposedBy for part in relation.RelatedObjects)]


def _reported(start: date, finish: date, late: int) -> tuple[date | None, date | None]:
    """The days as they were, as far as they are known."""
    began, done = (day + timedelta(days=late) for day in (start, finish))
    return (began if began <= REPORTED else None), (done if done <= REPORTED else None)
