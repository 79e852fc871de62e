"""The verdict on windows against closed forms, the sums of who takes the sun, and what must not change the answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from analysis.contract import Result
from analysis.kernels import sun
from analysis.kernels.rays import Occluder
from analysis.registry import get
from analysis.run import execute
from analysis.sunlight_rights.blame import blockers_of
from analysis.sunlight_rights.declaration import RightsInputs, RightsParams
from analysis.sunlight_rights.obstacles import obstacles_of
from analysis.sunlight_rights.rules import rules
from analysis.sunlight_rights.timeline import clock_of, spell_of
from analysis.sunlight_rights.windows import windows_of
from geo.model import Cancelled, Column, ElementTable, Feedback, Field, Frame, Layer, Mesh, UserError, merge_meshes
from tests.analysis.test_rays import box
from tests.tiny import tiny_frame

SOLSTICE = date(2026, 12, 22)
STUDY = get("sunlight.rights")
SECOND = 1 / 3600


def frame(convergence: float | None = None) -> Frame:
    made = tiny_frame()
    return made if convergence is None else replace(made, convergence_deg=convergence)


def city(*meshes: Mesh, name: str = "b", storeys: list[int] | None = None, homes: list[int] | None = None) -> Layer:
    """Buildings b0, b1 ... of one layer; `homes` 0 = no windows there."""
    columns = {}
    if storeys is not None:
        columns["storeys"] = Column(np.array(storeys))
    if homes is not None:
        columns["dwellings"] = Column(np.array(homes))
    table = ElementTable([f"{name}{k}" for k in range(len(meshes))], columns)
    return Layer(name, name, "building", merge_meshes(meshes), table)


def study(*layers: Layer, proposal: tuple[Layer, ...] = (), at: Frame | None = None, **params: object) -> Result:
    judged = tuple(layer for layer in layers if layer.theme in ("building", "bim"))
    inputs = STUDY.inputs(
        frame=at or frame(0.0),
        dwellings=judged,
        obstructions=layers,
        proposal=proposal,
        terrain=None,
        relief=(),
        trees=(),
    )
    return STUDY.run(inputs, STUDY.params(**params), Feedback())


def column(result: Result, name: str, table: str = "window_list") -> np.ndarray:
    return next(t for t in result.tables if t.id == table).columns[name].values


def codes(result: Result) -> set[str]:
    return {issue.code for issue in result.issues}


def sun_every_second(day: date = SOLSTICE) -> tuple[np.ndarray, np.ndarray]:
    """Hours of the day (KST) from 8 to 16 and directions to the sun, straight from the algorithm."""
    seconds = np.arange(0, 8 * 3600, 2) + 1
    times = np.datetime64(f"{day}T00:00:00") - np.timedelta64(1, "h") + seconds.astype("timedelta64[s]")
    place = frame(0.0)
    position = sun.sun_position(times.astype("datetime64[ms]"), place.longitude, place.latitude)
    return 8 + seconds / 3600, sun.sun_vectors(position.azimuth, position.apparent_elevation)


def longest(lit: np.ndarray, hours: np.ndarray) -> float:
    inside = lit & (hours > 9) & (hours < 15)
    best = run = 0
    for state in inside:
        run = run + 1 if state else 0
        best = max(best, run)
    return best * 2 * SECOND


@pytest.mark.parametrize(("height", "distance", "width"), [(20.0, 30.0, 60.0), (45.0, 40.0, 18.0), (12.0, 60.0, 400.0)])
def test_window_behind_a_slab_follows_the_closed_form(height: float, distance: float, width: float) -> None:
    """A home of one storey, its window 1.5 m up in the middle of its south wall, a slab to the south."""
    home, slab = box(10, 8, 3), box(width, 1.0, height, at=(0, -4 - distance - 0.5, 0))
    result = study(city(home, slab, storeys=[1, 1], homes=[1, 0]))
    hours, towards = sun_every_second()
    dark = np.zeros(len(hours), dtype=bool)
    for away in (distance, distance + 1.0):  # front and back of the slab
        reach = away / -towards[:, 1]
        dark |= (np.abs(reach * towards[:, 0]) < width / 2) & (1.5 + reach * towards[:, 2] < height)
    assert column(result, "total_hours")[0] == pytest.approx((~dark).sum() * 2 * SECOND, abs=10 * SECOND)
    assert column(result, "run_hours")[0] == pytest.approx(longest(~dark, hours), abs=10 * SECOND)
    assert column(result, "worst_obstructor")[0] == "b1"
    taken = column(result, "alone_minutes", "obstructors")[0]
    assert taken == pytest.approx(dark.sum() * 2 / 60, abs=0.2)
    assert column(result, "minutes_lost")[0] == pytest.approx(taken)


def test_open_window_has_the_whole_day() -> None:
    result = study(city(box(10, 8, 3), storeys=[1], homes=[1]))
    assert column(result, "total_hours")[0] == pytest.approx(8.0)
    assert column(result, "run_hours")[0] == pytest.approx(6.0)
    assert (column(result, "run_start")[0], column(result, "run_end")[0]) == ("09:00:00", "15:00:00")
    assert column(result, "limb")[0] == "a, b"
    assert column(result, "borderline")[0] == ""


def spell(*lit: tuple[float, float]) -> tuple[float, float, bool]:
    """Total, run and verdict of one window that is lit between the hours given."""
    edges = sorted({8.0, 16.0, *(h for pair in lit for h in pair)})
    state = [any(a <= low and high <= b for a, b in lit) for low, high in zip(edges[:-1], edges[1:], strict=True)]
    found = spell_of(np.array([state]), np.array([edges]), rules())
    return float(found.total[0]), float(found.longest[0]), bool(found.passes(rules())[0])


MINUTE = 1 / 60


@pytest.mark.parametrize(("minutes", "passes"), [(239, False), (240, True), (241, True)])
def test_total_at_its_limit(minutes: int, passes: bool) -> None:
    """Sun in three parts, none of them two hours between 9 and 15."""
    last = minutes / 60 - 2.6
    total, run, verdict = spell((8.0, 9.3), (10.0, 11.3), (15.0 - last, 15.0))
    assert total == pytest.approx(minutes / 60)
    assert run == pytest.approx(max(last, 1.3))
    assert verdict is passes


@pytest.mark.parametrize(("minutes", "passes"), [(119, False), (120, True), (121, True)])
def test_run_at_its_limit(minutes: int, passes: bool) -> None:
    total, run, verdict = spell((9.5, 9.5 + minutes * MINUTE))
    assert total == run == pytest.approx(minutes / 60)
    assert verdict is passes


def test_run_counts_only_between_nine_and_fifteen() -> None:
    assert spell((8.0, 10.5)) == (pytest.approx(2.5), pytest.approx(1.5), False)
    assert spell((13.5, 16.0)) == (pytest.approx(2.5), pytest.approx(1.5), False)
    assert spell((10.0, 11.0), (11.0 + SECOND, 12.5))[1] == pytest.approx(1.5 - SECOND)
    assert spell() == (0.0, 0.0, False)


def random_city(seed: int, count: int = 14) -> Layer:
    rng = np.random.default_rng(seed)
    meshes = [
        box(*rng.uniform(8, 30, 2), rng.uniform(6, 60), turn=rng.uniform(0, 90), at=(*rng.uniform(-90, 90, 2), 0.0))
        for _ in range(count)
    ]
    return city(*meshes)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_all_shade_is_accounted_for(seed: int) -> None:
    """Sun, shade by the own building, by one other, by several, and the sun behind the wall are the whole day."""
    result = study(random_city(seed), step=5, facing=180)
    parts = ("alone_minutes", "joint_minutes", "own_minutes", "away_minutes")
    total = 60 * column(result, "total_hours") + sum(column(result, name) for name in parts)
    assert len(total) > 50
    assert total == pytest.approx(480.0, abs=1e-6)
    assert (column(result, "joint_minutes") > 1).any()
    by_building = column(result, "alone_minutes", "obstructors").sum()
    assert by_building == pytest.approx(column(result, "alone_minutes").sum(), abs=1e-6)
    joint = column(result, "joint_minutes", "obstructors").sum()
    assert joint >= 2 * column(result, "joint_minutes").sum() - 1e-6, "each hour of several counts for each of them"


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_what_a_project_takes_adds_up(seed: int) -> None:
    result = study(random_city(seed), new_buildings="b0,b3,b5,b7", facing=180, step=4)
    before, now = column(result, "total_hours_before"), column(result, "total_hours")
    old = np.isfinite(before)
    assert 0 < (~old).sum() < len(old), "windows of the project itself have no state before"
    lost = 60 * (before - now)[old]
    assert lost.min() > -1e-9
    assert lost.max() > 30
    assert column(result, "minutes_lost")[old] == pytest.approx(lost)
    assert not column(result, "minutes_lost")[~old].any()
    assert set(column(result, "building", "obstructors")) <= {"b0", "b3", "b5", "b7"}
    alone = column(result, "alone_minutes", "obstructors").sum()
    joint = column(result, "joint_minutes", "obstructors").sum()
    assert alone <= lost.sum() + 1e-6 <= alone + joint + 2e-6
    assert alone + joint / 4 <= lost.sum() + 1e-6


def test_a_project_alone_is_blamed_to_the_second() -> None:
    """One new building: all that is lost is its own doing, and equals a run with it against a run without it."""
    layer = random_city(7)
    mesh = layer.geometry
    assert isinstance(mesh, Mesh)
    keep = mesh.face_element != 5
    rest = layer.with_(geometry=Mesh(mesh.vertices, mesh.faces[keep], mesh.face_element[keep]))
    both, without = study(layer, new_buildings="b5"), study(rest)
    names = {name: k for k, name in enumerate(column(without, "window"))}
    rows = [k for k, name in enumerate(column(both, "window")) if name in names]
    other = [names[column(both, "window")[k]] for k in rows]
    assert len(rows) > 50
    assert column(both, "total_hours_before")[rows] == pytest.approx(column(without, "total_hours")[other], abs=1e-9)
    lost = column(both, "minutes_lost")
    assert column(both, "alone_minutes", "obstructors").sum() == pytest.approx(lost.sum(), abs=1e-6)
    assert column(both, "joint_minutes", "obstructors").sum() == 0


def test_rays_find_every_building_that_would_block_alone() -> None:
    layer = random_city(8)
    mesh = layer.geometry
    assert isinstance(mesh, Mesh)
    rng = np.random.default_rng(0)
    starts = np.column_stack([rng.uniform(-90, 90, (400, 2)), rng.uniform(1, 40, 400)])
    ways = sun.sun_vectors(rng.uniform(120, 240, 400), rng.uniform(3, 30, 400))
    found = blockers_of(Occluder([mesh]), mesh.face_element.astype(np.int64), starts, ways, Feedback())
    for number in range(14):
        keep = mesh.face_element == number
        single = Occluder([Mesh(mesh.vertices, mesh.faces[keep], mesh.face_element[keep])])
        expected = np.flatnonzero(single.occluded(starts, ways))
        assert found.ray[found.building == number].tolist() == expected.tolist()


def towers(west: float, east: float) -> Layer:
    """A home, and two slabs that darken the morning and the afternoon of its south window."""
    left = box(west, 2.0, 80.0, at=(-west / 2 - 1.5, -20.0, 0.0))
    right = box(east, 2.0, 80.0, at=(east / 2 + 1.5, -20.0, 0.0))
    return city(box(10, 8, 3), left, right, storeys=[1, 1, 1], homes=[1, 0, 0])


def test_two_towers_together_do_what_neither_does_alone() -> None:
    layer = towers(60.0, 60.0)
    assert column(study(layer, new_buildings="b1,b2"), "verdict_before")[0] == "pass"
    result = study(layer, new_buildings="b1,b2")
    assert column(result, "verdict")[0] == "fail"
    assert column(result, "only_together")[0]
    assert result.summary["together"].value == 1
    assert result.summary["newly_failing"].value == 1
    assert column(result, "pushed_below", "obstructors").tolist() == [1, 1]
    single = study(layer, new_buildings="b2")
    assert column(single, "verdict_before")[0] == "pass"
    assert not column(single, "only_together")[0]


def test_balcony_of_the_own_building_is_told_apart() -> None:
    home, slab = box(10, 8, 3), box(10, 2.0, 0.2, at=(0, -5.0, 2.2))
    roofed = merge_meshes([home, slab])
    own = city(Mesh(roofed.vertices, roofed.faces, np.zeros(len(roofed.faces), np.int32)), storeys=[1], homes=[1])
    result = study(own)
    assert column(result, "own_minutes")[0] > 100
    assert column(result, "total_without_own")[0] == pytest.approx(8.0)
    assert column(result, "minutes_lost")[0] == 0
    assert column(result, "total_hours")[0] == pytest.approx(8 - column(result, "own_minutes")[0] / 60)


def test_city_and_north_turned_together_change_nothing() -> None:
    layer = random_city(9)
    mesh = layer.geometry
    assert isinstance(mesh, Mesh)
    turned = layer.with_(geometry=Mesh(mesh.vertices[:, [1, 0, 2]] * [1, -1, 1], mesh.faces, mesh.face_element))
    straight, quarter = study(layer, at=frame(0.0), step=5), study(turned, at=frame(-90.0), step=5)
    assert sorted(column(straight, "total_hours")) == pytest.approx(sorted(column(quarter, "total_hours")), abs=0.01)
    assert sorted(column(straight, "facing")) == sorted(column(quarter, "facing"))


def test_coarse_steps_keep_the_edges() -> None:
    """Edges are refined: with one obstacle a step of ten minutes says the same as one of a minute."""
    layer = city(box(10, 8, 3), box(18, 1, 45, at=(4, -40, 0)), storeys=[1, 1], homes=[1, 0])
    fine, coarse = study(layer, step=1), study(layer, step=10)
    assert column(coarse, "total_hours")[0] == pytest.approx(column(fine, "total_hours")[0], abs=5 * SECOND)


@pytest.mark.parametrize(("year", "expected"), [(2026, "2026-12-22"), (2027, "2027-12-22"), (2028, "2028-12-21")])
def test_solstice_is_computed(year: int, expected: str) -> None:
    """Instants by the almanac: 2026-12-21 20:50, 2027-12-22 02:42, 2028-12-21 08:20 UTC."""
    result = study(city(box(10, 8, 3), storeys=[1], homes=[1]), day=date(year, 3, 1), step=30)
    assert result.summary["day"].value == expected
    assert "sunlight.rights.solstice" in codes(result)


def test_another_day_is_said_to_be_no_solstice() -> None:
    result = study(city(box(10, 8, 3), storeys=[1], homes=[1]), day=date(2026, 6, 21), solstice=False, step=30)
    assert result.summary["day"].value == "2026-06-21"
    assert "sunlight.rights.other_day" in codes(result)


def test_true_solar_time_begins_half_an_hour_later() -> None:
    """Sejong lies 7.7 degrees west of the meridian of Korean time: solar noon on the solstice is 12:29:05 KST."""
    place = replace(frame(0.0), longitude=127.325, latitude=36.52)
    clock, solar = (
        clock_of(place, SOLSTICE, rules(), step=1.0, time_basis=basis, offset=9.0) for basis in ("clock", "solar")
    )
    minutes = (solar.times - clock.times) / np.timedelta64(1, "m")
    assert minutes[240] == pytest.approx(29 + 5 / 60, abs=2 / 60)
    assert len(clock.hour) == 481
    south = np.degrees(np.arctan2(solar.towards[240, 0], -solar.towards[240, 1]))
    assert south == pytest.approx(0.0, abs=0.02)


def test_borderline_windows_are_those_that_flip() -> None:
    """A slab whose upper edge lets the sun just through: half a metre more or less decides."""
    found = {}
    for height in np.arange(16.0, 30.0, 0.25):
        layer = city(box(10, 8, 3), box(400, 1, height, at=(0, -44.5, 0)), storeys=[1, 1], homes=[1, 0])
        result = study(layer, step=15)
        found[height] = (column(result, "verdict")[0], column(result, "borderline")[0])
        if found[height][0] == "fail" and "height" not in found[height][1]:
            break
    verdicts = [verdict for verdict, _ in found.values()]
    assert verdicts == sorted(verdicts, reverse=True), "higher slabs only make it worse"
    last = max(h for h, (verdict, _) in found.items() if verdict == "pass")
    near = {h: why for h, (_, why) in found.items() if abs(h - last) <= 0.25}
    assert all("height" in why for why in near.values())
    assert not any("height" in why for h, (_, why) in found.items() if abs(h - last) > 1.0)


def bim_layer(*panes: Mesh) -> Layer:
    """A house of two walls' thickness with windows as elements of their own."""
    house = merge_meshes([box(10, 8, 6), *panes])
    ids = ["house", *(f"w{k}" for k in range(len(panes)))]
    kinds = np.array(["IfcWall", *["IfcWindow"] * len(panes)], dtype=object)
    table = ElementTable(ids, {"class": Column(kinds), "storey": Column(np.array(["1F"] * len(ids), dtype=object))})
    return Layer("house", "House", "bim", house, table)


