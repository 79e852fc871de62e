"""Sun over many days, on named surfaces, in open spaces and through crowns, against closed forms and single days."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from analysis.contract import Result, describe_inputs
from analysis.kernels import sun
from analysis.kernels.inside import Raster, cells_inside
from analysis.kernels.rays import SunTime
from analysis.registry import get
from analysis.sunlight import period as period_module
from analysis.sunlight.crowns import evergreen, leaves
from analysis.sunlight.day import DaySun, sun_of_day, suns_of_days
from analysis.sunlight.declaration import SunlightParams
from analysis.sunlight.period import period_trace
from geo.model import (
    Cancelled,
    Column,
    ElementTable,
    Feedback,
    Frame,
    Instances,
    Layer,
    Lines,
    Mesh,
    UserError,
)
from tests.analysis.test_rays import box
from tests.analysis.test_sunlight_hours import hours, layer, part, plain, possible
from tests.tiny import tiny_frame

STUDY = get("sunlight.hours")
LOW = {"ground_cell": 4.0, "facade_spacing": 4.0, "margin": 20.0, "step": 30.0}
SOLSTICE = date(2026, 12, 22)


def at(latitude: float, longitude: float = 127.3) -> Frame:
    return replace(tiny_frame(), latitude=latitude, longitude=longitude, convergence_deg=0.0)


def study(
    *blockers: Layer,
    terrain: Layer | None = None,
    trees: tuple[Layer, ...] = (),
    surfaces: tuple[Layer, ...] = (),
    areas: tuple[Layer, ...] = (),
    frame: Frame | None = None,
    feedback: Feedback | None = None,
    **params: object,
) -> Result:
    inputs = STUDY.inputs(
        frame=frame or tiny_frame(),
        terrain=terrain,
        blockers=blockers,
        trees=trees,
        relief=(),
        surfaces=surfaces,
        areas=areas,
    )
    return STUDY.run(inputs, STUDY.params(**{**LOW, **params}), feedback or Feedback())


def ring(x: float, y: float, width: float, depth: float) -> np.ndarray:
    return np.array([[x, y], [x + width, y], [x + width, y + depth], [x, y + depth], [x, y]])


def area(*rings: np.ndarray, name: str = "가온공원", element: tuple[int, ...] = (), id_: str = "parks") -> Layer:
    vertices = np.concatenate(rings)
    offsets = np.cumsum([0, *(len(r) for r in rings)])
    owner = np.array(element or (0,) * len(rings))
    count = int(owner.max()) + 1
    table = ElementTable([f"a{k}" for k in range(count)], {"name": Column(np.array([name] * count, dtype=object))})
    shape = Lines(np.column_stack([vertices, np.zeros(len(vertices))]), offsets, owner)
    return Layer(id_, id_, "parcel", shape, table=table)


def rows(result: Result, table: str) -> dict[str, np.ndarray]:
    return {name: c.values for name, c in next(t for t in result.tables if t.id == table).columns.items()}


@pytest.mark.parametrize(
    ("latitude", "longitude", "offset"), [(36.5, 127.3, "9"), (66.3, 20.0, "1"), (-34.6, -58, "-3")]
)
def test_all_days_at_once_have_the_instants_of_single_days(latitude: float, longitude: float, offset: str) -> None:
    frame = at(latitude, longitude)
    days = [date(2028, 1, 15) + timedelta(days=70 * k) for k in range(5)] + [date(2028, 2, 29)]
    for day, found in zip(days, suns_of_days(frame, SunlightParams(utc_offset=offset), days), strict=True):
        single = sun_of_day(frame, SunlightParams(day=day, utc_offset=offset))
        assert found.date == day
        np.testing.assert_array_equal(found.towards_sun, single.towards_sun)
        np.testing.assert_array_equal(found.weights, single.instants.weights)


def test_a_period_is_the_mean_the_sum_and_the_least_of_its_days() -> None:
    house = layer(box(20, 10, 15))
    singles = [study(house, day=SOLSTICE + timedelta(days=40 * k)) for k in range(3)]
    many = study(house, period="range", day=SOLSTICE, last_day=SOLSTICE + timedelta(days=80), every=40)
    for name in ("ground", "facades", "roofs"):
        each = np.array([hours(single, name) for single in singles])
        np.testing.assert_array_equal(hours(many, name, "mean_hours"), (each[0] + each[1] + each[2]) / 3)
        np.testing.assert_array_equal(hours(many, name, "least_hours"), each.min(axis=0))
        np.testing.assert_allclose(hours(many, name, "total_hours"), 81 * each.mean(axis=0), rtol=1e-12)
        longest = np.array([hours(single, name, "longest_run") for single in singles])
        np.testing.assert_array_equal(hours(many, name, "longest_run"), longest.max(axis=0))
    least = hours(many, "roofs", "least_day")
    assert set(least.tolist()) == {356.0}  # 22 December of 2026
    assert "sunlight.days_thinned" in [issue.code for issue in many.issues]
    assert (many.summary["days"].value, many.summary["days_traced"].value) == (81, 3)
    chart = many.charts[0]
    assert [len(series.x) for series in chart.series] == [3] * 4
    assert chart.series[1].y[0] == pytest.approx(np.nanmean(hours(singles[0], "ground")))


def test_a_range_of_one_day_is_that_day_bit_for_bit() -> None:
    house = layer(box(20, 10, 15))
    one, ranged = study(house), study(house, period="range", last_day=SOLSTICE)
    for name in ("ground", "facades", "roofs"):
        np.testing.assert_array_equal(hours(ranged, name, "mean_hours"), hours(one, name))
    assert ranged.summary["ground_mean"] == one.summary["ground_mean"]
    assert ranged.charts == ()


def test_the_number_of_points_taken_at_a_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    spell = {"period": "range", "last_day": SOLSTICE + timedelta(days=3)}
    whole = study(layer(box(20, 10, 15)), **spell)
    monkeypatch.setattr(period_module, "CHUNK_POINTS", 100)
    parts = study(layer(box(20, 10, 15)), **spell)
    for name in ("ground", "facades"):
        np.testing.assert_array_equal(hours(whole, name, "mean_hours"), hours(parts, name, "mean_hours"))


def test_a_leap_year_has_366_days_and_the_sun_of_the_almanac() -> None:
    result = study(layer(box(5, 5, 5)), period="year", day=date(2028, 3, 1), every=1, facades=False, step=60.0)
    assert result.summary["days"].value == 366
    assert (result.summary["first_day"].value, result.summary["last_day"].value) == ("2028-01-01", "2028-12-31")
    # half of the year, and the quarter of an hour a day that refraction and the disc add less
    assert float(result.summary["possible_hours"].value) == pytest.approx(12.13, abs=0.03)
    assert study(layer(box(5, 5, 5)), period="year", day=date(2027, 3, 1), every=60).summary["days"].value == 365


@pytest.mark.parametrize("latitude", [36.5, -34.6])
def test_the_shadow_of_a_long_wall_at_the_equinox(latitude: float) -> None:
    """Then the sun stands at one profile angle all day: it clears a wall from east to west for d > H tan(latitude)."""
    height, side = 10.0, np.sign(latitude)
    edge = height * np.tan(np.radians(abs(latitude)))
    wall = layer(Mesh(*(getattr(box(6000.0, 0.2, height), n) for n in ("vertices", "faces", "face_element"))))
    strips = [ring(-2.0, side * edge * share - 0.5, 4.0, 1.0) for share in (0.85, 1.15)]
    result = study(
        wall,
        areas=(area(*strips, element=(0, 1)),),
        frame=at(latitude),
        day=date(2026, 3, 20),
        minimum_elevation=10.0,
        step=5.0,
        area_cell=0.5,
        ground=False,
        facades=False,
    )
    dark, light = rows(result, "area_list")["mean_hours"]
    assert dark == 0.0
    assert light == pytest.approx(possible(result), abs=1e-3)


def test_midnight_sun_counts_the_whole_day_and_the_evening_before() -> None:
    north = at(70.0, 25.0)
    whole = study(layer(box(5, 5, 5)), frame=north, day=date(2026, 6, 21), facades=False, utc_offset="2")
    assert possible(whole) == pytest.approx(24.0)
    # Near the polar circle the sun of the evening before still stands at midnight, sets, and rises again.
    edge = at(65.8, 25.0)
    split = 0
    for number in (2, 5, 8, 20, 24, 28):
        day = date(2026, 6, 5) + timedelta(days=number)
        found = suns_of_days(edge, SunlightParams(day=day, utc_offset="3", step=10.0), [day])[0]
        single = sun_of_day(edge, SunlightParams(day=day, utc_offset="3", step=10.0))
        assert found.hours == single.hours
        start = np.datetime64(day, "ms") - np.timedelta64(3, "h")
        times = start + np.arange(0, 24 * 60, 2).astype("timedelta64[m]")
        up = sun.sun_position(times, 25.0, 65.8).apparent_elevation > 0.0
        assert found.hours == pytest.approx(up.sum() / 30.0, abs=0.08), day
        split += bool(up[0] and not up.all())
    assert split > 1


def test_polar_night_is_said_and_dark_days_count_as_nothing() -> None:
    north, house = at(70.0, 25.0), layer(box(5, 5, 5))
    with pytest.raises(UserError) as caught:
        study(house, frame=north, period="range", day=date(2026, 12, 10), last_day=date(2026, 12, 30))
    assert caught.value.code == "sunlight.no_sun_in_period"
    mixed = study(house, frame=north, period="range", day=date(2026, 1, 1), last_day=date(2026, 2, 9), every=3)
    assert "sunlight.days_without_sun" in [issue.code for issue in mixed.issues]
    assert np.nanmax(hours(mixed, "ground", "least_hours")) == 0.0
    assert np.nanmax(hours(mixed, "ground", "mean_hours")) > 0.5


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"last_day": date(2026, 12, 21)}, "sunlight.empty_period"),
        ({"last_day": date(2076, 12, 21)}, "sunlight.long_period"),
        ({"last_day": date(2026, 12, 24), "start": 12.0, "stop": 12.0}, "sunlight.empty_hours"),
        ({"last_day": date(2026, 12, 24), "start": 1.0, "stop": 3.0}, "sunlight.no_sun_in_period"),
    ],
)
def test_periods_that_cannot_be(params: dict[str, object], code: str) -> None:
    with pytest.raises(UserError) as caught:
        study(layer(box(5, 5, 5)), period="range", day=SOLSTICE, **params)
    assert caught.value.code == code


def test_progress_of_a_period_and_a_stop() -> None:
    seen: list[float] = []
    spell = {"period": "range", "last_day": SOLSTICE + timedelta(days=5), "areas": (area(ring(0, 10, 20, 20)),)}
    study(layer(box(20, 10, 12)), feedback=Feedback(lambda fraction, _: seen.append(fraction)), **spell)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    for stop_at in (0.05, 0.4, 0.9):
        reached: list[float] = []
        stopping = Feedback(
            lambda fraction, _, r=reached: r.append(fraction), lambda r=reached, s=stop_at: bool(r) and r[-1] >= s
        )
        with pytest.raises(Cancelled):
            study(layer(box(20, 10, 12)), feedback=stopping, **spell)


def test_memory_of_many_days_does_not_grow_with_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept for a point: five numbers; and a share for the points in hand. Ten million take below a gigabyte."""
    count = 400_000
    monkeypatch.setattr(period_module, "CHUNK_POINTS", 40_000)
    points, each = np.zeros((count, 3)), np.ones(count)

    def time(some: np.ndarray, day: DaySun, normals: object, feedback: Feedback) -> SunTime:
        return SunTime(np.full(len(some), day.hours), np.full(len(some), day.hours), len(some))

    suns = [DaySun(SOLSTICE + timedelta(days=k), np.zeros((1, 3)), np.array([1.0 + k])) for k in range(20)]
    tracemalloc.start()
    try:
        found = period_trace(time, suns)(points, None, each, Feedback())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak / count < 60.0  # bytes
    assert found.mean[0] == 10.5
    assert (found.least[-1], found.least_day[-1]) == (1.0, 0)


