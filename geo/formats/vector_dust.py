"""Layers of GIS files that dust is studied with: sources, people, purifiers and stations, and the traffic of roads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from geo import terrain
from geo.formats import vector_fields as fields
from geo.formats.vector_parts import OUTLINE_LIFT, Built, Context, all_rows, surface
from geo.formats.vector_source import Features
from geo.model import Column, Issue, Points
from geo.model import conventions as words

Floats = NDArray[np.float64]
Names = Mapping[str, tuple[str, ...]]

# Other words for columns; compared as `vector_fields.plain` does. The first that a file has is taken.
TRAFFIC_WORDS: Names = {
    words.TRAFFIC: ("traffic", "aadt", "adt", "dtv", "vehiclesperday", "일평균교통량", "연평균일교통량", "일교통량",
                    "교통량", "교통량대/일"),
    words.VEHICLE_WEIGHT: ("vehicleweight", "meanweight", "평균차량중량", "평균중량"),
    words.SILT: ("silt", "siltloading", "미사부하량", "도로먼지부하량"),
    words.CARRIAGEWAY: ("carriageway", "carriagewaywidth", "차도폭", "차도너비"),
}  # fmt: skip
TRAFFIC_UNITS = {words.TRAFFIC: "1/d", words.VEHICLE_WEIGHT: "t", words.SILT: "g/m2", words.CARRIAGEWAY: "m"}
SOURCE_TEXTS: Names = {
    words.SOURCE_NAME: ("name", "이름", "명칭", "사업장명", "공사명", "현장명", "시설명"),
    words.SOURCE_GROUP: ("group", "그룹", "배출원그룹"),
    words.SOURCE_KIND: ("sourcekind", "배출원종류", "배출원구분", "종류", "구분", "kind", "type"),
}
SOURCE_NUMBERS: Names = {
    words.SOURCE_HEIGHT: ("height", "높이", "굴뚝높이", "배출구높이", "stackheight"),
    words.ACTIVE_SHARE: ("activeshare", "작업비율", "가동비율"),
}
SOURCE_UNITS = {words.SOURCE_HEIGHT: "m", words.ACTIVE_SHARE: "1"}
YEAR = 365.0 * 86400.0  # [s]
# Column by its unit: what one of it is in grams per second.
STRENGTH_UNITS = {"": 1.0, "g/s": 1.0, "kg/h": 1000.0 / 3600.0, "kg/yr": 1000.0 / YEAR, "kg/y": 1000.0 / YEAR,
                  "kg/년": 1000.0 / YEAR, "t/yr": 1e6 / YEAR, "t/y": 1e6 / YEAR, "t/년": 1e6 / YEAR,
                  "ton/yr": 1e6 / YEAR, "톤/년": 1e6 / YEAR}  # fmt: skip
STRENGTH_WORDS = {
    words.STRENGTH_PM10: ("strengthpm10", "pm10strength", "emissionpm10", "pm10emission", "pm10배출량", "배출량pm10"),
    words.STRENGTH_PM25: ("strengthpm25", "pm25strength", "emissionpm25", "pm25emission", "pm25배출량", "배출량pm25"),
}
KINDS: Names = {
    "construction": ("construction", "공사", "건설"),
    "yard": ("yard", "stockpile", "야적", "적치"),
    "stack": ("stack", "chimney", "굴뚝", "배출구"),
    "road": ("road", "도로"),
}
PEOPLE_TEXTS: Names = {
    "name": ("name", "이름", "명칭", "시설명", "정류장명", "정류소명", "학교명", "공원명"),
    words.PLACE_GROUP: ("placegroup", "시설구분", "장소구분", "유형", "구분"),
}
PEOPLE_NUMBERS: Names = {
    words.PERSONS: ("persons", "people", "population", "pop", "인구", "인구수", "총인구", "이용자수", "학생수", "인원"),
    words.HOURS_A_DAY: ("hours", "hoursaday", "체류시간", "이용시간"),
    words.DWELLINGS: ("dwellings", "세대수", "hhldcnt", "households"),
}
PEOPLE_UNITS = {words.PERSONS: "1", words.HOURS_A_DAY: "h", words.DWELLINGS: "1"}
GROUPS: Names = {
    "school": ("school", "학교", "유치원", "어린이집"),
    "stop": ("stop", "정류장", "정류소"),
    "park": ("park", "공원"),
    "home": ("home", "주거", "주택", "residential"),
    "work": ("work", "직장", "업무", "office"),
    "street": ("street", "가로", "보행"),
}
PURIFIER_TEXTS: Names = {
    words.PURIFIER_NAME: ("name", "이름", "명칭", "시설명"),
    words.PURIFIER_MODEL: ("purifiermodel", "model", "모델", "기종", "모델명"),
    words.PURIFIER_STATE: ("purifierstate", "state", "상태", "운영상태"),
    words.RUNS_SINCE: ("runssince", "가동일", "설치일", "운영시작일", "installed"),
}
PURIFIER_NUMBERS: Names = {words.OUTLET_TOWARDS: ("outlettowards", "토출방향", "배출방향", "방위각")}
STATES: Names = {
    "existing": ("existing", "운영", "가동", "설치"),
    "planned": ("planned", "계획", "예정"),
    "off": ("off", "중지", "철거", "고장"),
}
STATION_TEXTS: Names = {words.STATION: ("station", "측정소명", "측정소", "stationname", "지점명", "name", "이름")}


def traffic_columns(columns: Mapping[str, Column]) -> dict[str, Column]:
    """What a layer of roads says of its traffic, by the program's own names."""
    return _numbers(columns, TRAFFIC_WORDS, TRAFFIC_UNITS)


