"""Intervals for statistics of dependent rows: a circular block bootstrap over time.

Hourly labels overlap for ``H`` hours and the assets move together, so rows are far from
independent. The rows of one day, of all assets, are therefore added up first, and
blocks of consecutive days are drawn together (Politis and Romano, 1992).
"""

from collections.abc import Callable

import numpy as np
from arch.bootstrap import CircularBlockBootstrap
from jaxtyping import Float
from pydantic import Field

from fleet_kedro.config import Config


class BlockBootstrap(Config):
    """How an interval is drawn."""

    block_days: int = Field(ge=1, description="Consecutive days drawn together.")
    draws: int = Field(ge=100, description="Bootstrap samples.")
    level: float = Field(gt=0, lt=1, description="Coverage of the interval.")
    seed: int = Field(ge=0)

    def interval(
        self,
        statistic: Callable[[Float[np.ndarray, " columns"]], float],
        daily_sums: Float[np.ndarray, "days columns"],
    ) -> tuple[float, float]:
        """Return the percentile interval of a statistic of column sums.

        Parameters
        ----------
        statistic
            From the sum of each column over the drawn days to one number.
        daily_sums
            A row per day, in time order: counts and returns that add up.

        Returns
        -------
        tuple of float
            Lower and upper end. Draws where the statistic is NaN (no signal at all)
            are left out; NaN when every draw is.
        """
        bootstrap = CircularBlockBootstrap(
            min(self.block_days, len(daily_sums)), daily_sums, seed=self.seed
        )
        drawn = np.array(
            [
                statistic(np.asarray(positional[0]).sum(axis=0))
                for positional, _ in bootstrap.bootstrap(self.draws)
            ]
        )
        drawn = drawn[np.isfinite(drawn)]
        if not drawn.size:
            return float("nan"), float("nan")
        tail = (1 - self.level) / 2
        low, high = np.quantile(drawn, [tail, 1 - tail])
        return float(low), float(high)
