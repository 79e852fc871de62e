"""Headless. Where a file to be imported lies: what the doctor says, what is refused, which doubts stay."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from geo import crs as crs_module
from geo import doctor
from geo.formats.contract import FileInfo, MapBox
from geo.model import Bounds, Frame, Issue, Layer, UserError
from geo.reach import FARTHEST
from geo.repairs import Plan, repaired_note

FAR_M = 200_000.0  # data further than this from the project's origin do not belong to one city
AT_ZERO_M = 10_000.0
AT_ZERO_DEG = 0.1


def stated_crs(info: FileInfo, said: str | None) -> str | None:
    """The system a file would be read in without repairs: the user's word, else its own."""
    return crs_module.canonical(said) if said else info.crs


def place_findings(
    info: FileInfo, crs: str | None, frame: Frame | None, layers: Sequence[Layer]
) -> list[doctor.Finding]:
    """What the doctor says from the file's own description."""
    return doctor.examine(info, crs, frame, project_box=project_box(layers, frame))


def project_box(layers: Sequence[Layer], frame: Frame | None) -> MapBox | None:
    """Rectangle of map coordinates that layers cover, None without any."""
    boxes = [layer.geometry.bounds for layer in layers if layer.geometry is not None]
    box = Bounds.union([box for box in boxes if box is not None])
    if box is None or frame is None:
        return None
    east, north = frame.origin[:2]
    return MapBox(box.low[0] + east, box.low[1] + north, box.high[0] + east, box.high[1] + north)


def with_doubts(
    layers: Sequence[Layer], treated: Plan, findings: Sequence[doctor.Finding], known: tuple[Issue, ...] | None
) -> list[Layer]:
    """Layers that carry what was repaired and what stays doubtful; the latter is kept for the next opening."""
    doubts = known if known is not None else tuple(finding.as_issue() for finding in doctor.leading(findings))
    notes = (repaired_note(treated),) if treated.names else ()
    if not doubts and not notes:
        return list(layers)
    out = []
    for layer in layers:
        options = {**layer.source.options, "doubts": [issue.as_dict() for issue in doubts]}
        source = dataclasses.replace(layer.source, options=options)
        out.append(layer.with_(issues=(*notes, *doubts, *layer.issues), source=source))
    return out


def advised(error: UserError, findings: Sequence[doctor.Finding]) -> UserError:
    """The error with the name of the likeliest repair in what to do."""
    names = [finding.repair.name for finding in findings if finding.repair is not None]
    error.values = MappingProxyType({**error.values, "advice": f" -> --repair {names[0]}" if names else ""})
    if names:
        error.todo += f" The likeliest repair here: --repair {names[0]}"
    return error


def check_plausible(
    info: FileInfo, crs: str | None, path: Path, findings: Sequence[doctor.Finding] | None = None
) -> None:
    """Refuse coordinates that cannot be meant: not finite, degrees for metres, metres for degrees, at 0, 0.

    The error names the likeliest repair among the findings.
    """
    if info.bounds is None or crs is None or info.place_is_weak:
        return
    try:
        _check_plausible(_registered(info, crs), crs_module.split_adjusted(crs)[0], path)
    except UserError as error:
        raise advised(error, doctor.examine(info, crs, None) if findings is None else findings) from None


