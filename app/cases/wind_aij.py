"""Headless. Wind tunnels against the wind solver: AIJ benchmark cases, and any case in their layout.

Two layouts are read: the JSON of case A (one prism, velocities in planes), and a folder with ``fixture.json`` (inflow,
directions, probes) and ``geometry.glb`` (cases C and E). Whoever prints the scores cites the sources in the notes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind.levels import Settings, Solved, solve
from analysis.wind.profile import KAPPA, Inflow, power_inflow, table_inflow
from analysis.wind.scores import scores
from app.cases.contract import Case, CaseResult, Comparison, Limit, at_least, at_most
from app.cases.wind_markers import without_markers
from app.cases.wind_tunnels import Site, box_roofs, mesh_roofs, site_axes, site_tunnels
from geo.model import Feedback, UserError

Floats = NDArray[np.float64]

FIXTURE, GEOMETRY = "fixture.json", "geometry.glb"
LARGEST = 50_000_000  # [bytes]
FLOOR_A = 1.8e-4  # z0 of the tunnel's floor in case A, which fits its inflow [m]
AIR_VISCOSITY, LAW_OF_THE_WALL = 1.5e-5, 5.2  # [m2/s], [1]
SMOOTH = 5e-6  # z0 of a model's smooth walls over the model's scale [m]
CELLS_PER_SIDE, CELLS_PER_HEIGHT = 8, 10
MOST_CELLS = 2_750_000
ITERATIONS = (200, 150, 1000)  # a case may take longer to settle than a study does
PER_SIDE = 16  # cells of one size around what is looked at
GATES_A: dict[str, Limit] = {
    "pedestrian_q": at_least(0.55), "pedestrian_fac2": at_least(0.65), "pedestrian_r": at_least(0.80),
    "upper_q": at_least(0.72), "upper_r": at_least(0.92),
    "vertical_q": at_least(0.65), "vertical_r": at_least(0.95),
    "wake_min": at_least(1.9), "wake_max": at_most(3.8),
}  # fmt: skip
GATES_C: dict[str, Limit] = {
    "q_0": at_least(0.60), "r_0": at_least(0.77), "q_22.5": at_least(0.75), "r_22.5": at_least(0.86),
    "q_45": at_least(0.85), "r_45": at_least(0.90),
}  # fmt: skip
GATES_E: dict[str, Limit] = {
    "mean_fac2": at_least(0.70), "mean_r": at_least(0.62), "mean_abs_fb": at_most(0.35),
}  # fmt: skip
NOTES = (
    "q: hit rate within 25 % or 0.05 of the velocity ratio; fac2: within a factor of two; r: correlation; fb: "
    "fractional bias, above zero where the calculation is too low.",
    "Calm places behind buildings are too calm and their wakes too long, as with every steady RANS solver.",
    "Only settled calculations count: settled is 1 where the map changed by less than 0.5 % in 20 iterations.",
    "Data: AIJ Benchmark (CC BY 4.0), Kikumoto et al. (2026), Japan Architectural Review 9(1) e70083, "
    "doi:10.1002/2475-8876.70083; set-up: Tominaga et al. (2008), JWEIA 96, 1749-1761, "
    "doi:10.1016/j.jweia.2008.02.058.",
)
SOURCES = {
    "A": "Experiment: Meng and Hibi (1998), Wind Engineers JAWE 1998(76) 55-64, doi:10.5359/jawe.1998.76_55.",
    "C": "Experiment: Nonomura, Kobayashi, Tominaga and Mochida (2003), doi:10.14887/jaweam.2003.0.41.0.",
    "E": "Experiment: Yoshie et al. (2007), JWEIA 95, 1551-1578, doi:10.1016/j.jweia.2007.02.023.",
}


class Direction(NamedTuple):
    """One direction of a measured case: name, wind from grid north [degrees], probes (n, 3), measured ratios (n,)."""

    name: str
    wind_from: float
    points: Floats
    observed: Floats


class Layout(NamedTuple):
    """A case in the layout of a folder.

    `scalar_reference` tells that the reference was measured by the probes' own kind of instrument, at their height.
    """

    case: str
    directions: tuple[Direction, ...]
    inflow: dict[str, Any]
    reference_speed: float
    reference_height: float
    scalar_reference: bool
    scale: float
    vertices: Floats
    faces: NDArray[np.int32]


def recognise_prism(path: Path) -> bool:
    """Whether it is the JSON of case A."""
    found = _json(path)
    return found is not None and {"bMeters", "inflow", "planes"} <= set(found)


def recognise_folder(path: Path) -> bool:
    """Whether it is a folder (or its fixture.json) with a measured wind case."""
    found = _json(path / FIXTURE if path.is_dir() else path)
    return found is not None and {"measurement", "directions", "inflow"} <= set(found)


def run_prism(path: Path, feedback: Feedback) -> CaseResult:
    """Case A: mean velocities around a prism of 1 : 1 : 2."""
    data = _json(path) or {}
    try:
        side, wind = float(data["bMeters"]), _prism_inflow(data)
        planes = {str(plane["name"]): _prism_plane(plane, side) for plane in data["planes"]}
        top_speed = float(data["uRefMps"])
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path.name, error) from error
    solved = solve_prism(side, wind, feedback=feedback)
    at = solved.sampler()
    metrics: dict[str, float] = {}
    comparisons = []
    for name, (points, measured) in planes.items():
        found = at.at(points)[:, :3]
        if name.startswith("vertical"):
            pairs, label = (found[:, 0] / top_speed, measured[:, 0] / top_speed), "vertical"
        else:
            local = wind.speed(points[:, 2])
            pairs = (np.linalg.norm(found, axis=1) / local, np.linalg.norm(measured, axis=1) / local)
            label = "pedestrian" if points[0, 2] < side else "upper"
        result = scores(*pairs)
        comparisons.append(Comparison(label, observed=pairs[1], predicted=pairs[0]))
        metrics |= {
            f"{label}_q": result.hit_rate, f"{label}_fac2": result.fac2, f"{label}_r": result.correlation,
            f"{label}_fb": result.bias, f"{label}_points": result.points,
        }  # fmt: skip
    wake = wake_length(solved, side)
    metrics |= {"wake_min": wake, "wake_max": wake, "settled": float(solved.converged), "change": solved.change}
    metrics["iterations"] = solved.iterations[-1]
    return CaseResult("wind", metrics, GATES_A, (*NOTES, SOURCES["A"]), tuple(comparisons))


def solve_prism(side: float, wind: Inflow, *, feedback: Feedback, empty: bool = False, threads: int = 0) -> Solved:
    """The flow around the prism of case A, or through its empty tunnel; `side` is b [m]."""
    half, height = side / 2, 2 * side
    boxes = np.zeros((0, 5)) if empty else np.array([[-half, -half, half, half, height]])
    site = Site(
        (-2 * side, -2 * side, 6 * side, 2 * side), (-8 * side, -6.875 * side, 20 * side, 6.875 * side),
        11.25 * side, box_roofs(boxes), 1.25 * height, FLOOR_A, SMOOTH,
    )  # fmt: skip
    settings = Settings(map_height=side / 8, threads=threads)
    return solve(site_tunnels(site, side / CELLS_PER_SIDE), wind, settings=settings, feedback=feedback)


def wake_length(solved: Solved, side: float) -> float:
    """Distance from the lee wall to where the flow at the ground turns forward again, over b."""
    x = np.linspace(side / 2, 10 * side, 1000)
    first = float(solved.tunnel.z[1]) / 2
    u = solved.sampler().at(np.column_stack([x, np.zeros_like(x), np.full_like(x, first)]))[:, 0]
    back = np.flatnonzero((u[:-1] < 0) & (u[1:] >= 0))
    return float((x[back[-1]] - side / 2) / side) if len(back) else 0.0


def run_folder(path: Path, feedback: Feedback) -> CaseResult:
    """Cases C and E, or any other of their layout: mean speed at probes, all directions."""
    layout = read_layout(path)
    metrics: dict[str, float] = {}
    comparisons = []
    count = len(layout.directions)
    for number, direction in enumerate(layout.directions):
        part = feedback.part(number / count, (number + 1) / count)
        found, comparison = compare_direction(layout, direction, part)
        metrics |= {f"{key}_{direction.name}": value for key, value in found.items()}
        comparisons.append(comparison)
    for key in ("q", "fac2", "r"):
        metrics[f"mean_{key}"] = float(np.mean([metrics[f"{key}_{d.name}"] for d in layout.directions]))
    metrics["mean_abs_fb"] = float(np.mean([abs(metrics[f"fb_{d.name}"]) for d in layout.directions]))
    limits = {"C": GATES_C, "E": GATES_E}.get(layout.case, {})
    feedback.step(1.0, "scored")
    notes = (*NOTES, *([SOURCES[layout.case]] if layout.case in SOURCES else []))
    return CaseResult("wind", metrics, limits, notes, tuple(comparisons))


def score_direction(layout: Layout, direction: Direction, feedback: Feedback, *, cell: float = 0.0) -> dict[str, float]:
    """Scores of one direction; `cell` [m], 0: the finest that fits."""
    return compare_direction(layout, direction, feedback, cell=cell)[0]


def compare_direction(
    layout: Layout, direction: Direction, feedback: Feedback, *, cell: float = 0.0
) -> tuple[dict[str, float], Comparison]:
    """Scores of one direction and the velocity ratios they are of; `cell` [m], 0: the finest that fits."""
    wind = layout_inflow(layout, direction.wind_from)
    site, finest = layout_site(layout, direction.wind_from)
    settings = Settings(iterations=ITERATIONS, map_height=float(np.median(direction.points[:, 2])))
    solved = solve(site_tunnels(site, cell or finest), wind, settings=settings, feedback=feedback)
    found = solved.sampler().at(direction.points)
    speed = np.sqrt((found[:, :3] ** 2).sum(axis=1) + 4 / 3 * found[:, 3])
    reference = layout.reference_speed
    if layout.scalar_reference:
        reference = float(np.sqrt(reference**2 + 4 / 3 * wind.energy(np.float64(layout.reference_height))))
    result = scores(speed / reference, direction.observed)
    figures = {
        "q": result.hit_rate, "fac2": result.fac2, "r": result.correlation, "fb": result.bias, "points": result.points,
        "settled": float(solved.converged), "change": solved.change, "iterations": solved.iterations[-1],
        "cells": float(np.prod(solved.tunnel.shape)),
    }  # fmt: skip
    return figures, Comparison(direction.name, direction.observed, speed / reference)


def layout_inflow(layout: Layout, wind_from: float) -> Inflow:
    """The inflow of a direction."""
    data = layout.inflow
    if data["kind"] == "power":
        speed, height = layout.reference_speed, layout.reference_height
        return power_inflow(wind_from, speed=speed, height=height, exponent=float(data["alpha"]),
                            gradient_height=450.0 / 250 * layout.scale, lowest=15.0 / 250 * layout.scale)  # fmt: skip
    return table_inflow(
        wind_from, heights=data["z"], speeds=data["u"], energies=data["k"], roughness=layout_roughness(layout),
        reference_height=layout.reference_height,
    )  # fmt: skip


def layout_roughness(layout: Layout) -> float:
    """z0 of the tunnel's floor [m]: smooth, under the wind measured at the probes' height."""
    data, scale = layout.inflow, layout.scale
    height = float(np.median(layout.directions[0].points[:, 2]))
    if data["kind"] == "power":
        speed = layout.reference_speed * (height / layout.reference_height) ** float(data["alpha"])
    else:
        speed = float(np.interp(np.log(height), np.log(data["z"]), data["u"]))
    return smooth_floor(speed, height / scale) * scale


def smooth_floor(speed: float, height: float) -> float:
    """z0 [m] of a smooth floor over which the air has a speed [m/s] at a height [m].

    Law of the wall, ``u = u*/kappa ln(z u*/nu) + 5.2 u*`` (Pope, S. B. (2000), Turbulent Flows, sec. 7.1.4), which is
    a log law with ``z0 = nu/u* exp(-5.2 kappa)``.
    """
    friction = 0.05 * speed
    for _ in range(50):
        friction = speed / (np.log(max(height * friction / AIR_VISCOSITY, 2.0)) / KAPPA + LAW_OF_THE_WALL)
    return float(AIR_VISCOSITY / friction * np.exp(-LAW_OF_THE_WALL * KAPPA))


def layout_site(layout: Layout, wind_from: float) -> tuple[Site, float]:
    """Tunnel of a case and its finest affordable cell [m], at most a tenth of the usual building."""
    probes = np.concatenate([d.points for d in layout.directions])
    least = float(np.median(probes[:, 2])) / 2  # plates on the ground are no buildings
    roofs = mesh_roofs(layout.vertices, layout.faces, least=least)
    tall = layout.vertices[layout.vertices[:, 2] > least]
    low, high = tall[:, :2].min(axis=0), tall[:, :2].max(axis=0)
    highest, usual = float(tall[:, 2].max()), float(np.median(tall[:, 2]))
    blow_rad = np.radians(270.0 - wind_from)
    blows = np.array([np.cos(blow_rad), np.sin(blow_rad)])
    reach = np.where(np.concatenate([-blows, blows]) > 0.2, 10.0, 5.0) * highest
    border = np.concatenate([low - reach[:2], high + reach[2:]])
    cell = usual / CELLS_PER_HEIGHT
    whole = True  # one size of cell over all buildings, or only around the probes
    while True:
        seen = (low, high) if whole else (probes[:, :2].min(axis=0), probes[:, :2].max(axis=0))
        start = seen[0] - PER_SIDE * cell
        count = np.ceil((seen[1] - seen[0] + 2 * PER_SIDE * cell) / (4 * cell) - 1e-9)
        end = start + 4 * cell * count
        site = Site(
            (*start, *end), tuple(border), 6.0 * highest, roofs, min(1.25 * usual, 10 * cell),
            layout_roughness(layout), SMOOTH * layout.scale,
        )  # fmt: skip
        if _cells(site, cell) <= MOST_CELLS or cell > highest:
            return site, cell
        cell, whole = cell * 1.05 if not whole else cell, False


def _cells(site: Site, cell: float) -> float:
    return float(np.prod([len(axis) - 1.0 for axis in site_axes(site, cell)]))


def read_layout(path: Path) -> Layout:
    """A folder's case, checked."""
    folder = path if path.is_dir() else path.parent
    data = _json(folder / FIXTURE)
    geometry = folder / str((data or {}).get("geometry", {}).get("convertedFile", GEOMETRY))
    if data is None or not geometry.is_file():
        raise _damaged(folder.name, f"{FIXTURE} or {geometry.name} is not there")
    try:
        measurement = data["measurement"]
        height = float(measurement["uRefHeightMeters"])
        directions = tuple(_direction(entry) for entry in data["directions"])
        speed = float(data["directions"][0]["uRefMps"])
        inflow = _inflow_table(data)
        scalar = abs(height - float(measurement["probeHeightMeters"])) < 1e-6 * height
        scale = float(data.get("coordinates", {}).get("modelScale", 1.0))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise _damaged(folder.name, error) from error
    vertices, faces = _mesh(geometry)
    faces, _ = without_markers(vertices, faces, probe_height=float(np.median(directions[0].points[:, 2])))
    return Layout(str(data.get("caseId", "")), directions, inflow, speed, height, scalar, scale, vertices, faces)


