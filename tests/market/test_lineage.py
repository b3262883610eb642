import numpy as np
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


class TestHistories:
    def test_a_redenomination_under_one_symbol_leaves_no_jump(self, candles_at):
        """From hour 3 on a coin is worth a thousand old ones, under the old name."""
        listed = candles_at(range(6))
        prices = ["open", "high", "low", "close"]
        new_per_old = np.where(listed.index >= 3, 1000.0, 1.0)
        listed[prices] = listed[prices].mul(new_per_old, axis=0)
        listed["volume"] /= new_per_old
        lineage = Lineage(
            listings=(
                {"symbol": "XUSDT", "until": "2023-01-01T03:00", "ratio": 1000.0},
                {"symbol": "XUSDT", "since": "2023-01-01T03:00"},
            )
        )

        series = stitch(lineage.listings, {"XUSDT": listed})

        truth = candles_at(range(6))
        assert series["close"].tolist() == (truth["close"] * 1000).tolist()
        assert series["volume"].tolist() == (truth["volume"] / 1000).tolist()

    def test_a_delisted_asset_ends_and_keeps_its_past(self, candles_at):
        lineage = Lineage(listings=({"symbol": "LUNA", "until": "2023-01-01T04:00"},))
        series = stitch(lineage.listings, {"LUNA": candles_at(range(9))})
        assert series["timestamp"].dt.hour.tolist() == [0, 1, 2, 3]

    def test_a_late_listing_begins_when_it_was_listed(self, candles_at):
        """What traded under the symbol before was another coin."""
        lineage = Lineage(listings=({"symbol": "NEW", "since": "2023-01-01T06:00"},))
        series = stitch(lineage.listings, {"NEW": candles_at(range(9))})
        assert series["timestamp"].dt.hour.tolist() == [6, 7, 8]

    def test_three_names_make_one_series(self, candles_at):
        lineage = Lineage(
            listings=(
                {"symbol": "A", "until": "2023-01-01T02:00"},
                {"symbol": "B", "since": "2023-01-01T02:00", "until": "2023-01-01T04"},
                {"symbol": "C", "since": "2023-01-01T05:00"},
            )
        )
        every = {name: candles_at(range(7)) for name in "ABC"}

        series = stitch(lineage.listings, every)

        assert series["symbol"].tolist() == [*"AABBCC"]
        assert series["timestamp"].dt.hour.tolist() == [0, 1, 2, 3, 5, 6]

    def test_an_asset_without_candles_is_an_empty_series(self):
        series = stitch(Lineage(**MATIC).listings, {})
        RawCandles.validate(series)
        assert series.empty


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
