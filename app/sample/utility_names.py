"""Names of the sample's utility maps and registers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

GRAVITY = ("storm", "sewage")


@dataclass(frozen=True)
class Book:
    """A utility map with its register.

    Attributes
    ----------
    map, register : str
        File names.
    layer, title : str
        Name of the map's layer and what it shows.
    utilities : tuple of str
    code : str
        FTR_CDE of its pipes.
    """

    map: str
    register: str
    layer: str
    title: str
    utilities: tuple[str, ...]
    code: str


BOOKS = (
    Book("WTL_PIPE_LM.gpkg", "WTL_PIPE_register.csv", "WTL_PIPE_LM", "상수관로", ("water",), "SA001"),
    Book("SWL_PIPE_LM.gpkg", "SWL_PIPE_register.xlsx", "SWL_PIPE_LM", "하수관거", GRAVITY, "SB001"),
    Book("UFL_GPIP_LM.shp", "UFL_GPIP_register.csv", "UFL_GPIP_LM", "가스관로", ("gas",), "SC001"),
    Book("UFL_BPIP_LM.gpkg", "UFL_BPIP_register.xlsx", "UFL_BPIP_LM", "전력관로", ("power",), "SD001"),
    Book("UFL_KPIP_LM.gpkg", "UFL_KPIP_register.csv", "UFL_KPIP_LM", "통신관로", ("telecom",), "SE001"),
    Book("UFL_HPIP_LM.gpkg", "UFL_HPIP_register.csv", "UFL_HPIP_LM", "난방열관로", ("heat",), "SF001"),
    Book("waste_pipes.gpkg", "waste_register.csv", "자동집하관로", "자동집하 관로", ("waste",), "SX001"),
    Book("utility_tunnel.gpkg", "utility_tunnel_register.xlsx", "공동구", "공동구", ("tunnel",), "SX002"),
)
NODES = "utility_nodes.gpkg"
SIDE_FILES = (".shx", ".dbf", ".prj", ".cpg")
TRUTH = "utilities_truth.json"
# In the order of import; "" where there is no register.
MAPS = (*((book.map, book.register) for book in BOOKS), (NODES, ""))
ALL = (
    *(name for pair in MAPS for name in pair if name),
    *(PurePath(name).stem + side for name, _ in MAPS if name.endswith(".shp") for side in SIDE_FILES),
    TRUTH,
)
