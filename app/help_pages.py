"""Headless. The pages of the manual: those in ``resources/help``, and one from the declaration of each analysis."""

from __future__ import annotations

from analysis.contract import Analysis, ParamInfo, describe_inputs, describe_params
from analysis.registry import analysis_ids, find_analysis
from app.language import language, tr
from app.numbers import number_text, unit_text
from resources import path

EMPTY_CELL = "\u00a0"  # Qt joins cells that hold nothing with the one before
PAGES = (
    *("overview", "first_steps", "importing", "layers", "style", "find", "views", "measure"),
    *("utilities", "underground_view"),
    *("network", "checks_underground", "model", "placing", "checks", "topics", "progress", "as_built"),
    *("indoor", "alternatives", "figures", "analyses"),
    *("sun_hours", "standards", "irradiation", "setback", "sun_validation"),
    *("wind_morphology", "wind_field", "wind_view", "wind_comfort", "wind_corridor", "wind_cold_air", "openfoam"),
    "wind_validation",
    *("cctv_window", "cctv_coverage", "cctv_siting", "cctv_privacy", "cctv_validation"),
    "sensor_siting",
    *("dust_dispersion", "dust_siting", "dust_calibrate", "dust_effect", "dust_window", "dust_validation"),
    *("reports", "timeline", "shadow", "jobs", "settings", "commands", "keys"),
)


def page_titles() -> list[tuple[str, str]]:
    """Id and title of each page, in order; analyses have the id ``analysis:<id>``."""
    written = [(name, tr(f"help.{name}")) for name in PAGES]
    made = [(f"analysis:{analysis_id}", tr(f"{analysis_id}.title")) for analysis_id in analysis_ids()]
    position = PAGES.index("analyses") + 1
    return written[:position] + made + written[position:]


def page(name: str) -> str:
    """Markdown of a page in the current language."""
    if name.startswith("analysis:"):
        found = find_analysis(name.removeprefix("analysis:"))
        return analysis_page(found) if found is not None else ""
    known = name if name in PAGES else "overview"
    return path(f"help/{language.code}/{known}.md").read_text(encoding="utf-8")


def analysis_page(analysis: Analysis) -> str:
    """What an analysis takes, its parameters with units and ranges, and its references."""
    lines = [
        f"# {tr(f'{analysis.id}.title', analysis.title)}",
        "",
        tr(f"{analysis.id}.description", analysis.description),
        "",
        f"`{analysis.id}` · {tr('help.version')} {analysis.version}{_link(analysis)}",
        "",
        f"## {tr('help.inputs')}",
        "",
    ]
    for spec in describe_inputs(analysis.inputs):
        title = tr(f"{analysis.id}.input.{spec.name}", spec.title)
        sorts = ", ".join(tr(f"kind.{kind}") for kind in spec.kinds)
        optional = f" ({tr('analyses.optional')})" if spec.optional else ""
        lines.append(f"- **{title}**{optional}: {sorts}")
    lines += ["", f"## {tr('help.parameters')}", "", _table_head()]
    lines += [_parameter_row(analysis.id, info) for info in describe_params(analysis.params)]
    if analysis.references:
        lines += ["", f"## {tr('help.references')}", ""]
        lines += [f"- {r.text}" + (f" doi:{r.doi}" if r.doi else "") for r in analysis.references]
    return "\n".join(lines) + "\n"


def _link(analysis: Analysis) -> str:
    """To the written page of an analysis, where there is one of its name."""
    name = analysis.id.replace(".", "_")
    return f" · [{tr('help.more', title=tr(f'help.{name}'))}]({name})" if name in PAGES else ""


def _table_head() -> str:
    names = [tr(f"help.column.{name}") for name in ("parameter", "default", "range", "unit", "meaning")]
    return f"| {' | '.join(names)} |\n|{'---|' * len(names)}"


def _parameter_row(analysis_id: str, info: ParamInfo) -> str:
    title = tr(f"{analysis_id}.{info.name}", info.title)
    allowed = f"{info.low:g} … {info.high:g}" if info.low is not None and info.high is not None else ""
    if info.options:
        allowed = ", ".join(tr(f"{analysis_id}.{info.name}.{o}", o.replace("_", " ")) for o in info.options)
    default = info.default
    if isinstance(default, bool):
        default = tr("yes" if default else "no")
    elif info.options:
        default = tr(f"{analysis_id}.{info.name}.{default}", str(default).replace("_", " "))
    elif isinstance(default, str):
        default = tr(f"{analysis_id}.{info.name}.{default}", default)
    unit = unit_text(info.unit)
    meaning = tr(f"{analysis_id}.{info.name}.help", info.help).replace("|", "/").replace("\n", " ")
    shown = number_text(default) if isinstance(default, int | float) else str(default)
    cells = (title, shown, allowed, unit, meaning)
    return f"| {' | '.join(cell or EMPTY_CELL for cell in cells)} |"
