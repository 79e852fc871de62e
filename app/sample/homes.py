"""Where people live: apartment estates, shop houses and mixed blocks, detached houses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon, affinity

from app.sample.layout import STREET_KINDS
from app.sample.plan import Block, Building, Street
from app.sample.site import Details, Filling, Site, box, flat, pitched, polygons
from app.sample.solids import Form, Stack, Strip, moved

Floats = NDArray[np.float64]
STOREY = 2.9  # [m]
PLINTH = 0.9  # [m] of an apartment building
UNIT_LENGTH, UNIT_DEPTH = 21.0, 12.6  # [m] two dwellings around one stair
SHOP_STOREY = 4.2
APARTMENT_USE, DETACHED_USE, MIXED_USE = "공동주택(아파트)", "단독주택", "주상복합"


def apartments(block: Block, rng: np.random.Generator) -> Filling:
    """An estate: rows of stepped slabs facing south, or towers, with its community centre, day care and shops."""
    x, y = block.polygon.centroid.x, block.polygon.centroid.y
    tall = 13.5 + 4.0 * np.sin(x / 260.0 + 1.0) + 3.0 * np.cos(y / 230.0) + rng.normal(0, 1.5)
    zoning = "제3종일반주거지역" if tall > 12 else "제2종일반주거지역"
    site = Site(block, rng, setback=7.0, zoning=zoning, use="공동주택용지")
    site.parcel()
    estate = f"합강마을 {block.number}단지"
    numbers = iter(range(block.number * 100 + 1, block.number * 100 + 99))
    if rng.random() < 0.66:
        _slab_rows(site, estate, numbers, tall)
        _towers(site, estate, numbers, tall * 1.2, limit=2)
    else:
        _towers(site, estate, numbers, tall * 1.3, limit=9)
    _ancillary(site, estate, rng)
    # The drive that fire engines need runs around the estate, just inside its edge.
    site.paint(site.outline.buffer(-1.5).difference(site.outline.buffer(-6.0)), "drive")
    return site.filling


def raised(building: Building, factor: float) -> Building:
    """An apartment building with more or fewer storeys (5 to 25), all else as it is."""
    form = building.form
    if isinstance(form, Strip):
        old = [round((top - PLINTH) / STOREY) for top in form.tops]
        new = [_storeys(count * factor) for count in old]
        form = replace(form, tops=tuple(round(count * STOREY + PLINTH, 2) for count in new))
        dwellings = sum(new) * 2
        return replace(building, form=form, storeys_above=max(new), dwellings=dwellings)
    storeys = max(_storeys(building.storeys_above * factor), 8)
    more = (storeys - building.storeys_above) * STOREY
    dwellings = building.dwellings // building.storeys_above * storeys
    return replace(building, form=_heightened(form, more), storeys_above=storeys, dwellings=dwellings)


def _storeys(wanted: float) -> int:
    return int(np.clip(round(wanted), 5, 25))


def _heightened(form: Form, more: float) -> Form:
    if not isinstance(form, Stack):
        return form
    upper = tuple(part for part in (_heightened(u, more) for u in form.upper) if isinstance(part, Stack))
    return replace(form, top=round(form.top + more, 2), upper=upper)


def _ancillary(site: Site, estate: str, rng: np.random.Generator) -> None:
    west, south, east, north = site.room.bounds
    edge = (rng.choice([west, east]), rng.choice([south, north]))
    centre = flat(box(rng.uniform(22, 28), 14), 8.6, rng)
    site.put(centre, (0, -20), Details(f"{estate} 주민공동시설", "주민공동시설", 2, 1), gap=9)
    shops = flat(box(32, 10), 8.8, rng)
    site.put(shops, edge, Details(f"{estate} 상가", "제1종근린생활시설", 2, 1), gap=9)
    care = pitched(18, 11, 4.2, 6.4, "shed")
    site.put(care, (-edge[0], -edge[1]), Details(f"{estate} 어린이집", "노유자시설(어린이집)", 1), gap=9)
    gate = Stack(box(5.5, 3.6), 3.4, parapet=0.3)
    site.put(gate, (edge[0], -edge[1]), Details(f"{estate} 경비실", "관리사무소", 1), gap=5)


def _slab_rows(site: Site, estate: str, numbers: Iterator[int], tall: float) -> None:
    _, south, _, north = site.room.bounds
    spacing = max(36.0, 0.86 * tall * STOREY)
    rows = 1 + max(int((north - south - UNIT_DEPTH) / spacing), 0)
    first = south + UNIT_DEPTH / 2 + 1.0
    spacing = (north - south - UNIT_DEPTH - 4.0) / max(rows - 1, 1)
    for row in range(rows):
        storeys = tall * (0.86 + 0.3 * row / max(rows - 1, 1))
        _fill_row(site, estate, numbers, first + row * spacing, storeys)


def _fill_row(site: Site, estate: str, numbers: Iterator[int], y: float, storeys: float) -> None:
    rng = site.rng
    west, _, east, _ = site.room.bounds
    x = west + rng.uniform(0, 4)
    while x < east - UNIT_LENGTH:
        for units in rng.permutation([3, 2, 4, 3])[:3].tolist() + [2, 1]:
            bend = float(rng.choice([0.0, 0.0, 0.0, 18.0, -18.0])) if units > 2 else 0.0
            outline = _slab_line(units, bend) + [x, y + rng.normal(0, 1.0)]
            form = _slab(outline, storeys * rng.uniform(0.92, 1.08), rng)
            if site.free(form.polygon, 11.0):
                counts = [round((top - PLINTH) / STOREY) for top in form.tops]
                _build_apartment(site, form, f"{estate} {next(numbers)}동", max(counts), 2 * sum(counts))
                x = form.polygon.bounds[2] + rng.uniform(11, 17)
                break
        else:
            x += 6.0


def _slab_line(units: int, bend_deg: float) -> Floats:
    """Joints of the units, (units + 1, 2), along the middle of the slab; one bend halfway."""
    steps = [np.zeros(2)]
    for number in range(units):
        turn = np.radians(bend_deg if number >= units / 2 else 0.0)
        steps.append(steps[-1] + UNIT_LENGTH * np.array([np.cos(turn), np.sin(turn)]))
    return np.array(steps)


def _slab(line: Floats, storeys: float, rng: np.random.Generator) -> Strip:
    """A stepped slab: each unit its own height, each with its lift house."""
    direction = np.diff(line, axis=0)
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    normal = np.column_stack([-direction[:, 1], direction[:, 0]])
    joint = np.vstack([normal[:1], (normal[:-1] + normal[1:]) / 2, normal[-1:]])
    joint /= (joint**2).sum(axis=1)[:, None]  # mitre: the same depth on both sides of a bend
    front, back = line - joint * UNIT_DEPTH / 2, line + joint * UNIT_DEPTH / 2
    units = len(line) - 1
    slope = rng.choice([-1.0, 0.0, 0.0, 1.0]) * rng.uniform(1.5, 3.0)
    tops, houses = [], []
    for i in range(units):
        here = storeys + slope * (i - (units - 1) / 2)
        count = _storeys(here)
        tops.append(round(count * STOREY + PLINTH, 2))
        middle = (line[i] + line[i + 1]) / 2 + normal[i] * 2.2
        houses.append(_turned(box(6.4, 5.2), direction[i], middle))
    return Strip(front, back, tuple(tops), tuple(houses))


def _turned(polygon: Polygon, direction: Floats, middle: Floats) -> Polygon:
    points = np.asarray(polygon.exterior.coords)[:-1]
    matrix = np.array([direction, [-direction[1], direction[0]]])
    return Polygon(points @ matrix + middle)


def _build_apartment(site: Site, form: Strip | Stack, name: str, storeys: int, dwellings: int) -> None:
    site.build(form, Details(name, APARTMENT_USE, storeys, 2, dwellings))


def _towers(site: Site, estate: str, numbers: Iterator[int], storeys: float, *, limit: int) -> None:
    """Point towers of star, cross or square plan as far apart as their height asks for."""
    rng = site.rng
    west, south, east, north = site.room.bounds
    corners = ((west, south), (east, north), (west, north), (east, south), (0.0, 0.0))
    for number in range(limit):
        plan, per_storey = _tower_plan(rng)
        count = max(_storeys(storeys * rng.uniform(0.88, 1.12)), 8)
        tower = _tower(plan, count, set_back=limit > 2 and rng.random() < 0.45)
        turned = moved(tower, float(rng.choice([0.0, 30.0, 60.0])), (0.0, 0.0))
        shift = site.nearest(turned, corners[number % 5], max(20.0, 0.46 * storeys * STOREY))
        if shift is None:
            return
        form = moved(turned, 0.0, shift)
        if isinstance(form, Stack):
            _build_apartment(site, form, f"{estate} {next(numbers)}동", count, count * per_storey)


def _tower(plan: Polygon, storeys: int, *, set_back: bool) -> Stack:
    """A tower with its lift house; `set_back` makes the uppermost two storeys smaller."""
    top = round(storeys * STOREY + PLINTH, 2)
    core = (Stack(box(8.0, 7.0), round(top + 4.5, 2)),)
    crown = plan.buffer(-1.8, join_style="mitre")
    if set_back and isinstance(crown, Polygon) and crown.buffer(-0.5).contains(core[0].polygon):
        return Stack(plan, round(top - 2 * STOREY, 2), (Stack(crown, top, core, parapet=1.0),), parapet=1.1)
    return Stack(plan, top, core, parapet=1.1)


def _tower_plan(rng: np.random.Generator) -> tuple[Polygon, int]:
    """Plan of a tower and its dwellings on a storey."""
    kind = rng.choice(["star", "cross", "square"])
    if kind == "square":
        return box(25.0, 23.0), 4
    if kind == "cross":
        return shapely.union_all([box(30.0, 13.0), box(13.0, 27.0)]), 4
    arms = [affinity.rotate(box(12.0, 19.0, 0.0, 9.5), a, origin=(0, 0)) for a in (0, 120, 240)]
    return shapely.union_all(arms).simplify(0.2), 3


def houses(block: Block, rng: np.random.Generator) -> Filling:
    """Rows of lots back to back between narrow lanes, one house on each."""
    site = Site(block, rng, setback=1.5, zoning="제1종일반주거지역", use="단독주택용지")
    for outline in _lots(site, depth=16.0, width=15.5, least=150.0):
        parcel = site.parcel(outline)
        _house(site, outline, parcel)
    return site.filling


def _lots(site: Site, *, depth: float, width: float, least: float) -> list[Polygon]:
    """Cut the block into lots; adds the lanes between them."""
    west, south, east, north = site.outline.bounds
    lane = STREET_KINDS["lane"][0]
    pairs = max(round((north - south + lane) / (2 * depth + lane)), 1)
    depth = (north - south - lane * (pairs - 1)) / (2 * pairs)
    lots: list[Polygon] = []
    for pair in range(pairs):
        base = south + pair * (2 * depth + lane)
        if pair > 0:
            _lane(site, base - lane / 2)
        count = max(round((east - west) / width), 1)
        for row in (0, 1):
            edges = west + (east - west) * np.arange(count + 1) / count
            edges[1:-1] += site.rng.normal(0, 0.7, max(count - 1, 0))
            for x0, x1 in zip(edges[:-1], edges[1:], strict=True):
                cell = shapely.box(x0, base + row * depth, x1, base + (row + 1) * depth)
                lots += [p for p in polygons(cell.intersection(site.outline)) if p.area >= least]
    return lots


def _lane(site: Site, y: float) -> None:
    west, _, east, _ = site.outline.bounds
    line = LineString([(west - 20, y), (east + 20, y)]).intersection(site.outline.buffer(5.5))
    width, carriageway, lanes, speed = STREET_KINDS["lane"]
    for part in getattr(line, "geoms", [line]):
        if isinstance(part, LineString) and part.length > 25:
            turn = np.radians(site.angle)
            matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
            world = LineString(np.asarray(part.coords) @ matrix + np.asarray(site.centre))
            name = f"골목 {site.block.number}-{len(site.filling.streets) + 1}"
            site.filling.streets.append(Street(name, "lane", world, width, carriageway, lanes, speed))


def _house(site: Site, lot: Polygon, parcel: str) -> None:
    rng = site.rng
    storeys = int(rng.choice([1, 2, 2, 2, 3]))
    eaves = storeys * 3.0 + 0.4
    for shrink in (1.0, 0.9, 0.8):
        width, depth = rng.uniform(8.4, 11.2) * shrink, rng.uniform(8.2, 10.2) * shrink
        kind = str(rng.choice(["gable", "gable", "hip", "flat", "shed"]))
        if kind == "flat":
            form: Form = flat(box(width, depth), eaves + 0.3, rng, boxes=0, parapet=0.6)
        else:
            form = pitched(width, depth, eaves, eaves + (1.6 if kind == "shed" else 0.34 * min(width, depth)), kind)
        middle = lot.representative_point()
        shift = (middle.x + rng.normal(0, 0.5), middle.y + rng.uniform(0.2, 1.6))
        placed = moved(form, 0.0, shift)
        if lot.buffer(-1.0).contains(placed.polygon) and site.free(placed.polygon, 2.0):
            dwellings = 2 if rng.random() < 0.2 else 1
            structure = str(rng.choice(["목구조", "철근콘크리트구조", "경량철골구조"]))
            name = f"합강 단독 {parcel.removeprefix('S51-')}"
            site.build(
                placed, Details(name, DETACHED_USE, storeys, int(rng.random() < 0.1), dwellings, structure, parcel)
            )
            return


def mixed(block: Block, rng: np.random.Generator) -> Filling:
    """Shop houses on small lots, or large blocks of shops with homes and offices above."""
    site = Site(block, rng, setback=3.0, zoning="준주거지역", use="복합용지")
    if block.number % 5 in (0, 3):
        for outline in _lots(site, depth=20.0, width=17.5, least=230.0):
            _shop_house(site, outline, site.parcel(outline, use="점포겸용주택용지"))
        return site.filling
    for outline in quarters(site.outline, 4_600.0):
        _podium(site, outline, site.parcel(outline))
    return site.filling


def quarters(outline: Polygon, largest: float) -> list[Polygon]:
    """Cut across the longer side until no piece is larger than `largest` [m2]."""
    if outline.area <= largest:
        return [outline]
    west, south, east, north = outline.bounds
    x, y = outline.centroid.x, outline.centroid.y
    far = 2_000.0
    if east - west >= north - south:
        halves = (shapely.box(-far, -far, x, far), shapely.box(x, -far, far, far))
    else:
        halves = (shapely.box(-far, -far, far, y), shapely.box(-far, y, far, far))
    return [q for half in halves for p in polygons(outline.intersection(half)) for q in quarters(p, largest)]


def _shop_house(site: Site, lot: Polygon, parcel: str) -> None:
    rng = site.rng
    storeys = int(rng.choice([3, 4, 4, 5]))
    top = SHOP_STOREY + (storeys - 1) * 3.1
    middle = lot.representative_point()
    for shrink in (1.0, 0.85, 0.7):
        plan = box(rng.uniform(12.0, 14.0) * shrink, rng.uniform(12.5, 15.5) * shrink, middle.x, middle.y)
        if lot.buffer(-1.2).contains(plan) and site.free(plan, 2.4):
            form = flat(plan, top, rng)
            homes = (storeys - 1) * int(rng.choice([1, 2]))
            name = f"합강 상가주택 {parcel.removeprefix('S51-')}"
            site.build(form, Details(name, "제1종근린생활시설 및 다가구주택", storeys, 1, homes, parcel=parcel))
            return


def _podium(site: Site, lot: Polygon, parcel: str) -> None:
    """Two or three storeys of shops over the lot, one or two blocks of homes or offices on top."""
    rng = site.rng
    plan = lot.intersection(site.room).buffer(-3.5, join_style="mitre").buffer(-3).buffer(3).simplify(1.0)
    if not isinstance(plan, Polygon) or plan.area < 500:
        return
    floors = int(rng.choice([2, 3]))
    top = floors * SHOP_STOREY + 0.6
    room = plan.buffer(-3.0)
    upper: list[Stack] = []
    dwellings, tallest = 0, floors
    for _ in range(30):
        west, south, east, north = room.bounds
        tower = box(rng.uniform(16, 24), rng.uniform(15, 19), rng.uniform(west, east), rng.uniform(south, north))
        if room.contains(tower) and all(tower.distance(u.polygon) > 14 for u in upper) and len(upper) < 2:
            count = int(rng.integers(6, 15))
            crown = top + count * 3.1
            house = box(6.0, 5.5, tower.centroid.x, tower.centroid.y)
            upper.append(Stack(tower, crown, (Stack(house, crown + 4.0),), parapet=1.1))
            dwellings += count * max(round(tower.area / 115.0), 1)
            tallest = max(tallest, floors + count)
    offices = rng.random() < 0.3
    form = Stack(plan, top, tuple(upper), parapet=1.1)
    use = "업무시설" if offices and upper else MIXED_USE if upper else "제2종근린생활시설"
    name = f"합강 {'비즈니스' if offices and upper else '스마트'}타워 {parcel.removeprefix('S51-')}"
    site.build(form, Details(name, use, tallest, 3, 0 if offices else dwellings, parcel=parcel))
