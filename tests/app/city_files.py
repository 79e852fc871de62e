"""A small quarter as the files of a city's offices: houses with addresses, a road, cameras, a station, valves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from tests.app.test_person_underground import SOUTH, WEST, write_town

SCHOOL, LIBRARY = "합강초등학교", "합강도서관"
ADDRESS = "세종특별자치시 합강로 12"
HOUSES = {  # name: west, south, east, north [m from the corner], height [m], address, use
    SCHOOL: (20.0, 72.0, 48.0, 86.0, 12.0, ADDRESS, "교육연구시설(학교)"),
    LIBRARY: (74.0, 74.0, 100.0, 90.0, 15.0, "세종특별자치시 합강로 14", "문화및집회시설"),
    "누리마을 101동": (24.0, 16.0, 44.0, 30.0, 24.0, "세종특별자치시 누리길 3", "공동주택"),
}
CAMERAS = {"CAM-01": (58.0, 64.0, 270.0), "CAM-02": (62.0, 48.0, 180.0)}  # east, north, direction looked in


def write_quarter(folder: Path) -> list[Path]:
    """All of it, with the ground, the water main, its register and the sewer of the town."""
    houses = [
        ({"name": name, "height": height, "도로명주소": address, "use": use}, _box(west, south, east, north))
        for name, (west, south, east, north, height, address, use) in HOUSES.items()
    ]
    road = {"name": "합강로", "width": 12.0, "traffic": 9000.0, "group": "local_streets"}
    cameras = [
        (
            {"id": key, "name": f"카메라 {key[-2:]}", "camera_model": "bullet-4mp", "pan": pan, "tilt": 18.0,
             "roll": 0.0, "focal": 4.5, "mount": "pole", "height": 5.0},
            shapely.Point(WEST + x, SOUTH + y),
        )
        for key, (x, y, pan) in CAMERAS.items()
    ]  # fmt: skip
    station = [({"station": "합강초 측정소", "network": "도시대기"}, shapely.Point(WEST + 50, SOUTH + 70))]
    return [
        *write_town(folder),
        _geojson(folder / "buildings.geojson", houses),
        _geojson(
            folder / "roads.geojson", [(road, shapely.LineString([(WEST, SOUTH + 56), (WEST + 119, SOUTH + 56)]))]
        ),
        _geojson(folder / "cctv.geojson", cameras),
        _geojson(folder / "air_stations.geojson", station),
        write_valves(folder / "WTL_VALV_PS.shp"),
    ]


def write_valves(path: Path) -> Path:
    """Three valves on the main."""
    import pyogrio

    places = [shapely.Point(WEST + x, SOUTH + 60.0) for x in (10.0, 60.0, 110.0)]
    keys = np.array(["V1", "V2", "V3"], dtype=object)
    pyogrio.raw.write(
        str(path), shapely.to_wkb(np.array(places, dtype=object)), [keys], ["관리번호"], driver="ESRI Shapefile",
        crs="EPSG:5186", geometry_type="Point", encoding="CP949",
    )  # fmt: skip
    return path


def _box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(WEST + west, SOUTH + south, WEST + east, SOUTH + north)


def _geojson(path: Path, rows: list[tuple[dict[str, Any], Any]]) -> Path:
    features = [
        {"type": "Feature", "properties": said, "geometry": json.loads(shapely.to_geojson(shape))}
        for said, shape in rows
    ]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::5186"}}
    data = {"type": "FeatureCollection", "crs": crs, "features": features}
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return path
