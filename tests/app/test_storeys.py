"""Storeys: names, heights and labels from the tables of models and rooms."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from app.look import StoreyCut
from app.storeys import buildings_of, rooms_of, storey_section
from geo.model import Column, ElementTable, Layer, Mesh, UserError, merge_meshes
from tests.app.house import house, rooms
from tests.app.view_scene import box, town


def test_layers_of_one_file_are_one_building() -> None:
    (building,) = buildings_of([house(), rooms(), town()])
    assert building.layer_ids == {"house", "rooms"}
    assert [(s.name, s.label, s.floor, s.top) for s in building.storeys] == [
        ("Level 1", "1", 0.0, 3.0),
        ("Level 2", "2", 3.0, 6.0),
    ]


def test_floors_stand_where_the_model_was_placed_not_at_the_files_zero() -> None:
    layer = house()
    moved = layer.geometry.vertices + (100.0, 50.0, 87.5)
    placed = dataclasses.replace(layer, geometry=Mesh(moved, layer.geometry.faces, layer.geometry.face_element))
    (building,) = buildings_of([placed])
    assert [storey.floor for storey in building.storeys] == pytest.approx([87.5, 90.5])
    assert [storey.elevation for storey in building.storeys] == [0.0, 3.0]


def table_of(names: list[str], elevations: list[float]) -> Layer:
    meshes = [box(0, 0, size=(4, 4, 2.5), z=100 + n * 3.0) for n in range(len(names))]
    columns = {
        "class": Column(np.array(["IfcDoor"] * len(names), dtype=object)),
        "storey": Column(np.array(names, dtype=object)),
        "elevation": Column(np.array(elevations), "m"),
    }
    table = ElementTable([f"e{n}" for n in range(len(names))], columns)
    return Layer("m", "M", "bim", merge_meshes(meshes), table=table)


@pytest.mark.parametrize(
    ("names", "elevations", "labels"),
    [
        (["c", "b", "a", "x"], [-6.0, -3.0, 0.0, 3.0], ["B2", "B1", "1", "2"]),
        (["지하2층", "지하1층", "1층", "지붕층"], [-6.0, -3.0, 0.0, 3.0], ["B2", "B1", "1", "RF"]),
        (["Level 1", "Level 2", "Level 4"], [0.0, 3.0, 6.0], ["1", "2", "4"]),
        (["EG", "OG", "Roof"], [0.0, 3.0, 6.0], ["1", "2", "RF"]),
        (["EG", "OG"], [math.nan, math.nan], ["1", "2"]),
    ],
)
def test_labels(names: list[str], elevations: list[float], labels: list[str]) -> None:
    (building,) = buildings_of([table_of(names, elevations)])
    assert [storey.label for storey in building.storeys] == labels
    assert [storey.floor for storey in building.storeys] == pytest.approx([100 + 3 * n for n in range(len(names))])


def test_rooms_without_storeys_are_sorted_by_their_floors() -> None:
    bare = rooms()
    layer = dataclasses.replace(bare, table=ElementTable(["room1", "room2"]))
    (building,) = buildings_of([layer])
    assert [storey.floor for storey in building.storeys] == [0.0, 3.0]


def test_an_empty_column_of_storeys_and_foreign_classes_change_nothing() -> None:
    columns = {name: Column(np.array(values, dtype=object)) for name, values in _FOREIGN.items()}
    layer = dataclasses.replace(rooms(), table=ElementTable(["room1", "room2"], columns))
    (building,) = buildings_of([layer])
    assert [storey.label for storey in building.storeys] == ["1", "2"]


_FOREIGN = {"storey": ["", None], "class": ["CellSpace", "GeneralSpace"]}


def test_rooms_of_a_storey_have_number_name_use_and_area() -> None:
    layers = [house(), rooms()]
    (building,) = buildings_of(layers)
    (room,) = rooms_of(layers, building, building.storeys[1])
    assert (room.number, room.name, room.use) == ("201", "Flat", "dwelling")
    assert room.area == pytest.approx(11.2 * 7.2)
    assert room.centre == pytest.approx((0.0, 0.0, 3.0))


def test_a_city_has_no_storeys() -> None:
    assert buildings_of([town()]) == ()


def test_a_storey_is_cut_by_its_label_or_name() -> None:
    layers = [house(), rooms()]
    by_label = storey_section(layers, "2", 1.2).storey
    assert by_label is not None
    assert by_label.level == pytest.approx(4.2)
    assert by_label.layer_ids == {"house", "rooms"}
    assert storey_section(layers, "level 1", 1.0).storey == StoreyCut(frozenset({"house", "rooms"}), 0.0, 1.0)


@pytest.mark.parametrize(("name", "height"), [("7", 1.2), ("1", -1.0), ("1", math.nan)])
def test_an_unknown_storey_or_a_cut_below_its_floor_is_refused(name: str, height: float) -> None:
    with pytest.raises(UserError) as refused:
        storey_section([house()], name, height)
    assert "1, 2" in refused.value.why
