"""Point clouds: LAS, LAZ and COPC, read in chunks, thinned to what memory holds, with class, colour and intensity."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field as Setting
from pydantic import field_validator

from geo import crs as coordinates
from geo.formats.contract import FileInfo, Format, MapBox, ReadOptions
from geo.formats.las_file import MAGIC, Cloud, faults_told, opened
from geo.formats.mesh_model import on_earth
from geo.formats.options import FormatOptions
from geo.model import (
    Column,
    ElementTable,
    Feedback,
    Field,
    Frame,
    Grid,
    Issue,
    Layer,
    MissingCrs,
    Points,
    Source,
    Style,
    UserError,
)
from geo.model.layer import THEMES

if TYPE_CHECKING:
    from geo.pointcloud import GroundGrid

Floats = NDArray[np.float64]
CHUNK = 500_000  # points read at once
# ASPRS LAS 1.4 R15, table 17.
CLASS_NAMES = (
    "never classified", "unclassified", "ground", "low vegetation", "medium vegetation", "high vegetation", "building",
    "low point (noise)", "model key point", "water", "rail", "road surface", "overlap", "wire guard",
    "wire conductor", "transmission tower", "wire connector", "bridge deck", "high noise", "overhead structure",
    "ignored ground", "snow", "temporal exclusion",
)  # fmt: skip
NOISE = (7, 18)
DEEPEST = 30  # level of a COPC octree; at 30 a nation is cut into millimetres


class PointCloudOptions(FormatOptions):
    """What a user may say about a point cloud."""

    max_points: int = Setting(5_000_000, ge=1_000, le=100_000_000, title="Most points to keep")
    classes: tuple[int, ...] = Setting((), title="Classes to read", description="numbers; none = all but noise")
    ground_cell: float = Setting(
        0.0, ge=0, le=1_000, allow_inf_nan=False, title="Cell of a terrain from the ground points [m]",
        description="0 = no terrain",
    )  # fmt: skip

    @field_validator("classes", mode="before")
    @classmethod
    def _numbers_in_text(cls, value: object) -> object:
        """What a form or a command line gives: ``"2, 6"``; nothing in it means all."""
        return tuple(value.strip("()[] ").replace(",", " ").split()) if isinstance(value, str) else value


def sniff(path: Path, head: bytes) -> bool:
    """Whether the bytes start like LAS (LAZ and COPC start the same)."""
    return head[:4] == MAGIC


def inspect(path: Path) -> FileInfo:
    """What the header says; no point is read."""
    with opened(path) as cloud, faults_told(path):
        header = cloud.reader.header
        low, high = [float(v) for v in header.mins], [float(v) for v in header.maxs]
        issues = list(cloud.issues)
        if cloud.crs is None:
            issues.append(Issue("crs.not_said", "The file does not name a coordinate system.", "doubt"))
        finite = all(map(math.isfinite, [*low, *high])) and all(a <= b for a, b in zip(low, high, strict=True))
        if not finite:
            issues.append(Issue("pointcloud.extent", "The extent in the header is impossible.", "doubt"))
        return FileInfo(
            format=FORMAT.id,
            title="COPC" if cloud.is_copc else "LAZ" if header.are_points_compressed else "LAS",
            version=f"{header.version.major}.{header.version.minor}",
            crs=cloud.crs,
            vertical=cloud.vertical,
            bounds=(low[0], low[1], low[2], high[0], high[1], high[2]) if finite else None,
            counts={"points": cloud.count},
            issues=tuple(issues),
            details={
                "point_format": int(header.point_format.id),
                "has_colour": "red" in header.point_format.dimension_names,
                "scales": [float(s) for s in header.scales],
            },
        )


@dataclass
class _Kept:
    """Points kept so far, thinned evenly: when there are too many, every second one goes and the step doubles."""

    most: int
    step: int = 1
    seen: int = 0
    parts: list[dict[str, NDArray[Any]]] = field(default_factory=list)

    def add(self, part: dict[str, NDArray[Any]]) -> None:
        size = len(part["xyz"])
        first = -self.seen % self.step
        self.seen += size
        self.parts.append({name: values[first :: self.step].copy() for name, values in part.items()})
        while self.count > self.most:
            self._halve()

    @property
    def count(self) -> int:
        return sum(len(part["xyz"]) for part in self.parts)

    def _halve(self) -> None:
        """Drop every second point, counted through all parts."""
        start = 0
        for number, part in enumerate(self.parts):
            size = len(part["xyz"])
            self.parts[number] = {name: values[start % 2 :: 2].copy() for name, values in part.items()}
            start += size
        self.step *= 2

    def joined(self) -> dict[str, NDArray[Any]]:
        return {name: np.concatenate([part[name] for part in self.parts]) for name in self.parts[0]}


class _Ground:
    """Ground points on their way into cells of the frame."""

    def __init__(self, cell: float, crs: str, frame: Frame) -> None:
        from geo.pointcloud import GroundCells

        self.cells, self.crs, self.frame = GroundCells(cell), crs, frame

    def add(self, part: dict[str, NDArray[Any]]) -> None:
        from geo.pointcloud import GROUND

        self.cells.add(_local(part["xyz"][part["class"] == GROUND], self.crs, self.frame))


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """Layer ``points`` and, if wanted, ``ground``: a terrain from the ground points."""
    own = options.own if isinstance(options.own, PointCloudOptions) else PointCloudOptions()
    feedback.step(0.0, f"opening {path.name}")
    with opened(path) as cloud:
        crs = options.crs or cloud.crs
        if crs is None:
            raise MissingCrs(path.name)
        issues = list(cloud.issues)
        box = _box_in_file(options.box, frame, crs)
        ground = _Ground(own.ground_cell, crs, frame) if own.ground_cell else None
        kept, lost = _gather(cloud, own, box, ground, feedback.part(0.02, 0.7))
    if not kept.parts or kept.count == 0:
        if options.box is not None:
            message = f"{path.name} has nothing inside the box."
            feedback.note(Issue("box.empty", message, "note", values={"name": path.name}))
            return []
        raise _nothing(path)
    issues += _left_out(kept, lost)
    data = kept.joined()
    kept.parts.clear()
    feedback.step(0.72, "placing points")
    local = _placed(data["xyz"], crs, frame, feedback.part(0.72, 0.85))
    good = np.isfinite(local).all(axis=1)
    if not good.any():
        raise _nothing(path)
    if not good.all():
        lost_points = int((~good).sum())
        message = f"{lost_points} points lie nowhere on Earth and were left out."
        issues.append(Issue("pointcloud.not_finite", message, "error", lost_points))
        local, data = local[good], {name: values[good] for name, values in data.items()}
    layers = [_points_layer(path, local, data, options, issues)]
    if ground is not None:
        feedback.step(0.9, "terrain from the ground points")
        layers.append(_ground_layer(path, ground.cells.grid()))
    feedback.step(1.0, "read")
    return layers


def _box_in_file(box: MapBox | None, frame: Frame, crs: str) -> tuple[float, float, float, float] | None:
    """The box of the project CRS as a box in the file's CRS that holds it."""
    if box is None:
        return None
    x = np.linspace(box.west, box.east, 9)
    y = np.linspace(box.south, box.north, 9)
    xx, yy = np.meshgrid(x, y)
    east, north = coordinates.transform(xx, yy, frame.crs, crs)
    return float(np.nanmin(east)), float(np.nanmin(north)), float(np.nanmax(east)), float(np.nanmax(north))


