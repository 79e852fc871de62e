"""XML elements of a CityGML file to city objects with attributes, geometry, repeated shapes and colours."""

from __future__ import annotations

import zipfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from geo.formats.city_objects import CityObject
from geo.formats.citygml_box import Keep
from geo.formats.citygml_geometry import HREF, Group, Surfaces, gml_id
from geo.formats.citygml_names import CODES, Kind, Role, Roles, is_extension_object, version_of
from geo.formats.citygml_network import NetworkParts
from geo.formats.citygml_values import (
    MAX_ATTRIBUTES,
    NUMBER,
    Value,
    colour_of,
    joined_text,
    keep_value,
    matrix_of,
    unit_of,
    value_of,
)
from geo.formats.citygml_xml import (
    Element,
    Entry,
    Hints,
    Progress,
    WrongEncodingError,
    documents,
    elements,
    true_encoding,
    unreadable,
)
from geo.model import UserError

# i-UR writes these where a value is not known.
_UNKNOWN = {
    "measuredHeight": ("-9999", "9999"),
    "storeysAboveGround": ("9999", "-9999"),
    "storeysBelowGround": ("9999", "-9999"),
    "yearOfConstruction": ("0001", "1", "9999"),
    "buildingFootprintArea": ("-9999",),
    "buildingRoofEdgeArea": ("-9999",),
    "totalFloorArea": ("-9999",),
}
_WORDS = CODES | {"creationDate", "terminationDate", "name", "description"}
_SHAPES = (Kind.LOOSE, Kind.POLYGON, Kind.AGGREGATE, Kind.ORIENTABLE, Kind.GEOMETRY)


class Shape(NamedTuple):
    """One geometry of an object: level of detail, the rest of the property's name, whether of a thematic surface."""

    lod: str
    rest: str
    is_boundary: bool
    group: Group


class Repeat(NamedTuple):
    """One repetition of a shape.

    Attributes
    ----------
    lod : str
    template : str
        Key in `CityModel.templates`.
    matrix : tuple of 16 float, or None where it makes no sense
    anchor : int
        Corner number of the reference point, -1 for none.
    """

    lod: str
    template: str
    matrix: tuple[float, ...] | None
    anchor: int


@dataclass
class Parts:
    """What one city object is drawn from."""

    shapes: list[Shape] = field(default_factory=list)
    repeats: list[Repeat] = field(default_factory=list)
    is_loose: bool = False


