"""What a user gives to ``sunlight.sky``."""

from __future__ import annotations

from analysis.params import Params, quantity, switch


class SkyParams(Params):
    """What a user can set."""

    directions: int = quantity(
        "Directions", "1", default=256, ge=64, le=4096, help="Spread evenly over the sky; more are finer and slower."
    )
    ground: bool = switch("Ground", default=True)
    ground_cell: float = quantity("Ground cell", "m", default=4.0, ge=0.5, le=50)
    margin: float = quantity("Ground around the buildings", "m", default=50.0, ge=0, le=2000)
    facades: bool = switch("Facades and roofs", default=True)
    facade_spacing: float = quantity("Facade cell", "m", default=4.0, ge=0.5, le=20)
    trees_block: bool = switch("Trees hide the sky", default=True, help="As solid crowns.")