def _gather(
    cloud: Cloud,
    own: PointCloudOptions,
    box: tuple[float, float, float, float] | None,
    ground: _Ground | None,
    feedback: Feedback,
) -> tuple[_Kept, dict[str, int]]:
    """Points inside the box and of the wanted classes, thinned; and how many were left out for which reason.

    The terrain is made of all ground points, before thinning.
    """
    kept = _Kept(own.max_points, step=1 if box or own.classes else max(math.ceil(cloud.count / own.max_points), 1))
    lost = {"noise": 0, "withheld": 0}
    read_points = 0
    with faults_told(cloud.path):
        for points in _chunks(cloud, box):
            read_points += len(points)
            feedback.step(min(read_points / max(cloud.count, 1), 1.0), f"{read_points:,} points")
            part = _chosen(points, own.classes, box, lost)
            if ground is not None:
                ground.add(part)
            kept.add(part)
    return kept, lost


def _chunks(cloud: Cloud, box: tuple[float, float, float, float] | None) -> Iterator[Any]:
    """Records of at most `CHUNK` points; of a COPC file only the nodes of the octree that touch the box."""
    if cloud.is_copc and box is not None:
        import laspy

        with cloud.path.open("rb") as stream:
            bounds = laspy.copc.Bounds(mins=np.array(box[:2]), maxs=np.array(box[2:]))
            octree = laspy.copc.CopcReader.open(stream)
            level = 0
            # Level by level, so that memory holds one at a time; deeper pages of the tree come in on the way.
            while level <= min(max((key.level for key in octree.root_page.entries), default=-1), DEEPEST):
                yield octree.query(bounds=bounds, level=level)
                level += 1
        return
    yield from cloud.reader.chunk_iterator(CHUNK)


def _chosen(
    points: Any, classes: tuple[int, ...], box: tuple[float, float, float, float] | None, lost: dict[str, int]
) -> dict[str, NDArray[Any]]:
    x, y, z = (np.asarray(getattr(points, axis), dtype=np.float64) for axis in "xyz")
    code = np.asarray(points.classification).astype(np.int16)
    keep = np.ones(len(x), dtype=bool)
    if box is not None:
        keep &= (x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3])
    withheld = np.asarray(points.withheld).astype(bool) & keep
    keep &= ~withheld
    noise = (np.zeros(len(x), bool) if classes else np.isin(code, NOISE)) & keep
    keep &= np.isin(code, classes) if classes else ~noise
    lost["withheld"] += int(withheld.sum())
    lost["noise"] += int(noise.sum())
    part = {
        "xyz": np.stack([x[keep], y[keep], z[keep]], axis=1),
        "class": code[keep],
        "intensity": np.asarray(points.intensity)[keep].astype(np.uint16),
    }
    if "red" in points.point_format.dimension_names:
        part["rgb"] = np.stack([np.asarray(points[name])[keep] for name in ("red", "green", "blue")], axis=1)
    return part


