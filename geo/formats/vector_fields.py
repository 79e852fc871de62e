"""What the layers and columns of a GIS file mean, by their names, in English and Korean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo import utility_fields
from geo.model import Column

Floats = NDArray[np.float64]

# Codes of the Korean national digital topographic map (수치지형도 2.0): shape letter, then class.
MAP_CODES = (
    (r"n3[alp]_b001", "building"),
    (r"n3[alp]_b002", "wall"),
    (r"n3l_a001", "road edge"),
    (r"n3[alp]_a00[123]", "road"),
    (r"n3[alp]_a01[5-8]", "rail"),
    (r"n3[alp]_e", "water"),
    (r"n3l_f001", "contour"),
    (r"n3p_f002", "spot height"),
    (r"n3p_d003", "tree"),
    (r"n3[al]_a007", "road"),
    # Address map (도로명주소): buildings, entrances (plain points), parts and surfaces of roads.
    (r"(z_kais_)?tl_spbd_buld", "building"),
    (r"(z_kais_)?tl_sprd_(manage|intrvl|rw)", "road"),
    (r"(z_kais_)?tl_spsb_(rlway|statn)", "rail"),
    # National open data: integrated buildings (GIS건물통합정보), continuous cadastre, zoning.
    (r"al_d010", "building"),
    (r"al_d(002|154|155)|upis_c_uq", "parcel"),
)
TREE_WORD = "tree"  # but not the one in "street"
# Words in names of files and layers, the most telling first.
LAYER_WORDS = (
    ("contour", ("contour", "등고선", "isoline")),
    ("spot height", ("spot_height", "spotheight", "spot height", "표고점")),
    ("building", ("building", "bldg", "footprint", "house", "건물", "gebäude", "bâtiment", "buld")),
    ("camera", ("cctv", "camera", "카메라", "폐쇄회로")),
    ("purifier", ("purifier", "smog_free", "공기정화", "정화기")),
    ("sensor", ("air_station", "air_quality", "airquality", "대기측정", "측정소", "sensor")),
    ("emission", ("emission", "dust_source", "construction_site", "배출원", "비산먼지", "공사장", "건설현장")),
    ("people", ("people", "population", "인구")),
    ("tree", (TREE_WORD, "수목", "가로수", "나무", "baum", "arbre")),
    ("rail", ("railway", "railroad", "rail_", "철도", "subway", "지하철")),
    ("road", ("road", "street", "centerline", "centreline", "highway", "도로", "차도", "보도", "strasse")),
    ("water", ("water", "river", "lake", "stream", "하천", "호수", "수계", "저수지")),
    ("parcel", ("parcel", "zoning", "landuse", "land_use", "cadastr", "필지", "지적", "용도지역", "획지", "lsmd")),
)
THEME_OF = {"contour": "terrain", "spot height": "terrain", "wall": "furniture", "road edge": "road", "people": "other"}
SPELLINGS = {"buildings": "building", "roads": "road", "trees": "tree", "parcels": "parcel", "contours": "contour",
             "zoning": "parcel", "spot_height": "spot height", "river": "water", "건물": "building", "도로": "road",
             "utilities": "utility", "pipes": "utility", "지하시설물": "utility", "관로": "utility",
             "수목": "tree", "필지": "parcel", "등고선": "contour", "수계": "water",
             "cameras": "camera", "cctv": "camera", "카메라": "camera",
             "emissions": "emission", "배출원": "emission", "sensors": "sensor", "측정소": "sensor",
             "purifiers": "purifier", "공기정화기": "purifier", "인구": "people"}  # fmt: skip

# Columns by meaning; compared without case, spaces, dots, colons, dashes and underscores.
# "a16" and "a26" are height and storeys of the Korean integrated building data (GIS건물통합정보).
HEIGHT = (
    *(
        "height",
        "measuredheight",
        "buildingheight",
        "bldgh",
        "bldgheight",
        "bldght",
        "hgt",
        "heightm",
        "hm",
        "heightag",
    ),
    *(
        "높이",
        "건물높이",
        "높이m",
        "heit",
        "buldhg",
        "a16",
        "roofheight",
        "relheight",
        "eaveheight",
        "처마높이",
        "heightused",
    ),
)
STOREYS = (
    *("storeys", "stories", "storey", "floors", "nfloors", "floorsag", "levels", "buildinglevels", "numfloors"),
    *("storeysaboveground", "층수", "지상층수", "grndflr", "grofloco", "gflr", "nofloors", "a26", "지상층"),
)
# Heights of a pitched roof above the ground, and its shape.
EAVE = ("eaveheight", "eavesheight", "eave", "eaves", "heighteave", "relativeeavesheight", "처마높이", "처마")
RIDGE = (
    "ridgeheight",
    "ridge",
    "heightridge",
    "relativeridgeheight",
    "용마루높이",
    "용마루",
    "지붕마루높이",
    "최고높이",
)
RISE = ("roofrise", "roofdepth", "지붕높이")
ROOF_SHAPE = ("roofshape", "rooftype", "roofform", "지붕형태", "지붕모양", "지붕유형")
DECK = ("deckheight", "deckelevation", "deckz", "decklevel", "상판높이", "교면고", "계획고", "노면고", "교량높이")
BASE = (
    *("base", "baseheight", "baseelevation", "basez", "groundheight", "groundelevation", "groundz", "zmin"),
    *("지반고", "지반높이", "baseused"),
)
WIDTH = (
    "width",
    "roadwidth",
    "widthm",
    "rvwd",
    "rdwidth",
    "도로폭",
    "폭원",
    "도로너비",
    "너비",
    "폭",
    "roadbt",
    "widthused",
)
CLASS = ("highway", "class", "fclass", "roadclass", "도로구분", "도로등급", "종류", "구분", "type", "rddv", "roadrank")
LEVEL = (
    *("등고수치", "수치", "표고", "표고값", "elev", "elevation", "contour", "ele", "height", "z", "level", "altitude"),
    "높이",
)
TREE_HEIGHT = ("수고", "treeheight", *HEIGHT)
CROWN = (
    "crown",
    "crowndiameter",
    "crownwidth",
    "spread",
    "수관폭",
    "수관",
    "kronendurchmesser",
    "crownm",
    "diametercrown",
)
SPECIES = ("species", "genus", "taxon", "수종", "수종명", "나무명", "treetype", "commonname", "leaftype")
IDS = ("gml_id", "gmlid", "globalid", "ufid", "osm_id", "@id", "id", "pnu", "bd_mgt_sn", "objectid", "oid", "name")
BUILDING_HINTS = frozenset((*STOREYS, "measuredheight", "buildingheight", "bldgh", "건물높이", "buldhg", "heightag"))


@dataclass(frozen=True)
class Meaning:
    """What a layer was taken for: a word such as building or contour, by what (code, name, column) and by which."""

    word: str
    by: str = ""
    mark: str = ""

    @property
    def theme(self) -> str:
        """The layer theme of the word."""
        return THEME_OF.get(self.word, self.word)


def plain(name: str) -> str:
    """A column name as it is compared."""
    return re.sub(r"[\s_.:\-()\[\]]", "", name.strip().lower())


def find_column(columns: Mapping[str, Column], wanted: Sequence[str], *, said: str = "") -> str:
    """Name of the first column that means one of `wanted` (or is called `said`); ``""`` if there is none."""
    if said:
        return next((name for name in columns if name == said or plain(name) == plain(said)), "")
    by_plain: dict[str, str] = {}
    for name in columns:
        by_plain.setdefault(plain(name), name)
    return next((by_plain[word] for word in wanted if word in by_plain), "")


def meaning_of(layer: str, file: str, columns: Mapping[str, Column], flat: str) -> Meaning:
    """What a layer is, by map code, then name, then columns. `flat` is area, line or point.

    Returns the word ``"other"`` when nothing fits.
    """
    utility = utility_fields.recognised(layer, file, columns, flat)
    if utility is not None:
        return Meaning("utility", utility.by, utility.mark)
    for text in (layer, file):
        low = text.lower()
        for pattern, word in MAP_CODES:
            if re.match(pattern, low):
                return Meaning(word, "code", text)
    for text in (layer, file):
        low = text.lower()
        for word, marks in LAYER_WORDS:
            if any(_has_word(low, mark) for mark in marks):
                return Meaning(word, "name", text)
    names = {plain(name): name for name, column in columns.items() if _is_filled(column)}
    return _by_columns(names, flat)


def _has_word(text: str, mark: str) -> bool:
    return mark in (text.replace("street", "") if mark == TREE_WORD else text)


def _is_filled(column: Column) -> bool:
    """Whether at least a third of the values are there (a column without rows counts as filled)."""
    values = column.values
    if values.dtype.kind == "O":
        return len(values) == 0 or sum(v is not None for v in values) * 3 >= len(values)
    return len(values) == 0 or values.dtype.kind != "f" or bool(np.isfinite(values).mean() >= 1 / 3)


def _by_columns(names: Mapping[str, str], flat: str) -> Meaning:
    """What columns tell; a height alone makes an area a building."""
    hints = {
        "area": (
            ("emission", ("sourcekind",)),
            ("people", ("placegroup",)),
            ("building", (*BUILDING_HINTS, "building", "height", "높이")),
        ),
        "line": (
            ("contour", ("등고수치", "contour")),
            ("road", ("highway", "도로폭", "rvwd", "roadwidth", "도로구분")),
        ),
        "point": (
            ("camera", ("cameramodel",)),
            ("purifier", ("purifiermodel",)),
            ("emission", ("sourcekind", "strengthpm10", "strengthpm25")),
            ("people", ("placegroup",)),
            ("tree", (*CROWN, *SPECIES, "수고")),
            ("spot height", ("수치", "표고")),
        ),
    }
    for word, marks in hints.get(flat, ()):
        found = next((names[mark] for mark in marks if mark in names), None)
        if found is not None:
            return Meaning(word, "column", found)
    return Meaning("other")


def said_meaning(kind: str) -> Meaning:
    """The user's word as a meaning."""
    word = kind.strip().lower()
    return Meaning(SPELLINGS.get(word, word))


