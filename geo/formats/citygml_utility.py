"""Utility networks of CityGML files as pipes and nodes: places, sizes, depths, kinds, and who joins whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geo import utility_fields
from geo.formats.city_objects import CityObject
from geo.formats.city_shapes import local_box, placed_on_earth
from geo.formats.city_table import Family, table_of
from geo.formats.citygml_network import NetworkParts, Piece, tables
from geo.formats.citygml_place import Axes, unify
from geo.formats.contract import ReadOptions
from geo.formats.network_box import within
from geo.model import Column, ElementTable, Feedback, Frame, Grid, Issue, Layer, Mesh
from geo.model import conventions as words

if TYPE_CHECKING:
    from geo.formats.citygml_model import CityModel

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

MAX_IDS = 50
PIPES, NODES = "pipes", "nodes"
IDS = "gml_id"
FEWEST_TOPS, NEAREST_TOPS = 3, 8  # manholes with a known top that make a ground; those that count at a place
GROUND_CELLS, LEAST_CELL = 200, 5.0  # along the longer side; [m]
AS_GIVEN = " (as given)"


@dataclass
class Network:
    """The network of a file in local metres.

    Attributes
    ----------
    local : (n, 3) float64 [local m]
        Of `parts.points`; z NaN where the file gives none.
    bodies : mapping of object id to vertices and faces
        Of those that are surfaces.
    """

    model: CityModel
    local: Floats
    bodies: dict[str, tuple[Floats, Indices]]
    frame: Frame
    derived: list[str] = field(default_factory=list)
    straight: list[str] = field(default_factory=list)
    sizes: dict[str, tuple[float, float, float]] = field(default_factory=dict)

    @property
    def parts(self) -> NetworkParts:
        """What was read."""
        return self.model.network

    def lines(self, item: CityObject) -> list[Floats]:
        """Courses (k, 3) of one object: its lines at the best level, else the axis of its body."""
        drawn = [self.local[p.start : p.stop] for p in _best(self._placed(item.id), True, self.local)]
        known = any(np.isfinite(points[:, 2]).all() for points in drawn)
        if (drawn and known) or item.id not in self.bodies:
            return drawn or self._between_nodes(item)
        from geo.pipe_axis import axis_of

        found = axis_of(*self.bodies[item.id])
        (self.derived if found.is_swept else self.straight).append(item.id)
        self.sizes[item.id] = (found.diameter, found.width, found.height)
        return [found.points]

    def _placed(self, object_id: str) -> list[Piece]:
        """Lines and points of an object that lie somewhere on Earth; the others are told."""
        pieces = self.parts.pieces.get(object_id, [])
        good = [piece for piece in pieces if np.isfinite(self.local[piece.start : piece.stop, :2]).all()]
        if len(good) < len(pieces) and object_id not in self.parts.broken:
            self.parts.broken.append(object_id)
        return good

    def _between_nodes(self, item: CityObject) -> list[Floats]:
        """A link without a course of its own runs straight between its nodes, where those lie apart."""
        ends = [self.place(node) for node in self.parts.ends.get(item.id, ())]
        if len(ends) != 2 or any(end is None for end in ends):
            return []
        course = np.array(ends)
        return [course] if np.linalg.norm(course[1] - course[0]) > 1e-6 else []

    def place(self, object_id: str) -> Floats | None:
        """Where a node is: its point, else the middle of the top of its body."""
        points = _best(self._placed(object_id), False, self.local)
        if points:
            return np.asarray(self.local[points[0].start])
        if object_id not in self.bodies:
            return None
        low, high = self.extent(object_id)
        return np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, high[2]])

    def extent(self, object_id: str) -> tuple[Floats, Floats]:
        """Lowest and highest corner of a body."""
        vertices, faces = self.bodies[object_id]
        mine = vertices[np.unique(faces)]
        return mine.min(axis=0), mine.max(axis=0)


def _best(pieces: Iterable[Piece], is_line: bool, local: Floats) -> list[Piece]:
    """Pieces of the highest level of detail that has them, one with heights before one without."""
    mine = [piece for piece in pieces if piece.is_line == is_line]
    if not mine:
        return []

    def rank(piece: Piece) -> tuple[bool, str]:
        return bool(np.isfinite(local[piece.start : piece.stop, 2]).all()), piece.lod

    top = max(rank(piece) for piece in mine)
    return [piece for piece in mine if rank(piece) == top]


def network_layers(
    model: CityModel,
    layers: list[Layer],
    name: str,
    frame: Frame,
    options: ReadOptions,
    *,
    axes: Axes,
    utility: str,
    feedback: Feedback,
) -> list[Layer]:
    """The layers with those of the network: parts ``pipes`` and ``nodes`` at the end.

    Parameters
    ----------
    layers : list of Layer
        The bodies of the file; that of theme ``utility`` holds those of pipes and manholes.
    utility : str
        What the user says the network carries, "auto" for what the file says.
    """
    parts = model.network
    bodies = _bodies(layers)
    if not parts.pieces and not any(_part_of(item) for item in model.objects if item.id in bodies):
        return layers
    feedback.step(0.0, "the utility network")
    points, crs, _, doubts = unify(parts.points, parts.runs, axes, options.crs)
    flat = _flat(parts)
    local = placed_on_earth(points, crs or frame.crs, frame) if len(points) else points.copy()
    local[flat, 2] = np.nan
    network = Network(model, local, bodies, frame)
    terrain, interpolated = _ground(network, options.terrain)
    made = _made(network, name, terrain, utility, feedback)
    if made:
        made[0] = made[0].with_(issues=(*made[0].issues, *interpolated, *(doubts if not layers else ())))
    if options.box is not None:
        made = [part for layer in made if (part := within(layer, local_box(options.box, frame))) is not None]
    feedback.step(1.0, "the utility network")
    return [*layers, *made]


def _ground(network: Network, terrain: Grid | None) -> tuple[Grid | None, list[Issue]]:
    """The ground depths count from: the terrain, else between the manholes whose tops the file says, else none."""
    if terrain is not None or not np.isnan(network.local[:, 2]).any():
        return terrain, []
    manholes = [item for item in network.model.objects if _part_of(item) == NODES and item.id in network.bodies]
    if len(manholes) < FEWEST_TOPS:
        return None, []
    tops = np.array([network.place(item.id) for item in manholes])
    plan = np.concatenate([network.local[:, :2], tops[:, :2]])
    low, high = plan.min(axis=0), plan.max(axis=0)
    cell = max(float((high - low).max()) / GROUND_CELLS, LEAST_CELL)
    columns, rows = (int(n) for n in np.ceil((high - low) / cell) + 1)
    x, y = np.meshgrid(low[0] + cell * np.arange(columns), low[1] + cell * np.arange(rows))
    from scipy.spatial import cKDTree

    distance, number = cKDTree(tops[:, :2]).query(np.stack([x, y], axis=-1), k=min(NEAREST_TOPS, len(tops)))
    weight = 1.0 / (distance**2 + 1.0)
    values = (weight * tops[number, 2]).sum(axis=-1) / weight.sum(axis=-1)
    message = (
        f"There is no terrain: where the file gives no height, depths count from a ground interpolated between the "
        f"{len(tops)} manholes whose tops it gives. Import a terrain, then this file again."
    )
    issue = Issue("citygml.ground_interpolated", message, "doubt", len(tops))
    return Grid(values, float(low[0]), float(low[1]), cell), [issue]


def _bodies(layers: list[Layer]) -> dict[str, tuple[Floats, Indices]]:
    found = {}
    for layer in layers:
        mesh = layer.geometry
        if layer.theme != "utility" or not isinstance(mesh, Mesh):
            continue
        order = np.argsort(mesh.face_element, kind="stable")
        limits = np.searchsorted(mesh.face_element[order], np.arange(len(layer.table) + 1))
        for row, element in enumerate(layer.table.ids.tolist()):
            faces = mesh.faces[order[limits[row] : limits[row + 1]]]
            if len(faces):
                found[element] = (mesh.vertices, faces.astype(np.int64))
    return found


def _flat(parts: NetworkParts) -> NDArray[np.bool_]:
    """(n,) positions of lines and points that have no height: written as 0 throughout."""
    z = parts.points[:, 2]
    flat = np.zeros(len(z), dtype=bool)
    for pieces in parts.pieces.values():
        for piece in pieces:
            flat[piece.start : piece.stop] = not z[piece.start : piece.stop].any()
    return flat


def _part_of(item: CityObject) -> str:
    """Whether an object is a line (`PIPES`), a node (`NODES`), or neither ("")."""
    if item.type in tables()["lines"]:
        return PIPES
    return NODES if item.type in tables()["nodes"] else ""


def _made(network: Network, name: str, terrain: Grid | None, utility: str, feedback: Feedback) -> list[Layer]:
    """Pipe and node layers of what has a place."""
    model, parts = network.model, network.parts
    courses: list[tuple[CityObject, list[Floats]]] = []
    spots: list[tuple[CityObject, Floats]] = []
    realised = {item.data.get("parents", ("",))[0] for item in model.objects if item.id in parts.ends}
    feature_of = _features(model)
    realised |= {feature_of[graph] for graph in realised if graph in feature_of}
    joining = 0
    for number, item in enumerate(model.objects):
        if number % 500 == 0:
            feedback.step(0.1 + 0.3 * number / len(model.objects), "the utility network")
        kind = _part_of(item) or _by_shape(parts.pieces.get(item.id, ()))
        if kind == PIPES and item.id not in realised:
            lines = network.lines(item)
            if lines:
                courses.append((item, lines))
            elif item.id in parts.ends:
                joining += 1
        elif kind == NODES:
            place = network.place(item.id)
            if place is not None:
                spots.append((item, place))
    layers = []
    if courses:
        layers.append(_pipes(network, courses, name, terrain, utility, feedback))
    if spots:
        layers.append(_nodes(network, spots, name, terrain, utility, feedback))
    if layers:
        layers[0] = layers[0].with_(issues=(*layers[0].issues, *_issues(network, joining)))
    return layers


def _by_shape(pieces: Iterable[Piece]) -> str:
    kinds = {piece.is_line for piece in pieces}
    return "" if not kinds else PIPES if True in kinds else NODES


def _features(model: CityModel) -> dict[str, str]:
    """The feature each feature graph belongs to: the object around it, or the one that points to it."""
    found = dict(model.network.of_graph)
    for item in model.objects:
        if item.type == "FeatureGraph" and item.data.get("parents"):
            found.setdefault(item.id, str(item.data["parents"][0]))
    return found


def _table(network: Network, items: list[CityObject], feedback: Feedback, utility: str) -> ElementTable:
    """Attributes of objects, with those of the features they stand for, and the kind of utility."""
    model = network.model
    features = _features(model)
    objects = {item.id: item for item in model.objects}
    # a graph belongs to the feature that points to it, as if it were written inside
    for graph, feature in features.items():
        if graph in objects and feature in objects:
            one = objects[graph]
            objects[graph] = CityObject(one.id, one.type, {**one.data, "parents": [feature]}, one.first, one.count)
    family = Family(objects)
    units = {name: next(iter(found)) for name, found in model.units.items() if len(found) == 1}
    lods = [max((p.lod for p in network.parts.pieces.get(item.id, ())), default="") for item in items]
    table = table_of(items, lods, family, feedback, units)
    kinds = [_utility(item, family, objects) for item in items]
    if utility != "auto":
        kinds = [utility] * len(items)
    more = {IDS: Column(np.array([item.id for item in items], dtype=object)), words.UTILITY: _texts(kinds)}
    columns = {key: column for key, column in table.columns.items() if key not in more}
    return ElementTable(table.ids, {**more, **columns})


def _utility(item: CityObject, family: Family, objects: dict[str, CityObject]) -> str:
    """Kind of utility by the words of its name and medium, then by its type, through what it belongs to."""
    current: CityObject | None = item
    for _ in range(8):
        if current is None:
            break
        said = _said(current)
        if said:
            return said
        above = family.parent(current)
        current = objects.get(above) if above else None
    return "other"


def _said(item: CityObject) -> str:
    data: Any = item.data.get("attributes") or {}
    texts = [str(v).lower() for k, v in data.items() if isinstance(v, str) and (k == "name" or "edium" in k)]
    for text in texts:
        for word, kind in tables()["words"].items():
            if word in text:
                return "sewage" if kind == utility_fields.SEWER else str(kind)
        kind = utility_fields.kind_in(text)
        if kind:
            return "sewage" if kind == utility_fields.SEWER else kind
    for key in data:
        for medium, kind in tables()["media"].items():
            if medium in key:
                return str(kind)
    kind = tables()["lines"].get(item.type, "")
    return "sewage" if kind == utility_fields.SEWER else str(kind)


def _texts(values: list[str]) -> Column:
    return Column(np.array(values, dtype=object))


def _own(columns: Iterable[str]) -> dict[str, str]:
    """Which column of the file plays which role."""
    names = {name.lower(): name for name in columns}
    found = {}
    for role, wishes in tables()["fields"].items():
        name = next((names[wish.lower()] for wish in wishes if wish.lower() in names), "")
        if name:
            found[f"field_{role}"] = name
    return found


def _pipes(
    network: Network,
    courses: list[tuple[CityObject, list[Floats]]],
    name: str,
    terrain: Grid | None,
    utility: str,
    feedback: Feedback,
) -> Layer:
    import shapely

    from geo.formats.vector_parts import Context, VectorOptions
    from geo.formats.vector_source import Features
    from geo.formats.vector_utility import pipe_layer

    items = [item for item, _ in courses]
    table = _table(network, items, feedback.part(0.4, 0.6), utility)
    shapes = np.empty(len(items), dtype=object)
    for row, (_, lines) in enumerate(courses):
        made = [shapely.LineString(points) for points in lines]
        shapes[row] = made[0] if len(made) == 1 else shapely.MultiLineString(made)
    columns = {**table.columns, **_size_columns(network, items, table), **_end_columns(network, items)}
    columns.pop("lod", None)
    if not any(str(value) for value in table.columns["lod"].values):
        table.columns.pop("lod", None)
    own = VectorOptions.model_validate(_own(columns))
    features = Features(name, shapes, columns, table.ids, (), network.frame.crs)
    context = Context(network.frame, terrain, own, feedback.part(0.6, 0.8))
    layer = pipe_layer(PIPES, f"{name}: pipes and cables", features, None, context)
    return _finished(layer)


def _size_columns(network: Network, items: list[CityObject], table: ElementTable) -> dict[str, Column]:
    """Sizes of bodies, in columns the file does not have; where the file says a size, that one counts."""
    if not network.sizes:
        return {}
    sizes = np.array([network.sizes.get(item.id, (np.nan,) * 3) for item in items], dtype=np.float64)
    taken = _own(table.columns)
    out = {}
    for place, role in enumerate((words.DIAMETER, words.WIDTH, words.HEIGHT)):
        if f"field_{role}" not in taken and np.isfinite(sizes[:, place]).any():
            out[role] = Column(sizes[:, place], "m")
    out[words.DERIVED] = Column(np.isin(table.ids.astype(str), [*network.derived, *network.straight]))
    return out


def _end_columns(network: Network, items: list[CityObject]) -> dict[str, Column]:
    ends = [network.parts.ends.get(item.id, ("", "")) for item in items]
    if not any(a or b for a, b in ends):
        return {}
    return {words.FROM_NODE: _texts([a for a, _ in ends]), words.TO_NODE: _texts([b for _, b in ends])}


def _nodes(
    network: Network,
    spots: list[tuple[CityObject, Floats]],
    name: str,
    terrain: Grid | None,
    utility: str,
    feedback: Feedback,
) -> Layer:
    import shapely

    from geo.formats.vector_parts import Context, VectorOptions
    from geo.formats.vector_source import Features
    from geo.formats.vector_utility_nodes import node_layer

    items = [item for item, _ in spots]
    table = _table(network, items, feedback.part(0.8, 0.9), utility)
    shapes = np.empty(len(items), dtype=object)
    shapes[:] = [shapely.Point(place) for _, place in spots]
    kinds = [tables()["nodes"].get(item.type, "other") for item in items]
    columns = {**table.columns, words.NODE: _texts(kinds), **_levels(network, items)}
    columns.pop("lod", None)
    features = Features(name, shapes, columns, table.ids, (), network.frame.crs)
    own = VectorOptions.model_validate({k: v for k, v in _own(columns).items() if k in _NODE_FIELDS})
    layer = node_layer(
        NODES, f"{name}: nodes", features, None, Context(network.frame, terrain, own, feedback.part(0.9, 1.0))
    )
    return _finished(layer)


_NODE_FIELDS = ("field_owner", "field_installed", "field_material")


def _levels(network: Network, items: list[CityObject]) -> dict[str, Column]:
    """Top and bottom of manholes that have a body, as heights of the map."""
    known = {item.id: network.extent(item.id) for item in items if item.id in network.bodies}
    if not known:
        return {}
    nothing = (np.full(3, np.nan),) * 2
    found = np.array([[known.get(item.id, nothing)[side][2] for side in (1, 0)] for item in items])
    found += network.frame.origin[2]
    return {words.GROUND: Column(found[:, 0], "m"), words.INVERT: Column(found[:, 1], "m")}


def _finished(layer: Layer) -> Layer:
    ours = {IDS, *(f"{name}{AS_GIVEN}" for name in (words.DIAMETER, words.WIDTH, words.HEIGHT, words.GROUND))}
    columns = {key: column for key, column in layer.table.columns.items() if key not in ours}
    return layer.with_(table=ElementTable(layer.table.ids, columns))


def _issues(network: Network, joining: int) -> list[Issue]:
    found = []
    for ids, code, severity, text in (
        (network.derived, "citygml.axis_derived", "note", "pipes are bodies without a line; their axis was taken "
         "from the middles of their sections."),
        (network.straight, "citygml.axis_straight", "doubt", "pipes are bodies whose sections could not be told; they "
         "are taken as straight."),
        (network.parts.broken, "citygml.bad_line", "error", "lines or points cannot be read and were left out."),
    ):  # fmt: skip
        if ids:
            message = f"{len(ids)} {text}"
            found.append(Issue(code, message, severity, len(ids), tuple(ids[:MAX_IDS])))  # type: ignore[arg-type]
    if joining:
        message = f"{joining} links only say that two nodes belong together; they have no length and are not drawn."
        found.append(Issue("citygml.links_without_course", message, "note", joining))
    return found
