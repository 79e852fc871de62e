"""Headless. The colours of the program, light and dark, from ``resources/themes``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from resources import load_json

THEME_NAMES = ("light", "dark")


@dataclass(frozen=True)
class Theme:
    """A palette: role -> colour.

    Attributes
    ----------
    name : str
        ``"light"`` or ``"dark"``.
    colours : mapping of str to "#rrggbb"
        Roles are listed in ``resources/themes/light.json``.
    edge_opacity : float
        Opacity of the crease lines of buildings, 0..1.
    """

    name: str
    colours: Mapping[str, str]
    edge_opacity: float

    def __getitem__(self, role: str) -> str:
        return self.colours[role]

    def rgb(self, role: str) -> tuple[int, int, int]:
        """The colour of a role as 0..255."""
        return rgb_of(self.colours[role])

    def unit_rgb(self, role: str) -> tuple[float, float, float]:
        """The colour of a role as 0..1."""
        red, green, blue = self.rgb(role)
        return (red / 255, green / 255, blue / 255)

    @property
    def is_dark(self) -> bool:
        """Whether text is light on dark."""
        return self.name == "dark"


def rgb_of(colour: str) -> tuple[int, int, int]:
    """``"#rrggbb"`` as three numbers 0..255."""
    text = colour.removeprefix("#")
    return (int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16))


@cache
def theme_named(name: str) -> Theme:
    """The theme ``"light"`` or ``"dark"``."""
    if name not in THEME_NAMES:
        raise ValueError(f"unknown theme {name!r}")
    data = load_json(f"themes/{name}.json")
    return Theme(name=data["name"], colours=MappingProxyType(data["colours"]), edge_opacity=float(data["edge_opacity"]))
