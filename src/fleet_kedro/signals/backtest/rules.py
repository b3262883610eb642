"""What trading costs, and what the account may do."""

from pydantic import Field

from fleet_kedro.config import Config

BASIS_POINT = 1e-4


class TradingRules(Config):
    """Costs of each side, and how decisions become orders."""

    capital: float = Field(default=10_000.0, gt=0, description="In quote currency.")
    fee_bps: float = Field(
        default=10.0, ge=0, lt=1000, description="Of what changes hands, each side."
    )
    slippage_bps: float = Field(
        default=2.0,
        ge=0,
        lt=1000,
        description="How much worse than the candle's price every fill is.",
    )
    rebalance_band: float = Field(
        default=0.05,
        ge=0,
        lt=1,
        description="A weight that is off by no more is left alone; exits are not.",
    )
    smallest_order: float = Field(
        default=1e-4,
        ge=0,
        lt=1,
        description="Share of the equity below which only exits are traded.",
    )
    allow_short: bool = Field(
        default=False, description="Otherwise a negative weight means an exit."
    )
    rests_after_exit: bool = Field(
        default=True,
        description="After a stop or target, stay out until another weight is wanted.",
    )
    levels_follow: bool = Field(
        default=False,
        description="Stop and target of a position move with each decision; otherwise "
        "those of its entry stand.",
    )

    @property
    def least_change(self) -> float:
        """A weight that is off by no more than this is left alone."""
        return max(self.rebalance_band, self.smallest_order)

    @property
    def fee(self) -> float:
        """Fee of a side, as a fraction of what changes hands."""
        return self.fee_bps * BASIS_POINT

    @property
    def slippage(self) -> float:
        """How much worse a fill is than the candle's price, as a fraction of it."""
        return self.slippage_bps * BASIS_POINT

    @property
    def kept_when_bought(self) -> float:
        """What one unit of cash is worth in coins, once they have been bought."""
        return 1.0 / ((1.0 + self.slippage) * (1.0 + self.fee))

    @property
    def kept_when_sold(self) -> float:
        """What one unit's worth of coins leaves in cash, once they have been sold."""
        return (1.0 - self.slippage) * (1.0 - self.fee)
