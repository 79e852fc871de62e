"""What a legend says: title, ramp or classes, ticks. The Qt card and the painted picture show the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from app.classes import MOST_CLASSES, styled
from app.colour import (
    ClassedField,
    StyledField,
    category_colours,
    column_field,
    counts_of,
    field_range,
    nice_ticks,
    number_text,
    ramp,
)
from app.language import tr
from app.names import layer_title, run_title
from app.numbers import unit_text
from app.theme import rgb_of
from app.utility_kinds import is_network, kind_codes, patterns, utility_kinds
from app.view.hatch import hatch_rows
from app.words import class_name as named_class
from app.words import field_name, heading
from geo.model import Column, Field, Grid, Layer, Points, Style, Volume
from geo.model.conventions import UTILITY

HEIGHT_FIELD = "height"
SEVERITY_FIELD = "severity"
SEVERITY_SIGNS = {"error": "◆", "warning": "▲", "doubt": "▲", "note": "●"}
HEIGHT_SAMPLE = 20_000  # points whose heights give the range
KEPT_COLOURINGS = 8  # of one field
PART = " · "  # between the parts of a subtitle
PAINTED_FIELD = "colour"  # per-face colours of a model, 0xRRGGBB: a look, not a quantity


@dataclass(frozen=True)
class Legend:
    """Contents of a legend card.

    Attributes
    ----------
    title, subtitle, unit : str
    ramp : (256, 3) uint8 or None
    low, high : float
        Ends of the ramp.
    ticks : tuple of (value, text)
    classes : tuple of (text, (r, g, b))
        For class maps; then there is no ramp.
    more : int
        Classes left out of the card.
    patterns : tuple of str
        Band pattern of each class, of utility kinds; empty for others.
    missing : str
        What is said beside the colour of missing values; empty when none is missing.
    hatches : tuple of (text, hatch)
        What is said of hatched parts, with `app.view.hatch.LINES` or `CROSSED`.
    missing_colour : (r, g, b) or None
        Of missing values; None = the theme's.
    layer_id : str
        Whose legend it is; empty for that of all utilities.
    """

    title: str
    subtitle: str
    unit: str
    ramp: NDArray[np.uint8] | None = None
    low: float = 0.0
    high: float = 1.0
    ticks: tuple[tuple[float, str], ...] = ()
    classes: tuple[tuple[str, tuple[int, int, int]], ...] = ()
    more: int = 0
    missing: str = ""
    patterns: tuple[str, ...] = ()
    hatches: tuple[tuple[str, int], ...] = ()
    missing_colour: tuple[int, int, int] | None = None
    layer_id: str = ""


def plain_field(layer: Layer) -> Field | None:
    """The field or column a layer is coloured by as it is, before it is sorted into classes; None when plain."""
    name = layer.style.colour_by
    if name == PAINTED_FIELD:
        return None
    if name:
        return layer.field_named(name) or _of_column(layer, name) or _of_heights(layer, name)
    if layer.theme != "result":
        return None
    if layer.fields:
        return layer.fields[0]
    if isinstance(layer.geometry, Grid | Volume):
        return Field(name=layer.name, unit="1", on="cell", values=layer.geometry.values)
    return None


def shown_field(layer: Layer) -> Field | None:
    """The field a layer is coloured by, sorted into classes as its style says; None when it is plain."""
    field, style = plain_field(layer), layer.style
    key = colouring_of(style)
    if field is None or not (field.categories or any(key)):
        return field
    made = _classed.setdefault(field, {})
    if key not in made:
        if len(made) >= KEPT_COLOURINGS:  # a colour that is being chosen by hand goes through many
            made.pop(next(iter(made)))
        found = styled(field, style)
        made[key] = None if found is field else found
    kept = made[key]
    return field if kept is None else kept


def colouring_of(style: Style) -> tuple[Hashable, ...]:
    """All of a style that says how a field is coloured, but which field it is; empty and zero where it is usual."""
    return (
        *(style.method, style.classes, style.ramp, style.reversed, style.range),
        *(style.breaks, style.class_colours, style.class_titles, style.missing),
    )


# Sorting a hundred thousand texts takes a while, and the field is asked for at every move of the mouse. None stands for
# the field as it is: an entry that held its own key would keep it for ever.
_classed: WeakKeyDictionary[Field, dict[tuple[Hashable, ...], Field | None]] = WeakKeyDictionary()
_columns: WeakKeyDictionary[Column, Field] = WeakKeyDictionary()
_heights: WeakKeyDictionary[Points, Field] = WeakKeyDictionary()


def _of_column(layer: Layer, name: str) -> Field | None:
    column = layer.table.columns.get(name)
    if column is None:
        return None
    found = _columns.get(column)
    if found is None or found.name != name:
        found = _columns[column] = column_field(name, column)
    return found


def _of_heights(layer: Layer, name: str) -> Field | None:
    """The heights of points as a field, though no file names them so; a stray bird does not stretch the ramp."""
    points = layer.geometry
    if name != HEIGHT_FIELD or not isinstance(points, Points) or len(points.vertices) == 0:
        return None
    found = _heights.get(points)
    if found is None:
        z = points.vertices[:, 2]
        low, high = np.percentile(z[:: max(len(z) // HEIGHT_SAMPLE, 1)], (0.5, 99.5))
        found = Field(name, "m", "point", z, ramp="height", range=(float(low), float(high)))
        _heights[points] = found
    return found


def legend_of(layer: Layer) -> Legend | None:
    """The legend of a layer, or None when it is not coloured by anything."""
    field = shown_field(layer)
    if field is None or not layer.style.visible:
        return None
    title = layer.style.title or title_of(field)
    subtitle, hatches = run_title(layer) or layer_title(layer), hatch_rows(layer)
    if field.categories:
        legend = _class_legend(field, title, subtitle, named=bool(layer.style.title))
        return replace(legend, hatches=hatches, layer_id=layer.id)
    low, high = field_range(field)
    ticks = tuple((value, number_text(value)) for value in nice_ticks(low, high, count=6))
    return Legend(
        title,
        subtitle,
        unit_text(field.unit),
        ramp(field.ramp),
        low,
        high,
        ticks,
        missing=_lacking_text(field) if _lacks_values(field) else "",
        missing_colour=_missing_colour(field),
        hatches=hatches,
        layer_id=layer.id,
    )


def _missing_colour(field: Field) -> tuple[int, int, int] | None:
    """That of the user's own, where it is one."""
    return rgb_of(field.missing) if isinstance(field, StyledField) and field.missing else None


