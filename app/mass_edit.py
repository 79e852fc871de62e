"""Headless. What the mass tool moves: one building of the base scene or one new mass, and the steps that change it."""

from __future__ import annotations

import dataclasses
import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.alternatives import base_layers, change_elements, change_of, set_mass
from app.commands import Command
from app.document import Document
from app.proposals import proposal_of, set_proposal
from geo.alternatives import (
    LEAST_FACTOR,
    MADE,
    MASSES,
    MOST_FACTOR,
    Change,
    Mass,
    changed_points,
    mass_layer,
)
from geo.model import ElementRef, Grid, Layer, Mesh, UserError, one_ground
from geo.proposals import Proposal, moved_proposal, proposal_layer

Floats = NDArray[np.float64]

MOVABLE_THEMES = frozenset({"building", "bim", "other"})
STEP = 0.5  # [m] moves and heights are whole multiples of this, unless the user holds Shift
TURN_STEP = 5.0  # [deg]
MOST_STOREYS = 300
SAME_LEVEL = 1e-6  # [m]


@dataclass(frozen=True, eq=False)
class Body:
    """A building as it stands when nothing is changed, and what is to become of it.

    Attributes
    ----------
    ref : ElementRef
    layer : Layer
        Of the base scene, or that of the new masses.
    row : int
        Of the layer's table.
    mesh : Mesh
        Its triangles alone, unchanged.
    change : Change
    mass : Mass or None
        The new mass that it is, as it was when it was taken in hand.
    proposal : Proposal or None
        The building of a file that it is, as it was then; its height is its own.
    """

    ref: ElementRef
    layer: Layer
    row: int
    mesh: Mesh
    change: Change = Change()
    mass: Mass | None = None
    proposal: Proposal | None = None

    @property
    def height(self) -> float:
        """From its lowest to its highest point, unchanged [m]."""
        return float(np.ptp(self.mesh.vertices[:, 2]))

    @property
    def middle(self) -> tuple[float, float]:
        """Middle of its box in plan, unchanged; what it turns about [local m]."""
        low, high = self.mesh.vertices.min(axis=0), self.mesh.vertices.max(axis=0)
        return float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2

    def placed(self, change: Change) -> Mesh:
        """Its triangles after a change; `face_element` is `row`."""
        if change.removed:
            return Mesh(self.mesh.vertices[:0], self.mesh.faces[:0], self.mesh.face_element[:0])
        rows = np.full(len(self.mesh.faces), self.row, dtype=np.int32)
        return Mesh(self._points(change), self.mesh.faces, rows)

    def moved(self, change: Change) -> Proposal:
        """The proposal that it is, after a change."""
        if self.proposal is None:
            raise ValueError("this building is no proposal")
        return moved_proposal(self.proposal, change.move, change.turn_deg, self.middle)

    def _points(self, change: Change) -> Floats:
        """Its corners after a change: a podium keeps its height, and the tower grows."""
        if self.mass is None or self.mass.podium_storeys == 0:
            return changed_points(self.mesh.vertices, change)
        out = changed_points(self.mesh.vertices, dataclasses.replace(change, height_factor=1.0))
        podium = self.mass.base + self.mass.podium_storeys * self.mass.storey_height
        tower = self.mesh.vertices[:, 2] > podium + SAME_LEVEL
        out[tower, 2] += self.mass.height * (change.height_factor - 1.0)
        return out

    def snapped(self, change: Change) -> Change:
        """The change as it can be: a new mass has whole storeys, a proposal its own height."""
        if self.proposal is not None:
            return dataclasses.replace(change, height_factor=1.0)
        if self.mass is None:
            return change
        storeys = _storeys(self.mass, change.height_factor)
        return dataclasses.replace(change, height_factor=storeys / self.mass.storeys)

    def step(self, document: Document, change: Change, *, name: str, drag: str = "") -> Command:
        """The step that makes the change in the alternative shown (see `app.alternatives.change_elements`)."""
        if self.proposal is not None:
            return set_proposal(document, self.moved(change), name=name, drag=drag)
        if self.mass is None:
            return change_elements(document, {self.ref: change}, name=name, drag=drag)
        return set_mass(document, moved_mass(self.mass, change), name=name, drag=drag)


def moved_mass(mass: Mass, change: Change) -> Mass:
    """A mass after a change; its height follows in whole storeys."""
    ring = np.array([(x, y, 0.0) for x, y in mass.ring])
    flat = dataclasses.replace(change, height_factor=1.0)
    moved = changed_points(ring, flat) if not change.is_nothing else ring
    return dataclasses.replace(
        mass,
        ring=tuple((float(x), float(y)) for x, y, _ in moved),
        base=mass.base + change.move[2],
        storeys=_storeys(mass, change.height_factor),
    )


def _storeys(mass: Mass, factor: float) -> int:
    """Whole storeys; at least one over the podium."""
    return int(min(max(round(mass.storeys * factor), mass.podium_storeys + 1), MOST_STOREYS))


