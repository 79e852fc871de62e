"""Siting of sensors: closed forms of Gaussian fields, brute force on small cases, and data that cannot be used."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from analysis.registry import get
from analysis.run import execute
from analysis.sensor_siting.field import ensemble_covariance, exponential_covariance
from analysis.sensor_siting.gaussian import Belief, Prior, least_left, pick, random_left, share_left
from analysis.sensor_siting.service import Table, solve
from geo.model import Column, ElementTable, Feedback, Field, Grid, Issue, Layer, Lines, Points, UserError
from tests.tiny import buildings, terrain, tiny_frame, tiny_layers

STUDY = "sensor.siting"


def prior_on_a_line(places: list[float], length: float, noise: float, weight: list[float] | None = None) -> Prior:
    middle = np.column_stack([places, np.zeros(len(places))])
    weights = np.ones(len(places)) if weight is None else np.array(weight)
    return Prior(exponential_covariance(middle, length), weights, np.arange(len(places)), noise)


def run(layers: list[Layer], chosen: dict[str, list[str]] | None = None, **params: object):  # noqa: ANN201
    return execute(get(STUDY), layers=layers, frame=tiny_frame(), params=params, chosen=chosen)


def maps(count: int = 12, *, shape: tuple[int, int] = (9, 12), seed: int = 0, name: str = "speed") -> list[Layer]:
    """Runs of a smooth random field over the tiny city, one layer each."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    out = []
    for k in range(count):
        wave = rng.normal() * np.sin(x / 3.0) + rng.normal() * np.cos(y / 2.0) + 0.3 * rng.normal(size=shape)
        grid = Grid(wave, -55.0, -40.0, 10.0)
        out.append(Layer(f"run{k}", f"Run {k}", "result", grid, fields=(Field(name, "m/s", "cell", wave),)))
    return out


def test_two_sensors_in_closed_form() -> None:
    # Markov on a line: between two exact sensors the variance of the middle is (1 - r^2) / (1 + r^2), r = exp(-d / L).
    prior = prior_on_a_line([0.0, 50.0, 100.0], 100.0, 0.0)
    belief = Belief(prior)
    belief.measure(0)
    belief.measure(2)
    r = np.exp(-0.5)
    np.testing.assert_allclose(belief.variance, [0.0, (1 - r**2) / (1 + r**2), 0.0], atol=1e-15)
    # One sensor with error e at distance d leaves 1 - r^2 / (1 + e).
    noisy = Belief(prior_on_a_line([0.0, 50.0], 100.0, 0.25))
    noisy.measure(0)
    np.testing.assert_allclose(noisy.variance, [1 - 1 / 1.25, 1 - r**2 / 1.25], rtol=1e-14)
    np.testing.assert_allclose(noisy.gains()[1], (1 - r**2 / 1.25) ** 2 / (1.25 - r**2 / 1.25)
                               + (r - r / 1.25) ** 2 / (1.25 - r**2 / 1.25), rtol=1e-12)  # fmt: skip


