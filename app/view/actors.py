"""Which actors draw which layer: a small table. A new kind of layer is one row here and one file beside it."""

from __future__ import annotations

from app.view.camera_symbols import CameraSymbols, is_symbols
from app.view.cloud import CloudActors
from app.view.instances import InstancesActors
from app.view.layer_actors import LayerActors, Look
from app.view.lines import LinesActors
from app.view.mesh import MeshActors
from app.view.nodes import NodesActors
from app.view.pins import PinsActors, is_pins
from app.view.pit import element_boxes
from app.view.points import PointsActors
from app.view.purifier_symbols import PurifierSymbols, is_purifier_symbols
from app.view.result_tubes import ResultTubesActors, copies_pipes
from app.view.rimmed import RimmedLinesActors, is_rimmed
from app.view.station_bars import StationBars, is_stations
from app.view.terrain import DrapedActors, TerrainActors
from app.view.tubes import TubesActors
from app.view.volume import VolumeActors
from app.view.ways import WayActors, is_way
from geo.model import Grid, Instances, Layer, Lines, Mesh, Points
from geo.model.conventions import NODE

ACTORS: dict[str, type[LayerActors]] = {
    "terrain": TerrainActors,
    "mesh": MeshActors,
    "instances": InstancesActors,
    "lines": LinesActors,
    "points": PointsActors,
    "grid": DrapedActors,
    "image": DrapedActors,
    "volume": VolumeActors,
}


MOST_DOTS = 20_000  # points beyond which they are a cloud and no longer signs of their own
HEAVY = 20_000  # triangles, cells or points from which preparing a layer is worth a job
HEAVY_PIPES = 2_000  # vertices of pipes: each becomes a part of a tube
NODE_FACES = 100  # about as many triangles has a manhole or a valve


def prepare(layer: Layer) -> object:
    """The arrays that drawing a layer needs; pure, may run in any thread. None when there is nothing to prepare."""
    maker = _maker_of(layer)
    if isinstance(layer.geometry, Mesh | Instances):
        element_boxes(layer.geometry)  # for the first hole in the ground
    return maker.prepare(layer) if maker is not None else None


def is_heavy(layer: Layer) -> bool:
    """Whether preparing a layer would be felt in the window."""
    geometry = layer.geometry
    if isinstance(geometry, Mesh):
        return len(geometry.faces) > HEAVY
    if isinstance(geometry, Instances):
        return geometry.face_count > HEAVY
    if isinstance(geometry, Grid):
        return layer.kind == "terrain" and geometry.values.size > HEAVY
    if isinstance(geometry, Points) and _maker_of(layer) is NodesActors:
        return len(geometry.vertices) * NODE_FACES > HEAVY
    if isinstance(geometry, Lines) and _maker_of(layer) is TubesActors:
        return len(geometry.vertices) > HEAVY_PIPES
    return isinstance(geometry, Points | Lines) and len(geometry.vertices) > HEAVY


def actors_of(layer: Layer, look: Look, prepared: object = None) -> LayerActors | None:
    """The actors of a layer, or None when there is nothing to draw (a table, an empty geometry)."""
    maker = _maker_of(layer)
    return maker(layer, look, prepared) if maker is not None else None


def _maker_of(layer: Layer) -> type[LayerActors] | None:
    if layer.geometry is None or layer.geometry.bounds is None:
        return None
    if isinstance(layer.geometry, Points) and len(layer.geometry.vertices) > MOST_DOTS:
        return CloudActors
    if is_symbols(layer):
        return CameraSymbols
    if is_purifier_symbols(layer):
        return PurifierSymbols
    if is_stations(layer):
        return StationBars
    if layer.theme == "utility" and isinstance(layer.geometry, Lines):
        return TubesActors
    if copies_pipes(layer):
        return ResultTubesActors
    if is_pins(layer):
        return PinsActors
    if is_way(layer):
        return WayActors
    if is_rimmed(layer):
        return RimmedLinesActors
    if layer.theme == "utility" and isinstance(layer.geometry, Points) and NODE in layer.table.columns:
        return NodesActors
    return ACTORS.get("terrain" if layer.theme == "terrain" and layer.kind == "mesh" else layer.kind)
