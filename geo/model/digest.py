"""A fingerprint of a layer's data, to tell whether a result is still up to date."""

from __future__ import annotations

import dataclasses
import hashlib
from weakref import WeakKeyDictionary

import numpy as np

from geo.model.geometry import Geometry
from geo.model.layer import Layer
from geo.model.table import ElementTable

_known: WeakKeyDictionary[Layer, str] = WeakKeyDictionary()


def layer_digest(layer: Layer) -> str:
    """BLAKE2b-128, hex, of geometry, elements and fields; name and style do not count."""
    found = _known.get(layer)
    if found is None:
        digest = hashlib.blake2b(digest_size=16)
        _add_geometry(digest, layer.geometry)
        _add_table(digest, layer.table)
        for field in layer.fields:
            digest.update(f"{field.name}|{field.unit}|{field.on}|{field.categories}".encode())
            _add_array(digest, field.values)
        found = _known[layer] = digest.hexdigest()
    return found


def _add_array(digest: hashlib.blake2b, values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> None:
    digest.update(f"{values.shape}{values.dtype}".encode())
    if values.dtype == object:
        for value in values.flat:
            digest.update(repr(value).encode() + b"\0")
    else:
        digest.update(np.ascontiguousarray(values).data)


def _add_geometry(digest: hashlib.blake2b, geometry: Geometry | None) -> None:
    if geometry is None:
        return
    digest.update(geometry.kind.encode())
    for item in dataclasses.fields(geometry):
        value = getattr(geometry, item.name)
        if isinstance(value, np.ndarray):
            _add_array(digest, value)
        elif isinstance(value, tuple):
            for part in value:
                _add_geometry(digest, part)
        else:
            digest.update(repr(value).encode())


def _add_table(digest: hashlib.blake2b, table: ElementTable) -> None:
    _add_array(digest, table.ids)
    for name, column in table.columns.items():
        digest.update(f"{name}|{column.unit}".encode())
        _add_array(digest, column.values)
