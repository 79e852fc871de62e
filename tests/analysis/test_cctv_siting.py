"""The study that places cameras: its plan scored by the study of coverage, its bounds, and what it refuses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from analysis.cctv.cameras import Camera, camera_layer, cameras_of
from analysis.cctv.catalogue import catalogue
from analysis.cctv.pricing import wanted
from analysis.contract import Result
from analysis.registry import get
from analysis.run import execute
from geo.model import Cancelled, Column, ElementTable, Feedback, Layer, Mesh, Points, UserError
from tests.tiny import buildings, terrain, tiny_frame

QUICK = {
    "ground_cell": 4.0, "around": 40.0, "entrances": False, "pan_step": 30.0, "tilt_step": 20.0, "zooms": 2,
    "wall_spacing": 12.0, "seconds": 20.0,
}  # fmt: skip
HOMES = [(-10.0, -10.0, 20.0, 12.0, 20.0, 12.0), (22.0, 5.0, 12.0, 20.0, 20.0, 9.0)]


def square(half: float, at: tuple[float, float] = (0.0, 0.0), name: str = "zone") -> Layer:
    corner = np.array([[-half, -half, 0], [half, -half, 0], [half, half, 0], [-half, half, 0]]) + [*at, 0.0]
    mesh = Mesh(corner, np.array([[0, 1, 2], [0, 2, 3]]), np.zeros(2, np.int32))
    return Layer(name, name, "other", mesh, ElementTable([name]))


def homes() -> Layer:
    layer = buildings(HOMES)
    use = Column(np.array(["공동주택"] * len(layer.table), dtype=object))
    return layer.with_(table=layer.table.with_columns({"use": use}))


def place(*layers: Layer, chosen: dict[str, list[str]] | None = None, **params: object) -> Result:
    scene = [terrain(20.0, half=100.0, cell=5.0), homes(), square(40.0, name="area"), *layers]
    named = {"areas": ["area"], **(chosen or {})}
    return execute(get("cctv.siting"), layers=scene, frame=tiny_frame(), params={**QUICK, **params}, chosen=named)


def figure(result: Result, name: str) -> float:
    value = result.summary[name].value
    assert isinstance(value, int | float)
    return float(value)


def planned(result: Result) -> list[Camera]:
    layer = next(layer for layer in result.layers if layer.source.part == "planned" or layer.id.endswith("planned"))
    assert layer.theme == "camera"
    found, issues = cameras_of(layer, catalogue())
    assert not issues
    return found


def seen_by_coverage(cameras: Sequence[Camera], view_class: str = "outline") -> float:
    scene = [terrain(20.0, half=100.0, cell=5.0), homes(), square(40.0, name="area"), camera_layer(list(cameras))]
    params = {"ground_cell": 4.0, "entrances": False, "indoors": "none", "view_class": view_class}
    result = execute(get("cctv.coverage"), layers=scene, frame=tiny_frame(), params=params, chosen={"areas": ["area"]})
    return figure(result, "seen")


def test_the_study_of_coverage_sees_what_was_promised() -> None:
    result = place(count=4)
    cameras = planned(result)
    assert len(cameras) == 4 == figure(result, "planned")
    assert figure(result, "value") == pytest.approx(seen_by_coverage(cameras), abs=2e-3)
    assert figure(result, "grid_value") <= figure(result, "grid_bound")
    assert figure(result, "grid_value") <= figure(result, "value") <= figure(result, "bound")
    assert any("every camera on these places with this grid" in issue.message for issue in result.issues)
    chart = result.charts[0]
    assert (np.diff(chart.series[0].y) >= 0).all()
    assert (np.diff(chart.series[1].y) <= 1e-9).all()


def test_no_plan_of_the_grid_is_better_than_its_bound() -> None:
    """Unrefined plans of other seeds and of greedy choice stay below the bound of a full run."""
    best = place(count=3, gap=0.0, refined=False)
    assert figure(best, "value") <= figure(best, "bound")
    assert figure(best, "gap") < 8.0
    for seed in (1, 2):
        other = place(count=3, gap=50.0, seconds=1.0, refined=False, seed=seed)
        assert figure(other, "value") <= figure(best, "bound") + 1e-9


def test_more_cameras_and_more_money_see_more() -> None:
    few, many = place(count=2), place(count=6)
    assert figure(few, "value") < figure(many, "value")
    paid = place(objective="budget", budget=3_000_000)
    assert figure(paid, "money") <= 3_000_000
    assert figure(paid, "planned") >= 3
    assert figure(paid, "value") <= figure(paid, "bound")


@pytest.mark.parametrize("objective", ["fewest", "cost"])
def test_a_share_is_reached_at_a_proven_cost(objective: str) -> None:
    result = place(objective=objective, share=50.0, gap=5.0, seconds=6.0)
    assert figure(result, "value") >= 50.0 - 1e-3
    assert 0 < figure(result, "least_cost") <= figure(result, "plan_cost")
    assert seen_by_coverage(planned(result)) >= 50.0 - 1e-2


def test_all_that_can_be_seen() -> None:
    result = place(objective="full", seconds=6.0, view_class="overview")
    assert figure(result, "least_cost") <= figure(result, "planned")
    assert figure(result, "value") + figure(result, "unreachable") > 90.0
    assert any(table.id == "unreachable" for table in result.tables)


def test_windows_of_homes_are_not_looked_into() -> None:
    free, hard = place(count=4, privacy="none", refined=False), place(count=4, privacy="hard", refined=False)
    penalty = place(count=4, privacy="penalty", private_area=50.0, refined=False)
    assert figure(hard, "private_seen") == 0
    assert figure(hard, "value") <= figure(free, "bound")
    assert figure(penalty, "value") <= figure(free, "bound")
    privacy = execute(
        get("cctv.privacy"), layers=[terrain(20.0, half=100.0, cell=5.0), homes(), camera_layer(planned(hard))],
        frame=tiny_frame(), params={"least_density": 20.0},
    )  # fmt: skip
    seen = [table for table in privacy.tables if table.id == "seen"]
    assert [len(table) for table in seen] == [0]


def stands(state: str, name: str = "old") -> Camera:
    return Camera(name, name, catalogue()["bullet-4mp"], (-20.0, -20.0, 25.0), 45.0, 20.0, 0.0, 4.0, state=state)


def test_cameras_that_stay_are_not_paid_again() -> None:
    alone = seen_by_coverage([stands("existing")])
    result = place(camera_layer([stands("existing")]), count=2)
    assert figure(result, "already") == pytest.approx(alone, abs=2e-3)
    assert figure(result, "planned") == 2
    whole = seen_by_coverage([stands("existing"), *planned(result)])
    assert figure(result, "value") == pytest.approx(whole, abs=2e-3)


def test_movable_cameras_are_set_anew_and_never_worse() -> None:
    before = seen_by_coverage([stands("existing")])
    result = place(camera_layer([stands("movable")]), count=1, on_walls=False)
    assert figure(result, "already") == 0
    assert figure(result, "planned") == 2
    assert figure(result, "value") > before


def test_given_places_and_forbidden_zones() -> None:
    points = Points(
        np.array([[-30.0, -30.0, 25.0], [30.0, -30.0, 25.0], [-30.0, 30.0, 25.0]]), np.arange(3, dtype=np.int32)
    )
    masts = Layer("masts", "masts", "other", points, ElementTable(["a", "b", "c"]))
    zone = square(8.0, (30.0, -30.0))
    result = place(
        masts, zone, chosen={"places": ["masts"], "forbidden": ["zone"]}, count=3, on_walls=False, per_place=1
    )
    assert figure(result, "places") == 2
    assert {tuple(np.round(camera.position[:2])) for camera in planned(result)} == {(-30.0, -30.0), (-30.0, 30.0)}
    assert any(issue.code == "cctv.candidates.forbidden" for issue in result.issues)


def test_a_second_view_counts() -> None:
    once, twice = place(count=6, refined=False), place(count=6, views=2, again=100.0, refined=False)
    assert figure(twice, "value") <= figure(twice, "bound")
    assert figure(twice, "value") < figure(once, "value")  # of twice as much


def test_by_night_only_what_is_lit() -> None:
    near = place(count=2, night=True, refined=False)
    assert figure(near, "value") <= figure(place(count=2, refined=False), "bound")


def test_what_cannot_be_is_told() -> None:
    for params, code in (
        ({"camera_models": "no-such"}, "cctv.siting.unknown_model"),
        ({"camera_models": " , "}, "cctv.siting.no_model"),
        ({"on_walls": False, "on_roads": False}, "cctv.siting.no_places"),
        ({"objective": "fewest", "share": 100.0, "view_class": "characterise"}, "cctv.siting.unreachable"),
        ({"view_class": "detect"}, "cctv.class_of_edition"),
    ):
        with pytest.raises(UserError) as caught:
            place(**params)
        assert caught.value.code == code
    with pytest.raises(UserError) as caught:
        place(camera_layer([stands("existing")]), objective="fewest", share=1.0)
    assert caught.value.code == "cctv.siting.seen_already"
    with pytest.raises(UserError) as caught:
        execute(get("cctv.siting"), layers=[terrain()], frame=tiny_frame(), params={})
    assert caught.value.code == "cctv.siting.no_area"


def test_time_limit_and_cancel() -> None:
    result = place(count=12, seconds=1.0, gap=0.0, pan_step=10.0, tilt_step=5.0, zooms=6, refined=False)
    assert figure(result, "value") <= figure(result, "bound")
    steps: list[float] = []
    feedback = Feedback(lambda fraction, _: steps.append(fraction), lambda: bool(steps) and steps[-1] > 0.32)
    scene = [terrain(20.0, half=100.0, cell=5.0), homes()]
    with pytest.raises(Cancelled):
        execute(get("cctv.siting"), layers=scene, frame=tiny_frame(), params=QUICK, feedback=feedback)


def test_what_masks_hide_is_not_seen_already() -> None:
    from analysis.cctv.siting_search import _unmasked

    class Problem:
        """The parts of a problem that masks are held against."""

        def __init__(self, camera: Camera, polygon: np.ndarray) -> None:
            self.masks = {camera: ((polygon,),)}
            self.rows = wanted(np.array([[-10.0, -10.0, 20.0], [-17.0, -17.0, 23.5]]), 10.0)

    camera = stands("existing")
    model = camera.model
    whole = np.array([[0, 0], [model.pixels_wide, 0], [model.pixels_wide, model.pixels_high], [0, model.pixels_high]])
    rows = np.array([0, 1], dtype=np.int32)
    assert _unmasked(Problem(camera, whole.astype(float)), camera, rows).tolist() == []  # type: ignore[arg-type]
    left = whole * [0.4, 1.0]
    assert _unmasked(Problem(camera, left), camera, rows).tolist() == [0, 1]  # type: ignore[arg-type]
