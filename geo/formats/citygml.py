"""CityGML 1.0 to 3.0 with the i-UR extension of PLATEAU: recognise, describe, read."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field as Setting

from geo.formats import citygml_choice as choices
from geo.formats.city_layers import City
from geo.formats.city_objects import MAX_IDS, REASONS, CityFile
from geo.formats.city_place import check_place, far_away, known_crs, vertical_doubt
from geo.formats.city_shapes import boxes_of, local_box, placed_on_earth, touch, with_instances
from geo.formats.city_units import with_measured_units
from geo.formats.citygml_box import box_filter
from geo.formats.citygml_geometry import Corners
from geo.formats.citygml_model import CityModel, load
from geo.formats.citygml_place import Axes, unify
from geo.formats.citygml_utility import network_layers
from geo.formats.citygml_xml import HEAD, documents, looks_like
from geo.formats.cityjson_text import collector_paused
from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.formats.options import FormatOptions
from geo.formats.utility_options import UtilityKind
from geo.model import Feedback, Frame, Issue, Layer, MissingCrs, UserError

Floats = NDArray[np.float64]


class CityGmlOptions(FormatOptions):
    """Options of the CityGML reader."""

    lod: Literal["highest", "0", "1", "2", "3", "4"] = Setting("highest", title="Level of detail")
    axes: Axes = Setting("auto", title="Order of the axes")
    utility: UtilityKind = Setting("auto", title="Kind of utility", description="auto = by names and types")


def sniff(path: Path, head: bytes) -> bool:
    """XML whose root is a CityModel in a CityGML namespace; also packed by gzip or zip."""
    try:
        if head.startswith(b"PK\x03\x04"):
            return bool(documents(path, limit=1))
        if head.startswith(b"\x1f\x8b"):
            with gzip.open(path, "rb") as stream:
                return looks_like(stream.read(HEAD))
        if looks_like(head):
            return True
        if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
            return False
        with path.open("rb") as plain:
            return looks_like(plain.read(HEAD))
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError):
        return False


def inspect(path: Path) -> FileInfo:
    """What the file says about itself; bounds and counts from its real coordinates and elements."""
    with collector_paused():
        model = load(path)
    corners = Corners.of(model.surfaces)
    loose = np.frombuffer(model.surfaces.loose, dtype=np.float64).reshape(-1, 3)
    points, text, _, issues = unify(corners.points, model.surfaces.runs, "auto", None)
    code, vertical, doubts = known_crs(text)
    issues = [*_file_issues(model), *issues, *doubts]
    if len(loose):
        name = model.srs_name
        loose, _, _, _ = unify(loose.copy(), [(0, name)], "auto", None)
    finite = np.concatenate([points, loose])
    finite = finite[np.isfinite(finite).all(axis=1)]
    bounds = None
    if len(finite):
        low, high = finite.min(axis=0).tolist(), finite.max(axis=0).tolist()
        bounds = (low[0], low[1], low[2], high[0], high[1], high[2])
        if code is not None:
            file = CityFile(path.name, model.version, is_sequence=False, crs=code, metadata={}, vertices=finite)
            issues += _place_doubts(file, code)
    return FileInfo(
        format=FORMAT.id,
        title="CityGML",
        version=model.version,
        crs=code,
        vertical=vertical,
        bounds=bounds,
        counts=dict(model.counts),
        issues=tuple(issues),
        details=_details(model),
    )


def _details(model: CityModel) -> dict[str, object]:
    details: dict[str, object] = {"lods": dict(sorted(model.lods.items())), "surfaces": len(model.surfaces)}
    if model.srs_name:
        details["srs_name"] = model.srs_name
    if model.documents > 1:
        details["documents"] = model.documents
    return details


def _place_doubts(file: CityFile, code: str) -> list[Issue]:
    """As `check_place`, but an unusable place is a doubt here: describing a file must still work."""
    try:
        return check_place(file, code)
    except UserError as error:
        return [Issue(error.code, str(error), "error", values=error.values)]


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """The layers of a file in local metres, one per theme; objects without geometry give no row."""
    with collector_paused():
        return _read(path, frame, options, feedback)


def _read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    own = options.own if isinstance(options.own, CityGmlOptions) else CityGmlOptions()
    keep = None if options.box is None else box_filter(options.box, frame, options.crs)
    model = load(path, feedback.part(0.0, 0.5).step, keep=keep)
    opened = _opened(path, model, own, frame, options.crs)
    choice = choices.choose(model, opened.corners, opened.file, own.lod, feedback.part(0.55, 0.65).step)
    if model.skipped and model.surfaces.unresolved:
        # something kept points into something forgotten: only the whole file will do
        model = load(path, feedback.part(0.5, 0.6).step)
        opened = _opened(path, model, own, frame, options.crs)
        choice = choices.choose(model, opened.corners, opened.file, own.lod, feedback.part(0.6, 0.65).step)
    corners, file, arrays, local, crs = opened
    placed = choices.place(choice, model, file, arrays.vertex_of, local, frame)
    rings = choices.rings_of(choice, corners, arrays.vertex_of)
    if choices.drop_misplaced(choice, rings, local, file):
        placed = choices.place(choice, model, file, arrays.vertex_of, local, frame)
        rings = choices.rings_of(choice, corners, arrays.vertex_of)
    boxes = boxes_of(rings, local, len(choice.chosen))
    file.issues += far_away([one.source.id for one in choice.chosen], boxes)
    if options.box is not None:
        boxes = with_instances(boxes, placed)
        choice.keep(np.flatnonzero(touch(boxes, local_box(options.box, frame))).tolist())
        placed = choices.place(choice, model, file, arrays.vertex_of, local, frame)
        rings = choices.rings_of(choice, corners, arrays.vertex_of)
    feedback.step(0.7, "triangles")
    colours, _ = choices.colours_of(model, choice)
    file.issues += _surface_issues(model, file)
    units = {name: next(iter(found)) for name, found in model.units.items() if len(found) == 1}
    city = City(file, choice.chosen, local, choices.semantics_of(model), placed, units=units)
    city.triangulate(rings, colours)
    layers = [with_measured_units(one, frame) for one in city.layers(own.lod, options.kind, feedback.part(0.85, 0.93))]
    said = (*file.issues, *file.dropped.issues()) if not layers else ()
    layers = network_layers(
        model, layers, path.stem, frame, options, axes=own.axes, utility=own.utility, feedback=feedback.part(0.93, 1.0)
    )
    if said and layers:
        layers[0] = layers[0].with_(issues=(*said, *layers[0].issues))
    if not layers and options.box is None:
        raise _nothing(file, model)
    feedback.step(1.0, "done")
    return layers


class _Opened(NamedTuple):
    """A model with its vertices in place."""

    corners: Corners
    file: CityFile
    arrays: choices.Arrays
    local: Floats
    crs: str


def _opened(path: Path, model: CityModel, own: CityGmlOptions, frame: Frame, override: str | None) -> _Opened:
    corners = Corners.of(model.surfaces)
    points, crs, _, issues = unify(corners.points, model.surfaces.runs, own.axes, override)
    if crs is None:
        raise MissingCrs(path.name)
    file = _city_file(path, model, crs)
    file.issues += [*_file_issues(model), *issues]
    arrays = choices.Arrays.of(points)
    file.vertices = points[arrays.first]
    file.issues += [*check_place(file, crs), *vertical_doubt(crs, file, frame)]
    return _Opened(corners, file, arrays, placed_on_earth(file.vertices, crs, frame), crs)


def _city_file(path: Path, model: CityModel, crs: str) -> CityFile:
    return CityFile(path.name, model.version, is_sequence=False, crs=crs, metadata={}, objects=model.objects)


def _file_issues(model: CityModel) -> list[Issue]:
    """Doubts about the file as a whole."""
    found = []
    if model.encoding:
        message = f"The text is not in the encoding the file declares; it was read as {model.encoding.upper()}."
        values = {"encoding": model.encoding.upper()}
        found.append(Issue("citygml.encoding", message, "doubt", values=values))
    if model.textures:
        message = f"Textures that are not drawn: {model.textures}."
        found.append(Issue("citygml.textures", message, "note", model.textures))
    if model.library:
        total = sum(model.library.values())
        message = f"Shapes that lie in other files and are not read: {total} (for example {next(iter(model.library))})."
        found.append(Issue("citygml.library", message, "error", total, values={"first": next(iter(model.library))}))
    if model.unknown_values:
        told = ", ".join(f"{name} {count}" for name, count in sorted(model.unknown_values.items()))
        total = sum(model.unknown_values.values())
        message = f"Values that stand for 'not known' (-9999, 9999, 0001) and were left empty: {total} ({told})."
        found.append(Issue("citygml.unknown_values", message, "note", total, values={"names": told}))
    if model.without_id:
        total = sum(model.without_id.values())
        message = f"Objects without an id, which were numbered: {total}."
        found.append(Issue("citygml.without_id", message, "note", total))
    if model.renamed:
        ids = tuple(model.renamed[:MAX_IDS])
        message = f"Objects whose id another object has already; a number was added: {len(model.renamed)}."
        found.append(Issue("citygml.duplicate_id", message, "doubt", len(model.renamed), ids))
    if model.crowded:
        ids = tuple(model.crowded[:MAX_IDS])
        message = (
            f"Objects with more attributes than can be shown, of which the rest was left out: {len(model.crowded)}."
        )
        found.append(Issue("citygml.many_attributes", message, "error", len(model.crowded), ids))
    mixed = sorted(name for name, units in model.units.items() if len(units) > 1)
    if mixed:
        told = ", ".join(mixed)
        message = f"Attributes with several units, shown without one: {told}."
        found.append(Issue("citygml.mixed_units", message, "doubt", len(mixed), values={"names": told}))
    if model.surfaces.flat:
        message = f"Rings without heights, taken at height 0: {model.surfaces.flat}."
        found.append(Issue("citygml.flat", message, "doubt", model.surfaces.flat))
    themes = [name for name, targets in model.colours.items() if targets]
    if len(themes) > 1:
        message = f"The file has several colour themes ({', '.join(themes)}); the first is used."
        found.append(Issue("citygml.themes", message, "note", len(themes), values={"themes": ", ".join(themes)}))
    return found


def _surface_issues(model: CityModel, file: CityFile) -> list[Issue]:
    """Surfaces that could not be read, and references that lead nowhere."""
    found = []
    if file.dropped.surfaces:
        total = sum(file.dropped.surfaces.values())
        ids = tuple(list(file.dropped.surfaces)[:MAX_IDS])
        message = f"Surfaces left out because their corners are not finite triples of numbers: {total}."
        found.append(Issue("citygml.bad_surface", message, "error", total, ids))
    lost = list(dict.fromkeys(model.surfaces.unresolved))
    if lost:
        message = f"References to surfaces that are not in the file: {len(lost)} (for example {lost[0][:80]})."
        found.append(Issue("citygml.unresolved", message, "error", len(lost), values={"first": lost[0][:80]}))
    return found


def _nothing(file: CityFile, model: CityModel) -> UserError:
    told = "; ".join(f"{count} x {REASONS[reason]}" for reason, count in file.dropped.reasons.most_common())
    names = ", ".join(f"{name} {count}" for name, count in model.counts.most_common(5))
    why = f"Left out were {told}." if told else f"It lists no object with surfaces ({names or 'no objects at all'})."
    return UserError(
        f"{file.name} holds nothing that can be shown.",
        why,
        "Check the file with the program that wrote it, or export it again.",
        code="citygml.nothing",
        values={"name": file.name, "reasons": told or names},
    )


FORMAT = Format(
    id="citygml",
    title="CityGML",
    patterns=("*.gml", "*.citygml", "*.gml.gz", "*.citygml.gz", "*.zip"),
    sniff=sniff,
    inspect=inspect,
    read=read,
    options=CityGmlOptions,
    version=3,
)
