"""The sample from end to end: the main in the street, the link at the basement wall, the taps on the fifth floor."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from analysis.registry import get
from analysis.run import execute
from app.importer import ImportOptions, import_files
from app.sample import mixed_use, terrain, utilities
from app.sample.district import plan_district
from app.sample.mixed_services import service_stubs
from app.sample.utility_names import MAPS, NODES
from geo.model import Feedback, Layer, Lines
from geo.model import conventions as words

SEED = 51


MAIN = 0.2  # [m] thicker than any service connection


def nearest_main(street: Layer, place: np.ndarray) -> str:
    """Id of the main nearest in plan to a place (3,) [local m]."""
    shape = street.geometry
    assert isinstance(shape, Lines)
    size = street.table.columns[words.DIAMETER].values
    owner = np.repeat(shape.line_element, np.diff(shape.offsets))
    away = np.linalg.norm(shape.vertices[:, :2] - place[:2], axis=1)
    away[~(size[owner] >= MAIN)] = np.inf
    return str(street.table.ids[owner[int(np.argmin(away))]])


def test_water_is_followed_from_the_main_to_the_taps_of_the_fifth_floor(tmp_path: Path) -> None:
    plan = plan_district(SEED, Feedback())
    ground = terrain.build(plan, SEED, Feedback())
    terrain.write(ground, tmp_path / "terrain.tif")
    utilities.write(utilities.lay(plan, ground, SEED, Feedback()), tmp_path)
    mixed_use.write(plan, ground, tmp_path / "mixed_use.ifc", seed=SEED, feedback=Feedback())
    base = import_files([tmp_path / "terrain.tif"], frame=None)
    map_name, register = MAPS[0]

    def more(name: str, **own: object) -> tuple[Layer, ...]:
        made = import_files([tmp_path / name], frame=base.frame, layers=base.layers, options=ImportOptions(own=own))
        return made.layers

    street, manholes = more(map_name, join=register), more(NODES)
    inside = more("mixed_use.ifc", network="false")
    networks = [layer for layer in (*street, *manholes, *inside) if layer.theme == "utility"]
    stub = next(one for one in service_stubs(plan, ground) if one.utility == "water")
    place = base.frame.to_local(np.array([[stub.east, stub.north, stub.z]]))[0]
    main = nearest_main(street[0], place)
    links = execute(get("links.worlds"), layers=networks, frame=base.frame, params={})
    found = execute(get("utility.trace"), layers=[*networks, links.layers[0]], frame=base.frame, params={"start": main})
    table = next(one for one in found.tables if one.id == "traced_nodes").columns
    nodes = next(layer for layer in inside if layer.source.part == "mep_nodes").table
    ids = [str(value) for value in table["element"].values]
    taps = [nodes.row(name) for name in ids if name in nodes.index and nodes.row(name)["node"] == "service"]
    assert Counter(str(tap["storey"]) for tap in taps) == {"2F": 3, "5F": 8, "6F": 8}
    assert "utility.links_followed" in {issue.code for issue in found.issues}
