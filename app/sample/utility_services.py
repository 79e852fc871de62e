"""Connections of buildings to the mains, and those of the mixed-use building that end at its seven stubs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Point
from shapely.ops import nearest_points

from app.sample.mixed_services import Stub, service_stubs
from app.sample.plan import Building, Ground, Plan
from app.sample.utility_mains import Register
from app.sample.utility_names import GRAVITY
from app.sample.utility_plan import KINDS, Pipe, Underground
from app.sample.utility_streets import Edge, Graph

Floats = NDArray[np.float64]
FARTHEST = 90.0  # [m] from a wall to the middle of the street
STREETS = 4  # tried for a building
SPACING = 0.9  # [m] between the connections of one building
WALL = 0.6  # [m] that a connection keeps from the corner of its wall
STEP = 3.0  # [m] between points, so that a connection follows the ground
CELL = 25.0  # [m] of the grid in which connections look for one another
FREE = 0.4  # [m] between a connection and other buildings
LEAST_LOT = 1.5  # [m] between a building and the street for a chamber to have room
CHAMBER_OUTSIDE = 0.6  # [m] from the edge of the street to the chamber where drains leave a lot
HOUSE_COVER = 1.2  # [m] of drains on a lot
HOUSE_FALL = 0.01
FIRST_LANE, STUB_LANE = 1.0, 0.7  # [m] from the stubs to the first pipe along the wall, and between these
SMALL = ("단독주택", "창고시설", "공원시설", "동물 및 식물관련시설(온실)")
ORDER = ("water", "sewage", "gas", "power", "telecom", "heat")
HEATED = ("공동주택(아파트)", "주상복합")


@dataclass(frozen=True)
class _Mains:
    """Mains of one utility, to be hit by a ray."""

    tree: shapely.STRtree
    pipes: list[Pipe]

    def hit(self, ray: LineString) -> tuple[float, Pipe] | None:
        """Way along the ray [m] to the first main, and that main."""
        rows = self.tree.query(ray, predicate="intersects")
        found = [(Point(ray.coords[0]).distance(ray.intersection(self.tree.geometries[row])), int(row)) for row in rows]
        return None if not found else (min(found)[0], self.pipes[min(found)[1]])


class _Drawn:
    """Lines drawn so far, by the cells of a grid that they touch."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], list[LineString]] = {}

    def add(self, line: LineString) -> None:
        """One more."""
        for cell in self._cells(line):
            self.cells.setdefault(cell, []).append(line)

    def has_near(self, line: LineString) -> bool:
        """Whether one lies nearer than connections do side by side."""
        return any(
            line.distance(other) < SPACING / 2 for cell in self._cells(line) for other in self.cells.get(cell, ())
        )

    def _cells(self, line: LineString) -> list[tuple[int, int]]:
        low_x, low_y, high_x, high_y = (int(v // CELL) for v in line.buffer(SPACING).bounds)
        return [(x, y) for x in range(low_x, high_x + 1) for y in range(low_y, high_y + 1)]


def lay_services(graph: Graph, plan: Plan, ground: Ground, register: Register) -> None:
    """Connections of all buildings that a straight line from wall to street reaches."""
    site = _Site(graph, plan, ground, register)
    for order, stub in enumerate(reversed(service_stubs(plan, ground))):
        site.to_stub(stub, order)
    for number in range(len(plan.buildings)):
        if number != plan.mixed_building:
            site.serve(number)


class _Site:
    """What connections have to respect: mains, streets, buildings and one another."""

    def __init__(self, graph: Graph, plan: Plan, ground: Ground, register: Register) -> None:
        self.register, self.ground, self.buildings = register, ground, plan.buildings
        self.mains = {utility: _mains(register.underground, utility) for utility in KINDS if utility != "tunnel"}
        self.edges = list(graph.edges)
        self.streets = shapely.STRtree([edge.line for edge in self.edges])
        self.outlines = shapely.STRtree([building.form.polygon for building in plan.buildings])
        self.drains, self.others = _Drawn(), _Drawn()  # drains on lots cross the depth of other connections

    def serve(self, number: int) -> None:
        """Every connection of a building: to the nearest street, else to one of the next."""
        outline = self.buildings[number].form.polygon
        rows = self.streets.query(outline, predicate="dwithin", distance=FARTHEST)
        nearest = sorted(rows, key=lambda row: (outline.distance(self.edges[row].line), row))
        wanted = list(_wanted(self.buildings[number]))
        for row in nearest[:STREETS]:
            wanted = self._serve_from(number, self.edges[row], wanted)
            if not wanted:
                return

    def _serve_from(self, number: int, edge: Edge, wanted: list[str]) -> list[str]:
        """Connections side by side from one wall to a street; what could not be connected."""
        outline = self.buildings[number].form.polygon
        wall, kerb = nearest_points(outline, edge.line)
        away = wall.distance(kerb)
        lot = away - edge.street.width / 2
        if lot < LEAST_LOT:
            return wanted
        way = (np.array(kerb.coords[0]) - wall.coords[0]) / away
        aside = np.array([-way[1], way[0]])
        # The nearest point may be a corner: connections leave on the side where the building is.
        middle = np.array(outline.centroid.coords[0]) - wall.coords[0]
        side = 1.0 if middle @ aside >= 0 else -1.0
        left = []
        for place, utility in enumerate(wanted):
            start = self._at_wall(outline, np.array(wall.coords[0]) + side * (WALL + place * SPACING) * aside, way)
            if start is None:
                left.append(utility)
                continue
            to_middle = float((np.array(kerb.coords[0]) - start) @ way)
            if not self._connect(number, utility, start, way, to_middle, edge):
                left.append(utility)
        return left

    def _connect(self, number: int, utility: str, start: Floats, way: Floats, to_middle: float, edge: Edge) -> bool:
        """One connection straight to a street whose middle lies so far off [m]; false where something is in the way."""
        ray = LineString([start, start + way * (to_middle + edge.half + 2.0)])
        passed = self.outlines.query(ray.buffer(FREE), predicate="intersects")
        if any(other != number for other in passed):
            return False
        if utility not in GRAVITY:
            return self._supply(utility, start, ray)
        return self._drain(utility, start, way, ray, to_middle - edge.street.width / 2 - CHAMBER_OUTSIDE)

    def _at_wall(self, outline: shapely.Polygon, beside: Floats, way: Floats) -> Floats | None:
        """Where the line through a place in the direction of the street leaves the building for good."""
        through = LineString([beside - way * 6.0, beside + way * 6.0]).intersection(outline)
        if through.is_empty:
            return None
        points = shapely.get_coordinates(through)
        return np.asarray(points[np.argmax(points @ way)])

    def _supply(self, utility: str, start: Floats, ray: LineString) -> bool:
        found = self.mains[utility].hit(ray)
        if found is None:
            return False
        length, main = found
        kind = KINDS[utility]
        line = LineString([start, np.array(ray.interpolate(length).coords[0])])
        if self.drains.has_near(line):
            return False
        cover = _same_axis(main, kind.service)
        self.others.add(line)
        self.register.pipe(kind, _followed(line), kind.service, role="service", covers=(cover, cover))
        self.register.node(kind, "service" if utility != "water" else "meter", start, depth=cover)
        return True

    def _drain(
        self, utility: str, start: Floats, way: Floats, ray: LineString, lot: float, *, stub: Stub | None = None
    ) -> bool:
        """From the wall over the lot to a chamber at the street, and from there down to the sewer."""
        found = self.mains[utility].hit(ray)
        if found is None or (inverts := found[1].inverts) is None:
            return False
        length, main = found
        kind, size = KINDS[utility], stub.diameter if stub else KINDS[utility].service
        chamber = start + way * lot
        before = [np.array([stub.x, stub.y])] if stub else []
        lateral = LineString([*before, start, chamber])
        if length - lot < 1.0 or self.others.has_near(lateral) or self.drains.has_near(lateral):
            return False
        meet = np.array(ray.interpolate(length).coords[0])
        share = np.hypot(*(meet - main.points[0])) / np.hypot(*(main.points[-1] - main.points[0]))
        axis = inverts[0] * (1 - share) + inverts[1] * share + main.diameter / 2
        low = axis - size / 2
        begin, end = self._levels(lateral, size, stub.z - size / 2 if stub else None)
        down = low + HOUSE_FALL * (length - lot)
        if end < down + 0.05:
            return False
        self.drains.add(lateral)
        laid = self.register.date()
        self.register.pipe(kind, np.array(lateral.coords), size, role="service", inverts=(begin, end), installed=laid)
        self.register.pipe(
            kind, np.stack([chamber, meet]), size, role="service", inverts=(round(down, 3), round(low, 3)),
            installed=laid,
        )  # fmt: skip
        self.register.node(kind, "manhole", chamber, invert=round(down, 3), ground=self._level(chamber))
        return True

    def _levels(self, line: LineString, size: float, invert: float | None) -> tuple[float, float]:
        """Inverts of a drain on a lot: it falls, and keeps its cover all along."""
        share = np.linspace(0.0, 1.0, 17)
        points = shapely.get_coordinates(shapely.line_interpolate_point(line, share, normalized=True))
        level = self.ground.sample(points[:, 0], points[:, 1])
        roof = level - HOUSE_COVER - size
        begin = float(roof[0]) if invert is None else invert
        # Straight from its first point, so that it lies below what the cover asks everywhere.
        slope = float(np.min((roof[1:] - begin) / (share[1:] * line.length)))
        if slope < -0.3 or invert is None and slope > 0:
            slope = min(slope, 0.0)
        end = begin + min(slope, -HOUSE_FALL) * line.length
        return round(begin, 3), round(end, 3)

    def _level(self, point: Floats) -> float:
        return round(float(self.ground.sample(np.array([point[0]]), np.array([point[1]]))[0]), 3)

    def to_stub(self, stub: Stub, order: int) -> None:
        """From the main along the wall to the free end of a stub; those of lower `order` run nearer to the wall."""
        kind, start, out = KINDS[stub.utility], np.array([stub.x, stub.y]), np.array(stub.direction)
        corner, way = start + out * (FIRST_LANE + order * STUB_LANE), np.array([out[1], -out[0]])
        ray = LineString([corner, corner + way * 2 * FARTHEST])
        if stub.utility in GRAVITY:
            edge = self.edges[int(self.streets.nearest(ray.interpolate(FARTHEST / 2)))]
            crossing = ray.intersection(edge.line)
            lot = Point(corner).distance(crossing) - edge.street.width / 2 - CHAMBER_OUTSIDE
            self._drain(stub.utility, corner, way, ray, lot, stub=stub)
            return
        found = self.mains[stub.utility].hit(ray)
        if found is None:
            return
        length, main = found
        cover = _same_axis(main, stub.diameter)
        line = LineString([np.array(ray.interpolate(length).coords[0]), corner])
        self.others.add(LineString([start, corner, line.coords[0]]))
        laid = self.register.date()
        self.register.pipe(kind, _followed(line), stub.diameter, role="service", covers=(cover, cover), installed=laid)
        last = round(self._level(start) - stub.z - stub.diameter / 2, 2)
        pair = (corner, start) if last >= cover else (start, corner)
        covers = (min(cover, last), max(cover, last))
        self.register.pipe(kind, np.stack(pair), stub.diameter, role="service", covers=covers, installed=laid)


def _mains(underground: Underground, utility: str) -> _Mains:
    pipes = [pipe for pipe in underground.pipes if pipe.utility == utility and pipe.role == "main"]
    return _Mains(shapely.STRtree([LineString(pipe.points) for pipe in pipes]), pipes)


def _wanted(building: Building) -> tuple[str, ...]:
    """What a building is connected to."""
    if building.use in SMALL:
        return ("water", "sewage")
    heated = building.use in HEATED
    return tuple(utility for utility in ORDER if utility != "heat" or heated)


def _same_axis(main: Pipe, size: float) -> float:
    """Cover [m] of a connection whose axis lies as deep as that of its main."""
    covers = main.covers or (0.0, 0.0)
    return round((covers[0] + covers[1]) / 2 + main.diameter / 2 - size / 2, 2)


def _followed(line: LineString) -> Floats:
    number = max(int(np.ceil(line.length / STEP)), 1)
    along = np.linspace(0.0, 1.0, number + 1)
    return np.asarray(shapely.get_coordinates(shapely.line_interpolate_point(line, along, normalized=True)))
