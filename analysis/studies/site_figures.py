"""Figures of the plots (건폐율, 용적률, 높이, 세대수, 주차): what is built, and what is allowed."""

from __future__ import annotations

from analysis.contract import Reference, Result, Table, analysis
from analysis.site_figures.declaration import FiguresInputs, FiguresParams
from analysis.site_figures.outcome import ASSUMPTIONS, check_table, plot_columns, plot_layer, summary, unverified_issue
from analysis.site_figures.plots import figures_of
from geo.model import Feedback, Issue, UserError

LAND_DECREE = Reference(
    "national-land-decree-84-85", "국토의 계획 및 이용에 관한 법률 시행령 제84조, 제85조 (건폐율, 용적률)."
)
BUILDING_DECREE = Reference("building-decree-119", "건축법 시행령 제119조 (면적·높이 등의 산정방법).")
PARKING_DECREE = Reference(
    "parking-decree-1", "주차장법 시행령 별표 1 (부설주차장의 설치대상 시설물 종류 및 설치기준)."
)


@analysis(
    id="site.figures",
    title="Figures of the plots",
    description=(
        "Coverage, floor area ratio, height, dwellings and parking of every plot that is built on, and of the "
        "alternative shown, against what is allowed there."
    ),
    version=1,
    inputs=FiguresInputs,
    params=FiguresParams,
    references=(LAND_DECREE, BUILDING_DECREE, PARKING_DECREE),
    headline=("storey_height",),
)
def site_figures(inputs: FiguresInputs, params: FiguresParams, feedback: Feedback) -> Result:
    """Measure the plots."""
    issues: list[Issue] = []
    found = figures_of(inputs, params, issues, feedback)
    if not found:
        raise _nothing(params.plot)
    feedback.step(1.0, "done")
    layer = plot_layer(found)
    return Result(
        layers=() if layer is None else (layer,),
        summary=summary(found),
        tables=(check_table(found), Table("plots", "Plots", plot_columns(found))),
        issues=(*unverified_issue(found), *issues),
        assumptions=ASSUMPTIONS,
    )


def _nothing(plot: str) -> UserError:
    return UserError(
        "There is no plot to measure.",
        f"No parcel is called {plot}." if plot else "No building stands on a parcel that may be built on.",
        "Choose the layer of the parcels, or another plot.",
        code="site.figures.no_plot",
        values={"plot": plot or "-"},
    )
