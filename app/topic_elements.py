"""Headless. The elements that a topic names: found in the scene, and told shortly when they are many.

More than `MOST_NAMED` elements are told by rules over the columns of the model (``class = IfcWall and storey = 2F``)
instead of a list of ids. A rule is written only where it is exact; what it does not cover is named one by one.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from app.commands import Command, SetStyle, Together
from app.model_view import is_model_layer
from bim.bcf.model import PROGRAM, RULE, Component, Viewpoint
from geo.model import ElementRef, Layer

Names = NDArray[np.object_]

MOST_NAMED = 1000  # elements that a viewpoint lists by their ids
MODEL = "model"  # in rules: the name of the model's file
KEYS = (("class",), ("storey",), (MODEL,), ("class", "storey"), (MODEL, "class"), (MODEL, "storey"))
ALL_KEYS = (*KEYS, (MODEL, "class", "storey"))
IFC_GUID = re.compile(r"[0-9A-Za-z_$]{22}")
TERM = re.compile(r'([\w .]+?) = ("(?:[^"\\]|\\.)*"|.*?)(?: and (?=[\w .]+ = )|$)')
PLAIN = re.compile(r'[^"=]*')


def components_of(refs: Iterable[ElementRef], layers: Sequence[Layer]) -> tuple[Component, ...]:
    """Components for elements; rules where they would be more than `MOST_NAMED`."""
    by_id = {layer.id: layer for layer in layers}
    refs = [ref for ref in refs if ref.layer_id in by_id]
    if len(refs) <= MOST_NAMED:
        return tuple(dict.fromkeys(_component(by_id[ref.layer_id], ref.element_id) for ref in refs))
    return _by_rules(refs, [layer for layer in layers if is_model_layer(layer)], by_id)


def _component(layer: Layer, element_id: str) -> Component:
    guid = element_id.partition("#")[0]
    if is_model_layer(layer) and IFC_GUID.fullmatch(guid):
        return Component(guid)
    return Component("", PROGRAM, f"{layer.id}/{element_id}")


def _by_rules(refs: Sequence[ElementRef], models: Sequence[Layer], by_id: Mapping[str, Layer]) -> tuple[Component, ...]:
    """The fewest components that name the elements."""
    chosen: dict[str, set[str]] = {}
    for ref in refs:
        chosen.setdefault(ref.layer_id, set()).add(ref.element_id)
    owners = [la for la in models for _ in range(len(la.table))]
    ids = [i for la in models for i in la.table.ids.tolist()]
    mask = np.array([i in chosen.get(la.id, ()) for la, i in zip(owners, ids, strict=True)], dtype=np.bool_)
    best_rules: list[str] = []
    best_left = np.flatnonzero(mask)
    for keys in ALL_KEYS:
        rules, left = _exact(keys, models, mask)
        if len(rules) + len(left) < len(best_rules) + len(best_left):
            best_rules, best_left = rules, left
    told = [Component("", PROGRAM, RULE + rule) for rule in best_rules]
    told += [_component(owners[row], ids[row]) for row in best_left]
    known = {layer.id for layer in models}
    told += [_component(by_id[ref.layer_id], ref.element_id) for ref in refs if ref.layer_id not in known]
    return tuple(dict.fromkeys(told))


def _exact(keys: Sequence[str], models: Sequence[Layer], mask: NDArray[np.bool_]) -> tuple[list[str], NDArray[np.intp]]:
    """Rules over some columns whose elements are all chosen, and the rows of the chosen ones that none covers."""
    columns = [np.concatenate([_values(layer, key) for layer in models]) for key in keys]
    rows: dict[tuple[str, ...], list[int]] = {}
    for row, values in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        rows.setdefault(values, []).append(row)
    rules, left = [], mask.copy()
    for values, members in rows.items():
        if all(values) and bool(mask[members].all()):
            rules.append(condition(dict(zip(keys, values, strict=True))))
            left[members] = False
    return rules, np.flatnonzero(left)


def condition(values: Mapping[str, str]) -> str:
    """A rule as text: ``class = IfcWall and storey = 2F``."""
    plain = {key: PLAIN.fullmatch(v) and " and " not in v and v == v.strip() for key, v in values.items()}
    return " and ".join(f"{key} = {v if plain[key] else json.dumps(v)}" for key, v in values.items())


def terms(rule: str) -> dict[str, str]:
    """Columns and values of a rule; empty for what is none."""
    found: dict[str, str] = {}
    for key, value in TERM.findall(rule):
        try:
            found[key.strip()] = str(json.loads(value)) if value.startswith('"') else value
        except ValueError:
            return {}
    return found


def _values(layer: Layer, key: str) -> Names:
    """(n,) texts of a column; empty where a layer has none."""
    if key == MODEL:
        return np.full(len(layer.table), PurePath(layer.source.path).stem, dtype=object)
    column = layer.table.columns.get(key)
    if column is None:
        return np.full(len(layer.table), "", dtype=object)
    return np.array(["" if value is None else str(value) for value in column.values.tolist()], dtype=object)


def refs_of(components: Sequence[Component], layers: Sequence[Layer]) -> tuple[list[ElementRef], list[str]]:
    """The elements that components name in all layers, and the names of those that are not there."""
    found: list[ElementRef] = []
    missing: list[str] = []
    models = [layer for layer in layers if is_model_layer(layer)]
    parts = _guids(models, {c.ifc_guid for c in components if c.ifc_guid})
    for component in components:
        if component.rule:
            mine = list(_fulfilling(component.rule, models))
        elif component.ifc_guid:
            mine = parts.get(component.ifc_guid, [])
        else:
            mine = _own(component, layers)
        found += mine
        if not mine:
            missing.append(component.ifc_guid or component.rule or component.tool_id)
    return list(dict.fromkeys(found)), missing


def _guids(models: Sequence[Layer], wanted: set[str]) -> dict[str, list[ElementRef]]:
    """Elements by GlobalId, with the parts ``GlobalId#n`` that an element may be drawn in."""
    found: dict[str, list[ElementRef]] = {}
    for layer in models if wanted else ():
        for element_id in layer.table.index:
            guid = element_id.partition("#")[0]
            if guid in wanted:
                found.setdefault(guid, []).append(ElementRef(layer.id, element_id))
    return found


