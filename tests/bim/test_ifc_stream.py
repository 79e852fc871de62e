"""Parts of a model before it is whole, and the way round products that kill or hang the geometry kernel."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app import isolation
from app.isolation import close_idle, inspect_isolated, read_isolated
from bim.formats.ifc import FORMAT
from bim.notebook import Notebook
from bim.placement import IfcOptions
from bim.schema import open_model
from bim.selection import Task, select_products
from bim.tessellation import tessellate
from geo.crs import make_frame
from geo.formats.contract import ReadOptions
from geo.model import Cancelled, Feedback, Instances, Layer, Mesh, UserError
from tests.bench.tower_ifc import write_tower
from tests.screens import child_processes

FRAME = make_frame("EPSG:5186", 229_000.0, 435_500.0)
TWIN = (
    "#34=IFCBUILDINGELEMENTPROXY('0AAAAAAAAAAAAAAAAAAA06',$,'twin',$,$,#27,#40,$,$);\n"
    "#35=IFCRELCONTAINEDINSPATIALSTRUCTURE('0AAAAAAAAAAAAAAAAAAA07',$,$,$,(#34),#30);\n"
)
PLAIN = ReadOptions(own=IfcOptions(network=False))


@pytest.fixture(autouse=True)
def no_child_waits() -> Iterator[None]:
    yield
    close_idle()


@pytest.fixture(scope="module")
def tower(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tower") / "tower.ifc"
    assert write_tower(path, products=3000, property_sets=0) == 3000
    return path


@pytest.fixture(scope="module")
def products(tower: Path) -> dict[str, list[int]]:
    """Step ids by class."""
    file = open_model(tower).file
    return {name: [p.id() for p in file.by_type(name)] for name in ("IfcWall", "IfcColumn", "IfcDoor", "IfcSpace")}


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Path]:
    """Makes the reading process die or hang over products; gives a file that grows by a letter with each start."""

    def prepare(*, deadly: list[int] = (), hanging: list[int] = (), kernels: str = "") -> Path:  # type: ignore[assignment]
        starts = tmp_path / "starts"
        monkeypatch.setattr(isolation, "COMMAND", (sys.executable, "-m", "tests.bim.crashing_child"))
        monkeypatch.setenv("TEST_DEADLY", ",".join(map(str, deadly)))
        monkeypatch.setenv("TEST_HANGING", ",".join(map(str, hanging)))
        monkeypatch.setenv("TEST_KERNELS", kernels)
        monkeypatch.setenv("TEST_SILENCE", "2.0")
        monkeypatch.setenv("TEST_STARTS", str(starts))
        return starts

    return prepare


def read(path: Path, feedback: Feedback | None = None) -> dict[str, Layer]:
    layers = read_isolated(FORMAT, path, FRAME, options=PLAIN, feedback=feedback or Feedback())
    return {layer.id: layer for layer in layers}


def shown(layers: dict[str, Layer]) -> int:
    return sum(len(layer.table) for layer in layers.values() if layer.geometry is not None)


def triangles(layers: list[Layer]) -> int:
    return sum(
        layer.geometry.face_count if isinstance(layer.geometry, Instances) else len(layer.geometry.faces)  # type: ignore[union-attr]
        for layer in layers
    )


def test_parts_come_first_and_are_the_whole_without_rooms(tower: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts: list[tuple[float, list[Layer]]] = []
    fractions = [0.0]
    feedback = Feedback(
        lambda fraction, _message: fractions.append(fraction),
        on_partial=lambda layers: parts.append((fractions[-1], list(layers))),
    )
    monkeypatch.setattr("bim.preview.MOST_REPEATED", 10**9)
    whole = {layer.id: layer for layer in FORMAT.read(tower, FRAME, PLAIN, feedback)}
    assert len(parts) >= 2
    drawn = [layer for _, layers in parts for layer in layers]
    solid = [layer for layer in whole.values() if layer.id != "spaces"]
    assert triangles(drawn) == triangles(solid)
    box, expected = drawn[0].geometry.bounds, whole["elements"].geometry.bounds  # type: ignore[union-attr]
    assert np.all(np.array(box.low) >= np.array(expected.low) - 1e-6)  # type: ignore[union-attr]
    assert parts[0][0] < 0.5
    assert fractions == sorted(fractions)


def test_parts_come_through_the_child_and_are_light(tower: Path) -> None:
    seen: list[Layer] = []
    layers = read(tower, Feedback(on_partial=seen.extend))
    assert len(seen) >= 2
    assert (
        0
        < triangles(seen)
        < 0.3 * triangles([layers["elements"], *([layers["instances"]] if "instances" in layers else [])])
    )
    assert all(layer.theme == "bim" for layer in seen)


def test_nothing_is_prepared_where_nobody_looks(tower: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bim.preview.Preview.show", lambda *_: pytest.fail("a preview was made"))
    FORMAT.read(tower, FRAME, PLAIN, Feedback())


def test_deadly_products_are_found_and_the_rest_is_there(
    tower: Path, products: dict[str, list[int]], dying: Callable[..., Path]
) -> None:
    wall, column = products["IfcWall"][333], products["IfcColumn"][7]
    starts = dying(deadly=[wall, column])
    layers = read(tower)
    assert shown(layers) == 2998
    failures = layers["failures"].table
    file = open_model(tower).file
    assert set(failures.ids) == {file.by_id(wall).GlobalId, file.by_id(column).GlobalId}
    assert set(failures.columns["class"].values) == {"IfcWall", "IfcColumn"}
    assert {"Wall 333", "Column 7"} == set(failures.columns["name"].values)
    assert all("crashed" in reason for reason in failures.columns["reason"].values)
    issue = next(i for layer in layers.values() for i in layer.issues if i.code == "ifc.no_geometry")
    assert (issue.count, issue.severity) == (2, "error")
    assert set(issue.elements) == set(failures.ids)
    # 700 walls in eighths need four steps and one start with the exact kernel; 100 columns three and one.
    assert len(starts.read_text()) <= 12


def test_exact_kernel_saves_what_kills_the_fast_one(
    tower: Path, products: dict[str, list[int]], dying: Callable[..., Path]
) -> None:
    dying(deadly=[products["IfcDoor"][5]], kernels="hybrid-cgal-simple-manifold-opencascade")
    layers = read(tower)
    assert shown(layers) == 3000
    assert "failures" not in layers


def test_a_hanging_product_is_left_out(write_ifc: Callable[..., Path], dying: Callable[..., Path]) -> None:
    path = write_ifc(more=TWIN)
    dying(hanging=[34])
    layers = read(path)
    assert list(layers["elements"].table.ids) == ["0AAAAAAAAAAAAAAAAAAA04"]
    assert "no sign of life" in layers["failures"].table.columns["reason"].values[0]


def test_describing_survives_a_deadly_product_too(write_ifc: Callable[..., Path], dying: Callable[..., Path]) -> None:
    path = write_ifc(more=TWIN)
    dying(deadly=[34])
    info = inspect_isolated(FORMAT, path)
    assert info.counts["IfcProduct"] == 3
    layers = read(path)
    assert list(layers["elements"].table.ids) == ["0AAAAAAAAAAAAAAAAAAA04"]
    assert list(layers["failures"].table.ids) == ["0AAAAAAAAAAAAAAAAAAA06"]


def test_a_crash_that_is_nobodys_fault_ends_in_an_error(
    write_ifc: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "COMMAND", (sys.executable, "-c", "import os; os.abort()"))
    with pytest.raises(UserError) as caught:
        read(write_ifc())
    assert caught.value.code == "reader.crashed"


def test_cancel_ends_the_child_soon(tower: Path, products: dict[str, list[int]], dying: Callable[..., Path]) -> None:
    import time

    dying(hanging=products["IfcColumn"][:1])
    asked: list[float] = []

    def is_cancelled() -> bool:
        if not asked and any("crashing_child" in " ".join(c.cmdline()) for c in child_processes()):
            asked.append(time.monotonic() + 1.5)
        return bool(asked) and time.monotonic() > asked[0]

    with pytest.raises(Cancelled):
        read(tower, Feedback(is_cancelled=is_cancelled))
    assert time.monotonic() - asked[0] < 2.0
    assert not child_processes()


def test_a_file_is_opened_once_for_describing_and_reading(
    write_ifc: Callable[..., Path], dying: Callable[..., Path]
) -> None:
    starts = dying()
    path = write_ifc()
    inspect_isolated(FORMAT, path)
    assert "elements" in read(path)
    assert starts.read_text() == "x"
    path.write_text(path.read_text().replace("'box'", "'other box'"))
    os.utime(path, (1, 1))
    assert list(read(path)["elements"].table.columns["name"].values) == ["other box"]


def test_a_notebook_goes_on_where_the_last_process_stopped(tower: Path, tmp_path: Path) -> None:
    model = open_model(tower)
    selection = select_products(model.file)
    book = Notebook(tmp_path)
    first = tessellate(model.file, selection, Feedback(), notebook=book)
    again = tessellate(model.file, selection, Feedback(), notebook=Notebook(tmp_path))
    assert np.array_equal(np.sort(first.product), np.sort(again.product))
    assert first.store.face_count.sum() == again.store.face_count.sum()
    # Nothing was left to do, so nothing was made twice.
    assert len(again.product) == len(set(again.product.tolist())) == 3000


def test_a_note_is_split_until_one_is_left(tmp_path: Path) -> None:
    tasks = [Task("fast", tuple(range(100)))]
    deadly, made, starts = 41, set[int](), 0
    while True:
        starts += 1
        book = Notebook(tmp_path)
        plan = book.plan(tasks, made)
        for task in plan:
            book.begin(task)
            if deadly in task.products:
                break
            made |= set(task.products)
        else:
            break
    assert book.deadly.keys() == {deadly}
    assert made == set(range(100)) - {deadly}
    assert starts <= 7


def test_meshes_of_a_part_are_frozen_and_coloured(tower: Path) -> None:
    seen: list[Layer] = []
    FORMAT.read(tower, FRAME, PLAIN, Feedback(on_partial=seen.extend))
    for layer in seen:
        assert layer.field_named("colour") is not None
        assert isinstance(layer.geometry, Mesh | Instances)
