"""Plots (대지): parcels, joined where one building stands on several; with ground level, buildings and roads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.sunlight_setback.ahead import Land
from analysis.sunlight_setback.bodies import Body
from analysis.sunlight_setback.declaration import SetbackParams
from analysis.sunlight_setback.parcels import Parcels, find_column
from analysis.sunlight_setback.rules import Rulebook
from geo.model import Feedback, Grid, Issue, Layer, Mesh
from geo.polygons import areas_of_triangles

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Objects = NDArray[np.object_]

LEAST_SHARED = 1.0  # [m2] of a building on a parcel: less is a drawing error
LEAST_SHARE = 0.02  # of its plan
JOINT = 0.02  # [m] gaps between joined parcels up to twice this are closed
SAMPLES = 400  # points of the ground of a plot
AT_ROAD = 2.0  # [m] from the plot to the road it lies on


class Plot(NamedTuple):
    """A plot.

    Attributes
    ----------
    number : int
        In the `Land`.
    id, zoning, zone : str
    bodies : tuple of int
    level, lowest, highest : float [local m]
        Mean, least and greatest height of its ground; NaN where nothing says it.
    wide_road : bool
        Whether it lies on a wide road.
    open : bool
        A road, park or the like.
    """

    number: int
    id: str
    zoning: str
    zone: str
    bodies: tuple[int, ...]
    level: float
    lowest: float
    highest: float
    wide_road: bool
    open: bool


class City(NamedTuple):
    """All plots, what lies between them, and the buildings. `homeless`: buildings that stand on no parcel."""

    plots: list[Plot]
    land: Land
    bodies: list[Body]
    homeless: list[int]


def city_of(
    parcels: Parcels,
    bodies: list[Body],
    roads: Sequence[Layer],
    terrain: Layer | None,
    params: SetbackParams,
    rules: Rulebook,
    issues: list[Issue],
    feedback: Feedback,
) -> City:
    """Put buildings on parcels, join parcels, and measure the ground."""
    feedback.step(0.0, "finding the plots")
    on = _standing_on(parcels, bodies)
    group = _joined(len(parcels.id), on)
    order = np.argsort(group, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    _note_joined(members, parcels, issues)
    areas = [_union(parcels.polygon[part]) for part in members]
    polygon = np.array([*areas, None], dtype=object)[:-1]
    surfaces, wide = _surfaces(roads, params, rules, issues)
    land = Land(polygon, np.array([parcels.open[part].all() for part in members]), surfaces)
    at_road = _at_wide_road(polygon, surfaces[wide])
    owners = _owners(on, len(bodies), group)
    grid = terrain.geometry if terrain is not None and isinstance(terrain.geometry, Grid) else None
    if grid is None:
        text = "No terrain: the ground of a plot is taken level with the lowest base of its buildings."
        issues.append(Issue("sunlight.setback.no_terrain", text, "doubt"))
    plots = []
    for number, part in enumerate(members):
        if number % 50 == 0:
            feedback.step(number / len(members), "measuring the ground of the plots")
        mine = tuple(np.flatnonzero(owners == number).tolist())
        ground = _ground(grid, polygon[number], [bodies[b] for b in mine])
        plots.append(_plot(number, part, parcels, mine, ground, at_road=bool(at_road[number])))
    homeless = np.flatnonzero(owners < 0).tolist()
    return City(plots, land, bodies, homeless)


def _plot(
    number: int,
    part: Indices,
    parcels: Parcels,
    mine: tuple[int, ...],
    ground: tuple[float, float, float],
    *,
    at_road: bool,
) -> Plot:
    """A plot of some parcels; the zoning of most of its area counts for all of it (건축법 제54조)."""
    import shapely

    size = shapely.area(parcels.polygon[part])
    zones = {zone: float(size[parcels.zone[part] == zone].sum()) for zone in parcels.zone[part]}
    main = max(sorted(zones), key=lambda zone: zones[zone])
    first = part[np.flatnonzero(parcels.zone[part] == main)[0]]
    name = " + ".join(parcels.id[part])
    is_open = bool(parcels.open[part].all())
    return Plot(number, name, str(parcels.zoning[first]), main, mine, *ground, at_road, is_open)


class Standing(NamedTuple):
    """Which building truly stands on which parcel, and the plan they share [m2]; sorted by building."""

    body: Indices
    parcel: Indices
    size: Floats


def _standing_on(parcels: Parcels, bodies: Sequence[Body]) -> Standing:
    import shapely

    outlines = np.array([*(body.outline for body in bodies), None], dtype=object)[:-1]
    body, parcel = shapely.STRtree(parcels.polygon).query(outlines, predicate="intersects")
    size = shapely.area(shapely.intersection(outlines[body], parcels.polygon[parcel]))
    plan = shapely.area(outlines)
    least = np.minimum(np.maximum(LEAST_SHARED, LEAST_SHARE * plan), 0.5 * plan)
    good = (size >= least[body]) & ~parcels.open[parcel]
    order = np.lexsort((parcel[good], body[good]))
    return Standing(body[good][order], parcel[good][order], size[good][order])


def _joined(count: int, on: Standing) -> Indices:
    """(n,) group of each of `count` parcels: those under one building are one plot; numbered in order."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    first, second = on.parcel[:-1], on.parcel[1:]
    same = on.body[:-1] == on.body[1:]
    links = coo_matrix((np.ones(int(same.sum())), (first[same], second[same])), shape=(count, count))
    label = connected_components(links, directed=False)[1]
    # Numbered by the first parcel of each, so that plots keep the order of the parcels.
    start = np.unique(label, return_index=True)[1]
    return np.asarray(np.argsort(np.argsort(start))[label], dtype=np.int64)


