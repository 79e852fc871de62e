from __future__ import annotations

import numpy as np
import pytest

from geo.model import (
    Cancelled,
    ElementRef,
    ElementTable,
    Feedback,
    Field,
    Grid,
    Instances,
    Layer,
    Lines,
    Mesh,
    Scene,
    Selection,
    UserError,
    merge_meshes,
)
from geo.model.digest import layer_digest
from tests.tiny import box_mesh, buildings, terrain, tiny_frame


def test_mesh_refuses_what_would_crash_a_renderer() -> None:
    with pytest.raises(ValueError, match="faces points outside"):
        Mesh(np.zeros((3, 3)), np.array([[0, 1, 3]]), np.zeros(1))
    with pytest.raises(ValueError, match="shape"):
        Mesh(np.zeros((3, 2)), np.zeros((0, 3)), np.zeros(0))
    with pytest.raises(ValueError, match="one value per face"):
        Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]]), np.zeros(2))


def test_arrays_are_frozen_so_that_threads_may_share_them() -> None:
    mesh, _ = box_mesh([(0, 0, 0, 1, 1, 1)])
    with pytest.raises(ValueError, match="read-only"):
        mesh.vertices[0, 0] = 5.0
    grid = Grid(np.zeros((2, 2)), 0, 0, 1)
    with pytest.raises(ValueError, match="read-only"):
        grid.values[0, 0] = 1.0


def test_box_area_and_outward_normals() -> None:
    mesh, _ = box_mesh([(0, 0, 0, 2, 3, 4)])
    assert mesh.face_area.sum() == pytest.approx(2 * (2 * 3 + 2 * 4 + 3 * 4))
    centres = mesh.vertices[mesh.faces].mean(axis=1) - np.array([1.0, 1.5, 2.0])
    assert np.all(np.einsum("ij,ij->i", centres, mesh.face_normal) > 0)


def test_grid_row_zero_is_south_and_sampling_is_bilinear() -> None:
    grid = Grid(np.array([[0.0, 1.0], [10.0, 11.0]]), x0=100.0, y0=200.0, cell=2.0)
    assert grid.sample(100.0, 202.0) == pytest.approx(10.0)
    assert grid.sample(101.0, 201.0) == pytest.approx(5.5)
    assert np.isnan(grid.sample(97.9, 200.0))
    assert grid.bounds is not None
    assert grid.bounds.low == (99.0, 199.0, 0.0)


def test_grid_sampling_ignores_missing_neighbours() -> None:
    grid = Grid(np.array([[np.nan, 4.0], [np.nan, 4.0]]), 0, 0, 1)
    assert grid.sample(0.75, 0.5) == pytest.approx(4.0)
    assert np.isnan(Grid(np.full((2, 2), np.nan), 0, 0, 1).sample(0.5, 0.5))


def test_grid_surface_faces_up_and_leaves_holes() -> None:
    values = np.zeros((3, 3))
    values[0, 0] = np.nan
    surface = Grid(values, 0, 0, 1).surface()
    assert np.all(surface.face_normal[:, 2] > 0)
    assert len(surface.faces) == 6


def test_instances_bake_and_bound_alike() -> None:
    shape, _ = box_mesh([(-1, -1, 0, 2, 2, 5)])
    turn = np.array([[0.0, -1.0, 0.0, 10.0], [1.0, 0.0, 0.0, 20.0], [0.0, 0.0, 2.0, 3.0]])
    instances = Instances((shape,), np.zeros(2), np.stack([turn, turn + [[0, 0, 0, 7]] * 3]), np.array([4, 9]))
    baked = instances.baked()
    assert baked.bounds == instances.bounds
    assert len(baked.faces) == instances.face_count == 24
    assert set(baked.face_element.tolist()) == {4, 9}


def test_lines_offsets_must_match() -> None:
    with pytest.raises(ValueError, match="offsets"):
        Lines(np.zeros((3, 3)), np.array([0, 2]), np.array([0]))


def test_field_without_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="no unit"):
        Field("hours", "", "cell", np.zeros(3))


