"""What a user gives to ``sunlight.hours``: layers and parameters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from pydantic import field_validator

from analysis.contract import Inputs, layer_input
from analysis.kernels.sun import TimeBasis
from analysis.params import Params, choice, quantity, switch
from geo.model import Layer

Period = Literal["day", "range", "year"]
MOST_LEVELS = 6  # hours that areas can be asked for at once
BLOCKING_THEMES = ("building", "bim", "furniture", "rail", "other")


class Sampling(Protocol):
    """Which points of a city are looked at: what the studies of sun and sky have in common."""

    @property
    def ground(self) -> bool:
        """Whether the ground is looked at."""

    @property
    def ground_cell(self) -> float:
        """Cell of the ground [m]."""

    @property
    def margin(self) -> float:
        """Ground around the buildings [m]."""

    @property
    def facades(self) -> bool:
        """Whether walls and roofs are looked at."""

    @property
    def facade_spacing(self) -> float:
        """Cell of walls and roofs [m]."""

    @property
    def trees_block(self) -> bool:
        """Whether trees block."""


class SunlightParams(Params):
    """What a user can set."""

    day: date = choice("Day", default=date(2026, 12, 22), help="The winter solstice (동지) of 2026 by default.")
    period: Period = choice(
        "Period",
        default="day",
        help="day: that day. range: from that day to the last day. year: every day of the year of that day.",
    )
    last_day: date = choice("Last day", default=date(2026, 12, 31), help="Of a range of days.")
    every: int = quantity(
        "Every n-th day",
        "d",
        default=1,
        ge=1,
        le=60,
        help="Of a range or a year: each day looked at stands for n days.",
    )
    start: float = quantity("From", "h", default=0.0, ge=0, le=24, help="Hour of the day; sunrise if that is later.")
    stop: float = quantity("To", "h", default=24.0, ge=0, le=24, help="Hour of the day; sunset if that is earlier.")
    step: float = quantity("Time step", "min", default=10.0, ge=1, le=60)
    time_basis: TimeBasis = choice(
        "Time basis",
        default="clock",
        help="clock: legal time. solar: true solar time (진태양시), 12 h = sun in the south.",
    )
    utc_offset: str = choice(
        "Clock ahead of UTC",
        default="auto",
        help="Hours, such as 9 or 5.5. auto: 9 in Korea, else that of the meridian.",
    )
    minimum_elevation: float = quantity(
        "Lowest sun", "deg", default=0.0, ge=0, le=45, help="A sun lower than this does not count."
    )
    ground: bool = switch("Ground", default=True)
    ground_cell: float = quantity("Ground cell", "m", default=2.0, ge=0.5, le=50)
    margin: float = quantity("Ground around the buildings", "m", default=50.0, ge=0, le=2000)
    facades: bool = switch("Facades and roofs", default=True)
    facade_spacing: float = quantity("Facade cell", "m", default=2.0, ge=0.5, le=20)
    trees_block: bool = switch("Trees block the sun", default=False, help="Korean appraisals leave trees out.")
    crown_light: bool = switch(
        "Light through crowns",
        default=False,
        help="Where trees block: a crown lets 3 % through in leaf and 50 % when bare. Not for legal checks.",
    )
    area_hours: str = choice(
        "Hours that areas are asked for",
        default="1, 2, 4",
        help="Share of each open space with at least so many hours.",
    )
    area_cell: float = quantity("Cell of open spaces", "m", default=2.0, ge=0.25, le=20)
    area_words: str = choice(
        "Only areas that say",
        default="",
        help="Words separated by commas, such as 공원, 학교; an area counts when one of its attributes has one.",
    )

    @field_validator("utc_offset")
    @classmethod
    def _known_offset(cls, text: str) -> str:
        if text != "auto" and not -12.0 <= float(text) <= 14.0:
            raise ValueError("must be auto or a number of hours from -12 to 14")
        return text

    @field_validator("area_hours")
    @classmethod
    def _known_hours(cls, text: str) -> str:
        hours = hours_in(text)
        if not 1 <= len(hours) <= MOST_LEVELS or not all(0.0 < h <= 24.0 for h in hours):
            raise ValueError(f"must be one to {MOST_LEVELS} numbers of hours from 0 to 24, separated by commas")
        return text


def hours_in(text: str) -> tuple[float, ...]:
    """The hours in a text such as ``"1, 2, 4"``, each once, in order of size."""
    return tuple(sorted({float(part) for part in text.split(",") if part.strip()}))


def words_in(text: str) -> tuple[str, ...]:
    """The words in a text such as ``"park, 공원"``, in lower case."""
    return tuple(part.strip().lower() for part in text.split(",") if part.strip())


@dataclass(frozen=True)
class SunlightInputs(Inputs):
    """What it works on."""

    terrain: Layer | None = layer_input("Terrain", kind="terrain", optional=True)
    relief: tuple[Layer, ...] = layer_input(
        "Terrain surface (triangles)", kind="mesh", theme="terrain", many=True, optional=True
    )
    blockers: tuple[Layer, ...] = layer_input(
        "Buildings and other obstacles", kind=("mesh", "instances"), theme=BLOCKING_THEMES, many=True, optional=True
    )
    trees: tuple[Layer, ...] = layer_input("Trees", kind=("mesh", "instances"), theme="tree", many=True, optional=True)


@dataclass(frozen=True)
class HoursInputs(SunlightInputs):
    """What ``sunlight.hours`` works on besides the city: what the user names."""

    surfaces: tuple[Layer, ...] = layer_input(
        "Other surfaces (solar panels, windows)",
        kind=("mesh", "instances"),
        many=True,
        optional=True,
        named=True,
        hidden=True,
        default=True,
    )
    areas: tuple[Layer, ...] = layer_input(
        "Open spaces and schoolyards (areas)",
        kind=("mesh", "lines"),
        many=True,
        optional=True,
        named=True,
        hidden=True,
        default=True,
    )