def is_movable(layer: Layer | None) -> bool:
    """Whether elements of a layer can be moved in an alternative."""
    return layer is not None and layer.theme in MOVABLE_THEMES and isinstance(layer.geometry, Mesh)


def movable_ref(document: Document) -> ElementRef | None:
    """The one selected building that can be moved, or None."""
    refs = document.selection.few_elements
    if len(refs) != 1 or not is_movable(document.scene.get(refs[0].layer_id)):
        return None
    return refs[0]


def body_of(document: Document, ref: ElementRef) -> Body:
    """The building that an element of the shown scene is; a `UserError` where nothing of it is drawn."""
    alternative = document.alternatives.get(document.alternatives.active)
    if ref.layer_id == MASSES:
        mass = next((one for one in alternative.masses if one.id == ref.element_id), None) if alternative else None
        if mass is not None:
            row = document.scene[MASSES].table.index[ref.element_id]
            return dataclasses.replace(_body(ref, mass_layer([mass]), Change(), mass), row=row)
    proposal = proposal_of(document, ref)
    if proposal is not None:
        own = _body(ref, proposal_layer(proposal, reader=MADE), Change(), None)
        return dataclasses.replace(own, proposal=proposal)
    layer = next((one for one in base_layers(document) if one.id == ref.layer_id), None)
    if layer is None or not is_movable(layer) or ref.element_id not in layer.table.index:
        raise _no_body(ref)
    return _body(ref, layer, change_of(document, ref), None)


def _body(ref: ElementRef, layer: Layer, change: Change, mass: Mass | None) -> Body:
    row, mesh = layer.table.index[ref.element_id], layer.geometry
    mine = np.flatnonzero(mesh.face_element == row) if isinstance(mesh, Mesh) else np.zeros(0, np.int64)
    if len(mine) == 0 or not isinstance(mesh, Mesh):
        raise _no_body(ref)
    used, place = np.unique(mesh.faces[mine], return_inverse=True)
    faces = place.reshape(-1, 3).astype(np.int32)
    own = Mesh(mesh.vertices[used], faces, np.full(len(mine), row, dtype=np.int32))
    return Body(ref, layer, row, own, change, mass)


def _no_body(ref: ElementRef) -> UserError:
    return UserError(
        f"{ref.element_id} cannot be moved.",
        "Nothing of it is drawn in the base scene.",
        "Choose another building.",
        code="alternative.no_body",
        values={"element": ref.element_id},
    )


def body_now(document: Document, body: Body) -> Body | None:
    """A body as the document has it now, after an undo or in another alternative; None when it is not there."""
    if body.ref.layer_id not in document.scene:
        return None
    if body.mass is not None:
        alternative = document.alternatives.get(document.alternatives.active)
        masses = alternative.masses if alternative is not None else ()
        now = next((mass for mass in masses if mass.id == body.ref.element_id), None)
        if now is not None and moved_mass(body.mass, body.change) == now:
            return body
    if body.proposal is not None and proposal_of(document, body.ref) == body.moved(body.change):
        return body
    try:
        return body_of(document, body.ref)
    except UserError:
        return None


class Ground:
    """Heights of the terrain, so that what is moved keeps standing on it."""

    def __init__(self, document: Document) -> None:
        layers = [layer for layer in document.scene if layer.theme == "terrain" and layer.style.visible]
        self._ground = one_ground([layer.geometry for layer in layers if isinstance(layer.geometry, Grid)])

    def height(self, x: float, y: float) -> float | None:
        """Height of the ground at a place, or None where it is not known [local m]."""
        height = float(self._ground.sample(x, y)) if self._ground is not None else math.nan
        return height if math.isfinite(height) else None

    def rise(self, body: Body, east: float, north: float) -> float:
        """How much higher the ground is where the middle of a body goes than where it stands; 0 if unknown [m]."""
        x, y = body.middle
        here, there = self.height(x, y), self.height(x + east, y + north)
        return there - here if here is not None and there is not None else 0.0


def footing(ground: Ground, ring: Floats, otherwise: float) -> float:
    """The ground at the lowest corner of a ring (n, 2+), so that no corner hangs in the air [local m]."""
    known = [height for x, y in ring[:, :2] if (height := ground.height(float(x), float(y))) is not None]
    return min(known) if known else otherwise


def mass_of(document: Document, ref: ElementRef | None) -> Mass | None:
    """The new mass of the alternative shown that an element is."""
    alternative = document.alternatives.get(document.alternatives.active)
    if ref is None or ref.layer_id != MASSES or alternative is None:
        return None
    return next((mass for mass in alternative.masses if mass.id == ref.element_id), None)


def free_mass_id(document: Document) -> str:
    """An id that no mass of any alternative has."""
    taken = {mass.id for one in document.alternatives.items for mass in one.masses}
    return next(f"mass-{number}" for number in itertools.count(1) if f"mass-{number}" not in taken)


def limited_factor(factor: float) -> float:
    """A height factor within what a change allows."""
    return min(max(factor, LEAST_FACTOR), MOST_FACTOR)


def to_step(value: float, step: float = STEP) -> float:
    """The nearest whole multiple of a step."""
    return round(value / step) * step
