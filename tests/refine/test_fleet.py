"""One pass over the fleet against the long way: scale, stack, fit on the dense rows."""

import dataclasses
import logging

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.features.lags import LAGS
from fleet_kedro.refine.fleet import FleetRefinement, FleetRefiner
from fleet_kedro.refine.panel_moments import AssetRows
from fleet_kedro.refine.tensor_flex import TensorFlexRefiner
from fleet_kedro.splits.walk_forward import Fold

START = pd.Timestamp("2022-01-01", tz="UTC")
DAY = pd.Timedelta(days=1)
N_DAYS, BLOCK_DAYS = 40, 5
N_BARS = 24 * N_DAYS
N_DRIVERS, N_SIGNALS = 5, 12
IS_FLAG = np.arange(N_SIGNALS) == N_SIGNALS - 1
TIMESTAMP = pd.date_range(START, periods=N_BARS, freq="h", unit="us")


def fold(train_start_day: int, train_end_day: int) -> Fold:
    """A fold with that training span; what it validates on plays no part here."""
    end = START + train_end_day * DAY
    return Fold(1, START + train_start_day * DAY, end, end + 2 * DAY, end + 9 * DAY)


EXPANDING = [fold(0, 20), fold(0, 25), fold(0, 35)]
ROLLING = [fold(0, 20), fold(10, 30), fold(15, 35)]


def asset_rows(seed: int) -> AssetRows:
    """Signals of a few slow drivers, at a level and on a scale of the asset's own.

    The fifth day has no signals, the sixth begins a segment, and here and there rows
    are not used. The last signal is a flag. Drivers 0 and 1 move the label.
    """
    rng = np.random.default_rng(seed)
    drivers = np.zeros((N_BARS, N_DRIVERS))
    for t in range(1, N_BARS):
        drivers[t] = 0.8 * drivers[t - 1] + 0.6 * rng.standard_normal(N_DRIVERS)
    # The same signal follows the same driver in every asset.
    followed = np.arange(N_SIGNALS) % N_DRIVERS
    noise = rng.standard_normal((N_BARS, N_SIGNALS))
    signals = (drivers[:, followed] + 0.4 * noise) * rng.uniform(0.5, 9.0, N_SIGNALS)
    signals += rng.uniform(-5.0, 5.0, N_SIGNALS)
    signals[:, -1] = drivers[:, -1] > 1.0
    signals[96:120] = np.nan
    segment = (np.arange(N_BARS) >= 120).astype(np.int32)
    edge = 0.5 * drivers[:, 0] - 0.35 * drivers[:, 1]
    label = (edge + rng.standard_normal(N_BARS) > 0).astype(np.float64)
    is_used = rng.random(N_BARS) < 0.95
    is_used[: max(LAGS)] = is_used[96 : 120 + max(LAGS)] = False
    return AssetRows(signals.astype(np.float32), segment, is_used, label)


FLEET = {"ADA": asset_rows(1), "BTC": asset_rows(2), "ETH": asset_rows(3)}


def unfitted() -> TensorFlexRefiner:
    return TensorFlexRefiner(n_latents=6, max_cluster_size=12)


def refined(
    fleet: dict[str, AssetRows], folds: list[Fold], block_days: int = BLOCK_DAYS
) -> list[FleetRefiner]:
    refinement = FleetRefinement(folds, IS_FLAG, unfitted(), block_days)
    for asset, rows in fleet.items():
        refinement.add(asset, TIMESTAMP[: len(rows.label)], rows)
    return [refinement.fit(number) for number in range(len(folds))]


def lagged(values: np.ndarray) -> np.ndarray:
    """Every lag side by side, lag-major; NaN before the first bar."""
    wide = np.full((len(LAGS), *values.shape), np.nan)
    for place, lag in enumerate(LAGS):
        wide[place, lag:] = values[: len(values) - lag]
    return np.concatenate(list(wide), axis=1)


def scaled(rows: AssetRows, trained: np.ndarray) -> np.ndarray:
    """Z-score by the training rows at lag zero, but for the flags; then lag."""
    signals = rows.signals.astype(np.float64)
    mean, scale = signals[trained].mean(axis=0), signals[trained].std(axis=0)
    mean[IS_FLAG], scale[IS_FLAG] = 0.0, 1.0
    return lagged((signals - mean) / scale)


