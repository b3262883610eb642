"""The catalogue: every base signal, as one list of formulas and windows.

A row of ``ROWS`` names a formula and its windows: hourly ones, those on closed 4 h and
1 d bars, and the few that a smoke run keeps. The order of the rows, and of the windows
within a row, is the order of the columns. Windows are Fibonacci numbers, so that each
is about 1.6 times the one before and none repeats another's information.
"""

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from fleet_kedro.features.families import (
    autocorrelation,
    bitcoin,
    calendar,
    candles,
    dominance,
    fractional,
    market,
    moments,
    oscillators,
    range_position,
    returns,
    trend,
    volatility,
    volume,
)
from fleet_kedro.features.signal import Formula, Signal

__all__ = ["FIBONACCI", "ROWS", "Profile", "Signal", "catalogue", "signal_table"]

Profile = Literal["full", "lean"]
Windows = tuple[int, ...]

FIBONACCI = (3, 5, 8, 13, 21, 34, 55, 89, 144, 233)
# Dominance is published daily: a day, three days, a week.
DAYS_IN_HOURS = (24, 72, 168)


@dataclass(frozen=True)
class Row:
    """A formula and its windows: hourly, on 4 h bars, on 1 d bars, and lean (hourly).

    ``windows`` is None for a formula without a window; ``lean`` then says by an empty
    tuple whether it is left out of the lean profile, and by None that it is kept.
    """

    formula: Formula
    windows: Windows | None = None
    four_hour: Windows = ()
    day: Windows = ()
    lean: Windows | None = ()

    def signals(self, profile: Profile) -> list[Signal]:
        """Return the row's signals: hourly ones first, then 4 h, then 1 d."""
        hourly = self.lean if profile == "lean" else self.windows
        if hourly is None:
            return [self.formula.signal()]
        coarse = [] if profile == "lean" else [(4, self.four_hour), (24, self.day)]
        return [
            self.formula.signal(window, hours)
            for hours, windows in [(1, hourly), *coarse]
            for window in windows
        ]


