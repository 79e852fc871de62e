"""Headless. A plan of cameras scored as ``cctv.coverage`` scores it, and scored again after each change of a camera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Analysis
from analysis.registry import get
from analysis.run import check_params, choose_inputs
from app.cctv.edit import CameraRow, layer_of
from app.document import Document
from app.shown_runs import Run, runs_of
from geo.model import Bounds, ElementRef, Feedback, Frame, Issue, Layer, UserError

if TYPE_CHECKING:
    from analysis.cctv.cameras import Camera
    from analysis.cctv.classes import Edition
    from analysis.cctv.seen import PlanScore, Score
    from analysis.cctv.targets import Targets

Floats = NDArray[np.float64]

COVERAGE = "cctv.coverage"


@dataclass(frozen=True, eq=False)
class PlanSetup:
    """What a live plan begins with: what the last run of the study was given, else what it would take by itself.

    Attributes
    ----------
    analysis : Analysis
    params : mapping
    chosen : mapping or None
    layers : tuple of Layer
    frame : Frame
    key : object
        Equal while only cameras differ.
    """

    analysis: Analysis
    params: Mapping[str, Any]
    chosen: Mapping[str, Sequence[str]] | None
    layers: tuple[Layer, ...]
    frame: Frame
    key: object


@dataclass(frozen=True, eq=False)
class Answer:
    """What a plan covers.

    Attributes
    ----------
    ref : ElementRef or None
        The camera in hand.
    names : tuple of str
        Ids of the classes, the least demanding first.
    now, before : (c,) float
        Share (0..1) of all targets by weight that is seen at least in each class; now, and when it was taken in hand.
    own, alone : float
        Share that the camera in hand sees at all, and that nobody else sees.
    twice : float
        Share seen by two cameras or more.
    traced : int
        Cameras whose lines of sight were traced for this answer.
    fault : str
        Why the camera in hand cannot stand there: ``inside``, ``underground`` or ``touching``; else empty.
    cameras : int
        That count.
    """

    ref: ElementRef | None
    names: tuple[str, ...]
    now: Floats
    before: Floats
    own: float
    alone: float
    twice: float
    traced: int
    fault: str
    cameras: int


@dataclass(frozen=True, eq=False)
class PlanFigures:
    """One plan among several, before the same targets.

    Attributes
    ----------
    cameras : int
    cost : float [KRW]
        Of the devices.
    names : tuple of str
    shares : (c,) float
        Seen at least in each class.
    twice, worst_failure : float
        Share seen twice, and lost where the one camera fails that matters most.
    """

    cameras: int
    cost: float
    names: tuple[str, ...]
    shares: Floats
    twice: float
    worst_failure: float


def setup_of(document: Document, cameras: Sequence[str] | None = None) -> PlanSetup:
    """What the plan of a document begins with; a `UserError` where there is no scene.

    cameras : sequence of str
        Layers of cameras; all that are shown when not given.
    """
    frame = document.scene.frame
    if frame is None:
        raise UserError("There is no scene.", "Nothing is open.", "Open a project.", code="live.no_scene")
    layers = tuple(document.scene)
    run = next((run for run in runs_of(layers) if run.analysis_id == COVERAGE), None)
    params = dict(run.record["provenance"]["params"]) if run is not None else {}
    chosen = _chosen(document, run)
    if cameras is not None:
        chosen = {**(chosen or {}), "cameras": list(cameras)}
    solid = tuple((id(layer.geometry), layer.style.visible) for layer in layers if _counts(layer))
    shown = tuple((layer.id, layer.style.visible) for layer in layers if layer.theme == "camera")
    key = (solid, shown, sorted(params.items(), key=str), sorted((chosen or {}).items(), key=str))
    return PlanSetup(get(COVERAGE), params, chosen, layers, frame, key)


def _counts(layer: Layer) -> bool:
    return layer.theme not in ("camera", "result")


def _chosen(document: Document, run: Run | None) -> Mapping[str, Sequence[str]] | None:
    """The layers an earlier run was given, as far as they are there; None where it was none.

    Cameras are those that are shown now: one may have been set since.
    """
    if run is None:
        return None
    chosen: dict[str, list[str]] = {}
    for item in run.record["provenance"]["inputs"]:
        if item["layer"] in document.scene and item["input"] != "cameras":
            chosen.setdefault(item["input"], []).append(item["layer"])
    return chosen


class PlanBegun(NamedTuple):
    """What a plan was begun with.

    Attributes
    ----------
    models : mapping
        Of cameras, by their ids.
    layers : tuple of str
        Ids of the layers of cameras.
    named : bool
        Whether the areas are named.
    places : mapping
        Where the cameras stood.
    terrain : tuple of Layer
    around : float [m]
        Ground looked at around cameras where no area is named.
    box : Bounds
        Under which the terrain was taken.
    """

    models: Mapping[str, Any]
    layers: tuple[str, ...]
    named: bool
    places: Mapping[ElementRef, tuple[float, float, float]]
    terrain: tuple[Layer, ...]
    around: float
    box: Bounds


def _refs_of(inputs: Any, cameras: Sequence[Camera]) -> tuple[list[ElementRef], Mapping[str, Any]]:
    """Which element of the scene each camera of the study is."""
    from analysis.cctv.cameras import cameras_of
    from analysis.cctv.catalogue import models_of

    models = models_of(inputs.models)[0]
    refs = [ElementRef(layer.id, one.id) for layer in inputs.cameras for one in cameras_of(layer, models)[0]]
    if len(refs) != len(cameras):
        raise ValueError("the study reads other cameras than the layers have")
    return refs, models


class LivePlan:
    """The cameras of a scene before what the study looks at; one job at a time may use it.

    Attributes
    ----------
    edition : Edition
        By which classes the shares are counted.
    """

    def __init__(
        self,
        score: PlanScore,
        refs: Sequence[ElementRef],
        edition: Edition,
        *,
        begun: PlanBegun,
        masks: tuple[Layer, ...] = (),
    ) -> None:
        self.score, self.edition, self._masks = score, edition, masks
        self._refs, self._models = list(refs), begun.models
        self._layers, self._begun = set(begun.layers), begun
        self._faults: dict[ElementRef, str] = {}
        self._places = {ref: camera.position for ref, camera in zip(refs, score.cameras, strict=True)}
        self._before: Score | None = None
        self._box_at_first = self._box()

    @classmethod
    def begin(cls, setup: PlanSetup, feedback: Feedback) -> LivePlan:
        """Everything the study does before it counts, in the same order."""
        from analysis.cctv.classes import editions
        from analysis.cctv.looked_at import looked_at
        from analysis.cctv.mask_tables import masks_of_cameras
        from analysis.cctv.scope import class_from, sight_box
        from analysis.cctv.seen import PlanScore
        from analysis.cctv.sight import sight_scene
        from analysis.studies import cctv_coverage as study

        inputs: Any = choose_inputs(setup.analysis, setup.layers, setup.frame, setup.chosen)[0]
        params: Any = check_params(setup.analysis, setup.params)
        issues: list[Issue] = []
        edition = editions()[params.edition]
        least = float(edition.limits[class_from(params, edition)])
        given, _names = study.cameras_in(inputs, issues)
        refs, models = _refs_of(inputs, given)
        at_first = {ref: camera.position for ref, camera in zip(refs, given, strict=True)}
        box = sight_box(given, params.around, least)
        feedback.step(0.02, "preparing the obstacles")
        scene = sight_scene(
            inputs.scene, season=params.season, pane=None if params.glass else 0.0, leaf_density=params.leaf_density,
            box=box, issues=issues, feedback=feedback.part(0.02, 0.3),
        )  # fmt: skip
        places = [str(number) for number in range(len(given))]
        kept, numbers, _left_out = study.standing(scene, given, places, issues)
        looked = looked_at(inputs, params, scene, kept, edition, issues, feedback.part(0.3, 0.6))
        score = PlanScore(
            scene, looked.targets, kept, least=least, reading=params.reading,
            masks=masks_of_cameras(inputs.masks, kept, issues), feedback=feedback.part(0.6, 1.0),
        )  # fmt: skip
        begun = PlanBegun(
            models, tuple(layer.id for layer in inputs.cameras), bool(inputs.areas), at_first,
            tuple(layer for layer in inputs.scene if layer.theme == "terrain"), params.around, box,
        )  # fmt: skip
        return cls(score, [refs[int(number)] for number in numbers], edition, begun=begun, masks=inputs.masks)

    @property
    def has_moved(self) -> bool:
        """Whether a full run would look at other ground, or over another part of the terrain."""
        from analysis.cctv.obstacles import same_terrain

        now = {ref: self._places[ref] for ref in self._refs}
        if not self._begun.named and now != self._begun.places:
            return True
        box = self._box()
        if box is None or box == self._box_at_first:
            return False
        return not same_terrain(self._begun.terrain, self._begun.box, box)

    def _box(self) -> Bounds | None:
        """Where the cameras and all they can reach lie now."""
        from analysis.cctv.scope import sight_box

        cameras = self.score.cameras
        return sight_box(cameras, self._begun.around, self.score.least) if cameras else None

    def move(self, layers: Sequence[Layer], ref: ElementRef | None, row: CameraRow | None, *, is_new: bool) -> Answer:
        """The plan as the layers have it, with the camera in hand as `row` says.

        is_new : bool
            From here on the difference is counted.
        """
        traced = self.score.traced
        self._follow(self._cameras(layers, ref, row))
        score = self.score.score()
        if is_new or self._before is None:
            self._before = score
        return self._answer(score, ref, self.score.traced - traced)

    def figures(self, layers: Sequence[Layer]) -> PlanFigures:
        """What the cameras of these layers cover, without any other."""
        self._follow(self._cameras(layers, None, None))
        score, targets = self.score.score(), self.score.targets
        active = [camera for camera in self.score.cameras if camera.state != "off"]
        single = score.only >= 0
        alone = np.bincount(score.only[single], targets.weight[single], max(len(self.score.cameras), 1))
        return PlanFigures(
            len(active),
            sum(camera.model.cost for camera in active),
            self.edition.names,
            score.coverage(targets, self.edition),
            _share(targets, score.views >= 2),
            float(alone.max()) / max(int(targets.weight.sum()), 1),
        )

    def _cameras(
        self, layers: Sequence[Layer], ref: ElementRef | None, row: CameraRow | None
    ) -> dict[ElementRef, Camera]:
        from analysis.cctv.cameras import cameras_of

        found: dict[ElementRef, Camera] = {}
        for layer in layers:
            if layer.id in self._layers:
                found.update({ElementRef(layer.id, one.id): one for one in cameras_of(layer, self._models)[0]})
        if ref in found and row is not None and ref is not None:
            moved, _ = cameras_of(layer_of([row], layer_id=ref.layer_id, name=""), self._models)
            found.update({ref: moved[0]} if moved else {})
        return found

    def _follow(self, wanted: Mapping[ElementRef, Camera]) -> None:
        """Bring the plan to what is wanted, touching only cameras that differ."""
        from analysis.cctv.mask_tables import masks_of_cameras

        for number in range(len(self._refs) - 1, -1, -1):
            if self._refs[number] not in wanted:
                self.score.remove(number)
                del self._refs[number]
        for ref, asked in wanted.items():
            camera = self._standing(ref, asked)
            if self._masks:  # the study hides the same of a camera however it is turned since
                self.score.masks.update(masks_of_cameras(self._masks, [camera], []))
            if ref not in self._refs:
                self.score.add(camera)
                self._refs.append(ref)
                continue
            number = self._refs.index(ref)
            if self.score.cameras[number] != camera:
                self.score.set_camera(number, camera)

    def _standing(self, ref: ElementRef, camera: Camera) -> Camera:
        """A camera that counts only where one can stand: in a wall it is as if it were off."""
        from analysis.cctv.sight import FAULTS, pole_faults

        if self._places.get(ref) != camera.position:
            self._places[ref] = camera.position
            self._faults[ref] = FAULTS[int(pole_faults(self.score.scene, [camera.position])[0])]
        return camera.with_(state="off") if self._faults.get(ref) else camera

    def _answer(self, score: Score, ref: ElementRef | None, traced: int) -> Answer:
        targets, edition = self.score.targets, self.edition
        before = self._before or score
        number = self._refs.index(ref) if ref in self._refs and ref is not None else -1
        return Answer(
            ref,
            edition.names,
            score.coverage(targets, edition),
            before.coverage(targets, edition),
            _share(targets, self._seen(number)),
            _share(targets, score.only == number) if number >= 0 else 0.0,
            _share(targets, score.views >= 2),
            traced,
            self._faults.get(ref, "") if ref is not None else "",
            sum(camera.state != "off" for camera in self.score.cameras),
        )

    def _seen(self, number: int) -> NDArray[np.bool_]:
        mask = np.zeros(len(self.score.targets), dtype=bool)
        if number >= 0 and self.score.cameras[number].state != "off":
            seen = self.score.seen(number)
            mask[seen.target[seen.density >= max(self.score.least, 1e-6)]] = True
        return mask


def compare_plans(plan: LivePlan, layers: Sequence[Layer], layer_ids: Sequence[str]) -> list[PlanFigures]:
    """Figures of each layer of cameras for itself, before the targets of all of them."""
    return [plan.figures([layer for layer in layers if layer.id == layer_id]) for layer_id in layer_ids]


def _share(targets: Targets, mask: NDArray[np.bool_]) -> float:
    total = int(targets.weight.sum())
    return float(targets.weight[mask].sum()) / total if total else 0.0
