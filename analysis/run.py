"""The one runner of analyses, for window, command line and tests: check, run, stamp."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.charts import chart_to_dict
from analysis.contract import (
    BASE_VARIANT,
    Analysis,
    Inputs,
    InputSpec,
    Result,
    Table,
    Variant,
    describe_inputs,
    describe_params,
)
from analysis.replaced import without_replaced
from geo.model import (
    ElementTable,
    Feedback,
    Frame,
    Grid,
    Issue,
    Layer,
    Source,
    UserError,
    merge_grids,
    tiles_of_one_ground,
)
from geo.model.digest import layer_digest

if TYPE_CHECKING:
    from analysis.params import Params

STAMPED = ("numpy", "scipy", "numba", "embreex", "pvlib", "trimesh", "ifcopenshell", "rasterio", "pyproj")

Chosen = Mapping[str, Sequence[str]]

PUT_UP = "alternative"  # `Source.reader` of layers that an alternative makes


def check_params(analysis: Analysis, values: Mapping[str, object]) -> Params:
    """Parameters from plain values. Raises `UserError` naming the first that is wrong."""
    from pydantic import ValidationError

    known = {info.name: info for info in describe_params(analysis.params)}
    for name in values:
        if name not in known:
            raise UserError(
                f"{analysis.id} has no parameter called {name}.",
                f"It has: {', '.join(known)}.",
                "Check the spelling.",
                code="run.unknown_param",
                values={"analysis": analysis.id, "param": name, "known": ", ".join(known)},
            )
    try:
        return analysis.params(**dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "?"
        info = known.get(name)
        allowed = ""
        if info is not None and info.options:
            allowed = f" Allowed: {', '.join(info.options)}."
        elif info is not None and info.low is not None:
            allowed = f" Allowed: {info.low:g} to {info.high:g} {info.unit}."
        raise UserError(
            f"The parameter {name} of {analysis.id} cannot be {first.get('input')!r}.",
            f"{first['msg']}.{allowed}",
            "Give a value in the allowed range.",
            code="run.bad_param",
            values={"analysis": analysis.id, "param": name, "reason": f"{first['msg']}.{allowed}"},
        ) from None


def suitable(spec: InputSpec, layers: Sequence[Layer]) -> list[Layer]:
    """Layers an input takes by itself; hidden ones are only taken when named, or where the input is for them."""
    return [layer for layer in layers if spec.accepts(layer) and (layer.style.visible or spec.hidden)]


def choose_inputs(
    analysis: Analysis, layers: Sequence[Layer], frame: Frame, chosen: Chosen | None = None
) -> tuple[Inputs, list[tuple[str, Layer]]]:
    """Fill the inputs from the layers, by name where `chosen` says so, else from all that are suitable.

    Returns
    -------
    inputs : Inputs
    used : list of (input name, layer)
    """
    by_id = {layer.id: layer for layer in layers}
    values: dict[str, Any] = {"frame": frame}
    used: list[tuple[str, Layer]] = []
    for spec in describe_inputs(analysis.inputs):
        names = (chosen or {}).get(spec.name)
        unnamed = [] if spec.named else suitable(spec, layers)
        found = unnamed if names is None else [_named_layer(spec, name, by_id) for name in names]
        if not found and not spec.optional:
            raise UserError(
                f"{analysis.title} needs {spec.title.lower()}.",
                "The project has no visible layer of that sort.",
                "Import one, or make a hidden one visible.",
                code="run.no_input",
                values={"analysis": analysis.id, "input": spec.title},
            )
        if not spec.many:
            found = _one_of(found)
        used += [(spec.name, layer) for layer in found]
        if not spec.replaced:
            found = without_replaced(found, layers)
        values[spec.name] = tuple(found) if spec.many else _joined(found)
    return analysis.inputs(**values), used


def _one_of(found: list[Layer]) -> list[Layer]:
    """The layer an input takes: the finest terrain with its neighbouring tiles, else the one on top of the list."""
    if len(found) < 2:
        return found
    first = min(found, key=lambda layer: getattr(layer.geometry, "cell", 0.0))
    if first.kind != "terrain" or not isinstance(first.geometry, Grid):
        return [first]
    grids = [layer.geometry for layer in found if layer.kind == "terrain" and isinstance(layer.geometry, Grid)]
    tiles = {id(grid) for grid in tiles_of_one_ground(grids)}
    return [layer for layer in found if id(layer.geometry) in tiles]


def _joined(found: Sequence[Layer]) -> Layer | None:
    """One layer for an input: tiles of a terrain joined, anything else as it is."""
    if len(found) < 2:
        return next(iter(found), None)
    ground = merge_grids([layer.geometry for layer in found if isinstance(layer.geometry, Grid)])
    return found[0].with_(geometry=ground, fields=())


def _tile_issues(inputs: Inputs, used: Sequence[tuple[str, Layer]]) -> list[Issue]:
    """What is said of terrains that were joined."""
    issues = []
    for name in dict.fromkeys(name for name, _ in used):
        given, tiles = getattr(inputs, name), [layer for other, layer in used if other == name]
        if not isinstance(given, Layer) or not isinstance(given.geometry, Grid) or len(tiles) < 2:
            continue
        ground = given.geometry
        percent = round(100.0 * float(1.0 - ground.is_finite.mean()), 2)
        message = f"{len(tiles)} terrain tiles were taken as one ground; {percent:g} % of its rectangle has no data."
        values = {"tiles": len(tiles), "percent": percent, "cell": ground.cell}
        issues.append(Issue("run.terrain_joined", message, "doubt" if percent else "note", values=values))
    return issues


def _named_layer(spec: InputSpec, name: str, by_id: Mapping[str, Layer]) -> Layer:
    layer = by_id.get(name)
    if layer is None or not spec.accepts(layer):
        fit = [layer.id for layer in by_id.values() if spec.accepts(layer)]
        raise UserError(
            f"The layer {name} cannot be used as {spec.title.lower()}.",
            "There is no such layer, or it is of another sort." if layer is None else "It is of another sort.",
            f"Suitable layers: {', '.join(fit) or 'none'}.",
            code="run.bad_input",
            values={"layer": name, "input": spec.title, "suitable": ", ".join(fit)},
        )
    return layer


def execute(
    analysis: Analysis,
    *,
    layers: Sequence[Layer],
    frame: Frame,
    params: Mapping[str, object],
    chosen: Chosen | None = None,
    feedback: Feedback | None = None,
    variant: Variant = BASE_VARIANT,
) -> Result:
    """Check, run and stamp one analysis. Nothing is returned by a cancelled run.

    variant : Variant
        The alternative that `layers` are of, for the record.

    Returns
    -------
    Result
        Its layers are ready for the scene: ids ``<analysis>-<time>-<part>``, the run's record in their source.
    """
    from analysis.provenance import InputDigest, Provenance

    feedback = feedback or Feedback()
    checked = check_params(analysis, params)
    inputs, used = choose_inputs(analysis, layers, frame, chosen)
    started, clock = dt.datetime.now(dt.UTC), time.perf_counter()
    result = analysis.run(inputs, checked, feedback)
    feedback.step(1.0, "done")
    provenance = Provenance(
        analysis=analysis.id,
        version=analysis.version,
        params=checked.model_dump(mode="json"),
        inputs=[
            InputDigest(input=name, layer=layer.id, name=layer.name, digest=layer_digest(layer)) for name, layer in used
        ],
        libraries=_library_versions(),
        program=_version_of("sejong-twin"),
        started=started.isoformat(timespec="milliseconds"),
        duration_s=round(time.perf_counter() - clock, 3),
        frame=dataclasses.asdict(frame),
        alternative=variant.id,
        alternative_name=variant.name,
    )
    issues = (*result.issues, *_tile_issues(inputs, used))
    return _stamped(analysis, dataclasses.replace(result, provenance=provenance, issues=issues), started)


def _stamped(analysis: Analysis, result: Result, started: dt.datetime) -> Result:
    """Result layers (and tables as layers without a place) with unique ids and the run's record."""
    # Quick runs follow each other within a second: each has a name of its own.
    run_id = f"{analysis.id.replace('.', '-')}-{started:%Y%m%d-%H%M%S}-{started.microsecond // 1000:03d}"
    record = record_of(result, run_id)
    tables = tuple(_table_layer(table) for table in result.tables)
    layers = tuple(
        layer.with_(id=f"{run_id}-{layer.id}", source=Source(part=layer.id, provenance=record))
        for layer in (*result.layers, *tables)
    )
    return dataclasses.replace(result, layers=layers)


