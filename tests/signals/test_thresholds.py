import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fleet_kedro.signals.thresholds import (
    ThresholdSettings,
    choose_thresholds,
    trailing_rank,
)


def settings(**changes: object) -> ThresholdSettings:
    values = {
        "rank_days": 1,
        "lowest_recall": 0.10,
        "highest_recall": 0.50,
        "candidates": 5,
        "prior_signals": 0.0,
    }
    return ThresholdSettings(**(values | changes))


def reference(
    probability: np.ndarray, net: np.ndarray, positive: np.ndarray, recalls: np.ndarray
) -> float:
    """The definition: try every candidate, look at the signals it gives."""
    best, best_value = np.nan, -np.inf
    for recall in recalls:
        wanted = max(1, np.ceil(recall * positive.sum()))
        for threshold in np.sort(np.unique(probability))[::-1]:
            signal = probability >= threshold
            if (signal & positive).sum() >= wanted:
                break
        value = net[signal].mean()
        if value > best_value + 1e-15:
            best, best_value = threshold, value
    return best


class TestKnownValues:
    def test_the_more_profitable_recall_wins(self) -> None:
        probability = np.array([0.9, 0.8, 0.7, 0.6])
        net = np.array([-0.01, 0.05, 0.05, -0.09])
        positive = np.array([True, True, True, True])
        chosen = choose_thresholds(
            probability,
            net,
            positive,
            np.array(["BTC"] * 4),
            settings(lowest_recall=0.25, highest_recall=0.75, candidates=3),
        )
        assert chosen == {"BTC": 0.7}

    def test_a_strong_prior_gives_every_asset_the_fleets_choice(self) -> None:
        probability = np.tile([0.9, 0.8], 2)
        net = np.array([0.00, 0.01, 0.10, -0.20])
        positive = np.ones(4, dtype=bool)
        asset = np.array(["BTC", "BTC", "ETH", "ETH"])
        recalls = settings(lowest_recall=0.5, highest_recall=0.99, candidates=2)
        alone = choose_thresholds(probability, net, positive, asset, recalls)
        assert alone == {"BTC": 0.8, "ETH": 0.9}
        together = choose_thresholds(
            probability,
            net,
            positive,
            asset,
            recalls.model_copy(update={"prior_signals": 1e6}),
        )
        assert together == {"BTC": 0.9, "ETH": 0.9}

    def test_an_asset_without_a_positive_row_has_no_threshold(self) -> None:
        chosen = choose_thresholds(
            np.array([0.5, 0.6]),
            np.array([0.1, 0.1]),
            np.array([True, False]),
            np.array(["BTC", "ETH"]),
            settings(),
        )
        assert set(chosen) == {"BTC"}


class TestAgainstSlowReference:
    @given(seed=st.integers(0, 10_000), rows=st.integers(5, 80))
    def test_equals_the_definition(self, seed: int, rows: int) -> None:
        rng = np.random.default_rng(seed)
        probability = np.round(rng.random(rows), 1)
        net = rng.normal(size=rows)
        positive = rng.random(rows) < 0.5
        positive[0] = True
        chosen = choose_thresholds(
            probability, net, positive, np.array(["BTC"] * rows), settings()
        )
        expected = reference(probability, net, positive, np.linspace(0.1, 0.5, 5))
        assert chosen == {"BTC": expected}


class TestTrailingRank:
    def test_equals_the_definition(self) -> None:
        rng = np.random.default_rng(0)
        probability = np.round(rng.random(200), 1)
        asset = rng.choice(["BTC", "ETH"], size=200)
        rank = trailing_rank(probability, asset, rank_days=1)
        for name in ("BTC", "ETH"):
            own, ranks = probability[asset == name], rank[asset == name]
            for t in range(len(own)):
                seen = own[max(0, t - 23) : t + 1]
                if len(seen) < 3:
                    assert np.isnan(ranks[t])
                    continue
                below, tied = (seen < own[t]).sum(), (seen == own[t]).sum()
                assert ranks[t] == pytest.approx((below + (tied + 1) / 2) / len(seen))

    def test_later_forecasts_change_no_rank(self) -> None:
        probability = np.random.default_rng(1).random(100)
        asset = np.array(["BTC"] * 100)
        whole = trailing_rank(probability, asset, rank_days=2)
        np.testing.assert_array_equal(
            trailing_rank(probability[:60], asset[:60], rank_days=2), whole[:60]
        )

    def test_a_bolder_brain_signals_no_more_often(self) -> None:
        timid = np.random.default_rng(2).normal(0.5, 0.01, size=2000)
        bold = 0.5 + 5 * (timid - 0.5)
        asset = np.array(["BTC"] * 2000)
        ranks = [trailing_rank(issued, asset, 30) for issued in (timid, bold)]
        np.testing.assert_array_equal(*ranks)


class TestErrors:
    def test_recalls_in_the_wrong_order_are_refused(self) -> None:
        with pytest.raises(ValidationError, match="swap them"):
            settings(lowest_recall=0.6)
