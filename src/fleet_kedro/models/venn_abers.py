"""Venn-Abers: how far the record of a forecaster carries, as an interval.

Inductive Venn-Abers predictor (Vovk and Petej 2014, "Venn-Abers predictors"; Vovk,
Petej and Fedorova 2015, "Large-scale probabilistic prediction with and without validity
guarantees", sections 2 and 4). Take past forecasts, what came true, and one new
forecast ``s``. Pretend that its outcome is 0, fit an isotonic regression to all these
rows and read it at ``s``: that is ``p0``. Pretend 1: that is ``p1``. One of the two is
no pretence, and under it the new row is one more of the same kind as the others. So
``p_Y``, the end that belongs to the outcome ``Y``, is calibrated however short the
record is, ``E[Y | p_Y] = p_Y``, provided the rows are exchangeable: in any order
equally likely.

Hours of a market are not. A label over 12 bars shares 11 of them with the next row's,
and assets move together, so ``n`` rows say less than ``n`` independent ones would, and
the plain interval is too narrow. ``effective_share`` widens it: the new row weighs as
much as ``m = 1 / effective_share`` rows of the record. Where the rows are exchangeable
clusters of ``m`` copies each, this restores the promise to the letter. For any other
dependence it is caution rather than law: the wide interval contains the plain one, but
its ``p_Y`` leans further towards ``Y`` than calibration asks.

What no width here can do. It cannot answer for drift: a record speaks only of the
market that it was made in. And it is no confidence interval for the chance of the
outcome: over ``k`` pooled rows the gap is about ``m / k``, and the error of their mean
is of the order ``√(m / k)``, far more.
"""

from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float, Float64, Int
from scipy.optimize import isotonic_regression
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from fleet_kedro.models.learnt import Learnt, Restorable


class VennAbers(Restorable, BaseEstimator):
    """Two calibrated probabilities for one forecast, a lower and an upper.

    ``p0 < p1``, neither ever falls when the forecast rises, and their gap is at least
    ``1 / (1 + n effective_share)``. Below the smallest forecast of the record ``p0`` is
    0, above the largest ``p1`` is 1, because nothing is known there.

    Parameters
    ----------
    effective_share
        Independent rows per row of the record, above 0 and up to 1: ``1 / 12`` where
        twelve neighbours say what one would.

    Attributes
    ----------
    score_ : (scores,)
        The forecasts of the record, rising, each once.
    low_ : (scores + 1,)
        ``p0`` of a forecast that is not below so many of them.
    high_ : (scores + 1,)
        ``p1`` of a forecast that is above so many of them.
    """

    kept: ClassVar = {
        "score_": Float64[np.ndarray, " scores"],
        "low_": Float64[np.ndarray, " scores+1"],
        "high_": Float64[np.ndarray, " scores+1"],
    }

    def __init__(self, *, effective_share: float = 1.0) -> None:
        self.effective_share = effective_share

    def fit(
        self,
        probability: Float[np.ndarray, " rows"],
        is_positive: Bool[np.ndarray, " rows"],
    ) -> "VennAbers":
        """Learn from forecasts that were made out of sample and whose labels are known.

        Raises
        ------
        ValueError
            If there are no rows, a forecast is NaN or outside [0, 1], or
            ``effective_share`` is not above 0 and at most 1.
        """
        if not 0 < self.effective_share <= 1:
            raise ValueError(
                f"effective_share is {self.effective_share}; it must be above 0 and at "
                "most 1."
            )
        if not len(probability):
            raise ValueError("There are no past forecasts; give at least one.")
        n_unknown = int(np.isnan(probability).sum())
        if n_unknown:
            raise ValueError(f"{n_unknown} past forecasts are NaN; leave them out.")
        self.score_, place = np.unique(_checked(probability), return_inverse=True)
        rows = np.bincount(place).astype(np.float64)
        positives = np.bincount(place, weights=is_positive)
        test_rows = 1 / self.effective_share
        self.high_ = _upper(rows, positives, test_rows)
        # With order and outcomes both turned round, a lower end is an upper one.
        self.low_ = 1 - _upper(rows[::-1], (rows - positives)[::-1], test_rows)[::-1]
        return self

    def learnt(self) -> Learnt:
        """Return the forecasts at which an end changes; no other one decides anything.

        One that is restored gives the same intervals from a fraction of the record.
        """
        check_is_fitted(self)
        changes = (np.diff(self.low_) != 0) | (np.diff(self.high_) != 0)
        is_kept = np.concatenate(([True], changes))
        return {
            "score_": self.score_[changes],
            "low_": self.low_[is_kept],
            "high_": self.high_[is_kept],
        }

    def interval(
        self, probability: Float[np.ndarray, " rows"]
    ) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, " rows"]]:
        """Return ``(p0, p1)`` of each forecast; NaN where the forecast is NaN.

        Raises
        ------
        ValueError
            If a forecast is outside [0, 1].
        """
        check_is_fitted(self)
        score = _checked(probability)
        low = self.low_[np.searchsorted(self.score_, score, side="right")]
        high = self.high_[np.searchsorted(self.score_, score, side="left")]
        is_unknown = np.isnan(score)
        return np.where(is_unknown, np.nan, low), np.where(is_unknown, np.nan, high)

    def predict(
        self, probability: Float[np.ndarray, " rows"]
    ) -> Float[np.ndarray, " rows"]:
        """Return one probability inside each interval, ``p1 / (1 − p0 + p1)``.

        It loses the same in log-loss to ``p0`` when the outcome is 0 as to ``p1`` when
        it is 1; any other choice loses more in one of the two cases (Vovk, Petej and
        Fedorova 2015, section 4).
        """
        low, high = self.interval(probability)
        return np.asarray(high / (1 - low + high))


