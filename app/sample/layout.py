"""The drawing board: boundary, river, woods, street network, and the blocks between the streets with their use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Point, Polygon, affinity
from shapely.ops import polygonize, unary_union

from app.sample.plan import SITE_AREA, WINDOW, Block, Street

Floats = NDArray[np.float64]

BOUNDARY = [
    (-640, 850), (-150, 905), (330, 850), (740, 880), (990, 640), (950, 150), (1030, -250), (860, -580), (430, -745),
    (-60, -725), (-490, -640), (-790, -430), (-900, -40), (-870, 430),
]  # fmt: skip
RIVER = [
    (-1120, 1300), (-1150, 900), (-1165, 500), (-1110, 100), (-1085, -350), (-900, -700), (-500, -905), (50, -945),
    (550, -975), (1000, -930), (1400, -900),
]  # fmt: skip
RIVER_HALF_WIDTH = 78.0
STREAM = [(120, 800), (95, 560), (25, 300), (-40, 60), (-20, -200), (-105, -450), (-190, -660), (-260, -900)]
GREENWAY_HALF_WIDTH = 36.0
# Centre, half axes and turn of the preserved woods; the third is the hill park behind the greenway.
WOODS = (((-620, 370), (225, 165), 35.0), ((735, 20), (150, 250), -12.0), ((190, 660), (120, 80), 10.0))
SAMPLE_COLLECTORS_U = (-610.0, -315.0, 300.0, 560.0)
SAMPLE_COLLECTORS_V = (-455.0, -165.0, 130.0, 405.0, 640.0)

# kind: (width between street boundaries, carriageway, lanes, speed)
STREET_KINDS = {
    "ring": (30.0, 20.0, 6, 60),
    "collector": (20.0, 13.0, 4, 50),
    "local": (12.0, 7.0, 2, 30),
    "lane": (6.0, 4.0, 1, 20),
    "brt": (7.0, 7.0, 2, 50),
    "bicycle": (3.0, 0.0, 0, 20),
    "walk": (2.0, 0.0, 0, 0),
}

# Functional areas: the nearest seed decides, as the plan's clusters lie (living on two sides, public core in the
# middle, innovation towards the existing city in the north-west, farm and energy in the north-east).
ZONES = (
    ("public", (-150, 30)), ("public", (130, 60)), ("public", (120, -140)), ("public", (-170, -120)),
    ("apartment", (-520, -250)), ("apartment", (-420, -470)), ("apartment", (-700, -60)), ("apartment", (-460, -60)),
    ("apartment", (420, -420)), ("apartment", (640, -360)), ("apartment", (300, -540)), ("apartment", (380, -60)),
    ("apartment", (-200, 330)),
    ("mixed", (-230, -300)), ("mixed", (180, -330)), ("mixed", (-60, -560)), ("mixed", (250, 230)),
    ("detached", (420, 330)), ("detached", (560, 260)), ("detached", (-680, 120)), ("detached", (780, -420)),
    ("detached", (-640, -430)), ("detached", (470, -180)), ("detached", (-330, 130)),
    ("innovation", (-330, 640)), ("innovation", (-520, 740)), ("innovation", (-130, 690)), ("innovation", (-760, 640)),
    ("farm", (500, 640)), ("farm", (700, 640)), ("farm", (830, 420)),
    ("social", (-340, -200)), ("social", (310, -250)), ("social", (-70, 420)),
)  # fmt: skip

# Facilities that take a whole block: (use, target point, smallest area of the block [m2]).
FACILITIES = (
    ("elementary", (-480, -190), 9_000), ("elementary", (440, -260), 9_000),
    ("middle", (-260, -60), 9_000), ("middle", (250, -90), 9_000),
    ("high", (-200, 120), 10_000), ("high", (210, 170), 10_000),
    ("library", (-90, -60), 6_000), ("concert", (100, -40), 6_000),
    ("hospital", (130, 290), 8_000), ("convention", (-110, 250), 9_000),
    ("house", (-110, -230), 5_000),
    ("datacentre", (-420, 600), 9_000), ("hydrogen", (600, 560), 5_000),
    ("park", (420, 60), 5_000), ("park", (-560, -350), 5_000), ("park", (540, -500), 5_000),
    ("academy", (-820, 170), 2_000),
)  # fmt: skip
OVERSHOOT = 4.0  # [m]
ENTRANCES = ((-830, -250), (340, 830), (830, -480), (-330, 880), (-60, -690), (950, 430), (-870, 60))
BLOCK_AREA = 23_000.0  # [m2] larger blocks are divided by another street
POCKET_AREA = 2_600.0  # [m2] smaller leftovers become pocket parks
STREET_NAMES = (
    "합강대로", "미호로", "금강로", "스마트로", "나래로", "누리로", "한결로", "다솜로", "새움로", "아람로", "보람로",
    "가온로", "온빛로", "솔바람로", "햇살로", "물빛로", "들꽃로", "달빛로", "소담로", "해들로",
)  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """Result of the drawing board."""

    boundary: Polygon
    river: Polygon
    stream: LineString
    greenway: Polygon
    woods: list[Polygon]
    streets: list[Street]
    blocks: list[Block]


def smooth(points: Iterable[tuple[float, float]], *, closed: bool, step: float = 12.0) -> Floats:
    """Cubic spline through the points, (n, 2), about every `step` metres."""
    from scipy.interpolate import CubicSpline

    knots = np.array(list(points), dtype=np.float64)
    if closed:
        knots = np.vstack([knots, knots[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
    spline = CubicSpline(along, knots, bc_type="periodic" if closed else "natural")
    return np.asarray(spline(np.linspace(0.0, along[-1], max(int(along[-1] / step), 8))))


def design(seed: int) -> Layout:
    """Draw the district of a seed."""
    rng = np.random.default_rng([seed, 1])
    boundary = _boundary(rng)
    river = LineString(smooth(RIVER, closed=False)).buffer(RIVER_HALF_WIDTH)
    stream = LineString(smooth(STREAM, closed=False))
    woods = [_wood(rng, *wood).intersection(boundary.buffer(-20)) for wood in WOODS]
    ring = boundary.buffer(-52).buffer(-120).buffer(120).simplify(0.5)
    greenway = stream.buffer(GREENWAY_HALF_WIDTH, cap_style="flat")
    streets = _network(rng, ring, greenway, woods)
    streets += _dividing_streets(rng, _faces(streets, ring), greenway, woods)
    faces = _faces(streets, ring)
    streets = _without_dead_ends(streets, faces)
    blocks = _blocks(rng, faces, streets, greenway, woods)
    streets += _edge_streets(ring, boundary, stream, woods)
    blocks += _entrance_blocks(ring, boundary, streets, len(blocks))
    return Layout(boundary, river.intersection(shapely.box(*WINDOW)), stream, greenway, woods, streets, blocks)


def street_area(streets: Iterable[Street], *, carriageway: bool = False, grow: float = 0.0) -> Polygon:
    """Everything that vehicles' streets cover (paths excluded)."""
    parts = [
        s.line.buffer((s.carriageway if carriageway else s.width) / 2 + grow)
        for s in streets
        if s.kind not in ("bicycle", "walk")
    ]
    return unary_union(parts)