def test_memory_of_the_whole_study() -> None:
    """Ten million points of ground must fit into four gigabytes: 400 bytes each, with all that is made on the way."""
    tracemalloc.start()
    try:
        result = study(layer(box(5, 5, 5)), margin=200.0, ground_cell=0.8, facades=False, start=12.0, stop=12.5)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert float(result.summary["points"].value) > 250_000
    assert peak / float(result.summary["points"].value) < 400.0


# Light through crowns


def crown(name: str, species: str, y: float = -12.0) -> Layer:
    ball = box(30.0, 30.0, 6.0, at=(0, 0, 14.0))
    turn = np.hstack([np.eye(3), [[0.0], [y], [0.0]]])[None]
    table = ElementTable([name], {"species": Column(np.array([species], dtype=object))})
    return Layer(name, name, "tree", Instances((ball,), np.array([0]), turn, np.array([0])), table=table)


@pytest.mark.parametrize(
    ("species", "day", "latitude", "share"),
    [
        ("Ginkgo biloba", SOLSTICE, 36.5, 0.5),
        ("Ginkgo biloba", date(2026, 6, 21), 36.5, 0.03),
        ("Ginkgo biloba", date(2026, 6, 21), -34.6, 0.5),
        ("Ginkgo biloba", SOLSTICE, -34.6, 0.03),
        ("소나무", SOLSTICE, 36.5, 0.03),
    ],
)
def test_a_crown_lets_its_share_through(species: str, day: date, latitude: float, share: float) -> None:
    house, tree = layer(box(6, 6, 3)), crown("t", species, -np.sign(latitude) * 20.0)
    common = {"frame": at(latitude), "day": day, "facades": False, "trees": (tree,)}
    light = study(house, trees_block=True, crown_light=True, **common)
    solid, without = study(house, trees_block=True, **common), study(house, **common)
    inside = np.isfinite(hours(solid, "ground"))
    a, b = hours(solid, "ground")[inside], hours(without, "ground")[inside]
    assert (b - a).max() > 0.4
    np.testing.assert_allclose(hours(light, "ground")[inside], a + share * (b - a), atol=1e-12)
    np.testing.assert_array_equal(hours(light, "ground", "longest_run"), hours(solid, "ground", "longest_run"))
    codes = [issue.code for issue in light.issues]
    assert "sunlight.crown_light" in codes
    assert ("sunlight.no_evergreens" in codes) == (species != "소나무")


