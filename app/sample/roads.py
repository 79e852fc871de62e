"""Streets, paths, parcels, water and boundary as GeoPackage layers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import shapely

from app.sample.dust_plan import GROUPS
from app.sample.plan import Plan, Street
from app.sample.vector import write_layer
from geo.model import conventions as words

CLASSES = {
    "ring": "외곽순환도로", "brt": "BRT 전용차로", "collector": "집산도로", "local": "국지도로", "lane": "골목길",
    "bicycle": "자전거도로", "walk": "보행로",
}  # fmt: skip


def write_roads(plan: Plan, path: Path, *, traffic: Mapping[int, tuple[int, float]] | None = None) -> None:
    """Layers ``centrelines`` (with width and carriageway width [m], and the traffic) and ``paths``.

    traffic : mapping, optional
        Vehicles a day and mean weight [t] by number of the street in the plan; without it roads say no traffic.
    """
    numbers = [number for number, s in enumerate(plan.streets) if s.kind not in ("bicycle", "walk")]
    vehicles = [plan.streets[number] for number in numbers]
    paths = [s for s in plan.streets if s.kind in ("bicycle", "walk")]
    columns = _columns(vehicles)
    if traffic is not None:
        columns[words.TRAFFIC] = [traffic[number][0] for number in numbers]
        columns[words.VEHICLE_WEIGHT] = [traffic[number][1] for number in numbers]
        columns[words.SOURCE_GROUP] = [GROUPS[street.kind] for street in vehicles]
    write_layer(
        path, "centrelines", [s.line for s in vehicles], columns, title="합강 표본지구 도로 중심선, 지어낸 교통량"
    )
    write_layer(path, "paths", [s.line for s in paths], _columns(paths), title="합강 표본지구 자전거길과 보행로")


def _columns(streets: list[Street]) -> dict[str, list[object]]:
    return {
        "name": [s.name for s in streets],
        "class": [s.kind for s in streets],
        "class_ko": [CLASSES[s.kind] for s in streets],
        "width": [s.width for s in streets],
        "carriageway": [s.carriageway for s in streets],
        "lanes": [s.lanes for s in streets],
        "speed": [s.speed for s in streets],
    }


def write_parcels(plan: Plan, path: Path) -> None:
    """Layer ``parcels`` with zoning, caps and the coverage that the sample's buildings reach [%]."""
    covered: dict[str, float] = defaultdict(float)
    for building in plan.buildings:
        covered[building.parcel] += building.form.polygon.area
    parcels = plan.parcels
    areas = np.array([p.polygon.area for p in parcels])
    columns: dict[str, list[object]] = {
        "id": [p.id for p in parcels],
        "zoning": [p.zoning for p in parcels],
        "use": [p.use for p in parcels],
        "area": np.round(areas, 1).tolist(),
        "bcr_max": [p.coverage_max for p in parcels],
        "far_max": [p.floor_area_max for p in parcels],
        "bcr": [round(100 * covered[p.id] / a, 1) for p, a in zip(parcels, areas, strict=True)],
    }
    write_layer(path, "parcels", [p.polygon for p in parcels], columns, title="합강 표본지구 필지와 용도지역")


def write_water(plan: Plan, path: Path) -> None:
    """Layer ``water``: rivers, stream, ponds."""
    shapes = [polygon for _, _, polygon in plan.water if isinstance(polygon, shapely.Polygon)]
    rows = [(name, kind) for name, kind, polygon in plan.water if isinstance(polygon, shapely.Polygon)]
    columns = {"name": [name for name, _ in rows], "kind": [kind for _, kind in rows]}
    write_layer(path, "water", shapes, columns, title="합강 표본지구 하천과 호수")


def write_boundary(plan: Plan, path: Path) -> None:
    """Layer ``boundary``: the outline of the site."""
    columns = {"name": ["합강 표본지구"], "area": [round(plan.boundary.area, 1)]}
    write_layer(path, "boundary", [plan.boundary], columns, title="합강 표본지구 구역계")
