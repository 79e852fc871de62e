"""Headless. The settings of a case: schemes, solvers, turbulence model, how it is split, and how it is started."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

Model = Literal["kEpsilon", "kOmegaSST"]
MODELS: tuple[Model, ...] = ("kEpsilon", "kOmegaSST")
OLD_ROUGH_WALL, NEW_ROUGH_WALL = "nutkAtmRoughWallFunction", "atmNutkWallFunction"
AIR_VISCOSITY = 1.5e-5  # [m2/s]


class Plan(NamedTuple):
    """How a case is calculated.

    Attributes
    ----------
    model : str
        Turbulence model.
    iterations : int
        At most.
    residual : float
        Of all equations; below it the calculation ends.
    cores : int
    rough_wall : str
        Name of the wall function for rough ground in the version that runs it.
    """

    model: Model = "kEpsilon"
    iterations: int = 1000
    residual: float = 1e-5
    cores: int = 1
    rough_wall: str = NEW_ROUGH_WALL

    @property
    def second(self) -> str:
        """The second quantity of the turbulence model."""
        return "epsilon" if self.model == "kEpsilon" else "omega"


def control(plan: Plan) -> str:
    """``system/controlDict``."""
    return f"""application     simpleFoam;
libs            ("libatmosphericModels.so");
startFrom       latestTime;
startTime       0;
stopAt          endTime;
endTime         {plan.iterations};
deltaT          1;
writeControl    timeStep;
writeInterval   {plan.iterations};
purgeWrite      1;
writeFormat     ascii;
writePrecision  8;
writeCompression off;
timeFormat      general;
timePrecision   8;
runTimeModifiable true;
"""


def schemes(plan: Plan) -> str:
    """``system/fvSchemes``: second order for the velocity, first for turbulence."""
    return f"""ddtSchemes {{ default steadyState; }}
gradSchemes {{ default Gauss linear; grad(U) cellLimited Gauss linear 1; }}
divSchemes
{{
    default         none;
    div(phi,U)      bounded Gauss linearUpwind grad(U);
    div(phi,k)      bounded Gauss upwind;
    div(phi,{plan.second}) bounded Gauss upwind;
    div((nuEff*dev2(T(grad(U))))) Gauss linear;
}}
laplacianSchemes {{ default Gauss linear corrected; }}
interpolationSchemes {{ default linear; }}
snGradSchemes {{ default corrected; }}
wallDist {{ method meshWave; }}
"""


def solution(plan: Plan) -> str:
    """``system/fvSolution``: SIMPLEC with multigrid for the pressure."""
    return f"""solvers
{{
    p
    {{
        solver          GAMG;
        smoother        GaussSeidel;
        tolerance       1e-8;
        relTol          0.05;
    }}
    "(U|k|{plan.second})"
    {{
        solver          smoothSolver;
        smoother        symGaussSeidel;
        tolerance       1e-9;
        relTol          0.1;
    }}
}}
SIMPLE
{{
    nNonOrthogonalCorrectors 0;
    consistent      yes;
    pRefCell        0;
    pRefValue       0;
    residualControl
    {{
        p               {plan.residual:g};
        U               {plan.residual:g};
        "(k|{plan.second})" {plan.residual:g};
    }}
}}
relaxationFactors
{{
    equations {{ U 0.9; "(k|{plan.second})" 0.7; }}
}}
"""


def decomposition(plan: Plan) -> str:
    """``system/decomposeParDict``: as nearly square blocks as the number allows, with equally many cells.

    The division by scotch is better where it is installed; packages often bring only a stub of it.
    """
    short = max(n for n in range(1, math.isqrt(plan.cores) + 1) if plan.cores % n == 0)
    return (
        f"numberOfSubdomains {plan.cores};\nmethod          hierarchical;\n"
        f"coeffs {{ n ({plan.cores // short} {short} 1); order xyz; }}\n"
    )


def turbulence(plan: Plan) -> str:
    """``constant/turbulenceProperties``; the constants are those of the program's own solver."""
    constants = ""
    if plan.model == "kEpsilon":
        constants = "    kEpsilonCoeffs { Cmu 0.09; C1 1.44; C2 1.92; sigmak 1.0; sigmaEps 1.3; }\n"
    return (
        "simulationType RAS;\nRAS\n{\n"
        f"    RASModel        {plan.model};\n    turbulence      on;\n    printCoeffs     on;\n{constants}}}\n"
    )


def transport() -> str:
    """``constant/transportProperties``."""
    return f"transportModel  Newtonian;\nnu              {AIR_VISCOSITY:g};\n"


START = f"""#!/bin/sh
# Runs this case: ./Allrun [cores]. Needs OpenFOAM (openfoam.com) with its environment loaded, nothing else.
cd "$(dirname "$0")" || exit 1
cores="${{1:-1}}"
case "$cores" in ''|*[!0-9]*) echo "the number of cores must be a number" >&2; exit 2;; esac
if [ -z "$WM_PROJECT_DIR" ] && [ -f /usr/share/openfoam/etc/controlDict ]; then
    export WM_PROJECT_DIR=/usr/share/openfoam  # the package of Debian sets no environment
fi
version=$(simpleFoam -help 2>&1 | sed -n 's/^Using: OpenFOAM-.*(\\([0-9]*\\)).*/\\1/p')
[ -n "$version" ] || {{ echo "OpenFOAM was not found" >&2; exit 1; }}
wall={NEW_ROUGH_WALL}
[ "$version" -gt 1912 ] || wall={OLD_ROUGH_WALL}
printf 'roughWall %s;\\n' "$wall" > constant/roughWall
checkMesh > log.checkMesh 2>&1
if [ "$cores" -gt 1 ]; then
    short=1; n=1
    while [ $((n * n)) -le "$cores" ]; do [ $((cores % n)) -ne 0 ] || short=$n; n=$((n + 1)); done
    sed -i "s/^numberOfSubdomains.*/numberOfSubdomains $cores;/; s/n ([0-9 ]*)/n ($((cores / short)) $short 1)/" \
        system/decomposeParDict
    decomposePar -force > log.decomposePar 2>&1 || exit 1
    mpirun -np "$cores" simpleFoam -parallel > log.simpleFoam 2>&1 || exit 1
    reconstructPar -latestTime > log.reconstructPar 2>&1
else
    simpleFoam > log.simpleFoam 2>&1
fi
"""
