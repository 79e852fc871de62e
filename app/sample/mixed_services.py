"""Pipes and cables of the mixed-use building: from stubs in the basement wall over risers to taps and meters.

`service_stubs` says where each service comes through the western basement wall; the street's pipes start there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.sample.detailed import level_of
from app.sample.floor_plan import Area, FloorPlan
from app.sample.ifc_compact import CompactModel
from app.sample.ifc_model import Point3
from app.sample.mixed_plan import CORES, HOMES
from app.sample.plan import CENTRE, Ground, Plan
from app.sample.storeys import Storey, add_box

if TYPE_CHECKING:
    from app.sample.ifc_model import Entity

STUB = -0.6  # [m] x of the free ends, outside the basement wall
ROUTE_Y = 13.0  # [m] where the pipes run east below the ceiling of the first basement
SERVICE_LEVEL = "B1"
TOILETS = ("남자화장실", "여자화장실", "장애인화장실")
PIPED = ("2F", *HOMES[:2])  # storeys whose fixtures have their pipes up to the riser
CEILING = 3.4  # [m] height of the pipes above the first basement's floor


@dataclass(frozen=True)
class Service:
    """A service of the building.

    Attributes
    ----------
    utility : str
        Kind of utility as the underground layers call it.
    name, system : str
        Korean name and the IFC type of the distribution system.
    y, z : float [m]
        Where it comes through the wall, in the building's axes (z from the ground floor).
    diameter : float [m]
    material : str
    dx, dy : float [m]
        Of the riser, from the west line of its core and from the south wall of the shaft.
    outward : bool
        Whether it leaves the building (drains).
    equipment : tuple of str
        IFC class, predefined type and Korean name of what it meets in the service room.
    """

    utility: str
    name: str
    system: str
    y: float
    z: float
    diameter: float
    material: str
    dx: float
    dy: float
    outward: bool = False
    equipment: tuple[str, str, str] = ("IfcFlowMeter", "NOTDEFINED", "계량기")

    @property
    def cable(self) -> bool:
        """Whether it is a cable rather than a pipe."""
        return self.utility in ("power", "telecom")


SERVICES = (
    Service("water", "급수", "DOMESTICCOLDWATER", 15.0, -1.5, 0.10, "동관", 5.75, 0.5,
            equipment=("IfcFlowMeter", "WATERMETER", "수도계량기")),
    Service("heat", "지역난방", "HEATING", 15.8, -1.5, 0.15, "강재", 6.05, 0.5,
            equipment=("IfcHeatExchanger", "PLATE", "난방 열교환기")),
    Service("gas", "도시가스", "GAS", 16.6, -1.2, 0.08, "강재", 6.35, 0.5,
            equipment=("IfcFlowMeter", "GASMETER", "가스계량기")),
    Service("sewage", "오수", "SEWAGE", 17.4, -1.9, 0.20, "주철관", 5.8, 1.6, True,
            equipment=("IfcInterceptor", "GREASE", "그리스 차집기")),
    Service("storm", "우수", "RAINWATER", 18.2, -1.9, 0.25, "PVC관", 6.4, 1.6, True,
            equipment=("IfcTank", "STORAGE", "빗물 저류조")),
    Service("power", "전력", "ELECTRICAL", 19.0, -1.1, 0.15, "구리 케이블", 7.1, 0.6,
            equipment=("IfcTransformer", "VOLTAGE", "변압기")),
    Service("telecom", "통신", "TELEPHONE", 19.7, -1.1, 0.10, "광케이블", 7.6, 0.6,
            equipment=("IfcCommunicationsAppliance", "NETWORKAPPLIANCE", "통신 집선함")),
)  # fmt: skip


@dataclass(frozen=True)
class Stub:
    """The free end of a service outside the basement wall.

    Attributes
    ----------
    utility, name : str
    x, y : float [m]
        In the plan's coordinates (east and north of `plan.CENTRE`); ``east`` and ``north`` on the map.
    z : float [m]
        Height of the axis above KVD1964.
    diameter : float [m]
    direction : tuple of float
        Unit vector in plan that points away from the building.
    outward : bool
        Whether it leaves the building (drains).
    global_name : str
        Name of the segment in the model.
    """

    utility: str
    name: str
    x: float
    y: float
    z: float
    diameter: float
    direction: tuple[float, float]
    outward: bool
    global_name: str

    @property
    def east(self) -> float:
        """Easting on the map [m]."""
        return CENTRE[0] + self.x

    @property
    def north(self) -> float:
        """Northing on the map [m]."""
        return CENTRE[1] + self.y


def service_stubs(plan: Plan, ground: Ground) -> tuple[Stub, ...]:
    """Where the services of the mixed-use building end in the street's direction."""
    x, y, angle = plan.mixed_place
    turn = np.radians(angle)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    level = level_of(plan.buildings[plan.mixed_building], ground)
    away = matrix @ [-1.0, 0.0]
    found = []
    for service in SERVICES:
        at = matrix @ [STUB, service.y] + [x, y]
        found.append(
            Stub(service.utility, service.name, float(at[0]), float(at[1]), round(level + service.z, 3),
                 service.diameter, (float(away[0]), float(away[1])), service.outward, f"{service.name} 인입관")
        )  # fmt: skip
    return tuple(found)


