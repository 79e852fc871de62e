"""Figures of every plot that is built on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.site_figures import rules as allowed
from analysis.site_figures.declaration import FiguresInputs, FiguresParams
from analysis.site_figures.floors import Floors, floors_of
from analysis.sunlight_setback.bodies import Body, outline_of, read_bodies
from analysis.sunlight_setback.declaration import SetbackParams
from analysis.sunlight_setback.parcels import Parcels, find_column, read_parcels
from analysis.sunlight_setback.plots import City, Plot, city_of
from analysis.sunlight_setback.rules import rulebook
from geo.model import Feedback, Issue, Layer, Mesh

Floats = NDArray[np.float64]

REPLACED = 0.5  # of a hidden building's plan under a model: the model stands in its place
SLACK = 0.05  # [% points] by which a ratio may exceed its limit: areas are rounded in registers
NOT_OURS = ("sunlight.setback.rooftops", "sunlight.setback.hidden", "sunlight.setback.no_roads")


class Told(NamedTuple):
    """What the table says of a building; NaN where nothing.

    Attributes
    ----------
    storeys, dwellings : float
    floor_area : float [m2]
        Above the ground; only proposals of an alternative have one.
    estimated : bool
        Whether that area is an estimate from the volume.
    """

    storeys: float
    dwellings: float
    floor_area: float = float("nan")
    estimated: bool = False


@dataclass(frozen=True)
class PlotFigures:
    """One plot.

    Attributes
    ----------
    id, zoning : str
    polygon : shapely area [local m]
    level : float [local m]
        Mean height of the ground, NaN unknown.
    site_area, building_area, floor_area : float [m2]
    height : float [m]
        Of the highest building above the mean ground of the plot.
    storeys : int
        Of the building with most.
    buildings : tuple of str
    dwellings : float
    dwellings_told : bool
        Whether the data say all of them.
    floors_told : bool
    parking : float
        Spaces needed.
    caps : tuple of Cap
        Of coverage [%], floor area [%] and height [m].
    """

    id: str
    zoning: str
    polygon: object
    level: float
    site_area: float
    building_area: float
    floor_area: float
    height: float
    storeys: int
    buildings: tuple[str, ...]
    dwellings: float
    dwellings_told: bool
    floors_told: bool
    parking: float
    caps: tuple[allowed.Cap, allowed.Cap, allowed.Cap]

    @property
    def measured(self) -> tuple[float, float, float]:
        """Coverage [%], floor area ratio [%], height [m]."""
        return 100.0 * self.building_area / self.site_area, 100.0 * self.floor_area / self.site_area, self.height

    @property
    def verdicts(self) -> tuple[str, str, str]:
        """Of the three, ``ok``, ``breaks`` or ``cannot_tell``."""
        found = [_verdict(value, cap.limit) for value, cap in zip(self.measured, self.caps, strict=True)]
        return found[0], found[1], found[2]


def _verdict(value: float, limit: float) -> str:
    if not (np.isfinite(value) and np.isfinite(limit)):
        return "cannot_tell"
    return "ok" if value <= limit + SLACK else "breaks"


def figures_of(
    inputs: FiguresInputs, params: FiguresParams, issues: list[Issue], feedback: Feedback
) -> tuple[PlotFigures, ...]:
    """Figures of all plots with buildings, or of the one asked for. Raises `UserError` without parcels."""
    usual = SetbackParams(zoning_column=params.zoning_column, use_column=params.use_column)
    rules = rulebook()
    heard: list[Issue] = []
    parcels = read_parcels(inputs.parcels, usual, rules, heard, feedback.part(0.0, 0.1))
    bodies = read_bodies(inputs.buildings, usual, rules, heard, feedback.part(0.1, 0.5))
    city = city_of(parcels, bodies, (), inputs.terrain, usual, rules, heard, feedback.part(0.5, 0.7))
    issues += [issue for issue in heard if issue.code not in NOT_OURS]
    told = [_told(body, inputs.buildings) for body in bodies]
    own = _own_caps(inputs.parcels)
    plots = [plot for plot in city.plots if plot.bodies and not plot.open]
    if params.plot:
        plots = [plot for plot in city.plots if params.plot in (plot.id, *plot.id.split(" + "))]
    out = []
    for number, plot in enumerate(plots):
        if number % 20 == 0:
            feedback.step(0.7 + 0.3 * number / len(plots), "measuring the plots")
        out.append(_plot_figures(plot, city, told, parcels, own, params))
    _tell(out, bodies, told, city, issues)
    return tuple(out)


def _plot_figures(
    plot: Plot, city: City, told: Sequence[Told], parcels: Parcels, own: dict[str, tuple[float, float, float]],
    params: FiguresParams,
) -> PlotFigures:  # fmt: skip
    import shapely

    polygon = city.land.polygon[plot.number]
    members = [city.bodies[k] for k in plot.bodies]
    floors = [_floors(city.bodies[k], told[k], params) for k in plot.bodies]
    plans = np.array([*(body.outline for body in members), None], dtype=object)[:-1]
    covered = float(shapely.area(shapely.intersection(shapely.union_all(plans), polygon))) if len(plans) else 0.0
    top = max((float(body.triangles[:, :, 2].max()) for body in members), default=plot.level)
    homes, all_told, spaces = 0.0, True, 0.0
    for body, known, floor in zip(members, (told[k] for k in plot.bodies), floors, strict=True):
        count, certain = _dwellings(body, known, floor, params)
        homes, all_told = homes + count, all_told and certain
        # Spaces are counted use by use, halves rounded up (주차장법 시행령 별표 1 비고).
        spaces += np.floor(allowed.parking(body.use_text).spaces(floor.area, count) + 0.5)
    limits = _caps_of(plot, parcels, own)
    return PlotFigures(
        plot.id, plot.zoning, polygon, plot.level, float(shapely.area(polygon)), covered,
        sum(floor.area for floor in floors), top - plot.level, max((floor.storeys for floor in floors), default=0),
        tuple(body.name for body in members), homes, all_told, all(floor.told for floor in floors), float(spaces),
        limits,
    )  # fmt: skip


def _floors(body: Body, told: Told, params: FiguresParams) -> Floors:
    import shapely

    plan = float(shapely.area(body.outline))
    if told.floor_area > 0.0:
        known = told.storeys == told.storeys and told.storeys >= 1
        high = float(np.ptp(body.triangles[:, :, 2]))
        count = int(round(told.storeys)) if known else max(int(round(high / params.storey_height)), 1)
        return Floors(told.floor_area, count, known and not told.estimated, False)
    if body.model:  # rooms and slabs are no solid: its plan counts on every storey
        high = float(np.ptp(body.triangles[:, :, 2]))
        known = told.storeys == told.storeys and told.storeys >= 1
        count = int(round(told.storeys)) if known else max(int(round(high / params.storey_height)), 1)
        return Floors(plan * count, count, known, False)
    return floors_of(body.triangles, plan, told.storeys, storey_height=params.storey_height)


def _dwellings(body: Body, told: Told, floor: Floors, params: FiguresParams) -> tuple[float, bool]:
    """How many, and whether the data said so."""
    if told.dwellings == told.dwellings:
        return told.dwellings, True
    if not allowed.is_home(body.use_text) or params.dwelling_area == 0.0:
        return 0.0, not allowed.is_home(body.use_text)
    return float(np.floor(floor.area / params.dwelling_area)), False


def _told(body: Body, layers: Sequence[Layer]) -> Told:
    """Storeys and dwellings of a building by its row; those of the block in whose place a model stands."""
    for layer in layers:
        if not isinstance(layer.geometry, Mesh) or (layer.theme == "bim" and body.layer != layer.name):
            continue
        if layer.theme == "bim":
            if body.name in layer.table.index and find_column(layer, allowed.columns("floor_area")):
                return _said_in_row(layer, layer.table.index[body.name])
            continue
        names = _replaced_by(body, layer, layer.geometry) if body.model else [body.name, body.name.rsplit("#", 1)[0]]
        for name in names:
            if name in layer.table.index and (body.model or layer.name == body.layer):
                return _said_in_row(layer, layer.table.index[name])
    return Told(float("nan"), float("nan"))


def _said_in_row(layer: Layer, row: int) -> Told:
    """What a row says; floor areas are those of proposals only."""
    numbers = [_number(layer, meaning, row) for meaning in ("storeys", "dwellings", "floor_area")]
    source = find_column(layer, allowed.columns("floor_area_from"))
    estimated = bool(source) and str(layer.table.columns[source].values[row]) == "estimate"
    return Told(numbers[0], numbers[1], numbers[2], estimated)


def _replaced_by(body: Body, layer: Layer, mesh: Mesh) -> list[str]:
    import shapely

    out = []
    for name in layer.style.hidden:
        if name not in layer.table.index:
            continue
        mine = mesh.faces[mesh.face_element == layer.table.index[name]]
        if len(mine) == 0:
            continue
        plan = outline_of(mesh.vertices[mine])
        if shapely.area(shapely.intersection(plan, body.outline)) > REPLACED * shapely.area(plan):
            out.append(name)
    return out


def _number(layer: Layer, meaning: str, row: int) -> float:
    name = find_column(layer, allowed.columns(meaning))
    if not name or not layer.table.columns[name].is_number:
        return float("nan")
    value = float(layer.table.columns[name].values[row])
    return value if np.isfinite(value) and value >= 0.0 else float("nan")


def _own_caps(layers: Sequence[Layer]) -> dict[str, tuple[float, float, float]]:
    """Limits in the parcels' own data, by id."""
    out = {}
    for layer in layers:
        for row, name in enumerate(layer.table.ids):
            found = [_number(layer, meaning, row) for meaning in ("coverage_cap", "floor_area_cap", "height_cap")]
            out[str(name)] = (found[0], found[1], found[2])
    return out


