"""Every text a user reads exists in both languages, and says the same things."""

from __future__ import annotations

import ast
import json
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import app
from app.actions import ACTIONS, MENUS
from app.catalog import formats
from app.help_pages import PAGES, page, page_titles
from app.jobs import JobState
from app.language import LANGUAGES, language, texts
from app.panels.layers import GROUPS
from geo.model.layer import THEMES

ROOT = Path(app.__file__).parents[1]
CALLS = {"tr", "say", "tell", "small_button", "_section", "_add_heading", "_add_list", "ask_file"}
# Ids that stand in tables and loops rather than in the call itself.
IN_TABLES = re.compile(
    r"(layers|properties|analyses|results|timeline|jobs|job|notice|dialog|relink|start|unsaved|bug|status)\.[a-z_.]*[a-z_]"
)
KINDS = ("mesh", "lines", "points", "instances", "grid", "terrain", "image", "volume", "table")
COMMANDS = ("add_layers", "remove_layers", "change_layer", "set_style", "add_result", "show_layer", "hide_layer")


def literal_ids(node: ast.AST) -> Iterator[str]:
    """Ids written as plain strings in an argument, in either branch of a condition."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from literal_ids(node.body)
        yield from literal_ids(node.orelse)


def ids_in_code() -> dict[str, str]:
    """Every id that code of `app` names, with the file that does."""
    found: dict[str, str] = {}
    for file in sorted((ROOT / "app").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and IN_TABLES.fullmatch(node.value):
                found[node.value] = file.name
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in CALLS:
                keywords = [k.value for k in node.keywords if k.arg in ("tip", "action_id")]
                # A second positional argument of `tr` is the English text itself.
                arguments = node.args[:1] if name == "tr" else node.args
                for argument in [*arguments, *keywords]:
                    for text_id in literal_ids(argument):
                        if "." in text_id and " " not in text_id and not text_id.startswith("."):
                            found[text_id] = file.name
    return found


def declared_ids() -> set[str]:
    """Ids that are put together from tables."""
    ids = {f"action.{spec.id}" for spec in ACTIONS} | {f"menu.{menu_id}" for menu_id, _ in MENUS}
    ids |= {f"menu.{entry[0]}" for _, entries in MENUS for entry in entries if isinstance(entry, tuple)}
    ids |= {f"group.{group}" for group in GROUPS} | {f"theme.{theme}" for theme in THEMES}
    ids |= {f"kind.{kind}" for kind in KINDS} | {f"command.{command}" for command in COMMANDS}
    ids |= {f"severity.{severity}" for severity in ("note", "doubt", "error")}
    ids |= {f"job.state.{s.value}" for s in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)}
    ids |= {
        f"panel.{name}" for name in ("layers", "properties", "analyses", "results", "timeline", "jobs", "log", "table")
    }
    return ids | {f"help.{name}" for name in PAGES}


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_text_of_the_window_is_missing(code: str) -> None:
    known = texts(code)
    missing = {text_id: file for text_id, file in ids_in_code().items() if text_id not in known}
    missing |= {text_id: "table" for text_id in declared_ids() if text_id not in known}
    assert not missing


def test_the_search_for_ids_finds_what_is_there() -> None:
    found = ids_in_code()
    assert len(found) > 120
    assert {"properties.nothing", "notice.saved", "layers.zoom", "dialog.cancel"} <= set(found)


def test_every_english_text_of_the_window_has_a_korean_one() -> None:
    english = json.loads((ROOT / "resources/translations/en/window.json").read_text(encoding="utf-8"))
    assert set(english) <= set(texts("ko"))


def test_translations_mention_the_same_figures() -> None:
    def fields(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    english, korean = texts("en"), texts("ko")
    wrong = {i for i in set(english) & set(korean) if fields(english[i]) != fields(korean[i])}
    assert not wrong


def test_korean_texts_are_korean() -> None:
    """An English sentence left in the Korean file would be seen by users as it is."""
    own = json.loads((ROOT / "resources/translations/ko/window.json").read_text(encoding="utf-8"))
    allowed = {"action.language_en", "group.bim", "theme.bim", "about.text", "layers.doubts"}
    latin = {i for i, text in own.items() if i not in allowed and not any("가" <= c <= "힣" for c in text)}
    assert not latin


def test_every_analysis_and_format_is_translated() -> None:
    from analysis.contract import describe_inputs, describe_params
    from analysis.registry import analyses

    wanted = {f"format.{f.id}.title" for f in formats().values()}
    for declared in analyses().values():
        wanted |= {f"{declared.id}.title", f"{declared.id}.description"}
        wanted |= {f"{declared.id}.{info.name}" for info in describe_params(declared.params)}
        wanted |= {f"{declared.id}.input.{spec.name}" for spec in describe_inputs(declared.inputs)}
        for info in describe_params(declared.params):
            wanted |= {f"{declared.id}.{info.name}.{option}" for option in info.options}
    assert wanted - set(texts("ko")) == set()


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_help_page_opens(code: str) -> None:
    language.set(code)
    for name, title in page_titles():
        text = page(name)
        assert text.startswith("# "), name
        assert title.strip()
        if code == "ko":
            assert any("가" <= c <= "힣" for c in text), name
