"""What the studies of dust need of the district: traffic, a construction site, people, stations, a purifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Point, Polygon

from app.sample.layout import street_area
from app.sample.plan import Building, Plan, Street

Floats = NDArray[np.float64]

# kind of street: (vehicles a day from and to, mean weight of a vehicle [t])
TRAFFIC = {
    "ring": ((30_000, 38_000), 3.0), "brt": ((520, 640), 15.0), "collector": ((8_500, 16_500), 2.1),
    "local": ((900, 3_600), 1.7), "lane": ((120, 420), 1.6),
}  # fmt: skip
WAYS_OUT = ((15_000, 21_000), 3.2)  # of the ring's connections to the country
OUT = "국도 연결로"
GROUPS = {"ring": "ring_road", "brt": "collectors", "collector": "collectors", "local": "local_streets",
          "lane": "local_streets"}  # fmt: skip
SITE_GROUP, PLANT_GROUP = "construction", "batching_plant"
SITE_AREA = (10_000.0, 28_000.0)  # [m2]
SITE_SETBACK, SITE_GAP = 6.0, 9.0  # [m] from the lot's edge, and from buildings
ACTIVE_SHARE = 0.12  # the rest of the site lies covered or wetted
PLANT_HEIGHT = 12.0  # [m]
PLANT_PM10, PLANT_PM25 = 0.012, 0.004  # [g/s]
PERSONS_PER_DWELLING = 2.4
PUPILS = {"elementary": 780, "middle": 640, "high": 700}
SCHOOL_NAMES = {"elementary": "초등학교", "middle": "중학교", "high": "고등학교"}
SCHOOL_HOURS, PARK_HOURS, WORK_HOURS, STOP_HOURS = 6.5, 1.2, 8.5, 0.15
WORKERS_PER_AREA = 1.0 / 45.0  # of floor [1/m2]
WORK_USES = ("업무시설", "교육연구시설(연구소)", "공공업무시설", "의료시설(종합병원)")
PARK_VISITS = 0.012  # a day and m2
RASTER = 30.0  # [m] of the points that stand for a place
STOP_SPACING = 420.0  # [m]
STOP_PASSENGERS = (160, 620)
KERB = 2.0  # [m] behind which stops and stations stand
CLEAR = 3.0  # [m] of a station from a building
PURIFIER_MODEL, PURIFIER_SINCE = "tower-30000", "2025-06-01"
PURIFIER_AWAY = 9.0  # [m] from the station beside it


@dataclass(frozen=True)
class PeoplePlace:
    """A place with people; `points` (n, 2) share them."""

    name: str
    group: str
    persons: float
    hours: float
    points: Floats


@dataclass(frozen=True)
class Station:
    """An air quality station: its network as the ministry sorts them, and where it stands."""

    name: str
    network: str
    x: float
    y: float


class DustPlan(NamedTuple):
    """All of it, in plan coordinates.

    Attributes
    ----------
    traffic : dict of int to (int, float)
        Vehicles a day and mean weight [t] by number of the street in the plan.
    site : Polygon
    plant : (float, float)
    people : tuple of PeoplePlace
    stations : tuple of Station
    treated, control : int
        Numbers of the stations beside the purifier and to compare with.
    purifier : (x, y, degrees clockwise from north)
    """

    traffic: dict[int, tuple[int, float]]
    site: Polygon
    plant: tuple[float, float]
    people: tuple[PeoplePlace, ...]
    stations: tuple[Station, ...]
    treated: int
    control: int
    purifier: tuple[float, float, float]


def persons_of(building: Building) -> int:
    """Who lives there."""
    return round(building.dwellings * PERSONS_PER_DWELLING)


def plan_dust(plan: Plan, seed: int) -> DustPlan:
    """Traffic, sources, people, stations and the purifier of a district."""
    rng = np.random.default_rng([seed, 9])
    traffic = _traffic(plan, rng)
    site = _site(plan)
    middle = site.representative_point()
    plant = (round(middle.x, 2), round(middle.y, 2))
    people = (*_schools(plan), *_parks(plan, site), *_offices(plan), *_stops(plan, rng))
    ground = _Ground(plan)
    stations = _stations(plan, site, ground)
    purifier = _purifier(stations[TREATED], ground)
    return DustPlan(traffic, site, plant, people, stations, TREATED, CONTROL, purifier)


def _traffic(plan: Plan, rng: np.random.Generator) -> dict[int, tuple[int, float]]:
    """Streets of one name have about the same traffic."""
    found, named = {}, {}
    for number, street in enumerate(plan.streets):
        if street.kind not in TRAFFIC:
            continue
        (low, high), weight = WAYS_OUT if street.name == OUT else TRAFFIC[street.kind]
        usual = named.setdefault((street.name, street.kind), rng.uniform(low, high))
        found[number] = (int(round(usual * rng.uniform(0.93, 1.07), -1)), weight)
    return found


def _site(plan: Plan) -> Polygon:
    """The largest part of a farm's lot, or else of any, that is free of buildings; cut to what a site may take."""
    built = shapely.union_all([building.form.polygon for building in plan.buildings]).buffer(SITE_GAP)
    for uses in (("farm",), ("park", "belt", "greenway")):
        parts = []
        for block in plan.blocks:
            if block.use in uses:
                free = block.polygon.buffer(-SITE_SETBACK).difference(built).buffer(-12.0).buffer(12.0)
                parts += [part for part in getattr(free, "geoms", [free]) if part.area >= SITE_AREA[0]]
        if parts:
            best: Polygon = max(parts, key=lambda part: (round(part.area), part.centroid.x))
            while best.area > SITE_AREA[1]:
                best = best.buffer(-2.0)
            return Polygon(best.exterior).simplify(1.0)
    raise ValueError("no lot of the district has room for a construction site")


