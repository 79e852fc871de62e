"""CityGML: hostile, broken and absurd files, and the words for them."""

# ruff: noqa: E501 - XML is easier to check in one line

from __future__ import annotations

import gzip
import json
import random
import re
import threading
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from geo.formats import citygml_xml
from geo.formats.citygml import FORMAT, CityGmlOptions
from geo.formats.contract import HEAD_BYTES, ReadOptions
from geo.model import Feedback, Frame, UserError
from tests.geo.citygml_files import (
    REAL,
    VOLUME,
    assert_is_box,
    box,
    box_faces,
    building,
    city,
    codes,
    frame_for,
    href,
    member,
    mesh_of,
    only,
    polygon,
    positions,
    read,
    save,
    shell,
    volumes,
)


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read(path)
    with pytest.raises(UserError):
        FORMAT.inspect(path)
    return caught.value.code


def test_entities_are_refused(tmp_path: Path) -> None:
    secret = save(tmp_path, "secret", "secret.txt")
    model = city(box())
    start = model.index("<core:CityModel")
    outside = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>'
    laughs = (
        "<!DOCTYPE x [<!ENTITY a0 'ha'>"
        + "".join(f"<!ENTITY a{k} '{f'&a{k - 1};' * 10}'>" for k in range(1, 12))
        + "]>"
    )
    far = '<!DOCTYPE x SYSTEM "http://192.0.2.1/x.dtd">'
    for number, text in enumerate((outside, laughs, far)):
        hostile = model[:start] + text + model[start:].replace('gml:id="a">', 'gml:id="a"><gml:name>&e;</gml:name>')
        for encoding in ("utf-8", "utf-16"):
            path = save(tmp_path, hostile.replace("UTF-8", encoding).encode(encoding), f"{number}{encoding}.gml")
            assert refused(path) == "citygml.entities"
    late = model[:start] + " " * 70_000 + outside + model[start:]
    assert refused(save(tmp_path, late, "late.gml")) in ("citygml.entities", "citygml.not_xml")


def test_undeclared_entity_and_depth(tmp_path: Path) -> None:
    assert (
        refused(save(tmp_path, city(box()).replace('gml:id="a">', 'gml:id="a"><gml:name>&e;</gml:name>')))
        == "citygml.not_xml"
    )
    control = city(box()).replace('gml:id="a">', 'gml:id="a"><gml:name>a\x08b</gml:name>')
    assert refused(save(tmp_path, control)) == "citygml.not_xml"
    deep = "<gen:x>" * 5000 + "</gen:x>" * 5000
    assert refused(save(tmp_path, city(building(deep)))) == "citygml.not_xml"
    nested = "<gml:surfaceMember><gml:CompositeSurface>" * 100
    closed = nested + member(polygon(positions((0, 1, 2, 3)))) + "</gml:CompositeSurface></gml:surfaceMember>" * 100
    layer = only(
        tmp_path,
        city(building(f"<bldg:lod1MultiSurface><gml:MultiSurface>{closed}</gml:MultiSurface></bldg:lod1MultiSurface>")),
    )
    assert mesh_of(layer).face_area.sum() == pytest.approx(80.0)


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(citygml_xml, "SMALL", 1 << 20)
    text = city(box()).encode()
    bomb = text.replace(b"</core:CityModel>", b" " * (8 << 20) + b"</core:CityModel>")
    assert refused(save(tmp_path, gzip.compress(bomb), "bomb.gml.gz")) == "citygml.bomb"
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.gml", bomb)
    assert refused(tmp_path / "bomb.zip") == "citygml.bomb"


