"""Rules of an IDS file (buildingSMART Information Delivery Specification 1.0): read with care, refused with reasons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from geo.model import UserError

if TYPE_CHECKING:
    from ifctester.ids import Ids

MOST_BYTES = 32_000_000  # the largest published sets of rules have some hundred kilobytes
MARKUP = ("<!doctype", "<!entity")


def read_rules(path: Path) -> Ids:
    """The rules of a file.

    Raises
    ------
    UserError
        ``ids.missing``, ``ids.huge``, ``ids.not_xml``, ``ids.other_xml``, ``ids.invalid``: with the line where known.
    """
    text = _text(path)
    lines, identifiers = _elements(path, text)
    from ifctester import ids

    fault = next(iter(ids.get_schema().iter_errors(text)), None)
    if fault is not None:
        raise _invalid(path, _plain_reason(fault), _line_of(fault, lines))
    try:
        rules = ids.from_string(text)
    except (KeyError, TypeError, ValueError, AttributeError, ids.IdsXmlValidationError) as error:
        raise _invalid(path, f"{type(error).__name__}: {error}", 0) from error
    for rule, identifier in zip(rules.specifications, identifiers, strict=False):
        rule.identifier = identifier or None  # the library reads all attributes but this
    return rules


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UserError(
                f"{path.name} is too large for a file of rules.",
                f"It has {path.stat().st_size / 1e6:,.0f} MB; at most {MOST_BYTES / 1e6:,.0f} MB are read.",
                "Check that this is an IDS file and not a model.",
                code="ids.huge",
                values={"name": path.name, "size": f"{path.stat().st_size / 1e6:,.0f}"},
            )
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path.name} could not be read.",
            f"The system says: {error.strerror or error}.",
            "Check that the file is there and may be read.",
            code="ids.missing",
            values={"name": path.name, "reason": error.strerror or str(error)},
        ) from error
    for encoding in ("utf-8-sig", "utf-16"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _not_xml(path, "its text is neither UTF-8 nor UTF-16", 0)


def _elements(path: Path, text: str) -> tuple[list[int], list[str]]:
    """Line of each element in the order of the document, and the identifiers of the rules; refuses what is not IDS."""
    if any(mark in text.lower() for mark in MARKUP):
        raise _not_xml(path, "it declares a document type or entities, which rules do not need", 0)
    lines: list[int] = []
    names: list[str] = []
    identifiers: list[str] = []
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        lines.append(parser.CurrentLineNumber)
        if not names:
            names.append(name)
        if name.rpartition(":")[2] == "specification":
            identifiers.append(attributes.get("identifier", ""))

    parser.StartElementHandler = start
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise _not_xml(path, expat.ErrorString(error.code), error.lineno) from error
    if names[0].rpartition(":")[2] != "ids":
        raise UserError(
            f"{path.name} holds no IDS rules.",
            f"It is an XML file that begins with '{names[0]}' instead of 'ids'.",
            "Choose an IDS file (Information Delivery Specification 1.0).",
            code="ids.other_xml",
            values={"name": path.name, "element": names[0]},
        )
    return lines, identifiers


def _line_of(fault: Any, lines: list[int]) -> int:
    """Line of the element a fault of the schema is about, 0 where it is not known."""
    if fault.elem is None or fault.root is None:
        return 0
    for number, element in enumerate(fault.root.iter()):
        if element is fault.elem:
            return lines[number] if number < len(lines) else 0
    return 0


def _plain_reason(fault: Any) -> str:
    """What the schema has to say, without the braces of namespaces."""
    reason = str(fault.reason or fault.message or "")
    for space in ("http://standards.buildingsmart.org/IDS", "http://www.w3.org/2001/XMLSchema"):
        reason = reason.replace(f"{{{space}}}", "")
    element = str(getattr(fault.elem, "tag", "")).rpartition("}")[2]
    return f"{element}: {reason}"[:400] if element else reason[:400]


def _place(line: int) -> str:
    return f", line {line}" if line else ""


def _not_xml(path: Path, reason: str, line: int) -> UserError:
    return UserError(
        f"{path.name} is not a readable XML file.",
        f"{reason[:1].upper()}{reason[1:]}{_place(line)}.",
        "Export the rules again, or repair the file at that place.",
        code="ids.not_xml_line" if line else "ids.not_xml",
        values={"name": path.name, "reason": reason, "line": line},
    )


def _invalid(path: Path, reason: str, line: int) -> UserError:
    return UserError(
        f"{path.name} is not a valid IDS file.",
        f"{reason}{_place(line)}.",
        "Repair the rule at that place; the format is IDS 1.0 of buildingSMART.",
        code="ids.invalid_line" if line else "ids.invalid",
        values={"name": path.name, "reason": reason, "line": line},
    )
