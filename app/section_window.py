"""A window with the drawing of a vertical cut, to look at and to save as SVG or PDF."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QByteArray, QMarginsF, QRectF, QSizeF, Qt
from PySide6.QtGui import QPageSize, QPainter, QPdfWriter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtSvgWidgets import QSvgWidget
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.export import write_text
from app.language import tr
from app.widgets.wording import say
from geo.model import UserError

SIZE = (1040, 680)
PIXELS_PER_MM = 3.4
PDF_DOTS = 600  # per inch


class SectionWindow(QDialog):
    """The drawing of a section.

    Parameters
    ----------
    svg : str
        What `app.section_svg.section_svg` made.
    report_error : callable
        Told what kept a drawing from being written.
    """

    def __init__(
        self,
        svg: str,
        *,
        title: str,
        report_error: Callable[[BaseException], None],
        note: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setModal(False)
        self.resize(*SIZE)
        self.svg, self._report = svg, report_error
        self.drawing = QSvgWidget()
        self.drawing.load(QByteArray(svg.encode()))
        size = self.drawing.renderer().viewBoxF().size() * PIXELS_PER_MM
        self.drawing.setFixedSize(size.toSize())
        area = QScrollArea()
        area.setWidget(self.drawing)
        area.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.save_button = say(QPushButton(), "section_drawing.save")
        self.save_button.clicked.connect(self._ask_save)
        close = say(QPushButton(), "section_drawing.close")
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addWidget(QLabel(note), 1)
        row.addWidget(self.save_button)
        row.addWidget(close)
        layout = QVBoxLayout(self)
        layout.addWidget(area, 1)
        layout.addLayout(row)

    def _ask_save(self) -> None:
        name, chosen = QFileDialog.getSaveFileName(
            self, self.save_button.text(), f"{tr('section_drawing.file')}.svg", "SVG (*.svg);;PDF (*.pdf)"
        )
        if name:
            path = Path(name)
            self.save_drawing(path if path.suffix else path.with_suffix(".pdf" if "pdf" in chosen else ".svg"))

    def save_drawing(self, path: Path) -> None:
        """Write the drawing; a name that ends in .pdf makes a page of its true size."""
        try:
            if path.suffix.lower() == ".pdf":
                write_pdf(path, self.svg)
            else:
                write_text(path, self.svg)
        except (OSError, UserError) as error:
            self._report(error)


def write_pdf(path: Path, svg: str) -> None:
    """An SVG drawing measured in millimetres as a page of a PDF file at its true size."""
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    size = renderer.viewBoxF().size()
    writer = QPdfWriter(str(path))
    writer.setResolution(PDF_DOTS)
    writer.setPageSize(QPageSize(QSizeF(size), QPageSize.Unit.Millimeter))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    painter = QPainter()
    if not painter.begin(writer):
        raise UserError(
            "The drawing was not saved.",
            f"{path} cannot be written.",
            "Choose another folder or name.",
            code="section.not_written",
            values={"path": str(path)},
        )
    renderer.render(painter, QRectF(0, 0, writer.width(), writer.height()))
    painter.end()
