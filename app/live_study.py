"""Headless. The studies of sun that follow a building in hand, and their answers in the words of the window."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Analysis, Inputs
from analysis.registry import get
from analysis.run import check_params, choose_inputs
from app.alternatives import base_layers
from app.document import Document
from app.mass_edit import Body
from app.shown_runs import runs_of
from geo.alternatives import Change, apply_alternative
from geo.model import ElementRef, Feedback, Grid, Layer, Mesh, UserError

Floats = NDArray[np.float64]

RIGHTS, HOURS = "sunlight.rights", "sunlight.hours"
STATES = ("pass", "borderline", "fail", "lost")  # of a window; lost: passed before and fails now
STATE_RAMP = "exposure"
LEAST_LOST = 0.5  # [min] from which a window counts as losing sun
OBSTACLES = ("blockers", "obstructions")  # inputs that take what stands in the sun


@dataclass(frozen=True)
class Wanted:
    """One study as it is to run: with the parameters and inputs of the last run there is, else as it comes."""

    analysis: Analysis
    params: Mapping[str, Any]
    chosen: Mapping[str, Sequence[str]] | None = None

    @property
    def day(self) -> str:
        """The day that it is about, as in ``"2026-12-22"``."""
        return str(getattr(self.analysis.params.model_validate(dict(self.params)), "day", ""))


@dataclass(frozen=True, eq=False)
class LiveSetup:
    """What a live study begins with: the alternative that is shown, the building where the base has it.

    Attributes
    ----------
    body : Body
    begins : tuple of Layer
        A new mass is in none of their faces.
    frame : Frame
    studies : tuple of Wanted
    key : object
        Equal for two that begin alike.
    """

    body: Body
    begins: tuple[Layer, ...]
    frame: Any
    studies: tuple[Wanted, ...]
    key: object = None

    def study(self, analysis_id: str) -> Wanted:
        """One of the studies."""
        return next(one for one in self.studies if one.analysis.id == analysis_id)


@dataclass(frozen=True)
class LostWindow:
    """A window whose sun the move changes.

    Attributes
    ----------
    id, building, storey : str
    centre : (3,) [local m]
    lost : float [min]
        Negative where it gains.
    before, now, run : float [h]
        Total before and now, longest run now.
    passed, passes : bool
    by : str
        The building that takes most of its sun now.
    alone, joint : float [min]
        What the building in hand takes now, alone and together with others.
    own : bool
        Whether it is a window of the building in hand.
    """

    id: str
    building: str
    storey: str
    centre: tuple[float, float, float]
    lost: float
    before: float
    now: float
    run: float
    passed: bool
    passes: bool
    by: str
    alone: float
    joint: float
    own: bool

    @property
    def newly_fails(self) -> bool:
        """Whether the verdict fell."""
        return self.passed and not self.passes


@dataclass(frozen=True, eq=False)
class LiveWindows:
    """All windows as they are now: rectangles and a state each."""

    mesh: Mesh
    states: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class LiveGround:
    """Hours of sun on the ground: the whole grid at first, then the cells that changed.

    Attributes
    ----------
    grid : Grid
        Values (rows, cols) [h], as a whole.
    index : (k,) int64 or None
        Flat numbers of the cells that differ from the last answer; None = all.
    top : float [h]
        What an open field gets.
    """

    grid: Grid
    index: NDArray[np.int64] | None
    top: float


@dataclass(frozen=True, eq=False)
class RightsAnswer:
    """What one place of the building means for the windows.

    Attributes
    ----------
    changed : tuple of LostWindow
        The worst first.
    windows : LiveWindows
    same_area : bool
        False where a full run would look at other ground.
    """

    changed: tuple[LostWindow, ...]
    windows: LiveWindows
    same_area: bool = True

    @property
    def judged(self) -> int:
        """Windows there are."""
        return len(self.windows.states)

    @property
    def others(self) -> list[LostWindow]:
        """Windows of other buildings."""
        return [window for window in self.changed if not window.own]

    @property
    def losing(self) -> list[LostWindow]:
        """Windows of others that lose sun."""
        return [window for window in self.others if window.lost >= LEAST_LOST]

    @property
    def newly_failing(self) -> list[LostWindow]:
        """Windows of others whose verdict fell."""
        return [window for window in self.others if window.newly_fails]

    @property
    def newly_passing(self) -> list[LostWindow]:
        """Windows of others whose verdict rose."""
        return [window for window in self.others if window.passes and not window.passed]

    @property
    def own_failing(self) -> list[LostWindow]:
        """Windows of the building in hand whose verdict fell."""
        return [window for window in self.changed if window.own and window.newly_fails]


def setup_for(document: Document, body: Body) -> LiveSetup:
    """What a live study of a building begins with; a `UserError` where there is no scene."""
    frame = document.scene.frame
    if frame is None:
        raise UserError("There is no scene.", "Nothing is open.", "Open a project.", code="live.no_scene")
    runs = {run.analysis_id: run for run in reversed(runs_of(tuple(document.scene)))}
    studies = []
    for analysis_id in (RIGHTS, HOURS):
        run = runs.get(analysis_id)
        params = dict(run.record["provenance"]["params"]) if run is not None else {}
        studies.append(Wanted(get(analysis_id), params, _chosen(document, run)))
    key = _key(document, body, tuple(studies))
    return LiveSetup(body, _begins(document, body), frame, tuple(studies), key)


def _key(document: Document, body: Body, studies: tuple[Wanted, ...]) -> object:
    """What a live study hangs on besides the place of the building."""
    shown = document.alternatives.get(document.alternatives.active)
    changes = dict(shown.changes) if shown is not None else {}
    changes.pop(body.ref, None)
    masses = [mass for mass in shown.masses if mass.id != body.ref.element_id] if shown is not None else []
    trees = shown.trees if shown is not None else ()
    proposals = [one for one in shown.proposals if one.layer_id != body.ref.layer_id] if shown is not None else []
    cities = [layer for layer in base_layers(document) if layer.theme != "result"]
    solids = [(layer.id, layer.geometry, layer.style.visible) for layer in cities]
    return (
        body.ref,
        body.mass,
        changes,
        masses,
        trees,
        proposals,
        solids,
        [(one.params, one.chosen) for one in studies],
    )


def _chosen(document: Document, run: Any) -> Mapping[str, Sequence[str]] | None:
    """The layers an earlier run was given, as far as they are there; None where it was none."""
    if run is None:
        return None
    chosen: dict[str, list[str]] = {}
    for item in run.record["provenance"]["inputs"]:
        if item["layer"] in document.scene:
            chosen.setdefault(item["input"], []).append(item["layer"])
    return chosen


def _begins(document: Document, body: Body) -> tuple[Layer, ...]:
    """The layers shown, with the building as the base has it, or without the new mass."""
    if body.mass is not None:
        return tuple(_emptied(layer, body.row) if layer.id == body.ref.layer_id else layer for layer in document.scene)
    shown = document.alternatives.get(document.alternatives.active)
    if shown is None or body.ref not in shown.changes:
        return tuple(document.scene)
    bases = {layer.id: layer for layer in base_layers(document)}
    (changed, *_) = apply_alternative([bases[body.ref.layer_id]], replace(shown.changed(body.ref, Change()), masses=()))
    return tuple(changed if layer.id == changed.id else layer for layer in document.scene)


def _emptied(layer: Layer, row: int) -> Layer:
    """A layer of which one element is not built yet; its row stays."""
    mesh = layer.geometry
    if not isinstance(mesh, Mesh):
        return layer
    kept = mesh.face_element != row
    fields = tuple(replace(f, values=np.asarray(f.values)[kept]) for f in layer.fields if f.on == "face")
    return layer.with_(geometry=Mesh(mesh.vertices, mesh.faces[kept], mesh.face_element[kept]), fields=fields)


class LiveRightsStudy:
    """The verdicts on windows; one job at a time may use it."""

    def __init__(self, setup: LiveSetup, feedback: Feedback) -> None:
        from analysis.sunlight_rights.live import LiveRights

        wanted = setup.study(RIGHTS)
        inputs: Any = _inputs(setup, wanted)
        params: Any = check_params(wanted.analysis, wanted.params)
        self._live = LiveRights.begin(inputs, params, setup.body.ref, feedback)
        ref = setup.body.ref
        self._own = {ref.element_id, f"{ref.layer_id}:{ref.element_id}"}  # an id that two layers share is longer

    def move(self, mesh: Mesh, feedback: Feedback) -> RightsAnswer:
        """The building at another place."""
        update = self._live.move(mesh, feedback)
        return RightsAnswer(_changed(update, self._own), _windows(update), update.same_area)


class LiveHoursStudy:
    """The hours of sun on the ground; one job at a time may use it."""

    def __init__(self, setup: LiveSetup, feedback: Feedback) -> None:
        from analysis.sunlight.live import LiveHours

        wanted = setup.study(HOURS)
        inputs: Any = _inputs(setup, wanted)
        params: Any = check_params(wanted.analysis, {**wanted.params, "facades": False, "ground": True})
        self._live = LiveHours.begin(inputs, params, setup.body.ref, feedback)
        self._values: Floats | None = None

    def move(self, mesh: Mesh, feedback: Feedback) -> LiveGround:
        """The building at another place."""
        update = self._live.move(mesh, feedback)
        standing = self._live.standing_ground
        if standing is None:
            raise ValueError("the ground was not asked for")
        index: NDArray[np.int64] | None = None
        if self._values is None:
            self._values = self._live.ground_hours()[0]
        else:
            index, values = update.ground.index, self._values.copy()  # the answer before is still on the screen
            values.reshape(-1)[index] = update.ground.total
            self._values = values
        grid = Grid(self._values, standing.cells.x0, standing.cells.y0, standing.cells.cell)
        return LiveGround(grid, index, max(1.0, float(np.ceil(self._live.day.hours))))


def _inputs(setup: LiveSetup, wanted: Wanted) -> Inputs:
    """What an earlier run was given, with the layer of a new mass, which it did not know; else all that suits."""
    chosen, own = wanted.chosen, setup.body.ref.layer_id
    if chosen is not None and not any(own in ids for ids in chosen.values()):
        chosen = {name: [*ids, own] if name in OBSTACLES else ids for name, ids in chosen.items()}
    return choose_inputs(wanted.analysis, setup.begins, setup.frame, chosen)[0]


def _changed(update: Any, own: Collection[str]) -> tuple[LostWindow, ...]:
    """The windows that changed, those of others first, newly failing before the rest, then by minutes lost."""
    changes, windows = update.changes, update.windows
    mine = np.isin(changes.building.astype(str), list(own))
    order = np.lexsort((-changes.lost, ~(changes.passed & ~changes.passes), mine))
    numbers = np.stack([changes.lost, changes.total_before, changes.total, changes.run], axis=1)
    taken = np.stack([changes.mine_alone, changes.mine_joint], axis=1)
    out = []
    for k in order:
        row = int(changes.window[k])
        x, y, z = windows.centre[row].tolist()
        lost, before, now, run = numbers[k].tolist()
        alone, joint = taken[k].tolist()
        out.append(
            LostWindow(
                id=str(changes.id[k]),
                building=str(changes.building[k]),
                storey=str(windows.storey[row]),
                centre=(x, y, z),
                lost=lost,
                before=before,
                now=now,
                run=run,
                passed=bool(changes.passed[k]),
                passes=bool(changes.passes[k]),
                by=str(changes.worst[k]),
                alone=alone,
                joint=joint,
                own=bool(mine[k]),
            )
        )
    return tuple(out)


def _windows(update: Any) -> LiveWindows:
    """Rectangles and states of all windows."""
    from analysis.sunlight_rights.outcome import IN_FRONT, verdict_codes

    windows, count = update.windows, len(update.windows.id)
    states = verdict_codes(update.found)
    changes = update.changes
    states[changes.window[changes.passed & ~changes.passes]] = STATES.index("lost")
    centre = windows.centre + IN_FRONT * windows.normal
    aside = np.column_stack([-windows.normal[:, 1], windows.normal[:, 0], np.zeros(count)])
    aside *= windows.half_width[:, None]
    up = np.outer(windows.half_height, [0.0, 0.0, 1.0])
    corners = np.stack([centre - aside - up, centre + aside - up, centre + aside + up, centre - aside + up], axis=1)
    faces = np.array([[0, 1, 2], [0, 2, 3]])[None] + 4 * np.arange(count)[:, None, None]
    mesh = Mesh(
        corners.reshape(-1, 3), faces.reshape(-1, 3).astype(np.int32), np.repeat(np.arange(count, dtype=np.int32), 2)
    )
    return LiveWindows(mesh, states)


def ref_of(layers: Sequence[Layer], name: str) -> ElementRef | None:
    """The building that a study calls by this name."""
    for layer in layers:
        if layer.theme in ("building", "bim") and name in layer.table.index:
            return ElementRef(layer.id, name)
    return None
