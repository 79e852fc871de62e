"""Rooms of the community building, storey by storey."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    """A room between two axes, south or north of the corridor, or the corridor itself.

    Attributes
    ----------
    name, use : str
        Korean name and kind of use.
    side : str
        ``S`` south, ``N`` north, ``C`` corridor.
    west, east : float [m]
        Lines of its side walls.
    door_x : float [m]
        Where its door begins, from the building's west axis.
    """

    name: str
    use: str
    side: str
    west: float
    east: float
    door_x: float = 0.0
    door_width: float = 1.0
    people: int = 4
    tables: int = 0
    public: bool = True
    fire_door: bool = False


def _stairs() -> tuple[Room, Room]:
    return (
        Room("계단실 A", "계단실", "N", 0.0, 6.0, 4.6, 1.0, fire_door=True),
        Room("계단실 B", "계단실", "N", 24.0, 30.0, 24.6, 1.0, fire_door=True),
    )


def _corridor(name: str) -> Room:
    return Room(name, "복도", "C", 0.0, 30.0, people=0)


ROOMS: dict[str, tuple[Room, ...]] = {
    "B1": (
        Room("기계실", "기계실", "S", 0.0, 12.0, 5.0, 1.6, public=False, fire_door=True),
        Room("전기실", "전기실", "S", 12.0, 18.0, 14.0, 1.6, public=False, fire_door=True),
        Room("통신실", "통신실", "S", 18.0, 24.0, 20.0, 1.0, public=False, fire_door=True),
        Room("방재센터", "방재실", "S", 24.0, 30.0, 26.0, 1.0, public=False, fire_door=True),
        Room("저수조실", "기계실", "N", 6.0, 12.0, 8.0, 1.6, public=False, fire_door=True),
        Room("주민창고", "창고", "N", 12.0, 18.0, 14.0, 1.6),
        Room("재활용 보관실", "창고", "N", 18.0, 24.0, 20.0, 1.6),
        *_stairs(),
        _corridor("지하 복도"),
    ),
    "1F": (
        Room("북카페", "휴게음식점", "S", 0.0, 12.0, 5.0, 1.6, 40, 9),
        Room("로비", "로비", "S", 12.0, 18.0, 14.2, 1.6, 20),
        Room("안내실", "사무실", "S", 18.0, 24.0, 20.0, 1.0, 3, 2, public=False),
        Room("돌봄교실", "보육실", "S", 24.0, 30.0, 26.0, 1.0, 20, 3),
        Room("남자화장실", "화장실", "N", 6.0, 12.0, 8.0, 1.0),
        Room("여자화장실", "화장실", "N", 12.0, 18.0, 14.0, 1.0),
        Room("건강관리실", "보건실", "N", 18.0, 24.0, 20.0, 1.0, 6, 2),
        *_stairs(),
        _corridor("1층 복도"),
    ),
    "2F": (
        Room("종합자료실", "도서실", "S", 0.0, 18.0, 8.0, 1.6, 60, 9),
        Room("어린이열람실", "도서실", "S", 18.0, 30.0, 23.0, 1.6, 30, 6),
        Room("화장실", "화장실", "N", 6.0, 12.0, 8.0, 1.0),
        Room("스터디룸 1", "회의실", "N", 12.0, 18.0, 14.0, 1.0, 8, 3),
        Room("스터디룸 2", "회의실", "N", 18.0, 24.0, 20.0, 1.0, 8, 3),
        *_stairs(),
        _corridor("2층 복도"),
    ),
    "3F": (
        Room("다목적강당", "집회실", "S", 0.0, 18.0, 8.0, 1.6, 120),
        Room("공유오피스", "사무실", "S", 18.0, 30.0, 23.0, 1.0, 24, 6),
        Room("화장실", "화장실", "N", 6.0, 12.0, 8.0, 1.0),
        Room("주민회의실", "회의실", "N", 12.0, 18.0, 14.0, 1.0, 12, 3),
        Room("동아리실", "회의실", "N", 18.0, 24.0, 20.0, 1.0, 12, 3),
        *_stairs(),
        _corridor("3층 복도"),
    ),
}
