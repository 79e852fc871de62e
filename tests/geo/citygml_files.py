"""Small CityGML files written by hand, and what is asked of the layers read from them."""

# ruff: noqa: E501 - XML is easier to check in one line

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import crs
from geo.formats.citygml import FORMAT, CityGmlOptions
from geo.formats.contract import ReadOptions
from geo.model import Feedback, Field, Frame, Layer, Mesh

E0, N0 = 229_000.0, 435_500.0


FRAME = crs.make_frame("EPSG:5186", E0, N0)


URN = "urn:ogc:def:crs:EPSG::5186"


SPACES = {
    "2.0": """xmlns="http://www.opengis.net/citygml/2.0" xmlns:core="http://www.opengis.net/citygml/2.0"
  xmlns:bldg="http://www.opengis.net/citygml/building/2.0" xmlns:gen="http://www.opengis.net/citygml/generics/2.0"
  xmlns:app="http://www.opengis.net/citygml/appearance/2.0" xmlns:veg="http://www.opengis.net/citygml/vegetation/2.0"
  xmlns:tran="http://www.opengis.net/citygml/transportation/2.0" xmlns:con="http://www.opengis.net/citygml/building/2.0"
  xmlns:uro="https://www.geospatial.jp/iur/uro/3.1" xmlns:gml="http://www.opengis.net/gml"
  xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:dem="http://www.opengis.net/citygml/relief/2.0" """,
    "3.0": """xmlns="http://www.opengis.net/citygml/3.0" xmlns:core="http://www.opengis.net/citygml/3.0"
  xmlns:bldg="http://www.opengis.net/citygml/building/3.0" xmlns:gen="http://www.opengis.net/citygml/generics/3.0"
  xmlns:con="http://www.opengis.net/citygml/construction/3.0" xmlns:gml="http://www.opengis.net/gml/3.2"
  xmlns:app="http://www.opengis.net/citygml/appearance/3.0" xmlns:xlink="http://www.w3.org/1999/xlink" """,
}


CORNERS = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1))


FACES = {
    "GroundSurface": [(0, 3, 2, 1)],
    "RoofSurface": [(4, 5, 6, 7)],
    "WallSurface": [(0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)],
}


SIZE = (10.0, 8.0, 6.0)


VOLUME = 480.0


def corner(number: int, x: float = 0.0, y: float = 0.0, z: float = 30.0) -> tuple[float, float, float]:
    a, b, c = CORNERS[number]
    return E0 + x + a * SIZE[0], N0 + y + b * SIZE[1], z + c * SIZE[2]


def positions(ring: tuple[int, ...], *, north_first: bool = True, **at: float) -> str:
    points = [corner(number, **at) for number in (*ring, ring[0])]
    return " ".join(f"{y} {x} {z}" if north_first else f"{x} {y} {z}" for x, y, z in points)


def polygon(text: str, own: str = "", tag: str = "Polygon") -> str:
    mark = f' gml:id="{own}"' if own else ""
    ring = f"<gml:LinearRing><gml:posList>{text}</gml:posList></gml:LinearRing>"
    return f"<gml:{tag}{mark}><gml:exterior>{ring}</gml:exterior></gml:{tag}>"


def member(content: str) -> str:
    return f"<gml:surfaceMember>{content}</gml:surfaceMember>"


def href(name: str) -> str:
    return f'<gml:surfaceMember xlink:href="#{name}"/>'


def shell(content: str) -> str:
    inner = f"<gml:CompositeSurface>{content}</gml:CompositeSurface>"
    return f"<gml:Solid><gml:exterior>{inner}</gml:exterior></gml:Solid>"


def box_faces(prefix: str = "", **at: Any) -> str:
    rings = [ring for rings in FACES.values() for ring in rings]
    return "".join(
        member(polygon(positions(ring, **at), f"{prefix}{k}" if prefix else "")) for k, ring in enumerate(rings)
    )


def building(content: str, own: str = "a", tag: str = "bldg:Building") -> str:
    return f'<core:cityObjectMember><{tag} gml:id="{own}">{content}</{tag}></core:cityObjectMember>'


def box(own: str = "a", lod: int = 1, **at: Any) -> str:
    return building(f"<bldg:lod{lod}Solid>{shell(box_faces(**at))}</bldg:lod{lod}Solid>", own)


def linked_box(own: str = "a", turn: str = "") -> str:
    """Thematic surfaces with polygons, and a solid that only points to them; `turn` names one written inside out."""
    surfaces, links = "", ""
    for name, rings in FACES.items():
        for ring in rings:
            key = f"{own}{ring[0]}{ring[1]}{ring[2]}"
            is_turned = name == turn
            text = positions(ring[::-1] if is_turned else ring)
            surfaces += f'<bldg:boundedBy><bldg:{name} gml:id="s{key}"><bldg:lod2MultiSurface><gml:MultiSurface>'
            surfaces += f"{member(polygon(text, key))}</gml:MultiSurface></bldg:lod2MultiSurface></bldg:{name}></bldg:boundedBy>"
            base = (
                f'<gml:OrientableSurface orientation="-"><gml:baseSurface xlink:href="#{key}"/></gml:OrientableSurface>'
            )
            links += member(base) if is_turned else href(key)
    return building(f"<bldg:lod2Solid>{shell(links)}</bldg:lod2Solid>{surfaces}", own)


def city(content: str, srs: str | None = URN, version: str = "2.0") -> str:
    name = f' srsName="{srs}"' if srs else ""
    envelope = f'<gml:boundedBy><gml:Envelope{name} srsDimension="3"><gml:lowerCorner>0 0 0</gml:lowerCorner>'
    envelope += "<gml:upperCorner>1 1 1</gml:upperCorner></gml:Envelope></gml:boundedBy>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<core:CityModel {SPACES[version]}>{envelope}{content}</core:CityModel>'


