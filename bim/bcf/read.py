"""Reads BCF 2.0, 2.1 and 3.0, and archives that do not say their version, with patience for what is missing."""

from __future__ import annotations

import posixpath
import uuid
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bim.bcf.archive import LARGEST_PICTURE, BcfArchive, BrokenPart, not_bcf
from bim.bcf.model import UNSAID, Archive, Comment, ModelFile, Topic, Viewpoint
from bim.bcf.read_viewpoint import viewpoint_of
from geo.model import Feedback, Issue

if TYPE_CHECKING:
    from lxml.etree import _Element

KNOWN = ("2.0", "2.1", "3.0")
NOT_KEPT = ("BimSnippet", "DocumentReference", "DocumentReferences", "RelatedTopic", "RelatedTopics")
PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
MODEL_SUFFIXES = (".ifc", ".ifczip", ".ifcxml")


def read_bcf(path: Path, feedback: Feedback | None = None) -> Archive:
    """The topics of a file, ordered as it says.

    One topic that cannot be read does not stop the others: it becomes an `Issue`. Raises `UserError` for a file that
    is not a BCF archive or has no topic that can be read.
    """
    feedback = feedback or Feedback()
    with BcfArchive(path) as archive:
        version = _version(archive)
        markups = list(archive.ending("markup.bcf"))
        topics: list[Topic] = []
        for number, name in enumerate(markups):
            feedback.step(number / len(markups), f"reading topic {number + 1}")
            try:
                topics.append(_topic(archive, name))
            except BrokenPart as error:
                archive.issues.append(_broken("bcf.broken_topic", f"A topic could not be read: {error}.", str(error)))
        if not markups:
            raise not_bcf(path, "it holds no topic (markup.bcf)")
        if not topics:
            raise not_bcf(path, f"none of its {len(markups)} topics can be read; {archive.issues[-1].message}")
        embedded = sum(name.endswith(MODEL_SUFFIXES) for name in archive.names)
        if embedded:
            archive.issues.append(_embedded(embedded))
        issues = tuple(archive.issues)
        project = _project(archive)
    topics.sort(key=lambda topic: (topic.index is None, topic.index or 0))
    feedback.step(1.0, "read")
    return Archive(version, tuple(_with_own_guids(topics)), project, issues)


def _version(archive: BcfArchive) -> str:
    try:
        version = str(archive.xml("bcf.version").get("VersionId") or "")
    except BrokenPart:
        version = ""
    if not version:
        archive.issues.append(
            Issue("bcf.no_version", "The file does not say its BCF version; it is read by what it holds.")
        )
    elif version not in KNOWN:
        archive.issues.append(
            Issue(
                "bcf.unknown_version",
                f"BCF version {version} is not known; what looks like 2.1 or 3.0 is read.",
                severity="doubt",
                values={"version": version},
            )
        )
    return version


def _project(archive: BcfArchive) -> str:
    try:
        return text(archive.xml("project.bcfp").find("Project"), "Name")
    except BrokenPart:
        return ""


def _topic(archive: BcfArchive, name: str) -> Topic:
    root = archive.xml(name)
    found = root.find("Topic")
    if found is None:
        raise BrokenPart(f"{name} has no Topic")
    folder = posixpath.dirname(name)
    title = text(found, "Title")
    _tell_not_kept(archive, found, title)
    index = text(found, "Index")
    return Topic(
        guid=(found.get("Guid") or posixpath.basename(folder) or str(uuid.uuid4())).strip(),
        title=title,
        description=text(found, "Description"),
        type=said(found.get("TopicType")),
        status=said(found.get("TopicStatus")),
        priority=text(found, "Priority"),
        labels=_labels(found),
        author=said(text(found, "CreationAuthor")),
        created=moment(text(found, "CreationDate")),
        modified=moment(text(found, "ModifiedDate")),
        modified_author=text(found, "ModifiedAuthor"),
        assigned=text(found, "AssignedTo"),
        due=moment(text(found, "DueDate")),
        stage=text(found, "Stage"),
        comments=tuple(_comment(item) for item in [*root.findall("Comment"), *found.findall("Comments/Comment")]),
        viewpoints=tuple(_viewpoints(archive, root, found, folder)),
        files=tuple(_files(root)),
        links=tuple(
            link.text.strip()
            for link in [*found.findall("ReferenceLink"), *found.findall("ReferenceLinks/ReferenceLink")]
            if link.text and link.text.strip()
        ),
        index=int(index) if index.isdigit() and len(index) < 10 else None,
    )


