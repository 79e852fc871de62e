"""CityGML: shapes, levels of detail, links, rooms, colours of small hand-written files."""

# ruff: noqa: E501 - XML is easier to check in one line

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from geo.formats.citygml import FORMAT
from geo.model import Instances
from tests.geo.citygml_files import (
    E0,
    FACES,
    N0,
    assert_is_box,
    box,
    box_faces,
    building,
    city,
    codes,
    field_of,
    linked_box,
    member,
    mesh_of,
    only,
    polygon,
    positions,
    read,
    save,
    shell,
)


def test_plain_box(tmp_path: Path) -> None:
    layer = only(tmp_path, city(box()))
    assert_is_box(layer)
    assert len(mesh_of(layer).vertices) == 8
    assert len(mesh_of(layer).faces) == 12
    assert layer.table.ids.tolist() == ["a"]
    assert layer.issues == ()
    assert layer.source.part == layer.id == "building"
    assert dict(Counter(field_of(layer, "surface").values.tolist())) == {0: 2, 1: 8, 2: 2}


@pytest.mark.parametrize("turn", ["", "WallSurface", "RoofSurface"])
def test_solid_of_links_has_semantics_and_orientation(tmp_path: Path, turn: str) -> None:
    layer = only(tmp_path, city(linked_box(turn=turn)))
    assert_is_box(layer)
    assert len(mesh_of(layer).faces) == 12
    surface = field_of(layer, "surface")
    up = mesh_of(layer).face_normal[:, 2]
    assert (up[surface.values == 0] > 0.99).all()
    assert (up[surface.values == 2] < -0.99).all()
    assert not {"city.open_solid", "city.inverted", "citygml.unresolved"} & set(codes(layer))


def test_copies_beside_thematic_surfaces_are_drawn_once(tmp_path: Path) -> None:
    linked = linked_box()
    copied = linked.replace(
        linked[linked.index("<bldg:lod2Solid>") : linked.index("</bldg:lod2Solid>")],
        f"<bldg:lod2Solid>{shell(box_faces())}",
    )
    layer = only(tmp_path, city(copied))
    assert_is_box(layer)
    assert len(mesh_of(layer).faces) == 12
    assert dict(Counter(field_of(layer, "surface").values.tolist())) == {0: 2, 1: 8, 2: 2}


def test_inside_out_solid_is_turned_and_said(tmp_path: Path) -> None:
    rings = [ring[::-1] for rings in FACES.values() for ring in rings]
    faces = "".join(member(polygon(positions(ring))) for ring in rings)
    layer = only(tmp_path, city(building(f"<bldg:lod1Solid>{shell(faces)}</bldg:lod1Solid>")))
    assert_is_box(layer)
    assert codes(layer)["city.inverted"] == 1


def test_holes_other_patches_and_old_positions(tmp_path: Path) -> None:
    outer, inner = "0 0 0 0 10 0 10 10 0 10 0 0 0 0 0", "2 2 0 4 2 0 4 4 0 2 4 0 2 2 0"
    shifted = [
        " ".join(str(float(v) + o) for v, o in zip(t.split(), [N0, E0, 5.0] * 5, strict=True)) for t in (outer, inner)
    ]
    hole = f"<gml:interior><gml:LinearRing><gml:posList>{shifted[1]}</gml:posList></gml:LinearRing></gml:interior>"
    with_hole = polygon(shifted[0]).replace("</gml:Polygon>", hole + "</gml:Polygon>")
    triples = np.array(shifted[0].split(), float).reshape(-1, 3)
    singles = "".join(f"<gml:pos>{a} {b} {c + 10}</gml:pos>" for a, b, c in triples)
    old = " ".join(f"{a},{b},{c + 20}" for a, b, c in triples)
    faces = member(with_hole)
    faces += member(
        f"<gml:Polygon><gml:exterior><gml:LinearRing>{singles}</gml:LinearRing></gml:exterior></gml:Polygon>"
    )
    faces += member(
        f"<gml:Polygon><gml:exterior><gml:LinearRing><gml:coordinates>{old}</gml:coordinates></gml:LinearRing></gml:exterior></gml:Polygon>"
    )
    patch = f"<gml:Surface><gml:patches>{polygon(shifted[0], tag='PolygonPatch')}</gml:patches></gml:Surface>"
    surface = (
        f"<bldg:lod2MultiSurface><gml:MultiSurface>{faces}{member(patch)}</gml:MultiSurface></bldg:lod2MultiSurface>"
    )
    layer = only(tmp_path, city(building(surface)))
    mesh = mesh_of(layer)
    assert mesh.face_area.sum() == pytest.approx(96.0 + 100.0 + 100.0 + 100.0)
    assert sorted(set(mesh.vertices[:, 2].tolist())) == [5.0, 15.0, 25.0]


