"""How an analysis declares its parameters. Pydantic checks them; the window does without it until a form is made."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic import Field as PydanticField


class Params(BaseModel):
    """Base of every analysis' parameters. Declare each with `quantity`, `choice` or `switch`."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def quantity(title: str, unit: str, *, default: float, ge: float, le: float, help: str = "") -> Any:
    """A number with a unit and a range (int or float by its annotation)."""
    return PydanticField(
        default=default, ge=ge, le=le, title=title, description=help, json_schema_extra={"unit": unit, "sort": "number"}
    )


def choice(title: str, *, default: Any, help: str = "") -> Any:
    """One of the values of its annotation (Literal), a date, or a text."""
    return PydanticField(
        default=default, title=title, description=help, json_schema_extra={"unit": "", "sort": "choice"}
    )


def switch(title: str, *, default: bool, help: str = "") -> Any:
    """Yes or no."""
    return PydanticField(
        default=default, title=title, description=help, json_schema_extra={"unit": "", "sort": "switch"}
    )


def place(title: str, *, default: str = "", help: str = "") -> Any:
    """A place of the scene as text, read by `analysis.places.read_places`: an element's id, or coordinates.

    Several are separated by ``;``. The form offers the selection and a click in the picture.
    """
    return PydanticField(
        default=default, title=title, description=help, json_schema_extra={"unit": "", "sort": "place"}
    )
