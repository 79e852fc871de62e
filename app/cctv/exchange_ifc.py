"""Headless. Cameras as IFC: IfcAudioVisualAppliance of the predefined type CAMERA, placed, with their properties."""

from __future__ import annotations

import math
import os
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.catalogue import CameraModel, catalogue
from analysis.cctv.optics import axes, view_at
from geo.formats.camera_columns import not_said, turned_presets
from geo.model import Feedback, Frame, Issue, Layer, UserError
from geo.model.conventions import (
    CAMERA_MODEL,
    CAMERA_NAME,
    CAMERA_STATE,
    FOCAL,
    MOUNT,
    PAN,
    PRESETS,
    ROLL,
    TILT,
)

if TYPE_CHECKING:
    import ifcopenshell

    Entity = ifcopenshell.entity_instance

Floats = NDArray[np.float64]
Row = dict[str, Any]

CLASS = "IfcAudioVisualAppliance"
OWN_PROPERTIES, STANDARD_PROPERTIES = "SejongTwin_Camera", "Pset_AudioVisualApplianceTypeCamera"
NAMESPACE = uuid.UUID("5a3c1b52-5151-5186-8a11-51c0ffee5187")
BODY = (0.24, 0.10, 0.10)  # [m] length, width, height of the box drawn for a camera
# Properties: name in the file, column, measure. Angles are degrees in plain numbers: IFC's own angle unit may be any.
REALS = (("Pan", PAN), ("Tilt", TILT), ("Roll", ROLL), ("FocalLength", FOCAL))
LABELS = (
    ("CatalogueId", CAMERA_MODEL),
    ("Mount", MOUNT),
    ("State", CAMERA_STATE),
    ("Presets", PRESETS),
)
SAME_ANGLE = 0.01  # [deg] by which the placement may differ from the properties


# --- writing


def write_ifc(path: Path, rows: Sequence[Row], frame: Frame) -> None:
    """An IFC4 file of the cameras, in the project's coordinate system."""
    file = _file(rows, frame)
    try:
        handle, name = tempfile.mkstemp(suffix=".ifc", prefix=f".{path.stem}-", dir=path.parent)
        os.close(handle)
        try:
            file.write(name)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written.",
            f"The system says: {error.strerror or error}.",
            "Choose another folder, or make room on the disk.",
            code="file.not_written",
            values={"path": str(path), "reason": error.strerror or str(error)},
        ) from error


def _file(rows: Sequence[Row], frame: Frame) -> ifcopenshell.file:
    import ifcopenshell
    import ifcopenshell.api.context
    import ifcopenshell.api.unit

    file = ifcopenshell.file(schema="IFC4")
    project = file.create_entity("IfcProject", _guid("project", frame.crs), Name="Cameras")
    length = ifcopenshell.api.unit.add_si_unit(file, unit_type="LENGTHUNIT")
    angle = file.create_entity("IfcSIUnit", UnitType="PLANEANGLEUNIT", Name="RADIAN")
    project.UnitsInContext = file.create_entity("IfcUnitAssignment", [length, angle])
    model = ifcopenshell.api.context.add_context(file, context_type="Model")
    body = ifcopenshell.api.context.add_context(
        file, context_type="Model", context_identifier="Body", target_view="MODEL_VIEW", parent=model
    )
    _georeference(file, frame)
    site = file.create_entity(
        "IfcSite", _guid("site", frame.crs), Name="Site", ObjectPlacement=_placement(file, (0.0, 0.0, 0.0))
    )
    file.create_entity("IfcRelAggregates", _guid("aggregates", ""), RelatingObject=project, RelatedObjects=[site])
    box = _box(file, body)
    made = [_camera(file, row, site.ObjectPlacement, box) for row in rows]
    file.create_entity(
        "IfcRelContainedInSpatialStructure", _guid("contains", ""), RelatedElements=made, RelatingStructure=site
    )
    _types(file, rows, made)
    return file


