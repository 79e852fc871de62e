"""What the study hands back: private things by how well they are seen, masks, cameras and the check list."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.mask_tables import polygon_text
from analysis.cctv.masks import ViewMasks, area
from analysis.cctv.optics import View
from analysis.cctv.privacy import CameraPrivacy
from analysis.cctv.privacy_checks import BROKEN, CANNOT_TELL, KEPT, TO_BE_ANSWERED, Answer
from analysis.cctv.private import Private
from analysis.contract import Quantity, Table
from geo.model import Column, ElementTable, Field, Issue, Layer, Mesh, Style

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

# The translations count these from 0 (``cctv.privacy.assumption.0``): keep the order.
ASSUMPTIONS = (
    "The check list sums up the law for work on a plan; it is not legal advice and no permit.",
    "Density is that of a person standing there, in a plane parallel to the sensor (focal length over depth).",
    "Windows of homes without windows in their data are made at even steps along all facades.",
    "Glass hides nothing; curtains, blinds, frosted panes and the light inside are not known.",
    "A thing of which any point is visible is masked whole, with slack for a mast that sways.",
    "A mask holds for one pan, tilt and zoom; cameras that turn have a set for each preset and none in between.",
    "A camera that sees into a bath, a toilet or a changing room has to be moved or turned; a mask does not mend it.",
    "People, vehicles and furniture that move hide nothing.",
)
TEXT_COLUMNS = ("thing", "kind")


def _texts(values: Sequence[object]) -> Texts:
    out = np.empty(len(values), dtype=object)
    out[:] = ["" if value is None else str(value) for value in values]
    return out


def _yes_no(values: Sequence[bool]) -> Texts:
    return _texts(["yes" if value else "no" for value in values])


# --- layer


def private_layer(private: Private, plan: Sequence[CameraPrivacy]) -> Layer:
    """Windows, and a sheet on the floor of each room, by the best picture any camera has of them."""
    count = len(private)
    density, distance = np.zeros(count), np.full(count, np.nan)
    camera, masked, cameras = _texts([""] * count), np.ones(count, dtype=bool), np.zeros(count, dtype=np.int64)
    for one in plan:
        rows = one.seen.item
        better = rows[one.seen.density > density[rows]]
        camera[better] = one.camera.name
        density[rows] = np.maximum(density[rows], one.seen.density)
        distance[rows] = np.fmin(distance[rows], one.seen.distance)
        masked[rows] &= one.seen.hidden
        cameras[rows] += 1
    seen = cameras > 0
    state = np.where(~seen, 0, np.where(private.hard, 3, np.where(masked, 1, 2))).astype(np.int8)
    corners = _sheets(private)
    faces = (np.arange(count)[:, None, None] * 4 + np.array([[0, 1, 2], [0, 2, 3]])).reshape(-1, 3)
    mesh = Mesh(corners.reshape(-1, 3), faces, np.repeat(np.arange(count), 2))
    fields = (
        Field("private_density", "px/m", "element", density, ramp="severity"),
        Field("private_state", "1", "element", state, categories=("unseen", "masked", "seen", "forbidden")),
    )
    columns = {
        "private_kind": Column(private.kind_names),
        "storey": Column(private.storey),
        "window_origin": Column(private.origin),
        "private_state": Column(np.array(fields[1].categories, dtype=object)[state]),
        "private_density": Column(density, "px/m"),
        "distance": Column(distance, "m"),
        "best_camera": Column(camera),
        "cameras": Column(cameras),
    }
    table = ElementTable(_unique(private.id), columns)
    return Layer("private", "What is private", "result", mesh, table, fields, Style(colour_by="private_state"))


def _unique(ids: Texts) -> list[str]:
    seen: dict[str, int] = {}
    out = []
    for name in ids.tolist():
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return out


def _sheets(private: Private) -> Floats:
    """(n, 4, 3) corners to draw: the window itself, or the box about a room's points at its floor."""
    owner = private.item[private.pieces.quad_piece]
    low, high = np.full((len(private), 3), np.inf), np.full((len(private), 3), -np.inf)
    for corner in range(4):
        np.minimum.at(low, owner, private.pieces.quads[:, corner])
        np.maximum.at(high, owner, private.pieces.quads[:, corner])
    first = np.searchsorted(owner, np.arange(len(private)))
    single = np.bincount(owner, minlength=len(private)) == 1
    out = np.stack(
        [low, np.column_stack([high[:, 0], low[:, 1:]]), np.column_stack([high[:, :2], low[:, 2]]),
         np.column_stack([low[:, 0], high[:, 1], low[:, 2]])], axis=1,
    )  # fmt: skip
    out[single] = private.pieces.quads[first[single]]
    return out


