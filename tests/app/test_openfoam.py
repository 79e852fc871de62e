"""Cases of OpenFOAM: files read back by another parser, bad places, programs that fail or are stopped, a true run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from analysis.registry import get
from analysis.run import execute
from analysis.wind.profile import log_inflow
from app.cases.wind_tunnels import Site, box_roofs, site_tunnel
from app.openfoam import bridge, programs
from app.openfoam.answer import last_time, read_answer, told_by
from app.openfoam.bridge import reading_study, running_study, write_project_case
from app.openfoam.case import Case, case_name, case_parts, make_case, write_case
from app.openfoam.dictionaries import NEW_ROUGH_WALL, OLD_ROUGH_WALL, Plan, decomposition
from app.openfoam.foam_files import read_field
from app.openfoam.programs import ABSENT, OTHER, Installed, Missing, look_for_openfoam, run_foam
from geo.model import Cancelled, Feedback, UserError
from tests.tiny import buildings, terrain, tiny_frame

if TYPE_CHECKING:
    from app.main_window import MainWindow

BLOCK = np.array([[-10.0, -10.0, 10.0, 10.0, 20.0]])
QUICK = {"cell": 12.0, "size": 60.0, "exposure": "C", "space": False, "wind_from": 300.0}
FOUND = look_for_openfoam(os.environ)
needs_openfoam = pytest.mark.skipif(isinstance(FOUND, Missing), reason="OpenFOAM is not installed: no case is run")


def case(plan: Plan = Plan(), *, wind_from: float = 300.0) -> Case:  # noqa: B008 - a plan is never changed
    site = Site((-30.0, -30.0, 30.0, 30.0), (-90.0, -90.0, 90.0, 90.0), 100.0, box_roofs(BLOCK), 25.0, 0.05, 0.01)
    return make_case(site_tunnel(site, 5.0), log_inflow(wind_from, speed=5.0, height=10.0, roughness=0.05), plan)


def layers() -> list[Any]:
    return [terrain(20.0, 200.0, 20.0), buildings([(-10.0, -10.0, 20.0, 20.0, 20.0, 24.0)])]


def written(target: Path, **more: Any) -> Path:
    params = {**QUICK, **more}
    write_project_case(target, layers=layers(), frame=tiny_frame(), params=params, plan=Plan(), feedback=Feedback())
    return target


def numbers(path: Path) -> np.ndarray:
    """All numbers of a list, by a parser that knows nothing of ours."""
    text = path.read_text()
    head, _, rest = text.partition("}\n\n")
    count, _, body = rest.partition("(\n")
    found = np.array([float(word) for word in re.findall(r"[-+0-9.eE]+", re.sub(r"\b4\(", "(", body))])
    return found.reshape(int(count), -1)


def fake(folder: Path, name: str, body: str) -> None:
    """A program of a few shell lines."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def fake_foam(folder: Path, body: str, *, version: str = "1912") -> Installed:
    """An OpenFOAM whose solver does what `body` says."""
    told = f'[ "$1" = -help ] && {{ echo "Using: OpenFOAM-v{version} ({version})"; exit 0; }}'
    fake(folder, "simpleFoam", f"{told}\n{body}")
    found = look_for_openfoam({"PATH": f"{folder}:/usr/bin:/bin"})
    assert isinstance(found, Installed)
    return found


# ---- files ----------------------------------------------------------------------------------------------------------


def test_the_mesh_on_disk_is_the_mesh(tmp_path: Path) -> None:
    made = case()
    folder = write_case(made, tmp_path / "c", Feedback()) / "constant/polyMesh"
    np.testing.assert_allclose(numbers(folder / "points"), made.mesh.points, rtol=1e-9, atol=1e-9)
    assert np.array_equal(numbers(folder / "faces"), made.mesh.faces)
    assert np.array_equal(numbers(folder / "owner").ravel(), made.mesh.owner)
    assert np.array_equal(numbers(folder / "neighbour").ravel(), made.mesh.neighbour)
    rows = re.findall(
        r"(\w+)\s*\{\s*type\s+(\w+);\s*nFaces\s+(\d+);\s*startFace\s+(\d+);", (folder / "boundary").read_text()
    )
    assert [(name, int(size), int(start)) for name, _, size, start in rows] == [
        (patch.name, patch.size, patch.start) for patch in made.mesh.patches
    ]
    assert {name for name, kind, *_ in rows if kind == "wall"} == {"ground", "buildings"}


