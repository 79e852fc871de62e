"""The two large building models of the sample: valid, in the place of their blocks, and complete room by room."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from app.sample import apartments, mixed_use, schedule, terrain
from app.sample.detailed import city_object
from app.sample.district import plan_district
from app.sample.fittings import clear_width
from app.sample.floor_plan import Area, FloorPlan
from app.sample.mixed_plan import DEPTH, HOMES, LENGTH, NARROW_DOORS
from app.sample.mixed_services import SERVICES, service_stubs
from app.sample.plan import CENTRE, Ground, Plan
from geo.model import Feedback

SEED = 51
FILES = ("mixed_use.ifc", "apartments.ifc")


@pytest.fixture(scope="module")
def drawn() -> tuple[Plan, Ground]:
    plan = plan_district(SEED, Feedback())
    return plan, terrain.build(plan, SEED, Feedback())


@pytest.fixture(scope="module")
def folder(drawn: tuple[Plan, Ground], tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("models")
    mixed_use.write(*drawn, made / FILES[0], seed=SEED, feedback=Feedback())
    apartments.write(*drawn, made / FILES[1], seed=SEED, feedback=Feedback())
    return made


@pytest.fixture(scope="module")
def models(folder: Path) -> dict[str, Any]:
    import ifcopenshell

    return {name: ifcopenshell.open(folder / name) for name in FILES}


@pytest.fixture(scope="module")
def bodies(models: dict[str, Any]) -> dict[str, dict[str, np.ndarray]]:
    """Vertices of every product with a shape in map coordinates, by GlobalId."""
    import ifcopenshell.geom
    import ifcopenshell.util.geolocation as geolocation

    settings = ifcopenshell.geom.settings()
    found: dict[str, dict[str, np.ndarray]] = {}
    for name, model in models.items():
        matrix = geolocation.auto_local2global(model, np.eye(4))
        points = {}
        for shape in ifcopenshell.geom.iterator(settings, model, 1, exclude=["IfcOpeningElement"]):
            own = np.frombuffer(shape.geometry.verts_buffer).reshape(-1, 3)
            place = matrix @ np.array(shape.transformation.matrix).reshape(4, 4).T
            points[shape.guid] = own @ place[:3, :3].T + place[:3, 3]
        found[name] = points
    return found


def psets(entity: Any) -> dict[str, dict[str, Any]]:
    import ifcopenshell.util.element as element

    return element.get_psets(entity)


def storey_of(entity: Any) -> Any:
    import ifcopenshell.util.element as element

    return element.get_container(entity) or element.get_aggregate(entity)


# The files


@pytest.mark.parametrize("name", FILES)
def test_a_model_is_valid_by_schema_and_rules(models: dict[str, Any], name: str) -> None:
    import ifcopenshell.validate

    log = ifcopenshell.validate.json_logger()
    ifcopenshell.validate.validate(models[name], log, express_rules=True)
    assert log.statements == []
    guids = [root.GlobalId for root in models[name].by_type("IfcRoot")]
    assert len(set(guids)) == len(guids)


def test_models_are_small_and_the_same_each_time(drawn: tuple[Plan, Ground], folder: Path, tmp_path: Path) -> None:
    mixed_use.write(*drawn, tmp_path / FILES[0], seed=SEED, feedback=Feedback())
    apartments.write(*drawn, tmp_path / FILES[1], seed=SEED, feedback=Feedback())
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
        assert (folder / name).stat().st_size < 12e6


@pytest.mark.parametrize("name", FILES)
def test_every_product_with_a_shape_gives_triangles(
    models: dict[str, Any], bodies: dict[str, dict[str, np.ndarray]], name: str
) -> None:
    wanted = {
        p.GlobalId for p in models[name].by_type("IfcProduct") if p.Representation and not p.is_a("IfcOpeningElement")
    }
    assert set(bodies[name]) == wanted
    assert min(len(points) for points in bodies[name].values()) >= 8


# Where they stand


def test_they_stand_where_their_blocks_stood(
    drawn: tuple[Plan, Ground], models: dict[str, Any], bodies: dict[str, dict[str, np.ndarray]]
) -> None:
    plan, ground = drawn
    for name, numbers in ((FILES[0], (plan.mixed_building,)), (FILES[1], plan.apartment_buildings)):
        buildings = {psets(b)["Twin_CityObject"]["Replaces"]: b for b in models[name].by_type("IfcBuilding")}
        assert set(buildings) == {city_object(number) for number in numbers}
        for number in numbers:
            block = plan.buildings[number].form.polygon
            storey = next(s for s in models[name].by_type("IfcBuildingStorey") if s.Name == "1F"
                          and s.Decomposes[0].RelatingObject == buildings[city_object(number)])  # fmt: skip
            (slab,) = [e for e in storey.ContainsElements[0].RelatedElements if e.Name == "1F 슬래브"][:1] or [None]
            points = np.concatenate(
                [bodies[name][e.GlobalId] for e in storey.ContainsElements[0].RelatedElements
                 if e.Name == "1F 슬래브"]
            )  # fmt: skip
            assert slab is not None
            hull = shapely.MultiPoint(points[:, :2] - CENTRE).convex_hull
            assert shapely.hausdorff_distance(hull, block) < 0.0021  # the block's corners are whole millimetres
            middle = block.representative_point()
            level = float(ground.sample(np.array([middle.x]), np.array([middle.y]))[0])
            assert points[:, 2].max() == pytest.approx(level + 0.02, abs=1e-3)


def test_service_stubs_lie_where_the_pipes_end(
    drawn: tuple[Plan, Ground], models: dict[str, Any], bodies: dict[str, dict[str, np.ndarray]]
) -> None:
    ends = {e.Name: bodies[FILES[0]][e.GlobalId] for e in models[FILES[0]].by_type("IfcDistributionFlowElement")
            if e.Name.endswith("인입관")}  # fmt: skip
    stubs = service_stubs(*drawn)
    assert [stub.utility for stub in stubs] == [service.utility for service in SERVICES]
    outline = drawn[0].buildings[drawn[0].mixed_building].form.polygon
    for stub in stubs:
        points = ends[stub.global_name]
        along = (points[:, :2] - (stub.east, stub.north)) @ stub.direction
        end = points[along > along.max() - 1e-4]
        assert np.abs(end.mean(axis=0) - (stub.east, stub.north, stub.z)).max() < 0.002
        assert outline.distance(shapely.Point(stub.x, stub.y)) == pytest.approx(0.6, abs=0.002)


# Rooms


def spaces(model: Any) -> Iterator[tuple[Any, str]]:
    for space in model.by_type("IfcSpace"):
        yield space, storey_of(space).id()


@pytest.mark.parametrize("name", FILES)
def test_rooms_do_not_overlap_and_say_their_area(
    models: dict[str, Any], bodies: dict[str, dict[str, np.ndarray]], name: str
) -> None:
    floors = defaultdict(list)
    for space, storey in spaces(models[name]):
        points = bodies[name][space.GlobalId]
        floor = shapely.MultiPoint(points[:, :2]).convex_hull
        quantities = psets(space)["Qto_SpaceBaseQuantities"]
        assert floor.area == pytest.approx(quantities["NetFloorArea"], rel=1e-3)
        assert np.ptp(points[:, 2]) == pytest.approx(quantities["Height"], abs=1e-3)
        assert space.LongName
        assert space.ObjectType
        floors[storey].append(floor)
    for shapes in floors.values():
        assert shapely.union_all(shapes).area == pytest.approx(sum(s.area for s in shapes), abs=0.01)


def test_rooms_lie_inside_the_building(
    drawn: tuple[Plan, Ground], models: dict[str, Any], bodies: dict[str, dict[str, np.ndarray]]
) -> None:
    plan = drawn[0]
    numbers = {FILES[0]: (plan.mixed_building,), FILES[1]: plan.apartment_buildings}
    for name, blocks in numbers.items():
        outline = shapely.union_all([plan.buildings[number].form.polygon for number in blocks])
        room = shapely.transform(outline, lambda p: p + CENTRE).buffer(0.01)
        for space in models[name].by_type("IfcSpace"):
            assert room.contains(shapely.MultiPoint(bodies[name][space.GlobalId][:, :2]))


def test_storeys_rooms_and_dwellings_are_all_there(drawn: tuple[Plan, Ground], models: dict[str, Any]) -> None:
    mixed = models[FILES[0]]
    assert [s.Name for s in mixed.by_type("IfcBuildingStorey")] == [
        "B2", "B1", *(f"{n}F" for n in range(1, 13)), "RF",
    ]  # fmt: skip
    uses = Counter(space.ObjectType for space in mixed.by_type("IfcSpace"))
    assert uses["상점"] == 8
    assert uses["거실"] == 64
    assert uses["승강로"] == 2 * 14
    assert len(mixed.by_type("IfcTransportElement")) == 2
    for lift in mixed.by_type("IfcTransportElement"):
        assert psets(lift)["Twin_Lift"]["NumberOfStops"] == 14
    plan = drawn[0]
    homes = len(models[FILES[1]].by_type("IfcZone"))
    assert homes == sum(plan.buildings[number].dwellings for number in plan.apartment_buildings)


@pytest.mark.parametrize("name", FILES)
def test_every_dwelling_has_a_living_room_window(models: dict[str, Any], name: str) -> None:
    model = models[name]
    rooms = defaultdict(set)
    for boundary in model.by_type("IfcRelSpaceBoundary"):
        if boundary.RelatedBuildingElement.is_a("IfcWindow"):
            rooms[boundary.RelatingSpace].add(boundary.RelatedBuildingElement.Name)
            assert boundary.InternalOrExternalBoundary == "EXTERNAL"
    lit = {psets(room)["Twin_Dwelling"]["Dwelling"] for room, names in rooms.items()
           if room.ObjectType == "거실" and any(n.endswith("거실 창") for n in names)}  # fmt: skip
    assert lit == {zone.Name for zone in model.by_type("IfcZone")}
    assert len(lit) > 60


@pytest.mark.parametrize("name", FILES)
def test_every_room_reaches_the_street(models: dict[str, Any], name: str, folder: Path) -> None:
    """Through doors as the file's space boundaries state them, rooms that touch, and stairs."""
    from app.importer import import_files

    imported = import_files([folder / name], frame=None)
    troubles = [issue for issue in imported.issues if issue.severity != "note"]
    assert troubles == []
    network = next(layer for layer in imported.layers if layer.source.part == "network_edges")
    assert not [issue for issue in network.issues if issue.code == "indoor.no_way_out"]