def numbers(column: Column) -> Floats:
    """A column as float64: text such as ``"12,5 m"`` is read, what is no number becomes NaN."""
    values = column.values
    if values.dtype.kind in "fiu":
        return values.astype(np.float64)
    if values.dtype.kind == "b":
        return np.full(len(values), np.nan)
    return np.array([number_in(value) for value in values], dtype=np.float64)


def number_in(value: object) -> float:
    """The number at the start of a text: decimal comma or point, thousands commas, a unit behind; else NaN.

    Examples
    --------
    >>> [number_in(text) for text in ("12,5", "1,234.5", "15 m", "5층", "1,200", None, "tall")]
    [12.5, 1234.5, 15.0, 5.0, 1200.0, nan, nan]
    """
    if isinstance(value, bool) or value is None:
        return float("nan")
    if isinstance(value, int | float | np.number):
        return float(value)
    text = str(value).strip()
    match = re.match(r"[-+]?\d[\d,]*\.?\d*(?:[eE][-+]?\d+)?", text)
    if match is None:
        return float("nan")
    digits = match.group().rstrip(",")
    thousands = "." in digits or digits.count(",") > 1 or re.fullmatch(r"[-+]?\d{1,3},\d{3}", digits) is not None
    return float(digits.replace(",", "" if thousands else "."))


