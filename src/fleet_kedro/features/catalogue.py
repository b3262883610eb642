"""The catalogue: every base signal, as one list of formulas and windows.

A row of ``ROWS`` names a formula and its windows: hourly ones, those on closed 4 h and
1 d bars, and the few that a smoke run keeps. The order of the rows, and of the windows
within a row, is the order of the columns. Windows are Fibonacci numbers, so that each
is about 1.6 times the one before and none repeats another's information; what follows
the clock or the daily dominance counts whole days.
"""

from dataclasses import dataclass
from typing import Literal

from fleet_kedro.features.families import (
    autocorrelation,
    bitcoin,
    calendar,
    candles,
    dominance,
    fractional,
    liquidity,
    market,
    moments,
    oscillators,
    physics_windows,
    range_position,
    ranks,
    regime,
    returns,
    seasonality,
    sessions,
    trend,
    volatility,
    volume,
)
from fleet_kedro.features.signal import Formula, Signal

__all__ = ["FIBONACCI", "ROWS", "Profile", "Signal", "catalogue"]

Profile = Literal["full", "lean"]
Windows = tuple[int, ...]

FIBONACCI = (3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377)
# What follows the clock counts whole days.
ONE_DAY, FIVE_DAYS, WEEK, THREE_WEEKS = 24, 120, 168, 504
# Dominance is published daily: a day, three days, a week, two weeks.
DAYS_IN_HOURS = (24, 72, 168, 336)


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
    Row(returns.momentum, (1, *FIBONACCI), day=(8, 21), lean=(1, 3, 8, 21)),
    Row(returns.acceleration, (8, 21, 55, 144)),
    Row(returns.direction_balance, (5, 13, 34, 89, 233), lean=(13,)),
    Row(returns.drawdown, (34, 89, 233), day=(13,), lean=(34,)),
    Row(returns.run_up, (34, 89, 233), day=(13,)),
    Row(returns.efficiency, (13,), lean=(13,)),
    Row(returns.breakout_above, (8, 21, 55, 144, 377), day=(21,)),
    Row(returns.breakout_below, (8, 21, 55, 144, 377), day=(21,)),
    Row(returns.information_discreteness, (89, 233)),
    Row(returns.streak),
    # trend
    Row(trend.average_distance, (5, 13, 34, 89, 233), day=(8,), lean=(5, 21)),
    Row(trend.slope, (13, 34, 89), day=(13,), lean=(13,)),
    Row(trend.straightness, (8, 55, 144)),
    Row(trend.macd, (34, 89)),
    Row(trend.adaptive_average_distance, (21,)),
    Row(trend.adx, (13, 34), four_hour=(13,)),
    Row(trend.directional_balance, (8, 21, 55), day=(13,), lean=(21,)),
    Row(trend.aroon, (13, 34, 89), day=(13,), lean=(13,)),
    Row(trend.high_age, (55, 233)),
    Row(trend.low_age, (55, 233)),
    Row(trend.trend_agreement, (21, 89), day=(21,)),
    Row(trend.parabolic_distance),
    Row(trend.new_high, (34, 144)),
    Row(trend.new_low, (34, 144)),
    # volatility
    Row(volatility.close_volatility, (5, 13, 34, 89, 233), day=(21,), lean=(13, 34)),
    Row(volatility.parkinson_volatility, (3, 21)),
    Row(volatility.garman_klass_volatility, (5,), day=(8,)),
    Row(volatility.rogers_satchell_volatility, (55,)),
    Row(volatility.yang_zhang_volatility, (89,), four_hour=(34,), lean=(21,)),
    Row(volatility.true_range, (13,)),
    Row(volatility.volatility_ratio, (3, 8, 21, 55), lean=(8,)),
    Row(volatility.range_excess, (8, 34, 144)),
    Row(volatility.range_trend, (13, 55)),
    Row(volatility.semivariance_balance, (89, 233), day=(13,)),
    Row(volatility.jump_share, (21, 89)),
    Row(volatility.volatility_of_volatility, (21, 89)),
    # range position
    Row(range_position.stochastic, (5, 13, 89), four_hour=(13,), day=(8,), lean=(13,)),
    Row(range_position.bollinger_position, (13, 89), day=(13,)),
    Row(range_position.channel_width, (8, 21, 55, 144)),
    Row(range_position.close_rank, (144,)),
    Row(range_position.volatility_position, (89, 233)),
    Row(range_position.range_percentile, (8,)),
    Row(range_position.choppiness, (13, 34, 89), four_hour=(13,), day=(13,)),
    Row(range_position.squeeze, (13, 34)),
    # oscillators
    Row(oscillators.rsi, (5, 13), four_hour=(13,), day=(13,), lean=(13,)),
    Row(oscillators.stochastic_rsi, (13,)),
    Row(oscillators.cci, (8, 21)),
    Row(oscillators.money_flow, (8, 21, 55), four_hour=(13,), lean=(13,)),
    Row(oscillators.buying_pressure, (13,)),
    Row(oscillators.trix, (5,)),
    # volume
    Row(volume.volume_z, (34,), lean=(34,)),
    Row(volume.volume_ratio, (1, 3, 8, 21, 55), lean=(8,)),
    Row(volume.volume_trend, (13, 55), four_hour=(34,)),
    Row(volume.volume_concentration, (21, 89)),
    Row(volume.signed_volume, (13, 34), lean=(13,)),
    Row(volume.obv_slope, (34, 89), four_hour=(34,)),
    Row(volume.accumulation, (5, 13, 34, 144), four_hour=(13,), day=(8,)),
    Row(volume.return_volume_correlation, (13, 34, 89)),
    Row(volume.size_volume_correlation, (89,)),
    Row(volume.up_down_volume, (34, 89, 233), day=(13,)),
    Row(volume.quiet_momentum, (21, 89)),
    Row(volume.busy_momentum, (21, 89)),
    Row(volume.price_volume_correlation, (34, 144)),
    Row(volume.volume_autocorrelation, (144,)),
    Row(volume.relative_attention, (3, 21)),
    # liquidity
    Row(liquidity.amihud, (8, 21, 55), day=(5,), lean=(8,)),
    Row(liquidity.kyle_lambda, (21, 55), lean=(8,)),
    Row(liquidity.vwap_distance, (8, 21, 55)),
    Row(liquidity.bulk_imbalance, (21,)),
    Row(liquidity.order_toxicity, (21, 89)),
    Row(liquidity.high_low_spread, (144,)),
    Row(liquidity.close_range_spread, (144,)),
    # higher moments
    Row(moments.skewness, (21, 144), four_hour=(34,), lean=(34,)),
    Row(moments.excess_kurtosis, (144,)),
    Row(moments.tail_balance, (13, 34, 89)),
    Row(moments.largest_move, (21, 89)),
    Row(moments.largest_rise, (55,)),
    Row(moments.largest_fall, (55,)),
    # autocorrelation
    Row(
        autocorrelation.return_autocorrelation,
        (21, 55, 144),
        four_hour=(34,),
        lean=(34,),
    ),
    Row(autocorrelation.autocorrelation_lag_2, (144,)),
    Row(autocorrelation.autocorrelation_lag_3, (144,)),
    Row(autocorrelation.autocorrelation_lag_24, (233,)),
    Row(autocorrelation.size_autocorrelation, (144,)),
    Row(autocorrelation.leverage, (144,)),
    Row(autocorrelation.variance_ratio, (21, 55, 144)),
    Row(autocorrelation.long_variance_ratio, (89, 233)),
    Row(autocorrelation.time_irreversibility, (233,)),
    Row(autocorrelation.sign_persistence, (8, 34)),
    # physics at several windows
    Row(physics_windows.hurst_excess, (55, 144, 377), four_hour=(55,)),
    Row(physics_windows.fractal_excess, (89, 233), four_hour=(34,)),
    Row(physics_windows.order_in_returns, (144, 377)),
    Row(physics_windows.order_in_volume, (144,)),
    Row(physics_windows.reversion_speed, (89, 233), four_hour=(34,)),
    Row(physics_windows.reversion_pull, (89, 233)),
    Row(physics_windows.memory_change, (34, 89)),
    Row(physics_windows.recovery_change, (34, 89)),
    # market-relative
    Row(market.market_momentum, (1, 3, 8, 21, 55, 144, 377), lean=(3,)),
    Row(market.market_beta, (21, 89, 233), lean=(34,)),
    Row(market.market_correlation, (21, 89, 233)),
    Row(market.market_residual, (5, 13, 34, 89, 233), day=(8,), lean=(13,)),
    Row(market.market_lead, (34, 144)),
    Row(market.market_follow, (34, 144)),
    Row(market.market_led_move, (89, 233)),
    Row(market.market_spread_position, (55, 144, 377)),
    Row(market.market_relative_volatility, (21, 89)),
    Row(market.market_beta_asymmetry, (233,)),
    Row(market.market_coskewness, (233,)),
    # the whole market
    Row(regime.market_breadth, (1, 5, 21)),
    Row(regime.trend_breadth, (8, 144)),
    Row(regime.market_dispersion, (5, 21, 89)),
    Row(regime.market_dispersion_ratio, (8, 34)),
    Row(regime.market_unity, (21, 55, 144)),
    Row(regime.market_attention, (3, 21, 55)),
    Row(regime.market_volatility, (13, 55, 233)),
    Row(regime.market_volatility_ratio, (8, 34)),
    Row(regime.market_drawdown, (34, 144, 377)),
    Row(regime.market_run_up, (34, 144, 377)),
    Row(regime.market_autocorrelation, (144,)),
    Row(regime.altcoin_rotation, (3, 8, 21, 55, 144)),
    # ranks among the assets
    Row(ranks.return_rank, (1, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233), lean=(8,)),
    Row(ranks.residual_rank, (8, 21, 55, 144)),
    Row(ranks.volatility_rank, (8, 21, 144)),
    Row(ranks.volume_rank, (3, 8, 21, 55)),
    Row(ranks.peak_rank, (55, 233)),
    Row(ranks.skewness_rank, (233,)),
    Row(ranks.beta_rank, (233,)),
    # BTC-relative
    Row(bitcoin.btc_momentum, (1, 3, 8, 21, 55, 144), day=(8,), lean=(3,)),
    Row(bitcoin.btc_beta, (34, 144)),
    Row(bitcoin.btc_correlation, (34, 144)),
    Row(bitcoin.btc_residual, (8, 21, 55, 144), lean=(21,)),
    Row(bitcoin.btc_lead, (34, 144)),
    Row(bitcoin.btc_lead_lag_2, (144,)),
    Row(bitcoin.btc_lead_lag_3, (144,)),
    Row(bitcoin.btc_led_move, (233,)),
    Row(bitcoin.btc_spread_position, (55, 144, 377)),
    Row(bitcoin.btc_relative_volatility, (21, 89)),
    Row(bitcoin.btc_beta_asymmetry, (144,)),
    Row(bitcoin.btc_volatility, (13, 89)),
    Row(bitcoin.btc_volatility_ratio, (8, 34)),
    Row(bitcoin.btc_drawdown, (34, 144)),
    Row(bitcoin.btc_run_up, (34, 144)),
    # dominance
    Row(dominance.btc_dominance),
    Row(dominance.usdt_dominance),
    Row(dominance.btc_dominance_change, DAYS_IN_HOURS),
    Row(dominance.usdt_dominance_change, DAYS_IN_HOURS),
    Row(dominance.btc_dominance_position, (WEEK, THREE_WEEKS)),
    Row(dominance.usdt_dominance_position, (WEEK, THREE_WEEKS)),
    # calendar
    Row(calendar.hour_sine, lean=None),
    Row(calendar.hour_cosine, lean=None),
    Row(calendar.half_day_sine),
    Row(calendar.half_day_cosine),
    Row(calendar.weekday_sine, lean=None),
    Row(calendar.weekday_cosine, lean=None),
    Row(calendar.month_sine),
    Row(calendar.month_cosine),
    Row(calendar.funding_sine),
    Row(calendar.funding_cosine),
    Row(calendar.weekend, lean=None),
    Row(calendar.new_york_session),
    # sessions
    Row(sessions.day_to_date),
    Row(sessions.week_to_date),
    Row(sessions.funding_to_date),
    Row(sessions.friday_distance),
    Row(sessions.day_position),
    Row(sessions.previous_day_position),
    Row(sessions.day_vwap_distance),
    # seasonality
    Row(seasonality.same_hour_move, (FIVE_DAYS, THREE_WEEKS)),
    Row(seasonality.same_half_day_move, (ONE_DAY, FIVE_DAYS, THREE_WEEKS)),
    Row(seasonality.same_weekday_move, (WEEK, THREE_WEEKS)),
    Row(seasonality.market_same_half_day_move, (FIVE_DAYS, THREE_WEEKS)),
    Row(seasonality.volume_surprise, (1, 5, 13)),
    Row(seasonality.range_surprise, (1, 5)),
    # candle shapes
    Row(candles.body_share, (1, 3, 8), four_hour=(1,), lean=(1, 3)),
    Row(candles.upper_wick_share, (1, 3), four_hour=(1,), day=(1,)),
    Row(candles.lower_wick_share, (1, 3), four_hour=(1,), day=(1,)),
    Row(candles.close_location, (1, 3), four_hour=(1,), day=(1,)),
    Row(candles.wick_imbalance, (1, 3, 5, 8), four_hour=(1,), day=(1,), lean=(1, 3, 8)),
    Row(candles.wick_pressure, (3, 21, 89), day=(3,), lean=(3,)),
    Row(candles.candle_size, (1, 3), four_hour=(1,), day=(1,)),
    Row(candles.engulfing),
    Row(candles.inside_bar),
    Row(candles.outside_bar),
    # fractional derivatives
    Row(fractional.fractional_25, (233,)),
    Row(fractional.fractional_50, (34, 144), day=(13,), lean=(34,)),
    Row(fractional.fractional_75, (89,), four_hour=(13,)),
)


def catalogue(profile: Profile) -> tuple[Signal, ...]:
    """Return the signals of a profile, in the order of their columns."""
    return tuple(signal for row in ROWS for signal in row.signals(profile))
