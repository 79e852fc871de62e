"""Options of the readers of models whose coordinates are their own: where such a model stands."""

from __future__ import annotations

from typing import Literal

from pydantic import Field as Setting
from pydantic import model_validator

from geo.formats.options import FormatOptions


class PlacedOptions(FormatOptions):
    """A place for the model's zero point.

    Attributes
    ----------
    at_east, at_north : float or None [m of the project CRS]
        Where the model's zero point lies; goes before everything else.
    """

    at_east: float | None = Setting(None, allow_inf_nan=False, title="Easting of the zero point [m]")
    at_north: float | None = Setting(None, allow_inf_nan=False, title="Northing of the zero point [m]")

    @model_validator(mode="after")
    def _both_coordinates(self) -> PlacedOptions:
        if (self.at_east is None) != (self.at_north is None):
            raise ValueError("at_east and at_north belong together")
        return self


class ModelOptions(PlacedOptions):
    """Place, turn and size of a model that may also have map coordinates.

    Attributes
    ----------
    placement : {"auto", "map", "origin"}
        auto: map coordinates where the numbers look like it, else the middle of the project. map: the numbers are
        map coordinates of the project. origin: the model's zero point goes to the middle of the project.
    at_height : float or None [m]
        Height of the model's zero level; the terrain, else 0, if not given.
    rotation_deg : float
        Clockwise turn of the model seen from above [degrees].
    scale : float
        Metres per unit of the file.
    """

    placement: Literal["auto", "map", "origin"] = Setting("auto", title="Placement")
    at_height: float | None = Setting(None, allow_inf_nan=False, title="Height of the zero level [m]")
    rotation_deg: float = Setting(0.0, ge=-360, le=360, allow_inf_nan=False, title="Clockwise turn [degrees]")
    scale: float = Setting(1.0, gt=0, le=1e6, allow_inf_nan=False, title="Metres per unit")
