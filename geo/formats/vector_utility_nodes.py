"""Points of a utility map: manholes, valves, hydrants and poles with ground, invert and depth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geo import terrain, utility_depth, utility_fields
from geo.formats.contract import ReadOptions
from geo.formats.vector_fields import Meaning
from geo.formats.vector_parts import Context, VectorOptions
from geo.formats.vector_source import Features
from geo.formats.vector_utility import pipe_layer
from geo.formats.vector_utility_reading import (
    Reading,
    descriptions,
    merged_columns,
    quality_columns,
    reading_of,
    utility_of,
)
from geo.model import Column, ElementTable, Feedback, Frame, Issue, Layer, Points, Source
from geo.model import conventions as words
from geo.utility_fields import Recognised

Floats = NDArray[np.float64]
BURIED = ("valve", "junction", "meter", "pump", "service", "other")  # they lie at their depth, not on the ground
METRES_PER_FOOT = 0.3048
FAR_FROM_GROUND = 5.0  # [m] median between stated and sampled ground that is worth a doubt


def utility_layer(part: str, name: str, features: Features, file: str, number: int, context: Context) -> Layer | None:
    """The layer of lines (`number` 1) or points (0) of a utility map; None for areas, which stay outlines."""
    if number == 2:
        return None
    flat = ("point", "line")[number]
    found = utility_fields.recognised(features.name, file, features.columns, flat)
    make = (node_layer, pipe_layer)[number]
    return make(part, name, features, found, context)


def is_utility(features: Features, file: str, said: Meaning | None) -> bool:
    """Whether features are a utility map, as said or by their names."""
    import shapely

    if said is not None:
        return said.theme == "utility"
    present = set(shapely.get_dimensions(features.shapes).tolist())
    return any(
        utility_fields.recognised(features.name, file, features.columns, flat) is not None
        for number, flat in ((1, "line"), (0, "point"))
        if number in present
    )


def register_alone(layer: Layer, path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> Layer:
    """A register that was read without its map: nodes where its rows have a place, else a table with a doubt."""
    import shapely

    if isinstance(layer.geometry, Points):
        shapes = shapely.points(layer.geometry.vertices[:, :2])
        features = Features(path.stem, shapes, layer.table.columns, layer.table.ids, layer.issues, frame.crs)
        found = utility_fields.recognised(path.stem, "", features.columns, "point")
        return node_layer(
            "table", layer.name, features, found, Context(frame, options.terrain, VectorOptions(), feedback)
        )
    count = len(layer.table)
    message = f"{count} rows have no place: a register without its map. Import the map and name this table to join."
    issue = Issue("utility.register_alone", message, "doubt", count=count)
    return layer.with_(stratum="underground", issues=(*layer.issues, issue))


def node_layer(part: str, name: str, features: Features, found: Recognised | None, context: Context) -> Layer:
    """The layer of the points of a utility map."""
    import shapely

    reading = reading_of(features, context, utility_fields.NODE_ROLES)
    points, owner = shapely.get_coordinates(features.shapes, include_z=True, return_index=True)
    utility = utility_of(reading, found)
    kind = _node_kind(reading, found)
    ground = _ground(reading, points, owner)
    depth, repaired = _depth(reading)
    invert = _invert(reading, ground)
    invert = np.where(np.isfinite(invert), invert, np.where(kind == "manhole", ground - depth, np.nan))
    depth = np.where(np.isfinite(depth), depth, ground - invert)
    columns = {
        words.UTILITY: Column(utility),
        words.NODE: Column(kind),
        words.GROUND: Column(_map(ground, context), "m"),
    }
    if np.isfinite(invert).any():
        columns[words.INVERT] = Column(_map(invert, context), "m")
    if np.isfinite(depth).any():
        columns["depth"] = Column(depth, "m")
        columns |= quality_columns(reading, np.isfinite(depth), repaired)
    columns |= descriptions(reading)
    z = _heights(points[:, 2], ground[owner], np.where(np.isin(kind, BURIED), depth, np.nan)[owner])
    geometry = Points(np.column_stack([points[:, :2], z]), owner.astype(np.int32))
    table = ElementTable(reading.ids, merged_columns(features.columns, columns))
    issues = (*features.issues, *reading.issues)
    return Layer(part, name, "utility", geometry, table, stratum="underground", source=Source(part=part), issues=issues)


def _map(local: Floats, context: Context) -> Floats:
    return local + context.frame.origin[2]


def _heights(own: Floats, ground: Floats, depth: Floats) -> Floats:
    """Z of each point: its own where it says one, else on the ground or at its depth."""
    placed = ground - np.nan_to_num(depth)
    return np.where(np.isfinite(own) & (own != 0), own, placed)


def _node_kind(reading: Reading, found: Recognised | None) -> NDArray[np.object_]:
    usual = (found.node if found else "") or "other"
    kind = np.full(reading.count, usual, dtype=object)
    texts = reading.texts("node")
    if texts is None:
        return kind
    said = utility_fields.by_unique(texts, lambda text: utility_fields.node_in(text) if text else "")
    return np.where(said != "", said, kind)


def _ground(reading: Reading, points: Floats, owner: NDArray[np.int64]) -> Floats:
    """Ground height of each element [local m]: as said where that fits the terrain, else sampled."""
    grid, count = reading.context.terrain, reading.count
    first = np.minimum(np.searchsorted(owner, np.arange(count)), max(len(points) - 1, 0))
    place = points[first, :2] if len(points) else np.zeros((count, 2))
    sampled, real = terrain.ground_or_nearest(grid, place[:, 0], place[:, 1])
    reading.doubt(
        "off_terrain", ~real & (grid is not None), "reach beyond the terrain; there the nearest ground was taken."
    )
    column = reading.column("ground")
    if column is None:
        reading.doubt(
            "no_terrain",
            np.full(count, grid is None),
            "stand on a level ground at height 0, because there is no terrain; import one, then this file again.",
        )  # noqa: E501
        return sampled
    said, _ = utility_depth.heights_of(column)
    name = reading.roles["ground"].name
    if grid is not None:
        said = _in_metres(reading, said, sampled + reading.context.frame.origin[2], name)
    local = said - reading.context.frame.origin[2]
    return np.where(np.isfinite(local), local, sampled)


def _in_metres(reading: Reading, said: Floats, sampled: Floats, name: str) -> Floats:
    """Stated ground heights, turned from feet where that clearly fits the terrain better; a doubt where none fits."""
    off = float(np.nanmedian(np.abs(said - sampled))) if np.isfinite(said).any() else 0.0
    if off <= FAR_FROM_GROUND:
        return said
    off_feet = float(np.nanmedian(np.abs(said * METRES_PER_FOOT - sampled)))
    if off_feet < off / 4:
        reading.note(
            "ground_in_feet",
            f"The ground heights ({name}) were taken as feet, as the terrain tells.",
            "doubt",
            column=name,
        )
        return said * METRES_PER_FOOT
    message = f"The ground heights ({name}) lie {off:.1f} m from the terrain (median); they were kept."
    reading.note("ground_differs", message, "doubt", column=name, metres=round(off, 1))
    return said


def _depth(reading: Reading) -> tuple[Floats, NDArray[np.bool_]]:
    sizes = reading.read_role("depth", "cover", reading.context.own.depth_unit)
    if sizes is None:
        return np.full(reading.count, np.nan), np.zeros(reading.count, dtype=bool)
    return sizes.values, sizes.repaired


def _invert(reading: Reading, ground: Floats) -> Floats:
    column = reading.column("invert")
    if column is None:
        return np.full(reading.count, np.nan)
    values, unread = utility_depth.heights_of(column)
    name = reading.roles["invert"].name
    reading.doubt("invert_unreadable", unread, f"inverts ({name}) hold no number; they are unknown.", column=name)
    return np.where(values == 0, np.nan, values) - reading.context.frame.origin[2]
