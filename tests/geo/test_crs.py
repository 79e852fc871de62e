from __future__ import annotations

import numpy as np
import pytest

from geo import crs
from geo.model import UserError


def test_site_in_three_systems() -> None:
    # The nominal centre of the 5-1 district, computed with PROJ 9.5.1.
    for code, east, north in (
        ("EPSG:5186", 229_110, 435_795),
        ("EPSG:5179", 984_332, 1_835_826),
        ("EPSG:32652", 350_027, 4_042_931),
    ):
        x, y = crs.transform(127.325, 36.520, "EPSG:4326", code)
        assert float(x) == pytest.approx(east, abs=1.0)
        assert float(y) == pytest.approx(north, abs=1.0)


def test_convergence_sign_is_proved_by_projection() -> None:
    frame = crs.make_frame("EPSG:5186", 229_110.0, 435_795.0)
    assert frame.convergence_deg == pytest.approx(0.193, abs=0.001)
    # Walk 100 m true north and look where that is on the grid.
    x, y = crs.transform([frame.longitude] * 2, [frame.latitude, frame.latitude + 0.001], "EPSG:4326", "EPSG:5186")
    grid_azimuth = np.degrees(np.arctan2(x[1] - x[0], y[1] - y[0])) % 360
    assert float(frame.grid_azimuth(0.0)) == pytest.approx(float(grid_azimuth), abs=1e-3)
    assert crs.make_frame("EPSG:32652", 350_027, 4_042_931).convergence_deg == pytest.approx(-0.997, abs=0.002)


def test_project_system_is_metric_and_korean_in_korea() -> None:
    assert crs.project_crs_for("EPSG:4326", 127.18, 37.62) == "EPSG:5186"
    assert crs.project_crs_for("EPSG:4326", 129.3, 36.0) == "EPSG:5187"
    assert crs.project_crs_for("EPSG:5179", 984_332, 1_835_826) == "EPSG:5186"
    assert crs.project_crs_for("EPSG:28992", 80_000, 455_000) == "EPSG:28992"
    assert crs.project_crs_for("EPSG:4326", 18.5, -33.5) == "EPSG:32734"


@pytest.mark.parametrize("text", ["EPSG:999999", "nonsense", ""])
def test_unknown_system_is_a_user_error(text: str) -> None:
    with pytest.raises(UserError) as caught:
        crs.canonical(text)
    assert caught.value.code == "crs.unknown"


def test_project_in_degrees_is_refused() -> None:
    with pytest.raises(UserError) as caught:
        crs.make_frame("EPSG:4326", 127.0, 36.0)
    assert caught.value.code == "crs.not_metric"


def test_heights_in_feet_become_metres() -> None:
    frame = crs.make_frame("EPSG:26915", 480_000, 4_980_000)
    points = crs.to_local(np.array([[480_000.0, 4_980_000.0, 100.0]]), "EPSG:26915+6360", frame)
    assert points[0, 2] == pytest.approx(100 * 1200 / 3937)
