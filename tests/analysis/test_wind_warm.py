"""Warm starts: after an edit the same grid, a first look at once, and in the end the map a cold start brings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analysis.contract import Result
from analysis.registry import get
from analysis.run import check_params, choose_inputs, execute
from analysis.wind.profile import log_inflow
from analysis.wind.warm import begin
from geo.model import Feedback, Layer, SessionStore
from tests.tiny import buildings, terrain, tiny_frame

BLOCK, TOWER = (-15.0, -15.0, 20.0, 30.0, 30.0, 24.0), (20.0, 30.0, 20.0, 20.0, 20.0, 40.0)
MOVED = (-40.0, 30.0, 20.0, 20.0, 20.0, 40.0)
CORNERS = ((-70.0, -70.0, 20.0, 10.0, 10.0, 6.0), (60.0, 60.0, 20.0, 10.0, 10.0, 6.0))  # the middle stays where it is
QUICK = {"cell": 12.0, "size": 150.0, "thoroughness": "preview", "exposure": "D", "space": False}


class Session:
    """Runs that share what they keep."""

    def __init__(self) -> None:
        self.store = SessionStore()
        self.seen: list[list[Layer]] = []
        self.messages: list[str] = []

    def run(self, *boxes: tuple[float, ...], **params: object) -> Result:
        self.seen.clear()
        self.messages.clear()
        feedback = Feedback(
            lambda _fraction, text: self.messages.append(text),
            on_partial=lambda layers: self.seen.append(list(layers)),
            kept=self.store,
        )
        layers = [terrain(20.0, 300.0, 20.0), buildings([*boxes, *CORNERS])]  # type: ignore[arg-type]
        given = {**QUICK, **params}
        return execute(get("wind.field"), layers=layers, frame=tiny_frame(), params=given, feedback=feedback)


def ratio(result: Result) -> np.ndarray:
    return np.asarray(result.layers[0].fields[0].values, float)


def began_warm(result: Result) -> bool:
    return any(issue.code == "wind.warm" for issue in result.issues)


@pytest.fixture(scope="module")
def edited() -> tuple[Session, Result, Result, list[list[Layer]]]:
    session = Session()
    before = session.run(BLOCK, TOWER)
    after = session.run(BLOCK, MOVED)
    return session, before, after, [list(layers) for layers in session.seen]


def test_an_edit_begins_with_the_earlier_wind_and_shows_what_it_changes(
    edited: tuple[Session, Result, Result, list[list[Layer]]],
) -> None:
    _session, before, after, seen = edited
    assert not began_warm(before)
    assert began_warm(after)
    first = seen[0][0]
    assert first.style.colour_by == "speed_ratio_difference"
    grid, change = first.geometry, np.asarray(first.fields[0].values)
    x, y = np.meshgrid(*(start + grid.cell * np.arange(n) for start, n in
                         ((grid.x0, change.shape[1]), (grid.y0, change.shape[0]))))  # fmt: skip
    stood = (np.abs(x - 30.0) < 9.0) & (np.abs(y - 40.0) < 9.0)
    stands = (np.abs(x + 30.0) < 9.0) & (np.abs(y - 40.0) < 9.0)
    assert np.isnan(change[stood]).all(), "there was no wind where the tower stood"
    assert np.isnan(change[stands]).all(), "and there is none where it stands"
    beside = (np.abs(x + 30.0) < 30.0) & (np.abs(y - 40.0) < 30.0)
    far = (x > 40.0) & (y < -20.0)
    assert np.nanmean(np.abs(change[beside])) > 3.0 * np.nanmean(np.abs(change[far]))


def test_the_grid_is_the_same_cell_for_cell_and_the_map_that_of_a_cold_start(
    edited: tuple[Session, Result, Result, list[list[Layer]]],
) -> None:
    session, before, _after, _seen = edited
    after = session.run(BLOCK, MOVED, thoroughness="usual")
    assert before.summary["cells"] == after.summary["cells"]
    cold = Session().run(BLOCK, MOVED, thoroughness="usual")
    assert ratio(cold).shape == ratio(after).shape
    known = np.isfinite(ratio(cold)) & np.isfinite(ratio(after))
    assert known.sum() == np.isfinite(ratio(cold)).sum()
    assert np.corrcoef(ratio(cold)[known], ratio(after)[known])[0, 1] > 0.98


def test_a_difference_of_flows_that_have_not_settled_says_so(
    edited: tuple[Session, Result, Result, list[list[Layer]]],
) -> None:
    _session, before, after, _seen = edited
    sides = {"before": before.layers, "after": after.layers}
    found = execute(
        get("compare.results"),
        layers=[layer for layers in sides.values() for layer in layers],
        frame=tiny_frame(),
        params={},
        chosen={side: [layer.id for layer in layers if layer.kind == "grid"] for side, layers in sides.items()},
    )
    doubt = next(issue for issue in found.issues if issue.code == "compare.not_settled")
    assert doubt.severity == "doubt"
    assert doubt.values["before"] == pytest.approx(float(before.summary["change"].value), abs=0.01)  # type: ignore[arg-type]
    assert doubt.values["after"] == pytest.approx(float(after.summary["change"].value), abs=0.01)  # type: ignore[arg-type]


def test_without_a_change_the_run_goes_on_from_where_it_ended() -> None:
    session = Session()
    first = session.run(BLOCK)
    again = session.run(BLOCK, thoroughness="usual")
    assert began_warm(again)
    assert float(again.summary["change"].value) < float(first.summary["change"].value)  # type: ignore[arg-type]
    assert session.seen[0][0].style.colour_by == "speed_ratio", "nothing has changed"
    # another wind has nothing to begin with, nor has a run that is not to
    assert not began_warm(session.run(BLOCK, wind_from=90.0))
    assert not began_warm(session.run(BLOCK, warm=False))
    # neither has one after the project was closed
    session.store.clear()
    assert not began_warm(session.run(BLOCK))


def test_a_tower_too_high_for_the_tunnel_gets_one_of_its_own(
    edited: tuple[Session, Result, Result, list[list[Layer]]],
) -> None:
    session = edited[0]
    study = get("wind.field")
    params: Any = check_params(study, QUICK)
    wind = log_inflow(float(tiny_frame().grid_azimuth(np.array([315.0]))[0]), speed=3.0, height=10.0, roughness=0.01)
    for high, fits in ((50.0, True), (400.0, False)):
        layers = [terrain(20.0, 300.0, 20.0), buildings([BLOCK, (*TOWER[:5], high), *CORNERS])]
        inputs: Any = choose_inputs(study, layers, tiny_frame(), None)[0]
        begun = begin(inputs, params, Feedback(kept=session.store), wind=wind, height=1.75, warm=True)
        assert (begun.earlier is not None) == fits
        assert not begun.goes_on
        assert len(begun.built.levels) == (1 if fits else 3)


def test_without_a_session_nothing_is_kept_and_runs_repeat_to_the_bit() -> None:
    layers = [terrain(20.0, 300.0, 20.0), buildings([BLOCK])]  # type: ignore[list-item]
    runs = [execute(get("wind.field"), layers=layers, frame=tiny_frame(), params=QUICK) for _ in range(2)]
    np.testing.assert_array_equal(ratio(runs[0]), ratio(runs[1]))


def test_the_store_forgets_the_least_used_and_refuses_what_is_too_large() -> None:
    store = SessionStore(room=100)
    assert store.put("a", 1, size=40)
    assert store.put("b", 2, size=40)
    assert store.get("a") == 1
    assert store.put("c", 3, size=40)
    assert store.get("b") is None
    assert store.size == 80
    assert not store.put("d", 4, size=101)
    assert store.get("a") == 1
    store.clear()
    assert store.get("a") is None
