"""Hatching of a map where it is to be trusted less or its grade is bad: which cells, how, what the legend says.

A map that is coloured by its grades is hatched by them, so that they are told apart without colours too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.words import class_name
from geo.model import Field, Grid, Layer

TRUST_FIELD, GRADE_FIELD = "trust", "grade"
LINES, CROSSED = 1, 2
# Classes -> lines one way, lines both ways.
HATCH_OF_CLASS = {"comparative": LINES, "indicative": CROSSED, "bad": LINES, "very_bad": CROSSED}
SPACING = 10.0  # pixels between lines at least, twice that at most
SWATCH_SPACING = 6.0  # pixels between lines on the swatch of a legend

# Lines stand still on the ground; their spacing doubles with distance, each second line going on.
HATCH_TEXT = """
  if (all(greaterThanEqual(at{number}, vec2(0.0))) && all(lessThanEqual(at{number}, vec2(1.0)))) {{
    float hatch = floor(texture(hatchTex, at{number}).r * 255.0 + 0.5);
    vec2 slant = vec2(posW.x + posW.y, posW.x - posW.y) * 0.70710678;
    vec2 pixel = max(fwidth(slant), vec2(1e-6));
    float spacing = exp2(ceil(log2(max(pixel.x, pixel.y) * {spacing})));
    vec2 away = abs(fract(slant / spacing) - 0.5) * spacing / pixel;
    vec2 stroke = 1.0 - smoothstep(vec2(0.4), vec2(1.0), away);
    float ink = hatch > 1.5 ? max(stroke.x, stroke.y) : hatch > 0.5 ? stroke.x : 0.0;
    float bright = dot(base, vec3(0.299, 0.587, 0.114));
    float strokes = 0.36 * ink * drapeMix{number}.x * smoothstep(0.02, 0.1, abs(nw.z));
    base = mix(base, bright > 0.42 ? vec3(0.05) : vec3(1.0), strokes);
  }}
"""


def hatch_text(number: int) -> str:
    """Shader text that hatches by the texture ``hatchTex``, which lies where drape `number` does."""
    return HATCH_TEXT.format(number=number, spacing=SPACING)


def hatched_field(layer: Layer) -> Field | None:
    """The classes by which a layer is hatched; None where there are none or they are switched off."""
    if not layer.style.hatched:
        return None
    by_grade = layer.style.colour_by == GRADE_FIELD
    return _classes(layer, GRADE_FIELD) if by_grade else trust_field(layer)


def trust_field(layer: Layer) -> Field | None:
    """The classes of trust of a map, whether it is hatched or not."""
    return _classes(layer, TRUST_FIELD)


def _classes(layer: Layer, name: str) -> Field | None:
    field = layer.field_named(name)
    if field is None or not isinstance(layer.geometry, Grid) or field.values.shape != layer.geometry.values.shape:
        return None
    return field if any(name in HATCH_OF_CLASS for name in field.categories) else None


def hatch_codes(layer: Layer, known: NDArray[np.bool_]) -> NDArray[np.uint8] | None:
    """(rows, cols) 0: plain, `LINES` or `CROSSED`, where the map has a value; None where nothing is hatched."""
    field = hatched_field(layer)
    if field is None:
        return None
    of_class = np.array([HATCH_OF_CLASS.get(name, 0) for name in (*field.categories, "")], dtype=np.uint8)
    values = np.nan_to_num(np.asarray(field.values, dtype=np.float64), nan=-1.0).astype(np.int64)
    values[(values < 0) | (values >= len(field.categories))] = len(field.categories)
    codes = np.where(known, of_class[values], 0).astype(np.uint8)
    return codes if codes.any() else None


def hatch_rows(layer: Layer) -> tuple[tuple[str, int], ...]:
    """Rows of the legend: name of the class and its hatch, of those that occur."""
    field = hatched_field(layer)
    if field is None:
        return ()
    present = set(np.unique(np.asarray(field.values)).tolist())
    return tuple(
        (class_name(field.name, name), HATCH_OF_CLASS[name])
        for code, name in enumerate(field.categories)
        if name in HATCH_OF_CLASS and code in present
    )


def swatch_lines(width: float, height: float, hatch: int) -> list[tuple[float, float, float, float]]:
    """Strokes (x0, y0, x1, y1) of a hatch in a rectangle from its upper left corner [pixels]."""
    found = []
    for start in np.arange(-height + SWATCH_SPACING / 2, width, SWATCH_SPACING):
        low, high = max(float(start), 0.0), min(float(start) + height, width)
        rising = (low, height - (low - start), high, height - (high - start))
        found.append(rising)
        if hatch == CROSSED:
            found.append((rising[0], height - rising[1], rising[2], height - rising[3]))
    return found
