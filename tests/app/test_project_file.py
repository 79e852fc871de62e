from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from app import project_file
from app.commands import AddLayers, SetStyle
from app.document import Document
from app.importer import import_files
from geo.model import Field, Grid, Layer, Source, Style, UserError
from geo.model.digest import layer_digest
from tests.tiny import write_city_json, write_terrain_tif


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "cache"))


def result_layer() -> Layer:
    grid = Grid(np.full((3, 3), 4.5), 0, 0, 1)
    field = Field("sun_hours", "h", "cell", grid.values)
    source = Source(part="ground", provenance={"run": "r1", "provenance": {"analysis": "sunlight.hours"}})
    return Layer(
        "r1-ground", "Ground", "result", grid, fields=(field,), style=Style(colour_by="sun_hours"), source=source
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "city"
    folder.mkdir()
    files = [write_terrain_tif(folder / "t.tif"), write_city_json(folder / "b.city.json")]
    imported = import_files(files, frame=None)
    document = Document()
    document.do(AddLayers(imported.layers, frame=imported.frame))
    document.do(AddLayers((result_layer(),)))
    building = next(layer for layer in document.scene if layer.theme == "building")
    document.do(SetStyle(building.id, dataclasses.replace(building.style, opacity=0.5, hidden=frozenset({"b1"}))))
    project_file.save(document, folder / "city.twin")
    assert not document.modified
    return folder / "city.twin"


def test_what_was_saved_comes_back(project: Path) -> None:
    document, loaded = project_file.open_document(project)
    assert not loaded.issues
    assert not document.modified
    building = next(layer for layer in document.scene if layer.theme == "building")
    assert building.style.opacity == 0.5
    assert building.style.hidden == {"b1"}
    assert layer_digest(document.scene["r1-ground"]) == layer_digest(result_layer())
    assert document.scene["r1-ground"].source.provenance["run"] == "r1"
    assert document.scene.frame is not None
    assert document.scene.frame.convergence_deg == pytest.approx(0.1927, abs=1e-3)


def test_a_project_folder_can_be_moved(project: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    shutil.move(project.parent, target)
    document, _ = project_file.open_document(target / "city.twin")
    assert len(document.scene) == 3


def test_links_are_relative_and_hashed(project: Path) -> None:
    manifest = json.loads(project.read_text())
    assert {source["path"] for source in manifest["sources"]} == {"t.tif", "b.city.json"}
    assert all(len(source["digest"]) == 32 for source in manifest["sources"])


def test_changed_source_is_shown_and_said(project: Path) -> None:
    city = project.parent / "b.city.json"
    city.write_text(city.read_text().replace('"storeys": 1', '"storeys": 9'))
    _, loaded = project_file.open_document(project)
    assert [issue.code for issue in loaded.issues] == ["project.source_changed"]


def test_moved_source_is_missing_then_relinked_and_never_lost(project: Path, tmp_path: Path) -> None:
    city = project.parent / "b.city.json"
    moved = tmp_path / "new place.city.json"
    shutil.move(city, moved)
    loaded = project_file.load(project)
    assert [item.path for item in loaded.missing] == ["b.city.json"]
    # Saving a project with a missing source keeps the link.
    document = Document()
    project_file.apply(document, loaded, project)
    project_file.save(document, project)
    assert len(project_file.load(project).missing) == 1
    found = project_file.load(project, relinked={"b.city.json": str(moved)})
    assert not found.missing
    assert {layer.theme for layer in found.layers} == {"terrain", "building", "result"}
    with pytest.raises(UserError) as caught:
        project_file.open_document(project)
    assert caught.value.code == "project.missing_sources"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "project.broken"),
        ("{", "project.broken"),
        ("[]", "project.broken"),
        ('{"format": "sejong-twin-project"}', "project.broken"),
        ('{"format": "sejong-twin-project", "version": 99}', "project.newer"),
        ('{"format": "sejong-twin-project", "version": 1, "frame": {"crs": 1}}', "project.broken"),
        ("[" * 100_000, "project.broken"),
    ],
)
def test_files_that_are_no_project(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "x.twin"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        project_file.load(path)
    assert caught.value.code == code
    assert path.read_text() == text


def test_results_outside_the_project_are_refused(project: Path) -> None:
    manifest = json.loads(project.read_text())
    manifest["results"][0]["file"] = "../../etc/passwd"
    project.write_text(json.dumps(manifest))
    with pytest.raises(UserError) as caught:
        project_file.load(project)
    assert caught.value.code == "project.broken"


def test_lost_result_leaves_the_rest(project: Path) -> None:
    for file in project_file.results_folder(project).iterdir():
        file.write_bytes(b"broken")
    document, loaded = project_file.open_document(project)
    assert [issue.code for issue in loaded.issues] == ["project.result_lost"]
    assert len(document.scene) == 2


def test_full_disk_keeps_the_old_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    before = project.read_bytes()
    document, _ = project_file.open_document(project)

    def no_room(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(UserError) as caught:
        project_file.save(document, project)
    assert caught.value.code == "file.not_written"
    assert project.read_bytes() == before


def test_removed_results_leave_the_folder_after_saving(project: Path) -> None:
    from app.commands import RemoveLayers

    document, _ = project_file.open_document(project)
    document.do(RemoveLayers(("r1-ground",)))
    project_file.save(document, project)
    assert not list(project_file.results_folder(project).glob("*.layers"))


def test_autosave_is_found_after_a_crash_only(project: Path) -> None:
    document, _ = project_file.open_document(project)
    assert project_file.autosave(document) is None
    layer = next(iter(document.scene))
    document.do(SetStyle(layer.id, dataclasses.replace(layer.style, visible=False)))
    kept = project_file.autosave(document)
    assert kept is not None
    assert project_file.recoverable() == []
    # A process number that cannot run any more stands for the crash.
    crashed = kept.with_name(kept.name.replace(f"-{__import__('os').getpid()}", "-4999999"))
    kept.rename(crashed)
    shutil.copytree(project_file.results_folder(kept), project_file.results_folder(crashed))
    assert project_file.recoverable() == [crashed]
    restored = project_file.load(crashed)
    assert len(restored.layers) == 3
    assert not next(iter(restored.layers)).style.visible


def test_two_layers_of_one_id_are_refused_before_the_scene_is_touched(project: Path) -> None:
    manifest = json.loads(project.read_text())
    manifest["results"].append(manifest["results"][0])
    project.write_text(json.dumps(manifest))
    with pytest.raises(UserError) as caught:
        project_file.load(project)
    assert caught.value.code == "project.broken"


def test_a_source_name_no_file_can_have_is_a_missing_file(project: Path) -> None:
    manifest = json.loads(project.read_text())
    manifest["sources"][0]["path"] = "x" * 5000
    manifest["sources"][1]["path"] = "a\0b"
    project.write_text(json.dumps(manifest))
    loaded = project_file.load(project)
    assert len(loaded.missing) == 2
    assert [layer.id for layer in loaded.layers] == ["r1-ground"]
