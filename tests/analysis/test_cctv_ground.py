"""The ground where no terrain is, which part of a terrain is taken, and what cameras of a table do not say."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.cctv.cameras import camera_layer, cameras_of
from analysis.cctv.catalogue import catalogue
from analysis.cctv.obstacles import MOST_TERRAIN_CELLS, same_terrain, terrain_part
from analysis.cctv.plain import plain_level
from analysis.registry import get
from analysis.run import execute
from geo.model import Bounds, Column, ElementTable, Grid, Layer, Lines, Points
from tests.analysis.test_cctv_coverage import camera
from tests.tiny import buildings, tiny_frame


def house(z: float, *, x: float, theme: str = "building") -> Layer:
    """A block of 10 m a side."""
    layer = buildings([(x, 0.0, z, 10.0, 10.0, 9.0)])
    return layer.with_(id=f"{theme} {x:g}", theme=theme)


def exits(z: float) -> list[Layer]:
    """A hall, a door and the way between them."""
    texts = {"node": np.array(["exit", "room"], dtype=object), "name": np.array(["door", "hall"], dtype=object)}
    table = ElementTable(["e", "r"], {name: Column(values) for name, values in texts.items()})
    places = np.array([[0.0, 0.0, z], [1.0, 0.0, z + 5.0]])
    ends = {"from": Column(np.array(["e"], dtype=object)), "to": Column(np.array(["r"], dtype=object))}
    way = Lines(places, np.array([0, 2], dtype=np.int32), np.zeros(1, dtype=np.int32))
    return [
        Layer("nodes", "nodes", "network", Points(places, np.arange(2, dtype=np.int32)), table),
        Layer("edges", "edges", "network", way, ElementTable(["w"], ends)),
    ]


def test_a_cellar_does_not_lower_the_ground_of_a_city() -> None:
    city = [house(2.0, x=20.0 * k) for k in range(5)]
    cellar = house(-7.0, x=200.0, theme="bim")
    deep = house(-4.0, x=300.0)
    assert plain_level([*city, deep, cellar], [], None) == (2.0, "buildings")


def test_only_buildings_of_the_place_tell_its_ground() -> None:
    near, far = [house(2.0, x=20.0 * k) for k in range(3)], [house(30.0, x=1000.0 + 20.0 * k) for k in range(9)]
    here = Bounds((-50.0, -50.0, -np.inf), (100.0, 50.0, np.inf))
    nowhere = Bounds((-900.0, -50.0, -np.inf), (-800.0, 50.0, np.inf))
    assert plain_level([*near, *far], [], here)[0] == 2.0
    assert plain_level([*near, *far], [], nowhere)[0] == 30.0  # of all, where none is near


def test_a_model_alone_stands_with_its_exits_on_the_ground() -> None:
    model = house(-3.5, x=0.0, theme="bim")
    assert plain_level([model], exits(0.2), None) == (0.2, "exits")
    assert plain_level([model], [], None) == (-3.5, "lowest")
    assert plain_level([], [], None) == (0.0, "lowest")


def test_people_of_a_city_without_terrain_stand_on_its_ground() -> None:
    cellar = house(-7.0, x=200.0, theme="bim")
    scene = [house(0.0, x=0.0), house(0.0, x=40.0), cellar, camera_layer([camera()])]
    params = {"indoors": "none", "entrances": False, "ground_cell": 2.0, "blind_area": 0.0}
    result = execute(get("cctv.coverage"), layers=scene, frame=tiny_frame(), params=params)
    (ground,) = (layer for layer in result.layers if layer.id.endswith("-ground"))
    assert isinstance(ground.geometry, Grid)
    assert ground.geometry.z == 0.0
    assert "cctv.flat_ground_buildings" in [issue.code for issue in result.issues]


def wide(size: int) -> Grid:
    rows, cols = np.mgrid[0:size, 0:size]
    return Grid((rows * 0.01 + cols * 0.02), 0.5, 0.5, 1.0)


def box(low: float, high: float) -> Bounds:
    return Bounds((low, low, 0.0), (high, high, 10.0))


@pytest.mark.parametrize("moved", [1.0, 3.0, 7.0, 50.0])
def test_a_fine_terrain_keeps_the_same_heights_when_the_box_moves(moved: float) -> None:
    grid = wide(4000)
    parts = [terrain_part(grid, box(100.0 + by, 2300.0 + by)) for by in (0.0, moved)]
    assert [part[2] for part in parts] == [2, 2]
    for rows, cols, step in parts:
        assert rows.start % step == cols.start % step == 0
        cells = len(range(*rows.indices(4000))) * len(range(*cols.indices(4000)))
        assert cells <= 1.01 * MOST_TERRAIN_CELLS
    assert terrain_part(grid, box(100.0, 400.0))[2] == 1


def test_a_box_that_leaves_the_terrain_that_was_taken_is_told() -> None:
    layers = [Layer("terrain", "terrain", "terrain", wide(4000))]
    assert same_terrain(layers, box(100.0, 400.0), box(120.0, 390.0))
    assert not same_terrain(layers, box(100.0, 400.0), box(150.0, 450.0))
    assert not same_terrain(layers, box(100.0, 2400.0), box(100.0, 400.0))  # taken coarser than a run would
    assert same_terrain([], box(100.0, 400.0), box(900.0, 950.0))


def test_the_state_of_a_camera_is_not_guessed_silently() -> None:
    layer = camera_layer([camera("a"), camera("b")])
    columns = dict(layer.table.columns)
    columns["camera_state"] = Column(np.array(["운영중", ""], dtype=object))
    told = layer.with_(table=ElementTable(layer.table.ids, columns))
    found, issues = cameras_of(told, catalogue())
    assert [one.state for one in found] == ["existing", "existing"]
    assert [issue.code for issue in issues] == ["cctv.unknown_state"]
