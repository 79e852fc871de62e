"""A podium with a tower that stands back from its edge, as one closed solid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.buildings import GROUND, ROOF, clean_areas, extrude, watertight_triangles
from geo.model import Mesh, merge_meshes

Floats = NDArray[np.float64]


def towers_on(polygon: object, inset: float) -> NDArray[np.object_]:
    """What is left of an area (a shapely Polygon) at least `inset` [m] inside its edge: single polygons, maybe none."""
    import shapely

    inner = shapely.buffer(polygon, -inset, join_style="mitre")
    return clean_areas(np.array([inner], dtype=object)).polygons


def podium_and_tower(
    polygon: object, base: float, *, podium: float, height: float, inset: float
) -> tuple[Mesh, NDArray[np.int8]]:
    """One solid of two prisms: the whole area up to `podium`, the area inside `inset` up to `height`.

    Parameters
    ----------
    polygon : shapely Polygon
        As `geo.buildings.clean_areas` gives them.
    base : float [local m]
    podium, height : float [m]
        Above the base; the podium is lower.
    inset : float [m]
        From the edge of the podium to the tower; something must be left (`towers_on`).

    Returns
    -------
    mesh : Mesh
        Of one element; faces look outward, and no face lies between podium and tower.
    surface : (m,) int8
        Codes into `geo.buildings.SURFACES`.
    """
    towers = towers_on(polygon, inset)
    below, below_codes = extrude(np.array([polygon], dtype=object), [base], [podium])
    above, above_codes = extrude(towers, base + podium, height - podium)
    terrace = _terrace(polygon, towers, base + podium)
    kept, kept_above = below_codes != ROOF, above_codes != GROUND
    parts = [
        Mesh(below.vertices, below.faces[kept], np.zeros(int(kept.sum()), np.int32)),
        terrace,
        Mesh(above.vertices, above.faces[kept_above], np.zeros(int(kept_above.sum()), np.int32)),
    ]
    mesh = merge_meshes(parts)
    codes = np.concatenate([below_codes[kept], np.full(len(terrace.faces), ROOF, np.int8), above_codes[kept_above]])
    return Mesh(mesh.vertices, mesh.faces, np.zeros(len(mesh.faces), np.int32)), codes


def _terrace(polygon: object, towers: NDArray[np.object_], height: float) -> Mesh:
    """The roof of the podium around the towers."""
    import shapely

    left = shapely.get_parts(shapely.difference(polygon, shapely.union_all(towers)))
    areas = shapely.orient_polygons(left[shapely.get_type_id(left) == 3], exterior_cw=False)
    xy, faces, _ = watertight_triangles(areas)
    points = np.column_stack([xy, np.full(len(xy), height)])
    return Mesh(points, faces.astype(np.int32), np.zeros(len(faces), np.int32))
