"""The installation plan says what is there, leaves blank what nobody stated, and is complete in both languages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from app.cctv.plan_content import BLANK, Statements
from app.cctv.plan_document import write_plan
from app.commands import AddLayers
from app.document import Document
from app.project_file import save
from geo.model import Column, ElementTable, Layer, Points, UserError
from tests.tiny import buildings, terrain, tiny_frame
from tests.tiny_cameras import camera_layers


def project(*more: Layer) -> Document:
    document = Document(tiny_frame())
    document.do(AddLayers((terrain(), buildings(), *(more or camera_layers()))))
    return document


def plain(html: str) -> str:
    """The text that a reader sees."""
    html = re.sub(r"<style.*?</style>", "", re.sub(r'src="data:[^"]*"', "", html), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The plan of two cameras in both languages."""
    path = tmp_path_factory.mktemp("plan") / "plan.html"
    stated = Statements(purpose="crime", place="합강동", manager="스마트도시과 <044>", retention="30")
    write_plan(project(), path, statements=stated, languages=("ko", "en"))
    return path.read_text(encoding="utf-8")


def test_the_page_is_complete_in_both_languages(page: str) -> None:
    korean, english = (plain(part) for part in page.split('<main id="en"'))
    for text in (
        "설치계획서",
        "설치 위치도",
        "카메라 목록",
        "법령 점검표",
        "안내판",
        "범죄의 예방 및 수사",
        "남측",
        "사각지대",
    ):
        assert text in korean
    for text in ("CCTV installation plan", "Check list", "Sign", "Prevention and investigation of crime", "남측"):
        assert text in english
    for part in (korean, english):
        assert "스마트도시과 &lt;044&gt;" in part, "what people write is not taken for markup"
        assert part.count("합강동") == 2, "in the head and on the sign"
        left = re.findall(r"\b(?:plan|report|field|class|issue|error)\.[a-z_]+[a-z_.]*", part)
        assert not left, "ids without a text"
        assert not re.search(r"cctv\.(?:privacy|coverage)\.\w+", part)


def test_what_nobody_stated_is_a_line_to_write_on(page: str) -> None:
    korean = plain(page.split('<main id="en"')[0])
    # range, time and organisation in the head; range and time on the sign
    assert korean.count(BLANK) == 5


def test_it_has_a_map_and_a_picture_of_each_view_with_numbers_that_agree(page: str) -> None:
    korean = page.split('<main id="en"')[0]
    assert len(re.findall(r'<img src="data:image/jpeg', korean)) == 1 + 2
    text = plain(korean)
    assert "E 228,960.00, N 435,475.00" in text
    assert "지면에서 높이 5.00 m" in text
    assert "도북 기준 60.0°" in text


def test_the_pdf_has_a_sheet_for_each_camera(tmp_path: Path, qtbot: object) -> None:
    path = write_plan(project(), tmp_path / "plan.pdf", languages=("ko",))
    data = path.read_bytes()
    assert data.startswith(b"%PDF")
    # overview, a sheet for each of two cameras, masks and checks, sign and sources
    assert len(re.findall(rb"/Type /Page\b", data)) >= 5
    assert len(re.findall(rb"/Subtype /Image", data)) >= 3


def test_an_orientation_nobody_knows_is_not_invented(tmp_path: Path) -> None:
    columns = {"camera_model": Column(np.array(["bullet-2mp", None], dtype=object)[:1])}
    layer = Layer(
        "cctv", "CCTV", "camera", Points(np.array([[-40.0, -25.0, 25.0]]), np.zeros(1, np.int32)),
        ElementTable(["x"], columns),
    )  # fmt: skip
    path = write_plan(project(layer), tmp_path / "plan.html", languages=("en",))
    text = plain(path.read_text(encoding="utf-8"))
    assert "Pan unknown" in text
    assert "there is no picture of what it sees" in text
    assert "View 1" not in text
    assert "Tilt, downward unknown" in text
    assert "0 and 15 degrees down are taken" in text, "what the studies had to take is told"


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        write_plan(project(), tmp_path / "plan.docx")
    empty = Document(tiny_frame())
    empty.do(AddLayers((terrain(),)))
    with pytest.raises(UserError, match="no camera"):
        write_plan(empty, tmp_path / "plan.html")


def test_the_command_line_exports_and_imports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from app.cli import run_command_line

    path = tmp_path / "city.twin"
    save(project(), path)
    file = tmp_path / "out.ifc"
    assert run_command_line(["cctv", "export", str(path), str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cameras"] == 2
    assert run_command_line(["cctv", "import", str(path), str(file), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert len(answer["layers"]) == 1
    assert answer["layers"] != ["cameras"], "the layer that was there keeps its id"
    assert run_command_line(["cctv", "plan", str(path), str(tmp_path / "x.html"), "--set", "colour=red"]) == 2
    assert "colour" in capsys.readouterr().err