def test_crown_light_alone_does_nothing_and_leaves_are_known() -> None:
    house, tree = layer(box(6, 6, 3)), crown("t", "x")
    off = study(house, trees=(tree,), crown_light=True, facades=False)
    np.testing.assert_array_equal(hours(off, "ground"), hours(study(house, facades=False), "ground"))
    names = ["Pinus densiflora", "Metasequoia (conifer)", "느티나무", "메타세쿼이아", "상록활엽", None]
    table = ElementTable([str(k) for k in range(6)], {"species": Column(np.array(names, dtype=object))})
    assert evergreen(replace(tree, table=table)).tolist() == [True, False, False, False, True, False]
    figures = leaves()
    assert figures.through(date(2028, 2, 29), southern=False) == 0.5
    assert figures.through(date(2028, 2, 29), southern=True) == 0.03


# Surfaces and areas that the user names


def test_a_named_surface_has_the_hours_of_a_facade() -> None:
    spec = {s.name: s for s in describe_inputs(STUDY.inputs)}
    assert spec["surfaces"].named
    assert spec["areas"].named
    panel = Mesh(np.array([[-5, -8, 2], [5, -8, 2], [5, -8, 6], [-5, -8, 6.0]]), [[0, 1, 2], [0, 2, 3]], [0, 0])
    result = study(
        layer(box(20, 10, 12)), terrain=plain(), frame=at(36.5), surfaces=(layer(panel, theme="other", name="PV"),)
    )
    named = part(result, "surface-0")
    assert named.name == "PV: Sun hours"
    all_day = possible(result)
    assert hours(result, "surface-0") == pytest.approx(all_day, abs=1e-3)
    table = rows(result, "surfaces")
    assert table["area"] == pytest.approx([40.0])
    assert table["mean_hours"] == pytest.approx([all_day], abs=1e-3)
    many = study(layer(box(20, 10, 12)), surfaces=(named,), period="range", last_day=date(2026, 12, 23), every=1)
    assert hours(many, "surface-0", "mean_hours").max() == pytest.approx(all_day, abs=0.05)


