"""Trees along streets, in parks, estates and woods; never in a building or on a carriageway."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from app.sample.layout import street_area
from app.sample.plan import WINDOW, Ground, Plan
from app.sample.terrain import house_lot, mask
from app.sample.vector import write_layer
from geo.model import Feedback

Floats = NDArray[np.float64]
RASTER = 1.0  # [m] of the map that says where trees may stand
CLEAR_OF_BUILDINGS = 2.8  # [m]
STREET_SPACING = {"ring": 12.0, "collector": 12.0, "local": 15.0}
# Korean name, Latin name, height [m], crown diameter [m]
STREET_SPECIES = (
    ("은행나무", "Ginkgo biloba", 9.0, 4.6),
    ("느티나무", "Zelkova serrata", 9.5, 6.8),
    ("왕벚나무", "Prunus yedoensis", 7.0, 6.2),
    ("이팝나무", "Chionanthus retusus", 7.0, 4.8),
    ("메타세쿼이아", "Metasequoia glyptostroboides", 14.0, 4.4),
)
GARDEN_SPECIES = (
    ("느티나무", "Zelkova serrata", 9.0, 7.0),
    ("소나무", "Pinus densiflora", 8.5, 4.8),
    ("단풍나무", "Acer palmatum", 5.5, 4.6),
    ("산딸나무", "Cornus kousa", 5.0, 3.8),
    ("배롱나무", "Lagerstroemia indica", 4.2, 3.2),
    ("왕벚나무", "Prunus yedoensis", 7.0, 6.0),
)
WOOD_SPECIES = (
    ("소나무", "Pinus densiflora", 13.0, 6.0),
    ("신갈나무", "Quercus mongolica", 14.0, 8.2),
    ("굴참나무", "Quercus variabilis", 14.0, 7.6),
    ("상수리나무", "Quercus acutissima", 14.5, 8.0),
    ("아까시나무", "Robinia pseudoacacia", 12.0, 6.6),
)
Species = tuple[tuple[str, str, float, float], ...]
# block use: (trees per hectare, species)
DENSITY: dict[str, tuple[float, Species]] = {
    "wood": (110.0, WOOD_SPECIES), "belt": (52.0, WOOD_SPECIES), "greenway": (62.0, GARDEN_SPECIES),
    "park": (70.0, GARDEN_SPECIES), "apartment": (42.0, GARDEN_SPECIES), "academy": (45.0, WOOD_SPECIES),
    "house": (45.0, GARDEN_SPECIES), "social": (28.0, GARDEN_SPECIES), "public": (24.0, GARDEN_SPECIES),
    "detached": (14.0, GARDEN_SPECIES),
}  # fmt: skip
OTHER_DENSITY = 14.0


@dataclass(frozen=True)
class Trees:
    """One entry per tree; x, y in plan coordinates, base and height in metres."""

    x: Floats
    y: Floats
    base: Floats
    height: Floats
    crown: Floats
    species: list[tuple[str, str]]
    kind: list[str]


def plant(plan: Plan, ground: Ground, seed: int, feedback: Feedback) -> Trees:
    """All trees of the district."""
    rng = np.random.default_rng([seed, 4])
    forbidden = _forbidden(plan)
    feedback.step(0.3, "planting streets")
    groups = list(_street_rows(plan, rng))
    feedback.step(0.6, "planting parks and woods")
    for block in plan.blocks:
        density, species = DENSITY.get(block.use, (OTHER_DENSITY, GARDEN_SPECIES))
        points = _scattered(rng, block.polygon.buffer(-1.5), density)
        groups.append((points, species, "숲" if block.use == "wood" else "조경수"))
    return _trees(groups, forbidden, ground, rng)


def _forbidden(plan: Plan) -> NDArray[np.bool_]:
    """Cells of the window where no trunk may stand."""
    buildings = [b.form.polygon.buffer(CLEAR_OF_BUILDINGS) for b in plan.buildings]
    water = [p for _, _, p in plan.water]
    hard = ("track", "pitch", "plaza", "carpark", "solar", "field", "playground", "soil", "path", "drive")
    surfaces = [s.polygon for s in plan.surfaces if s.kind in hard]
    paths = [s.line.buffer(s.width / 2 + 0.8) for s in plan.streets if s.kind in ("bicycle", "walk")]
    roads = [street_area(plan.streets, carriageway=True, grow=1.1)]
    shapes = [s for s in [*buildings, *water, *surfaces, *paths, *roads, house_lot(plan)] if not s.is_empty]
    return mask(shapes, cell=RASTER)


def _street_rows(plan: Plan, rng: np.random.Generator) -> list[tuple[Floats, Species, str]]:
    """Both sides of every street, one species to a street; kept away from the street's own crossings."""
    crossings = street_area([s for s in plan.streets if s.kind != "brt"], carriageway=True, grow=1.0)
    species_of: dict[str, int] = {}
    groups = []
    for street in plan.streets:
        spacing = STREET_SPACING.get(street.kind)
        if spacing is None or street.line.length < 25:
            continue
        number = species_of.setdefault(street.name, int(rng.integers(len(STREET_SPECIES))))
        offset = (street.carriageway + street.width) / 4
        points = []
        for side in (-offset, offset):
            row = street.line.offset_curve(side)
            along = np.arange(7.0, max(row.length - 7.0, 7.1), spacing)
            points += [(p.x, p.y) for p in shapely.line_interpolate_point(row, along)]
        keep = ~shapely.intersects_xy(crossings, np.array(points))
        groups.append((np.array(points)[keep], STREET_SPECIES[number : number + 1], "가로수"))
    return groups


