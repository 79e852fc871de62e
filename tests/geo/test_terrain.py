"""Ground: sampling, draping, merging, patching, and terrain made of contours, checked at spot heights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from geo import terrain
from geo.crs import make_frame
from geo.formats import vector
from geo.formats.contract import ReadOptions
from geo.model import Feedback, Grid, Lines, Points, UserError, merge_grids
from geo.terrain_triangles import grid_from_points


def slope(rows: int = 50, cols: int = 60, cell: float = 2.0) -> Grid:
    yy, xx = np.mgrid[0:rows, 0:cols] * cell
    return Grid(10 + 0.1 * xx + 0.05 * yy, 0.0, 0.0, cell)


def test_lowest_ground_under_an_area() -> None:
    areas = np.array([shapely.box(10, 10, 30, 30), shapely.box(-500, 0, -400, 9)])
    lowest = terrain.lowest_under(slope(), areas)
    assert lowest[0] == pytest.approx(10 + 0.1 * 10 + 0.05 * 10)
    assert np.isnan(lowest[1])


def test_beyond_the_terrain_the_nearest_ground_is_taken() -> None:
    z, real = terrain.ground_or_nearest(slope(), [10.0, -40.0], [10.0, 10.0])
    np.testing.assert_allclose(z, [11.5, 10.5])
    assert real.tolist() == [True, False]


def test_draped_area_keeps_its_plan_and_lies_on_the_terrain_triangles() -> None:
    rng = np.random.default_rng(0)
    ground = Grid(rng.uniform(0, 3, (40, 40)), 0.0, 0.0, 2.0)
    lake = shapely.Polygon([(5, 5), (70, 9), (66, 70), (9, 60)], [[(30, 30), (40, 30), (40, 40), (30, 40)]])
    mesh, grounded = terrain.drape_areas(np.array([lake], object), ground, lift=0.0)
    assert grounded.all()
    a, b, c = (mesh.vertices[mesh.faces[:, k], :2] for k in range(3))
    area = 0.5 * ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
    assert area.min() > -1e-9, "all triangles look up"
    assert area.sum() == pytest.approx(lake.area)
    level, _ = terrain.drape_areas(np.array([lake], object), ground, lift=0.5, flat=np.array([4.0]))
    assert set(level.vertices[:, 2]) == {4.5}
    whole = mesh.vertices[mesh.faces]
    squares = np.isclose(np.abs(area), 2.0)
    middle = whole[squares].mean(axis=1)
    surface = ground.surface()
    corner = surface.vertices[surface.faces].mean(axis=1)
    index = {(round(x, 3), round(y, 3)): z for x, y, z in corner}
    same = [(index[key], z) for x, y, z in middle if (key := (round(x, 3), round(y, 3))) in index]
    assert len(same) > 1500
    np.testing.assert_allclose(*np.transpose(same))


def test_draped_line_follows_the_ground() -> None:
    lines, grounded = terrain.drape_lines(np.array([shapely.LineString([(0, 0), (100, 0)])]), slope(), lift=0.1)
    np.testing.assert_allclose(lines.vertices[:, 2], 10.1 + 0.1 * lines.vertices[:, 0])
    assert len(lines.vertices) >= 26
    assert grounded.all()


def test_merging_keeps_the_first_and_fills_with_the_others() -> None:
    coarse = Grid(np.full((11, 11), 5.0), 0.0, 0.0, 10.0)
    fine_values = np.full((20, 20), 7.0)
    fine_values[5, 5] = np.nan
    fine = Grid(fine_values, 40.0, 40.0, 1.0)
    merged = merge_grids([fine, coarse])
    assert merged.cell == 1.0
    assert (merged.sample(45, 45), merged.sample(50, 50), merged.sample(80, 20)) == (5.0, 7.0, 5.0)
    assert merged.is_finite.all()


def test_small_holes_close_and_large_ones_stay() -> None:
    grid = slope()
    values = np.array(grid.values)
    values[10:13, 10:13] = np.nan
    values[25:45, 20:45] = np.nan
    values[0, :3] = np.nan
    filled, count = terrain.fill_small_holes(Grid(values, 0, 0, 2.0), most_cells=100)
    assert count == 9
    np.testing.assert_allclose(filled.values[10:13, 10:13], grid.values[10:13, 10:13], atol=0.02)
    assert np.isnan(filled.values[30, 30])
    assert np.isnan(filled.values[0, 0])


def test_terrain_of_korean_contours_agrees_with_the_spot_heights(shared_data: Path) -> None:
    """Sheet 36914093: contours every 5 m; a spot height must lie within one interval of the surface between them."""
    folder = shared_data / "terrain/kr_topomap_36914093"
    frame = make_frame("EPSG:5187", 228_000, 379_000)
    options = ReadOptions(own=vector.VectorOptions(build_terrain=True, cell=10.0))
    contours, ground = vector.read(folder / "N3L_F0010000.shp", frame, options, Feedback())
    assert isinstance(contours.geometry, Lines)
    assert isinstance(ground.geometry, Grid)
    assert ground.kind == "terrain"
    assert set(np.unique(contours.geometry.vertices[:, 2] % 5)) == {0.0}
    spots = vector.read(folder / "N3P_F0020000.shp", frame, ReadOptions(), Feedback())[0]
    assert isinstance(spots.geometry, Points)
    x, y, z = spots.geometry.vertices.T
    np.testing.assert_array_equal(z, spots.table.columns["수치"].values)
    error = ground.geometry.sample(x, y) - z
    error = error[np.isfinite(error)]
    assert len(error) > 330
    assert np.median(np.abs(error)) < 1.5
    assert np.percentile(np.abs(error), 95) < 5.0


def test_heights_on_a_line_make_no_terrain() -> None:
    for points in ([], [(0, 0, 1), (1, 1, 2)], [(k, 2 * k, 3) for k in range(9)]):
        with pytest.raises(UserError):
            grid_from_points(np.array(points, dtype=float).reshape(-1, 3), cell=1.0)


def test_linear_heights_come_back_exactly() -> None:
    rng = np.random.default_rng(5)
    xy = rng.uniform(0, 100, (400, 2))
    grid = grid_from_points(np.column_stack([xy, 3 + 0.2 * xy[:, 0] - 0.1 * xy[:, 1]]), cell=2.0)
    xx, yy = np.meshgrid(grid.x, grid.y)
    good = grid.is_finite
    assert good.mean() > 0.9
    np.testing.assert_allclose(grid.values[good], (3 + 0.2 * xx - 0.1 * yy)[good], atol=1e-9)


def test_every_cell_has_the_height_of_its_triangle() -> None:
    """Against SciPy's interpolator on contours (long thin triangles) and spot heights, many of them on cell centres."""
    from scipy.interpolate import LinearNDInterpolator

    turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    contours = [
        np.column_stack([60 + r * np.cos(turn), 50 + 0.7 * r * np.sin(turn), turn * 0 + 80 - r]) for r in (5, 20, 50)
    ]
    spots = np.column_stack(
        [*(k.ravel() for k in np.meshgrid(np.arange(0, 130, 10.0), np.arange(0, 110, 10.0))), np.zeros(143)]
    )
    spots[(spots[:, 1] // 10) % 2 == 1, 0] += 4  # no four of a square lie on one circle: one triangulation is right
    spots[:, 2] = np.hypot(spots[:, 0], spots[:, 1])
    points = np.concatenate([*contours, spots])
    grid = grid_from_points(points, cell=1.0)
    assert (grid.x0, grid.y0, grid.values.shape) == (0.0, 0.0, (101, 125))
    middle = points[:, :2].mean(axis=0)
    reference = LinearNDInterpolator(points[:, :2] - middle, points[:, 2])(
        *np.meshgrid(grid.x - middle[0], grid.y - middle[1])
    )
    inside = np.isfinite(reference)
    assert inside.mean() > 0.95
    np.testing.assert_allclose(grid.values[inside], reference[inside], atol=1e-6)
    np.testing.assert_allclose(grid.sample(spots[:, 0], spots[:, 1]), spots[:, 2], atol=1e-9)


def test_long_triangles_give_no_height() -> None:
    bay = np.array([(0, 0, 1.0), (40, 0, 1), (0, 40, 1), (40, 40, 1), (2, 0, 1), (0, 2, 1), (2, 2, 1)])
    grid = grid_from_points(bay, cell=1.0, longest_edge=5.0)
    assert grid.is_finite.sum() == 9
