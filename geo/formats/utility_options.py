"""What a user may say about a utility map: its kind, which column is which, units, what a depth means."""

from __future__ import annotations

from typing import Literal

from pydantic import Field as OptionField

from geo.formats.options import FormatOptions
from geo.utility_fields import MAPPABLE

UtilityKind = Literal[
    *("auto", "water", "storm", "sewage", "combined", "gas", "power", "telecom", "heat", "waste", "oil", "tunnel"),
    "other",
]
LengthUnit = Literal["auto", "m", "cm", "mm", "in", "ft"]
DepthMeans = Literal["cover", "axis", "invert"]
HeightMeans = Literal["axis", "top", "invert"]
RoadClass = Literal["auto", "wide", "medium", "narrow", "site"]
PREFIX = "field_"


class UtilityOptions(FormatOptions):
    """How a map of pipes and cables is understood; ``field_<role>`` names the column that plays a role."""

    utility: UtilityKind = OptionField("auto", title="Kind of utility", description="auto = by names and codes")
    depth_unit: LengthUnit = OptionField("auto", title="Unit of the depths")
    diameter_unit: LengthUnit = OptionField("auto", title="Unit of the diameters")
    depth_means: DepthMeans = OptionField("cover", title="Depths go down to", description="cover = top of the pipe")
    z_means: HeightMeans = OptionField("axis", title="Heights of a 3D map are of")
    road_class: RoadClass = OptionField(
        "auto", title="Road class for missing depths", description="auto = by the road width column, else wide"
    )
    field_id: str = OptionField("", title="Column: id")
    field_utility: str = OptionField("", title="Column: kind of utility")
    field_diameter: str = OptionField("", title="Column: diameter")
    field_width: str = OptionField("", title="Column: width of a box")
    field_height: str = OptionField("", title="Column: height of a box")
    field_wall: str = OptionField("", title="Column: wall thickness")
    field_cover: str = OptionField("", title="Column: depth")
    field_cover_low: str = OptionField("", title="Column: least depth")
    field_cover_high: str = OptionField("", title="Column: greatest depth")
    field_cover_begin: str = OptionField("", title="Column: depth at the first end")
    field_cover_end: str = OptionField("", title="Column: depth at the last end")
    field_invert_begin: str = OptionField("", title="Column: invert at the first end")
    field_invert_end: str = OptionField("", title="Column: invert at the last end")
    field_material: str = OptionField("", title="Column: material")
    field_owner: str = OptionField("", title="Column: owner")
    field_installed: str = OptionField("", title="Column: date of laying")
    field_from: str = OptionField("", title="Column: node at the first end")
    field_to: str = OptionField("", title="Column: node at the last end")
    field_quality: str = OptionField("", title="Column: surveyed or not")
    field_road_width: str = OptionField("", title="Column: width of the road")
    field_node: str = OptionField("", title="Column: sort of node")
    field_ground: str = OptionField("", title="Column: ground height of a node")
    field_invert: str = OptionField("", title="Column: invert of a node")
    field_depth: str = OptionField("", title="Column: depth of a node")

    @property
    def mapping(self) -> dict[str, str]:
        """Role -> column, as the user says."""
        return {role: name for role in MAPPABLE if (name := str(getattr(self, PREFIX + role)))}
