"""City objects as a file has them, whatever its format, and what had to be left out of it and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.model import Issue

Floats = NDArray[np.float64]
Progress = Callable[[float, str], None]

MAX_IDS = 100
# Why an object was left out. The text ends up in an Issue of code ``city.dropped_<reason>``.
REASONS = {
    "bad_object": "not an object with a type",
    "bad_line": "a line that is not a readable CityJSONFeature",
    "bad_geometry": "boundaries that are not lists of vertex numbers",
    "vertex_range": "a vertex number outside the list of vertices",
    "vertex_invalid": "a vertex that is not three finite numbers",
    "outside_crs": "coordinates outside what the coordinate system can describe",
    "no_area": "no surface with an area",
    "no_surfaces": "only points, lines or unknown geometry",
    "template": "a template that is missing or damaged",
    "duplicate_id": "an id that another object has already",
}


@dataclass(frozen=True)
class CityObject:
    """One CityObject as the file has it; its vertex numbers count from `first` and stay below `count`."""

    id: str
    type: str
    data: Mapping[str, Any]
    first: int
    count: int


class Dropped:
    """What was left out and why; `surfaces` counts those left out of objects that stay."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()
        self.ids: list[str] = []
        self.total = 0
        self.surfaces: dict[str, int] = {}

    def add(self, object_id: str, reason: str) -> None:
        """Note one object."""
        self.reasons[reason] += 1
        self.total += 1
        if len(self.ids) < MAX_IDS:
            self.ids.append(object_id)

    def issues(self) -> list[Issue]:
        """One issue with the number left out, and a note for each reason."""
        if not self.total:
            return []
        told = "; ".join(f"{count} x {REASONS[reason]}" for reason, count in self.reasons.most_common())
        first = Issue(
            code="city.dropped",
            message=f"Objects left out: {told}.",
            severity="error",
            count=self.total,
            elements=tuple(self.ids),
            values={"reasons": dict(self.reasons)},
        )
        notes = [
            Issue(code=f"city.dropped_{reason}", message=f"Left out for {REASONS[reason]}: {count}.", count=count)
            for reason, count in self.reasons.most_common()
        ]
        return [first, *notes]


@dataclass
class CityFile:
    """A file in memory: objects, vertices in the file's coordinate system, templates, doubts.

    Attributes
    ----------
    vertices : (n, 3) float64
        With the transform applied, unit of the CRS; not-a-number where the file has nonsense.
    translate : (3,) float64
        The translation that `vertices` contain.
    template_vertices : (k, 3) float64
    crs : str or None
        Text for pyproj; None if the file does not say.
    ignored : list of str
        Objects that have points, lines or unknown geometry beside what is used.
    roots : mapping
        Members of the root that extensions add; their names begin with a plus sign.
    """

    name: str
    version: str
    is_sequence: bool
    crs: str | None
    metadata: Mapping[str, Any]
    objects: list[CityObject] = field(default_factory=list)
    vertices: Floats = field(default_factory=lambda: np.zeros((0, 3)))
    translate: Floats = field(default_factory=lambda: np.zeros(3))
    templates: list[Any] = field(default_factory=list)
    template_vertices: Floats = field(default_factory=lambda: np.zeros((0, 3)))
    issues: list[Issue] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    dropped: Dropped = field(default_factory=Dropped)
    roots: Mapping[str, Any] = field(default_factory=dict)


_PLAIN = re.compile(r"EPSG:\d{4,6}(\+(EPSG:)?\d{4,6})?", re.IGNORECASE)
_EPSG = re.compile(r"EPSG(?:\.xml#|/[^/?&\s]*/|:[\d.]*:|:)(\d{4,6})", re.IGNORECASE)


def crs_text(metadata: Mapping[str, Any]) -> str | None:
    """The coordinate system metadata name, as text for pyproj; None if they name none.

    Understands ``urn:ogc:def:crs:EPSG::7415``, versioned and compound URNs, http(s) URLs of opengis.net (compound
    ones too), ``EPSG:7415``, the bare number, and ``{"epsg": 7415}`` of versions before 1.0.
    """
    value = metadata.get("referenceSystem")
    if value is None:
        value = metadata.get("crs")
    if isinstance(value, dict):
        value = value.get("epsg", value.get("href", value.get("code")))
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int) or (isinstance(value, str) and value.strip().isdigit()):
        return f"EPSG:{int(value)}"
    if not isinstance(value, str) or not value.strip():
        return None
    if _PLAIN.fullmatch(value.strip()):
        return value.strip().upper()
    codes = list(dict.fromkeys(_EPSG.findall(value)))
    # WKT names many codes of its parts; only short texts are references
    if codes and len(value) < 300 and "[" not in value:
        return "EPSG:" + "+".join(codes[:2])
    return value.strip()
