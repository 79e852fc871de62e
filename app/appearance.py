"""Qt style sheet, fonts and icons from a theme: calm, flat, one accent colour, an 8-pixel grid."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QObject, QSize
from PySide6.QtGui import QAction, QColor, QFont, QFontDatabase, QIcon, QPalette
from PySide6.QtWidgets import QAbstractButton, QApplication

from app.leftovers import temporary_folder
from app.theme import Theme, theme_named
from resources import path

FONTS = ("Noto Sans KR", "Noto Sans CJK KR", "Malgun Gothic", "Apple SD Gothic Neo", "NanumBarunGothic", "NanumGothic")
BASE_POINT_SIZE = 9.5
DANGER = {"light": "#b3261e", "dark": "#ff8a80"}
DOUBT = {"light": "#8a5a00", "dark": "#f0c060"}


@lru_cache(maxsize=512)
def mix(first: str, second: str, share: float) -> str:
    """A colour between two: `share` 0 gives the first, 1 the second (``"#rrggbb"``)."""
    a, b = QColor(first), QColor(second)
    parts = [round(x + (y - x) * share) for x, y in zip(a.getRgb()[:3], b.getRgb()[:3], strict=True)]  # type: ignore[index]
    return QColor(*parts).name()


def colours(theme: Theme) -> dict[str, str]:
    """The window's colours, derived from the palette of the picture."""
    card, ink = theme["card"], theme["ink"]
    return {
        "card": card,
        "ink": ink,
        "soft": theme["soft_ink"],
        "accent": theme["accent"],
        "on_accent": "#ffffff" if not theme.is_dark else "#10151b",
        "window": mix(card, ink, 0.035),
        "raised": mix(card, ink, 0.06),
        "hover": mix(card, ink, 0.09),
        "border": mix(card, ink, 0.14),
        "strong_border": mix(card, ink, 0.28),
        "chosen": mix(card, theme["accent"], 0.18),
        "danger": DANGER[theme.name],
        "danger_ground": mix(card, DANGER[theme.name], 0.08),
        "doubt": DOUBT[theme.name],
        "doubt_ground": mix(card, DOUBT[theme.name], 0.10),
    }


def apply(theme: Theme) -> None:
    """Give the whole program the theme."""
    for step in dressing_steps(theme):
        step()


def dressing_steps(theme: Theme) -> list[Callable[[], object]]:
    """The same in steps of a tenth of a second each in a furnished window, which is not painted before the last."""
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        return []
    return [
        lambda: (_paint_windows(False), application.setStyleSheet("")),  # else the next dresses every widget anew
        lambda: _give_style(application, theme),
        lambda: application.setStyleSheet(style_sheet(theme)),
        lambda: _paint_windows(True),
    ]


def _paint_windows(painted: bool) -> None:
    for window in QApplication.topLevelWidgets():
        window.setUpdatesEnabled(painted)


def _give_style(application: QApplication, theme: Theme) -> None:
    application.setStyle("Fusion")
    application.setPalette(_palette(colours(theme)))
    if application.property("has_base_font") is None:
        # Once, and before any widget exists: Qt does not give a later font to widgets with a style sheet.
        application.setFont(base_font())
        application.setProperty("has_base_font", True)
    application.setProperty("theme_name", theme.name)


def base_font() -> QFont:
    """The system's font followed by a face with Korean, figures of equal width where the font has them."""
    font = QFont(QApplication.font())
    here = set(QFontDatabase.families())
    korean = [family for family in FONTS if family in here]
    system = [f for f in font.families() if f not in ("Sans", "Sans Serif", "DejaVu Sans", "Sans Serif Collection")]
    font.setFamilies([*korean[:1], *system, *korean[1:]] or font.families())
    font.setPointSizeF(BASE_POINT_SIZE)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    if hasattr(QFont, "Tag"):
        font.setFeature(QFont.Tag("tnum"), 1)
    return font


