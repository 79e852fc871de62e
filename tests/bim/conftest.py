"""A small IFC file to write in any variant, and reading in a child process that may crash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IDENTITY = "#20=IFCAXIS2PLACEMENT3D(#21,$,$);\n#21=IFCCARTESIANPOINT((0.,0.,0.));\n"
METRE = "#10=IFCSIUNIT(*,.LENGTHUNIT.,$,.METRE.);\n"
MILLIMETRE = "#10=IFCSIUNIT(*,.LENGTHUNIT.,.MILLI.,.METRE.);\n"


def tiny_ifc(
    *,
    schema: str = "IFC4",
    size: float = 10.0,
    site_at: tuple[float, float, float] = (0.0, 0.0, 0.0),
    world_at: tuple[float, float, float] = (0.0, 0.0, 0.0),
    latlong: str = "$,$,$",
    true_north: str = "$",
    millimetres: bool = False,
    project: bool = True,
    body: bool = True,
    more: str = "",
) -> str:
    """One box of `size` x `size` x `size` file units as IfcBuildingElementProxy, its corner at the site's zero."""
    project_line = "#1=IFCPROJECT('0AAAAAAAAAAAAAAAAAAA01',$,'P',$,$,$,$,(#12),#11);\n"
    north = "" if true_north == "$" else f"#13=IFCDIRECTION({true_north});\n"
    shape = "#40" if body else "$"
    return (
        "ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION((''),'2;1');\nFILE_NAME('','',(''),(''),'','','');\n"
        f"FILE_SCHEMA(('{schema}'));\nENDSEC;\nDATA;\n"
        + (project_line if project else "")
        + (MILLIMETRE if millimetres else METRE)
        + "#11=IFCUNITASSIGNMENT((#10));\n"
        + f"#12=IFCGEOMETRICREPRESENTATIONCONTEXT($,'Model',3,1.E-5,#22,{'#13' if north else '$'});\n"
        + north
        + IDENTITY
        + "#22=IFCAXIS2PLACEMENT3D(#23,$,$);\n"
        + f"#23=IFCCARTESIANPOINT(({','.join(map(str, world_at))}));\n"
        + f"#24=IFCCARTESIANPOINT(({','.join(map(str, site_at))}));\n"
        + "#25=IFCAXIS2PLACEMENT3D(#24,$,$);\n#26=IFCLOCALPLACEMENT($,#25);\n#27=IFCLOCALPLACEMENT(#26,#20);\n"
        + f"#30=IFCSITE('0AAAAAAAAAAAAAAAAAAA02',$,'S',$,$,#26,$,$,.ELEMENT.,{latlong},$,$);\n"
        + "#31=IFCRELAGGREGATES('0AAAAAAAAAAAAAAAAAAA03',$,$,$,#1,(#30));\n"
        + f"#32=IFCBUILDINGELEMENTPROXY('0AAAAAAAAAAAAAAAAAAA04',$,'box',$,$,#27,{shape},$,$);\n"
        + "#33=IFCRELCONTAINEDINSPATIALSTRUCTURE('0AAAAAAAAAAAAAAAAAAA05',$,$,$,(#32),#30);\n"
        + "#40=IFCPRODUCTDEFINITIONSHAPE($,$,(#41));\n"
        + "#41=IFCSHAPEREPRESENTATION(#12,'Body','SweptSolid',(#42));\n"
        + f"#42=IFCEXTRUDEDAREASOLID(#43,#20,#46,{size});\n"
        + f"#43=IFCRECTANGLEPROFILEDEF(.AREA.,$,#44,{size},{size});\n"
        + f"#44=IFCAXIS2PLACEMENT2D(#45,$);\n#45=IFCCARTESIANPOINT(({size / 2},{size / 2}));\n"
        + "#46=IFCDIRECTION((0.,0.,1.));\n"
        + more
        + "ENDSEC;\nEND-ISO-10303-21;\n"
    )


@pytest.fixture
def write_ifc(tmp_path: Path) -> Callable[..., Path]:
    """Writes `tiny_ifc` with the given variations; returns its path."""

    def write(name: str = "tiny.ifc", **variations: object) -> Path:
        path = tmp_path / name
        path.write_text(tiny_ifc(**variations), encoding="latin-1")  # type: ignore[arg-type]
        return path

    return write


CHILD = """
import json, os, signal, sys
results = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # the library writes to stdout
from pathlib import Path
import ifcopenshell.geom
from bim.formats.ifc import FORMAT
from geo.crs import make_frame
from geo.formats.contract import ReadOptions
from geo.model import Feedback, UserError
frame = make_frame("EPSG:5186", 229000.0, 435500.0)
jobs = (FORMAT.inspect, lambda path: FORMAT.read(path, frame, ReadOptions(), Feedback()))
for name in sys.argv[2:]:
    for job in jobs:
        child = os.fork()
        if child:
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if code:
                results.write(json.dumps([name, f"crash {code}"]) + "\\n")
            continue
        signal.alarm(int(sys.argv[1]))
        try:
            outcome = type(job(Path(name))).__name__
        except UserError as error:
            outcome = "UserError " + error.code
        except BaseException as error:
            outcome = f"BUG {type(error).__name__}: {error}"
        results.write(json.dumps([name, outcome]) + "\\n")
        os._exit(0)
"""


@pytest.fixture
def outcomes_in_child() -> Callable[[list[Path], int], dict[str, list[str]]]:
    """Inspect and read files, each in a process of its own; what came of each. A crash is ``"crash <exit code>"``."""
    if not hasattr(os, "fork"):
        pytest.skip("needs a system on which a process can fork")
    return child_outcomes


def child_outcomes(paths: list[Path], limit_s: int) -> dict[str, list[str]]:
    """Outcome of inspecting and of reading each file, `limit_s` seconds for each."""
    child = subprocess.run(
        [sys.executable, "-W", "error:::bim", "-c", CHILD, str(limit_s), *map(str, paths)],
        cwd=ROOT,
        capture_output=True,
        timeout=60 + 2 * limit_s * len(paths),
        check=True,
    )
    found: dict[str, list[str]] = {}
    for line in child.stdout.decode().splitlines():
        name, outcome = json.loads(line)
        found.setdefault(name, []).append(outcome)
    return found
