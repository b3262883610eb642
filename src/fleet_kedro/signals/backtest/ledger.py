"""What a strategy left behind, hour by hour and fill by fill."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from fleet_kedro.signals.backtest.book import Fill


class Ledger(NamedTuple):
    """What a strategy left behind.

    Attributes
    ----------
    hours
        Open times (UTC) of the candles, and ``assets`` their columns.
    capital
        Equity before the first hour, in quote currency.
    equity
        At the close of each hour, after the final sale in the last one.
    exposure
        Value of each position at each close over the equity; negative for a short.
    fills
        In the order in which they happened.
    """

    hours: pd.DatetimeIndex
    assets: tuple[str, ...]
    capital: float
    equity: Float[np.ndarray, " hours"]
    exposure: Float[np.ndarray, "hours assets"]
    fills: tuple[Fill, ...]
