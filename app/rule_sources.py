"""Headless. The rules that runs were judged by: where each comes from, and whether that source itself was read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from analysis.registry import find_analysis
from app.language import tr
from app.numbers import number_text, with_unit
from app.shown_runs import Run
from resources import load_json

SCHEMES = "schemes"  # of these only the one counts that a parameter of the run names
DAYLIGHT = "rules/daylight.json"
TREES = (DAYLIGHT, ("trees",))
# Files of rules by study, and the parts of them that the study reads; no parts are the whole file.
RULES_OF: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "sunlight.hours": (TREES, (DAYLIGHT, ("school",))),
    "sunlight.irradiation": (TREES,),
    "sunlight.sky": (TREES,),
    "sunlight.shadow": (TREES,),
    "sunlight.rights": (("rules/sunlight.json", ()), TREES),
    "sunlight.setback": (("rules/setback.json", ()),),
    "sunlight.standards": ((DAYLIGHT, ()),),
    "site.figures": (("rules/site.json", ()),),
    "wind.comfort": (("rules/wind_comfort.json", ()),),
    "wind.cold_air": (("rules/cold_air.json", ()),),
    "cctv.coverage": (("cctv/classes.json", ("editions",)),),
    "cctv.siting": (("cctv/classes.json", ("editions",)),),
    "cctv.privacy": (("rules/privacy_kr.json", ()),),
    "dust.dispersion": (("rules/dust.json", ()),),
    "dust.siting": (("rules/dust.json", ()),),
    "dust.calibrate": (("rules/dust.json", ()),),
    "dust.effect": (("rules/dust.json", ()),),
    "indoor.route": (("rules/indoor.json", ()),),
    "indoor.exits": (("rules/indoor.json", ()),),
    "bim.check": (("rules/indoor.json", ()),),
    "utility.excavation": (("rules/utility.json", ()),),
    "utility.check": (("rules/utility_check.json", ()),),
    "links.worlds": (("rules/links.json", ()),),
}


class RuleSource(NamedTuple):
    """One rule as texts; `is_verified` says whether its source itself was read."""

    title: str
    value: str
    source: str
    is_verified: bool


def rule_sources(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The rules of the studies among the runs: a group for each file, named after the studies that read it."""
    groups: dict[str, dict[str, Any]] = {}
    for run in runs:
        chosen = {str(value) for value in run.record["provenance"]["params"].values()}
        for file, parts in RULES_OF.get(run.analysis_id, ()):
            group = groups.setdefault(file, {"studies": {}, "rows": {}})
            group["studies"][_study(run.analysis_id)] = None
            group["edition"] = str(load_json(file).get("edition", ""))
            group["rows"].update(dict.fromkeys(rules_in(file, parts, chosen)))
    return [
        {"title": " · ".join(group["studies"]), "edition": group["edition"], "rows": list(group["rows"])}
        for group in groups.values()
        if group["rows"]
    ]


def _study(analysis_id: str) -> str:
    declared = find_analysis(analysis_id)
    return tr(f"{analysis_id}.title", declared.title if declared else analysis_id)


def rules_in(file: str, parts: Sequence[str] = (), chosen: Collection[str] = ()) -> list[RuleSource]:
    """The rules of a file, or of `parts` of it, that say where they come from."""
    name = PurePosixPath(file).stem
    known = set(chosen)
    found: list[RuleSource] = []
    data = load_json(file)
    for part, entry in data.items():
        if parts and part not in parts:
            continue
        if part == SCHEMES and known & set(entry):
            entry = {key: value for key, value in entry.items() if key in known}
        found += _rules(entry, (name, part), str(data.get("source") or ""))
    return list(dict.fromkeys(found))


def _rules(entry: Any, place: tuple[str, ...], source: str) -> Iterator[RuleSource]:
    """A rule, else those within; `source` is that of the whole file."""
    if isinstance(entry, list):
        for number, item in enumerate(entry):
            key = str(item.get("id", number)) if isinstance(item, dict) else str(number)
            yield from _rules(item, (*place, key), source)
    elif isinstance(entry, dict):
        if "verified" in entry and (entry.get("source") or entry.get("article") or source):
            yield _rule(entry, place, source)
            return
        for key, item in entry.items():
            yield from _rules(item, (*place, key), source)


def _rule(entry: Mapping[str, Any], place: tuple[str, ...], whole: str) -> RuleSource:
    plain = str(entry.get("title") or " · ".join(place[1:]).replace("_", " "))
    title = tr(f"rule.{'.'.join(place)}", plain)
    article, source = str(entry.get("article") or ""), str(entry.get("source") or whole)
    told = source if not article or article in source else f"{article}. {source}".removesuffix(". ")
    said = entry["verified"]
    return RuleSource(title, _value(entry), told, all(said.values()) if isinstance(said, dict) else bool(said))


def _value(entry: Mapping[str, Any]) -> str:
    value = entry.get("value")
    if isinstance(value, list):
        return ", ".join(number_text(item) for item in value)
    if value is None or value == "" or isinstance(value, dict):
        return ""
    return with_unit(number_text(value), str(entry.get("unit") or ""))
