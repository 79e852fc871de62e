"""What the study hands back: envelopes, parts beyond them, lines of distances, tables and figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Quantity, Table
from analysis.sunlight_setback.ahead import turning
from analysis.sunlight_setback.declaration import SetbackInputs, SetbackParams
from analysis.sunlight_setback.findings import RULES, VERDICTS, Finding, Findings
from analysis.sunlight_setback.north import Envelope
from analysis.sunlight_setback.plots import City
from analysis.sunlight_setback.rules import Rulebook
from analysis.sunlight_setback.solid import solid_under
from geo.model import Column, ElementTable, Feedback, Field, Issue, Layer, Lines, Mesh, Style

Floats = NDArray[np.float64]

ENVELOPE_OPACITY = 0.25
TOWARD_EYE = np.array([0.0, -0.5, 0.87])
IN_FRONT = 0.05  # [m] of the surface of the building: where parts beyond a limit are drawn
LEAST_OUTSIDE = 1.0  # [m2] of a building outside of its plot: less is a drawing error

# The translations count these from 0 (``sunlight.setback.assumption.0``): keep the order.
ASSUMPTIONS = (
    "The verdict follows the decree (건축법 시행령 제86조); it is no permit, and the local ordinance may ask for more.",
    "True north is grid north turned by the convergence at the origin of the project; distances are taken along it.",
    "Every part of a building is judged: its surface is cut exactly where a limit changes; nothing is sampled.",
    "Heights count from the mean ground of the plot by area, for boundaries from the mean of both plots (제119조).",
    "Land between two plots counts as road, park or water where at least half of the way across it lies on such.",
    "Where nothing is known ahead of a boundary, that boundary counts itself, and what breaks the rule needs review.",
    "Parcels under one building are one plot; the zone of most of its area counts for all of it.",
    "Without windows in the data, walls wider than an end wall have windows; openings that face the south half of the "
    "sky are main openings.",
    "Between two buildings the higher one counts, except where the main openings of the higher face a lower one.",
    "Instead of the distances between buildings every dwelling of the plot may have two hours of unbroken sun from 9 "
    "to 15 on the winter solstice: the study of the right to sunlight tells that.",
)


def layers_of(found: Findings, envelopes: Sequence[Envelope], way: Floats, feedback: Feedback) -> tuple[Layer, ...]:
    """Envelope, parts beyond, and lines; layers without anything in them are left out."""
    made = [_envelope_layer(envelopes, way, feedback), _beyond_layer(found), _line_layer(found)]
    return tuple(layer for layer in made if layer is not None)


def _envelope_layer(envelopes: Sequence[Envelope], way: Floats, feedback: Feedback) -> Layer | None:
    turn = turning(way)
    vertices, faces, element, start = [], [], [], 0
    for number, envelope in enumerate(envelopes):
        if number % 10 == 0:
            feedback.step(number / len(envelopes), "building the envelopes")
        points, triangles = solid_under(envelope.blocks, envelope.bottom)
        points = np.column_stack([points[:, :2] @ turn, points[:, 2]])
        vertices.append(points)
        faces.append(_back_to_front(points, triangles) + start)
        element.append(np.full(len(triangles), number))
        start += len(points)
    if not envelopes:
        return None
    mesh = Mesh(np.concatenate(vertices), np.concatenate(faces), np.concatenate(element))
    level = np.repeat([e.plot.level for e in envelopes], [len(v) for v in vertices])
    field = Field("allowed_height", "m", "vertex", mesh.vertices[:, 2] - level, ramp="height")
    plots = [envelope.plot for envelope in envelopes]
    columns = {
        "plot": Column(np.array([p.id for p in plots], dtype=object)),
        "zoning": Column(np.array([p.zoning for p in plots], dtype=object)),
        "ground_level": Column(np.array([p.level for p in plots]), "m"),
        "ground_spread": Column(np.array([p.highest - p.lowest for p in plots]), "m"),
        "wide_road": Column(np.array([p.wide_road for p in plots])),
        "exempt": Column(np.array([e.exempt for e in envelopes])),
    }
    table = ElementTable([p.id for p in plots], columns)
    style = Style(opacity=ENVELOPE_OPACITY, colour_by="allowed_height")
    return Layer("envelope", "Envelope of the setback from the north", "result", mesh, table, (field,), style)


def _back_to_front(points: Floats, faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """Faces in an order in which a picture from the south and above shows them well through one another."""
    a, b, c = (points[faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    return faces[np.argsort(np.round(normal @ TOWARD_EYE, 3), kind="stable")]


def _in_front(triangles: Floats) -> Floats:
    """Triangles moved a little off the surface they lie on, so that both can be drawn."""
    normal = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    return np.asarray(triangles + IN_FRONT * normal[:, None])


def _beyond_layer(found: Findings) -> Layer | None:
    if not found.beyond:
        return None
    triangles = _in_front(np.concatenate([part for part, _ in found.beyond]))
    count = [len(part) for part, _ in found.beyond]
    element = np.repeat(np.arange(len(found.beyond), dtype=np.int32), count)
    items = [found.items[number] for _, number in found.beyond]
    faces = np.arange(3 * len(triangles), dtype=np.int32).reshape(-1, 3)
    shortage = Field("shortage", "m", "element", np.array([item.shortage for item in items]), ramp="exposure")
    verdict = np.array([VERDICTS.index(item.verdict) for item in items], dtype=np.int8)
    classes = Field("verdict", "1", "element", verdict, VERDICTS, ramp="classes")
    table = ElementTable(_ids(items), columns_of(items))
    mesh = Mesh(triangles.reshape(-1, 3), faces, element)
    style = Style(colour_by="shortage")
    return Layer("beyond", "Parts of buildings beyond the limits", "result", mesh, table, (shortage, classes), style)


def _line_layer(found: Findings) -> Layer | None:
    items = [item for item in found.items if item.verdict in ("breaks", "needs_review") and np.isfinite(item.stop[0])]
    if not items:
        return None
    points = np.array([point for item in items for point in (item.start, item.stop)])
    count = len(items)
    lines = Lines(points, (2 * np.arange(count + 1)).astype(np.int32), np.arange(count, dtype=np.int32))
    field = Field("shortage", "m", "element", np.array([item.shortage for item in items]), ramp="exposure")
    table = ElementTable(_ids(items), columns_of(items))
    style = Style(colour_by="shortage")
    return Layer("distances", "Distances that are too short", "result", lines, table, (field,), style)


def _ids(items: Sequence[Finding]) -> list[str]:
    seen: dict[str, int] = {}
    out = []
    for item in items:
        name = f"{item.rule}:{item.building}:{item.other}"
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return out


def columns_of(items: Sequence[Finding]) -> dict[str, Column]:
    """One row for each finding."""

    def text(name: str) -> Column:
        return Column(np.array([getattr(item, name) for item in items], dtype=object))

    def number(name: str) -> Column:
        values = np.array([getattr(item, name) for item in items], dtype=np.float64)
        return Column(np.where(np.isfinite(values), np.round(values, 3), np.nan), "m")

    texts = ("rule", "verdict", "building", "other", "plot", "zoning")
    numbers = ("measured", "required", "shortage", "height", "too_high")
    return {
        **{name: text(name) for name in texts},
        **{name: number(name) for name in numbers},
        **{name: text(name) for name in ("reason", "article", "source")},
        "verified": Column(np.array([item.verified for item in items], dtype=bool)),
    }


def in_order(found: Findings) -> list[Finding]:
    """Worst first: by verdict, then by what lacks."""
    rank = {name: number for number, name in enumerate(("breaks", "needs_review", "cannot_tell", "ok"))}

    def key(item: Finding) -> tuple[int, float, str, str]:
        lack = item.shortage if np.isfinite(item.shortage) else -np.inf
        return rank[item.verdict], -lack, item.rule, item.building

    return sorted(found.items, key=key)


def tables_of(found: Findings, city: City) -> tuple[Table, ...]:
    """Findings, counts by rule, and one row for each plot."""
    items = in_order(found)
    return (Table("findings", "Findings", columns_of(items)), _by_rule(items), _by_plot(items, city))


def _by_rule(items: Sequence[Finding]) -> Table:
    counts = {
        verdict: np.array([sum(i.rule == rule and i.verdict == verdict for i in items) for rule in RULES])
        for verdict in VERDICTS
    }
    columns = {"rule": Column(np.array(RULES, dtype=object))}
    return Table(
        "by_rule", "Findings by rule", columns | {name: Column(values, "1") for name, values in counts.items()}
    )


def _by_plot(items: Sequence[Finding], city: City) -> Table:
    plots = [plot for plot in city.plots if plot.bodies and not plot.open]
    worst = {plot.id: "ok" for plot in plots}
    breaks = dict.fromkeys(worst, 0)
    for item in items:
        if item.plot in worst:
            worst[item.plot] = max(worst[item.plot], item.verdict, key=VERDICTS.index)
            breaks[item.plot] += item.verdict == "breaks"
    columns = {
        "plot": Column(np.array([p.id for p in plots], dtype=object)),
        "zoning": Column(np.array([p.zoning for p in plots], dtype=object)),
        "verdict": Column(np.array([worst[p.id] for p in plots], dtype=object)),
        "breaks": Column(np.array([breaks[p.id] for p in plots], dtype=np.int64), "1"),
        "buildings": Column(np.array([len(p.bodies) for p in plots], dtype=np.int64), "1"),
        "ground_level": Column(np.array([p.level for p in plots], dtype=np.float64), "m"),
        "ground_spread": Column(np.array([p.highest - p.lowest for p in plots], dtype=np.float64), "m"),
        "wide_road": Column(np.array([p.wide_road for p in plots], dtype=bool)),
    }
    return Table("plots", "Plots", columns)


def summary_of(found: Findings, city: City, envelopes: Sequence[Envelope], rules: Rulebook) -> dict[str, Quantity]:
    """Key figures."""
    items = found.items
    broken = [item for item in items if item.verdict == "breaks"]
    lack = [item.shortage for item in broken if np.isfinite(item.shortage)]
    return {
        "plots": Quantity(sum(not plot.open for plot in city.plots), "1"),
        "plots_ruled": Quantity(sum(not envelope.exempt for envelope in envelopes), "1"),
        "buildings": Quantity(len(city.bodies), "1"),
        "buildings_breaking": Quantity(len({item.building for item in broken}), "1"),
        "breaks": Quantity(len(broken), "1"),
        "needs_review": Quantity(sum(item.verdict == "needs_review" for item in items), "1"),
        "cannot_tell": Quantity(sum(item.verdict == "cannot_tell" for item in items), "1"),
        "ok": Quantity(sum(item.verdict == "ok" for item in items), "1"),
        "worst_shortage": Quantity(round(max(lack), 3) if lack else 0.0, "m"),
        "edition": Quantity(rules.edition, ""),
    }


def issues_of(
    found: Findings, city: City, inputs: SetbackInputs, params: SetbackParams, rules: Rulebook
) -> list[Issue]:
    """What was chosen, and what nobody checked."""
    issues = [_north_issue(inputs), _unverified(found, rules)]
    if params.special_district:
        text = "A special building district may relax the rules: what breaks them needs review."
        issues.append(Issue("sunlight.setback.special", text))
    step = rules.rule("ground", "level_step").value
    steep = [p for p in city.plots if p.bodies and not p.open and p.highest - p.lowest > step]
    if steep:
        text = (
            f"The ground of {len(steep)} plots differs by more than {step:g} m; its level is then to be taken part by "
            "part, which is not done here."
        )
        names = tuple(p.id for p in steep[:20])
        issues.append(Issue("sunlight.setback.steep", text, "doubt", len(steep), names, {"step": f"{step:g}"}))
    if city.homeless:
        names = tuple(city.bodies[number].name for number in city.homeless[:20])
        text = f"{len(city.homeless)} buildings stand on no parcel, or on a park or road; nothing is told of them."
        issues.append(Issue("sunlight.setback.homeless", text, "doubt", len(city.homeless), names))
    models = [body.name for body in city.bodies if body.model]
    if models and params.spacing:
        text = f"Parts of one building that face one another are not judged in {len(models)} detailed models."
        issues.append(Issue("sunlight.setback.models", text, "doubt", len(models), tuple(models[:20])))
    return [*issues, *_outside_issues(city)]


def _outside_issues(city: City) -> list[Issue]:
    """Buildings that reach beyond their plot: what stands outside of it is not judged."""
    import shapely

    pairs = [(body, plot.number) for plot in city.plots for body in plot.bodies]
    if not pairs:
        return []
    outlines = np.array([city.bodies[body].outline for body, _ in pairs], dtype=object)
    plots = city.land.polygon[[number for _, number in pairs]]
    outside = shapely.difference(outlines, plots)
    rows = np.flatnonzero(shapely.area(outside) > LEAST_OUTSIDE)
    if len(rows) == 0:
        return []
    reach = [shapely.distance(shapely.points(shapely.get_coordinates(outside[k])), plots[k]).max() for k in rows]
    most = round(float(max(reach)), 2)
    names = tuple(city.bodies[pairs[k][0]].name for k in rows[:20])
    text = f"{len(rows)} buildings reach beyond their plot, by up to {most:g} m; what stands outside is not judged."
    return [Issue("sunlight.setback.beyond_plot", text, "doubt", len(rows), names, {"most": most})]


def _north_issue(inputs: SetbackInputs) -> Issue:
    degrees = f"{inputs.frame.convergence_deg:+.3f}"
    text = f"True north is grid north turned by the convergence of {degrees} degrees."
    return Issue("sunlight.setback.north", text, values={"degrees": degrees})


def _unverified(found: Findings, rules: Rulebook) -> Issue:
    count = sum(not item.verified for item in found.items)
    text = (
        f"Rules of edition {rules.edition}. {count} findings rest on numbers whose source was not read or that are the "
        f"user's own. Not verified: {'; '.join(rules.unverified)}."
    )
    return Issue("sunlight.setback.unverified", text, "doubt", count, values={"edition": rules.edition})
