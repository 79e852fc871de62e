"""An apartment slab on paper: two dwellings of three bays around each stair, repeated along the slab.

Axes: x from the slab's left end along its front, y from the front (the sunny side) to the back. Every unit is 21 m
long and 12.6 m deep, as in the city model.
"""

from __future__ import annotations

from app.sample.floor_plan import Area, FloorPlan, Hole
from app.sample.homes import UNIT_DEPTH, UNIT_LENGTH

S, N = 0.15, UNIT_DEPTH - 0.15
HALL_SOUTH, HALL_NORTH = 5.5, 7.1  # [m] middle lines of the walls before and behind the hall
HALL_WEST, HALL_EAST, STAIR_EAST = 8.0, 13.0, 11.0  # [m] in the unit
LIFT_NORTH = 10.0
STAIR_DEPTH = N - HALL_NORTH - 0.25  # [m] clear
LIVING_WINDOW = (3.2, 2.2, 0.1)  # [m] width, height, sill


def storey_plan(floor: int, counts: tuple[int, ...], block: str) -> FloorPlan:
    """Plan of a floor (from 1) of a slab whose units have `counts` storeys; `block` is its name, such as 1802동."""
    plan = FloorPlan()
    for unit, count in enumerate(counts):
        if floor <= count:
            _unit(plan, floor, unit, counts, block)
    return plan


def _unit(plan: FloorPlan, floor: int, unit: int, counts: tuple[int, ...], block: str) -> None:
    x = UNIT_LENGTH * unit
    key = f"{floor}-{unit + 1}"
    west, east = x + (S if unit == 0 else 0.0), x + UNIT_LENGTH - (S if unit == len(counts) - 1 else 0.0)
    plan.areas += [
        Area(f"{key}H", f"{floor}층 승강기 홀", "승강기 홀", x + HALL_WEST, HALL_SOUTH, x + HALL_EAST, HALL_NORTH,
             public=True),
        Area(f"{key}S", "계단실", "계단실", x + HALL_WEST, HALL_NORTH, x + STAIR_EAST, N),
        Area(f"{key}L", "승강로", "승강로", x + STAIR_EAST, HALL_NORTH, x + HALL_EAST, LIFT_NORTH),
    ]  # fmt: skip
    plan.holes += [
        Hole("fire", f"{floor}F 계단실 방화문", x + 8.75, HALL_NORTH, 1.1, 2.1),
        Hole("lift", f"{floor}F 승강기 문", x + 12.0, HALL_NORTH, 1.0, 2.1),
        Hole("stair", f"{floor}F 계단실 창", x + 9.5, N, 1.4, 1.0, 1.5),
    ]
    for side, mirrored in ((1, False), (2, True)):
        number = f"{floor}{2 * unit + side:02d}호"
        _Home(plan, f"{block} {number}", f"{number[:-1]}", x, west, east, mirrored, ground=floor == 1).draw()
    if floor == 1:
        plan.areas.append(Area(f"{key}E", "공동현관", "로비", x + HALL_WEST, S, x + HALL_EAST, HALL_SOUTH, public=True))
        plan.open.append((x + HALL_WEST + 0.1, HALL_SOUTH, x + HALL_EAST - 0.1, HALL_SOUTH))
        plan.holes.append(Hole("glass", f"공동현관 자동문 {unit + 1}", x + 10.5, S, 1.8, 2.3))


class _Home:
    """One dwelling, drawn for the left of the stair and mirrored for the right."""

    def __init__(
        self, plan: FloorPlan, name: str, key: str, x: float, west: float, east: float, mirrored: bool, *, ground: bool
    ) -> None:  # fmt: skip
        self.plan, self.name, self.key, self.x = plan, name, key, x
        self.mirrored, self.ground = mirrored, ground
        self.edge = (x + UNIT_LENGTH - east) if mirrored else west - x

    def _x(self, x: float) -> float:
        return round(self.x + (UNIT_LENGTH - x if self.mirrored else x), 4)

    def _room(self, number: int, name: str, use: str, west: float, south: float, east: float, north: float) -> None:
        low, high = sorted((self._x(west), self._x(east)))
        self.plan.areas.append(
            Area(f"{self.key}-{number}", f"{self.name} {name}", use, low, south, high, north, dwelling=self.name)
        )

    def _hole(self, look: str, name: str, x: float, y: float, size: tuple[float, float, float]) -> None:
        self.plan.holes.append(Hole(look, f"{self.name} {name}", self._x(x), y, *size))

    def _open(self, x0: float, x1: float, y: float) -> None:
        low, high = sorted((self._x(x0), self._x(x1)))
        self.plan.open.append((low, y, high, y))

    def draw(self) -> None:
        """Rooms, doors and windows."""
        edge, door = self.edge, (0.9, 2.1, 0.0)
        self._room(1, "거실", "거실", 3.8, S, HALL_WEST, HALL_SOUTH)
        self._room(2, "침실 1", "침실", edge, S, 3.8, HALL_SOUTH)
        self._room(3, "주방·식당", "주방", 5.2, HALL_NORTH, HALL_WEST, N)
        self._room(4, "침실 2", "침실", edge, HALL_NORTH, 3.4, N)
        self._room(5, "현관·복도", "현관", edge, HALL_SOUTH, HALL_WEST, HALL_NORTH)
        self._room(6, "욕실", "욕실", 3.4, HALL_NORTH, 5.2, N)
        self._open(3.9, 7.9, HALL_SOUTH)
        self._open(5.3, 7.9, HALL_NORTH)
        self._hole("entrance", "현관문", HALL_WEST, 6.3, (1.0, 2.1, 0.0))
        self._hole("inner", "침실 1 문", 2.6, HALL_SOUTH, door)
        self._hole("inner", "침실 2 문", 2.2, HALL_NORTH, door)
        self._hole("bath", "욕실 문", 4.3, HALL_NORTH, (0.8, 2.1, 0.0))
        self._hole("living", "거실 창", 5.9, S, LIVING_WINDOW)
        self._hole("window", "침실 1 창", 2.0, S, (2.0, 1.5, 0.8))
        self._hole("window", "침실 2 창", 1.8, N, (1.8, 1.4, 0.9))
        self._hole("window", "주방 창", 6.6, N, (1.5, 1.2, 1.0))
        self._hole("stair", "욕실 창", 4.3, N, (0.6, 0.6, 1.6))
        if not self.ground:
            self._room(7, "침실 3", "침실", HALL_WEST, S, 10.5, HALL_SOUTH)
            self._hole("inner", "침실 3 문", HALL_WEST, 4.6, door)
            self._hole("window", "침실 3 창", 9.25, S, (1.5, 1.5, 0.8))
        if self.mirrored:
            self._room(8, "보일러실", "다용도실", HALL_WEST, LIFT_NORTH, 10.0, N)
            self._hole("inner", "보일러실 문", HALL_WEST, 11.2, (0.8, 2.1, 0.0))
