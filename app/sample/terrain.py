"""The ground: river, terrace and hills from noise and designed shapes, then graded for streets and buildings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from shapely import Polygon

from app.sample.layout import street_area
from app.sample.plan import CENTRE, CRS, SYNTHETIC, VERTICAL, WINDOW, Ground, Plan
from geo.model import Feedback

Floats = NDArray[np.float64]
CELL = 2.0  # [m]
RIVER_LEVEL = 14.0  # [m]
# Hills as (centre, half axes, turn in degrees, height above the terrace [m]).
HILLS = (
    ((-620, 370), (235, 165), 35.0, 42.0), ((-820, 620), (170, 200), 0.0, 14.0),
    ((735, 20), (165, 270), -12.0, 53.0), ((1080, 160), (240, 330), 10.0, 46.0), ((1150, -480), (220, 240), 0.0, 40.0),
    ((190, 660), (140, 95), 10.0, 20.0), ((560, 1080), (420, 190), 5.0, 34.0), ((-250, 1130), (380, 170), -4.0, 26.0),
    ((-780, 1080), (260, 150), 0.0, 24.0),
)  # fmt: skip
PAD_MARGIN = 3.0  # [m] level ground around a building
CORE_MARGIN = 1.0  # [m] of that, what a neighbour's pad may not take
EMBEDMENT = 0.3  # [m] base of a building below the lowest ground of its footprint


def mask(shapes: list[Polygon], *, cell: float = CELL) -> NDArray[np.bool_]:
    """(rows, cols) whether a cell's centre lies in one of the shapes; row 0 south."""
    from rasterio.features import rasterize

    if not shapes:
        return np.zeros(size(cell), dtype=bool)
    return np.asarray(rasterize([(s, 1) for s in shapes], out_shape=size(cell), transform=transform(cell)))[::-1] > 0


def size(cell: float) -> tuple[int, int]:
    """Rows and columns of a raster over the window."""
    return round((WINDOW.north - WINDOW.south) / cell), round((WINDOW.east - WINDOW.west) / cell)


def transform(cell: float, *, shifted: bool = False) -> object:
    """Affine transform of a north-up raster over the window, in plan or (shifted) in map coordinates."""
    from rasterio.transform import from_origin

    east, north = CENTRE if shifted else (0.0, 0.0)
    return from_origin(WINDOW.west + east, WINDOW.north + north, cell, cell)


def noise(rng: np.random.Generator, shape: tuple[int, int], cell: float, *, largest: float, octaves: int) -> Floats:
    """Fractal value noise of unit spread; the largest waves measure `largest` metres, each octave half of that."""
    total = np.zeros(shape)
    for octave in range(octaves):
        wave = largest / 2**octave
        rows, cols = (int(np.ceil(n * cell / wave)) + 4 for n in shape)
        coarse = rng.normal(0, 1, (rows, cols))
        r = np.arange(shape[0])[:, None] * cell / wave + 1.5
        c = np.arange(shape[1])[None, :] * cell / wave + 1.5
        grid = np.broadcast_arrays(r, c)
        total += ndimage.map_coordinates(coarse, grid, order=3, mode="nearest") * 0.5**octave
    return np.asarray(total / np.sqrt(sum(0.25**o for o in range(octaves))))


def build(plan: Plan, seed: int, feedback: Feedback) -> Ground:
    """The finished ground with level pads under all buildings."""
    feedback.step(0.0, "shaping the land")
    natural = _natural(plan, np.random.default_rng([seed, 3]))
    feedback.step(0.4, "grading streets")
    graded = _graded(natural, plan)
    feedback.step(0.7, "levelling building pads")
    levelled = _levelled(graded, plan)
    return Ground(levelled, WINDOW.west + CELL / 2, WINDOW.south + CELL / 2, CELL)


def _axes() -> tuple[Floats, Floats]:
    rows, cols = size(CELL)
    x = WINDOW.west + CELL * (np.arange(cols) + 0.5)
    y = WINDOW.south + CELL * (np.arange(rows) + 0.5)
    return np.meshgrid(x, y)


def _natural(plan: Plan, rng: np.random.Generator) -> Floats:
    """Land before anything is built: height grows with distance from the river, hills and noise on top."""
    x, y = _axes()
    shape = x.shape
    river = mask([p for _, kind, p in plan.water if kind == "river"])
    away = ndimage.distance_transform_edt(~river) * CELL
    bank = RIVER_LEVEL + 6.0 * _ramp(away / 55.0)
    rise = 11.0 * (1.0 - np.exp(-np.maximum(away - 40.0, 0) / 620.0))
    north_side = _ramp((y + 700) / 400.0)
    z = bank + np.where(away > 0, rise, 0.0) * (0.35 + 0.65 * north_side)
    z += 1.3 * _ramp(away / 200.0) * noise(rng, shape, CELL, largest=520.0, octaves=3)
    rough = noise(rng, shape, CELL, largest=190.0, octaves=5)
    for centre, axes, turn, top in HILLS:
        z += _hill(x, y, centre, axes, turn) * top * (1.0 + 0.12 * rough) * _ramp(away / 150.0)
    z += 0.12 * _ramp(away / 60.0) * noise(rng, shape, CELL, largest=40.0, octaves=3)
    # A low dike (제방) keeps the river out of the terrace.
    z += 2.2 * np.exp(-(((away - 62.0) / 9.0) ** 2))
    return np.where(river, RIVER_LEVEL + 0.00012 * (x + 1200.0), z)


