"""What a sound fleet gives: three outputs that agree with one another."""

import json
from html import escape
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from fleet_kedro.reports.signal_table import signal_lines
from fleet_kedro.signals.expectation import Absence
from fleet_kedro.signals.signal_shape import CASH

ASSETS = ("BTC", "ETH", "SOL")
SCHEMA = Path(__file__).parents[3] / "docs/multi_asset_signal.schema.json"


def test_every_asset_is_judged_and_says_why(first_signal):
    signals = first_signal.individual_signals

    assert tuple(signals) == ASSETS
    for asset, own in signals.items():
        assert own.problem == Absence.NONE, asset
        assert own.reason.startswith("The forecast of ")
        assert own.interval.low < own.expected_return < own.interval.high
        assert len(own.top_latents) == 5
        assert sum(own.gate_weights.values()) == pytest.approx(1, abs=1e-5)
        assert own.levels is not None
        assert own.data_age_hours == 0
    assert sum(first_signal.portfolio_allocation.values()) == pytest.approx(1)
    assert first_signal.portfolio_allocation[CASH] >= 0.2
    assert first_signal.notices == ("Only the brain forecasts ETH, SOL.",)


def test_a_tuned_threshold_is_used_where_there_is_one(first_signal):
    told = {a: s.threshold for a, s in first_signal.individual_signals.items()}

    assert told == {"BTC": 0.003, "ETH": 0.006, "SOL": 0.5 * 0.0075}


def test_the_clock_stands_at_the_close_of_the_newest_candle(
    first_signal, planted_fleet
):
    closed = planted_fleet.candles["timestamp"].max() + np.timedelta64(1, "h")

    assert first_signal.timestamp == closed


def test_what_is_left_agrees_and_obeys_the_schema(workplace, caplog):
    with caplog.at_level("INFO", "fleet_kedro"):
        signal = workplace.signal()
    text = workplace.latest.read_text(encoding="utf-8")
    page = (workplace.reports / "signal.html").read_text(encoding="utf-8")
    page = page.replace("\N{MINUS SIGN}", "-")
    stamp = f"{signal.timestamp:%Y-%m-%dT%H%M%S}Z.json"

    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(json.loads(text))
    assert workplace.archived == [stamp]
    assert (workplace.reports / "signals" / stamp).read_text(encoding="utf-8") == text
    assert "\n".join(signal_lines(signal)) in caplog.messages
    for asset, own in signal.individual_signals.items():
        assert f">{asset}</" in page
        assert escape(own.reason) in page
    assert sorted(path.name for path in workplace.reports.iterdir()) == [
        *("multi_asset_signal.json", "signal.html", "signals"),
    ]


def test_the_same_again_leaves_the_same_bytes(workplace, first_signal):
    signal = workplace.signal()
    text = workplace.latest.read_bytes()
    workplace.run()

    assert signal == first_signal
    assert workplace.latest.read_bytes() == text
    assert len(workplace.archived) == 1


@pytest.mark.slow
def test_another_signal_for_the_same_moment_is_kept_beside_the_first(workplace):
    workplace.run()
    workplace.run(signalling={"allocation": {"largest_weight": 0.3}})

    assert len(workplace.archived) == 2
    assert workplace.archived[1] == workplace.archived[0].replace("Z", "Z_2")


@pytest.mark.parametrize("source", ["brain", "ensemble"])
def test_one_source_is_asked_alone(workplace, first_signal, source):
    signal = workplace.signal(signalling={"forecast": source})
    both = first_signal.individual_signals
    alone = signal.individual_signals

    assert alone["BTC"].expected_return != both["BTC"].expected_return
    if source == "brain":
        assert alone["ETH"] == both["ETH"]
        assert [told.partition(":")[0] for told in signal.notices] == [
            "The default thresholds are used"
        ]
    else:
        assert alone["ETH"].problem == Absence.NO_MODEL
        assert alone["ETH"].reason == (
            "There is no model that forecasts ETH. It has no forecasters of its own."
        )
        assert alone["BTC"].gate_weights == {}


@pytest.mark.slow
def test_both_sources_are_weighed_by_their_intervals(workplace, first_signal):
    own = [
        workplace.signal(signalling={"forecast": source}).individual_signals["BTC"]
        for source in ("ensemble", "brain")
    ]
    weight = [(each.interval.high - each.interval.low) ** -2 for each in own]
    middle = sum(w * s.expected_return for w, s in zip(weight, own, strict=True))
    both = first_signal.individual_signals["BTC"]

    assert both.expected_return == pytest.approx(middle / sum(weight), abs=3e-6)
