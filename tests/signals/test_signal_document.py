import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from fleet_kedro.signals.decision import DecisionInputs, SignalSettings
from fleet_kedro.signals.expectation import Absence, ExpectedReturns
from fleet_kedro.signals.levels import PriceLevels
from fleet_kedro.signals.portfolio_signal import compose_signal
from fleet_kedro.signals.signal_document import (
    read_signal,
    schema_text,
    signal_schema,
    signal_text,
)
from fleet_kedro.signals.signal_shape import SCHEMA_VERSION, PortfolioSignal
from fleet_kedro.signals.soundness import AssetFacts

PUBLISHED = Path(__file__).parents[2] / "docs" / "multi_asset_signal.schema.json"
NAN = np.nan
NOW = datetime(2025, 10, 25, 19, 26, 8, tzinfo=UTC)
LAST_OPEN = NOW.replace(hour=18, minute=0, second=0)
ASSETS = ("BTC", "ETH", "SOL", "DOGE")

Change = Callable[[PortfolioSignal], dict[str, Any]]


def compose(
    expected: list[float],
    facts: dict[str, AssetFacts],
    dominance: tuple[float, float] = (4.5, 61.0),
    allows_short: bool = False,
) -> PortfolioSignal:
    middle = np.array([expected])
    levels = PriceLevels(
        np.array([[95.0, NAN, 95.0, NAN]]),
        np.array([[105.0, 105.0, NAN, NAN]]),
        np.array([[2, 0, 5, 0]]),
        np.array([[3, 2, 0, 0]]),
        np.array([[0.01, 0.01, 0.01, NAN]]),
    )
    inputs = DecisionInputs(
        ASSETS,
        ExpectedReturns.of(middle, middle - 0.01, middle + 0.01),
        np.array([[1.0, 1.5, 2.0, NAN]]),
        np.array([dominance[0]]),
        np.array([dominance[1]]),
    )
    rules = SignalSettings.model_validate(
        {"allocation": {"allows_short": allows_short}}
    )
    return compose_signal(NOW, inputs, facts, rules, levels)


def sound_facts() -> dict[str, AssetFacts]:
    return {
        asset: AssetFacts(
            LAST_OPEN,
            100.0,
            gate_weights={"Trend": 0.25, "Range": 0.75},
            top_latents=(("latent_03", -1.5),),
        )
        for asset in ASSETS
    }


def degraded() -> dict[str, PortfolioSignal]:
    """One signal for each way in which things go wrong, by its name."""
    sound = sound_facts()
    rise = [0.02, 0.02, 0.02, 0.02]
    old = AssetFacts(LAST_OPEN - timedelta(hours=9), 100.0)
    early = AssetFacts(LAST_OPEN + timedelta(hours=9), 100.0)
    bare = AssetFacts(LAST_OPEN, 100.0, has_model=False)
    without = {asset: sound[asset] for asset in ASSETS if asset != "ETH"}
    return {
        "sound": compose(rise, sound),
        "short": compose([-0.02, 0.02, 0.0, 0.0], sound, allows_short=True),
        "NO_CANDLE": compose(rise, without),
        "STALE_CANDLE": compose(rise, sound | {"ETH": old}),
        "CLOCK_AHEAD": compose(rise, sound | {"ETH": early}),
        "NO_MODEL": compose(rise, sound | {"ETH": bare}),
        "NO_FORECAST": compose([0.02, NAN, 0.02, 0.02], sound),
        "no dominance": compose(rise, sound, dominance=(NAN, NAN)),
    }


SIGNALS = degraded()


def validator() -> Draft202012Validator:
    schema = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(
        schema, format_checker=Draft202012Validator.FORMAT_CHECKER
    )


