"""What the window asks of IFC models: trees, properties, conditions. Answers come back on the main thread."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from app.connections import Connections
from app.jobs import Job, JobQueue
from app.language import tr
from app.layer_cache import cache_folder
from app.model_service import ModelService
from app.model_view import ModelView, is_model_layer, model_paths, property_of, with_property
from bim.hierarchy import Hierarchy
from bim.property_index import VERSION, PropertyIndex, read_index
from bim.property_query import Answer, column_of, query
from geo.model import Feedback, Layer, UserError
from geo.store import write_atomically

if TYPE_CHECKING:
    from app.document import Document
    from app.notices import Notices

UNUSED_CHECK_MS = 60_000
TREES_VERSION = 1
WARM_UP_MS = 400  # after the layers of a model came in: the picture comes first


@dataclass
class Known:
    """What is known of one model so far."""

    hierarchy: Hierarchy | None = None
    index: PropertyIndex | None = None
    error: BaseException | None = None
    index_error: BaseException | None = None
    asked: bool = False
    index_asked: bool = False


class ModelDesk(QObject):
    """One for the window.

    Signals
    -------
    models_changed()
        An IFC model came into the scene or left it.
    trees_changed(path), index_changed(path)
        Trees or the index of a model are there, or could not be had.
    reader_restarted(path)
        A reader ended by itself and another one answered.
    filter_requested(path, condition), colour_requested(path, name)
        Another panel wants elements found or coloured by a property.
    """

    models_changed = Signal()
    trees_changed = Signal(object)
    index_changed = Signal(object)
    reader_restarted = Signal(object)
    filter_requested = Signal(object, str)
    colour_requested = Signal(object, str)

    def __init__(self, document: Document, jobs: JobQueue, notices: Notices, parent: QObject) -> None:
        super().__init__(parent)
        self.document, self.jobs, self.notices = document, jobs, notices
        self.service = ModelService()
        self._known: dict[tuple[Path, str], Known] = {}
        self._deaths = 0
        self._unused_timer = QTimer(self)
        self._unused_timer.timeout.connect(self.service.close_unused)
        self._unused_timer.start(UNUSED_CHECK_MS)
        self._warm_timer = QTimer(self)
        self._warm_timer.setSingleShot(True)
        self._warm_timer.setInterval(WARM_UP_MS)
        self._warm_timer.timeout.connect(self._warm_up)
        self.connections = Connections()
        self.connections.add(document.scene.added, self._on_layer)
        self.connections.add(document.scene.removed, self._on_layer)

    def close(self) -> None:
        """End the readers; called after the jobs have ended."""
        self.connections.close()
        self._unused_timer.stop()
        self._warm_timer.stop()
        self.service.close()

    def _on_layer(self, layer: Layer) -> None:
        if is_model_layer(layer):
            self._warm_timer.start()

    def _warm_up(self) -> None:
        """Start readers for new models, and end those of models that have gone."""
        paths = self.paths()
        for path in {path for path, _ in self._known} - set(paths):
            self.service.forget(path)
            self._known = {key: known for key, known in self._known.items() if key[0] != path}
        for path in paths:
            self.ask_trees(path)
            index = self.known(path).index
            if index is not None:
                self._colour_again(path, index)
        self.models_changed.emit()

    def paths(self) -> list[Path]:
        """The models of the scene."""
        return model_paths(self.document.scene)

    def view(self, path: Path) -> ModelView:
        """The layers of a model as they are now."""
        return ModelView.of(self.document.scene, path)

    def known(self, path: Path) -> Known:
        """What is known of a model."""
        return self._known.setdefault((path, self.view(path).digest), Known())

    # ---- asking ---------------------------------------------------------------------------------------------------

    def ask(
        self,
        path: Path,
        name: str,
        arguments: Mapping[str, Any],
        *,
        done: Callable[[Any], None],
        failed: Callable[[BaseException], None],
        key: str = "",
        shown: bool = False,
        make: Callable[[Any], Any] | None = None,
    ) -> Job:
        """Ask one of `bim.requests.REQUESTS` about a file, in a job.

        Parameters
        ----------
        key : str
            The newest question under a key wins.
        shown : bool
            Whether the list of jobs shows it.
        make : callable
            Made of the answer on the worker thread, before `done` gets it.
        """
        digest = self.view(path).digest

        def work(feedback: Feedback) -> Any:
            answer = self.service.ask(path, name, arguments, feedback=feedback, digest=digest)
            return answer if make is None else make(answer)

        def finish(answer: Any) -> None:
            self._tell_deaths(path)
            done(answer)

        title = tr("job.model", name=path.name)
        return self.jobs.submit(work, title=title, key=key, shown=shown, done=finish, failed=failed)

    def _tell_deaths(self, path: Path) -> None:
        if self.service.deaths > self._deaths:
            self._deaths = self.service.deaths
            self.notices.tell("notice.model_restarted", name=path.name)
            self.reader_restarted.emit(path)

    def ask_properties(
        self,
        path: Path,
        element_id: str,
        *,
        done: Callable[[dict[str, Any]], None],
        failed: Callable[[BaseException], None],
    ) -> Job:
        """Everything of one element; the newest question wins."""
        return self.ask(path, "properties", {"id": element_id}, done=done, failed=failed, key="model properties")

    def ask_trees(self, path: Path, *, again: bool = False) -> None:
        """Have the trees of a model read, once; `trees_changed` tells when they are there."""
        known, digest = self.known(path), self.view(path).digest
        if known.asked and not again:
            return
        known.asked, known.error = True, None
        place = _cached(digest, TREES_VERSION, "json")

        def work(feedback: Feedback) -> Hierarchy:
            kept = _kept_trees(place) if digest else None
            if kept is not None:
                return kept
            answer = self.service.ask(path, "trees", {}, feedback=feedback, digest=digest)
            if digest:
                with contextlib.suppress(UserError):  # without a copy they are read again next time
                    write_atomically(place, lambda file: file.write(json.dumps(answer).encode()))
            return Hierarchy.from_dict(answer)

        def finish(hierarchy: Hierarchy) -> None:
            known.hierarchy = hierarchy
            self.trees_changed.emit(path)
            self.ask_index(path)
            self._warm(path)

        def fail(error: BaseException) -> None:
            known.error = error
            self._report(error)
            self.trees_changed.emit(path)

        title = tr("job.model", name=path.name)
        self.jobs.submit(work, title=title, key=f"trees {path}", shown=False, done=finish, failed=fail)

    def _warm(self, path: Path) -> None:
        """Have the file opened before somebody clicks. That it cannot be is told to who clicks."""
        self.ask(path, "schema", {}, done=lambda _schema: None, failed=self._report, key=f"warm {path}")

    def ask_index(self, path: Path, *, again: bool = False) -> None:
        """Have the index of a model's properties read from the cache, or made; `index_changed` tells."""
        known, digest = self.known(path), self.view(path).digest
        if (known.index_asked and not again) or not digest:
            return
        known.index_asked, known.index_error = True, None
        place = _cached(digest, VERSION, "npz")

        def work(feedback: Feedback) -> PropertyIndex:
            if place.exists():
                try:
                    return read_index(place)
                except UserError:
                    place.unlink(missing_ok=True)
            self.service.ask(path, "index", {"out": str(place)}, feedback=feedback, digest=digest)
            return read_index(place)

        def finish(index: PropertyIndex) -> None:
            known.index = index
            self._colour_again(path, index)
            self.index_changed.emit(path)

        def fail(error: BaseException) -> None:
            known.index_error = error
            self._report(error)
            self.index_changed.emit(path)

        title = tr("job.model_index", name=path.name)
        self.jobs.submit(work, title=title, key=f"index {path}", done=finish, failed=fail)

    def _colour_again(self, path: Path, index: PropertyIndex) -> None:
        """A project file keeps by which property a model is coloured, but not its values: give them back."""
        for layer in self.view(path).layers:
            name = layer.style.colour_by
            if not name or layer.field_named(name) is not None or name in layer.table.columns:
                continue
            try:
                key, values = column_of(index, property_of(name))
            except UserError:
                continue  # not one of the model's properties
            again = with_property(layer, index.ids, values, name=key.name, unit=key.unit)
            if again is not None:
                self.document.scene.replace(again.with_(style=layer.style), "data")

    def _report(self, error: BaseException) -> None:
        """Errors of the user's are shown where they were caused; anything else is a bug and told as one."""
        if not isinstance(error, UserError):
            self.notices.report(error)

    def filter(self, path: Path, text: str) -> Answer | None:
        """Elements that fulfil a condition, or None while the index is not there. Raises `UserError`."""
        index = self.known(path).index
        return None if index is None else query(index, text)

    def ids_of(self, path: Path, answer: Answer) -> list[str]:
        """GlobalIds of an answer."""
        index = self.known(path).index
        return [] if index is None else [index.ids[row] for row in np.flatnonzero(answer.products)]


def _cached(digest: str, version: int, ending: str) -> Path:
    """Where what was worked out of a file's content is kept."""
    return cache_folder() / "models" / f"{digest}-{version}.{ending}"


def _kept_trees(place: Path) -> Hierarchy | None:
    """Trees kept earlier, or None; broken ones are as good as none."""
    try:
        return Hierarchy.from_dict(json.loads(place.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None