def test_two_dimensional_rings_lie_at_zero_and_that_is_said(tmp_path: Path) -> None:
    flat = polygon(f"{N0} {E0} {N0} {E0 + 10} {N0 + 10} {E0 + 10} {N0} {E0}").replace(
        "posList>", 'posList srsDimension="2">', 1
    )
    surface = f"<bldg:lod0FootPrint><gml:MultiSurface>{member(flat)}</gml:MultiSurface></bldg:lod0FootPrint>"
    layer = only(tmp_path, city(building(surface)))
    assert mesh_of(layer).face_area.sum() == pytest.approx(50.0)
    assert codes(layer)["citygml.flat"] == 1


def test_level_of_detail(tmp_path: Path) -> None:
    levels = "".join(f"<bldg:lod{k}Solid>{shell(box_faces(z=30.0 + 10 * k))}</bldg:lod{k}Solid>" for k in (1, 3))
    path = save(tmp_path, city(building(levels) + box("b", lod=1, x=50.0)))
    for wanted, height, told in (
        ("highest", 60.0, "3"),
        ("3", 60.0, "3"),
        ("2", 40.0, "1"),
        ("1", 40.0, "1"),
        ("0", 40.0, "1"),
    ):
        (layer,) = read(path, lod=wanted)
        mesh = mesh_of(layer)
        assert mesh.vertices[mesh.faces[mesh.face_element == 0], 2].min() == height
        assert layer.table.row("a")["lod"] == told
    assert "city.lod_other" in codes(layer)


def test_repeated_shape_stands_at_its_reference_point(tmp_path: Path) -> None:
    square = polygon("0 0 0 1 0 0 1 1 0 0 1 0 0 0 0")
    shape = f'<gml:MultiSurface gml:id="leaf">{member(square)}</gml:MultiSurface>'

    def tree(own: str, inner: str, east: float, matrix: str = "2 0 0 0 0 2 0 0 0 0 2 3 0 0 0 1") -> str:
        point = (
            f"<core:referencePoint><gml:Point><gml:pos>{N0} {E0 + east} 30</gml:pos></gml:Point></core:referencePoint>"
        )
        implicit = f"<core:ImplicitGeometry><core:transformationMatrix>{matrix}</core:transformationMatrix>{inner}{point}</core:ImplicitGeometry>"
        return building(
            f"<veg:lod2ImplicitRepresentation>{implicit}</veg:lod2ImplicitRepresentation>",
            own,
            "veg:SolitaryVegetationObject",
        )

    first = f"<core:relativeGMLGeometry>{shape}</core:relativeGMLGeometry>"
    linked = '<core:relativeGMLGeometry xlink:href="#leaf"/>'
    trees = tree("t1", first, 0) + tree("t2", linked, 100) + tree("t3", linked, 200, "1 2 3")
    layer = only(tmp_path, city(trees))
    assert layer.theme == "tree"
    assert isinstance(layer.geometry, Instances)
    assert len(layer.geometry.shapes) == 1
    assert layer.table.ids.tolist() == ["t1", "t2"]
    baked = layer.geometry.baked()
    assert np.allclose(baked.bounds, ((0, 0, 33), (102, 2, 33)), atol=1e-6)
    assert codes(layer)["city.dropped_template"] == 1


def test_rooms_are_indoors_and_parts_know_their_building(tmp_path: Path) -> None:
    room = f'<bldg:interiorRoom><bldg:Room gml:id="r"><bldg:lod4Solid>{shell(box_faces())}</bldg:lod4Solid></bldg:Room></bldg:interiorRoom>'
    part = f'<bldg:consistsOfBuildingPart><bldg:BuildingPart gml:id="p"><bldg:lod1Solid>{shell(box_faces(x=20.0))}</bldg:lod1Solid></bldg:BuildingPart></bldg:consistsOfBuildingPart>'
    layers = read(save(tmp_path, city(building("<bldg:usage>1010</bldg:usage>" + part + room))))
    assert [(layer.id, layer.theme, layer.stratum) for layer in layers] == [
        ("building", "building", "outdoor"),
        ("indoor", "space", "indoor"),
    ]
    row = layers[0].table.row("p")
    assert (row["parent"], row["usage"], row["object_type"]) == ("a", "1010", "BuildingPart")


