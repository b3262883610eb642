import numpy as np
import pandas as pd
import pytest

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.validation.overfitting import OverfittingReport
from fleet_kedro.validation.rivals import BRAIN, rival_picks, rival_scores
from fleet_kedro.validation.telemetry import Telemetry, measure
from fleet_kedro.validation.verdict import Verdict, judge

COST = 0.002


def forecasts(skill: float, days: int = 120, seed: int = 0) -> pd.DataFrame:
    """Two assets, two folds; the probability knows the return with some skill."""
    rng = np.random.default_rng(seed)
    hours = pd.date_range("2022-01-01", periods=24 * days, freq="h", tz="UTC")
    table = pd.DataFrame(
        {
            "timestamp": np.repeat(hours.as_unit("us"), 2),
            "asset": np.tile(["BTC", "ETH"], len(hours)),
        }
    )
    returns = rng.normal(0.0, 0.01, size=len(table))
    belief = skill * returns / 0.01 + rng.normal(size=len(table))
    probability = 1 / (1 + np.exp(-belief))
    return table.assign(
        fold=np.where(np.arange(len(table)) < len(table) // 2, 1, 2).astype(np.int8),
        forward_return=returns,
        is_positive=returns > COST,
        probability=probability,
        is_signal=probability > 0.8,
        volatility_only=rng.random(len(table)),
        expert_trend=probability,
        expert_range=rng.random(len(table)),
        physics_hurst=rng.normal(0.5, 0.06, size=len(table)),
        physics_stability_warning=0.0,
        gate_trend=0.7,
        gate_range=0.3,
    )


LABEL = Label(horizon_bars=12, round_trip_cost=COST)
WORTH_IT = OverfittingReport(
    chosen="brain",
    n_configurations=4,
    logits=np.ones(6),
    n_days=100,
    effective_days=80.0,
    daily_sharpe=0.3,
    n_trials=4,
    expected_maximum_sharpe=0.1,
    probabilistic_sharpe=0.99,
    deflated_sharpe=0.97,
    deflated_sharpe_of_effective_days=0.96,
)


def measured(table: pd.DataFrame) -> Telemetry:
    scores = rival_scores(table)
    bootstrap = BlockBootstrap(block_days=7, draws=300, level=0.9, seed=0)
    return measure(table, rival_picks(table, scores), scores, LABEL, bootstrap)


class TestKnownValues:
    def test_an_asset_worked_by_hand(self) -> None:
        table = forecasts(1.0)
        own = table[table["asset"] == "BTC"]
        row = measured(table).assets.set_index("asset").loc["BTC"]
        signalled = own[own["is_signal"]]
        assert row["rows"] == len(own)
        assert row["signals"] == len(signalled)
        assert row["base_rate"] == pytest.approx(own["is_positive"].mean())
        assert row["precision"] == pytest.approx(signalled["is_positive"].mean())
        assert row["net_return"] == pytest.approx(
            signalled["forward_return"].mean() - COST
        )
        assert row["recall"] == pytest.approx(
            signalled["is_positive"].sum() / own["is_positive"].sum()
        )

    def test_overall_is_the_mean_over_the_assets(self) -> None:
        telemetry = measured(forecasts(1.0))
        for name in ("precision", "base_rate", "recall", "lift", "net_return"):
            mean = telemetry.assets[name].mean()
            assert telemetry.overall[name] == pytest.approx(mean)

    def test_tables_of_folds_and_pairs_add_up(self) -> None:
        telemetry = measured(forecasts(1.0))
        assert telemetry.folds["fold"].tolist() == [1, 2]
        assert len(telemetry.fold_assets) == 4
        assert telemetry.fold_assets["rows"].sum() == telemetry.assets["rows"].sum()
        assert telemetry.folds["signals"].sum() == telemetry.assets["signals"].sum()

    def test_gate_weights_are_averaged_per_asset(self) -> None:
        gate = measured(forecasts(1.0)).gate
        assert gate.to_dict("list") == {
            "asset": ["BTC", "ETH"],
            "trend": [pytest.approx(0.7)] * 2,
            "range": [pytest.approx(0.3)] * 2,
        }

    def test_gate_weights_are_averaged_per_regime_and_asset(self) -> None:
        told = measured(forecasts(1.0)).gate_regimes
        assert told["regime"].unique().tolist() == [
            *("mean-reverting", "random walk", "trending"),
        ]
        assert told["asset"].tolist() == ["all", "BTC", "ETH"] * 3
        assert told["trend"].tolist() == pytest.approx([0.7] * 9)


class TestProperties:
    def test_skill_lifts_the_interval_above_zero(self) -> None:
        telemetry = measured(forecasts(1.0))
        assert telemetry.overall["lift_low"] > 0
        assert telemetry.overall["lift_over_volatility_low"] > 0
        auc = telemetry.rivals.set_index("name")["auc"]
        assert auc["volatility only"] < 0.53 < auc[BRAIN]

    def test_without_skill_the_interval_includes_zero(self) -> None:
        overall = measured(forecasts(0.0)).overall
        assert overall["lift_low"] < 0 < overall["lift_high"]
        assert overall["lift_over_volatility_low"] < 0

    def test_intervals_enclose_what_was_measured(self) -> None:
        assets = measured(forecasts(0.5)).assets
        for name in ("lift", "lift_over_volatility", "net_return"):
            assert (assets[f"{name}_low"] <= assets[name]).all()
            assert (assets[name] <= assets[f"{name}_high"]).all()

    def test_no_signal_at_all_gives_tables_without_values(self) -> None:
        telemetry = measured(forecasts(1.0).assign(is_signal=False))
        assert telemetry.assets["precision"].isna().all()
        assert np.isnan(telemetry.overall["lift"])
        assert telemetry.overall["base_rate"] > 0


class TestVerdict:
    BASELINE = pd.DataFrame({"asset": ["BTC"], "net_return": [0.0]})

    def judged(
        self, telemetry: Telemetry, overfitting: OverfittingReport | None = None
    ) -> Verdict:
        return judge(telemetry, self.BASELINE, "BTC", overfitting or WORTH_IT)

    def test_a_lucky_choice_fails_on_both_counts(self) -> None:
        lucky = WORTH_IT._replace(logits=-WORTH_IT.logits, deflated_sharpe=0.5)
        verdict = self.judged(measured(forecasts(2.0)), lucky)
        chosen, deflated = verdict.criteria[-2:]
        assert (chosen.passed, deflated.passed) == (False, False)
        assert (chosen.value, deflated.value) == (1.0, 0.5)

    def test_without_a_choice_there_is_no_proof_of_a_good_one(self) -> None:
        alone = WORTH_IT._replace(logits=np.empty(0))
        chosen = self.judged(measured(forecasts(2.0)), alone).criteria[-2]
        assert np.isnan(chosen.value)
        assert not chosen.passed

    def test_real_skill_passes_all_but_its_own_expert(self) -> None:
        verdict = self.judged(measured(forecasts(2.0)))
        failed = [c.name for c in verdict.criteria if not c.passed]
        assert failed == ["Mean precision above the best single expert"]
        assert not verdict.passed

    def test_a_brain_above_its_experts_passes(self) -> None:
        table = forecasts(2.0)
        noise = np.random.default_rng(5).random(len(table))
        verdict = self.judged(measured(table.assign(expert_trend=noise)))
        assert verdict.passed
        assert all(c.passed for c in verdict.criteria)

    def test_no_skill_fails(self) -> None:
        verdict = self.judged(measured(forecasts(0.0)))
        assert not verdict.passed
        assert not verdict.criteria[1].passed
        assert "0 of 2 assets" in verdict.criteria[1].detail

    def test_falling_below_the_single_asset_baseline_fails(self) -> None:
        rich = self.BASELINE.assign(net_return=1.0)
        verdict = judge(measured(forecasts(2.0)), rich, "BTC", WORTH_IT)
        assert not verdict.criteria[0].passed
        assert verdict.criteria[0].bound == 1.0

    def test_no_signal_or_no_baseline_never_passes(self) -> None:
        silent = measured(forecasts(2.0).assign(is_signal=False))
        assert not any(c.passed for c in self.judged(silent).criteria[:5])
        unknown = judge(
            measured(forecasts(2.0)), self.BASELINE.iloc[:0], "BTC", WORTH_IT
        )
        assert not unknown.criteria[0].passed
