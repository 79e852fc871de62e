"""A scan and a model come into the window as they would by hand, and are held against each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PySide6")

from app.importer import ImportOptions, import_files
from app.main_window import MainWindow
from app.shown_runs import runs_of
from app.view.furniture import tick_labels
from app.view.legend import Legend, legend_for
from tests.analysis.test_construction_as_built import scan_of
from tests.app.test_person_underground import drop
from tests.app.view_scene import need_graphics
from tests.app.window_hands import click, settle
from tests.geo.test_pointcloud import cloud
from tests.tiny import write_city_json

pytestmark = [pytest.mark.gl, pytest.mark.usefixtures("screen")]
BOXES = {"b0": (-10.0, -10.0, 20.0, 20.0, 12.0, 30.0), "b1": (30.0, 10.0, 20.0, 15.0, 15.0, 9.0)}
ORIGIN = np.array([229_000.0, 435_500.0, 0.0])


def write_scan(path: Path) -> Path:
    """A scan of both blocks, the second 80 mm farther east than it was designed."""
    x, *rest = BOXES["b1"]
    built = {"b0": BOXES["b0"], "b1": (x + 0.08, *rest)}
    points = scan_of(built, density=60.0) + ORIGIN  # type: ignore[arg-type]
    cloud(path, len(points), crs="EPSG:5186", x=points[:, 0], y=points[:, 1], z=points[:, 2])
    return path


def test_a_scan_dropped_beside_a_model_tells_what_moved(window: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    need_graphics()
    window.set_language("ko")
    drop(window, [write_city_json(tmp_path / "blocks.city.json"), write_scan(tmp_path / "scan.las")])
    settle(window, qtbot)
    click(qtbot, window.files.import_dialog.import_button)
    settle(window, qtbot)
    assert {layer.kind for layer in window.document.scene} >= {"mesh", "points"}
    window.show_analysis("construction.as_built")
    window.analyses.form.set_values({"spacing": 1.0})
    click(qtbot, window.analyses.run_button)
    settle(window, qtbot)
    run = runs_of(list(window.document.scene))[0]
    assert run.analysis_id == "construction.as_built"
    assert run.record["summary"]["elements"]["value"] == 2
    assert run.record["summary"]["partly"]["value"] == 1  # two of its sides are where they should be
    table = next(layer for layer in run.layers if layer.kind == "table").table
    shift = dict(zip(table.columns["element"].values, table.columns["shift_east"].values, strict=True))
    assert shift["b1"] == pytest.approx(0.08, abs=0.005)
    assert shift["b0"] == pytest.approx(0.0, abs=0.005)
    # The points would lie on the colours; a click in the scene brings them back.
    scan = next(layer for layer in window.document.scene if layer.kind == "points")
    assert not scan.style.visible
    legend = legend_for(list(window.document.scene))
    assert legend is not None
    assert "스캔 − 설계" in legend.title


def test_a_point_cloud_comes_in_with_what_its_form_offers(tmp_path: Path) -> None:
    scan = write_scan(tmp_path / "scan.las")
    for text in ("", "()", "2"):
        (layer,) = import_files([scan], frame=None, options=ImportOptions(own={"classes": text})).layers
        assert layer.kind == "points"


def test_labels_of_a_ramp_stand_clear_and_the_last_keeps_its_unit() -> None:
    def kept(*ticks: tuple[float, str]) -> list[str]:
        legend = Legend("t", "", "m", high=10.0, ticks=ticks)
        labels = tick_labels(legend, 0.0, 100.0, lambda text: 5.0 * len(text))
        return [label for _x, _start, label in labels if label]

    assert kept((0.0, "0"), (2.0, "22"), (9.0, "9"), (10.0, "10")) == ["0", "22", "10 m"]
    assert kept((0.0, "0"), (5.0, "5"), (10.0, "9")) == ["0", "5", "9 m"]
    assert kept() == []
