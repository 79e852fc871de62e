"""Mesh files without a place, and hostile, broken and damaged ones; the words for them."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geo import crs
from geo.formats import gltf, obj
from geo.formats.contract import Format, MapBox
from geo.formats.gltf_file import load, parts_of_glb
from geo.formats.mesh_place import MeshOptions
from geo.formats.nearby import Nearby
from geo.model import Feedback, UserError
from tests.geo.damage import damaged_bytes, damaged_json, glb_of, survives, survives_damage
from tests.geo.mesh_files import FORMATS, FRAME, box_file, codes, one, painted, read, triangle_glb
from tests.tiny import buildings, terrain


def test_no_place_means_the_middle_on_the_ground_and_a_doubt(tmp_path: Path) -> None:
    ground = terrain(33.0).geometry
    layer, mesh = one(box_file(tmp_path, "ply"), terrain=ground)
    assert codes(layer) == {"mesh.not_georeferenced"}
    np.testing.assert_allclose(mesh.vertices.min(axis=0), (-1, -2, 30), atol=1e-6)


def test_by_hand_clockwise_and_scaled(tmp_path: Path) -> None:
    own = {"at_east": 229_010.0, "at_north": 435_520.0, "at_height": 40.0, "rotation_deg": 90.0, "scale": 0.5}
    layer, mesh = one(box_file(tmp_path, "ply", (10, 0, 3)), own=own)
    assert codes(layer) == {"mesh.placed_by_hand"}
    # 5 m east of the zero point, turned clockwise by 90 degrees: 5 m south of it.
    assert mesh.bounds is not None
    np.testing.assert_allclose(mesh.bounds.centre, (10, 15, 41.5), atol=1e-6)
    np.testing.assert_allclose(mesh.bounds.size, (2, 1, 3), atol=1e-6)


def test_map_coordinates_are_recognised(tmp_path: Path) -> None:
    path = tmp_path / "m.obj"
    path.write_text("v 229010.125 435520.250 50\nv 229020 435520 50\nv 229010 435530 50\nf 1 2 3\n")
    layer, mesh = one(path)
    assert codes(layer) == {"mesh.taken_as_map"}
    np.testing.assert_allclose(FRAME.to_map(mesh.vertices)[0], (229010.125, 435520.25, 50), atol=1e-6)
    layer, mesh = one(path, own={"placement": "origin"})
    assert codes(layer) == {"mesh.not_georeferenced"}
    assert np.abs(mesh.vertices).max() < 100
    box = MapBox(0, 0, 1, 1)
    assert read(path, box=box) == []


def test_a_named_system_counts(tmp_path: Path) -> None:
    path = tmp_path / "m.obj"
    path.write_text("v 127.32 36.51 50\nv 127.321 36.51 50\nv 127.32 36.511 50\nf 1 2 3\n")
    _, mesh = one(path, crs="EPSG:4326")
    east, north = crs.transform(127.32, 36.51, "EPSG:4326", "EPSG:5186")
    np.testing.assert_allclose(FRAME.to_map(mesh.vertices)[0], (float(east), float(north), 50), atol=1e-6)


@pytest.mark.parametrize("own", [{"at_east": 1.0}, {"scale": 0}, {"rotation_deg": float("nan")}, {"unknown": 1}])
def test_impossible_options(own: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        MeshOptions(**own)


def base_document() -> dict[str, Any]:
    return dict(parts_of_glb(triangle_glb([{"name": "n", "mesh": 0, "children": []}], material={"name": "m"}))[0])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("nodes", 0, "children"), [0]),  # a node inside itself
        (("accessors", 0, "count"), 10**10),
        (("accessors", 0, "count"), -1),
        (("accessors", 0, "byteOffset"), 2**31),
        (("accessors", 0, "type"), "VEC2"),
        (("bufferViews", 0, "byteLength"), 10**10),
        (("bufferViews", 0, "byteStride"), 1),
        (("meshes", 0, "primitives", 0, "attributes", "POSITION"), 99),
        (("meshes", 0, "primitives", 0, "indices"), 0),
        (("meshes", 0, "primitives", 0, "material"), 7),
        (("nodes", 0, "matrix"), [1.0] * 15),
        (("nodes", 0, "rotation"), [0, 0, 0, 0]),
        (("nodes", 0, "mesh"), "x"),
        (("asset", "version"), "1.0"),
        (("extensionsRequired",), ["KHR_draco_mesh_compression"]),
        (("scenes",), 5),
        (("buffers", 0, "uri"), "https://example.org/a.bin"),
        (("buffers", 0, "uri"), "//example.org/a.bin"),
        (("buffers", 0, "uri"), "file:///etc/passwd"),
        (("buffers", 0, "uri"), "../../../../etc/passwd"),
        (("buffers", 0, "uri"), "%2e%2e/%2e%2e/etc/passwd"),
        (("buffers", 0, "uri"), "..\\..\\etc\\passwd"),
        (("buffers", 0, "uri"), "/etc/passwd"),
        (("buffers", 0, "uri"), "data:;base64,@@@"),
    ],
)
def test_lies_in_gltf_are_refused(tmp_path: Path, path: tuple[Any, ...], value: Any) -> None:
    document = json.loads(json.dumps(base_document()))
    *above, last = path
    node = document
    for key in above:
        node = node[key]
    node[last] = value
    binary = parts_of_glb(triangle_glb([{}]))[1]
    (tmp_path / "l.glb").write_bytes(glb_of(document, binary))
    with pytest.raises(UserError) as caught:
        read(tmp_path / "l.glb")
    assert "root:" not in str(caught.value)


def test_zero_filled_accessors_cost_no_memory(tmp_path: Path) -> None:
    document = base_document()
    document["accessors"][0] = {"componentType": 5126, "count": 3 * 10**9, "type": "VEC3"}
    (tmp_path / "z.glb").write_bytes(glb_of(document))
    with pytest.raises(UserError):
        read(tmp_path / "z.glb")


def test_one_mesh_named_by_very_many_nodes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geo.formats.gltf_file.MOST_TRIANGLES", 50)
    nodes = [{"children": list(range(1, 100))}, *({"mesh": 0} for _ in range(99))]
    (tmp_path / "b.glb").write_bytes(triangle_glb(nodes))
    with pytest.raises(UserError) as caught:
        read(tmp_path / "b.glb")
    assert caught.value.code == "mesh.too_large"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(b"x" * 60)
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "a.bin").symlink_to(tmp_path / "secret.bin")
    with pytest.raises(UserError) as caught:
        Nearby.beside(inner / "m.gltf").read("a.bin")
    assert caught.value.code == "parts.outside"


def test_obj_opens_no_material_outside_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "evil.mtl").write_text("newmtl a\nKd 1 0 0\n")
    inner = tmp_path / "inner"
    inner.mkdir()
    path = inner / "m.obj"
    path.write_text("mtllib ../evil.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl a\nf 1 2 3\n")
    layer, _ = one(path)
    assert layer.field_named("colour") is None


def test_absurd_counts_in_stl_and_ply(tmp_path: Path) -> None:
    (tmp_path / "c.stl").write_bytes(b"\0" * 80 + struct.pack("<I", 2**32 - 1) + b"\0" * 100)
    head = "ply\nformat binary_little_endian 1.0\nelement vertex 3000000000\nproperty float x\nproperty float y\n"
    head += "property float z\nelement face 1000000000\nproperty list uchar int vertex_indices\nend_header\n"
    (tmp_path / "c.ply").write_bytes(head.encode() + b"\0" * 100)
    for name in ("c.stl", "c.ply"):
        with pytest.raises(UserError):
            read(tmp_path / name)


@pytest.mark.parametrize("suffix", ["glb", "obj", "ply", "stl"])
@pytest.mark.parametrize("data", [b"", b"x", b"plain text\n" * 20, b"\0" * 500, "가나다\n".encode("cp949") * 30])
def test_other_content_is_refused(tmp_path: Path, suffix: str, data: bytes) -> None:
    path = tmp_path / f"x.{suffix}"
    path.write_bytes(data)
    assert survives(FORMATS[suffix.replace("glb", "gltf")], path, FRAME) == "refused"


def test_faces_that_name_no_vertex_and_corners_that_are_no_numbers(tmp_path: Path) -> None:
    (tmp_path / "f.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n")
    assert survives(obj.FORMAT, tmp_path / "f.obj", FRAME) == "refused"
    ascii_ply = (
        "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
        "element face 2\nproperty list uchar int vertex_indices\nend_header\n"
        "0 0 0\n1 0 0\n0 1 0\nnan inf 0\n3 0 1 2\n3 0 1 3\n"
    )
    (tmp_path / "n.ply").write_text(ascii_ply)
    layer, mesh = one(tmp_path / "n.ply")
    assert len(mesh.faces) == 1
    assert next(i for i in layer.issues if i.code == "mesh.not_finite").count == 1


def seeds(folder: Path) -> dict[str, bytes]:
    gltf.FORMAT.write(folder / "own.glb", [painted(buildings())], FRAME, Feedback())  # type: ignore[misc]
    out = {"own.glb": (folder / "own.glb").read_bytes()}
    for name, suffix, export in (("a.obj", "obj", {}), ("a.ply", "ply", {}), ("b.ply", "ply", {"encoding": "ascii"}),
                                 ("a.stl", "stl", {}), ("b.stl", "stl", {"file_type": "stl_ascii"})):  # fmt: skip
        out[name] = box_file(folder, suffix, **export).read_bytes()
    return out


@pytest.mark.parametrize("name", ["own.glb", "a.obj", "a.ply", "b.ply", "a.stl", "b.stl"])
def test_damaged_bytes(tmp_path: Path, name: str) -> None:
    data = seeds(tmp_path)[name]
    candidate: Format = FORMATS[name.rsplit(".", 1)[1].replace("glb", "gltf")]
    found = survives_damage(candidate, tmp_path / name, lambda seed: damaged_bytes(data, seed), FRAME, count=100)
    assert found["refused"] > 5


@pytest.mark.parametrize("sort", ["own", "other"])
def test_damaged_documents(tmp_path: Path, sort: str) -> None:
    data = seeds(tmp_path)["own.glb"] if sort == "own" else triangle_glb(
        [{"name": "n", "mesh": 0, "translation": [1, 2, 3], "scale": [1, 1, 1]}],
        material={"name": "m", "pbrMetallicRoughness": {"baseColorFactor": [1, 0, 0, 1]}},
    )  # fmt: skip
    document, binary = parts_of_glb(data)
    found = survives_damage(
        gltf.FORMAT, tmp_path / "d.glb", lambda seed: glb_of(damaged_json(document, seed), binary), FRAME, count=200
    )
    assert found["read"] > 20
    assert found["refused"] > 20


def test_load_says_who_wrote_it(tmp_path: Path) -> None:
    gltf.FORMAT.write(tmp_path / "a.glb", [buildings()], FRAME, Feedback())  # type: ignore[misc]
    model = load((tmp_path / "a.glb").read_bytes(), Nearby.beside(tmp_path / "a.glb"))
    assert model.generator == "Sejong Twin"


def test_every_message_has_a_korean_text_with_the_same_figures() -> None:
    """Codes in the sources of these formats against ``meshes.json``."""
    import re
    import string

    import geo.formats
    from resources import load_json

    korean = load_json("translations/ko/meshes.json")
    folder = Path(geo.formats.__file__).parent
    sources = [*folder.glob("mesh_*.py"), *folder.glob("gltf*.py"), *folder.glob("tiles3d*.py"), folder / "nearby.py",
               folder / "landxml.py", folder / "las_file.py", folder / "pointcloud.py",
               *(folder.parent / name for name in ("weather.py", "tin.py", "pointcloud.py"))]  # fmt: skip
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    areas = "mesh|gltf|parts|tiles3d|pointcloud|landxml|epw|xml"
    errors = set(re.findall(rf'code="((?:{areas})\.\w+)"', text))
    issues = set(re.findall(rf'"((?:{areas})\.[a-z_]+)"', text)) - errors
    assert len(errors) > 20
    assert len(issues) > 25
    missing = {f"error.{code}.{part}" for code in errors for part in ("what", "why", "todo")} - set(korean)
    missing |= {f"issue.{code}" for code in issues} - set(korean)
    assert not missing
    for key, value in korean.items():
        for _, name, _, _ in string.Formatter().parse(value):
            assert name is None or f'"{name}"' in text or name == "count", (key, name)


def test_buffers_and_materials_are_part_of_what_was_read(tmp_path: Path) -> None:
    (tmp_path / "m.mtl").write_text("newmtl a\nKd 1 0 0\n")
    (tmp_path / "m.obj").write_text("mtllib m.mtl\nmtllib ../x.mtl\nv 0 0 0\n")
    (tmp_path / "b.bin").write_bytes(b"\0" * 60)
    (tmp_path / "m.gltf").write_text(json.dumps({"asset": {"version": "2.0"}, "buffers": [{"uri": "b.bin"}]}))
    for candidate, name, found in ((obj.FORMAT, "m.obj", "m.mtl"), (gltf.FORMAT, "m.gltf", "b.bin")):
        assert candidate.companions is not None
        assert [path.name for path in candidate.companions(tmp_path / name)] == [found]
