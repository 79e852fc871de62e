"""The part of the import form that says which column is which: names offered, what is found shown, rows on demand."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QCompleter, QFormLayout, QLineEdit

from app.widgets.param_form import ParamForm
from geo.formats.contract import FileInfo
from geo.formats.utility_options import PREFIX, UtilityOptions
from geo.utility_fields import LINE_ROLES, NODE_ROLES, roles_of

UTILITY = "utility"


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


def map_columns(form: ParamForm, info: FileInfo, kind: QComboBox) -> None:
    """Offer the file's columns where one is to be named, and show the rows for utilities where the file may be one."""
    names = columns_of(info)
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
