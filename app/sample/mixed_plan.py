"""The mixed-use building on paper: levels, lines of walls, and the rooms, doors and windows of every storey.

Axes: x from the west wall's outer face eastward (48 m), y from the south wall's northward (34 m), z from the ground
floor. The podium covers all of that; the tower stands on its western 40 m between y = 2 and y = 21.
"""

from __future__ import annotations

from app.sample.floor_plan import Area, FloorPlan, Hole

LENGTH, DEPTH = 48.0, 34.0
TOWER = (0.0, 2.0, 40.0, 21.0)  # [m] west, south, east, north of the outer faces
BAY = 8.0
# (name, title, elevation, height to the next floor)
LEVELS = (
    ("B2", "지하 2층", -7.4, 3.4), ("B1", "지하 1층", -4.0, 4.0), ("1F", "지상 1층", 0.0, 4.2),
    ("2F", "지상 2층", 4.2, 4.0), ("3F", "지상 3층", 8.2, 4.0), ("4F", "지상 4층", 12.2, 4.0),
    *((f"{n}F", f"지상 {n}층", 16.2 + 3.0 * (n - 5), 3.0) for n in range(5, 13)),
    ("RF", "옥상층", 40.2, 3.6),
)  # fmt: skip
HOMES = tuple(f"{n}F" for n in range(5, 13))
HEIGHT = 43.8  # [m] top of the penthouses above the ground floor
# Middle lines of walls.
W, S, E, N = 0.15, 0.15, LENGTH - 0.15, DEPTH - 0.15
TS, TN, TE = 2.15, 20.85, 39.85  # of the tower
CS, CN = 12.2, 14.2  # of the corridor
HALL = 16.4  # north wall of the lift lobbies
CORES = (("A", 8.0), ("B", 24.0))
STAIR_EAST, LIFT_EAST, PIPE_EAST = 3.0, 5.4, 6.8  # [m] from a core's west line
RAMP_WALL = 28.0
RAMP_1, RAMP_2 = (48.0, 23.0), (42.0, 20.75)  # [m] x of upper and lower end; both fall 16 %
RAMP_HOLE_1, RAMP_HOLE_2 = (31.1, 28.1, 47.7, 33.7), (26.0, 28.1, 42.0, 33.7)
# Doors whose free passage is below the 0.8 m that a wheelchair needs, on purpose: what a check should find.
NARROW_DOORS = ("2F 소회의실 문", "3F 소회의실 문")
NARROW = 0.80  # [m] opening; 0.70 m free


def plans() -> dict[str, FloorPlan]:
    """The plan of every storey but the roof."""
    made = {"B2": _basement("B2"), "B1": _basement("B1"), "1F": _ground(), "4F": _tower_offices()}
    made |= {name: _podium_offices(name) for name in ("2F", "3F")}
    made |= {name: _homes(name) for name in HOMES}
    return made


def _core(plan: FloorPlan, level: str, *, corridor: bool = True) -> None:
    """Stair, lobby, lift and shafts of both cores; in basements the lobby reaches south to the parking."""
    for name, x in CORES:
        a, b, c, d = x + STAIR_EAST, x + LIFT_EAST, x + PIPE_EAST, x + BAY
        key = f"{level}-{name}"
        south = CN if corridor else CS
        plan.areas += [
            Area(f"{key}1", f"계단실 {name}", "계단실", x, CN, a, TN),
            Area(f"{key}2", f"승강기 홀 {name}", "승강기 홀", a, south, d, HALL, public=True),
            Area(f"{key}3", f"승강로 {name}", "승강로", a, HALL, b, TN),
            Area(f"{key}4", f"배관 샤프트 {name}", "설비 샤프트", b, HALL, c, TN),
            Area(f"{key}5", f"전기 샤프트 {name}", "설비 샤프트", c, HALL, d, TN),
        ]
        plan.holes += [
            Hole("fire", f"{level} 홀 {name} 방화문", x + 5.5, south, 1.2, 2.1),
            Hole("fire", f"{level} 계단실 {name} 방화문", a, 15.2, 1.0, 2.1),
            Hole("lift", f"{level} 승강기 {name} 문", x + 4.2, HALL, 1.1, 2.1),
            Hole("service", f"{level} 배관 점검문 {name}", x + 6.1, HALL, 0.7, 2.0),
            Hole("service", f"{level} 전기 점검문 {name}", x + 7.4, HALL, 0.7, 2.0),
        ]
        if not corridor:
            plan.areas.append(Area(f"{key}6", f"창고 {name}", "창고", x, CS, a, CN))
            plan.holes.append(Hole("fire", f"{level} 창고 {name} 문", x + 1.5, CS, 1.0, 2.1))


