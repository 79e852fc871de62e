"""The runs of analyses whose results lie in the scene."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.charts import chart_from_dict
from analysis.contract import Chart
from app.alternatives import BASE, layers_of
from app.commands import AddLayers, SetStyle, Together
from app.document import Document
from geo.model import Issue, Layer, Scene

SCANS = "scans"  # the input of a study that measures surfaces by point clouds


@dataclass(frozen=True)
class Run:
    """A run whose result layers lie in the scene. `record` is what `analysis.run.record_of` made."""

    id: str
    record: Mapping[str, Any]
    layers: tuple[Layer, ...]

    @property
    def analysis_id(self) -> str:
        """Id of the analysis."""
        return str(self.record["provenance"]["analysis"])

    @property
    def alternative(self) -> str:
        """Id of the alternative it was run on; empty for the base."""
        return str(self.record["provenance"].get("alternative") or "")

    @property
    def alternative_name(self) -> str:
        """Name the alternative had then; empty for the base."""
        return str(self.record["provenance"].get("alternative_name") or "")

    @property
    def charts(self) -> list[Chart]:
        """Charts of the run."""
        return [chart_from_dict(item) for item in self.record.get("charts", ())]

    @property
    def issues(self) -> list[Issue]:
        """Doubts the run has left."""
        return [Issue.from_dict(item) for item in self.record.get("issues", ())]


def runs_of(layers: Sequence[Layer]) -> list[Run]:
    """The runs whose results are among the layers, the newest first."""
    found: dict[str, list[Layer]] = {}
    for layer in layers:
        run_id = layer.source.provenance.get("run")
        if run_id and "provenance" in layer.source.provenance:
            found.setdefault(str(run_id), []).append(layer)
    runs = [Run(run_id, group[0].source.provenance, tuple(group)) for run_id, group in found.items()]
    # Of runs within one second the one that came later into the scene is the newer.
    runs.reverse()
    return sorted(runs, key=lambda run: str(run.record["provenance"]["started"]), reverse=True)


def scenes_of_runs(document: Document, runs: Sequence[Run]) -> dict[str, tuple[Layer, ...]]:
    """What each alternative that was run has now, by its id; nothing for one that was removed."""
    known = {BASE, *(item.id for item in document.alternatives.items)}
    wanted = {run.alternative for run in runs}
    return {one: layers_of(document, one) if one in known else () for one in wanted}


def with_free_ids(scene: Scene, layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """A layer whose id the scene or an earlier one of them has already gets a new one."""
    out: list[Layer] = []
    for layer in layers:
        free, number = layer.id if layer.id not in scene else scene.free_id(layer.id), 2
        while any(free == other.id for other in out):
            free, number = scene.free_id(f"{layer.id}-{number}"), number + 1
        out.append(layer if free == layer.id else layer.with_(id=free))
    return tuple(out)


def show_result(scene: Scene, layers: Sequence[Layer]) -> Together:
    """The step that adds a result; results on the same surfaces are hidden, since two colourings cannot be read.

    So are the scans it was measured by: their points lie on the very surface that it colours.

    Window and command line both take it, so that a project looks the same whichever ran the analysis.
    """
    places = {(layer.kind, layer.stratum) for layer in layers if layer.geometry is not None}
    shown = [layer for layer in scene if layer.theme == "result" and layer.style.visible]
    aside = [layer for layer in shown if (layer.kind, layer.stratum) in places]
    # Arrows, lanes, marks and veils go with the map they lie on: over another map they would be read as its own.
    maps = {_run_of(layer) for layer in aside if layer.kind == "grid"} - {""}
    on_map = [layer for layer in shown if layer.kind in ("lines", "points") or layer.style.opacity < 1.0]
    aside += [layer for layer in on_map if layer not in aside and _run_of(layer) in maps]
    measured_by = _scans_of(layers)
    aside += [layer for layer in scene if layer.id in measured_by and layer.style.visible]
    hide = tuple(SetStyle(layer.id, dataclasses.replace(layer.style, visible=False)) for layer in aside)
    return Together((*hide, AddLayers(tuple(layers))), "add_result")


def _scans_of(layers: Sequence[Layer]) -> set[str]:
    """Ids of the point clouds that the runs of layers were given as scans."""
    records = [layer.source.provenance.get("provenance", {}) for layer in layers if layer.source.provenance]
    given = [item for one in records if isinstance(one, Mapping) for item in one.get("inputs", ())]
    return {str(item["layer"]) for item in given if item["input"] == SCANS}


def _run_of(layer: Layer) -> str:
    return str(layer.source.provenance.get("run", ""))
