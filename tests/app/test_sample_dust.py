"""What the studies of dust need of the sample: plausible, consistent, read by the normal readers, and learnable."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import shapely

from analysis.dust.calibrate import Measured, calibrate
from analysis.dust.catalogue import purifiers
from analysis.dust.effect import effect
from analysis.wind.climate import hours_of
from app.importer import import_files
from app.sample import buildings, dust_air, dust_files, dust_names, dust_plan, roads, terrain
from app.sample.district import plan_district
from app.sample.dust_plan import DustPlan, plan_dust
from app.sample.plan import Ground, Plan
from geo.model import Feedback, Issue, Layer, Mesh, Points

SEED = 51
MARCH_HOURS = 31 * 24


@pytest.fixture(scope="module")
def district() -> tuple[Plan, DustPlan]:
    plan = plan_district(SEED, Feedback())
    return plan, plan_dust(plan, SEED)


@pytest.fixture(scope="module")
def folder(district: tuple[Plan, DustPlan], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dust")
    plan, dust = district
    terrain.write(terrain.build(plan, SEED, Feedback()), out / "terrain.tif")
    roads.write_roads(plan, out / "roads.gpkg", traffic=dust.traffic)
    dust_files.write(plan, dust, out, seed=SEED)
    return out


@pytest.fixture(scope="module")
def layers(folder: Path) -> dict[str, Layer]:
    names = ("terrain.tif", "roads.gpkg", *dust_names.MAPS, *dust_names.MEASUREMENTS)
    read = import_files([folder / name for name in names], frame=None)
    assert not [issue for issue in read.issues if issue.severity != "note"]
    return {layer.id: layer for layer in read.layers}


def rows_of(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_bytes().decode("cp949").splitlines()))


def test_the_ring_road_carries_most(layers: dict[str, Layer]) -> None:
    table = layers["roads-centrelines"].table.columns
    traffic, kind = table["traffic"].values, table["class"].values
    ring = traffic[(kind == "ring") & (table["name"].values == "외곽순환로")]
    assert 25_000 <= ring.min() <= ring.max() <= 41_000
    means = [traffic[kind == one].mean() for one in ("collector", "local", "lane")]
    assert ring.mean() > means[0] > means[1] > means[2] > 0
    assert table["traffic"].unit == "1/d"
    assert set(table["group"].values) == {"ring_road", "collectors", "local_streets"}
    assert (table["vehicle_weight"].values > 1.0).all()


def test_the_site_lies_free_on_a_lot(district: tuple[Plan, DustPlan]) -> None:
    plan, dust = district
    assert 10_000.0 <= dust.site.area <= 30_000.0
    assert dust.site.is_valid
    assert min(building.form.polygon.distance(dust.site) for building in plan.buildings) > 4.0
    assert sum(parcel.polygon.intersects(dust.site) for parcel in plan.parcels) == 1
    assert dust.site.contains(shapely.Point(dust.plant))


def test_layers_bear_their_themes_and_columns(layers: dict[str, Layer]) -> None:
    site, stack = layers["dust_sources-construction_sites"], layers["dust_sources-stacks"]
    assert (site.theme, stack.theme) == ("emission", "emission")
    assert isinstance(site.geometry, Mesh)
    assert site.table.columns["source_kind"].values.tolist() == ["construction"]
    assert stack.table.columns["strength_pm10"].unit == "g/s"
    tower = layers["purifiers"]
    assert tower.theme == "purifier"
    assert tower.table.columns["purifier_model"].values[0] in purifiers()
    assert tower.table.columns["purifier_state"].values.tolist() == ["existing"]
    assert layers["air_stations"].theme == "sensor"
    people = layers["people"]
    assert isinstance(people.geometry, Points)
    assert len(people.geometry.vertices) > len(people.table)  # a park is many points
    assert set(people.table.columns["place_group"].values) == {"school", "park", "work", "stop"}


def test_people_live_where_dwellings_are(district: tuple[Plan, DustPlan]) -> None:
    plan, _ = district
    ground = Ground(np.full((3, 3), 20.0), -2000.0, -2000.0, 2000.0)
    city = buildings.city_json(plan, ground, Feedback())
    rows = [one["attributes"] for one in city["CityObjects"].values()]  # type: ignore[attr-defined]
    assert all((row["persons"] > 0) == (row["dwellings"] > 0) for row in rows)
    assert sum(row["persons"] for row in rows) == pytest.approx(2.4 * sum(row["dwellings"] for row in rows), rel=0.02)


def test_stations_stand_free_and_measure_under_their_names(
    district: tuple[Plan, DustPlan], layers: dict[str, Layer]
) -> None:
    plan, dust = district
    spots = [shapely.Point(one.x, one.y) for one in dust.stations]
    houses = shapely.union_all([building.form.polygon for building in plan.buildings])
    carriageways = shapely.union_all([s.line.buffer(s.carriageway / 2) for s in plan.streets if s.carriageway])
    assert len(spots) == 12
    assert min(houses.distance(spot) for spot in spots) > 2.0
    assert not any(carriageways.contains(spot) for spot in spots)
    named = set(layers["air_stations"].table.columns["station"].values)
    assert set(layers["air_quality_2025-03-measured"].table.columns["station"].values) == named
    x, y, towards = dust.purifier
    beside = dust.stations[dust.treated]
    turn = np.radians(towards)
    assert np.allclose([x + 9 * np.sin(turn), y + 9 * np.cos(turn)], [beside.x, beside.y], atol=0.02)


def test_the_month_is_a_table_as_a_city_writes_it(folder: Path, layers: dict[str, Layer]) -> None:
    names, *rows = rows_of(folder / dust_names.MONTH)
    assert names == ["측정소명", "측정망", "측정일시", "PM10(㎍/㎥)", "PM2.5(㎍/㎥)", "비고"]
    assert len(rows) == 12 * MARCH_HOURS
    assert {row[2][-5:] for row in rows} == {f"{hour:02d}:00" for hour in range(1, 25)}
    gaps = sum(row[3] == "-" for row in rows) / len(rows)
    assert 0.005 < gaps < 0.12
    assert all("합성" in row[5] for row in rows)
    found = layers["air_quality_2025-03-measured"].table.columns
    assert found["time"].values[0] == "2025-03-01T01:00"
    assert found["time"].values[MARCH_HOURS - 1] == "2025-04-01T00:00"
    pm10, pm25 = found["pm10"].values, found["pm25"].values
    known = np.isfinite(pm10) & np.isfinite(pm25)
    assert (pm25[known] <= pm10[known]).all()
    assert 30.0 < pm10[known].mean() < 80.0


def test_the_year_of_wind_is_read_as_the_offices_write_it(layers: dict[str, Layer]) -> None:
    wind = hours_of(layers["weather_2025-table"])
    assert len(wind.speed) == 8760
    assert wind.step == 22.5
    assert 1.3 < np.nanmean(wind.speed) < 2.2
    assert 0.03 < (wind.speed < 0.5).mean() < 0.25
    winter, summer = np.isin(wind.month, (12, 1, 2)), np.isin(wind.month, (6, 7, 8))
    north = np.cos(np.radians(wind.wind_from))
    assert np.nanmean(north[winter]) > 0.2 > np.nanmean(north[summer])


def test_the_same_seed_gives_the_same_files(district: tuple[Plan, DustPlan], folder: Path, tmp_path: Path) -> None:
    dust_files.write(*district, tmp_path, seed=SEED)
    for made in tmp_path.iterdir():
        assert made.read_bytes() == (folder / made.name).read_bytes(), made.name
    assert plan_dust(district[0], SEED + 1).traffic != district[1].traffic


def hourly_transfer(plan: Plan, dust: DustPlan, wind: dust_air.Wind, air: dust_air.Air) -> np.ndarray:
    """(hours, stations, groups) at the strengths of the emission factors, without the rhythm of the day."""
    chosen = np.isin(wind.end, air.end)
    places = np.array([[one.x, one.y] for one in dust.stations])
    weight = dust_air._direction_weights(wind.speed[chosen], wind.wind_from[chosen])
    local = dust_air.SHELTER * np.sqrt(wind.speed[chosen] ** 2 + 2.0 * dust_air.MEANDER**2)
    points = dust_air.source_points(plan, dust)
    parts = [weight @ dust_air._transfer(points[group], places)[0] / local[:, None] for group in dust_air.GROUPS]
    return np.stack(parts, axis=2)


def test_a_calibration_finds_what_was_hidden(district: tuple[Plan, DustPlan]) -> None:
    plan, dust = district
    wind = dust_air.make_wind(SEED)
    air = dust_air.measured(plan, dust, wind, first="2025-03-01", last="2025-03-31", seed=SEED)
    transfer = hourly_transfer(plan, dust, wind, air)
    hours, stations, groups = transfer.shape
    # The air outside is that of the station to which the sources add least, hour by hour.
    added = np.where(np.isfinite(air.pm10), transfer.sum(axis=2), np.inf)
    row, least = np.arange(hours), added.argmin(axis=1)
    outside = np.repeat((air.pm10[row, least] - added[row, least])[:, None], stations, axis=1)
    value = air.pm10.copy()
    value[row, least] = np.nan
    issues: list[Issue] = []
    found = calibrate(
        Measured(transfer.reshape(-1, groups), value.ravel(), outside.ravel(),
                 np.tile(np.arange(stations), hours), np.ones(groups)), issues,
    )  # fmt: skip
    ring, collectors, _, site, _ = found.factor
    assert found.is_accepted
    assert found.increment.correlation > 0.7
    assert ring == pytest.approx(1.5, abs=0.25)
    assert collectors > 0.8
    assert site == pytest.approx(0.6, abs=0.15)


def test_the_purifier_is_seen_beside_it_and_nowhere_else(district: tuple[Plan, DustPlan]) -> None:
    plan, dust = district
    wind = dust_air.make_wind(SEED)
    air = dust_air.measured(plan, dust, wind, first="2025-05-01", last="2025-06-30", seed=SEED)
    day = (air.end - np.timedelta64(1, "h")).astype("datetime64[D]").astype(np.int64)
    after = air.end > np.datetime64(dust_plan.PURIFIER_SINCE, "h")
    seen = effect(air.pm10[:, dust.treated], air.pm10[:, dust.control], day, after, [])
    assert seen.is_seen
    assert -15.0 < seen.percent < -2.0
    other = effect(air.pm10[:, 0], air.pm10[:, dust.control], day, after, [])
    assert abs(other.change) < 2.0
