"""Files that are cut, empty, mislabelled, archived oddly or damaged at random."""

from __future__ import annotations

import random
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bim.formats.ifc import FORMAT
from bim.schema import open_model
from geo.model import UserError

Write = Callable[..., Path]


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
