"""Solver: concentrations from emissions, and by the transposed equations what an emission anywhere changes.

BiCGStab (van der Vorst, H. A. (1992), SIAM Journal on Scientific and Statistical Computing 13, 631-644) with the
hierarchy of blocks as right preconditioner. Sums are made row by row in float64 and in a fixed order, so that the
answer has the same bits for any number of threads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.dust.hierarchy import Hierarchy, swapped
from analysis.dust.operator import INNER, Operator
from analysis.wind.crew import Crew
from geo.model import Feedback, UserError

Field = NDArray[Any]

TOLERANCE = {4: 1e-5, 8: 1e-8}  # of the residual over the right side, by bytes of a number
MOST_ITERATIONS = 100
MOST_RESTARTS = 4
SLACK = 1.5  # the true residual may exceed the carried one by rounding


class Solution(NamedTuple):
    """An answer: values (nz, ny, nx), iterations, and the true residual over the right side."""

    values: Field
    iterations: int
    residual: float


class Transport:
    """Solves an operator's equations, or the transposed ones, for any number of right sides.

    Parameters
    ----------
    operator : Operator
    crew : Crew
    transpose : bool
    """

    def __init__(self, operator: Operator, crew: Crew, *, transpose: bool = False) -> None:
        self.operator, self._crew, self._transpose = operator, crew, transpose
        self._inverse = Hierarchy(operator, crew, transpose=transpose)
        self._equations = swapped(operator.upwind) if transpose else operator.upwind
        self._sums = np.zeros(operator.air.shape[:2])

    def times(self, x: Field, out: Field) -> None:
        """The equations times x, arrays with ghosts; 0 in ghosts and solids of x."""
        from analysis.kernels.dust_transport import carry, correct, correct_back

        self._crew.rows(carry, x.shape, self._equations, x, out)
        self._crew.rows(correct_back if self._transpose else correct, x.shape, self.operator.fromm, x, out)

    def solve(
        self,
        right: NDArray[Any],
        feedback: Feedback,
        *,
        tolerance: float | None = None,
        start: NDArray[Any] | None = None,
        most: int = MOST_ITERATIONS,
    ) -> Solution:
        """Solve for one right side.

        Parameters
        ----------
        right : (nz, ny, nx)
            Emissions [ug/s] and inflow; transposed: weights of the cells in the objective.
        tolerance : float, optional
            Of the residual over the right side; 1e-5 for float32, 1e-8 for float64.
        start : (nz, ny, nx), optional
            An earlier answer.
        """
        goal = TOLERANCE[self.operator.dtype.itemsize] if tolerance is None else tolerance
        b, x = self.operator.field(right), self.operator.field(start)
        size = self._norm(b)
        if not np.isfinite(size):
            raise _unsolved(np.nan, goal)
        if size == 0.0:
            return Solution(np.zeros_like(b[INNER]), 0, 0.0)
        count, residual = 0, np.inf
        for _ in range(MOST_RESTARTS):
            count = self._improve(b, x, goal * size, count, most, feedback)
            residual = self._lacking(b, x)[1] / size
            if residual <= SLACK * goal or count >= most or not np.isfinite(residual):
                break
        if not residual <= SLACK * goal:
            raise _unsolved(residual, goal)
        return Solution(x[INNER].copy(), count, residual)

    def _lacking(self, b: Field, x: Field) -> tuple[Field, float]:
        """Residual and its norm."""
        r = np.zeros_like(b)
        self.times(x, r)
        np.subtract(b, r, out=r)
        return r, self._norm(r)

    def _improve(self, b: Field, x: Field, goal: float, count: int, most: int, feedback: Feedback) -> int:
        """Iterate until the carried residual is small, the method breaks down, or the number is used up."""
        r, size = self._lacking(b, x)
        shadow = r.copy()
        p, v, turned, t = (np.zeros_like(b) for _ in range(4))
        rho, alpha, omega = 1.0, 1.0, 1.0
        while size > goal and count < most:
            feedback.step(count / most, "dust: solving")
            before, rho = rho, self._dot(shadow, r)
            if rho == 0.0 or omega == 0.0:
                break
            self._turn(p, rho / before * alpha / omega, omega, v, r)
            self._inverse.apply(p, turned)
            self.times(turned, v)
            along = self._dot(shadow, v)
            if along == 0.0:
                break
            alpha = rho / along
            self._add(x, alpha, turned)
            self._add(r, -alpha, v)
            self._inverse.apply(r, turned)
            self.times(turned, t)
            length = self._dot(t, t)
            omega = self._dot(t, r) / length if length > 0.0 else 0.0
            self._add(x, omega, turned)
            self._add(r, -omega, t)
            size, count = self._norm(r), count + 1
            if not np.isfinite(size):
                break
        return count

    def _turn(self, p: Field, beta: float, omega: float, v: Field, r: Field) -> None:
        from analysis.kernels.dust_transport import turn

        number = p.dtype.type
        self._crew.rows(turn, p.shape, p, number(beta), number(omega), v, r)

    def _add(self, out: Field, times: float, a: Field) -> None:
        from analysis.kernels.dust_transport import add

        self._crew.rows(add, out.shape, out, out.dtype.type(times), a)

    def _dot(self, a: Field, b: Field) -> float:
        from analysis.kernels.dust_transport import products

        self._crew.rows(products, a.shape, a, b, self._sums)
        return float(self._sums.sum())

    def _norm(self, a: Field) -> float:
        return float(np.sqrt(self._dot(a, a)))


def _unsolved(residual: float, goal: float) -> UserError:
    return UserError(
        "The equations of the dust could not be solved.",
        f"The residual is {residual:.2g} of the right side; {goal:.0e} is wanted.",
        "Check that sources and wind are numbers, and calculate the wind again with more iterations.",
        code="dust.unsolved",
        values={"residual": residual, "goal": goal},
    )
