r"""What a pair of thresholds is worth on forecasts whose outcome is known.

A row is signalled when its rank reaches a threshold and its probability a floor. Labels
of neighbouring hours overlap: signals of twelve hours in a row are hardly more than one
trade, seen twelve times. Signals are therefore counted by their uniqueness, which
leaves :math:`n` of them. With the mean net return :math:`\bar r` of the signals,
:math:`\bar r_0` of all rows (always long, what a signal earns that knows nothing) and
the prior weight :math:`m`, the value of the thresholds is

.. math:: v = \frac{n\, \bar r + m\, \bar r_0}{n + m}

the posterior mean of a normal mean whose prior is worth ``m`` independent trades. Few
signals prove little, so their value stays close to that of knowing nothing.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int64

from fleet_kedro.labels.forward_return import Label, is_positive
from fleet_kedro.market.epoch import hours_since_epoch
from fleet_kedro.metrics.classification import count_hits
from fleet_kedro.metrics.trading import net_return
from fleet_kedro.metrics.uniqueness import average_uniqueness

NO_FLOOR = float("-inf")


class Thresholds(NamedTuple):
    """From which rank and which probability on a forecast is a signal.

    ``rank_threshold`` is a share of the trailing forecasts, 1 for the highest;
    ``probability_floor`` is an absolute probability, minus infinity for none.
    """

    rank_threshold: float
    probability_floor: float = NO_FLOOR


class Sample(NamedTuple):
    """Forecasts of one asset with their outcomes, oldest first.

    Attributes
    ----------
    hour
        Open time in bars since 1970, strictly increasing.
    rank, probability
        The trailing rank of the forecast (NaN where there is none) and the forecast.
    net_return
        What the trade earned after its round-trip cost, a fraction.
    is_positive
        Whether it earned more than its cost.
    """

    hour: Int64[np.ndarray, " rows"]
    rank: Float[np.ndarray, " rows"]
    probability: Float[np.ndarray, " rows"]
    net_return: Float[np.ndarray, " rows"]
    is_positive: Bool[np.ndarray, " rows"]


class Appraisal(NamedTuple):
    """What thresholds came to on a sample: returns and shares are fractions.

    ``net_return`` and ``precision`` are NaN without a signal; ``recall`` is 0 without
    a positive row, since nothing was caught.
    """

    value: float
    net_return: float
    precision: float
    recall: float
    signals: int
    effective_signals: float


def sample_of(forecasts: pd.DataFrame, label: Label) -> Sample:
    """Take what the objective reads from one asset's rows of a walk, oldest first."""
    realised = forecasts["forward_return"].to_numpy()
    return Sample(
        hour=hours_since_epoch(forecasts["timestamp"]),
        rank=forecasts["rank"].to_numpy(),
        probability=forecasts["probability"].to_numpy(),
        net_return=net_return(realised, label.round_trip_cost),
        is_positive=is_positive(realised, label),
    )


def signals(
    rank: Float[np.ndarray, " rows"],
    probability: Float[np.ndarray, " rows"],
    thresholds: Thresholds,
) -> Bool[np.ndarray, " rows"]:
    """Mark the rows that reach both thresholds; one without a rank reaches none."""
    return (rank >= thresholds.rank_threshold) & (
        probability >= thresholds.probability_floor
    )


def effective_count(hour: Int64[np.ndarray, " signals"], horizon_bars: int) -> float:
    """Count one asset's signals by their uniqueness, given their open times in bars."""
    return float(average_uniqueness(hour, horizon_bars).sum())


def shrunk_value(
    earned: float, blind: float, n_effective: float, prior_effective_signals: float
) -> float:
    """Return the value of thresholds; the formula is the module's.

    Parameters
    ----------
    earned, blind
        Mean net return of the signals, not read where there are none, and of all rows.
    """
    gain = n_effective * (earned - blind) if n_effective > 0 else 0.0
    return blind + gain / (n_effective + prior_effective_signals)


def appraise(
    sample: Sample,
    thresholds: Thresholds,
    horizon_bars: int,
    prior_effective_signals: float,
) -> Appraisal:
    """Value thresholds on a sample; the formula is the module's.

    Parameters
    ----------
    prior_effective_signals
        ``m``: the weight, in independent trades, of what always being long earned.
    """
    chosen = signals(sample.rank, sample.probability, thresholds)
    hits = count_hits(chosen, sample.is_positive)
    n_effective = effective_count(sample.hour[chosen], horizon_bars)
    blind = float(sample.net_return.mean())
    earned = float(sample.net_return[chosen].mean()) if hits.signals else float("nan")
    return Appraisal(
        value=shrunk_value(earned, blind, n_effective, prior_effective_signals),
        net_return=earned,
        precision=hits.precision,
        recall=hits.recall if hits.positives else 0.0,
        signals=hits.signals,
        effective_signals=n_effective,
    )
