"""User preferences, typed. Kept by Qt in the place that is usual on each system."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QByteArray, QSettings

from app.language import LANGUAGES, system_language

RECENT_LIMIT = 8
THEMES = ("light", "dark")
QUALITIES = ("fast", "normal", "fine")
LayoutName = Literal["plan", "build", "operate"]
LAYOUTS: tuple[LayoutName, ...] = ("plan", "build", "operate")


@dataclass(frozen=True)
class PictureChoice:
    """How the last picture was saved: name of its size, width and height if typed [pixels], with or without cards."""

    size: str = ""
    width: int = 0
    height: int = 0
    cards: bool = True


class Settings:
    """What the program remembers about its user.

    Parameters
    ----------
    path : Path, optional
        An ini file of its own (tests); without it the system's usual place.
    """

    def __init__(self, path: Path | None = None) -> None:
        if path is None:
            self._store = QSettings("SejongTwin", "SejongTwin")
        else:
            self._store = QSettings(str(path), QSettings.Format.IniFormat)
        self._given: dict[str, str] = {}  # environment variables set by `apply`

    def _text(self, key: str, default: str, allowed: tuple[str, ...]) -> str:
        value = str(self._store.value(key, default))
        return value if value in allowed else default

    @property
    def language(self) -> str:
        """``"ko"`` or ``"en"``; at first that of the system."""
        return self._text("language", system_language(), LANGUAGES)

    @language.setter
    def language(self, code: str) -> None:
        self._store.setValue("language", code)

    @property
    def theme(self) -> str:
        """``"light"`` or ``"dark"``."""
        return self._text("theme", "light", THEMES)

    @theme.setter
    def theme(self, name: str) -> None:
        self._store.setValue("theme", name)

    @property
    def quality(self) -> str:
        """Drawing quality of the viewport."""
        return self._text("quality", "normal", QUALITIES)

    @quality.setter
    def quality(self, name: str) -> None:
        self._store.setValue("quality", name)

    @property
    def layout(self) -> LayoutName:
        """The layout on show."""
        value = str(self._store.value("layout", "plan"))
        return next((name for name in LAYOUTS if name == value), "plan")

    @layout.setter
    def layout(self, name: LayoutName) -> None:
        self._store.setValue("layout", name)

    @property
    def autosave_minutes(self) -> int:
        """Minutes between automatic copies, at least one."""
        value = str(self._store.value("autosave_minutes", "3"))
        return max(1, int(value)) if value.isdigit() else 3

    @autosave_minutes.setter
    def autosave_minutes(self, minutes: int) -> None:
        self._store.setValue("autosave_minutes", str(minutes))

    @property
    def refreshed_on_release(self) -> frozenset[str]:
        """Ids of the studies whose results are worked out anew as soon as a change makes them out of date."""
        return frozenset(name for name in str(self._store.value("refreshed_on_release", "")).split(" ") if name)

    @refreshed_on_release.setter
    def refreshed_on_release(self, names: Collection[str]) -> None:
        self._store.setValue("refreshed_on_release", " ".join(sorted(names)))

    @property
    def threads(self) -> int:
        """Processors the kernels may take, 0 for all."""
        return self._whole("threads")

    @threads.setter
    def threads(self, count: int) -> None:
        self._store.setValue("threads", str(count))

    @property
    def cache_limit(self) -> int:
        """Most that cached copies may take [GB], 0 for what is usual."""
        return self._whole("cache_limit")

    @cache_limit.setter
    def cache_limit(self, gigabytes: int) -> None:
        self._store.setValue("cache_limit", str(gigabytes))

    @property
    def cache_folder(self) -> Path | None:
        """Where cached copies lie; None for the usual place."""
        text = str(self._store.value("cache_folder", ""))
        return Path(text) if text else None

    @cache_folder.setter
    def cache_folder(self, folder: Path | None) -> None:
        self._store.setValue("cache_folder", "" if folder is None else str(folder))

    @property
    def picture(self) -> PictureChoice:
        """How pictures are saved."""
        words = str(self._store.value("picture", "")).split()
        if len(words) != 4 or not all(word.isdecimal() and len(word) <= 6 for word in words[1:3]):
            return PictureChoice()
        return PictureChoice(words[0], int(words[1]), int(words[2]), cards=words[3] == "yes")

    @picture.setter
    def picture(self, choice: PictureChoice) -> None:
        cards = "yes" if choice.cards else "no"
        self._store.setValue("picture", f"{choice.size} {choice.width} {choice.height} {cards}")

    def apply(self) -> None:
        """Give threads and cache to the parts of the program; what the environment says already stays."""
        told = {
            "TWIN_THREADS": str(self.threads or ""),
            "TWIN_CACHE_GB": str(self.cache_limit or ""),
            "TWIN_CACHE": str(self.cache_folder or ""),
        }
        for name, value in told.items():
            if os.environ.get(name, "") not in ("", self._given.get(name, "")):
                continue  # set by who started the program
            self._given[name] = value
            os.environ[name] = value

    def _whole(self, key: str) -> int:
        value = str(self._store.value(key, "0"))
        return int(value) if value.isdigit() else 0

    @property
    def toured(self) -> bool:
        """Whether the tour was offered or taken."""
        return str(self._store.value("toured", "no")) == "yes"

    @toured.setter
    def toured(self, toured: bool) -> None:
        self._store.setValue("toured", "yes" if toured else "no")

    @property
    def author(self) -> str:
        """Who writes topics and comments; at first the name of the account."""
        return str(self._store.value("author", "")) or _account()

    @author.setter
    def author(self, name: str) -> None:
        self._store.setValue("author", name)

    @property
    def folder(self) -> Path:
        """Where the file dialogs open."""
        folder = Path(str(self._store.value("folder", "")) or Path.home())
        return folder if folder.is_dir() else Path.home()

    @folder.setter
    def folder(self, folder: Path) -> None:
        self._store.setValue("folder", str(folder))

    @property
    def recent(self) -> list[Path]:
        """Projects opened last, newest first, those still there."""
        kept = self._store.value("recent", [])
        texts = [kept] if isinstance(kept, str) else list(kept) if isinstance(kept, list | tuple) else []
        return [Path(text) for text in texts if text and Path(text).exists()]

    def add_recent(self, path: Path) -> None:
        """Remember a project as opened last."""
        path = path.resolve()
        rest = [other for other in self.recent if other != path]
        self._store.setValue("recent", [str(p) for p in [path, *rest][:RECENT_LIMIT]])

    @property
    def recent_found(self) -> list[str]:
        """What was chosen in the search box, the latest first."""
        kept = self._store.value("recent_found", [])
        names = [kept] if isinstance(kept, str) else kept if isinstance(kept, list) else []
        return [str(name) for name in names if name]

    @recent_found.setter
    def recent_found(self, names: list[str]) -> None:
        self._store.setValue("recent_found", names)

    @property
    def recent_rules(self) -> list[Path]:
        """Files of rules used last, newest first, those still there."""
        kept = self._store.value("recent_rules", [])
        texts = [kept] if isinstance(kept, str) else list(kept) if isinstance(kept, list | tuple) else []
        return [Path(text) for text in texts if text and Path(text).is_file()]

    def add_recent_rules(self, path: Path) -> None:
        """Remember a file of rules as used last."""
        rest = [other for other in self.recent_rules if other != path]
        self._store.setValue("recent_rules", [str(p) for p in [path, *rest][:RECENT_LIMIT]])

    def window_state(self, layout: LayoutName) -> tuple[QByteArray, QByteArray]:
        """Geometry of the window and arrangement of its docks in a layout; empty when never kept."""
        geometry = self._store.value("window/geometry", QByteArray())
        state = self._store.value(f"window/{layout}", QByteArray())
        empty = QByteArray()
        return (
            geometry if isinstance(geometry, QByteArray) else empty,
            state if isinstance(state, QByteArray) else empty,
        )

    def keep_window_state(self, layout: LayoutName, geometry: QByteArray, state: QByteArray) -> None:
        """Remember both."""
        self._store.setValue("window/geometry", geometry)
        self._store.setValue(f"window/{layout}", state)

    def forget_window_state(self) -> None:
        """Back to the arrangement the program starts with."""
        self._store.remove("window")

    def save(self) -> None:
        """Write to disk now."""
        self._store.sync()


def _account() -> str:
    """Name of the account, where the system knows one."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
