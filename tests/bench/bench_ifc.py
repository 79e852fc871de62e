"""IFC models: what we add to the bare library, when the first quarter shows, reopening, memory, draws.

The peer for the first reading is the bare parse and iterator of the same library, same kernels, one thread, in the same
run; the peer for opening again (against its parse) and for all of the first reading (against parse and triangles) is
web-ifc, where Node.js and the package are installed (``TWIN_WEB_IFC`` names the folder with its node_modules). Each
measurement runs in a process of its own, in CPU seconds.

``TWIN_IFC`` names a folder with models; without it, and always besides, a generated tower is read.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.tower_ifc import write_tower

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 600
NONE = float("nan")

BARE = """
import ifcopenshell, ifcopenshell.geom
from bim.selection import select_products
from bim.tessellation import _settings
path = sys.argv[1]
if path.endswith("zip"):
    import zipfile
    archive = zipfile.ZipFile(path)
    text = archive.read([n for n in archive.namelist() if n.lower().endswith(".ifc")][0]).decode("latin-1")
    start()
    file = ifcopenshell.file.from_string(text)
else:
    from bim.schema import SCHEMA_NAME, _supported
    head = open(path, "rb").read(20000)
    name = SCHEMA_NAME.search(head)[1].decode().strip().upper()
    known = _supported(Path(path), name)
    if known != name:
        text = open(path, encoding="latin-1").read().replace(name, known, 1)
    start()
    lazy = sys.argv[2] == "lazy"
    file = ifcopenshell.file.from_string(text) if known != name else ifcopenshell.open(path, ".ifc", lazy=lazy)
parsed = time.process_time() - began[0]
selection = select_products(file)
start()
count = 0
for kernel, products in _runs(selection):
    include = [file.by_id(p) for p in products]
    iterator = ifcopenshell.geom.iterator(_settings(), file, 1, include=include, geometry_library=kernel)
    going = iterator.initialize()
    while going:
        iterator.get()
        count += 1
        going = iterator.next()
answer.update(cpu=parsed + time.process_time() - began[0], count=count)
"""

READ = """
from bim.formats.ifc import FORMAT
from bim.placement import IfcOptions
from geo.crs import make_frame
from geo.formats.contract import ReadOptions
from geo.model import Feedback, Instances, UserError
frame = make_frame("EPSG:5186", 229000.0, 435500.0)
shown, parts, made = [], [0], [0]
def partial(layers):
    for layer in layers:
        shape = layer.geometry
        made[0] += 1
    shown.append((time.perf_counter() - clock, sum(collected)))
import bim.preview
collected = []
show = bim.preview.Preview.show
def counted(self, batch, collector):
    collected.append(len(batch.product))
    show(self, batch, collector)
bim.preview.Preview.show = counted
import ifcopenshell.geom
import bim.read
import geo.crs
held = []
opened = bim.read.opened
def held_open(path):  # as the bare reading, and the reading process of the program, hold their file to the end
    held.append(opened(path))
    return held[-1]
bim.read.opened = held_open
start()
clock = time.perf_counter()
own = IfcOptions(network=sys.argv[2] == "network", placement="scene")
stream = Feedback(on_partial=partial) if sys.argv[2] == "stream" else Feedback()
layers = FORMAT.read(Path(sys.argv[1]), frame, ReadOptions(own=own), stream)
wall = time.perf_counter() - clock
answer["cpu"] = time.process_time() - began[0]
if layers is not None:
    total = sum(collected)
    answer["quarter"] = next((when / wall for when, count in shown if count >= total / 4), None)
    listed = sum(len(layer.table) for layer in layers if layer.id == "failures")
    elements = [l for l in layers if l.geometry is not None and not l.id.startswith("network")]
    answer["elements"] = sum(len(layer.table) for layer in elements)
    answer["listed"] = listed
    answer["faces"] = sum(l.geometry.face_count if isinstance(l.geometry, Instances)
        else len(getattr(l.geometry, "faces", ())) for l in elements)
    from geo.store import write_layers
    write_layers(Path(sys.argv[3]), layers)
"""

REOPEN = """
from app.layer_cache import file_digest
from geo.store import read_layers
import geo.model
start()
file_digest(Path(sys.argv[1]))
layers, _ = read_layers(Path(sys.argv[3]))
for layer in layers:
    if layer.geometry is not None:
        layer.geometry.bounds
answer["cpu"] = time.process_time() - began[0]
"""

DRAWS = """
from geo.store import read_layers
from app.view.actors import prepare
layers, _ = read_layers(Path(sys.argv[3]))
draws = 0
start()
for layer in layers:
    if layer.geometry is None or layer.geometry.bounds is None or layer.id.startswith("network"):
        continue
    made = prepare(layer)
    tiles = getattr(made, "tiles", None)
    draws += 1 if tiles is None else sum(1 + (t.edges is not None) + (t.coarse is not None) for t in tiles)
answer.update(cpu=time.process_time() - began[0], draws=draws)
"""

FRAME = """
import json, resource, sys, time
from pathlib import Path
sys.argv[0] = "bench"
out = __import__("os").fdopen(__import__("os").dup(1), "w")
__import__("os").dup2(2, 1)
began, answer = [0.0], {}
def start():
    began[0] = time.process_time()
def _runs(selection):
    from bim.selection import CLIPPED_KERNEL, PLAIN_KERNEL, SWEPT_KERNEL
    ways = ((PLAIN_KERNEL, selection.plain), (CLIPPED_KERNEL, selection.clipped), (SWEPT_KERNEL, selection.swept))
    return [way for way in ways if way[1]]
