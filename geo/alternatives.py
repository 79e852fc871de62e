"""Alternatives: named sets of changes on the base scene, never a copy of the city.

A change says where an element of the base stands instead, how tall it is, or that it is gone; a mass is a new building
from its footprint, a proposal one from a file. `apply_alternative` gives the layers of a scene as an alternative would
have them: layers without a change are the very same objects.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.buildings import clean_areas, extrude, surface_field
from geo.massing import podium_and_tower, towers_on
from geo.model import Column, ElementRef, ElementTable, Field, Instances, Layer, Mesh, Source, UserError, merge_meshes
from geo.proposals import Proposal, ProposalModel, proposal_from_dict, proposal_layer, proposal_to_dict
from geo.trees import BROAD, CONIFER, OVAL, plant

Floats = NDArray[np.float64]

MASSES = "alternative-masses"  # id of the layer that holds the new masses of an alternative
TREES = "alternative-trees"  # id of the layer that holds the trees an alternative plants
MADE = "alternative"  # `Source.reader` of layers that an alternative makes
FAR = 100_000.0  # [m] nothing is moved further than this
LEAST_FACTOR, MOST_FACTOR = 0.01, 100.0
HEIGHT_COLUMNS = ("height", "measuredHeight")
# What goes with the height in whole numbers; dwellings are taken to be as many on every storey.
COUNT_COLUMNS = ("storeys_above", "storeys", "storeysAboveGround", "dwellings")


@dataclass(frozen=True)
class Change:
    """What becomes of one element of the base scene.

    Attributes
    ----------
    move : (east, north, up) [m]
    turn_deg : float
        About the vertical through the middle of its box in plan, counter-clockwise seen from above.
    height_factor : float
        All heights above its lowest point are multiplied by this.
    removed : bool
    """

    move: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn_deg: float = 0.0
    height_factor: float = 1.0
    removed: bool = False

    def __post_init__(self) -> None:
        numbers = (*self.move, self.turn_deg, self.height_factor)
        if not all(math.isfinite(number) for number in numbers) or max(map(abs, self.move)) > FAR:
            raise ValueError("a move has finite numbers of at most 100 km")
        if not LEAST_FACTOR <= self.height_factor <= MOST_FACTOR:
            raise ValueError("a height factor lies between 0.01 and 100")

    @property
    def is_nothing(self) -> bool:
        """Whether the element stays as it is."""
        return self == Change()


@dataclass(frozen=True)
class Mass:
    """A new building: a footprint, pulled up.

    Attributes
    ----------
    id : str
    ring : ((x, y), ...) [local m]
        Without the first point repeated.
    base : float [local m]
        Height of its lowest point.
    storeys : int
    storey_height : float [m]
    name, use : str
    podium_storeys : int
        Of the storeys, how many have the whole footprint; those above are the tower. 0: no podium, all alike.
    inset : float [m]
        By which the tower stands back from the edge of the podium; 0 without a podium.
    """

    id: str
    ring: tuple[tuple[float, float], ...]
    base: float
    storeys: int
    storey_height: float
    name: str = ""
    use: str = ""
    podium_storeys: int = 0
    inset: float = 0.0

    def __post_init__(self) -> None:
        if len(self.ring) < 3 or not all(math.isfinite(n) for point in self.ring for n in point):
            raise ValueError("a footprint has three points or more")
        if not 1 <= self.storeys <= 300 or not 1.0 <= self.storey_height <= 50.0 or not math.isfinite(self.base):
            raise ValueError("a mass has 1 to 300 storeys of 1 to 50 m")
        if not 0 <= self.podium_storeys < self.storeys or not 0.0 <= self.inset <= FAR:
            raise ValueError("a podium has fewer storeys than the mass, and an inset that is no less than 0")
        if (self.podium_storeys > 0) != (self.inset > 0.0):
            raise ValueError("a podium and an inset come together")

    @property
    def height(self) -> float:
        """Height above its base [m]."""
        return self.storeys * self.storey_height


@dataclass(frozen=True)
class Tree:
    """A tree that an alternative plants.

    Attributes
    ----------
    id : str
    foot : (x, y, z) [local m]
    height : float [m]
    crown : float [m]
        Diameter.
    shape : int
        `geo.trees.BROAD`, `OVAL` or `CONIFER`.
    """

    id: str
    foot: tuple[float, float, float]
    height: float
    crown: float
    shape: int = BROAD

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) for value in self.foot):
            raise ValueError("a tree stands at a place")
        if not 0.5 <= self.height <= 100.0 or not 0.2 <= self.crown <= 60.0:
            raise ValueError("a tree is 0.5 to 100 m high with a crown of 0.2 to 60 m")
        if self.shape not in (BROAD, OVAL, CONIFER):
            raise ValueError("a tree has one of three shapes")


@dataclass(frozen=True)
class Alternative:
    """A named set of changes. `id` stays when the name changes."""

    id: str
    name: str
    changes: Mapping[ElementRef, Change] = field(default_factory=dict)
    masses: tuple[Mass, ...] = ()
    trees: tuple[Tree, ...] = ()
    proposals: tuple[Proposal, ...] = ()

    def changed(self, ref: ElementRef, change: Change) -> Alternative:
        """The alternative with one element's change replaced; a change that does nothing is forgotten."""
        changes = {**self.changes, ref: change}
        if change.is_nothing:
            del changes[ref]
        return replace(self, changes=changes)

    def with_mass(self, mass: Mass) -> Alternative:
        """The alternative with a mass added, or put in the place of the one with its id."""
        masses = {**{other.id: other for other in self.masses}, mass.id: mass}
        return replace(self, masses=tuple(masses.values()))

    def without_mass(self, mass_id: str) -> Alternative:
        """The alternative without a mass."""
        return replace(self, masses=tuple(mass for mass in self.masses if mass.id != mass_id))

    def with_tree(self, tree: Tree) -> Alternative:
        """The alternative with a tree planted, or put in the place of the one with its id."""
        trees = {**{other.id: other for other in self.trees}, tree.id: tree}
        return replace(self, trees=tuple(trees.values()))

    def without_trees(self, tree_ids: Collection[str]) -> Alternative:
        """The alternative without some of its trees."""
        return replace(self, trees=tuple(tree for tree in self.trees if tree.id not in tree_ids))

    def with_proposal(self, proposal: Proposal) -> Alternative:
        """The alternative with a proposal added, or put in the place of the one with its id."""
        proposals = {**{other.id: other for other in self.proposals}, proposal.id: proposal}
        return replace(self, proposals=tuple(proposals.values()))

    def without_proposal(self, proposal_id: str) -> Alternative:
        """The alternative without a proposal."""
        return replace(self, proposals=tuple(one for one in self.proposals if one.id != proposal_id))

    @property
    def is_empty(self) -> bool:
        """Whether it is the base."""
        return not (self.changes or self.masses or self.trees or self.proposals)

    @property
    def count(self) -> int:
        """How many things it changes or puts up."""
        return len(self.changes) + len(self.masses) + len(self.trees) + len(self.proposals)

    @property
    def touched(self) -> set[str]:
        """Ids of the base layers that it changes."""
        return {ref.layer_id for ref in self.changes}


