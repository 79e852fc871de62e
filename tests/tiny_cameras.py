"""Two cameras before the tiny city."""

from __future__ import annotations

from analysis.cctv.cameras import Camera, camera_layer
from analysis.cctv.catalogue import catalogue
from geo.model import Layer


def two_cameras() -> list[Camera]:
    """One looks along the south wall of the tall box, one is a fisheye over the square."""
    models = catalogue()
    return [
        Camera("c1", "남측", models["bullet-4mp"], (-40.0, -25.0, 25.0), 60.0, 15.0, 0.0, 4.0),
        Camera("c2", "광장", models["fisheye-12mp"], (20.0, -30.0, 24.0), 0.0, 90.0, 0.0, 1.76),
    ]


def camera_layers() -> list[Layer]:
    """As a layer of the project."""
    return [camera_layer(two_cameras())]