def _georeference(file: ifcopenshell.file, frame: Frame) -> None:
    import ifcopenshell.api.georeference

    ifcopenshell.api.georeference.add_georeferencing(file)
    east, north, height = frame.origin
    crs = {"Name": frame.crs} | ({"VerticalDatum": frame.vertical} if frame.vertical else {})
    operation = {
        "Eastings": east, "Northings": north, "OrthogonalHeight": height, "XAxisAbscissa": 1.0, "XAxisOrdinate": 0.0,
        "Scale": 1.0,
    }  # fmt: skip
    ifcopenshell.api.georeference.edit_georeferencing(file, coordinate_operation=operation, projected_crs=crs)


def _guid(*parts: str) -> str:
    """An id that is the same for the same camera in every export."""
    import ifcopenshell.guid

    return str(ifcopenshell.guid.compress(uuid.uuid5(NAMESPACE, "/".join(parts)).hex))


def _placement(
    file: ifcopenshell.file,
    origin: Sequence[float],
    *,
    to: Entity | None = None,
    turned: tuple[Floats, Floats] | None = None,
) -> Entity:
    """A local placement; `turned`: directions of its z and its x axis."""
    axis = direction = None
    if turned is not None:
        axis, direction = (file.create_entity("IfcDirection", [float(v) for v in way]) for way in turned)
    point = file.create_entity("IfcCartesianPoint", [float(value) for value in origin])
    axes_ = file.create_entity("IfcAxis2Placement3D", point, axis, direction)
    return file.create_entity("IfcLocalPlacement", to, axes_)


def _box(file: ifcopenshell.file, body: Entity) -> Entity:
    """The shape that all cameras share: a box behind the lens, along the x axis of the placement."""
    length, width, height = BODY
    profile = file.create_entity("IfcRectangleProfileDef", "AREA", None, None, width, height)
    back = file.create_entity("IfcCartesianPoint", (-length, 0.0, 0.0))
    along, side = (file.create_entity("IfcDirection", way) for way in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)))
    place = file.create_entity("IfcAxis2Placement3D", back, along, side)
    up = file.create_entity("IfcDirection", (0.0, 0.0, 1.0))
    solid = file.create_entity("IfcExtrudedAreaSolid", profile, place, up, length)
    return file.create_entity("IfcShapeRepresentation", body, "Body", "SweptSolid", [solid])


def _turned(row: Mapping[str, Any]) -> tuple[Floats, Floats] | None:
    """Up and forward of the picture; None where it is not known where the camera looks."""
    if row[PAN] is None or row[TILT] is None:
        return None
    forward, _, up = axes(view_at((0.0, 0.0, 0.0), row[PAN], row[TILT], row[ROLL] or 0.0, focal_px=1.0, pixels=(1, 1)))
    return up, forward


def _camera(file: ifcopenshell.file, row: Row, site: Entity, box: Entity) -> Entity:
    made = file.create_entity(
        CLASS,
        _guid("camera", row["id"]),
        Name=row[CAMERA_NAME] or row["id"],
        Tag=row["id"],
        ObjectPlacement=_placement(file, row["place"], to=site, turned=_turned(row)),
        Representation=file.create_entity("IfcProductDefinitionShape", None, None, [box]),
        PredefinedType="CAMERA",
    )
    values = [_property(file, name, "IfcReal", row[key]) for name, key in REALS if row[key] is not None]
    values += [_property(file, name, "IfcText", row[key]) for name, key in LABELS if row[key] is not None]
    values.append(_property(file, "Conventions", "IfcText", CONVENTIONS))
    _properties(file, made, OWN_PROPERTIES, values, row["id"])
    return made


CONVENTIONS = (
    "Pan clockwise from grid north, tilt downward from level, roll clockwise as the camera looks [degrees]; focal "
    "length [mm]; presets: pan,tilt,focal;... The placement's x axis looks ahead, its z axis up in the picture."
)


def _property(file: ifcopenshell.file, name: str, measure: str, value: object) -> Entity:
    return file.create_entity("IfcPropertySingleValue", name, None, file.create_entity(measure, value), None)


