"""What is neither home nor farm: schools, culture, health, offices and laboratories, parks and car parks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely
from shapely import Polygon, affinity

from app.sample.homes import quarters
from app.sample.plan import Block
from app.sample.site import Details, Filling, Site, box, flat, hall, pitched
from app.sample.solids import Stack

SCHOOLS = {
    "elementary": ("초등학교", ("합강", "미호"), 4),
    "middle": ("중학교", ("합강", "금강"), 5),
    "high": ("고등학교", ("합강", "미래"), 5),
}
OFFICE_STOREY = 4.2
HOUSE_PLOT = (62.0, 48.0)  # [m] lot kept free for the detailed building model


def school(block: Block, rng: np.random.Generator, which: int) -> Filling:
    """Teaching wings in the north, gym and canteen beside them, the sports field in the south."""
    kind, names, storeys = SCHOOLS[block.use]
    name = f"{names[which % 2]}{kind}"
    site = Site(block, rng, setback=6.0, zoning="제2종일반주거지역", use="학교용지")
    site.parcel()
    west, south, east, north = site.room.bounds
    middle = (west + east) / 2
    use = "교육연구시설(학교)"
    wing = shapely.union_all([box(74, 11.5, 0, 12), box(11.5, 30, -31, 3), box(11.5, 24, 31, 6)])
    small = shapely.union_all([box(56, 11.5, 0, 9), box(11.5, 26, -22, 1.5)])
    details = Details(f"{name} 본관", use, storeys, 1)
    boxes = flat(wing, storeys * 3.8 + 0.8, rng, boxes=4)
    target = (middle, north - 24)
    if not site.put(boxes, target, details, turned=False):
        site.put(flat(small, storeys * 3.8 + 0.8, rng, boxes=2), target, details)
    track = _track(min(86.0, east - west - 4), 46.0)
    shift = site.nearest(Stack(track, 1.0), (middle, south + 24), 6.0)
    if shift is None:
        track = _track(56.0, 34.0)
        shift = site.nearest(Stack(track, 1.0), (middle, south + 20), 5.0)
    if shift is not None:
        field = affinity.translate(track, *shift)
        site.taken.append(field)
        site.paint(field, "track")
        site.paint(field.buffer(-6.0), "pitch")
    gym = pitched(34, 23, 8.5, 12.5, "gable")
    site.put(gym, (east - 18, north - 60), Details(f"{name} 체육관", use, 2, structure="철골구조"))
    site.put(flat(box(22, 14), 5.2, rng), (west + 12, north - 60), Details(f"{name} 급식실", use, 1))
    site.put(pitched(9, 5, 3.0, 3.9, "shed"), (west, south), Details(f"{name} 창고", use, 1))
    return site.filling


def _track(length: float, width: float) -> Polygon:
    straight = max(length - width, 1.0)
    return shapely.LineString([(-straight / 2, 0), (straight / 2, 0)]).buffer(width / 2)


def kindergarten(site: Site, name: str) -> None:
    """A two-storey kindergarten with a yard."""
    plan = shapely.union_all([box(30, 11), box(11, 24, -9.5, -6.5)])
    form = flat(plan, 7.8, site.rng, boxes=1, parapet=0.8)
    site.put(form, (0, 20), Details(name, "노유자시설(유치원)", 2))
    yard = box(24, 16)
    shift = site.nearest(Stack(yard, 1.0), (0, 0), 2.0)
    if shift is not None:
        site.taken.append(affinity.translate(yard, *shift))
        site.paint(affinity.translate(yard, *shift), "playground")


def single(block: Block, rng: np.random.Generator, which: int) -> Filling:
    """Blocks of one institution."""
    del which
    words: dict[str, tuple[str, str, Callable[[Site], None]]] = {
        "library": ("준주거지역", "문화시설용지", _library),
        "concert": ("준주거지역", "문화시설용지", _concert),
        "hospital": ("준주거지역", "의료시설용지", _hospital),
        "convention": ("근린상업지역", "전시컨벤션용지", _convention),
        "datacentre": ("준공업지역", "첨단산업용지", _data_centre),
        "hydrogen": ("준공업지역", "에너지시설용지", _hydrogen),
        "academy": ("자연녹지지역", "문화재보호구역", _academy),
    }
    zoning, use, build = words[block.use]
    site = Site(block, rng, setback=6.0, zoning=zoning, use=use)
    site.parcel()
    build(site)
    return site.filling


def _library(site: Site) -> None:
    use = "문화 및 집회시설(도서관)"
    base = shapely.union_all([box(58, 22), box(24, 44, 17, 11)])
    upper = (Stack(box(40, 15, -3, 0), 14.5, (Stack(box(8, 6, 4, 0), 18.0),), parapet=1.0),)
    site.put(Stack(base, 9.6, upper, 1.1), (0, 0), Details("합강 시립도서관", use, 3, 1))
    site.put(pitched(16, 12, 4.2, 7.0, "hip"), (30, -30), Details("합강 어린이도서관", use, 1))
    site.paint(box(200, 26, 0, -26), "plaza")


def _concert(site: Site) -> None:
    use = "문화 및 집회시설(공연장)"
    angle = np.linspace(0, 2 * np.pi, 29)[:-1]
    oval = Polygon(np.column_stack([32 * np.cos(angle), 24 * np.sin(angle)]))
    stage = Stack(box(26, 18, 4, 0), 27.0, parapet=0.8)
    site.put(Stack(oval, 16.0, (stage,), 0.8), (0, 10), Details("합강 음악당", use, 4, 2))
    site.put(hall(54, 26, 13.0), (0, -40), Details("합강 미술관", "문화 및 집회시설(전시장)", 3, 1))
    site.put(pitched(22, 12, 4.5, 7.5, "shed"), (50, 0), Details("합강 공방", "문화 및 집회시설(전시장)", 1))
    site.paint(box(90, 24, 0, -14), "plaza")


def _hospital(site: Site) -> None:
    use = "의료시설(종합병원)"
    base = box(70, 46)
    ward = shapely.union_all([box(58, 15, 0, 8), box(15, 32, -15, 2)])
    upper = (Stack(ward, 42.0, (Stack(box(9, 8, -15, 6), 46.5), Stack(box(9, 7, 16, 8), 46.5)), parapet=1.2),)
    site.put(Stack(base, 14.4, upper, 1.1), (0, 10), Details("합강 종합병원", use, 10, 3))
    site.put(hall(26, 18, 9.0), (-40, -40), Details("합강 종합병원 별관", use, 2, 1))
    site.put(hall(36, 18, 9.6), (40, -40), Details("합강 종합병원 주차동", "자동차관련시설(주차장)", 3))
    site.paint(box(200, 20, 0, -34), "carpark")


def _convention(site: Site) -> None:
    use = "문화 및 집회시설(컨벤션)"
    upper = (Stack(box(30, 20, -28, 0), 25.0, parapet=0.8), Stack(box(44, 32, 20, 0), 21.5, parapet=0.8))
    site.put(Stack(box(104, 54), 17.0, upper, 1.2), (0, 8), Details("합강 컨벤션센터", use, 3, 2))
    site.put(pitched(62, 30, 11.0, 15.0, "multi", 4), (0, -44), Details("합강 전시장", use, 1, structure="철골구조"))
    tower = flat(box(26, 18), 52.0, site.rng, boxes=1)
    site.put(tower, (-50, -40), Details("합강 비즈니스호텔", "숙박시설", 13, 2))
    site.paint(box(200, 22, 0, -28), "plaza")


def _plant(width: float, depth: float) -> Callable[[], list[tuple[float, float, float, float]]]:
    """Rows of chillers on a roof."""

    def boxes() -> list[tuple[float, float, float, float]]:
        xs = np.arange(-width / 2 + 6, width / 2 - 5, 9.0)
        return [(float(x), y, 5.0, 7.0) for x in xs for y in (-depth / 4, depth / 4)]

    return boxes


def _data_centre(site: Site) -> None:
    use = "방송통신시설(데이터센터)"
    for number, y in enumerate((22.0, -26.0), start=1):
        form = hall(66, 34, 23.0, roof_boxes=_plant(66, 34))
        site.put(form, (0, y), Details(f"합강 데이터센터 {number}동", use, 3, 1), gap=10)
    site.put(hall(20, 12, 8.6), (-40, 0), Details("합강 데이터센터 관리동", use, 2))
    site.put(hall(14, 9, 5.5), (40, 0), Details("합강 데이터센터 변전실", "발전시설", 1))


def _hydrogen(site: Site) -> None:
    site.put(Stack(box(26, 15), 6.2, parapet=0.4), (0, -30), Details("합강 수소충전소", "위험물저장 및 처리시설", 1))
    site.put(hall(14, 9, 4.6), (26, -30), Details("합강 수소충전소 사무동", "제1종근린생활시설", 1))
    site.put(hall(46, 28, 13.0, roof_boxes=_plant(46, 28)), (0, 20), Details("합강 에너지센터", "발전시설", 2, 1))
    for number, x in enumerate((-40.0, -22.0), start=1):
        angle = np.linspace(0, 2 * np.pi, 25)[:-1]
        tank = Polygon(np.column_stack([6 * np.cos(angle), 6 * np.sin(angle)]))
        site.put(
            Stack(tank, 11.0), (x, -8), Details(f"합강 축열조 {number}", "발전시설", 1, structure="철골구조"), gap=4
        )
    site.paint(box(200, 40, 0, 60), "solar")


def _academy(site: Site) -> None:
    """The protected academy: hip-roofed halls around a court at the foot of the wood."""
    use = "문화 및 집회시설(서원)"
    halls = (
        ("강당", 15.0, 8.0, 0.0, 14.0), ("사당", 10.0, 7.0, 0.0, 34.0), ("동재", 6.0, 11.0, 15.0, -3.0),
        ("서재", 6.0, 11.0, -15.0, -3.0), ("솟을대문", 9.0, 4.5, 0.0, -18.0), ("장판각", 7.0, 5.0, 22.0, 20.0),
    )  # fmt: skip
    for name, width, depth, x, y in halls:
        form = pitched(width, depth, 3.4, 3.4 + 0.42 * min(width, depth), "hip")
        details = Details(f"합호서원 {name}", use, 1, structure="목구조", year=1716)
        site.put(form, (x - 20, y - 4), details, gap=2.0, turned=False)
    site.paint(box(38, 44, -20, 4), "soil")
    site.put(flat(box(24, 12), 4.6, site.rng, parapet=0.6), (70, -20), Details("합호서원 교육관", use, 1))


def public(block: Block, rng: np.random.Generator, which: int) -> Filling:
    """Offices of the public around a square."""
    site = Site(block, rng, setback=6.0, zoning="준주거지역", use="공공청사용지")
    site.parcel()
    groups = (
        (("합강동 복합커뮤니티센터", 46, 30, 5), ("합강 119안전센터", 30, 18, 3), ("합강 파출소", 18, 13, 3),
         ("합강 우체국", 22, 15, 3), ("합강 보건지소", 24, 15, 3)),
        (("합강 스마트시티 통합운영센터", 50, 26, 7), ("합강 평생교육원", 40, 20, 5), ("합강 시민회관", 36, 26, 4),
         ("합강 청소년센터", 26, 18, 4)),
        (("합강 국민체육센터", 48, 34, 3), ("합강 노인복지관", 34, 16, 4), ("합강 가족센터", 26, 16, 4),
         ("합강 장애인복지관", 28, 16, 3)),
    )  # fmt: skip
    _around(site, groups[which % 3], "공공업무시설", rng)
    return site.filling


def _around(site: Site, words: tuple[tuple[str, int, int, int], ...], use: str, rng: np.random.Generator) -> None:
    west, south, east, north = site.room.bounds
    corners = ((0, north), (east, south), (west, south), (east, north), (west, north))
    site.paint(box(44, 34), "plaza")
    for (name, width, depth, storeys), corner in zip(words, corners, strict=False):
        plan: Polygon = box(width, depth)
        if width > 30:
            plan = shapely.union_all([plan, box(width * 0.35, depth * 1.5, -width * 0.3, -depth * 0.25)])
        site.put(flat(plan, storeys * 4.0 + 0.6, rng, boxes=2), corner, Details(name, use, storeys, 1), gap=9)


def social(block: Block, rng: np.random.Generator, which: int) -> Filling:
    """Kindergarten, sports hall, small stage and a few shops in a garden."""
    site = Site(block, rng, setback=5.0, zoning="준주거지역", use="소셜용지")
    site.parcel()
    kindergarten(site, f"합강{which + 1}유치원")
    west, south, east, north = site.room.bounds
    if which % 2 == 0:
        gym = pitched(44, 32, 9.0, 13.5, "gable")
        site.put(
            gym, (east, north), Details(f"합강 스포츠센터 {which // 2 + 1}관", "운동시설", 2, 1, structure="철골구조")
        )
    else:
        plan = shapely.union_all([box(40, 22), box(18, 30, 8, 0)])
        site.put(
            flat(plan, 12.4, rng, boxes=2), (east, north), Details(f"합강 소셜센터 {which}호", "근린공공시설", 3, 1)
        )
    stage = shapely.Point(0, 0).buffer(13)
    shift = site.nearest(Stack(stage, 1.0), (0, 0), 4.0)
    if shift is not None:
        site.taken.append(affinity.translate(stage, *shift))
        site.paint(affinity.translate(stage, *shift), "plaza")
    for number in range(1, 9):
        storeys = int(rng.integers(2, 5))
        form = flat(box(rng.uniform(12, 18), rng.uniform(10, 13)), storeys * 3.9, rng)
        corner = ((west, south), (east, south), (0, south), (west, north))[number % 4]
        name = f"합강 소셜상가 {block.number}-{number}"
        site.put(form, corner, Details(name, "제2종근린생활시설", storeys, 1), gap=7)
    return site.filling


def innovation(block: Block, rng: np.random.Generator, which: int) -> Filling:
    """Campus of offices and laboratories; every lot has another plan."""
    site = Site(block, rng, setback=5.0, zoning="준공업지역", use="혁신벤처용지")
    names = (
        "벤처스타트업 센터",
        "스마트빌딩",
        "로봇 실증센터",
        "AI 연구소",
        "모빌리티 연구소",
        "코워킹 라운지",
        "바이오 연구동",
    )
    for number, outline in enumerate(quarters(site.outline, 4_800.0)):
        parcel = site.parcel(outline)
        middle = outline.representative_point()
        form, storeys = _office(rng, int(rng.integers(4, 13)))
        title = names[(block.number * 3 + number) % len(names)]
        lodging = (which + number) % 11 == 5
        use = "숙박시설" if lodging else "교육연구시설(연구소)" if "연구" in title or "실증" in title else "업무시설"
        name = f"{'합강 레지던스' if lodging else title} {block.number}-{number + 1}"
        lot = outline.buffer(-2.0)
        details = Details(name, use, storeys, 2, parcel=parcel)
        if not site.put(form, (middle.x, middle.y), details, gap=12.0, within=lot):
            small = flat(box(30, 15), storeys * OFFICE_STOREY + 0.8, rng, boxes=2)
            site.put(small, (middle.x, middle.y), details, gap=10.0, within=lot)
        pavilion = flat(box(rng.uniform(9, 15), rng.uniform(8, 11)), float(rng.choice([4.6, 8.6])), rng)
        place = (middle.x + rng.uniform(-25, 25), middle.y + rng.uniform(-25, 25))
        details = Details(f"{title} 파빌리온 {block.number}-{number + 1}", "제1종근린생활시설", 2, parcel=parcel)
        site.put(pavilion, place, details, gap=8.0, turned=False, within=lot)
    return site.filling


def _office(rng: np.random.Generator, storeys: int) -> tuple[Stack, int]:
    """An office or laboratory of one of five plans, and its storeys: around a court no more than six."""
    kind = rng.choice(["bar", "ell", "court", "aitch", "stepped"])
    storeys = min(storeys, 6) if kind == "court" else storeys
    return _office_form(rng, str(kind), storeys), storeys


def _office_form(rng: np.random.Generator, kind: str, storeys: int) -> Stack:
    top = storeys * OFFICE_STOREY + 0.8
    if kind == "bar":
        return flat(box(46, 18), top, rng, boxes=3)
    if kind == "ell":
        return flat(shapely.union_all([box(44, 16, 0, 12), box(16, 40, -14, 0)]), top, rng, boxes=3)
    if kind == "court":
        return flat(box(44, 40).difference(box(20, 16)), top, rng, boxes=4)
    if kind == "aitch":
        return flat(shapely.union_all([box(13, 42, -16, 0), box(13, 42, 16, 0), box(32, 12)]), top, rng, boxes=3)
    low = max(2, storeys // 3) * OFFICE_STOREY + 0.8
    core = Stack(box(8, 7), top + 4.0)
    return Stack(box(46, 34), low, (Stack(box(26, 20, 4, 3), top, (core,), parapet=1.1),), parapet=1.1)


def park(block: Block, rng: np.random.Generator, which: int) -> Filling:
    """A park: paths, a pavilion and a small house for its keeper where there is room."""
    site = Site(block, rng, setback=4.0, zoning="자연녹지지역", use="공원")
    site.parcel()
    if block.polygon.area > 3_000:
        site.put(
            pitched(6, 6, 3.0, 5.2, "hip"), (0, 0), Details(f"공원 정자 {which + 1}", "공원시설", 1, structure="목구조")
        )
        site.put(flat(box(9, 6), 3.6, rng, boxes=0), (1000, 0), Details(f"공원 관리소 {which + 1}", "공원시설", 1))
        site.paint(shapely.Point(0, 0).buffer(14), "plaza")
    west, south, east, north = site.outline.bounds
    for line in ([(west, south), (0, 0), (east, north)], [(west, north), (0, 0), (east, south)]):
        site.paint(shapely.LineString(line).buffer(1.5), "path")
    return site.filling


def parking(block: Block, rng: np.random.Generator, which: int) -> Filling:
    """The car park at an entrance: private cars stay here."""
    site = Site(block, rng, setback=2.5, zoning="자연녹지지역", use="주차장용지")
    site.parcel()
    site.paint(site.outline.buffer(-1.5), "carpark")
    name, use = f"합강 입구주차장 {which + 1}", "자동차관련시설(주차장)"
    for length in (64, 48, 34):
        if site.put(hall(length, 16.5, 9.8), (0, 0), Details(f"{name} 주차동", use, 3, structure="철골구조")):
            break
    site.put(hall(7, 4, 3.4), (500, 0), Details(f"{name} 관리소", use, 1), gap=4)
    return site.filling


def green(block: Block, rng: np.random.Generator, which: int) -> Filling:
    """Woodland, green belt and greenway: land without buildings."""
    del which
    words = {
        "wood": ("보전녹지지역", "보전녹지"),
        "belt": ("자연녹지지역", "완충녹지"),
        "greenway": ("자연녹지지역", "근린공원"),
    }
    zoning, use = words[block.use]
    site = Site(block, rng, setback=2.0, zoning=zoning, use=use)
    site.parcel()
    return site.filling


def house_block(block: Block, rng: np.random.Generator, which: int) -> Filling:
    """A garden with the lot that is kept free for the detailed building model."""
    del which
    site = Site(block, rng, setback=4.0, zoning="준주거지역", use="공원")
    lot = box(*HOUSE_PLOT)
    shift = site.nearest(Stack(lot, 1.0), (0, 0), 0.0) or (0.0, 0.0)
    lot = affinity.translate(lot, *shift)
    site.parcel(lot, use="주민공동시설용지")
    site.taken.append(lot)
    site.parcel(site.outline.difference(lot))
    garden = site.filling.parcels[1].id
    site.paint(lot, "plaza")
    centre = site.world(affinity.translate(box(2, 2), *shift)).centroid
    site.filling.house_place = (centre.x, centre.y, site.angle)
    for number, corner in enumerate(((-90, -60), (90, -60), (90, 60), (-90, 60)), start=1):
        form = flat(box(16, 11), 8.2, rng)
        details = Details(f"합강 소셜상가 {block.number}-{number}", "제2종근린생활시설", 2, parcel=garden)
        site.put(form, corner, details, gap=12)
    return site.filling
