"""A finished frame with its depths, to be shown again: as it was, with something moving in it, or from beside.

Seen from where it was taken it is the same frame, and what is drawn over it goes behind what stood before it. Seen
from another place it is a relief of coloured points: right where the first frame saw the ground, stretched where it
did not. It stands in for the scene while the camera moves and the scene takes too long to draw.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkFloatArray, vtkUnsignedCharArray
from vtkmodules.vtkRenderingCore import vtkActor, vtkCamera, vtkPolyDataMapper, vtkRenderWindow

from app.view.polydata import ArrayTexture, textured_quads, triangles

STEP = 6  # pixels between two points of the relief
BEYOND = 2.6  # half pictures to which the rim of the relief is drawn out
DEEPEST = 2**24 - 1  # a depth buffer has 24 bits; VTK makes eight of a texture of one number
SKY = 0.9999995  # depth from which there is nothing
CORNERS = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], dtype=np.float64)


class KeptFrame:
    """What the window's drawing buffer holds now.

    Parameters
    ----------
    window : vtkRenderWindow
        Its context is current.
    camera : vtkCamera
        The frame was taken with it.

    Attributes
    ----------
    flat : vtkActor
        The frame as it was, over the whole picture, with its depths.
    """

    def __init__(self, window: vtkRenderWindow, camera: vtkCamera) -> None:
        self.camera = vtkCamera()
        self.camera.DeepCopy(camera)
        self.size = width, height = tuple(window.GetSize())
        colours, depths = vtkUnsignedCharArray(), vtkFloatArray()
        window.GetPixelData(0, 0, width - 1, height - 1, 0, colours, 0)
        window.GetZbufferData(0, 0, width - 1, height - 1, depths)
        self.colours = vtk_to_numpy(colours).reshape(height, width, 3)
        self.depths = vtk_to_numpy(depths).reshape(height, width)
        self._colour = ArrayTexture(self.colours, smooth=True)
        self._depth = ArrayTexture(depth_bytes(self.depths), smooth=False)
        self.flat = self._flat()
        self._relief: vtkActor | None = None
        self._reach = 0.0

    @property
    def reach(self) -> float:
        """How far away what it shows lies in the middle [m]."""
        if self._relief is None:
            _ = self.relief
        return self._reach

    def is_from(self, camera: vtkCamera, size: tuple[int, ...]) -> bool:
        """Whether a camera sees just this frame."""
        mine = self.camera
        return (
            size == self.size
            and mine.GetPosition() == camera.GetPosition()
            and mine.GetFocalPoint() == camera.GetFocalPoint()
            and mine.GetViewUp() == camera.GetViewUp()
            and mine.GetViewAngle() == camera.GetViewAngle()
            and mine.GetParallelProjection() == camera.GetParallelProjection()
            and mine.GetParallelScale() == camera.GetParallelScale()
        )

    def release(self, window: vtkRenderWindow) -> None:
        """Give its place in graphics memory back."""
        for actor in (self.flat, self._relief):
            if actor is not None:
                actor.ReleaseGraphicsResources(window)
        for texture in (self._colour.texture, self._depth.texture):
            texture.ReleaseGraphicsResources(window)

    @property
    def relief(self) -> vtkActor:
        """The frame as a surface in the scene."""
        if self._relief is None:
            points, quads, places = relief_of(self.depths, self.camera)
            self._reach = float(np.median(np.linalg.norm(points - np.array(self.camera.GetPosition()), axis=1)))
            mapper = vtkPolyDataMapper()
            mapper.SetInputData(textured_quads(points, quads, places))
            mapper.SetVBOShiftScaleMethod(0)
            self._relief = vtkActor()
            self._relief.SetMapper(mapper)
            self._relief.SetTexture(self._colour.texture)
            self._relief.GetProperty().LightingOff()
            self._relief.PickableOff()
            self._relief.UseBoundsOff()
            self._relief.SetForceOpaque(True)
        return self._relief

    def _flat(self) -> vtkActor:
        mapper = vtkPolyDataMapper()
        mapper.SetInputData(triangles(CORNERS, np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)))
        mapper.SetVBOShiftScaleMethod(0)
        actor = vtkActor()
        actor.SetMapper(mapper)
        actor.GetProperty().LightingOff()
        actor.GetProperty().SetTexture("keptColour", self._colour.texture)
        actor.GetProperty().SetTexture("keptDepth", self._depth.texture)
        actor.UseBoundsOff()
        actor.PickableOff()
        actor.SetForceOpaque(True)
        shader = actor.GetShaderProperty()
        texts = (
            ("vertex", "//VTK::PositionVC::Dec", "//VTK::PositionVC::Dec\nout vec2 keptAt;\n"),
            (
                "vertex",
                "//VTK::PositionVC::Impl",
                "//VTK::PositionVC::Impl\n  keptAt = 0.5 + 0.5 * vertexMC.xy;\n"
                "  gl_Position = vec4(vertexMC.xy, 0.0, 1.0);\n",
            ),
            ("fragment", "//VTK::PositionVC::Dec", "//VTK::PositionVC::Dec\nin vec2 keptAt;\n"),
            ("fragment", "//VTK::TCoord::Impl", "// the textures are read below\n"),
            (
                "fragment",
                "//VTK::Light::Impl",
                "//VTK::Light::Impl\n  ivec2 keptPixel = ivec2(gl_FragCoord.xy);\n"
                "  fragOutput0 = vec4(texelFetch(keptColour, keptPixel, 0).rgb, 1.0);\n"
                "  vec3 keptBytes = floor(255.0 * texelFetch(keptDepth, keptPixel, 0).rgb + 0.5);\n"
                f"  gl_FragDepth = dot(keptBytes, vec3(1.0, 256.0, 65536.0)) / {DEEPEST}.0;\n",
            ),
        )
        for stage, tag, text in texts:
            add = shader.AddVertexShaderReplacement if stage == "vertex" else shader.AddFragmentShaderReplacement
            add(tag, True, text, False)
        return actor


def depth_bytes(depths: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Depths (rows, cols) 0..1 as bytes (rows, cols, 4), the lowest first."""
    whole = np.rint(depths.astype(np.float64) * DEEPEST).astype("<u4")
    return whole.view(np.uint8).reshape(*depths.shape, 4)


