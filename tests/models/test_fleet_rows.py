"""Rows of the whole fleet: in time order, each beside its own latents."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.features.signal import Signal
from fleet_kedro.labels.forward_return import Label
from fleet_kedro.models.brain import BrainSettings, RefinerSettings
from fleet_kedro.models.experts import ExpertsSettings
from fleet_kedro.models.fleet_rows import FleetRows, gather_rows
from fleet_kedro.models.mixture import PHYSICS_COLUMNS
from fleet_kedro.models.rows import (
    CALENDAR_COLUMNS,
    ELASTIC_COLUMNS,
    ENERGY_COLUMNS,
    PATTERN_SERIES,
    read_features,
)
from fleet_kedro.refine.fleet import FleetRefinement
from fleet_kedro.refine.panel_moments import AssetRows
from fleet_kedro.splits.walk_forward import WalkForward

START = pd.Timestamp("2023-01-01", tz="UTC")
BAR = pd.Timedelta(hours=1)
N_BARS, WARMUP_BARS = 1200, 100
PATTERN_BARS = 8
COST = 0.002
SETTINGS = BrainSettings(
    label=Label(horizon_bars=12, round_trip_cost=COST),
    refiner=RefinerSettings(
        n_latents=4, max_cluster_size=8, variance_kept=0.9, link_block_days=4
    ),
    experts=ExpertsSettings(),
    use_asset_embedding="one_hot",
    use_energy=True,
    mask_chaos=True,
    gate_penalty=0.01,
    gate_balance=0.001,
    surface_signals=("momentum_3",),
    pattern_bars=PATTERN_BARS,
    seed=0,
)
WALK = WalkForward(
    folds=2, warmup_folds=1, horizon_bars=12, embargo_bars=5, mode="expanding"
)
FOLDS = WALK.split(START + WARMUP_BARS * BAR, START + (N_BARS - 1) * BAR)


def signal(name: str, is_flag: bool = False) -> Signal:
    """A signal that nobody computes here."""
    return Signal(
        name, "test", None, "", "", "definition", 0, True, is_flag, lambda bars: bars
    )


SIGNALS = [*(signal(f"signal_{i}") for i in range(6)), signal("flag", is_flag=True)]
NAMES = [one.name for one in SIGNALS]


def feature_frame(asset: str, seed: int) -> pd.DataFrame:
    """Features of one asset, with a border between segments, NaN and filled bars."""
    rng = np.random.default_rng(seed)
    walk = rng.normal(size=(N_BARS, 3))
    for t in range(1, N_BARS):
        walk[t] = 0.8 * walk[t - 1] + 0.6 * walk[t]
    inputs = [*CALENDAR_COLUMNS, *PHYSICS_COLUMNS, *ELASTIC_COLUMNS, *ENERGY_COLUMNS]
    inputs.append(PATTERN_SERIES)
    values = {name: rng.normal(size=N_BARS) for name in inputs}
    for i in range(6):
        values[f"signal_{i}"] = walk[:, i % 3] + 0.3 * rng.normal(size=N_BARS)
    values["flag"] = walk[:, 0] > 1.0
    values["physics_stability_warning"] = rng.random(N_BARS) < 0.1
    border = 300 + 10 * seed
    frame = pd.DataFrame(values).astype(np.float32)
    frame.loc[500 + seed, "signal_2"] = np.nan
    returns = 0.01 * (walk[:, 0] + rng.normal(size=N_BARS))
    returns[border - 13 : border] = returns[-13:] = np.nan
    return frame.assign(
        timestamp=pd.date_range(START, periods=N_BARS, freq="h", unit="us"),
        asset=asset,
        segment=(np.arange(N_BARS) >= border).astype(np.int32),
        is_filled=rng.random(N_BARS) < 0.01,
        forward_return=returns,
    )


FRAMES = {
    asset: feature_frame(asset, seed)
    for seed, asset in enumerate(["ETH", "BTC", "SOL"])
}


def loaders(
    frames: dict[str, pd.DataFrame],
) -> dict[str, Callable[[], pd.DataFrame]]:
    return {asset: frame.copy for asset, frame in frames.items()}


def gathered(frames: dict[str, pd.DataFrame] = FRAMES, **more: Any) -> FleetRows:
    return gather_rows(loaders(frames), SIGNALS, FOLDS, SETTINGS, **more)


@pytest.fixture(scope="module")
def rows() -> FleetRows:
    return gathered(extra=["signal_3", "flag"])


class TestKnownValues:
    def test_the_table_holds_every_usable_row_of_the_window_once(
        self, rows: FleetRows
    ) -> None:
        expected = []
        for asset, frame in FRAMES.items():
            parts = read_features(frame, NAMES, FOLDS[0].train_start, PATTERN_BARS)
            expected += [(moment, asset) for moment in parts.timestamp[parts.is_usable]]
        assert len(expected) > 2500
        # Hour by hour, and by name within the hour.
        found = rows.table[["timestamp", "asset"]].itertuples(index=False, name=None)
        assert list(found) == sorted(expected)

    def test_columns_are_keys_extra_signals_inputs_and_the_pattern(
        self, rows: FleetRows
    ) -> None:
        assert list(rows.table) == [
            "timestamp",
            "asset",
            "forward_return",
            *CALENDAR_COLUMNS,
            "signal_3",
            "flag",
            *PHYSICS_COLUMNS,
            *ELASTIC_COLUMNS,
            *ENERGY_COLUMNS,
            *(f"pattern_{age:02d}" for age in range(PATTERN_BARS)),
        ]

    def test_values_are_those_of_their_hour_and_asset(self, rows: FleetRows) -> None:
        panel = pd.concat(FRAMES.values())
        copied = [name for name in rows.table if not name.startswith("pattern_")]
        keys = ["timestamp", "asset"]
        pd.testing.assert_frame_equal(
            rows.table[keys].merge(panel[copied], on=keys, how="left"),
            rows.table[copied],
        )

    def test_patterns_are_the_last_values_of_their_own_asset(
        self, rows: FleetRows
    ) -> None:
        pattern = rows.table.filter(regex="^pattern_").to_numpy()
        for row in np.random.default_rng(0).choice(len(rows.table), size=50):
            moment, asset = rows.table.loc[row, ["timestamp", "asset"]]
            own = FRAMES[asset].set_index("timestamp")[PATTERN_SERIES]
            expected = own.loc[moment - (PATTERN_BARS - 1) * BAR : moment]
            np.testing.assert_array_equal(pattern[row], expected.to_numpy())


class TestAgainstSlowReference:
    def test_every_fold_is_refined_on_labelled_rows_outside_chaos(
        self, rows: FleetRows
    ) -> None:
        refinement = FleetRefinement(
            FOLDS,
            np.array([one.is_flag for one in SIGNALS]),
            SETTINGS.refiner.unfitted(),
            SETTINGS.refiner.link_block_days,
        )
        for asset in ("BTC", "ETH", "SOL"):
            frame = FRAMES[asset]
            parts = read_features(frame, NAMES, FOLDS[0].train_start, PATTERN_BARS)
            learnt = parts.is_usable & frame["forward_return"].notna().to_numpy()
            learnt &= (frame["physics_stability_warning"] == 0).to_numpy()
            label = (frame["forward_return"] > COST).to_numpy(dtype=np.float64)
            refinement.add(
                asset,
                parts.timestamp,
                AssetRows(parts.signals, parts.segment, learnt, label),
            )
        for number, refiner in enumerate(rows.refiners):
            expected = refinement.fit(number).flex
            np.testing.assert_array_equal(
                refiner.flex.projection_, expected.projection_
            )

    def test_latents_stand_beside_their_row(self, rows: FleetRows) -> None:
        rng = np.random.default_rng(0)
        assert len(rows.refiners) == len(rows.latents) == 3
        for refiner, latents in zip(rows.refiners, rows.latents, strict=True):
            direct = {
                asset: refiner.latents(
                    asset,
                    frame[NAMES].to_numpy(dtype=np.float32),
                    frame["segment"].to_numpy(),
                )
                for asset, frame in FRAMES.items()
            }
            for row in rng.choice(len(latents), size=100):
                moment, asset = rows.table.loc[row, ["timestamp", "asset"]]
                bar = int((moment - START) / BAR)
                np.testing.assert_array_equal(latents[row], direct[asset][bar])


class TestProperties:
    def test_latents_end_where_the_validation_of_their_fold_ends(
        self, rows: FleetRows
    ) -> None:
        moment = rows.table["timestamp"]
        for fold, latents in zip(FOLDS, rows.latents, strict=True):
            assert len(latents) == (moment < fold.validation_end).sum()
            assert np.isfinite(latents).all()
        assert len(rows.latents[0]) < len(rows.latents[1]) < len(rows.latents[2])
        assert len(rows.latents[2]) == len(rows.table)

    def test_what_follows_a_fold_changes_nothing_in_it(self, rows: FleetRows) -> None:
        end = FOLDS[1].validation_end
        rng = np.random.default_rng(1)
        other = {}
        for asset, frame in FRAMES.items():
            later = (frame["timestamp"] >= end).to_numpy()
            noise = rng.normal(size=(later.sum(), len(NAMES))).astype(np.float32)
            other[asset] = frame.copy()
            other[asset].loc[later, NAMES] = noise
        changed = gathered(other)
        for number in (0, 1):
            np.testing.assert_array_equal(changed.latents[number], rows.latents[number])
        n_known = len(rows.latents[1])
        assert not np.array_equal(
            changed.latents[2][n_known:], rows.latents[2][n_known:]
        )

    def test_the_order_in_which_assets_arrive_does_not_matter(
        self, rows: FleetRows
    ) -> None:
        again = gathered(dict(reversed(FRAMES.items())), extra=["signal_3", "flag"])
        pd.testing.assert_frame_equal(again.table, rows.table, check_exact=True)
        for one, other in zip(again.latents, rows.latents, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_an_input_that_is_also_asked_for_stands_there_once(self) -> None:
        table = gathered(extra=["energy_volume", "signal_3"]).table
        assert not table.columns.duplicated().any()
        assert {"energy_volume", "signal_3"} <= set(table)

    def test_without_extra_signals_the_wide_matrix_is_gone(self) -> None:
        assert not set(NAMES) & set(gathered().table)

    def test_every_asset_is_read_twice_and_progress_is_shown(self) -> None:
        reads: list[str] = []
        titles: list[str] = []

        def reader(asset: str) -> Callable[[], pd.DataFrame]:
            def read() -> pd.DataFrame:
                reads.append(asset)
                return FRAMES[asset].copy()

            return read

        def track(items: Iterable[Any], title: str) -> Iterable[Any]:
            titles.append(title)
            return items

        features = {asset: reader(asset) for asset in FRAMES}
        gather_rows(features, SIGNALS, FOLDS, SETTINGS, track=track)
        assert sorted(reads) == sorted([*FRAMES, *FRAMES])
        assert titles == ["Summing moments", "Tensor-Flex", "Projecting latents"]

    def test_a_late_asset_has_no_latents_in_the_folds_before_it(self) -> None:
        late = FRAMES["SOL"].copy()
        late.loc[late["timestamp"] < FOLDS[0].train_end, NAMES] = np.nan
        rows = gathered(FRAMES | {"SOL": late})
        is_sol = (rows.table["asset"] == "SOL").to_numpy()
        for number, knows_it in enumerate([False, True, True]):
            latents = rows.latents[number]
            of_sol = is_sol[: len(latents)]
            assert of_sol.any()
            assert ("SOL" in rows.refiners[number].scales) == knows_it
            assert np.isfinite(latents[of_sol]).all() == knows_it
            assert np.isfinite(latents[~of_sol]).all()


class TestErrors:
    def test_an_extra_signal_that_is_not_there(self) -> None:
        with pytest.raises(KeyError, match="signal_9"):
            gathered(extra=["signal_9"])
