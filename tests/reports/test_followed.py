"""What is followed from version to version says what the whole results say."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.reports.followed.backtest import follow_backtest
from fleet_kedro.reports.followed.digits import few_digits, table_of_few_digits
from fleet_kedro.reports.followed.forecasters import follow_forecasters
from fleet_kedro.reports.followed.tuning import follow_tuning
from fleet_kedro.reports.followed.validation import follow_validation
from fleet_kedro.reports.summary import summarise
from fleet_kedro.signals.backtest.ledger import Ledger


class TestDigits:
    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (0.61661675658, 0.616617),
            (-123456.789, -123457.0),
            (1.23456789e-9, 1.23457e-9),
            (0.0, 0.0),
            (7, 7),
            (True, True),
            (None, None),
            ("lift", "lift"),
        ],
    )
    def test_six_of_them_count(self, value, written):
        rounded = few_digits({"a": {"b": value}})["a"]["b"]

        assert rounded == written
        assert type(rounded) is type(written)

    def test_a_table_keeps_what_is_no_number(self):
        table = pd.DataFrame({"asset": ["BTC"], "lift": [1 / 3], "rows": [2]})

        pd.testing.assert_frame_equal(
            table_of_few_digits(table), table.assign(lift=0.333333)
        )
        assert table["lift"].iloc[0] == 1 / 3


class TestValidation:
    @pytest.fixture
    def told(self, validated):
        whole = summarise(
            validated.folds,
            validated.telemetry,
            validated.scrutiny,
            validated.verdict,
            validated.facts,
        )
        return whole, follow_validation(validated.forecasts, whole)

    def test_the_metrics_are_those_of_the_summary(self, told):
        whole, (metrics, _, _) = told

        assert metrics["passed"] == whole["verdict"]["passed"]
        assert metrics["criteria_passed"] == sum(
            criterion["passed"] for criterion in whole["verdict"]["criteria"]
        )
        for name in ("precision", "base_rate", "lift", "lift_over_volatility_low"):
            assert metrics[name] == pytest.approx(whole["overall"][name], rel=1e-5)
        assert metrics["net_bps"] == pytest.approx(
            1e4 * whole["overall"]["net_return"], rel=1e-5
        )
        assert metrics["deflated_sharpe"] == pytest.approx(
            whole["overfitting"]["deflated_sharpe"], rel=1e-5
        )

    def test_they_are_plain_json(self, told):
        _, (metrics, _, _) = told

        assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics

    def test_every_asset_has_its_precision_beside_its_base_rate(self, told):
        whole, (_, by_asset, _) = told

        assert list(by_asset["asset"]) == [row["asset"] for row in whole["assets"]]
        difference = by_asset["precision"] - by_asset["base_rate"]
        np.testing.assert_allclose(difference, by_asset["lift"], atol=2e-6)

    def test_the_bins_hold_all_forecasts(self, told, validated):
        _, (_, _, bins) = told

        assert bins["rows"].sum() == len(validated.forecasts)
        assert bins["forecast"].is_monotonic_increasing


class TestTuning:
    def test_the_fleet_is_what_is_followed(self):
        row = {
            "tuned_precision": 0.6,
            "walk_precision": 0.62,
            "tuned_signals": 24430.0,
            "tuned_net_return": 0.0072,
            "walk_net_return": 0.0083,
            "gain": -0.0011,
            "gain_low": -0.0016,
            "gain_high": math.nan,
        }
        comparison = pd.DataFrame(
            [{"asset": "BTC", **dict.fromkeys(row, 0.0)}, {"asset": "Fleet", **row}]
        )

        assert follow_tuning(comparison) == {
            "precision": 0.6,
            "walk_precision": 0.62,
            "signals": 24430,
            "tuned_net_bps": 72.0,
            "walk_net_bps": 83.0,
            "gain_bps": -11.0,
            "gain_low_bps": -16.0,
            "gain_high_bps": None,
        }


class TestForecasters:
    def test_the_ensemble_stands_beside_the_best_single_model(self):
        scores = [
            {
                **{"asset": asset, "model": model, "horizon": horizon},
                **{"rmse": horizon / 100, "skill": skill + shift, "coverage": covered},
            }
            for asset, shift in (("BTC", 0.0), ("ETH", 0.02))
            for horizon in (12, 1)
            for model, skill, covered in (
                ("lstm", 0.03, None),
                ("xgboost", 0.05, None),
                ("ensemble", 0.04, 0.9),
                ("zero", 0.0, None),
            )
        ]
        told = follow_forecasters(
            {"scores": scores, "store": {"models": 4, "n_bytes": 2_500_000}}
        )

        assert list(told) == ["1h", "12h", "models", "store_mb"]
        assert told["12h"] == {
            **{"rmse": 0.12, "skill": 0.05, "coverage": 0.9},
            "best_single_skill": 0.06,
        }
        assert (told["models"], told["store_mb"]) == (4, 2.5)


class TestBacktest:
    def account(self, equity: np.ndarray) -> Ledger:
        hours = pd.date_range("2023-01-01", periods=len(equity), freq="h", tz="UTC")
        return Ledger(hours, ("BTC",), 100.0, equity, np.zeros((len(equity), 1)), ())

    def test_the_first_account_is_followed_beside_equal_parts_of_all(self):
        n_hours = 2 * 168 + 12
        accounts = {
            "Fleet of 1": self.account(100.0 + np.arange(1.0, n_hours + 1)),
            "Equal weight": self.account(np.full(n_hours, 50.0)),
            "Cash": self.account(np.full(n_hours, 100.0)),
        }
        measured = dict.fromkeys(
            (
                *("sharpe", "sharpe_low", "annual_return", "annual_return_low"),
                *("total_return", "max_drawdown", "trades"),
            )
        )
        summary = {
            "accounts": [
                {"name": name} | measured | {"sharpe": sharpe, "trades": 3}
                for name, sharpe in (("Cash", 0.0), ("Equal weight", 1.0))
            ]
            + [{"name": "Fleet of 1"} | measured | {"sharpe": 2.0, "trades": 9}],
            "deflated_sharpe": 0.95,
            "n_trials": 15,
        }

        metrics, curves = follow_backtest(summary, accounts)

        assert (metrics["sharpe"], metrics["trades"]) == (2.0, 9)
        assert metrics["equal_weight"]["sharpe"] == 1.0
        assert (metrics["deflated_sharpe"], metrics["n_trials"]) == (0.95, 15)
        assert curves["day"].tolist() == [0.0, 7.0, 14.0, 14.5]
        assert curves["strategy"].tolist() == [1.0, 2.68, 4.36, 4.48]
        assert curves["equal_weight"].tolist() == [1.0, 0.5, 0.5, 0.5]
