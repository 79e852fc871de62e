"""IFC classes and attributes in the user's words; the IFC name stays where there is no word for it."""

from __future__ import annotations

import re
from functools import cache

from app.language import tr
from app.numbers import quantity_text

WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
SAME = ("StandardCase", "ElementedCase")  # of these the user need not know


def class_title(ifc_class: str) -> str:
    """``IfcWallStandardCase`` is a wall."""
    plain = ifc_class
    for ending in SAME:
        plain = plain.removesuffix(ending)
    return tr(f"ifc.{plain}", _spelled(plain))


@cache
def _spelled(ifc_class: str) -> str:
    """``IfcPipeSegment`` as ``Pipe segment``."""
    return WORD.sub(" ", ifc_class.removeprefix("Ifc")).capitalize()


def row_title(name: str) -> str:
    """The name of an attribute that every model has, or of the class of a place or a group."""
    return class_title(name) if name.startswith("Ifc") else tr(f"ifc.attribute.{name}", name)


def value_text(value: object, unit: str) -> str:
    """A value of a property for people."""
    if isinstance(value, bool):
        return tr("yes" if value else "no")
    if isinstance(value, int | float):
        return quantity_text(value, unit)
    return str(value) if value is not None and value != "" else "–"
