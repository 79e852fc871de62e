"""Windows of models: those of living rooms where these are named, and not behind the block the model replaces."""

from __future__ import annotations

import dataclasses

import numpy as np

from analysis.contract import Result
from analysis.registry import get
from analysis.replaced import without_replaced
from analysis.run import execute, out_of_date
from geo.model import Column, ElementTable, Layer, Mesh, merge_meshes
from tests.tiny import box_mesh, buildings, terrain, tiny_frame

WALL = (0.0, 0.0, 20.0, 12.0, 8.0, 3.0)  # x, y, z, width, depth, height
# Two windows in the south wall: the left one before the first room, the right one before the second.
PANES = [(1.0, -0.1, 21.0, 1.5, 0.2, 1.4), (8.0, -0.1, 21.0, 1.5, 0.2, 1.4)]
ROOMS = [(0.3, 0.3, 20.1, 5.2, 7.4, 2.7), (6.2, 0.3, 20.1, 5.5, 7.4, 2.7)]


def model() -> Layer:
    parts = [box_mesh([box])[0] for box in (WALL, *PANES)]
    classes = np.array(["IfcWall", "IfcWindow", "IfcWindow"], dtype=object)
    table = ElementTable(["wall", "left", "right"], {"class": Column(classes)})
    return Layer("model", "Model", "bim", merge_meshes(parts), table)


def rooms(names: list[str]) -> Layer:
    shape: Mesh = merge_meshes([box_mesh([box])[0] for box in ROOMS])
    table = ElementTable(["r0", "r1"], {"name": Column(np.array(names, dtype=object))})
    return Layer("rooms", "Rooms", "space", shape, table, stratum="indoor")


def judged(spaces: list[Layer], **params: object) -> tuple[set[str], Result]:
    result = execute(
        get("sunlight.rights"), layers=[terrain(), model(), *spaces], frame=tiny_frame(), params={"step": 30, **params}
    )
    (windows,) = [layer for layer in result.layers if layer.source.part == "windows"]
    return {str(name).rpartition("/")[2] for name in windows.table.ids}, result


def test_only_the_living_room_counts_where_one_is_named() -> None:
    names, result = judged([rooms(["101호 거실", "101호 침실 1"])])
    assert names == {"left"}
    (said,) = [issue for issue in result.issues if issue.code == "sunlight.rights.living_rooms"]
    assert (said.values["kept"], said.values["left"]) == (1, 1)
    assert judged([rooms(["Bedroom", "Living room"])])[0] == {"right"}


def test_all_count_where_no_living_room_is_named_no_room_is_known_or_all_are_wanted() -> None:
    for spaces, params in (
        ([rooms(["101호 침실 1", "주방"])], {}),
        ([], {}),
        ([rooms(["101호 거실", "101호 침실 1"])], {"rooms": "all"}),
    ):
        assert judged(spaces, **params)[0] == {"left", "right"}


def test_a_window_without_a_known_room_stays() -> None:
    only_first = rooms(["거실", "침실"])
    mesh = only_first.geometry
    assert isinstance(mesh, Mesh)
    first = mesh.face_element == 0
    known = only_first.with_(geometry=Mesh(mesh.vertices, mesh.faces[first], mesh.face_element[first]))
    assert judged([known])[0] == {"left", "right"}


def block(*, hidden: frozenset[str]) -> Layer:
    """The block of the city model that stood for the house, half a metre larger on every side, and a neighbour."""
    layer = buildings([(-0.5, -0.5, 20.0, 13.0, 9.0, 4.0), (60.0, 0.0, 20.0, 10.0, 10.0, 6.0)])
    return layer.with_(style=dataclasses.replace(layer.style, hidden=hidden))


def test_the_block_that_a_model_replaces_does_not_wall_up_its_windows() -> None:
    walled = execute(
        get("sunlight.rights"), layers=[terrain(), model(), block(hidden=frozenset())], frame=tiny_frame(),
        params={"step": 30},
    )  # fmt: skip
    assert "sunlight.rights.inner_windows" in {issue.code for issue in walled.issues}
    result = execute(
        get("sunlight.rights"), layers=[terrain(), model(), block(hidden=frozenset({"b0"}))], frame=tiny_frame(),
        params={"step": 30},
    )  # fmt: skip
    (windows,) = [layer for layer in result.layers if layer.source.part == "windows"]
    names = {str(name) for name in windows.table.ids}
    assert {name.rpartition("/")[2] for name in names} >= {"left", "right"}
    assert not any(name.startswith("b0/") for name in names)
    assert not {"sunlight.rights.too_few", "sunlight.rights.storeys_odd"} & {issue.code for issue in result.issues}
    assert out_of_date(windows.source.provenance, [terrain(), model(), block(hidden=frozenset({"b0"}))]) == []


def test_a_building_hidden_to_look_behind_it_still_counts() -> None:
    layer = block(hidden=frozenset({"b1"}))
    (given,) = without_replaced([layer], [model(), layer])
    assert given is layer
    (alone,) = without_replaced([block(hidden=frozenset({"b0"}))], [layer])  # no model there
    assert isinstance(alone.geometry, Mesh)
    assert (alone.geometry.face_element == 0).any()
