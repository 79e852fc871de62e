"""Headless. The alternatives of a document, which one is shown, and the commands that change them.

The scene always holds what is shown: the base, or the base as the active alternative has it. What the base was of the
layers that differ is kept here, so that switching back is exact and other alternatives can be worked out at any time.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from psygnal import Signal

from analysis.contract import Analysis, Variant, describe_inputs
from geo.alternatives import (
    MADE,
    TREES,
    Alternative,
    Change,
    Mass,
    Tree,
    apply_alternative,
    lost_changes,
    mass_layer,
)
from geo.model import ElementRef, Issue, Layer, UserError

if TYPE_CHECKING:
    from app.commands import Command
    from app.document import Document

BASE = ""  # id that stands for the base scene
NAMES_SHOWN = 5


class AlternativeList:
    """The alternatives of a document, in their order, and which is shown.

    Attributes
    ----------
    active : str
        Id of the alternative that the scene shows; `BASE` for the base.
    base : dict
        Base layers, by id, of those the scene shows changed.

    Signals
    -------
    changed()
        The list, a name, a change or what is shown is another.
    """

    changed = Signal()

    def __init__(self) -> None:
        self._items: tuple[Alternative, ...] = ()
        self.active = BASE
        self.base: dict[str, Layer] = {}

    @property
    def items(self) -> tuple[Alternative, ...]:
        """All of them."""
        return self._items

    def get(self, alternative_id: str) -> Alternative | None:
        """The alternative of that id; None for the base and for one that is not there."""
        return next((item for item in self._items if item.id == alternative_id), None)

    def named(self, name: str) -> Alternative:
        """The alternative of that name or id, or a `UserError` that lists what there is."""
        for item in self._items:
            if name in (item.name, item.id):
                return item
        known = ", ".join(item.name for item in self._items)
        raise UserError(
            f"There is no alternative called {name}.",
            f"The project has: {known}." if known else "The project has no alternatives.",
            "Check the name.",
            code="alternative.unknown",
            values={"name": name, "known": known or "-"},
        )

    def set(self, items: Iterable[Alternative]) -> None:
        """Replace the list; the scene is not touched (`show_alternative` does that)."""
        self._items = tuple(items)

    def free_name(self, wish: str) -> str:
        """`wish`, or `wish 2`, `wish 3` ... if it is taken."""
        names, number, name = {item.name for item in self._items}, 2, wish
        while name in names:
            name, number = f"{wish} {number}", number + 1
        return name


def new_alternative(name: str) -> Alternative:
    """An empty alternative with an id of its own."""
    return Alternative(uuid.uuid4().hex[:12], name)


def base_layers(document: Document) -> tuple[Layer, ...]:
    """The layers of the base scene, with the names and styles they are shown with now."""
    kept = document.alternatives.base
    out = []
    for layer in document.scene:
        if layer.source.reader == MADE:
            continue
        before = kept.get(layer.id)
        out.append(layer if before is None else before.with_(name=layer.name, style=layer.style))
    return tuple(out)


def layers_of(document: Document, alternative_id: str) -> tuple[Layer, ...]:
    """The layers of the scene as an alternative has them (`BASE`: the base), whichever is shown."""
    if alternative_id == document.alternatives.active:
        return tuple(document.scene)
    alternative = document.alternatives.get(alternative_id)
    if alternative is None and alternative_id != BASE:
        raise UserError(
            "That alternative is not in the project any more.",
            "It was removed.",
            "Choose another.",
            code="alternative.gone",
        )
    return apply_alternative(base_layers(document), alternative)


def scenes_of(document: Document, wanted: Sequence[str] | None) -> list[tuple[Variant, tuple[Layer, ...]]]:
    """Each alternative asked for, with its layers; what is shown when nothing is asked for."""
    ids = [document.alternatives.active] if wanted is None else list(dict.fromkeys(wanted))
    return [(variant_of(document, one), layers_of(document, one)) for one in ids]


def chosen_among(
    analysis: Analysis, chosen: Mapping[str, Sequence[str]] | None, layers: Sequence[Layer], shown: Sequence[Layer]
) -> Mapping[str, Sequence[str]] | None:
    """What was chosen among the layers that are shown, for the layers of another alternative.

    Layers that only one alternative has (its new masses) are left out where they are not, and follow where they are.
    """
    if chosen is None:
        return None
    there = {layer.id: layer for layer in layers}
    on_offer = {layer.id for layer in shown}
    specs = {spec.name: spec for spec in describe_inputs(analysis.inputs)}
    out: dict[str, Sequence[str]] = {}
    for name, ids in chosen.items():
        spec = specs.get(name)
        made = [one.id for one in layers if one.source.reader == MADE and one.id not in on_offer]
        more = [one for one in made if spec and spec.many and not spec.named and spec.accepts(there[one])]
        lost = {one.id for one in shown if one.source.reader == MADE and one.id not in there}
        out[name] = [*(one for one in ids if one not in lost), *more]
    return out


def variant_of(document: Document, alternative_id: str) -> Variant:
    """What the record of a run says of an alternative."""
    alternative = document.alternatives.get(alternative_id)
    return Variant(alternative.id, alternative.name) if alternative is not None else Variant()


def lost_issues(alternative: Alternative, layers: Sequence[Layer], *, missing: bool) -> list[Issue]:
    """A doubt about changes of elements that the base no longer has; none while files are `missing`."""
    lost = [] if missing else lost_changes(layers, alternative)
    if not lost:
        return []
    names = ", ".join(ref.element_id for ref in lost[:NAMES_SHOWN])
    message = f"The alternative {alternative.name} changes {len(lost)} elements that are not there: {names}."
    values = {"name": alternative.name, "elements": names}
    return [Issue("alternative.lost_elements", message, "doubt", count=len(lost), values=values)]


def show_alternative(document: Document, alternative_id: str) -> None:
    """Bring the scene to what an alternative says. Only layers that differ are replaced."""
    alternatives = document.alternatives
    wanted = alternatives.get(alternative_id)
    bases = {layer.id: layer for layer in base_layers(document)}
    touched = wanted.touched if wanted is not None else set()
    shown = {layer.id: layer for layer in apply_alternative([bases[i] for i in bases if i in touched], wanted)}
    for layer in tuple(document.scene):
        if layer.source.reader == MADE:
            if layer.id not in shown:
                document.scene.remove(layer.id)
        elif layer.id not in shown and layer.id in alternatives.base:
            document.scene.replace(bases[layer.id])
    alternatives.base = {layer_id: bases[layer_id] for layer_id in shown if layer_id in bases}
    for layer in shown.values():
        if layer.id not in document.scene:
            document.scene.add(layer)
        else:
            now = document.scene[layer.id]
            document.scene.replace(layer.with_(name=now.name, style=now.style))
    alternatives.active = wanted.id if wanted is not None else BASE
    document.selection.set(ref for ref in document.selection.items if ref.layer_id in document.scene)
    alternatives.changed.emit()


@dataclass
class SetAlternatives:
    """Replace the list, or what is shown of it, as one step: add, remove, rename, switch, change.

    Attributes
    ----------
    items : tuple of Alternative
    active : str
        What is shown afterwards.
    drag : str
        Changes with the same mark that follow each other become one step (a drag); never when empty.
    """

    items: tuple[Alternative, ...]
    active: str
    title: str = "set_alternatives"
    drag: str = ""
    _before: tuple[tuple[Alternative, ...], str] | None = None

    def do(self, document: Document) -> None:
        """Set the list and show what is to be shown."""
        now = (document.alternatives.items, document.alternatives.active)
        self._before = self._before or now
        _set(document, self.items, self.active)

    def undo(self, document: Document) -> None:
        """Return to the list before."""
        if self._before is not None:
            _set(document, *self._before)

    def merge(self, later: Command) -> Command | None:
        """The steps of one drag are one."""
        if not isinstance(later, SetAlternatives) or not self.drag or later.drag != self.drag:
            return None
        return SetAlternatives(later.items, later.active, self.title, self.drag, self._before)


def _set(document: Document, items: tuple[Alternative, ...], active: str) -> None:
    before = (document.alternatives.items, document.alternatives.active)
    document.alternatives.set(items)
    try:
        show_alternative(document, active)
    except Exception:
        document.alternatives.set(before[0])
        show_alternative(document, before[1])
        raise


def add_alternative(document: Document, name: str, *, copy_of: str = BASE) -> SetAlternatives:
    """The step that adds an alternative, a copy of another or empty, and shows it."""
    alternatives = document.alternatives
    model = alternatives.get(copy_of)
    made = new_alternative(alternatives.free_name(name))
    if model is not None:
        made = replace(model, id=made.id, name=made.name, changes=dict(model.changes))
    return SetAlternatives((*alternatives.items, made), made.id, "add_alternative")


def remove_alternative(document: Document, alternative_id: str) -> SetAlternatives:
    """The step that removes an alternative; its results stay."""
    alternatives = document.alternatives
    items = tuple(item for item in alternatives.items if item.id != alternative_id)
    active = BASE if alternatives.active == alternative_id else alternatives.active
    return SetAlternatives(items, active, "remove_alternative")


def rename_alternative(document: Document, alternative_id: str, name: str) -> SetAlternatives:
    """The step that renames an alternative."""
    alternatives = document.alternatives
    others = tuple(item.name for item in alternatives.items if item.id != alternative_id)
    if not name.strip() or name in others:
        raise UserError(
            f"An alternative cannot be called '{name}'.",
            "The name is empty or taken.",
            "Give another name.",
            code="alternative.bad_name",
            values={"name": name},
        )
    items = tuple(replace(item, name=name) if item.id == alternative_id else item for item in alternatives.items)
    return SetAlternatives(items, alternatives.active, "rename_alternative")


def switch_alternative(document: Document, alternative_id: str) -> SetAlternatives:
    """The step that shows another alternative, or the base."""
    return SetAlternatives(document.alternatives.items, alternative_id, "switch_alternative")


def change_shown(
    document: Document, change: Callable[[Alternative], Alternative], title: str, *, name: str, drag: str = ""
) -> SetAlternatives:
    """The step that changes the alternative shown; on the base it first makes one called `name`."""
    alternative, items = _editable(document, name)
    made = change(alternative)
    return SetAlternatives(_with(items, made), made.id, title, drag)


def change_elements(
    document: Document, changes: Mapping[ElementRef, Change], *, name: str, drag: str = ""
) -> SetAlternatives:
    """The step that changes elements in the alternative shown; on the base it first makes one called `name`.

    changes : mapping
        The whole change of each element against the base (not against what is shown).
    """
    alternative, items = _editable(document, name)
    for ref, change in changes.items():
        alternative = alternative.changed(ref, change)
    return SetAlternatives(_with(items, alternative), alternative.id, "change_elements", drag)


def set_mass(document: Document, mass: Mass, *, name: str, drag: str = "") -> SetAlternatives:
    """The step that adds a mass, or changes the one with its id, in the alternative shown (see `change_elements`)."""
    mass_layer([mass])  # a footprint that makes no solid is refused before anything changes
    alternative, items = _editable(document, name)
    made = alternative.with_mass(mass)
    return SetAlternatives(_with(items, made), made.id, "set_mass", drag)


def remove_mass(document: Document, mass_id: str, *, name: str) -> SetAlternatives:
    """The step that takes a mass away."""
    alternative, items = _editable(document, name)
    made = alternative.without_mass(mass_id)
    return SetAlternatives(_with(items, made), made.id, "remove_mass")


def plant_tree(document: Document, tree: Tree, *, name: str) -> SetAlternatives:
    """The step that plants a tree in the alternative shown (see `change_elements`)."""
    alternative, items = _editable(document, name)
    made = alternative.with_tree(tree)
    return SetAlternatives(_with(items, made), made.id, "plant_tree")


def remove_trees(document: Document, refs: Iterable[ElementRef], *, name: str) -> SetAlternatives:
    """The step that takes trees away: planted ones, and those of the base scene."""
    alternative, items = _editable(document, name)
    refs = tuple(refs)
    made = alternative.without_trees({ref.element_id for ref in refs if ref.layer_id == TREES})
    for ref in refs:
        if ref.layer_id != TREES:
            made = made.changed(ref, Change(removed=True))
    return SetAlternatives(_with(items, made), made.id, "remove_trees")


def change_of(document: Document, ref: ElementRef) -> Change:
    """What the alternative shown makes of an element."""
    alternative = document.alternatives.get(document.alternatives.active)
    return alternative.changes.get(ref, Change()) if alternative is not None else Change()


def _editable(document: Document, name: str) -> tuple[Alternative, tuple[Alternative, ...]]:
    alternatives = document.alternatives
    shown = alternatives.get(alternatives.active)
    if shown is not None:
        return shown, alternatives.items
    made = new_alternative(alternatives.free_name(name))
    return made, (*alternatives.items, made)


def _with(items: tuple[Alternative, ...], alternative: Alternative) -> tuple[Alternative, ...]:
    return tuple(alternative if item.id == alternative.id else item for item in items)
