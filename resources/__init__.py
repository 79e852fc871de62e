"""Data files inside the program: themes, ramps, translations, help, icons, rule tables."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any


def path(name: str) -> Traversable:
    """A resource by its name relative to this package, e.g. ``"themes/light.json"``."""
    node = _root()
    for piece in name.split("/"):
        node = node.joinpath(piece)
    return node


@cache
def _root() -> Traversable:
    return files(__name__)


@cache
def load_json(name: str) -> Any:
    """A JSON resource, read once."""
    return json.loads(path(name).read_text(encoding="utf-8"))