def _placed(xyz: Floats, crs: str, frame: Frame, feedback: Feedback) -> Floats:
    """Points in local metres, chunk by chunk so that the user may stop; NaN where they lie nowhere on Earth."""
    local = np.empty_like(xyz)
    for start in range(0, len(xyz), CHUNK):
        feedback.step(start / len(xyz), "placing points")
        local[start : start + CHUNK] = _local(xyz[start : start + CHUNK], crs, frame)
    return local


def _local(xyz: Floats, crs: str, frame: Frame) -> Floats:
    with np.errstate(all="ignore"):
        local = coordinates.to_local(xyz, crs, frame)
    local[~on_earth(local)] = np.nan
    return local


def _left_out(kept: _Kept, lost: dict[str, int]) -> list[Issue]:
    issues = []
    thinned = kept.seen - kept.count
    if thinned > 0:
        message = f"{thinned:,} of {kept.seen:,} points were left out evenly (one of {kept.step} was kept)."
        values = {"seen": kept.seen, "kept": kept.count, "step": kept.step}
        issues.append(Issue("pointcloud.thinned", message, "note", thinned, values=values))
    if lost["noise"]:
        message = f"{lost['noise']} points classified as noise were left out."
        issues.append(Issue("pointcloud.noise", message, "note", lost["noise"]))
    if lost["withheld"]:
        message = f"{lost['withheld']} points marked as withheld were left out."
        issues.append(Issue("pointcloud.withheld", message, "note", lost["withheld"]))
    return issues


def class_field(codes: NDArray[np.int16]) -> Field:
    """Field ``class`` with the names of the ASPRS; codes the standard does not name are called by their number."""
    highest = int(codes.max(initial=0))
    names = [CLASS_NAMES[k] if k < len(CLASS_NAMES) else f"class {k}" for k in range(highest + 1)]
    return Field("class", "1", "point", codes, categories=tuple(names))


def _points_layer(
    path: Path, local: Floats, data: dict[str, NDArray[Any]], options: ReadOptions, issues: list[Issue]
) -> Layer:
    fields = [class_field(data["class"])]
    if data["intensity"].any():
        fields.append(Field("intensity", "1", "point", data["intensity"].astype(np.float32), ramp="grey"))
    if "rgb" in data and data["rgb"].any():
        fields.append(Field("colour", "1", "point", _packed(data["rgb"])))
    area = float(np.prod(local[:, :2].max(axis=0) - local[:, :2].min(axis=0)))
    columns = {
        "points": Column(np.array([len(local)])),
        "density": Column(np.array([len(local) / area if area > 0 else np.nan]), "1/m2"),
    }
    return Layer(
        "points",
        path.name.split(".")[0],
        options.kind if options.kind in THEMES else "other",
        Points(local, np.zeros(len(local), np.int32)),
        ElementTable([path.name.split(".")[0]], columns),
        tuple(fields),
        Style(colour_by="class"),
        source=Source(part="points"),
        issues=tuple(issues),
    )


def _packed(rgb: NDArray[Any]) -> NDArray[np.int32]:
    """0xRRGGBB from 16 bit colours; some writers leave 8 bit numbers in the 16 bit fields."""
    shift = 8 if int(rgb.max()) > 255 else 0
    red, green, blue = (rgb[:, k].astype(np.int32) >> shift for k in range(3))
    return np.asarray((red << 16) | (green << 8) | blue, dtype=np.int32)


def _ground_layer(path: Path, found: GroundGrid) -> Layer:
    grid: Grid = found.grid
    issues = []
    if found.filled:
        message = f"{found.filled} cells without ground points were filled from their neighbours."
        issues.append(Issue("pointcloud.filled", message, "note", found.filled))
    empty = int((~grid.is_finite).sum())
    if empty:
        message = f"{empty} of {grid.values.size} cells of the terrain have no ground points near and stay empty."
        issues.append(Issue("pointcloud.holes", message, "doubt", empty, values={"cells": int(grid.values.size)}))
    return Layer("ground", f"{path.name.split('.')[0]} (ground)", "terrain", grid, source=Source(part="ground"),
                 issues=tuple(issues))  # fmt: skip


def _nothing(path: Path) -> UserError:
    return UserError(
        f"{path.name} gives no points.",
        "All of them were left out: noise, withheld, of other classes, or without a place.",
        "Check the classes asked for and the coordinate system.",
        code="pointcloud.nothing",
        values={"name": path.name},
    )


FORMAT = Format(
    id="las",
    title="LAS/LAZ point cloud",
    patterns=("*.las", "*.laz"),
    sniff=sniff,
    inspect=inspect,
    read=read,
    options=PointCloudOptions,
    isolate=True,
)
