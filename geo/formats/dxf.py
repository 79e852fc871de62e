"""DXF drawings: closed outlines as areas, lines, texts, points and faces, by the names of their layers."""

from __future__ import annotations

import contextlib
import logging
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field as OptionField

from geo import crs as coordinates
from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.formats.dxf_entities import ENTITY_TROUBLE, Drawing, clean, collect
from geo.formats.options import FormatOptions
from geo.formats.raster import far_away
from geo.formats.utility_options import RoadClass
from geo.formats.vector import checked_kind
from geo.formats.vector_fields import MAP_CODES, Meaning, meaning_of
from geo.formats.vector_layers import layers_of
from geo.formats.vector_parts import ASSUMED_HEIGHT, Context, VectorOptions
from geo.formats.vector_source import Features, check_degrees
from geo.model import (
    Column,
    ElementTable,
    Feedback,
    Frame,
    Issue,
    Layer,
    Mesh,
    MissingCrs,
    Source,
    UserError,
    unique_rows,
)
from geo.model.layer import THEMES

Floats = NDArray[np.float64]
SILENCE = logging.NullHandler()  # what the library would log is said in words of our own
TITLE = "DXF drawing"
BINARY_MAGIC = b"AutoCAD Binary DXF"
DWG = re.compile(rb"AC10\d\d")
START = re.compile(rb"(\xef\xbb\xbf)?\s*(999[ \t]*\r?\n[^\n]*\n\s*)*0[ \t]*\r?\n\s*SECTION", re.IGNORECASE)
Unit = Literal["auto", "m", "mm", "cm", "km", "in", "ft"]
UNITS = {"m": 1.0, "mm": 0.001, "cm": 0.01, "km": 1000.0, "in": 0.0254, "ft": 0.3048}
INSUNITS = {1: "in", 2: "ft", 4: "mm", 5: "cm", 6: "m", 7: "km"}  # codes of $INSUNITS (DXF reference)
# Numbers of this size are metres on a map whatever the header says: as millimetres they would be a single house.
MAP_LOW, MAP_HIGH = 50_000.0, 10_000_000.0
LINEAR = ("contour", "wall", "road edge")  # a closed line of these is a line, no area


class DxfOptions(FormatOptions):
    """What a user may say about a drawing."""

    layer: str = OptionField("", title="Layer of the drawing", description="read only this one")
    unit: Unit = OptionField("auto", title="Unit of the drawing", description="auto = as the drawing says")
    explode_blocks: bool = OptionField(True, title="Take blocks apart", description="else a point for each")
    assumed_height: float = OptionField(ASSUMED_HEIGHT, gt=0, le=500, title="Height where none is said [m]")
    build_terrain: bool = OptionField(False, title="Make a terrain of contours and spot heights")
    cell: float = OptionField(5.0, gt=0.05, le=1000, title="Cell of that terrain [m]")
    road_class: RoadClass = OptionField("auto", title="Road class for missing depths", description="auto = wide")


class Scale(NamedTuple):
    """Metres of a drawing unit, and what is said of it."""

    metres: float
    issues: tuple[Issue, ...]


def sniff(path: Path, head: bytes) -> bool:
    """Whether the bytes start like a DXF, as text or binary, or like a DWG, which is refused with advice."""
    return START.match(head) is not None or head.startswith(BINARY_MAGIC) or DWG.match(head) is not None


@contextlib.contextmanager
def _understood(path: Path) -> Iterator[None]:
    """Turn what the library raises for a bad drawing into `UserError`."""
    import ezdxf

    try:
        yield
    except (ezdxf.DXFError, OSError, RecursionError, EOFError, *ENTITY_TROUBLE) as error:
        raise unreadable(path, str(error) or type(error).__name__) from error


def unreadable(path: Path, reason: str) -> UserError:
    """The error of a drawing that cannot be read."""
    return UserError(
        f"{path.name} cannot be read as a DXF drawing.",
        f"It is cut short or damaged ({clean(reason.strip()[:160])}).",
        "Open it in a CAD program and save it again as DXF (2007 or later).",
        code="dxf.unreadable",
        values={"name": path.name, "reason": clean(reason.strip()[:160])},
    )


def _opened(path: Path) -> tuple[Any, list[Issue]]:
    """The drawing, repaired where it does not hold together."""
    import ezdxf
    from ezdxf import recover

    logging.getLogger("ezdxf").addHandler(SILENCE)
    logging.getLogger("ezdxf").propagate = False
    with path.open("rb") as file:
        if DWG.match(file.read(6)):
            raise _is_dwg(path)
    with _understood(path):
        try:
            return ezdxf.readfile(path), []
        except (ezdxf.DXFStructureError, UnicodeDecodeError, *ENTITY_TROUBLE):
            document, auditor = recover.readfile(path)
    count = len(auditor.errors) + len(auditor.fixes)
    message = f"The drawing did not hold together and was repaired ({count} faults); parts may be missing."
    return document, [Issue("dxf.repaired", message, "doubt", count=count)]


