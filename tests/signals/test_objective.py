import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.signals.objective import (
    Sample,
    Thresholds,
    appraise,
    effective_count,
    sample_of,
    signals,
)


def sample(rank, probability, net, hour=None) -> Sample:
    net = np.asarray(net, dtype=float)
    hours = np.arange(len(net)) if hour is None else np.asarray(hour)
    return Sample(
        hour=hours.astype(np.int64),
        rank=np.asarray(rank, dtype=float),
        probability=np.asarray(probability, dtype=float),
        net_return=net,
        is_positive=net > 0,
    )


def slow_value(own: Sample, thresholds: Thresholds, horizon: int, prior: float):
    """The definition, signal by signal and bar by bar."""
    taken = [
        row
        for row in range(len(own.hour))
        if own.rank[row] >= thresholds.rank_threshold
        and own.probability[row] >= thresholds.probability_floor
    ]
    windows = [range(own.hour[r] + 1, own.hour[r] + 1 + horizon) for r in taken]
    sharing: dict[int, int] = {}
    for window in windows:
        for bar in window:
            sharing[bar] = sharing.get(bar, 0) + 1
    n = sum(sum(1 / sharing[bar] for bar in window) / horizon for window in windows)
    earned = sum(own.net_return[r] for r in taken) / len(taken) if taken else 0.0
    blind = sum(own.net_return) / len(own.net_return)
    return (n * earned + prior * blind) / (n + prior), n


class TestKnownValues:
    def test_two_signals_far_apart_count_two(self):
        own = sample(
            rank=[0.9, 0.1, 0.95, 0.2],
            probability=[0.5] * 4,
            net=[0.03, -0.01, 0.01, -0.02],
            hour=[0, 5, 20, 25],
        )
        got = appraise(own, Thresholds(0.9), 12, prior_effective_signals=2.0)

        # blind (0.03 - 0.01 + 0.01 - 0.02) / 4 = 0.0025, earned 0.02, weighed 2 to 2
        assert got.value == pytest.approx((2 * 0.02 + 2 * 0.0025) / 4)
        assert got.net_return == pytest.approx(0.02)
        assert (got.signals, got.effective_signals) == (2, pytest.approx(2.0))
        assert (got.precision, got.recall) == (1.0, 1.0)

    def test_neighbours_count_hardly_more_than_one(self):
        own = sample([1.0] * 4, [0.5] * 4, [0.01, -0.02, -0.03, 0.04])
        got = appraise(own, Thresholds(0.8), 12, prior_effective_signals=5.0)

        # Four windows of twelve hours cover fifteen hours.
        assert got.effective_signals == pytest.approx(15 / 12)
        assert (got.precision, got.recall) == (0.5, 1.0)

    def test_a_floor_takes_the_rest_away(self):
        own = sample([0.9, 0.95, 0.2], [0.52, 0.48, 0.6], [0.01, -0.03, 0.05])
        got = appraise(own, Thresholds(0.9, 0.5), 12, prior_effective_signals=1.0)

        assert got.signals == 1
        assert got.net_return == pytest.approx(0.01)
        assert got.recall == 0.5

    def test_no_signal_is_worth_what_always_long_is(self):
        own = sample([0.1, 0.2], [0.5, 0.5], [0.01, -0.03])
        got = appraise(own, Thresholds(0.9), 12, prior_effective_signals=1.0)

        assert got.value == pytest.approx(-0.01)
        assert np.isnan(got.net_return)
        assert np.isnan(got.precision)
        assert (got.recall, got.signals, got.effective_signals) == (0.0, 0, 0.0)

    def test_without_a_positive_row_nothing_is_caught(self):
        own = sample([0.9, 0.2], [0.5, 0.5], [-0.01, -0.03])

        assert appraise(own, Thresholds(0.8), 12, 1.0).recall == 0.0

    def test_a_sample_is_taken_from_a_walk(self):
        rows = pd.DataFrame(
            {
                "timestamp": pd.to_datetime(
                    ["1970-01-02T00:00", "1970-01-02T03:00"], utc=True
                ).as_unit("us"),
                "forward_return": [0.003, 0.002],
                "rank": [0.5, np.nan],
                "probability": [0.4, 0.6],
            }
        )
        own = sample_of(rows, Label(horizon_bars=12, round_trip_cost=0.002))

        assert own.hour.tolist() == [24, 27]
        assert own.net_return == pytest.approx([0.001, 0.0])
        # A trade that only earns its cost is none that was good.
        assert own.is_positive.tolist() == [True, False]


class TestAgainstSlowReference:
    @given(
        seed=st.integers(0, 10_000),
        rows=st.integers(1, 60),
        horizon=st.integers(1, 15),
        threshold=st.sampled_from([0.0, 0.3, 0.6, 0.9, 1.1]),
        floor=st.sampled_from([float("-inf"), 0.2, 0.7]),
    )
    def test_equals_the_definition(self, seed, rows, horizon, threshold, floor):
        rng = np.random.default_rng(seed)
        own = sample(
            np.round(rng.random(rows), 1),
            np.round(rng.random(rows), 1),
            rng.normal(size=rows),
            np.cumsum(rng.integers(1, 6, size=rows)),
        )
        thresholds = Thresholds(threshold, floor)
        value, n = slow_value(own, thresholds, horizon, 3.0)
        got = appraise(own, thresholds, horizon, 3.0)

        assert got.value == pytest.approx(value)
        assert got.effective_signals == pytest.approx(n)


class TestProperties:
    @given(seed=st.integers(0, 1_000), copies=st.integers(1, 6))
    def test_more_of_the_same_evidence_is_trusted_more(self, seed, copies):
        rng = np.random.default_rng(seed)
        good = np.abs(rng.normal(size=5)) + 0.1
        net = np.tile(np.concatenate([good, -good - 0.01]), copies)
        rank = np.tile(np.repeat([0.95, 0.1], 5), copies)
        own = sample(rank, np.full(net.size, 0.5), net, 20 * np.arange(net.size))
        got = appraise(own, Thresholds(0.9), 12, prior_effective_signals=10.0)

        blind = net.mean()
        assert blind < got.value < got.net_return
        assert got.value - blind == pytest.approx(
            (got.net_return - blind) * 5 * copies / (5 * copies + 10)
        )

    @given(seed=st.integers(0, 1_000), rows=st.integers(1, 50))
    def test_signals_never_count_more_than_themselves(self, seed, rows):
        hours = np.cumsum(np.random.default_rng(seed).integers(1, 30, size=rows))

        assert effective_count(hours, 12) >= 1 - 1e-9
        assert effective_count(hours, 12) <= rows + 1e-9

    def test_a_row_without_a_rank_is_never_a_signal(self):
        got = signals(np.array([np.nan, 0.9]), np.array([0.9, 0.9]), Thresholds(0.0))

        assert got.tolist() == [False, True]
