"""The study of siting: places, what is told, hostile input, and its numbers against a whole grid solved by hand."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import app
from analysis.contract import Quantity, Result
from analysis.dust import honesty
from analysis.dust.siting_band import Doubt, band_of, of_direction, of_efficiency, of_sources
from analysis.dust.siting_costs import costs_of, grams_a_day
from analysis.dust.winds import Case
from analysis.registry import get
from analysis.run import execute
from geo.model import Column, ElementTable, Feedback, Layer, Lines, Mesh, Points, SessionStore, UserError
from tests.tiny import tiny_frame, tiny_layers
from tests.tiny_sensors import roads, site

QUICK = {
    "cell": 8, "size": 80, "thoroughness": "preview", "directions": "one", "wind_from": 270, "background": 40,
    "schmidt_band": False, "ground": "open", "models": "tower-30000", "count": 2,
}  # fmt: skip
STORE = SessionStore(1 << 29)  # the wind and the dust of the tiny city are calculated once
ROOT = Path(app.__file__).parents[1]


def people(groups: tuple[str, ...] = ("home", "school")) -> Layer:
    points = np.array([[18.0, 30.0, 20.0], [55.0, -5.0, 20.0]])[: len(groups)]
    columns = {
        "place_group": Column(np.array(groups, dtype=object)),
        "persons": Column(np.array([300.0, 100.0])[: len(groups)]),
    }
    shape = Points(points, np.arange(len(groups), dtype=np.int32))
    return Layer("people", "People", "other", shape, ElementTable([f"q{k}" for k in range(len(groups))], columns))


def square(name: str, x: float, y: float, half: float, theme: str = "other") -> Layer:
    corners = np.array([[-1.0, -1.0, 0.0], [1.0, -1.0, 0.0], [1.0, 1.0, 0.0], [-1.0, 1.0, 0.0]]) * half + [x, y, 20.0]
    shape = Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]]), np.zeros(2, np.int32))
    return Layer(name, name, theme, shape, ElementTable([name]))


def purifier(x: float, y: float, *, state: str = "existing", model: str = "tower-30000") -> Layer:
    columns = {
        "name": Column(np.array(["old one"], dtype=object)),
        "purifier_model": Column(np.array([model], dtype=object)),
        "outlet_towards": Column(np.array([0.0]), "deg"),
        "purifier_state": Column(np.array([state], dtype=object)),
    }
    return Layer("units-old", "Purifiers", "purifier", Points(np.array([[x, y, 20.0]]), np.zeros(1, np.int32)),
                 ElementTable(["u"], columns))  # fmt: skip


def sited(*more: Layer, chosen: dict[str, list[str]] | None = None, **params: Any) -> Result:
    layers = [*tiny_layers(), roads(), site(), people(), *more]
    names = {"people": ["people"], **(chosen or {})}
    return ran(layers, names, params)


def ran(layers: list[Layer], names: dict[str, list[str]] | None, params: dict[str, Any]) -> Result:
    given, feedback = {**QUICK, **params}, Feedback(kept=STORE)
    return execute(get("dust.siting"), layers=layers, frame=tiny_frame(), params=given, chosen=names, feedback=feedback)


def value(result: Result, name: str) -> float:
    found = result.summary[name].value
    assert isinstance(found, int | float)
    return float(found)


def column(result: Result, table: str, name: str) -> list[Any]:
    return next(t for t in result.tables if t.id == table).columns[name].values.tolist()


def part(layer: Layer) -> str:
    """Which of the layers of a result it is: ids bear the run before it."""
    return layer.id.rpartition("-")[2]


def units(result: Result) -> np.ndarray:
    layer = next(one for one in result.layers if part(one) == "units")
    assert isinstance(layer.geometry, Points)
    return np.asarray(layer.geometry.vertices)


@pytest.fixture(scope="module")
def usual() -> Result:
    return sited()


def test_what_is_told_hangs_together(usual: Result) -> None:
    assert value(usual, "units") == 2
    reduction = value(usual, "reduction")
    assert 0.0 < reduction < value(usual, "exposure_before")
    assert value(usual, "reduction_low") < reduction < value(usual, "reduction_high")
    # The mean is that of the groups by their people.
    persons, less = column(usual, "groups", "persons"), column(usual, "groups", "reduction")
    assert np.average(less, weights=persons) == pytest.approx(reduction, rel=1e-3)
    assert column(usual, "winds", "reduction") == pytest.approx([reduction], rel=1e-3)
    assert sum(column(usual, "sites", "removed")) == pytest.approx(value(usual, "removed"), rel=1e-3)
    # Nothing keeps more dust than all that it takes in.
    assert value(usual, "removed") < 2 * grams_a_day(30000 / 3600 * 0.7 * 1.5 * value(usual, "exposure_before"))
    assert value(usual, "near_field_over_grid") == pytest.approx(1.0, abs=0.06)
    assert units(usual).shape == (2, 3)
    apart = np.hypot(*(units(usual)[0] - units(usual)[1])[:2])
    assert apart >= 20.0


def test_maps_and_units_can_be_read_by_others(usual: Result) -> None:
    layers = {part(one): one for one in usual.layers if one.geometry is not None}
    assert set(layers) == {"units", "benefit", "reduction"}
    names = {name: [f.name for f in one.fields] for name, one in layers.items()}
    assert names["benefit"] == ["screening", "benefit"]
    assert names["reduction"] == ["reduction", "reduction_percent"]
    less = layers["reduction"].field_named("reduction")
    assert less is not None
    assert np.nanmax(less.values) <= value(usual, "largest_anywhere") * 1.001
    assert layers["units"].theme == "purifier"
    assert layers["units"].table.columns["purifier_state"].values.tolist() == ["planned"] * 2


def test_sources_cut_by_as_much_bring_as_much(usual: Result) -> None:
    """Half of a group taken off its sources lowers the exposure by half of what it is said to add."""
    group = column(usual, "instead", "group")[0]
    percent, adds = column(usual, "instead", "cut_percent")[0], column(usual, "instead", "adds")[0]
    assert percent / 100.0 * adds == pytest.approx(value(usual, "reduction"), rel=1e-2)
    weaker = [roads(), site()]
    for k, layer in enumerate(weaker):
        groups = layer.table.columns["group"].values
        strength = layer.table.columns["strength_pm10"].values * np.where(groups == group, 0.5, 1.0)
        columns = {**layer.table.columns, "strength_pm10": Column(strength, "g/s")}
        weaker[k] = layer.with_(table=ElementTable(list(layer.table.ids), columns))
    other = ran([*tiny_layers(), *weaker, people()], {"people": ["people"]}, {})
    less = value(usual, "exposure_before") - value(other, "exposure_before")
    assert less == pytest.approx(0.5 * adds, rel=0.01, abs=1e-4)


def test_units_stand_only_where_they_may(usual: Result) -> None:
    zone = square("zone", 20.0, -30.0, 10.0)
    result = sited(zone, chosen={"allowed": ["zone"]}, ground="zones", spacing=0)
    assert (np.abs(units(result)[:, :2] - [20.0, -30.0]) <= 10.0).all()
    # Nor on the carriageway that runs through it (10 m wide at y = -25).
    assert (np.abs(units(result)[:, 1] + 25.0) >= 5.0).all()
    best = units(usual)[0]
    away = sited(square("no", best[0], best[1], 25.0), chosen={"forbidden": ["no"]})
    assert (np.abs(units(away)[:, :2] - best[:2]).max(axis=1) >= 25.0).all()
    assert value(away, "reduction") <= value(usual, "reduction") * 1.001


def test_a_pond_is_no_ground_and_pavements_lie_beside_roads() -> None:
    with pytest.raises(UserError) as caught:
        sited(square("pond", 0.0, 0.0, 200.0, "water"))
    assert caught.value.code == "dust.siting.nowhere"
    result = sited(ground="pavements", pavement=4.0, count=1)
    y = units(result)[0, 1]
    assert 5.0 <= abs(y + 25.0) <= 9.5 or 3.0 <= abs(y - 28.0) <= 7.5


def test_named_places_are_the_only_ones() -> None:
    spots = Points(np.array([[40.0, -6.0, 20.0], [0.0, -4.0, 20.0]]), np.arange(2, dtype=np.int32))
    table = ElementTable(["a", "b"], {"name": Column(np.array(["정류장", "안"], dtype=object))})
    stops = Layer("stops", "Stops", "furniture", spots, table)
    result = sited(stops, chosen={"places": ["stops"]}, models="stop-1500,shelter-3000")
    assert value(result, "units") == 1  # the other lies in a building
    assert column(result, "sites", "name") == ["정류장"]
    assert "dust.siting.places_lost" in {one.code for one in result.issues}


def test_a_purifier_that_is_there_is_counted_in_and_not_told_as_gain(usual: Result) -> None:
    x, y, _ = units(usual)[0]
    result = sited(purifier(x, y), count=1)
    assert value(result, "exposure_before") < value(usual, "exposure_before")
    assert np.hypot(units(result)[0, 0] - x, units(result)[0, 1] - y) >= 20.0
    assert "dust.siting.existing" in {one.code for one in result.issues}
    for other in (purifier(x, y, state="planned"), purifier(x, y, model="none such")):
        ignored = sited(other, count=1)
        assert value(ignored, "exposure_before") == pytest.approx(value(usual, "exposure_before"), rel=1e-6)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"models": "no-such"}, "dust.siting.model"),
        ({"models": " , "}, "dust.siting.no_model"),
        ({"budget": 1000}, "dust.siting.budget"),
        ({"ground": "zones"}, "dust.siting.no_zones"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(params: dict[str, Any], code: str) -> None:
    with pytest.raises(UserError) as caught:
        sited(**params)
    assert caught.value.code == code
    assert caught.value.todo


def test_money_sets_what_is_bought() -> None:
    result = sited(models="tower-30000,bench-500", budget=30_000_000, count=5)
    assert set(column(result, "sites", "purifier_model")) == {"bench-500"}
    assert value(result, "units") == 2
    assert value(result, "cost") <= 30_000_000
    assert value(result, "cost_year") == pytest.approx(2 * (12e6 / 10 + 0.4e6))


def test_without_people_every_square_metre_counts_and_it_is_said() -> None:
    layers = [*tiny_layers(), roads()]
    result = ran(layers, None, {"count": 1})
    assert "dust.no_people" in {one.code for one in result.issues}
    assert column(result, "groups", "place_group") == ["ground"]
    assert "cost_per_person" not in result.summary


def test_weights_of_groups_move_the_units() -> None:
    home = sited(count=1, home_weight=1.0, school_weight=0.0, spacing=0)
    school = sited(count=1, home_weight=0.0, school_weight=1.0, spacing=0)

    def gain(result: Result, group: str) -> float:
        return dict(zip(column(result, "groups", "place_group"), column(result, "groups", "reduction"), strict=True))[
            group
        ]

    assert gain(home, "home") > gain(school, "home")
    assert gain(school, "school") > gain(home, "school")


# --- what is said


def figures(**changes: Any) -> honesty.Figures:
    known = honesty.Figures(
        3, 0.04, 0.03, 0.05, 0.13, 0.05, "home", 1.0, 1000.0, 0.0, 500.0, 20.0, 44.0, 1.4e8, 1.7e5, 0.9, 6.0, "roads",
        480.0, 1.9, 0.2, 10.0,
    )  # fmt: skip
    return known._replace(**changes)


def test_the_first_sentence_says_when_sensors_will_not_see_it(usual: Result) -> None:
    assert honesty.statements(figures())[0].code == "dust.honesty.unseen.home"
    assert honesty.statements(figures(largest=1.2))[0].code == "dust.honesty.seen.home"
    assert honesty.statements(figures(largest=1.2, detectable=2.0))[0].code == "dust.honesty.unseen.home"
    assert honesty.statements(figures(units=0, reduction=0.0))[0].code == "dust.honesty.no_help"
    assert usual.issues[0].code.startswith("dust.honesty.")
    again = honesty.figures_of(usual.summary)
    assert again is not None
    assert honesty.statements(again)[0].code == usual.issues[0].code


def test_sentences_leave_out_what_is_not_known() -> None:
    codes = {one.code for one in honesty.statements(figures(cost_each=np.nan, cut_group="", gap=0.0, calm_share=0.0))}
    assert codes == {"dust.honesty.unseen.home", "dust.honesty.reduction", "dust.honesty.reach"}
    assert "dust.honesty.no_cut.roads" in {one.code for one in honesty.statements(figures(cut_percent=130.0))}
    assert "dust.honesty.own_air" in {one.code for one in honesty.statements(figures(intake_ratio=0.4))}
    assert honesty.figures_of({"units": Quantity(1, "1")}) is None


def test_every_sentence_is_there_in_korean_with_the_same_figures() -> None:
    korean = json.loads((ROOT / "resources/translations/ko/dust_siting.json").read_text(encoding="utf-8"))
    groups = [*honesty.PEOPLE, "my own"]
    made = [figures(largest=large, largest_group=name) for name in groups for large in (0.1, 3.0)]
    made += [figures(cut_group=name, cut_percent=p) for name in (*honesty.SOURCES, "main road") for p in (2.0, 200.0)]
    made += [figures(units=0), figures(intake_ratio=0.3)]
    for one in (sentence for item in made for sentence in honesty.statements(item)):
        wanted = {name for _, name, _, _ in string.Formatter().parse(korean[f"issue.{one.code}"]) if name}
        assert wanted <= set(one.values), one.code


def test_doubts_join_as_independent_ones() -> None:
    band = band_of(10.0, [Doubt("a", 7.0, 12.0), Doubt("b", 6.0, 10.0), Doubt("c", np.nan, np.nan)])
    assert band.low == pytest.approx(5.0)
    assert band.high == pytest.approx(12.0)
    assert of_sources(10.0, 0.4, 0.5) == ("sources", 8.0, 12.0)
    assert of_efficiency(10.0, 0.9, 0.2) == ("efficiency", 8.0, pytest.approx(10.0 / 0.9))


def test_a_turned_wind_takes_the_neighbours_benefit() -> None:
    cases = [Case(0, 1.0, 2.0, 0.5, 0.0), Case(1, 1.0, 2.0, 0.3, 0.0), Case(2, 1.0, 4.0, 0.2, 0.0)]
    found = of_direction(cases, [1.0, 2.0, 3.0])
    # Right: 0 takes 2 of 1, 1 takes 3 * 4 / 2 of 2, 2 has no neighbour. Left: 1 takes 1 of 0, 2 takes 2 * 2 / 4 of 1.
    usual = 0.5 * 1.0 + 0.3 * 2.0 + 0.2 * 3.0
    assert found.high == pytest.approx(usual * (0.5 * 2.0 + 0.3 * 6.0) / (0.5 * 1.0 + 0.3 * 2.0))
    assert found.low == pytest.approx(usual * (0.3 * 1.0 + 0.2 * 1.0) / (0.3 * 2.0 + 0.2 * 3.0))
    assert np.isnan(of_direction(cases[:1], [1.0]).low)


def test_costs_of_a_year() -> None:
    from analysis.dust.catalogue import purifiers

    tower = purifiers()["tower-30000"]
    found = costs_of([tower, tower], lifetime=10.0, persons=1000.0, reduction=0.02)
    assert found.year == pytest.approx(2 * (40e6 + 6e6))
    assert found.each == pytest.approx(found.year / 20.0)
    assert np.isnan(costs_of([tower], lifetime=10.0, persons=0.0, reduction=1.0).each)


def test_lines_of_roads_are_kept_free() -> None:
    """A road of a closed line has no inside; only its carriageway is taken."""
    ring = np.array(
        [[-30.0, -30.0, 20.0], [30.0, -30.0, 20.0], [30.0, 35.0, 20.0], [-30.0, 35.0, 20.0], [-30.0, -30.0, 20.0]]
    )
    shape = Lines(ring, np.array([0, 5], np.int32), np.zeros(1, np.int32))
    layer = Layer("ring", "Ring", "road", shape, ElementTable(["r"], {"carriageway": Column(np.array([8.0]), "m")}))
    result = sited(layer, count=1)
    x, y = units(result)[0, :2]
    assert min(abs(abs(x) - 30.0), abs(y + 30.0), abs(y - 35.0)) >= 4.0 or abs(x) > 34.0 or not -34.0 < y < 39.0


def test_a_site_that_moves_far_enough_does_the_same() -> None:
    from types import SimpleNamespace

    from analysis.dust.siting_instead import Reach, alternatives_of
    from analysis.dust.sources import Emission

    faces = np.arange(0.0, 201.0, 10.0)
    tunnel = SimpleNamespace(x=faces, y=faces, shape=(2, 20, 20))
    reach = Reach((2, 20, 20))
    falling = np.broadcast_to(1e-3 * np.exp(-np.arange(20) / 5.0), (2, 20, 20))
    reach.add(0.5, falling, 0.5)
    reach.add(0.5, falling, 1.0)  # 1.5 times `falling` in all
    ground = np.arange(400).reshape(20, 20)
    yard = Emission("yard", np.array([10 * 20 + 2]), np.array([200.0]), 0.0)
    street = Emission("roads", np.arange(0, 400, 20, dtype=np.int64), np.full(20, 5.0), 0.0)
    prepared = SimpleNamespace(emissions=(yard, street), winds=SimpleNamespace(tunnel=tunnel))
    adds = 200.0 * 1.5e-3 * np.exp(-0.4)
    found = alternatives_of(prepared, reach, adds * (1.0 - np.exp(-0.5)), ground)  # type: ignore[arg-type]
    one = next(item for item in found if item.group == "yard")
    assert one.adds == pytest.approx(adds)
    assert one.percent == pytest.approx(100.0 * (1.0 - np.exp(-0.5)))
    assert one.emits == pytest.approx(200.0 * 86400 / 1e6)
    assert one.away == pytest.approx(30.0)  # 2.5 cells are needed, the third is the first that does
    blocked = ground.copy()
    blocked[:, 5:] = -1
    again = alternatives_of(prepared, reach, adds * (1.0 - np.exp(-0.5)), blocked)  # type: ignore[arg-type]
    assert np.isnan(next(item for item in again if item.group == "yard").away)


def test_roofs_are_taken_where_they_are_allowed() -> None:
    roof = square("roof", 0.0, -4.0, 5.0)  # on the high house
    with pytest.raises(UserError) as caught:
        sited(roof, chosen={"allowed": ["roof"]}, ground="zones")
    assert caught.value.code == "dust.siting.nowhere"
    result = sited(square("roof", 37.0, 17.0, 6.0), chosen={"allowed": ["roof"]}, ground="zones", roofs=True, count=1)
    assert value(result, "units") == 1
    assert units(result)[0, 2] >= 27.0  # the house is 9 m high on ground at 20 m