def _raster(shape: Polygon) -> Floats:
    """Points all over an area, at least one."""
    west, south, east, north = shape.bounds
    x, y = np.meshgrid(np.arange(west + RASTER / 2, east, RASTER), np.arange(south + RASTER / 2, north, RASTER))
    inside = shapely.contains_xy(shape, x.ravel(), y.ravel())
    if not inside.any():
        return np.array([[shape.representative_point().x, shape.representative_point().y]])
    return np.column_stack([x.ravel()[inside], y.ravel()[inside]])


def _open_raster(plan: Plan, shape: Polygon) -> Floats:
    built = shapely.union_all([b.form.polygon for b in plan.buildings if b.form.polygon.intersects(shape)])
    return _raster(shape.difference(built.buffer(1.0)))


def _schools(plan: Plan) -> list[PeoplePlace]:
    found, seen = [], dict.fromkeys(PUPILS, 0)
    for block in plan.blocks:
        if block.use in PUPILS:
            seen[block.use] += 1
            name = f"합강{SCHOOL_NAMES[block.use]} {seen[block.use]}"
            points = _open_raster(plan, block.polygon)
            found.append(PeoplePlace(name, "school", PUPILS[block.use], SCHOOL_HOURS, points))
    return found


def _parks(plan: Plan, site: Polygon) -> list[PeoplePlace]:
    found = []
    for block in plan.blocks:
        if block.use in ("park", "greenway") and not block.polygon.intersects(site):
            visits = round(block.polygon.area * PARK_VISITS)
            name = f"공원 {len(found) + 1}"
            found.append(PeoplePlace(name, "park", visits, PARK_HOURS, _open_raster(plan, block.polygon)))
    return found


def _offices(plan: Plan) -> list[PeoplePlace]:
    found = []
    for building in plan.buildings:
        if building.use in WORK_USES:
            floor = building.form.polygon.area * building.storeys_above
            persons = round(floor * WORKERS_PER_AREA)
            found.append(PeoplePlace(building.name, "work", persons, WORK_HOURS, _raster(building.form.polygon)))
    return found


