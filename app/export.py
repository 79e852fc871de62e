"""Headless. Result layers into files that other programs open: GeoTIFF, meshes, tables, and the run's record."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis.charts import chart_from_dict
from app.chart_svg import chart_svg
from app.colour import field_colours
from app.theme import theme_named
from app.view.legend import shown_field
from geo.model import ElementTable, Feedback, Field, Frame, Grid, Layer, Lines, Mesh, Points
from geo.store import write_atomically

RESULT_FILE = "result.json"


def export_run(
    layers: Sequence[Layer], record: Mapping[str, Any], frame: Frame, folder: Path, *, project: Path | None
) -> list[Path]:
    """Write everything a run made into a folder.

    Returns
    -------
    list of Path
        ``result.json`` last; it names the others and is enough for ``twin rerun``.
    """
    written: list[Path] = []
    for layer in layers:
        written += export_layer(layer, frame, folder)
    written += _export_charts(record, folder)
    text = {
        **record,
        "project": _relative(project, folder) if project else None,
        "outputs": [path.name for path in written],
    }
    target = folder / RESULT_FILE
    write_text(target, json.dumps(text, ensure_ascii=False, indent=1))
    return [*written, target]


def _export_charts(record: Mapping[str, Any], folder: Path) -> list[Path]:
    """Each chart as an SVG drawing."""
    analysis_id = str(record["provenance"]["analysis"]) if record else ""
    charts = [chart_from_dict(item) for item in record.get("charts", ())]
    return [
        write_text(folder / f"{chart.id}.svg", chart_svg(chart, analysis_id=analysis_id, theme=theme_named("light")))
        for chart in charts
    ]


def export_layer(layer: Layer, frame: Frame, folder: Path) -> list[Path]:
    """One layer in the form that suits its geometry."""
    name = layer.source.part or layer.id
    if isinstance(layer.geometry, Grid):
        return _export_grid(layer, layer.geometry, frame, folder, name)
    if isinstance(layer.geometry, Mesh):
        return _export_mesh(layer, layer.geometry, frame, folder, name)
    if isinstance(layer.geometry, Lines | Points):
        return _export_vector(layer, frame, folder, name)
    if layer.geometry is None:
        return [write_text(folder / f"{name}.csv", table_csv(layer.table))]
    return []


def _export_vector(layer: Layer, frame: Frame, folder: Path, name: str) -> list[Path]:
    """A GeoPackage in map coordinates, and the table."""
    from geo.formats.vector_write import write

    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.gpkg"
    write(target, [layer], frame, Feedback())
    return [target, write_text(folder / f"{name}.csv", table_csv(layer.table))]


def _export_grid(layer: Layer, grid: Grid, frame: Frame, folder: Path, name: str) -> list[Path]:
    """A GeoTIFF per field, the first under the layer's own name."""
    from geo.formats.geotiff import write_grid

    fields = [f for f in layer.fields if f.on == "cell"] or [Field(name, "1", "cell", grid.values)]
    written = []
    for number, field in enumerate(fields):
        target = folder / (f"{name}.tif" if number == 0 else f"{name}-{field.name}.tif")
        values = Grid(np.asarray(field.values, dtype=np.float64), grid.x0, grid.y0, grid.cell)
        folder.mkdir(parents=True, exist_ok=True)
        write_grid(target, values, frame, description=field.name, unit=field.unit)
        written.append(target)
    return written


def _export_mesh(layer: Layer, mesh: Mesh, frame: Frame, folder: Path, name: str) -> list[Path]:
    """A coloured GLB to look at and a PLY with the values of each face, both with map coordinates in their record."""
    import trimesh

    field = shown_field(layer) or next((f for f in layer.fields if f.on == "face"), None)
    # glTF's y axis points up; its numbers are single precision, so they stay local and the origin is noted.
    y_up = np.stack([mesh.vertices[:, 0], mesh.vertices[:, 2], -mesh.vertices[:, 1]], axis=1)
    picture = trimesh.Trimesh(y_up, mesh.faces, process=False)
    values = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    for item in layer.fields:
        if item.on == "face":
            values.face_attributes[item.name] = np.asarray(item.values, dtype=np.float32)
    values.face_attributes["element"] = np.asarray(mesh.face_element, dtype=np.int32)
    if field is not None and field.on == "face":
        colours, _ = field_colours(field, theme_named("light"))
        picture.visual.face_colors = np.hstack([colours, np.full((len(colours), 1), 255, np.uint8)])
    place = {"crs": frame.crs, "origin": list(frame.origin), "axes": "local east, up, south [m] from origin"}
    scene = trimesh.Scene(picture, metadata=place)
    written = []
    for suffix, body in ((".glb", scene.export(file_type="glb")), (".ply", values.export(file_type="ply"))):
        target = folder / f"{name}{suffix}"
        content = body if isinstance(body, bytes) else str(body).encode()
        write_atomically(target, lambda file, content=content: file.write(content))
        written.append(target)
    written.append(write_text(folder / f"{name}-elements.csv", table_csv(layer.table)))
    return written


def table_csv(table: ElementTable) -> str:
    """A table as CSV with units in the heading."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [f"{name} [{column.unit}]" if column.unit else name for name, column in table.columns.items()]
    writer.writerow(["id", *names])
    columns = [column.values.tolist() for column in table.columns.values()]
    for row in zip(table.ids.tolist(), *columns, strict=True):
        writer.writerow(["" if value is None else value for value in row])
    return out.getvalue()


def write_text(path: Path, text: str) -> Path:
    """Write a text file, all or nothing."""
    content = text.encode("utf-8")
    write_atomically(path, lambda file: file.write(content))
    return path


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
    except ValueError:
        return str(path.absolute())
