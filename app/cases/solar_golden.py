"""Headless. Shadows and sky view against UMEP: an ``.npz`` with a raster surface and UMEP's results on it.

Two methods are scored on the same raster. The sweep follows UMEP's own method step by step, so it must agree almost to
the last cell. The rays (Embree, the engine of ``sunlight.hours``) see the raster as a continuous surface of triangles,
so they differ at shadow edges: that score is the independent one.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.rays import SURFACE_OFFSET, Occluder
from analysis.kernels.sky import sky_view_rays, sky_view_sweep, sweep_lit
from analysis.kernels.sun import sun_vectors
from app.cases.contract import Case, CaseResult, at_least, at_most
from geo.model import Feedback, Grid, UserError

Floats = NDArray[np.float64]

INSTANTS = ("morning", "noon")
SURFACE, SKY_VIEW = "input_dsm", "svf_total"
NEEDED = (SURFACE, SKY_VIEW) + tuple(
    f"{prefix}{name}{suffix}"
    for name in INSTANTS
    for prefix, suffix in (("shadow_", "_bldg_sh"), ("", "_azimuth_altitude"))
)
MOST_CELLS = 25_000_000
LIMITS = {
    "shadow_agreement": at_least(0.999),
    "svf_rmse": at_most(0.005),
    "shadow_agreement_rays": at_least(0.995),
    "svf_rmse_rays": at_most(0.03),
}
NOTES = (
    "shadow_agreement, svf_rmse: raster sweep, the reference's own method.",
    "shadow_agreement_rays, svf_rmse_rays: the ray engine of sunlight.hours on the same raster as triangles.",
    "Buildings and ground only, without vegetation.",
)


def recognise(path: Path) -> bool:
    """Whether the file is a NumPy archive with the arrays of this case."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
    return {f"{SURFACE}.npy", f"{SKY_VIEW}.npy"} <= names


def run(path: Path, feedback: Feedback) -> CaseResult:
    """Score both methods against the stored results."""
    feedback.step(0.0, "reading the case")
    arrays = _read(path)
    # The file counts rows from the north, a Grid from the south.
    heights = Grid(np.asarray(arrays[SURFACE], dtype=np.float64)[::-1], 0.0, 0.0, _cell(arrays))
    mesh = heights.surface()
    occluder = Occluder([mesh], feedback=feedback.part(0.02, 0.1))
    metrics: dict[str, float] = {}
    equal = {"": 0, "_rays": 0}
    for name in INSTANTS:
        azimuth, elevation = (float(v) for v in arrays[f"{name}_azimuth_altitude"])
        expected = arrays[f"shadow_{name}_bldg_sh"][::-1] > 0.5
        swept = sweep_lit(heights, azimuth, elevation)
        traced = ~occluder.occluded(mesh.vertices + [0, 0, SURFACE_OFFSET], sun_vectors(azimuth, elevation))
        equal[""] += int((swept == expected).sum())
        equal["_rays"] += int((traced.reshape(expected.shape) == expected).sum())
        metrics[f"sunlit_share_{name}"] = float(swept.mean())
    cells = heights.values.size * len(INSTANTS)
    expected_view = np.asarray(arrays[SKY_VIEW], dtype=np.float64)[::-1]
    swept_view = sky_view_sweep(heights, feedback=feedback.part(0.1, 0.3))
    traced_view = sky_view_rays(occluder, mesh.vertices, feedback=feedback.part(0.3, 1.0))
    metrics |= {f"shadow_agreement{which}": count / cells for which, count in equal.items()}
    metrics["svf_rmse"] = _rmse(swept_view, expected_view)
    metrics["svf_rmse_rays"] = _rmse(traced_view.reshape(expected_view.shape), expected_view)
    return CaseResult("sun", dict(sorted(metrics.items())), LIMITS, NOTES)


def _rmse(found: Floats, expected: Floats) -> float:
    return float(np.sqrt(np.mean((found - expected) ** 2)))


def _cell(arrays: Mapping[str, NDArray[np.generic]]) -> float:
    """Cell size [m]; the file gives cells per metre."""
    scale = float(arrays["scale"]) if "scale" in arrays else 1.0
    if not (np.isfinite(scale) and scale > 0):
        raise _damaged("the scale is not a positive number")
    return 1.0 / scale


def _read(path: Path) -> dict[str, NDArray[np.generic]]:
    """The arrays of the case, checked."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [name for name in NEEDED if name not in archive.files]
            if missing:
                raise _damaged(f"it lacks {', '.join(missing)}")
            _check_claim(path)
            arrays = {name: archive[name] for name in (*NEEDED, "scale") if name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        raise _damaged(str(error)[:200]) from error
    _check_shapes(arrays)
    return arrays


def _check_claim(path: Path) -> None:
    """A small file may claim to unpack to anything: ask before unpacking."""
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > MOST_CELLS * 8 * len(NEEDED):
        raise _damaged(f"it claims to hold {size / 1e9:.1f} GB")


def _check_shapes(arrays: Mapping[str, NDArray[np.generic]]) -> None:
    shape = arrays[SURFACE].shape
    if len(shape) != 2 or min(shape) < 2 or arrays[SURFACE].size > MOST_CELLS:
        raise _damaged(f"the surface has the shape {shape}")
    for name in NEEDED:
        wanted = (2,) if name.endswith("_altitude") else shape
        values = arrays[name]
        if values.shape != wanted or values.dtype.kind not in "fiub":
            raise _damaged(f"{name} has the shape {values.shape} and type {values.dtype}")
        if not np.isfinite(values.astype(np.float64)).all():
            raise _damaged(f"{name} has values that are not finite")
    for name in INSTANTS:
        if not 0.0 < float(arrays[f"{name}_azimuth_altitude"][1]) <= 90.0:
            raise _damaged(f"the sun of {name} is not above the horizon")


def _damaged(why: str) -> UserError:
    return UserError(
        "The reference case of shadows and sky view cannot be used.",
        f"Something is wrong with the file: {why}.",
        "Fetch the file again.",
        code="case.solar_damaged",
        values={"why": why},
    )


CASE = Case("sun.golden", "Shadows and sky view against UMEP (.npz)", recognise, run)
