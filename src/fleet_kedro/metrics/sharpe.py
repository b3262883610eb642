"""How likely a Sharpe ratio is real: given its sample, and given all that was tried.

Every Sharpe ratio here is **per day**: mean over standard deviation of daily returns,
no risk-free rate, never annualised (annualised is √(days per year) times as much).

The formulas take days as independent. Positions held over midnight, or several that
overlap, must therefore be booked day by day: a row is the sum of the profit and loss
of that day, not the outcome of the trades that opened on it. Where days still depend
on each other, there are fewer effective days than rows and the probabilities below
are too far from one half.

Probabilistic Sharpe ratio: Bailey and López de Prado, "The Sharpe ratio efficient
frontier" (Journal of Risk 15(2), 2012). False strategy theorem and deflated Sharpe
ratio: Bailey and López de Prado, "The deflated Sharpe ratio" (Journal of Portfolio
Management 40(5), 2014).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri

DAYS_PER_YEAR = 365  # the market never closes

_SMALLEST_SPREAD = 1e-12  # of the mean square; below it a variance is only rounding
_FEWEST_DAYS = 2
_FEWEST_TRIALS = 2


class SharpeSample(NamedTuple):
    """A Sharpe ratio and what its standard error depends on.

    ``kurtosis`` is 3 for normal returns, not 0.
    """

    sharpe: float
    skewness: float
    kurtosis: float
    n_days: int

    def probability_above(self, benchmark_sharpe: float) -> float:
        """Return the probability that the true daily Sharpe exceeds the benchmark.

        ``Φ((SR − SR*) √(n − 1) / √(1 − γ₃ SR + (γ₄ − 1)/4 SR²))`` with skewness
        ``γ₃`` and kurtosis ``γ₄``; an approximation for many days.
        """
        spread = (
            1 - self.skewness * self.sharpe + (self.kurtosis - 1) / 4 * self.sharpe**2
        )
        if spread <= 0:
            raise ValueError(
                f"{self} leaves the Sharpe ratio no positive variance ({spread:.3g}): "
                "kurtosis must exceed 1 + skewness², and is 3 for normal returns."
            )
        distance = (self.sharpe - benchmark_sharpe) * np.sqrt(self.n_days - 1)
        return float(ndtr(distance / np.sqrt(spread)))


def probabilistic_sharpe_ratio(
    daily_returns: Float[np.ndarray, " days"], benchmark_sharpe: float
) -> float:
    """Return the probability that the true Sharpe exceeds ``benchmark_sharpe``.

    Both are per day. One half for a Sharpe ratio equal to the benchmark. Returns are
    fractions; NaN is refused.
    """
    return sharpe_sample(daily_returns).probability_above(benchmark_sharpe)


def deflated_sharpe_ratio(
    daily_returns: Float[np.ndarray, " days"],
    trial_sharpes: Float[np.ndarray, " trials"],
    n_trials: int | None = None,
) -> float:
    """Return the probability that the chosen strategy beats luck in as many trials.

    It is the probabilistic Sharpe ratio against `expected_maximum_sharpe`.

    Parameters
    ----------
    daily_returns
        Of the strategy that was chosen, as fractions; NaN is refused.
    trial_sharpes
        Daily Sharpe ratio of *every* configuration that was tried, the chosen one
        included, for their variance (with ``trials − 1``).
    n_trials
        Independent trials; all of ``trial_sharpes`` by default, which is severe when
        they resemble each other. More than that when some were not kept.
    """
    if trial_sharpes.size < _FEWEST_TRIALS:
        raise ValueError(
            f"{trial_sharpes.size} trial Sharpe ratios have no variance: give at "
            "least 2, or use the probabilistic Sharpe ratio for a single trial."
        )
    if not np.isfinite(trial_sharpes).all():
        raise ValueError(
            "trial_sharpes hold NaN or infinity; leave no trial undefined."
        )
    variance = float(np.var(trial_sharpes, ddof=1, dtype=np.float64))
    trials = trial_sharpes.size if n_trials is None else n_trials
    benchmark = expected_maximum_sharpe(trials, variance)
    return probabilistic_sharpe_ratio(daily_returns, benchmark)


def expected_maximum_sharpe(n_trials: int, variance_of_trial_sharpes: float) -> float:
    """Return the best Sharpe ratio to expect from trials that are all worthless.

    ``√V ((1 − γ) Φ⁻¹(1 − 1/N) + γ Φ⁻¹(1 − 1/(N e)))``, ``γ`` Euler's constant: the
    mean maximum of ``N`` independent normal Sharpe ratios of mean zero and variance
    ``V``. The approximation is 8 % low for two trials and within 3 % from three on; one
    trial gives zero. The unit is that of ``√V``: daily variance in, daily Sharpe out.
    """
    if n_trials < 1:
        raise ValueError(f"n_trials is {n_trials}; at least one strategy was tried.")
    if not variance_of_trial_sharpes >= 0:
        raise ValueError(
            f"The variance of the trial Sharpe ratios is {variance_of_trial_sharpes}; "
            "it must be zero or more."
        )
    if n_trials == 1:
        return 0.0
    # By symmetry Φ⁻¹(1 − p) = −Φ⁻¹(p), which loses no digits for many trials.
    quantile = -ndtri(1 / n_trials)
    farther_quantile = -ndtri(1 / (n_trials * np.e))
    maximum = (1 - np.euler_gamma) * quantile + np.euler_gamma * farther_quantile
    return float(np.sqrt(variance_of_trial_sharpes) * maximum)


def sharpe_sample(daily_returns: Float[np.ndarray, " days"]) -> SharpeSample:
    """Measure the Sharpe ratio, skewness and kurtosis of one strategy.

    Skewness and kurtosis are the plain (biased) sample moments; those of the normal
    distribution for constant returns, whose Sharpe ratio is 0.
    """
    sharpe = float(sharpe_ratios(daily_returns[:, np.newaxis])[0])
    returns = daily_returns.astype(np.float64)
    deviation = returns - returns.mean()
    variance = np.mean(deviation**2)
    if variance <= _SMALLEST_SPREAD * np.mean(returns**2):
        return SharpeSample(sharpe, skewness=0.0, kurtosis=3.0, n_days=returns.size)
    standardised = deviation / np.sqrt(variance)
    return SharpeSample(
        sharpe,
        skewness=float(np.mean(standardised**3)),
        kurtosis=float(np.mean(standardised**4)),
        n_days=returns.size,
    )


def sharpe_ratios(
    daily_returns: Float[np.ndarray, "days configurations"],
) -> Float[np.ndarray, " configurations"]:
    """Return the daily Sharpe ratio of each column; 0 where a column is constant.

    Returns are fractions; NaN is refused.
    """
    n_days = len(daily_returns)
    if n_days < _FEWEST_DAYS:
        raise ValueError(f"{n_days} days have no standard deviation; give at least 2.")
    if not np.isfinite(daily_returns).all():
        raise ValueError(
            "daily_returns hold NaN or infinity; a day without trades is 0."
        )
    returns = daily_returns.astype(np.float64)
    return sharpe_from_sums(
        np.array([float(n_days)]), returns.sum(axis=0), (returns**2).sum(axis=0)
    )


def sharpe_from_sums(
    n_days: Float[np.ndarray, "*#shape"],
    sum_of_returns: Float[np.ndarray, "*#shape"],
    sum_of_squares: Float[np.ndarray, "*#shape"],
) -> Float[np.ndarray, "*#shape"]:
    """Return mean over standard deviation (with ``n − 1``) from sums over days.

    The three sums add up over blocks of days, so any union of blocks costs an addition.
    Constant returns have Sharpe 0, be they zero or not: without risk there is nothing
    to compare.
    """
    mean = sum_of_returns / n_days
    variance = (sum_of_squares - mean * sum_of_returns) / (n_days - 1)
    # The difference of two sums is rarely exactly zero. The bound below calls constant
    # what has a daily Sharpe ratio above a million.
    varies = variance > _SMALLEST_SPREAD * sum_of_squares / n_days
    return np.where(varies, mean / np.sqrt(np.where(varies, variance, 1.0)), 0.0)
