"""What a sceptic asks next: how much of it was chosen, how much is left.

Built once for a run, and told by console, page and summary alike.
"""

from typing import NamedTuple

import pandas as pd

from fleet_kedro.validation.overfitting import OverfittingReport


class Scrutiny(NamedTuple):
    """The brain beside everything that was tried, and beside the best possible.

    Attributes
    ----------
    overfitting
        Probability of backtest overfitting, probabilistic and deflated Sharpe ratio.
    trials
        A row per kind of trial, as ``ledger_summary`` lays them out.
    efficiency
        A row per regime, as ``planted_efficiency`` lays them out; empty for a market
        whose truth nobody knows.
    """

    overfitting: OverfittingReport
    trials: pd.DataFrame
    efficiency: pd.DataFrame
