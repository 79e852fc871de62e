"""What cities, weather and machines do to the studies of wind: a plain word, a finite map or a clean stop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.contract import Result
from analysis.registry import get
from analysis.run import execute
from analysis.wind import domain, flow, geometry
from geo.model import Cancelled, Feedback, Grid, Layer, SessionStore, UserError
from tests.tiny import buildings, terrain, tiny_frame
from tests.tiny_wind import steady_winds, wind_layer

BLOCK = (-15.0, -15.0, 20.0, 30.0, 30.0, 24.0)
QUICK = {"cell": 12.0, "size": 100.0, "thoroughness": "preview", "space": False}


def study(
    *boxes: tuple[float, ...], ground: Layer | None = None, feedback: Feedback | None = None, **params: object
) -> Result:
    layers = [ground or terrain(20.0, 300.0, 20.0), *([buildings(list(boxes))] if boxes else [])]  # type: ignore[arg-type]
    given = {**QUICK, **params}
    return execute(get("wind.field"), layers=layers, frame=tiny_frame(), params=given, feedback=feedback)


def ratio(result: Result) -> np.ndarray:
    return np.asarray(result.layers[0].fields[0].values, float)


def told(result: Result) -> set[str]:
    return {issue.code for issue in result.issues}


def is_sound(result: Result) -> bool:
    """Every open cell has a speed that a wind can have."""
    values = ratio(result)
    known = np.isfinite(values)
    return bool(known.any() and (values[known] >= 0.0).all() and (values[known] < 4.0).all())


def test_the_wind_goes_through_an_alley_of_one_cell() -> None:
    rows = [(-60.0, 12.0, 20.0, 120.0, 24.0, 20.0), (-60.0, -36.0, 20.0, 120.0, 36.0, 20.0)]  # 12 m between them
    result = study(*rows, wind_from=270.0)
    assert is_sound(result)
    grid = result.layers[0].geometry
    assert isinstance(grid, Grid)
    y = grid.y0 + grid.cell * np.arange(len(ratio(result)))
    alley = ratio(result)[np.abs(y - 6.0) < 1.0]
    assert len(alley) == 1
    assert np.isfinite(alley).sum() == 8, "the middle of a hundred metres"
    assert np.nanmax(alley) > 0.05


def test_a_tower_of_500_m_in_a_low_district_runs_and_is_told() -> None:
    low = [(-100.0 + 40.0 * (n % 6), -100.0 + 40.0 * (n // 6), 20.0, 25.0, 25.0, 9.0) for n in range(36)]
    low[21] = (*low[21][:3], 15.0, 15.0, 500.0)
    result = study(*low, cell=20.0)
    assert is_sound(result)
    assert "wind.tall_buildings" in told(result)


@pytest.mark.parametrize("roughness", [0.3, 1.0])
def test_ground_rougher_than_its_cells_runs_and_is_told(roughness: float) -> None:
    result = study(BLOCK, ground_roughness=roughness)
    assert is_sound(result)
    assert "wind.rough_ground" in told(result)


def test_a_cliff_runs_and_is_told() -> None:
    heights = np.full((61, 61), 20.0)
    heights[:, 31:] = 80.0
    cliff = Layer("terrain", "Terrain", "terrain", Grid(heights, -600.0, -600.0, 20.0))
    result = study((-25.0, -15.0, 20.0, 20.0, 20.0, 12.0), ground=cliff, wind_from=270.0)
    assert is_sound(result)
    assert "wind.cliff" in told(result)


def test_buildings_below_the_terrain_are_told() -> None:
    """A map without heights, imported before the terrain: its houses stand at zero."""
    low = (40.0, 40.0, 0.0, 20.0, 20.0, 12.0)
    result = study(BLOCK, low)
    doubt = next(issue for issue in result.issues if issue.code == "wind.buried")
    assert doubt.count == 1
    assert doubt.values["depth"] == pytest.approx(20.0, abs=0.5)
    assert "wind.buried" not in told(study(BLOCK, (40.0, 40.0, 18.0, 20.0, 20.0, 12.0))), "a cellar is none"


def test_without_an_area_the_place_where_most_is_built_is_taken() -> None:
    village = [(500.0 + 30.0 * (n % 4), 500.0 + 30.0 * (n // 4), 20.0, 12.0, 12.0, 8.0) for n in range(16)]
    lonely = [(-600.0, -600.0, 20.0, 8.0, 8.0, 4.0), (-40.0, -40.0, 20.0, 8.0, 8.0, 4.0)]
    result = study(*village, *lonely, ground=terrain(20.0, 1200.0, 20.0))
    grid = result.layers[0].geometry
    assert isinstance(grid, Grid)
    middle = np.array([grid.x0, grid.y0]) + 0.5 * grid.cell * (np.array(ratio(result).shape[::-1]) - 1)
    np.testing.assert_allclose(middle, [551.0, 551.0], atol=40.0)
    assert "wind.area_chosen" in told(result)


# ---- weather


@pytest.mark.parametrize("analysis_id", ["wind.comfort", "wind.corridor"])
def test_a_year_without_wind_is_a_plain_word(analysis_id: str) -> None:
    layers = [terrain(20.0, 300.0, 20.0), buildings([BLOCK]), wind_layer(np.zeros(8760), np.zeros(8760))]
    params = {"cell": 12.0, "size": 60.0, "thoroughness": "preview"}
    with pytest.raises(UserError) as caught:
        execute(get(analysis_id), layers=layers, frame=tiny_frame(), params=params)
    assert caught.value.todo
    assert "holds no wind" in caught.value.what


def test_directions_that_never_blow_are_not_calculated_and_the_shares_still_add_up() -> None:
    layers = [terrain(20.0, 300.0, 20.0), buildings([BLOCK]), steady_winds([90.0, 360.0])]
    params = {"cell": 12.0, "size": 60.0, "thoroughness": "preview", "sectors": 16}
    result = execute(get("wind.comfort"), layers=layers, frame=tiny_frame(), params=params)
    table = next(layer for layer in result.layers if layer.source.part == "sectors").table
    share = np.asarray(next(c.values for n, c in table.columns.items() if n in ("share", "frequency")), float)
    assert np.count_nonzero(share > 0.0) <= 3  # the two, and the calm


# ---- the machine


def test_a_calculation_that_fails_names_the_place_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = flow.Solver.iterate

    def broken(solver: flow.Solver) -> None:
        whole(solver)
        if solver.steps == 9:
            solver.flow.u[8, 10, 11] = np.nan

    monkeypatch.setattr(flow.Solver, "iterate", broken)
    store = SessionStore()
    with pytest.raises(UserError) as caught:
        study(BLOCK, feedback=Feedback(kept=store))
    assert caught.value.code == "wind.failed"
    assert all(np.isfinite(float(caught.value.values[name])) for name in ("x", "y", "z"))
    assert store.size == 0


def test_too_little_memory_is_said_before_the_start_with_cells_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(*_arguments: Any, **_named: Any) -> None:
        raise AssertionError("nothing is made before it is known to fit")

    small = 60_000_000
    monkeypatch.setattr(domain, "free_memory", lambda: small)
    with monkeypatch.context() as guarded:
        guarded.setattr(geometry, "make_level", made)
        with pytest.raises(UserError) as caught:
            study(BLOCK, cell=4.0)
    assert caught.value.code == "wind.memory"
    fits = float(caught.value.values["fits"])
    assert 4.0 < fits < 40.0
    assert is_sound(study(BLOCK, cell=fits))


class Stopped:
    """Asks to stop after some looks."""

    def __init__(self, after: float) -> None:
        self.after, self.looks, self.messages = after, 0, list[str]()

    def feedback(self, store: SessionStore | None = None) -> Feedback:
        return Feedback(lambda _fraction, text: self.messages.append(text), self._asked, kept=store)

    def _asked(self) -> bool:
        self.looks += 1
        return self.looks > self.after


def test_it_stops_in_any_phase_and_keeps_nothing_of_it() -> None:
    whole = Stopped(after=np.inf)
    study(BLOCK, feedback=whole.feedback(), space=True)
    stops = [1, 3, *(round(share * whole.looks) for share in (0.02, 0.3, 0.7)), whole.looks - 3]
    phases = set()
    for after in stops:
        store, stopped = SessionStore(), Stopped(after)
        with pytest.raises(Cancelled):
            study(BLOCK, feedback=stopped.feedback(store), space=True)
        phases.add(stopped.messages[-1].split(":")[0])
        assert stopped.looks == after + 1, "it stopped at once"
        if "drawing" not in stopped.messages[-1] and "space" not in stopped.messages[-1]:
            assert store.size == 0
    assert len(phases) >= 3


def test_a_run_that_goes_on_from_another_stops_too_and_the_other_stays(tmp_path: Path) -> None:
    store = SessionStore()
    study(BLOCK, feedback=Feedback(kept=store))
    before, moved = store.size, (5.0, -15.0, 20.0, 30.0, 30.0, 24.0)
    with pytest.raises(Cancelled):
        study(moved, feedback=Stopped(after=40).feedback(store))
    assert store.size == before
    assert "wind.warm" in told(study(BLOCK, feedback=Feedback(kept=store)))
