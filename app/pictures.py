"""Headless. Pictures of a scene in files: chooses view and sun, draws through `app.view.offscreen`."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.look import NO_SECTION, Section
from geo.model import Frame, Layer, UserError
from geo.store import write_atomically

# A summer afternoon: high sun from the south-west shows form without long shadows over everything.
PLAIN_MONTH, PLAIN_DAY, PLAIN_HOUR = 6, 21, 15
ZONE_WIDTH_DEG = 15.0
KOREA_OFFSET_H = 9.0


def draw(
    layers: Sequence[Layer],
    frame: Frame | None,
    *,
    size: tuple[int, int] = (1280, 800),
    view: str = "iso",
    theme: str = "light",
    moment: dt.datetime | None = None,
    legend: bool = True,
    section: Section = NO_SECTION,
    xray: float | None = None,
) -> Any:
    """A picture (PIL image) of the visible layers.

    Parameters
    ----------
    view : str
        ``"iso"``, ``"top"`` or the id of a layer to look at.
    moment : datetime or None
        Clock time at the place (no zone) that sets the shadows; None is a summer afternoon.
    section : Section
        What is cut away.
    xray : float or None
        Radius [m] of the hole in the middle of the view through which one sees the underground.
    """
    if frame is None or not layers:
        raise UserError(
            "There is nothing to draw.",
            "The project has no layers.",
            "Import files first: twin import PROJECT FILE...",
            code="picture.empty",
        )
    if view not in ("iso", "top") and view not in {layer.id for layer in layers}:
        raise UserError(
            f"There is no view called {view}.",
            f"Known are iso, top and the layers: {', '.join(layer.id for layer in layers)}.",
            "Use one of these.",
            code="picture.view",
            values={"view": view, "known": ", ".join(layer.id for layer in layers)},
        )
    from app.theme import theme_named
    from app.view.offscreen import render_picture

    sun = sun_at(frame, moment)
    return render_picture(
        layers,
        frame,
        size=size,
        view=view,
        theme=theme_named(theme),
        sun=sun,
        legend=legend,
        section=section,
        xray=xray,
    )


def sun_at(frame: Frame, moment: dt.datetime | None) -> tuple[float, float]:
    """Azimuth from true north and elevation of the sun [degrees] at a clock time of the place."""
    from analysis.kernels.sun import sun_position

    if moment is None:
        moment = dt.datetime(dt.date.today().year, PLAIN_MONTH, PLAIN_DAY, PLAIN_HOUR)
    utc = moment.replace(tzinfo=None) - dt.timedelta(hours=clock_offset_h(frame))
    azimuth, elevation, *_ = sun_position([utc.replace(tzinfo=dt.UTC)], frame.longitude, frame.latitude)
    return float(azimuth[0]), float(elevation[0])


def clock_offset_h(frame: Frame) -> float:
    """Clock time minus UTC at the project's place [h]: Korea's, else that of the nearest 15 degree meridian."""
    from geo.crs import KOREA

    west, south, east, north = KOREA
    if west <= frame.longitude <= east and south <= frame.latitude <= north:
        return KOREA_OFFSET_H
    return float(round(frame.longitude / ZONE_WIDTH_DEG))


def save_picture(path: Path, layers: Sequence[Layer], frame: Frame | None, **choices: Any) -> Path:
    """Draw into a PNG file; `choices` are those of `draw`."""
    content = png_bytes(draw(layers, frame, **choices))
    write_atomically(path, lambda file: file.write(content))
    return path


def jpeg_bytes(picture: Any) -> bytes:
    """A picture as the bytes of a JPEG file, a sixth of the PNG, for pages with many of them."""
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, format="JPEG", quality=90, subsampling=0)
    return buffer.getvalue()


def png_bytes(picture: Any) -> bytes:
    """A picture as the bytes of a PNG file."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=False)
    return buffer.getvalue()