def test_doors_say_whether_a_wheelchair_passes(models: dict[str, Any]) -> None:
    narrow = set()
    for door in models[FILES[0]].by_type("IfcDoor"):
        found = psets(door)
        width = found["Twin_Door"]["ClearWidth"]
        assert width == pytest.approx(clear_width(door.OverallWidth))
        assert found["Pset_DoorCommon"]["HandicapAccessible"] <= (width >= 0.9)
        inside_home = re.match(r"\d+호", door.Name)
        if width < 0.8 and not inside_home and "점검문" not in door.Name:
            narrow.add(door.Name)
    assert narrow == set(NARROW_DOORS)


# Ways up and down


@pytest.mark.parametrize("name", FILES)
def test_stairs_meet_the_floors(models: dict[str, Any], bodies: dict[str, dict[str, np.ndarray]], name: str) -> None:
    import ifcopenshell.util.placement as placement

    for stair in models[name].by_type("IfcStair"):
        parts = stair.IsDecomposedBy[0].RelatedObjects
        flights = [bodies[name][p.GlobalId] for p in parts if p.is_a("IfcStairFlight")]
        storey = storey_of(stair)
        floors = sorted(
            float(placement.get_local_placement(s.ObjectPlacement)[2, 3])
            for s in storey.Decomposes[0].RelatingObject.IsDecomposedBy[0].RelatedObjects
        )
        here = float(placement.get_local_placement(storey.ObjectPlacement)[2, 3])
        above = floors[floors.index(here) + 1]
        zero = flights[0][:, 2].min() - here
        assert max(f[:, 2].max() for f in flights) - zero == pytest.approx(above, abs=2e-3)
        (first, *_) = [p for p in parts if p.is_a("IfcStairFlight")]
        assert 0.12 < first.RiserHeight <= 0.18
    assert stair is not None