def _basement(level: str) -> FloorPlan:
    plan = FloorPlan()
    _core(plan, level, corridor=False)
    landing = RAMP_1[1] if level == "B1" else RAMP_2[1]
    rooms = ("기계실", "전기·통신실", "방재실") if level == "B1" else ("저수조실", "", "")
    plan.areas += [
        Area(f"{level}-01", "주차구역 남측", "주차장", W, S, E, CS, public=True, kind="PARKING"),
        Area(f"{level}-02", "주차구역 동측", "주차장", 40.0, CS, E, TN, public=True, kind="PARKING"),
        Area(f"{level}-03", "주차 통로 북측", "주차장", W, TN, E, RAMP_WALL, public=True, kind="PARKING"),
        Area(f"{level}-04", "램프 진입부", "주차장", W, RAMP_WALL, landing, N, public=True, kind="PARKING"),
        Area(f"{level}-05", "주차 램프", "주차 램프", landing, RAMP_WALL, RAMP_2[0], N, public=True, kind="PARKING"),
        Area(f"{level}-09", "램프 회차부", "주차 램프", RAMP_2[0], RAMP_WALL, E, N, public=True, kind="PARKING"),
        Area(f"{level}-06", rooms[0], "기계실", W, CS, 8.0, TN),
    ]
    plan.open += [(40.0, CS, E, CS), (40.0, TN, E, TN), (W, RAMP_WALL, landing, RAMP_WALL),
                  (landing, RAMP_WALL, landing, N), (RAMP_2[0], RAMP_WALL, RAMP_2[0], N)]  # fmt: skip
    plan.holes.append(Hole("fire", f"{level} {rooms[0]} 문", 4.0, CS, 1.8, 2.1))
    for number, (x, name) in enumerate(((16.0, rooms[1]), (32.0, rooms[2])), start=7):
        if name:
            plan.areas.append(Area(f"{level}-{number:02d}", name, "기계실", x, CS, x + BAY, TN))
            plan.holes.append(Hole("fire", f"{level} {name} 문", x + 4.0, CS, 1.4, 2.1))
        else:
            plan.areas.append(
                Area(
                    f"{level}-{number:02d}", "주차구역 중앙", "주차장", x, CS, x + BAY, TN, public=True, kind="PARKING"
                )
            )
            plan.open += [(x, CS, x + BAY, CS), (x, TN, x + BAY, TN)]
            if x > 30:
                plan.open.append((40.0, CS, 40.0, TN))
    if level == "B1":
        plan.open.append((RAMP_2[0], RAMP_WALL, E, RAMP_WALL))
    return plan


