"""Shader text of the light: replaces VTK's own lighting, reads the sky texture at the surface's own place."""

from __future__ import annotations

from dataclasses import dataclass

from app.view.buried_shader import BURIED_LIGHT, FADE, pipe_texts, pit_texts
from app.view.hatch import hatch_text


@dataclass(frozen=True)
class Finish:
    """How one actor takes the light.

    Attributes
    ----------
    smooth : bool
        Interpolated normals (terrain, crowns) instead of one per triangle.
    face_texture : bool
        Colour and visibility per triangle from the texture ``faceTex`` (alpha 0 = not drawn, below 0.2 a veil), which
        several actors share; ``faceStart`` is the row of an actor's first triangle.
    drapes : int
        Number of textures laid over it from above.
    hatched : int
        Which of them is hatched by the texture ``hatchTex``; -1: none.
    lift : float [m]
        How far above its own place a surface asks for shade: a crown lets light through and must not blacken itself.
    pull : float
        Share of its distance by which it is drawn nearer to the eye, so that it lies over what it touches.
    fades : bool
        Whether one looks through it where the x-ray hole or a trench is: the ground and what lies on it.
    buried : bool
        Lit as if the ground were not there.
    kind : {"surface", "pipe", "pit"}
        Pipes and the floor of the pit have shaders of their own.
    """

    smooth: bool = False
    face_texture: bool = False
    drapes: int = 0
    hatched: int = -1
    lift: float = 0.25
    pull: float = 0.0
    fades: bool = False
    buried: bool = False
    kind: str = "surface"


INPUT_TAG = "//VTK::PositionVC::Dec"
POSITION_TAG = "//VTK::PositionVC::Impl"
# VTK declares normals only where it lights a surface itself: ours take the place of its own in both cases.
NORMAL_TAG = "//VTK::Normal::Dec"
NORMAL_DEC = "in vec3 normalMC;\nuniform mat3 normalMatrix;\nout vec3 normalVCVSOutput;\nout vec3 normalW;\n"
NORMAL_IMPL = "normalVCVSOutput = normalMatrix * normalMC;\n  normalW = normalMC;\n"

# Some way off the wall, or walls would ask the roof above them and shade themselves; four taps soften the steps.
_LIGHT = """
  vec2 skyAt = (posW.xy + max(0.8, 1.6 * skyCell) * nw.xy - skyBox.xy) * skyBox.zw;
  vec2 tap = 0.6 * skyCell * skyBox.zw;
  float lit = 0.0;
  lit += smoothstep(-0.1, 0.45, posW.z + shadeLift - texture(skyTex, skyAt + vec2( tap.x, 0.0)).r);
  lit += smoothstep(-0.1, 0.45, posW.z + shadeLift - texture(skyTex, skyAt + vec2(-tap.x, 0.0)).r);
  lit += smoothstep(-0.1, 0.45, posW.z + shadeLift - texture(skyTex, skyAt + vec2(0.0,  tap.y)).r);
  lit += smoothstep(-0.1, 0.45, posW.z + shadeLift - texture(skyTex, skyAt + vec2(0.0, -tap.y)).r);
  lit *= 0.25;
  vec4 sky = texture(skyTex, skyAt);
  vec2 apart = abs(skyAt - 0.5);
  float inside = 1.0 - smoothstep(0.49, 0.5, max(apart.x, apart.y));
  lit = mix(1.0, lit, inside);
  float roof = smoothstep(1.0, 2.5, posW.z - sky.b) * smoothstep(0.2, 0.4, nw.z);
  float seen = mix(1.0, mix(sky.g, sky.a, roof), inside);
  float above = clamp((posW.z - sky.b) / 14.0, 0.0, 1.0);
  float ao = mix(0.42 + 0.58 * seen, 1.0, 0.9 * sqrt(above));
  float hemi = 0.80 + 0.20 * nw.z + 0.05 * dot(nw.xy, sunDirection.xy);
  vec3 light = skyStrength * 0.64 * vec3(0.92, 0.96, 1.04) * hemi * ao;
  light += sunStrength * min(0.78, 0.40 / sunDirection.z) * vec3(1.0, 0.955, 0.87)
         * max(dot(nw, sunDirection), 0.0) * lit;
  light = min(light, 0.86 + (light - 0.86) * 0.35);
  light = mix(light, vec3(0.80 + 0.20 * hemi * ao), surfaceKeep);
"""


PARALLEL_REACH = 100.0  # metres: lines of sight that are parallel have no distance to take a share of


