"""Headless. The demo: sample district, sunlight on the winter solstice, exports, pictures and a report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from app.commands import AddLayers
from app.document import Document
from app.importer import ImportOptions, import_files
from app.pictures import save_picture
from app.project_file import save
from app.report import write_report
from app.runs import run_on_project
from geo.model import Feedback, Layer

ANALYSIS = "sunlight.hours"
PROJECT = "hapgang.twin"
DATA = "hapgang-data"
WINTER_DAY = "2026-12-22"


# Names of the sample's layers by file; every one says that the data are made up.
NAMES = {
    "terrain": "Terrain (synthetic)",
    "orthophoto": "Orthophoto (synthetic)",
    "buildings": "Buildings (synthetic)",
    "roads/centrelines": "Roads (synthetic)",
    "roads/paths": "Paths (synthetic)",
    "parcels": "Parcels and zoning (synthetic)",
    "water": "Water (synthetic)",
    "trees": "Trees (synthetic)",
    "house": "Community centre (synthetic)",
    "house/spaces": "Rooms of the community centre (synthetic)",
    "house/mep": "Services of the community centre (synthetic)",
    "house/mep_lines": "Pipes of the community centre (synthetic)",
    "house/mep_nodes": "Fittings of the community centre (synthetic)",
    "house/network_nodes": "Places of the ways in the community centre (synthetic)",
    "house/network_edges": "Ways in the community centre (synthetic)",
    "mixed_use": "Mixed-use building (synthetic)",
    "schedule_mixed_use": "Schedule of the mixed-use building (synthetic)",
    "mixed_use/spaces": "Rooms of the mixed-use building (synthetic)",
    "mixed_use/mep": "Services of the mixed-use building (synthetic)",
    "mixed_use/mep_lines": "Pipes of the mixed-use building (synthetic)",
    "mixed_use/mep_nodes": "Fittings of the mixed-use building (synthetic)",
    "mixed_use/network_nodes": "Places of the ways in the mixed-use building (synthetic)",
    "mixed_use/network_edges": "Ways in the mixed-use building (synthetic)",
    "apartments": "Apartment slabs (synthetic)",
    "apartments/spaces": "Rooms of the apartments (synthetic)",
    "apartments/mep": "Services of the apartments (synthetic)",
    "apartments/mep_lines": "Pipes of the apartments (synthetic)",
    "apartments/mep_nodes": "Fittings of the apartments (synthetic)",
    "apartments/network_nodes": "Places of the ways in the apartments (synthetic)",
    "apartments/network_edges": "Ways in the apartments (synthetic)",
    "WTL_PIPE_LM": "Water mains (synthetic)",
    "SWL_PIPE_LM": "Sewers (synthetic)",
    "UFL_GPIP_LM": "Gas pipes (synthetic)",
    "UFL_BPIP_LM": "Power cables (synthetic)",
    "UFL_KPIP_LM": "Telecom ducts (synthetic)",
    "UFL_HPIP_LM": "District heating (synthetic)",
    "waste_pipes": "Waste conveying (synthetic)",
    "utility_tunnel": "Utility tunnel (synthetic)",
    "utility_nodes/WTL_VALV_PS": "Valves and hydrants (synthetic)",
    "utility_nodes/SWL_MANH_PS": "Manholes (synthetic)",
    "utility_nodes/UFL_GVAL_PS": "Gas valves (synthetic)",
    "utility_nodes/UFL_BMAN_PS": "Power manholes (synthetic)",
    "utility_nodes/UFL_KMAN_PS": "Telecom handholes (synthetic)",
    "utility_nodes/UFL_HVAL_PS": "Heating valves (synthetic)",
    "dust_sources/construction_sites": "Construction site (synthetic)",
    "dust_sources/stacks": "Stack (synthetic)",
    "people": "People at schools, parks, work and stops (synthetic)",
    "cctv": "Cameras (synthetic)",
    "air_stations": "Air quality stations (synthetic)",
    "purifiers": "Purifiers (synthetic)",
    "weather_2025": "Hourly weather (synthetic)",
}


@dataclass(frozen=True)
class Demo:
    """What the demo left."""

    project: Path
    written: tuple[Path, ...]


def make_demo(out: Path, feedback: Feedback | None = None) -> Demo:
    """Make everything from nothing; raises when any part could not be produced."""
    from app.project_file import open_document

    feedback = feedback or Feedback()
    project = sample_project(out, feedback.part(0.0, 0.4))
    done = run_on_project(
        ANALYSIS, project, params={"day": WINTER_DAY}, out=out / "sunlight", feedback=feedback.part(0.4, 0.8)
    )
    trouble = [issue for issue in done.issues if issue.code == "run.no_picture"]
    document, _ = open_document(project, feedback.part(0.8, 0.85))
    layers = tuple(document.scene)
    plain = [layer for layer in layers if layer.theme != "result"]
    pictures = (
        save_picture(out / "district.png", plain, document.scene.frame, view="iso"),
        save_picture(out / "sun-hours.png", layers, document.scene.frame, view="iso"),
        save_picture(out / "sun-hours-top.png", layers, document.scene.frame, view="top"),
    )
    report = write_report(document, out / "report.html", feedback=feedback.part(0.9, 1.0))
    if trouble:
        raise RuntimeError(trouble[0].message)
    return Demo(project, (project, *done.outputs, *pictures, report))


def sample_project(out: Path, feedback: Feedback) -> Path:
    """The sample district imported into a project of its own, its files in a folder beside the project."""
    from app.sample import copy_sample

    sample = copy_sample(out / DATA, feedback=feedback.part(0.0, 0.5))
    imported = import_files(list(sample.paths), frame=None, feedback=feedback.part(0.5, 0.9))
    document = Document()
    found = [*imported.layers]
    for path, register in sample.utilities:
        options = ImportOptions(own={"join": register} if register else {})
        found += import_files([path], frame=imported.frame, layers=found, options=options).layers
    layers = tuple(_making_room(_named(layer), sample.replaced) for layer in found)
    document.do(AddLayers(layers, frame=imported.frame))
    project = out / PROJECT
    save(document, project)
    return project


def _named(layer: Layer) -> Layer:
    stem = Path(layer.source.path).name.split(".")[0]
    name = NAMES.get(f"{stem}/{layer.source.part}") or NAMES.get(stem)
    return layer.with_(name=name) if name else layer


def _making_room(layer: Layer, replaced: tuple[str, ...]) -> Layer:
    """The city's blocks without those that stand in the same place as a building model."""
    if layer.theme != "building":
        return layer
    return layer.with_(style=replace(layer.style, hidden=layer.style.hidden | frozenset(replaced)))
