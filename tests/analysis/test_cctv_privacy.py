"""What is private, who sees it, and what the check list answers."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.cctv.cameras import Camera, camera_layer
from analysis.cctv.catalogue import catalogue
from analysis.cctv.mask_tables import polygon_of, polygon_text
from analysis.cctv.privacy_rules import has_word, privacy_rules
from analysis.cctv.private import private_buildings
from analysis.contract import Result
from analysis.registry import get
from analysis.run import execute
from geo.model import Column, ElementTable, Layer, UserError
from tests.tiny import box_mesh, buildings, terrain, tiny_frame


def words(*values: str) -> Column:
    return Column(np.array([*values, None], dtype=object)[:-1])


def room(use: str, box: tuple[float, ...] = (-2.0, 20.0, 20.0, 4.0, 3.0, 2.8)) -> Layer:
    mesh, _ = box_mesh([box])  # type: ignore[list-item]
    table = ElementTable(["r1"], {"name": words("방"), "use": words(use), "storey": words("1F")})
    return Layer("spaces", "Rooms", "space", mesh, table, stratum="indoor")


def model(kind: str, box: tuple[float, ...]) -> Layer:
    mesh, _ = box_mesh([box])  # type: ignore[list-item]
    return Layer("model", "Model", "bim", mesh, ElementTable(["e1"], {"class": words(kind)}), stratum="indoor")


def camera(**changes: object) -> Camera:
    lens = catalogue()["bullet-2mp"]
    return Camera("c1", "정문", lens, (0.0, 0.0, 22.0), 0.0, 0.0, 0.0, lens.focal_min_mm).with_(**changes)


def run(*layers: Layer, cameras: tuple[Camera, ...] = (), **params: object) -> Result:
    placed = camera_layer(list(cameras or (camera(),)))
    return execute(get("cctv.privacy"), layers=[terrain(), placed, *layers], frame=tiny_frame(), params=params)


def answer(result: Result, check: str) -> tuple[str, str]:
    columns = {name: column.values.tolist() for name, column in table(result, "checks").items()}
    row = columns["check"].index(check)
    return columns["answer"][row], columns["answer_reason"][row]


def table(result: Result, name: str) -> dict[str, Column]:
    return dict(next(t for t in result.tables if t.id == name).columns)


def test_a_camera_that_sees_into_a_toilet_breaks_the_rule_though_it_is_masked() -> None:
    found = run(room("여자화장실"), least_density=500.0)
    assert found.summary["forbidden"].value == 1
    assert found.summary["not_hidden"].value == 0
    assert found.summary["masks"].value > 0
    assert answer(found, "no_private_rooms") == ("broken", "hard_seen")
    assert [issue.code for issue in found.issues if issue.severity == "error"] == ["cctv.privacy.forbidden"]
    columns = table(found, "seen")
    assert columns["forbidden"].values.tolist() == ["yes"]
    # the nearest point of the room looked at lies 10 cm behind its front, 20 m away
    focal = camera().model.focal_px(camera().focal_mm)
    assert columns["private_density"].values[0] == pytest.approx(focal / 20.1, rel=1e-3)


def test_the_same_room_behind_a_wall_or_of_another_use_is_none_of_it() -> None:
    wall = model("IfcWall", (-6.0, 15.0, 19.0, 12.0, 0.3, 6.0))
    hidden = run(room("여자화장실"), wall)
    assert hidden.summary["seen"].value == 0
    assert answer(hidden, "no_private_rooms") == ("kept", "hard_unseen")
    with pytest.raises(UserError, match="Nothing private"):
        run(room("사무실"))
    classroom = run(room("교실"))
    assert classroom.summary["forbidden"].value == 0
    assert classroom.summary["seen"].value == 1
    assert answer(classroom, "dwellings_masked")[0] == "kept"
    with pytest.raises(UserError, match="Nothing private"):
        run(room("교실"), schools=False)


def test_a_door_hides_only_when_doors_are_said_to_be_closed() -> None:
    door = model("IfcDoor", (-6.0, 15.0, 19.0, 12.0, 0.1, 6.0))
    assert run(room("욕실"), door).summary["forbidden"].value == 1
    assert run(room("욕실"), door, doors_open=False).summary["forbidden"].value == 0


def test_faint_pictures_of_homes_do_not_count() -> None:
    focal = camera().model.focal_px(camera().focal_mm)
    at_20 = focal / 20.1
    assert run(room("침실"), least_density=at_20 * 1.05).summary["seen"].value == 0
    assert run(room("침실"), least_density=at_20 * 0.95).summary["seen"].value == 1


def test_windows_are_made_for_homes_and_schools_only() -> None:
    box = (-10.0, 20.0, 20.0, 20.0, 10.0, 9.0)
    layer = buildings([box, (30.0, 20.0, 20.0, 10.0, 10.0, 9.0), (-40.0, 20.0, 20.0, 10.0, 10.0, 9.0)])
    uses = layer.table.with_columns({"use": words("아파트", "업무시설", "교육연구시설(학교)")})
    city = layer.with_(table=uses)
    assert private_buildings(city, schools=True).tolist() == [True, False, True]
    assert private_buildings(city, schools=False).tolist() == [True, False, False]
    numbers = layer.table.with_columns({"세대수": Column(np.array([0, 4, 0], dtype=np.int64))})
    assert private_buildings(layer.with_(table=numbers), schools=True).tolist() == [False, True, False]
    assert private_buildings(layer, schools=True) is None, "data that say neither are not judged by guess"
    found = run(city, least_density=1.0)
    kinds = set(found.layers[0].table.columns["private_kind"].values.tolist())
    assert kinds == {"window", "school_window"}
    assert not any(name.startswith("b1/") for name in found.layers[0].table.ids)
    assert found.summary["not_hidden"].value == 0


def test_words_of_rooms() -> None:
    rules = privacy_rules()
    told = {
        "장애인화장실": "toilet", "여자탈의실": "changing", "안방 욕실": "bath", "돌봄교실": "school",
        "침실 2": "bedroom",
        "Bathroom": "bath", "WC": "toilet", "Powder room": "toilet", "NWC depot": "other", "탕비실": "other",
        "사무실 101": "other", "Living room": "home", "": "",
    }  # fmt: skip
    assert {text: rules.room_kind(text) for text in told} == told
    assert has_word("row house", rules.home_words)
    assert not has_word("warehouse", rules.home_words)


def test_only_people_can_answer_what_the_program_cannot_see() -> None:
    found = run(room("침실"))
    assert answer(found, "purpose") == ("to_be_answered", "people")
    assert answer(run(room("침실"), purpose="crime"), "purpose") == ("answered", "purpose_crime")
    for check in ("sign", "no_sound", "retention"):
        assert answer(found, check) == ("to_be_answered", "people")
    assert answer(found, "no_other_place") == ("to_be_answered", "all_fixed")
    ptz = catalogue()["ptz-2mp-30x"]
    turning = camera(model=ptz, focal_mm=ptz.focal_min_mm)
    assert answer(run(room("침실"), cameras=(turning,)), "no_other_place") == ("cannot_tell", "no_presets")
    told = turning.with_(presets=((10.0, 5.0, ptz.focal_min_mm),))
    assert answer(run(room("침실"), cameras=(told,)), "no_other_place") == ("to_be_answered", "presets_declared")
    every = {check.id: check for check in privacy_rules().checks}
    assert not every["retention"].verified
    assert all(check.source for check in every.values())


def test_a_lens_in_a_wall_is_left_out_and_told() -> None:
    inside = camera(position=(0.0, 30.0, 25.0))
    city = buildings([(-10.0, 20.0, 20.0, 20.0, 20.0, 12.0)])
    found = run(city, cameras=(inside,))
    assert found.summary["cameras"].value == 0
    assert found.summary["masks"].value == 0
    assert [issue.code for issue in found.issues if issue.severity == "error"] == ["cctv.privacy.inside"]


def test_cameras_that_are_off_are_not_judged() -> None:
    with pytest.raises(UserError, match="no camera"):
        run(room("침실"), cameras=(camera(state="off"),))


def test_masks_travel_as_text() -> None:
    polygon = np.array([[0.0, 12.3], [1919.5, 0.0], [640.2, 700.0]])
    assert np.allclose(polygon_of(polygon_text(polygon)), polygon)
