"""GeoTIFF: terrain heights, pictures and other values on cells; read in any CRS, written in the project's."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geo.formats import raster
from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.formats.raster import Cells, Opened, Placed, RasterOptions
from geo.model import Feedback, Frame, Grid, Image, Issue, Layer, Source, UserError
from geo.model.layer import THEMES

MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
HIGHEST = 9000.0  # [m]; nothing on land is higher or deeper, so such a number is a mark for "no data"
NO_PICTURE = 205  # grey of ground that the picture does not cover
SAMPLE = 512  # side of the thumbnail `inspect` looks at
CLASSES = 24  # so few different whole numbers look like classes, not heights


def sniff(path: Path, head: bytes) -> bool:
    """Whether the bytes start like a TIFF or BigTIFF."""
    return head[:4] in MAGICS


def inspect(path: Path) -> FileInfo:
    """Size, place, resolution, share of no data."""
    return inspect_raster(path, "geotiff", "GeoTIFF")


def inspect_raster(path: Path, format_id: str, title: str) -> FileInfo:
    """What any raster says about itself."""
    with raster.opened(path) as opened:
        source = opened.source
        west, south, east, north = raster.outline_bounds(opened)
        low, high, share, issues = _thumbnail(opened)
        transform = opened.transform
        return FileInfo(
            format=format_id,
            title=title,
            crs=opened.crs,
            vertical=opened.vertical,
            bounds=(west, south, low, east, north, high),
            counts={"bands": source.count, "rows": source.height, "cols": source.width},
            issues=tuple(issues),
            details={
                "resolution": [math.hypot(transform.a, transform.d), math.hypot(transform.b, transform.e)],
                "rotated": bool(transform.b or transform.d),
                "dtype": source.dtypes[0],
                "nodata": None if source.nodata is None else str(source.nodata),
                "no_data_share": share,
                "overviews": list(source.overviews(1)),
                "units": source.units[0] or "",
            },
        )


def _thumbnail(opened: Opened) -> tuple[float, float, float | None, list[Issue]]:
    """Lowest and highest value and the share of no data, from at most `SAMPLE`^2 cells."""
    source = opened.source
    rows, cols = source.height, source.width
    if raster.claims_too_much(opened, rows, cols, 1):
        message = f"The header claims {cols} x {rows} cells, more than the file can hold."
        return 0.0, 0.0, None, [Issue("raster.header_claim", message, "error", values={"rows": rows, "cols": cols})]
    data = source.read(1, out_shape=(min(rows, SAMPLE), min(cols, SAMPLE)), masked=True)
    values = np.ma.filled(data.astype(np.float64), np.nan) * source.scales[0] + source.offsets[0]
    is_heights = source.count == 1
    if is_heights:
        values[np.abs(values) > HIGHEST / opened.height_unit] = np.nan
    good = np.isfinite(values)
    share = float(1.0 - good.mean())
    low, high = (float(values[good].min()), float(values[good].max())) if good.any() and is_heights else (0.0, 0.0)
    issues = [] if opened.crs else [Issue("crs.not_said", "The file does not name a coordinate system.", "doubt")]
    return low, high, share, issues


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """Terrain or values as a Grid, three and four bands as an Image, in local metres."""
    return read_raster(path, frame, options, feedback)


def read_raster(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """Any raster that rasterio opens as one layer; an empty list if the box misses it."""
    own = options.own if isinstance(options.own, RasterOptions) else RasterOptions()
    feedback.step(0.0, f"opening {path.name}")
    with raster.opened(path, crs=options.crs) as opened:
        raster.check_place(opened)
        window = raster.window_of(opened, frame, options.box)
        if window is None:
            message = f"{path.name} has nothing inside the box."
            feedback.note(Issue("box.empty", message, "note", values={"name": path.name}))
            return []
        content = _content(opened, own, options.kind)
        if content == "image":
            layer = _image_layer(opened, frame, window, own, feedback)
        else:
            layer = _grid_layer(opened, frame, window, own, content, feedback)
        if content == "values" and options.kind in THEMES:
            layer = layer.with_(theme=options.kind)
    feedback.step(1.0, "read")
    return [layer]


def _content(opened: Opened, own: RasterOptions, kind: str | None) -> str:
    """terrain, image or values: as said, else pictures by their bands, else terrain."""
    if own.content != "auto":
        return own.content
    if kind == "terrain":
        return "terrain"
    if kind == "orthophoto":
        return "image"
    if kind:
        return "values"
    source = opened.source
    if source.count == 1 and source.dtypes[0] == "uint8" and source.colorinterp[0].name == "palette":
        return "image"
    return "image" if source.count in (3, 4) and source.dtypes[0] in ("uint8", "uint16") else "terrain"


def _steps(opened: Opened, frame: Frame, own: RasterOptions) -> tuple[float, int]:
    """Side of a source cell in the frame [m] and how many of them one wanted cell spans."""
    side = raster.source_cell(opened, frame)
    return side, max(int(own.cell / side), 1) if own.cell else 1


def _placed(opened: Opened, frame: Frame, cells: Cells, own: RasterOptions, side: float, smooth: bool) -> Placed:
    """Cells on the frame: taken over where they fit, else resampled to a square cell of three digits."""
    crs = str(opened.crs)
    cell = own.cell
    if not raster.fits_frame(cells.transform, crs, frame, own.cell):
        cell = cell or float(f"{side:.3g}")
    elif cell:
        cell = 0.0
    return raster.place(cells, crs, frame, cell=cell, max_cells=own.max_cells, smooth=smooth)


def _grid_layer(
    opened: Opened,
    frame: Frame,
    window: tuple[int, int, int, int],
    own: RasterOptions,
    content: str,
    feedback: Feedback,
) -> Layer:
    source = opened.source
    band = min(own.band, source.count)
    side, least = _steps(opened, frame, own)
    smooth = content == "terrain" or np.dtype(source.dtypes[band - 1]).kind == "f"
    cells, step = raster.read_cells(
        opened, window, bands=[band], max_cells=own.max_cells, least_step=least, smooth=smooth,
        feedback=feedback.part(0.0, 0.7),
    )  # fmt: skip
    issues = [*opened.issues, *_coarser(side, side * step, own)]
    if source.count > 1:
        issues.append(_band_note(band, source.count))
    values = cells.planes[0].astype(np.float64) * source.scales[band - 1] + source.offsets[band - 1]
    values[~cells.known] = np.nan
    if content == "terrain":
        factor, doubts = raster.height_factor(opened, own.height_unit)
        values *= factor
        issues += [*doubts, *_absurd(values), *_looks(opened.path.stem, values)]
    known = np.isfinite(values)
    if not known.any():
        raise _only_no_data(opened.path)
    feedback.step(0.75, "placing cells")
    placed = _placed(opened, frame, Cells(values[None], known, cells.transform), own, side * step, smooth)
    grid = Grid(
        placed.planes[0] - (frame.origin[2] if content == "terrain" else 0.0), placed.x0, placed.y0, placed.cell
    )
    issues += _holes(known)
    theme = "terrain" if content == "terrain" else "other"
    return _layer(opened.path, content, theme, grid, issues)


def _image_layer(
    opened: Opened, frame: Frame, window: tuple[int, int, int, int], own: RasterOptions, feedback: Feedback
) -> Layer:
    bands = _picture_bands(opened.source)
    palette = opened.source.colormap(1) if opened.source.colorinterp[0].name == "palette" else None
    side, least = _steps(opened, frame, own)
    cells, step = raster.read_cells(
        opened, window, bands=bands, max_cells=own.max_cells, least_step=least, smooth=palette is None,
        feedback=feedback.part(0.0, 0.7),
    )  # fmt: skip
    issues = [*opened.issues, *_coarser(side, side * step, own)]
    planes, notes = _as_rgb(cells, palette)
    if not cells.known.any():
        raise _only_no_data(opened.path)
    placed = _placed(opened, frame, Cells(planes, cells.known, cells.transform), own, side * step, True)
    pixels = np.moveaxis(np.asarray(placed.planes, dtype=np.uint8), 0, -1).copy()
    pixels[~placed.known] = NO_PICTURE
    image = Image(pixels, placed.x0, placed.y0, placed.cell)
    return _layer(opened.path, "image", "orthophoto", image, [*issues, *notes, *_holes(cells.known)])


def _picture_bands(source: Any) -> list[int]:
    """Numbers of the red, green and blue band; the first three if the file does not name them."""
    names = [c.name for c in source.colorinterp]
    if {"red", "green", "blue"} <= set(names):
        return [names.index(name) + 1 for name in ("red", "green", "blue")]
    return [1, 2, 3] if source.count >= 3 else [1]


def _as_rgb(cells: Cells, palette: dict[int, tuple[int, ...]] | None) -> tuple[Any, list[Issue]]:
    """Planes as three of uint8: through the palette, or stretched from 2 % to 98 % where they are not 8 bit."""
    planes = cells.planes
    if palette is not None:
        table = np.zeros((max(max(palette), 255) + 1, 3), np.uint8)
        for code, colour in palette.items():
            table[code] = colour[:3]
        return np.moveaxis(table[planes[0]], -1, 0), []
    notes = []
    if planes.dtype != np.uint8:
        sample = planes[:, cells.known][:, ::17].astype(np.float64)
        sample = sample[np.isfinite(sample)]
        low, high = np.percentile(sample, [2, 98]) if sample.size else (0.0, 1.0)
        scaled = (np.nan_to_num(planes.astype(np.float64)) - low) / max(high - low, 1e-12)
        planes = (np.clip(scaled, 0, 1) * 255).astype(np.uint8)
        notes.append(Issue("raster.stretched", f"Brightness {low:g} to {high:g} was stretched to a picture.", "note",
                           values={"low": float(low), "high": float(high)}))  # fmt: skip
    return (np.repeat(planes[:1], 3, axis=0) if len(planes) < 3 else planes[:3]), notes


def _layer(path: Path, part: str, theme: str, geometry: Grid | Image, issues: Sequence[Issue]) -> Layer:
    return Layer(part, path.stem, theme, geometry, source=Source(part=part), issues=tuple(issues))


def _coarser(side: float, used: float, own: RasterOptions) -> list[Issue]:
    if used <= side * 1.01 or own.cell:
        return []
    message = f"The file has cells of {side:.3g} m; cells of {used:.3g} m were loaded to stay below {own.max_cells}."
    return [Issue("raster.coarser", message, "doubt", values={"file": side, "used": used, "limit": own.max_cells})]


def _band_note(band: int, count: int) -> Issue:
    return Issue("raster.band_chosen", f"Band {band} of {count} was read.", "note", values={"band": band, "of": count})


def _absurd(values: raster.Floats) -> list[Issue]:
    """Heights that nothing on land has become no data, in place."""
    wrong = np.abs(values) > HIGHEST
    count = int(wrong.sum())
    if count == 0:
        return []
    values[wrong] = np.nan
    message = f"{count} cells are higher or lower than {HIGHEST:.0f} m; they were taken as no data."
    return [Issue("raster.absurd_heights", message, "doubt", count=count, values={"limit": HIGHEST})]


def _looks(name: str, values: raster.Floats) -> list[Issue]:
    """Doubts whether this is bare ground: the name says surface model, or there are only a few whole numbers."""
    issues = []
    word = name.lower()
    if any(mark in word for mark in ("dsm", "chm")):
        message = "The name says surface model: buildings and trees may be part of these heights."
        issues.append(Issue("raster.surface_model", message, "doubt"))
    sample = values[np.isfinite(values)][:: max(values.size // 100_000, 1)]
    different = np.unique(sample)
    whole = bool((different == np.round(different)).all())
    if sample.size > 1000 and 1 < different.size <= CLASSES and whole and float(np.ptp(different)) > different.size:
        message = f"There are only {different.size} different whole numbers: these may be classes, not heights."
        issues.append(Issue("raster.looks_like_classes", message, "doubt", values={"different": int(different.size)}))
    return issues


def _holes(known: Any) -> list[Issue]:
    count = int(known.size - known.sum())
    if count == 0:
        return []
    share = round(100.0 * count / known.size, 2)
    message = f"{share:g} % of the cells have no data."
    return [Issue("raster.no_data", message, "note", count=count, values={"percent": share})]


def _only_no_data(path: Path) -> UserError:
    return UserError(
        f"{path.name} holds no data.",
        "Every cell that was asked for is marked as no data.",
        "Check the file in a GIS program; it may be an empty tile, or the box misses the data.",
        code="raster.only_no_data",
        values={"name": path.name},
    )


def write_grid(path: Path, grid: Grid, frame: Frame, *, description: str = "", unit: str = "") -> None:
    """A Grid as cloud-optimised GeoTIFF of float32: north row first, NaN as no data, in the frame's CRS.

    Values are written as they are; add the origin's height first if they are local heights and it is not 0.
    """
    rows, cols = grid.values.shape
    profile = {"count": 1, "dtype": "float32", "nodata": float("nan")}
    with _new_file(path, frame, rows, cols, (grid.x0, grid.y0, grid.cell), profile) as target:
        target.write(grid.values[::-1].astype(np.float32), 1)
        if description:
            target.set_band_description(1, description)
        if unit:
            target.set_band_unit(1, unit)


def write_image(path: Path, image: Image, frame: Frame) -> None:
    """An Image as cloud-optimised RGB GeoTIFF, north row first."""
    rows, cols, _ = image.pixels.shape
    profile = {"count": 3, "dtype": "uint8"}
    with _new_file(path, frame, rows, cols, (image.x0, image.y0, image.cell), profile) as target:
        target.write(np.moveaxis(image.pixels[::-1], -1, 0))


class _new_file:  # noqa: N801 - reads as a function
    """A GeoTIFF under a temporary name that takes its place only when it is whole."""

    def __init__(
        self, path: Path, frame: Frame, rows: int, cols: int, at: tuple[float, float, float], profile: dict[str, Any]
    ) -> None:
        self.path = Path(path)
        self.profile = {**profile, **_place_profile(frame, rows, cols, at)}
        self.dataset: Any = None
        self.temporary = Path()

    def __enter__(self) -> Any:
        import rasterio

        try:
            handle, name = tempfile.mkstemp(suffix=".tif", prefix=f".{self.path.stem}-", dir=self.path.parent)
            os.close(handle)
            self.temporary = Path(name)
            self.dataset = rasterio.open(name, "w", driver="COG", **self.profile)
        except (OSError, rasterio.errors.RasterioError) as error:
            self.temporary.unlink(missing_ok=True) if self.temporary.name else None
            raise self._failed(error) from error
        return self.dataset

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        import rasterio

        try:
            self.dataset.close()
            if kind is None:
                self.temporary.chmod(0o644)
                self.temporary.replace(self.path)
        except (OSError, rasterio.errors.RasterioError) as trouble:
            raise self._failed(trouble) from trouble
        finally:
            self.temporary.unlink(missing_ok=True)
        if isinstance(error, (OSError, rasterio.errors.RasterioError)):
            raise self._failed(error) from error

    def _failed(self, error: BaseException) -> UserError:
        reason = getattr(error, "strerror", None) or str(error)
        return UserError(
            f"{self.path} cannot be written.",
            f"The system says: {reason}.",
            "Choose another folder, or make room on the disk.",
            code="file.not_written",
            values={"path": str(self.path), "reason": reason},
        )


def _place_profile(frame: Frame, rows: int, cols: int, at: tuple[float, float, float]) -> dict[str, Any]:
    from rasterio.transform import Affine

    x0, y0, cell = at
    west = frame.origin[0] + x0 - cell / 2
    north = frame.origin[1] + y0 + (rows - 0.5) * cell
    transform = Affine(cell, 0.0, west, 0.0, -cell, north)
    return {"width": cols, "height": rows, "crs": frame.crs, "transform": transform, "compress": "deflate",
            "predictor": "YES", "blocksize": 256, "resampling": "average", "BIGTIFF": "IF_SAFER"}  # fmt: skip


def write(path: Path, layers: Sequence[Layer], frame: Frame, feedback: Feedback) -> None:
    """One Grid or Image layer as GeoTIFF."""
    usable = [layer for layer in layers if isinstance(layer.geometry, Grid | Image)]
    if len(usable) != 1:
        raise UserError(
            f"A GeoTIFF holds one grid or picture; {len(usable)} were given.",
            "Buildings, lines and points are not made of cells.",
            "Choose one terrain, result grid or picture, or another format.",
            code="geotiff.one_layer",
            values={"count": len(usable)},
        )
    layer = usable[0]
    feedback.step(0.0, f"writing {path.name}")
    if isinstance(layer.geometry, Image):
        write_image(path, layer.geometry, frame)
    elif isinstance(layer.geometry, Grid):
        unit = "m" if layer.theme == "terrain" else next((f.unit for f in layer.fields if f.on == "cell"), "")
        lift = frame.origin[2] if layer.theme == "terrain" else 0.0
        grid = Grid(layer.geometry.values + lift, layer.geometry.x0, layer.geometry.y0, layer.geometry.cell)
        write_grid(path, grid, frame, description=layer.name, unit=unit)
    feedback.step(1.0, "written")


FORMAT = Format(
    id="geotiff",
    title="GeoTIFF",
    patterns=("*.tif", "*.tiff", "*.gtiff"),
    sniff=sniff,
    inspect=inspect,
    read=read,
    write=write,
    writes=("terrain", "grid", "image"),
    options=RasterOptions,
)
