"""Which actors draw which layer: a small table. A new kind of layer is one row here and one file beside it."""

from __future__ import annotations

from app.view.instances import InstancesActors
from app.view.layer_actors import LayerActors, Look
from app.view.lines import LinesActors
from app.view.mesh import MeshActors
from app.view.points import PointsActors
from app.view.terrain import DrapedActors, TerrainActors
from geo.model import Layer

ACTORS: dict[str, type[LayerActors]] = {
    "terrain": TerrainActors,
    "mesh": MeshActors,
    "instances": InstancesActors,
    "lines": LinesActors,
    "points": PointsActors,
    "grid": DrapedActors,
    "image": DrapedActors,
}


def actors_of(layer: Layer, look: Look) -> LayerActors | None:
    """The actors of a layer, or None when there is nothing to draw (a table, an empty geometry)."""
    if layer.geometry is None or layer.geometry.bounds is None:
        return None
    kind = "terrain" if layer.theme == "terrain" and layer.kind == "mesh" else layer.kind
    maker = ACTORS.get(kind)
    return maker(layer, look) if maker is not None else None
