"""A block as its designer sees it: turned upright, with room inside the setback, and a search for free places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon, affinity

from app.sample.plan import Block, Building, Parcel, Street, Surface
from app.sample.solids import Form, Pitched, Stack, moved, rectangle

Floats = NDArray[np.float64]
STEP = 3.0  # [m] raster of the search for places

# zoning -> caps of the sample: building coverage and floor area ratio [%]
CAPS = {
    "제1종일반주거지역": (60.0, 200.0),
    "제2종일반주거지역": (60.0, 250.0),
    "제3종일반주거지역": (50.0, 300.0),
    "준주거지역": (70.0, 500.0),
    "근린상업지역": (70.0, 900.0),
    "준공업지역": (70.0, 400.0),
    "자연녹지지역": (20.0, 100.0),
    "보전녹지지역": (20.0, 80.0),
}


@dataclass
class Filling:
    """What a block received."""

    parcels: list[Parcel] = field(default_factory=list)
    buildings: list[Building] = field(default_factory=list)
    surfaces: list[Surface] = field(default_factory=list)
    streets: list[Street] = field(default_factory=list)
    house_place: tuple[float, float, float] | None = None


class Site:
    """A block in its own axes: x along the side nearest to east-west, the origin at its centroid.

    Parameters
    ----------
    block : Block
    rng : Generator
    setback : float [m]
        Between block edge and buildings.
    zoning, use : str
        Korean zoning and land use of the block's single parcel (``parcel`` makes further ones).
    """

    def __init__(self, block: Block, rng: np.random.Generator, *, setback: float, zoning: str, use: str) -> None:
        self.block, self.rng = block, rng
        self.zoning, self.use = zoning, use
        self.angle = upright(block.polygon)
        self.centre = (block.polygon.centroid.x, block.polygon.centroid.y)
        self.outline = _to_local(block.polygon, self.angle, self.centre)
        self.room = self.outline.buffer(-setback)
        self.taken: list[Polygon] = []
        self.year = int(rng.integers(2026, 2031))  # a block is built in one go
        self.filling = Filling()
        self._lots = 0

    def parcel(self, outline: Polygon | None = None, *, use: str = "") -> str:
        """Add a parcel (own axes; the whole block by default) and give its id."""
        self._lots += 1
        name = f"S51-{self.block.number:03d}-{self._lots:02d}"
        world = self.block.polygon if outline is None else self.world(outline)
        coverage, floors = CAPS[self.zoning]
        self.filling.parcels.append(Parcel(name, world, self.zoning, use or self.use, coverage, floors))
        return name

    def world(self, polygon: Polygon) -> Polygon:
        """From the block's axes to the map."""
        shape = moved(Stack(polygon, 1.0), self.angle, self.centre)
        return shape.polygon

    def free(self, polygon: Polygon, gap: float) -> bool:
        """Whether a footprint lies in the room and keeps its distance."""
        return bool(self.room.contains(polygon)) and all(polygon.distance(other) >= gap for other in self.taken)

    def nearest(
        self, form: Form, target: tuple[float, float], gap: float, *, within: Polygon | None = None
    ) -> tuple[float, float] | None:
        """The shift nearest to `target` at which a form drawn around the origin is free (and inside a lot)."""
        room = self.room if within is None else self.room.intersection(within)
        if room.is_empty:
            return None
        west, south, east, north = room.bounds
        x, y = np.meshgrid(np.arange(west, east + STEP, STEP), np.arange(south, north + STEP, STEP))
        shifts = np.column_stack([x.ravel(), y.ravel()])
        shifts = shifts[np.argsort(np.hypot(*(shifts - np.asarray(target)).T), kind="stable")]
        outline = np.asarray(form.polygon.exterior.coords)[:, :2]
        shapes = shapely.polygons(outline[None] + shifts[:, None])
        shapely.prepare(room)
        good = shapely.contains(room, shapes)
        for other in self.taken:
            left = np.flatnonzero(good)
            good[left] = shapely.distance(shapes[left], other) >= gap
        found = np.flatnonzero(good)
        return (float(shifts[found[0], 0]), float(shifts[found[0], 1])) if len(found) else None

    def put(
        self,
        form: Form,
        target: tuple[float, float],
        details: Details,
        *,
        gap: float = 6.0,
        turned: bool = True,
        within: Polygon | None = None,
    ) -> bool:
        """Build a form as near to `target` as it fits (on a lot), if need be turned by a quarter."""
        for turn in (0.0, 90.0) if turned else (0.0,):
            shape = moved(form, turn, (0.0, 0.0))
            shift = self.nearest(shape, target, gap, within=within)
            if shift is not None:
                self.build(moved(shape, 0.0, shift), details)
                return True
        return False

    def build(self, form: Form, details: Details) -> None:
        """Build at exactly this place (own axes), whatever lies there."""
        self.taken.append(form.polygon)
        if not self.filling.parcels and not details.parcel:
            self.parcel()
        parcel = details.parcel or self.filling.parcels[0].id
        self.filling.buildings.append(
            Building(
                details.name, details.use, moved(form, self.angle, self.centre), details.storeys, details.below,
                details.dwellings, details.year or self.year, details.structure, parcel,
            )
        )  # fmt: skip

    def paint(self, polygon: Polygon, kind: str) -> None:
        """A surface for the photograph (own axes), cut to the block."""
        for part in polygons(self.outline.buffer(-1.0).intersection(polygon)):
            self.filling.surfaces.append(Surface(self.world(part), kind))