def _direction(entry: Mapping[str, Any]) -> Direction:
    probes = entry["probes"]
    points = np.array([[probe["x"], probe["y"], probe["z"]] for probe in probes], float)
    observed = np.array([probe["speed"] for probe in probes], float)
    return Direction(f"{float(entry['sourceAngleDegrees']):g}", float(entry["windFromDegrees"]), points, observed)


def _inflow_table(data: Mapping[str, Any]) -> dict[str, Any]:
    source = data.get("sourceInflow")
    if source:
        scale, speed = float(source["zRFullScaleMeters"]), float(source["uRMps"])
        rows = [(r["zOverZr"] * scale, r["uOverUr"] * speed, r["kOverUr2"] * speed**2) for r in source["samples"]]
    elif data["inflow"]["kind"] == "power":
        return dict(data["inflow"])
    else:
        rows = [(r["z"], r["speed"], r["sigmaSpeed"] ** 2) for r in data["inflow"]["samples"]]
    z, u, k = (list(column) for column in zip(*rows, strict=True))
    return {"kind": "table", "z": z, "u": u, "k": k}


def _mesh(path: Path) -> tuple[Floats, NDArray[np.int32]]:
    """Vertices with z up, and triangles; glTF stands with y up."""
    import trimesh

    try:
        mesh = trimesh.load(path, force="mesh")
        x, up, south = np.asarray(mesh.vertices, float).T
        faces = np.asarray(mesh.faces, np.int32)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path.name, error) from error
    if len(faces) == 0:
        raise _damaged(path.name, "it holds no triangles")
    return np.column_stack([x, -south, up]), faces


