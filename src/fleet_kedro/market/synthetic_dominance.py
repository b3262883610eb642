"""Daily shares of a synthetic total market, in the shape of the real ones.

USDT.D falls when the common factor has risen of late, as money leaves the stable coin;
BTC.D wanders on its own. Neither knows the planted driver of any asset.
"""

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from fleet_kedro.market.schema import TIMESTAMP_DTYPE
from fleet_kedro.market.synthetic_backdrop import Backdrop, autoregression

SOURCE = "synthetic"
_DAILY_PERSISTENCE = 0.97


def draw_dominance(backdrop: Backdrop, rng: np.random.Generator) -> pd.DataFrame:
    """Return a ``Dominance`` frame with a value per series for every complete day.

    BTC.D is 50 + 4 w percent and USDT.D is 5 exp(−0.25 y) percent; w and y are
    autoregressive over days, w with shocks of its own, y with the standardised sum of
    the day's common factor. A day's value is available from the next midnight on.
    """
    days = len(backdrop.timestamp) // 24
    day = backdrop.timestamp[: 24 * days : 24]
    daily_factor = backdrop.factor[: 24 * days].reshape(days, 24).sum(axis=1) / 24**0.5
    scale = np.sqrt(1 - _DAILY_PERSISTENCE**2)
    recent = lfilter([scale], [1.0, -_DAILY_PERSISTENCE], daily_factor)
    share = {
        "BTC.D": 50 + 4 * autoregression(days, _DAILY_PERSISTENCE, rng),
        "USDT.D": 5 * np.exp(-0.25 * np.asarray(recent)),
    }
    parts = [
        pd.DataFrame(
            {
                "timestamp": day,
                "series": series,
                "dominance_pct": np.clip(values, 0, 100),
                "source": SOURCE,
                "available_at": day + pd.Timedelta(days=1),
            }
        )
        for series, values in share.items()
    ]
    stamps = dict.fromkeys(("timestamp", "available_at"), TIMESTAMP_DTYPE)
    return pd.concat(parts, ignore_index=True).astype(stamps)
