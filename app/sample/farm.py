"""The farm and energy valley: glasshouses, vertical farms, barns, fields and solar rows."""

from __future__ import annotations

import numpy as np
from shapely import affinity

from app.sample.plan import Block
from app.sample.site import Details, Filling, Site, box, flat, pitched
from app.sample.solids import Stack

STOREY = 5.2  # [m] of a vertical farm


def farm(block: Block, rng: np.random.Generator, which: int) -> Filling:
    """One of three kinds of farm block in turn: glasshouses, vertical farms, fields with solar rows."""
    site = Site(block, rng, setback=5.0, zoning="자연녹지지역" if which % 3 == 2 else "준공업지역", use="스마트팜용지")
    site.parcel()
    (_glasshouses, _vertical_farm, _fields)[which % 3](site, which)
    return site.filling


def _glasshouses(site: Site, which: int) -> None:
    west, south, east, north = site.room.bounds
    site.put(flat(box(24, 13), 8.4, site.rng), (west, south), Details(f"스마트팜 지원센터 {which + 1}", "업무시설", 2))
    number = 0
    for y in np.arange(south + 14, north - 10, 33.0):
        for x in np.arange(west + 24, east - 10, 50.0):
            bays = int(site.rng.choice([4, 5]))
            form = pitched(bays * 8.0, 26.0, 4.4, 6.4, "multi", bays)
            shift = site.nearest(form, (x, y), 5.0)
            if shift is None or abs(shift[0] - x) > 22 or abs(shift[1] - y) > 15:
                continue
            number += 1
            details = Details(
                f"스마트 온실 {which + 1}-{number}", "동물 및 식물관련시설(온실)", 1, structure="경량철골구조"
            )
            site.put(form, (x, y), details, gap=5.0, turned=False)


def _vertical_farm(site: Site, which: int) -> None:
    """Stepped glass towers: each terrace is set back from the one below."""
    rng = site.rng
    for number, (x, y) in enumerate(((-32, 16), (34, -12)), start=1):
        floors = int(rng.integers(7, 11))
        top: tuple[Stack, ...] = (Stack(box(8, 6, 2, 3), floors * STOREY + 4.5),)
        widths = ((22, 15, 3, 3), (30, 20, 1, 1), (38, 26, 0, 0))
        shares = (1.0, 0.7, 0.4)
        stack = top
        for (width, depth, dx, dy), share in zip(widths, shares, strict=True):
            stack = (Stack(box(width, depth, dx, dy), round(floors * share) * STOREY, stack, parapet=0.9),)
        details = Details(
            f"합강 수직농장 {which + 1}-{number}", "동물 및 식물관련시설(수직농장)", floors, 1, structure="철골구조"
        )
        site.put(stack[0], (x, y), details, gap=12)
    for number in range(1, 5):
        form = pitched(22, 13, 5.0, 8.0, "gable")
        place = (rng.uniform(-60, 60), rng.uniform(-60, 60))
        site.put(
            form, place, Details(f"농산물 선별장 {which + 1}-{number}", "창고시설", 1, structure="경량철골구조"), gap=8
        )


def _fields(site: Site, which: int) -> None:
    west, south, east, north = site.room.bounds
    for number in range(1, 4):
        form = pitched(17, 10, 4.0, 6.6, "gable")
        details = Details(f"농막 {which + 1}-{number}", "창고시설", 1, structure="목구조")
        site.put(form, (west + 12, south + 10 + 24 * number), details, gap=5)
    shift = site.nearest(Stack(box(62, 50), 1.0), (east, north), 5.0)
    if shift is not None:
        site.paint(affinity.translate(box(62, 50), *shift), "solar")
        site.taken.append(affinity.translate(box(62, 50), *shift))
    for y in np.arange(south, north, 26.0):
        for x in np.arange(west, east, 44.0):
            plot = box(40, 22, x + 20, y + 11)
            if all(plot.distance(t) > 2 for t in site.taken):
                site.paint(plot, "field")
