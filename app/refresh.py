"""Headless. Results that are out of date: in which order they are worked out anew, and what takes whose place.

A result is worked out with the parameters and the inputs of its run. What an alternative has put up since is given
besides; results that stand on other results (a calibration, a map of differences) come after these and take the new
ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.contract import Analysis, Result, Variant, describe_inputs, describe_params
from analysis.registry import find_analysis
from analysis.run import execute
from app.alternatives import BASE, layers_of, variant_of
from app.commands import AddLayers, Command, RemoveLayers, Together
from app.document import Document
from app.shown_runs import Run, runs_of, with_free_ids
from geo.alternatives import MADE
from geo.model import Feedback, Frame, Layer, Scene

# Winds before the dust they carry; studies of one row by how long they took.
FAMILIES = ("site", "sunlight", "cctv", "wind", "dust")
# What is made coarser for a first look, and how many times; studies that have none of these are quick.
COARSER = {"cell": 2.0, "ground_cell": 3.0, "facade_spacing": 3.0, "facade_cell": 3.0, "step": 3.0}
QUICKEST = {"thoroughness": "preview"}
COARSE_FROM = 4.0  # [s] that a run took: below, a first look would only cost time


@dataclass(frozen=True)
class Task:
    """A result to be worked out.

    Attributes
    ----------
    run : Run
        The one that is out of date, or whose settings and inputs are taken over.
    analysis : Analysis
    onto : str or None
        Another alternative to work it out on, beside the run; None to take its place.
    """

    run: Run
    analysis: Analysis
    onto: str | None = None

    @property
    def alternative(self) -> str:
        """Id of the alternative it is worked out on."""
        return self.run.alternative if self.onto is None else self.onto

    @property
    def seconds(self) -> float:
        """How long it took [s]."""
        return float(self.run.record["provenance"].get("duration_s") or 0.0)

    @property
    def params(self) -> dict[str, Any]:
        """As it was run."""
        return dict(self.run.record["provenance"]["params"])

    @property
    def coarse(self) -> dict[str, Any] | None:
        """Parameters of a first look; None where there is nothing to be gained."""
        return coarse_params(self.analysis, self.params) if self.seconds >= COARSE_FROM else None


def coarse_params(analysis: Analysis, params: Mapping[str, Any]) -> dict[str, Any] | None:
    """The parameters with coarser cells and steps, within what they may be; None where nothing becomes coarser."""
    out = dict(params)
    for info in describe_params(analysis.params):
        value = params.get(info.name)
        if info.name in QUICKEST and QUICKEST[info.name] in info.options and value is not None:
            out[info.name] = QUICKEST[info.name]
        if info.name not in COARSER or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        coarser = value * COARSER[info.name]
        out[info.name] = min(coarser, info.high) if info.high is not None else coarser
    return out if out != dict(params) else None


def tasks_of(document: Document, stale: Mapping[str, Any], *, only: Sequence[str] | None = None) -> list[Task]:
    """What is to be worked out, in order: of runs that are alike the newest, and what stands on what comes first.

    Parameters
    ----------
    stale : mapping
        Runs that are out of date, by id, with a true value.
    only : sequence of str
        Ids of analyses; all when None.
    """
    known = {BASE, *(item.id for item in document.alternatives.items)}
    found: dict[object, Task] = {}
    for run in runs_of(tuple(document.scene)):
        declared = find_analysis(run.analysis_id)
        if declared is None or run.alternative not in known or (only is not None and run.analysis_id not in only):
            continue
        if stale.get(run.id):
            key = (run.analysis_id, run.alternative, repr(sorted(run.record["provenance"]["params"].items())))
            found.setdefault(key, Task(run, declared))
    return _in_order(list(found.values()))


def missing_tasks(document: Document, studies: Sequence[str]) -> list[Task]:
    """What is not there yet of some studies: for the base and each alternative, with the settings of the newest run."""
    wanted = [BASE, *(item.id for item in document.alternatives.items)]
    runs = runs_of(tuple(document.scene))
    tasks = []
    for study in studies:
        newest = next((run for run in runs if run.analysis_id == study), None)
        declared = find_analysis(study)
        if newest is not None and declared is not None:
            there = {run.alternative for run in runs if run.analysis_id == study}
            tasks += [Task(newest, declared, one) for one in wanted if one not in there]
    return _in_order(tasks)


def _in_order(tasks: list[Task]) -> list[Task]:
    makers = {layer.id: task.run.id for task in tasks if task.onto is None for layer in task.run.layers}
    needs = {task.run.id: {makers[one] for one in _given(task.run) if one in makers} - {task.run.id} for task in tasks}
    left = sorted(tasks, key=lambda task: (_rank(task.analysis.id), task.seconds, task.run.id, task.alternative))
    done: set[str] = set()
    out: list[Task] = []
    while left:
        ready = next((task for task in left if needs[task.run.id] <= done), left[0])
        left.remove(ready)
        done.add(ready.run.id)
        out.append(ready)
    return out


def _rank(analysis_id: str) -> int:
    family = analysis_id.partition(".")[0]
    return FAMILIES.index(family) if family in FAMILIES else len(FAMILIES)


def _given(run: Run) -> list[str]:
    return [str(item["layer"]) for item in run.record["provenance"]["inputs"]]


@dataclass(frozen=True)
class Work:
    """A task with the scene it is worked out on, frozen: any thread may do it."""

    task: Task
    layers: tuple[Layer, ...]
    chosen: Mapping[str, Sequence[str]]
    frame: Frame
    variant: Variant

    def run(self, params: Mapping[str, Any], feedback: Feedback) -> Result:
        """Work it out."""
        return execute(
            self.task.analysis,
            layers=self.layers,
            frame=self.frame,
            params=params,
            chosen=self.chosen,
            feedback=feedback,
            variant=self.variant,
        )


def work_of(document: Document, task: Task, renamed: Mapping[str, str]) -> Work:
    """The scene of the alternative as it is now, and what the run is given of it.

    renamed : mapping
        Layers of results that were worked out anew, by the id they had.
    """
    frame = document.scene.frame
    if frame is None:
        raise ValueError("there is no scene")
    layers = layers_of(document, task.alternative)
    there = {layer.id: layer for layer in layers}
    record, specs = task.run.record, describe_inputs(task.analysis.inputs)
    chosen: dict[str, list[str]] = {spec.name: [] for spec in specs}
    for item in record["provenance"]["inputs"]:
        layer_id = renamed.get(item["layer"], item["layer"])
        if layer_id in there and item["input"] in chosen:
            chosen[item["input"]].append(layer_id)
    given = set(_given(task.run))
    for layer in layers:
        if layer.source.reader == MADE and layer.id not in given:
            for spec in specs:
                if spec.many and not spec.named and spec.accepts(layer):
                    chosen[spec.name].append(layer.id)
    return Work(task, layers, chosen, frame, variant_of(document, task.alternative))


@dataclass
class RefreshStep(Together):
    """Results put in the place of old ones; those of one refresh that follow each other are one step.

    Attributes
    ----------
    mark : str
        Of the refresh; steps without one stay apart.
    """

    mark: str = ""

    def merge(self, later: Command) -> Command | None:
        """One with the next of the same refresh."""
        if not isinstance(later, RefreshStep) or not self.mark or later.mark != self.mark:
            return None
        return RefreshStep((*self.commands, *later.commands), self.title, self.mark)


def replace_run(
    scene: Scene, run: Run, layers: Sequence[Layer], *, mark: str = ""
) -> tuple[RefreshStep, dict[str, str]]:
    """The step that puts a new result in the place of an old one, looking like it; and the new id of each old layer."""
    old = {layer.source.part: layer for layer in run.layers if layer.id in scene}
    new = []
    for layer in with_free_ids(scene, layers):
        before = old.get(layer.source.part)
        if before is not None:
            now = scene[before.id]
            layer = layer.with_(name=now.name, style=_looks(layer, now))
        elif old:
            visible = any(scene[one.id].style.visible for one in old.values())
            layer = layer.with_(style=dataclasses.replace(layer.style, visible=layer.style.visible and visible))
        new.append(layer)
    renamed = {before.id: layer.id for layer in new if (before := old.get(layer.source.part)) is not None}
    gone = tuple(layer.id for layer in run.layers if layer.id in scene)
    commands: tuple[Command, ...] = (RemoveLayers(gone), AddLayers(tuple(new)))
    return RefreshStep(commands, "refresh_result", mark), renamed


def add_beside(
    scene: Scene, run: Run, layers: Sequence[Layer], renamed: Mapping[str, str], *, mark: str = ""
) -> RefreshStep:
    """The step that puts the result of another alternative beside a run: hidden, to be looked at like it."""
    known = {layer.source.part: renamed.get(layer.id, layer.id) for layer in run.layers}
    old = {part: scene[layer_id] for part, layer_id in known.items() if layer_id in scene}
    new = []
    for layer in with_free_ids(scene, layers):
        before = old.get(layer.source.part)
        style = _looks(layer, before) if before is not None else layer.style
        new.append(layer.with_(style=dataclasses.replace(style, visible=False)))
    return RefreshStep((AddLayers(tuple(new)),), "refresh_result", mark)


def _looks(layer: Layer, before: Layer) -> Any:
    """The style of the layer before, as far as it fits: a field that is not there cannot colour."""
    fields = {field.name for field in layer.fields} | set(layer.table.columns)
    wanted = before.style
    if wanted.colour_by and wanted.colour_by not in fields:
        return dataclasses.replace(layer.style, visible=wanted.visible)
    return wanted
