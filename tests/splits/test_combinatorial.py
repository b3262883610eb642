from itertools import pairwise
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fleet_kedro.market.schema import BAR
from fleet_kedro.splits.combinatorial import CombinatorialFold, CombinatorialPurged

START = pd.Timestamp("2022-01-01", tz="UTC")


def splitter(**changes: int) -> CombinatorialPurged:
    values = {"groups": 6, "test_groups": 2, "horizon_bars": 12, "embargo_bars": 24}
    return CombinatorialPurged(**(values | changes))


def clock(n_bars: int) -> pd.DatetimeIndex:
    return pd.date_range(START, periods=n_bars, freq=BAR)


@st.composite
def cuts(draw: st.DrawFn) -> tuple[dict[str, int], int]:
    """Random settings of every kind, with just enough bars or more."""
    groups = draw(st.integers(2, 7))
    values = {
        "groups": groups,
        "test_groups": draw(st.integers(1, groups - 1)),
        "horizon_bars": draw(st.integers(1, 30)),
        "embargo_bars": draw(st.integers(0, 30)),
    }
    kept_empty = values["horizon_bars"] + 1 + values["embargo_bars"]
    n_bars = groups * (2 * kept_empty + 2) + draw(st.integers(0, 500))
    return values, n_bars


def cut(drawn: tuple[dict[str, int], int]) -> list[CombinatorialFold]:
    values, n_bars = drawn
    folds = splitter(**values).split(START, clock(n_bars)[-1])
    assert len(folds) == comb(values["groups"], values["test_groups"])
    return folds


class TestKnownValues:
    def test_six_groups_by_two_are_fifteen_splits_and_five_paths(self) -> None:
        # The example of section 12.3 of the book.
        assert splitter().n_splits == 15
        assert splitter().n_paths == 5
        folds = splitter().split(START, clock(6000)[-1])
        chosen = [fold.test_groups for fold in folds]
        assert chosen[:6] == [(0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 2)]
        assert chosen[-1] == (4, 5)
        assert [fold.number for fold in folds] == list(range(1, 16))

    def test_first_path_takes_the_first_fold_of_each_group(self) -> None:
        paths = splitter().paths()
        assert paths[0].tolist() == [0, 0, 1, 2, 3, 4]
        assert paths[1].tolist() == [1, 5, 5, 6, 7, 8]
        assert paths[-1].tolist() == [4, 8, 11, 13, 14, 14]

    def test_spans_of_one_fold(self) -> None:
        fold = splitter().split(START, clock(6000)[-1])[6]
        assert fold.test_groups == (1, 3)

        def bars(spans: tuple[tuple[pd.Timestamp, pd.Timestamp], ...]) -> list[list]:
            return [[(moment - START) / BAR for moment in span] for span in spans]

        assert bars(fold.test_spans) == [[1000, 2000], [3000, 4000]]
        # Thirteen bars of purge and twenty-four of embargo on either side.
        assert bars(fold.train_spans) == [[0, 963], [2037, 2963], [4037, 6000]]

    def test_neighbouring_test_groups_leave_nothing_between(self) -> None:
        fold = splitter().split(START, clock(6000)[-1])[5]
        assert fold.test_groups == (1, 2)
        assert len(fold.train_spans) == 2

    def test_one_test_group_is_purged_k_fold(self) -> None:
        assert splitter(test_groups=1).n_paths == 1
        assert splitter(test_groups=1).paths().tolist() == [[0, 1, 2, 3, 4, 5]]


class TestProperties:
    @given(cuts())
    @settings(deadline=None)
    def test_no_training_label_touches_a_test_span_or_its_embargo(
        self, drawn: tuple[dict[str, int], int]
    ) -> None:
        values, n_bars = drawn
        hours, bar = clock(n_bars), np.arange(n_bars)
        label_bars, embargo = values["horizon_bars"] + 1, values["embargo_bars"]
        for fold in cut(drawn):
            row = bar[fold.trains_on(hours)]
            assert row.size
            for start, end in fold.test_spans:
                first, last = (start - START) // BAR, (end - START) // BAR - 1
                comes_before = row + label_bars < first - embargo
                comes_after = row > last + label_bars + embargo
                assert (comes_before | comes_after).all()

    @given(cuts())
    @settings(deadline=None)
    def test_nothing_else_is_thrown_away(
        self, drawn: tuple[dict[str, int], int]
    ) -> None:
        values, n_bars = drawn
        hours = clock(n_bars)
        kept_empty = values["horizon_bars"] + 1 + values["embargo_bars"]
        for fold in cut(drawn):
            tested = fold.validates_on(hours)
            near = np.convolve(tested, np.ones(2 * kept_empty + 1), mode="full")
            near = near[kept_empty : kept_empty + n_bars] > 0.5
            np.testing.assert_array_equal(fold.trains_on(hours), ~near)

    @given(cuts())
    @settings(deadline=None)
    def test_every_hour_is_tested_equally_often(
        self, drawn: tuple[dict[str, int], int]
    ) -> None:
        values, n_bars = drawn
        tested = sum(
            fold.validates_on(clock(n_bars)).astype(int) for fold in cut(drawn)
        )
        times = comb(values["groups"] - 1, values["test_groups"] - 1)
        assert (tested == times).all()

    @given(cuts())
    @settings(deadline=None)
    def test_each_path_covers_every_hour_once(
        self, drawn: tuple[dict[str, int], int]
    ) -> None:
        values, n_bars = drawn
        folds, paths = cut(drawn), splitter(**values).paths()
        assert paths.shape == (splitter(**values).n_paths, values["groups"])
        for path in paths:
            served = [folds[place] for place in path]
            spans = [
                fold.test_spans[fold.test_groups.index(group)]
                for group, fold in enumerate(served)
            ]
            assert spans[0][0] == START
            assert spans[-1][1] == START + n_bars * BAR
            assert all(left[1] == right[0] for left, right in pairwise(spans))

    @given(cuts())
    @settings(deadline=None)
    def test_each_forecast_serves_one_path(
        self, drawn: tuple[dict[str, int], int]
    ) -> None:
        paths = splitter(**drawn[0]).paths()
        served = {
            (int(place), group) for path in paths for group, place in enumerate(path)
        }
        forecast = {
            (place, group)
            for place, fold in enumerate(cut(drawn))
            for group in fold.test_groups
        }
        assert served == forecast
        assert len(served) == paths.size

    def test_all_assets_of_an_hour_fall_on_the_same_side(self) -> None:
        hours = clock(3000)
        panel = hours.repeat(11)
        for fold in splitter().split(START, hours[-1]):
            alone = fold.trains_on(hours).repeat(11)
            np.testing.assert_array_equal(fold.trains_on(panel), alone)


class TestErrors:
    def test_a_short_window_names_what_it_needs(self) -> None:
        with pytest.raises(ValueError, match=r"200 bars in 6 groups.*Use 456 bars"):
            splitter(test_groups=5).split(START, clock(200)[-1])

    def test_what_it_names_is_enough(self) -> None:
        folds = splitter(test_groups=5).split(START, clock(456)[-1])
        assert all(fold.trains_on(clock(456)).any() for fold in folds)

    @pytest.mark.parametrize("test_groups", [6, 7])
    def test_something_must_be_left_to_learn_from(self, test_groups: int) -> None:
        with pytest.raises(ValidationError, match="leave none to learn from"):
            splitter(test_groups=test_groups)
