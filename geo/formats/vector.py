"""GeoPackage, Shapefile and GeoJSON: footprints, roads, trees, parcels, water, contours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geo.formats import vector_source as source
from geo.formats.contract import FileInfo, Format, ReadOptions
from geo.formats.vector_fields import Meaning, meaning_of, said_meaning
from geo.formats.vector_join import join_file, joined, joined_utilities
from geo.formats.vector_layers import layers_of
from geo.formats.vector_parts import Context, VectorOptions
from geo.formats.vector_utility_nodes import is_utility
from geo.formats.vector_write import write
from geo.model import Column, Feedback, Frame, Issue, Layer, UserError
from geo.model.layer import THEMES

WORDS = ("contour", "spot height", "road edge", "wall")  # words beside the themes that `--kind` may use


def sniff(path: Path, head: bytes) -> bool:
    """Whether the bytes are a shapefile, a GeoPackage, GeoJSON text, or a zip with a GIS file in it."""
    if head[:4] == source.SHAPEFILE_MAGIC or source.looks_like_geojson(head):
        return True
    if head[:15] == b"SQLite format 3":
        return head[68:72] in (b"GPKG", b"GP10", b"GP11") or path.suffix.lower() == ".gpkg"
    return head[:4] == b"PK\x03\x04" and path.suffix.lower() == ".zip" and source.zip_has_gis(path)


def inspect(path: Path) -> FileInfo:
    """Layers with their number of features, fields and what they would be taken for."""
    with source.opened(path) as files:
        facts = [(file, name, source.layer_facts(file, name)) for file in files for name in file.layers]
        issues = [issue for file in files for issue in file.issues]
    counts: dict[str, int] = {"features": 0}
    details: dict[str, object] = {}
    for _, name, info in facts:
        counts["features"] += max(int(info["features"]), 0)
        counts[name] = max(int(info["features"]), 0)
        details[name] = _facts_of(name, path, info)
    located = [(info, source.layer_crs(info, path)) for _, _, info in facts if info["geometry_type"]]
    crs = next((name for _, name in located if name), None)
    if crs is None and located:
        issues.append(Issue("crs.not_said", "The file does not name a coordinate system.", "doubt"))
    boxes = [info["total_bounds"] for info, name in located if name == crs and info["total_bounds"]]
    bounds = None
    if boxes:
        low, high = np.min(boxes, axis=0), np.max(boxes, axis=0)
        bounds = (float(low[0]), float(low[1]), 0.0, float(high[2]), float(high[3]), 0.0)
    driver = str(facts[0][2].get("driver", ""))
    more: dict[str, object] = {"driver": driver, "layers": details}
    return FileInfo("vector", FORMAT.title, "", crs, "", bounds, counts, tuple(issues), more)


def _facts_of(name: str, path: Path, info: Mapping[str, Any]) -> dict[str, object]:
    fields = [str(field) for field in info["fields"]]
    meaning = meaning_of(name, path.stem, dict.fromkeys(fields, _NOTHING), _flatness(str(info["geometry_type"])))
    return {"geometry": str(info["geometry_type"]), "fields": fields, "taken_for": meaning.word}


_NOTHING = Column(np.zeros(0))


def _flatness(geometry_type: str) -> str:
    return next((flat for mark, flat in (("Polygon", "area"), ("Line", "line")) if mark in geometry_type), "point")


def read(path: Path, frame: Frame, options: ReadOptions, feedback: Feedback) -> list[Layer]:
    """Every layer of the file in local metres: solids, draped meshes, lines, points or trees by what they are."""
    own = options.own if isinstance(options.own, VectorOptions) else VectorOptions()
    said = checked_kind(options.kind)
    feedback.step(0.0, f"opening {path.name}")
    found: list[Layer] = []
    with source.opened(path, encoding=own.encoding) as files:
        wanted = [(file, name) for file in files for name in file.layers if own.layer in ("", name)]
        if not wanted:
            raise _no_such_layer(path, own.layer, [name for file in files for name in file.layers])
        for number, (file, name) in enumerate(wanted):
            part = feedback.part(number / len(wanted), (number + 1) / len(wanted))
            part.step(0.0, f"reading {name}")
            features = source.read_layer(file, name, frame, crs=options.crs, box=options.box)
            rest: list[Layer] = []
            if own.join:
                part.step(0.3, f"joining {own.join}")
                features, rest = _joined(features, path, said, own, frame, boxed=options.box is not None)
            part.step(0.4, f"building {name}")
            cloud = join_file(own.cloud, path) if own.cloud else None
            context = Context(frame, options.terrain, own, part, cloud)
            title = path.stem if len(wanted) == 1 else name
            found += [*layers_of(features, path.stem, said, context, title=title), *rest]
    if not found:
        message = f"{path.name} has nothing {'inside the box' if options.box else 'in it'}."
        if options.box is None:
            raise _nothing_in(path)
        feedback.note(Issue("box.empty", message, "note", values={"name": path.name}))
    feedback.step(1.0, "read")
    return found


def _joined(
    features: source.Features, path: Path, said: Meaning | None, own: VectorOptions, frame: Frame, *, boxed: bool
) -> tuple[source.Features, list[Layer]]:
    """Features with the columns of a table, and a layer of the rows of a utility register that have no feature."""
    if not is_utility(features, path.stem, said):
        return joined(features, path, join=own.join, by=own.join_key, column=own.join_column, frame=frame,
                      boxed=boxed), []  # fmt: skip
    done = joined_utilities(features, path, join=own.join, by=own.join_key, column=own.join_column, frame=frame,
                            boxed=boxed)  # fmt: skip
    part = f"{features.name}/register"
    return done.features, [] if boxed else done.left_over_layer(part, f"{path.stem} register")


def checked_kind(kind: str | None) -> Meaning | None:
    """The user's word for what the data are; None for none. Raises `UserError` for one that is not known."""
    if not kind:
        return None
    meaning = said_meaning(kind)
    if meaning.word in WORDS or meaning.theme in THEMES:
        return meaning
    raise UserError(
        f"The program does not know the kind '{kind}'.",
        "It names what the data are, so that they can be built and drawn as such.",
        f"Use one of: {', '.join((*THEMES, *WORDS))}.",
        code="vector.unknown_kind",
        values={"kind": kind, "kinds": ", ".join((*THEMES, *WORDS))},
    )


def _no_such_layer(path: Path, layer: str, layers: list[str]) -> UserError:
    return UserError(
        f"{path.name} has no layer '{layer}'.",
        f"Its layers are: {', '.join(layers)}.",
        "Name one of these, or none to read them all.",
        code="vector.no_such_layer",
        values={"name": path.name, "layer": layer, "layers": ", ".join(layers)},
    )


def _nothing_in(path: Path) -> UserError:
    return UserError(
        f"{path.name} holds no features.",
        "Its layers are empty.",
        "Check how the file was made, or fetch it again.",
        code="vector.no_features",
        values={"name": path.name},
    )


FORMAT = Format(
    id="vector",
    title="GIS features (GeoPackage, Shapefile, GeoJSON)",
    patterns=("*.gpkg", "*.shp", "*.geojson", "*.json", "*.zip"),
    sniff=sniff,
    inspect=inspect,
    read=read,
    write=write,
    writes=("mesh", "lines", "points", "instances"),
    options=VectorOptions,
    version=3,  # utilities in space
)