def test_windows_of_a_model_are_where_they_are_and_look_outward() -> None:
    south_pane = box(2.0, 0.2, 1.4, at=(1.0, -4.05, 1.0))
    east_pane = box(1.2, 0.2, 1.2, turn=90.0, at=(5.05, 0.0, 4.0))
    inner = box(1.0, 0.1, 1.0, at=(0.0, 0.0, 2.0))
    lying = box(1.0, 1.0, 0.1, at=(0.0, 0.0, 6.0))
    layer = bim_layer(south_pane, east_pane, inner, lying)
    result = study(layer)
    assert column(result, "window").tolist() == ["House/w0", "House/w1"]
    assert column(result, "facing").tolist() == ["S", "E"]
    assert column(result, "storey").tolist() == ["1F", "1F"]
    assert {"sunlight.rights.inner_windows", "sunlight.rights.flat_windows"} <= codes(result)
    assert column(result, "total_hours")[0] == pytest.approx(8.0)
    issues: list = []
    inputs = RightsInputs(frame(0.0), (layer,), (layer,), (), None, (), ())
    obstacles = obstacles_of(inputs, RightsParams(), issues, Feedback())
    windows = windows_of(inputs, RightsParams(), obstacles, issues, Feedback())
    assert windows.centre[0] == pytest.approx([1.0, -4.15, 1.7], abs=1e-6)
    assert windows.centre[1] == pytest.approx([5.15, 0.0, 4.6], abs=1e-6)
    assert windows.normal == pytest.approx(np.array([[0, -1, 0], [1, 0, 0]]), abs=1e-9)


