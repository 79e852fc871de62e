"""Every utility file of the reference data opens by the importer, and what comes out is as many as the file holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from app.importer import ImportOptions, import_files
from geo.model import Frame, Grid, Layer, Lines, Mesh, Points
from geo.model import conventions as words

PLACED = {"at_east": 229_000.0, "at_north": 435_500.0}
NAGAOKA = "plateau_nagaoka/"


@dataclass(frozen=True)
class Wanted:
    """What a file holds by `data/README.md` (or by its own sections): elements of each part."""

    parts: Mapping[str, int]
    options: ImportOptions = field(default_factory=ImportOptions)
    utility: frozenset[str] = frozenset()
    theme: str = "utility"


def nagaoka(pipes: int, nodes: int, utility: str, bodies: int = 0) -> Wanted:
    solid = {"utility": bodies} if bodies else {}
    return Wanted({**solid, "pipes": pipes, "nodes": nodes}, utility=frozenset([utility]))


FILES = {
    NAGAOKA + "08EE753_unf_10169_sewer.gml": nagaoka(158, 52, "storm", 38),
    NAGAOKA + "08EE752_unf_10169_sewer_lod3.gml": Wanted(
        {"utility": 2, "pipes": 2, "nodes": 2}, utility=frozenset({"storm", "sewage"})
    ),
    NAGAOKA + "08EE753_unf_10169_water.gml": nagaoka(21, 11, "water"),
    NAGAOKA + "08EE752_unf_10169_water.gml": nagaoka(237, 152, "water"),
    NAGAOKA + "08EE753_unf_10169_lv.gml": nagaoka(74, 99, "power"),
    "citygml_ade/Testfeld1_UtilityNetworkADE.gml": Wanted({"pipes": 9, "nodes": 18}),
    "citygml_ade/Testfeld1.ifc": Wanted({"mep_lines": 136, "mep_nodes": 127}),
    "ky10.inp": Wanted(  # 1043 pipes and 13 pumps and 5 valves; 920 junctions, 13 tanks, 2 reservoirs
        {"pipes": 1061, "nodes": 935, "devices": 18}, ImportOptions(crs="EPSG:3089"), frozenset({"water"})
    ),
    "L-TOWN.inp": Wanted(
        {"pipes": 909, "nodes": 785, "devices": 4},
        ImportOptions(project_crs="EPSG:5186", own=PLACED),
        frozenset({"water"}),
    ),
    "bellinge_small.inp": Wanted({"pipes": 15, "nodes": 16}, ImportOptions(crs="EPSG:32632"), frozenset({"storm"})),
    "bellinge_small_subcatchments.geojson": Wanted({}, ImportOptions(crs="EPSG:32632"), theme=""),
    "ky4_pipes.geojson": Wanted({"1": 1156}),
    "ky4_junctions.geojson": Wanted({"1": 959}),
    "ky4_elevation.tif": Wanted({}, theme="terrain"),
}


@pytest.mark.data
def test_the_list_names_every_file(shared_data: Path) -> None:
    folder = shared_data / "utilities"
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == set(FILES)


@pytest.mark.data
@pytest.mark.parametrize("name", FILES)
def test_counts_are_those_of_the_file(shared_data: Path, name: str) -> None:
    wanted = FILES[name]
    found = import_files([shared_data / "utilities" / name], frame=None, options=wanted.options).layers
    mine = {layer.source.part: layer for layer in found if not wanted.theme or layer.theme == wanted.theme}
    if wanted.parts:
        shown = {part: len(layer.table) for part, layer in mine.items()}
        assert sorted(shown.values()) == sorted(wanted.parts.values())
        if "1" not in wanted.parts:
            assert shown == wanted.parts
    else:
        assert mine
    for layer in mine.values():
        _is_whole(layer)
        if wanted.utility:
            column = layer.table.columns.get(words.UTILITY)
            assert column is None or set(column.values.tolist()) == wanted.utility


def _is_whole(layer: Layer) -> None:
    """Every element is drawn, every coordinate is a number, every id is its own."""
    shape = layer.geometry
    assert len(set(layer.table.ids.tolist())) == len(layer.table)
    if isinstance(shape, Grid):
        return
    assert isinstance(shape, Lines | Points | Mesh)
    assert np.isfinite(shape.vertices).all()
    owner = (
        shape.line_element if isinstance(shape, Lines)
        else shape.element if isinstance(shape, Points) else shape.face_element
    )  # fmt: skip
    assert len(set(owner.tolist())) == len(layer.table)


@pytest.mark.data
def test_the_two_files_of_one_test_field_show_the_same_pipes(shared_data: Path) -> None:
    """The IFC was made from the CityGML; its site says where its zero is, to a hundredth of an arc second."""
    folder = shared_data / "utilities/citygml_ade"
    (pipes, *_), frame = _placed(folder / "Testfeld1_UtilityNetworkADE.gml")
    shape = pipes.geometry
    assert isinstance(shape, Lines)
    first = frame.to_map(shape.vertices)
    # The lowest corner of the CityGML network lies at the zero of the IFC.
    zero = first[:, :2].min(axis=0)
    own = {"at_east": zero[0], "at_north": zero[1], "at_height": 0.0}
    options = ImportOptions(project_crs="EPSG:25832", own=own)
    made = import_files([folder / "Testfeld1.ifc"], frame=frame, options=options).layers
    axes = next(layer for layer in made if layer.source.part == "mep_lines").geometry
    assert isinstance(axes, Lines)
    assert len(axes.line_element) == len(shape.vertices) - len(shape.line_element) - _doubled(shape)
    ends = axes.vertices[np.column_stack([axes.offsets[:-1], axes.offsets[1:] - 1]).reshape(-1)]
    away = np.linalg.norm(ends[:, None] - shape.vertices[None], axis=2).min(axis=1)
    assert away.max() < 0.011  # both are written to the centimetre


def _doubled(shape: Lines) -> int:
    """Vertices that repeat the one before; they make no pipe."""
    same = (np.diff(shape.vertices, axis=0) == 0).all(axis=1)
    return int(same[np.setdiff1d(np.arange(len(same)), shape.offsets[1:-1] - 1)].sum())


def _placed(path: Path) -> tuple[tuple[Layer, ...], Frame]:
    found = import_files([path], frame=None)
    return found.layers, found.frame
