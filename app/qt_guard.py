"""Guards against a fault of PySide6 that would abort the program."""

from __future__ import annotations

import ctypes
import sys

EXTRA_REFERENCES = 1 << 40
_done = False


def keep_none_alive() -> None:
    """Give ``None``, ``True`` and ``False`` more references than PySide6 can lose.

    PySide6 6.12 releases one reference of ``None`` too many whenever a value that does not exist comes back from Qt
    (``QObject.property``, ``QComboBox.itemData``: measured as exactly one a call on Python 3.11). After some thousand
    calls the interpreter ends with "deallocating None"; the same was seen of ``True`` and ``False`` at the end of a
    long session. From Python 3.12 on they are immortal and nothing is done.
    """
    global _done
    if _done or sys.version_info >= (3, 12) or sys.implementation.name != "cpython":
        return
    for constant in (None, True, False):
        count = ctypes.c_ssize_t.from_address(id(constant))
        # A debug build keeps the count elsewhere: only write where the count really is.
        if abs(count.value - sys.getrefcount(constant)) < 16:
            count.value += EXTRA_REFERENCES
            _done = True