def _scattered(rng: np.random.Generator, polygon: shapely.Geometry, per_hectare: float) -> Floats:
    """Points of a shaken raster inside a polygon: irregular, but no two in one spot."""
    if polygon.is_empty:
        return np.zeros((0, 2))
    spacing = 100.0 / np.sqrt(per_hectare)
    west, south, east, north = polygon.bounds
    x, y = np.meshgrid(np.arange(west, east, spacing), np.arange(south, north, spacing))
    points = np.column_stack([x.ravel(), y.ravel()]) + rng.uniform(-0.46, 0.46, (x.size, 2)) * spacing
    shapely.prepare(polygon)
    return np.asarray(points[shapely.contains_xy(polygon, points)])


def _trees(
    groups: list[tuple[Floats, Species, str]], forbidden: NDArray[np.bool_], ground: Ground, rng: np.random.Generator
) -> Trees:
    places, heights, crowns, species, kinds = [], [], [], [], []
    for points, choices, kind in groups:
        if len(points) == 0:
            continue
        col = ((points[:, 0] - WINDOW.west) / RASTER).astype(int)
        row = ((points[:, 1] - WINDOW.south) / RASTER).astype(int)
        points = points[~forbidden[row.clip(0, forbidden.shape[0] - 1), col.clip(0, forbidden.shape[1] - 1)]]
        chosen = rng.integers(len(choices), size=len(points))
        size = np.exp(rng.normal(0.0, 0.07 if kind == "가로수" else 0.18, len(points)))
        places.append(points)
        heights.append(np.array([choices[c][2] for c in chosen]) * size)
        crowns.append(np.array([choices[c][3] for c in chosen]) * size)
        species += [choices[c][:2] for c in chosen]
        kinds += [kind] * len(points)
    xy = np.concatenate(places)
    base = ground.sample(xy[:, 0], xy[:, 1])
    return Trees(xy[:, 0], xy[:, 1], base, np.concatenate(heights), np.concatenate(crowns), species, kinds)


def write(trees: Trees, path: Path) -> None:
    """Layer ``trees`` of points."""
    columns: dict[str, list[object]] = {
        "species_ko": [ko for ko, _ in trees.species],
        "species": [latin for _, latin in trees.species],
        "kind": list(trees.kind),
        "height": np.round(trees.height, 1).tolist(),
        "crown_diameter": np.round(trees.crown, 1).tolist(),
        "ground_height": np.round(trees.base, 2).tolist(),
    }
    write_layer(path, "trees", list(shapely.points(trees.x, trees.y)), columns, title="합강 표본지구 수목")