def _ramp(t: Floats) -> Floats:
    """Smooth step from 0 to 1."""
    t = np.clip(t, 0.0, 1.0)
    return t * t * (3 - 2 * t)


def _hill(x: Floats, y: Floats, centre: tuple[float, float], axes: tuple[float, float], turn_deg: float) -> Floats:
    turn = np.radians(turn_deg)
    dx, dy = x - centre[0], y - centre[1]
    u = (dx * np.cos(turn) + dy * np.sin(turn)) / axes[0]
    v = (-dx * np.sin(turn) + dy * np.cos(turn)) / axes[1]
    return np.asarray(1.0 / (1.0 + (u * u + v * v) ** 1.6) * np.exp(-0.32 * (u * u + v * v)))


def _graded(z: Floats, plan: Plan) -> Floats:
    """Built-up land is smoothed to gentle slopes, streets further along their course, woods stay as they are."""
    wild = mask([p.buffer(-6) for p in plan.woodlands])
    built = mask([plan.boundary.buffer(-15)]) & ~wild
    weight = ndimage.gaussian_filter(built.astype(float), 15.0 / CELL)
    z = z + weight * (ndimage.gaussian_filter(z, 58.0 / CELL) - z)
    roads = mask([street_area(plan.streets)])
    road_weight = ndimage.gaussian_filter(roads.astype(float), 3.0 / CELL)
    z = z + np.clip(road_weight * 1.3, 0, 1) * (ndimage.gaussian_filter(z, 18.0 / CELL) - z)
    z = z - 0.15 * ndimage.gaussian_filter(roads.astype(float), 1.0)
    channel = mask([p for _, kind, p in plan.water if kind in ("stream", "pond")])
    valley = ndimage.gaussian_filter(channel.astype(float), 7.0 / CELL)
    z = z - 1.6 * np.clip(valley * 2.0, 0, 1)
    for _, kind, polygon in plan.water:
        if kind == "pond":
            pond = mask([polygon])
            if pond.any():
                z[pond] = z[pond].min()
    return z


def _levelled(z: Floats, plan: Plan) -> Floats:
    """Every building gets a level pad at the mean height of its ground; the difference fades out over about 12 m."""
    from rasterio.features import rasterize

    pads = [b.form.polygon.buffer(PAD_MARGIN, join_style="mitre") for b in plan.buildings]
    pads.append(house_lot(plan).buffer(1.0))
    shapes = [(pad, number) for number, pad in enumerate(pads, start=1)]
    # Where pads overlap the ground belongs to the building that stands there.
    shapes += [
        (b.form.polygon.buffer(CORE_MARGIN, join_style="mitre"), number)
        for number, b in enumerate(plan.buildings, start=1)
    ]
    number = np.asarray(rasterize(shapes, out_shape=z.shape, transform=transform(CELL), dtype="int32"))[::-1]
    means = ndimage.mean(z, number, np.arange(1, len(pads) + 1))
    # Houses that share a slope step down it, but neighbours' pads must not meet in a cliff.
    heights = np.concatenate([[0.0], np.nan_to_num(means)])
    inside = number > 0
    rise = np.where(inside, heights[number] - z, 0.0)
    spread = ndimage.gaussian_filter(inside.astype(float), 7.0 / CELL)
    around = ndimage.gaussian_filter(rise, 7.0 / CELL) / np.maximum(spread, 0.05)
    fade = np.clip(spread * 2.0, 0.0, 1.0)
    return np.where(inside, z + rise, z + fade * around)


def house_lot(plan: Plan) -> Polygon:
    """The lot of the detailed building model."""
    from app.sample.civic import HOUSE_PLOT
    from app.sample.solids import rectangle

    x, y, angle = plan.house_place
    return Polygon(rectangle(x, y, *HOUSE_PLOT, angle))


def base_height(ground: Ground, polygon: Polygon) -> float:
    """Lowest ground under a footprint less the embedment [m], on whole centimetres."""
    outline = polygon.exterior.segmentize(2.0)
    points = np.asarray(outline.coords)[:, :2]
    west, south, east, north = polygon.bounds
    inner = np.array([polygon.representative_point().coords[0], ((west + east) / 2, (south + north) / 2)])
    points = np.vstack([points, inner[:1]])
    return float(np.floor((ground.sample(points[:, 0], points[:, 1]).min() - EMBEDMENT) * 100) / 100)


KVD1964 = 5193  # EPSG code of the Korean height datum; with it the file says what its heights are above


def write(ground: Ground, path: Path) -> None:
    """GeoTIFF of float32 heights, north up, with the height datum and the word synthetic in its tags."""
    import rasterio

    values = ground.values[::-1].astype(np.float32)
    profile = {
        "driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1, "dtype": "float32",
        "crs": f"{CRS}+{KVD1964}", "transform": transform(ground.cell, shifted=True),
        "compress": "deflate", "predictor": 3, "tiled": True, "blockxsize": 256, "blockysize": 256,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as file:
        file.write(values, 1)
        file.set_band_description(1, "height above KVD1964 [m]")
        file.update_tags(
            TIFFTAG_IMAGEDESCRIPTION=f"합강 표본지구 지형 {SYNTHETIC}; heights KVD1964 [m]",
            VERTICAL_DATUM=VERTICAL, AREA_OR_POINT="Area", SYNTHETIC="yes",
        )  # fmt: skip
