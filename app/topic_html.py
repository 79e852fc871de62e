"""Headless. A topic as a small page for reading: what it says, who says what to it, and what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from html import escape

from app.language import tr
from app.topics import word_id
from bim.bcf.model import Comment, Component, Topic, Viewpoint

MOST_COMMENTS = 200
GO = "go:"  # links that go to a viewpoint


def topic_html(topic: Topic, *, soft: str) -> str:
    """The page; `soft` is the colour of quiet text."""
    return "".join(_parts(topic, soft))


def word(text: str) -> str:
    """A usual word in the current language; others as they are."""
    return tr(word_id(text), text) if text else ""


def status_line(topic: Topic) -> str:
    """Status, type and priority."""
    return " · ".join(word(text) for text in (topic.status, topic.type, topic.priority) if text)


def _parts(topic: Topic, soft: str) -> Iterator[str]:
    yield f"<p><b>{escape(topic.title)}</b></p>"
    about = [status_line(topic), topic.author, day_text(topic.created)]
    yield f'<p style="color:{soft}">{escape(" · ".join(text for text in about if text))}</p>'
    if topic.description:
        yield f"<p>{_text(topic.description)}</p>"
    facts = [
        (tr("topic.labels"), ", ".join(topic.labels)),
        (tr("topic.assigned"), topic.assigned),
        (tr("topic.due"), day_text(topic.due)),
        (tr("topic.models"), ", ".join(file.name for file in topic.files if file.name)),
    ]
    for name, value in facts:
        if value:
            yield f'<p><span style="color:{soft}">{escape(name)}</span> {escape(value)}</p>'
    for number, view in enumerate(topic.viewpoints):
        yield from _view(view, number, len(topic.viewpoints), soft)
    comments = [comment for comment in topic.comments if comment.text]
    if comments:
        yield f"<p><b>{escape(tr('topic.comments'))}</b></p>"
    for comment in comments[:MOST_COMMENTS]:
        yield from _comment(comment, soft)


def _view(view: Viewpoint, number: int, count: int, soft: str) -> Iterator[str]:
    title = tr("topic.view") if count == 1 else f"{tr('topic.view')} {number + 1}"
    parts = [told for told in (_components("topic.selected", view.selected),) if told]
    if view.planes:
        parts.append(tr("topic.planes", count=len(view.planes)))
    if view.exceptions:
        parts.append(_components("topic.hidden" if view.default_visible else "topic.only", view.exceptions))
    told = f' <span style="color:{soft}">{escape(" · ".join(parts))}</span>' if parts else ""
    yield f'<p><a href="{GO}{escape(view.guid)}">{escape(title)}</a>{told}</p>'


def _components(text_id: str, components: tuple[Component, ...]) -> str:
    rules = [c.rule for c in components if c.rule]
    named = len(components) - len(rules)
    told = [tr(text_id, count=named)] if named else []
    return " · ".join([*told, *(tr("topic.rule", rule=rule) for rule in rules[:3])])


def _comment(comment: Comment, soft: str) -> Iterator[str]:
    head = " · ".join(text for text in (comment.author, day_text(comment.created)) if text)
    shown = tr("topic.view")
    link = f' <a href="{GO}{escape(comment.viewpoint)}">{escape(shown)}</a>' if comment.viewpoint else ""
    yield f'<p><span style="color:{soft}">{escape(head)}</span>{link}<br>{_text(comment.text)}</p>'


def _text(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def day_text(moment: datetime | None) -> str:
    """A day as people of both languages read it."""
    return "" if moment is None else f"{moment:%Y-%m-%d}"