def _lacks_values(field: Field) -> bool:
    """Whether elements are drawn in the colour of missing values; holes of a map are not drawn at all."""
    return field.on == "element" and not bool(np.isfinite(np.asarray(field.values, dtype=np.float64)).all())


def title_of(field: Field) -> str:
    """What a legend is called that nobody has named."""
    return heading(field_name(field.name))


def _class_legend(field: Field, title: str, subtitle: str, *, named: bool) -> Legend:
    colours = category_colours(field)
    counts = counts_of(field)
    ordered = isinstance(field, ClassedField) and bool(field.limits)
    rows = [row for row in range(len(field.categories)) if ordered or counts[row]]
    classes = tuple(
        (class_name(field, row), (int(colours[row][0]), int(colours[row][1]), int(colours[row][2])))
        for row in rows[: MOST_CLASSES + 1]
    )
    if ordered and unit_text(field.unit) and not named:
        title = f"{title} ({unit_text(field.unit)})"
    lacking = field.on == "element" and int(counts.sum()) < np.asarray(field.values).size
    return Legend(
        title,
        subtitle,
        "",
        classes=classes,
        more=max(len(rows) - MOST_CLASSES - 1, 0),
        missing=_lacking_text(field) if lacking else "",
        missing_colour=_missing_colour(field),
    )


def _lacking_text(field: Field) -> str:
    """What has no value is in no class; with limits of the user's own more may be."""
    if isinstance(field, ClassedField) and field.limits:
        return tr("view.no_class", "in no class")
    return tr("view.missing", "no value")


