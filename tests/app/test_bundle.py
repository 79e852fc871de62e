"""The first file of the bundle answers to ``-c`` and ``-m`` as Python does: children of the program start so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def started(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", code, str(ROOT / "resources" / "desktop" / "bundled.py"), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_code_is_run_with_its_arguments() -> None:
    done = started("-c", "import sys; print(sys.argv[1:])", "a", "b c")
    assert done.stdout.strip() == "['a', 'b c']"


def test_a_module_is_run_as_the_program() -> None:
    done = started("-m", "app", "--version")
    assert done.returncode == 0
    assert done.stdout == started("--version").stdout != ""


def test_the_status_of_the_program_is_handed_on() -> None:
    assert started("info", "no-such-file.ifc").returncode == 2


def test_the_recipe_takes_only_what_is_installed_anyway() -> None:
    """Packages that the recipe takes whole are declared; a missing one would be left out without a word."""
    import ast
    import importlib.util

    recipe = ast.parse((ROOT / "resources" / "desktop" / "sejong-twin.spec").read_text(encoding="utf-8"))
    whole = next(
        ast.literal_eval(node.value)
        for node in recipe.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "WHOLE"
    )
    assert len(whole) > 5
    missing = [name for name in whole if importlib.util.find_spec(name) is None]
    assert missing == []
