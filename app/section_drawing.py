"""Headless. A vertical cut between two points as numbers: ground, pipes, buildings and models it meets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.utility_kinds import is_network, kind_codes, utility_kinds
from app.view.sweep import radii_of
from geo.model import Grid, Layer, Lines, Mesh, UserError
from geo.model.conventions import COVER, DEPTH_QUALITY, MATERIAL, OWNER

Floats = NDArray[np.float64]

GROUND_STEP = 0.5  # metres between heights of the ground, or as many as `MOST_GROUND`
MOST_GROUND = 2000
SLANTEST = 12.0  # times its radius that a pipe cut lengthwise is drawn wide at most
SOLID_THEMES = frozenset({"building", "bim", "excavation"})
SHORTEST = 0.5  # metres


@dataclass(frozen=True)
class CutPipe:
    """Where a pipe goes through the cut.

    Attributes
    ----------
    layer_id, element_id, kind : str
    along, height : float [m]
        Place of its axis: from the first point, and local z.
    half_width, half_height : float [m]
        Of the ellipse or box that the cut shows.
    tilt : float [degrees]
        By which the ellipse is turned, upward toward the second point.
    is_box : bool
    diameter : float [m]
        NaN for boxes.
    width : float [m]
        Of a box, square to its axis; NaN for round pipes.
    cover : float [m]
        From the ground down to its top here, measured in the drawing; NaN without ground.
    stated_cover : float [m]
        As the file says; NaN when it does not.
    depth_quality, material, owner : str
    """

    layer_id: str
    element_id: str
    kind: str
    along: float
    height: float
    half_width: float
    half_height: float
    tilt: float
    is_box: bool
    diameter: float
    width: float
    cover: float
    stated_cover: float
    depth_quality: str
    material: str
    owner: str

    @property
    def top(self) -> float:
        """Height of its top [local m]."""
        return self.height + self.half_height


@dataclass(frozen=True)
class SectionDrawing:
    """What a vertical cut shows, drawn or not.

    Attributes
    ----------
    start, stop : (x, y) [local m]
    ground : (n, 2) float64
        Distance from the first point and height [m]; NaN heights where there is no ground.
    solids : tuple of (layer id, theme, (k, 2, 2) float64)
        Edges where the cut meets buildings and models.
    pipes : tuple of CutPipe
        In the order in which they are met.
    """

    start: tuple[float, float]
    stop: tuple[float, float]
    ground: Floats
    solids: tuple[tuple[str, str, Floats], ...]
    pipes: tuple[CutPipe, ...]

    @property
    def length(self) -> float:
        """Between the two points [m]."""
        return math.dist(self.start, self.stop)

    def ground_at(self, along: float) -> float:
        """Height of the ground at a place of the cut; NaN where there is none."""
        known = np.isfinite(self.ground[:, 1])
        if not known.any():
            return math.nan
        return float(np.interp(along, self.ground[known, 0], self.ground[known, 1], left=math.nan, right=math.nan))

    @property
    def heights(self) -> tuple[float, float]:
        """Lowest and highest of pipes and ground [local m]."""
        ground = self.ground[np.isfinite(self.ground[:, 1]), 1]
        low = [pipe.height - pipe.half_height for pipe in self.pipes]
        values = [*ground.tolist(), *low, *(pipe.top for pipe in self.pipes)]
        values = values or [float(edges[..., 1].min()) for _id, _theme, edges in self.solids] or [0.0]
        return min(values), max(values)


def section_drawing(layers: Sequence[Layer], start: Sequence[float], stop: Sequence[float]) -> SectionDrawing:
    """Cut visible layers by the vertical plane through two points [local m]."""
    first, second = np.asarray(start, dtype=np.float64)[:2], np.asarray(stop, dtype=np.float64)[:2]
    length = float(np.linalg.norm(second - first))
    if not length >= SHORTEST:
        raise UserError(
            "The section is too short.",
            f"Its two points are {length:.2f} m apart.",
            "Choose two points farther apart.",
            code="section.short",
            values={"length": f"{length:.2f}"},
        )
    way = (second - first) / length
    shown = [layer for layer in layers if layer.style.visible and layer.geometry is not None]
    ground = _ground(shown, first, way, length)
    solids = []
    for layer in shown:
        if layer.theme in SOLID_THEMES and isinstance(layer.geometry, Mesh):
            edges = mesh_cut(_shown_part(layer, layer.geometry), first, way, length)
            if len(edges):
                solids.append((layer.id, layer.theme, edges))
    drawing = SectionDrawing(_pair(first), _pair(second), ground, tuple(solids), ())
    pipes = [pipe for layer in shown if is_network(layer) for pipe in _cut_pipes(layer, drawing, way)]
    pipes.sort(key=lambda pipe: (pipe.along, pipe.height))
    return SectionDrawing(drawing.start, drawing.stop, ground, drawing.solids, tuple(pipes))


def _pair(point: Floats) -> tuple[float, float]:
    return (float(point[0]), float(point[1]))


def _ground(layers: Sequence[Layer], first: Floats, way: Floats, length: float) -> Floats:
    count = int(np.clip(math.ceil(length / GROUND_STEP), 2, MOST_GROUND)) + 1
    along = np.linspace(0.0, length, count)
    heights = np.full(count, np.nan)
    for layer in layers:
        if layer.theme != "terrain":
            continue
        if isinstance(layer.geometry, Grid):
            places = first + along[:, None] * way
            found = layer.geometry.sample(places[:, 0], places[:, 1])
        elif isinstance(layer.geometry, Mesh):
            found = _upper_edge(mesh_cut(layer.geometry, first, way, length), along)
        else:
            continue
        heights = np.where(np.isfinite(heights), heights, found)
    return np.stack([along, heights], axis=1)


def _upper_edge(edges: Floats, along: Floats) -> Floats:
    """Heights of cut edges (k, 2, 2) at places, the highest where they lie over each other."""
    heights = np.full(len(along), np.nan)
    for (s0, z0), (s1, z1) in edges:
        if s0 > s1:
            s0, z0, s1, z1 = s1, z1, s0, z0
        rows = slice(*np.searchsorted(along, (s0 - 1e-9, s1 + 1e-9)))
        share = np.clip((along[rows] - s0) / max(s1 - s0, 1e-9), 0.0, 1.0)
        heights[rows] = np.fmax(heights[rows], z0 + share * (z1 - z0))
    return heights


def _shown_part(layer: Layer, mesh: Mesh) -> Mesh:
    if not layer.style.hidden:
        return mesh
    hidden = np.isin(layer.table.ids, list(layer.style.hidden))
    rows = np.flatnonzero(hidden)
    kept = ~np.isin(mesh.face_element, rows)
    return Mesh(mesh.vertices, mesh.faces[kept], mesh.face_element[kept])


def mesh_cut(mesh: Mesh, first: Floats, way: Floats, length: float) -> Floats:
    """Edges (k, 2, 2), as distance along the cut and height [m], where a vertical plane meets triangles."""
    offset = mesh.vertices[:, :2] - first
    along, beside = offset @ way, offset @ np.array([-way[1], way[0]])
    # A vertex in the plane is taken to lie beside it, so that each triangle is met in two edges or none.
    beside = np.where(np.abs(beside) < 1e-9, 1e-9, beside)
    side = beside[mesh.faces] > 0
    met = side.any(axis=1) & ~side.all(axis=1)
    near = along[mesh.faces]
    met &= (near.max(axis=1) >= 0) & (near.min(axis=1) <= length)
    faces, side = mesh.faces[met], side[met]
    alone = np.where(side.sum(axis=1) == 1, side.argmax(axis=1), (~side).argmax(axis=1))
    rows = np.arange(len(faces))
    apex = faces[rows, alone]
    ends = []
    for step in (1, 2):
        other = faces[rows, (alone + step) % 3]
        share = beside[apex] / (beside[apex] - beside[other])
        places = [v[apex] + share * (v[other] - v[apex]) for v in (along, mesh.vertices[:, 2])]
        ends.append(np.stack(places, axis=1))
    return _clipped(np.stack(ends, axis=1) if len(faces) else np.zeros((0, 2, 2)), length)


def _clipped(edges: Floats, length: float) -> Floats:
    """Edges cut off at the ends of the section."""
    near = (edges[:, :, 0].max(axis=1) >= 0.0) & (edges[:, :, 0].min(axis=1) <= length)
    edges = edges[near]
    start, stop = edges[:, 0], edges[:, 1]
    run = stop[:, 0] - start[:, 0]
    safe = np.where(np.abs(run) > 1e-12, run, 1.0)
    out = []
    for end in (start, stop):
        share = (np.clip(end[:, 0], 0.0, length) - start[:, 0]) / safe
        share = np.where(np.abs(run) > 1e-12, share, 0.0 if end is start else 1.0)
        out.append(start + share[:, None] * (stop - start))
    return np.stack(out, axis=1)


def _cut_pipes(layer: Layer, drawing: SectionDrawing, way: Floats) -> list[CutPipe]:
    lines = layer.geometry
    if not isinstance(lines, Lines) or len(lines.vertices) == 0:
        return []
    first, across = np.array(drawing.start), np.array([-way[1], way[0]])
    offset = lines.vertices[:, :2] - first
    along, beside = offset @ way, offset @ across
    owner = np.repeat(np.arange(len(lines.line_element)), np.diff(lines.offsets))
    side = beside >= 0
    crossing = np.flatnonzero((side[1:] != side[:-1]) & (owner[1:] == owner[:-1]))
    share = beside[crossing] / (beside[crossing] - beside[crossing + 1])
    place = along[crossing] + share * (along[crossing + 1] - along[crossing])
    inside = (place >= 0) & (place <= drawing.length)
    sizes = radii_of(layer)
    hidden = layer.style.hidden
    found = []
    for row, s, t in zip(crossing[inside], place[inside], share[inside], strict=True):
        element = int(lines.line_element[owner[row]])
        name = str(layer.table.ids[element]) if element < len(layer.table) else ""
        if name in hidden:
            continue
        a, b = lines.vertices[row], lines.vertices[row + 1]
        unit = (b - a) / np.linalg.norm(b - a)
        axis = np.array([unit[:2] @ way, unit[2], abs(unit[:2] @ across)])  # along, up, through the cut
        height = float(a[2] + t * (b[2] - a[2]))
        found.append(_cut_pipe(layer, element, (float(s), height), axis, sizes=sizes, drawing=drawing))
    return found


def _cut_pipe(
    layer: Layer,
    element: int,
    place: tuple[float, float],
    axis: Floats,
    *,
    sizes: tuple[Floats, Floats, Floats],
    drawing: SectionDrawing,
) -> CutPipe:
    radius, box_width, box_height = (float(size[element]) for size in sizes)
    through = max(float(axis[2]), 1.0 / SLANTEST)
    is_box = math.isfinite(box_width)
    if is_box:
        level = max(math.hypot(axis[0], axis[2]), 1e-9)
        half_width, half_height, tilt = box_width / max(axis[2] / level, 1.0 / SLANTEST), box_height, 0.0
    else:
        half_width, half_height = radius / through, radius
        tilt = math.degrees(math.atan2(axis[1], axis[0])) if math.hypot(axis[0], axis[1]) > 1e-6 else 0.0
        tilt = (tilt + 90.0) % 180.0 - 90.0
    row = layer.table.row_at(element) if element < len(layer.table) else {}
    tilt_rad = math.radians(tilt)
    top = half_height if is_box else math.hypot(half_width * math.sin(tilt_rad), half_height * math.cos(tilt_rad))
    stated = row.get(COVER)
    return CutPipe(
        layer.id,
        str(layer.table.ids[element]) if element < len(layer.table) else "",
        list(utility_kinds())[kind_codes(layer)[element]] if element < len(layer.table) else "other",
        place[0],
        place[1],
        half_width,
        half_height,
        tilt,
        is_box,
        math.nan if is_box else 2 * radius,
        2 * box_width if is_box else math.nan,
        drawing.ground_at(place[0]) - place[1] - top,
        float(stated) if isinstance(stated, int | float) else math.nan,
        *(str(row.get(name) or "") for name in (DEPTH_QUALITY, MATERIAL, OWNER)),
    )
