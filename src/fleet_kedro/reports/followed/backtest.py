"""What the account came to, in the numbers that are followed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from fleet_kedro.reports.followed.digits import few_digits, table_of_few_digits
from fleet_kedro.signals.backtest.ledger import Ledger
from fleet_kedro.signals.backtest.rivals import EQUAL_WEIGHT

_OF_STRATEGY = (
    *("sharpe", "sharpe_low", "annual_return", "annual_return_low"),
    *("total_return", "max_drawdown", "trades"),
)
_OF_RIVAL = ("sharpe", "total_return", "max_drawdown")
_HOURS_PER_DAY = 24
_HOURS_PER_WEEK = 168


def follow_backtest(
    summary: dict[str, Any], accounts: Mapping[str, Ledger]
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Take from a backtest what is followed.

    Parameters
    ----------
    summary
        The backtest as ``summarise_backtest`` tells it to machines.
    accounts
        By name; the strategy comes first.

    Returns
    -------
    tuple
        The metrics, returns as fractions; and the equity week by week as a multiple of
        the capital, of the strategy and of all assets held in equal parts, by the
        ``day`` since the start.
    """
    told = {account["name"]: account for account in summary["accounts"]}
    strategy = next(iter(accounts))
    metrics = {
        **{name: told[strategy][name] for name in _OF_STRATEGY},
        "deflated_sharpe": summary["deflated_sharpe"],
        "n_trials": summary["n_trials"],
        "equal_weight": {name: told[EQUAL_WEIGHT][name] for name in _OF_RIVAL},
    }
    followed = {"strategy": accounts[strategy], "equal_weight": accounts[EQUAL_WEIGHT]}
    return few_digits(metrics), table_of_few_digits(_week_by_week(followed))


def _week_by_week(accounts: Mapping[str, Ledger]) -> pd.DataFrame:
    """Lay equities side by side: before the first hour, then at the end of each week.

    A last week that is not over ends with the account.
    """
    n_hours = min(len(account.equity) for account in accounts.values())
    ends = np.append(np.arange(_HOURS_PER_WEEK, n_hours, _HOURS_PER_WEEK), n_hours)
    curves = {
        name: np.append(1.0, account.equity[ends - 1] / account.capital)
        for name, account in accounts.items()
    }
    return pd.DataFrame({"day": np.append(0, ends) / _HOURS_PER_DAY, **curves})