def id_column(columns: Mapping[str, Column]) -> str:
    """A column whose texts tell every element apart; ``""`` if there is none."""
    low = {name.lower(): name for name in columns}
    for wish in IDS:
        name = low.get(wish)
        if name is None:
            continue
        values = columns[name].values
        if values.dtype.kind == "f":
            continue
        texts = [str(v) for v in values if v is not None and str(v) != ""]
        if len(texts) == len(values) and len(set(texts)) == len(texts):
            return name
    return ""


def as_column(values: NDArray[np.generic], *, title: str = "") -> Column | None:
    """A field of any GIS type as a Column; None for what has no plain form (bytes)."""
    kind = values.dtype.kind
    if kind in "fiub":
        return Column(values, title=title)
    if kind in "mM":
        return Column(np.array([None if np.isnat(v) else str(v) for v in values], dtype=object), title=title)
    if kind not in "OUS" or any(isinstance(v, bytes | bytearray | memoryview) for v in values[:50]):
        return None
    if kind == "O" and _is_all_text(values):
        return Column(values, title=title)
    return Column(np.array([_as_text(v) for v in values], dtype=object), title=title)


def _is_all_text(values: NDArray[np.generic]) -> bool:
    """Whether every value is a str or None, found without a loop in Python."""
    import pandas as pd

    if pd.api.types.infer_dtype(values, skipna=True) != "string":
        return False
    missing = pd.isna(values)
    return not missing.any() or all(value is None for value in values[missing].tolist())


def _as_text(value: object) -> str | None:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, np.ndarray | list | tuple):
        return ", ".join(str(v) for v in value)
    return str(value)
