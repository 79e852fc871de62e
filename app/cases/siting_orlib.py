"""Headless. Set covering problems of the OR-Library: one file, or a folder of them.

The optimal costs of the known problems are those of J. E. Beasley (1987, 1990) and T. Grossman and A. Wool (1997); a
file whose name is not among them is solved and its cost and proven bound are printed.

References
----------
J. E. Beasley: OR-Library: distributing test problems by electronic mail. Journal of the Operational Research Society
41(11), 1990. doi:10.1057/jors.1990.166
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.cases.contract import Case, CaseResult, Limit, at_least, at_most
from geo.model import Feedback, UserError

LARGEST = 8_000_000  # [bytes]: the largest of these problems have 2.6 MB
MOST_COLUMNS = 200_000
SECONDS = 60.0
# Optimal costs of Beasley (1987) and of Grossman and Wool (1997); those of `PROVEN` are proven again within seconds.
KNOWN = {
    "scp41": 429, "scp42": 512, "scp43": 516, "scp44": 494, "scp45": 512, "scp46": 560, "scp47": 430, "scp48": 492,
    "scp49": 641, "scp410": 514, "scp51": 253, "scp52": 302, "scp53": 226, "scp54": 242, "scp55": 211, "scp56": 213,
    "scp57": 293, "scp58": 288, "scp59": 279, "scp510": 265, "scp61": 138, "scp62": 146, "scp63": 145, "scp64": 131,
    "scp65": 161, "scpa1": 253, "scpa2": 252, "scpa3": 232, "scpa4": 234, "scpa5": 236, "scpe1": 5, "scpclr10": 25,
}  # fmt: skip
PROVEN = ("scp41", "scp42", "scp45", "scp51", "scp61", "scpa1", "scpe1")
NOTES = (
    "cost: the cheapest cover found. bound: no cover is cheaper, proven by HiGHS. gap_percent: between the two.",
    "Problems without a known optimum have no limit; their cost and bound are printed.",
)


def recognise(path: Path) -> bool:
    """Whether it is a set covering file, or a folder with some."""
    if path.is_dir():
        return any(_looks_like(file) for file in _files(path))
    return path.is_file() and _looks_like(path)


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.glob("scp*") if file.is_file())


def _looks_like(file: Path) -> bool:
    """Whether the first words are numbers of rows and columns and whole, positive costs."""
    try:
        if not 0 < file.stat().st_size <= LARGEST:
            return False
        with file.open("rb") as stream:
            head = stream.read(4096)
        words = head.split()
        if len(words) < 4 or not all(word.isdigit() for word in words[:-1]):
            return False
        rows, columns = int(words[0]), int(words[1])
    except (OSError, ValueError):
        return False
    whole = rows > 0 and 0 < columns <= MOST_COLUMNS
    lines = head.split(b"\n")[0].split()
    return whole and len(lines) == 2


def run(path: Path, feedback: Feedback) -> CaseResult:
    """Solve each problem."""
    files = [file for file in _files(path) if _looks_like(file)] if path.is_dir() else [path]
    metrics: dict[str, float] = {}
    limits: dict[str, Limit] = {}
    for number, file in enumerate(files):
        part = feedback.part(number / len(files), (number + 1) / len(files))
        name = file.name.split(".")[0]
        cost, bound, unit = _solved(file, part)
        metrics |= {f"{name}_cost": cost, f"{name}_bound": bound}
        metrics[f"{name}_gap_percent"] = 100.0 * max(0.0, 1.0 - bound / cost) if cost else 0.0
        if name in KNOWN:
            limits[f"{name}_cost"] = at_most(KNOWN[name])
            if name in PROVEN:
                limits[f"{name}_bound"] = at_least(KNOWN[name])
        metrics[f"{name}_unit_costs"] = float(unit)
    feedback.step(1.0, "scored")
    return CaseResult("covering", metrics, limits, NOTES)


def _solved(file: Path, feedback: Feedback) -> tuple[float, float, bool]:
    from analysis.siting.cover import solve_cover, unseen
    from analysis.siting.matrix import columns_of

    cost, lists = read(file)
    columns = columns_of(lists[0], lists[1], cost=cost)
    if len(unseen(columns)):
        raise _damaged(f"{file.name}: {len(unseen(columns))} rows are in no column")
    plan = solve_cover(columns, seconds=SECONDS, feedback=feedback)
    if plan.value != columns.targets:
        raise _damaged(f"{file.name}: no cover was found in {SECONDS:g} s")
    return plan.cost, plan.cost_bound, bool((cost == 1).all())


def read(file: Path) -> tuple[np.ndarray, tuple[list[np.ndarray], int]]:
    """Costs (n,) and, for each column, the rows it covers; and the number of rows.

    Most files list the columns of each row; those of railways list cost and rows of each column.
    """
    try:
        words = np.array(file.read_bytes().split(), dtype=np.int64)
    except (OSError, ValueError, OverflowError) as error:
        raise _damaged(f"{file.name}: {str(error)[:100]}") from error
    if len(words) < 2 or not (0 < words[1] <= MOST_COLUMNS and 0 < words[0] <= len(words)):
        raise _damaged(f"{file.name} does not begin with its numbers of rows and columns")
    rows, count = int(words[0]), int(words[1])
    found = _by_row(words, rows, count)
    if isinstance(found, str):
        by_column = _by_column(words, rows, count)
        if by_column is None:
            raise _damaged(f"{file.name} {found}")
        found = by_column
    return found[0], (found[1], rows)


_Lists = tuple[np.ndarray, list[np.ndarray]]


def _by_row(words: np.ndarray, rows: int, count: int) -> _Lists | str:
    """Costs, then the columns of each row; what is wrong where the file is not so."""
    cost, at = words[2 : 2 + count].astype(np.float64), 2 + count
    if len(cost) != count or (cost < 0).any():
        return "ends within its costs, or has negative ones"
    members: list[list[int]] = [[] for _ in range(count)]
    for row in range(rows):
        if at >= len(words):
            return f"ends at row {row + 1} of {rows}"
        size = int(words[at])
        own = words[at + 1 : at + 1 + size]
        if size < 0 or len(own) != size or (size and not 1 <= own.min() <= own.max() <= count):
            return f"has a row {row + 1} that names columns which are not there"
        for column in own.tolist():
            members[column - 1].append(row)
        at += 1 + size
    if at != len(words):
        return "goes on after its last row"
    return cost, [np.array(own, dtype=np.int64) for own in members]


def _by_column(words: np.ndarray, rows: int, count: int) -> _Lists | None:
    """Cost and rows of each column; None where the file is not so."""
    cost, members, at = np.zeros(count), [], 2
    for column in range(count):
        if at + 1 >= len(words):
            return None
        size = int(words[at + 1])
        own = words[at + 2 : at + 2 + size]
        if words[at] < 0 or size < 0 or len(own) != size or (size and not 1 <= own.min() <= own.max() <= rows):
            return None
        cost[column] = words[at]
        members.append(own - 1)
        at += 2 + size
    return (cost, members) if at == len(words) else None


def _damaged(why: str) -> UserError:
    return UserError(
        "The set covering problem cannot be used.",
        f"Something is wrong with the file: {why}.",
        "Fetch the file again.",
        code="case.orlib_damaged",
        values={"why": why},
    )


CASE = Case("covering.orlib", "Set covering problems of the OR-Library (file or folder)", recognise, run)
