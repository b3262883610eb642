r"""What a probability of the global brain is worth: E[r | p], from its own past.

The record is a list of forecasts that were made out of sample, with the return that
came of each. Returns are counted in units of what was known before them, the asset's
trailing volatility over the horizon, so that a fleet shares one scale:
:math:`y = r / (\sigma \sqrt H)`.

1. *A rising curve.* Rows are sorted by ``p`` and put into bins of equal count, whose
   mean returns are fitted by isotonic regression (Barlow et al. 1972, ch. 1), once for
   the fleet and once for each asset. Between bins the curve is linear, beyond the last
   one it is flat. Bins keep its ends from following single rows.
2. *An asset leans on the fleet.* With :math:`n` rows over :math:`H` (labels of
   neighbouring hours share all but one of theirs) and the prior weight :math:`m`, its
   curve is :math:`(n\, g_{asset} + m\, g_{fleet}) / (n + m)`. A mean of rising curves
   rises.
3. *Nothing is promised that was not kept.* The record is cut into blocks of time. Each
   is forecast by curves fitted on the others, less the rows whose labels reach into it.
   With :math:`b` the slope of what came on what was forecast and :math:`v` the variance
   that :math:`b` would have without any skill, all curves are multiplied by
   :math:`\kappa = b\,(1 - v / b^2)`, clipped to [0, 1] and zero for a negative slope
   (positive-part shrinkage, James and Stein 1961). Weeks count as independent, rows
   within one do not (Liang and Zeger 1986), so assets that move together prove no more
   than one. A brain without skill expects nothing and gives no signal; neither does one
   with a record of a single week.
4. *An interval.* The errors of these held-out forecasts give the interval: their
   quantiles, with one row added on either side (split conformal prediction, Lei et al.
   2018, section 2.2, with the held-out errors of all blocks pooled), an asset's mixed
   with the fleet's as in 2. It speaks of the return that will come, not of its mean.

Everything that is fitted is a table of numbers: `CalibratedReturn` is read and written
as JSON.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int64, Shaped
from pydantic import Field, model_validator
from sklearn.isotonic import IsotonicRegression

from fleet_kedro.config import Config
from fleet_kedro.signals.expectation import ExpectedReturns

_HOURS_PER_WEEK = 168


class CalibrationSettings(Config):
    """How a curve is fitted."""

    horizon_bars: int = Field(ge=1, description="H: bars that a label looks ahead.")
    bins: int = Field(default=50, ge=1, description="Most bins of a curve.")
    rows_per_bin: int = Field(default=200, ge=1, description="Fewest rows of a bin.")
    prior_trades: float = Field(
        default=500.0, ge=0, description="m: weight of the fleet, in trades apart."
    )
    blocks: int = Field(default=6, ge=2, description="Blocks of time held out in turn.")
    level: float = Field(
        default=0.8, gt=0, lt=1, description="Coverage of an interval."
    )


class Record(NamedTuple):
    """Past forecasts and what came, in any order.

    Attributes
    ----------
    hour
        Open time of the row in hours since 1970.
    probability
        As it was issued, never NaN.
    scaled_return
        Forward return over ``σ √H`` as known at the row, never NaN.
    """

    hour: Int64[np.ndarray, " rows"]
    asset: Shaped[np.ndarray, " rows"]
    probability: Float[np.ndarray, " rows"]
    scaled_return: Float[np.ndarray, " rows"]

    def take(self, rows: Bool[np.ndarray, " rows"]) -> "Record":
        """Return the rows that are marked."""
        return Record(*(values[rows] for values in self))


class ReturnCurve(Config):
    """A rising curve through ``knots``, and how far outcomes lie from it.

    ``low`` and ``high`` are added to the curve. All but the knots in units of ``σ √H``.
    """

    knots: tuple[float, ...]
    values: tuple[float, ...]
    low: float
    high: float

    @model_validator(mode="after")
    def _rises(self) -> "ReturnCurve":
        lengths = {len(self.knots), len(self.values)}
        rises = all(one < other for one, other in pairwise(self.knots)) and all(
            one <= other for one, other in pairwise(self.values)
        )
        if len(lengths) > 1 or not self.knots or not rises:
            raise ValueError(
                f"{len(self.knots)} knots and {len(self.values)} values are no curve: "
                "there have to be as many of both, and both have to rise."
            )
        return self

    def __call__(
        self, probability: Float[np.ndarray, " rows"]
    ) -> Float[np.ndarray, " rows"]:
        """Read the curve; NaN stays NaN."""
        return np.interp(probability, self.knots, self.values)


class CalibratedReturn(Config):
    """The curves of a fleet.

    Attributes
    ----------
    kept_share
        κ: which part of what the curves had promised came true, 0 to 1.
    fleet
        Stands in for an asset without a record.
    """

    kept_share: float
    fleet: ReturnCurve
    assets: dict[str, ReturnCurve]

    def expect(
        self,
        probability: Float[np.ndarray, "moments assets"],
        unit: Float[np.ndarray, "moments assets"],
        assets: tuple[str, ...],
    ) -> ExpectedReturns:
        """Return what each probability is worth; unknown where it or its unit is.

        Parameters
        ----------
        unit
            ``σ √H`` of each asset at each moment, a fraction.
        """
        curves = [self.assets.get(asset, self.fleet) for asset in assets]
        middle = np.column_stack(
            [curve(own) for curve, own in zip(curves, probability.T, strict=True)]
        )
        low = np.array([curve.low for curve in curves])
        high = np.array([curve.high for curve in curves])
        return ExpectedReturns.of(
            unit * middle, unit * (middle + low), unit * (middle + high)
        )


def calibrate_return(record: Record, settings: CalibrationSettings) -> CalibratedReturn:
    """Fit the curves; see the module for the method.

    Raises
    ------
    ValueError
        If the record is too short to hold out one block after the other.
    """
    errors, kept_share = _held_out(record, settings)
    fleet = _Fit.on(record, settings)
    low, high = _tails(errors, settings.level)
    assets = {}
    for asset in map(str, np.unique(record.asset)):
        is_own = record.asset == asset
        trust = _trust(int(is_own.sum()), settings)
        own_low, own_high = _tails(errors[is_own], settings.level)
        assets[asset] = _curve(
            fleet.mixed(_Fit.on(record.take(is_own), settings), trust),
            kept_share,
            low + trust * (own_low - low),
            high + trust * (own_high - high),
        )
    return CalibratedReturn(
        kept_share=kept_share,
        fleet=_curve(fleet, kept_share, low, high),
        assets=assets,
    )


class _Fit(NamedTuple):
    """A rising curve, linear between its knots."""

    knots: Float[np.ndarray, " knots"]
    values: Float[np.ndarray, " knots"]

    @classmethod
    def on(cls, record: Record, settings: CalibrationSettings) -> "_Fit":
        n_bins = np.clip(len(record.hour) // settings.rows_per_bin, 1, settings.bins)
        order = np.argsort(record.probability, kind="stable")
        edges = np.linspace(0, len(order), int(n_bins) + 1).astype(np.int64)
        count = np.diff(edges)
        centre = np.add.reduceat(record.probability[order], edges[:-1]) / count
        mean = np.add.reduceat(record.scaled_return[order], edges[:-1]) / count
        rising = IsotonicRegression().fit(centre, mean, sample_weight=count)
        return cls(rising.X_thresholds_, rising.y_thresholds_)

    def mixed(self, other: "_Fit", trust: float) -> "_Fit":
        """Return ``trust`` of the other curve and the rest of this one."""
        knots = np.union1d(self.knots, other.knots)
        return _Fit(knots, (1 - trust) * self.at(knots) + trust * other.at(knots))

    def at(self, probability: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        return np.interp(probability, self.knots, self.values)


def _held_out(
    record: Record, settings: CalibrationSettings
) -> tuple[Float[np.ndarray, " rows"], float]:
    """Return the error of every row when its block is held out, and the slope κ."""
    forecast = np.zeros(len(record.hour))
    for is_inside, is_apart in _blocks(record.hour, settings):
        learnt = record.take(is_apart)
        fleet = _Fit.on(learnt, settings)
        for asset in np.unique(record.asset[is_inside]):
            is_own = learnt.asset == asset
            fit = fleet
            if is_own.any():
                trust = _trust(int(is_own.sum()), settings)
                fit = fleet.mixed(_Fit.on(learnt.take(is_own), settings), trust)
            rows = is_inside & (record.asset == asset)
            forecast[rows] = fit.at(record.probability[rows])
    kept_share = _kept_share(forecast, record)
    return record.scaled_return - kept_share * forecast, kept_share


def _kept_share(forecast: Float[np.ndarray, " rows"], record: Record) -> float:
    """Return κ, the slope of what came on what was forecast, shrunk by its doubt."""
    power = float(forecast @ forecast)
    week = (record.hour - record.hour.min()) // _HOURS_PER_WEEK
    kept = np.bincount(week, weights=forecast * record.scaled_return)
    if power == 0 or kept.sum() <= 0:
        return 0.0
    slope = float(kept.sum()) / power
    doubt = float(kept @ kept) / power**2
    return min(max(slope - doubt / slope, 0.0), 1.0)


def _blocks(
    hour: Int64[np.ndarray, " rows"], settings: CalibrationSettings
) -> Iterator[tuple[Bool[np.ndarray, " rows"], Bool[np.ndarray, " rows"]]]:
    """Yield, block by block, its rows and those whose labels share no hour with it."""
    apart = settings.horizon_bars + 1
    first, behind_last = (hour.min(), hour.max() + 1) if hour.size else (0, 1)
    edges = np.linspace(first, behind_last, settings.blocks + 1).astype(np.int64)
    for begin, end in pairwise(edges):
        is_apart = (hour < begin - apart) | (hour >= end + apart)
        if not is_apart.any():
            raise ValueError(
                f"{len(hour)} past forecasts leave nothing to learn from once a block "
                f"of {settings.blocks} is held out; wait for a longer record."
            )
        is_inside = (hour >= begin) & (hour < end)
        if is_inside.any():
            yield is_inside, is_apart


def _trust(n_rows: int, settings: CalibrationSettings) -> float:
    """Return how much an asset's own rows count against the fleet's, 0 to 1."""
    trades = n_rows / settings.horizon_bars
    return trades / (trades + settings.prior_trades)


def _tails(error: Float[np.ndarray, " rows"], level: float) -> tuple[float, float]:
    """Return the quantiles of ``n`` errors that a further one exceeds as rarely.

    The ``⌈(n + 1) q⌉``-th error from below, for the upper tail; the lower one mirrors.
    """
    ordered = np.sort(error)
    inner = (1 + level) / 2
    place = min(int(np.ceil((len(ordered) + 1) * inner)), len(ordered))
    return float(ordered[len(ordered) - place]), float(ordered[place - 1])


def _curve(fit: _Fit, kept_share: float, low: float, high: float) -> ReturnCurve:
    return ReturnCurve(
        knots=tuple(map(float, fit.knots)),
        values=tuple(float(kept_share * value) for value in fit.values),
        low=low,
        high=high,
    )
