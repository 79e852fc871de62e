"""The georeferencing doctor: is a file where it says it is, and if not, what would put it right.

Findings come from what a file says about itself (`examine`) and from comparing what was read with what the project
holds (`geo.overlay`). Each offers at most one repair (`geo.repairs`); none is ever applied without being asked for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from geo import crs as coordinates
from geo.formats.contract import FileInfo, MapBox
from geo.model import Frame, Issue, UserError
from geo.model.errors import Severity
from geo.repairs import Plan, plan, system_title

AWAY_M = 3_000.0  # a file further from the project than this is doubted if another reading puts it right there
NEAR_M = 20_000.0
TOUCHING_M = 2_000.0
FAR_M = 200_000.0
AREA_MARGIN_DEG = 1.0
AT_ZERO_M = 10_000.0
MILLIMETRES_REACH = 5e7  # no coordinate in metres is so large
TALL_M = 9_000.0  # nothing built or natural rises so far; millimetres do
MOST_FINDINGS = 6
HEIGHT_CODES = ("doctor.ellipsoid_height", "doctor.height_offset", "doctor.height_below")

# Systems Korean data come in, with how often one meets them (a ranking, not a probability).
KOREAN: Mapping[str, float] = {
    "EPSG:5186": 1.0,
    "EPSG:5179": 0.95,
    "EPSG:5187": 0.9,
    "EPSG:5185": 0.9,
    "EPSG:5181": 0.85,
    "EPSG:32652": 0.8,
    "EPSG:5174": 0.75,
    "EPSG:5188": 0.7,
    "EPSG:5183": 0.65,
    "EPSG:5180": 0.65,
    "EPSG:5182": 0.6,
    "EPSG:5184": 0.6,
    "EPSG:32651": 0.6,
    "EPSG:3857": 0.6,
    "EPSG:5176": 0.55,
    "EPSG:5173": 0.55,
    "EPSG:2097": 0.5,
    "EPSG:2096": 0.4,
    "EPSG:2098": 0.4,
}
BELTS = {"5180": "5185", "5181": "5186", "5183": "5187", "5184": "5188"}  # northing 500,000 and 600,000
BESSEL = ("EPSG:5173", "EPSG:5174", "EPSG:5175", "EPSG:5176", "EPSG:5177", "EPSG:2096", "EPSG:2097", "EPSG:2098")

PLACES = " As it is: {here}; repaired: {there}."
MESSAGES: Mapping[str, str] = {
    "doctor.axes": "The two horizontal axes seem to be exchanged (northing or latitude first)." + PLACES,
    "doctor.degrees": "The system is {crs} (metres), but the coordinates look like degrees." + PLACES,
    "doctor.metres_as_degrees": "The system is {crs} (degrees), but the coordinates are metres, perhaps of {to}."
    + PLACES,
    "doctor.belt_origin": "The data are 100 km off: the false northing seems to be that of {to}, not of {crs}."
    + PLACES,
    "doctor.system": "The coordinates look like those of {to}, not of {crs}." + PLACES,
    "doctor.datum": "The coordinates look like those of the older datum, {to}, not of {crs}." + PLACES,
    "doctor.utm_zone": "The UTM zone seems to be the wrong one: {to}, not {crs}." + PLACES,
    "doctor.millimetres": "The coordinates are a thousand times too large: millimetres." + PLACES,
    "doctor.local_millimetres": "The data have local coordinates in millimetres (height {height}). They can be put at "
    "the project's origin, {there}, and moved from there.",
    "doctor.local_origin": "The data have local coordinates near 0, 0. They can be put at the project's origin, "
    "{there}, and moved from there.",
    "doctor.local_alone": "The data have local coordinates near 0, 0, and the project has no place yet. Import a file "
    "that lies in its true place first.",
    "doctor.missing_crs": "The file names no coordinate system; in {to} it would lie at {there}.",
    "doctor.missing_crs_none": "The file names no coordinate system, and none of the usual ones puts it near the "
    "project or in Korea.",
    "doctor.far": "The data lie at {here}, far from the project, and no usual mistake explains it.",
    "doctor.shifted_datum": "The outlines lie {east} m east and {north} m north of those in the project, which is "
    "what reading {to} as {crs} does (measured on {share} % of the outlines).",
    "doctor.shifted": "The outlines lie {east} m east and {north} m north of those in the project, by no known mistake "
    "(measured on {share} % of the outlines).",
    "doctor.ellipsoid_height": "The data stand {metres} m above the project's terrain: heights above the ellipsoid, "
    "it seems (in Korea 20 to 30 m more than above the sea).",
    "doctor.height_offset": "The data stand {metres} m above the project's terrain.",
    "doctor.height_below": "The data lie {metres} m below the project's terrain.",
}


@dataclass(frozen=True)
class Repair:
    """A repair on offer.

    Attributes
    ----------
    name : str
        For ``--repair NAME``.
    crs : str or None
        System the file would be read in.
    longitude, latitude : float [degrees]
        Where its middle would lie; not-a-number when the place does not change.
    distance : float or None [m]
        From the project's rectangle then.
    """

    name: str
    crs: str | None = None
    longitude: float = math.nan
    latitude: float = math.nan
    distance: float | None = None


@dataclass(frozen=True)
class Finding:
    """What seems wrong about a file's place.

    Attributes
    ----------
    code : str
        ``doctor.<case>``; translation id ``issue.<code>``.
    message : str
    severity : {"doubt", "error"}
        error: the file cannot be used as it is.
    confidence : float
        0 to 1, for ranking; not a probability.
    repair : Repair or None
    values : mapping
        Figures of the message.
    """

    code: str
    message: str
    severity: Severity
    confidence: float
    repair: Repair | None
    values: Mapping[str, object] = field(default_factory=dict)

    def as_issue(self, *, with_remedy: bool = True) -> Issue:
        """The finding as a doubt to keep with a layer, with the name of its repair."""
        remedy = f" (--repair {self.repair.name})" if self.repair and with_remedy else ""
        return Issue(self.code, self.message + remedy, self.severity, values={**self.values, "remedy": remedy})

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        repair = self.repair
        return {
            "code": self.code,
            "message": self.message,
            "severity": self.severity,
            "confidence": round(self.confidence, 3),
            "repair": repair.name if repair else None,
            "crs": repair.crs if repair else None,
            "lon": _plain(repair.longitude) if repair else None,
            "lat": _plain(repair.latitude) if repair else None,
            "distance_m": repair.distance if repair else None,
        }


def _plain(value: float) -> float | None:
    return round(value, 7) if math.isfinite(value) else None


@dataclass(frozen=True)
class _Place:
    """Where a file would lie: middle in degrees, and metres from the project's rectangle (None without project)."""

    longitude: float
    latitude: float
    distance: float | None

    @property
    def text(self) -> str:
        """Degrees, and after an arrow the distance to the project."""
        if not (abs(self.longitude) <= 180.0 and abs(self.latitude) <= 90.0):
            return "-"
        north = f"{abs(self.latitude):.4f}° {'N' if self.latitude >= 0 else 'S'}"
        east = f"{abs(self.longitude):.4f}° {'E' if self.longitude >= 0 else 'W'}"
        known = self.distance is not None and math.isfinite(self.distance)
        away = f" ↔ {(self.distance or 0.0) / 1000:,.1f} km" if known else ""
        return f"{north} {east}{away}"


