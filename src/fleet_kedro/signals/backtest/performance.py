r"""What an account came to: growth, risk and trades, each with its interval.

The market never closes, so a year has 365 days, and a day ends at midnight UTC. With
the equity :math:`E_d` at the last close of day ``d`` and :math:`r_d = E_d / E_{d-1} -
1`, the first day from the capital on:

- annual return: :math:`(\prod (1 + r_d))^{365/n} - 1`, reinvested;
- annual volatility: :math:`\sqrt{365}` times the standard deviation of ``r``;
- Sharpe: :math:`\sqrt{365}\,\bar r / s`, no risk-free rate; 0 if ``r`` never varies;
- Sortino: :math:`\sqrt{365}\,\bar r / \sqrt{\overline{\min(r, 0)^2}}` (Sortino and
  Price, "Performance measurement in a downside risk framework", Journal of Investing
  3(3), 1994, with a target of zero);
- maximum drawdown: the largest :math:`1 - E_t / \max_{u \le t} E_u` over the closes of
  all *hours*, the capital included; Calmar: annual return over it.

Why these are our own: the usual performance libraries take a year of 252 trading days
unless told otherwise, drop NaN silently, and know no interval. Here NaN is refused, and
the Sharpe ratio is the very one that the overfitting measures use.

Intervals draw blocks of days. A drawdown is a property of the whole path, and blocks
that are put together anew make another one: it has none, and neither has Calmar.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float

from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.metrics.sharpe import (
    DAYS_PER_YEAR,
    expected_maximum_sharpe,
    sharpe_from_sums,
    sharpe_ratios,
    sharpe_sample,
)
from fleet_kedro.signals.backtest.ledger import Ledger
from fleet_kedro.signals.backtest.trades import trades_of

MONTHS_PER_YEAR = 12
WITH_INTERVAL = (
    *("annual_return", "monthly_return", "annual_volatility", "sharpe", "sortino"),
    *("win_rate", "trade_return"),
)
PLAIN = (
    *("total_return", "max_drawdown", "calmar", "turnover", "exposure"),
    *("hours_invested", "trades", "fees"),
)

_Statistics = dict[str, Float[np.ndarray, " draws"]]


def performance_table(
    ledgers: Mapping[str, Ledger], bootstrap: BlockBootstrap
) -> pd.DataFrame:
    """Measure strategies beside each other, a row each.

    Returns
    -------
    pandas.DataFrame
        ``name``; for each of ``WITH_INTERVAL`` the value, ``*_low`` and ``*_high``; and
        ``PLAIN``. Returns, volatility, drawdown, exposure (mean of all positions in
        absolute value over the equity), ``hours_invested`` and ``win_rate`` (trades
        that earned more than their costs) are fractions; ``turnover`` is what changed
        hands per year, both sides, over the equity; ``fees`` are those of all fills
        over the capital; ``trade_return`` is the mean over trades; ``monthly_return``
        is the twelfth root of the annual growth. NaN where there is nothing to divide
        by: the Sortino of an account that never lost, the win rate without a trade.
    """
    return pd.DataFrame(
        [
            {"name": name, **measured(ledger, bootstrap)}
            for name, ledger in ledgers.items()
        ]
    )


def measured(ledger: Ledger, bootstrap: BlockBootstrap) -> dict[str, float | int]:
    """Measure one account; see `performance_table`."""
    trades = trades_of(ledger)
    daily = daily_returns(ledger)
    sums = _daily_sums(daily, trades)
    seen = _statistics(sums.sum(axis=0, keepdims=True))
    drawn = _statistics(bootstrap.resampled_sums(sums))
    values: dict[str, float | int] = {}
    for name in WITH_INTERVAL:
        values[name] = float(seen[name][0])
        values[f"{name}_low"], values[f"{name}_high"] = bootstrap.interval(drawn[name])
    drawdown = float(drawdowns(ledger).max())
    at_work = np.abs(ledger.exposure).sum(axis=1)
    return values | {
        "total_return": float(ledger.equity[-1] / ledger.capital - 1.0),
        "max_drawdown": drawdown,
        "calmar": _ratio(float(seen["annual_return"][0]), drawdown),
        "turnover": _annual_turnover(ledger, len(daily)),
        "exposure": float(at_work.mean()),
        "hours_invested": float(np.mean(at_work > 0)),
        "trades": len(trades),
        "fees": sum(fill.fee for fill in ledger.fills) / ledger.capital,
    }


def daily_returns(ledger: Ledger) -> pd.Series:
    """Return what the account earned on each day (UTC), a fraction of its equity.

    The first and the last day may be shorter than others. Once the equity is gone there
    is nothing that could earn: zero from then on.
    """
    equity = pd.Series(ledger.equity, index=ledger.hours)
    at_end = equity.groupby(ledger.hours.floor("D")).last()
    before = at_end.shift(fill_value=ledger.capital)
    earned = (at_end / before - 1.0).where(before > 0, 0.0).clip(lower=-1.0)
    return earned.rename("return").rename_axis("day")


def annual_sharpe(daily: pd.Series) -> float:
    """Return the Sharpe ratio of daily returns, for a year of 365 days."""
    values = daily.to_numpy(dtype=np.float64)[:, np.newaxis]
    return float(np.sqrt(DAYS_PER_YEAR) * sharpe_ratios(values)[0])


def monthly_returns(daily: pd.Series) -> pd.DataFrame:
    """Compound daily returns: ``year``, ``month``, ``days`` and ``monthly_return``.

    A month of fewer days than the calendar's is told by ``days``.
    """
    index = pd.DatetimeIndex(daily.index)
    grown = (1.0 + daily).groupby([index.year, index.month]).agg(["prod", "size"])
    table = grown.rename_axis(["year", "month"]).reset_index()
    return table.assign(monthly_return=table["prod"] - 1.0, days=table["size"])[
        ["year", "month", "days", "monthly_return"]
    ]


def drawdowns(ledger: Ledger) -> Float[np.ndarray, " hours"]:
    """Return how far the equity lies below its peak so far, a fraction from 0 up."""
    peak = np.maximum(np.maximum.accumulate(ledger.equity), ledger.capital)
    return np.asarray(1.0 - ledger.equity / peak)


def deflated_sharpe(
    daily: Float[np.ndarray, " days"], n_trials: int, variance_of_trial_sharpes: float
) -> float:
    """Return the probability that the account beats the luckiest of ``n_trials``.

    Parameters
    ----------
    daily
        Daily returns as fractions; NaN is refused.
    n_trials
        Every configuration that was ever scored on these candles.
    variance_of_trial_sharpes
        Of their *daily* Sharpe ratios.
    """
    benchmark = expected_maximum_sharpe(n_trials, variance_of_trial_sharpes)
    return sharpe_sample(daily).probability_above(benchmark)


def _daily_sums(
    daily: pd.Series, trades: pd.DataFrame
) -> Float[np.ndarray, "days sums"]:
    """Return what the statistics with an interval follow from, a row per day.

    Trades count on the day on which they end.
    """
    days = pd.DatetimeIndex(daily.index)
    earned = daily.to_numpy(dtype=np.float64)
    # The final sale is made at the last close, which may be the next day's midnight.
    ended = trades["exit_time"].dt.floor("D").clip(upper=days[-1])
    own = pd.DataFrame(
        {
            "wins": (trades["pnl"] > 0).astype("float64"),
            "trades": 1.0,
            "earned": trades["trade_return"],
        }
    )
    by_day = own.groupby(ended).sum().reindex(days, fill_value=0.0)
    with np.errstate(divide="ignore"):
        growth = np.log1p(earned)
    columns = [
        np.ones(len(days)),
        earned,
        earned**2,
        np.minimum(earned, 0.0) ** 2,
        growth,
        *by_day.to_numpy(dtype=np.float64).T,
    ]
    return np.column_stack(columns)


def _statistics(sums: Float[np.ndarray, "draws sums"]) -> _Statistics:
    """Compute every statistic with an interval from sums over days."""
    days, earned, squares, losses, growth, wins, trades, returned = sums.T
    year = np.sqrt(DAYS_PER_YEAR)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = earned / days
        shortfall = np.where(losses > 0, np.sqrt(losses / days), np.nan)
        variance = (squares - mean * earned) / (days - 1)
        return {
            "annual_return": np.expm1(growth / days * DAYS_PER_YEAR),
            "monthly_return": np.expm1(growth / days * DAYS_PER_YEAR / MONTHS_PER_YEAR),
            "annual_volatility": year * np.sqrt(np.maximum(variance, 0.0)),
            "sharpe": year * sharpe_from_sums(days, earned, squares),
            "sortino": year * mean / shortfall,
            "win_rate": wins / trades,
            "trade_return": returned / trades,
        }


def _annual_turnover(ledger: Ledger, n_days: int) -> float:
    handed = sum(
        abs(fill.quantity) * fill.price / ledger.equity[fill.hour]
        for fill in ledger.fills
        if ledger.equity[fill.hour] > 0
    )
    return float(handed * DAYS_PER_YEAR / n_days)


def _ratio(value: float, by: float) -> float:
    return value / by if by > 0 else float("nan")
