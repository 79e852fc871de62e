"""One Jacobi pseudo-time step of the momentum equations, and the two halves of the projection.

Import this module inside functions: it loads Numba. Arrays are float32, ``[z, y, x]`` with two ghost cells on every
side. ``u[k, j, i]`` stands on the face between the cells i - 1 and i, likewise v and w. The eddy viscosity is zero in
solids and nowhere else: it doubles as the mask. Every kernel works on a share of the rows (``low`` to ``high``), so
that threads may divide the work; no row depends on what another row writes, so their number changes no bit.

Momentum is carried by Fromm's linear second-order scheme: limited ones (van Leer) fall back to first order at every
wall and slow the air in streets a few cells wide.

Fromm, J. E. (1968), J. Comput. Phys. 3, 176-189, doi:10.1016/0021-9991(68)90015-6.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.kernels import wind_vectors  # noqa: F401  must come before the first compilation

Singles = NDArray[np.float32]
BLOCK = 24  # rows worked on plane by plane, so that the planes above and below stay in the processor's cache
HALF, QUARTER, ZERO, ONE = np.float32(0.5), np.float32(0.25), np.float32(0.0), np.float32(1.0)


class Spacing(NamedTuple):
    """One over lengths, per axis, with ghosts.

    cell: width. face: between the centres on both sides of the low face. wide: between the centres of both neighbours.
    """

    cell_x: Singles
    cell_y: Singles
    cell_z: Singles
    face_x: Singles
    face_y: Singles
    face_z: Singles
    wide_x: Singles
    wide_y: Singles
    wide_z: Singles


@njit(nogil=True, fastmath=True, error_model="numpy", inline="always")
def _half_step(a: Any, b: Any) -> Any:
    """Fromm's half step to a face from the differences on both sides of a cell."""
    return QUARTER * (a + b)


@njit(nogil=True, fastmath=True, error_model="numpy", inline="always")
def _carried(low: Any, high: Any, q0: Any, q1: Any, q2: Any, q3: Any, q4: Any) -> Any:
    """Gain of q2 by flow through two faces, ``-(flux(q_face) - q div)``; low, high: velocity over width [1/s]."""
    d0, d1, d2, d3 = q1 - q0, q2 - q1, q3 - q2, q4 - q3
    here = _half_step(d1, d2)
    from_low = max(low, ZERO) * (_half_step(d0, d1) - d1) - min(low, ZERO) * here
    return from_low - max(high, ZERO) * here - min(high, ZERO) * (d2 - _half_step(d2, d3))


