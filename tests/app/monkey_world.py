"""What a user of everything meets: a small city with something of every theme, and files good and bad."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np

from app.commands import AddLayers
from app.document import Document
from app.dust import edit as purifiers
from geo.model import Field, Layer, Source, Style, Volume
from tests import tiny, tiny_cameras, tiny_parcels, tiny_pipes, tiny_sensors, tiny_wind
from tests.app import house, tiny_city, view_scene
from tests.conftest import DATA

PURIFIERS = (
    purifiers.PurifierRow("u1", "Square", "tower-30000", (1.0, 2.0, 20.0), towards=90.0),
    purifiers.PurifierRow("u2", "Street", "tower-30000", (-20.0, -20.0, 20.0), state="existing", since="2024-01-01"),
)
# Small real files beside the project; where they are absent there are fewer.
REAL = (
    "ifc/AC20-FZK-Haus.ifc",
    "ifc/geolocation-mapconversion.ifc",
    "ifc/PCERT_Infra-Plumbing.ifcx",
    "bcf/v2.0_MultipleTopics.bcfzip",
    "bcf/v3.0_Labels.bcf",
    "city/kr_footprint-with-height.geojson",
    "schedule/primavera_percent-complete.xer",
    "utilities/ky10.inp",
    "weather/KOR_TJ_Daejeon.WS.471330_TMYx.2009-2023.epw",
)
RULES = """<?xml version="1.0" encoding="UTF-8"?>
<ids xmlns="http://standards.buildingsmart.org/IDS"><info><title>Tiny</title></info><specifications>
<specification name="walls" ifcVersion="IFC4 IFC2X3"><applicability minOccurs="0"><entity><name>
<simpleValue>IFCWALL</simpleValue></name></entity></applicability><requirements><attribute><name>
<simpleValue>Name</simpleValue></name></attribute></requirements></specification></specifications></ids>
"""
BAD = {
    "bad.ifc": b"ISO-10303-21;\nnothing",
    "bad.geojson": b"{",
    "bad.csv": b"\xff\xfe\0a;b",
    "bad.twin": b'{"format": "sejong-twin-project", "version": 1, "layers": 7}',
    "cut.twin": b'{"format": "sejong-twin-pro',
    "list.twin": b"[1, 2, 3]",
    "newer.twin": b'{"format": "sejong-twin-project", "version": 99}',
    "bad.ids": b"<ids>\n<info>\n</ids>",
    "bad.bcf": b"PK\x03\x04",
    "bad.tif": b"this is text\n" * 100,
    "bad.gpkg": b"SQLite format 3\0" + b"\0" * 200,
    "bad.las": b"LASF" + b"\0" * 400,
    "empty.geojson": b"",
    "nothing.geojson": b'{"type": "FeatureCollection", "features": []}',
    "bad.city.json": b'{"type": "CityJSON", "version": "2.0", "CityObjects": {"a": 1}, "vertices": []}',
    "unknown.xyz123": b"what is this?",
    "이름 없는 파일.csv": "이름,값\n가,1\n".encode("cp949"),
}


def small_city() -> tuple[Layer, ...]:
    """Something of every theme, drawn within a blink by software."""
    return (
        tiny_city.terrain(),
        tiny_city.buildings(),
        *_house(),
        *tiny_pipes.pipe_layers(),
        *tiny_cameras.camera_layers(),
        *tiny_sensors.three_days(),
        tiny_parcels.parcels(),
        purifiers.layer_of(PURIFIERS, layer_id="purifiers", name="Purifiers"),
        view_scene.trees(6),
        tiny_wind.steady_winds((0.0, 90.0, 270.0), count=240),
        _air(),
        *_proposals(),
    )


def _house() -> list[Layer]:
    from dataclasses import replace

    made = []
    for layer, layer_id in ((house.house(path="", stairs=True), "model"), (house.rooms(path=""), "rooms")):
        geometry = layer.geometry
        standing = replace(geometry, vertices=geometry.vertices + (0.0, 0.0, 20.0))  # type: ignore[union-attr,type-var]
        made.append(layer.with_(id=layer_id, geometry=standing))
    return made


def _air() -> Layer:
    values = np.full((4, 8, 8), 3.0)
    fields = tuple(Field(name, "m/s", "cell", values) for name in ("speed", "east", "north", "up"))
    style = Style(visible=False, colour_by="speed")
    return Layer("air", "Air", "result", Volume(values, -35.0, -35.0, 22.0, 10.0, 10.0), fields=fields, style=style)


def _proposals() -> list[Layer]:
    """Cameras and purifiers as studies propose them."""
    cameras = tiny_cameras.camera_layers()[0].with_(id="proposed-cameras", name="Proposed cameras")
    units = purifiers.layer_of(PURIFIERS[:1], layer_id="proposed-purifiers", name="Proposed purifiers")
    return [_of_study(cameras, "cctv.siting"), _of_study(units, "dust.siting")]


def _of_study(layer: Layer, analysis: str) -> Layer:
    stamp = {
        "analysis": analysis, "version": 1, "params": {}, "inputs": [], "libraries": {}, "program": "test",
        "started": "2026-03-01T10:00:00+09:00", "duration_s": 1.0, "frame": {},
    }  # fmt: skip
    record = {"run": f"run of {analysis}", "provenance": stamp, "summary": {}, "assumptions": [], "issues": []}
    return layer.with_(source=Source(provenance=record))


def fill(document: Document) -> None:
    """Put the small city into a document, as an import does."""
    document.do(AddLayers(small_city(), frame=tiny_city.frame()))


def other_city() -> Document:
    """A project whose layers have the names of the small city's, and other elements."""
    document = Document(tiny_city.frame())
    document.scene.add(tiny.terrain().with_(id="ground"))
    document.scene.add(tiny.buildings().with_(id="houses"))
    document.scene.add(purifiers.layer_of(PURIFIERS[1:], layer_id="purifiers", name="Purifiers"))
    document.scene.add(tiny_parcels.parcels(tiny_parcels.TINY[:1]))
    document.scene.add(tiny_pipes.nodes().with_(id="stations", theme="sensor"))
    return document


def write_files(folder: Path) -> list[Path]:
    """Files to open, to drop and to choose: good, bad, empty, absent, and a folder."""
    made = [*tiny_city.write_files(folder), folder / "absent.geojson", folder / "absent.twin"]
    for name, content in BAD.items():
        (folder / name).write_bytes(content)
        made.append(folder / name)
    (folder / "rules.ids").write_text(RULES, encoding="utf-8")
    some_folder = folder / "a folder.csv"
    some_folder.mkdir(exist_ok=True)
    made += [folder / "rules.ids", some_folder, *_real_files(folder)]
    return made


def _real_files(folder: Path) -> list[Path]:
    made = []
    for name in REAL:
        source = DATA / name
        if source.is_file() and os.access(source, os.R_OK):
            target = folder / source.name
            shutil.copyfile(source, target)
            made.append(target)
    return made
