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
    refuse_unknown,
)
from fleet_kedro.market.schema import BAR
from fleet_kedro.market.window import BARS_PER_DAY, Window
from fleet_kedro.splits.walk_forward import WalkForward

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

    def test_known_names_pass(self):
        refuse_unknown("colour", ["red", "green"], {"red", "green"})
