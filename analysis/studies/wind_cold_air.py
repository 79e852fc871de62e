"""Cold air of a calm, clear night: where it drains from the hills, how deep it gets, which buildings dam it."""

from __future__ import annotations

import dataclasses

from analysis.cold_air.declaration import ColdAirInputs, ColdAirParams
from analysis.cold_air.land import site_of, without
from analysis.cold_air.night import Dam, check_dam, find_dams, run_night
from analysis.cold_air.outcome import ASSUMPTIONS, charts, cold_air_layers, dam_table, summary
from analysis.contract import Reference, Result, analysis
from geo.model import Feedback, Issue

SIEVERS_2005 = Reference(
    "sievers-2005",
    "U. Sievers: Das Kaltluftabflussmodell KLAM_21. Berichte des Deutschen Wetterdienstes 227, 2005 "
    "(the family of models; equations and scheme here are those of the next two).",
)
STELLING_2003 = Reference(
    "stelling-duinmeijer-2003",
    "G. S. Stelling, S. P. A. Duinmeijer: A staggered conservative scheme for every Froude number in rapidly varied "
    "shallow water flows. International Journal for Numerical Methods in Fluids 43(12), 2003.",
    "10.1002/fld.537",
)
PARKER_1987 = Reference(
    "parker-1987",
    "G. Parker, M. Garcia, Y. Fukushima, W. Yu: Experiments on turbidity currents over an erodible bed. Journal of "
    "Hydraulic Research 25(1), 1987 (entrainment).",
    "10.1080/00221688709499292",
)
VDI_3787_5 = Reference("vdi-3787-5", "VDI 3787 Blatt 5:2003 Umweltmeteorologie: Lokale Kaltluft.")


@analysis(
    id="wind.cold_air",
    title="Cold air at night",
    description=(
        "Where cold air drains from slopes and open land on a calm, clear night, how deep it lies and how much of it "
        "flows, when it arrives, and which rows of buildings dam it."
    ),
    version=1,
    inputs=ColdAirInputs,
    params=ColdAirParams,
    references=(SIEVERS_2005, STELLING_2003, PARKER_1987, VDI_3787_5),
    headline=("hours", "cell"),
)
def wind_cold_air(inputs: ColdAirInputs, params: ColdAirParams, feedback: Feedback) -> Result:
    """Carry the cold air of a night over the land."""
    issues: list[Issue] = []
    feedback.step(0.0, "laying out the land")
    site = site_of(inputs, params, issues, feedback.part(0.0, 0.1))
    dams_wanted = params.dams and bool((site.land.built > 0).any())
    runs = 1 + dams_wanted + (params.checked if dams_wanted else 0)
    share = 0.88 / runs
    night = run_night(
        site.land, site.inside, params.hours, mixing=params.mixing, feedback=feedback.part(0.1, 0.1 + share)
    )
    dams: list[Dam] = []
    held = None
    if dams_wanted:
        part = feedback.part(0.1 + share, 0.1 + 2 * share)
        free = run_night(
            without(site.land, site.land.built > 0), site.inside, params.hours, mixing=params.mixing, feedback=part
        )
        dams, held = find_dams(site, night, free)
        for number, dam in enumerate(dams[: params.checked]):
            part = feedback.part(0.1 + (2 + number) * share, 0.1 + (3 + number) * share)
            freed = check_dam(site, night, dam, params.hours, mixing=params.mixing, feedback=part)
            dams[number] = dataclasses.replace(dam, freed=freed)
    feedback.step(0.99, "drawing the map")
    return Result(
        layers=cold_air_layers(site, night, held),
        summary=summary(site, night, dams, held),
        tables=(dam_table(dams),) if held is not None else (),
        charts=charts(night),
        issues=tuple(issues),
        assumptions=ASSUMPTIONS,
    )
