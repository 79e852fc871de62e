"""One frame drawn in several short parts, so that the window answers between them. Knows no Qt.

The parts are drawn one over the other with their depths kept: first what is solid, then what one sees through in the
order of the scene. Pixel for pixel it is the frame that would have been drawn at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from vtkmodules.vtkRenderingCore import vtkCamera, vtkProp

from app.view.warm_up import SmallTextures, crumb_of, steps_of

if TYPE_CHECKING:
    from app.view.stage import Stage

SLICE_S = 0.05  # that one part should take
FIRST_S = 0.04  # of a thing that was never drawn: its shaders are compiled
FACE_S = 4e-7  # for each triangle or line, on one slow core
FIRST_FACE_S = 2e-6  # for each that was never drawn: it is brought to where it is drawn from


class Costs:
    """What drawing each thing took the last time [s]. With occlusion it is another thing: it has other shaders."""

    def __init__(self, small: SmallTextures | None = None) -> None:
        self._known: dict[tuple[str, bool], float] = {}
        self.small = small or SmallTextures()
        self.brought: set[str] = set()  # textures, by address

    def of(self, prop: vtkProp, occluded: bool = False) -> float:
        """Measured, or guessed from the number of its triangles."""
        found = self._known.get((_key(prop), occluded))
        return FIRST_S + FIRST_FACE_S * faces_of(prop) if found is None else found

    def new(self, props: Iterable[vtkProp], occluded: bool = False) -> list[vtkProp]:
        """Those that were never drawn."""
        return [prop for prop in props if (_key(prop), occluded) not in self._known]

    def learn(self, props: Sequence[vtkProp], seconds: float, occluded: bool | Callable[[vtkProp], bool]) -> None:
        """Share the time of a part among its things by their size; `occluded` of all of them, or of each."""
        weights = [1000 + faces_of(prop) for prop in props]
        whole = sum(weights)
        for prop, weight in zip(props, weights, strict=True):
            self._known[_key(prop), occluded(prop) if callable(occluded) else occluded] = seconds * weight / whole

    def forget(self) -> None:
        """Another scene: the names of what is gone would be given again."""
        self._known.clear()
        self.brought.clear()


def _key(prop: vtkProp) -> str:
    return str(prop.GetAddressAsString("vtkObject"))


def faces_of(prop: vtkProp) -> int:
    """Triangles and lines of a thing; none where it does not say."""
    mapper: Any = prop.GetMapper() if hasattr(prop, "GetMapper") else None
    data = mapper.GetInput() if mapper is not None and hasattr(mapper, "GetInput") else None
    return int(data.GetNumberOfCells()) if data is not None and hasattr(data, "GetNumberOfCells") else 0


def props_of(stage: Stage) -> list[vtkProp]:
    """All things of the scene's renderer, in order."""
    found = stage.scene.GetViewProps()
    return [found.GetItemAsObject(number) for number in range(found.GetNumberOfItems())]


@contextmanager
def only(stage: Stage, wanted: Iterable[vtkProp]) -> Iterator[None]:
    """Show just these for a while, those of them that are to be seen at all."""
    keep = set(map(_key, wanted))
    hidden = [prop for prop in props_of(stage) if prop.GetVisibility() and _key(prop) not in keep]
    for prop in hidden:
        prop.SetVisibility(False)
    try:
        yield
    finally:
        for prop in hidden:
            prop.SetVisibility(True)


@contextmanager
def drawn_over(stage: Stage, *, keeps: bool, smooth: bool, shown: bool, front: bool) -> Iterator[None]:
    """How a part is drawn.

    keeps : bool
        Over what is there already.
    smooth : bool
        Edges are smoothed afterwards, where the quality asks for it.
    shown : bool
        The picture is finished by it.
    front : bool
        With the marks that lie over the scene.
    """
    scene, window = stage.scene, stage.window
    smoothed = scene.GetUseFXAA()
    scene.SetPreserveColorBuffer(keeps)
    scene.SetPreserveDepthBuffer(keeps)
    scene.SetUseFXAA(bool(smoothed) and smooth)
    window.SetSwapBuffers(shown)
    stage.front.SetDraw(front)
    try:
        yield
    finally:
        scene.SetPreserveColorBuffer(False)
        scene.SetPreserveDepthBuffer(False)
        scene.SetUseFXAA(smoothed)
        window.SetSwapBuffers(True)
        stage.front.SetDraw(True)


class Part(NamedTuple):
    """Things that are drawn in one go; or one of them as a crumb with these textures, to make it ready.

    Those one sees through are drawn without occlusion: VTK's pass for it would keep none of them in a part of its own.
    """

    props: list[vtkProp]
    crumb: frozenset[str] | None = None
    clear: bool = False