def save(folder: Path, text: str | bytes, name: str = "city.gml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(path: Path, frame: Frame = FRAME, *, lod: str = "highest", axes: str = "auto", **options: Any) -> list[Layer]:
    own = CityGmlOptions(lod=lod, axes=axes)  # type: ignore[arg-type]
    return FORMAT.read(path, frame, ReadOptions(own=own, **options), Feedback())


def only(folder: Path, text: str, **options: Any) -> Layer:
    layers = read(save(folder, text), **options)
    assert len(layers) == 1, [layer.id for layer in layers]
    return layers[0]


def mesh_of(layer: Layer) -> Mesh:
    assert isinstance(layer.geometry, Mesh)
    return layer.geometry


def codes(layer: Layer) -> dict[str, int]:
    return {one.code: one.count for one in layer.issues}


def volumes(layer: Layer) -> NDArray[np.float64]:
    """Signed volume of each element by the divergence theorem, from a corner of its own."""
    mesh = mesh_of(layer)
    origin = np.zeros((len(layer.table), 3))
    origin[mesh.face_element] = mesh.vertices[mesh.faces[:, 0]]
    a = mesh.vertices[mesh.faces[:, 0]] - origin[mesh.face_element]
    return np.bincount(mesh.face_element, np.einsum("ij,ij->i", a, mesh.face_cross) / 6, minlength=len(layer.table))


def field_of(layer: Layer, name: str) -> Field:
    found = layer.field_named(name)
    assert found is not None
    return found


def assert_is_box(layer: Layer) -> None:
    bounds = mesh_of(layer).bounds
    assert bounds is not None
    assert np.allclose(bounds.low, (0.0, 0.0, 30.0), atol=1e-6)
    assert np.allclose(bounds.high, (10.0, 8.0, 36.0), atol=1e-6)
    assert np.allclose(volumes(layer), VOLUME, rtol=1e-9)


KOMATSU = "city/plateau_komatsu_54363371_bldg_6697.gml"


LYON = "city/Opera-Lyon_CityGML3_LOD2.gml"


NAGAOKA = "utilities/plateau_nagaoka/"


# file, version, system, some counts that are known, rectangle west south east north that must hold the file [degrees]
REAL: list[tuple[str, str, str, dict[str, int], tuple[float, float, float, float]]] = [
    (KOMATSU, "2.0", "EPSG:6697", {"Building": 192, "GroundSurface": 31}, (136.38, 36.30, 136.41, 36.32)),
    ("city/plateau_shinjuku_53394517_bldg_6697.gml", "2.0", "EPSG:6697", {"Building": 1}, (139.716, 35.678, 139.719, 35.680)),
    ("city/plateau_suginami_53394503_tran_6697.gml", "2.0", "EPSG:6697", {"Road": 1, "TrafficArea": 2, "AuxiliaryTrafficArea": 3}, (139.66, 35.67, 139.67, 35.68)),
    ("city/plateau_tsukuba_54401008_veg_6697.gml", "2.0", "EPSG:6697", {"PlantCover": 3, "SolitaryVegetationObject": 3}, (140.10, 36.08, 140.12, 36.09)),
    ("city/plateau_tamana_49303414_brid_6697.gml", "2.0", "EPSG:6697", {"Bridge": 3}, (130.56, 32.92, 130.57, 32.93)),
    ("city/plateau_takeshiba_53393690_tun_6697.gml", "2.0", "EPSG:6697", {"Tunnel": 1, "HollowSpace": 2}, (139.74, 35.66, 139.76, 35.67)),
    (LYON, "3.0", "EPSG:3946", {"Building": 1, "RoofSurface": 1, "WallSurface": 2}, (4.835, 45.767, 4.838, 45.769)),
    ("terrain/plateau_yokosuka_523965_dem_6697.gml", "2.0", "EPSG:6697", {"ReliefFeature": 2, "TINRelief": 2}, (139.68, 35.19, 139.70, 35.21)),
    (NAGAOKA + "08EE753_unf_10169_sewer.gml", "2.0", "EPSG:10169", {"SewerPipe": 158, "Manhole": 52}, (138.7, 37.4, 138.8, 37.5)),
    (NAGAOKA + "08EE753_unf_10169_water.gml", "2.0", "EPSG:10169", {"WaterPipe": 21, "Handhole": 11}, (138.7, 37.4, 138.8, 37.5)),
    (NAGAOKA + "08EE752_unf_10169_water.gml", "2.0", "EPSG:10169", {"WaterPipe": 237, "Handhole": 152}, (138.7, 37.4, 138.8, 37.5)),
    (NAGAOKA + "08EE753_unf_10169_lv.gml", "2.0", "EPSG:10169", {"Pipe": 74, "Manhole": 99}, (138.7, 37.4, 138.8, 37.5)),
    ("utilities/citygml_ade/Testfeld1_UtilityNetworkADE.gml", "2.0", "EPSG:25832", {"Network": 1, "Node": 18}, (7.0, 52.0, 7.2, 52.2)),
]  # fmt: skip


def frame_for(path: Path) -> Frame:
    info = FORMAT.inspect(path)
    assert info.crs is not None
    assert info.bounds is not None
    low, high = np.array(info.bounds[:3]), np.array(info.bounds[3:])
    x, y = ((low + high) / 2)[:2]
    project = crs.project_crs_for(info.crs, x, y)
    east, north = crs.transform(x, y, info.crs, project)
    return crs.make_frame(project, float(east), float(north))
