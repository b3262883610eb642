r"""Past forecasts as multiples of their default threshold, and what trades came to.

The *strength* of a forecast is the expected return of the trade that it asks for, over
the default threshold of its asset at its hour: :math:`s = r / \theta_0`, and
:math:`s = |r| / \theta_0` where one may short. A trade is entered where
:math:`s \ge f`, so all that a factor ``f`` decides is how much of a list sorted by
strength is taken. The list is sorted once; after that a factor costs two look-ups.

How many independent trades there are among overlapping ones is looked up as well. The
sum of their uniquenesses is the number of bars that at least one of them lives through,
over ``H`` (`fleet_kedro.metrics.uniqueness`), and a bar is lived through from the
strongest of the ``H`` forecasts before it on.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from fleet_kedro.labels.forward_return import Label, is_positive
from fleet_kedro.market.epoch import hours_since_epoch
from fleet_kedro.metrics.trading import net_return
from fleet_kedro.signals.backtest.market import Market
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.entry_threshold import entry_thresholds
from fleet_kedro.signals.objective import Appraisal, shrunk_value
from fleet_kedro.signals.spread import place
from fleet_kedro.signals.walked_history import Prospects


def strength_table(
    forecasts: pd.DataFrame,
    prospects: Prospects,
    market: Market,
    settings: SignalSettings,
) -> pd.DataFrame:
    """Return the forecasts that could be traded, with their strength and outcome.

    Parameters
    ----------
    forecasts
        As a walk of the brain leaves them: ``timestamp``, ``asset``, ``fold`` and
        ``forward_return``.

    Returns
    -------
    pandas.DataFrame
        ``timestamp``, ``asset``, ``fold``, ``side`` (-1 for a short trade, else 1),
        ``default_threshold``, ``strength`` and ``forward_return``, that of the trade in
        its direction and before costs; sorted by the first two. Rows of which something
        is unknown are left out.
    """
    where = place(forecasts, market)
    threshold = entry_thresholds(
        prospects.volatility_ratio, market.assets, settings.threshold
    )[where]
    expected = prospects.expected.expected_return[where]
    may_short = settings.allocation.allows_short
    side = np.where((expected < 0) & may_short, -1.0, 1.0)
    rows = forecasts[["timestamp", "asset", "fold"]].assign(
        side=side.astype(np.int8),
        default_threshold=threshold,
        strength=side * expected / threshold,
        forward_return=side * forecasts["forward_return"].to_numpy(),
    )
    is_traded = where[0] >= prospects.first
    known = rows.loc[is_traded].dropna()
    return known.sort_values(["timestamp", "asset"], ignore_index=True)


class StrengthSample(NamedTuple):
    """One asset's forecasts, sorted by strength, the strongest first.

    Attributes
    ----------
    strength
        Descending.
    earned, positives
        Sums over the rows up to each one: net returns, and trades that paid.
    alive_from
        Of every bar, the strength from which on a trade lives through it; descending.
    """

    strength: Float[np.ndarray, " rows"]
    earned: Float[np.ndarray, " rows"]
    positives: Int64[np.ndarray, " rows"]
    alive_from: Float[np.ndarray, " bars"]

    def appraise(
        self, factor: float, horizon_bars: int, prior_effective_signals: float
    ) -> Appraisal:
        """Value a factor as `fleet_kedro.signals.objective.appraise` does thresholds.

        ``net_return`` and ``precision`` are NaN without a trade.
        """
        n_trades = _count(self.strength, factor)
        n_effective = _count(self.alive_from, factor) / horizon_bars
        blind = float(self.earned[-1]) / len(self.strength)
        paid, all_that_paid = 0, int(self.positives[-1])
        earned = precision = float("nan")
        if n_trades:
            paid = int(self.positives[n_trades - 1])
            earned = float(self.earned[n_trades - 1]) / n_trades
            precision = paid / n_trades
        return Appraisal(
            value=shrunk_value(earned, blind, n_effective, prior_effective_signals),
            net_return=earned,
            precision=precision,
            recall=paid / all_that_paid if all_that_paid else 0.0,
            signals=n_trades,
            effective_signals=n_effective,
        )


def strength_sample(rows: pd.DataFrame, label: Label) -> StrengthSample:
    """Sort one asset's rows of a `strength_table`."""
    strength = rows["strength"].to_numpy()
    outcome = rows["forward_return"].to_numpy()
    order = np.argsort(-strength, kind="stable")
    net = net_return(outcome, label.round_trip_cost)
    hour = hours_since_epoch(rows["timestamp"])
    return StrengthSample(
        strength=strength[order],
        earned=np.cumsum(net[order]),
        positives=np.cumsum(is_positive(outcome, label)[order]),
        alive_from=_alive_from(hour, strength, label.horizon_bars),
    )


def _alive_from(
    hour: Int64[np.ndarray, " rows"],
    strength: Float[np.ndarray, " rows"],
    horizon_bars: int,
) -> Float[np.ndarray, " bars"]:
    """Return the strongest of the ``H`` forecasts before each bar, sorted."""
    begin = hour - hour.min()
    n_bars = int(begin.max()) + horizon_bars
    on_clock = np.full(n_bars, np.nan)
    on_clock[begin] = strength
    # Bar ``i`` here is lived through by trades that began in ``i - H + 1 .. i``.
    strongest = pd.Series(on_clock).rolling(horizon_bars, min_periods=1).max()
    return np.sort(strongest.dropna().to_numpy())[::-1]


def _count(descending: Float[np.ndarray, " values"], least: float) -> int:
    """Count the values that reach ``least``."""
    return int(np.searchsorted(-descending, -least, side="right"))
