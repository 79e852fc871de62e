"""Headless. Files into layers of a scene: detect, choose the frame, read, check the place, name the layers."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import layer_cache
from app.catalog import detect, while_it_is_there
from app.import_place import (
    advised,
    check_distance,
    check_layer_distance,
    check_plausible,
    place_findings,
    stated_crs,
    with_doubts,
)
from app.isolation import inspect_isolated, read_isolated
from geo import crs as crs_module
from geo import doctor
from geo.doctor_compare import compare
from geo.formats.contract import FileInfo, Format, MapBox, ReadOptions
from geo.model import (
    Feedback,
    Frame,
    Grid,
    Issue,
    Layer,
    MissingCrs,
    Source,
    UserError,
    merge_grids,
    one_ground,
    tiles_of_one_ground,
)
from geo.reach import within_reach
from geo.repairs import Plan, plan, with_heights

if TYPE_CHECKING:
    from geo.formats.options import FormatOptions

ORIGIN_STEP_M = 100.0


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
    repairs : tuple of str
        Repairs of the files' place, by name (``--repair``).
    doubts : tuple of Issue or None
        What the doctor found when the files were first read; None asks it again.
    """

    kind: str | None = None
    crs: str | None = None
    project_crs: str | None = None
    own: Mapping[str, object] = field(default_factory=dict)
    box: MapBox | None = None
    repairs: tuple[str, ...] = ()
    doubts: tuple[Issue, ...] | None = None


@dataclass(frozen=True)
class Imported:
    """What an import made; put it in with ``document.do(AddLayers(layers, frame=frame))``."""

    frame: Frame
    layers: tuple[Layer, ...]
    issues: tuple[Issue, ...]


def examine(path: Path, candidate: Format | None = None, *, feedback: Feedback | None = None) -> FileInfo:
    """What a file says about itself; `feedback` may stop the look. Raises `UserError`."""
    candidate = candidate or detect(path)
    look = partial(candidate.inspect, path)
    if candidate.isolate:
        look = partial(inspect_isolated, candidate, path, feedback=feedback)
    with while_it_is_there(path):
        return layer_cache.described(candidate, path, look)


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
    candidates = sorted(((detect(path), path) for path in paths), key=lambda pair: reading_order(pair[0]))
    read: list[Layer] = []
    for number, (candidate, path) in enumerate(candidates):
        part = feedback.part(number / len(candidates), (number + 1) / len(candidates))
        part.step(0.0, f"examining {path.name}")
        new, frame = _import_one(candidate, path, frame, options=options, existing=[*layers, *read], feedback=part)
        read.extend(new)
    if frame is None:
        raise UserError("Nothing was imported.", "No file was named.", "Name at least one file.", code="import.nothing")
    read = _with_tiles_noted(read)
    issues = tuple(issue for layer in read for issue in layer.issues)
    feedback.step(1.0, "read")
    return Imported(frame, tuple(read), issues)


def diagnose(
    path: Path,
    *,
    frame: Frame | None,
    layers: Sequence[Layer] = (),
    options: ImportOptions | None = None,
    candidate: Format | None = None,
    closely: bool = True,
    feedback: Feedback | None = None,
) -> tuple[FileInfo, list[doctor.Finding]]:
    """A file's description and all the doctor says about its place; nothing is imported.

    With layers to compare with the file is read (and the copy kept for the import that follows), unless `closely`
    is False.
    """
    options, feedback = options or ImportOptions(), feedback or Feedback()
    candidate = candidate or detect(path)
    info = examine(path, candidate)
    treated = plan(options.repairs, info, stated_crs(info, options.crs), frame)
    findings = place_findings(info, treated.crs, frame, layers)
    repair = findings[0].repair if findings else None
    lost = repair is None and any(finding.severity == "error" for finding in findings)
    if not closely or frame is None or not layers or info.place_is_weak or lost:
        return info, findings
    # Among readings the extent cannot tell apart the outlines decide, seen from the likeliest.
    tried = plan([repair.name], info, treated.crs, frame) if repair else treated
    new = _read_one(
        candidate, path, frame, options=options, treated=tried, stated=info.crs, existing=layers, feedback=feedback
    )
    closer = compare(new, layers, frame, info=info, crs=tried.crs, after=repair.name if repair else "")
    place, heights = doctor.by_question(closer)
    return info, [*place, *findings, *heights]


def _import_one(
    candidate: Format,
    path: Path,
    frame: Frame | None,
    *,
    options: ImportOptions,
    existing: Sequence[Layer],
    feedback: Feedback,
) -> tuple[list[Layer], Frame]:
    """The layers of one file, with what the doctor says about its place."""
    info = examine(path, candidate, feedback=feedback)
    treated = plan(options.repairs, info, stated_crs(info, options.crs), frame)
    by_hand = _is_placed_by_hand(options)
    findings = [] if by_hand else place_findings(info, treated.crs, frame, existing)
    check_plausible(info, treated.crs, path, findings)
    if frame is None:
        frame = _frame_for(info, treated.crs, path, options, findings)
    if not by_hand:
        check_distance(info, treated.crs, frame, path, findings)
    try:
        new = _read_one(
            candidate,
            path,
            frame,
            options=options,
            treated=treated,
            stated=info.crs,
            existing=existing,
            feedback=feedback,
        )
    except MissingCrs as error:
        raise advised(error, findings) from None
    for layer in new:
        check_layer_distance(layer, path, findings)
    if options.doubts is None and not by_hand:
        findings = [*findings, *compare(new, existing, frame, info=info, crs=treated.crs)]
    return with_doubts(new, treated, findings, options.doubts), frame


