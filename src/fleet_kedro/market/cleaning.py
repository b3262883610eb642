"""From candles as found to the panel that every later chapter trusts."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool

from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.gaps import BAR_MICROSECONDS, GapPolicy, bridge_gaps
from fleet_kedro.market.schema import CANDLE

PANEL = ["timestamp", *CANDLE, "asset", "symbol", "is_filled", "segment"]


class Sifted(NamedTuple):
    """Sound candles, oldest first, and how many rows each rule took away."""

    candles: pd.DataFrame
    invalid: int
    off_grid: int
    duplicates: int


def clean_candles(
    raw_by_asset: Mapping[str, pd.DataFrame], policy: GapPolicy
) -> pd.DataFrame:
    """Sift every asset's candles, bridge short gaps and lay all of them in one panel.

    Parameters
    ----------
    raw_by_asset
        Columns ``timestamp`` (UTC), ``symbol``, open, high, low, close, volume, per
        canonical asset, in any order and with any dirt.

    Returns
    -------
    pandas.DataFrame
        A ``CleanCandles`` frame. Row ``t`` holds nothing that was unknown at its own
        close, one hour after its stamp.

    Raises
    ------
    MarketError
        If an asset has no sound candle at all.
    """
    if not raw_by_asset:
        raise MarketError("There are no assets to clean; name one in the universe.")
    cleaned = [
        bridge_gaps(some_sound(asset, raw), policy).assign(asset=asset)
        for asset, raw in sorted(raw_by_asset.items())
    ]
    # A stable sort keeps the alphabetical order of the assets within each stamp.
    panel = pd.concat(cleaned, ignore_index=True)
    return panel.sort_values("timestamp", kind="stable", ignore_index=True)[PANEL]


def some_sound(asset: str, raw: pd.DataFrame) -> pd.DataFrame:
    """Sift one asset's candles, and refuse it if none remains.

    Raises
    ------
    MarketError
        If the asset has no sound candle at all.
    """
    sifted = sift(raw)
    if sifted.candles.empty:
        raise MarketError(
            f"{asset} has no sound candle: {sifted.invalid} rows are no candles and "
            f"{sifted.off_grid} lie off the hour; correct its file or leave it out."
        )
    return sifted.candles


def sift(raw: pd.DataFrame) -> Sifted:
    """Take away rows that are no candle, lie off the hour, or repeat a stamp.

    A row that breaks several rules counts for the first of them. Of several sound rows
    with one stamp the last given stays: a correction comes after what it corrects.
    """
    sound = raw.loc[_is_candle(raw)]
    on_grid = sound.loc[_is_on_the_hour(sound["timestamp"])]
    candles = on_grid.drop_duplicates("timestamp", keep="last").sort_values(
        "timestamp", kind="stable", ignore_index=True
    )
    return Sifted(
        candles=candles,
        invalid=len(raw) - len(sound),
        off_grid=len(sound) - len(on_grid),
        duplicates=len(on_grid) - len(candles),
    )


def _is_candle(raw: pd.DataFrame) -> Bool[np.ndarray, " rows"]:
    values = raw[CANDLE].to_numpy(dtype=np.float64)
    open_, high, low, close, volume = values.T
    # Comparisons with NaN are false, so a missing number fails one of these.
    return np.asarray(
        np.isfinite(values).all(axis=1)
        & (low > 0)
        & (low <= np.minimum(open_, close))
        & (high >= np.maximum(open_, close))
        & (volume >= 0)
        & raw["timestamp"].notna().to_numpy()
    )


def _is_on_the_hour(timestamp: pd.Series) -> Bool[np.ndarray, " rows"]:
    return np.asarray(timestamp.astype("int64").to_numpy() % BAR_MICROSECONDS == 0)
