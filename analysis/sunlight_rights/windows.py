"""The windows judged: those of BIM models and of detailed city models, else windows made along the facades."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from analysis.kernels import sun
from analysis.kernels.rays import SURFACE_OFFSET
from analysis.kernels.windows import WindowFrame, window_frame
from analysis.sunlight.city import element_count, mesh_of
from analysis.sunlight_rights.declaration import RightsInputs, RightsParams
from analysis.sunlight_rights.made import Made, made_windows
from analysis.sunlight_rights.obstacles import TERRAIN, Obstacles
from analysis.sunlight_rights.rooms import living_only
from geo.model import ElementTable, Feedback, Field, Issue, Layer, Mesh, unique_rows

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]

IFC_WINDOW = "IfcWindow"
CLEARANCE = 0.5  # [m] a made window with something nearer than this in front of it is no window
LEAST_SIZE = 0.1  # [m] anything smaller is no window

Framed = tuple[int, WindowFrame | None]
# What was found in a mesh with a table and fields: a drag asks again for models that stay.
_FRAMES: WeakKeyDictionary[Mesh, tuple[ElementTable, tuple[Field, ...], list[Framed]]] = WeakKeyDictionary()


class Windows(NamedTuple):
    """Windows of one origin or of all.

    Attributes
    ----------
    centre, normal : (n, 3) float
        On the outer face [local m]; outward, horizontal unit vector.
    half_width, half_height : (n,) float [m]
    building : (n,) int64
        Number among the obstacles.
    id, storey, origin : (n,) object
        Unique name; storey as text; ``model`` (a window of the data) or ``made``.
    """

    centre: Floats
    normal: Floats
    half_width: Floats
    half_height: Floats
    building: Indices
    id: Texts
    storey: Texts
    origin: Texts

    def kept(self, keep: Bools | slice) -> Windows:
        """Only those where `keep` (n,) is true, or a slice of them."""
        return Windows(
            self.centre[keep],
            self.normal[keep],
            self.half_width[keep],
            self.half_height[keep],
            self.building[keep],
            self.id[keep],
            self.storey[keep],
            self.origin[keep],
        )

    def starts(self, points: Floats) -> Floats:
        """(n, 3) start of rays at a place given in shares of half width and half height, (2,)."""
        along = np.column_stack([-self.normal[:, 1], self.normal[:, 0], np.zeros(len(self.normal))])
        up = np.array([0.0, 0.0, 1.0])
        aside = points[0] * self.half_width[:, None] * along + points[1] * self.half_height[:, None] * up
        return np.asarray(self.centre + aside + SURFACE_OFFSET * self.normal)


def windows_of(
    inputs: RightsInputs, params: RightsParams, obstacles: Obstacles, issues: list[Issue], feedback: Feedback
) -> Windows:
    """All windows of the layers that are judged."""
    found = []
    for number, layer in enumerate(inputs.dwellings):
        feedback.step(number / len(inputs.dwellings), "finding the windows")
        if not isinstance(layer.geometry, Mesh) or len(layer.geometry.faces) == 0:
            continue
        mesh = mesh_of(layer)
        modelled, with_windows = _modelled(layer, mesh, obstacles, issues)
        found.append(modelled)
        if layer.theme == "building":
            made = made_windows(layer, mesh, params, inputs.frame, with_windows, issues)
            found.append(_as_windows(layer, made, obstacles, params, issues))
    feedback.step(1.0, "finding the windows")
    joined = [np.concatenate(columns) for columns in zip(*found, strict=True)] if found else []
    windows = _with_unique_ids(Windows(*joined)) if joined else _no_windows()
    return living_only(windows, inputs.spaces, issues) if params.rooms == "living" else windows


def _no_windows() -> Windows:
    nothing, none, text = np.zeros((0, 3)), np.zeros(0), np.zeros(0, dtype=object)
    return Windows(nothing, nothing, none, none, np.zeros(0, np.int64), text, text, text)


def _with_unique_ids(windows: Windows) -> Windows:
    seen: dict[str, int] = {}
    out = []
    for name in windows.id:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return windows._replace(id=np.array(out, dtype=object))


def _as_windows(layer: Layer, made: Made, obstacles: Obstacles, params: RightsParams, issues: list[Issue]) -> Windows:
    """Windows made along facades, without those that face a wall or lie in the ground."""
    flat = made.windows
    building = obstacles.of_element[layer.id][flat.element]
    names = obstacles.name[building]
    ids = [f"{n}/{s + 1}-{k}" for n, s, k in zip(names, flat.storey, made.number, strict=True)]
    count = len(ids)
    windows = Windows(
        flat.centre,
        flat.normal,
        np.minimum(0.3 * flat.width, 1.8),
        np.full(count, params.window_height / 2),
        building,
        np.array(ids, dtype=object),
        np.array([str(s + 1) for s in flat.storey], dtype=object),
        np.array(["made"] * count, dtype=object),
    )
    return _open(windows, obstacles, issues)


def _open(windows: Windows, obstacles: Obstacles, issues: list[Issue]) -> Windows:
    """Windows that have air in front of them."""
    if len(windows.id) == 0:
        return windows
    starts = windows.starts(np.zeros(2))
    ahead = obstacles.now.first_hit(starts, windows.normal)
    met = obstacles.normal[np.maximum(ahead.face, 0)]
    # The first face ahead is seen from behind: the wall touches a neighbour, and the window would lie inside it.
    inside = (ahead.face >= 0) & ((met * windows.normal).sum(axis=1) > 0.1)
    walled = (ahead.distance < CLEARANCE) | inside
    above = obstacles.now.first_hit(starts, np.array([[0.0, 0.0, 1.0]]))
    buried = (above.face >= 0) & (obstacles.building[np.maximum(above.face, 0)] == TERRAIN)
    for code, gone, text in (
        ("walled", walled, "windows would face a wall within half a metre; none was made there."),
        ("buried", buried & ~walled, "windows would lie below the terrain; none was made there."),
    ):
        if gone.any():
            count = int(gone.sum())
            issues.append(Issue(f"sunlight.rights.{code}", f"{count} {text}", count=count))
    return windows.kept(~walled & ~buried)


def _modelled(layer: Layer, mesh: Mesh, obstacles: Obstacles, issues: list[Issue]) -> tuple[Windows, Bools]:
    """Windows that the data have, and (e,) the elements that have some."""
    count = element_count(layer, mesh)
    has = np.zeros(count, dtype=bool)
    frames = _frames_of(layer, mesh)
    if not frames:
        return _no_windows(), has
    has[[element for element, _ in frames]] = True
    standing = [(e, f) for e, f in frames if f is not None and min(f.width, f.height) > LEAST_SIZE]
    if len(standing) < len(frames):
        lost = len(frames) - len(standing)
        issues.append(
            Issue(
                "sunlight.rights.flat_windows", f"{lost} windows lie flat and were left out: roof lights.", count=lost
            )
        )
    if not standing:
        return _no_windows(), has
    element = np.array([e for e, _ in standing], dtype=np.int64)
    centre, across = np.array([f.centre for _, f in standing]), np.array([f.across for _, f in standing])
    depth = np.array([f.half_depth for _, f in standing])[:, None]
    sky = [_free_ways(obstacles, centre + side * (depth + SURFACE_OFFSET) * across, side * across) for side in (1, -1)]
    normal = np.where((sky[0] >= sky[1])[:, None], across, -across)
    building = obstacles.of_element[layer.id][element]
    windows = Windows(
        centre + depth * normal,
        normal,
        np.array([f.width / 2 for _, f in standing]),
        np.array([f.height / 2 for _, f in standing]),
        building,
        np.array([f"{obstacles.name[b]}/{_id_of(layer, e)}" for b, e in zip(building, element, strict=True)], object),
        np.array([_storey_of(layer, e) for e in element], dtype=object),
        np.array(["model"] * len(element), dtype=object),
    )
    inside = np.maximum(sky[0], sky[1]) == 0
    if inside.any():
        lost = int(inside.sum())
        text = f"{lost} windows of the model see no sky on either side and were left out: they lie inside."
        issues.append(Issue("sunlight.rights.inner_windows", text, count=lost))
    return windows.kept(~inside), has


def _frames_of(layer: Layer, mesh: Mesh) -> list[Framed]:
    """Element and rectangle of every window that a layer's data name; None for one that lies flat."""
    known = _FRAMES.get(mesh)
    if known is None or known[0] is not layer.table or known[1] is not layer.fields:
        found = [(e, window_frame(mesh.vertices[mesh.faces[faces]])) for e, faces in _window_faces(layer, mesh)]
        known = _FRAMES[mesh] = (layer.table, layer.fields, found)
    return known[2]


