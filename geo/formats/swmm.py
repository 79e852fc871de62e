"""SWMM models of sewers and drains (.inp), read by swmmio."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.formats.network_inp import DAMAGE, Model, damaged, layers_of, sections, texts
from geo.formats.placed import PlacedOptions
from geo.model import Column, Feedback, Frame, Issue, Layer
from geo.model import conventions as words

Floats = NDArray[np.float64]
TITLE = "SWMM model"
OWN = {"CONDUITS", "OUTFALLS", "SUBCATCHMENTS"}
FEET = 0.3048  # [m] of models in US flow units
US_UNITS = ("CFS", "GPM", "MGD")
BOXES = ("RECT_CLOSED", "RECT_OPEN")


class SwmmOptions(PlacedOptions):
    """Options of the SWMM reader.

    Attributes
    ----------
    utility : {"storm", "sewage", "combined"}
        What runs in the pipes; the file does not say.
    """

    utility: Literal["storm", "sewage", "combined"] = "storm"


def sniff(path: Path, head: bytes) -> bool:
    """Text with the sections of SWMM."""
    if b"[" not in head:
        return False
    found = sections(path)
    return bool(found & {"CONDUITS", "XSECTIONS"}) and bool(found & OWN)


NODES = {"JUNCTIONS": "manhole", "STORAGE": "manhole", "DIVIDERS": "manhole", "OUTFALLS": "outfall"}
LINKS = ("CONDUITS", "PUMPS", "ORIFICES", "WEIRS", "OUTLETS")


class _Tables:
    """The sections of a model as tables; missing ones are empty."""

    def __init__(self, path: Path) -> None:
        import pandas

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from swmmio.utils.dataframes import dataframe_from_inp

            present = sections(path)

            def table(name: str) -> Any:
                if name not in present:
                    return pandas.DataFrame()
                found = dataframe_from_inp(str(path), f"[{name}]")
                found.index = found.index.astype(str)
                return found[~found.index.duplicated()]

            try:
                self.options = table("OPTIONS")
                kinds = [(table(name), kind) for name, kind in NODES.items()]
                self.nodes = pandas.concat(
                    [found.assign(kind=kind) for found, kind in kinds if len(found)] or [pandas.DataFrame()]
                )
                parts = [table(name).assign(sort=name[:-1].lower()) for name in LINKS]
                self.links = pandas.concat([part for part in parts if len(part)] or [pandas.DataFrame()])
                self.links = self.links.join(table("XSECTIONS"))
                self.places = table("COORDINATES")
                self.bends = (
                    dataframe_from_inp(str(path), "[VERTICES]") if "VERTICES" in present else pandas.DataFrame()
                )
                if len(self.nodes) == 0:
                    raise ValueError("it has no node")
            except (UnicodeDecodeError, OSError, *DAMAGE) as error:
                raise damaged(path, "SWMM", error) from error

    @property
    def unit(self) -> float:
        """Metres per length unit of the model; SWMM itself takes CFS where nothing is said."""
        if "FLOW_UNITS" not in self.options.index:
            return FEET
        return FEET if str(self.options.loc["FLOW_UNITS"].iloc[0]).upper() in US_UNITS else 1.0

    @property
    def node_places(self) -> Floats:
        """(n, 2) coordinates of the nodes, NaN where there are none."""
        found = self.places.reindex(self.nodes.index)
        return np.column_stack([_numbers(found, "X"), _numbers(found, "Y")])


def inspect(path: Path) -> FileInfo:
    """Counts, units and extent in the model's own coordinates."""
    found = _Tables(path)
    unit, places = found.unit, found.node_places
    places = places[np.isfinite(places).all(axis=1)]
    invert = _numbers(found.nodes, "InvertElev") * unit
    bounds = None
    if len(places) and np.isfinite(invert).any():
        (x0, y0), (x1, y1) = places.min(axis=0), places.max(axis=0)
        bounds = (float(x0), float(y0), float(np.nanmin(invert)), float(x1), float(y1), float(np.nanmax(invert)))
    conduits = int((found.links["sort"] == "conduit").sum()) if len(found.links) else 0
    counts = {"nodes": len(found.nodes), "links": len(found.links), "conduits": conduits}
    return FileInfo(
        format="swmm", title=TITLE, bounds=bounds, counts=counts, details={"unit": "ft" if unit != 1.0 else "m"}
    )