def apply_alternative(layers: Sequence[Layer], alternative: Alternative | None) -> tuple[Layer, ...]:
    """The layers of the base scene as an alternative has them; its masses and its trees follow as layers of their own.

    What an alternative says of elements that are not there (any more) is left out; `lost_changes` lists it.
    """
    if alternative is None:
        return tuple(layers)
    touched = alternative.touched
    out = [changed_layer(layer, _of_layer(alternative, layer)) if layer.id in touched else layer for layer in layers]
    if alternative.masses:
        out.append(mass_layer(alternative.masses))
    if alternative.trees:
        out.append(tree_layer(alternative.trees))
    out += [proposal_layer(proposal, reader=MADE) for proposal in alternative.proposals]
    return tuple(out)


def lost_changes(layers: Sequence[Layer], alternative: Alternative) -> list[ElementRef]:
    """Changes of elements that the base does not have."""
    known = {layer.id: layer for layer in layers}
    return [
        ref
        for ref in alternative.changes
        if ref.layer_id not in known or ref.element_id not in known[ref.layer_id].table.index
    ]


def _of_layer(alternative: Alternative, layer: Layer) -> dict[int, Change]:
    """Changes by row of the layer's table."""
    rows = layer.table.index
    return {
        rows[ref.element_id]: change
        for ref, change in alternative.changes.items()
        if ref.layer_id == layer.id and ref.element_id in rows
    }


