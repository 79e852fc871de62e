"""Lines of a utility map built as pipes in space: size, depth with its quality, and the columns all others expect."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo import utilities, utility_depth, utility_fields
from geo.formats.vector_parts import Context
from geo.formats.vector_source import Features
from geo.formats.vector_utility_reading import (
    Reading,
    descriptions,
    merged_columns,
    quality_columns,
    reading_of,
    utility_of,
)
from geo.model import Column, Layer, Source
from geo.model import conventions as words
from geo.model.table import ElementTable
from geo.utilities import Course, Depths
from geo.utility_depth import read_sizes
from geo.utility_fields import Recognised

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]
LINE_STRING = 1  # type number of shapely; a linear ring (2) is one of its kind


def pipe_layer(part: str, name: str, features: Features, found: Recognised | None, context: Context) -> Layer:
    """The layer of the lines of a utility map."""
    reading = reading_of(features, context, utility_fields.LINE_ROLES)
    context.feedback.step(0.1, "understanding pipes")
    utility = utility_of(reading, found)
    section = _section(reading)
    context.feedback.step(0.3, "placing pipes")
    course = _course(reading)
    columns = {words.UTILITY: Column(utility)}
    placed, more = _placed(reading, course, utility, section)
    columns |= more
    columns |= descriptions(reading)
    table = ElementTable(reading.ids, merged_columns(features.columns, columns))
    issues = (*features.issues, *reading.issues)
    return Layer(
        part, name, "utility", placed, table, stratum="underground", source=Source(part=part), issues=issues
    )  # fmt: skip


@dataclass(frozen=True)
class _Section:
    """Outer and inner height (n,) [m], 0 where unknown, and the columns that say the size."""

    outer: Floats
    inner: Floats
    columns: dict[str, Column]


def _section(reading: Reading) -> _Section:
    own, count = reading.context.own, reading.count
    nothing = np.full(count, np.nan)
    width, height = (_or(reading.sizes(role, "size", own.diameter_unit), nothing) for role in ("width", "height"))
    diameter, is_box = nothing, np.isfinite(width) & np.isfinite(height)
    column = reading.column("diameter")
    if column is not None:
        width, height, is_box, column = _boxes_in_text(column, width, height, is_box)
        found = reading.roles["diameter"]
        said = "" if own.diameter_unit == "auto" else own.diameter_unit
        sizes = read_sizes(
            _only_where(column, ~is_box), "diameter", ids=reading.ids, name=found.name, unit=found.unit, said=said
        )
        reading.issues += sizes.issues
        diameter = sizes.values
    diameter = np.where(is_box, np.nan, diameter)
    wall = np.nan_to_num(_or(reading.sizes("wall", "wall", "auto"), nothing))
    width, height = np.where(is_box, width, np.nan), np.where(is_box, height, np.nan)
    unknown = ~is_box & ~np.isfinite(diameter)
    reading.doubt(
        "size_unknown", unknown, "say no diameter; the depth is taken to their axis and they are drawn thin.", "note"
    )
    inner = np.nan_to_num(np.where(is_box, height, diameter))
    outer = inner + np.where(is_box | (inner > 0), 2 * wall, 0.0)
    columns = {words.DIAMETER: Column(np.where(np.isfinite(diameter), diameter + 2 * wall, np.nan), "m")}
    if is_box.any():
        columns |= {words.WIDTH: Column(width, "m"), words.HEIGHT: Column(height, "m")}
    return _Section(outer, inner, columns)


def _or(values: Floats | None, other: Floats) -> Floats:
    return other if values is None else values


def _boxes_in_text(
    column: Column, width: Floats, height: Floats, is_box: Flags
) -> tuple[Floats, Floats, Flags, Column]:
    """Diameters such as ``2.0x1.5`` are boxes."""
    if column.values.dtype.kind != "O":
        return width, height, is_box, column
    pairs = utility_fields.by_unique(column.values, utility_depth.box_size)
    said = np.array([*pairs.tolist(), (0.0, 0.0)], dtype=np.float64)[:-1]
    new = np.isfinite(said[:, 0])
    if not new.any():
        return width, height, is_box, column
    metres = np.where(said > utility_depth.BOX.up_to_m, said / 1000, said)
    values = np.where(new, None, column.values)
    return (
        np.where(new, metres[:, 0], width),
        np.where(new, metres[:, 1], height),
        is_box | new,
        Column(values),
    )


def _only_where(column: Column, rows: Flags) -> Column:
    """A column with nothing in the other rows: a box rightly has no diameter."""
    if rows.all():
        return column
    if column.values.dtype.kind in "fi":
        return Column(np.where(rows, column.values.astype(np.float64), np.nan))
    return Column(np.where(rows, column.values.astype(object), None))


def _course(reading: Reading) -> Course:
    """The lines of the features, with vertices enough to follow the ground."""
    import shapely

    shapes = reading.features.shapes
    if (shapely.get_type_id(shapes) == LINE_STRING).all():
        parts, owner = shapes, np.arange(len(shapes))
    else:
        parts, owner = shapely.get_parts(shapes, return_index=True)
    points, line = shapely.get_coordinates(parts, include_z=True, return_index=True)
    several = np.bincount(owner.astype(np.int64), minlength=reading.count) > 1
    reading.doubt("several_lines", several, "consist of several lines; each stays one element.", "note")
    grid = reading.context.terrain
    has_z = np.isfinite(points[:, 2])
    flat = not (has_z & (points[:, 2] != 0)).any()
    step = max(2 * grid.cell, utilities.LEAST_STEP) if grid is not None and flat else 0.0
    course = utilities.course_of(points, line, owner.astype(np.int64), count=reading.count, step=step)
    missing = shapely.is_missing(shapes)
    reading.doubt("zero_length", course.empty & ~missing, "have no length and are not drawn; their row stays.", "error")
    return course


def _placed(
    reading: Reading, course: Course, utility: Texts, section: _Section
) -> tuple[utilities.Lines, dict[str, Column]]:
    context = reading.context
    ground, off = utilities.ground_along(course, context.terrain)
    own_z = utilities.own_heights(course)
    if len(course.points) == 0:
        ground_ends = (np.zeros(course.count), np.zeros(course.count))
    else:
        ground_ends = (ground[course.first], ground[course.last])
    begin, end, repaired = _covers(reading, ground_ends, np.isin(utility, words.GRAVITY), section)
    inverts = _inverts(reading, ground_ends)
    known = np.isfinite(begin) | np.isfinite(inverts[0]) | np.isfinite(inverts[1]) | own_z
    begin, end = _filled(reading, utility, begin, end, known)
    shifted = _own_axis(reading, course, own_z, section)
    _far_from_ground(reading, shifted, ground, own_z)
    depths = Depths(begin, end, *inverts, own_z)
    pipes = utilities.place_pipes(
        shifted, ground, depths, outer=section.outer, inner=section.inner,
        has_ground=context.terrain is not None, off=off,
    )  # fmt: skip
    _ground_doubts(reading, own_z & ~course.empty, ~own_z & ~course.empty, off)
    columns = dict(section.columns)
    columns[words.COVER] = Column(pipes.cover, "m")
    columns |= quality_columns(reading, known, repaired)
    for name, values in ((words.INVERT_UP, pipes.invert_up), (words.INVERT_DOWN, pipes.invert_down)):
        if np.isfinite(values).any():
            columns[name] = Column(values + context.frame.origin[2], "m")
    return pipes.lines, columns


def _covers(
    reading: Reading, ground: tuple[Floats, Floats], gravity: Flags, section: _Section
) -> tuple[Floats, Floats, Flags]:
    """Cover at both ends (n,) [m], NaN unknown, and which were repaired."""
    unit, nothing = reading.context.own.depth_unit, np.full(reading.count, np.nan)
    read = {
        role: reading.read_role(role, "cover", unit)
        for role in ("cover_begin", "cover_end", "cover_low", "cover_high", "cover")
    }
    repaired = np.zeros(reading.count, dtype=bool)
    for sizes in read.values():
        repaired |= sizes.repaired if sizes is not None else False
    values = {role: nothing if sizes is None else sizes.values for role, sizes in read.items()}
    begin, end = values["cover_begin"], values["cover_end"]
    begin, end = np.where(np.isfinite(begin), begin, end), np.where(np.isfinite(end), end, begin)
    if read["cover_low"] is not None or read["cover_high"] is not None:
        ends = utilities.ordered_ends(values["cover_low"], values["cover_high"], ground, gravity)
        begin, end = np.where(np.isfinite(begin), begin, ends.begin), np.where(np.isfinite(end), end, ends.end)
        if ends.by_fall + ends.by_level + ends.as_drawn:
            message = (
                f"Which end has the least depth: {ends.by_fall} by the fall of gravity pipes, {ends.by_level} so that "
                f"the pipe lies as level as can be, {ends.as_drawn} as drawn (deepest last), because both are alike."
            )
            reading.note("ends_ordered", message, fall=ends.by_fall, level=ends.by_level, drawn=ends.as_drawn)
    begin = np.where(np.isfinite(begin), begin, values["cover"])
    end = np.where(np.isfinite(end), end, values["cover"])
    means = reading.context.own.depth_means
    less = {"cover": 0.0 * section.outer, "axis": section.outer / 2, "invert": (section.outer + section.inner) / 2}[
        means
    ]
    return begin - less, end - less, repaired


def _inverts(reading: Reading, ground: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Inverts at both ends (n,) [local m], NaN unknown."""
    found = []
    for role, level in zip(("invert_begin", "invert_end"), ground, strict=True):
        column = reading.column(role)
        if column is None:
            found.append(np.full(reading.count, np.nan))
            continue
        values, unread = utility_depth.heights_of(column)
        name = reading.roles[role].name
        reading.doubt("invert_unreadable", unread, f"inverts ({name}) hold no number; they are unknown.", column=name)
        local = np.where(values == 0, np.nan, values) - reading.context.frame.origin[2]
        if reading.context.terrain is not None:
            wrong = ~utilities.believable_inverts(local, level)
            reading.doubt("invert_impossible", wrong, f"inverts ({name}) lie above the ground or far below it; they "
                          "were not used.", column=name)  # fmt: skip
            local = np.where(wrong, np.nan, local)
        found.append(local)
    return found[0], found[1]


