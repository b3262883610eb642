"""Whom the gate listens to in which weather: mean weights by market regime and asset.

A regime is read from what the gate itself reads, and is known when the forecast is
made. With the Hurst exponent ``H`` of the row's trailing window, a row is

- ``tipping`` if the stability warning is up, whatever ``H`` is; otherwise
- ``mean-reverting`` if ``H < 0.45``,
- ``trending`` if ``H > 0.55``, and
- ``random walk`` in between.

A random walk has ``H = 0.5``, which two hundred bars tell to within about 0.06: the
cuts lie nearly one such deviation to either side. On real candles each of the four
regimes holds one row in twenty or more.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

REVERTING_BELOW = 0.45
TRENDING_ABOVE = 0.55
REGIMES = ("mean-reverting", "random walk", "trending", "tipping")
FLEET = "all"
KEYS = ["regime", "asset", "rows"]


def regimes(forecasts: pd.DataFrame) -> pd.Series:
    """Return the regime of each row, by its index."""
    hurst = forecasts["physics_hurst"].to_numpy()
    named = np.select(
        [
            forecasts["physics_stability_warning"].to_numpy() > 0,
            hurst < REVERTING_BELOW,
            hurst > TRENDING_ABOVE,
        ],
        ["tipping", "mean-reverting", "trending"],
        "random walk",
    )
    return pd.Series(named, index=forecasts.index, name="regime")


def gate_by_regime(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Average the gate weights over the rows of each regime, and of each asset in it.

    Parameters
    ----------
    forecasts
        As a walk leaves them: ``asset``, the physics, and a column ``gate_*`` for each
        expert.

    Returns
    -------
    pandas.DataFrame
        ``regime``, ``asset`` (``all`` for the mean over all rows of the regime), the
        number of ``rows``, and the mean weight of each expert, by its name. In the
        order of `REGIMES`, the fleet before its assets; no row for what never happened.
    """
    gate = forecasts.filter(regex="^gate_").rename(
        columns=lambda name: name.removeprefix("gate_")
    )
    return pd.DataFrame(
        [
            dict(zip(KEYS, (regime, asset, len(rows)), strict=True))
            | gate.loc[rows].mean().to_dict()
            for regime, asset, rows in _groups(forecasts)
        ],
        columns=[*KEYS, *gate.columns],
    )


def _groups(forecasts: pd.DataFrame) -> Iterator[tuple[str, str, pd.Index]]:
    named = regimes(forecasts)
    for regime in REGIMES:
        own = forecasts.loc[named == regime, "asset"]
        if len(own):
            yield regime, FLEET, own.index
        for asset, rows in own.groupby(own):
            yield regime, str(asset), rows.index