def reading_order(candidate: Format) -> int:
    """Terrain first, since other things stand on it; building models last."""
    return {"geotiff": 0, "asciigrid": 0, "picture": 0, "ifc": 2}.get(candidate.id, 1)


def terrain_of(layers: Sequence[Layer]) -> Grid | None:
    """The terrain things stand on: of several the one with the finest cells, joined with its neighbouring tiles."""
    return one_ground(_terrains(layers))


def _terrains(layers: Sequence[Layer]) -> list[Grid]:
    return [layer.geometry for layer in layers if layer.kind == "terrain" and isinstance(layer.geometry, Grid)]


def _with_tiles_noted(layers: list[Layer]) -> list[Layer]:
    """Terrain tiles of one import with the note, on the last of them, that they are one ground, and its holes."""
    tiles = tiles_of_one_ground(_terrains(layers))
    if len(tiles) < 2:
        return layers
    whole = merge_grids(tiles)
    count = int(whole.values.size - whole.is_finite.sum())
    percent = round(100.0 * count / whole.values.size, 2)
    message = f"{len(tiles)} terrain tiles act as one ground; {percent:g} % of its rectangle has no data."
    values = {"tiles": len(tiles), "percent": percent}
    issue = Issue("terrain.tiles", message, "doubt" if count else "note", count=count, values=values)
    return [la.with_(issues=(*la.issues, issue)) if la.geometry is tiles[-1] else la for la in layers]


def _read_one(
    candidate: Format,
    path: Path,
    frame: Frame,
    *,
    options: ImportOptions,
    treated: Plan,
    stated: str | None,
    existing: Sequence[Layer],
    feedback: Feedback,
) -> list[Layer]:
    own = own_options(candidate, options.own)
    read_options = ReadOptions(
        crs=treated.crs if options.crs or treated.crs != stated else None,
        kind=options.kind,
        box=options.box,
        terrain=None if reading_order(candidate) == 0 else terrain_of(existing),
        own=own,
    )
    with while_it_is_there(path):
        key = layer_cache.key_of(candidate, path, frame, read_options)
    feedback.step(0.05, f"reading {path.name}")
    new = layer_cache.load(key)
    if new is None:
        new = read_checked(candidate, path, frame, options=read_options, feedback=feedback.part(0.05, 0.98))
        new = layer_cache.save(key, new)
    new = [with_heights(layer, treated) for layer in new]
    if not new:
        raise UserError(
            f"{path.name} holds nothing that can be shown.",
            "It was read without error, but no object with a place came out of it"
            + (" inside the chosen rectangle." if options.box else "."),
            "Check that it is the right file" + (" and rectangle." if options.box else "."),
            code="import.empty",
            values={"name": path.name},
        )
    recorded: dict[str, Any] = {
        "crs": crs_module.canonical(options.crs) if options.crs else None,
        "kind": options.kind,
        "box": list(options.box) if options.box else None,
        "own": own.model_dump(mode="json") if own else {},
    }
    if treated.names:
        recorded["repairs"] = list(treated.names)
    source = Source(path=str(path.absolute()), digest=key.digest, reader=candidate.id, options=recorded)
    return _named(new, source, path, {layer.id for layer in existing})


def read_checked(
    candidate: Format, path: Path, frame: Frame, *, options: ReadOptions, feedback: Feedback
) -> list[Layer]:
    """Read in this process or a child, as the format asks."""
    try:
        read = read_isolated if candidate.isolate else _read_here
        with while_it_is_there(path):
            layers = read(candidate, path, frame, options=options, feedback=feedback)
        return [within_reach(layer) for layer in layers]
    except MemoryError:
        raise UserError(
            f"{path.name} is too large for the memory of this machine.",
            "Reading it needs more memory than there is.",
            "Read a part of it with a rectangle, or a coarser version.",
            code="import.memory",
            values={"name": path.name},
        ) from None


def _read_here(candidate: Format, path: Path, frame: Frame, *, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    return candidate.read(path, frame, options, feedback)


def own_options(candidate: Format, values: Mapping[str, object]) -> FormatOptions | None:
    """The format's own options, checked. Raises `UserError` naming what is wrong and what there is."""
    if candidate.options is None:
        return None
    from pydantic import ValidationError

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


def _frame_for(
    info: FileInfo, crs: str | None, path: Path, options: ImportOptions, findings: Sequence[doctor.Finding]
) -> Frame:
    if options.project_crs and {"at_east", "at_north"} <= options.own.keys():
        return crs_module.make_frame(
            options.project_crs, _whole_step(options.own["at_east"]), _whole_step(options.own["at_north"])
        )
    if crs is None and options.project_crs is None and not info.place_is_weak:
        raise advised(MissingCrs(path.name), findings)
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
