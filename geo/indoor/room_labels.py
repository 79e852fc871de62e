"""What a room is called: its number and its name."""

from __future__ import annotations

import re

FIGURES = re.compile(r"\d+")


def room_label(number: str, name: str) -> str:
    """Number and name of a room; the name alone where it says the number already.

    Examples
    --------
    >>> room_label("101", "Office"), room_label("705-1", "Unit 705, living room")
    ('101 Office', 'Unit 705, living room')
    """
    said = {*FIGURES.findall(name), *name.split(), name}
    main = FIGURES.match(number)
    if name and (number in said or (main is not None and len(main.group()) > 1 and main.group() in said)):
        return name
    return f"{number} {name}".strip()
