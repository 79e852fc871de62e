"""Reading a city: CityJSON to layers against `json.loads` of the same bytes; longest hold of the interpreter."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from pathlib import Path

from geo.crs import make_frame
from geo.formats.cityjson import FORMAT
from geo.formats.contract import ReadOptions
from geo.model import Feedback

CORNERS = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1))
SURFACES = ((0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7))
SEMANTICS = {"surfaces": [{"type": t + "Surface"} for t in ("Ground", "Roof", "Wall")], "values": [[0, 1, 2, 2, 2, 2]]}


def city(count: int) -> bytes:
    """A CityJSON file of `count` boxes with semantics and attributes."""
    objects, vertices = {}, []
    for k in range(count):
        first, x, y = len(vertices), 20_000 * (k % 150), 20_000 * (k // 150)
        vertices += [[x + 12_345 * a, y + 9_876 * b, 30_000 + (5_000 + k % 60 * 1000) * c] for a, b, c in CORNERS]
        shell = [[[first + i for i in ring]] for ring in SURFACES]
        geometry = {"type": "Solid", "lod": "2", "boundaries": [shell], "semantics": SEMANTICS}
        attributes = {"height": 5.0 + k % 60, "storeys": 1 + k % 20, "use": "주거", "year": 1980 + k % 45}
        objects[f"B{k:06d}"] = {"type": "Building", "attributes": attributes, "geometry": [geometry]}
    header = {"type": "CityJSON", "version": "2.0", "metadata": {"referenceSystem": "EPSG:5186"}}
    transform = {"scale": [0.001] * 3, "translate": [229_000.0, 435_500.0, 0.0]}
    whole = {**header, "transform": transform, "CityObjects": objects, "vertices": vertices}
    return json.dumps(whole, ensure_ascii=False).encode()


def longest_hold(path: Path) -> float:
    """Longest time another thread had to wait while the file was read [s]."""
    frame = make_frame("EPSG:5186", 229_000.0, 435_500.0)
    done, gaps = threading.Event(), [0.0]

    def tick() -> None:
        last = time.perf_counter()
        while not done.is_set():
            time.sleep(0.002)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    watcher = threading.Thread(target=tick)
    watcher.start()
    FORMAT.read(path, frame, ReadOptions(), Feedback())
    done.set()
    watcher.join()
    return max(gaps)


def main(quick: bool) -> None:
    """Print seconds and ratios."""
    frame = make_frame("EPSG:5186", 229_000.0, 435_500.0)
    with tempfile.TemporaryDirectory() as folder:
        for count in (2_000,) if quick else (2_000, 20_000):
            data = city(count)
            path = Path(folder) / "bench.city.json"
            path.write_bytes(data)
            begin = time.perf_counter()
            json.loads(data)
            parse = time.perf_counter() - begin
            begin = time.perf_counter()
            layers = FORMAT.read(path, frame, ReadOptions(), Feedback())
            read = time.perf_counter() - begin
            hold = longest_hold(path)
            faces = sum(len(layer.geometry.faces) for layer in layers)  # type: ignore[union-attr]
            print(
                f"{count} buildings, {6 * count} surfaces, {faces} triangles, {len(data) / 1e6:.1f} MB: "
                f"json.loads {parse:.2f} s, read {read:.2f} s = {read / parse:.2f} x, longest hold {hold:.2f} s"
            )