@dataclass(frozen=True)
class Details:
    """The words and numbers of a building."""

    name: str
    use: str
    storeys: int
    below: int = 0
    dwellings: int = 0
    structure: str = "철근콘크리트구조"
    parcel: str = ""
    year: int = 0


def polygons(shape: shapely.Geometry) -> list[Polygon]:
    """The polygons of any geometry."""
    return [p for p in getattr(shape, "geoms", [shape]) if isinstance(p, Polygon) and not p.is_empty]


def box(width: float, depth: float, x: float = 0.0, y: float = 0.0) -> Polygon:
    """An upright rectangle around (x, y)."""
    return shapely.box(x - width / 2, y - depth / 2, x + width / 2, y + depth / 2)


def hall(
    width: float,
    depth: float,
    top: float,
    *,
    roof_boxes: Callable[[], list[tuple[float, float, float, float]]] | None = None,
) -> Stack:
    """A flat-roofed box with parapet and, where asked, plant on its roof as (x, y, width, depth)."""
    parts = tuple(Stack(box(w, d, x, y), top + 3.2) for x, y, w, d in (roof_boxes() if roof_boxes else []))
    return Stack(box(width, depth), top, parts, parapet=1.1)


def flat(polygon: Polygon, top: float, rng: np.random.Generator, *, boxes: int = 1, parapet: float = 1.1) -> Stack:
    """Any plan under a flat roof with a few lift and plant houses."""
    parts = []
    inner = polygon.buffer(-2.2)
    for _ in range(boxes):
        if inner.is_empty:
            break
        west, south, east, north = inner.bounds
        x, y = rng.uniform(west, east), rng.uniform(south, north)
        room = box(rng.uniform(3.5, 7), rng.uniform(3.5, 6), x, y)
        if inner.contains(room):
            parts.append(Stack(room, top + rng.uniform(2.4, 4.0)))
    return Stack(polygon, top, tuple(parts), parapet)


def pitched(width: float, depth: float, eaves: float, ridge: float, kind: str, bays: int = 1) -> Pitched:
    """A pitched roof over an upright rectangle; the ridge lies along the longer side unless the roof is multi."""
    corners = rectangle(0.0, 0.0, width, depth, 0.0)
    if depth > width and kind != "multi":
        corners = np.roll(corners, -1, axis=0)
    return Pitched(corners, eaves, ridge, kind, bays)


def upright(polygon: Polygon) -> float:
    """Angle from east of the side of the enclosing rectangle that runs nearest to east-west [degrees, -45..45]."""
    corners = np.array(polygon.minimum_rotated_rectangle.exterior.coords)
    side = corners[1] - corners[0]
    angle = float(np.degrees(np.arctan2(side[1], side[0])))
    return (angle + 45.0) % 90.0 - 45.0


def _to_local(polygon: Polygon, angle: float, centre: tuple[float, float]) -> Polygon:
    shifted = affinity.translate(polygon, -centre[0], -centre[1])
    return affinity.rotate(shifted, -angle, origin=(0, 0))