def _properties(file: ifcopenshell.file, thing: Entity, name: str, values: list[Entity], key: str) -> None:
    held = file.create_entity("IfcPropertySet", _guid("set", name, key), Name=name, HasProperties=values)
    file.create_entity(
        "IfcRelDefinesByProperties", _guid("defines", name, key), RelatedObjects=[thing],
        RelatingPropertyDefinition=held,
    )  # fmt: skip


def _types(file: ifcopenshell.file, rows: Sequence[Row], made: Sequence[Entity]) -> None:
    """One type for each model of the catalogue, with the standard property set of cameras."""
    by_model: dict[str, list[Entity]] = {}
    for row, camera in zip(rows, made, strict=True):
        if row[CAMERA_MODEL]:
            by_model.setdefault(row[CAMERA_MODEL], []).append(camera)
    for model_id, cameras in by_model.items():
        model = catalogue().get(model_id)
        held = [_standard(file, model)] if model is not None else None
        kind = file.create_entity(
            "IfcAudioVisualApplianceType", _guid("type", model_id), Name=model.name if model else model_id,
            HasPropertySets=held, Tag=model_id, PredefinedType="CAMERA",
        )  # fmt: skip
        file.create_entity("IfcRelDefinesByType", _guid("typed", model_id), RelatedObjects=cameras, RelatingType=kind)


def _standard(file: ifcopenshell.file, model: CameraModel) -> Entity:
    """Pset_AudioVisualApplianceTypeCamera: what of it the catalogue knows."""
    kind = file.create_entity("IfcLabel", "VIDEO")
    values = [
        file.create_entity("IfcPropertyEnumeratedValue", "CameraType", None, [kind], None),
        _property(file, "VideoResolutionWidth", "IfcInteger", model.pixels_wide),
        _property(file, "VideoResolutionHeight", "IfcInteger", model.pixels_high),
    ]
    key = _guid("standard", model.id)
    return file.create_entity("IfcPropertySet", key, Name=STANDARD_PROPERTIES, HasProperties=values)


# --- reading


def read_ifc(path: Path, frame: Frame, *, crs: str | None, feedback: Feedback) -> Layer:
    """The cameras of an IFC file as a layer."""
    from app.cctv.exchange import _no_cameras, layer_of_rows
    from bim.georeference import read_georeference

    feedback.step(0.0, f"reading {path.name}")
    file, unit = _opened(path)
    found = [thing for thing in _appliances(file) if thing.ObjectPlacement is not None]
    if not found:
        raise _no_cameras(path)
    feedback.step(0.4, "placing cameras")
    matrices = [_matrix(thing, unit) for thing in found]
    places = np.array([matrix[:3, 3] for matrix in matrices])
    placed = read_georeference(file, unit, centre=places.mean(axis=0), crs=crs)
    if not placed.is_on_map:
        raise UserError(
            f"{path.name} does not say where it stands.",
            "It has no map conversion, so its cameras cannot be placed.",
            "Georeference it first (twin georeference), or name its system with --crs.",
            code="cameras.ifc_no_place",
            values={"name": path.name},
        )
    local = placed.to_frame(places, frame)
    issues = list(placed.issues)
    turn = _turn_between(placed, frame, places)
    told = zip(found, matrices, local.tolist(), strict=True)
    rows = [_row(thing, matrix, place, turn, issues) for thing, matrix, place in told]
    layer = layer_of_rows(_with_free_ids(rows), layer_id="cameras", name=path.stem, issues=issues)
    feedback.step(1.0, "read")
    return layer.with_(issues=(*issues, *not_said(layer.table.columns, len(rows))))