def _is_dwg(path: Path) -> UserError:
    return UserError(
        f"{path.name} is a DWG drawing.",
        "DWG is a closed format; only its open sister DXF can be read.",
        "Open it in a CAD program and save it as DXF (2007 or later).",
        code="dxf.is_dwg",
        values={"name": path.name},
    )


def _drawing(path: Path, own: DxfOptions, feedback: Feedback) -> tuple[Drawing, Any, list[Issue]]:
    document, issues = _opened(path)
    feedback.step(0.4, "reading entities")
    with _understood(path):
        drawing = collect(document.modelspace(), feedback.part(0.4, 0.9), explode=own.explode_blocks)
        unit = int(document.header.get("$INSUNITS", 0) or 0)
    for count, code, words in (
        (drawing.bad, "dxf.bad_entities", "entities could not be understood and were left out"),
        (drawing.cycles, "dxf.block_cycles", "blocks contain themselves or lie too deep and were left out"),
    ):
        if count:
            issues.append(Issue(code, f"{count} {words}.", "error", count=count))
    if drawing.skipped:
        kinds = ", ".join(f"{kind} {count}" for kind, count in drawing.skipped.most_common(8))
        total = sum(drawing.skipped.values())
        message = f"{total} entities are of kinds that are not read ({kinds})."
        issues.append(Issue("dxf.skipped", message, "note", count=total, values={"kinds": kinds}))
    return drawing, unit, issues


def scale_of(unit: int, wish: str, largest: float) -> Scale:
    """Metres of a unit: as wished, as ``$INSUNITS`` says unless the numbers are clearly those of a map, else metres.

    Parameters
    ----------
    largest : float
        Greatest absolute coordinate in the drawing.
    """
    if wish != "auto":
        return Scale(UNITS[wish], ())
    name = INSUNITS.get(unit, "")
    if not name:
        if unit == 0:
            return Scale(1.0, ())
        message = "The drawing has an unusual unit; its coordinates were taken as metres."
        return Scale(1.0, (Issue("dxf.unit_unknown", message, "doubt"),))
    if name == "m":
        return Scale(1.0, ())
    if MAP_LOW <= largest < MAP_HIGH and UNITS[name] < 1:
        message = f"The drawing says {name}, but its coordinates are those of a map in metres; they were taken as such."
        return Scale(1.0, (Issue("dxf.unit_not_believed", message, "doubt", values={"unit": name}),))
    message = f"The drawing is in {name}; its coordinates were brought to metres."
    return Scale(UNITS[name], (Issue("dxf.unit", message, "note", values={"unit": name}),))


def _extent(drawing: Drawing) -> Floats:
    """(2, 3) lowest and highest coordinates in drawing units; NaN where there are none."""
    import shapely

    points = shapely.get_coordinates([s for s in drawing.shapes if s is not None], include_z=True)
    points = np.concatenate([np.nan_to_num(points), *[face.reshape(-1, 3) for face in drawing.faces]])
    return np.array([points.min(axis=0), points.max(axis=0)]) if len(points) else np.full((2, 3), np.nan)


def inspect(path: Path) -> FileInfo:
    """Entities by kind, layers with what they would be taken for, and the extent."""
    drawing, unit, issues = _drawing(path, DxfOptions(), Feedback())
    extent = _extent(drawing)
    scale = scale_of(unit, "auto", float(np.nan_to_num(np.abs(extent[:, :2])).max()))
    box = extent * scale.metres
    bounds = None if np.isnan(box).any() else tuple(float(v) for v in box.ravel())
    counts = {"entities": len(drawing.shapes), **Counter(drawing.kind)}
    words = {
        name: {"entities": n, "taken_for": word_of(name, "area").word} for name, n in Counter(drawing.layer).items()
    }
    issues += [*scale.issues, Issue("crs.not_said", "The file does not name a coordinate system.", "doubt")]
    details: dict[str, object] = {"layers": words, "unit": INSUNITS.get(unit, "")}
    return FileInfo("dxf", TITLE, crs=None, bounds=bounds, counts=counts, issues=tuple(issues), details=details)  # type: ignore[arg-type]