def _boundary(rng: np.random.Generator) -> Polygon:
    """An irregular boundary of exactly the planned area, centred on the nominal centre."""
    knots = np.array(BOUNDARY, dtype=np.float64) + rng.normal(0.0, 9.0, (len(BOUNDARY), 2))
    outline = Polygon(smooth(map(tuple, knots), closed=True)).simplify(5.0)
    scale = np.sqrt(SITE_AREA / outline.area)
    return affinity.scale(outline, scale, scale, origin=(0, 0))


def _wood(rng: np.random.Generator, centre: tuple[float, float], axes: tuple[float, float], turn_deg: float) -> Polygon:
    angle = np.linspace(0, 2 * np.pi, 73)[:-1]
    wave = sum(
        a * np.cos(k * angle + p)
        for k, a, p in zip((2, 3, 5), (0.08, 0.06, 0.04), rng.uniform(0, 6.28, 3), strict=True)
    )
    x, y = axes[0] * np.cos(angle) * (1 + wave), axes[1] * np.sin(angle) * (1 + wave)
    turn = np.radians(turn_deg)
    return Polygon(
        np.column_stack(
            [x * np.cos(turn) - y * np.sin(turn) + centre[0], x * np.sin(turn) + y * np.cos(turn) + centre[1]]
        )
    )