def test_a_sheet_below_the_terrain_is_doubted_and_a_huge_one_refused() -> None:
    sheet = Mesh(
        np.array([[30, 30, -0.3], [40, 30, -0.3], [40, 40, -0.3], [30, 40, -0.3]]), [[0, 1, 2], [0, 2, 3]], [0, 0]
    )
    result = study(layer(box(5, 5, 5)), terrain=plain(), surfaces=(layer(sheet, theme="parcel", name="Park"),))
    assert "sunlight.buried_cells" in [issue.code for issue in result.issues]
    huge = Mesh(sheet.vertices * [400, 400, 1], sheet.faces, sheet.face_element)
    with pytest.raises(UserError) as caught:
        study(layer(box(5, 5, 5)), surfaces=(layer(huge, theme="other"),), facade_spacing=0.5, ground=False)
    assert caught.value.code == "sunlight.too_many_surface_cells"


@pytest.mark.parametrize("seed", range(4))
def test_cells_inside_outlines_agree_with_shapely(seed: int) -> None:
    import shapely

    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 17))
    star = rng.uniform(3, 20, 17)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    hole = star[::-1] * 0.2 + star.mean(axis=0) * 0.01
    raster = Raster(-22.3, -21.1, 0.37, (115, 121))
    x, y = np.meshgrid(-22.3 + 0.37 * np.arange(121), -21.1 + 0.37 * np.arange(115))
    closed = [np.vstack([r, r[:1]]) for r in (star, hole)]
    start, stop = np.concatenate([r[:-1] for r in closed]), np.concatenate([r[1:] for r in closed])
    polygon = shapely.Polygon(star).symmetric_difference(shapely.Polygon(hole))
    expected = np.flatnonzero(shapely.contains_xy(polygon, x.ravel(), y.ravel()))
    np.testing.assert_array_equal(cells_inside(start, stop, raster, odd=True), expected)
    corners = np.array([[[0, 0], [star[k, 0], star[k, 1]], [star[k + 1, 0], star[k + 1, 1]]] for k in range(16)])
    fan = shapely.union_all([shapely.Polygon(t) for t in corners])
    cells = cells_inside(corners.reshape(-1, 2), np.roll(corners, -1, axis=1).reshape(-1, 2), raster, odd=False)
    np.testing.assert_array_equal(cells, np.flatnonzero(shapely.contains_xy(fan, x.ravel(), y.ravel())))


