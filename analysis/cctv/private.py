"""What cameras must not see: windows of homes and schools, and rooms by their use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.cctv.masks import Pieces
from analysis.cctv.privacy_declaration import PrivacyInputs, PrivacyParams
from analysis.cctv.privacy_rules import has_word, privacy_rules
from analysis.cctv.private_rooms import Rooms, room_pieces, rooms_of, rooms_within
from analysis.sunlight_rights.declaration import RightsInputs, RightsParams
from analysis.sunlight_rights.made import DWELLINGS, USES
from analysis.sunlight_rights.obstacles import Obstacles, obstacles_of
from analysis.sunlight_rights.windows import Windows, windows_of
from geo.model import Column, Feedback, Issue, Layer

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]

PRIVATE_KINDS = ("window", "school_window", "bath_window", "bedroom", "school", "toilet", "bath", "changing")
WINDOW, SCHOOL_WINDOW, BATH_WINDOW = 0, 1, 2
IN_FRONT = 0.03  # [m] of the wall: where the quad of a window stands
SAMPLES = 5  # along width and height of a window
TO_THE_EDGE = 0.9  # of half the width and height: where the outermost of them lie
BEHIND = (0.4, 0.8, 1.2)  # [m] behind the outer face: behind the wall, within the room


@dataclass(frozen=True, eq=False)
class Private:
    """Private things, and the pieces they consist of.

    Attributes
    ----------
    id, storey : (n,) object
    kind : (n,) int8
        Place in `PRIVATE_KINDS`.
    hard : (n,) bool
        Must not be seen at any density.
    origin : (n,) object
        ``model`` (of the data) or ``made`` (along a facade).
    centre : (n, 3) float [local m]
    item : (p,) int64
        Thing that each piece belongs to.
    pieces : Pieces
    """

    id: Texts
    storey: Texts
    kind: NDArray[np.int8]
    hard: Bools
    origin: Texts
    centre: Floats
    item: Indices
    pieces: Pieces

    def __len__(self) -> int:
        return len(self.id)

    @property
    def kind_names(self) -> Texts:
        """(n,) ids of the kinds."""
        return np.array(PRIVATE_KINDS, dtype=object)[self.kind]


def private_of(inputs: PrivacyInputs, params: PrivacyParams, issues: list[Issue], feedback: Feedback) -> Private:
    """All that is private in the layers."""
    feedback.step(0.0, "finding rooms")
    rooms = rooms_of(inputs.spaces)
    windows, kinds = _windows(inputs, params, rooms, issues, feedback.part(0.05, 0.8))
    feedback.step(0.8, "finding rooms")
    inside = rooms.only(np.isin(rooms.kind, _room_kinds(params)))
    if inputs.dwellings and not len(rooms.id) and any(layer.theme == "bim" for layer in inputs.dwellings):
        text = "The models say nothing of their rooms: whether a camera sees into a bath or a toilet cannot be told."
        issues.append(Issue("cctv.privacy.no_rooms", text, "doubt"))
    found = _joined(window_things(windows, kinds), _room_things(inside))
    feedback.step(1.0, "finding rooms")
    return found


def _room_kinds(params: PrivacyParams) -> tuple[str, ...]:
    return ("bedroom", "toilet", "bath", "changing", *(("school",) if params.schools else ()))


# --- windows


def _windows(
    inputs: PrivacyInputs, params: PrivacyParams, rooms: Rooms, issues: list[Issue], feedback: Feedback
) -> tuple[Windows | None, NDArray[np.int8]]:
    """Windows of homes and schools, and the kind of each."""
    homes = tuple(with_private_use(layer, schools=params.schools) for layer in inputs.dwellings)
    if not any(layer.geometry is not None and len(layer.geometry.faces) for layer in homes):  # type: ignore[attr-defined]
        return None, np.zeros(0, dtype=np.int8)
    asked = RightsInputs(
        frame=inputs.frame, dwellings=homes, obstructions=inputs.obstructions, proposal=(), terrain=inputs.terrain,
        relief=inputs.relief, trees=(), spaces=(),
    )  # fmt: skip
    made = RightsParams(
        facing=180.0, rooms="all", dwelling_width=max(params.window_spacing, 2.0), sill=params.sill,
        window_height=params.window_height, storey_height=params.storey_height,
    )  # fmt: skip
    obstacles = obstacles_of(asked, made, issues, feedback.part(0.0, 0.4))
    windows = windows_of(asked, made, obstacles, issues, feedback.part(0.4, 0.9))
    schools = _school_buildings(inputs.dwellings, obstacles)
    kinds, keep = _window_kinds(windows, rooms, schools, issues)
    return windows.kept(keep), kinds[keep]


def with_private_use(layer: Layer, *, schools: bool) -> Layer:
    """The layer with one column of use that tells homes (and schools) from the rest, where its data tell it."""
    if layer.theme != "building":
        return layer
    homes = private_buildings(layer, schools=schools)
    if homes is None:
        return layer
    rest = {name: c for name, c in layer.table.columns.items() if _plain(name) not in (*DWELLINGS, *USES)}
    told = np.where(homes, "dwelling", "").astype(object)
    return layer.with_(table=type(layer.table)(layer.table.ids, {**rest, "use": Column(told)}))


def private_buildings(layer: Layer, *, schools: bool) -> Bools | None:
    """(e,) buildings with homes or schools, by their number of dwellings and their use; None when neither is told."""
    rules = privacy_rules()
    dwellings, uses = _column(layer, DWELLINGS), _column(layer, USES)
    if dwellings is None and uses is None:
        return None
    out = np.zeros(len(layer.table), dtype=bool)
    if dwellings is not None:
        out |= np.array([_positive(value) for value in dwellings.tolist()], dtype=bool)
    if uses is not None:
        words = rules.home_words + (rules.school_words if schools else ())
        out |= np.array([has_word(str(value or "").lower(), words) for value in uses.tolist()], dtype=bool)
    return out


def _school_buildings(layers: tuple[Layer, ...], obstacles: Obstacles) -> Bools:
    """(b,) buildings among the obstacles whose use says school."""
    out = np.zeros(len(obstacles.name), dtype=bool)
    words = privacy_rules().school_words
    for layer in layers:
        uses = _column(layer, USES) if layer.theme == "building" else None
        if uses is not None:
            rows = [row for row, text in enumerate(uses.tolist()) if has_word(str(text or "").lower(), words)]
            out[obstacles.of_element[layer.id][rows]] = True
    return out


def _window_kinds(
    windows: Windows, rooms: Rooms, schools: Bools, issues: list[Issue]
) -> tuple[NDArray[np.int8], Bools]:
    """(n,) kind of each window by the room behind it, and whether it is private at all."""
    kinds = np.where(schools[windows.building], SCHOOL_WINDOW, WINDOW).astype(np.int8)
    keep = np.ones(len(windows.id), dtype=bool)
    asked = np.flatnonzero(windows.origin == "model")
    behind = _rooms_behind(windows, asked, rooms)
    known = behind >= 0
    names = rooms.kind[behind[known]]
    hard = privacy_rules().hard_rooms
    kinds[asked[known]] = np.where(
        np.isin(names, hard), BATH_WINDOW, np.where(names == "school", SCHOOL_WINDOW, WINDOW)
    )
    keep[asked[known]] = np.isin(names, ("home", "bedroom", "school", *hard, ""))
    public, unknown = int((~keep).sum()), int((~known).sum())
    if public:
        text = f"{public} windows of rooms that are not private (offices, lobbies, shops) were left out."
        issues.append(Issue("cctv.privacy.public_windows", text, count=public))
    if unknown and len(rooms.id):
        text = f"Behind {unknown} windows of models no room is known; they are taken as private."
        issues.append(Issue("cctv.privacy.rooms_unknown", text, "doubt", unknown))
    made = int((windows.origin == "made").sum())
    if made:
        text = f"{made} windows were made along facades of homes and schools whose data have none."
        issues.append(Issue("cctv.privacy.made_windows", text, "doubt", made))
    return kinds, keep


def _rooms_behind(windows: Windows, asked: Indices, rooms: Rooms) -> Indices:
    """(k,) row of the room behind each window, -1 unknown."""
    out = np.full(len(asked), -1, dtype=np.int64)
    for inward in BEHIND:
        open_ = np.flatnonzero(out < 0)
        if len(open_) == 0:
            break
        out[open_] = rooms_within(rooms, windows.centre[asked[open_]] - inward * windows.normal[asked[open_]])
    return out


def window_things(windows: Windows | None, kinds: NDArray[np.int8]) -> Private:
    """Each window as a quad just in front of the wall with 25 points on it."""
    if windows is None or len(windows.id) == 0:
        return nothing_private()
    count = len(windows.id)
    along = np.column_stack([-windows.normal[:, 1], windows.normal[:, 0], np.zeros(count)])
    up = np.array([0.0, 0.0, 1.0])
    front = windows.centre + IN_FRONT * windows.normal
    wide, high = windows.half_width[:, None] * along, windows.half_height[:, None] * up
    quads = np.stack([front - wide - high, front + wide - high, front + wide + high, front - wide + high], axis=1)
    share = TO_THE_EDGE * np.linspace(-1.0, 1.0, SAMPLES)
    across, upward = (part.ravel() for part in np.meshgrid(share, share))
    points = front[:, None] + across[None, :, None] * wide[:, None] + upward[None, :, None] * high[:, None]
    number = np.arange(count)
    piece = np.repeat(number, len(across))
    pieces = Pieces(quads, number, points.reshape(-1, 3), windows.normal[piece], piece)
    hard = np.zeros(count, dtype=bool)
    return Private(windows.id, windows.storey, kinds, hard, windows.origin, front, number, pieces)


# --- rooms


def _room_things(rooms: Rooms) -> Private:
    """Each room as boxes around points in it."""
    pieces, item = room_pieces(rooms)
    if len(item) == 0:
        return nothing_private()
    kinds = np.array([PRIVATE_KINDS.index(kind) for kind in rooms.kind], dtype=np.int8)
    origin = np.full(len(rooms.id), "model", dtype=object)
    hard = np.isin(rooms.kind, privacy_rules().hard_rooms)
    return Private(rooms.id, rooms.storey, kinds, hard, origin, rooms.centre, item, pieces)


def nothing_private() -> Private:
    """No thing at all."""
    text, none, flat = np.zeros(0, dtype=object), np.zeros(0, dtype=np.int64), np.zeros((0, 3))
    pieces = Pieces(np.zeros((0, 4, 3)), none, flat, flat, none)
    return Private(text, text, none.astype(np.int8), none.astype(bool), text, flat, none, pieces)


def _joined(first: Private, second: Private) -> Private:
    """Two sets of things in one."""
    a, b = first.pieces, second.pieces
    pieces = Pieces(
        np.concatenate([a.quads, b.quads]),
        np.concatenate([a.quad_piece, b.quad_piece + len(first.item)]),
        np.concatenate([a.points, b.points]),
        np.concatenate([a.point_normal, b.point_normal]),
        np.concatenate([a.point_piece, b.point_piece + len(first.item)]),
    )
    names = ("id", "storey", "kind", "hard", "origin", "centre")
    columns = {name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in names}
    return Private(**columns, item=np.concatenate([first.item, second.item + len(first)]), pieces=pieces)


def _plain(name: str) -> str:
    return name.lower().replace(" ", "").replace("_", "")


def _column(layer: Layer, names: tuple[str, ...]) -> NDArray[np.generic] | None:
    plain = {_plain(name): column for name, column in layer.table.columns.items()}
    return next((plain[name].values for name in names if name in plain), None)


def _positive(value: object) -> bool:
    try:
        return float(value) > 0  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
