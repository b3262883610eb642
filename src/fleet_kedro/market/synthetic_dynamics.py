"""The parameters of the synthetic price equation.

See ``synthetic`` for the equation itself and for what the letters mean.
"""

import math

from pydantic import Field

from fleet_kedro.config import Config

HOURS_PER_YEAR = 24 * 365.25


class PriceDynamics(Config):
    """How strongly the planted signals, the common factor and the jumps act."""

    edge: float = Field(
        ge=0,
        le=1,
        description="Drift per bar, in units of its volatility, per unit of driver.",
    )
    driver_persistence: float = Field(
        default=0.95,
        ge=0,
        lt=1,
        description="Correlation of the driver from one bar to the next.",
    )
    trend_strength: float = Field(
        default=0.3, ge=0, description="Drift of a trend spell, as a share of edge."
    )
    common_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Share of variance due to the common factor.",
    )
    own_jumps_per_year: float = Field(default=6.0, ge=0, le=1000)
    common_jumps_per_year: float = Field(default=3.0, ge=0, le=1000)
    jump_scale: float = Field(
        default=8.0,
        ge=0,
        le=20,
        description="Size, in units of the asset's base volatility.",
    )

    @property
    def jumps_per_bar(self) -> float:
        """λ: expected jumps of one asset in one bar, its own and the common ones."""
        return (self.own_jumps_per_year + self.common_jumps_per_year) / HOURS_PER_YEAR

    def jump_compensation(self, base_volatility: float) -> float:
        """Return λ(E e^J − 1): what jumps add per bar to the log expected price."""
        jump_variance = (self.jump_scale * base_volatility) ** 2
        return self.jumps_per_bar * math.expm1(jump_variance / 2)
