"""Several tiles of one terrain give the same answer as the whole."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.registry import analyses
from analysis.run import choose_inputs, execute
from geo.model import Grid, Layer, merge_grids, one_ground
from tests.analysis.test_rays import box
from tests.tiny import tiny_frame

LOW = {"ground_cell": 4.0, "facade_spacing": 4.0, "margin": 40.0, "step": 20.0}


def whole() -> Grid:
    x, y = np.meshgrid(np.arange(61), np.arange(41))
    return Grid(30 + 6 * np.sin(x / 7) + 4 * np.cos(y / 5), -61.3, -40.7, 2.0)


def part(grid: Grid, rows: slice, cols: slice, name: str) -> Layer:
    x0, y0 = grid.x0 + grid.cell * (cols.start or 0), grid.y0 + grid.cell * (rows.start or 0)
    return Layer(name, name, "terrain", Grid(np.array(grid.values[rows, cols]), x0, y0, grid.cell))


def test_tiles_are_put_together_bit_for_bit() -> None:
    ground = whole()
    quarters = [
        part(ground, rows, cols, "q").geometry
        for rows in (slice(0, 20), slice(20, None))
        for cols in (slice(0, 33), slice(30, None))
    ]
    merged = merge_grids([grid for grid in quarters if isinstance(grid, Grid)])
    assert np.array_equal(merged.values, ground.values)
    assert (merged.x0, merged.y0, merged.cell) == pytest.approx((ground.x0, ground.y0, ground.cell))


def test_far_tiles_do_not_fill_the_memory() -> None:
    near, far = Grid(np.ones((5, 5)), 0, 0, 1.0), Grid(np.ones((5, 5)), 1e6, 1e6, 1.0)
    merged = merge_grids([near, far], most_cells=10_000)
    assert merged.values.size <= 10_404
    assert merged.cell > 1


def test_a_coarse_terrain_is_no_tile_of_a_fine_one() -> None:
    fine, coarse = Grid(np.zeros((5, 5)), 0, 0, 1.0), Grid(np.ones((50, 50)), -500, -500, 30.0)
    assert one_ground([coarse, fine]) is fine
    assert one_ground([]) is None


def test_halves_of_a_terrain_give_the_sunlight_of_the_whole() -> None:
    ground, study = whole(), analyses()["sunlight.hours"]
    block = Layer("b", "b", "building", box(20, 12, 45))
    halves = [part(ground, slice(None), slice(0, 30), "west"), part(ground, slice(None), slice(30, None), "east")]
    answers = [
        execute(study, layers=[*tiles, block], frame=tiny_frame(), params=LOW)
        for tiles in ([part(ground, slice(None), slice(None), "t")], halves)
    ]
    found = [
        next(layer for layer in answer.layers if layer.id.endswith("-ground")).field_named("sun_hours")
        for answer in answers
    ]
    assert found[0] is not None
    assert found[1] is not None
    assert np.array_equal(found[0].values, found[1].values, equal_nan=True)
    assert np.ptp(found[0].values[np.isfinite(found[0].values)]) > 1
    record = answers[1].provenance
    assert record is not None
    assert {item.layer for item in record.inputs} >= {"west", "east"}
    joined = {issue.code: issue.severity for issue in answers[1].issues}
    assert joined["run.terrain_joined"] == "note"
    assert "run.terrain_joined" not in {issue.code for issue in answers[0].issues}


def test_a_hole_between_tiles_is_a_doubt() -> None:
    ground, study = whole(), analyses()["sunlight.hours"]
    apart = [part(ground, slice(None), slice(0, 20), "west"), part(ground, slice(None), slice(40, None), "east")]
    inputs, used = choose_inputs(study, apart, tiny_frame())
    assert [layer.id for name, layer in used if name == "terrain"] == ["west", "east"]
    assert isinstance(inputs.terrain.geometry, Grid)
    assert np.isnan(inputs.terrain.geometry.values[:, 20:40]).all()
