"""Calendar, sessions and seasonality: what the clock says and what it used to bring."""

import numpy as np
import pandas as pd
import pytest
from by_hand import rms

from fleet_kedro.features.families import calendar, seasonality, sessions

ROWS = (30, 47, 48, 160, 168, 299)


class TestCalendar:
    def test_phases_are_those_of_the_clock(self, make_bars):
        bars = make_bars(close=np.ones(400))
        stamps = pd.DatetimeIndex(bars.timestamp)
        hour = np.asarray(stamps.hour)
        since_monday = np.asarray(stamps.day_of_week * 24 + stamps.hour)
        for compute, wave, phase in [
            (calendar.hour_sine, np.sin, hour / 24),
            (calendar.hour_cosine, np.cos, hour / 24),
            (calendar.weekday_sine, np.sin, since_monday / 168),
            (calendar.weekday_cosine, np.cos, since_monday / 168),
            (calendar.funding_sine, np.sin, hour / 8),
            (calendar.funding_cosine, np.cos, hour / 8),
        ]:
            np.testing.assert_allclose(
                compute(bars), wave(2 * np.pi * phase), atol=1e-12
            )
        np.testing.assert_array_equal(calendar.weekend(bars), stamps.day_of_week >= 5)

    def test_half_day_month_and_new_york(self, make_bars):
        bars = make_bars(close=np.ones(800))
        stamps = pd.DatetimeIndex(bars.timestamp)
        half_day = np.asarray(stamps.hour % 12) / 12
        in_month = np.asarray(stamps.day - 1 + stamps.hour / 24) / np.asarray(
            stamps.days_in_month
        )
        for compute, wave, phase in [
            (calendar.half_day_sine, np.sin, half_day),
            (calendar.half_day_cosine, np.cos, half_day),
            (calendar.month_sine, np.sin, in_month),
            (calendar.month_cosine, np.cos, in_month),
        ]:
            np.testing.assert_allclose(
                compute(bars), wave(2 * np.pi * phase), atol=1e-12
            )
        trades = (stamps.day_of_week < 5) & (stamps.hour >= 14) & (stamps.hour <= 20)
        np.testing.assert_array_equal(calendar.new_york_session(bars), trades)


class TestSessions:
    """The bars begin on a Monday at midnight."""

    @pytest.mark.parametrize(
        ("compute", "anchor"),
        [
            (sessions.day_to_date, lambda t: t - t % 24),
            (sessions.week_to_date, lambda t: t - t % 168),
            (sessions.funding_to_date, lambda t: t - t % 8),
            # Friday 21:00 is hour 117; before the first one, the segment's first bar.
            (sessions.friday_distance, lambda t: max(0, t - (t - 117) % 168)),
        ],
        ids=lambda given: getattr(given, "name", ""),
    )
    def test_move_since_the_session_began(self, compute, anchor, random_bars):
        b = random_bars
        for t in ROWS:
            start = anchor(t)
            yardstick = rms(b.log_return[t - 20 : t + 1]) * np.sqrt(t - start + 1)
            expected = np.log(b.close[t] / b.open[start]) / yardstick
            assert compute(b)[t] == pytest.approx(expected, rel=1e-9)

    def test_position_in_this_day_and_in_the_last(self, random_bars):
        b = random_bars
        for t in ROWS:
            start = t - t % 24
            low, high = b.low[start : t + 1].min(), b.high[start : t + 1].max()
            assert sessions.day_position(b)[t] == pytest.approx(
                2 * (b.close[t] - low) / (high - low) - 1
            )
            # The row that closes a day looks at that very day.
            end = (t + 1) - (t + 1) % 24
            low, high = b.low[end - 24 : end].min(), b.high[end - 24 : end].max()
            assert sessions.previous_day_position(b)[t] == pytest.approx(
                2 * (b.close[t] - low) / (high - low) - 1
            )

    def test_average_price_of_the_day(self, random_bars):
        b = random_bars
        typical = (b.high + b.low + b.close) / 3
        for t in ROWS:
            day = slice(t - t % 24, t + 1)
            average = np.average(typical[day], weights=b.volume[day])
            yardstick = rms(b.log_return[t - 20 : t + 1]) * np.sqrt((t % 24 + 1) / 3)
            assert sessions.day_vwap_distance(b)[t] == pytest.approx(
                np.log(b.close[t] / average) / yardstick, rel=1e-8
            )

    def test_a_day_without_trades_has_no_distance(self, make_bars):
        bars = make_bars(close=np.exp(0.01 * np.arange(60.0)), volume=np.zeros(60))
        assert (sessions.day_vwap_distance(bars)[21:] == 0.0).all()


class TestSeasonality:
    @pytest.mark.parametrize(
        ("compute", "ahead", "period"),
        [
            (seasonality.same_hour_move, 1, 24),
            (seasonality.same_half_day_move, 12, 24),
        ],
        ids=lambda given: getattr(given, "name", ""),
    )
    def test_moves_that_followed_this_hour_on_the_days_before(
        self, compute, ahead, period, random_bars
    ):
        b, log_close = random_bars, np.log(random_bars.close)
        for t in (130, 168, 299):
            starts = [t - period * k for k in range(1, 6)]
            moved = sum(log_close[start + ahead] - log_close[start] for start in starts)
            yardstick = rms(b.log_return[t - 119 : t + 1]) * np.sqrt(5 * ahead)
            assert compute(b, 120)[t] == pytest.approx(moved / yardstick, rel=1e-8)

    def test_moves_that_followed_this_hour_of_the_week(self, random_bars):
        b, log_close = random_bars, np.log(random_bars.close)
        for t in (168, 200, 299):
            moved = log_close[t - 168 + 12] - log_close[t - 168]
            yardstick = rms(b.log_return[t - 167 : t + 1]) * np.sqrt(12)
            assert seasonality.same_weekday_move(b, 168)[t] == pytest.approx(
                moved / yardstick, rel=1e-8
            )

    def test_moves_of_the_market(self, random_bars):
        b, other = random_bars, random_bars.surroundings.market_log_return
        for t in (130, 299):
            moved = sum(
                other[t - 24 * k + 1 : t - 24 * k + 13].sum() for k in range(1, 6)
            )
            yardstick = rms(other[t - 119 : t + 1]) * np.sqrt(60)
            assert seasonality.market_same_half_day_move(b, 120)[t] == pytest.approx(
                moved / yardstick, rel=1e-8
            )

    def test_surprise_compares_with_the_same_hours_of_seven_days(self, random_bars):
        b = random_bars
        for compute, values in [
            (seasonality.volume_surprise, b.volume),
            (seasonality.range_surprise, np.log(b.high / b.low)),
        ]:
            for t in (172, 299):
                recent = values[t - 4 : t + 1].sum()
                usual = [
                    values[t - 24 * k - 4 : t - 24 * k + 1].sum() for k in range(1, 8)
                ]
                assert compute(b, 5)[t] == pytest.approx(
                    np.log(recent / np.mean(usual)), rel=1e-9
                )

    def test_a_daily_rhythm_is_no_surprise(self, make_bars):
        rhythm = np.resize(np.arange(1.0, 25.0), 400)
        bars = make_bars(close=np.ones(400), volume=rhythm)
        np.testing.assert_allclose(
            seasonality.volume_surprise(bars, 5)[172:], 0.0, atol=1e-12
        )
