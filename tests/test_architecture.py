"""The rules of the structure, as tests."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("app", "geo", "bim", "analysis", "resources")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
HEAVY = (
    *("pyvista", "vtkmodules", "numba", "trimesh", "rasterio", "ifcopenshell"),
    *("pvlib", "pyogrio", "shapely", "scipy", "pandas", "PySide6"),
)
ALLOWED_TOP_LEVEL = {
    *PACKAGES, "tests", "pyproject.toml", "README.md", "LICENSE", "Makefile", "CHANGELOG.md", "constraints.txt",
}  # fmt: skip


def test_import_contracts_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    if not program.exists():
        pytest.skip("import-linter is not installed beside this Python")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_registries_load_nothing_heavy() -> None:
    code = (
        "import sys, app.cli, app.catalog, analysis.registry\n"
        "app.cli.build_parser(); app.catalog.formats(); analysis.registry.analyses()\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_dependency_provides_our_package_names() -> None:
    for distribution in distributions():
        if (distribution.metadata["Name"] or "").lower().replace("_", "-") == "sejong-twin":
            continue
        tops = {Path(str(file)).parts[0] for file in distribution.files or () if str(file).endswith(".py")}
        assert tops.isdisjoint(PACKAGES), distribution.metadata["Name"]


def test_top_level_holds_only_what_it_should() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0 or not listed.stdout:
        pytest.skip("not a git checkout")
    tops = {line.split("/")[0] for line in listed.stdout.splitlines()}
    assert {top for top in tops if not top.startswith(".")} <= ALLOWED_TOP_LEVEL


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_say_what_they_are_and_break_no_rule(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "a module owns one thing and says it first"
    below_main = path.name != "__main__.py"
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Assert), f"line {node.lineno}: input is checked by errors, not assert"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = ast.unparse(node.func)
            assert not (below_main and name == "sys.exit"), f"line {node.lineno}: only __main__ ends the program"
            assert name not in ("pickle.load", "pickle.loads", "eval", "exec"), f"line {node.lineno}: runs foreign code"
        if isinstance(node, ast.ExceptHandler) and len(node.body) == 1 and isinstance(node.body[0], ast.Pass):
            broad = node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
            assert not broad, f"line {node.lineno}: a swallowed exception"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500, "look for the seam"


@pytest.mark.parametrize(
    "path", [p for p in FILES if p.parts[-2] != "resources"], ids=lambda p: str(p.relative_to(ROOT))
)
def test_threads_and_processes_start_in_few_places(path: Path) -> None:
    allowed = {"jobs.py", "isolation.py", "model_service.py", "film_child.py", "rays.py", "programs.py"}
    source = path.read_text(encoding="utf-8")
    starts = [word for word in ("subprocess.Popen(", "QThread(", "multiprocessing.") if word in source]
    assert not starts or path.name in allowed, starts


def test_numpy_is_never_told_to_unpickle() -> None:
    for path in FILES:
        assert "allow_pickle=True" not in path.read_text(encoding="utf-8"), path


def test_the_window_comes_up_without_what_it_does_not_need() -> None:
    """PyVista's plotting and Matplotlib took longer to import than all the rest until the window was up."""
    code = (
        "import sys, app.main_window\n"
        "early = [n for n in ('vtkmodules', 'pydantic', 'qtpy', 'xml.etree') if n in sys.modules]\n"
        "assert not early, early\n"
        "import app.view.viewport\n"
        "from analysis.registry import analysis_ids\n"
        "assert 'sunlight.hours' in analysis_ids()\n"
        "never = ('pyvista', 'matplotlib', 'numba', 'qtpy', 'analysis.studies.wind_comfort')\n"
        "slow = [n for n in never if n in sys.modules]\n"
        "assert not slow, slow\n"
        "import pyvistaqt\n"
        "assert pyvistaqt.QtInteractor  # whoever wants the whole package has it\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
