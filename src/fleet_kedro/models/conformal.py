r"""Intervals that keep their coverage: adaptive conformal prediction, told late.

A forecast of row ``t`` missed its outcome by a *score* ``e_t = |r_t - f_t| / u_t``, in
units of a scale ``u_t`` that is known with the forecast. The interval of row ``s`` is
``f_s ± q_s u_s`` with ``q_s`` the ``1 - α_s`` quantile of the last scores that are
known. Were rows exchangeable, ``α`` could stay at the nominal miss rate. Markets are
not, so it moves against the misses (Gibbs and Candès, "Adaptive conformal inference
under distribution shift", NeurIPS 2021, equation 2):

.. math:: α \leftarrow α + \frac{γ}{h} \left( α_{nominal} - 1[e_t > q_t] \right)

Two things differ from the paper. An outcome over ``h`` hours is known ``h + 1`` bars
after its row, so the update is that late, and as labels overlap, each counts as one
``h``-th of an outcome. And ``α`` stays inside bounds: the paper lets an interval become
infinite or empty, of which nobody could make use.

The scale is a forecast of volatility. Volatility returns to its usual level, so an
interval in units of the last week's would be too wide in wild weeks and too narrow in
calm ones; its square is mixed with its mean over a season, in the manner of Corsi ("A
simple approximate long-memory model of realized volatility", Journal of Financial
Econometrics 7(2), 2009). Scores in units of an estimated spread: Lei et al.,
"Distribution-free predictive inference for regression" (JASA 113, 2018), section 5.2.
"""

import bisect
import math
from collections import deque

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64
from pydantic import Field

from fleet_kedro.config import Config

_RATE_BOUNDS = (0.1, 5.0)  # of the nominal miss rate


class ConformalSettings(Config):
    """How often intervals should hold, and from which past they are learnt."""

    coverage: float = Field(
        default=0.9, ge=0.5, lt=1, description="Share of outcomes inside."
    )
    step: float = Field(
        default=0.005, ge=0, lt=1, description="Gamma: move per outcome; 0: none."
    )
    window_rows: int = Field(
        default=4000, ge=1, description="Last known scores that quantiles are of."
    )
    fewest_scores: int = Field(
        default=200,
        ge=1,
        description="Known scores from which on there is an interval.",
    )
    season_rows: int = Field(
        default=2160, ge=1, description="Rows behind the usual level of volatility."
    )
    season_share: float = Field(
        default=0.5, ge=0, le=1, description="Its share in the squared scale."
    )


def interval_scale(
    volatility: Float[np.ndarray, " rows"], settings: ConformalSettings
) -> Float[np.ndarray, " rows"]:
    """Return the volatility of an hour to expect: between the last week's and usual.

    ``u² = (1 - share) σ² + share mean(σ²)``, the mean over the last ``season_rows``
    rows, or as many as there are. Rows are oldest first and hold no NaN.
    """
    squared = pd.Series(np.square(volatility))
    usual = squared.rolling(settings.season_rows, min_periods=1).mean()
    share = settings.season_share
    return np.asarray(np.sqrt((1 - share) * squared + share * usual))


def interval_widths(
    score: Float[np.ndarray, " rows"],
    hour: Int64[np.ndarray, " rows"],
    horizon_bars: int,
    settings: ConformalSettings,
) -> Float[np.ndarray, " rows"]:
    """Return ``q``: half the width of each row's interval, in units of its scale.

    Parameters
    ----------
    score
        ``|outcome - forecast| / scale`` of each row, oldest first; NaN where it is not
        known, which teaches nothing.
    hour
        Clock of each row in bars, strictly increasing; gaps are allowed.

    Returns
    -------
    numpy.ndarray
        A row's width knows the scores of rows at least ``horizon_bars + 1`` bars
        before it, and nothing later. NaN until ``fewest_scores`` are known.
    """
    widths = np.full(len(score), np.nan)
    recent = _RecentScores(settings, horizon_bars)
    # How many of the first rows have outcomes by the time of each row.
    known = np.searchsorted(hour, hour - (horizon_bars + 1), side="right")
    scores, next_known = score.tolist(), 0
    for row, n_known in enumerate(known.tolist()):
        while next_known < n_known:
            recent.learn(scores[next_known], widths[next_known])
            next_known += 1
        widths[row] = recent.width()
    return widths


class _RecentScores:
    """The last known scores, sorted, and the miss rate at which they are read."""

    def __init__(self, settings: ConformalSettings, horizon_bars: int) -> None:
        self._settings = settings
        self._step = settings.step / horizon_bars
        self._nominal = 1 - settings.coverage
        self._rate = self._nominal
        self._in_order: deque[float] = deque()
        self._sorted: list[float] = []

    def learn(self, score: float, width: float) -> None:
        """Take in an outcome that has just become known, and the width it was given."""
        if math.isnan(score):
            return
        if not math.isnan(width):
            moved = self._rate + self._step * (self._nominal - (score > width))
            low, high = (bound * self._nominal for bound in _RATE_BOUNDS)
            self._rate = min(max(moved, low), high)
        self._in_order.append(score)
        bisect.insort(self._sorted, score)
        if len(self._in_order) > self._settings.window_rows:
            oldest = self._in_order.popleft()
            del self._sorted[bisect.bisect_left(self._sorted, oldest)]

    def width(self) -> float:
        """Return the quantile, with one score more than there are as conformal asks."""
        n_scores = len(self._sorted)
        if n_scores < self._settings.fewest_scores:
            return math.nan
        # Rounded, or 0.9 × 10 would be a hair above nine.
        place = math.ceil(round((n_scores + 1) * (1 - self._rate), 9))
        return self._sorted[min(place, n_scores) - 1]
