"""The dust solver: against a direct solution, forward against transposed, few iterations, the same bits."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.dust.operator import Particle, assembled, make_operator
from analysis.dust.solver import Transport
from analysis.wind.crew import Crew
from geo.model import Cancelled, Feedback, UserError
from tests.analysis.test_dust_operator import box, city

PARTICLE = Particle(0.003, 0.005)


@pytest.fixture(scope="module")
def town():
    return city(7, (12, 70, 60))


def source(shape: tuple[int, int, int]) -> np.ndarray:
    out = np.zeros(shape)
    out[:2, 2:5, 3:6] = 10.0
    return out


def test_answer_equals_a_direct_solution():
    from scipy.sparse.linalg import spsolve

    faces = city(4, (6, 20, 22))
    operator = make_operator(faces, particle=PARTICLE, dtype=np.float64)
    right = source(faces.shape) * faces.air
    exact = spsolve(assembled(operator).tocsc(), right.ravel()).reshape(faces.shape)
    with Crew(1) as crew:
        found = Transport(operator, crew).solve(right, Feedback(), tolerance=1e-10).values
        near = Transport(operator, crew).solve(right, Feedback(), tolerance=1e-10, start=exact)
    assert np.abs(found - exact).max() < 1e-8 * exact.max()
    assert near.iterations == 0


@pytest.mark.parametrize(("dtype", "gate"), [(np.float64, 1e-10), (np.float32, 1e-5)])
def test_emission_and_objective_may_be_exchanged(town, dtype, gate):
    """w . (L^-1 s) = s . (L^-T w)."""
    operator = make_operator(town, particle=PARTICLE, dtype=dtype)
    emitted = source(town.shape) * town.air
    weights = np.zeros(town.shape)
    weights[0, 30:60, 25:55] = 1.0
    weights *= town.air / (weights * town.air).sum()
    with Crew(1) as crew:
        tolerance = 1e-13 if dtype is np.float64 else 1e-5
        c = Transport(operator, crew).solve(emitted, Feedback(), tolerance=tolerance)
        change = Transport(operator, crew, transpose=True).solve(weights, Feedback(), tolerance=tolerance)
    one, two = float((weights * c.values).sum()), float((emitted * change.values).sum())
    assert abs(one - two) < gate * abs(one)
    assert max(c.iterations, change.iterations) <= (14 if dtype is np.float32 else 40)


def test_iterations_do_not_grow_with_the_grid():
    for shape in ((8, 26, 30), (16, 70, 90)):
        faces = city(2, shape)
        operator = make_operator(faces)
        with Crew(1) as crew:
            assert Transport(operator, crew).solve(source(shape), Feedback()).iterations <= 14


def test_threads_do_not_change_a_bit():
    faces = city(5, (8, 140, 40))  # three slabs
    operator = make_operator(faces, particle=PARTICLE)
    answers = []
    for threads in (1, 2, 3):
        with Crew(threads) as crew:
            answers.append(Transport(operator, crew).solve(source(faces.shape), Feedback()))
    assert all(a.iterations == answers[0].iterations for a in answers)
    assert all(np.array_equal(a.values, answers[0].values) for a in answers)


def test_parts_sum_to_the_whole(town):
    operator = make_operator(town, dtype=np.float64)
    first, second = source(town.shape), np.zeros(town.shape)
    second[0, 40, 40] = 3.0
    with Crew(1) as crew:
        transport = Transport(operator, crew)
        one, two, both = (transport.solve(b, Feedback()).values for b in (first, second, first + second))
    assert np.abs(one + two - both).max() < 1e-6 * both.max()


def test_nothing_emitted_is_nothing_and_no_number_is_told(town):
    operator = make_operator(town)
    with Crew(1) as crew:
        transport = Transport(operator, crew)
        nothing = transport.solve(np.zeros(town.shape), Feedback())
        assert nothing.iterations == 0
        assert not nothing.values.any()
        bad = source(town.shape)
        bad[3, 3, 3] = np.nan
        with pytest.raises(UserError) as told:
            transport.solve(bad, Feedback())
        assert told.value.code == "dust.unsolved"
        with pytest.raises(UserError):
            transport.solve(source(town.shape), Feedback(), most=1)


def test_solving_can_be_stopped():
    def stop(*_: object) -> None:
        raise Cancelled

    operator = make_operator(box((20, 20, 4), (4.0, 4.0, 2.0), (2.0, 1.0), 1.0))
    feedback = Feedback()
    feedback.step = stop  # type: ignore[method-assign]
    with Crew(1) as crew, pytest.raises(Cancelled):
        Transport(operator, crew).solve(source(operator.shape), feedback)


def test_a_single_emitting_cell_is_solved_everywhere(town):
    """The first residual of one cell touches nothing downwind: the method must not break down on it."""
    operator = make_operator(town, particle=PARTICLE)
    places = np.argwhere(town.air[0])[:: town.shape[2] * 12]
    with Crew(1) as crew:
        transport, back = Transport(operator, crew), Transport(operator, crew, transpose=True)
        for j, i in places:
            right = np.zeros(town.shape)
            right[0, j, i] = 1.0
            for way in (transport, back):
                found = way.solve(right, Feedback())
                assert found.iterations <= 20
                assert found.residual <= 1.5e-5
                assert np.isfinite(found.values).all()
