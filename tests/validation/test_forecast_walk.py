import logging

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.splits.walk_forward import WalkForward
from fleet_kedro.validation.forecast_walk import (
    FEWEST_ROWS,
    fit_final,
    training_rows,
    walk_forecaster,
)

HOUR = pd.Timedelta(hours=1)
WALK = WalkForward(
    folds=3, warmup_folds=1, horizon_bars=12, embargo_bars=24, mode="expanding"
)


def split(bars, walk=WALK):
    return walk.split(bars.timestamp[0], bars.timestamp[-1])


@pytest.fixture(scope="module")
def bars(drawn_bars):
    return drawn_bars()


@pytest.fixture(scope="module")
def folds(bars):
    return split(bars)


@pytest.fixture(scope="module")
def walked(ridge, bars, folds):
    return walk_forecaster(ridge, bars, folds)


class TestKnownValues:
    def test_every_usable_row_of_every_fold_is_forecast_once(self, walked, bars, folds):
        first = min(fold.validation_start for fold in folds)
        expected = bars.timestamp[bars.is_usable & (bars.timestamp >= first)]

        assert walked["timestamp"].tolist() == expected.tolist()
        assert walked["fold"].unique().tolist() == [0, 1, 2, 3]
        assert walked[["forecast_1h", "forecast_12h"]].notna().all(axis=None)
        for fold in folds:
            own = walked.loc[walked["fold"] == fold.number, "timestamp"]
            assert fold.validates_on(pd.DatetimeIndex(own)).all()

    def test_columns_are_the_asset_s_own(self, walked, bars):
        place = bars.timestamp.get_indexer(walked["timestamp"])

        assert list(walked.columns) == [
            *("timestamp", "fold", "forecast_1h", "forecast_12h"),
            *("forward_log_return_1h", "forward_log_return_12h"),
            *("volatility", "close"),
        ]
        assert str(walked["timestamp"].dtype) == "datetime64[us, UTC]"
        np.testing.assert_array_equal(walked["close"], bars.close[place])
        np.testing.assert_array_equal(walked["volatility"], bars.volatility[place])
        np.testing.assert_array_equal(
            walked["forward_log_return_12h"], bars.target[place, 1]
        )

    def test_the_last_rows_are_forecast_though_nobody_knows_them(self, walked):
        unknown = walked["forward_log_return_12h"].isna()

        assert unknown.tolist()[-13:] == [True] * 13
        assert not unknown.iloc[:-13].any()
        assert walked["forecast_12h"].iloc[-1] != 0

    def test_equals_a_fit_by_hand(self, walked, bars, folds, ridge):
        fold = folds[2]
        learnt = bars.is_labelled & (bars.timestamp < fold.train_end)
        asked = np.flatnonzero(bars.is_usable & fold.validates_on(bars.timestamp))
        expected = ridge().fit(bars, np.flatnonzero(learnt)).predict(bars, asked)

        own = walked.loc[walked["fold"] == fold.number]
        np.testing.assert_array_equal(own[["forecast_1h", "forecast_12h"]], expected)

    def test_what_can_be_known_is_found(self, walked):
        known = walked.dropna()
        for horizon in (1, 12):
            outcome = known[f"forward_log_return_{horizon}h"]
            missed = outcome - known[f"forecast_{horizon}h"]
            assert (missed**2).mean() < 0.96 * (outcome**2).mean()

    def test_the_final_one_learns_from_every_labelled_row(self, bars, ridge):
        rows = np.flatnonzero(bars.is_labelled)
        expected = ridge().fit(bars, rows).slopes_

        assert rows[-1] == len(bars.close) - 14
        np.testing.assert_array_equal(fit_final(ridge, bars).slopes_, expected)

    def test_progress_is_told_by_every_fit(self, bars, folds, ridge):
        told = []
        walk_forecaster(ridge, bars, folds, lambda *steps: told.append(steps))
        fit_final(ridge, bars, lambda *steps: told.append(steps))

        assert told == [(1, 1, None)] * 5


