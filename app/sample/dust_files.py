"""Sources of dust, places with people, stations and the purifier as GeoPackage layers."""

from __future__ import annotations

from pathlib import Path

import shapely

from app.sample import dust_air, dust_measured, dust_plan
from app.sample.dust_names import EFFECT, MONTH, PEOPLE, PURIFIERS, SOURCES, STATIONS, WEATHER
from app.sample.dust_plan import DustPlan
from app.sample.plan import Plan
from app.sample.vector import write_layer
from geo.model import conventions as words

MARCH, AROUND_START = ("2025-03-01", "2025-03-31"), ("2025-05-01", "2025-06-30")


def write(plan: Plan, dust: DustPlan, folder: Path, *, seed: int) -> None:
    """Maps, the weather of a year, a month of all stations, and two months around the start of the purifier."""
    write_sources(dust, folder / SOURCES)
    write_people(dust, folder / PEOPLE)
    write_stations(dust, folder / STATIONS)
    write_purifiers(dust, folder / PURIFIERS)
    wind = dust_air.make_wind(seed)
    dust_measured.write_weather(wind, folder / WEATHER)
    stations = range(len(dust.stations))
    for name, (first, last), numbers in (
        (MONTH, MARCH, stations),
        (EFFECT, AROUND_START, (dust.treated, dust.control)),
    ):
        air = dust_air.measured(plan, dust, wind, first=first, last=last, seed=seed)
        dust_measured.write_air(air, dust.stations, numbers, folder / name)


def write_sources(dust: DustPlan, path: Path) -> None:
    """Layers ``construction_sites`` (an area) and ``stacks`` (a point)."""
    site: dict[str, list[object]] = {
        words.SOURCE_NAME: ["합강 첨단농업단지 조성공사"],
        words.SOURCE_GROUP: [dust_plan.SITE_GROUP],
        words.SOURCE_KIND: ["construction"],
        words.ACTIVE_SHARE: [dust_plan.ACTIVE_SHARE],
        "area": [round(dust.site.area, 1)],
    }
    write_layer(path, "construction_sites", [dust.site], site, title="합강 표본지구 건설현장")
    plant: dict[str, list[object]] = {
        words.SOURCE_NAME: ["배치플랜트"],
        words.SOURCE_GROUP: [dust_plan.PLANT_GROUP],
        words.SOURCE_KIND: ["stack"],
        words.SOURCE_HEIGHT: [dust_plan.PLANT_HEIGHT],
        words.STRENGTH_PM10: [dust_plan.PLANT_PM10],
        words.STRENGTH_PM25: [dust_plan.PLANT_PM25],
    }
    write_layer(path, "stacks", [shapely.Point(dust.plant)], plant, title="합강 표본지구 배출구")


def write_people(dust: DustPlan, path: Path) -> None:
    """Layer ``people``: schools, parks, work places and stops, each as points that share its people."""
    shapes = [shapely.MultiPoint(place.points) for place in dust.people]
    columns: dict[str, list[object]] = {
        "name": [place.name for place in dust.people],
        words.PLACE_GROUP: [place.group for place in dust.people],
        words.PERSONS: [float(place.persons) for place in dust.people],
        words.HOURS_A_DAY: [place.hours for place in dust.people],
    }
    write_layer(path, "people", shapes, columns, title="합강 표본지구 학교·공원·직장·정류장 이용자")


def write_stations(dust: DustPlan, path: Path) -> None:
    """Layer ``air_stations``."""
    columns: dict[str, list[object]] = {
        words.STATION: [one.name for one in dust.stations],
        "network": [one.network for one in dust.stations],
    }
    shapes = [shapely.Point(one.x, one.y) for one in dust.stations]
    write_layer(path, "air_stations", shapes, columns, title="합강 표본지구 대기측정소")


def write_purifiers(dust: DustPlan, path: Path) -> None:
    """Layer ``purifiers``: the one that stands."""
    x, y, towards = dust.purifier
    columns: dict[str, list[object]] = {
        words.PURIFIER_NAME: ["가로변 공기정화탑"],
        words.PURIFIER_MODEL: [dust_plan.PURIFIER_MODEL],
        words.OUTLET_TOWARDS: [towards],
        words.PURIFIER_STATE: ["existing"],
        words.RUNS_SINCE: [dust_plan.PURIFIER_SINCE],
    }
    write_layer(path, "purifiers", [shapely.Point(x, y)], columns, title="합강 표본지구 공기정화기")
