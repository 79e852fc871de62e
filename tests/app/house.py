"""A house of two storeys for the tests of sections, plans and walks: walls, a door, slabs, a roof, a stair, rooms."""

from __future__ import annotations

import numpy as np

from geo.model import Column, ElementTable, Layer, Mesh, Source, Style, merge_meshes
from tests.app.view_scene import box

# Outer walls of 12 m by 8 m, 0.4 m thick, 3 m high; a door in the south wall; floors at 0 m and 3 m.
WALL = 0.4
Part = tuple[str, str, Mesh]


def storey_parts(floor: float, storey: str, *, slab: bool = True) -> list[Part]:
    """Walls, door and slab of one storey whose floor lies at a height."""
    z, h = floor, 2.8
    parts: list[Part] = [
        (f"west{storey}", "IfcWall", box(-6, -4, size=(WALL, 8, h), z=z)),
        (f"east{storey}", "IfcWall", box(6 - WALL, -4, size=(WALL, 8, h), z=z)),
        (f"north{storey}", "IfcWall", box(-6 + WALL, 4 - WALL, size=(12 - 2 * WALL, WALL, h), z=z)),
        (f"south-a{storey}", "IfcWall", box(-6 + WALL, -4, size=(5.1, WALL, h), z=z)),
        (f"south-b{storey}", "IfcWall", box(0.5, -4, size=(5.1, WALL, h), z=z)),
        (f"door{storey}", "IfcDoor", box(-0.5, -4 + 0.15, size=(1.0, 0.1, 2.1), z=z)),
    ]
    if slab:
        parts.append((f"slab{storey}", "IfcSlab", box(-6, -4, size=(12, 8, 0.2), z=z - 0.2)))
    return parts


def house(*, slab: bool = True, path: str = "house.ifc", stairs: bool = False) -> Layer:
    """The model: a layer with class, name, storey and elevation of each element; its zero stands at 0 m."""
    parts = [(*part, "Level 1", 0.0) for part in storey_parts(0.0, "1", slab=slab)]
    parts += [(*part, "Level 2", 3.0) for part in storey_parts(3.0, "2")]
    parts.append(("roof", "IfcRoof", box(-6, -4, size=(12, 8, 0.3), z=6.0), "Level 2", 3.0))
    if stairs:
        for step in range(10):
            tread = box(-3 + 0.3 * step, 2, size=(0.3, 1.2, 0.17 * (step + 1)))
            parts.append((f"step{step}", "IfcStairFlight", tread, "Level 1", 0.0))
    text = {
        name: Column(np.array([part[at] for part in parts], dtype=object))
        for name, at in (("class", 1), ("name", 0), ("storey", 3))
    }
    elevation = Column(np.array([part[4] for part in parts]), "m")
    table = ElementTable([part[0] for part in parts], {**text, "elevation": elevation})
    mesh = merge_meshes([part[2] for part in parts])
    return Layer("house", "House", "bim", mesh, table=table, stratum="indoor", source=Source(path=path))


def rooms(*, path: str = "house.ifc", visible: bool = True) -> Layer:
    """One room on each storey; the reader of models brings them in invisible."""
    inner = (12 - 2 * WALL, 8 - 2 * WALL, 2.8)
    meshes = [box(-6 + WALL, -4 + WALL, size=inner, z=z) for z in (0.0, 3.0)]
    columns = {
        "name": Column(np.array(["101", "201"], dtype=object)),
        "long_name": Column(np.array(["Shop", "Flat"], dtype=object)),
        "use": Column(np.array(["retail", "dwelling"], dtype=object)),
        "storey": Column(np.array(["Level 1", "Level 2"], dtype=object)),
        "elevation": Column(np.array([0.0, 3.0]), "m"),
        "area": Column(np.array([inner[0] * inner[1]] * 2), "m2"),
    }
    table = ElementTable(["room1", "room2"], columns)
    style = Style(visible=visible)
    return Layer("rooms", "Rooms", "space", merge_meshes(meshes), table=table, style=style, source=Source(path=path))
