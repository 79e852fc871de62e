"""What a user gives to ``cctv.coverage``: layers and parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import field_validator

from analysis.cctv.classes import editions
from analysis.cctv.obstacles import OPAQUE_THEMES, Season
from analysis.cctv.optics import Reading
from analysis.contract import Inputs, layer_input
from analysis.params import Params, choice, quantity, switch
from geo.model import Layer

Ground = Literal["open", "roads", "none"]
Rooms = Literal["storeys", "with_cameras", "all", "none"]
AUTO = "auto"


class SightParams(Params):
    """How far and how well cameras see: what the studies of cameras have in common."""

    edition: Literal["2025", "2014"] = choice(
        "Edition of IEC 62676-4", default="2025", help="Classes of picture quality by pixels per metre."
    )
    view_class: str = choice(
        "Class from which a view counts",
        default=AUTO,
        help="Id of a class of the edition, such as discern or detect. auto: the least.",
    )
    season: Season = choice(
        "Trees", default="summer", help="summer: in leaf. winter: bare but for evergreens. none: without trees."
    )
    reading: Reading = choice(
        "Reading of pixels per metre",
        default="parallel",
        help="Of people: parallel to the sensor (f/z), slant (f/distance, the least), radial (the most off the axis).",
    )
    glass: bool = switch(
        "Glass can be looked through",
        default=True,
        help="Off: panes are opaque, as from a dark street into a lit room.",
    )
    leaf_density: float = quantity(
        "Leaf area density within crowns",
        "1/m",
        default=0.0,
        ge=0.0,
        le=5.0,
        help="0: each crown lets one share of the light through, whatever the way in it.",
    )

    @field_validator("view_class")
    @classmethod
    def _known_class(cls, text: str) -> str:
        known = {name for edition in editions().values() for name in edition.names}
        if text != AUTO and text not in known:
            raise ValueError(f"must be auto or one of {', '.join(sorted(known))}")
        return text


class CoverageParams(SightParams):
    """What ``cctv.coverage`` looks at."""

    ground: Ground = choice(
        "People on the ground",
        default="open",
        help="open: all ground outside buildings. roads: roads and squares only.",
    )
    ground_cell: float = quantity("Ground cell", "m", default=2.0, ge=0.25, le=20.0)
    height: float = quantity(
        "Height of what is looked at", "m", default=1.6, ge=0.0, le=3.0, help="A face: 1.5 to 1.7."
    )
    around: float = quantity(
        "Ground around the cameras", "m", default=100.0, ge=5.0, le=1000.0, help="Where no area is named."
    )
    indoors: Rooms = choice(
        "Rooms", default="storeys", help="storeys: those of storeys in which a camera stands. with_cameras: only these."
    )
    room_cell: float = quantity("Cell of rooms", "m", default=0.5, ge=0.1, le=5.0)
    facades: bool = switch("Facades", default=False)
    facade_cell: float = quantity("Facade cell", "m", default=3.0, ge=0.5, le=20.0)
    entrances: bool = switch("Faces at entrances", default=True)
    entrance_weight: float = quantity("An entrance counts as", "m2", default=10.0, ge=0.0, le=10_000.0)
    plates: bool = switch("Number plates along roads", default=False)
    plate_spacing: float = quantity("Distance between plates", "m", default=10.0, ge=2.0, le=100.0)
    plate_weight: float = quantity("A plate counts as", "m2", default=5.0, ge=0.0, le=10_000.0)
    street_light: float = quantity(
        "Light on roads at night",
        "lx",
        default=0.0,
        ge=0.0,
        le=1000.0,
        help="0: unknown; then only what the cameras' own light reaches counts at night, or a map of light is given.",
    )
    blind_area: float = quantity("Smallest blind spot", "m2", default=20.0, ge=0.0, le=10_000.0)


@dataclass(frozen=True)
class SightInputs(Inputs):
    """The scene that is looked through."""

    terrain: Layer | None = layer_input("Terrain", kind="terrain", optional=True)
    relief: tuple[Layer, ...] = layer_input(
        "Terrain surface (triangles)", kind="mesh", theme="terrain", many=True, optional=True
    )
    buildings: tuple[Layer, ...] = layer_input(
        "Buildings, models and other obstacles",
        kind=("mesh", "instances"),
        theme=OPAQUE_THEMES,
        many=True,
        optional=True,
    )
    trees: tuple[Layer, ...] = layer_input("Trees", kind=("mesh", "instances"), theme="tree", many=True, optional=True)
    rooms: tuple[Layer, ...] = layer_input("Rooms", kind="mesh", theme="space", many=True, optional=True, hidden=True)
    roads: tuple[Layer, ...] = layer_input(
        "Roads and squares", kind=("mesh", "lines"), theme="road", many=True, optional=True
    )
    cameras: tuple[Layer, ...] = layer_input("Cameras", kind="points", theme="camera", many=True, optional=True)
    areas: tuple[Layer, ...] = layer_input(
        "Areas looked at", kind=("mesh", "lines"), many=True, optional=True, named=True, hidden=True, default=True
    )
    models: tuple[Layer, ...] = layer_input(
        "Camera models of one's own (table)",
        kind="table",
        many=True,
        optional=True,
        named=True,
        hidden=True,
        default=True,
    )
    masks: tuple[Layer, ...] = layer_input(
        "Privacy masks (table of a result)",
        kind="table",
        theme="result",
        many=True,
        optional=True,
        named=True,
        hidden=True,
        default=True,
    )

    @property
    def scene(self) -> tuple[Layer, ...]:
        """All that lines of sight may meet, and the rooms."""
        terrain = () if self.terrain is None else (self.terrain,)
        return (*terrain, *self.relief, *self.buildings, *self.trees, *self.rooms)


@dataclass(frozen=True)
class CoverageInputs(SightInputs):
    """What ``cctv.coverage`` works on besides."""

    ways: tuple[Layer, ...] = layer_input(
        "Walking networks of buildings (exits)",
        kind=("points", "lines"),
        theme="network",
        many=True,
        optional=True,
        hidden=True,
        default=True,
    )
    light: Layer | None = layer_input(
        "Map of light at night [lx]", kind="grid", theme=("result", "other"), optional=True, named=True, default=True
    )