def changed_layer(layer: Layer, changes: Mapping[int, Change]) -> Layer:
    """A layer of triangles or of repeated shapes with some elements changed; `changes` by row of its table.

    Rows of removed elements stay, so that ids and row numbers mean the same in every alternative; what was drawn of
    them is gone.
    """
    if not changes:
        return layer
    geometry = layer.geometry
    if isinstance(geometry, Mesh):
        shape, kept = _changed_mesh(geometry, changes)
        fields = tuple(_kept_field(item, kept) for item in layer.fields if item.on != "vertex")
        return layer.with_(geometry=shape, fields=fields, table=_changed_table(layer.table, changes))
    if isinstance(geometry, Instances):
        return layer.with_(geometry=_changed_instances(geometry, changes))
    raise UserError(
        f"Elements of {layer.name} cannot be moved.",
        "Only buildings and other solids, and repeated shapes such as trees, can be changed in an alternative.",
        "Choose a building.",
        code="alternative.not_solid",
        values={"layer": layer.name},
    )


def _kept_field(item: Field, kept: NDArray[np.bool_]) -> Field:
    return replace(item, values=np.asarray(item.values)[kept]) if item.on == "face" else item


def _changed_mesh(mesh: Mesh, changes: Mapping[int, Change]) -> tuple[Mesh, NDArray[np.bool_]]:
    vertices, faces = [mesh.vertices], mesh.faces.copy()
    kept = np.ones(len(faces), dtype=bool)
    start = len(mesh.vertices)
    for row, change in changes.items():
        mine = np.flatnonzero(mesh.face_element == row)
        if len(mine) == 0:
            continue
        if change.removed:
            kept[mine] = False
            continue
        # Its own copies of its corners: a corner may be shared with a neighbour that stays.
        used, place = np.unique(mesh.faces[mine], return_inverse=True)
        vertices.append(changed_points(mesh.vertices[used], change))
        faces[mine] = place.reshape(-1, 3).astype(np.int32) + np.int32(start)
        start += len(used)
    return _without_loose(np.concatenate(vertices), faces[kept], mesh.face_element[kept]), kept


def _without_loose(vertices: Floats, faces: NDArray[np.int32], element: NDArray[np.int32]) -> Mesh:
    """Without corners that no face has any more: the box around the layer must not reach to where something stood."""
    used = np.zeros(len(vertices), dtype=bool)
    used[faces] = True
    number = (np.cumsum(used) - 1).astype(np.int32)
    return Mesh(vertices[used], number[faces], element)


def changed_points(points: Floats, change: Change) -> Floats:
    """(n, 3) corners of an element after a change [local m]."""
    low, high = points.min(axis=0), points.max(axis=0)
    middle, angle = (low[:2] + high[:2]) / 2, math.radians(change.turn_deg)
    about = points[:, :2] - middle
    out = np.empty_like(points)
    if change.turn_deg:
        out[:, 0] = about[:, 0] * math.cos(angle) - about[:, 1] * math.sin(angle) + middle[0]
        out[:, 1] = about[:, 0] * math.sin(angle) + about[:, 1] * math.cos(angle) + middle[1]
    else:
        out[:, :2] = points[:, :2]
    out[:, 2] = low[2] + (points[:, 2] - low[2]) * change.height_factor if change.height_factor != 1 else points[:, 2]
    return np.asarray(out + np.array(change.move))


