"""Fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.screens import PROCESSES_AT_MOST, is_worker, own_screen, share_processors

DATA = Path(os.environ.get("TWIN_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real reference files that lies beside the project; skips where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"the reference data are not beside the project ({DATA}); set TWIN_SHARED_DATA to their folder")
    return DATA


def pytest_configure(config: pytest.Config) -> None:
    """One of several processes has a screen and a share of the processors of its own."""
    if is_worker():
        share_processors()
        own_screen()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """``-n auto``: a process for each processor, within the memory of a common machine."""
    return min(os.cpu_count() or 1, PROCESSES_AT_MOST)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long comparisons run only when asked for (``make validate``)."""
    if os.environ.get("TWIN_SLOW"):
        return
    skip = pytest.mark.skip(reason="slow; run it with 'make validate'")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)