def record_of(result: Result, run_id: str) -> dict[str, Any]:
    """Everything about a run except its layers, as plain JSON values."""
    if result.provenance is None:
        raise ValueError("a result is recorded after it was stamped")
    return {
        "run": run_id,
        "provenance": result.provenance.model_dump(mode="json"),
        "summary": {name: {"value": q.value, "unit": q.unit} for name, q in result.summary.items()},
        "issues": [issue.as_dict() for issue in result.issues],
        "assumptions": list(result.assumptions),
        "charts": [chart_to_dict(chart) for chart in result.charts],
    }


def _table_layer(table: Table) -> Layer:
    ids = np.array([str(row) for row in range(len(table))], dtype=object)
    return Layer(
        id=table.id, name=table.title, theme="result", geometry=None, table=ElementTable(ids, dict(table.columns))
    )


def out_of_date(record: Mapping[str, Any], layers: Sequence[Layer]) -> list[str]:
    """Names of the inputs of a recorded run that have changed or gone since, each once.

    What an alternative has put up since, and the run would have taken, counts as changed.
    """
    now = {layer.id: layer for layer in layers}
    stale = [layer.name for layer in put_up_since(record, layers)]
    for item in record["provenance"]["inputs"]:
        layer = now.get(item["layer"])
        if layer is None or layer_digest(layer) != item["digest"]:
            stale.append(str(item["name"]))
    return list(dict.fromkeys(stale))  # one layer may serve several inputs


def put_up_since(record: Mapping[str, Any], layers: Sequence[Layer]) -> list[Layer]:
    """Layers that an alternative has put up (masses, trees, proposals) and a recorded run did not know."""
    from analysis.registry import analyses

    provenance = record["provenance"]
    given = {item["layer"] for item in provenance["inputs"]}
    declared = analyses().get(provenance["analysis"])
    made = [layer for layer in layers if layer.source.reader == PUT_UP and layer.id not in given]
    if declared is None or not made:
        return []
    specs = [spec for spec in describe_inputs(declared.inputs) if spec.many and not spec.named]
    return [layer for layer in made if any(spec.accepts(layer) for spec in specs)]


def _library_versions() -> dict[str, str]:
    return {name: _version_of(name) for name in STAMPED}


def _version_of(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