def sources(features: Features, context: Context) -> Built:
    """Sources of dust: sites as surfaces, roads as lines, stacks as points."""
    columns = _texts(features.columns, SOURCE_TEXTS) | _numbers(features.columns, SOURCE_NUMBERS, SOURCE_UNITS)
    columns |= _strengths(features.columns)
    issues = []
    if words.SOURCE_KIND in columns:
        columns[words.SOURCE_KIND] = _coded(columns[words.SOURCE_KIND], KINDS, "other")
    elif kind := next((kind for kind, marks in KINDS.items() if any(m in features.name.lower() for m in marks)), ""):
        columns[words.SOURCE_KIND] = Column(np.full(len(features.ids), kind, dtype=object))
        message = f"The sources say no sort; by the name {features.name} they were taken for {kind}."
        issues.append(Issue("emission.kind_by_name", message, "doubt", len(features.ids),
                            values={"layer": features.name, "kind": kind}))  # fmt: skip
    return _placed(features, context, columns, issues)


def people(features: Features, context: Context) -> Built:
    """Places with people, as points or surfaces."""
    columns = _texts(features.columns, PEOPLE_TEXTS) | _numbers(features.columns, PEOPLE_NUMBERS, PEOPLE_UNITS)
    if words.PLACE_GROUP in columns:
        columns[words.PLACE_GROUP] = _coded(columns[words.PLACE_GROUP], GROUPS, "other")
    return _placed(features, context, columns, [])


def purifiers(features: Features, context: Context) -> Built:
    """Purifiers at their feet."""
    columns = _texts(features.columns, PURIFIER_TEXTS)
    columns |= _numbers(features.columns, PURIFIER_NUMBERS, {words.OUTLET_TOWARDS: "deg"})
    if words.PURIFIER_STATE in columns:
        columns[words.PURIFIER_STATE] = _coded(columns[words.PURIFIER_STATE], STATES, "existing")
    model = columns.get(words.PURIFIER_MODEL)
    missing = len(features.ids) if model is None else sum(not value for value in model.values.tolist())
    issues = []
    if missing:
        message = f"{missing} purifiers name no model of the catalogue: no study can tell what they do."
        issues.append(Issue("purifiers.no_model", message, "doubt", missing))
    return _placed(features, context, columns, issues)


def stations(features: Features, context: Context) -> Built:
    """Stations that measure the air, by the name under which their measurements come."""
    return _placed(features, context, _texts(features.columns, STATION_TEXTS), [])


Builder = Callable[[Features, Context], Built]
BUILDERS: dict[str, Builder] = {
    "emission": sources,
    "people": people,
    "purifier": purifiers,
    "sensor": stations,
}


def _placed(features: Features, context: Context, columns: dict[str, Column], issues: list[Issue]) -> Built:
    import shapely

    dimension = int(shapely.get_dimensions(features.shapes).max(initial=0))
    if dimension == 2:
        built = surface(features, context, lift=OUTLINE_LIFT)
        mine = {name: Column(column.values[built.rows], column.unit) for name, column in columns.items()}
        return Built(built.geometry, built.rows, mine, (), (*built.issues, *issues))
    if dimension == 1:
        from geo.formats.vector_layers import plain_lines  # which itself needs the builders of this module

        built = plain_lines(features, context)
        return Built(built.geometry, built.rows, columns, (), (*built.issues, *issues))
    points, owner = shapely.get_coordinates(features.shapes, include_z=True, return_index=True)
    ground, _ = terrain.ground_or_nearest(context.terrain, points[:, 0], points[:, 1])
    on_ground = np.column_stack([points[:, :2], ground])
    return Built(Points(on_ground, owner.astype(np.int32)), all_rows(features), columns, (), tuple(issues))


def _texts(columns: Mapping[str, Column], names: Names) -> dict[str, Column]:
    """Columns of words by their own names."""
    out = {}
    for own, known in names.items():
        found = fields.find_column(columns, known)
        if found:
            values = ["" if value is None else str(value).strip() for value in columns[found].values.tolist()]
            out[own] = Column(np.array([*values, None], dtype=object)[:-1])
    return out


def _numbers(columns: Mapping[str, Column], names: Names, units: Mapping[str, str]) -> dict[str, Column]:
    """Columns of numbers by their own names; what is no number is NaN."""
    out = {}
    for own, known in names.items():
        found = fields.find_column(columns, known)
        if found:
            out[own] = Column(fields.numbers(columns[found]), units[own])
    return out


def _strengths(columns: Mapping[str, Column]) -> dict[str, Column]:
    """Strengths in grams per second, from columns whose name ends with another unit."""
    out = {}
    for own, known in STRENGTH_WORDS.items():
        by_name = {word + unit: factor for word in known for unit, factor in STRENGTH_UNITS.items()}
        found = fields.find_column(columns, tuple(by_name))
        if found:
            factor = by_name[fields.plain(found)]
            out[own] = Column(fields.numbers(columns[found]) * factor, "g/s")
    return out


def _coded(column: Column, codes: Names, other: str) -> Column:
    """Words as the program's own; empty ones stay empty."""
    return Column(np.array([*(_code(str(value), codes, other) for value in column.values.tolist()), None], object)[:-1])


def _code(text: str, codes: Mapping[str, Sequence[str]], other: str) -> str:
    low = text.lower()
    return next((code for code, marks in codes.items() if any(mark in low for mark in marks)), other if text else "")
