"""How a result came about: what is stamped on it, and read back from its record."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class InputDigest(BaseModel):
    """Which data an input had."""

    input: str
    layer: str
    name: str
    digest: str


class Provenance(BaseModel):
    """How a result came about; enough to repeat it. `alternative` is the id of the one it ran on, or empty."""

    analysis: str
    version: int
    params: dict[str, Any]
    inputs: list[InputDigest]
    libraries: dict[str, str]
    program: str
    started: str
    duration_s: float
    frame: dict[str, Any]
    alternative: str = ""
    alternative_name: str = ""
