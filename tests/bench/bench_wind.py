"""The wind solver against the machine's memory bandwidth: iterations, the multigrid cycle, a tight pressure solve."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import numpy as np

from analysis.wind.crew import Crew
from analysis.wind.flow import Heading, Solver
from analysis.wind.profile import Inflow, log_inflow
from analysis.wind.tunnel import Tunnel
from app.cases.wind_tunnels import Site, box_roofs, site_tunnel

ITERATION_BYTES, CYCLE_BYTES = 360, 150  # per cell, by which speeds are told
SIDE, QUICK_SIDE = 960.0, 560.0
CELL = 4.0


def triad(crew: Crew, size: int = 30_000_000) -> float:
    """Bandwidth of ``a = b + s c`` on all threads [B/s], float32."""
    from numba import njit

    @njit(nogil=True, fastmath=True)
    def add(low: int, high: int, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
        for n in range(low, high):
            a[n] = b[n] + np.float32(3.0) * c[n]

    a, b, c = (np.ones(size, np.float32) for _ in range(3))
    return 12 * size / best(lambda: crew.items(add, size, a, b, c), 6)


def best(work: Callable[[], object], times: int) -> float:
    """Shortest of several runs [s]; the first, which compiles, is not counted."""
    work()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def district(side: float) -> Site:
    """Blocks of 12 to 60 m, 150 on a square kilometre."""
    random = np.random.default_rng(3)
    count = int(150 * side**2 / 1e6)
    corner = random.uniform(-side / 2, side / 2 - 40, (count, 2))
    size = random.uniform(12, 45, (count, 2))
    height = random.choice([12.0, 18.0, 30.0, 45.0, 60.0], (count, 1), p=[0.3, 0.3, 0.2, 0.15, 0.05])
    half = side / 2
    return Site((-half, -half, half, half), (-half - 300, -half - 300, half + 300, half + 300), 360.0,
                box_roofs(np.hstack([corner, corner + size, height])), 8.0, 0.3, 0.01)  # fmt: skip


def memory(tunnel: Tunnel, wind: Inflow) -> float:
    """Growth of the process's peak by a solver and its first step [B per cell]; ask before anything large is made."""
    small = site_tunnel(district(200.0), 2 * CELL)
    heading = Heading.of(tunnel, wind.wind_from)
    with Crew(0) as crew:
        Solver(small, wind, heading, crew).iterate()  # the compiler's own memory does not count
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        Solver(tunnel, wind, heading, crew).iterate()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / float(np.prod(tunnel.shape))


def main(quick: bool = False) -> None:
    """Print the figures."""
    tunnel = site_tunnel(district(QUICK_SIDE if quick else SIDE), CELL)
    wind = log_inflow(250.0, speed=5.0, height=10.0, roughness=0.3)
    cells = int(np.prod(tunnel.shape))
    print(f"{cells / 1e6:.2f} million cells, {1 - tunnel.solid.astype(bool).mean():.0%} air")
    print(f"memory at the peak: {memory(tunnel, wind):.0f} B per cell (aim 120)")
    single = 0.0
    for threads in (1, 0):
        with Crew(threads) as crew:
            bandwidth = triad(crew)
            solver = Solver(tunnel, wind, Heading.of(tunnel, wind.wind_from), crew)
            taken = best(solver.iterate, 8) / cells
            cycle = best(solver._potential.cycle, 5) / cells
            of_triad = CYCLE_BYTES / cycle / bandwidth
            share = ITERATION_BYTES / taken / bandwidth
            print(f"{crew.threads} thread(s): triad {bandwidth / 1e9:.1f} GB/s")
            print(f"  iteration     {taken * 1e9:6.1f} ns per cell = {share:.1%} of the triad (at least 7 %)")
            print(f"  V(2,1) cycle  {cycle * 1e9:6.1f} ns per cell = {of_triad:.1%} (at least 12 %)")
            if threads == 1:
                single = taken
            else:
                print(f"  all threads over one: {single / taken:.2f}")
            began = time.perf_counter()
            count = solver.tighten(1e-4)
            print(f"  pressure to 1e-4: {count} iterations (at most 32), {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
