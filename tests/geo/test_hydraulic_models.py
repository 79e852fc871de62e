"""EPANET and SWMM models: counts of the file, heights that follow from it, damage told plainly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geo.crs import make_frame
from geo.formats import epanet, swmm
from geo.formats.contract import ReadOptions
from geo.model import Feedback, Frame, Layer, Lines, MissingCrs, Points, UserError
from geo.model import conventions as words

EPANET = """[TITLE]
two pipes
[JUNCTIONS]
 A 50 0
 B 48 0
[RESERVOIRS]
 R 60
[PIPES]
 P1 R A 100 200 100 0 Open
 P2 A B 50 150 100 0 Closed
[VALVES]
[OPTIONS]
 Units LPS
 Headloss H-W
[COORDINATES]
 A 100 0
 B 100 50
 R 0 0
[VERTICES]
 P1 50 20
[END]
"""

SWMM = """[TITLE]
drain
[OPTIONS]
FLOW_UNITS CMS
[JUNCTIONS]
;;Name Elevation MaxDepth InitDepth SurDepth Aponded
M1 10.0 3.0 0 0 0
M2 9.5 2.5 0 0 0
[OUTFALLS]
O1 9.0 FREE NO
[CONDUITS]
C1 M1 M2 50 0.013 0 0.1 0 0
C2 M2 O1 50 0.013 0 0 0 0
[XSECTIONS]
C1 CIRCULAR 0.5 0 0 0 1
C2 RECT_CLOSED 1.0 2.0 0 0 1
[COORDINATES]
M1 0 0
M2 50 0
O1 100 0
"""
FRAME = make_frame("EPSG:5186", 229_000.0, 435_500.0)


def read(kind: object, path: Path, frame: Frame = FRAME, **own: object) -> dict[str, Layer]:
    options = ReadOptions(own=kind.FORMAT.options(**{"at_east": 229_100.0, "at_north": 435_600.0, **own}))  # type: ignore[attr-defined]
    return {layer.id: layer for layer in kind.FORMAT.read(path, frame, options, Feedback())}  # type: ignore[attr-defined]


@pytest.fixture
def water(tmp_path: Path) -> Path:
    path = tmp_path / "water.inp"
    path.write_text(EPANET, encoding="utf-8")
    return path


@pytest.fixture
def drain(tmp_path: Path) -> Path:
    path = tmp_path / "drain.inp"
    path.write_text(SWMM, encoding="utf-8")
    return path


def test_the_two_sorts_of_inp_are_told_apart(water: Path, drain: Path) -> None:
    heads = {path: path.read_bytes()[:4096] for path in (water, drain)}
    assert [epanet.sniff(path, heads[path]) for path in (water, drain)] == [True, False]
    assert [swmm.sniff(path, heads[path]) for path in (water, drain)] == [False, True]


def test_a_water_network_lies_below_its_ground(water: Path) -> None:
    layers = read(epanet, water)
    pipes = layers["pipes"]
    shape = pipes.geometry
    assert isinstance(shape, Lines)
    first = shape.vertices[shape.offsets[0] : shape.offsets[1]]
    np.testing.assert_allclose(first[:, :2], [[100, 100], [150, 120], [200, 100]], atol=1e-6)
    cover = pipes.table.row("P1")[words.COVER]
    np.testing.assert_allclose(first[[0, -1], 2], [60 - cover - 0.1, 50 - cover - 0.1], atol=1e-9)  # type: ignore[operator]
    assert pipes.table.row("P2")[words.STATUS] == "closed"
    assert pipes.table.row("P2")[words.DEPTH_QUALITY] == "assumed"
    nodes = layers["nodes"].table
    assert dict(zip(nodes.ids, nodes.columns[words.NODE].values, strict=True)) == {
        "A": "junction",
        "B": "junction",
        "R": "reservoir",
    }
    by_pipe = read(epanet, water, elevation="pipe")["pipes"].geometry
    assert by_pipe.vertices[0, 2] == pytest.approx(60.0)  # type: ignore[union-attr]


def test_a_drain_lies_at_its_inverts(drain: Path) -> None:
    layers = read(swmm, drain)
    pipes = layers["pipes"]
    row = pipes.table.row("C1")
    assert (row[words.INVERT_UP], row[words.INVERT_DOWN]) == pytest.approx((10.0, 9.6))
    assert pipes.geometry.vertices[:2, 2].tolist() == pytest.approx([10.25, 9.85])  # type: ignore[union-attr]
    assert row[words.COVER] == pytest.approx(((13 - 10.5) + (12 - 10.1)) / 2)
    box = pipes.table.row("C2")
    assert (box[words.WIDTH], box[words.HEIGHT]) == (2.0, 1.0)
    kinds = layers["nodes"].table.columns[words.NODE].values.tolist()
    assert sorted(kinds) == ["manhole", "manhole", "outfall"]


@pytest.mark.parametrize(("name", "counts"), [("ky10.inp", (1043, 920, 13)), ("L-TOWN.inp", (905, 782, 1))])
def test_real_water_models_keep_their_counts(shared_data: Path, name: str, counts: tuple[int, int, int]) -> None:
    path = shared_data / "utilities" / name
    info = epanet.inspect(path)
    assert (info.counts["pipes"], info.counts["junctions"], info.counts["pumps"]) == counts
    layers = read(epanet, path)
    sort = layers["pipes"].table.columns["sort"].values.tolist()
    assert sort.count("pipe") == counts[0]
    kinds = layers["nodes"].table.columns[words.NODE].values.tolist()
    assert kinds.count("junction") == counts[1]
    assert isinstance(layers["devices"].geometry, Points)


def test_the_real_drain_keeps_its_counts(shared_data: Path) -> None:
    path = shared_data / "utilities" / "bellinge_small.inp"
    frame = make_frame("EPSG:32632", 583_300.0, 6_132_900.0)
    layers = {x.id: x for x in swmm.FORMAT.read(path, frame, ReadOptions(crs="EPSG:32632"), Feedback())}
    assert len(layers["pipes"].table) == 15
    kinds = layers["nodes"].table.columns[words.NODE].values.tolist()
    assert (kinds.count("manhole"), kinds.count("outfall")) == (15, 1)
    row = layers["pipes"].table.row("G72F820_G72F810_l1")
    assert row[words.DIAMETER] == pytest.approx(0.35)
    assert row[words.INVERT_UP] == pytest.approx(23.3691)


def test_without_a_place_the_program_asks(water: Path, drain: Path) -> None:
    for kind, path in ((epanet, water), (swmm, drain)):
        with pytest.raises(MissingCrs):
            kind.FORMAT.read(path, FRAME, ReadOptions(), Feedback())


DAMAGED = [
    (epanet, EPANET.replace(" P1 R A 100 200 100 0 Open", " P1 R X 100 200 100 0 Open")),
    (epanet, EPANET.replace("A 50 0", "A fifty 0")),
    (swmm, SWMM.replace("C1 M1 M2 50", "C1")),
]


@pytest.mark.parametrize(("kind", "text"), DAMAGED)
def test_damage_is_told_plainly(tmp_path: Path, kind: object, text: str) -> None:
    path = tmp_path / "broken.inp"
    path.write_text(text, encoding="utf-8")
    try:
        layers = read(kind, path)
    except UserError as error:
        assert error.code == "inp.damaged"  # noqa: PT017
    else:
        assert any(issue.severity == "error" for layer in layers.values() for issue in layer.issues)


def test_nodes_without_a_place_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "half.inp"
    path.write_text(SWMM.replace("O1 100 0\n", ""), encoding="utf-8")
    layers = read(swmm, path)
    issue = next(i for i in layers["pipes"].issues if i.code == "inp.no_place")
    assert (issue.count, issue.elements) == (1, ("O1",))
    assert list(layers["pipes"].table.ids) == ["C1"]
