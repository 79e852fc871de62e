"""What can be asked of an open IFC file, by name. Each is a function(file, arguments, feedback) -> plain JSON values.

They run in the reader's child process. A quick one is answered even while a long one runs; a long one calls
``feedback.step`` often, which is where the quick ones come in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from geo.model import Feedback

if TYPE_CHECKING:
    import ifcopenshell

    from bim.measures import Measures

Ask = Callable[["ifcopenshell.file", Mapping[str, Any], Feedback], Any]


@dataclass(frozen=True)
class Request:
    """One thing to ask; `quick` ones take a few milliseconds."""

    answer: Ask
    quick: bool = False


_measures: WeakKeyDictionary[Any, Measures] = WeakKeyDictionary()


def measures_of(file: ifcopenshell.file) -> Measures:
    """The units of a file, looked up once."""
    from bim.measures import Measures

    found = _measures.get(file)
    if found is None:
        found = _measures[file] = Measures(file)
    return found


def _schema(file: ifcopenshell.file, _arguments: Mapping[str, Any], _feedback: Feedback) -> str:
    """Name of the schema; asked to have the file opened."""
    return str(file.schema_identifier)


def _trees(file: ifcopenshell.file, _arguments: Mapping[str, Any], feedback: Feedback) -> dict[str, Any]:
    """`bim.hierarchy.Hierarchy` as plain values."""
    from bim.hierarchy import read_hierarchy

    feedback.step(0.1, "reading the structure of the model")
    return read_hierarchy(file).as_dict()


def _properties(file: ifcopenshell.file, arguments: Mapping[str, Any], _feedback: Feedback) -> dict[str, Any]:
    """`bim.properties.ElementProperties` of the element ``id`` as plain values."""
    from bim.properties import element_properties

    return asdict(element_properties(file, str(arguments["id"]), measures=measures_of(file)))


def _index(file: ifcopenshell.file, arguments: Mapping[str, Any], feedback: Feedback) -> int:
    """Write the index of all properties to the file ``out``; answers with the number of values."""
    from bim.property_index import build_index, write_index

    index = build_index(file, feedback)
    write_index(Path(str(arguments["out"])), index)
    return len(index)


def _ids(file: ifcopenshell.file, arguments: Mapping[str, Any], feedback: Feedback) -> dict[str, Any]:
    """`bim.ids_result.CheckedModel` of the IDS file ``rules`` as plain values."""
    from bim.ids_check import LIMIT_S, check_model

    limit = float(arguments.get("limit_s", LIMIT_S))
    any_version = bool(arguments.get("any_version", False))
    rules = Path(str(arguments["rules"]))
    return check_model(file, rules, feedback, limit_s=limit, any_version=any_version).as_dict()


REQUESTS: dict[str, Request] = {
    "schema": Request(_schema, quick=True),
    "trees": Request(_trees),
    "properties": Request(_properties, quick=True),
    "index": Request(_index),
    "ids": Request(_ids),
}
