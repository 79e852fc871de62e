"""The panels of the window, in the order of the menu."""

from __future__ import annotations

from app.panels.alternatives import AlternativesPanel
from app.panels.analyses import AnalysesPanel
from app.panels.camera import CameraPanel
from app.panels.checks import ChecksPanel
from app.panels.compare import ComparePanel
from app.panels.jobs import JobsPanel
from app.panels.layers import LayersPanel
from app.panels.log import LogPanel
from app.panels.model import ModelPanel
from app.panels.panel import Panel
from app.panels.properties import PropertiesPanel
from app.panels.purifier import PurifierPanel
from app.panels.results import ResultsPanel
from app.panels.table import TablePanel
from app.panels.timeline import TimelinePanel
from app.panels.topics import TopicsPanel
from app.panels.viewpoints import ViewpointsPanel

PANELS: tuple[type[Panel], ...] = (
    LayersPanel,
    ModelPanel,
    ChecksPanel,
    TopicsPanel,
    ViewpointsPanel,
    AlternativesPanel,
    PropertiesPanel,
    CameraPanel,
    PurifierPanel,
    AnalysesPanel,
    ResultsPanel,
    ComparePanel,
    TimelinePanel,
    JobsPanel,
    LogPanel,
    TablePanel,
)
