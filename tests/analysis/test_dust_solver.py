"""The dust solver: against a direct solution, forward against transposed, few iterations, the same bits."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from analysis.dust.faces import Faces, from_speeds, projected
from analysis.dust.hierarchy import Hierarchy
from analysis.dust.operator import Particle, assembled, make_operator
from analysis.dust.solver import Transport
from analysis.wind.crew import Crew
from geo.model import Cancelled, Feedback, UserError
from tests.analysis.test_dust_operator import box, city

PARTICLE = Particle(0.003, 0.005)
ROOM = (slice(1, 3), slice(9, 12), slice(9, 12))


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


@pytest.mark.parametrize("transpose", [False, True])
def test_threads_do_not_change_a_bit(transpose):
    faces = city(5, (10, 150, 50))  # several slabs, and strips that are cut elsewhere with every number of threads
    operator = make_operator(faces, particle=PARTICLE)
    answers = []
    for threads in (1, 2, 3):
        with Crew(threads) as crew:
            answers.append(Transport(operator, crew, transpose=transpose).solve(source(faces.shape), Feedback()))
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


def with_room() -> Faces:
    """A city with a block that holds a room of air without a way out."""
    faces = city()
    air = faces.air.copy()
    air[0:5, 8:13, 8:13] = False
    speeds = [np.zeros([n + (a == axis) for a, n in enumerate(faces.shape)]) for axis in (2, 1, 0)]
    speeds[0][:], speeds[1][:] = 3.0, 1.0
    air[ROOM] = True
    return projected(from_speeds((faces.x, faces.y, faces.z), air, faces.viscosity, tuple(speeds)))


def test_a_source_in_a_room_without_a_way_out_is_told_and_others_are_solved():
    faces = with_room()
    inside = np.zeros(faces.shape)
    inside[ROOM] = 1.0
    with Crew(1) as crew:
        transport = Transport(make_operator(faces), crew)
        found = transport.solve(source(faces.shape), Feedback())
        assert not found.values[ROOM].any()
        with pytest.raises(UserError) as told:
            transport.solve(inside, Feedback())
        assert told.value.code == "dust.no_way_out"
        assert told.value.values["cells"] == 18
        # with deposition all of it falls to the floor of the room
        operator = make_operator(faces, particle=Particle(deposition=0.01))
        values = Transport(operator, crew).solve(inside, Feedback()).values
    assert abs((operator.share.ground * values)[ROOM].sum() / 18.0 - 1.0) < 1e-4


def flat_cells() -> Faces:
    """Layers of 0.3 m with strong mixing: what single precision holds of a flux hides what is emitted."""
    return box((60, 60, 20), (8.0, 8.0, 0.3), (2.0, 1.0), 5.0)


def uneven_mixing() -> Faces:
    faces = city()
    high = np.random.default_rng(0).uniform(size=faces.shape) > 0.5
    return faces._replace(viscosity=faces.viscosity * np.where(high, 1e4, 1e-3))


def only_mixing() -> Faces:
    faces = city()
    return faces._replace(east=0.0 * faces.east, north=0.0 * faces.north, up=0.0 * faces.up)


@pytest.mark.parametrize(
    "faces",
    [
        flat_cells(),
        uneven_mixing(),
        only_mixing(),
        box((2000, 1, 1), (4.0, 4.0, 4.0), (2.0, 0.0), 1.0),
        box((1, 2000, 1), (4.0, 4.0, 4.0), (0.0, 2.0), 1.0),
        box((1, 1, 300), (4.0, 4.0, 4.0), (2.0, 0.0), 1.0),
        box((40, 30, 1), (4.0, 4.0, 4.0), (2.0, 1.0), 1.0),
        box((1, 1, 1), (4.0, 4.0, 4.0), (2.0, 1.0), 1.0),
    ],
    ids=["flat cells", "uneven mixing", "no wind", "long", "wide", "high", "one layer", "one cell"],
)
@pytest.mark.parametrize("transpose", [False, True])
def test_uncommon_grids_are_solved_in_single_precision(faces: Faces, transpose: bool):
    from scipy.sparse.linalg import spsolve

    operator = make_operator(faces, particle=PARTICLE)
    right = np.random.default_rng(1).uniform(0.5, 1.0, faces.shape) * faces.air
    with Crew(1) as crew:
        found = Transport(operator, crew, transpose=transpose).solve(right, Feedback())
    assert found.residual <= 1.5e-5
    assert found.iterations <= 20
    if np.prod(faces.shape) < 10_000:
        matrix = assembled(make_operator(faces, particle=PARTICLE, dtype=np.float64))
        exact = spsolve((matrix.T if transpose else matrix).tocsc(), right.ravel()).reshape(faces.shape)
        assert np.abs(found.values - exact).max() < 5e-3 * exact.max()


@pytest.mark.parametrize("power", [-35, 30])
def test_size_of_the_numbers_does_not_matter(town, power):
    operator = make_operator(town)
    right = source(town.shape)
    with Crew(1) as crew:
        transport = Transport(operator, crew)
        usual, far = transport.solve(right, Feedback()), transport.solve(right * 2.0**power, Feedback())
    assert np.array_equal(usual.values, far.values * np.float32(2.0**-power))


def test_wind_that_is_no_number_is_told():
    faces = city()
    for name in ("viscosity", "east", "up"):
        spoilt = getattr(faces, name).copy()
        spoilt[1, 3, 3] = np.nan if name == "viscosity" else np.inf
        with pytest.raises(UserError) as told:
            make_operator(faces._replace(**{name: spoilt}))
        assert told.value.code == "dust.no_numbers"
        assert told.value.values["name"] == name


def test_levels_of_the_transpose_are_the_transposed_levels(town):
    """A preconditioner that is not transposed in every part costs iterations only, so nothing else would show it."""
    operator = make_operator(town, particle=PARTICLE, dtype=np.float64)
    with Crew(1) as crew:
        forth, back = (Hierarchy(operator, crew, transpose=t) for t in (False, True))
    for one, other in zip(forth.levels, back.levels, strict=True):
        assert np.allclose(one.inverse, other.inverse, rtol=1e-12)
        assert np.array_equal(one.equations[0], other.equations[1])
        columns = one.equations[6].copy()
        columns[:, :, :-1] -= one.equations[0][:, :, 1:]
        columns[:, :, 1:] -= one.equations[1][:, :, 1:]
        columns[:, :-1] -= one.equations[2][:, 1:]
        columns[:, 1:] -= one.equations[3][:, 1:]
        columns[:-1] -= one.equations[4][1:]
        columns[1:] -= one.equations[5][1:]
        lost = columns[one.air].sum()
        assert abs(lost / operator.share.sink.sum() - 1.0) < 1e-10  # blocks keep what leaves


def test_memory_of_the_equations_is_made_in_slabs():
    """Per cell: 28 B of first order, 12 of second, 1 of air, less than 9 at a time for what leaves."""
    faces = city(3, (20, 90, 90))
    cells = float(np.prod(faces.shape))
    make_operator(faces)
    tracemalloc.start()
    operator = make_operator(faces, particle=PARTICLE)
    kept, peak = (n / cells for n in tracemalloc.get_traced_memory())
    with Crew(1) as crew:
        tracemalloc.reset_peak()
        Transport(operator, crew).solve(source(faces.shape), Feedback())
        whole = tracemalloc.get_traced_memory()[1] / cells
    tracemalloc.stop()
    ghosts = operator.air.size / cells
    assert kept < 42 * ghosts
    assert peak < 64 * ghosts
    assert whole < 100 * ghosts
