"""Headless. Labels of elements: where they hang, which of them are written, and where in the picture.

Places in the scene are found once per geometry and can be looked for in a job; which of them are written is chosen
anew whenever the picture rests, the nearest first, none over another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from app.look import NO_SECTION, Section
from app.numbers import unit_text, with_unit
from app.sheet import SheetColumn, sheet_of
from app.view.camera import Camera, project
from app.view.sky import shown_elements
from geo.model import Geometry, Instances, Layer, Lines, Mesh, Points

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

MOST_LABELS = 200
TRIED = 1200  # elements in the picture that are looked at for them, the nearest first
GAP = 8.0  # pixels between two labels: a picture full of words says nothing
LIFT = 6.0  # pixels between the place of an element and the foot of its label
LONGEST = 40  # letters of a label
ROOF_GAP = 0.5  # metres over a roof
ON_THE_GROUND = ("parcel", "water", "road", "rail", "terrain", "excavation")


@dataclass(frozen=True)
class Anchors:
    """Where labels of a geometry hang.

    Attributes
    ----------
    points : (n, 3) float [local m]
    rows : (n,) int
        Of the layer's table.
    """

    points: Floats
    rows: Rows


@dataclass(frozen=True)
class Label:
    """One label in the picture.

    Attributes
    ----------
    text : str
    point : (x, y, z) [local m]
        The place it is about.
    size : int
        Height of the letters [pixels].
    left, top, width, height : float [pixels]
    """

    text: str
    point: tuple[float, float, float]
    size: int
    left: float
    top: float
    width: float
    height: float


Measure = Callable[[str, int], tuple[float, float]]  # text, height of letters -> width, height [pixels]
Sight = Callable[[Floats], NDArray[np.bool_]]
_anchors: WeakKeyDictionary[Geometry, dict[bool, Anchors]] = WeakKeyDictionary()
NO_ANCHORS = Anchors(np.empty((0, 3)), np.empty(0, dtype=np.int64))


def is_labelled(layer: Layer) -> bool:
    """Whether a layer has labels now."""
    style = layer.style
    return style.visible and style.labelled and bool(style.label_by) and can_be_labelled(layer)


def can_be_labelled(layer: Layer) -> bool:
    """Whether a layer has elements that lie somewhere."""
    return isinstance(layer.geometry, Mesh | Lines | Points | Instances) and len(layer.table) > 0


def pieces_of(layer: Layer) -> int:
    """How much there is to look at to find the places of a layer's labels."""
    shape = layer.geometry
    if isinstance(shape, Mesh):
        return len(shape.faces)
    if isinstance(shape, Lines | Points):
        return len(shape.vertices)
    return len(shape.element) if isinstance(shape, Instances) else 0


def known_anchors(layer: Layer) -> Anchors | None:
    """The places of a layer's labels, if they have been looked for."""
    if layer.geometry is None:
        return NO_ANCHORS
    return _anchors.get(layer.geometry, {}).get(layer.theme in ON_THE_GROUND)


def anchors_of(layer: Layer) -> Anchors:
    """The places of a layer's labels: over the roof, at the middle of a line, at a point."""
    found = known_anchors(layer)
    if found is None and layer.geometry is not None:
        found = _find(layer.geometry, flat=layer.theme in ON_THE_GROUND)
        _anchors.setdefault(layer.geometry, {})[layer.theme in ON_THE_GROUND] = found
    return found or NO_ANCHORS


def _find(geometry: Geometry, *, flat: bool) -> Anchors:
    if isinstance(geometry, Mesh):
        return _of_mesh(geometry, flat=flat)
    if isinstance(geometry, Lines):
        return _of_lines(geometry)
    if isinstance(geometry, Points):
        return _first_of_each(geometry.vertices, geometry.element)
    if isinstance(geometry, Instances):
        return _first_of_each(np.asarray(geometry.transform, dtype=np.float64)[:, :, 3], geometry.element)
    return NO_ANCHORS


def _of_mesh(mesh: Mesh, *, flat: bool) -> Anchors:
    """The middle of each element by the area of its faces seen from above; at its top, or in its plane."""
    if len(mesh.faces) == 0:
        return NO_ANCHORS
    corners = mesh.vertices[mesh.faces]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) + 1e-9  # walls count for nearly nothing
    count = int(mesh.face_element.max()) + 1
    if count < 1 or int(mesh.face_element.min()) < 0:
        return NO_ANCHORS
    total = np.bincount(mesh.face_element, area, count)
    rows = np.flatnonzero(total)
    middle = corners.mean(axis=1)
    points = np.empty((len(rows), 3))
    for axis in (0, 1, 2) if flat else (0, 1):
        points[:, axis] = (np.bincount(mesh.face_element, area * middle[:, axis], count)[rows]) / total[rows]
    if not flat:
        order = np.argsort(mesh.face_element, kind="stable")
        starts = np.flatnonzero(np.diff(mesh.face_element[order], prepend=-1))
        points[:, 2] = np.maximum.reduceat(corners[order, :, 2].max(axis=1), starts) + ROOF_GAP
    return Anchors(points, rows.astype(np.int64))


