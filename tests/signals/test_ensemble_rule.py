"""The ensemble's own model: what it keeps, and what it refuses."""

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from fleet_kedro.models.conformal import ConformalSettings
from fleet_kedro.models.forecasters.bars import BarSettings
from fleet_kedro.signals.ensemble_rule import (
    FILE,
    EnsembleRule,
    Reading,
    model_name,
    rule_from_files,
    rule_to_files,
)
from fleet_kedro.store.bundle import StoredModel
from fleet_kedro.store.card import DataUsed, ModelCard

PRODUCTION = pd.DataFrame(
    {
        "horizon": [1, 12],
        "weight_lstm": [0.25, 0.0],
        "weight_xgboost": [0.0, 0.0],
        "weight_zero": [0.75, 1.0],
        "interval_width": [1.5, np.nan],
        "asset": "BTC",
    }
)


def member(kind: str, content: bytes = b"learnt") -> StoredModel:
    day = datetime(2023, 1, 1, tzinfo=UTC)
    data = DataUsed(source="drawn", start=day, end=day, rows=1, sha256="0" * 64)
    card = ModelCard(
        name=model_name("BTC", kind),
        kind=kind,
        assets=("BTC",),
        libraries={},
        parameters={},
        data=data,
        folds=0,
        n_parameters=1,
    )
    files = {"learnt.txt": content}
    return StoredModel(card.naming(files), files)


MEMBERS = {kind: member(kind) for kind in ("lstm", "xgboost")}
READING = Reading(
    recipe={"orders": {"BTC": 0.4}},
    bars=BarSettings(
        signals=("rsi_13",),
        channels=("momentum_1",),
        longest_window_bars=24,
        horizon_bars=12,
    ),
    intervals=ConformalSettings(),
)
RULE = EnsembleRule.of(PRODUCTION, MEMBERS, READING)


def test_names_are_those_of_the_registry():
    assert model_name("BTC") == "btc-ensemble"
    assert model_name("BTC", "random_forest") == "btc-random_forest"


def test_a_rule_keeps_the_weights_and_whose_they_are():
    assert RULE.at(1).weights == {"lstm": 0.25}
    assert RULE.at(1).interval_width == 1.5
    assert RULE.members == {"lstm": MEMBERS["lstm"].digest}


def test_without_a_weight_and_an_interval_the_zero_forecast_is_left():
    assert RULE.at(12).weights == {}
    assert RULE.at(12).interval_width is None


def test_a_rule_is_read_as_it_was_written():
    files = rule_to_files(RULE)

    assert rule_from_files(files) == RULE
    assert rule_to_files(rule_from_files(files)) == files


def test_a_horizon_without_weights_is_refused():
    with pytest.raises(
        ValueError, match=r"weights for \[1, 12\] hours, but none for 4"
    ):
        RULE.at(4)


def test_a_member_that_was_trained_anew_is_refused():
    RULE.check_member("lstm", MEMBERS["lstm"])
    with pytest.raises(ValueError, match="btc-lstm is another version than the ens"):
        RULE.check_member("lstm", member("lstm", b"learnt anew"))
    with pytest.raises(ValueError, match="btc-xgboost is another version"):
        RULE.check_member("xgboost", MEMBERS["xgboost"])


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "An ensemble is ensemble.json, not nothing"),
        ({"weights.bin": b""}, "not weights.bin"),
        ({FILE: b"{}"}, "ensemble.json, horizons: Field required"),
        ({FILE: b"half of a"}, "ensemble.json, : Invalid JSON"),
        (
            {FILE: json.dumps({"horizons": [], "members": {}}).encode()},
            "ensemble.json, horizons: ",
        ),
        (
            {
                FILE: json.dumps(
                    {
                        "horizons": [{"horizon": 1, "weights": {"lstm": "1"}}],
                        "members": {},
                    }
                ).encode()
            },
            r"ensemble.json, horizons\.0\.weights\.lstm: ",
        ),
    ],
)
def test_foreign_and_damaged_files_are_refused(files, told):
    with pytest.raises(ValueError, match=told):
        rule_from_files(files)
