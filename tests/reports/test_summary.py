import json

import pytest

from fleet_kedro.reports.summary import summarise


def summary(validated):
    return summarise(
        validated.folds,
        validated.telemetry,
        validated.scrutiny,
        validated.verdict,
        validated.facts,
    )


class TestKnownValues:
    def test_it_has_the_published_keys(self, validated):
        told = summary(validated)

        assert list(told) == [
            *("verdict", "overall", "assets", "folds", "fold_assets", "rivals", "gate"),
            *("gate_regimes", "overfitting", "trials", "efficiency", "facts"),
        ]
        assert told["verdict"]["passed"] == validated.verdict.passed
        assert [list(item) for item in told["verdict"]["criteria"]] == [
            ["name", "value", "bound", "unit", "passed", "detail"]
        ] * 7

    def test_it_says_what_was_measured(self, validated):
        told = summary(validated)
        by_asset = validated.telemetry.assets.set_index("asset")

        assert [row["asset"] for row in told["assets"]] == ["BTC", "DOGE", "ETH"]
        for row in told["assets"]:
            assert row["precision"] == by_asset.loc[row["asset"], "precision"]
            assert row["signals"] == by_asset.loc[row["asset"], "signals"]
        assert told["overall"]["lift"] == validated.telemetry.overall["lift"]

    def test_folds_join_their_spans_with_their_results(self, validated):
        first = summary(validated)["folds"][0]

        assert first["validation_start"] == "2023-01-21T00:00:00+00:00"
        assert first["columns"] == 2778
        assert first["base_rate"] == validated.telemetry.folds["base_rate"].iloc[0]

    def test_gate_weights_by_regime_are_there_to_be_read(self, validated):
        told = summary(validated)["gate_regimes"]
        weights = [
            sum(row[name] for name in row.keys() - {"regime", "asset", "rows"})
            for row in told
        ]

        assert {row["asset"] for row in told} == {"all", "BTC", "DOGE", "ETH"}
        assert sum(row["rows"] for row in told if row["asset"] == "all") == len(
            validated.forecasts
        )
        assert weights == pytest.approx([1.0] * len(told))

    def test_facts_carry_the_rules_of_the_run(self, validated):
        facts = summary(validated)["facts"]

        assert facts["start"] == "2023-01-01T00:00:00+00:00"
        assert facts["label"] == {"horizon_bars": 12, "round_trip_cost": 0.002}
        assert facts["walk"]["purge_bars"] == 13
        assert facts["seed"] == 7


class TestJson:
    @pytest.mark.parametrize("name", ["validated", "without_signals"])
    def test_it_survives_strict_json(self, request, name):
        told = summary(request.getfixturevalue(name))

        assert json.loads(json.dumps(told, allow_nan=False)) == told

    def test_what_has_no_value_is_null(self, without_signals):
        told = summary(without_signals)

        assert {row["precision"] for row in told["assets"]} == {None}
        assert told["overall"]["net_return_low"] is None

    def test_the_same_run_gives_the_same_bytes(self, validate_with):
        first, second = (
            json.dumps(summary(validate_with(days=20, skill=0.3))) for _ in range(2)
        )

        assert first == second
