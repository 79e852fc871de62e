"""Boundaries of city objects to arrays: choice of the level of detail, rings, semantics, templates."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.formats.city_objects import CityFile, CityObject, Progress
from geo.formats.city_shapes import (
    Chosen,
    Rings,
    Semantics,
    UnusableError,
    compact,
    drop,
    lod_text,
    triangles,
    wanted_lod,
)
from geo.model import Mesh
from geo.polygons import FAULTY

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

# How many lists lie between the boundaries and their surfaces.
DEPTH = {"MultiSurface": 0, "CompositeSurface": 0, "Solid": 1, "MultiSolid": 2, "CompositeSolid": 2}
SOLIDS = ("Solid", "MultiSolid", "CompositeSolid")
INSTANCE = "GeometryInstance"
# A repeated shape is a tree or a lamp; beyond this its numbers are damaged.
TEMPLATE_LIMIT = 1e6


class SurfaceSemantics(Semantics):
    """Surface semantics as CityJSON writes them."""

    def code(self, surface: Any) -> int:
        """Code of one entry of ``semantics.surfaces``."""
        name = surface.get("type") if isinstance(surface, dict) else None
        return self.number(name) if isinstance(name, str) else -1

    def of(self, object_id: str, geometry: dict[str, Any], depth: int, count: int) -> list[int]:
        """Codes of the `count` surfaces of a geometry."""
        semantics = geometry.get("semantics")
        if not isinstance(semantics, dict):
            return [-1] * count
        flat: list[int | None] = []
        try:
            table = [self.code(surface) for surface in semantics.get("surfaces") or ()]
            flat = list(_flat_values(geometry["boundaries"], semantics.get("values"), depth))
            codes = [-1 if value is None else table[value] for value in flat]
        except (TypeError, IndexError, ValueError):
            codes = [-1] * (count + 1)
        if len(codes) == count and all(value is None or value >= 0 for value in flat):
            return codes
        self.faulty.append(object_id)
        return [-1] * count


def _flat_values(boundaries: Any, values: Any, depth: int) -> Iterable[int | None]:
    """Semantic values surface by surface; a null stands for everything below it."""
    if depth == 0:
        return [None] * len(boundaries) if values is None else values
    if values is None:
        values = [None] * len(boundaries)
    pairs = zip(boundaries, values, strict=True)
    return chain.from_iterable(_flat_values(inner, value, depth - 1) for inner, value in pairs)


def choose(item: CityObject, wanted: str, file: CityFile, semantics: Semantics) -> Chosen | None:
    """The geometry of an object to use, None when it has none at all.

    Raises
    ------
    UnusableError
        When it has geometry that cannot be used.
    """
    geometries = item.data.get("geometry")
    if not geometries:
        return None
    if not isinstance(geometries, list):
        raise UnusableError("bad_geometry")
    usable = [(g, _lod_of(g, file)) for g in geometries if isinstance(g, dict) and _is_usable(g)]
    if not usable:
        raise UnusableError("no_surfaces")
    if len(usable) < len(geometries):
        file.ignored.append(item.id)
    lod = wanted_lod([lod for _, lod in usable], wanted)
    chosen = Chosen(item, lod)
    for geometry, its_lod in usable:
        if its_lod == lod:
            _take(chosen, geometry, semantics)
    return chosen


def _is_usable(geometry: dict[str, Any]) -> bool:
    kind = geometry.get("type")
    return isinstance(kind, str) and (kind in DEPTH or kind == INSTANCE) and bool(geometry.get("boundaries"))


def _lod_of(geometry: dict[str, Any], file: CityFile) -> str:
    if geometry["type"] == INSTANCE and "lod" not in geometry:
        template = _template(geometry, file)
        return lod_text(template.get("lod")) if template else ""
    return lod_text(geometry.get("lod"))


def _template(geometry: dict[str, Any], file: CityFile) -> dict[str, Any] | None:
    number = geometry.get("template")
    if type(number) is not int or not 0 <= number < len(file.templates):
        return None
    template = file.templates[number]
    return template if isinstance(template, dict) else None


def _take(chosen: Chosen, geometry: dict[str, Any], semantics: Semantics) -> None:
    kind = geometry["type"]
    if kind == INSTANCE:
        chosen.instances.append(geometry)
        return
    surfaces = geometry["boundaries"]
    try:
        for _ in range(DEPTH[kind]):
            surfaces = list(chain.from_iterable(surfaces))
    except TypeError:
        raise UnusableError("bad_geometry") from None
    if not isinstance(surfaces, list):
        raise UnusableError("bad_geometry")
    chosen.is_solid = kind in SOLIDS and (chosen.is_solid or not chosen.surfaces)
    chosen.semantics += semantics.of(chosen.source.id, geometry, DEPTH[kind], len(surfaces))
    chosen.surfaces += surfaces


def flatten(chosen: list[Chosen], file: CityFile, local: Floats, progress: Progress) -> Rings:
    """The rings of all objects. Objects with nonsense in them are taken out of `chosen` and noted as dropped.

    local : (n, 3) the file's vertices in local metres, not-a-number where they have no place.
    """
    try:
        rings = _rings(chosen)
    except _MalformedError:
        drop(chosen, file.dropped, {row: "bad_geometry" for row, one in enumerate(chosen) if not _is_sound(one)})
        rings = _rings(chosen)
    progress(0.5, "surfaces")
    bad = _misplaced(rings, chosen, file, local)
    if bad:
        drop(chosen, file.dropped, bad)
        rings = _rings(chosen)
    progress(1.0, "surfaces")
    return rings


class _MalformedError(ValueError):
    """Boundaries are not surfaces of rings of whole numbers."""


def _rings(chosen: list[Chosen]) -> Rings:
    counts = [len(one.surfaces) for one in chosen]
    surfaces = list(chain.from_iterable(one.surfaces for one in chosen))
    corners, ring_start, surface_start = _arrays(surfaces)
    surface_object = np.repeat(np.arange(len(chosen)), counts)
    first = np.array([one.source.first for one in chosen], dtype=np.int64)
    corner_surface = np.diff(ring_start[surface_start])
    corner_object = np.repeat(surface_object, corner_surface)
    limit = np.array([one.source.count for one in chosen], dtype=np.int64)
    inside = (corners >= 0) & (corners < limit[corner_object])
    corners = np.where(inside, corners + first[corner_object], -1)
    return Rings(corners, ring_start, surface_start, surface_object, corner_object)


def _arrays(surfaces: list[Any]) -> tuple[Indices, Indices, Indices]:
    """Corners, ring starts and surface starts of surfaces as JSON gives them."""
    if not set(map(type, surfaces)) <= {list}:
        raise _MalformedError
    rings = list(chain.from_iterable(surfaces))
    if not set(map(type, rings)) <= {list}:
        raise _MalformedError
    flat = list(chain.from_iterable(rings))
    if not set(map(type, flat)) <= {int}:
        raise _MalformedError
    try:
        corners = np.array(flat, dtype=np.int64)
    except OverflowError:
        raise _MalformedError from None
    return corners, _starts(rings), _starts(surfaces)


def _starts(lists: list[Any]) -> Indices:
    return np.concatenate([[0], np.cumsum(np.fromiter(map(len, lists), np.int64, len(lists)))]).astype(np.int64)


def _is_sound(one: Chosen) -> bool:
    try:
        _arrays(one.surfaces)
    except _MalformedError:
        return False
    return True


def _misplaced(rings: Rings, chosen: list[Chosen], file: CityFile, local: Floats) -> dict[int, str]:
    """Objects whose corners point nowhere, with the reason."""
    outside = rings.corners < 0
    known: NDArray[np.bool_] = np.all(np.isfinite(file.vertices), axis=1)
    placed: NDArray[np.bool_] = np.all(np.isfinite(local), axis=1)
    bad: dict[int, str] = {}
    tests = [("vertex_range", outside)]
    if not known.all():
        tests.append(("vertex_invalid", ~outside & ~_taken(known, rings.corners)))
    if not placed.all():
        tests.append(("outside_crs", ~outside & ~_taken(placed, rings.corners)))
    for reason, mask in tests:
        for row in np.unique(rings.corner_object[mask]).tolist():
            bad.setdefault(row, reason)
    return bad


def _taken(values: NDArray[np.bool_], index: Indices) -> NDArray[np.bool_]:
    return values[np.maximum(index, 0)] if len(values) else np.ones(len(index), dtype=bool)


def template_mesh(file: CityFile, number: int) -> Mesh | None:
    """The shape of a template in its own coordinates, None if it is damaged."""
    template = file.templates[number]
    if not isinstance(template, dict) or not _is_usable(template) or template["type"] == INSTANCE:
        return None
    one = Chosen(CityObject("", "", {}, 0, len(file.template_vertices)), "")
    try:
        _take(one, template, SurfaceSemantics())
        rings = _rings([one])
    except (UnusableError, _MalformedError):
        return None
    if (rings.corners < 0).any() or not (np.abs(file.template_vertices[rings.corners]) <= TEMPLATE_LIMIT).all():
        return None
    done = triangles(rings, file.template_vertices)
    if not len(done.faces) or (done.reason >= FAULTY).all():
        return None
    return compact(file.template_vertices, done.faces, np.zeros(len(done.faces), np.int64))


def instance_placement(geometry: dict[str, Any]) -> tuple[int, Floats] | None:
    """Anchor vertex number and (3, 4) matrix of a geometry instance, None if they make no sense."""
    boundaries, matrix = geometry.get("boundaries"), geometry.get("transformationMatrix")
    if not isinstance(boundaries, list) or len(boundaries) != 1 or type(boundaries[0]) is not int:
        return None
    if not isinstance(matrix, list) or len(matrix) != 16 or not all(type(v) in (int, float) for v in matrix):
        return None
    values = np.array(matrix, dtype=np.float64).reshape(4, 4)
    sane = (np.abs(values) <= TEMPLATE_LIMIT).all() and np.array_equal(values[3], [0.0, 0.0, 0.0, 1.0])
    return (boundaries[0], values[:3]) if sane else None
