"""Layers, tables, key figures and chart of ``cctv.siting``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.cameras import Camera, camera_layer
from analysis.cctv.classes import Edition
from analysis.cctv.outcome import Values, facade_layer, ground_layer, point_layers, room_layer
from analysis.cctv.poles import POLE_KINDS
from analysis.cctv.seen import Score
from analysis.cctv.siting_declaration import SitingParams
from analysis.cctv.siting_scene import Siting
from analysis.cctv.siting_search import Found
from analysis.cctv.targets import WEIGHT_UNIT
from analysis.contract import Chart, Quantity, Series, Table
from geo.model import Column, ElementTable, Field, Frame, Issue, Layer, Points, Style

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NO_SIGHT, TOO_FAR, POSSIBLE = range(3)
REASONS = ("no line of sight", "too far for the class", "")
MOST_AREAS = 200
MOST_NAMES = 3


def layers_of(siting: Siting, found: Found, score: Score, edition: Edition) -> tuple[Layer, ...]:
    """The plan as a layer of cameras, what is seen with it, and the places looked at."""
    values = Values(score, edition)
    maps = [ground_layer(siting.looked, values), room_layer(siting.looked, values), facade_layer(siting.looked, values)]
    return (
        planned_layer(siting, found),
        *(layer for layer in maps if layer is not None),
        *point_layers(siting.looked, values),
        places_layer(siting, found),
    )


def planned_layer(siting: Siting, found: Found) -> Layer:
    """The planned cameras; the field is the value only that camera adds."""
    layer = camera_layer(found.cameras, id="planned", name="Planned cameras")
    alone = alone_values(siting, found) / WEIGHT_UNIT
    field = Field("alone_area", "m2", "element", alone, ramp="viridis")
    costs = Column(_costs(siting, found), "KRW")
    return layer.with_(table=layer.table.with_columns({"cost": costs}), fields=(field,))


def places_layer(siting: Siting, found: Found) -> Layer:
    """The places that were looked at, with how many cameras stand there."""
    poles = siting.poles
    used = np.bincount(found.site, minlength=len(poles)).astype(np.float64)
    columns = {
        "place_kind": Column(np.array(POLE_KINDS, dtype=object)[poles.kind]),
        "height": Column(np.asarray(poles.height, dtype=np.float64), "m"),
        "cost": Column(np.asarray(poles.cost, dtype=np.float64), "KRW"),
    }
    table = ElementTable([f"place-{k + 1}" for k in range(len(poles))], columns)
    shape = Points(poles.xyz, np.arange(len(poles), dtype=np.int32))
    field = Field("cameras_here", "1", "element", used, ramp="viridis")
    return Layer(
        "places", "Places for cameras", "result", shape, table, fields=(field,),
        style=Style(colour_by="cameras_here", visible=False),
    )  # fmt: skip


def alone_values(siting: Siting, found: Found) -> Floats:
    """(c,) what the whole plan loses without each camera, in units of the targets' weights."""
    layers = siting.worth.shape[1]
    worth = np.concatenate([siting.worth, np.zeros((len(siting.worth), 1), dtype=np.int64)], axis=1)
    views = np.zeros(len(worth), dtype=np.int64)
    for rows in (*found.seen, *found.existing_seen):
        views[rows] += 1
    at = np.minimum(views, layers + 1)
    last = np.where((at >= 1) & (at <= layers), worth[np.arange(len(worth)), np.maximum(at - 1, 0)], 0)
    return np.array([float(last[rows].sum()) for rows in found.seen])


def _costs(siting: Siting, found: Found) -> Floats:
    model = np.array([camera.model.cost for camera in found.cameras], dtype=np.float64)
    return model + siting.poles.cost[found.site]


# --- what no candidate sees


def reasons(siting: Siting) -> NDArray[np.int8]:
    """(n,) why no candidate can see a target: no line of sight from any place, or too far for its class."""
    count = len(siting.all_targets)
    pricer = siting.pricer
    nearest = np.full(count, np.inf)
    site = np.repeat(np.arange(len(siting.poles)), np.diff(pricer.ptr))
    away = np.linalg.norm(siting.all_targets.xyz[pricer.idx] - siting.poles.xyz[site], axis=1)
    np.minimum.at(nearest, pricer.idx, away)
    need = siting.rows.need[siting.rows.row_ptr[:-1]]
    longest = max(float(grid.model.focal_px(float(grid.focals[-1]))) for grid in pricer.grids)
    widest = max(_corner(float(t), float(u)) for lens in pricer.lenses for t, u in zip(lens.tan_width, lens.tan_height,
                 strict=True))  # fmt: skip
    # f / z with z no less than the distance over the slant of the picture's corner: no camera can see further.
    limit = np.minimum(longest * widest / need, siting.reach())
    out = np.where(np.isfinite(nearest), np.where(nearest > limit, TOO_FAR, POSSIBLE), NO_SIGHT).astype(np.int8)
    return out[siting.mine]


