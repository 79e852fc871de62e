"""The orthophoto: land cover painted in muted colours with texture, markings and soft relief."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage
from shapely import Polygon, affinity

from app.sample.layout import street_area
from app.sample.plan import CRS, SYNTHETIC, WINDOW, Ground, Plan
from app.sample.solids import Pitched
from app.sample.terrain import HILLS, house_lot, mask, noise, size, transform
from app.sample.trees import Trees
from geo.model import Feedback

Floats = NDArray[np.float32]
PIXEL = 1.0  # [m]
QUALITY = 86
SATURATION, LIGHTEN = 0.8, 7.0
OVERVIEWS = [2, 4, 8, 16]
# Muted land cover colours (red, green, blue).
COVER = {
    "grass": (132, 142, 104), "wood": (88, 104, 74), "river": (104, 124, 126), "sand": (178, 172, 152),
    "asphalt": (116, 117, 118), "pavement": (164, 161, 154), "plaza": (178, 170, 158), "estate": (140, 146, 116),
    "town": (160, 156, 146), "campus": (152, 153, 142), "farm": (146, 142, 106), "school": (164, 154, 132),
    "garden": (138, 143, 112), "track": (152, 104, 84), "pitch": (118, 136, 92), "field": (150, 148, 96),
    "solar": (72, 82, 100), "carpark": (132, 132, 132), "playground": (184, 150, 118), "soil": (176, 158, 130),
    "path": (182, 170, 146), "drive": (166, 163, 156),
    "bicycle": (150, 116, 100), "bus": (146, 112, 100), "paint": (206, 206, 202), "line": (196, 176, 112),
}  # fmt: skip
BLOCK_COVER = {
    "wood": "wood", "belt": "grass", "greenway": "grass", "park": "grass", "apartment": "estate", "detached": "garden",
    "mixed": "town", "innovation": "campus", "farm": "farm", "parking": "pavement", "elementary": "school",
    "middle": "school", "high": "school", "academy": "grass", "house": "grass", "hydrogen": "farm",
}  # fmt: skip
LAWN_USES = ("public", "innovation", "social", "library", "concert", "hospital", "convention", "datacentre", "hydrogen")
ROOFS = {
    "flat": ((176, 176, 172), (164, 166, 160), (150, 160, 146), (184, 180, 172), (158, 162, 168)),
    "pitched": ((150, 112, 96), (122, 122, 124), (140, 124, 110), (108, 112, 118), (160, 132, 112)),
    "glass": ((176, 188, 184), (168, 184, 178)),
    "hanok": ((92, 94, 98), (84, 86, 90)),
}
FIELD_COLOURS = ((150, 148, 98), (162, 152, 108), (128, 140, 88), (170, 160, 124), (140, 146, 98))


class _Canvas:
    """Colours under construction, (rows, cols, 3) float32, row 0 south."""

    def __init__(self) -> None:
        rows, cols = size(PIXEL)
        self.colour = np.empty((rows, cols, 3), dtype=np.float32)
        self.colour[:] = COVER["grass"]

    def paint(self, shapes: Iterable[shapely.Geometry], colour: tuple[float, float, float]) -> None:
        """Cover shapes with a colour."""
        shapes = [s for s in shapes if not s.is_empty]
        if shapes:
            self.colour[mask(list(shapes), cell=PIXEL)] = colour  # type: ignore[arg-type]

    def numbers(self, shapes: list[Polygon], colours: NDArray[np.float32]) -> None:
        """Each shape its own colour."""
        from rasterio.features import rasterize

        if not shapes:
            return
        rows, cols = size(PIXEL)
        pairs = [(shape, number) for number, shape in enumerate(shapes, start=1)]
        number = rasterize(pairs, out_shape=(rows, cols), transform=transform(PIXEL), dtype="int32")[::-1]
        here = number > 0
        self.colour[here] = colours[number[here] - 1]


def paint(plan: Plan, ground: Ground, trees: Trees, seed: int, feedback: Feedback) -> NDArray[np.uint8]:
    """The photograph, (rows, cols, 3), row 0 **north**."""
    rng = np.random.default_rng([seed, 5])
    canvas = _Canvas()
    feedback.step(0.0, "painting land")
    hills = _outer_woods(plan, rng)
    _countryside(canvas, plan, hills, rng)
    for use in sorted({b.use for b in plan.blocks}):
        canvas.paint([b.polygon for b in plan.blocks if b.use == use], COVER[BLOCK_COVER.get(use, "town")])
    _lots(canvas, plan, rng)
    _lawns(canvas, plan)
    feedback.step(0.25, "painting streets")
    _streets(canvas, plan)
    _surfaces(canvas, plan, rng)
    canvas.paint([p for _, kind, p in plan.water], COVER["river"])
    feedback.step(0.45, "painting texture")
    _texture(canvas, plan, hills, rng)
    feedback.step(0.65, "painting trees and roofs")
    _crowns(canvas, trees, rng)
    _roofs(canvas, plan, rng)
    # Quiet colours: what the analyses paint on top must stand out.
    grey = canvas.colour.mean(axis=2, keepdims=True)
    canvas.colour = grey + SATURATION * (canvas.colour - grey) + LIGHTEN
    feedback.step(0.85, "adding relief")
    _relief(canvas, ground)
    return np.clip(np.rint(canvas.colour), 0, 255).astype(np.uint8)[::-1]


def _countryside(canvas: _Canvas, plan: Plan, hills: shapely.Geometry, rng: np.random.Generator) -> None:
    """Paddies and fields outside the site, woods on the outer hills, sand along the river."""
    outside = shapely.box(*WINDOW).difference(plan.boundary.buffer(14))
    turn = np.radians(-14)
    plots = []
    for x in np.arange(-1700, 1700, 62.0):
        for y in np.arange(-1600, 1600, 27.0):
            a, b = x + rng.uniform(-6, 6), y + 9 * np.sin(x / 260)
            corners = np.array([[a, b], [a + 58, b], [a + 58, b + 24.5], [a, b + 24.5]])
            world = corners @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
            plots.append(Polygon(world))
    shapely.prepare(outside)
    plots = [p for p in plots if outside.contains(p) and not hills.intersects(p)]
    colours = np.array(FIELD_COLOURS, dtype=np.float32)[rng.integers(len(FIELD_COLOURS), size=len(plots))]
    canvas.numbers(plots, colours)
    canvas.paint([hills], COVER["wood"])
    rivers = [p for _, kind, p in plan.water if kind == "river"]
    canvas.paint([p.buffer(44) for p in rivers], COVER["grass"])
    canvas.paint([p.buffer(9 + 9 * i) for i, p in enumerate(rivers)], COVER["sand"])


def _outer_woods(plan: Plan, rng: np.random.Generator) -> shapely.Geometry:
    """Woods on the hills around the site, with ragged edges, clear of streets and river."""
    angle = np.linspace(0, 2 * np.pi, 61)[:-1]
    woods = []
    for centre, axes, turn_deg, _ in HILLS:
        ragged = 0.82 + sum(rng.normal(0, 0.05) * np.cos(k * angle + rng.uniform(0, 6.28)) for k in range(2, 12))
        wood = Polygon(np.column_stack([axes[0] * np.cos(angle) * ragged, axes[1] * np.sin(angle) * ragged]))
        woods.append(affinity.translate(affinity.rotate(wood, turn_deg, origin=(0, 0)), *centre).buffer(0))
    rivers = [p.buffer(60) for _, kind, p in plan.water if kind == "river"]
    apart = [plan.boundary.buffer(10), street_area(plan.streets, grow=6.0), *rivers]
    return shapely.union_all(woods).difference(shapely.union_all(apart))


def _lots(canvas: _Canvas, plan: Plan, rng: np.random.Generator) -> None:
    """Small lots differ a little from each other, as gardens do."""
    lots = [p.polygon for p in plan.parcels if p.polygon.geom_type == "Polygon" and p.polygon.area < 700]
    base = np.array(COVER["garden"], dtype=np.float32)
    shift = rng.normal(0, 7, (len(lots), 1)).astype(np.float32) + rng.normal(0, 3, (len(lots), 3)).astype(np.float32)
    canvas.numbers(lots, base + shift)


def _lawns(canvas: _Canvas, plan: Plan) -> None:
    """Grass on institutional and office grounds wherever it is far enough from buildings and plazas."""
    tree = shapely.STRtree([b.form.polygon for b in plan.buildings])
    footprints = np.array([b.form.polygon for b in plan.buildings], dtype=object)
    lawns = []
    for block in plan.blocks:
        if block.use in LAWN_USES:
            near = footprints[tree.query(block.polygon)]
            free = block.polygon.buffer(-3.5).difference(shapely.union_all(near).buffer(5.5))
            lawns.append(free.buffer(-3.0).buffer(2.5))
    canvas.paint(lawns, COVER["estate"])


def _streets(canvas: _Canvas, plan: Plan) -> None:
    canvas.paint([street_area(plan.streets)], COVER["pavement"])
    canvas.paint([street_area(plan.streets, carriageway=True)], COVER["asphalt"])
    canvas.paint([s.line.buffer(s.width / 2) for s in plan.streets if s.kind == "brt"], COVER["bus"])
    wide = [s for s in plan.streets if s.kind in ("ring", "collector")]
    crossings = _crossings(plan)
    for offset, colour in ((0.5, "line"), (None, "paint")):
        lines = []
        for street in wide:
            shift = offset if offset is not None else street.carriageway / 2 - 3.4
            lines += [street.line.offset_curve(side * shift).buffer(0.35) for side in (-1, 1)]
        canvas.paint([shapely.union_all(lines).difference(crossings)], _mix(COVER["asphalt"], COVER[colour], 0.55))
    canvas.paint([s.line.buffer(1.5) for s in plan.streets if s.kind == "bicycle"], COVER["bicycle"])
    canvas.paint([s.line.buffer(1.0) for s in plan.streets if s.kind == "walk"], COVER["path"])


def _crossings(plan: Plan) -> shapely.Geometry:
    """Discs around junctions, where lane markings stop."""
    points = []
    lines = [s.line for s in plan.streets if s.kind in ("ring", "collector", "local")]
    tree = shapely.STRtree(lines)
    first, second = tree.query(lines, predicate="intersects")
    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        if i < j and lines[i].intersection(lines[j]).geom_type == "Point":
            points.append(lines[i].intersection(lines[j]).buffer(13.0))
    return shapely.union_all(points)


def _mix(a: tuple[float, ...], b: tuple[float, ...], share: float) -> tuple[float, float, float]:
    mixed = (1 - share) * np.array(a) + share * np.array(b)
    return float(mixed[0]), float(mixed[1]), float(mixed[2])


def _surfaces(canvas: _Canvas, plan: Plan, rng: np.random.Generator) -> None:
    for kind in ("drive", "plaza", "soil", "carpark", "playground", "track", "pitch", "solar", "path"):
        canvas.paint([s.polygon for s in plan.surfaces if s.kind == kind], COVER[kind])
    fields = [s.polygon for s in plan.surfaces if s.kind == "field"]
    colours = np.array(FIELD_COLOURS, dtype=np.float32)[rng.integers(len(FIELD_COLOURS), size=len(fields))]
    canvas.numbers(fields, colours)
    _stripes(canvas, [s.polygon for s in plan.surfaces if s.kind == "solar"], 6, 2, (148, 146, 126))
    _stripes(canvas, [s.polygon for s in plan.surfaces if s.kind == "carpark"], 3, 1, (148, 148, 147))
    canvas.paint([house_lot(plan)], COVER["plaza"])


def _stripes(canvas: _Canvas, shapes: list[Polygon], period: int, width: int, colour: tuple[int, int, int]) -> None:
    here = mask(shapes, cell=PIXEL)
    rows = np.arange(here.shape[0])[:, None] % period < width
    canvas.colour[here & rows] = colour


def _texture(canvas: _Canvas, plan: Plan, hills: shapely.Geometry, rng: np.random.Generator) -> None:
    """Broad and fine variation; strong in woods, weak on streets and water."""
    shape = size(PIXEL)
    wood_polygons = [b.polygon for b in plan.blocks if b.use == "wood"]
    woods = mask([*wood_polygons, hills], cell=PIXEL)
    still = mask([street_area(plan.streets), *[p for _, _, p in plan.water]], cell=PIXEL)
    fine = rng.normal(0, 1, shape).astype(np.float32)
    clumps = ndimage.gaussian_filter(fine, 2.2) * 7.0
    broad = noise(rng, size(4.0), 4.0, largest=260.0, octaves=4).astype(np.float32)
    broad = np.kron(broad, np.ones((4, 4), dtype=np.float32))[: shape[0], : shape[1]]
    light = 3.6 * broad + 2.0 * fine + np.where(woods, 11.0, 2.6) * clumps
    light = np.where(still, 0.9 * fine + 0.8 * broad, light)
    canvas.colour += light[..., None]
    # Drier grass is yellower, moister grass greener.
    hue = np.where(still, 0.0, 3.0 * broad)
    canvas.colour[..., 0] += hue
    canvas.colour[..., 2] -= hue


def _crowns(canvas: _Canvas, trees: Trees, rng: np.random.Generator) -> None:
    """A round dark-green crown per tree, lit from the south-east."""
    discs = shapely.buffer(shapely.points(trees.x, trees.y), trees.crown / 2, quad_segs=3)
    base = np.array((92, 110, 78), dtype=np.float32)
    tint = rng.normal(0, 6, (len(discs), 1)).astype(np.float32) + rng.normal(0, 3, (len(discs), 3)).astype(np.float32)
    canvas.numbers(list(discs), base + tint)


def _roofs(canvas: _Canvas, plan: Plan, rng: np.random.Generator) -> None:
    colours = []
    for building in plan.buildings:
        kind = "pitched" if isinstance(building.form, Pitched) else "flat"
        kind = "glass" if "온실" in building.use else "hanok" if building.name.startswith("합호서원") else kind
        choice = ROOFS[kind]
        colours.append(np.array(choice[int(rng.integers(len(choice)))]) + rng.normal(0, 4))
    canvas.numbers([b.form.polygon for b in plan.buildings], np.array(colours, dtype=np.float32))


def _relief(canvas: _Canvas, ground: Ground) -> None:
    """A soft hill shade: the shape of the land shows without baking in one hour's shadows."""
    smooth = ndimage.gaussian_filter(ground.values, 2.0)
    north, east = np.gradient(smooth, ground.cell)
    shade = 1.0 + np.clip(0.22 * (-0.7 * (-east) + 0.7 * north), -0.16, 0.14)
    factor = round(ground.cell / PIXEL)
    shade = np.kron(shade, np.ones((factor, factor))).astype(np.float32)
    canvas.colour *= ndimage.uniform_filter(shade, factor + 1)[..., None]


def write(pixels: NDArray[np.uint8], path: Path) -> None:
    """Tiled JPEG-in-TIFF with overviews; pixels (rows, cols, 3), row 0 north."""
    import rasterio
    from rasterio.enums import Resampling

    profile = {
        "driver": "GTiff", "height": pixels.shape[0], "width": pixels.shape[1], "count": 3, "dtype": "uint8",
        "crs": CRS, "transform": transform(PIXEL, shifted=True), "compress": "jpeg", "photometric": "ycbcr",
        "jpeg_quality": QUALITY, "tiled": True, "blockxsize": 512, "blockysize": 512,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as file:
        file.write(np.moveaxis(pixels, 2, 0))
        file.update_tags(TIFFTAG_IMAGEDESCRIPTION=f"합강 표본지구 정사사진 {SYNTHETIC}", SYNTHETIC="yes")
    with rasterio.open(path, "r+") as file:
        file.build_overviews(OVERVIEWS, Resampling.average)
