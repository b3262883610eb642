"""The synthetic market as a user meets it: what it hands over and what it promises."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy.special import ndtri

from fleet_kedro.market.cleaning import clean_candles
from fleet_kedro.market.errors import MarketError
from fleet_kedro.market.gaps import GapPolicy
from fleet_kedro.market.schema import (
    CleanCandles,
    Dominance,
    PlantedTruth,
    RawCandles,
)
from fleet_kedro.market.source import MarketSource
from fleet_kedro.market.synthetic import FIRST_CANDLE, LAST_CANDLE, SyntheticMarket
from fleet_kedro.market.universe import Universe
from fleet_kedro.market.window import Window, select

FLEET = Universe(assets=["BTC", "ETH", "SOL"])
EARLY = Window(days=30, end="2019-12-31T23:00")


def synthetic(**changes: object) -> SyntheticMarket:
    block = {"seed": 7, "edge": 0.1, "horizon_bars": 12, "round_trip_cost": 0.002}
    return SyntheticMarket(**(block | changes))


def upper_wick_share(candles: pd.DataFrame) -> pd.Series:
    upper = candles["high"] - candles[["open", "close"]].max(axis=1)
    lower = candles[["open", "close"]].min(axis=1) - candles["low"]
    return upper / (upper + lower)


@pytest.fixture(scope="module")
def market():
    return synthetic().generate(FLEET, EARLY)


class TestShape:
    def test_every_frame_keeps_its_schema(self, market):
        assert list(market.candles) == ["BTC", "ETH", "SOL"]
        for candles in market.candles.values():
            RawCandles.validate(candles)
        PlantedTruth.validate(market.truth)
        Dominance.validate(market.dominance)
        CleanCandles.validate(clean_candles(market.candles, GapPolicy()))

    def test_the_truth_speaks_of_every_candle_and_of_no_other(self, market):
        candles = pd.concat(
            frame.assign(asset=asset) for asset, frame in market.candles.items()
        ).sort_values(["timestamp", "asset"], ignore_index=True)
        keys = ["timestamp", "asset"]
        pd.testing.assert_frame_equal(candles[keys], market.truth[keys])

    def test_a_candle_opens_where_the_one_before_closed(self, market):
        candles = market.candles["BTC"]
        is_next = candles["timestamp"].diff() == pd.Timedelta(hours=1)
        before = candles["close"].shift()
        assert is_next.sum() > 8000
        assert (candles["open"] == before)[is_next].all()

    def test_dominance_is_available_a_day_after_its_day_begins(self, market):
        delay = market.dominance["available_at"] - market.dominance["timestamp"]
        assert (delay == pd.Timedelta(days=1)).all()
        counts = market.dominance["series"].value_counts()
        assert counts.to_dict() == {"BTC.D": 365, "USDT.D": 365}

    def test_outages_are_short_and_hit_the_whole_exchange(self):
        candles = synthetic(outages_per_year=100.0).generate(FLEET, EARLY).candles
        gaps = candles["BTC"]["timestamp"].diff().dropna() - pd.Timedelta(hours=1)
        missing = gaps[gaps > pd.Timedelta(0)] // pd.Timedelta(hours=1)
        assert 60 < len(missing) < 140
        assert missing.median() <= 4
        pd.testing.assert_series_equal(
            candles["BTC"]["timestamp"], candles["SOL"]["timestamp"]
        )

    def test_the_default_end_is_the_last_candle(self):
        market = synthetic().generate(Universe(assets=["BTC"]), Window(days=1))
        stamps = market.candles["BTC"]["timestamp"]
        assert stamps.iloc[[0, -1]].tolist() == [FIRST_CANDLE, LAST_CANDLE]

    def test_a_window_finds_its_last_candle_even_in_an_outage(self):
        stormy, alone = synthetic(outages_per_year=1000.0), Universe(assets=["BTC"])
        stamps = stormy.generate(alone, EARLY).candles["BTC"]["timestamp"]
        missing = pd.date_range(FIRST_CANDLE, EARLY.end, freq="h").difference(stamps)
        assert len(missing) > 1000
        for hour in missing[1000:1010]:
            window = Window(days=2, end=hour.to_pydatetime())
            market = stormy.generate(alone, window)
            assert select(market.candles, window).end == hour


class TestPromises:
    def test_the_same_seed_gives_the_same_bytes(self, market):
        again = synthetic().generate(FLEET, EARLY)
        pd.testing.assert_frame_equal(market.truth, again.truth, check_exact=True)
        for asset, candles in market.candles.items():
            pd.testing.assert_frame_equal(
                candles, again.candles[asset], check_exact=True
            )

    def test_another_seed_gives_another_market(self, market):
        other = synthetic(seed=8).generate(FLEET, EARLY)
        assert (
            market.candles["BTC"]["close"].iloc[-1]
            != (other.candles["BTC"]["close"].iloc[-1])
        )

    def test_the_rest_of_the_fleet_does_not_matter(self, market):
        alone = synthetic().generate(Universe(assets=["SOL", "DOGE"]), EARLY)
        pd.testing.assert_frame_equal(
            market.candles["SOL"], alone.candles["SOL"], check_exact=True
        )
        of_sol = market.truth.loc[market.truth["asset"] == "SOL"]
        pd.testing.assert_frame_equal(
            of_sol.reset_index(drop=True),
            alone.truth.loc[alone.truth["asset"] == "SOL"].reset_index(drop=True),
            check_exact=True,
        )

    @pytest.mark.parametrize(
        ("changes", "end"),
        [({}, "2020-03-01T05:00"), ({"horizon_bars": 24}, "2019-12-31T23:00")],
        ids=["a later end", "a longer horizon"],
    )
    def test_it_changes_no_candle_that_was_there(self, market, changes, end):
        longer = synthetic(**changes).generate(FLEET, Window(days=5, end=end))
        for asset, candles in market.candles.items():
            pd.testing.assert_frame_equal(
                longer.candles[asset].iloc[: len(candles)], candles, check_exact=True
            )

    def test_a_contrarian_shows_the_same_driver_and_does_the_opposite(self, market):
        contrary = synthetic(contrarian_assets=["SOL"]).generate(FLEET, EARLY)
        np.testing.assert_allclose(
            upper_wick_share(contrary.candles["SOL"]),
            upper_wick_share(market.candles["SOL"]),
            rtol=1e-6,
        )
        assert _driver_correlation(market, "SOL") > 0.5
        assert _driver_correlation(contrary, "SOL") < -0.5

    def test_without_edge_the_probability_ignores_the_driver(self):
        null = synthetic(edge=0.0).generate(FLEET, EARLY)
        # About 8,700 persistent rows: noise alone stays within ten per cent or so.
        assert abs(_driver_correlation(null, "SOL")) < 0.15

    def test_volume_goes_with_volatility_and_volatility_clusters(self, market):
        candles = market.candles["BTC"]
        size = np.log(candles["close"] / candles["open"]).abs()
        assert size.corr(candles["volume"], method="spearman") > 0.3
        assert size.autocorr(1) > 0.1
        by_hour = size.groupby(candles["timestamp"].dt.hour).mean()
        assert by_hour.loc[13:17].mean() > 1.2 * by_hour.loc[1:5].mean()


def _driver_correlation(market, asset: str) -> float:
    """Rank correlation of the stored probability with the driver seen in the wicks."""
    truth = market.truth.loc[market.truth["asset"] == asset, "probability"]
    driver = ndtri(upper_wick_share(market.candles[asset]))
    return float(pd.Series(driver).corr(truth.reset_index(drop=True), "spearman"))


class TestSource:
    def test_kind_chooses_the_source(self, market):
        block = {"kind": "synthetic", **synthetic().model_dump(exclude={"kind"})}
        loaded = MarketSource(source=block).load(FLEET, EARLY)
        pd.testing.assert_frame_equal(loaded.candles["ETH"], market.candles["ETH"])

    def test_files_are_a_kind_too(self, tmp_path):
        source = MarketSource(source={"kind": "files", "folder": str(tmp_path)})
        with pytest.raises(MarketError, match="holds no hourly candle files"):
            source.load(FLEET, EARLY)

    def test_an_unknown_kind_is_named(self):
        with pytest.raises(ValidationError, match="oracle"):
            MarketSource(source={"kind": "oracle"})


class TestErrors:
    def test_an_end_before_the_market_opens(self):
        with pytest.raises(MarketError, match="opens at 2019-01-01 00:00, after the"):
            synthetic().generate(FLEET, Window(days=1, end="2018-12-31T23:00"))

    def test_a_window_longer_than_the_market(self):
        window = Window(days=5000)
        with pytest.raises(MarketError, match="choose days <= 1826 or another end"):
            select(synthetic().generate(FLEET, window).candles, window)

    @pytest.mark.parametrize("change", [{"edge": -0.1}, {"seed": -1}, {"edges": 0.1}])
    def test_an_impossible_parameter_is_refused(self, change):
        with pytest.raises(ValidationError):
            synthetic(**change)