def warp(u: Floats, v: Floats) -> Floats:
    """From the regular design grid to the ground (n, 2): turned by seven degrees and gently bent."""
    x = u + 34 * np.sin(2 * np.pi * v / 1500 + 0.8) + 14 * np.sin(2 * np.pi * (u + v) / 900 + 2.0)
    y = v + 46 * np.sin(2 * np.pi * u / 1700 + 2.4) + 13 * np.sin(2 * np.pi * (u - v) / 1000 + 0.5)
    turn = np.radians(-7.0)
    return np.column_stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)])


def _grid_line(u: tuple[float, float], v: tuple[float, float]) -> LineString:
    length = np.hypot(u[1] - u[0], v[1] - v[0])
    more_u, more_v = OVERSHOOT * (u[1] - u[0]) / length, OVERSHOOT * (v[1] - v[0]) / length
    u, v = (u[0] - more_u, u[1] + more_u), (v[0] - more_v, v[1] + more_v)
    steps = max(int(np.hypot(u[1] - u[0], v[1] - v[0]) / 15), 2)
    return LineString(warp(np.linspace(*u, steps), np.linspace(*v, steps)))


def _network(rng: np.random.Generator, ring: Polygon, greenway: Polygon, woods: list[Polygon]) -> list[Street]:
    names = iter(STREET_NAMES)
    # Streets run a little past what they end at, so that polygons close; the overshoot is cut off afterwards.
    wood = unary_union(woods).buffer(-OVERSHOOT)
    reach = ring.buffer(OVERSHOOT)
    streets = [_street("외곽순환로", "ring", ring.exterior)]
    us = [u + rng.normal(0, 8) for u in SAMPLE_COLLECTORS_U]
    vs = [v + rng.normal(0, 8) for v in SAMPLE_COLLECTORS_V]
    collectors = [_grid_line((u, u), (-1200, 1200)) for u in us] + [_grid_line((-1300, 1300), (v, v)) for v in vs]
    for line in collectors:
        name = next(names)
        streets += [_street(name, "collector", part) for part in _lines(line.intersection(reach).difference(wood))]
    edges = _lines(greenway.boundary.intersection(reach))
    streets += [_street("금개천길", "local", part) for part in edges if part.length > 60]
    for number, wood_part in enumerate(woods, start=1):
        for part in _lines(wood_part.boundary.intersection(reach).difference(greenway.buffer(-OVERSHOOT))):
            streets.append(_street(f"숲둘레{number}길", "local", part))
    inside = reach.difference(greenway.buffer(-OVERSHOOT)).difference(wood)
    for number, line in enumerate(_local_lines(rng, us, vs), start=1):
        for part in _lines(line.intersection(inside)):
            streets.append(_street(f"합강{number}길", "local", part))
    return streets


