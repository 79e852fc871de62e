"""The sorts of trouble: a user's error, a doubt about data, and a stop the user asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Severity = Literal["note", "doubt", "error"]


class Cancelled(Exception):
    """The user asked to stop. Shown to nobody."""


class UserError(Exception):
    """Something the user can put right: what happened, why, and what to do.

    Parameters
    ----------
    what, why, todo : str
        Three plain English sentences. The window looks up a translation under
        ``error.<code>.what`` (``.why``, ``.todo``) and fills in `values`; without one the English is shown.
    code : str
        Stable id such as ``"geotiff.only_nodata"``.
    values : mapping
        What the sentences mention (path, number, ...).
    """

    def __init__(
        self, what: str, why: str, todo: str, *, code: str = "general", values: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.todo = todo
        self.code = code
        self.values: Mapping[str, object] = MappingProxyType(dict(values or {}))

    def __str__(self) -> str:
        return f"{self.what} {self.why} {self.todo}"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.why, self.todo, self.code, dict(self.values))


def _rebuild(kind: type[UserError], what: str, why: str, todo: str, code: str, values: dict[str, object]) -> UserError:
    error = UserError.__new__(kind)
    UserError.__init__(error, what, why, todo, code=code, values=values)
    return error


class MissingCrs(UserError):
    """The file does not say where on Earth it lies. The window asks; the command line wants ``--crs``."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} does not say which coordinate system it uses.",
            "Without it the program cannot know where on Earth the data lie, and it does not guess.",
            "Name the coordinate system, for example --crs EPSG:5186.",
            code="crs.missing",
            values={"name": name, "advice": ""},
        )


@dataclass(frozen=True)
class Issue:
    """A doubt about data or an assumption made, kept with the layer or the result it concerns.

    Attributes
    ----------
    code : str
        Stable id, e.g. ``"footprints.height_assumed"``; translation id ``issue.<code>``.
    message : str
        English, with the figures.
    severity : {"note", "doubt", "error"}
        note: said for the record. doubt: the place or value may be wrong. error: something was left out.
    count : int
        Elements or objects concerned, 0 if that has no meaning.
    elements : tuple of str
        Ids of (some of) the elements concerned.
    values : mapping
        Figures for the translated message.
    """

    code: str
    message: str
    severity: Severity = "note"
    count: int = 0
    elements: tuple[str, ...] = ()
    values: Mapping[str, object] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "code": self.code,
            "message": self.message,
            "severity": self.severity,
            "count": self.count,
            "elements": list(self.elements),
            "values": dict(self.values),
        }

    @staticmethod
    def from_dict(data: Mapping[str, object]) -> Issue:
        """The inverse of `as_dict`."""
        severity = str(data.get("severity", "note"))
        elements = data.get("elements", ())
        values = data.get("values", {})
        count = data.get("count", 0)
        return Issue(
            code=str(data["code"]),
            message=str(data["message"]),
            severity=severity if severity in ("note", "doubt", "error") else "note",  # type: ignore[arg-type]
            count=count if isinstance(count, int) else 0,
            elements=tuple(str(e) for e in elements) if isinstance(elements, list | tuple) else (),
            values=dict(values) if isinstance(values, Mapping) else {},
        )
