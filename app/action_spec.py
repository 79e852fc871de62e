"""One row of the table of what a user can ask the window to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.main_window import MainWindow

Act = Callable[["MainWindow"], None]
Ask = Callable[["MainWindow"], bool]


def always(_window: MainWindow) -> bool:
    """Whatever the window shows."""
    return True


@dataclass(frozen=True)
class ActionSpec:
    """One thing to ask for. Its title is the text ``action.<id>``."""

    id: str
    run: Act
    icon: str = ""
    shortcut: str = ""
    enabled: Ask = always
    checked: Ask | None = None
