"""Headless. Files into layers of a scene: detect, choose the frame, read, check the place, name the layers."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app import layer_cache
from app.catalog import detect, file_head
from app.isolation import inspect_isolated, read_isolated
from geo import crs as crs_module
from geo.formats.contract import FileInfo, Format, FormatOptions, MapBox, ReadOptions
from geo.model import Bounds, Feedback, Frame, Grid, Issue, Layer, MissingCrs, Source, UserError

FAR_M = 200_000.0  # data further than this from the project's origin do not belong to one city
ORIGIN_STEP_M = 100.0
AT_ZERO_M = 10_000.0
AT_ZERO_DEG = 0.1


@dataclass(frozen=True)
class ImportOptions:
    """What the user said about the files.

    Attributes
    ----------
    kind : str or None
        Theme of the data (``--kind``).
    crs : str or None
        Coordinate system of the files, over what they say themselves.
    project_crs : str or None
        Coordinate system of a project that has none yet.
    own : mapping
        The format's own options as text or plain values (``--set``).
    box : MapBox or None
        Read only this rectangle of the project CRS.
    """

    kind: str | None = None
    crs: str | None = None
    project_crs: str | None = None
    own: Mapping[str, object] = field(default_factory=dict)
    box: MapBox | None = None


@dataclass(frozen=True)
class Imported:
    """What an import made; put it in with ``document.do(AddLayers(layers, frame=frame))``."""

    frame: Frame
    layers: tuple[Layer, ...]
    issues: tuple[Issue, ...]


def examine(path: Path, candidate: Format | None = None) -> FileInfo:
    """What a file says about itself. Raises `UserError`."""
    candidate = candidate or detect(path)
    return inspect_isolated(candidate, path) if candidate.isolate else candidate.inspect(path)


def import_files(
    paths: Sequence[Path],
    *,
    frame: Frame | None,
    layers: Sequence[Layer] = (),
    options: ImportOptions | None = None,
    feedback: Feedback | None = None,
) -> Imported:
    """Read files into new layers. All or nothing: one file that cannot be read stops the import.

    Parameters
    ----------
    paths : sequence of Path
        Terrain is read first, since other things stand on it; building models last.
    frame : Frame or None
        The project's; None lets the first file choose it.
    layers : sequence of Layer
        What the scene holds already (ids must not clash; its terrain carries what has no height).
    """
    options = options or ImportOptions()
    feedback = feedback or Feedback()
    candidates = sorted(((detect(path), path) for path in paths), key=lambda pair: _reading_order(pair[0]))
    read: list[Layer] = []
    for number, (candidate, path) in enumerate(candidates):
        part = feedback.part(number / len(candidates), (number + 1) / len(candidates))
        part.step(0.0, f"examining {path.name}")
        info = examine(path, candidate)
        crs = crs_module.canonical(options.crs) if options.crs else info.crs
        check_plausible(info, crs, path)
        if frame is None:
            frame = _frame_for(info, crs, path, options)
        if not _is_placed_by_hand(options):
            _check_distance(info, crs, frame, path)
        new = _read_one(candidate, path, frame, options=options, existing=[*layers, *read], feedback=part)
        for layer in new:
            _check_layer_distance(layer, path)
        read.extend(new)
    if frame is None:
        raise UserError("Nothing was imported.", "No file was named.", "Name at least one file.", code="import.nothing")
    issues = tuple(issue for layer in read for issue in layer.issues)
    feedback.step(1.0, "read")
    return Imported(frame, tuple(read), issues)


def _reading_order(candidate: Format) -> int:
    return {"geotiff": 0, "asciigrid": 0, "ifc": 2}.get(candidate.id, 1)


def terrain_of(layers: Sequence[Layer]) -> Grid | None:
    """The terrain things stand on: of several the one with the finest cells."""
    grids = [layer.geometry for layer in layers if layer.kind == "terrain" and isinstance(layer.geometry, Grid)]
    return min(grids, key=lambda g: g.cell, default=None)


def _read_one(
    candidate: Format,
    path: Path,
    frame: Frame,
    *,
    options: ImportOptions,
    existing: Sequence[Layer],
    feedback: Feedback,
) -> list[Layer]:
    own = own_options(candidate, options.own)
    read_options = ReadOptions(
        crs=crs_module.canonical(options.crs) if options.crs else None,
        kind=options.kind,
        box=options.box,
        terrain=terrain_of(existing),
        own=own,
    )
    key = layer_cache.key_of(candidate, path, frame, read_options)
    feedback.step(0.05, f"reading {path.name}")
    new = layer_cache.load(key)
    if new is None:
        new = read_checked(candidate, path, frame, options=read_options, feedback=feedback.part(0.05, 0.98))
        layer_cache.save(key, new)
    if not new:
        raise UserError(
            f"{path.name} holds nothing that can be shown.",
            "It was read without error, but no object with a place came out of it"
            + (" inside the chosen rectangle." if options.box else "."),
            "Check that it is the right file" + (" and rectangle." if options.box else "."),
            code="import.empty",
            values={"name": path.name},
        )
    recorded = {
        "crs": read_options.crs,
        "kind": options.kind,
        "box": list(options.box) if options.box else None,
        "own": own.model_dump(mode="json") if own else {},
    }
    source = Source(path=str(path.absolute()), digest=key.digest, reader=candidate.id, options=recorded)
    return _named(new, source, path, {layer.id for layer in existing})


def read_checked(
    candidate: Format, path: Path, frame: Frame, *, options: ReadOptions, feedback: Feedback
) -> list[Layer]:
    """Read in this process or a child, as the format asks."""
    try:
        if candidate.isolate:
            return read_isolated(candidate, path, frame, options=options, feedback=feedback)
        return candidate.read(path, frame, options, feedback)
    except MemoryError:
        raise UserError(
            f"{path.name} is too large for the memory of this machine.",
            "Reading it needs more memory than there is.",
            "Read a part of it with a rectangle, or a coarser version.",
            code="import.memory",
            values={"name": path.name},
        ) from None


def own_options(candidate: Format, values: Mapping[str, object]) -> FormatOptions | None:
    """The format's own options, checked. Raises `UserError` naming what is wrong and what there is."""
    if candidate.options is None:
        return None
    known = candidate.options.model_fields
    try:
        return candidate.options(**{name: value for name, value in values.items() if name in known})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(piece) for piece in first["loc"])
        raise UserError(
            f"The option {name} of {candidate.title} cannot be {first.get('input')!r}.",
            f"{first['msg']}.",
            f"Options of this format: {', '.join(known)}.",
            code="import.option",
            values={"option": name, "format": candidate.title, "reason": first["msg"]},
        ) from None


