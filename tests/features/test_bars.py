import numpy as np
import pandas as pd
import pytest

from fleet_kedro.features.bars import (
    VOLATILITY_FLOOR,
    scaled_warmup,
    segment_bars,
)
from fleet_kedro.features.context import MarketContext


class TestKnownValues:
    def test_returns_are_log_differences_and_the_first_is_unknown(self, make_bars):
        bars = make_bars(close=[100.0, 110.0, 99.0])
        # The greatest power of two below 100 is 64.
        expected = np.log([100 / 64, 110 / 64, 99 / 64])
        np.testing.assert_allclose(bars.log_close, expected)
        np.testing.assert_allclose(
            bars.log_return, [np.nan, np.log(1.1), np.log(0.9)], rtol=1e-13
        )

    def test_true_range_reaches_to_the_close_before(self, make_bars):
        bars = make_bars(
            close=[100.0, 120.0], open=[100.0, 118.0], high=[101, 121], low=[99, 117]
        )
        assert np.isnan(bars.true_range[0])
        assert bars.true_range[1] == pytest.approx((121 - 100) / 64)

    def test_volume_is_relative_to_the_first_that_was_traded(self, make_bars):
        bars = make_bars(close=np.ones(4), volume=[0.0, 0.0, 4.0, 6.0])
        np.testing.assert_array_equal(bars.relative_volume, [0.0, 0.0, 1.0, 1.5])

    def test_untraded_segment_has_no_volume(self, make_bars):
        bars = make_bars(close=np.ones(3))
        np.testing.assert_array_equal(bars.relative_volume, np.zeros(3))

    def test_volatility_is_the_rms_return_of_21_bars_at_least(self, random_bars):
        expected = np.sqrt(np.mean(random_bars.log_return[10:31] ** 2))
        assert random_bars.volatility(5)[30] == pytest.approx(expected, rel=1e-13)
        assert np.isfinite(random_bars.volatility(5)).argmax() == scaled_warmup(5) == 21
        assert np.isfinite(random_bars.volatility(34)).argmax() == scaled_warmup(34)

    def test_volatility_of_a_flat_window_is_one_basis_point(self, make_bars):
        volatility = make_bars(close=np.full(30, 2.0)).volatility(8)
        assert (volatility[21:] == VOLATILITY_FLOOR).all()


class TestSegments:
    def test_each_segment_starts_anew(self, panel):
        own = panel.loc[panel["asset"] == "DOGE"]
        segments = dict(segment_bars(own, MarketContext.from_panel(panel)))
        assert list(segments) == [0, 1]
        assert len(segments[0]) + len(segments[1]) == len(own)
        assert np.isnan(segments[1].log_return[0])
        assert 1.0 <= segments[1].relative_close[0] < 2.0

    def test_moves_that_are_equal_stay_equal_wherever_a_segment_begins(self, make_bars):
        # In units of the first close, rounding would part them: (x + 0.07) - x varies.
        close = np.array([0.0731, 0.0738, 0.0731, 0.0738, 0.0745])
        for start in range(2):
            bars = make_bars(close=close[start:])
            np.testing.assert_array_equal(
                bars.relative_close * bars.price_unit, close[start:]
            )
            moves = np.abs(np.diff(bars.relative_close))[-3:-1]
            assert moves[0] == moves[1]

    def test_candles_arrive_as_they_are(self, panel):
        own = panel.loc[panel["asset"] == "ETH"]
        ((_, bars),) = segment_bars(own, MarketContext.from_panel(panel))
        for name in ("open", "high", "low", "close", "volume"):
            np.testing.assert_array_equal(getattr(bars, name), own[name])
        assert bars.is_filled.sum() == 1
        assert bars.timestamp.dtype == "datetime64[us]"
        assert pd.Timestamp(bars.timestamp[0], tz="UTC") == own["timestamp"].iloc[0]
