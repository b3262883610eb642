import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.features.bars import Bars
from fleet_kedro.features.context import RANK_KEYS, RANK_WINDOWS, Surroundings

# The tests import what they write definitions down with.
sys.path.insert(0, str(Path(__file__).parent))

HOURS = 620
# A Monday, so that 4 h and 1 d bars are whole from the first row on.
START = pd.Timestamp("2023-01-02", tz="UTC")
ASSETS = ("BTC", "DOGE", "ETH")


def random_candles(rng: np.random.Generator, n_bars: int) -> pd.DataFrame:
    """Random walk with ranges and volume, no two prices alike."""
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, n_bars)))
    open_ = np.concatenate([[100.0], close[:-1]]) * np.exp(
        rng.normal(0.0, 0.001, n_bars)
    )
    high = np.maximum(open_, close) * np.exp(rng.exponential(0.004, n_bars))
    low = np.minimum(open_, close) * np.exp(-rng.exponential(0.004, n_bars))
    volume = rng.lognormal(3.0, 1.0, n_bars)
    return pd.DataFrame(
        {"open": open_, "high": high, "low": low, "close": close, "volume": volume}
    )


def asset_candles(
    asset: str, rng: np.random.Generator, flat: slice, gap: slice | None = None
) -> pd.DataFrame:
    """Clean candles of one asset with a flat stretch and perhaps a gap."""
    candles = random_candles(rng, HOURS)
    candles.loc[flat.start : flat.stop - 1, ["open", "high", "low", "close"]] = candles[
        "close"
    ].iloc[flat.start - 1]
    candles.loc[flat.start : flat.stop - 1, "volume"] = 0.0
    candles = candles.assign(
        timestamp=pd.date_range(START, periods=HOURS, freq="h", unit="us"),
        asset=asset,
        symbol=f"{asset}USDT",
        is_filled=np.arange(HOURS) == flat.start,
        segment=np.int32(0),
    )
    if gap is None:
        return candles
    later = np.arange(HOURS) >= gap.stop
    candles["segment"] = later.astype(np.int32)
    return candles.drop(index=range(gap.start, gap.stop))


@pytest.fixture(scope="session")
def panel() -> pd.DataFrame:
    """Three assets; each stands still for a while, DOGE is away for fifty hours."""
    rng = np.random.default_rng(3)
    frames = [
        asset_candles("BTC", rng, slice(330, 390)),
        asset_candles("DOGE", rng, slice(100, 150), gap=slice(400, 450)),
        asset_candles("ETH", rng, slice(560, 600)),
    ]
    columns = "timestamp open high low close volume asset symbol is_filled segment"
    return (
        pd.concat(frames)[columns.split()]
        .sort_values(["timestamp", "asset"])
        .reset_index(drop=True)
    )


@pytest.fixture(scope="session")
def dominance_pct(panel: pd.DataFrame) -> pd.DataFrame:
    """Daily steps, unknown for the first two days."""
    hours = pd.DatetimeIndex(panel["timestamp"].unique()).sort_values()
    day = np.arange(len(hours)) // 24
    rng = np.random.default_rng(5)
    steps = rng.normal(0.0, 0.01, day.max() + 1).cumsum()[day]
    return pd.DataFrame(
        {
            "btc_dominance_pct": np.where(day < 2, np.nan, 45.0 * np.exp(steps)),
            "usdt_dominance_pct": np.where(day < 2, np.nan, 6.0 * np.exp(-steps)),
        },
        index=hours,
    )


@pytest.fixture(scope="session")
def make_bars() -> Callable[..., Bars]:
    """Bars from any of the arrays; what is left out is flat, unknown or zero."""

    def make(**given: np.ndarray) -> Bars:
        arrays = {
            name: np.asarray(values, dtype=np.float64) for name, values in given.items()
        }
        n_bars = len(next(iter(arrays.values())))
        close = arrays.get("close", np.ones(n_bars))
        start = np.datetime64(START.tz_localize(None), "us")
        unknown, zero = np.full(n_bars, np.nan), np.zeros(n_bars)
        return Bars(
            timestamp=start + np.arange(n_bars) * np.timedelta64(1, "h"),
            open=arrays.get("open", close),
            high=arrays.get("high", np.maximum(arrays.get("open", close), close)),
            low=arrays.get("low", np.minimum(arrays.get("open", close), close)),
            close=close,
            volume=arrays.get("volume", zero),
            is_filled=np.zeros(n_bars, dtype=bool),
            surroundings=Surroundings(
                market_log_return=arrays.get("market_log_return", zero),
                btc_log_return=arrays.get("btc_log_return", zero),
                dispersion=arrays.get("dispersion", zero),
                breadth=arrays.get("breadth", zero),
                btc_dominance_pct=arrays.get("btc_dominance_pct", unknown),
                usdt_dominance_pct=arrays.get("usdt_dominance_pct", unknown),
                ranks=dict.fromkeys(RANK_KEYS, zero),
                rising=dict.fromkeys(RANK_WINDOWS["return"], zero),
                attention=dict.fromkeys(RANK_WINDOWS["volume"], zero),
            ),
        )

    return make


@pytest.fixture(scope="session")
def random_bars(make_bars: Callable[..., Bars]) -> Bars:
    """Three hundred bars without any flat stretch, beside a related market."""
    rng = np.random.default_rng(11)
    candles = random_candles(rng, 300)
    log_return = np.diff(np.log(candles["close"]), prepend=np.log(100.0))
    return make_bars(
        **{name: candles[name].to_numpy() for name in candles},
        market_log_return=0.5 * log_return + rng.normal(0.0, 0.01, 300),
        btc_log_return=rng.normal(0.0, 0.01, 300),
        breadth=rng.uniform(-1.0, 1.0, 300),
        dispersion=rng.uniform(0.001, 0.01, 300),
    )
