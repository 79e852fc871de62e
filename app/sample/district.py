"""Fill every block of the drawing board and see that the district has the dwellings that are planned."""

from __future__ import annotations

from collections import Counter

import numpy as np
import shapely
from shapely import LineString

from app.sample import civic, detailed, farm, homes, layout
from app.sample.plan import WINDOW, Block, Plan
from app.sample.site import Filling
from geo.model import Feedback

DWELLINGS = (9_250, 9_650)
DWELLINGS_AIM = 9_450
FILLERS = {
    "elementary": civic.school, "middle": civic.school, "high": civic.school,
    "library": civic.single, "concert": civic.single, "hospital": civic.single, "convention": civic.single,
    "datacentre": civic.single, "hydrogen": civic.single, "academy": civic.single,
    "public": civic.public, "social": civic.social, "innovation": civic.innovation, "farm": farm.farm,
    "park": civic.park, "parking": civic.parking, "house": civic.house_block,
    "wood": civic.green, "belt": civic.green, "greenway": civic.green,
}  # fmt: skip


def plan_district(seed: int, feedback: Feedback) -> Plan:
    """Streets, parcels and buildings of a seed, not yet standing on the ground."""
    drawing = layout.design(seed)
    plan = Plan(drawing.boundary, streets=list(drawing.streets), blocks=drawing.blocks, woodlands=drawing.woods)
    fillings = _fill_all(drawing.blocks, seed, feedback)
    _meet_dwellings(fillings)
    for number in sorted(fillings):
        filling = fillings[number]
        plan.parcels += filling.parcels
        plan.buildings += filling.buildings
        plan.surfaces += filling.surfaces
        plan.streets += filling.streets
        plan.house_place = filling.house_place or plan.house_place
    plan.water = _water(drawing)
    detailed.reserve(plan)
    return plan


def _fill_all(blocks: list[Block], seed: int, feedback: Feedback) -> dict[int, Filling]:
    seen: Counter[str] = Counter()
    fillings = {}
    for done, block in enumerate(blocks):
        feedback.step(done / len(blocks), f"planning block {block.number}")
        rng = np.random.default_rng([seed, 2, block.number])
        if block.use == "apartment":
            fillings[block.number] = homes.apartments(block, rng)
        elif block.use == "detached":
            fillings[block.number] = homes.houses(block, rng)
        elif block.use == "mixed":
            fillings[block.number] = homes.mixed(block, rng)
        else:
            fillings[block.number] = FILLERS[block.use](block, rng, seen[block.use])
        seen[block.use] += 1
    return fillings


def _meet_dwellings(fillings: dict[int, Filling]) -> None:
    """Raise or lower the apartment buildings until the total lies in the planned range."""
    designed = {number: list(filling.buildings) for number, filling in fillings.items()}
    factor = 1.0
    for _ in range(12):
        total = sum(b.dwellings for f in fillings.values() for b in f.buildings)
        if DWELLINGS[0] <= total <= DWELLINGS[1]:
            return
        here = sum(b.dwellings for f in fillings.values() for b in f.buildings if b.use == homes.APARTMENT_USE)
        factor *= max(1.0 + (DWELLINGS_AIM - total) / max(here, 1), 0.3)
        for number, buildings in designed.items():
            fillings[number].buildings = [
                homes.raised(b, factor) if b.use == homes.APARTMENT_USE else b for b in buildings
            ]


def _water(drawing: layout.Layout) -> list[tuple[str, str, shapely.Polygon]]:
    """River, stream and two ponds as (name, kind, polygon)."""
    window = shapely.box(*WINDOW)
    stream = drawing.stream.intersection(drawing.boundary).buffer(3.2)
    river = drawing.river
    north = shapely.box(WINDOW.west, -430, WINDOW.east, WINDOW.north)
    parts = [("미호천", "river", river.intersection(north)), ("금강", "river", river.difference(north))]
    parts.append(("금개천", "stream", stream.difference(river)))
    for share, radius in ((0.34, 15.0), (0.66, 19.0)):
        point = drawing.stream.interpolate(share, normalized=True)
        pond = LineString([(point.x - 14, point.y - 6), (point.x + 12, point.y + 9)]).buffer(radius)
        parts.append(("합강호수", "pond", pond.intersection(drawing.greenway.buffer(-8)).simplify(0.5)))
    return [(n, k, p) for n, k, shape in parts for p in getattr(shape.intersection(window), "geoms", [shape])]