try:
%s
except Exception as error:
    answer["error"] = f"{type(error).__name__}: {error}"[:160]
answer["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
out.write(json.dumps(answer))
out.close()
"""

WEB_IFC = """
const fs = require('fs'); const {IfcAPI} = require('web-ifc');
(async () => {
  const api = new IfcAPI(); await api.Init(); api.SetLogLevel(6);
  const data = new Uint8Array(fs.readFileSync(process.argv[2]));
  const start = process.cpuUsage();
  const model = api.OpenModel(data);
  const parsed = process.cpuUsage(start);
  api.StreamAllMeshes(model, (mesh) => {
    for (let i = 0; i < mesh.geometries.size(); i++) {
      const shape = api.GetGeometry(model, mesh.geometries.get(i).geometryExpressID);
      api.GetVertexArray(shape.GetVertexData(), shape.GetVertexDataSize());
      api.GetIndexArray(shape.GetIndexData(), shape.GetIndexDataSize());
    }
  });
  const used = process.cpuUsage(start);
  const seconds = (u) => (u.user + u.system) / 1e6;
  process.stdout.write(JSON.stringify({parse: seconds(parsed), all: seconds(used)}));
  process.exit(0);
})();
"""


def _measure(code: str, *arguments: str) -> dict[str, Any]:
    """Run a piece of code in a process of its own."""
    body = FRAME % "\n".join(f"    {line}" for line in code.strip().splitlines())
    try:
        done = subprocess.run(
            [sys.executable, "-c", body, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"longer than {LIMIT_S} s"}
    return json.loads(done.stdout) if done.stdout else {"error": f"died ({done.returncode})"}


def _web_ifc(path: Path) -> dict[str, float] | str:
    """CPU seconds of web-ifc, of its parse and with all triangles, or why there are none."""
    folder, node = os.environ.get("TWIN_WEB_IFC"), shutil.which("node")
    if not folder or not node:
        return "no Node.js" if not node else "TWIN_WEB_IFC not set"
    if path.suffix != ".ifc":
        return "archive"
    script = Path(tempfile.gettempdir()) / "bench_web_ifc.js"
    script.write_text(WEB_IFC, encoding="utf-8")
    environment = {**os.environ, "NODE_PATH": str(Path(folder) / "node_modules")}
    try:
        done = subprocess.run(
            [node, str(script), str(path)], capture_output=True, env=environment, timeout=LIMIT_S, check=False
        )
        found: dict[str, float] = json.loads(done.stdout[done.stdout.rindex(b'{"parse"') :])
        return found
    except (ValueError, subprocess.TimeoutExpired):
        return "failed"


def _row(path: Path, folder: Path) -> str:
    kept = str(folder / "kept.layers")
    eager, lazy = _measure(BARE, str(path), "whole"), _measure(BARE, str(path), "lazy")
    read = _measure(READ, str(path), "plain", kept)
    if "error" in read:
        return f"{path.name[:38]:38} {read['error']}"
    again, draws = _measure(REOPEN, str(path), "", kept), _measure(DRAWS, str(path), "", kept)
    stream = _measure(READ, str(path), "stream", str(folder / "other.layers"))
    whole = _measure(READ, str(path), "network", str(folder / "other.layers"))
    web = _web_ifc(path)
    peer = {} if isinstance(web, str) else web
    first = float(read["cpu"])
    quarter = stream.get("quarter")
    return (
        f"{path.name[:38]:38} {path.stat().st_size / 1e6:6.1f} {read['elements']:6d} {read['listed']:4d} "
        f"{read['faces'] / 1e3:8.0f} {_number(eager)} {_number(lazy)} {first:6.2f} {_ratio(first, eager)} "
        f"{_ratio(first, lazy)} {_number(whole)} {100 * quarter if quarter else float('nan'):5.0f} "
        f"{again.get('cpu', float('nan')) * 1e3:7.0f} {again.get('cpu', float('nan')) / first:6.3f} "
        f"{again['cpu'] / peer.get('parse', NONE):6.2f} {first / peer.get('all', NONE):5.2f} "
        f"{read['peak_mb']:6.0f} {draws.get('draws', '-'):>5} "
        f"{web if isinstance(web, str) else '{parse:.2f} {all:.2f}'.format(**web)}"
    )


def _number(found: dict[str, Any]) -> str:
    return f"{found['cpu']:6.2f}" if "cpu" in found else f"{'-':>6}"


def _ratio(value: float, found: dict[str, Any]) -> str:
    return f"{value / found['cpu']:5.2f}" if found.get("cpu") else f"{'-':>5}"


def main(quick: bool) -> None:
    """Print one row for each model."""
    shared = os.environ.get("TWIN_IFC")
    paths = sorted(p for p in Path(shared).iterdir() if p.suffix in (".ifc", ".ifczip")) if shared else []
    print(
        f"{'model':38} {'MB':>6} {'shown':>6} {'list':>4} {'k faces':>8} {'bare s':>6} {'lazy s':>6} {'ours s':>6} "
        f"{'/bare':>5} {'/lazy':>5} {'+rooms':>6} {'1/4 %':>5} {'again ms':>7} {'/first':>6} {'/web':>6} {'/webg':>5} "
        f"{'MB max':>6} {'draws':>5} web-ifc parse, all"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in paths[:3] if quick else paths:
            print(_row(path, folder), flush=True)
        sizes = [(6_000, 3)] if quick else [(6_000, 3), (60_000, 3), (60_000, 13)]
        for products, sets in sizes:
            tower = folder / f"tower-{products}-{sets}.ifc"
            write_tower(tower, products=products, property_sets=sets)
            print(_row(tower, folder), flush=True)
            tower.unlink()