def test_shares_of_open_spaces() -> None:
    """A yard with a hole, another over it, and one under a building: areas by hand, shares of the cells' hours."""
    park = area(ring(-40, 10, 80, 60), ring(-5, 30, 10, 10), ring(-20, 20, 10, 10), element=(0, 0, 1))
    under = area(ring(-9, -4, 18, 8), id_="under", name="필로티")
    result = study(
        layer(box(20, 10, 30)),
        terrain=plain(),
        areas=(park, under),
        ground_cell=2.0,
        area_cell=1.0,
        area_hours="0.5, 6",
    )
    table = rows(result, "area_list")
    assert table["open_area"].tolist() == [80 * 60 - 100, 100, 0]
    assert table["built_area"].tolist() == [0, 0, 18 * 8]
    assert np.isnan(table["mean_hours"][2])
    assert "sunlight.areas_without_ground" in [issue.code for issue in result.issues]
    grid = part(result, "areas").geometry
    x, y = np.meshgrid(grid.x, grid.y)
    inside = (np.abs(x) < 40) & (y > 10) & (y < 70) & ~((np.abs(x) < 5) & (y > 30) & (y < 40))
    cells = grid.values[inside]
    assert np.isfinite(cells).all()
    assert table["mean_hours"][0] == pytest.approx(cells.mean())
    assert table["min_hours"][0] == cells.min()
    assert table["share_6h"][0] == pytest.approx(100 * np.mean(cells >= 6 - 1e-9))
    assert 10 < table["share_6h"][0] < 95
    share = hours(result, "areas", "share_6h")[inside & ~((x < -10) & (x > -20) & (y > 20) & (y < 30))]
    assert share == pytest.approx(table["share_6h"][0])


