"""Which faces an opened building is shown without, and which of them are glass. Pure arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.theme import Theme
from app.view.sky import shown_elements
from geo.model import Instances, Layer, Mesh

VOIDS = frozenset({"IfcOpeningElement", "IfcSpace", "IfcVirtualElement"})
COVERINGS = frozenset({"IfcCovering"})
INDOOR_KEEP = 0.5  # share of its own colour a wall keeps in a room: the light of a room is even
CLASS_ROLES = (  # start of an IFC class -> role in the palette; others keep the model's colours
    ("IfcWall", "indoor_wall"),
    ("IfcColumn", "indoor_wall"),
    ("IfcWindow", "indoor_wall"),
    ("IfcSlab", "indoor_floor"),
    ("IfcDoor", "door"),
    ("IfcSite", "ground"),
    ("IfcGeographic", "ground"),
)
CLEAR_FIELD = "transparency"  # per face, 0 opaque .. 1 clear
CLEAR = 0.2  # from which a face is glass


def classes_of(layer: Layer) -> NDArray[np.str_] | None:
    """IFC class of each element, or None where the layer has no such column."""
    column = layer.table.columns.get("class")
    return None if column is None else np.array([str(value) for value in column.values])


def opened_away(layer: Layer, *, coverings: bool) -> NDArray[np.bool_]:
    """(elements,) what an opened building is shown without: voids, and ceilings and `coverings` if so."""
    classes = classes_of(layer)
    away = np.zeros(len(shown_elements(layer)), dtype=np.bool_)
    if classes is not None and layer.theme != "space":
        away[: len(classes)] = np.isin(classes, list(VOIDS | COVERINGS if coverings else VOIDS))
    return away


def glass_faces(layer: Layer, *, coverings: bool) -> NDArray[np.bool_]:
    """(faces,) panes of shown elements, of a mesh; none of repeated shapes."""
    field = layer.field_named(CLEAR_FIELD)
    if not isinstance(layer.geometry, Mesh):
        return np.zeros(0, dtype=np.bool_)
    if field is None or field.on != "face":
        return np.zeros(len(layer.geometry.faces), dtype=np.bool_)
    shown = shown_elements(layer) & ~opened_away(layer, coverings=coverings)
    return np.asarray((field.values.astype(np.float64) >= CLEAR) & shown[layer.geometry.face_element])


def faces_away(layer: Layer, element: NDArray[np.int32], *, coverings: bool) -> NDArray[np.bool_]:
    """(faces,) what the opaque actor of an opened building leaves out, by the element (faces,) of each face."""
    away = opened_away(layer, coverings=coverings)[element]
    return away if isinstance(layer.geometry, Instances) else away | glass_faces(layer, coverings=coverings)


def indoor_colours(
    layer: Layer, colours: NDArray[np.uint8], element: NDArray[np.int32], *, theme: Theme
) -> NDArray[np.uint8]:
    """(faces, 3) colours of an opened building: walls and floors of the palette, so that rooms read as rooms."""
    classes = classes_of(layer)
    if classes is None:
        return colours
    calm = colours.copy()
    for start, role in CLASS_ROLES:
        mine = np.char.startswith(classes, start)
        if mine.any():
            rows = np.zeros(int(max(element.max(initial=0) + 1, len(classes))), dtype=np.bool_)
            rows[: len(classes)] = mine
            calm[rows[element]] = theme.rgb(role)
    return calm
