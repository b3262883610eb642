from itertools import combinations
from math import comb
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import rankdata

from fleet_kedro.metrics.overfitting import (
    OverfittingResult,
    probability_of_backtest_overfitting,
)

# Two days each: mean 2, 1, 0 and -1 with the same spread, so Sharpe √2 times the mean.
GREAT, GOOD, FLAT, BAD = ([mean - 1.0, mean + 1.0] for mean in (2, 1, 0, -1))


def columns(*configurations: list[float]) -> np.ndarray:
    return np.array(configurations).T


def noise(n_days: int, n_configurations: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n_days, n_configurations))


def slow_logits(daily_returns: np.ndarray, n_blocks: int) -> np.ndarray:
    """Follow the definition split by split, on the days themselves."""
    n_days, n_configurations = daily_returns.shape
    block_of_day = np.concatenate(
        [
            np.full(len(d), b)
            for b, d in enumerate(np.array_split(range(n_days), n_blocks))
        ]
    )
    logits = []
    for chosen in combinations(range(n_blocks), n_blocks // 2):
        is_in_sample = np.isin(block_of_day, chosen)
        known, unseen = daily_returns[is_in_sample], daily_returns[~is_in_sample]
        winner = np.argmax(known.mean(axis=0) / known.std(axis=0, ddof=1))
        ranks = rankdata(unseen.mean(axis=0) / unseen.std(axis=0, ddof=1))
        omega = ranks[winner] / (n_configurations + 1)
        logits.append(np.log(omega / (1 - omega)))
    return np.array(logits)


class TestKnownValues:
    def test_a_winner_that_becomes_the_loser(self) -> None:
        returns = columns(GREAT + BAD, BAD + GREAT)
        result = probability_of_backtest_overfitting(returns, n_blocks=2)
        # The winner ranks 1 of 2, so ω is 1/3.
        np.testing.assert_allclose(result.logits, [-np.log(2)] * 2)
        assert result.probability == 1

    def test_a_winner_that_stays_the_winner(self) -> None:
        returns = columns(GREAT + GOOD, BAD + FLAT)
        result = probability_of_backtest_overfitting(returns, n_blocks=2)
        np.testing.assert_allclose(result.logits, [np.log(2)] * 2)
        assert result.probability == 0

    def test_each_half_chooses_its_own_winner(self) -> None:
        # Block 0 chooses the first, third of four in block 1: ω = 2/5.
        # Block 1 chooses the last, second of four in block 0: ω = 3/5.
        returns = columns(GREAT + FLAT, BAD + BAD, FLAT + GOOD, GOOD + GREAT)
        result = probability_of_backtest_overfitting(returns, n_blocks=2)
        np.testing.assert_allclose(result.logits, np.log([2 / 3, 3 / 2]))
        assert result.probability == 0.5
        assert result.median_logit == pytest.approx(0)

    def test_the_median_counts_as_overfitted(self) -> None:
        returns = columns(GREAT + GOOD, FLAT + BAD, BAD + GREAT)
        result = probability_of_backtest_overfitting(returns, n_blocks=2)
        # Second of three, then last of three.
        np.testing.assert_array_equal(result.logits, [0, np.log(1 / 3)])
        assert result.probability == 1

    def test_summary_of_the_logits(self) -> None:
        result = OverfittingResult(np.array([-2.0, 0.0, 1.0, 3.0, 8.0]), 9)
        assert result.probability == pytest.approx(2 / 5)
        assert result.median_logit == 1
        assert result.logit_quartiles == (0, 1, 3)
        assert result.n_splits == 5


class TestAgainstSlowReference:
    @pytest.mark.parametrize("n_blocks", [2, 4, 8])
    @pytest.mark.parametrize("n_days", [64, 67, 71])
    @pytest.mark.parametrize("n_configurations", [2, 5])
    def test_equals_a_loop_over_all_splits(
        self, n_blocks: int, n_days: int, n_configurations: int
    ) -> None:
        returns = 0.001 + 0.02 * noise(n_days, n_configurations)
        result = probability_of_backtest_overfitting(returns, n_blocks)
        expected = slow_logits(returns, n_blocks)
        assert len(expected) == comb(n_blocks, n_blocks // 2)
        np.testing.assert_allclose(result.logits, expected, atol=1e-12)


class TestVerdict:
    @pytest.mark.parametrize("n_configurations", [2, 10])
    def test_noise_is_a_coin_toss(self, n_configurations: int) -> None:
        # One history spreads by about 0.25, the mean of 300 by about 0.015.
        probabilities = [
            probability_of_backtest_overfitting(
                noise(96, n_configurations, seed), n_blocks=8
            ).probability
            for seed in range(300)
        ]
        assert np.mean(probabilities) == pytest.approx(0.5, abs=0.05)
        assert np.std(probabilities) > 0.1

    def test_an_odd_number_of_worthless_configurations_is_judged_severely(self) -> None:
        probabilities = [
            probability_of_backtest_overfitting(noise(96, 3, seed), 8).probability
            for seed in range(300)
        ]
        assert np.mean(probabilities) == pytest.approx(1 / 2 + 1 / 6, abs=0.05)

    def test_a_real_edge_is_not_overfitted(self) -> None:
        returns = noise(730, 20)
        returns[:, 7] += 0.5
        result = probability_of_backtest_overfitting(returns)
        assert result.probability < 0.001
        assert result.median_logit == pytest.approx(np.log(20))

    def test_what_was_won_in_one_half_is_lost_in_the_other(self) -> None:
        # Every configuration earns nothing over the whole history, so the best mean of
        # a half is the worst mean of its complement.
        returns = noise(800, 20)
        returns -= returns.mean(axis=0)
        result = probability_of_backtest_overfitting(returns)
        assert result.probability > 0.999
        assert result.median_logit == pytest.approx(-np.log(20))


class TestTies:
    def test_one_configuration_at_several_sizes_is_no_choice(self) -> None:
        # Multiples have the same Sharpe ratio but for rounding.
        returns = noise(60, 1) * np.array([[1, 3, 0.1, 0.7, 1]])
        result = probability_of_backtest_overfitting(returns, n_blocks=6)
        assert (result.logits == 0).all()

    def test_tied_ranks_are_shared(self) -> None:
        # Block 0 chooses the first, which ties with the second in block 1: ranks 2 and
        # 3 of three are 2.5 each, ω / (1 − ω) = 2.5 / 1.5.
        returns = columns(GREAT + GOOD, GOOD + GOOD, BAD + BAD)
        result = probability_of_backtest_overfitting(returns, n_blocks=2)
        assert result.logits[0] == pytest.approx(np.log(2.5 / 1.5))

    def test_ranks_that_differ_by_rounding_are_shared(self) -> None:
        # The first wins one half by far; in the other all are multiples of each other.
        chosen_on = noise(30, 1) + np.array([[5, 0, 0, 0]])
        judged_on = noise(30, 1, seed=1) * np.array([[1, 3, 0.1, 0.7]])
        returns = np.concatenate([chosen_on, judged_on])
        result = probability_of_backtest_overfitting(returns, n_blocks=2)
        assert result.logits[0] == 0

    @pytest.mark.parametrize("order", [[0, 1, 2], [1, 0, 2], [2, 1, 0]])
    def test_of_tied_winners_the_worse_one_is_judged(self, order: list[int]) -> None:
        returns = columns(GREAT + GOOD, GREAT + BAD, BAD + FLAT)[:, order]
        result = probability_of_backtest_overfitting(returns, n_blocks=2)
        assert result.logits[0] == pytest.approx(np.log(1 / 3))

    def test_a_configuration_without_trades_has_sharpe_zero(self) -> None:
        idle = [0.0] * 4
        result = probability_of_backtest_overfitting(
            columns(BAD + BAD, idle, BAD + BAD), n_blocks=2
        )
        np.testing.assert_allclose(result.logits, np.log([3, 3]))

    def test_a_constant_gain_has_sharpe_zero_too(self) -> None:
        # Variances from sums of these are rounding, some of it positive.
        gains = np.full((61, 5), [0.1, 0.3, 0.7, 1 / 3, 1e-4])
        modest = 0.02 + 0.01 * noise(61, 1)
        result = probability_of_backtest_overfitting(np.hstack([gains, modest]), 6)
        # The only one that varies wins every half, and so stays the best of six.
        np.testing.assert_allclose(result.logits, np.log(6))


class TestProperties:
    # Small whole numbers are full of ties and of constant configurations.
    @settings(max_examples=50, deadline=None)
    @given(
        returns=arrays.arrays(
            np.float64,
            st.tuples(st.just(12), st.integers(2, 6)),
            elements=st.integers(-2, 2).map(float),
        ),
        seed=st.integers(0, 100),
    )
    def test_the_order_of_configurations_does_not_matter(
        self, returns: np.ndarray, seed: int
    ) -> None:
        order = np.random.default_rng(seed).permutation(returns.shape[1])
        result = probability_of_backtest_overfitting(returns, n_blocks=4)
        shuffled = probability_of_backtest_overfitting(returns[:, order], n_blocks=4)
        np.testing.assert_array_equal(shuffled.logits, result.logits)
        assert (np.abs(result.logits) <= np.log(returns.shape[1]) + 1e-12).all()

    def test_the_order_of_blocks_does_not_matter(self) -> None:
        returns = noise(80, 6)
        order = np.random.default_rng(1).permutation(8)
        shuffled = np.concatenate([np.split(returns, 8)[block] for block in order])
        np.testing.assert_allclose(
            np.sort(probability_of_backtest_overfitting(shuffled, 8).logits),
            np.sort(probability_of_backtest_overfitting(returns, 8).logits),
        )

    def test_the_size_of_a_position_does_not_matter(self) -> None:
        returns = noise(80, 6)
        sizes = np.array([1e-6, 0.01, 1, 2, 300, 1e6])
        np.testing.assert_allclose(
            probability_of_backtest_overfitting(returns * sizes, 8).logits,
            probability_of_backtest_overfitting(returns, 8).logits,
        )

    def test_single_precision_is_summed_in_double(self) -> None:
        # Configurations so alike that single precision would shuffle their ranks.
        returns = (noise(80, 1) + 1e-6 * noise(80, 6, seed=1)).astype(np.float32)
        np.testing.assert_array_equal(
            probability_of_backtest_overfitting(returns, 8).logits,
            probability_of_backtest_overfitting(returns.astype(np.float64), 8).logits,
        )

    def test_the_input_is_left_untouched(self) -> None:
        returns = noise(80, 6)
        returns.flags.writeable = False
        assert probability_of_backtest_overfitting(returns, 8).n_splits == 70

    def test_two_years_of_twenty_configurations_take_a_blink(self) -> None:
        returns = noise(730, 20)
        seconds = []
        for _ in range(5):
            start = perf_counter()
            result = probability_of_backtest_overfitting(returns, n_blocks=16)
            seconds.append(perf_counter() - start)
        assert result.n_splits == 12_870
        assert min(seconds) < 0.3


class TestErrors:
    def test_one_configuration(self) -> None:
        with pytest.raises(ValueError, match="at least 2 configurations; there are 1"):
            probability_of_backtest_overfitting(noise(80, 1))

    @pytest.mark.parametrize("n_blocks", [-2, 0, 7, 22])
    def test_a_number_of_blocks_without_halves(self, n_blocks: int) -> None:
        with pytest.raises(ValueError, match=f"n_blocks is {n_blocks}; .*from 2 to 20"):
            probability_of_backtest_overfitting(noise(80, 3), n_blocks)

    def test_too_few_days(self) -> None:
        with pytest.raises(ValueError, match=r"31 days are too few .* 32 in all"):
            probability_of_backtest_overfitting(noise(31, 3))
        assert probability_of_backtest_overfitting(noise(32, 3)).n_splits == 12_870

    @pytest.mark.parametrize("unknown", [np.nan, np.inf, -np.inf])
    def test_unknown_returns(self, unknown: float) -> None:
        returns = noise(80, 3)
        returns[5, 1] = unknown
        with pytest.raises(ValueError, match="1 values that are NaN or infinite"):
            probability_of_backtest_overfitting(returns)