def test_areas_of_triangles_words_and_schools() -> None:
    corners = ring(-30, 20, 20, 20)[:4]
    flat = Mesh(np.column_stack([corners, [0, 5, 9, 2]]), [[0, 2, 1], [0, 3, 2]], [0, 0])  # turned over
    school = area(ring(10, 20, 20, 20), name="가온초등학교")
    sheet = Layer("sheet", "Sheet", "water", flat)
    tall = layer(box(60, 10, 60, at=(20, 8, 0)))
    result = study(tall, areas=(sheet, school), area_cell=1.0)
    table = rows(result, "area_list")
    assert table["open_area"].tolist() == [400.0, 400.0]
    assert table["yard"].tolist() == ["", "fail"]
    assert "sunlight.yard_limit" in [issue.code for issue in result.issues]
    only = study(tall, areas=(sheet, school), area_cell=1.0, area_words="학교, school", day=date(2026, 3, 21))
    assert rows(only, "area_list")["area"].tolist() == ["가온초등학교"]
    assert rows(only, "area_list")["yard"].tolist() == [""]
    assert "sunlight.yards_not_judged" in [issue.code for issue in only.issues]


@pytest.mark.parametrize(
    ("areas", "params", "code"),
    [
        ((area(ring(0, 0, 5, 5)[:-1]),), {}, "sunlight.no_areas"),
        ((area(ring(0, 0, 5, 5)),), {"area_words": "호수"}, "sunlight.no_areas"),
        ((area(ring(0, 0, 9000, 9000)),), {}, "sunlight.too_many_area_cells"),
    ],
)
def test_areas_that_cannot_be_looked_at(areas: tuple[Layer, ...], params: dict[str, object], code: str) -> None:
    with pytest.raises(UserError) as caught:
        study(layer(box(5, 5, 5)), areas=areas, area_cell=1.0, ground=False, facades=False, **params)
    assert caught.value.code == code


@pytest.mark.parametrize("text", ["", "x", "0", "25", "1,2,3,4,5,6,7"])
def test_wrong_hours_of_areas_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        STUDY.params(area_hours=text)


def test_cells_cut_in_parts_are_the_same_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    from analysis.kernels import sampling_parts
    from geo.model import merge_meshes

    many = merge_meshes([box(8, 6, 9 + k, at=(20.0 * k, 0, 0)) for k in range(6)])
    # one roof stands askew: its cells are cut, not whole squares
    element = np.repeat(np.arange(6, dtype=np.int32), len(many.faces) // 6)
    turned = many.vertices.copy()
    turned[element[0] : 8, :2] = turned[:8, :2] @ np.array([[0.8, 0.6], [-0.6, 0.8]]) + [0.0, 0.3]
    mesh = Mesh(turned, many.faces, element)
    whole = sampling_parts.cells_of_faces(mesh, 1.3)
    monkeypatch.setattr(sampling_parts, "PART_CELLS", 300)
    assert len(sampling_parts._groups(mesh, 1.3)) > 3
    parts = sampling_parts.cells_of_faces(mesh, 1.3)
    for name in ("points", "normals", "area", "element"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))
    for cells in (whole, parts):
        drawn = np.bincount(cells.cell_of_face, cells.mesh.face_area, len(cells.area))
        np.testing.assert_allclose(drawn, cells.area, rtol=1e-9)
        np.testing.assert_array_equal(cells.mesh.face_element, cells.element[cells.cell_of_face])
