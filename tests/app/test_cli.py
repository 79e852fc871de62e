"""The command line as a person or a script uses it: in its own process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.tiny import write_city_json, write_terrain_tif

ROOT = Path(__file__).resolve().parents[2]


def twin(*arguments: object, cwd: Path, check: int | None = 0) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TWIN_CACHE": str(cwd / "cache"), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-m", "app", *map(str, arguments)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if check is not None:
        assert done.returncode == check, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    write_terrain_tif(folder / "t.tif")
    write_city_json(folder / "b.city.json")
    twin("import", "city.twin", "t.tif", "b.city.json", cwd=folder)
    return folder


def test_help_is_quick_and_names_every_command(tmp_path: Path) -> None:
    started = time.perf_counter()
    text = twin("--help", cwd=tmp_path).stdout
    elapsed = time.perf_counter() - started
    for command in ("demo", "info", "import", "list", "run", "rerun", "validate", "render", "report", "convert"):
        assert command in text
    print(f"twin --help took {elapsed:.2f} s")


def test_json_is_one_object_and_nothing_else(city: Path) -> None:
    for arguments in (
        ("info", "city.twin", "--json"),
        ("info", "b.city.json", "--json"),
        ("list", "analyses", "--json"),
        ("list", "formats", "--json"),
        ("list", "layers", "city.twin", "--json"),
    ):
        assert isinstance(json.loads(twin(*arguments, cwd=city).stdout), dict)


def test_info_of_a_file(city: Path) -> None:
    info = json.loads(twin("info", "b.city.json", "--json", cwd=city).stdout)
    assert {"format", "version", "crs", "vertical", "bounds", "counts", "issues"} <= info.keys()
    assert info["format"] == "cityjson"
    assert info["version"] == "2.0"
    assert info["crs"] == "EPSG:5186"
    assert info["counts"] == {"Building": 2}
    assert info["bounds"] == pytest.approx([228990, 435490, 20, 229045, 435525, 50])


def test_run_writes_everything_and_reruns_the_same(city: Path) -> None:
    arguments = ("--set", "day=2026-12-22", "--set", "step=30", "--set", "ground_cell=5", "--set", "facade_spacing=5")
    first = json.loads(
        twin("run", "sunlight.hours", "city.twin", *arguments, "--out", "out", "--json", cwd=city).stdout
    )
    assert {"analysis", "version", "summary", "outputs", "issues", "elapsed_s"} <= first.keys()
    suffixes = {Path(path).suffix for path in first["outputs"]}
    assert {".tif", ".glb", ".ply", ".csv", ".json"} <= suffixes
    for path in first["outputs"]:
        assert (city / path).stat().st_size > 0
    again = json.loads(twin("rerun", "out/result.json", "--out", "out2", "--json", cwd=city).stdout)
    assert again["summary"] == first["summary"]
    assert (city / "out/ground.tif").read_bytes() == (city / "out2/ground.tif").read_bytes()
    layers = json.loads(twin("list", "layers", "city.twin", "--json", cwd=city).stdout)["layers"]
    assert any(layer["theme"] == "result" for layer in layers)


def test_params_from_a_file_and_layers_by_name(city: Path) -> None:
    (city / "p.json").write_text(json.dumps({"day": "2026-03-20", "step": 60, "ground_cell": 10, "facades": False}))
    layers = json.loads(twin("list", "layers", "city.twin", "--json", cwd=city).stdout)["layers"]
    building = next(layer["id"] for layer in layers if layer["theme"] == "building")
    done = twin(
        "run", "sunlight.hours", "city.twin", "--params", "p.json", "--set", f"blockers={building}", "--json", cwd=city
    )
    assert json.loads(done.stdout)["summary"]
    twin("run", "sunlight.hours", "city.twin", "--set", "blockers=nothing", cwd=city, check=2)


@pytest.mark.parametrize(
    "arguments",
    [
        ("nothing",),
        ("run", "sunlight.hours"),
        ("run", "sunlight.nothing", "city.twin"),
        ("run", "sunlight.hours", "absent.twin"),
        ("run", "sunlight.hours", "city.twin", "--set", "day"),
        ("run", "sunlight.hours", "city.twin", "--set", "day=tomorrow"),
        ("run", "sunlight.hours", "city.twin", "--set", "step=0"),
        ("run", "sunlight.hours", "city.twin", "--params", "absent.json"),
        ("run", "sunlight.hours", "city.twin", "--out", "/proc/no"),
        ("info", "absent.tif"),
        ("import", "city.twin", "text.tif"),
        ("import", "city.twin", "b.city.json", "--crs", "EPSG:1"),
        ("import", "/proc/city.twin", "b.city.json"),
        ("rerun", "b.city.json"),
        ("validate", "b.city.json"),
        ("validate", "absent"),
        ("render", "city.twin", "--out", "x.png", "--size", "big"),
        ("render", "city.twin", "--out", "x.png", "--view", "nowhere"),
        ("convert", "b.city.json", "x.unknown"),
        ("list", "layers"),
        ("list", "everything"),
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_a_users_mistake_is_exit_2_with_what_why_and_what_to_do(city: Path, arguments: tuple[str, ...]) -> None:
    (city / "text.tif").write_text("this is text\n" * 100)
    before = (city / "city.twin").read_bytes()
    done = twin(*arguments, cwd=city, check=2)
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) >= 3
    assert done.stdout == ""
    assert (city / "city.twin").read_bytes() == before


def test_korean_messages(city: Path) -> None:
    done = twin("--lang", "ko", "info", "absent.tif", cwd=city, check=2)
    assert "없습니다" in done.stderr


def test_newer_project_is_refused_and_kept(city: Path) -> None:
    newer = city / "newer.twin"
    newer.write_text('{"format": "sejong-twin-project", "version": 99}')
    done = twin("info", "newer.twin", cwd=city, check=2)
    assert "newer version" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals work otherwise there")
def test_ctrl_c_is_exit_130_and_leaves_the_project(city: Path) -> None:
    # Large enough to take minutes, so that the interruption always comes in the middle.
    write_terrain_tif(city / "wide.tif", half=600.0)
    twin("import", "wide.twin", "wide.tif", "b.city.json", cwd=city)
    before = (city / "wide.twin").read_bytes()
    environment = {**os.environ, "TWIN_CACHE": str(city / "cache"), "PYTHONPATH": str(ROOT)}
    settings = [f"--set={pair}" for pair in ("step=1", "ground_cell=0.5", "margin=300", "facades=false")]
    child = subprocess.Popen(
        [sys.executable, "-m", "app", "run", "sunlight.hours", "wide.twin", *settings],
        cwd=city,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(4.0)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 130, errors
    assert (city / "wide.twin").read_bytes() == before
    assert not (city / "wide.results").exists()


def test_convert_reprojects_and_keeps_the_buildings(city: Path) -> None:
    twin("convert", "b.city.json", "utm.city.json", "--crs", "EPSG:32652", cwd=city)
    info = json.loads(twin("info", "utm.city.json", "--json", cwd=city).stdout)
    assert info["crs"] == "EPSG:32652"
    assert info["counts"] == {"Building": 2}


@pytest.mark.parametrize("name", ["scene.glb", "out3d/tileset.json", "scene.city.json"])
def test_a_project_is_written_as_a_whole_and_read_back_in_place(city: Path, name: str) -> None:
    twin("convert", "city.twin", name, cwd=city)
    twin("import", f"back-{Path(name).name}.twin", "t.tif", name, cwd=city)
    info = json.loads(twin("info", f"back-{Path(name).name}.twin", "--json", cwd=city).stdout)
    west, south, _, east, north, top = info["bounds"]
    assert west <= 228990
    assert south <= 435490
    assert east >= 229045
    assert north >= 435525
    assert top == pytest.approx(50.0, abs=0.02)


def test_a_project_is_not_bent_into_another_system(city: Path) -> None:
    twin("convert", "city.twin", "x.glb", "--crs", "EPSG:32652", cwd=city, check=2)


def test_a_second_run_takes_the_place_of_the_first_in_view(city: Path) -> None:
    settings = ("--set", "step=60", "--set", "ground_cell=10", "--set", "facades=false")
    (city / "two.twin").write_bytes((city / "city.twin").read_bytes())
    for _ in range(2):
        twin("run", "sunlight.hours", "two.twin", *settings, cwd=city)
    layers = json.loads(twin("list", "layers", "two.twin", "--json", cwd=city).stdout)["layers"]
    grounds = [layer for layer in layers if layer["theme"] == "result" and layer["kind"] == "grid"]
    assert [layer["visible"] for layer in grounds[-2:]] == [False, True]
    assert len({layer["id"] for layer in layers}) == len(layers)
