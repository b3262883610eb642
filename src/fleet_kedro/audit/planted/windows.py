"""Mistakes in features: windows, fills and bars that hold what is not known yet."""

import numpy as np
import pandas as pd

from fleet_kedro.audit.checks import BORDER, ORDER, PERTURB, TRUNCATE, WARM_UP
from fleet_kedro.audit.planted.leak import Leak, leak, per_asset
from fleet_kedro.audit.step import Law
from fleet_kedro.audit.world import World

_WINDOW = 13
_OWN = Law(own_only=True)
_FINITE = Law(memory_bars=_WINDOW, warm_up_tolerance=1e-5, own_only=True)
_RESTARTING = Law(own_only=True, restarts=True)


def window_leaks() -> list[Leak]:
    """Return the mistakes that are made with windows and bars."""
    return [
        leak("centred window", centred_window, _OWN, TRUNCATE),
        leak("full-history z-score", full_history_z_score, _OWN, PERTURB),
        leak("back-filled gap", back_filled_gap, _OWN, TRUNCATE),
        leak("half-formed last candle", half_formed_bar, _OWN, TRUNCATE),
        leak("CNN windows across assets", windows_across_assets, Law(), ORDER),
        leak("window across a gap", window_across_gap, _RESTARTING, BORDER),
        leak("memory without end", expanding_mean, _FINITE, WARM_UP),
    ]


def centred_window(world: World) -> pd.DataFrame:
    """Compare the close with its mean over bars on both sides."""
    return per_asset(
        world,
        lambda own: (
            own["close"] / own["close"].rolling(_WINDOW, center=True).mean() - 1.0
        ),
    )


def full_history_z_score(world: World) -> pd.DataFrame:
    """Scale volume by the mean and deviation of all there is."""
    return per_asset(
        world, lambda own: (own["volume"] - own["volume"].mean()) / own["volume"].std()
    )


def back_filled_gap(world: World) -> pd.DataFrame:
    """Lay closes in a table of hours by assets, and fill its holes from behind."""
    wide = world.candles.pivot_table(index="timestamp", columns="asset", values="close")
    filled = wide.asfreq("h").bfill().reset_index()
    return filled.melt("timestamp", var_name="asset", value_name="value").dropna()


def half_formed_bar(world: World) -> pd.DataFrame:
    """Join every hour with the close of the 4 h bar that it lies in."""

    def close_of_bar(own: pd.DataFrame) -> pd.Series:
        bars = own.set_index("timestamp")["close"].resample("4h").last()
        return own["timestamp"].dt.floor("4h").map(bars)

    return per_asset(world, close_of_bar)


def windows_across_assets(world: World) -> pd.DataFrame:
    """Cut a network's windows from all assets' rows, sorted by time alone."""
    stacked = world.candles.sort_values("timestamp", kind="stable", ignore_index=True)
    body = np.log((stacked["close"] / stacked["open"]).to_numpy())
    windows = np.lib.stride_tricks.sliding_window_view(body, _WINDOW)
    keys = stacked.loc[_WINDOW - 1 :, ["timestamp", "asset"]].reset_index(drop=True)
    return keys.join(pd.DataFrame(windows).add_prefix("value_"))


def window_across_gap(world: World) -> pd.DataFrame:
    """Roll over an asset's rows, whatever time lies between them."""
    return per_asset(world, lambda own: own["close"].rolling(_WINDOW).mean())


def expanding_mean(world: World) -> pd.DataFrame:
    """Compare the close with the mean of all closes since the first candle."""
    return per_asset(
        world, lambda own: own["close"] / own["close"].expanding().mean() - 1.0
    )
