"""What an analysis declares, and what it returns. Form, command line, help and report are made from this."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from geo.model import Column, Feedback, Frame, Issue, Layer

if TYPE_CHECKING:
    from analysis.params import Params
    from analysis.provenance import Provenance


@dataclass(frozen=True)
class ParamInfo:
    """One parameter as a form, a command line or a help page needs it.

    `sort`: number, choice, date, switch or place.
    """

    name: str
    title: str
    help: str
    unit: str
    sort: str
    default: Any
    annotation: Any
    low: float | None = None
    high: float | None = None
    options: tuple[str, ...] = ()

    @property
    def is_integer(self) -> bool:
        """Whether only whole numbers are allowed."""
        return self.annotation is int


def describe_params(params: type[Params]) -> list[ParamInfo]:
    """The parameters of a declaration, in order."""
    out = []
    for name, info in params.model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        low = next((m.ge for m in info.metadata if hasattr(m, "ge")), None)
        high = next((m.le for m in info.metadata if hasattr(m, "le")), None)
        options = tuple(str(a) for a in get_args(info.annotation)) if extra.get("sort") == "choice" else ()
        sort = str(extra.get("sort", "choice"))
        if getattr(info.annotation, "__name__", "") == "date":
            sort, options = "date", ()
        out.append(
            ParamInfo(
                name=name,
                title=info.title or name,
                help=info.description or "",
                unit=str(extra.get("unit", "")),
                sort=sort,
                default=None if info.is_required() else info.default,
                annotation=info.annotation,
                low=low,
                high=high,
                options=options,
            )
        )
    return out


class InputSpec(NamedTuple):
    """Which layers of the scene an input takes."""

    name: str
    title: str
    kinds: tuple[str, ...]
    themes: tuple[str, ...]
    many: bool
    optional: bool
    named: bool = False
    hidden: bool = False
    replaced: bool = False

    def accepts(self, layer: Layer) -> bool:
        """Whether a layer can serve as this input."""
        return layer.kind in self.kinds and (not self.themes or layer.theme in self.themes)


def layer_input(
    title: str,
    *,
    kind: str | tuple[str, ...],
    theme: str | tuple[str, ...] = (),
    many: bool = False,
    optional: bool = False,
    named: bool = False,
    hidden: bool = False,
    replaced: bool = False,
    default: bool = False,
) -> Any:
    """A layer (``many``: a tuple of layers) the analysis works on. Optional ones are None or ``()`` when absent.

    `named`: only layers the user has named are taken, never all that would fit (a proposal among the buildings).
    `hidden`: layers that are not shown are taken too (rooms and walking networks are hidden at first).
    `default`: inputs made without it have none of it; it must then stand behind all that have no default.
    `replaced`: blocks in whose place a model stands are given with the rest (see `analysis.replaced`).
    """
    kinds = (kind,) if isinstance(kind, str) else kind
    themes = (theme,) if isinstance(theme, str) else theme
    spec = InputSpec("", title, kinds, themes, many, optional, named, hidden, replaced)
    if default:
        return dataclasses.field(default=() if many else None, metadata={"input": spec})
    return dataclasses.field(metadata={"input": spec})


@dataclass(frozen=True)
class Inputs:
    """Base of every analysis' inputs; `frame` is always there."""

    frame: Frame


def describe_inputs(inputs: type[Inputs]) -> list[InputSpec]:
    """The layer inputs of a declaration, in order."""
    return [f.metadata["input"]._replace(name=f.name) for f in dataclasses.fields(inputs) if "input" in f.metadata]


class Quantity(NamedTuple):
    """A summary value with its unit."""

    value: float | int | str | None
    unit: str


@dataclass(frozen=True, eq=False)
class Table:
    """A table of a result: columns with units, all of one length."""

    id: str
    title: str
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())).values) if self.columns else 0

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Rows as plain values."""
        return zip(*(c.values.tolist() for c in self.columns.values()), strict=True)


@dataclass(frozen=True, eq=False)
class Series:
    """One line, filled area or row of marks of a chart. `x`, `y`: (n,) float64; NaN in y interrupts a line.

    `role`: ``"line"``, ``"dashed"``, ``"area"`` (between `y` and `base`) or ``"marks"``. `colour`: ``"#rrggbb"`` or
    ``""`` for the next of the palette. `labels`: one text for each mark, or empty.
    """

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    role: str = "line"
    colour: str = ""
    base: NDArray[np.float64] | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Chart:
    """A chart of a result: axes with titles and units, and what is drawn in them."""

    id: str
    title: str
    x_title: str
    x_unit: str
    y_title: str
    y_unit: str
    series: tuple[Series, ...]


class Variant(NamedTuple):
    """The alternative whose layers a run was given; two empty texts for the base scene."""

    id: str = ""
    name: str = ""


BASE_VARIANT = Variant()


@dataclass(frozen=True, eq=False)
class Result:
    """What an analysis returns.

    Attributes
    ----------
    layers : tuple of Layer
        Result layers (theme ``"result"``); ids are unique within the result.
    summary : mapping of name -> Quantity
        Key figures; names are translation ids ``<analysis id>.summary.<name>``.
    tables : tuple of Table
    charts : tuple of Chart
    issues : tuple of Issue
    assumptions : tuple of str
        What was taken for granted, one plain sentence each.
    provenance : Provenance
        Stamped by the runner.
    """

    layers: tuple[Layer, ...]
    summary: Mapping[str, Quantity]
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    issues: tuple[Issue, ...] = ()
    assumptions: tuple[str, ...] = ()
    provenance: Provenance | None = None


@dataclass(frozen=True)
class Reference:
    """A paper, standard or law."""

    key: str
    text: str
    doi: str = ""


RunFunction = Callable[[Any, Any, Feedback], Result]


@dataclass(frozen=True)
class Analysis:
    """One registered analysis. `headline` names the parameters that a legend repeats (day, time step ...)."""

    id: str
    title: str
    description: str
    version: int
    inputs: type[Inputs]
    params: type[Params]
    run: RunFunction
    references: tuple[Reference, ...] = field(default=())
    headline: tuple[str, ...] = ()


def analysis(
    *,
    id: str,
    title: str,
    description: str,
    version: int,
    inputs: type[Inputs],
    params: type[Params],
    references: tuple[Reference, ...] = (),
    headline: tuple[str, ...] = (),
) -> Callable[[RunFunction], Analysis]:
    """Declare a function ``run(inputs, params, feedback) -> Result`` as an analysis."""

    def declare(run: RunFunction) -> Analysis:
        return Analysis(id, title, description, version, inputs, params, run, references, headline)

    return declare
