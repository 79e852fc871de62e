"""Tables, key figures and chart of ``cctv.coverage``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.blind_spots import BlindSpot
from analysis.cctv.cameras import Camera, views_of
from analysis.cctv.classes import Edition
from analysis.cctv.failure import Redundancy
from analysis.cctv.optics import footprint, half_fields
from analysis.cctv.seen import PlanScore, Score
from analysis.cctv.targets import TARGET_KINDS, Targets
from analysis.contract import Chart, Quantity, Series, Table
from geo.model import Column, Frame

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

CURVE = np.concatenate([np.arange(5.0, 100.0, 2.5), np.arange(100.0, 520.0, 10.0)])  # [px/m] of the chart


def share(weight: NDArray[np.int64], mine: Bools) -> float:
    """Percent of a weight."""
    total = int(weight.sum())
    return 100.0 * int(weight[mine].sum()) / total if total else 0.0


def met(score: Score, targets: Targets, edition: Edition) -> Bools:
    """(n,) targets seen in the class that is asked for, faces and plates within their angles where doors or plates."""
    from analysis.cctv.targets import ENTRANCE, PLATE

    strict = np.isin(targets.kind, (ENTRANCE, PLATE))
    found = edition.classify(np.where(strict, score.square, score.density))
    return np.asarray((found >= targets.required) & (targets.required >= 0))


def class_table(score: Score, targets: Targets, edition: Edition) -> Table:
    """Per class: share of the weight seen at least so well by day, by night, with presets, within face angles."""
    maps = (
        ("day_share", score.density, "By day"), ("night_share", score.night, "By night"),
        ("reachable_share", score.reachable, "With presets"), ("square_share", score.square, "Within face angles"),
    )  # fmt: skip
    columns = {
        "class": Column(np.array(edition.names, dtype=object), title="Class"),
        "px_per_m": Column(edition.limits, "1/m", "At least"),
    }
    for name, density, title in maps:
        values = 100.0 * score.coverage(targets, edition, density=density)
        columns[name] = Column(values, "%", title)
    number = edition.classify(score.density)
    area = [float(targets.cell_area[number >= k].sum()) for k in range(len(edition.classes))]
    columns["area"] = Column(np.array(area), "m2", "Area by day")
    return Table("classes", "Coverage by class", columns)


def area_table(score: Score, targets: Targets, edition: Edition, least: float) -> Table:
    """Per area, room, building, entrance and road: its size and how much of it is seen."""
    key = targets.area.astype(np.int64) * len(TARGET_KINDS) + targets.kind
    groups, place = np.unique(key, return_inverse=True)
    number = edition.classify(score.density)
    weight = targets.weight.astype(np.float64)
    total = np.bincount(place, weight, len(groups))

    def percent(mine: Bools) -> Floats:
        seen = np.bincount(place[mine], weight[mine], len(groups))
        return 100.0 * np.divide(seen, total, out=np.zeros(len(groups)), where=total > 0)

    names = np.array(targets.areas, dtype=object)[groups // len(TARGET_KINDS)]
    kinds = np.array(TARGET_KINDS, dtype=object)[groups % len(TARGET_KINDS)]
    columns = {
        "name": Column(names, title="Name"),
        "target_kind": Column(kinds, title="Sort"),
        "area": Column(np.bincount(place, targets.cell_area, len(groups)), "m2", "Area"),
        "seen_share": Column(percent(score.density >= np.float32(least)), "%", "Seen"),
        "night_share": Column(percent(score.night >= np.float32(least)), "%", "Seen by night"),
        "met_share": Column(percent(met(score, targets, edition)), "%", "In the class asked for"),
        "twice_share": Column(percent(score.views >= 2), "%", "Seen by two or more"),
    }
    for k, name in enumerate(edition.names):
        columns[f"class_{name}"] = Column(percent(number >= k), "%", name)
    return Table("areas", "Coverage of areas and rooms", columns)


def camera_table(
    plan: PlanScore, layers: Sequence[str], redundancy: Redundancy, edition: Edition, height: Floats
) -> Table:
    """Per camera: what it sees, what it alone sees, its dead zone.

    Parameters
    ----------
    layers : sequence of str
        Name of the layer each camera is of.
    height : (c,) float [m]
        Of the lens above the level that is looked at; not-a-number unknown.
    """
    cameras = plan.cameras
    texts = {
        "id": ("Camera", [camera.id for camera in cameras]),
        "layer": ("Layer", list(layers)),
        "name": ("Name", [camera.name for camera in cameras]),
        "camera_model": ("Model", [camera.model.id for camera in cameras]),
        "camera_state": ("State", [camera.state for camera in cameras]),
        "best_class": ("Best class", _best_classes(plan, edition)),
    }
    columns = {name: Column(np.array(words, dtype=object), title=title) for name, (title, words) in texts.items()}
    columns |= _camera_areas(plan)
    columns["alone_area"] = Column(redundancy.alone, "m2", "Area only it sees")
    columns["loss"] = Column(100.0 * redundancy.lost, "%", "Loss when it fails")
    reach = np.array([_reach(camera, h) for camera, h in zip(cameras, height, strict=True)]).reshape(-1, 2)
    columns["dead_zone"] = Column(reach[:, 0], "m", "Dead zone")
    columns["far_edge"] = Column(reach[:, 1], "m", "Upper edge of the picture meets the level at")
    columns["height"] = Column(np.asarray(height), "m", "Lens above the level looked at")
    return Table("cameras", "What each camera sees", columns)


def _best_classes(plan: PlanScore, edition: Edition) -> list[str]:
    best = [int(edition.classify(plan.seen(k).density).max(initial=-1)) for k in range(len(plan.cameras))]
    return [edition.names[k] if k >= 0 else "" for k in best]


def _camera_areas(plan: PlanScore) -> dict[str, Column]:
    """Areas that each camera sees: at all, by night, within face angles, through glass or trees."""
    titles = {
        "seen_area": "Area seen", "night_area": "Area seen by night", "face_area": "Area within face angles",
        "through_area": "Through glass or trees",
    }  # fmt: skip
    sums = np.zeros((len(plan.cameras), len(titles)))
    for k in range(len(plan.cameras)):
        seen = plan.seen(k)
        counted = seen.density >= np.float32(plan.least)
        size = plan.targets.cell_area[seen.target]
        parts = (counted, counted & seen.lit, counted & seen.square, counted & seen.through)
        sums[k] = [float(size[part].sum()) for part in parts]
    return {name: Column(sums[:, k], "m2", title) for k, (name, title) in enumerate(titles.items())}


def _reach(camera: Camera, height: float) -> tuple[float, float]:
    """Nearest and furthest distance of the first view on the level looked at; not-a-number where it has no end."""
    view = views_of(camera)[0]
    if view.equidistant:
        return 0.0, float("nan")
    near, far = footprint(height, view.tilt, 2.0 * half_fields(view)[1])
    return near, far if np.isfinite(far) else float("nan")


def blind_table(spots: Sequence[BlindSpot], frame: Frame) -> Table:
    """Blind spots, the weightiest first; their places in map coordinates."""
    east, north = frame.origin[:2]
    columns = {
        "id": Column(np.array([f"blind-{k + 1}" for k in range(len(spots))], dtype=object), title="Blind spot"),
        "address": Column(np.array([spot.address for spot in spots], dtype=object), title="Near"),
        "area": Column(np.array([spot.area for spot in spots], dtype=np.float64), "m2", "Area"),
        "unseen_path": Column(
            np.array([spot.length for spot in spots], dtype=np.float64), "m", "Longest unseen way, at least"
        ),
        "x": Column(np.array([east + spot.middle[0] for spot in spots], dtype=np.float64), "m", "E"),
        "y": Column(np.array([north + spot.middle[1] for spot in spots], dtype=np.float64), "m", "N"),
    }
    return Table("blind_spots", "Blind spots", columns)


def chart(score: Score, targets: Targets, edition: Edition) -> Chart:
    """Share of the weight seen with at least so many pixels per metre, by day and by night."""

    def curve(density: NDArray[np.float32], at: Floats) -> Floats:
        order = np.argsort(density, kind="stable")
        sums = np.concatenate([[0], np.cumsum(targets.weight[order])]).astype(np.float64)
        below = sums[np.searchsorted(density[order], at.astype(np.float32), side="left")]
        return 100.0 * (1.0 - below / sums[-1]) if sums[-1] else np.zeros(len(at))

    limits = edition.limits[edition.limits <= CURVE[-1]]
    names = edition.names[: len(limits)]
    return Chart(
        "coverage", "Coverage by pixel density", "Pixels per metre, at least", "1/m", "Seen", "%",
        (
            Series("day", CURVE, curve(score.density, CURVE)),
            Series("night", CURVE, curve(score.night, CURVE), role="dashed"),
            Series("classes", limits, curve(score.density, limits), role="marks", labels=names),
        ),
    )  # fmt: skip


def summary(
    plan: PlanScore,
    score: Score,
    redundancy: Redundancy,
    edition: Edition,
    spots: Sequence[BlindSpot],
    *,
    left_out: int,
) -> dict[str, Quantity]:
    """Key figures; shares in percent of the weight."""
    targets = plan.targets
    out = {
        "edition": Quantity(edition.title, ""),
        "cameras": Quantity(sum(camera.state != "off" for camera in plan.cameras), "1"),
        "left_out": Quantity(left_out, "1"),
        "targets": Quantity(len(targets), "1"),
        "area": Quantity(round(float(targets.cell_area.sum()), 1), "m2"),
        "seen": Quantity(round(share(targets.weight, score.density >= np.float32(plan.least)), 3), "%"),
        "seen_by_night": Quantity(round(share(targets.weight, score.night >= np.float32(plan.least)), 3), "%"),
        "reachable": Quantity(round(share(targets.weight, score.reachable >= np.float32(plan.least)), 3), "%"),
        "met": Quantity(round(share(targets.weight, met(score, targets, edition)), 3), "%"),
    }
    for k, name in enumerate(TARGET_KINDS):
        mine = targets.kind == k
        if mine.any():
            seen = share(targets.weight[mine], (score.density >= np.float32(plan.least))[mine])
            out[f"seen_{name}"] = Quantity(round(seen, 3), "%")
    for name, value in zip(edition.names, score.coverage(targets, edition), strict=True):
        out[f"class_{name}"] = Quantity(round(100.0 * float(value), 3), "%")
    worst = redundancy.worst
    out |= {
        "twice": Quantity(round(100.0 * redundancy.twice, 3), "%"),
        "mean_views": Quantity(round(redundancy.mean_views, 3), "1"),
        "worst_loss": Quantity(round(100.0 * float(redundancy.lost.max(initial=0.0)), 3), "%"),
        "mean_loss": Quantity(round(100.0 * float(redundancy.lost.mean()) if len(redundancy.lost) else 0.0, 3), "%"),
        "worst_camera": Quantity(plan.cameras[worst].name if worst >= 0 else "-", ""),
        "blind_spots": Quantity(len(spots), "1"),
        "largest_blind_spot": Quantity(round(max((spot.area for spot in spots), default=0.0), 1), "m2"),
        "longest_unseen": Quantity(round(max((spot.length for spot in spots), default=0.0), 1), "m"),
        "cost": Quantity(round(sum(camera.model.cost for camera in plan.cameras if camera.state != "off")), "KRW"),
    }
    return out
