"""``twin check``: counts on the line, a page, a table, JSON; the exit code is 0 also when rules fail."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli import run_command_line
from tests.bim.conftest import write_ifc  # noqa: F401 - a fixture

RULES = """<?xml version="1.0" encoding="UTF-8"?>
<ids xmlns="http://standards.buildingsmart.org/IDS"><info><title>Tiny &lt;b&gt;</title></info><specifications>
<specification name="=named doors" ifcVersion="IFC4"><applicability minOccurs="0"><entity><name>
<simpleValue>IFCDOOR</simpleValue></name></entity></applicability><requirements><attribute><name>
<simpleValue>Name</simpleValue></name></attribute></requirements></specification>
<specification name="walls" ifcVersion="IFC4"><applicability minOccurs="0"><entity><name>
<simpleValue>IFCWALL</simpleValue></name></entity></applicability></specification>
</specifications></ids>
"""
DOORS = "".join(f"#{100 + k}=IFCDOOR('{k:022d}',$,$,$,$,#27,$,$,2.1,0.9,$,$,$);\n" for k in range(150))


@pytest.fixture
def files(write_ifc: Callable[..., Path], tmp_path: Path) -> tuple[str, str]:  # noqa: F811
    rules = tmp_path / "tiny.ids"
    rules.write_text(RULES, encoding="utf-8")
    return str(write_ifc(more=DOORS)), str(rules)


def test_failures_are_counted_written_and_no_error(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, table = tmp_path / "r.html", tmp_path / "f.csv"
    assert run_command_line(["--lang", "en", "check", *files, "--out", str(page), "--csv", str(table)]) == 0
    said = capsys.readouterr().out
    assert "2 rules: 0 passed, 1 failed, 1 left open" in said
    assert "150 checked, 0 passed, 150 failed" in said
    assert "That is not a pass" in said
    text = page.read_text(encoding="utf-8")
    assert text.count("<code>") == 100  # the first hundred are shown
    assert "and 50 more" in text
    assert "Tiny &lt;b&gt;" in text  # what comes from files is never markup
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 1 + 150 + 1
    assert rows[1][0] == "'=named doors"  # no spreadsheet takes it for a formula


def test_json_says_what_failed(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["--lang", "ko", "check", *files, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["passed"], answer["complete"], answer["failed_rules"]) == (False, True, 1)
    doors, walls = answer["specifications"]
    assert len(doors["failed_ids"]) == doors["failed"] == 150
    assert walls["status"] == "nothing"


def test_own_rules_by_name_and_files_that_are_not_there(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["--lang", "en", "check", files[0], "fire_access"]) == 0
    assert "Doors state their fire rating: failed, 150 checked" in capsys.readouterr().out
    assert run_command_line(["--lang", "en", "check", files[0], "nowhere.ids"]) == 2
    assert "nowhere.ids does not exist" in capsys.readouterr().err
