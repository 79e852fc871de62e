"""The line above the table: which layer, which rows, and what to do with them."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QMenu, QToolButton

from app.panels.panel import small_button
from app.widgets.wording import say

BUTTONS = (
    ("table.select", "select"),
    ("table.zoom", "zoom"),
    ("table.only", "only"),
    ("table.show_all", "eye"),
    ("table.copy", "copy"),
    ("table.statistics", "sum"),
    ("table.export", "export"),
)
SCOPES = (
    ("table.export_all", "all"),
    ("table.export_filtered", "filtered"),
    ("table.export_selected", "selected"),
)


class TableBar(QHBoxLayout):
    """The widgets of the line.

    Signals
    -------
    export_asked(scope)
        Write the rows ``"all"``, ``"filtered"`` or ``"selected"``.
    """

    export_asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setContentsMargins(8, 0, 4, 0)
        self.setSpacing(4)
        self.layer_box = say(QComboBox(), tip="table.layer")
        self.layer_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.layer_box.setMinimumContentsLength(14)
        self.filter_line = say(QLineEdit(), "table.filter", tip="table.filter.tip")
        self.filter_line.setClearButtonEnabled(True)
        self.count_label = QLabel()
        self.count_label.setObjectName("soft")
        self.addWidget(self.layer_box)
        self.addWidget(self.filter_line, 1)
        self.addWidget(self.count_label)
        self.buttons: dict[str, QToolButton] = {}
        for name, icon_name in BUTTONS:
            self.buttons[name] = small_button(icon_name, name)
            self.addWidget(self.buttons[name])
        self.buttons["table.statistics"].setCheckable(True)
        self._make_export_menu(self.buttons["table.export"])

    def _make_export_menu(self, button: QToolButton) -> None:
        menu = QMenu(button)
        for text_id, scope in SCOPES:
            action = say(menu.addAction(""), text_id)
            action.triggered.connect(lambda _checked=False, s=scope: self.export_asked.emit(s))
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
