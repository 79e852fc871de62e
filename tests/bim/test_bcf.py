"""BCF files of other programs are read as they say; what is written is read by an independent library; hostile ones."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bim.bcf.archive import inside
from bim.bcf.model import (
    PROGRAM,
    RULE,
    Archive,
    Comment,
    Component,
    Eye,
    ModelFile,
    Plane,
    Topic,
    Viewpoint,
    within_angles,
)
from bim.bcf.read import read_bcf
from bim.bcf.write import write_bcf
from bim.formats.bcf import FORMAT
from geo.model import UserError

PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde\0\0\0\x0cIDAT\x08\xd7c\xf8\xcf\xc0\0\0\3\1\1\0"
    b"\x18\xdd\x8d\xb0\0\0\0\0IEND\xaeB`\x82"
)
MARKUP = '<Markup><Topic Guid="{guid}"><Title>{title}</Title></Topic></Markup>'
GUIDS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")


@pytest.fixture
def files(shared_data: Path) -> Path:
    """The folder of real BCF files."""
    return shared_data / "bcf"


def one(archive: Archive) -> tuple[Topic, Viewpoint]:
    """The only topic of a file and its only view."""
    assert len(archive.topics) == 1
    (topic,) = archive.topics
    (view,) = topic.viewpoints
    return topic, view


# ---- real files


@pytest.mark.data
def test_every_file_opens_with_its_pictures(files: Path) -> None:
    found = sorted(path for path in files.iterdir() if path.suffix in (".bcf", ".bcfzip"))
    assert len(found) >= 9
    for path in found:
        archive = read_bcf(path)
        assert not [issue for issue in archive.issues if issue.severity == "error"], path.name
        assert FORMAT.sniff(path, path.read_bytes()[:4096]), path.name
        for topic in archive.topics:
            assert topic.title, path.name
            assert topic.snapshot.startswith(b"\x89PNG"), path.name
            assert all(view.eye is not None for view in topic.viewpoints), path.name


@pytest.mark.data
def test_camera_of_3_0(files: Path) -> None:
    topic, view = one(read_bcf(files / "v3.0_PerspectiveCamera.bcf"))
    assert view.eye is not None
    assert view.eye.position == (17.774198017120362, -28.595696754455595, 8.034313440322876)
    assert view.eye.direction == pytest.approx((-0.43062979, 0.89948583, -0.07404891), abs=1e-7)
    assert view.eye.fov == 29.39495760413827
    assert view.eye.aspect == pytest.approx(16 / 9)
    assert (topic.type, topic.status, topic.author) == ("OTHER", "OPEN", "blackhole@aconex.com")
    assert [file.name for file in topic.files] == ["Architectural.ifc", "MEP.ifc"]
    assert view.spaces_visible
    assert {c.ifc_guid for c in view.exceptions} == {"1m5wAJelDFdhn6qBdOGjos", "1bbI761TbBCOoIa5Kt6PXt"}


@pytest.mark.data
def test_clipping_plane_of_2_0(files: Path) -> None:
    topic, view = one(read_bcf(files / "v2.0_Clippingplane.bcfzip"))
    assert view.planes == (Plane((0.0, 0.0, 7.665119721718699), (0.0, 0.0, 1.0)),)
    assert topic.created is not None
    assert topic.created.isoformat() == "2015-06-09T11:18:46+03:00"
    assert topic.comments[0].author == "rahul.sule"


@pytest.mark.data
def test_selection_of_2_1(files: Path) -> None:
    archive = read_bcf(files / "v2.1_ComponentSelection.bcf")
    _, view = one(archive)
    wanted = ["1GU8BMEqHBQxVAbwRD$4Jj", "0AQJSsoeDDvwVqSNcwjy55", "3DOu_tSXP6evQgY8Ml4CtC"]
    assert [c.ifc_guid for c in view.selected] == wanted
    assert view.default_visible
    assert not view.exceptions
    assert [issue.code for issue in archive.issues] == ["bcf.embedded_models"]


@pytest.mark.data
def test_invisible_wall_of_2_1(files: Path) -> None:
    archive = read_bcf(files / "v2.1_SingleInvisibleWall.bcf")
    topic, view = one(archive)
    assert view.default_visible
    assert view.exceptions == (Component("1E8YkwPMfB$h99jtn_uAjI", "https://bimsync.com"),)
    assert [comment.text for comment in topic.comments] == ["Some comment text", ""]
    assert topic.comments[1].viewpoint == view.guid == "194f2ccb-9526-4f41-bfe0-635397a79873"
    assert archive.project == "My project"


@pytest.mark.data
def test_topics_come_in_the_order_of_the_file(files: Path) -> None:
    topics = read_bcf(files / "v2.0_MultipleTopics.bcfzip").topics
    assert [topic.title for topic in topics] == ["Topic one", "Topic two", "Topic three"]
    assert topics[2].links == ("http://www.referencethree.com",)
    assert topics[2].assigned == "user_three@company.com"


@pytest.mark.data
def test_labels_of_3_0(files: Path) -> None:
    topic, _ = one(read_bcf(files / "v3.0_Labels.bcf"))
    assert topic.labels == ("Architects",)
    assert topic.comments[0].text == "Here is a viewpoint also"


@pytest.mark.data
def test_a_file_without_version_is_read_by_what_it_holds(files: Path) -> None:
    archive = read_bcf(files / "schependomlaan_Controle_Ytong_2015-04-01.bcfzip")
    assert len(archive.topics) == 2
    assert archive.version == ""
    assert "bcf.no_version" in {issue.code for issue in archive.issues}
    view = archive.topics[0].viewpoints[0]
    assert view.selected[0].ifc_guid == "1fDCTPwoDCwQjPVZtcx23B"  # 2.0: an element that says nothing is the topic's
    assert view.planes[0].point == (6.2668573675965025, 12.554906117506139, 2.6210000523967212)


@pytest.mark.data
def test_what_is_not_kept_is_said(files: Path) -> None:
    archive = read_bcf(files / "v3.0_DocumentReferenceInternal.bcf")
    assert [issue.code for issue in archive.issues] == ["bcf.not_kept"]
    assert FORMAT.inspect(files / "v3.0_DocumentReferenceInternal.bcf").counts["topics"] == 1


@pytest.mark.data
@pytest.mark.parametrize("version", ["2.1", "3.0"])
def test_real_topics_survive_being_written(files: Path, tmp_path: Path, version: str) -> None:
    for path in sorted(files.glob("*.bcf*")):
        topics = read_bcf(path).topics
        if any(topic.created is None for topic in topics):  # every version wants a date: that of the first comment
            topics = tuple(replace(topic, created=topic.comments[0].created) for topic in topics)
        issues = write_bcf(tmp_path / "out.bcf", topics, version=version)
        if issues:
            assert version == "2.1"
            assert path.name == "v3.0_PerspectiveCamera.bcf"
            continue
        assert read_bcf(tmp_path / "out.bcf").topics == topics, path.name


# ---- what we write


def topic() -> Topic:
    """A topic that has everything."""
    day = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    view = Viewpoint(
        guid="33333333-3333-4333-8333-333333333333",
        eye=Eye((1.5, -2.25, 3.0), (0.6, 0.8, 0.0), (0.0, 0.0, 1.0), 50.0, 0.0, 1.5),
        planes=(Plane((0.0, 1.0, 2.0), (0.0, 0.0, 1.0)), Plane((3.0, 0.0, 0.0), (-1.0, 0.0, 0.0))),
        selected=(Component("1GU8BMEqHBQxVAbwRD$4Jj"), Component("", PROGRAM, "pipes/W1")),
        default_visible=False,
        exceptions=(Component("", PROGRAM, f"{RULE}class = IfcWall and storey = 2F"),),
        spaces_visible=True,
        colouring=(("#ff8000", (Component("0AQJSsoeDDvwVqSNcwjy55"),)),),
        snapshot=PNG,
    )
    plan = Viewpoint(
        "44444444-4444-4444-8444-444444444444",
        Eye((0.0, 0.0, 50.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0), parallel_height=40.0),
    )
    comment = Comment(
        GUIDS[1], "Bitte <prüfen> & 확인\nzweite Zeile", "kim@example.org", day, viewpoint=view.guid, modified=day
    )
    return Topic(
        guid=GUIDS[0],
        title="벽이 배관과 <부딪힘> & more",
        description="first line\nsecond line",
        type="Clash",
        status="Open",
        priority="High",
        labels=("MEP", "구조"),
        author="lee@example.org",
        created=day,
        modified=day,
        modified_author="kim@example.org",
        assigned="park@example.org",
        due=day,
        stage="Design",
        comments=(comment,),
        viewpoints=(view, plan),
        files=(ModelFile("Architectural.ifc", "2SugUv4EX5LAhcVpDp2dUH", day),),
        links=("https://example.org/1",),
        index=0,
    )


@pytest.mark.parametrize("version", ["2.1", "3.0"])
def test_a_topic_is_read_back_as_it_was(tmp_path: Path, version: str) -> None:
    wanted = topic()
    if version == "2.1":  # has no aspect ratio
        wanted = replace(
            wanted, viewpoints=tuple(replace(v, eye=v.eye and v.eye._replace(aspect=1.0)) for v in wanted.viewpoints)
        )
    assert write_bcf(tmp_path / "a.bcf", [wanted], version=version, project="세종") == []
    archive = read_bcf(tmp_path / "a.bcf")
    assert archive.topics == (wanted,)
    assert (archive.version, archive.project, archive.issues) == (version, "세종", ())
    assert archive.topics[0].viewpoints[0].exceptions[0].rule == "class = IfcWall and storey = 2F"


@pytest.mark.parametrize("version", ["2.1", "3.0"])
def test_an_independent_library_reads_the_same(tmp_path: Path, version: str) -> None:
    bcf = pytest.importorskip("bcf.bcfxml")
    write_bcf(tmp_path / "a.bcf", [topic()], version=version)
    with bcf.load(tmp_path / "a.bcf") as file:
        (handler,) = file.topics.values()
        assert (handler.topic.title, handler.topic.topic_type) == (topic().title, "Clash")
        assert handler.topic.priority == "High"
        assert [comment.author for comment in handler.comments] == ["kim@example.org"]
        view = next(v for v in handler.viewpoints.values() if v.visualization_info.perspective_camera)
        camera = view.visualization_info.perspective_camera
        place = camera.camera_view_point
        assert (place.x, place.y, place.z, camera.field_of_view) == (1.5, -2.25, 3.0, 50.0)
        components = view.visualization_info.components
        assert components.selection.component[0].ifc_guid == "1GU8BMEqHBQxVAbwRD$4Jj"
        assert components.selection.component[1].authoring_tool_id == "pipes/W1"
        assert components.visibility.default_visibility is False
        assert len(view.visualization_info.clipping_planes.clipping_plane) == 2
        assert view.snapshot == PNG
        plan = next(v for v in handler.viewpoints.values() if v.visualization_info.orthogonal_camera)
        assert plan.visualization_info.orthogonal_camera.view_to_world_scale == 40.0


def test_the_same_topics_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_bcf(tmp_path / f"{name}.bcf", [topic()])
    assert (tmp_path / "a.bcf").read_bytes() == (tmp_path / "b.bcf").read_bytes()


def test_an_angle_that_2_1_does_not_know_keeps_what_is_seen(tmp_path: Path) -> None:
    eye = Eye((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), fov=30.0, distance=100.0)
    moved = within_angles(eye, 45.0, 60.0)
    # At the point looked at the picture is as high as before: d tan(fov / 2) is the same; tan 15 = 0.267949 and
    # tan 22.5 = 0.414214 give 64.689 m.
    assert moved.fov == 45.0
    assert moved.position[1] == pytest.approx(100.0 - 64.689, abs=1e-3)
    narrow = replace(topic(), viewpoints=(Viewpoint(GUIDS[1], eye),))
    issues = write_bcf(tmp_path / "a.bcf", [narrow], version="2.1")
    assert [issue.code for issue in issues] == ["bcf.angle_changed"]
    back = read_bcf(tmp_path / "a.bcf").topics[0].viewpoints[0].eye
    assert back is not None
    assert back.fov == 45.0
    assert back.position == pytest.approx(moved.position)
    assert write_bcf(tmp_path / "a.bcf", [narrow], version="3.0") == []


def test_guids_and_texts_that_the_schema_forbids(tmp_path: Path) -> None:
    odd = replace(topic(), guid="Topic 7", title="bell \x07 and \ud800", type="", status="", author="")
    write_bcf(tmp_path / "a.bcf", [odd])
    back = read_bcf(tmp_path / "a.bcf").topics[0]
    assert len(back.guid) == 36
    assert back.title == "bell  and"
    assert (back.type, back.status, back.author) == ("", "", "")
    write_bcf(tmp_path / "b.bcf", [odd])
    assert read_bcf(tmp_path / "b.bcf").topics[0].guid == back.guid


# ---- bad files


def archive_of(path: Path, members: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def good(number: int = 0, title: str = "good") -> str:
    return MARKUP.format(guid=GUIDS[number], title=title)


@pytest.mark.parametrize(
    "broken",
    [
        "<Markup><Topic>",
        "<Markup/>",
        "",
        '<!DOCTYPE Markup [<!ENTITY x SYSTEM "file:///etc/passwd">]><Markup><Topic><Title>&x;</Title></Topic></Markup>',
        '<!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Markup><Topic><Title>&b;</Title></Topic></Markup>',
    ],
)
def test_one_broken_topic_does_not_lose_the_others(tmp_path: Path, broken: str) -> None:
    path = archive_of(tmp_path / "a.bcf", {"a/markup.bcf": broken, "b/markup.bcf": good()})
    archive = read_bcf(path)
    assert [found.title for found in archive.topics] == ["good"]
    assert [issue.code for issue in archive.issues if issue.severity == "error"] == ["bcf.broken_topic"]


def test_entities_in_another_encoding_are_refused(tmp_path: Path) -> None:
    text = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE m [<!ENTITY a "x">]><Markup><Topic/></Markup>'
    path = archive_of(tmp_path / "a.bcf", {"a/markup.bcf": text.encode("utf-16"), "b/markup.bcf": good()})
    assert len(read_bcf(path).topics) == 1


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = b"<Markup>" + b" " * (80 << 20) + b"</Markup>"
    path = archive_of(tmp_path / "a.bcf", {"a/markup.bcf": bomb, "b/markup.bcf": good()})
    assert path.stat().st_size < 1 << 20
    archive = read_bcf(path)
    assert len(archive.topics) == 1
    assert "unpack" in archive.issues[-1].message


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a/markup.bcf", "a/markup.bcf"),
        ("a\\markup.bcf", "a/markup.bcf"),
        ("./a//b", "a/b"),
        ("../a", None),
        ("a/../../b", None),
        ("/etc/passwd", None),
        ("C:/x", None),
        ("..\\x", None),
    ],
)
def test_names_stay_in_the_archive(name: str, kept: str | None) -> None:
    assert inside(name) == kept


def test_paths_that_lead_outside_are_said(tmp_path: Path) -> None:
    view = (
        f'<Markup><Topic Guid="{GUIDS[0]}"><Title>t</Title></Topic><Viewpoints Guid="{GUIDS[1]}">'
        "<Viewpoint>../../../etc/passwd</Viewpoint><Snapshot>../../secret.png</Snapshot></Viewpoints></Markup>"
    )
    path = archive_of(tmp_path / "a.bcf", {"a/markup.bcf": view, "../secret.png": PNG})
    archive = read_bcf(path)
    assert archive.topics[0].snapshot == b""
    assert {issue.code for issue in archive.issues} >= {"bcf.bad_path", "bcf.broken_viewpoint", "bcf.broken_picture"}


@pytest.mark.parametrize(
    "camera",
    [
        "<X>nan</X><Y>0</Y><Z>0</Z>",
        "<X>1</X><Y>0</Y>",
        "<X>one</X><Y>0</Y><Z>0</Z>",
    ],
)
def test_a_broken_camera_loses_only_its_view(tmp_path: Path, camera: str) -> None:
    vector = "<X>0</X><Y>1</Y><Z>0</Z>"
    info = (
        f"<VisualizationInfo><PerspectiveCamera><CameraViewPoint>{camera}</CameraViewPoint><CameraDirection>{vector}"
        f"</CameraDirection><CameraUpVector>{vector}</CameraUpVector></PerspectiveCamera></VisualizationInfo>"
    )
    path = archive_of(tmp_path / "a.bcf", {"a/markup.bcf": good(), "a/viewpoint.bcfv": info, "a/snapshot.png": PNG})
    archive = read_bcf(path)
    assert archive.topics[0].viewpoints[0].eye is None
    assert archive.topics[0].snapshot == PNG
    assert "bcf.broken_viewpoint" in {issue.code for issue in archive.issues}


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"hello", b"PK\x03\x04" + b"\0" * 500])
def test_what_is_no_archive(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.bcf").write_bytes(data)
    with pytest.raises(UserError) as caught:
        read_bcf(tmp_path / "a.bcf")
    assert caught.value.code == "bcf.not_bcf"


def test_a_cut_file_is_told(tmp_path: Path) -> None:
    write_bcf(tmp_path / "a.bcf", [topic()])
    data = (tmp_path / "a.bcf").read_bytes()
    for share in (0.2, 0.5, 0.9, 0.99):
        (tmp_path / "cut.bcf").write_bytes(data[: int(len(data) * share)])
        with pytest.raises(UserError):
            read_bcf(tmp_path / "cut.bcf")


def test_damaged_bytes_never_crash_the_reader(tmp_path: Path) -> None:
    write_bcf(tmp_path / "a.bcf", [topic()])
    data = bytearray((tmp_path / "a.bcf").read_bytes())
    for place in range(0, len(data), 37):
        broken = bytearray(data)
        broken[place] ^= 0xFF
        (tmp_path / "b.bcf").write_bytes(broken)
        try:
            read_bcf(tmp_path / "b.bcf")
        except UserError as error:
            assert error.code == "bcf.not_bcf"


def test_an_archive_of_something_else_has_no_topics(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "a.zip", {"readme.txt": "hello"})
    assert not FORMAT.sniff(path, path.read_bytes()[:4096])
    with pytest.raises(UserError):
        read_bcf(path)


def test_two_topics_with_one_guid_are_both_kept(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "a.bcf", {"a/markup.bcf": good(0, "one"), "b/markup.bcf": good(0, "two")})
    topics = read_bcf(path).topics
    assert [found.title for found in topics] == ["one", "two"]
    assert topics[0].guid == GUIDS[0] != topics[1].guid
