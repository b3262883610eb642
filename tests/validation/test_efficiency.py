"""Forecasts of known quality, held against a truth that made their outcomes."""

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.labels.forward_return import Label
from fleet_kedro.metrics.bootstrap import BlockBootstrap
from fleet_kedro.validation.efficiency import (
    ALL,
    COLUMNS,
    EFFICIENCIES,
    planted_efficiency,
)
from fleet_kedro.validation.rivals import rival_picks, rival_scores
from fleet_kedro.validation.telemetry import measure

LABEL = Label(horizon_bars=12, round_trip_cost=0.002)
BOOTSTRAP = BlockBootstrap(block_days=3, draws=300, level=0.9, seed=0)


def planted(
    noise: float, days: int = 150, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Outcomes drawn with the planted chances; the brain sees those under noise."""
    rng = np.random.default_rng(seed)
    hours = pd.date_range("2022-01-01", periods=24 * days, freq="h", tz="UTC")
    keys = pd.DataFrame(
        {
            "timestamp": np.repeat(hours.as_unit("us"), 2),
            "asset": np.tile(["BTC", "ETH"], len(hours)),
        }
    )
    odds = rng.normal(-0.2, 0.6, size=len(keys))
    chance = 1 / (1 + np.exp(-odds))
    seen = 1 / (1 + np.exp(-odds - noise * rng.normal(size=len(keys))))
    fold = np.where(np.arange(len(keys)) < len(keys) // 2, 1, 2).astype(np.int8)
    is_positive = rng.random(len(keys)) < chance
    forecasts = keys.assign(
        fold=fold,
        forward_return=np.where(is_positive, 0.01, -0.01),
        is_positive=is_positive,
        probability=seen,
        is_signal=seen > np.quantile(seen, 0.9),
        volatility_only=rng.random(len(keys)),
        expert_trend=seen,
        physics_hurst=0.5,
        physics_stability_warning=0.0,
        gate_trend=1.0,
    )
    weekly = np.arange(len(keys)) // (2 * 24 * 7) % 2
    truth = keys.assign(
        probability=chance, regime=np.where(weekly == 1, "stress", "calm")
    )
    return forecasts, truth


def measured(noise: float) -> pd.DataFrame:
    return planted_efficiency(*planted(noise), BOOTSTRAP).set_index("regime")


class TestKnownValues:
    def test_who_forecasts_the_truth_itself_is_as_good_as_can_be(self) -> None:
        table = measured(noise=0.0)
        assert table.index.tolist() == ["calm", "stress", ALL]
        for kind in ("hindsight_efficiency", "expected_hindsight_efficiency"):
            for end in ("", "_low", "_high"):
                assert table[f"{kind}{end}"].tolist() == pytest.approx([1, 1, 1])
        assert (table["log_loss"] == table["bayes_log_loss"]).all()

    def test_a_pick_worked_by_hand(self) -> None:
        forecasts, truth = planted(0.0, days=1)
        rows, known = forecasts.iloc[:8:2].copy(), truth.iloc[:8:2].copy()
        rows["fold"] = np.int8(1)
        rows["is_positive"] = [True, False, True, False]
        rows["probability"] = [0.2, 0.9, 0.4, 0.1]
        rows["is_signal"] = [False, False, True, False]
        known["probability"] = [0.8, 0.5, 0.6, 0.1]
        row = planted_efficiency(rows, known, BOOTSTRAP).set_index("regime").loc[ALL]
        assert row["rows"] == 4
        assert row["signals"] == 1
        assert row["base_rate"] == 0.5
        assert row["precision"] == row["bayes_precision"] == 1.0
        assert row["hindsight_lift"] == -0.5
        assert row["efficiency"] == 1.0
        assert row["hindsight_efficiency"] == -1.0
        # The mean chance is 0.5; the brain picked 0.6, in hindsight 0.5, the best 0.8.
        assert row["expected_efficiency"] == pytest.approx(0.1 / 0.3)
        assert row["expected_hindsight_efficiency"] == pytest.approx(0.0)
        assert row["bayes_log_loss"] == pytest.approx(
            -np.log([0.8, 0.5, 0.6, 0.9]).mean()
        )

    def test_blind_forecasts_reach_nothing(self) -> None:
        forecasts, truth = planted(0.0)
        blind = np.random.default_rng(9).random(len(forecasts))
        said = forecasts.assign(probability=blind, is_signal=blind > 0.9)
        row = planted_efficiency(said, truth, BOOTSTRAP).set_index("regime").loc[ALL]
        assert row["bayes_lift"] > 0.15
        for name in EFFICIENCIES:
            assert row[name] == pytest.approx(0.0, abs=0.15)
            assert row[f"{name}_low"] < 0 < row[f"{name}_high"]

    def test_the_lifts_are_those_of_the_report(self) -> None:
        forecasts, truth = planted(0.5)
        scores = rival_scores(forecasts)
        picks = rival_picks(forecasts, scores)
        told = measure(forecasts, picks, scores, LABEL, BOOTSTRAP)
        row = planted_efficiency(forecasts, truth, BOOTSTRAP).set_index("regime")
        for name in ("base_rate", "precision", "lift"):
            assert row.loc[ALL, name] == pytest.approx(told.overall[name])
        hindsight = told.rivals.set_index("name").loc["brain in hindsight"]
        assert row.loc[ALL, "hindsight_lift"] == pytest.approx(hindsight["lift"])


class TestProperties:
    def test_the_more_noise_the_less_is_reached(self) -> None:
        tables = [measured(noise).loc[ALL] for noise in (0.0, 0.3, 0.8, 3.0)]
        for name in ("expected_efficiency", "expected_hindsight_efficiency"):
            reached = [table[name] for table in tables]
            assert reached == sorted(reached, reverse=True)
            assert reached[0] > 0.97
            assert reached[-1] < 0.5
        losses = [table["log_loss"] for table in tables]
        assert losses == sorted(losses)

    def test_nobody_expects_more_than_the_best_pick(self) -> None:
        table = measured(noise=0.4)
        assert (table["expected_hindsight_efficiency"] <= 1).all()
        assert (table["expected_hindsight_efficiency_high"] < 1).all()

    def test_expecting_is_surer_than_counting(self) -> None:
        table = measured(noise=0.4)
        for name in ("efficiency", "hindsight_efficiency"):
            counted = table[f"{name}_high"] - table[f"{name}_low"]
            expected = table[f"expected_{name}_high"] - table[f"expected_{name}_low"]
            assert (expected < counted).all()

    def test_intervals_enclose_what_was_measured(self) -> None:
        table = measured(noise=0.8)
        for name in EFFICIENCIES:
            assert (table[f"{name}_low"] <= table[name]).all()
            assert (table[name] <= table[f"{name}_high"]).all()

    def test_regimes_add_up(self) -> None:
        table = measured(noise=0.4)
        for name in ("rows", "signals"):
            assert table[name].drop(ALL).sum() == table.loc[ALL, name]

    def test_a_truth_that_knows_more_in_any_order_tells_the_same(self) -> None:
        forecasts, truth = planted(0.4)
        table = planted_efficiency(forecasts, truth, BOOTSTRAP)
        shuffled = truth.sample(frac=1, random_state=0)
        others = truth[truth["asset"] == "BTC"].assign(asset="DOGE")
        more = pd.concat([shuffled, others])
        again = planted_efficiency(forecasts, more, BOOTSTRAP)
        pd.testing.assert_frame_equal(again, table)

    def test_real_candles_have_no_row(self) -> None:
        forecasts, truth = planted(0.4, days=10)
        nothing = planted_efficiency(forecasts, truth.iloc[:0], BOOTSTRAP)
        assert nothing.empty
        assert list(nothing) == COLUMNS
        assert list(planted_efficiency(forecasts, truth, BOOTSTRAP)) == COLUMNS

    def test_a_brain_that_is_silent_has_no_efficiency(self) -> None:
        forecasts, truth = planted(0.4, days=30)
        silent = forecasts.assign(is_signal=False)
        row = planted_efficiency(silent, truth, BOOTSTRAP).set_index("regime").loc[ALL]
        assert row["signals"] == 0
        assert row[["precision", "lift", *EFFICIENCIES]].isna().all()
        assert row["base_rate"] > 0

    def test_where_nothing_can_be_known_there_is_no_efficiency(self) -> None:
        forecasts, truth = planted(0.4, days=30)
        flat = truth.assign(probability=0.5)
        row = (
            planted_efficiency(forecasts, flat, BOOTSTRAP).set_index("regime").loc[ALL]
        )
        assert np.isnan(row["expected_efficiency"])


class TestErrors:
    def test_the_truth_of_another_market_is_refused(self) -> None:
        forecasts, truth = planted(0.4, days=10)
        with pytest.raises(
            ValueError, match="240 forecasts have no planted truth, ETH"
        ):
            planted_efficiency(forecasts, truth[truth["asset"] == "BTC"], BOOTSTRAP)

    def test_a_truth_that_tells_a_row_twice_is_refused(self) -> None:
        forecasts, truth = planted(0.4, days=10)
        with pytest.raises(pd.errors.MergeError):
            planted_efficiency(forecasts, pd.concat([truth, truth]), BOOTSTRAP)