def _ground() -> FloorPlan:
    plan = FloorPlan()
    _core(plan, "1F")
    shops = (("01", "편의점", W, 8.0), ("02", "베이커리", 8.0, 16.0), ("04", "약국", 24.0, 32.0),
             ("05", "꽃집", 32.0, 40.0), ("06", "식당", 40.0, E))  # fmt: skip
    for number, name, west, east in shops:
        plan.areas.append(Area(f"1F-{number}", name, "상점", west, S, east, CS, public=True, people=30))
        x = (west + east) / 2
        plan.holes.append(Hole("glass", f"{name} 출입문", x, S, 1.8, 2.4))
        plan.holes.append(Hole("fire", f"{name} 후문", x, CS, 1.0, 2.1))
    plan.areas += [
        Area("1F-03", "주출입 로비", "로비", 16.0, S, 24.0, CS, public=True, people=40),
        Area("1F-07", "1층 복도", "복도", W, CS, E, CN, public=True),
        Area("1F-08", "카페", "상점", W, CN, 8.0, TN, public=True, people=24),
        Area("1F-12", "관리사무소", "사무실", 32.0, CN, 40.0, TN, people=6),
        Area("1F-13", "택배 보관실", "창고", 40.0, CN, E, TN, public=True),
        Area("1F-14", "서점", "상점", W, TN, 16.0, N, public=True, people=40),
        Area("1F-15", "어린이 놀이방", "상점", 16.0, TN, 31.0, N, public=True, people=40),
        Area("1F-16", "하역장", "창고", 31.0, TN, E, RAMP_WALL),
        Area("1F-17", "주차 램프", "주차 램프", 31.0, RAMP_WALL, E, N, public=True, kind="PARKING"),
    ]
    _toilets(plan, "1F", 9)
    plan.open.append((16.1, CS, 23.9, CS))
    plan.holes += [
        Hole("glass", "주출입문", 20.0, S, 3.0, 2.6), Hole("glass", "서측 출입문", W, 13.2, 1.6, 2.4),
        Hole("glass", "동측 출입문", E, 13.2, 1.6, 2.4), Hole("glass", "카페 출입문", W, 17.5, 1.6, 2.4),
        Hole("office", "카페 내부문", 4.0, CN, 1.1, 2.1), Hole("office", "관리사무소 문", 36.0, CN, 1.1, 2.1),
        Hole("inner", "택배 보관실 문", 43.0, CN, 1.1, 2.1), Hole("glass", "서점 출입문", 8.0, N, 1.8, 2.4),
        Hole("glass", "놀이방 출입문", 23.5, N, 1.8, 2.4), Hole("gate", "하역장 출입구", E, 24.4, 3.6, 3.2),
        Hole("gate", "주차장 출입구", E, 30.9, 5.4, 3.0), Hole("fire", "하역장 내부문", 43.0, TN, 1.4, 2.1),
    ]  # fmt: skip
    # Glass between stone portals along the streets.
    doors = [(4.075, 1.2), (12.0, 1.2), (20.0, 1.9), (28.0, 1.2), (36.0, 1.2), (43.925, 1.2)]
    marks = [0.5, *(v for x, half in doors for v in (x - half, x + half)), LENGTH - 0.5]
    plan.glazed += [(a, S, b, S) for a, b in zip(marks[::2], marks[1::2], strict=True)]
    plan.glazed += [(W, 0.8, W, 11.6), (E, 0.8, E, 11.6), (0.6, N, 6.8, N), (9.2, N, 15.4, N), (16.6, N, 22.3, N)]
    plan.glazed += [(24.7, N, 30.4, N)]
    return plan


def _toilets(plan: FloorPlan, level: str, first: int) -> None:
    words = (("남자화장실", 16.0, 19.0), ("여자화장실", 19.0, 22.0), ("장애인화장실", 22.0, 24.0))
    for number, (name, west, east) in enumerate(words, start=first):
        plan.areas.append(Area(f"{level}-{number:02d}", name, "화장실", west, CN, east, TN, public=True))
        plan.holes.append(Hole("inner", f"{level} {name} 문", west + 1.0, CN, 1.1, 2.1))


