"""The actions of styles: for the menu of layers, the search box and the list of layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.action_spec import ActionSpec

if TYPE_CHECKING:
    from app.main_window import MainWindow


def _has_legend(window: MainWindow) -> bool:
    return window.layers.styles.target() is not None


def _has_layer(window: MainWindow) -> bool:
    return window.layers.current_layer() is not None


def _is_labelled(window: MainWindow) -> bool:
    layer = window.layers.current_layer()
    return layer is not None and layer.style.labelled


STYLE_ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("edit_legend", lambda w: w.layers.styles.edit_legend(), enabled=_has_legend),
    ActionSpec("copy_style", lambda w: w.layers.styles.copy_style(), icon="copy", enabled=_has_layer),
    ActionSpec("paste_style", lambda w: w.layers.styles.paste_style(), enabled=_has_layer),
    ActionSpec("save_style", lambda w: w.layers.styles.ask_save(), enabled=_has_layer),
    ActionSpec("load_style", lambda w: w.layers.styles.ask_load(), enabled=_has_layer),
    ActionSpec("label_layer", lambda w: w.layers.styles.toggle_labels(), enabled=_has_layer, checked=_is_labelled),
)
STYLE_ENTRIES = ("edit_legend", "label_layer", None, "copy_style", "paste_style", "save_style", "load_style")