# --- tables


def mask_table(plan: Sequence[CameraPrivacy]) -> Table:
    """One row per mask: camera, view (1, 2, ... heads, then presets), number, corners in pixels."""
    rows = [
        (one, number, one.views[number].reachable, masks, part)
        for one in plan
        for number, masks in enumerate(one.masks)
        for part in range(len(masks.polygons))
    ]
    return Table(
        "masks",
        "Privacy masks",
        {
            "camera": Column(_texts([one.camera.id for one, *_ in rows])),
            "camera_name": Column(_texts([one.camera.name for one, *_ in rows])),
            "view": Column(np.array([number + 1 for _, number, *_ in rows], dtype=np.int64)),
            "preset": Column(_yes_no([preset for _, _, preset, *_ in rows])),
            "mask": Column(np.array([part + 1 for *_, part in rows], dtype=np.int64)),
            "corners": Column(np.array([len(masks.polygons[part]) for *_, masks, part in rows], dtype=np.int64)),
            "picture_share": Column(np.array([_share(one.views[n], m, k) for one, n, _, m, k in rows]), "%"),
            "polygon": Column(_texts([polygon_text(masks.polygons[part]) for *_, masks, part in rows]), "px"),
        },
    )


def _share(view: View, masks: ViewMasks, part: int) -> float:
    return 100.0 * area(masks.polygons[part]) / (view.pixels_wide * view.pixels_high)


def seen_table(private: Private, plan: Sequence[CameraPrivacy]) -> Table:
    """One row per camera and private thing that it sees, the sharpest first."""
    owner = np.repeat(np.arange(len(plan)), [len(one.seen.item) for one in plan]).astype(np.int64)
    item, density, distance, hidden = (
        np.concatenate([getattr(one.seen, name) for one in plan]) if plan else np.zeros(0)
        for name in ("item", "density", "distance", "hidden")
    )
    item = item.astype(np.int64)
    order = np.lexsort((item, owner, -density, ~private.hard[item]))
    owner, item = owner[order], item[order]
    return Table(
        "seen",
        "What each camera sees of it",
        {
            "camera": Column(_texts([plan[k].camera.id for k in owner.tolist()])),
            "camera_name": Column(_texts([plan[k].camera.name for k in owner.tolist()])),
            "thing": Column(private.id[item]),
            "private_kind": Column(private.kind_names[item]),
            "storey": Column(private.storey[item]),
            "private_density": Column(density[order], "px/m"),
            "distance": Column(distance[order], "m"),
            "hidden": Column(_yes_no(hidden[order].tolist())),
            "forbidden": Column(_yes_no(private.hard[item].tolist())),
        },
    )


