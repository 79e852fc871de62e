"""Every row of the decision among what a file says about its place, against numbers worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bim.formats.ifc import FORMAT, inspect
from bim.georeference import Georeference, distance, read_georeference
from bim.placement import IfcOptions, place
from bim.schema import open_model
from geo.crs import make_frame, transform
from geo.formats.contract import MapBox, ReadOptions
from geo.model import Cancelled, Feedback, Frame, Grid, Layer, UserError

Write = Callable[..., Path]
FRAME = make_frame("EPSG:5186", 229_000.0, 435_500.0)
CRS = "#50=IFCPROJECTEDCRS('EPSG:5186',$,$,$,$,$,$);\n"


def georeference(
    path: Path, *, centre: tuple[float, float, float] | None = None, crs: str | None = None
) -> Georeference:
    model = open_model(path)
    middle = None if centre is None else np.array(centre)
    return read_georeference(model.file, model.metres_per_unit, centre=middle, crs=crs)


def read(
    path: Path, frame: Frame = FRAME, *, terrain: Grid | None = None, box: MapBox | None = None, **own: object
) -> Layer:
    options = ReadOptions(terrain=terrain, box=box, own=IfcOptions(**own))  # type: ignore[arg-type]
    (layer,) = FORMAT.read(path, frame, options, Feedback())
    return layer


def codes(layer: Layer) -> list[str]:
    return [issue.code for issue in layer.issues]


def corner(layer: Layer, x: float, y: float, z: float) -> np.ndarray:
    """The vertex nearest to a local point."""
    vertices = layer.geometry.vertices  # type: ignore[union-attr]
    return vertices[np.argmin(np.linalg.norm(vertices - (x, y, z), axis=1))]


def test_helmert_by_hand(write_ifc: Write) -> None:
    found = georeference(write_ifc(more=CRS + "#51=IFCMAPCONVERSION(#12,#50,229000.,435500.,20.,0.6,0.8,1.);\n"))
    assert (found.level, found.crs, found.source) == (50, "EPSG:5186", "IfcMapConversion")
    # x axis towards (0.6, 0.8): (10, 0) goes to (6, 8), (0, 10) to (-8, 6).
    assert_allclose(
        found.to_map(np.array([[10.0, 0, 0], [0, 10.0, 3.0]])),
        [[229_006.0, 435_508.0, 20.0], [228_992.0, 435_506.0, 23.0]],
        atol=1e-9,
    )
    assert found.rotation_deg == pytest.approx(53.13010235)


def test_true_north_is_not_applied_beside_a_map_conversion(write_ifc: Write) -> None:
    path = write_ifc(true_north="(0.5,0.866)", more=CRS + "#51=IFCMAPCONVERSION(#12,#50,229000.,435500.,0.,$,$,$);\n")
    layer = read(path)
    assert_allclose(layer.geometry.bounds.high, (10, 10, 10), atol=1e-6)
    assert georeference(path).true_north_deg == pytest.approx(30.0, abs=0.01)


@pytest.mark.parametrize(
    ("scale", "doubt"),
    [("0.001", None), ("$", "ifc.scale_absent"), ("1.", "ifc.scale_units"), ("-2.", "ifc.scale_units")],
)
def test_millimetre_file_keeps_its_true_size(write_ifc: Write, scale: str, doubt: str | None) -> None:
    path = write_ifc(
        millimetres=True, size=10_000.0, more=CRS + f"#51=IFCMAPCONVERSION(#12,#50,229000.,435500.,20.,$,$,{scale});\n"
    )
    layer = read(path)
    assert_allclose(layer.geometry.bounds.low, (0, 0, 20), atol=1e-6)
    assert_allclose(layer.geometry.bounds.high, (10, 10, 30), atol=1e-6)
    assert (doubt in codes(layer)) if doubt else not [c for c in codes(layer) if c.startswith("ifc.scale")]


def test_eastings_written_in_millimetres(write_ifc: Write) -> None:
    more = CRS + "#51=IFCMAPCONVERSION(#12,#50,229000000.,435500000.,20000.,$,$,0.001);\n"
    layer = read(write_ifc(millimetres=True, size=10_000.0, more=more))
    assert_allclose(layer.geometry.bounds.low, (0, 0, 20), atol=1e-6)
    assert "ifc.offset_unit" in codes(layer)


def test_declared_map_unit_is_used(write_ifc: Write) -> None:
    more = (
        "#49=IFCSIUNIT(*,.LENGTHUNIT.,.MILLI.,.METRE.);\n#50=IFCPROJECTEDCRS('EPSG:5186',$,$,$,$,$,#49);\n"
        "#51=IFCMAPCONVERSION(#12,#50,229000000.,435500000.,20000.,$,$,$);\n"
    )
    assert_allclose(read(write_ifc(more=more)).geometry.bounds.low, (0, 0, 20), atol=1e-6)


def test_scaled_conversion_has_three_factors(write_ifc: Write) -> None:
    more = CRS + "#51=IFCMAPCONVERSIONSCALED(#12,#50,229000.,435500.,20.,0.,1.,1.,0.9999,1.0002,1.);\n"
    found = georeference(write_ifc(schema="IFC4X3_ADD2", more=more))
    # x axis points north: x = 10 goes 10 x 0.9999 north, y = 10 goes 10 x 1.0002 west.
    assert_allclose(found.to_map(np.array([[10.0, 10.0, 5.0]])), [[228_989.998, 435_509.999, 25.0]], atol=1e-9)


def test_rigid_operation_shifts_only(write_ifc: Write) -> None:
    more = CRS + "#51=IFCRIGIDOPERATION(#12,#50,IFCLENGTHMEASURE(229000.),IFCLENGTHMEASURE(435500.),7.);\n"
    found = georeference(write_ifc(schema="IFC4X3_ADD2", more=more))
    assert found.source == "IfcRigidOperation"
    assert_allclose(found.to_map(np.array([[1.0, 2.0, 3.0]])), [[229_001.0, 435_502.0, 10.0]])


@pytest.mark.parametrize(("latitude", "longitude"), [(0.637336, 2.221733), (36.51666, 127.29593)])
def test_rigid_operation_into_degrees(write_ifc: Write, latitude: float, longitude: float) -> None:
    more = (
        "#50=IFCGEOGRAPHICCRS('EPSG:4737',$,$,$,$,$);\n"
        f"#51=IFCRIGIDOPERATION(#12,#50,IFCPLANEANGLEMEASURE({latitude}),IFCPLANEANGLEMEASURE({longitude}),7.);\n"
    )
    found = georeference(write_ifc(schema="IFC4X3_ADD2", more=more))
    assert found.site is not None
    assert (found.site.latitude, found.site.longitude) == pytest.approx((36.51666, 127.29593), abs=1e-3)
    assert found.crs is None


@pytest.mark.parametrize("owner", [1, 30])
@pytest.mark.parametrize("name", ["ePSet_MapConversion", "EPSET_MAPCONVERSION"])
def test_property_sets_of_ifc2x3(write_ifc: Write, owner: int, name: str) -> None:
    values = {
        "Eastings": 229_000.0,
        "Northings": 435_500.0,
        "OrthogonalHeight": 20.0,
        "XAxisAbscissa": 0.0,
        "XAxisOrdinate": 1.0,
    }
    lines = [
        f"#{60 + k}=IFCPROPERTYSINGLEVALUE('{key}',$,IFCREAL({value}),$);\n"
        for k, (key, value) in enumerate(values.items())
    ]
    more = (
        "".join(lines)
        + f"#70=IFCPROPERTYSET('0AAAAAAAAAAAAAAAAAAA70',$,'{name}',$,(#60,#61,#62,#63,#64));\n"
        + f"#71=IFCRELDEFINESBYPROPERTIES('0AAAAAAAAAAAAAAAAAAA71',$,$,$,(#{owner}),#70);\n"
        + "#72=IFCPROPERTYSINGLEVALUE('Name',$,IFCLABEL('EPSG:5186'),$);\n"
        + "#73=IFCPROPERTYSET('0AAAAAAAAAAAAAAAAAAA73',$,'ePset_ProjectedCRS',$,(#72));\n"
        + f"#74=IFCRELDEFINESBYPROPERTIES('0AAAAAAAAAAAAAAAAAAA74',$,$,$,(#{owner}),#73);\n"
    )
    found = georeference(write_ifc(schema="IFC2X3", more=more))
    assert (found.level, found.crs) == (50, "EPSG:5186")
    assert_allclose(found.to_map(np.array([[10.0, 0.0, 0.0]])), [[229_000.0, 435_510.0, 20.0]], atol=1e-9)


@pytest.mark.parametrize(
    ("name", "crs"),
    [
        ("EPSG:5186", "EPSG:5186"),
        ("epsg 5186", "EPSG:5186"),
        ("urn:ogc:def:crs:EPSG::5186", "EPSG:5186"),
        ("5186", "EPSG:5186"),
        ("KGD2002 / Central Belt 2010", "EPSG:5186"),
        ("our own grid", None),
        ("", None),
    ],
)
def test_names_of_coordinate_systems(write_ifc: Write, name: str, crs: str | None) -> None:
    more = f"#50=IFCPROJECTEDCRS('{name}',$,$,$,$,$,$);\n#51=IFCMAPCONVERSION(#12,#50,229000.,435500.,20.,$,$,$);\n"
    found = georeference(write_ifc(more=more))
    assert found.crs == crs
    expected = "ifc.crs_unreadable" if name else "ifc.crs_missing"
    assert (expected in [i.code for i in found.issues]) == (crs is None)


def test_a_system_of_degrees_cannot_carry_a_map_conversion(write_ifc: Write) -> None:
    more = "#50=IFCPROJECTEDCRS('EPSG:4326',$,$,$,$,$,$);\n#51=IFCMAPCONVERSION(#12,#50,127.3,36.5,20.,$,$,$);\n"
    found = georeference(write_ifc(more=more))
    assert found.crs is None
    assert "ifc.crs_geographic" in [i.code for i in found.issues]


def test_the_user_names_the_missing_crs(write_ifc: Write) -> None:
    more = "#50=IFCPROJECTEDCRS('',$,$,$,$,$,$);\n#51=IFCMAPCONVERSION(#12,#50,229000.,435500.,20.,$,$,$);\n"
    found = georeference(write_ifc(more=more), crs="EPSG:5186")
    assert found.crs == "EPSG:5186"
    assert found.issues == ()


def test_a_crs_that_fits_nothing_is_not_used_silently(write_ifc: Write) -> None:
    (layer,) = FORMAT.read(write_ifc(), FRAME, ReadOptions(crs="EPSG:5186"), Feedback())
    assert {"ifc.crs_not_used", "ifc.not_georeferenced"} <= set(codes(layer))


def test_placement_in_map_coordinates_needs_a_named_crs(write_ifc: Write) -> None:
    path = write_ifc(site_at=(229_000.0, 435_500.0, 20.0))
    unnamed = inspect(path)
    assert unnamed.crs is None
    assert "ifc.coordinates_without_crs" in [i.code for i in unnamed.issues]
    (layer,) = FORMAT.read(path, FRAME, ReadOptions(crs="EPSG:5186"), Feedback())
    assert_allclose(layer.geometry.bounds.low, (0, 0, 20), atol=1e-9)
    assert georeference(path, centre=(229_005.0, 435_505.0, 25.0), crs="EPSG:5186").level == 30


def test_world_coordinate_system_alone_is_level_40(write_ifc: Write) -> None:
    found = georeference(write_ifc(world_at=(229_000.0, 435_500.0, 5.0)), crs="EPSG:5186")
    assert found.level == 40
    assert_allclose(found.to_map(np.array([[1.0, 2.0, 3.0]])), [[229_001.0, 435_502.0, 8.0]])


def test_map_conversion_starts_at_the_world_coordinate_system(write_ifc: Write) -> None:
    more = CRS + "#51=IFCMAPCONVERSION(#12,#50,229000.,435500.,20.,0.,1.,$);\n"
    found = georeference(write_ifc(world_at=(100.0, 50.0, 5.0), more=more))
    assert_allclose(found.to_map(np.array([[110.0, 50.0, 5.0]])), [[229_000.0, 435_510.0, 20.0]], atol=1e-9)
    assert "ifc.world_system" in [i.code for i in found.issues]


def test_offset_is_not_added_twice(write_ifc: Write) -> None:
    more = CRS + "#51=IFCMAPCONVERSION(#12,#50,229000.,435500.,20.,$,$,$);\n"
    layer = read(write_ifc(site_at=(229_100.0, 435_600.0, 20.0), more=more))
    assert_allclose(layer.geometry.bounds.low, (100, 100, 20), atol=1e-9)
    assert "ifc.placed_twice" in codes(layer)


def test_far_coordinates_keep_their_millimetres(write_ifc: Write) -> None:
    more = CRS + "#51=IFCMAPCONVERSION(#12,#50,0.,0.,0.,$,$,$);\n"
    layer = read(write_ifc(site_at=(229_000.1234, 435_500.4321, 20.0), more=more))
    assert_allclose(layer.geometry.bounds.low[:2], (0.1234, 0.4321), atol=1e-6)


def test_contradicting_latitude_is_told_and_loses(write_ifc: Write) -> None:
    more = CRS + "#51=IFCMAPCONVERSION(#12,#50,229000.,435500.,20.,$,$,$);\n"
    layer = read(write_ifc(latlong="(42,21,30),(-71,-3,-35),0.", more=more))
    assert "ifc.latlong_conflict" in codes(layer)
    assert_allclose(layer.geometry.bounds.low, (0, 0, 20), atol=1e-9)
    agreeing = read(write_ifc(latlong="(36,31,2),(127,19,27),0.", more=more))
    assert "ifc.latlong_conflict" not in codes(agreeing)


def test_latitude_and_true_north_turn_with_the_grid(write_ifc: Write) -> None:
    path = write_ifc(latlong="(36,31,12),(127,19,30),25.", true_north="(0.,1.)")
    layer = read(path)
    longitude, latitude = 127 + 19 / 60 + 30 / 3600, 36 + 31 / 60 + 12 / 3600
    east, north = (float(v) for v in transform(longitude, latitude, "EPSG:4326", "EPSG:5186"))
    ahead_east, ahead_north = (float(v) for v in transform(longitude, latitude + 1e-4, "EPSG:4326", "EPSG:5186"))
    # The model's y axis points to true north: ten metres along it lie along the meridian.
    length = math.hypot(ahead_east - east, ahead_north - north)
    expected = (
        east - 229_000 + 10 * (ahead_east - east) / length,
        north - 435_500 + 10 * (ahead_north - north) / length,
        25.0,
    )
    assert_allclose(corner(layer, *expected), expected, atol=1e-4)
    assert "ifc.placed_by_latlong" in codes(layer)
    assert ahead_east < east  # convergence is positive here: grid north lies east of true north


def test_true_north_to_the_right_turns_the_model_left(write_ifc: Write) -> None:
    layer = read(write_ifc(latlong="(36,31,0),(127,19,0),20.", true_north="(1.,0.)"))
    found = georeference(write_ifc(latlong="(36,31,0),(127,19,0),20.", true_north="(1.,0.)"))
    placed = place(found, FRAME, IfcOptions())
    # True north along the model's x axis: x goes north, y goes west.
    assert placed.rotation_deg == pytest.approx(90.0, abs=0.3)
    assert layer.geometry.bounds.low[2] == 20.0


def test_three_part_true_north_uses_the_last_two(write_ifc: Write) -> None:
    found = georeference(write_ifc(true_north="(2.,0.,1.)"))
    assert found.true_north_deg == pytest.approx(0.0)
    assert "ifc.true_north_3d" in [i.code for i in found.issues]


def test_latitude_at_the_site_not_at_the_zero_point(write_ifc: Write) -> None:
    layer = read(write_ifc(latlong="(36,31,0),(127,19,0),20.", site_at=(300.0, 400.0, 7.0)))
    east, north = (float(v) for v in transform(127 + 19 / 60, 36 + 31 / 60, "EPSG:4326", "EPSG:5186"))
    assert_allclose(layer.geometry.bounds.low, (east - 229_000, north - 435_500, 20.0), atol=1e-6)


def test_far_latitude_is_not_believed(write_ifc: Write) -> None:
    layer = read(write_ifc(latlong="(42,21,30),(-71,-3,-35),20."))
    assert "ifc.not_georeferenced" in codes(layer)
    assert "ifc.latlong_template" in codes(layer)
    assert_allclose(layer.geometry.bounds.low, (0, 0, 0), atol=1e-9)
    (issue,) = [i for i in layer.issues if i.code == "ifc.not_georeferenced"]
    assert issue.values["distance"] == "11048 km"


def test_zero_latitude_counts_as_none(write_ifc: Write) -> None:
    info = inspect(write_ifc(latlong="(0,0,0),(0,0,0),0."))
    assert info.crs is None
    assert {"ifc.latlong_zero", "ifc.no_place"} <= {i.code for i in info.issues}


def test_nothing_known_stands_in_the_middle_on_the_ground(write_ifc: Write) -> None:
    ground = Grid(np.full((20, 20), 31.5), -100.0, -100.0, 10.0)
    layer = read(write_ifc(), terrain=ground)
    assert_allclose(layer.geometry.bounds.low, (0, 0, 31.5), atol=1e-9)
    assert "ifc.not_georeferenced" in codes(layer)
    far = read(write_ifc(site_at=(500_000.0, 0.0, 300.0)), terrain=ground)
    assert_allclose(far.geometry.bounds.low, (-5, -5, 31.5), atol=1e-6)


def test_by_hand_goes_before_everything(write_ifc: Write) -> None:
    path = write_ifc(more=CRS + "#51=IFCMAPCONVERSION(#12,#50,100000.,400000.,20.,0.6,0.8,1.);\n")
    layer = read(path, at_east=229_100.0, at_north=435_600.0, at_height=12.0, rotation_deg=90.0)
    # Turned clockwise by 90 degrees: x goes south, y goes east.
    assert_allclose(layer.geometry.bounds.low, (100, 90, 12), atol=1e-6)
    assert_allclose(layer.geometry.bounds.high, (110, 100, 22), atol=1e-6)
    assert "ifc.placed_by_hand" in codes(layer)
    with pytest.raises(ValueError, match="belong together"):
        IfcOptions(at_east=1.0)


def test_scene_and_file_placement(write_ifc: Write) -> None:
    placed = write_ifc(more=CRS + "#51=IFCMAPCONVERSION(#12,#50,329000.,535500.,20.,$,$,$);\n")
    assert_allclose(read(placed).geometry.bounds.low, (100_000, 100_000, 20), atol=1e-6)
    moved = read(placed, placement="scene")
    assert_allclose(moved.geometry.bounds.low, (0, 0, 0), atol=1e-6)
    assert "ifc.moved_to_scene" in codes(moved)
    with pytest.raises(UserError) as caught:
        read(write_ifc(), placement="file")
    assert caught.value.code == "ifc.no_place"


def test_another_projection_is_transformed(write_ifc: Write) -> None:
    east, north = (float(v) for v in transform(229_000.0, 435_500.0, "EPSG:5186", "EPSG:32652"))
    more = f"#50=IFCPROJECTEDCRS('EPSG:32652',$,$,$,$,$,$);\n#51=IFCMAPCONVERSION(#12,#50,{east},{north},20.,$,$,$);\n"
    layer = read(write_ifc(size=100.0, more=more))
    top_east, top_north = transform(east + 100.0, north + 100.0, "EPSG:32652", "EPSG:5186")
    expected = (float(top_east) - 229_000, float(top_north) - 435_500, 120.0)
    assert_allclose(corner(layer, *expected), expected, atol=1e-6)


def test_box_keeps_what_touches_it(write_ifc: Write) -> None:
    path = write_ifc(more=CRS + "#51=IFCMAPCONVERSION(#12,#50,229000.,435500.,20.,$,$,$);\n")
    assert read(path, box=MapBox(229_009.0, 435_509.0, 229_100.0, 435_600.0)).geometry.bounds is not None
    away = ReadOptions(box=MapBox(229_011.0, 435_511.0, 229_100.0, 435_600.0))
    assert FORMAT.read(path, FRAME, away, Feedback()) == []


def test_cancel_leaves_nothing(write_ifc: Write) -> None:
    with pytest.raises(Cancelled):
        FORMAT.read(write_ifc(), FRAME, ReadOptions(), Feedback(is_cancelled=lambda: True))


def test_distance_on_the_globe() -> None:
    assert distance(127.0, 36.0, 127.0, 37.0) == pytest.approx(111_195, abs=5)
    assert distance(0.0, 0.0, 180.0, 0.0) == pytest.approx(math.pi * 6_371_000.0)