def _named(layers: Sequence[Layer], source: Source, path: Path, taken: set[str]) -> list[Layer]:
    """Layers with unique ids and their origin filled in."""
    stem = re.sub(r"\W+", "-", path.name.split(".")[0].lower()).strip("-") or "file"
    out = []
    for layer in layers:
        part = layer.source.part or layer.id
        slug = re.sub(r"\W+", "-", part.lower())
        wish = stem if part in ("", stem) else f"{stem}-{slug}"
        layer_id, number = wish, 2
        while layer_id in taken:
            layer_id, number = f"{wish}-{number}", number + 1
        taken.add(layer_id)
        out.append(layer.with_(id=layer_id, source=dataclasses.replace(source, part=part)))
    return out


def _is_placed_by_hand(options: ImportOptions) -> bool:
    """Whether the user says where the content goes, so that what the file says does not count."""
    return "at_east" in options.own or options.own.get("placement") == "scene"


def _frame_for(info: FileInfo, crs: str | None, path: Path, options: ImportOptions) -> Frame:
    if options.project_crs and {"at_east", "at_north"} <= options.own.keys():
        return crs_module.make_frame(
            options.project_crs, _whole_step(options.own["at_east"]), _whole_step(options.own["at_north"])
        )
    if crs is None and options.project_crs is None and not info.place_is_weak:
        raise MissingCrs(path.name)
    if info.crs is None and info.place_is_weak or crs is None or info.bounds is None:
        raise UserError(
            f"{path.name} cannot be the first file of a project.",
            "It does not say where on Earth it lies, so nothing fixes the place of the project.",
            "Import a file with coordinates first (terrain or buildings); this one can then be placed in it.",
            code="import.no_place",
            values={"name": path.name},
        )
    crs = info.crs if info.place_is_weak and info.crs else crs
    x, y = (info.bounds[0] + info.bounds[3]) / 2, (info.bounds[1] + info.bounds[4]) / 2
    target = options.project_crs or crs_module.project_crs_for(crs, x, y)
    east, north = crs_module.transform(x, y, crs, target)
    if not (math.isfinite(float(east)) and math.isfinite(float(north))):
        raise UserError(
            f"{path.name} does not lie in the area of {crs_module.title(target)}.",
            "Its coordinates cannot be expressed in that system.",
            "Choose another project system, or correct the file's with --crs.",
            code="import.outside",
            values={"name": path.name, "crs": crs_module.title(target)},
        )
    return crs_module.make_frame(target, _whole_step(east), _whole_step(north), vertical=info.vertical)


def _whole_step(coordinate: object) -> float:
    """A map coordinate rounded, so that the origin is a number people can read."""
    try:
        return round(float(coordinate) / ORIGIN_STEP_M) * ORIGIN_STEP_M  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise UserError(
            f"'{coordinate}' is not a coordinate.",
            "A place is given in metres of the project's coordinate system.",
            "Write for example --set at_east=229110 --set at_north=435795.",
            code="import.coordinate",
            values={"value": coordinate},
        ) from None


def check_plausible(info: FileInfo, crs: str | None, path: Path) -> None:
    """Refuse coordinates that cannot be meant: not finite, degrees for metres, metres for degrees, at 0, 0."""
    if info.bounds is None or crs is None or info.place_is_weak:
        return
    west, south, _, east, north, _ = info.bounds
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


def _check_distance(info: FileInfo, crs: str | None, frame: Frame, path: Path) -> None:
    if crs is None or info.bounds is None or info.place_is_weak:
        return
    x, y = (info.bounds[0] + info.bounds[3]) / 2, (info.bounds[1] + info.bounds[4]) / 2
    east, north = crs_module.transform(x, y, crs, frame.crs)
    away = math.hypot(float(east) - frame.origin[0], float(north) - frame.origin[1])
    if not away <= FAR_M:
        raise _far(path, away)


def _check_layer_distance(layer: Layer, path: Path) -> None:
    box: Bounds | None = layer.geometry.bounds if layer.geometry is not None else None
    if box is not None:
        away = math.hypot(box.centre[0], box.centre[1])
        if not away <= FAR_M:
            raise _far(path, away)


def _far(path: Path, away: float) -> UserError:
    where = f"about {away / 1000:.0f} km away" if math.isfinite(away) else "out of reach"
    return UserError(
        f"{path.name} lies {where} from the rest of the project.",
        "One scene holds one city; data so far apart are nearly always in a wrong coordinate system.",
        "Check its coordinate system (--crs), or import it into a project of its own.",
        code="import.far",
        values={"name": path.name, "distance": where},
    )


def readable(path: Path) -> None:
    """Raise a `UserError` unless the file is there and has content."""
    file_head(path)
