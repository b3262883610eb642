"""What each check sees, on columns whose leak is known to the bar."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.audit.checks import (
    BORDER,
    ORDER,
    PERTURB,
    TRUNCATE,
    WARM_UP,
    Truncation,
)
from fleet_kedro.audit.examine import examine
from fleet_kedro.audit.step import Law, Step
from fleet_kedro.audit.world import World
from fleet_kedro.market.schema import BAR

# A running sum keeps the rounding of the bars that it began with.
TRAILING = Law(
    memory_bars=4,
    warm_up_tolerance=1e-9,
    own_only=True,
    restarts=True,
    reads=("close",),
)


def mean_of_five(own: pd.DataFrame) -> pd.Series:
    rolling = own.groupby("segment")["close"].rolling(5).mean()
    return rolling.droplevel(0).sort_index()


def label(own: pd.DataFrame) -> pd.Series:
    opens = own.groupby("segment")["open"]
    return opens.shift(-4) / opens.shift(-1) - 1.0


def results(world: World, step: Step) -> dict[str, str]:
    return {o.check: o.status for o in examine(world, [step], seed=0)}


class TestHonestSteps:
    def test_a_trailing_mean_per_segment_passes_all_checks(self, world, step_of):
        assert results(world, step_of(mean_of_five, TRAILING)) == dict.fromkeys(
            [TRUNCATE, PERTURB, WARM_UP, ORDER, BORDER], "ok"
        )

    def test_a_label_passes_with_its_own_reach(self, world, step_of):
        law = Law(reach_bars=4, memory_bars=0, reads=("open",), restarts=True)
        assert set(results(world, step_of(label, law)).values()) == {"ok"}

    def test_a_law_that_promises_less_is_asked_less(self, world, step_of):
        checks = results(world, step_of(mean_of_five, Law()))
        assert set(checks) == {TRUNCATE, PERTURB, ORDER, BORDER}


class TestBrokenLaws:
    @pytest.mark.parametrize("reach_bars", [3, 5])
    def test_a_label_must_reach_exactly_as_far_as_it_says(
        self, world, step_of, reach_bars
    ):
        checks = results(world, step_of(label, Law(reach_bars=reach_bars)))
        assert checks[PERTURB] == "finding"

    def test_a_memory_declared_one_bar_too_short_is_found(self, world, step_of):
        assert results(
            world, step_of(mean_of_five, replace(TRAILING, memory_bars=3))
        ) == {
            TRUNCATE: "ok",
            PERTURB: "ok",
            WARM_UP: "finding",
            ORDER: "ok",
            BORDER: "ok",
        }

    def test_an_input_that_is_not_declared_is_found(self, world, step_of):
        law = Law(reads=("open",))
        assert results(world, step_of(mean_of_five, law))[PERTURB] == "finding"

    def test_a_row_that_looks_across_a_border_is_found(self, world, step_of):
        law = Law(restarts=True)
        across = step_of(lambda own: own["close"].rolling(5).mean(), law)
        assert results(world, across)[BORDER] == "finding"

    def test_a_column_that_sees_other_assets_cannot_claim_to_be_its_own(self, world):
        def mean_of_all(some_world: World) -> pd.DataFrame:
            candles = some_world.candles
            mean = candles.groupby("timestamp")["close"].transform("mean")
            return candles[["timestamp", "asset"]].assign(value=mean)

        step = Step("mean", "mean", mean_of_all, "value", Law(own_only=True))
        assert results(world, step)[BORDER] == "finding"

    def test_rows_chosen_by_the_future_are_found(self, world):
        def before_a_rise(some_world: World) -> pd.DataFrame:
            candles = some_world.candles
            next_close = candles.groupby("asset")["close"].shift(-1)
            chosen = candles.loc[next_close > candles["close"]]
            return chosen[["timestamp", "asset"]].assign(value=1.0)

        step = Step("chosen", "chosen", before_a_rise, "value", Law())
        assert results(world, step)[PERTURB] == "finding"


class TestWhatIsTold:
    def test_first_moment_and_worst_difference_are_those_of_the_leak(
        self, world, step_of
    ):
        peeking = step_of(lambda own: own["close"].shift(-1).fillna(0.0))
        (found,) = [o for o in examine(world, [peeking], seed=0) if o.check == TRUNCATE]
        # The row before the moment showed the close of the candle that is cut off,
        # and shows nothing now; the first such row is the earliest truncation's.
        assert found.difference is not None
        other = Truncation(world.gap_moment).worlds(world).other
        last = other.candles["timestamp"].max()
        gapped = min(own["timestamp"].iloc[-1] for own in other.by_asset.values())
        assert gapped < last == world.gap_moment - BAR
        assert found.difference.column == "value"
        highest = world.candles["close"].max()
        assert 0.0 < found.difference.worst <= highest

    def test_a_step_without_rows_has_not_passed(self, world):
        def nothing(some_world: World) -> pd.DataFrame:
            keys = some_world.candles[["timestamp", "asset"]]
            return keys.assign(value=np.nan)

        step = Step("empty", "empty", nothing, "value", Law())
        assert set(results(world, step).values()) == {"nothing compared"}