def _labels(topic: _Element) -> tuple[str, ...]:
    """Labels: text of each ``Labels`` up to 2.1, ``Labels/Label`` from 3.0 on."""
    elements = [*topic.findall("Labels/Label"), *(e for e in topic.findall("Labels") if len(e) == 0)]
    return tuple(e.text.strip() for e in elements if e.text and e.text.strip())


def _files(root: _Element) -> Iterable[ModelFile]:
    for item in [*root.findall("Header/File"), *root.findall("Header/Files/File")]:
        yield ModelFile(
            name=text(item, "Filename"),
            ifc_project=item.get("IfcProject") or "",
            date=moment(text(item, "Date")),
            reference=text(item, "Reference"),
        )


def _comment(item: _Element) -> Comment:
    view = item.find("Viewpoint")
    return Comment(
        guid=item.get("Guid") or str(uuid.uuid4()),
        text=text(item, "Comment"),
        author=said(text(item, "Author")),
        created=moment(text(item, "Date")),
        modified=moment(text(item, "ModifiedDate")),
        viewpoint="" if view is None else view.get("Guid") or "",
    )


def _viewpoints(archive: BcfArchive, root: _Element, topic: _Element, folder: str) -> Iterable[Viewpoint]:
    named = [*root.findall("Viewpoints"), *topic.findall("Viewpoints/ViewPoint")]
    places = [(item.get("Guid") or "", text(item, "Viewpoint"), text(item, "Snapshot")) for item in named]
    if not places and f"{folder}/viewpoint.bcfv".lower() in archive.names:  # the only place there was before 2.0
        places = [("", "viewpoint.bcfv", "snapshot.png")]
    for guid, view_name, picture_name in places:
        view = Viewpoint(guid or str(uuid.uuid4()))
        try:
            if view_name:
                view = viewpoint_of(archive.xml(_beside(folder, view_name)), view.guid, archive.issues)
        except BrokenPart as error:
            message = f"A viewpoint could not be read: {error}."
            archive.issues.append(_broken("bcf.broken_viewpoint", message, str(error)))
        yield _with_picture(archive, view, folder, picture_name)


def _with_picture(archive: BcfArchive, view: Viewpoint, folder: str, name: str) -> Viewpoint:
    from dataclasses import replace

    if not name:
        return view
    try:
        data = archive.read(_beside(folder, name), limit=LARGEST_PICTURE)
        if not data.startswith(PICTURES):
            raise BrokenPart(f"{name} is neither a PNG nor a JPEG picture")
    except BrokenPart as error:
        archive.issues.append(_broken("bcf.broken_picture", f"A picture could not be read: {error}.", str(error)))
        return view
    return replace(view, snapshot=data)


def _beside(folder: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(folder, name.replace("\\", "/")))


def _tell_not_kept(archive: BcfArchive, topic: _Element, title: str) -> None:
    present = [element.tag for element in topic if element.tag in NOT_KEPT and (len(element) or element.attrib)]
    if present:
        names = ", ".join(sorted(set(map(str, present))))
        archive.issues.append(
            Issue(
                "bcf.not_kept",
                f"Topic '{title}' also has {names}, which is not read.",
                values={"title": title, "parts": names},
            )
        )


def _with_own_guids(topics: Iterable[Topic]) -> Iterable[Topic]:
    """A guid that two topics share is kept by the first."""
    from dataclasses import replace

    seen: set[str] = set()
    for topic in topics:
        yield replace(topic, guid=str(uuid.uuid4())) if topic.guid in seen else topic
        seen.add(topic.guid)


def _broken(code: str, message: str, reason: str) -> Issue:
    return Issue(code, message, severity="error", values={"reason": reason})


def _embedded(count: int) -> Issue:
    return Issue(
        "bcf.embedded_models",
        f"{count} models lie in the file itself; take them out of the archive and import them to see them.",
        count=count,
        values={"count": count},
    )


def text(parent: _Element | None, name: str) -> str:
    """Text of a child element, or ``""``."""
    found = None if parent is None else parent.find(name)
    return "" if found is None or found.text is None else str(found.text).strip()


def said(value: str | None) -> str:
    """A word, or ``""`` for the one that stands for none."""
    return "" if value is None or value == UNSAID else value.strip()


def moment(value: str) -> datetime | None:
    """A date with time of XML, or None where there is none that can be read."""
    try:
        return datetime.fromisoformat(value) if value else None
    except ValueError:
        return None
