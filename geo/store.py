"""Layers in one binary file: for results, for cached copies of slow sources, and from a reader's child process.

Layout: magic, length of the header (8 bytes, little endian), JSON header, arrays at 64-byte steps. Nothing in it
is ever executed. Written to a temporary name and renamed, so a file is whole or absent.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.model import (
    Column,
    ElementTable,
    Field,
    Geometry,
    Grid,
    Image,
    Instances,
    Issue,
    Layer,
    Lines,
    Mesh,
    Points,
    Source,
    Style,
    UserError,
    Volume,
)

MAGIC = b"TWINLYR1"
COLOUR = re.compile("#[0-9a-fA-F]{6}")
STEP = 64
GEOMETRIES: Mapping[str, type[Geometry]] = {
    kind.kind: kind for kind in (Mesh, Lines, Points, Instances, Grid, Image, Volume)
}
DTYPES = {"<f8", "<f4", "<i8", "<i4", "<i2", "<u8", "<u4", "<u2", "|u1", "|i1", "|b1"}

Array = NDArray[np.generic]


class _Writer:
    """Collects arrays and hands out their numbers."""

    def __init__(self) -> None:
        self.arrays: list[Array] = []

    def add(self, array: Array) -> dict[str, Any]:
        """A description of an array in the header."""
        if array.dtype == object:
            return self._add_text(array)
        array = np.ascontiguousarray(array)
        if array.dtype.byteorder == ">":
            array = array.astype(array.dtype.newbyteorder("<"))
        self.arrays.append(array)
        return {"array": len(self.arrays) - 1}

    def _add_text(self, array: Array) -> dict[str, Any]:
        missing = np.array([value is None for value in array], dtype=bool)
        texts = [b"" if value is None else str(value).encode("utf-8", "surrogatepass") for value in array]
        offsets = np.concatenate([[0], np.cumsum([len(t) for t in texts], dtype=np.int64)]).astype(np.int64)
        buffer = np.frombuffer(b"".join(texts), dtype=np.uint8)
        return {"text": self.add(buffer), "offsets": self.add(offsets), "missing": self.add(missing)}


class _Reader:
    """Gives arrays back by their description."""

    def __init__(self, arrays: Sequence[Array]) -> None:
        self._arrays = arrays

    def get(self, spec: Mapping[str, Any]) -> Array:
        """The array a description in the header stands for."""
        if "array" in spec:
            return self._arrays[spec["array"]]
        buffer = self.get(spec["text"]).tobytes()
        offsets, missing = self.get(spec["offsets"]).tolist(), self.get(spec["missing"])
        out = np.empty(len(missing), dtype=object)
        for row, (start, stop) in enumerate(zip(offsets[:-1], offsets[1:], strict=True)):
            out[row] = None if missing[row] else buffer[start:stop].decode("utf-8", "surrogatepass")
        return out


def _pack_geometry(geometry: Geometry | None, writer: _Writer) -> dict[str, Any] | None:
    if geometry is None:
        return None
    out: dict[str, Any] = {"kind": geometry.kind}
    for item in dataclasses.fields(geometry):
        value = getattr(geometry, item.name)
        if isinstance(value, np.ndarray):
            out[item.name] = writer.add(value)
        elif isinstance(value, tuple):
            out[item.name] = {"list": [_pack_geometry(part, writer) for part in value]}
        else:
            out[item.name] = {"value": value}
    return out


def _unpack_geometry(spec: Mapping[str, Any] | None, reader: _Reader) -> Geometry | None:
    if spec is None:
        return None
    values: dict[str, Any] = {}
    for name, item in spec.items():
        if name == "kind":
            continue
        if "list" in item:
            values[name] = tuple(_unpack_geometry(part, reader) for part in item["list"])
        else:
            values[name] = item["value"] if "value" in item else reader.get(item)
    return GEOMETRIES[spec["kind"]](**values)


def _pack_layer(layer: Layer, writer: _Writer) -> dict[str, Any]:
    return {
        "id": layer.id,
        "name": layer.name,
        "theme": layer.theme,
        "stratum": layer.stratum,
        "geometry": _pack_geometry(layer.geometry, writer),
        "ids": writer.add(layer.table.ids),
        "columns": [
            {"name": name, "unit": c.unit, "title": c.title, "values": writer.add(c.values)}
            for name, c in layer.table.columns.items()
        ],
        "fields": [
            {
                "name": f.name,
                "unit": f.unit,
                "on": f.on,
                "categories": list(f.categories),
                "ramp": f.ramp,
                "range": f.range,
                "values": writer.add(f.values),
            }
            for f in layer.fields
        ],
        "style": style_to_dict(layer.style),
        "source": dataclasses.asdict(layer.source),
        "issues": [issue.as_dict() for issue in layer.issues],
    }


def _unpack_layer(spec: Mapping[str, Any], reader: _Reader) -> Layer:
    return Layer(
        id=spec["id"],
        name=spec["name"],
        theme=spec["theme"],
        stratum=spec["stratum"],
        geometry=_unpack_geometry(spec["geometry"], reader),
        table=ElementTable(
            reader.get(spec["ids"]),  # type: ignore[arg-type]
            {c["name"]: Column(reader.get(c["values"]), c["unit"], c["title"]) for c in spec["columns"]},
        ),
        fields=tuple(
            Field(
                name=f["name"],
                unit=f["unit"],
                on=f["on"],
                values=reader.get(f["values"]),
                categories=tuple(f["categories"]),
                ramp=f["ramp"],
                range=tuple(f["range"]) if f["range"] else None,
            )
            for f in spec["fields"]
        ),
        style=style_from_dict(spec["style"]),
        source=Source(**spec["source"]),
        issues=tuple(Issue.from_dict(issue) for issue in spec["issues"]),
    )


def style_to_dict(style: Style) -> dict[str, Any]:
    """Plain JSON values of a style."""
    return {**dataclasses.asdict(style), "hidden": sorted(style.hidden), "faded": sorted(style.faded)}


def style_from_dict(data: Mapping[str, Any]) -> Style:
    """The inverse of `style_to_dict`; unknown keys are ignored."""
    known = {f.name for f in dataclasses.fields(Style)}
    values = {key: value for key, value in data.items() if key in known}
    for name in ("hidden", "faded"):
        values[name] = frozenset(str(v) for v in values.get(name, ()))
    for name in ("class_colours", "class_titles"):
        values[name] = tuple((str(key), str(text)) for key, text in values.get(name, ()))
    values["breaks"] = tuple(float(limit) for limit in values.get("breaks", ()))
    if values.get("range") is not None:
        low, high = values["range"]
        values["range"] = (float(low), float(high))
    wrong = [text for _key, text in values["class_colours"] if not COLOUR.fullmatch(text)]
    if wrong or not COLOUR.fullmatch(str(values.get("missing") or "#000000")):
        raise ValueError("a colour of a style is not written #rrggbb")
    return Style(**values)


def write_layers(path: Path, layers: Sequence[Layer], meta: Mapping[str, object] | None = None) -> None:
    """Write layers to one file, all or nothing. Raises `UserError` when the disk refuses."""
    writer = _Writer()
    body = [_pack_layer(layer, writer) for layer in layers]
    offsets, position = [], 0
    for array in writer.arrays:
        offsets.append(position)
        position += math.ceil(array.nbytes / STEP) * STEP
    index = [
        {"dtype": array.dtype.str, "shape": array.shape, "offset": offset}
        for array, offset in zip(writer.arrays, offsets, strict=True)
    ]
    header = json.dumps({"meta": dict(meta or {}), "layers": body, "arrays": index}, default=_plain).encode()
    start = math.ceil((len(MAGIC) + 8 + len(header)) / STEP) * STEP

    def fill(file: Any) -> None:
        file.write(MAGIC + len(header).to_bytes(8, "little") + header)
        for array, offset in zip(writer.arrays, offsets, strict=True):
            file.seek(start + offset)
            file.write(array.data if array.size else b"")
        file.truncate(max(file.tell(), start + position))

    write_atomically(path, fill)


def read_layers(path: Path, *, mapped: bool = True) -> tuple[list[Layer], dict[str, Any]]:
    """Layers and meta of a file made by `write_layers`.

    Parameters
    ----------
    mapped : bool
        Map the file, so that arrays are loaded when touched and cost no copy; the file must then stay. False
        reads everything into memory.

    Raises
    ------
    UserError
        ``store.broken`` when the file is not whole.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise ValueError("wrong magic")
            length = int.from_bytes(file.read(8), "little")
            if length > size:
                raise ValueError("header longer than the file")
            header = json.loads(file.read(length))
        start = math.ceil((len(MAGIC) + 8 + length) / STEP) * STEP
        whole = _contents(path, size > start, mapped)
        arrays = [_slice(whole, start, spec) for spec in header["arrays"]]
        reader = _Reader(arrays)
        return [_unpack_layer(spec, reader) for spec in header["layers"]], header["meta"]
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise UserError(
            f"{path.name} cannot be read.",
            f"It is not a whole file of stored layers ({error}).",
            "Delete it; what it holds can be made again by importing or running again.",
            code="store.broken",
            values={"name": path.name, "reason": str(error)},
        ) from error


