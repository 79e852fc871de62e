"""What an import will bring, before it is done: format, place, counts, doubts, and the questions to answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from analysis.contract import ParamInfo
from app.appearance import colours
from app.catalog import detect
from app.crs_choice import Candidate, candidates, map_extent
from app.doctor_box import DoctorBox, boxes_for
from app.import_place import check_plausible
from app.import_requests import ImportRequest
from app.importer import ImportOptions, diagnose
from app.language import error_texts, issue_text, tr
from app.panels.panel import scrolled
from app.register_pairs import join_value, register_lines, with_registers
from app.theme import Theme
from app.widgets.column_mapping import map_columns
from app.widgets.extent_sketch import ExtentSketch, Rectangle, length_text
from app.widgets.param_form import ParamForm
from app.widgets.wording import say
from app.words import datum_name
from geo.crs import canonical, title
from geo.doctor import Finding
from geo.formats.contract import FileInfo, Format
from geo.formats.register_pairs import Pair
from geo.model import Cancelled, Feedback, Frame, Layer, UserError
from geo.model.layer import THEMES

ISSUES_SHOWN = 12
ROW_HEIGHT = 28
COUNTS_SHOWN = 12
COMPARED_BYTES = 64 << 20  # larger files are compared with the project only when they are imported
BAR_WIDTH, WIDEST_PAGE = 20, 760  # pixels of the bar that scrolls, and of a page on a small screen


@dataclass(frozen=True)
class Examined:
    """A file as far as it can be known without reading it. `error` when it cannot be imported at all.

    `register` is the table that belongs to a utility map, `register_of` names the maps of a table.
    """

    path: Path
    format: Format | None
    info: FileInfo | None
    candidates: tuple[Candidate, ...]
    extent: Rectangle | None
    error: UserError | None = None
    findings: tuple[Finding, ...] = ()
    register: Pair | None = None
    register_of: tuple[str, ...] = ()

    @property
    def needs_crs(self) -> bool:
        """Whether the user must say where on Earth it lies."""
        return (
            self.info is not None
            and self.info.crs is None
            and self.info.bounds is not None
            and not self.info.place_is_weak
        )


def examine_all(
    paths: Sequence[Path], frame: Frame | None, feedback: Feedback, layers: Sequence[Layer] = ()
) -> list[Examined]:
    """Look at files in a job. A file that cannot be read is reported in its place; the others go on.

    layers : sequence of Layer
        What the project holds, to compare the files with.
    """
    found = []
    for number, path in enumerate(paths):
        part = feedback.part(number / len(paths), (number + 1) / len(paths))
        part.step(0.0, path.name)
        found.append(_examine_one(path, frame, layers, part))
    return with_registers(found, feedback)


def _examine_one(path: Path, frame: Frame | None, layers: Sequence[Layer], feedback: Feedback) -> Examined:
    candidate = None
    try:
        candidate = detect(path)
        closely = not candidate.isolate and path.stat().st_size <= COMPARED_BYTES
        info, findings = diagnose(
            path, frame=frame, layers=layers, candidate=candidate, closely=closely, feedback=feedback
        )
        extent = None
        if info.crs is not None and info.bounds is not None:
            if not any(finding.repair is not None for finding in findings):
                check_plausible(info, info.crs, path, findings)
            extent = map_extent(info.bounds, info.crs, frame)
    except Cancelled:
        raise
    except UserError as error:
        return Examined(path, candidate, None, (), None, error)
    return Examined(path, candidate, info, tuple(candidates(info.bounds, frame)), extent, findings=tuple(findings))


def option_infos(options: type[Any] | None) -> list[ParamInfo]:
    """The options of a format as a form needs them."""
    return [_option_info(name, info) for name, info in options.model_fields.items()] if options is not None else []


def _option_info(name: str, info: Any) -> ParamInfo:
    annotation = info.annotation
    if get_origin(annotation) in (Union, UnionType):
        annotation = next((a for a in get_args(annotation) if a is not type(None)), str)
    literal = get_origin(annotation) is Literal
    options = tuple(str(a) for a in get_args(annotation)) if literal else ()
    optional = info.default is None
    number = annotation in (int, float) and not optional
    return ParamInfo(
        name=name,
        title=info.title or name.replace("_", " "),
        help=info.description or "",
        unit="",
        sort="switch" if annotation is bool else "number" if number else "choice",
        default=", ".join(map(str, info.default)) if isinstance(info.default, tuple) else info.default,
        annotation=annotation,
        low=next((m.ge for m in info.metadata if hasattr(m, "ge")), None),
        high=next((m.le for m in info.metadata if hasattr(m, "le")), None),
        options=options,
    )


class FilePage(QWidget):
    """All about one file, and what the user says about it."""

    def __init__(self, examined: Examined, frame: Frame | None, project: Rectangle | None, theme: Theme) -> None:
        super().__init__()
        self.examined = examined
        self._frame = frame
        self.crs_box: QComboBox | None = None
        self.kind_box = QComboBox()
        self.options_form: ParamForm | None = None
        self.doctor: list[DoctorBox] = []
        self.crs_error = QLabel()
        self.crs_error.setObjectName("field_error")
        self.crs_error.setWordWrap(True)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(12, 0, 8, 0)
        heading = QLabel(examined.path.name)
        heading.setObjectName("title")
        heading.setWordWrap(True)
        self._layout.addWidget(heading)
        if examined.register_of:
            self._add_list("import.register", [tr("import.register_of", names=", ".join(examined.register_of))])
        elif examined.error is not None or examined.info is None or examined.format is None:
            self._show_error(examined.error)
        else:
            self._show_info(examined.info, examined.format, project, theme)
        self._layout.addStretch(1)

    def _show_error(self, error: UserError | None) -> None:
        for text in error_texts(error) if error is not None else ():
            label = QLabel(text)
            label.setWordWrap(True)
            self._layout.addWidget(label)

    def _show_info(self, info: FileInfo, found: Format, project: Rectangle | None, theme: Theme) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(12)
        form.addRow(say(QLabel(), "import.format"), QLabel(_format_text(info, found)))
        form.addRow(say(QLabel(), "import.crs"), self._crs_widget(info))
        form.addRow("", self.crs_error)
        self.crs_error.setVisible(False)
        form.addRow(say(QLabel(), "import.vertical"), QLabel(datum_name(info.vertical)))
        self._fill_kinds()
        form.addRow(say(QLabel(), "import.kind"), self.kind_box)
        self._layout.addLayout(form)
        self.sketch = ExtentSketch(theme)
        self.sketch.show_extents(project, self.examined.extent)
        self._layout.addWidget(self.sketch)
        self._add_doctor()
        self._add_list(
            "import.counts", [f"{tr(f'import.count.{name}', name)}: {count:,}" for name, count in _most(info)]
        )
        self._add_list("import.register", register_lines(self.examined))
        self._add_list(
            "import.issues",
            [f"{tr(f'severity.{i.severity}')}: {issue_text(i)}" for i in info.issues[:ISSUES_SHOWN]],
        )
        infos = option_infos(found.options)
        if infos:
            self._add_heading("import.options")
            self.options_form = ParamForm(f"format.{found.id}", infos)
            map_columns(self.options_form, info, self.kind_box, path=self.examined.path)
            self.options_form.set_values({"join": join_value(self.examined)})
            self._layout.addWidget(self.options_form)

    def _add_doctor(self) -> None:
        """What the doctor found, with its repairs."""
        if not self.examined.findings:
            return
        self._add_heading("doctor.heading")
        self.doctor = boxes_for(self.examined.findings)
        for box in self.doctor:
            box.chosen.connect(self._on_repair)
            self._layout.addWidget(box)

    def _on_repair(self) -> None:
        """Draw where the file would lie with the repairs chosen, and where it lies without."""
        info = self.examined.info
        repair = next((box.repair for box in self.doctor if box.repair is not None and box.repair.crs), None)
        if repair is None or repair.crs is None or info is None or info.bounds is None:
            self.sketch.show_file(self.examined.extent)
            return
        if self.crs_box is not None:
            self.crs_box.setEditText("")
        self.crs_error.setVisible(False)
        self.sketch.show_file(map_extent(info.bounds, repair.crs, self._frame), before=self.examined.extent)

    @property
    def repairs(self) -> tuple[str, ...]:
        """Names of the repairs chosen."""
        return tuple(box.repair.name for box in self.doctor if box.repair is not None)

    def _crs_widget(self, info: FileInfo) -> QWidget:
        if info.crs is not None:
            label = QLabel(f"{info.crs[:40]} · {title(info.crs)}")
            label.setWordWrap(True)
            return label
        box = QComboBox()
        box.setEditable(True)
        box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        box.setMinimumContentsLength(24)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for item in self.examined.candidates:
            box.addItem(_candidate_text(item), item.code)
        box.setCurrentIndex(-1)
        say(box.lineEdit(), "import.choose_crs")
        box.currentIndexChanged.connect(self._on_crs)
        box.editTextChanged.connect(self._on_crs)
        self.crs_box = box
        return box

    def _on_crs(self, _value: object) -> None:
        """Draw where the file would lie in the system chosen."""
        code, info = self.crs, self.examined.info
        if code is None or info is None or info.bounds is None:
            return
        for box in self.doctor:
            box.clear()
        try:
            check_plausible(info, code, self.examined.path)
        except UserError as error:
            self.crs_error.setText(" ".join(error_texts(error)[:2]))
            self.crs_error.setVisible(True)
            return
        self.crs_error.setVisible(False)
        self.sketch.show_file(map_extent(info.bounds, code, self._frame))

    @property
    def crs(self) -> str | None:
        """The system the user chose or typed, None when nothing valid."""
        if self.crs_box is None:
            return None
        text = self.crs_box.currentText().strip()
        index = self.crs_box.findText(text)
        code = str(self.crs_box.itemData(index)) if index >= 0 else text
        if not code:
            return None
        try:
            return canonical(code if ":" in code else f"EPSG:{code}")
        except UserError:
            return None

    def _fill_kinds(self) -> None:
        self.kind_box.addItem(tr("import.kind_auto"), None)
        for theme in THEMES:
            if theme not in ("result", "sensor", "camera", "emission", "purifier"):
                self.kind_box.addItem(tr(f"theme.{theme}"), theme)

    def _add_heading(self, text_id: str) -> None:
        label = say(QLabel(), text_id)
        label.setObjectName("section")
        self._layout.addWidget(label)

    def _add_list(self, text_id: str, lines: list[str]) -> None:
        if lines:
            self._add_heading(text_id)
            label = QLabel("\n".join(lines))
            label.setWordWrap(True)
            self._layout.addWidget(label)

    @property
    def is_ready(self) -> bool:
        """Whether it can be imported as it is."""
        if self.examined.register_of:
            return True
        if self.examined.error is not None:
            return False
        if any(box.must_choose and box.repair is None for box in self.doctor):
            return self.crs is not None
        return not self.examined.needs_crs or self.crs is not None or bool(self.repairs)

    @property
    def is_importable(self) -> bool:
        """Whether it brings layers of its own."""
        return self.examined.error is None and not self.examined.register_of

    def request(self) -> ImportRequest:
        """What to import and how."""
        form = self.options_form
        defaults = {info.name: info.default for info in option_infos(_options_of(self.examined))}
        own = form.values() if form is not None else {}
        changed = {name: value for name, value in own.items() if value != defaults[name] and value != ""}
        return ImportRequest(
            self.examined.path,
            ImportOptions(kind=self.kind_box.currentData(), crs=self.crs, own=changed, repairs=self.repairs),
        )


def _options_of(examined: Examined) -> type[Any] | None:
    return examined.format.options if examined.format is not None else None


def _most(info: FileInfo) -> list[tuple[str, int]]:
    return sorted(info.counts.items(), key=lambda pair: -pair[1])[:COUNTS_SHOWN]


def _format_text(info: FileInfo, found: Format) -> str:
    return f"{tr(f'format.{found.id}.title', found.title)} {info.version}".strip()


def _candidate_text(item: Candidate) -> str:
    text = f"{item.code} · {item.name}"
    if item.distance is not None:
        return f"{text} · {tr('import.away', distance=length_text(item.distance))}"
    return text if item.plausible else f"{text} · {tr('import.unlikely')}"


class ImportDialog(QDialog):
    """The files on the left, the chosen one on the right. `requests` once it was accepted."""

    def __init__(
        self,
        examined: Sequence[Examined],
        *,
        frame: Frame | None,
        project: Rectangle | None,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        say(self, "import.title")
        self.resize(760, 560)
        self.pages = [FilePage(item, frame, project, theme) for item in examined]
        self.list = QListWidget()
        self.list.setFixedWidth(230)
        self._right = QVBoxLayout()
        for page in self.pages:
            self._add_row(page, theme)
            if page.crs_box is not None:
                page.crs_box.currentTextChanged.connect(self._refresh)
            for box in page.doctor:
                box.chosen.connect(self._refresh)
        self._areas = [scrolled(page) for page in self.pages]
        for page, area in zip(self.pages, self._areas, strict=True):
            area.setMinimumWidth(min(page.minimumSizeHint().width() + BAR_WIDTH, WIDEST_PAGE))
            self._right.addWidget(area)
        self.list.currentRowChanged.connect(self._show)
        self.list.itemChanged.connect(self._refresh)
        self.hint = QLabel()
        self.hint.setObjectName("badge")
        self.hint.setWordWrap(True)
        cancel = say(QPushButton(), "dialog.cancel")
        cancel.setAutoDefault(False)
        cancel.clicked.connect(self.reject)
        self.import_button = QPushButton()
        self.import_button.setObjectName("primary")
        self.import_button.setDefault(True)
        self.import_button.clicked.connect(self.accept)
        body = QHBoxLayout()
        body.addWidget(self.list)
        body.addLayout(self._right, 1)
        self.together_box = say(QCheckBox(), "import.together", tip="import.together.tip")
        self.together_box.setVisible(len(self.pages) > 1)
        bottom = QHBoxLayout()
        bottom.addWidget(self.hint, 1)
        bottom.addStretch(0)
        bottom.addWidget(cancel)
        bottom.addWidget(self.import_button)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(body, 1)
        layout.addWidget(self.together_box)
        layout.addLayout(bottom)
        self.list.setCurrentRow(self._first_question())
        self._refresh()

    def _add_row(self, page: FilePage, theme: Theme) -> None:
        item = QListWidgetItem(page.examined.path.name, self.list)
        item.setSizeHint(QSize(0, ROW_HEIGHT))
        item.setToolTip(str(page.examined.path))
        joined = bool(page.examined.register_of)
        broken = page.examined.error is not None
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        item.setFlags(flags if broken or joined else flags | Qt.ItemFlag.ItemIsUserCheckable)
        if joined:
            item.setText(f"{page.examined.path.name} — {tr('import.register')}")
        elif broken:
            item.setText(f"{page.examined.path.name} — {tr('import.cannot')}")
            item.setForeground(QColor(colours(theme)["danger"]))
        else:
            item.setCheckState(Qt.CheckState.Checked)

    def _first_question(self) -> int:
        waiting = [n for n, page in enumerate(self.pages) if not page.is_ready]
        return waiting[0] if waiting else 0

    def _show(self, row: int) -> None:
        for number, area in enumerate(self._areas):
            area.setVisible(number == row)

    def _chosen(self) -> list[FilePage]:
        return [
            page
            for number, page in enumerate(self.pages)
            if page.is_importable and self.list.item(number).checkState() == Qt.CheckState.Checked
        ]

    def _refresh(self, _value: object = None) -> None:
        chosen = self._chosen()
        waiting = [page for page in chosen if not page.is_ready]
        self.import_button.setText(tr("import.do", count=len(chosen)))
        self.import_button.setEnabled(bool(chosen) and not waiting)
        names = ", ".join(page.examined.path.name for page in waiting)
        asks = "doctor.choose" if any(page.examined.findings for page in waiting) else "import.needs_crs"
        self.hint.setText(tr(asks, names=names) if waiting else "")
        self.hint.setVisible(bool(waiting))

    @property
    def together(self) -> bool:
        """Whether one file that cannot be read shall stop the others."""
        return bool(self.together_box.isChecked())

    @property
    def requests(self) -> list[ImportRequest]:
        """What to import."""
        return [page.request() for page in self._chosen()]
