"""Colours of glTF materials: base colour, vertex colours and base colour texture brought together per face."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.formats.mesh_model import NO_COLOUR, packed_colours
from geo.formats.nearby import Nearby
from geo.model import Issue, UserError

Floats = NDArray[np.float64]
View = Callable[[Any], tuple[Any, int]]
MOST_PIXELS = 70_000_000
MOST_IMAGE_BYTES = 200 * 2**20


def to_srgb(linear: Floats) -> NDArray[np.uint8]:
    """Colour values 0..255 as screens show them, of linear ones 0..1 (IEC 61966-2-1)."""
    x = np.clip(np.nan_to_num(linear), 0.0, 1.0)
    curved = np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.power(np.maximum(x, 1e-9), 1 / 2.4) - 0.055)
    return np.asarray(np.rint(curved * 255), dtype=np.uint8)


def to_linear(srgb: NDArray[Any]) -> Floats:
    """Linear colour values 0..1 of those for screens, 0..255."""
    x = np.asarray(srgb, dtype=np.float64) / 255
    return np.where(x <= 0.04045, x / 12.92, np.power((x + 0.055) / 1.055, 2.4))


class Palette:
    """Materials of one document."""

    def __init__(self, document: Mapping[str, Any], view: View, nearby: Nearby) -> None:
        self.document, self.view, self.nearby = document, view, nearby
        self.images: dict[int, NDArray[np.uint8] | None] = {}
        self.failed = 0

    def issues(self) -> list[Issue]:
        """What could not be shown."""
        if not self.failed:
            return []
        message = f"{self.failed} pictures of surfaces could not be read; their plain colour is shown."
        return [Issue("mesh.texture", message, "note", self.failed)]

    def of_faces(self, material: Any, faces: NDArray[np.int64], corner: Mapping[str, Floats]) -> NDArray[np.int32]:
        """Colour of each face (m,): 0xRRGGBB, -1 where the file gives none.

        A face takes the mean of its corners' colours and the texture at the middle of its texture coordinates.
        """
        if material is None and "COLOR_0" not in corner:
            return np.full(len(faces), NO_COLOUR, np.int32)
        linear = np.ones((len(faces), 3))
        if material is not None:
            materials = self.document["materials"]
            if not isinstance(material, int) or not 0 <= material < len(materials):
                raise ValueError("a part names a material that does not exist")
            rough = materials[material].get("pbrMetallicRoughness") or {}
            linear *= np.asarray(rough.get("baseColorFactor", [1, 1, 1, 1]), dtype=np.float64)[:3]
            texture = rough.get("baseColorTexture")
            if texture is not None and "TEXCOORD_0" in corner:
                linear *= self._sampled(texture, corner["TEXCOORD_0"][:, :2][faces].mean(axis=1))
        if "COLOR_0" in corner:
            linear *= corner["COLOR_0"][:, :3][faces].mean(axis=1)
        return packed_colours(to_srgb(linear))

    def _sampled(self, texture: Mapping[str, Any], uv: Floats) -> Floats:
        """Linear colour (m, 3) of a texture at coordinates (m, 2); ones where it cannot be read."""
        textures = self.document["textures"]
        found = textures[int(texture["index"])]
        webp = ((found.get("extensions") or {}).get("EXT_texture_webp") or {}).get("source")
        source = found.get("source", webp)
        pixels = None if source is None else self._image(int(source))
        if source is None:
            self.failed += 1
        if pixels is None:
            return np.ones((len(uv), 3))
        moved = (texture.get("extensions") or {}).get("KHR_texture_transform") or {}
        uv = uv * np.asarray(moved.get("scale", [1, 1]), float) + np.asarray(moved.get("offset", [0, 0]), float)
        rows, cols, _ = pixels.shape
        uv = np.nan_to_num(uv - np.floor(uv))
        row = np.clip((uv[:, 1] * rows).astype(np.int64), 0, rows - 1)
        col = np.clip((uv[:, 0] * cols).astype(np.int64), 0, cols - 1)
        return to_linear(pixels[row, col])

    def _image(self, number: int) -> NDArray[np.uint8] | None:
        if number not in self.images:
            try:
                self.images[number] = self._decoded(self.document["images"][number])
            except (OSError, ValueError, LookupError, SyntaxError, UserError):
                self.failed += 1
                self.images[number] = None
        return self.images[number]

    def _decoded(self, image: Mapping[str, Any]) -> NDArray[np.uint8]:
        from PIL import Image

        if image.get("bufferView") is not None:
            data = bytes(self.view(image["bufferView"])[0])
        else:
            data = self.nearby.read(str(image["uri"]), most=MOST_IMAGE_BYTES)
        try:
            with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise ValueError("the picture is too large")
                return np.asarray(picture.convert("RGB"), dtype=np.uint8)
        except Image.DecompressionBombError as error:
            raise ValueError("the picture is too large") from error
