"""Headless. Sites that serve demands within a distance: a folder with a table as that of San Francisco in spopt.

The table has a row for each pair of a site and a place of demand: ``distance``, ``name`` (of the site),
``DestinationName``, ``demand``. Four problems are solved on it: fewest sites within 5,000 m of all, most demand within
5,000 m of four sites, least total distance and least greatest distance to four.

Reference
---------
X. Feng, G. Barcelos, J. D. Gaboardi et al.: spopt: a python package for solving spatial optimization problems in PySAL.
Journal of Open Source Software 7(74), 2022. doi:10.21105/joss.03330
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.cases.contract import Case, CaseResult, Limit, at_least, at_most
from geo.model import Feedback, UserError

Floats = NDArray[np.float64]

NEEDED = ("distance", "name", "DestinationName", "demand")
REACH, COUNT = 5_000.0, 4  # [m], sites
LARGEST = 50_000_000  # [bytes]
MOST_PAIRS = 200_000
SAN_FRANCISCO = (16, 205, 955_113)  # sites, tracts, people
LIMITS: dict[str, Limit] = {
    "cover_sites": {"min": 8.0, "max": 8.0},
    "coverage_value": {"min": 875_247.0, "max": 875_247.0},
    "coverage_bound": at_most(875_247),
    "median_distance": {"min": 2_848_268_129.70, "max": 2_848_268_129.72},
    "centre_distance": {"min": 7_403.055, "max": 7_403.065},
    "cover_bound": at_least(8),
}
NOTES = (
    f"Fewest sites within {REACH:g} m of all demands; most demand within {REACH:g} m of {COUNT} sites; least total of "
    f"demand times distance [m] and least greatest distance [m] for {COUNT} sites.",
    "Bounds are proven: coverage by column prices (PDHG) and HiGHS, the others by HiGHS.",
    "Limits hold for San Francisco's table (16 sites, 205 tracts); others are solved and printed.",
)


def recognise(path: Path) -> bool:
    """Whether it is such a table, or a folder with one."""
    return _table_in(path) is not None


def _table_in(path: Path) -> Path | None:
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    for file in files:
        try:
            with file.open("rb") as stream:
                head = stream.readline(2_000).decode("utf-8-sig", errors="strict")
        except (OSError, UnicodeDecodeError):
            continue
        columns = {word.strip().strip('"') for word in head.split(",")}
        if set(NEEDED) <= columns:
            return file
    return None


def run(path: Path, feedback: Feedback) -> CaseResult:
    """Solve the four problems."""
    from analysis.siting.cover import solve_cover, unseen
    from analysis.siting.matrix import columns_of, taken
    from analysis.siting.service import centre_sites, median_sites
    from analysis.siting.solve import solve_coverage

    file = _table_in(path)
    if file is None:
        raise _damaged(f"no table has the columns {', '.join(NEEDED)}")
    distance, demand = read(file)
    feedback.step(0.1, "covering all")
    columns = columns_of([np.flatnonzero(row <= REACH) for row in distance], len(demand))
    beyond = unseen(columns)
    cover = solve_cover(columns, feedback=feedback.part(0.1, 0.3))
    metrics = {"cover_sites": cover.cost, "cover_bound": cover.cost_bound, "cover_unreachable": float(len(beyond))}
    count = min(COUNT, len(distance))
    plan = solve_coverage(
        taken(columns, np.arange(len(columns))), demand, count=count, per_site=1, gap=0.0,
        feedback=feedback.part(0.3, 0.6),
    )  # fmt: skip
    metrics |= {"coverage_value": float(plan.value), "coverage_bound": float(plan.bound)}
    metrics["coverage_gap_percent"] = 100.0 * plan.gap
    median = median_sites(distance, demand.astype(np.float64), count, feedback=feedback.part(0.6, 0.8))
    metrics |= {"median_distance": median.value, "median_bound": median.bound}
    centre = centre_sites(distance, count, feedback=feedback.part(0.8, 1.0))
    metrics |= {"centre_distance": centre.value, "centre_bound": centre.bound}
    feedback.step(1.0, "scored")
    known = (len(distance), len(demand), int(demand.sum())) == SAN_FRANCISCO
    return CaseResult("covering", metrics, LIMITS if known else {}, NOTES)


def read(file: Path) -> tuple[Floats, NDArray[np.int64]]:
    """Distances (sites, demands) [m] and demands (demands,)."""
    if file.stat().st_size > LARGEST:
        raise _damaged(f"{file.name} is too large")
    sites: dict[str, int] = {}
    places: dict[str, int] = {}
    pairs: dict[tuple[int, int], float] = {}
    demand: dict[int, int] = {}
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            for row in csv.DictReader(lines):
                pair = (
                    sites.setdefault(row["name"], len(sites)),
                    places.setdefault(row["DestinationName"], len(places)),
                )
                pairs[pair] = float(row["distance"])
                amount = int(float(row["demand"]))
                if demand.setdefault(pair[1], amount) != amount:
                    raise _damaged(f"{row['DestinationName']} has two demands")
                if len(pairs) > MOST_PAIRS:
                    raise _damaged(f"{file.name} has more than {MOST_PAIRS} pairs")
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        raise _damaged(f"{file.name}: {str(error)[:100]}") from error
    if not pairs:
        raise _damaged(f"{file.name} is empty")
    if len(pairs) != len(sites) * len(places):
        raise _damaged(f"{file.name} lacks {len(sites) * len(places) - len(pairs)} pairs of sites and places")
    out = np.zeros((len(sites), len(places)))
    for (site, place), value in pairs.items():
        out[site, place] = value
    amounts = np.array([demand[k] for k in range(len(places))], dtype=np.int64)
    if not np.isfinite(out).all() or out.min() < 0 or amounts.min() < 0:
        raise _damaged(f"{file.name} has distances or demands that are no numbers or negative")
    return out, amounts


def _damaged(why: str) -> UserError:
    return UserError(
        "The table of sites and demands cannot be used.",
        f"Something is wrong with it: {why}.",
        "Fetch the folder again.",
        code="case.service_damaged",
        values={"why": why},
    )


CASE = Case("covering.service", "Sites within a distance of demands (folder, as San Francisco's)", recognise, run)