def pull_text(share: float | str) -> str:
    """Vertex shader text that draws nearer to the eye by a share of the distance, at the same pixel.

    Moving a point p toward the eye changes its clip position to (1 - s) * clip(p) + s * clip(eye), and clip(eye) is
    (0, 0, c, 0), where c stands in the projection matrix. It is found from the depth and w rows of the matrix at hand.
    Unlike a depth offset this is a length in metres whatever the near plane, and keeps the early depth test. A share
    that changes is the name of a uniform.
    """
    if share == 0.0:
        return ""
    ratio, part = (f"{share} / (1.0 - {share})", share)
    if isinstance(share, float):
        ratio, part = f"{share / (1 - share):.7f}", f"{share:.7f}"
    return f"""
  vec4 rowZ = vec4(MCDCMatrix[0].z, MCDCMatrix[1].z, MCDCMatrix[2].z, MCDCMatrix[3].z);
  vec4 rowW = vec4(MCDCMatrix[0].w, MCDCMatrix[1].w, MCDCMatrix[2].w, MCDCMatrix[3].w);
  float w2 = dot(rowW.xyz, rowW.xyz);
  if (w2 > 1e-12) gl_Position.z += ({ratio}) * (rowZ.w - dot(rowZ.xyz, rowW.xyz) / w2 * rowW.w);
  else gl_Position.z -= {part} * {PARALLEL_REACH} * length(rowZ.xyz);
"""


def shader_texts(finish: Finish) -> list[tuple[str, str, str]]:
    """(stage, tag, text) of the replacements for one finish. VTK's own tag stays first, then we overwrite."""
    if finish.kind != "surface":
        return pipe_texts() if finish.kind == "pipe" else pit_texts()
    vertex_dec, vertex_impl = "out vec3 posW;\n", "posW = vertexMC.xyz;\n" + pull_text(finish.pull)
    fragment_dec = "in vec3 posW;\n"
    normal = "normalize(cross(dFdx(posW), dFdy(posW)))"
    smooth = []
    if finish.smooth:
        smooth = [("vertex", NORMAL_TAG, NORMAL_DEC), ("vertex", "//VTK::Normal::Impl", NORMAL_IMPL)]
        fragment_dec += "in vec3 normalW;\n"
        normal = "normalize(normalW)"
    light = BURIED_LIGHT if finish.buried else _LIGHT
    return [
        *smooth,
        ("vertex", INPUT_TAG, INPUT_TAG + "\n" + vertex_dec),
        ("vertex", POSITION_TAG, POSITION_TAG + "\n" + vertex_impl),
        ("fragment", INPUT_TAG, INPUT_TAG + "\n" + fragment_dec),
        # Textures are read by place, not by texture coordinates: VTK's own lookup is dropped.
        ("fragment", "//VTK::TCoord::Impl", "// read in the light\n"),
        ("fragment", "//VTK::Light::Impl", "//VTK::Light::Impl\n" + _surface(finish, normal) + light + _OUT),
    ]


_OUT = "  gl_FragData[0] = vec4(base * light, opacity * cover);\n"


def _surface(finish: Finish, normal: str) -> str:
    """Shader text for normal, base colour, cover and how much colour is kept."""
    text = f"  vec3 nw = {normal};\n  vec3 base = diffuseColor;\n  float cover = 1.0;\n  float surfaceKeep = keep;\n"
    if finish.face_texture:
        text += """
  int faceRow = gl_PrimitiveID + faceStart;
  vec4 face = texelFetch(faceTex, ivec2(faceRow % 1024, faceRow / 1024), 0);
  if (face.a < 0.01) discard;
  if (face.a < 0.2) {  // a veil: one pixel in six, which needs no sorting by depth
    ivec2 at = ivec2(gl_FragCoord.xy);
    if ((at.x + 2 * at.y) % 6 != 0) discard;
    face.a = 1.0;
  }
  base = face.rgb;
  cover = face.a;
"""
    if finish.fades:
        text += FADE
    for number in range(finish.drapes):
        text += f"""
  vec2 at{number} = (posW.xy - drapeBox{number}.xy) * drapeBox{number}.zw;
  if (all(greaterThanEqual(at{number}, vec2(0.0))) && all(lessThanEqual(at{number}, vec2(1.0)))) {{
    vec4 cloth = texture(drapeTex{number}, at{number});
    float upward = smoothstep(0.02, 0.1, abs(nw.z));  // the skirt stays bare
    float weight = smoothstep(0.1, 0.4, cloth.a) * drapeMix{number}.x * upward;
    base = mix(base, cloth.rgb / max(cloth.a, 0.001), weight);
    surfaceKeep = mix(surfaceKeep, drapeMix{number}.y, weight);
  }}
"""
    return text + hatch_text(finish.hatched) if finish.hatched >= 0 else text
