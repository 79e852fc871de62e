"""Irradiation: closed forms, pvlib as the independent check, the compiled loop against NumPy, hostile weather."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.contract import Result
from analysis.irradiation.exposed import tree_transmission
from analysis.irradiation.sky import balanced, suns_of, year_sky
from analysis.irradiation.weather import Hours, hours_of
from analysis.kernels import irradiance
from analysis.kernels.irradiance import COEFFICIENTS, Exposure, dome_factor, exposure, perez, sky_patches
from analysis.kernels.rays import Occluder
from analysis.kernels.sun import sun_position
from analysis.registry import get
from analysis.run import execute
from geo.model import Instances, Issue, Layer, Mesh, UserError
from tests.tiny import box_mesh, buildings, terrain, tiny_frame, tiny_layers
from tests.tiny_weather import radiation, weather_layers

FAR_BOX = box_mesh([(1e5, 1e5, -1.0, 1.0, 1.0, 1.0)])[0]
TILTS, AZIMUTHS = (0.0, 20.0, 45.0, 90.0), (0.0, 90.0, 180.0, 270.0)


def hours(
    layers: list[Layer] | None = None, issues: list[Issue] | None = None, clock: str = "auto", frame: object = None
) -> Hours:
    station, table = layers if layers is not None else weather_layers()
    said = issues if issues is not None else []
    return hours_of([table], [station], frame or tiny_frame(), clock, said)  # type: ignore[arg-type]


def normal(tilt: float, azimuth: float) -> list[float]:
    a, t = np.radians(azimuth), np.radians(tilt)
    return [np.sin(a) * np.sin(t), np.cos(a) * np.sin(t), np.cos(t)]


def fallen(
    weather: Hours, normals: object, obstacle: Mesh = FAR_BOX, trees: Mesh | None = None, **sky: object
) -> Exposure:
    made = year_sky(weather, tiny_frame(), [], **sky)  # type: ignore[arg-type]
    looking = np.atleast_2d(np.asarray(normals, dtype=np.float64))
    centre = np.zeros(3)
    crowns = Occluder([trees], centre) if trees is not None else None
    points = np.zeros((len(looking), 3))
    return exposure(Occluder([obstacle], centre), crowns, points, looking, made.sky, made.patches, np.full(12, 0.25))


def run(layers: list[Layer], **params: object) -> Result:
    quick = {"ground": True, "ground_cell": 8, "facade_spacing": 8, **params}
    return execute(get("sunlight.irradiation"), layers=layers, frame=tiny_frame(), params=quick)


def codes(issues: list[Issue]) -> set[str]:
    return {issue.code for issue in issues}


def test_coefficients_are_those_of_the_paper_as_pvlib_has_them() -> None:
    from pvlib.irradiance import _get_perez_coefficients

    spot, band = _get_perez_coefficients("allsitescomposite1990")
    np.testing.assert_array_equal(COEFFICIENTS, np.hstack([spot[:8], band[:8]]))


def test_sky_of_one_hour_against_pvlib() -> None:
    from pvlib.atmosphere import get_relative_airmass
    from pvlib.irradiance import perez as reference

    rng = np.random.default_rng(1)
    zenith = rng.uniform(5, 84, 300)
    diffuse, direct, extra = rng.uniform(5, 400, 300), rng.uniform(0, 950, 300), rng.uniform(1320, 1410, 300)
    cosine = np.cos(np.radians(zenith))
    found = perez(diffuse, direct, cosine, extra)
    for tilt in (0.0, 40.0, 90.0):
        incidence = cosine * np.cos(np.radians(tilt)) + np.sin(np.radians(zenith)) * np.sin(np.radians(tilt))
        mine = diffuse * (
            (1 - found.spot) * (1 + np.cos(np.radians(tilt))) / 2
            + found.spot * np.maximum(incidence, 0) / np.maximum(cosine, np.cos(np.radians(85)))
            + found.band * np.sin(np.radians(tilt))
        )
        parts = reference(
            tilt, 180.0, diffuse, direct, extra, zenith, np.full(300, 180.0), get_relative_airmass(zenith)
        )
        np.testing.assert_allclose(np.maximum(mine, 0), parts, rtol=2e-3, atol=0.05)


@pytest.mark.parametrize("division", [1, 2])
def test_patches_cover_the_sky(division: int) -> None:
    patches = sky_patches(division)
    assert len(patches.ways) == {1: 145, 2: 577}[division]
    assert patches.solid_angle.sum() == pytest.approx(2 * np.pi)
    np.testing.assert_allclose(np.linalg.norm(patches.ways, axis=1), 1.0)
    assert np.degrees(np.arcsin(patches.ways[0, 2])) == pytest.approx(6.0 if division == 1 else 3.1034, abs=1e-3)
    factor = dome_factor(np.array([normal(t, a) for t in TILTS for a in (10.0, 130.0)]), patches)
    assert np.abs(factor - 1.0).max() < 0.02  # what is corrected is small


def test_an_open_plain_gets_the_global_radiation_of_the_file() -> None:
    weather = hours()
    found = fallen(weather, [0.0, 0.0, 1.0])
    by_month = np.bincount(weather.month - 1, weather.global_horizontal) / 1000.0
    np.testing.assert_allclose(found.months[0], by_month, rtol=5e-3)
    assert found.months.sum() == pytest.approx(by_month.sum(), rel=1e-3)


@pytest.mark.parametrize("place", ["tiny", "Daejeon", "cea"])
def test_open_surfaces_against_pvlib(place: str, request: pytest.FixtureRequest) -> None:
    """Perez 1990 of pvlib with the sun of the same instants: within 1 % a year for every tilt and direction."""
    from pvlib.atmosphere import get_relative_airmass
    from pvlib.irradiance import beam_component, get_extra_radiation
    from pvlib.irradiance import perez as reference

    weather = hours() if place == "tiny" else hours(real_weather(request.getfixturevalue("shared_data"), place))
    frame = tiny_frame()
    looking = [(tilt, azimuth) for tilt in TILTS for azimuth in AZIMUTHS]
    found = fallen(weather, [normal(*one) for one in looking], parts=1, exact=True).months.sum(axis=1)
    suns = suns_of(weather, frame, 1)
    direct, diffuse = balanced(weather, suns.cosine, [])
    up = suns.lit > 0
    zenith = np.degrees(np.arccos(np.clip(suns.cosine[up], 0, 1)))
    azimuth = np.degrees(np.arctan2(suns.ways[up, 0, 0], suns.ways[up, 0, 1]))
    extra = np.asarray(get_extra_radiation(suns.day[up], method="spencer"))
    lit = suns.lit[up]
    dark = float(diffuse[~up].sum())
    for (tilt, facing), mine in zip(looking, found, strict=True):
        sky = reference(
            tilt, facing, diffuse[up] / lit, direct[up] / lit, extra, zenith, azimuth, get_relative_airmass(zenith)
        )
        beam = beam_component(tilt, facing, zenith, azimuth, direct[up])
        theirs = float((np.nan_to_num(sky) * lit + beam).sum() + dark * (1 + np.cos(np.radians(tilt))) / 2) / 1000.0
        assert mine == pytest.approx(theirs, rel=0.01), (tilt, facing)


def real_weather(shared_data: Path, name: str) -> list[Layer]:
    from geo.formats.contract import ReadOptions
    from geo.formats.epw import FORMAT
    from geo.model import Feedback

    folder = shared_data / "weather"
    path = shared_data / "solar" / "cea_zurich" / "weather.epw" if name == "cea" else next(folder.glob(f"*{name}*.epw"))
    return FORMAT.read(path, tiny_frame(), ReadOptions(), Feedback())


@pytest.mark.parametrize("division", [1, 2])
@pytest.mark.parametrize("turned", [0.0, 90.0, 27.0])
def test_a_long_wall_hides_half_of_the_sky(division: int, turned: float) -> None:
    """However it stands to the axes of the scene, a very long and high wall hides half of what lies at its foot."""
    wall = box_mesh([(-4e4, 0.02, -1.0, 8e4, 10.0, 4e4)])[0]
    a = np.radians(turned)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1.0]])
    found = fallen(
        hours(), [0.0, 0.0, 1.0], Mesh(wall.vertices @ turn.T, wall.faces, wall.face_element), division=division
    )
    assert found.hidden[0] == pytest.approx(0.5, abs=0.02)


def test_a_street_against_the_closed_form() -> None:
    """What solids hide in the middle of a long street: 1 - cos(angle up to the eaves), Johnson and Watson (1984)."""
    walls = box_mesh([(-5000.0, 10.0, 0.0, 10000.0, 10.0, 10.0), (-5000.0, -20.0, 0.0, 10000.0, 10.0, 10.0)])[0]
    assert fallen(hours(), [0.0, 0.0, 1.0], walls, division=2).hidden[0] == pytest.approx(1 - np.sqrt(0.5), abs=0.02)


def test_crowns_let_their_share_through() -> None:
    weather = hours()
    roof = box_mesh([(-1e4, -1e4, 5.0, 2e4, 2e4, 1.0)])[0]
    bare, under = fallen(weather, [0.0, 0.0, 1.0]), fallen(weather, [0.0, 0.0, 1.0], trees=roof)
    np.testing.assert_allclose(under.months, 0.25 * bare.months, rtol=2e-3)
    assert under.hidden[0] == pytest.approx(0.0, abs=1e-6)
    params = get("sunlight.irradiation").params
    leaves = tree_transmission(params(leaves_from=10, leaves_to=3))  # the south of the world
    assert leaves.tolist() == [0.03] * 3 + [0.5] * 6 + [0.03] * 3


def test_compiled_loop_equals_numpy_and_threads_do_not_matter() -> None:
    rng = np.random.default_rng(5)
    obstacle = box_mesh([(10.0, -30.0, 0.0, 10.0, 60.0, 25.0), (-40.0, 12.0, 0.0, 30.0, 8.0, 12.0)])[0]
    crown = box_mesh([(-8.0, -12.0, 3.0, 6.0, 6.0, 6.0)])[0]
    made = year_sky(hours(), tiny_frame(), [], parts=1, band_width=12.0)
    points = np.column_stack([rng.uniform(-30, 30, (700, 2)), rng.uniform(0.2, 20, 700)])
    normals = rng.normal(size=(700, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    centre, through = np.zeros(3), np.full(12, 0.3)

    def with_scenes(bundles: bool, threads: int) -> Exposure:
        solids = Occluder([obstacle], centre, bundles=bundles)
        trees = Occluder([crown], centre, bundles=bundles)
        return exposure(solids, trees, points, normals, made.sky, made.patches, through, threads=threads)

    one, two, plain = with_scenes(True, 1), with_scenes(True, 2), with_scenes(False, 1)
    np.testing.assert_array_equal(one.months, two.months)
    np.testing.assert_allclose(one.months, plain.months, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(one.hidden, plain.hidden, atol=1e-5)
    assert one.rays == plain.rays
    assert len(points) > irradiance.CACHED_POINTS


def test_grouped_sun_is_near_the_exact_one() -> None:
    layers = [*tiny_layers(), *weather_layers()]
    exact, grouped = run(layers, direct="exact"), run(layers)
    for mine, fine in zip(grouped.layers, exact.layers, strict=True):
        field, other = mine.field_named("irradiation"), fine.field_named("irradiation")
        if field is None or other is None:
            continue
        a, b = np.asarray(field.values), np.asarray(other.values)
        off = np.abs(a - b)[np.isfinite(b)] / np.nanmean(b)
        assert np.percentile(off, 95) < 0.01
        assert np.nanmean(a) == pytest.approx(np.nanmean(b), rel=2e-3)
    assert grouped.summary["rays"].value < 0.2 * exact.summary["rays"].value  # type: ignore[operator]


def test_months_add_up_and_tables_agree_with_layers() -> None:
    result = run([*tiny_layers(), *weather_layers()])
    parts = {layer.source.part: layer for layer in result.layers}
    roofs = parts["roofs"]
    year = np.asarray(roofs.field_named("irradiation").values)  # type: ignore[union-attr]
    months = sum(np.asarray(roofs.field_named(f"irradiation_{m:02d}").values) for m in range(1, 13))  # type: ignore[union-attr]
    np.testing.assert_allclose(year, months, rtol=1e-5)
    assert isinstance(roofs.geometry, Mesh)
    total = float((year * roofs.geometry.face_area).sum()) / 1000.0
    table = next(t for t in result.tables if t.id == "buildings")
    assert np.nansum(table.columns["roofs_energy"].values) == pytest.approx(total, rel=1e-5)
    assert result.summary["roofs_energy"].value == pytest.approx(total, abs=0.06)
    chart = result.charts[0]
    assert [series.name for series in chart.series] == ["Open field", "Facades", "Roofs", "Ground"]
    open_field = result.summary["open_field"].value
    assert chart.series[0].y.sum() == pytest.approx(open_field, abs=0.06)


def test_north_gets_least_and_a_higher_roof_gets_all() -> None:
    result = run([*tiny_layers(), *weather_layers()], ground_albedo=0.0, facade_albedo=0.0)
    table = next(t for t in result.tables if t.id == "orientations")
    mean = dict(zip(table.columns["facing"].values, table.columns["irradiation"].values, strict=True))
    assert mean["north"] < mean["east"] < mean["south"]
    buildings_table = next(t for t in result.tables if t.id == "buildings")
    roof = buildings_table.columns["roofs_irradiation"].values[0]  # 30 m, the highest of all
    assert roof == pytest.approx(result.summary["open_field"].value, rel=2e-3)


def test_modules_by_hand() -> None:
    result = run(
        [*tiny_layers(), *weather_layers()],
        pv_share=0.25,
        pv_efficiency=0.2,
        pv_performance=0.75,
        pv_threshold=0,
        best=1,
    )
    table = next(t for t in result.tables if t.id == "buildings")
    roof = {
        name: float(table.columns[name].values[0]) for name in ("roofs_area", "roofs_energy", "pv_power", "pv_energy")
    }
    assert roof["roofs_area"] == pytest.approx(240.0)
    assert roof["pv_power"] == pytest.approx(240.0 * 0.25 * 0.2)
    assert roof["pv_energy"] == pytest.approx(roof["roofs_energy"] * 1000.0 * 0.25 * 0.2 * 0.75, rel=1e-6)
    best = next(t for t in result.tables if t.id == "best")
    assert len(best) == 1
    assert best.columns["id"].values[0] == "b0"
    nothing = run([*tiny_layers(), *weather_layers()], pv_threshold=3000)
    assert nothing.summary["pv_energy"].value == 0.0
    assert len(next(t for t in nothing.tables if t.id == "best")) == 0


def test_trees_shade_with_the_season() -> None:
    ball = box_mesh([(-30.0, -30.0, 1.0, 60.0, 60.0, 1.0)])[0]
    turn = np.hstack([np.eye(3), [[60.0], [-50.0], [20.0]]])[None]
    tree = Layer(
        "tree", "Tree", "tree", Instances((ball,), np.array([0]), turn, np.array([0])),
        table=buildings([(0, 0, 0, 1, 1, 1)]).table,
    )  # fmt: skip
    layers = [*tiny_layers(), *weather_layers()]
    params = {"facades": False, "ground_albedo": 0.0, "facade_albedo": 0.0}
    bare, green = run(layers, **params), run([*layers, tree], **params)
    off = run([*layers, tree], trees_block=False, **params)

    def values(result: Result, name: str) -> np.ndarray:
        field = result.layers[0].field_named(name)
        assert field is not None
        found = np.asarray(field.values)
        return found[np.isfinite(found)]

    summer, winter = (values(green, name) / values(bare, name) for name in ("irradiation_07", "irradiation_01"))
    assert summer.min() == pytest.approx(0.03, abs=0.06)
    assert winter.min() == pytest.approx(0.5, abs=0.03)
    np.testing.assert_array_equal(values(off, "irradiation"), values(bare, "irradiation"))


@pytest.mark.parametrize(("lead", "said"), [(0.5, set()), (0.0, {"irradiation.sun_clock"})])
def test_the_columns_say_where_the_sun_of_an_hour_stands(lead: float, said: set[str]) -> None:
    issues: list[Issue] = []
    found = hours(weather_layers(radiation(lead=lead)), issues)
    assert found.lead == lead
    assert codes(issues) == said
    assert hours(weather_layers(radiation(lead=lead)), clock="middle").lead == 0.5


def test_files_of_korea_keep_to_their_label(shared_data: Path) -> None:
    issues: list[Issue] = []
    assert hours(real_weather(shared_data, "Daejeon"), issues).lead == 0.0
    assert "irradiation.sun_clock" in codes(issues)
    assert hours(real_weather(shared_data, "chicago"), []).lead == 0.5


def test_a_wrong_time_zone_is_found_and_put_right() -> None:
    issues: list[Issue] = []
    found = hours(weather_layers(radiation(), zone=0.0), issues)
    right = hours()
    assert {"irradiation.time_zone"} == codes(issues)
    assert issues[0].values == {"zone": "+9", "said": "+0"}
    assert (
        found.label - np.timedelta64(round(found.lead * 3600), "s") == right.label - np.timedelta64(1800, "s")
    ).all()
    only_global = {"global_horizontal": radiation()["global_horizontal"]}
    issues.clear()
    hours(weather_layers(only_global, zone=0.0), issues)
    assert "irradiation.off_noon" in codes(issues)


def test_gaps_are_filled_and_said() -> None:
    values = radiation()
    whole = sum(values["global_horizontal"])
    holed = {name: column.copy() for name, column in values.items()}
    rows = np.random.default_rng(2).choice(8760, 200, replace=False)
    for column in holed.values():
        column[rows] = np.nan
    issues: list[Issue] = []
    filled = hours(weather_layers(holed), issues)
    assert codes(issues) == {"irradiation.gaps_filled"}
    assert filled.global_horizontal.sum() == pytest.approx(whole, rel=0.01)
    issues.clear()
    lost = hours(weather_layers(values, keep=np.setdiff1d(np.arange(8760), rows)), issues)
    assert codes(issues) == {"irradiation.gaps_filled"}
    np.testing.assert_allclose(lost.global_horizontal, filled.global_horizontal)
    one_gone = {**values, "direct_normal": np.full(8760, np.nan)}
    issues.clear()
    derived = hours(weather_layers(one_gone), issues)
    assert derived.direct.sum() == pytest.approx(values["direct_normal"].sum(), rel=0.02)


def test_global_radiation_alone_is_split_and_said() -> None:
    issues: list[Issue] = []
    found = hours(weather_layers({"global_horizontal": radiation()["global_horizontal"]}), issues)
    assert "irradiation.split" in codes(issues)
    made = year_sky(found, tiny_frame(), [])
    assert made.sky.open_field.sum() == pytest.approx(found.global_horizontal.sum() / 1000.0, rel=5e-3)
    assert 0.2 < found.diffuse.sum() / found.global_horizontal.sum() < 0.7


def test_a_leap_year_keeps_its_day() -> None:
    issues: list[Issue] = []
    found = hours(weather_layers(leap=True), issues)
    assert codes(issues) == {"irradiation.leap_day"}
    assert len(found.month) == 8784
    height = sun_position(found.label - np.timedelta64(30, "m"), 127.37, 36.37).apparent_elevation
    assert found.global_horizontal[height < -1].max() == 0.0


def test_hours_that_come_twice_count_once() -> None:
    issues: list[Issue] = []
    found = hours(weather_layers(keep=np.concatenate([np.arange(8760), np.arange(4000, 4100)])), issues)
    assert codes(issues) == {"irradiation.twice"}
    np.testing.assert_allclose(found.global_horizontal, hours().global_horizontal)


def without(name: str) -> list[Layer]:
    station, table = weather_layers()
    columns = {key: column for key, column in table.table.columns.items() if key != name}
    return [station, table.with_(table=type(table.table)(table.table.ids, columns))]


@pytest.mark.parametrize(
    ("layers", "code"),
    [
        (lambda: without("month"), "irradiation.no_weather"),
        (lambda: weather_layers({}), "irradiation.no_radiation"),
        (lambda: weather_layers({"global_horizontal": np.full(8760, np.nan)}), "irradiation.no_radiation"),
        (lambda: weather_layers({k: 0.0 * v for k, v in radiation().items()}), "irradiation.no_sun"),
        (lambda: weather_layers(keep=np.arange(4000)), "irradiation.not_a_year"),
        (lambda: weather_layers(keep=np.r_[0:1000, 1250:8760]), "irradiation.too_many_gaps"),
    ],
)
def test_weather_that_cannot_be_used_is_refused(layers: object, code: str) -> None:
    with pytest.raises(UserError) as caught:
        hours(layers())  # type: ignore[operator]
    assert caught.value.code == code


def test_no_station_no_sun() -> None:
    other = weather_layers(place=(129.0, 35.1), name="Busan")[0]
    for stations in ([], [other]):  # the station of another file does not stand in
        with pytest.raises(UserError) as caught:
            hours_of([weather_layers()[1]], stations, tiny_frame(), "auto", [])
        assert caught.value.code == "irradiation.no_station"


def test_the_nearest_of_two_stations_and_one_far_away() -> None:
    issues: list[Issue] = []
    near, far = weather_layers(), weather_layers(place=(129.0, 35.1), name="Busan")
    found = hours_of([far[1], near[1]], [far[0], near[0]], tiny_frame(), "auto", issues)
    assert found.station.name.startswith("Tiny")
    assert codes(issues) == {"irradiation.nearest"}
    issues.clear()
    hours(far, issues)
    assert "irradiation.station_far" in codes(issues)


def test_weather_from_another_height_is_doubted() -> None:
    codes_here = codes(list(run([terrain(), *weather_layers()], facades=False).issues))
    codes_there = codes(list(run([terrain(900.0), *weather_layers()], facades=False).issues))
    assert "irradiation.station_height" not in codes_here
    assert "irradiation.station_height" in codes_there


def test_polar_night_has_dark_months() -> None:
    place = (18.95, 69.65)
    found = hours(weather_layers(radiation(zone=1.0, place=place), zone=1.0, place=place))
    got = fallen(found, [0.0, 0.0, 1.0]).months[0]
    assert got[11] == 0.0
    assert got[5] > 100.0
    assert got.sum() == pytest.approx(found.global_horizontal.sum() / 1000.0, rel=5e-3)


def test_nothing_to_look_at() -> None:
    with pytest.raises(UserError) as caught:
        run([terrain(), *weather_layers()], ground=False)
    assert caught.value.code == "irradiation.nothing_asked"
    with pytest.raises(UserError) as caught:
        run(weather_layers())
    assert caught.value.code == "sunlight.nothing"
    with pytest.raises(UserError) as caught:
        run(tiny_layers())
    assert caught.value.code == "run.no_input"


def test_an_open_plain_as_a_study() -> None:
    result = run([terrain(), *weather_layers()], facades=False)
    assert result.summary["ground_mean"].value == pytest.approx(result.summary["open_field"].value, rel=2e-3)
