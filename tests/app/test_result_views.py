"""Results among pipes: thicker than the pipes they copy, findings before everything, tables that lead to rows."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("vtkmodules")

from app.run_texts import table_of
from app.shown_runs import Run
from app.view.legend import legend_of
from app.view.picking import Hit
from app.view.pins import is_pins
from app.view.probe import element_hit
from app.view.result_tubes import copies_pipes, thickened
from geo.model import Column, ElementRef, ElementTable, Field, Layer, Lines, Points, Style


def copied_pipes(*diameters: float) -> Layer:
    count = len(diameters)
    points = np.array([(x, float(k), -1.0) for k in range(count) for x in (0.0, 10.0)])
    lines = Lines(points, np.arange(0, 2 * count + 1, 2, dtype=np.int32), np.arange(count, dtype=np.int32))
    table = ElementTable([f"p{k}" for k in range(count)], {"diameter": Column(np.array(diameters), "m")})
    return Layer("affected", "Pipes", "result", lines, table, stratum="underground")


def findings() -> Layer:
    points = Points(np.array([(0.0, 0.0, -1.0), (5.0, 0.0, -1.0)]), np.arange(2, dtype=np.int32))
    table = ElementTable(["a", "b"], {"severity": Column(np.array(["error", "note"], dtype=object))})
    field = Field("severity", "1", "element", np.array([3, 1]), ("sound", "note", "warning", "error"), ramp="severity")
    style = Style(colour_by="severity")
    return Layer("pins", "Findings", "result", points, table, (field,), style, stratum="underground")


def test_a_copy_of_a_pipe_encloses_it_whatever_its_size() -> None:
    layer = copied_pipes(0.063, 0.3, 2.0, np.nan)
    assert copies_pipes(layer)
    assert not copies_pipes(layer.with_(theme="utility"))
    wider = thickened(layer).table.columns["diameter"].values
    np.testing.assert_allclose(wider, [0.163, 0.4, 2.24, 0.22])


def test_a_click_means_the_finding_before_the_pipe_and_the_pipe_before_its_copy() -> None:
    def hit(layer: Layer) -> Hit:
        return Hit(layer, ElementRef(layer.id, "x"), np.zeros(3), 1.0)

    pins, copy = findings(), copied_pipes(0.3)
    pipe = copy.with_(id="pipe", theme="utility")
    assert is_pins(pins)
    assert not is_pins(pins.with_(theme="utility"))
    assert element_hit([hit(copy), hit(pipe), hit(pins)]).layer is pins
    assert element_hit([hit(copy), hit(pipe)]).layer is pipe
    assert element_hit([hit(copy)]).layer is copy


def test_the_legend_names_severities_with_their_signs() -> None:
    assert [text.split()[0] for text, _rgb in legend_of(findings()).classes] == ["●", "◆"]


def test_the_table_of_a_run_is_that_of_its_findings() -> None:
    listed = Layer("list", "List", "result", None, ElementTable(["1"]))
    record = {"provenance": {"analysis": "utility.check"}}
    assert table_of(Run("r", record, (listed, copied_pipes(0.3), findings()))) == "pins"
    assert table_of(Run("r", record, (listed, copied_pipes(0.3)))) == "affected"
    assert table_of(Run("r", record, (listed,))) == "list"


@pytest.mark.gl
def test_a_finding_is_seen_through_closed_ground_and_as_large_from_afar() -> None:
    from app.view.camera import looking, project
    from tests.app.test_view_underground import drawn
    from tests.app.view_scene import ground, need_graphics

    need_graphics()

    def red_pixels(distance: float) -> int:
        camera = looking(np.zeros(3), azimuth=0.0, pitch=-60.0, distance=distance)
        pixels = drawn(ground(), findings(), camera=camera)
        height, width = pixels.shape[:2]
        x, y = project(camera, np.array([[0.0, 0.0, -1.0]]), (width, height))[0][0]
        part = pixels[int(y) - 12 : int(y) + 13, int(x) - 12 : int(x) + 13].astype(int)
        return int(((part[..., 0] > 180) & (part[..., 1] < 100) & (part[..., 2] < 100)).sum())

    near, far = red_pixels(40.0), red_pixels(200.0)
    assert near > 80
    assert far == pytest.approx(near, rel=0.15)
