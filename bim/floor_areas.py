"""Floor area above the ground as a file states it in its quantities, for a building that is put up as a proposal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bim.attributes import attribute, number, unit_scale
from bim.elements import area_quantities

if TYPE_CHECKING:
    import ifcopenshell

# Qto_BuildingStoreyBaseQuantities and Qto_BuildingBaseQuantities of IFC4, and what older files call the same.
NAMES = ("GrossFloorArea", "Gross Floor Area", "GFA")
UNDER = -0.5  # [m] a storey whose floor lies lower under the building's zero is a basement


def stated_floor_area(file: ifcopenshell.file, metres_per_unit: float) -> dict[str, object]:
    """Gross floor area above the ground [m2], how many storeys it is the sum of, and where it is stated.

    Returns
    -------
    said : dict
        ``floor_area``, ``floor_area_storeys`` and ``floor_area_from`` (``storeys`` or ``building``); empty where the
        file says nothing. The area of a whole building may hold its basements: that of the storeys goes first.
    """
    unit = unit_scale(file, "AREAUNIT")
    above = [
        storey
        for storey in file.by_type("IfcBuildingStorey")
        if number(attribute(storey, "Elevation"), 0.0) * metres_per_unit >= UNDER
    ]
    areas = [area for storey in above if math.isfinite(area := _area(storey, unit)) and area > 0.0]
    if areas:
        return {"floor_area": sum(areas), "floor_area_storeys": len(areas), "floor_area_from": "storeys"}
    whole = [area for one in file.by_type("IfcBuilding") if math.isfinite(area := _area(one, unit)) and area > 0.0]
    if whole:
        return {"floor_area": sum(whole), "floor_area_storeys": 0, "floor_area_from": "building"}
    return {}


def _area(thing: ifcopenshell.entity_instance, unit: float) -> float:
    found = area_quantities(thing, unit)
    return next((found[name] for name in NAMES if name in found), math.nan)
