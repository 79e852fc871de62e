"""Topics: cameras, rules, places, and what a project file keeps of them."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app import project_file
from app.cli import run_command_line
from app.document import Document
from app.look import ClipPlane, Section, SectionBox
from app.topic_elements import MOST_NAMED, components_of, condition, refs_of, terms, visibility_command, visibility_of
from app.topic_place import anchor_of, camera_of, eye_of, map_anchor, model_anchor, planes_of, section_of
from app.topic_results import findings_of, rows_by_severity, topics_of
from app.topics import AddTopics, ChangeTopic, RemoveTopics
from app.view.camera import Camera, looking, plan_of
from bim.bcf.model import PROGRAM, Component, Eye, ModelFile, Topic, Viewpoint
from bim.bcf.write import write_bcf
from geo.model import Bounds, Column, ElementRef, ElementTable, Layer, Points, Source, UserError
from geo.pose import pose_note
from tests.app.topic_models import FRAME, IDS, POSE, findings
from tests.bim.test_bcf import PNG, topic


def model_layer(count: int = 3, *, layer_id: str = "walls", path: str = "/data/Architectural.ifc") -> Layer:
    """What topics need of a model: ids, columns, a pose."""
    ids = [*IDS, *(f"{number:022d}" for number in range(count - 3))][:count]
    classes = ["IfcWall" if number % 2 else "IfcDoor" for number in range(count)]
    storeys = [f"{1 + number % 3}F" for number in range(count)]
    columns = {"class": Column(np.array(classes, dtype=object)), "storey": Column(np.array(storeys, dtype=object))}
    places = np.arange(count, dtype=np.float64)[:, None] * np.ones(3)
    return Layer(
        layer_id,
        layer_id,
        "bim",
        Points(places, np.arange(count, dtype=np.int32)),
        ElementTable(ids, columns),
        source=Source(path=path, digest="x", reader="ifc", part=layer_id),
        issues=(pose_note(POSE, level=50, source="test"),),
    )


def test_the_model_s_frame_is_turned_clockwise() -> None:
    """The y axis of a model turned by 30 degrees points to grid azimuth 30."""
    anchor = model_anchor("a.ifc", POSE, FRAME)
    zero = np.array([229_020.0, 435_010.0, 30.0])
    assert FRAME.to_map(anchor.to_scene((0.0, 0.0, 0.0))) == pytest.approx(zero)
    north = FRAME.to_map(anchor.to_scene((0.0, 10.0, 2.0))) - zero
    assert north == pytest.approx([10 * math.sin(math.radians(30)), 10 * math.cos(math.radians(30)), 2.0])
    assert anchor.from_scene(anchor.to_scene((1.0, 2.0, 3.0))) == pytest.approx((1.0, 2.0, 3.0))


@pytest.mark.parametrize(
    "camera",
    [
        looking(np.array([10.0, 20.0, 5.0]), azimuth=130.0, pitch=-30.0, distance=40.0, fov=50.0),
        Camera((0.0, 0.0, 9.0), (3.0, 4.0, 9.0), 60.0),
        plan_of(Bounds((0.0, 0.0, 0.0), (10.0, 8.0, 3.0)), level=1.0, aspect=1.5),
    ],
)
def test_a_camera_comes_back_from_a_topic(camera: Camera) -> None:
    for anchor in (map_anchor(FRAME), model_anchor("a.ifc", replace(POSE, rotation_deg=0.0), FRAME)):
        back = camera_of(eye_of(camera, anchor, aspect=1.5), anchor, None)
        assert back.position == pytest.approx(camera.position, abs=1e-6)
        assert back.forward == pytest.approx(camera.forward, abs=2e-3)
        assert (back.fov, back.parallel_height) == pytest.approx((camera.fov, camera.parallel_height))
        assert back.azimuth == pytest.approx(camera.azimuth, abs=0.1)


def test_a_plan_of_a_turned_model_stays_upright_to_the_model() -> None:
    """Up in the picture is the model's y axis: the picture is turned by 30 degrees against the map."""
    eye = Eye((0.0, 0.0, 50.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0), parallel_height=40.0)
    camera = camera_of(eye, model_anchor("a.ifc", POSE, FRAME), None)
    assert camera.azimuth == pytest.approx(30.0, abs=0.1)


def test_nothing_is_lost_at_the_sides_of_a_narrower_picture() -> None:
    eye = Eye((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), fov=40.0, aspect=2.0)
    camera = camera_of(eye, map_anchor(FRAME), None, aspect=1.0)
    assert math.tan(math.radians(camera.fov) / 2) == pytest.approx(2.0 * math.tan(math.radians(20.0)))
    assert camera_of(eye, map_anchor(FRAME), None, aspect=3.0).fov == pytest.approx(40.0)


