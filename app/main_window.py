"""The main window: puts viewport, panels and actions together. What they do is in the workbench and the panels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QMainWindow,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app import appearance, project_file
from app.actions import ActionSpec, make_actions, refresh_actions
from app.document import Document
from app.file_dialogs import FileDialogs
from app.focus_order import panel_around, step_focus
from app.language import language, tr
from app.layouts import BOTTOM_HEIGHT, STUDY, arrange
from app.memory import MemoryKeeper
from app.menus import make_menus, make_toolbar, show_context_menu
from app.notices import NoticeArea
from app.panel_set import PANELS
from app.panels.alternatives import AlternativesPanel
from app.panels.analyses import AnalysesPanel
from app.panels.checks import ChecksPanel
from app.panels.compare import ComparePanel
from app.panels.jobs import JobsPanel
from app.panels.layers import LayersPanel
from app.panels.log import LogPanel
from app.panels.model import ModelPanel
from app.panels.panel import Panel
from app.panels.properties import PropertiesPanel
from app.panels.results import ResultsPanel
from app.panels.table import TablePanel
from app.panels.timeline import TimelinePanel
from app.panels.topics import TopicsPanel
from app.progress_figures import days_on_show
from app.qt_guard import keep_none_alive
from app.rubbish import RubbishCollector
from app.settings import LayoutName, Settings
from app.shown_runs import Run
from app.start_page import StartPage
from app.status import StatusLine
from app.theme import Theme
from app.widgets.later import Later
from app.widgets.turns import Turns
from app.widgets.wording import retranslate
from app.window_tools import ToolWindow, reserve_surface
from app.workbench import Workbench
from geo.model import ElementRef, Frame, Layer

if TYPE_CHECKING:
    from app.help_window import HelpWindow
    from app.search import SearchBox

TABLE_HEIGHT = 270
SomePanel = TypeVar("SomePanel", bound=Panel)
ViewportMaker = Callable[[Workbench], QWidget]


def make_viewport(bench: Workbench) -> QWidget:
    """The real viewport."""
    from app.view.viewport import Viewport

    return Viewport(bench.document, theme=bench.theme, quality=bench.settings.quality, submit=bench.submit_for_view)


class MainWindow(ToolWindow):
    """The window on one document.

    The start page, the panels and the menus are there at once; the picture and the tools that work on it follow in
    the first turns of the event loop, or when somebody asks for one of them.
    """

    def __init__(
        self,
        document: Document,
        settings: Settings,
        *,
        viewport_maker: ViewportMaker = make_viewport,
        parent: QWidget | None = None,
    ) -> None:
        keep_none_alive()
        super().__init__(lambda: viewport_maker(self.bench), parent)
        self.document, self.settings = document, settings
        self.bench = Workbench(document, settings, parent=self)
        self.collector = RubbishCollector(self.bench.jobs, self)
        self._closing = False
        self._help: HelpWindow | None = None
        self._search: SearchBox | None = None
        appearance.apply(self.bench.theme)
        self.setAcceptDrops(True)
        self.setWindowIcon(appearance.program_icon())
        self.setDockOptions(QMainWindow.DockOption.AnimatedDocks | QMainWindow.DockOption.AllowTabbedDocks)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.files = FileDialogs(self)
        self._make_centre()
        self._make_panels()
        self.actions_ = make_actions(self)
        self.recent_menu = make_menus(self)
        self.toolbar = make_toolbar(self)
        self.status = StatusLine(self.bench, self)
        self.setStatusBar(self.status)
        self.dressing = Turns(self)
        self._fold_later = Later(self, self.fold_titles)
        self._state_later = Later(self, self.refresh_state)
        self._connect()
        self.memory = MemoryKeeper(self.bench)
        self.resize(1280, 800)
        self._restore_layout(settings.layout)
        self._study_of: dict[LayoutName, str] = {}
        self.analyses.choose(STUDY[settings.layout])
        self._write_words()  # what was made a moment ago is in this language and in these colours
        for panel in self.panels.values():
            panel.refresh_theme()

    # ---- making ---------------------------------------------------------------------------------------------------

    def _make_centre(self) -> None:
        self.start_page = StartPage(self.settings.recent)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.start_page)
        reserve_surface(self.stack)
        centre = QWidget()
        self.notice_area = NoticeArea(self.bench.notices, centre)
        layout = QVBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.stack, 1)
        self.setCentralWidget(centre)

    def _make_panels(self) -> None:
        self.panels: dict[str, Panel] = {kind.name: kind(self.bench, self) for kind in PANELS}
        self.layers, self.model = self.panel_of(LayersPanel), self.panel_of(ModelPanel)
        self.checks, self.properties = self.panel_of(ChecksPanel), self.panel_of(PropertiesPanel)
        self.analyses, self.results = self.panel_of(AnalysesPanel), self.panel_of(ResultsPanel)
        self.compare, self.timeline = self.panel_of(ComparePanel), self.panel_of(TimelinePanel)
        self.jobs, self.log = self.panel_of(JobsPanel), self.panel_of(LogPanel)
        self.table = self.panel_of(TablePanel)

    def panel_of(self, kind: type[SomePanel]) -> SomePanel:
        """The panel of a kind."""
        return next(panel for panel in self.panels.values() if isinstance(panel, kind))

    def _connect(self) -> None:
        bench, connections = self.bench, self.bench.connections
        connections.add(self.document.changed, self.refresh_state)
        connections.add(self.document.selection.changed, self.refresh_state)
        connections.add(self.document.scene.framed, self._on_framed)
        connections.add(self.document.scene.added, self._on_layer)
        connections.add(self.document.scene.removed, self._on_layer)
        connections.add(language.changed, self._on_language)
        bench.theme_changed.connect(self.refresh_theme)
        bench.zoom_requested.connect(lambda refs: self.viewport.zoom_to(refs))
        bench.bounds_requested.connect(lambda box: self.viewport.fit(box))
        bench.preview_requested.connect(self._show_preview)
        bench.result_previewed.connect(lambda key, layers: self.viewport.show_result_preview(key, layers))
        bench.preview_ended.connect(self._end_preview)
        bench.document_opened.connect(self._on_opened)
        bench.project_missing.connect(self.files.ask_relink)
        bench.result_ready.connect(self._on_result)
        bench.table_requested.connect(self.show_table)
        bench.jobs.changed.connect(self._state_later.ask)
        for panel in self.panels.values():
            for signal in (panel.dockLocationChanged, panel.topLevelChanged, panel.visibilityChanged):
                signal.connect(self._fold_later.ask)
        self.start_page.sample_asked.connect(lambda: self.when_furnished(self.files.open_sample))
        self.start_page.import_asked.connect(self.files.ask_import)
        self.start_page.open_asked.connect(self.files.ask_open)
        self.start_page.recent_asked.connect(lambda path: self.when_furnished(lambda: self.files.open_project(path)))
        self.panel_of(AlternativesPanel).mass_asked.connect(lambda: self.masses.draw())
        self.panel_of(TopicsPanel).import_asked.connect(lambda: self.topics.ask_import())
        self.results.report_asked.connect(lambda _run: self.files.ask_report())
        self.results.export_asked.connect(self.files.ask_export)
        self.results.again_asked.connect(self.prepare_again)
        self.results.step_chosen.connect(self.show_room)

    def on_furnished(self) -> None:
        """All tools are there: let them follow what is asked from here on."""
        self.viewport.hovered.connect(self.status.show_hover)
        self.viewport.context_requested.connect(self._show_context_menu)
        self.bench.sun_requested.connect(self._set_sun)
        self.bench.time_requested.connect(self.viewport.set_time)
        self.viewport.time_drawn.connect(self._on_time_drawn)
        self.viewport.set_time(self.timeline.day, self.timeline.minute)  # results follow what is changed from here on
        self._set_sun(self.timeline.sun())
        self._refresh_tool_words()
        theme = self.bench.theme
        if self.dressing.are_over:
            self.dressing.begin(self._tool_theme_steps(theme))
        else:
            self.refresh_theme(theme)
        self.refresh_state()
        self.analyses.make_form()

    # ---- state ----------------------------------------------------------------------------------------------------

    def perform(self, spec: ActionSpec) -> None:
        """Do one row of the table of actions. A menu may outlive the window."""
        if self._is_open:
            spec.run(self)
        if self._is_open:
            self.refresh_state()

    def refresh_state(self) -> None:
        """Title, enabled actions and the page in the middle."""
        name = self.document.name or tr("window.untitled")
        self.setWindowTitle(f"{name}[*] — {tr('app.name')}")
        self.setWindowModified(self.document.modified)
        refresh_actions(self, self.actions_)
        self._write_history_titles()
        has_scene = len(self.document.scene) or self.document.scene.frame
        has_picture = has_scene or (self.is_furnished and self.viewport.has_preview)
        wanted = self.viewport if has_picture else self.start_page
        if self.stack.currentWidget() is not wanted:
            self.stack.setCurrentWidget(wanted)
            self.start_page.show_recent(self.settings.recent)

    def _show_preview(self, key: str, layers: object) -> None:
        self.viewport.show_preview(key, layers)  # type: ignore[arg-type]
        self.refresh_state()

    def _end_preview(self, key: str) -> None:
        self.viewport.end_preview(key)
        if self._is_open:
            self.refresh_state()

    def _write_history_titles(self) -> None:
        history = self.document.history
        for action_id, title in (("undo", history.undo_title), ("redo", history.redo_title)):
            text = tr(f"action.{action_id}")
            self.actions_[action_id].setText(f"{text}: {tr(f'command.{title}')}" if title else text)
        for action in self.actions_.values():
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            action.setToolTip(f"{action.text().replace('…', '')}{f'  ({keys})' if keys else ''}")

    def _on_framed(self, _frame: Frame) -> None:
        self.furnish()  # what comes into the scene now is to be seen

    def _on_layer(self, _layer: Layer) -> None:
        self._state_later.ask()

    def _on_opened(self) -> None:
        self.refresh_state()
        self.viewport.fit()
        if _has_runs(self.document):
            self.show_panel("results")

    def _on_result(self, run_id: str) -> None:
        self.show_panel("results")
        self.modes.show_ways(run_id)

    def _on_time_drawn(self) -> None:
        """The cards of results that follow the date say the same day as their maps."""
        self.results.show_days(days_on_show(tuple(self.document.scene), self.viewport.seen))

    def _set_sun(self, sun: tuple[float, float] | None) -> None:
        if sun is None:
            self.viewport.set_sun(None)
        else:
            self.viewport.set_sun(*sun)

    def set_view(self, name: str) -> None:
        """One of the fixed views."""
        self.viewport.set_view(name)

    def set_quality(self, name: str) -> None:
        """Drawing quality."""
        self.settings.quality = name
        self.viewport.set_quality(name)

    def set_language(self, code: str) -> None:
        """Switch the language of the whole program."""
        self.settings.language = code
        language.set(code)

    def _on_language(self, _code: str) -> None:
        self.refresh_words()

    def refresh_words(self) -> None:
        """Every text in the current language."""
        retranslate(self)
        self._write_words()

    def _write_words(self) -> None:
        """What is not tied to the id of its text."""
        for panel in self.panels.values():
            panel.refresh_words()
        self.notice_area.refresh()
        self.status.refresh_words()
        self._refresh_tool_words()
        self.start_page.show_recent(self.settings.recent)
        if self._help is not None:
            self._help.retranslate()
        self.refresh_state()

    def _refresh_tool_words(self) -> None:
        if self.is_furnished:
            for tool in (self.modes, self.masses, self.cameras):
                tool.refresh_words()

    def refresh_theme(self, theme: Theme) -> None:
        """Colours of everything: of what is largest first, of the rest as the window comes round to it."""
        self.dressing.begin([*appearance.dressing_steps(theme), *self._theme_steps(theme)])

    def _theme_steps(self, theme: Theme) -> list[Callable[[], object]]:
        """All but the look of the application itself."""
        return [
            *(self._tool_theme_steps(theme) if self.is_furnished else ()),
            lambda: appearance.paint_icons(self, theme),
            *(panel.refresh_theme for panel in self.panels.values()),
            self.refresh_state,
        ]

    def _tool_theme_steps(self, theme: Theme) -> list[Callable[[], object]]:
        return [
            lambda: self.viewport.set_theme(theme),
            lambda: (self.modes.refresh_theme(theme), self.masses.refresh_theme(theme)),
        ]

    # ---- layouts --------------------------------------------------------------------------------------------------

    def set_layout(self, name: LayoutName) -> None:
        """Show another arrangement of docks, keeping the present one for its own layout."""
        if name != self.settings.layout:
            self._keep_layout()
            self._study_of[self.settings.layout] = self.analyses.chosen
            self._restore_layout(name)
            self.analyses.choose(self._study_of.get(name) or STUDY[name])
            self.refresh_state()

    def _keep_layout(self) -> None:
        self.settings.keep_window_state(self.settings.layout, self.saveGeometry(), self.saveState())

    def _restore_layout(self, name: LayoutName) -> None:
        self.settings.layout = name
        geometry, state = self.settings.window_state(name)
        arrange(self, self.panels, name)
        if not geometry.isEmpty() and not self.isVisible():
            self.restoreGeometry(geometry)
        if not state.isEmpty():
            self.restoreState(state)

    def fold_titles(self) -> None:
        """Docks that share a place have tabs, and need no title bar besides."""
        for panel in self.panels.values():
            panel.show_title(panel.isFloating() or not self.tabifiedDockWidgets(panel))

    def reset_layout(self) -> None:
        """The docks as the program first showed them."""
        self.settings.forget_window_state()
        arrange(self, self.panels, self.settings.layout)

    def show_panel(self, name: str) -> None:
        """Bring a panel to the front."""
        self.panels[name].show()
        self.panels[name].raise_()

    def show_table(self, layer_id: str = "") -> None:
        """Bring the attribute table to the front, high enough to read."""
        self.show_panel("table")
        if not self.table.isFloating() and self.table.height() < TABLE_HEIGHT:
            self.resizeDocks([self.table], [TABLE_HEIGHT], Qt.Orientation.Vertical)
        if layer_id:
            self.table.show_layer(layer_id)
        self.table.refresh_layers()
        self.table.focus_filter()

    def toggle_table(self) -> None:
        """Open the attribute table, or close it where it is in front."""
        if self.table.isVisible() and not self.table.visibleRegion().isEmpty():
            self.table.hide()
            self.resizeDocks([self.timeline], [BOTTOM_HEIGHT], Qt.Orientation.Vertical)
        else:
            self.show_table()

    def focusNextPrevChild(self, onward: bool) -> bool:
        """Tab and Shift+Tab, past panels that lie behind others."""
        return step_focus(lambda: super(MainWindow, self).focusNextPrevChild(onward))

    # ---- dropped files --------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files may be dropped anywhere."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        QTimer.singleShot(0, self, lambda: self.files.open_paths(paths))

    # ---- analyses, search, help -----------------------------------------------------------------------------------

    def run_analysis(self) -> None:
        """Run what the form says."""
        self.show_panel("analyses")
        self.analyses.run()

    def show_analysis(self, analysis_id: str) -> None:
        """Bring the form of an analysis to the front."""
        self.show_panel("analyses")
        self.analyses.choose(analysis_id)

    def prepare_again(self, run: Run) -> None:
        """Fill the form with the parameters of an earlier run."""
        self.show_analysis(run.analysis_id)
        if self.analyses.form is not None:
            self.analyses.form.set_values(run.record["provenance"]["params"])

    def open_search(self) -> None:
        """The box that finds everything."""
        from app.search_control import make_search, open_search

        if self._search is None:
            self._search = make_search(self)
        open_search(self, self._search)

    def show_room(self, ref: ElementRef) -> None:
        """Select an element of a building and open its storey there."""
        self.document.selection.set([ref])
        self.modes.show_storey_of(ref)

    def open_help(self, name: str = "") -> None:
        """The manual, at the page of the panel that has the focus."""
        if self._help is None:
            from app.help_window import HelpWindow

            self._help = HelpWindow(self)
        self._help.show_page(name or self._page_in_focus())
        self._help.show()
        self._help.raise_()

    def _page_in_focus(self) -> str:
        widget = panel_around(QApplication.focusWidget())
        if isinstance(widget, AnalysesPanel) and widget.analysis is not None:
            return f"analysis:{widget.analysis.id}"
        return widget.help_page if isinstance(widget, Panel) else "overview"

    def show_about(self) -> None:
        """Name, version, licence."""
        from app.about import show_about

        show_about(self)

    def _show_context_menu(self, ref: ElementRef | None, place: QPoint) -> None:
        show_context_menu(self, ref, place)

    # ---- closing --------------------------------------------------------------------------------------------------

    def request_close(self) -> None:
        """Close, asking about unsaved changes."""
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask about unsaved changes, then stop everything."""
        if not self._closing and self.document.modified:
            event.ignore()
            self.files.when_saved(self._close_now)
            return
        self.release()
        event.accept()

    def _close_now(self) -> None:
        self._closing = True
        self.close()

    def release(self) -> None:
        """Stop listening, jobs and drawing; nothing is left running after this."""
        if not self._is_open:
            return
        self._is_open = False
        self.dressing.drop()
        self._keep_layout()
        self.settings.save()
        project_file.discard_autosave(self.document)
        for panel in self.panels.values():
            panel.release()
        self.status.release()
        self.release_tools()
        self.bench.close()
        if "viewport" in self.__dict__:
            self.viewport.shutdown()
        self.collector.end()


def _has_runs(document: Document) -> bool:
    return any(layer.theme == "result" for layer in document.scene)