@njit(nogil=True, fastmath=True, error_model="numpy", inline="always")
def _between(a: Any, b: Any) -> Any:
    """Mean viscosity of two cells, none if one is solid."""
    return HALF * (a + b) if min(a, b) > ZERO else ZERO


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def step_u(
    low: int, high: int, u: Singles, v: Singles, w: Singles, p: Singles, nut: Singles, new: Singles, dt: float,
    space: Spacing,
) -> None:  # fmt: skip
    """Predicted u of rows low to high. ``new`` brings the drag of walls and leaves [1/s] and takes the result."""
    levels, nx = u.shape[0] - 2, u.shape[2] - 5
    fx, cx0, cx1 = space.face_x[3:], space.cell_x[2:], space.cell_x[3:]
    for block in range(low, high, BLOCK):
        for k in range(2, levels):
            lower = space.cell_z[k]
            down, up = HALF * lower * space.face_z[k], HALF * lower * space.face_z[k + 1]
            for j in range(block, min(block + BLOCK, high)):
                q0, q1, q2, q3, q4 = u[k, j][1:], u[k, j][2:], u[k, j][3:], u[k, j][4:], u[k, j][5:]
                s2, s1, n1, n2 = u[k, j - 2][3:], u[k, j - 1][3:], u[k, j + 1][3:], u[k, j + 2][3:]
                b2, b1, t1, t2 = u[k - 2, j][3:], u[k - 1, j][3:], u[k + 1, j][3:], u[k + 2, j][3:]
                vs0, vs1, vn0, vn1 = v[k, j][2:], v[k, j][3:], v[k, j + 1][2:], v[k, j + 1][3:]
                wb0, wb1, wt0, wt1 = w[k, j][2:], w[k, j][3:], w[k + 1, j][2:], w[k + 1, j][3:]
                m, c, ms, cs = nut[k, j][2:], nut[k, j][3:], nut[k, j - 1][2:], nut[k, j - 1][3:]
                mn, cn, mb, cb = nut[k, j + 1][2:], nut[k, j + 1][3:], nut[k - 1, j][2:], nut[k - 1, j][3:]
                mt, ct, p0, p1, out = nut[k + 1, j][2:], nut[k + 1, j][3:], p[k, j][2:], p[k, j][3:], new[k, j][3:]
                side = space.cell_y[j]
                south, north = HALF * side * space.face_y[j], HALF * side * space.face_y[j + 1]
                for i in range(nx):
                    x0, x1 = HALF * fx[i] * (q1[i] + q2[i]), HALF * fx[i] * (q2[i] + q3[i])
                    y0, y1 = HALF * side * (vs0[i] + vs1[i]), HALF * side * (vn0[i] + vn1[i])
                    z0, z1 = HALF * lower * (wb0[i] + wb1[i]), HALF * lower * (wt0[i] + wt1[i])
                    rate = _carried(x0, x1, q0[i], q1[i], q2[i], q3[i], q4[i])
                    rate += _carried(y0, y1, s2[i], s1[i], q2[i], n1[i], n2[i])
                    rate += _carried(z0, z1, b2[i], b1[i], q2[i], t1[i], t2[i])
                    ax, bx = m[i] * fx[i] * cx0[i], c[i] * fx[i] * cx1[i]
                    ay = south * (_between(m[i], ms[i]) + _between(c[i], cs[i]))
                    by = north * (_between(m[i], mn[i]) + _between(c[i], cn[i]))
                    az = down * (_between(m[i], mb[i]) + _between(c[i], cb[i]))
                    bz = up * (_between(m[i], mt[i]) + _between(c[i], ct[i]))
                    rate += ax * (q1[i] - q2[i]) + bx * (q3[i] - q2[i])
                    rate += ay * (s1[i] - q2[i]) + by * (n1[i] - q2[i]) + az * (b1[i] - q2[i]) + bz * (t1[i] - q2[i])
                    rate -= fx[i] * (p1[i] - p0[i]) + out[i] * q2[i]
                    hold = ax + bx + ay + by + az + bz + out[i] + max(x0, ZERO) - min(x1, ZERO)
                    hold += max(y0, ZERO) - min(y1, ZERO) + max(z0, ZERO) - min(z1, ZERO)
                    out[i] = q2[i] + dt * rate / (ONE + dt * hold) if min(m[i], c[i]) > ZERO else ZERO


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def step_v(
    low: int, high: int, u: Singles, v: Singles, w: Singles, p: Singles, nut: Singles, new: Singles, dt: float,
    space: Spacing,
) -> None:  # fmt: skip
    """Predicted v on the southern faces of rows low to high; as `step_u`."""
    levels, nx = v.shape[0] - 2, v.shape[2] - 4
    cx, fx0, fx1 = space.cell_x[2:], space.face_x[2:], space.face_x[3:]
    for block in range(low, high, BLOCK):
        for k in range(2, levels):
            lower = space.cell_z[k]
            down, up = HALF * lower * space.face_z[k], HALF * lower * space.face_z[k + 1]
            for j in range(max(block, 3), min(block + BLOCK, high)):  # row 2 is the side of the tunnel
                q0, q1, q2, q3, q4 = v[k, j], v[k, j][1:], v[k, j][2:], v[k, j][3:], v[k, j][4:]
                s2, s1, n1, n2 = v[k, j - 2][2:], v[k, j - 1][2:], v[k, j + 1][2:], v[k, j + 2][2:]
                b2, b1, t1, t2 = v[k - 2, j][2:], v[k - 1, j][2:], v[k + 1, j][2:], v[k + 2, j][2:]
                us0, us1, un0, un1 = u[k, j - 1][2:], u[k, j - 1][3:], u[k, j][2:], u[k, j][3:]
                wb0, wb1, wt0, wt1 = w[k, j - 1][2:], w[k, j][2:], w[k + 1, j - 1][2:], w[k + 1, j][2:]
                m, mw, me, mb, mt = (
                    nut[k, j - 1][2:],
                    nut[k, j - 1][1:],
                    nut[k, j - 1][3:],
                    nut[k - 1, j - 1][2:],
                    nut[k + 1, j - 1][2:],
                )
                c, cw, ce, cb, ct = nut[k, j][2:], nut[k, j][1:], nut[k, j][3:], nut[k - 1, j][2:], nut[k + 1, j][2:]
                p0, p1, out = p[k, j - 1][2:], p[k, j][2:], new[k, j][2:]
                fy = space.face_y[j]
                south, north = fy * space.cell_y[j - 1], fy * space.cell_y[j]
                for i in range(nx):
                    x0, x1 = HALF * cx[i] * (us0[i] + un0[i]), HALF * cx[i] * (us1[i] + un1[i])
                    y0, y1 = HALF * fy * (s1[i] + q2[i]), HALF * fy * (q2[i] + n1[i])
                    z0, z1 = HALF * lower * (wb0[i] + wb1[i]), HALF * lower * (wt0[i] + wt1[i])
                    rate = _carried(x0, x1, q0[i], q1[i], q2[i], q3[i], q4[i])
                    rate += _carried(y0, y1, s2[i], s1[i], q2[i], n1[i], n2[i])
                    rate += _carried(z0, z1, b2[i], b1[i], q2[i], t1[i], t2[i])
                    ax = HALF * cx[i] * fx0[i] * (_between(m[i], mw[i]) + _between(c[i], cw[i]))
                    bx = HALF * cx[i] * fx1[i] * (_between(m[i], me[i]) + _between(c[i], ce[i]))
                    ay, by = south * m[i], north * c[i]
                    az = down * (_between(m[i], mb[i]) + _between(c[i], cb[i]))
                    bz = up * (_between(m[i], mt[i]) + _between(c[i], ct[i]))
                    rate += ax * (q1[i] - q2[i]) + bx * (q3[i] - q2[i])
                    rate += ay * (s1[i] - q2[i]) + by * (n1[i] - q2[i]) + az * (b1[i] - q2[i]) + bz * (t1[i] - q2[i])
                    rate -= fy * (p1[i] - p0[i]) + out[i] * q2[i]
                    hold = ax + bx + ay + by + az + bz + out[i] + max(x0, ZERO) - min(x1, ZERO)
                    hold += max(y0, ZERO) - min(y1, ZERO) + max(z0, ZERO) - min(z1, ZERO)
                    out[i] = q2[i] + dt * rate / (ONE + dt * hold) if min(m[i], c[i]) > ZERO else ZERO


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def step_w(
    low: int, high: int, u: Singles, v: Singles, w: Singles, p: Singles, nut: Singles, new: Singles, dt: float,
    space: Spacing,
) -> None:  # fmt: skip
    """Predicted w on the lower faces of the cells in rows low to high; as `step_u`."""
    levels, nx = w.shape[0] - 2, w.shape[2] - 4
    cx, fx0, fx1 = space.cell_x[2:], space.face_x[2:], space.face_x[3:]
    for block in range(low, high, BLOCK):
        for k in range(3, levels):
            fz = space.face_z[k]
            down, up = fz * space.cell_z[k - 1], fz * space.cell_z[k]
            for j in range(block, min(block + BLOCK, high)):
                q0, q1, q2, q3, q4 = w[k, j], w[k, j][1:], w[k, j][2:], w[k, j][3:], w[k, j][4:]
                s2, s1, n1, n2 = w[k, j - 2][2:], w[k, j - 1][2:], w[k, j + 1][2:], w[k, j + 2][2:]
                b2, b1, t1, t2 = w[k - 2, j][2:], w[k - 1, j][2:], w[k + 1, j][2:], w[k + 2, j][2:]
                ub0, ub1, ut0, ut1 = u[k - 1, j][2:], u[k - 1, j][3:], u[k, j][2:], u[k, j][3:]
                vb0, vb1, vt0, vt1 = v[k - 1, j][2:], v[k - 1, j + 1][2:], v[k, j][2:], v[k, j + 1][2:]
                m, mw, me, ms, mn = (
                    nut[k - 1, j][2:],
                    nut[k - 1, j][1:],
                    nut[k - 1, j][3:],
                    nut[k - 1, j - 1][2:],
                    nut[k - 1, j + 1][2:],
                )
                c, cw, ce, cs, cn = nut[k, j][2:], nut[k, j][1:], nut[k, j][3:], nut[k, j - 1][2:], nut[k, j + 1][2:]
                p0, p1, out = p[k - 1, j][2:], p[k, j][2:], new[k, j][2:]
                side = space.cell_y[j]
                south, north = HALF * side * space.face_y[j], HALF * side * space.face_y[j + 1]
                for i in range(nx):
                    x0, x1 = HALF * cx[i] * (ub0[i] + ut0[i]), HALF * cx[i] * (ub1[i] + ut1[i])
                    y0, y1 = HALF * side * (vb0[i] + vt0[i]), HALF * side * (vb1[i] + vt1[i])
                    z0, z1 = HALF * fz * (b1[i] + q2[i]), HALF * fz * (q2[i] + t1[i])
                    rate = _carried(x0, x1, q0[i], q1[i], q2[i], q3[i], q4[i])
                    rate += _carried(y0, y1, s2[i], s1[i], q2[i], n1[i], n2[i])
                    rate += _carried(z0, z1, b2[i], b1[i], q2[i], t1[i], t2[i])
                    ax = HALF * cx[i] * fx0[i] * (_between(m[i], mw[i]) + _between(c[i], cw[i]))
                    bx = HALF * cx[i] * fx1[i] * (_between(m[i], me[i]) + _between(c[i], ce[i]))
                    ay = south * (_between(m[i], ms[i]) + _between(c[i], cs[i]))
                    by = north * (_between(m[i], mn[i]) + _between(c[i], cn[i]))
                    az, bz = down * m[i], up * c[i]
                    rate += ax * (q1[i] - q2[i]) + bx * (q3[i] - q2[i])
                    rate += ay * (s1[i] - q2[i]) + by * (n1[i] - q2[i]) + az * (b1[i] - q2[i]) + bz * (t1[i] - q2[i])
                    rate -= fz * (p1[i] - p0[i]) + out[i] * q2[i]
                    hold = ax + bx + ay + by + az + bz + out[i] + max(x0, ZERO) - min(x1, ZERO)
                    hold += max(y0, ZERO) - min(y1, ZERO) + max(z0, ZERO) - min(z1, ZERO)
                    out[i] = q2[i] + dt * rate / (ONE + dt * hold) if min(m[i], c[i]) > ZERO else ZERO


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def divergence(low: int, high: int, u: Singles, v: Singles, w: Singles, space: Spacing, out: Singles) -> None:
    """Minus the net outflow of each cell [m3/s] of rows low to high, into `out`."""
    levels, nx = u.shape[0] - 2, u.shape[2] - 4
    cx = space.cell_x[2:]
    for k in range(2, levels):
        for j in range(low, high):
            u0, u1, v0, v1 = u[k, j][2:], u[k, j][3:], v[k, j][2:], v[k, j + 1][2:]
            w0, w1, gain = w[k, j][2:], w[k + 1, j][2:], out[k, j][2:]
            side, lower = space.cell_y[j], space.cell_z[k]
            area = ONE / (side * lower)
            for i in range(nx):
                net = (u1[i] - u0[i]) * cx[i] + (v1[i] - v0[i]) * side + (w1[i] - w0[i]) * lower
                gain[i] = -net * area / cx[i]


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def correct(
    low: int, high: int, u: Singles, v: Singles, w: Singles, p: Singles, phi: Singles, nut: Singles, per_dt: float,
    space: Spacing,
) -> None:  # fmt: skip
    """Take the gradient of the potential [m2/s] from the velocities of rows low to high and add it to the pressure."""
    levels, nx = u.shape[0] - 2, u.shape[2] - 4
    fx = space.face_x[2:]
    for k in range(2, levels):
        fz = space.face_z[k] if k > 2 else ZERO
        for j in range(low, high):
            here, west, south, below = phi[k, j][2:], phi[k, j][1:], phi[k, j - 1][2:], phi[k - 1, j][2:]
            n, nw, ns, nb = nut[k, j][2:], nut[k, j][1:], nut[k, j - 1][2:], nut[k - 1, j][2:]
            uu, vv, ww, pr = u[k, j][2:], v[k, j][2:], w[k, j][2:], p[k, j][2:]
            fy = space.face_y[j] if j > 2 else ZERO
            for i in range(1, nx):
                uu[i] -= fx[i] * (here[i] - west[i]) if min(n[i], nw[i]) > ZERO else ZERO
            for i in range(nx):
                vv[i] -= fy * (here[i] - south[i]) if min(n[i], ns[i]) > ZERO else ZERO
            for i in range(nx):
                ww[i] -= fz * (here[i] - below[i]) if min(n[i], nb[i]) > ZERO else ZERO
            for i in range(nx):
                pr[i] += here[i] * per_dt
