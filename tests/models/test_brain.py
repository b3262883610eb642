import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.models.brain import BrainSettings, RefinerSettings
from fleet_kedro.models.experts import EXPERT_COLUMNS, ExpertsSettings
from fleet_kedro.models.experts.trend import TrendSettings


def settings(**changes: object) -> BrainSettings:
    values = {
        "label": Label(horizon_bars=12, round_trip_cost=0.002),
        "refiner": RefinerSettings(
            n_latents=7, max_cluster_size=9, variance_kept=0.8, link_block_days=5
        ),
        "experts": ExpertsSettings(trend=TrendSettings(n_trees=17)),
        "use_asset_embedding": "one_hot",
        "use_energy": True,
        "mask_chaos": True,
        "gate_penalty": 0.01,
        "gate_balance": 0.001,
        "surface_signals": ("momentum_3",),
        "pattern_bars": 64,
        "seed": 5,
    }
    return BrainSettings(**(values | changes))


class TestKnownValues:
    def test_the_refiner_is_the_one_described(self) -> None:
        refiner = settings().refiner.unfitted()
        assert (refiner.n_latents, refiner.max_cluster_size) == (7, 9)
        assert refiner.variance_kept == 0.8

    def test_the_mixture_is_the_one_described(self) -> None:
        brain = settings(use_asset_embedding="off").unfitted(n_assets=3)
        assert list(brain.experts) == list(EXPERT_COLUMNS)
        assert brain.columns == EXPERT_COLUMNS
        assert brain.experts["trend"].n_trees == 17
        assert brain.use_asset_embedding == "off"
        assert brain.gate_penalty == 0.01

    def test_the_mixture_knows_who_learns_against_the_fleet(self) -> None:
        brain = settings(relative_experts=("stress",)).unfitted(n_assets=3)
        assert brain.relative_experts == ("stress",)

    def test_the_seed_reaches_every_expert_that_draws(self) -> None:
        experts = settings(seed=8).unfitted(n_assets=1).experts
        assert experts["trend"].random_state == 8
        assert experts["pattern"].training.seed == 8

    def test_the_purge_is_counted_in_rows_of_all_assets(self) -> None:
        brain = settings().unfitted(n_assets=11)
        assert brain.purge_rows == 11 * 13
        assert brain.experts["pattern"].purge_rows == 11 * 13


class TestProperties:
    @given(
        seed=st.integers(0, 10_000),
        n_assets=st.integers(1, 5),
        horizon=st.integers(1, 24),
        share=st.floats(0.3, 1.0),
    )
    def test_no_label_before_the_purge_reaches_a_row_behind_it(
        self, seed: int, n_assets: int, horizon: int, share: float
    ) -> None:
        label = Label(horizon_bars=horizon, round_trip_cost=0.002)
        purge = settings(label=label).unfitted(n_assets).purge_rows
        # Rows hour by hour, each asset missing here and there.
        hour = np.repeat(np.arange(300), n_assets)
        hour = hour[np.random.default_rng(seed).random(len(hour)) < share]
        before, behind = hour[: -purge - 1], hour[purge + 1 :]
        assert len(before)
        assert (before + 1 + horizon <= behind).all()


class TestErrors:
    def test_a_relative_expert_that_does_not_exist_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="no expert is called trends"):
            settings(relative_experts=("trends",))

    def test_a_gate_without_a_penalty_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="gate_penalty"):
            settings(gate_penalty=0.0)

    def test_an_unknown_parameter_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="n_experts"):
            settings(n_experts=6)