def test_windows_of_a_city_model_replace_made_ones() -> None:
    detailed, plain = box(10, 8, 6), box(10, 8, 6, at=(40, 0, 0))
    pane = box(2.0, 0.2, 1.4, at=(1.0, -4.05, 1.0))
    merged = merge_meshes([detailed, pane, plain])
    element = np.array([0, 0, 1])[merged.face_element].astype(np.int32)
    semantic = np.where(merged.face_element == 1, 1, 0).astype(np.int16)
    layer = Layer(
        "c",
        "c",
        "building",
        Mesh(merged.vertices, merged.faces, element),
        ElementTable(["a", "b"], {"storeys": Column(np.array([2, 2]))}),
        (Field("semantic", "1", "face", semantic, categories=("WallSurface", "Window")),),
    )
    result = study(layer, facing=30)
    origin = dict(zip(column(result, "window"), column(result, "window_origin"), strict=True))
    assert origin == {"a/a": "model", "b/1-1": "made", "b/2-1": "made"}


def test_no_more_windows_than_dwellings_and_those_face_south() -> None:
    result = study(city(box(40, 12, 15), storeys=[5], homes=[20]))
    assert len(column(result, "window")) == 20
    assert set(column(result, "facing")) == {"S"}
    assert "sunlight.rights.one_per_dwelling" in codes(result)
    assert set(column(result, "storey")) == {"1", "2", "3", "4", "5"}


