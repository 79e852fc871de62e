"""The table of everything a user can ask the window to do. Menus, toolbar, shortcuts and search are made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence

from app.action_spec import Act, ActionSpec, always
from app.appearance import set_icon
from app.compare_view_menu import COMPARE_ACTIONS
from app.dust_menu import DUST_ACTIONS, DUST_MENU
from app.massing_menu import MASSING_ACTIONS, MASSING_ENTRIES
from app.refresh_actions import REFRESH_ACTIONS, REFRESH_ENTRIES
from app.style_menu import STYLE_ACTIONS, STYLE_ENTRIES
from app.viewpoints_menu import VIEWPOINT_ACTIONS
from app.widgets.wording import say
from geo.model import ElementRef

if TYPE_CHECKING:
    from app.main_window import MainWindow

TIME_STEP_MIN = 5


def _has_scene(window: MainWindow) -> bool:
    return len(window.document.scene) > 0


def _has_selection(window: MainWindow) -> bool:
    return len(window.document.selection) > 0


def _has_device(window: MainWindow) -> bool:
    return window.drawing.selected_devices()[0] is not None


def _has_network(window: MainWindow) -> bool:
    return window.underground.has_network()


def _has_excavation(window: MainWindow) -> bool:
    return window.drawing.selected_excavation() is not None


def _has_volume(window: MainWindow) -> bool:
    return bool(window.volumes.volumes())


def _has_mass(window: MainWindow) -> bool:
    return window.masses.active or window.masses.target() is not None


def _can_box(window: MainWindow) -> bool:
    return _has_selection(window) or window.modes.mode == "box"


def _can_leave(window: MainWindow) -> bool:
    return window.modes.active and not _has_selection(window)  # Escape lets go of the selection first


def _indoors(window: MainWindow) -> list[ElementRef]:
    """The selected elements of buildings that can be opened."""
    scene = window.document.scene

    def opens(layer_id: str) -> bool:
        layer = scene.get(layer_id)
        return layer is not None and layer.stratum == "indoor"

    return window.document.selection.elements_where(opens)


def _has_one_indoors(window: MainWindow) -> bool:
    return len(window.document.selection) > 0 and bool(_indoors(window))


def _one_indoors(window: MainWindow) -> ElementRef:
    return _indoors(window)[0]


def _can_save(window: MainWindow) -> bool:
    return window.document.scene.frame is not None


def _has_runs(window: MainWindow) -> bool:
    return any(layer.theme == "result" for layer in window.document.scene)


def _ask_film(window: MainWindow) -> None:
    from app.film_dialog import ask_film

    ask_film(window)


def _start_tour(window: MainWindow) -> None:
    from app.tour import start_tour

    start_tour(window)


def _ask_settings(window: MainWindow) -> None:
    from app.settings_dialog import ask_settings

    ask_settings(window)


def _ask_openfoam(window: MainWindow) -> None:
    from app.openfoam_dialog import ask_openfoam

    ask_openfoam(window)


def _view(name: str) -> Act:
    return lambda window: window.set_view(name)


def _language(code: str) -> ActionSpec:
    return ActionSpec(
        f"language_{code}",
        lambda window: window.set_language(code),
        checked=lambda window: window.settings.language == code,
    )


def _theme(name: str) -> ActionSpec:
    return ActionSpec(
        f"theme_{name}", lambda window: window.bench.set_theme(name), checked=lambda w: w.bench.theme.name == name
    )


def _has_own_camera(window: MainWindow) -> bool:
    return any(window.cameras.is_editable(ref) for ref in window.cameras.refs)


def _frustums(mode: str) -> ActionSpec:
    return ActionSpec(
        f"camera_ground_{mode}",
        lambda window: window.cameras.set_frustums(mode),
        enabled=_has_scene,
        checked=lambda window: window.cameras.frustums == mode,
    )


def _quality(name: str) -> ActionSpec:
    return ActionSpec(
        f"quality_{name}", lambda window: window.set_quality(name), checked=lambda w: w.settings.quality == name
    )


ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("new", lambda w: w.files.ask_new(), "new", "Ctrl+N"),
    ActionSpec("open", lambda w: w.files.ask_open(), "open", "Ctrl+O"),
    ActionSpec("save", lambda w: w.files.ask_save(), "save", "Ctrl+S", _can_save),
    ActionSpec("save_as", lambda w: w.files.ask_save_as(), "", "Ctrl+Shift+S", _can_save),
    ActionSpec("import", lambda w: w.files.ask_import(), "import", "Ctrl+I"),
    ActionSpec("sample", lambda w: w.files.open_sample(), "city", "Ctrl+Shift+O"),
    ActionSpec("report", lambda w: w.files.ask_report(), "report", "Ctrl+R", _has_scene),
    ActionSpec("import_report", lambda w: w.files.ask_import_report(), "", "", _has_scene),
    ActionSpec("picture", lambda w: w.files.ask_picture(), "picture", "Ctrl+P", _has_scene),
    ActionSpec("export_scene", lambda w: w.files.ask_export_scene(), "export", "Ctrl+Shift+E", _has_scene),
    ActionSpec("export_layers", lambda w: w.files.ask_export_layers(), "export", "", _has_selection),
    ActionSpec("film", _ask_film, "play", "Ctrl+Shift+P", _has_scene),
    ActionSpec("openfoam", _ask_openfoam, "", "", _has_scene),
    ActionSpec("quit", lambda w: w.request_close(), "", "Ctrl+Q"),
    ActionSpec("undo", lambda w: w.document.history.undo(), "undo", "Ctrl+Z", lambda w: _titled(w, redo=False)),
    ActionSpec("redo", lambda w: w.document.history.redo(), "redo", "Ctrl+Y", lambda w: _titled(w, redo=True)),
    ActionSpec("settings", _ask_settings, "settings", "Ctrl+,"),
    ActionSpec("search", lambda w: w.open_search(), "search", "Ctrl+K"),
    ActionSpec("select_none", lambda w: w.document.selection.clear(), "", "Escape", _has_selection),
    ActionSpec("layer_zoom", lambda w: w.layers.zoom_to_layer(), "zoom", "F", _has_selection),
    ActionSpec("layer_only", lambda w: w.layers.show_only(), "eye", "", _has_selection),
    ActionSpec("layer_rename", lambda w: w.layers.start_rename(), "rename", "F2", _has_selection),
    ActionSpec("table", lambda w: w.toggle_table(), "table", "F6", _has_scene),
    ActionSpec("layer_remove", lambda w: w.layers.remove_layers(), "remove", "Ctrl+Backspace", _has_selection),
    ActionSpec("view_home", _view("home"), "home", "Home", _has_scene),
    ActionSpec("view_top", _view("top"), "top", "7", _has_scene),
    ActionSpec("view_north", _view("north"), "north", "8", _has_scene),
    ActionSpec("view_east", _view("east"), "east", "6", _has_scene),
    ActionSpec("view_south", _view("south"), "south", "2", _has_scene),
    ActionSpec("view_west", _view("west"), "west", "4", _has_scene),
    ActionSpec(
        "section", lambda w: w.modes.toggle_plane(), "section", "C", _has_scene, lambda w: w.modes.mode == "plane"
    ),
    ActionSpec("section_box", lambda w: w.modes.toggle_box(), "", "Shift+C", _can_box, lambda w: w.modes.mode == "box"),
    ActionSpec(
        "storeys", lambda w: w.modes.toggle_storeys(), "storeys", "T", _has_scene, lambda w: w.modes.mode == "storey"
    ),
    ActionSpec("storey_here", lambda w: w.modes.show_storey_of(_one_indoors(w)), "", "Alt+T", _has_one_indoors),
    ActionSpec("plan", lambda w: w.modes.toggle_plan(), "plan", "Shift+T", _has_scene, lambda w: w.modes.storeys.plan),
    ActionSpec("walk", lambda w: w.modes.toggle_walk(), "walk", "V", _has_scene, lambda w: w.modes.mode == "walk"),
    ActionSpec(
        "volume_view", lambda w: w.volumes.toggle(), "volume", "U", _has_volume, lambda w: w.volumes.bar.isVisible()
    ),
    ActionSpec("leave_view", lambda w: w.modes.leave(), "", "", _can_leave),
    ActionSpec("play", lambda w: w.timeline.set_playing(not w.timeline.play_timer.isActive()), "play", "P", _has_scene),
    ActionSpec("step_back", lambda w: w.timeline.step(-TIME_STEP_MIN), "", ",", _has_scene),
    ActionSpec("step_on", lambda w: w.timeline.step(TIME_STEP_MIN), "", ".", _has_scene),
    _theme("light"),
    _theme("dark"),
    _language("ko"),
    _language("en"),
    _quality("fast"),
    _quality("normal"),
    _quality("fine"),
    ActionSpec(
        "place_model", lambda w: w.placing.open(), "target", "Ctrl+L", lambda w: bool(w.placing.selected_model())
    ),
    ActionSpec("place_device", lambda w: w.drawing.place_device(), "points", "", _has_scene),
    ActionSpec("remove_device", lambda w: w.drawing.remove_devices(), "remove", "", _has_device),
    ActionSpec("mass_move", lambda w: w.masses.toggle(), "target", "M", _has_mass, lambda w: w.masses.active),
    ActionSpec("mass_raise", lambda w: w.masses.raise_(), "up", "", _has_mass),
    ActionSpec("mass_turn", lambda w: w.masses.turn(), "redo", "", _has_mass),
    ActionSpec("mass_delete", lambda w: w.masses.delete(), "remove", "", _has_mass),
    *MASSING_ACTIONS,
    *REFRESH_ACTIONS,
    ActionSpec("mass_new", lambda w: w.masses.draw(), "city", "Shift+M", _has_scene),
    ActionSpec(
        "camera_place",
        lambda w: w.cameras.placing.toggle(),
        "camera",
        "K",
        _has_scene,
        lambda w: w.cameras.placing.active,
    ),
    ActionSpec("camera_fly", lambda w: w.cameras.fly(), "zoom", "Shift+F", lambda w: w.cameras.row is not None),
    ActionSpec("camera_switch", lambda w: w.cameras.switch(), "", "Shift+K", _has_own_camera),
    ActionSpec("camera_remove", lambda w: w.cameras.remove(), "remove", "Delete", _has_own_camera),
    ActionSpec("camera_panel", lambda w: w.show_panel("camera"), "camera"),
    _frustums("selected"),
    _frustums("all"),
    _frustums("none"),
    ActionSpec("cctv_coverage", lambda w: w.cctv.coverage(), "play", "", lambda w: w.cctv.can_run("coverage")),
    ActionSpec("cctv_siting", lambda w: w.cctv.site(), "", "", lambda w: w.cctv.can_site()),
    ActionSpec("cctv_take_over", lambda w: w.cctv.take_over(), "", "", lambda w: w.cctv.proposed() is not None),
    ActionSpec("cctv_privacy", lambda w: w.cctv.privacy(), "", "", lambda w: w.cctv.can_run("privacy")),
    ActionSpec("cctv_blind", lambda w: w.cctv.show_blind_spots(), "table", "", lambda w: bool(w.cctv.blind_spots())),
    ActionSpec("cctv_compare", lambda w: w.cctv.compare(), "", "", lambda w: len(w.cctv.plans()) > 1),
    ActionSpec("cctv_document", lambda w: w.cctv.ask_document(), "report", "", lambda w: w.cctv.has_cameras()),
    ActionSpec("cctv_export", lambda w: w.cctv.ask_export(), "export", "", lambda w: w.cctv.has_cameras()),
    ActionSpec("measure_line", lambda w: w.measuring.line(), "measure", "D", _has_scene),
    ActionSpec("measure_area", lambda w: w.measuring.area(), "", "Shift+D", _has_scene),
    ActionSpec("measure_profile", lambda w: w.measuring.profile(), "", "", _has_scene),
    ActionSpec("measure_sight", lambda w: w.measuring.sight(), "", "", _has_scene),
    ActionSpec("measure_clearance", lambda w: w.measuring.clearance(), "", "", lambda w: w.measuring.can_clear()),
    *DUST_ACTIONS,
    *STYLE_ACTIONS,
    *COMPARE_ACTIONS,
    *VIEWPOINT_ACTIONS,
    ActionSpec("draw_excavation", lambda w: w.drawing.draw_excavation(), "dig", "Ctrl+E", _has_scene),
    ActionSpec(
        "xray", lambda w: w.underground.toggle_xray(), "xray", "X", _has_scene, lambda w: w.underground.has_xray()
    ),
    ActionSpec("view_below", lambda w: w.underground.look_from_below(), "below", "Shift+X", _has_scene),
    ActionSpec(
        "labels", lambda w: w.underground.toggle_labels(), "", "L", _has_network, lambda w: w.underground.has_labels()
    ),
    ActionSpec(
        "trench", lambda w: w.underground.draw_trench(), "trench", "", _has_scene, lambda w: w.underground.has_trench()
    ),
    ActionSpec("section_drawing", lambda w: w.underground.ask_section(), "", "", _has_scene),
    ActionSpec("edit_excavation", lambda w: w.drawing.edit_excavation(), "", "", _has_excavation),
    ActionSpec("topic_new", lambda w: w.topics.ask_new(), "picture", "Ctrl+Shift+T", _has_scene),
    ActionSpec("topics_of_selection", lambda w: w.topics.topics_of_selection(), "", "", _has_selection),
    ActionSpec("topics_export", lambda w: w.topics.ask_export("3.0"), "", "", lambda w: len(w.document.topics) > 0),
    ActionSpec("checks", lambda w: w.show_panel("checks"), "check", "", _has_scene),
    ActionSpec("show_alternatives", lambda w: w.show_panel("alternatives")),
    ActionSpec("run", lambda w: w.run_analysis(), "play", "Ctrl+Return", _has_scene),
    ActionSpec("cancel_jobs", lambda w: w.bench.jobs.cancel_all(), "stop", "Ctrl+.", lambda w: w.bench.jobs.busy),
    ActionSpec("show_results", lambda w: w.show_panel("results"), "", "", _has_runs),
    ActionSpec("layout_plan", lambda w: w.set_layout("plan"), checked=lambda w: w.settings.layout == "plan"),
    ActionSpec("layout_build", lambda w: w.set_layout("build"), checked=lambda w: w.settings.layout == "build"),
    ActionSpec("layout_operate", lambda w: w.set_layout("operate"), checked=lambda w: w.settings.layout == "operate"),
    ActionSpec("reset_layout", lambda w: w.reset_layout()),
    ActionSpec("help", lambda w: w.open_help(), "help", "F1"),
    ActionSpec("help_keys", lambda w: w.open_help("keys")),
    ActionSpec("tour", _start_tour, "city"),
    ActionSpec("about", lambda w: w.show_about(), "info"),
)

# Entries: id of an action, None for a line, or (id of a submenu, entries). "@recent" and "@panels" are filled in later.
MENUS: tuple[tuple[str, tuple[object, ...]], ...] = (
    (
        "file",
        ("new", "open", "@recent", "sample", None, "save", "save_as")
        + (
            None,
            "import",
            "import_report",
            "topics_export",
            "export_scene",
            None,
            "report",
            "picture",
            "film",
            "openfoam",
        )
        + (None, "quit"),
    ),
    ("edit", ("undo", "redo", None, "select_none", None, "search", None, "settings")),
    (
        "layer",
        ("layer_zoom", "layer_only", "layer_rename", None, *STYLE_ENTRIES, None)
        + ("table", "export_layers", None, "layer_remove"),
    ),
    (
        "view",
        (
            "view_home",
            "view_top",
            "view_north",
            "view_east",
            "view_south",
            "view_west",
            None,
            "viewpoint_save",
            "viewpoints",
            None,
            "section",
            "section_box",
            "storeys",
            "storey_here",
            "plan",
            "walk",
            "fly",
            "volume_view",
            "leave_view",
            None,
            ("theme", ("theme_light", "theme_dark")),
            ("language", ("language_ko", "language_en")),
            ("quality", ("quality_fast", "quality_normal", "quality_fine")),
        ),
    ),
    (
        "tools",
        ("measure_line", "measure_area", "measure_profile", "measure_sight", "measure_clearance", None)
        + ("place_model", "place_device", "remove_device", None, "draw_excavation", "edit_excavation", None)
        + ("xray", "view_below", "labels", None, "trench", "section_drawing", None, "checks")
        + (None, "topic_new", "topics_of_selection"),
    ),
    (
        "design",
        ("mass_move", "mass_raise", "mass_turn", "mass_delete", None, "mass_new", *MASSING_ENTRIES, None)
        + ("show_alternatives", "compare_views", "swipe_views"),
    ),
    (
        "cameras",
        ("camera_place", "camera_fly", "camera_switch", "camera_remove", None, "camera_panel")
        + (("camera_ground", ("camera_ground_selected", "camera_ground_all", "camera_ground_none")), None)
        + ("cctv_coverage", "cctv_siting", "cctv_take_over", "cctv_privacy", None, "cctv_blind", "cctv_compare", None)
        + ("cctv_document", "cctv_export"),
    ),
    DUST_MENU,
    ("analysis", ("run", *REFRESH_ENTRIES, "cancel_jobs", None, "show_results", "play", "step_back", "step_on")),
    ("window", ("layout_plan", "layout_build", "layout_operate", "reset_layout", None, "table", None, "@panels")),
    ("help", ("help", "help_keys", "tour", None, "about")),
)
TOOLBAR: tuple[str | None, ...] = (
    "open",
    "save",
    "import",
    None,
    "undo",
    "redo",
    None,
    "view_home",
    "view_top",
    "view_north",
    "view_east",
    "view_south",
    "view_west",
    None,
    "section",
    "storeys",
    "plan",
    "walk",
    "measure_line",
    None,
    "xray",
    "camera_place",
    "purifier_place",
    "table",
    "picture",
    "report",
)
# Redoing is Ctrl+Y on Windows and Ctrl+Shift+Z elsewhere: both work.
MORE_SHORTCUTS = {"redo": ("Ctrl+Shift+Z",)}


def _titled(window: MainWindow, *, redo: bool) -> bool:
    history = window.document.history
    return (history.redo_title if redo else history.undo_title) is not None


def make_actions(window: MainWindow) -> dict[str, QAction]:
    """A QAction for each row of the table, by id."""
    made = {}
    for spec in ACTIONS:
        action = say(QAction(window), f"action.{spec.id}")
        action.setObjectName(f"action_{spec.id}")
        if spec.icon:
            set_icon(action, spec.icon)
        if spec.shortcut:
            keys = (spec.shortcut, *MORE_SHORTCUTS.get(spec.id, ()))
            action.setShortcuts([QKeySequence(key) for key in keys])
        action.setCheckable(spec.checked is not None)
        action.triggered.connect(lambda _checked=False, s=spec: window.perform(s))
        window.addAction(action)
        made[spec.id] = action
    return made


def refresh_actions(window: MainWindow, actions: dict[str, QAction]) -> None:
    """Enable what can be done now and tick what is chosen. Until there is a picture, only what needs nothing."""
    for spec in ACTIONS:
        action = actions[spec.id]
        is_ready = window.is_furnished or spec.enabled is always
        action.setEnabled(is_ready and spec.enabled(window))
        if spec.checked is not None and is_ready:
            action.setChecked(spec.checked(window))