class TestProperties:
    @pytest.mark.parametrize("number", [0, 1, 2, 3])
    def test_a_fold_ignores_whatever_is_known_after_it_begins(
        self, walked, bars, folds, ridge, number
    ):
        """Spoil all that happens from the first forecast on: nothing changes."""
        (fold,) = (fold for fold in folds if fold.number == number)
        begins = bars.timestamp.get_loc(fold.validation_start)
        spoilt = bars._replace(target=bars.target.copy())
        for column, horizon in enumerate(bars.horizons):
            spoilt.target[begins - horizon - 1 :, column] = 1.0
        again = walk_forecaster(ridge, spoilt, folds)
        said = [
            table.loc[table["fold"] == number, ["forecast_1h", "forecast_12h"]]
            for table in (again, walked)
        ]
        pd.testing.assert_frame_equal(*said)

    def test_an_outcome_known_in_time_does_count(self, walked, bars, folds, ridge):
        last = training_rows(bars, folds[1])[-1]
        changed = bars._replace(target=bars.target.copy())
        changed.target[last] = 1.0
        again = walk_forecaster(ridge, changed, folds)

        own = again["fold"] == folds[1].number
        assert not np.array_equal(again["forecast_1h"][own], walked["forecast_1h"][own])

    def test_later_signals_change_nothing_before_them(self, walked, bars, folds, ridge):
        cut = folds[2].validation_start
        late = bars.timestamp >= cut
        changed = bars._replace(
            signals=np.where(late[:, np.newaxis], np.float32(9), bars.signals)
        )
        again = walk_forecaster(ridge, changed, folds)

        before = walked["timestamp"] < cut
        pd.testing.assert_frame_equal(again[before], walked[before])

    def test_the_same_walk_gives_the_same_numbers(self, walked, bars, folds, ridge):
        pd.testing.assert_frame_equal(walk_forecaster(ridge, bars, folds), walked)


class TestSkipped:
    def test_a_young_asset_waits_for_its_age(self, bars, ridge, caplog):
        walk = WALK.model_copy(update={"min_history_days": 50})
        with caplog.at_level(logging.INFO):
            walked = walk_forecaster(ridge, bars, split(bars, walk))

        assert walked["fold"].unique().tolist() == [2, 3]
        assert "Fold 0 skipped: the first candle is of 2023-01-01" in caplog.text

    def test_a_fold_with_few_rows_is_skipped(self, bars, folds, ridge, caplog):
        begins = folds[1].train_end - 50 * HOUR
        short = bars._replace(is_usable=bars.is_usable & (bars.timestamp >= begins))
        with caplog.at_level(logging.INFO):
            walked = walk_forecaster(ridge, short, folds)

        assert walked["fold"].unique().tolist() == [2, 3]
        assert f"Fold 1 skipped: 50 labelled rows to learn from, {FEWEST_ROWS}" in (
            caplog.text
        )

    def test_an_asset_that_is_never_old_enough_has_an_empty_walk(self, bars, ridge):
        walk = WALK.model_copy(update={"min_history_days": 1000})
        walked = walk_forecaster(ridge, bars, split(bars, walk))

        assert walked.empty
        assert walked["timestamp"].dtype == "datetime64[us, UTC]"
        assert "forecast_12h" in walked

    def test_a_fold_without_usable_rows_adds_none(self, bars, folds, ridge):
        blind = bars.is_usable & ~folds[2].validates_on(bars.timestamp)
        walked = walk_forecaster(ridge, bars._replace(is_usable=blind), folds)

        assert walked["fold"].unique().tolist() == [0, 1, 3]


class TestErrors:
    def test_a_split_for_a_shorter_horizon_is_refused(self, bars, ridge):
        close = WALK.model_copy(update={"horizon_bars": 4, "embargo_bars": 7})
        with pytest.raises(ValueError, match=r"keeps 12 bars empty.*12 h need 13"):
            walk_forecaster(ridge, bars, split(bars, close))

    def test_too_few_rows_for_production_are_refused(self, bars, ridge):
        few = bars._replace(
            is_usable=bars.is_usable & (np.arange(len(bars.close)) < 268)
        )
        with pytest.raises(ValueError, match="labelled rows are too few"):
            fit_final(ridge, few)