def _podium_offices(level: str) -> FloorPlan:
    plan = FloorPlan()
    _core(plan, level)
    plan.areas += [
        Area(f"{level}-01", "사무실 101", "사무실", W, S, 16.0, CS, people=18),
        Area(f"{level}-02", "사무실 102", "사무실", 16.0, S, 32.0, CS, people=18),
        Area(f"{level}-03", "사무실 103", "사무실", 32.0, S, E, CS, people=18),
        Area(f"{level}-04", f"{level[0]}층 복도", "복도", W, CS, E, CN, public=True),
        Area(f"{level}-05", "소회의실", "회의실", W, CN, 6.0, TN, people=10),
        Area(f"{level}-06", "서측 복도", "복도", 6.0, CN, 8.0, TN, public=True),
        Area(f"{level}-10", "휴게실", "휴게실", 32.0, CN, 40.0, TN, public=True, people=12),
        Area(f"{level}-11", "동측 복도", "복도", 40.0, CN, 42.0, TN, public=True),
        Area(f"{level}-12", "대회의실", "회의실", 42.0, CN, E, TN, people=20),
        Area(f"{level}-13", "사무실 104", "사무실", W, TN, 24.0, N, people=30),
        Area(f"{level}-14", "사무실 105", "사무실", 24.0, TN, E, N, people=30),
    ]
    _toilets(plan, level, 7)
    plan.open += [(6.1, CN, 7.9, CN), (40.1, CN, 41.9, CN)]
    plan.holes += [
        *(Hole("office", f"{level} 사무실 {n} 문", x, CS, 1.2, 2.2) for n, x in ((101, 7.0), (102, 20.0), (103, 36.0))),
        Hole("office", f"{level} 소회의실 문", 6.0, 16.0, NARROW, 2.1),
        Hole("office", f"{level} 휴게실 문", 36.0, CN, 1.1, 2.1),
        Hole("office", f"{level} 대회의실 문", 42.0, 17.0, 1.1, 2.1),
        Hole("office", f"{level} 사무실 104 문", 6.7, TN, 1.1, 2.2),
        Hole("office", f"{level} 사무실 105 문", 41.0, TN, 1.2, 2.2),
    ]
    for bay in range(6):
        middle = 8.0 * bay + 4.2
        plan.holes.append(Hole("strip", f"{level} 남측 창", middle, S, 6.4, 2.2, 0.8))
        plan.holes.append(Hole("strip", f"{level} 북측 창", middle, N, 6.4, 1.8, 1.0))
    for x, side in ((W, "서측"), (E, "동측")):
        plan.holes += [Hole("strip", f"{level} {side} 창", x, y, w, 2.0, 0.9)
                       for y, w in ((6.2, 8.0), (17.5, 4.0), (27.4, 8.0))]  # fmt: skip
    return plan


def _tower_offices() -> FloorPlan:
    plan = FloorPlan()
    _core(plan, "4F")
    plan.areas += [
        Area("4F-01", "사무실 401", "사무실", W, TS, 20.0, CS, people=20),
        Area("4F-02", "사무실 402", "사무실", 20.0, TS, TE, CS, people=20),
        Area("4F-03", "4층 복도", "복도", W, CS, TE, CN, public=True),
        Area("4F-04", "회의실", "회의실", W, CN, 8.0, TN, people=14),
        Area("4F-08", "정원 라운지", "휴게실", 32.0, CN, TE, TN, public=True, people=30),
    ]
    _toilets(plan, "4F", 5)
    plan.holes += [
        Hole("office", "사무실 401 문", 7.0, CS, 1.2, 2.2), Hole("office", "사무실 402 문", 30.0, CS, 1.2, 2.2),
        Hole("office", "4F 회의실 문", 4.0, CN, 1.1, 2.1), Hole("office", "정원 라운지 문", 36.0, CN, 1.2, 2.2),
        Hole("glass", "옥상정원 동측 출입문", TE, 17.5, 1.8, 2.4),
        Hole("glass", "옥상정원 북측 출입문", 37.0, TN, 1.8, 2.4),
        Hole("strip", "4F 서측 창", W, 7.2, 6.0, 2.0, 0.9), Hole("strip", "4F 동측 창", TE, 7.2, 6.0, 2.0, 0.9),
        Hole("window", "4F 회의실 창", 4.0, TN, 4.0, 2.0, 0.9), Hole("stair", "4F 화장실 창", 20.5, TN, 1.2, 0.8, 1.8),
    ]  # fmt: skip
    plan.holes += [Hole("strip", "4F 남측 창", 8.0 * b + (3.9 if b else 4.2), TS, 6.4, 2.2, 0.8) for b in range(5)]
    return plan


