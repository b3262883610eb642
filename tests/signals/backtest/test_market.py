import numpy as np
import pandas as pd
import pytest

from fleet_kedro.signals.backtest.market import market_of

NAN = float("nan")


@pytest.fixture
def market(panel):
    """A has a filled hour and a second segment; B is listed late and leaves early."""
    a = [
        (0, 10, 12, 9, 11, False, 0),
        (1, 11, 11, 11, 11, True, 0),
        (2, 12, 13, 11, 13, False, 0),
        (5, 20, 21, 19, 20, False, 1),
        (6, 20, 22, 20, 22, False, 1),
    ]
    b = [(2, 5, 6, 4, 5.5), (3, 5.5, 6, 5, 6)]
    return market_of(panel({"B": b, "A": a}))


class TestKnownValues:
    def test_every_hour_has_a_row_and_every_asset_a_column(self, market):
        assert market.shape == (7, 2)
        assert market.assets == ("A", "B")
        assert market.hours[6] - market.hours[0] == pd.Timedelta(hours=6)
        np.testing.assert_array_equal(market.open[:, 0], [10, 11, 12, NAN, NAN, 20, 20])
        np.testing.assert_array_equal(market.low[:, 1], [NAN, NAN, 4, 5, NAN, NAN, NAN])

    def test_only_real_candles_can_be_traded(self, market):
        np.testing.assert_array_equal(market.is_tradable[:, 0], [1, 0, 1, 0, 0, 1, 1])
        np.testing.assert_array_equal(market.is_tradable[:, 1], [0, 0, 1, 1, 0, 0, 0])

    def test_a_segment_starts_with_its_first_real_candle(self, market):
        np.testing.assert_array_equal(market.is_start[:, 0], [1, 0, 0, 0, 0, 1, 0])
        np.testing.assert_array_equal(market.is_start[:, 1], [0, 0, 1, 0, 0, 0, 0])

    def test_marks_are_the_last_price_that_there_was(self, market):
        np.testing.assert_array_equal(
            market.closing_marks[:, 0], [11, 11, 13, 13, 13, 20, 22]
        )
        np.testing.assert_array_equal(
            market.closing_marks[:, 1], [0, 0, 5.5, 6, 6, 6, 6]
        )
        np.testing.assert_array_equal(
            market.opening_marks[:, 0], [10, 11, 12, 13, 13, 20, 20]
        )


class TestErrors:
    def test_no_candles(self, panel):
        with pytest.raises(ValueError, match="no candles to trade on"):
            market_of(panel({"A": [(0, 1, 1, 1, 1)]}).iloc[:0])
