"""The types that every part of the program shares: NumPy only, no files, no windows.

Everything in a scene is local metres, x east (grid), y north (grid), z up, float64.
"""

from geo.model.errors import Cancelled, Issue, MissingCrs, UserError
from geo.model.feedback import Feedback
from geo.model.frame import Frame
from geo.model.geometry import (
    Bounds,
    Geometry,
    Grid,
    Image,
    Instances,
    Lines,
    Mesh,
    Points,
    Volume,
    merge_meshes,
)
from geo.model.layer import Field, Layer, Source, Style
from geo.model.rows import UniqueRows, unique_rows
from geo.model.scene import Scene
from geo.model.selection import ElementRef, Selection
from geo.model.session_store import SessionStore
from geo.model.table import Column, ElementTable
from geo.model.tiles import merge_grids, one_ground, tiles_of_one_ground

__all__ = [
    "Bounds",
    "Cancelled",
    "Column",
    "ElementRef",
    "ElementTable",
    "Feedback",
    "Field",
    "Frame",
    "Geometry",
    "Grid",
    "Image",
    "Instances",
    "Issue",
    "Layer",
    "Lines",
    "Mesh",
    "MissingCrs",
    "Points",
    "Scene",
    "Selection",
    "SessionStore",
    "Source",
    "Style",
    "UniqueRows",
    "UserError",
    "Volume",
    "merge_grids",
    "merge_meshes",
    "one_ground",
    "tiles_of_one_ground",
    "unique_rows",
]
