"""Checks of a building's shapes: each finds what was put there, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.contract import Result
from analysis.registry import get
from analysis.run import execute
from geo.model import Layer, Mesh
from tests.tiny import box_mesh, tiny_frame
from tests.tiny_bim import building, model
from tests.tiny_indoor import house, rooms


def run(layers: list[Layer], **params: object) -> Result:
    return execute(get("bim.check"), layers=layers, frame=tiny_frame(), params=params)


def found(result: Result) -> set[tuple[str, str, str]]:
    columns = result.tables[0].columns
    return set(zip(*(columns[name].values.tolist() for name in ("model_check", "element", "other")), strict=True))


def test_everything_that_is_wrong_is_found_once() -> None:
    result = run(building())
    assert found(result) == {
        ("duplicate", "twin2", "twin"),
        ("far", "lost", ""),
        ("no_door", "B1", ""),
        ("narrow_door", "dB0", ""),
    }
    assert len(result.tables[0]) == 4
    counts = {name: quantity.value for name, quantity in result.summary.items()}
    assert (counts["elements"], counts["rooms"], counts["doors"]) == (9, 6, 5)
    columns = result.tables[0].columns
    row = columns["model_check"].values.tolist().index("narrow_door")
    assert (columns["measured"].values[row], columns["limit"].values[row]) == pytest.approx((0.8, 0.9))
    row = columns["model_check"].values.tolist().index("far")
    assert columns["measured"].values[row] == pytest.approx(5000.0, rel=0.01)


def test_limits_move_what_is_found() -> None:
    assert ("narrow_door", "dB0", "") not in found(run(building(), door_width=0.8))
    assert {"dA0", "dA1", "balcony"} <= {item[1] for item in found(run(building(), door_width=1.2))}
    assert ("far", "lost", "") not in found(run(building(), far=6000))


def test_a_room_with_a_door_but_no_way_out() -> None:
    """Without the ways to the two exits nothing leads out, but every room that had a door still has one."""
    layers = house()
    edges = next(layer for layer in layers if layer.kind == "lines" and layer.theme == "network")
    columns = dict(edges.table.columns)
    ends = columns["to"].values.copy()
    shut = np.array([str(end).endswith(":exit") for end in ends])
    ends[shut] = columns["from"].values[shut]  # the last step leads back to its own door
    columns["to"] = type(columns["to"])(ends)
    closed = edges.with_(table=type(edges.table)(edges.table.ids, columns))
    others = [layer for layer in layers if layer is not edges]
    result = found(run([model(), *others, closed]))
    assert {item[1] for item in result if item[0] == "no_way_out"} == {"A0", "B0", "C0", "A1", "C1"}
    assert {item[1] for item in result if item[0] == "no_door"} == {"B1"}


def test_rooms_that_overlap_are_told_with_how_much() -> None:
    """The six rooms share walls only; one moved by half a metre into its neighbour is told."""
    layer = rooms()
    assert isinstance(layer.geometry, Mesh)
    assert not found(run([layer]))
    vertices = layer.geometry.vertices.copy()
    mine = np.unique(layer.geometry.faces[layer.geometry.face_element == 0])
    vertices[mine, 0] += 0.5
    moved = layer.with_(geometry=Mesh(vertices, layer.geometry.faces, layer.geometry.face_element))
    result = run([moved])
    assert found(result) == {("overlap", "A0", "C0")}
    assert result.tables[0].columns["measured"].values.tolist() == pytest.approx([0.5])
    assert found(run([moved], overlap=0.6)) == set()
    assert [issue.code for issue in result.issues] == ["bim.check.no_network"]


def test_twins_are_told_at_any_angle_but_neighbours_are_not() -> None:
    shape = box_mesh([(0.0, 0.0, 0.0, 1.0, 2.0, 3.0)])[0]
    angle_rad = np.radians(33.0)
    rotation = np.array(
        [[np.cos(angle_rad), -np.sin(angle_rad), 0], [np.sin(angle_rad), np.cos(angle_rad), 0], [0, 0, 1]]
    )
    turned = Mesh(shape.vertices @ rotation.T, shape.faces, shape.face_element)
    from tests.tiny_bim import layer_of

    again = Mesh(turned.vertices + 0.001, turned.faces[::-1], turned.face_element)  # other order, 1 mm off
    beside = Mesh(turned.vertices + 0.01, turned.faces, turned.face_element)
    layer = layer_of([turned, again, beside, shape], ["a", "b", "c", "d"], ["IfcColumn"] * 4)
    assert found(run([layer])) == {("duplicate", "b", "a")}
    assert ("duplicate", "c", "a") in found(run([layer], tolerance=0.02))
