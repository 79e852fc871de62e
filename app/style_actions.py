"""What is done with the style of a layer as a whole: edit its legend, copy, paste, save and load it, label it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from app.commands import SetStyle, Together
from app.language import tr
from app.names import layer_title
from app.style_edit import brought_to, lacking
from app.view.legend import legend_for
from app.words import field_name
from geo.model import Layer, Style, UserError

if TYPE_CHECKING:
    from app.legend_editor import LegendEditor
    from app.panels.layers import LayersPanel

LABEL_COLUMNS = ("name", "Name", "NAME", "이름", "건물명", "address", "use")  # what people read first


class StyleActions:
    """Asks and does it for the layer that is chosen in the list."""

    def __init__(self, panel: LayersPanel) -> None:
        self.panel = panel
        self.editor: LegendEditor | None = None

    # ---- the legend

    def target(self) -> Layer | None:
        """The layer whose legend would be edited: the chosen one, else the one whose legend is in the picture."""
        chosen = self.panel.current_layer()
        if chosen is not None:
            return chosen if chosen.kind != "table" else None
        legend = legend_for(self.panel.document.scene)
        return self.panel.document.scene.get(legend.layer_id) if legend is not None else None

    def edit_legend(self, layer_id: str = "") -> None:
        """Open the dialog."""
        from app.legend_editor import LegendEditor
        from app.panels.layers import colour_choices, field_title

        layer = self.panel.document.scene.get(layer_id) if layer_id else self.target()
        if layer is None or self.editor is not None:
            return
        choices = [(field_title(layer, name), name) for name in colour_choices(layer)]
        self.editor = LegendEditor(self.panel.document, layer, choices=choices, parent=self.panel.window())
        self.editor.finished.connect(self._forget_editor)
        self.editor.open_beside(self.panel.window())

    def _forget_editor(self, _code: int) -> None:
        self.editor = None

    # ---- copies

    def copy_style(self) -> None:
        """Put the style of the chosen layer on the clipboard, as text."""
        from app.style_file import style_text

        layer = self.panel.current_layer()
        if layer is not None:
            QApplication.clipboard().setText(style_text(layer.style))
            self.panel.bench.notices.tell("notice.style_copied", name=layer_title(layer))

    def paste_style(self) -> None:
        """Give the style on the clipboard to all chosen layers, as one step."""
        from app.style_file import read_style

        try:
            style = read_style(QApplication.clipboard().text(), name=tr("style.clipboard"))
        except UserError as error:
            self.panel.bench.notices.report(error)
            return
        self.give(style)

    def give(self, style: Style) -> None:
        """Give a style to all chosen layers, and say which attributes they do not have."""
        scene = self.panel.document.scene
        ids = self.panel.document.selection.by_layer
        layers = [layer for layer_id in ids if (layer := scene.get(layer_id)) is not None]
        steps = [SetStyle(layer.id, brought_to(style, layer), "paste_style") for layer in layers]
        changes = [step for step, layer in zip(steps, layers, strict=True) if step.style != layer.style]
        if changes:
            self.panel.document.do(changes[0] if len(changes) == 1 else Together(tuple(changes), "paste_style"))
        for layer in layers:
            names = ", ".join(field_name(name) for name in lacking(style, layer))
            if names:
                notices = self.panel.bench.notices
                notices.tell("notice.style_lacks", severity="doubt", name=layer_title(layer), attributes=names)

    # ---- files

    def ask_save(self) -> None:
        """Ask for a name and write the style there."""
        from app.style_file import SUFFIX, save_style

        layer = self.panel.current_layer()
        if layer is None:
            return
        settings = self.panel.bench.settings
        wish = settings.folder / f"{layer_title(layer).replace('/', '-')}{SUFFIX}"
        kinds = f"{tr('style.files')} (*{SUFFIX})"
        chosen, _ = QFileDialog.getSaveFileName(self.panel, tr("action.save_style"), str(wish), kinds)
        if chosen:
            path = Path(chosen)
            path = path if path.suffix else path.with_suffix(SUFFIX)
            settings.folder = path.parent
            try:
                save_style(path, layer.style)
            except UserError as error:
                self.panel.bench.notices.report(error)
                return
            self.panel.bench.notices.tell("notice.style_saved", name=path.name)

    def ask_load(self) -> None:
        """Ask for a file and give its style to the chosen layers."""
        from app.style_file import SUFFIX, load_style

        settings = self.panel.bench.settings
        kinds = f"{tr('style.files')} (*{SUFFIX} *.json)"
        chosen, _ = QFileDialog.getOpenFileName(self.panel, tr("action.load_style"), str(settings.folder), kinds)
        if chosen:
            settings.folder = Path(chosen).parent
            try:
                style = load_style(Path(chosen))
            except UserError as error:
                self.panel.bench.notices.report(error)
                return
            self.give(style)

    # ---- labels

    def toggle_labels(self) -> None:
        """Write the attribute beside the elements of the chosen layer, or no longer."""
        layer = self.panel.current_layer()
        if layer is not None:
            name = layer.style.label_by or usual_label(layer)
            style = dataclasses.replace(layer.style, labelled=not layer.style.labelled, label_by=name)
            self.panel.document.do(SetStyle(layer.id, style, "set_labels"))

    def add_to_menu(self, menu: QMenu) -> None:
        """Entries for the menu of a layer."""
        layer = self.panel.current_layer()
        if layer is None or layer.kind == "table":
            return
        menu.addSeparator()
        menu.addAction(tr("action.edit_legend")).triggered.connect(lambda: self.edit_legend(layer.id))
        labels = menu.addAction(tr("action.label_layer"))
        labels.setCheckable(True)
        labels.setChecked(layer.style.labelled)
        labels.triggered.connect(self.toggle_labels)
        menu.addAction(tr("action.copy_style")).triggered.connect(self.copy_style)
        menu.addAction(tr("action.paste_style")).triggered.connect(self.paste_style)
        menu.addAction(tr("action.save_style")).triggered.connect(self.ask_save)
        menu.addAction(tr("action.load_style")).triggered.connect(self.ask_load)


def usual_label(layer: Layer) -> str:
    """The column that names the elements of a layer, else its first one; the id where it has none."""
    columns = layer.table.columns
    return next((name for name in LABEL_COLUMNS if name in columns), next(iter(columns), "id"))
