import itertools

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fleet_kedro.market.schema import BAR
from fleet_kedro.splits.walk_forward import Fold, WalkForward, first_scored_with

START = pd.Timestamp("2022-01-01", tz="UTC")


def walk(**changes: object) -> WalkForward:
    settings = {
        "folds": 5,
        "warmup_folds": 2,
        "horizon_bars": 12,
        "embargo_bars": 24,
        "mode": "expanding",
    }
    return WalkForward(**(settings | changes))


def last_bar(n_bars: int) -> pd.Timestamp:
    return START + (n_bars - 1) * BAR


@st.composite
def walks(draw: st.DrawFn) -> tuple[dict[str, object], int, int]:
    """Random settings of a walk, with its number of bars and its horizon."""
    horizon = draw(st.integers(1, 48))
    embargo = draw(st.integers(0, 72))
    folds = draw(st.integers(1, 8))
    warmup = draw(st.integers(1, 4))
    mode = draw(st.sampled_from(["expanding", "rolling"]))
    train_bars = draw(st.integers(1, 3000)) if mode == "rolling" else None
    shortest = (folds + 1) * (warmup + 1) * (horizon + embargo + 3)
    n_bars = shortest + draw(st.integers(0, 5000))
    settings = {
        "folds": folds,
        "warmup_folds": warmup,
        "horizon_bars": horizon,
        "embargo_bars": embargo,
        "mode": mode,
        "train_bars": train_bars,
    }
    return settings, n_bars, horizon


def folds_of(drawn: tuple[dict[str, object], int, int]) -> list[Fold]:
    settings, n_bars, _ = drawn
    folds = walk(**settings).split(START, last_bar(n_bars))
    assert len(folds) == settings["folds"] + settings["warmup_folds"]
    return folds


class TestKnownValues:
    def test_two_years_give_five_equal_scored_folds(self) -> None:
        folds = walk().split(START, last_bar(17_520))
        assert [fold.number for fold in folds] == [-1, 0, 1, 2, 3, 4, 5]
        scored = [fold for fold in folds if fold.is_scored]
        lengths = [(f.validation_end - f.validation_start) / BAR for f in scored]
        assert lengths == [2920] * 5
        assert scored[0].validation_start == START + 2920 * BAR
        assert scored[-1].validation_end == last_bar(17_520) + BAR

    def test_the_gap_is_purge_and_embargo(self) -> None:
        folds = walk().split(START, last_bar(17_520))
        gaps = [(f.validation_start - f.train_end) / BAR for f in folds]
        assert gaps == [13 + 24] * 7

    def test_masks_are_half_open(self) -> None:
        fold = walk().split(START, last_bar(17_520))[2]
        hours = pd.date_range(START, periods=17_520, freq=BAR)
        trained, validated = fold.trains_on(hours), fold.validates_on(hours)
        assert trained.sum() == 2920 - 37
        assert validated.sum() == 2920
        assert hours[validated][0] == fold.validation_start

    def test_a_rolling_walk_keeps_its_length(self) -> None:
        folds = walk(mode="rolling", train_bars=500).split(START, last_bar(17_520))
        assert [(f.train_end - f.train_start) / BAR for f in folds] == [500] * 7


class TestProperties:
    @given(walks())
    def test_no_label_window_touches_a_validation_row_or_its_embargo(
        self, drawn: tuple[dict[str, object], int, int]
    ) -> None:
        settings, _, horizon = drawn
        for fold in folds_of(drawn):
            assert fold.train_start < fold.train_end
            last_row = fold.train_end - BAR
            label_known_at = last_row + (horizon + 1) * BAR
            forbidden_from = fold.validation_start - settings["embargo_bars"] * BAR
            assert label_known_at < forbidden_from

    @given(walks())
    def test_validation_spans_follow_one_another_without_overlap(
        self, drawn: tuple[dict[str, object], int, int]
    ) -> None:
        for before, after in itertools.pairwise(folds_of(drawn)):
            assert before.validation_end == after.validation_start
            assert before.train_end < after.train_end

    @given(walks())
    def test_training_lies_wholly_before_validation(
        self, drawn: tuple[dict[str, object], int, int]
    ) -> None:
        folds = folds_of(drawn)
        assert all(f.train_start >= START for f in folds)
        assert all(f.train_end <= f.validation_start for f in folds)


class TestErrors:
    def test_a_short_window_names_what_it_needs(self) -> None:
        with pytest.raises(ValueError, match=r"100 bars hold no training span for 5"):
            walk().split(START, last_bar(100))

    def test_a_rolling_walk_without_length_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="needs train_bars"):
            walk(mode="rolling")

    def test_an_expanding_walk_with_a_length_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="must not have it"):
            walk(train_bars=100)


class TestLateListings:
    """Sixty days, five scored folds of ten; an asset joins at five days of age."""

    WALK = walk(min_history_days=5)
    FOLDS = WALK.split(START, last_bar(60 * 24))

    def test_an_asset_joins_with_the_first_fold_that_finds_it_old_enough(self):
        first = START + pd.Timedelta(days=21)

        admitted = [fold.number for fold in self.FOLDS if fold.admits(first)]

        assert admitted == [3, 4, 5]
        joined = first_scored_with(self.FOLDS, first)
        assert joined.number == 3
        # the order of its differences is chosen on nothing that this fold scores
        assert joined.train_end < joined.validation_start

    def test_the_age_is_reached_to_the_hour(self):
        fold = self.FOLDS[-1]
        born = fold.train_end - pd.Timedelta(days=5)
        assert fold.admits(born)
        assert not fold.admits(born + BAR)

    def test_without_the_number_every_age_will_do(self):
        folds = walk().split(START, last_bar(60 * 24))
        assert all(fold.admits(fold.train_end) for fold in folds)
        assert first_scored_with(folds, START).number == 1

    def test_whom_no_fold_admits_is_measured_by_the_last(self):
        assert first_scored_with(self.FOLDS, last_bar(60 * 24)).number == 5
