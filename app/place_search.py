"""Headless. Coordinates as people write them: degrees in any form, east and north of the project's map."""

from __future__ import annotations

import math
import re

from geo.crs import transform
from geo.model import Frame

THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
NUMBERS = re.compile(r"[-+]?\d+(?:\.\d+)?")
NEAR_M = 50_000.0
# 36°31'12.5"N, N 36.52, 북위 36도 31분 12초
DEGREES = re.compile(
    r"""(?:(?P<before>[NSEW]|북위|남위|동경|서경)\s*)?(?P<d>[-+]?\d+(?:\.\d+)?)\s*(?P<sign>[°도d]|(?=\s*[NSEW북남동서]))?\s*
    (?:(?P<m>\d+(?:\.\d+)?)\s*['′’분]\s*)?(?:(?P<s>\d+(?:\.\d+)?)\s*(?:["″”초]|'')\s*)?(?P<after>[NSEW](?![a-z]))?""",
    re.IGNORECASE | re.VERBOSE,
)
SIDES = {"n": "N", "s": "S", "e": "E", "w": "W", "북위": "N", "남위": "S", "동경": "E", "서경": "W"}


def parse_place(text: str, frame: Frame | None) -> tuple[float, float] | None:
    r"""Easting and northing [m] of a place in any of the usual ways.

    ``"229110 435795"`` (E N, also the other way round where only that lies near the project), ``"36.52 127.325"`` or
    ``"127.325 36.52"`` (degrees), ``"36°31'12\"N 127°19'30\"E"`` (degrees, minutes, seconds).
    """
    if frame is None:
        return None
    degrees = parse_degrees(text)
    if degrees is None:
        numbers = _two_numbers(text)
        if numbers is None:
            return None
        degrees = _as_degrees(*numbers)
        if degrees is None:
            return _nearer(numbers, frame)
    east, north = transform(degrees[1], degrees[0], "EPSG:4326", frame.crs)
    return (float(east), float(north)) if math.isfinite(float(east)) and math.isfinite(float(north)) else None


def parse_degrees(text: str) -> tuple[float, float] | None:
    """Latitude and longitude [degrees] of degrees, minutes and seconds, or of numbers with N, S, E, W."""
    found: dict[str, float] = {}
    loose: list[float] = []
    rest = text
    for match in DEGREES.finditer(text):
        rest = rest.replace(match.group(0), " ", 1)
        degree, minute, second = (float(match.group(k) or 0) for k in ("d", "m", "s"))
        if minute >= 60 or second >= 60:
            return None
        value = math.copysign(abs(degree) + minute / 60 + second / 3600, degree)
        letter = SIDES.get((match.group("before") or match.group("after") or "").casefold(), "")
        if letter:
            found[letter.lower() if letter in "NE" else {"S": "n", "W": "e"}[letter]] = (
                value if letter in "NE" else -abs(value)
            )
        elif match.group("sign"):
            loose.append(value)
        else:
            return None
    if rest.strip(" ,;") or len(found) + len(loose) != 2:
        return None
    return (found["n"], found["e"]) if len(found) == 2 else _as_degrees(*loose) if len(loose) == 2 else None


def _two_numbers(text: str) -> tuple[float, float] | None:
    if re.search(r"[^\d\s.,;+\-°NEneEWSws]|\d-\d", text):  # 705-1 is a room or a lot
        return None
    if text.count(",") == 1 and not re.search(r"\d\s+\S", text.strip()):
        text = text.replace(",", " ")
    numbers = [float(n) for n in NUMBERS.findall(THOUSANDS.sub("", text))]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else None


def _as_degrees(first: float, second: float) -> tuple[float, float] | None:
    """Latitude and longitude; of two numbers one of which can only be a longitude, that one."""
    if abs(first) <= 90 and abs(second) <= 180:
        return first, second
    return (second, first) if abs(second) <= 90 and abs(first) <= 180 else None


def _nearer(numbers: tuple[float, float], frame: Frame) -> tuple[float, float]:
    """East and north as written, or exchanged where that lies within a day's walk of the project and this does not."""
    straight, turned = (
        math.hypot(east - frame.origin[0], north - frame.origin[1]) for east, north in (numbers, numbers[::-1])
    )
    return (numbers[1], numbers[0]) if turned < NEAR_M < straight else numbers