def _note_joined(members: Sequence[Indices], parcels: Parcels, issues: list[Issue]) -> None:
    several = [part for part in members if len(part) > 1]
    if several:
        names = tuple(" + ".join(parcels.id[part]) for part in several[:20])
        text = f"{len(several)} plots are made of parcels that one building stands on together."
        issues.append(Issue("sunlight.setback.joined", text, "doubt", len(several), names))
    mixed = sum(len(set(parcels.zone[part])) > 1 for part in several)
    if mixed:
        text = f"{mixed} of them lie in several zones; the zone of most of the area counts for all."
        issues.append(Issue("sunlight.setback.mixed_zones", text, "doubt", mixed))


def _union(areas: Objects) -> object:
    import shapely

    if len(areas) == 1:
        return areas[0]
    style = {"join_style": "mitre", "cap_style": "square"}
    grown = shapely.buffer(areas, JOINT, **style)
    return shapely.union_all([shapely.buffer(shapely.union_all(grown), -JOINT, **style), *areas])


def _owners(on: Standing, count: int, group: Indices) -> Indices:
    """(count,) plot of each building, -1 without one."""
    owners = np.full(count, -1, dtype=np.int64)
    owners[on.body] = group[on.parcel]  # all parcels of a building are one plot
    return owners


def _surfaces(
    roads: Sequence[Layer], params: SetbackParams, rules: Rulebook, issues: list[Issue]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Triangles of roads, railways and water in plan, (t, 3, 2), and whether each is of a wide road."""
    found, wide, widths_known = [np.zeros((0, 3, 2))], [np.zeros(0, dtype=bool)], False
    for layer in roads:
        if not isinstance(layer.geometry, Mesh):
            continue
        mesh = layer.geometry
        flat = np.abs(mesh.face_cross[:, 2]) > 1e-6
        found.append(mesh.vertices[mesh.faces[flat]][:, :, :2])
        width = np.full(len(layer.table), np.nan)
        name = find_column(layer, rules.columns("width")) if layer.theme == "road" else ""
        if name and layer.table.columns[name].is_number:
            width, widths_known = np.asarray(layer.table.columns[name].values, dtype=np.float64), True
        element = mesh.face_element[flat]
        known = element < len(width)
        is_wide = np.zeros(len(element), dtype=bool)
        is_wide[known] = width[element[known]] >= params.wide_road - 1e-6
        wide.append(is_wide)
    if not roads:
        text = "No roads or water: nothing lies between the plots, and no plot lies on a wide road."
        issues.append(Issue("sunlight.setback.no_roads", text, "doubt"))
    elif not widths_known:
        text = "No road says how wide it is: no plot is taken to lie on a wide road."
        issues.append(Issue("sunlight.setback.no_widths", text, "doubt"))
    return np.concatenate(found), np.concatenate(wide)


def _at_wide_road(polygon: Objects, triangles: Floats) -> NDArray[np.bool_]:
    import shapely

    at = np.zeros(len(polygon), dtype=bool)
    if len(triangles):
        tree = shapely.STRtree(areas_of_triangles(triangles))
        at[tree.query(polygon, predicate="dwithin", distance=AT_ROAD)[0]] = True
    return at


def _ground(grid: Grid | None, area: object, bodies: Sequence[Body]) -> tuple[float, float, float]:
    """Mean by area, least and greatest height of the ground of a plot [local m]."""
    import shapely

    if grid is not None:
        left, bottom, right, top = shapely.bounds(area)
        step = max(float(np.sqrt((right - left) * (top - bottom) / SAMPLES)), 0.05)
        x = np.linspace(left, right, max(int((right - left) / step), 2) * 2 + 1)[1::2]
        y = np.linspace(bottom, top, max(int((top - bottom) / step), 2) * 2 + 1)[1::2]
        xx, yy = (values.ravel() for values in np.meshgrid(x, y))
        inside = shapely.contains_xy(area, xx, yy)
        if not inside.any():
            point = shapely.point_on_surface(area)
            xx, yy, inside = np.array([point.x]), np.array([point.y]), np.array([True])
        heights = grid.sample(xx[inside], yy[inside])
        known = heights[np.isfinite(heights)]
        if len(known):
            corners = shapely.get_coordinates(area)
            edge = grid.sample(corners[:, 0], corners[:, 1])
            every = np.concatenate([known, edge[np.isfinite(edge)]])
            return float(known.mean()), float(every.min()), float(every.max())
    bases = [float(body.triangles[:, :, 2].min()) for body in bodies]
    return (min(bases),) * 3 if bases else (float("nan"),) * 3
