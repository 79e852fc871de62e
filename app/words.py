"""Headless. Names of fields and columns, and the classes and codes in them, in the user's language."""

from __future__ import annotations

import re

from app.language import GROUPS, tr, word_of

# Endings that a comparison gives to the names of what it compares.
ENDINGS = ("_difference", "_change", "_before", "_after")
ARROW = " → "
INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d{4}")  # name of a map of shadows: its classes are those of any instant
NUMBER = re.compile(r"\d+(?:\.\d+)?")
COUNTED = re.compile(r"\d+/\d+")  # before what is said of one of several files
FROM = "from_"  # a column of what comes from a group of sources
TEXT_IDS = "figure"  # a column of this name holds ids of texts


def field_name(name: str, default: str = "") -> str:
    """Title of a field or column: what the translations say, else `default`, else the name itself in words."""
    found = tr(f"field.{name}", "")
    if found:
        return found
    if name.startswith(FROM) and not default:
        return tr("field.from_group", group=word_of(name.removeprefix(FROM), GROUPS).replace("_", " "))
    for ending in ENDINGS:
        base = name.removesuffix(ending)
        if base != name:
            return f"{field_name(base)} ({tr(f'field_ending{ending}')})"
    return default or name.replace("_", " ")


def column_name(theme: str, name: str, default: str = "") -> str:
    """Title of a column of a layer: the same name may mean another thing among sensors than among pipes."""
    return tr(f"field.{theme}.{name}", "") or field_name(name, default)


def class_name(key: str, text: str, default: str = "") -> str:
    """A class or code of a field or column: words that the program put there are in the user's language."""
    if not text:
        return text
    if INSTANT.fullmatch(key):
        key = "state"
    found = tr(f"name.{text}" if key == "layer" else f"class.{key}.{text}", "")
    if found:
        return found
    if key.endswith("_change"):
        base = key.removesuffix("_change")
        return ARROW.join(tr("class.unchanged") if t == "unchanged" else class_name(base, t) for t in text.split(ARROW))
    if key == TEXT_IDS:
        return tr(text, text.rpartition(".")[2].replace("_", " "))
    return default or text


def figure_word(analysis_id: str, name: str, text: str) -> str:
    """A key figure that is a word: a choice, a class, a group or a layer of the sample in the user's language."""
    found = tr(f"{analysis_id}.summary.{name}.{text}", "") or tr(f"{analysis_id}.{name}.{text}", "")
    found = found or tr(f"name.{text}", "")
    return found or word_of(text, (f"class.{name}.", *GROUPS))


def progress_text(message: str) -> str:
    """What work says it is doing, in the user's language.

    Translations name the numbers in it a, b, c ...; what has a name at its end ("reading house.ifc") is found under its
    first words and a star, and the rest is its `name`.
    """
    counted, stop, rest = message.partition(" · ")
    if stop and COUNTED.fullmatch(counted):
        return f"{counted}{stop}{progress_text(rest)}"
    found = tr(f"progress.{message}", "")
    if found:
        return found
    numbers = {chr(ord("a") + place): number for place, number in enumerate(NUMBER.findall(message)[:26])}
    found = tr(f"progress.{NUMBER.sub('#', message)}", "", **numbers)
    words = message.split(" ")
    for count in range(len(words) - 1, 0, -1):
        if found:
            break
        found = tr(f"progress.{' '.join(words[:count])} *", "", name=" ".join(words[count:]))
    return found or message


def datum_name(name: str) -> str:
    """A height datum as people call it."""
    return tr(f"datum.{name}", name) if name else tr("cli.none_stated")
