"""Candles to build tests from."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest

ORIGIN = pd.Timestamp("2023-01-01", tz="UTC").as_unit("us")

CandlesAt = Callable[[Sequence[int]], pd.DataFrame]


@pytest.fixture(scope="session")
def origin() -> pd.Timestamp:
    return ORIGIN


@pytest.fixture(scope="session")
def candles_at() -> CandlesAt:
    """Sound raw candles at the given hours after the origin, none like another."""

    def build(hours: Sequence[int]) -> pd.DataFrame:
        count = np.arange(len(hours), dtype=float)
        return pd.DataFrame(
            {
                "timestamp": ORIGIN
                + pd.to_timedelta(list(hours), unit="h").as_unit("us"),
                "symbol": "BTCUSDT",
                "open": 100.0 + count,
                "high": 103.0 + count,
                "low": 98.0 + count,
                "close": 101.0 + count,
                "volume": 1.0 + count,
            }
        ).astype({"symbol": "str"})

    return build
