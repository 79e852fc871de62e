from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from geo.model import Column, ElementTable, Grid, Image, Instances, Issue, Layer, Lines, Points, UserError, Volume
from geo.model.digest import layer_digest
from geo.store import read_layers, write_atomically, write_layers
from tests.tiny import box_mesh, buildings, terrain


def every_kind() -> list[Layer]:
    shape, _ = box_mesh([(0, 0, 0, 1, 1, 1)])
    table = ElementTable(
        ["a", "나"], {"n": Column(np.array([1, 2]), "m"), "t": Column(np.array(["", None], dtype=object))}
    )
    geometries = [
        Lines(np.ones((3, 3)), np.array([0, 1, 3]), np.array([0, 1])),
        Points(np.ones((2, 3)), np.array([0, 1])),
        Instances((shape,), np.zeros(2), np.zeros((2, 3, 4)), np.array([0, 1])),
        Image(np.zeros((2, 3, 3), np.uint8), 0.5, 0.5, 1.0),
        Volume(np.zeros((2, 3, 4)), 0, 0, 0, 1, 2),
        Grid(np.full((2, 2), np.nan), 0, 0, 1),
        None,
    ]
    layers = [
        Layer(f"layer{k}", "이름", "other", geometry, table, issues=(Issue("a.b", "m", "doubt", 3),))
        for k, geometry in enumerate(geometries)
    ]
    return [terrain(), buildings(), *layers]


@pytest.mark.parametrize("mapped", [True, False])
def test_layers_come_back_as_they_went(tmp_path: Path, mapped: bool) -> None:
    layers = every_kind()
    write_layers(tmp_path / "x.layers", layers, {"k": 1})
    back, meta = read_layers(tmp_path / "x.layers", mapped=mapped)
    assert meta == {"k": 1}
    assert [layer_digest(layer) for layer in back] == [layer_digest(layer) for layer in layers]
    assert [layer.kind for layer in back] == [layer.kind for layer in layers]
    assert [layer.issues for layer in back] == [layer.issues for layer in layers]
    assert back[1].table.row("b1")["name"] is None


def test_damaged_files_are_user_errors_never_more(tmp_path: Path) -> None:
    path = tmp_path / "x.layers"
    write_layers(path, every_kind())
    whole = path.read_bytes()
    random = np.random.default_rng(1)
    for _ in range(150):
        data = bytearray(whole)
        if random.random() < 0.3:
            data = data[: random.integers(0, len(data))]
        for _ in range(random.integers(1, 8)):
            if data:
                data[random.integers(0, min(len(data), 4000))] = random.integers(0, 256)
        path.write_bytes(data)
        try:
            read_layers(path)
        except UserError as error:
            assert error.code == "store.broken"


def test_array_claim_beyond_the_file_is_refused(tmp_path: Path) -> None:
    header = json.dumps(
        {"meta": {}, "layers": [], "arrays": [{"dtype": "<f8", "shape": [10**12], "offset": 0}]}
    ).encode()
    path = tmp_path / "x.layers"
    path.write_bytes(b"TWINLYR1" + len(header).to_bytes(8, "little") + header + b"\0" * 200)
    with pytest.raises(UserError, match="past the end"):
        read_layers(path)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("old")

    def full_disk(file: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError) as caught:
        write_atomically(path, full_disk)
    assert caught.value.code == "file.not_written"
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
