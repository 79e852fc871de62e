"""Real models with known numbers, and kernel against kernel."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bim.formats.ifc import FORMAT, inspect
from bim.read import read_layers
from bim.schema import open_model
from bim.selection import select_products
from bim.tessellation import Tessellation, tessellate
from geo.crs import make_frame, transform
from geo.formats.contract import FileInfo, ReadOptions
from geo.model import Feedback, Instances, Layer, Lines, Mesh

FRAME = make_frame("EPSG:5186", 229_000.0, 435_500.0)
DUPLEX = "Duplex_A_20110907_georeferenced.ifc"
FZK = "AC20-FZK-Haus.ifc"


@pytest.fixture(scope="module")
def described(shared_data: Path) -> Callable[[str], FileInfo]:
    known: dict[str, FileInfo] = {}

    def describe(name: str) -> FileInfo:
        if name not in known:
            known[name] = inspect(shared_data / "ifc" / name)
        return known[name]

    return describe


@pytest.fixture(scope="module")
def fzk(shared_data: Path) -> list[Layer]:
    return FORMAT.read(shared_data / "ifc" / FZK, FRAME, ReadOptions(), Feedback())


def finding_codes(info: FileInfo) -> set[str]:
    return {issue.code for issue in info.issues}


@pytest.mark.parametrize(
    ("name", "version", "counts"),
    [
        (FZK, "IFC4", {"IfcProduct": 127, "IfcSpace": 7, "IfcDoor": 5, "IfcWindow": 11, "IfcRelSpaceBoundary": 81}),
        (DUPLEX, "IFC2X3", {"IfcProduct": 295, "IfcSpace": 21, "IfcDoor": 14, "IfcWindow": 24}),
        ("Office_A_20110811.ifc", "IFC2X3", {"IfcProduct": 1090, "IfcSpace": 99, "IfcDoor": 102, "IfcWindow": 69}),
        ("BC003_ALX4_reference.ifc", "IFC4X3", {"IfcProduct": 130}),
        ("Georeferencing_COMPDCS_EPSG_MapConversion.ifc", "IFC4X3_ADD1", {"IfcProduct": 60}),
        (
            "construction_scheduling_task.ifc",
            "IFC4",
            {"IfcProduct": 8, "IfcTask": 8, "IfcRelSequence": 7, "IfcProject": 1},
        ),
    ],
)
def test_counts_by_class(described: Callable[[str], FileInfo], name: str, version: str, counts: dict[str, int]) -> None:
    info = described(name)
    assert info.version == version
    assert {key: info.counts.get(key) for key in counts} == counts


def test_house_with_latitude_only(described: Callable[[str], FileInfo]) -> None:
    info = described(FZK)
    assert info.crs == "EPSG:4326"
    assert info.details["georeference_level"] == 20
    assert info.details["true_north_deg"] == pytest.approx(50.0)
    # 49 06 01.566 N, 8 26 11.5404 E, elevation 110 m: the site's zero point lies inside the box.
    assert info.bounds is not None
    west, south, low, east, north, high = info.bounds
    assert west < 8.436539 < east < west + 0.001
    assert south < 49.100435 < north < south + 0.001
    assert (low, high) == pytest.approx((109.0, 116.3177), abs=1e-3)
    assert "ifc.placed_by_latlong" in finding_codes(info)


def test_house_as_layers(fzk: list[Layer]) -> None:
    elements, spaces = fzk[:2]
    assert (elements.id, elements.theme, elements.kind, elements.stratum) == ("elements", "bim", "mesh", "indoor")
    assert (spaces.id, spaces.theme, spaces.style.visible) == ("spaces", "space", False)
    assert len(spaces.table) == 7
    classes = list(elements.table.columns["class"].values)
    assert (classes.count("IfcDoor"), classes.count("IfcWindow")) == (5, 11)
    assert set(elements.table.columns["storey"].values) == {"Erdgeschoss", "Dachgeschoss", None}
    colour = elements.field_named("colour")
    assert colour is not None
    assert colour.values.shape == elements.geometry.face_area.shape  # type: ignore[union-attr]
    assert 0 <= int(colour.values.min()) <= int(colour.values.max()) <= 0xFFFFFF
    glass = elements.field_named("transparency")
    assert glass is not None
    assert 0.5 < float(glass.values.max()) <= 1.0


def test_rooms_have_their_stated_area(fzk: list[Layer]) -> None:
    spaces = fzk[1]
    row = dict(zip(spaces.table.columns["long_name"].values, spaces.table.columns["area"].values, strict=True))
    # Schlafzimmer: NetFloorArea 21.41 m2 in the file, the body is drawn to the walls' faces.
    assert row["Schlafzimmer"] == pytest.approx(21.41, rel=0.05)
    stated = spaces.table.columns["stated_area"].values
    assert np.isfinite(stated).all()


def test_walls_and_slabs_face_outwards(fzk: list[Layer]) -> None:
    elements = fzk[0]
    mesh, table = elements.geometry, elements.table
    assert isinstance(mesh, Mesh)
    tested = 0
    for row, kind in enumerate(table.columns["class"].values):
        if kind not in ("IfcSlab", "IfcWallStandardCase"):
            continue
        triangles = mesh.vertices[mesh.faces[mesh.face_element == row]]
        triangles = triangles - triangles.mean(axis=(0, 1))
        volume = np.einsum("ij,ij->i", triangles[:, 0], np.cross(triangles[:, 1], triangles[:, 2])).sum() / 6
        assert volume > 0, table.ids[row]
        tested += 1
    assert tested >= 10


def test_property_set_on_the_site_places_the_duplex(shared_data: Path, described: Callable[[str], FileInfo]) -> None:
    import ifcopenshell.geom

    info = described(DUPLEX)
    assert info.crs == "EPSG:9897"
    assert "ifc.latlong_conflict" in finding_codes(info)
    frame = make_frame("EPSG:2169", 76_000.0, 77_000.0)
    path = shared_data / "ifc" / DUPLEX
    layer = FORMAT.read(path, frame, ReadOptions(), Feedback())[0]
    # Independent: another kernel, the library's own world coordinates, and the Helmert formula by hand.
    file = ifcopenshell.open(path)
    door = file.by_type("IfcDoor")[0]
    settings = ifcopenshell.geom.settings()
    settings.set("use-world-coords", True)
    shape = ifcopenshell.geom.create_shape(settings, door, geometry_library="opencascade")
    x, y, z = np.array(shape.geometry.verts).reshape(-1, 3).T
    a, b = 0.325568154457152, 0.945518575599318
    norm = math.hypot(a, b)
    cosine, sine = a / norm, b / norm
    expected = np.stack([76_670 + x * cosine - y * sine, 77_179 + x * sine + y * cosine, 293.700012207031 + z], axis=1)
    mesh = layer.geometry
    assert isinstance(mesh, Mesh)
    mine = mesh.vertices[np.unique(mesh.faces[mesh.face_element == layer.table.index[door.GlobalId]])]
    on_map = frame.to_map(mine)
    assert_allclose(on_map.min(axis=0), expected.min(axis=0), atol=1e-4)
    assert_allclose(on_map.max(axis=0), expected.max(axis=0), atol=1e-4)
    assert "ifc.latlong_conflict" in [issue.code for issue in layer.issues]


def test_template_place_and_feet(described: Callable[[str], FileInfo]) -> None:
    assert "ifc.latlong_template" in finding_codes(described("Office_A_20110811.ifc"))
    assert "ifc.true_north_3d" in finding_codes(described("Duplex_Electrical.ifc"))
    assert described("Duplex_Electrical.ifc").details["true_north_deg"] == pytest.approx(0.0, abs=1e-9)
    # Drawn in feet, returned in metres: the duplex is about 17 m long.
    bounds = described("Duplex_Electrical.ifc").bounds
    assert bounds is not None
    assert bounds[5] - bounds[2] == pytest.approx(6.757, abs=0.01)


def test_millimetres_without_scale_or_crs(described: Callable[[str], FileInfo]) -> None:
    info = described("geolocation-mapconversion.ifc")
    assert info.crs is None
    assert {"ifc.crs_missing", "ifc.scale_absent", "ifc.offset_unit", "ifc.no_place"} <= finding_codes(info)
    assert info.bounds is not None
    assert info.bounds[3] - info.bounds[0] == pytest.approx(15.0, abs=1e-3)


def test_road_with_the_old_schema_name(described: Callable[[str], FileInfo]) -> None:
    info = described("BC003_ALX4_reference.ifc")
    assert info.crs == "EPSG:3944"
    assert "ifc.schema_read_as" in finding_codes(info)
    # Eastings 1891846, northings 3126623 and model coordinates of 135..184, -52..57 m.
    assert info.bounds == pytest.approx(
        (1_891_981.557, 3_126_571.320, 2.65, 1_892_029.804, 3_126_679.757, 7.65), abs=0.01
    )


def test_terrain_in_survey_feet(shared_data: Path, described: Callable[[str], FileInfo]) -> None:
    info = described("Bentley_Terrain.ifc")
    assert info.crs == "EPSG:2271"
    assert {"ifc.map_unit", "ifc.latlong_conflict"} <= finding_codes(info)
    assert info.bounds is not None
    # Model metres 492970.934..493394.822 times 3937/1200, the survey foot; the plain foot would be 3 ft off.
    assert info.bounds[0] == pytest.approx(492_970.934 * 3937 / 1200, abs=0.05)
    east, north = (float(v) for v in transform(info.bounds[0], info.bounds[1], "EPSG:2271", "EPSG:32617"))
    frame = make_frame("EPSG:32617", east, north)
    layer = FORMAT.read(shared_data / "ifc" / "Bentley_Terrain.ifc", frame, ReadOptions(), Feedback())[0]
    size = layer.geometry.bounds.size  # type: ignore[union-attr]
    assert math.hypot(size[0], size[1]) < 800
    assert layer.stratum == "outdoor"


def test_compound_crs_and_alignments_as_lines(shared_data: Path, described: Callable[[str], FileInfo]) -> None:
    name = "Georeferencing_COMPDCS_EPSG_MapConversion.ifc"
    info = described(name)
    assert info.crs == "EPSG:6174"
    assert "NN54" in info.vertical
    frame = make_frame("EPSG:25834", 452_413.9199, 4_539_456.401)
    (layer,) = FORMAT.read(shared_data / "ifc" / name, frame, ReadOptions(), Feedback())
    assert isinstance(layer.geometry, Lines)
    assert len(layer.geometry.line_element) == 2
    # The first point of the alignment in the file is the frame's origin.
    assert np.abs(layer.geometry.vertices[:, :2]).sum(axis=1).min() < 1e-3


def test_archive_is_read(shared_data: Path) -> None:
    model = open_model(shared_data / "ifc" / "revit2012_janesville_restaurant.ifczip")
    assert len(model.file.by_type("IfcProduct")) == 3628
    assert model.metres_per_unit == pytest.approx(0.3048)


def test_repeated_shapes_become_instances(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shared_data / "ifc" / "BIMWhale_LargeBuilding.ifc"
    baked = read_layers(path, FRAME, ReadOptions(), Feedback())
    monkeypatch.setattr("bim.layers.MOST_BAKED_FACES", 10_000)
    split = read_layers(path, FRAME, ReadOptions(), Feedback())
    parts = {layer.id: layer for layer in split}
    assert {"elements", "instances", "spaces"} <= set(parts)
    repeated = parts["instances"].geometry
    assert isinstance(repeated, Instances)
    whole, rest = baked[0].geometry, parts["elements"].geometry
    assert isinstance(whole, Mesh)
    assert isinstance(rest, Mesh)
    written_out = repeated.baked()
    assert len(written_out.faces) + len(rest.faces) == len(whole.faces)
    assert written_out.face_area.sum() + rest.face_area.sum() == pytest.approx(whole.face_area.sum(), rel=1e-9)
    assert_allclose(parts["instances"].geometry.bounds.high[2], written_out.bounds.high[2], atol=1e-9)  # type: ignore[union-attr]
    colour = parts["instances"].field_named("colour")
    assert colour is not None
    assert len(colour.values) == sum(len(shape.faces) for shape in repeated.shapes)


LARGER = (DUPLEX, "Office_A_20110811.ifc", "BIMWhale_LargeBuilding.ifc", "BIMWhale_TallBuilding.ifc")
KERNEL_FILES = [FZK, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGER)]


@pytest.mark.parametrize("name", KERNEL_FILES)
def test_kernels_agree(shared_data: Path, name: str) -> None:
    """Our choice of kernels against OpenCASCADE alone: area within 1 % and box within 5 mm, product by product.

    This is what tells whether another version of the library may be used. ``make validate`` takes all files.
    """
    model = open_model(shared_data / "ifc" / name)
    selection = select_products(model.file)
    shapes = tessellate(model.file, selection, Feedback())
    assert {int(p) for p in shapes.product} | {p for p, _ in shapes.failed} == set(selection.wanted)
    exact = exact_measures(model.file, selection.wanted)
    wrong = []
    for product, (area, box) in measures(shapes).items():
        if product not in exact:
            continue
        exact_area, exact_box = exact[product]
        if abs(area - exact_area) > 0.01 * exact_area or np.abs(box - exact_box).max() > 0.005:
            wrong.append((model.file.by_id(product).is_a(), product, area, exact_area))
    assert not wrong
    assert len(exact) >= 0.9 * len(shapes.product)


def measures(shapes: Tessellation) -> dict[int, tuple[float, np.ndarray]]:
    found = {}
    for product, number, matrix in zip(shapes.product, shapes.shape, shapes.matrix, strict=True):
        shape = shapes.shapes[number]
        if len(shape.faces):
            found[int(product)] = area_and_box(shape.vertices @ matrix[:, :3].T + matrix[:, 3], shape.faces)
    return found


def exact_measures(file: object, products: tuple[int, ...]) -> dict[int, tuple[float, np.ndarray]]:
    import ifcopenshell.geom

    settings = ifcopenshell.geom.settings()
    settings.set("use-world-coords", True)
    include = [file.by_id(product) for product in products]  # type: ignore[attr-defined]
    found = {}
    for element in ifcopenshell.geom.iterator(settings, file, 1, include=include, geometry_library="opencascade"):
        vertices = np.array(element.geometry.verts).reshape(-1, 3)
        faces = np.array(element.geometry.faces, dtype=np.int64).reshape(-1, 3)
        if len(faces):
            found[element.id] = area_and_box(vertices, faces)
    return found


def area_and_box(vertices: np.ndarray, faces: np.ndarray) -> tuple[float, np.ndarray]:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    area = float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)
    return area, np.concatenate([vertices.min(axis=0), vertices.max(axis=0)])
