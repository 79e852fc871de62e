"""Utility maps: depths, covers, inverts and sizes in space by hand-worked heights; units and misfits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import utilities, utility_depth
from geo.model import Column, Grid
from tests.geo.utility_files import FLAT_RUN, SLOPE, codes, heights, issue, read, write_lines


def test_cover_goes_down_to_the_top_of_the_pipe(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "WTL_PIPE_LM.gpkg",
        [FLAT_RUN],
        FTR_IDN=["7"],
        PIP_DIP=[600],
        LOW_DEP=[1.2],
        HGH_DEP=[1.2],
        IST_YMD=["20120305"],
    )
    layer = read(path)
    points = heights(layer, 0)
    np.testing.assert_allclose(points[:, 2], 20 + points[:, 0] / 10 - 1.2 - 0.3, atol=1e-9)
    assert layer.stratum == "underground"
    assert layer.theme == "utility"
    row = layer.table.row("7")
    assert (row["utility"], row["diameter"], row["depth_quality"], row["installed"]) == (
        *("water", 0.6, "register"),
        "2012-03-05",
    )
    assert row["cover"] == pytest.approx(1.2)


def test_cover_runs_between_the_ends_and_the_wall_counts(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "UFL_GPIP_LM.gpkg", [FLAT_RUN], PIP_DIP=[200], BEG_DEP=[1.0], END_DEP=[2.0], 관두께=[10]
    )
    layer = read(path)
    points = heights(layer, 0)
    share = points[:, 0] / 100
    np.testing.assert_allclose(points[:, 2], 20 + points[:, 0] / 10 - (1 + share) - 0.11, atol=1e-9)
    assert len(points) == 11, "a vertex at least every ten metres, to follow the ground"
    row = layer.table.row_at(0)
    assert row["diameter"] == pytest.approx(0.22)
    assert row["cover"] == pytest.approx(1.5)
    assert row["utility"] == "gas"


def test_inverts_win_and_make_a_straight_pipe(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "SWL_PIPE_LM.gpkg",
        [[[0, 0], [50, 0], [100, 0]], FLAT_RUN],
        PIP_DIP=[400, 400],
        BEG_DEP=[9.0, 1.0],
        SBK_ALT=[18.0, 18.0],
        SBL_ALT=[17.5, 0.0],
        하수관용도=["오수", "우수관"],
        BOM_IDN=["1", "2"],
        EOM_IDN=["2", "3"],
    )
    layer = read(path)
    np.testing.assert_allclose(heights(layer, 0)[[0, -1], 2], [18.2, 17.7], atol=1e-9)
    middle = np.interp(50, *heights(layer, 0)[:, [0, 2]].T)
    assert middle == pytest.approx(17.95)
    columns = layer.table.columns
    assert columns["invert_up"].values.tolist() == [18.0, 18.0]
    np.testing.assert_array_equal(columns["invert_down"].values, [17.5, np.nan])
    assert columns["utility"].values.tolist() == ["sewage", "storm"]
    assert columns["from"].values.tolist() == ["1", "2"]
    # One invert: that end by it, the other by its cover (ground 30, cover 1, half of 0.4).
    np.testing.assert_allclose(heights(layer, 1)[[0, -1], 2], [18.2, 30 - 1 - 0.2], atol=1e-9)


@pytest.mark.parametrize(
    ("fall", "gravity", "begin"),
    [
        (0.0, True, 1.0),  # on the flat only the deep end last falls
        (2.0, True, 1.5),  # on falling ground both fall: the gentler
        (-2.0, True, 1.0),  # drawn uphill: the lesser evil
        (2.0, False, 1.5),  # a pressure pipe lies as level as it can
        (-2.0, False, 1.0),
        (0.0, False, 1.0),  # alike: as drawn
    ],
)
def test_which_end_is_deep(fall: float, gravity: bool, begin: float) -> None:
    one = np.array([1.0])
    ends = utilities.ordered_ends(one, one * 1.5, (one * (20 + fall), one * 20), np.array([gravity]))
    assert ends.begin[0] == begin
    assert ends.begin[0] + ends.end[0] == 2.5
    assert ends.by_fall + ends.by_level + ends.as_drawn == 1


def test_depth_may_mean_the_axis_or_the_bottom(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "상수관로.gpkg", [FLAT_RUN], 관경=[500], 심도=[2.0])
    for means, drop in (("cover", 2.25), ("axis", 2.0), ("invert", 1.75)):
        assert heights(read(path, depth_means=means), 0)[0, 2] == pytest.approx(20 - drop)


def test_missing_depths_are_filled_by_rule_and_marked(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "도시가스관.gpkg", [FLAT_RUN] * 4, 관경=[200] * 4, 심도=[np.nan, np.nan, np.nan, 1.7],
        도로폭=[12.0, 5.0, 3.0, 12.0], 탐사여부=["Y", "N", "N", "탐사"],
    )  # fmt: skip
    layer = read(path)
    np.testing.assert_allclose(layer.table.columns["cover"].values, [1.2, 1.0, 0.8, 1.7])  # KGS FS551
    assert layer.table.columns["depth_quality"].values.tolist() == ["assumed", "assumed", "assumed", "measured"]
    errors = layer.table.columns["depth_error"].values
    assert errors[3] < errors[0]
    found = issue(layer, "utility.depth_assumed")
    assert (found.count, "KGS FS551" in found.message) == (3, True)
    np.testing.assert_allclose(read(path, road_class="site").table.columns["cover"].values, [0.6, 0.6, 0.6, 1.7])


def test_without_a_terrain_pipes_hang_from_zero_and_it_is_said(tmp_path: Path) -> None:
    layer = read(write_lines(tmp_path / "상수관로.gpkg", [FLAT_RUN], 관경=[200], 심도=[1.0]), terrain=None)
    np.testing.assert_allclose(heights(layer, 0)[:, 2], -1.1)
    assert issue(layer, "utility.no_terrain").severity == "doubt"
    assert layer.table.columns["cover"].values[0] == 1.0


def test_a_map_in_space_keeps_its_heights(tmp_path: Path) -> None:
    line = [[0, 0, 15.0], [0, 0, 10.0], [30, 0, 9.0]]  # a drop shaft first
    layer = read(write_lines(tmp_path / "하수관로.gpkg", [line], 관경=[1000], 심도=[1.0]))
    np.testing.assert_allclose(heights(layer, 0)[:, 2], [15, 10, 9])
    assert "utility.own_heights" in codes(layer)
    top = read(write_lines(tmp_path / "하수관로2.gpkg", [line], 관경=[1000]), z_means="top", kind="utility")
    np.testing.assert_allclose(heights(top, 0)[:, 2], [14.5, 9.5, 8.5])


def test_depths_given_as_heights_are_doubted(tmp_path: Path) -> None:
    deep = Grid(SLOPE.values + 100, SLOPE.x0, SLOPE.y0, SLOPE.cell)
    layer = read(write_lines(tmp_path / "상수관로.gpkg", [[[0, 0, -1.2], [9, 0, -1.2]]], 관경=[200]), terrain=deep)
    assert issue(layer, "utility.own_heights_far").severity == "doubt"


def test_a_name_that_is_no_id_is_not_taken_for_one(tmp_path: Path) -> None:
    layer = read(write_lines(tmp_path / "gas_pipes.gpkg", [FLAT_RUN] * 2, name=["Main St", "Main St"]))
    assert len(set(layer.table.ids)) == 2
    assert "utility.duplicate_ids" not in codes(layer)


def test_boxes_keep_width_and_height(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "SWL_PIPE_LM.gpkg", [FLAT_RUN, FLAT_RUN, FLAT_RUN], STD_DIP=[0, 600, 0],
        STD_HOL=[2000, 0, 0], STD_VEL=[1500, 0, 0], BEG_DEP=[2.0, 1.0, 1.0], END_DEP=[2.0, 1.0, 1.0],
    )  # fmt: skip
    layer = read(path)
    assert layer.table.row_at(0)["width"] == 2.0
    assert heights(layer, 0)[0, 2] == pytest.approx(20 - 2 - 0.75)
    assert np.isnan(layer.table.columns["diameter"].values[0])
    assert issue(layer, "utility.diameter_zero").elements == ("3",), "the box rightly has none"
    text = read(write_lines(tmp_path / "공동구.gpkg", [FLAT_RUN], 관경=["2.4x2.7"], 심도=[3.0]))
    assert (text.table.row_at(0)["width"], text.table.row_at(0)["height"]) == (2.4, 2.7)
    assert text.table.row_at(0)["utility"] == "tunnel"


def sizes(values: list[object], what: str = "cover", **more: str) -> utility_depth.Sizes:
    array = np.array(values, dtype=object if any(isinstance(v, str) or v is None for v in values) else float)
    ids = np.array([f"p{k}" for k in range(len(values))], dtype=object)
    return utility_depth.read_sizes(Column(array), what, ids=ids, name="DEP", **more)


@given(
    st.lists(st.floats(0.5, 4.0), min_size=5, max_size=40),
    st.sampled_from(["m", "cm", "mm"]),
)
@settings(max_examples=80, deadline=None)
def test_the_unit_of_depths_is_found(depths: list[float], unit: str) -> None:
    true = np.round(depths, 2)
    found = sizes((true / utility_depth.METRES[unit]).tolist())
    assert found.unit == unit
    usable = ~np.isin(true / utility_depth.METRES[unit], utility_depth.NO_VALUE)
    np.testing.assert_allclose(found.values[usable], true[usable], rtol=1e-12)


@given(st.lists(st.sampled_from([50, 80, 100, 150, 200, 300, 600, 900, 1200, 2000]), min_size=3, max_size=20))
@settings(max_examples=30, deadline=None)
def test_the_unit_of_diameters_is_found(mm: list[int]) -> None:
    for factor in (1.0, 1000.0):
        np.testing.assert_allclose(sizes([v / factor for v in mm], "diameter").values, np.array(mm) / 1000)


def test_single_misfits_are_repaired_or_left_unknown_and_listed() -> None:
    found = sizes([1.2, 1.3, 1.1, 120.0, 1500.0, -1.4, 999.0, 0.0, 1e9, np.nan, 1.0])
    np.testing.assert_allclose(
        found.values, [1.2, 1.3, 1.1, 1.2, 1.5, 1.4, np.nan, np.nan, np.nan, np.nan, 1.0], rtol=1e-12
    )
    listed = {i.code: i.elements for i in found.issues}
    assert listed == {
        "utility.cover_other_unit": ("p3", "p4"),
        "utility.cover_negative": ("p5",),
        "utility.cover_no_value": ("p6",),
        "utility.cover_zero": ("p7",),
        "utility.cover_impossible": ("p8",),
    }
    assert np.flatnonzero(found.repaired).tolist() == [3, 4, 5]


def test_depths_in_text() -> None:
    found = sizes(["1.2m", "GL-1.5", "120cm", "1,200mm", "불명", None, "", "1.0~1.4", "약 0.9"])
    np.testing.assert_allclose(found.values, [1.2, 1.5, 1.2, 1.2, np.nan, np.nan, np.nan, 1.2, 0.9])
    assert [i.elements for i in found.issues if i.code == "utility.cover_unreadable"] == [("p4",)]


def test_a_column_that_is_negative_throughout_loses_its_sign_without_fuss() -> None:
    found = sizes([-1.2, -1.5, -0.9])
    np.testing.assert_allclose(found.values, [1.2, 1.5, 0.9])
    assert [i.severity for i in found.issues] == ["note"]
    assert not found.repaired.any()


def test_diameters_of_zero_or_less_are_unknown() -> None:
    found = sizes([0, 200, -50, 999, 0.3], "diameter", unit="mm")
    np.testing.assert_allclose(found.values, [np.nan, 0.2, np.nan, np.nan, 0.3])
