"""Standard k-epsilon: production, one Jacobi step of k and epsilon, what walls and leaves add, the eddy viscosity.

Import this module inside functions: it loads Numba. Layout and sharing of rows as in `wind_momentum`. Walls and leaves
are short lists of places, worked on between the passes over all cells.

Launder, B. E. and Spalding, D. B. (1974), Comput. Methods Appl. Mech. Eng. 3, 269-289,
doi:10.1016/0045-7825(74)90029-2. Leaves: Green, S. R. (1992), PHOENICS J. 5, 294-312; Sanz, C. (2003),
Boundary-Layer Meteorol. 108, 191-197, doi:10.1023/A:1023066012766.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from analysis.kernels import wind_vectors  # noqa: F401  must come before the first compilation
from analysis.kernels.wind_momentum import BLOCK, HALF, ONE, QUARTER, ZERO, Spacing, _between

Singles = NDArray[np.float32]
Places = NDArray[np.int32]

C_MU = np.float32(0.09)
FRICTION = np.float32(0.09**0.25)  # friction velocity over the root of k in equilibrium
KAPPA = np.float32(0.41)
C1, C2 = np.float32(1.44), np.float32(1.92)
PER_SIGMA = np.float32(1 / 1.3)
LEAF_DRAG, LEAF_P, LEAF_D, LEAF_C4, LEAF_C5 = (np.float32(c) for c in (0.2, 1.0, 5.1, 0.9, 0.9))
LEAST_K, LEAST_E, LEAST_NUT = np.float32(1e-6), np.float32(1e-8), np.float32(1e-7)
RELAXED = np.float32(0.7)
TWO = np.float32(2.0)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def production(
    low: int, high: int, u: Singles, v: Singles, w: Singles, nut: Singles, made: Singles, sink: Singles,
    made_e: Singles, space: Spacing,
) -> None:  # fmt: skip
    """Production of k [m2/s3] into `made`, times C1 into `made_e`, zero into `sink`, of rows low to high."""
    levels, nx = u.shape[0] - 2, u.shape[2] - 4
    cx, gx = space.cell_x[2:], space.wide_x[2:]
    for block in range(low, high, BLOCK):
        for k in range(2, levels):
            cz, gz = space.cell_z[k], HALF * space.wide_z[k]
            for j in range(block, min(block + BLOCK, high)):
                cy, gy = space.cell_y[j], HALF * space.wide_y[j]
                u0, u1, us0, us1, un0, un1 = (
                    u[k, j][2:], u[k, j][3:], u[k, j - 1][2:], u[k, j - 1][3:], u[k, j + 1][2:], u[k, j + 1][3:],
                )  # fmt: skip
                ub0, ub1, ut0, ut1 = u[k - 1, j][2:], u[k - 1, j][3:], u[k + 1, j][2:], u[k + 1, j][3:]
                v0, v1, vw0, vw1, ve0, ve1 = (
                    v[k, j][2:], v[k, j + 1][2:], v[k, j][1:], v[k, j + 1][1:], v[k, j][3:], v[k, j + 1][3:],
                )  # fmt: skip
                vb0, vb1, vt0, vt1 = v[k - 1, j][2:], v[k - 1, j + 1][2:], v[k + 1, j][2:], v[k + 1, j + 1][2:]
                w0, w1, ww0, ww1, we0, we1 = (
                    w[k, j][2:], w[k + 1, j][2:], w[k, j][1:], w[k + 1, j][1:], w[k, j][3:], w[k + 1, j][3:],
                )  # fmt: skip
                ws0, ws1, wn0, wn1 = w[k, j - 1][2:], w[k + 1, j - 1][2:], w[k, j + 1][2:], w[k + 1, j + 1][2:]
                n, p, s, pe = nut[k, j][2:], made[k, j][2:], sink[k, j][2:], made_e[k, j][2:]
                for i in range(nx):
                    xx, yy, zz = (u1[i] - u0[i]) * cx[i], (v1[i] - v0[i]) * cy, (w1[i] - w0[i]) * cz
                    half = HALF * gx[i]
                    xy = gy * (un0[i] + un1[i] - us0[i] - us1[i]) + half * (ve0[i] + ve1[i] - vw0[i] - vw1[i])
                    xz = gz * (ut0[i] + ut1[i] - ub0[i] - ub1[i]) + half * (we0[i] + we1[i] - ww0[i] - ww1[i])
                    yz = gz * (vt0[i] + vt1[i] - vb0[i] - vb1[i]) + gy * (wn0[i] + wn1[i] - ws0[i] - ws1[i])
                    p[i] = n[i] * (TWO * (xx * xx + yy * yy + zz * zz) + xy * xy + xz * xz + yz * yz)
                    pe[i] = C1 * p[i]
                    s[i] = ZERO


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def step_turbulence(
    low: int, high: int, u: Singles, v: Singles, w: Singles, k_old: Singles, e_old: Singles, nut: Singles,
    made: Singles, k_new: Singles, e_new: Singles, dt: float, space: Spacing,
) -> None:  # fmt: skip
    """One step of k and epsilon. `k_new` brings a sink [1/s], `e_new` the source of epsilon times k / epsilon."""
    levels, nx = u.shape[0] - 2, u.shape[2] - 4
    cx, fx0, fx1 = space.cell_x[2:], space.face_x[2:], space.face_x[3:]
    for block in range(low, high, BLOCK):
        for z in range(2, levels):
            cz = space.cell_z[z]
            down, up = cz * space.face_z[z], cz * space.face_z[z + 1]
            for j in range(block, min(block + BLOCK, high)):
                cy = space.cell_y[j]
                south, north = cy * space.face_y[j], cy * space.face_y[j + 1]
                u0, u1, v0, v1 = u[z, j][2:], u[z, j][3:], v[z, j][2:], v[z, j + 1][2:]
                w0, w1, p = w[z, j][2:], w[z + 1, j][2:], made[z, j][2:]
                n, nw, ne, ns, nn = nut[z, j][2:], nut[z, j][1:], nut[z, j][3:], nut[z, j - 1][2:], nut[z, j + 1][2:]
                nb, nt, kn, en = nut[z - 1, j][2:], nut[z + 1, j][2:], k_new[z, j][2:], e_new[z, j][2:]
                k, kw, ke, ks, kh = (
                    k_old[z, j][2:], k_old[z, j][1:], k_old[z, j][3:], k_old[z, j - 1][2:], k_old[z, j + 1][2:],
                )  # fmt: skip
                kb, kt, eb, et = k_old[z - 1, j][2:], k_old[z + 1, j][2:], e_old[z - 1, j][2:], e_old[z + 1, j][2:]
                e, ew, ee, es, eh = (
                    e_old[z, j][2:], e_old[z, j][1:], e_old[z, j][3:], e_old[z, j - 1][2:], e_old[z, j + 1][2:],
                )  # fmt: skip
                for i in range(nx):
                    fw, fe = max(u0[i], ZERO) * cx[i], -min(u1[i], ZERO) * cx[i]
                    fs, fn = max(v0[i], ZERO) * cy, -min(v1[i], ZERO) * cy
                    fb, ft = max(w0[i], ZERO) * cz, -min(w1[i], ZERO) * cz
                    dw, de = cx[i] * fx0[i] * _between(n[i], nw[i]), cx[i] * fx1[i] * _between(n[i], ne[i])
                    ds, dn = south * _between(n[i], ns[i]), north * _between(n[i], nn[i])
                    db, dt_ = down * _between(n[i], nb[i]), up * _between(n[i], nt[i])
                    flow = fw + fe + fs + fn + fb + ft
                    mix = dw + de + ds + dn + db + dt_
                    rate = e[i] / k[i]
                    gain = (fw + dw) * kw[i] + (fe + de) * ke[i] + (fs + ds) * ks[i] + (fn + dn) * kh[i]
                    gain += (fb + db) * kb[i] + (ft + dt_) * kt[i] + p[i]
                    gain_e = (fw + PER_SIGMA * dw) * ew[i] + (fe + PER_SIGMA * de) * ee[i]
                    gain_e += (fs + PER_SIGMA * ds) * es[i] + (fn + PER_SIGMA * dn) * eh[i]
                    gain_e += (fb + PER_SIGMA * db) * eb[i] + (ft + PER_SIGMA * dt_) * et[i] + rate * en[i]
                    leaf = kn[i]
                    new = (k[i] + dt * gain) / (ONE + dt * (flow + mix + rate + leaf))
                    new_e = (e[i] + dt * gain_e) / (ONE + dt * (flow + PER_SIGMA * mix + C2 * rate + LEAF_C5 * leaf))
                    kn[i] = max(new, LEAST_K) if n[i] > ZERO else LEAST_K
                    en[i] = max(new_e, LEAST_E) if n[i] > ZERO else LEAST_E


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def renew_viscosity(low: int, high: int, k: Singles, e: Singles, nut: Singles) -> None:
    """Eddy viscosity of rows low to high, under-relaxed; zero stays zero."""
    for z in range(2, k.shape[0] - 2):
        for j in range(low, high):
            kk, ee, n = k[z, j], e[z, j], nut[z, j]
            for i in range(kk.shape[0]):
                fresh = max(C_MU * kk[i] * kk[i] / ee[i], LEAST_NUT)
                n[i] = n[i] + RELAXED * (fresh - n[i]) if n[i] > ZERO else ZERO


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def friction(
    low: int, high: int, place: Places, rub: Singles, back: int, own: Singles, one: Singles, one_step: int,
    two: Singles, two_step: int, drag: Singles,
) -> None:  # fmt: skip
    """Add the drag of walls or leaves, ``rub |u|`` [1/s], on the faces low to high of a list.

    place : flat index of the face, and of the cell after it; the cell before it is `back` earlier. rub : [1/m].
    """
    for n in range(low, high):
        c = place[n]
        d = c - back
        a = QUARTER * (one[c] + one[c + one_step] + one[d] + one[d + one_step])
        b = QUARTER * (two[c] + two[c + two_step] + two[d] + two[d + two_step])
        drag[c] += rub[n] * np.sqrt(own[c] * own[c] + a * a + b * b)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def wall_production(
    low: int, high: int, place: Places, share: Singles, u: Singles, v: Singles, w: Singles, k: Singles, row: int,
    plane: int, made: Singles,
) -> None:  # fmt: skip
    """Production in the cells that touch walls; ``share[:, axis]``: mean of 1 / (d ln(d/z0)) over walls across it."""
    for n in range(low, high):
        c = place[n]
        x, y, z = HALF * (u[c] + u[c + 1]), HALF * (v[c] + v[c + row]), HALF * (w[c] + w[c + plane])
        xx, yy, zz = x * x, y * y, z * z
        slip = share[n, 0] * np.sqrt(yy + zz) + share[n, 1] * np.sqrt(xx + zz) + share[n, 2] * np.sqrt(xx + yy)
        made[c] = FRICTION * FRICTION * k[c] * slip


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def wall_dissipation(low: int, high: int, place: Places, per_length: Singles, k: Singles, e: Singles) -> None:
    """Set epsilon in the cells that touch walls; per_length: mean of 1 / (kappa d) [1/m]."""
    for n in range(low, high):
        friction = FRICTION * np.sqrt(k[place[n]])
        e[place[n]] = max(friction * friction * friction * per_length[n], LEAST_E)


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def leaf_production(
    low: int, high: int, place: Places, area: Singles, u: Singles, v: Singles, w: Singles, row: int, plane: int,
    made: Singles, sink: Singles, made_e: Singles,
) -> None:  # fmt: skip
    """Turbulence made and broken by leaves in the cells low to high of a list."""
    for n in range(low, high):
        c = place[n]
        x, y, z = HALF * (u[c] + u[c + 1]), HALF * (v[c] + v[c + row]), HALF * (w[c] + w[c + plane])
        speed = np.sqrt(x * x + y * y + z * z)
        drag = LEAF_DRAG * area[n] * speed
        made[c] += drag * LEAF_P * speed * speed
        made_e[c] += drag * LEAF_C4 * LEAF_P * speed * speed
        sink[c] += drag * LEAF_D
