"""What holds for every registered format, on real files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.catalog import detect, formats
from app.importer import ImportOptions, examine, import_files
from geo.model import UserError
from tests.screens import child_processes

# Real files by format, with the options they need; sizes keep the test quick.
SAMPLES = [
    ("geotiff", "terrain/bangkok_dem_1arcsec.tif", {}),
    ("geotiff", "terrain/bangkok_satellite_10m.tif", {}),
    ("geotiff", "solar/cea_zurich/terrain.tif", {}),
    ("asciigrid", "solar/solweig_kronenhuset/CDSM_KR.asc", {"crs": "EPSG:3007"}),
    ("cityjson", "city/DenHaag_01.city.json", {}),
    ("cityjson", "city/delft_3dfier.city.json", {}),
    ("citygml", "city/plateau_komatsu_54363371_bldg_6697.gml", {}),
    ("citygml", "city/Opera-Lyon_CityGML3_LOD2.gml", {}),
    ("vector", "city/kr_footprint-with-height.geojson", {}),
    ("vector", "solar/cea_zurich/zone.shp", {}),
    ("vector", "city/kr_topomap_36914093/N3A_B0010000.shp", {}),
    ("ifc", "ifc/Duplex_A_20110907_georeferenced.ifc", {}),
    ("ifc", "ifc/AC20-FZK-Haus.ifc", {}),
]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "cache"))


@pytest.mark.data
@pytest.mark.parametrize(("format_id", "name", "options"), SAMPLES, ids=[name for _, name, _ in SAMPLES])
def test_real_file_is_recognised_described_and_read(
    shared_data: Path, format_id: str, name: str, options: dict[str, str]
) -> None:
    path = shared_data / name
    assert detect(path).id == format_id
    info = examine(path)
    assert info.format == format_id
    assert sum(info.counts.values()) > 0
    assert info.bounds is not None
    imported = import_files([path], frame=None, options=ImportOptions(**options))
    for layer in imported.layers:
        assert layer.geometry is not None
        assert layer.geometry.bounds is not None
        # Near the origin, which was chosen from what the file said of itself.
        assert max(map(abs, layer.geometry.bounds.centre[:2])) < 20_000


@pytest.mark.parametrize("format_id", sorted(formats()))
def test_garbage_never_crashes_a_reader(tmp_path: Path, format_id: str) -> None:
    candidate = formats()[format_id]
    for number, content in enumerate((b"", b"\0" * 5000, b"{" * 5000, bytes(range(256)) * 40)):
        path = tmp_path / candidate.patterns[0].replace("*", f"x{number}")
        path.write_bytes(content)
        assert candidate.sniff(path, content[:4096]) in (True, False)
        with pytest.raises(UserError):
            import_files([path], frame=None, options=ImportOptions(crs="EPSG:5186"))


@pytest.mark.parametrize("format_id", sorted(formats()))
def test_declaration_is_complete(format_id: str) -> None:
    candidate = formats()[format_id]
    assert candidate.title
    assert candidate.patterns
    assert bool(candidate.write) == bool(candidate.writes)
    korean = json.loads(json.dumps(_korean()))
    assert f"format.{format_id}.title" in korean, "a Korean title is missing"


def _korean() -> dict[str, str]:
    from app.language import texts

    return dict(texts("ko"))


@pytest.mark.data
def test_a_crashing_reader_takes_nothing_with_it(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child process is killed while it reads; the import ends in a user error."""
    import threading

    from app.isolation import close_idle

    close_idle()  # an earlier test's child that waits is not the one to kill

    def kill_children() -> None:
        for _ in range(200):
            children = child_processes()
            readers = [child for child in children if "app.isolation" in " ".join(child.cmdline())]
            if readers:
                readers[0].kill()
                return
            threading.Event().wait(0.02)

    killer = threading.Thread(target=kill_children)
    killer.start()
    with pytest.raises(UserError) as caught:
        import_files([shared_data / "ifc/Office_A_20110811.ifc"], frame=None)
    killer.join()
    assert caught.value.code == "reader.crashed"


@pytest.mark.data
def test_a_model_without_a_place_is_not_the_first_file(shared_data: Path) -> None:
    with pytest.raises(UserError) as caught:
        import_files([shared_data / "ifc/geolocation-mapconversion.ifc"], frame=None)
    assert caught.value.code == "import.no_place"


@pytest.mark.data
def test_a_model_is_placed_by_hand_where_the_user_says(shared_data: Path) -> None:
    own = {"at_east": "229110", "at_north": "435795", "at_height": "25"}
    options = ImportOptions(project_crs="EPSG:5186", own=own)
    imported = import_files([shared_data / "ifc/AC20-FZK-Haus.ifc"], frame=None, options=options)
    box = imported.layers[0].geometry.bounds
    assert abs(box.centre[0] + imported.frame.origin[0] - 229_110) < 20
    assert abs(box.centre[1] + imported.frame.origin[1] - 435_795) < 20


def test_child_says_nothing_on_stdout_but_progress(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text('{"task": "inspect", "format": "geotiff", "path": "nothing.tif"}')
    done = subprocess.run(
        [sys.executable, "-m", "app.isolation", str(tmp_path)],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    assert "error" in json.loads((tmp_path / "answer.json").read_text())
