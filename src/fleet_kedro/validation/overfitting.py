"""Whether the chosen configuration is more than the luckiest of all that were tried.

Two questions, told apart. How often does choosing the best in one half of the days
choose a loser of the other half (the probability of backtest overfitting)? And how
likely is the chosen one's Sharpe ratio to be real, given its sample alone, and given
the number and the spread of all trials (the probabilistic and the deflated Sharpe
ratio)? The formulas and their papers are in ``metrics``.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from fleet_kedro.metrics.effective_days import effective_days
from fleet_kedro.metrics.overfitting import probability_of_backtest_overfitting
from fleet_kedro.metrics.sharpe import (
    DAYS_PER_YEAR,
    expected_maximum_sharpe,
    sharpe_ratios,
    sharpe_sample,
)

_FEWEST_BLOCKS = 2
_FEWEST_DAYS_PER_BLOCK = 2


class OverfittingReport(NamedTuple):
    """What is left of a Sharpe ratio once everything that was tried is counted.

    Attributes
    ----------
    chosen
        The configuration that is judged.
    n_configurations
        Configurations that it was compared with day by day, itself included.
    logits
        ``λ`` of each split, see ``metrics.overfitting``; empty where nothing was
        chosen: with one configuration, or with fewer than four days.
    n_days, effective_days
        Rows of the history, and how many independent days they are worth.
    daily_sharpe
        Of the chosen configuration; 0 if its daily returns never vary.
    n_trials
        Every configuration that was ever scored on these outcomes.
    expected_maximum_sharpe
        Daily Sharpe ratio to expect from the best of so many worthless trials.
    probabilistic_sharpe
        Probability that the true Sharpe ratio is positive, had there been no choice.
    deflated_sharpe
        Probability that it exceeds ``expected_maximum_sharpe``.
    deflated_sharpe_of_effective_days
        The same, had there been ``effective_days`` days: nearer to one half.
    """

    chosen: str
    n_configurations: int
    logits: Float[np.ndarray, " splits"]
    n_days: int
    effective_days: float
    daily_sharpe: float
    n_trials: int
    expected_maximum_sharpe: float
    probabilistic_sharpe: float
    deflated_sharpe: float
    deflated_sharpe_of_effective_days: float

    @property
    def probability_of_overfitting(self) -> float:
        """Share of splits whose winner ends at or below the median; NaN without any."""
        return float(np.mean(self.logits <= 0)) if self.n_splits else float("nan")

    @property
    def n_splits(self) -> int:
        """Halves of the days in which a winner was chosen."""
        return int(self.logits.size)

    @property
    def annual_sharpe(self) -> float:
        """``√365`` times the daily Sharpe ratio."""
        return float(np.sqrt(DAYS_PER_YEAR) * self.daily_sharpe)


def report_overfitting(
    daily_returns: pd.DataFrame,
    chosen: str,
    trial_sharpes: Float[np.ndarray, " trials"],
    n_unrecorded: int = 0,
    n_blocks: int = 16,
) -> OverfittingReport:
    """Judge one configuration beside all others.

    Parameters
    ----------
    daily_returns
        A row per day in time order, a column per configuration, its name the column's:
        fractions as a ``DayBook`` books them, never NaN. At least two days.
    chosen
        Name of the configuration that would be traded.
    trial_sharpes
        Daily Sharpe ratio of every trial that the ledger holds on these outcomes, the
        columns included. Where it holds fewer than there are columns, the columns stand
        in: they were tried, recorded or not.
    n_unrecorded
        Trials on these outcomes that no ledger holds, as far as anybody remembers.
    n_blocks
        Blocks of days that are combined into halves, even. A short history is cut into
        fewer, so that each block has two days or more.

    Raises
    ------
    ValueError
        If no column has the chosen name, or there are fewer than two days.
    """
    if chosen not in daily_returns.columns:
        raise ValueError(
            f"{chosen!r} is none of the configurations "
            f"{', '.join(map(str, daily_returns.columns))}: choose one of them."
        )
    returns = daily_returns.to_numpy(dtype=np.float64)
    tried = (
        trial_sharpes
        if trial_sharpes.size >= returns.shape[1]
        else (sharpe_ratios(returns))
    )
    own = daily_returns[chosen].to_numpy(dtype=np.float64)
    sample, worth = sharpe_sample(own), effective_days(own)
    variance = float(np.var(tried, ddof=1)) if tried.size > 1 else 0.0
    n_trials = int(tried.size) + n_unrecorded
    benchmark = expected_maximum_sharpe(n_trials, variance)
    return OverfittingReport(
        chosen=chosen,
        n_configurations=returns.shape[1],
        logits=_logits(returns, n_blocks),
        n_days=sample.n_days,
        effective_days=worth,
        daily_sharpe=sample.sharpe,
        n_trials=n_trials,
        expected_maximum_sharpe=benchmark,
        probabilistic_sharpe=sample.probability_above(0.0),
        deflated_sharpe=sample.probability_above(benchmark),
        deflated_sharpe_of_effective_days=sample._replace(
            n_days=int(worth)
        ).probability_above(benchmark),
    )


def _logits(
    daily_returns: Float[np.ndarray, "days configurations"], n_blocks: int
) -> Float[np.ndarray, " splits"]:
    n_days, n_configurations = daily_returns.shape
    most = n_days // _FEWEST_DAYS_PER_BLOCK
    blocks = min(n_blocks, most - most % 2)
    if n_configurations == 1 or blocks < _FEWEST_BLOCKS:
        return np.empty(0)
    return probability_of_backtest_overfitting(daily_returns, blocks).logits
