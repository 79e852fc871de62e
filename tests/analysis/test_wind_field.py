"""The study of one wind: the map lies where the city lies, turns with it, and says what it cannot tell."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.contract import Result
from analysis.registry import get
from analysis.run import execute
from analysis.wind.scene_map import laid, scene_map, turned
from analysis.wind.tunnel import Tunnel
from geo.model import Feedback, Grid, Layer, Lines, Volume
from tests.tiny import buildings, terrain, tiny_frame

BLOCK = [(-15.0, -15.0, 20.0, 30.0, 30.0, 24.0)]
QUICK = {"cell": 6.0, "size": 150.0, "thoroughness": "preview", "exposure": "D"}


def study(boxes: list[tuple[float, ...]] = BLOCK, feedback: Feedback | None = None, **params: object) -> Result:  # type: ignore[assignment]
    layers = [terrain(20.0, 300.0, 20.0), buildings(boxes)]  # type: ignore[arg-type]
    return execute(get("wind.field"), layers=layers, frame=tiny_frame(), params={**QUICK, **params}, feedback=feedback)


def part(result: Result, name: str) -> Layer:
    return next(layer for layer in result.layers if layer.source.part == name)


def ratio_at(result: Result, x: float, y: float) -> float:
    layer = part(result, "map")
    grid = layer.geometry
    assert isinstance(grid, Grid)
    column, row = round((x - grid.x0) / grid.cell), round((y - grid.y0) / grid.cell)
    return float(np.asarray(layer.fields[0].values)[row, column])


def tunnel_of(turn: float) -> Tunnel:
    x = np.arange(-60.0, 61.0, 5.0)
    cells = len(x) - 1
    flat = np.zeros((cells, cells), np.float32)
    solid = np.zeros((4, cells, cells), np.int8)
    study = np.array([-40.0, -40.0, 40.0, 40.0])
    return Tunnel(
        x, x, np.arange(5) * 5.0, turn, np.array([100.0, 50.0]), 0.0, solid, flat, None, flat + 0.1, 0.01,
        np.full((cells, cells), -1, np.int32), study,
    )  # fmt: skip


@pytest.mark.parametrize("turn", [0.0, 30.0, 90.0, -20.0])
def test_a_map_is_laid_where_it_belongs_whatever_the_tunnels_turn(turn: float) -> None:
    tunnel = tunnel_of(turn)
    middles = 0.5 * (tunnel.x[1:] + tunnel.x[:-1])
    turn_rad = np.radians(turn)
    tx, ty = np.meshgrid(middles, middles)
    east = 100.0 + tx * np.cos(turn_rad) - ty * np.sin(turn_rad)
    north = 50.0 + tx * np.sin(turn_rad) + ty * np.cos(turn_rad)
    where = scene_map(tunnel, 4.0)
    columns = where.x0 + 4.0 * np.arange(where.inside.shape[1])
    rows = where.y0 + 4.0 * np.arange(where.inside.shape[0])
    want_east, want_north = np.meshgrid(columns, rows)
    for values, want in ((east, want_east), (north, want_north)):
        found = laid(values, tunnel, where)
        known = np.isfinite(found)
        np.testing.assert_allclose(found[known], want[known], atol=1e-9)
        assert known.sum() == where.inside.sum()
    assert where.inside.sum() * 16.0 == pytest.approx(6400.0, rel=0.08)
    u, v = turned(np.array([1.0]), np.array([0.0]), tunnel)
    np.testing.assert_allclose([u[0], v[0]], [np.cos(turn_rad), np.sin(turn_rad)], atol=1e-12)


def test_the_lee_is_calm_and_the_sides_are_not_and_both_turn_with_the_wind() -> None:
    west, south = study(wind_from=270.0), study(wind_from=180.0)
    assert ratio_at(west, 35.0, 0.0) < 0.75 * ratio_at(west, -60.0, 0.0)
    assert ratio_at(south, 0.0, 35.0) < 0.75 * ratio_at(south, 0.0, -60.0)
    assert ratio_at(west, 0.0, 30.0) > ratio_at(west, 35.0, 0.0)
    # A square block: what stands east of it in a west wind stands north of it in a south wind.
    assert ratio_at(west, 40.0, 0.0) == pytest.approx(ratio_at(south, 0.0, 40.0), abs=0.06)
    assert np.isnan(ratio_at(west, 0.0, 0.0))  # in the building
    arrows = part(west, "arrows").geometry
    assert isinstance(arrows, Lines)
    ways = arrows.vertices[1::5] - arrows.vertices[0::5]
    upstream = arrows.vertices[0::5][:, 0] < -40.0
    assert (ways[upstream, 0] > 0.0).all()  # they point where the wind blows to


def test_three_hundred_and_sixty_is_north() -> None:
    north, again = study(wind_from=0.0, space=False), study(wind_from=360.0, space=False)
    np.testing.assert_array_equal(part(north, "map").fields[0].values, part(again, "map").fields[0].values)


def test_ratios_hardly_depend_on_the_speed() -> None:
    slow, fast = study(speed=2.0, space=False), study(speed=8.0, space=False)
    one, other = (np.asarray(part(result, "map").fields[0].values) for result in (slow, fast))
    np.testing.assert_allclose(one, other, atol=0.02)


def test_streamlines_and_space_follow_the_wind_and_stay_out_of_walls() -> None:
    result = study(wind_from=270.0)
    space = part(result, "volume")
    assert isinstance(space.geometry, Volume)
    east = np.asarray(space.field_named("east").values)  # type: ignore[union-attr]
    assert np.nanmean(east[-1]) > 1.0
    streams = part(result, "streams").geometry
    assert isinstance(streams, Lines)
    inside = (np.abs(streams.vertices[:, :2]) < 12.0).all(axis=1) & (streams.vertices[:, 2] < 38.0)
    assert not inside.any()
    first, last = streams.vertices[streams.offsets[:-1]], streams.vertices[streams.offsets[1:] - 1]
    assert np.median(last[:, 0] - first[:, 0]) > 50.0


def test_a_run_shows_coarse_maps_first_and_says_that_it_has_not_settled() -> None:
    seen: list[NDArray[np.float64]] = []

    def show(layers: object) -> None:
        seen.append(np.asarray(layers[0].fields[0].values))  # type: ignore[index]

    result = study(feedback=Feedback(on_partial=show))
    assert len(seen) == 3
    assert all(values.shape == seen[-1].shape for values in seen)
    assert "wind.not_settled" in {issue.code for issue in result.issues}
    assert result.summary["settled"].value == "no"
    trust = part(result, "map").field_named("trust")
    assert trust is not None
    assert {0, 1, 2} & set(np.unique(trust.values).tolist())


def test_an_empty_field_has_the_wind_outside_everywhere() -> None:
    layers = [terrain(20.0, 400.0, 20.0)]
    params = {**QUICK, "size": 200.0, "ground_roughness": 0.01, "height": 5.0, "space": False}
    result = execute(get("wind.field"), layers=layers, frame=tiny_frame(), params=params)
    values = np.asarray(part(result, "map").field_named("mean_speed").values)  # type: ignore[union-attr]
    want = 3.0 * np.log((5.0 + 0.01) / 0.01) / np.log((10.0 + 0.01) / 0.01)
    np.testing.assert_allclose(values[np.isfinite(values)], want, rtol=0.06)
