"""Speed of solving for dust: against library solvers, against the machine's memory, forward and transposed.

``python -m tests.bench.bench_dust [--quick]`` prints, for made cities of about 0.1, 0.7 and 3.5 million cells (0.03 and
0.1 with ``--quick``): the time of making the equations and the levels, of solving in single precision to 1e-5 per cell
and iteration on one and on all threads, the memory, and for the smallest city (the second with ``--quick``) the time of
SciPy's BiCGStab with library preconditioners, set-up counted too. The time of one thread is the processor's, because
other work may share it; that of all threads is the clock's. The shortest of several runs counts.
"""

from __future__ import annotations

import os
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.sparse import csr_matrix

from analysis.dust.faces import Faces
from analysis.dust.operator import Operator, Particle, assembled, make_operator
from analysis.dust.solver import Transport
from analysis.threads import thread_count
from analysis.wind.crew import Crew
from geo.model import Feedback
from tests.analysis.test_dust_operator import city
from tests.bench.bench_wind import triad

PARTICLE = Particle(0.003, 0.005)
TOLERANCE = 1e-5
CYCLE_BYTES = 182 * 8 / 7  # per cell of the finest level: two sweeps, two residuals, down and up, and all levels
ITERATION_BYTES = 2 * CYCLE_BYTES + 2 * 56 + 2 * 28 + 16  # with products of the equations, steps and direction
SIZES = ((18, 74, 76), (34, 140, 146), (58, 240, 252))
QUICK_SIZES = ((12, 48, 52), (18, 74, 76))
REPEATS = 5


def main(quick: bool = False) -> None:
    """Print the figures."""
    shapes = QUICK_SIZES if quick else SIZES
    for transpose in (False, True):
        solve_once(city(7, (4, 14, 14)), transpose=transpose)  # compiles
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {thread_count()} processors")
    with Crew(1) as crew:
        bandwidth = triad(crew)
    print(f"triad on one thread: {bandwidth / 1e9:.1f} GB/s")
    for shape in shapes:
        tell_speed(shape, bandwidth)
    tell_libraries(city(7, shapes[1 if quick else 0]))


def tell_speed(shape: tuple[int, int, int], bandwidth: float) -> None:
    """Set-up, solution and memory of one size."""
    faces, cells = city(7, shape), float(np.prod(shape))
    print(f"{cells / 1e6:.2f} million cells, {faces.air.mean():.0%} air")
    made = shortest(lambda: make_operator(faces, particle=PARTICLE), time.process_time)
    operator = make_operator(faces, particle=PARTICLE)
    one = {}
    for transpose in (False, True):
        with Crew(1) as crew:
            levels = shortest(partial(Transport, operator, crew, transpose=transpose), time.process_time)
            spent, count = solving(operator, crew, transpose, time.process_time)
        with Crew(0) as crew:
            shared, _ = solving(operator, crew, transpose, time.perf_counter)
        each = spent / cells / count
        one[transpose] = spent
        print(
            f"  {'transposed' if transpose else 'forward   '} {count:2} iterations (at most 14), "
            f"{each * 1e9:5.1f} ns per cell and iteration = {ITERATION_BYTES / each / bandwidth:4.0%} of the triad; "
            f"whole {spent / cells * 1e9:4.0f} ns per cell, all threads {shared / cells * 1e9:4.0f}"
        )
    print(
        f"  set-up: equations {made / cells * 1e9:.0f}, levels {levels / cells * 1e9:.0f} ns per cell; "
        f"transposed over forward {one[True] / one[False]:.2f} (at most 1.4)"
    )
    kept, peak = memory(faces)
    print(f"  memory: equations {kept:.0f}, peak with set-up and solution {peak:.0f} B per cell (at most 120)")


def solving(operator: Operator, crew: Crew, transpose: bool, clock: Callable[[], float]) -> tuple[float, int]:
    """Time of a solution [s] and its iterations."""
    transport = Transport(operator, crew, transpose=transpose)
    right = emissions(operator.faces)
    count = transport.solve(right, Feedback(), tolerance=TOLERANCE).iterations
    return shortest(lambda: transport.solve(right, Feedback(), tolerance=TOLERANCE), clock), count