def _prism_inflow(data: Mapping[str, Any]) -> Inflow:
    side, rows = float(data["bMeters"]), data["inflow"]
    return table_inflow(
        270.0, heights=[r["zOverB"] * side for r in rows], speeds=[r["U"] for r in rows],
        energies=[r["k"] for r in rows], roughness=FLOOR_A, reference_height=2 * side,
    )  # fmt: skip


def _prism_plane(plane: Mapping[str, Any], side: float) -> tuple[Floats, Floats]:
    rows = plane["points"]
    points = np.array([[r["xOverB"], r["yOverB"], r["zOverB"]] for r in rows], float) * side
    return points, np.array([[r["U"], r["V"], r["W"]] for r in rows], float)


def _json(path: Path) -> dict[str, Any] | None:
    try:
        if path.suffix.lower() != ".json" or path.stat().st_size > LARGEST:
            return None
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _damaged(name: str, why: object) -> UserError:
    return UserError(
        f"The wind case {name} cannot be used.",
        f"Something is wrong with it: {why}.",
        "Fetch the case again.",
        code="case.wind_damaged",
        values={"name": name, "why": str(why)},
    )


PRISM = Case("wind.prism", "Wind around a prism in a tunnel (AIJ case A, JSON)", recognise_prism, run_prism)
FOLDER = Case(
    "wind.probes", "Wind at probes among buildings (folder with fixture.json and geometry.glb, as AIJ cases C and E)",
    recognise_folder, run_folder,
)  # fmt: skip
