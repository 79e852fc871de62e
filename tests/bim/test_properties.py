"""Properties, trees and conditions of real IFC files, against what the library itself reads from them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bim.hierarchy import REST, TREES, Hierarchy, read_hierarchy
from bim.measures import Measures
from bim.properties import element_properties
from bim.property_index import PropertyIndex, build_index, read_index, write_index
from bim.property_query import column_of, query
from geo.model import Feedback, UserError

FILES = (
    "AC20-FZK-Haus.ifc",
    "Duplex_A_20110907_georeferenced.ifc",
    "Duplex_Electrical.ifc",
    "domestic-hot-water.ifc",
    "BIMWhale_TallBuilding.ifc",
)
OWN = "the program's own house"
PER_CLASS = 2


def opened(path: Path) -> Any:
    return pytest.importorskip("ifcopenshell").open(path)


def own_house(folder: Path) -> Path:
    """The community building that the program writes for its sample district."""
    from app.sample import house, terrain
    from app.sample.district import plan_district

    plan = plan_district(1, Feedback())
    path = folder / "house.ifc"
    house.write(plan, terrain.build(plan, 1, Feedback()), path, seed=1, feedback=Feedback())
    return path


@pytest.fixture(scope="module", params=(*FILES, OWN))
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    if request.param == OWN:
        return opened(own_house(tmp_path_factory.mktemp("own")))
    return opened(Path(request.getfixturevalue("shared_data")) / "ifc" / request.param)


@pytest.fixture(scope="module")
def house(shared_data: Path) -> Any:
    return opened(shared_data / "ifc" / FILES[0])


def some_elements(file: Any) -> Iterator[Any]:
    """A few of each class."""
    seen: dict[str, int] = {}
    for product in file.by_type("IfcProduct"):
        seen[product.is_a()] = seen.get(product.is_a(), 0) + 1
        if seen[product.is_a()] <= PER_CLASS and not product.is_a("IfcFeatureElement"):
            yield product


def stated(file: Any, element: Any) -> dict[tuple[str, str], object]:
    """Values by set and name as the library gives them, lengths in SI units by its own scale."""
    from ifcopenshell.util.element import get_psets
    from ifcopenshell.util.unit import get_property_unit, get_unit_scale

    found: dict[tuple[str, str], object] = {}
    for set_name, values in get_psets(element, verbose=True).items():
        for name, said in values.items():
            if name == "id" or not isinstance(said, dict) or said.get("class") == "IfcComplexProperty":
                continue
            value = said["value"]
            unit = get_property_unit(file.by_id(said["id"]), file)
            if isinstance(value, int | float) and not isinstance(value, bool) and unit is not None:
                kind = getattr(unit, "UnitType", "")
                if kind in ("LENGTHUNIT", "AREAUNIT", "VOLUMEUNIT"):
                    value = value * get_unit_scale(unit)
                elif kind == "PLANEANGLEUNIT":
                    value = math.degrees(value * get_unit_scale(unit))
                elif kind in ("MASSUNIT", "TIMEUNIT"):
                    continue
            found[set_name, name] = value
    return found


def test_every_set_and_value_is_that_of_the_library(model: Any) -> None:
    measures, compared = Measures(model), 0
    for element in some_elements(model):
        answer = element_properties(model, element.GlobalId, measures=measures)
        ours = {
            (group.name, row.name): row
            for group in answer.groups
            if group.kind in ("set", "quantities")
            for row in group.rows
        }
        for key, value in stated(model, element).items():
            row = ours[key]
            if isinstance(value, list):
                assert str(value[0]) in str(row.value)
            elif isinstance(value, float) and not isinstance(row.value, str):
                assert row.value == pytest.approx(value, rel=1e-9, abs=1e-12), (element, key)
            else:
                assert row.value == value, (element, key)
            compared += 1
    assert compared > 3


def test_feet_are_metres_and_say_so(shared_data: Path) -> None:
    """This file is in feet: 1 ft = 0.3048 m exactly."""
    file = opened(shared_data / "ifc" / "Duplex_Electrical.ifc")
    elevation = next(s for s in file.by_type("IfcBuildingStorey") if s.Elevation)
    rows = element_properties(file, elevation.GlobalId).groups[0].rows
    shown = next(row for row in rows if row.name == "Elevation")
    assert shown.unit == "m"
    assert shown.value == pytest.approx(elevation.Elevation * 0.3048, rel=1e-6)


def test_layers_host_and_type_of_a_wall(house: Any) -> None:
    wall = next(w for w in house.by_type("IfcWall") if w.Name == "Wand-Int-ERDG-3")
    groups = {group.kind: group for group in element_properties(house, wall.GlobalId).groups}
    layer = groups["materials"].rows[0]
    assert (layer.name, layer.value, layer.unit) == ("Leichtbeton 102890359", 0.24, "m")
    assert [row.value for row in groups["place"].rows] == ["Erdgeschoss", "FZK-Haus", "Gelaende"]
    assert groups["type"].from_type
    openings = groups["relations"].rows
    assert {row.name for row in openings} == {"Opening"}
    door = house.by_guid(openings[0].ref)
    assert door.is_a("IfcDoor")
    host = next(g for g in element_properties(house, door.GlobalId).groups if g.kind == "relations").rows[0]
    assert (host.name, host.ref) == ("Host", wall.GlobalId)


def test_an_unknown_element_is_told_calmly(house: Any) -> None:
    with pytest.raises(UserError) as error:
        element_properties(house, "0000000000000000000000")
    assert error.value.code == "model.no_element"


# ---- trees --------------------------------------------------------------------------------------------------------


def test_trees_hold_every_element_once_by_place_and_by_class(model: Any) -> None:
    hierarchy = read_hierarchy(model)
    things = {
        row for row, name in enumerate(hierarchy.classes) if name == "IfcSpace" or not spatial(model, hierarchy, row)
    }
    for name in ("storey", "type"):
        branches = hierarchy.trees[name]
        held = [row for branch in branches for row in branch.rows]
        held += [branch.product for branch in branches if branch.product in things]
        assert len(held) == len(set(held)), name
        assert set(held) & things == things, name
    for branches in hierarchy.trees.values():
        assert all(branch.parent < number for number, branch in enumerate(branches))
    assert Hierarchy.from_dict(hierarchy.as_dict()) == hierarchy
    assert tuple(hierarchy.trees) == TREES


def spatial(model: Any, hierarchy: Hierarchy, row: int) -> bool:
    entity = model.by_guid(hierarchy.ids[row].partition("#")[0])
    return bool(entity.is_a("IfcSpatialStructureElement") or entity.is_a("IfcSpatialElement"))


def test_storeys_are_those_the_library_finds(house: Any) -> None:
    from ifcopenshell.util.element import get_container

    hierarchy = read_hierarchy(house)
    branches = hierarchy.trees["storey"]
    names = [branch.name for branch in branches if branch.kind == "IfcBuildingStorey"]
    assert names == ["Dachgeschoss", "Erdgeschoss"]  # the highest first
    for branch in branches:
        for row in branch.rows:
            above = branch
            while above.kind in ("class",):
                above = branches[above.parent]
            container = get_container(house.by_guid(hierarchy.ids[row]))
            if container is not None and container.is_a("IfcBuildingStorey"):
                assert above.id == container.GlobalId


def test_systems_and_classifications(shared_data: Path, house: Any) -> None:
    plumbing = read_hierarchy(opened(shared_data / "ifc" / "domestic-hot-water.ifc"))
    systems = plumbing.trees["system"]
    assert [(b.kind, b.name, len(b.rows)) for b in systems][0] == ("IfcDistributionSystem", "water_supply", 9)
    assert systems[-1].kind == REST
    classified = read_hierarchy(house).trees["classification"]
    assert (classified[0].name, len(classified[0].rows)) == ("000 Allgemeines", 7)
    assert read_hierarchy(house).trees["group"] == []


# ---- index and conditions -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def index(house: Any) -> PropertyIndex:
    return build_index(house, Feedback())


def test_the_index_says_what_the_properties_say(model: Any, tmp_path: Path) -> None:
    built = build_index(model, Feedback())
    write_index(tmp_path / "a.npz", built)
    found = read_index(tmp_path / "a.npz")
    values: dict[tuple[int, str, str], set[str]] = {}
    for number, key in enumerate(found.keys):
        for product, value in zip(*found.rows(number), strict=True):
            values.setdefault((int(product), key.set, key.name), set()).add(found.texts[value])
    for element in some_elements(model):
        if element.GlobalId not in found.row_of:
            continue
        row = found.row_of[element.GlobalId]
        for group in element_properties(model, element.GlobalId).groups:
            names = [item.name for item in group.rows]
            for item in group.rows if group.kind in ("set", "quantities") else ():
                if isinstance(item.value, str) and item.value and names.count(item.name) == 1:
                    assert item.value in values[row, group.name, item.name]
    (tmp_path / "b.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:-200])
    with pytest.raises(UserError):
        read_index(tmp_path / "b.npz")


@pytest.mark.parametrize(
    ("condition", "same"),
    [
        ("Height > 2.4 and class = wall", "Height > 2400 mm and Class = IfcWallStandardCase"),
        ("층 = Erdgeschoss", "storey=erdgeschoss"),
        ("Name ~ tuer", "이름 포함 TUER"),
        ("not class = wall", "class != wall"),
        ("BaseQuantities.Height >= 2.5 and class ~ wall", "(base quantities.height ≥ 250 cm) 그리고 종류 ~ Wall"),
        ("ThermalTransmittance exists", "열관류율 있음"),
        ("IsExternal missing", "not IsExternal exists"),
        ("IsExternal = no", "IsExternal exists and not IsExternal"),
    ],
)
def test_conditions_said_in_two_ways_find_the_same(index: PropertyIndex, condition: str, same: str) -> None:
    found = query(index, condition).products
    assert found.any()
    assert not found.all()
    assert np.array_equal(found, query(index, same).products)


def test_a_condition_finds_what_a_loop_over_the_file_finds(house: Any, index: PropertyIndex) -> None:
    from ifcopenshell.util.element import get_psets

    wanted = {
        wall.GlobalId for wall in house.by_type("IfcWall") if float(get_psets(wall)["BaseQuantities"]["Height"]) > 2.6
    }
    answer = query(index, "BaseQuantities.Height > 2.6 and class = wall")
    assert wanted
    assert {index.ids[row] for row in np.flatnonzero(answer.products)} == wanted
    assert answer.names == ("BaseQuantities.Height", "class")


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("Height >", "model.query_number"),
        ("Height > high", "model.query_number"),
        ("(Height > 2", "model.query"),
        ("Heigth > 2", "model.query_name"),
        ("Height > 2 kg", "model.query_unit"),
        ("and", "model.query"),
        ("not " * 200 + "Height > 2", "model.query"),
    ],
)
def test_a_condition_that_cannot_be_read_says_why(index: PropertyIndex, condition: str, code: str) -> None:
    with pytest.raises(UserError) as error:
        query(index, condition)
    assert error.value.code == code


def rated(*ratings: object) -> PropertyIndex:
    """Walls with these fire ratings."""
    import ifcopenshell
    import ifcopenshell.guid

    file = ifcopenshell.file(schema="IFC4")
    for number, rating in enumerate(ratings):
        wall = file.create_entity("IfcWall", ifcopenshell.guid.new(), Name=str(number))
        value = file.create_entity("IfcBoolean" if isinstance(rating, bool) else "IfcLabel", rating)
        item = file.create_entity("IfcPropertySingleValue", Name="FireRating", NominalValue=value)
        group = file.create_entity(
            "IfcPropertySet", ifcopenshell.guid.new(), Name="Pset_WallCommon", HasProperties=[item]
        )
        file.create_entity(
            "IfcRelDefinesByProperties",
            ifcopenshell.guid.new(),
            RelatedObjects=[wall],
            RelatingPropertyDefinition=group,
        )
    return build_index(file, Feedback())


def test_ratings_are_numbers_however_they_are_written() -> None:
    ratings = rated("60", "REI 60", "F60", "60 min", "90", "EI30", "Wall 60 of 70", "none given")
    assert np.flatnonzero(query(ratings, "fire rating = 60").products).tolist() == [0, 1, 2, 3]
    assert np.flatnonzero(query(ratings, "내화등급 > 45").products).tolist() == [0, 1, 2, 3, 4]
    assert np.flatnonzero(query(ratings, "FireRating = REI 60").products).tolist() == [1]
    key, words = column_of(ratings, "firerating")
    assert key.name == "FireRating"
    assert words[1] == "REI 60"


def test_a_filter_over_sixty_thousand_elements_is_quick() -> None:
    """The figure asked for is 50 ms; the best of five counts, since other work may run beside."""
    import time

    count, sets = 60_000, 9
    base = rated(*(f"REI {30 * (1 + n % 4)}" for n in range(8)))
    number = next(n for n, key in enumerate(base.keys) if key.name == "FireRating")
    product = np.tile(np.arange(count, dtype=np.uint32), sets)
    keys = tuple(base.keys[number]._replace(name=f"P{n}") for n in range(sets))
    large = PropertyIndex(
        tuple(f"id{n}" for n in range(count)),
        keys,
        np.arange(sets + 1, dtype=np.int64) * count,
        product,
        np.random.default_rng(1).integers(0, len(base.texts), len(product)).astype(np.uint32),
        base.kinds,
        base.numbers,
        base.texts,
    )
    best = math.inf
    for _ in range(5):
        begun = time.perf_counter()
        found = query(large, "P3 >= 60 and not P5 = 90").products
        best = min(best, time.perf_counter() - begun)
    assert 0 < found.sum() < count
    assert best < 0.05