def _local_lines(rng: np.random.Generator, us: list[float], vs: list[float]) -> list[LineString]:
    """Local streets: every superblock between collectors is split in its own way, so that crossings are offset."""
    lines = []
    us, vs = [-1150.0, *us, 900.0, 1200.0], [-1000.0, *vs, 1050.0]
    us.insert(3, 0.0)  # the greenway divides the middle
    for u0, u1 in zip(us[:-1], us[1:], strict=True):
        for v0, v1 in zip(vs[:-1], vs[1:], strict=True):
            um = u0 + (u1 - u0) * rng.uniform(0.44, 0.56)
            vm = v0 + (v1 - v0) * rng.uniform(0.42, 0.58)
            kind = rng.choice(["cross", "tee_u", "tee_v", "two"], p=[0.35, 0.25, 0.25, 0.15])
            if kind in ("cross", "tee_u", "two"):
                lines.append(_grid_line((um, um), (v0, v1)))
            if kind == "cross":
                lines.append(_grid_line((u0, u1), (vm, vm + rng.normal(0, 12))))
            elif kind == "tee_u":
                lines.append(_grid_line((u0, um), (vm, vm)))
            elif kind == "tee_v":
                lines.append(_grid_line((u0, u1), (vm, vm + rng.normal(0, 12))))
                lines.append(_grid_line((um, um), (vm, v1)))
    return lines


def _street(name: str, kind: str, line: LineString) -> Street:
    width, carriageway, lanes, speed = STREET_KINDS[kind]
    return Street(name, kind, LineString(line.coords), width, carriageway, lanes, speed)


def _lines(shape: shapely.Geometry) -> list[LineString]:
    parts = shapely.line_merge(shape) if shape.geom_type.startswith("Multi") else shape
    return [p for p in getattr(parts, "geoms", [parts]) if isinstance(p, LineString) and p.length > 5]


def _faces(streets: list[Street], ring: Polygon) -> list[Polygon]:
    lines = unary_union([s.line for s in streets])
    return [face for face in polygonize(lines) if ring.contains(face.representative_point())]


def _dividing_streets(
    rng: np.random.Generator, faces: list[Polygon], greenway: Polygon, woods: list[Polygon]
) -> list[Street]:
    """A local street across the middle of each block that is too large to walk around."""
    green = unary_union([greenway, *woods])
    found: list[Street] = []
    for face in faces:
        if face.area < BLOCK_AREA * 1.25 or green.contains(face.representative_point()):
            continue
        corners = np.array(face.minimum_rotated_rectangle.exterior.coords)
        sides = np.diff(corners[:3], axis=0)
        long, short = sorted(sides, key=np.linalg.norm, reverse=True)
        middle = np.array(face.centroid.coords[0]) + long * rng.uniform(-0.06, 0.06)
        for part in _lines(LineString([middle - short, middle + short]).intersection(face.buffer(OVERSHOOT))):
            found.append(_street(f"나눔{len(found) + 1}길", "local", part))
    return found


def _without_dead_ends(streets: list[Street], faces: list[Polygon]) -> list[Street]:
    """Streets cut down to what separates blocks."""
    edges = unary_union([face.boundary for face in faces]).buffer(0.5)
    kept = []
    for street in streets:
        if street.kind == "ring":
            kept.append(street)
            continue
        for part in _lines(street.line.intersection(edges)):
            if part.length > 15:
                kept.append(_street(street.name, street.kind, part))
    return kept


def _edge_streets(ring: Polygon, boundary: Polygon, stream: LineString, woods: list[Polygon]) -> list[Street]:
    """The bus line in the ring's northern half, roads out of the district, and the paths."""
    north = shapely.box(-2000, 120, 2000, 2000)
    bus = max(_lines(ring.exterior.intersection(north)), key=lambda line: line.length)
    streets = [_street("합강 BRT", "brt", bus)]
    for start, end in (((-470, 820), (-605, 1078)), ((430, 780), (511, 1078)), ((930, 420), (1178, 509))):
        out = LineString([start, end]).difference(ring)
        streets += [_street("국도 연결로", "ring", part) for part in _lines(out)]
    middle = stream.intersection(ring.buffer(-20))
    for side in (-14.0, 14.0):
        streets += [_street("금개천 자전거길", "bicycle", part) for part in _lines(middle.offset_curve(side))]
    levee = boundary.buffer(22).exterior.intersection(shapely.box(-1200, -1100, 900, 200))
    streets += [_street("강변 자전거길", "bicycle", part) for part in _lines(levee)]
    for number, wood in enumerate(woods, start=1):
        for inset in (30.0, 75.0):
            inner = wood.buffer(-inset)
            if isinstance(inner, Polygon) and inner.area > 4_000:
                streets.append(_street(f"숲길 {number}", "walk", inner.exterior))
    return streets


