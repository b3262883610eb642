"""Small markets to trade on: written down, or drawn."""

import numpy as np
import pandas as pd
import pytest

START = pd.Timestamp("2023-01-01", tz="UTC").as_unit("us")


def panel_of(bars_by_asset, start=START):
    """A clean panel from (hour, open, high, low, close[, is_filled[, segment]])."""
    rows = []
    for asset, bars in bars_by_asset.items():
        for hour, open_, high, low, close, *rest in bars:
            is_filled, segment = (*rest, *(False, 0)[len(rest) :])
            rows.append(
                {
                    "timestamp": start + pd.Timedelta(hours=hour),
                    "open": float(open_),
                    "high": float(high),
                    "low": float(low),
                    "close": float(close),
                    "volume": 0.0 if is_filled else 1.0,
                    "asset": asset,
                    "symbol": f"{asset}USDT",
                    "is_filled": bool(is_filled),
                    "segment": np.int32(segment),
                }
            )
    table = pd.DataFrame(rows).sort_values(["timestamp", "asset"], ignore_index=True)
    return table.astype({"timestamp": "datetime64[us, UTC]", "segment": "int32"})


def path_panel(close_by_asset):
    """Flat wicks: each candle opens at the close before and goes straight."""
    bars = {}
    for asset, close in close_by_asset.items():
        open_ = [close[0], *close[:-1]]
        bars[asset] = [
            (hour, o, max(o, c), min(o, c), c)
            for hour, (o, c) in enumerate(zip(open_, close, strict=True))
        ]
    return panel_of(bars)


def wild_panel(rng, n_hours, n_assets):
    """Violent candles: jumps at opens, filled hours, long gaps, late and early ends."""
    bars = {}
    for asset in range(n_assets):
        price, segment, own = 10.0 ** rng.uniform(-2, 4), 0, []
        first = int(rng.integers(0, 4)) if asset else 0
        last = (
            n_hours
            if not asset or rng.random() < 0.6
            else int(rng.integers(8, n_hours))
        )
        away = 0
        for hour in range(first, last):
            if away:
                away -= 1
                continue
            is_late = len(own) > 0
            if is_late and rng.random() < 0.08:
                own.append((hour, price, price, price, price, True, segment))
                continue
            if is_late and rng.random() < 0.04:
                away, segment = int(rng.integers(1, 4)), segment + 1
                continue
            open_ = price * np.exp(rng.choice([0.0, 0.05]) * rng.standard_normal())
            close = open_ * np.exp(0.04 * rng.standard_normal())
            high = max(open_, close) * np.exp(0.03 * rng.random())
            low = min(open_, close) * np.exp(-0.03 * rng.random())
            own.append((hour, open_, high, low, close, False, segment))
            price = close
        bars[f"A{asset}"] = own
    return panel_of(bars)


def random_walk_panel(rng, n_hours, volatility=0.01):
    """A martingale: nobody earns anything on it but what he pays for trading."""
    log_price = np.cumsum(volatility * rng.standard_normal(n_hours) - volatility**2 / 2)
    return path_panel({"A": list(100 * np.exp(log_price))})


@pytest.fixture(scope="session")
def panel():
    return panel_of


@pytest.fixture(scope="session")
def path():
    return path_panel


@pytest.fixture(scope="session")
def wild():
    return wild_panel


@pytest.fixture(scope="session")
def random_walk():
    return random_walk_panel
