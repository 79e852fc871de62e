"""Programs and readers that are killed: nothing saved is lost, nothing of theirs is left, and the next one works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from app import project_file
from app.document import Document
from app.importer import import_files
from app.isolation import close_idle
from app.leftovers import sweep, temporary_folder
from app.model_service import ModelService
from geo.model import Cancelled, Feedback, UserError
from tests.screens import child_processes
from tests.tiny import write_city_json

SAVER = """
import sys
from pathlib import Path
from app import project_file
from app.commands import AddLayers
import numpy as np
from geo.model import Grid, Layer, Field
document, _ = project_file.open_document(Path(sys.argv[1]))
print("open", flush=True)
number = 0
while True:
    number += 1
    grid = Grid(np.full((400, 400), float(number)), 0, 0, 1)
    if "drawn" in document.scene:
        document.scene.remove("drawn")
    document.do(AddLayers((Layer("drawn", "Drawn", "other", grid),)))
    project_file.save(document, Path(sys.argv[1]))
    print(number, flush=True)
"""


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_a_program_killed_while_it_saves_leaves_the_last_saved_project(tmp_path: Path) -> None:
    project = tmp_path / "도시 계획" / "city.twin"
    project.parent.mkdir()
    imported = import_files([write_city_json(project.parent / "b.city.json")], frame=None)
    document = Document()
    project_file.apply(document, project_file.Loaded(imported.frame, imported.layers), None)
    project_file.save(document, project)
    for pause in (0.0, 0.011, 0.023):
        saver = subprocess.Popen(
            [sys.executable, "-c", SAVER, str(project)], stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )  # fmt: skip
        assert saver.stdout is not None
        while (line := saver.stdout.readline().strip()) not in ("3", ""):
            pass
        assert line == "3"
        time.sleep(pause)
        saver.kill()
        said = [int(word) for word in saver.stdout.read().split()]
        saver.wait()
        saver.stdout.close()
        found, loaded = project_file.open_document(project)
        assert not loaded.issues
        assert {layer.id for layer in found.scene} == {*(layer.id for layer in imported.layers), "drawn"}
        # What was told to be saved is there, or the save after it.
        assert found.scene["drawn"].geometry.values[0, 0] >= max([3, *said])  # type: ignore[union-attr]
    for file in project_file.results_folder(project).glob(".*.tmp"):
        os.utime(file, (0, 0))
    project_file.save(found, project)
    assert not list(project_file.results_folder(project).glob(".*"))
    assert project_file.open_document(project)[1].issues == ()


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_what_a_killed_program_left_is_cleared_and_nothing_else() -> None:
    mine = temporary_folder("read")
    place = Path(tempfile.gettempdir())
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = place / f"twin-model-{dead.pid}-abc"
    left.mkdir()
    (left / "big.ifc").write_bytes(b"x")
    others = [place / "twin-read-x", place / f"twin-other-{dead.pid}-abc", place / "anything"]
    for other in others:
        other.mkdir()
    assert sweep() == 1
    assert not left.exists()
    assert mine.is_dir()
    assert all(other.is_dir() for other in others)


def test_a_reader_killed_while_it_reads_leaves_nothing(tmp_path: Path, shared_data: Path) -> None:

    killed: list[int] = []

    def on_progress(fraction: float, message: str) -> None:
        for child in child_processes():
            if child.pid not in killed:
                killed.append(child.pid)
                os.kill(child.pid, signal.SIGTERM)

    with pytest.raises(UserError) as caught:
        import_files(
            [shared_data / "ifc" / "BIMWhale_TallBuilding.ifc"], frame=None, feedback=Feedback(on_progress=on_progress)
        )
    assert caught.value.code in ("reader.crashed", "crs.missing")
    close_idle()
    assert not list((tmp_path / "temporary").glob("twin-*"))
    assert not child_processes()


def test_cancelling_at_every_stage_leaves_nothing(tmp_path: Path, shared_data: Path) -> None:

    file = shared_data / "ifc" / "construction_scheduling_task.ifc"
    seen: list[float] = []
    frame_file = write_city_json(tmp_path / "b.city.json")
    frame = import_files([frame_file], frame=None).frame
    import_files([file], frame=frame, feedback=Feedback(lambda fraction, _: seen.append(fraction)))
    for stage in sorted({int(10 * fraction) / 10 for fraction in seen if fraction < 1.0}):
        (tmp_path / "cache").rename(tmp_path / f"cache-{stage}")  # so that it is read again
        reached: list[float] = []
        feedback = Feedback(
            lambda fraction, _, reached=reached: reached.append(fraction),
            lambda reached=reached, stage=stage: bool(reached) and reached[-1] >= stage,
        )
        with pytest.raises(Cancelled):
            import_files([file], frame=frame, feedback=feedback)
        (tmp_path / "cache").mkdir(exist_ok=True)
    close_idle()
    assert not list((tmp_path / "temporary").glob("twin-*"))
    assert not child_processes()


def test_a_service_whose_child_is_killed_while_asked_answers_and_leaves_nothing(
    tmp_path: Path, shared_data: Path
) -> None:

    service = ModelService()
    path = shared_data / "ifc" / "AC20-FZK-Haus.ifc"
    shot: list[int] = []

    def on_progress(_fraction: float, _message: str) -> None:
        for child in child_processes():
            if not shot:
                shot.append(child.pid)
                child.kill()

    out = tmp_path / "index"
    answer = service.ask(path, "index", {"out": str(out)}, feedback=Feedback(on_progress))
    assert shot
    assert answer > 1000
    assert out.stat().st_size > 0
    service.close()
    assert not list((tmp_path / "temporary").glob("twin-*"))
    assert not child_processes()
    with pytest.raises(Cancelled):
        service.ask(path, "schema", {}, feedback=Feedback())


def test_two_runs_of_one_second_are_two_results(tmp_path: Path) -> None:
    """A project saved over another must not keep the other's numbers under the same name."""
    from geo.model import Field, Grid, Layer, Source

    imported = import_files([write_city_json(tmp_path / "b.city.json")], frame=None)
    for value in (1.0, 2.0):
        grid = Grid(np.full((3, 3), value), 0, 0, 1)
        source = Source(part="g", provenance={"run": "r-20260101-000000", "provenance": {"params": {"x": value}}})
        layer = Layer("r-20260101-000000-g", "G", "result", grid, fields=(Field("v", "1", "cell", grid.values),),
                      source=source)  # fmt: skip
        document = Document()
        project_file.apply(document, project_file.Loaded(imported.frame, (*imported.layers, layer)), None)
        project_file.save(document, tmp_path / "city.twin")
        again, _ = project_file.open_document(tmp_path / "city.twin")
        assert again.scene[layer.id].geometry.values[0, 0] == value  # type: ignore[union-attr]
