"""Design against as-built (준공·시공 형상 대조): a scan held against the surface of models, element by element."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.contract import Inputs, Reference, Result, analysis, layer_input
from analysis.params import Params, quantity
from geo.model import Bounds, Feedback, Issue, Layer, Mesh, Points

if TYPE_CHECKING:
    from analysis.construction.as_built import Rules

LAGUE_2013 = Reference(
    "lague-2013",
    "D. Lague, N. Brodu, J. Leroux: Accurate 3D comparison of complex topography with terrestrial laser scanner: "
    "application to the Rangitikei canyon (N-Z). ISPRS Journal of Photogrammetry and Remote Sensing 82, 2013 (M3C2; "
    "here along the normals of the design).",
    "10.1016/j.isprsjprs.2013.04.009",
)
ASIDE, UNDER = 2.0, 50.0  # [m] beside and under the design, where points tell what lies beneath a soffit
ASSUMPTIONS = (
    "A distance is the scan minus the design along the outward normal of the design: positive where what was built "
    "stands out of the design, negative where it stays behind. The faces of the model are taken to look outward.",
    "No element is displaced by more than half its thickness, or by more than half the free space before it: points "
    "beyond the middle belong to the next surface of the design.",
    "Where the scan has no points nothing is said: without the places of the scanner nobody knows whether a thing is "
    "not there or was not seen.",
    "An element is not there only where the scan shows, over the share that counts as built, the floor, soffit, wall "
    "or ground that it should cover, and none of its own surface.",
    "A face that looks down is taken to lie on the ground unless the scan has points more than 0.5 m under it; what "
    "other elements of the design cover is not expected to be seen.",
    "State and shares are of the surface that was measured: what a scan from the air tells of a building is its roof.",
    "The tolerance is that of the user. Those of KCS 14 20 10 and ACI 117 for concrete (20 to 25 mm in place, 10 to "
    "20 mm in level) were not checked against their texts.",
)


class AsBuiltParams(Params):
    """What a user can set for ``construction.as_built``."""

    tolerance: float = quantity(
        "Tolerance", "m", default=0.05, ge=0.002, le=2, help="A surface farther off the design is out of tolerance."
    )
    registration: float = quantity(
        "Registration error of the scan",
        "m",
        default=0.005,
        ge=0,
        le=1,
        help="Standard deviation that the surveyor names; it goes into the level of detection whole, however many "
        "points there are.",
    )
    reach: float = quantity(
        "Largest distance searched", "m", default=0.3, ge=0.01, le=10, help="What is farther off is another thing."
    )
    spacing: float = quantity(
        "Distance of places on the design",
        "m",
        default=0.25,
        ge=0.02,
        le=10,
        help="The points of a cylinder inside each place are averaged. From the air: 1 m or more.",
    )
    built_share: float = quantity(
        "Share within tolerance that counts as built",
        "%",
        default=60,
        ge=1,
        le=100,
        help="Of the measured surface of an element.",
    )
    seen_share: float = quantity(
        "Least share of the surface measured",
        "%",
        default=10,
        ge=0.1,
        le=100,
        help="An element of which less was measured is not judged.",
    )
    least: int = quantity("Least points", "1", default=10, ge=3, le=1000, help="In one cylinder.")


@dataclass(frozen=True)
class AsBuiltInputs(Inputs):
    """What was designed, and a scan of what stands."""

    models: tuple[Layer, ...] = layer_input("Models of the design", kind="mesh", theme=("bim", "building"), many=True)
    scans: tuple[Layer, ...] = layer_input(
        "Scans (point clouds)", kind="points", theme=("other", "building", "bim", "terrain"), many=True, hidden=True
    )


@analysis(
    id="construction.as_built",
    title="Design against as-built",
    description=(
        "Holds a point cloud against the surface of models: signed distance at every place with its level of "
        "detection, and for every element whether it is built, deviates, is not there, or cannot be told."
    ),
    version=1,
    inputs=AsBuiltInputs,
    params=AsBuiltParams,
    references=(LAGUE_2013,),
    headline=("tolerance",),
)
def construction_as_built(inputs: AsBuiltInputs, params: AsBuiltParams, feedback: Feedback) -> Result:
    """Compare the scan with the design."""
    from analysis.construction import as_built_doubts as doubtful
    from analysis.construction import as_built_outcome as outcome
    from analysis.construction.as_built import compare, judge
    from analysis.construction.design import design_near, fitting_spacing, places_of

    issues: list[Issue] = []
    feedback.step(0.0, "collecting the elements")
    points = scan_points(inputs.scans, issues)
    box = Bounds.of(points)
    if box is None:
        raise doubtful.no_scan()
    design = design_near(inputs.models, box, params.reach)
    if len(design) == 0:
        whole = Bounds.union(b for layer in inputs.models if (b := _box(layer)) is not None)
        if whole is None or design.outside == 0:
            raise doubtful.no_surface()
        raise doubtful.apart(box, whole, params.reach)
    points = _near(points, design.mesh.bounds, params.reach)
    rules = _rules(params, fitting_spacing(design.mesh, params.spacing))
    issues += _set_aside(design.outside, params, rules.spacing)
    places = places_of(
        design.mesh,
        points,
        spacing=rules.spacing,
        reach=rules.reach,
        tolerance=rules.tolerance,
        feedback=feedback.part(0.05, 0.4),
    )
    found = compare(places, points, rules, feedback.part(0.4, 0.9))
    feedback.step(0.9, "telling what stands")
    told = judge(design, places, found, rules)
    table = outcome.element_table(inputs.models, design, told)
    ids = np.concatenate([layer.table.ids for layer in inputs.models])
    first = np.cumsum([0, *(len(layer.table) for layer in inputs.models)])
    issues += doubtful.doubts(places, found, told, rules, ids[first[design.layer] + design.row])
    return Result(
        layers=outcome.layers_of(inputs.models, design, places, found, told, tolerance=rules.tolerance),
        summary=outcome.summary_of(places, found, told, registration=rules.registration, points=len(points)),
        tables=(table,),
        charts=(outcome.chart_of(places, found, tolerance=rules.tolerance),),
        issues=tuple(issues),
        assumptions=ASSUMPTIONS,
    )


def scan_points(scans: tuple[Layer, ...], issues: list[Issue]) -> NDArray[np.float64]:
    """(n, 3) all points of the layers that are point clouds [local m]; those that are nowhere are left out and told."""
    clouds = [layer.geometry for layer in scans if isinstance(layer.geometry, Points)]
    # A cloud is one element of many points; devices and places are elements of one point each.
    clouds = [cloud for cloud in clouds if len(cloud.vertices) > len(np.unique(cloud.element))]
    if len(clouds) > 1:
        text = f"{len(clouds)} scans were taken as one: they must be of the same state of the works."
        issues.append(Issue("construction.scans_joined", text, "note", len(clouds)))
    if not clouds:
        return np.zeros((0, 3))
    points = np.concatenate([cloud.vertices for cloud in clouds])
    good = np.isfinite(points).all(axis=1)
    if not good.all():
        lost = int((~good).sum())
        text = f"{lost} points of the scan have no finite coordinates and were left out."
        issues.append(Issue("construction.scan_not_finite", text, "error", lost))
        points = points[good]
    return points


def _box(layer: Layer) -> Bounds | None:
    """Box around the finite corners of a model's faces."""
    mesh = layer.geometry
    if not isinstance(mesh, Mesh):
        return None
    corners = mesh.vertices[np.unique(mesh.faces)]
    return Bounds.of(corners[np.isfinite(corners).all(axis=1)])


