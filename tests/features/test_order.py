"""The orders of a fleet: which candles they may look at."""

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.features.fractional import (
    FractionalDifference,
    smallest_stationary_order,
)
from fleet_kedro.features.order import fractional_orders

CONFIG = FractionalDifference(max_window_bars=60, min_adf_bars=250)
START = pd.Timestamp("2023-01-01", tz="UTC")
UNTIL = START + pd.Timedelta(hours=900)
N_BARS = 1200


def candles(
    asset: str, seed: int, borders: tuple[int, ...] = (), reversion: float = 0.02
) -> pd.DataFrame:
    """A mean-reverting log price; each of ``borders`` begins a segment."""
    rng = np.random.default_rng(seed)
    log_price = np.zeros(N_BARS)
    for t in range(1, N_BARS):
        log_price[t] = (1 - reversion) * log_price[t - 1] + 0.01 * rng.normal()
    return pd.DataFrame(
        {
            "timestamp": pd.date_range(START, periods=N_BARS, freq="h", unit="us"),
            "close": 100.0 * np.exp(log_price),
            "asset": asset,
            "segment": np.searchsorted(borders, np.arange(N_BARS), side="right"),
        }
    )


def panel(*assets: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(assets).sort_values(["timestamp", "asset"]).reset_index(drop=True)


def order_of(own: pd.DataFrame, first: int, after_last: int) -> float:
    """The order chosen on those bars alone."""
    close = own["close"].to_numpy()[first:after_last]
    return smallest_stationary_order(np.log(close), CONFIG)


class TestAgainstSlowReference:
    def test_each_asset_is_given_its_own_candles_before_the_border(self) -> None:
        btc = candles("BTC", seed=1, reversion=0.001)
        eth = candles("ETH", seed=2, reversion=0.02)
        orders = fractional_orders(panel(btc, eth), UNTIL, CONFIG)
        assert orders == {
            "BTC": order_of(btc, 0, 900),
            "ETH": order_of(eth, 0, 900),
        }
        assert orders["ETH"] < orders["BTC"]

    def test_the_longest_segment_before_the_border_is_taken(self) -> None:
        # 200, 400, 300 bars before the border; the last goes on to 600 after it.
        own = candles("BTC", seed=3, borders=(200, 600))
        chosen = fractional_orders(own, UNTIL, CONFIG)
        assert chosen == {"BTC": order_of(own, 200, 600)}
        assert chosen != {"BTC": order_of(own, 600, 1200)}

    def test_the_later_of_two_equal_segments_is_taken(self) -> None:
        own = candles("BTC", seed=3, borders=(450,))
        chosen = fractional_orders(own, UNTIL, CONFIG)
        assert chosen == {"BTC": order_of(own, 450, 900)}
        assert chosen != {"BTC": order_of(own, 0, 450)}


class TestProperties:
    def test_later_candles_change_nothing(self) -> None:
        own = candles("BTC", seed=4)
        orders = fractional_orders(own, UNTIL, CONFIG)
        later = own["timestamp"] >= UNTIL
        noise = np.exp(np.random.default_rng(0).normal(size=N_BARS))
        other = own.assign(close=own["close"].where(~later, own["close"] * noise))
        assert fractional_orders(other, UNTIL, CONFIG) == orders
        assert fractional_orders(own.loc[~later], UNTIL, CONFIG) == orders

    def test_the_last_candle_before_the_border_counts(self) -> None:
        own = candles("BTC", seed=4)
        last = own["timestamp"] == UNTIL - pd.Timedelta(hours=1)
        moved = own.assign(close=own["close"].where(~last, 1e3 * own["close"]))
        before = fractional_orders(own, UNTIL, CONFIG)
        assert fractional_orders(moved, UNTIL, CONFIG) != before

    def test_the_input_is_untouched(self) -> None:
        own = candles("BTC", seed=5)
        copy = own.copy()
        fractional_orders(own, UNTIL, CONFIG)
        pd.testing.assert_frame_equal(own, copy)


class TestErrors:
    def test_a_short_calibration_names_the_asset_and_the_remedy(self) -> None:
        btc = candles("BTC", seed=1)
        eth = candles("ETH", seed=2, borders=(300, 600))
        message = "ETH has no more than 300 candles .* takes 309: .* leave ETH out"
        with pytest.raises(ValueError, match=message):
            fractional_orders(panel(btc, eth), UNTIL, CONFIG)

    def test_an_asset_listed_after_the_border_is_named_too(self) -> None:
        btc, sol = candles("BTC", seed=1), candles("SOL", seed=2)
        listed_late = panel(btc, sol.loc[sol["timestamp"] >= UNTIL])
        with pytest.raises(ValueError, match="SOL has no more than 0 candles"):
            fractional_orders(listed_late, UNTIL, CONFIG)