def test_fields_on_disk_hold_the_wind(tmp_path: Path) -> None:
    made = case()
    folder = write_case(made, tmp_path / "c", Feedback())
    cells = len(made.mesh.cells)
    np.testing.assert_allclose(read_field(folder / "0/U", cells=cells), made.wind.velocity, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(read_field(folder / "0/k", cells=cells), made.wind.energy, rtol=1e-6)
    assert np.array_equal(read_field(folder / "0/p", cells=cells), np.zeros(cells))
    inlet = (folder / "0/U").read_text().split("xmin")[1].split("}")[0]
    listed = np.array([float(w) for w in re.findall(r"[-+0-9.eE]+", inlet.split("(\n", 1)[1])]).reshape(-1, 3)
    np.testing.assert_allclose(listed, made.wind.velocity[made.mesh.beside("xmin")], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("model", "second"), [("kEpsilon", "epsilon"), ("kOmegaSST", "omega")])
def test_each_model_has_its_fields_and_brackets_close(model: Any, second: str) -> None:
    texts = {name: b"".join(pieces).decode() for name, pieces in case_parts(case(Plan(model=model)))}
    assert {f"0/{name}" for name in ("U", "p", "k", second, "nut")} == {name for name in texts if name[:2] == "0/"}
    for name, text in texts.items():
        if name != "Allrun":
            assert text.count("{") == text.count("}"), name
            assert text.count("(") == text.count(")"), name
    assert f"div(phi,{second})" in texts["system/fvSchemes"]
    assert texts["constant/turbulenceProperties"].count(model) >= 1


@pytest.mark.parametrize(("cores", "blocks"), [(1, "1 1 1"), (6, "3 2 1"), (7, "7 1 1"), (64, "8 8 1")])
def test_blocks_are_as_square_as_the_number_allows(cores: int, blocks: str) -> None:
    assert f"n ({blocks});" in decomposition(Plan(cores=cores))


def test_the_zip_unpacks_into_one_harmless_folder(tmp_path: Path) -> None:
    target = write_case(case(), tmp_path / "세종; rm -rf $HOME `x`.zip", Feedback())
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        assert {name.split("/")[0] for name in archive.namelist()} == {"rm--rf-HOME-x"}
        assert archive.getinfo("rm--rf-HOME-x/Allrun").external_attr >> 16 & 0o111
    assert case_name("../..") == "wind"
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no shell")
@pytest.mark.parametrize(("version", "wall"), [("1912", OLD_ROUGH_WALL), ("2312", NEW_ROUGH_WALL)])
def test_the_script_of_a_case_asks_for_the_version(tmp_path: Path, version: str, wall: str) -> None:
    folder = write_case(case(), tmp_path / "c", Feedback())
    fake_foam(tmp_path / "bin", "echo solved", version=version)
    fake(tmp_path / "bin", "checkMesh", "exit 0")
    fake(tmp_path / "bin", "decomposePar", "exit 0")
    fake(tmp_path / "bin", "reconstructPar", "exit 0")
    fake(tmp_path / "bin", "mpirun", 'echo "$@"')
    path = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}
    done = subprocess.run([folder / "Allrun", "12"], env=path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (folder / "constant/roughWall").read_text() == f"roughWall {wall};\n"
    divided = (folder / "system/decomposeParDict").read_text()
    assert "numberOfSubdomains 12;" in divided
    assert "n (4 3 1);" in divided
    assert (folder / "log.simpleFoam").read_text() == "-np 12 simpleFoam -parallel\n"
    bad = subprocess.run([folder / "Allrun", "2;x"], env=path, capture_output=True, text=True, check=False)
    assert bad.returncode == 2


def test_what_is_stopped_or_refused_leaves_nothing(tmp_path: Path) -> None:
    calls = iter(range(1000))
    for name in ("c", "c.zip"):
        with pytest.raises(Cancelled):
            write_case(case(), tmp_path / name, Feedback(is_cancelled=lambda: next(calls) % 8 == 7))
        assert list(tmp_path.iterdir()) == []
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("mine")
    with pytest.raises(UserError) as taken:
        write_case(case(), tmp_path / "full", Feedback())
    assert taken.value.code == "openfoam.taken"
    for name in ("mine.txt/c", "mine.txt/c.zip"):  # a file stands where a folder should
        with pytest.raises(UserError):
            write_case(case(), tmp_path / "full" / name, Feedback())
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


# ---- results --------------------------------------------------------------------------------------------------------


def stored(folder: Path, made: Case, *, binary: bool = False, name: str = "250") -> None:
    """A result as OpenFOAM would have written it."""
    (folder / name).mkdir(parents=True)
    for field, values in (("U", 2.0 * made.wind.velocity), ("k", made.wind.energy)):
        kind = "vector" if values.ndim == 2 else "scalar"
        begin = (
            f"FoamFile\n{{\n version 2.0;\n format {'binary' if binary else 'ascii'};\n"
            f' arch "LSB;label=32;scalar=64";\n class vol{kind.title()}Field;\n}}\n\n'
            f"internalField nonuniform List<{kind}> \n{len(values)}\n("
        ).encode()
        if binary:
            body = values.astype("<f8").tobytes()
        else:
            texts = [" ".join(f"{number:.9g}" for number in np.atleast_1d(row)) for row in values]
            rows = [f"({text})" if kind == "vector" else text for text in texts]
            body = ("\n" + "\n".join(rows) + "\n").encode()
        (folder / name / field).write_bytes(begin + body + b")\n;\n\nboundaryField\n{\n}\n")


@pytest.mark.parametrize("binary", [False, True])
def test_results_come_back_on_their_cells(tmp_path: Path, binary: bool) -> None:
    made = case()
    stored(tmp_path, made, name="100")
    stored(tmp_path, made, binary=binary)
    assert last_time(tmp_path).name == "250"
    wind = log_inflow(300.0, speed=5.0, height=10.0, roughness=0.05)
    answer = read_answer(tmp_path, tunnel=made.tunnel, mesh=made.mesh, wind=wind, told=told_by(""))
    found = answer.map_at(10.0).speed[2, 2]
    assert found == pytest.approx(2 * 5.0, rel=0.02)
    assert np.isnan(answer.map_at(2.0).speed).sum() == int((made.tunnel.building >= 0).sum())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace(b"(", b"(nan ", 2),
        lambda text: text.replace(b"internalField", b"somethingElse"),
        lambda text: re.sub(rb"\n\d+\n\(", b"\n7\n(", text),
        lambda _text: b"",
    ],
)
def test_damaged_results_are_refused(tmp_path: Path, spoil: Any) -> None:
    made = case()
    stored(tmp_path, made)
    path = tmp_path / "250/U"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(UserError) as caught:
        read_field(path, cells=len(made.mesh.cells))
    assert caught.value.code == "openfoam.damaged"
    shutil.rmtree(tmp_path / "250")
    with pytest.raises(UserError) as none:
        last_time(tmp_path)
    assert none.value.code == "openfoam.no_result"


