"""The switch of the hatching of a map, for menus."""

from __future__ import annotations

import dataclasses

from PySide6.QtWidgets import QMenu

from app.commands import SetStyle
from app.document import Document
from app.language import tr
from app.names import layer_title
from app.view.hatch import trust_field
from geo.model import Layer


def add_hatch_switch(menu: QMenu, document: Document, layer: Layer, *, named: bool = False) -> None:
    """An entry that hatches a map where it is to be trusted less; nothing for layers that do not say so.

    named : bool
        Whether the entry names the layer: where the menu is not of one layer.
    """
    if trust_field(layer) is None:
        return

    def switch(on: bool) -> None:
        now = document.scene.get(layer.id)
        if now is not None:
            document.do(SetStyle(now.id, dataclasses.replace(now.style, hatched=on), "set_style"))

    text = tr("hatch.switch")
    entry = menu.addAction(f"{text}: {layer_title(layer)}" if named else text)
    entry.setCheckable(True)
    entry.setChecked(layer.style.hatched)
    entry.triggered.connect(switch)