def word_of(layer: str, flat: str) -> Meaning:
    """What a layer of a drawing shows: by the code of the Korean digital map (``B0014110``), else by its name."""
    if re.match(r"[A-Ha-h]\d{3}", layer):
        for letter in {"area": "al", "line": "la", "point": "pl"}[flat]:
            code = f"n3{letter}_{layer.lower()}"
            word = next((word for pattern, word in MAP_CODES if re.match(pattern, code)), "")
            if word:
                return Meaning(word, "code", layer)
    return meaning_of(layer, layer, {}, flat)


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """Layers by what they show (buildings, roads, contours, the rest) and by dimension, and one of faces for each."""
    own = options.own if isinstance(options.own, DxfOptions) else DxfOptions()
    said = checked_kind(options.kind)
    feedback.step(0.0, f"opening {path.name}")
    drawing, unit, issues = _drawing(path, own, feedback.part(0.0, 0.6))
    if options.crs is None:
        raise MissingCrs(path.name)
    if own.layer and own.layer not in drawing.layer:
        raise _no_such_layer(path, own.layer, sorted(set(drawing.layer)))
    extent = _extent(drawing)
    if np.isnan(extent).any():
        raise unreadable(path, "nothing in it can be drawn")
    scale = scale_of(unit, own.unit, float(np.abs(extent[:, :2]).max()))
    placed = _Placed(drawing, options.crs, frame, scale.metres, path)
    found = _built_layers(placed, own, said, options, feedback.part(0.6, 1.0))
    if placed.lost:
        message = (
            f"{placed.lost} entities lie where the project's coordinate system does not reach; they were left out."
        )
        issues.append(Issue("dxf.far_entities", message, "error", count=placed.lost))
    if found:
        found[0] = found[0].with_(issues=(*issues, *scale.issues, *found[0].issues))
    elif options.box is not None:
        message = f"{path.name} has nothing inside the box."
        feedback.note(Issue("box.empty", message, "note", values={"name": path.name}))
    feedback.step(1.0, "read")
    return found


class _Placed:
    """A drawing in local metres: shapes (n,) and triangles with their rows; columns of all rows."""

    def __init__(self, drawing: Drawing, crs: str, frame: Frame, metres: float, path: Path) -> None:
        import shapely

        self.drawing, self.crs, self.path, self.frame = drawing, coordinates.canonical(crs), path, frame
        self.shapes = np.array([*drawing.shapes, None], dtype=object)[:-1]
        points = shapely.get_coordinates(self.shapes, include_z=True)
        flat = np.nan_to_num(points[:, 2]) == 0
        local = self._local(np.nan_to_num(points) * metres)
        shapes = shapely.set_coordinates(shapely.force_3d(self.shapes), local)
        owner = shapely.get_coordinates(self.shapes, return_index=True)[1]
        at_zero = np.bincount(owner, weights=~flat, minlength=len(shapes)) == 0
        at_zero &= ~shapely.is_missing(shapes)
        shapes[at_zero] = shapely.force_2d(shapes[at_zero])  # height 0 in a drawing mostly means none
        lost = np.unique(owner[~np.isfinite(local).all(axis=1)])
        shapes[lost] = None
        self.shapes, self.lost = shapes, len(lost)
        count = [len(face) for face in drawing.faces]
        triangles = np.concatenate(drawing.faces) if drawing.faces else np.empty((0, 3, 3))
        self.triangles = self._local(triangles.reshape(-1, 3) * metres).reshape(-1, 3, 3)
        self.triangle_row = np.repeat(np.array(drawing.face_row, dtype=np.int64), count)
        usable = np.isfinite(self.triangles).all(axis=(1, 2))
        self.triangles, self.triangle_row = self.triangles[usable], self.triangle_row[usable]
        if shapely.is_missing(self.shapes).all() and len(self.triangles) == 0:
            raise far_away(path.name, frame)
        self.columns = self._columns(metres)

    def _local(self, points: Floats) -> Floats:
        if len(points) == 0:
            return points.reshape(0, 3)
        check_degrees(points, self.crs, self.path)
        return coordinates.to_local(points, self.crs, self.frame)

    def _columns(self, metres: float) -> dict[str, Column]:
        drawing = self.drawing

        def text(values: list[Any]) -> Column:
            return Column(np.array([*values, None], dtype=object)[:-1])

        columns = {"layer": text(drawing.layer), "entity": text(drawing.kind)}
        if any(drawing.text):
            columns["text"] = text(drawing.text)
        if any(drawing.block):
            columns["block"] = text(drawing.block)
        thickness = np.array(drawing.thickness) * metres
        if (thickness > 0).any():
            columns["thickness"] = Column(np.where(thickness > 0, thickness, np.nan), "m")
        return columns