def shortest(work: Callable[[], object], clock: Callable[[], float]) -> float:
    """Shortest of several runs [s]."""
    taken = []
    for _ in range(REPEATS):
        began = clock()
        work()
        taken.append(clock() - began)
    return min(taken)


def memory(faces: Faces) -> tuple[float, float]:
    """Of the equations, and at the peak of set-up and solution [B per cell], without the given air and emissions."""
    right, cells = emissions(faces), float(np.prod(faces.shape))
    tracemalloc.start()
    operator = make_operator(faces, particle=PARTICLE)
    kept = tracemalloc.get_traced_memory()[0]
    with Crew(1) as crew:
        Transport(operator, crew).solve(right, Feedback())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return kept / cells, peak / cells


def tell_libraries(faces: Faces) -> None:
    """Set-up and solution against SciPy's BiCGStab with the preconditioners there are."""
    own = shortest(lambda: solve_once(faces), time.process_time)
    print(f"{np.prod(faces.shape) / 1e6:.2f} million cells, set-up and solution: {own:.2f} s")
    matrix = assembled(make_operator(faces, particle=PARTICLE, dtype=np.float64))
    right = emissions(faces).ravel()
    for name, work in (
        ("the diagonal", by_diagonal),
        ("incomplete factors", by_factors),
        ("pyamg, classical", by_classical),
        ("pyamg, smoothed aggregation", by_aggregation),
    ):
        try:
            began = time.process_time()
            failed = work(matrix, right)
            spent = time.process_time() - began
        except ModuleNotFoundError:
            print(f"  SciPy BiCGStab with {name}: pyamg is not installed")
            continue
        aim = " (at least 8)" if "classical" in name else ""
        print(f"  SciPy BiCGStab with {name}: {spent:.2f} s, {spent / own:.0f} x{aim}{', unsolved' if failed else ''}")


def emissions(faces: Faces) -> np.ndarray:
    """All over the two lowest layers, uneven: from a single block BiCGStab without a good inverse breaks down."""
    out = np.zeros(faces.shape)
    out[:2] = np.random.default_rng(1).uniform(0.0, 1.0, out[:2].shape) * faces.air[:2]
    return out


def solve_once(faces: Faces, *, transpose: bool = False) -> int:
    """Set up and solve; returns the iterations."""
    operator = make_operator(faces, particle=PARTICLE)
    with Crew(1) as crew:
        transport = Transport(operator, crew, transpose=transpose)
        return transport.solve(emissions(faces), Feedback(), tolerance=TOLERANCE).iterations


def by_diagonal(matrix: csr_matrix, right: np.ndarray) -> int:
    """SciPy with the diagonal; 0 where it succeeded."""
    from scipy.sparse import diags

    return _bicgstab(matrix, right, diags(1.0 / matrix.diagonal()))


def by_factors(matrix: csr_matrix, right: np.ndarray) -> int:
    """SciPy with incomplete factors, set-up counted; 0 where it succeeded."""
    from scipy.sparse.linalg import LinearOperator, spilu

    factors = spilu(matrix.tocsc(), drop_tol=1e-3, fill_factor=8)
    return _bicgstab(matrix, right, LinearOperator(matrix.shape, factors.solve))


def by_classical(matrix: csr_matrix, right: np.ndarray) -> int:
    """SciPy with algebraic multigrid of Ruge and Stueben, set-up counted; 0 where it succeeded."""
    import pyamg

    return _bicgstab(matrix, right, pyamg.ruge_stuben_solver(matrix).aspreconditioner())


def by_aggregation(matrix: csr_matrix, right: np.ndarray) -> int:
    """SciPy with smoothed aggregation, set-up counted; 0 where it succeeded."""
    import pyamg

    return _bicgstab(matrix, right, pyamg.smoothed_aggregation_solver(matrix).aspreconditioner())


def _bicgstab(matrix: csr_matrix, right: np.ndarray, helper: object) -> int:
    from scipy.sparse.linalg import bicgstab

    return int(bicgstab(matrix, right, rtol=TOLERANCE, atol=0.0, M=helper, maxiter=3000)[1])


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
