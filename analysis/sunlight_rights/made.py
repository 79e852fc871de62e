"""Windows made along the facades of buildings whose data have none: which buildings, storeys and facades."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.kernels.windows import FacadeWindows, facade_windows
from analysis.sunlight.city import element_count, surface_codes
from analysis.sunlight_rights.declaration import RightsParams
from geo.model import Frame, Issue, Layer, Mesh

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Columns by meaning; compared without case, spaces and underscores.
DWELLINGS = ("dwellings", "households", "units", "세대수", "hhldcnt", "총세대수")
STOREYS = (
    *("storeysabove", "storeys", "stories", "storeysaboveground", "floors", "numfloors", "levels", "buildinglevels"),
    *("지상층수", "층수", "지상층", "grndflrcnt", "grndflr", "grofloco", "a26"),
)
USES = ("use", "usage", "function", "class", "buildinguse", "용도", "주용도", "mainpurpscdnm", "a9")
RESIDENTIAL = ("주택", "아파트", "주거", "다세대", "연립", "기숙사", "residential", "apartment", "dwelling", "house")
LIFT_HOUSES = 0.15  # share of a roof that may lie above the main roof: lift houses, plant
STOREY_RANGE = (2.2, 6.0)  # [m] a storey outside this means that storeys and height do not belong together


class Made(NamedTuple):
    """Windows made, and the running number (n,) of each within its building and storey, from 1."""

    windows: FacadeWindows
    number: Indices


def made_windows(
    layer: Layer, mesh: Mesh, params: RightsParams, frame: Frame, skip: Bools, issues: list[Issue]
) -> Made:
    """Windows of the residential buildings of a layer; `skip` (e,) elements have windows of their own."""
    count = element_count(layer, mesh)
    codes = surface_codes(layer, mesh)
    dwellings = _numbers(layer, DWELLINGS, count)
    stands = np.isin(np.arange(count), mesh.face_element)  # a row without faces: removed, or a model is in its place
    lived_in = _lived_in(layer, dwellings, count, issues) & ~skip & stands
    base, roof = _heights(mesh, codes, count)
    storeys, height = _storeys(layer, params, base, roof, lived_in, issues)
    wall = np.flatnonzero((codes == 0) & lived_in[mesh.face_element])
    windows = facade_windows(
        mesh.vertices[mesh.faces[wall]],
        mesh.face_element[wall].astype(np.int64),
        base,
        storeys,
        height,
        above_floor=params.sill + params.window_height / 2,
        spacing=params.dwelling_width,
    )
    off_south = south_deviation(windows.normal, frame)
    windows, off_south = _kept(windows, off_south <= params.facing), off_south[off_south <= params.facing]
    if dwellings is not None:
        windows = _kept(windows, _one_per_dwelling(windows, off_south, dwellings, storeys, lived_in, issues))
    return Made(windows, _running_number(windows))


def south_deviation(normal: Floats, frame: Frame) -> Floats:
    """(n,) degrees between outward normals (n, 3) and true south."""
    grid = np.degrees(np.arctan2(normal[:, 0], normal[:, 1]))
    south = float(frame.grid_azimuth(180.0))
    return np.asarray(np.abs((grid - south + 180.0) % 360.0 - 180.0))


def _kept(windows: FacadeWindows, keep: Bools) -> FacadeWindows:
    centre, normal, width, element, storey = windows
    return FacadeWindows(centre[keep], normal[keep], width[keep], element[keep], storey[keep])


def _plain(name: str) -> str:
    return name.lower().replace(" ", "").replace("_", "")


def _column(layer: Layer, names: tuple[str, ...]) -> NDArray[np.generic] | None:
    plain = {_plain(name): column for name, column in layer.table.columns.items()}
    return next((plain[name].values for name in names if name in plain), None)


def _numbers(layer: Layer, names: tuple[str, ...], count: int) -> Floats | None:
    """(e,) numbers of the first column of one of these names; not-a-number where missing; None without a column."""
    values = _column(layer, names)
    if values is None:
        return None
    out = np.full(count, np.nan)
    for row, value in enumerate(values.tolist()):
        try:
            out[row] = float(value) if value is not None else np.nan
        except ValueError:
            continue
    return out if np.isfinite(out).any() else None


def _lived_in(layer: Layer, dwellings: Floats | None, count: int, issues: list[Issue]) -> Bools:
    """(e,) buildings with homes: by their number of dwellings, else by their use, else all."""
    if dwellings is not None:
        return np.nan_to_num(dwellings) > 0
    uses = _column(layer, USES)
    if uses is not None and uses.dtype == object:
        told = [str(value or "").lower() for value in uses]
        found = np.zeros(count, dtype=bool)
        found[: len(told)] = [any(word in text for word in RESIDENTIAL) for text in told]
        if found.any():
            return found
    text = f"{layer.name} says neither dwellings nor use: the windows of all its {count} buildings are judged."
    issues.append(Issue("sunlight.rights.use_unknown", text, "doubt", count, values={"layer": layer.name}))
    return np.ones(count, dtype=bool)


def _heights(mesh: Mesh, codes: NDArray[np.int8], count: int) -> tuple[Floats, Floats]:
    """Lowest point and main roof of each element [local m]: at most 15 % of the roof lies above the main roof."""
    base = np.full(count, np.inf)
    np.minimum.at(base, mesh.face_element, mesh.vertices[mesh.faces, 2].min(axis=1))
    top = np.full(count, -np.inf)
    np.maximum.at(top, mesh.face_element, mesh.vertices[mesh.faces, 2].max(axis=1))
    roof = np.flatnonzero(codes == 1)
    element, area = mesh.face_element[roof], mesh.face_area[roof]
    level = mesh.vertices[mesh.faces[roof], 2].mean(axis=1)
    order = np.lexsort((-level, element))
    element, area, level = element[order], area[order], level[order]
    if len(element):
        start = np.searchsorted(element, np.arange(count))
        total = np.bincount(element, area, count)
        summed = np.cumsum(area)
        above = summed - (summed[start[element]] - area[start[element]])
        reached = np.flatnonzero(above > LIFT_HOUSES * total[element])
        which, first = np.unique(element[reached], return_index=True)
        top[which] = level[reached[first]]
    return base, top


def _storeys(
    layer: Layer, params: RightsParams, base: Floats, roof: Floats, lived_in: Bools, issues: list[Issue]
) -> tuple[Indices, Floats]:
    """Storeys of each element and their height [m]: from the data, else from the height of the building."""
    count = len(base)
    tall = np.where(np.isfinite(base) & np.isfinite(roof), roof - base, 0.0)
    said = _numbers(layer, STOREYS, count)
    said = np.full(count, np.nan) if said is None else said
    known = np.nan_to_num(said) >= 1
    number = np.where(known, np.round(np.nan_to_num(said)), np.floor(tall / params.storey_height + 0.15))
    number = np.maximum(number, 1)
    height = np.where(known, tall / number, params.storey_height)
    odd = known & ((height < STOREY_RANGE[0]) | (height > STOREY_RANGE[1]))
    number = np.where(odd, np.maximum(np.floor(tall / params.storey_height + 0.15), 1), number)
    height = np.where(odd, params.storey_height, height)
    for code, concerned, text in (
        ("storeys_assumed", lived_in & ~known, f"do not say their storeys; {params.storey_height:g} m each was taken."),
        ("storeys_odd", lived_in & odd, f"have storeys that do not fit their height; {params.storey_height:g} m each."),
    ):
        if concerned.any():
            few = int(concerned.sum())
            names = tuple(str(layer.table.ids[k]) for k in np.flatnonzero(concerned[: len(layer.table)])[:20])
            values = {"storey": f"{params.storey_height:g}"}
            issues.append(Issue(f"sunlight.rights.{code}", f"{few} buildings {text}", "doubt", few, names, values))
    return number.astype(np.int64), height


def _one_per_dwelling(
    windows: FacadeWindows,
    off_south: Floats,
    dwellings: Floats,
    storeys: Indices,
    lived_in: Bools,
    issues: list[Issue],
) -> Bools:
    """(n,) windows kept so that no building has more than dwellings: those nearest to south, then the upper storeys."""
    homes = np.nan_to_num(dwellings).astype(np.int64)
    rank = np.rint(off_south / 5.0)
    per_storey = -(-homes // np.maximum(storeys, 1))
    # A storey gets its share of the dwellings first; where storeys differ in size the rest goes to the larger ones.
    order = np.lexsort((np.arange(len(rank)), rank, windows.storey, windows.element))
    line = windows.element[order] * (int(storeys.max(initial=1)) + 1) + windows.storey[order]
    beyond = np.zeros(len(rank), dtype=bool)
    beyond[order] = _place_in(line) >= per_storey[windows.element[order]]
    order = np.lexsort((np.arange(len(rank)), -windows.storey, rank, beyond, windows.element))
    keep = np.zeros(len(rank), dtype=bool)
    keep[order] = _place_in(windows.element[order]) < homes[windows.element[order]]
    made = np.bincount(windows.element[keep], minlength=len(homes))
    short = lived_in & (made < homes)
    if not keep.all():
        gone = int((~keep).sum())
        text = f"{gone} further windows were not made: one window per dwelling, on the facade nearest to south."
        issues.append(Issue("sunlight.rights.one_per_dwelling", text, count=gone))
    if short.any():
        missing = int((homes - made)[short].sum())
        text = f"{missing} dwellings have no window judged: their facades towards the south are too short."
        issues.append(Issue("sunlight.rights.too_few", text, "doubt", missing))
    return keep


def _place_in(group: Indices) -> Indices:
    """(n,) place of each row within its run of equal values."""
    starts = np.flatnonzero(np.append(True, group[1:] != group[:-1])) if len(group) else np.zeros(0, np.int64)
    return np.arange(len(group)) - np.repeat(starts, np.diff(np.append(starts, len(group))))


def _running_number(windows: FacadeWindows) -> Indices:
    line = windows.element * (int(windows.storey.max(initial=0)) + 1) + windows.storey
    return _place_in(line) + 1
