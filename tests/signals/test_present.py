"""What is known now, of a fleet that may be incomplete."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from fleet_kedro.features.newest import TAIL_BARS
from fleet_kedro.market.dominance import DominancePolicy
from fleet_kedro.market.schema import BAR
from fleet_kedro.signals.present import ServingSettings, take_present

SERVING = ServingSettings(stage="latest", clock="candles")
LIVE = ServingSettings(stage="prod", clock="now")
POLICY = DominancePolicy()


@pytest.fixture(scope="module")
def candles(walk_with):
    panel, _ = walk_with(folds=2, fold_hours=300)
    return {
        str(asset): own.reset_index(drop=True) for asset, own in panel.groupby("asset")
    }


def dominance_from(first: pd.Timestamp, source: str = "one") -> pd.DataFrame:
    days = pd.date_range(first, periods=60, freq="D", unit="us")
    return pd.concat(
        pd.DataFrame(
            {
                "timestamp": days,
                "series": series,
                "dominance_pct": low + np.arange(60.0),
                "source": source,
                "available_at": days + pd.Timedelta(days=1),
            }
        )
        for series, low in (("BTC.D", 20.0), ("USDT.D", 1.0))
    )


def take(candles, assets=("BTC", "ETH", "SOL"), dominance=None, serving=SERVING):
    return take_present(candles, assets, dominance, POLICY, serving)


def test_each_asset_is_read_at_its_own_last_candle(candles):
    behind = candles | {"ETH": candles["ETH"].iloc[:-7]}
    present = take(behind)
    closes = [own["close"].iloc[-1] for own in behind.values()]

    np.testing.assert_array_equal(present.at_newest(present.market.close), [closes])
    assert present.now == candles["BTC"]["timestamp"].iloc[-1] + BAR


def test_the_order_is_that_of_the_fleet_and_strangers_are_left_out(candles):
    present = take(candles, assets=("SOL", "DOGE", "BTC"))
    closes = [
        candles["SOL"]["close"].iloc[-1],
        np.nan,
        candles["BTC"]["close"].iloc[-1],
    ]

    assert list(present.candles) == ["SOL", "BTC"]
    np.testing.assert_array_equal(present.at_newest(present.market.close), [closes])


def test_only_the_tail_is_taken(candles):
    long = candles["BTC"]
    repeats = -(-(TAIL_BARS + 5) // len(long))
    stretched = pd.concat([long] * repeats, ignore_index=True)
    hours = long["timestamp"].iloc[0] + BAR * np.arange(len(stretched))
    stretched = stretched.assign(timestamp=pd.DatetimeIndex(hours).as_unit("us"))
    present = take({"BTC": stretched}, assets=("BTC",))

    assert len(present.candles["BTC"]) == TAIL_BARS
    assert present.candles["BTC"].index[0] == 0
    assert present.now == stretched["timestamp"].iloc[-1] + BAR


def test_a_tail_that_is_too_short_is_refused():
    with pytest.raises(ValidationError, match=f"greater than or equal to {TAIL_BARS}"):
        ServingSettings(stage="latest", clock="now", tail_bars=TAIL_BARS - 1)


class TestClock:
    def test_now_is_this_machines_time(self, candles):
        before = pd.Timestamp.now("UTC")
        present = take(candles, serving=LIVE)

        assert before <= present.now <= pd.Timestamp.now("UTC")

    @pytest.mark.parametrize("serving", [SERVING, LIVE])
    def test_without_a_candle_there_still_is_a_time(self, serving):
        before = pd.Timestamp.now("UTC")
        present = take({}, serving=serving)

        assert before <= present.now
        assert present.market is None
        assert present.dominance_pct == pytest.approx((np.nan, np.nan), nan_ok=True)
        assert np.isnan(present.at_newest(np.zeros((0, 0)))).all()


class TestDominance:
    def test_shares_are_those_that_were_published_by_now(self, candles):
        start = candles["BTC"]["timestamp"].iloc[0].floor("D")
        present = take(candles, dominance=dominance_from(start))
        days = (present.now - start) // pd.Timedelta(days=1) - 1

        assert present.dominance_pct == (1.0 + days, 20.0 + days)
        assert present.notices == ()

    def test_candles_of_the_future_bring_no_share_of_the_future(self, candles):
        """The clock is right and the candles are not."""
        start = candles["BTC"]["timestamp"].iloc[0].floor("D")
        present = take(candles, dominance=dominance_from(start))
        early = present._replace(now=start + pd.Timedelta(hours=49))

        assert early.dominance_pct == (2.0, 21.0)

    def test_no_table(self, candles):
        present = take(candles)

        assert np.isnan(present.dominance_pct).all()
        assert present.notices == ("There is no table of dominance.",)

    def test_two_sources(self, candles):
        start = candles["BTC"]["timestamp"].iloc[0]
        both = pd.concat([dominance_from(start), dominance_from(start, "another")])
        present = take(candles, dominance=both)

        assert np.isnan(present.dominance_pct).all()
        assert "must not be mixed" in present.notices[0]
