"""Model signals a widget listens to, so that it can stop before it is closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psygnal import SignalInstance


class Connections:
    """Remembers connections to model signals. A widget that Qt has deleted must not be called any more."""

    def __init__(self) -> None:
        self._kept: list[tuple[SignalInstance, Callable[..., Any]]] = []

    def add(self, signal: SignalInstance, slot: Callable[..., Any]) -> None:
        """Connect and remember."""
        signal.connect(slot)
        self._kept.append((signal, slot))

    def close(self) -> None:
        """Disconnect everything."""
        for signal, slot in self._kept:
            signal.disconnect(slot, missing_ok=True)
        self._kept.clear()
