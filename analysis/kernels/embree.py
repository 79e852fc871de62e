"""Embree's C library itself, as the embreex package ships it: scenes built and traced without holding the interpreter.

embreex offers one ray at a time, copies triangles element by element and builds its tree while every other thread
waits. The same library also answers 16 rays of one bundle at once, which neighbouring points under one sun are: about
twice as fast. Where the library is not found beside embreex, `library` says so and `rays` uses embreex alone.

Constants and structures are those of ``embree4/rtcore.h`` (API of Embree 4, https://github.com/RenderKit/embree).
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]

PACKET = 16
RAY_ROWS = 12  # RTCRay16: 12 rows of 16 floats
RAY_HIT_ROWS = 24  # RTCRayHit16: 20 or 21 rows, rounded up
VERSION_MAJOR = 1  # RTC_DEVICE_PROPERTY_VERSION_MAJOR
NATIVE_RAY16 = 34  # RTC_DEVICE_PROPERTY_NATIVE_RAY16_SUPPORTED
TRIANGLES = 0  # RTC_GEOMETRY_TYPE_TRIANGLE
INDEX_BUFFER, VERTEX_BUFFER = 0, 1
UINT3, FLOAT3 = 0x5003, 0x9003
ROBUST = 4  # RTC_SCENE_FLAG_ROBUST: no ray slips through the seam of two triangles
COHERENT = 1 << 16  # RTC_RAY_QUERY_FLAG_COHERENT
ALL_FEATURES = 0xFFFFFFFF

_POINTER, _SIZE, _UINT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint
_SIGNATURES: dict[str, tuple[object, tuple[object, ...]]] = {
    "rtcNewDevice": (_POINTER, (ctypes.c_char_p,)),
    "rtcGetDeviceProperty": (ctypes.c_ssize_t, (_POINTER, ctypes.c_int)),
    "rtcNewScene": (_POINTER, (_POINTER,)),
    "rtcSetSceneFlags": (None, (_POINTER, ctypes.c_int)),
    "rtcNewGeometry": (_POINTER, (_POINTER, ctypes.c_int)),
    "rtcSetNewGeometryBuffer": (_POINTER, (_POINTER, ctypes.c_int, _UINT, ctypes.c_int, _SIZE, _SIZE)),
    "rtcCommitGeometry": (None, (_POINTER,)),
    "rtcAttachGeometry": (_UINT, (_POINTER, _POINTER)),
    "rtcReleaseGeometry": (None, (_POINTER,)),
    "rtcCommitScene": (None, (_POINTER,)),
    "rtcReleaseScene": (None, (_POINTER,)),
}


class _Arguments(ctypes.Structure):
    """RTCOccludedArguments and RTCIntersectArguments, which begin alike."""

    _fields_ = (
        ("flags", ctypes.c_int),
        ("feature_mask", ctypes.c_uint),
        ("context", _POINTER),
        ("filter", _POINTER),
        ("occluded", _POINTER),
        ("min_width_distance_factor", ctypes.c_float),
    )


class Library:
    """The loaded library, one device of it, and the addresses that compiled code calls."""

    def __init__(self, path: Path) -> None:
        self.calls = ctypes.CDLL(str(path))
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(self.calls, name)
            function.restype, function.argtypes = result, arguments
        self.device = self.calls.rtcNewDevice(None)
        self.occluded16 = _address(self.calls.rtcOccluded16)
        self.intersect16 = _address(self.calls.rtcIntersect16)
        self._arguments = _Arguments(COHERENT, ALL_FEATURES, None, None, None, 0.0)
        self.arguments = ctypes.addressof(self._arguments)

    @property
    def fits(self) -> bool:
        """Whether this is the version whose structures are written above."""
        return bool(self.device) and self.calls.rtcGetDeviceProperty(self.device, VERSION_MAJOR) == 4


def _address(function: object) -> int:
    return int(ctypes.cast(function, ctypes.c_void_p).value or 0)  # type: ignore[arg-type]


@cache
def library() -> Library | None:
    """Embree's library beside embreex, or None where it is not found or is another version."""
    import embreex.rtcore_scene  # loads the library and what it needs in turn

    package = Path(embreex.rtcore_scene.__file__).parent
    folders = (package.parent / "embreex.libs", package / ".dylibs", package)
    for folder in folders:
        for path in sorted(folder.glob("*embree4*")) if folder.is_dir() else ():
            try:
                found = Library(path)
            except (OSError, AttributeError):
                continue
            if found.fits:
                return found
    return None


