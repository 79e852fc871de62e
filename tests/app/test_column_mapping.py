"""The mapping form of the import window: columns offered, what was found shown, the answer in the request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from PySide6.QtWidgets import QLineEdit

from app.import_dialog import ImportDialog, examine_all
from app.importer import import_files
from app.theme import theme_named
from geo.model import Feedback


def lines_file(path: Path, names: list[str]) -> Path:
    shape = shapely.to_wkb(np.array([shapely.linestrings([[229_000, 435_500], [229_050, 435_500]])]))
    values = [np.array([number + 1.0]) for number in range(len(names))]
    pyogrio.raw.write(str(path), shape, values, names, crs="EPSG:5186", geometry_type="LineString")
    return path


def test_unknown_columns_are_mapped_by_hand(tmp_path: Path, screen: None, qtbot: Any) -> None:
    paths = [
        lines_file(tmp_path / "strange.gpkg", ["A1", "B2"]),
        lines_file(tmp_path / "WTL_PIPE_LM.gpkg", ["PIP_DIP"]),
    ]
    examined = examine_all(paths, None, Feedback())
    dialog = ImportDialog(examined, frame=None, project=None, theme=theme_named("light"))
    qtbot.addWidget(dialog)
    strange, known = dialog.pages
    diameter = known.options_form.editors["field_diameter"]
    assert isinstance(diameter, QLineEdit)
    assert not diameter.isHidden()
    assert diameter.placeholderText() == "PIP_DIP", "what was found is shown"
    cover = strange.options_form.editors["field_cover"]
    assert isinstance(cover, QLineEdit)
    assert cover.isHidden(), "no rows of pipes for a file that is none"
    strange.kind_box.setCurrentIndex(strange.kind_box.findData("utility"))
    assert not cover.isHidden()
    model = cover.completer().model()
    assert [model.index(row, 0).data() for row in range(model.rowCount())] == ["A1", "B2"]
    (tmp_path / "r.csv").write_text("id,심도\n1,2\n")
    join = strange.options_form.editors["join"]
    assert isinstance(join, QLineEdit)
    join.setText("r.csv")
    join.editingFinished.emit()
    assert cover.placeholderText() == "심도", "found in the register"
    join.setText("")
    cover.setText("B2")
    request = strange.request()
    assert request.options.own == {"field_cover": "B2"}
    (layer,) = import_files([request.path], frame=None, options=request.options).layers
    assert layer.table.columns["cover"].values[0] == 2.0