@dataclass
class CityModel:
    """A file in memory.

    Attributes
    ----------
    objects, parts : list
        In the order of the file, one entry of `parts` for each object.
    counts : Counter
        Every city object and thematic surface by its own name.
    units : mapping of attribute to its units
    templates : mapping of key to Group of `template_surfaces`
    colours : mapping of theme to list of (id, 0xRRGGBB)
    skipped : int
        Members that were forgotten at once because they were not asked for.
    encoding : str
        The encoding that was used instead of the one declared, empty for that.
    """

    name: str
    version: str = ""
    srs_name: str | None = None
    envelope: tuple[float, ...] = ()
    roles: Roles = field(default_factory=Roles)
    hints: Hints = field(default_factory=Hints)
    objects: list[CityObject] = field(default_factory=list)
    parts: list[Parts] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    lods: Counter[str] = field(default_factory=Counter)
    semantics: dict[str, int] = field(default_factory=dict)
    units: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    colours: defaultdict[str, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    templates: dict[str, Group] = field(default_factory=dict)
    library: Counter[str] = field(default_factory=Counter)
    textures: int = 0
    unknown_values: Counter[str] = field(default_factory=Counter)
    without_id: Counter[str] = field(default_factory=Counter)
    renamed: list[str] = field(default_factory=list)
    crowded: list[str] = field(default_factory=list)
    documents: int = 0
    skipped: int = 0
    encoding: str = ""

    def __post_init__(self) -> None:
        self.surfaces = Surfaces(self.roles, self.hints)
        self.template_surfaces = Surfaces(self.roles, self.hints)
        self.network = NetworkParts(self.roles, self.hints)
        self._ids: set[str] = set()
        self._again: Counter[str] = Counter()


def load(path: Path, progress: Progress = lambda fraction, message: None, *, keep: Keep | None = None) -> CityModel:
    """The city model of a file. Raises `UserError` when it cannot be used at all.

    keep : callable (points (n, 3) as written, srsName) -> bool, optional
        Asked for each member; those answered False are forgotten at once, so that a part of a huge file fits in
        memory. References to what was forgotten lead nowhere.
    """
    try:
        entries = documents(path)
        size = path.stat().st_size
    except (OSError, EOFError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise unreadable(path.name, error) from error
    if not entries:
        raise UserError(
            f"{path.name} holds no CityGML.",
            "None of its entries begins with a CityModel.",
            "Choose another file, or unpack it and open what it holds.",
            code="citygml.empty_archive",
            values={"name": path.name},
        )
    try:
        return _load(path.name, entries, size, progress, keep, None)
    except WrongEncodingError:
        encoding = true_encoding(entries)
        return _load(path.name, entries, size, progress, keep, encoding)


def _load(
    name: str, entries: list[Entry], size: int, progress: Progress, keep: Keep | None, encoding: str | None
) -> CityModel:
    model = CityModel(name, encoding=encoding or "")
    for number, entry in enumerate(entries):

        def share(fraction: float, message: str, number: int = number) -> None:
            progress((number + fraction) / len(entries), message)

        reader = _Reader(model, keep)
        for event, element in elements(entry, size, share, model.hints, encoding=encoding):
            reader.take(event, element)
        model.documents += 1
    return model


class _Reader:
    """Takes in the elements of one document."""

    def __init__(self, model: CityModel, keep: Keep | None) -> None:
        self.model = model
        self.keep = keep
        self.roles = model.roles
        self.root: Element = None
        self.has_envelope = False

    def take(self, event: str, element: Element) -> None:
        if event == "root":
            self.root = element
            version = version_of(element.tag[1:].rpartition("}")[0])
            self.model.version = self.model.version or version
            return
        if not self.has_envelope:
            self._envelope()
        mark, count = self.model.surfaces.mark(), len(self.model.objects)
        self._member(element)
        if self.keep is not None and not self._is_wanted(self.keep, mark, count):
            self.model.surfaces.forget_since(mark)
            del self.model.objects[count:]
            del self.model.parts[count:]
            self.model.skipped += 1

    def _is_wanted(self, keep: Keep, mark: tuple[int, ...], count: int) -> bool:
        """Whether what came since may be needed; repeated shapes and mixed systems always are."""
        model = self.model
        if model.hints.names_systems or any(parts.repeats for parts in model.parts[count:]):
            return True
        return keep(model.surfaces.points_since(mark), model.surfaces.default or model.srs_name)

    def _member(self, element: Element) -> None:
        for child in element:
            role = self.roles[child.tag]
            if role.kind is Kind.APPEARANCE:
                self._appearance(child)
            elif role.kind is Kind.SURFACE:
                self._thematic(child, Parts(), role)
            elif role.name:
                self._object(child, None, role)

    def _envelope(self) -> None:
        """The srsName of the envelope of the whole model, which stands before the first object."""
        self.has_envelope = True
        for child in self.root:
            if not (isinstance(child.tag, str) and child.tag.endswith("}boundedBy")):
                continue
            for envelope in child:
                name = envelope.get("srsName")
                corners = [float(v) for corner in envelope for v in (corner.text or "").split() if NUMBER.fullmatch(v)]
                self.model.envelope = self.model.envelope or tuple(corners if len(corners) == 6 else ())
                self._start_run(name)

    def _name_of_envelope(self, holder: Element) -> None:
        """Take the srsName of an object's envelope where the model as a whole names none."""
        for envelope in holder:
            if envelope.get("srsName"):
                self._start_run(envelope.get("srsName"))

    def _start_run(self, name: str | None) -> None:
        model = self.model
        if model.srs_name is None:
            model.srs_name = name
        elif name is not None and name != model.srs_name:
            model.hints.names_systems = True
        surfaces = model.surfaces
        if surfaces.runs[-1][0] == len(surfaces.values) // 3:
            surfaces.runs.pop()
        surfaces.runs.append((len(surfaces.values) // 3, name))
        surfaces.default = name

    def _object(self, element: Element, parent: str | None, role: Role) -> None:
        model = self.model
        model.counts[role.name] += 1
        name = self._id_of(element, role.name)
        attributes: dict[str, Value] = {}
        data: dict[str, Any] = {"attributes": attributes}
        if parent is not None:
            data["parents"] = [parent]
        parts = Parts()
        model.objects.append(CityObject(name, role.name, data, 0, 0))
        model.parts.append(parts)
        model.network.take(element, name, model.surfaces.default or model.srs_name)
        lod, loose = "", len(model.surfaces.loose)
        for child in element:
            kind, local, its_lod, rest = self.roles[child.tag]
            if kind is Kind.GEOMETRY:
                self._geometry(child, parts, its_lod or lod, rest, local)
            elif kind is Kind.IMPLICIT:
                self._repeat(child, parts, its_lod)
            elif kind is Kind.GENERIC:
                self._generic(child, "", attributes)
            elif kind is Kind.GENERIC_SET:
                self._generic_set(child, attributes)
            elif kind is Kind.ADDRESS:
                keep_value(attributes, "address", joined_text(child))
            elif kind is Kind.DATA:
                if len(child):
                    self._property(child, name, parts, attributes)
                else:
                    self._leaf(child, local, local, attributes)
                    lod = attributes.get("lod", "") if local == "lod" else lod  # type: ignore[assignment]
                    lod = str(lod)
            elif local == "boundedBy" and model.srs_name is None:
                self._name_of_envelope(child)
        parts.is_loose = parts.is_loose or len(model.surfaces.loose) > loose
        if len(attributes) >= MAX_ATTRIBUTES:
            model.crowded.append(name)

    def _property(self, holder: Element, owner: str, parts: Parts, attributes: dict[str, Value]) -> None:
        """A property with something inside: objects, thematic surfaces, appearance, or a data type."""
        for child in holder:
            role = self.roles[child.tag]
            if role.kind is Kind.SURFACE:
                self._thematic(child, parts, role)
            elif role.kind is Kind.OBJECT or (role.kind is Kind.DATA and is_extension_object(child.tag, gml_id(child))):
                self._object(child, owner, role)
            elif role.kind is Kind.APPEARANCE:
                self._appearance(child)
            elif role.kind is Kind.ADDRESS:
                keep_value(attributes, "address", joined_text(child))
            elif role.kind is Kind.GENERIC:
                self._generic(child, "", attributes)
            elif role.kind is Kind.GENERIC_SET:
                self._generic_set(child, attributes)
            elif role.kind in _SHAPES:
                parts.is_loose = True
                self.model.surfaces.note(child)
            elif role.kind is Kind.DATA:
                local = self.roles[holder.tag].name
                if role.name == "Address":
                    keep_value(attributes, "address", joined_text(child))
                else:
                    self._flatten(child, local + ".", attributes)

    def _thematic(self, element: Element, parts: Parts, role: Role) -> None:
        """A thematic surface: its polygons belong to the object around it and carry its name."""
        model = self.model
        model.counts[role.name] += 1
        code = model.semantics.setdefault(role.name, len(model.semantics))
        for child in element:
            kind, _, lod, rest = self.roles[child.tag]
            if kind is Kind.GEOMETRY:
                group = model.surfaces.collect(child, code)
                own = gml_id(element)
                if own is not None:
                    model.surfaces.groups.setdefault(own, group)
                if group.stop > group.start or group.references:
                    model.lods[lod] += 1
                    parts.shapes.append(Shape(lod, rest, True, group))
            elif kind is Kind.IMPLICIT:
                self._repeat(child, parts, lod)
            elif kind is Kind.DATA and len(child):
                for inner in child:
                    inner_role = self.roles[inner.tag]
                    if inner_role.kind is Kind.SURFACE:
                        self._thematic(inner, parts, inner_role)

    def _geometry(self, holder: Element, parts: Parts, lod: str, rest: str, local: str) -> None:
        group = self.model.surfaces.collect(holder, -1, solid=rest == "Solid")
        if group.stop > group.start or group.references:
            self.model.lods[lod] += 1
            parts.shapes.append(Shape(lod, rest or local, False, group))
        else:
            parts.is_loose = True

    def _repeat(self, holder: Element, parts: Parts, lod: str) -> None:
        """An ImplicitGeometry: matrix, reference point, and a shape written here, elsewhere, or in another file."""
        for implicit in holder:
            matrix: tuple[float, ...] | None = None
            anchor, key = -1, ""
            for child in implicit:
                local = self.roles[child.tag].name
                if local == "transformationMatrix":
                    matrix = matrix_of(child.text)
                elif local == "referencePoint":
                    position = next((e for e in child.iter() if self.roles[e.tag].name == "pos"), None)
                    anchor = -1 if position is None else self.model.surfaces.anchor(position)
                elif local in ("relativeGMLGeometry", "relativeGeometry"):
                    key = self._template(child)
                elif local == "libraryObject":
                    self.model.library[(child.text or "").strip()[:200]] += 1
            if key:
                self.model.lods[lod] += 1
                parts.repeats.append(Repeat(lod, key, matrix, anchor))
            else:
                parts.is_loose = True

    def _template(self, holder: Element) -> str:
        href = holder.get(HREF)
        if href:
            return str(href).removeprefix("#")
        group = self.model.template_surfaces.collect(holder, -1)
        first = next(iter(holder), None)
        key = (gml_id(first) if first is not None else None) or f"template {len(self.model.templates) + 1}"
        self.model.templates.setdefault(key, group)
        return key

    def _id_of(self, element: Element, name: str) -> str:
        model = self.model
        found = gml_id(element)
        if found is None:
            model.without_id[name] += 1
            found = f"{name}-{model.counts[name]}"
        if found in model._ids:
            model.renamed.append(found)
            number = model._again[found]
            while f"{found}-{number + 2}" in model._ids:
                number += 1
            model._again[found] = number + 1
            found = f"{found}-{number + 2}"
        model._ids.add(found)
        return str(found)

    def _leaf(self, element: Element, key: str, local: str, attributes: dict[str, Value]) -> None:
        text = (element.text or "").strip()
        if not text:
            return
        if local in _UNKNOWN and text in _UNKNOWN[local]:
            self.model.unknown_values[local] += 1
            return
        is_code = local in _WORDS
        for name, value in element.items():
            if name == "uom":
                self.model.units[key].add(unit_of(value))
            elif name == "codeSpace":
                is_code = True
        keep_value(attributes, key, text if is_code else value_of(text))

    def _flatten(self, element: Element, prefix: str, attributes: dict[str, Value]) -> None:
        """Properties of a data type as ``holder.property``; one called value takes the name of its holder."""
        for child in element:
            kind, local, _, _ = self.roles[child.tag]
            if kind in _SHAPES:
                self.model.surfaces.note(child)
            if kind is not Kind.DATA:
                continue
            key = prefix[:-1] if local == "value" else prefix + local
            if not len(child):
                self._leaf(child, key, local, attributes)
                continue
            for inner in child:
                if self.roles[inner.tag].kind in _SHAPES:
                    self.model.surfaces.note(inner)
                else:
                    self._flatten(inner, key + ".", attributes)

    def _generic(self, element: Element, prefix: str, attributes: dict[str, Value]) -> None:
        """A generic attribute of either version; those declared as text stay text."""
        key, text, unit = element.get("name"), None, None
        for child in element:
            local = self.roles[child.tag].name
            if local == "name":
                key = child.text
            elif local == "value":
                text, unit = (child.text or "").strip(), child.get("uom")
        if not key or not text:
            return
        key = prefix + key.strip()
        if unit is not None:
            self.model.units[key].add(unit_of(unit))
        declared = self.roles[element.tag].name[:3].lower()
        keep_value(attributes, key, value_of(text) if declared in ("int", "dou", "mea") else text)

    def _generic_set(self, element: Element, attributes: dict[str, Value]) -> None:
        name = element.get("name") or next((c.text for c in element if self.roles[c.tag].name == "name"), None)
        prefix = f"{(name or 'set').strip()}."
        for inner in element.iter():
            if self.roles[inner.tag].kind is Kind.GENERIC:
                self._generic(inner, prefix, attributes)

    def _appearance(self, element: Element) -> None:
        theme = ""
        for member in element:
            if self.roles[member.tag].name == "theme":
                theme = (member.text or "").strip()
            for surface_data in member:
                local = self.roles[surface_data.tag].name
                if local in ("ParameterizedTexture", "GeoreferencedTexture"):
                    self.model.textures += 1
                elif local == "X3DMaterial":
                    self._material(surface_data, theme)

    def _material(self, element: Element, theme: str) -> None:
        colour, targets, is_front = None, [], True
        for child in element:
            local = self.roles[child.tag].name
            if local == "diffuseColor":
                colour = colour_of(child.text)
            elif local == "target":
                targets.append((child.text or "").strip().removeprefix("#"))
            elif local == "isFront":
                is_front = (child.text or "").strip() not in ("false", "0")
        if colour is not None and is_front:
            self.model.colours[theme] += [(target, colour) for target in targets if target]
