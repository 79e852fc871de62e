"""Copies of what was read: descriptions of files, and layers that go on as their mapped copy."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from app import layer_cache
from app.catalog import detect
from geo.formats.contract import FileInfo
from geo.model import ElementTable, Issue, Layer
from tests.app.view_scene import town
from tests.bench.bench_cityjson import city


@pytest.fixture
def source(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(layer_cache, "WORTH_BYTES", 1)
    monkeypatch.setattr(layer_cache, "WORTH_S", 0.0)
    path = tmp_path / "city.city.json"
    path.write_bytes(city(3))
    return path


def test_a_file_is_described_once_while_its_bytes_stay(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def look() -> FileInfo:
        looks.append(1)
        return FileInfo(
            "cityjson",
            "CityJSON",
            crs="EPSG:5186",
            bounds=(0.0, 0.0, 0.0, 1.0, 1.0, 1.0),
            counts={"Building": 3},
            issues=(Issue("some.code", "text", "doubt", 2, values={"a": 1}),),
            details={"lods": ["2"]},
        )

    candidate = detect(source)
    first, second = (layer_cache.described(candidate, source, look) for _ in range(2))
    assert first == second
    assert len(looks) == 1
    source.write_bytes(city(4))
    layer_cache.described(candidate, source, look)
    assert len(looks) == 2
    monkeypatch.setattr(layer_cache, "WORTH_BYTES", 1 << 30)
    layer_cache.described(candidate, source, look)
    assert len(looks) == 3  # small: looked at each time
    apart = dataclasses.replace(candidate, isolate=True)
    for _ in range(2):
        layer_cache.described(apart, source, look)
    assert len(looks) == 3  # but not by starting a process for it


def test_a_broken_description_is_made_anew(source: Path) -> None:
    candidate = detect(source)
    real = candidate.inspect(source)
    assert layer_cache.described(candidate, source, lambda: real) == real
    for file in (layer_cache.cache_folder() / "infos").glob("*.json"):
        file.write_text('{"format": 1, "issues": 3}')
    assert layer_cache.described(candidate, source, lambda: real) == real


def test_a_world_file_that_changes_makes_a_cached_picture_old(tmp_path: Path) -> None:
    picture, world = tmp_path / "photo.jpg", tmp_path / "photo.jgw"
    picture.write_bytes(b"picture")
    alone = layer_cache.file_digest(picture)
    world.write_text("1\n0\n0\n-1\n0\n0\n")
    placed = layer_cache.file_digest(picture)
    world.write_text("1\n0\n0\n-1\n100\n0\n")
    assert len({alone, placed, layer_cache.file_digest(picture)}) == 3


def test_what_was_saved_goes_on_from_the_disk(source: Path) -> None:
    layer = town()
    key = layer_cache.CacheKey("d", "name", -1e9)
    kept = layer_cache.save(key, [layer])
    assert key.path.exists()
    assert kept[0] is not layer
    np.testing.assert_array_equal(kept[0].geometry.vertices, layer.geometry.vertices)
    assert kept[0].table.ids.tolist() == layer.table.ids.tolist()


def test_without_room_on_the_disk_the_layers_go_on_as_read(source: Path, monkeypatch) -> None:
    blocked = source.parent / "file"
    blocked.write_text("")
    monkeypatch.setenv("TWIN_CACHE", str(blocked / "cache"))
    layer = Layer("a", "A", "other", None, ElementTable(["x"]))
    assert layer_cache.save(layer_cache.CacheKey("d", "name", -1e9), [layer])[0] is layer
