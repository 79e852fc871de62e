"""A shallow layer of cold air over terrain: one step of depth, heat deficit and velocity. Import inside functions.

Depth-averaged equations of a layer under calm, warmer air (two layers, reduced gravity ``g' = g q / (T h)``)::

    dh/dt + div(h u) = production + entrainment
    dq/dt + div(q u) = production x deficit of fresh cold air
    du/dt + u . grad u = -g' grad(ground + h) - h/2 grad g' - (c + e) |u| u / h

h: depth [m], q: depth times deficit of temperature [K m], u: velocity [m/s], c: drag of the ground, e: entrainment.

Velocities stand on the faces of the cells, upwind depths on the faces, momentum is carried by the mean flux of the
cells beside (G. S. Stelling, S. P. A. Duinmeijer: A staggered conservative scheme for every Froude number in rapidly
varied shallow water flows. Int. J. Numer. Methods Fluids 43, 2003, doi:10.1002/fld.537). A step of the ground needs no
special treatment: at rest the surface is level and nothing moves.

Entrainment: G. Parker, M. Garcia, Y. Fukushima, W. Yu: Experiments on turbidity currents over an erodible bed. J.
Hydraulic Research 25(1), 1987: ``e = 0.075 / sqrt(1 + 718 Ri^2.4)``, ``Ri = g' h / u2``.

Arrays have one ghost cell on every side: cells 1 .. ny, 1 .. nx. ``u[j, i]`` stands between the cells i - 1 and i,
``v[j, i]`` between j - 1 and j. Kernels work on the rows ``low`` to ``high`` and write nothing that another row of the
same kernel reads: the number of threads changes no bit.
"""

from __future__ import annotations

import math

from numba import njit

GRAVITY = 9.81  # [m/s2]
TEMPERATURE = 288.0  # [K] of the air around
KARMAN = 0.41
DRY = 1e-4  # [m] below it there is no cold air
THINNEST = 0.05  # [m] depth that friction is reckoned with at least


@njit(nogil=True, cache=True, inline="always")
def _drag(depth: float, roughness: float) -> float:
    """Drag coefficient of a layer with a logarithmic profile, related to its mean speed."""
    depth = max(depth, 10.0 * roughness)
    return (KARMAN / (math.log(depth / roughness) - 1.0 + roughness / depth)) ** 2


@njit(nogil=True, cache=True, inline="always")
def _entrained(gravity: float, depth: float, speed2: float) -> float:
    """Entrainment velocity over speed (Parker et al. 1987)."""
    richardson = gravity * depth / max(speed2, 1e-12)
    return 0.075 / math.sqrt(1.0 + 718.0 * richardson**2.4)


@njit(nogil=True, cache=True, inline="always")
def _push(h0, h1, q0, q1, z0, z1, b0, b1):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Force between two cells along the way from 0 to 1 [m2/s2], mean depth, and whether anything can flow."""
    both = h0 + h1
    if both < 2.0 * DRY:
        return 0.0, 0.0, False
    surface0, surface1 = z0 + b0 + h0, z1 + b1 + h1
    if (h0 <= DRY and surface0 >= surface1) or (h1 <= DRY and surface1 >= surface0):
        return 0.0, 0.0, False  # dry ground above the surface: an island
    if b0 > 0.0 or b1 > 0.0:
        sill = max(z0 + b0, z1 + b1)
        if max(surface0, surface1) <= sill + DRY:
            return 0.0, 0.0, False
        surface0, surface1 = max(surface0, sill), max(surface1, sill)
    gravity = GRAVITY * (q0 + q1) / (both * TEMPERATURE)
    mean = 0.5 * both
    lighter = 0.0
    if h0 > DRY and h1 > DRY:
        lighter = 0.5 * mean * GRAVITY / TEMPERATURE * (q1 / h1 - q0 / h0)
    return -(gravity * (surface1 - surface0) + lighter), mean, True


@njit(nogil=True, cache=True, inline="always")
def _moved(here, before, after, flux_before, flux_here, flux_after):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """What carrying momentum along its own axis adds, times depth and cell: upwind, by the mean flux of the cells."""
    low, high = 0.5 * (flux_before + flux_here), 0.5 * (flux_here + flux_after)
    into = low * (before if low > 0.0 else here)
    out = high * (here if high > 0.0 else after)
    return into - out + here * (high - low)


@njit(nogil=True, cache=True, inline="always")
def _carried(here, below, above, flux_low, flux_high):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """The same across its axis; the fluxes are those through the two side faces."""
    into = flux_low * (below if flux_low > 0.0 else here)
    out = flux_high * (here if flux_high > 0.0 else above)
    return into - out + here * (flux_high - flux_low)


@njit(nogil=True, cache=True, inline="always")
def _shared(h0, h1, rub0, rub1):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Friction between two cells; that of the wet one where the other is dry."""
    if h0 <= DRY:
        return rub1
    if h1 <= DRY:
        return rub0
    return 0.5 * (rub0 + rub1)


