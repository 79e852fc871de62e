"""Headless. Registers that are opened together with the maps they belong to: they are joined, not imported besides."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.language import tr
from geo.formats.register_pairs import SHEETS, is_table, pairs_of, register_ids
from geo.model import Feedback, UserError

if TYPE_CHECKING:
    from app.import_dialog import Examined

TAKEN_FOR = "utility"


def with_registers(found: Sequence[Examined], feedback: Feedback) -> list[Examined]:
    """The files with what is known of maps and registers among them."""
    maps = [item for item in found if item.error is None and _is_utility_map(item)]
    tables = [item for item in found if is_table(item.path)]
    if not tables:
        return list(found)
    pairs = {pair.map: pair for pair in pairs_of([m.path for m in maps], [t.path for t in tables], feedback)}
    out = []
    for item in found:
        owners = tuple(pair.map.name for pair in pairs.values() if pair.register == item.path)
        if item.path in pairs:
            item = dataclasses.replace(item, register=pairs[item.path])
        elif owners:
            item = dataclasses.replace(item, register_of=owners)
        elif item.error is not None and item.path.suffix.lower() in SHEETS and len(register_ids(item.path)):
            item = dataclasses.replace(item, error=lonely(item.path))
        out.append(item)
    return out


def _is_utility_map(item: Examined) -> bool:
    layers = item.info.details.get("layers") if item.info is not None else None
    entries = layers.values() if isinstance(layers, dict) else ()
    return any(isinstance(entry, dict) and entry.get("taken_for") == TAKEN_FOR for entry in entries)


def join_value(item: Examined) -> str:
    """What stands in the field for the table to join; empty without a register."""
    if item.register is None:
        return ""
    table = item.register.register
    return table.name if table.parent == item.path.parent else str(table)


def register_lines(item: Examined) -> list[str]:
    """What is said about map and register."""
    pair = item.register
    if pair is None:
        return []
    return [tr("import.register_found", name=pair.register.name, matched=pair.matched, count=pair.features)]


def lonely(path: Path) -> UserError:
    """A register that was opened without the map it belongs to."""
    return UserError(
        f"{path.name} is a register, and no map among these files has its ids.",
        "A register says what pipes are like; where they lie is in the map.",
        "Open it together with its map, or name it as the table to join when the map is imported.",
        code="register.alone",
        values={"name": path.name},
    )
