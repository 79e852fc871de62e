"""Features of a GIS layer built as what they mean: solids, strips, trees, outlines, contours, points."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from geo import roads, terrain, terrain_triangles, trees
from geo.formats import vector_fields as fields
from geo.formats.vector_buildings import build_buildings
from geo.formats.vector_cameras import cameras
from geo.formats.vector_dust import BUILDERS, traffic_columns
from geo.formats.vector_fields import Meaning
from geo.formats.vector_parts import (
    OUTLINE_LIFT,
    Built,
    Context,
    Floats,
    Rows,
    VectorOptions,
    all_rows,
    lowest_z,
    off_ground,
    surface,
)
from geo.formats.vector_source import Features
from geo.formats.vector_utility_nodes import utility_layer
from geo.model import (
    Column,
    ElementTable,
    Grid,
    Issue,
    Layer,
    Lines,
    Points,
    Source,
)
from geo.model.layer import THEMES

HIGHEST_DECK = 9000.0  # [m] above the height datum
DIMENSIONS = ("points", "lines", "areas")


Builder = Callable[[Features, Context], Built]


def layers_of(features: Features, file: str, said: Meaning | None, context: Context, *, title: str = "") -> list[Layer]:
    """Layers of one file layer: one for each of areas, lines and points that it holds, called `title`."""
    import shapely

    if len(features.ids) == 0:
        return []
    dimension = shapely.get_dimensions(features.shapes)
    present = [number for number in (2, 1, 0) if (dimension == number).any()]
    if not present:
        table = ElementTable(features.ids, features.columns)
        return [Layer(features.name, title or features.name, "other", None, table, source=Source(part=features.name),
                      issues=features.issues)]  # fmt: skip
    found = []
    for number in present:
        mine = features.only(np.flatnonzero(dimension == number))
        suffix = "" if len(present) == 1 else f"/{DIMENSIONS[number]}"
        part, name = features.name + suffix, (title or features.name) + suffix
        meaning, notes = _meaning(mine, file, said, number)
        if meaning.theme == "utility":
            found.append(_utility(part, name, mine, file, number, context, notes))
            continue
        built = _builder(meaning, number)(mine, context)
        found.append(_layer(part, name, mine, meaning, built, notes))
        if context.own.build_terrain and meaning.theme == "terrain":
            found.append(_terrain_layer(part, name, built, context))
    return found


def _utility(
    part: str, name: str, features: Features, file: str, number: int, context: Context, notes: list[Issue]
) -> Layer:
    """Pipes or nodes of a utility map; areas stay outlines on the ground."""
    layer = utility_layer(part, name, features, file, number, context)
    if layer is not None:
        return layer.with_(issues=(*layer.issues, *notes))
    count = len(features.ids)
    message = f"{count} areas are shown as outlines on the ground only; a map of lines makes pipes."
    flat = _layer(part, name, features, Meaning("utility"), _outlines(features, context), notes)
    issue = Issue("utility.areas_flat", message, "doubt", count=count)
    return flat.with_(stratum="underground", issues=(*flat.issues, issue))


def _meaning(features: Features, file: str, said: Meaning | None, number: int) -> tuple[Meaning, list[Issue]]:
    if said is not None:
        word = {"terrain": ("spot height", "contour", "other")[number]}.get(said.word, said.word)
        return Meaning(word), []
    meaning = fields.meaning_of(features.name, file, features.columns, ("point", "line", "area")[number])
    if meaning.word == "other":
        message = f"It is not clear what {features.name} shows; it is drawn as plain outlines. --kind says more."
        return meaning, [Issue("vector.meaning_unknown", message, "doubt", values={"layer": features.name})]
    message = f"{features.name} was taken for {meaning.word} by its {meaning.by} {meaning.mark}."
    values = {"layer": features.name, "word": meaning.word, "mark": meaning.mark}
    return meaning, [Issue(f"vector.meaning_by_{meaning.by}", message, "note", values=values)]


def _builder(meaning: Meaning, number: int) -> Builder:
    known: dict[tuple[str, int], Builder] = {
        ("building", 2): build_buildings,
        ("road", 2): _road_areas,
        ("road", 1): _road_lines,
        ("water", 2): _water,
        ("parcel", 2): _parcels,
        ("tree", 0): _trees,
        ("camera", 0): cameras,
        ("contour", 1): _levelled_lines,
        ("contour", 0): _levelled_points,
        ("spot height", 0): _levelled_points,
        ("spot height", 1): _levelled_lines,
    }
    plain = (_plain_points, plain_lines, _outlines)[number]
    return known.get((meaning.word, number), BUILDERS.get(meaning.word, plain))


def _layer(part: str, name: str, features: Features, meaning: Meaning, built: Built, notes: list[Issue]) -> Layer:
    mine = features.only(built.rows)
    theme = meaning.theme if meaning.theme in THEMES else "other"
    table = ElementTable(mine.ids, {**mine.columns, **built.columns})
    issues = (*features.issues, *notes, *built.issues)
    return Layer(part, name, theme, built.geometry, table, built.fields, source=Source(part=part), issues=issues)


# --- roads, water, parcels


def _road_lines(features: Features, context: Context) -> Built:
    import shapely

    width, issues = road_widths(features, context.own)
    context.feedback.step(0.5, "laying roads")
    lines, part = shapely.force_2d(features.shapes), context.feedback.part(0.5, 1.0)
    deck, deck_issues = _decks(features, context)
    mesh, grounded = roads.strips(lines, width, context.terrain, deck=deck, feedback=part)
    columns = {"width_used": Column(width, "m"), **traffic_columns(features.columns)}
    return Built(mesh, all_rows(features), columns, (), (*issues, *deck_issues, *off_ground(grounded, context)))


def _decks(features: Features, context: Context) -> tuple[Floats, list[Issue]]:
    """Height of the carriageway of bridges [local m]; NaN where none is said: there the road lies on the ground."""
    name = fields.find_column(features.columns, fields.DECK)
    if not name:
        return np.full(len(features.ids), np.nan), []
    said = fields.numbers(features.columns[name])
    deck = np.where((said != 0) & (np.abs(said) < HIGHEST_DECK), said - context.frame.origin[2], np.nan)
    count = int(np.isfinite(deck).sum())
    if count == 0:
        return deck, []
    message = f"{count} roads lie level at the height of their deck ({name}, above the height datum)."
    return deck, [Issue("roads.deck", message, "note", count=count, values={"column": name})]


def road_widths(features: Features, own: VectorOptions) -> tuple[Floats, list[Issue]]:
    """Width of each road [m]: its column, else the usual width of its class, else `roads.USUAL_WIDTH`."""
    width = np.full(len(features.ids), np.nan)
    name = fields.find_column(features.columns, fields.WIDTH, said=own.width_column)
    if name:
        width = fields.numbers(features.columns[name])
        width[(width < roads.NARROWEST) | (width > roads.WIDEST)] = np.nan
    issues = []
    by_class = fields.find_column(features.columns, fields.CLASS)
    if by_class and np.isnan(width).any():
        usual = np.array([roads.width_of_class(word) for word in features.columns[by_class].values])
        taken = np.isnan(width) & np.isfinite(usual)
        width[taken] = usual[taken]
        if taken.any():
            message = f"{int(taken.sum())} roads say no width; the usual width of their class ({by_class}) was taken."
            issues.append(Issue("roads.width_from_class", message, "doubt", int(taken.sum()), (), {"column": by_class}))
    unknown = np.isnan(width)
    if unknown.any():
        message = f"{int(unknown.sum())} roads say no width; {roads.USUAL_WIDTH:g} m was taken."
        issues.append(Issue("roads.width_assumed", message, "doubt", int(unknown.sum()), (),
                            {"width": roads.USUAL_WIDTH}))  # fmt: skip
    return np.where(unknown, roads.USUAL_WIDTH, width), issues


def _road_areas(features: Features, context: Context) -> Built:
    deck, issues = _decks(features, context)
    built = surface(features, context, lift=roads.LIFT, flat=deck - roads.LIFT)
    return dataclasses.replace(built, issues=(*issues, *built.issues))


def _water(features: Features, context: Context) -> Built:
    """Level water: at the lowest ground under the outline, else at its own z."""
    level = lowest_z(features)
    if context.terrain is not None:
        ground = terrain.lowest_under(context.terrain, features.shapes)
        level = np.where(np.isfinite(ground), ground, level)
    return surface(features, context, lift=0.0, flat=np.nan_to_num(level))


def _parcels(features: Features, context: Context) -> Built:
    return surface(features, context, lift=OUTLINE_LIFT) if context.own.fill_areas else _outlines(features, context)


def _outlines(features: Features, context: Context) -> Built:
    import shapely

    areas, owner = shapely.get_parts(features.shapes, return_index=True)
    rings, area = shapely.get_rings(areas, return_index=True)
    return _lines(rings, owner[area], features, context)


def plain_lines(features: Features, context: Context) -> Built:
    """Lines as they are."""
    import shapely

    parts, owner = shapely.get_parts(features.shapes, return_index=True)
    good = shapely.get_dimensions(parts) == 1
    return _lines(parts[good], owner[good], features, context)


def _lines(lines: NDArray[np.object_], owner: Rows, features: Features, context: Context) -> Built:
    """Lines at their own height where they have one, else draped."""
    import shapely

    own_z = shapely.get_coordinates(lines, include_z=True)[:, 2]
    if np.isfinite(own_z).all() and (own_z != 0).any():
        points, line = shapely.get_coordinates(lines, include_z=True, return_index=True)
        return Built(_as_lines(points, line, len(lines), owner), all_rows(features))
    flat = shapely.force_2d(lines)
    draped, grounded = terrain.drape_lines(flat, context.terrain, lift=OUTLINE_LIFT)
    geometry = Lines(draped.vertices, draped.offsets, owner[draped.line_element].astype(np.int32))
    return Built(geometry, all_rows(features), issues=tuple(off_ground(grounded, context)))


def _as_lines(points: Floats, line: Rows, count: int, owner: Rows) -> Lines:
    offsets = np.concatenate([[0], np.cumsum(np.bincount(line, minlength=count))])
    return Lines(points, offsets.astype(np.int32), owner.astype(np.int32))


# --- trees, points, contours


def _point_parts(features: Features) -> tuple[Floats, Rows]:
    import shapely

    return shapely.get_coordinates(features.shapes, include_z=True, return_index=True)


def _standing(points: Floats, ground: Grid | None) -> Floats:
    """Points put on the ground; beyond it at their own z, else at the nearest ground, else at 0."""
    z = terrain.ground_at(ground, points[:, 0], points[:, 1])
    near, _ = terrain.ground_or_nearest(ground, points[:, 0], points[:, 1])
    own = np.where(np.isfinite(points[:, 2]) & (points[:, 2] != 0), points[:, 2], near)
    return np.column_stack([points[:, :2], np.where(np.isfinite(z), z, own)])


def _trees(features: Features, context: Context) -> Built:
    points, owner = _point_parts(features)
    name = fields.find_column(features.columns, fields.TREE_HEIGHT, said=context.own.height_column)
    said = fields.numbers(features.columns[name]) if name else np.full(len(features.ids), np.nan)
    known = np.isfinite(said) & (said > 0) & (said < 120)
    height = np.where(known, said, trees.USUAL_HEIGHT)
    issues = []
    if not known.all():
        count = int((~known).sum())
        message = f"{count} trees say no height; {trees.USUAL_HEIGHT:g} m was taken."
        issues.append(Issue("trees.height_assumed", message, "doubt", count, (), {"height": trees.USUAL_HEIGHT}))
    crown_name = fields.find_column(features.columns, fields.CROWN)
    crown = fields.numbers(features.columns[crown_name])[owner] if crown_name else None
    planted = trees.plant(
        _standing(points, context.terrain), height[owner], crown=crown, shape=_tree_shapes(features, points, owner)
    )
    geometry = dataclasses.replace(planted, element=owner.astype(np.int32))
    return Built(geometry, all_rows(features), {"height_used": Column(height, "m")}, (), tuple(issues))


def _tree_shapes(features: Features, points: Floats, owner: Rows) -> Rows | None:
    name = fields.find_column(features.columns, fields.SPECIES)
    if not name:
        return None
    natural = trees.plant(points, np.ones(len(points))).shape
    words = features.columns[name].values[owner]
    return np.array([trees.species_shape(w, fallback=int(n)) for w, n in zip(words, natural, strict=True)])


def _plain_points(features: Features, context: Context) -> Built:
    points, owner = _point_parts(features)
    return Built(Points(_standing(points, context.terrain), owner.astype(np.int32)), all_rows(features))


def _levels(features: Features, context: Context) -> tuple[Floats, dict[str, Column], list[Issue]]:
    """Height of each contour or spot [local m]: its column, else its z."""
    name = fields.find_column(features.columns, fields.LEVEL, said=context.own.height_column)
    level = fields.numbers(features.columns[name]) - context.frame.origin[2] if name else lowest_z(features)
    columns = {name: Column(fields.numbers(features.columns[name]), "m")} if name else {}
    count = int((~np.isfinite(level)).sum())
    if count == 0:
        return level, columns, []
    message = f"{count} of them say no height; they were left out."
    return level, columns, [Issue("contours.no_height", message, "error", count=count)]


def _levelled_lines(features: Features, context: Context) -> Built:
    import shapely

    level, columns, issues = _levels(features, context)
    rows = np.flatnonzero(np.isfinite(level))
    parts, owner = shapely.get_parts(features.shapes[rows], return_index=True)
    points, line = shapely.get_coordinates(parts, return_index=True)
    vertices = np.column_stack([points, level[rows][owner][line]])
    shown = {name: Column(column.values[rows], column.unit) for name, column in columns.items()}
    return Built(_as_lines(vertices, line, len(parts), owner), rows, shown, (), tuple(issues))


def _levelled_points(features: Features, context: Context) -> Built:
    import shapely

    level, columns, issues = _levels(features, context)
    rows = np.flatnonzero(np.isfinite(level))
    points, owner = shapely.get_coordinates(features.shapes[rows], return_index=True)
    shown = {name: Column(column.values[rows], column.unit) for name, column in columns.items()}
    geometry = Points(np.column_stack([points, level[rows][owner]]), owner.astype(np.int32))
    return Built(geometry, rows, shown, (), tuple(issues))


def _terrain_layer(part: str, name: str, built: Built, context: Context) -> Layer:
    """A height grid through the vertices of contours or spot heights."""
    context.feedback.step(0.7, "triangulating heights")
    vertices = built.geometry.vertices if isinstance(built.geometry, Lines | Points) else np.zeros((0, 3))
    part_done = context.feedback.part(0.7, 1.0)
    grid = terrain_triangles.grid_from_points(vertices, cell=context.own.cell, feedback=part_done)
    message = f"The terrain was made of {len(vertices)} heights, linear between them; hilltops come out flat."
    issue = Issue("terrain.from_heights", message, "note", count=len(vertices), values={"cell": context.own.cell})
    key = f"{part}/terrain"
    return Layer(key, f"{name}/terrain", "terrain", grid, source=Source(part=key), issues=(issue,))
