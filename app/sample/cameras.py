"""Cameras of the district: at crossings, car parks, schools and doors, in two lobbies and in a basement car park."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import shapely

from app.sample.detailed import level_of
from app.sample.plan import Ground, Plan, Street
from app.sample.trees import Trees
from app.sample.vector import write_layer

LAYER = "cctv"
POLE, LOW_POLE, GANTRY = 5.5, 3.2, 6.5  # [m] above the ground
CROSSINGS, BETWEEN = 10, 150.0  # how many, and no nearer to each other [m]
SETBACKS = (2.0, 1.0, 3.5, 5.0)  # [m] behind the kerb, the first preferred
WATCHED = ("ring", "collector")
LOOK = 30.0  # [m] ahead of a lens that no crown should stand
LOBBY_CEILING, BASEMENT_CEILING = 3.0, 2.9  # [m] of the lens above the floor
BASEMENT = -4.0  # [m] floor of B1 of the mixed-use building from its ground floor
LEAST_PARK = 300.0  # [m2]
SCHOOLS = ("elementary", "middle")


@dataclass(frozen=True)
class Device:
    """One camera in plan coordinates: place and height of the lens [m], pan and tilt [deg], focal length [mm]."""

    name: str
    model: str
    x: float
    y: float
    z: float
    pan: float
    tilt: float
    focal: float
    mount: str = "pole"
    state: str = "existing"
    presets: str = ""


def place(plan: Plan, ground: Ground, planted: Trees) -> list[Device]:
    """All cameras."""
    crowns = np.column_stack([planted.x, planted.y, planted.crown / 2.0])
    found = [*_crossings(plan, ground, crowns), *_car_parks(plan, ground), *_schools(plan, ground)]
    return [*found, *_turning(plan, ground, crowns), *_house(plan, ground), *_mixed(plan, ground)]


def _hidden(crowns: np.ndarray, x: float, y: float, to: tuple[float, float]) -> int:
    """Crowns (x, y, radius) that stand at a lens or in the first `LOOK` metres of its look."""
    way = np.array(to) - [x, y]
    way = way / max(float(np.linalg.norm(way)), 1e-9)
    away = crowns[:, :2] - [x, y]
    along = np.clip(away @ way, 0.0, LOOK)
    return int((np.hypot(*(away - along[:, None] * way).T) < crowns[:, 2] + 0.5).sum())


def _above(ground: Ground, x: float, y: float, height: float) -> float:
    return round(float(ground.sample(np.array([x]), np.array([y]))[0]) + height, 2)


def _towards(x: float, y: float, to: tuple[float, float]) -> float:
    """Pan [deg] from a place to another, clockwise from north."""
    return round(float(np.degrees(np.arctan2(to[0] - x, to[1] - y))) % 360.0, 1)


def _crossings(plan: Plan, ground: Ground, crowns: np.ndarray) -> Iterator[Device]:
    """Two streets that cross: one camera on a corner looks over the crossing; at two of them plates are read."""
    home = shapely.Point(plan.house_place[:2])
    streets = [street for street in plan.streets if street.kind in WATCHED]
    places = []
    for one, other in combinations(streets, 2):
        if one.name == other.name or not one.line.intersects(other.line):
            continue
        cross = one.line.intersection(other.line)
        places += [(home.distance(point), point, one, other) for point in _points(cross)]
    chosen: list[shapely.Point] = []
    for _, point, one, other in sorted(places, key=lambda found: (round(found[0], 3), found[2].name, found[3].name)):
        if len(chosen) == CROSSINGS or any(point.distance(before) < BETWEEN for before in chosen):
            continue
        number = len(chosen) + 1
        chosen.append(point)
        x, y = _corner(point, one, other, crowns)
        name, model, focal = f"{one.name}-{other.name} 교차로", "bullet-8mp" if number % 3 == 0 else "bullet-4mp", 4.5
        pan = _towards(x, y, (point.x, point.y))
        yield Device(name, model, x, y, _above(ground, x, y, POLE), pan, 20.0, focal)
        if number <= 2:
            yield _plates(one, point, ground)


def _points(shape: shapely.Geometry) -> list[shapely.Point]:
    return [part for part in getattr(shape, "geoms", [shape]) if part.geom_type == "Point"]


def _along(street: Street, point: shapely.Point) -> np.ndarray:
    """Unit vector along a street at a point."""
    at = street.line.project(point)
    ends = [street.line.interpolate(np.clip(at + step, 0.0, street.line.length)) for step in (-5.0, 5.0)]
    way = np.array([ends[1].x - ends[0].x, ends[1].y - ends[0].y])
    return np.asarray(way / np.linalg.norm(way))


def _corner(point: shapely.Point, one: Street, other: Street, crowns: np.ndarray) -> tuple[float, float]:
    """The corner between two streets, behind both kerbs, with the fewest crowns before the lens."""
    a, b = _along(one, point), _along(other, point)
    slant = abs(float(a[0] * b[1] - a[1] * b[0]))
    corners = [
        np.array([point.x, point.y])
        + p * (other.carriageway / 2 + back) / slant * a
        + q * (one.carriageway / 2 + back) / slant * b
        for back in SETBACKS
        for p in (1.0, -1.0)
        for q in (1.0, -1.0)
    ]
    best = min(corners, key=lambda corner: _hidden(crowns, corner[0], corner[1], (point.x, point.y)))
    return round(float(best[0]), 2), round(float(best[1]), 2)


def _plates(street: Street, point: shapely.Point, ground: Ground) -> Device:
    """A plate reader over the carriageway, looking along it at cars that come."""
    way = _along(street, point)
    side = np.array([-way[1], way[0]])  # traffic keeps to the right: those on the left come towards the camera
    x, y = np.array([point.x, point.y]) + 45.0 * way + street.carriageway / 4 * side
    pan = round(float(np.degrees(np.arctan2(way[0], way[1]))) % 360.0, 1)
    x, y = round(float(x), 2), round(float(y), 2)
    return Device(f"{street.name} 차량번호", "plate-2mp", x, y, _above(ground, x, y, GANTRY), pan, 16.0, 25.0)


def _car_parks(plan: Plan, ground: Ground) -> Iterator[Device]:
    home = shapely.Point(plan.house_place[:2])
    houses = shapely.union_all([building.form.polygon for building in plan.buildings]).buffer(1.0)
    parks = (surface.polygon.difference(houses) for surface in plan.surfaces if surface.kind == "carpark")
    areas = sorted((area for area in parks if area.area > LEAST_PARK), key=lambda area: area.distance(home))
    for number, area in enumerate(areas[:3], start=1):
        middle = area.representative_point()
        x, y = round(middle.x, 2), round(middle.y, 2)
        yield Device(f"주차장 {number}", "multi-4x4mp", x, y, _above(ground, x, y, POLE), 0.0, 25.0, 2.8)


def _schools(plan: Plan, ground: Ground) -> Iterator[Device]:
    """A camera at the edge of a school's grounds nearest to a street looks along the fence."""
    streets = shapely.union_all([street.line for street in plan.streets if street.kind in WATCHED])
    for use in SCHOOLS:
        block = next((block for block in plan.blocks if block.use == use), None)
        if block is None:
            continue
        gate = shapely.shortest_line(block.polygon.boundary, streets).coords[0]
        middle = block.polygon.centroid
        x, y = round(float(gate[0]), 2), round(float(gate[1]), 2)
        pan = _towards(x, y, (middle.x, middle.y))
        name = {"elementary": "초등학교 어린이보호구역", "middle": "중학교 앞"}[use]
        yield Device(name, "bullet-4mp", x, y, _above(ground, x, y, POLE), pan, 15.0, 4.0)


