"""Checks a model by the rules of an IDS file: every element counted, progress, a limit of time.

The judgement on one element is that of ``ifctester``; the loop is ours, because the library's own can neither be
stopped nor say how far it is. A rule that finds nothing to check never counts as passed.

References
----------
buildingSMART: Information Delivery Specification 1.0.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bim.ids_result import CheckedModel, Element, Failure, Reason, Requirement, Rule, Status
from bim.ids_rules import read_rules
from geo.model import Feedback

if TYPE_CHECKING:
    import ifcopenshell
    from ifctester.ids import Specification

LIMIT_S = 600.0
STEP_S = 0.05
LONGEST_VALUE = 120
# What the library raises on elements it cannot judge: missing values, unknown units, entities cut off the file.
UNJUDGED = (
    AttributeError, TypeError, ValueError, KeyError, IndexError, RuntimeError, AssertionError, StopIteration,
    RecursionError, ZeroDivisionError,
)  # fmt: skip
FACETS = {
    "Entity": "entity", "Attribute": "attribute", "Property": "property", "Classification": "classification",
    "Material": "material", "PartOf": "part_of",
}  # fmt: skip
VALUES = {
    "propertySet": "set", "baseName": "name", "name": "name", "value": "value", "dataType": "type",
    "system": "system", "relation": "relation", "predefinedType": "type",
}  # fmt: skip
FORBIDDEN = Requirement("none", "prohibited", {}, "There shall be no such element")


class _TimeOver(Exception):
    """The limit of time was reached."""


def check_model(
    file: ifcopenshell.file, rules: Path, feedback: Feedback, *, limit_s: float = LIMIT_S, any_version: bool = False
) -> CheckedModel:
    """Check a model.

    Parameters
    ----------
    rules : Path
        IDS file.
    limit_s : float [s]
        After this time the rest is left unchecked, which the result says.
    any_version : bool
        Also check rules that are written for other schemas.
    """
    started = time.monotonic()
    feedback.step(0.0, "reading the rules")
    ids = read_rules(rules)
    told = _Told(file, feedback, started + limit_s)
    _forget_properties()
    found, complete = [], True
    for number, specification in enumerate(ids.specifications):
        told.part = (number / len(ids.specifications), 1.0 / len(ids.specifications))
        told.message = specification.name
        checked = _check(file, specification, told, any_version=any_version)
        complete &= checked.status != "stopped"
        found.append(checked)
    _forget_properties()
    return CheckedModel(
        str(ids.info.get("title", "")),
        str(ids.info.get("version", "") or ""),
        str(file.schema_identifier),
        tuple(found),
        tuple(told.elements),
        tuple(told.reasons),
        round(time.monotonic() - started, 3),
        complete,
    )


@dataclass
class _Told:
    """Elements and reasons told of so far, each once; and the clock."""

    file: ifcopenshell.file
    feedback: Feedback
    stop_at: float
    elements: list[Element] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    part: tuple[float, float] = (0.0, 1.0)
    message: str = ""
    _rows: dict[int, int] = field(default_factory=dict)
    _ids: set[str] = field(default_factory=set)
    _reason_rows: dict[Reason, int] = field(default_factory=dict)
    _looked: float = 0.0

    def row(self, entity: Any) -> int:
        """Row of an element."""
        step = entity.id()
        if step not in self._rows:
            self._rows[step] = len(self.elements)
            self.elements.append(self._element(entity))
        return self._rows[step]

    def _element(self, entity: Any) -> Element:
        mark = _text(entity, "GlobalId") or f"#{entity.id()}"
        if mark in self._ids:  # as `bim.elements` makes them unique
            mark = f"{mark}#{entity.id()}"
        self._ids.add(mark)
        return Element(mark, entity.is_a(), _text(entity, "Name"), _storey(entity))

    def reason(self, facet: str, result: Any) -> int:
        """Row of the reason of a failure."""
        said = result.reason if isinstance(result.reason, dict) else {}
        actual = _shown(said.get("actual"))
        try:
            text = str(result)
        except UNJUDGED:
            text = ""
        return self._reason_row(Reason(f"{facet}.{said.get('type', 'UNKNOWN')}", actual, text[:400]))

    def unclear(self, error: BaseException) -> int:
        """Row of the reason that an element could not be judged."""
        return self._reason_row(Reason("unclear", type(error).__name__, f"could not be judged: {error}"[:200]))

    def forbidden(self) -> int:
        """Row of the reason that an element must not be there at all."""
        return self._reason_row(Reason("forbidden", "", FORBIDDEN.text))

    def _reason_row(self, reason: Reason) -> int:
        if reason not in self._reason_rows:
            self._reason_rows[reason] = len(self.reasons)
            self.reasons.append(reason)
        return self._reason_rows[reason]

    def step(self, fraction: float) -> None:
        """Tell how far the present rule is; raises when the time is over."""
        now = time.monotonic()
        if now > self.stop_at:
            raise _TimeOver
        if now - self._looked > STEP_S:
            self._looked = now
            first, share = self.part
            self.feedback.step(first + share * min(fraction, 1.0), self.message)


def _check(file: ifcopenshell.file, specification: Specification, told: _Told, *, any_version: bool) -> Rule:
    """One rule."""
    versions = tuple(_listed(specification.ifcVersion))
    if not any_version and not _is_for(versions, str(file.schema_identifier)):
        return _rule(specification, "version", versions)
    finding = _Finding()
    try:
        told.step(0.0)
        _judge(file, specification, told, finding)
        status = _status(specification, finding)
    except _TimeOver:
        status = "stopped"
    return _rule(specification, status, versions, finding, left_out=_left_out(file, specification))


@dataclass
class _Finding:
    """What a rule has found so far."""

    checked: int = 0
    passed: list[int] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    failed: set[int] = field(default_factory=set)
    unclear: set[int] = field(default_factory=set)


def _judge(file: ifcopenshell.file, specification: Specification, told: _Told, finding: _Finding) -> None:
    forbidden = specification.maxOccurs == 0
    requirements = list(specification.requirements)
    for entity in _applicable(file, specification, told):
        finding.checked += 1
        row = told.row(entity)
        if forbidden:
            finding.failures.append(Failure(row, 0, told.forbidden()))
            finding.failed.add(row)
            continue
        for number, facet in enumerate(requirements):
            try:
                result = facet(entity)
            except UNJUDGED as error:
                finding.failures.append(Failure(row, number, told.unclear(error)))
                finding.unclear.add(row)
                continue
            if not result:
                finding.failures.append(Failure(row, number, told.reason(FACETS[type(facet).__name__], result)))
                finding.failed.add(row)
        if row not in finding.failed and row not in finding.unclear:
            finding.passed.append(row)


def _applicable(file: ifcopenshell.file, specification: Specification, told: _Told) -> Iterator[Any]:
    """The elements a rule is for."""
    first, *others = specification.applicability or [None]
    if first is None:
        return
    try:
        candidates: Sequence[Any] = first.filter(file, None)
    except UNJUDGED:
        candidates = []
    # Only the filter by class is exact; the others narrow down and are asked again.
    asked = others if FACETS[type(first).__name__] == "entity" else [first, *others]
    for number, entity in enumerate(sorted(candidates, key=lambda item: item.id())):
        told.step(number / len(candidates))
        if all(_holds(facet, entity) for facet in asked):
            yield entity


def _holds(facet: Any, entity: Any) -> bool:
    """Whether a condition holds; of what cannot be judged it does not."""
    try:
        return bool(facet(entity))
    except UNJUDGED:
        return False


def _status(specification: Specification, finding: _Finding) -> Status:
    if specification.maxOccurs == 0:
        return "forbidden" if finding.checked else "passed"
    if not finding.checked:
        return "absent" if specification.minOccurs != 0 else "nothing"
    if finding.failed:
        return "failed"
    return "unclear" if finding.unclear else "passed"


def _left_out(file: ifcopenshell.file, specification: Specification) -> dict[str, int]:
    """Elements of subclasses of the class a rule names: ``IFCWALL`` does not mean walls of a simpler kind."""
    first = specification.applicability[0] if specification.applicability else None
    if first is None or FACETS[type(first).__name__] != "entity" or not isinstance(first.name, str):
        return {}
    try:
        below = file.by_type(first.name)  # subclasses too
    except RuntimeError:  # a class that this schema does not have
        return {}
    counts: dict[str, int] = {}
    for entity in below:
        name = str(entity.is_a())  # type: ignore[no-untyped-call]
        if name.upper() != first.name.upper():
            counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))


def _rule(
    specification: Specification,
    status: Status,
    versions: tuple[str, ...],
    finding: _Finding | None = None,
    *,
    left_out: dict[str, int] | None = None,
) -> Rule:
    finding = finding or _Finding()
    requirements = tuple(_requirement(facet, specification) for facet in specification.requirements)
    if specification.maxOccurs == 0:
        requirements = (FORBIDDEN,)
    return Rule(
        name=str(specification.name or ""),
        identifier=str(specification.identifier or ""),
        description=str(specification.description or ""),
        instructions=str(specification.instructions or ""),
        status=status,
        applicable=tuple(_words(facet, "applicability", specification) for facet in specification.applicability),
        requirements=requirements,
        versions=versions,
        checked=finding.checked,
        passed=len(finding.passed),
        failed=len(finding.failed),
        unclear=len(finding.unclear - finding.failed),
        passed_rows=tuple(finding.passed),
        failures=tuple(finding.failures),
        left_out=left_out or {},
    )


def _requirement(facet: Any, specification: Specification) -> Requirement:
    values = {}
    for name, key in VALUES.items():
        value = getattr(facet, name, None)
        if value:
            values[key] = _wanted(value)
    cardinality = str(getattr(facet, "cardinality", None) or "required")
    return Requirement(FACETS[type(facet).__name__], cardinality, values, _words(facet, "requirement", specification))


def _words(facet: Any, clause: str, specification: Specification) -> str:
    try:
        return str(facet.to_string(clause, specification, facet))
    except UNJUDGED:
        return type(facet).__name__


def _wanted(value: Any) -> str:
    """A value as a rule asks for it: one, one of several, a pattern, a range."""
    options = getattr(value, "options", None)
    if not isinstance(options, dict):
        return _shown(value)
    signs = {"minInclusive": "≥ ", "maxInclusive": "≤ ", "minExclusive": "> ", "maxExclusive": "< ", "pattern": "~ "}
    signs |= {"length": "length = ", "minLength": "length ≥ ", "maxLength": "length ≤ "}
    parts = []
    for name, wanted in options.items():
        listed = [str(item) for item in wanted] if isinstance(wanted, list) else [str(wanted)]
        parts.append(signs.get(name, "") + " | ".join(listed))
    return ", ".join(parts)[:LONGEST_VALUE]


def _shown(value: Any) -> str:
    """A value found in the model, shortened."""
    if value is None:
        return ""
    if isinstance(value, list | tuple | set):
        return ", ".join(_shown(item) for item in list(value)[:5])[:LONGEST_VALUE]
    return str(value)[:LONGEST_VALUE]


def _listed(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list | tuple) else str(value or "").split()


def _is_for(versions: Sequence[str], schema: str) -> bool:
    """Whether a rule is written for a schema; additions to a schema count as the schema."""
    plain = schema.partition("_")[0].upper()
    return not versions or any(version.partition("_")[0].upper() == plain for version in versions)


def _text(entity: Any, name: str) -> str:
    try:
        value = getattr(entity, name, None)
    except (AttributeError, RuntimeError):
        return ""
    return value if isinstance(value, str) else ""


def _storey(entity: Any) -> str:
    """Name of the storey an element is on."""
    import ifcopenshell.util.element

    try:
        found = ifcopenshell.util.element.get_container(entity, ifc_class="IfcBuildingStorey")
        if found is None:
            found = ifcopenshell.util.element.get_parent(entity, ifc_class="IfcBuildingStorey")
    except UNJUDGED:
        return ""
    return _text(found, "Name") if found is not None else ""


def _forget_properties() -> None:
    """The library keeps property sets by element number, of whatever file came last."""
    from ifctester.facet import get_pset, get_psets

    get_pset.cache_clear()
    get_psets.cache_clear()
