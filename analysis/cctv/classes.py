"""Picture quality classes by pixel density, in the editions of IEC 62676-4 that the program knows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resources import load_json

DATA = "cctv/classes.json"


@dataclass(frozen=True)
class QualityClass:
    """One class: at least so many pixels per metre at the target."""

    id: str
    px_per_m: float
    verified: bool = True


@dataclass(frozen=True)
class Edition:
    """Classes of one edition, the least demanding first."""

    id: str
    year: int
    title: str
    classes: tuple[QualityClass, ...]
    source: str
    verified: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Ids of the classes, ascending."""
        return tuple(one.id for one in self.classes)

    @property
    def limits(self) -> NDArray[np.float64]:
        """(c,) least densities [px/m], ascending."""
        return np.array([one.px_per_m for one in self.classes])

    def number(self, name: str) -> int:
        """Place of a class; raises KeyError for one of another edition."""
        try:
            return self.names.index(name)
        except ValueError:
            raise KeyError(name) from None

    def classify(self, density: NDArray[np.floating[Any]]) -> NDArray[np.int8]:
        """(n,) the best class that each density [px/m] reaches; -1 for none (and for not-a-number).

        A density counts as reached to within the float32 in which it is kept.
        """
        limits = self.limits.astype(np.float32)
        found = np.searchsorted(limits, np.asarray(density, dtype=np.float32), side="right") - 1
        return np.where(np.isfinite(density), found, -1).astype(np.int8)


@cache
def editions() -> dict[str, Edition]:
    """The editions by id, the oldest first."""
    return {row["id"]: _edition(row) for row in load_json(DATA)["editions"]}


def default_edition() -> str:
    """Id of the edition taken when nothing is said."""
    return str(load_json(DATA)["default"])


def asked_class(edition: Edition, kind: str) -> int:
    """Place of the class asked for of a kind of target where nothing else is said."""
    return edition.number(str(load_json(DATA)["asked"][edition.id][kind]))


def figure(group: str, name: str) -> float:
    """One of the other figures of the data file, such as ``figure("angles", "face_tilt")`` [deg]."""
    return float(load_json(DATA)[group][name]["value"])


def _edition(row: dict[str, Any]) -> Edition:
    classes = tuple(QualityClass(one["id"], float(one["px_per_m"]), bool(one["verified"])) for one in row["classes"])
    return Edition(row["id"], int(row["year"]), row["title"], classes, row["source"], bool(row["verified"]))
