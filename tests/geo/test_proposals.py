"""Proposals: two points onto two places, closed solids, and what an alternative makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.alternatives import MADE, Alternative, alternative_from_dict, alternative_to_dict, apply_alternative
from geo.model import Mesh, UserError
from geo.proposals import Proposal, ProposalModel, is_closed, moved_proposal, proposal_layer, two_point_fit
from tests.app.tiny_city import BOX_FACES

NEAR = st.floats(-500.0, 500.0)


def block(east: float = 20.0, north: float = 10.0, height: float = 12.0, *, closed: bool = True) -> ProposalModel:
    x, y = east / 2, north / 2
    plan = [(-x, -y), (x, -y), (x, y), (-x, y)]
    points = np.array([(*p, z) for z in (0.0, height) for p in plan])
    faces = np.array(BOX_FACES if closed else BOX_FACES[:-1], dtype=np.int32)
    return ProposalModel(Mesh(points, faces, np.zeros(len(faces), np.int32)), 0.0, closed, "block.obj")


@given(st.tuples(NEAR, NEAR), st.floats(-180.0, 180.0), st.tuples(NEAR, NEAR))
def test_points_that_fit_come_to_lie_on_their_places(shift, turn, first) -> None:  # type: ignore[no-untyped-def]
    """Closed form: any turn and shift is found again."""
    own = np.array([first, (first[0] + 20.0, first[1] - 7.0)])
    known = Proposal("p", block(), *shift, 0.0, turn)
    places = known.points(np.column_stack([own, [0.0, 0.0]]))
    fit = two_point_fit(own, places)
    again = Proposal("p", block(), fit.x, fit.y, 0.0, fit.turn_deg, fit.scale)
    assert again.points(np.column_stack([own, [0.0, 0.0]])) == pytest.approx(places, abs=1e-6)
    assert fit.residual == pytest.approx(0.0, abs=1e-6)


def test_a_small_difference_is_shared_by_both_points_and_told() -> None:
    own = np.array([(0.0, 0.0), (20.0, 0.0)])
    fit = two_point_fit(own, np.array([(100.0, 50.0), (100.0, 71.0)]))
    assert (fit.scale, fit.turn_deg) == (1.0, pytest.approx(90.0))
    assert (fit.misfit, fit.residual) == (pytest.approx(1.0), pytest.approx(0.5))
    ends = Proposal("p", block(), fit.x, fit.y, 0.0, fit.turn_deg).points(np.column_stack([own, [0, 0]]))[:, :2]
    assert ends == pytest.approx(np.array([(100.0, 50.5), (100.0, 70.5)]))


def test_distances_that_differ_too_much_are_refused_unless_the_size_is_to_fit() -> None:
    own, places = np.array([(0.0, 0.0), (20.0, 0.0)]), np.array([(0.0, 0.0), (30.0, 0.0)])
    with pytest.raises(UserError) as refused:
        two_point_fit(own, places)
    assert refused.value.code == "proposal.differs"
    assert refused.value.values["scene"] == "30.00"
    fit = two_point_fit(own, places, keep_scale=False)
    assert (fit.scale, fit.residual) == (pytest.approx(1.5), pytest.approx(0.0))
    with pytest.raises(UserError, match="on one another"):
        two_point_fit(own[[0, 0]], places)


def test_a_move_turns_about_a_place_as_the_tool_shows_it() -> None:
    proposal = Proposal("p", block(), 10.0, 20.0, 3.0, 30.0)
    there = moved_proposal(proposal, (5.0, -2.0, 1.0), 90.0, (4.0, 20.0))
    assert (there.x, there.y) == (pytest.approx(4.0 + 5.0), pytest.approx(26.0 - 2.0))
    assert (there.base, there.turn_deg) == (4.0, 120.0)


def test_a_solid_is_a_building_and_an_open_model_a_detailed_one() -> None:
    assert is_closed(block().mesh)
    assert not is_closed(block(closed=False).mesh)
    inside_out = Mesh(block().mesh.vertices, block().mesh.faces[:, ::-1], block().mesh.face_element)
    assert not is_closed(inside_out)
    solid = proposal_layer(Proposal("p", block(), 0.0, 0.0, 0.0, storeys=4), reader=MADE)
    assert (solid.theme, solid.table.columns["storeys"].values[0]) == ("building", 4)
    assert np.bincount(solid.fields[0].values).tolist() == [2, 8, 2]  # roof, wall, ground
    assert proposal_layer(Proposal("p", block(closed=False), 0.0, 0.0, 0.0), reader=MADE).theme == "bim"


def test_an_alternative_keeps_its_proposals_and_the_base_is_as_it_was() -> None:
    proposal = Proposal(
        "p-1", block(), 1.0, 2.0, 3.0, 4.0, name="도서관", use="공공", storeys=3, floor_area=600.0, told="file"
    )
    one = Alternative("a", "A").with_proposal(proposal)
    assert (one.is_empty, one.count) == (False, 1)
    (layer,) = apply_alternative([], one)
    assert layer.geometry is not None
    assert layer.geometry.bounds is not None
    assert layer.geometry.bounds.low[2] == pytest.approx(3.0)
    said = alternative_to_dict(one)
    assert alternative_from_dict(said, {proposal.model.id: proposal.model}) == one
    assert alternative_from_dict(said).proposals == ()  # its shape is not there
    assert one.without_proposal("p-1").is_empty
