"""Intervals for statistics of dependent rows: a circular block bootstrap over time.

Hourly labels overlap for ``H`` hours and the assets move together, so rows are far from
independent. The rows of one day, of all assets, are therefore added up first, and
blocks of consecutive days are drawn together (Politis and Romano, 1992). A statistic is
then a function of the drawn sums, computed for all draws at once.
"""

import numpy as np
from jaxtyping import Float
from pydantic import Field

from fleet_kedro.config import Config


class BlockBootstrap(Config):
    """How days are drawn, and how wide an interval is."""

    block_days: int = Field(ge=1, description="Consecutive days drawn together.")
    draws: int = Field(ge=100, description="Bootstrap samples.")
    level: float = Field(gt=0, lt=1, description="Coverage of an interval.")
    seed: int = Field(ge=0)

    def resampled_sums(
        self, daily_sums: Float[np.ndarray, "days columns"]
    ) -> Float[np.ndarray, "draws columns"]:
        """Return the sum of each column over the days of each draw.

        ``daily_sums`` has a row per day, in time order: counts and returns that add up.
        """
        # Takes a second to import, which a command without intervals need not spend.
        from arch.bootstrap import CircularBlockBootstrap

        bootstrap = CircularBlockBootstrap(
            min(self.block_days, len(daily_sums)), daily_sums, seed=self.seed
        )
        return np.array(
            [
                np.asarray(positional[0]).sum(axis=0)
                for positional, _ in bootstrap.bootstrap(self.draws)
            ]
        )

    def interval(self, statistic: Float[np.ndarray, " draws"]) -> tuple[float, float]:
        """Return the percentile interval of a statistic that was computed per draw.

        Draws where it is NaN (no signal at all) are left out; NaN when every draw is.
        """
        known = statistic[np.isfinite(statistic)]
        if not known.size:
            return float("nan"), float("nan")
        tail = (1 - self.level) / 2
        low, high = np.quantile(known, [tail, 1 - tail])
        return float(low), float(high)
