"""What a product belongs to: the building, its pipes and ducts, or roads and rails; and above or below the ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bim.selection import class_chain
from geo.model import Frame, Grid, Issue

ELEMENTS, MEP, INFRASTRUCTURE = "elements", "mep", "infrastructure"
# Classes at the head of each group; whatever the schema puts below them belongs to it too.
MEP_CLASSES = ("IfcDistributionElement", "IfcDistributionPort")
INFRASTRUCTURE_CLASSES = (
    "IfcLinearPositioningElement",
    "IfcCourse",
    "IfcPavement",
    "IfcKerb",
    "IfcRail",
    "IfcTrackElement",
    "IfcEarthworksElement",
    "IfcEarthworksCut",
    "IfcGeotechnicalElement",
    "IfcGeotechnicalAssembly",
    "IfcGeographicElement",
    "IfcNavigationElement",
    "IfcMooringDevice",
    "IfcSignal",
    "IfcSign",
    "IfcBearing",
    "IfcTendon",
    "IfcTendonConduit",
    "IfcRoad",
    "IfcRoadPart",
    "IfcRailway",
    "IfcRailwayPart",
    "IfcBridge",
    "IfcBridgePart",
    "IfcMarineFacility",
    "IfcMarinePart",
)
BURIED_SHARE = 0.9  # of the elements of a network whose tops must lie below the ground


@dataclass(frozen=True)
class Heights:
    """Middle in plan (n, 2) and top (n,) of elements [local m]."""

    plan: NDArray[np.float64]
    top: NDArray[np.float64]


def part_of_class(schema: str, name: str) -> str:
    """``"elements"``, ``"mep"`` or ``"infrastructure"`` for a class of an IFC schema."""
    chain = class_chain(schema, name)
    if any(kind in chain for kind in MEP_CLASSES):
        return MEP
    return INFRASTRUCTURE if any(kind in chain for kind in INFRASTRUCTURE_CLASSES) else ELEMENTS


def stratum_of(
    part: str, heights: Heights, frame: Frame, *, terrain: Grid | None, has_building: bool, ground: float | None
) -> tuple[str, Issue | None]:
    """Stratum of a part, and a note where it rests on an assumption.

    Parameters
    ----------
    heights : Heights
        Of its elements.
    terrain : Grid or None
        Ground of the scene.
    has_building : bool
        Whether the file has a building.
    ground : float or None [local m]
        Level of the site in the file, in place of a terrain.
    """
    if part == INFRASTRUCTURE:
        return "outdoor", None
    if part != MEP:
        return ("indoor" if has_building else "outdoor"), None
    surface = np.full(len(heights.top), np.nan)
    if terrain is not None:
        surface = terrain.sample(heights.plan[:, 0], heights.plan[:, 1])
    known = np.isfinite(surface)
    if known.any():
        share = float((heights.top[known] < surface[known]).mean())
        return _buried(share, has_building), None
    if ground is None:
        return ("indoor" if has_building else "outdoor"), None
    share = float((heights.top < ground).mean())
    stratum = _buried(share, has_building)
    if stratum != "underground":
        return stratum, None
    issue = Issue(
        "ifc.underground_by_site",
        f"{len(heights.top)} pipes, ducts and the like lie below the level of the site ({ground:.2f} m) and are put "
        "underground; the scene has no terrain to compare with.",
        count=len(heights.top),
        values={"level": f"{ground:.2f}"},
    )
    return stratum, issue


def _buried(share: float, has_building: bool) -> str:
    if share >= BURIED_SHARE:
        return "underground"
    return "indoor" if has_building else "outdoor"