def _corner(tan_width: float, tan_height: float) -> float:
    return float(np.sqrt(1.0 + tan_width**2 + tan_height**2))


def _by_area(siting: Siting) -> tuple[NDArray[np.int64], NDArray[np.int8], Floats, Floats]:
    """Area, reason, size [m2] and weight of what no candidate sees, the heaviest first."""
    targets = siting.looked.targets
    why = reasons(siting)
    lost = np.flatnonzero(why != POSSIBLE)
    key = targets.area[lost].astype(np.int64) * len(REASONS) + why[lost]
    groups, place = np.unique(key, return_inverse=True)
    size: Floats = np.bincount(place, targets.cell_area[lost], len(groups)).astype(np.float64)
    weight: Floats = np.bincount(place, targets.weight[lost].astype(np.float64), len(groups)).astype(np.float64)
    order = np.argsort(-weight, kind="stable")
    return groups[order] // len(REASONS), (groups[order] % len(REASONS)).astype(np.int8), size[order], weight[order]


def unreachable_names(siting: Siting) -> str:
    """The areas with most of what no candidate sees."""
    area, _, size, _ = _by_area(siting)
    names = [f"{siting.looked.targets.areas[k]} ({m2:.0f} m2)" for k, m2 in zip(area.tolist(), size, strict=True)]
    return ", ".join(names[:MOST_NAMES]) or "-"


def unreachable_table(siting: Siting) -> Table:
    """What no candidate can see, area by area."""
    area, why, size, weight = (part[:MOST_AREAS] for part in _by_area(siting))
    total = max(float(siting.looked.targets.weight.sum()), 1.0)
    names = np.array(siting.looked.targets.areas, dtype=object)
    columns = {
        "name": Column(names[area], title="Name"),
        "reason": Column(np.array(REASONS, dtype=object)[why], title="Why"),
        "area": Column(size, "m2", "Area"),
        "share": Column(100.0 * weight / total, "%", "Share of all"),
    }
    return Table("unreachable", "What no candidate can see", columns)


# --- tables


def plan_table(siting: Siting, found: Found, frame: Frame) -> Table:
    """Per planned camera: where it hangs (map coordinates), how it looks, what it sees and costs."""
    cameras = found.cameras
    place = np.array([camera.position for camera in cameras], dtype=np.float64).reshape(-1, 3)
    kinds = np.array(POLE_KINDS, dtype=object)[siting.poles.kind[found.site]]
    seen = np.array([float(siting.worth[rows, 0].sum()) for rows in found.seen]) / WEIGHT_UNIT
    numbers: dict[str, tuple[Floats | list[float], str, str]] = {
        "x": (place[:, 0] + frame.origin[0], "m", "E"), "y": (place[:, 1] + frame.origin[1], "m", "N"),
        "z": (place[:, 2], "m", "Height of the lens"),
        "mounting_height": (siting.poles.height[found.site].astype(np.float64), "m", "Height"),
        "pan": ([camera.pan for camera in cameras], "deg", "Pan"),
        "tilt": ([camera.tilt for camera in cameras], "deg", "Tilt"),
        "focal": ([camera.focal_mm for camera in cameras], "mm", "Focal length"),
        "seen_area": (seen, "m2", "Weighted area seen"),
        "alone_area": (alone_values(siting, found) / WEIGHT_UNIT, "m2", "Only by it"),
        "cost": (_costs(siting, found), "KRW", "Cost"),
    }  # fmt: skip
    columns = {
        "id": Column(np.array([camera.id for camera in cameras], dtype=object), title="Camera"),
        "camera_model": Column(np.array([camera.model.id for camera in cameras], dtype=object), title="Model"),
        "place_kind": Column(kinds, title="Place"),
        **{key: Column(np.asarray(v, dtype=np.float64), unit, title) for key, (v, unit, title) in numbers.items()},
    }
    return Table("camera_plan", "Planned cameras", columns)