def test_ramps_are_drivable_and_meet_the_floors(
    models: dict[str, Any], bodies: dict[str, dict[str, np.ndarray]]
) -> None:
    tops = []
    for flight in models[FILES[0]].by_type("IfcRampFlight"):
        points = bodies[FILES[0]][flight.GlobalId]
        assert psets(flight)["Twin_Ramp"]["SlopePercent"] <= 17.0
        tops.append((points[:, 2].max(), np.sort(np.unique(points[:, 2].round(3)))))
    tops.sort(key=lambda item: -item[0])
    assert tops[0][0] - tops[1][0] == pytest.approx(4.0, abs=1e-3)
    assert tops[1][0] - tops[1][1][0] == pytest.approx(3.4, abs=1e-3)


def test_pipes_are_joined_from_the_stub_to_the_tap(models: dict[str, Any]) -> None:
    import ifcopenshell.util.system as system

    model = models[FILES[0]]
    start = next(e for e in model.by_type("IfcPipeSegment") if e.Name == "급수 인입관")
    seen, front = {start}, [start]
    while front:
        element = front.pop()
        for port in system.get_ports(element):
            other = system.get_connected_port(port)
            if other is not None and (owner := system.get_port_element(other)) not in seen:
                seen.add(owner)
                front.append(owner)
    taps = {e.Name for e in seen if e.is_a("IfcSanitaryTerminal")}
    assert {f"{number}호 욕실 세면기" for number in range(501, 509)} <= taps
    assert not [e for e in seen if "오수" in e.Name]
    assert {s.PredefinedType for s in model.by_type("IfcDistributionSystem")} == {s.system for s in SERVICES}


