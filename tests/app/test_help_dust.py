"""Pages of the manual on dust: in both languages, with links that lead somewhere and figures that agree."""

from __future__ import annotations

import re

import pytest

from analysis.registry import analyses
from app.help_pages import PAGES, page
from app.language import LANGUAGES, language

DUST = [name for name in PAGES if name.startswith("dust_")]
LINK = re.compile(r"\]\(([a-z_]+)\)")
TABLE = re.compile(r"^\|.*\|$", re.MULTILINE)


@pytest.fixture(autouse=True)
def _english_after() -> object:
    yield
    language.set("en")


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("name", DUST)
def test_links_lead_to_pages(code: str, name: str) -> None:
    language.set(code)
    text = page(name)
    assert text.startswith("# ")
    assert set(LINK.findall(text)) <= set(PAGES)


@pytest.mark.parametrize("name", DUST)
def test_both_languages_tell_the_same_figures(name: str) -> None:
    """Rows of tables and decimals are those of the other language."""
    rows, decimals = [], []
    for code in LANGUAGES:
        language.set(code)
        text = page(name)
        rows.append(len(TABLE.findall(text)))
        decimals.append(set(re.findall(r"\d+\.\d+", text)))
    assert rows[0] == rows[1]
    assert decimals[0] == decimals[1]


@pytest.mark.parametrize("code", LANGUAGES)
def test_pages_of_the_studies_lead_to_how_they_are_used(code: str) -> None:
    language.set(code)
    studies = [one for one in analyses() if one.startswith("dust.")]
    assert {"dust.dispersion", "dust.siting", "dust.calibrate", "dust.effect"} <= set(studies)
    for one in (*studies, "wind.comfort"):
        assert f"]({one.replace('.', '_')})" in page(f"analysis:{one}")
    assert "](" not in page("analysis:utility.path").split("##")[0]