def _caps_of(
    plot: Plot, parcels: Parcels, own: dict[str, tuple[float, float, float]]
) -> tuple[allowed.Cap, allowed.Cap, allowed.Cap]:
    """Limits of a plot; of joined parcels the mean by area (국토계획법 제84조)."""
    import shapely

    names = plot.id.split(" + ")
    rows = [k for k, name in enumerate(parcels.id) if name in names]
    area = np.array([float(shapely.area(parcels.polygon[k])) for k in rows])
    nothing = (float("nan"),) * 3
    said = np.array([own.get(str(parcels.id[k]), nothing) for k in rows]).reshape(-1, 3)
    out = []
    for number, kind in enumerate(("coverage", "floor_area", "height")):
        known = said[:, number]
        # A limit of 0 is an empty field of the register.
        mean = float((known * area).sum() / area.sum()) if len(known) and (known > 0).all() else float("nan")
        out.append(allowed.cap(kind, plot.zoning, mean))
    return out[0], out[1], out[2]


def _tell(
    found: Sequence[PlotFigures], bodies: Sequence[Body], told: Sequence[Told], city: City, issues: list[Issue]
) -> None:
    guessed = [plot.id for plot in found if not plot.floors_told]
    if guessed:
        message = f"On {len(guessed)} plots storeys were taken from heights: the data do not tell them."
        issues.append(Issue("site.figures.storeys_guessed", message, "doubt", len(guessed), tuple(guessed[:20])))
    homes = [plot.id for plot in found if not plot.dwellings_told]
    if homes:
        message = f"On {len(homes)} plots dwellings were estimated from the floor area, or left out."
        issues.append(Issue("site.figures.dwellings_guessed", message, "doubt", len(homes), tuple(homes[:20])))
    if city.homeless:
        names = tuple(bodies[number].name for number in city.homeless[:20])
        message = f"{len(city.homeless)} buildings stand on no plot and count nowhere."
        issues.append(Issue("site.figures.homeless", message, "doubt", len(city.homeless), names))
    models = [body.name for body in bodies if body.model]
    if models:
        message = f"{len(models)} detailed models count with their plan on every storey."
        issues.append(Issue("site.figures.models", message, "doubt", len(models), tuple(models[:20])))
    if not any(one.storeys == one.storeys for one in told) and bodies:
        message = "No building says how many storeys it has."
        issues.append(Issue("site.figures.no_storeys", message, "doubt"))