class TestSchema:
    def test_the_published_one_is_that_of_the_code(self) -> None:
        # After a change: write schema_text() there, and raise the version if an old
        # reader would not understand the new signals.
        assert PUBLISHED.read_text(encoding="utf-8") == schema_text()

    def test_it_names_its_version(self) -> None:
        assert signal_schema()["$id"].endswith(f":{SCHEMA_VERSION}")

    @pytest.mark.parametrize("name", SIGNALS)
    def test_it_accepts_what_is_written(self, name: str) -> None:
        document = json.loads(signal_text(SIGNALS[name]))
        assert list(validator().iter_errors(document)) == []

    @pytest.mark.parametrize("name", sorted({a.name for a in Absence} & set(SIGNALS)))
    def test_what_went_wrong_is_in_the_document(self, name: str) -> None:
        document = json.loads(signal_text(SIGNALS[name]))
        assert document["individual_signals"]["ETH"]["problem"] == name
        assert document["individual_signals"]["ETH"]["signal"] == "HOLD"
        assert document["active_positions"] >= 2

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (("active_positions",), -1),
            (("active_positions",), 1.5),
            (("timestamp",), 20251025),
            (("schema_version",), "0.9"),
            (("individual_signals", "BTC", "signal"), "MAYBE"),
            (("individual_signals", "BTC", "confidence"), "SURE"),
            (("individual_signals", "BTC", "position_size"), 1.2),
            (("individual_signals", "BTC", "expected_return"), "1.86 %"),
            (("individual_signals", "BTC", "rule"), "HUNCH"),
            (("individual_signals", "BTC", "new_key"), 1),
            (("portfolio_allocation", "BTC"), 1.5),
        ],
    )
    def test_it_refuses_what_is_wrong(
        self, path: tuple[str, ...], value: object
    ) -> None:
        document = json.loads(signal_text(SIGNALS["sound"]))
        place = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

        assert len(list(validator().iter_errors(document))) == 1
        with pytest.raises(ValidationError, match=path[-1]):
            read_signal(json.dumps(document))

    def test_every_key_must_be_there(self) -> None:
        whole = json.loads(signal_text(SIGNALS["sound"]))
        for key in whole:
            document = {k: v for k, v in whole.items() if k != key}
            assert len(list(validator().iter_errors(document))) == 1
        assert len(whole) == 8


class TestText:
    @pytest.mark.parametrize("name", SIGNALS)
    def test_reading_gives_back_what_was_written(self, name: str) -> None:
        text = signal_text(SIGNALS[name])
        again = read_signal(text)

        assert again == SIGNALS[name]
        assert signal_text(again) == text

    def test_keys_stand_in_their_order(self) -> None:
        document = json.loads(signal_text(SIGNALS["sound"]))
        own = document["individual_signals"]["BTC"]

        assert list(document["individual_signals"]) == list(ASSETS)
        assert list(document["portfolio_allocation"]) == [*ASSETS, "CASH"]
        assert list(own)[:4] == [
            *("signal", "confidence", "expected_return", "position_size")
        ]
        assert document["timestamp"] == "2025-10-25T19:26:08Z"

    @settings(max_examples=30, deadline=None)
    @given(
        expected=st.lists(
            st.one_of(st.floats(-0.5, 0.5), st.just(NAN)), min_size=3, max_size=3
        ),
        allows_short=st.booleans(),
    )
    def test_any_forecast_makes_a_valid_document(
        self, expected: list[float], allows_short: bool
    ) -> None:
        signal = compose([0.01, *expected], sound_facts(), allows_short=allows_short)
        text = signal_text(signal)

        assert read_signal(text) == signal
        assert list(validator().iter_errors(json.loads(text))) == []


class TestConsistency:
    """What a schema cannot say is checked when a signal is made or read."""

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda s: {"active_positions": s.active_positions + 1}, "positions, not"),
            (
                lambda s: {
                    "portfolio_allocation": s.portfolio_allocation | {"CASH": 0.9}
                },
                "adds up to",
            ),
            (
                lambda s: {
                    "portfolio_allocation": {
                        k: v for k, v in s.portfolio_allocation.items() if k != "CASH"
                    }
                },
                "lacks CASH",
            ),
            (
                lambda s: {
                    "portfolio_allocation": s.portfolio_allocation | {"ADA": 0.0}
                },
                "different assets",
            ),
        ],
    )
    def test_a_portfolio_adds_up(self, change: Change, message: str) -> None:
        whole = dict(SIGNALS["sound"])
        with pytest.raises(ValidationError, match=message):
            PortfolioSignal(**whole | change(SIGNALS["sound"]))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"strength": "NONE"}, "BUY does not go with NONE"),
            ({"problem": Absence.NO_MODEL}, "BUY in spite of NO_MODEL"),
            ({"signal": "HOLD", "strength": "NONE"}, "a HOLD is never HIGH"),
            ({"expected_return": NAN}, "finite number"),
        ],
    )
    def test_an_asset_does_not_contradict_itself(
        self, change: dict[str, object], message: str
    ) -> None:
        own = SIGNALS["sound"].individual_signals["BTC"]
        with pytest.raises(ValidationError, match=message):
            type(own)(**dict(own) | change)
