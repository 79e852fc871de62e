"""Headless. The shapes of proposals, kept with the project: the file they came from is not needed again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from geo.alternatives import Alternative
from geo.model import Issue, Layer, Mesh, UserError
from geo.proposals import ProposalModel, colours_of
from geo.store import read_layers, write_layers

PREFIX = "proposal-"


def models_to_list(alternatives: Iterable[Alternative], folder: Path) -> list[dict[str, Any]]:
    """Write the shapes of all proposals into the folder beside the project, each once, and list them."""
    models = {one.model.id: one.model for alternative in alternatives for one in alternative.proposals}
    out = []
    for model in models.values():
        target = folder / f"{PREFIX}{model.id}.layers"
        if not target.exists():
            write_layers(target, [Layer(f"{PREFIX}{model.id}", model.file, "other", model.mesh, fields=model.fields)])
        said = {"id": model.id, "ground": model.ground, "closed": model.closed, "name": model.file}
        out.append({**said, "file": f"{folder.name}/{target.name}"})
    return out


def models_from_list(
    entries: Sequence[Mapping[str, Any]], folder: Path, issues: list[Issue]
) -> dict[str, ProposalModel]:
    """The shapes by their fingerprint; one that cannot be read is told, and its proposals are left out."""
    found = {}
    for entry in entries:
        # Under its present name or the one the project had: never outside the project's folder.
        said = Path(str(entry["file"]))
        old = folder.parent / Path(said.parent.name) / said.name
        place = old if said.parent.suffix == folder.suffix and old.is_file() else folder / said.name
        try:
            stored, _ = read_layers(place, mapped=False)
        except UserError as error:
            issues.append(_lost(str(entry["name"]), error.why))
            continue
        mesh = stored[0].geometry
        if isinstance(mesh, Mesh):
            told = float(entry["ground"]), bool(entry["closed"]), str(entry["name"])
            model = ProposalModel(mesh, *told, colours_of(stored[0]))
            found[str(entry["id"])] = model
    return found


def _lost(name: str, reason: str) -> Issue:
    return Issue(
        "project.proposal_lost",
        f"The proposal from {name} could not be read ({reason}). Place it again.",
        "error",
        values={"name": name, "reason": reason},
    )
