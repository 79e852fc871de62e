"""Excavations against pipes: distances, classes and thresholds worked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.contract import Result
from analysis.excavation.solids import Sheet, crosses_itself, is_closed, merged, prism, ring_sheet
from analysis.kernels.capsules import points_inside
from analysis.registry import get
from analysis.run import execute
from geo.model import Column, ElementTable, Layer, Lines, Mesh, Points, UserError
from tests.tiny import box_mesh, terrain, tiny_frame
from tests.tiny_pipes import excavation, line_layer, pipes


def run(layers: list[Layer], chosen: dict[str, list[str]] | None = None, **params: object) -> Result:
    return execute(get("utility.excavation"), layers=layers, frame=tiny_frame(), params=params, chosen=chosen)


def listed(result: Result) -> list[dict[str, object]]:
    table = result.tables[0]
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows()]


def classes(result: Result) -> dict[str, str]:
    return {str(row["element"]): str(row["class"]) for row in listed(result)}


def codes(result: Result) -> dict[str, int]:
    return {issue.code: issue.count for issue in result.issues}


def side_pipes(*gaps: float, utility: str = "telecom", error: float = 0.1, depth: float = 18.0) -> Layer:
    """Pipes of 0.2 m beside the pit of `excavation`, their outside at the given distances east of its wall."""
    lines = [[(14.0 + gap + 0.1, -60.0, depth), (14.0 + gap + 0.1, 0.0, depth)] for gap in gaps]
    count = len(gaps)
    return line_layer(
        "side", lines, [f"p{k}" for k in range(count)], utility=[utility] * count, diameter=[0.2] * count,
        plan_error=[error] * count, depth_error=[error] * count, depth_quality=["measured"] * count,
    )  # fmt: skip


def test_classes_follow_rule_and_uncertainty() -> None:
    """Clearance 0.3 m; uncertainty 2 x sqrt(0.1^2 + 0.1^2 + 0.05^2) = 0.3 m: seen up to 0.6 m."""
    result = run([side_pipes(-0.05, 0.1, 0.29, 0.31, 0.59, 0.61), excavation(), terrain()])
    assert classes(result) == {"p0": "hard", "p1": "clearance", "p2": "clearance", "p3": "uncertain", "p4": "uncertain"}
    rows = {row["element"]: row for row in listed(result)}
    assert rows["p1"]["distance"] == pytest.approx(0.1, abs=1e-9)
    assert rows["p1"]["shortfall"] == pytest.approx(0.2, abs=1e-9)
    assert rows["p1"]["uncertainty"] == pytest.approx(0.3, abs=1e-9)
    assert rows["p1"]["hand_dig"] == pytest.approx(2 * (0.3 + 0.2) + 0.2)
    assert result.summary["hard"].value == 1
    sure = run([side_pipes(0.31, error=0.0), excavation(), terrain()], dig_error=0.0)
    assert classes(sure) == {}
    wider = run([side_pipes(0.31, error=0.0), excavation(), terrain()], dig_error=0.0, clearance=0.05)
    assert classes(wider) == {"p0": "clearance"}


def test_a_pipe_under_the_floor_is_measured_to_the_floor() -> None:
    lines = [[(10.0, -60.0, 16.0), (10.0, 0.0, 16.0)]]
    layer = line_layer("deep", lines, ["d"], utility=["sewage"], diameter=[0.4], plan_error=[0.0], depth_error=[0.0])
    result = run([layer, excavation(3.7), terrain()], dig_error=0.0)  # floor at 16.3, top of pipe at 16.2
    assert listed(result)[0]["distance"] == pytest.approx(0.1, abs=1e-9)
    assert listed(result)[0]["class"] == "clearance"


def test_a_pipe_wholly_inside_is_hit_and_says_how_deep() -> None:
    lines = [[(9.0, -30.0, 14.0), (11.0, -30.0, 14.0)]]
    layer = line_layer("in", lines, ["i"], utility=["power"], diameter=[0.2], plan_error=[0.1], depth_error=[0.1])
    result = run([layer, excavation(12.0), terrain()])
    row = listed(result)[0]
    assert row["class"] == "hard"
    assert row["distance"] == pytest.approx(-3.0 - 0.1)  # 3 m from the walls x = 6 and x = 14 and from the others more


def test_boxes_are_measured_as_boxes() -> None:
    lines = [[(17.0, -60.0, 17.0), (17.0, 0.0, 17.0)]]
    layer = line_layer(
        "duct", lines, ["t"], utility=["tunnel"], diameter=[np.nan], width=[5.0], height=[3.0], plan_error=[0.0],
        depth_error=[0.0],
    )  # fmt: skip
    result = run([layer, excavation(), terrain()], dig_error=0.0, clearance=0.5)
    assert listed(result)[0]["distance"] == pytest.approx(0.5, abs=1e-9)
    assert "excavation.diameter_assumed" not in codes(result)


def test_a_missing_size_and_a_missing_error_are_said() -> None:
    lines = [[(14.4, -60.0, 18.0), (14.4, 0.0, 18.0)]]
    layer = line_layer("plain", lines, ["q"], utility=["water"])
    result = run([layer, excavation(), terrain()])
    assert listed(result)[0]["distance"] == pytest.approx(0.4 - 0.15)
    assert {"excavation.diameter_assumed", "excavation.error_assumed"} <= set(codes(result))


@pytest.mark.parametrize(
    ("depth", "code"), [(9.99, None), (10.0, "small"), (19.99, "small"), (20.0, "full"), (35.0, "full")]
)
def test_thresholds_of_the_law(depth: float, code: str | None) -> None:
    found = set(codes(run([pipes(), excavation(depth), terrain()])))
    said = {c for c in ("small", "full") if f"excavation.{c}_assessment" in found}
    assert said == ({code} if code else set())


def test_gas_asks_for_a_notice_and_a_long_trench_for_the_committee() -> None:
    assert "excavation.gas_notice" in codes(run([pipes(), excavation(), terrain()]))
    assert "excavation.gas_notice" not in codes(run([side_pipes(0.1), excavation(), terrain()]))
    assert "excavation.road_committee" not in codes(run([pipes(), excavation(), terrain()]))
    assert "excavation.gas_notice" in codes(run([side_pipes(0.1, utility="gas"), excavation(), terrain()]))
    x, y, _ = tiny_frame().origin
    corners = [(0, -40), (31, -40), (31, -38), (0, -38)]
    outline = "; ".join(f"{x + a}, {y + b}" for a, b in corners)
    result = run([pipes(), terrain()], outline=outline, depth=2.0)
    assert codes(result)["excavation.road_committee"] == 1
    assert result.summary["volume"].value == pytest.approx(31 * 2 * 2)
    assert set(classes(result)) == {"g1", "w3"}


def mesh_layer(mesh: Mesh, theme: str = "excavation", **columns: float) -> Layer:
    rows = int(mesh.face_element.max()) + 1
    table = ElementTable(
        [f"m{k}" for k in range(rows)], {name: Column(np.full(rows, value), "m") for name, value in columns.items()}
    )
    return Layer("hole", "Hole", theme, mesh, table)


def test_ring_flat_mesh_and_closed_solid_of_one_pit_agree() -> None:
    box, _ = box_mesh([(6.0, -34.0, 8.0, 8.0, 8.0, 12.0)])
    flat = Mesh(box.vertices[4:] * [1, 1, 1], np.array([[0, 1, 2], [0, 2, 3]]), np.zeros(2, np.int32))
    beside = side_pipes(0.2, 0.45)
    layers = (excavation(12.0), mesh_layer(flat, depth=12.0), mesh_layer(box), mesh_layer(box, depth=12.0))
    answers = [listed(run([beside, pipes(), layer, terrain()])) for layer in layers]
    for rows in answers[1:]:
        assert [row["element"] for row in rows] == [row["element"] for row in answers[0]]
        assert [row["distance"] for row in rows] == pytest.approx([row["distance"] for row in answers[0]], abs=1e-9)
        assert [row["class"] for row in rows] == [row["class"] for row in answers[0]]


def test_a_thousand_tree_pits_at_once() -> None:
    """Round holes of 1 m every 2 m along a pipe whose outside is 0.25 m from each second of them."""
    count = 1000
    x = np.arange(count) * 2.0
    y = np.where(np.arange(count) % 2 == 0, 0.85, 3.0)  # 0.85 - 0.5 - 0.1 = 0.25
    layer = Layer(
        "trees", "Tree pits", "excavation", Points(np.column_stack([x, y, np.full(count, 20.0)]), np.arange(count)),
        ElementTable([f"t{k}" for k in range(count)],
                     {"depth": Column(np.full(count, 1.5), "m"), "diameter": Column(np.full(count, 1.0), "m")}),
    )  # fmt: skip
    lines = [[(-5.0, 0.0, 19.0), (2100.0, 0.0, 19.0)]]
    pipe = line_layer("main", lines, ["w"], utility=["water"], diameter=[0.2], plan_error=[0.0], depth_error=[0.0])
    result = run([pipe, layer], dig_error=0.0)
    rows = listed(result)
    assert [row["excavation"] for row in rows] == [f"t{k}" for k in range(0, count, 2)]
    # The polygon around the circle is nowhere inside it and at most 2 % outside.
    assert all(0.23 < float(row["distance"]) <= 0.25 + 1e-9 for row in rows)
    assert result.summary["clearance"].value == 1


def test_a_model_is_a_pit_around_what_lies_below_the_ground() -> None:
    slabs, _ = box_mesh([(6.0, -34.0, 12.0, 8.0, 8.0, 0.3), (6.0, -34.0, 30.0, 60.0, 60.0, 0.3)])  # floor, roof
    model = mesh_layer(slabs, "bim")
    inside = line_layer("in", [[(9.0, -30.0, 16.0), (11.0, -30.0, 16.0)]], ["i"], utility=["gas"], diameter=[0.1])
    pit = run([inside, model, terrain()], chosen={"models": ["hole"]})
    assert classes(pit) == {"i": "hard"}
    assert pit.summary["deepest"].value == pytest.approx(8.0)
    assert "excavation.model_pit" in codes(pit)
    parts = run([inside, model, terrain()], chosen={"models": ["hole"]}, model="solids")
    assert classes(parts) == {}  # 3.7 m above the slab
    with pytest.raises(UserError) as caught:
        run([inside, model, terrain()])  # not named: no excavation
    assert caught.value.code == "excavation.none"


def test_bad_outlines_are_said_and_good_ones_used() -> None:
    bow = np.array([(0, 0, 20), (4, 4, 20), (4, 0, 20), (0, 4, 20), (0, 0, 20)], dtype=float)
    line = np.array([(0, 0, 20), (4, 0, 20), (8, 0, 20)], dtype=float)
    good = np.array([(6, -34, 20), (14, -34, 20), (14, -26, 20), (6, -26, 20)], dtype=float)
    rings = Lines(np.concatenate([bow, line, good]), np.array([0, 5, 8, 12]), np.arange(3))
    layer = Layer("rings", "Rings", "excavation", rings, ElementTable(["bow", "line", "good"]))
    result = run([pipes(), layer, terrain()])
    assert next(i for i in result.issues if i.code == "excavation.unusable").elements == ("bow", "line")
    assert result.summary["excavations"].value == 1
    assert codes(result)["excavation.depth_assumed"] == 1
    assert result.summary["deepest"].value == 3.0
    with pytest.raises(UserError) as caught:
        run([pipes(), terrain()], outline="229000, 435500; 229010, 435500")
    assert caught.value.code == "excavation.outline"


def test_an_open_solid_is_said() -> None:
    box, _ = box_mesh([(6.0, -34.0, 8.0, 8.0, 8.0, 12.0)])
    torn = Mesh(box.vertices, box.faces[1:], box.face_element[1:])
    result = run([pipes(), mesh_layer(torn, "bim"), terrain()], chosen={"models": ["hole"]}, model="solids")
    assert codes(result)["excavation.open_solid"] == 1


def test_ring_sheets_have_holes_and_prisms_close() -> None:
    outer = np.array([(0, 0), (10, 0), (10, 10), (0, 10)], dtype=float)
    hole = np.array([(4, 4), (6, 4), (6, 6), (4, 6)], dtype=float)
    sheet = ring_sheet([outer + 1e6, hole + 1e6])
    assert sheet is not None
    solid = prism(sheet, -3.0, 0.0)
    volume = abs(np.einsum("ti,ti->", solid[:, 0] - 1e6, np.cross(solid[:, 1] - 1e6, solid[:, 2] - 1e6))) / 6
    assert volume == pytest.approx((100 - 4) * 3)
    vertices, faces = merged(solid.reshape(-1, 3), np.arange(3 * len(solid)).reshape(-1, 3))
    assert is_closed(faces)
    spots = np.array([(5.0, 5.0, -1.0), (1.0, 5.0, -1.0), (1.0, 5.0, -4.0)]) + [1e6, 1e6, 0]
    assert points_inside(spots, solid).tolist() == [False, True, False]
    assert crosses_itself(outer[[0, 2, 1, 3]])
    assert not crosses_itself(outer)
    assert isinstance(sheet, Sheet)


def test_moving_everything_changes_nothing() -> None:
    x, y, _ = tiny_frame().origin
    shift = np.array([3000.0, -2000.0, 7.0])

    def moved(layer: Layer) -> Layer:
        shape = layer.geometry
        if not isinstance(shape, Lines):
            raise TypeError("lines are expected")
        return layer.with_(geometry=Lines(shape.vertices + shift, shape.offsets, shape.line_element))

    here = listed(run([side_pipes(-0.02, 0.1, 0.5), pipes(), excavation()]))
    there = listed(run([moved(side_pipes(-0.02, 0.1, 0.5)), moved(pipes()), moved(excavation())]))
    for a, b in zip(here, there, strict=True):
        assert a["element"] == b["element"]
        assert a["class"] == b["class"]
        assert a["distance"] == pytest.approx(b["distance"], abs=1e-9)
        assert (b["easting"], b["axis"]) == pytest.approx((a["easting"] + 3000.0, a["axis"] + 7.0), abs=1e-6)


def test_trees_are_pits_and_a_model_does_not_hit_its_own_pipes() -> None:
    """Two trees over a main with 0.4 m of cover: pits 1.5 m wide and 1 m deep cut it, 3 m beside it they do not."""
    main = side_pipes(0.0, error=0.0, depth=19.5)
    x = float(np.asarray(main.geometry.vertices)[0, 0])
    spots = np.array([(x + 0.5, -30.0, 20.0), (x + 3.0, -20.0, 20.0)])
    trees = Layer(
        "trees", "Trees", "tree", Points(spots, np.arange(2, dtype=np.int32)), ElementTable(["near", "far"])
    )  # fmt: skip
    result = run([main, trees, terrain()], chosen={"trees": ["trees"]}, dig_error=0.0)
    assert [(row["excavation"], row["class"]) for row in listed(result)] == [("near", "hard")]
    assert codes(result)["excavation.tree_pits"] == 2
    wide = trees.with_(table=trees.table.with_columns({"pit": Column(np.array([1.5, 6.5]), "m")}))
    result = run([main, wide, terrain()], chosen={"trees": ["trees"]}, dig_error=0.0)
    assert {row["excavation"] for row in listed(result)} == {"near", "far"}
    house = Layer("house", "House", "bim", box_mesh([(x - 2, -40.0, 15.0, 4.0, 20.0, 15.0)])[0], ElementTable(["h"]))
    house = house.with_(source=replace(house.source, path="house.ifc"))
    own = main.with_(id="own", source=replace(main.source, path="house.ifc"))
    result = run([main, own, house, terrain()], chosen={"models": ["house"]})
    assert {row["layer"] for row in listed(result)} == {main.name}
    assert len(listed(result)) == 1
    assert codes(result)["excavation.own_pipes"] == 1