class SlicedFrame:
    """One frame of the scene as its camera sees it now.

    Parameters
    ----------
    stage : Stage
    costs : Costs
        Learned from while drawing.

    Attributes
    ----------
    camera : vtkCamera
        The frame is of this place, wherever the camera goes while it is drawn.
    """

    def __init__(self, stage: Stage, costs: Costs) -> None:
        self._stage, self._costs = stage, costs
        self.camera = vtkCamera()
        self.camera.DeepCopy(stage.scene.GetActiveCamera())
        self.size = tuple(stage.window.GetSize())
        moving = set(map(_key, stage.moving))
        seen = [prop for prop in props_of(stage) if prop.GetVisibility() and _key(prop) not in moving]
        self._occluded = bool(stage.scene.GetUseSSAO())
        self._first = 0  # parts before it only bring what is new to where it is drawn from
        self._parts = self._pack(seen)
        self._done = 0

    @property
    def parts(self) -> int:
        """How many there are in all."""
        return len(self._parts)

    @property
    def is_begun(self) -> bool:
        """Whether anything was drawn."""
        return self._done > 0

    @property
    def fraction(self) -> float:
        """How much of it was drawn, 0 to 1."""
        return self._done / max(len(self._parts), 1)

    @property
    def is_finished(self) -> bool:
        """Whether all of it was drawn."""
        return self._done >= len(self._parts)

    def draw_next(self, under: vtkProp | None = None) -> None:
        """Draw the next part; `under` gives back what was drawn so far, if the buffer was used for something else."""
        part, crumb, clear = self._parts[self._done]
        stage = self._stage
        last = self._done == len(self._parts) - 1
        keeps = self._done > self._first
        began = time.perf_counter()
        with self.seen_again():
            if under is not None:
                with only(stage, [under]), drawn_over(stage, keeps=False, smooth=False, shown=False, front=False):
                    stage.window.Render()
            with (
                only(stage, part),
                self._whole_or(part, crumb),
                self._plain_where(clear),
                drawn_over(stage, keeps=keeps, smooth=last, shown=False, front=False),
            ):
                stage.window.Render()
                stage.window.WaitForCompletion()
        if crumb is None:
            self._costs.learn(part, time.perf_counter() - began, self._occluded and not clear)
        self._done += 1

    @contextmanager
    def seen_again(self) -> Iterator[None]:
        """The scene from where the frame was begun, wherever the camera has gone meanwhile."""
        active, before = self._stage.scene.GetActiveCamera(), vtkCamera()
        before.DeepCopy(active)
        active.DeepCopy(self.camera)
        try:
            yield
        finally:
            active.DeepCopy(before)

    @contextmanager
    def _whole_or(self, props: Sequence[vtkProp], crumb: frozenset[str] | None) -> Iterator[None]:
        with ExitStack() as crumbs:
            for prop in props if crumb is not None else ():
                crumbs.enter_context(crumb_of(prop, crumb or frozenset(), self._costs.small))
            yield

    @contextmanager
    def _plain_where(self, clear: bool) -> Iterator[None]:
        scene = self._stage.scene
        occludes = bool(scene.GetUseSSAO())
        scene.SetUseSSAO(occludes and not clear)
        try:
            yield
        finally:
            scene.SetUseSSAO(occludes)

    def _pack(self, props: Sequence[vtkProp]) -> list[Part]:
        """Parts of about the same time, solid things first; before all, crumbs of what is large and new.

        Occlusion is of all solid things at once: those that were never drawn with it are drawn by themselves before.
        """
        solid = [prop for prop in props if not prop.HasTranslucentPolygonalGeometry()]
        clear = [prop for prop in props if prop.HasTranslucentPolygonalGeometry()]
        before = []
        for some, through in ((solid, False), (clear, True)):
            new = self._costs.new(some, self._occluded and not through)
            before += [Part([one], crumb, through) for one in new for crumb in steps_of(one, self._costs.brought)]
        if self._occluded:
            before += self._packed(self._costs.new(solid, occluded=True))
        self._first = len(before)
        solids = [Part(solid)] if self._occluded else list(self._packed(solid))
        if self._occluded and clear and not solid:
            solids = [Part([])]  # what is seen through needs something to be drawn over
        return [*before, *solids, *self._packed(clear, clear=True)] if solids or clear else [*before, Part([])]

    def _packed(self, props: Sequence[vtkProp], *, clear: bool = False) -> Iterator[Part]:
        part: list[vtkProp] = []
        seconds = 0.0
        for prop in props:
            cost = self._costs.of(prop, self._occluded and not clear)
            if part and seconds + cost > SLICE_S:
                yield Part(part, None, clear)
                part, seconds = [], 0.0
            part.append(prop)
            seconds += cost
        if part:
            yield Part(part, None, clear)
