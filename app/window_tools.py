"""A window whose picture, and all that works on it, is made once the window is up.

VTK alone takes longer to load than the start page takes to read. The tools come one by one in the first turns of the
event loop. Whoever asks the window for one of them before its turn has come gets all of them at once.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent, QSurfaceFormat
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QWidget

from app.widgets.turns import Step, Turns

if TYPE_CHECKING:
    from app.camera_actions import CameraActions
    from app.cctv_actions import CctvActions
    from app.compare_view_menu import CompareActions
    from app.drawing_actions import DrawingActions
    from app.dust_actions import DustActions
    from app.mass_actions import MassActions
    from app.measure_actions import MeasureActions
    from app.place_actions import PlaceActions
    from app.topic_actions import TopicActions
    from app.underground_actions import UndergroundActions
    from app.underground_sight import UndergroundSight
    from app.view_modes import ViewModes
    from app.viewpoints_menu import ViewpointActions
    from app.volume_control import VolumeControl

REST_MS = 300
FURNISH_MS = 50  # the start page is seen first
# Each takes so long to load that it has a turn of its own.
LIBRARIES = (
    "vtkmodules.vtkCommonCore",
    "vtkmodules.vtkCommonDataModel",
    "vtkmodules.vtkRenderingCore",
    "vtkmodules.vtkRenderingOpenGL2",
    "app.view.pit",
    "app.view.viewport",
    "pydantic.main",
    "analysis.params",
    "analysis.studies.sunlight_hours",
    "analysis.studies.sunlight_setback",
    "analysis.site_figures.plots",
)
# Name in the window, module, class; each may ask the window for those before it.
TOOLS = (
    ("modes", "app.view_modes", "ViewModes"),
    ("drawing", "app.drawing_actions", "DrawingActions"),
    ("underground", "app.underground_actions", "UndergroundActions"),
    ("measuring", "app.measure_actions", "MeasureActions"),
    ("placing", "app.place_actions", "PlaceActions"),
    ("masses", "app.mass_actions", "MassActions"),
    ("volumes", "app.volume_control", "VolumeControl"),
    ("cameras", "app.camera_actions", "CameraActions"),
    ("cctv", "app.cctv_actions", "CctvActions"),
    ("dust", "app.dust_actions", "DustActions"),
    ("comparing", "app.compare_view_menu", "CompareActions"),
    ("sight", "app.underground_sight", "UndergroundSight"),
    ("topics", "app.topic_actions", "TopicActions"),
    ("viewpoints", "app.viewpoints_menu", "ViewpointActions"),
)
# What is asked for by a key has no time to be loaded then.
AFTERWARDS = ("app.search_control", "app.import_dialog", "app.study_here", "app.point_window", "app.legend_editor")
NAMES = frozenset(("viewport", *(name for name, _module, _class in TOOLS)))
RELEASED = ("modes", "masses", "cameras", "volumes", "comparing")  # these hold something when the window closes


class ToolWindow(QMainWindow):
    """The window without its picture, and how it comes by it.

    Signals
    -------
    furnished()
        No more tools are made: all are there, or one could not be made.

    Attributes
    ----------
    is_furnished : bool
        Whether all tools are there. Until then the scene is empty: what needs a scene cannot be asked for.
    """

    furnished = Signal()
    stack: QStackedWidget
    viewport: Any
    modes: ViewModes
    drawing: DrawingActions
    underground: UndergroundActions
    measuring: MeasureActions
    placing: PlaceActions
    masses: MassActions
    volumes: VolumeControl
    cameras: CameraActions
    cctv: CctvActions
    dust: DustActions
    comparing: CompareActions
    sight: UndergroundSight
    topics: TopicActions
    viewpoints: ViewpointActions

    def __init__(self, make_viewport: Callable[[], Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.furnishing, self.is_furnished, self._is_open = Turns(self), False, True
        self._furnish_steps = [*map(self._guarded, self._steps(make_viewport)), self._finish_furnishing]

    def __getattr__(self, name: str) -> Any:
        """The picture or a tool that is not there yet."""
        if name not in NAMES or not self.__dict__.get("_is_open"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self.furnish()
        if name not in self.__dict__:
            raise RuntimeError(f"the window could not be furnished: there is no {name}")
        return self.__dict__[name]

    def _steps(self, make_viewport: Callable[[], Any]) -> Iterator[Step]:
        for library in LIBRARIES:
            yield lambda library=library: importlib.import_module(library)
        yield lambda: self._take_viewport(make_viewport())
        for name, module, kind in TOOLS:
            yield lambda module=module: importlib.import_module(module)
            yield lambda name=name, module=module, kind=kind: setattr(
                self, name, getattr(importlib.import_module(module), kind)(self)
            )

    def _take_viewport(self, viewport: Any) -> None:
        self.viewport = viewport
        self.stack.addWidget(viewport)  # at once: a widget without a parent would outlive the window

    def _load_the_rest(self) -> None:
        """What only one key or another needs, when nothing else is to be done."""
        if self._is_open:
            self.furnishing.begin([lambda name=name: importlib.import_module(name) for name in AFTERWARDS])

    def showEvent(self, event: QShowEvent) -> None:
        """What is not there yet follows once the start page has been drawn."""
        super().showEvent(event)
        QTimer.singleShot(FURNISH_MS, self, self._begin_to_furnish)

    def _begin_to_furnish(self) -> None:
        if self._is_open and self._furnish_steps and self.furnishing.are_over:
            self.furnishing.begin(self._furnish_steps)

    def furnish(self) -> None:
        """Make what is left of the picture and its tools, now."""
        self._begin_to_furnish()
        if self._furnish_steps:
            self.furnishing.finish()

    def when_furnished(self, do: Callable[[], object]) -> None:
        """Do it once all tools are there: what is read meanwhile would only make both slower."""
        if self._furnish_steps and self.isVisible():
            self.furnished.connect(do, Qt.ConnectionType.SingleShotConnection)
        else:
            self.furnish()
            do()

    def _guarded(self, step: Step) -> Step:
        """What fails is told once, and nothing that builds on it is tried."""

        def work() -> None:
            try:
                step()
            except Exception:
                self.furnishing.drop()
                self._furnish_steps = []
                self.furnished.emit()
                raise

        return work

    def _finish_furnishing(self) -> None:
        self.is_furnished, self._furnish_steps = True, []
        try:
            self.on_furnished()
        finally:
            self.furnished.emit()
        QTimer.singleShot(REST_MS, self, self._load_the_rest)

    def on_furnished(self) -> None:
        """The window has all its tools."""

    def release_tools(self) -> None:
        """The window closes: what has been made lets go, and what has not is not made any more."""
        self.furnishing.drop()
        self._furnish_steps = []  # they hold the window
        for name in RELEASED:
            if name in self.__dict__:
                getattr(self, name).release()


def reserve_surface(stack: QStackedWidget) -> None:
    """Have the window be one that OpenGL can draw in from its start: Qt would close and open it anew for the picture.

    The format is that of VTK's widget, which sets the same; only what is set before the window is made counts.
    """
    wanted = QSurfaceFormat()
    wanted.setRenderableType(QSurfaceFormat.RenderableType.OpenGL)
    wanted.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    wanted.setVersion(3, 2)
    wanted.setSwapBehavior(QSurfaceFormat.SwapBehavior.DoubleBuffer)
    for set_bits in (wanted.setRedBufferSize, wanted.setGreenBufferSize, wanted.setBlueBufferSize):
        set_bits(8)
    wanted.setAlphaBufferSize(8)
    wanted.setDepthBufferSize(8)
    wanted.setStencilBufferSize(0)
    wanted.setSamples(0)
    QSurfaceFormat.setDefaultFormat(wanted)
    stack.addWidget(QOpenGLWidget())
