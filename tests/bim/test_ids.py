"""Checking models by IDS rules: pass, fail, nothing to check, broken rules, limits of time, real models."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bim.ids_check import check_model
from bim.ids_result import CheckedModel, Rule
from bim.ids_rules import MOST_BYTES, read_rules
from bim.requests import REQUESTS
from bim.schema import open_model
from geo.model import Cancelled, Feedback, UserError
from resources import path as resource_path

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<ids xmlns="http://standards.buildingsmart.org/IDS" '
HEAD += 'xmlns:xs="http://www.w3.org/2001/XMLSchema">\n<info><title>Tiny</title></info>\n<specifications>\n'
TAIL = "</specifications>\n</ids>\n"
NAMED = "<requirements><attribute><name><simpleValue>{name}</simpleValue></name></attribute></requirements>"
WALLS = (
    "#50=IFCWALLSTANDARDCASE('0AAAAAAAAAAAAAAAAAAA50',$,'simple wall',$,$,#27,$,$,$);\n"
    "#51=IFCDOOR('0AAAAAAAAAAAAAAAAAAA51',$,'door',$,$,#27,$,$,2.1,0.9,$,$,$);\n"
    "#52=IFCDOOR('0AAAAAAAAAAAAAAAAAAA52',$,$,$,$,#27,$,$,2.1,0.9,$,$,$);\n"
)


def rule(
    entity: str, *, needs: str = NAMED.format(name="Name"), occurs: str = 'minOccurs="0"', versions: str = "IFC2X3 IFC4"
) -> str:
    return (
        f'<specification name="about {entity}" identifier="r-{entity}" ifcVersion="{versions}">'
        f"<applicability {occurs}><entity><name><simpleValue>{entity}</simpleValue></name></entity></applicability>"
        f"{needs}</specification>\n"
    )


def in_file(folder: Path, *rules: str) -> Path:
    path = folder / "rules.ids"
    path.write_text(HEAD + "".join(rules) + TAIL, encoding="utf-8")
    return path


def check(model: Path, rules: Path, **how: object) -> CheckedModel:
    return check_model(open_model(model).file, rules, Feedback(), **how)  # type: ignore[arg-type]


@pytest.fixture
def tiny(write_ifc: Callable[..., Path]) -> Path:
    return write_ifc(more=WALLS)


def one(tiny: Path, folder: Path, *rules: str, **how: object) -> Rule:
    (found,) = check(tiny, in_file(folder, *rules), **how).rules
    return found


def test_elements_that_pass_and_fail_are_counted_and_named(tiny: Path, tmp_path: Path) -> None:
    checked = check(tiny, in_file(tmp_path, rule("IFCDOOR")))
    (found,) = checked.rules
    assert (found.status, found.checked, found.passed, found.failed) == ("failed", 2, 1, 1)
    assert found.identifier == "r-IFCDOOR"
    ((element, said),) = checked.by_element(found)
    assert (element.id, element.entity) == ("0AAAAAAAAAAAAAAAAAAA52", "IfcDoor")
    ((requirement, reason),) = said
    assert (requirement.facet, requirement.values["name"]) == ("attribute", "Name")
    assert reason.kind == "attribute.FALSEY"
    assert checked.outcome_by_id() == {"0AAAAAAAAAAAAAAAAAAA51": True, "0AAAAAAAAAAAAAAAAAAA52": False}


def test_a_rule_for_nothing_is_not_a_pass_and_subclasses_are_told(tiny: Path, tmp_path: Path) -> None:
    """``IFCWALL`` does not mean walls of the standard case: the stock checker lets this pass in silence."""
    found = one(tiny, tmp_path, rule("IFCWALL"))
    assert (found.status, found.checked) == ("nothing", 0)
    assert found.left_out == {"IfcWallStandardCase": 1}
    unknown = one(tiny, tmp_path, rule("IFCNOSUCHTHING"))
    assert (unknown.status, unknown.left_out) == ("nothing", {})


def test_required_and_forbidden_elements(tiny: Path, tmp_path: Path) -> None:
    assert one(tiny, tmp_path, rule("IFCSPACE", occurs='minOccurs="1" maxOccurs="unbounded"')).status == "absent"
    never = rule("IFCDOOR", needs="", occurs='minOccurs="0" maxOccurs="0"')
    found = one(tiny, tmp_path, never)
    assert (found.status, found.checked, found.failed, found.passed) == ("forbidden", 2, 2, 0)
    assert one(tiny, tmp_path, never.replace("IFCDOOR", "IFCSPACE")).status == "passed"


def test_rules_for_other_schemas_are_not_judged_unless_wanted(tiny: Path, tmp_path: Path) -> None:
    later = rule("IFCDOOR", versions="IFC4X3_ADD2")
    found = one(tiny, tmp_path, later)
    assert (found.status, found.versions, found.checked) == ("version", ("IFC4X3_ADD2",), 0)
    assert one(tiny, tmp_path, later, any_version=True).status == "failed"


def test_the_limit_of_time_is_told(tiny: Path, tmp_path: Path) -> None:
    checked = check(tiny, in_file(tmp_path, rule("IFCDOOR"), rule("IFCWALL")), limit_s=-1.0)
    assert [found.status for found in checked.rules] == ["stopped", "stopped"]
    assert not checked.complete


def test_a_check_can_be_stopped(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        check_model(open_model(tiny).file, in_file(tmp_path, rule("IFCDOOR")), Feedback(None, lambda: True))


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        ("<ids><info></ids>", "ids.not_xml_line", 1),
        ("", "ids.not_xml_line", 1),
        ("\x00\x01binary", "ids.not_xml_line", 1),
        ("<html></html>", "ids.other_xml", None),
        ('<!DOCTYPE ids [<!ENTITY a "b">]><ids/>', "ids.not_xml", 0),
        (HEAD + "\n\n" + rule("IFCDOOR", versions="IFC9") + TAIL, "ids.invalid_line", 7),
        (HEAD + TAIL, "ids.invalid_line", 4),
        (HEAD + rule("IFCDOOR", needs="<requirements><wish/></requirements>") + TAIL, "ids.invalid_line", 5),
    ],
)
def test_broken_rules_are_refused_with_the_line(tmp_path: Path, content: str, code: str, line: int | None) -> None:
    path = tmp_path / "broken.ids"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_rules(path)
    assert caught.value.code == code
    assert caught.value.values.get("line") == line


def test_bytes_that_are_no_text_and_files_that_are_not_there(tmp_path: Path) -> None:
    for name, content, code in (("a.ids", b"\xff\xfe\xfa", "ids.not_xml"), ("b.ids", None, "ids.missing")):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError) as caught:
            read_rules(tmp_path / name)
        assert caught.value.code == code


def test_a_huge_file_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.ids"
    with path.open("wb") as target:
        target.truncate(MOST_BYTES + 1)
    with pytest.raises(UserError) as caught:
        read_rules(path)
    assert caught.value.code == "ids.huge"


def test_many_rules_on_many_elements_stay_quick(write_ifc: Callable[..., Path], tmp_path: Path) -> None:
    doors = "".join(
        f"#{1000 + k}=IFCDOOR('{k:022d}',$,{'$' if k % 2 else repr(f'd{k}')},$,$,#27,$,$,2.1,0.9,$,$,$);\n"
        for k in range(5000)
    )
    checked = check(write_ifc(more=doors), in_file(tmp_path, *[rule("IFCDOOR")] * 4))
    assert [(found.checked, found.failed) for found in checked.rules] == [(5000, 2500)] * 4
    assert len(checked.elements) == 5000  # each told once
    assert len(checked.reasons) == 1
    assert checked.seconds < 20.0


def test_the_answer_travels_as_json(tiny: Path, tmp_path: Path) -> None:
    rules = in_file(tmp_path, rule("IFCDOOR"), rule("IFCWALL"))
    said = REQUESTS["ids"].answer(open_model(tiny).file, {"rules": str(rules)}, Feedback())
    again = CheckedModel.from_dict(json.loads(json.dumps(said)))
    direct = check(tiny, rules)
    assert again.rules == direct.rules
    assert again.elements == direct.elements
    assert again.reasons == direct.reasons


@pytest.mark.parametrize("name", ["AC20-FZK-Haus.ifc", "Duplex_A_20110907_georeferenced.ifc"])
@pytest.mark.parametrize("rules", ["basic", "fire_access"])
def test_real_models_are_judged_as_the_library_judges_them(shared_data: Path, name: str, rules: str) -> None:
    from ifctester import ids

    file = open_model(shared_data / "ifc" / name).file
    path = Path(str(resource_path(f"ids/{rules}.ids")))
    checked = check_model(file, path, Feedback())
    stock = ids.open(str(path))
    stock.validate(file)
    assert len(checked.rules) == len(stock.specifications) >= 8
    for mine, theirs in zip(checked.rules, stock.specifications, strict=True):
        assert mine.checked == len(theirs.applicable_entities), mine.name
        assert mine.failed == len(theirs.failed_entities), mine.name
        assert mine.passed == mine.checked - mine.failed
        assert mine.unclear == 0


def test_own_rules_are_valid_and_have_korean_names() -> None:
    from app.language import texts

    for name in ("basic", "fire_access"):
        for found in read_rules(Path(str(resource_path(f"ids/{name}.ids")))).specifications:
            assert f"ids.{found.identifier}.name" in texts("ko")
            for part in ("description", "instructions"):
                assert not getattr(found, part) or f"ids.{found.identifier}.{part}" in texts("ko")