ROWS = (
    # momentum
    Row(
        returns.momentum,
        (1, *FIBONACCI),
        four_hour=(3, 8, 21),
        day=(3, 8, 21),
        lean=(1, 3, 8, 21),
    ),
    Row(returns.acceleration, (3, 8, 21, 55)),
    Row(returns.direction_balance, (5, 13, 34, 89), lean=(13,)),
    Row(returns.drawdown, (13, 34, 89, 233), day=(13,), lean=(34,)),
    Row(returns.run_up, (13, 34, 89, 233), day=(13,)),
    Row(returns.efficiency, (5, 13, 34, 89), lean=(13,)),
    # trend
    Row(
        trend.average_distance,
        (5, 13, 34, 89, 233),
        four_hour=(13, 34),
        day=(8, 21),
        lean=(5, 21),
    ),
    Row(trend.slope, (13, 34, 89), four_hour=(13,), lean=(13,)),
    Row(trend.straightness, (8, 21, 55, 144)),
    Row(trend.macd, (5, 13, 34, 89), four_hour=(13,)),
    Row(trend.adaptive_average_distance, (8, 21)),
    Row(trend.adx, (13, 34, 89), four_hour=(13,)),
    Row(trend.directional_balance, (8, 21, 55), four_hour=(13,), lean=(21,)),
    Row(trend.aroon, (13, 34, 89), lean=(13,)),
    Row(trend.new_high, (34, 144)),
    Row(trend.new_low, (34, 144)),
    # volatility
    Row(
        volatility.close_volatility,
        (5, 13, 34, 89, 233),
        day=(5, 21),
        lean=(13, 34),
    ),
    Row(volatility.parkinson_volatility, (3, 21, 144)),
    Row(volatility.garman_klass_volatility, (5, 34)),
    Row(volatility.rogers_satchell_volatility, (8, 55)),
    Row(volatility.yang_zhang_volatility, (13, 89), lean=(21,)),
    Row(volatility.true_range, (13,), four_hour=(13,)),
    Row(volatility.volatility_ratio, (3, 8, 21, 55), day=(5,), lean=(8,)),
    Row(volatility.range_excess, (8, 34, 144)),
    Row(volatility.semivariance_balance, (13, 34, 89)),
    Row(volatility.jump_share, (21, 89)),
    Row(volatility.volatility_of_volatility, (21, 89)),
    # range position
    Row(
        range_position.stochastic,
        (5, 13, 34, 89, 233),
        four_hour=(13,),
        day=(8,),
        lean=(13,),
    ),
    Row(range_position.slow_stochastic, (13,)),
    Row(range_position.bollinger_position, (13, 34, 89), four_hour=(21,)),
    Row(range_position.channel_width, (8, 21, 55, 144)),
    Row(range_position.close_rank, (34, 144)),
    # oscillators
    Row(oscillators.rsi, (5, 13, 21, 55), four_hour=(13,), day=(13,), lean=(13,)),
    Row(oscillators.stochastic_rsi, (13,)),
    Row(oscillators.cci, (8, 21, 55)),
    Row(oscillators.money_flow, (8, 21, 55), lean=(13,)),
    Row(oscillators.buying_pressure, (5, 13, 34)),
    Row(oscillators.trix, (5, 13)),
    # volume and liquidity
    Row(volume.volume_z, (13, 34, 89), lean=(34,)),
    Row(volume.volume_ratio, (1, 3, 8, 21, 55), day=(3,), lean=(8,)),
    Row(volume.volume_trend, (13, 55)),
    Row(volume.volume_concentration, (21, 89)),
    Row(volume.signed_volume, (5, 13, 34, 89), lean=(13,)),
    Row(volume.obv_slope, (13, 34, 89)),
    Row(volume.accumulation, (5, 13, 34), four_hour=(13,)),
    Row(volume.amihud, (8, 21, 55), lean=(8,)),
    Row(volume.kyle_lambda, (8, 21, 55), lean=(8,)),
    Row(volume.vwap_distance, (8, 21, 55, 144)),
    Row(volume.return_volume_correlation, (13, 34, 89)),
    Row(volume.size_volume_correlation, (34, 89)),
    # higher moments
    Row(moments.skewness, (21, 55, 144), lean=(34,)),
    Row(moments.excess_kurtosis, (21, 55, 144)),
    Row(moments.tail_balance, (13, 34, 89)),
    Row(moments.largest_move, (21, 89)),
    # autocorrelation
    Row(autocorrelation.return_autocorrelation, (21, 55, 144), lean=(34,)),
    Row(autocorrelation.size_autocorrelation, (55, 144)),
    Row(autocorrelation.leverage, (55, 144)),
    Row(autocorrelation.variance_ratio, (21, 55, 144)),
    Row(autocorrelation.sign_persistence, (8, 34)),
    # market-relative
    Row(market.market_momentum, (1, 3, 8, 21, 55), four_hour=(21,), lean=(3,)),
    Row(market.market_beta, (21, 89, 233), lean=(34,)),
    Row(market.market_correlation, (21, 89, 233)),
    Row(market.market_residual, (5, 13, 34, 89, 233), day=(8,), lean=(13,)),
    Row(market.market_lead, (34, 144)),
    Row(market.market_relative_volatility, (21, 89)),
    Row(market.market_breadth, (1, 5, 21)),
    Row(market.market_dispersion, (5, 21, 89)),
    Row(market.return_rank, (3, 8, 21, 55, 144), lean=(8,)),
    Row(market.volatility_rank, (21, 144)),
    Row(market.volume_rank, (3, 21)),
    # BTC-relative
    Row(bitcoin.btc_momentum, (1, 3, 8, 21), day=(8,), lean=(3,)),
    Row(bitcoin.btc_beta, (34, 144)),
    Row(bitcoin.btc_correlation, (34, 144)),
    Row(bitcoin.btc_residual, (8, 21, 55, 144), lean=(21,)),
    Row(bitcoin.btc_lead, (34, 144)),
    Row(bitcoin.btc_relative_volatility, (21, 89)),
    # dominance
    Row(dominance.btc_dominance),
    Row(dominance.usdt_dominance),
    Row(dominance.btc_dominance_change, DAYS_IN_HOURS),
    Row(dominance.usdt_dominance_change, DAYS_IN_HOURS),
    # calendar
    Row(calendar.hour_sine, lean=None),
    Row(calendar.hour_cosine, lean=None),
    Row(calendar.weekday_sine),
    Row(calendar.weekday_cosine),
    Row(calendar.funding_sine),
    Row(calendar.funding_cosine),
    Row(calendar.weekend, lean=None),
    # candle shapes
    Row(candles.body_share, (1, 3, 8), four_hour=(1,), lean=(1, 3)),
    Row(candles.upper_wick_share, (1, 3)),
    Row(candles.lower_wick_share, (1, 3)),
    Row(candles.close_location, (1, 3), day=(1,)),
    Row(candles.wick_imbalance, (1, 3, 5, 8), four_hour=(1,), day=(1,), lean=(1, 3, 8)),
    Row(candles.wick_pressure, (3, 8, 21), lean=(3,)),
    Row(candles.candle_size, (1, 3)),
    Row(candles.inside_bar),
    Row(candles.outside_bar),
    # fractional derivatives
    Row(fractional.fractional_25, (55, 233)),
    Row(fractional.fractional_50, (34, 144), lean=(34,)),
    Row(fractional.fractional_75, (21, 89)),
)


def catalogue(profile: Profile) -> tuple[Signal, ...]:
    """Return the signals of a profile, in the order of their columns."""
    return tuple(signal for row in ROWS for signal in row.signals(profile))


def signal_table(profile: Profile = "full") -> pd.DataFrame:
    """Describe the catalogue, a row per signal: what it is and where it comes from."""
    columns = [
        "name",
        "family",
        "window_bars",
        "formula",
        "unit",
        "source",
        "warmup_bars",
        "bounded",
        "is_flag",
    ]
    signals = catalogue(profile)
    table = {name: [getattr(signal, name) for signal in signals] for name in columns}
    return pd.DataFrame(table).astype({"window_bars": "Int64"})
