"""Headless. A project and its results as one self-contained HTML page, in the language in use."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.charts import chart_from_dict
from analysis.contract import describe_params
from analysis.registry import find_analysis
from app.chart_svg import chart_svg, chart_title
from app.colour import field_range, ramp
from app.document import Document
from app.honesty import lead_of, lead_text
from app.language import issue_text, language, tr
from app.names import layer_title
from app.numbers import duration_text, is_duration, number_text, unit_text
from app.pictures import draw, jpeg_bytes
from app.report_choice import CHART, TABLE, ReportChoice, RunChoice, SavedPicture, chosen_runs, lost_runs
from app.report_contents import contents_of, paragraphs, usual_title
from app.rule_sources import rule_sources
from app.scorecard import scorecard, studies_to_compare, texts_of
from app.shown_runs import Run, scenes_of_runs
from app.theme import theme_named
from app.topic_results import rows_by_severity
from app.view.legend import legend_of, shown_field, title_of
from app.words import class_name, field_name, figure_word, heading
from geo.model import Feedback, Field, Issue, Layer
from geo.store import write_atomically
from resources import path as resource_path

TABLE_ROWS = 40
LEGEND_STOPS = 16
PICTURE_SIZE = (1280, 720)
WORDS = (
    *("made", "place", "key_figures", "parameters", "name", "value", "unit", "assumptions", "issues", "references"),
    *("provenance", "layers", "layer", "theme", "elements", "source", "digest", "none", "no_runs", "synthetic"),
    *("comparison", "expect", "contents", "before", "after", "saved", "rules", "rule", "author", "date", "project"),
    *("verified", "unverified", "checked", "edition", "rules_lead", "results"),
)
PNG = b"\x89PNG"

Draw = Callable[..., Any]


@dataclass(frozen=True)
class Picture:
    """A picture in the page: its bytes as base64, what it shows, and whether they are ``"jpeg"`` or ``"png"``."""

    data: str
    caption: str
    kind: str = "jpeg"


def write_report(
    document: Document,
    path: Path,
    *,
    issues: Sequence[Issue] = (),
    feedback: Feedback | None = None,
    drawer: Draw = draw,
    languages: Sequence[str] = (),
    choice: ReportChoice | None = None,
) -> Path:
    """Write the report: a web page, or a PDF where the choice says so.

    Parameters
    ----------
    issues : sequence of Issue
        Doubts that belong to the project as a whole.
    drawer : callable
        Makes the pictures; the window hands in its own.
    languages : sequence of str
        Of the pages, one after the other; those of the choice, or the one in use, when empty.
    choice : ReportChoice or None
        What the report is made of; everything when None.
    """
    feedback, choice = feedback or Feedback(), choice or ReportChoice()
    pages, codes = [], tuple(languages) or choice.languages or (language.code,)
    issues = (*issues, *lost_runs(choice, tuple(document.scene)))
    for number, code in enumerate(codes):
        with language.spoken(code):
            part = feedback.part(0.9 * number / len(codes), 0.9 * (number + 1) / len(codes))
            pages.append(_page(document, issues, part, drawer, choice))
    if choice.form == "pdf":
        from app.report_book import write_book

        return write_book(path, pages, feedback=feedback.part(0.9, 1.0))
    content = _html(pages).encode("utf-8")
    write_atomically(path, lambda file: file.write(content))
    feedback.step(1.0, "report written")
    return path


def _html(pages: Sequence[Mapping[str, Any]]) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(resource_path("report/report.html.j2").read_text(encoding="utf-8"))
    return template.render(pages=pages, title=pages[0]["title"], language=pages[0]["language"])


def _page(
    document: Document, issues: Sequence[Issue], feedback: Feedback, drawer: Draw, choice: ReportChoice
) -> dict[str, Any]:
    """All that a page says, in the current language."""
    layers = tuple(document.scene)
    base = [layer for layer in layers if layer.theme != "result"]
    runs = chosen_runs(choice, layers)
    feedback.step(0.1, "drawing the district")
    views = ("iso", "top") if "district" in choice.parts else ()
    pictures = [_picture(drawer, document, base, view, f"report.picture_{view}") for view in views]
    described = []
    for number, (part, run) in enumerate(runs):
        feedback.step(0.2 + 0.8 * number / len(runs), f"drawing {run.id}")
        described.append(_run(document, part, run, drawer))
    all_issues = [*issues, *(issue for layer in base for issue in layer.issues)]
    page = {
        "language": language.code,
        "language_name": tr("report.language_name"),
        "title": choice.title or usual_title(document),
        "project": document.name or tr("report.untitled"),
        "author": choice.author,
        "where": choice.place or _where(document),
        "date": dt.date.today().isoformat(),
        "made": dt.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        "program": _program(),
        "t": {word: tr(f"report.{word}") for word in WORDS},
        "synthetic": any("synthetic" in layer.name.lower() or "합성" in layer.name for layer in base),
        "before": paragraphs(choice.before),
        "after": paragraphs(choice.after),
        "saved": [_saved(one) for one in choice.pictures],
        "place": _place(document),
        "pictures": pictures,
        "comparisons": list(_comparisons(layers, document)) if "comparison" in choice.parts else [],
        "runs": described,
        "rules": rule_sources([run for _, run in runs]) if "rules" in choice.parts else [],
        "layers": [_layer_row(layer) for layer in layers] if "layers" in choice.parts else [],
        "issues": [{"severity": issue.severity, "text": issue_text(issue)} for issue in all_issues],
    }
    return {**page, "contents": contents_of(page)}


def _where(document: Document) -> str:
    """Where the project lies, for the cover of one that does not say it in words."""
    frame = document.scene.frame
    return f"{frame.latitude:.4f}°, {frame.longitude:.4f}° · {frame.crs[:40]}" if frame is not None else ""


def _saved(one: SavedPicture) -> Picture:
    kind = "png" if one.data.startswith(PNG) else "jpeg"
    return Picture(base64.b64encode(one.data).decode("ascii"), one.caption, kind)


def _comparisons(layers: Sequence[Layer], document: Document) -> Iterator[dict[str, Any]]:
    """For each study that was run on several alternatives: their key figures side by side."""
    order = [item.id for item in document.alternatives.items]
    for analysis_id in studies_to_compare(layers):
        declared = find_analysis(analysis_id)
        heads, rows = texts_of(scorecard(layers, analysis_id, order), only_changed=True)
        title = tr(f"{analysis_id}.title", declared.title if declared else analysis_id)
        yield {"title": title, "heads": heads, "rows": rows}


def _place(document: Document) -> list[tuple[str, str]]:
    frame = document.scene.frame
    if frame is None:
        return []
    from geo.crs import title

    return [
        (tr("report.crs"), f"{frame.crs[:40]} ({title(frame.crs)})"),
        (tr("report.vertical"), frame.vertical or tr("cli.none_stated")),
        (tr("report.origin"), f"E {frame.origin[0]:,.0f} m, N {frame.origin[1]:,.0f} m"),
        (tr("report.lonlat"), f"{frame.longitude:.5f}°, {frame.latitude:.5f}°"),
        (tr("report.convergence"), f"{frame.convergence_deg:+.3f}°"),
    ]


def _picture(drawer: Draw, document: Document, layers: Sequence[Layer], view: str, caption: str) -> Picture:
    picture = drawer(layers, document.scene.frame, size=PICTURE_SIZE, view=view)
    return Picture(base64.b64encode(jpeg_bytes(picture)).decode("ascii"), tr(caption))


def _run(document: Document, part: RunChoice, run: Run, drawer: Draw) -> dict[str, Any]:
    """A run in the city as the alternative has it that it was run on, without what is left out."""
    pictures = _run_pictures(document, run, drawer) if part.pictures else []
    described = describe_run(run.layers, pictures)
    out = set(part.without)
    charts = [one for one in described["charts"] if f"{CHART}{one['id']}" not in out]
    tables = [one for one in described["tables"] if f"{TABLE}{one['id']}" not in out]
    return {**described, "charts": charts, "tables": tables}


def _run_pictures(document: Document, run: Run, drawer: Draw) -> list[Picture]:
    city = scenes_of_runs(document, [run])[run.alternative] or tuple(document.scene)
    layers = [*(layer for layer in city if layer.theme != "result"), *(_shown(layer) for layer in run.layers)]
    return [
        _picture(drawer, document, layers, "iso", "report.picture_result"),
        _picture(drawer, document, layers, "top", "report.picture_result_top"),
    ]


def describe_run(mine: Sequence[Layer], pictures: Sequence[Picture]) -> dict[str, Any]:
    """All that a page says of one run, in the current language; `mine` are the layers it has made."""
    record = mine[0].source.provenance
    provenance: Mapping[str, Any] = record["provenance"]  # type: ignore[assignment]
    analysis_id = str(provenance["analysis"])
    declared = find_analysis(analysis_id)
    lead, doubts = lead_of(_issues(record["issues"]))
    return {
        "title": _run_title(analysis_id, declared.title if declared else analysis_id, provenance),
        "description": tr(f"{analysis_id}.description", declared.description if declared else ""),
        "summary": list(_summary(analysis_id, record["summary"])),  # type: ignore[arg-type]
        "legends": list(_legends(mine)),
        "pictures": list(pictures),
        "charts": list(_charts(analysis_id, record)),
        "params": list(_params(analysis_id, provenance["params"])),
        "assumptions": [tr(f"{analysis_id}.assumption.{n}", str(text)) for n, text in _numbered(record["assumptions"])],
        "lead": [{"severity": issue.severity, "text": lead_text(issue)} for issue in lead],
        "issues": _sentences(doubts),
        "tables": [table_of(layer) for layer in mine if layer.kind == "table"],
        "references": [f"{r.text} {r.doi}".strip() for r in declared.references] if declared else [],
        "provenance": list(_provenance(provenance)),
    }


def _run_title(analysis_id: str, title: str, provenance: Mapping[str, Any]) -> str:
    alternative = provenance.get("alternative_name")
    return tr(f"{analysis_id}.title", title) + (f" – {alternative}" if alternative else "")


def _charts(analysis_id: str, record: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Charts as drawings within the page."""
    for item in record.get("charts", ()):
        chart = chart_from_dict(item)
        yield {
            "id": chart.id,
            "title": chart_title(analysis_id, chart),
            "svg": chart_svg(chart, analysis_id=analysis_id, theme=theme_named("light")),
        }


