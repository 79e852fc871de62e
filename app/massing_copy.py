"""Headless. A building once more beside itself: its outline and storeys as a new mass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.document import Document
from app.language import tr
from app.mass_edit import MOST_STOREYS, Ground, body_of, footing, free_mass_id, mass_of
from app.names import element_name
from app.plot_figures import Elements
from app.proposals import free_proposal_id
from geo.alternatives import COUNT_COLUMNS, Mass
from geo.model import ElementRef, ElementTable, Layer, UserError
from geo.proposals import Proposal

Floats = NDArray[np.float64]
Doubt = Literal["storeys", "outline"]

SIDES = np.array([(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)])  # east, north, west, south
FARTHEST = 3  # of its own sizes, that a free place is looked for
GAP = 6.0  # [m] between a building and its copy
USUAL_STOREY = 3.0  # [m] where the data do not tell the storeys; the copy says so
STOREY_LIMITS = (1.0, 50.0)  # [m] of a mass
SAME_LINE = 0.02  # [m] within which corners of an outline are on one line
LOST = 0.01  # of an outline: what is left out beyond this is told
USE_COLUMNS = ("use", "usage", "function", "\uc6a9\ub3c4", "\uc8fc\uc6a9\ub3c4")


@dataclass(frozen=True)
class Copy:
    """A copy, and what was taken for granted: ``storeys`` from the height, ``outline`` without courts or parts."""

    mass: Mass
    doubts: tuple[Doubt, ...] = ()


def copied_mass(document: Document, ref: ElementRef) -> Copy:
    """A building of the shown scene once more, on a free side. Raises `UserError` where nothing of it is drawn."""
    mass = mass_of(document, ref)
    copy = Copy(mass) if mass is not None else _of_building(document, ref)
    ring = np.array(copy.mass.ring)
    ring += _free_side(document, ring)
    base = footing(Ground(document), ring, copy.mass.base)
    name = tr("alternatives.copy_name", name=copy.mass.name or copy.mass.id)
    corners = tuple((float(x), float(y)) for x, y in ring)
    return Copy(replace(copy.mass, id=free_mass_id(document), ring=corners, base=base, name=name), copy.doubts)


def _free_side(document: Document, ring: Floats) -> Floats:
    """(2,) the way to the nearest place beside a ring (n, 2) where no building stands; east where there is none."""
    layers = [one for one in document.scene if one.theme in ("building", "bim") and one.style.visible]
    others = [Elements.of(layer) for layer in layers]
    size = np.ptp(ring, axis=0) + GAP
    for times in range(1, FARTHEST + 1):
        for side in SIDES:
            way = times * size * side
            box = np.array([[ring.min(axis=0), ring.max(axis=0)]]) + way
            if not any(len(elements.under(box)) for elements in others):
                return np.asarray(way)
    return np.asarray(size * SIDES[0])


def copied_proposal(document: Document, proposal: Proposal) -> Proposal:
    """A proposal once more, on a free side."""
    low, high = proposal.placed.vertices[:, :2].min(axis=0), proposal.placed.vertices[:, :2].max(axis=0)
    east, north = _free_side(document, np.array([low, high]))
    name = tr("alternatives.copy_name", name=proposal.name or proposal.id)
    made = replace(proposal, id=free_proposal_id(document), x=proposal.x + east, y=proposal.y + north, name=name)
    ground = Ground(document)
    here, there = ground.height(proposal.x, proposal.y), ground.height(made.x, made.y)
    rise = there - here if here is not None and there is not None else 0.0
    return replace(made, base=made.base + rise)


def _of_building(document: Document, ref: ElementRef) -> Copy:
    body = body_of(document, ref)
    mesh, layer = body.placed(body.change), document.scene[ref.layer_id]
    ring, whole = outline_ring(mesh.vertices[mesh.faces])
    height = float(np.ptp(mesh.vertices[:, 2]))
    told = told_storeys(layer.table, ref.element_id)
    low, high = STOREY_LIMITS
    storeys = min(max(told or round(height / USUAL_STOREY), 1), MOST_STOREYS)
    each = min(max(height / storeys, low), high)
    doubts: tuple[Doubt, ...] = (*(("storeys",) if not told else ()), *(("outline",) if not whole else ()))  # type: ignore[assignment]
    corners = tuple((float(x), float(y)) for x, y in ring)
    name, use = element_name(layer, ref.element_id), _text(layer, ref.element_id)
    base = float(mesh.vertices[:, 2].min())
    return Copy(Mass("copy", corners, base, storeys, round(each, 4), name, use), doubts)


def outline_ring(triangles: Floats) -> tuple[Floats, bool]:
    """(n, 2) outer ring of the plan of triangles (t, 3, 3), and whether it is all: no courts, no second part.

    Raises `UserError` where they cover nothing.
    """
    import shapely

    from analysis.sunlight_setback.bodies import outline_of

    plan = shapely.simplify(outline_of(triangles), SAME_LINE)
    parts = [part for part in shapely.get_parts(plan) if shapely.get_type_id(part) == 3]
    if not parts:
        raise UserError(
            "This has no plan.",
            "Seen from above it covers nothing: all its surfaces stand upright, or it is a point or a line.",
            "Choose a building with a roof or a floor, or draw one.",
            code="massing.no_plan",
        )
    largest = max(parts, key=shapely.area)
    outer = shapely.Polygon(largest.exterior)
    ring = shapely.get_coordinates(outer.exterior)[:-1]
    apart = float(shapely.area(shapely.symmetric_difference(outer, plan)))
    return ring, apart <= LOST * float(shapely.area(plan))


def told_storeys(table: ElementTable, element_id: str) -> int:
    """Storeys above the ground as the data tell them; 0 where they do not."""
    row = table.index[element_id]
    for name in COUNT_COLUMNS[:3]:
        column = table.columns.get(name)
        if column is not None and column.is_number and np.isfinite(column.values[row]) and column.values[row] >= 1:
            return int(column.values[row])
    return 0


def _text(layer: Layer, element_id: str) -> str:
    row = layer.table.index[element_id]
    for name in USE_COLUMNS:
        column = layer.table.columns.get(name)
        if column is not None and isinstance(column.values[row], str):
            return str(column.values[row])
    return ""