def _registered(info: FileInfo, crs: str) -> tuple[float, float, float, float]:
    """West, south, east, north in the registered system below an adjusted one."""
    bounds = info.bounds or (0.0,) * 6
    x, y = crs_module.transform([bounds[0], bounds[3]], [bounds[1], bounds[4]], crs, crs_module.split_adjusted(crs)[0])
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def _check_plausible(bounds: tuple[float, float, float, float], crs: str, path: Path) -> None:
    west, south, east, north = bounds
    values: dict[str, Any] = {"name": path.name, "crs": crs_module.title(crs), "x": f"{west:.6g}", "y": f"{south:.6g}"}
    if not all(map(math.isfinite, (west, south, east, north))):
        raise UserError(
            f"{path.name} has coordinates that are not numbers.",
            "At least one is infinite or undefined.",
            "Repair the file in the program that made it.",
            code="import.not_finite",
            values=values,
        )
    degrees = max(abs(west), abs(east)) <= 180.0 and max(abs(south), abs(north)) <= 90.0
    if crs_module.is_geographic(crs):
        if not degrees:
            raise UserError(
                f"{path.name} says degrees but holds metres.",
                f"Its system is {values['crs']}, yet a coordinate is {values['x']}, {values['y']}.",
                "Name the system it is really in with --crs, for example --crs EPSG:5186.",
                code="import.metres_as_degrees",
                values=values,
            )
        if max(abs(west), abs(east), abs(south), abs(north)) < AT_ZERO_DEG:
            raise _at_zero(values)
        return
    if degrees and max(abs(west), abs(east), abs(south), abs(north)) > 1.0 and east - west < 20 and north - south < 20:
        raise UserError(
            f"{path.name} seems to hold degrees where metres are meant.",
            f"Its system is {values['crs']} (metres), but its coordinates are about {values['x']}, {values['y']}.",
            "If they are longitude and latitude, import with --crs EPSG:4326.",
            code="import.degrees_as_metres",
            values=values,
        )
    if max(abs(west), abs(east), abs(south), abs(north)) < AT_ZERO_M and not _zero_is_inside(crs):
        raise _at_zero(values)


def _at_zero(values: Mapping[str, object]) -> UserError:
    return UserError(
        f"{values['name']} lies at the zero point of its coordinate system.",
        f"In {values['crs']} that is far outside the area the system is made for; the data have local coordinates.",
        "Shift it to its true place in the program that made it, or name the right system with --crs.",
        code="import.at_zero",
        values=values,
    )


def _zero_is_inside(crs: str) -> bool:
    area = crs_module.crs_of(crs).area_of_use
    if area is None:
        return True
    lon, lat = (float(v) for v in crs_module.to_lonlat(0.0, 0.0, crs))
    return bool(area.west <= lon <= area.east and area.south <= lat <= area.north)


def check_distance(
    info: FileInfo, crs: str | None, frame: Frame, path: Path, findings: Sequence[doctor.Finding]
) -> None:
    """Refuse a file whose middle lies further than `FAR_M` from the project's origin."""
    if crs is None or info.bounds is None or info.place_is_weak:
        return
    if max(info.bounds[3] - info.bounds[0], info.bounds[4] - info.bounds[1]) > 2 * FARTHEST:
        return  # a damaged coordinate blew the box up; the reading leaves its element out and says so
    x, y = (info.bounds[0] + info.bounds[3]) / 2, (info.bounds[1] + info.bounds[4]) / 2
    east, north = crs_module.transform(x, y, crs, frame.crs)
    away = math.hypot(float(east) - frame.origin[0], float(north) - frame.origin[1])
    if not away <= FAR_M:
        raise advised(_far(path, away), findings)


def check_layer_distance(layer: Layer, path: Path, findings: Sequence[doctor.Finding]) -> None:
    """The same for a layer that was read."""
    box: Bounds | None = layer.geometry.bounds if layer.geometry is not None else None
    if box is not None:
        away = math.hypot(box.centre[0], box.centre[1])
        if not away <= FAR_M:
            raise advised(_far(path, away), findings)


def _far(path: Path, away: float) -> UserError:
    where = f"{away / 1000:.0f} km" if math.isfinite(away) else "> 20,000 km"
    return UserError(
        f"{path.name} lies about {where} from the rest of the project.",
        "One scene holds one city; data so far apart are nearly always in a wrong coordinate system.",
        "Check its coordinate system (--crs), or import it into a project of its own.",
        code="import.far",
        values={"name": path.name, "distance": where},
    )
