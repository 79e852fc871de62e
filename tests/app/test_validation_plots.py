"""Records, pictures and the manual's tables of validation cases; a case nobody has seen before."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from app.__main__ import main
from app.cases import wind_aij
from app.cases.contract import CaseResult, Comparison, at_least, at_most
from app.cases.wind_markers import without_markers
from app.scatter_svg import SIDE, Panel, scatter_svg
from app.theme import theme_named
from app.validation_page import gates, make_page
from app.validation_record import read_record, record_of, write_record
from geo.model import UserError

SVG = "{http://www.w3.org/2000/svg}"
PAIRS = np.array([0.2, 0.5, 1.0]), np.array([0.1, 0.5, 1.2])


def record(name: str, *parts: Comparison, **metrics: float) -> dict[str, object]:
    limits = {"q_0": at_least(0.6), "mean_abs_fb": at_most(0.3)}
    scored = CaseResult("wind", metrics, {k: v for k, v in limits.items() if k in metrics}, ("Cite it.",), parts)
    return record_of(name, name, scored, seconds=1.0)


def lines_of(drawing: str) -> list[tuple[float, ...]]:
    """Ends of the rays: the only lines that are neither level nor upright."""
    found = []
    for line in ElementTree.fromstring(drawing).iter(f"{SVG}line"):
        ends = tuple(float(line.get(key, "nan")) for key in ("x1", "y1", "x2", "y2"))
        if ends[0] != ends[2] and ends[1] != ends[3]:
            found.append(ends)
    return found


def test_points_stand_where_their_values_say_and_rays_at_their_slope() -> None:
    panel = Panel("west", "", np.array([0.0, 1.0, np.nan]), np.array([0.0, 0.5, 1.0]))
    drawing = scatter_svg([panel], title="a < b", axes=("x", "y"), theme=theme_named("light"))
    root = ElementTree.fromstring(drawing)
    path = next(root.iter(f"{SVG}path")).get("d", "")
    points = [tuple(map(float, part.split("h")[0].split())) for part in path.split("M")[1:]]
    assert len(points) == 2  # the pair without a value is left out
    across, down = points[1][0] - points[0][0], points[0][1] - points[1][1]
    assert down / across == pytest.approx(0.5, abs=0.01)
    assert across == pytest.approx(SIDE / 1.05, abs=0.2)
    slopes = sorted((y1 - y2) / (x2 - x1) for x1, y1, x2, y2 in lines_of(drawing))
    assert slopes == pytest.approx([0.5, 1.0, 2.0], abs=0.02)


def test_sixteen_winds_and_negative_values_fit() -> None:
    panels = [Panel(f"{n}", "", np.array([-0.5, 1.0]), np.array([-2.0, 3.0])) for n in range(16)]
    root = ElementTree.fromstring(scatter_svg(panels, title="", axes=("", ""), theme=theme_named("light")))
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    for ends in lines_of(ElementTree.tostring(root, encoding="unicode")):
        assert min(ends) >= 0
        assert max(ends[0], ends[2]) <= width
        assert max(ends[1], ends[3]) <= height
    scatter_svg([], title="", axes=("", ""), theme=theme_named("light"))


def test_a_record_comes_back_as_it_was_and_holds_no_nan(tmp_path: Path) -> None:
    made = record("one", Comparison("0", np.array([0.5, 0.7]), np.array([0.4, np.nan])), q_0=float("nan"))
    files = write_record(made, tmp_path)
    assert [file.name for file in files] == ["one.json", "one.svg"]
    assert "NaN" not in files[0].read_text(encoding="utf-8")
    assert read_record(files[0]) == made
    files[0].write_text('{"comparisons": [{"name": "0", "observed": [1], "predicted": []}]}', encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_record(files[0])
    assert caught.value.code == "validation.no_record"


def test_gates_with_the_least_room_stand_first() -> None:
    reached = {"a": {"q_0": 0.9}, "b": {"mean_abs_fb": 0.33}, "c": {"q_0": 0.62}, "d": {"q_0": float("nan")}}
    found = gates({name: record(name, **metrics) for name, metrics in reached.items()})
    assert [gate.case for gate in found] == ["d", "b", "c", "a"]
    assert found[1].used == pytest.approx(1.1)
    assert found[3].used == pytest.approx(0.25)


def test_the_page_is_made_in_both_languages_and_again(tmp_path: Path) -> None:
    for code in ("en", "ko"):
        page = tmp_path / "manual" / code / "wind_validation.md"
        page.parent.mkdir(parents=True)
        page.write_text(
            "# Page\n\n[//]: # (made: gates)\n[//]: # (end)\n\nwords\n\n[//]: # (made: case)\nold\n[//]: # (end)\n",
            encoding="utf-8",
        )
    parts = Comparison("0", *PAIRS), Comparison("90", PAIRS[0], PAIRS[0][::-1])
    write_record(record("case", *parts, q_0=0.5), tmp_path / "records")
    for _ in range(2):
        written = make_page(tmp_path / "records", tmp_path / "manual")
        text = (tmp_path / "manual" / "en" / "wind_validation.md").read_text(encoding="utf-8")
        assert text.count("old") == 0
        assert text.count("words") == text.count("pictures/case.svg") == 1
        assert text.index("\n| 90° |") < text.index("\n| 0° |")  # the worst first
        assert "125 % **missed**" in text
    assert len(written) == 4
    assert all(file.is_file() for file in written)
    (tmp_path / "records" / "case.json").unlink()
    with pytest.raises(UserError) as caught:
        make_page(tmp_path / "records", tmp_path / "manual")
    assert caught.value.code == "validation.missing"


def ball(radius: float) -> tuple[np.ndarray, np.ndarray]:
    import trimesh

    mesh = trimesh.creation.icosphere(subdivisions=2, radius=radius)
    return np.asarray(mesh.vertices), np.asarray(mesh.faces, np.int32)


def joined(*bodies: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    starts = np.cumsum([0, *(len(v) for v, _ in bodies)])
    return np.concatenate([v for v, _ in bodies]), np.concatenate(
        [f + s for (_, f), s in zip(bodies, starts, strict=False)]
    )


def block(size: float, at: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    import trimesh

    mesh = trimesh.creation.box((size, size, size))
    return np.asarray(mesh.vertices) + np.array(at), np.asarray(mesh.faces, np.int32)


def test_balls_at_the_probes_go_and_cubes_domes_and_tanks_stay() -> None:
    vertices, faces = ball(2.0)
    marker, other = vertices + np.array([50.0, 3.0, 2.0]), vertices + np.array([500_000.0, 2_000_000.0, 2.0])
    tank = vertices * 4 + np.array([-40.0, 0.0, 8.0])  # a round one, but of a house's height
    cube = block(4.0, (0.0, 0.0, 2.0))
    parts = [(marker, faces), cube, (tank, faces)]
    kept, count = without_markers(*joined(*parts), probe_height=2.0)
    assert count == 1
    assert len(kept) == len(cube[1]) + len(faces)
    far, count = without_markers(*joined((other, faces), cube), probe_height=2.0)
    assert count == 1
    assert len(far) == len(cube[1])


def write_unknown(folder: Path) -> Path:
    """A case of another name: one house of 8 m, two winds, four probes, and a ball at each of them."""
    import trimesh

    folder.mkdir()
    probes = [(-12.0, 3.0), (0.0, 14.0), (15.0, -2.0), (10.0, 10.0)]
    vertices, faces = ball(1.5)
    house = block(8.0, (0.0, 0.0, 4.0))
    v, f = joined(house, *((vertices + np.array([x, y, 1.5]), faces) for x, y in probes))
    trimesh.Trimesh(np.column_stack([v[:, 0], v[:, 2], -v[:, 1]]), f, process=False).export(folder / "geometry.glb")
    rows = [{"id": str(n), "x": x, "y": y, "z": 1.5, "speed": 0.6} for n, (x, y) in enumerate(probes)]
    fixture = {
        "caseId": "Q",
        "measurement": {"uRefHeightMeters": 10.0, "probeHeightMeters": 1.5},
        "inflow": {"kind": "power", "alpha": 0.2},
        "coordinates": {"modelScale": 1.0},
        "directions": [
            {"sourceAngleDegrees": angle, "windFromDegrees": angle, "uRefMps": 4.0, "probes": rows}
            for angle in (0, 225)
        ],
    }
    (folder / "fixture.json").write_text(json.dumps(fixture), encoding="utf-8")
    return folder


def test_an_unknown_case_runs_and_leaves_its_plots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wind_aij, "MOST_CELLS", 30_000)
    folder = write_unknown(tmp_path / "quarter of a town")
    assert main(["validate", str(folder), "--plots", str(tmp_path / "plots"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["kind"] == "wind"
    assert answer["passed"]  # nothing is demanded of it
    assert answer["metrics"]["points_225"] == 4
    found = read_record(tmp_path / "plots" / "quarter of a town.json")
    values = np.array([part["predicted"] for part in found["comparisons"]])
    assert values.shape == (2, 4)
    assert (values > 0.02).all()  # no probe stands inside its own ball
    assert (values < 1.5).all()
    assert [part["name"] for part in found["comparisons"]] == ["0", "225"]
    assert (tmp_path / "plots" / "quarter of a town.svg").is_file()