def test_furniture_indoors_and_windows(tmp_path: Path) -> None:
    chair = polygon(positions((0, 1, 2, 3)))
    furniture = f'<bldg:interiorFurniture><bldg:BuildingFurniture gml:id="f"><bldg:lod4Geometry><gml:MultiSurface>{member(chair)}</gml:MultiSurface></bldg:lod4Geometry></bldg:BuildingFurniture></bldg:interiorFurniture>'
    room = f'<bldg:interiorRoom><bldg:Room gml:id="r"><bldg:lod4Solid>{shell(box_faces())}</bldg:lod4Solid>{furniture}</bldg:Room></bldg:interiorRoom>'
    pane = f"<bldg:opening><bldg:Window><bldg:lod3MultiSurface><gml:MultiSurface>{member(polygon(positions((0, 1, 5, 4))))}</gml:MultiSurface></bldg:lod3MultiSurface></bldg:Window></bldg:opening>"
    wall = f"<bldg:boundedBy><bldg:WallSurface><bldg:lod3MultiSurface><gml:MultiSurface>{member(polygon(positions((1, 2, 6, 5))))}</gml:MultiSurface></bldg:lod3MultiSurface>{pane}</bldg:WallSurface></bldg:boundedBy>"
    path = save(tmp_path, city(building(wall + room)))
    assert FORMAT.inspect(path).counts == {
        "Building": 1,
        "WallSurface": 1,
        "Window": 1,
        "Room": 1,
        "BuildingFurniture": 1,
    }
    layers = {layer.id: layer for layer in read(path)}
    assert {key: (layer.theme, layer.stratum) for key, layer in layers.items()} == {
        "building": ("building", "outdoor"),
        "indoor": ("space", "indoor"),
        "indoor_furniture": ("furniture", "indoor"),
    }
    semantic = field_of(layers["building"], "semantic")
    assert (
        sorted(semantic.categories[code] for code in semantic.values.tolist()) == ["WallSurface"] * 2 + ["Window"] * 2
    )
    assert set(field_of(layers["building"], "surface").values.tolist()) == {1}


def test_version_three(tmp_path: Path) -> None:
    surfaces = ""
    for name, rings in FACES.items():
        faces = "".join(member(polygon(positions(ring))) for ring in rings)
        surfaces += f"<core:boundary><con:{name}><core:lod2MultiSurface><gml:MultiSurface>{faces}</gml:MultiSurface></core:lod2MultiSurface></con:{name}></core:boundary>"
    height = '<con:height><con:Height><con:status>measured</con:status><con:value uom="m">6.0</con:value></con:Height></con:height>'
    generic = "<core:genericAttribute><gen:IntAttribute><gen:name>households</gen:name><gen:value>12</gen:value></gen:IntAttribute></core:genericAttribute>"
    path = save(tmp_path, city(building(generic + surfaces + height), version="3.0"))
    assert FORMAT.inspect(path).counts == {"Building": 1, "GroundSurface": 1, "RoofSurface": 1, "WallSurface": 1}
    (layer,) = read(path)
    assert_is_box(layer)
    row = layer.table.row_at(0)
    assert (row["height"], row["height.status"], row["households"]) == (6.0, "measured", 12)
    assert layer.table.columns["height"].unit == "m"


def test_material_colours_and_textures(tmp_path: Path) -> None:
    faces = box_faces("f")
    whole = f'<gml:MultiSurface gml:id="all">{faces}</gml:MultiSurface>'
    material = "<app:surfaceDataMember><app:X3DMaterial><app:diffuseColor>{}</app:diffuseColor><app:target>#{}</app:target></app:X3DMaterial></app:surfaceDataMember>"
    texture = "<app:surfaceDataMember><app:ParameterizedTexture><app:imageURI>../../etc/passwd</app:imageURI></app:ParameterizedTexture></app:surfaceDataMember>"
    looks = f"<app:appearanceMember><app:Appearance><app:theme>rgb</app:theme>{material.format('1 0 0.5', 'all')}{material.format('0 0 1', 'f1')}{texture}</app:Appearance></app:appearanceMember>"
    text = city(building(f"<bldg:lod2MultiSurface>{whole}</bldg:lod2MultiSurface>") + looks)
    layer = only(tmp_path, text)
    colour = field_of(layer, "colour")
    roof = mesh_of(layer).face_normal[:, 2] > 0.99
    assert set(colour.values[roof].tolist()) == {0x0000FF}
    assert set(colour.values[~roof].tolist()) == {0xFF0080}
    assert codes(layer)["citygml.textures"] == 1
