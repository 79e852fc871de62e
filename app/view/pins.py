"""Findings as signs of constant size over everything: the colour says the severity, and so does the shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.vtkCommonDataModel import vtkDataObject

from app.colour import field_colours
from app.view.camera import Camera
from app.view.layer_actors import LayerActors, new_actor
from app.view.legend import SEVERITY_FIELD, SEVERITY_SIGNS, shown_field
from app.view.polydata import set_point_array, triangles
from app.view.shader import POSITION_TAG
from app.view.sky import shown_elements
from geo.model import Layer, Points

SHAPES = ("●", "▲", "◆")  # the order of the shader
HALF_SIZE = 11.0  # pixels
CORNERS = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], dtype=np.float32)

_VERTEX = """
  signAt = cornerMC.xy;
  signShape = cornerMC.z;
  signColour = tintMC;
  gl_Position.xy += cornerMC.xy * signSize * gl_Position.w;
  gl_Position.z = -0.995 * gl_Position.w;  // a finding is never hidden
"""
_FRAGMENT = """
  vec2 p = signAt;
  float edge = length(p) - 0.86;
  if (signShape > 1.5) edge = (abs(p.x) + abs(p.y) - 0.98) * 0.75;
  else if (signShape > 0.5) edge = max(-p.y - 0.72, dot(vec2(abs(p.x), p.y), vec2(0.866, 0.5)) - 0.48);
  if (edge > 0.0) discard;
  float foot = signShape > 0.5 && signShape < 1.5 ? -0.14 : 0.0;
  bool bar = abs(p.x) < 0.12 && p.y - foot > -0.10 && p.y - foot < 0.48;
  bool dot_ = length(p - vec2(0.0, foot - 0.32)) < 0.15;
  if (signShape < 0.5) {
    bar = abs(p.x) < 0.12 && p.y < 0.12 && p.y > -0.46;
    dot_ = length(p - vec2(0.0, 0.38)) < 0.15;
  }
  vec3 tone = edge > -0.14 || bar || dot_ ? vec3(1.0) : signColour;
  gl_FragData[0] = vec4(tone, 1.0);
"""
_INPUTS = "in vec3 cornerMC;\nin vec3 tintMC;\nout vec2 signAt;\nout float signShape;\nout vec3 signColour;\n"
_HANDED = "in vec2 signAt;\nin float signShape;\nin vec3 signColour;\n"


def is_pins(layer: Layer) -> bool:
    """Whether a result's points are findings, each with its severity."""
    found = layer.theme == "result" and layer.stratum == "underground" and isinstance(layer.geometry, Points)
    return found and SEVERITY_FIELD in layer.table.columns


class PinsActors(LayerActors):
    """One sign for each finding."""

    def build(self, prepared: object) -> None:
        """One actor for all."""
        actor = self._actor = new_actor(triangles(np.zeros((0, 3)), np.zeros((0, 3), np.int32)))
        mapper, shader = actor.GetMapper(), actor.GetShaderProperty()
        for name in ("corner", "tint"):
            mapper.MapDataArrayToVertexAttribute(f"{name}MC", name, vtkDataObject.FIELD_ASSOCIATION_POINTS, -1)
        place = "//VTK::PositionVC::Dec"
        shader.AddVertexShaderReplacement(place, True, f"{place}\n{_INPUTS}", False)
        shader.AddVertexShaderReplacement(POSITION_TAG, True, f"{POSITION_TAG}\n{_VERTEX}", False)
        shader.AddFragmentShaderReplacement(place, True, f"{place}\n{_HANDED}", False)
        shader.AddFragmentShaderReplacement("//VTK::Light::Impl", True, _FRAGMENT, False)
        shader.GetVertexCustomUniforms().SetUniform2f("signSize", (0.02, 0.03))
        actor.GetProperty().LightingOff()
        actor.PickableOff()
        self.actors = [actor]

    def recolour(self) -> None:
        """Shown findings in their colours, the gravest drawn last."""
        points = self._points()
        element = points.element
        shape = self._shapes()
        keep = np.flatnonzero(shown_elements(self.layer)[element])
        keep = keep[np.argsort(shape[element[keep]], kind="stable")]
        count = len(keep)
        tint = self._colours()[element[keep]] / np.float32(255.0)
        corner = np.empty((count, 4, 3), dtype=np.float32)
        corner[:, :, :2] = CORNERS
        corner[:, :, 2] = shape[element[keep]][:, None]
        first = 4 * np.arange(count, dtype=np.int32)[:, None]
        faces = np.concatenate([first + [0, 1, 2], first + [0, 2, 3]], axis=1).reshape(-1, 3).astype(np.int32)
        data = triangles(np.repeat(points.vertices[keep], 4, axis=0), faces)
        set_point_array(data, "corner", corner.reshape(-1, 3))
        set_point_array(data, "tint", np.repeat(tint, 4, axis=0).astype(np.float32))
        self._actor.GetMapper().SetInputData(data)

    def look_from(self, camera: Camera, size: tuple[int, int]) -> None:
        """Of one size on the screen."""
        width, height = max(size[0], 1), max(size[1], 1)
        share = (2.0 * HALF_SIZE / width, 2.0 * HALF_SIZE / height)
        self._actor.GetShaderProperty().GetVertexCustomUniforms().SetUniform2f("signSize", share)

    def _shapes(self) -> NDArray[np.float32]:
        values = self.layer.table.columns[SEVERITY_FIELD].values
        return np.array([SHAPES.index(SEVERITY_SIGNS.get(str(v), "●")) for v in values], dtype=np.float32)

    def _colours(self) -> NDArray[np.uint8]:
        field = shown_field(self.layer)
        if field is not None and field.on == "element":
            return field_colours(field, self.look.theme)[0]
        return np.tile(np.array(self.plain_rgb(), dtype=np.uint8), (len(self.layer.table), 1))

    def _points(self) -> Points:
        if not isinstance(self.layer.geometry, Points):
            raise TypeError(f"{self.layer.kind} is not points")
        return self.layer.geometry