class _Joint:
    """A fitting where pipes branch; every pipe that meets there gets a port of its own."""

    def __init__(self, model: CompactModel, service: Service, storey: Storey, at: Point3) -> None:
        kind = "IfcCableCarrierFitting" if service.cable else "IfcPipeFitting"
        predefined = "TEE" if service.cable else "JUNCTION"
        size = service.diameter * 1.15
        self._model, self._service = model, service
        body = model.box((size, size, size), service.utility, at=(-size / 2, -size / 2, -size / 2))
        self._fitting = model.product(
            kind, f"{service.name} 분기", storey.entity, body, at=at, material=service.material,
            attributes={"PredefinedType": predefined},
        )  # fmt: skip
        self._ports: list[Entity] = []
        model.in_system(self._fitting, service.utility)

    def meet(self, port: Entity) -> None:
        """Join a pipe's end."""
        kind = "CABLE" if self._service.cable else "PIPE"
        own = self._model.port(
            self._fitting, f"접속 {len(self._ports) + 1}", "SOURCEANDSINK", at=(0.0, 0.0, 0.0), kind=kind,
            system=self._service.system,
        )  # fmt: skip
        self._ports.append(own)
        self._model.connect(port, own)

    def close(self) -> None:
        """Say which ports the fitting has."""
        self._model.nest(self._fitting, self._ports)


Joints = dict[tuple[str, str, str], _Joint]  # by utility, core and storey


def add(model: CompactModel, storeys: dict[str, Storey], plans: dict[str, FloorPlan]) -> None:
    """Every service from its stub to the roof, taps and drains on the storeys with dwellings and toilets."""
    joints: Joints = {}
    for service in SERVICES:
        model.system(service.utility, f"{service.name} 계통", service.system)
        for name, x in CORES:
            _riser(model, service, storeys, name, x, joints)
        _entry(model, service, storeys[SERVICE_LEVEL], joints)
    for name, plan in plans.items():
        for area in plan.areas:
            if area.use == "욕실" or area.name in TOILETS:
                _wet_room(model, storeys[name], area, joints if name in PIPED else {})
    for joint in joints.values():
        joint.close()


# Runs of pipe


