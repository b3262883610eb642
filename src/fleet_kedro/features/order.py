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
        End of the first scored fold's training span: no scored row helps to choose.

    Raises
    ------
    ValueError
        Names the first asset whose longest segment is too short to choose on.
    """
    return {
        str(asset): _order(
            str(asset), _longest_segment(own.loc[own["timestamp"] < until]), config
        )
        for asset, own in candles.groupby("asset")
    }


def _order(
    asset: str, calibration: pd.DataFrame, config: FractionalDifference
) -> float:
    if len(calibration) < config.min_search_bars:
        raise ValueError(
            f"{asset} has no more than {len(calibration)} candles without a gap before "
            "the first training span ends, and choosing its fractional order takes "
            f"{config.min_search_bars}: give more warm-up, a later start or fewer "
            f"folds, lower features.fractional.max_window_bars, or leave {asset} out."
        )
    return smallest_stationary_order(np.log(calibration["close"].to_numpy()), config)


def _longest_segment(candles: pd.DataFrame) -> pd.DataFrame:
    lengths = candles["segment"].value_counts().sort_index()
    longest = lengths.index[lengths == lengths.max()].max()
    return candles.loc[candles["segment"] == longest]
