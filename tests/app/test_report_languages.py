"""Reports in two languages, and what they say of alternatives."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from analysis.registry import get
from analysis.run import execute
from app.alternatives import change_elements, scenes_of
from app.commands import AddLayers
from app.document import Document
from app.language import language, tr
from app.pdf import write_run_pdf
from app.report import write_report
from app.shown_runs import runs_of
from geo.alternatives import Change
from geo.model import ElementRef
from tests.tiny import buildings, terrain, tiny_frame


@pytest.fixture
def document() -> Document:
    made = Document(tiny_frame())
    made.do(AddLayers((terrain(), buildings())))
    made.do(change_elements(made, {ElementRef("buildings", "b0"): Change(height_factor=3.0)}, name="Tall"))
    params = {"step": 60, "ground_cell": 8.0, "facade_spacing": 8.0}
    for variant, layers in scenes_of(made, ["", made.alternatives.active]):
        result = execute(get("sunlight.hours"), layers=layers, frame=tiny_frame(), params=params, variant=variant)
        made.do(AddLayers(result.layers))
    return made


def test_a_report_in_both_languages_has_each_once(document: Document, tmp_path: Path) -> None:
    drawn: list[float] = []

    def draw(layers: Any, _frame: Any, **_how: Any) -> Image.Image:
        city = next(layer for layer in layers if layer.id == "buildings")
        drawn.append(float(city.geometry.vertices[:, 2].max()))
        return Image.new("RGB", (4, 4))

    path = write_report(document, tmp_path / "r.html", drawer=draw, languages=("ko", "en"))
    text = path.read_text(encoding="utf-8")
    korean, english = re.split(r'<main id="en"', text)
    assert "대안 비교" in korean
    assert "Alternatives side by side" in english
    assert "Alternatives side by side" not in korean
    for part in (korean, english):
        assert "Tall" in part
        assert "(−" in part  # less sun than the base
        assert not re.search(r"\breport\.\w+|sunlight\.hours\.\w+", re.sub(r"<code>.*?</code>", "", part))
    # The base is drawn with the low tower (50 m), the alternative with the tall one (110 m).
    assert set(drawn) == {50.0, 110.0}
    assert language.code == "en"


def test_another_language_in_one_thread_is_not_heard_in_the_other() -> None:
    heard: list[str] = []
    with language.spoken("ko"):
        thread = threading.Thread(target=lambda: heard.append(tr("report.comparison")))
        thread.start()
        thread.join()
        assert tr("report.comparison") == "대안 비교"
    assert heard == ["Alternatives side by side"]
    assert tr("report.comparison") == heard[0]


def test_a_pdf_in_both_languages(document: Document, tmp_path: Path, qtbot: Any) -> None:
    from PySide6.QtGui import QFont

    run = runs_of(tuple(document.scene))[0]

    def pages(languages: tuple[str, ...]) -> int:
        path = tmp_path / "run.pdf"
        font = QFont("NanumGothic")
        write_run_pdf(path, run.layers, picture=None, title="x", font=font, program="1", languages=languages)
        return len(re.findall(rb"/Type /Page\b", path.read_bytes()))

    assert pages(("ko", "en")) == pages(("ko",)) + pages(("en",))
