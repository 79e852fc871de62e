"""What is shown, into files that other programs open: by menu, by command line, and what a format cannot hold."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QFileDialog

from app.commands import SetStyle
from app.importer import ImportOptions, import_files
from app.scene_export import export_kinds, export_layers, writers
from geo.model import ElementRef, Feedback, UserError
from tests.app import tiny_city
from tests.app.window_hands import settle


def layers() -> list[Any]:
    return [tiny_city.terrain(), tiny_city.buildings()]


@pytest.mark.parametrize("name", ["city.glb", "city.city.json", "city.gpkg", "tiles/tileset.json"])
def test_buildings_come_back_from_every_format(tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    target.parent.mkdir(exist_ok=True)
    written, left = export_layers(target, layers(), tiny_city.frame(), Feedback())
    assert written.stat().st_size > 100
    assert left == (1 if name.endswith((".city.json", ".gpkg")) else 0)  # these hold no terrain
    back = import_files([written], frame=tiny_city.frame(), options=ImportOptions(), feedback=Feedback()).layers
    top = max(float(one.geometry.bounds.high[2]) for one in back if one.kind == "mesh")
    if not name.endswith(".gpkg"):  # footprints only
        assert top == pytest.approx(68.0, abs=0.05)


def test_a_table_alone(tmp_path: Path) -> None:
    written, _ = export_layers(tmp_path / "houses.csv", [tiny_city.buildings()], tiny_city.frame(), Feedback())
    lines = written.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "id,name,height [m]"
    assert len(lines) == 5
    with pytest.raises(UserError) as refused:
        export_layers(tmp_path / "two.csv", layers(), tiny_city.frame(), Feedback())
    assert refused.value.code == "export.one_table"


def test_what_fits_nothing_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        export_layers(tmp_path / "a.city.json", [tiny_city.terrain()], tiny_city.frame(), Feedback())
    assert refused.value.code == "convert.nothing"
    with pytest.raises(UserError) as unknown:
        export_layers(tmp_path / "a.dwg", layers(), tiny_city.frame(), Feedback())
    assert unknown.value.code == "file.cannot_write"
    assert list(tmp_path.iterdir()) == []


def test_the_dialog_lists_every_writer() -> None:
    assert export_kinds().count(";;") == len(writers())


def test_a_person_exports_the_selected_layer(city: Any, qtbot: Any, tmp_path: Path, monkeypatch: Any) -> None:
    target = tmp_path / "out.city.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args, **_more: (str(target), ""))
    assert not city.actions_["export_layers"].isEnabled()
    city.document.selection.set([ElementRef("houses", "B1")])
    assert city.actions_["export_layers"].isEnabled()
    city.actions_["export_layers"].trigger()
    qtbot.waitUntil(target.exists, timeout=20_000)
    settle(city, qtbot)
    said = json.loads(target.read_text(encoding="utf-8"))
    assert len(said["CityObjects"]) == 4


def test_what_is_hidden_is_not_exported(city: Any, qtbot: Any, tmp_path: Path, monkeypatch: Any) -> None:
    target = tmp_path / "shown.glb"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args, **_more: (str(target), ""))
    city.actions_["export_scene"].trigger()
    qtbot.waitUntil(target.exists, timeout=20_000)
    whole = target.stat().st_size
    style = city.document.scene["houses"].style
    city.bench.do(SetStyle("houses", dataclasses.replace(style, visible=False)))
    target.unlink()
    city.actions_["export_scene"].trigger()
    qtbot.waitUntil(target.exists, timeout=20_000)
    assert target.stat().st_size < whole
