"""Figures of plots: worked by hand, floors of podium and tower, limits, alternatives, gaps in the data."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.contract import Result
from analysis.registry import get
from analysis.run import execute
from analysis.site_figures.floors import area_at, floors_of
from geo.alternatives import Alternative, Change, Mass, apply_alternative
from geo.model import Column, ElementRef, ElementTable, Frame, Layer, UserError
from tests.tiny import box_mesh, terrain
from tests.tiny_parcels import parcels

Box = tuple[float, float, float, float, float, float]
FRAME = Frame("EPSG:5186", (229_000.0, 435_500.0, 0.0), 127.3, 36.5, convergence_deg=0.0)
PLOT = ((0.0, 0.0), (40.0, 0.0), (40.0, 50.0), (0.0, 50.0))  # 2,000 m2
NEXT = ((40.0, 0.0), (80.0, 0.0), (80.0, 50.0), (40.0, 50.0))
HOUSE: Box = (5.0, 5.0, 20.0, 20.0, 20.0, 30.0)  # 20 x 20 m, 30 m high


def houses(boxes: list[Box], **columns: list[object]) -> Layer:
    mesh, _ = box_mesh(boxes)
    said = {name: Column(np.array(values)) for name, values in columns.items()}
    return Layer("b", "B", "building", mesh, ElementTable([f"b{k}" for k in range(len(boxes))], said))


def plots(*rings: object, **columns: list[float]) -> Layer:
    layer = parcels(rings or (PLOT,))  # type: ignore[arg-type]
    said = {name: Column(np.array(values), "%") for name, values in columns.items()}
    return layer.with_(table=ElementTable(layer.table.ids, {**layer.table.columns, **said}))


def run(layers: list[Layer], **params: object) -> Result:
    return execute(get("site.figures"), layers=layers, frame=FRAME, params=params)


def table(result: Result, name: str = "plots") -> list[dict[str, object]]:
    found = next(one for one in result.tables if one.id == name)
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows()]


def codes(result: Result) -> set[str]:
    return {issue.code for issue in result.issues}


def test_figures_of_one_house_by_hand() -> None:
    house = houses([HOUSE], storeys_above=[10], use=["공동주택"], dwellings=[40])
    row = table(run([plots(), house, terrain()]))[0]
    assert row["site_area"] == 2000.0
    assert row["building_area"] == 400.0
    assert row["coverage"] == 20.0
    assert row["floor_area"] == 4000.0
    assert row["floor_area_ratio"] == 200.0
    assert row["height"] == pytest.approx(30.0, abs=0.2)
    assert (row["storeys"], row["dwellings"], row["parking"]) == (10, 40, 40)


def test_limits_of_the_decree_and_of_the_parcel() -> None:
    house = houses([HOUSE], storeys_above=[10], use=["공동주택"], dwellings=[40])
    national = {row["rule"]: row for row in table(run([plots(), house, terrain()]), "checks")}
    assert national["floor_area"]["limit"] == 250.0  # 제2종일반주거
    assert national["floor_area"]["verdict"] == "ok"
    assert not national["floor_area"]["verified"]
    own = {row["rule"]: row for row in table(run([plots(far_max=[180.0], bcr_max=[60.0]), house, terrain()]), "checks")}
    assert own["floor_area"]["verdict"] == "breaks"
    assert own["floor_area"]["limit"] == 180.0
    assert own["coverage"]["verdict"] == "ok"


def test_a_limit_is_kept_to_the_digit() -> None:
    house = houses([HOUSE], storeys_above=[10], use=["업무시설"])
    at_limit = table(run([plots(far_max=[200.0]), house, terrain()]), "checks")
    over = table(run([plots(far_max=[199.9]), house, terrain()]), "checks")
    assert {row["verdict"] for row in at_limit if row["rule"] == "floor_area"} == {"ok"}
    assert {row["verdict"] for row in over if row["rule"] == "floor_area"} == {"breaks"}


def test_unknown_zoning_is_not_judged() -> None:
    house = houses([HOUSE], storeys_above=[10])
    bare = parcels((PLOT,), zoning=["관리지역"])
    rows = table(run([bare, house, terrain()]), "checks")
    assert {row["verdict"] for row in rows} == {"cannot_tell"}


def test_floors_of_podium_and_tower() -> None:
    """A podium of two storeys, 40 x 30 m, under a tower of 8 more, 20 x 20 m, drawn as one solid."""
    podium, _ = box_mesh([(0, 0, 0, 40, 30, 8)])
    tower, _ = box_mesh([(10, 5, 8, 20, 20, 32)])
    both = np.concatenate([podium.vertices[podium.faces], tower.vertices[tower.faces]])
    assert area_at(both, 4.0) == pytest.approx(1200.0)
    assert area_at(both, 20.0) == pytest.approx(400.0)
    found = floors_of(both, 1200.0, 10.0, storey_height=3.0)
    assert found.area == pytest.approx(2 * 1200 + 8 * 400)
    assert not found.odd


def test_a_sloping_roof_has_the_area_at_the_middle_of_its_storey() -> None:
    wedge = np.array([[0, 0, 0], [10, 0, 0], [10, 10, 0], [0, 10, 0], [0, 0, 6], [0, 10, 6]], dtype=float)
    faces = [(0, 2, 1), (0, 3, 2), (0, 4, 5), (0, 5, 3), (1, 2, 5), (1, 5, 4), (0, 1, 4), (3, 5, 2)]
    found = floors_of(wedge[np.array(faces)], 100.0, 2.0, storey_height=3.0)
    assert found.area == pytest.approx(75.0 + 25.0)


def test_storeys_and_dwellings_that_are_not_told_are_guessed_and_said() -> None:
    result = run([plots(), houses([HOUSE], use=["공동주택"]), terrain()])
    row = table(result)[0]
    assert row["storeys"] == 10
    assert row["dwellings"] == 36  # 4,000 m2 / 110 m2
    assert {"site.figures.storeys_guessed", "site.figures.dwellings_guessed"} <= codes(result)


def test_an_alternative_has_its_own_figures() -> None:
    """Five storeys less, and a new mass on the next plot."""
    base = [plots(PLOT, NEXT), houses([HOUSE], storeys_above=[10], use=["공동주택"], dwellings=[40]), terrain()]
    mass = Mass("m1", ((45.0, 5.0), (65.0, 5.0), (65.0, 15.0), (45.0, 15.0)), 20.0, 4, 3.5, "New", "업무시설")
    changes = {ElementRef("b", "b0"): Change(height_factor=0.5)}
    rows = table(run(list(apply_alternative(base, Alternative("a", "A", changes, (mass,))))))
    assert [row["floor_area"] for row in rows] == [2000.0, 800.0]
    assert [row["dwellings"] for row in rows] == [20.0, 0.0]
    assert [row["storeys"] for row in rows] == [5.0, 4.0]
    assert rows[1]["parking"] == 5  # 800 m2 of offices, one per 150 m2: 5.33
    assert table(run(base))[0]["floor_area"] == 4000.0  # the base is as it was


def test_a_house_across_two_plots_makes_them_one() -> None:
    across = houses([(30.0, 10.0, 20.0, 20.0, 20.0, 30.0)], storeys_above=[10])
    row = table(run([plots(PLOT, NEXT, far_max=[100.0, 300.0], bcr_max=[50.0, 60.0]), across, terrain()]))
    assert len(row) == 1
    assert row[0]["site_area"] == 4000.0
    assert row[0]["floor_area_limit"] == 200.0


def test_only_the_plot_asked_for() -> None:
    base = [plots(PLOT, NEXT), houses([HOUSE], storeys_above=[10]), terrain()]
    assert [row["plot"] for row in table(run(base, plot="p1"))] == ["p1"]
    assert table(run(base, plot="p1"))[0]["floor_area"] == 0.0
    with pytest.raises(UserError) as refused:
        run(base, plot="nowhere")
    assert refused.value.code == "site.figures.no_plot"


def test_the_map_covers_the_plot() -> None:
    result = run([plots(), houses([HOUSE], storeys_above=[10]), terrain()])
    mesh = result.layers[0].geometry
    assert mesh is not None
    assert np.abs(mesh.face_cross[:, 2]).sum() / 2 == pytest.approx(2000.0)
    assert (mesh.face_cross[:, 2] > 0).all()
