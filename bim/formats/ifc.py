"""IFC building and infrastructure models (.ifc, .ifczip): IFC2X3, IFC4, IFC4X3."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bim.placement import IfcOptions
from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.model import Feedback, Frame, Issue, Layer
from geo.pose import NOTE

if TYPE_CHECKING:
    from bim.georeference import Georeference
    from bim.schema import Model

TITLE = "IFC building model"
# Models with more products than this are described from a part of them, so that a look at a file stays quick.
ALL_PRODUCTS = 1200
SAMPLED_PRODUCTS = 400
SAMPLE_LIMIT_S = 10.0

Box = tuple[NDArray[np.float64], NDArray[np.float64]]


def sniff(path: Path, head: bytes) -> bool:
    """STEP with an IFC schema (or none within the head), an archive with an IFC file, or ifcXML and IFC5."""
    from bim.schema import is_ifc

    return is_ifc(path, head)


def inspect(path: Path) -> FileInfo:
    """Schema, place, box and number of entities of every class.

    Runs the geometry library, so it belongs in a child process like `read`.
    """
    from bim.floor_areas import stated_floor_area
    from bim.georeference import read_georeference
    from bim.read import summary
    from bim.schema import opened

    model = opened(path)
    box, way, products = _box(model)
    found = read_georeference(model.file, model.metres_per_unit, centre=None if box is None else (box[0] + box[1]) / 2)
    crs, bounds, doubts = _on_map(found, box)
    details = {
        **found.details(),
        "bounds_from": way,
        "bounds_products": products,
        **stated_floor_area(model.file, model.metres_per_unit),
        "findings": [issue.code for issue in found.issues],
    }
    return FileInfo(
        format="ifc",
        title=TITLE,
        version=model.schema,
        crs=crs,
        vertical=found.vertical,
        bounds=bounds,
        counts=summary(model),
        issues=(*model.issues, *found.issues, *doubts),
        details=details,
        place_is_weak=not found.is_on_map,
    )


def _box(model: Model) -> tuple[Box | None, str, int]:
    """Box of the model [model m], from what it was worked out, and from how many products."""
    from bim.notebook import Notebook
    from bim.tessellation import sampled, tessellate

    selection, book = model.selection.without_spaces(), Notebook.of_process()
    if len(selection.wanted) <= ALL_PRODUCTS:
        shapes = tessellate(model.file, selection, Feedback(), notebook=book)
        way = "all products"
    else:
        part = sampled(selection, SAMPLED_PRODUCTS)
        shapes = tessellate(model.file, part, Feedback(), limit_s=SAMPLE_LIMIT_S, notebook=book)
        way = "a part of the products"
    box = shapes.bounds()
    if box is not None:
        return box, way, len(shapes.product)
    box = _placement_box(model)
    return box, "places of the products" if box is not None else "nothing", 0


def _placement_box(model: Model) -> Box | None:
    """Box around the origins of the products that have a shape [model m]; the shapes reach beyond it."""
    from bim.attributes import related
    from bim.georeference_entities import placement_matrix

    known: dict[int, NDArray[np.float64] | None] = {}
    places = [
        placement_matrix(related(product, "ObjectPlacement"), known)
        for product in model.file.by_type("IfcProduct")
        if related(product, "Representation") is not None
    ]
    origins = np.array([matrix[:3, 3] for matrix in places if matrix is not None]) * model.metres_per_unit
    return None if len(origins) == 0 else (origins.min(axis=0), origins.max(axis=0))


def _on_map(
    found: Georeference, box: Box | None
) -> tuple[str | None, tuple[float, float, float, float, float, float] | None, tuple[Issue, ...]]:
    """CRS, box in it, and doubts about it."""
    corners = _corners(box)
    if found.is_on_map:
        return found.crs, None if box is None else _extent(found.to_map(corners)), ()
    site = found.site
    if found.level != 20 or site is None:
        return None, None if box is None else _extent(corners), (_no_place(),)
    from bim.placement import place
    from geo.crs import make_frame, project_crs_for, to_lonlat, transform

    system = project_crs_for("EPSG:4326", site.longitude, site.latitude)
    east, north = transform(site.longitude, site.latitude, "EPSG:4326", system)
    frame = make_frame(system, float(east), float(north))
    placed = place(found, frame, IfcOptions(placement="file"))
    on_map = placed.to_map(corners)
    on_map[:, 0], on_map[:, 1] = to_lonlat(on_map[:, 0], on_map[:, 1], system)
    doubts = placed.issues[len(found.issues) :]
    return "EPSG:4326", _extent(on_map), tuple(issue for issue in doubts if issue.code != NOTE)


def _no_place() -> Issue:
    return Issue(
        "ifc.no_place",
        "The file does not say where on Earth it stands; it must be placed by hand. The box is in the model's own "
        "coordinates.",
        severity="doubt",
    )


def _corners(box: Box | None) -> NDArray[np.float64]:
    if box is None:
        return np.zeros((1, 3))
    pick = (np.arange(8)[:, None] >> np.arange(3)) & 1
    return np.where(pick == 1, box[1], box[0])


def _extent(points: NDArray[np.float64]) -> tuple[float, float, float, float, float, float]:
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(low[1]), float(low[2]), float(high[0]), float(high[1]), float(high[2])


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """Elements, rooms, lines and repeated parts as layers in local metres."""
    from bim.read import read_layers

    return read_layers(path, frame, options, feedback)


FORMAT = Format(
    id="ifc",
    title=TITLE,
    patterns=("*.ifc", "*.ifczip", "*.ifcxml", "*.ifcx"),
    sniff=sniff,
    inspect=inspect,
    read=read,
    options=IfcOptions,
    isolate=True,
    version=6,
)
