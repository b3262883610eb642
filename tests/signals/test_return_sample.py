"""Strengths of forecasts, and what a factor on their thresholds comes to."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.signals.backtest.market import market_of
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.expectation import ExpectedReturns
from fleet_kedro.signals.objective import Thresholds, appraise, sample_of
from fleet_kedro.signals.return_sample import strength_sample, strength_table
from fleet_kedro.signals.spread import place
from fleet_kedro.signals.walked_history import Prospects

COST = 0.002


def draw_rows(seed: int, n_rows: int = 300, gap: int = 3) -> pd.DataFrame:
    """One asset's rows at hours with gaps, some strengths equal to each other."""
    rng = np.random.default_rng(seed)
    hours = np.cumsum(rng.integers(1, gap + 1, n_rows))
    start = pd.Timestamp("2023-01-01", tz="UTC").as_unit("us")
    return pd.DataFrame(
        {
            "timestamp": start + pd.to_timedelta(hours, unit="h").as_unit("us"),
            "strength": np.round(rng.normal(0.5, 1.0, n_rows), 1),
            "forward_return": rng.normal(0.001, 0.02, n_rows),
        }
    )


@pytest.fixture(scope="module")
def walk(walk_with):
    return walk_with()


@pytest.fixture(scope="module")
def market(walk):
    return market_of(walk[0])


class TestAgainstSlowReference:
    @given(
        seed=st.integers(0, 10_000),
        horizon=st.sampled_from([1, 2, 5, 12]),
        factor=st.sampled_from([0.1, 0.5, 1.0, 1.25, 2.0, 9.0]),
    )
    @settings(max_examples=40, deadline=None)
    def test_it_is_the_appraisal_of_the_rows_that_reach_the_factor(
        self, seed, horizon, factor
    ):
        rows = draw_rows(seed)
        label = Label(horizon_bars=horizon, round_trip_cost=COST)
        told = strength_sample(rows, label).appraise(factor, horizon, 20.0)
        by_rank = sample_of(rows.assign(rank=rows["strength"], probability=0.5), label)
        slow = appraise(by_rank, Thresholds(factor), horizon, 20.0)

        assert told._asdict() == pytest.approx(slow._asdict(), nan_ok=True)

    def test_the_order_of_the_rows_does_not_matter(self):
        rows = draw_rows(1)
        label = Label(horizon_bars=12, round_trip_cost=COST)
        one = strength_sample(rows, label).appraise(1.0, 12, 20.0)
        other = strength_sample(rows.iloc[::-1], label).appraise(1.0, 12, 20.0)

        assert one._asdict() == pytest.approx(other._asdict())


class TestTable:
    @staticmethod
    def prospects(market, expected_return, first=0):
        nothing = np.full(market.shape, np.nan)
        expected = ExpectedReturns.of(
            np.full(market.shape, expected_return), nothing, nothing
        )
        return Prospects(expected, np.full(market.shape, 2.0), first, len(market.hours))

    def table(self, walk, market, expected_return, *, shorts=False, first=0):
        rules = SignalSettings.model_validate(
            {
                "threshold": {"stated": {"BTC": 0.004}},
                "allocation": {"allows_short": shorts},
            }
        )
        known = self.prospects(market, expected_return, first)
        return strength_table(walk[1], known, market, rules)

    def test_strength_counts_default_thresholds(self, walk, market):
        rows = self.table(walk, market, 0.012)
        by_asset = rows.groupby("asset")[["default_threshold", "strength"]].first()

        assert len(rows) == len(walk[1])
        # 0.4 % is stated for BTC; for ETH it is 0.3 % times a ratio of two.
        np.testing.assert_allclose(by_asset.loc["BTC"], [0.004, 3.0])
        np.testing.assert_allclose(by_asset.loc["ETH"], [0.006, 2.0])
        assert (rows["side"] == 1).all()

    def test_a_fall_is_no_trade_unless_one_may_short(self, walk, market):
        own = self.table(walk, market, -0.012)
        short = self.table(walk, market, -0.012, shorts=True)

        assert (own["strength"] < 0).all()
        assert (short["strength"] > 0).all()
        assert (short["side"] == -1).all()
        np.testing.assert_array_equal(short["forward_return"], -own["forward_return"])

    def test_rows_before_the_first_tradable_hour_are_left_out(self, walk, market):
        first = int(place(walk[1], market)[0].max()) - 5
        rows = self.table(walk, market, 0.012, first=first)

        assert 0 < len(rows) <= 6 * 3
        assert rows["timestamp"].min() == market.hours[first]

    def test_what_is_unknown_is_left_out(self, walk, market):
        assert self.table(walk, market, np.nan).empty
