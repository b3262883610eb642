r"""Forecasts that are too good to be true, told by what they would have earned.

A forecast that has seen its outcome cannot be told by looking at it, but by its
success. Let :math:`\rho` be the correlation of forecasts with outcomes over ``h`` hours
and :math:`R^2 = \rho^2`. Whoever sizes a position by the forecast has, per period of
``h`` hours, a Sharpe ratio of about :math:`\sqrt{R^2 / (1 - R^2)}` before costs
(Campbell and Thompson, "Predicting excess stock returns out of sample: can anything
beat the historical average?", Review of Financial Studies 21(4), 2008), and a year
holds ``8760 / h`` periods. A bound ``S`` on the annual Sharpe ratio of timing one asset
therefore bounds the correlation at every horizon:

.. math:: \rho_{max} = \sqrt{q / (1 + q)}, \qquad q = S^2 h / 8760

and with it the share of right signs, which for normal variables is
:math:`1/2 + \arcsin(\rho_{max}) / \pi`, and the skill, which a correlation never lets
exceed :math:`1 - \sqrt{1 - \rho_{max}^2}`. With ``S = 16``, far beyond what anybody
could believe of timing one liquid coin:

=======  ==========  ===========  ===========
horizon  largest R²  correlation  right signs
=======  ==========  ===========  ===========
1 h      2.8 %       0.17         55.4 %
12 h     26 %        0.51         67.0 %
=======  ==========  ===========  ===========

Beyond a few days the bound says little. The best possible forecast of the embedded
market with its default edge of 0.1 has an R² of 1 % at 1 h and of 7 % at 12 h. "The
actual next price plus 0.45 % noise" has 39 % at 1 h for a coin that moves by 0.36 % an
hour, and 88 % at 12 h. Its error at 1 h is nevertheless larger than that of the zero
forecast, so a poor skill proves no innocence.

Both figures are judged by their lower confidence limits, so that few rows convict
nobody. Outcomes of neighbouring hours overlap: ``n`` rows count as ``n / h``. The
correlation is one of ranks, made into that of normal variables by
:math:`2 \sin(\pi \rho_S / 6)`: one jump can neither convict nor acquit.

What such a leak looks like in a backtest: with a threshold above the noise (0.6 to
0.75 % an hour), eight to nine trades of ten win after costs, no month loses, and the
equity is a straight line on a logarithmic scale, even on a market in which nothing can
be known. An honest forecast that merely survives its costs wins about half of the
time.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from pydantic import Field
from scipy.stats import spearmanr

from fleet_kedro.config import Config

HOURS_PER_YEAR = 24 * 365
_FEWEST_ROWS = 4.0


class HonestBounds(Config):
    """What the best honest forecast of one asset might reach."""

    largest_annual_sharpe: float = Field(
        default=16.0, gt=0, description="Of timing one asset, before costs."
    )
    standard_errors: float = Field(
        default=3.0, gt=0, description="How far beyond its bound a figure must be."
    )

    def largest_correlation(self, horizon_bars: int) -> float:
        """Return ``ρ_max``; the formula is the module's."""
        odds = self.largest_annual_sharpe**2 * horizon_bars / HOURS_PER_YEAR
        return float(np.sqrt(odds / (1.0 + odds)))

    def largest_accuracy(self, horizon_bars: int) -> float:
        """Return the share of right signs that ``ρ_max`` gives."""
        return float(0.5 + np.arcsin(self.largest_correlation(horizon_bars)) / np.pi)


class ForecastCheck(NamedTuple):
    """How good forecasts are, beside the best that could be honest.

    Attributes
    ----------
    correlation, accuracy
        As found: that of normal variables with the same ranks, and the share of right
        signs among rows where neither is zero; NaN without such rows.
    skill
        ``1 − RMSE / RMSE₀`` beside the forecast of zero; told, not judged.
    effective_rows
        Rows over the horizon.
    correlation_low, accuracy_low
        Lower confidence limits.
    correlation_bound, accuracy_bound
        What may not be exceeded.
    """

    correlation: float
    accuracy: float
    skill: float
    effective_rows: float
    correlation_low: float
    accuracy_low: float
    correlation_bound: float
    accuracy_bound: float

    @property
    def is_too_good(self) -> bool:
        """Whether either figure lies beyond its bound, luck allowed for."""
        return bool(
            self.correlation_low > self.correlation_bound
            or self.accuracy_low > self.accuracy_bound
        )