def _numbers(table: Any, name: str) -> Floats:
    import pandas

    if name not in table:
        return np.full(len(table), np.nan)
    return np.asarray(pandas.to_numeric(table[name], errors="coerce"), dtype=np.float64)


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """Layers ``pipes`` and ``nodes``; inverts from the nodes and the offsets of the conduits."""
    own = options.own if isinstance(options.own, SwmmOptions) else SwmmOptions()
    feedback.step(0.0, f"reading {path.name}")
    found = _Tables(path)
    nodes, links, unit = found.nodes, found.links, found.unit
    feedback.step(0.6, "putting the network together")
    issues = [Issue("swmm.utility", f"The pipes are taken as {own.utility} sewers.", values={"utility": own.utility})]
    names = [str(name) for name in nodes.index]
    row = {name: k for k, name in enumerate(names)}
    pairs = (
        [(str(a), str(b)) for a, b in zip(links["InletNode"], links["OutletNode"], strict=True)] if len(links) else []
    )
    good = [a in row and b in row for a, b in pairs]
    _tell_strays(issues, [str(name) for name, fine in zip(links.index, good, strict=True) if not fine])
    links = links[good] if len(links) else links
    pairs = [pair for pair, fine in zip(pairs, good, strict=True) if fine]
    ends = np.array([[row[a], row[b]] for a, b in pairs], dtype=np.int64).reshape(-1, 2)
    invert = _numbers(nodes, "InvertElev") * unit
    depth = np.fmax(_numbers(nodes, "MaxD"), _numbers(nodes, "MaxDepth")) * unit
    ground = np.where(np.isfinite(depth) & (depth > 0), invert + depth, np.nan)
    columns, axis = _pipes(links, ends, invert, ground, unit, own.utility)
    gathered = Model(
        names,
        found.node_places,
        {
            words.UTILITY: texts([own.utility] * len(names)),
            words.NODE: texts([str(kind) for kind in nodes["kind"]]),
            words.GROUND: Column(ground, "m"),
            words.INVERT: Column(invert, "m"),
            "depth": Column(depth, "m"),
        },
        [str(name) for name in links.index],
        ends,
        [_bends(found.bends, str(name)) for name in links.index],
        {
            **columns,
            words.FROM_NODE: texts([a for a, _ in pairs]),
            words.TO_NODE: texts([b for _, b in pairs]),
        },
    )
    shown = np.where(np.isfinite(ground), ground, np.nan_to_num(invert))
    layers = layers_of(gathered, axis, shown, path.stem, frame, options, issues)
    feedback.step(1.0, "read")
    return layers


def _tell_strays(issues: list[Issue], ids: list[str]) -> None:
    if ids:
        text = f"{len(ids)} links name a node that the model does not have; they are left out."
        issues.append(Issue("swmm.stray_links", text, "error", count=len(ids), elements=tuple(ids[:50])))


def _bends(table: Any, name: str) -> Floats:
    """Vertices between the ends of a link."""
    if len(table) == 0 or name not in table.index:
        return np.zeros((0, 2))
    rows = table.loc[[name]]
    return np.column_stack([_numbers(rows, "X"), _numbers(rows, "Y")])


def _pipes(
    links: Any, ends: NDArray[np.int64], invert: Floats, ground: Floats, unit: float, utility: str
) -> tuple[dict[str, Column], tuple[Floats, Floats]]:
    from geo.utility_depth import errors_of

    offsets = [np.nan_to_num(_numbers(links, name)) * unit for name in ("InOffset", "OutOffset")]
    up, down = invert[ends[:, 0]] + offsets[0], invert[ends[:, 1]] + offsets[1]
    first, second = (
        np.where(value > 0, value, np.nan)
        for value in (_numbers(links, "Geom1") * unit, _numbers(links, "Geom2") * unit)
    )
    shape = np.array([str(value).upper() for value in links["Shape"]]) if "Shape" in links else np.full(len(links), "")
    box = np.isin(shape, BOXES)
    half = np.nan_to_num(first) / 2
    axis = (np.nan_to_num(up) + half, np.nan_to_num(down) + half)
    above = np.stack([ground[ends[:, 0]] - up, ground[ends[:, 1]] - down])
    known = np.isfinite(above).sum(axis=0)
    cover = np.where(known > 0, np.nansum(above, axis=0) / np.maximum(known, 1) - 2 * half, np.nan)
    quality = np.full(len(links), "register", dtype=object)
    plan_error, depth_error = errors_of(quality, np.zeros(len(links), dtype=bool))
    columns = {
        words.UTILITY: texts([utility] * len(links)),
        words.DIAMETER: Column(np.where(box, np.nan, first), "m"),
        words.COVER: Column(cover, "m"),
        words.DEPTH_QUALITY: Column(quality),
        words.PLAN_ERROR: Column(plan_error, "m"),
        words.DEPTH_ERROR: Column(depth_error, "m"),
        words.INVERT_UP: Column(up, "m"),
        words.INVERT_DOWN: Column(down, "m"),
        "sort": texts([str(value) for value in links["sort"]] if len(links) else []),
        "shape": texts([str(value).lower() for value in shape]),
        "length": Column(_numbers(links, "Length") * unit, "m"),
    }
    if box.any():
        columns[words.WIDTH] = Column(np.where(box, second, np.nan), "m")
        columns[words.HEIGHT] = Column(np.where(box, first, np.nan), "m")
    return columns, axis


FORMAT = Format(
    id="swmm",
    title=TITLE,
    patterns=("*.inp",),
    sniff=sniff,
    inspect=inspect,
    read=read,
    options=SwmmOptions,
    isolate=True,
)