def _filled(reading: Reading, utility: Texts, begin: Floats, end: Floats, known: Flags) -> tuple[Floats, Floats]:
    """Covers with those that nothing says by rule."""
    missing = ~np.isfinite(begin)
    if not missing.any():
        return begin, end
    own = reading.context.own
    classes = np.full(reading.count, "" if own.road_class == "auto" else own.road_class, dtype=object)
    width = reading.column("road_width")
    if own.road_class == "auto" and width is not None:
        classes = utility_depth.road_class_of(utility_depth.heights_of(width)[0])
    by_default = (classes == "") & missing & ~known
    classes = np.where(classes == "", "wide", classes)
    assumed = utility_depth.assumed_cover(utility, classes)
    lost = missing & ~known
    if lost.any():
        source = utility_depth.rule_source(utility[lost].tolist())
        reading.doubt(
            "depth_assumed", lost, f"say no depth; it was assumed by rule and marked so ({source}).", source=source
        )
        reading.doubt("road_class_assumed", by_default, "of them say no width of road; a wide one was taken.", "note")
    return np.where(missing, assumed, begin), np.where(np.isfinite(end), end, assumed)


def _own_axis(reading: Reading, course: Course, own_z: Flags, section: _Section) -> Course:
    """Heights of the file brought to the axis."""
    means = reading.context.own.z_means
    if not own_z.any():
        return course
    if not {words.UTILITY, words.DEPTH_QUALITY} <= set(reading.features.columns):
        message = (
            "heights of their own, which were taken as those of the {}; covers of the register are not used there."
        )
        text = {"axis": "axis", "top": "top of the pipe", "invert": "inside bottom"}[means]
        reading.doubt("own_heights", own_z, f"have {message.format(text)}", "note", means=text)
    if means == "axis":
        return course
    shift = -section.outer / 2 if means == "top" else section.inner / 2
    points = course.points.copy()
    points[:, 2] += shift[course.element]
    return dataclasses.replace(course, points=points)


