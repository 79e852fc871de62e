"""Schedules as tables: when each element was to be built, and when it was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.model import ElementTable, Issue, Layer

Days = NDArray[np.datetime64]  # whole days, NaT where there is none
NONE = np.datetime64("NaT", "D")
# Names of columns as schedules have them, without spaces and signs, in lower case.
NAMES: dict[str, tuple[str, ...]] = {
    "element": ("guid", "globalid", "ifcguid", "elementid", "element", "요소", "부재", "부재번호", "객체", "객체번호"),
    "task": ("taskname", "task", "activity", "작업명", "작업", "공종", "공정"),
    "start": ("taskstart", "plannedstart", "start", "계획착수", "계획착수일", "착수예정일", "계획시작", "계획시작일"),
    "finish": ("taskfinish", "plannedfinish", "finish", "end", "계획완료", "계획완료일", "완료예정일", "계획종료일"),
    "began": ("actualstart", "실제착수", "실제착수일", "실착수일", "실제시작일"),
    "done": ("actualfinish", "실제완료", "실제완료일", "실완료일", "실제종료일"),
}
NEEDED = ("element", "start", "finish")
YEAR_FIRST = re.compile(r"(\d{4})[-./]?(\d{1,2})[-./]?(\d{1,2})(?:[T ].*)?\.?$")
YEAR_LAST = re.compile(r"(\d{1,2})[-./](\d{1,2})[-./](\d{4})(?:[T ].*)?$")


@dataclass(frozen=True, eq=False)
class Schedule:
    """Tasks, one row each; an element may have several.

    Attributes
    ----------
    element, task : (n,) object
        Id of the element, and what is done.
    start, finish, began, done : (n,) datetime64[D]
        As planned, and as it was; NaT where nothing is said.
    says_actual : bool
        Whether there is any word of what was really done.
    """

    element: NDArray[np.object_]
    task: NDArray[np.object_]
    start: Days
    finish: Days
    began: Days
    done: Days
    says_actual: bool


def columns_of(table: ElementTable) -> dict[str, str]:
    """Which column says what, by the names above."""
    plain = {re.sub(r"[\W_]+", "", key).casefold(): key for key in table.columns}
    found = {what: next((plain[name] for name in names if name in plain), "") for what, names in NAMES.items()}
    return {what: key for what, key in found.items() if key}


def is_schedule(layer: Layer) -> bool:
    """Whether a table has ids of elements with the days planned for them."""
    return set(NEEDED) <= set(columns_of(layer.table))


def read_schedule(layers: Iterable[Layer], issues: list[Issue]) -> Schedule:
    """The tasks of all tables that are schedules; doubts about their days go to `issues`."""
    parts: dict[str, list[NDArray[np.generic]]] = {what: [] for what in NAMES}
    says_actual = False
    for layer in layers:
        columns, count = columns_of(layer.table), len(layer.table)
        says_actual |= bool({"began", "done"} & set(columns))
        empty = np.full(count, "", dtype=object)
        texts = {what: _texts(layer.table.columns[key].values) for what, key in columns.items()}
        days = read_days([texts.get(what, empty) for what in ("start", "finish", "began", "done")], layer.name, issues)
        for what, values in zip(("start", "finish", "began", "done"), days, strict=True):
            parts[what].append(values)
        parts["element"].append(np.array([text.partition("#")[0] for text in texts["element"]], dtype=object))
        parts["task"].append(texts.get("task", empty))
    joined = {what: np.concatenate(values) for what, values in parts.items()}
    return Schedule(**joined, says_actual=says_actual)  # type: ignore[arg-type]


def _texts(values: NDArray[np.generic]) -> NDArray[np.object_]:
    numbers = values.dtype.kind == "f"
    return np.array(
        ["" if v is None or v != v else str(int(v)) if numbers else str(v).strip() for v in values.tolist()],
        dtype=object,
    )


def read_days(columns: Sequence[NDArray[np.object_]], name: str, issues: list[Issue]) -> list[Days]:
    """Days of texts: year-month-day in any of its forms, or day and month before the year.

    Which of the two comes first is told by a number above 12 anywhere in the table; where there is none the day is
    taken first and a doubt is left. What is no day is none, and counted.
    """
    found = [[YEAR_LAST.match(text) for text in column] for column in columns]
    numbers = [(int(m[1]), int(m[2])) for column in found for m in column if m]
    month_first = any(b > 12 for _, b in numbers) and not any(a > 12 for a, _ in numbers)
    if numbers and not month_first and not any(a > 12 for a, _ in numbers):
        text = f"The days of {name} may begin with the day or the month; the day was taken."
        issues.append(Issue("construction.day_order", text, "doubt", len(numbers), values={"layer": name}))
    days = [np.array([_day(text, month_first=month_first) for text in c], dtype="datetime64[D]") for c in columns]
    lost = sum(int(np.isnat(day).sum()) - sum(not text for text in c) for day, c in zip(days, columns, strict=True))
    if lost:
        text = f"{lost} entries of {name} are no days and were left out."
        issues.append(Issue("construction.no_day", text, "doubt", lost, values={"layer": name}))
    return days


def _day(text: str, *, month_first: bool) -> np.datetime64:
    first, last = YEAR_FIRST.match(text), YEAR_LAST.match(text)
    if first:
        year, month, day = int(first[1]), int(first[2]), int(first[3])
    elif last:
        year, month, day = int(last[3]), int(last[2]), int(last[1])
        month, day = (day, month) if month_first else (month, day)
    else:
        return NONE
    try:
        return np.datetime64(f"{year:04d}-{month:02d}-{day:02d}", "D")
    except ValueError:
        return NONE
