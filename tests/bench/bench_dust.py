"""Speed of solving for dust: against SciPy's BiCGStab with library preconditioners, and the cost of a transpose.

``python -m tests.bench.bench_dust [--quick]`` prints, in processor time of one core and for a made city of about 0.1
million cells (0.03 with ``--quick``), the time of setting up and solving in single precision to 1e-5, that of SciPy on
the assembled matrix with the diagonal and with incomplete factors as preconditioner, set-up counted too, and the
iterations at several sizes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.sparse import csr_matrix

from analysis.dust.faces import Faces
from analysis.dust.operator import Particle, assembled, make_operator
from analysis.dust.solver import Transport
from analysis.wind.crew import Crew
from geo.model import Feedback
from tests.analysis.test_dust_operator import city

PARTICLE = Particle(0.003, 0.005)
TOLERANCE = 1e-5


def main(quick: bool = False) -> None:
    """Print the figures."""
    shape = (12, 48, 52) if quick else (18, 74, 76)
    faces = city(7, shape)
    solve_once(city(7, (4, 14, 14)))  # compiles
    solve_once(city(7, (4, 14, 14)), transpose=True)
    own, iterations = timed(lambda: solve_once(faces))
    back, _ = timed(lambda: solve_once(faces, transpose=True))
    cells = int(np.prod(shape))
    print(f"{cells:,} cells: {own:.2f} s, {iterations} iterations; transposed {back / own:.2f} x (target at most 1.4)")
    matrix = assembled(make_operator(faces, particle=PARTICLE, dtype=np.float64))
    right = emissions(faces).ravel()
    for name, work in (("diagonal", by_diagonal), ("incomplete factors", by_factors)):
        other, failed = timed(partial(work, matrix, right))
        print(f"SciPy BiCGStab, {name}: {other:.2f} s, {other / own:.0f} x{', not solved' if failed else ''}")
    for size in ((6, 24, 26), shape) if quick else ((6, 24, 26), (12, 48, 52), shape):
        print(f"iterations at {int(np.prod(size)):,} cells: {solve_once(city(7, size))}")


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """Processor time [s] and what the work returned."""
    began = time.process_time()
    told = work()
    return time.process_time() - began, told


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
    from scipy.sparse.linalg import bicgstab

    helper = diags(1.0 / matrix.diagonal())
    return int(bicgstab(matrix, right, rtol=TOLERANCE, atol=0.0, M=helper, maxiter=3000)[1])


def by_factors(matrix: csr_matrix, right: np.ndarray) -> int:
    """SciPy with incomplete factors, set-up counted; 0 where it succeeded."""
    from scipy.sparse.linalg import LinearOperator, bicgstab, spilu

    helper = LinearOperator(matrix.shape, spilu(matrix.tocsc(), drop_tol=1e-3, fill_factor=8).solve)
    return int(bicgstab(matrix, right, rtol=TOLERANCE, atol=0.0, M=helper, maxiter=3000)[1])


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
