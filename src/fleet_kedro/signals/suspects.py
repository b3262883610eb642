"""Forecasts in the form in which the check for oracles takes them."""

from collections.abc import Mapping

import pandas as pd


def of_brain(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Return probabilities as outlooks with a sign: above or below an asset's median.

    The median is that of the whole walk, which nobody knew; it serves a check only.

    Returns
    -------
    pandas.DataFrame
        ``asset``, ``forecast`` and ``forward_return``.
    """
    usual = forecasts.groupby("asset")["probability"].transform("median")
    return forecasts[["asset", "forward_return"]].assign(
        forecast=forecasts["probability"] - usual
    )


def of_ensembles(walks: Mapping[str, pd.DataFrame], horizon_hours: int) -> pd.DataFrame:
    """Return what the ensembles forecast over one horizon, and what came, likewise.

    Empty where no ensemble was trained for this horizon.
    """
    columns = ["asset", "forecast", "forward_return"]
    told = [
        walk.assign(
            asset=asset,
            forecast=walk[f"forecast_{horizon_hours}h"],
            forward_return=walk[f"forward_log_return_{horizon_hours}h"],
        )[columns]
        for asset, walk in walks.items()
        if f"forecast_{horizon_hours}h" in walk
    ]
    return pd.concat([pd.DataFrame(columns=columns), *told], ignore_index=True)