def _turning(plan: Plan, ground: Ground, crowns: np.ndarray) -> Iterator[Device]:
    """Cameras that turn, on the two largest squares, with presets all round."""
    squares = sorted((s.polygon for s in plan.surfaces if s.kind == "plaza"), key=lambda area: -area.area)
    for number, area in enumerate(squares[:2], start=1):
        middle = (area.centroid.x, area.centroid.y)
        edge = [area.buffer(-2.0).exterior.interpolate(k / 24, normalized=True) for k in range(24)]
        point = min(edge, key=lambda spot: _hidden(crowns, spot.x, spot.y, middle))
        x, y = round(point.x, 2), round(point.y, 2)
        pan = _towards(x, y, middle)
        presets = ";".join(f"{(pan + turn) % 360.0:g},{tilt:g},{focal:g}" for turn, tilt, focal in
                           ((-60.0, 12.0, 9.0), (0.0, 25.0, 4.5), (60.0, 12.0, 9.0)))  # fmt: skip
        yield Device(
            f"광장 {number} 회전형", "ptz-2mp-30x", x, y, _above(ground, x, y, POLE + 0.5), pan, 12.0, 6.0,
            presets=presets,
        )  # fmt: skip


def _set(origin: tuple[float, float], angle: float, x: float, y: float) -> tuple[float, float]:
    """Plan coordinates of a point given along the axes of a building."""
    turn = np.radians(angle)
    return (
        round(float(origin[0] + x * np.cos(turn) - y * np.sin(turn)), 2),
        round(float(origin[1] + x * np.sin(turn) + y * np.cos(turn)), 2),
    )