LOG = """
Time = 1

smoothSolver:  Solving for Ux, Initial residual = 0.5, Final residual = 1e-05, No Iterations 2
GAMG:  Solving for p, Initial residual = 1, Final residual = 0.04, No Iterations 9
GAMG:  Solving for p, Initial residual = 0.2, Final residual = 0.01, No Iterations 9
ExecutionTime = 0.5 s  ClockTime = 1 s

Time = 2

smoothSolver:  Solving for Ux, Initial residual = 2e-06, Final residual = 1e-07, No Iterations 2
GAMG:  Solving for p, Initial residual = 9e-06, Final residual = 4e-07, No Iterations 9
ExecutionTime = 0.9 s  ClockTime = 1 s


SIMPLE solution converged in 2 iterations
"""


def test_logs_tell_how_it_settled() -> None:
    told = told_by(LOG)
    assert (told.iterations, told.converged, told.seconds, told.largest) == (2, True, 0.9, 9e-6)
    assert told.residuals["p"].tolist() == [1.0, 9e-6]  # the first solution of each iteration
    assert not told_by(LOG.replace("converged", "went on")).converged


def test_a_case_from_elsewhere_becomes_a_result_of_the_study(tmp_path: Path) -> None:
    folder = written(tmp_path / "c")
    study, params = reading_study(folder)
    made = prepared(params)
    stored(folder, made)
    (folder / "log.simpleFoam").write_text(LOG)
    result = execute(study, layers=layers(), frame=tiny_frame(), params=params)
    assert result.provenance is not None
    assert result.provenance.analysis == "wind.field"
    assert result.provenance.params["wind_from"] == 300.0
    assert result.summary["engine"].value == "OpenFOAM, kEpsilon"
    assert result.summary["settled"].value == "yes"
    ours = execute(get("wind.field"), layers=layers(), frame=tiny_frame(), params={**QUICK, "thoroughness": "preview"})
    both = [next(layer for layer in one.layers if layer.source.part == "map") for one in (result, ours)]
    assert both[0].geometry.values.shape == both[1].geometry.values.shape  # type: ignore[union-attr]
    chosen = {
        "before": [layer.id for layer in ours.layers if layer.source.part == "map"],
        "after": [layer.id for layer in result.layers if layer.source.part == "map"],
    }
    compared = execute(
        get("compare.results"), layers=[*ours.layers, *result.layers], frame=tiny_frame(), params={}, chosen=chosen
    )
    assert compared.summary["compared"].value


