"""The plan of one storey: rooms that tile it, the walls that follow from them, doors and windows in the walls.

Rooms are rectangles between the middle lines of walls. Where two rooms meet there is a partition, at the edge of the
storey an outer wall; stretches that are ``open`` or ``glazed`` have neither. Walls along x run through; walls along y
end at their faces, so that no two walls share room.
"""

from __future__ import annotations

from dataclasses import dataclass, field

OUTER, INNER = 0.30, 0.20  # [m] thickness of outer walls and of partitions
PROBE = 0.35  # [m] from the middle of a wall into the room beside it
PARTIAL = 0.3  # [m] shorter pieces of wall at a side of a room do not move its edge
Segment = tuple[float, float, float, float]  # x0, y0, x1, y1


@dataclass(frozen=True)
class Area:
    """A room between the middle lines of its walls.

    Attributes
    ----------
    number, name, use : str
    west, south, east, north : float [m]
    dwelling : str
        Number of the dwelling it belongs to, "" otherwise.
    public : bool
    people : int
    kind : str
        Predefined type of the space.
    """

    number: str
    name: str
    use: str
    west: float
    south: float
    east: float
    north: float
    dwelling: str = ""
    public: bool = False
    people: int = 0
    kind: str = "INTERNAL"


@dataclass(frozen=True)
class Hole:
    """A door or window whose middle lies at (x, y) on a wall; `look` says how it is made."""

    look: str
    name: str
    x: float
    y: float
    width: float
    height: float
    sill: float = 0.0


@dataclass(frozen=True)
class Wall:
    """A straight wall whose middle line runs from (x0, y0) to (x1, y1), to the east or north."""

    x0: float
    y0: float
    x1: float
    y1: float
    outer: bool

    @property
    def along_x(self) -> bool:
        """Whether it runs to the east."""
        return self.y0 == self.y1

    @property
    def length(self) -> float:
        """Length [m]."""
        return round(self.x1 - self.x0 + self.y1 - self.y0, 4)

    @property
    def thickness(self) -> float:
        """Thickness [m]."""
        return OUTER if self.outer else INNER


@dataclass
class FloorPlan:
    """One storey before it is built."""

    areas: list[Area] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
    open: list[Segment] = field(default_factory=list)
    glazed: list[Segment] = field(default_factory=list)

    def walls(self) -> list[Wall]:
        """Every wall, trimmed where it meets others."""
        level = _runs([(a.south, a.north, a.west, a.east) for a in self.areas], self._gaps(along_x=True))
        upright = _runs([(a.west, a.east, a.south, a.north) for a in self.areas], self._gaps(along_x=False))
        made = [Wall(low, y, high, y, outer) for y, low, high, outer in _trim_level(level, upright)]
        made += [Wall(x, low, x, high, outer) for x, low, high, outer in _trim_upright(upright, level)]
        return [wall for wall in made if wall.length > 0.05]

    def _gaps(self, *, along_x: bool) -> list[tuple[float, float, float]]:
        gaps = []
        for x0, y0, x1, y1 in [*self.open, *self.glazed]:
            if along_x and y0 == y1:
                gaps.append((round(y0, 3), round(min(x0, x1), 3), round(max(x0, x1), 3)))
            elif not along_x and x0 == x1:
                gaps.append((round(x0, 3), round(min(y0, y1), 3), round(max(y0, y1), 3)))
        return gaps

    def clear(self, area: Area, walls: list[Wall]) -> Segment:
        """Faces of the walls around a room: west, south, east, north [m].

        Where a room is open to a larger one it reaches through the wall between them up to the larger one's edge.
        """
        west, east = (self._face(area, walls, line, along_x=False) for line in (area.west, area.east))
        south, north = (self._face(area, walls, line, along_x=True) for line in (area.south, area.north))
        return area.west + west, area.south + south, area.east - east, area.north - north

    def _face(self, area: Area, walls: list[Wall], line: float, *, along_x: bool) -> float:
        """How far a room's edge lies inside the middle line of its wall [m]; negative beyond it."""
        own = self._inset(area, walls, line, along_x=along_x)
        if own > 0:
            return own
        low, high = (area.west, area.east) if along_x else (area.south, area.north)
        across = [
            other
            for other in self.areas
            if other is not area
            and line in ((other.south, other.north) if along_x else (other.west, other.east))
            and _shared(low, high, *((other.west, other.east) if along_x else (other.south, other.north))) > PARTIAL
        ]
        return -min((self._inset(other, walls, line, along_x=along_x) for other in across), default=0.0)

    def _inset(self, area: Area, walls: list[Wall], line: float, *, along_x: bool) -> float:
        """Half the thickness of the wall on a side of a room; 0 where there is none."""
        low, high = (area.west, area.east) if along_x else (area.south, area.north)
        found = [
            wall.thickness / 2
            for wall in walls
            if wall.along_x == along_x
            and abs((wall.y0 if along_x else wall.x0) - line) < 1e-3
            and _shared(low, high, *((wall.x0, wall.x1) if along_x else (wall.y0, wall.y1))) > PARTIAL
        ]
        glass = any(abs((s[1] if along_x else s[0]) - line) < 1e-3 and (s[1] == s[3]) == along_x for s in self.glazed)
        return max([*found, OUTER / 2 if glass else 0.0])

    def beside(self, wall: Wall, x: float, y: float) -> tuple[Area | None, Area | None]:
        """Rooms below and above (or left and right of) a point of a wall."""
        dx, dy = (0.0, PROBE) if wall.along_x else (PROBE, 0.0)
        return self._at(x - dx, y - dy), self._at(x + dx, y + dy)

    def _at(self, x: float, y: float) -> Area | None:
        return next((a for a in self.areas if a.west < x < a.east and a.south < y < a.north), None)


