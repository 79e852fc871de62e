"""Headless. What a report is made of: which runs in which order, what of each, words, pictures, language and form.

The choice is kept in the project, so that the command line writes the same report as the window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.language import LANGUAGES, both_languages, language, tr
from app.shown_runs import Run, runs_of
from app.topic_store import keep_picture, read_picture
from geo.model import Issue, Layer, UserError

BOTH = "both"
FORMS = ("html", "pdf")
PARTS = ("district", "comparison", "rules", "layers")  # what a report has besides words, pictures and runs
ALL, NONE = "all", "none"
CHART, TABLE = "chart:", "table:"
LONGEST_NOTE = 100_000  # letters
TEXTS = ("title", "place", "author", "before", "after")


@dataclass(frozen=True)
class RunChoice:
    """One run in the report.

    Attributes
    ----------
    run : str
        Id of the run.
    pictures : bool
        Whether its result is drawn.
    without : tuple of str
        Charts (``chart:<id>``) and tables (``table:<id of the layer>``) that are left out.
    """

    run: str
    pictures: bool = True
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class SavedPicture:
    """A picture that the user brings: the bytes of a PNG or JPEG file, and the line below it."""

    caption: str
    data: bytes


@dataclass(frozen=True)
class ReportChoice:
    """What a report is made of.

    Attributes
    ----------
    title, place, author : str
        Of the cover; where empty, the project's name, its coordinates, and nobody.
    before, after : str
        Words of the author before and after the results; an empty line parts paragraphs.
    language : str
        ``"en"``, ``"ko"``, ``"both"``, or empty for the language in use.
    form : str
        ``"html"`` or ``"pdf"``.
    parts : tuple of str
        Those of `PARTS` that are in it.
    runs : tuple of RunChoice or None
        The runs in their order; None for all runs that the project has when the report is written.
    pictures : tuple of SavedPicture
    """

    title: str = ""
    place: str = ""
    author: str = ""
    before: str = ""
    after: str = ""
    language: str = ""
    form: str = "html"
    parts: tuple[str, ...] = PARTS
    runs: tuple[RunChoice, ...] | None = None
    pictures: tuple[SavedPicture, ...] = ()

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of the pages, one after the other; empty for the one in use."""
        if self.language == BOTH:
            return both_languages()
        return (self.language,) if self.language in LANGUAGES else ()


def chosen_runs(choice: ReportChoice, layers: Sequence[Layer]) -> list[tuple[RunChoice, Run]]:
    """The runs of a report in their order; those that the project has lost are left out (`lost_runs`)."""
    known = {run.id: run for run in in_order(layers)}
    if choice.runs is None:
        return [(RunChoice(run.id), run) for run in known.values()]
    return [(one, known[one.run]) for one in choice.runs if one.run in known]


def lost_runs(choice: ReportChoice, layers: Sequence[Layer]) -> tuple[Issue, ...]:
    """A doubt when the choice names results that have been removed since."""
    known = {run.id for run in runs_of(layers)}
    lost = [one.run for one in choice.runs or () if one.run not in known]
    if not lost:
        return ()
    message = f"{len(lost)} results that were chosen for the report are not in the project any more."
    return (Issue("report.lost_runs", message, "doubt", count=len(lost)),)


def in_order(layers: Sequence[Layer]) -> list[Run]:
    """The runs in the order in which they came into the project."""
    position = {layer.id: number for number, layer in enumerate(layers)}
    return sorted(runs_of(layers), key=lambda run: min(position[layer.id] for layer in run.layers))


def runs_named(text: str, layers: Sequence[Layer]) -> tuple[RunChoice, ...] | None:
    """Runs as the command line names them: ``all``, ``none``, or numbers, ids and studies divided by commas.

    A study stands for all its runs. Raises `UserError` for a name that fits nothing.
    """
    if text.strip().lower() == ALL:
        return None
    if text.strip().lower() == NONE:
        return ()
    known = in_order(layers)
    found: dict[str, RunChoice] = {}
    for name in (piece.strip() for piece in text.split(",")):
        fitting = [run for number, run in enumerate(known, 1) if name in (str(number), run.id, run.analysis_id)]
        if not fitting:
            raise _no_run(name, known)
        found.update({run.id: RunChoice(run.id) for run in fitting})
    return tuple(found.values())


