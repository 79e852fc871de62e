"""The doctor's second look: what was read against what the project holds. Finds what no extent can show."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from geo import crs as coordinates
from geo.doctor import BESSEL, KOREAN, Finding, Repair, finding
from geo.formats.contract import FileInfo
from geo.model import Frame, Grid, Layer, UserError
from geo.overlay import Shift, height_above, shift_between
from geo.repairs import geoid_undulation, joined, middle, plan, system_title

KNOWN_M = 4.0  # accuracy of the datum shift (1 to 2 m) and of the measurement
BESSEL_DEGREES = "EPSG:4162"  # longitude and latitude on the older datum
STANDS_M = 10.0
SPREAD_M = 3.0
GEOID_KOREA_M = (18.0, 33.0)  # sea level above the ellipsoid across Korea, with room for floors and noise


def compare(
    new: Sequence[Layer], old: Sequence[Layer], frame: Frame, *, info: FileInfo, crs: str | None, after: str = ""
) -> list[Finding]:
    """What new layers' outlines and heights say against those of the project.

    Parameters
    ----------
    new, old : sequence of Layer
        In local metres of `frame`.
    info, crs
        The file `new` came from and the system it was read in (None: its own place was not used).
    after : str
        Repair `new` was read with; what is found is then offered together with it.
    """
    found: list[Finding] = []
    old = [layer for layer in old if layer.theme != "result"]
    if crs is not None and not info.place_is_weak:
        shift = shift_between(new, old)
        if shift is not None and shift.is_proven:
            found += [_together(item, after) for item in explained(shift, info, crs, frame)]
    grids = [layer.geometry for layer in old if layer.kind == "terrain" and isinstance(layer.geometry, Grid)]
    if grids and not info.place_is_weak:
        found += _heights(new, min(grids, key=lambda grid: grid.cell), info, frame)
    return found


def _together(item: Finding, after: str) -> Finding:
    if not after or item.repair is None:
        return item
    return dataclasses.replace(item, repair=dataclasses.replace(item.repair, name=joined(after, item.repair.name)))


def explained(shift: Shift, info: FileInfo, crs: str, frame: Frame) -> list[Finding]:
    """A measured shift with the mistake that makes it; without one the shift itself is the repair."""
    values = {
        "east": f"{shift.east:+.1f}",
        "north": f"{shift.north:+.1f}",
        "share": f"{100 * shift.share:.0f}",
        "crs": coordinates.title(crs),
    }
    codes = {BESSEL_DEGREES} if coordinates.is_geographic(crs) else {*KOREAN, *BESSEL} - {crs}
    gaps = sorted((_gap(shift, info, crs, code, frame), code) for code in codes)
    found = []
    for gap, code in gaps:
        if gap <= KNOWN_M:
            repair = _repair(f"crs:{code}", info, crs, frame)
            if repair is not None:
                score = shift.share * (1.0 - 0.5 * gap / KNOWN_M)
                found.append(
                    finding(
                        "doctor.shifted_datum",
                        "doubt",
                        0.5 + 0.5 * score,
                        repair,
                        {**values, "to": system_title(code)},
                    )
                )
    if found:
        return found
    repair = _repair(f"shift:{-shift.east:.2f},{-shift.north:.2f}", info, crs, frame)
    return [finding("doctor.shifted", "doubt", 0.5 * shift.share, repair, values)]


def _gap(shift: Shift, info: FileInfo, crs: str, code: str, frame: Frame) -> float:
    """Distance between the measured shift and the one that reading `code` as `crs` makes at the middle [m]."""
    x, y = middle(info)
    east, north = (float(v) for v in coordinates.transform(x, y, crs, frame.crs))
    other = coordinates.adjusted(code, coordinates.split_adjusted(crs)[1])
    true_east, true_north = (float(v) for v in coordinates.transform(x, y, other, frame.crs))
    gap = math.hypot(east - true_east - shift.east, north - true_north - shift.north)
    return gap if math.isfinite(gap) else math.inf


def _repair(name: str, info: FileInfo, crs: str, frame: Frame) -> Repair | None:
    try:
        read = plan([name], info, crs, frame)
    except UserError:
        return None
    longitude, latitude = coordinates.to_lonlat(*middle(info), read.crs or crs)
    return Repair(name, read.crs, float(longitude), float(latitude), 0.0)


def _heights(new: Sequence[Layer], terrain: Grid, info: FileInfo, frame: Frame) -> list[Finding]:
    above = height_above(new, terrain)
    if above is None or abs(above.median) < STANDS_M or above.spread > SPREAD_M:
        return []
    west, south, east, north = coordinates.KOREA
    in_korea = west <= frame.longitude <= east and south <= frame.latitude <= north
    is_ellipsoid = in_korea and GEOID_KOREA_M[0] <= above.median <= GEOID_KOREA_M[1]
    code = "doctor.height_offset" if above.median > 0 else "doctor.height_below"
    code = "doctor.ellipsoid_height" if is_ellipsoid else code
    values = {"metres": f"{abs(above.median):.1f}", "count": above.count}
    found = [finding(code, "doubt", 0.8, Repair(f"height-offset:{-above.median:.1f}"), values)]
    undulation = geoid_undulation(frame.longitude, frame.latitude)
    if undulation is not None and abs(undulation - above.median) < SPREAD_M:
        found.insert(0, finding(code, "doubt", 0.9, Repair("height-ellipsoid"), values))
    return found