def _shared(low: float, high: float, other_low: float, other_high: float) -> float:
    """Length that two stretches of a line have in common."""
    return min(high, other_high) - max(low, other_low)


def wall_of(walls: list[Wall], hole: Hole) -> Wall:
    """The wall in which a hole lies; raises when none holds it whole."""
    half = hole.width / 2
    for wall in walls:
        line, along = (wall.y0, hole.x) if wall.along_x else (wall.x0, hole.y)
        across = hole.y if wall.along_x else hole.x
        low, high = (wall.x0, wall.x1) if wall.along_x else (wall.y0, wall.y1)
        if abs(line - across) < 1e-3 and low <= along - half + 1e-6 and along + half <= high + 1e-6:
            return wall
    raise ValueError(f"no wall holds {hole.name} at ({hole.x}, {hole.y})")


Run = tuple[float, float, float, bool]  # line, low, high, outer


def _runs(boxes: list[tuple[float, float, float, float]], gaps: list[tuple[float, float, float]]) -> list[Run]:
    """Stretches of wall along every line; a box is (line below, line above, low, high)."""
    lines = sorted({round(v, 3) for below, above, _, _ in boxes for v in (below, above)})
    runs: list[Run] = []
    for line in lines:
        under = [(low, high) for _, above, low, high in boxes if abs(above - line) < 1e-3]
        over = [(low, high) for below, _, low, high in boxes if abs(below - line) < 1e-3]
        holes = [(low, high) for at, low, high in gaps if abs(at - line) < 1e-3]
        marks = sorted({round(v, 3) for pair in (*under, *over, *holes) for v in pair})
        for low, high in zip(marks[:-1], marks[1:], strict=True):
            middle = (low + high) / 2
            sides = [any(a < middle < b for a, b in side) for side in (under, over)]
            if not any(sides) or any(a < middle < b for a, b in holes):
                continue
            outer = not all(sides)
            if runs and runs[-1][0] == line and runs[-1][2] == low and runs[-1][3] == outer:
                runs[-1] = (line, runs[-1][1], high, outer)
            else:
                runs.append((line, low, high, outer))
    return runs


def _half(outer: bool) -> float:
    return (OUTER if outer else INNER) / 2


def _touching(runs: list[Run], line: float, at: float) -> tuple[bool, bool, float]:
    """Whether runs on a line lie below and above a point of it, and half of their thickness."""
    below = [o for at_line, low, high, o in runs if abs(at_line - line) < 1e-3 and low < at - 1e-6 <= high]
    above = [o for at_line, low, high, o in runs if abs(at_line - line) < 1e-3 and low <= at + 1e-6 < high]
    return bool(below), bool(above), max([_half(o) for o in (*below, *above)], default=0.0)


def _trim_level(level: list[Run], upright: list[Run]) -> list[Run]:
    made = []
    for y, low, high, outer in level:
        ends = []
        for end, sign in ((low, -1.0), (high, 1.0)):
            below, above, half = _touching(upright, end, y)
            left, right, _ = _touching(level, y, end)
            move = 0.0
            if below and above:
                move = -half
            elif (below or above) and not (left and right):
                move = half
            ends.append(end + sign * move)
        made.append((y, ends[0], ends[1], outer))
    return made


def _trim_upright(upright: list[Run], level: list[Run]) -> list[Run]:
    made = []
    for x, low, high, outer in upright:
        cuts: list[tuple[float, float]] = []
        for y in sorted({run[0] for run in level}):
            left, right, half = _touching(level, y, x)
            below, above, _ = _touching(upright, x, y)
            through = left and right
            corner = (left or right) and not (below and above)
            if low - 1e-6 <= y <= high + 1e-6 and (through or corner):
                cuts.append((y - half, y + half))
        start = low
        for bottom, top in cuts:
            if bottom > start:
                made.append((x, start, bottom, outer))
            start = max(start, top)
        if start < high:
            made.append((x, start, high, outer))
    return made
