"""Features of a utility map while they are understood: ids, which column plays which role, and what all layers say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geo import utility_depth, utility_fields
from geo.formats.vector_parts import Context
from geo.formats.vector_source import Features
from geo.model import Column, Issue, UserError
from geo.model import conventions as words
from geo.utility_depth import NAMED, Sizes, read_sizes
from geo.utility_fields import Found, Recognised

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]


@dataclass
class Reading:
    """Features of a utility layer while they are understood: their ids, roles of columns, and doubts."""

    features: Features
    context: Context
    roles: dict[str, Found]
    ids: Texts
    issues: list[Issue] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Elements."""
        return len(self.ids)

    def column(self, role: str) -> Column | None:
        """The column that plays a role."""
        found = self.roles.get(role)
        return self.features.columns[found.name] if found else None

    def doubt(self, case: str, which: Flags, message: str, severity: str = "doubt", **values: object) -> None:
        """Add an issue about some elements, if there are any."""
        rows = np.flatnonzero(which)
        if len(rows):
            named = tuple(str(i) for i in self.ids[rows[:NAMED]])
            text = f"{len(rows)} {message}"
            self.issues.append(Issue(f"utility.{case}", text, severity, len(rows), named, values))  # type: ignore[arg-type]

    def note(self, case: str, message: str, severity: str = "note", **values: object) -> None:
        """Add an issue about the layer."""
        self.issues.append(Issue(f"utility.{case}", message, severity, values=values))  # type: ignore[arg-type]

    def sizes(self, role: str, what: str, unit: str) -> Floats | None:
        """A column of sizes in metres; None where no column plays the role. `unit` is what the user says."""
        return None if (found := self.read_role(role, what, unit)) is None else found.values

    def read_role(self, role: str, what: str, unit: str) -> Sizes | None:
        """A column of sizes with what was done to it."""
        column = self.column(role)
        if column is None:
            return None
        found = self.roles[role]
        said = "" if unit == "auto" else unit
        sizes = read_sizes(column, what, ids=self.ids, name=found.name, unit=found.unit, said=said)
        self.issues += sizes.issues
        return sizes

    def texts(self, role: str) -> Texts | None:
        """A column as text."""
        column = self.column(role)
        return None if column is None else utility_fields.texts_of(column)


def reading_of(features: Features, context: Context, roles: tuple[str, ...]) -> Reading:
    """Which column plays which role, and unique ids."""
    said = {role: name for role, name in context.own.mapping.items() if role in roles}
    found = utility_fields.roles_of(features.columns, roles, said)
    for role, name in said.items():
        if role not in found:
            raise _no_column(name, role, list(features.columns))
    reading = Reading(features, context, found, features.ids)
    if "id" in found:
        texts = utility_fields.texts_of(features.columns[found["id"].name])
        if "id" in said or utility_fields.is_facility_id(found["id"].name) or _tell_apart(texts):
            reading.ids = _unique_ids(reading, texts)
    return reading


def _tell_apart(texts: Texts) -> bool:
    """Whether texts can be ids: all there and different. A column called "name" need not be one."""
    import pandas as pd

    return not pd.isna(texts).any() and not pd.Series(texts).duplicated().any()


def _unique_ids(reading: Reading, texts: Texts) -> Texts:
    """Ids of the file; a later one of the same id gets ``#2``, one without gets its place in the file."""
    import pandas as pd

    ids = np.array([None if text is None else str(text).strip() or None for text in texts.tolist()], dtype=object)
    missing = pd.isna(ids)
    if missing.all():
        return reading.features.ids
    ids[missing] = [f"row-{fid}" for fid in reading.features.ids[missing]]
    again = pd.Series(ids).groupby(ids, sort=False).cumcount().to_numpy()
    rows = np.flatnonzero(again)
    if len(rows):
        named = ids[rows].copy()
        ids[rows] = [f"{ids[row]}#{again[row] + 1}" for row in rows]
        message = f"{len(rows)} have the id of an earlier one; they are called id#2 and so on."
        listed = tuple(dict.fromkeys(str(i) for i in named[:NAMED]))
        reading.issues.append(Issue("utility.duplicate_ids", message, "doubt", len(rows), listed))
    reading.ids = ids
    reading.doubt("no_id", missing, "have no id; they are called by their row.", "note")
    return ids


