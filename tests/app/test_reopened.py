"""A project with everything the indoors and the underground bring is the same after it was saved and opened."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from app import project_file
from app.commands import AddLayers, SetStyle
from app.devices import add_device
from app.document import Document
from app.importer import ImportOptions, import_files
from app.isolation import close_idle
from geo.excavation import excavation_layer
from geo.model import Field, Grid, Layer, Lines, Source, Style
from geo.model.digest import layer_digest
from tests.tiny import write_city_json, write_terrain_tif

BY_HAND = {"at_east": 229_050.0, "at_north": 435_480.0, "at_height": 20.0, "rotation_deg": 33.3}
CHART = {"title": "t", "x": "x", "y": "y", "series": []}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "cache"))


def linked() -> Layer:
    shape = Lines(np.array([[0.0, 0, 20], [5, 5, 18]]), [0, 2], [0])
    source = Source(part="links", provenance={"run": "links-1", "provenance": {"a": 1}, "charts": [CHART]})
    grid = Grid(np.full((2, 2), 1.0), 0, 0, 1)
    return Layer("links-1-links", "Links", "link", shape, fields=(Field("d", "m", "element", grid.values[0, :1]),),
                 style=Style(visible=False), stratum="underground", source=source)  # fmt: skip


def everything(folder: Path, data: Path) -> Document:
    document = Document()
    base = import_files([write_terrain_tif(folder / "t.tif"), write_city_json(folder / "b.city.json")], frame=None)
    document.do(AddLayers(base.layers, frame=base.frame))
    for name in ("ifc/BIMWhale_TallBuilding.ifc", "indoor/val3dity/igml_v1.gml"):
        file = folder / f"모형 {Path(name).name}"
        file.write_bytes((data / name).read_bytes())
        read = import_files(
            [file], frame=base.frame, layers=tuple(document.scene), options=ImportOptions(own=dict(BY_HAND))
        )
        document.do(AddLayers(read.layers))
    close_idle()
    model = next(layer for layer in document.scene if layer.theme == "bim")
    hidden = frozenset(str(i) for i in model.table.ids[:3])
    style = dataclasses.replace(model.style, hidden=hidden, colour_by="class", method="unique", opacity=0.7)
    document.do(SetStyle(model.id, style))
    ring = np.array([[0.0, 0, 20], [8, 0, 20.5], [8, 6, 20], [0, 6, 19.5]])
    document.do(AddLayers((excavation_layer(ring, 3.0, name="굴착", layer_id="excavation"),)))
    for kind in ("camera", "sensor"):
        document.do(add_device(document.scene, np.array([50.0, -20.0, 20.0]), kind=kind, name=f"{kind} 1", height=2.0))
    document.do(AddLayers((linked(),)))
    return document


def told(layer: Layer) -> tuple[object, ...]:
    """Everything of a layer but where its file lies."""
    source = layer.source
    return (
        layer.id, layer.name, layer.theme, layer.stratum, layer_digest(layer), layer.style,
        source.part, source.reader, source.digest, source.provenance,
        [issue.as_dict() for issue in layer.issues],
    )  # fmt: skip


def test_all_of_it_comes_back(tmp_path: Path, shared_data: Path) -> None:
    before = everything(tmp_path, shared_data)
    path = tmp_path / "도시.twin"
    project_file.save(before, path)
    for _ in range(2):  # the second time from what the first had saved
        after, loaded = project_file.open_document(path)
        assert loaded.issues == ()
        assert [layer.id for layer in after.scene] == [layer.id for layer in before.scene]
        for layer in before.scene:
            assert told(after.scene[layer.id]) == told(layer), layer.id
        project_file.save(after, path)


def test_one_damaged_file_leaves_the_rest_and_is_kept(tmp_path: Path, shared_data: Path) -> None:
    before = everything(tmp_path, shared_data)
    path = tmp_path / "city.twin"
    project_file.save(before, path)
    broken = next(tmp_path.glob("*igml*"))
    whole = broken.read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    loaded = project_file.load(path)
    assert [issue.code for issue in loaded.issues] == ["project.source_unreadable"]
    assert len(loaded.layers) == len(before.scene) - sum("igml" in layer.source.path for layer in before.scene)
    after = Document()
    project_file.apply(after, loaded, path)
    project_file.save(after, path)
    broken.write_bytes(whole)
    again, _ = project_file.open_document(path)
    assert {layer.id for layer in again.scene} == {layer.id for layer in before.scene}
