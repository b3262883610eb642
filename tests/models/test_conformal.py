import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_kedro.models.conformal import (
    ConformalSettings,
    interval_scale,
    interval_widths,
)

SMALL = ConformalSettings(window_rows=60, fewest_scores=20, step=0.05)


def slow_widths(score, hour, horizon, chosen):
    """The definition, from scratch at every row."""
    nominal, widths = 1 - chosen.coverage, []
    for row in range(len(score)):
        rate, seen = nominal, []
        for past in range(row):
            if hour[past] + horizon + 1 > hour[row] or np.isnan(score[past]):
                continue
            if not np.isnan(widths[past]):
                missed = 1.0 if score[past] > widths[past] else 0.0
                rate += chosen.step / horizon * (nominal - missed)
                rate = min(max(rate, nominal / 10), nominal * 5)
            seen.append(score[past])
        recent = sorted(seen[-chosen.window_rows :])
        if len(recent) < chosen.fewest_scores:
            widths.append(np.nan)
            continue
        covering = [
            width
            for count, width in enumerate(recent, start=1)
            if count >= (len(recent) + 1) * (1 - rate) - 1e-9
        ]
        widths.append(covering[0] if covering else recent[-1])
    return np.array(widths)


def drawn_scores(seed, n_rows=300):
    rng = np.random.default_rng(seed)
    wildness = np.repeat(rng.choice([0.5, 1.0, 3.0], n_rows // 50), 50)
    score = np.abs(rng.standard_normal(n_rows)) * wildness
    score[rng.random(n_rows) < 0.03] = np.nan
    hour = np.cumsum(rng.choice([1, 1, 1, 1, 9], n_rows)).astype(np.int64)
    return score, hour


class TestKnownValues:
    def test_without_a_step_it_is_a_split_conformal_quantile(self):
        chosen = ConformalSettings(step=0, window_rows=100, fewest_scores=9)
        score = np.arange(1.0, 22.0)
        widths = interval_widths(score, np.arange(21), 1, chosen)

        # Of 9 scores the tenth ninth-tenths is the largest; of 19 the 18th.
        assert np.isnan(widths[:10]).all()
        assert widths[10] == 9
        assert widths[20] == 18

    def test_misses_widen_and_hits_narrow(self):
        chosen = ConformalSettings(step=0.02, window_rows=50, fewest_scores=50)
        rng = np.random.default_rng(0)
        calm, hour = np.abs(rng.standard_normal(400)), np.arange(400)
        fixed = chosen.model_copy(update={"step": 0.0})

        wild = np.where(hour < 200, calm, 2 * calm)
        assert (
            interval_widths(wild, hour, 1, chosen)[210:240].mean()
            > interval_widths(wild, hour, 1, fixed)[210:240].mean()
        )
        quiet = np.where(hour < 200, calm, calm / 4)
        assert (
            interval_widths(quiet, hour, 1, chosen)[210:240].mean()
            < interval_widths(quiet, hour, 1, fixed)[210:240].mean()
        )

    def test_an_interval_is_never_without_end(self):
        """However many misses in a row: the largest score that is known."""
        score = 1.1 ** np.arange(300.0)
        widths = interval_widths(score, np.arange(300), 1, SMALL)

        assert (score > widths)[22:].all()
        assert widths[100:] == pytest.approx(score[98:-2])

    def test_scale_lies_between_the_last_week_and_the_usual(self):
        volatility = np.array([1.0, 1.0, 4.0])
        half = ConformalSettings(season_rows=2, season_share=0.5)
        told = interval_scale(volatility, half)

        assert told == pytest.approx([1, 1, math.sqrt(0.5 * 16 + 0.5 * 8.5)])
        plain = ConformalSettings(season_share=0.0)
        assert interval_scale(volatility, plain) == pytest.approx(volatility)


class TestAgainstSlowReference:
    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize("horizon", [1, 12])
    @pytest.mark.parametrize("step", [0.0, 0.05, 0.9])
    def test_equals_the_definition(self, seed, horizon, step):
        chosen = SMALL.model_copy(update={"step": step})
        score, hour = drawn_scores(seed)
        expected = slow_widths(score, hour, horizon, chosen)

        assert np.isfinite(expected).sum() > 200
        np.testing.assert_array_equal(
            interval_widths(score, hour, horizon, chosen), expected
        )


class TestProperties:
    @given(
        seed=st.integers(0, 1000),
        row=st.integers(60, 299),
        horizon=st.sampled_from([1, 2, 12]),
    )
    @settings(max_examples=40, deadline=None)
    def test_a_width_ignores_outcomes_that_are_not_known_yet(self, seed, row, horizon):
        score, hour = drawn_scores(seed)
        is_unknown = hour + horizon + 1 > hour[row]
        changed = np.where(is_unknown, 100.0, score)
        before = interval_widths(score, hour, horizon, SMALL)
        after = interval_widths(changed, hour, horizon, SMALL)

        np.testing.assert_array_equal(before[: row + 1], after[: row + 1])

    @pytest.mark.parametrize("horizon", [1, 12])
    def test_an_outcome_counts_from_the_hour_it_is_known(self, horizon):
        score = np.random.default_rng(1).random(200)
        changed = score.copy()
        changed[100] = 100.0
        before = interval_widths(score, np.arange(200), horizon, SMALL)
        after = interval_widths(changed, np.arange(200), horizon, SMALL)

        (first, *_) = np.flatnonzero(np.nan_to_num(before) != np.nan_to_num(after))
        assert first == 100 + horizon + 1

    @pytest.mark.parametrize("horizon", [1, 12])
    @pytest.mark.parametrize("nominal", [0.8, 0.9])
    def test_coverage_is_kept_while_the_spread_moves(self, horizon, nominal):
        """Outcomes overlap, tails are fat, the spread drifts by a factor of four."""
        rng = np.random.default_rng(2)
        n_rows = 17_520
        hourly = rng.standard_t(4, n_rows + horizon - 1)
        outcome = np.convolve(hourly, np.ones(horizon), "valid")
        score = np.abs(outcome) * np.exp(0.7 * np.sin(np.arange(n_rows) / 900))
        chosen = ConformalSettings(coverage=nominal, window_rows=1000)
        widths = interval_widths(score, np.arange(n_rows), horizon, chosen)

        is_covered = (score <= widths)[np.isfinite(widths)]
        assert is_covered.mean() == pytest.approx(nominal, abs=0.015)

    def test_units_do_not_matter(self):
        score, hour = drawn_scores(5)

        np.testing.assert_allclose(
            interval_widths(1e-6 * score, hour, 12, SMALL),
            1e-6 * interval_widths(score, hour, 12, SMALL),
        )

    def test_two_years_are_not_read_anew_for_every_row(self):
        """Half a second of work, several with types checked; from scratch, minutes."""
        score = np.abs(np.random.default_rng(3).standard_normal(17_520))
        began = time.process_time()
        for horizon in (1, 12):
            interval_widths(score, np.arange(17_520), horizon, ConformalSettings())

        assert time.process_time() - began < 10

    def test_nothing_known_gives_no_interval(self):
        widths = interval_widths(np.full(50, np.nan), np.arange(50), 1, SMALL)

        assert np.isnan(widths).all()
        assert len(interval_widths(np.empty(0), np.arange(0), 1, SMALL)) == 0