def _of_lines(lines: Lines) -> Anchors:
    """The middle of the longest line of each element."""
    if len(lines.vertices) < 2 or len(lines.offsets) < 2:
        return NO_ANCHORS
    steps = np.linalg.norm(np.diff(lines.vertices, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    starts, ends = lines.offsets[:-1].astype(np.int64), lines.offsets[1:].astype(np.int64) - 1
    whole = np.flatnonzero(ends > starts)
    starts, ends, rows = starts[whole], ends[whole], np.asarray(lines.line_element)[whole].astype(np.int64)
    if len(rows) == 0:
        return NO_ANCHORS
    length = along[ends] - along[starts]
    order = np.lexsort((-length, rows))
    chosen = order[np.flatnonzero(np.diff(rows[order], prepend=-1))]
    wanted = (along[starts[chosen]] + along[ends[chosen]]) / 2
    before = np.clip(np.searchsorted(along, wanted, side="right") - 1, starts[chosen], ends[chosen] - 1)
    share = (wanted - along[before]) / np.maximum(steps[before], 1e-12)
    points = lines.vertices[before] + share[:, None] * (lines.vertices[before + 1] - lines.vertices[before])
    return Anchors(points, rows[chosen])


def _first_of_each(points: NDArray[np.floating], element: NDArray[np.integer]) -> Anchors:
    rows, first = np.unique(np.asarray(element), return_index=True)
    return Anchors(np.asarray(points, dtype=np.float64)[first], rows.astype(np.int64))


def label_column(layer: Layer) -> SheetColumn | None:
    """The attribute that is written."""
    return sheet_of(layer).columns.get(layer.style.label_by)


def label_text(column: SheetColumn, row: int) -> str:
    """What a label says: the value with its unit; nothing where there is none."""
    text = column.shown_at(row).strip()
    if text and column.is_number and unit_text(column.unit):
        text = with_unit(text, column.unit)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def placed(
    layers: Iterable[Layer],
    camera: Camera,
    size: tuple[int, int],
    measure: Measure,
    *,
    section: Section = NO_SECTION,
    kept: Sequence[tuple[float, float, float, float]] = (),
    anchors: Mapping[str, Anchors] | None = None,
    sight: Sight | None = None,
) -> list[Label]:
    """The labels of a picture, the nearest first.

    Parameters
    ----------
    size : (width, height) [pixels]
    kept : sequence of (left, top, right, bottom) [pixels]
        Parts of the picture that stay free.
    anchors : mapping of layer id -> Anchors, optional
        Layers that are not in it have no labels yet; without it all are looked for here.
    sight : callable(points (n, 3)) -> (n,) bool, optional
        Whether places outdoors are seen from the eye, or stand behind something.
    """
    found = []
    for layer in layers:
        column = label_column(layer) if is_labelled(layer) else None
        hung = (anchors_of(layer) if anchors is None else anchors.get(layer.id)) if column is not None else None
        if hung is not None and column is not None and len(hung.rows):
            found += _in_sight(layer, column, hung, camera, size, section=section)
    found.sort(key=lambda entry: entry.distance)
    found = found[:TRIED]
    outdoors = [number for number, entry in enumerate(found) if entry.outdoors]
    if sight is not None and outdoors:
        seen = sight(np.array([found[number].point for number in outdoors]))
        behind = {number for number, is_seen in zip(outdoors, seen.tolist(), strict=True) if not is_seen}
        found = [entry for number, entry in enumerate(found) if number not in behind]
    return _beside_each_other(found, size, measure, kept)


@dataclass(frozen=True, eq=False)
class Candidate:
    """An element in the picture that may be labelled."""

    distance: float
    place: Floats
    point: Floats
    column: SheetColumn
    row: int
    letters: int
    outdoors: bool


def _in_sight(
    layer: Layer, column: SheetColumn, hung: Anchors, camera: Camera, size: tuple[int, int], *, section: Section
) -> list[Candidate]:
    """Elements of a layer in the picture, the nearest first, not more than are tried."""
    shown = shown_elements(layer)
    rows = hung.rows
    usable = (rows < len(layer.table)) & shown[np.minimum(rows, len(shown) - 1)]
    distance = np.linalg.norm(hung.points - np.asarray(camera.position), axis=1)
    if layer.style.label_reach > 0.0:
        usable &= distance <= layer.style.label_reach
    usable[usable] = column.known[rows[usable]]
    if section.planes_of(layer.id):
        usable &= section.keeps(layer.id, hung.points)
    places, depth = project(camera, hung.points, size)
    usable &= (depth > 0) & (places > 0).all(axis=1) & (places < np.array(size)).all(axis=1)
    near = np.flatnonzero(usable)
    if len(near) > TRIED:
        near = near[np.argpartition(distance[near], TRIED)[:TRIED]]
    letters, outdoors = layer.style.label_size, layer.stratum == "outdoor"
    return [
        Candidate(float(distance[k]), places[k], hung.points[k], column, int(rows[k]), letters, outdoors)
        for k in near.tolist()
    ]


def _beside_each_other(
    wanted: Sequence[Candidate],
    size: tuple[int, int],
    measure: Measure,
    kept: Sequence[tuple[float, float, float, float]],
) -> list[Label]:
    taken = np.full((MOST_LABELS + len(kept), 4), np.nan)  # left, top, right, bottom
    count = len(kept)
    if kept:
        taken[:count] = kept
    labels: list[Label] = []
    for one in wanted:
        if len(labels) == MOST_LABELS:
            break
        text = label_text(one.column, one.row)
        if not text:
            continue
        width, height = measure(text, one.letters)
        left, top = float(one.place[0]) - width / 2, float(one.place[1]) - LIFT - height
        if left < 0 or top < 0 or left + width > size[0]:
            continue
        others = taken[:count]
        apart = (
            (others[:, 0] > left + width + GAP)
            | (others[:, 2] < left - GAP)
            | (others[:, 1] > top + height + GAP)
            | (others[:, 3] < top - GAP)
        )
        if apart.all():
            taken[count] = (left, top, left + width, top + height)
            count += 1
            x, y, z = (float(value) for value in one.point)
            labels.append(Label(text, (x, y, z), one.letters, left, top, width, height))
    return labels