def dense_latents(
    fleet: dict[str, AssetRows], training: Fold, block_days: int = BLOCK_DAYS
) -> dict[str, np.ndarray]:
    """Stack the scaled training rows of all assets, fit, transform each asset."""
    trained = {
        name: rows.is_used & training.trains_on(TIMESTAMP)
        for name, rows in fleet.items()
    }
    wide = {name: scaled(rows, trained[name]) for name, rows in fleet.items()}
    block = np.asarray((TIMESTAMP - training.train_start) // (block_days * DAY))
    flex = unfitted().fit(
        np.vstack([wide[name][trained[name]] for name in fleet]),
        np.concatenate([fleet[name].label[trained[name]] for name in fleet]),
        time_block=np.concatenate([block[trained[name]] for name in fleet]),
    )
    latents = {}
    for name, rows in fleet.items():
        latents[name] = np.full((N_BARS, flex.n_latents_), np.nan)
        latents[name][rows.is_used] = flex.transform(wide[name][rows.is_used])
    return latents


def assert_close(
    refiner: FleetRefiner, expected: dict[str, np.ndarray], fleet: dict[str, AssetRows]
) -> None:
    """The latents of every used row, training and later, agree to float32 rounding."""
    for name, rows in fleet.items():
        latents = refiner.latents(name, rows.signals, rows.segment)
        assert latents.dtype == np.float32
        np.testing.assert_allclose(
            latents[rows.is_used], expected[name][rows.is_used], atol=1e-4, rtol=0
        )


def all_bytes(refiner: FleetRefiner) -> list[bytes]:
    """Everything that the fold has learnt."""
    flex, scales = refiner.flex, refiner.scales
    learnt = [flex.projection_, flex.offset_]
    for name in sorted(scales):
        learnt += [scales[name].mean, scales[name].scale]
    return [values.tobytes() for values in learnt]


def with_another_future(rows: AssetRows, first_bar: int) -> AssetRows:
    """The same bars before ``first_bar``, and others from there on."""
    other = asset_rows(99)
    later = np.arange(N_BARS) >= first_bar
    return AssetRows(
        signals=np.where(later[:, np.newaxis], -other.signals, rows.signals),
        segment=rows.segment,
        is_used=np.where(later, other.is_used, rows.is_used),
        label=np.where(later, 1.0 - other.label, rows.label),
    )


def late(rows: AssetRows, first_used: int) -> AssetRows:
    """The same asset, without a used row before that bar."""
    is_used = rows.is_used & (np.arange(N_BARS) >= first_used)
    return AssetRows(rows.signals, rows.segment, is_used, rows.label)


class TestKnownValues:
    def test_scales_are_those_of_the_training_rows_at_lag_zero(self) -> None:
        first, *_ = refined(FLEET, EXPANDING)
        for name, rows in FLEET.items():
            trained = rows.is_used & (np.arange(N_BARS) < 20 * 24)
            signals = rows.signals[trained].astype(np.float64)
            score = first.scales[name]
            np.testing.assert_allclose(score.mean[:-1], signals.mean(axis=0)[:-1])
            np.testing.assert_allclose(
                score.scale[:-1], signals.std(axis=0)[:-1], rtol=1e-5
            )

    def test_flags_pass_unscaled(self) -> None:
        for refiner in refined(FLEET, EXPANDING):
            for score in refiner.scales.values():
                assert score.mean[IS_FLAG].tolist() == [0.0]
                assert score.scale[IS_FLAG].tolist() == [1.0]

    def test_latents_are_nan_where_a_lag_is_missing(self) -> None:
        rows = FLEET["BTC"]
        first, *_ = refined(FLEET, EXPANDING)
        latents = first.latents("BTC", rows.signals, rows.segment)
        is_missing = np.zeros(N_BARS, dtype=bool)
        is_missing[: max(LAGS)] = is_missing[96 : 120 + max(LAGS)] = True
        np.testing.assert_array_equal(np.isnan(latents).all(axis=1), is_missing)
        np.testing.assert_array_equal(np.isnan(latents).any(axis=1), is_missing)


class TestAgainstSlowReference:
    @pytest.mark.parametrize(
        "folds", [EXPANDING, ROLLING], ids=["expanding", "rolling"]
    )
    def test_every_fold_equals_the_fit_on_stacked_rows(self, folds: list[Fold]) -> None:
        refiners = refined(FLEET, folds)
        assert len(refiners) == 3
        for refiner, training in zip(refiners, folds, strict=True):
            assert refiner.flex.n_latents_ == 6
            assert_close(refiner, dense_latents(FLEET, training), FLEET)

    @pytest.mark.parametrize(
        "folds", [EXPANDING, ROLLING], ids=["expanding", "rolling"]
    )
    def test_one_pass_for_all_folds_equals_one_pass_for_each(
        self, folds: list[Fold]
    ) -> None:
        for together, training in zip(refined(FLEET, folds), folds, strict=True):
            (alone,) = refined(FLEET, [training])
            np.testing.assert_allclose(
                together.flex.projection_, alone.flex.projection_, atol=1e-5
            )
            assert list(together.scales) == list(alone.scales)

    def test_a_short_training_has_four_blocks_to_compare(self) -> None:
        # Blocks of twenty days would leave each of these trainings a single one.
        short = [fold(6, 14), fold(20, 28)]
        refiners = refined(FLEET, short, block_days=20)
        for refiner, training in zip(refiners, short, strict=True):
            expected = dense_latents(FLEET, training, block_days=2)
            assert_close(refiner, expected, FLEET)


class TestProperties:
    @pytest.mark.parametrize("number", range(3))
    def test_rows_after_the_training_change_no_byte(self, number: int) -> None:
        end = int((EXPANDING[number].train_end - START) / pd.Timedelta(hours=1))
        other = {name: with_another_future(rows, end) for name, rows in FLEET.items()}
        before, after = refined(FLEET, EXPANDING), refined(other, EXPANDING)
        changed = [
            all_bytes(a) != all_bytes(b) for a, b in zip(before, after, strict=True)
        ]
        assert changed == [later > number for later in range(3)]

    def test_rows_that_do_not_exist_yet_change_no_byte(self) -> None:
        known = {
            name: AssetRows(
                rows.signals[:600],
                rows.segment[:600],
                rows.is_used[:600],
                rows.label[:600],
            )
            for name, rows in FLEET.items()
        }
        (today,) = refined(known, EXPANDING[1:2])
        (later,) = refined(FLEET, EXPANDING[1:2])
        assert all_bytes(today) == all_bytes(later)

    def test_folds_that_follow_change_no_byte(self) -> None:
        whole = refined(FLEET, EXPANDING)
        for n_folds in (1, 2):
            some = refined(FLEET, EXPANDING[:n_folds])
            for a, b in zip(some, whole[:n_folds], strict=True):
                assert all_bytes(a) == all_bytes(b)

    def test_the_order_of_the_assets_does_not_matter(self) -> None:
        backwards = refined(dict(reversed(FLEET.items())), EXPANDING)
        for one, other in zip(refined(FLEET, EXPANDING), backwards, strict=True):
            np.testing.assert_allclose(
                one.flex.projection_, other.flex.projection_, atol=1e-9
            )
            np.testing.assert_allclose(one.flex.offset_, other.flex.offset_, atol=1e-9)

    def test_an_asset_may_be_quoted_in_any_unit(self) -> None:
        rows = FLEET["ETH"]
        unit = np.where(IS_FLAG, 1.0, 64.0).astype(np.float32)
        rescaled = AssetRows(
            rows.signals * unit, rows.segment, rows.is_used, rows.label
        )
        for one, other in zip(
            refined(FLEET, EXPANDING),
            refined(FLEET | {"ETH": rescaled}, EXPANDING),
            strict=True,
        ):
            np.testing.assert_allclose(
                one.latents("ETH", rows.signals, rows.segment),
                other.latents("ETH", rescaled.signals, rows.segment),
                atol=1e-4,
            )

    def test_a_late_asset_is_left_out_of_the_folds_that_end_before(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        # Two days of rows are a tenth of the first training, and an hour is missing.
        sol = late(asset_rows(4), 18 * 24 + 1)
        with caplog.at_level(logging.WARNING):
            refiners = refined(FLEET | {"SOL": sol}, EXPANDING)
        assert ["SOL" in refiner.scales for refiner in refiners] == [False, True, True]
        (message,) = caplog.messages
        assert message.startswith(
            f"SOL is left out of the fold that trains up to {START + 20 * DAY}"
        )
        latents = refiners[0].latents("SOL", sol.signals, sol.segment)
        assert latents.shape == (N_BARS, 6)
        assert np.isnan(latents).all()
        assert all_bytes(refiners[0]) == all_bytes(refined(FLEET, EXPANDING)[0])
        expected = dense_latents(FLEET | {"SOL": sol}, EXPANDING[1])
        assert_close(refiners[1], expected, FLEET | {"SOL": sol})


class TestErrors:
    def test_a_fold_without_any_rows_names_its_span(self) -> None:
        refinement = FleetRefinement(EXPANDING, IS_FLAG, unfitted(), BLOCK_DAYS)
        refinement.add("BTC", TIMESTAMP, late(FLEET["BTC"], 18 * 24 + 1))
        with pytest.raises(ValueError, match=r"between 2022-01-01 00:00.* later start"):
            refinement.fit(0)
        assert list(refinement.fit(1).scales) == ["BTC"]


def test_a_fold_goes_on_without_an_asset_that_is_too_young(caplog):
    """ETH has rows enough for the second fold, but not the age that it demands."""
    start, age = 240, pd.Timedelta(days=18)
    folds = [dataclasses.replace(each, min_history=age) for each in EXPANDING]
    flex = TensorFlexRefiner(n_latents=3)
    refinement = FleetRefinement(folds, IS_FLAG, flex, BLOCK_DAYS)
    parts = [part[start:] for part in dataclasses.astuple(FLEET["ETH"])]
    young = AssetRows(*parts)
    young.is_used[: max(LAGS)] = False
    refinement.add("BTC", TIMESTAMP, FLEET["BTC"])
    with caplog.at_level(logging.WARNING):
        refinement.add("ETH", TIMESTAMP[start:], young)

    joined = [sorted(refinement.fit(number).scales) for number in range(3)]
    assert joined == [["BTC"], ["BTC"], ["BTC", "ETH"]]
    assert len(caplog.messages) == 2
