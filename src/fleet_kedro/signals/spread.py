"""A long table laid out on a market: a row per hour, a column per asset."""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from fleet_kedro.market.schema import BAR
from fleet_kedro.signals.backtest.market import Market


def spread(
    rows: pd.DataFrame, values: Float[np.ndarray, " rows"], market: Market
) -> Float[np.ndarray, "hours assets"]:
    """Put each value at its hour and asset; NaN where there is none.

    Parameters
    ----------
    rows
        ``timestamp`` and ``asset`` of each value.

    Raises
    ------
    ValueError
        If an hour or an asset is none of the market's.
    """
    wide = np.full(market.shape, np.nan)
    wide[place(rows, market)] = values
    return wide


def place(
    rows: pd.DataFrame, market: Market
) -> tuple[Int64[np.ndarray, " rows"], Int64[np.ndarray, " rows"]]:
    """Return the hour and the column of each row of a table; see `spread`."""
    since = (rows["timestamp"] - market.hours[0]) // BAR
    hour = since.to_numpy(dtype=np.int64)
    column = pd.Index(market.assets).get_indexer(pd.Index(rows["asset"]))
    is_strange = (hour < 0) | (hour >= len(market.hours)) | (column < 0)
    if is_strange.any():
        first = rows.loc[is_strange].iloc[0]
        raise ValueError(
            f"{int(is_strange.sum())} forecasts have no candle, the first of them "
            f"{first['asset']} at {first['timestamp']}: they were made from other "
            "candles. Run the walk again on these."
        )
    return hour, column.astype(np.int64)