def test_other_xml_and_cut_files(tmp_path: Path) -> None:
    model = city(box())
    assert refused(save(tmp_path, model[: len(model) // 2])) == "citygml.not_xml"
    assert refused(save(tmp_path, gzip.compress(model.encode())[:-200], "cut.gml.gz")) in (
        "citygml.unreadable",
        "citygml.not_xml",
    )
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.gml", model)
    cut = save(tmp_path, (tmp_path / "x.zip").read_bytes()[:-60], "cut.zip")
    assert refused(cut) == "citygml.unreadable"
    foreign = model.replace("http://www.opengis.net/citygml/2.0", "http://example.com/city")
    path = save(tmp_path, foreign, "foreign.gml")
    assert refused(path) == "citygml.not_citygml"
    for text in (
        b"",
        b"<a/>",
        b"<core:CityModel",
        b"\x1f\x8b junk",
        b"PK\x03\x04 junk",
        b'{"type": "CityJSON"}',
        b"\xff\xfe\x00",
    ):
        path = save(tmp_path, text, "junk.gml")
        assert not FORMAT.sniff(path, text)
        with pytest.raises(UserError):
            read(path)
    with pytest.raises(UserError) as caught:
        read(tmp_path / "absent.gml")
    assert caught.value.code == "citygml.unreadable"


def test_many_equal_names_end_soon(tmp_path: Path) -> None:
    functions = "<bldg:function>1</bldg:function>" * 30_000
    crowd = "".join(building("", "same") for _ in range(30_000))
    layer = only(tmp_path, city(crowd + building(functions + f"<bldg:lod1Solid>{shell(box_faces())}</bldg:lod1Solid>")))
    assert codes(layer)["citygml.many_attributes"] == 1
    assert codes(layer)["citygml.duplicate_id"] == 29_999


def test_wrong_and_foreign_encodings(tmp_path: Path) -> None:
    text = city(building(f"<gml:name>똠방시청</gml:name><bldg:lod1Solid>{shell(box_faces())}</bldg:lod1Solid>"))
    cases = [
        (text.replace("UTF-8", "cp949").encode("cp949"), "똠방시청", ""),
        (text.replace("UTF-8", "utf-16").encode("utf-16"), "똠방시청", ""),
        (text.encode("cp949"), "똠방시청", "CP949"),
        (text.replace("UTF-8", "windows-949").encode("cp949"), "똠방시청", "CP949"),
        (text.replace("UTF-8", "windows-949").encode(), "똠방시청", "UTF-8"),
        (text.encode().replace("방".encode(), b"\xff\xff\xff"), "똠���시청", "UTF-8"),
    ]
    for number, (data, name, used) in enumerate(cases):
        path = save(tmp_path, data, f"{number}.gml")
        assert FORMAT.sniff(path, data[:HEAD_BYTES])
        (layer,) = read(path)
        assert layer.table.row_at(0)["name"] == name
        assert_is_box(layer)
        assert [one.values["encoding"] for one in layer.issues if one.code == "citygml.encoding"] == (
            [used] if used else []
        )


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    good = member(polygon(positions((4, 5, 6, 7)), "p"))
    a = f'<gml:MultiSurface gml:id="A">{good}{href("B")}{href("A")}{href("p")}</gml:MultiSurface>'
    b = f'<gml:MultiSurface gml:id="B">{href("A")}{href("B")}{href("lost")}</gml:MultiSurface>'
    text = city(
        building(f"<bldg:lod1MultiSurface>{a}</bldg:lod1MultiSurface>")
        + building(f"<bldg:lod1MultiSurface>{b}</bldg:lod1MultiSurface>", "b")
    )
    layer = only(tmp_path, text)
    mesh = mesh_of(layer)
    assert np.bincount(mesh.face_element, mesh.face_area).tolist() == pytest.approx([80.0, 80.0])
    assert codes(layer)["citygml.unresolved"] == 1


def test_links_that_double_stay_small(tmp_path: Path) -> None:
    """Forty groups that each point twice to the next would be 10^12 surfaces."""
    groups = "".join(
        building(
            f'<bldg:lod1MultiSurface><gml:MultiSurface gml:id="g{k}">{href(f"g{k + 1}") * 2}</gml:MultiSurface></bldg:lod1MultiSurface>',
            f"b{k}",
        )
        for k in range(40)
    )
    last = building(
        f'<bldg:lod1MultiSurface><gml:MultiSurface gml:id="g40">{member(polygon(positions((4, 5, 6, 7))))}</gml:MultiSurface></bldg:lod1MultiSurface>',
        "z",
    )
    layer = only(tmp_path, city(groups + last))
    assert len(mesh_of(layer).faces) == 2 * 41


@pytest.mark.parametrize("wrong", ["NaN", "INF", "-INF", "1e400", "abc", "", "1 2"])
def test_one_bad_ring_costs_one_surface(tmp_path: Path, wrong: str) -> None:
    text = city(box() + box("b", x=50.0))
    spot = text.index("<gml:posList>") + len("<gml:posList>")
    broken = text[:spot] + wrong + " " + text[text.index(" ", spot) + 1 :]
    layer = only(tmp_path, broken)
    assert layer.table.ids.tolist() == ["a", "b"]
    assert codes(layer)["citygml.bad_surface"] == 1
    assert len(mesh_of(layer).faces) == 22
    assert volumes(layer)[1] == pytest.approx(VOLUME)


def test_far_and_impossible_coordinates(tmp_path: Path) -> None:
    text = city(box() + box("far", x=9e8) + box("b", x=50.0))
    layer = only(tmp_path, text)
    assert layer.table.ids.tolist() == ["a", "b"]
    assert codes(layer)["city.dropped_outside_crs"] == 1


def test_strange_structures_survive(tmp_path: Path) -> None:
    pieces = [
        "<bldg:lod1Solid/>",
        "<bldg:lod1Solid><gml:Solid/></bldg:lod1Solid>",
        "<bldg:lod2MultiSurface><gml:MultiSurface><gml:surfaceMember/></gml:MultiSurface></bldg:lod2MultiSurface>",
        "<bldg:lod2MultiSurface><gml:MultiSurface><gml:surfaceMember><gml:Polygon/></gml:surfaceMember></gml:MultiSurface></bldg:lod2MultiSurface>",
        "<bldg:lod2MultiSurface><gml:MultiSurface><gml:surfaceMember><gml:Polygon><gml:interior/></gml:Polygon></gml:surfaceMember></gml:MultiSurface></bldg:lod2MultiSurface>",
        "<bldg:boundedBy><bldg:WallSurface/></bldg:boundedBy><bldg:boundedBy/>",
        "<bldg:lod2ImplicitRepresentation><core:ImplicitGeometry/></bldg:lod2ImplicitRepresentation>",
        "<gen:stringAttribute/><gen:genericAttributeSet/><core:externalReference/>",
        "<app:appearance><app:Appearance><app:surfaceDataMember/></app:Appearance></app:appearance>",
        "text between <!-- comment --> <?pi x?> &amp;",
    ]
    whole = (
        "".join(building(piece, f"x{k}") for k, piece in enumerate(pieces)) + box() + box() + "<core:cityObjectMember/>"
    )
    anonymous = box("q").replace(' gml:id="q"', "")
    layer = only(tmp_path, city(whole + anonymous))
    assert layer.table.ids.tolist() == ["a", "a-2", "Building-13"]
    assert codes(layer)["citygml.duplicate_id"] == 1
    assert codes(layer)["citygml.without_id"] == 1
    assert np.allclose(volumes(layer), VOLUME)


def test_degrees_in_a_metric_system_and_the_reverse(tmp_path: Path) -> None:
    degrees = f"<bldg:lod1MultiSurface><gml:MultiSurface>{member(polygon('36.5 127.3 1 36.501 127.3 1 36.501 127.301 1 36.5 127.3 1'))}</gml:MultiSurface></bldg:lod1MultiSurface>"
    path = save(tmp_path, city(building(degrees)))
    with pytest.raises(UserError) as caught:
        read(path)
    assert caught.value.code == "city.degrees"
    assert "city.degrees" in {one.code for one in FORMAT.inspect(path).issues}
    metres = save(tmp_path, city(box(), "urn:ogc:def:crs:EPSG::4326"), "metres.gml")
    with pytest.raises(UserError) as caught:
        read(metres)
    assert caught.value.code == "city.not_degrees"


def mutated(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(out))
        match chance.randrange(6):
            case 0:
                out[place] = chance.randrange(256)
            case 1:
                del out[place : place + chance.randrange(1, 60)]
            case 2:
                out[place:place] = out[place - 40 : place]
            case 3:
                # numbers within text keep the XML whole, so that the mutation reaches the reader
                found = re.search(rb"\d+\.\d+", bytes(out[place : place + 4000]))
                if found:
                    words = (b"NaN", b"1e308", b"-0", b"x", b"", b"9" * 40)
                    out[place + found.start() : place + found.end()] = chance.choice(words)
            case 4:
                names = [b"posList", b"exterior", b"interior", b"Polygon", b"Solid", b"surfaceMember", b"LinearRing"]
                old, new = chance.sample(names, 2)
                out = bytearray(bytes(out).replace(old, new, -1 if chance.random() < 0.5 else 2))
            case _:
                found = re.search(rb'(gml:id|href|srsName|uom)="[^"]*"', bytes(out[place : place + 4000]))
                if found:
                    out[place + found.start() : place + found.end()] = chance.choice(
                        (b"", b'gml:id="x"', b'xlink:href="#x"', b'srsName="EPSG:4326"')
                    )
        if not out:
            return b"<"
    return bytes(out)


def survives(path: Path, frame: Frame, outcome: list[str]) -> None:
    """Note for each way of opening whether it worked, was refused calmly, or failed."""
    for action in (lambda: FORMAT.inspect(path), lambda: FORMAT.read(path, frame, ReadOptions(), Feedback())):
        try:
            action()
        except UserError as error:
            outcome.append(error.code)
        except BaseException as error:  # noqa: BLE001 - a thread has nobody else to tell
            outcome.append(f"CRASH {error!r}")
        else:
            outcome.append("read")


@pytest.mark.data
@pytest.mark.parametrize("name", [one[0] for one in REAL], ids=[one[0].split("/")[-1] for one in REAL])
def test_damaged_files_never_crash_or_hang(shared_data: Path, tmp_path: Path, name: str) -> None:
    data = (shared_data / name).read_bytes()
    if len(data) > 300_000:
        # the beginning with a proper end: a file of the same kind that is read sixty times in a few seconds
        end = data.find(b"</core:cityObjectMember>", 150_000)
        end = len(data) if end < 0 or end > 500_000 else end + len(b"</core:cityObjectMember>")
        data = data[:end] + (b"" if end == len(data) else b"</core:CityModel>")
    frame = frame_for(save(tmp_path, data, "whole.gml"))
    chance = random.Random(20261121)
    seen: Counter[str] = Counter()
    for number in range(60):
        path = save(tmp_path, mutated(data, chance), f"{number}.gml")
        outcome: list[str] = []
        worker = threading.Thread(target=survives, args=(path, frame, outcome))
        worker.start()
        worker.join(30.0)
        assert not worker.is_alive(), number
        assert len(outcome) == 2
        assert not [told for told in outcome if told.startswith("CRASH")], (number, outcome)
        seen.update(outcome)
        path.unlink()
    # the damage reached the reader, not only the parser
    assert seen["read"] > 10


def test_korean_texts_exist_for_every_code() -> None:
    root = Path(citygml_xml.__file__).resolve().parents[2]
    texts = [
        json.loads((root / f"resources/translations/ko/{area}.json").read_text("utf-8"))
        for area in ("city", "citygml", "utility_formats")
    ]
    korean = {key: text for part in texts for key, text in part.items()}
    source = "".join(p.read_text(encoding="utf-8") for p in sorted((root / "geo/formats").glob("citygml*.py")))
    for code in sorted(set(re.findall(r'"(citygml\.(?!org)[a-z_0-9]+)"', source))):
        assert {f"issue.{code}", f"error.{code}.what"} & set(korean), code
    for option in CityGmlOptions.model_fields:
        assert {f"format.citygml.{option}", f"format.citygml.{option}.help"} <= set(korean)