def _entry(model: CompactModel, service: Service, storey: Storey, joints: Joints) -> None:
    """From the stub through the wall to the equipment, then below the ceiling to the shafts of both cores."""
    base = storey.elevation
    z = service.z - base
    order = SERVICES.index(service)
    high = CEILING
    lane = ROUTE_Y + 0.3 * (order - 3)
    kind, predefined, title = service.equipment
    equipment = add_box(
        model, kind, title, storey, (2.2, service.y - 0.3, 0.0), (1.4, 0.6, z - 0.35), "steel",
        material="강재", PredefinedType=predefined,
    )  # fmt: skip
    model.in_system(equipment, service.utility)
    path: list[Point3] = [(STUB, service.y, z), (4.6 + 0.3 * order, service.y, z), (4.6 + 0.3 * order, service.y, high),
                          (4.6 + 0.3 * order, lane, high)]  # fmt: skip
    corner = (CORES[0][1] + service.dx, lane, high)
    path.append(corner)
    branch = _Joint(model, service, storey, corner)
    branch.meet(_run(model, service, storey, path, first=f"{service.name} 인입관")[-1][1])
    for name, x in CORES:
        rest: list[Point3] = [corner, (x + service.dx, lane, high), (x + service.dx, 16.5 + service.dy, high)]
        if x == CORES[0][1]:
            rest = rest[1:]
        ports = _run(model, service, storey, rest, first=f"{service.name} {name} 연결관")
        branch.meet(ports[0][0])
        joints[service.utility, name, SERVICE_LEVEL].meet(ports[-1][1])
    branch.close()


def _run(
    model: CompactModel, service: Service, storey: Storey, path: list[Point3], *, first: str,
    diameter: float | None = None,
) -> list[tuple[Entity, Entity]]:  # fmt: skip
    """Straight segments one after another, their ports joined; gives the two ports of each."""
    made: list[tuple[Entity, Entity]] = []
    for number, (start, end) in enumerate(zip(path[:-1], path[1:], strict=True)):
        name = first if number == 0 else f"{service.name} {'간선' if service.cable else '관'}"
        made.append(_segment(model, service, storey, start, end, name, diameter))
        if number:
            model.connect(made[-2][1], made[-1][0])
    return made


def _segment(
    model: CompactModel, service: Service, storey: Storey, start: Point3, end: Point3, name: str,
    diameter: float | None = None,
) -> tuple[Entity, Entity]:  # fmt: skip
    size = diameter or service.diameter
    along = (end[0] - start[0], end[1] - start[1], end[2] - start[2])
    colour = service.utility
    kind, predefined = ("IfcCableSegment", "CABLESEGMENT") if service.cable else ("IfcPipeSegment", "RIGIDSEGMENT")
    segment = model.product(
        kind, name, storey.entity, model.rod(size / 2, along, colour), at=start, material=service.material,
        attributes={"PredefinedType": predefined},
    )  # fmt: skip
    length = round(sum(v * v for v in along) ** 0.5, 3)
    if service.cable:
        model.properties(segment, "Twin_Cable", Length=length, NominalDiameter=size)
    else:
        model.properties(segment, "Twin_Pipe", Length=length, NominalDiameter=size)
    flows = ("SOURCE", "SINK") if service.outward else ("SINK", "SOURCE")
    port_kind = "CABLE" if service.cable else "PIPE"
    ports = (
        model.port(segment, "시점", flows[0], at=(0.0, 0.0, 0.0), kind=port_kind, system=service.system),
        model.port(segment, "종점", flows[1], at=along, kind=port_kind, system=service.system),
    )
    model.nest(segment, ports)
    model.in_system(segment, service.utility)
    return ports


def _riser(
    model: CompactModel, service: Service, storeys: dict[str, Storey], core: str, x: float, joints: Joints
) -> None:
    """Storey by storey from the ceiling of the first basement to the top storey (rain: to the roof)."""
    at = (x + service.dx, 16.5 + service.dy)
    before: Entity | None = None
    names = [SERVICE_LEVEL, "1F", "2F", "3F", "4F", *HOMES]
    for name in names:
        storey = storeys[name]
        low = CEILING if name == SERVICE_LEVEL else _height(service, storey)
        last = name == names[-1]
        after = storeys[names[names.index(name) + 1]] if not last else storey
        high = storey.height + (0.0 if last else _height(service, after))
        if last and service.utility != "storm":
            high = 2.7
        joint = _Joint(model, service, storey, (*at, low))
        joints[service.utility, core, name] = joint
        ports = _segment(
            model, service, storey, (*at, low), (*at, high), f"{service.name} 입상관 {core}", service.diameter * 0.8
        )
        joint.meet(ports[0])
        if before is not None:
            joint.meet(before)
        before = ports[1]