def _checked(probability: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
    """Return the forecasts in float64, NaN included; refuse any outside [0, 1]."""
    is_outside = (probability < 0) | (probability > 1)
    if is_outside.any():
        raise ValueError(
            f"A forecast is {probability[is_outside][0]}; it must be from 0 to 1."
        )
    return probability.astype(np.float64)


def _upper(
    rows: Float[np.ndarray, " scores"],
    positives: Float[np.ndarray, " scores"],
    test_rows: float,
) -> Float[np.ndarray, " places"]:
    """Return ``p1`` at each score in turn, and above the last.

    Let ``P_a`` be the point (rows, positives), both summed over the first ``a`` scores.
    Isotonic regression is the slope of the greatest convex minorant of these points.
    A positive row of weight ``m`` at score ``i`` moves ``P_i`` and all later points by
    ``(m, m)``; equally, it moves the earlier ones by ``(−m, −m)``, to ``Q_a``. Hence ::

        p1_i = max_{a < i} min_{b >= i} slope(Q_a, P_b)
             = max_{a < i} T_a,    T_a = min over corners C right of Q_a, slope(Q_a, C)

    with the corners of the record's own minorant. Why ``C`` may replace ``P_b``: the
    line of slope ``p1_i`` lies under each earlier ``Q_a``, and more so under ``P_a``,
    which is ``(m, m)`` further on, because no slope exceeds 1. So it supports the whole
    minorant and touches a corner. No other ``T_a`` is larger: from under the minorant
    it is least over all points, from above it is below the slope of the minorant there.
    As ``T_a`` does not know ``i``, all of ``p1`` is one running maximum, O(n log n).

    A new row between two scores has the ``p1`` of the upper one: its 1 is pooled with
    that score, whose mean is not above 1.
    """
    # SciPy's blocks begin where a corner lies, and the last entry is the end.
    corner = isotonic_regression(positives / rows, weights=rows).blocks
    x, y = (np.concatenate(([0.0], np.cumsum(count))) for count in (rows, positives))
    return np.maximum.accumulate(_tangent_slope(x, y, corner, test_rows))


def _tangent_slope(
    x: Float[np.ndarray, " points"],
    y: Float[np.ndarray, " points"],
    corner: Int[np.ndarray, " corners"],
    shift: float,
) -> Float[np.ndarray, " points"]:
    """Return the least slope from ``(x − shift, y − shift)`` to a corner right of it.

    Along a convex chain the slope from a point falls, then rises: once an edge is
    steeper than the line to its start, so are all after it. The turn is found by
    bisection, for all points at once. Counts are subtracted before the shift is added,
    so a slope can never round above 1.
    """
    corner_x, corner_y = x[corner], y[corner]
    # Behind the last corner the chain goes straight up.
    run = np.diff(corner_x, append=corner_x[-1])
    rise = np.diff(corner_y, append=corner_y[-1] + 1)
    first = np.searchsorted(corner_x, x - shift, side="right")
    last = np.full_like(first, len(corner) - 1)
    while (first < last).any():
        middle = (first + last) // 2
        across = corner_x[middle] - x + shift
        up = corner_y[middle] - y + shift
        has_turned = rise[middle] * across >= run[middle] * up
        first = np.where(has_turned, first, middle + 1)
        last = np.where(has_turned, middle, last)
    return (corner_y[first] - y + shift) / (corner_x[first] - x + shift)
