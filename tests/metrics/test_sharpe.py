import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kurtosis, norm, skew

from fleet_kedro.metrics.sharpe import (
    SharpeSample,
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    probabilistic_sharpe_ratio,
    sharpe_ratios,
    sharpe_sample,
)

# The numbers of Bailey and López de Prado (2014): annualised Sharpe 2.5 over 1,250 days
# of 250 a year, variance of the annualised trial Sharpe ratios 1/2.
PAPER_SHARPE = 2.5 / np.sqrt(250)
PAPER_VARIANCE = 0.5 / 250


def skewed_returns(n_days: int, sharpe: float, seed: int = 0) -> np.ndarray:
    """Draw rare large losses and frequent small gains, with the given true Sharpe."""
    rng = np.random.default_rng(seed)
    return 0.02 * (sharpe + 1 - rng.exponential(size=n_days))


class TestKnownValues:
    def test_sharpe_is_mean_over_sample_standard_deviation(self) -> None:
        # Means 2 and -1, standard deviations 1 and √3 with n − 1.
        returns = np.array([[1.0, -3], [2, 0], [3, 0]])
        np.testing.assert_allclose(sharpe_ratios(returns), [2, -1 / np.sqrt(3)])

    def test_constant_returns_have_sharpe_zero(self) -> None:
        # Variances from sums of these are rounding, some of it positive.
        constants = np.array([0, 0.1, -0.3, 0.7, 1 / 3, 1e-4])
        assert (sharpe_ratios(np.tile(constants, (61, 1))) == 0).all()
        assert sharpe_sample(np.full(61, 0.7)) == SharpeSample(0.0, 0.0, 3.0, 61)

    def test_moments_of_four_days(self) -> None:
        # Deviations -1, -1, -1, 3: variance 3, third moment 6, fourth moment 21.
        sample = sharpe_sample(np.array([0.0, 0, 0, 4]))
        assert sample == pytest.approx(
            SharpeSample(sharpe=0.5, skewness=6 / 27**0.5, kurtosis=21 / 9, n_days=4)
        )

    def test_normal_returns_have_the_classical_standard_error(self) -> None:
        sample = SharpeSample(0.1, skewness=0, kurtosis=3, n_days=401)
        error = np.sqrt((1 + 0.1**2 / 2) / 400)
        assert sample.probability_above(0.02) == pytest.approx(norm.cdf(0.08 / error))

    def test_hedge_fund_example_of_2012(self) -> None:
        # 24 months with a monthly Sharpe of 0.458: the shape costs seven points.
        assert SharpeSample(0.458, -2.448, 10.164, 24).probability_above(0.0) == (
            pytest.approx(0.913, abs=5e-4)
        )
        assert SharpeSample(0.458, 0, 3, 24).probability_above(0.0) == (
            pytest.approx(0.982, abs=5e-4)
        )

    @pytest.mark.parametrize(
        ("n_trials", "skewness", "kurtosis", "expected"),
        [(100, -3, 10, 0.9004), (46, -3, 10, 0.9505), (88, 0, 3, 0.9505)],
    )
    def test_deflation_example_of_2014(
        self, n_trials: int, skewness: float, kurtosis: float, expected: float
    ) -> None:
        sample = SharpeSample(PAPER_SHARPE, skewness, kurtosis, 1250)
        benchmark = expected_maximum_sharpe(n_trials, PAPER_VARIANCE)
        assert sample.probability_above(benchmark) == pytest.approx(expected, abs=5e-5)

    def test_expected_maximum_of_the_2014_example(self) -> None:
        maximum = expected_maximum_sharpe(100, PAPER_VARIANCE)
        assert maximum == pytest.approx(0.1132, abs=5e-5)

    def test_one_trial_is_no_choice(self) -> None:
        assert expected_maximum_sharpe(1, 0.3) == 0

    def test_trials_that_are_all_alike_need_no_deflation(self) -> None:
        assert expected_maximum_sharpe(50, 0.0) == 0


class TestAgainstSlowReference:
    def test_probabilistic_sharpe_ratio_equals_its_formula(self) -> None:
        returns = skewed_returns(300, 0.1)
        sharpe = returns.mean() / returns.std(ddof=1)
        shape = kurtosis(returns, fisher=False)
        spread = 1 - skew(returns) * sharpe + (shape - 1) / 4 * sharpe**2
        expected = norm.cdf((sharpe - 0.04) * np.sqrt(299) / np.sqrt(spread))
        result = probabilistic_sharpe_ratio(returns, benchmark_sharpe=0.04)
        assert result == pytest.approx(expected)

    def test_deflated_sharpe_ratio_is_probabilistic_against_the_maximum(self) -> None:
        returns, trials = skewed_returns(300, 0.1), np.array([0.1, -0.02, 0.05, 0.01])
        best = (1 - np.euler_gamma) * norm.ppf(1 - 1 / 4)
        best += np.euler_gamma * norm.ppf(1 - 1 / (4 * np.e))
        benchmark = trials.std(ddof=1) * best
        assert deflated_sharpe_ratio(returns, trials) == pytest.approx(
            probabilistic_sharpe_ratio(returns, benchmark)
        )

    @pytest.mark.parametrize(
        ("n_trials", "error"), [(2, 0.08), (3, 0.03), (10, 0.03), (100, 0.01)]
    )
    def test_expected_maximum_equals_the_integral(
        self, n_trials: int, error: float
    ) -> None:
        # The maximum of N normals has distribution Φ(x)^N, hence this density.
        exact, _ = quad(
            lambda x: x * n_trials * norm.pdf(x) * norm.cdf(x) ** (n_trials - 1), -9, 9
        )
        assert expected_maximum_sharpe(n_trials, 0.05**2) == (
            pytest.approx(0.05 * exact, rel=error)
        )