def class_name(field: Field, row: int) -> str:
    """A class in the user's language."""
    name = field.categories[row]
    if isinstance(field, ClassedField) and field.titles and field.titles[row]:
        return field.titles[row]
    if isinstance(field, ClassedField) and field.has_others and row == len(field.categories) - 1:
        return tr("view.others", "others")
    text = named_class(field.name, name, tr(name) if name in ("yes", "no") else "")
    sign = SEVERITY_SIGNS.get(name, "") if field.name == SEVERITY_FIELD else ""
    return f"{sign}   {text}" if sign else text


VEIL = 0.5  # opacity of bodies up to which they are zones around something
LEGEND_RANK = {"lines": 0, "points": 1, "grid": 3}  # of kinds; all others lie between


def legend_for(layers: Iterable[Layer], *, ground_is_open: bool | None = None) -> Legend | None:
    """The picture's legend: of the last coloured layer shown, results before others, the newest run before older
    ones, and of one run maps before points and lines.

    ground_is_open : bool or None
        Whether one sees what lies under the ground, and wants the kinds of pipes told; None: where no ground is shown.
    """
    shown = list(layers)
    last = {_run_of(layer): number for number, layer in enumerate(shown) if _run_of(layer)}
    found = [
        (layer.theme == "result", last.get(_run_of(layer), -1), _legend_rank(layer), number, layer)
        for number, layer in enumerate(shown)
        if shown_field(layer)
    ]
    for *_order, layer in sorted(found, key=lambda entry: entry[:4], reverse=True):
        legend = legend_of(layer)
        if legend is not None:
            return legend
    if ground_is_open is None:
        ground_is_open = not any(layer.theme == "terrain" and layer.style.visible for layer in shown)
    return network_legend(shown) if ground_is_open else None


def _legend_rank(layer: Layer) -> int:
    """Maps before bodies, points and lines; zones that one looks through, laid around what was found, come last."""
    veil = layer.kind == "mesh" and layer.style.opacity <= VEIL
    return -1 if veil else LEGEND_RANK.get(layer.kind, 2)


def _run_of(layer: Layer) -> str:
    return str(layer.source.provenance.get("run", ""))


def network_legend(layers: Iterable[Layer]) -> Legend | None:
    """Kinds of utility that plain networks show, with their letters and bands; None where there is no network."""
    present: set[int] = set()
    for layer in layers:
        plain = not layer.style.colour and shown_field(layer) is None
        if layer.style.visible and plain and is_network(layer) and UTILITY in layer.table.columns:
            present |= set(np.unique(kind_codes(layer)).tolist())
    if not present:
        return None
    kinds = [kind for code, kind in enumerate(utility_kinds().values()) if code in present]
    # Of the two themes' colours that of the light one: they differ little, and a legend knows no theme.
    return Legend(
        tr("view.network", "Underground facilities"),
        "",
        "",
        classes=tuple((f"{kind.symbol}   {tr(f'utility.{kind.id}', kind.id)}", rgb_of(kind.light)) for kind in kinds),
        patterns=tuple(kind.pattern for kind in kinds),
    )


def lines_of(text: str, width: float, measure: Callable[[str], float]) -> tuple[str, ...]:
    """A subtitle in lines that are no wider than `width` as `measure` has it, parted where its parts are.

    A part that is too wide alone stays so, to be cut.
    """
    lines: list[str] = []
    for part in text.split(PART) if text else ():
        longer = f"{lines[-1]}{PART}{part}" if lines else part
        if lines and measure(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(part)
    return tuple(lines)


def bands_of(legend: Legend, number: int) -> tuple[tuple[float, float], ...]:
    """Light bands (from, to) on the swatch of a class, as shares of its width."""
    if not legend.patterns:
        return ()
    bands = patterns()[legend.patterns[number]].bands
    return tuple((0.15 + 0.8 * first, 0.15 + 0.8 * last) for first, last in bands)
