"""Longitudinal profiles worked by hand: stations, slopes, covers, crossings."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.contract import Result
from analysis.registry import get
from analysis.run import execute
from geo.model import Grid, Layer, UserError
from tests.tiny import buildings, terrain, tiny_frame
from tests.tiny_pipes import line_layer, nodes, pipes, point_layer


def run(layers: list[Layer], **params: object) -> Result:
    return execute(get("utility.profile"), layers=layers, frame=tiny_frame(), params=params)


def table(result: Result, name: str) -> list[dict[str, object]]:
    found = next(t for t in result.tables if t.id == name)
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows()]


def slope_ground() -> Layer:
    """Ground that falls 1 m in 10 m toward the east, 20 m at x = 0."""
    x = np.arange(-100.0, 101.0, 2.0)
    return Layer("terrain", "Terrain", "terrain", Grid(np.tile(20.0 - x / 10.0, (len(x), 1)), x[0], x[0], 2.0))


def sewer() -> list[Layer]:
    """Two sewers with a drop of half a metre in the manhole between them; the second is drawn upward."""
    lines = [[(0.0, 0.0, 17.65), (30.0, 0.0, 17.35)], [(30.0, 40.0, 16.45), (30.0, 0.0, 16.85)]]
    return [
        line_layer(
            "sewer", lines, ["a", "b"], utility=["sewage"] * 2, diameter=[0.3] * 2, depth_quality=["measured"] * 2,
            invert_up=[17.5, 16.3], invert_down=[17.2, 16.7],
        ),
        point_layer("mh", [(30, 0, 17)], ["M"], node=["manhole"], utility=["sewage"]),
    ]  # fmt: skip


def test_stations_slopes_and_the_drop_in_a_manhole() -> None:
    x, y, _ = tiny_frame().origin
    result = run([*sewer(), slope_ground()], origin=f"{x}, {y}", target=f"{x + 30}, {y + 40}", step=10)
    rows = table(result, "stations")
    assert [r["station"] for r in rows] == pytest.approx([0, 10, 20, 30, 30, 40, 50, 60, 70])
    assert [r["invert"] for r in rows] == pytest.approx([17.5, 17.4, 17.3, 17.2, 16.7, 16.6, 16.5, 16.4, 16.3])
    assert [r["slope"] for r in rows] == pytest.approx([1.0] * 9)
    assert [r["ground"] for r in rows] == pytest.approx([20, 19, 18, 17, 17, 17, 17, 17, 17])
    assert rows[1]["cover"] == pytest.approx(19 - (17.55 + 0.15))
    assert result.summary["mean_slope"].value == pytest.approx((17.5 - 16.3) / 70 * 100)
    assert result.summary["min_cover"].value == pytest.approx(17 - 17.5)  # the pipe sticks out of the ground
    chart = result.charts[0]
    invert = next(s for s in chart.series if s.name == "Invert")
    assert np.isnan(invert.y).sum() == 1  # the line is broken at the drop
    marks = next(s for s in chart.series if s.name == "Nodes")
    assert (marks.labels, marks.x.tolist(), marks.y.tolist()) == (("M",), [30.0], [17.0])


def test_the_other_way_round_climbs() -> None:
    x, y, _ = tiny_frame().origin
    result = run([*sewer(), slope_ground()], origin=f"{x + 30}, {y + 40}", target=f"{x}, {y}", step=10)
    rows = table(result, "stations")
    assert [r["invert"] for r in rows] == pytest.approx([16.3, 16.4, 16.5, 16.6, 16.7, 17.2, 17.3, 17.4, 17.5])
    assert rows[0]["slope"] == pytest.approx(-1.0)


def test_without_terrain_the_cover_of_the_data_says_where_the_ground_is() -> None:
    result = run([pipes(), nodes()], origin="R", target="C")
    rows = table(result, "stations")
    assert {round(float(r["ground"]), 9) for r in rows} == {20.0}
    assert {round(float(r["cover"]), 9) for r in rows} == {1.5}
    bare = run(sewer(), origin="a", target="b")
    assert "utility.no_ground" in {issue.code for issue in bare.issues}
    assert bare.summary["min_cover"].value is None
    assert [c.id for c in bare.charts] == ["profile"]


def test_crossings_are_named_once_with_their_clearance() -> None:
    result = run([pipes(), nodes(), terrain()], origin="M1", target="O")
    rows = table(result, "crossing_list")
    assert [(r["element"], r["side"]) for r in rows] == [("g1", "above"), ("w3", "above")]
    assert [r["station"] for r in rows] == pytest.approx([70, 80])
    # Sewer axis 16.65 at x = 10: 18.8 - 16.65 - 0.05 - 0.15.
    assert rows[0]["gap"] == pytest.approx(1.95)
    marks = next(s for s in result.charts[0].series if s.name == "Crossings")
    assert marks.labels == ("G ø100", "W ø100")
    water = run([pipes(), nodes(), terrain()], origin="R", target="C")
    assert [r["element"] for r in table(water, "crossing_list")] == ["g1"]  # w3 is joined, not crossed
    assert not table(run([pipes(), nodes()], origin="R", target="C", crossings=False), "crossing_list")


def test_a_bend_right_at_the_crossing_is_one_crossing_and_an_overlap_is_said() -> None:
    lines = [[(0.0, 0.0, 18.0), (20.0, 0.0, 18.0)], [(10.0, -5.0, 18.1), (10.0, 0.0, 18.1), (12.0, 5.0, 18.1)]]
    layer = line_layer("two", lines, ["w", "e"], utility=["water", "power"], diameter=[0.2, 0.1])
    result = run([layer, terrain()], origin="w")
    assert [r["element"] for r in table(result, "crossing_list")] == ["e"]
    assert result.summary["min_clearance"].value == pytest.approx(-0.05)
    assert "utility.crossing_overlap" in {issue.code for issue in result.issues}


def test_chosen_pipes_make_a_run_or_say_why_not() -> None:
    result = run([pipes(), nodes(), terrain()], origin="s2; s1", step=200)
    assert table(result, "stations")[0]["element"] == "s2"
    assert result.summary["mean_slope"].value == pytest.approx(-0.5)
    for chosen in ("w2; w3", "w1; s1"):  # a branch, two runs
        with pytest.raises(UserError) as caught:
            run([pipes(), nodes()], origin=chosen)
        assert caught.value.code == "utility.no_run"


def test_buildings_over_the_run_are_told_with_their_lowest_height() -> None:
    lines = [[(-40.0, -4.0, 16.0), (60.0, -4.0, 16.0)]]
    layer = line_layer("under", lines, ["u"], utility=["heat"], diameter=[0.5])
    result = run([layer, terrain(), buildings()], origin="u")
    rows = table(result, "building_list")
    assert [r["building"] for r in rows] == ["b0"]
    assert (rows[0]["station"], rows[0]["station_end"], rows[0]["lowest"]) == pytest.approx(
        (30.0, 50.0, 20.0), abs=0.51
    )
    assert "utility.under_building" in {issue.code for issue in result.issues}
