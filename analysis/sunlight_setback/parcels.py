"""Parcels as areas with a zoning, from outlines or surfaces of layers; doubts about them are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.sunlight_setback.declaration import SetbackParams
from analysis.sunlight_setback.rules import Rulebook
from geo.model import Feedback, Issue, Layer, Lines, Mesh, UserError
from geo.polygons import areas_of_triangles

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Objects = NDArray[np.object_]

LEAST_AREA = 0.5  # [m2] smaller is a drawing error
CLOSED = 0.01  # [m] between the two ends of a ring
SAME = 0.01  # [m] two parcels with the same corners to this are one that was drawn twice
OVERLAP = 1.0  # [m2] parcels that share more overlap
NAMED = 20  # ids that a note lists at most


class Parcels(NamedTuple):
    """Parcels of all layers.

    Attributes
    ----------
    polygon : (n,) object
        Valid shapely areas [local m].
    id, zoning, zone : (n,) object
        Zoning as the data say it and its class, ``""`` where it has none that is known.
    open : (n,) bool
        Roads, parks, rivers ...: nobody builds there, and boundaries are moved across them.
    """

    polygon: Objects
    id: Objects
    zoning: Objects
    zone: Objects
    open: NDArray[np.bool_]


def read_parcels(
    layers: Sequence[Layer], params: SetbackParams, rules: Rulebook, issues: list[Issue], feedback: Feedback
) -> Parcels:
    """All parcels; raises `UserError` where there is none."""
    polygons: list[Objects] = []
    texts: dict[str, list[Objects]] = {"id": [], "zoning": [], "land_use": []}
    for number, layer in enumerate(layers):
        feedback.step(number / len(layers), "reading the parcels")
        areas, rows = _areas_of(layer, issues)
        polygons.append(areas)
        texts["id"].append(_ids(layer)[rows])
        for meaning, said in (("zoning", params.zoning_column), ("land_use", params.land_use_column)):
            texts[meaning].append(column_text(layer, rules.columns(meaning), said)[rows])
    _check_columns(layers, params, rules)
    areas = np.concatenate(polygons) if polygons else np.zeros(0, dtype=object)
    if len(areas) == 0:
        raise UserError(
            "There is no parcel to judge.",
            "The layers chosen have no closed outline.",
            "Choose a layer with parcels.",
            code="sunlight.setback.no_parcels",
        )
    told = {name: np.concatenate(values) for name, values in texts.items()}
    return _without_twins(areas, told, rules, issues)


def column_text(layer: Layer, names: Sequence[str], said: str) -> Objects:
    """(n,) text of the column called `said`, or of the first with a usual name; ``""`` without one."""
    name = find_column(layer, names, said)
    if not name:
        return np.full(len(layer.table), "", dtype=object)
    values = layer.table.columns[name].values
    return np.array(["" if _is_missing(value) else str(value).strip() for value in values], dtype=object)


def find_column(layer: Layer, names: Sequence[str], said: str = "auto") -> str:
    """Name of a column, ``""`` where the layer has none of that meaning."""
    if said != "auto":
        return said if said in layer.table.columns else ""
    known = {name.lower(): name for name in layer.table.columns}
    return next((known[name] for name in names if name in known), "")


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value))


def _check_columns(layers: Sequence[Layer], params: SetbackParams, rules: Rulebook) -> None:
    """Refuse a column that the user names and no layer has."""
    for meaning, said in (("zoning", params.zoning_column), ("land_use", params.land_use_column)):
        if said == "auto" or any(find_column(layer, rules.columns(meaning), said) for layer in layers):
            continue
        known = sorted({name for layer in layers for name in layer.table.columns})
        raise UserError(
            f"The parcels have no column called {said}.",
            f"They have: {', '.join(known) or 'none'}.",
            "Choose one of these, or auto.",
            code="sunlight.setback.no_column",
            values={"column": said, "known": ", ".join(known)},
        )


def _ids(layer: Layer) -> Objects:
    shape = layer.geometry
    element = np.zeros(0, np.int32)
    if isinstance(shape, Lines | Mesh):
        element = shape.line_element if isinstance(shape, Lines) else shape.face_element
    count = max(len(layer.table), int(element.max()) + 1 if len(element) else 0)
    extra = [f"{layer.id}-{k}" for k in range(len(layer.table), count)]
    return np.array([*layer.table.ids, *extra], dtype=object)


def _areas_of(layer: Layer, issues: list[Issue]) -> tuple[Objects, Indices]:
    """Areas of a layer and the element of each."""
    if isinstance(layer.geometry, Mesh):
        return mesh_areas(layer.geometry)
    if isinstance(layer.geometry, Lines):
        return _ring_areas(layer, layer.geometry, issues)
    return np.zeros(0, dtype=object), np.zeros(0, np.int64)


def mesh_areas(mesh: Mesh) -> tuple[Objects, Indices]:
    """Plan of every element of a mesh (the union of its triangles seen from above), and the elements that have one."""
    import shapely

    flat = np.abs(mesh.face_cross[:, 2]) > 1e-9
    triangles = areas_of_triangles(mesh.vertices[mesh.faces[flat]])
    element = mesh.face_element[flat].astype(np.int64)
    order = np.argsort(element, kind="stable")
    rows, start = np.unique(element[order], return_index=True)
    groups = np.split(triangles[order], start[1:]) if len(rows) else []
    areas = [shapely.union_all(group) for group in groups]
    return np.array([*areas, None], dtype=object)[:-1], rows


def _ring_areas(layer: Layer, lines: Lines, issues: list[Issue]) -> tuple[Objects, Indices]:
    """Areas from rings: a ring inside another of the same element is a hole."""
    import shapely

    parts, element, odd = [], [], 0
    for number, (start, stop) in enumerate(zip(lines.offsets[:-1], lines.offsets[1:], strict=True)):
        ring = lines.vertices[start:stop, :2]
        if len(ring) < 4 or np.hypot(*(ring[0] - ring[-1])) > CLOSED:
            odd += 1
            continue
        parts.append(shapely.polygons(np.vstack([ring[:-1], ring[:1]])))
        element.append(int(lines.line_element[number]))
    if odd:
        text = f"{odd} outlines of {layer.name} are not closed; they are no parcels and were left out."
        issues.append(Issue("sunlight.setback.open_outlines", text, "doubt", odd, values={"layer": layer.name}))
    return _joined(layer, np.array([*parts, None], dtype=object)[:-1], np.array(element, np.int64), issues)


def _joined(layer: Layer, parts: Objects, element: Indices, issues: list[Issue]) -> tuple[Objects, Indices]:
    import shapely

    crossing = ~shapely.is_valid(parts)
    parts[crossing] = shapely.make_valid(parts[crossing])
    if crossing.any():
        names = tuple(_ids(layer)[np.unique(element[crossing])][:NAMED])
        count = int(crossing.sum())
        text = f"{count} outlines of {layer.name} cross or touch themselves; they were taken as the areas they enclose."
        issues.append(Issue("sunlight.setback.crossing", text, "doubt", count, names, {"layer": layer.name}))
    rows = np.unique(element)
    areas = []
    for row in rows:
        mine = parts[element == row]
        area = mine[0]
        for other in mine[1:]:
            area = shapely.symmetric_difference(area, other)
        areas.append(area)
    found = np.array([*areas, None], dtype=object)[:-1]
    large = shapely.area(found) >= LEAST_AREA
    if not large.all():
        count = int((~large).sum())
        text = f"{count} outlines of {layer.name} enclose no area and were left out."
        issues.append(Issue("sunlight.setback.no_area", text, "doubt", count, values={"layer": layer.name}))
    return found[large], rows[large]


def _without_twins(areas: Objects, said: dict[str, Objects], rules: Rulebook, issues: list[Issue]) -> Parcels:
    import shapely

    shape = shapely.to_wkb(shapely.normalize(shapely.set_precision(areas, SAME)))
    keep = np.sort(np.unique(np.array(shape, dtype=object).astype("S"), return_index=True)[1])
    if len(keep) < len(areas):
        count = len(areas) - len(keep)
        issues.append(
            Issue("sunlight.setback.twins", f"{count} parcels are there twice; one of each counts.", "doubt", count)
        )
    areas, texts = areas[keep], {name: values[keep] for name, values in said.items()}
    _note_overlaps(areas, texts["id"], issues)
    zone = np.array([rules.zone(text) for text in texts["zoning"]], dtype=object)
    is_open = np.array([rules.is_open(text) for text in texts["land_use"]], dtype=bool)
    _note_zoning(texts["zoning"], zone, is_open, issues)
    return Parcels(areas, _unique(texts["id"]), texts["zoning"], zone, is_open)


def _unique(names: Objects) -> Objects:
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return np.array(out, dtype=object)


def _note_overlaps(areas: Objects, ids: Objects, issues: list[Issue]) -> None:
    import shapely

    first, second = shapely.STRtree(areas).query(areas, predicate="intersects")
    pairs = first < second
    first, second = first[pairs], second[pairs]
    shared = shapely.area(shapely.intersection(areas[first], areas[second])) > OVERLAP
    if shared.any():
        names = tuple(ids[np.unique(first[shared])][:NAMED])
        text = f"{int(shared.sum())} pairs of parcels overlap: the layers may hold parcels and zones at once."
        issues.append(Issue("sunlight.setback.overlap", text, "doubt", int(shared.sum()), names))


def _note_zoning(zoning: Objects, zone: Objects, is_open: NDArray[np.bool_], issues: list[Issue]) -> None:
    unknown = (zone == "") & ~is_open
    if not unknown.any():
        return
    words = sorted({text for text in zoning[unknown] if text})
    count = int(unknown.sum())
    text = f"{count} parcels have no zoning that the rules know; nothing can be told there."
    values = {"words": ", ".join(words[:NAMED]) or "-"}
    issues.append(Issue("sunlight.setback.no_zoning", text, "doubt", count, values=values))
