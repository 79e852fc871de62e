"""What layers and columns of utility maps mean, by the names of Korean databases, of hydraulic models and in English.

The words lie in ``resources/utility/fields.json``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.model import Column
from geo.model.conventions import UTILITIES, UTILITY_NODES
from resources import load_json

Texts = NDArray[np.object_]
SEWER = "sewer"  # a sewer that does not say of which kind
FACILITY_IDS = ("ftridn", "관리번호", "시설물관리번호", "시설관리번호", "facilityid", "assetid")
UNIT_WORDS = {"mm": "mm", "cm": "cm", "m": "m", "in": "in", "inch": "in", "ft": "ft"}
LINE_ROLES = (
    *("id", "code", "utility", "use", "diameter", "wall", "width", "height", "cover", "cover_low", "cover_high"),
    *("cover_begin", "cover_end", "invert_begin", "invert_end", "material", "owner", "installed", "from", "to"),
    *("quality", "plan_error", "depth_error", "status", "road_width"),
)
NODE_ROLES = (
    *("id", "code", "utility", "use", "diameter", "material", "owner", "installed", "quality", "status"),
    *("node", "ground", "invert", "depth", "plan_error", "depth_error"),
)
MAPPABLE = (
    *("id", "utility", "diameter", "width", "height", "wall", "cover", "cover_low", "cover_high", "cover_begin"),
    *(
        "cover_end",
        "invert_begin",
        "invert_end",
        "material",
        "owner",
        "installed",
        "from",
        "to",
        "quality",
        "road_width",
    ),
    *("node", "ground", "invert", "depth"),
)


@dataclass(frozen=True)
class Recognised:
    """What a layer was taken for: a utility (or `SEWER`, or ``""`` where only that it is one), by what, by which."""

    utility: str
    by: str
    mark: str
    node: str = ""


@cache
def words() -> Mapping[str, Any]:
    """The table of names."""
    table: Mapping[str, Any] = load_json("utility/fields.json")
    return table


def plain(name: str) -> str:
    """A name as it is compared: no case, spaces, signs or underscores."""
    return re.sub(r"[\s_.:\-()\[\]]", "", name.strip().lower())


def recognised(layer: str, file: str, columns: Iterable[str], flat: str) -> Recognised | None:
    """Whether a layer shows a utility network, by database code, name or columns. `flat` is area, line or point."""
    if flat not in ("line", "point"):
        return None
    found = _by_code(layer, file) or _by_name(layer, file, flat)
    if found is None or found.utility:
        return found
    hinted = _by_columns({plain(name) for name in columns})
    if not hinted and found.node == "junction":
        return None  # of roads, as likely
    return Recognised(hinted, found.by, found.mark, found.node)


def _by_code(layer: str, file: str) -> Recognised | None:
    for text in (layer, file):
        low = text.lower()
        for entry in words()["layers"]:
            if re.search(rf"(^|[^a-z]){entry['pattern']}", low):
                return Recognised(entry["utility"], "code", text, _node_of_code(low))
    return None


def _node_of_code(low: str) -> str:
    if "_ps" not in low:
        return ""
    entries = words()["node_layers"]
    return next((entry["node"] for entry in entries if re.search(entry["pattern"], low)), "other")


def _by_name(layer: str, file: str, flat: str) -> Recognised | None:
    generic = words()["generic"] if flat == "line" else words()["generic_nodes"]
    for text in (layer, file):
        low = text.lower()
        if any(word in low for word in words()["not_names"]):
            continue
        utility = kind_in(low)
        node = node_in(low) if flat == "point" else ""
        utility = utility or ("water" if node == "hydrant" else "")
        if utility and (node or flat == "line"):  # a point called "gas" may be a shop
            return Recognised(utility, "name", text, node)
        if any(_is_word(low, word) for word in generic):
            return Recognised("", "name", text, node)
    return None


def _is_word(low: str, word: str) -> bool:
    """Whether a word is in a name; one of Latin letters only by itself ("pipes", not "pipeline road")."""
    if word.isascii():
        return re.search(rf"(^|[^a-z]){word}s?([^a-z]|$)", low) is not None
    return word in low


def kind_in(text: str) -> str:
    """The utility that a name tells of, ``""`` for none."""
    low = text.lower().replace("-", "_")
    if low in (*UTILITIES, SEWER) and low != "water":
        return low
    return next((kind for kind, marks in words()["names"].items() if any(mark in low for mark in marks)), "")


def node_in(text: str) -> str:
    """The sort of node that a name tells of, ``""`` for none."""
    low = text.lower()
    if low in UTILITY_NODES:
        return low
    named = next((kind for kind, marks in words()["node_names"].items() if any(mark in low for mark in marks)), "")
    found = None if named else _by_code(low, "")
    return found.node if found else named


def _by_columns(names: set[str]) -> str:
    return next((kind for kind, marks in words()["column_hints"].items() if names.intersection(marks)), "")


# --- columns


@dataclass(frozen=True)
class Found:
    """A column that plays a role, and the unit its name says (``""`` for none)."""

    name: str
    unit: str = ""


def roles_of(columns: Iterable[str], roles: Sequence[str], said: Mapping[str, str]) -> dict[str, Found]:
    """Which column plays which role: the one the user named, else the first known name. None plays two.

    Parameters
    ----------
    said : mapping
        Role -> column, as the user says; a column that is not there is left to the caller to complain about.
    """
    names = list(columns)
    low = {name.lower(): name for name in reversed(names)}
    smooth = {_without_unit(name)[0]: name for name in reversed(names)}
    found: dict[str, Found] = {}
    for role in roles:
        wish = said.get(role, "")
        if wish:
            name = low.get(wish.lower()) or smooth.get(plain(wish), "")
            if name:
                found[role] = Found(name, _without_unit(name)[1])
            continue
        taken = {item.name for item in found.values()}
        for entry in words()["fields"][role]:
            word, _, unit = entry.partition(":")
            name = low.get(word) or smooth.get(plain(word), "")
            if name and name not in taken:
                found[role] = Found(name, _without_unit(name)[1] or unit)
                break
    return found


def _without_unit(name: str) -> tuple[str, str]:
    """A column name without the unit in brackets behind it, and that unit."""
    match = re.fullmatch(r"(.+?)\s*[(\[]\s*(mm|cm|m|in|inch|ft)\s*[)\]]", name.strip(), re.IGNORECASE)
    return (plain(match[1]), UNIT_WORDS[match[2].lower()]) if match else (plain(name), "")


def is_facility_id(name: str) -> bool:
    """Whether a column is called the id of a facility (관리번호), not just "id" or "name"."""
    return plain(name) in FACILITY_IDS


def texts_of(column: Column) -> Texts:
    """A column as text (n,), None where empty; whole numbers without ``.0``."""
    values = column.values
    if values.dtype.kind == "f":
        out = np.full(len(values), None, dtype=object)
        known = np.isfinite(values)
        whole = bool((values[known] == np.round(values[known])).all())
        out[known] = (values[known].astype(np.int64) if whole else values[known]).astype(str)
        return out
    if values.dtype.kind in "iub":
        return np.asarray(values.astype(str), dtype=object)
    return np.asarray(values, dtype=object)


def by_unique(texts: Texts, function: Any, dtype: type = object) -> NDArray[Any]:
    """`function` of each text, called once for each different one."""
    import pandas as pd

    codes, unique = pd.factorize(texts, use_na_sentinel=False)
    results = np.empty(len(unique), dtype=dtype)
    for number, text in enumerate(unique.tolist()):
        results[number] = function(text if isinstance(text, str) else None)
    return results[codes] if len(unique) else np.empty(0, dtype=dtype)


def utilities_of(columns: Mapping[str, Column], roles: Mapping[str, Found], usual: str) -> Texts:
    """The utility of each element (n,): by its own column, the use of its sewer, its code, else `usual`."""
    count = len(next(iter(columns.values())).values) if columns else 0
    out = np.full(count, usual or "other", dtype=object)
    if "code" in roles:
        table = words()["codes"]
        said = by_unique(texts_of(columns[roles["code"].name]), lambda text: table.get((text or "")[:2].upper(), ""))
        if not usual:
            out = np.where(said != "", said, out)
    if "utility" in roles:
        said = by_unique(texts_of(columns[roles["utility"].name]), _said_kind)
        out = np.where(said != "", said, out)
    if "use" in roles:
        said = by_unique(texts_of(columns[roles["use"].name]), _use_of)
        out = np.where((said != "") & np.isin(out, (SEWER, "sewage", "storm", "combined", "other")), said, out)
    return out


def _said_kind(text: str | None) -> str:
    if not text:
        return ""
    low = text.strip().lower()
    if low in UTILITIES:
        return low
    found = recognised(low, "", (), "line") or recognised(low, "", (), "point")
    return found.utility if found else ""


def _use_of(text: str | None) -> str:
    low = (text or "").lower()
    return next((kind for kind, marks in words()["uses"].items() if any(mark in low for mark in marks)), "")


def material_of(text: str | None) -> str | None:
    """A material in English where its name is known, else as it is."""
    if not text or not text.strip():
        return None
    low = text.strip().lower()
    for name, marks in words()["materials"].items():
        if low == name.lower() or any(low == mark or (len(mark) > 2 and mark in low) for mark in marks):
            return str(name)
    return text.strip()


def date_of(text: str | None) -> str | None:
    """A date as yyyy, yyyy-mm or yyyy-mm-dd; None for none (``19000101``, ``0``), other text as it is.

    Examples
    --------
    >>> [date_of(text) for text in ("20120305", "2012.3.5", "2012", "201203", "19000101", "2012-03-05T00:00:00")]
    ['2012-03-05', '2012-03-05', '2012', '2012-03', None, '2012-03-05']
    """
    if not text or not text.strip():
        return None
    stripped = text.strip()
    match = re.match(r"(\d{4})(?:[.\-/년 ]*(\d{1,2}))?(?:[.\-/월 ]*(\d{1,2}))?", stripped)
    if re.fullmatch(r"\d{8}", stripped):
        match = re.match(r"(\d{4})(\d{2})(\d{2})", stripped)
    elif re.fullmatch(r"\d{6}", stripped):
        match = re.match(r"(\d{4})(\d{2})()", stripped)
    if match is None:
        return stripped if re.search(r"[1-9]", stripped) else None
    year, month, day = match[1], match[2] or "", match[3] or ""
    if year in ("0000", "9999") or (year, month.zfill(2), day.zfill(2)) == ("1900", "01", "01"):
        return None
    pieces = [year]
    if month and 1 <= int(month) <= 12:
        pieces.append(month.zfill(2))
        if day and 1 <= int(day) <= 31:
            pieces.append(day.zfill(2))
    return "-".join(pieces)


def quality_of(text: str | None) -> str:
    """Depth quality that a survey column says: measured, register or assumed; ``""`` for nothing."""
    low = (text or "").strip().lower()
    if low in ("measured", "register", "assumed"):
        return low
    if any(low == word or (len(word) > 1 and word in low) for word in words()["not_measured_words"]):
        return "register"
    return "measured" if any(low == word or (len(word) > 1 and word in low) for word in
                             words()["measured_words"]) else ""  # fmt: skip