def _changed_table(table: ElementTable, changes: Mapping[int, Change]) -> ElementTable:
    """Heights, storeys and dwellings told by the table follow the factor."""
    factors = {row: change.height_factor for row, change in changes.items() if change.height_factor != 1.0}
    if not factors:
        return table
    columns = dict(table.columns)
    for name in HEIGHT_COLUMNS:
        column = columns.get(name)
        if column is None or not column.is_number:
            continue
        values = np.array(column.values, dtype=np.float64)
        for row, factor in factors.items():
            values[row] *= factor
        columns[name] = Column(values, column.unit, column.title)
    for name in COUNT_COLUMNS:
        column = columns.get(name)
        if column is None or not column.is_number:
            continue
        counts = np.array(column.values, dtype=np.float64)
        for row, factor in factors.items():
            told = counts[row]
            counts[row] = max(np.floor(told * factor + 0.5), 1.0) if told > 0.0 else told
        whole = np.issubdtype(np.asarray(column.values).dtype, np.integer)
        columns[name] = Column(counts.astype(column.values.dtype) if whole else counts, column.unit, column.title)
    return ElementTable(table.ids, columns)


def _changed_instances(shapes: Instances, changes: Mapping[int, Change]) -> Instances:
    transform, kept = shapes.transform.copy(), np.ones(len(shapes.shape), dtype=bool)
    for row, change in changes.items():
        for number in np.flatnonzero(shapes.element == row):
            kept[number] = not change.removed
            angle = math.radians(change.turn_deg)
            turn = np.array([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]])
            grow = np.diag([1.0, 1.0, change.height_factor])
            transform[number, :, :3] = grow @ turn @ transform[number, :, :3]
            transform[number, :, 3] += np.array(change.move)
    return Instances(shapes.shapes, shapes.shape[kept], transform[kept], shapes.element[kept])


def mass_layer(masses: Sequence[Mass]) -> Layer:
    """The new masses as a layer of buildings."""
    import shapely

    areas = clean_areas(np.array([shapely.Polygon(mass.ring) for mass in masses], dtype=object))
    plain = np.array([masses[k].podium_storeys == 0 for k in areas.owner], dtype=bool)
    owners = [masses[k] for k in areas.owner[plain]]
    solid, codes = extrude(areas.polygons[plain], [mass.base for mass in owners], [mass.height for mass in owners])
    solid = Mesh(solid.vertices, solid.faces, areas.owner[plain][solid.face_element].astype(np.int32))
    if not plain.all():
        solid, codes = _with_towers(solid, codes, areas.polygons[~plain], areas.owner[~plain], masses)
    columns = {
        "name": Column(np.array([mass.name or mass.id for mass in masses], dtype=object)),
        "use": Column(np.array([mass.use or None for mass in masses], dtype=object)),
        "height": Column(np.array([mass.height for mass in masses]), "m"),
        "storeys": Column(np.array([mass.storeys for mass in masses], dtype=np.int64)),
        "storey_height": Column(np.array([mass.storey_height for mass in masses]), "m"),
    }
    if not plain.all():
        columns["podium_storeys"] = Column(np.array([mass.podium_storeys for mass in masses], dtype=np.int64))
        columns["inset"] = Column(np.array([mass.inset for mass in masses]), "m")
    table = ElementTable([mass.id for mass in masses], columns)
    return Layer(
        MASSES, "New masses", "building", solid, table, (surface_field(codes),), source=Source(reader=MADE, part=MASSES)
    )


