"""Files that are cut, empty, mislabelled, archived oddly or damaged at random."""

from __future__ import annotations

import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bim.formats.ifc import FORMAT
from bim.placement import IfcOptions
from bim.read import silence_of
from bim.schema import longest_statement, open_model
from bim.tessellation import SILENCE_S
from geo.crs import make_frame
from geo.formats.contract import ReadOptions
from geo.model import Feedback, Grid, Issue, Layer, Mesh, UserError

Write = Callable[..., Path]
FRAME = make_frame("EPSG:5186", 229_000.0, 435_500.0)
PLAIN = IfcOptions(network=False, placement="scene")


def code_of(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        open_model(path)
    assert caught.value.what
    assert caught.value.why
    assert caught.value.todo
    return caught.value.code


def test_whole_file_opens(write_ifc: Write) -> None:
    model = open_model(write_ifc())
    assert model.schema == "IFC4"
    assert model.issues == ()


@pytest.mark.parametrize(
    ("schema", "code"),
    [("IFC4X1", "ifc.schema"), ("IFC2X_FINAL", "ifc.schema"), ("IFC4X3_RC2", "ifc.schema"), ("AP203", "ifc.schema")],
)
def test_unsupported_schemas_are_refused(write_ifc: Write, schema: str, code: str) -> None:
    assert code_of(write_ifc(schema=schema)) == code


@pytest.mark.parametrize("schema", ["IFC4X3", "IFC4X3_TC1", "IFC4X3_ADD1"])
def test_close_schemas_are_read_and_noted(write_ifc: Write, schema: str) -> None:
    info = FORMAT.inspect(write_ifc(schema=schema))
    assert info.version == schema
    assert "ifc.schema_read_as" in [issue.code for issue in info.issues]
    assert info.counts["IfcBuildingElementProxy"] == 1


def test_cut_file(write_ifc: Write) -> None:
    path = write_ifc()
    path.write_bytes(path.read_bytes()[:-200])
    assert code_of(path) == "ifc.cut"


@pytest.mark.parametrize("content", [b"", b"hello world\n" * 400, b"ISO-10303-21;\nHEADER;\n", bytes(range(256)) * 40])
def test_what_is_not_ifc(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "not.ifc"
    path.write_bytes(content)
    assert code_of(path) == "ifc.damaged"


def test_no_project(write_ifc: Write) -> None:
    assert code_of(write_ifc(project=False)) == "ifc.no_project"


def test_ifcxml_and_ifc5_are_recognised_and_refused(tmp_path: Path) -> None:
    for name, content in (
        ("a.ifcxml", b'<?xml version="1.0"?><ifcXML xmlns="http://www.buildingsmart-tech.org/ifc/IFC4"/>'),
        ("b.ifcx", b'{"header":{"version":"ifcx_alpha","author":""},"data":[]}'),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        assert FORMAT.sniff(path, content)
        assert code_of(path) == "ifc.relative"


def test_real_ifc5_sample_is_refused_plainly(shared_data: Path) -> None:
    path = shared_data / "ifc" / "PCERT_Infra-Plumbing.ifcx"
    assert FORMAT.sniff(path, path.read_bytes()[:4096])
    assert code_of(path) == "ifc.relative"


def test_sniff_leaves_other_step_files_alone(tmp_path: Path) -> None:
    head = b"ISO-10303-21;\nHEADER;\nFILE_SCHEMA(('AUTOMOTIVE_DESIGN'));\nENDSEC;"
    assert not FORMAT.sniff(tmp_path / "gear.stp", head)
    assert not FORMAT.sniff(tmp_path / "x.json", b'{"type":"CityJSON"}')
    assert FORMAT.sniff(tmp_path / "late.ifc", b"ISO-10303-21;\nHEADER;\n" + b"/* long */" * 300)


def test_archive_with_one_file(write_ifc: Write, tmp_path: Path) -> None:
    archive = tmp_path / "one.ifczip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.write(write_ifc(), "folder/model.ifc")
        target.writestr("__MACOSX/folder/._model.ifc", b"x")
    assert FORMAT.sniff(archive, archive.read_bytes()[:4096])
    assert FORMAT.inspect(archive).counts["IfcProduct"] == 2


@pytest.mark.parametrize("names", [(), ("a.ifc", "b.ifc"), ("readme.txt",)])
def test_archive_with_none_or_several(write_ifc: Write, tmp_path: Path, names: tuple[str, ...]) -> None:
    archive = tmp_path / "odd.ifczip"
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("note.md", b"x")
        for name in names:
            target.write(write_ifc(), name)
    assert code_of(archive) == "ifc.archive_count"


def test_archive_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "bomb.ifczip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target, target.open("model.ifc", "w") as entry:
        for _ in range(80):
            entry.write(bytes(1 << 20))
    monkeypatch.setattr("shutil.copyfileobj", lambda *_: pytest.fail("it was unpacked"))
    assert code_of(archive) == "ifc.archive_size"


def test_damaged_archive(write_ifc: Write, tmp_path: Path) -> None:
    archive = tmp_path / "cut.ifczip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.write(write_ifc(), "model.ifc")
    content = bytearray(archive.read_bytes())
    content[60:200] = bytes(140)
    archive.write_bytes(content)
    assert code_of(archive) == "ifc.archive"
    archive.write_bytes(content[:150])
    assert code_of(archive) == "ifc.archive"


def test_garbage_in_the_middle_is_told(write_ifc: Write) -> None:
    path = write_ifc()
    content = path.read_bytes()
    start = content.index(b"#45=")
    path.write_bytes(content[:start] + b"\x00\xff ((('' garbage \n" + content[start + 12 :])
    try:
        codes = [issue.code for issue in open_model(path).issues]
    except UserError as error:
        codes = [error.code]
    assert codes == ["ifc.damaged_parts"] or codes == ["ifc.damaged"]


def test_nothing_to_show_is_an_error(
    write_ifc: Write, outcomes_in_child: Callable[[list[Path], int], dict[str, list[str]]]
) -> None:
    path = write_ifc(body=False)
    assert outcomes_in_child([path], 30)[str(path)] == ["FileInfo", "UserError ifc.no_geometry_at_all"]


def read(path: Path, terrain: Grid | None = None) -> dict[str, Layer]:
    layers = FORMAT.read(path, FRAME, ReadOptions(own=PLAIN, terrain=terrain), Feedback())
    return {layer.id: layer for layer in layers}


def issue_of(layers: dict[str, Layer], code: str) -> Issue:
    (found,) = [issue for layer in layers.values() for issue in layer.issues if issue.code == code]
    return found


def second(
    step: int, *, kind: str = "IFCBUILDINGELEMENTPROXY", place: int = 27, shape: int = 40, tail: str = "$,$"
) -> str:
    """Another product; its GlobalId ends in its step id."""
    return f"#{step}={kind}('0AAAAAAAAAAAAAAAAAA{step:03d}',$,'n{step}',$,$,#{place},#{shape},{tail});\n"


def box_of(step: int, size: str) -> str:
    """A body of its own from `step` on: a box `size` wide and deep and high."""
    return (
        f"#{step}=IFCPRODUCTDEFINITIONSHAPE($,$,(#{step + 1}));\n"
        f"#{step + 1}=IFCSHAPEREPRESENTATION(#12,'Body','SweptSolid',(#{step + 2}));\n"
        f"#{step + 2}=IFCEXTRUDEDAREASOLID(#{step + 3},#20,#46,{size});\n"
        f"#{step + 3}=IFCRECTANGLEPROFILEDEF(.AREA.,$,#44,{size},{size});\n"
    )


CIRCLE = "#60=IFCLOCALPLACEMENT(#61,#20);\n#61=IFCLOCALPLACEMENT(#60,#20);\n"


def test_placements_in_a_circle_are_left_out_and_listed(write_ifc: Write) -> None:
    """The kernel would follow them until its stack is full."""
    path = write_ifc(more=CIRCLE + second(70, place=60) + "#62=IFCLOCALPLACEMENT(#62,#20);\n" + second(71, place=62))
    assert FORMAT.inspect(path).counts["IfcProduct"] == 4
    layers = read(path)
    assert list(layers["elements"].table.ids) == ["0AAAAAAAAAAAAAAAAAAA04"]
    assert list(layers["failures"].table.ids) == ["0AAAAAAAAAAAAAAAAAA070", "0AAAAAAAAAAAAAAAAAA071"]
    assert "hangs on itself" in layers["failures"].table.columns["reason"].values[0]
    assert issue_of(layers, "ifc.no_geometry").count == 2


def test_elements_a_thousand_kilometres_off_do_not_spoil_the_view(write_ifc: Write) -> None:
    far = (
        "#60=IFCCARTESIANPOINT((1000000.,0.,0.));\n#61=IFCAXIS2PLACEMENT3D(#60,$,$);\n#62=IFCLOCALPLACEMENT(#26,#61);\n"
        + second(70, place=62)
        + second(71)
        + second(72)
    )
    layers = read(write_ifc(more=far))
    box = layers["elements"].geometry.bounds  # type: ignore[union-attr]
    assert max(box.size) < 100  # type: ignore[union-attr]
    assert len(layers["elements"].table) == 3
    assert list(layers["failures"].table.ids) == ["0AAAAAAAAAAAAAAAAAA070"]
    assert "1000 km" in layers["failures"].table.columns["reason"].values[0]


def test_shapes_without_size_are_failures(write_ifc: Write) -> None:
    cloud = (
        "#80=IFCCARTESIANPOINTLIST3D(((1.,1.,1.),(1.,1.,1.),(1.,1.,1.)));\n"
        "#81=IFCTRIANGULATEDFACESET(#80,$,.F.,((1,2,3)),$);\n"
        "#82=IFCSHAPEREPRESENTATION(#12,'Body','Tessellation',(#81));\n#83=IFCPRODUCTDEFINITIONSHAPE($,$,(#82));\n"
    )
    layers = read(write_ifc(more=cloud + second(70, shape=83) + box_of(90, "0.") + second(71, shape=90)))
    assert list(layers["elements"].table.ids) == ["0AAAAAAAAAAAAAAAAAAA04"]
    assert set(layers["failures"].table.ids) == {"0AAAAAAAAAAAAAAAAAA070", "0AAAAAAAAAAAAAAAAAA071"}
    assert all(layers["failures"].table.columns["reason"].values)


@pytest.mark.parametrize("side", [224, pytest.param(708, marks=pytest.mark.slow)])  # 2 x 707 x 707 triangles
def test_a_shape_of_a_million_faces_is_read(write_ifc: Write, side: int) -> None:
    number = np.arange(side * side).reshape(side, side) + 1
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    points = ",".join(f"({k % side}.,{k // side}.,{(k * 7919) % 5}.)" for k in range(side * side))
    listed = ",".join(f"({x},{y},{z})" for x, y, z in faces.tolist())
    body = (
        f"#80=IFCCARTESIANPOINTLIST3D(({points}));\n#81=IFCTRIANGULATEDFACESET(#80,$,.F.,({listed}),$);\n"
        "#82=IFCSHAPEREPRESENTATION(#12,'Body','Tessellation',(#81));\n#83=IFCPRODUCTDEFINITIONSHAPE($,$,(#82));\n"
    )
    layers = read(write_ifc(more=body + second(70, shape=83)))
    mesh = layers["elements"].geometry
    assert isinstance(mesh, Mesh)
    assert len(layers["elements"].table) == 2
    assert len(mesh.faces) == pytest.approx(len(faces) + 12, rel=0.001)


def test_a_shape_may_take_as_long_as_its_list_of_faces_is_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements broken over lines and over the blocks that are read count whole."""
    monkeypatch.setattr("bim.schema.SCANNED", 1000)
    path = tmp_path / "large.ifc"
    faces = ",\n".join(f"#{number}" for number in range(10_000, 510_000))
    path.write_text(f"#1=IFCFACE((#2));\n#3=IFCOPENSHELL(({faces}));\n#4=IFCFACE((#5));\n")
    assert longest_statement(path) == pytest.approx(len(faces), abs=30)
    assert 4 * 500_000 * 26e-6 < silence_of(path) - SILENCE_S < 120  # 26 microseconds a face were measured
    path.write_text("#1=IFCFACE((#2));\n" * 200_000)
    assert silence_of(path) < SILENCE_S + 0.01


def test_two_projects_and_no_unit_are_told(write_ifc: Write) -> None:
    path = write_ifc(more="#60=IFCPROJECT('0AAAAAAAAAAAAAAAAAA060',$,'Q',$,$,$,$,(#12),#11);\n")
    issue = issue_of(read(path), "ifc.several_projects")
    assert (issue.count, issue.severity) == (2, "doubt")
    assert "P, Q" in issue.message
    path.write_text(path.read_text().replace("IFCUNITASSIGNMENT((#10))", "IFCUNITASSIGNMENT(())"))
    assert issue_of(read(path), "ifc.no_unit").severity == "doubt"


PIPE = "IFCPIPESEGMENT"


def test_pipes_have_a_layer_of_their_own_in_their_stratum(write_ifc: Write) -> None:
    at = "#60=IFCCARTESIANPOINT((0.,0.,-30.));\n#61=IFCAXIS2PLACEMENT3D(#60,$,$);\n#62=IFCLOCALPLACEMENT(#26,#61);\n"
    path = write_ifc(more=at + second(70, kind=PIPE, place=62, tail="$,$"))
    ground = Grid(np.full((9, 9), 5.0), -400.0, -400.0, 100.0)
    layers = read(path, ground)
    assert {name: len(layer.table) for name, layer in layers.items()} == {"elements": 1, "mep": 1, "mep_lines": 1}
    assert (layers["elements"].stratum, layers["mep"].stratum) == ("outdoor", "underground")
    assert layers["mep_lines"].stratum == "underground"
    high = read(path, Grid(np.full((9, 9), -500.0), -400.0, -400.0, 100.0))
    # Placed on the ground, the pipe still lies 30 m below it; a building in the file does not bring it up.
    assert high["mep"].stratum == "underground"
    level = write_ifc("level.ifc", more=second(70, kind=PIPE, tail="$,$"))
    assert read(level, ground)["mep"].stratum == "outdoor"


def test_roads_have_a_layer_of_their_own_outdoors(write_ifc: Write) -> None:
    building = "#60=IFCBUILDING('0AAAAAAAAAAAAAAAAAA060',$,'B',$,$,#26,$,$,.ELEMENT.,$,$,$);\n"
    course = second(70, kind="IFCCOURSE", tail="$,$") + second(71, kind="IFCRAIL", tail="$,$")
    layers = read(write_ifc(schema="IFC4X3_ADD2", more=building + course))
    assert {name: (len(la.table), la.stratum) for name, la in layers.items()} == {
        "elements": (1, "indoor"),
        "infrastructure": (2, "outdoor"),
    }


TOKEN = re.compile(rb"#\d+|-?\d+\.\d*|\$|'[^']*'|\(#\d+\)")
ODD_TOKENS = [b"$", b"0.", b"-1.E300", b"1.E400", b"'\\X2\\D800\\X0\\'", b"()", b"#999999", b".T.", b"*"]


def damaged(content: bytes, chance: random.Random, *, bytes_too: bool) -> bytes:
    """References and values of the data section mixed up; with `bytes_too` also plain byte damage."""
    start = content.index(b"DATA;")
    head, data = content[:start], content[start:]
    for _ in range(chance.randint(1, 6)):
        tokens = [token for token in TOKEN.finditer(data) if data[token.end() : token.end() + 1] != b"="]
        token = chance.choice(tokens)
        new = chance.choice([chance.choice(tokens)[0], chance.choice(tokens)[0], chance.choice(ODD_TOKENS)])
        data = data[: token.start()] + new + data[token.end() :]
    if bytes_too:
        place = chance.randrange(len(data))
        data = data[:place] + bytes([chance.randrange(256)]) + data[place + chance.randint(0, 20) :]
    return head + data


def test_random_damage_never_surprises(
    write_ifc: Write, tmp_path: Path, outcomes_in_child: Callable[[list[Path], int], dict[str, list[str]]]
) -> None:
    original = write_ifc(latlong="(36,30,0),(127,18,0),20.", more=HELMERT).read_bytes()
    chance = random.Random(20261121)
    paths = []
    for number in range(30):
        path = tmp_path / f"damaged-{number}.ifc"
        path.write_bytes(damaged(original, chance, bytes_too=number % 3 == 0))
        paths.append(path)
    found = outcomes_in_child(paths, 20)
    assert len(found) == 30
    surprises = {name: what for name, what in found.items() if any(o.startswith("BUG") for o in what)}
    assert not surprises
    # A crash stays in the child; most damage must not even get that far.
    assert sum(any(o.startswith("crash") for o in what) for what in found.values()) <= 3


HELMERT = (
    "#50=IFCPROJECTEDCRS('EPSG:5186',$,$,$,$,$,$);\n#51=IFCMAPCONVERSION(#12,#50,229000.,435500.,20.,0.6,0.8,1.);\n"
)
