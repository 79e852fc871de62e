"""Units of attributes that a file does not name: only those that the shapes themselves prove."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from geo import crs
from tests.geo.cityjson_files import E0, FRAME, N0, box_vertices, city, only, read, save, solid

COUNT = 20


def blocks(folder: Path, *, wrong: int = 0, raised: float = 0.0) -> dict[str, str]:
    """Units of the columns of a row of boxes; `wrong` of them have another height than they say."""
    random = np.random.default_rng(5)
    vertices: list[list[int]] = []
    objects = {}
    for number in range(COUNT):
        base, size = float(random.uniform(10, 30)), tuple(float(s) for s in random.uniform((8, 9, 5), (20, 30, 60)))
        objects[f"b{number}"] = {
            "type": "Building",
            "geometry": [solid(first=len(vertices))],
            "attributes": {
                "how high": round(size[2] + (9.0 if number < wrong else 0.0), 1),
                "base": round(base + raised, 2),
                "top": round(base + size[2] + raised, 2),
                "plan": round(size[0] * size[1], 1),
                "storeys": round(size[2] / 3.1),
                "in feet": size[2] / 0.3048,
                "flat": 12.0,
                "name": "block",
            },
        }
        vertices += box_vertices(40.0 * number, 0.0, base, size)  # type: ignore[arg-type]
    layer = only(folder, city(objects, vertices))
    return {name: column.unit for name, column in layer.table.columns.items()}


def test_numbers_that_the_shapes_confirm_have_their_unit(tmp_path: Path) -> None:
    units = blocks(tmp_path)
    assert {name for name, unit in units.items() if unit == "m"} == {"how high", "base", "top"}
    assert {name for name, unit in units.items() if unit == "m2"} == {"plan"}
    assert all(units[name] == "" for name in ("storeys", "in feet", "flat", "name"))


def test_numbers_that_the_shapes_deny_have_none(tmp_path: Path) -> None:
    assert blocks(tmp_path, wrong=2)["how high"] == "m"  # a chimney here and there
    assert blocks(tmp_path, wrong=5)["how high"] == ""
    assert {blocks(tmp_path, raised=3.0)[name] for name in ("base", "top")} == {""}  # of another datum


def test_where_all_stand_on_a_level_no_count_is_taken_for_its_height(tmp_path: Path) -> None:
    objects, vertices = {}, []
    for number in range(COUNT):
        attributes = {"cellars": int(number == 3), "base": 0.0}
        objects[f"b{number}"] = {"type": "Building", "geometry": [solid(len(vertices))], "attributes": attributes}
        vertices += box_vertices(40.0 * number, 0.0, 0.0, (10.0, 10.0, 5.0 + number))
    layer = only(tmp_path, city(objects, vertices))
    assert {layer.table.columns[name].unit for name in ("cellars", "base")} == {""}


def test_heights_of_real_files(shared_data: Path) -> None:
    folder = shared_data / "city"
    if not folder.is_dir():
        pytest.skip("the real city models are not here")
    frame = crs.make_frame("EPSG:28992", 85_000.0, 446_000.0)
    (delft, *_) = (one for one in read(folder / "delft_3dfier.city.json", frame) if one.theme == "building")
    assert delft.table.columns["measuredHeight"].unit == "m"
    (hague, *_) = (one for one in read(folder / "DenHaag_01.city.json", frame) if one.theme == "building")
    assert {hague.table.columns[name].unit for name in ("RelativeRidgeHeight", "AbsoluteRidgeHeight")} == {"m"}
    assert hague.table.columns["RelativeEavesHeight"].unit == ""  # the shape does not say where its eaves are


def test_the_frame_may_begin_above_the_datum(tmp_path: Path) -> None:
    frame = dataclasses.replace(FRAME, origin=(E0, N0, 25.0))
    objects, vertices = {}, []
    for number, base in enumerate((31.0, 33.5, 36.0, 40.0)):
        objects[f"b{number}"] = {"type": "Building", "geometry": [solid(len(vertices))], "attributes": {"base": base}}
        vertices += box_vertices(40.0 * number, 0.0, base, (10.0, 10.0, 10.0))
    (layer,) = read(save(tmp_path, city(objects, vertices)), frame)
    assert layer.table.columns["base"].unit == "m"
