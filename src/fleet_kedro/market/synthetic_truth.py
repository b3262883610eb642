"""The best probability that anybody could give to the label of a synthetic row.

With the letters of ``synthetic``, row ``t`` and h = ``horizon_bars``, the log return
from the next open to the open h bars later is Σ g[t+k] over k = 1..h. Writing
R[k] = σ[t+k] + φ R[k+1] and R[h+1] = 0, so that R[1] = Σ σ[t+k] φ^(k−1), it is, given
x[t], the volatility and the trend ahead, and n jumps on the way, normal with

    mean      m    = edge·s·x[t]·R[1] + Σ drift[t+k]
    variance  v(n) = Σ σ²[t+k] + edge²·(1−φ²)·Σ_{k=2..h} R[k]² + n·(κ·σ̄)²

where the middle term is what the driver has yet to do. Jumps are Poisson with mean λh,
so P(forward_return > cost) = Σ_n Poisson(n; λh)·Φ((m − log(1+cost)) / √v(n)).
"""

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr
from scipy.stats import poisson

from fleet_kedro.market.synthetic_dynamics import PriceDynamics
from fleet_kedro.market.synthetic_path import AssetPath

# The chance of more jumps than are counted; far below what a probability can show.
_IGNORED_TAIL = 1e-13


def upside_probability(
    path: AssetPath, dynamics: PriceDynamics, horizon_bars: int, cost: float
) -> Float[np.ndarray, " rows"]:
    """P(open[t+1+h] / open[t+1] − 1 > cost), given x[t] and the schedule ahead.

    The result is ``horizon_bars`` shorter than the path, whose last rows have no full
    schedule ahead of them. It never looks at a return of the path.
    """
    mean, variance = _normal_part(path, dynamics, horizon_bars)
    excess = mean - np.log1p(cost)
    expected_jumps = dynamics.jumps_per_bar * horizon_bars
    jump_variance = (dynamics.jump_scale * path.traits.base_volatility) ** 2
    most = int(poisson.isf(_IGNORED_TAIL, expected_jumps)) if expected_jumps else 0
    weights = poisson.pmf(np.arange(most + 1), expected_jumps)
    probability = np.zeros(len(mean))
    for jumps, weight in enumerate(weights / weights.sum()):
        probability += weight * ndtr(excess / np.sqrt(variance + jumps * jump_variance))
    # Rounding may leave a sum of weights a hair above one.
    return np.minimum(probability, 1.0)


def _normal_part(
    path: AssetPath, dynamics: PriceDynamics, horizon_bars: int
) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, " rows"]]:
    """Return m and v(0), by Horner's scheme from the far end of the horizon."""
    rows = len(path.driver) - horizon_bars
    phi = dynamics.driver_persistence
    innovation = dynamics.edge**2 * (1 - phi**2)
    reach, drift, variance = np.zeros(rows), np.zeros(rows), np.zeros(rows)
    for ahead in range(horizon_bars, 0, -1):
        volatility = path.volatility[ahead : ahead + rows]
        reach = volatility + phi * reach
        drift += path.drift[ahead : ahead + rows]
        variance += volatility**2
        if ahead > 1:
            variance += innovation * reach**2
    planted = dynamics.edge * path.traits.sign * path.driver[:rows] * reach
    return planted + drift, variance
