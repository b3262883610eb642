r"""What the brain's probabilities were worth, as one could have known at the time.

A curve that is fitted on the outcomes that it is judged by promises too much. So the
probabilities of a fold are turned into expected returns by curves that were fitted on
earlier folds only, and there only on rows whose outcome was known before the fold began
(see `calibrated_return` for the curves). The first fold has no past: nothing is
expected in it, and no backtest begins before the second one.
"""

import logging

import numpy as np
import pandas as pd
from jaxtyping import Float

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.market.epoch import hours_since_epoch
from fleet_kedro.market.errors import MarketError
from fleet_kedro.signals.backtest.market import Market
from fleet_kedro.signals.calibrated_return import (
    CalibrationSettings,
    Record,
    calibrate_return,
)
from fleet_kedro.signals.expectation import Absence, ExpectedReturns
from fleet_kedro.signals.nested import known_before
from fleet_kedro.signals.spread import place, spread

_FEWEST_FOLDS = 2

logger = logging.getLogger(__name__)


def nested_returns(
    forecasts: pd.DataFrame,
    market: Market,
    unit: Float[np.ndarray, "hours assets"],
    settings: CalibrationSettings,
) -> ExpectedReturns:
    """Return what each probability was worth, known at the close of its row.

    Unknown in the first fold, and where there is no forecast or no unit.

    Parameters
    ----------
    forecasts
        As a walk of the brain leaves them: ``timestamp``, ``asset``, ``fold``,
        ``probability`` and ``forward_return``.
    market
        The candles that the forecasts were made from.
    unit
        ``σ √H`` of each asset at each hour, as known at its close, a fraction.

    Raises
    ------
    MarketError
        If there is one fold only.
    ValueError
        If forecasts and candles do not go together.
    """
    refuse_other_candles(forecasts, market, settings.horizon_bars)
    folds = sorted(int(fold) for fold in forecasts["fold"].unique())
    if len(folds) < _FEWEST_FOLDS:
        raise MarketError(
            f"{len(folds)} scored fold leaves nothing to trade, since the first one "
            f"only teaches what a probability is worth: walk {_FEWEST_FOLDS} or more."
        )
    expected = ExpectedReturns.unknown(market.shape, Absence.NO_FORECAST)
    for fold in folds[1:]:
        own = forecasts.loc[forecasts["fold"] == fold]
        past = known_before(forecasts, fold, Label(horizon_bars=settings.horizon_bars))
        curves = calibrate_return(record_of(past, market, unit), settings)
        logger.info(
            "[Fold %d] %.0f%% of what the brain's probabilities promised before it "
            "came true.",
            *(fold, 100 * curves.kept_share),
        )
        probability = spread(own, own["probability"].to_numpy(), market)
        expected = _filled(
            expected, curves.expect(probability, unit, market.assets), probability
        )
    return expected


def record_of(
    forecasts: pd.DataFrame, market: Market, unit: Float[np.ndarray, "hours assets"]
) -> Record:
    """Return forecasts with what came, counted in units of what was known before.

    Rows without a known unit or outcome are left out.
    """
    record = Record(
        hours_since_epoch(forecasts["timestamp"]),
        forecasts["asset"].to_numpy(dtype=str),
        forecasts["probability"].to_numpy(dtype=np.float64),
        forecasts["forward_return"].to_numpy() / unit[place(forecasts, market)],
    )
    return record.take(np.isfinite(record.scaled_return))


def _filled(
    expected: ExpectedReturns,
    own: ExpectedReturns,
    probability: Float[np.ndarray, "hours assets"],
) -> ExpectedReturns:
    """Take what a fold expects where it was asked."""
    is_own = np.isfinite(probability)
    return ExpectedReturns(
        *(np.where(is_own, new, old) for new, old in zip(own, expected, strict=True))
    )


def refuse_other_candles(
    forecasts: pd.DataFrame, market: Market, horizon_bars: int
) -> None:
    """Compare the outcomes that the walk wrote down with those of the candles.

    Raises
    ------
    ValueError
        If they differ, or a forecast has no candle.
    """
    came = np.full(market.shape, np.nan)
    traded = market.open[1:]
    came[: -horizon_bars - 1] = traded[horizon_bars:] / traded[:-horizon_bars] - 1.0
    told = forecasts["forward_return"].to_numpy()
    ours = came[place(forecasts, market)]
    is_other = np.isfinite(told) & ~np.isclose(told, ours, rtol=1e-6, atol=1e-9)
    if is_other.any():
        first = forecasts.loc[is_other].iloc[0]
        raise ValueError(
            f"The forecast of {first['asset']} at {first['timestamp']} was followed by "
            f"{first['forward_return']:.4%} over {horizon_bars} h, but the candles say "
            f"{ours[is_other][0]:.4%}: they are other candles, or another horizon. Run "
            "the walk again on these."
        )