def _with_towers(
    solid: Mesh,
    codes: NDArray[np.int8],
    polygons: NDArray[np.object_],
    owner: NDArray[np.int64],
    masses: Sequence[Mass],
) -> tuple[Mesh, NDArray[np.int8]]:
    """The solid with those that have a podium and a tower."""
    parts, elements, surfaces = [solid], [solid.face_element], [codes]
    for polygon, number in zip(polygons, owner, strict=True):
        mass = masses[int(number)]
        if len(towers_on(polygon, mass.inset)) == 0:
            raise _no_tower(mass)
        podium = mass.podium_storeys * mass.storey_height
        mesh, found = podium_and_tower(polygon, mass.base, podium=podium, height=mass.height, inset=mass.inset)
        parts.append(mesh)
        elements.append(np.full(len(mesh.faces), number, dtype=np.int32))
        surfaces.append(found)
    merged = merge_meshes(parts)
    return Mesh(merged.vertices, merged.faces, np.concatenate(elements)), np.concatenate(surfaces)


def _no_tower(mass: Mass) -> UserError:
    return UserError(
        f"There is no room for the tower of {mass.name or mass.id}.",
        f"Nothing of its footprint is {mass.inset:g} m inside its edge.",
        "Let the tower stand back less.",
        code="alternative.no_tower",
        values={"name": mass.name or mass.id, "inset": f"{mass.inset:g}"},
    )


def tree_layer(trees: Sequence[Tree]) -> Layer:
    """The trees that an alternative plants, as a layer of trees like any other."""
    columns = {
        "height": Column(np.array([tree.height for tree in trees]), "m"),
        "crown_diameter": Column(np.array([tree.crown for tree in trees]), "m"),
    }
    shapes = plant(
        [tree.foot for tree in trees],
        columns["height"].values,
        crown=columns["crown_diameter"].values,
        shape=[tree.shape for tree in trees],
    )
    table = ElementTable([tree.id for tree in trees], columns)
    return Layer(TREES, "New trees", "tree", shapes, table, source=Source(reader=MADE, part=TREES))


def alternative_to_dict(alternative: Alternative) -> dict[str, object]:
    """Plain JSON values of an alternative, for the project file."""
    changes = [
        {"layer": ref.layer_id, "element": ref.element_id}
        | {"move": list(change.move), "turn_deg": change.turn_deg}
        | {"height_factor": change.height_factor, "removed": change.removed}
        for ref, change in alternative.changes.items()
    ]
    masses = [{**asdict(mass), "ring": [list(point) for point in mass.ring]} for mass in alternative.masses]
    trees = [{**asdict(tree), "foot": list(tree.foot)} for tree in alternative.trees]
    proposals = [proposal_to_dict(proposal) for proposal in alternative.proposals]
    named = {"id": alternative.id, "name": alternative.name}
    return {**named, "changes": changes, "masses": masses, "trees": trees, "proposals": proposals}


def alternative_from_dict(
    said: Mapping[str, Any], models: Mapping[str, ProposalModel] = MappingProxyType({})
) -> Alternative:
    """An alternative from plain values; raises ValueError, KeyError or TypeError for anything else.

    `models` are those of its proposals; a proposal whose model is not among them is left out.
    """
    changes = {
        ElementRef(str(item["layer"]), str(item["element"])): Change(
            _three(item["move"]), float(item["turn_deg"]), float(item["height_factor"]), bool(item["removed"])
        )
        for item in said["changes"]
    }
    masses = tuple(
        Mass(
            str(item["id"]),
            tuple((float(x), float(y)) for x, y in item["ring"]),
            float(item["base"]),
            int(item["storeys"]),
            float(item["storey_height"]),
            str(item["name"]),
            str(item["use"]),
            int(item["podium_storeys"]),
            float(item["inset"]),
        )
        for item in said["masses"]
    )
    trees = tuple(
        Tree(str(item["id"]), _three(item["foot"]), float(item["height"]), float(item["crown"]), int(item["shape"]))
        for item in said["trees"]
    )
    found = [proposal_from_dict(item, models) for item in said["proposals"]]
    proposals = tuple(one for one in found if one is not None)
    return Alternative(str(said["id"]), str(said["name"]), changes, masses, trees, proposals)


def _three(values: Sequence[Any]) -> tuple[float, float, float]:
    east, north, up = (float(value) for value in values)
    return east, north, up