def _palette(c: dict[str, str]) -> QPalette:
    palette = QPalette()
    for role, name in (
        (QPalette.ColorRole.Window, "window"),
        (QPalette.ColorRole.Base, "card"),
        (QPalette.ColorRole.AlternateBase, "raised"),
        (QPalette.ColorRole.Button, "card"),
        (QPalette.ColorRole.WindowText, "ink"),
        (QPalette.ColorRole.Text, "ink"),
        (QPalette.ColorRole.ButtonText, "ink"),
        (QPalette.ColorRole.ToolTipBase, "card"),
        (QPalette.ColorRole.ToolTipText, "ink"),
        (QPalette.ColorRole.PlaceholderText, "soft"),
        (QPalette.ColorRole.Link, "accent"),
        (QPalette.ColorRole.Highlight, "accent"),
        (QPalette.ColorRole.HighlightedText, "on_accent"),
    ):
        palette.setColor(role, QColor(c[name]))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(mix(c["card"], c["ink"], 0.38)))
    return palette


def style_sheet(theme: Theme) -> str:
    """The style sheet of a theme."""
    c = colours(theme)
    c["faint"] = mix(c["card"], c["ink"], 0.38)
    c["accent_hover"] = mix(c["accent"], c["ink"], 0.15)
    c["accent_off"] = mix(c["card"], c["accent"], 0.35)
    c["check_image"] = _icon_file("check", c["on_accent"])
    c["down_image"] = _icon_file("down", c["soft"])
    c["up_image"] = _icon_file("up", c["soft"])
    c["closed_image"] = _icon_file("branch_closed", c["soft"])
    c["open_image"] = _icon_file("branch_open", c["soft"])
    template = path("themes/window.qss").read_text(encoding="utf-8")
    for name in sorted(c, key=len, reverse=True):
        template = template.replace(f"@{name}", c[name])
    return template


@lru_cache(maxsize=1)
def _icon_folder() -> Path:
    return temporary_folder("icons", until_exit=True)


def _icon_file(name: str, colour: str) -> str:
    """Style sheets and Qt's drawing of SVG can only name files: the icon in a colour, written once."""
    file = _icon_folder() / f"{name}-{colour.lstrip('#')}.svg"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)  # somebody may have tidied up the temporary folder
        file.write_bytes(_svg(name, colour))
    return file.as_posix()


@lru_cache(maxsize=256)
def _drawing(name: str) -> str:
    return path(f"icons/{name}.svg").read_text(encoding="utf-8")


def _svg(name: str, colour: str) -> bytes:
    return _drawing(name).replace("currentColor", colour).encode()


@lru_cache(maxsize=512)
def icon(name: str, colour: str, faint: str = "", chosen: str = "") -> QIcon:
    """An icon in a colour; `faint` when disabled, `chosen` when checked."""
    made = QIcon()
    for colour_of_state, mode, state in (
        (colour, QIcon.Mode.Normal, QIcon.State.Off),
        (faint, QIcon.Mode.Disabled, QIcon.State.Off),
        (chosen, QIcon.Mode.Normal, QIcon.State.On),
    ):
        if colour_of_state:  # Qt draws a file at the size that is asked for, and not before
            made.addFile(_icon_file(name, colour_of_state), QSize(), mode, state)
    return made


def program_icon() -> QIcon:
    """The program's own icon."""
    return icon("app", "#ffffff")


def set_icon(target: QAction | QAbstractButton, name: str) -> None:
    """Give a button or action its icon in the theme in use; `paint_icons` colours it anew for another."""
    target.setProperty("icon_name", name)
    application = QApplication.instance()
    theme = application.property("theme_name") if application is not None else None
    if theme:
        _paint_icon(target, colours(theme_named(str(theme))))


def paint_icons(root: QObject, theme: Theme) -> None:
    """Colour every remembered icon under `root` for the theme."""
    c = colours(theme)
    for target in [root, *root.findChildren(QObject)]:
        if target.property("icon_name") and isinstance(target, QAction | QAbstractButton):
            _paint_icon(target, c)


def _paint_icon(target: QAction | QAbstractButton, c: dict[str, str]) -> None:
    strong = target.objectName() == "primary"
    faint = mix(c["card"], c["ink"], 0.32)
    name = str(target.property("icon_name"))
    target.setIcon(icon(name, c["on_accent"] if strong else c["ink"], faint, c["accent"]))