def _no_run(name: str, known: Sequence[Run]) -> UserError:
    told = "; ".join(f"{number} {run_title(run)}" for number, run in enumerate(known, 1)) or "–"
    return UserError(
        f"There is no result called '{name}'.",
        f"The project has: {told}.",
        "Name results by number, by study such as sunlight.hours, or write all or none.",
        code="report.no_run",
        values={"name": name, "known": told},
    )


def run_title(run: Run) -> str:
    """What a run is called in lists: its study, and the alternative it was run on."""
    from analysis.registry import find_analysis

    declared = find_analysis(run.analysis_id)
    title = tr(f"{run.analysis_id}.title", declared.title if declared else run.analysis_id)
    return f"{title} – {run.alternative_name}" if run.alternative_name else title


def read_note(path: Path) -> str:
    """Words for the report from a text file. Raises `UserError` for what is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    for encoding in ("utf-8-sig", "cp949"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if len(text) > LONGEST_NOTE or "\0" in text:
            break
        return text
    raise _unreadable(path, "it is not a text of ordinary length")


def read_saved_picture(path: Path, caption: str = "") -> SavedPicture:
    """A picture from a file, with its name below it where no other words are given. Raises `UserError`."""
    from PIL import Image, UnidentifiedImageError

    try:
        data = path.read_bytes()
        with Image.open(path) as picture:
            form = picture.format
            picture.verify()
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _unreadable(path, str(error).splitlines()[0]) from error
    if form not in ("PNG", "JPEG"):
        raise _unreadable(path, f"it is {form}, not PNG or JPEG")
    return SavedPicture(caption or path.stem, data)


def _unreadable(path: Path, reason: str) -> UserError:
    return UserError(
        f"{path.name} cannot be taken into the report.",
        f"Reading it failed: {reason}.",
        "Notes are text files; pictures are PNG or JPEG files.",
        code="report.unreadable",
        values={"name": path.name, "reason": reason},
    )


def choice_to_dict(choice: ReportChoice | None, folder: Path) -> dict[str, Any]:
    """The choice for the project's manifest; its pictures are written into the folder, once each."""
    if choice is None:
        return {}
    runs = choice.runs
    return {
        **{name: getattr(choice, name) for name in (*TEXTS, "language", "form")},
        "parts": list(choice.parts),
        "runs": None if runs is None else [[one.run, one.pictures, list(one.without)] for one in runs],
        "pictures": [[one.caption, keep_picture(one.data, folder)] for one in choice.pictures],
    }


def kept_pictures(entry: Mapping[str, Any]) -> set[str]:
    """Files that the choice of a manifest refers to."""
    return {str(name) for _caption, name in entry.get("pictures", ())}


def choice_from_dict(entry: Mapping[str, Any], folder: Path, issues: list[Issue]) -> ReportChoice | None:
    """The choice of a manifest, None where there is none. Raises `ValueError`, `KeyError` or `TypeError`."""
    if not entry:
        return None
    runs = entry["runs"]
    pictures = [
        SavedPicture(str(caption), read_picture(str(name), folder, issues)) for caption, name in entry["pictures"]
    ]
    return ReportChoice(
        **{name: str(entry[name]) for name in TEXTS},
        language=str(entry["language"]) if entry["language"] in (*LANGUAGES, BOTH) else "",
        form=str(entry["form"]) if entry["form"] in FORMS else FORMS[0],
        parts=tuple(part for part in PARTS if part in entry["parts"]),
        runs=None if runs is None else tuple(_run_choice(one) for one in runs),
        pictures=tuple(one for one in pictures if one.data),
    )


def _run_choice(entry: Sequence[Any]) -> RunChoice:
    run, pictures, without = entry
    return RunChoice(str(run), bool(pictures), tuple(str(name) for name in without))


def with_form_of(choice: ReportChoice, path: Path) -> ReportChoice:
    """The choice with the form that the name of the file asks for."""
    return replace(choice, form="pdf" if path.suffix.lower() == ".pdf" else "html")


def command_line(choice: ReportChoice | None, project: Path, path: Path) -> list[str]:
    """What the program is called with to write the report that a project remembers, in the language asked for."""
    asked = choice.language if choice is not None else ""
    spoken = asked if asked in LANGUAGES else language.code
    both = ["--both"] if asked == BOTH else []
    return ["--lang", spoken, "report", str(project), "--out", str(path), *both]
