"""What the sample district consists of before it is written: streets, blocks, parcels, buildings, trees.

All coordinates are metres east and north of `CENTRE` (EPSG:5186), heights are metres above KVD1964.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from shapely import LineString, Polygon

    from app.sample.solids import Form

CRS = "EPSG:5186"
VERTICAL = "KVD1964"
CENTRE = (229_110.0, 435_795.0)
SITE_AREA = 2_741_000.0  # [m2]
SYNTHETIC_KO = "합성 자료"
SYNTHETIC = "합성 자료 (synthetic)"


class Window(NamedTuple):
    """The rectangle that terrain and photograph cover."""

    west: float
    south: float
    east: float
    north: float


WINDOW = Window(-1200.0, -1100.0, 1200.0, 1100.0)


@dataclass(frozen=True)
class Street:
    """A street or path.

    Attributes
    ----------
    name : str
        Korean street name.
    kind : str
        One of ``ring, brt, collector, local, lane, bicycle, walk``.
    line : LineString
    width, carriageway : float [m]
        Between the boundaries of the street, and of the part that vehicles use.
    lanes : int
    speed : int [km/h]
    """

    name: str
    kind: str
    line: LineString
    width: float
    carriageway: float
    lanes: int
    speed: int


@dataclass(frozen=True)
class Block:
    """Land between streets with one purpose (`use`, see `layout.ZONES` and `layout.FACILITIES`)."""

    polygon: Polygon
    use: str
    number: int


@dataclass(frozen=True)
class Parcel:
    """A lot with its zoning; the two ratios are the sample's own caps [%]."""

    id: str
    polygon: Polygon
    zoning: str
    use: str
    coverage_max: float
    floor_area_max: float


@dataclass(frozen=True)
class Building:
    """A building before it stands on the ground: `form` has its heights above the ground floor."""

    name: str
    use: str
    form: Form
    storeys_above: int
    storeys_below: int
    dwellings: int
    year: int
    structure: str
    parcel: str


@dataclass(frozen=True)
class Surface:
    """A painted ground surface of the photograph: sports field, track, field, car park, plaza, path."""

    polygon: Polygon
    kind: str


@dataclass
class Plan:
    """The whole district."""

    boundary: Polygon
    streets: list[Street] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)
    buildings: list[Building] = field(default_factory=list)
    surfaces: list[Surface] = field(default_factory=list)
    woodlands: list[Polygon] = field(default_factory=list)
    water: list[tuple[str, str, Polygon]] = field(default_factory=list)
    house_place: tuple[float, float, float] = (0.0, 0.0, 0.0)  # x, y, direction of the house's x axis [degrees]
    # Blocks that have a model of their own: their numbers in `buildings`; corner and direction of the mixed-use one.
    mixed_building: int = -1
    mixed_place: tuple[float, float, float] = (0.0, 0.0, 0.0)
    apartment_buildings: tuple[int, ...] = ()


@dataclass(frozen=True)
class Ground:
    """Terrain heights; row 0 is the south edge, (x0, y0) the centre of the south-west cell."""

    values: NDArray[np.float64]
    x0: float
    y0: float
    cell: float

    def sample(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bilinear height at points [m]; beyond the edge the edge's height."""
        import numpy as np
        from scipy.ndimage import map_coordinates

        rows = (np.asarray(y) - self.y0) / self.cell
        cols = (np.asarray(x) - self.x0) / self.cell
        return np.asarray(map_coordinates(self.values, [rows, cols], order=1, mode="nearest"))
