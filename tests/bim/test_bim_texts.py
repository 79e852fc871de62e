"""Every code a user may meet has its Korean."""

from __future__ import annotations

import re
from pathlib import Path

import bim
from resources import load_json

FOLDER = Path(bim.__file__).parent
CODE = re.compile(r'(?:code=|Issue\(\s*)"(ifc\.[a-z0-9_]+)"')
UNPLACED = {"ifc.moved_to_scene", "ifc.not_georeferenced"}


def test_every_error_and_issue_is_translated() -> None:
    korean = load_json("translations/ko/bim.json")
    found = UNPLACED | {
        code for file in FOLDER.rglob("*.py") for code in CODE.findall(file.read_text(encoding="utf-8"))
    }
    assert len(found) > 30
    missing = {code for code in found if f"issue.{code}" not in korean and f"error.{code}.what" not in korean}
    assert not missing
