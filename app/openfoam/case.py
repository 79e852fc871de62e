"""Headless. A case of OpenFOAM from the wind tunnel's grid, as a folder or as one zip file."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.wind.openfoam_mesh import PATCHES, Mesh, Wind, fingerprint, make_mesh, roughness, wind_on
from analysis.wind.profile import Inflow
from analysis.wind.tunnel import Tunnel
from app.openfoam import dictionaries
from app.openfoam.dictionaries import AIR_VISCOSITY, START, Plan
from app.openfoam.foam_files import Head, chained, field_text, head, labels_text, list_text
from geo.model import Feedback, UserError
from geo.store import write_atomically

Floats = NDArray[np.float64]
Part = tuple[str, Iterable[bytes]]  # path inside the case, pieces of its text

NOTE = "twin.json"
DIMENSIONS = {
    "U": "[0 1 -1 0 0 0 0]", "p": "[0 2 -2 0 0 0 0]", "k": "[0 2 -2 0 0 0 0]", "epsilon": "[0 2 -3 0 0 0 0]",
    "omega": "[0 0 -1 0 0 0 0]", "nut": "[0 2 -1 0 0 0 0]",
}  # fmt: skip
WALLS = {"k": "kqRWallFunction", "epsilon": "epsilonWallFunction", "omega": "omegaWallFunction"}
CLOSED = b"        type zeroGradient;\n"
CALCULATED = b"        type calculated;\n        value uniform 0;\n"
COMPRESSION = 3  # numbers pack well and quickly


class Case(NamedTuple):
    """Everything a case is written from; `note` is what is needed to read the result back."""

    tunnel: Tunnel
    mesh: Mesh
    wind: Wind
    plan: Plan
    note: Mapping[str, Any]


def make_case(tunnel: Tunnel, wind: Inflow, plan: Plan, *, note: Mapping[str, Any] | None = None) -> Case:
    """The case of a wind in a tunnel."""
    mesh = make_mesh(tunnel)
    told = {"cells": len(mesh.cells), "mesh": fingerprint(mesh, tunnel), "plan": plan._asdict(), **(note or {})}
    return Case(tunnel, mesh, wind_on(mesh, tunnel, wind), plan, told)


def case_name(text: str) -> str:
    """A name that is a file's everywhere and a word for every shell."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")[:60] or "wind"


# ---- parts of a case ------------------------------------------------------------------------------------------------


def case_parts(case: Case) -> Iterator[Part]:
    """Every file of the case."""
    plan = case.plan
    yield NOTE, [json.dumps(case.note, indent=1, ensure_ascii=False).encode()]
    yield "README.txt", [_readme(case).encode()]
    yield "Allrun", [START.encode()]
    yield "wind.foam", [b""]  # ParaView opens the case by it
    texts = {
        "system/controlDict": dictionaries.control(plan),
        "system/fvSchemes": dictionaries.schemes(plan),
        "system/fvSolution": dictionaries.solution(plan),
        "system/decomposeParDict": dictionaries.decomposition(plan),
        "constant/turbulenceProperties": dictionaries.turbulence(plan),
        "constant/transportProperties": dictionaries.transport(),
    }
    for path, text in texts.items():
        place, _, name = path.partition("/")
        yield path, [head(Head("dictionary", name, place)), text.encode()]
    yield "constant/roughWall", [f"roughWall {plan.rough_wall};\n".encode()]
    yield from _mesh_parts(case.mesh)
    yield from _field_parts(case)


def _mesh_parts(mesh: Mesh) -> Iterator[Part]:
    place = "constant/polyMesh"
    note = (
        f"nPoints:{len(mesh.points)} nCells:{len(mesh.cells)} nFaces:{len(mesh.faces)} "
        f"nInternalFaces:{len(mesh.neighbour)}"
    )
    lists: tuple[tuple[str, str, Iterator[bytes]], ...] = (
        ("points", "vectorField", list_text(mesh.points, "(%.10g %.10g %.10g)\n")),
        ("faces", "faceList", list_text(mesh.faces, "4(%d %d %d %d)\n")),
        ("owner", "labelList", labels_text(mesh.owner)),
        ("neighbour", "labelList", labels_text(mesh.neighbour)),
    )
    for name, kind, pieces in lists:
        yield f"{place}/{name}", chained(head(Head(kind, name, place, note)), pieces)
    yield f"{place}/boundary", [head(Head("polyBoundaryMesh", "boundary", place)), _boundary(mesh).encode()]


def _boundary(mesh: Mesh) -> str:
    rows = []
    for patch in mesh.patches:
        kind = "wall" if patch.name in ("ground", "buildings") else "patch"
        rows.append(
            f"    {patch.name}\n    {{\n        type            {kind};\n        nFaces          {patch.size};\n"
            f"        startFace       {patch.start};\n    }}\n"
        )
    return f"{len(rows)}\n(\n{''.join(rows)})\n"


def _field_parts(case: Case) -> Iterator[Part]:
    wind, plan = case.wind, case.plan
    second = wind.dissipation if plan.model == "kEpsilon" else wind.frequency
    fields: dict[str, Floats | None] = {
        "U": wind.velocity, "p": None, "k": wind.energy, plan.second: second, "nut": wind.viscosity,
    }  # fmt: skip
    for name, values in fields.items():
        yield f"0/{name}", _field(case, name, values)