# Floor plans


def test_walls_meet_without_overlap() -> None:
    plan = FloorPlan(
        [Area("1", "a", "u", 0, 0, 4, 5), Area("2", "b", "u", 4, 0, 8, 3), Area("3", "c", "u", 4, 3, 8, 5)],
        open=[(4.1, 3.0, 7.0, 3.0)],
    )
    walls = plan.walls()
    boxes = [
        shapely.box(w.x0, w.y0 - w.thickness / 2, w.x1, w.y1 + w.thickness / 2) if w.along_x
        else shapely.box(w.x0 - w.thickness / 2, w.y0, w.x1 + w.thickness / 2, w.y1)
        for w in walls
    ]  # fmt: skip
    assert shapely.union_all(boxes).area == pytest.approx(sum(b.area for b in boxes))
    outside = shapely.box(-0.15, -0.15, 8.15, 5.15)
    assert shapely.union_all(boxes).bounds == pytest.approx(outside.bounds)
    assert plan.clear(plan.areas[0], walls) == pytest.approx((0.15, 0.15, 3.9, 4.85))


def test_the_block_in_the_city_model_has_the_outline_of_the_podium(drawn: tuple[Plan, Ground]) -> None:
    plan, _ = drawn
    assert plan.buildings[plan.mixed_building].form.polygon.area == pytest.approx(LENGTH * DEPTH, rel=1e-4)
    assert plan.buildings[plan.mixed_building].dwellings == 8 * len(HOMES)


def test_every_element_of_the_mixed_use_building_is_in_its_schedule(folder: Path, models: dict[str, Any]) -> None:
    rows = list(schedule.tasks_of(folder / FILES[0]))
    assert len({row.guid for row in rows}) == len(rows)
    model = models[FILES[0]]
    built = {one.GlobalId for rel in model.by_type("IfcRelContainedInSpatialStructure") for one in rel.RelatedElements}
    assert built <= {row.guid for row in rows}
    assert all(row.finish > row.start and (row.done is None or row.done <= schedule.REPORTED) for row in rows)
    late = [row for row in rows if row.done is not None and row.done > row.finish]
    assert {row.storey for row in late} >= {schedule.LATE_FROM}
    assert not any(row.storey == "1F" for row in late)
    assert any(row.done is None and row.finish <= schedule.REPORTED for row in rows)  # late and not done yet
    frame = {row.storey: row.start for row in rows if row.trade.endswith("Frame")}
    assert frame["B2"] < frame["1F"] < frame["12F"]
