"""The fractional order of each asset, from candles before anything is forecast."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from fleet_kedro.features.fractional import (
    FractionalDifference,
    smallest_stationary_order,
)


def fractional_orders(
    candles: pd.DataFrame, until: pd.Timestamp, config: FractionalDifference
) -> Mapping[str, float]:
    """Find the smallest stationary order of each asset's log price before ``until``.

    Parameters
    ----------
    candles
        Clean candles. Only rows that open before ``until`` are looked at, and of these
        the asset's longest gap-free segment (the later one on a tie).
    until
        End of the first training span: no forecast row has helped to choose.
    """
    calibration = candles.loc[candles["timestamp"] < until]
    return {
        str(asset): smallest_stationary_order(
            np.log(_longest_segment(own)["close"].to_numpy()), config
        )
        for asset, own in calibration.groupby("asset")
    }


def _longest_segment(candles: pd.DataFrame) -> pd.DataFrame:
    lengths = candles["segment"].value_counts().sort_index()
    longest = lengths.index[lengths == lengths.max()].max()
    return candles.loc[candles["segment"] == longest]
