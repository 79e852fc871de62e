"""The report is made of what was chosen, in that order; the choice lives in the project and on the command line."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from analysis.charts import chart_to_dict
from analysis.contract import Chart, Series
from analysis.registry import analyses, get
from analysis.run import execute
from app.cli import run_command_line
from app.commands import AddLayers, RemoveLayers
from app.document import Document
from app.language import language
from app.project_file import load, open_document, save
from app.report import write_report
from app.report_choice import (
    ReportChoice,
    RunChoice,
    SavedPicture,
    chosen_runs,
    command_line,
    in_order,
    read_note,
    read_saved_picture,
    runs_named,
)
from app.report_contents import paragraphs, preview_of
from app.rule_sources import RULES_OF, rules_in
from app.shown_runs import with_free_ids
from geo.model import UserError
from resources import load_json
from tests.tiny import buildings, terrain, tiny_frame

QUICK = {"step": 60, "ground_cell": 8.0, "facade_spacing": 8.0}


@pytest.fixture(scope="module")
def made() -> Document:
    """A project with two runs of sun hours, of other days."""
    document = Document(tiny_frame())
    document.do(AddLayers((terrain(), buildings())))
    line = Chart("area", "Area", "Day", "d", "Area", "m2", (Series("all", np.arange(3.0), np.arange(3.0)),))
    for day in ("2026-12-22", "2026-06-21"):
        layers = tuple(layer for layer in document.scene if layer.theme != "result")
        result = execute(get("sunlight.hours"), layers=layers, frame=tiny_frame(), params={**QUICK, "day": day})
        told = [
            layer.with_(
                source=replace(layer.source, provenance={**layer.source.provenance, "charts": [chart_to_dict(line)]})
            )
            for layer in result.layers
        ]
        document.do(AddLayers(with_free_ids(document.scene, told)))
    return document


@pytest.fixture
def document(made: Document) -> Document:
    return made.snapshot()


@pytest.fixture
def png(tmp_path: Path) -> Path:
    path = tmp_path / "Street corner.png"
    Image.new("RGB", (40, 30), "red").save(path)
    return path


def draw(*_what: Any, **_how: Any) -> Image.Image:
    return Image.new("RGB", (8, 6))


def written(document: Document, tmp_path: Path, choice: ReportChoice | None) -> str:
    path = write_report(document, tmp_path / "r.html", drawer=draw, choice=choice)
    return path.read_text(encoding="utf-8")


def test_runs_come_in_the_order_chosen(document: Document, tmp_path: Path) -> None:
    first, second = in_order(tuple(document.scene))
    usual = written(document, tmp_path, None)
    assert usual.index("2026-12-22") < usual.index("2026-06-21")
    turned = written(document, tmp_path, ReportChoice(runs=(RunChoice(second.id), RunChoice(first.id))))
    assert turned.index("2026-06-21") < turned.index("2026-12-22")
    one = written(document, tmp_path, ReportChoice(runs=(RunChoice(second.id),)))
    assert "2026-12-22" not in re.sub(r"<code>.*?</code>", "", one)


def test_charts_tables_and_pictures_are_left_out(document: Document, tmp_path: Path) -> None:
    run = in_order(tuple(document.scene))[0]
    tables = [f"table:{layer.id}" for layer in run.layers if layer.kind == "table"]
    charts = [f"chart:{chart.id}" for chart in run.charts]
    assert tables
    assert charts
    full = written(document, tmp_path, ReportChoice(runs=(RunChoice(run.id),), parts=()))
    bare = written(document, tmp_path, ReportChoice(runs=(RunChoice(run.id, False, (*tables, *charts)),), parts=()))
    assert full.count("<svg") == len(charts)
    assert bare.count("<svg") == 0
    assert full.count("<img") == 2
    assert bare.count("<img") == 0
    assert full.count("<tr>") > bare.count("<tr>")


def test_cover_words_and_pictures(document: Document, tmp_path: Path, png: Path) -> None:
    choice = ReportChoice(
        title="Sun of <two> towers",
        place="Hapgang-dong",
        author="Kim & Lee",
        before="One.\nStill one.\n\nTwo.",
        after="The end.",
        pictures=(read_saved_picture(png),),
        parts=("rules",),
    )
    text = written(document, tmp_path, choice)
    assert "<h1>Sun of &lt;two&gt; towers</h1>" in text
    assert "Kim &amp; Lee" in text
    assert "Hapgang-dong" in text
    assert "<p>Two.</p>" in text
    assert "<figcaption>Street corner</figcaption>" in text
    assert text.index("Still one.") < text.index("2026-12-22") < text.index("The end.")
    numbers = re.findall(r'<li><b>(\d+)</b><a href="#([\w-]+)">', text)
    assert [int(number) for number, _ in numbers] == list(range(1, len(numbers) + 1))
    for _, target in numbers:
        assert text.count(f'id="{target}"') == 1
    assert "source read" in text
    assert "not checked" in text


def test_the_preview_says_what_is_written(document: Document, tmp_path: Path) -> None:
    choice = ReportChoice(before="x", runs=(RunChoice(in_order(tuple(document.scene))[1].id),))
    told = [(number, title) for number, title, is_part in preview_of(choice, document) if not is_part and number]
    text = written(document, tmp_path, choice)
    assert told == re.findall(r'<li><b>(\d+)</b><a href="#[\w-]+">(.*?)</a>', text)


def test_the_choice_is_kept_in_the_project(document: Document, tmp_path: Path, png: Path) -> None:
    run = in_order(tuple(document.scene))[1]
    runs, pictures = (RunChoice(run.id, False, ("chart:x",)),), (read_saved_picture(png, "Corner"),)
    choice = ReportChoice("A", "B", "C", "D\n", "E", "both", "pdf", ("rules",), runs, pictures)
    document.choose_report(choice)
    assert document.modified
    path = tmp_path / "p.twin"
    save(document, path)
    assert not document.modified
    assert open_document(path)[0].report == choice
    document.choose_report(ReportChoice())
    save(document, path)
    assert load(path).report == ReportChoice()
    assert not list((tmp_path / "p.results").glob("*.png")), "a picture that nobody needs any more"


def test_a_removed_result_is_told(document: Document, tmp_path: Path) -> None:
    run = in_order(tuple(document.scene))[0]
    choice = ReportChoice(runs=(RunChoice(run.id), RunChoice("gone")))
    document.do(RemoveLayers(tuple(layer.id for layer in run.layers)))
    assert chosen_runs(choice, tuple(document.scene)) == []
    assert "2 results that were chosen" in written(document, tmp_path, choice)


def test_runs_by_name(document: Document) -> None:
    layers = tuple(document.scene)
    first, second = (run.id for run in in_order(layers))
    assert runs_named("all", layers) is None
    assert runs_named("none", layers) == ()
    assert runs_named("2, 1", layers) == (RunChoice(second), RunChoice(first))
    assert runs_named("2,sunlight.hours", layers) == (RunChoice(second), RunChoice(first))
    with pytest.raises(UserError, match="wind"):
        runs_named("wind.field", layers)


@pytest.mark.parametrize("content", [b"\x89PNG nonsense", b"", b"text"])
def test_what_is_no_picture_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(UserError):
        read_saved_picture(path)


def test_notes_of_korean_offices_are_read(tmp_path: Path) -> None:
    path = tmp_path / "n.txt"
    path.write_bytes("머리말".encode("cp949"))
    assert read_note(path) == "머리말"
    path.write_bytes(b"\xff\x00" * 9)
    with pytest.raises(UserError):
        read_note(path)
    with pytest.raises(UserError):
        read_note(tmp_path / "absent.txt")
    assert paragraphs("a\r\nb\r\n\r\n\r\nc\n") == ["a\nb", "c"]


def test_the_window_hands_over_the_language() -> None:
    def spoken(code: str) -> list[str]:
        return command_line(ReportChoice(language=code), Path("p"), Path("o"))

    with language.spoken("ko"):
        assert spoken("")[:2] == ["--lang", "ko"]
        assert spoken("en")[:2] == ["--lang", "en"]
        assert spoken("both")[:2] == ["--lang", "ko"]
        assert spoken("both")[-1] == "--both"


def test_every_rule_file_that_a_study_reads_is_told() -> None:
    root = Path(__file__).resolve().parents[2]
    files = {f"rules/{path.name}" for path in (root / "resources" / "rules").glob("*.json")}
    assert files <= {file for parts in RULES_OF.values() for file, _ in parts}
    assert set(RULES_OF) <= set(analyses())
    for parts in RULES_OF.values():
        for file, names in parts:
            assert set(names) <= set(load_json(file))
            assert rules_in(file, names)


def test_only_the_scheme_of_the_run_counts() -> None:
    titles = {rule.title for rule in rules_in("rules/wind_comfort.json", (), {"davenport", "day"})}
    assert "Davenport" in titles
    assert "NEN 8100" not in titles


def test_command_line_and_choice_write_the_same(document: Document, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("app.report.write_report", partial(write_report, drawer=draw))
    (tmp_path / "n.txt").write_text("Before.", encoding="utf-8")
    path = tmp_path / "p.twin"
    save(document, path)
    named = ["--title", "T", "--author", "A", "--notes", str(tmp_path / "n.txt"), "--runs", "2"]
    assert run_command_line(["--lang", "en", "report", str(path), "--out", str(tmp_path / "named.html"), *named]) == 0
    second = in_order(tuple(document.scene))[1]
    document.choose_report(ReportChoice(title="T", author="A", before="Before.", runs=(RunChoice(second.id),)))
    save(document, path)
    assert run_command_line(["--lang", "en", "report", str(path), "--out", str(tmp_path / "kept.html")]) == 0
    texts = [re.sub(r"\d\d:\d\d", "", (tmp_path / n).read_text(encoding="utf-8")) for n in ("named.html", "kept.html")]
    assert texts[0] == texts[1]
    assert "Before." in texts[0]
    assert "2026-12-22" not in re.sub(r"<code>.*?</code>", "", texts[0])


def test_pdf_has_contents_with_true_page_numbers(document: Document, tmp_path: Path, qapp: Any, png: Path) -> None:
    from PySide6.QtCore import QSizeF
    from PySide6.QtGui import QTextDocument

    from app.report_book import page_numbers

    choice = ReportChoice(before="Words.", form="pdf", language="both", pictures=(SavedPicture("x", png.read_bytes()),))
    path = write_report(document, tmp_path / "r.pdf", drawer=draw, choice=choice)
    assert path.read_bytes().startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", path.read_bytes())) >= 10
    paper = QTextDocument()
    paper.setPageSize(QSizeF(500, 700))
    breaks = '<p style="page-break-before: always">x</p>'
    paper.setHtml(f'<h1><a name="a"></a>A</h1>{breaks}{breaks}<h1><a name="b"></a>B</h1>')
    assert page_numbers(paper) == {"a": 1, "b": 3}