def _contents(path: Path, has_arrays: bool, mapped: bool) -> NDArray[np.uint8]:
    if not has_arrays:
        return np.zeros(0, np.uint8)
    return np.memmap(path, dtype=np.uint8, mode="r") if mapped else np.fromfile(path, dtype=np.uint8)


def _slice(whole: NDArray[np.uint8], start: int, spec: Mapping[str, Any]) -> Array:
    if spec["dtype"] not in DTYPES:
        raise ValueError(f"array type {spec['dtype']} is not allowed")
    dtype = np.dtype(spec["dtype"])
    shape = tuple(int(n) for n in spec["shape"])
    count = math.prod(shape)
    first = start + int(spec["offset"])
    stop = first + count * dtype.itemsize
    if min((*shape, count, int(spec["offset"])), default=0) < 0 or stop > len(whole):
        raise ValueError("an array reaches past the end of the file")
    return np.asarray(whole[first:stop]).view(dtype).reshape(shape)


def _plain(value: object) -> object:
    """NumPy numbers for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    return str(value)


def _umask() -> int:
    """The process's file mode mask; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def write_atomically(path: Path, fill: Callable[[Any], None]) -> None:
    """Let `fill(file)` write a file beside `path`, then rename it. Raises `UserError` when the disk refuses."""
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that only their owner may read; a saved file follows the user's own rule.
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
        temporary = ""
    except OSError as error:
        raise UserError(
            f"{path} could not be written.",
            f"The system says: {error.strerror or error}.",
            "Check that you may write in that folder and that the disk has room, or choose another place.",
            code="file.not_written",
            values={"path": str(path), "reason": error.strerror or str(error)},
        ) from error
    finally:
        if temporary:  # refused, or the work was stopped
            with contextlib.suppress(OSError):
                os.unlink(temporary)