def test_party_walls_have_no_windows() -> None:
    touching = city(box(10, 8, 6), box(10, 8, 6, at=(0, -8.0, 0)), storeys=[2, 2])
    result = study(touching, facing=30)
    assert set(column(result, "building")) == {"b1"}
    assert "sunlight.rights.walled" in codes(result)
    assert "sunlight.rights.use_unknown" in codes(result)


def test_storeys_are_told_where_they_were_assumed() -> None:
    assert "sunlight.rights.storeys_assumed" in codes(study(city(box(10, 8, 9), homes=[3])))
    assert "sunlight.rights.storeys_odd" in codes(study(city(box(10, 8, 9), storeys=[30], homes=[3])))


def test_more_points_tell_how_much_of_the_window_agrees() -> None:
    layer = city(box(10, 8, 3), box(400, 1, 22.0, at=(0, -44.5, 0)), storeys=[1, 1], homes=[1, 0])
    for points in ("1", "3", "9"):
        agree = column(study(layer, points=points, window_height=1.8, sill=0.6, step=10), "points_agree")[0]
        assert 0 < agree <= 100
        assert (agree * int(points) / 100) == pytest.approx(round(agree * int(points) / 100))


def test_mistakes_are_told() -> None:
    home = city(box(10, 8, 3), storeys=[1], homes=[1])
    with pytest.raises(UserError) as caught:
        study(home, new_buildings="nobody")
    assert caught.value.code == "sunlight.rights.unknown_building"
    with pytest.raises(UserError) as caught:
        study(city(box(10, 8, 3), storeys=[1], homes=[0]))
    assert caught.value.code == "sunlight.rights.no_windows"
    with pytest.raises(UserError) as caught:
        study()
    assert caught.value.code == "sunlight.rights.no_buildings"
    north = replace(frame(0.0), latitude=80.0)
    with pytest.raises(UserError) as caught:
        study(home, at=north)
    assert caught.value.code == "sunlight.no_sun"