def _blocks(
    rng: np.random.Generator, faces: list[Polygon], streets: list[Street], greenway: Polygon, woods: list[Polygon]
) -> list[Block]:
    """Faces without their streets, corners cut round, each with a use."""
    roads = street_area(streets)
    wood = unary_union(woods)
    polygons: list[tuple[Polygon, str]] = []
    for face in sorted(faces, key=lambda f: (round(f.centroid.y), round(f.centroid.x))):
        for part in _polygons(face.difference(roads).buffer(-4).buffer(4)):
            if part.area < 300:
                continue
            middle = part.representative_point()
            if wood.contains(middle):
                use = "wood"
            elif greenway.contains(middle):
                use = "greenway"
            elif part.area < POCKET_AREA or _narrow(part):
                use = "park"
            else:
                use = _zone(rng, part.centroid)
            polygons.append((part, use))
    polygons = _with_facilities(polygons)
    return [Block(polygon, use, number) for number, (polygon, use) in enumerate(polygons, start=1)]


def _entrance_blocks(ring: Polygon, boundary: Polygon, streets: list[Street], count: int) -> list[Block]:
    """Car parks where roads enter, between the ring road and the boundary; the rest of that strip is a green belt."""
    strip = boundary.buffer(-7).difference(ring.buffer(STREET_KINDS["ring"][0] / 2 + 4))
    strip = strip.difference(street_area(streets, grow=3.0))
    places = [Point(p).buffer(72) for p in ENTRANCES]
    found: list[tuple[Polygon, str]] = []
    for place in places:
        parts = [p.buffer(-3).buffer(3) for p in _polygons(strip.intersection(place))]
        found += [(p, "parking") for p in parts if isinstance(p, Polygon) and p.area > 1_500]
    belt = strip.difference(unary_union([p.buffer(6) for p, _ in found])) if found else strip
    found += [(p, "belt") for p in _polygons(belt) if p.area > 400]
    return [Block(polygon, use, count + number) for number, (polygon, use) in enumerate(found, start=1)]


def _narrow(polygon: Polygon) -> bool:
    """Too thin for building lots (30 m)."""
    return bool(polygon.buffer(-15).is_empty)


def _zone(rng: np.random.Generator, point: Point) -> str:
    where = np.array([point.x, point.y]) + rng.normal(0, 12, 2)
    distances = [np.hypot(*(where - np.array(seed))) for _, seed in ZONES]
    return ZONES[int(np.argmin(distances))][0]


def _with_facilities(polygons: list[tuple[Polygon, str]]) -> list[tuple[Polygon, str]]:
    taken: dict[int, str] = {}
    for use, target, least in FACILITIES:
        point = Point(target)
        free = [
            (polygon.centroid.distance(point), i)
            for i, (polygon, zone) in enumerate(polygons)
            if i not in taken
            and zone not in ("wood", "greenway")
            and polygon.area >= least
            and (zone != "park" or use in ("park", "academy"))
        ]
        if free:
            taken[min(free)[1]] = use
    return [(polygon, taken.get(i, zone)) for i, (polygon, zone) in enumerate(polygons)]


def _polygons(shape: shapely.Geometry) -> list[Polygon]:
    return [p for p in getattr(shape, "geoms", [shape]) if isinstance(p, Polygon) and not p.is_empty]
