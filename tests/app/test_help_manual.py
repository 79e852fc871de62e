"""Pages of the manual on the window and its work: links lead somewhere, both languages tell the same, keys are true."""

from __future__ import annotations

import re

import pytest

from analysis.registry import analyses
from app.actions import ACTIONS
from app.help_commands import commands_table, page_of_study
from app.help_pages import PAGES, page
from app.language import LANGUAGES, language, tr
from app.panel_set import PANELS
from resources import path

WORK = ("commands", "overview", "first_steps", "measure", "figures", "reports", "settings")
LINK = re.compile(r"\]\(([\w:.]+)\)")
TABLE = re.compile(r"^\|.*\|$", re.MULTILINE)
KEY = re.compile(r"(?:Ctrl|Shift|Alt)\+(?:Shift\+)?[A-Z,]\b|Ctrl\+,")


def text_of(name: str, code: str) -> str:
    with language.spoken(code):
        return page(name)


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("name", WORK)
def test_links_lead_to_pages(code: str, name: str) -> None:
    text = text_of(name, code)
    assert text.startswith("# ")
    assert set(LINK.findall(text)) <= set(PAGES)


@pytest.mark.parametrize("name", WORK)
def test_both_languages_tell_the_same(name: str) -> None:
    told = [text_of(name, code) for code in LANGUAGES]
    assert len({len(TABLE.findall(text)) for text in told}) == 1
    assert len({len(re.findall(r"^#+ ", text, re.MULTILINE)) for text in told}) == 1
    assert len({frozenset(re.findall(r"--[\w-]+|TWIN_\w+|\d+\.\d+", text)) for text in told}) == 1


@pytest.mark.parametrize("name", WORK)
def test_keys_are_those_of_the_program(name: str) -> None:
    known = {spec.shortcut for spec in ACTIONS}
    keys = [frozenset(KEY.findall(text_of(name, code))) for code in LANGUAGES]
    assert keys[0] == keys[1]
    assert keys[0] <= known


def test_no_written_page_is_left_out() -> None:
    for code in LANGUAGES:
        files = {
            entry.name.removesuffix(".md") for entry in path(f"help/{code}").iterdir() if entry.name.endswith(".md")
        }
        assert files == set(PAGES)


def test_every_option_of_the_report_is_told() -> None:
    import argparse

    from app.cli_report import add_arguments

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = {word for action in parser._actions for word in action.option_strings if word.startswith("--")}
    for code in LANGUAGES:
        told = set(re.findall(r"--[a-z-]+", text_of("reports", code)))
        assert options - {"--help"} <= told


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_command_is_found_with_its_page(code: str) -> None:
    with language.spoken(code):
        table = commands_table()
        titles = {spec.id: tr(f"action.{spec.id}").rstrip("…") for spec in ACTIONS}
    rows = dict(re.findall(r"^\| ([^|]+) \| [^|]* \| \[[^\]]+\]\((\w+)\) \|$", table, re.MULTILINE))
    assert {command for command, title in titles.items() if title not in rows} == set()
    assert set(rows.values()) <= set(PAGES)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_study_has_a_page_that_names_it(code: str) -> None:
    missing = []
    for declared in analyses().values():
        with language.spoken(code):
            name = page_of_study(declared.id)
            text = page(name) if name in PAGES else ""
            title = tr(f"{declared.id}.title", declared.title)
        if title.lower() not in text.lower() and declared.id not in text:
            missing.append((declared.id, name, title))
    assert missing == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_panel_is_told_of(code: str) -> None:
    with language.spoken(code):
        whole = "\n".join(page(name) for name in PAGES)
        assert [kind.name for kind in PANELS if tr(f"panel.{kind.name}") not in whole] == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_pictures_of_pages_are_there(code: str) -> None:
    for name in PAGES:
        for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text_of(name, code)):
            assert (path(f"help/{code}") / picture).is_file(), (name, picture)