class PacketScene:
    """Triangles in Embree, asked 16 rays at a time.

    Parameters
    ----------
    found : Library
    meshes : sequence of (vertices (n, 3) float32, faces (m, 3) int32)
    """

    def __init__(self, found: Library, meshes: Sequence[tuple[Singles, NDArray[np.int32]]]) -> None:
        self.found = found
        calls = found.calls
        self.handle: int = calls.rtcNewScene(found.device)
        self._release = weakref.finalize(self, calls.rtcReleaseScene, self.handle)
        calls.rtcSetSceneFlags(self.handle, ROBUST)
        for vertices, faces in meshes:
            geometry = calls.rtcNewGeometry(found.device, TRIANGLES)
            self._fill(geometry, VERTEX_BUFFER, FLOAT3, np.ascontiguousarray(vertices, dtype=np.float32))
            self._fill(geometry, INDEX_BUFFER, UINT3, np.ascontiguousarray(faces, dtype=np.uint32))
            calls.rtcCommitGeometry(geometry)
            calls.rtcAttachGeometry(self.handle, geometry)
            calls.rtcReleaseGeometry(geometry)
        calls.rtcCommitScene(self.handle)

    def _fill(self, geometry: int, kind: int, layout: int, rows: NDArray[np.generic]) -> None:
        place = self.found.calls.rtcSetNewGeometryBuffer(geometry, kind, 0, layout, 12, len(rows))
        if not place:
            raise MemoryError("Embree has no memory for the triangles")
        ctypes.memmove(place, rows.ctypes.data, rows.nbytes)

    def blocked(self, origins: Singles, ways: Singles, reach: float) -> NDArray[np.bool_]:
        """(n,) whether something lies within `reach`; `ways` has one row or one per origin."""
        from analysis.kernels import embree_packets

        out = np.zeros(len(origins), dtype=np.bool_)
        bundle, lanes = _bundle(RAY_ROWS)
        embree_packets.blocked(
            self.found.occluded16, self.handle, self.found.arguments, origins, ways, reach, bundle, lanes, out
        )
        return out

    def first_hit(
        self, origins: Singles, ways: Singles, reach: float
    ) -> tuple[Singles, NDArray[np.int64], NDArray[np.int64]]:
        """Distance (inf for none), mesh (-1 for none) and face of the first hit of each ray."""
        from analysis.kernels import embree_packets

        distance = np.full(len(origins), np.inf, dtype=np.float32)
        mesh, face = np.full(len(origins), -1, dtype=np.int64), np.full(len(origins), -1, dtype=np.int64)
        bundle, lanes = _bundle(RAY_HIT_ROWS)
        embree_packets.first_hit(
            self.found.intersect16,
            self.handle,
            self.found.arguments,
            origins,
            ways,
            reach,
            bundle,
            lanes,
            distance,
            mesh,
            face,
        )
        return distance, mesh, face

    def sun_block(
        self,
        origins: Singles,
        facing: NDArray[np.float64] | None,
        towards_sun: NDArray[np.float64],
        weights: NDArray[np.float64],
        out: tuple[NDArray[np.float64], NDArray[np.float64]],
        stop: NDArray[np.uint8],
    ) -> int:
        """Add the time in the sun of a block of points to `out` (total, longest); the number of rays traced."""
        from analysis.kernels import embree_packets

        bundle, lanes = _bundle(RAY_ROWS)
        none = np.zeros((0, 3))
        return int(
            embree_packets.sun_block(
                self.found.occluded16,
                self.handle,
                self.found.arguments,
                origins,
                none if facing is None else np.ascontiguousarray(facing),
                towards_sun,
                weights,
                out[0],
                out[1],
                bundle,
                lanes,
                stop,
            )
        )


def _bundle(rows: int) -> tuple[Singles, NDArray[np.int32]]:
    """Room for one bundle of rays (rows, 16) and the switches of its lanes (16,), aligned as Embree wants it."""
    size = (rows + 1) * PACKET * 4
    raw = np.zeros(size + 64, dtype=np.uint8)
    start = -raw.ctypes.data % 64
    aligned = raw[start : start + size]
    rays = aligned[: rows * PACKET * 4].view(np.float32).reshape(rows, PACKET)
    rays.view(np.uint32)[9] = 0xFFFFFFFF  # the mask: every geometry counts
    return rays, aligned[rows * PACKET * 4 :].view(np.int32)
