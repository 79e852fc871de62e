"""What a user can ask for about new masses besides drawing and moving them: rows of the table of actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.action_spec import ActionSpec

if TYPE_CHECKING:
    from app.main_window import MainWindow


def _can_copy(window: MainWindow) -> bool:
    return window.masses.active or window.masses.target() is not None


def _can_edit(window: MainWindow) -> bool:
    return window.masses.own_mass() is not None


MASSING_ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("mass_copy", lambda w: w.masses.copy(), "", "Ctrl+D", _can_copy),
    ActionSpec("mass_edit", lambda w: w.masses.edit(), "rename", "Shift+F2", _can_edit),
)
MASSING_ENTRIES = ("mass_copy", "mass_edit")
