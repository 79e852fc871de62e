"""A tiny building made in memory: walls, a slab, pipes, and what is wrong with them, known by hand."""

from __future__ import annotations

import numpy as np

from geo.model import Column, ElementTable, Layer, Mesh, Points, Style, merge_meshes
from tests.tiny import box_mesh

# id, class, storey, box (x, y, z, width, depth, height)
PARTS = [
    ("wall", "IfcWall", "1F", (0.0, 0.0, 20.0, 10.0, 0.2, 3.0)),
    ("wall2", "IfcWall", "1F", (0.0, 5.0, 20.0, 10.0, 0.2, 3.0)),
    ("slab", "IfcSlab", "1F", (0.0, 0.0, 19.8, 10.0, 6.0, 0.2)),
    ("pipe", "IfcPipeSegment", "1F", (3.0, -1.0, 21.0, 0.1, 3.0, 0.1)),  # through the first wall
    ("near", "IfcPipeSegment", "1F", (0.0, 4.92, 22.0, 8.0, 0.05, 0.05)),  # 3 cm before the second wall
    ("on", "IfcPipeSegment", "1F", (1.0, 2.0, 20.0, 2.0, 0.1, 0.1)),  # lies on the slab: contact
    ("twin", "IfcFurniture", "1F", (7.0, 2.0, 20.0, 1.0, 1.0, 1.0)),
    ("twin2", "IfcFurniture", "1F", (7.0, 2.0, 20.0, 1.0, 1.0, 1.0)),
    ("lost", "IfcFurniture", "1F", (5000.0, 0.0, 20.0, 1.0, 1.0, 1.0)),
]


def model(parts: list[tuple[str, str, str, tuple[float, ...]]] | None = None) -> Layer:
    """The building as one layer."""
    parts = PARTS if parts is None else parts
    meshes = [box_mesh([part[3]])[0] for part in parts]
    return layer_of(meshes, [part[0] for part in parts], [part[1] for part in parts], [part[2] for part in parts])


def layer_of(meshes: list[Mesh], ids: list[str], classes: list[str], storeys: list[str] | None = None) -> Layer:
    """Meshes as the elements of a model."""
    columns = {
        "class": Column(np.array(classes, dtype=object)),
        "name": Column(np.array(ids, dtype=object)),
        "storey": Column(np.array(storeys or [""] * len(ids), dtype=object)),
    }
    table = ElementTable(ids, columns)
    return Layer("model", "Model", "bim", merge_meshes(meshes), table, style=Style(), stratum="indoor")


def building() -> list[Layer]:
    """The building with the rooms and the walking network of `tests.tiny_indoor`."""
    from tests.tiny_indoor import house

    return [model(), *house()]


def scan(step: float = 0.04) -> Layer:
    """The outer face of the first wall as a scan sees it, 10 mm before the design."""
    x, z = np.meshgrid(np.arange(0.0, 10.0, step), np.arange(20.0, 23.0, step))
    points = np.column_stack([x.ravel(), np.full(x.size, -0.01), z.ravel()])
    return Layer("scan", "Scan", "other", Points(points, np.zeros(len(points), np.int32)), ElementTable(["scan"]))


def schedule() -> Layer:
    """When the elements of the building are to stand, all in the same week; the first is finished."""
    ids = [part[0] for part in PARTS]
    planned = {"PlannedStart": "2026-03-02", "PlannedFinish": "2026-03-06"}
    columns = {name: Column(np.array([day] * len(ids), dtype=object)) for name, day in planned.items()}
    finished = np.array(["2026-03-05", *[None] * (len(ids) - 1)], dtype=object)
    columns |= {"GUID": Column(np.array(ids, dtype=object)), "ActualFinish": Column(finished)}
    return Layer("schedule", "Schedule", "other", None, ElementTable([str(k) for k in range(len(ids))], columns))
