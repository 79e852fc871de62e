"""A copy of an IFC file that says where it stands. The original is never written to."""

from __future__ import annotations

import errno
import math
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bim.schema import open_model
from geo.model import Frame, UserError
from geo.pose import Pose

if TYPE_CHECKING:
    import ifcopenshell

LAST_LINE, LAST_BYTES = b"END-ISO-10303-21", 200


def write_georeferenced(source: Path, target: Path, *, pose: Pose, frame: Frame) -> None:
    """Write a copy with an IfcMapConversion (the property sets that stand for it in IFC2x3).

    Parameters
    ----------
    pose : Pose
        Of the model in the project.
    frame : Frame
        Names the coordinate system.
    """
    if target.exists() and source.exists() and os.path.samefile(source, target):
        raise UserError(
            "The copy cannot replace the original.",
            f"{target.name} is the file the model was read from, and source files are never changed.",
            "Choose another name.",
            code="ifc.copy_on_itself",
            values={"name": target.name},
        )
    model = open_model(source)
    _set_place(model.file, pose, frame, model.metres_per_unit)
    _write(model.file, target)


def _set_place(file: ifcopenshell.file, pose: Pose, frame: Frame, metres_per_unit: float) -> None:
    import ifcopenshell.api.georeference as georeference

    if _has_place(file):
        georeference.remove_georeferencing(file)
    georeference.add_georeferencing(file)
    turn = math.radians(-pose.rotation_deg)
    georeference.edit_georeferencing(
        file,
        coordinate_operation={
            "Eastings": pose.east,
            "Northings": pose.north,
            "OrthogonalHeight": pose.height,
            "XAxisAbscissa": math.cos(turn),
            "XAxisOrdinate": math.sin(turn),
            "Scale": metres_per_unit,
        },
        projected_crs={"Name": frame.crs, **({"VerticalDatum": frame.vertical} if frame.vertical else {})},
    )


def _has_place(file: ifcopenshell.file) -> bool:
    if file.schema == "IFC2X3":
        import ifcopenshell.util.element

        sets = [ifcopenshell.util.element.get_psets(p) for p in file.by_type("IfcProject")]
        return any("ePSet_MapConversion" in found for found in sets)
    return bool(file.by_type("IfcCoordinateOperation"))


def _write(file: ifcopenshell.file, target: Path) -> None:
    """All or nothing: beside the target first, then renamed."""
    folder = None
    try:
        if target.exists() and not target.is_file():
            raise IsADirectoryError(errno.EISDIR, "it is no file")
        folder = Path(tempfile.mkdtemp(prefix=".twin-", dir=target.parent))
        copy = folder / "model.ifc"
        file.write(str(copy))
        if not _is_whole(copy):
            raise OSError(errno.ENOSPC, "the copy is not whole; the disk may be full")
        os.replace(copy, target)
    except (OSError, RuntimeError) as error:  # the library says most troubles of the disk as RuntimeError
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(
            f"{target.name} could not be written.",
            f"The system says: {reason}.",
            "Choose another folder.",
            code="ifc.copy_not_written",
            values={"name": target.name, "reason": reason},
        ) from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _is_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - LAST_BYTES, 0))
        return LAST_LINE in file.read()