def camera_table(private: Private, plan: Sequence[CameraPrivacy]) -> Table:
    """One row per camera."""
    return Table(
        "cameras",
        "Privacy by camera",
        {
            "camera": Column(_texts([one.camera.id for one in plan])),
            "camera_name": Column(_texts([one.camera.name for one in plan])),
            "camera_model": Column(_texts([one.camera.model.name for one in plan])),
            "views": Column(np.array([len(one.views) for one in plan], dtype=np.int64)),
            "private_seen": Column(np.array([len(one.seen.item) for one in plan], dtype=np.int64)),
            "private_forbidden": Column(
                np.array([int(private.hard[one.seen.item].sum()) for one in plan], dtype=np.int64)
            ),
            "private_density": Column(
                np.array([float(one.seen.density.max(initial=0.0)) for one in plan], dtype=np.float64), "px/m"
            ),
            "masks": Column(np.array([one.mask_count for one in plan], dtype=np.int64)),
            "picture_masked": Column(np.array([100.0 * one.masked_share for one in plan], dtype=np.float64), "%"),
            "not_hidden": Column(np.array([int((~one.seen.hidden).sum()) for one in plan], dtype=np.int64)),
        },
    )


def check_table(found: Sequence[Answer]) -> Table:
    """The check list."""
    return Table(
        "checks",
        "Check list",
        {
            "check": Column(_texts([one.check.id for one in found])),
            "answer": Column(_texts([one.answer for one in found])),
            "answer_reason": Column(_texts([one.reason for one in found])),
            "count": Column(np.array([one.number for one in found], dtype=np.int64)),
            "rule": Column(_texts([one.check.text for one in found])),
            "rule_source": Column(_texts([one.check.source for one in found])),
            "verified": Column(_yes_no([one.check.verified for one in found])),
        },
    )


# --- figures


def summary(private: Private, plan: Sequence[CameraPrivacy], found: Sequence[Answer]) -> dict[str, Quantity]:
    """Key figures."""
    seen = np.unique(np.concatenate([one.seen.item for one in plan])) if plan else np.zeros(0, dtype=np.int64)
    hard = private.hard[seen]
    sharpest = max((float(one.seen.density.max(initial=0.0)) for one in plan), default=0.0)
    kinds = [one.answer for one in found]
    return {
        "cameras": Quantity(len(plan), "1"),
        "private": Quantity(len(private), "1"),
        "seen": Quantity(int(len(seen)), "1"),
        "forbidden": Quantity(int(hard.sum()), "1"),
        "sharpest": Quantity(round(sharpest, 1), "px/m"),
        "masks": Quantity(sum(one.mask_count for one in plan), "1"),
        "picture_masked": Quantity(round(100.0 * max((one.masked_share for one in plan), default=0.0), 2), "%"),
        "not_hidden": Quantity(sum(int((~one.seen.hidden).sum()) for one in plan), "1"),
        "checks_kept": Quantity(kinds.count(KEPT), "1"),
        "checks_broken": Quantity(kinds.count(BROKEN), "1"),
        "checks_open": Quantity(kinds.count(TO_BE_ANSWERED) + kinds.count(CANNOT_TELL), "1"),
    }


def doubts(private: Private, plan: Sequence[CameraPrivacy], unverified: Sequence[str]) -> list[Issue]:
    """What is to be said about the outcome."""
    out = []
    for one in plan:
        hard = one.seen.item[private.hard[one.seen.item]]
        if len(hard):
            room = private.id[hard[0]]
            text = f"Camera {one.camera.name} sees into {len(hard)} baths, toilets or changing rooms, such as {room}."
            values = {"camera": one.camera.name, "room": room}
            out.append(Issue("cctv.privacy.forbidden", text, "error", len(hard), (one.camera.id,), values))
    turning = [one.camera for one in plan if one.camera.model.kind == "ptz" and not one.camera.presets]
    if turning:
        text = (
            f"{len(turning)} cameras that turn have no presets: they are judged where they look now, and nowhere else."
        )
        out.append(Issue("cctv.privacy.no_presets", text, "doubt", len(turning), tuple(c.id for c in turning)))
    if unverified:
        text = f"The source of {len(unverified)} lines of the check list is not sure: {'; '.join(unverified)}."
        out.append(Issue("cctv.privacy.unverified", text, "note", len(unverified)))
    return out