def _stops(plan: Plan, rng: np.random.Generator) -> list[PeoplePlace]:
    """Bus stops on both sides of the collectors and of the bus line, on the pavement."""
    found: list[PeoplePlace] = []
    for street in plan.streets:
        if street.kind not in ("collector", "brt"):
            continue
        count = int(street.line.length // STOP_SPACING)
        for k in range(count):
            at = (k + 0.5) / count * street.line.length
            for side in (1.0, -1.0):
                x, y = _beside(street, at, side)
                persons = int(rng.integers(*STOP_PASSENGERS))
                name = f"{street.name} 정류장 {len(found) + 1}"
                found.append(PeoplePlace(name, "stop", persons, STOP_HOURS, np.array([[x, y]])))
    return found


def _beside(street: Street, at: float, side: float, back: float = KERB) -> tuple[float, float]:
    """A place behind the kerb, on the left (1) or right (-1) of a street."""
    here, ahead = street.line.interpolate(at), street.line.interpolate(min(at + 1.0, street.line.length))
    before = street.line.interpolate(max(at - 1.0, 0.0))
    way = np.array([ahead.x - before.x, ahead.y - before.y])
    way /= np.linalg.norm(way)
    away = side * (street.carriageway / 2 + back)
    return round(float(here.x - way[1] * away), 2), round(float(here.y + way[0] * away), 2)


# --- stations and purifier

TREATED, CONTROL = 6, 10  # beside the collector, and at the public offices
NETWORKS = ("교외대기", "도로변대기", "도시대기")
RING_SIDES = (("순환로북측", 90.0), ("순환로동측", 0.0), ("순환로남측", 270.0), ("순환로서측", 180.0))
BEHIND_KERB = 9.0  # [m] of a roadside station of the ring


class _Ground:
    """Where something may stand: neither in a building nor on a carriageway."""

    def __init__(self, plan: Plan) -> None:
        self.buildings = shapely.union_all([building.form.polygon for building in plan.buildings]).buffer(CLEAR)
        self.roads = street_area(plan.streets, carriageway=True, grow=1.0)
        shapely.prepare(self.buildings)
        shapely.prepare(self.roads)

    def is_free(self, x: float, y: float) -> bool:
        return not (self.buildings.contains(Point(x, y)) or self.roads.contains(Point(x, y)))

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """The free place nearest to a wished one."""
        for radius in np.arange(0.0, 60.0, 1.5):
            for angle in np.arange(0.0, 2.0 * np.pi, np.pi / 12):
                spot = (round(float(x + radius * np.cos(angle)), 2), round(float(y + radius * np.sin(angle)), 2))
                if self.is_free(*spot):
                    return spot
        raise ValueError("no free place for a station")


def _stations(plan: Plan, site: Polygon, ground: _Ground) -> tuple[Station, ...]:
    country, road, town = NETWORKS
    west, south, east, _ = plan.boundary.bounds
    middle = plan.boundary.centroid
    collector, at_collector = _at_collector(plan)
    places = [
        ("미호천변", country, (west + 15.0, middle.y + 40.0)),
        ("금강변", country, (middle.x + 60.0, south + 10.0)),
        *((name, road, _at_ring(plan, angle)) for name, angle in RING_SIDES),
        (f"{collector}변", road, at_collector),
        ("공사장동측", town, (site.bounds[2] + 30.0, site.centroid.y - 20.0)),
        ("공사장남측", town, (site.centroid.x, site.bounds[1] - 40.0)),
        *((name, town, _block(plan, use)) for name, use in
          (("합강초등학교", "elementary"), ("공공청사", "public"), ("남측공동주택", "apartment"))),
    ]  # fmt: skip
    return tuple(Station(name, network, *ground.nearest(*at)) for name, network, at in places)


def _at_ring(plan: Plan, angle_deg: float) -> tuple[float, float]:
    """Beside the ring in a direction from the middle, on the side of the town."""
    ring = next(street for street in plan.streets if street.kind == "ring" and street.line.is_ring)
    middle = plan.boundary.centroid
    turn = np.radians(angle_deg)
    ray = shapely.LineString([middle, (middle.x + 2000 * np.cos(turn), middle.y + 2000 * np.sin(turn))])
    hit = ring.line.intersection(ray)
    at = ring.line.project(hit if isinstance(hit, Point) else hit.representative_point())
    sides = [_beside(ring, at, side, BEHIND_KERB) for side in (1.0, -1.0)]
    return min(sides, key=lambda spot: float(np.hypot(spot[0] - middle.x, spot[1] - middle.y)))


def _at_collector(plan: Plan) -> tuple[str, tuple[float, float]]:
    """Name of the collector nearest to the district's middle, and a place beside it."""
    middle = plan.boundary.centroid
    collectors = [street for street in plan.streets if street.kind == "collector"]
    street = min(collectors, key=lambda one: (round(one.line.distance(middle), 3), one.name))
    return street.name, _beside(street, street.line.project(middle), 1.0, KERB + 1.0)


def _block(plan: Plan, use: str) -> tuple[float, float]:
    """The middle of the first block of a use (of the south, for blocks are numbered from there)."""
    block = next(block for block in plan.blocks if block.use == use)
    return block.polygon.centroid.x, block.polygon.centroid.y


def _purifier(beside: Station, ground: _Ground) -> tuple[float, float, float]:
    """A tower near a station that lets its clean air out towards it."""
    for angle in np.arange(0.0, 360.0, 15.0):
        turn = np.radians(angle)
        x, y = float(beside.x + PURIFIER_AWAY * np.sin(turn)), float(beside.y + PURIFIER_AWAY * np.cos(turn))
        if all(ground.is_free(x + dx, y + dy) for dx in (-2.0, 2.0) for dy in (-2.0, 2.0)):
            return round(x, 2), round(y, 2), float((angle + 180.0) % 360.0)
    raise ValueError("no free place for the purifier")
