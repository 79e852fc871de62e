"""Shader text for what lies in the ground: pipes, the shafts beside them, and the floor of the pit one looks into.

The sky texture knows nothing below the surface, so these are lit as if the ground were not there.
"""

from __future__ import annotations

from app.utility_kinds import patterns

PATTERN_STEP = 10  # difference of alpha (0..255) between two band patterns in the texture of elements
BAND = 0.62  # how far a light band goes toward white

BURIED_LIGHT = """
  float hemi = 0.76 + 0.24 * nw.z;
  vec3 light = skyStrength * 0.80 * vec3(0.95, 0.97, 1.02) * hemi;
  light += sunStrength * 0.40 * vec3(1.0, 0.97, 0.92) * max(dot(nw, sunDirection), 0.0);
  light = min(light, 0.92 + (light - 0.92) * 0.35);
  light = mix(light, vec3(0.80 + 0.20 * hemi), surfaceKeep);
"""

_PIPE_VERTEX = """
  posW = vertexMC.xyz;
  radialW = radialMC;
  traceW = traceMC;
  if (traceMC.z > 0.0) {  // never thinner than a few pixels
    posW += radialMC * max(leastRadius * gl_Position.w - traceMC.z, 0.0);
    gl_Position = MCDCMatrix * vec4(posW, 1.0);
  }
"""

_PIPE_FRAGMENT = """
  bool onCap = traceW.y < -1.0e8;
  vec3 nw = onCap ? normalize(cross(dFdx(posW), dFdy(posW))) : normalize(radialW);
  if (!gl_FrontFacing) nw = -nw;
  int pipeRow = int(traceW.x + 0.5);
  vec4 pipe = texelFetch(faceTex, ivec2(pipeRow % 1024, pipeRow / 1024), 0);
  if (pipe.a < 0.01) discard;
  vec3 base = pipe.rgb;
  float surfaceKeep = keep;
  int pattern = int((1.0 - pipe.a) * 255.0 / PATTERN_STEP + 0.5);
  float band = 0.0;
  float blur = fwidth(traceW.y);
PATTERNS
  if (!onCap) base = mix(base, vec3(1.0), BAND * band);
"""

# The floor is seen through the hole only: beyond the rim of the ground it would hang in the air.
_PIT_FRAGMENT = """
  vec3 toEye = eyePlace - posW;
  float up = toEye.z > 0.0 ? min(pitDepth / toEye.z, 1.0) : 1.0;
  if (distance(posW.xy + up * toEye.xy, xrayHole.xy) > 1.08 * xrayHole.w) discard;
  vec3 base = diffuseColor;
  vec2 place = posW.xy / 10.0;
  vec2 apart = abs(fract(place - 0.5) - 0.5) / max(fwidth(place), vec2(1.0e-6));
  float line = 1.0 - min(min(apart.x, apart.y), 1.0);
  float away = distance(posW.xy, xrayHole.xy);
  float rim = smoothstep(0.55 * xrayHole.w, 1.05 * xrayHole.w, away);
  base = mix(base, gridColour, 0.75 * line * (1.0 - rim));
  base *= mix(1.0, 0.80, rim);
  gl_FragData[0] = vec4(base, 1.0);
"""

# Part of a surface that fades where one looks through it. From below it is glass.
FADE = """
  vec2 fromTrench = posW.xy - trenchBox.xy;
  vec2 inTrench = vec2(dot(fromTrench, trenchAxis), dot(fromTrench, vec2(-trenchAxis.y, trenchAxis.x)));
  if (all(lessThan(abs(inTrench), trenchBox.zw))) discard;
  float open = 1.0 - smoothstep(xrayHole.z, xrayHole.w, distance(posW.xy, xrayHole.xy));
  cover *= mix(1.0, xrayLeast, open);
  if (!gl_FrontFacing) cover *= xrayBelow;
"""


def pipe_texts() -> list[tuple[str, str, str]]:
    """(stage, tag, text) of the replacements for pipes: points carry ``radialMC`` and ``traceMC``."""
    inputs = "in vec3 radialMC;\nin vec3 traceMC;\nout vec3 posW;\nout vec3 radialW;\nout vec3 traceW;\n"
    fragment = _PIPE_FRAGMENT.replace("PATTERN_STEP", f"{PATTERN_STEP:.1f}").replace("BAND", f"{BAND:.2f}")
    fragment = fragment.replace("PATTERNS", _pattern_text())
    out = "  gl_FragData[0] = vec4(base * light, opacity);\n"
    return _texts(inputs, _PIPE_VERTEX, fragment + BURIED_LIGHT + out)


def pit_texts() -> list[tuple[str, str, str]]:
    """The same for the floor of the pit."""
    return _texts("out vec3 posW;\n", "  posW = vertexMC.xyz;\n", _PIT_FRAGMENT)


def _texts(declared: str, vertex: str, fragment: str) -> list[tuple[str, str, str]]:
    handed = "".join(line.replace("out ", "in ", 1) + "\n" for line in declared.splitlines() if line.startswith("out "))
    place, light = "//VTK::PositionVC", "//VTK::Light::Impl"
    return [
        ("vertex", f"{place}::Dec", f"{place}::Dec\n{declared}"),
        ("vertex", f"{place}::Impl", f"{place}::Impl\n{vertex}"),
        ("fragment", f"{place}::Dec", f"{place}::Dec\n{handed}"),
        ("fragment", "//VTK::TCoord::Impl", "// read in the light\n"),
        ("fragment", light, f"{light}\n{fragment}"),
    ]


def _pattern_text() -> str:
    """Light bands by place along the pipe; they fade before they become smaller than a pixel."""
    text = ""
    for number, pattern in enumerate(patterns().values()):
        if not pattern.bands:
            continue
        text += f"  if (pattern == {number}) {{\n    float at = fract(traceW.y / {pattern.period:.3f});\n"
        text += f"    float soft = max(blur / {pattern.period:.3f}, 0.002);\n"
        for first, last in pattern.bands:
            text += (
                f"    band = max(band, smoothstep({first:.3f} - soft, {first:.3f} + soft, at)"
                f" * (1.0 - smoothstep({last:.3f} - soft, {last:.3f} + soft, at)));\n"
            )
        text += f"    band *= 1.0 - smoothstep(0.15, 0.45, blur / {pattern.period:.3f});\n  }}\n"
    return text
