"""Mixed integer programs by HiGHS, watched: progress, cancel, time limit, a first plan, and the bound it proves.

Reference
---------
Q. Huangfu, J. A. J. Hall: Parallelizing the dual revised simplex method. Mathematical Programming Computation 10, 2018.
doi:10.1007/s12532-017-0130-5
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.model import Cancelled, Feedback

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Bools = NDArray[np.bool_]

THREADS = 2
ABSOLUTE_GAP = 0.999  # values are whole: a bound less than one above a plan proves it
LOOK_EVERY = 0.1  # [s]


@dataclass(frozen=True, eq=False)
class Program:
    """``min or max profit . x`` with ``row_low <= A x <= row_high``, ``0 <= x <= 1``.

    Attributes
    ----------
    profit : (m,) float64
    whole : (m,) bool
        Which variables are 0 or 1; the others lie between.
    ptr, idx, value : (r + 1,) int64, (k,) int32, (k,) float64
        The matrix A row by row.
    row_low, row_high : (r,) float64
    maximise : bool
    """

    profit: Floats
    whole: Bools
    ptr: Whole
    idx: NDArray[np.int32]
    value: Floats
    row_low: Floats
    row_high: Floats
    maximise: bool


class Solved(NamedTuple):
    """Answer of the solver.

    Attributes
    ----------
    x : (m,) float64 or None
        None where no solution was found in time.
    bound : float
        No solution is better; infinite where nothing is known.
    optimal, infeasible : bool
    """

    x: Floats | None
    bound: float
    optimal: bool
    infeasible: bool = False


def solve(
    program: Program,
    *,
    seconds: float,
    start: Floats | None = None,
    absolute_gap: float = ABSOLUTE_GAP,
    feedback: Feedback | None = None,
) -> Solved:
    """Solve to optimality or until the time is over.

    Parameters
    ----------
    start : (m,) float64, optional
        A solution to begin with.
    """
    import highspy

    feedback = feedback or Feedback()
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, option in (
        ("output_flag", False), ("threads", THREADS), ("time_limit", max(seconds, 0.01)), ("mip_rel_gap", 0.0),
        ("mip_abs_gap", absolute_gap), ("random_seed", 0),
    ):  # fmt: skip
        solver.setOptionValue(name, option)
    solver.passModel(_model(program))
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = start.tolist()
        solver.setSolution(solution)
    _run(solver, feedback)
    return _answer(solver, program)


def _model(program: Program) -> Any:
    import highspy

    model = highspy.HighsLp()
    count = len(program.profit)
    model.num_col_, model.num_row_ = count, len(program.row_low)
    model.sense_ = highspy.ObjSense.kMaximize if program.maximise else highspy.ObjSense.kMinimize
    model.col_cost_ = program.profit
    model.col_lower_, model.col_upper_ = np.zeros(count), np.ones(count)
    model.row_lower_, model.row_upper_ = program.row_low, program.row_high
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = program.ptr.astype(np.int32)
    model.a_matrix_.index_ = program.idx
    model.a_matrix_.value_ = program.value
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    model.integrality_ = [kinds[int(one)] for one in program.whole]
    return model


def _run(solver: Any, feedback: Feedback) -> None:
    """Run in a thread of the solver's own, so that a wish to stop is heard."""
    solver.HandleUserInterrupt = True
    thread = solver.startSolve()
    try:
        while thread.is_alive():
            thread.join(LOOK_EVERY)
            feedback.step(0.0)
    except Cancelled:
        solver.cancelSolve()
        thread.join()
        raise


def _answer(solver: Any, program: Program) -> Solved:
    import highspy

    info = solver.getInfo()
    status = solver.getModelStatus()
    optimal = status == highspy.HighsModelStatus.kOptimal
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    x = np.asarray(solver.getSolution().col_value, dtype=np.float64) if found else None
    bound = float(info.mip_dual_bound)
    if optimal and not program.whole.any():
        bound = float(info.objective_function_value)
    if not math.isfinite(bound) or abs(bound) >= 1e200:
        bound = math.inf if program.maximise else -math.inf
    return Solved(x, bound, optimal, status == highspy.HighsModelStatus.kInfeasible)
