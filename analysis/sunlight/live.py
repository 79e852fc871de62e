"""Hours of sun while a building is dragged: after one full run, only what the building can change is traced again.

A point at one instant can change only when nothing else blocks its ray and the ray meets the building at its old or
its new place. `LiveHours` keeps what nothing else blocks as bits, so a move is answered by a few rays against the
building alone; the result is that of the full study on the changed scene, bit for bit.

Kept per point: 20 bytes of start and order, 8 per 64 instants, 2 of rays and 16 of hours; ground points 32 more. Ten
million ground points and a day in steps of ten minutes take 0.8 GB.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Result
from analysis.kernels.rays import Occluder, SunTime, sun_time
from analysis.kernels.swept import solid_of
from analysis.sunlight.city import (
    STUDIED_THEMES,
    City,
    _area,
    _base_faces,
    city_of,
    element_count,
    mesh_of,
    surface_codes,
)
from analysis.sunlight.day import Day, sun_of_day
from analysis.sunlight.declaration import SunlightInputs, SunlightParams
from analysis.sunlight.live_outcome import full_run, outcome_of
from analysis.sunlight.live_points import Changed, Shaded, StandingCells, StandingGround
from analysis.sunlight.live_scene import Meshes, PairedOccluder, Split, element_boxes, placed, splits_of
from analysis.sunlight.surfaces import SORTS, Surface, check_facade_size, surface_cells
from geo.model import ElementRef, Feedback, Issue, Layer, Mesh, UserError

Floats = NDArray[np.float64]


class LiveUpdate(NamedTuple):
    """What a move changed.

    Attributes
    ----------
    ground : Changed
        Cells of the grid (flat numbers); not-a-number where the building stands now.
    cells : mapping of ``facades`` and ``roofs`` to Changed
        Cells of what stays, numbered as in `LiveHours.standing`.
    own : mapping of ``facades`` and ``roofs`` to Surface
        Cells of the building itself at its new place, all of them.
    rays : int
        Traced for the move, own cells included.
    same_area : bool
        False when the full study would look at another area now: the building has left the ground that was looked
        at. The values are then those on the old area, and `LiveHours.result` makes a full run.
    """

    ground: Changed
    cells: dict[str, Changed]
    own: dict[str, Surface]
    rays: int
    same_area: bool


@dataclass(frozen=True, eq=False)
class _Place:
    """The building at one place and all that follows from it."""

    own: dict[str, Layer]
    occluder: PairedOccluder
    ground: Shaded | None
    cells: dict[str, Shaded]
    surfaces: dict[str, Surface]
    rays: int
    same_area: bool


class LiveHours:
    """Hours of sun of a scene of which some elements move. Made by `begin`; one job at a time may use it.

    Attributes
    ----------
    day : Day
    standing_ground : StandingGround or None
        All cells of the ground: its ``cells`` are points and numbers in the grid.
    standing : mapping of ``facades`` and ``roofs`` to StandingCells
        Cells of all that stays: their ``cells`` have mesh, points and area.
    splits : mapping of layer id to Split
        The layers with something that moves; ``splits[id].mesh`` are the triangles that move, as they were.
    """

    def __init__(
        self, inputs: SunlightInputs, params: SunlightParams, splits: Mapping[str, Split], feedback: Feedback
    ) -> None:
        self._inputs, self._params, self.splits = inputs, params, dict(splits)
        feedback.step(0.0, "positions of the sun")
        self.day: Day = sun_of_day(inputs.frame, params)
        whole = city_of(inputs, params, [], feedback, occluder=lambda _, centre, __: Occluder((), centre))
        check_facade_size(whole, params)
        self._whole = whole
        self._rest = self._without_what_moves(whole, feedback.part(0.02, 0.15))
        self.standing_ground: StandingGround | None = None
        if params.ground:
            self.standing_ground = StandingGround(self._rest, params, self.day, feedback.part(0.15, 0.5))
        self.standing: dict[str, StandingCells] = {}
        if params.facades and whole.buildings:
            for number, name in enumerate(SORTS):
                share = feedback.part(0.5 + 0.2 * number, 0.7 + 0.2 * number)
                self.standing[name] = StandingCells(self._rest, params, name, self.day, share)
        self._place = self._put({key: part.own for key, part in self.splits.items()}, feedback.part(0.9, 1.0))

    @staticmethod
    def begin(
        inputs: SunlightInputs,
        params: SunlightParams,
        moving: ElementRef | Sequence[ElementRef],
        feedback: Feedback | None = None,
    ) -> LiveHours:
        """Run the study once and keep what is needed to follow moves.

        Parameters
        ----------
        inputs, params
            As of ``sunlight.hours``; one day, and trees that block do so in full.
        moving : ElementRef or several
            Elements of the layers given. An empty element id is the whole layer, which may be empty.
        """
        _check_params(inputs, params)
        layers = [*inputs.blockers, *(inputs.trees if params.trees_block else ())]
        return LiveHours(inputs, params, splits_of(layers, moving), feedback or Feedback())

    def move(self, meshes: Meshes, feedback: Feedback | None = None) -> LiveUpdate:
        """Put the building elsewhere, or give it another shape.

        Parameters
        ----------
        meshes : Mesh, or mapping of layer id to Mesh
            The triangles of all that moves; `face_element` are rows of the layer. A layer that is left out stands
            where it stood at the beginning. No triangles: the building is gone.

        Returns
        -------
        LiveUpdate
            Against the last move that was finished. A cancelled move changes nothing.
        """
        feedback = feedback or Feedback()
        feedback.step(0.0, "tracing what moved")
        new = self._put(placed(self.splits, meshes), feedback)
        old, self._place = self._place, new
        nothing = Changed(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
        ground = nothing
        if self.standing_ground is not None and old.ground is not None and new.ground is not None:
            ground = self.standing_ground.change(old.ground, new.ground)
        cells = {name: part.change(old.cells[name], new.cells[name]) for name, part in self.standing.items()}
        return LiveUpdate(ground, cells, new.surfaces, new.rays, new.same_area)

    @property
    def inputs(self) -> SunlightInputs:
        """The inputs with the scene as it is after the last move."""
        changed = {key: part.joined(self._place.own[key]) for key, part in self.splits.items()}

        def now(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
            return tuple(changed.get(layer.id, layer) for layer in layers)

        given = self._inputs
        return replace(given, blockers=now(given.blockers), trees=now(given.trees))

    @property
    def own(self) -> dict[str, Surface]:
        """Cells and hours of the building itself (``facades``, ``roofs``) where it stands."""
        return self._place.surfaces

    def ground_hours(self) -> tuple[Floats, Floats]:
        """Total and longest run (rows, cols) [h] where the building stands now; not-a-number under buildings."""
        if self.standing_ground is None or self._place.ground is None:
            raise ValueError("the ground was not asked for")
        cells, time = self.standing_ground.hours(self._place.ground)
        return cells.spread(time.total), cells.spread(time.longest)

    def cell_hours(self, name: str) -> tuple[Floats, Floats]:
        """Total and longest run (n,) [h] of the cells `standing[name]`; not-a-number where they see no sky."""
        part, state = self.standing[name], self._place.cells[name]
        total, longest, present = part.points.hours(state)
        return np.where(present, total, np.nan), np.where(present, longest, np.nan)

    def result(self, feedback: Feedback | None = None) -> Result:
        """What ``sunlight.hours`` gives for the scene as it is after the last move, bit for bit."""
        feedback = feedback or Feedback()
        inputs = self.inputs
        if not self._place.same_area or not self._only_city:
            return full_run(inputs, self._params, feedback)
        issues: list[Issue] = []
        city = city_of(inputs, self._params, issues, feedback, occluder=lambda *_: self._place.occluder)
        ground = None
        if self.standing_ground is not None and self._place.ground is not None:
            ground = self.standing_ground.hours(self._place.ground)
        surfaces = self._surfaces(city, issues, feedback)
        return outcome_of(inputs, self._params, self.day, city, ground, surfaces, issues)

    @property
    def _only_city(self) -> bool:
        """Whether nothing was named besides the city."""
        return not any(getattr(self._inputs, name, ()) for name in ("surfaces", "areas"))

    @property
    def nbytes(self) -> int:
        """Bytes kept for the points, without what the scene itself takes."""
        parts = [part.points for part in self.standing.values()]
        total = 0
        if self.standing_ground is not None:
            parts.append(self.standing_ground.points)
            cells = self.standing_ground.cells
            total += cells.points.nbytes + cells.number.nbytes
        return total + sum(p.bits.nbytes + p.total.nbytes + p.longest.nbytes + p.present.nbytes for p in parts)

    def _without_what_moves(self, whole: City, feedback: Feedback) -> City:
        obstacles = []
        for layer, mesh in whole.obstacles:
            part = self.splits.get(layer.id)
            obstacles.append((layer, mesh) if part is None else (part.rest, mesh_of(part.rest)))
        occluder = Occluder([whole.ground_mesh, *(mesh for _, mesh in obstacles)], whole.occluder.centre, feedback)
        ground = [(np.zeros(len(whole.ground_mesh.faces), dtype=bool),) * 2 + (whole.ground_mesh.face_cross[:, 2],)]
        solid, base, normal_z = _face_facts(obstacles, ground)
        return whole._replace(
            occluder=occluder,
            obstacles=obstacles,
            buildings=_buildings(obstacles),
            solid=solid,
            base=base,
            normal_z=normal_z,
        )

    def _put(self, own: dict[str, Layer], feedback: Feedback) -> _Place:
        """All that follows from a place of the building."""
        parts = [(layer, mesh_of(layer)) for layer in own.values()]
        meshes = [mesh for _, mesh in parts]
        occluder = PairedOccluder(self._rest.occluder, Occluder(meshes, self._rest.occluder.centre))
        solid = solid_of(occluder.moving, element_boxes(own.values()))
        facts = [(self._rest.solid, self._rest.base, self._rest.normal_z)]
        solids, base, normal_z = _face_facts(parts, facts)
        city = self._rest._replace(
            occluder=occluder, buildings=_buildings(parts), solid=solids, base=base, normal_z=normal_z
        )
        ground = None
        if self.standing_ground is not None:
            ground = self.standing_ground.shaded(city, solid, meshes, feedback.part(0.0, 0.5))
        cells = {}
        for number, (name, part) in enumerate(self.standing.items()):
            cells[name] = part.shaded(solid, feedback.part(0.5 + 0.15 * number, 0.65 + 0.15 * number))
        surfaces = self._own_surfaces(city, feedback.part(0.8, 1.0))
        states = [*cells.values(), *([ground] if ground is not None else [])]
        rays = sum(state.met.rays for state in states) + sum(surface.time.rays for surface in surfaces.values())
        return _Place(own, occluder, ground, cells, surfaces, rays, self._same_area(own))

    def _own_surfaces(self, city: City, feedback: Feedback) -> dict[str, Surface]:
        """Walls and roofs of what moves, with their hours; `city` has only that as buildings."""
        found = {}
        for number, name in enumerate(self.standing):
            share = feedback.part(number / 2, (number + 1) / 2)
            cells = surface_cells(city, self._params, name, [], share.part(0.0, 0.3))
            ways, weights = self.day.towards_sun, self.day.instants.weights
            time = sun_time(
                city.occluder, cells.points, ways, weights, normals=cells.normals, feedback=share.part(0.3, 1.0)
            )
            found[name] = Surface(cells, time)
        return found

    def _surfaces(self, city: City, issues: list[Issue], feedback: Feedback) -> dict[str, Surface]:
        """Walls and roofs of the whole city, numbered as the full study does."""
        found = {}
        moving = self._moving_elements(city)
        for name, standing in self.standing.items():
            cells = surface_cells(city, self._params, name, issues, feedback)
            mine = np.isin(cells.element, moving)
            still, _ = standing.hours(self._place.cells[name])
            own = self._place.surfaces[name].time
            total, longest = np.empty(len(mine)), np.empty(len(mine))
            total[mine], longest[mine] = own.total, own.longest
            total[~mine], longest[~mine] = still.total, still.longest
            found[name] = Surface(cells, SunTime(total, longest, own.rays + still.rays))
        return found

    def _moving_elements(self, city: City) -> NDArray[np.int64]:
        first, found = 0, [np.zeros(0, dtype=np.int64)]
        for layer, mesh, _ in city.buildings:
            if layer.id in self.splits:
                found.append(first + self.splits[layer.id].elements)
            first += element_count(layer, mesh)
        return np.concatenate(found)

    def _same_area(self, own: Mapping[str, Layer]) -> bool:
        """Whether the full study would look at the same ground, of the same height."""
        meshes = [*self._rest.obstacles, *((layer, mesh_of(layer)) for layer in own.values())]
        terrains = [self._inputs.terrain] if self._inputs.terrain else list(self._inputs.relief)
        buildings = [mesh for layer, mesh in meshes if layer.theme in STUDIED_THEMES]
        area = _area(terrains, buildings or [mesh for _, mesh in meshes], self._params)
        if area != (self._whole.low, self._whole.high):
            return False
        if not isinstance(self._whole.terrain, float):
            return True
        lowest = min((box.low[2] for box in (mesh.bounds for _, mesh in meshes) if box is not None), default=0.0)
        return bool(lowest == self._whole.terrain)


def _face_facts(
    obstacles: list[tuple[Layer, Mesh]], before: list[tuple[NDArray[np.bool_], NDArray[np.bool_], Floats]]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Floats]:
    """What `City` says of every face (solid, base, normal_z), after what was said of others."""
    facts = list(before)
    for layer, mesh in obstacles:
        solid = np.full(len(mesh.faces), layer.theme in STUDIED_THEMES)
        facts.append((solid, _base_faces(layer, mesh), mesh.face_cross[:, 2]))
    solids, bases, normals = zip(*facts, strict=True)
    return np.concatenate(solids), np.concatenate(bases), np.concatenate(normals)


def _buildings(obstacles: list[tuple[Layer, Mesh]]) -> list[tuple[Layer, Mesh, NDArray[np.int8]]]:
    return [(layer, mesh, surface_codes(layer, mesh)) for layer, mesh in obstacles if layer.theme in STUDIED_THEMES]


def _check_params(inputs: SunlightInputs, params: SunlightParams) -> None:
    """Refuse what cannot be followed live."""
    if params.period != "day" or (params.trees_block and params.crown_light and inputs.trees):
        raise UserError(
            "Only the sun of one day can be followed while a building is moved.",
            "A period of many days, or light through crowns, takes a full run.",
            "Choose one day, without light through crowns.",
            code="sunlight.live.one_day",
        )
