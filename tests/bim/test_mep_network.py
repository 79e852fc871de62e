"""Pipes, ducts and cables of models as a network, against what the files themselves say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.network.declaration import TraceInputs, TraceParams
from analysis.network.trace import trace
from bim.formats.ifc import FORMAT
from bim.placement import IfcOptions
from geo.crs import make_frame
from geo.formats.contract import ReadOptions
from geo.model import Feedback, Frame, Grid, Layer, Lines, Points
from geo.model import conventions as words

FRAME = make_frame("EPSG:5186", 229_000.0, 435_500.0)


def network(path: Path, frame: Frame = FRAME, **options: Any) -> dict[str, Layer]:
    own = IfcOptions(network=False, **options)
    return {layer.id: layer for layer in FORMAT.read(path, frame, ReadOptions(own=own), Feedback())}


def texts(layer: Layer, name: str) -> list[str]:
    return [str(value) for value in layer.table.columns[name].values]


def ends_of(layer: Layer) -> np.ndarray:
    """(n, 2, 3) first and last vertex of each line."""
    shape = layer.geometry
    assert isinstance(shape, Lines)
    return shape.vertices[np.column_stack([shape.offsets[:-1], shape.offsets[1:] - 1])]


@pytest.mark.data
def test_buried_pipes_have_the_axes_and_joints_of_the_file(shared_data: Path) -> None:
    import ifcopenshell

    path = shared_data / "utilities/citygml_ade/Testfeld1.ifc"
    found = network(path, placement="scene")
    pipes, nodes = found["mep_lines"], found["mep_nodes"]
    file = ifcopenshell.open(path)
    segments = {one.GlobalId: one for one in file.by_type("IfcFlowSegment")}
    assert set(pipes.table.ids.tolist()) == set(segments)
    assert len(nodes.table) == len(file.by_type("IfcRelConnectsPorts")) == 127
    stated = [segments[name].Representation.Representations[0].Items[0] for name in pipes.table.ids.tolist()]
    ends = ends_of(pipes)
    assert np.allclose(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1), [one.Depth for one in stated], atol=1e-6)
    radius = np.array([one.SweptArea.Radius for one in stated])
    assert np.allclose(pipes.table.columns[words.DIAMETER].values, 2 * radius)
    low = np.array([segments[n].ObjectPlacement.RelativePlacement.Location.Coordinates for n in pipes.table.ids])
    shift = ends[0, 0] - low[0]
    near = np.min(np.linalg.norm(ends - (low + shift)[:, None], axis=2), axis=1)
    assert near.max() < 1e-6  # every placement is at an end of its axis
    assert not pipes.style.visible
    assert pipes.stratum == found["mep"].stratum


@pytest.mark.data
def test_a_hot_water_system_runs_from_the_boiler_to_basin_and_bath(shared_data: Path) -> None:
    found = network(shared_data / "ifc/domestic-hot-water.ifc", placement="scene")
    pipes, nodes = found["mep_lines"], found["mep_nodes"]
    assert set(texts(pipes, words.UTILITY)) == {"water"}
    assert Counter(texts(pipes, "class")) == {"IfcPipeSegment": 9, "IfcRelConnectsPorts": 2}  # valves on fixtures
    assert Counter(texts(nodes, words.NODE)) == {"junction": 6, "valve": 2, "service": 2, "other": 1}
    boiler = str(nodes.table.ids[texts(nodes, "class").index("IfcBoiler")])
    reached = trace(
        TraceInputs(frame=FRAME, pipes=(pipes,), nodes=(nodes,), links=()), TraceParams(start=boiler), Feedback()
    )
    kinds = Counter(next(t for t in reached.tables if t.id == "traced_nodes").columns["node"].values)
    assert kinds["service"] == 2
    assert kinds["valve"] == 2


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Layer]:
    """The mixed-use building of the sample."""
    from app.sample import mixed_use
    from app.sample.district import plan_district
    from app.sample.terrain import build

    path = tmp_path_factory.mktemp("mep") / "mixed_use.ifc"
    plan = plan_district(51, Feedback())
    mixed_use.write(plan, build(plan, 51, Feedback()), path, seed=51, feedback=Feedback())
    return network(path)


def reached_from(building: dict[str, Layer], start: str) -> list[dict[str, object]]:
    lines, nodes = building["mep_lines"], building["mep_nodes"]
    inputs = TraceInputs(frame=FRAME, pipes=(lines,), nodes=(nodes,), links=())
    found = trace(inputs, TraceParams(start=start), Feedback())
    table = next(one for one in found.tables if one.id == "traced_nodes")
    return [nodes.table.row(str(element)) for element in table.columns["element"].values]


def stub(building: dict[str, Layer], name: str) -> str:
    lines = building["mep_lines"]
    return str(lines.table.ids[texts(lines, "name").index(name)])


def test_water_runs_port_by_port_from_the_stub_to_the_basins_of_the_dwellings(building: dict[str, Layer]) -> None:
    reached = reached_from(building, stub(building, "급수 인입관"))
    basins = Counter(str(row["storey"]) for row in reached if row["node"] == "service")
    assert basins == {"2F": 3, "5F": 8, "6F": 8}  # the storeys with pipes; those above have fixtures only
    assert {str(row["name"])[:4] for row in reached if row["storey"] == "5F" and row["node"] == "service"} == {
        f"{number}호" for number in range(501, 509)
    }
    assert not any(building["mep_lines"].table.columns[words.DERIVED].values)


def test_a_fixture_is_a_node_of_the_water_and_of_the_drain(building: dict[str, Layer]) -> None:
    drained = [row for row in reached_from(building, stub(building, "오수 인입관")) if row["node"] == "service"]
    assert Counter(str(row["storey"]) for row in drained) == {"2F": 3, "5F": 8, "6F": 8}
    assert {row["utility"] for row in drained} == {"sewage"}


def test_every_service_enters_through_the_wall_and_lies_indoors(building: dict[str, Layer]) -> None:
    from app.sample.mixed_services import SERVICES

    lines = building["mep_lines"]
    assert lines.stratum == building["mep_nodes"].stratum == "indoor"
    ends, names = ends_of(lines), texts(lines, "name")
    for service in SERVICES:
        row = names.index(f"{service.name} 인입관")
        assert texts(lines, words.UTILITY)[row] == service.utility
        assert lines.table.columns[words.DIAMETER].values[row] == pytest.approx(service.diameter)
        assert texts(lines, words.FROM_NODE)[row] == ""  # the free end comes first, as the ports are listed
        assert abs(ends[row, 0, 2] - ends[row, 1, 2]) < 1e-6
    assert isinstance(building["mep_nodes"].geometry, Points)


def plain_pipes(path: Path, *, gap: float) -> None:
    """Two pipes end to end with a gap between them, without ports."""
    import ifcopenshell
    from ifcopenshell.api import run

    file = run("project.create_file", version="IFC4")
    run("root.create_entity", file, ifc_class="IfcProject", name="pipes")
    run("unit.assign_unit", file, length={"is_metric": True, "raw": "METERS"})
    model = run("context.add_context", file, context_type="Model")
    body = run(
        "context.add_context", file, context_type="Model", context_identifier="Body", target_view="MODEL_VIEW",
        parent=model,
    )  # fmt: skip
    profile = file.createIfcCircleProfileDef("AREA", None, None, 0.05)
    for number, start in enumerate((0.0, 2.0 + gap)):
        pipe = run("root.create_entity", file, ifc_class="IfcPipeSegment", name=f"gas {number}")
        place = file.createIfcAxis2Placement3D(
            file.createIfcCartesianPoint((start, 0.0, 0.0)), file.createIfcDirection((1.0, 0.0, 0.0)),
            file.createIfcDirection((0.0, 1.0, 0.0)),
        )  # fmt: skip
        solid = file.createIfcExtrudedAreaSolid(profile, place, file.createIfcDirection((0.0, 0.0, 1.0)), 2.0)
        shape = file.createIfcShapeRepresentation(body, "Body", "SweptSolid", [solid])
        run("geometry.assign_representation", file, product=pipe, representation=shape)
        pipe.ObjectPlacement = file.createIfcLocalPlacement(
            None, file.createIfcAxis2Placement3D(file.createIfcCartesianPoint((0.0, 0.0, 0.0)))
        )
    assert isinstance(file, ifcopenshell.file)
    file.write(str(path))


@pytest.mark.parametrize(("gap", "joined"), [(0.0, 1), (0.05, 1), (0.3, 0)])
def test_ends_that_meet_without_ports_are_joined_and_marked_derived(tmp_path: Path, gap: float, joined: int) -> None:
    plain_pipes(tmp_path / "pipes.ifc", gap=gap)
    found = network(tmp_path / "pipes.ifc", placement="scene")
    pipes = found["mep_lines"]
    assert set(texts(pipes, words.UTILITY)) == {"gas"}  # by the word in the name
    assert np.allclose(pipes.table.columns[words.LENGTH].values, 2.0)
    assert np.allclose(pipes.table.columns[words.DIAMETER].values, 0.1)
    assert len(found["mep_nodes"].table if "mep_nodes" in found else ()) == joined
    assert [bool(value) for value in pipes.table.columns[words.DERIVED].values] == [bool(joined)] * 2
    shared = set(texts(pipes, words.TO_NODE) + texts(pipes, words.FROM_NODE)) - {""}
    assert len(shared) == joined


@pytest.mark.data
def test_pipes_that_lie_underground_say_how_their_depth_is_known(shared_data: Path) -> None:
    path = shared_data / "utilities/citygml_ade/Testfeld1.ifc"
    ground = Grid(np.full((20, 20), 10.0), -200.0, -200.0, 20.0)
    own = IfcOptions(network=False, at_east=FRAME.origin[0], at_north=FRAME.origin[1], at_height=0.0)
    layers = {layer.id: layer for layer in FORMAT.read(path, FRAME, ReadOptions(own=own, terrain=ground), Feedback())}
    assert layers["mep"].stratum == layers["mep_lines"].stratum == "underground"
    assert set(texts(layers["mep_lines"], words.DEPTH_QUALITY)) == {"register"}


@pytest.mark.data
def test_without_the_option_there_is_no_network(shared_data: Path) -> None:
    found = network(shared_data / "ifc/domestic-hot-water.ifc", placement="scene", mep_network=False)
    assert not {"mep_lines", "mep_nodes"} & set(found)


def test_a_network_that_cannot_be_made_leaves_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain_pipes(tmp_path / "pipes.ifc", gap=0.0)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("attribute 3 of #17 is no entity")

    monkeypatch.setattr("bim.mep_network.read_ports", broken)
    found = network(tmp_path / "pipes.ifc", placement="scene")
    assert set(found) == {"mep"}
    assert [issue.values["reason"] for issue in found["mep"].issues if issue.code == "mep.failed"] == [
        "attribute 3 of #17 is no entity"
    ]
