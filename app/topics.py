"""Headless. Topics: what people noted about the scene, and the commands that add, change and remove them.

What a topic consists of is declared in `bim.bcf.model`, since BCF files carry it between programs. Coordinates stay
those of the model that a topic is about; `app.topic_view` brings them into the scene, wherever the model stands then.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from psygnal import Signal

from bim.bcf.model import Comment, Topic

if TYPE_CHECKING:
    from app.commands import Command
    from app.document import Document

STATUSES = ("Open", "In progress", "Solved", "Closed")
TYPES = ("Issue", "Clash", "Request", "Remark")
PRIORITIES = ("Low", "Normal", "High", "Critical")


class TopicList:
    """The topics of a document, in their order. Setting what is already set emits nothing.

    Signals
    -------
    changed()
    """

    changed = Signal()

    def __init__(self) -> None:
        self._items: tuple[Topic, ...] = ()

    @property
    def items(self) -> tuple[Topic, ...]:
        """All of them."""
        return self._items

    def __iter__(self) -> Iterator[Topic]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def get(self, guid: str) -> Topic | None:
        """The topic of that guid."""
        return next((topic for topic in self._items if topic.guid == guid), None)

    def set(self, items: Iterable[Topic]) -> None:
        """Replace the list."""
        new = tuple(items)
        if new != self._items:
            self._items = new
            self.changed.emit()


class _TopicsCommand:
    """A change of the list that is taken back by putting the old list back."""

    title = ""

    def __init__(self) -> None:
        self._before: tuple[Topic, ...] = ()

    def _after(self, before: tuple[Topic, ...]) -> Iterable[Topic]:
        raise NotImplementedError

    def do(self, document: Document) -> None:
        """Make the change."""
        self._before = document.topics.items
        document.topics.set(self._after(self._before))

    def undo(self, document: Document) -> None:
        """The list as it was."""
        document.topics.set(self._before)

    def merge(self, later: Command) -> Command | None:
        """Never merges."""
        return None


class AddTopics(_TopicsCommand):
    """Put topics at the end of the list; one whose guid is there already takes the place of the old one."""

    title = "add_topics"

    def __init__(self, topics: Iterable[Topic]) -> None:
        super().__init__()
        self.topics = tuple(topics)

    def _after(self, before: tuple[Topic, ...]) -> Iterable[Topic]:
        new = {topic.guid: topic for topic in self.topics}
        kept = [new.pop(topic.guid, topic) for topic in before]
        return (*kept, *new.values())


class ChangeTopic(_TopicsCommand):
    """Put a changed topic in the place of the one with its guid."""

    title = "change_topic"

    def __init__(self, topic: Topic) -> None:
        super().__init__()
        self.topic = topic

    def _after(self, before: tuple[Topic, ...]) -> Iterable[Topic]:
        return (self.topic if old.guid == self.topic.guid else old for old in before)


class RemoveTopics(_TopicsCommand):
    """Take topics out of the list."""

    title = "remove_topics"

    def __init__(self, guids: Iterable[str]) -> None:
        super().__init__()
        self.guids = frozenset(guids)

    def _after(self, before: tuple[Topic, ...]) -> Iterable[Topic]:
        return (topic for topic in before if topic.guid not in self.guids)


def word_id(text: str) -> str:
    """Translation id of a usual word (a status, a type); a word of another program has none and is shown as it is."""
    return f"topic.word.{text.lower().replace(' ', '_')}"


def new_guid() -> str:
    """A guid that nobody has."""
    return str(uuid.uuid4())


def now() -> datetime:
    """The time, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def changed_by(topic: Topic, author: str) -> Topic:
    """The topic with who changed it, now."""
    return replace(topic, modified=now(), modified_author=author)


def with_comment(topic: Topic, text: str, *, author: str, viewpoint: str = "") -> Topic:
    """The topic with one more comment."""
    comment = Comment(new_guid(), text, author, now(), viewpoint=viewpoint)
    return replace(topic, comments=(*topic.comments, comment))