def chart_of(siting: Siting, found: Found, params: SitingParams) -> Chart:
    """Value and proven bound over the time of the search."""
    history = found.plan.history
    seconds = np.array([moment.seconds for moment in history], dtype=np.float64)
    value = np.array([moment.value for moment in history], dtype=np.float64)
    bound = np.array([moment.bound for moment in history], dtype=np.float64)
    coverage = params.objective in ("count", "budget")
    if coverage:
        value, bound = (100.0 * (found.already + part) / siting.total for part in (value, bound))
    names = ("value", "bound") if coverage else ("plan_cost", "least_cost")
    unit = "%" if coverage else ("KRW" if params.objective == "cost" else "1")
    return Chart(
        "search", "Plan and bound over time", "Time", "s", "Seen" if coverage else "Cost", unit,
        (Series(names[0], seconds, value), Series(names[1], seconds, bound, role="dashed")),
    )  # fmt: skip


def summary_of(siting: Siting, found: Found, params: SitingParams) -> dict[str, Quantity]:
    """Key figures; shares in percent of the weight of all targets."""
    total = max(siting.total, 1)

    def percent(value: float) -> Quantity:
        return Quantity(round(100.0 * value / total, 3), "%")

    why = reasons(siting)
    weight = siting.looked.targets.weight
    out = {
        "objective": Quantity(params.objective, ""),
        "planned": Quantity(len(found.cameras), "1"),
        "value": percent(found.value),
        "already": percent(found.already),
    }
    if params.objective in ("count", "budget"):
        out |= {
            "bound": percent(found.bound),
            "gap": Quantity(round(100.0 * found.gap, 3), "%"),
            "grid_value": percent(found.before),
            "grid_bound": percent(found.grid_bound),
        }
    else:
        unit = "KRW" if params.objective == "cost" else "1"
        gap = max(0.0, 1.0 - found.cost_bound / found.cost) if found.cost > 0 else 0.0
        out |= {
            "plan_cost": Quantity(found.cost, unit),
            "least_cost": Quantity(found.cost_bound, unit),
            "gap": Quantity(round(100.0 * gap, 3), "%"),
        }
    return (
        out
        | {
            "money": Quantity(float(_costs(siting, found).sum()), "KRW"),
            "places": Quantity(len(siting.poles), "1"),
            "ways": Quantity(siting.pricer.candidates, "1"),
            "seconds": Quantity(round(found.plan.history[-1].seconds, 1) if found.plan.history else 0.0, "s"),
            "unreachable": percent(float(weight[why != POSSIBLE].sum())),
        }
        | ({"private_seen": Quantity(private_seen(siting, found), "1")} if params.privacy != "none" else {})
    )


def private_seen(siting: Siting, found: Found) -> int:
    """Private points that planned cameras see, camera by camera."""
    return int(sum((siting.row_target[rows] < 0).sum() for rows in found.seen))


def doubts_of(siting: Siting, found: Found, params: SitingParams) -> list[Issue]:
    """What must be known of the answer."""
    issues = []
    against: dict[str, object] = {"places": len(siting.poles), "ways": siting.pricer.candidates}
    grid = (
        "every camera on these places with this grid of pan, tilt and zoom "
        f"({len(siting.poles)} places, {siting.pricer.candidates} ways of looking each)"
    )
    if params.objective in ("count", "budget"):
        gap = f"{100.0 * found.gap:.2f}"
        turned = found.bound != found.grid_bound
        text = f"The bound is proven against {grid}{' and the cameras as they were turned' if turned else ''}"
        code = "cctv.siting.proven_turned" if turned else "cctv.siting.proven"
        issues.append(Issue(code, f"{text}; the gap is {gap} %.", "note", values={**against, "gap": gap}))
        if found.value > found.grid_bound:
            text = "Turned freely, the plan is at or above the grid bound: it sees more than any plan on the grid can."
            issues.append(Issue("cctv.siting.above_grid", text, "note"))
    else:
        issues.append(Issue("cctv.siting.proven_cost", f"The least is proven against {grid}.", "note", values=against))
    if found.plan.stopped == "time":
        text = (
            f"The time limit of {params.seconds:g} s was reached: the best plan so far, with its gap. A longer run may "
        )
        text += "find a better one, and a run on a busier computer another."
        issues.append(Issue("cctv.siting.time", text, "doubt", values={"seconds": params.seconds}))
    lost = reasons(siting) != POSSIBLE
    if lost.any():
        share = (
            100.0
            * float(siting.looked.targets.weight[lost].sum())
            / max(float(siting.looked.targets.weight.sum()), 1.0)
        )
        names = unreachable_names(siting)
        text = f"No candidate can see {share:.1f} % of what is looked at, mostly in: {names}."
        values = {"share": f"{share:.1f}", "names": names}
        issues.append(Issue("cctv.siting.unseen", text, "doubt", int(lost.sum()), values=values))
    return issues


def all_cameras(siting: Siting, found: Found) -> Sequence[Camera]:
    """Cameras that stay and planned ones."""
    return [*siting.existing, *found.cameras]
