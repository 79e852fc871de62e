"""What is imported beside the start page, and what the search for rubbish passes by from then on."""

from __future__ import annotations

import types
from typing import Any

import pytest

pytest.importorskip("PySide6")

from app import early_imports, window_main
from app.commands import AddLayers
from app.main_window import MainWindow
from tests.app.person import until
from tests.app.tiny_city import frame
from tests.app.view_scene import box, buildings

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]


@pytest.mark.parametrize(("alone", "has_project", "frozen"), [(True, False, 1), (True, True, 0), (False, False, 0)])
def test_only_a_program_without_a_project_puts_aside_what_it_is_made_of(
    alone: bool, has_project: bool, frozen: int, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(early_imports, "LIBRARIES", ("colorsys",))
    monkeypatch.setattr("analysis.registry.analysis_ids", tuple)
    monkeypatch.setattr("app.catalog.format_modules", tuple)
    monkeypatch.setattr(window_main, "gc", types.SimpleNamespace(freeze=lambda: done.append("frozen")))
    monkeypatch.setattr(window_main, "read_ahead", lambda _feedback: 0)
    until(lambda: window.is_furnished, seconds=60.0)
    if has_project:
        layer = buildings([box(0, 0, size=(10, 10, 10))])
        window.document.do(AddLayers((layer,), frame=frame()))
    made: list[Any] = []
    kept = early_imports.EarlyImports

    def watched(parent: MainWindow) -> early_imports.EarlyImports:
        made.append(kept(parent))
        return made[0]

    monkeypatch.setattr(early_imports, "EarlyImports", watched)
    window_main.settle_in(window, alone=alone)
    until(lambda: bool(made) and not made[0].isActive(), seconds=60.0)
    assert not made[0].left
    assert len(done) == frozen