def check_forecasts(
    forecast: Float[np.ndarray, " rows"],
    forward_return: Float[np.ndarray, " rows"],
    horizon_bars: int,
    bounds: HonestBounds,
) -> ForecastCheck:
    """Measure forecasts of one asset against what they forecast.

    Parameters
    ----------
    forecast
        Expected returns over the horizon, or anything that is higher for a better
        outlook and has its sign; hour by hour.
    forward_return
        The returns as they came. Rows where either is NaN are left out.
    """
    is_known = np.isfinite(forecast) & np.isfinite(forward_return)
    said, came = forecast[is_known], forward_return[is_known]
    effective = said.size / horizon_bars
    correlation = _correlation(said, came)
    has_sign = (said != 0.0) & (came != 0.0)
    accuracy = _mean((said * came > 0.0)[has_sign])
    largest, z = bounds.largest_correlation(horizon_bars), bounds.standard_errors
    right = bounds.largest_accuracy(horizon_bars)
    signs = max(has_sign.sum() / horizon_bars, 1.0)
    return ForecastCheck(
        correlation=correlation,
        accuracy=accuracy,
        skill=_skill(said, came),
        effective_rows=effective,
        correlation_low=_lower_limit(correlation, effective, z),
        # The error that the share would have at its bound.
        accuracy_low=float(accuracy - z * np.sqrt(right * (1.0 - right) / signs)),
        correlation_bound=largest,
        accuracy_bound=right,
    )


def refuse_oracles(
    forecasts: pd.DataFrame, horizon_bars: int, bounds: HonestBounds
) -> dict[str, ForecastCheck]:
    """Check every asset's forecasts, and let none pass that is too good to be true.

    Parameters
    ----------
    forecasts
        ``asset``, ``forecast`` and ``forward_return`` over ``horizon_bars`` hours: a
        row per asset and hour.

    Raises
    ------
    ValueError
        If the forecasts of an asset exceed the bounds; it names each asset's figures.
    """
    checks = {
        str(asset): check_forecasts(
            rows["forecast"].to_numpy(dtype=np.float64),
            rows["forward_return"].to_numpy(dtype=np.float64),
            horizon_bars,
            bounds,
        )
        for asset, rows in forecasts.groupby("asset")
    }
    guilty = {asset: check for asset, check in checks.items() if check.is_too_good}
    if guilty:
        raise ValueError(
            f"These {horizon_bars} h forecasts are too good to be true: "
            f"{'; '.join(_sentence(*found) for found in guilty.items())}. They have "
            "most likely seen their outcomes. Give forecasts of a walk-forward, whose "
            "training ends before the rows that they are made for."
        )
    return checks


def _sentence(asset: str, check: ForecastCheck) -> str:
    return (
        f"{asset} has a correlation of {check.correlation:.2f} with what came (honest: "
        f"at most {check.correlation_bound:.2f}) and {check.accuracy:.1%} right signs "
        f"(at most {check.accuracy_bound:.1%}) in {check.effective_rows:,.0f} "
        "independent rows"
    )


def _correlation(
    said: Float[np.ndarray, " rows"], came: Float[np.ndarray, " rows"]
) -> float:
    """Return the correlation of normal variables that have these ranks."""
    if said.size < _FEWEST_ROWS or not (np.ptp(said) > 0 and np.ptp(came) > 0):
        return float("nan")
    return float(2.0 * np.sin(np.pi * spearmanr(said, came).statistic / 6.0))


def _lower_limit(correlation: float, effective: float, z: float) -> float:
    """Return the lower confidence limit by Fisher's transform; −1 for too few rows."""
    if effective < _FEWEST_ROWS:
        return -1.0
    # A correlation of one, which only a copy of the outcome has, has no transform.
    distance = np.arctanh(min(correlation, 1.0 - 1e-12))
    return float(np.tanh(distance - z / np.sqrt(effective - 3.0)))


def _skill(said: Float[np.ndarray, " rows"], came: Float[np.ndarray, " rows"]) -> float:
    of_zero = _mean(came**2)
    return float(1.0 - np.sqrt(_mean((came - said) ** 2) / of_zero)) if of_zero else 0.0


def _mean(values: Float[np.ndarray, " rows"] | Bool[np.ndarray, " rows"]) -> float:
    return float(values.mean()) if values.size else float("nan")
