"""Libraries are read before they are loaded."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

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


def test_it_ends_when_the_window_closes() -> None:
    steps: list[float] = []
    with pytest.raises(Cancelled):
        read_ahead(Feedback(lambda fraction, _: steps.append(fraction), lambda: True))
