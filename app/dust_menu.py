"""What a user can ask for about dust: rows of the table of actions, and their menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.action_spec import ActionSpec

if TYPE_CHECKING:
    from app.main_window import MainWindow


def _has_scene(window: MainWindow) -> bool:
    return len(window.document.scene) > 0


def _study(name: str) -> ActionSpec:
    return ActionSpec(f"dust_{name}", lambda w: w.dust.ask(name), "", "", lambda w: w.dust.can_run(name))


DUST_ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "purifier_place",
        lambda w: w.dust.placing.toggle(),
        "purifier",
        "J",
        _has_scene,
        lambda w: w.dust.placing.active,
    ),
    ActionSpec("purifier_fly", lambda w: w.dust.fly(), "zoom", "Shift+F", lambda w: w.dust.has_one()),
    ActionSpec("purifier_switch", lambda w: w.dust.switch(), "", "Shift+J", lambda w: w.dust.has_own()),
    ActionSpec("purifier_remove", lambda w: w.dust.remove(), "remove", "Delete", lambda w: w.dust.has_own()),
    ActionSpec("purifier_panel", lambda w: w.show_panel("purifier"), "purifier"),
    ActionSpec(
        "dust_live",
        lambda w: w.dust.toggle_live(),
        "",
        "",
        lambda w: w.dust.has_purifiers(),
        lambda w: w.dust.live.wanted,
    ),
    ActionSpec("dust_solve", lambda w: w.dust.live.solve(), "play", "", lambda w: w.dust.live.can_solve),
    ActionSpec("dust_site", lambda w: w.dust.sources.draw_site(), "dig", "", _has_scene),
    ActionSpec("dust_stack", lambda w: w.dust.sources.place_stack(), "points", "", _has_scene),
    ActionSpec("dust_traffic", lambda w: w.dust.sources.ask_traffic(), "", "", lambda w: bool(w.dust.sources.roads())),
    ActionSpec(
        "dust_source_edit", lambda w: w.dust.sources.edit(), "", "", lambda w: w.dust.sources.selected() is not None
    ),
    _study("dispersion"),
    _study("siting"),
    ActionSpec("dust_take_over", lambda w: w.dust.take_over(), "", "", lambda w: w.dust.proposed() is not None),
    _study("calibrate"),
    _study("effect"),
)
DUST_MENU: tuple[str, tuple[object, ...]] = (
    "dust",
    ("dust_site", "dust_stack", "dust_source_edit", "dust_traffic", None, "dust_dispersion", None)
    + ("purifier_place", "purifier_fly", "purifier_switch", "purifier_remove", "purifier_panel", None)
    + ("dust_live", "dust_solve", None, "dust_siting", "dust_take_over", None, "dust_calibrate", "dust_effect"),
)
