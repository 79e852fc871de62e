"""Headless. What one alternative has otherwise than another, thing by thing, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import atan2, hypot, pi

from app.language import tr
from app.numbers import number_text
from geo.alternatives import MASSES, TREES, Alternative, Change, Mass, Tree
from geo.model import ElementRef
from geo.proposals import Proposal

Thing = Change | Mass | Tree | Proposal
SAME_PLACE = 0.05  # [m]


@dataclass(frozen=True)
class Differing:
    """One thing that is not the same; None where a side has none or leaves it as it is.

    Attributes
    ----------
    ref : ElementRef
    before, after : Change, Mass, Tree, Proposal or None
    """

    ref: ElementRef
    before: Thing | None
    after: Thing | None

    @property
    def name(self) -> str:
        """What the thing is called; empty for an element of the base."""
        thing = self.after or self.before
        if isinstance(thing, Tree):
            return tr("massing.tree")
        return "" if thing is None or isinstance(thing, Change) else thing.name or thing.id


def differing(before: Alternative | None, after: Alternative | None) -> tuple[Differing, ...]:
    """What an alternative has otherwise than another; None is the base."""
    first, second = things_of(before), things_of(after)
    refs = dict.fromkeys([*first, *second])
    return tuple(Differing(ref, first.get(ref), second.get(ref)) for ref in refs if first.get(ref) != second.get(ref))


def things_of(alternative: Alternative | None) -> dict[ElementRef, Thing]:
    """Everything an alternative changes or puts up."""
    if alternative is None:
        return {}
    out: dict[ElementRef, Thing] = dict(alternative.changes)
    out.update({ElementRef(MASSES, mass.id): mass for mass in alternative.masses})
    out.update({ElementRef(TREES, tree.id): tree for tree in alternative.trees})
    out.update({ElementRef(one.layer_id, one.id): one for one in alternative.proposals})
    return out


def difference_text(row: Differing) -> str:
    """What is other, in one line."""
    if isinstance(row.before, Mass) and isinstance(row.after, Mass):
        return mass_difference(row.before, row.after)
    return f"{thing_text(row.before, row)} → {thing_text(row.after, row)}"


def thing_text(thing: Thing | None, row: Differing) -> str:
    """One side."""
    if thing is None:
        is_change = isinstance(row.before or row.after, Change)
        return tr("alternatives.unchanged" if is_change else "alternatives.absent")
    if isinstance(thing, Change):
        texts = change_texts(thing)
    elif isinstance(thing, Mass):
        texts = mass_texts(thing)
    elif isinstance(thing, Tree):
        texts = tree_texts(thing)
    else:
        texts = proposal_texts(thing)
    return " · ".join(text for text in texts if text)


def change_texts(change: Change) -> tuple[str, str, str]:
    """Move, turn and height of a change for people; empty where nothing changes."""
    if change.removed:
        return tr("alternatives.gone"), "", ""
    east, north, up = change.move
    parts = [moved_text(east, north)] if hypot(east, north) > 0 else []
    parts += [f"{up:+.1f} m ↕"] if abs(up) >= SAME_PLACE else []
    turn = f"{change.turn_deg:+.4g}°" if change.turn_deg else ""
    height = f"× {number_text(round(change.height_factor, 3))}" if change.height_factor != 1.0 else ""
    return " ".join(parts), turn, height


def mass_texts(mass: Mass) -> tuple[str, str, str]:
    """What is said of a new mass."""
    height = f"{number_text(round(mass.height, 2))} m"
    return tr("alternatives.is_new"), tr("alternatives.storeys", count=mass.storeys), height


def tree_texts(tree: Tree) -> tuple[str, str, str]:
    """What is said of a planted tree."""
    return tr("alternatives.is_new"), "", f"{number_text(round(tree.height, 1))} m"


def proposal_texts(one: Proposal) -> tuple[str, str, str]:
    """What is said of the building of a file."""
    return tr("proposal.from_file", name=one.model.file), "", f"{number_text(round(one.height, 2))} m"


def mass_difference(before: Mass, after: Mass) -> str:
    """What two states of one mass have otherwise."""
    return " · ".join(text for text in _mass_differences(before, after) if text)


def _mass_differences(before: Mass, after: Mass) -> Iterable[str]:
    def told(title: str, get: Callable[[Mass], object], unit: str = "") -> str:
        first, second = get(before), get(after)
        return f"{tr(title)} {_said(first)} → {_said(second)}{unit}" if first != second else ""

    yield told("mass.name", lambda mass: mass.name)
    yield told("mass.use", lambda mass: mass.use)
    yield told("mass.storeys", lambda mass: mass.storeys)
    yield told("mass.storey_height", lambda mass: mass.storey_height, " m")
    yield told("massing.podium_storeys", lambda mass: mass.podium_storeys)
    yield told("massing.inset", lambda mass: mass.inset, " m")
    yield _outlines(before, after)
    if abs(after.base - before.base) >= SAME_PLACE:
        yield f"{after.base - before.base:+.1f} m ↕"


def _outlines(before: Mass, after: Mass) -> str:
    """How far the footprint went, or that it is another."""
    if before.ring == after.ring:
        return ""
    (x0, y0), (x1, y1) = _middle(before), _middle(after)
    if hypot(x1 - x0, y1 - y0) >= SAME_PLACE:
        return moved_text(x1 - x0, y1 - y0)
    return tr("alternatives.outline")


def _middle(mass: Mass) -> tuple[float, float]:
    """Middle of its box in plan, about which it turns."""
    across, along = ([point[axis] for point in mass.ring] for axis in (0, 1))
    return (min(across) + max(across)) / 2, (min(along) + max(along)) / 2


def _said(value: object) -> str:
    return number_text(value) if isinstance(value, int | float) else str(value) or "–"


def moved_text(east: float, north: float) -> str:
    """A way in plan: its length, and an arrow toward one of eight sides; north is up."""
    side = "→↗↑↖←↙↓↘"[round(atan2(north, east) / (pi / 4)) % 8]
    return f"{hypot(east, north):.1f} m {side}"
