"""What ``cctv.siting`` chooses from and for: study area, places, targets, private windows, lines of sight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.cameras import Camera, cameras_of, reach_of
from analysis.cctv.candidates import forbid, near_targets, poles_from_layer, poles_on_ceilings, poles_on_facades
from analysis.cctv.candidates import poles_on_roads as masts_along
from analysis.cctv.catalogue import CameraModel, models_of
from analysis.cctv.classes import Edition, asked_class, figure
from analysis.cctv.declaration import CoverageParams
from analysis.cctv.looked_at import LookedAt, looked_at
from analysis.cctv.mask_tables import masks_of_cameras
from analysis.cctv.outlines import height_at, outlines_of
from analysis.cctv.plain import plain_level
from analysis.cctv.poles import Poles, drop_blocked, fine_grid, join_poles, make_poles
from analysis.cctv.pricing import CameraPricer, Visible, Wanted
from analysis.cctv.scope import class_from
from analysis.cctv.seen import ViewPolygons
from analysis.cctv.sight import SightScene, blocked_poles, sight_scene, trace
from analysis.cctv.siting_declaration import SitingInputs, SitingParams
from analysis.cctv.siting_private import NO_PRIVATE_POINTS, PrivatePoints, private_points
from analysis.cctv.targets import ENTRANCE, PLATE, ROOM, Targets, join, make_targets
from analysis.places import read_places
from geo.model import Bounds, ElementTable, Feedback, Issue, Layer, Mesh, UserError
from geo.model.conventions import STOREY

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Bools = NDArray[np.bool_]

PRIVATE_AREA = "\x00private"  # no layer names an area so
LEAST_TILT, MOST_TILT = 5.0, 45.0  # [degrees] of the grid
TOP_MARGIN = 20.0  # [m] above and below everything


@dataclass(frozen=True, eq=False)
class Siting:
    """The problem.

    Attributes
    ----------
    scene : SightScene
    looked : LookedAt
        Its targets are the first rows of `rows`, in order.
    rows : Wanted
        Targets and private points with what is asked of them.
    row_target : (rows,) int64
        Target of each row, -1 for private points.
    worth : (rows, k) int64
    poles : Poles
    pricer : CameraPricer
    existing, movable : list of Camera
        Those that stay, and those that are set anew; `movable_site` is the place of each.
    masks : mapping of Camera
        Polygons that hide parts of the pictures of cameras that stay, picture by picture.
    all_targets : Targets
        With the private points; `mine` (n,) tells which are targets.
    """

    scene: SightScene
    looked: LookedAt
    rows: Wanted
    row_target: Whole
    worth: Whole
    poles: Poles
    pricer: CameraPricer
    existing: list[Camera]
    movable: list[Camera]
    movable_site: list[int]
    masks: Mapping[Camera, ViewPolygons]
    all_targets: Targets
    mine: Bools

    @property
    def total(self) -> int:
        """The most that could be seen."""
        return int(self.worth.sum())

    def reach(self) -> float:
        """How far [m] any camera sees at all."""
        return max(reach_of(grid.model, float(self.rows.need.min())) for grid in self.pricer.grids)


def view_class_of(params: SitingParams, edition: Edition) -> int:
    """Place of the class from which a view counts; the class asked for on the ground where none is named."""
    return class_from(params, edition, otherwise=asked_class(edition, "ground"))


def models_wanted(inputs: SitingInputs, params: SitingParams, issues: list[Issue]) -> list[CameraModel]:
    """The camera models to choose from."""
    known, doubts = models_of(inputs.models)
    issues += doubts
    names = [name.strip() for name in params.camera_models.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise UserError(
                f"No camera model is called {name}.",
                f"Known are: {', '.join(known)}.",
                "Choose ids of the catalogue, separated by commas.",
                code="cctv.siting.unknown_model",
                values={"model": name, "known": ", ".join(known)},
            )
    if not names:
        raise UserError(
            "No camera model is named.",
            f"Known are: {', '.join(known)}.",
            "Choose ids of the catalogue, separated by commas.",
            code="cctv.siting.no_model",
            values={"known": ", ".join(known)},
        )
    chosen = [known[name] for name in dict.fromkeys(names)]
    unverified = sorted(model.id for model in chosen if not model.verified)
    if unverified:
        text = f"{len(unverified)} camera models were not compared with a data sheet: {', '.join(unverified)}."
        values = {"models": ", ".join(unverified)}
        issues.append(Issue("cctv.unverified_models", text, "note", len(unverified), values=values))
    return chosen


def siting_of(
    inputs: SitingInputs, params: SitingParams, edition: Edition, view_class: int, issues: list[Issue],
    feedback: Feedback,
) -> Siting:  # fmt: skip
    """Everything the search needs."""
    models = models_wanted(inputs, params, issues)
    existing, movable = _cameras(inputs, params, issues)
    inputs, box = study_area(inputs, params, [*existing, *movable], issues)
    least = float(edition.limits[view_class])
    reach = max(reach_of(model, least) for model in [*models, *(camera.model for camera in movable)])
    feedback.step(0.02, "preparing the obstacles")
    scene = sight_scene(
        inputs.scene, season=params.season, pane=None if params.glass else 0.0, leaf_density=params.leaf_density,
        box=_sight_box(inputs, box, params.beyond, existing), issues=issues, feedback=feedback.part(0.02, 0.2),
    )  # fmt: skip
    looked = _looked(inputs, params, scene, box, edition, issues, feedback.part(0.2, 0.4))
    private = NO_PRIVATE_POINTS
    if params.privacy != "none":
        middle = (box[0] + box[1]) / 2.0
        away = float(np.hypot(*(box[1] - box[0])) / 2.0 + params.beyond + reach)
        private = private_points(inputs, params, middle, away, issues, feedback.part(0.4, 0.5))
    poles, sites = _poles(inputs, params, scene, looked, box, reach, movable, issues, feedback.part(0.5, 0.65))
    whole, mine = _with_private(looked.targets, private)
    sight = trace(scene, poles.xyz, whole, _reaches(poles, reach), feedback.part(0.65, 0.95))
    rows, row_target, worth = _rows(params, whole, mine, private, edition, view_class)
    tilts = tuple(np.arange(LEAST_TILT, MOST_TILT + 1e-6, params.tilt_step).tolist())
    more = [camera.model for camera in movable if camera.model not in models]
    grids = [
        fine_grid(model, pan_step=params.pan_step, tilts=tilts, focal_steps=params.zooms)
        for model in [*models, *dict.fromkeys(more)]
    ]
    pricer = CameraPricer(poles, Visible(sight.ptr, sight.idx), rows, grids, feedback=feedback)
    feedback.step(1.0, "looking for the best cameras")
    masks = masks_of_cameras(inputs.masks, existing, issues)
    return Siting(scene, looked, rows, row_target, worth, poles, pricer, existing, movable, sites, masks, whole, mine)


def _cameras(inputs: SitingInputs, params: SitingParams, issues: list[Issue]) -> tuple[list[Camera], list[Camera]]:
    """Cameras that stay and cameras that are set anew."""
    if params.keep == "none":
        return [], []
    known, _ = models_of(inputs.models)
    found: list[Camera] = []
    for layer in inputs.cameras:
        cameras, doubts = cameras_of(layer, known)
        issues += doubts
        found += cameras
    staying = ("existing",) if params.keep == "existing" else ("existing", "planned")
    left = sum(camera.state == "planned" for camera in found) if params.keep == "existing" else 0
    if left:
        text = f"{left} planned cameras are taken as not there: only existing ones stay."
        issues.append(Issue("cctv.siting.planned_ignored", text, "note", left, values={"count": left}))
    return [c for c in found if c.state in staying], [c for c in found if c.state == "movable"]


# --- study area


def study_area(
    inputs: SitingInputs, params: SitingParams, cameras: Sequence[Camera], issues: list[Issue]
) -> tuple[SitingInputs, Floats]:
    """The inputs with an area named, and its rectangle (2, 2) [local m]."""
    if inputs.areas:
        outlines = [one for layer in inputs.areas for one in outlines_of(layer)]
        if outlines:
            points = np.concatenate([np.concatenate([one.start, one.stop]) for one in outlines])
            return inputs, np.stack([points.min(axis=0), points.max(axis=0)])
        return inputs, np.zeros((2, 2))  # the search for targets says what is wrong with it
    middle = _middle(inputs, params, cameras)
    half = params.around
    east, north = (round(float(middle[axis] + inputs.frame.origin[axis])) for axis in range(2))
    text = f"No area is named: a square of {2 * half:g} m about ({east}, {north}) is looked at."
    values = {"side": 2 * half, "x": east, "y": north}
    issues.append(Issue("cctv.siting.square", text, "note", values=values))
    corner = np.array([[-half, -half], [half, -half], [half, half], [-half, half]]) + middle
    mesh = Mesh(np.column_stack([corner, np.zeros(4)]), np.array([[0, 1, 2], [0, 2, 3]]), np.zeros(2, dtype=np.int32))
    layer = Layer("study-area", "Study area", "other", mesh, ElementTable(["study-area"]))
    return replace(inputs, areas=(layer,)), np.stack([middle - half, middle + half])


def _middle(inputs: SitingInputs, params: SitingParams, cameras: Sequence[Camera]) -> Floats:
    if params.site.strip():
        found = read_places(params.site, (*inputs.buildings, *inputs.roads, *inputs.cameras), inputs.frame)
        return np.asarray(found[0].point[:2], dtype=np.float64)
    if cameras:
        return np.asarray(np.mean([camera.position[:2] for camera in cameras], axis=0))
    boxes = [layer.geometry.bounds for layer in inputs.buildings if layer.geometry is not None]
    whole = Bounds.union(box for box in boxes if box is not None)
    if whole is None:
        raise UserError(
            "The study area is not known.",
            "No area and no middle is given, and there are no cameras and no buildings to take it from.",
            "Name an area, or give the middle of the study area.",
            code="cctv.siting.no_area",
        )
    return np.array(whole.centre[:2])


def _sight_box(inputs: SitingInputs, box: Floats, beyond: float, existing: Sequence[Camera]) -> Bounds:
    """The rectangle of all places and targets, over all heights."""
    corners = [*box, *(np.array(camera.position[:2]) for camera in existing)]
    low, high = np.min(corners, axis=0) - beyond - 1.0, np.max(corners, axis=0) + beyond + 1.0
    boxes = [layer.geometry.bounds for layer in inputs.scene if layer.geometry is not None]
    whole = Bounds.union(one for one in boxes if one is not None)
    bottom, top = (whole.low[2], whole.high[2]) if whole is not None else (0.0, 0.0)
    return Bounds((*low.tolist(), bottom - TOP_MARGIN), (*high.tolist(), top + TOP_MARGIN))


def _looked(
    inputs: SitingInputs, params: SitingParams, scene: SightScene, box: Floats, edition: Edition,
    issues: list[Issue], feedback: Feedback,
) -> LookedAt:  # fmt: skip
    """Targets in the study area."""
    middle, half = (box[0] + box[1]) / 2.0, (box[1] - box[0]) / 2.0
    anywhere = Camera("middle", "middle", _ANY_MODEL, (float(middle[0]), float(middle[1]), 0.0))
    found = looked_at(
        inputs, _as_coverage(params, float(np.hypot(*half)) + 1.0), scene, [anywhere], edition, issues, feedback
    )
    targets = found.targets
    keep = (np.abs(targets.xyz[:, :2] - middle) <= half + params.ground_cell).all(axis=1)
    if found.rooms is not None and params.storey.strip():
        keep &= _on_storeys(found, params.storey)
    if not (keep & (targets.weight > 0)).any():
        raise UserError(
            "There is nothing in the study area for cameras to look at.",
            "It has no open ground, room, facade or entrance that counts.",
            "Choose another area, or other things to look at.",
            code="cctv.siting.no_targets",
        )
    return replace(found, targets=targets.taken(keep))


_ANY_MODEL = CameraModel("-", "-", "fixed", 1.0, 1.0, 1, 1, 1.0, 1.0)


def _as_coverage(params: SitingParams, around: float) -> CoverageParams:
    """What the study of coverage would be asked to look at."""
    same = {name: value for name, value in params.model_dump().items() if name in CoverageParams.model_fields}
    return CoverageParams(**{**same, "around": min(max(around, 5.0), 1000.0)})


def _on_storeys(found: LookedAt, storey: str) -> Bools:
    """(n,) targets that are not in rooms, or on the storeys named."""
    rooms, targets = found.rooms, found.targets
    if rooms is None:
        return np.ones(len(targets), dtype=np.bool_)
    good = np.array([_is_on(layer, row, storey) for layer, row in rooms.rooms], dtype=np.bool_)
    out = targets.kind != ROOM
    inside = np.flatnonzero(~out)
    out[inside] = good[rooms.room[targets.number[inside]]]
    return np.asarray(out)


def _is_on(layer: Layer, row: int, storey: str) -> bool:
    column = layer.table.columns.get(STOREY)
    name = str(column.values[row]) if column is not None and row < len(layer.table) else ""
    wanted = [word.strip().lower() for word in storey.split(",") if word.strip()]
    return not wanted or any(word in name.lower() for word in wanted)


# --- places


def _poles(
    inputs: SitingInputs, params: SitingParams, scene: SightScene, looked: LookedAt, box: Floats, reach: float,
    movable: Sequence[Camera], issues: list[Issue], feedback: Feedback,
) -> tuple[Poles, list[int]]:  # fmt: skip
    """Places for cameras, those of movable cameras first, and the place of each movable camera."""
    poles = join_poles(_found_places(inputs, params, scene, looked, box, issues, feedback))
    if inputs.forbidden:
        poles, doubts = forbid(poles, inputs.forbidden)
        issues += doubts
    poles, doubts = drop_blocked(poles, blocked_poles(scene, poles.xyz))
    issues += doubts
    poles, doubts = near_targets(poles, looked.targets.xyz, reach)
    issues += doubts
    if len(poles) > params.most_places:
        text = f"{len(poles)} places were found; {params.most_places} of them are looked at."
        values = {"found": len(poles), "kept": params.most_places}
        issues.append(Issue("cctv.siting.fewer_places", text, "doubt", len(poles), values=values))
        poles = poles.kept(evenly(poles.xyz, params.most_places, params.seed))
    if movable:
        own = make_poles(np.array([c.position for c in movable]), "given", height=params.mast_height, mount="other")
        poles = join_poles([own, poles])
    if len(poles) == 0:
        raise UserError(
            "There is no place for a camera.",
            "No road edge, wall, ceiling or given place is left in the study area.",
            "Widen the area, allow more sorts of places, or give places.",
            code="cctv.siting.no_places",
        )
    return poles, list(range(len(movable)))


def _found_places(
    inputs: SitingInputs, params: SitingParams, scene: SightScene, looked: LookedAt, box: Floats,
    issues: list[Issue], feedback: Feedback,
) -> list[Poles]:  # fmt: skip
    solid = [layer for layer in inputs.buildings if layer.theme in ("building", "bim")]
    (west, south), (east, north) = box[0] - params.beyond, box[1] + params.beyond
    within = ((float(west), float(south)), (float(east), float(north)))
    area = Bounds((*within[0], -np.inf), (*within[1], np.inf))
    low = looked.level if looked.raster is not None else plain_level(inputs.buildings, inputs.ways, area)[0]

    def ground(x: Floats, y: Floats) -> Floats:
        return height_at(scene.obstacles.terrain, x, y, otherwise=low)

    parts: list[Poles] = []
    feedback.step(0.0, "finding places for cameras")
    if params.ground != "none" and params.on_roads and inputs.roads:
        poles, doubts = masts_along(
            inputs.roads, ground, buildings=scene.opaque, box=within, spacing=params.road_spacing,
            height=params.mast_height, cost=params.mast_cost,
        )  # fmt: skip
        parts.append(poles)
        issues += doubts
    if params.ground != "none" and params.on_walls and solid:
        poles, doubts = poles_on_facades(
            solid, ground, occluder=scene.opaque, box=within, spacing=params.wall_spacing, height=params.wall_height,
            cost=params.wall_cost, feedback=feedback.part(0.2, 0.7),
        )  # fmt: skip
        parts.append(poles)
        issues += doubts
    if params.indoors == "all" and params.on_ceilings and looked.rooms is not None:
        chosen = [_chosen_rooms(layer, looked, params) for layer in inputs.rooms]
        poles, doubts = poles_on_ceilings(
            inputs.rooms, chosen=chosen, cost=params.ceiling_cost, feedback=feedback.part(0.7, 0.9)
        )
        parts.append(poles)
        issues += doubts
    for layer in inputs.places:
        poles, doubts = poles_from_layer(layer, ground, height=params.mast_height, cost=params.mast_cost)
        parts.append(poles)
        issues += doubts
    return parts


def _chosen_rooms(layer: Layer, looked: LookedAt, params: SitingParams) -> Bools:
    """Rooms of a layer that hold targets."""
    count = len(layer.table)
    if isinstance(layer.geometry, Mesh) and len(layer.geometry.face_element):
        count = max(count, int(layer.geometry.face_element.max()) + 1)
    out = np.zeros(count, dtype=np.bool_)
    rooms = looked.rooms
    if rooms is not None:
        used = np.unique(rooms.room[looked.targets.number[looked.targets.kind == ROOM]])
        for number in used.tolist():
            owner, row = rooms.rooms[number]
            if owner is layer:
                out[row] = True
    return out


def evenly(xyz: Floats, count: int, seed: int) -> Whole:
    """`count` of the points, as far from each other as a greedy choice from the first finds them; ascending."""
    chosen = np.zeros(count, dtype=np.int64)
    chosen[0] = np.random.default_rng(seed).integers(len(xyz))
    away = np.full(len(xyz), np.inf)
    for number in range(1, count):
        np.minimum(away, ((xyz - xyz[chosen[number - 1]]) ** 2).sum(axis=1), out=away)
        chosen[number] = int(np.argmax(away))
    return np.unique(chosen)


def _reaches(poles: Poles, reach: float) -> Floats:
    return np.full(len(poles), reach)


# --- rows


def _with_private(targets: Targets, private: PrivatePoints) -> tuple[Targets, Bools]:
    """Targets and private points as one, in the order in which lines of sight are traced, and which are targets."""
    if len(private.points) == 0:
        return targets, np.ones(len(targets), dtype=np.bool_)
    extra = make_targets(
        private.points, kind=1, cell_area=0.0, normal=private.normals, areas=(PRIVATE_AREA,),
        number=np.arange(len(private.points)),
    )  # fmt: skip
    whole = join([targets, extra])
    return whole, np.asarray(whole.area != whole.areas.index(PRIVATE_AREA))


def _rows(
    params: SitingParams, whole: Targets, mine: Bools, private: PrivatePoints, edition: Edition, view_class: int
) -> tuple[Wanted, Whole, Whole]:
    """What is asked: rows of each target, the target of each row (-1 private), and worth (rows, k)."""
    count = len(whole)
    steps = 2 if params.quality == "steps" else 1
    each = np.where(mine, steps, 1)
    row_ptr = np.concatenate([[0], np.cumsum(each)]).astype(np.int64)
    owner = np.repeat(np.arange(count), each)
    step = np.arange(row_ptr[-1]) - row_ptr[owner]
    asked = np.maximum(np.where(whole.required >= 0, whole.required, view_class), view_class)
    own_class = np.full(count, view_class) if params.quality == "view" else asked
    number = np.where((step == 0) & (steps == 2), view_class, own_class[owner])
    need = edition.limits[number]
    half = whole.weight // 2
    first = np.where(
        steps == 2, np.where(step == 0, whole.weight[owner] - half[owner], half[owner]), whole.weight[owner]
    )
    worth = [np.where(mine[owner], first, 0)]
    for _ in range(1, params.views):
        worth.append((worth[-1] * params.again / 100.0).astype(np.int64))
    penalty, forbidden = np.zeros(len(owner), dtype=np.int64), np.zeros(len(owner), dtype=np.bool_)
    if not mine.all():
        at = row_ptr[:-1][~mine]
        source = whole.number[~mine]
        penalty[at], forbidden[at], need[at] = private.penalty[source], private.forbidden[source], private.need[source]
    strict = np.isin(whole.kind, (ENTRANCE, PLATE)) & mine & (params.quality != "view")
    angle = np.where(whole.kind == PLATE, figure("angles", "plate"), figure("angles", "face_yaw"))
    least_cosine = np.where(strict, np.cos(np.radians(angle)), 0.0)
    lit = whole.lux >= figure("night", "lux")
    dark = ~lit & mine & params.night
    rows = Wanted(whole.xyz, whole.normal, row_ptr, need, least_cosine, dark, penalty, forbidden)
    place = np.cumsum(mine) - 1
    return rows, np.where(mine[owner], place[owner], -1), np.stack(worth, axis=1)
