"""City objects, triangulated, to layers: one per theme, with semantics, table and doubts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.formats import city_shapes as shapes
from geo.formats.city_objects import MAX_IDS, CityFile
from geo.formats.city_table import Family, table_of
from geo.model import Feedback, Field, Issue, Layer, Mesh, Source, merge_meshes
from geo.model.layer import THEMES, Stratum
from geo.polygons import CROSSING, FAULTY

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


class Part(NamedTuple):
    """What becomes one layer."""

    theme: str
    title: str
    stratum: Stratum = "outdoor"


PARTS = {
    "building": Part("building", "buildings"),
    "indoor": Part("space", "rooms and storeys", "indoor"),
    "indoor_furniture": Part("furniture", "furniture indoors", "indoor"),
    "road": Part("road", "roads"),
    "rail": Part("rail", "railways"),
    "water": Part("water", "water"),
    "tree": Part("tree", "trees"),
    "terrain": Part("terrain", "terrain"),
    "furniture": Part("furniture", "street furniture"),
    "bridge": Part("other", "bridges"),
    "tunnel": Part("other", "tunnels", "underground"),
    "plant_cover": Part("other", "plant cover"),
    "land_use": Part("other", "land use"),
    "utility": Part("utility", "utility networks", "underground"),
    "other": Part("other", "other objects"),
}
_NETWORK = """
    UtilityNetworkElement UtilityLink UtilityNode UtilityNodeContainer Appurtenance Pipe SewerPipe WaterPipe
    OilGasChemicalsPipe ThermalPipe Cable ElectricityCable TelecommunicationsCable Duct Manhole Handhole