@dataclass(frozen=True)
class _Guess:
    """A reading that might be meant."""

    name: str
    code: str
    prior: float


def examine(
    info: FileInfo, crs: str | None, frame: Frame | None, *, project_box: MapBox | None = None
) -> list[Finding]:
    """What seems wrong about the place of a file, the likeliest explanation first.

    Parameters
    ----------
    crs : str or None
        The system the file would be read in; None when it names none and the user has not either.
    frame : Frame or None
        The project's; without one only what contradicts the system itself can be found.
    project_box : MapBox or None
        What the project covers; its origin when not given.
    """
    if info.bounds is None or info.place_is_weak or not all(map(math.isfinite, info.bounds)):
        return []
    box = project_box or (MapBox(*frame.origin[:2], *frame.origin[:2]) if frame else None)
    if crs is not None and not coordinates.has_place(crs):
        crs = None
    doctor = _Doctor(info, crs, frame, box)
    if crs is None:
        return doctor.without_system()
    return doctor.with_system(crs)


class _Doctor:
    """One file before the doctor."""

    def __init__(self, info: FileInfo, crs: str | None, frame: Frame | None, box: MapBox | None) -> None:
        self.info, self.crs, self.frame, self.box = info, crs, frame, box
        self.bounds = info.bounds or (0.0,) * 6
        west, south, low, east, north, high = self.bounds
        self.rise = high - low
        self.reach = max(abs(west), abs(south), abs(east), abs(north))
        self.could_be_degrees = self.reach <= 180.0
        self.is_small = east - west < 20.0 and north - south < 20.0
        self.is_tall = self.rise > TALL_M and self.reach < 1e7

    # ---- the two questions ----------------------------------------------------------------------------------------

    def without_system(self) -> list[Finding]:
        """Ranked guesses for a file that names no system."""
        guesses = self._systems()
        found = self._tried(guesses, "error", {})
        if not found and self.box is not None:
            self.box, box = None, self.box  # nothing lies near the project: say where in Korea it could be
            found = self._tried(guesses, "error", {})
            self.box = box
        if self.is_tall or (self.reach < AT_ZERO_M and not (self.could_be_degrees and found)):
            found = [*self._local("error"), *found]
        return _ranked(found) or [finding("doctor.missing_crs_none", "error", 0.1, None, {})]

    def _systems(self) -> list[_Guess]:
        if self.could_be_degrees:
            return [
                _Guess("crs:EPSG:4326", "doctor.missing_crs", 1.0),
                _Guess("crs:EPSG:4326+swap-axes", "doctor.missing_crs", 0.8),
            ]
        priors = dict(KOREAN)
        if self.frame is not None:
            priors[coordinates.canonical(self.frame.crs)] = 1.0
            priors.setdefault(_utm_of(self.frame), 0.7)
        guesses = [_Guess(f"crs:{code}", "doctor.missing_crs", prior) for code, prior in priors.items()]
        guesses += [_Guess(f"{g.name}+swap-axes", g.code, 0.55 * g.prior) for g in list(guesses)]
        if self.reach > MILLIMETRES_REACH:
            guesses = [_Guess(f"{g.name}+metres", g.code, g.prior) for g in guesses]
        return guesses

    def with_system(self, crs: str) -> list[Finding]:
        """Explanations why a file lies where it cannot or should not."""
        here = self._place(crs)
        values = {"crs": coordinates.title(crs), "here": here.text}
        if coordinates.is_geographic(crs):
            return self._degrees_said(here, values)
        if self.could_be_degrees and self.is_small and self.reach > 1.0 and not self._is_home(here):
            guesses = [_Guess("degrees", "doctor.degrees", 0.95), _Guess("degrees+swap-axes", "doctor.degrees", 0.85)]
            return _ranked(self._tried(guesses, "error", values, here)) or self._local("error")
        if self._is_local(crs, here):
            return self._local("error")
        if not self._is_doubtful(crs, here):
            return []
        severity: Severity = "error" if self._is_hopeless(here) else "doubt"
        found = self._tried(self._guesses(crs), severity, values, here)
        if not found and self._is_hopeless(here) and self.box is not None:
            found = [finding("doctor.far", severity, 0.3, None, values)]
        return _ranked(found)

    def _degrees_said(self, here: _Place, values: Mapping[str, object]) -> list[Finding]:
        west, south, _, east, north, _ = self.bounds
        swap = _Guess("swap-axes", "doctor.axes", 0.95)
        if max(abs(south), abs(north)) > 90.0 and self.could_be_degrees:
            return _ranked(self._tried([swap], "error", values, here))
        if not self.could_be_degrees:
            metres = [_Guess(g.name, "doctor.metres_as_degrees", g.prior) for g in self._systems()]
            found = self._tried(metres, "error", values, here)
            return _ranked(found) or [finding("doctor.metres_as_degrees", "error", 0.2, None, values)]
        if self.box is None or self._is_home(here):
            return []
        found = self._tried([swap], "doubt", values, here)
        if self._is_hopeless(here) and not found:
            found = [finding("doctor.far", "error", 0.3, None, values)]
        return _ranked(found)

    # ---- is it where it should be? --------------------------------------------------------------------------------

    def _is_home(self, place: _Place) -> bool:
        return place.distance is not None and place.distance <= AWAY_M

    def _is_hopeless(self, place: _Place) -> bool:
        return not math.isfinite(place.longitude) or (place.distance is not None and not place.distance <= FAR_M)

    def _is_doubtful(self, crs: str, here: _Place) -> bool:
        if self.box is not None:
            return not self._is_home(here)
        return not _in_area(crs, here, AREA_MARGIN_DEG)

    def _is_local(self, crs: str, here: _Place) -> bool:
        """Whether the coordinates start at 0, 0 where that is not a place the system is made for."""
        if self._is_home(here) or coordinates.crs_of(crs).area_of_use is None:
            return False
        if self.reach < AT_ZERO_M:
            longitude, latitude = (float(v) for v in coordinates.to_lonlat(0.0, 0.0, crs))
            return not _in_area(crs, _Place(longitude, latitude, None), 0.0)
        return self.is_tall and (self.box is not None or not _in_area(crs, here, 0.0))

    def _local(self, severity: Severity) -> list[Finding]:
        """Local coordinates: the project's origin is the only place on offer, and only if there is a project."""
        code = "doctor.local_millimetres" if self.is_tall else "doctor.local_origin"
        name = "metres+far-origin" if self.is_tall else "far-origin"
        values = {"reach": f"{self.reach:,.0f}", "height": f"{self.rise:,.0f}", "there": "-"}
        repair = None
        if self.frame is not None:
            longitude, latitude = self.frame.longitude, self.frame.latitude
            read = plan([name], self.info, self.crs, self.frame)
            repair = Repair(name, read.crs, longitude, latitude, 0.0)
            values["there"] = _Place(longitude, latitude, 0.0).text
        return [finding(code if repair else "doctor.local_alone", severity, 0.9 if repair else 0.4, repair, values)]

    # ---- guesses --------------------------------------------------------------------------------------------------

    def _guesses(self, crs: str) -> Iterator[_Guess]:
        """Readings other than the stated one, in the order of how often they are the answer."""
        base = coordinates.canonical(crs)
        yield _Guess("swap-axes", "doctor.axes", 0.95)
        yield _Guess("metres", "doctor.millimetres", 0.95)
        yield _Guess("metres+swap-axes", "doctor.millimetres", 0.5)
        if self.box is None:
            return  # only a project can say which of two places in Korea is meant
        partner = _belt_partner(base)
        if partner:
            yield _Guess(f"crs:{partner}", "doctor.belt_origin", 0.95)
            yield _Guess(f"crs:{partner}+swap-axes", "doctor.belt_origin", 0.5)
        for zone in _utm_neighbours(base):
            yield _Guess(f"utm-zone:{zone}", "doctor.utm_zone", 0.9)
        if self.frame is not None and self.frame.crs not in (base, partner):
            yield _Guess(f"crs:{self.frame.crs}", "doctor.system", 0.88)
        if self._may_be_korean(base):
            for code, prior in KOREAN.items():
                if code not in (base, partner, self.frame.crs if self.frame else None):
                    yield _Guess(f"crs:{code}", "doctor.datum" if code in BESSEL else "doctor.system", 0.85 * prior)

    def _may_be_korean(self, base: str) -> bool:
        if base in KOREAN or base in BESSEL:
            return True
        if self.frame is None:
            return False
        west, south, east, north = coordinates.KOREA
        return west <= self.frame.longitude <= east and south <= self.frame.latitude <= north

    def _tried(
        self, guesses: Iterable[_Guess], severity: Severity, values: Mapping[str, object], here: _Place | None = None
    ) -> list[Finding]:
        """Findings for the guesses that would put the file where it belongs."""
        found, seen = [], set()
        for guess in guesses:
            read = self._read_as(guess.name)
            if read is None or read.crs is None or read.crs in seen:
                continue
            seen.add(read.crs)
            there = self._place(read.crs)
            worth = self._worth(read.crs, there, here)
            if worth > 0.0:
                repair = Repair(guess.name, read.crs, there.longitude, there.latitude, _rounded(there.distance))
                said = {**values, "there": there.text, "to": system_title(read.crs)}
                found.append(finding(guess.code, severity, guess.prior * worth, repair, said))
        return found

    def _read_as(self, name: str) -> Plan | None:
        try:
            return plan([name], self.info, self.crs, self.frame)
        except UserError:
            return None

    def _worth(self, crs: str, there: _Place, here: _Place | None) -> float:
        """How well a place fits, 0 to 1: in the project, near it; without project in the system's own area."""
        if not (math.isfinite(there.longitude) and math.isfinite(there.latitude)):
            return 0.0
        fits = _in_area(crs, there, 0.1)
        if self.box is None or there.distance is None:
            west, south, east, north = coordinates.KOREA
            in_korea = west <= there.longitude <= east and south <= there.latitude <= north
            return 0.7 * fits if in_korea or (here is not None and not _is_korean(crs)) else 0.0
        if here is not None and here.distance is not None and there.distance > here.distance / 3:
            return 0.0
        for limit, worth in ((0.0, 1.0), (TOUCHING_M, 0.9), (NEAR_M, 0.5)):
            if there.distance <= limit:
                return worth if fits else 0.6 * worth
        return 0.0

    def _place(self, crs: str) -> _Place:
        """Where the file lies in a system."""
        west, south, _, east, north, _ = self.bounds
        xs = [west, east, east, west, (west + east) / 2]
        ys = [south, south, north, north, (south + north) / 2]
        longitude, latitude = coordinates.to_lonlat(xs[4], ys[4], crs)
        distance = None
        if self.box is not None and self.frame is not None:
            e, n = coordinates.transform(xs, ys, crs, self.frame.crs)
            aside = max(self.box.west - float(e.max()), float(e.min()) - self.box.east, 0.0)
            along = max(self.box.south - float(n.max()), float(n.min()) - self.box.north, 0.0)
            known = bool((e == e).all() and (n == n).all())
            distance = math.hypot(aside, along) if known else math.inf
        return _Place(float(longitude), float(latitude), distance)


