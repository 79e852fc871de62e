"""Pipes, ducts and cables of a model as a network: an axis for each segment, nodes between them, joined port by port.

Where the file joins no ports, ends that lie at a device or at another end are joined by their place and marked
``derived``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bim.attributes import by_type, text
from bim.elements import element_ids
from bim.georeference_entities import Matrix
from bim.indoor_bodies import Body, bodies_of
from bim.mep_ports import Port, read_ports
from bim.mep_sweeps import sweep_of
from bim.mep_systems import UNKNOWN, node_of, read_systems, utility_of, utility_of_type
from bim.tessellation import Tessellation
from geo.model import Feedback

if TYPE_CHECKING:
    import ifcopenshell
    from ifcopenshell import entity_instance

    from geo.pipe_axis import Axis

Floats = NDArray[np.float64]

SEGMENT, ELEMENT = "IfcFlowSegment", "IfcDistributionElement"
NEAR = 0.02  # [m] ends nearer than this meet, beyond the radii
SHORTEST = 1e-6  # [m]
REACH = 0.05  # [m] an end may miss the body of a device by this


@dataclass
class Segment:
    """A pipe, duct or cable.

    Attributes
    ----------
    points : (k, 3) float64 [model m]
    ends : list of two str
        Ids of the nodes at its first and last vertex, "" for none.
    derived : bool
        Whether one of them was found by its place.
    """

    entity: entity_instance
    points: Floats
    axis: Axis | None
    utility: str
    system: str
    ends: list[str] = field(default_factory=lambda: ["", ""])
    derived: bool = False

    @property
    def radius(self) -> float:
        """Half of its largest size [m], 0 unknown."""
        if self.axis is None:
            return 0.0
        sizes = np.array([self.axis.diameter, self.axis.width, self.axis.height])
        return 0.0 if np.isnan(sizes).all() else float(np.nanmax(sizes)) / 2


@dataclass
class Node:
    """A device, or a joint between two segments, in the network of one utility."""

    id: str
    step: int
    place: Floats
    utility: str
    kind: str
    derived: bool = False


@dataclass
class Network:
    """What was found in a model, in model metres; segments without an axis and devices without a pipe by step id."""

    segments: list[Segment] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)
    without_axis: list[int] = field(default_factory=list)
    loose: list[int] = field(default_factory=list)


def mep_network(
    file: ifcopenshell.file, shapes: Tessellation, metres_per_unit: float, feedback: Feedback
) -> Network | None:
    """The network of a model, None without segments."""
    segments = by_type(file, SEGMENT)
    if not segments:
        return None
    devices = [one for one in by_type(file, ELEMENT) if not one.is_a(SEGMENT) and not one.is_a("IfcPort")]
    made = set(shapes.product.tolist())
    wanted = [one.id() for one in (*segments, *devices) if one.id() in made]
    bodies = bodies_of(file, shapes, wanted, feedback.part(0.0, 0.2))
    build = _Build(file, bodies, devices, metres_per_unit)
    systems = read_systems(file)
    for number, entity in enumerate(segments):
        feedback.step(0.2 + 0.5 * number / len(segments), "axes of pipes and cables")
        build.add(entity, systems.get(entity.id(), []))
    feedback.step(0.7, "joining pipes and cables")
    build.join_ports()
    build.join_devices(systems)
    build.join_places(feedback.part(0.75, 0.95))
    build.note_loose()
    return build.network


class _Build:
    """Puts a network together."""

    def __init__(
        self,
        file: ifcopenshell.file,
        bodies: dict[int, Body],
        devices: Sequence[entity_instance],
        metres_per_unit: float,
    ) -> None:
        self.network = Network()
        self._file, self._bodies = file, bodies
        self._ports = read_ports(file, metres_per_unit)
        self._devices = {one.id(): one for one in devices}
        ids = element_ids(file, list(self._devices))
        self._id = dict(zip(self._devices, ids, strict=True))
        self._kind = {step: node_of(file.schema_identifier, one.is_a()) for step, one in self._devices.items()}
        self._segment: dict[int, int] = {}
        self._metres = metres_per_unit
        self._placements: dict[int, Matrix | None] = {}

    def add(self, entity: entity_instance, systems: list[entity_instance]) -> None:
        """Take in one segment: its axis by its body, else between its first and last port."""
        body, ports = self._bodies.get(entity.id()), self._placed(entity.id())
        axis = None if body is None else self._axis(entity, body, ports)
        points = axis.points if axis is not None else _ends(ports)
        if points is None or np.linalg.norm(points[-1] - points[0]) < SHORTEST:
            self.network.without_axis.append(entity.id())
            return
        system = next((name for one in systems if (name := text(one, "Name"))), "")
        points = _from_first_port(points, ports)
        self._segment[entity.id()] = len(self.network.segments)
        self.network.segments.append(Segment(entity, points, axis, utility_of(entity, systems, self._ports), system))

    def _axis(self, entity: entity_instance, body: Body, ports: list[Port]) -> Axis:
        """By the extrusion the file states, else by the surfaces of the body."""
        from geo.pipe_axis import Axis, axis_of, straight_axis

        sweep = sweep_of(entity, self._metres, self._placements)
        if sweep is not None and np.isfinite([sweep.diameter, sweep.width]).any():
            points = straight_axis(body.vertices, sweep.direction)
            return Axis(points, sweep.diameter, sweep.width, sweep.height, is_swept=True)
        return axis_of(body.vertices, body.faces, direction=_between(ports))

    def _placed(self, step: int) -> list[Port]:
        return [port for port in self._ports.of.get(step, ()) if port.place is not None]

    # Joined by the file

    def join_ports(self) -> None:
        """Nodes where ports are joined: the device on the other side, or a joint between two segments."""
        for step, number in self._segment.items():
            segment = self.network.segments[number]
            for port, end in self._ports_at_ends(segment, self._ports.of.get(step, [])):
                if segment.ends[end]:
                    continue
                for mate in self._ports.joined_with(port):
                    self._meet(segment, end, port, mate)
                    break

    def _ports_at_ends(self, segment: Segment, ports: list[Port]) -> list[tuple[Port, int]]:
        """Which port is at which end: the nearest; those without a place in the order of the file."""
        found: list[tuple[Port, int]] = []
        free = [0, 1]
        for port in ports:
            if not free:
                break
            end = free[0]
            if port.place is not None:
                away = [float(np.linalg.norm(segment.points[-e] - port.place)) for e in free]
                end = free[int(np.argmin(away))]
                if len(free) == 2 and min(away) > segment.radius + REACH and len(ports) > 2:
                    continue  # a branch between the ends
            free.remove(end)
            found.append((port, end))
        return found

    def _meet(self, segment: Segment, end: int, port: Port, mate: Port) -> None:
        if mate.owner in self._devices:
            segment.ends[end] = self._device_node(mate.owner, segment.utility, mate.place).id
            return
        if mate.owner not in self._segment:
            return
        other = self.network.segments[self._segment[mate.owner]]
        node = min(port.step, mate.step)
        name = text(self._file.by_id(node), "GlobalId") or f"#{node}"
        place = segment.points[-end]
        self.network.nodes.setdefault(name, Node(name, node, place, segment.utility, "junction"))
        segment.ends[end] = name
        for theirs, its_end in self._ports_at_ends(other, self._ports.of.get(mate.owner, [])):
            if theirs.step == mate.step and not other.ends[its_end]:
                other.ends[its_end] = name

    def join_devices(self, systems: dict[int, list[entity_instance]]) -> None:
        """A short line between two devices whose ports are joined without a pipe between them."""
        ports, done = self._ports.by_step, set[frozenset[str]]()
        for relation, first, second in self._ports.pairs:
            pair = [ports[step] for step in (first, second) if step in ports and ports[step].owner in self._devices]
            if len(pair) != 2 or pair[0].owner == pair[1].owner:
                continue
            said = [utility_of_type(port.system) for port in pair]
            owners = [self._devices[port.owner] for port in pair]
            said += [utility_of(one, systems.get(one.id(), []), self._ports) for one in owners]
            utility = next((kind for kind in said if kind not in ("", UNKNOWN)), UNKNOWN)
            nodes = [self._device_node(port.owner, utility, port.place) for port in pair]
            points = np.array([node.place for node in nodes])
            ends = [node.id for node in nodes]
            if float(np.linalg.norm(points[1] - points[0])) > SHORTEST and frozenset(ends) not in done:
                done.add(frozenset(ends))
                entity = self._file.by_id(relation)
                self.network.segments.append(Segment(entity, points, None, utility, "", ends))

    def _device_node(self, step: int, utility: str, place: Floats | None, *, derived: bool = False) -> Node:
        """The node of a device in one utility; a basin is one of water and one of sewage."""
        plain = self._id[step]
        for name in (plain, f"{plain}#{utility}"):
            node = self.network.nodes.get(name)
            if node is None:
                at = place if place is not None else self._middle(step)
                if self._kind[step] == "junction" or at is None:
                    at = self._middle(step) if self._middle(step) is not None else at
                made = Node(name, step, np.zeros(3) if at is None else at, utility, self._kind[step], derived)
                return self.network.nodes.setdefault(name, made)
            if node.utility == utility:
                return node
        raise AssertionError(name)  # pragma: no cover

    def _middle(self, step: int) -> Floats | None:
        places = [port.place for port in self._placed(step) if port.place is not None]
        if step in self._bodies:
            points = self._bodies[step].vertices
            return np.asarray((points.min(axis=0) + points.max(axis=0)) / 2)
        return np.asarray(np.mean(places, axis=0)) if places else None

    # Joined by their place

    def join_places(self, feedback: Feedback) -> None:
        """Free ends at a device, or at the end of another segment of the same utility."""
        free = [(s, e) for s, segment in enumerate(self.network.segments) for e in (0, 1) if not segment.ends[e]]
        if not free:
            return
        self._to_devices(free, feedback)
        self._to_ends(feedback)

    def _to_devices(self, free: list[tuple[int, int]], feedback: Feedback) -> None:
        steps = [step for step in self._devices if step in self._bodies]
        if not steps:
            return
        boxes = np.array([[f(self._bodies[s].vertices, axis=0) for f in (np.min, np.max)] for s in steps])
        for number, (row, end) in enumerate(free):
            if number % 200 == 0:
                feedback.step(0.5 * number / len(free), "joining pipes and cables")
            segment = self.network.segments[row]
            point = segment.points[-end]
            outside = np.maximum(np.maximum(boxes[:, 0] - point, point - boxes[:, 1]), 0.0)
            away = np.linalg.norm(outside, axis=1)
            best = int(np.argmin(away))
            if away[best] <= REACH and self._fits(steps[best], segment.utility):
                segment.ends[end] = self._device_node(steps[best], segment.utility, point, derived=True).id
                segment.derived = True

    def _fits(self, step: int, utility: str) -> bool:
        """Whether a device can be of a utility: its ports do not all say another."""
        said = {utility_of_type(port.system) for port in self._ports.of.get(step, ())} - {""}
        return not said or utility in said

    def _to_ends(self, feedback: Feedback) -> None:
        from scipy.spatial import cKDTree

        segments = self.network.segments
        every = [(s, e) for s in range(len(segments)) for e in (0, 1)]
        tree = cKDTree(np.array([segments[s].points[-e] for s, e in every]))
        for number, (row, end) in enumerate(every):
            if number % 200 == 0:
                feedback.step(0.5 + 0.5 * number / len(every), "joining pipes and cables")
            segment = segments[row]
            if segment.ends[end]:
                continue
            mine = [
                every[k]
                for k in tree.query_ball_point(segment.points[-end], NEAR + segment.radius)
                if every[k][0] != row and segments[every[k][0]].utility == segment.utility
            ]
            if mine:
                self._joint(row, end, mine)

    def _joint(self, row: int, end: int, others: list[tuple[int, int]]) -> None:
        segments = self.network.segments
        segment = segments[row]
        name = next((segments[s].ends[e] for s, e in others if segments[s].ends[e]), "")
        if not name:
            own = text(segment.entity, "GlobalId") or f"#{segment.entity.id()}"
            name = f"{own}#{'end' if end else 'start'}"
            place = segment.points[-end]
            self.network.nodes[name] = Node(name, segment.entity.id(), place, segment.utility, "junction", True)
        for s, e in [(row, end), *others]:
            if not segments[s].ends[e]:
                segments[s].ends[e] = name
                segments[s].derived = True

    def note_loose(self) -> None:
        """Note the devices that no segment meets: they are no part of the network."""
        there = {node.step for node in self.network.nodes.values()}
        self.network.loose += [step for step in self._devices if step not in there]


def _between(ports: list[Port]) -> Floats | None:
    """Way from the first port to the second where both have a place and nothing else does."""
    if len(ports) != 2 or ports[0].place is None or ports[1].place is None:
        return None
    way = ports[1].place - ports[0].place
    return way if float(np.linalg.norm(way)) > NEAR else None


def _ends(ports: list[Port]) -> Floats | None:
    return None if len(ports) < 2 else np.array([ports[0].place, ports[-1].place], dtype=np.float64)


def _from_first_port(points: Floats, ports: list[Port]) -> Floats:
    """The axis beginning at the first port, as the file lists them."""
    if not ports or ports[0].place is None:
        return points
    first, last = (float(np.linalg.norm(points[k] - ports[0].place)) for k in (0, -1))
    return points[::-1] if last < first else points
