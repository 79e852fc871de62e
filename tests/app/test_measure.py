"""Measures: worked by hand, on slopes, across hills, between solids."""

from __future__ import annotations

import numpy as np
import pytest

from app.measure import area_of, clearance, ground_profile, legs_of, profile_figures, sight_between
from geo.model import ElementTable, Frame, Grid, Layer, UserError
from tests.tiny import box_mesh

FRAME = Frame("EPSG:5186", (229_000.0, 435_500.0, 20.0), 127.3, 36.5, convergence_deg=0.5)


def nothing(origins: np.ndarray, _directions: np.ndarray) -> np.ndarray:
    return np.full(len(origins), np.inf)


def hill(height: float = 10.0) -> Grid:
    """200 m of ground with a ridge across the middle, 40 m wide."""
    x = np.arange(-100.0, 101.0, 2.0)
    rows = np.tile(np.maximum(height * (1 - np.abs(x) / 20.0), 0.0), (21, 1))
    return Grid(rows, -100.0, -20.0, 2.0)


def test_legs_by_hand() -> None:
    first, second = legs_of(np.array([[0, 0, 0], [3, 4, 5], [3, 4, 7]], dtype=float), FRAME)
    assert (first.plan, first.rise) == (5.0, 5.0)
    assert first.length == pytest.approx(np.sqrt(50))
    assert first.slope == pytest.approx(100.0)
    assert first.bearing == pytest.approx(np.degrees(np.arctan2(3, 4)) + 0.5)  # true north lies beside grid north
    assert second.plan == 0.0
    assert np.isnan(second.slope)
    assert np.isnan(second.bearing)


def test_areas_of_a_roof_slope() -> None:
    """10 m along the eaves, 6 m out and 8 m up: 60 m2 from above, 100 m2 to tile."""
    found = area_of(np.array([[0, 0, 0], [10, 0, 0], [10, 6, 8], [0, 6, 8]], dtype=float), FRAME)
    assert found.plan == pytest.approx(60.0)
    assert found.tilted == pytest.approx(100.0)
    assert found.around == pytest.approx(40.0)
    assert (found.lowest, found.highest) == (20.0, 28.0)


def test_sight_across_a_hill() -> None:
    low = sight_between(np.array([-50.0, 0, 1.7]), np.array([50.0, 0, 1.7]), cast=nothing, grounds=[hill()])
    assert not low.is_free
    assert low.blocked_by == "ground"
    assert low.blocked_at[0] == pytest.approx(-16.6, abs=1.5)
    high = sight_between(np.array([-50.0, 0, 11.0]), np.array([50.0, 0, 11.0]), cast=nothing, grounds=[hill()])
    assert high.is_free
    assert high.distance == 100.0


def test_sight_meets_a_wall_first() -> None:
    def wall(origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        return (-30.0 - origins[:, 0]) / directions[:, 0]

    found = sight_between(np.array([-50.0, 0, 1.7]), np.array([50.0, 0, 1.7]), cast=wall, grounds=[hill()])
    assert found.blocked_by == "solid"
    assert found.blocked_at[0] == pytest.approx(-30.0, abs=0.1)


def test_a_point_on_the_ground_is_seen_from_above() -> None:
    """A point clicked lies exactly on the surface; that surface itself must not hide it."""
    ground = hill()
    found = sight_between(np.array([0.0, 0, 30.0]), np.array([60.0, 0, 0.0]), cast=nothing, grounds=[ground])
    assert found.is_free


def test_profile_and_its_figures() -> None:
    line = np.array([[-60.0, 0, 0], [60.0, 0, 0]])
    chart = ground_profile(line, [hill()], cast=nothing, top=100.0, zero=20.0)
    ground = next(one for one in chart.series if one.name == "ground")
    assert ground.y.max() == pytest.approx(30.0, abs=0.3)
    assert ground.x[-1] == pytest.approx(120.0)
    assert [one.name for one in chart.series] == ["ground"]  # nothing stands on it
    found = profile_figures(line, [hill()])
    assert found["climb"] == pytest.approx(10.0, abs=0.3)
    assert found["fall"] == pytest.approx(10.0, abs=0.3)
    assert found["steepest"] == pytest.approx(50.0, rel=0.02)


def test_a_house_shows_in_the_profile() -> None:
    def roof(origins: np.ndarray, _directions: np.ndarray) -> np.ndarray:
        return np.where(np.abs(origins[:, 0] + 50.0) < 5.0, origins[:, 2] - 12.0, np.inf)

    chart = ground_profile(np.array([[-60.0, 0, 0], [60.0, 0, 0]]), [hill()], cast=roof, top=100.0, zero=0.0)
    surface = next(one for one in chart.series if one.name == "surface")
    assert surface.y[np.abs(surface.x - 10.0) < 3.0] == pytest.approx(12.0)


def test_no_ground_is_said() -> None:
    with pytest.raises(UserError) as refused:
        ground_profile(np.array([[500.0, 0, 0], [600.0, 0, 0]]), [hill()], cast=nothing, top=9.0, zero=0.0)
    assert refused.value.code == "measure.no_ground"


def layer_of(*boxes: tuple[float, float, float, float, float, float]) -> Layer:
    mesh, _ = box_mesh(list(boxes))
    return Layer("b", "B", "building", mesh, ElementTable([f"b{k}" for k in range(len(boxes))]))


@pytest.mark.parametrize(
    ("other", "distance"),
    [
        ((15.0, 0.0, 0.0, 5.0, 10.0, 30.0), 5.0),  # face to face
        ((13.0, 14.0, 0.0, 5.0, 5.0, 5.0), 5.0),  # edge to edge: 3 and 4
        ((12.0, 12.0, 31.0, 5.0, 5.0, 5.0), 3.0),  # corner to corner: 2, 2 and 1
        ((5.0, 5.0, 10.0, 20.0, 20.0, 5.0), 0.0),  # into one another
    ],
)
def test_clearance_between_solids(other: tuple[float, float, float, float, float, float], distance: float) -> None:
    layer = layer_of((0.0, 0.0, 0.0, 10.0, 10.0, 30.0), other)
    found, _, _ = clearance((layer, "b0"), (layer, "b1"))
    assert found == pytest.approx(distance, abs=1e-9)
    assert clearance((layer, "b1"), (layer, "b0"))[0] == pytest.approx(distance, abs=1e-9)
