"""Columns of a CSV joined to the features of a GIS file while it is read: the building register to its footprints."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geo import crs as coordinates
from geo import joins
from geo.formats.csv_table import CsvTable, places
from geo.formats.register import Joined, absent, id_columns, joined_register, read_register
from geo.formats.vector_source import Features
from geo.model import Column, ElementTable, Frame, Issue, UserError

Rows = NDArray[np.int64]
BY_ROW, BY_CENTROID = "row", "centroid"
NEAR = 1.0  # [m] between the point of a row and the centroid of an outline, for the two to be the same thing


def join_file(join: str, path: Path) -> Path:
    """The table that is joined: beside the GIS file unless the name says a folder."""
    given = Path(join).expanduser()
    return given if given.is_absolute() else path.parent / given


def joined_utilities(
    features: Features, path: Path, *, join: str, by: str, column: str, frame: Frame, boxed: bool
) -> Joined:
    """Features of a utility map with the columns of their register, by the ids that both are known to have.

    Where these do not fit the columns are compared as for any other layer. Parameters as of `joined`.
    """
    file = join_file(join, path)
    if not file.is_file():
        raise absent(file)
    if by not in (BY_ROW, BY_CENTROID):
        table = read_register(file)
        keys = id_columns(features, table, by, column)
        found = joined_register(features, table, file, keys=keys, frame=frame) if keys else None
        if found is not None:
            return found
    again = joined(features, path, join=join, by=by, column=column, frame=frame, boxed=boxed)
    return Joined(again, ElementTable(()))


def joined(features: Features, path: Path, *, join: str, by: str, column: str, frame: Frame, boxed: bool) -> Features:
    """Features with the columns of the table `join`.

    Parameters
    ----------
    by : str
        ``"row"`` (same order), ``"centroid"`` (x and y of the rows), a column of the features, or ``""``: found by
        comparing all columns, and said.
    column : str
        Column of the table to compare with; ``""`` = of the same name, or found.
    boxed : bool
        Only a part of the file was read, so that its order tells nothing.
    """
    file = join_file(join, path)
    if not file.is_file():
        raise absent(file)
    table = read_register(file)
    duplicates, without = 0, ""
    if by == BY_ROW:
        rows, label = _by_row(features, table, file, boxed), BY_ROW
        unused = 0
    elif by == BY_CENTROID:
        rows, duplicates, unused = _by_centroid(features, table, file, frame)
        label = BY_CENTROID
    else:
        keys, notes = _keys(features, table, file, by, column)
        report_rows = joins.key_texts(_values(table.columns, keys.table))
        elements = ElementTable(features.ids, features.columns)
        rows, duplicates = joins.matched_rows(joins.key_column(elements, keys.layer), report_rows)
        unused = joins.report_of(rows, report_rows, duplicates, keys.layer, keys.table).unused
        label, without = f"{keys.layer} = {keys.table}", keys.table
        features = dataclasses.replace(features, issues=(*features.issues, *notes))
    new = joins.taken_columns(features.columns, table.columns, rows, without=without)
    issues = (*features.issues, *table.issues, *_issues(features, rows, file, label, duplicates, unused))
    return dataclasses.replace(features, columns={**features.columns, **new}, issues=issues)


def _values(columns: Mapping[str, Column], name: str) -> NDArray[np.generic]:
    if name not in columns:
        raise joins.no_such_key(name, list(columns))
    return columns[name].values


def _keys(features: Features, table: CsvTable, file: Path, by: str, column: str) -> tuple[joins.Keys, list[Issue]]:
    """The key columns: as said, else found and then said."""
    if by and (column or by in table.columns):
        return joins.Keys(by, column or by, 1.0), []
    elements = ElementTable(features.ids, {by: features.columns[by]} if by in features.columns else features.columns)
    if by and by not in features.columns:
        raise joins.no_such_key(by, list(features.columns))
    offered = {column: table.columns[column]} if column in table.columns else table.columns
    if column and column not in table.columns:
        raise joins.no_such_key(column, list(table.columns))
    keys = joins.guess_keys(elements, offered)
    if keys is None:
        raise UserError(
            f"{file.name} has no column that fits the features.",
            "Too few values of any two columns are the same.",
            "Name the columns (join_key and join_column), or join by 'row' or 'centroid'.",
            code="join.no_key",
            values={"name": file.name},
        )
    message = f"{file.name} was joined by {keys.layer} = {keys.table}: {keys.share:.0%} found a row of their own."
    values = {"name": file.name, "layer": keys.layer, "table": keys.table, "percent": round(100 * keys.share)}
    return keys, [Issue("join.key_found", message, "note" if keys.are_known else "doubt", values=values)]


def _by_row(features: Features, table: CsvTable, file: Path, boxed: bool) -> Rows:
    if not boxed and table.rows == len(features.ids):
        return np.arange(table.rows)
    raise UserError(
        f"{file.name} cannot be joined row by row.",
        "Only a part of the features was read." if boxed else
        f"It has {table.rows} rows, and there are {len(features.ids)} features.",
        "Join by a column that both have, or by 'centroid'.",
        code="join.rows_differ",
        values={"name": file.name, "rows": table.rows, "features": len(features.ids)},
    )  # fmt: skip


def _by_centroid(features: Features, table: CsvTable, file: Path, frame: Frame) -> tuple[Rows, int, int]:
    """The row whose point is the centroid (within `NEAR`), else the one point inside the outline."""
    import shapely

    found = places(table)
    if found is None:
        raise UserError(
            f"{file.name} does not say where its rows lie.",
            "To join by centroid it needs columns such as x and y, or longitude and latitude.",
            "Join by a column that both have.",
            code="join.no_places",
            values={"name": file.name},
        )
    known = np.flatnonzero(np.isfinite(found.points[:, :2]).all(axis=1))
    points = np.nan_to_num(found.points[known])
    local = coordinates.to_local(points, found.crs or features.crs, frame)[:, :2]
    usable = np.isfinite(local).all(axis=1)
    known, local = known[usable], local[usable]
    rows = np.full(len(features.ids), -1, dtype=np.int64)
    if len(known) == 0:
        return rows, 0, 0
    tree = shapely.STRtree(shapely.points(local))
    drawn = np.flatnonzero(~shapely.is_missing(features.shapes))
    centre = shapely.centroid(features.shapes[drawn])
    outline, point = tree.query_nearest(centre, max_distance=NEAR, all_matches=False)
    rows[drawn[outline]] = known[point]
    rest = drawn[rows[drawn] < 0]
    inside, point = tree.query(features.shapes[rest], predicate="intersects")
    free = ~np.isin(known[point], rows)
    inside, point = inside[free], point[free]
    owner, first, count = np.unique(inside, return_index=True, return_counts=True)
    rows[rest[owner]] = known[point[first]]
    duplicates = int((count - 1).sum())
    return rows, duplicates, table.rows - len(np.unique(rows[rows >= 0])) - duplicates


def _issues(features: Features, rows: Rows, file: Path, label: str, duplicates: int, unused: int) -> list[Issue]:
    matched, without = int((rows >= 0).sum()), np.flatnonzero(rows < 0)
    message = f"{matched} of {len(rows)} features found a row in {file.name} ({label}); {unused} rows are left."
    values: dict[str, object] = {
        "name": file.name, "by": label, "matched": matched, "all": len(rows), "unused": unused
    }  # fmt: skip
    issues = [Issue("join.matched", message, "note", count=matched, values=values)]
    if len(without):
        message = f"{len(without)} features found no row in {file.name}; its columns are empty for them."
        named = tuple(str(i) for i in features.ids[without[:50]])
        issues.append(Issue("join.unmatched", message, "doubt", len(without), named, {"name": file.name}))
    if duplicates:
        message = f"{duplicates} rows of {file.name} have the key of an earlier one; the first was taken."
        issues.append(Issue("join.duplicates", message, "doubt", count=duplicates, values={"name": file.name}))
    return issues
