import numpy as np
import pandas as pd
import pytest

from fleet_kedro.audit import changes
from fleet_kedro.audit.world import World
from fleet_kedro.market.schema import BAR, CANDLE, CleanCandles


@pytest.fixture(scope="module")
def moment(world: World) -> pd.Timestamp:
    return world.folds()[-1].validation_start + 70 * BAR


class TestWithoutFuture:
    def test_nothing_is_there_that_was_not_known(self, world, moment):
        past = changes.without_future(world, moment)
        assert past.candles["timestamp"].max() == moment - BAR
        assert past.dominance["available_at"].max() <= moment
        assert (world.dominance["available_at"] > moment).any()

    def test_folds_that_have_not_begun_are_gone_and_the_others_stay(self, world):
        folds = world.folds()
        before_last = changes.without_future(world, folds[-1].validation_start)
        assert before_last.folds() == folds[:-1]
        assert len(folds) == 3


class TestWithOtherFuture:
    def test_the_past_stays_and_the_future_is_another(self, world, moment):
        rng = np.random.default_rng(1)
        other = changes.with_other_future(world, moment, rng)
        later = world.candles["timestamp"] >= moment
        pd.testing.assert_frame_equal(
            other.candles.loc[~later], world.candles.loc[~later], check_exact=True
        )
        traded = later & (world.candles["volume"] > 0)
        changed = other.candles.loc[traded, CANDLE] != world.candles.loc[traded, CANDLE]
        assert changed.all(axis=None)

    def test_candles_stay_candles(self, world, moment):
        rng = np.random.default_rng(1)
        CleanCandles.validate(changes.with_other_future(world, moment, rng).candles)

    def test_shares_that_were_out_stay_as_they_were(self, world, moment):
        rng = np.random.default_rng(1)
        other = changes.with_other_future(world, moment, rng).dominance
        is_out = world.dominance["available_at"] <= moment
        same = other["dominance_pct"] == world.dominance["dominance_pct"]
        assert same[is_out].all()
        assert not same[~is_out].any()


class TestWithOtherInputs:
    @pytest.mark.parametrize("read", ["open", "close", "volume"])
    def test_only_what_is_read_stays(self, world, read):
        rng = np.random.default_rng(1)
        other = changes.with_other_inputs(world, [read], rng)
        CleanCandles.validate(other.candles)
        traded = world.candles["volume"] > 0
        for column in {"open", "close", "volume"} - {read}:
            assert (other.candles[column] != world.candles[column])[traded].all()
        pd.testing.assert_series_equal(other.candles[read], world.candles[read])


class TestWithOtherOldRows:
    def test_rows_from_the_moment_on_are_the_same_bits(self, world):
        rng = np.random.default_rng(1)
        other = changes.with_other_old_rows(world, world.start, rng)
        for asset, table in world.features.items():
            changed = other.features[asset]
            kept = table["timestamp"] >= world.start
            pd.testing.assert_frame_equal(
                changed.loc[kept], table.loc[kept], check_exact=True
            )
            assert not changed.loc[~kept].equals(table.loc[~kept])
            assert (changed.dtypes == table.dtypes).all()


class TestWithReversedAssets:
    def test_the_same_rows_come_in_another_order(self, world):
        other = changes.with_reversed_assets(world)
        assert other.assets == tuple(reversed(world.assets))
        assert list(other.features) == list(reversed(world.assets))
        pd.testing.assert_frame_equal(
            other.candles.sort_values(["timestamp", "asset"], ignore_index=True),
            world.candles,
        )


class TestGaps:
    def test_one_asset_is_away_and_begins_a_new_segment(self, world, moment):
        gap = changes.with_gap(world, "SOL", moment, 10)
        CleanCandles.validate(gap.candles)
        lost = world.candles.merge(
            gap.candles[["timestamp", "asset"]], how="left", indicator=True
        )
        lost = lost.loc[lost["_merge"] == "left_only"]
        assert set(lost["asset"]) == {"SOL"}
        assert lost["timestamp"].tolist() == [moment + k * BAR for k in range(10)]
        own = gap.by_asset["SOL"].set_index("timestamp")["segment"]
        assert own[moment + 10 * BAR] == own[moment - BAR] + 1

    def test_without_past_only_that_asset_forgets(self, world, moment):
        alone = changes.without_past(world, "SOL", moment)
        assert alone.by_asset["SOL"]["timestamp"].iloc[0] == moment
        pd.testing.assert_frame_equal(alone.by_asset["BTC"], world.by_asset["BTC"])

    def test_the_audited_world_has_a_long_gap_and_a_bridged_one(self, world):
        own = world.by_asset["ETH"]
        assert own["is_filled"].sum() >= 3
        assert not (own["timestamp"] == world.gap_moment).any()
        assert (world.by_asset["BTC"]["timestamp"] == world.gap_moment).any()


class TestProperties:
    def test_a_change_leaves_the_world_it_was_made_of_alone(self, world, moment):
        candles, dominance = world.candles.copy(), world.dominance.copy()
        rng = np.random.default_rng(1)
        changes.without_future(world, moment)
        changes.with_other_future(world, moment, rng)
        changes.with_other_inputs(world, ["open"], rng)
        changes.with_later_start(world, moment)
        changes.with_other_old_rows(world, moment, rng)
        changes.with_reversed_assets(world)
        changes.with_gap(world, "SOL", moment, 5)
        pd.testing.assert_frame_equal(world.candles, candles)
        pd.testing.assert_frame_equal(world.dominance, dominance)
