"""What every kind of layer has in common when it is drawn: its actors, its colours, its place in the light."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

from app.theme import Theme, rgb_of
from app.view.camera import Camera
from app.view.polydata import ArrayTexture
from app.view.shader import POSITION_TAG, pull_text
from app.view.sky import SkyTexture
from app.volume_view import VolumeView
from geo.model import Layer

ROLE_OF_THEME = {  # theme of a layer -> role in the palette
    "terrain": "ground",
    "building": "wall",
    "road": "road",
    "rail": "rail",
    "water": "water",
    "parcel": "green",
    "tree": "crown",
    "furniture": "furniture",
    "bim": "indoor_wall",
    "space": "space",
    "utility": "utility",
    "excavation": "excavation",
    "network": "network",
    "link": "link",
    "sensor": "sensor",
    "camera": "camera",
    "emission": "emission",
    "purifier": "purifier",
    "result": "accent",
    "other": "other",
}
RESULT_KEEP = 0.7  # share of its own colour a surface keeps when a result colours it


@dataclass
class Look:
    """What all actors are drawn with.

    Attributes
    ----------
    theme : Theme
    light : SkyTexture
    point_budget : int
        Points of a cloud that may be in the picture at once.
    opened : frozenset of str
        Layers of models that are looked into: rooms in the palette's colours, panes of glass.
    without_coverings : bool
        Whether ceilings and coverings of opened layers are left out: a storey is seen from above.
    fades : bool
        Whether one looks through the ground.
    volume_views : dict of layer id -> VolumeView
        What is shown of volumes, where somebody has chosen.
    """

    theme: Theme
    light: SkyTexture
    point_budget: int = 3_000_000
    opened: frozenset[str] = frozenset()
    without_coverings: bool = False
    fades: bool = False
    volume_views: dict[str, VolumeView] = field(default_factory=dict)


@dataclass(frozen=True)
class Drape:
    """A picture laid over the ground from above.

    Attributes
    ----------
    layer_id : str
    texture : ArrayTexture
        RGBA, premultiplied; row 0 south.
    box : (west, south, 1 / width, 1 / height) [local m]
    strength, keep : float
        How much of the ground it covers, and how much of its colour survives the shade.
    hatch : ArrayTexture or None
        How its cells are hatched.
    """

    layer_id: str
    texture: ArrayTexture
    box: tuple[float, float, float, float]
    strength: float
    keep: float
    hatch: ArrayTexture | None = None


class LayerActors:
    """The actors of one layer. Made once; `refresh` follows changes of the layer, `retheme` those of the palette.

    Parameters
    ----------
    prepared : object or None
        What `prepare` made of the layer beside the main thread; None = make it now.
    """

    def __init__(self, layer: Layer, look: Look, prepared: object = None) -> None:
        self.layer = layer
        self.look = look
        self.actors: list[vtkActor] = []
        self._rebuild(prepared)
        self.recolour()
        self.show()

    @staticmethod
    def prepare(layer: Layer) -> object:
        """The arrays that drawing needs: pure, depends on geometry and theme alone, may run in any thread."""
        return None

    def build(self, prepared: object) -> None:
        """Make the actors from what `prepare` made of the layer."""
        raise NotImplementedError

    def _rebuild(self, prepared: object) -> None:
        self.build(prepared if prepared is not None else self.prepare(self.layer))

    def recolour(self) -> None:
        """Set colours and hidden elements from style, fields and theme."""

    def refresh(self, layer: Layer, what: str, prepared: object = None) -> bool:
        """Follow a change of the layer. True when the actors themselves were replaced."""
        geometry_changed = layer.geometry is not self.layer.geometry
        self.layer = layer
        if geometry_changed:
            self.look.light.forget(self.actors)
            self.actors = []
            self._rebuild(prepared)
        if what != "name":
            self.recolour()
        self.show()
        return geometry_changed

    def retheme(self) -> None:
        """The theme in `look` has changed."""
        self.recolour()

    def show(self) -> None:
        """Visible or not, as the style says."""
        for actor in self.actors:
            actor.SetVisibility(self.layer.style.visible)

    def look_from(self, camera: Camera, size: tuple[int, int]) -> None:
        """The camera has moved, or the picture has another size [pixels]: large layers choose what to draw."""

    def release(self) -> None:
        """The layer is gone."""
        self.look.light.forget(self.actors)
        self.actors = []

    @property
    def drape(self) -> Drape | None:
        """A picture for the ground, of layers that are one."""
        return None

    def plain_rgb(self) -> tuple[int, int, int]:
        """The layer's one colour: its own, else the palette's."""
        if self.layer.style.colour:
            return rgb_of(self.layer.style.colour)
        return self.look.theme.rgb(ROLE_OF_THEME.get(self.layer.theme, "other"))


def new_actor(data: object) -> vtkActor:
    """An actor with a plain mapper whose model coordinates are the scene's: the light relies on it."""
    mapper = vtkPolyDataMapper()
    mapper.SetInputData(data)
    mapper.SetVBOShiftScaleMethod(0)
    mapper.SetResolveCoincidentTopologyToOff()  # a switch that all mappers share
    actor = vtkActor()
    actor.SetMapper(mapper)
    return actor


def unlit_actor(data: object, *, pull: float | str) -> vtkActor:
    """An actor in its plain colour, drawn nearer to the eye by a share of its distance, which may be a uniform."""
    actor = new_actor(data)
    actor.GetProperty().LightingOff()
    actor.PickableOff()
    actor.GetShaderProperty().AddVertexShaderReplacement(
        POSITION_TAG, True, POSITION_TAG + "\n" + pull_text(pull), False
    )
    return actor


def face_texture(colours: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colours (m, 3) and alpha (m,) of faces as a texture (rows, 1024, 4)."""
    rows = max((len(colours) + 1023) // 1024, 1)
    pixels = np.zeros((rows * 1024, 4), dtype=np.uint8)
    pixels[: len(colours), :3] = colours
    pixels[: len(colours), 3] = alpha
    return pixels.reshape(rows, 1024, 4)
