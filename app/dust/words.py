"""Headless. How purifiers, winds and small concentrations are said in the user's language."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from analysis.dust.catalogue import Purifier
from app.language import language, tr
from app.numbers import number_text

if TYPE_CHECKING:
    from app.dust.live import Answer

HOUR = 3600.0  # [s]
NAMES = ("n", "nne", "ne", "ene", "e", "ese", "se", "sse", "s", "ssw", "sw", "wsw", "w", "wnw", "nw", "nnw")
KRW_STEP = 10_000  # costs in Korean are told in tens of thousands


def purifier_title(model: Purifier) -> str:
    """The name of a model for people."""
    return tr(f"purifier.model.{model.id}", model.name)


def purifier_facts(model: Purifier) -> str:
    """What a model takes in, keeps and costs, and which of it nobody has tested."""
    facts = tr(
        "purifier.facts",
        flow=number_text(round(model.flow * HOUR)),
        pm10=f"{100 * model.efficiency['pm10']:.0f}",
        pm25=f"{100 * model.efficiency['pm25']:.0f}",
        power=number_text(model.power),
        intake=number_text(model.intake_height),
        outlet=number_text(model.outlet_height),
        cost=money(model.cost),
        running=money(model.running_cost),
    )
    tested = {"flow_m3_h", "efficiency"} <= set(model.verified)
    return facts + ("" if tested else f"<br>{tr('purifier.untested')}")


def money(won: float) -> str:
    """An amount [KRW]: in Korean by ten thousands, else in millions."""
    if language.code == "ko":
        return f"{number_text(round(won / KRW_STEP))}만 원"
    return f"{number_text(round(won / 1e6, 1))} M KRW"


def small_text(value: float) -> str:
    """A concentration or share with two digits that mean something, never rounded to nothing."""
    if not math.isfinite(value):
        return "–"
    if value == 0.0:
        return "0"
    digits = max(1 - math.floor(math.log10(abs(value))), 0)
    return f"{value:,.{min(digits, 7)}f}"


def sector_title(sector: int) -> str:
    """A wind by where it comes from."""
    return tr(f"dust.sector.{NAMES[sector % len(NAMES)]}")


def own_air_text(ratio: float) -> str:
    """Concentration taken in over that without the purifier; dots while it is not known."""
    return f"{100 * ratio:.0f} %" if math.isfinite(ratio) else "…"


def reduction_text(answer: Answer) -> str:
    """What one purifier brings the people on average, and how much of its own air it breathes."""
    sign = "" if answer.exact == len(answer.winds) else "≈ "
    value, percent = small_text(answer.benefit), small_text(answer.percent)
    text = tr("reduction.figures", sign=sign, value=value, percent=percent)
    own = tr("reduction.own_air", ratio=own_air_text(answer.own_air))
    return f"{text}<br>{own}"
