"""The sample's underground: networks along the streets, connections to buildings, and errors planted on purpose."""

from __future__ import annotations

import json
from pathlib import Path

from app.sample import utility_files
from app.sample.plan import SYNTHETIC, Ground, Plan
from app.sample.utility_errors import plant
from app.sample.utility_mains import Register, deepest_covers, lay_mains, on_ground, tunnel_edges
from app.sample.utility_names import MAPS, TRUTH
from app.sample.utility_plan import Underground
from app.sample.utility_services import lay_services
from app.sample.utility_sewers import lay_sewers
from app.sample.utility_streets import street_graph
from geo.model import Feedback

# What the checks need to see beside the pipes.
AROUND = ("terrain.tif", "buildings.city.json", "roads.gpkg")


def lay(plan: Plan, ground: Ground, seed: int, feedback: Feedback, *, errors: bool = True) -> Underground:
    """All networks of the district; `errors`: with the known set of planted errors."""
    underground = Underground()
    register = Register(underground, seed)
    feedback.step(0.0, "laying pipes")
    graph = street_graph(plan)
    tunnel = tunnel_edges(graph, plan.mixed_place[:2])
    lay_mains(graph, plan, register, tunnel)
    feedback.step(0.2, "laying sewers")
    lay_sewers(graph, plan, ground, register, least_cover=deepest_covers(graph, plan, tunnel), tunnel=tunnel)
    feedback.step(0.5, "connecting buildings")
    lay_services(graph, plan, ground, register)
    for pipe in underground.pipes:
        if pipe.covers is not None:
            pipe.points = on_ground(pipe.points, ground)
    if errors:
        feedback.step(0.9, "planting errors")
        plant(underground, plan, ground, seed)
    return underground


def write(underground: Underground, folder: Path) -> None:
    """Maps, registers, and what is wrong with them."""
    utility_files.write(underground, folder)
    truth = {
        "sample": "합강 표본지구", "data": SYNTHETIC, "pipes": len(underground.pipes),
        "around": AROUND, "maps": MAPS, "planted": underground.planted,
    }  # fmt: skip
    (folder / TRUTH).write_text(json.dumps(truth, ensure_ascii=False, indent=1), encoding="utf-8", newline="\n")