def _no_column(name: str, role: str, names: list[str]) -> UserError:
    shown = ", ".join(names[:40])
    return UserError(
        f"There is no column '{name}' for {role.replace('_', ' ')}.",
        f"The columns are: {shown}.",
        "Name one of these.",
        code="utility.no_column",
        values={"column": name, "role": role, "columns": shown},
    )


def utility_of(reading: Reading, found: Recognised | None) -> Texts:
    """The utility of each element; the user's word wins."""
    said = reading.context.own.utility
    if said != "auto":
        return np.full(reading.count, said, dtype=object)
    usual = found.utility if found else ""
    utility = utility_fields.utilities_of(reading.features.columns, reading.roles, usual)
    if len(utility) != reading.count:
        utility = np.full(reading.count, usual or "other", dtype=object)
    unsure = utility == utility_fields.SEWER
    reading.doubt("sewer_kind", unsure, "sewers do not say whether they carry rain or waste water; taken as sewage.")
    reading.doubt("kind_unknown", utility == "other", "do not say what they carry; name it with --set utility=...")
    return np.where(unsure, "sewage", utility)


def quality_columns(reading: Reading, known: Flags, repaired: Flags) -> dict[str, Column]:
    """How far a depth can be trusted, with the uncertainties in plan and depth."""
    quality = np.where(known, "register", "assumed").astype(object)
    texts = reading.texts("quality")
    if texts is not None:
        said = utility_fields.by_unique(texts, utility_fields.quality_of)
        quality = np.where(known & (said != ""), said, quality)
    plan, depth = utility_depth.errors_of(quality, repaired)
    for role, values in (("plan_error", plan), ("depth_error", depth)):
        column = reading.column(role)
        if column is not None:
            own = utility_depth.heights_of(column)[0]
            values[:] = np.where(np.isfinite(own), own, values)
    return {
        words.DEPTH_QUALITY: Column(quality),
        words.PLAN_ERROR: Column(plan, "m"),
        words.DEPTH_ERROR: Column(depth, "m"),
    }


def descriptions(reading: Reading) -> dict[str, Column]:
    """Material, owner, date of laying, ends and status, where any element says them."""
    found: dict[str, Column] = {}
    for role, name, function in (
        ("material", words.MATERIAL, utility_fields.material_of),
        ("owner", words.OWNER, None),
        ("installed", words.INSTALLED, utility_fields.date_of),
        ("from", words.FROM_NODE, None),
        ("to", words.TO_NODE, None),
        ("status", words.STATUS, str.lower),
    ):
        texts = reading.texts(role)
        if texts is None:
            continue
        values = texts if function is None else utility_fields.by_unique(texts, _kept(function))
        if role in ("from", "to"):
            values = np.where(values == None, "", values)  # noqa: E711  (element by element)
        if any(value for value in values[:1000].tolist()) or any(values.tolist()):
            found[name] = Column(values)
    return found


def _kept(function: Callable[[str], str | None]) -> Callable[[str | None], str | None]:
    return lambda text: None if text is None else function(text)


def merged_columns(given: Mapping[str, Column], made: dict[str, Column]) -> dict[str, Column]:
    """Columns of the file, then ours; one of the file with the name but other values stays as ``<name> (as given)``."""
    out: dict[str, Column] = {}
    for name, column in given.items():
        mine = made.get(name)
        if mine is None:
            out[name] = column
        elif not _equal(column.values, mine.values):
            out[f"{name} (as given)"] = column
    return {**made, **out}


def _equal(a: NDArray[np.generic], b: NDArray[np.generic]) -> bool:
    if a.dtype.kind in "fiu" and b.dtype.kind in "fiu":
        return bool(np.allclose(a.astype(float), b.astype(float), rtol=0, atol=1e-9, equal_nan=True))
    if a.dtype.kind == "O" and b.dtype.kind == "O":
        return [value or None for value in a.tolist()] == [value or None for value in b.tolist()]
    return False
