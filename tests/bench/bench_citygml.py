"""Reading a city: CityGML to layers against lxml's plain parse of the same file, made here and real; memory."""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from geo.crs import make_frame
from geo.formats.citygml import FORMAT
from geo.formats.contract import ReadOptions
from geo.model import Feedback, Mesh
from tests.conftest import DATA
from tests.geo.citygml_files import FRAME, box, city, linked_box

REAL = "city/plateau_komatsu_54363371_bldg_6697.gml"
ATTRIBUTES = """
<bldg:class codeSpace="../codelists/Building_class.xml">3001</bldg:class>
<bldg:usage codeSpace="../codelists/Building_usage.xml">411</bldg:usage>
<bldg:measuredHeight uom="m">6.0</bldg:measuredHeight>
<bldg:storeysAboveGround>2</bldg:storeysAboveGround>
<gen:stringAttribute name="use"><gen:value>주거</gen:value></gen:stringAttribute>
"""


def block(number: int) -> str:
    """Two buildings: a plain block, and one whose solid points to thematic surfaces."""
    text = box(f"p{number}", x=20.0 * (number % 200), y=20.0 * (number // 200)) + linked_box(f"q{number}_")
    return text.replace("><bldg:lod", f">{ATTRIBUTES}<bldg:lod", 1)


def timed(path: Path) -> tuple[float, float, int]:
    """Seconds of the best of three plain parses and of three reads, and the number of triangles."""
    from lxml import etree

    frame = FRAME if "bench" in path.name else make_frame("EPSG:6675", 0.0, 0.0)
    parse, read, faces = [], [], 0
    for _ in range(3):
        gc.collect()
        begin = time.perf_counter()
        etree.parse(str(path))
        parse.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        layers = FORMAT.read(path, frame, ReadOptions(), Feedback())
        read.append(time.perf_counter() - begin)
        faces = sum(len(layer.geometry.faces) for layer in layers if isinstance(layer.geometry, Mesh))
    return min(parse), min(read), faces


def peak_megabytes(path: Path) -> float:
    """Memory that a fresh process needs to read the file, beyond that of the imports."""
    code = f"from pathlib import Path; from tests.bench.bench_citygml import growth; growth(Path({str(path)!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def growth(path: Path) -> None:
    """Print the growth of the largest memory of this process while the file is read [MB]."""
    from lxml import etree

    etree.XMLPullParser()
    before = _largest()
    FORMAT.read(path, FRAME, ReadOptions(), Feedback())
    print((_largest() - before) / 1024)


def _largest() -> int:
    """Largest memory of this process so far [kB], where the system tells it."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def main(quick: bool) -> None:
    """Print seconds and ratios."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for count in (1_000,) if quick else (1_000, 10_000):
            path = Path(folder) / f"bench{count}.gml"
            path.write_text(city("".join(block(number) for number in range(count))), encoding="utf-8")
            files.append(path)
        if (DATA / REAL).exists():
            files.append(DATA / REAL)
        for path in files:
            parse, read, faces = timed(path)
            told = f"{path.name}: {path.stat().st_size / 1e6:.1f} MB, {faces} triangles: lxml {parse:.3f} s, "
            told += f"read {read:.3f} s = {read / parse:.2f} x"
            if "bench" in path.name:
                memory = peak_megabytes(path)
                told += f", memory {memory:.0f} MB = {memory * 1e6 / path.stat().st_size:.1f} x the file"
            print(told)
