"""Light through the crowns of trees: what is dark only because of a crown still gets a share of the sun."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import Occluder, SunTime, sun_time
from analysis.sunlight.city import City
from analysis.sunlight.day import DaySun
from geo.model import Feedback, Layer, Mesh
from resources import load_json

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Words by which the attributes of a tree say that it keeps its leaves.
EVERGREEN = (
    *("evergreen", "needleleaved", "needle-leaved", "conifer", "상록", "침엽"),
    *("pinus", "abies", "picea", "cedrus", "juniperus", "taxus", "thuja", "chamaecyparis", "cryptomeria", "camellia"),
    *("소나무", "잣나무", "전나무", "향나무", "주목", "측백", "편백", "삼나무", "가문비", "동백", "사철"),
)
BARE_CONIFERS = ("metasequoia", "larix", "taxodium", "ginkgo", "메타세쿼이아", "낙엽송", "낙우송", "은행")


class Leaves(NamedTuple):
    """Shares of the sun (0..1) that crowns let through, and the first and last day of the year in leaf (north)."""

    in_leaf: float
    bare: float
    first: int
    last: int

    def through(self, day: date, *, southern: bool) -> float:
        """Share that a crown which sheds its leaves lets through on a day."""
        number = day.timetuple().tm_yday
        if southern:  # half a year later
            number = (number + 182) % 365 + 1
        return self.in_leaf if self.first <= number <= self.last else self.bare


class Screens(NamedTuple):
    """The obstacles: all; all but trees that shed their leaves; all but trees. The last two are the same sometimes."""

    everything: Occluder
    evergreen: Occluder
    solids: Occluder
    leaves: Leaves
    southern: bool

    def sun_time(self, points: Floats, day: DaySun, *, normals: Floats | None, feedback: Feedback) -> SunTime:
        """Hours of sun: in full where nothing blocks, a share where only crowns do. The longest run is of full sun."""
        traced = (self.everything, self.evergreen, self.solids)
        distinct = list(dict.fromkeys(traced))
        time = {}
        for number, occluder in enumerate(distinct):
            part = feedback.part(number / len(distinct), (number + 1) / len(distinct))
            time[occluder] = sun_time(occluder, points, day.towards_sun, day.weights, normals=normals, feedback=part)
        free, shed, kept = (time[occluder].total for occluder in traced)
        light = free + self.leaves.through(day.date, southern=self.southern) * (shed - free)
        light += self.leaves.in_leaf * (kept - shed)
        return SunTime(light, time[self.everything].longest, sum(t.rays for t in time.values()))


def leaves() -> Leaves:
    """The figures as the rules data of the program have them."""
    rules = load_json("rules/daylight.json")["trees"]
    first, last = rules["leaf_days"]["value"]
    return Leaves(float(rules["in_leaf"]["value"]), float(rules["bare"]["value"]), int(first), int(last))


def screens_of(city: City, *, southern: bool, feedback: Feedback) -> Screens:
    """The obstacles of a city sorted by what passes through them."""
    solids = [city.ground_mesh, *(mesh for layer, mesh in city.obstacles if layer.theme != "tree")]
    trees = [(layer, mesh) for layer, mesh in city.obstacles if layer.theme == "tree" and len(mesh.faces)]
    if not trees:
        return Screens(city.occluder, city.occluder, city.occluder, leaves(), southern)
    green = [part for part in (_evergreen_part(layer, mesh) for layer, mesh in trees) if len(part.faces)]
    without = Occluder(solids, city.occluder.centre, feedback.part(0.0, 0.5))
    partly = without if not green else Occluder([*solids, *green], city.occluder.centre, feedback.part(0.5, 1.0))
    return Screens(city.occluder, partly, without, leaves(), southern)


def _evergreen_part(layer: Layer, mesh: Mesh) -> Mesh:
    """The faces of the trees that keep their leaves."""
    keep = evergreen(layer)[mesh.face_element] if len(layer.table) else np.zeros(len(mesh.faces), dtype=bool)
    return Mesh(mesh.vertices, mesh.faces[keep], mesh.face_element[keep])


def evergreen(layer: Layer) -> Bools:
    """(e,) whether the attributes of each tree say that it keeps its leaves."""
    found = np.zeros(len(layer.table), dtype=bool)
    shed = np.zeros(len(layer.table), dtype=bool)
    for column in layer.table.columns.values():
        if column.values.dtype == object:
            found |= _says(column.values.tolist(), EVERGREEN)
            shed |= _says(column.values.tolist(), BARE_CONIFERS)
    return found & ~shed


def _says(values: Sequence[object], words: tuple[str, ...]) -> Bools:
    known: dict[object, bool] = {}
    for value in values:
        if value not in known:
            text = str(value or "").lower()
            known[value] = any(word in text for word in words)
    return np.array([known[value] for value in values], dtype=bool)
