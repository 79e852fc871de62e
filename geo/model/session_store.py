"""SessionStore: what runs of one session leave for later ones, within a limit of memory."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class _Entry:
    value: Any
    size: int


class SessionStore:
    """Values by key; the least recently used go when there is no room. Any thread may use it.

    Nothing in it is ever saved: a run that finds nothing here does the whole work.

    Parameters
    ----------
    room : int
        Bytes that all values together may have, as their owners count them.

    Examples
    --------
    >>> store = SessionStore(room=100)
    >>> store.put("a", 1, size=60), store.put("b", 2, size=60), store.get("a")
    (True, True, None)
    """

    def __init__(self, room: int = 1 << 30) -> None:
        self._room = room
        self._entries: dict[Hashable, _Entry] = {}
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes of all values."""
        with self._lock:
            return sum(entry.size for entry in self._entries.values())

    def get(self, key: Hashable) -> Any:
        """The value of a key, or None; it counts as used."""
        with self._lock:
            entry = self._entries.pop(key, None)
            if entry is None:
                return None
            self._entries[key] = entry
            return entry.value

    def put(self, key: Hashable, value: Any, *, size: int) -> bool:
        """Keep a value in place of an earlier one of its key; False where it is larger than the room."""
        with self._lock:
            self._entries.pop(key, None)
            if size > self._room:
                return False
            while self._entries and sum(entry.size for entry in self._entries.values()) + size > self._room:
                del self._entries[next(iter(self._entries))]
            self._entries[key] = _Entry(value, size)
            return True

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