def _near(points: NDArray[np.float64], box: Bounds | None, reach: float) -> NDArray[np.float64]:
    """The points that can matter: around the design, and under it."""
    if box is None:
        return points[:0]
    margin = 2.0 * reach + ASIDE
    low, high = np.array(box.low) - [margin, margin, margin + UNDER], np.array(box.high) + margin
    return points[((points >= low) & (points <= high)).all(axis=1)]


def _rules(params: AsBuiltParams, spacing: float) -> Rules:
    from analysis.construction.as_built import Rules

    return Rules(
        params.tolerance,
        params.registration,
        max(params.reach, params.tolerance),
        spacing,
        params.built_share / 100.0,
        params.seen_share / 100.0,
        params.least,
    )


def _set_aside(outside: int, params: AsBuiltParams, spacing: float) -> list[Issue]:
    issues = []
    if outside:
        text = f"{outside} elements lie outside the scan and were left out."
        issues.append(Issue("construction.scan_outside", text, "note", outside))
    if spacing > params.spacing:
        values = {"asked": params.spacing, "taken": round(spacing, 2)}
        text = f"The surface is too large for places every {params.spacing:g} m: they lie {spacing:.2f} m apart."
        issues.append(Issue("construction.scan_coarser", text, "doubt", values=values))
    return issues