@njit(nogil=True, cache=True)
def accelerate(low, high, dt, cell, h, q, z, b, rub, u, v, fx, fy, new_u, new_v):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """New velocities on the inner faces of rows low .. high - 1; what `h`, `u` and `fx` hold stays as it is."""
    nx, ny = h.shape[1] - 2, h.shape[0] - 2
    for j in range(low, high):
        for i in range(2, nx + 1):
            force, mean, is_open = _push(
                h[j, i - 1], h[j, i], q[j, i - 1], q[j, i], z[j, i - 1], z[j, i], b[j, i - 1], b[j, i]
            )
            if not is_open:
                new_u[j, i] = 0.0
                continue
            here, deep = u[j, i], max(mean, THINNEST)
            along = _moved(here, u[j, i - 1], u[j, i + 1], fx[j, i - 1], fx[j, i], fx[j, i + 1])
            side_low, side_high = 0.5 * (fy[j, i - 1] + fy[j, i]), 0.5 * (fy[j + 1, i - 1] + fy[j + 1, i])
            across = _carried(here, u[j - 1, i], u[j + 1, i], side_low, side_high)
            cross = 0.25 * (v[j, i - 1] + v[j, i] + v[j + 1, i - 1] + v[j + 1, i])
            speed2 = here * here + cross * cross
            pushed = here + dt / cell * (force + (along + across) / deep)
            held = _shared(h[j, i - 1], h[j, i], rub[j, i - 1], rub[j, i])
            new_u[j, i] = pushed / (1.0 + dt * held * math.sqrt(speed2) / deep)
        if j < 2:
            continue
        for i in range(1, nx + 1):
            force, mean, is_open = _push(
                h[j - 1, i], h[j, i], q[j - 1, i], q[j, i], z[j - 1, i], z[j, i], b[j - 1, i], b[j, i]
            )
            if not is_open or j > ny:
                new_v[j, i] = 0.0
                continue
            here, deep = v[j, i], max(mean, THINNEST)
            along = _moved(here, v[j - 1, i], v[j + 1, i], fy[j - 1, i], fy[j, i], fy[j + 1, i])
            side_low, side_high = 0.5 * (fx[j - 1, i] + fx[j, i]), 0.5 * (fx[j - 1, i + 1] + fx[j, i + 1])
            across = _carried(here, v[j, i - 1], v[j, i + 1], side_low, side_high)
            cross = 0.25 * (u[j - 1, i] + u[j, i] + u[j - 1, i + 1] + u[j, i + 1])
            speed2 = here * here + cross * cross
            pushed = here + dt / cell * (force + (along + across) / deep)
            held = _shared(h[j - 1, i], h[j, i], rub[j - 1, i], rub[j, i])
            new_v[j, i] = pushed / (1.0 + dt * held * math.sqrt(speed2) / deep)


