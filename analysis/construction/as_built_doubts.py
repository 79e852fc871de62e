"""What is doubtful about a comparison of a design with a scan, and why one cannot be made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.construction.as_built import STATES, SURFACES, Comparison, Judgement, Rules, whole_shift
from analysis.construction.design import OPEN, Places
from geo.model import Bounds, Issue, UserError

FEW_SHARE, UNCLEAR_SHARE = 0.5, 0.3


def doubts(places: Places, found: Comparison, told: Judgement, rules: Rules, ids: NDArray[np.object_]) -> list[Issue]:
    """Doubts about points, noise, registration and thin elements; `ids` (n,) are those of the elements."""
    issues = []
    if told.state.size and (told.crowded & (told.state == STATES.index("cannot_tell"))).any():
        thin = np.flatnonzero(told.crowded & (told.state == STATES.index("cannot_tell")))
        text = (
            f"{len(thin)} elements are thinner than twice the tolerance or so near others that their surface cannot "
            "be told from the next; a smaller tolerance tells more."
        )
        some = tuple(str(key) for key in ids[thin[:20]])
        issues.append(Issue("construction.scan_thin", text, "note", len(thin), some))
    issues += _of_points(places, found, rules)
    issues += _of_registration(places, found, rules)
    return issues


def _of_points(places: Places, found: Comparison, rules: Rules) -> list[Issue]:
    area, may_be_seen = places.cells.area, places.kind == OPEN
    none = found.surface == SURFACES.index("no_points")
    unclear = found.surface == SURFACES.index("unclear")
    few = none & (found.number > 0) & may_be_seen
    measured = np.isfinite(found.distance)
    issues = []
    if area[few].sum() > FEW_SHARE * (area[measured].sum() + area[few].sum()):
        text = (
            f"Most places that the scan reached have fewer than {rules.least} points; places farther apart than "
            f"{rules.spacing:g} m take in more."
        )
        values = {"least": rules.least, "spacing": round(rules.spacing, 3)}
        issues.append(Issue("construction.scan_sparse", text, "doubt", int(few.sum()), values=values))
    share = area[unclear].sum() / max(area[unclear].sum() + area[measured].sum(), 1e-9)
    if share > UNCLEAR_SHARE:
        percent = round(100.0 * float(share))
        text = (
            f"At {percent} % of the places with points they spread too far to be one surface: noise, plants, "
            "scaffolding, or a tolerance smaller than the scan can tell."
        )
        issues.append(
            Issue("construction.scan_unclear", text, "doubt", int(unclear.sum()), values={"percent": percent})
        )
    return issues


def _of_registration(places: Places, found: Comparison, rules: Rules) -> list[Issue]:
    area, measured = places.cells.area, np.isfinite(found.distance)
    over = measured & (found.lod > rules.tolerance)
    issues = []
    if area[over].sum() > 0.5 * area[measured].sum() and measured.any():
        level = round(1000.0 * float(np.median(found.lod[measured])), 1)
        text = f"The level of detection ({level:g} mm) is over the tolerance: whether elements keep it cannot be told."
        issues.append(Issue("construction.scan_level", text, "doubt", values={"level": level}))
    shift = whole_shift(places, found)
    if shift is not None:
        east, north, up = (round(1000.0 * float(part)) + 0 for part in shift)
        text = (
            f"One shift of the whole scan ({east} mm east, {north} mm north, {up} mm up) explains most of the "
            "distances: check its registration before the building is blamed."
        )
        values = {"east": east, "north": north, "up": up}
        issues.append(Issue("construction.scan_shifted", text, "doubt", values=values))
    return issues


def no_scan() -> UserError:
    """No layer of points is a scan."""
    return UserError(
        "No layer of points is a scan.",
        "The layers of points are empty, or hold single places such as devices.",
        "Import a point cloud of the site (LAS, LAZ or PLY) in the coordinate system of the project.",
        code="construction.no_scan",
    )


def no_surface() -> UserError:
    """The models have nothing to be measured."""
    return UserError(
        "The models have no surface to compare.",
        "All their triangles are without area or without finite coordinates.",
        "Import the model again, or choose another.",
        code="construction.no_surface",
    )


def apart(scan: Bounds, models: Bounds, reach: float) -> UserError:
    """Scan and models do not meet."""
    gaps = [
        max(one_low - other_high, other_low - one_high, 0.0)
        for one_low, one_high, other_low, other_high in zip(scan.low, scan.high, models.low, models.high, strict=True)
    ]
    distance = float(np.linalg.norm(gaps))
    return UserError(
        "The scan and the models do not meet.",
        f"No element lies within {reach:g} m of the box of the scan; {distance:.1f} m lie between it and the models.",
        "Check the coordinate system and the heights of the scan, and where the model is placed.",
        code="construction.scan_apart",
        values={"distance": round(distance, 1), "reach": reach},
    )