def _built_layers(
    placed: _Placed, own: DxfOptions, said: Meaning | None, options: ReadOptions, feedback: Feedback
) -> list[Layer]:
    """The rows grouped by what their layers show, each group built like a layer of a GIS file."""
    import shapely

    wanted = np.array([own.layer in ("", name) for name in placed.drawing.layer], dtype=bool)
    ids = np.array([str(number) for number in range(len(wanted))], dtype=object)
    dimension = shapely.get_dimensions(placed.shapes)
    words = np.array(
        [said.word if said else word_of(name, ("point", "line", "area")[max(int(d), 0)]).word
         for name, d in zip(placed.drawing.layer, np.where(dimension < 0, 2, dimension), strict=True)] + [None],
        dtype=object,
    )[:-1]  # fmt: skip
    ring = np.isin(words, LINEAR) & (dimension == 2)
    placed.shapes[ring] = shapely.boundary(placed.shapes[ring])
    dimension[ring] = 1
    inside = _inside(placed, options)
    found: list[Layer] = []
    for word in dict.fromkeys(words[wanted].tolist()):
        mine = np.flatnonzero((words == word) & wanted & inside & (dimension >= 0))
        everything = Features(word, placed.shapes, placed.columns, ids, (), placed.crs)
        settings = VectorOptions(
            height_column="thickness" if word == "building" and "thickness" in placed.columns else "",
            assumed_height=own.assumed_height, build_terrain=own.build_terrain, cell=own.cell,
            road_class=own.road_class,
            **(dict.fromkeys(("field_utility", "field_node"), "layer") if word == "utility" else {}),
        )  # fmt: skip
        context = Context(placed.frame, options.terrain, settings, feedback)
        if len(mine):
            title = f"{placed.path.stem} {word}"
            found += layers_of(everything.only(mine), placed.path.stem, Meaning(word), context, title=title)
        faces = (words == word) & wanted & inside
        found += _face_layer(placed, word, faces, ids)
    return found


def _inside(placed: _Placed, options: ReadOptions) -> NDArray[np.bool_]:
    """Which rows touch the box."""
    import shapely

    inside = np.ones(len(placed.shapes), dtype=bool)
    if options.box is None:
        return inside
    east, north, _ = placed.frame.origin
    box = shapely.box(options.box.west - east, options.box.south - north, options.box.east - east,
                      options.box.north - north)  # fmt: skip
    has_shape = ~shapely.is_missing(placed.shapes)
    inside[has_shape] = shapely.intersects(shapely.box(*shapely.bounds(placed.shapes[has_shape]).T), box)
    low, high = placed.triangles[:, :, :2].min(axis=1), placed.triangles[:, :, :2].max(axis=1)
    touches = ((high >= box.bounds[:2]) & (low <= box.bounds[2:])).all(axis=1)
    rows = np.flatnonzero(~has_shape)
    inside[rows] = np.bincount(placed.triangle_row, weights=touches, minlength=len(inside))[rows] > 0
    return inside


def _face_layer(placed: _Placed, word: str, chosen: NDArray[np.bool_], ids: NDArray[np.object_]) -> list[Layer]:
    mine = np.flatnonzero(chosen[placed.triangle_row]) if len(placed.triangle_row) else np.empty(0, np.int64)
    if len(mine) == 0:
        return []
    rows, element = np.unique(placed.triangle_row[mine], return_inverse=True)
    corners = unique_rows(placed.triangles[mine].reshape(-1, 3))
    mesh = Mesh(corners.rows, corners.group.reshape(-1, 3).astype(np.int32), element.ravel().astype(np.int32))
    columns = {name: Column(column.values[rows], column.unit) for name, column in placed.columns.items()}
    theme = Meaning(word).theme
    part = f"{word}/faces"
    return [
        Layer(part, f"{placed.path.stem} {word}/faces", theme if theme in THEMES else "other", mesh,
              ElementTable(ids[rows], columns), source=Source(part=part))
    ]  # fmt: skip


def _no_such_layer(path: Path, layer: str, layers: list[str]) -> UserError:
    return UserError(
        f"{path.name} has no layer '{layer}'.",
        f"Its layers are: {', '.join(layers[:40])}.",
        "Name one of these, or none to read them all.",
        code="vector.no_such_layer",
        values={"name": path.name, "layer": layer, "layers": ", ".join(layers[:40])},
    )


FORMAT = Format(
    id="dxf",
    title=TITLE,
    patterns=("*.dxf", "*.dwg"),
    sniff=sniff,
    inspect=inspect,
    read=read,
    options=DxfOptions,
    isolate=True,
    version=2,  # utilities in space
)