def _homes(level: str) -> FloorPlan:
    """Five dwellings of three rooms to the south, three small ones to the north."""
    plan = FloorPlan()
    floor = int(level[:-1])
    _core(plan, level)
    plan.areas.append(Area(f"{level}-00", f"{floor}층 복도", "복도", W, CS, TE, CN, public=True))
    for number in range(5):
        _family_home(plan, f"{floor}{number + 1:02d}호", BAY * number)
    for number, x in ((6, 0.0), (7, 16.0), (8, 32.0)):
        _small_home(plan, f"{floor}{number:02d}호", x)
    for y, name in ((13.2, "복도"),):
        plan.holes += [Hole("stair", f"{level} 서측 {name} 창", W, y, 1.2, 1.4, 0.9),
                       Hole("stair", f"{level} 동측 {name} 창", TE, y, 1.2, 1.4, 0.9)]  # fmt: skip
    for name, x in CORES:
        plan.holes.append(Hole("stair", f"{level} 계단실 {name} 창", x + 1.5, TN, 1.2, 1.0, 1.6))
    return plan


def _family_home(plan: FloorPlan, home: str, x: float) -> None:
    west, east = max(x, W), min(x + BAY, TE)
    a, b = x + 4.3, x + 5.7
    rooms = (
        ("1", "거실", "거실", west, TS, a, 6.9), ("2", "침실 1", "침실", a, TS, east, 6.9),
        ("3", "주방·식당", "주방", west, 6.9, a, 9.6), ("4", "침실 2", "침실", west, 9.6, a, CS),
        ("5", "현관·복도", "현관", a, 6.9, b, CS), ("6", "욕실", "욕실", b, 6.9, east, 9.4),
        ("7", "다용도실", "다용도실", b, 9.4, east, CS),
    )  # fmt: skip
    for key, name, use, w, s, e, n in rooms:
        plan.areas.append(Area(f"{home[:-1]}-{key}", f"{home} {name}", use, w, s, e, n, dwelling=home))
    plan.open += [(west + 0.1, 6.9, a - 0.1, 6.9), (a, 7.0, a, 9.5)]
    plan.holes += [
        Hole("entrance", f"{home} 현관문", x + 5.0, CS, 1.0, 2.1),
        Hole("inner", f"{home} 침실 1 문", x + 5.0, 6.9, 0.9, 2.1),
        Hole("inner", f"{home} 침실 2 문", a, 10.8, 0.9, 2.1),
        Hole("bath", f"{home} 욕실 문", b, 8.2, 0.8, 2.1), Hole("inner", f"{home} 다용도실 문", b, 10.4, 0.8, 2.1),
        Hole("living", f"{home} 거실 창", x + 2.5, TS, 3.2, 2.25, 0.1),
        Hole("window", f"{home} 침실 1 창", x + 6.0, TS, 2.0, 1.5, 0.85),
    ]  # fmt: skip
    if x < 1:
        plan.holes.append(Hole("window", f"{home} 침실 2 창", W, 10.7, 1.6, 1.4, 0.9))
    if x > 30:
        plan.holes.append(Hole("stair", f"{home} 다용도실 창", TE, 10.2, 0.9, 0.8, 1.4))


def _small_home(plan: FloorPlan, home: str, x: float) -> None:
    west, east = max(x, W), min(x + BAY, TE)
    a, b, c = x + 2.4, x + 4.0, x + 4.7
    rooms = (
        ("1", "거실", "거실", west, 16.6, c, TN), ("2", "침실", "침실", c, 16.6, east, TN),
        ("3", "주방", "주방", b, CN, east, 16.6), ("5", "현관", "현관", a, CN, b, 16.6),
        ("6", "욕실", "욕실", west, CN, a, 16.6),
    )  # fmt: skip
    for key, name, use, w, s, e, n in rooms:
        plan.areas.append(Area(f"{home[:-1]}-{key}", f"{home} {name}", use, w, s, e, n, dwelling=home))
    plan.open += [(a + 0.1, 16.6, b, 16.6), (b, CN + 0.1, b, 16.6)]
    plan.holes += [
        Hole("entrance", f"{home} 현관문", x + 3.2, CN, 1.0, 2.1), Hole("bath", f"{home} 욕실 문", a, 15.3, 0.8, 2.1),
        Hole("inner", f"{home} 침실 문", x + 6.3, 16.6, 0.9, 2.1),
        Hole("living", f"{home} 거실 창", x + 2.5, TN, 2.6, 1.6, 0.8),
        Hole("window", f"{home} 침실 창", x + 6.2, TN, 1.6, 1.5, 0.85),
    ]  # fmt: skip
