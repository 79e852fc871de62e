"""One way for all studies of dust: balance, parts that add up, speeds, the adjoint, what is kept, what is refused."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from analysis.contract import describe_inputs
from analysis.dust.declaration import DustInputs, DustParams
from analysis.dust.run import CaseFields, Prepared, each_case, fields_of, prepare
from analysis.dust.winds import Case
from geo.model import Feedback, Issue, Layer, SessionStore, UserError
from tests.tiny import buildings, terrain, tiny_frame
from tests.tiny_emissions import road_lines, spots, squares
from tests.tiny_wind import steady_winds

STORE = SessionStore()
WEST = {"directions": "one", "wind_from": 270.0, "speed": 2.0, "cell": 20.0, "size": 60.0, "thoroughness": "preview",
        "background": 40.0}  # fmt: skip
ROAD = [(-60.0, -25.0), (70.0, -25.0)]


def inputs(**layers: object) -> DustInputs:
    given = {spec.name: () for spec in describe_inputs(DustInputs) if spec.many}
    given |= {"terrain": terrain(), "buildings": (buildings(),)}
    return DustInputs(frame=tiny_frame(), **{**given, **layers})  # type: ignore[arg-type]


def road(strength: float = 0.01) -> Layer:
    values = {"strength_pm10": ([strength], "g/s"), "carriageway": ([10.0], "m"), "group": (["roads"], "")}
    return road_lines([ROAD], values)


def site(strength: float = 0.02, corner: tuple[float, float] = (-50.0, 20.0)) -> Layer:
    return squares([(*corner, 25.0)], {"strength_pm10": ([strength], "g/s"), "group": (["site"], "")})


def made(given: DustInputs, **params: object) -> Prepared:
    return prepare(given, DustParams(**{**WEST, **params}), Feedback(kept=STORE))


@cache
def city() -> Prepared:
    return made(inputs(roads=(road(),), sources=(site(),)))


@cache
def west() -> CaseFields:
    return fields_of(city(), city().cases[0], Feedback(), adjoint=True)


def test_what_comes_in_is_accounted_for() -> None:
    for answer in (west().share, *west().parts):
        assert abs(answer.balance.missing) <= 1e-4
        assert answer.balance.left > 0.0
        assert answer.balance.on_ground > 0.0
    # The balance of a group is that of its strength: in the case's wind, which is `ratio` of the calculated one.
    case = city().cases[0]
    for one, part in zip(city().emissions, west().parts, strict=True):
        assert part.balance.emitted * case.ratio == pytest.approx(float(one.strength.sum()), rel=1e-6)


def test_the_background_is_worn_down_but_never_grows() -> None:
    share = west().share.values
    air = share > 0.0
    assert share.max() <= 1.0 + 1e-4
    assert 0.9 < city().exposure.mean(share) < 1.0
    assert air.any()


def test_groups_add_up_to_all_sources_together() -> None:
    values = {"strength_pm10": ([0.01], "g/s"), "carriageway": ([10.0], "m"), "group": (["all"], "")}
    together = site().table.columns | {"group": squares([(0, 0, 1)], {"group": (["all"], "")}).table.columns["group"]}
    joined = made(inputs(
        roads=(road_lines([ROAD], values),),
        sources=(site().with_(table=site().table.with_columns(together)),),
    ))  # fmt: skip
    assert joined.groups == ("all",)
    one = fields_of(joined, joined.cases[0], Feedback(kept=STORE))
    scale = float(np.abs(one.increment()).max())
    assert west().increment() == pytest.approx(one.increment(), abs=2e-4 * scale)
    assert west().total(40.0) == pytest.approx(40.0 * west().share.values + west().increment(), abs=1e-3)


def test_twice_the_strength_is_twice_the_dust_and_nothing_is_solved_again() -> None:
    store = SessionStore()
    first = fields_of(city(), city().cases[0], Feedback(kept=store))
    stronger = made(inputs(roads=(road(0.02),), sources=(site(),)))
    said: list[str] = []
    listening = Feedback(lambda _, message: said.append(message), kept=store)
    second = fields_of(stronger, stronger.cases[0], listening)
    assert second.parts[0].values == pytest.approx(2.0 * first.parts[0].values, rel=1e-6)
    assert np.array_equal(second.parts[1].values, first.parts[1].values)
    assert "dust: solving" not in said


def test_kept_answers_are_those_of_a_run_without_them_bit_for_bit() -> None:
    store = SessionStore()
    for _ in range(2):
        kept = fields_of(city(), city().cases[0], Feedback(kept=store), adjoint=True)
    assert np.array_equal(kept.increment(), west().increment())
    assert np.array_equal(kept.share.values, west().share.values)
    assert kept.adjoint is not None
    assert west().adjoint is not None
    assert np.array_equal(kept.adjoint.values, west().adjoint.values)


def test_the_adjoint_tells_the_exposure_to_any_source() -> None:
    case = city().cases[0]
    assert west().adjoint is not None
    back = west().adjoint.values.reshape(-1).astype(np.float64)  # type: ignore[union-attr]
    for one, part in zip(city().emissions, west().parts, strict=True):
        told = float((back[one.cell] * one.strength).sum()) / case.ratio
        assert told == pytest.approx(city().exposure.mean(part.values), rel=1e-3)


def test_without_deposition_half_the_wind_is_twice_the_dust_with_it_less() -> None:
    from dataclasses import replace

    from analysis.dust.operator import PASSIVE

    slow = city().cases[0]._replace(ratio=0.5 * city().cases[0].ratio)
    passive = replace(city(), particle=PASSIVE)
    fast = fields_of(passive, city().cases[0], Feedback()).increment()
    assert fields_of(passive, slow, Feedback()).increment() == pytest.approx(2.0 * fast, rel=2e-3, abs=1e-3)
    settled = city().exposure.mean(fields_of(city(), slow, Feedback()).increment())
    usual = city().exposure.mean(west().increment())
    assert 1.2 * usual < settled < 1.99 * usual


def test_more_mixing_by_a_smaller_schmidt_number_lowers_what_is_breathed_beside_the_road() -> None:
    usual = city().exposure.mean(west().parts[0].values)
    other = city().with_schmidt(0.5)
    mixed = fields_of(other, other.cases[0], Feedback())
    stiff = fields_of(city().with_schmidt(1.0), other.cases[0], Feedback())
    peak = [float(one.parts[0].values.max()) for one in (mixed, west(), stiff)]
    assert peak[0] < peak[1] < peak[2]
    assert usual > 0.0


def test_trees_take_dust_from_the_air() -> None:
    from dataclasses import replace

    leaves = np.zeros(city().shape, np.float32)
    leaves[1:4] = 1.0
    bushy = replace(city(), leaf_area=leaves)
    found = fields_of(bushy, bushy.cases[0], Feedback())
    assert found.parts[0].balance.on_leaves > 0.0
    assert abs(found.parts[0].balance.missing) <= 1e-4
    assert city().exposure.mean(found.parts[0].values) < city().exposure.mean(west().parts[0].values)


def test_fine_dust_is_deposited_less_than_coarse_dust() -> None:
    values = {"strength_pm10": ([0.01], "g/s"), "strength_pm25": ([0.01], "g/s")}
    fine = made(inputs(roads=(road_lines([ROAD], values),)), size_class="pm25")
    found = fields_of(fine, fine.cases[0], Feedback())
    coarse = west().parts[0].balance
    assert found.parts[0].balance.on_ground / found.parts[0].balance.emitted < coarse.on_ground / coarse.emitted


def test_cases_are_weighted_winds_of_the_weather() -> None:
    winds = steady_winds([270.0, 270.0, 90.0], calm=0.0)
    found = made(inputs(roads=(road(),), weather=(winds,)), directions="strongest8", cell=40.0)
    assert sum(case.share for case in found.cases) == pytest.approx(1.0)
    assert found.cases[0].sector == 12
    assert len(found.cases) == 8
    assert "dust.strongest_only" in [issue.code for issue in found.issues]
    banded = DustParams(**{**WEST, "directions": "strongest8", "banded": True, "cell": 40.0})
    split = prepare(inputs(roads=(road(),), weather=(winds,)), banded, Feedback(kept=STORE))
    assert len(split.cases) > len(found.cases)
    assert sum(case.share for case in split.cases) == pytest.approx(1.0)
    order = [fields.case.sector for fields in each_case(split, Feedback(kept=STORE))]
    assert len(order) == len(split.cases)
    assert [s for k, s in enumerate(order) if k == 0 or order[k - 1] != s] == list(dict.fromkeys(order))


def test_without_weather_one_wind_must_be_chosen() -> None:
    with pytest.raises(UserError) as caught:
        made(inputs(roads=(road(),)), directions="all")
    assert caught.value.code == "dust.no_weather"


def test_a_city_without_sources_is_refused_unless_none_is_needed() -> None:
    silent = road_lines([ROAD], {"name": (["가"], "")})
    with pytest.raises(UserError) as caught:
        made(inputs(roads=(silent,)))
    assert caught.value.code == "dust.no_sources"
    bare = prepare(inputs(roads=(silent,)), DustParams(**WEST), Feedback(kept=STORE), sources_needed=False)
    assert bare.groups == ()
    assert fields_of(bare, bare.cases[0], Feedback()).increment().max() == 0.0


@pytest.mark.parametrize(
    ("strength", "corner", "code"),
    [(-0.1, (-50.0, 20.0), "dust.source.wrong"), (0.1, (5000.0, 0.0), "dust.source.nothing"),
     (0.0, (-50.0, 20.0), "dust.source.nothing")],
)  # fmt: skip
def test_sources_that_cannot_be_are_refused(strength: float, corner: tuple[float, float], code: str) -> None:
    said: list[str] = []
    with pytest.raises(UserError) as caught:
        prepare(
            inputs(sources=(site(strength, corner),)), DustParams(**WEST), Feedback(lambda _, text: said.append(text))
        )
    assert caught.value.code == code
    assert not any(text.startswith("wind from") for text in said), "told before minutes are spent on winds"


def test_a_source_inside_a_building_is_told_with_what_is_lost() -> None:
    inner = spots([(0.0, -4.0)], {"strength_pm10": ([0.01], "g/s"), "group": (["boiler"], ""), "height": ([3.0], "m")})
    with pytest.raises(UserError) as caught:
        made(inputs(sources=(inner,)), cell=5.0)
    assert caught.value.code == "dust.source.nothing"
    beside = made(inputs(roads=(road(),), sources=(inner,)), cell=5.0, area="229000,435500")
    lost = [issue for issue in beside.issues if issue.code == "dust.source_lost"]
    assert [issue.values["group"] for issue in lost if isinstance(issue, Issue)] == ["boiler"]
    assert lost[0].values["percent"] > 50.0


def closed_yard() -> Layer:
    """Four walls and a lid around 20 by 20 m of air."""
    walls = [(-20.0, -20.0, 20.0, 40.0, 10.0, 12.0), (-20.0, 10.0, 20.0, 40.0, 10.0, 12.0),
             (-20.0, -10.0, 20.0, 10.0, 20.0, 12.0), (10.0, -10.0, 20.0, 10.0, 20.0, 12.0),
             (-20.0, -20.0, 30.0, 40.0, 40.0, 6.0)]  # fmt: skip
    return buildings(walls)


def test_air_without_a_way_out_is_no_air_for_dust_and_nobody_breathes_it() -> None:
    yard = spots([(0.0, 0.0)], {"strength_pm10": ([0.01], "g/s"), "group": (["inside"], ""), "height": ([1.0], "m")})
    people = spots([(0.0, 0.0)], {"persons": ([10.0], "1"), "place_group": (["home"], "")}, theme="other")
    given = inputs(buildings=(closed_yard(),), roads=(road(),), sources=(yard,), people=(people,))
    found = made(given, cell=5.0, area="229000,435500")
    codes = {issue.code: issue for issue in found.issues}
    assert codes["dust.sealed"].count > 0
    assert codes["dust.source_lost"].values["group"] == "inside"
    fields = fields_of(found, found.cases[0], Feedback(), adjoint=True)
    assert np.isfinite(fields.total(40.0)).all()
    assert abs(fields.share.balance.missing) <= 1e-4
    assert found.exposure.mean(fields.share.values) > 0.8, "those inside breathe the air before the walls"


def test_a_case_may_be_asked_for_at_any_speed() -> None:
    case = Case(city().cases[0].sector, city().winds.ratio(4.0), 4.0, 1.0, 0.0)
    found = fields_of(city(), case, Feedback())
    assert 0.4 < found.increment().max() / west().increment().max() < 0.6
