"""What an asset is expected to return over the next H hours, from one source or two.

Every number is a simple return as a fraction: 0.0186 is +1.86 %. Arrays have a row per
moment and a column per asset, so the same code serves one moment and a whole backtest.

**One source.** ``ensemble`` takes the asset's own models, ``brain`` the global brain.
What the chosen source does not know stays unknown: the other never steps in for it.

**Both.** Where both know, their forecasts are weighted by the inverse of their squared
interval widths (Bates and Granger 1969, section 3, with the correlation of the errors
left out, since its estimate costs more than it brings):

    w_k = (1 / width_k²) / Σ (1 / width_k²),    r = Σ w_k r_k

Both intervals have to be of one level. The ends are averaged with the same weights.
That is as wide as if both erred together, and they nearly do: each misses the same
surprise. Where a width is unknown or zero the two count equally, and the interval is
unknown if one of them is. Where only one source knows, it stands alone.
"""

from enum import IntEnum
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int8, Shaped

ForecastSource = Literal["ensemble", "brain", "both"]


class Absence(IntEnum):
    """Why an asset cannot be judged at a moment; ``NONE`` where it can."""

    NONE = 0
    NO_CANDLE = 1
    STALE_CANDLE = 2
    CLOCK_AHEAD = 3
    NO_MODEL = 4
    NO_FORECAST = 5
    NO_THRESHOLD = 6


class ExpectedReturns(NamedTuple):
    """Expected simple returns, their intervals, and why one is missing.

    Attributes
    ----------
    expected_return, low, high
        Fractions over the horizon. All three are NaN where the forecast is unknown; the
        ends alone are NaN where it comes without an interval.
    absence
        Codes of `Absence`: not ``NONE`` exactly where ``expected_return`` is NaN.
    """

    expected_return: Float[np.ndarray, "moments assets"]
    low: Float[np.ndarray, "moments assets"]
    high: Float[np.ndarray, "moments assets"]
    absence: Int8[np.ndarray, "moments assets"]

    @classmethod
    def of(
        cls,
        expected_return: Float[np.ndarray, "moments assets"],
        low: Float[np.ndarray, "moments assets"],
        high: Float[np.ndarray, "moments assets"],
    ) -> "ExpectedReturns":
        """Take simple returns as they come; what cannot be one becomes unknown.

        That is what is not finite, and a loss of everything or more. Half an interval,
        or one whose ends are the wrong way round, is none.
        """
        is_known = np.isfinite(expected_return) & (expected_return > -1)
        has_interval = is_known & np.isfinite(low) & np.isfinite(high) & (low <= high)
        return cls(
            np.where(is_known, expected_return, np.nan),
            np.where(has_interval, low, np.nan),
            np.where(has_interval, high, np.nan),
            _codes(~is_known, Absence.NO_FORECAST),
        )

    @classmethod
    def of_log_returns(
        cls,
        expected_return: Float[np.ndarray, "moments assets"],
        low: Float[np.ndarray, "moments assets"],
        high: Float[np.ndarray, "moments assets"],
    ) -> "ExpectedReturns":
        """Turn log returns into simple ones, ``exp(x) - 1``.

        The ends keep their meaning, since the map rises. The middle becomes a median
        rather than a mean: it lacks half the variance, 2 bp where a move is 2 %.
        """
        return cls.of(np.expm1(expected_return), np.expm1(low), np.expm1(high))

    @classmethod
    def unknown(
        cls, shape: tuple[int, int], absence: Absence = Absence.NO_MODEL
    ) -> "ExpectedReturns":
        """Return forecasts that say nothing, for one reason."""
        nothing = np.full(shape, np.nan)
        return cls(nothing, nothing, nothing, np.full(shape, absence, dtype=np.int8))

    def without(self, absence: Int8[np.ndarray, "moments assets"]) -> "ExpectedReturns":
        """Forget what must not be used; a reason given here goes before an older one.

        Parameters
        ----------
        absence
            Codes of `Absence`; ``NONE`` leaves a forecast as it is.
        """
        is_kept = absence == Absence.NONE
        return ExpectedReturns(
            np.where(is_kept, self.expected_return, np.nan),
            np.where(is_kept, self.low, np.nan),
            np.where(is_kept, self.high, np.nan),
            np.where(is_kept, self.absence, absence),
        )


def choose_source(
    ensemble: ExpectedReturns | None,
    brain: ExpectedReturns | None,
    source: ForecastSource,
) -> ExpectedReturns:
    """Return the forecasts of one source, or of both; see the module for the formula.

    Raises
    ------
    ValueError
        If the source that is asked for was not given; for ``both`` one suffices.
    """
    if source == "both" and ensemble is not None and brain is not None:
        return _combined(ensemble, brain)
    asked_for = {"ensemble": ensemble, "brain": brain, "both": ensemble or brain}
    chosen = asked_for[source]
    if chosen is None:
        given = "neither of them"
        if ensemble is not None or brain is not None:
            given = "the brain" if ensemble is None else "the ensemble"
        raise ValueError(
            f"The forecast is to come from {source!r}, but {given} is given; train the "
            "other, or choose the source that is there."
        )
    return chosen


def _combined(first: ExpectedReturns, second: ExpectedReturns) -> ExpectedReturns:
    """Average where both know; take the one that knows elsewhere."""
    weight = _weight_of_first(first, second)
    knows_first = first.absence == Absence.NONE
    knows_second = second.absence == Absence.NONE

    def merged(
        one: Float[np.ndarray, "moments assets"],
        other: Float[np.ndarray, "moments assets"],
    ) -> Float[np.ndarray, "moments assets"]:
        alone = np.where(knows_first, one, other)
        together = weight * one + (1 - weight) * other
        return np.where(knows_first & knows_second, together, alone)

    return ExpectedReturns(
        merged(first.expected_return, second.expected_return),
        merged(first.low, second.low),
        merged(first.high, second.high),
        np.where(knows_second, np.int8(Absence.NONE), first.absence),
    )


def _weight_of_first(
    first: ExpectedReturns, second: ExpectedReturns
) -> Float[np.ndarray, "moments assets"]:
    own, others = first.high - first.low, second.high - second.low
    has_both = (own > 0) & (others > 0)
    # Of the ratio, not of the inverses: those of two narrow intervals may overflow.
    ratio = np.divide(own, others, out=np.ones_like(own), where=has_both)
    return 1 / (1 + ratio**2)


def _codes(
    is_absent: Shaped[np.ndarray, "moments assets"], absence: Absence
) -> Int8[np.ndarray, "moments assets"]:
    return np.where(is_absent, np.int8(absence), np.int8(Absence.NONE))
