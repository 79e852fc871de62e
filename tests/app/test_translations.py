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
from app.numbers import TIME_UNITS, figure_text, quantity_text, unit_text
from app.panels.layers import GROUPS
from app.sample.rooms import ROOMS
from app.words import class_name, heading
from geo.model import Feedback
from geo.model.layer import THEMES

ROOT = Path(app.__file__).parents[1]
CALLS = {"tr", "say", "tell", "small_button", "_section", "_add_heading", "_add_list", "ask_file"}
# Ids that stand in tables and loops rather than in the call itself.
IN_TABLES = re.compile(
    r"(layers|properties|analyses|results|timeline|jobs|job|notice|dialog|relink|start|unsaved|bug|status)\.[a-z_.]*[a-z_]"
)
HANGUL = re.compile("[가-힣]")
FIGURE = re.compile(r"[a-z_]+\.[a-z_]+\.summary\.[a-z0-9_]+")
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
    assert wanted - set(texts("ko")) == set()


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_choice_is_said_in_words(code: str) -> None:
    from analysis.contract import describe_params
    from analysis.registry import analyses

    known, wrong = texts(code), []
    for declared in analyses().values():
        for info in describe_params(declared.params):
            ids = [f"{declared.id}.{info.name}.{option}" for option in info.options]
            wrong += [text_id for text_id in ids if not known.get(text_id) or "_" in known[text_id]]
    assert not wrong


def test_every_key_figure_has_a_title_in_both_languages() -> None:
    """Raw names such as "calm share" would be shown as titles of cards."""
    titles = {code: {i for i in texts(code) if ".summary." in i} for code in LANGUAGES}
    assert titles["ko"] ^ titles["en"] == set()
    figures = {i: text for i, text in texts("en").items() if FIGURE.fullmatch(i)}
    assert len(figures) > 400
    assert not {i: text for i, text in figures.items() if text[0].islower()}


def test_english_texts_are_english() -> None:
    """Korean stands in brackets, behind a term of the law, and in examples of what to write."""
    plain = {text_id: re.sub(r"\([^)]*\)", "", text) for text_id, text in texts("en").items()}
    examples = {"search.example.address", "settings.language.ko", "action.language_ko"}
    assert not {text_id for text_id, text in plain.items() if text_id not in examples and HANGUL.search(text)}


def test_what_the_sample_says_in_korean_has_an_english_word() -> None:
    """Uses of rooms, buildings and parcels stand in legends and tables."""
    from app.sample import apartments_plan, mixed_plan
    from app.sample.district import plan_district
    from app.sample.make import DEFAULT_SEED

    plan = plan_district(DEFAULT_SEED, Feedback())
    areas = [area for floor in mixed_plan.plans().values() for area in floor.areas]
    areas += [area for number in (1, 2, 9) for area in apartments_plan.storey_plan(number, (9, 9), "1동").areas]
    words = {
        ("use", one.use)
        for one in (*areas, *plan.buildings, *plan.parcels, *(room for floor in ROOMS.values() for room in floor))
    }
    words |= {("zoning", parcel.zoning) for parcel in plan.parcels}
    words |= {("structure", building.structure) for building in plan.buildings}
    assert len(words) > 80
    assert not {word for word in words if HANGUL.search(class_name(*word))}


def test_classes_of_pictures_have_one_name() -> None:
    """The window of a camera and the map of what cameras see speak of the same classes."""
    from app.language import tr

    language.set("ko")
    names = {i.removeprefix("cctv.class."): text for i, text in texts("ko").items() if i.startswith("cctv.class.")}
    assert len(names) == 13
    for name, text in names.items():
        for column in ("view_class", "night_class", "face_class", "reachable_class", "class", "best_class"):
            assert tr(f"class.{column}.{name}") == text
        assert tr(f"field.class_{name}") == text
        assert tr(f"cctv.coverage.summary.class_{name}") == f"{text} 이상"


def test_units_of_time_are_words_of_the_language() -> None:
    assert quantity_text(10, "min") == "10 min"
    assert figure_text(190.1, "s") == "3 min 10 s"
    assert figure_text(59.0, "s") == "59 s"
    language.set("ko")
    assert quantity_text(10, "min") == "10분"
    assert figure_text(190.1, "s") == "3분 10초"
    assert figure_text(3900.0, "s") == "1시간 5분"
    assert [unit_text(unit) for unit in TIME_UNITS] == ["초", "분", "시간", "일", "년", "년"]
    assert quantity_text(3.0, "m3/h") == "3 m³/h"


def test_titles_of_columns_begin_with_a_capital() -> None:
    titles = ("kind of utility", "pH", "Element", "owner", "")
    assert [heading(title) for title in titles] == ["Kind of utility", "pH", "Element", "Owner", ""]


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_help_page_opens(code: str) -> None:
    language.set(code)
    for name, title in page_titles():
        text = page(name)
        assert text.startswith("# "), name
        assert title.strip()
        if code == "ko":
            assert any("가" <= c <= "힣" for c in text), name
