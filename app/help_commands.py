"""The page of the manual on all commands: by menu, with their keys and the pages that tell of them."""

from __future__ import annotations

from collections.abc import Iterator

from app.actions import ACTIONS, MENUS
from app.language import tr

# The page that tells of a menu's commands, and of those that belong elsewhere.
PAGE_OF_MENU = {
    "file": "overview",
    "edit": "overview",
    "layer": "layers",
    "view": "views",
    "tools": "underground_view",
    "design": "alternatives",
    "cameras": "cctv_window",
    "dust": "dust_window",
    "analysis": "analyses",
    "window": "overview",
    "help": "overview",
    "theme": "settings",
    "language": "settings",
    "quality": "settings",
}
PAGE_OF = {
    **dict.fromkeys(("import", "import_report"), "importing"),
    **dict.fromkeys(("topics_export", "topic_new", "topics_of_selection"), "topics"),
    **dict.fromkeys(("export_scene", "report", "picture"), "reports"),
    **dict.fromkeys(("film", "play", "step_back", "step_on"), "timeline"),
    **dict.fromkeys(("settings", "sample", "tour"), "first_steps"),
    "openfoam": "openfoam",
    "settings": "settings",
    **dict.fromkeys(("storeys", "storey_here", "plan", "place_device", "remove_device"), "indoor"),
    "volume_view": "wind_view",
    **dict.fromkeys(
        ("measure_line", "measure_area", "measure_profile", "measure_sight", "measure_clearance"), "measure"
    ),
    "place_model": "placing",
    **dict.fromkeys(("draw_excavation", "edit_excavation"), "checks_underground"),
    "checks": "checks",
    "cctv_coverage": "cctv_coverage",
    **dict.fromkeys(("cctv_siting", "cctv_take_over"), "cctv_siting"),
    "cctv_privacy": "cctv_privacy",
    "dust_dispersion": "dust_dispersion",
    **dict.fromkeys(("dust_siting", "dust_take_over"), "dust_siting"),
    "dust_calibrate": "dust_calibrate",
    "dust_effect": "dust_effect",
    "cancel_jobs": "jobs",
    "help_keys": "keys",
}
# Studies of which a page of another name tells.
PAGE_OF_STUDY = {
    **dict.fromkeys(("sunlight.hours", "sunlight.rights", "sunlight.sky"), "sun_hours"),
    **{f"sunlight.{name}": name for name in ("standards", "shadow", "setback", "irradiation")},
    **dict.fromkeys(("indoor.route", "indoor.exits"), "indoor"),
    **dict.fromkeys(("bim.check", "bim.clash"), "checks"),
    "utility.check": "checks_underground",
    **{f"utility.{name}": "network" for name in ("excavation", "isolation", "path", "profile", "topology", "trace")},
    "links.worlds": "network",
    "construction.progress": "model",
    "construction.as_built": "as_built",
    "compare.results": "alternatives",
    "site.figures": "figures",
}


def page_of_study(analysis_id: str) -> str:
    """The written page on a study."""
    return PAGE_OF_STUDY.get(analysis_id, analysis_id.replace(".", "_"))


def commands_by_menu() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each menu with the ids of its commands and the pages that tell of them."""
    for menu, entries in MENUS:
        yield menu, list(_commands(menu, entries))


def _commands(menu: str, entries: tuple[object, ...]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        if isinstance(entry, tuple):
            yield from _commands(entry[0] if entry[0] in PAGE_OF_MENU else menu, entry[1])
        elif isinstance(entry, str) and not entry.startswith("@"):
            yield entry, PAGE_OF.get(entry, PAGE_OF_MENU[menu])


def commands_table() -> str:
    """All commands as Markdown, made from the menus themselves, so that none can be forgotten."""
    keys = {spec.id: spec.shortcut for spec in ACTIONS}
    head = " | ".join(tr(f"help.column.{name}") for name in ("command", "key", "page"))
    lines: list[str] = []
    for menu, commands in commands_by_menu():
        lines += ["", f"## {_plain(tr(f'menu.{menu}'))}", "", f"| {head} |", "|---|---|---|"]
        for command, page in commands:
            key = f"`{keys[command]}`" if keys.get(command) else "\u00a0"
            title = tr(f"action.{command}").rstrip("…")
            lines.append(f"| {title} | {key} | [{tr(f'help.{page}')}]({page}) |")
    return "\n".join([*lines, ""])


def _plain(title: str) -> str:
    """A menu's title without its letter."""
    shown, _, letter = title.partition("(&")
    return shown.strip() if letter else title.replace("&", "")
