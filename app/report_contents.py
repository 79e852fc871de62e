"""Headless. The sections of a report in their order, numbered, for its list of contents and the preview of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.chart_svg import chart_title
from app.language import language, tr
from app.names import layer_title
from app.report_choice import CHART, TABLE, ReportChoice, RunChoice, chosen_runs, run_title
from app.rule_sources import rule_sources
from app.scorecard import studies_to_compare
from app.shown_runs import Run

if TYPE_CHECKING:
    from app.document import Document

WORDS = ("before", "after", "place", "saved", "comparison", "results", "rules", "layers")  # titles of sections


def usual_title(document: Document) -> str:
    """The title of a report that nobody has named."""
    return tr("report.of", name=document.name.replace("_", " ")) if document.name else tr("report.untitled")


def paragraphs(text: str) -> list[str]:
    """What empty lines part; single line breaks within are kept."""
    return [piece.strip("\n ") for piece in re.split(r"\n\s*\n", text.replace("\r\n", "\n")) if piece.strip()]


def contents_of(page: Mapping[str, Any]) -> list[dict[str, str]]:
    """Sections that a page has: `key` of what it is, `id` of its place in the page, its number and title.

    Runs have the keys ``run0``, ``run1`` and so on.
    """
    return [
        {"key": key, "id": f"{page['language']}-{key}", "number": str(number), "title": title}
        for number, (key, title) in enumerate(_sections(page), 1)
    ]


def _sections(page: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    words = page["t"]
    if page["before"]:
        yield "before", words["before"]
    yield "place", words["place"]
    for key in ("saved", "comparisons"):
        if page[key]:
            yield key, words["comparison" if key == "comparisons" else key]
    if not page["runs"]:
        yield "no_runs", words["results"]
    for number, run in enumerate(page["runs"]):
        yield f"run{number}", run["title"]
    if page["after"]:
        yield "after", words["after"]
    if page["rules"]:
        yield "rules", words["rules"]
    yield "layers", words["layers"]


def preview_of(choice: ReportChoice, document: Document) -> list[tuple[str, str, bool]]:
    """What a report of this choice would hold: number, title, and whether it is a part of the section above."""
    layers = tuple(document.scene)
    codes = choice.languages or (language.code,)
    with language.spoken(codes[0]):
        runs = chosen_runs(choice, layers)
        page = {
            "language": codes[0],
            "t": {name: tr(f"report.{name}") for name in WORDS},
            "before": paragraphs(choice.before),
            "after": paragraphs(choice.after),
            "saved": choice.pictures,
            "comparisons": "comparison" in choice.parts and studies_to_compare(layers),
            "runs": [{"title": run_title(run)} for _, run in runs],
            "rules": "rules" in choice.parts and rule_sources([run for _, run in runs]),
        }
        cover = choice.title or usual_title(document)
        rows = [("", tr("builder.cover", title=cover), False), ("", tr("report.contents"), False)]
        for item in contents_of(page):
            rows.append((item["number"], item["title"], False))
            rows += [("", title, True) for title in _parts_of(item["key"], choice, runs)]
        again = [("", tr("builder.again"), False)] if len(codes) > 1 else []
        return [*rows, *again]


def _parts_of(key: str, choice: ReportChoice, runs: Sequence[tuple[RunChoice, Run]]) -> Iterator[str]:
    """Pictures, charts and tables of a section."""
    if key == "saved":
        yield from (one.caption for one in choice.pictures)
    elif key == "place" and "district" in choice.parts:
        yield tr("builder.run_pictures")
    elif key == "layers" and "layers" in choice.parts:
        yield tr("report.digest")
    elif key.startswith("run"):
        part, run = runs[int(key.removeprefix("run"))]
        if part.pictures:
            yield tr("builder.run_pictures")
        for chart in run.charts:
            if f"{CHART}{chart.id}" not in part.without:
                yield chart_title(run.analysis_id, chart)
        for layer in run.layers:
            if layer.kind == "table" and f"{TABLE}{layer.id}" not in part.without:
                yield layer_title(layer)
