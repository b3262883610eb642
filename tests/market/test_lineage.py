import pandas as pd
import pytest
from pydantic import ValidationError

from fleet_kedro.market.lineage import Lineage, Listing, stitch
from fleet_kedro.market.schema import RawCandles

MATIC = {
    "listings": [
        {"symbol": "MATICUSDT", "until": "2023-01-01T03:00"},
        {"symbol": "POLUSDT", "since": "2023-01-01T05:00:00", "ratio": 4.0},
    ]
}


class TestKnownValues:
    def test_each_symbol_serves_while_it_is_listed(self, candles_at):
        both = {"MATICUSDT": candles_at(range(8)), "POLUSDT": candles_at(range(8))}

        series = stitch(Lineage(**MATIC).listings, both)

        RawCandles.validate(series)
        assert series["timestamp"].dt.hour.tolist() == [0, 1, 2, 5, 6, 7]
        assert series["symbol"].tolist() == ["MATICUSDT"] * 3 + ["POLUSDT"] * 3

    def test_a_ratio_turns_prices_and_volume_into_canonical_units(self, candles_at):
        # One old coin became four new ones: a new coin costs a quarter of an old one.
        new = candles_at([5])
        series = stitch(Lineage(**MATIC).listings, {"POLUSDT": new})

        assert series["close"].tolist() == [4 * new["close"].iloc[0]]
        assert series["volume"].tolist() == [new["volume"].iloc[0] / 4]


class TestProperties:
    def test_turnover_does_not_depend_on_the_ratio(self, candles_at):
        listing = Listing(symbol="A", ratio=1000.0)
        series = stitch((listing,), {"A": candles_at(range(5))})
        plain = candles_at(range(5))
        pd.testing.assert_series_equal(
            series["close"] * series["volume"], plain["close"] * plain["volume"]
        )

    def test_rows_with_one_stamp_keep_their_order(self, candles_at):
        shuffled = candles_at([2, 0, 2, 1])
        series = stitch((Listing(symbol="A"),), {"A": shuffled})
        assert series["timestamp"].dt.hour.tolist() == [0, 1, 2, 2]
        assert series["open"].tolist() == [101.0, 103.0, 100.0, 102.0]

    def test_leaves_its_input_alone(self, candles_at):
        given = candles_at([1, 0])
        stitch((Listing(symbol="A", ratio=2.0),), {"A": given})
        pd.testing.assert_frame_equal(given, candles_at([1, 0]))


class TestErrors:
    def test_overlap_is_named(self):
        with pytest.raises(ValidationError, match="OLD lasts until 2023-01-02 00:00"):
            Lineage(
                listings=[
                    Listing(symbol="OLD", until="2023-01-02"),
                    Listing(symbol="NEW", since="2023-01-01"),
                ]
            )

    def test_an_open_end_before_a_successor_is_named(self):
        with pytest.raises(ValidationError, match="OLD is followed by NEW"):
            Lineage(listings=[Listing(symbol="OLD"), Listing(symbol="NEW")])

    def test_an_end_before_the_beginning_is_named(self):
        with pytest.raises(ValidationError, match="until must be later"):
            Listing(symbol="A", since="2023-01-02", until="2023-01-01")

    @pytest.mark.parametrize("ratio", [0.0, -1.0, float("inf")])
    def test_ratio_must_be_positive_and_finite(self, ratio):
        with pytest.raises(ValidationError, match="ratio"):
            Listing(symbol="A", ratio=ratio)
