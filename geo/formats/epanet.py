"""EPANET models of water networks (.inp), read by WNTR."""

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
TITLE = "EPANET model"
OWN = {"PIPES", "RESERVOIRS", "TANKS"}
NODES = {"Junction": "junction", "Tank": "tank", "Reservoir": "reservoir"}


class EpanetOptions(PlacedOptions):
    """Options of the EPANET reader.

    Attributes
    ----------
    elevation : {"ground", "pipe"}
        What the elevation of a junction is the height of.
    """

    elevation: Literal["ground", "pipe"] = "ground"


def sniff(path: Path, head: bytes) -> bool:
    """Text with the sections of EPANET and none of SWMM's."""
    if b"[" not in head:
        return False
    found = sections(path)
    return "JUNCTIONS" in found and bool(found & OWN) and "CONDUITS" not in found


def _model(path: Path) -> Any:
    # EPANET writes what its users type; the library warns about much of it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import wntr
        from wntr.epanet.exceptions import EpanetException

        try:
            return wntr.network.WaterNetworkModel(str(path))
        except (EpanetException, OSError, AssertionError, *DAMAGE) as error:  # it asserts what names are like
            raise damaged(path, "EPANET", error) from error


def inspect(path: Path) -> FileInfo:
    """Counts, units and extent in the model's own coordinates."""
    model = _model(path)
    places = np.array([node.coordinates for _, node in model.nodes()], dtype=np.float64).reshape(-1, 2)
    heights = _heights(model)
    bounds = None
    if len(places):
        (x0, y0), (x1, y1) = places.min(axis=0), places.max(axis=0)
        bounds = (float(x0), float(y0), float(heights.min()), float(x1), float(y1), float(heights.max()))
    counts = {
        "junctions": model.num_junctions,
        "pipes": model.num_pipes,
        "pumps": model.num_pumps,
        "valves": model.num_valves,
        "tanks": model.num_tanks,
        "reservoirs": model.num_reservoirs,
    }
    details = {"units": str(model.options.hydraulic.inpfile_units), "title": str(model.name or "")}
    return FileInfo(format="epanet", title=TITLE, bounds=bounds, counts=counts, details=details)


def _heights(model: Any) -> Floats:
    """Elevation of junctions and tanks, head of reservoirs [m]."""
    return np.array(
        [float(getattr(node, "elevation", None) or getattr(node, "base_head", 0.0) or 0.0) for _, node in model.nodes()]
    )


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """Layers ``pipes`` (with pumps and valves, which are links there) and ``nodes``."""
    from geo.utility_depth import assumed_cover, errors_of

    own = options.own if isinstance(options.own, EpanetOptions) else EpanetOptions()
    feedback.step(0.0, f"reading {path.name}")
    model = _model(path)
    feedback.step(0.6, "putting the network together")
    links = [link for _, link in model.links()]
    names = [name for name, _ in model.nodes()]
    row = {name: k for k, name in enumerate(names)}
    ends = np.array([[row[x.start_node_name], row[x.end_node_name]] for x in links], dtype=np.int64).reshape(-1, 2)
    size = np.array([float(getattr(link, "diameter", np.nan) or np.nan) for link in links])
    height = _heights(model)
    water = np.full(len(links), "water", dtype=object)
    cover = assumed_cover(water, np.full(len(links), "narrow", dtype=object))
    quality = np.full(len(links), "assumed" if own.elevation == "ground" else "register", dtype=object)
    plan_error, depth_error = errors_of(quality, np.zeros(len(links), dtype=bool))
    below = cover + np.nan_to_num(size) / 2 if own.elevation == "ground" else np.zeros(len(links))
    issues = [_elevation_note(own.elevation)]
    columns = {
        words.UTILITY: Column(water),
        "sort": texts([link.link_type.lower() for link in links]),
        words.DIAMETER: Column(size, "m"),
        words.DEPTH_QUALITY: Column(quality),
        words.PLAN_ERROR: Column(plan_error, "m"),
        words.DEPTH_ERROR: Column(depth_error, "m"),
        words.FROM_NODE: texts([link.start_node_name for link in links]),
        words.TO_NODE: texts([link.end_node_name for link in links]),
        words.STATUS: texts([str(link.initial_status).lower() for link in links]),
        "length": Column(np.array([float(getattr(link, "length", np.nan) or np.nan) for link in links]), "m"),
    }
    if own.elevation == "ground":
        columns[words.COVER] = Column(cover, "m")
    gathered = Model(
        names,
        np.array([node.coordinates for _, node in model.nodes()], dtype=np.float64).reshape(-1, 2),
        {
            words.UTILITY: Column(np.full(len(names), "water", dtype=object)),
            words.NODE: texts([NODES.get(node.node_type, "other") for _, node in model.nodes()]),
            words.GROUND: Column(height, "m"),
        },
        [link.name for link in links],
        ends,
        [np.array(link.vertices, dtype=np.float64).reshape(-1, 2) for link in links],
        columns,
    )
    layers = layers_of(
        gathered, (height[ends[:, 0]] - below, height[ends[:, 1]] - below), height, path.stem, frame, options, issues
    )
    feedback.step(1.0, "read")
    return [*layers, *_valves(model, gathered, layers)]


def _elevation_note(elevation: str) -> Issue:
    if elevation == "pipe":
        return Issue("epanet.elevation_pipe", "The elevations of the model are taken as heights of the pipes' axes.")
    return Issue(
        "epanet.elevation_ground",
        "The elevations of the model are taken as heights of the ground; the pipes lie below it by the usual cover.",
        "doubt",
    )


def _valves(model: Any, gathered: Model, layers: list[Layer]) -> list[Layer]:
    """Valves and pumps as points in the middle of their links, so that traces stop and sources are known."""
    pipes = layers[0]
    kinds = {"pump", "valve"}
    sort = pipes.table.columns.get("sort")
    shape = pipes.geometry
    if sort is None or shape is None:
        return []
    rows = [k for k, value in enumerate(sort.values) if value in kinds]
    if not rows:
        return []
    from geo.model import ElementTable, Lines, Points, Source

    if not isinstance(shape, Lines):
        return []
    places = np.array([shape.vertices[shape.offsets[k] : shape.offsets[k + 1]].mean(axis=0) for k in rows])
    status = pipes.table.columns[words.STATUS].values
    table = ElementTable(
        [f"{pipes.table.ids[k]}" for k in rows],
        {
            words.UTILITY: texts(["water"] * len(rows)),
            words.NODE: texts([str(sort.values[k]) for k in rows]),
            words.STATUS: texts(["closed" if status[k] == "closed" else "open" for k in rows]),
        },
    )
    points = Points(places, np.arange(len(rows), dtype=np.int32))
    return [
        Layer(
            "devices",
            f"{pipes.name}: pumps and valves",
            "utility",
            points,
            table,
            stratum="underground",
            source=Source(part="devices"),
        )
    ]


FORMAT = Format(
    id="epanet",
    title=TITLE,
    patterns=("*.inp",),
    sniff=sniff,
    inspect=inspect,
    read=read,
    options=EpanetOptions,
    isolate=True,
)
