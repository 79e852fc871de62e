"""Buildings as heaps of triangles with an outline, a use, and the height that counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.sunlight_setback.cutting import cut
from analysis.sunlight_setback.declaration import SetbackParams
from analysis.sunlight_setback.parcels import column_text
from analysis.sunlight_setback.rules import Rulebook
from geo.model import Feedback, Issue, Layer, Mesh
from geo.polygons import areas_of_triangles

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Objects = NDArray[np.object_]

FLAT = 0.99  # vertical part of the normal of a flat roof
PARAPET = 2.0  # [m] what rises less above the roof is a parapet, which counts
SAME_LEVEL = 0.05  # [m]
REPLACED = 0.5  # of a hidden building's plan: a model over more of it stands in its place
LEAST_PLAN = 1e-3  # [m2] seen from above: smaller triangles add nothing to an outline
PROPOSAL = "proposal_floor_area"  # column that only proposals of alternatives have
NOT_BUILT = ("IfcSite", "IfcGeographicElement", "IfcSpace", "IfcTree", "IfcFurniture")


class Body(NamedTuple):
    """A building.

    Attributes
    ----------
    name, layer, use_text : str
    use : str
        A key of ``uses`` in the rules, or ``other``.
    triangles : (t, 3, 3) float [local m]
        What counts: without small rooftop structures.
    outline : shapely area
        Its plan.
    left_out : float [m]
        Height of a rooftop structure that does not count, 0 without one.
    model : bool
        Whether it is a detailed model, with rooms, railings and balconies.
    """

    name: str
    layer: str
    use_text: str
    use: str
    triangles: Floats
    outline: object
    left_out: float
    model: bool = False


def read_bodies(
    layers: Sequence[Layer], params: SetbackParams, rules: Rulebook, issues: list[Issue], feedback: Feedback
) -> list[Body]:
    """Every building of the layers: an element of a building layer, or the layers of one BIM file together."""
    bodies: list[Body] = []
    hidden: list[Body] = []
    models: dict[str, list[tuple[Layer, Mesh]]] = {}
    for number, layer in enumerate(layers):
        share = feedback.part(number / len(layers), (number + 1) / len(layers))
        if not isinstance(layer.geometry, Mesh) or len(layer.geometry.faces) == 0:
            continue
        if layer.theme == "bim":
            models.setdefault(layer.source.path or layer.id, []).append((layer, layer.geometry))
            continue
        shown, not_shown = _of_elements(layer, layer.geometry, params, rules, issues, share)
        bodies += shown
        hidden += not_shown
    for parts in models.values():
        feedback.step(1.0, "reading the buildings")
        triangles = np.concatenate([_built(layer, mesh) for layer, mesh in parts])
        if len(triangles):
            layer = parts[0][0]
            name, use = _said_of_model(layer, params, rules)
            body = _body(name, layer.name, use, triangles, params, rules)._replace(model=True)
            bodies.append(body if use else _with_use(body, hidden, params, rules, issues))
    _note_rooftops(bodies, issues)
    return _named_apart(bodies)


def _said_of_model(layer: Layer, params: SetbackParams, rules: Rulebook) -> tuple[str, str]:
    """Name and use of a detailed model: a proposal is one element, which has both in its table."""
    if len(layer.table) != 1 or PROPOSAL not in layer.table.columns:
        return layer.name, ""
    return str(layer.table.ids[0]), str(column_text(layer, rules.columns("use"), params.use_column)[0] or "")


def _of_elements(
    layer: Layer, mesh: Mesh, params: SetbackParams, rules: Rulebook, issues: list[Issue], feedback: Feedback
) -> tuple[list[Body], list[Body]]:
    """Buildings of a layer that are shown, and those that are hidden."""
    order = np.argsort(mesh.face_element, kind="stable")
    elements, start = np.unique(mesh.face_element[order], return_index=True)
    uses = column_text(layer, rules.columns("use"), params.use_column)
    if not any(uses) and params.building_use == "column":
        text = f"{layer.name} says no use of its buildings: none is taken for apartments."
        issues.append(Issue("sunlight.setback.no_use", text, "doubt", len(elements), values={"layer": layer.name}))
    bodies: list[Body] = []
    hidden: list[Body] = []
    for number, (element, faces) in enumerate(zip(elements, np.split(order, start[1:]), strict=True)):
        if number % 20 == 0:
            feedback.step(number / len(elements), "reading the buildings")
        name = str(layer.table.ids[element]) if element < len(layer.table) else f"{layer.id}-{element}"
        use = str(uses[element]) if element < len(uses) else ""
        made = _body(name, layer.name, use, mesh.vertices[mesh.faces[faces]], params, rules)
        (hidden if name in layer.style.hidden else bodies).append(made)
    if hidden:
        text = f"{len(hidden)} buildings of {layer.name} are hidden and were not judged."
        issues.append(Issue("sunlight.setback.hidden", text, count=len(hidden), values={"layer": layer.name}))
    return bodies, hidden


def _with_use(body: Body, hidden: Sequence[Body], params: SetbackParams, rules: Rulebook, issues: list[Issue]) -> Body:
    """A model with the use of the hidden building whose place it takes; models seldom say what they are used for."""
    import shapely

    if params.building_use != "column":
        return body
    shared = [float(shapely.area(shapely.intersection(body.outline, other.outline))) for other in hidden]
    there = [
        other.use_text
        for other, area in zip(hidden, shared, strict=True)
        if other.use_text and area > REPLACED * float(shapely.area(other.outline))
    ]
    if not there:
        text = f"{body.name} says no use of its buildings: none is taken for apartments."
        issues.append(Issue("sunlight.setback.no_use", text, "doubt", 1, values={"layer": body.name}))
        return body
    text = f"{body.name} takes the use of the hidden building in its place: {there[0]}."
    issues.append(Issue("sunlight.setback.use_taken", text, "note", 1, values={"layer": body.name, "use": there[0]}))
    return body._replace(use_text=there[0], use=rules.use(there[0]))


def _built(layer: Layer, mesh: Mesh) -> Floats:
    """Triangles of a model, without the site and what is no building."""
    kinds = layer.table.columns.get("class")
    keep = np.ones(len(mesh.faces), dtype=bool)
    if kinds is not None and len(kinds.values):
        built = np.array([not str(value).startswith(NOT_BUILT) for value in kinds.values], dtype=bool)
        known = mesh.face_element < len(built)
        keep[known] = built[mesh.face_element[known]]
    return np.asarray(mesh.vertices[mesh.faces[keep]])


def _body(name: str, owner: str, use_text: str, triangles: Floats, params: SetbackParams, rules: Rulebook) -> Body:
    use = rules.use(use_text) if params.building_use == "column" else params.building_use
    counted, left_out = triangles, 0.0
    if params.rooftop:
        share = rules.rule("ground", "rooftop_share").value
        counted, left_out = _without_rooftop(triangles, share, rules.rule("ground", "rooftop_height").value)
    return Body(name, owner, use_text, use, counted, outline_of(triangles), left_out)


def outline_of(triangles: Floats) -> object:
    """Plan of a building: the union of its triangles (t, 3, 3) that look up, or of all where none does."""
    import shapely

    cross = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])[:, 2]
    up = cross > 2 * LEAST_PLAN
    chosen = up if up.any() else np.abs(cross) > 2 * LEAST_PLAN
    return shapely.union_all(areas_of_triangles(triangles[chosen]))


def _without_rooftop(triangles: Floats, share: float, highest: float) -> tuple[Floats, float]:
    """Without flat-roofed structures on the roof that are small and low enough not to count, and their height [m].

    The level that counts is the lowest flat roof above which no more than `share` of the plan of all roofs lies.
    """
    cross = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    size = np.linalg.norm(cross, axis=1)
    up = (cross[:, 2] > 1e-6) & (cross[:, 2] > 0.2 * size)
    top, plan = triangles[up, :, 2].max(axis=1), cross[up, 2] / 2
    flat = cross[up, 2] > FLAT * size[up]
    for level in np.unique(np.round(top[flat], 2)):
        above = top > level + SAME_LEVEL
        if plan[above].sum() > share * plan.sum() + 1e-9:
            continue
        structure = top > level + PARAPET
        rise = float(top.max() - level)
        if not structure.any() or not flat[structure].all() or rise > highest:
            return triangles, 0.0
        parapet = top[above & ~structure]
        counted = float(parapet.max()) if len(parapet) else float(level)
        planes = np.tile([0.0, 0.0, -1.0, counted], (len(triangles), 1))
        return cut(triangles, planes)[0], rise
    return triangles, 0.0


def _note_rooftops(bodies: list[Body], issues: list[Issue]) -> None:
    count = sum(body.left_out > 0 for body in bodies)
    if count:
        text = f"Small rooftop structures of {count} buildings do not count as height."
        issues.append(Issue("sunlight.setback.rooftops", text, count=count))


def _named_apart(bodies: list[Body]) -> list[Body]:
    seen: dict[str, int] = {}
    out = []
    for body in bodies:
        seen[body.name] = seen.get(body.name, 0) + 1
        out.append(body if seen[body.name] == 1 else body._replace(name=f"{body.name}#{seen[body.name]}"))
    return out
