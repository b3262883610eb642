"""Which windows hold a walk, told before any candle is read."""

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_kedro.hooks import (
    SHORTEST_TRAINING_BARS,
    ParameterError,
    refuse_short_window,
    refuse_stranger,
    refuse_two_histories,
    refuse_unknown,
)
from fleet_kedro.market.schema import BAR
from fleet_kedro.market.window import BARS_PER_DAY, Window
from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.splits.walk_forward import WalkForward
from fleet_kedro.validation.settings import ReportSettings

START = pd.Timestamp("2022-01-01", tz="UTC")

walks = st.fixed_dictionaries(
    {
        "folds": st.integers(1, 12),
        "warmup_folds": st.integers(1, 4),
        "horizon_bars": st.integers(1, 48),
        "embargo_bars": st.integers(0, 48),
    }
)


def first_training_bars(days: int, walk: WalkForward) -> int:
    end = START + (days * BARS_PER_DAY - 1) * BAR
    first = walk.split(START, end)[0]
    return int((first.train_end - first.train_start) / BAR)


def said_about(days: int, walk: WalkForward) -> str:
    with pytest.raises(ParameterError) as refused:
        refuse_short_window(Window(days=days), walk)
    return str(refused.value)


class TestProperties:
    @given(settings=walks, days=st.integers(1, 400))
    def test_the_remedy_works_and_no_shorter_one_would(self, settings, days):
        walk = WalkForward(mode="expanding", **settings)
        try:
            refuse_short_window(Window(days=days), walk)
        except ParameterError as refused:
            needed = int(re.search(r"days >= (\d+)", str(refused)).group(1))
            assert needed > days
            refuse_short_window(Window(days=needed), walk)
            assert said_about(needed - 1, walk)
            days = needed
        # Edges of spans are rounded to whole bars: one bar more or less.
        assert first_training_bars(days, walk) >= SHORTEST_TRAINING_BARS - 1


class TestErrors:
    def test_a_short_window_is_told_with_its_remedy(self):
        walk = WalkForward(
            folds=5,
            warmup_folds=1,
            horizon_bars=12,
            embargo_bars=12,
            mode="expanding",
        )
        assert said_about(14, walk) == (
            "days=14 is too short for folds=5: the first forecasts would be learnt "
            "from 3 hours of candles; choose days >= 37 or fewer folds."
        )

    def test_a_name_without_a_near_match_is_told_with_all_that_there_are(self):
        with pytest.raises(ParameterError) as refused:
            refuse_unknown("colour", ["blue"], {"red", "green"})

        assert str(refused.value) == (
            "There is no colour 'blue'; there are green, red."
        )

    @pytest.mark.parametrize(("window", "walk"), [(90, None), (None, 90), (90, 60)])
    def test_two_histories_are_told_with_both_numbers(self, window, walk):
        with pytest.raises(ParameterError) as refused:
            refuse_two_histories(
                {"min_history_days": window}, {"min_history_days": walk}
            )

        assert str(refused.value) == (
            f"window.min_history_days={window} and walk_forward.min_history_days={walk}"
            " differ: an asset joins window and folds at one age; give both the same "
            "number, as min_history_days in globals.yml does, or null."
        )

    def test_one_history_passes(self):
        refuse_two_histories({"min_history_days": 90}, {"min_history_days": 90})
        refuse_two_histories({"min_history_days": None}, {})

    def test_a_baseline_asset_must_be_in_the_universe(self):
        bootstrap = BlockBootstrap(block_days=7, draws=100, level=0.9, seed=0)
        report = ReportSettings(bootstrap=bootstrap, baseline_asset="BCT")
        with pytest.raises(ParameterError) as refused:
            refuse_stranger(report, ["BTC", "ETH"])

        assert str(refused.value) == (
            "report.baseline_asset='BCT' is none of the universe's assets; choose one "
            "of BTC, ETH."
        )
        refuse_stranger(report, ["ETH", "BCT"])

    def test_known_names_pass(self):
        refuse_unknown("colour", ["red", "green"], {"red", "green"})
