"""About the program: packages with their licences, in the window."""

from __future__ import annotations

from email.message import Message
from typing import Any

from app.about import AboutDialog, licence_of, packages


def test_every_needed_package_has_version_and_licence() -> None:
    found = {one.name.lower(): one for one in packages()}
    assert {"pyside6-essentials", "pyvista", "ifcopenshell", "pyproj", "rasterio", "trimesh"} <= set(found)
    assert "pytest" not in found  # of the tests, not of the program
    assert all(one.version for one in found.values())
    assert sum(one.licence == "–" for one in found.values()) <= 3


def test_a_licence_is_named_in_short() -> None:
    said = Message()
    said["License"] = "MIT License\n\nCopyright ..."
    assert licence_of(said) == "MIT License"
    said["Classifier"] = "License :: OSI Approved :: BSD License"
    assert licence_of(said) == "BSD License"
    said["License-Expression"] = "Apache-2.0"
    assert licence_of(said) == "Apache-2.0"
    assert licence_of(Message()) == "–"


def test_a_text_without_a_name_is_known_by_its_words() -> None:
    def named(text: str) -> str:
        said = Message()
        said["License"] = text
        return licence_of(said)

    mit = "Copyright (c) 2020 A\n\nPermission is hereby granted, free of\ncharge, to any person"
    bsd = "Copyright (c) 2015, B\n\nRedistribution and use in source and binary\nforms are permitted."
    assert named(mit) == "MIT"
    assert named(bsd) == "BSD-2-Clause"
    assert named(bsd + " Neither the name may be used to endorse or promote.") == "BSD-3-Clause"
    assert named("Copyright (c) 2020 C. All rights reserved.") == "Copyright (c) 2020 C. All rights reserved."
    assert not any(one.licence.startswith("Copyright") for one in packages())


def test_about_opens(window: Any) -> None:
    window.actions_["about"].trigger()
    shown = window.findChild(AboutDialog)
    assert shown.isVisible()
    assert shown.table.rowCount() == len(packages())
    shown.accept()
