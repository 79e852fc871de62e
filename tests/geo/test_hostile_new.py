"""Damaged and hostile maps of pipes, registers, hydraulic models and indoor plans: read, or refused with reasons."""

from __future__ import annotations

import json
import resource
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from app.catalog import formats
from app.importer import ImportOptions, import_files
from geo.crs import make_frame
from geo.formats.contract import Format, ReadOptions
from geo.formats.register import read_register
from geo.model import Feedback, Layer, Lines, Mesh, Points, UserError
from geo.reach import within_reach
from tests.geo.damage import survives, survives_damage
from tests.geo.utility_files import write_lines
from tests.hostile import harmed, harmed_archive, harmed_json

FRAME = make_frame("EPSG:5186", 229_000, 435_500)
SLOW = pytest.mark.slow
QUICK, LONG = 22, 330
SEEDS = [QUICK, pytest.param(LONG, marks=SLOW)]
LONGEST_S = 20.0
SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
CELL = '<c r="{0}" t="inlineStr"><is><t>{1}</t></is></c>'


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No copy of an earlier test is taken, and no test takes more than its share of time."""
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "cache"))
    start = time.monotonic()
    yield
    assert time.monotonic() - start < LONGEST_S * 20


def checked(candidate: Format, path: Path, make: Callable[[int], bytes], count: int, **options: str) -> None:
    found = survives_damage(candidate, path, make, FRAME, count=count, options=ReadOptions(**options))
    assert found["refused"] > 0
    assert found["read"] > 0


# --- kinds of harm by seed


@pytest.mark.parametrize("count", SEEDS)
def test_indoor_models(tmp_path: Path, shared_data: Path, count: int) -> None:
    data = (shared_data / "indoor" / "val3dity" / "igml_701.gml").read_bytes()
    checked(formats()["indoorgml"], tmp_path / "실내 모델.gml", lambda seed: harmed(data, seed), count)


@pytest.mark.parametrize("count", SEEDS)
def test_indoor_maps(tmp_path: Path, shared_data: Path, count: int) -> None:
    source = shared_data / "indoor" / "imdf_spbstu"
    for part in source.glob("*.geojson"):
        (tmp_path / part.name).write_bytes(part.read_bytes())
    data = (source / "unit.geojson").read_bytes()
    checked(formats()["imdf"], tmp_path / "unit.geojson", lambda seed: harmed_json(data, seed), min(count, 88))


@pytest.mark.parametrize("count", SEEDS)
def test_indoor_maps_in_archives(tmp_path: Path, shared_data: Path, count: int) -> None:
    path = tmp_path / "venue.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for part in (shared_data / "indoor" / "imdf_spbstu").glob("*.geojson"):
            target.write(part, part.name)
    data = path.read_bytes()
    checked(formats()["imdf"], path, lambda seed: harmed_archive(data, seed), min(count, 88))


@pytest.mark.parametrize("count", SEEDS)
def test_indoor_plans(tmp_path: Path, shared_data: Path, count: int) -> None:
    whole = json.loads((shared_data / "indoor" / "osm_gare-de-l-est.geojson").read_bytes())
    few = [f for f in whole["features"] if "indoor" in f["properties"]][:40]
    data = json.dumps({**whole, "features": few}).encode()
    checked(formats()["indoor_osm"], tmp_path / "plan.geojson", lambda seed: harmed_json(data, seed), count)


@pytest.mark.parametrize("count", SEEDS)
def test_sewer_models(tmp_path: Path, shared_data: Path, count: int) -> None:
    data = (shared_data / "utilities" / "bellinge_small.inp").read_bytes()
    checked(
        formats()["swmm"], tmp_path / "sewer.inp", lambda seed: harmed(data, seed), min(count, 110), crs="EPSG:32632"
    )


@pytest.mark.parametrize("count", [5, pytest.param(66, marks=SLOW)])
def test_water_models(tmp_path: Path, shared_data: Path, count: int) -> None:
    data = (shared_data / "utilities" / "L-TOWN.inp").read_bytes()
    checked(formats()["epanet"], tmp_path / "water.inp", lambda seed: harmed(data, seed), count, crs="EPSG:5186")


def pipes(path: Path, count: int = 12) -> Path:
    lines = [[[9.0 * k, 0.0], [9.0 * k + 8, 3.0], [9.0 * k + 8, 20.0]] for k in range(count)]
    ids: list[object] = [f"W{k}" for k in range(count)]
    return write_lines(path, lines, 관리번호=ids, 관경=[200.0] * count, 심도=[1.2] * count, 종류=["상수"] * count)


@pytest.mark.parametrize("count", SEEDS)
def test_maps_of_pipes(tmp_path: Path, count: int) -> None:
    path = pipes(tmp_path / "관로 지도.geojson")
    data = path.read_bytes()
    checked(formats()["vector"], path, lambda seed: harmed_json(data, seed), count, kind="utility")


@pytest.mark.parametrize("count", SEEDS)
@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_registers(tmp_path: Path, suffix: str, count: int) -> None:
    rows = [["관리번호", "관경", "평균심도", "설치일자"], *([f"W{k}", 200, 1.5, "2001-02-03"] for k in range(30))]
    path = tmp_path / f"대장{suffix}"
    if suffix == ".csv":
        path.write_text("\n".join(",".join(map(str, row)) for row in rows), encoding="utf-8")
    else:
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)  # type: ignore[union-attr]
        book.save(path)
    data = path.read_bytes()
    for seed in range(count):
        path.write_bytes((harmed if suffix == ".csv" else harmed_archive)(data, seed))
        try:
            table = read_register(path)
        except UserError as error:
            assert all((error.code, error.what, error.why, error.todo))
        else:
            assert all(len(column.values) == table.rows for column in table.columns.values())


# --- made to harm


def book_with(path: Path, sheet: str, *, more: dict[str, bytes] | None = None) -> Path:
    """A workbook whose only sheet is this text."""
    plain = path.with_name("plain.xlsx")
    book = openpyxl.Workbook()
    book.active.append(["id"])  # type: ignore[union-attr]
    book.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, sheet.encode() if name.endswith("sheet1.xml") else old.read(name))
        for name, content in (more or {}).items():
            new.writestr(name, content)
    return path


def test_a_sheet_that_lies_about_its_size_is_read_by_its_rows(tmp_path: Path) -> None:
    rows = "".join(f'<row r="{k}">{CELL.format(f"A{k}", text)}</row>' for k, text in ((1, "id"), (2, "x"), (9, "y")))
    sheet = f'{SHEET}<dimension ref="A1:XFD1048576"/><sheetData>{rows}</sheetData></worksheet>'
    table = read_register(book_with(tmp_path / "size.xlsx", sheet))
    assert table.rows == 2
    assert list(table.columns) == ["id"]


def laughing() -> str:
    entities = '<!ENTITY a "aaaaaaaaaaaaaaaaaaaaaaaa">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 12}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    rows = f'<row r="1">{CELL.format("A1", "id")}</row><row r="2">{CELL.format("A2", "&i;")}</row>'
    return f"<!DOCTYPE w [{entities}]>{SHEET}<sheetData>{rows}</sheetData></worksheet>"


def spying(secret: Path) -> str:
    rows = f'<row r="1">{CELL.format("A1", "id")}</row><row r="2">{CELL.format("A2", "&x;")}</row>'
    return f'<!DOCTYPE w [<!ENTITY x SYSTEM "{secret.as_uri()}">]>{SHEET}<sheetData>{rows}</sheetData></worksheet>'


def wide() -> str:
    rows = f'<row r="1">{CELL.format("A1", "id")}</row><row r="2">{CELL.format("XFD2", "x")}</row>'
    return f"{SHEET}<sheetData>{rows}</sheetData></worksheet>"


def test_books_made_to_harm_are_refused(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if sys.platform == "linux" else 0
    secret = tmp_path / "secret.txt"
    secret.write_text("hunter2")
    for name, sheet in {"laugh": laughing(), "spy": spying(secret), "wide": wide()}.items():
        with pytest.raises(UserError) as caught:
            read_register(book_with(tmp_path / f"{name}.xlsx", sheet))
        assert "hunter2" not in str(caught.value)
    bomb = book_with(tmp_path / "bomb.xlsx", wide(), more={"xl/sharedStrings.xml": bytes(80 << 20)})
    with pytest.raises(UserError, match="unpack to 80 MB"):
        read_register(bomb)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if sys.platform == "linux" else 0
    assert peak - before < 1 << 20  # kB


def test_archives_that_climb_or_lie(tmp_path: Path, shared_data: Path) -> None:
    """Entries named like places outside are read, never written; too many or too large ones are refused."""
    source = shared_data / "indoor" / "imdf_spbstu"
    imdf = formats()["imdf"]
    path = tmp_path / "inner" / "venue.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as target:
        for part in source.glob("*.geojson"):
            target.write(part, f"../../../{part.name}")
    assert imdf.sniff(path, path.read_bytes()[:4096])
    assert survives(imdf, path, FRAME) == "read"
    assert sorted(found.name for found in tmp_path.rglob("*") if found.is_file()) == ["venue.zip"]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        target.write(source / "level.geojson", "level.geojson")
        with target.open("unit.geojson", "w", force_zip64=True) as entry:
            for _ in range(520):
                entry.write(b" " * (1 << 20))
    assert survives(imdf, path, FRAME) == "refused"


def test_entities_in_indoor_models(tmp_path: Path, shared_data: Path) -> None:
    plain = (shared_data / "indoor" / "val3dity" / "igml_v1.gml").read_text()
    head, _, rest = plain.partition("?>")
    for encoding in ("utf-8", "utf-16"):
        text = f'{head.replace("UTF-8", encoding)}?><!DOCTYPE x [<!ENTITY a "{"a" * 99}">]>{rest}'
        path = tmp_path / f"{encoding}.gml"
        path.write_bytes(text.encode(encoding))
        with pytest.raises(UserError):
            formats()["indoorgml"].read(path, FRAME, ReadOptions(), Feedback())


def test_a_pipe_beyond_the_earth_leaves_the_rest_in_view(tmp_path: Path) -> None:
    path = pipes(tmp_path / "p.geojson")
    data = json.loads(path.read_bytes())
    data["features"][3]["geometry"]["coordinates"][1] = [1e300, 435_500.0]
    path.write_text(json.dumps(data))
    imported = import_files([path], frame=FRAME, options=ImportOptions(kind="utility"))
    (layer,) = imported.layers
    assert len(layer.table) == 12
    assert max(layer.geometry.bounds.size) < 1000  # type: ignore[union-attr]
    (issue,) = [issue for issue in layer.issues if issue.code == "import.nowhere"]
    assert (issue.count, issue.elements) == (1, ("W3",))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1e300, 3e7])
def test_parts_without_a_place_are_taken_out(bad: float) -> None:
    square = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [bad, 1, 0]])
    mesh = within_reach(Layer("m", "M", "other", Mesh(square, [[0, 1, 2], [0, 2, 3]], [0, 1])))
    points = within_reach(Layer("p", "P", "other", Points(square, np.arange(4))))
    lines = within_reach(Layer("l", "L", "other", Lines(np.vstack([square[:3], square]), [0, 3, 7], [0, 1])))
    assert mesh.geometry.face_element.tolist() == [0]  # type: ignore[union-attr]
    assert points.geometry.element.tolist() == [0, 1, 2]  # type: ignore[union-attr]
    assert lines.geometry.offsets.tolist() == [0, 3]  # type: ignore[union-attr]
    for layer in (mesh, points, lines):
        assert max(layer.geometry.bounds.size) <= 1  # type: ignore[union-attr]
        assert [(issue.code, issue.count) for issue in layer.issues] == [("import.nowhere", 1)]
    whole = Layer("w", "W", "other", Points(square[:3], np.arange(3)))
    assert within_reach(whole) is whole


def test_a_file_that_goes_away_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pipes(tmp_path / "p.geojson")
    candidate = formats()["vector"]

    def vanish(*_: object, **__: object) -> list[Layer]:
        path.unlink()
        path.read_bytes()
        return []

    from app import importer

    monkeypatch.setattr(importer, "_read_here", vanish)
    with pytest.raises(UserError) as caught:
        import_files([path], frame=FRAME, options=ImportOptions(kind="utility"))
    assert caught.value.code == "file.not_opened"
    assert not candidate.isolate