def _window_faces(layer: Layer, mesh: Mesh) -> Iterable[tuple[int, Indices]]:
    """Element and faces of every window that a layer's data name."""
    kinds = layer.table.columns.get("class")
    if layer.theme == "bim" and kinds is not None:
        named = np.array([str(value).startswith(IFC_WINDOW) for value in kinds.values], dtype=bool)
        order = np.argsort(mesh.face_element, kind="stable")
        sorted_element = mesh.face_element[order]
        for element in np.flatnonzero(named):
            low, high = np.searchsorted(sorted_element, [element, element + 1])
            if high > low:
                yield int(element), order[low:high]
        return
    said = layer.field_named("semantic")
    if said is None or said.on != "face" or len(said.values) != len(mesh.faces):
        return
    codes = [code for code, name in enumerate(said.categories) if "window" in name.lower()]
    faces = np.flatnonzero(np.isin(said.values, codes))
    yield from ((int(mesh.face_element[part[0]]), part) for part in _connected(mesh, faces))


def _connected(mesh: Mesh, faces: Indices) -> list[Indices]:
    """Groups of faces that share corners (to a millimetre) and the element."""
    if len(faces) == 0:
        return []
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    spots = np.rint(mesh.vertices[mesh.faces[faces]].reshape(-1, 3) * 1000).astype(np.int64)
    key = np.column_stack([np.repeat(mesh.face_element[faces], 3), spots])
    corner = unique_rows(key).group
    face = np.repeat(np.arange(len(faces)), 3) + corner.max() + 1
    size = int(face.max()) + 1
    links = coo_matrix((np.ones(len(face)), (corner, face)), shape=(size, size))
    label = connected_components(links, directed=False)[1][int(corner.max()) + 1 :]
    order = np.argsort(label, kind="stable")
    return np.split(faces[order], np.flatnonzero(np.diff(label[order])) + 1)


def _free_ways(obstacles: Obstacles, starts: Floats, normals: Floats) -> Indices:
    """(n,) how many of 42 directions in front of points are free to the end of the scene."""
    free = np.zeros(len(starts), dtype=np.int64)
    for elevation in (5.0, 20.0, 40.0):
        for azimuth in np.arange(0.0, 360.0, 360.0 / 28):
            way = sun.sun_vectors(azimuth, elevation)
            ahead = np.flatnonzero((normals * way).sum(axis=1) > 0.1)
            free[ahead] += ~obstacles.now.occluded(starts[ahead], way)
    return free


def _id_of(layer: Layer, element: int) -> str:
    return str(layer.table.ids[element]) if element < len(layer.table) else str(element)


def _storey_of(layer: Layer, element: int) -> str:
    column = layer.table.columns.get("storey")
    value = column.values[element] if column is not None else None
    return "" if value is None else str(value)
