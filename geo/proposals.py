"""Buildings read from a file that an alternative puts up: where they stand, how they are fitted, what layer they make.

The shape is kept once, about a zero point of its own, and never changed; a proposal says where that point stands. The
file it came from is not needed afterwards.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geo.buildings import GROUND, ROOF, WALL, surface_field
from geo.model import Column, ElementTable, Field, Issue, Layer, Mesh, Source, UserError, unique_rows

Floats = NDArray[np.float64]
Told = Literal["file", "typed", "estimate"]

PREFIX = "alternative-proposal-"  # of the ids of layers that hold one proposal each
FAR = 100_000.0  # [m] nothing is moved further than this
SCALES = (1e-4, 1e4)
SAME_POINT = 0.05  # [m] two points nearer than this give no direction
CLOSE = 0.3  # [m] by which two distances may differ without a doubt
REFUSED_SHARE = 0.1  # of the distance in the scene: beyond this the pairs cannot be meant
LEVEL = 0.5  # |vertical part| of a unit normal from which a face is a roof or a floor
COLOUR = "colour"  # field of faces: 0xRRGGBB
FLOOR_AREA = "proposal_floor_area"  # column: above the ground [m2], as the file or the user says, or estimated
FLOOR_AREA_FROM = "proposal_floor_area_from"  # column: ``file``, ``typed`` or ``estimate``


@dataclass(frozen=True, eq=False)
class ProposalModel:
    """A building from a file, as one body.

    Attributes
    ----------
    mesh : Mesh [m]
        One element. The zero point is the middle of its box in plan and the height of its lowest point.
    ground : float [m]
        Height of what lies at ground level above the lowest point: more than 0 where it has a basement.
    closed : bool
        Whether it is a solid without inner walls, so that its volume can be cut; else a model of walls and slabs.
    file : str
        Name of the file.
    colours : (m,) int32 or None
        0xRRGGBB of each face, -1 where the file says none; None where it says none at all.
    """

    mesh: Mesh
    ground: float
    closed: bool
    file: str
    colours: NDArray[np.int32] | None = None

    @property
    def fields(self) -> tuple[Field, ...]:
        """Its colours as a field of the faces, if it has any."""
        return () if self.colours is None else (Field(COLOUR, "1", "face", self.colours),)

    @cached_property
    def id(self) -> str:
        """Fingerprint of the shape and its colours."""
        digest = hashlib.blake2b(digest_size=8)
        for values in (self.mesh.vertices, self.mesh.faces, *(() if self.colours is None else (self.colours,))):
            digest.update(np.ascontiguousarray(values).data)
        digest.update(f"{self.ground!r} {self.closed} {self.file}".encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Proposal:
    """A building of a file in an alternative.

    Attributes
    ----------
    id : str
    model : ProposalModel
    x, y : float [local m]
        Where the zero point of the model stands.
    base : float [local m]
        Height of its lowest point.
    turn_deg : float
        Counter-clockwise seen from above.
    scale : float
        1 unless the user asked for another size.
    name, use : str
    storeys : int
        Above the ground; 0 where nobody says.
    floor_area : float [m2]
        Above the ground; 0 where nobody says and the study has to measure it.
    told : {"file", "typed", "estimate"}
        Where the floor area comes from.
    """

    id: str
    model: ProposalModel
    x: float
    y: float
    base: float
    turn_deg: float = 0.0
    scale: float = 1.0
    name: str = ""
    use: str = ""
    storeys: int = 0
    floor_area: float = 0.0
    told: Told = "estimate"

    def __post_init__(self) -> None:
        numbers = (self.x, self.y, self.base, self.turn_deg, self.scale, self.floor_area)
        if not all(math.isfinite(number) for number in numbers) or max(map(abs, numbers[:3])) > FAR:
            raise ValueError("a proposal stands at finite coordinates within 100 km")
        if not SCALES[0] <= self.scale <= SCALES[1] or not 0 <= self.storeys <= 300 or self.floor_area < 0.0:
            raise ValueError("a proposal has a size, 0 to 300 storeys and no negative floor area")

    @property
    def layer_id(self) -> str:
        """Id of the layer that holds it."""
        return f"{PREFIX}{self.id}"

    @property
    def height(self) -> float:
        """From its lowest to its highest point [m]."""
        return float(self.model.mesh.vertices[:, 2].max()) * self.scale

    def points(self, own: Floats) -> Floats:
        """Points (n, 3) of the model [m] as they stand [local m]."""
        angle = math.radians(self.turn_deg)
        cosine, sine = math.cos(angle) * self.scale, math.sin(angle) * self.scale
        turn = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, self.scale]])
        return np.asarray(own @ turn.T + np.array([self.x, self.y, self.base]))

    @property
    def placed(self) -> Mesh:
        """Its triangles as they stand."""
        mesh = self.model.mesh
        return Mesh(self.points(mesh.vertices), mesh.faces, mesh.face_element)


@dataclass(frozen=True)
class Fit:
    """A model brought onto two places in plan.

    Attributes
    ----------
    x, y : float [local m]
    turn_deg, scale : float
        As in `Proposal`.
    have, want : float [m]
        Distance of the two points on the model, at the scale used, and of the two places.
    """

    x: float
    y: float
    turn_deg: float
    scale: float
    have: float
    want: float

    @property
    def misfit(self) -> float:
        """How much longer the distance is in the scene than on the model [m]."""
        return self.want - self.have

    @property
    def residual(self) -> float:
        """What each of the two points lies off its place [m]."""
        return abs(self.misfit) / 2.0


def two_point_fit(own: Floats, places: Floats, *, scale: float = 1.0, keep_scale: bool = True) -> Fit:
    """Turn and shift (and stretch, if asked) that bring two points of a model onto two places in plan.

    Parameters
    ----------
    own : (2, 2+) float [m]
        Points of the model.
    places : (2, 2+) float [local m]
        Where they belong. Where the distances differ the model lies between both, off each by half of what differs,
        which is least in squares.
    keep_scale : bool
        Keep `scale`; else the model is stretched so that both points fit.

    Raises
    ------
    UserError
        Where two points are one, or where the distances differ by more than `REFUSED_SHARE` and the scale is kept.
    """
    first, wanted = own[1, :2] - own[0, :2], places[1, :2] - places[0, :2]
    length, want = float(np.hypot(*first)), float(np.hypot(*wanted))
    if min(length, want) < SAME_POINT:
        raise UserError(
            "The two points lie on one another.",
            "Two different points are needed, on the building and in the scene, to know how it is turned.",
            "Choose points that lie far apart, such as two corners of the building.",
            code="proposal.one_point",
        )
    if not keep_scale:
        scale = want / length
        if not SCALES[0] <= scale <= SCALES[1]:
            raise _differs(length, want)
    have = length * scale
    if abs(want - have) > max(REFUSED_SHARE * want, CLOSE):
        raise _differs(have, want)
    turn = math.atan2(wanted[1], wanted[0]) - math.atan2(first[1], first[0])
    cosine, sine = math.cos(turn) * scale, math.sin(turn) * scale
    middle, goal = (own[0, :2] + own[1, :2]) / 2.0, (places[0, :2] + places[1, :2]) / 2.0
    x = float(goal[0] - (cosine * middle[0] - sine * middle[1]))
    y = float(goal[1] - (sine * middle[0] + cosine * middle[1]))
    return Fit(x, y, math.degrees(turn) % 360.0, scale, have, want)


def _differs(have: float, want: float) -> UserError:
    values = {"model": f"{have:.2f}", "scene": f"{want:.2f}", "percent": f"{100.0 * abs(want - have) / want:.0f}"}
    return UserError(
        "The two distances do not belong together.",
        f"The points are {values['model']} m apart on the building and {values['scene']} m in the scene.",
        "Choose the pairs again in the same order, or let the size be fitted too.",
        code="proposal.differs",
        values=values,
    )


@lru_cache(maxsize=8)  # moving one building must not make the others anew
def proposal_layer(proposal: Proposal, *, reader: str) -> Layer:
    """A proposal as a layer of its own, which studies take for a building.

    A model of walls and slabs goes as a detailed model, which is filled and outlined as one; a solid as a building.
    """
    mesh = proposal.placed
    columns = {
        "name": _text(proposal.name or proposal.id),
        "use": _text(proposal.use),
        "height": Column(np.array([proposal.height]), "m"),
        FLOOR_AREA: Column(np.array([proposal.floor_area or np.nan]), "m2"),
        FLOOR_AREA_FROM: _text(proposal.told),
    }
    if proposal.storeys:
        columns["storeys"] = Column(np.array([proposal.storeys], dtype=np.int64))
    fields = (*((surface_field(_surfaces(mesh)),) if proposal.model.closed else ()), *proposal.model.fields)
    theme = "building" if proposal.model.closed else "bim"
    source = Source(reader=reader, part=proposal.layer_id)
    table = ElementTable([proposal.id], columns)
    issues = () if proposal.told != "estimate" else (_estimated(proposal),)
    return Layer(
        proposal.layer_id, proposal.name or proposal.id, theme, mesh, table, fields, source=source, issues=issues
    )


def colours_of(layer: Layer) -> NDArray[np.int32] | None:
    """0xRRGGBB of the faces (of the shapes one after the other, where it places shapes); None where it has none."""
    found = layer.field_named(COLOUR)
    return None if found is None or found.on != "face" else np.asarray(found.values, dtype=np.int32)


def _text(value: str) -> Column:
    column = np.empty(1, dtype=object)
    column[0] = value or None
    return Column(column)


def _estimated(proposal: Proposal) -> Issue:
    name = proposal.name or proposal.id
    message = f"{name}: the file says no floor area above the ground; it is estimated from the volume."
    return Issue("proposal.estimated", message, "doubt", 1, (proposal.id,), values={"name": name})


def _surfaces(mesh: Mesh) -> NDArray[np.int8]:
    """Roofs, walls and undersides by the way the faces look."""
    corners = mesh.vertices[mesh.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    size = np.maximum(np.linalg.norm(normal, axis=1), 1e-12)
    level = normal[:, 2] / size
    return np.where(level > LEVEL, ROOF, np.where(level < -LEVEL, GROUND, WALL)).astype(np.int8)


def is_closed(mesh: Mesh) -> bool:
    """Whether every edge has a face on both sides, turned alike, so that inside and outside are known."""
    points, _, number, _ = unique_rows(np.round(mesh.vertices, 4))
    faces = number[mesh.faces]
    faces = faces[(faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])]
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    there = np.sort(edges[:, 0] * len(points) + edges[:, 1])
    back = np.sort(edges[:, 1] * len(points) + edges[:, 0])
    return len(there) > 0 and bool(np.array_equal(there, back)) and _volume(mesh) > 0.0


def _volume(mesh: Mesh) -> float:
    corners = mesh.vertices[mesh.faces] - mesh.vertices.mean(axis=0)
    return float(np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6.0)


def proposal_to_dict(proposal: Proposal) -> dict[str, Any]:
    """Plain values; the model by its fingerprint."""
    said = {name: value for name, value in vars(proposal).items() if name != "model"}
    return {**said, "model": proposal.model.id}


def proposal_from_dict(said: Mapping[str, Any], models: Mapping[str, ProposalModel]) -> Proposal | None:
    """A proposal from plain values; None where its model is not there any more."""
    model = models.get(str(said["model"]))
    if model is None:
        return None
    numbers = {name: float(said[name]) for name in ("x", "y", "base", "turn_deg", "scale", "floor_area")}
    told = str(said["told"])
    if told not in ("file", "typed", "estimate"):
        raise ValueError("a floor area is told by the file or the user, or estimated")
    return Proposal(
        str(said["id"]), model, numbers["x"], numbers["y"], numbers["base"], numbers["turn_deg"], numbers["scale"],
        str(said["name"]), str(said["use"]), int(said["storeys"]), numbers["floor_area"], told,  # type: ignore[arg-type]
    )  # fmt: skip


def moved_proposal(
    proposal: Proposal, move: tuple[float, float, float], turn_deg: float, middle: tuple[float, float]
) -> Proposal:
    """A proposal pushed [m] and turned [degrees] about a place in plan [local m]."""
    angle = math.radians(turn_deg)
    x, y = proposal.x - middle[0], proposal.y - middle[1]
    return replace(
        proposal,
        x=x * math.cos(angle) - y * math.sin(angle) + middle[0] + move[0],
        y=x * math.sin(angle) + y * math.cos(angle) + middle[1] + move[1],
        base=proposal.base + move[2],
        turn_deg=(proposal.turn_deg + turn_deg) % 360.0,
    )
