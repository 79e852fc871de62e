"""Headless. The outcome of a check by rules in the user's words: rules, requirements, reasons, states."""

from __future__ import annotations

from app.language import language, tr
from app.panels.ifc_words import class_title
from bim.ids_result import CheckedModel, Reason, Requirement, Rule

SYMBOLS = {
    "passed": "✓", "failed": "✕", "absent": "✕", "forbidden": "✕", "nothing": "–", "version": "–", "stopped": "…",
    "unclear": "?",
}  # fmt: skip
OWN = "twin."  # identifiers of the rules that come with the program, which have translated names


def rule_title(rule: Rule) -> str:
    """Name of a rule."""
    return _own(rule, "name", rule.name) or tr("ids.no_name")


def rule_note(rule: Rule) -> str:
    """Description of a rule, or nothing."""
    return _own(rule, "description", rule.description)


def rule_advice(rule: Rule) -> str:
    """What to do, where the rules say it."""
    return _own(rule, "instructions", rule.instructions)


def rules_title(checked: CheckedModel) -> str:
    """Title of the set of rules."""
    own = any(rule.identifier.startswith(OWN) for rule in checked.rules)
    return tr(f"ids.title.{checked.title}", checked.title) if own else checked.title


def _own(rule: Rule, part: str, text: str) -> str:
    return tr(f"ids.{rule.identifier}.{part}", text) if rule.identifier.startswith(OWN) else text


def status_text(rule: Rule) -> str:
    """State of a rule in a word or two."""
    return tr(f"ids.status.{rule.status}")


def rule_remarks(rule: Rule, schema: str) -> list[str]:
    """What has to be said beside the counts: nothing to check, subclasses left out, other schemas."""
    said = []
    if rule.status == "nothing":
        said.append(tr("ids.remark.nothing"))
    elif rule.status == "absent":
        said.append(tr("ids.remark.absent"))
    elif rule.status == "version":
        said.append(tr("ids.remark.version", versions=", ".join(rule.versions), schema=schema))
    elif rule.status == "stopped":
        said.append(tr("ids.remark.stopped"))
    if rule.left_out and rule.status not in ("version", "stopped"):
        classes = ", ".join(f"{name} ({count:,})" for name, count in rule.left_out.items())
        said.append(tr("ids.remark.left_out", classes=classes))
    if rule.unclear:
        said.append(tr("ids.remark.unclear", count=f"{rule.unclear:,}"))
    return said


def requirement_text(requirement: Requirement) -> str:
    """What is asked for. In English the words of the rule checker are kept where ours say less."""
    values = requirement.values
    wanted = values.get("value", "")
    subject = tr(
        f"ids.subject.{requirement.facet}",
        name=values.get("name", ""),
        set=values.get("set", ""),
        system=values.get("system", ""),
    )
    if requirement.facet == "none" or (requirement.facet == "part_of" and not values.get("name")):
        subject = tr("ids.subject.none" if requirement.facet == "none" else "ids.subject.part_of_any")
    text = tr(f"ids.need.{requirement.cardinality}{'_value' if wanted else ''}", subject=subject, value=wanted)
    kind = values.get("type", "") if requirement.facet == "property" else ""
    return f"{text} ({kind})" if kind else text


def reason_text(reason: Reason) -> str:
    """Why an element fails."""
    return tr(f"ids.reason.{reason.kind}", reason.text, actual=reason.actual or "–")


def element_class(name: str) -> str:
    """Class of an element; its IFC name too in a language that is not that of IFC."""
    title = class_title(name)
    return f"{title} ({name})" if language.code != "en" and title != name else title


def summary_text(checked: CheckedModel) -> str:
    """One sentence about all rules."""
    opened = len(checked.rules) - checked.failed_rules - checked.count("passed")
    text = tr(
        "ids.summary",
        rules=f"{len(checked.rules):,}",
        passed=f"{checked.count('passed'):,}",
        failed=f"{checked.failed_rules:,}",
        open=f"{opened:,}",
    )
    return text if checked.complete else f"{text} {tr('ids.incomplete')}"
