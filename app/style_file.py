"""Headless. Styles as JSON: on the clipboard and in files. What is read is checked value by value; nothing is run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from app.classes import MOST_CLASSES
from app.colour import has_ramp
from app.style_edit import OWN
from geo.model import Style, UserError
from geo.store import style_from_dict, style_to_dict, write_atomically

FORMAT_NAME = "sejong-twin-style"
VERSION = 1
SUFFIX = ".twinstyle"
LIMIT_BYTES = 1 << 20

Colour = Annotated[str, Field(pattern=r"^(#[0-9a-fA-F]{6})?$")]
Text = Annotated[str, Field(max_length=500)]
Pairs = Annotated[tuple[tuple[Text, Text], ...], Field(max_length=5000)]


class StyleEntry(BaseModel):
    """What a file may say of a style; anything else is refused."""

    model_config = ConfigDict(extra="forbid", strict=False)

    opacity: float = Field(1.0, ge=0.0, le=1.0)
    colour: Colour = ""
    colour_by: Text = ""
    ramp: Text = ""
    classes: int = Field(0, ge=0, le=MOST_CLASSES)
    method: Literal["", "quantiles", "equal", "unique", "breaks"] = ""
    hatched: bool = True
    breaks: Annotated[tuple[FiniteFloat, ...], Field(max_length=MOST_CLASSES + 1)] = ()
    reversed: bool = False
    range: tuple[FiniteFloat, FiniteFloat] | None = None
    class_colours: Annotated[tuple[tuple[Text, Colour], ...], Field(max_length=5000)] = ()
    class_titles: Pairs = ()
    missing: Colour = ""
    title: Text = ""
    label_by: Text = ""
    labelled: bool = False
    label_size: int = Field(12, ge=6, le=72)
    label_reach: FiniteFloat = Field(0.0, ge=0.0)
    edges: bool = True
    shaded: bool = True

    @model_validator(mode="after")
    def _makes_sense(self) -> StyleEntry:
        if self.ramp and not has_ramp(self.ramp):
            raise ValueError(f"there is no ramp {self.ramp!r}")
        if list(self.breaks) != sorted(set(self.breaks)):
            raise ValueError("the limits of classes do not rise")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError("the ends of the ramp do not rise")
        return self


def style_text(style: Style) -> str:
    """A style as JSON, without what is of one layer only: its visibility and hidden elements."""
    values = {key: value for key, value in style_to_dict(style).items() if key not in OWN}
    return json.dumps({"format": FORMAT_NAME, "version": VERSION, "style": values}, ensure_ascii=False, indent=1)


def read_style(text: str | bytes, *, name: str) -> Style:
    """The style that a text says. Raises `UserError` naming what is wrong; `name` is where the text comes from."""
    try:
        said = json.loads(text)
        if not isinstance(said, dict) or said.get("format") != FORMAT_NAME:
            raise _not_a_style(name, "it lacks the mark of a style")
        version = said.get("version")
        if not isinstance(version, int) or not 1 <= version <= VERSION:
            raise _not_a_style(name, "its version is not known")
        entry = StyleEntry.model_validate(said.get("style"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _not_a_style(name, f"{where}: {first['msg']}" if where else str(first["msg"])) from error
    except (ValueError, RecursionError) as error:
        raise _not_a_style(name, "it is not readable JSON") from error
    return style_from_dict(entry.model_dump())


def save_style(path: Path, style: Style) -> None:
    """Write a style to a file, all or nothing."""
    content = style_text(style).encode()
    write_atomically(path, lambda file: file.write(content))


def load_style(path: Path) -> Style:
    """The style in a file."""
    try:
        if path.stat().st_size > LIMIT_BYTES:
            raise _not_a_style(path.name, "it is far too large")
        content = path.read_bytes()
    except OSError as error:
        raise _not_a_style(path.name, error.strerror or str(error)) from error
    return read_style(content, name=path.name)


def _not_a_style(name: str, reason: str) -> UserError:
    return UserError(
        f"{name} is not a style.",
        f"Reading it failed: {reason}.",
        "Choose a file that was written by 'Save style', or copy a style first.",
        code="style.broken",
        values={"name": name, "reason": reason},
    )