def test_a_stop_is_heard() -> None:
    layer = random_city(11)
    inputs = STUDY.inputs(
        frame=frame(0.0), dwellings=(layer,), obstructions=(layer,), proposal=(), terrain=None, relief=(), trees=()
    )
    seen: list[float] = []
    feedback = Feedback(lambda fraction, _: seen.append(fraction), lambda: len(seen) > 8)
    with pytest.raises(Cancelled):
        STUDY.run(inputs, STUDY.params(), feedback)


def test_rules_say_where_they_are_from() -> None:
    from resources import load_json

    for rule in load_json("rules/sunlight.json")["court"].values():
        assert rule["source"]
        assert isinstance(rule["verified"], bool)
    limits = rules()
    assert (limits.total.hours, limits.total.start, limits.total.stop) == (4.0, 8.0, 16.0)
    assert (limits.continuous.hours, limits.continuous.start, limits.continuous.stop) == (2.0, 9.0, 15.0)
    assert len(limits.unverified) == 2


def test_proposal_is_only_what_was_named() -> None:
    """Of all layers that fit, none is the new project unless the user says so."""
    home = city(box(10, 8, 3), storeys=[1], homes=[1])
    tower = city(box(60, 1, 45, at=(0, -40, 0)), name="n", storeys=[15], homes=[0])
    layers, at = [home, tower], frame(0.0)
    plain = execute(STUDY, layers=layers, frame=at, params={"step": 10})
    assert "newly_failing" not in plain.summary
    named = execute(STUDY, layers=layers, frame=at, params={"step": 10}, chosen={"proposal": ["n"]})
    assert named.summary["newly_failing"].value == 1
    assert named.summary["failing_before"].value == 0
    by_id = execute(STUDY, layers=layers, frame=at, params={"step": 10, "new_buildings": "n0"})
    assert by_id.summary["minutes_lost"] == named.summary["minutes_lost"]


@pytest.mark.data
def test_windows_of_a_real_model(shared_data: Path) -> None:
    """Duplex: 24 windows, two of them in the roof; the narrow ones sit in frames deeper than half their width."""
    from bim.formats.ifc import FORMAT
    from geo.formats.contract import ReadOptions

    path = shared_data / "ifc" / "Duplex_A_20110907_georeferenced.ifc"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    layers = [part for part in FORMAT.read(path, frame(), ReadOptions(), Feedback()) if part.theme == "bim"]
    result = study(*layers, step=10)
    assert len(column(result, "window")) == 22
    assert next(i.count for i in result.issues if i.code == "sunlight.rights.flat_windows") == 2
    assert "sunlight.rights.inner_windows" not in codes(result)
    facing = column(result, "facing")
    assert (column(result, "total_hours")[facing == "N"] == 0).all()
    assert (column(result, "away_minutes")[facing == "N"] > 400).all()