@njit(nogil=True, cache=True, inline="always")
def _through(speed, h0, h1, z0, z1, b0, b1):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Flux through a face [m2/s]: upwind depth, of which a wall lets through what stands above it."""
    depth, top = (h0, z0 + b0 + h0) if speed > 0.0 else (h1, z1 + b1 + h1)
    if b0 > 0.0 or b1 > 0.0:
        depth = min(depth, max(top - max(z0 + b0, z1 + b1), 0.0))
    return speed * depth if depth > DRY else 0.0


@njit(nogil=True, cache=True)
def fluxes(low, high, h, z, b, u, v, fx, fy):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Fluxes through the faces of the rows low .. high - 1 (their lower faces across)."""
    nx = h.shape[1] - 2
    for j in range(low, high):
        for i in range(1, nx + 2):
            fx[j, i] = _through(u[j, i], h[j, i - 1], h[j, i], z[j, i - 1], z[j, i], b[j, i - 1], b[j, i])
        for i in range(1, nx + 1):
            fy[j, i] = _through(v[j, i], h[j - 1, i], h[j, i], z[j - 1, i], z[j, i], b[j - 1, i], b[j, i])


@njit(nogil=True, cache=True)
def spare(low, high, dt, cell, h, q, fx, fy, share, deficit):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Share of its outflow that a cell can give without becoming less than empty; the deficit that goes with it."""
    nx = h.shape[1] - 2
    for j in range(low, high):
        for i in range(1, nx + 1):
            out = max(fx[j, i + 1], 0.0) - min(fx[j, i], 0.0) + max(fy[j + 1, i], 0.0) - min(fy[j, i], 0.0)
            out *= dt / cell
            share[j, i] = 1.0 if out <= h[j, i] else h[j, i] / out
            deficit[j, i] = q[j, i] / h[j, i] if h[j, i] > DRY else 0.0


@njit(nogil=True, cache=True, inline="always")
def _given(flux, share0, share1):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    return flux * (share0 if flux > 0.0 else share1)


@njit(nogil=True, cache=True)
def settle(  # type: ignore[no-untyped-def]  # noqa: ANN201
    low, high, dt, cell, mixing, h, q, u, v, fx, fy, share, deficit, source, fresh, rough, rub, fastest, gone, mixed
):
    """New depth, deficit and friction (drag of the ground and of what is mixed in) of the rows low .. high - 1.

    source : production [m/s]; fresh : deficit of what is produced [K]; fastest, gone, mixed : per row the fastest wave
    [m/s], what left through the border and what was entrained, volumes [m3] added up.
    """
    nx, ny = h.shape[1] - 2, h.shape[0] - 2
    ratio = dt / cell
    for j in range(low, high):
        top, left, won = 0.0, 0.0, 0.0
        for i in range(1, nx + 1):
            west = _given(fx[j, i], share[j, i - 1], share[j, i])
            east = _given(fx[j, i + 1], share[j, i], share[j, i + 1])
            south = _given(fy[j, i], share[j - 1, i], share[j, i])
            north = _given(fy[j + 1, i], share[j, i], share[j + 1, i])
            heat = west * (deficit[j, i - 1] if west > 0.0 else deficit[j, i])
            heat -= east * (deficit[j, i] if east > 0.0 else deficit[j, i + 1])
            heat += south * (deficit[j - 1, i] if south > 0.0 else deficit[j, i])
            heat -= north * (deficit[j, i] if north > 0.0 else deficit[j + 1, i])
            if i == 1:
                left -= west
            if i == nx:
                left += east
            if j == 1:
                left -= south
            if j == ny:
                left += north
            depth = h[j, i]
            speed2 = 0.25 * ((u[j, i] + u[j, i + 1]) ** 2 + (v[j, i] + v[j + 1, i]) ** 2)
            gravity = GRAVITY / TEMPERATURE * deficit[j, i]
            taken = _entrained(gravity, depth, speed2) if mixing and depth > THINNEST else 0.0
            grown = dt * taken * math.sqrt(speed2)
            depth += ratio * (west - east + south - north) + dt * source[j, i] + grown
            h[j, i] = max(depth, 0.0)
            rub[j, i] = taken + _drag(max(depth, THINNEST), rough[j, i])
            q[j, i] = max(q[j, i] + ratio * heat + dt * source[j, i] * fresh[j, i], 0.0)
            won += grown
            side = max(abs(u[j, i]), abs(u[j, i + 1])) + max(abs(v[j, i]), abs(v[j + 1, i]))
            top = max(top, side + math.sqrt(gravity * h[j, i]))
        fastest[j] = top
        gone[j] += left * dt * cell
        mixed[j] += won * cell * cell
