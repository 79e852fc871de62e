"""Headless. A file with a building into the shape and the figures of a proposal; nothing of it enters the scene."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.catalog import detect
from app.importer import ImportOptions, examine, import_files
from app.massing_copy import outline_ring
from app.storeys import Storey, buildings_of
from geo.model import Feedback, Frame, Instances, Layer, Mesh, UserError, unique_rows
from geo.polygons import areas_of_triangles
from geo.proposals import Proposal, ProposalModel, Told, colours_of, is_closed

Floats = NDArray[np.float64]

THEMES = frozenset({"bim", "building", "other"})
NOT_BUILT = ("IfcSite", "IfcGeographicElement", "IfcSpace", "IfcTree", "IfcFurni", "IfcOpening", "IfcGrid")
MOST_TRIANGLES = 1_500_000
USUAL_STOREY = 3.0  # [m] where nobody says how high they are
LEVEL = 0.7  # |vertical part| of a unit normal of what lies flat
UNDER, BELOW_NEXT = 0.6, 0.7  # [m] what lies between this under a floor and this under the next belongs to its storey
NO_COLOUR = -1
WHOLE = 0.4  # of the plan: floors that cover less are not drawn as such, and the plan counts
SHARE_UNDER = 0.5  # of its height: a file's zero that lies higher is no ground level


@dataclass(frozen=True)
class ReadProposal:
    """A building as a file has it.

    Attributes
    ----------
    model : ProposalModel
    name : str
    storeys : int
        Above the ground; 0 where the file does not say.
    floor_area : float [m2]
    told : {"file", "typed", "estimate"}
    outline : (n, 2) float [m]
        Corners of its plan, as the model lies.
    """

    model: ProposalModel
    name: str
    storeys: int
    floor_area: float
    told: Told
    outline: Floats


@dataclass(frozen=True, eq=False)
class Coloured:
    """Triangles (t, 3, 3) [m] and 0xRRGGBB of each (t,), -1 where nobody says."""

    corners: Floats
    colours: NDArray[np.int32]

    @classmethod
    def of(cls, corners: Floats, colours: NDArray[np.int32]) -> Coloured:
        """Checked for length."""
        if len(corners) != len(colours):
            raise ValueError(f"{len(corners)} triangles have {len(colours)} colours")
        return cls(np.asarray(corners), colours)

    @classmethod
    def joined(cls, parts: Iterable[Coloured]) -> Coloured:
        """All of some."""
        given = list(parts)
        corners = np.concatenate([np.zeros((0, 3, 3)), *(part.corners for part in given)])
        return cls(corners, np.concatenate([np.zeros(0, np.int32), *(part.colours for part in given)]))


def read_proposal(path: Path, frame: Frame, feedback: Feedback) -> ReadProposal:
    """Read a building. Raises `UserError` where the file holds no solid that could be one."""
    candidate = detect(path)
    feedback.step(0.02, f"examining {path.name}")
    info = examine(path, candidate, feedback=feedback)
    # As the model lies in its own coordinates: it is the two points that say where it goes.
    own = {"at_east": frame.origin[0], "at_north": frame.origin[1], "at_height": frame.origin[2], "rotation_deg": 0.0}
    fields = candidate.options.model_fields if candidate.options is not None else {}
    kept = {name: value for name, value in own.items() if name in fields}
    more = {name: False for name in ("network", "mep_network") if name in fields}
    options = ImportOptions(own={**kept, **more})
    found = import_files([path], frame=frame, options=options, feedback=feedback.part(0.05, 0.8))
    triangles = _triangles(found.layers, path)
    feedback.step(0.85, "measuring the building")
    detailed = any(layer.theme == "bim" for layer in found.layers)
    model = _model(triangles, path.name, detailed=detailed)
    storeys = _above(buildings_of(found.layers))
    feedback.step(0.9, "measuring the building")
    ring, _ = outline_ring(model.mesh.vertices[model.mesh.faces])
    area, told = _floor_area(info.details, model, storeys)
    count = len(storeys) or _whole(info.details.get("floor_area_storeys"))
    return ReadProposal(model, path.stem, count, round(area, 1), told, ring)


def read_again(proposal: Proposal) -> ReadProposal:
    """What can be asked about a proposal that stands already, at the size of its file, which is not needed."""
    model = proposal.model
    ring, _ = outline_ring(model.mesh.vertices[model.mesh.faces])
    area = proposal.floor_area / (proposal.scale**2 if proposal.told != "typed" else 1.0)
    return ReadProposal(model, proposal.name, proposal.storeys, round(area, 1), proposal.told, ring)


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _triangles(layers: Sequence[Layer], path: Path) -> Coloured:
    """All that is built [m of the model]."""
    parts = [_of_layer(layer) for layer in layers if layer.theme in THEMES and layer.style.visible]
    count = sum(len(part.corners) for part in parts)
    if count == 0:
        raise UserError(
            f"{path.name} holds no building.",
            "Nothing in it is a solid with faces.",
            "Choose an IFC, glTF, OBJ, CityJSON or CityGML file of a building.",
            code="proposal.empty",
            values={"name": path.name},
        )
    if count > MOST_TRIANGLES:
        raise UserError(
            f"{path.name} has {count} triangles.",
            f"A proposal may have {MOST_TRIANGLES}: every study goes through all of them.",
            "Export the building without furniture and fittings.",
            code="proposal.too_large",
            values={"name": path.name, "count": count, "most": MOST_TRIANGLES},
        )
    return Coloured.joined(parts)


def _of_layer(layer: Layer) -> Coloured:
    shape = layer.geometry
    kinds = layer.table.columns.get("class")
    rows = len(layer.table)
    built = np.ones(rows + 1, dtype=bool)  # what has no row is built
    if kinds is not None:
        built[:rows] = [not str(value).startswith(NOT_BUILT) for value in kinds.values]
    if isinstance(shape, Mesh):
        kept = built[np.minimum(shape.face_element, rows)]
        return Coloured.of(shape.vertices[shape.faces[kept]], _codes(layer, len(shape.faces))[kept])
    if isinstance(shape, Instances):
        return _of_instances(shape, built, _codes(layer, sum(len(mesh.faces) for mesh in shape.shapes)))
    return Coloured.joined(())


def _codes(layer: Layer, faces: int) -> NDArray[np.int32]:
    found = colours_of(layer)
    return found if found is not None and len(found) == faces else np.full(faces, NO_COLOUR, dtype=np.int32)


def _of_instances(shape: Instances, built: NDArray[np.bool_], codes: NDArray[np.int32]) -> Coloured:
    first = np.cumsum([0, *(len(mesh.faces) for mesh in shape.shapes)])
    out = []
    for number, transform, element in zip(shape.shape, shape.transform, shape.element, strict=True):
        if built[min(int(element), len(built) - 1)]:
            mesh = shape.shapes[int(number)]
            corners = mesh.vertices @ transform[:, :3].T + transform[:, 3]
            faces = mesh.faces if np.linalg.det(transform[:, :3]) >= 0 else mesh.faces[:, ::-1]
            out.append(Coloured.of(corners[faces], codes[first[number] : first[number + 1]]))
    return Coloured.joined(out)


def _model(built: Coloured, file: str, *, detailed: bool) -> ProposalModel:
    """About the middle of its box, with equal corners joined; walls and slabs are many solids, not one."""
    triangles = built.corners
    low, high = triangles.min(axis=(0, 1)), triangles.max(axis=(0, 1))
    zero = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    points, _, number, _ = unique_rows(np.round((triangles - zero).reshape(-1, 3), 5))
    faces = number.reshape(-1, 3).astype(np.int32)
    whole = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    faces, colours = faces[whole], built.colours[whole]
    mesh = Mesh(points, faces, np.zeros(len(faces), dtype=np.int32))
    ground = float(-low[2]) if 0.0 < -low[2] < SHARE_UNDER * (high[2] - low[2]) else 0.0
    said = None if (colours == NO_COLOUR).all() else colours
    return ProposalModel(mesh, round(ground, 3), not detailed and is_closed(mesh), file, said)


def _above(buildings: Sequence[object]) -> list[Storey]:
    """Storeys above the ground, without roofs."""
    found = [getattr(building, "storeys", ()) for building in buildings]
    longest: Sequence[Storey] = max(found, key=len, default=())
    return [storey for storey in longest if not storey.label.startswith("B") and storey.label != "RF"]


def _floor_area(said: object, model: ProposalModel, storeys: Sequence[Storey]) -> tuple[float, Told]:
    """Above the ground [m2]: as the file states it, else from the volume."""
    stated = said.get("floor_area") if hasattr(said, "get") else None
    if isinstance(stated, int | float) and math.isfinite(stated) and stated > 0.0:
        return float(stated), "file"
    return estimated_area(model, [storey.height for storey in storeys]), "estimate"


def estimated_area(model: ProposalModel, heights: Sequence[float] = ()) -> float:
    """Floor area above the ground, from the volume [m2].

    A solid is cut at the middle of every storey; of a model of walls and slabs the flat faces of every storey are
    united, or its plan is taken where it shows no floors.

    heights : sequence of float [m]
        Of the storeys, from below; `USUAL_STOREY` each where they are not known.
    """
    from analysis.site_figures.floors import area_at

    triangles = model.mesh.vertices[model.mesh.faces]
    top = float(triangles[:, :, 2].max())
    if not heights:
        count = max(round((top - model.ground) / USUAL_STOREY), 1)
        heights = [(top - model.ground) / count] * count
    floors = model.ground + np.concatenate([[0.0], np.cumsum(heights)])
    if model.closed:
        return sum(area_at(triangles, (low + high) / 2) for low, high in zip(floors[:-1], floors[1:], strict=True))
    whole = _plan_area(triangles)
    flat = _flat(triangles)
    heights_of = flat[:, :, 2].mean(axis=1)
    total = 0.0
    for low, high in zip(floors[:-1], floors[1:], strict=True):
        area = _plan_area(flat[(heights_of > low - UNDER) & (heights_of < high - BELOW_NEXT)])
        total += area if area > WHOLE * whole else whole
    return total


def _flat(triangles: Floats) -> Floats:
    normal = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    size = np.linalg.norm(normal, axis=1)
    return np.asarray(triangles[(size > 1e-6) & (np.abs(normal[:, 2]) > LEVEL * size)])


def _plan_area(triangles: Floats) -> float:
    import shapely

    if len(triangles) == 0:
        return 0.0
    areas = areas_of_triangles(triangles)
    areas = shapely.make_valid(areas[shapely.area(areas) > 1e-4])
    return float(shapely.area(shapely.union_all(areas)))