def test_planes_come_back_and_a_box_is_six() -> None:
    anchor = model_anchor("a.ifc", POSE, FRAME)
    plane = ClipPlane((1.0, 2.0, 3.0), (0.6, 0.8, 0.0))
    (back,) = section_of(planes_of(Section(planes=(plane,)), anchor), anchor).planes
    assert back.point == pytest.approx(plane.point)
    assert back.normal == pytest.approx(plane.normal)
    box = planes_of(Section(box=SectionBox((0.0, 0.0, 0.0), (1.0, 2.0, 3.0))), anchor)
    assert len(box) == 6
    assert not section_of(box, anchor).keeps("", np.array([[0.5, 1.0, 3.5]]))[0]
    assert section_of(box, anchor).keeps("", np.array([[0.5, 1.0, 2.5]]))[0]


def test_coordinates_belong_to_the_model_that_is_named() -> None:
    other = model_layer(layer_id="other", path="/data/Estructura.ifc").with_(
        issues=(pose_note(replace(POSE, east=0.0), level=50, source="test"),), table=ElementTable(["x"])
    )
    layers = [other, model_layer()]
    near = Viewpoint("v", Eye((1.0, 2.0, 3.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
    far = replace(near, eye=near.eye and near.eye._replace(position=(229_000.0, 435_000.0, 50.0)))
    named = Topic("g", "t", files=(ModelFile("architectural.IFC"),))
    assert anchor_of(named, near, layers, FRAME).model == "Architectural.ifc"
    by_element = replace(near, selected=(Component(IDS[0]),))
    assert anchor_of(Topic("g", "t"), by_element, layers, FRAME).model == "Architectural.ifc"
    assert anchor_of(Topic("g", "t"), far, layers, FRAME).model == ""
    assert anchor_of(Topic("g", "t", on_map=True), near, layers, FRAME).model == ""
    with pytest.raises(UserError) as caught:
        anchor_of(named, near, [], FRAME)
    assert caught.value.code == "topics.no_model"


def test_few_elements_are_named_and_many_are_told_by_a_rule(tmp_path: Path) -> None:
    layer = model_layer(6000)
    doors = [r for r in layer.table.ids if layer.table.columns["class"].values[layer.table.index[r]] == "IfcDoor"]
    refs = [ElementRef(layer.id, guid) for guid in doors]
    assert len(refs) > MOST_NAMED
    components = components_of(refs, [layer])
    assert [c.rule for c in components] == ["class = IfcDoor"]
    found, missing = refs_of(components, [layer])
    assert set(found) == set(refs)
    assert not missing
    view = Viewpoint("v", selected=components)
    write_bcf(tmp_path / "a.bcf", [Topic("g", "doors", viewpoints=(view,))], version="2.1")
    assert (tmp_path / "a.bcf").stat().st_size < 3000
    few = components_of(refs[:3], [layer])
    assert [c.ifc_guid for c in few] == doors[:3]


def test_rules_are_exact_and_the_rest_is_named() -> None:
    layer = model_layer(6000)
    columns = layer.table.columns
    mine = [
        guid
        for guid, row in layer.table.index.items()
        if columns["class"].values[row] == "IfcWall" and columns["storey"].values[row] in ("1F", "2F")
    ]
    refs = [ElementRef(layer.id, guid) for guid in (*mine, IDS[0])]  # IDS[0] is a door
    components = components_of(refs, [layer])
    assert {c.rule for c in components if c.rule} == {
        "class = IfcWall and storey = 1F",
        "class = IfcWall and storey = 2F",
    }
    assert [c.ifc_guid for c in components if c.ifc_guid] == [IDS[0]]
    assert set(refs_of(components, [layer])[0]) == set(refs)


@pytest.mark.parametrize("value", ["2F", "walls and roof", 'say "hi"', "a = b", " x ", "지상 2층"])
def test_a_rule_keeps_odd_values(value: str) -> None:
    wanted = {"storey": value, "class": "IfcWall"}
    assert terms(condition(wanted)) == wanted


def test_what_is_hidden_is_kept_and_shown_again() -> None:
    layer = model_layer()
    hidden = layer.with_(style=replace(layer.style, hidden=frozenset([IDS[1]])))
    default, exceptions = visibility_of([hidden])
    assert default
    assert [c.ifc_guid for c in exceptions] == [IDS[1]]
    document = Document(FRAME)
    document.scene.add(layer)
    command, missing = visibility_command(Viewpoint("v", exceptions=exceptions), [layer])
    assert command is not None
    document.do(command)
    assert document.scene["walls"].style.hidden == frozenset([IDS[1]])
    document.history.undo()
    assert not document.scene["walls"].style.hidden
    only = Viewpoint("v", default_visible=False, exceptions=(Component(IDS[1]), Component("0" * 22)))
    command, missing = visibility_command(only, [layer])
    assert missing == ["0" * 22]
    assert command is not None
    document.do(command)
    assert document.scene["walls"].style.hidden == frozenset([IDS[0], IDS[2]])


def test_elements_of_the_city_are_named_by_layer_and_id() -> None:
    pipes = Layer("net/pipes", "pipes", "utility", None, ElementTable(["W1", "W2"]))
    refs = [ElementRef("net/pipes", "W2"), ElementRef("net/pipes")]
    components = components_of(refs, [pipes])
    assert components[0] == Component("", PROGRAM, "net/pipes/W2")
    assert refs_of(components, [pipes]) == (refs, [])


def test_topics_are_added_changed_removed_and_undone() -> None:
    document = Document()
    seen: list[int] = []
    document.topics.changed.connect(lambda: seen.append(len(document.topics)))
    first, second = topic(), replace(topic(), guid="b", title="second")
    document.do(AddTopics([first, second]))
    document.do(ChangeTopic(replace(first, status="Closed")))
    document.do(RemoveTopics(["b"]))
    assert [t.status for t in document.topics] == ["Closed"]
    document.do(AddTopics([first]))  # the same guid: in its place, not twice
    assert document.topics.items == (first,)
    for _ in range(4):
        document.history.undo()
    assert document.topics.items == ()
    assert seen == [2, 2, 1, 1, 1, 2, 2, 0]


def test_a_project_keeps_topics_and_their_pictures(tmp_path: Path) -> None:
    document = Document(FRAME)
    whole = replace(topic(), on_map=True)
    document.do(AddTopics([whole, replace(whole, guid="b", title="same picture")]))
    path = tmp_path / "city.twin"
    project_file.save(document, path)
    assert len(list((tmp_path / "city.results").glob("topic-*.png"))) == 1
    opened, loaded = project_file.open_document(path)
    assert opened.topics.items == document.topics.items
    assert loaded.issues == ()
    path.rename(tmp_path / "renamed.twin")
    assert project_file.open_document(tmp_path / "renamed.twin")[0].topics.items[0].snapshot == PNG
    opened.do(RemoveTopics([whole.guid, "b"]))
    project_file.save(opened, path)
    assert not list((tmp_path / "city.results").glob("topic-*"))


def test_a_project_of_the_first_version_still_opens(tmp_path: Path) -> None:
    path = tmp_path / "old.twin"
    project_file.save(Document(FRAME), path)
    manifest = json.loads(path.read_text(encoding="utf-8"))
    assert manifest["version"] == project_file.VERSION
    del manifest["topics"]
    path.write_text(json.dumps(manifest | {"version": 1}), encoding="utf-8")
    assert project_file.open_document(path)[0].topics.items == ()


def test_a_lost_picture_and_a_picture_elsewhere(tmp_path: Path) -> None:
    document = Document(FRAME)
    document.do(AddTopics([topic()]))
    path = tmp_path / "city.twin"
    project_file.save(document, path)
    for picture in (tmp_path / "city.results").glob("topic-*"):
        picture.unlink()
    loaded = project_file.load(path)
    assert [issue.code for issue in loaded.issues] == ["project.picture_lost"]
    assert loaded.topics[0].title == topic().title
    text = path.read_text(encoding="utf-8")
    name = json.loads(text)["topics"][0]["viewpoints"][0]["snapshot"]
    path.write_text(text.replace(name, "../../secret.png"), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        project_file.load(path)
    assert caught.value.code == "project.broken"


@pytest.mark.data
def test_the_command_line_puts_topics_into_a_project(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "city.twin"
    project_file.save(Document(FRAME), path)
    file = shared_data / "bcf/v2.0_MultipleTopics.bcfzip"
    assert run_command_line(["import", str(path), str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["topics"] == ["Topic one", "Topic two", "Topic three"]
    assert len(project_file.open_document(path)[0].topics) == 3
    assert run_command_line(["info", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["topics"] == 3


def test_findings_become_topics_the_gravest_first() -> None:
    pipe, pins = findings()
    assert findings_of([pipe, pins]) is pins
    rows = rows_by_severity(pins)
    assert rows == [1, 2, 0]
    made = topics_of(pins, rows, layers=[pipe, pins], frame=FRAME, author="kim", limit=2)
    assert [t.priority for t in made] == ["High", "Normal"]
    assert made[0].viewpoints[0].selected == (Component("", PROGRAM, "pipes/W1"),)
    assert made[1].viewpoints[0].selected == ()
    assert "course" in made[0].title
    assert "0.7 m" in made[1].description.replace("0.700", "0.7")
    eye = made[1].viewpoints[0].eye
    assert eye is not None
    camera = camera_of(eye, map_anchor(FRAME), None)
    assert camera.focus == pytest.approx((20.0, 5.0, 1.0), abs=1e-6)
    assert made[0].on_map
