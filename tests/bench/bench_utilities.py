"""Utilities: 100,000 pipes of a map joined to their register and built in space, against the plain read of the map."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from geo.crs import make_frame
from geo.formats import vector_source
from geo.formats.register import id_columns, joined_register, read_register
from geo.formats.vector_layers import layers_of
from geo.formats.vector_parts import Context, VectorOptions
from geo.model import Feedback, Grid

FRAME = make_frame("EPSG:5186", 229_000.0, 435_500.0)
SIDE = 3_000.0  # [m] of the square they lie in


def write_map(folder: Path, count: int) -> tuple[Path, Path]:
    """A GeoPackage of pipes with three vertices, and its register in another order, in CP949."""
    import pyogrio
    import shapely

    rng = np.random.default_rng(1)
    place, turn = rng.uniform(0, SIDE, (count, 2)), rng.uniform(0, 2 * np.pi, count)
    along = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    points = place[:, None] + along[:, None] * np.array([0.0, 10.0, 20.0])[:, None] + FRAME.origin[:2]
    lines = shapely.linestrings(points.reshape(-1, 2), indices=np.repeat(np.arange(count), 3))
    ids = np.array([f"{2_000_000_000 + k}" for k in range(count)], dtype=object)
    columns = [ids, np.array(["SA001"] * count, dtype=object), rng.integers(1, 99, count)]
    path = folder / "WTL_PIPE_LM.gpkg"
    pyogrio.raw.write(
        str(path), shapely.to_wkb(lines), columns, ["FTR_IDN", "FTR_CDE", "CNT_NUM"], crs=FRAME.crs,
        geometry_type="LineString",
    )  # fmt: skip
    diameter, least = rng.choice([100, 150, 200, 300], count), rng.uniform(0.8, 1.5, count)
    rows = [
        f"{ids[k]},{diameter[k]},{least[k]:.2f},{least[k] + 0.4:.2f},MOP00{k % 9},20{k % 20 + 1:02d}0305,세종시,SP{k}"
        for k in rng.permutation(count)
    ]
    register = folder / "register.csv"
    header = "FTR_IDN,PIP_DIP,LOW_DEP,HGH_DEP,MOP_CDE,IST_YMD,MNG_NM,PIP_LBL"
    register.write_bytes("\n".join([header, *rows, ""]).encode("cp949"))
    return path, register


def best(work: Callable[[], object]) -> float:
    """Seconds of the best of three runs."""
    found = []
    for _ in range(3):
        gc.collect()
        begin = time.perf_counter()
        work()
        found.append(time.perf_counter() - begin)
    return min(found)


def plain_read(path: Path) -> object:
    """What pyogrio gives: columns, and geometries as objects."""
    import pyogrio
    import shapely

    _, _, shapes, columns = pyogrio.raw.read(path)
    return shapely.from_wkb(shapes), columns


def main(*, quick: bool = False) -> None:
    """Print seconds and ratios."""
    count = 10_000 if quick else 100_000
    ground = Grid(20 + np.random.default_rng(2).random((700, 700)), -100.0, -100.0, 5.0)
    context = Context(FRAME, ground, VectorOptions(), Feedback())
    with tempfile.TemporaryDirectory() as folder:
        path, register = write_map(Path(folder), count)
        with vector_source.opened(path) as (file,):
            features = vector_source.read_layer(file, file.layers[0], FRAME, crs=None, box=None)

        def join_and_build() -> object:
            table = read_register(register)
            keys = id_columns(features, table, "", "")
            if keys is None:
                raise RuntimeError("the ids were not found")
            done = joined_register(features, table, register, keys=keys, frame=FRAME)
            if done is None:
                raise RuntimeError("the register was not joined")
            return layers_of(done.features, path.stem, None, context)

        plain = best(lambda: plain_read(path))
        ours = best(join_and_build)
        print(f"{count} pipes, register of {count} rows")
        print(f"plain read of the map {plain:.3f} s; register read, join and build {ours:.3f} s: {ours / plain:.2f} x")
