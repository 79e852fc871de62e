"""Headless. Cameras into files and back: GeoJSON, CSV and IFC.

What is written is read back as the same cameras: angles, catalogue ids and presets as they were, places to a tenth of
a millimetre. Pan is written twice, from grid north of the project (``pan``) and from true north (``pan_true``): a
project with another grid takes the second.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo import crs as coordinates
from geo.formats.camera_columns import PAN_TRUE
from geo.model import Column, Feedback, Frame, Issue, Layer, Points, UserError
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
from geo.store import write_atomically

Floats = NDArray[np.float64]
Row = dict[str, Any]

SUFFIXES = (".geojson", ".json", ".csv", ".ifc")
WGS84 = "EPSG:4326"
NUMBERS, TEXTS = (PAN, TILT, ROLL, FOCAL), (CAMERA_NAME, CAMERA_MODEL, MOUNT, CAMERA_STATE, PRESETS)
UNGUARDED = ";"  # behind presets in a table: "90,5,12" alone would be read as a number


def write_cameras(
    path: Path,
    layers: Sequence[Layer],
    frame: Frame | None,
    *,
    crs: str | None = None,
    feedback: Feedback | None = None,
) -> Path:
    """Write the cameras of layers.

    Parameters
    ----------
    path : Path
        ``.geojson``, ``.csv`` or ``.ifc``.
    crs : str or None
        Of GeoJSON and CSV; longitude and latitude (WGS 84) when None. IFC has that of the project.
    """
    feedback = feedback or Feedback()
    form = _form(path)
    rows = [row for layer in layers for row in camera_rows(layer, frame)] if frame is not None else []
    if frame is None or not rows:
        raise _nothing(path)
    feedback.step(0.1, f"writing {path.name}")
    if form == ".ifc":
        from app.cctv.exchange_ifc import write_ifc

        write_ifc(path, rows, frame)
    else:
        target = coordinates.canonical(crs) if crs else WGS84
        text = (_csv if form == ".csv" else _geojson)(rows, frame, target, path.stem)
        write_atomically(path, lambda file: file.write(text.encode("utf-8")))
    feedback.step(1.0, "written")
    return path


def read_cameras(
    path: Path,
    frame: Frame | None,
    *,
    crs: str | None = None,
    layers: Sequence[Layer] = (),
    feedback: Feedback | None = None,
) -> tuple[Layer, ...]:
    """Layers of cameras from a file, by the readers of the program; IFC gives its cameras alone.

    Parameters
    ----------
    frame : Frame or None
        Of the project; cameras are placed in it.
    crs : str or None
        Over what the file says.
    layers : sequence of Layer
        Of the project: cameras without a height stand above its terrain.
    """
    feedback = feedback or Feedback()
    if frame is None:
        raise _no_frame(path)
    if _form(path) == ".ifc":
        from app.cctv.exchange_ifc import read_ifc

        return (read_ifc(path, frame, crs=crs, feedback=feedback),)
    from app.importer import ImportOptions, import_files

    options = ImportOptions(kind="camera", crs=crs)
    imported = import_files([path], frame=frame, layers=layers, options=options, feedback=feedback)
    found = tuple(layer for layer in imported.layers if layer.theme == "camera" and layer.kind == "points")
    if not found:
        raise _no_cameras(path)
    return found


# --- rows


def camera_rows(layer: Layer, frame: Frame | None) -> list[Row]:
    """One mapping per camera: id, local place and what its columns say; what is not said is None."""
    points = layer.geometry
    if not isinstance(points, Points) or frame is None:
        return []
    values = {name: column.values.tolist() for name, column in layer.table.columns.items()}
    rows = []
    for vertex, element in zip(points.vertices.tolist(), points.element.tolist(), strict=True):
        row: Row = {"id": str(layer.table.ids[element]), "place": vertex}
        row |= {name: _number(values[name][element]) if name in values else None for name in NUMBERS}
        row |= {name: _text(values[name][element]) if name in values else None for name in TEXTS}
        pan = row[PAN]
        row[PAN_TRUE] = None if pan is None else (pan + frame.convergence_deg) % 360.0
        rows.append(row)
    return rows


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _text(value: object) -> str | None:
    text = "" if value is None else str(value).strip()
    return text or None


def layer_of_rows(rows: Sequence[Row], *, layer_id: str, name: str, issues: Sequence[Issue] = ()) -> Layer:
    """Rows as a layer of cameras; numbers that are not known are not-a-number, texts None."""
    from geo.model import ElementTable

    columns: dict[str, Column] = {}
    units = {PAN: "deg", TILT: "deg", ROLL: "deg", FOCAL: "mm"}
    for key in NUMBERS:
        values = [math.nan if row.get(key) is None else row[key] for row in rows]
        columns[key] = Column(np.array(values, dtype=np.float64), units[key])
    for key in TEXTS:
        told = [row.get(key) for row in rows]
        if key != PRESETS or any(told):
            columns[key] = Column(np.array([*told, None], dtype=object)[:-1])
    points = np.array([row["place"] for row in rows], dtype=np.float64).reshape(-1, 3)
    table = ElementTable([row["id"] for row in rows], columns)
    shape = Points(points, np.arange(len(rows), dtype=np.int32))
    return Layer(layer_id, name, "camera", shape, table, issues=tuple(issues))


# --- GeoJSON and CSV


def _places(rows: Sequence[Row], frame: Frame, crs: str) -> Floats:
    """(n, 3) easting or longitude, northing or latitude, height."""
    on_map = frame.to_map(np.array([row["place"] for row in rows], dtype=np.float64).reshape(-1, 3))
    if crs != frame.crs:
        on_map[:, 0], on_map[:, 1] = coordinates.transform(on_map[:, 0], on_map[:, 1], frame.crs, crs)
    return on_map


def _geojson(rows: Sequence[Row], frame: Frame, crs: str, name: str) -> str:
    """RFC 7946; in another system than WGS 84 with the ``crs`` member of the older standard."""
    features = [
        {
            "type": "Feature",
            "id": row["id"],
            "geometry": {"type": "Point", "coordinates": place},
            "properties": {"id": row["id"], **_properties(row)},
        }
        for row, place in zip(rows, _places(rows, frame, crs).tolist(), strict=True)
    ]
    head: dict[str, Any] = {"type": "FeatureCollection", "name": name}
    if crs != WGS84:
        authority, _, code = crs.partition(":")
        head["crs"] = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{authority}::{code}"}}
    return json.dumps({**head, "features": features}, ensure_ascii=False, indent=1)


def _properties(row: Mapping[str, Any]) -> Row:
    return {key: row[key] for key in (*TEXTS, PAN, PAN_TRUE, TILT, ROLL, FOCAL) if row[key] is not None}


def _csv(rows: Sequence[Row], frame: Frame, crs: str, name: str) -> str:
    """One line per camera; numbers in full."""
    sides = ("longitude", "latitude") if crs == WGS84 else ("easting", "northing")
    angles = (PAN, PAN_TRUE, TILT, ROLL, FOCAL)
    heads = ("id", CAMERA_NAME, CAMERA_MODEL, *sides, "z", *angles, MOUNT, CAMERA_STATE, PRESETS)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(heads)
    for row, place in zip(rows, _places(rows, frame, crs).tolist(), strict=True):
        placed = {**row, sides[0]: place[0], sides[1]: place[1], "z": place[2]}
        placed[PRESETS] = f"{row[PRESETS]}{UNGUARDED}" if row[PRESETS] else None
        writer.writerow(["" if placed[head] is None else placed[head] for head in heads])
    return "\ufeff" + out.getvalue()  # the mark lets spreadsheets see that the text is UTF-8


# --- what a user can do wrong


def _form(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"Cameras cannot be exchanged as {suffix or 'a file without an ending'}.",
            "They are written and read as GeoJSON, CSV and IFC.",
            "Let the name end in .geojson, .csv or .ifc.",
            code="cameras.no_such_form",
            values={"suffix": suffix},
        )
    return suffix


def _nothing(path: Path) -> UserError:
    return UserError(
        f"There is no camera to write to {path.name}.",
        "The project has no layer of cameras, or it is empty.",
        "Place cameras or import them first.",
        code="cameras.nothing",
        values={"name": path.name},
    )


def _no_frame(path: Path) -> UserError:
    return UserError(
        f"{path.name} cannot be placed.",
        "The project is empty and has no coordinate system yet.",
        "Import the terrain or the buildings first.",
        code="cameras.no_frame",
        values={"name": path.name},
    )


def _no_cameras(path: Path) -> UserError:
    return UserError(
        f"{path.name} holds no cameras.",
        "None of what it holds is a camera with a place.",
        "Check the file.",
        code="cameras.none_in_file",
        values={"name": path.name},
    )
