"""Headless. The steps of a way as sentences in the user's language."""

from __future__ import annotations

from dataclasses import dataclass

from app.language import tr
from app.numbers import duration_text, number_text
from app.shown_runs import Run
from geo.model import ElementRef, Layer
from geo.model.conventions import LENGTH, RISE, STOREY, WAY

COLUMNS = (WAY, "through", "into", LENGTH, RISE, "seconds")
AT_THE_DOOR = 2.0  # metres of a step outside that is only the one over the threshold
CLIMBS = ("stair", "ramp", "escalator", "lift")


@dataclass(frozen=True)
class WayStep:
    """One step: its element, its sentence, its length [m] and the time it takes [s]."""

    ref: ElementRef
    text: str
    length: float
    seconds: float


def ways_of(run: Run) -> list[Layer]:
    """The layers of a run that are ways, step by step."""
    return [layer for layer in run.layers if layer.kind == "lines" and set(COLUMNS) <= set(layer.table.columns)]


def steps_of(layer: Layer) -> list[WayStep]:
    """The steps of a way in their order."""
    steps = []
    for row, element in enumerate(layer.table.ids.tolist()):
        values = layer.table.row_at(row)
        steps.append(
            WayStep(
                ElementRef(layer.id, str(element)),
                _sentence(values),
                float(values[LENGTH]),  # type: ignore[arg-type]
                float(values["seconds"]),  # type: ignore[arg-type]
            )
        )
    return steps


def length_text(metres: float) -> str:
    """A length as signs have it: centimetres do not matter to who walks."""
    return f"{number_text(float(round(metres)))} m" if metres >= 10 else f"{metres:.1f} m"


def time_text(seconds: float) -> str:
    """``45 s``, ``2 min 34 s``."""
    return duration_text(seconds)


def _sentence(values: dict[str, object]) -> str:
    way, through, into = (str(values.get(name) or "") for name in (WAY, "through", "into"))
    storey = str(values.get(STOREY) or "")
    if way in CLIMBS:
        turn = "up" if float(values[RISE]) > 0 else "down"  # type: ignore[arg-type]
        goal = storey or into
        return tr(f"way.{way}.{turn}" if goal else f"way.climb.{turn}", through=through, into=goal)
    if way == "outside":
        near = float(values[LENGTH]) < AT_THE_DOOR  # type: ignore[arg-type]
        key = "way.out" if through else ("way.in" if near else "way.to") if into else "way.along"
        return tr(key, through=through, into=into)
    key = ("way.through_into" if into else "way.through") if through else "way.cross" if into else "way.walk"
    return tr(key, through=through, into=into)