def _in_area(crs: str, place: _Place, margin: float) -> bool:
    """Whether a place lies in the area its system is made for; True where the system names none."""
    area = coordinates.crs_of(crs).area_of_use
    if area is None:
        return True
    inside = area.west - margin <= place.longitude <= area.east + margin
    if area.west > area.east:
        inside = place.longitude >= area.west - margin or place.longitude <= area.east + margin
    return inside and area.south - margin <= place.latitude <= area.north + margin


def _is_korean(crs: str) -> bool:
    base = coordinates.split_adjusted(crs)[0]
    return base in KOREAN or base in BESSEL


def _belt_partner(base: str) -> str | None:
    """The belt of the same meridian with the other false northing."""
    code = base.removeprefix("EPSG:")
    both = {**BELTS, **{new: old for old, new in BELTS.items()}}
    return f"EPSG:{both[code]}" if code in both else None


def _utm_neighbours(base: str) -> list[str]:
    """Zones beside a WGS 84 UTM system, as ``51n``."""
    code = base.removeprefix("EPSG:")
    if len(code) != 5 or code[:3] not in ("326", "327") or not 1 <= int(code[3:]) <= 60:
        return []
    half = "n" if code[2] == "6" else "s"
    return [f"{zone}{half}" for zone in (int(code[3:]) - 1, int(code[3:]) + 1) if 1 <= zone <= 60]


