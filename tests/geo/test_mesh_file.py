"""glTF, OBJ, PLY and STL: positions, colours, ids, scene graphs and property tables; against trimesh."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from geo import crs
from geo.formats import gltf
from geo.formats.contract import HEAD_BYTES
from geo.formats.gltf_write import NODE_PER_ELEMENT
from geo.model import Cancelled, Column, ElementTable, Feedback, Instances, Layer, Mesh, Points, UserError
from tests.geo.damage import damaged_json, glb_of, survives_damage
from tests.geo.mesh_files import FORMATS, FRAME, box_file, codes, one, painted, read, triangle_glb
from tests.tiny import box_mesh, buildings, terrain

RED = 0xC80A14


def triangles(mesh: Mesh, *columns: np.ndarray) -> np.ndarray:
    """Triangles (m, 9 + columns) in an order of their own, first corner the smallest: comparable between files."""
    corner = np.round(mesh.vertices[mesh.faces], 3) + 0.0
    first = np.array([min(range(3), key=lambda k: tuple(t[k])) for t in corner])
    rolled = np.stack([corner[np.arange(len(corner)), (first + k) % 3] for k in range(3)], axis=1)
    rows = np.column_stack([rolled.reshape(len(corner), 9), *columns])
    return rows[np.lexsort(rows.T[::-1])]


def test_write_and_read_keeps_everything_to_the_millimetre(tmp_path: Path) -> None:
    layers = [buildings(), painted(buildings())]
    gltf.FORMAT.write(tmp_path / "a.glb", layers, FRAME, Feedback())  # type: ignore[misc]
    back = read(tmp_path / "a.glb")
    assert [layer.id for layer in back] == ["buildings", "painted"]
    for new, old in zip(back, layers, strict=True):
        assert isinstance(new.geometry, Mesh)
        assert isinstance(old.geometry, Mesh)
        assert (new.name, new.theme, new.issues) == (old.name, old.theme, ())
        assert new.table.ids.tolist() == old.table.ids.tolist()
        for name, column in old.table.columns.items():
            assert new.table.columns[name].values.tolist() == column.values.tolist()
            assert new.table.columns[name].unit == column.unit
            assert new.table.columns[name].values.dtype.kind == column.values.dtype.kind
        names = [field.name for field in old.fields]
        assert sorted(field.name for field in new.fields) == sorted(names)
        values = [
            np.column_stack([layer.geometry.face_element, *(layer.field_named(name).values for name in names)])  # type: ignore[union-attr]
            for layer in (new, old)
        ]
        np.testing.assert_array_equal(triangles(new.geometry, values[0]), triangles(old.geometry, values[1]))


@pytest.mark.parametrize("count", [3, NODE_PER_ELEMENT + 5])
def test_positions_far_from_the_origin_keep_the_millimetre(tmp_path: Path, count: int) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-40_000, 40_000, (2, count))
    mesh, _ = box_mesh([(float(a), float(b), 123.456, 8.127, 9.001, 7.5) for a, b in zip(x, y, strict=True)])
    ids = [f"건물-{k}" for k in range(count)]
    layer = Layer("far", "Far", "building", mesh, ElementTable(ids, {"k": Column(np.arange(count))}))
    gltf.FORMAT.write(tmp_path / "f.glb", [layer], FRAME, Feedback())  # type: ignore[misc]
    (back,) = read(tmp_path / "f.glb")
    assert isinstance(back.geometry, Mesh)
    assert back.table.ids.tolist() == ids
    corners = [m.vertices[m.faces].reshape(len(m.faces), 9) for m in (mesh, back.geometry)]
    order = [np.lexsort((*c.round(2).T, m.face_element)) for c, m in zip(corners, (mesh, back.geometry), strict=True)]
    np.testing.assert_array_equal(mesh.face_element[order[0]], back.geometry.face_element[order[1]])
    np.testing.assert_allclose(corners[0][order[0]], corners[1][order[1]], atol=0.001)


def test_another_project_gets_it_at_the_same_place(tmp_path: Path) -> None:
    layer = buildings()
    gltf.FORMAT.write(tmp_path / "a.glb", [layer], FRAME, Feedback())  # type: ignore[misc]
    other = crs.make_frame("EPSG:32652", 350_000.0, 4_040_000.0)
    (back,) = read(tmp_path / "a.glb", frame=other)
    assert isinstance(back.geometry, Mesh)
    assert isinstance(layer.geometry, Mesh)
    on_map = FRAME.to_map(layer.geometry.vertices)
    east, north = crs.transform(on_map[:, 0], on_map[:, 1], "EPSG:5186", "EPSG:32652")
    expected = np.column_stack([east, north, on_map[:, 2]]).min(axis=0)
    np.testing.assert_allclose(other.to_map(back.geometry.vertices).min(axis=0), expected, atol=0.001)
    info = gltf.FORMAT.inspect(tmp_path / "a.glb")
    assert (info.crs, info.place_is_weak) == ("EPSG:5186", False)
    assert info.bounds == (228_990.0, 435_490.0, 20.0, 229_045.0, 435_525.0, 50.0)


def test_an_independent_reader_sees_the_same(tmp_path: Path) -> None:
    """trimesh: y up, metres, outside out, colours in sRGB."""
    layer = painted(buildings())
    gltf.FORMAT.write(tmp_path / "a.glb", [layer], FRAME, Feedback())  # type: ignore[misc]
    scene = trimesh.load_scene(tmp_path / "a.glb")
    np.testing.assert_allclose(scene.bounds, [[-10, 20, -25], [45, 50, 10]], atol=1e-6)
    whole = scene.to_mesh()
    assert len(whole.faces) == 24
    assert whole.volume == pytest.approx(20 * 12 * 30 + 15 * 15 * 9, rel=1e-6)
    assert scene.metadata["sejong_twin"]["crs"] == "EPSG:5186"


def test_instances_and_terrain_are_written(tmp_path: Path) -> None:
    mesh, _ = box_mesh([(0, 0, 0, 1, 1, 3)])
    shape = Mesh(mesh.vertices, mesh.faces, np.zeros(12))
    place = np.tile(np.eye(3, 4), (2, 1, 1))
    place[1, :, 3] = (10, 20, 5)
    trees = Layer("trees", "Trees", "tree", Instances((shape,), np.zeros(2), place, np.arange(2)), ElementTable("ab"))
    gltf.FORMAT.write(tmp_path / "a.glb", [trees, terrain(cell=20.0)], FRAME, Feedback())  # type: ignore[misc]
    back = read(tmp_path / "a.glb")
    assert [(layer.theme, layer.kind) for layer in back] == [("tree", "mesh"), ("terrain", "mesh")]
    assert back[0].table.ids.tolist() == ["a", "b"]
    assert back[0].geometry is not None
    assert back[0].geometry.bounds is not None
    assert back[0].geometry.bounds.high == (11, 21, 8)


def test_nothing_to_write_and_no_folder(tmp_path: Path) -> None:
    empty = Layer("t", "T", "other", None)
    for path, layers in ((tmp_path / "a.glb", [empty]), (tmp_path / "absent" / "a.glb", [buildings()])):
        with pytest.raises(UserError):
            gltf.FORMAT.write(path, layers, FRAME, Feedback())  # type: ignore[misc]
    assert list(tmp_path.iterdir()) == []


def test_writing_can_be_stopped_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        gltf.FORMAT.write(tmp_path / "a.glb", [buildings()], FRAME, Feedback(is_cancelled=lambda: True))  # type: ignore[misc]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("case", ["aij_case_c", "aij_case_e"])
def test_real_glb_against_trimesh(shared_data: Path, case: str) -> None:
    path = shared_data / "wind" / case / "geometry.glb"
    layer, mesh = one(path)
    reference = trimesh.load_scene(path).to_mesh()
    assert len(mesh.faces) + sum(i.count for i in layer.issues if i.code == "mesh.degenerate") == len(reference.faces)
    assert mesh.face_area.sum() == pytest.approx(reference.area, rel=1e-6)
    low, high = reference.bounds
    np.testing.assert_allclose(mesh.vertices.min(axis=0), [low[0], -high[2], low[1]], atol=1e-5)
    np.testing.assert_allclose(mesh.vertices.max(axis=0), [high[0], -low[2], high[1]], atol=1e-5)


@pytest.mark.parametrize(
    ("suffix", "export"),
    [("glb", {}), ("obj", {}), ("ply", {}), ("ply", {"encoding": "ascii"}), ("stl", {}),
     ("stl", {"file_type": "stl_ascii"})],
)  # fmt: skip
def test_a_coloured_box_of_every_format(tmp_path: Path, suffix: str, export: dict[str, Any]) -> None:
    path = box_file(tmp_path, suffix, **export)
    assert FORMATS[suffix.replace("glb", "gltf")].sniff(path, path.read_bytes()[:HEAD_BYTES])
    layer, mesh = one(path, own={"up": "z"}, kind="building")
    np.testing.assert_allclose(mesh.vertices.max(axis=0), (1, 2, 3), atol=1e-6)
    edge = mesh.vertices[mesh.faces]
    assert np.einsum("ij,ij->", edge[:, 0], np.cross(edge[:, 1], edge[:, 2])) / 6 == pytest.approx(48)
    assert (len(mesh.faces), layer.theme, len(layer.table)) == (12, "building", 1)
    colour = layer.field_named("colour")
    if suffix == "stl":
        assert colour is None
    else:
        assert colour is not None
        # trimesh writes screen colours where glTF wants linear ones, so that they come back brighter.
        assert set(colour.values.tolist()) == ({0xE5384F} if suffix == "glb" else {RED})
    info = FORMATS[suffix.replace("glb", "gltf")].inspect(path)
    assert (info.crs, info.place_is_weak, info.counts["triangles"]) == (None, True, 12)


def test_gltf_is_turned_upright_and_others_are_not(tmp_path: Path) -> None:
    for suffix, size in (("glb", (2, 6, 4)), ("obj", (2, 4, 6)), ("ply", (2, 4, 6))):
        _, mesh = one(box_file(tmp_path, suffix))
        assert mesh.bounds is not None
        np.testing.assert_allclose(mesh.bounds.size, size, atol=1e-6)


def test_obj_objects_and_materials(tmp_path: Path) -> None:
    (tmp_path / "m.mtl").write_text("newmtl a\nKd 1 0 0\nnewmtl b\nKd 0 0 1\n")
    lines = ["mtllib m.mtl", "o first", "v 0 0 0", "v 1 0 0", "v 0 1 0", "usemtl a", "f 1 2 3",
             "o second", "v 0 0 5", "v 1 0 5", "v 0 1 5", "v 1 1 5", "usemtl b", "f 4 5 7 6"]  # fmt: skip
    path = tmp_path / "two.obj"
    path.write_text("\n".join(lines))
    layer, mesh = one(path)
    assert sorted(layer.table.ids) == ["first", "second"]
    colour = layer.field_named("colour")
    assert colour is not None
    for name, count, expected in (("first", 1, 0xFF0000), ("second", 2, 0x0000FF)):
        mine = mesh.face_element == layer.table.index[name]
        assert mine.sum() == count
        assert set(colour.values[mine].tolist()) == {expected}


def test_ply_without_faces_gives_points(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cloud = trimesh.PointCloud(rng.uniform(0, 9, (40, 3)), colors=np.full((40, 4), (1, 2, 3, 255), np.uint8))
    cloud.export(tmp_path / "c.ply")
    (layer,) = read(tmp_path / "c.ply")
    assert isinstance(layer.geometry, Points)
    assert len(layer.geometry.vertices) == 40
    assert set(layer.field_named("colour").values.tolist()) == {0x010203}  # type: ignore[union-attr]


def test_scene_graph_names_and_attributes(tmp_path: Path) -> None:
    nodes = [
        {"name": "site", "children": [1, 2, 3], "translation": [100, 0, 0]},
        {"name": "a", "mesh": 0, "extras": {"height": 12.5, "use": "주거"}},
        {"name": "a", "mesh": 0, "rotation": [0, 0.7071067811865476, 0, 0.7071067811865476], "scale": [2, 2, 2]},
        {"mesh": 0, "matrix": [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 5, 0, 1]},
    ]
    (tmp_path / "n.glb").write_bytes(triangle_glb(nodes))
    layer, mesh = one(tmp_path / "n.glb")
    assert layer.table.ids.tolist() == ["a", "a-2", "shape"]
    assert layer.table.row("a") == {"height": 12.5, "use": "주거"}
    corner = mesh.vertices[mesh.faces]
    np.testing.assert_allclose(corner[0], [[100, 0, 0], [101, 0, 0], [100, 1, 0]], atol=1e-6)
    # 90 degrees about glTF's y (up) is counter-clockwise seen from above: east turns to north.
    np.testing.assert_allclose(corner[1], [[100, 0, 0], [100, 2, 0], [98, 0, 0]], atol=1e-6)
    # A mirrored object keeps its outside outside.
    assert (mesh.face_normal[:, 2] > 0.99).all()
    np.testing.assert_allclose(sorted(corner[2][:, 0]), [99, 100, 100], atol=1e-6)


def metadata_glb() -> tuple[dict[str, Any], bytes]:
    """Two triangles that are two features with a number, a text, a truth, a name out of a list, and a vector."""
    corner = np.array([[0, 0, 0], [1, 0, 0], [0, 0, -1], [0, 1, 0], [1, 1, 0], [0, 1, -1]], "<f4").tobytes()
    ids = np.repeat([0, 1], 3).astype("<f4").tobytes()
    texts = "가나b".encode()
    blocks = [corner, ids, np.array([3.5, -1], "<f4").tobytes(), texts, np.array([0, 6, 7], "<u4").tobytes(), b"\2",
              np.array([7, 9], "<u2").tobytes(), bytes(24)]  # fmt: skip
    views, binary = [], b""
    for block in blocks:
        views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(block)})
        binary += block + b"\0" * (-len(block) % 8)
    properties = {
        "height": {"type": "SCALAR", "componentType": "FLOAT32", "noData": -1},
        "id": {"type": "STRING"},
        "listed": {"type": "BOOLEAN"},
        "use": {"type": "ENUM", "enumType": "use"},
        "normal": {"type": "VEC3", "componentType": "FLOAT32"},
    }
    stored = {"height": {"values": 2}, "id": {"values": 3, "stringOffsets": 4}, "listed": {"values": 5},
              "use": {"values": 6}, "normal": {"values": 7}}  # fmt: skip
    uses = [{"name": "주거", "value": 7}, {"name": "office", "value": 9}]
    schema = {"classes": {"b": {"properties": properties}}, "enums": {"use": {"values": uses}}}
    tables = [{"class": "b", "count": 2, "properties": stored}]
    features = {"featureIds": [{"featureCount": 2, "attribute": 0, "propertyTable": 0}]}
    document = {
        "asset": {"version": "2.0"}, "scenes": [{"nodes": [0]}], "scene": 0, "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0, "_FEATURE_ID_0": 1},
                                    "extensions": {"EXT_mesh_features": features}}]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 6, "type": "VEC3"},
                      {"bufferView": 1, "componentType": 5126, "count": 6, "type": "SCALAR"}],
        "bufferViews": views, "buffers": [{"byteLength": len(binary)}],
        "extensions": {"EXT_structural_metadata": {"schema": schema, "propertyTables": tables}},
    }  # fmt: skip
    return document, binary


def test_property_tables_of_features(tmp_path: Path) -> None:
    (tmp_path / "m.glb").write_bytes(glb_of(*metadata_glb()))
    layer, mesh = one(tmp_path / "m.glb")
    assert layer.table.ids.tolist() == ["가나", "b"]
    assert layer.table.row("b")["use"] == "office"
    assert layer.table.row("가나")["use"] == "주거"
    assert layer.table.columns["listed"].values.tolist() == [False, True]
    np.testing.assert_array_equal(layer.table.columns["height"].values, [3.5, np.nan])
    np.testing.assert_array_equal(mesh.face_element, [0, 1])
    assert next(i for i in layer.issues if i.code == "mesh.attributes").values == {"names": "normal"}


def test_damaged_property_tables(tmp_path: Path) -> None:
    document, binary = metadata_glb()
    found = survives_damage(
        gltf.FORMAT, tmp_path / "d.glb", lambda seed: glb_of(damaged_json(document, seed), binary), FRAME, count=200
    )
    assert found["read"] > 20


def test_texture_colour_is_sampled(tmp_path: Path) -> None:
    from PIL import Image

    picture = Image.new("RGB", (4, 4), (10, 20, 30))
    picture.putpixel((0, 0), (200, 100, 50))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    uri = "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
    more = {"images": [{"uri": uri}], "textures": [{"source": 0}]}
    material = {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}
    data = triangle_glb([{"mesh": 0}], material=material, more=more, attributes={"TEXCOORD_0": 1})
    (tmp_path / "t.glb").write_bytes(data)
    layer, _ = one(tmp_path / "t.glb")
    assert layer.field_named("colour").values.tolist() == [0xC86432]  # type: ignore[union-attr]
    more["images"] = [{"uri": "../../../etc/passwd"}]
    data = triangle_glb([{"mesh": 0}], material=material, more=more, attributes={"TEXCOORD_0": 1})
    (tmp_path / "t.glb").write_bytes(data)
    layer, _ = one(tmp_path / "t.glb")
    assert "mesh.texture" in codes(layer)


def test_colours_of_the_specification(tmp_path: Path) -> None:
    """Linear 0.2140 is 0x7F or 0x80 on a screen (IEC 61966-2-1); black and white stay."""
    material = {"pbrMetallicRoughness": {"baseColorFactor": [0.2140, 1, 0, 1]}}
    (tmp_path / "c.glb").write_bytes(triangle_glb([{"mesh": 0}], material=material))
    layer, _ = one(tmp_path / "c.glb")
    assert layer.field_named("colour").values.tolist() == [0x7FFF00]  # type: ignore[union-attr]


def test_a_picture_of_very_many_pixels_is_not_unpacked(tmp_path: Path) -> None:
    from PIL import Image

    stream = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(stream, "PNG")
    assert len(stream.getvalue()) < 100_000
    uri = "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
    more = {"images": [{"uri": uri}], "textures": [{"source": 0}]}
    material = {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}
    data = triangle_glb([{"mesh": 0}], material=material, more=more, attributes={"TEXCOORD_0": 1})
    (tmp_path / "t.glb").write_bytes(data)
    layer, _ = one(tmp_path / "t.glb")
    assert "mesh.texture" in codes(layer)
