"""Registers find their maps by the ids that both have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geo.formats.register_pairs import pairs_of, register_ids

pyogrio = pytest.importorskip("pyogrio")
shapely = pytest.importorskip("shapely")


def write_map(path: Path, ids: list[str]) -> Path:
    lines = np.array(
        [shapely.LineString([(229000, 435500 + 5 * k), (229050, 435500 + 5 * k)]) for k in range(len(ids))]
    )
    pyogrio.raw.write(
        str(path), shapely.to_wkb(lines), [np.array(ids, dtype=object)], ["관리번호"], driver="ESRI Shapefile",
        crs="EPSG:5186", geometry_type="LineString", encoding="CP949",
    )  # fmt: skip
    return path


def write_book(path: Path, ids: list[str]) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["관리번호", "심도"])
    for element in ids:
        book.active.append([element, 1.2])
    book.save(path)
    return path


def test_each_map_takes_the_register_that_has_its_ids(tmp_path: Path) -> None:
    water = write_map(tmp_path / "WTL_PIPE_LM.shp", ["W1", "W2", "W3"])
    gas = write_map(tmp_path / "UFL_GPIP_LM.shp", ["G1", "G2"])
    other = write_map(tmp_path / "SWL_PIPE_LM.shp", ["S1", "S2"])
    water_book = write_book(tmp_path / "상수.xlsx", ["W1", "W3", "W9"])
    gas_table = tmp_path / "가스.csv"
    gas_table.write_bytes("관리번호,심도\nG2,1.1\nG1,1.0\n".encode("cp949"))
    found = pairs_of([water, gas, other], [gas_table, water_book])
    assert [(p.map, p.register, p.matched, p.features) for p in found] == [
        (water, water_book, 2, 3),
        (gas, gas_table, 2, 2),
    ]


def test_a_table_without_ids_and_a_damaged_book_belong_to_nobody(tmp_path: Path) -> None:
    water = write_map(tmp_path / "WTL_PIPE_LM.shp", ["W1"])
    plain, broken = tmp_path / "a.csv", tmp_path / "b.xlsx"
    plain.write_text("x,y\n1,2\n")
    broken.write_bytes(b"PK\x03\x04nonsense")
    assert len(register_ids(plain)) == len(register_ids(broken)) == 0
    assert pairs_of([water], [plain, broken]) == []
