"""Candles to serve, made from a seed: no two alike, with holes as exchanges have."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from exchange.server.book import HOUR_MS, Market


def random_market(
    symbol: str,
    hours: pd.DatetimeIndex,
    rng: np.random.Generator,
    *,
    missing: Iterable[int] = (),
    active: bool = True,
) -> Market:
    """Make a market with a candle at each of the hours but the ``missing`` places."""
    count = len(hours)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, count)))
    opened = np.concatenate([[100.0], close[:-1]])
    reach = np.abs(rng.normal(0, 0.004, (2, count)))
    frame = pd.DataFrame(
        {
            "timestamp": hours,
            "open": opened,
            "high": np.maximum(opened, close) * (1 + reach[0]),
            "low": np.minimum(opened, close) * (1 - reach[1]),
            "close": close,
            "volume": rng.lognormal(5, 1, count),
        }
    )
    kept = np.setdiff1d(np.arange(count), np.fromiter(missing, dtype=int))
    return Market.from_frame(symbol, frame.iloc[kept], active=active)


def hours_before(moment: pd.Timestamp, count: int) -> pd.DatetimeIndex:
    """Return the open times of ``count`` hours up to and including the moment's."""
    last = moment.floor("h")
    return pd.date_range(end=last, periods=count, freq=pd.Timedelta(HOUR_MS, "ms"))
