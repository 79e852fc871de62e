"""A podium and its tower: closed, of the right volume, and refused where there is no room."""

from __future__ import annotations

import numpy as np
import pytest

from geo.alternatives import Alternative, Mass, alternative_from_dict, alternative_to_dict, mass_layer
from geo.buildings import volume
from geo.massing import towers_on
from geo.model import Mesh, UserError

SQUARE = ((0.0, 0.0), (40.0, 0.0), (40.0, 30.0), (0.0, 30.0))
ELL = ((0.0, 0.0), (40.0, 0.0), (40.0, 12.0), (12.0, 12.0), (12.0, 40.0), (0.0, 40.0))
DUMBBELL = (
    *((0.0, 0.0), (20.0, 0.0), (20.0, 8.0), (40.0, 8.0), (40.0, 0.0), (60.0, 0.0)),
    *((60.0, 20.0), (40.0, 20.0), (40.0, 12.0), (20.0, 12.0), (20.0, 20.0), (0.0, 20.0)),
)


def mass(ring: tuple[tuple[float, float], ...], *, podium: int = 3, inset: float = 5.0, name: str = "m1") -> Mass:
    return Mass(name, ring, 20.0, 10, 3.0, podium_storeys=podium, inset=inset)


def edges_twice(mesh: Mesh) -> bool:
    """Whether every edge, by place, is passed once each way: closed, and all faces look outward."""
    points, place = np.unique(np.round(mesh.vertices, 6), axis=0, return_inverse=True)
    faces = place.reshape(-1)[mesh.faces]
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    there = {(int(a), int(b)) for a, b in sides}
    return len(there) == len(sides) and all((b, a) in there for a, b in there)


@pytest.mark.parametrize(
    ("ring", "area", "tower"),
    [(SQUARE, 1200.0, 30.0 * 20.0), (ELL, 12 * 40 + 28 * 12, None), (DUMBBELL, 880.0, 2 * 100.0)],
)
def test_one_closed_solid_of_two_prisms(
    ring: tuple[tuple[float, float], ...], area: float, tower: float | None
) -> None:
    layer = mass_layer([mass(ring)])
    mesh = layer.geometry
    assert isinstance(mesh, Mesh)
    assert edges_twice(mesh)
    if tower is None:
        tower = float(((volume(mesh, 1)[0]) - area * 9.0) / 21.0)
        assert tower == pytest.approx(2.0 * 30.0 + 2.0 * 28.0)  # 2 m wide along both arms
    assert volume(mesh, 1)[0] == pytest.approx(area * 9.0 + tower * 21.0)
    assert mesh.vertices[:, 2].max() == pytest.approx(50.0)
    surface = next(field for field in layer.fields if field.name == "surface")
    cross = mesh.face_cross[:, 2] / 2.0
    up = np.asarray(surface.values) == surface.categories.index("roof")
    assert cross[up].sum() == pytest.approx(area)  # seen from above roof and terrace are the footprint
    assert np.asarray(surface.values).shape == (len(mesh.faces),)


def test_plain_masses_beside_it_stay_what_they_were() -> None:
    plain = Mass("m2", tuple((x + 100.0, y) for x, y in SQUARE), 20.0, 4, 3.0)
    both = mass_layer([plain, mass(SQUARE)])
    assert isinstance(both.geometry, Mesh)
    np.testing.assert_allclose(volume(both.geometry, 2), [1200.0 * 12.0, 1200.0 * 9.0 + 600.0 * 21.0])
    assert list(both.table.columns["podium_storeys"].values) == [0, 3]
    assert "podium_storeys" not in mass_layer([plain]).table.columns


def test_no_room_is_told_and_nonsense_refused() -> None:
    with pytest.raises(UserError) as raised:
        mass_layer([mass(SQUARE, inset=15.0)])
    assert raised.value.code == "alternative.no_tower"
    import shapely

    assert len(towers_on(shapely.Polygon(SQUARE), 14.0)) == 1
    for podium, inset in ((10, 5.0), (-1, 5.0), (3, 0.0), (0, 5.0), (3, float("nan")), (3, -1.0)):
        with pytest.raises(ValueError):
            mass(SQUARE, podium=podium, inset=inset)


def test_it_is_written_and_read_again() -> None:
    alternative = Alternative("a", "A", {}, (mass(SQUARE), Mass("m2", ELL, 0.0, 2, 3.0)))
    assert alternative_from_dict(alternative_to_dict(alternative)) == alternative
