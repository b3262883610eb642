"""From candles, walks and dominance to what was known at every hour."""

import logging
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from fleet_kedro.market.by_asset import CandleLoaders
from fleet_kedro.signals.backtest.market import Market, market_of
from fleet_kedro.signals.calibrated_return import CalibrationSettings
from fleet_kedro.signals.decision import SignalSettings
from fleet_kedro.signals.ensemble_returns import ensemble_returns
from fleet_kedro.signals.expectation import Absence, ExpectedReturns, choose_source
from fleet_kedro.signals.history import History
from fleet_kedro.signals.levels import price_levels
from fleet_kedro.signals.nested_calibration import nested_returns
from fleet_kedro.signals.volatility_ratio import trailing_volatility, volatility_ratio

logger = logging.getLogger(__name__)


class Prospects(NamedTuple):
    """What was expected at every hour of a market, and how wild each asset was.

    Attributes
    ----------
    expected
        Forecasts of the chosen source, as known at the close of each hour.
    volatility_ratio
        Trailing volatility over the reference's; NaN where unknown.
    first, behind_last
        The hours that can be traded: from the row at which all sources have a forecast
        to the one at which the last forecast has come true, this one excluded.
    """

    expected: ExpectedReturns
    volatility_ratio: Float[np.ndarray, "hours assets"]
    first: int
    behind_last: int


class Walks(NamedTuple):
    """Forecasts that were made out of sample.

    Attributes
    ----------
    brain
        Of the global brain, all assets in one table.
    ensembles
        Of the forecasters of single assets, by asset; empty where none was trained.
    """

    brain: pd.DataFrame
    ensembles: Mapping[str, pd.DataFrame]


def fleet_market(candles: CandleLoaders) -> Market:
    """Lay the candles of all assets out side by side."""
    return market_of(pd.concat([candles[name]() for name in sorted(candles)]))


def lay_out_history(
    market: Market,
    shares: pd.DataFrame,
    walks: Walks,
    settings: SignalSettings,
    calibration: CalibrationSettings,
) -> History:
    """Return the hours that can be traded, each with what was known at its close.

    They begin where all sources that are asked for have a forecast, and end where the
    last forecast has come true.

    Parameters
    ----------
    market
        All candles, those that only warm up included.
    shares
        Dominance as `join_dominance` gives it to each of the market's hours.

    Raises
    ------
    ValueError
        If the forecasts do not go with the candles, or the source was never trained.
    """
    high, low, close = (
        np.where(market.is_tradable, price, np.nan)
        for price in (market.high, market.low, market.close)
    )
    known = prospects(market, walks, settings, calibration)
    whole = History(
        market,
        known.expected,
        known.volatility_ratio,
        price_levels(high, low, close, settings.levels),
        shares["usdt_dominance_pct"].to_numpy(),
        shares["btc_dominance_pct"].to_numpy(),
    )
    return whole.between(known.first, known.behind_last)


def prospects(
    market: Market,
    walks: Walks,
    settings: SignalSettings,
    calibration: CalibrationSettings,
) -> Prospects:
    """Return what was expected at every hour, by curves of the past only.

    Raises
    ------
    ValueError
        If the forecasts do not go with the candles, or the source was never trained.
    """
    volatility = market_volatility(market, settings)
    sources = _sources(market, volatility, walks, settings, calibration)
    return Prospects(
        choose_source(*sources, settings.forecast),
        volatility_ratio(volatility, market.assets, settings.threshold.reference),
        *_span(sources, settings.horizon_hours),
    )


def market_volatility(
    market: Market, settings: SignalSettings
) -> Float[np.ndarray, "hours assets"]:
    """Return each asset's trailing volatility, from closes at which was traded."""
    close = np.where(market.is_tradable, market.close, np.nan)
    return trailing_volatility(close, settings.threshold.volatility_bars)


def move_unit(
    volatility: Float[np.ndarray, "hours assets"], horizon_hours: int
) -> Float[np.ndarray, "hours assets"]:
    """Return ``σ √H``, in which curves count returns; NaN where nothing moves."""
    return np.where(volatility > 0, volatility, np.nan) * np.sqrt(horizon_hours)


def _span(
    sources: tuple[ExpectedReturns | None, ...], horizon_hours: int
) -> tuple[int, int]:
    """Return the first row that all sources forecast, and one behind the last."""
    known = [
        np.flatnonzero((source.absence == Absence.NONE).any(axis=1))
        for source in sources
        if source is not None
    ]
    if not all(rows.size for rows in known):
        raise ValueError(
            "There is no hour at which anything was forecast: give a longer window."
        )
    # The last forecast is traded an hour later, and has come true H hours after that.
    last = max(int(rows[-1]) for rows in known) + 1 + horizon_hours
    return max(int(rows[0]) for rows in known), last + 1


def _sources(
    market: Market,
    volatility: Float[np.ndarray, "hours assets"],
    walks: Walks,
    settings: SignalSettings,
    calibration: CalibrationSettings,
) -> tuple[ExpectedReturns | None, ExpectedReturns | None]:
    """Return what ensembles and brain expected, as far as they are asked for."""
    if settings.horizon_hours != calibration.horizon_bars:
        raise ValueError(
            f"Signals look {settings.horizon_hours} h ahead, the calibration "
            f"{calibration.horizon_bars} h: give both the same horizon."
        )
    ensemble, brain = None, None
    if settings.forecast != "brain" and walks.ensembles:
        ensemble = ensemble_returns(walks.ensembles, market, settings.horizon_hours)
    if settings.forecast != "ensemble":
        unit = move_unit(volatility, settings.horizon_hours)
        brain = nested_returns(walks.brain, market, unit, calibration)
    if settings.forecast == "both" and ensemble is None:
        logger.info("No ensemble was trained, so the brain forecasts alone.")
    return ensemble, brain
