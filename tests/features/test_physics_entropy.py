"""Permutation entropy: counted by hand, by definition, and without the future."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_kedro.features.physics import permutation_entropy


def noise(n_bars: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.01, n_bars)


def slow_entropy(window: np.ndarray, order: int) -> float:
    """Shannon entropy of the patterns of one window; earlier first among equals."""
    patterns = Counter(
        tuple(sorted(range(order), key=lambda j, i=i: (window[i + j], j)))
        for i in range(window.size - order + 1)
    )
    total = sum(patterns.values())
    shares = [count / total for count in patterns.values()]
    return -sum(p * math.log(p) for p in shares) / math.log(math.factorial(order))


class TestKnownValues:
    def test_example_of_bandt_and_pompe(self):
        values = np.array([4.0, 7.0, 9.0, 10.0, 6.0, 11.0, 3.0])

        entropy = permutation_entropy(values, 7, 3)[-1]

        # Patterns 012 twice, 201 twice, 102 once: 1.522 bits, as in the paper.
        assert entropy * math.log2(6) == pytest.approx(1.522, abs=5e-4)

    def test_white_noise_is_near_one(self):
        entropy = permutation_entropy(noise(20_000))

        # Six equally likely patterns; 198 independent ones would fall short by 5 /
        # (2 * 198 log 6) = 0.007, and neighbours share returns, which evens them out.
        assert 1 - 0.007 < np.nanmean(entropy) < 1

    @pytest.mark.parametrize("period", [8, 40])
    def test_a_sine_shows_its_shares(self, period):
        phase = 2 * np.pi * (np.arange(400) + 0.3) / period

        entropy = permutation_entropy(np.sin(phase), 202, 3)

        # One pattern a period has the peak in its middle and one the trough; half of
        # the rest rises, half falls; 200 patterns are whole periods.
        extreme, monotone = 1 / period, 1 / 2 - 1 / period
        expected = -2 * sum(share * math.log(share) for share in (extreme, monotone))
        np.testing.assert_allclose(entropy[201:], expected / math.log(6), rtol=1e-12)

    def test_flat_candles_count_as_rising(self):
        assert (permutation_entropy(np.zeros(300))[199:] == 0.0).all()
        assert (permutation_entropy(np.arange(300.0))[199:] == 0.0).all()


class TestAgainstSlowReference:
    @pytest.mark.parametrize("order", [2, 3, 4, 5])
    @pytest.mark.parametrize("decimals", [2, 12])
    def test_every_bar_equals_the_definition(self, order, decimals):
        # Two decimals of returns of one per cent: full of ties.
        values = np.round(noise(300), decimals)

        entropy = permutation_entropy(values, 100, order)

        for t in range(99, values.size):
            expected = slow_entropy(values[t - 99 : t + 1], order)
            assert entropy[t] == pytest.approx(expected, rel=1e-9, abs=1e-12)


class TestProperties:
    @given(cut=st.integers(0, 300), order=st.integers(2, 4))
    def test_truncation_changes_no_bit(self, cut, order):
        values = noise(300)

        np.testing.assert_array_equal(
            permutation_entropy(values[:cut], 100, order),
            permutation_entropy(values, 100, order)[:cut],
        )

    @given(seed=st.integers(0, 1000), factor=st.floats(1e-3, 1e3))
    def test_only_the_order_of_the_returns_matters(self, seed, factor):
        values = noise(150, seed)

        stretched = permutation_entropy(np.sinh(factor * values), 60)

        np.testing.assert_array_equal(stretched, permutation_entropy(values, 60))

    @given(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), min_size=32, max_size=60))
    def test_lies_between_zero_and_one(self, returns):
        entropy = permutation_entropy(np.array(returns), 32)[31:]

        assert ((entropy >= 0) & (entropy <= 1)).all()

    def test_nan_exactly_where_the_window_holds_one(self):
        values = noise(500)
        values[[0, 300]] = np.nan

        known = np.isfinite(permutation_entropy(values, 100))

        bar = np.arange(500)
        expected = (bar >= 100) & ~((bar >= 300) & (bar < 400))
        np.testing.assert_array_equal(known, expected)


class TestErrors:
    def test_a_window_shorter_than_a_pattern(self):
        with pytest.raises(ValueError, match="pattern of order 3 does not fit"):
            permutation_entropy(noise(10), 2, 3)