def _shown(layer: Layer) -> Layer:
    import dataclasses

    return layer.with_(style=dataclasses.replace(layer.style, visible=True))


def _numbered(items: object) -> list[tuple[int, object]]:
    return list(enumerate(items)) if isinstance(items, list | tuple) else []


def _issues(items: object) -> list[Issue]:
    return [Issue.from_dict(item) for item in items] if isinstance(items, list | tuple) else []


def _sentences(issues: Sequence[Issue]) -> list[dict[str, str]]:
    return [{"severity": issue.severity, "text": issue_text(issue)} for issue in issues]


def _summary(analysis_id: str, summary: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    for name, item in summary.items():
        value, unit = item["value"], str(item["unit"])
        is_long = is_duration(value, unit)
        yield {
            "name": tr(f"{analysis_id}.summary.{name}", name),
            "value": duration_text(value) if is_long else _said(analysis_id, name, value),
            "unit": "" if is_long else unit_text(unit),
        }


def _said(analysis_id: str, name: str, value: object) -> str:
    """A key figure as people read it."""
    if not isinstance(value, str):
        return number_text(value)
    return tr(value) if value in ("yes", "no") else figure_word(analysis_id, name, value)


def _chosen(analysis_id: str, name: str, value: object) -> str:
    """The choice of a parameter in the user's words."""
    return tr(f"{analysis_id}.{name}.{value}", str(value).replace("_", " "))


def _legends(layers: Sequence[Layer]) -> Iterator[dict[str, Any]]:
    """One legend per quantity that a layer is coloured by, as its style shows it."""
    seen: dict[str, tuple[Layer, Field]] = {}
    for layer in layers:
        field, shown = layer.field_named(layer.style.colour_by), shown_field(layer)
        if field is not None and shown is not None and not field.categories:
            seen.setdefault(field.name, (layer, shown))
    for layer, field in seen.values():
        legend = legend_of(layer.with_(style=dataclasses.replace(layer.style, visible=True)))
        if legend is not None and legend.ramp is None:
            rows = [{"text": text, "colour": f"#{r:02x}{g:02x}{b:02x}"} for text, (r, g, b) in legend.classes]
            yield {
                "title": layer.style.title or title_of(field),
                "unit": unit_text(field.unit),
                "classes": rows,
            }
            continue
        colours = ramp(field.ramp)
        stops = [colours[round(k * (len(colours) - 1) / (LEGEND_STOPS - 1))] for k in range(LEGEND_STOPS)]
        low, high = field_range(field)
        yield {
            "title": layer.style.title or title_of(field),
            "unit": unit_text(field.unit),
            "low": number_text(low),
            "high": number_text(high),
            "colours": [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in stops],
        }


def _params(analysis_id: str, values: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    declared = find_analysis(analysis_id)
    infos = {info.name: info for info in describe_params(declared.params)} if declared else {}
    for name, value in values.items():
        info = infos.get(name)
        yield {
            "title": tr(f"{analysis_id}.{name}", info.title if info else name),
            "value": _chosen(analysis_id, name, value) if info is not None and info.options else number_text(value),
            "unit": unit_text(info.unit) if info else "",
        }


def table_of(layer: Layer) -> dict[str, Any]:
    """The first rows of a layer's table as texts."""
    columns = layer.table.columns
    heads = [_head(heading(field_name(name, c.title)), c.unit) for name, c in columns.items()]
    first = rows_by_severity(layer)[:TABLE_ROWS]
    values = [[_cell(name, value) for value in c.values[first].tolist()] for name, c in columns.items()]
    rows = [list(row) for row in zip(*values, strict=True)]
    more = len(layer.table) - len(rows)
    title = layer_title(layer)
    return {
        "id": layer.id,
        "title": title,
        "heads": heads,
        "rows": rows,
        "more": tr("report.more_rows", count=more) if more > 0 else "",
    }


def _cell(name: str, value: object) -> str:
    """A value; the codes of a study in words, where there are any."""
    return class_name(name, value) if isinstance(value, str) else number_text(value)


def _head(title: str, unit: str) -> str:
    return f"{title} [{unit_text(unit)}]" if unit_text(unit) else title


def _second(moment: str) -> str:
    return dt.datetime.fromisoformat(moment).isoformat(timespec="seconds")


def _provenance(provenance: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield tr("report.analysis"), f"{provenance['analysis']} {tr('report.version')} {provenance['version']}"
    yield tr("report.started"), f"{_second(provenance['started'])} ({provenance['duration_s']} s)"
    for item in provenance["inputs"]:
        yield f"{tr('report.input')}: {item['input']}", f"{item['name']} · {item['digest']}"
    libraries = ", ".join(f"{name} {number}" for name, number in provenance["libraries"].items())
    yield tr("report.libraries"), libraries


def _layer_row(layer: Layer) -> dict[str, str]:
    source = Path(layer.source.path).name if layer.source.path else str(layer.source.provenance.get("run", ""))
    return {
        "name": layer_title(layer),
        "theme": tr(f"theme.{layer.theme}", layer.theme),
        "elements": f"{len(layer.table):,}" if len(layer.table) else "–",
        "source": source,
        "digest": layer.source.digest,
    }


def _program() -> str:
    from app.cli import program_version

    return program_version()
