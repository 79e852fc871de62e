"""Writes BCF 2.1 and 3.0 so that the published schemas hold."""

from __future__ import annotations

import re
import uuid
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from bim.bcf.model import UNSAID, VERSIONS, Comment, ModelFile, Topic, Viewpoint
from bim.bcf.write_viewpoint import narrowed, visualization
from geo.model import Feedback, Issue
from geo.store import write_atomically

GUID = re.compile(r"[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}")
IFC_GUID = re.compile(r"[0-9A-Za-z_$]{22}")
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_bcf(
    path: Path, topics: Sequence[Topic], *, version: str = "3.0", project: str = "", feedback: Feedback | None = None
) -> list[Issue]:
    """Write topics; the file is whole or not there.

    Parameters
    ----------
    version : {"2.1", "3.0"}
    project : str
        Name of the project.

    Returns
    -------
    list of Issue
        What the version cannot say as it was.
    """
    if version not in VERSIONS:
        raise ValueError(f"BCF {version} is not written, only {', '.join(VERSIONS)}")
    feedback = feedback or Feedback()
    issues: list[Issue] = []

    def write(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            _write_frame(archive, topics, version, project)
            for number, topic in enumerate(topics):
                feedback.step(number / len(topics), f"writing topic {number + 1}")
                _write_topic(archive, topic, version, issues)

    write_atomically(path, write)
    feedback.step(1.0, "written")
    return issues


def _write_frame(archive: zipfile.ZipFile, topics: Sequence[Topic], version: str, project: str) -> None:
    """What an archive has beside its topics."""
    root = Element("Version", VersionId=version)
    if version == "2.1":
        SubElement(root, "DetailedVersion").text = version
    _store(archive, "bcf.version", root)
    if project:
        root = Element("ProjectExtension" if version == "2.1" else "ProjectInfo")
        about = SubElement(root, "Project", ProjectId=str(uuid.uuid5(uuid.NAMESPACE_OID, project)))
        SubElement(about, "Name").text = clean(project)
        if version == "2.1":
            SubElement(root, "ExtensionSchema")
        _store(archive, "project.bcfp", root)
    if version == "3.0":
        _store(archive, "extensions.xml", _extensions(topics))


def _extensions(topics: Sequence[Topic]) -> Element:
    """The words that the topics use."""
    users = {u for t in topics for u in (t.author or UNSAID, t.modified_author, t.assigned)}
    users |= {comment.author or UNSAID for topic in topics for comment in topic.comments}
    root = Element("Extensions")
    for group, item, words in (
        ("TopicTypes", "TopicType", {t.type or UNSAID for t in topics}),
        ("TopicStatuses", "TopicStatus", {t.status or UNSAID for t in topics}),
        ("Priorities", "Priority", {t.priority for t in topics}),
        ("TopicLabels", "TopicLabel", {label for t in topics for label in t.labels}),
        ("Users", "User", users),
        ("Stages", "Stage", {t.stage for t in topics}),
    ):
        parent = SubElement(root, group)
        for word in sorted(words - {""}):
            SubElement(parent, item).text = clean(word)
    return root


def _write_topic(archive: zipfile.ZipFile, topic: Topic, version: str, issues: list[Issue]) -> None:
    folder = own_guid(topic.guid)
    _store(archive, f"{folder}/markup.bcf", _markup(topic, version))
    for number, view in enumerate(topic.viewpoints):
        names = _names(view, number)
        if view.snapshot:
            archive.writestr(_entry(f"{folder}/{names[1]}"), view.snapshot, zipfile.ZIP_STORED)
        if _is_written(view, version):
            if version == "2.1" and narrowed(view):
                issues.append(_narrowed(topic))
            _store(archive, f"{folder}/{names[0]}", visualization(view, version, guid=own_guid(view.guid)))


def _is_written(view: Viewpoint, version: str) -> bool:
    """Version 3.0 wants a camera."""
    return version == "2.1" or view.eye is not None


def _names(view: Viewpoint, number: int) -> tuple[str, str]:
    """Files of a viewpoint and of its picture; the first have the names that old programs look for."""
    mark = "" if number == 0 else f"-{own_guid(view.guid)}"
    ending = "jpg" if view.snapshot.startswith(b"\xff\xd8") else "png"
    return f"viewpoint{mark}.bcfv", f"snapshot{mark}.{ending}"


def _markup(topic: Topic, version: str) -> Element:
    root = Element("Markup")
    new = version == "3.0"
    if topic.files:
        header = SubElement(root, "Header")
        parent = SubElement(header, "Files") if new else header
        for file in topic.files:
            _file(parent, file, new)
    attributes = {"Guid": own_guid(topic.guid)}
    if topic.type or new:
        attributes["TopicType"] = clean(topic.type) or UNSAID
    if topic.status or new:
        attributes["TopicStatus"] = clean(topic.status) or UNSAID
    element = SubElement(root, "Topic", attributes)
    _about(element, topic, new)
    views = [(view, _names(view, number)) for number, view in enumerate(topic.viewpoints)]
    comments_in = SubElement(element, "Comments") if new and topic.comments else root
    for comment in topic.comments:
        _comment(comments_in, comment, new)
    views_in = SubElement(element, "Viewpoints") if new and views else root
    for number, (view, names) in enumerate(views):
        item = SubElement(views_in, "ViewPoint" if new else "Viewpoints", Guid=own_guid(view.guid))
        _add(item, "Viewpoint", names[0] if _is_written(view, version) else "")
        _add(item, "Snapshot", names[1] if view.snapshot else "")
        _add(item, "Index", str(number))
    return root


def _about(element: Element, topic: Topic, new: bool) -> None:
    """The children of a topic, in the order of the schema."""
    _add_all(element, "ReferenceLinks", "ReferenceLink", topic.links, new)
    _add(element, "Title", topic.title or "-")
    _add(element, "Priority", topic.priority)
    _add(element, "Index", "" if topic.index is None else str(topic.index))
    if new:
        _add_all(element, "Labels", "Label", topic.labels, new)
    else:
        _add_all(element, "", "Labels", topic.labels, new)
    _add(element, "CreationDate", stamp(_created(topic)))
    _add(element, "CreationAuthor", topic.author or UNSAID)
    _add(element, "ModifiedDate", stamp(topic.modified))
    _add(element, "ModifiedAuthor", topic.modified_author)
    _add(element, "DueDate", stamp(topic.due))
    _add(element, "AssignedTo", topic.assigned)
    _add(element, "Stage", topic.stage)
    _add(element, "Description", topic.description)


def _created(topic: Topic) -> datetime:
    """When a topic was made; one that does not say so is as old as its first comment, or new."""
    said = [comment.created for comment in topic.comments if comment.created is not None]
    return topic.created or topic.modified or (said[0] if said else datetime.now(UTC))


def _file(parent: Element, file: ModelFile, new: bool) -> None:
    attributes = {"IsExternal" if new else "isExternal": "true"}
    if IFC_GUID.fullmatch(file.ifc_project):
        attributes["IfcProject"] = file.ifc_project
    item = SubElement(parent, "File", attributes)
    _add(item, "Filename", file.name)
    _add(item, "Date", stamp(file.date))
    _add(item, "Reference", file.reference)


def _comment(parent: Element, comment: Comment, new: bool) -> None:
    item = SubElement(parent, "Comment", Guid=own_guid(comment.guid))
    _add(item, "Date", stamp(comment.created or comment.modified or datetime.now(UTC)))
    _add(item, "Author", comment.author or UNSAID)
    if comment.text or not new:
        SubElement(item, "Comment").text = clean(comment.text)
    if comment.viewpoint:
        SubElement(item, "Viewpoint", Guid=own_guid(comment.viewpoint))
    _add(item, "ModifiedDate", stamp(comment.modified))


def _add(parent: Element, name: str, value: str) -> None:
    """A child with a text, where there is one."""
    if clean(value).strip():
        SubElement(parent, name).text = clean(value)


def _add_all(parent: Element, group: str, name: str, values: Iterable[str], new: bool) -> None:
    values = [value for value in values if clean(value).strip()]
    inner = SubElement(parent, group) if new and group and values else parent
    for value in values:
        _add(inner, name, value)


def own_guid(text: str) -> str:
    """A guid as the schemas want it: itself, or one that follows from a text that is none."""
    lower = text.strip().lower()
    return lower if GUID.fullmatch(lower) else str(uuid.uuid5(uuid.NAMESPACE_OID, text))


def stamp(moment: datetime | None) -> str:
    """A moment as XML writes it."""
    return "" if moment is None else moment.isoformat()


def clean(text: str) -> str:
    """Without characters that XML cannot hold."""
    return NOT_IN_XML.sub("", text)


def _narrowed(topic: Topic) -> Issue:
    return Issue(
        "bcf.angle_changed",
        f"BCF 2.1 knows angles of view from 45 to 60 degrees only: the camera of '{topic.title}' was moved to show "
        "the same.",
        values={"title": topic.title},
    )


def _entry(name: str) -> zipfile.ZipInfo:
    """An entry without the hour it was written, so that the same topics give the same file."""
    return zipfile.ZipInfo(name)


def _store(archive: zipfile.ZipFile, name: str, root: Element) -> None:
    indent(root)
    data: Any = tostring(root, encoding="utf-8", xml_declaration=True)
    archive.writestr(_entry(name), data, zipfile.ZIP_DEFLATED)
