"""Which geometry of each CityGML object is used, and the arrays it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.formats.city_objects import CityFile, CityObject, Progress
from geo.formats.city_shapes import Chosen, Placed, Rings, Semantics, compact, drop, jacobian, triangles, wanted_lod
from geo.formats.citygml_geometry import Corners, Group, Surfaces, welded
from geo.formats.citygml_model import CityModel, Parts, Repeat, Shape
from geo.formats.cityjson_geometry import TEMPLATE_LIMIT
from geo.model import Frame, Mesh, unique_rows
from geo.polygons import FAULTY

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

# Parts of a carriageway are drawn instead of it, not above it.
_LANES = """
    TrafficArea AuxiliaryTrafficArea TrafficSpace AuxiliaryTrafficSpace Section Intersection Marking HoleSurface
"""
LANES = frozenset(_LANES.split())
PREFERRED_FOOTPRINT = "FootPrint"
MATCH_DIGITS = 9


@dataclass
class Choice:
    """What is drawn of each object.

    Attributes
    ----------
    chosen : list of Chosen
    surfaces, turned : list of arrays, one for each of `chosen`
    repeats : list of lists
    """

    chosen: list[Chosen]
    surfaces: list[Indices]
    turned: list[NDArray[np.bool_]]
    repeats: list[list[Repeat]]

    def keep(self, rows: list[int]) -> None:
        """Forget all other objects."""
        self.chosen = [self.chosen[row] for row in rows]
        self.surfaces = [self.surfaces[row] for row in rows]
        self.turned = [self.turned[row] for row in rows]
        self.repeats = [self.repeats[row] for row in rows]


class _Drawn(NamedTuple):
    """Surfaces of one object: number to whether it is turned; whether they are exactly a solid."""

    surfaces: dict[int, bool]
    is_solid: bool


def choose(model: CityModel, corners: Corners, file: CityFile, wanted: str, progress: Progress) -> Choice:
    """The geometry to use of every object that has one; those without a usable one are noted as dropped."""
    lods = _lods_of(model, wanted)
    drawn: list[_Drawn] = []
    for number, (parts, lod) in enumerate(zip(model.parts, lods, strict=True)):
        if number % 2000 == 0:
            progress(number / len(model.parts), "objects")
        drawn.append(_drawn(parts, lod, model.surfaces, corners))
    covered = _covered_by_lanes(model, drawn, corners)
    choice = Choice([], [], [], [])
    for number, (item, parts, lod) in enumerate(zip(model.objects, model.parts, lods, strict=True)):
        _add(choice, model, corners, file, _Candidate(item, parts, lod, drawn[number], covered.get(item.id)))
    return choice


class _Candidate(NamedTuple):
    item: CityObject
    parts: Parts
    lod: str
    drawn: _Drawn
    hidden: set[int] | None


def _add(choice: Choice, model: CityModel, corners: Corners, file: CityFile, one: _Candidate) -> None:
    """Add an object to the choice, or note why it is left out."""
    surfaces = {number: turn for number, turn in one.drawn.surfaces.items() if number not in (one.hidden or ())}
    repeats = [repeat for repeat in one.parts.repeats if repeat.lod == one.lod]
    if not surfaces and not repeats:
        if one.item.id in model.network.members:
            return  # drawn as a line or a point, or the frame of such
        if one.parts.shapes and not one.hidden or one.parts.is_loose and not one.parts.shapes:
            file.dropped.add(one.item.id, "no_surfaces")
        return
    if one.parts.is_loose:
        file.ignored.append(one.item.id)
    number = np.fromiter(surfaces, np.int64, len(surfaces))
    turned = np.fromiter(surfaces.values(), np.bool_, len(surfaces))
    bad = corners.is_bad[number] if corners.any_bad else np.zeros(0, np.bool_)
    if bad.any():
        file.dropped.surfaces[one.item.id] = int(bad.sum())
        if bad.all() and not repeats:
            file.dropped.add(one.item.id, "vertex_invalid")
            return
        number, turned = number[~bad], turned[~bad]
    codes = [model.surfaces.semantic[k] for k in number.tolist()]
    solid = one.drawn.is_solid and not bad.any() and not one.hidden
    choice.chosen.append(Chosen(one.item, one.lod, semantics=codes, is_solid=solid))
    choice.surfaces.append(number)
    choice.turned.append(turned)
    choice.repeats.append(repeats)


def _lods_of(model: CityModel, wanted: str) -> list[str]:
    """The level of detail to use of each object; a road and its lanes share one."""
    available = [[*(s.lod for s in p.shapes), *(r.lod for r in p.repeats)] for p in model.parts]
    row_of = {item.id: row for row, item in enumerate(model.objects)}
    root = list(range(len(model.objects)))
    # parents stand before their children
    for row, item in enumerate(model.objects):
        parent = item.data.get("parents", (None,))[0]
        if item.type in LANES and parent in row_of:
            root[row] = root[row_of[parent]]
    shared: dict[int, list[str]] = {}
    for row, top in enumerate(root):
        shared.setdefault(top, []).extend(available[row])
    return [wanted_lod(shared[top], wanted) if shared[top] else "" for top in root]


def _drawn(parts: Parts, lod: str, surfaces: Surfaces, corners: Corners) -> _Drawn:
    """Surfaces of an object at a level: its own geometry and its thematic surfaces, nothing twice."""
    shapes = [shape for shape in parts.shapes if shape.lod == lod]
    if len(shapes) == 1:
        return _Drawn(surfaces.resolve(shapes[0].group), shapes[0].group.is_solid and not shapes[0].is_boundary)
    if any(shape.rest == PREFERRED_FOOTPRINT for shape in shapes):
        shapes = [shape for shape in shapes if shape.rest == PREFERRED_FOOTPRINT or shape.is_boundary]
    own = _resolved([shape for shape in shapes if not shape.is_boundary], surfaces)
    thematic = _resolved([shape for shape in shapes if shape.is_boundary], surfaces)
    solids = [shape for shape in shapes if shape.group.is_solid and not shape.is_boundary]
    is_solid = bool(solids) and len(solids) == sum(not shape.is_boundary for shape in shapes)
    if not thematic:
        return _Drawn(own, is_solid)
    if own and not own.keys() & thematic.keys():
        own = _without_copies(own, thematic, corners)
        return _Drawn({**thematic, **own}, is_solid and not own)
    return _Drawn({**thematic, **own}, is_solid and thematic.keys() <= own.keys())


def _resolved(shapes: list[Shape], surfaces: Surfaces) -> dict[int, bool]:
    found: dict[int, bool] = {}
    for shape in shapes:
        for number, turned in surfaces.resolve(shape.group).items():
            found.setdefault(number, turned)
    return found


def _without_copies(own: dict[int, bool], others: dict[int, bool], corners: Corners) -> dict[int, bool]:
    """Those of `own` that have not the same corners as one of the others."""
    known = {_fingerprint(number, corners) for number in others}
    return {number: turned for number, turned in own.items() if _fingerprint(number, corners) not in known}


def _fingerprint(number: int, corners: Corners) -> bytes:
    """The same for surfaces with the same corners, wherever they begin and whichever way they turn."""
    first, last = corners.surface_start[number], corners.surface_start[number + 1]
    if first == last:
        return b""
    points = corners.points[corners.ring_start[first] : corners.ring_stop[last - 1]]
    with np.errstate(over="ignore"):
        unique = unique_rows(np.round(points, MATCH_DIGITS) + 0.0).rows
    return unique.tobytes()


def _covered_by_lanes(model: CityModel, drawn: list[_Drawn], corners: Corners) -> dict[str, set[int]]:
    """For each road the surfaces of its own that its lanes show as well."""
    row_of = {item.id: row for row, item in enumerate(model.objects)}
    lanes: dict[str, dict[int, bool]] = {}
    for row, item in enumerate(model.objects):
        above = item.data.get("parents", (None,))[0] if item.type in LANES else None
        steps = 0
        while above is not None and steps < 4:
            lanes.setdefault(above, {}).update(drawn[row].surfaces)
            above, steps = model.objects[row_of[above]].data.get("parents", (None,))[0], steps + 1
    covered = {}
    for road, shown in lanes.items():
        own = drawn[row_of[road]].surfaces
        if own and shown:
            same = own.keys() & shown.keys()
            covered[road] = set(same) if same else own.keys() - _without_copies(own, shown, corners).keys()
    return covered


@dataclass(frozen=True)
class Arrays:
    """Corners of a file with equal ones once.

    Attributes
    ----------
    first : (n,) int
        Corner number of each vertex.
    vertex_of : (c,) int
        Vertex of each corner.
    """

    first: Indices
    vertex_of: Indices

    @staticmethod
    def of(points: Floats) -> Arrays:
        """Equal points (c, 3) once."""
        return Arrays(*welded(points))


def rings_of(choice: Choice, corners: Corners, vertex_of: Indices) -> Rings:
    """All surfaces of the chosen objects."""
    counts = [len(numbers) for numbers in choice.surfaces]
    owner = np.repeat(np.arange(len(counts)), counts)
    surface = np.concatenate([*choice.surfaces, np.zeros(0, np.int64)]).astype(np.int64)
    turned = np.concatenate([*choice.turned, np.zeros(0, bool)]).astype(bool)
    return corners.gather(surface, turned, owner, vertex_of)


def drop_misplaced(choice: Choice, rings: Rings, local: Floats, file: CityFile) -> bool:
    """Leave out objects of which a corner lies nowhere on Earth; whether there were any."""
    lost = ~np.isfinite(local[rings.corners]).all(axis=1)
    rows = set(np.unique(rings.corner_object[lost]).tolist())
    if not rows:
        return False
    drop(list(choice.chosen), file.dropped, dict.fromkeys(sorted(rows), "outside_crs"))
    choice.keep([row for row in range(len(choice.chosen)) if row not in rows])
    return True


def place(choice: Choice, model: CityModel, file: CityFile, vertex_of: Indices, local: Floats, frame: Frame) -> Placed:
    """Matrices of all repeated shapes. Damaged ones are noted; the object stays when it has something else."""
    meshes: dict[str, Mesh | None] = {}
    found: list[tuple[int, Repeat]] = []
    bad: dict[int, str] = {}
    for row, repeats in enumerate(choice.repeats):
        for repeat in repeats:
            reason = _fault(repeat, model, vertex_of, local, meshes)
            if reason:
                bad.setdefault(row, reason)
            else:
                found.append((row, repeat))
    useless = {row: why for row, why in bad.items() if not len(choice.surfaces[row])}
    drop(list(choice.chosen), file.dropped, useless)
    rows = [row for row in range(len(choice.chosen)) if row not in useless]
    number_of = {row: number for number, row in enumerate(rows)}
    choice.keep(rows)
    found = [(number_of[row], repeat) for row, repeat in found if row in number_of]
    used = sorted({repeat.template for _, repeat in found})
    anchor = vertex_of[np.array([repeat.anchor for _, repeat in found], dtype=np.int64)]
    matrix = np.array([repeat.matrix for _, repeat in found], dtype=np.float64).reshape(-1, 4, 4)[:, :3]
    transform = jacobian(file.vertices[anchor], local[anchor], file.crs or "", frame) @ matrix if found else matrix
    transform[:, :, 3] += local[anchor]
    return Placed(
        tuple(mesh for mesh in (meshes[key] for key in used) if mesh is not None),
        np.array([used.index(repeat.template) for _, repeat in found], dtype=np.int64),
        transform,
        np.array([row for row, _ in found], dtype=np.int64),
        len(choice.chosen),
    )


def _fault(repeat: Repeat, model: CityModel, vertex_of: Indices, local: Floats, meshes: dict[str, Mesh | None]) -> str:
    """Why a repeated shape cannot be placed, empty if it can."""
    if repeat.matrix is None or repeat.anchor < 0:
        return "template"
    matrix = np.array(repeat.matrix)
    if not (np.abs(matrix) <= TEMPLATE_LIMIT).all() or not np.array_equal(matrix[12:], [0.0, 0.0, 0.0, 1.0]):
        return "template"
    if not np.isfinite(local[vertex_of[repeat.anchor]]).all():
        return "vertex_invalid"
    if repeat.template not in meshes:
        meshes[repeat.template] = _template_mesh(model, repeat.template)
    return "template" if meshes[repeat.template] is None else ""


def _template_mesh(model: CityModel, key: str) -> Mesh | None:
    """The shape of a template in its own coordinates, None when it is missing or damaged."""
    surfaces = model.template_surfaces
    group: Group | None = model.templates.get(key) or surfaces.groups.get(key)
    if group is None:
        return None
    corners = Corners.of(surfaces)
    found = surfaces.resolve(group)
    number = np.fromiter(found, np.int64, len(found))
    turned = np.fromiter(found.values(), np.bool_, len(found))
    good = ~corners.is_bad[number]
    owner = np.zeros(int(good.sum()), np.int64)
    first, vertex_of = welded(corners.points)
    rings = corners.gather(number[good], turned[good], owner, vertex_of)
    vertices = corners.points[first]
    if not len(rings.corners) or not (np.abs(vertices[rings.corners]) <= TEMPLATE_LIMIT).all():
        return None
    done = triangles(rings, vertices)
    if not len(done.faces) or (done.reason >= FAULTY).all():
        return None
    return compact(vertices, done.faces, np.zeros(len(done.faces), np.int64))


def colours_of(model: CityModel, choice: Choice) -> tuple[Indices | None, str]:
    """0xRRGGBB of every surface of the choice (-1 without), None where the file colours nothing; and the theme used."""
    theme = next((name for name, targets in model.colours.items() if targets), None)
    if theme is None:
        return None, ""
    colour = np.full(len(model.surfaces), -1, dtype=np.int64)
    for target, value in model.colours[theme]:
        if target in model.surfaces.of_id:
            colour[model.surfaces.of_id[target]] = value
        elif target in model.surfaces.groups:
            found = list(model.surfaces.resolve(model.surfaces.groups[target]))
            colour[found] = value
    taken = np.concatenate([*(colour[numbers] for numbers in choice.surfaces), np.zeros(0, np.int64)])
    return (taken.astype(np.int64), theme) if (taken >= 0).any() else (None, theme)


def semantics_of(model: CityModel) -> Semantics:
    """Names of thematic surfaces as the layers want them."""
    return Semantics(dict(model.semantics))