def test_merge_numbers_meshes() -> None:
    a, _ = box_mesh([(0, 0, 0, 1, 1, 1)])
    merged = merge_meshes([a, a])
    assert len(merged.faces) == 24
    assert merged.face_element.max() == 1
    assert merged.faces[12:].min() == 8


def test_scene_keeps_order_and_tells_of_changes() -> None:
    scene = Scene(tiny_frame())
    seen: list[str] = []
    scene.added.connect(lambda layer: seen.append(f"+{layer.id}"))
    scene.removed.connect(lambda layer: seen.append(f"-{layer.id}"))
    scene.add(terrain())
    scene.add(buildings())
    layer, position = scene.remove("terrain")
    scene.add(layer, position=position)
    assert [item.id for item in scene] == ["terrain", "buildings"]
    assert seen == ["+terrain", "+buildings", "-terrain", "+terrain"]
    with pytest.raises(ValueError, match="already"):
        scene.add(layer)
    with pytest.raises(ValueError, match="cannot change"):
        scene.set_frame(None)
    assert scene.free_id("terrain") == "terrain-2"


def test_tables_alone_have_no_place_and_a_frame_may_come_after_them() -> None:
    scene = Scene()
    scene.add(Layer("schedule", "Schedule", "other", None, ElementTable(["a"], {})))
    scene.set_frame(tiny_frame())
    scene.add(terrain())
    with pytest.raises(ValueError, match="cannot change"):
        scene.set_frame(None)
    scene.remove("terrain")
    scene.set_frame(None)


def test_selection_by_layer() -> None:
    """What a selection is made of, asked by layer and of the elements alone."""
    selection = Selection()
    assert selection.by_layer == {}
    assert selection.few_elements == ()
    selection.set([ElementRef("b", "2"), ElementRef("a"), ElementRef("b", "1")])
    assert dict(selection.by_layer) == {"b": ("2", "1"), "a": ("",)}
    assert list(selection.by_layer) == ["b", "a"]
    assert selection.few_elements == (ElementRef("b", "2"), ElementRef("b", "1"))
    assert selection.elements_where(lambda layer_id: layer_id == "b") == [ElementRef("b", "2"), ElementRef("b", "1")]
    assert selection.elements_where(lambda layer_id: layer_id == "a") == []
    selection.set([*selection.items, ElementRef("c", "9")])
    assert selection.of_layer("c") == ("9",)
    assert selection.few_elements == ()


def test_selection_emits_only_on_change() -> None:
    selection = Selection()
    count: list[int] = []
    selection.changed.connect(lambda: count.append(1))
    one = ElementRef("buildings", "b0")
    selection.set([one, one])
    selection.set([one])
    selection.toggle(ElementRef("buildings", "b1"))
    selection.toggle(one)
    assert selection.of_layer("buildings") == ("b1",)
    assert len(count) == 3


def test_feedback_is_monotonic_nested_and_cancellable() -> None:
    seen: list[float] = []
    feedback = Feedback(lambda fraction, _: seen.append(fraction))
    half = feedback.part(0.5, 1.0).part(0.0, 0.5)
    half.step(1.0)
    feedback.step(0.1)
    assert seen == [0.75, 0.75]
    stopped = Feedback(is_cancelled=lambda: True)
    with pytest.raises(Cancelled):
        stopped.part(0, 1).step(0.5)


def test_digest_follows_data_not_style() -> None:
    import dataclasses

    layer = buildings()
    same = layer.with_(name="other", style=dataclasses.replace(layer.style, opacity=0.5))
    moved = buildings([(0.0, 0.0, 20.0, 20.0, 12.0, 30.0), (30.0, 10.0, 20.0, 15.0, 15.0, 9.0)])
    assert layer_digest(layer) == layer_digest(same)
    assert layer_digest(layer) != layer_digest(moved)


def test_user_error_survives_a_process_border() -> None:
    import pickle  # what multiprocessing would do; the program itself never loads pickles

    error = pickle.loads(pickle.dumps(UserError("a", "b", "c", code="x.y", values={"n": 1})))
    assert (error.what, error.why, error.todo, error.code, error.values["n"]) == ("a", "b", "c", "x.y", 1)
