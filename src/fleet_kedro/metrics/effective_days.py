r"""How many independent days a history of daily returns is worth.

The standard error of a mean grows when good days follow good days. With ``ρ_k`` the
autocorrelation at a lag of ``k`` days,

.. math:: n_{\text{eff}} = \frac{n}{1 + 2 \sum_{k=1}^{K} (1 - k/(K + 1)) \, ρ_k}

independent days would know the mean equally well. The falling weights are those of
Newey and West, "A simple, positive semi-definite, heteroskedasticity and
autocorrelation consistent covariance matrix" (Econometrica 55(3), 1987): they keep the
denominator from becoming negative. ``K = ⌊4 (n/100)^(2/9)⌋`` is a usual choice; see
Newey and West, "Automatic lag selection in covariance matrix estimation" (Review of
Economic Studies 61(4), 1994).
"""

import numpy as np
from jaxtyping import Float

_SMALLEST_SPREAD = 1e-12  # of the mean square; below it a variance is only rounding


def effective_days(daily_returns: Float[np.ndarray, " days"]) -> float:
    """Return ``n_eff``, from 1 to the number of days.

    Days that tend to undo each other would be worth more than their number; that is
    not granted. Returns that never vary are worth their number, as are fewer than two.
    """
    n_days = daily_returns.size
    returns = daily_returns.astype(np.float64)
    deviation = returns - returns.mean() if n_days else returns
    variance = np.sum(deviation**2)
    if variance <= _SMALLEST_SPREAD * np.sum(returns**2):
        return float(n_days)
    n_lags = min(int(4 * (n_days / 100) ** (2 / 9)), n_days - 1)
    inflation = 1.0
    for lag in range(1, n_lags + 1):
        together = np.sum(deviation[lag:] * deviation[:-lag])
        inflation += 2 * (1 - lag / (n_lags + 1)) * together / variance
    return max(float(n_days / max(inflation, 1.0)), 1.0)
