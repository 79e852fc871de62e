from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from app.importer import ImportOptions, import_files
from geo.model import Cancelled, Feedback, MissingCrs, UserError
from tests.tiny import write_city_json, write_terrain_tif


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def code_of(error: pytest.ExceptionInfo[UserError]) -> str:
    return error.value.code


def test_terrain_and_buildings_meet_in_true_coordinates(tmp_path: Path) -> None:
    tif, city = write_terrain_tif(tmp_path / "t.tif"), write_city_json(tmp_path / "b.city.json")
    imported = import_files([city, tif], frame=None)
    assert imported.frame.crs == "EPSG:5186"
    assert imported.frame.origin == (229_000.0, 435_500.0, 0.0)
    by_theme = {layer.theme: layer for layer in imported.layers}
    box = by_theme["building"].geometry.bounds
    assert box.low == pytest.approx((-10.0, -10.0, 20.0), abs=1e-6)
    assert box.high == pytest.approx((45.0, 25.0, 50.0), abs=1e-6)
    assert by_theme["terrain"].geometry.sample(0.0, 0.0) == pytest.approx(20.0)
    assert by_theme["building"].source.digest


def test_ids_stay_unique_when_a_file_comes_twice(tmp_path: Path) -> None:
    city = write_city_json(tmp_path / "b.city.json")
    first = import_files([city], frame=None)
    second = import_files([city], frame=first.frame, layers=first.layers)
    assert {layer.id for layer in first.layers}.isdisjoint(layer.id for layer in second.layers)


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "a.tif", "file.empty"),
        (b"just some text, not a raster\n" * 40, "a.tif", "file.wrong_name"),
        (b"\x00\x01\x02" * 500, "a.xyz", "file.unknown"),
        (b"hello world", "a.ifc", "file.wrong_name"),
    ],
)
def test_files_that_are_not_what_they_say(tmp_path: Path, content: bytes, name: str, code: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        import_files([tmp_path / name], frame=None)
    assert code_of(caught) == code


def test_a_raster_named_like_a_building_model_is_refused(tmp_path: Path) -> None:
    wrong = write_terrain_tif(tmp_path / "t.tif").rename(tmp_path / "house.ifc")
    with pytest.raises(UserError) as caught:
        import_files([wrong], frame=None)
    assert code_of(caught) == "file.wrong_name"
    assert "GeoTIFF" in caught.value.why


def test_a_name_that_says_nothing_leaves_it_to_the_content(tmp_path: Path) -> None:
    for name in ("terrain.dat", "terrain"):
        plain = write_terrain_tif(tmp_path / "t.tif").rename(tmp_path / name)
        assert import_files([plain], frame=None).layers[0].theme == "terrain"


def test_absent_file_and_folder(tmp_path: Path) -> None:
    for path, code in ((tmp_path / "none.tif", "file.absent"), (tmp_path, "file.folder")):
        with pytest.raises(UserError) as caught:
            import_files([path], frame=None)
        assert code_of(caught) == code


def test_missing_crs_is_asked_for_and_taken(tmp_path: Path) -> None:
    city = write_city_json(tmp_path / "b.city.json", crs=None)
    with pytest.raises(MissingCrs):
        import_files([city], frame=None)
    imported = import_files([city], frame=None, options=ImportOptions(crs="EPSG:5186"))
    assert imported.frame.crs == "EPSG:5186"


@pytest.mark.parametrize(
    ("crs", "origin", "code"),
    [
        ("EPSG:5186", (127.3, 36.5, 0.0), "import.degrees_as_metres"),
        ("EPSG:4326", (229_000.0, 435_500.0, 0.0), "import.metres_as_degrees"),
        ("EPSG:28992", (0.0, 0.0, 0.0), "import.at_zero"),
        ("EPSG:4326", (0.0, 0.0, 0.0), "import.at_zero"),
    ],
)
def test_implausible_coordinates(tmp_path: Path, crs: str, origin: tuple[float, float, float], code: str) -> None:
    city = write_city_json(tmp_path / "b.city.json", crs=crs)
    data = json.loads(city.read_text())
    data["transform"]["translate"] = origin
    if "degrees" in code or crs == "EPSG:4326":
        data["transform"]["scale"] = [1e-8, 1e-8, 0.001]
    if origin[0] > 1000:
        data["transform"]["scale"] = [0.001] * 3
    city.write_text(json.dumps(data))
    with pytest.raises(UserError) as caught:
        import_files([city], frame=None)
    assert code_of(caught) == code


def test_two_files_far_apart_do_not_meet(tmp_path: Path) -> None:
    here = write_city_json(tmp_path / "here.city.json")
    there = write_city_json(tmp_path / "there.city.json", shift=(0.0, -900_000.0))
    first = import_files([here], frame=None)
    with pytest.raises(UserError) as caught:
        import_files([there], frame=first.frame, layers=first.layers)
    assert code_of(caught) == "import.far"
    assert "900 km" in str(caught.value)


def test_cancel_stops_and_returns_nothing(tmp_path: Path) -> None:
    city = write_city_json(tmp_path / "b.city.json")
    with pytest.raises(Cancelled):
        import_files([city], frame=None, feedback=Feedback(is_cancelled=lambda: True))


def test_second_open_comes_from_the_cache_and_is_the_same(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app import layer_cache

    monkeypatch.setattr(layer_cache, "WORTH_S", 0.0)
    city = write_city_json(tmp_path / "b.city.json")
    first = import_files([city], frame=None)
    copies = list((cache / "layers").glob("*.layers"))
    assert len(copies) == 1
    second = import_files([city], frame=None)
    np.testing.assert_array_equal(first.layers[0].geometry.vertices, second.layers[0].geometry.vertices)
    copies[0].write_bytes(b"damaged")
    third = import_files([city], frame=None)
    assert len(third.layers[0].table) == 2


def test_a_changed_file_is_not_taken_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from app import layer_cache

    monkeypatch.setattr(layer_cache, "WORTH_S", 0.0)
    city = write_city_json(tmp_path / "b.city.json")
    import_files([city], frame=None)
    text = city.read_text().replace('"storeys": 1', '"storeys": 7')
    city.write_text(text)
    again = import_files([city], frame=None)
    assert 7 in again.layers[0].table.columns["storeys"].values.tolist()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path: Path) -> None:
    city = write_city_json(tmp_path / "b.city.json")
    city.chmod(0)
    with pytest.raises(UserError) as caught:
        import_files([city], frame=None)
    assert code_of(caught) == "file.not_opened"