def prepared(params: dict[str, Any]) -> Case:
    from analysis.run import check_params, choose_inputs

    study = get("wind.field")
    inputs, _ = choose_inputs(study, layers(), tiny_frame())
    return bridge.prepare(inputs, check_params(study, params), Plan(), Feedback()).case


def test_a_case_of_another_grid_or_none_of_ours_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "c")
    study, params = reading_study(folder)
    with pytest.raises(UserError) as other:
        execute(study, layers=[terrain(20.0, 200.0, 20.0), buildings()], frame=tiny_frame(), params=params)
    assert other.value.code == "openfoam.other_grid"
    for text in (
        "",
        "[]",
        "{}",
        '{"mesh": 1, "params": {}, "plan": {}}',
        '{"mesh": "a", "params": {}, "plan": {"x": 1}}',
    ):
        (folder / "twin.json").write_text(text)
        with pytest.raises(UserError) as foreign:
            reading_study(folder)
        assert foreign.value.code == "openfoam.foreign"


# ---- programs -------------------------------------------------------------------------------------------------------


def test_versions_decide_the_wall_function(tmp_path: Path) -> None:
    assert look_for_openfoam({"PATH": str(tmp_path)}) == ABSENT
    assert fake_foam(tmp_path / "old", "").rough_wall == OLD_ROUGH_WALL
    assert fake_foam(tmp_path / "new", "", version="2312").rough_wall == NEW_ROUGH_WALL
    fake(tmp_path / "org", "simpleFoam", 'echo "Using: OpenFOAM-10 (see https://openfoam.org)"')
    assert look_for_openfoam({"PATH": f"{tmp_path / 'org'}:/usr/bin:/bin"}) == OTHER


def test_a_crashed_solver_is_told_with_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crash = 'echo "Time = 3"; echo "--> FOAM FATAL ERROR: "; echo "Maximum number of iterations exceeded"; exit 136'
    installed = fake_foam(tmp_path / "bin", crash)
    monkeypatch.setattr(bridge, "needed_openfoam", lambda: installed)
    with pytest.raises(UserError) as caught:
        execute(running_study(Plan()), layers=layers(), frame=tiny_frame(), params=QUICK)
    assert caught.value.code == "openfoam.failed"
    assert "Maximum number of iterations" in caught.value.why
    assert "136" in caught.value.why


