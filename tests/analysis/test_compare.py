"""Differences of results: after minus before at the same place, on one scale, nothing made up where one is missing."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.contract import Result
from analysis.registry import get
from analysis.run import execute
from geo.model import Grid, Layer, UserError
from tests.tiny import buildings, terrain, tiny_frame

LOW = (30.0, 10.0, 20.0, 15.0, 15.0, 9.0)
TALL = (30.0, 10.0, 20.0, 15.0, 15.0, 29.0)
FIRST = (-10.0, -10.0, 20.0, 20.0, 12.0, 30.0)
COARSE = {"day": "2026-12-22", "step": 30, "ground_cell": 8.0, "facade_spacing": 4.0}


def hours(boxes: list[tuple[float, ...]], **params: object) -> tuple[Layer, ...]:
    layers = [terrain(), buildings(boxes)]  # type: ignore[arg-type]
    result = execute(get("sunlight.hours"), layers=layers, frame=tiny_frame(), params={**COARSE, **params})
    return result.layers


def compare(before: tuple[Layer, ...], after: tuple[Layer, ...], **params: object) -> Result:
    one = [layer.with_(id=f"before-{k}") for k, layer in enumerate(before)]
    other = [layer.with_(id=f"after-{k}") for k, layer in enumerate(after)]
    chosen = {"before": [layer.id for layer in one], "after": [layer.id for layer in other]}
    return execute(get("compare.results"), layers=[*one, *other], frame=tiny_frame(), params=params, chosen=chosen)


def part(layers: tuple[Layer, ...], name: str) -> Layer:
    return next(layer for layer in layers if layer.source.part == name)


def test_a_result_does_not_differ_from_itself() -> None:
    before = hours([FIRST, LOW])
    result = compare(before, before)
    assert result.summary["changed"].value == 0
    assert result.summary["compared"].value > 500
    for layer in result.layers:
        for field in layer.fields:
            known = np.asarray(field.values)[np.isfinite(field.values)]
            assert len(known)
            assert not known.any()


def test_a_taller_house_takes_sun_from_the_ground_behind_it() -> None:
    before, after = hours([FIRST, LOW]), hours([FIRST, TALL])
    result = compare(before, after)
    ground = part(result.layers, "difference-ground")
    one, other = part(before, "ground"), part(after, "ground")
    field = ground.field_named("sun_hours_difference")
    assert field is not None
    want = np.asarray(other.fields[0].values) - np.asarray(one.fields[0].values)
    np.testing.assert_array_equal(field.values, want)
    assert np.nanmin(want) < -0.4
    assert np.nanmax(want) <= 0.0
    for name in (
        "difference-facades",
        "difference-roofs",
    ):  # only the house that grew itself comes further into the sun
        layer = part(result.layers, name)
        more = np.asarray(layer.fields[0].values) > 1e-9
        assert set(layer.table.ids[layer.geometry.face_element[more]]) <= {"b1"}  # type: ignore[union-attr]
    assert field.range is not None
    assert field.range[0] == -field.range[1]
    ranges = {item.range for layer in result.layers for item in layer.fields if item.name == "sun_hours_difference"}
    assert len(ranges) == 1


def test_one_more_house_leaves_the_cells_of_the_others_where_they_are() -> None:
    # The new house stands further out, so the ground of the second run is larger.
    before, after = hours([FIRST, LOW]), hours([FIRST, LOW, (61.3, 3.7, 20.0, 9.0, 9.0, 30.0)])
    result = compare(before, after)
    ground = part(result.layers, "difference-ground")
    assert isinstance(ground.geometry, Grid)
    shared = np.isfinite(np.asarray(ground.fields[0].values))
    assert shared.sum() > 0.9 * np.isfinite(np.asarray(part(before, "ground").fields[0].values)).sum() - 10
    facades = part(result.layers, "difference-facades")
    assert list(facades.table.ids) == ["b0", "b1", "b2"]
    values, mesh = np.asarray(facades.fields[0].values), facades.geometry
    assert np.isnan(values[mesh.face_element == 2]).all()  # type: ignore[union-attr]
    assert np.isfinite(values[mesh.face_element == 0]).all()  # type: ignore[union-attr]


def test_verdicts_tell_what_became_of_what() -> None:
    def rights(boxes: list[tuple[float, ...]]) -> tuple[Layer, ...]:
        layers = [terrain(), buildings(boxes)]  # type: ignore[arg-type]
        return execute(get("sunlight.rights"), layers=layers, frame=tiny_frame(), params={"step": 30}).layers

    wall = (-12.0, -30.0, 20.0, 60.0, 8.0, 60.0)
    result = compare(rights([FIRST, LOW]), rights([FIRST, LOW, wall]))
    windows = part(result.layers, "difference-windows")
    change = windows.field_named("verdict_change")
    assert change is not None
    stays = change.categories.index("unchanged")
    ranks = {"pass": 0, "borderline": 1, "fail": 2}
    for place, name in enumerate(change.categories):
        if place != stays:  # from better to worse stands behind what stayed
            one, _, other = name.partition(" → ")
            assert (place > stays) == (ranks[other] > ranks[one])
    worse = [k for k, name in enumerate(change.categories) if name == "pass → fail"]
    assert worse
    assert np.isin(np.asarray(change.values), worse).any()
    rows = part(result.layers, "rows-window_list").table.columns
    assert (np.asarray(rows["total_hours_difference"].values) < 0).any()


def test_figures_and_other_settings_are_told() -> None:
    result = compare(hours([FIRST, LOW]), hours([FIRST, LOW], day="2026-06-21"))
    figures = part(result.layers, "figures").table.columns
    row = list(figures["figure"].values).index("sunlight.hours.summary.day_length")
    assert figures["difference"].values[row] == pytest.approx(
        figures["after"].values[row] - figures["before"].values[row]
    )
    assert figures["difference"].values[row] > 4.0
    assert [issue.code for issue in result.issues] == ["compare.other_params"]


def test_a_given_scale_is_kept() -> None:
    result = compare(hours([FIRST, LOW]), hours([FIRST, TALL]), scale=3.0)
    assert {field.range for layer in result.layers for field in layer.fields} == {(-3.0, 3.0)}


def test_what_cannot_be_compared_is_refused_or_told() -> None:
    before = hours([FIRST, LOW])
    sky = execute(
        get("sunlight.sky"),
        layers=[terrain(), buildings()],
        frame=tiny_frame(),
        params={"directions": 64, "ground_cell": 8, "facade_spacing": 8},
    ).layers
    with pytest.raises(UserError) as caught:
        compare(before, sky)
    assert caught.value.code == "compare.other_study"
    with pytest.raises(UserError) as caught:
        compare((*before, *hours([FIRST, TALL])), before)
    assert caught.value.code == "compare.mixed_runs"
    coarse = compare(before, hours([FIRST, LOW], ground_cell=5.0))
    assert "compare.not_compared" in {issue.code for issue in coarse.issues}