def _field(case: Case, name: str, values: Floats | None) -> Iterator[bytes]:
    """A field: inside the profile of the inflow (`values`; None: zero), on the patches what holds there."""
    kind = "volVectorField" if name == "U" else "volScalarField"
    yield head(Head(kind, name, "0"))
    if name == "nut":
        yield b'#include "../constant/roughWall"\n\n'
    yield f"dimensions {DIMENSIONS[name]};\ninternalField ".encode()
    yield from field_text(values) if values is not None else [b"uniform 0"]
    yield b";\nboundaryField\n{\n"
    for patch in PATCHES:
        yield f"    {patch}\n    {{\n".encode()
        yield from _condition(case, name, patch, values)
        yield b"    }\n"
    yield b"}\n"


def _condition(case: Case, name: str, patch: str, values: Floats | None) -> Iterator[bytes]:
    role = case.wind.roles[patch]
    if role == "wall":
        yield from _at_wall(case, name, patch, values)
    elif role == "slip":
        yield b"        type slip;\n" if name == "U" else CLOSED
    elif role == "outlet":
        yield _at_outlet(name)
    elif name in ("p", "nut"):
        yield (
            b"        type zeroGradient;\n" if name == "p" else b"        type calculated;\n        value uniform 0;\n"
        )
    else:
        yield b"        type fixedValue;\n        value "
        yield from _on_patch(case, patch, values)


def _on_patch(case: Case, patch: str, values: Floats | None) -> Iterator[bytes]:
    """A face list with the values of the cells beside the faces."""
    if values is not None:
        yield from field_text(values[case.mesh.beside(patch)])
        yield b";\n"


def _at_outlet(name: str) -> bytes:
    if name == "p":
        return b"        type fixedValue;\n        value uniform 0;\n"
    if name == "U":  # what leaves leaves freely, nothing comes back
        return b"        type inletOutlet;\n        inletValue uniform (0 0 0);\n        value uniform (0 0 0);\n"
    return CALCULATED if name == "nut" else CLOSED


def _at_wall(case: Case, name: str, patch: str, values: Floats | None) -> Iterator[bytes]:
    if name == "U":
        yield b"        type noSlip;\n"
    elif name == "p":
        yield CLOSED
    elif name == "nut":
        yield b"        type $roughWall;\n        z0 "
        yield from field_text(roughness(case.mesh, case.tunnel, patch))
        yield b";\n        value uniform 0;\n"
    else:
        yield f"        type {WALLS[name]};\n        value ".encode()
        yield from _on_patch(case, patch, values)


def _readme(case: Case) -> str:
    tunnel, plan = case.tunnel, case.plan
    return (
        f"Wind around buildings: {len(case.mesh.cells)} cells, {plan.model}, simpleFoam (OpenFOAM, openfoam.com).\n\n"
        "Run it: load the environment of OpenFOAM, then ./Allrun [cores]\n"
        "Bring it back: twin openfoam PROJECT --read FOLDER\n\n"
        "Axes are those of the grid, turned by an angle a against the scene:\n"
        f"  scene x = {tunnel.pivot[0]:.6f} + x cos a - y sin a, scene y = {tunnel.pivot[1]:.6f} + x sin a + y cos a,\n"
        f"  a = {tunnel.turn_deg:.9f} degrees, height = z + {tunnel.base:.6f}.\n"
        f"p is over the density of the air (m2/s2). nu = {AIR_VISCOSITY:g} m2/s. Trees are not in the case.\n"
    )


# ---- writing --------------------------------------------------------------------------------------------------------


def write_case(case: Case, target: Path, feedback: Feedback) -> Path:
    """Write the case: a file ``.zip``, or a folder, which must not be there or be empty.

    What is not finished leaves nothing behind.

    Raises
    ------
    UserError
        The place cannot be written to, or the folder holds something.
    """
    if target.suffix.lower() == ".zip":
        top = case_name(target.stem)
        write_atomically(target, lambda file: _fill_zip(case, file, top, feedback))
        return target
    _check_folder(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        for name, pieces in _reported(case, feedback):
            _write_file(part / name, pieces)
        os.chmod(part, 0o755)
        if target.exists():
            target.rmdir()
        os.replace(part, target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(part)
    return target


def _fill_zip(case: Case, file: Any, top: str, feedback: Feedback) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION) as archive:
        for name, pieces in _reported(case, feedback):
            entry = zipfile.ZipInfo(f"{top}/{name}")
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if name == "Allrun" else 0o100644) << 16
            with archive.open(entry, "w", force_zip64=True) as inside:
                for piece in pieces:
                    inside.write(piece)


def _write_file(path: Path, pieces: Iterable[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
    if path.name == "Allrun":
        path.chmod(0o755)


def _reported(case: Case, feedback: Feedback) -> Iterator[Part]:
    """The parts of a case; each piece written is reported, so that writing can be stopped anywhere."""
    total = max(1, 110 * len(case.mesh.faces))  # bytes, about
    written = 0

    def counted(pieces: Iterable[bytes]) -> Iterator[bytes]:
        nonlocal written
        for piece in pieces:
            written += len(piece)
            feedback.step(min(0.99, written / total), "writing the case")
            yield piece

    for name, pieces in case_parts(case):
        yield name, counted(pieces)


def _check_folder(target: Path) -> None:
    try:
        taken = target.exists() and (not target.is_dir() or any(target.iterdir()))
    except OSError as error:
        raise _unwritable(target, error) from error
    if taken:
        raise UserError(
            f"{target} is not an empty folder.",
            "A case is never written over other files.",
            "Give another folder, or a name that ends with .zip.",
            code="openfoam.taken",
            values={"path": str(target)},
        )


def _unwritable(target: Path, error: OSError) -> UserError:
    return UserError(
        f"The case cannot be written to {target}.",
        f"The system says: {error.strerror or error}.",
        "Choose another place, or make room.",
        code="openfoam.write",
        values={"path": str(target), "reason": error.strerror or str(error)},
    )
