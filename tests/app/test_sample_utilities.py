"""The sample's underground: a sound network has almost no finding, and every planted error is found."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from app.cases import find_case
from app.cases.planted_errors import score
from app.sample import buildings, roads, terrain, utilities
from app.sample.district import plan_district
from app.sample.mixed_services import service_stubs
from app.sample.plan import CENTRE, Ground, Plan
from app.sample.utility_names import ALL, MAPS
from geo.model import Feedback, Layer, UserError

SEED = 51
CHECKS = {
    *("depth_missing", "depth_range", "cover_low", "floating", "uphill", "shrinks", "duplicate", "separation"),
    *("crosses_building", "outside_road"),
}


@pytest.fixture(scope="module")
def district() -> tuple[Plan, Ground]:
    plan = plan_district(SEED, Feedback())
    return plan, terrain.build(plan, SEED, Feedback())


@pytest.fixture(scope="module")
def folder(district: tuple[Plan, Ground], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("underground")
    plan, ground = district
    terrain.write(ground, out / "terrain.tif")
    buildings.write(buildings.city_json(plan, ground, Feedback()), out / "buildings.city.json")
    roads.write_roads(plan, out / "roads.gpkg")
    utilities.write(utilities.lay(plan, ground, SEED, Feedback()), out)
    return out


@pytest.fixture(scope="module")
def truth(folder: Path) -> dict:
    return json.loads((folder / "utilities_truth.json").read_text(encoding="utf-8"))


def test_every_planted_error_is_found_with_few_false_alarms(folder: Path, truth: dict) -> None:
    result = find_case(folder).run(folder, Feedback())
    print("\n", json.dumps(dict(result.metrics), indent=1))
    assert result.passed
    assert result.metrics["found"] == len(truth["planted"]) >= 60
    assert result.metrics["false_alarm_share"] <= 0.02
    assert {entry["check"] for entry in truth["planted"]} == CHECKS


def test_a_missed_error_and_a_false_alarm_are_counted() -> None:
    planted = [{"id": "a", "check": "uphill"}, {"id": "b", "check": "duplicate"}]
    rows = [
        {"check": "duplicate", "element": "c", "other": "b"},
        {"check": "cover_low", "element": "a", "other": ""},
        {"check": "separation", "element": "d", "other": "e"},
    ]
    figures = score(planted, rows, 52)
    assert (figures["found"], figures["false_alarms"]) == (1, 1)
    assert figures["false_alarm_share"] == pytest.approx(1 / 50)


def test_a_case_without_its_maps_is_refused_calmly(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "utilities_truth.json"
    path.write_text((folder / path.name).read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        find_case(path).run(path, Feedback())
    assert caught.value.code == "case.planted_damaged"


def test_the_map_is_flat_and_the_registers_hold_the_depths(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} >= set(ALL)
    for name, register in MAPS:
        for layer, _ in pyogrio.list_layers(folder / name):
            info = pyogrio.read_info(folder / name, layer=layer)
            assert "Z" not in info["geometry_type"]
            assert "25D" not in info["geometry_type"]
            assert info["crs"] == "EPSG:5186"
            if register:
                assert not {"LOW_DEP", "HGH_DEP", "SBK_ALT", "PIP_DIP"} & set(info["fields"])
    with (folder / "WTL_PIPE_register.csv").open(encoding="cp949", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"FTR_IDN", "IST_YMD", "MOP_CDE", "PIP_DIP", "LOW_DEP", "HGH_DEP"} <= set(rows[0])
    assert "덕타일주철관" in {row["MOP_NM"] for row in rows}


def test_the_same_seed_gives_the_same_files(district: tuple[Plan, Ground], folder: Path, tmp_path: Path) -> None:
    plan, ground = district
    utilities.write(utilities.lay(plan, ground, SEED, Feedback()), tmp_path)
    for made in tmp_path.iterdir():
        assert made.read_bytes() == (folder / made.name).read_bytes(), made.name


def test_pipes_end_at_the_stubs_of_the_mixed_use_building(district: tuple[Plan, Ground], folder: Path) -> None:
    layers = _imported(folder)
    plan, ground = district
    for stub in service_stubs(plan, ground):
        at = np.array([stub.x + CENTRE[0], stub.y + CENTRE[1], stub.z])
        nearest = min(
            np.linalg.norm(layer.geometry.vertices + layer_origin - at, axis=1).min()
            for layer, layer_origin in layers
            if stub.utility in set(layer.table.columns["utility"].values.tolist())
        )
        assert nearest < 0.02, stub.utility


def _imported(folder: Path) -> list[tuple[Layer, np.ndarray]]:
    from app.importer import ImportOptions, import_files

    ground = import_files([folder / "terrain.tif"], frame=None)
    out = []
    for name, register in MAPS[:-1]:
        options = ImportOptions(own={"join": register})
        made = import_files([folder / name], frame=ground.frame, layers=ground.layers, options=options)
        out += [(layer, np.array(made.frame.origin)) for layer in made.layers]
    return out


def test_mains_lie_between_the_edges_of_their_street(district: tuple[Plan, Ground]) -> None:
    plan, ground = district
    sound = utilities.lay(plan, ground, SEED, Feedback(), errors=False)
    streets = shapely.union_all([s.line.buffer(s.width / 2 + 0.5) for s in plan.streets if s.width > 3])
    mains = shapely.union_all([shapely.LineString(pipe.points) for pipe in sound.pipes if pipe.role == "main"])
    assert mains.difference(streets).length < 0.002 * mains.length
    assert {pipe.utility for pipe in sound.pipes} == {
        *("water", "storm", "sewage", "gas", "power", "telecom", "heat", "waste", "tunnel")
    }
    assert not sound.planted


def test_sewers_fall_and_grow_all_the_way_to_an_outfall(district: tuple[Plan, Ground]) -> None:
    plan, ground = district
    sound = utilities.lay(plan, ground, SEED, Feedback(), errors=False)
    for utility, end in (("storm", "outfall"), ("sewage", "pump")):
        pipes = [pipe for pipe in sound.pipes if pipe.utility == utility and pipe.role == "main"]
        assert all(pipe.inverts[0] > pipe.inverts[1] for pipe in pipes)
        below = {tuple(pipe.points[0]): pipe for pipe in pipes}
        ends = {node.point for node in sound.nodes if node.utility == utility and node.kind == end}
        for pipe in pipes:
            after = below.get(tuple(pipe.points[-1]))
            if after is None:
                assert tuple(pipe.points[-1]) in ends
            else:
                assert after.diameter >= pipe.diameter
                assert after.inverts[0] <= pipe.inverts[1] + 1e-9
