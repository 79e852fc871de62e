"""Layer: geometry, elements, fields, style and origin of one thing in the scene."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geo.model.errors import Issue
from geo.model.geometry import Geometry
from geo.model.table import ElementTable

Stratum = Literal["outdoor", "indoor", "underground"]
FieldOn = Literal["vertex", "face", "element", "cell", "point"]

# A layer's `theme` says what it means in the city; its `kind` says how it is drawn and follows from the geometry.
THEMES = (
    "terrain",
    "orthophoto",
    "building",
    "road",
    "rail",
    "water",
    "parcel",
    "tree",
    "furniture",
    "bim",
    "space",
    "utility",
    "excavation",
    "network",
    "link",
    "sensor",
    "camera",
    "emission",
    "purifier",
    "result",
    "other",
)


@dataclass(frozen=True, eq=False)
class Field:
    """Numbers on a geometry. A number without a unit is a bug: pure numbers carry the unit ``"1"``.

    Attributes
    ----------
    name, unit : str
    on : {"vertex", "face", "element", "cell", "point"}
        cell: same shape as Grid.values or Volume.values; otherwise (n,).
    values : array
        NaN where missing. Integer codes when `categories` is given (-1 missing).
    categories : tuple of str
        Names of the codes 0, 1, 2 ... of a class map; empty for a quantity.
    ramp : str
        Colour ramp it should be shown with, e.g. ``"sun_hours"``.
    range : (low, high) or None
        Range of the legend; None = range of the values.
    """

    name: str
    unit: str
    on: FieldOn
    values: NDArray[np.generic]
    categories: tuple[str, ...] = ()
    ramp: str = "viridis"
    range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not self.unit and not self.categories:
            raise ValueError(f"field {self.name!r} has no unit; use '1' for a pure number")
        values = np.asarray(self.values).view()
        values.flags.writeable = False
        object.__setattr__(self, "values", values)


@dataclass(frozen=True)
class Style:
    """How a layer is shown.

    Attributes
    ----------
    visible : bool
    opacity : float
        0..1.
    colour : str
        ``"#rrggbb"`` or ``""`` for the theme's colour of the palette.
    colour_by : str
        Name of a field or of a column; ``""`` = plain.
    hidden : frozenset of str
        Element ids not drawn.
    ramp : str
        Colour ramp instead of the field's own; ``""`` = its own.
    classes : int
        Number of classes; 0 = as many as are usual for the method.
    method : {"", "quantiles", "equal", "unique", "breaks"}
        How numbers are sorted into classes; ``""`` = not, a continuous ramp.
    faded : frozenset of str
        Element ids of which only a veil is drawn, so that what lies behind them is seen.
    hatched : bool
        Whether a map is hatched where its own classes of trust say so.
    breaks : tuple of float
        Limits of the classes of the method ``"breaks"``, rising; one more than there are classes.
    reversed : bool
        Whether the ramp runs from high to low.
    range : (low, high) or None
        Ends of the ramp; None = the field's own.
    class_colours, class_titles : tuple of (class, text)
        Colours ``"#rrggbb"`` and names that somebody has given to classes: by the number of an ordered class
        (``"0"`` the lowest), by the name of any other.
    missing : str
        ``"#rrggbb"`` of what has no value, or ``""`` for that of the palette.
    title : str
        Of the legend; ``""`` = the name of the attribute.
    label_by : str
        Name of the field or column that is written beside the elements; ``""`` = none.
    labelled : bool
        Whether it is written now.
    label_size : int
        Height of the letters [pixels].
    label_reach : float [m]
        Distance from the eye up to which elements have labels; 0 = any.
    edges : bool
        Whether the edges of solids are drawn.
    shaded : bool
        Whether it takes light and shade; without, its colours are those of the legend.
    """

    visible: bool = True
    opacity: float = 1.0
    colour: str = ""
    colour_by: str = ""
    hidden: frozenset[str] = frozenset()
    ramp: str = ""
    classes: int = 0
    method: str = ""
    faded: frozenset[str] = frozenset()
    hatched: bool = True
    breaks: tuple[float, ...] = ()
    reversed: bool = False
    range: tuple[float, float] | None = None
    class_colours: tuple[tuple[str, str], ...] = ()
    class_titles: tuple[tuple[str, str], ...] = ()
    missing: str = ""
    title: str = ""
    label_by: str = ""
    labelled: bool = False
    label_size: int = 12
    label_reach: float = 0.0
    edges: bool = True
    shaded: bool = True

    def coloured_by(self, name: str, *, method: str = "", classes: int = 0, ramp: str = "") -> Style:
        """The style with another attribute or other classes: what was said of those of before is forgotten."""
        return dataclasses.replace(
            self,
            colour_by=name,
            method=method,
            classes=classes,
            ramp=ramp,
            breaks=(),
            reversed=False,
            range=None,
            class_colours=(),
            class_titles=(),
            title="" if name != self.colour_by else self.title,
        )


@dataclass(frozen=True)
class Source:
    """Where a layer came from.

    Attributes
    ----------
    path : str
        Absolute path of the file, or ``""`` for a result.
    digest : str
        BLAKE2b-128 of the file's bytes, hex.
    reader : str
        Format id.
    options : mapping
        The reader options that made this layer (plain JSON values).
    part : str
        Which of the layers of that file this is (the reader's own stable key).
    provenance : mapping
        For results: the Provenance as plain JSON values.
    """

    path: str = ""
    digest: str = ""
    reader: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    part: str = ""
    provenance: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Layer:
    """One thing in the scene.

    Attributes
    ----------
    id : str
        Unique in the scene.
    name : str
        Shown to the user.
    theme : str
        One of `THEMES`.
    geometry : Geometry or None
        None for a table without place.
    table : ElementTable
        One row per element; geometry's ``*_element`` arrays index it. Empty for a Grid.
    fields : tuple of Field
    style, stratum, source, issues
    """

    id: str
    name: str
    theme: str
    geometry: Geometry | None
    table: ElementTable = field(default_factory=lambda: ElementTable(()))
    fields: tuple[Field, ...] = ()
    style: Style = Style()
    stratum: Stratum = "outdoor"
    source: Source = Source()
    issues: tuple[Issue, ...] = ()

    def __post_init__(self) -> None:
        if self.theme not in THEMES:
            raise ValueError(f"unknown theme {self.theme!r}")

    @property
    def kind(self) -> str:
        """How it is drawn: mesh, lines, points, grid, image, instances, volume or table; terrain for height grids."""
        if self.geometry is None:
            return "table"
        if self.theme == "terrain" and self.geometry.kind == "grid":
            return "terrain"
        return self.geometry.kind

    def field_named(self, name: str) -> Field | None:
        """The field of that name, or None."""
        return next((f for f in self.fields if f.name == name), None)

    def with_(self, **changes: object) -> Layer:
        """A copy with attributes replaced."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]
