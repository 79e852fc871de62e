"""The report of a project as PDF: cover, list of contents with page numbers, and the same sections as the web page."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEventLoop, QSizeF, QUrl
from PySide6.QtGui import QImage, QTextDocument

from app.cctv.plan_pdf import korean_font, ready
from app.language import language
from app.pdf import DPI, FOOT, PAGE_BREAK, STYLE, drawn, page_layout, pdf_bytes
from geo.model import Feedback
from geo.store import write_atomically
from resources import path as resource_path

PICTURE_SHARE = 0.86  # of the width of a page that a picture takes
HIGHEST_SHARE = 0.8  # of the height of a page that a picture takes at most
MORE_STYLE = """
h1 { font-size: 15pt; margin-top: 18px; margin-bottom: 6px; }
.bare { border-bottom: 0px; }
"""
IMAGE = QTextDocument.ResourceType.ImageResource


def write_book(path: Path, pages: Sequence[Mapping[str, Any]], *, feedback: Feedback | None = None) -> Path:
    """Write the report; `pages` hold what it says in each language, one after the other."""
    feedback = feedback or Feedback()
    ready()
    feedback.step(0.1, "composing")
    _loop = QEventLoop()  # a text document has timers, and those want a dispatcher in the thread of the job
    layout = page_layout(lying=False)
    size = layout.paintRectPixels(DPI).size()
    document = QTextDocument()
    document.setDefaultFont(korean_font())
    document.setDefaultStyleSheet(STYLE + MORE_STYLE)
    document.setPageSize(QSizeF(size.width(), size.height() - FOOT))
    width = int(size.width() * PICTURE_SHARE)
    named = [_with_pictures(document, page, width) for page in pages]
    document.setHtml(_html(named, {}))
    feedback.step(0.4, "composing")
    document.setHtml(_html(named, page_numbers(document)))
    data = pdf_bytes(document, layout, str(pages[0]["title"]), feedback.part(0.5, 0.95))
    write_atomically(path, lambda file: file.write(data))
    feedback.step(1.0, "report written")
    return path


def page_numbers(document: QTextDocument) -> dict[str, int]:
    """Page on which each named place of a laid out document begins, from 1."""
    height = document.pageSize().height()
    found: dict[str, int] = {}
    block = document.begin()
    while block.isValid():
        pieces = block.begin()
        while not pieces.atEnd():
            top = document.documentLayout().blockBoundingRect(block).top()
            for name in pieces.fragment().charFormat().anchorNames():
                found.setdefault(name, int(top // height) + 1)
            pieces += 1
        block = block.next()
    return found


def _html(pages: Sequence[Mapping[str, Any]], numbers: Mapping[str, int]) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(resource_path("report/book.html.j2").read_text(encoding="utf-8"))
    parts = []
    for page in pages:
        with language.spoken(str(page["language"])):
            parts.append(template.render(page=page, numbers=numbers))
    return f"<html><body>{PAGE_BREAK.join(parts)}</body></html>"


def _with_pictures(document: QTextDocument, page: Mapping[str, Any], width: int) -> dict[str, Any]:
    """The page with the names under which the document finds its pictures and charts."""
    code, runs = page["language"], []
    for number, run in enumerate(page["runs"]):
        mark = f"{code}-{number}"
        charts = [
            {**chart, **_named(document, drawn(chart["svg"]), f"{mark}-chart{k}", width)}
            for k, chart in enumerate(run["charts"])
        ]
        runs.append({**run, "charts": charts, "pictures": _named_all(document, run["pictures"], mark, width)})
    return {
        **page,
        "runs": runs,
        "pictures": _named_all(document, page["pictures"], f"{code}-place", width),
        "saved": _named_all(document, page["saved"], f"{code}-saved", width),
    }


def _named_all(document: QTextDocument, pictures: Sequence[Any], prefix: str, width: int) -> list[dict[str, Any]]:
    return [
        {
            "caption": one.caption,
            **_named(document, QImage.fromData(base64.b64decode(one.data)), f"{prefix}-{number}", width),
        }
        for number, one in enumerate(pictures)
    ]


def _named(document: QTextDocument, image: QImage, name: str, width: int) -> dict[str, Any]:
    """Its name in the document, and its width there [pixels]: no picture is higher than a page leaves room for."""
    document.addResource(IMAGE, QUrl(f"picture:{name}"), image)
    highest = HIGHEST_SHARE * document.pageSize().height()
    return {"name": name, "width": int(min(width, highest * image.width() / max(image.height(), 1)))}
