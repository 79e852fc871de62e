"""The search of ``cctv.siting``: the engine's plan on the grid, turned freely at the end, as cameras."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.cameras import Camera, views_of
from analysis.cctv.catalogue import CameraModel
from analysis.cctv.masks import hidden
from analysis.cctv.optics import in_view
from analysis.cctv.poles import Orientation
from analysis.cctv.pricing import seen_densities
from analysis.cctv.refine import Aim, aims_of, refine, room_of
from analysis.cctv.sight import trace
from analysis.cctv.siting_declaration import SitingParams
from analysis.cctv.siting_scene import Siting
from analysis.siting.columns import bound_with
from analysis.siting.cover import solve_cover
from analysis.siting.matrix import Columns, columns_of, joined
from analysis.siting.plan import Moment, Plan, after_views, gap_of, limits_for, with_layers
from analysis.siting.primal import value_of
from analysis.siting.share import solve_share
from analysis.siting.solve import solve_coverage
from analysis.siting.state import State
from geo.model import Feedback, UserError
from geo.model.conventions import MOUNTS

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Ints = NDArray[np.int32]

SOLVE_UNTIL = 0.7  # of the progress
AGAIN = 0.2  # of the time limit, at least, for the search with the cameras as they were turned
MOST_PRICINGS = 40  # when all that can be seen is looked for
COVERAGE = ("count", "budget")


@dataclass(frozen=True, eq=False)
class Found:
    """What the search found; values are whole, in units of the targets' weights.

    Attributes
    ----------
    cameras : tuple of Camera
        Planned ones, and movable ones as they should stand.
    site : (c,) int64
        Place of each.
    seen : tuple of (k,) int32
        Rows each sees.
    existing_seen : tuple of (k,) int32
        Rows the cameras see that stay.
    value, before : int
        Value of the whole plan with the cameras that stay, after and before they were turned freely.
    already : int
        Value of the cameras that stay.
    grid_bound, bound : int
        Of any plan on the grid; of any plan on the grid and the cameras as they were turned.
    cost, cost_bound : float
        [KRW], or cameras where they are counted.
    plan : Plan
        Of the engine.
    """

    cameras: tuple[Camera, ...]
    site: Whole
    seen: tuple[Ints, ...]
    existing_seen: tuple[Ints, ...]
    value: int
    before: int
    already: int
    grid_bound: int
    bound: int
    cost: float
    cost_bound: float
    plan: Plan

    @property
    def gap(self) -> float:
        """Share by which the bound lies above the value."""
        return gap_of(self.value, self.bound)

    @property
    def above_grid(self) -> bool:
        """Whether the plan is worth as much as the best on the grid can be, or more."""
        return self.value >= self.grid_bound


def rows_of(siting: Siting, camera: Camera, visible: Ints) -> Ints:
    """Rows a camera sees as it stands."""
    return _visible_rows(siting, camera.model, np.array(camera.position), _way_of(camera), visible)


def _visible_rows(siting: Siting, model: CameraModel, position: Floats, way: Orientation, visible: Ints) -> Ints:
    from analysis.kernels.frustum import rows_seen

    rows = siting.pricer.rows
    density = seen_densities(model, position, way, visible, rows)
    out = np.empty(int(np.diff(siting.rows.row_ptr)[visible].sum()), dtype=np.int32)
    return out[: rows_seen(visible, density, rows, out)].copy()


def _way_of(camera: Camera) -> Orientation:
    return Orientation(camera.model.id, camera.pan, camera.tilt, camera.roll, camera.focal_mm)


def search(siting: Siting, params: SitingParams, feedback: Feedback) -> Found:
    """Choose cameras, turn them freely, and prove how good they are."""
    worth = with_layers(siting.worth)
    existing = _existing_rows(siting)
    views = np.bincount(np.concatenate([*existing, np.zeros(0, np.int32)]), minlength=len(worth))
    left = after_views(worth, views)
    already = int(worth[:, :-1].sum() - left[:, :-1].sum())
    start = _movable_columns(siting)
    main = feedback.part(0.0, SOLVE_UNTIL)
    if params.objective in COVERAGE:
        plan = _most(siting, params, start, left, main)
    else:
        plan = _cheapest(siting, params, start, left, already, main)
    aims = _aims(siting, plan)
    feedback.step(SOLVE_UNTIL, "turning the cameras freely")
    return _finished(siting, params, plan, aims, left, existing, already, feedback.part(SOLVE_UNTIL, 1.0))


def _existing_rows(siting: Siting) -> tuple[Ints, ...]:
    cameras = siting.existing
    if not cameras:
        return ()
    places = np.array([camera.position for camera in cameras])
    sight = trace(siting.scene, places, siting.all_targets, siting.reach())
    seen = (rows_of(siting, camera, sight.row(k)[0]) for k, camera in enumerate(cameras))
    return tuple(_unmasked(siting, camera, rows) for camera, rows in zip(cameras, seen, strict=True))


def _unmasked(siting: Siting, camera: Camera, rows: Ints) -> Ints:
    """Rows without those that the privacy masks of a camera hide in every picture that shows them."""
    polygons = siting.masks.get(camera, ())
    if not polygons or len(rows) == 0:
        return rows
    target = np.searchsorted(siting.rows.row_ptr, rows, side="right") - 1
    xyz = siting.rows.xyz[target]
    free = np.zeros(len(rows), dtype=np.bool_)
    for number, view in enumerate(views_of(camera)):
        if not view.reachable:
            shown = in_view(view, xyz)
            if number < len(polygons) and len(polygons[number]):
                shown &= ~hidden(view, tuple(polygons[number]), xyz)
            free |= shown
    return rows[free]


def _movable_columns(siting: Siting) -> Columns:
    """Movable cameras as they stand now: so that no plan is worse than leaving them."""
    pricer = siting.pricer
    seen = [
        rows_of(siting, camera, pricer.idx[pricer.ptr[site] : pricer.ptr[site + 1]])
        for camera, site in zip(siting.movable, siting.movable_site, strict=True)
    ]
    return _as_columns(siting, seen, np.array(siting.movable_site, dtype=np.int64), np.zeros(len(seen)))


def _as_columns(siting: Siting, seen: list[Ints], site: Whole, cost: Floats) -> Columns:
    """Cameras that are no candidates of the grid as columns: their rows, and what their penalties take off."""
    penalty = siting.rows.penalty
    offset = np.array([-int(penalty[rows].sum()) for rows in seen], dtype=np.int64)
    kept = [rows[penalty[rows] == 0] for rows in seen]
    return columns_of(kept, siting.rows.rows, site=site, cost=cost, value_offset=offset)


def _most(
    siting: Siting, params: SitingParams, start: Columns, left: Whole, feedback: Feedback, *,
    candidate: Whole | None = None, seconds: float | None = None,
) -> Plan:  # fmt: skip
    count = params.count + len(siting.movable) if params.objective == "count" else None
    return solve_coverage(
        start, left[:, :-1], count=count, budget=None if count else params.budget, per_site=params.per_place,
        pricer=siting.pricer, candidate=candidate, seconds=params.seconds if seconds is None else seconds,
        gap=params.gap / 100.0, seed=params.seed, feedback=feedback,
    )  # fmt: skip


def _cheapest(
    siting: Siting, params: SitingParams, start: Columns, left: Whole, already: int, feedback: Feedback
) -> Plan:
    total = siting.total
    if params.objective == "full":
        return _all_that_can_be_seen(siting, params, start, left, feedback)
    wanted = int(np.ceil(params.share / 100.0 * total)) - already
    if wanted <= 0:
        raise UserError(
            f"The cameras that are there see {100.0 * already / total:.1f} % already.",
            f"{params.share:g} % were asked for.",
            "Ask for a larger share.",
            code="cctv.siting.seen_already",
            values={"seen": f"{100.0 * already / total:.1f}", "share": params.share},
        )
    try:
        return solve_share(
            start, left[:, :-1], wanted, by_count=params.objective == "fewest", per_site=params.per_place,
            pricer=siting.pricer, seconds=params.seconds, gap=params.gap / 100.0, seed=params.seed, feedback=feedback,
        )  # fmt: skip
    except UserError as error:
        if error.code != "siting.share_unreachable":
            raise
        raise _unreachable(siting, params, already, float(str(error.values["reached"]))) from error


def _unreachable(siting: Siting, params: SitingParams, already: int, reached_percent: float) -> UserError:
    from analysis.cctv.siting_outcome import unreachable_names

    rest = siting.total - already
    reached = 100.0 * (already + reached_percent / 100.0 * rest) / siting.total
    names = unreachable_names(siting)
    return UserError(
        f"{params.share:g} % cannot be seen.",
        f"All candidates together see about {reached:.1f} %. What none of them sees lies mostly in: {names}.",
        "Allow more places, a better camera or a lower class, or ask for less.",
        code="cctv.siting.unreachable",
        values={"share": params.share, "reached": f"{reached:.1f}", "names": names},
    )


def _all_that_can_be_seen(
    siting: Siting, params: SitingParams, start: Columns, left: Whole, feedback: Feedback
) -> Plan:
    """Fewest cameras that see every row that any candidate sees."""
    seconds = params.seconds
    state = State(base=0, seconds=seconds, gap=0.0, feedback=feedback.part(0.0, 0.3))
    columns, candidate = start, np.full(len(start), -1, dtype=np.int64)
    covered = np.zeros(len(left), dtype=np.bool_)
    covered[columns.idx] = True
    for _ in range(MOST_PRICINGS):
        state.step("finding all that can be seen")
        prices = np.where(covered, 0, left[:, 0]).astype(np.float64)
        found = siting.pricer.price(prices, per_site=1, least=0.0)
        site, place = np.nonzero((found.candidate >= 0) & (found.value > 0))
        if len(site) == 0:
            break
        more = siting.pricer.columns(site.astype(np.int32), found.candidate[site, place])
        columns = joined([columns, more]) if len(columns) else more
        candidate = np.concatenate([candidate, found.candidate[site, place]])
        covered[more.idx] = True
    wanted = int(left[covered, 0].sum())
    if wanted == 0:
        raise UserError(
            "No candidate sees anything more.",
            "All places are too far, hidden, or turned away from what should be seen.",
            "Allow more places, a better camera or a lower class.",
            code="cctv.siting.nothing_seen",
        )
    only = np.where(covered[:, None], left[:, :1], 0)
    plan = solve_share(
        columns, only, wanted, by_count=True, per_site=params.per_place, pricer=siting.pricer, candidate=candidate,
        seconds=max(seconds * 0.5, 1.0), gap=0.0, seed=params.seed, feedback=feedback.part(0.3, 0.7),
    )  # fmt: skip
    return _by_cover(plan, only[:, 0], siting, params, feedback.part(0.7, 1.0))


def _by_cover(plan: Plan, worth: Whole, siting: Siting, params: SitingParams, feedback: Feedback) -> Plan:
    """The plan, or a cover of the same rows by columns written out that needs fewer cameras."""
    capacity = np.full(siting.pricer.sites, params.per_place, dtype=np.int32)
    need = (worth > 0).astype(np.int64)
    seconds = max(params.seconds * 0.3, 1.0)
    cover = solve_cover(
        plan.columns, need=need, capacity=capacity, seconds=seconds, seed=params.seed, feedback=feedback
    )
    if len(cover.chosen) == 0 or cover.cost >= plan.cost:
        return plan
    moment = Moment(plan.history[-1].seconds + cover.history[-1].seconds, int(cover.cost), int(plan.cost_bound))
    stopped = "optimal" if cover.cost <= plan.cost_bound else plan.stopped
    return plan.with_(
        chosen=cover.chosen, cost=cover.cost, history=(*plan.history, moment), stopped=stopped,
        value=value_of(plan.columns, with_layers(worth), cover.chosen),
    )  # fmt: skip


# --- cameras


def _aims(siting: Siting, plan: Plan, first: int = 0, free: tuple[Aim, ...] = ()) -> tuple[Aim, ...]:
    """The cameras of a plan; columns from number `first` on are the `free` ones, those before them movable ones."""
    pricer = siting.pricer
    out: list[Aim] = []
    for column in plan.chosen.tolist():
        site, candidate = int(plan.columns.site[column]), int(plan.candidate[column])
        if candidate >= 0:
            out += aims_of(pricer, [site], [candidate])
        elif first <= column < first + len(free):
            out.append(free[column - first])
        else:
            camera = siting.movable[siting.movable_site.index(site)]
            visible = pricer.idx[pricer.ptr[site] : pricer.ptr[site + 1]]
            place = np.array(camera.position)
            out.append(Aim(camera.model, place, _way_of(camera), visible, room=room_of(pricer.poles, site)))
    return tuple(out)


@dataclass(frozen=True, eq=False)
class _Turned:
    """Cameras of a plan after they were turned freely: as they look, the columns they are, and what they see."""

    aims: tuple[Aim, ...]
    columns: Columns
    seen: tuple[Ints, ...]
    value: int


def _turned(
    siting: Siting, params: SitingParams, plan: Plan, aims: tuple[Aim, ...], left: Whole, feedback: Feedback
) -> _Turned:
    """The cameras of a plan, turned freely where that is asked for and better."""
    site, cost = plan.columns.site[plan.chosen].astype(np.int64), plan.columns.cost[plan.chosen]

    def as_turned(ways: tuple[Aim, ...]) -> _Turned:
        seen = [_rows_seen(siting, aim) for aim in ways]
        columns = _as_columns(siting, seen, site, cost)
        return _Turned(ways, columns, tuple(seen), value_of(columns, left, np.arange(len(columns), dtype=np.int64)))

    before = as_turned(aims)
    if not params.refined or not aims:
        return before
    after = as_turned(refine(aims, siting.rows, left[:, 0], feedback=feedback).aims)
    return after if after.value > before.value else before


def _finished(
    siting: Siting, params: SitingParams, plan: Plan, aims: tuple[Aim, ...], left: Whole,
    existing: tuple[Ints, ...], already: int, feedback: Feedback,
) -> Found:  # fmt: skip
    """Turn the cameras freely, search once more with them where there is time, and prove what was reached."""
    coverage = params.objective in COVERAGE
    before = value_of(plan.columns, left, plan.chosen)
    grid_bound = bound = plan.bound if coverage else siting.total - already
    last, now = plan, _turned(siting, params, plan, aims, left, feedback.part(0.0, 0.3))
    if coverage and now.value > before:
        seconds = params.seconds - (plan.history[-1].seconds if plan.history else 0.0)
        feedback.step(0.3, "searching again with the cameras as they were turned")
        again = _again(siting, params, plan, now, left, max(seconds, AGAIN * params.seconds), feedback.part(0.3, 0.8))
        ways = _aims(siting, again, len(plan.columns), now.aims)
        better = _turned(siting, params, again, ways, left, feedback.part(0.8, 0.9))
        if better.value >= now.value:
            last, now, bound = again, better, again.bound
        if now.value > last.value or last is plan:
            feedback.step(0.9, "proving the bound again")
            bound = _bound_again(siting, params, last, left, now.columns)
    grid_bound = min(grid_bound, bound)  # what bounds the grid and more bounds the grid
    site = last.columns.site[last.chosen].astype(np.int64)
    money = _money(siting, now.aims, site)
    counted = params.objective in ("cost", "fewest", "full")
    return Found(
        _cameras(siting, now.aims, site), site, now.seen, existing, already + now.value, already + before, already,
        already + max(grid_bound, before), already + max(bound, now.value), plan.cost if counted else money,
        plan.cost_bound, plan,
    )  # fmt: skip


def _again(
    siting: Siting, params: SitingParams, plan: Plan, turned: _Turned, left: Whole, seconds: float, feedback: Feedback
) -> Plan:
    """The search with the cameras as they were turned as further columns, which its bound then covers too."""
    columns = joined([plan.columns, turned.columns])
    candidate = np.concatenate([plan.candidate, np.full(len(turned.columns), -1, dtype=np.int64)])
    return _most(siting, params, columns, left, feedback, candidate=candidate, seconds=seconds)


def _rows_seen(siting: Siting, aim: Aim) -> Ints:
    """Rows, private ones among them, that a camera sees."""
    return _visible_rows(siting, aim.model, np.asarray(aim.position), aim.way, aim.visible)


def _bound_again(siting: Siting, params: SitingParams, plan: Plan, left: Whole, turned: Columns) -> int:
    """The bound over the grid, the columns of the plan and the cameras as they were turned."""
    unit = params.objective == "count"
    _, limits = limits_for(
        turned, count=params.count + len(siting.movable) if unit else None, budget=None if unit else params.budget,
        per_site=params.per_place, sites=siting.pricer.sites,
    )  # fmt: skip
    return bound_with(plan, left, limits, siting.pricer, turned, unit=unit)


def _money(siting: Siting, aims: tuple[Aim, ...], site: Whole) -> float:
    """What the cameras cost with their places [KRW]; movable ones that stay as they are cost nothing."""
    kept = {(camera.position, _way_of(camera)) for camera in siting.movable}
    return float(
        sum(
            aim.model.cost + float(siting.poles.cost[place])
            for aim, place in zip(aims, site.tolist(), strict=True)
            if (tuple(float(part) for part in aim.position), aim.way) not in kept
        )
    )


def _cameras(siting: Siting, aims: tuple[Aim, ...], site: Whole) -> tuple[Camera, ...]:
    poles = siting.poles
    out: list[Camera] = []
    names = {camera.id for camera in (*siting.existing, *siting.movable)}
    number = 0
    for aim, place in zip(aims, site.tolist(), strict=True):
        number += 1
        while f"plan-{number}" in names:
            number += 1
        way = aim.way
        x, y, z = (float(value) for value in aim.position)
        out.append(
            Camera(
                f"plan-{number}",
                f"C{number:02d}",
                aim.model,
                (x, y, z),
                way.pan % 360.0,
                way.tilt,
                way.roll,
                way.focal_mm,
                MOUNTS[int(poles.mount[place])],
                "planned",
            )  # fmt: skip
        )
    return tuple(out)
