"""The city's utility maps (flat lines and points) and its registers (CSV in CP949, XLSX), joined by FTR_IDN."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import shapely

from app.sample.plan import CENTRE, CRS, SYNTHETIC_KO
from app.sample.utility_names import BOOKS, GRAVITY, NODES, Book
from app.sample.utility_plan import TUNNEL_SIZE, TUNNEL_WALL, Cell, Node, Pipe, Underground
from app.sample.vector import write_layer

ZIP_DATE = (2026, 1, 1, 0, 0, 0)  # the sample must not change daily
DBF_DATE = "2026-01-01"


NODE_LAYERS = {
    "water": ("WTL_VALV_PS", "상수 시설"),
    "storm": ("SWL_MANH_PS", "하수 시설"), "sewage": ("SWL_MANH_PS", "하수 시설"),
    "gas": ("UFL_GVAL_PS", "가스 시설"), "power": ("UFL_BMAN_PS", "전력 시설"), "telecom": ("UFL_KMAN_PS", "통신 시설"),
    "heat": ("UFL_HVAL_PS", "난방 시설"), "waste": ("자동집하 맨홀", "자동집하 시설"),
}  # fmt: skip
NODE_WORDS = {
    "manhole": "맨홀", "valve": "제수밸브", "hydrant": "소화전", "meter": "계량기", "handhole": "핸드홀",
    "service": "인입", "tank": "배수지", "outfall": "토구", "pump": "오수중계펌프장",
}  # fmt: skip
USES = {"storm": "우수", "sewage": "오수"}
MATERIAL_CODES = {
    "덕타일주철관": "MOP001", "강관": "MOP002", "PE관": "MOP003", "PVC관": "MOP004", "흄관": "MOP005",
    "철근콘크리트": "MOP006",
}  # fmt: skip


def write(underground: Underground, folder: Path) -> None:
    """Maps, registers and nodes."""
    for book in BOOKS:
        pipes = [pipe for pipe in underground.pipes if pipe.utility in book.utilities]
        _write_map(folder / book.map, book, pipes)
        rows = [_row(pipe) for pipe in pipes if pipe.listed]
        head = _head(book)
        table: list[list[Cell]] = [[row.get(name) for name in head] for row in rows]
        if book.register.endswith(".xlsx"):
            _write_xlsx(folder / book.register, head, table)
        else:
            _write_csv(folder / book.register, head, table)
    _write_nodes(underground.nodes, folder / NODES)


def _write_map(path: Path, book: Book, pipes: list[Pipe]) -> None:
    shapes = [shapely.LineString(pipe.points) for pipe in pipes]
    columns: dict[str, Sequence[object]] = {
        "FTR_CDE": [book.code] * len(pipes),
        "FTR_IDN": [pipe.id for pipe in pipes],
        "관로구분": [book.title] * len(pipes),
        "도로명": [pipe.street for pipe in pipes],
    }
    if book.utilities == GRAVITY:
        columns["하수관용도"] = [USES[pipe.utility] for pipe in pipes]
        del columns["관로구분"]
    if path.suffix == ".shp":
        _write_shapefile(path, shapes, {**columns, "비고": [SYNTHETIC_KO] * len(pipes)})
    else:
        write_layer(path, book.layer, shapes, columns, title=f"합강 표본지구 {book.title}")


def _write_shapefile(path: Path, shapes: list[shapely.LineString], columns: dict[str, Sequence[object]]) -> None:
    import pyogrio

    shifted = shapely.transform(np.array(shapes, dtype=object), lambda points: np.round(points + np.array(CENTRE), 3))
    pyogrio.raw.write(
        str(path), shapely.to_wkb(shifted), [np.array(values, dtype=object) for values in columns.values()],
        list(columns), driver="ESRI Shapefile", crs=CRS, geometry_type="LineString", encoding="CP949",
        layer_options={"DBF_DATE_LAST_UPDATE": DBF_DATE},
    )  # fmt: skip


def _write_nodes(nodes: list[Node], path: Path) -> None:
    for layer in dict.fromkeys(name for name, _ in NODE_LAYERS.values()):
        mine = [node for node in nodes if NODE_LAYERS[node.utility][0] == layer]
        if not mine:
            continue
        columns: dict[str, Sequence[object]] = {
            "FTR_IDN": [node.id for node in mine],
            "시설물구분": [NODE_WORDS[node.kind] for node in mine],
        }
        if any(node.utility in USES for node in mine):
            columns["하수관용도"] = [USES[node.utility] for node in mine]
        if any(node.kind == "valve" for node in mine):
            columns["개폐상태"] = ["open" if node.kind == "valve" else "" for node in mine]
        for name, values in (
            ("심도", [node.depth for node in mine]),
            ("지반고", [node.ground for node in mine]),
            ("관저고", [node.invert for node in mine]),
        ):
            if any(value is not None for value in values):
                columns[name] = [float("nan") if value is None else value for value in values]
        title = f"합강 표본지구 {NODE_LAYERS[mine[0].utility][1]}"
        write_layer(path, layer, [shapely.Point(node.point) for node in mine], columns, title=title)


# Registers


def _head(book: Book) -> list[str]:
    depth = ["SBK_ALT", "SBL_ALT"] if book.utilities == GRAVITY else ["LOW_DEP", "HGH_DEP"]
    size = ["가로길이", "세로길이", "관두께"] if book.utilities == ("tunnel",) else ["PIP_DIP"]
    return [
        "FTR_IDN",
        "IST_YMD",
        "MOP_CDE",
        "MOP_NM",
        *size,
        *depth,
        "PIP_LEN",
        "탐사여부",
        "관리기관",
        "도로폭",
        "비고",
    ]


def _row(pipe: Pipe) -> dict[str, Cell]:
    row: dict[str, Cell] = {
        "FTR_IDN": pipe.id,
        "IST_YMD": pipe.installed,
        "MOP_CDE": MATERIAL_CODES[pipe.material],
        "MOP_NM": pipe.material,
        "PIP_LEN": round(float(np.hypot(*np.diff(pipe.points, axis=0).T).sum()), 1),
        "탐사여부": "탐사" if pipe.surveyed else "불탐",
        "관리기관": pipe.owner,
        "도로폭": pipe.width or None,
        "비고": SYNTHETIC_KO,
    }
    if pipe.utility == "tunnel":
        row |= {"가로길이": TUNNEL_SIZE[0], "세로길이": TUNNEL_SIZE[1], "관두께": TUNNEL_WALL}
    else:
        row["PIP_DIP"] = round(pipe.diameter * 1000)
    if pipe.covers is not None:
        row |= {"LOW_DEP": round(min(pipe.covers), 2), "HGH_DEP": round(max(pipe.covers), 2)}
    if pipe.inverts is not None:
        row |= {"SBK_ALT": round(pipe.inverts[0], 3), "SBL_ALT": round(pipe.inverts[1], 3)}
    return row | pipe.said


def _write_csv(path: Path, head: list[str], rows: list[list[Cell]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([["" if cell is None else cell for cell in row] for row in rows])
    path.write_bytes(text.getvalue().encode("cp949"))


def _write_xlsx(path: Path, head: list[str], rows: list[list[Cell]]) -> None:
    """A workbook of one sheet, the same bytes for the same rows (a library would note the hour of writing)."""
    sheet: list[list[Cell]] = [list(head), *rows]
    lines = "".join(f"<row>{''.join(_xlsx_cell(cell) for cell in row)}</row>" for row in sheet)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    start = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="대장" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{lines}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            info = zipfile.ZipInfo(name, ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, start + text)


def _xlsx_cell(cell: Cell) -> str:
    if cell is None or cell == "":
        return "<c/>"
    if isinstance(cell, str):
        return f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
    return f"<c><v>{cell}</v></c>"