class TestProperties:
    def test_a_sharpe_of_zero_is_even_odds(self) -> None:
        returns = skewed_returns(200, 0.1)
        # Subtracting the mean leaves rounding of about 1e-17 per day.
        centred = returns - returns.mean()
        assert probabilistic_sharpe_ratio(centred, 0.0) == pytest.approx(0.5)
        assert probabilistic_sharpe_ratio(np.zeros(200), 0.0) == 0.5

    def test_a_sharpe_equal_to_the_benchmark_is_even_odds(self) -> None:
        returns = skewed_returns(200, 0.1)
        benchmark = sharpe_sample(returns).sharpe
        assert probabilistic_sharpe_ratio(returns, benchmark) == 0.5

    def test_it_is_calibrated_for_skewed_returns(self) -> None:
        # Five in a hundred histories should look better than 95 %. The standard error
        # of normal returns, which ignores the rare large losses, lets twice as many by.
        samples = [
            sharpe_sample(skewed_returns(500, 0.3, seed)) for seed in range(2000)
        ]
        probability = np.array([sample.probability_above(0.3) for sample in samples])
        naive = np.array(
            [
                sample._replace(skewness=0.0, kurtosis=3.0).probability_above(0.3)
                for sample in samples
            ]
        )
        assert np.mean(probability > 0.95) == pytest.approx(0.05, abs=0.015)
        assert np.mean(probability < 0.05) == pytest.approx(0.05, abs=0.015)
        assert np.mean(probability < 0.5) == pytest.approx(0.5, abs=0.04)
        assert np.mean(naive > 0.95) > 0.08

    def test_more_trials_deflate_more(self) -> None:
        returns, trials = skewed_returns(700, 0.15), np.linspace(-0.1, 0.15, 12)
        deflated = [
            deflated_sharpe_ratio(returns, trials, n_trials)
            for n_trials in (1, 2, 3, 5, 10, 100, 1000, 10**6)
        ]
        assert (np.diff(deflated) < 0).all()
        assert deflated[0] == probabilistic_sharpe_ratio(returns, 0.0)

    def test_trials_are_all_of_the_given_ones_by_default(self) -> None:
        returns, trials = skewed_returns(700, 0.15), np.linspace(-0.1, 0.15, 12)
        assert deflated_sharpe_ratio(returns, trials) == (
            deflated_sharpe_ratio(returns, trials, n_trials=12)
        )

    def test_more_varied_trials_deflate_more(self) -> None:
        returns, trials = skewed_returns(700, 0.15), np.linspace(-0.1, 0.15, 12)
        deflated = deflated_sharpe_ratio(returns, trials)
        assert deflated_sharpe_ratio(returns, 2 * trials) < deflated

    def test_the_best_of_many_worthless_strategies_rarely_passes(self) -> None:
        passes, naive_passes = 0, 0
        for seed in range(200):
            returns = np.random.default_rng(seed).normal(size=(500, 20))
            trials = sharpe_ratios(returns)
            best = returns[:, trials.argmax()]
            passes += deflated_sharpe_ratio(best, trials) > 0.95
            naive_passes += probabilistic_sharpe_ratio(best, 0.0) > 0.95
        assert passes <= 10
        # Without deflation, 1 − 0.95²⁰ = 64 % of them look significant.
        assert naive_passes > 100

    def test_the_size_of_a_position_does_not_matter(self) -> None:
        returns = skewed_returns(300, 0.1)
        assert sharpe_sample(returns * 1e-5) == pytest.approx(sharpe_sample(returns))

    def test_single_precision_is_summed_in_double(self) -> None:
        returns = skewed_returns(300, 0.1).astype(np.float32)
        assert sharpe_sample(returns) == sharpe_sample(returns.astype(np.float64))

    def test_a_strategy_without_trades_does_not_pass(self) -> None:
        deflated = deflated_sharpe_ratio(np.zeros(300), np.array([0.0, 0.1, 0.05]))
        assert deflated < 0.5


class TestErrors:
    def test_unknown_returns(self) -> None:
        with pytest.raises(ValueError, match="a day without trades is 0"):
            probabilistic_sharpe_ratio(np.array([0.1, np.nan, 0.2]), 0.0)

    @pytest.mark.parametrize("n_days", [0, 1])
    def test_too_few_days(self, n_days: int) -> None:
        with pytest.raises(ValueError, match=f"{n_days} days have no standard"):
            probabilistic_sharpe_ratio(np.ones(n_days), 0.0)

    def test_a_single_trial(self) -> None:
        with pytest.raises(ValueError, match="1 trial Sharpe ratios have no variance"):
            deflated_sharpe_ratio(skewed_returns(50, 0.1), np.array([0.1]))

    def test_an_unknown_trial(self) -> None:
        with pytest.raises(ValueError, match="leave no trial undefined"):
            deflated_sharpe_ratio(skewed_returns(50, 0.1), np.array([0.1, np.nan]))

    def test_no_trial_at_all(self) -> None:
        with pytest.raises(ValueError, match="n_trials is 0"):
            deflated_sharpe_ratio(skewed_returns(50, 0.1), np.array([0.1, 0.2]), 0)

    @pytest.mark.parametrize("variance", [-0.1, np.nan])
    def test_an_impossible_variance(self, variance: float) -> None:
        with pytest.raises(ValueError, match="must be zero or more"):
            expected_maximum_sharpe(10, variance)

    def test_excess_kurtosis_by_mistake(self) -> None:
        # Skewness 3 with kurtosis 7 less 3: no distribution has both.
        with pytest.raises(ValueError, match="and is 3 for normal returns"):
            SharpeSample(1.0, skewness=3, kurtosis=4, n_days=100).probability_above(0.0)