def test_one_step_after_the_other_is_all_at_once() -> None:
    rng = np.random.default_rng(4)
    factor = rng.normal(size=(30, 8))
    prior = Prior(factor @ factor.T + 0.1 * np.eye(30), rng.random(30), np.arange(0, 30, 2), 0.3)
    belief = Belief(prior)
    for place in (3, 9, 1):
        belief.measure(place)
    assert belief.left / prior.total == pytest.approx(share_left(prior, [3, 9, 1]), rel=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_pick_against_all_sets(seed: int) -> None:
    rng = np.random.default_rng(seed)
    middle = rng.uniform(0, 100, (25, 2))
    prior = Prior(exponential_covariance(middle, 40.0), rng.uniform(0.2, 2, 25), np.arange(0, 25, 2), 0.05)
    found = pick(prior, 3, np.ones(13, dtype=bool), (), Feedback())
    best = min(share_left(prior, subset) for subset in itertools.combinations(range(13), 3))
    assert found.left[-1] >= best - 1e-12
    assert found.left[-1] <= best * 1.01 + 1e-9  # an exchange of one for one is near the best on small cases
    assert found.left[-1] <= found.greedy + 1e-12
    assert (np.diff(found.left) < 0).all()
    bound = least_left(prior, 3, ())
    assert (bound <= found.left + 1e-12).all()
    assert bound[-1] <= best
    random = random_left(prior, 3, np.ones(13, dtype=bool), (), 20, 0)
    assert found.left[-1] <= random.min() + 1e-12


def test_existing_sensors_are_kept_and_counted() -> None:
    prior = prior_on_a_line([0.0, 10.0, 200.0, 210.0], 30.0, 0.01)
    free = np.array([False, True, True, True])
    found = pick(prior, 1, free, [0], Feedback())
    assert found.places[0] in (2, 3)  # not beside the one that is there
    assert found.left[0] == pytest.approx(share_left(prior, [0]))
    assert (least_left(prior, 1, [0]) <= found.left + 1e-12).all()


def test_covariance_of_runs() -> None:
    rng = np.random.default_rng(1)
    many = rng.multivariate_normal([0, 0, 5], [[4, 3, 0], [3, 9, 0], [0, 0, 1]], 4000)
    issues: list[Issue] = []
    covariance, share = ensemble_covariance(many, issues)
    assert not issues
    assert share < 0.01
    np.testing.assert_allclose(covariance, [[4, 3, 0], [3, 9, 0], [0, 0, 1]], atol=0.3)
    few, share = ensemble_covariance(many[:4], issues)
    assert [issue.code for issue in issues] == ["sensor.siting.few_runs"]
    assert 0 < share <= 1
    np.testing.assert_allclose(np.diagonal(few), many[:4].var(axis=0, ddof=1))
    assert np.linalg.eigvalsh(few).min() > -1e-9
    # The share by its definition, entry by entry.
    n, z = 4, (many[:4] - many[:4].mean(0)) / many[:4].std(0, ddof=1)
    top = bottom = 0.0
    for i, j in itertools.permutations(range(3), 2):
        w = z[:, i] * z[:, j]
        top += n / (n - 1) ** 3 * ((w - w.mean()) ** 2).sum()
        bottom += (w.sum() / (n - 1)) ** 2
    assert share == pytest.approx(min(1.0, top / bottom))


@pytest.mark.parametrize("measure", ["median", "centre"])
@pytest.mark.parametrize("existing", [0, 1])
def test_service_against_all_sets(measure: str, existing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    cells, places = rng.uniform(0, 100, (40, 2)), rng.uniform(0, 100, (11, 2))
    distance = np.hypot(*(cells[:, None] - places[None]).transpose(2, 0, 1))
    table = Table(distance, rng.integers(1, 9, 40), existing, measure)
    best = min(table.value(subset) for subset in itertools.combinations(range(existing, 11), 3))
    listed, bound = solve(table, 3, 20.0, Feedback())
    assert table.value(listed) == bound == best
    monkeypatch.setattr("analysis.sensor_siting.service.MOST_SETS", 0)
    chosen, bound = solve(table, 3, 20.0, Feedback())
    assert len(set(chosen)) == 3
    assert all(place >= existing for place in chosen)
    assert table.value(chosen) == pytest.approx(best, abs=0.02)  # the solver counts in centimetres
    assert bound <= best + 1e-9
    assert bound == pytest.approx(best, abs=0.02)
    monkeypatch.setattr("analysis.sensor_siting.service.MOST_PAIRS", 0)
    searched, bound = solve(table, 3, 20.0, Feedback())
    assert table.value(searched) <= best * 1.1
    assert bound <= best + 1e-9
    assert bound > 0.95 * best  # by prices for the mean, by covering for the longest distance


def test_coverage_against_all_sets_and_behind_a_wall() -> None:
    wall = buildings([(-2.0, -60.0, 20.0, 4.0, 120.0, 20.0)])  # cuts the ground in two
    spots = Points(np.array([[x, y, 23.0] for x in (-30.0, 30.0) for y in (-40.0, 0.0, 40.0)]), np.arange(6))
    places = Layer("spots", "Spots", "furniture", spots, ElementTable([f"p{k}" for k in range(6)]))
    layers = [terrain(), wall, places]
    chosen = {"places": ["spots"]}
    result = run(layers, chosen, count=2, cell=10, radius=45, gap=0)
    assert result.summary["proven"].value == "yes"
    sensors = result.layers[0]
    assert sensors.theme == "sensor"
    assert len(sensors.table) == 2
    ground = result.layers[1].geometry
    x, y = np.meshgrid(ground.x, ground.y)
    open_cells = np.isfinite(ground.values)
    watch = []
    for px, py, _ in spots.vertices:
        near = (x - px) ** 2 + (y - py) ** 2 + (23.0 - 21.5) ** 2 <= 45.0**2
        watch.append(near & (np.sign(x) == np.sign(px)) & open_cells)  # the wall hides the other side
    best = max((watch[a] | watch[b]).sum() for a, b in itertools.combinations(range(6), 2))
    assert result.summary["watched"].value == pytest.approx(100.0 * best / open_cells.sum(), abs=0.01)
    assert int((ground.values[open_cells] > 0).sum()) == best
    far = run(layers, chosen, count=2, cell=10, radius=45, gap=0, line_of_sight=False)
    assert far.summary["watched"].value > result.summary["watched"].value


def test_existing_sensors_weights_and_forbidden_zones() -> None:
    there = Layer("old", "Old", "sensor", Points(np.array([[-60.0, -60.0, 23.0]]), [0]), ElementTable(["old"]))
    homes = Points(np.array([[60.0, 60.0, 20.0], [-62.0, -58.0, 20.0]]), np.arange(2))
    people = Layer(
        "homes", "Homes", "other", homes, ElementTable(["a", "b"], {"people": Column(np.array([30.0, 70.0]))})
    )
    layers = [terrain(), there, people]
    result = run(layers, {"people": ["homes"]}, count=1, radius=30, weight="people")
    assert result.summary["watched_before"].value == pytest.approx(70.0)
    assert result.summary["watched"].value == pytest.approx(100.0)
    states = result.layers[0].table.columns["sensor_state"].values.tolist()
    assert states == ["existing", "planned"]
    row = result.tables[0].columns
    near = np.hypot(row["easting"].values[0] - 229_060.0, row["northing"].values[0] - 435_560.0)
    assert near <= 30.0
    ring = np.array([[20.0, 20, 0], [90, 20, 0], [90, 90, 0], [20, 90, 0], [20, 20, 0]])
    zone = Layer("zone", "Zone", "parcel", Lines(ring, [0, 5], [0]), ElementTable(["z"]))
    kept_out = run([*layers, zone], {"people": ["homes"], "zones": ["zone"]}, count=1, radius=30, weight="people")
    assert kept_out.summary["watched"].value < 100.0
    assert "sensor.siting.forbidden" in {issue.code for issue in kept_out.issues}


def test_proposals_of_an_earlier_run_are_not_there() -> None:
    first = run(tiny_layers(), count=2)
    again = run([*tiny_layers(), first.layers[0]], count=2)
    assert again.summary["existing"].value == 0
    assert again.summary["watched"] == first.summary["watched"]


def test_field_of_runs_on_the_map() -> None:
    runs = maps()
    blank = runs[3].geometry.values.copy()
    blank[2, 5] = np.nan
    field = Field("speed", "m/s", "cell", blank)
    runs[3] = runs[3].with_(geometry=Grid(blank, -55.0, -40.0, 10.0), fields=(field,))
    names = [layer.id for layer in runs]
    result = run([*tiny_layers(), *runs], {"maps": names}, mode="representativeness", count=4, spacing=10, noise=10)
    issues = {issue.code: issue.count for issue in result.issues}
    assert issues["sensor.siting.partly_known"] == 1
    left = result.summary["left"].value
    assert result.summary["left_bound"].value <= left <= result.summary["left_random_best"].value
    assert result.summary["heuristic"].value == "yes"
    shown = result.layers[1].fields[0].values
    assert np.isnan(shown[2, 5])
    assert 0.0 <= np.nanmin(shown) <= np.nanmax(shown) <= 100.0
    curve = result.charts[0].series[0].y
    assert (np.diff(curve) < 0).all()
    assert curve[-1] == pytest.approx(left, abs=1e-3)
    pattern = [layer.with_(fields=(Field(f"from_{k}", "m/s", "cell", layer.geometry.values),))
               for k, layer in enumerate(maps())]  # fmt: skip
    again = run([*tiny_layers(), *pattern], {"maps": names}, mode="representativeness", field="from_*", spacing=10)
    assert again.summary["sensors"].value == 5


def test_exponential_field_spreads_the_sensors() -> None:
    result = run([terrain()], mode="representativeness", covariance="exponential", length=40, count=4, spacing=20)
    points = result.layers[0].geometry.vertices[:, :2]
    quadrant = {(x > 0, y > 0) for x, y in points}
    assert len(quadrant) == 4
    assert result.summary["left"].value < result.summary["left_random"].value


@pytest.mark.parametrize("measure", ["median", "centre"])
def test_service_on_the_map(measure: str) -> None:
    result = run(tiny_layers(), mode="service", measure=measure, count=2, cell=20, spacing=40)
    value = result.summary[f"distance_{measure}"].value
    grid = result.layers[1].geometry.values
    known = grid[np.isfinite(grid)]
    assert value == pytest.approx(known.mean() if measure == "median" else known.max(), abs=1e-3)
    assert result.summary["proven"].value == "yes"


def test_what_cannot_be_used() -> None:
    def code(layers: list[Layer], chosen: dict[str, list[str]] | None = None, **params: object) -> str:
        with pytest.raises(UserError) as caught:
            run(layers, chosen, **params)
        return caught.value.code

    field = {"mode": "representativeness"}
    runs = maps(3)
    named = {"maps": ["run0", "run1", "run2"]}
    assert code([terrain()], **field) == "sensor.siting.no_maps"
    assert code([terrain(), *runs], {"maps": ["run0"]}, **field) == "sensor.siting.one_map"
    assert code([terrain(), *runs], named, field="pm10", **field) == "sensor.siting.no_field"
    small = maps(1, shape=(5, 5))[0].with_(id="run2")
    assert code([terrain(), *runs[:2], small], named, **field) == "sensor.siting.shapes"
    same = [layer.with_(geometry=Grid(np.ones((9, 12)), -55.0, -40.0, 10.0),
                        fields=(Field("speed", "m/s", "cell", np.ones((9, 12))),)) for layer in runs]  # fmt: skip
    assert code([terrain(), *same], named, **field) == "sensor.siting.constant"
    halves = []
    for k, layer in enumerate(runs[:2]):
        values = layer.geometry.values.copy()
        values[:, 6 * k : 6 * k + 6] = np.nan
        grid = Grid(values, -55.0, -40.0, 10.0)
        halves.append(layer.with_(geometry=grid, fields=(Field("speed", "m/s", "cell", values),)))
    assert code([terrain(), *halves], {"maps": ["run0", "run1"]}, **field) == "sensor.siting.no_cells"
    ring = np.array([[500.0, 500, 0], [600, 500, 0], [600, 600, 0], [500, 600, 0], [500, 500, 0]])
    away = Layer("away", "Away", "parcel", Lines(ring, [0, 5], [0]), ElementTable(["z"]))
    assert code([terrain(), away], {"area": ["away"]}) == "sensor.siting.nothing"
    everywhere = Layer("all", "All", "parcel", Lines(ring * [1, 1, 0] * 10 - [5500, 5500, 0], [0, 5], [0]), away.table)
    assert code([terrain(), everywhere], {"zones": ["all"]}) == "sensor.siting.no_places"
    assert code([terrain()], weight="people") == "sensor.siting.no_people"
    wide = terrain(half=5000.0, cell=100.0)
    assert code([wide], cell=1) == "sensor.siting.too_many_cells"


def test_the_measured_example() -> None:
    """2,500 cells, 625 places, 12 sensors: better than chance by a margin, within seconds."""
    rng = np.random.default_rng(12)
    y, x = np.mgrid[0:50, 0:50]
    middle = np.column_stack([x.ravel(), y.ravel()]) * 10.0
    covariance = exponential_covariance(middle, 60.0)
    weight = rng.uniform(0.5, 1.5, 2500)
    site = np.flatnonzero((x.ravel() % 2 == 0) & (y.ravel() % 2 == 0))
    prior = Prior(covariance, weight, site, 0.05)
    free = np.ones(625, dtype=bool)
    start = time.perf_counter()
    found = pick(prior, 12, free, (), Feedback())
    assert time.perf_counter() - start < 60.0
    random = random_left(prior, 12, free, (), 20, 0)
    assert found.left[-1] < found.greedy < random.min() < random.mean()
    assert found.left[-1] < random.mean() - 0.04
    assert least_left(prior, 12, ())[-1] < found.left[-1]
