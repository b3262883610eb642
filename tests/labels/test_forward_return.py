"""The label: worked by hand, against its definition, and where it is unknown."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fleet_kedro.labels.forward_return import Label, forward_return, is_positive


def none_filled(n_bars: int) -> np.ndarray:
    return np.zeros(n_bars, dtype=bool)


def opens(n_bars: int, seed: int = 0) -> np.ndarray:
    return np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, n_bars)))


class TestKnownValues:
    def test_enters_at_the_next_open_and_leaves_two_bars_later(self):
        prices = np.array([999.0, 100.0, 777.0, 110.0, 50.0])

        labels = forward_return(prices, none_filled(5), horizon_bars=2)

        # Row 0 buys at 100 and sells at 110; row 1 buys at 777 and sells at 50.
        np.testing.assert_allclose(
            labels, [0.10, 50 / 777 - 1, np.nan, np.nan, np.nan], rtol=1e-12
        )

    def test_nobody_trades_at_a_filled_candle(self):
        prices = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        is_filled = np.array([False, False, False, True, False, False])

        labels = forward_return(prices, is_filled, horizon_bars=1)

        # Row 1 leaves at bar 3 and row 2 enters there; row 3, filled itself, trades.
        np.testing.assert_allclose(
            labels, [3 / 2 - 1, np.nan, np.nan, 6 / 5 - 1, np.nan, np.nan]
        )

    def test_the_label_is_known_one_bar_after_the_horizon(self):
        assert Label().last_known_offset_bars == 13

    def test_a_trade_must_earn_more_than_it_costs(self):
        label = Label(round_trip_cost=0.002)

        positive = is_positive(np.array([0.0021, 0.002, 0.0, -0.1]), label)

        assert positive.tolist() == [True, False, False, False]


class TestAgainstSlowReference:
    @given(
        n_bars=st.integers(0, 60),
        horizon_bars=st.integers(1, 20),
        filled=st.sets(st.integers(0, 59)),
    )
    def test_every_bar_equals_the_definition(self, n_bars, horizon_bars, filled):
        prices = opens(n_bars)
        is_filled = np.array([t in filled for t in range(n_bars)], dtype=bool)

        labels = forward_return(prices, is_filled, horizon_bars)

        assert labels.size == n_bars
        for t in range(n_bars):
            entry, leave = t + 1, t + 1 + horizon_bars
            if leave >= n_bars or is_filled[entry] or is_filled[leave]:
                assert math.isnan(labels[t])
            else:
                expected = prices[leave] / prices[entry] - 1.0
                assert labels[t] == expected


class TestProperties:
    @given(horizon_bars=st.integers(1, 30), t=st.integers(0, 100))
    def test_known_exactly_when_the_offset_has_passed(self, horizon_bars, t):
        prices = opens(200)
        offset = Label(horizon_bars=horizon_bars).last_known_offset_bars

        def label_seen_at(bar: int) -> float:
            seen = prices[: bar + 1]
            return forward_return(seen, none_filled(seen.size), horizon_bars)[t]

        assert math.isnan(label_seen_at(t + offset - 1))
        assert math.isfinite(label_seen_at(t + offset))
        assert label_seen_at(t + offset) == label_seen_at(199)

    def test_the_present_open_plays_no_part(self):
        prices = opens(50)
        changed = prices.copy()
        changed[10] *= 2.0

        before = forward_return(prices, none_filled(50), 5)
        after = forward_return(changed, none_filled(50), 5)

        # Bar 10 is the entry of row 9 and the exit of row 4, and nothing else.
        assert np.flatnonzero((before != after) & np.isfinite(before)).tolist() == [
            4,
            9,
        ]

    @given(factor=st.floats(1e-6, 1e6))
    def test_the_price_level_does_not_matter(self, factor):
        prices = opens(50)

        np.testing.assert_allclose(
            forward_return(factor * prices, none_filled(50), 5),
            forward_return(prices, none_filled(50), 5),
            atol=1e-12,
        )


class TestErrors:
    def test_a_row_without_a_label_has_no_class(self):
        with pytest.raises(ValueError, match="1 of 2 rows have no forward return"):
            is_positive(np.array([0.1, np.nan]), Label())

    @pytest.mark.parametrize(
        "block", [{"horizon_bars": 0}, {"round_trip_cost": -0.001}, {"horizon": 12}]
    )
    def test_an_impossible_label(self, block):
        with pytest.raises(ValidationError):
            Label(**block)