def test_a_solver_that_is_stopped_is_gone(tmp_path: Path) -> None:
    installed = fake_foam(tmp_path / "bin", "sleep 60 & echo $! > child; wait")
    stop = threading.Event()
    feedback = Feedback(is_cancelled=stop.is_set)
    threading.Timer(0.5, stop.set).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        run_foam(["simpleFoam"], tmp_path, installed, feedback)
    assert time.monotonic() - began < 10.0
    child = int((tmp_path / "child").read_text())
    state = Path(f"/proc/{child}/stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"


def test_too_many_cores_and_no_mpi_are_said_before_the_work(tmp_path: Path) -> None:
    installed = fake_foam(tmp_path / "bin", "")
    for cores, has_mpi, code in ((0, True, "cores"), (100_000, True, "cores"), (2, False, "no_mpi")):
        with pytest.raises(UserError) as caught:
            bridge.check_cores(cores, installed._replace(has_mpi=has_mpi))
        assert caught.value.code == f"openfoam.{code}"


def test_where_it_is_absent_running_says_so_and_writing_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from app.cli import run_command_line
    from app.commands import AddLayers
    from app.document import Document
    from app.project_file import save

    monkeypatch.setattr(programs, "find_openfoam", lambda: ABSENT)
    document = Document()
    document.do(AddLayers(tuple(layers()), frame=tiny_frame()))
    project, target = tmp_path / "p.twin", tmp_path / "case.zip"
    save(document, project)
    assert run_command_line(["openfoam", str(project), "--run", "--out", str(target)]) == 2
    assert not target.exists()
    capsys.readouterr()
    settings = [part for name, value in QUICK.items() for part in ("--set", f"{name}={value}")]
    assert run_command_line(["openfoam", str(project), "--out", str(target), "--json", *settings]) == 0
    assert json.loads(capsys.readouterr().out)["outputs"] == [str(target)]
    with zipfile.ZipFile(target) as archive:
        assert json.loads(archive.read("case/twin.json"))["params"]["wind_from"] == 300.0
    for wrong in ([], ["--read", str(tmp_path), "--run"], ["--out", "x.zip", "--iterations", "0"]):
        assert run_command_line(["openfoam", str(project), *wrong]) == 2


# ---- a true run -----------------------------------------------------------------------------------------------------


@needs_openfoam
def test_the_installed_openfoam_finds_no_fault_and_agrees(tmp_path: Path) -> None:
    assert isinstance(FOUND, Installed)
    folder = tmp_path / "c"
    study = running_study(Plan(iterations=80, residual=1e-3), folder)
    result = execute(study, layers=layers(), frame=tiny_frame(), params=QUICK)
    checked = run_foam(["checkMesh"], folder, FOUND, Feedback()).read_text()
    assert "Mesh OK." in checked
    assert "Upper triangular ordering OK." in checked
    ours = execute(get("wind.field"), layers=layers(), frame=tiny_frame(), params=QUICK)
    one, other = (
        next(np.asarray(layer.fields[0].values) for layer in run.layers if layer.source.part == "map")
        for run in (result, ours)
    )
    known = np.isfinite(one) & np.isfinite(other)
    assert np.array_equal(np.isfinite(one), np.isfinite(other))
    assert np.corrcoef(one[known], other[known])[0, 1] >= 0.95
    assert abs(one[known].mean() / other[known].mean() - 1.0) < 0.15


# ---- the window -----------------------------------------------------------------------------------------------------


def test_the_dialog_greys_what_cannot_be_done_and_writes_the_rest(
    window: MainWindow, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app import openfoam_dialog
    from app.commands import AddLayers

    assert not window.actions_["openfoam"].isEnabled()
    window.document.do(AddLayers(tuple(layers()), frame=tiny_frame()))
    monkeypatch.setattr(openfoam_dialog, "find_openfoam", lambda: ABSENT)
    dialog = openfoam_dialog.OpenFoamDialog(window)
    assert not dialog.buttons[openfoam_dialog.RUN].isEnabled()
    assert "not installed" in dialog.engine.text()
    assert "not installed" in dialog.buttons[openfoam_dialog.RUN].toolTip()
    assert dialog.buttons[openfoam_dialog.WRITE].isEnabled()
    target = tmp_path / "case.zip"
    job = openfoam_dialog.begin_writing(window, QUICK, dialog.plan(), target)
    dialog.deleteLater()
    assert job is not None
    qtbot.waitUntil(lambda: job.is_over, timeout=60_000)
    assert zipfile.is_zipfile(target)


def test_everything_it_says_is_said_in_korean_too() -> None:
    import app.openfoam
    from app.language import texts

    source = "".join(path.read_text() for path in Path(app.openfoam.__file__).parent.glob("*.py"))
    errors = set(re.findall(r'code="(openfoam\.\w+)"', source)) | {"openfoam.absent", "openfoam.other"}
    issues = set(re.findall(r'Issue\("(openfoam\.\w+)"', source))
    assert len(errors) >= 11
    assert len(issues) == 3
    wanted = {f"error.{code}.{part}" for code in errors for part in ("what", "why", "todo")}
    assert (wanted | {f"issue.{code}" for code in issues}) - set(texts("ko")) == set()