def _fulfilling(rule: str, models: Sequence[Layer]) -> Iterator[ElementRef]:
    wanted = terms(rule)
    for layer in models if wanted else ():
        mask = np.ones(len(layer.table), dtype=np.bool_)
        for key, value in wanted.items():
            mask &= _values(layer, key) == value
        for row in np.flatnonzero(mask):
            yield ElementRef(layer.id, str(layer.table.ids[row]))


def _own(component: Component, layers: Sequence[Layer]) -> list[ElementRef]:
    """Elements of the city: ``layer/element``, or a whole layer."""
    layer = max(
        (la for la in layers if component.tool_id.startswith(f"{la.id}/")), key=lambda la: len(la.id), default=None
    )
    if layer is None:
        return []
    element_id = component.tool_id[len(layer.id) + 1 :]
    return [ElementRef(layer.id, element_id)] if not element_id or element_id in layer.table.index else []


# ---- what is seen


def visibility_of(layers: Sequence[Layer]) -> tuple[bool, tuple[Component, ...]]:
    """Whether elements of models are seen unless named, and the elements named. Rooms do not count."""
    hidden: list[ElementRef] = []
    shown: list[ElementRef] = []
    for layer in layers:
        if not is_model_layer(layer) or layer.theme == "space":
            continue
        for element_id in layer.table.index:
            seen = layer.style.visible and element_id not in layer.style.hidden
            (shown if seen else hidden).append(ElementRef(layer.id, element_id))
    default = len(hidden) <= len(shown)
    return default, components_of(hidden if default else shown, layers)


def visibility_command(view: Viewpoint, layers: Sequence[Layer]) -> tuple[Command | None, list[str]]:
    """The step that hides and shows elements of models as a viewpoint says, and the names that are not there."""
    refs, missing = refs_of(view.exceptions, layers)
    named: dict[str, set[str]] = {}
    for ref in refs:
        named.setdefault(ref.layer_id, set()).add(ref.element_id)
    steps = []
    for layer in layers:
        mine = frozenset(named.get(layer.id, ()))
        if not is_model_layer(layer):
            continue
        hidden = mine if view.default_visible else frozenset(layer.table.index) - mine
        visible = layer.theme != "space" or view.spaces_visible or (bool(mine) and not view.default_visible)
        style = dataclasses.replace(layer.style, visible=visible, hidden=hidden)
        if style != layer.style:
            steps.append(SetStyle(layer.id, style, "go_to_topic"))
    return (Together(tuple(steps), "go_to_topic") if steps else None), missing
