import pandas as pd
import pytest
from pydantic import ValidationError

from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.window import Window, select


class TestKnownValues:
    def test_the_window_ends_with_its_last_candle(self, candles_at):
        chosen = select({"BTC": candles_at(range(96))}, Window(days=2, warmup_days=1))

        hours = chosen.candles["BTC"]["timestamp"]
        assert len(hours) == 72
        assert chosen.start == pd.Timestamp("2023-01-03 00:00", tz="UTC")
        assert chosen.end == pd.Timestamp("2023-01-04 23:00", tz="UTC")
        assert hours.iloc[0] == chosen.start - pd.Timedelta(days=1)
        assert hours.iloc[-1] == chosen.end

    @pytest.mark.parametrize(
        "end", ["2023-01-02T23:00", "2023-01-02T23:00:00", "2023-01-02T23:00:00Z"]
    )
    def test_an_end_may_be_spelt_in_several_ways(self, candles_at, end):
        chosen = select({"BTC": candles_at(range(96))}, Window(days=1, end=end))
        stamps = chosen.candles["BTC"]["timestamp"]
        assert stamps.iloc[[0, -1]].dt.hour.tolist() == [0, 23]
        assert stamps.iloc[-1] == pd.Timestamp("2023-01-02 23:00", tz="UTC")

    def test_missing_warm_up_is_allowed(self, candles_at):
        chosen = select({"BTC": candles_at(range(24))}, Window(days=1, warmup_days=60))
        assert len(chosen.candles["BTC"]) == 24
        assert chosen.left_out == {}

    def test_a_gap_inside_the_window_does_not_matter(self, candles_at):
        hours = [0, *range(20, 24)]
        chosen = select({"BTC": candles_at(hours)}, Window(days=1))
        assert len(chosen.candles["BTC"]) == 5


class TestPointInTime:
    """Two days of BTC; whoever has one of them takes part, when asked for one."""

    WINDOW = Window(days=2, min_history_days=1)

    def test_a_late_listing_takes_part_with_the_candles_it_has(self, candles_at):
        fleet = {"BTC": candles_at(range(48)), "SOL": candles_at(range(24, 48))}

        chosen = select(fleet, self.WINDOW)

        assert chosen.left_out == {}
        assert len(chosen.candles["SOL"]) == 24
        assert chosen.start == pd.Timestamp("2023-01-01", tz="UTC")

    def test_a_delisted_asset_stays_in_history(self, candles_at):
        fleet = {"BTC": candles_at(range(48)), "LUNA": candles_at(range(30))}
        assert len(select(fleet, self.WINDOW).candles["LUNA"]) == 30

    def test_an_hour_too_few_leaves_out(self, candles_at):
        fleet = {"BTC": candles_at(range(48)), "SOL": candles_at(range(25, 48))}

        assert select(fleet, self.WINDOW).left_out == {
            "SOL": "SOL is left out: its candles from 2023-01-02 01:00 to 2023-01-02 "
            "23:00 span 0 days of the window, and 1 are needed."
        }

    def test_candles_outside_the_window_do_not_count(self, candles_at):
        fleet = {"BTC": candles_at(range(96)), "OLD": candles_at(range(60))}
        chosen = select(fleet, Window(days=2, min_history_days=1, warmup_days=2))
        assert list(chosen.left_out) == ["OLD"]

    def test_without_the_number_the_whole_window_is_demanded(self, candles_at):
        fleet = {"BTC": candles_at(range(48)), "SOL": candles_at(range(1, 48))}
        assert list(select(fleet, Window(days=2)).left_out) == ["SOL"]

    def test_more_history_than_the_window_has_is_refused(self):
        with pytest.raises(ValidationError, match="min_history_days=3 is more than"):
            Window(days=2, min_history_days=3)


class TestLeftOut:
    def test_a_late_listing_is_left_out_and_the_fleet_goes_on(self, candles_at):
        fleet = {"BTC": candles_at(range(48)), "SOL": candles_at(range(10, 48))}

        chosen = select(fleet, Window(days=2))

        assert list(chosen.candles) == ["BTC"]
        assert chosen.left_out == {
            "SOL": "SOL is left out: its first candle is 2023-01-01 10:00, after the "
            "window's start 2023-01-01 00:00."
        }

    def test_an_early_end_is_left_out(self, candles_at):
        fleet = {"BTC": candles_at(range(48)), "MATIC": candles_at(range(47))}
        chosen = select(fleet, Window(days=1))
        assert list(chosen.candles) == ["BTC"]
        assert "its last candle is 2023-01-02 22:00" in chosen.left_out["MATIC"]

    def test_an_asset_without_candles_is_left_out(self, candles_at):
        fleet = {"BTC": candles_at(range(24)), "NEW": candles_at([])}
        chosen = select(fleet, Window(days=1))
        assert chosen.left_out == {"NEW": "NEW is left out: it has no candles."}


class TestErrors:
    def test_a_window_longer_than_the_data_names_the_longest(self, candles_at):
        fleet = {"BTC": candles_at(range(73)), "SOL": candles_at(range(30, 73))}
        with pytest.raises(
            MarketError,
            match=r"\(5000 days\) is not covered .* from 2023-01-01 00:00 to "
            r"2023-01-04 00:00; choose days <= 3 or another end\.",
        ):
            select(fleet, Window(days=5000))

    def test_the_longest_window_it_names_is_covered(self, candles_at):
        chosen = select({"BTC": candles_at(range(73))}, Window(days=3))
        assert list(chosen.candles) == ["BTC"]

    @pytest.mark.parametrize("end", ["2030-01-01", "2019-01-01"])
    def test_an_end_outside_the_data_names_their_span(self, candles_at, end):
        with pytest.raises(
            MarketError,
            match=r"choose an end after 2023-01-01 00:00 and up to 2023-01-02 23:00",
        ):
            select({"BTC": candles_at(range(48))}, Window(days=1, end=end))

    def test_a_market_without_a_candle_is_refused(self, candles_at):
        with pytest.raises(MarketError, match="No asset has a single candle"):
            select({"BTC": candles_at([])}, Window(days=1))

    def test_an_end_between_two_candles_is_refused(self):
        with pytest.raises(ValidationError, match="no open time of an hourly candle"):
            Window(days=1, end="2023-01-01T00:30")

    def test_no_days_are_refused(self):
        with pytest.raises(ValidationError, match="days"):
            Window(days=0)