def _opened(path: Path) -> tuple[ifcopenshell.file, float]:
    import ifcopenshell
    import ifcopenshell.util.unit

    try:
        file = ifcopenshell.open(str(path))
        return file, float(ifcopenshell.util.unit.calculate_unit_scale(file))
    except (OSError, RuntimeError, ifcopenshell.Error) as error:
        raise UserError(
            f"{path.name} cannot be read as IFC.",
            f"{str(error).strip()[:160] or 'The file is damaged'}.",
            "Check that it is the right file, and that it is complete.",
            code="cameras.ifc_unreadable",
            values={"name": path.name, "reason": str(error).strip()[:160]},
        ) from error


def _appliances(file: ifcopenshell.file) -> list[Entity]:
    """Cameras by their predefined type or that of their type, in the order of the file."""
    import ifcopenshell.util.element

    if file.schema == "IFC2X3":
        return []
    return [t for t in file.by_type(CLASS) if ifcopenshell.util.element.get_predefined_type(t) == "CAMERA"]


def _matrix(thing: Entity, unit: float) -> Floats:
    """(4, 4) placement of a product, metres."""
    import ifcopenshell.util.placement

    matrix = np.array(ifcopenshell.util.placement.get_local_placement(thing.ObjectPlacement), dtype=np.float64)
    matrix[:3, 3] *= unit
    return matrix


def _turn_between(placed: Any, frame: Frame, places: Floats) -> float:
    """Clockwise angle [deg] from the model's y axis to grid north of the frame, where the cameras are."""
    middle = places.mean(axis=0)
    north = placed.to_frame(np.array([middle, middle + [0.0, 1.0, 0.0]]), frame)
    away = north[1] - north[0]
    return math.degrees(math.atan2(away[0], away[1]))


def _row(thing: Entity, matrix: Floats, place: Sequence[float], turn: float, issues: list[Issue]) -> Row:
    """What a file says of one camera. Angles come from the program's own properties; without them none is known."""
    import ifcopenshell.util.element

    told = ifcopenshell.util.element.get_pset(thing, OWN_PROPERTIES) or {}
    row: Row = {"id": str(thing.Tag or thing.GlobalId), "place": list(place), CAMERA_NAME: thing.Name or None}
    row |= {key: _real(told.get(name)) for name, key in REALS}
    row |= {key: (str(told[name]) if told.get(name) else None) for name, key in LABELS}
    if row[CAMERA_MODEL] is None:
        kind = ifcopenshell.util.element.get_type(thing)
        tag = str(kind.Tag) if kind is not None and kind.Tag else ""
        row[CAMERA_MODEL] = tag if tag in catalogue() else None
    if row[PAN] is not None:
        if abs(turn) > SAME_ANGLE:
            row[PAN] = (row[PAN] + turn) % 360.0
            row[PRESETS] = turned_presets(row[PRESETS], turn) if row[PRESETS] else None
        _compare(row, matrix, turn, issues)
    return row


def _compare(row: Row, matrix: Floats, turn: float, issues: list[Issue]) -> None:
    """Say where the placement looks elsewhere than the properties: someone turned the camera in another program."""
    if row[TILT] is None:
        return
    forward = matrix[:3, 0]
    pan = (math.degrees(math.atan2(forward[0], forward[1])) + turn) % 360.0
    tilt = math.degrees(math.asin(min(max(-float(forward[2]), -1.0), 1.0)))
    level = abs(math.cos(math.radians(row[TILT])))
    off = max(abs((pan - row[PAN] + 180.0) % 360.0 - 180.0) * level, abs(tilt - row[TILT]))
    if off > SAME_ANGLE:
        text = f"Camera {row['id']} is placed {off:.1f} degrees away from what its properties say; these were taken."
        values = {"camera": row["id"], "angle": round(off, 1)}
        issues.append(Issue("cameras.placement_differs", text, "doubt", 1, (row["id"],), values))


def _real(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _with_free_ids(rows: list[Row]) -> list[Row]:
    """Rows with ids that differ; two of one name get a number."""
    seen: dict[str, int] = {}
    out = []
    for row in rows:
        seen[row["id"]] = seen.get(row["id"], 0) + 1
        count = seen[row["id"]]
        out.append(row if count == 1 else {**row, "id": f"{row['id']}-{count}"})
    return out