def _utm_of(frame: Frame) -> str:
    zone = min(int((frame.longitude + 180.0) // 6.0) + 1, 60)
    return f"EPSG:{(32600 if frame.latitude >= 0 else 32700) + zone}"


def _rounded(distance: float | None) -> float | None:
    return None if distance is None or not math.isfinite(distance) else round(distance, 1)


def finding(
    code: str, severity: Severity, confidence: float, repair: Repair | None, values: Mapping[str, object]
) -> Finding:
    """A finding with its message written out."""
    filled = {"crs": "-", "here": "-", "there": "-", "to": "-", **values}
    return Finding(code, MESSAGES[code].format(**filled), severity, min(confidence, 1.0), repair, filled)


def by_question(findings: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Findings about the place and findings about heights: within each they compete, both may hold."""
    everything = list(findings)
    heights = [item for item in everything if item.code in HEIGHT_CODES]
    return [item for item in everything if item.code not in HEIGHT_CODES], heights


def leading(findings: Iterable[Finding]) -> list[Finding]:
    """The likeliest finding about the place and the likeliest about heights."""
    return [group[0] for group in by_question(findings) if group]


def _ranked(found: Iterable[Finding]) -> list[Finding]:
    return sorted(found, key=lambda item: -item.confidence)[:MOST_FINDINGS]
