"""One run of an analysis as a PDF to hand over: picture, key figures, charts, tables, and how it was made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QEventLoop, QMarginsF, QRectF, QSizeF, Qt, QUrl
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QColor,
    QFont,
    QImage,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
    QTextDocument,
)
from PySide6.QtSvg import QSvgRenderer

from app.language import language, tr
from app.report import describe_run, table_of
from app.topic_results import findings_of
from geo.model import Feedback, Layer, UserError
from geo.store import write_atomically
from resources import path as resource_path

MARGIN_MM = 16.0
DPI = 96  # of the layout; pictures keep their own pixels
CHART_SCALE = 3  # pixels of a chart per point of its drawing
WIDE_TABLE = 7  # columns from which a page lies
PICTURE_SHARE, ASPECT = 0.5, 16 / 9  # of the height of a page that a picture takes at most
FOOT = 24.0  # pixels left for the page number
PAGE_BREAK = '<p style="page-break-before: always"></p>'
STYLE = """
body { color: #20262d; font-size: 9.5pt; }
h1 { font-size: 17pt; margin-bottom: 2px; }
h2 { font-size: 11.5pt; margin-top: 16px; margin-bottom: 4px; }
.soft { color: #5a6672; }
.small td, .small th { font-size: 7.5pt; }
td, th { border-bottom: 1px solid #dde2e6; }
"""


def write_run_pdf(
    path: Path,
    layers: Sequence[Layer],
    *,
    picture: QImage | None,
    title: str,
    font: QFont,
    program: str,
    languages: Sequence[str] = (),
    feedback: Feedback | None = None,
) -> Path:
    """Write the page; may run beside the main thread.

    Parameters
    ----------
    layers : sequence of Layer
        What the run has made.
    picture : QImage or None
        What the window shows, taken on the main thread.
    title : str
        Name of the project.
    font : QFont
        Of the window: it has Korean letters.
    languages : sequence of str
        Of the pages, one after the other; the one in use when empty.
    """
    feedback = feedback or Feedback()
    feedback.step(0.1, "composing")
    described = {}
    for code in tuple(languages) or (language.code,):
        with language.spoken(code):
            described[code] = run = describe_run(layers, [])
            run["tables"] = _tables(run["tables"], layers)
    lying = any(len(table["heads"]) > WIDE_TABLE for run in described.values() for table in run["tables"])
    _loop = QEventLoop()  # a text document has timers, and those want a dispatcher in the thread of the job
    document = QTextDocument()
    document.setDefaultFont(font)
    document.setDefaultStyleSheet(STYLE)
    _add_pictures(document, picture, described)
    page = page_layout(lying=lying)
    size = page.paintRectPixels(DPI).size()
    picture_width = min(size.width(), round(PICTURE_SHARE * size.height() * ASPECT))
    parts = []
    for code, run in described.items():
        with language.spoken(code):
            parts.append(_html(run, title, program, picture is not None, picture_width))
    document.setHtml(f"<html><body>{PAGE_BREAK.join(parts)}</body></html>")
    document.setPageSize(QSizeF(size.width(), size.height() - FOOT))
    feedback.step(0.5, "writing")
    data = pdf_bytes(document, page, next(iter(described.values()))["title"], feedback)
    write_atomically(path, lambda file: file.write(data))
    feedback.step(1.0, "written")
    return path


def _tables(tables: Sequence[Mapping[str, Any]], layers: Sequence[Layer]) -> list[Mapping[str, Any]]:
    """The tables of the run, and its findings where they lie in the picture only."""
    findings = findings_of(layers)
    told = any(
        layer.kind == "table" and findings is not None and len(layer.table) == len(findings.table) for layer in layers
    )
    more = [table_of(findings)] if findings is not None and not told else []
    return [*tables, *more]


def _html(run: Mapping[str, Any], title: str, program: str, has_picture: bool, width: int) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(resource_path("report/run.html.j2").read_text(encoding="utf-8"))
    words = ("made", "key_figures", "parameters", "assumptions", "issues", "expect", "references", "provenance")
    return template.render(
        run=run,
        language=language.code,
        title=title,
        program=program,
        made=dt.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        t={word: tr(f"report.{word}") for word in words},
        has_picture=has_picture,
        width=width,
    )


def _add_pictures(document: QTextDocument, picture: QImage | None, runs: Mapping[str, Mapping[str, Any]]) -> None:
    kind = QTextDocument.ResourceType.ImageResource
    if picture is not None:
        document.addResource(kind, QUrl("picture:scene"), picture)
    for code, run in runs.items():
        for number, chart in enumerate(run["charts"]):
            document.addResource(kind, QUrl(f"picture:chart-{code}-{number}"), drawn(chart["svg"]))


def drawn(svg: str) -> QImage:
    """A chart as pixels."""
    renderer = QSvgRenderer(QByteArray(svg.encode("utf-8")))
    image = QImage(renderer.defaultSize() * CHART_SCALE, QImage.Format.Format_ARGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    return image


def page_layout(*, lying: bool) -> QPageLayout:
    """A4 with the margins of the program's documents."""
    way = QPageLayout.Orientation.Landscape if lying else QPageLayout.Orientation.Portrait
    margins = QMarginsF(MARGIN_MM, MARGIN_MM, MARGIN_MM, MARGIN_MM)
    return QPageLayout(QPageSize(QPageSize.PageSizeId.A4), way, margins, QPageLayout.Unit.Millimeter)


def pdf_bytes(document: QTextDocument, page: QPageLayout, title: str, feedback: Feedback) -> bytes:
    """The pages of a document as PDF, each with its number; its page size leaves `FOOT` for that."""
    from PySide6.QtCore import QBuffer, QIODevice

    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setResolution(DPI)
    writer.setPageLayout(page)
    writer.setTitle(title)
    writer.setCreator(tr("app.name"))
    painter = QPainter(writer)
    if not painter.isActive():
        raise _not_made()
    height = document.pageSize().height()
    count = document.pageCount()
    for number in range(count):
        feedback.step(0.5 + 0.45 * number / count, f"page {number + 1}")
        if number:
            writer.newPage()
        _paint_page(painter, document, number, height, count)
    painter.end()
    return bytes(buffer.data().data())


def _paint_page(painter: QPainter, document: QTextDocument, number: int, height: float, count: int) -> None:
    width = document.pageSize().width()
    area = QRectF(0.0, number * height, width, height)
    painter.save()
    painter.translate(0.0, -number * height)
    painter.setClipRect(area)
    context = QAbstractTextDocumentLayout.PaintContext()
    context.clip = area
    context.palette.setColor(context.palette.ColorRole.Text, QColor("#20262d"))
    document.documentLayout().draw(painter, context)
    painter.restore()
    painter.setFont(document.defaultFont())
    painter.setPen(QColor("#5a6672"))
    foot = QRectF(0.0, height, width, FOOT)
    painter.drawText(foot, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, f"{number + 1} / {count}")


def _not_made() -> UserError:
    return UserError(
        "The PDF could not be made.",
        "The system's PDF writer did not start.",
        "Export the report as a web page and print it from there.",
        code="pdf.not_made",
    )