def _height(service: Service, storey: Storey) -> float:
    """Where branches leave a riser above the floor [m]: drains low, all else below the ceiling."""
    return 0.06 if service.outward else storey.clear - 0.2


# Bathrooms and toilets


def _wet_room(model: CompactModel, storey: Storey, area: Area, joints: Joints) -> None:
    """Water closet, basin and shower of a bathroom, and on some storeys their pipes from the nearest riser."""
    x, y = area.west + 0.45, area.north - 1.0
    places = (
        ("WASHHANDBASIN", "세면기", (x, y, 0.0), (0.55, 0.45, 0.85)),
        ("TOILETPAN", "양변기", (x + 0.75, y + 0.1, 0.0), (0.42, 0.7, 0.4)),
        ("SHOWER", "샤워", (x, area.south + 0.35, 0.0), (0.08, 0.08, 2.0)),
    )
    ends = []
    for predefined, title, at, size in places:
        if predefined == "SHOWER" and area.use != "욕실":
            continue
        ends.append(_terminal(model, storey, f"{area.name} {title}", predefined, title, at, size))
    if joints:
        _branches(model, storey, area, ends, joints)


def _terminal(
    model: CompactModel, storey: Storey, name: str, predefined: str, title: str, at: Point3, size: Point3
) -> tuple[Point3, Entity, Entity]:  # fmt: skip
    key = ("sanitary", predefined)
    body = model.kind(
        key, "IfcSanitaryTerminalType", title, lambda: model.shape([(model.block(0, 0, 0, *size), "white_ware")]),
        PredefinedType=predefined,
    )  # fmt: skip
    terminal = model.product(
        "IfcSanitaryTerminal", name, storey.entity, body, at=at, material="도기",
        attributes={"PredefinedType": predefined},
    )  # fmt: skip
    model.typed(terminal, key)
    supply = model.port(
        terminal, "급수", "SINK", at=(size[0] / 2, size[1], 0.4), kind="PIPE", system="DOMESTICCOLDWATER"
    )
    drain = model.port(terminal, "배수", "SOURCE", at=(size[0] / 2, size[1] / 2, 0.0), kind="PIPE", system="SEWAGE")
    model.nest(terminal, [supply, drain])
    model.in_system(terminal, "water")
    return at, supply, drain


def _branches(
    model: CompactModel, storey: Storey, area: Area, ends: list[tuple[Point3, Entity, Entity]], joints: Joints
) -> None:  # fmt: skip
    """Water below the ceiling and drain above the floor slab, from the riser of the nearer core."""
    middle = (area.west + area.east) / 2
    core, x_core = min(CORES, key=lambda item: abs(item[1] + 6.0 - middle))
    for service, size in ((SERVICES[0], 0.032), (SERVICES[3], 0.10)):
        water = not service.outward
        at, supply, drain = ends[0] if water else ends[1]
        x, y, z = at[0] + 0.25, at[1] + (0.45 if water else 0.35), _height(service, storey)
        lane = 13.2 + (0.15 if water else -0.15)
        # From the fixture to the riser, so that the last end meets the riser's joint.
        path: list[Point3] = [(x, y, 0.4)] if water else []
        riser = (x_core + service.dx, 16.5 + service.dy)
        path += [(x, y, z), (x, lane, z), (riser[0], lane, z), (*riser, z)]
        ports = _run(model, service, storey, path, first=f"{service.name} 가지관", diameter=size)
        model.connect(ports[0][0], supply if water else drain)
        joints[service.utility, core, storey.name].meet(ports[-1][1])