def relief_of(
    depths: NDArray[np.float32], camera: vtkCamera
) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]:
    """Points (n, 3) float32 [local m] of a frame's depths (rows, cols), quads between them, their places in the frame.

    The rim is drawn out beyond the frame along the level of its points: blurred ground is better there than none.
    """
    height, width = depths.shape
    rows = np.unique(np.append(np.arange(0, height, STEP), height - 1))
    cols = np.unique(np.append(np.arange(0, width, STEP), width - 1))
    back = np.linalg.inv(_projection(camera, width / height))
    x, y = np.meshgrid((cols + 0.5) / width * 2 - 1, (rows + 0.5) / height * 2 - 1)
    deep = depths[np.ix_(rows, cols)].astype(np.float64)
    sky = deep >= SKY
    places = _unprojected(back, x, y, np.where(sky, _nearby(deep, sky), deep))
    places, x, y, sky = _with_rim(back, places, x, y, sky)
    count_y, count_x = sky.shape
    number = np.arange(count_y * count_x, dtype=np.int32).reshape(count_y, count_x)
    quads = np.stack([number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]], axis=-1).reshape(-1, 4)
    quads = quads[~sky.ravel()[quads].all(axis=1)]
    at = np.stack([(np.clip(x, -1, 1) + 1) / 2, (np.clip(y, -1, 1) + 1) / 2], axis=-1).reshape(-1, 2)
    return places.reshape(-1, 3).astype(np.float32), np.ascontiguousarray(quads), at.astype(np.float32)


def _projection(camera: vtkCamera, aspect: float) -> NDArray[np.float64]:
    matrix = camera.GetCompositeProjectionTransformMatrix(aspect, -1.0, 1.0)
    return np.array([[matrix.GetElement(row, col) for col in range(4)] for row in range(4)])


def _unprojected(back: NDArray[np.float64], x: NDArray, y: NDArray, depth: NDArray) -> NDArray[np.float64]:
    points = np.stack([x, y, 2 * depth - 1, np.ones_like(x)], axis=-1) @ back.T
    return np.asarray(points[..., :3] / points[..., 3:])


def _nearby(deep: NDArray[np.float64], sky: NDArray[np.bool_]) -> NDArray[np.float64]:
    """For the sky beside something: the depth of that, so that its outline is not torn away to the far end."""
    ground = np.where(sky, 0.0, deep)
    padded = np.pad(ground, 1)
    around = [
        padded[1 + dy : padded.shape[0] - 1 + dy, 1 + dx : padded.shape[1] - 1 + dx]
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
    ]
    best = np.max(around, axis=0)
    return np.where(best > 0.0, best, SKY)


def _with_rim(
    back: NDArray[np.float64], places: NDArray[np.float64], x: NDArray, y: NDArray, sky: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray, NDArray, NDArray[np.bool_]]:
    """The same with one more row and column on each side."""
    places, sky = np.pad(places, ((1, 1), (1, 1), (0, 0)), mode="edge"), np.pad(sky, 1, mode="edge")
    x, y = np.pad(x, 1, mode="edge"), np.pad(y, 1, mode="edge")
    outer = np.ones_like(sky)
    outer[1:-1, 1:-1] = False
    far_x, far_y = x[outer].copy(), y[outer].copy()
    rim_x, rim_y = np.meshgrid(np.r_[-1, np.zeros(sky.shape[1] - 2), 1], np.r_[-1, np.zeros(sky.shape[0] - 2), 1])
    far_x = np.where(rim_x[outer] != 0, rim_x[outer] * BEYOND, far_x)
    far_y = np.where(rim_y[outer] != 0, rim_y[outer] * BEYOND, far_y)
    near, far = (_unprojected(back, far_x, far_y, np.full(far_x.shape, depth)) for depth in (0.0, 1.0))
    along = far - near
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (places[outer][:, 2] - near[:, 2]) / along[:, 2]
    meets = np.isfinite(share) & (share > 0.0) & (share < 1.0)
    places[outer] = np.where(meets[:, None], near + along * np.where(meets, share, 0.0)[:, None], places[outer])
    return places, x, y, sky
