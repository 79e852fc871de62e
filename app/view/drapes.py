"""Pictures and results laid over surfaces from above: textures and uniforms of an actor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vtkmodules.vtkRenderingCore import vtkActor

from app.view.layer_actors import Drape, Look
from app.view.shader import Finish

MOST_DRAPES = 8  # a shader may read sixteen textures; some are taken by the light
HATCH_TEXTURE = "hatchTex"


def drape_over(actor: vtkActor, drapes: Sequence[Drape], look: Look, finish: Finish) -> None:
    """Lay drapes over an actor, the last on top, instead of those it had; of very many the first are left out."""
    shown = drapes[-MOST_DRAPES:]
    property_ = actor.GetProperty()
    for name in (HATCH_TEXTURE, *(f"drapeTex{number}" for number in range(MOST_DRAPES))):
        property_.RemoveTexture(name)
    hatched = max((number for number, drape in enumerate(shown) if drape.hatch is not None), default=-1)
    look.light.apply(actor, replace(finish, drapes=len(shown), hatched=hatched))
    uniforms = actor.GetShaderProperty().GetFragmentCustomUniforms()
    for number, drape in enumerate(shown):
        property_.SetTexture(f"drapeTex{number}", drape.texture.texture)
        uniforms.SetUniform4f(f"drapeBox{number}", list(drape.box))
        uniforms.SetUniform2f(f"drapeMix{number}", [drape.strength, drape.keep])
        if number == hatched and drape.hatch is not None:
            property_.SetTexture(HATCH_TEXTURE, drape.hatch.texture)
