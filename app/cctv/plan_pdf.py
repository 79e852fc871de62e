"""The installation plan as PDF: Qt's text document, with the pages and page numbers of the program's other reports."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QEventLoop, QSizeF, QUrl
from PySide6.QtGui import QFont, QGuiApplication, QImage, QTextDocument

from app.pdf import FOOT, STYLE, page_layout, pdf_bytes
from geo.model import Feedback
from geo.store import write_atomically

FAMILIES = (
    "Noto Sans KR",
    "Noto Sans CJK KR",
    "NanumBarunGothic",
    "NanumGothic",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
)
DPI = 96
PICTURE_SHARE, SQUARE_SHARE = 0.62, 0.36  # of the width of a page that the picture of a view takes
MORE_STYLE = """
h2 { font-size: 13pt; }
h3 { font-size: 10.5pt; margin-top: 10px; margin-bottom: 3px; }
.blank { color: #8a929b; }
.broken { color: #b3261e; }
"""
_kept: list[QGuiApplication] = []


def ready() -> None:
    """Start Qt without a screen where nothing has started it: a PDF needs its letters."""
    if QGuiApplication.instance() is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        _kept.append(QGuiApplication([]))


def korean_font() -> QFont:
    """A font of ordinary size with Korean letters, where the machine has one."""
    font = QFont()
    font.setFamilies([*FAMILIES, font.family()])
    font.setPointSizeF(9.5)
    return font


def write_pdf(
    path: Path,
    html: str,
    pictures: Mapping[str, bytes],
    *,
    title: str,
    font: QFont | None,
    feedback: Feedback,
) -> Path:
    """Lay pages out on A4 and write them; pictures are found as ``picture:<name>``."""
    ready()
    feedback.step(0.9, "composing")
    _loop = QEventLoop()  # a text document has timers, and those want a dispatcher in the thread of the job
    document = QTextDocument()
    document.setDefaultFont(font or korean_font())
    document.setDefaultStyleSheet(STYLE + MORE_STYLE)
    for name, data in pictures.items():
        address = QUrl(f"picture:{name}")
        document.addResource(QTextDocument.ResourceType.ImageResource, address, QImage.fromData(data))
    page = page_layout(lying=False)
    size = page.paintRectPixels(DPI).size()
    widths = {"@width@": 1.0, "@half@": PICTURE_SHARE, "@square@": SQUARE_SHARE}
    for mark, share in widths.items():
        html = html.replace(mark, str(int(size.width() * share)))
    document.setHtml(html)
    document.setPageSize(QSizeF(size.width(), size.height() - FOOT))
    data = pdf_bytes(document, page, title, feedback.part(0.9, 1.0))
    write_atomically(path, lambda file: file.write(data))
    return path
