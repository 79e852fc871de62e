"""Studies that start at what lies under the pointer: trace from here, way to here, isolate this pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from analysis.contract import Analysis, ParamInfo, describe_inputs, describe_params
from analysis.registry import analyses, find_analysis
from app.language import tr
from app.place_texts import places_text
from app.utility_kinds import is_network
from app.widgets.place_edit import PlaceEdit
from geo.model import ElementRef, Layer

if TYPE_CHECKING:
    from app.main_window import MainWindow


EXCAVATION = "utility.excavation"
DUG_THEMES = frozenset({"excavation", "bim", "building", "tree"})  # what takes room in the ground
DIRECTION = "direction"  # the parameter that has an entry of its own for each of its choices


def place_params(analysis: Analysis) -> list[ParamInfo]:
    """The parameters of an analysis that want a place."""
    return [info for info in describe_params(analysis.params) if info.sort == "place"]


def studies_at(layer: Layer) -> list[Analysis]:
    """Studies with a place parameter that could work on a layer; on a pipe those of pipes first."""
    found = [
        analysis
        for analysis in analyses().values()
        if place_params(analysis) and any(spec.accepts(layer) for spec in describe_inputs(analysis.inputs))
    ]
    return sorted(found, key=lambda analysis: not analysis.id.startswith("utility.")) if is_network(layer) else found


def add_studies(window: MainWindow, menu: QMenu, ref: ElementRef | None) -> None:
    """A submenu of the studies that can start at an element."""
    layer = window.document.scene.get(ref.layer_id) if ref is not None else None
    if ref is None or layer is None or not ref.element_id:
        return
    if dug_by(window, layer):
        hits = menu.addAction(tr("study_here.hits"))
        hits.triggered.connect(lambda _checked=False: start_hits(window, layer))
    found = studies_at(layer)
    if not found:
        return
    child = QMenu(tr("menu.study_here"), menu)
    for analysis in found:
        title = tr(f"{analysis.id}.title", analysis.title)
        for option, name in directions(analysis) or (("", ""),):
            action = child.addAction(f"{title}: {name}" if name else title)
            action.triggered.connect(lambda _checked=False, a=analysis, o=option: start_study(window, a, ref, o))
    menu.addSeparator()
    menu.addMenu(child)


def dug_by(window: MainWindow, layer: Layer) -> dict[str, list[str]]:
    """The inputs of the excavation check that a layer, and the others of its model, would be; empty without pipes."""
    declared = find_analysis(EXCAVATION)
    scene = list(window.document.scene)
    if declared is None or layer.theme not in DUG_THEMES or not any(is_network(other) for other in scene):
        return {}
    same = [o for o in scene if o is layer or (layer.theme == "bim" and o.source.path and is_of(o, layer))]
    if layer.theme == "bim":  # its walls and slabs, of which its pipes and spaces are inside
        same = sorted(same, key=lambda o: len(getattr(o.geometry, "faces", ())))[-1:]
    specs = [spec for spec in describe_inputs(declared.inputs) if spec.optional and spec.name != "terrain"]
    return {spec.name: [o.id for o in same if spec.accepts(o)] for spec in specs if spec.accepts(layer)}


def is_of(other: Layer, layer: Layer) -> bool:
    """Whether two layers are of one model."""
    return other.theme == layer.theme and other.source.path == layer.source.path


def start_hits(window: MainWindow, layer: Layer) -> None:
    """Check what a layer alone would hit in the ground, if it is dug, planted or built there."""
    wanted = dug_by(window, layer)
    window.show_analysis(EXCAVATION)
    for choice in window.analyses.inputs:
        if choice.spec.optional and choice.spec.name != "terrain":
            choice.choose(wanted.get(choice.spec.name, ()))
    if window.analyses.form is not None:
        window.analyses.form.set_values({"outline": ""})
    window.analyses.run()


def directions(analysis: Analysis) -> list[tuple[str, str]]:
    """The directions that a study can go in, each with its name; empty for studies that have none."""
    info = next((info for info in describe_params(analysis.params) if info.name == DIRECTION), None)
    options = info.options if info is not None else ()
    return [(str(o), tr(f"{analysis.id}.{DIRECTION}.{o}", str(o).replace("_", " "))) for o in options]


def start_study(window: MainWindow, analysis: Analysis, ref: ElementRef, direction: str = "") -> None:
    """Fill the element into the next free place of the form; run at once when the study wants no other place."""
    window.show_analysis(analysis.id)
    form = window.analyses.form
    if form is None:
        return
    names = [info.name for info in place_params(analysis)]
    free = [name for name in names if isinstance(e := form.editors[name], PlaceEdit) and not e.text.strip()]
    form.set_values({(free or names[-1:])[0]: places_text([ref], tuple(window.document.scene))})
    if direction:
        form.set_values({DIRECTION: direction})
    if len(names) == 1:
        window.analyses.run()
