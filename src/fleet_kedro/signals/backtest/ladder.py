r"""What each step of a strategy adds to the one before, with its interval.

Two accounts that trade the same days share most of their luck. Their difference is
therefore taken day by day, and days are drawn for both at once: with daily returns
``r`` of a step and ``q`` of the step before, the contribution is
:math:`365\,\overline{r - q}`, a simple annual return, and
:math:`\sqrt{365}\,(\bar r / s_r - \bar q / s_q)` in Sharpe. An interval that holds zero
says that the step cannot be told from no step at all.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float

from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.metrics.sharpe import DAYS_PER_YEAR, sharpe_from_sums
from fleet_kedro.signals.backtest.performance import MONTHS_PER_YEAR

MEASURES = ("annual_return", "monthly_return", "sharpe")
GAINS = ("gain", "sharpe_gain")
COLUMNS = [
    *("step", "days", "max_drawdown"),
    *(name + end for name in (*MEASURES, *GAINS) for end in ("", "_low", "_high")),
]
_FEWEST_DAYS = 2

_Statistics = dict[str, Float[np.ndarray, "draws steps"]]


def phase_ladder(
    daily: Mapping[str, pd.Series], bootstrap: BlockBootstrap
) -> pd.DataFrame:
    """Measure steps that were traded over the same days, each beside the one before.

    Parameters
    ----------
    daily
        Daily returns by step, from the first to the last, all over the same days; as
        `daily_returns` leaves them.

    Returns
    -------
    pandas.DataFrame
        ``COLUMNS``, a row per step: compounded annual and monthly return, Sharpe, the
        drawdown over closes of days, and what the step adds (``gain`` and
        ``sharpe_gain``), with intervals. The first step adds to holding cash.

    Raises
    ------
    ValueError
        If the steps cover different days, or days without a known return.
    """
    returns = _side_by_side(daily)
    sums = _sums(returns)
    seen = _statistics(sums.sum(axis=0, keepdims=True))
    drawn = _statistics(bootstrap.resampled_sums(sums))
    table = pd.DataFrame({"step": list(daily), "days": len(returns)})
    grown = np.vstack([np.ones(len(daily)), np.cumprod(1.0 + returns, axis=0)])
    fallen = 1.0 - grown / np.maximum.accumulate(grown, axis=0)
    table["max_drawdown"] = fallen.max(axis=0)
    for name in (*MEASURES, *GAINS):
        ends = [bootstrap.interval(draws) for draws in drawn[name].T]
        table[name] = seen[name][0]
        table[f"{name}_low"], table[f"{name}_high"] = np.array(ends).T
    return table[COLUMNS]


def _side_by_side(daily: Mapping[str, pd.Series]) -> Float[np.ndarray, "days steps"]:
    if not daily:
        raise ValueError("A ladder without a step: give the daily returns of one.")
    first, *others = daily.items()
    for name, step in others:
        if not step.index.equals(first[1].index):
            raise ValueError(
                f"{name!r} was traded on {len(step)} days, {first[0]!r} on "
                f"{len(first[1])}, or on others; trade all steps over the same days."
            )
    returns = np.column_stack(
        [step.to_numpy(dtype=np.float64) for step in daily.values()]
    )
    if len(returns) < _FEWEST_DAYS or not np.isfinite(returns).all():
        raise ValueError(
            f"{len(returns)} days, of which {int(np.isnan(returns).any(axis=1).sum())} "
            "are unknown: give two known days or more; a day without trades is 0."
        )
    return returns


def _sums(returns: Float[np.ndarray, "days steps"]) -> Float[np.ndarray, "days sums"]:
    with np.errstate(divide="ignore"):
        growth = np.log1p(returns)
    return np.hstack([np.ones((len(returns), 1)), returns, returns**2, growth])


def _statistics(sums: Float[np.ndarray, "draws sums"]) -> _Statistics:
    days = sums[:, :1]
    earned, squares, growth = np.split(sums[:, 1:], 3, axis=1)
    yearly = growth / days * DAYS_PER_YEAR
    n_days = np.broadcast_to(days, earned.shape)
    sharpe = np.sqrt(DAYS_PER_YEAR) * sharpe_from_sums(n_days, earned, squares)
    return {
        "annual_return": np.expm1(yearly),
        "monthly_return": np.expm1(yearly / MONTHS_PER_YEAR),
        "sharpe": sharpe,
        "gain": DAYS_PER_YEAR * _added(earned / days),
        "sharpe_gain": _added(sharpe),
    }


def _added(value: Float[np.ndarray, "draws steps"]) -> Float[np.ndarray, "draws steps"]:
    """Return what each step has above the one before; cash, before the first, has 0."""
    return np.diff(value, axis=1, prepend=0.0)
