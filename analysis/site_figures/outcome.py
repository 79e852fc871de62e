"""What the study hands back: plots coloured by what is used of what is allowed, tables and key figures."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Quantity, Table
from analysis.site_figures import rules as allowed
from analysis.site_figures.plots import PlotFigures
from geo.model import Column, ElementTable, Field, Issue, Layer, Mesh, Style

Floats = NDArray[np.float64]

VERDICTS = ("ok", "cannot_tell", "breaks")
RULES = ("coverage", "floor_area", "height")
UNITS = ("%", "%", "m")
ABOVE = 0.3  # [m] over the mean ground: where plots are drawn

# The translations count these from 0 (``site.figures.assumption.0``): keep the order.
ASSUMPTIONS = (
    "Building area is the plan of all buildings within the plot, eaves and balconies with it: it is no survey by wall "
    "centre lines (건축법 시행령 제119조).",
    "Floor area is the area of the solid at the middle of every storey above the ground. Basements, parking, refuge "
    "and piloti floors that the law leaves out are not known and are not taken out.",
    "Height counts from the mean ground of the plot to the top without small rooftop structures.",
    "Limits are those of the parcel's own data where it has them, else of the national decree, which an ordinance or a "
    "district unit plan overrides.",
    "Parking is what the uses need by area or dwelling, use by use; what is provided is not known.",
    "The setback for sunlight has a study of its own.",
)


def plot_layer(found: Sequence[PlotFigures]) -> Layer | None:
    """The plots as areas on the ground."""
    if not found:
        return None
    import shapely

    vertices, faces, element, start = [], [], [], 0
    for number, plot in enumerate(found):
        level = plot.level if np.isfinite(plot.level) else 0.0
        triangles = shapely.get_parts(shapely.constrained_delaunay_triangles(plot.polygon))
        corners = shapely.get_coordinates(triangles).reshape(-1, 4, 2)[:, :3]
        corners = _upward(corners)
        points = np.column_stack([corners.reshape(-1, 2), np.full(3 * len(corners), level + ABOVE)])
        vertices.append(points)
        faces.append(np.arange(start, start + len(points)).reshape(-1, 3))
        element.append(np.full(len(corners), number))
        start += len(points)
    mesh = Mesh(np.concatenate(vertices), np.concatenate(faces), np.concatenate(element))
    measured = np.array([plot.measured for plot in found])
    limits = np.array([[cap.limit for cap in plot.caps] for plot in found])
    worst = np.array([max(VERDICTS.index(one) for one in plot.verdicts[:2]) for plot in found], dtype=np.int8)
    with np.errstate(invalid="ignore"):
        used = 100.0 * measured / limits
    fields = (
        Field("verdict", "1", "element", worst, categories=VERDICTS, ramp="classes"),
        Field("floor_area_ratio", "%", "element", measured[:, 1], ramp="viridis"),
        Field("floor_area_used", "%", "element", used[:, 1], ramp="exposure", range=(0.0, 120.0)),
        Field("coverage", "%", "element", measured[:, 0], ramp="viridis"),
    )
    table = ElementTable([plot.id for plot in found], plot_columns(found))
    return Layer("plots", "Plots", "result", mesh, table, fields, Style(colour_by="floor_area_used", opacity=0.6))


def _upward(corners: Floats) -> Floats:
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    turned = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0] < 0.0
    corners[turned] = corners[turned][:, ::-1]
    return corners


def plot_columns(found: Sequence[PlotFigures]) -> dict[str, Column]:
    """One row a plot."""
    measured = np.array([plot.measured for plot in found]).reshape(-1, 3)
    limits = np.array([[cap.limit for cap in plot.caps] for plot in found]).reshape(-1, 3)

    def text(values: list[str]) -> Column:
        return Column(np.array([*values, None], dtype=object)[:-1])

    def number(values: Floats | list[float], unit: str, digits: int = 1) -> Column:
        return Column(np.round(np.asarray(values, dtype=np.float64), digits), unit)

    return {
        "plot": text([plot.id for plot in found]),
        "zoning": text([plot.zoning for plot in found]),
        "site_area": number([plot.site_area for plot in found], "m2"),
        "building_area": number([plot.building_area for plot in found], "m2"),
        "coverage": number(measured[:, 0], "%", 2),
        "coverage_limit": number(limits[:, 0], "%", 2),
        "floor_area": number([plot.floor_area for plot in found], "m2"),
        "floor_area_ratio": number(measured[:, 1], "%", 2),
        "floor_area_limit": number(limits[:, 1], "%", 2),
        "height": number(measured[:, 2], "m"),
        "height_limit": number(limits[:, 2], "m"),
        "storeys": number([plot.storeys for plot in found], "1", 0),
        "dwellings": number([plot.dwellings for plot in found], "1", 0),
        "parking": number([plot.parking for plot in found], "1", 0),
        "buildings": number([len(plot.buildings) for plot in found], "1", 0),
        "floors_told": Column(np.array([plot.floors_told for plot in found], dtype=bool)),
        "dwellings_told": Column(np.array([plot.dwellings_told for plot in found], dtype=bool)),
    }


def check_table(found: Sequence[PlotFigures]) -> Table:
    """Every plot against every rule, what breaks one first."""
    rows = [
        (rule, plot.id, verdict, value, cap, unit)
        for plot in found
        for rule, verdict, value, cap, unit in zip(RULES, plot.verdicts, plot.measured, plot.caps, UNITS, strict=True)
        if rule != "height" or np.isfinite(cap.limit)
    ]
    rank = {"breaks": 0, "cannot_tell": 1, "ok": 2}
    rows.sort(key=lambda row: (rank[row[2]], row[0], row[1]))

    def text(values: list[str]) -> Column:
        return Column(np.array([*values, None], dtype=object)[:-1])

    columns = {
        "rule": text([row[0] for row in rows]),
        "plot": text([row[1] for row in rows]),
        "verdict": text([row[2] for row in rows]),
        "measured": Column(np.round(np.array([row[3] for row in rows], dtype=np.float64), 2), ""),
        "limit": Column(np.round(np.array([row[4].limit for row in rows], dtype=np.float64), 2), ""),
        "unit": text([row[5] for row in rows]),
        "article": text([row[4].article for row in rows]),
        "source": text([row[4].source for row in rows]),
        "verified": Column(np.array([row[4].verified for row in rows], dtype=bool)),
    }
    return Table("checks", "Rules", columns)


def summary(found: Sequence[PlotFigures]) -> dict[str, Quantity]:
    """Key figures over all plots."""
    site = sum(plot.site_area for plot in found)
    covered, floors = sum(plot.building_area for plot in found), sum(plot.floor_area for plot in found)
    verdicts = [plot.verdicts for plot in found]
    return {
        "plots": Quantity(len(found), "1"),
        "site_area": Quantity(round(site, 1), "m2"),
        "coverage": Quantity(round(100.0 * covered / site, 2) if site else None, "%"),
        "floor_area": Quantity(round(floors, 1), "m2"),
        "floor_area_ratio": Quantity(round(100.0 * floors / site, 2) if site else None, "%"),
        "height": Quantity(round(max((plot.height for plot in found), default=0.0), 1), "m"),
        "dwellings": Quantity(int(sum(plot.dwellings for plot in found)), "1"),
        "parking": Quantity(int(sum(plot.parking for plot in found)), "1"),
        "breaks": Quantity(sum("breaks" in one for one in verdicts), "1"),
        "cannot_tell": Quantity(sum("breaks" not in one and "cannot_tell" in one[:2] for one in verdicts), "1"),
        "edition": Quantity(allowed.edition(), ""),
    }


def unverified_issue(found: Sequence[PlotFigures]) -> list[Issue]:
    """That limits were taken from figures nobody checked."""
    count = sum(not cap.verified and isfinite(cap.limit) for plot in found for cap in plot.caps)
    message = (
        f"Rules of edition {allowed.edition()}. {count} limits and most of the parking rates are from memory of the "
        "decrees and were not checked against them."
    )
    return [Issue("site.figures.unverified", message, "doubt", count, values={"edition": allowed.edition()})]
