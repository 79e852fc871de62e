"""Libraries are read before they are loaded."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

from app import read_ahead as read_ahead_module
from app.read_ahead import PACKAGES, is_native, native_files, read_ahead
from geo.model import Cancelled, Feedback


def test_native_files_are_found_and_nothing_is_imported() -> None:
    before = set(sys.modules)
    sizes = {package: sum(file.stat().st_size for file in native_files(package)) for package in PACKAGES}
    assert sizes["rasterio"] > 1_000_000
    assert sizes["llvmlite"] > 1_000_000
    assert not {name.split(".")[0] for name in set(sys.modules) - before} & set(PACKAGES)
    assert list(native_files("a_package_that_nobody_has")) == []


@pytest.mark.parametrize(
    ("name", "native"),
    [("libgdal.so.36.3", True), ("_ext.cpython-311.so", True), ("gdal.dll", True), ("a.so.py", False), ("a.py", False)],
)
def test_names_of_native_files(name: str, native: bool) -> None:
    assert is_native(name) is native


def test_what_cannot_be_read_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "brought_along"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')", encoding="utf-8")
    (package / "gone.so").symlink_to(package / "not there")
    (package / "good.so").write_bytes(b"\0" * 3_000_000)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert read_ahead(Feedback(), ["brought_along", "a_package_that_nobody_has"]) == 3_000_000
    assert "brought_along" not in sys.modules


@pytest.mark.parametrize(("chunk_s", "rests"), [(0.0001, 0), (0.2, 3)])
def test_a_slow_disk_is_left_to_others_for_half_of_the_time(
    chunk_s: float, rests: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "brought_along"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "good.so").write_bytes(b"\0" * (2 * read_ahead_module.CHUNK + 5))
    monkeypatch.syspath_prepend(str(tmp_path))
    slept: list[float] = []
    clock = itertools.count()
    monkeypatch.setattr(read_ahead_module.time, "monotonic", lambda: chunk_s * next(clock))
    monkeypatch.setattr(read_ahead_module.time, "sleep", slept.append)
    read_ahead(Feedback(), ["brought_along"])
    assert slept == pytest.approx([chunk_s] * rests)


def test_it_ends_when_the_window_closes() -> None:
    steps: list[float] = []
    with pytest.raises(Cancelled):
        read_ahead(Feedback(lambda fraction, _: steps.append(fraction), lambda: True))
