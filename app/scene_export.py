"""Headless. Layers of a scene into files of other programs: models, tiles, maps, tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.catalog import by_suffix, formats
from app.export import table_csv, write_text
from app.language import tr
from geo.formats.contract import Format
from geo.model import Feedback, Frame, Layer, UserError

TABLE = ".csv"


def export_kinds() -> str:
    """Kinds of files for a dialog, the pattern of each once."""
    kinds = [f"{tr(f'format.{one.id}.title', one.title)} ({' '.join(one.patterns)})" for one in writers()]
    return ";;".join([*kinds, f"{tr('export.table')} (*{TABLE})"])


def writers() -> list[Format]:
    """Formats that can be written."""
    return [one for one in formats().values() if one.write is not None]


def export_layers(
    target: Path, layers: Sequence[Layer], frame: Frame | None, feedback: Feedback, *, source: str = ""
) -> tuple[Path, int]:
    """Write layers in the format that the name of the file asks for; of those it cannot take nothing is written.

    Parameters
    ----------
    target : Path
        ``.csv`` writes the table of a single layer.
    source : str
        What the layers come from, for the error text.

    Returns
    -------
    target : Path
    left_out : int
        Layers that the format cannot hold.

    Raises
    ------
    UserError
        The format takes none of them.
    """
    if target.suffix.lower() == TABLE:
        return _export_table(target, layers), 0
    writer = by_suffix(target)
    fitting = [layer for layer in layers if layer.kind in writer.writes]
    if not fitting or writer.write is None or frame is None:
        raise UserError(
            f"Nothing in {source or target.stem} can be written as {writer.title}.",
            f"It holds {', '.join(sorted({layer.kind for layer in layers})) or 'nothing'}; "
            f"the format takes {', '.join(writer.writes)}.",
            "Choose another output format.",
            code="convert.nothing",
            values={"name": source or target.stem, "format": writer.title},
        )
    writer.write(target, fitting, frame, feedback)
    return target, len(layers) - len(fitting)


def _export_table(target: Path, layers: Sequence[Layer]) -> Path:
    if len(layers) != 1 or len(layers[0].table) == 0:
        raise UserError(
            "A CSV file holds the table of one layer.",
            f"{len(layers)} layers were chosen." if len(layers) != 1 else "The layer has no rows.",
            "Choose one layer with a table.",
            code="export.one_table",
            values={"count": len(layers)},
        )
    return write_text(target, table_csv(layers[0].table))