def _far_from_ground(reading: Reading, course: Course, ground: Floats, own_z: Flags) -> None:
    """A doubt where heights of the file lie far from the ground: they may be depths, or of another datum."""
    mine = own_z[course.element]
    if reading.context.terrain is None or not mine.any():
        return
    below = float(np.median((ground - course.points[:, 2])[mine]))
    if -utilities.ABOVE * 5 <= below <= utilities.DEEPEST:
        return
    message = (
        f"The heights of the map lie {abs(below):.1f} m {'below' if below > 0 else 'above'} the ground (median): they "
        "may be depths or of another height datum. They were kept."
    )
    reading.note("own_heights_far", message, "doubt", metres=round(below, 1))


def _ground_doubts(reading: Reading, own_z: Flags, by_ground: Flags, off: Flags) -> None:
    if not by_ground.any():
        return
    if reading.context.terrain is None:
        message = "hang from a level ground at height 0, because there is no terrain; import one, then this file again."
        reading.doubt("no_terrain", by_ground, message)
        return
    reading.doubt("off_terrain", off & by_ground, "reach beyond the terrain; there the nearest ground was taken.")
    message = "Depths count from the ground of the terrain; where it was raised or cut since the pipes were laid they are wrong by that."  # noqa: E501
    reading.note("ground_of_today", message)