def _house(plan: Plan, ground: Ground) -> Iterator[Device]:
    """The community centre: the way to its door, and the lobby."""
    px, py, angle = plan.house_place
    floor = _above(ground, px, py, 0.0)
    x, y = _set((px, py), angle, 0.0, -19.0)
    yield Device(
        "주민공동시설 출입구", "bullet-4mp", x, y, _above(ground, x, y, LOW_POLE), _turned(angle, 0.0), 8.0, 6.0
    )
    x, y = _set((px, py), angle, 2.4, -2.6)
    yield Device(
        "주민공동시설 로비", "dome-4mp", x, y, round(floor + 3.0, 2), _turned(angle, 207.0), 25.0, 2.8, "ceiling"
    )


def _turned(angle: float, pan: float) -> float:
    """Pan of the map for one along the axes of a building that is turned by `angle` counter-clockwise."""
    return round((pan - angle) % 360.0, 1)


def _mixed(plan: Plan, ground: Ground) -> Iterator[Device]:
    """The mixed-use building: main door, lobby, corridor, and the upper basement."""
    px, py, angle = plan.mixed_place
    floor = level_of(plan.buildings[plan.mixed_building], ground)
    x, y = _set((px, py), angle, 20.0, -7.0)
    yield Device("복합타워 주출입구", "bullet-4mp", x, y, _above(ground, x, y, LOW_POLE), _turned(angle, 0.0), 8.0, 6.0)
    inside = (
        ("복합타워 로비", "dome-4mp", 22.6, 10.6, LOBBY_CEILING, 215.0, 25.0, 2.8),
        ("복합타워 복도", "fisheye-12mp", 20.0, 13.2, LOBBY_CEILING, 0.0, 90.0, 1.76),
        ("지하주차장 북측", "dome-4mp", 1.0, 24.4, BASEMENT + BASEMENT_CEILING, 90.0, 15.0, 2.8),
        ("지하주차장 남측", "dome-4mp", 47.0, 6.0, BASEMENT + BASEMENT_CEILING, 270.0, 15.0, 2.8),
    )
    for name, model, along, across, height, pan, tilt, focal in inside:
        x, y = _set((px, py), angle, along, across)
        yield Device(name, model, x, y, round(floor + height, 2), _turned(angle, pan), tilt, focal, "ceiling")


def write(devices: list[Device], path: Path) -> None:
    """GeoPackage of points at the lenses, with the columns by which the program knows cameras."""
    columns: dict[str, Sequence[object]] = {
        "id": [f"CAM-{number:02d}" for number in range(1, len(devices) + 1)],
        "name": [one.name for one in devices],
        "camera_model": [one.model for one in devices],
        "pan": [one.pan for one in devices],
        "tilt": [one.tilt for one in devices],
        "roll": [0.0] * len(devices),
        "focal": [one.focal for one in devices],
        "mount": [one.mount for one in devices],
        "camera_state": [one.state for one in devices],
        "presets": [one.presets for one in devices],
    }
    shapes = [shapely.Point(one.x, one.y, one.z) for one in devices]
    write_layer(path, LAYER, shapes, columns, title="방범·교통 CCTV")
