"""The part of the import form that says which column is which: names offered, what is found shown, rows on demand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QComboBox, QCompleter, QFileDialog, QFormLayout, QLineEdit

from app.appearance import set_icon
from app.language import tr
from app.widgets.param_form import ParamForm
from geo.formats.contract import FileInfo
from geo.formats.register import read_register
from geo.formats.utility_options import PREFIX, UtilityOptions
from geo.formats.vector_join import join_file
from geo.model import UserError
from geo.utility_fields import LINE_ROLES, NODE_ROLES, roles_of

UTILITY = "utility"
MOST_BYTES = 32 << 20  # a larger table to join is not looked into while the form is filled in


def columns_of(info: FileInfo) -> list[str]:
    """Names of the columns of a file, of all its layers, each once."""
    layers = info.details.get("layers")
    if not isinstance(layers, Mapping):
        return []
    found = (entry.get("fields", ()) for entry in layers.values() if isinstance(entry, Mapping))
    return list(dict.fromkeys(str(name) for names in found for name in names))


def is_utility(info: FileInfo) -> bool:
    """Whether any layer of a file was taken for a utility map."""
    layers = info.details.get("layers")
    entries = layers.values() if isinstance(layers, Mapping) else ()
    return any(isinstance(entry, Mapping) and entry.get("taken_for") == UTILITY for entry in entries)


def map_columns(form: ParamForm, info: FileInfo, kind: QComboBox, *, path: Path) -> None:
    """Offer the file's columns where one is to be named, and show the rows for utilities where the file may be one.

    The columns of a table to join are offered as well, once it is named.
    """
    names = columns_of(info)
    _offer(form, names)
    join = form.editors.get("join")
    if isinstance(join, QLineEdit):
        join.textChanged.connect(lambda text: _offer(form, [*names, *_register_columns(text, path)]))
        _add_browse(join, path)
    rows = [name for name in UtilityOptions.model_fields if name in form.editors]
    layout = form.layout()
    if not rows or not isinstance(layout, QFormLayout):
        return

    def show_rows() -> None:
        chosen = kind.currentData()
        wanted = chosen == UTILITY or (chosen is None and is_utility(info))
        for name in rows:
            layout.setRowVisible(form.editors[name], wanted)

    kind.currentIndexChanged.connect(lambda _index: show_rows())
    show_rows()


def _add_browse(join: QLineEdit, path: Path) -> None:
    """A button in the field that looks for the table."""
    browse = join.addAction(QIcon(), QLineEdit.ActionPosition.TrailingPosition)
    browse.setToolTip(tr("import.browse_register"))
    set_icon(browse, "open")

    def ask() -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            join.window(), tr("import.browse_register"), str(path.parent), "CSV, TSV, XLSX (*.csv *.tsv *.txt *.xlsx)"
        )
        if chosen:
            file = Path(chosen)
            join.setText(file.name if file.parent == path.parent else chosen)

    browse.triggered.connect(ask)


def _register_columns(name: str, path: Path) -> list[str]:
    """Columns of the table to join; none while it is not there or cannot be read, which the import will say."""
    file = join_file(name.strip(), path)
    if not name.strip() or not file.is_file() or file.stat().st_size > MOST_BYTES:
        return []
    try:
        return list(read_register(file).columns)
    except UserError:
        return []


def _offer(form: ParamForm, names: list[str]) -> None:
    """Completion with the names, and grey in each field the one that is found without help."""
    found = {role: item.name for roles in (NODE_ROLES, LINE_ROLES) for role, item in roles_of(names, roles, {}).items()}
    for name, editor in form.editors.items():
        role = name.removeprefix(PREFIX)
        if not isinstance(editor, QLineEdit) or not (role != name or name.endswith("_column") or name == "join_key"):
            continue
        completer = QCompleter(names, editor)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        editor.setCompleter(completer)
        editor.setPlaceholderText(found.get(role, "") if role != name else "")
