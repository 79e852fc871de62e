"""Faded elements: a veil in the picture, looked through by the mouse, kept in a project."""

from __future__ import annotations

import numpy as np
import pytest

from app.view.camera import looking
from app.view.probe import element_hit
from geo.model import Style
from geo.store import style_from_dict, style_to_dict
from tests.app.test_view_picking import SIZE as PICK_SIZE
from tests.app.test_view_picking import at, picker_of
from tests.app.test_view_picture import SIZE, drawn
from tests.app.view_scene import ground, need_graphics, town

ABOVE = looking(np.zeros(3), azimuth=0.0, pitch=-60.0, distance=300.0)
FADED = frozenset({"b0"})


@pytest.mark.gl
def test_a_veil_lies_between_the_whole_building_and_none() -> None:
    """Of the pixels that the building changes, the veil changes a part: one in six, softened at its edges."""
    need_graphics()
    none = drawn(ground(), town(hidden=FADED), quality="fast")
    whole = np.abs(drawn(ground(), town(), quality="fast") - none).sum()
    veil = np.abs(drawn(ground(), town(faded=FADED), quality="fast") - none).sum()
    assert none.shape[:2] == SIZE[::-1]
    assert 0.05 * whole < veil < 0.7 * whole


def test_one_picks_what_is_seen_through_the_veil() -> None:
    layers = (ground(), town(faded=FADED))
    hit = element_hit(picker_of(*layers).pick(ABOVE, at(ABOVE, (-30.0, 0.0, 20.0)), PICK_SIZE, layers=layers))
    assert hit.ref.layer_id == "ground"
    hit = element_hit(picker_of(*layers).pick(ABOVE, at(ABOVE, (30.0, 0.0, 10.0)), PICK_SIZE, layers=layers))
    assert hit.ref.element_id == "b1"


def test_a_project_keeps_what_is_faded() -> None:
    style = Style(faded=FADED, hidden=frozenset({"b1"}))
    assert style_from_dict(style_to_dict(style)) == style
    assert style_from_dict({"opacity": 0.5}).faded == frozenset()  # of a project written before
