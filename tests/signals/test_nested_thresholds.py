"""Tuned thresholds in a backtest: each fold's own, of this walk, or none."""

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.signals.backtest.market import market_of
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.nested_thresholds import (
    factors_of_past,
    mark,
    nested_factors,
)

RULES = SignalSettings.model_validate({"threshold": {"tuned": True}})


@pytest.fixture(scope="module")
def walk(walk_with):
    return walk_with()


@pytest.fixture(scope="module")
def market(walk):
    return market_of(walk[0])


@pytest.fixture(scope="module")
def chosen():
    """Production has a factor that no fold may see."""
    return pd.DataFrame(
        {
            "asset": ["BTC", "BTC", "ETH", "BTC", "ETH"],
            "fold": np.array([0, 2, 2, 3, 3], dtype=np.int8),
            "factor": [9.0, np.nan, 1.5, 2.0, np.nan],
        }
    )


@pytest.fixture(scope="module")
def marked(chosen, walk):
    return mark(chosen, walk[1], RULES)


class TestFactors:
    def test_each_fold_has_its_own_until_the_next_begins(self, chosen, walk, market):
        factor = nested_factors(chosen, walk[1], market)
        begins = walk[1].groupby("fold")["timestamp"].min()
        row = {fold: market.hours.get_loc(begins[fold]) for fold in (2, 3)}
        btc, eth, sol = (market.assets.index(a) for a in ("BTC", "ETH", "SOL"))

        assert np.isnan(factor[: row[2]]).all()
        assert (factor[row[2] : row[3], eth] == 1.5).all()
        assert np.isnan(factor[row[2] : row[3], btc]).all()
        assert (factor[row[3] :, btc] == 2.0).all()
        assert np.isnan(factor[row[3] :, eth]).all()
        assert np.isnan(factor[:, sol]).all()

    def test_those_of_this_walk_are_taken(self, marked, chosen, walk, market):
        found = factors_of_past(marked, walk[1], market, RULES)

        np.testing.assert_array_equal(found, nested_factors(chosen, walk[1], market))


class TestRefusal:
    def test_without_a_tuning_there_are_none(self, walk, market, caplog):
        with caplog.at_level("INFO"):
            assert factors_of_past(None, walk[1], market, RULES) is None

        assert "no return thresholds were tuned" in caplog.text

    def test_those_of_another_walk_are_left(self, marked, walk, market, caplog):
        other = walk[1].assign(probability=walk[1]["probability"] + 1e-9)
        with caplog.at_level("INFO"):
            assert factors_of_past(marked, other, market, RULES) is None

        assert "tuned on another walk" in caplog.text

    def test_those_for_other_rules_are_left(self, marked, walk, market, caplog):
        rules = RULES.model_copy(update={"forecast": "brain"})
        with caplog.at_level("INFO"):
            assert factors_of_past(marked, walk[1], market, rules) is None

        assert "tuned for other rules" in caplog.text

    def test_whether_they_are_used_does_not_matter(self, marked, walk, market):
        unused = SignalSettings()

        assert factors_of_past(marked, walk[1], market, unused) is not None
