"""Headless. Topics made of rows: findings of a study, clashes, chosen elements, each with a view of its place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from app.element_rows import extent_of
from app.language import tr
from app.model_view import is_model_layer
from app.names import layer_title
from app.numbers import quantity_text
from app.topic_elements import components_of
from app.topic_place import Anchor, anchor_for_new, eye_of
from app.topics import new_guid, now
from app.view.camera import looking
from app.words import class_name, field_name, heading
from bim.bcf.model import ModelFile, Topic, Viewpoint
from geo.model import Column, ElementRef, Frame, Layer

MOST_TOPICS = 50  # of one asking: a list that nobody can go through helps nobody
AZIMUTH, PITCH = 20.0, -40.0  # degrees
SHORTEST, PER_SIZE = 12.0, 2.5  # metres from the place looked at, and per metre of what lies there
SEVERITY = "severity"
PRIORITIES = {"error": "High", "severe": "High", "doubt": "Normal", "warning": "Normal", "note": "Low"}
IN_TITLE = 3  # texts of a row that make its title
FIRST_IN_TITLE = ("rule", "problem", "kind", "finding", "class", "name", "title")
NOT_IN_TITLE = (SEVERITY, "easting", "northing", "layer")


def findings_of(layers: Sequence[Layer]) -> Layer | None:
    """The layer of a run whose rows are worth a topic: findings with a severity, else points, lines, else a table."""
    order = ("points", "lines", "mesh", "instances", "table")
    rows = [layer for layer in layers if len(layer.table) and layer.kind in order]
    return min(rows, key=lambda la: (SEVERITY not in la.table.columns, order.index(la.kind)), default=None)


def rows_by_severity(layer: Layer) -> list[int]:
    """All rows, the gravest first."""
    column = layer.table.columns.get(SEVERITY)
    if column is None:
        return list(range(len(layer.table)))
    if column.is_number:
        return [int(row) for row in np.argsort(-column.values.astype(np.float64), kind="stable")]
    ranks = ("High", "Normal", "Low")
    words = [PRIORITIES.get(str(value), "Low") for value in column.values.tolist()]
    return sorted(range(len(words)), key=lambda row: ranks.index(words[row]))


def topics_of(
    layer: Layer, rows: Sequence[int], *, layers: Sequence[Layer], frame: Frame, author: str, limit: int = MOST_TOPICS
) -> list[Topic]:
    """A topic for each of the first `limit` rows of a layer.

    Its title is made of the row's texts, its description of all its values; elements of other layers that the row
    names are its components, and it looks at the place of the row's shape or of these elements.
    """
    others = [other for other in layers if other.id != layer.id and other.theme != "result" and len(other.table)]
    return [_topic(layer, int(row), others, layers, frame, author) for row in rows[:limit]]


def _topic(
    layer: Layer, row: int, others: Sequence[Layer], layers: Sequence[Layer], frame: Frame, author: str
) -> Topic:
    own = is_model_layer(layer) or layer.theme != "result"
    refs = [ElementRef(layer.id, str(layer.table.ids[row]))] if own else list(_named(layer, row, others))
    anchor = anchor_for_new(layers, frame, chosen=[ref.layer_id for ref in refs])
    view = _view(layer, row, refs, layers, anchor)
    values = layer.table.columns
    severity = values.get(SEVERITY)
    return Topic(
        guid=new_guid(),
        title=_title(layer, row),
        description="\n".join(_lines(values, row)),
        type="Issue",
        status="Open",
        priority="" if severity is None else PRIORITIES.get(str(severity.values[row]), ""),
        labels=(_subject(layer),),
        author=author,
        created=now(),
        viewpoints=() if view is None else (view,),
        files=(ModelFile(anchor.model),) if anchor.model else (),
        on_map=not anchor.model,
    )


def _named(layer: Layer, row: int, others: Sequence[Layer]) -> Iterator[ElementRef]:
    """Elements of other layers that texts of a row name by their ids."""
    texts = [str(c.values[row]) for c in layer.table.columns.values() if c.values.dtype == object and c.values[row]]
    for text in dict.fromkeys([*texts, str(layer.table.ids[row])]):
        for other in others:
            if text in other.table.index:
                yield ElementRef(other.id, text)


def _view(
    layer: Layer, row: int, refs: Sequence[ElementRef], layers: Sequence[Layer], anchor: Anchor
) -> Viewpoint | None:
    by_id = {other.id: other for other in layers}
    places = [(layer, row)] if layer.geometry is not None else []
    places += [(by_id[r.layer_id], by_id[r.layer_id].table.index[r.element_id]) for r in refs if not places]
    boxes = [box for owner, number in places if (box := extent_of(owner, np.array([number]))) is not None]
    components = components_of(refs, layers)
    if not boxes:
        return Viewpoint(new_guid(), selected=components) if components else None
    box = boxes[0]
    distance = max(SHORTEST, PER_SIZE * math.sqrt(sum(v * v for v in box.size)))
    camera = looking(np.array(box.centre), azimuth=AZIMUTH, pitch=PITCH, distance=distance, fov=45.0)
    return Viewpoint(new_guid(), eye=eye_of(camera, anchor, aspect=16 / 9), selected=components)


def _title(layer: Layer, row: int) -> str:
    """The layer and the row's most telling texts."""
    columns = layer.table.columns
    texts = [name for name, c in columns.items() if c.values.dtype == object and name not in NOT_IN_TITLE]
    texts.sort(key=lambda name: FIRST_IN_TITLE.index(name) if name in FIRST_IN_TITLE else len(FIRST_IN_TITLE))
    said = [_word(name, columns[name].values[row]) for name in texts if columns[name].values[row]]
    words = list(dict.fromkeys(said))[:IN_TITLE] or [str(layer.table.ids[row])]
    return " · ".join([_subject(layer), *words])


def _subject(layer: Layer) -> str:
    """The study that found it, or the layer it is of."""
    record = layer.source.provenance.get("provenance")
    analysis_id = str(record["analysis"]) if isinstance(record, Mapping) else ""
    return tr(f"{analysis_id}.title", layer_title(layer)) if analysis_id else layer_title(layer)


def _lines(columns: Mapping[str, Column], row: int) -> Iterator[str]:
    for name, column in columns.items():
        value = column.values[row]
        if value is None or value == "" or (column.values.dtype.kind == "f" and not math.isfinite(float(value))):
            continue
        title = heading(field_name(name, column.title))
        text = quantity_text(value.item(), column.unit) if isinstance(value, np.generic) else _word(name, value)
        yield f"{title}: {text}"


def _word(name: str, value: object) -> str:
    """A code of a study in words, where there are any."""
    return class_name(name, str(value))
