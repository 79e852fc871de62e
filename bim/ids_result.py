"""What checking a model by rules gave: plain values that travel from the reader's process, counted in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple

# nothing: no element the rule is for. absent: such an element is required and there is none. forbidden: there are
# elements that must not be. version: written for other schemas. stopped: the time was over. unclear: could not be told.
Status = Literal["passed", "failed", "nothing", "absent", "forbidden", "version", "stopped", "unclear"]
BAD: tuple[Status, ...] = ("failed", "absent", "forbidden")
OPEN: tuple[Status, ...] = ("nothing", "version", "stopped", "unclear")


class Element(NamedTuple):
    """An element of the model: id as in the picture, class, name, storey."""

    id: str
    entity: str
    name: str
    storey: str


class Failure(NamedTuple):
    """One element that one requirement of a rule does not find fulfilled, by their numbers."""

    element: int
    requirement: int
    reason: int


@dataclass(frozen=True)
class Requirement:
    """What a rule asks for.

    Attributes
    ----------
    facet : str
        entity, attribute, property, classification, material, part_of, or none.
    cardinality : str
        required, optional or prohibited.
    values : mapping of str
        ``set``, ``name``, ``value``, ``type``, ``system``, ``relation``: those that are given.
    text : str
        In the words of the rule checker (English).
    """

    facet: str
    cardinality: str
    values: Mapping[str, str]
    text: str


@dataclass(frozen=True)
class Rule:
    """One specification of an IDS file and what it found.

    Attributes
    ----------
    applicable : tuple of str
        What it is for, in the words of the rule checker (English).
    checked, passed : int
        Elements it is for, and those that fulfil every requirement.
    passed_rows : tuple of int
        Those, as rows of `CheckedModel.elements`.
    failures : tuple of Failure
        One for each element and requirement.
    failed : int
        Elements with at least one failure.
    unclear : int
        Elements of which the checker could not tell.
    left_out : mapping of class to count
        Elements of subclasses, which an IDS rule does not mean unless it names them.
    versions : tuple of str
        Schemas that it is written for.
    """

    name: str
    identifier: str
    description: str
    instructions: str
    status: Status
    applicable: tuple[str, ...]
    requirements: tuple[Requirement, ...]
    versions: tuple[str, ...]
    checked: int = 0
    passed: int = 0
    failed: int = 0
    unclear: int = 0
    passed_rows: tuple[int, ...] = ()
    failures: tuple[Failure, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Reason:
    """Why an element fails: a kind such as ``property.NOVALUE``, the value found, and English words."""

    kind: str
    actual: str
    text: str


@dataclass(frozen=True)
class CheckedModel:
    """The answer to the request ``ids``."""

    title: str
    version: str
    schema: str
    rules: tuple[Rule, ...]
    elements: tuple[Element, ...]
    reasons: tuple[Reason, ...]
    seconds: float
    complete: bool

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)

    @staticmethod
    def from_dict(said: Mapping[str, Any]) -> CheckedModel:
        """From `as_dict`, or from what JSON makes of it."""
        rules = tuple(
            Rule(
                **{
                    **rule,
                    "applicable": tuple(rule["applicable"]),
                    "versions": tuple(rule["versions"]),
                    "passed_rows": tuple(rule["passed_rows"]),
                    "requirements": tuple(Requirement(**item) for item in rule["requirements"]),
                    "failures": tuple(Failure(*item) for item in rule["failures"]),
                }
            )
            for rule in said["rules"]
        )
        elements = tuple(Element(*item) for item in said["elements"])
        reasons = tuple(Reason(**item) for item in said["reasons"])
        return CheckedModel(**{**said, "rules": rules, "elements": elements, "reasons": reasons})

    @property
    def failed_rules(self) -> int:
        """Rules that the model breaks."""
        return sum(rule.status in BAD for rule in self.rules)

    def count(self, status: str) -> int:
        """Rules with a status."""
        return sum(rule.status == status for rule in self.rules)

    def failed_rows(self, rule: Rule) -> list[int]:
        """Rows of the elements that fail a rule, each once, in order."""
        return list(dict.fromkeys(failure.element for failure in rule.failures))

    def by_element(self, rule: Rule) -> Iterator[tuple[Element, list[tuple[Requirement, Reason]]]]:
        """The failures of a rule element by element."""
        found: dict[int, list[Failure]] = {}
        for failure in rule.failures:
            found.setdefault(failure.element, []).append(failure)
        for row, failures in found.items():
            said = [(rule.requirements[item.requirement], self.reasons[item.reason]) for item in failures]
            yield self.elements[row], said

    def outcome_by_id(self, rule: Rule | None = None) -> dict[str, bool]:
        """Whether each element that was checked passed a rule, or all rules."""
        found: dict[str, bool] = {}
        rules = self.rules if rule is None else (rule,)
        for item in rules:
            for row in item.passed_rows:
                found.setdefault(self.elements[row].id, True)
        for item in rules:
            found.update({self.elements[failure.element].id: False for failure in item.failures})
        return found