"""
PART_OF_TYPE = {
    "Building": "building",
    "BuildingPart": "building",
    "BuildingInstallation": "building",
    "BuildingConstructiveElement": "building",
    "BuildingRoom": "indoor",
    "BuildingStorey": "indoor",
    "BuildingUnit": "indoor",
    "Room": "indoor",
    "Storey": "indoor",
    "IntBuildingInstallation": "indoor",
    "BuildingFurniture": "indoor_furniture",
    "Road": "road",
    "TransportSquare": "road",
    "Railway": "rail",
    "Waterway": "water",
    "TransportationComplex": "road",
    "Track": "road",
    "Square": "road",
    "Section": "road",
    "Intersection": "road",
    "TrafficArea": "road",
    "AuxiliaryTrafficArea": "road",
    "TrafficSpace": "road",
    "AuxiliaryTrafficSpace": "road",
    "Marking": "road",
    "WaterBody": "water",
    "SolitaryVegetationObject": "tree",
    "TINRelief": "terrain",
    "CityFurniture": "furniture",
    "PlantCover": "plant_cover",
    "LandUse": "land_use",
    "IntBridgeInstallation": "bridge",
    "IntTunnelInstallation": "tunnel",
    "HollowSpace": "tunnel",
    # objects of the utility networks of i-UR
    **dict.fromkeys(_NETWORK.split(), "utility"),
}

SURFACES = ("roof", "wall", "ground", "other")
ROOF, WALL, GROUND, OTHER = range(len(SURFACES))
SURFACE_OF_SEMANTIC = {
    "RoofSurface": ROOF,
    "OuterFloorSurface": ROOF,
    "WallSurface": WALL,
    "Window": WALL,
    "Door": WALL,
    "WindowSurface": WALL,
    "DoorSurface": WALL,
    "GroundSurface": GROUND,
}
PLAIN_SEMANTICS = ("RoofSurface", "WallSurface", "GroundSurface")
# A face steeper than 75 degrees is a wall: mansard roofs reach about 70.
WALL_NORMAL_Z = float(np.cos(np.radians(75.0)))


def part_of(object_type: str) -> str:
    """Key of `PARTS` for a CityObject type; extensions and unknown types are ``other``."""
    if object_type.startswith(("Bridge", "Tunnel")):
        return object_type[:6].lower()
    return PART_OF_TYPE.get(object_type, "other")


@dataclass
class City:
    """Everything that was read, on its way to layers.

    Attributes
    ----------
    chosen : list of Chosen
        The objects; `row` below means a position in it.
    units : mapping of attribute to unit
    faces, face_row, face_semantic : (m, 3), (m,), (m,)
        Triangles into `local`, their object, and their semantic code (-1 none).
    face_colour : (m,) or None
        0xRRGGBB of each, -1 where the file gives none.
    """

    file: CityFile
    chosen: list[shapes.Chosen]
    local: Floats
    semantics: shapes.Semantics
    placed: shapes.Placed
    units: Mapping[str, str] = field(default_factory=dict)
    faces: Indices = field(default_factory=lambda: np.zeros((0, 3), np.int64))
    face_row: Indices = field(default_factory=lambda: np.zeros(0, np.int64))
    face_semantic: Indices = field(default_factory=lambda: np.zeros(0, np.int64))
    face_colour: Indices | None = None
    issues: list[Issue] = field(default_factory=list)

    def triangulate(self, rings: shapes.Rings, colours: Indices | None = None) -> None:
        """Fill in the triangles; solids that are inside out are turned.

        colours : (k,) int, optional
            0xRRGGBB of each surface of `rings`, -1 for none.
        """
        done = shapes.triangles(rings, self.local)
        codes = np.array([code for one in self.chosen for code in one.semantics], dtype=np.int64)
        self.faces, self.face_row = done.faces, rings.surface_object[done.surface]
        self.face_semantic = codes[done.surface]
        self.face_colour = None if colours is None else colours[done.surface]
        self._doubt("city.degenerate", "Surfaces without area, left out", done.reason >= FAULTY, rings)
        self._doubt("city.crossing", "Surfaces whose rings cross", done.reason == CROSSING, rings, "doubt")
        is_solid = np.array([one.is_solid for one in self.chosen], dtype=bool)
        gaps, turned = shapes.check_solids(self.local, self.faces, self.face_row, is_solid)
        if len(gaps):
            message = f"Solids that are not closed, so that their volume is not certain: {len(gaps)}."
            self.issues.append(Issue("city.open_solid", message, "doubt", len(gaps), self._ids(gaps)))
        if len(turned):
            faulty = np.isin(self.face_row, turned)
            self.faces[faulty] = self.faces[faulty][:, ::-1]
            message = f"Solids that were inside out and have been turned: {len(turned)}."
            self.issues.append(Issue("city.inverted", message, "note", len(turned), self._ids(turned)))

    def _ids(self, rows: Indices) -> tuple[str, ...]:
        return tuple(self.chosen[row].source.id for row in rows[:MAX_IDS].tolist())

    def _doubt(
        self, code: str, text: str, mask: NDArray[np.bool_], rings: shapes.Rings, severity: str = "note"
    ) -> None:
        if mask.any():
            count = int(mask.sum())
            ids = self._ids(np.unique(rings.surface_object[mask]))
            self.issues.append(Issue(code, f"{text}: {count}.", severity, count, ids))  # type: ignore[arg-type]

    def layers(self, lod: str, kind: str | None, feedback: Feedback) -> list[Layer]:
        """One layer for each part that has something to show."""
        shown = np.zeros(len(self.chosen), dtype=bool)
        shown[self.face_row] = True
        shown[self.placed.row] = True
        for row in np.flatnonzero(~shown).tolist():
            self.file.dropped.add(self.chosen[row].source.id, "no_area")
        self._lod_issues(lod, shown)
        part_of_row = [part_of(one.source.type) for one in self.chosen]
        family = Family({item.id: item for item in self.file.objects})
        keys = [key for key in PARTS if key in set(part_of_row)]
        layers = []
        for number, key in enumerate(keys):
            share = feedback.part(number / len(keys), (number + 1) / len(keys))
            share.step(0.0, PARTS[key].title)
            rows = np.array([row for row, its in enumerate(part_of_row) if its == key and shown[row]], dtype=np.int64)
            if len(rows):
                layers.append(self._layer(key, rows, family, kind, share))
        if not layers:
            return []
        # doubts about the file as a whole are told once, with its first layer
        issues = (*self.file.issues, *self.issues, *self._remarks(), *family.issues())
        layers[0] = layers[0].with_(issues=(*issues, *self.file.dropped.issues(), *layers[0].issues))
        return layers if len(layers) > 1 else [layers[0].with_(name=_stem(self.file.name))]

    def _lod_issues(self, wanted: str, shown: NDArray[np.bool_]) -> None:
        used = Counter(one.lod for one, is_shown in zip(self.chosen, shown.tolist(), strict=True) if is_shown)
        other = sum(count for lod, count in used.items() if not shapes.is_wanted(lod, wanted))
        told = ", ".join(f"LoD {lod or '?'}: {count}" for lod, count in sorted(used.items()))
        if other:
            message = f"Objects without LoD {wanted}, for which the nearest was taken: {other} ({told})."
            values = {"wanted": wanted, "used": told}
            self.issues.append(Issue("city.lod_other", message, "note", other, values=values))
        elif len(used) > 1:
            message = f"Objects have different levels of detail ({told})."
            self.issues.append(Issue("city.lod_mixed", message, "note", sum(used.values()), values={"used": told}))

    def _remarks(self) -> list[Issue]:
        """Doubts about surface semantics, and geometry that was not used."""
        faulty, ignored, found = self.semantics.faulty, self.file.ignored, []
        if ignored:
            message = f"Objects that also have points, lines or unknown geometry, not shown: {len(ignored)}."
            ids = tuple(ignored[:MAX_IDS])
            found.append(Issue("city.geometry_ignored", message, "note", len(ignored), ids))
        if not faulty:
            return found
        message = f"Objects whose surface semantics do not fit their surfaces and were ignored: {len(faulty)}."
        return [*found, Issue("city.semantics", message, "doubt", len(faulty), tuple(faulty[:MAX_IDS]))]

    def _layer(self, key: str, rows: Indices, family: Family, kind: str | None, feedback: Feedback) -> Layer:
        part = PARTS[key]
        element_of_row = np.full(len(self.chosen), -1, dtype=np.int64)
        element_of_row[rows] = np.arange(len(rows))
        items = [self.chosen[row] for row in rows.tolist()]
        layer = Layer(
            id=key,
            name=f"{_stem(self.file.name)} – {part.title}",
            # the user's word counts for objects whose type says nothing
            theme=kind if key == "other" and kind in THEMES else part.theme,
            geometry=None,
            table=table_of([item.source for item in items], [item.lod for item in items], family, feedback, self.units),
            stratum=part.stratum,
            source=Source(part=key),
        )
        mine = element_of_row[self.face_row] >= 0
        instances = self.placed.of(element_of_row)
        if not mine.any() and layer.theme != "building":
            return layer.with_(geometry=instances)
        mesh = shapes.compact(self.local, self.faces[mine], element_of_row[self.face_row[mine]])
        codes = self.face_semantic[mine]
        colour = np.zeros(0, np.int64) if self.face_colour is None else self.face_colour[mine]
        if len(instances.shape):
            baked = instances.baked()
            mesh = _joined(mesh, baked)
            codes = np.concatenate([codes, np.full(len(baked.faces), -1)])
            message = f"Repeated shapes written out as surfaces: {len(instances.shape)}."
            layer = layer.with_(issues=(Issue("city.baked", message, "note", len(instances.shape)),))
        fields = self._fields(layer.theme, mesh, codes)
        if (colour >= 0).any():
            padded = np.full(len(mesh.faces), -1, dtype=np.int32)
            padded[: len(colour)] = colour
            fields = (*fields, Field("colour", "1", "face", padded))
        return layer.with_(geometry=mesh, fields=fields)

    def _fields(self, theme: str, mesh: Mesh, codes: Indices) -> tuple[Field, ...]:
        names = list(self.semantics.names)
        fields = []
        if theme == "building":
            fields.append(Field("surface", "1", "face", surface_codes(mesh, codes, names), categories=SURFACES))
        used = [names[code] for code in np.unique(codes[codes >= 0]).tolist()]
        if any(theme != "building" or name not in PLAIN_SEMANTICS for name in used):
            number = np.full(len(names) + 1, -1, dtype=np.int16)
            number[[names.index(name) for name in used]] = np.arange(len(used))
            fields.append(Field("semantic", "1", "face", number[codes], categories=tuple(used)))
        return tuple(fields)


def surface_codes(mesh: Mesh, codes: Indices, names: list[str]) -> NDArray[np.int8]:
    """Roof, wall, ground or other for each face: as the file says, else by the direction it faces.

    codes : (m,) int
        Index into `names`, -1 where the file says nothing.
    """
    up = mesh.face_normal[:, 2]
    by_normal = np.where(up > WALL_NORMAL_Z, ROOF, np.where(up < -WALL_NORMAL_Z, GROUND, WALL))
    told = np.array([SURFACE_OF_SEMANTIC.get(name, OTHER) for name in names] + [-1], dtype=np.int64)[codes]
    return np.where(told >= 0, told, by_normal).astype(np.int8)


def _joined(first: Mesh, second: Mesh) -> Mesh:
    """Both in one mesh with the elements they had."""
    both = merge_meshes((first, second))
    return Mesh(both.vertices, both.faces, np.concatenate([first.face_element, second.face_element]))


def _stem(name: str) -> str:
    for ending in (".gz", ".zip", ".jsonl", ".json", ".city", ".citygml", ".gml", ".xml"):
        name = name.removesuffix(ending)
    return name
